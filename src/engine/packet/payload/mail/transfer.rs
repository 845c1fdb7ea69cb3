//! Transfer encodings, decoded as they stream: base64 and quoted-printable (RFC 2045, section 6),
//! uuencode (POSIX), and those that leave the bytes unchanged.
//!
//! All are parsed leniently, as mail programs do: what does not belong to an encoding is skipped,
//! or taken literally. Trailing blanks of quoted-printable lines are kept, as most programs keep
//! them.

use super::uu::Uu;
use crate::engine::progress::{Walk, bound};

/// Decoded bytes that are passed on at a time.
const PIECE: usize = bound(1 << 10, 32);

/// The value of bytes that are not in the base64 alphabet, and of the padding.
const OTHER: u8 = 0xff;
const PADDING: u8 = 0xfe;

/// The value of each byte in base64; above 63 for other bytes.
pub(super) static SEXTETS: [u8; 256] = {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [OTHER; 256];
    let mut at = 0;
    while at < alphabet.len() {
        table[alphabet[at] as usize] = at as u8;
        at += 1;
    }
    table[b'=' as usize] = PADDING;
    table
};

/// How the bytes of a part are encoded.
#[derive(Debug, Default)]
pub(super) enum Transfer {
    /// `7bit`, `8bit`, `binary`, and unknown ones.
    #[default]
    Plain,
    Base64(Base64),
    Quoted(Quoted),
    Uu(Box<Uu>),
}

impl Transfer {
    /// The encoding with a name, as in Content-Transfer-Encoding.
    pub(super) fn named(name: &[u8]) -> Transfer {
        let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()));
        if is(&["base64"]) {
            Transfer::Base64(Base64::default())
        } else if is(&["quoted-printable"]) {
            Transfer::Quoted(Quoted::default())
        } else if is(&["x-uuencode", "uuencode", "x-uue", "uue"]) {
            Transfer::Uu(Box::default())
        } else {
            Transfer::Plain
        }
    }

    /// Whether it leaves the bytes unchanged.
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Transfer::Plain)
    }

    /// Continues decoding after the padding of base64, as some programs do: for text, where
    /// decoding other bytes does no harm.
    pub(super) fn go_on(&mut self) {
        if let Transfer::Base64(base64) = self {
            base64.goes_on = true;
        }
    }

    pub(super) fn weight(&self) -> usize {
        if let Transfer::Uu(uu) = self { size_of::<Uu>() + uu.weight() } else { 0 }
    }

    /// Decodes the next bytes.
    pub(super) fn decode(&mut self, data: &[u8], take: &mut dyn FnMut(&[u8])) {
        match self {
            Transfer::Plain => take(data),
            Transfer::Base64(base64) => base64.decode(data, take),
            Transfer::Quoted(quoted) => quoted.decode(data, take),
            Transfer::Uu(uu) => {
                uu.decode(data, take);
            }
        }
    }

    /// Bytes are missing: decoding continues at the next certain position.
    pub(super) fn gap(&mut self) {
        match self {
            Transfer::Plain => {}
            Transfer::Base64(base64) => {
                (base64.bits, base64.count, base64.skips_line) = (0, 0, true);
            }
            Transfer::Quoted(quoted) => *quoted = Quoted::Text,
            Transfer::Uu(uu) => uu.gap(),
        }
    }

    /// Decodes an incomplete group at the end.
    pub(super) fn finish(&mut self, take: &mut dyn FnMut(&[u8])) {
        match self {
            Transfer::Base64(base64) => base64.finish(take),
            Transfer::Quoted(Quoted::Hex(digit)) => take(&[b'=', *digit]),
            _ => {}
        }
        if let Transfer::Quoted(quoted) = self {
            *quoted = Quoted::Text;
        }
    }
}

/// Receiver of decoded bytes.
pub(super) struct Out<'a> {
    bytes: [u8; PIECE],
    length: usize,
    take: &'a mut dyn FnMut(&[u8]),
}

impl<'a> Out<'a> {
    pub(super) fn new(take: &'a mut dyn FnMut(&[u8])) -> Self {
        Out { bytes: [0; PIECE], length: 0, take }
    }

    pub(super) fn push(&mut self, byte: u8) {
        if self.length == PIECE {
            self.flush();
        }
        if let Some(place) = self.bytes.get_mut(self.length) {
            *place = byte;
            self.length += 1;
        }
    }

    /// Takes bytes unchanged. Few of them are passed on together with their neighbours.
    fn all(&mut self, bytes: &[u8]) {
        if bytes.len() < PIECE / 4 {
            if bytes.len() > PIECE - self.length {
                self.flush();
            }
            let end = self.length + bytes.len();
            if let Some(place) = self.bytes.get_mut(self.length..end) {
                place.copy_from_slice(bytes);
                self.length = end;
            }
        } else {
            self.flush();
            (self.take)(bytes);
        }
    }

    pub(super) fn flush(&mut self) {
        if let Some(bytes) = self.bytes.get(..self.length)
            && !bytes.is_empty()
        {
            (self.take)(bytes);
        }
        self.length = 0;
    }
}

/// An incomplete group of base64.
#[derive(Debug, Default)]
pub(super) struct Base64 {
    bits: u32,
    count: u8,
    /// The padding was seen: what follows is something else (RFC 2045, 6.8).
    is_over: bool,
    /// The padding does not end it.
    goes_on: bool,
    /// Bytes were lost. All programs send lines of whole groups, so the next line begins with
    /// one.
    skips_line: bool,
}

impl Base64 {
    fn decode(&mut self, data: &[u8], take: &mut dyn FnMut(&[u8])) {
        if self.is_over {
            return;
        }
        let mut data = data;
        if self.skips_line {
            let Some(end) = memchr::memchr(b'\n', data) else { return };
            data = data.get(end + 1..).unwrap_or_default();
            self.skips_line = false;
        }
        let mut out = Out::new(take);
        for &byte in data {
            let sextet = SEXTETS[usize::from(byte)];
            if sextet < 64 {
                self.bits = self.bits << 6 | u32::from(sextet);
                self.count += 1;
                if self.count == 4 {
                    let [_, a, b, c] = self.bits.to_be_bytes();
                    out.push(a);
                    out.push(b);
                    out.push(c);
                    (self.bits, self.count) = (0, 0);
                }
            } else if sextet == PADDING && self.count >= 2 {
                self.rest(&mut out);
                if !self.goes_on {
                    self.is_over = true;
                    break;
                }
            }
        }
        out.flush();
    }

    fn finish(&mut self, take: &mut dyn FnMut(&[u8])) {
        let mut out = Out::new(take);
        self.rest(&mut out);
        out.flush();
    }

    /// The bytes of an incomplete group.
    fn rest(&mut self, out: &mut Out<'_>) {
        let bits = self.bits << (6 * (4 - u32::from(self.count.min(4))));
        let [_, a, b, _] = bits.to_be_bytes();
        if self.count >= 2 {
            out.push(a);
        }
        if self.count >= 3 {
            out.push(b);
        }
        (self.bits, self.count) = (0, 0);
    }
}

/// The position in quoted-printable text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Quoted {
    #[default]
    Text,
    /// After an equals sign.
    Equals,
    /// After it and the first of two digits.
    Hex(u8),
    /// After it and blanks: perhaps before a soft line break.
    Blank,
    /// The same, before the LF.
    Break,
}

impl Quoted {
    fn decode(&mut self, data: &[u8], take: &mut dyn FnMut(&[u8])) {
        let mut out = Out::new(take);
        let mut walk = Walk::over(data);
        while let Some((rest, &byte)) = walk.rest().and_then(|rest| Some((rest, rest.first()?))) {
            if *self == Quoted::Text {
                let at = memchr::memchr(b'=', rest);
                out.all(rest.get(..at.unwrap_or(rest.len())).unwrap_or(rest));
                if at.is_some() {
                    *self = Quoted::Equals;
                }
                walk.take(at.map_or(rest.len(), |at| at + 1));
            } else {
                walk.take(usize::from(self.next(byte, &mut out)));
            }
        }
        out.flush();
    }

    /// Takes a byte after an equals sign. False if the byte is text.
    fn next(&mut self, byte: u8, out: &mut Out<'_>) -> bool {
        match (*self, byte) {
            (Quoted::Equals, b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') => *self = Quoted::Hex(byte),
            (Quoted::Equals | Quoted::Blank, b'\r') => *self = Quoted::Break,
            (Quoted::Equals | Quoted::Blank | Quoted::Break, b'\n') => *self = Quoted::Text,
            (Quoted::Equals | Quoted::Blank, b' ' | b'\t') => *self = Quoted::Blank,
            (Quoted::Hex(high), _) => {
                *self = Quoted::Text;
                let Some(value) = hex(high).zip(hex(byte)) else {
                    out.push(b'=');
                    out.push(high);
                    return false;
                };
                out.push(value.0 << 4 | value.1);
            }
            (Quoted::Break | Quoted::Text, _) => {
                *self = Quoted::Text;
                return false;
            }
            (Quoted::Equals | Quoted::Blank, _) => {
                out.push(b'=');
                if *self == Quoted::Blank {
                    out.push(b' ');
                }
                *self = Quoted::Text;
                return false;
            }
        }
        true
    }
}

/// The value of a hex digit.
pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::Engine as _;
    use proptest::prelude::*;

    fn decode(name: &str, pieces: &[&[u8]]) -> Vec<u8> {
        let mut transfer = Transfer::named(name.as_bytes());
        let mut all = Vec::new();
        for piece in pieces {
            transfer.decode(piece, &mut |bytes| all.extend_from_slice(bytes));
        }
        transfer.finish(&mut |bytes| all.extend_from_slice(bytes));
        all
    }

    fn every_cut(name: &str, text: &[u8], want: &[u8]) {
        for cut in 0..=text.len() {
            let (a, b) = text.split_at(cut);
            assert_eq!(decode(name, &[a, b]), want, "{name} cut at {cut}");
        }
    }

    #[test]
    fn quoted_printable_is_decoded() {
        every_cut("Quoted-Printable", b"a=3Db=\r\nc= \t\r\nd=\ne=4", b"a=bcde=4");
        every_cut("quoted-printable", b"=c3=A4=zz== =41=4g=\rx", "ä=zz== A=4gx".as_bytes());
    }

    #[test]
    fn base64_is_decoded() {
        every_cut("BASE64", b"aGFs\r\nbG8=\r\nfooter here", b"hallo");
        every_cut("base64", b"=aGFsbG8", b"hallo");
        every_cut("base64", b"aGFsbA", b"hall");
        every_cut("7bit", b"a=3D", b"a=3D");
    }

    #[test]
    fn what_follows_a_gap() {
        for (name, pieces, want) in [
            ("base64", [&b"aGFs\r\nbG8"[..], b"FsbG8\r\nIGFs\r\n"], &b"hal al"[..]),
            ("base64", [b"aGFs\r\nbG", b"no line end"], b"hal"),
            ("quoted-printable", [b"a=3", b"db=3Dc"], b"adb=c"),
            ("uuencode", [b"begin 644 a\r\n#0V", b"%T\r\n#0V%T\r\n"], b"Cat"),
        ] {
            let (mut transfer, mut all) = (Transfer::named(name.as_bytes()), Vec::new());
            transfer.decode(pieces[0], &mut |bytes| all.extend_from_slice(bytes));
            transfer.gap();
            transfer.decode(pieces[1], &mut |bytes| all.extend_from_slice(bytes));
            transfer.finish(&mut |bytes| all.extend_from_slice(bytes));
            assert_eq!(String::from_utf8_lossy(&all), String::from_utf8_lossy(want), "{name}");
        }
    }

    proptest! {
        #[test]
        fn base64_like_the_crate(
            data in proptest::collection::vec(any::<u8>(), 0..3000),
            width in 1..90_usize,
        ) {
            let text = base64::engine::general_purpose::STANDARD.encode(&data);
            let lines: Vec<&[u8]> = text.as_bytes().chunks(width).collect();
            let wrapped = lines.join(&b"\r\n"[..]);
            prop_assert_eq!(&decode("base64", &[&wrapped]), &data);
            let bytes: Vec<&[u8]> = wrapped.chunks(7).collect();
            prop_assert_eq!(&decode("base64", &bytes), &data);
        }
    }
}
