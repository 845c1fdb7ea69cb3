//! The requests of a connection without a response.

use super::http2::Asked;
use super::kept::kept_url;
use crate::engine::packet::bytes::be16;
use crate::engine::packet::contract::Session;
use crate::engine::progress::bound;

/// Bytes of all URLs of a connection that are kept for the responses.
const MAX_URLS: usize = bound(16 << 10, 128);

/// Capacity that is kept while there are none.
const MAX_SPARE: usize = bound(512, 32);

/// The requests of a connection without a response, the oldest first; if there are more than fit,
/// the latest are treated as usual ones with an unknown URL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Requests {
    /// Two bits each.
    kinds: u64,
    count: u32,
    /// The number of requests, from the oldest on, whose URL is kept.
    kept: u32,
    /// Their URLs, each after its length in two bytes.
    urls: Vec<u8>,
    /// The connection is WebSocket from here on.
    pub(in crate::engine::packet) is_websocket: bool,
    /// The requests of HTTP/2, by stream.
    pub(in crate::engine::packet) asked: Option<Box<Asked>>,
}

/// What affects the length of a response.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) enum RequestKind {
    #[default]
    Usual = 0,
    Head = 1,
    Connect = 2,
}

impl Requests {
    /// Adds a request, with its URL if the response needs it.
    pub(in crate::engine::packet) fn push(&mut self, kind: RequestKind, url: Option<&[u8]>) {
        if self.count < u64::BITS / 2 {
            self.kinds |= (kind as u64) << (2 * self.count);
        }
        if let Some(url) = url
            && self.kept == self.count
            && self.urls.len() < MAX_URLS
        {
            let url = kept_url(url);
            self.urls.extend_from_slice(&(url.len() as u16).to_be_bytes());
            self.urls.extend_from_slice(url);
            self.kept += 1;
        }
        self.count = self.count.saturating_add(1);
    }

    /// Removes the oldest request; `url` becomes its URL, empty if it is unknown.
    pub(in crate::engine::packet) fn pop(&mut self, url: &mut Vec<u8>) -> RequestKind {
        url.clear();
        let kind = match self.kinds & 3 {
            1 => RequestKind::Head,
            2 => RequestKind::Connect,
            _ => RequestKind::Usual,
        };
        self.kinds >>= 2;
        self.count = self.count.saturating_sub(1);
        if self.kept > 0 {
            self.kept -= 1;
            let end = 2 + be16(&self.urls, 0).map_or(0, usize::from);
            url.extend_from_slice(self.urls.get(2..end).unwrap_or_default());
            self.urls.drain(..end.min(self.urls.len()));
            if self.urls.is_empty() && self.urls.capacity() > MAX_SPARE {
                self.urls = Vec::new();
            }
        }
        kind
    }

    /// Whether all requests have a response.
    pub(in crate::engine::packet) fn is_empty(&self) -> bool {
        self.count == 0 && self.asked.is_none()
    }
}

impl Session for Requests {
    fn weight(&self) -> usize {
        self.urls.capacity() + self.asked.as_ref().map_or(0, |asked| asked.weight())
    }
}

#[cfg(test)]
mod tests {
    use super::super::kept::MAX_URL;
    use super::*;

    #[test]
    fn requests_come_back_in_their_order() {
        let mut requests = Requests::default();
        let mut url = b"before".to_vec();
        assert_eq!(requests.pop(&mut url), RequestKind::Usual);
        assert!(url.is_empty());
        let kinds = [RequestKind::Head, RequestKind::Usual, RequestKind::Connect];
        for at in 0..40 {
            requests.push(kinds[at % 3], None);
        }
        for at in 0..32 {
            assert_eq!(requests.pop(&mut url), kinds[at % 3], "{at}");
        }
        assert_eq!(requests.pop(&mut url), RequestKind::Usual);
    }

    /// Compared with a list of all requests.
    #[test]
    fn urls_come_back_with_their_requests() {
        let mut requests = Requests::default();
        let mut slow = std::collections::VecDeque::new();
        let mut got = Vec::new();
        let mut known = 0;
        for round in 0..4000_usize {
            let url =
                format!("http://a.example/{}?{}", round, "q".repeat(round % 2500)).into_bytes();
            requests.push(RequestKind::Usual, (round % 7 != 0).then_some(&url));
            slow.push_back(url);
            assert!(requests.weight() <= 2 * (MAX_URLS + MAX_URL + 2));
            for _ in 0..(round / 50 % 3) {
                requests.pop(&mut got);
                let Some(want) = slow.pop_front() else { continue };
                if !got.is_empty() {
                    known += 1;
                    let path = want.split(|&b| b == b'?').next().unwrap();
                    let is_cut = want.len() > MAX_URL && got == path;
                    assert!(got == want || is_cut);
                }
            }
        }
        assert!(known > 50, "{known}");
    }
}
