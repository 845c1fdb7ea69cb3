//! Encodes contexts for a store: all members, group by group, including absent ones.
//!
//! There is a group for each type: texts, numbers, flags (in one byte), times, lists. The members
//! of a group are in the order of `context_members!`.

use super::bytes::{put_number, put_text, take_array, take_number, take_text};
use crate::engine::indicator::{
    Context, Direction, Numbered, Role, Severity, Timestamp, Tlp, context_members,
};
use std::borrow::Cow;

mod group {
    pub(super) const TEXT: u8 = 0;
    pub(super) const NUMBER: u8 = 1;
    pub(super) const FLAG: u8 = 2;
    /// The bit of the role, after the flags that are plain booleans.
    pub(super) const ROLE: u8 = 3;
    pub(super) const TIME: u8 = 4;
    pub(super) const LIST: u8 = 5;
}

/// How members of a type are encoded.
trait Member: Sized {
    const GROUP: u8;
    fn put(&self, to: &mut Writer<'_>);
    /// Decodes a member; `None` if the bytes are invalid.
    fn take(from: &mut Reader<'_, '_>) -> Option<Self>;
}

macro_rules! codec {
    ($($(#[$doc:meta])* $name:ident: $type:ty, $bit:literal, $json:literal;)*) => {
        /// The number of members of a context after its feed.
        pub(super) const MEMBERS: u32 = 0 $(+ { _ = $bit; 1 })*;

        /// The number of flags among them, which share a byte.
        const FLAGS: u32 = {
            #[expect(clippy::extra_unused_lifetimes, reason = "types of the rows name it")]
            const fn flags<'a>() -> u32 {
                0 $(+ (matches!(<$type as Member>::GROUP, group::FLAG | group::ROLE)) as u32)*
            }
            flags()
        };

        fn put_group<const GROUP: u8>(context: &Context<'_>, to: &mut Writer<'_>) {
            $(to.put::<GROUP, _>(&context.$name);)*
        }

        fn take_group<const GROUP: u8>(
            context: &mut Context<'static>,
            from: &mut Reader<'_, '_>,
        ) -> Option<()> {
            $(from.member::<GROUP, _>(&mut context.$name)?;)*
            Some(())
        }
    };
}
context_members!(codec);

const _: () = assert!(FLAGS <= 8);

/// Appends a context.
pub(super) fn encode(context: &Context<'_>, out: &mut Vec<u8>) {
    put_text(out, &context.feed);
    let mut writer = Writer { out, flags: 0, count: 0 };
    put_group::<{ group::TEXT }>(context, &mut writer);
    put_group::<{ group::NUMBER }>(context, &mut writer);
    put_group::<{ group::FLAG }>(context, &mut writer);
    put_group::<{ group::ROLE }>(context, &mut writer);
    writer.out.push(writer.flags);
    put_group::<{ group::TIME }>(context, &mut writer);
    put_group::<{ group::LIST }>(context, &mut writer);
}

/// Decodes a context; `None` if the bytes are invalid.
pub(super) fn decode(mut bytes: &[u8]) -> Option<Context<'static>> {
    let feed = own(take_text(&mut bytes)?);
    let mut context = Context { feed, ..Context::default() };
    let mut reader = Reader { bytes: &mut bytes, flags: 0 };
    take_group::<{ group::TEXT }>(&mut context, &mut reader)?;
    take_group::<{ group::NUMBER }>(&mut context, &mut reader)?;
    let [flags] = *take_array(reader.bytes)?;
    reader.flags = flags;
    take_group::<{ group::FLAG }>(&mut context, &mut reader)?;
    take_group::<{ group::ROLE }>(&mut context, &mut reader)?;
    let is_known = reader.flags == 0;
    take_group::<{ group::TIME }>(&mut context, &mut reader)?;
    take_group::<{ group::LIST }>(&mut context, &mut reader)?;
    (bytes.is_empty() && is_known).then_some(context)
}

/// Writes members one after the other, and collects their flags.
struct Writer<'w> {
    out: &'w mut Vec<u8>,
    flags: u8,
    count: u32,
}

impl Writer<'_> {
    fn put<const GROUP: u8, M: Member>(&mut self, member: &M) {
        if M::GROUP == GROUP {
            member.put(self);
        }
    }

    fn flag(&mut self, is_set: bool) {
        self.flags |= u8::from(is_set) << self.count;
        self.count += 1;
    }
}

/// Reads members one after the other.
struct Reader<'r, 'b> {
    bytes: &'r mut &'b [u8],
    /// The flags that have not been read yet.
    flags: u8,
}

impl Reader<'_, '_> {
    fn member<const GROUP: u8, M: Member>(&mut self, member: &mut M) -> Option<()> {
        if M::GROUP == GROUP {
            *member = M::take(self)?;
        }
        Some(())
    }

    /// Whether a member is present.
    fn is_there(&mut self) -> Option<bool> {
        match take_array::<1>(self.bytes)? {
            [0] => Some(false),
            [1] => Some(true),
            _ => None,
        }
    }

    fn flag(&mut self) -> bool {
        let is_set = self.flags & 1 != 0;
        self.flags >>= 1;
        is_set
    }
}

fn own(text: &str) -> Cow<'static, str> {
    Cow::Owned(text.to_string())
}

impl Member for Option<Cow<'_, str>> {
    const GROUP: u8 = group::TEXT;

    fn put(&self, to: &mut Writer<'_>) {
        to.out.push(u8::from(self.is_some()));
        if let Some(text) = self {
            put_text(to.out, text);
        }
    }

    fn take(from: &mut Reader<'_, '_>) -> Option<Self> {
        if from.is_there()? {
            take_text(from.bytes).map(|text| Some(own(text)))
        } else {
            Some(None)
        }
    }
}

/// A confidence; 255 stands for none.
impl Member for Option<u8> {
    const GROUP: u8 = group::NUMBER;

    fn put(&self, to: &mut Writer<'_>) {
        to.out.push(self.unwrap_or(255));
    }

    fn take(from: &mut Reader<'_, '_>) -> Option<Self> {
        match *take_array(from.bytes)? {
            [255] => Some(None),
            [number @ 0..=100] => Some(Some(number)),
            _ => None,
        }
    }
}

/// 0, and any number without a meaning, stands for none.
impl<N: Numbered> Member for Option<N> {
    const GROUP: u8 = group::NUMBER;

    fn put(&self, to: &mut Writer<'_>) {
        to.out.push(self.map_or(0, N::number));
    }

    fn take(from: &mut Reader<'_, '_>) -> Option<Self> {
        let [number] = *take_array(from.bytes)?;
        Some(N::of_number(number))
    }
}

impl Member for bool {
    const GROUP: u8 = group::FLAG;

    fn put(&self, to: &mut Writer<'_>) {
        to.flag(*self);
    }

    fn take(from: &mut Reader<'_, '_>) -> Option<Self> {
        Some(from.flag())
    }
}

impl Member for Role {
    const GROUP: u8 = group::ROLE;

    fn put(&self, to: &mut Writer<'_>) {
        to.flag(*self == Role::Allow);
    }

    fn take(from: &mut Reader<'_, '_>) -> Option<Self> {
        Some(if from.flag() { Role::Allow } else { Role::Alert })
    }
}

impl Member for Option<Timestamp> {
    const GROUP: u8 = group::TIME;

    fn put(&self, to: &mut Writer<'_>) {
        to.out.push(u8::from(self.is_some()));
        if let Some(time) = self {
            to.out.extend_from_slice(&time.0.to_le_bytes());
        }
    }

    fn take(from: &mut Reader<'_, '_>) -> Option<Self> {
        if !from.is_there()? {
            return Some(None);
        }
        Some(Some(Timestamp(i64::from_le_bytes(*take_array(from.bytes)?))))
    }
}

impl Member for Vec<Cow<'_, str>> {
    const GROUP: u8 = group::LIST;

    fn put(&self, to: &mut Writer<'_>) {
        put_number(to.out, self.len() as u64);
        self.iter().for_each(|text| put_text(to.out, text));
    }

    fn take(from: &mut Reader<'_, '_>) -> Option<Self> {
        let mut texts = Vec::new();
        for _ in 0..take_number(from.bytes)? {
            texts.push(own(take_text(from.bytes)?));
        }
        Some(texts)
    }
}
