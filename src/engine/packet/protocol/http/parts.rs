//! Multipart bodies, split as they stream (RFC 2046, 5.1; RFC 7578).
//!
//! Only the head of a part is held, and the few bytes that may be the beginning of a delimiter.
//! What comes before the first delimiter and after the last is ignored.

use super::names;
use crate::engine::packet::Fault;
use crate::engine::progress::{Walk, bound};
use memchr::memmem;

/// The longest boundary that is recognised (RFC 2046: 70), the longest head of a part and the
/// maximum number of parts.
const MAX_BOUNDARY: usize = bound(256, 16);
const MAX_HEAD: usize = bound(16 << 10, 64);
const MAX_PARTS: u32 = bound(10_000, 4) as u32;

/// What comes next in a multipart body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// The headers of a part.
    Head(&'a [u8]),
    /// The next bytes of the part.
    Data(&'a [u8]),
    /// The part has ended.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Preamble,
    /// After a delimiter, on its line.
    Line,
    Head,
    /// On the empty line after a head. Its end may belong to a delimiter: then the part is empty.
    Blank,
    Data,
    Over,
}

/// A multipart body.
#[derive(Debug)]
pub(super) struct Parts {
    /// With the line end before it, which is part of it.
    delimiter: Box<[u8]>,
    state: State,
    held: Vec<u8>,
    /// How much of what is held was searched without success.
    scanned: usize,
    count: u32,
}

impl Parts {
    /// The body of a message whose Content-Type names a boundary.
    pub(super) fn new(content_type: &[u8]) -> Option<Parts> {
        let boundary = names::parameter(content_type, b"boundary")?;
        if boundary.is_empty() || boundary.len() > MAX_BOUNDARY {
            return None;
        }
        let delimiter = [b"\r\n--", boundary].concat().into();
        // The first delimiter may be at the beginning of the body.
        let held = b"\r\n".to_vec();
        Some(Parts { delimiter, state: State::Preamble, held, scanned: 0, count: 0 })
    }

    /// Bytes that are held.
    pub(super) fn weight(&self) -> usize {
        self.delimiter.len() + self.held.capacity()
    }

    /// Whether the last delimiter was seen.
    pub(super) fn is_over(&self) -> bool {
        self.state == State::Over
    }

    /// Splits the next bytes.
    ///
    /// # Errors
    ///
    /// A head of a part that is too long, or too many parts. Nothing more is reported then.
    pub(super) fn push(
        &mut self,
        data: &[u8],
        out: &mut dyn FnMut(Event<'_>),
    ) -> Result<(), Fault> {
        if self.held.is_empty() {
            let taken = self.read(data, out)?;
            self.held.extend_from_slice(data.get(taken..).unwrap_or_default());
        } else {
            let mut held = std::mem::take(&mut self.held);
            held.extend_from_slice(data);
            let taken = self.read(&held, out)?;
            held.drain(..taken);
            self.held = held;
        }
        Ok(())
    }

    /// Processes what is complete; returns how much that was.
    fn read(&mut self, data: &[u8], out: &mut dyn FnMut(Event<'_>)) -> Result<usize, Fault> {
        let mut walk = Walk::over(data);
        while let Some(rest) = walk.rest() {
            let before = self.state;
            let taken = match before {
                State::Over => rest.len(),
                State::Preamble | State::Data => self.data(rest, out),
                State::Line => self.line(rest)?,
                State::Head => self.head(rest, out)?,
                State::Blank => self.blank(rest),
            };
            if taken == 0 && self.state == before {
                break;
            }
            self.scanned = 0;
            walk.take(taken);
        }
        Ok(walk.at())
    }

    /// Passes on what comes before the next delimiter.
    fn data(&mut self, rest: &[u8], out: &mut dyn FnMut(Event<'_>)) -> usize {
        let found = memmem::find(rest, &self.delimiter);
        let end = found.unwrap_or_else(|| rest.len() - begun(rest, &self.delimiter));
        if self.state == State::Data {
            if end > 0 {
                out(Event::Data(&rest[..end]));
            }
            if found.is_some() {
                out(Event::End);
            }
        }
        match found {
            Some(at) => {
                self.state = State::Line;
                at + self.delimiter.len()
            }
            None => end,
        }
    }

    /// Parses the line of a delimiter: the last one ends with two more dashes.
    fn line(&mut self, rest: &[u8]) -> Result<usize, Fault> {
        if rest.starts_with(b"--") {
            self.state = State::Over;
            return Ok(rest.len());
        }
        let scanned = self.scanned.min(rest.len());
        match memchr::memchr(b'\n', &rest[scanned..]).map(|at| scanned + at) {
            Some(end) => {
                self.count += 1;
                if self.count > MAX_PARTS {
                    self.state = State::Over;
                    return Err(Fault::BadMultipart);
                }
                self.state = State::Head;
                Ok(end + 1)
            }
            None => self.wait(rest),
        }
    }

    fn head(&mut self, rest: &[u8], out: &mut dyn FnMut(Event<'_>)) -> Result<usize, Fault> {
        let end = match rest {
            // No headers at all.
            [b'\r', b'\n', ..] => Some(2),
            [b'\n', ..] => Some(1),
            _ => super::lines::head_end(rest, self.scanned, &mut false),
        };
        match end {
            Some(end) => {
                out(Event::Head(&rest[..end]));
                let is_crlf = rest[..end].ends_with(b"\r\n");
                self.state = if is_crlf { State::Blank } else { State::Data };
                Ok(end - if is_crlf { 2 } else { 0 })
            }
            None => self.wait(rest),
        }
    }

    fn blank(&mut self, rest: &[u8]) -> usize {
        let is_delimiter = rest.starts_with(&self.delimiter);
        if !is_delimiter && self.delimiter.starts_with(rest) {
            return 0;
        }
        self.state = State::Data;
        if is_delimiter { 0 } else { 2 }
    }

    fn wait(&mut self, rest: &[u8]) -> Result<usize, Fault> {
        if rest.len() > MAX_HEAD {
            self.state = State::Over;
            return Err(Fault::BadMultipart);
        }
        self.scanned = rest.len();
        Ok(0)
    }
}

/// How many of the last bytes may be the beginning of a delimiter.
fn begun(data: &[u8], delimiter: &[u8]) -> usize {
    let from = data.len().saturating_sub(delimiter.len() - 1);
    memchr::memchr_iter(b'\r', &data[from..])
        .map(|at| data.len() - from - at)
        .find(|&length| delimiter.starts_with(&data[data.len() - length..]))
        .unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The parts' heads and contents, and whether each has ended.
    fn parts(boundary: &str, pieces: &[&[u8]]) -> Vec<(Vec<u8>, Vec<u8>, bool)> {
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let mut parts = Parts::new(content_type.as_bytes()).unwrap();
        let mut all: Vec<(Vec<u8>, Vec<u8>, bool)> = Vec::new();
        for piece in pieces {
            let outcome = parts.push(piece, &mut |event| match event {
                Event::Head(head) => all.push((head.to_vec(), Vec::new(), false)),
                Event::Data(data) => all.last_mut().unwrap().1.extend_from_slice(data),
                Event::End => all.last_mut().unwrap().2 = true,
            });
            assert_eq!(outcome, Ok(()));
        }
        all
    }

    /// The same from the whole body: one search after the other.
    fn slow(boundary: &str, body: &[u8]) -> Vec<(Vec<u8>, Vec<u8>, bool)> {
        let body = [b"\r\n", body].concat();
        let delimiter = format!("\r\n--{boundary}");
        let mut all = Vec::new();
        let mut rest = &body[..];
        while let Some(at) = memmem::find(rest, delimiter.as_bytes()) {
            let after = &rest[at + delimiter.len()..];
            let Some(line) = memchr::memchr(b'\n', after) else { break };
            if after.starts_with(b"--") {
                break;
            }
            let part = &after[line + 1..];
            let end = if part.starts_with(b"\r\n") {
                Some(2)
            } else if part.starts_with(b"\n") {
                Some(1)
            } else {
                let ends = ["\n\r\n", "\n\n"]
                    .map(|end| memmem::find(part, end.as_bytes()).map(|at| at + end.len()));
                ends.into_iter().flatten().min()
            };
            let Some(end) = end else { break };
            // The empty line's end may belong to the delimiter.
            let from = if part[..end].ends_with(b"\r\n") { end - 2 } else { end };
            let found = memmem::find(&part[from..], delimiter.as_bytes());
            let (data, next) = match found {
                Some(at) => (part.get(end..from + at).unwrap_or_default(), from + at),
                None => (&part[end..], part.len()),
            };
            all.push((part[..end].to_vec(), data.to_vec(), found.is_some()));
            rest = &part[next..];
        }
        all
    }

    const BODY: &[u8] = b"before\r\n--b0\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n\
        one\r\n--b\r\n-\r\r\n--b0  \r\nX: y\r\n\r\n\r\n--b0\r\n\r\n--b1\r\n--b0--\r\nbehind";

    #[test]
    fn parts_of_a_body() {
        let (head, empty): (&[u8], &[u8]) =
            (b"Content-Disposition: form-data; name=\"a\"\r\n\r\n", b"");
        let want: Vec<(Vec<u8>, Vec<u8>, bool)> = [
            (head, &b"one\r\n--b\r\n-\r"[..], true),
            (b"X: y\r\n\r\n", empty, true),
            (b"\r\n", b"--b1", true),
        ]
        .map(|(head, data, has_end)| (head.to_vec(), data.to_vec(), has_end))
        .into();
        assert_eq!(parts("b0", &[BODY]), want);
        assert_eq!(slow("b0", BODY), want);
        for unit in 1..BODY.len() {
            let pieces: Vec<&[u8]> = BODY.chunks(unit).collect();
            assert_eq!(parts("b0", &pieces), want, "{unit}");
        }
    }

    #[test]
    fn an_empty_part_without_its_empty_line() {
        let body = b"--b0\r\nX: y\r\n\r\n--b0\r\nX: z\n\nq\r\n--b0--";
        let want = [
            (b"X: y\r\n\r\n".to_vec(), Vec::new(), true),
            (b"X: z\n\n".to_vec(), b"q".to_vec(), true),
        ];
        for unit in 1..body.len() {
            assert_eq!(parts("b0", &body.chunks(unit).collect::<Vec<_>>()), want, "{unit}");
        }
    }

    #[test]
    fn heads_and_parts_are_bounded() {
        assert!(Parts::new(b"multipart/form-data").is_none());
        assert!(Parts::new(b"multipart/form-data; boundary=\"\"").is_none());
        let mut parts = Parts::new(b"multipart/form-data; boundary=b").unwrap();
        assert_eq!(parts.push(b"--b\r\n", &mut |_| {}), Ok(()));
        let mut outcome = Ok(());
        for _ in 0..40 {
            outcome = outcome.and(parts.push(&[b'x'; 1000], &mut |_| {}));
            assert!(parts.weight() < 3 * MAX_HEAD);
        }
        assert_eq!(outcome, Err(Fault::BadMultipart));
        let mut parts = Parts::new(b"multipart/form-data; boundary=b").unwrap();
        let many = b"--b\r\n\r\n\r\n".repeat(MAX_PARTS as usize + 1);
        assert_eq!(parts.push(&many, &mut |_| {}), Err(Fault::BadMultipart));
    }

    proptest! {
        #[test]
        fn any_pieces_of_any_body(
            words in prop::collection::vec(prop::sample::select(vec![
                "\r\n", "\r", "--b", "b", "-", "--", "\r\n--b", "\r\n--b\r\n", "x", "A: c\r\n",
                "\r\n\r\n", "\r\n--b--",
            ]), 0..24),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let body = words.concat().into_bytes();
            let want = slow("b", &body);
            let mut cuts: Vec<usize> = cuts.iter().map(|at| at.index(body.len() + 1)).collect();
            cuts.push(body.len());
            cuts.sort_unstable();
            let mut from = 0;
            let pieces: Vec<&[u8]> =
                cuts.into_iter().map(|to| &body[std::mem::replace(&mut from, to)..to]).collect();
            let got = parts("b", &pieces);
            let whole = parts("b", &[&body]);
            prop_assert_eq!(&got, &whole);
            // The slow reference does not recognise the beginning of a delimiter at the very end.
            let ended = |all: Vec<(Vec<u8>, Vec<u8>, bool)>| -> Vec<_> {
                all.into_iter().filter(|part| part.2 && !part.1.is_empty()).collect()
            };
            prop_assert_eq!(ended(got), ended(want));
        }
    }
}
