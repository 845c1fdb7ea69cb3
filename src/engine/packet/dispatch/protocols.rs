//! The protocols over TCP, and the choice of one for each direction.

use crate::engine::packet::contract::expectations::End;
use crate::engine::packet::contract::{
    Opening, ParseContext, Probe, Protocol, Session, Slot, Step,
};
use crate::engine::packet::protocol::{
    dns, ftp, http, imap, plain, pop3, proxy, smb, smtp, socks, ssh, syslog, tls,
};
use crate::engine::packet::view::{Ports, Visitor};
use std::net::IpAddr;

/// Turns each row into a variant of [`Parser`], and of [`SharedSession`] if both directions share
/// one; calls are dispatched statically to its implementation of [`Protocol`].
macro_rules! protocols {
    ($($name:ident($side:ty) $(shares $session:ty)?;)*) => {
        /// The state of one direction.
        #[derive(Debug, Default)]
        pub(in crate::engine::packet) enum Parser {
            /// An unknown protocol; each segment is probed again.
            #[default]
            Unidentified,
            /// The first bytes have not arrived.
            Start,
            $($name($side),)*
            /// Nothing more can be parsed.
            Over,
        }

        impl Parser {
            /// Bytes held in addition to the stream's own buffer.
            pub(in crate::engine::packet) fn weight(&self) -> usize {
                match self {
                    Parser::Unidentified | Parser::Start | Parser::Over => 0,
                    $(Parser::$name(side) => <$side as Protocol>::weight(side),)*
                }
            }

            /// The parser of an announced connection.
            pub(in crate::engine::packet) fn expected(end: End, is_synced: bool) -> Parser {
                None
                    $(.or_else(|| {
                        <$side as Protocol>::expected(end, is_synced).map(Parser::$name)
                    }))*
                    .unwrap_or(Parser::Start)
            }

            /// Looks for a protocol. More bytes may be requested.
            fn probe(data: &[u8], opening: &Opening, state: &ConnectionState) -> Probe<Parser> {
                Probe::No
                    $(.or_else(|| {
                        <$side as Protocol>::probe(data, opening, state).map(Parser::$name)
                    }))*
            }

            /// Looks for a protocol when no more bytes will come.
            fn probe_all(data: &[u8]) -> Option<Parser> {
                None$(.or_else(|| <$side as Protocol>::probe_all(data).map(Parser::$name)))*
            }

            fn read<V: Visitor>(
                &mut self,
                data: &[u8],
                state: &mut ConnectionState,
                context: &mut ParseContext<'_, '_, V>,
            ) -> Step {
                match self {
                    Parser::Unidentified | Parser::Start => Step::Lost,
                    Parser::Over => Step::Over,
                    $(Parser::$name(side) => side.step(data, state, context),)*
                }
            }

            /// A number of bytes, after those that were passed and not consumed, is missing.
            /// Returns whether the parser can continue after them; otherwise it is finished.
            pub(in crate::engine::packet) fn gap<V: Visitor>(
                &mut self,
                length: u64,
                state: &mut ConnectionState,
                context: &mut ParseContext<'_, '_, V>,
            ) -> bool {
                match self {
                    Parser::Unidentified | Parser::Start | Parser::Over => false,
                    $(Parser::$name(side) => side.gap(length, state, context),)*
                }
            }

            /// Parses what there is of a message that does not continue.
            pub(in crate::engine::packet) fn finish<V: Visitor>(
                self,
                data: &[u8],
                state: &mut ConnectionState,
                context: &mut ParseContext<'_, '_, V>,
            ) {
                match self {
                    Parser::Unidentified | Parser::Over => {}
                    Parser::Start => {
                        if let Some(parser) = probe_now(data, state, context) {
                            parser.finish(data, state, context);
                        }
                    }
                    $(Parser::$name(side) => side.finish(data, state, context),)*
                }
            }

            /// The other end sends nothing more, and had not received all of this direction by
            /// then.
            pub(in crate::engine::packet) fn leave(&mut self) {
                match self {
                    Parser::Unidentified | Parser::Start | Parser::Over => {}
                    $(Parser::$name(side) => side.leave(),)*
                }
            }
        }

        /// Whether a protocol begins with a segment, in the middle of an unidentified stream.
        pub(in crate::engine::packet) fn begins(data: &[u8], ports: Ports) -> bool {
            false $(|| <$side as Protocol>::begins(data, ports))*
        }

        /// The end at which a segment announces that another connection will be accepted.
        pub(in crate::engine::packet) fn announced(data: &[u8]) -> Option<(IpAddr, u16)> {
            None$(.or_else(|| <$side as Protocol>::announced(data)))*
        }

        /// The session of a connection: of one protocol at a time.
        #[derive(Debug, Default)]
        enum SharedSession {
            #[default]
            None,
            $($($name($session),)?)*
        }

        impl SharedSession {
            fn weight(&self) -> usize {
                match self {
                    SharedSession::None => 0,
                    $($(SharedSession::$name(session) => <$session as Session>::weight(session),)?)*
                }
            }

            fn gives_way(&self) -> bool {
                match self {
                    SharedSession::None => true,
                    $($(
                        SharedSession::$name(session) => <$session as Session>::gives_way(session),
                    )?)*
                }
            }
        }

        $($(
            impl Slot<$session> for ConnectionState {
                fn get(&self) -> Option<&$session> {
                    match &self.session {
                        SharedSession::$name(session) => Some(session),
                        _ => None,
                    }
                }

                fn get_mut(&mut self) -> Option<&mut $session> {
                    match &mut self.session {
                        SharedSession::$name(session) => Some(session),
                        _ => None,
                    }
                }

                fn begin(&mut self) -> &mut $session {
                    if !matches!(self.session, SharedSession::$name(_)) {
                        self.session = SharedSession::$name(<$session>::default());
                    }
                    match &mut self.session {
                        SharedSession::$name(session) => session,
                        _ => unreachable!("it was begun just now"),
                    }
                }

                fn begin_if_free(&mut self) -> Option<&mut $session> {
                    let is_own = matches!(self.session, SharedSession::$name(_));
                    (is_own || self.session.gives_way()).then(|| self.begin())
                }

                fn end(&mut self) {
                    if matches!(self.session, SharedSession::$name(_)) {
                        self.session = SharedSession::None;
                    }
                }
            }
        )?)*
    };
}

// In the order in which they are probed: the first that is certain is used.
protocols! {
    Proxy(proxy::Side);
    Tls(tls::Records);
    Ssh(ssh::Negotiation);
    Smtp(smtp::Client);
    Ftp(ftp::Side) shares ftp::Session;
    Pop3(pop3::Side) shares Box<pop3::Asked>;
    Imap(Box<imap::Side>);
    Socks(socks::Side) shares socks::Version;
    Smb(smb::Side) shares Box<smb::Session>;
    Syslog(syslog::Messages);
    Http(http::Side);
    Dns(dns::Messages);
    Plain(plain::Lines);
}

/// What the directions of a connection share.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct ConnectionState {
    /// For the protocols that share nothing.
    nothing: (),
    /// The session of HTTP is separate: what is sent through a proxy begins before the session
    /// with the proxy is over.
    requests: http::Requests,
    session: SharedSession,
}

impl ConnectionState {
    /// Bytes that are held.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        self.requests.weight() + self.session.weight()
    }

    /// Whether one side has sent what is needed to parse the other.
    pub(in crate::engine::packet) fn is_needed(&self) -> bool {
        !self.requests.is_empty() || !matches!(self.session, SharedSession::None)
    }
}

/// A session that always exists.
macro_rules! always {
    ($($field:ident: $session:ty;)*) => {$(
        impl Slot<$session> for ConnectionState {
            fn get(&self) -> Option<&$session> {
                Some(&self.$field)
            }

            fn get_mut(&mut self) -> Option<&mut $session> {
                Some(&mut self.$field)
            }

            fn begin(&mut self) -> &mut $session {
                &mut self.$field
            }

            fn begin_if_free(&mut self) -> Option<&mut $session> {
                Some(&mut self.$field)
            }

            fn end(&mut self) {
                self.$field = Default::default();
            }
        }
    )*};
}

always! {
    nothing: ();
    requests: http::Requests;
}

impl Parser {
    /// A parser for bytes of unknown protocols, if these are searched.
    pub(in crate::engine::packet) fn text() -> Parser {
        Parser::Plain(plain::Lines)
    }

    /// Continues parsing. `data` is not empty.
    pub(in crate::engine::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        state: &mut ConnectionState,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let next = match self {
            Parser::Start => {
                let (ports, is_synced) = (context.packet.ports, context.is_synced);
                match Parser::probe(data, &Opening { ports, is_synced }, state) {
                    Probe::Is(parser) => parser,
                    Probe::Maybe(wants) => return Step::Wait(wants),
                    Probe::No if context.reads_unknown => Parser::text(),
                    Probe::No => return Step::Lost,
                }
            }
            Parser::Plain(_) => match begun(data, state, context) {
                Some(parser) => parser,
                None => return self.read(data, state, context),
            },
            _ => return self.read(data, state, context),
        };
        *self = next;
        Step::Again
    }
}

/// Looks for a protocol in all available bytes.
fn probe_now<V>(
    data: &[u8],
    state: &ConnectionState,
    context: &ParseContext<'_, '_, V>,
) -> Option<Parser> {
    let opening = Opening { ports: context.packet.ports, is_synced: true };
    match Parser::probe(data, &opening, state) {
        Probe::Is(parser) => Some(parser),
        Probe::Maybe(_) => Parser::probe_all(data),
        Probe::No => None,
    }
}

/// The protocol that begins in the middle of an unidentified stream, if it is certain.
fn begun<V>(
    data: &[u8],
    state: &ConnectionState,
    context: &ParseContext<'_, '_, V>,
) -> Option<Parser> {
    let ports = context.packet.ports;
    if !begins(data, ports) {
        return None;
    }
    match Parser::probe(data, &Opening { ports, is_synced: false }, state) {
        Probe::Is(parser) => Some(parser),
        Probe::Maybe(_) | Probe::No => None,
    }
}
