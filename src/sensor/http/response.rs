//! A response.

use std::io::Write as _;

/// A response: status, type and body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// 200, 404…
    pub status: u16,
    /// The type of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
    /// Additional headers.
    pub headers: Vec<(&'static str, String)>,
}

impl Response {
    /// A text response.
    pub fn text(status: u16, body: impl Into<String>) -> Response {
        Response::new(status, "text/plain; charset=utf-8", body.into().into_bytes())
    }

    /// A JSON response.
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Response {
        Response::new(status, "application/json", body.into())
    }

    /// A response of any type.
    pub fn new(status: u16, content_type: &'static str, body: Vec<u8>) -> Response {
        Response { status, content_type, body, headers: Vec::new() }
    }

    /// Adds a header. Name and value are constants, without line breaks.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Response {
        self.headers.push((name, value.into()));
        self
    }

    /// The encoded response. With `is_head`, the body is left out.
    pub(super) fn encode(&self, keep_alive: bool, is_head: bool) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.len() + 256);
        let (status, reason) = (self.status, reason(self.status));
        // Writing to a vector does not fail.
        let _ =
            write!(out, "HTTP/1.1 {status} {reason}\r\nContent-Type: {}\r\n", self.content_type);
        let _ = write!(out, "Content-Length: {}\r\n", self.body.len());
        out.extend_from_slice(b"Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n");
        for (name, value) in &self.headers {
            let _ = write!(out, "{name}: {value}\r\n");
        }
        out.extend_from_slice(if keep_alive { b"\r\n" } else { b"Connection: close\r\n\r\n" });
        if !is_head {
            out.extend_from_slice(&self.body);
        }
        out
    }
}

/// The reason phrases of the statuses that the server uses.
fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        503 => "Service Unavailable",
        505 => "HTTP Version Not Supported",
        _ => "Answer",
    }
}
