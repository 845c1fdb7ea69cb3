//! Chunked bodies (RFC 9112, section 7.1).

use memchr::memchr;

/// The longest line with a chunk size and its extensions, and the longest trailer.
const MAX_LINE: usize = 1 << 10;

/// The maximum size of trailers in bytes; they are discarded.
const MAX_TRAILERS: usize = 8 << 10;

/// The position in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chunks {
    /// Before the line of a size.
    Size,
    /// In a chunk, with this many bytes missing.
    Data(usize),
    /// After a chunk, before its line break.
    After,
    /// In the trailers, with this many bytes read.
    Trailers(usize),
}

/// The result of a round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Round {
    /// This many bytes were taken.
    Took(usize),
    /// This many bytes were taken, and they ended the body.
    Done(usize),
    /// Nothing can be taken: there are too few bytes.
    More,
    /// It is not a chunked body.
    Broken,
    /// It is longer than allowed.
    TooLong,
}

impl Chunks {
    /// Takes what is at the beginning of `rest`; data goes to `body`, which is limited to `max`
    /// bytes.
    pub(super) fn take(&mut self, rest: &[u8], body: &mut Vec<u8>, max: usize) -> Round {
        match *self {
            Chunks::Data(missing) => {
                let data = &rest[..missing.min(rest.len())];
                if data.is_empty() {
                    return Round::More;
                }
                body.extend_from_slice(data);
                let missing = missing - data.len();
                *self = if missing == 0 { Chunks::After } else { Chunks::Data(missing) };
                Round::Took(data.len())
            }
            Chunks::Size | Chunks::After | Chunks::Trailers(_) => {
                let Some(end) = memchr(b'\n', &rest[..rest.len().min(MAX_LINE)]) else {
                    return if rest.len() < MAX_LINE { Round::More } else { Round::Broken };
                };
                let line = &rest[..end];
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                self.line(line, end + 1, body.len(), max)
            }
        }
    }

    fn line(&mut self, line: &[u8], taken: usize, length: usize, max: usize) -> Round {
        match *self {
            Chunks::After => {
                *self = Chunks::Size;
                if line.is_empty() { Round::Took(taken) } else { Round::Broken }
            }
            Chunks::Trailers(read) => {
                *self = Chunks::Trailers(read + taken);
                match read + taken <= MAX_TRAILERS {
                    true if line.is_empty() => Round::Done(taken),
                    true => Round::Took(taken),
                    false => Round::TooLong,
                }
            }
            _ => {
                let Some(size) = size(line) else { return Round::Broken };
                if size > max.saturating_sub(length) {
                    return Round::TooLong;
                }
                *self = if size == 0 { Chunks::Trailers(0) } else { Chunks::Data(size) };
                Round::Took(taken)
            }
        }
    }
}

/// The size in a line: hex digits up to its end, a semicolon or a space.
fn size(line: &[u8]) -> Option<usize> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let is_ended = matches!(line.get(digits), None | Some(b';' | b' ' | b'\t'));
    if !is_ended || digits == 0 || digits > 16 {
        return None;
    }
    usize::from_str_radix(str::from_utf8(&line[..digits]).ok()?, 16).ok()
}
