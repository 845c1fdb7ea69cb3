//! Text in pcapng blocks: systemd journal entries, comments, and resolved names.
//!
//! All of it is converted to lines of text, to be searched like lines of a log. A journal entry
//! becomes a JSON object, as written by `journalctl --output=json`, so that its fields and its time
//! are parsed the same way. Invalid UTF-8 is removed from values.

use super::endian::Endian;
use super::item::Written;
use crate::engine::progress::{Walk, bound};
use std::fmt::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

const COMMENT: u16 = 1;

/// Where the body of a block begins, after its type and length.
const BODY: usize = 8;

/// The maximum number of fields of a journal entry that are read.
const MAX_FIELDS: usize = bound(4096, 8);

/// A text in a capture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note<'a> {
    /// The number of its packet; a journal entry has its own number, as in Wireshark.
    pub number: u64,
    /// Microseconds since 1970-01-01T00:00:00Z of the packet that it is about, if any.
    pub time: Option<i64>,
    /// The offset of its block, from the first byte of the capture.
    pub offset: u64,
    pub(super) kind: Written,
    pub(super) block: &'a [u8],
}

impl Note<'_> {
    /// Appends its lines, each with a line break.
    pub fn append(&self, out: &mut String) {
        match self.kind {
            Written::Journal => journal(self.block.get(BODY..).unwrap_or_default(), out),
            Written::Names(endian) => {
                let end = names(self.block, endian, out);
                comments(self.block.get(end..).unwrap_or_default(), endian, out);
            }
            Written::Options(endian, at) => {
                comments(self.block.get(at as usize..).unwrap_or_default(), endian, out);
            }
        }
    }
}

/// Whether there is a comment among options.
pub(super) fn has_comment(options: &[u8], endian: Endian) -> bool {
    Options { rest: options, endian }.any(|(code, _)| code == COMMENT)
}

/// Codes and values of options, up to the last one.
struct Options<'a> {
    rest: &'a [u8],
    endian: Endian,
}

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let (code, length) = (self.endian.u16(self.rest, 0)?, self.endian.u16(self.rest, 2)?);
        let length = usize::from(length);
        let value = self.rest.get(4..4 + length).filter(|_| code != 0)?;
        self.rest = self.rest.get(4 + length.next_multiple_of(4)..).unwrap_or_default();
        Some((code, value))
    }
}

fn comments(options: &[u8], endian: Endian, out: &mut String) {
    let all = Options { rest: options, endian };
    all.filter(|&(code, _)| code == COMMENT).for_each(|(_, value)| line(value, out));
}

/// Text of one line or more, without anything that would end a C string.
fn line(text: &[u8], out: &mut String) {
    let end = memchr::memchr(0, text).unwrap_or(text.len());
    let text = String::from_utf8_lossy(text.get(..end).unwrap_or_default());
    if !text.is_empty() {
        out.push_str(&text);
        out.push('\n');
    }
}

/// A name record: `192.0.2.1 a.example b.example`. Returns where the options begin.
fn names(block: &[u8], endian: Endian, out: &mut String) -> usize {
    let mut at = BODY;
    // Each record consumes at least its head.
    while let (Some(kind), Some(length)) = (endian.u16(block, at), endian.u16(block, at + 2)) {
        let length = usize::from(length);
        let Some(value) = block.get(at + 4..at + 4 + length) else { break };
        at += 4 + length.next_multiple_of(4);
        let names = match (kind, value.first_chunk::<4>(), value.first_chunk::<16>()) {
            (0, ..) => break,
            (1, Some(bytes), _) => {
                // Writing to a string never fails.
                let _ = write!(out, "{}", Ipv4Addr::from(*bytes));
                value.get(4..)
            }
            (2, _, Some(bytes)) => {
                let _ = write!(out, "{}", Ipv6Addr::from(*bytes));
                value.get(16..)
            }
            _ => continue,
        };
        for name in names.unwrap_or_default().split(|&byte| byte == 0) {
            if !name.is_empty() {
                out.push(' ');
                out.push_str(&String::from_utf8_lossy(name));
            }
        }
        out.push('\n');
    }
    at
}

/// An entry in the journal's export format: `NAME=value`, or only a name, the value's length in
/// eight bytes, and the value. The padding of the block consists of zeros.
fn journal(entry: &[u8], out: &mut String) {
    let mut walk = Walk::over(entry);
    let mut count = 0;
    while let Some(rest) = walk.rest().filter(|rest| !rest.is_empty()) {
        let end = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
        let first = rest.get(..end).unwrap_or_default();
        if first.is_empty() || first.iter().all(|&byte| byte == 0) {
            // Another entry may follow.
            if count > 0 {
                out.push_str("}\n");
            }
            count = 0;
            walk.take(end + 1);
            continue;
        }
        let (name, value, length) = match memchr::memchr(b'=', first) {
            Some(at) => (&first[..at], first.get(at + 1..).unwrap_or_default(), end + 1),
            None => {
                let after = rest.get(end + 1..).unwrap_or_default();
                let size = after.first_chunk().map_or(0, |size| u64::from_le_bytes(*size));
                let after = after.get(8..).unwrap_or_default();
                let size = usize::try_from(size).unwrap_or(usize::MAX).min(after.len());
                (first, &after[..size], (end + 9).saturating_add(size).saturating_add(1))
            }
        };
        if count < MAX_FIELDS {
            out.push_str(if count == 0 { "{" } else { "," });
            string(name, out);
            out.push(':');
            string(value, out);
            count += 1;
        }
        walk.take(length.min(rest.len()));
    }
    if count > 0 {
        out.push_str("}\n");
    }
}

/// A JSON string.
fn string(text: &[u8], out: &mut String) {
    out.push('"');
    for char in String::from_utf8_lossy(text).chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            // Colours and the like, which separate words.
            char if char < ' ' => out.push(' '),
            char => out.push(char),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn text(kind: Written, body: &[u8]) -> String {
        let block = [&[0; BODY], body].concat();
        let mut out = String::new();
        Note { number: 1, time: None, offset: 0, kind, block: &block }.append(&mut out);
        out
    }

    #[test]
    fn entries_of_the_journal() {
        let entry = b"__REALTIME_TIMESTAMP=1795000000000000\nMESSAGE\n\x0b\0\0\0\0\0\0\0\
            to \"a\nb\\c\x1b[\nPRIORITY=6\n\0\0";
        assert_eq!(
            text(Written::Journal, entry),
            "{\"__REALTIME_TIMESTAMP\":\"1795000000000000\",\"MESSAGE\":\"to \\\"a\\nb\\\\c [\",\
             \"PRIORITY\":\"6\"}\n"
        );
        assert_eq!(text(Written::Journal, b"A=b\n\nC=d=e"), "{\"A\":\"b\"}\n{\"C\":\"d=e\"}\n");
        assert_eq!(
            text(Written::Journal, b"A\n\xff\xff\xff\xff\xff\xff\xff\xffx"),
            "{\"A\":\"x\"}\n"
        );
        assert_eq!(text(Written::Journal, b"\0\0\0\0"), "");
    }

    #[test]
    fn names_and_comments() {
        let block = b"\0\x01\0\x0e\xc0\0\x02\x07a.example\0\0\0\
            \0\x01\0\x06\xc0\0\x02\x07x\0\0\0\0\0\0\0\0\x01\0\x07comment\0\0\0\0\0";
        let got = text(Written::Names(Endian::Big), block);
        assert_eq!(got, "192.0.2.7 a.example\n192.0.2.7 x\ncomment\n");
        let v6 = [&b"\x02\0\x12\0"[..], &[0x20, 1], &[0; 13], b"\x09b\0\0\0"].concat();
        assert_eq!(text(Written::Names(Endian::Little), &v6), "2001::9 b\n");
        let options = b"\x02\0\x01\0x\0\0\0\x01\0\x03\0two\0\x01\0\x05\0three\0\0\0\0\0\0\0";
        assert_eq!(text(Written::Options(Endian::Little, 8), options), "two\nthree\n");
        assert!(
            has_comment(options, Endian::Little) && !has_comment(&options[..8], Endian::Little)
        );
    }

    proptest! {
        #[test]
        fn any_bytes(
            body in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..80),
                prop::collection::vec(0_u8..4, 0..80),
                "[A=\\n\"]{0,40}".prop_map(String::into_bytes),
            ],
        ) {
            for kind in [
                Written::Journal,
                Written::Names(Endian::Little),
                Written::Options(Endian::Big, 9),
            ] {
                let lines = text(kind, &body);
                prop_assert!(lines.is_empty() || lines.ends_with('\n'));
                if kind == Written::Journal {
                    for line in lines.lines() {
                        let read = serde_json::from_str::<serde_json::Value>(line);
                        prop_assert!(read.is_ok(), "{line:?} of {body:?}");
                    }
                }
            }
        }
    }
}
