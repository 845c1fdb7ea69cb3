//! The compact encoding of contexts: a mask of the members that are present, then
//! the members. Text is a number in the table of strings, so that a tag or a
//! reference is stored only once, however many pulses use it.

use super::layout::{take, u32_at};
use crate::engine::indicator::{Context, Direction, Role, Severity, Timestamp, Tlp};
use hashbrown::HashMap;
use std::borrow::Cow;

/// Collects strings and numbers them.
#[derive(Debug, Default)]
pub(super) struct StringTable {
    numbers: HashMap<Box<str>, u32>,
    bytes: Vec<u8>,
    index: Vec<u8>,
}

impl StringTable {
    pub(super) fn number(&mut self, text: &str) -> u32 {
        if let Some(&number) = self.numbers.get(text) {
            return number;
        }
        let number = self.numbers.len() as u32;
        self.index.extend_from_slice(&(self.bytes.len() as u32).to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
        self.numbers.insert(text.into(), number);
        number
    }

    /// The total length of the text in bytes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Returns the bytes, and the index including its end.
    pub(super) fn finish(mut self) -> (Vec<u8>, Vec<u8>) {
        self.index.extend_from_slice(&(self.bytes.len() as u32).to_le_bytes());
        (self.bytes, self.index)
    }
}

/// The table of strings of a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Strings<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) index: &'a [u8],
}

impl<'a> Strings<'a> {
    /// Returns the string with this number.
    #[inline]
    pub(super) fn get(self, number: u32) -> Option<&'a str> {
        let at = usize::try_from(number).ok()? * 4;
        let start = u32_at(self.index, at)? as usize;
        let end = u32_at(self.index, at + 4)? as usize;
        std::str::from_utf8(self.bytes.get(start..end)?).ok()
    }

    /// The number of strings.
    pub(super) fn len(self) -> usize {
        (self.index.len() / 4).saturating_sub(1)
    }

    /// Checks that every string is within the bytes and UTF-8.
    pub(super) fn check(self) -> Option<()> {
        let text = std::str::from_utf8(self.bytes).ok()?;
        let mut before = 0;
        for at in 0..self.index.len() / 4 {
            let start = u32_at(self.index, at * 4)? as usize;
            (start >= before && text.is_char_boundary(start)).then_some(())?;
            before = start;
        }
        (self.index.len() >= 4 && before == self.bytes.len()).then_some(())
    }
}

/// The bits of the mask. Members are encoded in this order.
mod bit {
    pub(super) const COLLECTION: u32 = 1;
    pub(super) const COLLECTION_ID: u32 = 1 << 1;
    pub(super) const ID: u32 = 1 << 2;
    pub(super) const NAME: u32 = 1 << 3;
    pub(super) const DESCRIPTION: u32 = 1 << 4;
    pub(super) const PROTO: u32 = 1 << 5;
    pub(super) const CONFIDENCE: u32 = 1 << 6;
    pub(super) const SEVERITY: u32 = 1 << 7;
    pub(super) const TLP: u32 = 1 << 8;
    pub(super) const DIRECTION: u32 = 1 << 9;
    pub(super) const INACTIVE: u32 = 1 << 10;
    pub(super) const ALLOW: u32 = 1 << 11;
    pub(super) const INTERNAL: u32 = 1 << 12;
    pub(super) const VALID_FROM: u32 = 1 << 13;
    pub(super) const VALID_UNTIL: u32 = 1 << 14;
    pub(super) const FIRST_SEEN: u32 = 1 << 15;
    pub(super) const LAST_SEEN: u32 = 1 << 16;
    pub(super) const TAGS: u32 = 1 << 17;
    pub(super) const MALWARE: u32 = 1 << 18;
    pub(super) const ADVERSARY: u32 = 1 << 19;
    pub(super) const ATTACK: u32 = 1 << 20;
    pub(super) const REFERENCES: u32 = 1 << 21;
    pub(super) const ALL: u32 = (1 << 22) - 1;
}

/// Appends the encoding of `context`.
pub(super) fn encode(context: &Context<'_>, strings: &mut StringTable, out: &mut Vec<u8>) {
    let head = out.len();
    out.extend_from_slice(&[0; 4]);
    let mut mask = 0;
    out.extend_from_slice(&strings.number(&context.feed).to_le_bytes());
    for (bit, text) in [
        (bit::COLLECTION, &context.collection),
        (bit::COLLECTION_ID, &context.collection_id),
        (bit::ID, &context.id),
        (bit::NAME, &context.name),
        (bit::DESCRIPTION, &context.description),
        (bit::PROTO, &context.proto),
    ] {
        if let Some(text) = text {
            mask |= bit;
            out.extend_from_slice(&strings.number(text).to_le_bytes());
        }
    }
    for (bit, byte) in [
        (bit::CONFIDENCE, context.confidence),
        (bit::SEVERITY, context.severity.map(|s| s as u8)),
        (bit::TLP, context.tlp.map(|t| t as u8)),
        (bit::DIRECTION, context.direction.map(|d| d as u8)),
    ] {
        if let Some(byte) = byte {
            mask |= bit;
            out.push(byte);
        }
    }
    for (bit, flag) in [
        (bit::INACTIVE, context.inactive),
        (bit::ALLOW, context.role == Role::Allow),
        (bit::INTERNAL, context.internal),
    ] {
        mask |= if flag { bit } else { 0 };
    }
    for (bit, time) in [
        (bit::VALID_FROM, context.valid_from),
        (bit::VALID_UNTIL, context.valid_until),
        (bit::FIRST_SEEN, context.first_seen),
        (bit::LAST_SEEN, context.last_seen),
    ] {
        if let Some(time) = time {
            mask |= bit;
            out.extend_from_slice(&time.0.to_le_bytes());
        }
    }
    for (bit, list) in [
        (bit::TAGS, &context.tags),
        (bit::MALWARE, &context.malware),
        (bit::ADVERSARY, &context.adversary),
        (bit::ATTACK, &context.attack),
        (bit::REFERENCES, &context.references),
    ] {
        if !list.is_empty() {
            mask |= bit;
            out.extend_from_slice(&(list.len() as u32).to_le_bytes());
            for text in list {
                out.extend_from_slice(&strings.number(text).to_le_bytes());
            }
        }
    }
    out[head..head + 4].copy_from_slice(&mask.to_le_bytes());
}

/// The part of a context that decides whether a claim alerts, without text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) inactive: bool,
    pub(crate) allow: bool,
    pub(crate) internal: bool,
    pub(crate) valid_from: Option<Timestamp>,
    pub(crate) valid_until: Option<Timestamp>,
}

impl Policy {
    /// Like [`Context::is_live`].
    pub(crate) fn is_live(&self, time: Timestamp) -> bool {
        !self.inactive
            && self.valid_from.is_none_or(|from| from <= time)
            && self.valid_until.is_none_or(|until| time < until)
    }
}

/// Decodes the policy of a context.
pub(super) fn decode_policy(bytes: &[u8]) -> Option<Policy> {
    let mask = u32_at(bytes, 0)?;
    let texts = (mask & 0x3f).count_ones() as usize;
    let small = (mask >> 6 & 0xf).count_ones() as usize;
    let mut at = 8 + texts * 4 + small;
    let mut time = |bit: u32| {
        if mask & bit == 0 {
            return Some(None);
        }
        let value = take(bytes, at).map(i64::from_le_bytes)?;
        at += 8;
        Some(Some(Timestamp(value)))
    };
    Some(Policy {
        inactive: mask & bit::INACTIVE != 0,
        allow: mask & bit::ALLOW != 0,
        internal: mask & bit::INTERNAL != 0,
        valid_from: time(bit::VALID_FROM)?,
        valid_until: time(bit::VALID_UNTIL)?,
    })
}

/// Decodes a context, borrowing its text from the file.
pub(super) fn decode<'a>(bytes: &'a [u8], strings: Strings<'a>) -> Option<Context<'a>> {
    let mut reader = Reader { bytes, at: 0, strings };
    let mask = reader.word()?;
    if mask & !bit::ALL != 0 {
        return None;
    }
    let has = |bit: u32| mask & bit != 0;
    let context = Context {
        feed: reader.text()?,
        collection: reader.text_if(has(bit::COLLECTION))?,
        collection_id: reader.text_if(has(bit::COLLECTION_ID))?,
        id: reader.text_if(has(bit::ID))?,
        name: reader.text_if(has(bit::NAME))?,
        description: reader.text_if(has(bit::DESCRIPTION))?,
        proto: reader.text_if(has(bit::PROTO))?,
        confidence: reader.byte_if(has(bit::CONFIDENCE), Some)?,
        severity: reader.byte_if(has(bit::SEVERITY), Severity::from_number)?,
        tlp: reader.byte_if(has(bit::TLP), Tlp::from_number)?,
        direction: reader.byte_if(has(bit::DIRECTION), |number| match number {
            1 => Some(Direction::Source),
            2 => Some(Direction::Destination),
            _ => None,
        })?,
        inactive: has(bit::INACTIVE),
        role: if has(bit::ALLOW) { Role::Allow } else { Role::Alert },
        internal: has(bit::INTERNAL),
        valid_from: reader.time_if(has(bit::VALID_FROM))?,
        valid_until: reader.time_if(has(bit::VALID_UNTIL))?,
        first_seen: reader.time_if(has(bit::FIRST_SEEN))?,
        last_seen: reader.time_if(has(bit::LAST_SEEN))?,
        tags: reader.list_if(has(bit::TAGS))?,
        malware: reader.list_if(has(bit::MALWARE))?,
        adversary: reader.list_if(has(bit::ADVERSARY))?,
        attack: reader.list_if(has(bit::ATTACK))?,
        references: reader.list_if(has(bit::REFERENCES))?,
    };
    (reader.at == bytes.len()).then_some(context)
}

/// Reads members one by one. An outer `None` means damage.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    strings: Strings<'a>,
}

impl<'a> Reader<'a> {
    fn word(&mut self) -> Option<u32> {
        let word = u32_at(self.bytes, self.at)?;
        self.at += 4;
        Some(word)
    }

    fn text(&mut self) -> Option<Cow<'a, str>> {
        let number = self.word()?;
        self.strings.get(number).map(Cow::Borrowed)
    }

    fn text_if(&mut self, there: bool) -> Option<Option<Cow<'a, str>>> {
        if there { self.text().map(Some) } else { Some(None) }
    }

    fn byte_if<T>(&mut self, there: bool, read: impl Fn(u8) -> Option<T>) -> Option<Option<T>> {
        if !there {
            return Some(None);
        }
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        read(byte).map(Some)
    }

    fn time_if(&mut self, there: bool) -> Option<Option<Timestamp>> {
        if !there {
            return Some(None);
        }
        let value = take(self.bytes, self.at).map(i64::from_le_bytes)?;
        self.at += 8;
        Some(Some(Timestamp(value)))
    }

    fn list_if(&mut self, there: bool) -> Option<Vec<Cow<'a, str>>> {
        if !there {
            return Some(Vec::new());
        }
        let count = self.word()? as usize;
        if count > (self.bytes.len() - self.at) / 4 {
            return None;
        }
        (0..count).map(|_| self.text()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn round_trip() {
        let full = Context {
            feed: "f".into(),
            collection: Some("c".into()),
            collection_id: Some("1".into()),
            id: Some("2".into()),
            name: Some("n".into()),
            description: Some("d".into()),
            confidence: Some(80),
            severity: Some(Severity::High),
            tlp: Some(Tlp::AmberStrict),
            valid_from: Some(Timestamp(-1)),
            valid_until: Some(Timestamp(i64::MAX)),
            first_seen: Some(Timestamp(3)),
            last_seen: Some(Timestamp(4)),
            inactive: true,
            role: Role::Allow,
            internal: true,
            direction: Some(Direction::Destination),
            proto: Some("tcp".into()),
            tags: vec!["a".into(), "b".into()],
            malware: vec!["m".into()],
            adversary: vec!["x".into()],
            attack: vec!["T1059".into()],
            references: vec!["r".into()],
        };
        for context in [full, Context::of_feed("bare")] {
            let (mut strings, mut out) = (StringTable::default(), Vec::new());
            encode(&context, &mut strings, &mut out);
            let (bytes, index) = strings.finish();
            let strings = Strings { bytes: &bytes, index: &index };
            strings.check().unwrap();
            assert_eq!(decode(&out, strings).as_ref(), Some(&context));
            let policy = decode_policy(&out).unwrap();
            assert_eq!(policy.valid_until, context.valid_until);
            assert_eq!(policy.valid_from, context.valid_from);
            assert_eq!(policy.allow, context.role == Role::Allow);
            for cut in 0..out.len() {
                assert_eq!(decode(&out[..cut], strings), None);
            }
        }
    }
}
