//! Which protocol a direction speaks, found from its first bytes.

use super::talk::Talk;
use crate::engine::packet::bytes::be16;
use crate::engine::packet::payload::coding::InflateBudget;
use crate::engine::packet::contract::expectations::Expectations;
use crate::engine::packet::{Counters, Packet, Ports, Visitor};
use crate::engine::packet::protocol::http::http2;
use crate::engine::packet::protocol::{dns, ftp, http, imap, plain, pop3, proxy, smb, smtp, socks, ssh, syslog, tls};
use crate::engine::progress::bound;

/// What a parser needs to tell what it finds.
pub(in crate::engine::packet) struct ParseContext<'c, 'p, V> {
    /// The packet whose bytes are being read.
    pub(in crate::engine::packet) packet: &'c Packet<'p>,
    pub(in crate::engine::packet) visitor: &'c mut V,
    pub(in crate::engine::packet) counters: &'c mut Counters,
    /// Scratch for URLs that are put together.
    pub(in crate::engine::packet) url: &'c mut Vec<u8>,
    /// Connections that others announced.
    pub(in crate::engine::packet) announced: &'c mut Expectations,
    /// The requests that were not answered yet.
    pub(in crate::engine::packet) requests: &'c mut Requests,
    /// What the directions know of each other.
    pub(in crate::engine::packet) talk: &'c mut Talk,
    /// The files that come in ranges.
    pub(in crate::engine::packet) ranges: &'c mut http::Ranges,
    /// What may be unpacked.
    pub(in crate::engine::packet) credit: &'c InflateBudget,
    /// Whether what is of no known protocol is shown as text.
    pub(in crate::engine::packet) reads_unknown: bool,
    /// Whether the direction has ended as its sender meant it: with a FIN, and every
    /// byte in front of it was there.
    pub(in crate::engine::packet) is_ended: bool,
}

impl<'c, 'p, V: Visitor> ParseContext<'c, 'p, V> {
    pub(in crate::engine::packet) fn new(
        packet: &'c Packet<'p>,
        visitor: &'c mut V,
        counters: &'c mut Counters,
        shared: &'c mut Shared,
        requests: &'c mut Requests,
        talk: &'c mut Talk,
    ) -> Self {
        let Shared { url, announced, ranges, credit, reads_unknown } = shared;
        ParseContext {
            packet,
            visitor,
            counters,
            url,
            announced,
            requests,
            talk,
            ranges,
            credit,
            reads_unknown: *reads_unknown,
            is_ended: false,
        }
    }
}

/// A packet, and what its stream may use and tells; without what is of the stream alone.
pub(in crate::engine::packet) struct StreamContext<'c, 'p, V> {
    pub(in crate::engine::packet) packet: &'c Packet<'p>,
    pub(in crate::engine::packet) visitor: &'c mut V,
    pub(in crate::engine::packet) counters: &'c mut Counters,
    pub(in crate::engine::packet) shared: &'c mut Shared,
}

/// What all streams of a decoder share.
#[derive(Debug)]
pub(in crate::engine::packet) struct Shared {
    /// Scratch for URLs that are put together.
    pub(in crate::engine::packet) url: Vec<u8>,
    /// Connections that others announced.
    pub(in crate::engine::packet) announced: Expectations,
    /// Files that come in ranges.
    pub(in crate::engine::packet) ranges: http::Ranges,
    /// What may be unpacked.
    pub(in crate::engine::packet) credit: InflateBudget,
    /// Whether what is of no known protocol is shown as text.
    pub(in crate::engine::packet) reads_unknown: bool,
}

impl Shared {
    /// `most_bytes` are for the files that come in ranges.
    pub(in crate::engine::packet) fn new(most_bytes: usize, reads_unknown: bool) -> Self {
        Shared {
            url: Vec::new(),
            announced: Expectations::default(),
            ranges: http::Ranges::new(most_bytes),
            credit: InflateBudget::default(),
            reads_unknown,
        }
    }
}

/// What a parser did with the bytes that it was shown.
#[derive(Debug)]
pub(in crate::engine::packet) enum Step {
    /// So many are done with; with none, its state is another one.
    Took(usize),
    /// So many, from the first that was shown, need no look.
    Skip(u64),
    /// So many must be there before it makes sense to ask again.
    Wait(usize),
    /// None yet: it sees them with other eyes now. Few such answers in a row are allowed.
    Again,
    /// What follows may be of any protocol.
    Restart,
    /// It is this protocol.
    Become(Parser),
    /// It is not the protocol, or not any more.
    Lost,
    /// Nothing more can be read in this direction.
    Over,
}

/// Bytes of URLs that are kept for the answers, of one and of all.
const MAX_URL: usize = bound(2 << 10, 48);
const MAX_URLS: usize = bound(16 << 10, 128);

/// The memory that is kept for them while there are none.
const MAX_SPARE: usize = bound(512, 32);

/// What is kept of a URL. A part of it would be another one, but without its query it
/// still names the file.
pub(in crate::engine::packet) fn kept_url(url: &[u8]) -> &[u8] {
    let path = url.iter().position(|&b| b == b'?').unwrap_or(url.len());
    let url = if url.len() <= MAX_URL { url } else { url.get(..path).unwrap_or_default() };
    if url.len() <= MAX_URL { url } else { &[] }
}

/// The requests of a connection that wait for their answer, the oldest first; of
/// more than there is room for, the youngest are taken for usual ones, and nothing is
/// known of their URLs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Requests {
    /// Two bits each.
    kinds: u64,
    count: u32,
    /// Requests from the oldest on whose URL is kept.
    kept: u32,
    /// Their URLs, each behind its length in two bytes.
    urls: Vec<u8>,
    /// The connection is one of WebSocket from here on.
    pub(in crate::engine::packet) is_websocket: bool,
    /// The requests of HTTP/2, by stream.
    pub(in crate::engine::packet) asked: Option<Box<http2::Asked>>,
}

/// What decides about the length of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) enum RequestKind {
    #[default]
    Usual = 0,
    Head = 1,
    Connect = 2,
}

impl Requests {
    /// A request, with its URL where the answer will ask for it.
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

    /// The oldest request is answered; `url` becomes its URL, empty if it is not known.
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

    /// Whether no answer is awaited.
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0 && self.asked.is_none()
    }

    /// Bytes that are held.
    pub(super) fn weight(&self) -> usize {
        self.urls.capacity() + self.asked.as_ref().map_or(0, |asked| asked.weight())
    }
}

/// The state of one direction.
#[derive(Debug, Default)]
pub(in crate::engine::packet) enum Parser {
    /// Of no known protocol; each segment is asked anew.
    #[default]
    Unidentified,
    /// Its first bytes are awaited.
    Start,
    Dns,
    FtpClient(ftp::Client),
    FtpData(Box<ftp::Data>),
    FtpServer(ftp::Server),
    Http(http::Framing),
    Http2(Box<http2::Direction>),
    Imap(Box<imap::Side>),
    /// Of no known protocol, and shown as text.
    Plain,
    Pop3(pop3::Side),
    Proxy(proxy::Side),
    Smb(smb::Side),
    Smtp(smtp::Client),
    Socks(socks::Side),
    Ssh(ssh::Negotiation),
    Syslog,
    Tls(tls::Records),
    Over,
}

impl Parser {
    /// Bytes that are held beside the stream's own buffer.
    pub(super) fn weight(&self) -> usize {
        match self {
            Parser::FtpData(data) => size_of::<ftp::Data>() + data.weight(),
            Parser::Http(framing) => framing.weight(),
            Parser::Http2(direction) => direction.weight(),
            Parser::Imap(side) => size_of::<imap::Side>() + side.weight(),
            Parser::Pop3(side) => side.weight(),
            Parser::Smtp(client) => client.weight(),
            Parser::Ssh(negotiation) => negotiation.weight(),
            Parser::Tls(records) => records.weight(),
            _ => 0,
        }
    }

    /// Reads on. `data` is not empty.
    pub(super) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        is_synced: bool,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        match self {
            Parser::Unidentified => Step::Lost,
            Parser::Over => Step::Over,
            Parser::Start => match guess(data, is_synced, context) {
                Probe::Is(parser) => Step::Become(parser),
                Probe::Maybe(wants) => Step::Wait(wants),
                Probe::No if context.reads_unknown => Step::Become(Parser::Plain),
                Probe::No => Step::Lost,
            },
            Parser::Plain => match begun(data, context) {
                Some(parser) => Step::Become(parser),
                None => plain::step(data, context),
            },
            Parser::Dns => dns::step(data, is_synced, context),
            Parser::FtpClient(client) => client.step(data, context),
            Parser::FtpData(transfer) => transfer.step(data, context),
            Parser::FtpServer(server) => server.step(data, context),
            Parser::Http(framing) => framing.step(data, context),
            Parser::Http2(direction) => direction.step(data, context),
            Parser::Imap(side) => side.step(data, context),
            Parser::Pop3(side) => side.step(data, context),
            Parser::Proxy(side) => side.step(data, context),
            Parser::Smb(side) => side.step(data, context),
            Parser::Smtp(client) => client.step(data, context),
            Parser::Socks(side) => side.step(data, context),
            Parser::Ssh(negotiation) => negotiation.step(data, context),
            Parser::Syslog => syslog::step(data, context),
            Parser::Tls(records) => records.step(data, context),
        }
    }

    /// So many bytes, behind those that were shown and not taken, never come.
    /// Answers whether it goes on behind them; if not, it is broken off.
    pub(super) fn gap<V: Visitor>(
        &mut self,
        length: u64,
        context: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        match self {
            Parser::FtpData(data) => data.gap(length),
            Parser::Http(framing) => framing.gap(length),
            Parser::Http2(direction) => direction.gap(length, context),
            Parser::Imap(side) => side.gap(length, context),
            Parser::Pop3(side) => side.gap(length, context),
            Parser::Smb(side) => side.gap(length, context),
            Parser::Smtp(client) => client.gap(length, context),
            _ => false,
        }
    }

    /// Reads what there is of a message that does not go on.
    pub(super) fn finish<V: Visitor>(self, data: &[u8], context: &mut ParseContext<'_, '_, V>) {
        match self {
            Parser::Unidentified
            | Parser::Over
            | Parser::FtpClient(_)
            | Parser::FtpServer(_)
            | Parser::Smb(_)
            | Parser::Socks(_)
            | Parser::Ssh(_) => {}
            Parser::Start => {
                if let Probe::Is(parser) = guess_now(data, context) {
                    parser.finish(data, context);
                }
            }
            Parser::Dns => dns::finish(data, context),
            Parser::FtpData(data) => data.finish(context),
            Parser::Http(mut framing) => framing.finish(data, context),
            Parser::Http2(mut direction) => direction.finish(context),
            Parser::Imap(mut side) => side.finish(context),
            Parser::Plain => plain::show(data, context.packet, context.visitor),
            Parser::Pop3(mut side) => side.finish(context),
            Parser::Proxy(side) => side.finish(data, context),
            Parser::Smtp(mut client) => client.finish(context),
            Parser::Syslog => syslog::finish(data, context),
            Parser::Tls(records) => records.finish(data, context),
        }
    }
}

/// What first bytes look like.
pub(in crate::engine::packet) enum Probe {
    Is(Parser),
    /// So many bytes are needed to tell.
    Maybe(usize),
    No,
}

impl Probe {
    /// Whether data begins, in any case, with one of these words, which give `parser`
    /// away.
    pub(in crate::engine::packet) fn by_opening<'o>(
        data: &[u8],
        openings: impl IntoIterator<Item = &'o [u8]>,
        parser: impl FnOnce() -> Parser,
    ) -> Probe {
        let mut is_short = false;
        for opening in openings {
            let length = opening.len().min(data.len());
            let (start, begun) = (data.get(..length), opening.get(..length));
            if start.zip(begun).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b)) {
                if length == opening.len() {
                    return Probe::Is(parser());
                }
                is_short = true;
            }
        }
        if is_short { Probe::Maybe(data.len() + 1) } else { Probe::No }
    }

    fn or_else(self, other: impl FnOnce() -> Probe) -> Probe {
        match self {
            Probe::Is(parser) => Probe::Is(parser),
            Probe::No => other(),
            Probe::Maybe(wants) => match other() {
                Probe::Is(parser) => Probe::Is(parser),
                Probe::Maybe(others) => Probe::Maybe(wants.min(others)),
                Probe::No => Probe::Maybe(wants),
            },
        }
    }
}

/// Looks for a protocol, ready to wait for more. `is_synced`: the direction begins here.
fn guess<V: Visitor>(data: &[u8], is_synced: bool, context: &ParseContext<'_, '_, V>) -> Probe {
    let (ports, talk) = (context.packet.ports, &*context.talk);
    proxy::guess(data)
        .or_else(|| tls::guess(data))
        .or_else(|| ssh::guess(data))
        .or_else(|| smtp::guess(data))
        .or_else(|| ftp::guess(data, ports, talk))
        .or_else(|| pop3::guess(data, ports))
        .or_else(|| imap::guess(data))
        .or_else(|| socks::guess(data, talk))
        .or_else(|| smb::guess(data))
        .or_else(|| syslog::guess(data))
        .or_else(|| http2::guess(data, is_synced))
        .or_else(|| http::guess(data))
        .or_else(|| dns::guess(data, ports))
        .or_else(|| plain::guess(data))
}

/// Looks for a protocol in all that there is.
fn guess_now<V: Visitor>(data: &[u8], context: &ParseContext<'_, '_, V>) -> Probe {
    match guess(data, true, context) {
        Probe::Maybe(_) if http::is_head(data) => Probe::Is(Parser::Http(http::Framing::default())),
        guess => guess,
    }
}

/// The protocol that begins in the midst of what is none, if it is sure.
fn begun<V: Visitor>(data: &[u8], context: &ParseContext<'_, '_, V>) -> Option<Parser> {
    match begins(data, context.packet.ports).then(|| guess(data, false, context)) {
        Some(Probe::Is(parser)) => Some(parser),
        _ => None,
    }
}

/// Whether a protocol begins with a segment, in the midst of what is none.
pub(super) fn begins(data: &[u8], ports: Ports) -> bool {
    tls::begins(data)
        || http::is_head(data)
        || http2::begins(data)
        || smb::begins(data)
        || smtp::begins(data)
        || ftp::begins(data)
        || dns::begins(data, ports)
}

#[cfg(test)]
mod tests {
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

    /// Against a list of them all.
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
