//! The compact encoding of contexts: a mask of the members that are present, then
//! the members. Text is a number in the table of strings, so that a tag or a
//! reference is stored only once, however many pulses use it.

use super::layout::{take, u32_at};
use crate::engine::indicator::{
    Context, Direction, Numbered, Role, Severity, Timestamp, Tlp, context_members,
};
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

/// Groups of members. Encoded contexts contain one group after the other, and the members of each
/// group in the order of the table.
mod group {
    pub(super) const TEXT: u8 = 0;
    pub(super) const NUMBER: u8 = 1;
    /// Only in the mask.
    pub(super) const FLAG: u8 = 2;
    pub(super) const TIME: u8 = 3;
    pub(super) const LIST: u8 = 4;
}

/// How members of a type are stored.
trait Member<'a>: Sized {
    const GROUP: u8;
    /// Whether to set its bit. Members without it are not written.
    fn is_there(&self) -> bool;
    fn put(&self, strings: &mut StringTable, out: &mut Vec<u8>);
    /// Reads a member whose bit is set. `None` means damage.
    fn take(reader: &mut Reader<'a>) -> Option<Self>;
}

macro_rules! codec {
    ($($(#[$doc:meta])* $name:ident: $type:ty, $bit:literal, $json:literal;)*) => {
        /// A bit of the mask for each member.
        struct Bits { $($name: u32,)* }

        const BIT: Bits = Bits { $($name: 1 << $bit,)* };

        const ALL: u32 = 0 $(| BIT.$name)*;

        const _: () = assert!(
            ALL.count_ones() == 0 $(+ BIT.$name.count_ones())*,
            "a bit is given twice"
        );

        /// The bits of a group: of its members before the one with the bit `end` in the table, or
        /// of all.
        #[expect(clippy::extra_unused_lifetimes, reason = "types of the rows name it")]
        const fn bits<'a>(group: u8, end: u32) -> u32 {
            let mut bits = 0;
            $(
                if BIT.$name == end {
                    return bits;
                }
                if <$type as Member<'a>>::GROUP == group {
                    bits |= BIT.$name;
                }
            )*
            bits
        }

        /// Appends the members of a group.
        #[inline]
        fn put_group<const GROUP: u8>(context: &Context<'_>, to: &mut Writer<'_>) {
            $(to.put::<GROUP, _>(&context.$name, BIT.$name);)*
        }

        /// Reads the members after the feed.
        #[inline]
        fn take_members<'a>(
            feed: Cow<'a, str>,
            mask: u32,
            from: &mut Reader<'a>,
        ) -> Option<Context<'a>> {
            $(let mut $name = <$type>::default();)*
            $(from.member::<{ group::TEXT }, _>(&mut $name, mask & BIT.$name)?;)*
            $(from.member::<{ group::NUMBER }, _>(&mut $name, mask & BIT.$name)?;)*
            $(from.member::<{ group::FLAG }, _>(&mut $name, mask & BIT.$name)?;)*
            $(from.member::<{ group::TIME }, _>(&mut $name, mask & BIT.$name)?;)*
            $(from.member::<{ group::LIST }, _>(&mut $name, mask & BIT.$name)?;)*
            Some(Context { feed, $($name,)* })
        }
    };
}
context_members!(codec);

const TEXTS: u32 = bits(group::TEXT, 0);
const NUMBERS: u32 = bits(group::NUMBER, 0);

// `decode_policy` skips texts and numbers, and only reads these two times.
const _: () = assert!(
    bits(group::TIME, BIT.valid_from) == 0 && bits(group::TIME, BIT.valid_until) == BIT.valid_from
);

/// Appends the encoding of `context`.
pub(super) fn encode(context: &Context<'_>, strings: &mut StringTable, out: &mut Vec<u8>) {
    let head = out.len();
    out.extend_from_slice(&[0; 4]);
    out.extend_from_slice(&strings.number(&context.feed).to_le_bytes());
    let mut writer = Writer { mask: 0, strings, out };
    put_group::<{ group::TEXT }>(context, &mut writer);
    put_group::<{ group::NUMBER }>(context, &mut writer);
    put_group::<{ group::FLAG }>(context, &mut writer);
    put_group::<{ group::TIME }>(context, &mut writer);
    put_group::<{ group::LIST }>(context, &mut writer);
    let mask = writer.mask;
    out[head..head + 4].copy_from_slice(&mask.to_le_bytes());
}

/// Writes members one after the other, and collects their bits.
struct Writer<'w> {
    mask: u32,
    strings: &'w mut StringTable,
    out: &'w mut Vec<u8>,
}

impl Writer<'_> {
    #[inline]
    fn put<'a, const GROUP: u8, M: Member<'a>>(&mut self, member: &M, bit: u32) {
        if M::GROUP == GROUP && member.is_there() {
            self.mask |= bit;
            member.put(self.strings, self.out);
        }
    }
}

impl<'a> Member<'a> for Option<Cow<'a, str>> {
    const GROUP: u8 = group::TEXT;

    fn is_there(&self) -> bool {
        self.is_some()
    }

    fn put(&self, strings: &mut StringTable, out: &mut Vec<u8>) {
        if let Some(text) = self {
            out.extend_from_slice(&strings.number(text).to_le_bytes());
        }
    }

    #[inline]
    fn take(reader: &mut Reader<'a>) -> Option<Self> {
        reader.text().map(Some)
    }
}

impl<'a> Member<'a> for Option<u8> {
    const GROUP: u8 = group::NUMBER;

    fn is_there(&self) -> bool {
        self.is_some()
    }

    fn put(&self, _: &mut StringTable, out: &mut Vec<u8>) {
        out.extend(self);
    }

    #[inline]
    fn take(reader: &mut Reader<'a>) -> Option<Self> {
        reader.byte().map(Some)
    }
}

impl<'a, N: Numbered> Member<'a> for Option<N> {
    const GROUP: u8 = group::NUMBER;

    fn is_there(&self) -> bool {
        self.is_some()
    }

    fn put(&self, _: &mut StringTable, out: &mut Vec<u8>) {
        out.extend(self.map(N::number));
    }

    #[inline]
    fn take(reader: &mut Reader<'a>) -> Option<Self> {
        N::of_number(reader.byte()?).map(Some)
    }
}

impl<'a> Member<'a> for bool {
    const GROUP: u8 = group::FLAG;

    fn is_there(&self) -> bool {
        *self
    }

    fn put(&self, _: &mut StringTable, _: &mut Vec<u8>) {}

    #[inline]
    fn take(_: &mut Reader<'a>) -> Option<Self> {
        Some(true)
    }
}

impl<'a> Member<'a> for Role {
    const GROUP: u8 = group::FLAG;

    fn is_there(&self) -> bool {
        *self == Role::Allow
    }

    fn put(&self, _: &mut StringTable, _: &mut Vec<u8>) {}

    #[inline]
    fn take(_: &mut Reader<'a>) -> Option<Self> {
        Some(Role::Allow)
    }
}

impl<'a> Member<'a> for Option<Timestamp> {
    const GROUP: u8 = group::TIME;

    fn is_there(&self) -> bool {
        self.is_some()
    }

    fn put(&self, _: &mut StringTable, out: &mut Vec<u8>) {
        if let Some(time) = self {
            out.extend_from_slice(&time.0.to_le_bytes());
        }
    }

    #[inline]
    fn take(reader: &mut Reader<'a>) -> Option<Self> {
        reader.time().map(Some)
    }
}

impl<'a> Member<'a> for Vec<Cow<'a, str>> {
    const GROUP: u8 = group::LIST;

    fn is_there(&self) -> bool {
        !self.is_empty()
    }

    fn put(&self, strings: &mut StringTable, out: &mut Vec<u8>) {
        out.extend_from_slice(&(self.len() as u32).to_le_bytes());
        for text in self {
            out.extend_from_slice(&strings.number(text).to_le_bytes());
        }
    }

    #[inline]
    fn take(reader: &mut Reader<'a>) -> Option<Self> {
        reader.list()
    }
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
    let texts = (mask & TEXTS).count_ones() as usize;
    let numbers = (mask & NUMBERS).count_ones() as usize;
    let mut at = 8 + texts * 4 + numbers;
    let mut time = |bit: u32| {
        if mask & bit == 0 {
            return Some(None);
        }
        let value = take(bytes, at).map(i64::from_le_bytes)?;
        at += 8;
        Some(Some(Timestamp(value)))
    };
    Some(Policy {
        inactive: mask & BIT.inactive != 0,
        allow: mask & BIT.role != 0,
        internal: mask & BIT.internal != 0,
        valid_from: time(BIT.valid_from)?,
        valid_until: time(BIT.valid_until)?,
    })
}

/// Decodes a context, borrowing its text from the file.
pub(super) fn decode<'a>(bytes: &'a [u8], strings: Strings<'a>) -> Option<Context<'a>> {
    let mut reader = Reader { bytes, at: 0, strings };
    let mask = reader.word()?;
    if mask & !ALL != 0 {
        return None;
    }
    let feed = reader.text()?;
    let context = take_members(feed, mask, &mut reader)?;
    (reader.at == bytes.len()).then_some(context)
}

/// Reads members one by one. `None` means damage.
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

    fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.at)?;
        self.at += 1;
        Some(byte)
    }

    fn time(&mut self) -> Option<Timestamp> {
        let value = take(self.bytes, self.at).map(i64::from_le_bytes)?;
        self.at += 8;
        Some(Timestamp(value))
    }

    fn list(&mut self) -> Option<Vec<Cow<'a, str>>> {
        let count = self.word()? as usize;
        if count > (self.bytes.len() - self.at) / 4 {
            return None;
        }
        let mut list = Vec::with_capacity(count);
        for _ in 0..count {
            list.push(self.text()?);
        }
        Some(list)
    }

    /// Reads a member of this group, if its bit is set; members of other groups are skipped. Most
    /// members of a context are absent: inlined, each of them only costs the test of a bit.
    #[inline(always)]
    fn member<const GROUP: u8, M: Member<'a>>(&mut self, member: &mut M, bit: u32) -> Option<()> {
        if M::GROUP == GROUP && bit != 0 {
            *member = M::take(self)?;
        }
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contexts_are_read_back() {
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
            modified: Some(Timestamp(5)),
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
