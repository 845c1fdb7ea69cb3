//! Where a piece of a stream ends.
//!
//! Cuts depend only on the bytes and the position, never on how many bytes had arrived when they
//! were read: a line that is too long is cut at the same byte whether it arrived at once or bit by
//! bit. Only a line that is returned before its line feed has arrived depends on time, and is
//! marked as such.

use super::position::{Ending, Position, Within};
use crate::engine::progress::bound;
use crate::sensor::input::Wide;
use memchr::{memchr, memchr_iter, memrchr};
use std::ops::Range;

/// The longest line that is returned whole, in bytes of the file without its line feed.
pub(super) const MAX_LINE: usize = bound(1 << 20, 64);

/// Fewer NULs than this are part of a line; this many end it.
pub(super) const MIN_NULS: usize = bound(4 << 10, 32);

/// What happens to a line without an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// It waits.
    Waits,
    /// It is the last line.
    IsLast,
    /// Nothing followed for a long time.
    IsFlushed,
}

/// The result of a cut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cutting {
    /// The range of the piece in the bytes; may be empty.
    pub(super) piece: Range<usize>,
    /// The number of lines that end before the piece.
    pub(super) lines_before: u64,
    pub(super) is_rest: bool,
    pub(super) ending: Ending,
    /// How many of the bytes are done.
    pub(super) done: usize,
    /// The number of lines that end in them.
    pub(super) lines: u64,
    pub(super) within: Within,
    /// Skipped bytes, of lines that are too long, and skipped NULs.
    pub(super) skipped: u64,
    pub(super) nuls: u64,
    /// Whether more could be cut from the rest.
    pub(super) has_more: bool,
}

/// Cuts a piece after a position.
pub(super) fn cut(
    within: Within,
    data: &[u8],
    wide: Option<Wide>,
    unfinished: Unfinished,
) -> Cutting {
    let lines = Lines(wide);
    let mut found = Cutting {
        piece: 0..0,
        lines_before: 0,
        is_rest: within == Within::Flushed,
        ending: Ending::Line,
        done: 0,
        lines: 0,
        within,
        skipped: 0,
        nuls: 0,
        has_more: false,
    };
    if within == Within::Skipped {
        let end = lines.next_end(data);
        let skipped = end.unwrap_or_else(|| lines.whole_units(data.len()));
        found.skipped = skipped as u64;
        found.done = skipped;
        if end.is_none() {
            return found;
        }
        (found.lines, found.within) = (1, Within::Start);
    }
    if wide.is_none() {
        let rest = data.get(found.done..).unwrap_or_default();
        let nuls = rest.iter().position(|&byte| byte != 0).unwrap_or(rest.len());
        found.nuls = nuls as u64;
        found.done += nuls;
        if nuls > 0 {
            (found.is_rest, found.within) = (false, Within::Start);
        }
    }
    found.lines_before = found.lines;
    found.piece = found.done..found.done;
    take_plain(&mut found, data, lines);
    take_lines(&mut found, data, lines, unfinished);
    found
}

/// Takes all complete lines at once, if none of them needs a closer look: together they are no
/// longer than a single line may be, and contain no NUL.
fn take_plain(found: &mut Cutting, data: &[u8], lines: Lines) {
    let rest = data.get(found.done..).unwrap_or_default();
    let Some(end) = memrchr(b'\n', rest).map(|at| at + 1) else { return };
    if lines.0.is_some() || end > MAX_LINE || memchr(0, &rest[..end]).is_some() {
        return;
    }
    found.done += end;
    found.piece.end = found.done;
    found.lines += lines.count(&rest[..end]);
    found.within = Within::Start;
}

/// Adds lines to the piece, up to an incomplete one.
fn take_lines(found: &mut Cutting, data: &[u8], lines: Lines, unfinished: Unfinished) {
    loop {
        let rest = data.get(found.done..).unwrap_or_default();
        let is_piece = !found.piece.is_empty();
        if rest.is_empty() {
            return;
        }
        if is_piece && lines.0.is_none() && rest.first() == Some(&0) {
            // NULs between lines are not part of a piece, which has no gaps.
            found.has_more = true;
            return;
        }
        let feed = lines.next_end(rest);
        let line = &rest[..feed.unwrap_or(rest.len()).min(MAX_LINE)];
        let nuls = if lines.0.is_none() { many_nuls(line) } else { None };
        let (end, ending) = match feed {
            _ if nuls.is_some() => (nuls.unwrap_or_default(), Ending::Last),
            Some(end) if end - lines.unit() <= MAX_LINE => (end, Ending::Line),
            Some(_) => (lines.whole_units(MAX_LINE), Ending::Cut),
            None if rest.len() > MAX_LINE => (lines.whole_units(MAX_LINE), Ending::Cut),
            None => match unfinished {
                Unfinished::Waits => return,
                Unfinished::IsLast => (lines.whole_units(rest.len()), Ending::Last),
                Unfinished::IsFlushed => (lines.whole_units(rest.len()), Ending::Flushed),
            },
        };
        if end == 0 {
            return;
        }
        found.done += end;
        found.piece.end = found.done;
        found.ending = ending;
        found.within = match ending {
            Ending::Line => Within::Start,
            Ending::Cut => Within::Skipped,
            Ending::Last | Ending::Flushed => Within::Flushed,
        };
        match ending {
            Ending::Line => found.lines += 1,
            Ending::Cut => {
                found.has_more = true;
                return;
            }
            Ending::Last | Ending::Flushed => {
                found.has_more = nuls.is_some();
                return;
            }
        }
    }
}

/// The position in a line at which enough NULs begin to end it.
fn many_nuls(line: &[u8]) -> Option<usize> {
    // Each such run contains one of these positions in its first half.
    let step = MIN_NULS / 2;
    let places = (step..line.len()).step_by(step).filter(|&at| line.get(at) == Some(&0));
    for at in places {
        let before = line[..at].iter().rev().take_while(|&&byte| byte == 0).count();
        let after = line[at..].iter().take_while(|&&byte| byte == 0).count();
        if before + after >= MIN_NULS {
            return Some(at - before);
        }
    }
    None
}

/// Where lines end, in a given encoding.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines(pub(super) Option<Wide>);

impl Lines {
    /// The size of a unit in bytes.
    pub(super) fn unit(self) -> usize {
        match self.0 {
            None => 1,
            Some(Wide::Utf16Le | Wide::Utf16Be) => 2,
            Some(Wide::Utf32Le | Wide::Utf32Be) => 4,
        }
    }

    /// This many bytes, rounded down to complete units.
    pub(super) fn whole_units(self, len: usize) -> usize {
        len - len % self.unit()
    }

    /// The position after the next line feed.
    pub(super) fn next_end(self, data: &[u8]) -> Option<usize> {
        let unit = self.unit();
        if unit == 1 {
            return memchr(b'\n', data).map(|at| at + 1);
        }
        let is_big = matches!(self.0, Some(Wide::Utf16Be | Wide::Utf32Be));
        memchr_iter(b'\n', data).find_map(|at| {
            let start = at - at % unit;
            let whole = data.get(start..start + unit)?;
            let place = if is_big { unit - 1 } else { 0 };
            let is_feed = at - start == place && whole.iter().filter(|&&b| b != 0).count() == 1;
            is_feed.then_some(start + unit)
        })
    }

    /// The number of lines that end in it.
    pub(super) fn count(self, data: &[u8]) -> u64 {
        if self.unit() == 1 {
            return memchr_iter(b'\n', data).count() as u64;
        }
        let (mut count, mut rest) = (0, data);
        while let Some(end) = self.next_end(rest) {
            count += 1;
            rest = rest.get(end..).unwrap_or_default();
        }
        count
    }
}

impl Position {
    /// The position after a cut, without its content.
    pub(super) fn moved(&self, cutting: &Cutting) -> Position {
        Position {
            offset: self.offset.saturating_add(cutting.done as u64),
            line: self.line.map(|line| line.saturating_add(cutting.lines)),
            within: cutting.within,
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Cuts a text that arrives in steps: what is returned, how each part ends, and what is
    /// skipped.
    fn given(text: &[u8], steps: &[usize], wide: Option<Wide>) -> (Vec<(Vec<u8>, Ending)>, u64) {
        let (mut out, mut skipped) = (Vec::new(), 0);
        let (mut at, mut within, mut line) = (0, Within::Start, 1);
        let ends = steps.iter().map(|step| step % (text.len() + 1));
        let mut ends: Vec<usize> = ends.chain([text.len()]).collect();
        ends.sort_unstable();
        for (number, end) in ends.iter().enumerate() {
            let is_last = number + 1 == ends.len();
            let unfinished = if is_last { Unfinished::IsLast } else { Unfinished::Waits };
            loop {
                // As in a file, where NULs at the end have not arrived yet.
                let data = &text[at..*end];
                let nuls = data.iter().rev().take_while(|&&byte| byte == 0).count();
                let data = if wide.is_none() { &data[..data.len() - nuls] } else { data };
                let found = cut(within, data, wide, unfinished);
                assert!(found.done <= data.len());
                assert_eq!(found.lines, Lines(wide).count(&data[..found.done]));
                for part in split(&data[found.piece.clone()], wide) {
                    out.push((part.to_vec(), Ending::Line));
                }
                if let Some((_, ending)) = out.last_mut().filter(|_| !found.piece.is_empty()) {
                    *ending = found.ending;
                }
                skipped += found.skipped + found.nuls;
                (at, within, line) = (at + found.done, found.within, line + found.lines);
                if found.done == 0 || !found.has_more {
                    break;
                }
            }
        }
        assert!(line >= 1);
        (out, skipped)
    }

    fn split(data: &[u8], wide: Option<Wide>) -> Vec<&[u8]> {
        let (mut rest, mut parts) = (data, Vec::new());
        while !rest.is_empty() {
            let end = Lines(wide).next_end(rest).unwrap_or(rest.len());
            parts.push(&rest[..end]);
            rest = &rest[end..];
        }
        parts
    }

    /// The slow reference: the whole text, line by line.
    fn slowly(text: &[u8]) -> (Vec<(Vec<u8>, Ending)>, u64) {
        let (mut out, mut skipped) = (Vec::new(), 0);
        let last = text.iter().rposition(|&byte| byte != 0).map_or(0, |at| at + 1);
        for line in text[..last].split_inclusive(|&byte| byte == b'\n') {
            let nuls = line.iter().position(|&byte| byte != 0).unwrap_or(line.len());
            skipped += nuls as u64;
            let line = &line[nuls..];
            let body = line.strip_suffix(b"\n").unwrap_or(line);
            if body.len() > MAX_LINE {
                out.push((body[..MAX_LINE].to_vec(), Ending::Cut));
                skipped += (line.len() - MAX_LINE) as u64;
            } else if !line.is_empty() {
                let is_whole = body.len() < line.len();
                let ending = if is_whole { Ending::Line } else { Ending::Last };
                out.push((line.to_vec(), ending));
            }
        }
        (out, skipped)
    }

    #[test]
    fn long_lines_are_cut_at_one_byte() {
        for length in [MAX_LINE - 1, MAX_LINE, MAX_LINE + 1, 2 * MAX_LINE + 7] {
            let mut text = b"first\n".to_vec();
            text.extend(std::iter::repeat_n(b'x', length));
            text.extend_from_slice(b"\nlast\n");
            let want = slowly(&text);
            for steps in [vec![], vec![9], vec![length / 2, length + 3], vec![MAX_LINE + 6]] {
                assert_eq!(given(&text, &steps, None), want, "{length} {steps:?}");
            }
            let is_long = length > MAX_LINE;
            assert_eq!(want.0[1].1, if is_long { Ending::Cut } else { Ending::Line });
            assert_eq!(want.0[2], (b"last\n".to_vec(), Ending::Line));
        }
    }

    proptest! {
        #[test]
        fn time_changes_nothing(
            text in proptest::collection::vec(prop_oneof![Just(0), Just(b'\n'), Just(b'a'), Just(b'b')], 0..60),
            steps in proptest::collection::vec(any::<usize>(), 0..6),
        ) {
            prop_assert_eq!(given(&text, &steps, None), slowly(&text));
        }

        #[test]
        fn wide_lines_are_those_of_the_text(
            text in "[a\n\u{a0a}\u{100}]{0,40}",
            steps in proptest::collection::vec(any::<usize>(), 0..6),
            big in any::<bool>(),
        ) {
            let wide = if big { Wide::Utf16Be } else { Wide::Utf16Le };
            let bytes = |text: &str| -> Vec<u8> {
                text.encode_utf16().flat_map(|unit| {
                    if big { unit.to_be_bytes() } else { unit.to_le_bytes() }
                }).collect()
            };
            let want: Vec<Vec<u8>> = text.split_inclusive('\n').map(bytes).collect();
            let (got, _) = given(&bytes(&text), &steps, Some(wide));
            let got: Vec<Vec<u8>> = got.into_iter().map(|(line, _)| line).collect();
            prop_assert_eq!(got, want);
        }
    }
}
