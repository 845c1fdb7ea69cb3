//! Syslog frames in a stream of bytes, delimited according to how each begins.
//!
//! Senders to the same port do not agree: a frame is counted (`17 <34>1 …`, RFC 6587 and 5425), or
//! a line that ends in LF or in NUL, with or without a priority. A single connection may use all of
//! them. So each frame is detected: a number of at most seven digits, a space and `<` is a count;
//! everything else is a line.

use crate::engine::progress::{Walk, bound};
use memchr::memchr2;

/// The longest frame, in bytes: a longer line is cut, and a larger count ends the connection.
pub const MAX_FRAME: usize = bound(1 << 20, 64);

/// The maximum number of digits of a count.
const MAX_DIGITS: usize = 7;

/// How a frame was delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Framing {
    /// A count before it.
    Counted,
    /// LF after it, or the end of the connection.
    Line,
    /// NUL after it.
    Nul,
}

/// A frame, without its delimiter and without a line break at its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Frame<'b> {
    /// Its bytes. Never empty.
    pub bytes: &'b [u8],
    /// How it was delimited.
    pub framing: Framing,
    /// Whether it was longer than [`MAX_FRAME`], and was cut.
    pub is_cut: bool,
}

/// An implausible count: the connection has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidCount(pub u64);

/// Finds frames in a stream that arrives in pieces. How they are split makes no difference.
#[derive(Clone, Debug, Default)]
pub struct Framer {
    /// The beginning of an incomplete frame, from its first byte.
    kept: Vec<u8>,
    /// The number of its bytes without a delimiter.
    searched: usize,
    /// In a line that was cut: everything up to its end is skipped.
    is_skipping: bool,
    /// Counts are not recognised.
    is_of_lines: bool,
}

/// What the bytes at the beginning of a frame are.
enum Beginning {
    /// Too few bytes to decide.
    Unknown,
    /// The number of bytes in the count, and in the frame.
    Counted(usize, usize),
    Line,
    Invalid(u64),
}

impl Framer {
    /// A framer for lines only: no frame is counted.
    pub fn of_lines() -> Framer {
        Framer { is_of_lines: true, ..Framer::default() }
    }

    /// Adds a piece; passes on each frame that is complete now.
    ///
    /// # Errors
    ///
    /// If a count is implausible. What came before it was passed on; the frames after it can't be
    /// found.
    pub fn push(
        &mut self,
        piece: &[u8],
        mut each: impl FnMut(Frame<'_>),
    ) -> Result<(), InvalidCount> {
        if self.kept.is_empty() {
            let used = self.take_frames(piece, &mut each)?;
            self.kept.extend_from_slice(piece.get(used..).unwrap_or_default());
            return Ok(());
        }
        // Only the beginning of one frame is kept: no byte is moved more than twice.
        let mut kept = std::mem::take(&mut self.kept);
        kept.extend_from_slice(piece);
        let used = self.take_frames(&kept, &mut each)?;
        kept.drain(..used);
        self.kept = kept;
        Ok(())
    }

    /// Ends the stream: passes on the last line if it has no end. An incomplete counted frame is
    /// passed on, too, marked as cut.
    pub fn finish(&mut self, mut each: impl FnMut(Frame<'_>)) {
        let kept = std::mem::take(&mut self.kept);
        self.searched = 0;
        if std::mem::take(&mut self.is_skipping) {
            return;
        }
        match self.beginning(&kept) {
            Beginning::Counted(head, _) => {
                give(&kept[head..], Framing::Counted, true, &mut each);
            }
            _ => give(&kept, Framing::Line, false, &mut each),
        }
    }

    /// How many bytes are waiting for the rest of their frame.
    pub fn pending(&self) -> usize {
        self.kept.len()
    }

    /// Passes on the frames in `bytes`; returns how many bytes are done.
    fn take_frames(
        &mut self,
        bytes: &[u8],
        each: &mut impl FnMut(Frame<'_>),
    ) -> Result<usize, InvalidCount> {
        let mut walk = Walk::over(bytes);
        while let Some(rest) = walk.rest() {
            let Some(used) = self.take_frame(rest, each)? else { break };
            walk.take(used);
        }
        Ok(walk.at())
    }

    /// Passes on the frame at the beginning; returns its length, or `None` if it is incomplete.
    fn take_frame(
        &mut self,
        rest: &[u8],
        each: &mut impl FnMut(Frame<'_>),
    ) -> Result<Option<usize>, InvalidCount> {
        if self.is_skipping {
            let end = memchr2(b'\n', 0, rest);
            self.is_skipping = end.is_none();
            return Ok(Some(end.map_or(rest.len(), |end| end + 1)));
        }
        // Empty lines, and what some senders write after a counted frame.
        if matches!(rest.first(), Some(b'\n' | b'\r' | 0)) {
            return Ok(Some(1));
        }
        match self.beginning(rest) {
            Beginning::Unknown => Ok(None),
            Beginning::Invalid(count) => Err(InvalidCount(count)),
            Beginning::Counted(head, length) => {
                let Some(frame) = rest.get(head..head + length) else { return Ok(None) };
                give(frame, Framing::Counted, false, each);
                Ok(Some(head + length))
            }
            Beginning::Line => Ok(self.take_line(rest, each)),
        }
    }

    fn beginning(&self, bytes: &[u8]) -> Beginning {
        if self.is_of_lines { Beginning::Line } else { beginning(bytes) }
    }

    fn take_line(&mut self, rest: &[u8], each: &mut impl FnMut(Frame<'_>)) -> Option<usize> {
        let from = self.searched.min(rest.len());
        let found = memchr2(b'\n', 0, &rest[from..]).map(|at| from + at);
        self.searched = 0;
        match found.filter(|&end| end <= MAX_FRAME) {
            Some(end) => {
                let framing = if rest[end] == 0 { Framing::Nul } else { Framing::Line };
                give(&rest[..end], framing, false, each);
                Some(end + 1)
            }
            None if rest.len() > MAX_FRAME => {
                self.is_skipping = true;
                give(&rest[..MAX_FRAME], Framing::Line, true, each);
                Some(MAX_FRAME)
            }
            None => {
                self.searched = rest.len();
                None
            }
        }
    }
}

/// Passes on a frame without the line break at its end, unless it is empty.
fn give(bytes: &[u8], framing: Framing, is_cut: bool, each: &mut impl FnMut(Frame<'_>)) {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
    if !bytes.is_empty() {
        each(Frame { bytes, framing, is_cut });
    }
}

fn beginning(bytes: &[u8]) -> Beginning {
    if !matches!(bytes.first(), Some(b'1'..=b'9')) {
        return Beginning::Line;
    }
    let digits = bytes.iter().take(MAX_DIGITS + 1).take_while(|b| b.is_ascii_digit()).count();
    match (digits <= MAX_DIGITS, bytes.get(digits), bytes.get(digits + 1)) {
        (false, _, _) => Beginning::Line,
        (true, None, _) | (true, Some(b' '), None) => Beginning::Unknown,
        (true, Some(b' '), Some(b'<')) => {
            let digits_of = bytes[..digits].iter();
            let count = digits_of.fold(0, |count, digit| 10 * count + u64::from(digit - b'0'));
            match usize::try_from(count).ok().filter(|&count| count <= MAX_FRAME) {
                Some(length) => Beginning::Counted(digits + 1, length),
                None => Beginning::Invalid(count),
            }
        }
        _ => Beginning::Line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stopwatch;
    use proptest::prelude::*;
    use std::time::Duration;

    type Outcome = (Vec<(Vec<u8>, Framing, bool)>, Option<InvalidCount>);

    fn frames<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Outcome {
        let (mut framer, mut found) = (Framer::default(), Vec::new());
        let mut each = |frame: Frame<'_>| {
            found.push((frame.bytes.to_vec(), frame.framing, frame.is_cut));
        };
        for piece in pieces {
            if let Err(invalid) = framer.push(piece, &mut each) {
                return (found, Some(invalid));
            }
        }
        framer.finish(&mut each);
        (found, None)
    }

    /// The slow reference: the whole stream at once, a byte at a time.
    fn slow(mut bytes: &[u8]) -> Outcome {
        let mut found = Vec::new();
        let mut give = |frame: &[u8], framing, is_cut| {
            let mut frame = frame.to_vec();
            if frame.last() == Some(&b'\n') {
                frame.pop();
            }
            if frame.last() == Some(&b'\r') {
                frame.pop();
            }
            if !frame.is_empty() {
                found.push((frame, framing, is_cut));
            }
        };
        let counted = regex::bytes::Regex::new("^([1-9][0-9]{0,6}) <").unwrap();
        while !bytes.is_empty() {
            if [b'\n', b'\r', 0].contains(&bytes[0]) {
                bytes = &bytes[1..];
                continue;
            }
            let count = counted.captures(bytes);
            if let Some(count) = count {
                let number = &count[1];
                let length: usize = str::from_utf8(number).unwrap().parse().unwrap();
                if length > MAX_FRAME {
                    return (found, Some(InvalidCount(length as u64)));
                }
                let rest = &bytes[number.len() + 1..];
                give(&rest[..length.min(rest.len())], Framing::Counted, rest.len() < length);
                bytes = &rest[length.min(rest.len())..];
                continue;
            }
            let end = bytes.iter().position(|&b| b == b'\n' || b == 0);
            let line = &bytes[..end.unwrap_or(bytes.len())];
            let framing = match end {
                Some(end) if bytes[end] == 0 && line.len() <= MAX_FRAME => Framing::Nul,
                _ => Framing::Line,
            };
            give(&line[..line.len().min(MAX_FRAME)], framing, line.len() > MAX_FRAME);
            bytes = &bytes[end.map_or(bytes.len(), |end| end + 1)..];
        }
        (found, None)
    }

    fn lines(found: &Outcome) -> Vec<(&str, Framing)> {
        found
            .0
            .iter()
            .map(|(bytes, framing, _)| (str::from_utf8(bytes).unwrap(), *framing))
            .collect()
    }

    #[test]
    fn what_real_senders_write() {
        use Framing::{Counted, Line, Nul};
        // rsyslog over TCP, its octet counting, syslog-ng counting the LF, a NUL, Cisco with CRLF,
        // no priority, and a sender whose text begins with a number.
        let stream = b"<13>Nov 29 10:00:00 h a: one\n\
            27 <13>Nov 29 10:00:00 h a: 2\n\
            22 <13>1 - h a - - - two\n\
            <13>three\0<13>four\r\nfive\n2026-11-29 six\n12 seven\n\n\r\n<1>";
        let found = frames([&stream[..]]);
        let want = [
            ("<13>Nov 29 10:00:00 h a: one", Line),
            ("<13>Nov 29 10:00:00 h a: 2", Counted),
            ("<13>1 - h a - - - two", Counted),
            ("<13>three", Nul),
            ("<13>four", Line),
            ("five", Line),
            ("2026-11-29 six", Line),
            ("12 seven", Line),
            ("<1>", Line),
        ];
        assert_eq!(lines(&found), want);
        assert_eq!(found, slow(stream));
    }

    #[test]
    fn line_breaks_inside_a_counted_frame_are_its_own() {
        let found = frames([&b"8 <1>a\nb\n\n6 <1>"[..], b"c\nd5 <1>ef"]);
        let want = [("<1>a\nb\n", Framing::Counted), ("<1>c\nd", Framing::Counted)];
        assert_eq!(lines(&found)[..2], want);
        assert_eq!(lines(&found)[2], ("<1>ef", Framing::Counted));
    }

    #[test]
    fn invalid_counts_end_the_stream() {
        let stream = b"<1>a\n9999999 <1>b\n<1>c\n";
        let (found, invalid) = frames([&stream[..]]);
        assert_eq!((found.len(), invalid), (1, Some(InvalidCount(9_999_999))));
        // Eight digits are not a count.
        let (found, invalid) = frames([&b"99999999 <1>b\n"[..]]);
        assert_eq!((found.len(), invalid), (1, None));
    }

    #[test]
    fn lines_that_are_too_long_are_cut() {
        for length in [MAX_FRAME - 1, MAX_FRAME, MAX_FRAME + 1, 2 * MAX_FRAME + 7] {
            let stream = [vec![b'x'; length], b"\nnext\n".to_vec()].concat();
            let found = frames(stream.chunks(1000));
            assert_eq!(found.0.len(), 2, "{length}");
            assert_eq!(found.0[0].0.len(), length.min(MAX_FRAME));
            assert_eq!(found.0[0].2, length > MAX_FRAME);
            assert_eq!(found.0[1].0, b"next");
        }
    }

    fn stream() -> impl Strategy<Value = Vec<u8>> {
        let part = prop_oneof![
            Just(b"<13>".to_vec()),
            Just(b"\n".to_vec()),
            Just(b"\0".to_vec()),
            Just(b"\r\n".to_vec()),
            (1..40u32).prop_map(|count| format!("{count} <").into_bytes()),
            (0..20_000_000u32).prop_map(|count| format!("{count} ").into_bytes()),
            "[a-z0-9 <]{0,9}".prop_map(String::into_bytes),
            prop::collection::vec(any::<u8>(), 0..4),
        ];
        prop::collection::vec(part, 0..30).prop_map(|parts| parts.concat())
    }

    #[test]
    fn work_is_linear_byte_by_byte() {
        let watch = Stopwatch::start();
        let long = vec![b'x'; MAX_FRAME - 1];
        let mut stream = Vec::new();
        for frame in [&long[..], &[&long[..], &long].concat()] {
            stream.extend_from_slice(b"<13>");
            stream.extend_from_slice(&frame[4..]);
            stream.push(b'\n');
        }
        stream.extend_from_slice(format!("{} <13>", long.len()).as_bytes());
        stream.extend_from_slice(&long[4..]);
        stream.extend(b"<13>x\n7 <13>abc".repeat(50_000));
        assert!(stream.len() >= 4 << 20);
        let (found, invalid) = frames(stream.chunks(1));
        assert_eq!((found.len(), invalid), (3 + 100_000, None));
        // Far less than quadratic time would take.
        assert!(watch.elapsed() < Duration::from_secs(60), "{:?}", watch.elapsed());
    }

    proptest! {
        #[test]
        fn the_slow_twin_agrees_however_it_is_cut(
            stream in stream(),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
        ) {
            let want = slow(&stream);
            let mut cuts: Vec<usize> = cuts.iter().map(|at| at.index(stream.len() + 1)).collect();
            cuts.sort_unstable();
            let mut pieces = Vec::new();
            let mut from = 0;
            for cut in cuts.into_iter().chain([stream.len()]) {
                pieces.push(&stream[from..cut]);
                from = cut;
            }
            prop_assert_eq!(&frames(pieces), &want);
            prop_assert_eq!(&frames(stream.chunks(1)), &want);
        }
    }
}
