//! Where heads and bodies begin and end in a direction of HTTP/1.

use super::{
    Body, LONGEST_METHOD, Request, Response, SHORTEST_METHOD, is_method, parse_request,
    parse_response, report_request, report_response, split_line,
};
use crate::packet::stream::{Context, Guess, Parser, RequestKind, Step};
use crate::packet::{Fault, Visitor};

/// The longest head that is put together.
const MOST_HEAD: usize = 64 << 10;

/// The longest first line, up to which a stream may still turn out to be HTTP.
const MOST_LINE: usize = 16 << 10;

/// The longest line that gives the length of a chunk.
const MOST_CHUNK_LINE: usize = 4 << 10;

const VERSION: &[u8] = b"HTTP/1.";

/// What comes next in a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// A head, requests or responses alike.
    #[default]
    Head,
    /// The line with the length of a chunk.
    Chunk,
    /// The end of the line behind a chunk.
    ChunkEnd,
    /// Headers behind the last chunk.
    Trailer,
    /// Perhaps another protocol.
    Other,
}

/// One direction of an HTTP/1 connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::packet) struct Framing {
    state: State,
    /// Bytes of the head in which no end is.
    scanned: usize,
}

/// Looks whether a stream begins with a head.
pub(in crate::packet) fn guess(data: &[u8]) -> Guess {
    if VERSION.starts_with(data) {
        return Guess::Maybe(VERSION.len());
    }
    if data.starts_with(VERSION) {
        return Guess::Is(Parser::Http(Framing::default()));
    }
    let method = data.iter().take(LONGEST_METHOD + 1).take_while(|&&b| is_method(b)).count();
    if method > LONGEST_METHOD {
        return Guess::No;
    }
    match data.get(method) {
        None => return Guess::Maybe(data.len() + 1),
        Some(b' ') if method >= SHORTEST_METHOD => {}
        Some(_) => return Guess::No,
    }
    match split_line(data) {
        Some((line, _)) if is_request_line(line) => Guess::Is(Parser::Http(Framing::default())),
        Some(_) => Guess::No,
        None if data.len() > MOST_LINE || data.get(method + 1).is_some_and(|&b| b <= b' ') => {
            Guess::No
        }
        None => Guess::Maybe(data.len() + 1),
    }
}

/// Whether a segment begins with a head, in the midst of anything.
pub(in crate::packet) fn is_head(data: &[u8]) -> bool {
    let Some(start) = data.first_chunk::<SHORTEST_METHOD>() else { return false };
    if !start.iter().all(u8::is_ascii_uppercase) {
        return false;
    }
    if let Some(rest) = data.strip_prefix(VERSION) {
        return rest.get(1) == Some(&b' ');
    }
    let head = data.get(..LONGEST_METHOD + 1).unwrap_or(data);
    memchr::memchr(b' ', head).is_some_and(|at| head[..at].iter().all(|&b| is_method(b)))
        && split_line(data).is_some_and(|(line, _)| is_request_line(line))
}

fn is_request_line(line: &[u8]) -> bool {
    memchr::memrchr(b' ', line).is_some_and(|at| line[at + 1..].starts_with(VERSION))
}

impl Framing {
    /// Reads what comes next.
    pub(in crate::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        context: &mut Context<'_, '_, V>,
    ) -> Step {
        match self.state {
            State::Head => self.head(data, context),
            State::Chunk => self.chunk(data),
            State::ChunkEnd => {
                let length = match data {
                    [b'\r'] => return Step::Wait(2),
                    [b'\r', b'\n', ..] => 2,
                    [b'\n', ..] => 1,
                    _ => return Step::Lost,
                };
                self.state = State::Chunk;
                Step::Took(length)
            }
            State::Trailer => match split_line(data) {
                None if data.len() > MOST_CHUNK_LINE => Step::Lost,
                None => Step::Wait(data.len() + 1),
                Some((line, rest)) => {
                    if line.is_empty() {
                        self.state = State::Head;
                    }
                    Step::Took(data.len() - rest.len())
                }
            },
            State::Other => Step::Restart,
        }
    }

    /// Reads what there is of a head that does not go on.
    pub(in crate::packet) fn finish<V: Visitor>(
        &self,
        data: &[u8],
        context: &mut Context<'_, '_, V>,
    ) {
        if self.state != State::Head || data.is_empty() {
            return;
        }
        context.counters.note(Fault::SplitHttp);
        if let Some(request) = parse_request(data) {
            report_request(&request, context);
        } else if let Some(response) = parse_response(data) {
            report_response(&response, context);
        }
    }

    fn head<V: Visitor>(&mut self, data: &[u8], context: &mut Context<'_, '_, V>) -> Step {
        // Empty lines in front of a request are to be tolerated (RFC 9112, 2.2).
        match data {
            [b'\r'] => return Step::Wait(2),
            [b'\r', b'\n', ..] => return Step::Took(2),
            [b'\n', ..] => return Step::Took(1),
            _ => {}
        }
        let Some(end) = head_end(data, self.scanned) else {
            let is_first_look = self.scanned == 0;
            self.scanned = data.len();
            if is_first_look && matches!(guess(data), Guess::No) {
                return Step::Lost;
            }
            if data.len() > MOST_HEAD {
                self.finish(data, context);
                return Step::Lost;
            }
            return Step::Wait(data.len() + 1);
        };
        self.scanned = 0;
        let head = &data[..end];
        let body = if let Some(request) = parse_request(head) {
            report_request(&request, context);
            self.request(&request, context)
        } else if let Some(response) = parse_response(head) {
            report_response(&response, context);
            self.response(&response, context)
        } else {
            return Step::Lost;
        };
        match body {
            None => Step::Took(end),
            Some(Body::Unsaid) => Step::Over,
            Some(Body::Unclear) => Step::Lost,
            Some(Body::Length(length)) => Step::Skip(length.saturating_add(end as u64)),
            Some(Body::Chunked) => {
                self.state = State::Chunk;
                Step::Took(end)
            }
        }
    }

    /// What follows the head of a request; None for nothing.
    fn request<V: Visitor>(
        &mut self,
        request: &Request<'_>,
        context: &mut Context<'_, '_, V>,
    ) -> Option<Body> {
        let kind = match request.method {
            b"HEAD" => RequestKind::Head,
            b"CONNECT" => RequestKind::Connect,
            _ => RequestKind::Usual,
        };
        context.requests.push(kind);
        if kind == RequestKind::Connect {
            // Whatever is spoken through the proxy, or another request to it.
            self.state = State::Other;
            return None;
        }
        Some(request.body).filter(|&body| body != Body::Unsaid)
    }

    /// What follows the head of a response.
    fn response<V: Visitor>(
        &mut self,
        response: &Response<'_>,
        context: &mut Context<'_, '_, V>,
    ) -> Option<Body> {
        if response.status == 101 {
            self.state = State::Other;
            return None;
        }
        // More responses to the same request follow.
        if response.status < 200 {
            return None;
        }
        match (context.requests.pop(), response.status) {
            (RequestKind::Connect, 200..300) => {
                self.state = State::Other;
                None
            }
            (RequestKind::Head, _) | (_, 204 | 304) => None,
            _ => Some(response.body),
        }
    }

    fn chunk(&mut self, data: &[u8]) -> Step {
        let Some((line, rest)) = split_line(data) else {
            let is_too_long = data.len() > MOST_CHUNK_LINE;
            return if is_too_long { Step::Lost } else { Step::Wait(data.len() + 1) };
        };
        let digits = line.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
        let length = std::str::from_utf8(digits)
            .ok()
            .filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()))
            .and_then(|text| u64::from_str_radix(text, 16).ok());
        let head = data.len() - rest.len();
        match length {
            None => Step::Lost,
            Some(0) => {
                self.state = State::Trailer;
                Step::Took(head)
            }
            Some(length) => {
                self.state = State::ChunkEnd;
                Step::Skip(length.saturating_add(head as u64))
            }
        }
    }
}

/// Where a head ends: behind an empty line. `scanned` bytes were looked at before.
fn head_end(data: &[u8], scanned: usize) -> Option<usize> {
    let from = scanned.saturating_sub(3).min(data.len());
    memchr::memchr_iter(b'\n', &data[from..]).find_map(|at| match data[from + at + 1..] {
        [b'\n', ..] => Some(from + at + 2),
        [b'\r', b'\n', ..] => Some(from + at + 3),
        _ => None,
    })
}
