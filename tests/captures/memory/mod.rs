//! The memory that a hostile capture can use, and that alerts next to the attack are not lost.
//!
//! In each test, a scanned capture contains an attack that uses one feature excessively. Before,
//! during and after the attack, other hosts match indicators, one of them on a connection that
//! was opened before and is used afterwards: these matches must be reported, and nothing else.
//! The size of the attack follows from the bound: without the limit that is tested, memory would
//! exceed it.

mod packed;
mod quic;

use crate::harness::wire::{ACK, Ends, SYN, Scanned, Wire, scan, v4};
use crate::harness::{Dir, skip};
use std::io::Write as _;

const MIB: u64 = 1 << 20;

/// The maximum resident memory of any test.
const MAX_MEMORY: u64 = 512 * MIB;

/// Hosts that are requested before, during and after the attack; the third after it, on a
/// connection from before.
const HOSTS: [&str; 4] = ["before.example", "amidst.example", "held.example", "after.example"];

const HTTP: u16 = 80;

/// Connections of legitimate hosts: those of attackers have smaller numbers.
const HONEST: u32 = 0x00f0_0000;

/// The half of the attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Half {
    First,
    Second,
}

/// Scans a capture in which `attack` writes both halves, and checks that there are four alerts
/// and that memory stays below `most`.
fn survive(name: &str, most: u64, mut attack: impl FnMut(&mut Wire, Half)) -> Scanned {
    let dir = Dir::new(&format!("memory-{name}"));
    // A digest indicator, so that every file is hashed.
    let digest = "a1".repeat(16);
    dir.create("list.txt", HOSTS.map(|host| format!("{host}\n")).concat() + &digest);
    dir.command().args(["compile", "-q", "-o", "db", "list.txt"]).run().expect(0);
    let scanned = scan(&dir, |wire| {
        let [mut before, mut amidst, mut held, mut after] =
            [1, 2, 3, 4].map(|at| Ends::new(HONEST + at, HTTP));
        wire.open(&before);
        wire.ask(&mut before, HOSTS[0]);
        wire.open(&held);
        attack(wire, Half::First);
        wire.open(&amidst);
        wire.ask(&mut amidst, HOSTS[1]);
        attack(wire, Half::Second);
        wire.ask(&mut held, HOSTS[2]);
        wire.open(&after);
        wire.ask(&mut after, HOSTS[3]);
    });
    let reported: Vec<_> = scanned
        .alerts
        .iter()
        .map(|alert| {
            let seen = &alert["seen"];
            (seen["where"].as_str().unwrap(), seen["value"].as_str().unwrap())
        })
        .collect();
    let want = HOSTS.map(|host| ("http.host", host));
    assert_eq!(reported, want, "{name}: {}", scanned.stats);
    let mib = scanned.peak.map(|peak| peak / MIB);
    eprintln!("{name}: {mib:?} MiB at most, {:.1?}", scanned.took);
    match scanned.peak {
        None => skip(&format!("memory::{name}"), "the system does not tell how much memory it is"),
        Some(peak) => {
            assert!(peak <= most, "{name}: {} MiB, at most {}", peak / MIB, most / MIB);
        }
    }
    scanned
}

/// Many connections that send in turn, so that all are open at once.
struct Connections {
    all: Vec<Ends>,
}

impl Connections {
    /// Those of the first half have other addresses than those of the second.
    fn new(count: u32, port: u16, half: Half) -> Connections {
        let first = if half == Half::First { 0 } else { 1 << 18 };
        Connections { all: (0..count).map(|at| Ends::new(first + at, port)).collect() }
    }

    fn open(&mut self, wire: &mut Wire) -> &mut Connections {
        self.all.iter().for_each(|ends| wire.open(ends));
        self
    }

    /// What all of them send next, `times` times in turn.
    fn say(
        &mut self,
        wire: &mut Wire,
        times: usize,
        to_server: bool,
        data: &[u8],
    ) -> &mut Connections {
        for _ in 0..times {
            self.all.iter_mut().for_each(|ends| wire.say(ends, to_server, data));
        }
        self
    }
}

#[test]
fn a_million_half_open_flows() {
    const HALF: u32 = 650_000;
    let scanned = survive("half-open", 256 * MIB, |wire, half| {
        for at in 0..HALF {
            let at = at + if half == Half::First { 0 } else { HALF };
            let (client, ports) = (0x0b00_0000 + at, (1024 + (at % 60_000) as u16, HTTP));
            let ends = Ends { client, server: 0xc633_6409, ports, next: [0, 0] };
            wire.segment(&ends, true, SYN, at, &[]);
        }
    });
    let packets = &scanned.stats["packets"];
    assert_eq!(packets["flows"], u64::from(2 * HALF) + 4);
    // The table holds 1,048,576: unanswered ones were evicted.
    assert_eq!(packets["evicted_flows"], u64::from(2 * HALF) + 4 - (1 << 20));
}

/// Tunnel headers around a packet, as many as fit into a packet.
#[test]
fn towers_of_tunnels() {
    const HEIGHT: usize = 2000;
    let vxlan = [&[0x30, 0x39, 0x12, 0xb5, 0, 0, 0, 0, 8, 0, 0, 0, 0, 0, 1, 0][..], &[2; 12]];
    let vxlan = [&vxlan.concat()[..], &[8, 0]].concat();
    // Labels and tags, none of which is the last.
    let labels = [0, 0, 16, 64].repeat(HEIGHT);
    let tags = [&[0, 0, 0x65, 0x58][..], &[2; 12], &[0x81, 0, 0, 7].repeat(HEIGHT)].concat();
    // Nested IP, GRE, MPLS and VXLAN.
    let towers: [(u8, &[u8]); 4] =
        [(4, &[]), (47, &[0, 0, 8, 0]), (137, &[0, 0, 1, 64]), (17, &vxlan)];
    let scanned = survive("towers", MAX_MEMORY, |wire, half| {
        for at in 0..300 {
            let at = 8 * at + if half == Half::First { 0 } else { 1 << 16 };
            for (number, (proto, header)) in towers.iter().enumerate() {
                wire.packet(&tower(at + ((number as u32) << 18), *proto, header));
            }
            wire.packet(&around(at, 137, &labels));
            wire.packet(&around(at, 47, &tags));
        }
    });
    assert_eq!(scanned.dropped("too_many_tunnels"), 4 * 600, "{}", scanned.stats);
}

/// A packet in as many others as fit, each with this header before the next.
fn tower(at: u32, proto: u8, header: &[u8]) -> Vec<u8> {
    let each = 20 + header.len();
    let height = 60_000 / each;
    let mut bytes = Vec::new();
    for level in 0..height {
        let mut header = header.to_vec();
        let rest = (height - level) * each - 20;
        if proto == 17 {
            header[4..6].copy_from_slice(&(rest as u16).to_be_bytes());
        }
        let mut packet = v4(0x0b00_0000 + at + level as u32, 0xc633_6402, proto, &[&header]);
        packet[2..4].copy_from_slice(&(20 + rest as u16).to_be_bytes());
        bytes.extend(packet);
    }
    bytes
}

fn around(at: u32, proto: u8, inside: &[u8]) -> Vec<u8> {
    v4(0x0b00_0000 + at, 0xc633_6402, proto, &[inside])
}

#[test]
fn bodies_that_unpack_without_end() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![0; 32 << 20]).unwrap();
    let gzip = gzip.finish().unwrap();
    let bodies: Vec<(&str, &str, u32, Vec<u8>)> = vec![
        // A frame header without anything after it.
        ("zstd-heads", "zstd, zstd, zstd, zstd", 10_000, vec![]),
        ("brotli-heads", "br, br, br, br", 10_000, vec![]),
        ("gzip-heads", "gzip, gzip, gzip, gzip", 10_000, vec![]),
        ("gzip", "gzip", 8, gzip),
        ("zstd", "zstd", 40, packed::zstd_zeros(70)),
        // The window of the first frame is small, that of the second is not.
        ("zstd-frames", "zstd", 40, [packed::zstd_empty(), packed::zstd_zeros(70)].concat()),
        ("brotli", "br", 20, packed::brotli_zeros(15 << 20, false)),
        ("brotli-large", "br", 20, packed::brotli_zeros(15 << 20, true)),
        ("brotli-types", "br", 350, packed::brotli_types()),
    ];
    for (name, codings, count, body) in bodies {
        survive(name, MAX_MEMORY, |wire, half| {
            let head = format!(
                "PUT /x HTTP/1.1\r\nHost: a.example\r\nContent-Encoding: {codings}\r\n\
                 Content-Length: 1000000000\r\n\r\n"
            );
            let message = [head.as_bytes(), &body].concat();
            Connections::new(count, HTTP, half).say(wire, 1, true, &message);
        });
    }
}

/// An HTTP/2 frame.
fn frame(kind: u8, flags: u8, stream: u32, contents: &[u8]) -> Vec<u8> {
    let length = (contents.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), contents].concat()
}

/// An HTTP/2 header that is not added to the table.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[text.len() as u8][..], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

#[test]
fn bodies_of_http2() {
    let bodies: Vec<(&str, &str, u32, Vec<u8>)> = vec![
        ("http2-zstd-heads", "zstd, zstd, zstd, zstd", 500, vec![]),
        ("http2-zstd-frames", "zstd", 2, [packed::zstd_empty(), packed::zstd_zeros(70)].concat()),
        ("http2-brotli", "br", 2, packed::brotli_zeros(15 << 20, false)),
        ("http2-brotli-large", "br", 2, packed::brotli_zeros(15 << 20, true)),
        ("http2-brotli-types", "br", 16, packed::brotli_types()),
    ];
    for (name, codings, count, body) in bodies {
        survive(name, MAX_MEMORY, |wire, half| {
            let fields = [
                (":method", "PUT"),
                (":scheme", "http"),
                (":authority", "a.example"),
                (":path", "/x"),
                ("content-encoding", codings),
            ];
            let block: Vec<u8> =
                fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
            let mut connections = Connections::new(count, HTTP, half);
            connections.say(wire, 1, true, PREFACE);
            for stream in (1..24).step_by(2) {
                connections.say(wire, 1, true, &frame(1, 4, stream, &block));
                connections.say(wire, 1, true, &frame(0, 0, stream, &body));
            }
        });
    }
}

/// Data sent to a port: a beginning, followed by the same bytes without end.
struct Endless {
    name: &'static str,
    to_server: bool,
    port: u16,
    begin: Vec<u8>,
    more: Vec<u8>,
}

#[test]
fn messages_without_end() {
    let hello = |kind: u8| {
        let record = [&[22, 3, 3, 0x40, 0][..], &[kind, 0xff, 0xff, 0xff], &[3; 0x4000 - 4]];
        (record.concat(), [&[22, 3, 3, 0x40, 0][..], &[3; 0x4000]].concat())
    };
    let (client_hello, record) = hello(1);
    let (certificate, _) = hello(11);
    let dns = [&[0xff, 0xff, 0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], &[1; 3000]].concat();
    let fields = [(":method", "GET"), (":path", "/x")];
    let block: Vec<u8> = fields.iter().flat_map(|(name, value)| literal(name, value)).collect();
    let headers = [PREFACE, &frame(1, 0, 1, &block)].concat();
    let more = literal("x-name", &"y".repeat(100)).repeat(140);
    let multipart = "Content-Type: multipart/mixed; boundary=\"b\"\r\n\r\n--b\r\n";
    let chunked = b"PUT /x HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n";
    let with = |end: &[u8]| [&chunked[..], end].concat();
    let mail = b"EHLO a.example\r\nMAIL FROM:<a@a.example>\r\nRCPT TO:<b@a.example>\r\nDATA\r\n";
    let letters = vec![b'a'; 16 << 10];
    let lines = b"X-Name: value of it\r\n".repeat(700);
    // Direction and port; the beginning, and the repeated bytes.
    let endless = |name, to_server, port, begin: &[u8], more: &[u8]| Endless {
        name,
        to_server,
        port,
        begin: begin.to_vec(),
        more: more.to_vec(),
    };
    let all = [
        endless("http-line", true, HTTP, b"GET /", &letters),
        endless("http-headers", true, HTTP, b"GET / HTTP/1.1\r\n", &lines),
        endless("http-status", false, HTTP, b"HTTP/1.1 200 ", &letters),
        endless("http-chunk", true, HTTP, &with(b"1000000000000000\r\n"), &letters),
        endless("http-extension", true, HTTP, &with(b"1;"), &letters),
        endless("http-trailer", true, HTTP, &with(b"0\r\n"), &lines),
        endless("http2-headers", true, HTTP, &headers, &frame(9, 0, 1, &more)),
        endless("smtp-line", true, 25, b"EHLO ", &letters),
        endless("mail-header", true, 25, &[&mail[..], b"Subject: "].concat(), &letters),
        endless("mail-headers", true, 25, mail, &lines),
        endless("mail-parts", true, 25, mail, &multipart.as_bytes().repeat(300)),
        endless("tls-client", true, 443, &client_hello, &record),
        endless("tls-server", false, 443, &certificate, &record),
        endless("dns", true, 53, &dns, &letters[..15_000]),
        endless("ssh", true, 22, b"SSH-2.0-", &letters),
        endless("pop3", true, 110, b"USER a@a.example\r\nPASS ", &letters),
        endless("imap", true, 143, b"a1 LOGIN ", &letters),
        endless("ftp", true, 21, b"USER ", &letters),
        endless("syslog", true, 601, b"<13>1 2026-01-01T00:00:00Z a b - - - ", &letters),
        endless("socks", true, 1080, b"\x05\xff", &letters),
        endless("smb", true, 445, b"\0\xff\xff\xff\xfeSMB\x40\0", &letters),
    ];
    for Endless { name, to_server, port, begin, more } in all {
        // For DNS, the length is the limit of each stream, so many are needed. The cost of mail
        // parts shows with fewer.
        let (count, times) = match name {
            "dns" => (4500, 4),
            "mail-parts" => (9, 800),
            _ => (9, 1900),
        };
        survive(name, MAX_MEMORY, |wire, half| {
            let mut connections = Connections::new(count, port, half);
            connections
                .open(wire)
                .say(wire, 1, to_server, &begin)
                .say(wire, times, to_server, &more);
        });
    }
}

/// Requested files of which little or nothing arrives.
#[test]
fn transfers_that_do_not_come() {
    // One connection that requests one file after the other.
    survive("ftp", MAX_MEMORY, |wire, half| {
        let mut ends = Ends::new(if half == Half::First { 1 } else { 2 }, 21);
        wire.open(&ends);
        wire.say(&mut ends, false, b"220 us\r\n");
        wire.say(&mut ends, true, b"USER a\r\nTYPE I\r\n");
        for at in 0..250_000_u32 {
            let [a, b, c, d] = at.to_be_bytes();
            let passive = format!("227 Entering Passive Mode (10,{b},{c},{d},{},9)\r\n", a + 4);
            wire.say(&mut ends, false, passive.as_bytes());
            wire.say(&mut ends, true, format!("RETR {at:01000}\r\n").as_bytes());
        }
    });
    let create = |number: u64, name: &[u8]| {
        let mut message = vec![0xfe, b'S', b'M', b'B', 64, 0, 0, 0, 0, 0, 0, 0, 5, 0, 1, 0];
        message.extend([0; 8]);
        message.extend(number.to_le_bytes());
        message.extend([0, 0, 0, 0, 9, 0, 0, 0]);
        message.extend([0; 24]);
        message.extend([57, 0]);
        message.extend([0; 42]);
        message.extend([120, 0]);
        message.extend((name.len() as u16).to_le_bytes());
        message.extend([0; 8]);
        message.extend(name);
        [&(message.len() as u32).to_be_bytes()[..], &message].concat()
    };
    let name = b"x\0".repeat(1000);
    survive("smb-names", MAX_MEMORY, |wire, half| {
        let mut connections = Connections::new(140, 445, half);
        connections.open(wire);
        for number in 0..1000 {
            connections.say(wire, 1, true, &create(number, &name));
        }
    });
    survive("ranges", MAX_MEMORY, |wire, half| {
        let mut ends = Ends::new(if half == Half::First { 1 } else { 2 }, HTTP);
        wire.open(&ends);
        for at in 0..100_000 {
            let request = format!("GET /{at} HTTP/1.1\r\nHost: a.example\r\n\r\n");
            wire.say(&mut ends, true, request.as_bytes());
            let head = format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 5000-8999/9000000\r\n\
                 Content-Length: 4000\r\n\r\n{}",
                "x".repeat(4000)
            );
            wire.say(&mut ends, false, head.as_bytes());
        }
    });
    // Many ranges of few files, none of them adjacent.
    survive("range-pieces", MAX_MEMORY, |wire, half| {
        let mut ends = Ends::new(if half == Half::First { 1 } else { 2 }, HTTP);
        wire.open(&ends);
        for at in 0..120_000_u64 {
            let request = format!("GET /{} HTTP/1.1\r\nHost: a.example\r\n\r\n", at % 200);
            wire.say(&mut ends, true, request.as_bytes());
            let first = 100 + at / 200 * 5000;
            let head = format!(
                "HTTP/1.1 206 Partial Content\r\nContent-Range: bytes {first}-{}/900000000\r\n\
                 Content-Length: 3000\r\n\r\n{}",
                first + 2999,
                "x".repeat(3000)
            );
            wire.say(&mut ends, false, head.as_bytes());
        }
    });
    survive("tftp", MAX_MEMORY, |wire, half| {
        let first = if half == Half::First { 0 } else { 1 << 20 };
        for at in 0..300_000 {
            let name = format!("\0\x01{at:0900}\0octet\0");
            wire.udp((0x0b00_0000 + first + at, 3000), (0xc633_6402, 69), name.as_bytes());
        }
    });
}

/// Segments after a gap that is never filled.
#[test]
fn holes_in_streams() {
    let letters = [b'x'; 1000];
    survive("holes", MAX_MEMORY, |wire, half| {
        let mut connections = Connections::new(6000, HTTP, half);
        connections.open(wire).say(wire, 1, true, b"GET / HTTP/1.1\r\nHost: ");
        for piece in 1..60 {
            for ends in &connections.all {
                wire.segment(ends, true, ACK, ends.next[0] + piece * 2000, &letters);
            }
        }
    });
    // After a SYN only, and after nothing.
    survive("beginnings", MAX_MEMORY, |wire, half| {
        let connections = Connections::new(6000, HTTP, half);
        for piece in 1..60 {
            for (at, ends) in connections.all.iter().enumerate() {
                if piece == 1 && at % 2 == 0 {
                    wire.segment(ends, true, SYN, 0, &[]);
                }
                wire.segment(ends, true, ACK, 1 + piece * 2000, &letters);
            }
        }
    });
}

/// Streams that held much data once, and are left open.
#[test]
fn streams_that_held_much() {
    survive("long-heads", MAX_MEMORY, |wire, half| {
        let mut connections = Connections::new(5000, HTTP, half);
        let letters = [&b"X: "[..], &[b'x'; 14_000], b"\r\n"].concat();
        connections.open(wire);
        for ends in &mut connections.all {
            wire.say(ends, true, b"GET / HTTP/1.1\r\n");
            for _ in 0..4 {
                wire.say(ends, true, &letters);
            }
            wire.say(ends, true, b"\r\n");
        }
    });
    survive("long-targets", MAX_MEMORY, |wire, half| {
        let mut connections = Connections::new(20_000, HTTP, half);
        let request = format!("GET /{} HTTP/1.1\r\nHost: a.example\r\n\r\n", "x".repeat(1900));
        let requests = request.repeat(8);
        let answers = b"HTTP/1.1 204 No Content\r\n\r\n".repeat(8);
        connections.open(wire);
        for ends in &mut connections.all {
            wire.say(ends, true, requests.as_bytes());
            wire.say(ends, false, &answers);
        }
    });
    // As many streams as possible, each of which then holds a little in each direction. The
    // capacity of their buffers must not use up all memory.
    survive("slots", 256 * MIB, |wire, half| {
        let mut connections = Connections::new(45_000, HTTP, half);
        connections.open(wire);
        for ends in &mut connections.all {
            wire.ask(ends, "a.example");
        }
        for ends in &mut connections.all {
            wire.say(ends, true, &[&b"GET / HTTP/1.1\r\n"[..], &[b'x'; 3900]].concat());
            wire.say(ends, false, &[&b"HTTP/1.1 200 OK\r\n"[..], &[b'x'; 3900]].concat());
        }
    });
    survive("disorder", MAX_MEMORY, |wire, half| {
        let mut connections = Connections::new(20_000, HTTP, half);
        connections.open(wire);
        for ends in &mut connections.all {
            for to_server in [true, false] {
                let next = ends.next[usize::from(!to_server)];
                for piece in (1..40).rev() {
                    wire.segment(ends, to_server, ACK, next + piece, b"x");
                }
                wire.say(ends, to_server, b"H");
            }
        }
    });
}

/// Last fragments of long packets whose other fragments never arrive.
#[test]
fn fragments_without_the_others() {
    let scanned = survive("fragments", MAX_MEMORY, |wire, half| {
        for at in 0..50_000_u32 {
            let src = 0x0b00_0000 + at % 7 + if half == Half::First { 0 } else { 8 };
            let mut packet = v4(src, 0xc633_6402, 17, &[&[7; 8]]);
            packet[4..6].copy_from_slice(&(at as u16).to_be_bytes());
            packet[6..8].copy_from_slice(&(0x2000_u16 | 7500).to_be_bytes());
            wire.packet(&packet);
        }
    });
    assert!(scanned.dropped("ip_fragments_evicted") > 99_000, "{}", scanned.stats);
}

/// QUIC hellos whose first byte never arrives.
#[test]
fn hellos_of_quic_with_holes() {
    let scanned = survive("quic", 192 * MIB, |wire, half| {
        for at in 0..20_000_u32 {
            let at = at + if half == Half::First { 0 } else { 20_000 };
            let mut client = quic::Client::new(at.into());
            for piece in 0..12 {
                let packet = client.crypto(1 + piece * 1200, &[7; 1199]);
                wire.udp((0x0b00_0000 + at, 4000), (0xc633_6402, 443), &packet);
            }
        }
    });
    assert!(scanned.dropped("quic_hello_evicted") > 30_000, "{}", scanned.stats);
}
