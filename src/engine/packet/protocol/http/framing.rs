//! Where heads and bodies begin and end in a direction of HTTP/1.

use super::content::{self, Content, ContentFacts};
use super::context::HttpContext;
use super::lines::{self, Beginning, Headers, MAX_HEADERS, split_line};
use super::message::{Body, Request, Response, parse_request, parse_response};
use super::report::{report_request, report_response};
use super::requests::RequestKind;
use crate::engine::packet::contract::{Probe, Step};
use crate::engine::packet::counters::Fault;
use crate::engine::packet::payload::text;
use crate::engine::packet::view::Visitor;
use crate::engine::progress::bound;

/// The longest head that is assembled.
const MAX_HEAD: usize = bound(64 << 10, 256);

/// The longest line with the length of a chunk.
const MAX_CHUNK_LINE: usize = bound(4 << 10, 32);

/// What comes next in a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// A head, requests or responses alike.
    #[default]
    Head,
    /// A body of this many bytes.
    Body(u64),
    /// A body up to the end of the connection.
    UntilEnd,
    /// The line with the length of a chunk.
    Chunk,
    /// This many bytes of a chunk.
    ChunkData(u64),
    /// The end of the line after a chunk.
    ChunkEnd,
    /// Headers after the last chunk.
    Trailer,
    /// Possibly another protocol.
    Other,
    /// WebSocket, up to the end: its data is never a request, even if it looks like one.
    WebSocket,
}

/// One direction of an HTTP/1 connection.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Framing {
    state: State,
    /// Bytes of the head that were searched for its end.
    scanned: usize,
    /// A header in it continues in the next line.
    is_folded: bool,
    /// The content of the body, if it is needed.
    content: Option<Box<Content>>,
}

/// Detects whether a stream begins with a head.
pub(in crate::engine::packet) fn probe(data: &[u8]) -> Probe<Framing> {
    match lines::beginning(data) {
        Beginning::Head => Probe::Is(Framing::default()),
        Beginning::Short => Probe::Maybe(data.len() + 1),
        Beginning::Other => Probe::No,
    }
}

/// Whether a server switches to WebSocket (RFC 6455, 4.2.2).
fn is_websocket(headers: &[u8]) -> bool {
    (Headers { rest: headers, left: MAX_HEADERS }).any(|(name, value)| {
        name.eq_ignore_ascii_case(b"upgrade") && value.eq_ignore_ascii_case(b"websocket")
    })
}

impl Framing {
    /// Bytes that are held.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        self.content.as_ref().map_or(0, |content| content.weight())
    }

    /// Whether a head begins with the first of these bytes.
    pub(super) fn is_at_head<V>(&self, data: &[u8], context: &HttpContext<'_, '_, V>) -> bool {
        self.state == State::Head && !context.requests.is_websocket && lines::blanks(data) == 0
    }

    /// Parses what comes next.
    pub(in crate::engine::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) -> Step {
        match self.state {
            State::Head => self.head(data, context),
            State::Body(left) => self.body(left, data, context),
            State::UntilEnd => match self.show(data, context) {
                true => Step::Took(data.len()),
                false => Step::Over,
            },
            State::Chunk => self.chunk(data, context),
            State::ChunkData(left) => self.chunk_data(left, data, context),
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
                None if data.len() > MAX_CHUNK_LINE => Step::Lost,
                None => Step::Wait(data.len() + 1),
                Some((line, rest)) => {
                    if line.is_empty() {
                        self.state = State::Head;
                    }
                    Step::Took(data.len() - rest.len())
                }
            },
            State::Other => Step::Restart,
            State::WebSocket if context.reads_unknown => {
                match text::show_lines(data, context.packet, context.visitor) {
                    Some(length) => Step::Took(length),
                    None => Step::Wait(data.len() + 1),
                }
            }
            State::WebSocket => Step::Over,
        }
    }

    /// Bytes are missing. Inside a body only the content suffers.
    pub(in crate::engine::packet) fn gap(&mut self, length: u64) -> bool {
        self.state = match self.state {
            State::Body(left) if left > length => State::Body(left - length),
            State::Body(left) if left == length => State::Head,
            State::ChunkData(left) if left > length => State::ChunkData(left - length),
            State::ChunkData(left) if left == length => State::ChunkEnd,
            State::UntilEnd => State::UntilEnd,
            State::WebSocket => State::WebSocket,
            _ => return false,
        };
        if self.state == State::Head {
            self.content = None;
        } else if let Some(content) = &mut self.content {
            content.gap(length);
        }
        true
    }

    /// Parses what there is of an incomplete head, and ends the body.
    pub(in crate::engine::packet) fn finish<V: Visitor>(
        &mut self,
        data: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) {
        // A body without another end ends with the direction.
        self.end(self.state == State::UntilEnd && context.is_ended, context);
        if self.state == State::WebSocket && context.reads_unknown {
            text::show(data, context.packet, context.visitor);
        }
        let data = data.get(lines::blanks(data)..).unwrap_or_default();
        if self.state != State::Head || data.is_empty() {
            return;
        }
        context.counters.note(Fault::SplitHttp);
        let whole = lines::unfold(data);
        let data = &whole[..];
        if let Some(request) = parse_request(data) {
            report_request(&request, context);
        } else if let Some(response) = parse_response(data) {
            report_response(&response, context);
        }
    }

    /// Passes bytes of a body to its content. Returns whether more are needed.
    fn show<V: Visitor>(&mut self, data: &[u8], context: &mut HttpContext<'_, '_, V>) -> bool {
        let Some(content) = &mut self.content else { return false };
        if content.is_over() {
            self.end(false, context);
            return false;
        }
        content.push(data, context);
        true
    }

    fn end<V: Visitor>(&mut self, is_whole: bool, context: &mut HttpContext<'_, '_, V>) {
        if let Some(content) = self.content.take() {
            content.finish(is_whole, context);
        }
    }

    fn body<V: Visitor>(
        &mut self,
        left: u64,
        data: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) -> Step {
        let (data, left_over) = split(data, left);
        if !self.show(data, context) {
            self.state = State::Head;
            return Step::Skip(left);
        }
        self.state = State::Body(left_over);
        if left_over == 0 {
            self.end(true, context);
            self.state = State::Head;
        }
        Step::Took(data.len())
    }

    fn head<V: Visitor>(&mut self, data: &[u8], context: &mut HttpContext<'_, '_, V>) -> Step {
        if context.requests.is_websocket {
            self.state = State::WebSocket;
            return Step::Again;
        }
        match lines::blanks(data) {
            0 => {}
            blanks => return Step::Took(blanks),
        }
        let Some(end) = lines::head_end(data, self.scanned, &mut self.is_folded) else {
            let is_first_look = self.scanned == 0;
            self.scanned = data.len();
            if is_first_look && matches!(probe(data), Probe::No) {
                return self.lose(data);
            }
            if data.len() > MAX_HEAD {
                self.finish(data, context);
                return Step::Lost;
            }
            return Step::Wait(data.len() + 1);
        };
        self.scanned = 0;
        let body = if std::mem::take(&mut self.is_folded) {
            self.whole_head(&lines::unfold(&data[..end]), context)
        } else {
            self.whole_head(&data[..end], context)
        };
        let Some(body) = body else { return self.lose(data) };
        match body {
            None => Step::Took(end),
            Some(Body::Unclear) => Step::Lost,
            Some(Body::Unsaid | Body::UntilEnd) if self.content.is_none() => Step::Over,
            Some(Body::Unsaid | Body::UntilEnd) => {
                self.state = State::UntilEnd;
                Step::Took(end)
            }
            Some(Body::Length(length)) if self.content.is_none() => {
                Step::Skip(length.saturating_add(end as u64))
            }
            Some(Body::Length(length)) => {
                self.state = State::Body(length);
                Step::Took(end)
            }
            Some(Body::Chunked) => {
                self.state = State::Chunk;
                Step::Took(end)
            }
        }
    }

    /// An invalid head: servers respond with an error, and continue, if they do, where the next
    /// request begins.
    fn lose(&mut self, data: &[u8]) -> Step {
        (self.scanned, self.is_folded) = (0, false);
        let next = memchr::memchr_iter(b'\n', data)
            .map(|end| end + 1)
            .find(|&start| data.get(start..).is_some_and(lines::is_head));
        next.map_or(Step::Lost, Step::Took)
    }

    /// Reports a head; returns what follows it, if it is valid.
    fn whole_head<V: Visitor>(
        &mut self,
        head: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) -> Option<Option<Body>> {
        if let Some(request) = parse_request(head) {
            report_request(&request, context);
            return Some(self.request(&request, context));
        }
        let response = parse_response(head)?;
        report_response(&response, context);
        Some(self.response(&response, context))
    }

    /// What follows the head of a request; `None` for nothing.
    fn request<V: Visitor>(
        &mut self,
        request: &Request<'_>,
        context: &mut HttpContext<'_, '_, V>,
    ) -> Option<Body> {
        let kind = match request.method {
            b"HEAD" => RequestKind::Head,
            method if method.eq_ignore_ascii_case(b"CONNECT") => RequestKind::Connect,
            _ => RequestKind::Usual,
        };
        let is_wanted = content::is_wanted(request.headers, context.visitor);
        let has_url = kind != RequestKind::Connect;
        let url = if has_url { context.url.as_slice() } else { &[] };
        context.requests.push(kind, is_wanted.then_some(url));
        if kind == RequestKind::Connect {
            // Whatever is sent through the proxy, or another request to it.
            self.state = State::Other;
            return None;
        }
        // A request always has its own end (RFC 9112, 6.3).
        let has_body = !matches!(request.body, Body::Unsaid | Body::UntilEnd);
        let body = has_body.then_some(request.body)?;
        if is_wanted && body.has_bytes() {
            let url = std::mem::take(context.url);
            let facts = ContentFacts::upload(&url, request.method).headers(request.headers);
            self.content = Content::begin(facts, context).map(Box::new);
            *context.url = url;
        }
        Some(body)
    }

    /// What follows the head of a response.
    fn response<V: Visitor>(
        &mut self,
        response: &Response<'_>,
        context: &mut HttpContext<'_, '_, V>,
    ) -> Option<Body> {
        if response.status == 101 {
            let is_websocket = is_websocket(response.headers);
            context.requests.is_websocket = is_websocket;
            self.state = if is_websocket { State::WebSocket } else { State::Other };
            return None;
        }
        // More responses to the same request follow.
        if response.status < 200 {
            return None;
        }
        // The requested URL.
        let mut url = std::mem::take(context.url);
        let kind = context.requests.pop(&mut url);
        let body = match (kind, response.status) {
            (RequestKind::Connect, 200..300) => {
                self.state = State::Other;
                None
            }
            (RequestKind::Head, _) | (_, 204 | 304) => None,
            _ => Some(response.body),
        };
        if body.is_some_and(Body::has_bytes)
            && content::is_wanted(response.headers, context.visitor)
        {
            let facts = ContentFacts::answer(&url, response.status).headers(response.headers);
            self.content = Content::begin(facts, context).map(Box::new);
        }
        *context.url = url;
        body
    }

    fn chunk_data<V: Visitor>(
        &mut self,
        left: u64,
        data: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) -> Step {
        let (data, left_over) = split(data, left);
        if !self.show(data, context) {
            self.state = State::ChunkEnd;
            return Step::Skip(left);
        }
        self.state = if left_over == 0 { State::ChunkEnd } else { State::ChunkData(left_over) };
        Step::Took(data.len())
    }

    fn chunk<V: Visitor>(&mut self, data: &[u8], context: &mut HttpContext<'_, '_, V>) -> Step {
        let Some((line, rest)) = split_line(data) else {
            let is_too_long = data.len() > MAX_CHUNK_LINE;
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
                self.end(true, context);
                self.state = State::Trailer;
                Step::Took(head)
            }
            Some(length) if self.content.is_none() => {
                self.state = State::ChunkEnd;
                Step::Skip(length.saturating_add(head as u64))
            }
            Some(length) => {
                self.state = State::ChunkData(length);
                Step::Took(head)
            }
        }
    }
}

/// The first `left` bytes, and how many of them have not arrived yet.
fn split(data: &[u8], left: u64) -> (&[u8], u64) {
    let here = usize::try_from(left).unwrap_or(usize::MAX).min(data.len());
    (&data[..here], left - here as u64)
}
