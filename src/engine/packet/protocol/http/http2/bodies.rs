//! Bodies of many concurrent streams.

use super::head::Head;
use crate::engine::packet::protocol::http::content::{Content, ContentFacts, is_wanted};
use crate::engine::packet::protocol::http::context::HttpContext;
use crate::engine::packet::{Fault, Visitor};
use crate::engine::progress::bound;

/// Concurrent bodies of one direction that are decoded. Most servers allow a hundred streams.
const MAX_OPEN: usize = bound(128, 3);

/// Bytes that are held for them: one large window of Brotli, and many small ones.
const MAX_BYTES: usize = 24 << 20;

/// Streams that were reset, until the other direction has processed it.
const MAX_RESETS: usize = bound(64, 3);

/// The bodies of one direction.
#[derive(Debug)]
pub(super) struct Bodies {
    is_client: bool,
    open: Vec<(u32, Content)>,
    bytes: usize,
}

impl Bodies {
    pub(super) fn new(is_client: bool) -> Self {
        Bodies { is_client, open: Vec::new(), bytes: 0 }
    }

    /// Bytes that are held.
    pub(super) fn weight(&self) -> usize {
        self.bytes + self.open.capacity() * size_of::<(u32, Content)>()
    }

    /// Notes the request on a stream, for `context.url`.
    pub(super) fn asked<V: Visitor>(
        &self,
        stream: u32,
        head: &Head,
        context: &mut HttpContext<'_, '_, V>,
    ) {
        if head.is_tunnel() || is_wanted(head.lines(), context.visitor) {
            let asked = context.requests.asked.get_or_insert_default();
            asked.push(stream, context.url, head.is_tunnel());
        }
    }

    /// A stream gets its response: `context.url` becomes the requested URL, empty if it is
    /// unknown. False if a tunnel follows instead of a message.
    pub(super) fn answered<V: Visitor>(
        &self,
        stream: u32,
        context: &mut HttpContext<'_, '_, V>,
    ) -> bool {
        context.url.clear();
        match context.requests.asked.as_mut().and_then(|asked| asked.take(stream)) {
            Some(request) => {
                context.url.extend_from_slice(&request.url);
                !request.is_tunnel
            }
            None if stream == 1 => {
                // It may be the HTTP/1 request for the upgrade.
                context.requests.pop(context.url);
                true
            }
            None => true,
        }
    }

    /// A body begins, of a message to or from `context.url`.
    pub(super) fn begin<V: Visitor>(
        &mut self,
        stream: u32,
        head: &Head,
        is_named: bool,
        context: &mut HttpContext<'_, '_, V>,
    ) {
        self.remove(stream, false, context);
        if !is_wanted(head.lines(), context.visitor) {
            return;
        }
        let url = std::mem::take(context.url);
        let facts = ContentFacts::of(&url, is_named, self.is_client);
        let content = Content::begin(facts.headers(head.lines()), context);
        *context.url = url;
        let Some(content) = content else { return };
        self.drop_reset(context);
        let weight = content.weight();
        if self.open.len() >= MAX_OPEN || self.bytes + weight > MAX_BYTES {
            context.counters.note(Fault::Http2Bodies);
            return content.finish(false, context);
        }
        self.bytes += weight;
        self.open.push((stream, content));
    }

    /// Whether the body of a stream is needed.
    pub(super) fn has(&self, stream: u32) -> bool {
        self.open.iter().any(|(open, _)| *open == stream)
    }

    /// The next bytes of a body. Returns whether more are needed.
    pub(super) fn push<V: Visitor>(
        &mut self,
        stream: u32,
        data: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) -> bool {
        let found = self.open.iter_mut().find(|(open, _)| *open == stream);
        let Some((_, content)) = found else { return false };
        let before = content.weight();
        content.push(data, context);
        let is_over = content.is_over();
        self.bytes = self.bytes + content.weight() - before;
        let is_too_much = self.bytes > MAX_BYTES;
        if is_too_much {
            context.counters.note(Fault::Http2Bodies);
        }
        if is_over || is_too_much {
            self.remove(stream, false, context);
        }
        !is_over && !is_too_much
    }

    /// Bytes of a body are missing.
    pub(super) fn gap(&mut self, stream: u32, length: u64) {
        if let Some((_, content)) = self.open.iter_mut().find(|(open, _)| *open == stream) {
            let before = content.weight();
            content.gap(length);
            self.bytes = self.bytes + content.weight() - before;
        }
    }

    /// A stream has ended in this direction.
    pub(super) fn finish<V: Visitor>(&mut self, stream: u32, context: &mut HttpContext<'_, '_, V>) {
        self.remove(stream, true, context);
    }

    /// This side resets a stream, in both directions.
    pub(super) fn reset<V: Visitor>(&mut self, stream: u32, context: &mut HttpContext<'_, '_, V>) {
        self.remove(stream, false, context);
        if let Some(asked) = &mut context.requests.asked {
            asked.resets.push_back((!self.is_client, stream));
            if asked.resets.len() > MAX_RESETS {
                asked.resets.pop_front();
            }
        }
    }

    /// Drops all bodies, because the state of their streams is unknown.
    pub(super) fn clear(&mut self) {
        self.open.clear();
        self.bytes = 0;
    }

    /// Drops the streams that the other side has reset.
    fn drop_reset<V: Visitor>(&mut self, context: &mut HttpContext<'_, '_, V>) {
        let Some(asked) = &mut context.requests.asked else { return };
        let is_client = self.is_client;
        let mut resets = std::mem::take(&mut asked.resets);
        resets.retain(|&(for_client, stream)| {
            if for_client == is_client {
                self.remove(stream, false, context);
            }
            for_client != is_client
        });
        if let Some(asked) = &mut context.requests.asked {
            asked.resets = resets;
        }
    }

    fn remove<V: Visitor>(
        &mut self,
        stream: u32,
        is_whole: bool,
        context: &mut HttpContext<'_, '_, V>,
    ) {
        if let Some(at) = self.open.iter().position(|(open, _)| *open == stream) {
            let (_, content) = self.open.swap_remove(at);
            self.bytes -= content.weight();
            content.finish(is_whole, context);
        }
    }
}
