//! Which protocol a direction speaks, found from its first bytes.

use super::talk::Talk;
use crate::packet::announced::Announced;
use crate::packet::{
    Counters, Packet, Ports, Visitor, dns, ftp, http, smb, smtp, socks, ssh, syslog, tls,
};

/// What a parser needs to tell what it finds.
pub(in crate::packet) struct Context<'c, 'p, V> {
    /// The packet whose bytes are being read.
    pub(in crate::packet) packet: &'c Packet<'p>,
    pub(in crate::packet) visitor: &'c mut V,
    pub(in crate::packet) counters: &'c mut Counters,
    /// Scratch for URLs that are put together.
    pub(in crate::packet) url: &'c mut Vec<u8>,
    /// Connections that others announced.
    pub(in crate::packet) announced: &'c mut Announced,
    /// The requests that were not answered yet.
    pub(in crate::packet) requests: Requests,
    /// What the directions know of each other.
    pub(in crate::packet) talk: Talk,
    /// Whether the direction has ended as its sender meant it: with a FIN, and every
    /// byte in front of it was there.
    pub(in crate::packet) is_ended: bool,
}

impl<'c, 'p, V: Visitor> Context<'c, 'p, V> {
    pub(in crate::packet) fn new(
        packet: &'c Packet<'p>,
        visitor: &'c mut V,
        counters: &'c mut Counters,
        url: &'c mut Vec<u8>,
        announced: &'c mut Announced,
    ) -> Self {
        Context {
            packet,
            visitor,
            counters,
            url,
            announced,
            requests: Requests::default(),
            talk: Talk::Nothing,
            is_ended: false,
        }
    }
}

/// What a parser did with the bytes that it was shown.
#[derive(Debug)]
pub(in crate::packet) enum Step {
    /// So many are done with.
    Took(usize),
    /// So many, from the first that was shown, need no look.
    Skip(u64),
    /// So many must be there before it makes sense to ask again.
    Wait(usize),
    /// None yet: it sees them with other eyes now. Never twice for the same bytes.
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

/// The requests of a connection that wait for their answer, the oldest first; of
/// more than there is room for, the youngest are taken for usual ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::packet) struct Requests {
    /// Two bits each.
    kinds: u64,
    count: u32,
}

/// What decides about the length of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::packet) enum RequestKind {
    #[default]
    Usual = 0,
    Head = 1,
    Connect = 2,
}

impl Requests {
    pub(in crate::packet) fn push(&mut self, kind: RequestKind) {
        if self.count < u64::BITS / 2 {
            self.kinds |= (kind as u64) << (2 * self.count);
        }
        self.count = self.count.saturating_add(1);
    }

    pub(in crate::packet) fn pop(&mut self) -> RequestKind {
        let kind = match self.kinds & 3 {
            1 => RequestKind::Head,
            2 => RequestKind::Connect,
            _ => RequestKind::Usual,
        };
        self.kinds >>= 2;
        self.count = self.count.saturating_sub(1);
        kind
    }
}

/// The state of one direction.
#[derive(Debug, Default)]
pub(in crate::packet) enum Parser {
    /// Of no known protocol; each segment is asked anew.
    #[default]
    Loose,
    /// Its first bytes are awaited.
    Start,
    Dns,
    FtpClient(ftp::Client),
    FtpData(ftp::Data),
    FtpServer(ftp::Server),
    Http(http::Framing),
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
            Parser::FtpData(data) => data.weight(),
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
        context: &mut Context<'_, '_, V>,
    ) -> Step {
        match self {
            Parser::Loose => Step::Lost,
            Parser::Over => Step::Over,
            Parser::Start => match guess(data, context.packet.ports, &context.talk) {
                Guess::Is(parser) => Step::Become(parser),
                Guess::Maybe(wants) => Step::Wait(wants),
                Guess::No => Step::Lost,
            },
            Parser::Dns => dns::step(data, is_synced, context),
            Parser::FtpClient(client) => client.step(data, context),
            Parser::FtpData(transfer) => transfer.step(data, context),
            Parser::FtpServer(server) => server.step(data, context),
            Parser::Http(framing) => framing.step(data, context),
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
        context: &mut Context<'_, '_, V>,
    ) -> bool {
        let _ = &context;
        match self {
            Parser::FtpData(data) => data.gap(length),
            Parser::Smb(side) => side.gap(length, context),
            _ => false,
        }
    }

    /// Reads what there is of a message that does not go on.
    pub(super) fn finish<V: Visitor>(self, data: &[u8], context: &mut Context<'_, '_, V>) {
        match self {
            Parser::Loose
            | Parser::Over
            | Parser::FtpClient(_)
            | Parser::FtpServer(_)
            | Parser::Smb(_)
            | Parser::Socks(_)
            | Parser::Ssh(_) => {}
            Parser::Start => {
                if let Guess::Is(parser) = guess_now(data, context.packet.ports, &context.talk) {
                    parser.finish(data, context);
                }
            }
            Parser::Dns => dns::finish(data, context),
            Parser::FtpData(data) => data.finish(context),
            Parser::Http(framing) => framing.finish(data, context),
            Parser::Smtp(client) => client.finish(data, context),
            Parser::Syslog => syslog::finish(data, context),
            Parser::Tls(records) => records.finish(data, context),
        }
    }
}

/// What first bytes look like.
pub(in crate::packet) enum Guess {
    Is(Parser),
    /// So many bytes are needed to tell.
    Maybe(usize),
    No,
}

impl Guess {
    fn or_else(self, other: impl FnOnce() -> Guess) -> Guess {
        match self {
            Guess::Is(parser) => Guess::Is(parser),
            Guess::No => other(),
            Guess::Maybe(wants) => match other() {
                Guess::Is(parser) => Guess::Is(parser),
                Guess::Maybe(others) => Guess::Maybe(wants.min(others)),
                Guess::No => Guess::Maybe(wants),
            },
        }
    }
}

/// Looks for a protocol, ready to wait for more.
fn guess(data: &[u8], ports: Ports, talk: &Talk) -> Guess {
    tls::guess(data)
        .or_else(|| ssh::guess(data))
        .or_else(|| smtp::guess(data))
        .or_else(|| ftp::guess(data, ports, talk))
        .or_else(|| socks::guess(data, talk))
        .or_else(|| smb::guess(data))
        .or_else(|| syslog::guess(data))
        .or_else(|| http::guess(data))
        .or_else(|| dns::guess(data, ports))
}

/// Looks for a protocol in all that there is.
fn guess_now(data: &[u8], ports: Ports, talk: &Talk) -> Guess {
    match guess(data, ports, talk) {
        Guess::Maybe(_) if http::is_head(data) => Guess::Is(Parser::Http(http::Framing::default())),
        guess => guess,
    }
}

/// Whether a protocol begins with a segment, in the midst of what is none.
pub(super) fn begins(data: &[u8], ports: Ports) -> bool {
    tls::begins(data)
        || http::is_head(data)
        || smb::begins(data)
        || ftp::begins(data)
        || dns::begins(data, ports)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_come_back_in_their_order() {
        let mut requests = Requests::default();
        assert_eq!(requests.pop(), RequestKind::Usual);
        let kinds = [RequestKind::Head, RequestKind::Usual, RequestKind::Connect];
        for at in 0..40 {
            requests.push(kinds[at % 3]);
        }
        for at in 0..32 {
            assert_eq!(requests.pop(), kinds[at % 3], "{at}");
        }
        assert_eq!(requests.pop(), RequestKind::Usual);
    }
}
