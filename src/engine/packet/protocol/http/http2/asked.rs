//! What one direction of a connection must know from the other.

use super::tables::Tables;
use crate::engine::packet::protocol::http::kept::kept_url;
use crate::engine::progress::bound;
use std::collections::VecDeque;

/// Requests without a response, and bytes of their URLs.
const MAX_ASKED: usize = bound(256, 4);
const MAX_URLS: usize = bound(32 << 10, 128);

/// What one direction of a connection must know from the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Asked {
    requests: VecDeque<Request>,
    bytes: usize,
    /// The direction that must know it, and the stream.
    pub(super) resets: VecDeque<(bool, u32)>,
    /// How large the tables of headers may be.
    pub(super) tables: Tables,
}

/// A request without a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Request {
    stream: u32,
    pub(super) url: Box<[u8]>,
    pub(super) is_tunnel: bool,
}

impl Asked {
    /// Bytes that are held.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        let rows = self.requests.capacity() * size_of::<Request>();
        let resets = self.resets.capacity() * size_of::<(bool, u32)>();
        size_of::<Asked>() + rows + self.bytes + resets + self.tables.weight()
    }

    /// Adds a request; the oldest are dropped, because they may never get a response.
    pub(super) fn push(&mut self, stream: u32, url: &[u8], is_tunnel: bool) {
        let url = kept_url(url);
        self.bytes += url.len();
        self.requests.push_back(Request { stream, url: url.into(), is_tunnel });
        while (self.requests.len() > MAX_ASKED || self.bytes > MAX_URLS)
            && let Some(oldest) = self.requests.pop_front()
        {
            self.bytes -= oldest.url.len();
        }
    }

    pub(super) fn take(&mut self, stream: u32) -> Option<Request> {
        let at = self.requests.iter().position(|request| request.stream == stream)?;
        let request = self.requests.remove(at)?;
        self.bytes -= request.url.len();
        Some(request)
    }
}
