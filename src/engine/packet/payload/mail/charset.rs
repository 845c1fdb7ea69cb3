//! The character sets of mails.
//!
//! Indicators are ASCII, or UTF-8 in file names. So character sets that contain ASCII unchanged
//! are not converted, except that Latin-1 in headers becomes UTF-8. UTF-16, UTF-32 and UTF-7 (RFC
//! 2152) are decoded everywhere.

use super::transfer::SEXTETS;

/// The characters of Windows-1252 in place of Latin-1's control characters; either name means
/// both (WHATWG Encoding, 4.2).
const WINDOWS: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// How characters are encoded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Charset {
    /// ASCII is unchanged.
    #[default]
    Narrow,
    Latin,
    /// In units of this many bytes; if the byte order is not given, a byte order mark shows it,
    /// or a first character of ASCII, and the default is big-endian (RFC 2781, 4.3).
    Wide(u8, Option<Order>),
    Utf7,
}

/// The byte order of a unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Big,
    Little,
}

impl Charset {
    pub(super) fn named(name: &[u8]) -> Charset {
        let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()));
        let (big, little) = (Some(Order::Big), Some(Order::Little));
        match () {
            () if is(&["iso-8859-1", "iso8859-1", "latin1", "windows-1252", "cp1252"]) => {
                Charset::Latin
            }
            () if is(&["utf-16", "utf16", "ucs-2", "iso-10646-ucs-2", "unicode"]) => {
                Charset::Wide(2, None)
            }
            () if is(&["utf-16be", "utf16be"]) => Charset::Wide(2, big),
            () if is(&["utf-16le", "utf16le"]) => Charset::Wide(2, little),
            () if is(&["utf-32", "utf32", "ucs-4", "iso-10646-ucs-4"]) => Charset::Wide(4, None),
            () if is(&["utf-32be", "utf32be"]) => Charset::Wide(4, big),
            () if is(&["utf-32le", "utf32le"]) => Charset::Wide(4, little),
            () if is(&["utf-7", "utf7", "unicode-1-1-utf-7", "x-unicode-1-1-utf-7"]) => {
                Charset::Utf7
            }
            () => Charset::Narrow,
        }
    }

    /// Appends text of a header to what was decoded before.
    pub(super) fn append(self, text: &[u8], out: &mut Vec<u8>) {
        match (self, Decoder::new(self)) {
            (_, Some(mut decoder)) => decoder.decode(text, out),
            (Charset::Latin, None) => {
                for &byte in text {
                    let high = byte.checked_sub(0x80).and_then(|at| WINDOWS.get(usize::from(at)));
                    push(high.copied().unwrap_or(char::from(byte)), out);
                }
            }
            (_, None) => out.extend_from_slice(text),
        }
    }
}

fn push(char: char, out: &mut Vec<u8>) {
    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// A byte order mark may follow.
    Unknown,
    /// ASCII is unchanged.
    Narrow,
    Wide(u8, Option<Order>),
    Seven,
}

/// Text in an encoding other than ASCII, in transfer.
#[derive(Clone, Debug)]
pub(super) struct Decoder {
    form: Form,
    /// A part of a unit, or of a byte order mark.
    held: [u8; 4],
    count: u8,
    /// The first of a surrogate pair.
    high: Option<u16>,
    /// Bits of UTF-7's base64, and how many; none outside of it.
    bits: u32,
    shifted: Option<u8>,
    /// Nothing has followed the plus sign yet.
    is_bare: bool,
}

impl Decoder {
    /// A decoder, if one is needed.
    pub(super) fn new(charset: Charset) -> Option<Decoder> {
        Some(Decoder::of(match charset {
            Charset::Narrow | Charset::Latin => return None,
            Charset::Wide(width, order) => Form::Wide(width, order),
            Charset::Utf7 => Form::Seven,
        }))
    }

    /// One for text that begins like this, if it may begin with a byte order mark of UTF-16 or
    /// UTF-32.
    pub(super) fn marked(begin: &[u8]) -> Option<Decoder> {
        matches!(begin, [0 | 0xfe | 0xff, ..]).then(|| Decoder::of(Form::Unknown))
    }

    fn of(form: Form) -> Decoder {
        let (held, count, high, bits, shifted) = ([0; 4], 0, None, 0, None);
        Decoder { form, held, count, high, bits, shifted, is_bare: false }
    }

    /// The next bytes as UTF-8.
    pub(super) fn decoded(&mut self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len());
        self.decode(data, &mut out);
        out
    }

    /// Appends the next bytes as UTF-8.
    pub(super) fn decode(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let mut rest = data;
        while let Some((&byte, after)) = rest.split_first() {
            match self.form {
                Form::Narrow => return out.extend_from_slice(rest),
                Form::Unknown => self.mark(byte, out),
                Form::Wide(width, order) => self.wide(byte, width, order, out),
                Form::Seven => self.seven(byte, out),
            }
            rest = after;
        }
    }

    /// Takes a byte of a possible byte order mark, and then of the text.
    fn mark(&mut self, byte: u8, out: &mut Vec<u8>) {
        let held = self.hold(byte);
        let form = match held {
            [0xfe, 0xff] => Form::Wide(2, Some(Order::Big)),
            [0xff, 0xfe, 0, 0] => Form::Wide(4, Some(Order::Little)),
            [0, 0, 0xfe, 0xff] => Form::Wide(4, Some(Order::Big)),
            [0xff, 0xfe, ..] if held.len() == 4 => Form::Wide(2, Some(Order::Little)),
            [0xff] | [0xff, 0xfe] | [0xff, 0xfe, _] | [0xfe] => return,
            [0] | [0, 0] | [0, 0, 0xfe] => return,
            _ => Form::Narrow,
        };
        let (held, count) = (self.held, usize::from(self.count));
        (self.form, self.count) = (form, 0);
        self.decode(held.get(..count).unwrap_or_default(), out);
    }

    /// Adds a byte to those that are held, fewer than four.
    fn hold(&mut self, byte: u8) -> &[u8] {
        if let Some(place) = self.held.get_mut(usize::from(self.count)) {
            *place = byte;
            self.count += 1;
        }
        self.held.get(..usize::from(self.count)).unwrap_or_default()
    }

    /// Takes a byte of a unit.
    fn wide(&mut self, byte: u8, width: u8, order: Option<Order>, out: &mut Vec<u8>) {
        let unit = self.hold(byte);
        if unit.len() < usize::from(width) {
            return;
        }
        let order = order.unwrap_or(match *unit {
            [0xff, 0xfe] | [0xff, 0xfe, 0, 0] | [1..=255, 0] | [1..=255, .., 0] => Order::Little,
            _ => Order::Big,
        });
        let unit = match order {
            Order::Big => unit.iter().fold(0_u32, |unit, &byte| unit << 8 | u32::from(byte)),
            Order::Little => unit.iter().rfold(0, |unit, &byte| unit << 8 | u32::from(byte)),
        };
        (self.form, self.count) = (Form::Wide(width, Some(order)), 0);
        match u16::try_from(unit) {
            Ok(unit) => self.unit(unit, out),
            Err(_) => push(char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER), out),
        }
    }

    /// Takes a unit of UTF-16.
    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        let units: &[u16] = match (self.high.take(), unit) {
            (None, 0xd800..0xdc00) => return self.high = Some(unit),
            (Some(high), _) => &[high, unit],
            (None, _) => &[unit],
        };
        for char in char::decode_utf16(units.iter().copied()) {
            let char = char.unwrap_or(char::REPLACEMENT_CHARACTER);
            if char != '\u{feff}' {
                push(char, out);
            }
        }
    }

    /// Takes a byte of UTF-7: ASCII, or UTF-16 in base64 between a plus sign and the first byte
    /// that is not in its alphabet; a dash there is dropped, and `+-` is a plus sign.
    fn seven(&mut self, byte: u8, out: &mut Vec<u8>) {
        let Some(count) = self.shifted else {
            match byte {
                b'+' => (self.bits, self.shifted, self.is_bare) = (0, Some(0), true),
                _ => out.push(byte),
            }
            return;
        };
        let is_bare = std::mem::take(&mut self.is_bare);
        let sextet = SEXTETS[usize::from(byte)];
        if sextet < 64 {
            self.bits = self.bits << 6 | u32::from(sextet);
            let count = count + 6;
            self.shifted = Some(count % 16);
            if count >= 16 {
                // At most 20 bits are held.
                self.unit((self.bits >> (count - 16)) as u16, out);
            }
            return;
        }
        (self.shifted, self.high) = (None, None);
        match byte {
            b'-' if is_bare => out.push(b'+'),
            b'-' => {}
            _ => self.seven(byte, out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(decoder: &Decoder, pieces: &[&[u8]]) -> String {
        let (mut decoder, mut out) = (decoder.clone(), Vec::new());
        pieces.iter().for_each(|piece| decoder.decode(piece, &mut out));
        String::from_utf8_lossy(&out).into_owned()
    }

    fn every_cut(decoder: &Decoder, bytes: &[u8], want: &str) {
        for cut in 0..=bytes.len() {
            let (a, b) = bytes.split_at(cut);
            assert_eq!(decode(decoder, &[a, b]), want, "cut at {cut}: {bytes:02x?}");
        }
    }

    #[test]
    fn utf16_and_utf32_are_decoded() {
        let text = "a\u{1f600}.example";
        let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
        let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big4: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect();
        let little4: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let marked = [&[0xff, 0xfe][..], &little].concat();
        let marked4 = [&[0xff, 0xfe, 0, 0][..], &little4].concat();
        for (name, bytes) in [
            ("utf-16be", &big),
            ("utf-16le", &little),
            ("utf-16", &marked),
            ("utf-16", &little),
            ("UTF-16", &big),
            ("utf-32be", &big4),
            ("utf-32le", &little4),
            ("utf-32", &marked4),
            ("utf-32", &little4),
            ("UTF-32", &big4),
        ] {
            every_cut(&Decoder::new(Charset::named(name.as_bytes())).unwrap(), bytes, text);
        }
        for (mark, bytes) in [
            (&[0xff, 0xfe][..], &little),
            (&[0xfe, 0xff], &big),
            (&[0xff, 0xfe, 0, 0], &little4),
            (&[0, 0, 0xfe, 0xff], &big4),
        ] {
            every_cut(&Decoder::marked(mark).unwrap(), &[mark, bytes].concat(), text);
        }
        let unmarked = b"\xff\xfdabc";
        every_cut(&Decoder::marked(unmarked).unwrap(), unmarked, "\u{fffd}\u{fffd}abc");
        assert!(Decoder::marked(b"abc").is_none());
        let mut out = Vec::new();
        Charset::Wide(2, Some(Order::Big)).append(&[0xd8, 0, 0, b'a'], &mut out);
        assert_eq!(String::from_utf8_lossy(&out), "\u{fffd}a");
    }

    /// The examples of RFC 2152, and more.
    #[test]
    fn utf7_is_decoded() {
        let seven = Decoder::new(Charset::Utf7).unwrap();
        for (text, want) in [
            ("A+ImIDkQ.", "A≢Α."),
            ("Hi Mom -+Jjo--!", "Hi Mom -☺-!"),
            ("+ZeVnLIqe-", "日本語"),
            ("Item 3 is +AKM-1.", "Item 3 is £1."),
            ("1 +- 1", "1 + 1"),
            ("a+AEA-b.example", "a@b.example"),
            ("+AGg-ttp:+AC8ALw-b.example/x", "http://b.example/x"),
            ("+2D3eAA-.", "😀."),
            ("a+", "a"),
        ] {
            every_cut(&seven, text.as_bytes(), want);
        }
    }

    proptest! {
        #[test]
        fn cuts_change_nothing(bytes in prop::collection::vec(any::<u8>(), 0..24), cut in 0..24_usize) {
            let cut = cut.min(bytes.len());
            for decoder in [
                Decoder::new(Charset::Wide(2, None)).unwrap(),
                Decoder::new(Charset::Wide(4, None)).unwrap(),
                Decoder::new(Charset::Utf7).unwrap(),
                Decoder::of(Form::Unknown),
            ] {
                let (a, b) = bytes.split_at(cut);
                prop_assert_eq!(decode(&decoder, &[a, b]), decode(&decoder, &[&bytes]));
            }
        }
    }
}
