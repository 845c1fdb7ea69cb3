//! The state as bytes: changes since the last commit, or all of it.
//!
//! A piece of state consists of a version, the members of the key, the number of windows that
//! were ended early, and records: a window (its key, numbers, lists), or the key of a removed
//! window. Later records take precedence. A piece is opaque to the caller, who protects it with a
//! checksum; damaged ones are nevertheless an error, and never a panic.

use super::bytes::{Reader, put_bytes, put_number, put_signed};
use super::key::is_key;
use super::window::{Held, MAX_CONTENT, MAX_SEEN, MAX_TEXT, Window};
use super::{Config, MAX_LISTED, Member, Suppressor};
use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Severity, Timestamp};

/// The version of the format.
const VERSION: u8 = 1;

/// The longest key: every member at its maximum length, with the lengths.
const MAX_KEY: usize = MAX_MEMBERS * (super::key::MAX_MEMBER + 4);

/// Maximum number of members of a key, including future ones.
const MAX_MEMBERS: usize = 16;

/// Types of records.
const WINDOW: u8 = 1;
const GONE: u8 = 2;

impl Suppressor {
    /// Appends the changes since the last call; nothing if there are none.
    ///
    /// Always empty unless changes are [`recorded`](Suppressor::recorded).
    pub fn take_changes(&mut self, out: &mut Vec<u8>) {
        let before = out.len();
        write_head(self, out);
        let head = out.len();
        for key in self.table.take_gone() {
            out.push(GONE);
            put_bytes(out, &key);
        }
        self.table.take_changed(|window| write_window(window, out));
        if out.len() == head {
            out.truncate(before);
        }
    }

    /// The same as entries by key, for a caller that keeps a map. `put` receives a key and its new
    /// value, or `None` if it was removed. Each value is a piece for [`Suppressor::restore`].
    pub fn take_entries(&mut self, mut put: impl FnMut(&[u8], Option<Vec<u8>>)) {
        let mut head = Vec::new();
        write_head(self, &mut head);
        self.table.take_gone().into_iter().for_each(|key| put(&key, None));
        self.table.take_changed(|window| {
            let mut value = head.clone();
            write_window(window, &mut value);
            put(&window.key, Some(value));
        });
    }

    /// Whether a window with this key, as [`Suppressor::take_entries`] gives it, is open.
    pub fn has(&self, key: &[u8]) -> bool {
        self.table.find(key).is_some()
    }

    /// Appends the whole state: the sum of all changes so far.
    pub fn snapshot(&self, out: &mut Vec<u8>) {
        write_head(self, out);
        for slot in self.table.by_use() {
            if let Some(window) = self.table.get(slot) {
                write_window(window, out);
            }
        }
    }

    /// Continues from the last commit: `pieces` are a snapshot and the changes since, or all
    /// changes from the first, in order. Changes are recorded from here on.
    ///
    /// The caller should then write a snapshot to replace the pieces.
    ///
    /// Windows that would end later than a whole window from `now`, because the clock was set
    /// back, are shortened to that. Windows with another key than that of `config` end at once;
    /// what they hold back is reported as partial.
    ///
    /// # Errors
    ///
    /// If a piece is damaged, or of a later version.
    pub fn restore<'p>(
        config: Config,
        pieces: impl IntoIterator<Item = &'p [u8]>,
        now: Timestamp,
    ) -> Result<Suppressor> {
        let mut restored = Suppressor::new(config).recorded();
        let pieces = pieces.into_iter();
        // A piece may contain a window each; they are bounded, whatever number the state claims.
        let windows = pieces.size_hint().0.min(restored.config.max_keys);
        restored.table.begin(windows);
        let latest = now.0.saturating_add(restored.config.window_micros());
        for piece in pieces {
            restored.apply(piece, latest)?;
        }
        restored.table.put_in_order();
        restored.evict();
        Ok(restored)
    }

    fn apply(&mut self, piece: &[u8], latest: i64) -> Result<()> {
        let mut reader = Reader::new(piece);
        let damaged = |reader: &Reader<'_>| {
            Error::format("the state of suppression is damaged")
                .at_offset((piece.len() - reader.left()) as u64)
        };
        let members = match reader.byte() {
            Some(VERSION) => read_members(&mut reader).ok_or_else(|| damaged(&reader))?,
            Some(version) => {
                let text = format!("the state of suppression has version {version}");
                return Err(Error::format(text).remedy("it was written by a newer wiresift"));
            }
            None => return Err(damaged(&reader)),
        };
        let evicted = reader.number().ok_or_else(|| damaged(&reader))?;
        self.evicted = self.evicted.max(evicted);
        while let Some(tag) = reader.byte() {
            match tag {
                WINDOW => {
                    let window = read_window(&mut reader, members.len());
                    self.put(window.ok_or_else(|| damaged(&reader))?, &members, latest);
                }
                GONE => {
                    let key = reader.bytes(MAX_KEY).ok_or_else(|| damaged(&reader))?;
                    self.forget(key);
                }
                _ => return Err(damaged(&reader)),
            }
        }
        Ok(())
    }

    fn put(&mut self, mut window: Window, members: &[Member], latest: i64) {
        if members != self.config.key {
            self.repeats.extend(window.repeat(members, true));
            return;
        }
        window.end = window.end.min(latest);
        self.forget(&window.key);
        self.table.add(window, true);
        // Memory must be bounded while reading, too.
        self.evict();
    }

    fn forget(&mut self, key: &[u8]) {
        if let Some(slot) = self.table.find(key) {
            self.table.forget(slot);
        }
    }
}

fn write_head(of: &Suppressor, out: &mut Vec<u8>) {
    let config = &of.config;
    out.push(VERSION);
    // Each member occurs once, so it is a small number.
    out.push(config.key.len() as u8);
    out.extend(config.key.iter().map(|&member| member as u8));
    put_number(out, of.evicted);
}

fn read_members(reader: &mut Reader<'_>) -> Option<Vec<Member>> {
    let count = reader.count(MAX_MEMBERS)?;
    (0..count).map(|_| Member::from_number(reader.byte()?)).collect()
}

fn write_window(window: &Window, out: &mut Vec<u8>) {
    out.push(WINDOW);
    put_bytes(out, &window.key);
    put_signed(out, window.start);
    put_signed(out, window.end);
    put_number(out, u64::from(window.passed));
    put_number(out, u64::from(window.parts));
    put_number(out, window.evicted);
    out.push(window.severity as u8);
    put_number(out, window.seen.len() as u64);
    window.seen.iter().for_each(|digest| out.extend_from_slice(&digest.to_le_bytes()));
    out.push(u8::from(window.held.is_some()));
    if let Some(held) = &window.held {
        write_held(held, out);
    }
}

fn write_held(held: &Held, out: &mut Vec<u8>) {
    put_number(out, held.count);
    put_signed(out, held.first);
    put_signed(out, held.last);
    out.push(held.severity as u8);
    for texts in [&held.values, &held.places] {
        put_number(out, texts.len() as u64);
        texts.iter().for_each(|text| put_bytes(out, text.as_bytes()));
    }
    put_number(out, held.more);
    put_bytes(out, &held.content);
}

fn read_window(reader: &mut Reader<'_>, members: usize) -> Option<Window> {
    let key = reader.bytes(MAX_KEY).filter(|key| is_key(members, key))?;
    let (start, end) = (reader.signed()?, reader.signed()?);
    let (passed, parts, evicted) = (reader.number()?, reader.number()?, reader.number()?);
    let severity = Severity::from_number(reader.byte()?)?;
    let count = reader.count(MAX_SEEN)?;
    let seen = (0..count).map(|_| read_digest(reader)).collect::<Option<Vec<u64>>>()?;
    let held = match reader.byte()? {
        0 => None,
        1 => Some(Box::new(read_held(reader)?)),
        _ => return None,
    };
    Some(Window {
        key: key.into(),
        start,
        end,
        passed: passed.try_into().ok()?,
        parts: parts.try_into().ok()?,
        evicted,
        severity,
        seen,
        held,
    })
}

fn read_digest(reader: &mut Reader<'_>) -> Option<u64> {
    let mut bytes = [0; 8];
    for byte in &mut bytes {
        *byte = reader.byte()?;
    }
    Some(u64::from_le_bytes(bytes))
}

fn read_held(reader: &mut Reader<'_>) -> Option<Held> {
    let count = reader.number().filter(|&count| count > 0)?;
    let (first, last) = (reader.signed()?, reader.signed()?);
    let severity = Severity::from_number(reader.byte()?)?;
    let mut texts = || -> Option<Vec<Box<str>>> {
        let count = reader.count(MAX_LISTED)?;
        (0..count).map(|_| reader.text(MAX_TEXT).map(Box::from)).collect()
    };
    let (values, places) = (texts()?, texts()?);
    let more = reader.number()?;
    let content = reader.bytes(MAX_CONTENT)?.into();
    Some(Held { count, first, last, severity, values, places, more, content })
}
