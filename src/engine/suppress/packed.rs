//! Windows as commits contain them: checked when they are read, and only built when they are needed.
//!
//! After a start most windows are never touched again: they end, or their key repeats much later.
//! Building a million of them takes a second, most of it for the allocator. So a restored window
//! stays the bytes that it was read from, all in one buffer, until an alert or its end needs it.

use super::MAX_LISTED;
use super::bytes::Reader;
use super::key::{MAX_KEY, is_key};
use super::window::{HeldBackAlerts, MAX_CONTENT, MAX_SEEN, MAX_TEXT, Window, cost};
use crate::engine::indicator::Severity;

/// The parts of a stored window, all of them checked.
#[derive(Clone, Debug)]
pub(super) struct Parts<'b> {
    pub(super) key: &'b [u8],
    /// Where the key begins in the bytes of the window.
    key_at: usize,
    start: i64,
    pub(super) end: i64,
    passed: u32,
    parts: u32,
    evicted: u64,
    severity: Severity,
    /// Eight bytes each.
    seen: &'b [u8],
    held: Option<HeldParts<'b>>,
}

#[derive(Clone, Debug)]
struct HeldParts<'b> {
    count: u64,
    first: i64,
    last: i64,
    severity: Severity,
    values: Texts<'b>,
    places: Texts<'b>,
    more: u64,
    content: &'b [u8],
}

/// Texts, each with its length before it.
#[derive(Clone, Debug)]
struct Texts<'b> {
    count: usize,
    bytes: Reader<'b>,
    /// The sum of their lengths.
    length: usize,
}

impl<'b> Texts<'b> {
    fn read(reader: &mut Reader<'b>) -> Option<Self> {
        let count = reader.count(MAX_LISTED)?;
        let (bytes, mut length) = (reader.clone(), 0);
        for _ in 0..count {
            length += reader.text(MAX_TEXT)?.len();
        }
        Some(Texts { count, bytes, length })
    }

    fn build(&self) -> Vec<Box<str>> {
        let mut reader = self.bytes.clone();
        let mut texts = Vec::with_capacity(self.count);
        texts.extend((0..self.count).map_while(|_| reader.text(MAX_TEXT)).map(Box::from));
        texts
    }
}

impl<'b> HeldParts<'b> {
    fn read(reader: &mut Reader<'b>) -> Option<Self> {
        let count = reader.number().filter(|&count| count > 0)?;
        let (first, last) = (reader.signed()?, reader.signed()?);
        let severity = Severity::from_number(reader.byte()?)?;
        let (values, places) = (Texts::read(reader)?, Texts::read(reader)?);
        let more = reader.number()?;
        let content = reader.bytes(MAX_CONTENT)?;
        Some(HeldParts { count, first, last, severity, values, places, more, content })
    }

    fn build(&self) -> HeldBackAlerts {
        let HeldParts { count, first, last, severity, values, places, more, content } = self;
        HeldBackAlerts {
            count: *count,
            first: *first,
            last: *last,
            severity: *severity,
            values: values.build(),
            places: places.build(),
            more: *more,
            content: (*content).into(),
        }
    }

    fn cost(&self) -> usize {
        let texts = |texts: &Texts<'_>| 32 * texts.count + texts.length;
        size_of::<HeldBackAlerts>() + texts(&self.values) + texts(&self.places) + self.content.len()
    }
}

impl<'b> Parts<'b> {
    /// Reads a window whose key has this number of members; `None` if it is damaged.
    pub(super) fn read(reader: &mut Reader<'b>, members: usize) -> Option<Self> {
        let before = reader.left();
        let key = reader.bytes(MAX_KEY).filter(|key| is_key(members, key))?;
        let key_at = before - reader.left() - key.len();
        let (start, end) = (reader.signed()?, reader.signed()?);
        let (passed, parts, evicted) = (reader.number()?, reader.number()?, reader.number()?);
        let severity = Severity::from_number(reader.byte()?)?;
        let count = reader.count(MAX_SEEN)?;
        let seen = reader.take(8 * count)?;
        let held = match reader.byte()? {
            0 => None,
            1 => Some(HeldParts::read(reader)?),
            _ => return None,
        };
        let (passed, parts) = (passed.try_into().ok()?, parts.try_into().ok()?);
        Some(Parts { key, key_at, start, end, passed, parts, evicted, severity, seen, held })
    }

    /// Builds it.
    pub(super) fn build(&self) -> Window {
        let (digests, _) = self.seen.as_chunks::<8>();
        Window {
            key: self.key.into(),
            start: self.start,
            end: self.end,
            passed: self.passed,
            parts: self.parts,
            evicted: self.evicted,
            severity: self.severity,
            seen: digests.iter().map(|digest| u64::from_le_bytes(*digest)).collect(),
            held: self.held.as_ref().map(|held| Box::new(held.build())),
        }
    }

    /// Its size once it is built.
    fn cost(&self) -> usize {
        let held = self.held.as_ref().map_or(0, HeldParts::cost);
        cost(self.key.len(), self.seen.len() / 8, held)
    }
}

/// A window that was not built yet: where its bytes are.
#[derive(Clone, Debug)]
pub(super) struct Packed {
    from: usize,
    length: u32,
    key_at: u32,
    key_length: u32,
    /// Instead of the stored end.
    pub(super) end: i64,
    /// Its size once it is built.
    pub(super) cost: usize,
    /// Whether it holds something back.
    pub(super) is_holding: bool,
}

/// The bytes of packed windows.
#[derive(Clone, Debug, Default)]
pub(super) struct Arena {
    bytes: Vec<u8>,
    /// How many of the bytes belong to windows that are still packed.
    used: usize,
    /// The number of members of their keys.
    members: usize,
}

/// An arena with fewer bytes than this is never rewritten.
const MIN_ARENA: usize = 1 << 20;

impl Arena {
    /// For windows whose keys have this number of members.
    pub(super) fn new(members: usize) -> Arena {
        Arena { members, ..Arena::default() }
    }

    /// Packs a window: `bytes` is what its parts were read from.
    pub(super) fn pack(&mut self, parts: &Parts<'_>, bytes: &[u8], end: i64) -> Packed {
        let from = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        self.used += bytes.len();
        Packed {
            from,
            // A piece is shorter than 4 GiB, and so are its windows.
            length: bytes.len() as u32,
            key_at: parts.key_at as u32,
            key_length: parts.key.len() as u32,
            end,
            cost: parts.cost(),
            is_holding: parts.held.is_some(),
        }
    }

    /// The key of a window.
    pub(super) fn key(&self, of: &Packed) -> &[u8] {
        let from = of.from + of.key_at as usize;
        self.bytes.get(from..from + of.key_length as usize).unwrap_or_default()
    }

    /// Builds a window. It was checked when it was packed.
    pub(super) fn build(&self, of: &Packed) -> Option<Window> {
        let bytes = self.bytes.get(of.from..of.from + of.length as usize)?;
        let parts = Parts::read(&mut Reader::new(bytes), self.members)?;
        Some(Window { end: of.end, ..parts.build() })
    }

    /// The bytes of a window are no longer needed. Returns whether the arena should be rewritten.
    pub(super) fn release(&mut self, of: &Packed) -> bool {
        self.used -= of.length as usize;
        self.bytes.len() > MIN_ARENA && self.used < self.bytes.len() / 2
    }

    /// Rewrites it with the windows that are still packed.
    pub(super) fn rewrite<'p>(&mut self, all: impl Iterator<Item = &'p mut Packed>) {
        let mut bytes = Vec::with_capacity(self.used);
        for packed in all {
            let own = self.bytes.get(packed.from..packed.from + packed.length as usize);
            packed.from = bytes.len();
            bytes.extend_from_slice(own.unwrap_or_default());
        }
        self.bytes = bytes;
    }
}
