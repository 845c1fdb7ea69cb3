//! Text in unknown protocols, if requested, and in protocols that consist of text: SIP, RTSP,
//! ICAP, SSDP, IRC.
//!
//! It is passed on in whole lines if there are any, so that text split across two segments is
//! joined. Nothing is known about the structure of other bytes, so unknown protocols are only
//! searched on request.

use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::payload::text;
use crate::engine::packet::view::{Packet, Visitor};

/// The longest method of a request, and of a first line of IRC.
const MAX_METHOD: usize = 20;
const MAX_OPENING: usize = 512;

/// How responses begin, and the first words of IRC clients.
const OPENINGS: [&[u8]; 10] = [
    b"SIP/2.0 ",
    b"RTSP/1.0 ",
    b"RTSP/2.0 ",
    b"ICAP/1.0 ",
    b"NICK ",
    b"CAP LS",
    b"CAP REQ ",
    b"NOTICE AUTH ",
    b"NOTICE * ",
    b"WEBIRC ",
];

/// What follows the method of a request. For HTTP over datagrams (SSDP) it may be anything.
const TARGETS: [&[u8]; 7] =
    [b"sip:", b"sips:", b"tel:", b"rtsp://", b"rtspu://", b"icap://", b"icaps://"];
const TARGETS_OF_DATAGRAMS: [&[u8]; 1] = [b"* HTTP/1."];

/// What follows the method of a request: capitals and a blank.
fn after_method(data: &[u8]) -> Option<&[u8]> {
    let is_method = |&&byte: &&u8| byte.is_ascii_uppercase() || matches!(byte, b'-' | b'_');
    let length = data.iter().take(MAX_METHOD).take_while(is_method).count();
    data.get(length..)?.strip_prefix(b" ").filter(|_| length > 2)
}

fn begins_like(data: &[u8], openings: &[&[u8]]) -> bool {
    let begins =
        |open: &&[u8]| data.get(..open.len()).is_some_and(|head| head.eq_ignore_ascii_case(open));
    openings.iter().any(begins)
}

/// Whether a datagram is a message of a text protocol.
#[inline]
fn is_message(payload: &[u8]) -> bool {
    // Capitals, which most datagrams don't begin with.
    let [b'A'..=b'Z', b'A'..=b'Z' | b'-', b'A'..=b'Z' | b'-' | b'/', ..] = payload else {
        return false;
    };
    begins_like(payload, &OPENINGS)
        || begins_like(payload, &[b"HTTP/1.1 ", b"HTTP/1.0 "])
        || after_method(payload).is_some_and(|rest| {
            begins_like(rest, &TARGETS) || begins_like(rest, &TARGETS_OF_DATAGRAMS)
        })
}

/// Passes a datagram on as text, if it is a message of a text protocol; returns whether it is.
pub(in crate::engine::packet) fn inspect<V: Visitor>(
    payload: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
) -> bool {
    let is_text = is_message(payload);
    if is_text {
        text::show(payload, packet, visitor);
    }
    is_text
}

/// One direction of a stream of lines.
#[derive(Debug)]
pub(in crate::engine::packet) struct Lines;

impl Protocol for Lines {
    type Session = ();

    fn probe(data: &[u8], _: &Opening, _: &impl Slot<()>) -> Probe<Self> {
        match data.first() {
            Some(b'A'..=b'Z') => {}
            // An IRC server: its name, and a notice or a number.
            Some(b':') => {
                let line = data.get(..MAX_OPENING).unwrap_or(data);
                let end = memchr::memchr(b'\n', line);
                let mut words =
                    line.get(..end.unwrap_or(line.len())).unwrap_or(line).split(|&b| b == b' ');
                let (server, what) = (words.next().unwrap_or_default(), words.next());
                let is_name = server[1..].iter().all(|&b| b.is_ascii_graphic() && b != b':');
                return match (what, words.next()) {
                    (Some(b"NOTICE" | b"001" | b"020" | b"CAP"), Some(_)) if is_name => {
                        Probe::Is(Lines)
                    }
                    (_, None) if is_name && end.is_none() && data.len() < MAX_OPENING => {
                        Probe::Maybe(data.len() + 1)
                    }
                    _ => Probe::No,
                };
            }
            _ => return Probe::No,
        }
        if let Some(rest) = after_method(data) {
            match Probe::by_opening(rest, TARGETS, || Lines) {
                Probe::Is(parser) => return Probe::Is(parser),
                Probe::Maybe(_) => return Probe::Maybe(data.len() + 1),
                Probe::No => {}
            }
        }
        Probe::by_opening(data, OPENINGS, || Lines)
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        _: &mut impl Slot<()>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        match text::show_lines(data, context.packet, context.visitor) {
            Some(length) => Step::Took(length),
            None => Step::Wait(data.len() + 1),
        }
    }

    fn finish<V: Visitor>(
        self,
        data: &[u8],
        _: &mut impl Slot<()>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        text::show(data, context.packet, context.visitor);
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::Where;
    use crate::engine::packet::tests::{Recorder, decode_as, tcp_at, udp};
    use crate::engine::packet::{Config, Decoder};

    /// An unknown protocol: lines across two segments are joined, and the last one counts.
    const LINES: &[u8] = b"~go a.example\n~stay b.exam";
    const MORE: &[u8] = b"ple\n~ends c.example";

    fn texts(config: Config, packets: &[Vec<u8>]) -> String {
        decode_as(Decoder::new(config), Recorder::default(), packets).0.text_at(Where::LogText)
    }

    #[test]
    fn unknown_protocols_are_text_on_request() {
        let packets = [
            tcp_at(40_000, 7777, 0, LINES),
            tcp_at(40_000, 7777, LINES.len() as u32, MORE),
            udp(40_000, 7777, b"~d.example"),
        ];
        let asked = Config { unknown_text: true, ..Config::default() };
        let want = "~go a.example\n~d.example~stay b.example\n~ends c.example";
        let mut got = texts(asked.clone(), &packets);
        // The position of the datagram relative to the stream is arbitrary.
        got = got.replace("~d.example", "");
        assert_eq!(got, want.replace("~d.example", ""));
        assert!(texts(asked.clone(), &packets).contains("~d.example"));
        assert_eq!(texts(Config::default(), &packets), "");
        // Known protocols are parsed as usual.
        let request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
        assert_eq!(texts(asked, &[tcp_at(40_000, 7778, 0, request)]), "");
    }

    /// Text protocols are searched without a request, however they are split.
    #[test]
    fn protocols_that_are_text() {
        for stream in [
            &b"INVITE sip:a@b.example SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.7:5060\r\n\r\n"[..],
            b"SIP/2.0 200 OK\r\nContact: <sip:a@192.0.2.7>\r\n\r\n",
            b"DESCRIBE rtsp://b.example/x RTSP/1.0\r\nCSeq: 1\r\n\r\n",
            b"REQMOD icap://b.example/x ICAP/1.0\r\nHost: b.example\r\n\r\n",
            b"NICK bot\r\nUSER bot 0 * :bot\r\n",
            b":irc.b.example NOTICE * :*** Looking up\r\n:irc.b.example 001 bot :hi\r\n",
        ] {
            let whole = String::from_utf8_lossy(stream);
            assert_eq!(texts(Config::default(), &[tcp_at(40_000, 7777, 0, stream)]), whole);
            let bytes = stream.chunks(1).enumerate();
            let cut: Vec<_> =
                bytes.map(|(at, byte)| tcp_at(40_000, 7777, at as u32, byte)).collect();
            assert_eq!(texts(Config::default(), &cut), whole);
            if stream[0] != b':' {
                assert_eq!(texts(Config::default(), &[udp(40_000, 7777, stream)]), whole);
            }
        }
        for text in [&b"M-SEARCH * HTTP/1.1\r\nST: a\r\n\r\n"[..], b"HTTP/1.1 200 OK\r\n\r\n"] {
            assert!(!texts(Config::default(), &[udp(40_000, 1900, text)]).is_empty());
        }
        for text in [&b"GET a:b"[..], b"INVITE x sip:", b":a b c", b"sip:a", b"A sip:b", b"NICKY"] {
            assert_eq!(texts(Config::default(), &[tcp_at(40_000, 7777, 0, text)]), "");
            assert_eq!(texts(Config::default(), &[udp(40_000, 7777, text)]), "");
        }
    }

    /// A WebSocket is text from its beginning to its end, even if it contains what looks like a
    /// request.
    #[test]
    fn websockets_are_text_on_request() {
        let ask = b"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n";
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        let frames = [&b"\x81\x05\0\0\0\0hello"[..], b"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"];
        let mut answer = tcp_at(8080, 40_000, 0, switch);
        let ends = [answer[12..16].to_vec(), answer[16..20].to_vec()];
        (answer[12..16]).copy_from_slice(&ends[1]);
        (answer[16..20]).copy_from_slice(&ends[0]);
        let after = ask.len() as u32;
        let packets = [
            tcp_at(40_000, 8080, 0, ask),
            answer,
            tcp_at(40_000, 8080, after, frames[0]),
            tcp_at(40_000, 8080, after + frames[0].len() as u32, frames[1]),
        ];
        let asked = Config { unknown_text: true, ..Config::default() };
        assert_eq!(texts(asked, &packets), String::from_utf8_lossy(&frames.concat()));
        assert_eq!(texts(Config::default(), &packets), "");
    }
}
