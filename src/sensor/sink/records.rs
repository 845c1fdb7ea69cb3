//! Where records end.
//!
//! A record is one line, or in the format for people several, of which all but the first are
//! indented.

/// How many of the first `most` bytes are whole records. `bytes` ends where a record does.
pub(super) fn whole(bytes: &[u8], most: usize) -> usize {
    let is_end = |at: &usize| ends_at(bytes, *at);
    memchr::memrchr_iter(b'\n', &bytes[..most]).find(is_end).map_or(0, |at| at + 1)
}

/// How many records there are. What formats say about the file itself (`#`) is none.
pub(super) fn count(bytes: &[u8]) -> u64 {
    let (mut count, mut start) = (0, 0);
    for at in memchr::memchr_iter(b'\n', bytes).filter(|&at| ends_at(bytes, at)) {
        count += u64::from(bytes[start] != b'#');
        start = at + 1;
    }
    count
}

/// Whether the line break at `at` is the last one of a record. Colour may stand before a blank.
fn ends_at(bytes: &[u8], at: usize) -> bool {
    let rest = bytes.get(at + 1..).unwrap_or_default();
    let colour = rest.strip_prefix(b"\x1b[").and_then(|rest| {
        let end = rest.iter().take(8).position(|&byte| byte == b'm')?;
        rest.get(end + 1..)
    });
    colour.unwrap_or(rest).first() != Some(&b' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_lines_and_what_is_indented_below() {
        let bytes = b"#head\none\ntwo\n\x1b[2m  of two\n\x1b[1;33mthree\n";
        assert_eq!(count(bytes), 3);
        for most in 0..=bytes.len() {
            let want = [0, 6, 10, 27, 40].into_iter().rfind(|end| *end <= most).unwrap();
            assert_eq!(whole(bytes, most), want, "{most}");
        }
        assert_eq!(count(b""), 0);
    }
}
