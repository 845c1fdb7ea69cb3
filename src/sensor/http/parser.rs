//! Requests in a stream of bytes that arrives in pieces.

use super::chunks::{Chunks, Round};
use super::{Method, Request};
use crate::engine::progress::{Walk, bound};
use memchr::memmem;
use std::time::Duration;

/// The limits for clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The maximum size of a head in bytes: the request line and all headers.
    pub head: usize,
    /// The maximum size of a body in bytes.
    pub body: usize,
    /// How long a connection may be idle.
    pub idle: Duration,
    /// How long a request may take to arrive.
    pub request: Duration,
    /// The maximum number of connections at a time.
    pub connections: usize,
}

impl Default for Limits {
    /// 16 KiB of head, 1 MiB of body, a minute idle, 30 s for a request, 64 connections.
    fn default() -> Self {
        Limits {
            head: bound(16 << 10, 256),
            body: 1 << 20,
            idle: Duration::from_secs(60),
            request: Duration::from_secs(30),
            connections: 64,
        }
    }
}

/// The maximum number of headers of a request.
const MAX_HEADERS: usize = 64;

/// Why a request is refused, and the connection closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is not HTTP, or is ambiguous.
    Malformed,
    /// The head is too long.
    HeadTooLong,
    /// The body is too long.
    BodyTooLong,
    /// The body has a transfer coding other than chunked.
    UnknownCoding,
    /// It has another version of HTTP.
    Version,
}

impl Refusal {
    /// The status of the response.
    pub fn status(self) -> u16 {
        match self {
            Refusal::Malformed => 400,
            Refusal::HeadTooLong => 431,
            Refusal::BodyTooLong => 413,
            Refusal::UnknownCoding => 501,
            Refusal::Version => 505,
        }
    }
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Push more bytes.
    More,
    /// Write `100 Continue`, which the client waits for before it sends the body. Then continue.
    Continue,
    /// Respond to this request.
    Request(Request),
}

/// Finds requests in bytes that arrive in pieces. How they are split makes no difference.
#[derive(Clone, Debug)]
pub struct Parser {
    limits: Limits,
    buffer: Vec<u8>,
    /// How much of the buffer is done.
    taken: usize,
    /// How far after that no end of a head was found.
    searched: usize,
    /// The request whose body is being read.
    open: Option<Open>,
    /// `100 Continue` is due.
    is_awaited: bool,
}

#[derive(Clone, Debug)]
struct Open {
    request: Request,
    body: Body,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    /// This many bytes are missing.
    Length(usize),
    Chunks(Chunks),
}

impl Parser {
    /// The state at the beginning of a connection.
    pub fn new(limits: Limits) -> Parser {
        Parser { limits, buffer: Vec::new(), taken: 0, searched: 0, open: None, is_awaited: false }
    }

    /// Adds a piece.
    pub fn push(&mut self, piece: &[u8]) {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        self.buffer.extend_from_slice(piece);
    }

    /// Whether a request has begun and is incomplete.
    pub fn is_amidst(&self) -> bool {
        self.open.is_some() || self.taken < self.buffer.len()
    }

    /// What to do next.
    ///
    /// # Errors
    ///
    /// If a request has to be refused. Nothing after it can be read.
    pub fn step(&mut self) -> Result<Step, Refusal> {
        if self.open.is_none() && !self.read_head()? {
            return Ok(Step::More);
        }
        if std::mem::take(&mut self.is_awaited) {
            return Ok(Step::Continue);
        }
        let Some(open) = &mut self.open else { return Ok(Step::More) };
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        let (taken, is_whole) = open.read_body(rest, self.limits.body)?;
        self.taken += taken;
        match self.open.take_if(|_| is_whole) {
            Some(open) => Ok(Step::Request(open.request)),
            None => Ok(Step::More),
        }
    }

    /// Reads a head, if it is complete.
    fn read_head(&mut self) -> Result<bool, Refusal> {
        let rest = self.buffer.get(self.taken..).unwrap_or_default();
        // Empty lines before a request are skipped, as RFC 9112 recommends.
        let blank = rest.iter().take_while(|byte| b"\r\n".contains(byte)).count();
        (self.taken, self.searched) = (self.taken + blank, self.searched.saturating_sub(blank));
        let rest = &rest[blank..];
        let Some(length) = head_len(rest, self.searched) else {
            self.searched = rest.len();
            return if rest.len() <= self.limits.head {
                Ok(false)
            } else {
                Err(Refusal::HeadTooLong)
            };
        };
        if length > self.limits.head {
            return Err(Refusal::HeadTooLong);
        }
        let (open, is_awaited) = read_head(&rest[..length], self.limits.body)?;
        // If the body has already begun to arrive, `100 Continue` is not needed.
        self.is_awaited = is_awaited && rest.len() == length;
        self.open = Some(open);
        self.taken += length;
        self.searched = 0;
        Ok(true)
    }
}

/// The length of a head with the empty line that ends it. Lines end in CRLF, or in LF alone.
fn head_len(rest: &[u8], searched: usize) -> Option<usize> {
    // The end may have begun earlier, by three bytes at most.
    let from = searched.saturating_sub(3).min(rest.len());
    let ends = [&b"\n\r\n"[..], b"\n\n"]
        .map(|end| memmem::find(&rest[from..], end).map(|at| from + at + end.len()));
    ends.into_iter().flatten().min()
}

fn read_head(head: &[u8], max: usize) -> Result<(Open, bool), Refusal> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut headers);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err(Refusal::Malformed),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::HeadTooLong),
        Err(httparse::Error::Version) => return Err(Refusal::Version),
        Err(_) => return Err(Refusal::Malformed),
    }
    let headers = parsed.headers.iter().map(|header| {
        let value = String::from_utf8_lossy(header.value).trim().to_string();
        (header.name.to_ascii_lowercase(), value)
    });
    let headers: Vec<(String, String)> = headers.collect();
    let is_new = parsed.version == Some(1);
    let target = parsed.path.unwrap_or_default();
    let (path, query) = split_target(target);
    let body = body_of(&headers, max, is_new)?;
    let says = |name: &str, word: &str| has_word(&headers, name, word);
    let keep_alive =
        if is_new { !says("connection", "close") } else { says("connection", "keep-alive") };
    let is_awaited = is_new && says("expect", "100-continue") && body != Body::Length(0);
    let request = Request {
        method: Method::of(parsed.method.unwrap_or_default()),
        path: path.to_string(),
        query: query.to_string(),
        headers,
        body: Vec::new(),
        keep_alive,
    };
    Ok((Open { request, body }, is_awaited))
}

/// Path and query; a target that is an absolute URL loses its scheme and host.
fn split_target(target: &str) -> (&str, &str) {
    let target = match target.split_once("://") {
        Some(("http" | "https", rest)) => rest.find('/').map_or("/", |slash| &rest[slash..]),
        _ => target,
    };
    target.split_once('?').unwrap_or((target, ""))
}

/// Whether a header of that name has a word in its list.
fn has_word(headers: &[(String, String)], name: &str, word: &str) -> bool {
    let mut values = headers.iter().filter(|(own, _)| own == name);
    values.any(|(_, list)| list.split(',').any(|own| own.trim().eq_ignore_ascii_case(word)))
}

/// How the body is delimited (RFC 9112, section 6.3).
fn body_of(headers: &[(String, String)], max: usize, is_new: bool) -> Result<Body, Refusal> {
    let values = |name: &'static str| {
        headers.iter().filter(move |(own, _)| own == name).map(|(_, value)| &**value)
    };
    let mut lengths = values("content-length");
    let length = lengths.next();
    if lengths.next().is_some() {
        return Err(Refusal::Malformed);
    }
    let mut codings = values("transfer-encoding");
    match (codings.next(), codings.next(), length) {
        (None, _, None) => Ok(Body::Length(0)),
        (None, _, Some(length)) => {
            let is_number = !length.is_empty() && length.bytes().all(|byte| byte.is_ascii_digit());
            if !is_number {
                return Err(Refusal::Malformed);
            }
            // A number that is too large to parse is larger than any allowed body.
            match length.parse::<usize>().ok().filter(|&length| length <= max) {
                Some(length) => Ok(Body::Length(length)),
                None => Err(Refusal::BodyTooLong),
            }
        }
        (Some(coding), None, None) if coding.eq_ignore_ascii_case("chunked") && is_new => {
            Ok(Body::Chunks(Chunks::Size))
        }
        (Some(_), None, None) if is_new => Err(Refusal::UnknownCoding),
        // Both, or one of them twice: a proxy may have read it in another way.
        (Some(_), _, _) => Err(Refusal::Malformed),
    }
}

impl Open {
    /// Reads what is available of the body; returns how much was taken, and whether it is complete.
    fn read_body(&mut self, rest: &[u8], max: usize) -> Result<(usize, bool), Refusal> {
        match &mut self.body {
            Body::Length(missing) => {
                let taken = rest.len().min(*missing);
                self.request.body.extend_from_slice(&rest[..taken]);
                *missing -= taken;
                Ok((taken, *missing == 0))
            }
            Body::Chunks(chunks) => {
                let mut walk = Walk::over(rest);
                while let Some(rest) = walk.rest() {
                    match chunks.take(rest, &mut self.request.body, max) {
                        Round::Took(taken) => walk.take(taken),
                        Round::Done(taken) => return Ok((walk.at() + taken, true)),
                        Round::More => break,
                        Round::Broken => return Err(Refusal::Malformed),
                        Round::TooLong => return Err(Refusal::BodyTooLong),
                    }
                }
                Ok((walk.at(), false))
            }
        }
    }
}
