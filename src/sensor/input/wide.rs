//! Text in UTF-16 or UTF-32, decoded to UTF-8 (Unicode 16, 3.10).
//!
//! Windows writes logs, reports and registry exports like that. A byte order mark identifies it,
//! otherwise the zeros of mostly ASCII text. All lines, columns and offsets from there on refer to
//! the UTF-8, without the mark.

use std::io::{self, Read};

/// The wide encodings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wide {
    /// UTF-16, little-endian.
    Utf16Le,
    /// UTF-16, big-endian.
    Utf16Be,
    /// UTF-32, little-endian.
    Utf32Le,
    /// UTF-32, big-endian.
    Utf32Be,
}

/// All encodings.
const ALL: [Wide; 4] = [Wide::Utf32Le, Wide::Utf32Be, Wide::Utf16Le, Wide::Utf16Be];

/// The number of characters needed to recognise the encoding by its zeros.
const ENOUGH: usize = 6;

/// The number of characters needed to recognise it by the characters themselves.
const ENOUGH_OF_SCRIPTS: usize = 16;

/// The minimum length of a line of bytes, which distinguishes it from a character or two.
const LEAST_OF_BYTES: usize = 3;

/// The number of text bytes that are enough to recognise a line of bytes, wherever it ends.
const ENOUGH_OF_BYTES: usize = 512;

/// The number of bytes read at a time.
const BLOCK: usize = 32 << 10;

/// Whether it is almost entirely single-byte ASCII: in UTF-16 every other byte of ASCII is zero,
/// and other scripts have few bytes that look like it.
fn is_of_bytes(text: &[u8]) -> bool {
    let text = &text[..text.len().min(512)];
    let ascii = text.iter().filter(|b| b.is_ascii_graphic() || b.is_ascii_whitespace()).count();
    text.len() >= 8 && !text.contains(&0) && ascii * 8 >= text.len() * 7
}

/// Whether a number is that of a character of a living script, or of its punctuation (Unicode 16,
/// by blocks): Latin with accents to Arabic, Indic scripts to Georgian, punctuation and symbols,
/// Japanese, Chinese, Korean, and full-width forms.
fn is_of_script(value: u32) -> bool {
    matches!(
        value,
        0xa0..=0x24f
            | 0x370..=0x6ff
            | 0x900..=0x10ff
            | 0x2010..=0x2044
            | 0x20a0..=0x20c0
            | 0x2100..=0x2122
            | 0x3000..=0x30ff
            | 0x4e00..=0x9fff
            | 0xac00..=0xd7a3
            | 0xff01..=0xffee
    )
}

impl Wide {
    /// The encoding of a text that begins with these bytes, and the length of its mark.
    pub fn of(head: &[u8]) -> Option<(Wide, usize)> {
        match head {
            // This also matches UTF-16 that begins with a mark and NUL, which does not occur in
            // practice.
            [0xff, 0xfe, 0, 0, ..] => Some((Wide::Utf32Le, 4)),
            [0, 0, 0xfe, 0xff, ..] => Some((Wide::Utf32Be, 4)),
            // Two stray bytes before single-byte text are not a mark.
            [0xff, 0xfe, rest @ ..] | [0xfe, 0xff, rest @ ..] if is_of_bytes(rest) => None,
            [0xff, 0xfe, ..] => Some((Wide::Utf16Le, 2)),
            [0xfe, 0xff, ..] => Some((Wide::Utf16Be, 2)),
            // In all of them ASCII has zeros, and single-byte text has none.
            _ if memchr::memchr(0, head).is_none() => None,
            _ => {
                let is = |wide: &Wide| wide.is_unmistakable(head) || wide.is_of_scripts(head);
                ALL.into_iter().find(is).map(|wide| (wide, 0))
            }
        }
    }

    /// The name for people.
    pub const fn name(self) -> &'static str {
        match self {
            Wide::Utf16Le => "UTF-16LE",
            Wide::Utf16Be => "UTF-16BE",
            Wide::Utf32Le => "UTF-32LE",
            Wide::Utf32Be => "UTF-32BE",
        }
    }

    const fn unit(self) -> usize {
        match self {
            Wide::Utf16Le | Wide::Utf16Be => 2,
            Wide::Utf32Le | Wide::Utf32Be => 4,
        }
    }

    /// The number that a complete unit stands for.
    fn value(self, unit: &[u8]) -> u32 {
        let big = unit.iter().fold(0, |value, &byte| value << 8 | u32::from(byte));
        match self {
            Wide::Utf16Be | Wide::Utf32Be => big,
            Wide::Utf16Le => big.swap_bytes() >> 16,
            Wide::Utf32Le => big.swap_bytes(),
        }
    }

    /// Whether almost everything is ASCII text, and at least half of it printable characters:
    /// neither programs nor tables of numbers have so many zeros in the right places.
    fn is_unmistakable(self, head: &[u8]) -> bool {
        let units = head.chunks_exact(self.unit());
        let count = units.len();
        let (mut printed, mut blank) = (0, 0);
        for unit in units {
            match self.value(unit) {
                0x21..=0x7e => printed += 1,
                9 | 10 | 13 | 0x20 => blank += 1,
                _ => {}
            }
        }
        count >= ENOUGH && printed * 2 >= count && (printed + blank) * 10 >= count * 9
    }

    /// Whether everything is UTF-16 text in any script, with some ASCII characters in between:
    /// spaces, digits, line ends. Numbers and programs would contain invalid characters, or scripts
    /// that logs are not written in.
    fn is_of_scripts(self, head: &[u8]) -> bool {
        if self.unit() != 2 {
            return false;
        }
        let units = head.chunks_exact(2);
        let (count, mut ascii, mut low) = (units.len(), 0, 0);
        let mut is_pair = false;
        for unit in units {
            let value = self.value(unit);
            let is_text = match value {
                _ if is_pair => matches!(value, 0xdc00..=0xdfff),
                9 | 10 | 13 | 0x20..=0x7e => {
                    ascii += 1;
                    true
                }
                0xd800..=0xdbff => true,
                _ => is_of_script(value),
            };
            is_pair = !is_pair && matches!(value, 0xd800..=0xdbff);
            low += u32::from(value < 0x100);
            if !is_text {
                return false;
            }
        }
        let is_some = |part: u32| part >= 2 && part as usize * 20 >= count;
        count >= ENOUGH_OF_SCRIPTS && is_some(ascii) && is_some(low)
    }

    /// Whether a line consists of single bytes, all in ASCII, up to a line end of a single byte;
    /// `None` if more bytes are needed to decide. In wide encodings a zero is next to each line
    /// end: before it, or after it if little-endian.
    fn kind_of_line(self, rest: &[u8], is_end: bool) -> Option<bool> {
        let is_text = |byte: &u8| matches!(byte, b'\t' | b'\r' | b' '..=b'~');
        let Some(end) = rest.iter().position(|byte| !is_text(byte)) else {
            return is_end.then_some(rest.len() >= LEAST_OF_BYTES);
        };
        match rest[end..] {
            _ if end < LEAST_OF_BYTES => Some(false),
            [b'\n'] if !is_end => None,
            [b'\n'] => Some(true),
            [b'\n', next, ..] => Some(next != 0 || matches!(self, Wide::Utf16Be | Wide::Utf32Be)),
            _ => Some(false),
        }
    }

    /// Decodes what `wide` yields, after its mark.
    pub(super) fn decode<R: Read>(self, wide: R) -> WideReader<R> {
        WideReader {
            wide: self,
            inner: wide,
            block: Vec::new(),
            kept: 0,
            high: None,
            line: Line::Wide,
            out: Vec::new(),
            at: 0,
            is_over: false,
        }
    }
}

/// Decodes wide characters to UTF-8. Invalid units, such as half of a surrogate pair, become
/// U+FFFD.
pub(super) struct WideReader<R> {
    wide: Wide,
    inner: R,
    block: Vec<u8>,
    /// Bytes at the beginning of the block that don't form a complete unit yet.
    kept: usize,
    /// The first half of a surrogate pair.
    high: Option<u32>,
    line: Line,
    out: Vec<u8>,
    at: usize,
    is_over: bool,
}

impl<R: Read> WideReader<R> {
    /// Reads once, and decodes what arrived.
    fn fill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.at = 0;
        self.block.resize(BLOCK, 0);
        let read = self.inner.read(&mut self.block[self.kept..])?;
        if read == 0 {
            self.is_over = true;
            self.take(self.kept, true);
            if self.high.take().is_some() || self.kept > 0 {
                self.out.extend_from_slice("\u{fffd}".as_bytes());
            }
            return Ok(());
        }
        self.take(self.kept + read, false);
        Ok(())
    }

    /// Decodes this many bytes of the block, as far as possible without those that follow; all of
    /// them if nothing follows.
    fn take(&mut self, filled: usize, is_end: bool) {
        let WideReader { wide, block, high, out, line, kept, .. } = self;
        let mut at = 0;
        loop {
            if *line == Line::Begins {
                *line = match wide.kind_of_line(&block[at..filled], is_end) {
                    None if filled - at < ENOUGH_OF_BYTES => break,
                    None | Some(true) => Line::Bytes,
                    Some(false) => Line::Wide,
                };
            }
            if *line == Line::Bytes {
                let rest = &block[at..filled];
                let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
                out.extend_from_slice(&rest[..end]);
                at += end;
                if end == 0 || rest[end - 1] != b'\n' {
                    break;
                }
                *line = Line::Begins;
                continue;
            }
            let Some(unit) = block.get(at..at + wide.unit()).filter(|_| at + wide.unit() <= filled)
            else {
                break;
            };
            at += unit.len();
            let value = wide.value(unit);
            if value < 0x80 && high.is_none() {
                out.push(value as u8);
                if value == 0xa {
                    *line = Line::Begins;
                }
            } else {
                push(value, wide.unit() == 2, high, out);
            }
        }
        block.copy_within(at..filled, 0);
        *kept = filled - at;
    }
}

/// The position of a reader in a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Line {
    Begins,
    Wide,
    /// Appended by a program that did not use the encoding.
    Bytes,
}

/// Appends what a unit stands for, or keeps it if it is the first half of a pair.
fn push(value: u32, pairs: bool, high: &mut Option<u32>, out: &mut Vec<u8>) {
    let mut append = |value: u32| {
        let character = char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER);
        out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
    };
    if let Some(first) = high.take() {
        if let 0xdc00..=0xdfff = value {
            return append(0x1_0000 + ((first - 0xd800) << 10) + (value - 0xdc00));
        }
        append(first);
    }
    match value {
        0xd800..=0xdbff if pairs => *high = Some(value),
        _ => append(value),
    }
}

impl<R: Read> Read for WideReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        // A block may contain only part of a character.
        while self.at == self.out.len() && !self.is_over {
            self.fill()?;
        }
        let given = buffer.len().min(self.out.len() - self.at);
        buffer[..given].copy_from_slice(&self.out[self.at..self.at + given]);
        self.at += given;
        Ok(given)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A reader that returns a few bytes at a time.
    struct Few<'a>(&'a [u8], usize);

    impl Read for Few<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let given = self.1.min(buffer.len()).min(self.0.len());
            buffer[..given].copy_from_slice(&self.0[..given]);
            self.0 = &self.0[given..];
            Ok(given)
        }
    }

    fn encode(wide: Wide, text: &str) -> Vec<u8> {
        match wide {
            Wide::Utf16Le => text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
            Wide::Utf16Be => text.encode_utf16().flat_map(u16::to_be_bytes).collect(),
            Wide::Utf32Le => text.chars().flat_map(|c| (c as u32).to_le_bytes()).collect(),
            Wide::Utf32Be => text.chars().flat_map(|c| (c as u32).to_be_bytes()).collect(),
        }
    }

    fn decode(wide: Wide, bytes: &[u8], few: usize) -> String {
        let mut text = String::new();
        wide.decode(Few(bytes, few)).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn marks_and_zeros() {
        let line = "2026-11-24 evil.example\r\n";
        for wide in ALL {
            assert_eq!(Wide::of(&encode(wide, line)), Some((wide, 0)), "{wide:?}");
            let marked = encode(wide, &format!("\u{feff}{line}"));
            assert_eq!(Wide::of(&marked), Some((wide, wide.unit())), "{wide:?}");
            // Just enough characters, and one too few.
            assert_eq!(Wide::of(&encode(wide, "abc123")), Some((wide, 0)));
            assert_eq!(Wide::of(&encode(wide, "abc12")), None);
        }
        // Some letters of other scripts do not hide it; a whole text of them needs a mark.
        let mixed = "Gäste: 192.0.2.1 и evil.example";
        assert_eq!(Wide::of(&encode(Wide::Utf16Le, mixed)), Some((Wide::Utf16Le, 0)));
        for wide in [Wide::Utf16Le, Wide::Utf16Be] {
            for text in [
                "только по-русски, без метки",
                "ошибка 17: доступ запрещён",
                "接続に失敗しました 192.0.2.1 を確認\r\n",
                "连接失败，请检查网络设置。 错误 17\n主机名无法解析 evil.example\n",
                "연결 실패: 서버를 찾을 수 없습니다\r\n",
                "Η σύνδεση απέτυχε 17",
            ] {
                assert_eq!(Wide::of(&encode(wide, text)), Some((wide, 0)), "{text}");
                assert_eq!(Wide::of(text.as_bytes()), None, "{text}");
            }
        }
    }

    #[test]
    fn what_is_something_else() {
        let numbers: Vec<u8> = (0..64u16).flat_map(u16::to_le_bytes).collect();
        for head in [
            &b""[..],
            b"plain text, and long enough",
            b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0",
            b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
            b"MZ\x90\0\x03\0\0\0\x04\0\0\0\xff\xff\0\0",
            b" \0 \0 \0 \0 \0 \0 \0 \0 \0",
            b"\xef\xbb\xbfwith its own mark",
            &numbers,
        ] {
            assert_eq!(Wide::of(head), None, "{head:?}");
        }
    }

    #[test]
    fn halves_of_pairs() {
        let units =
            |units: &[u16]| -> Vec<u8> { units.iter().flat_map(|u| u.to_le_bytes()).collect() };
        for (bytes, text) in [
            (units(&[0x61, 0xd83d, 0xde00, 0x62]), "a😀b"),
            (units(&[0xd83d, 0x61]), "\u{fffd}a"),
            (units(&[0xde00, 0x61]), "\u{fffd}a"),
            (units(&[0xd83d, 0xd83d, 0xde00]), "\u{fffd}😀"),
            (units(&[0x61, 0xd83d]), "a\u{fffd}"),
            (b"a\0b".to_vec(), "a\u{fffd}"),
        ] {
            for few in 1..6 {
                assert_eq!(decode(Wide::Utf16Le, &bytes, few), text);
            }
        }
        let wild = [0x61, 0xd83d, 0x11_0000, 0x62].map(u32::to_be_bytes).concat();
        assert_eq!(decode(Wide::Utf32Be, &wild, 3), "a\u{fffd}\u{fffd}b");
    }

    /// Lines of bytes that were appended by a program that did not use the encoding.
    #[test]
    fn lines_of_bytes_between() {
        for wide in [Wide::Utf16Le, Wide::Utf16Be] {
            let own = |text: &str| encode(wide, text);
            for (parts, text) in [
                (
                    vec![own("a\r\n"), b"203.0.113.5 evil.example\n".to_vec()],
                    "a\r\n203.0.113.5 evil.example\n",
                ),
                (vec![own("a\n"), b"odd\r\n".to_vec(), own("b\n")], "a\nodd\r\nb\n"),
                (vec![own("a\n"), b"evil.example".to_vec()], "a\nevil.example"),
                (
                    vec![own("a\n"), b"one two\nthree four\n".to_vec(), own("ж\n")],
                    "a\none two\nthree four\nж\n",
                ),
                (vec![own("連接失敗\n"), own("連接\n"), own("x")], "連接失敗\n連接\nx"),
                (vec![own("\n\n"), own("ab")], "\n\nab"),
            ] {
                for few in [1, 2, 3, 5, 100] {
                    assert_eq!(decode(wide, &parts.concat(), few), text, "{wide:?} {few}");
                }
            }
            let long = "x".repeat(100_000);
            let bytes = [own("a\n"), long.clone().into_bytes(), b"\n".to_vec(), own("b")].concat();
            assert_eq!(decode(wide, &bytes, usize::MAX), format!("a\n{long}\nb"));
        }
    }

    proptest! {
        #[test]
        fn what_was_encoded_comes_back(text in any::<String>(), few in 1usize..40) {
            for wide in ALL {
                prop_assert_eq!(&decode(wide, &encode(wide, &text), few), &text);
            }
        }

        #[test]
        fn any_bytes_are_decoded_as_the_standard_library_does(
            units in proptest::collection::vec(any::<u16>(), 0..60),
            few in 1usize..9,
        ) {
            let bytes: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
            prop_assert_eq!(decode(Wide::Utf16Be, &bytes, few), String::from_utf16_lossy(&units));
        }
    }
}
