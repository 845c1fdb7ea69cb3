//! uuencode (POSIX): `begin MODE NAME`, lines that begin with their length, `end`; or
//! `begin-base64 MODE NAME`, lines of base64, `====`.

use super::transfer::{Out, SEXTETS};
use crate::engine::progress::bound;

/// The longest line before the data that is examined.
pub(super) const MAX_HEAD: usize = bound(512, 64);

/// The contents of the line before the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Begin<'t> {
    pub(super) name: &'t [u8],
    pub(super) is_base64: bool,
}

/// Reads a line that begins uuencoded data.
pub(super) fn begin(line: &[u8]) -> Option<Begin<'_>> {
    let rest = line.strip_prefix(b"begin")?;
    let (is_base64, rest) = match rest.strip_prefix(b"-base64") {
        Some(rest) => (true, rest),
        None => (false, rest),
    };
    let rest = rest.strip_prefix(b" ")?;
    let (mode, name) = rest.split_at_checked(memchr::memchr(b' ', rest)?)?;
    let is_mode = matches!(mode.len(), 3 | 4) && mode.iter().all(|b| (b'0'..b'8').contains(b));
    let name = name.trim_ascii();
    (is_mode && !name.is_empty()).then_some(Begin { name, is_base64 })
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Before its first line.
    #[default]
    Head,
    /// At the beginning of a line.
    Line,
    /// In the data of a line, with this many bytes to come.
    Data(u8),
    /// In the rest of a line.
    Rest,
    Over,
}

/// Uuencoded data in transfer.
#[derive(Debug, Default)]
pub(super) struct Uu {
    state: State,
    head: Vec<u8>,
    bits: u32,
    count: u8,
    /// Only `end` is to come.
    is_last: bool,
    is_base64: bool,
}

impl Uu {
    /// After its first line.
    pub(super) fn begun(is_base64: bool) -> Uu {
        Uu { state: State::Line, is_base64, ..Uu::default() }
    }

    /// Whether a line can be part of its data: nothing, `end`, or no more characters than its
    /// length allows, with a checksum after them.
    pub(super) fn fits(&self, line: &[u8]) -> bool {
        let line = line.trim_ascii_end();
        let Some((&first, data)) = line.split_first() else { return true };
        if self.is_base64 {
            return line.iter().all(|&byte| byte == b'=' || SEXTETS[usize::from(byte)] < 64);
        }
        let max = usize::from(first.wrapping_sub(b' ') & 0x3f).div_ceil(3) * 4 + 2;
        let is_data = line.iter().all(|byte| (b' '..=b'`').contains(byte)) && data.len() <= max;
        is_data || line == b"end"
    }

    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    pub(super) fn weight(&self) -> usize {
        self.head.capacity()
    }

    /// Bytes are missing: decoding continues with the next line.
    pub(super) fn gap(&mut self) {
        if !matches!(self.state, State::Head | State::Over) {
            (self.state, self.bits, self.count) = (State::Rest, 0, 0);
        }
        self.head.clear();
    }

    /// Decodes the next bytes; returns how many belonged to it.
    pub(super) fn decode(&mut self, data: &[u8], take: &mut dyn FnMut(&[u8])) -> usize {
        let mut out = Out::new(take);
        let mut taken = data.len();
        for (at, &byte) in data.iter().enumerate() {
            if self.state == State::Over {
                taken = at;
                break;
            }
            self.next(byte, &mut out);
        }
        out.flush();
        taken
    }

    fn next(&mut self, byte: u8, out: &mut Out<'_>) {
        match (self.state, byte) {
            (State::Over, _) => {}
            (State::Head, b'\n') => {
                if let Some(begin) = begin(&self.head) {
                    (self.state, self.is_base64) = (State::Line, begin.is_base64);
                }
                self.head.clear();
            }
            (State::Head, _) => {
                if self.head.len() < MAX_HEAD {
                    self.head.push(byte);
                }
            }
            _ if self.is_base64 => self.next_of_base64(byte, out),
            (State::Line, b'\r') => {}
            (State::Line | State::Rest | State::Data(_), b'\n') => {
                // Blanks at the end of a line encode zeros, and are often lost in transport.
                while let State::Data(left @ 1..) = self.state {
                    self.bits <<= 6;
                    self.count += 1;
                    if self.count == 4 {
                        self.state = State::Data(self.group(left, out));
                    }
                }
                self.state = if self.is_last && self.state != State::Line {
                    State::Over
                } else {
                    State::Line
                };
                (self.bits, self.count) = (0, 0);
            }
            // An empty data line is the last; the line `end` follows.
            (State::Line, b' ' | b'`') => self.state = State::Rest,
            (State::Line, b'e') => (self.state, self.is_last) = (State::Rest, true),
            (State::Line, b'!'..=b'_') => self.state = State::Data(byte - b' '),
            (State::Line, _) => self.state = State::Rest,
            (State::Data(left), b' '..=b'`') => {
                self.bits = self.bits << 6 | u32::from((byte - b' ') & 0x3f);
                self.count += 1;
                if self.count == 4 {
                    self.state = State::Data(self.group(left, out));
                }
            }
            (State::Data(_) | State::Rest, _) => {}
        }
    }

    /// Takes a byte of a base64 body, whose groups may span lines.
    fn next_of_base64(&mut self, byte: u8, out: &mut Out<'_>) {
        let sextet = SEXTETS[usize::from(byte)];
        match (self.state, byte) {
            (State::Rest, b'\n') if self.is_last => self.state = State::Over,
            (_, b'\n') => self.state = State::Line,
            // `====`
            (State::Line, b'=') => (self.state, self.is_last) = (State::Rest, true),
            (State::Rest, _) => {}
            (_, b'=') if self.count >= 2 => {
                self.bits <<= 6 * (4 - u32::from(self.count));
                self.group(self.count - 1, out);
            }
            _ if sextet < 64 => {
                self.state = State::Data(3);
                self.bits = self.bits << 6 | u32::from(sextet);
                self.count += 1;
                if self.count == 4 {
                    self.group(3, out);
                }
            }
            _ => {}
        }
    }

    /// Passes on the bytes of a group; returns how many are left then.
    fn group(&mut self, left: u8, out: &mut Out<'_>) -> u8 {
        let [_, bytes @ ..] = self.bits.to_be_bytes();
        let count = left.min(3);
        for &byte in bytes.iter().take(usize::from(count)) {
            out.push(byte);
        }
        (self.bits, self.count) = (0, 0);
        left - count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_their_end() {
        // The output of Python's `binascii.b2a_uu`.
        let text = b"x\r\nbegin 644 a b.bin\r\n#0V%T\r\n$  $\" P  \r\n`\r\nend\r\nmore";
        for cut in 0..=text.len() {
            let mut all = Vec::new();
            let mut uu = Uu::default();
            let (a, b) = text.split_at(cut);
            let first = uu.decode(a, &mut |bytes| all.extend_from_slice(bytes));
            let second = uu.decode(b, &mut |bytes| all.extend_from_slice(bytes));
            assert_eq!(all, b"Cat\0\x01\x02\x03", "{cut}");
            assert!(uu.is_over());
            assert_eq!(first + second, text.len() - 4);
        }
        // Without its blanks.
        let (mut uu, mut all) = (Uu::begun(false), Vec::new());
        uu.decode(b"$  $\" P\n`\nend\n", &mut |bytes| all.extend_from_slice(bytes));
        assert_eq!(all, b"\0\x01\x02\x03"[..].to_vec());
        for line in [&b"#0V%T\r"[..], b"#0V%T", b"`", b"end\r", b"", b"$  $\" P", b"#0V%T!"] {
            assert!(uu.fits(line), "{line:?}");
        }
        for line in [&b"#0V%T0V%T"[..], b"see http://a.example/", b"ending", b"`GO ON"] {
            assert!(!uu.fits(line), "{line:?}");
        }
        let found = |is_base64| Some(Begin { name: b"a.exe", is_base64 });
        assert_eq!(begin(b"begin 0644 a.exe\r"), found(false));
        assert_eq!(begin(b"begin-base64 644 a.exe\r"), found(true));
        for line in [
            &b"begin"[..],
            b"begin 644",
            b"begin-base32 644 a",
            b"begin-base64",
            b"begin 888 a",
            b"begin the day",
            b"begins 644 a",
        ] {
            assert_eq!(begin(line), None);
        }
    }
    /// The output of GNU's `uuencode -m`.
    #[test]
    fn lines_of_base64() {
        let text = b"begin-base64 755 a.bin\r\nQ2F0AAEC\r\nAw==\r\n====\r\nmore";
        for cut in 0..=text.len() {
            let (mut uu, mut all) = (Uu::default(), Vec::new());
            let (a, b) = text.split_at(cut);
            let first = uu.decode(a, &mut |bytes| all.extend_from_slice(bytes));
            let second = uu.decode(b, &mut |bytes| all.extend_from_slice(bytes));
            assert_eq!(all, b"Cat\0\x01\x02\x03", "{cut}");
            assert!(uu.is_over());
            assert_eq!(first + second, text.len() - 4);
        }
        let uu = Uu::begun(true);
        for line in [&b"Q2F0AAEC\r\n"[..], b"Aw==", b"====\n", b"\n"] {
            assert!(uu.fits(line), "{line:?}");
        }
        assert!(!uu.fits(b"see http://a.example/"));
    }
}
