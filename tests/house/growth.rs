//! The cost of a parser grows linearly with its input, and not quadratically.
//!
//! Each row is an input by which a sender might restart some loop again and again: many short
//! lines, nested parts, openings without an end. It is parsed at its length, and at two and four
//! times that; the fourfold length may cost ten times as much, because a quadratic parser would
//! take sixteen times. The measure is processor time of the thread, the best of several runs, so
//! that other load on the machine has little effect.

use rustix::time::{ClockId, clock_gettime};
use std::hint::black_box;
use std::io::Cursor;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use wiresift::engine::database::Database;
use wiresift::engine::indicator::{Kind, Observable, Timestamp, Where};
use wiresift::engine::packet::{self, Decoder, Frame, Packet, ProtocolFacts};
use wiresift::engine::segment::{Merge, Row, Segment, SegmentWriter, key};
use wiresift::engine::text::{self, Extractor, fields};
use wiresift::intel::config::Config;
use wiresift::intel::feed::{Collected, Format, Options, read, read_warninglist};
use wiresift::sensor::input::capture::Capture;
use wiresift::sensor::input::{Archive, Contents, Input, Member, Opened};

/// The shortest input, longer than most bounds on a line.
const BASE: usize = 24 << 10;

/// The allowed growth of the cost at four times the length.
const MAX_GROWTH: f64 = 10.0;

/// The maximum cost of a byte, in seconds without optimisation. A parser with an expensive start
/// for every few bytes is linear, and may nevertheless be too slow.
const MAX_PER_BYTE: f64 = 20e-6;

/// Below this many seconds, the resolution of the clock and page faults dominate.
const SHORTEST: f64 = 0.000_5;

/// An input: a head, a unit repeated to the given length, and a tail.
struct Shape<'s> {
    head: &'s [u8],
    unit: &'s [u8],
    tail: &'s [u8],
}

impl Shape<'_> {
    fn of(&self, length: usize) -> Vec<u8> {
        let units =
            self.unit.iter().copied().cycle().take(length / self.unit.len() * self.unit.len());
        self.head.iter().copied().chain(units).chain(self.tail.iter().copied()).collect()
    }
}

/// Processor seconds of a run, the best of `runs`.
fn cost(runs: usize, run: impl Fn()) -> f64 {
    let seconds = || {
        let time = clock_gettime(ClockId::ThreadCPUTime);
        time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
    };
    let once = |_| {
        let before = seconds();
        run();
        seconds() - before
    };
    (0..runs).map(once).fold(f64::MAX, f64::min).max(SHORTEST)
}

/// A description of the growth, if it is too large in every measurement.
fn steep(name: &str, shape: &Shape<'_>, read: impl Fn(&[u8])) -> Option<String> {
    steep_from(BASE, name, shape, read)
}

/// The same, starting with another length.
fn steep_from(base: usize, name: &str, shape: &Shape<'_>, read: impl Fn(&[u8])) -> Option<String> {
    let inputs = [1, 2, 4].map(|times| shape.of(base * times));
    steep_of(&format!("{name}: {:?}", String::from_utf8_lossy(shape.unit)), &inputs, read)
}

/// The same for inputs that are not repetitions, of one length, two lengths and four.
fn steep_of(name: &str, inputs: &[Vec<u8>; 3], read: impl Fn(&[u8])) -> Option<String> {
    let measure = |round: usize| inputs.each_ref().map(|input| cost(round, || read(input)));
    let growth = |costs: [f64; 3]| costs[2] / costs[0];
    let is_steep = |costs: [f64; 3]| {
        growth(costs) > MAX_GROWTH || costs[2] > inputs[2].len() as f64 * MAX_PER_BYTE
    };
    let mut least = measure(1);
    // Noise rarely occurs at the same place three times.
    for round in [3, 5] {
        if is_steep(least) {
            let again = measure(round);
            least = if growth(again) < growth(least) { again } else { least };
        }
    }
    is_steep(least).then(|| format!("{name} grows {:.1}: {least:?}", growth(least)))
}

fn assert_none(steep: Vec<String>) {
    assert!(steep.is_empty(), "\n{}", steep.join("\n"));
}

/// Receives everything, and keeps nothing.
struct Sink;

impl packet::Visitor for Sink {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn seen(&mut self, what: Observable<'_>, _: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        black_box(what);
    }

    fn text(&mut self, text: &[u8], _: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        black_box(text);
    }
}

impl text::Visitor for Sink {
    fn may_hold_name(&self, _: &[u8], _: usize) -> bool {
        true
    }

    fn may_hold_url(&self, _: &[u8]) -> bool {
        true
    }

    fn may_end_in(&self, _: &[u8]) -> bool {
        true
    }

    fn may_hold_v4(&self, _: u32) -> bool {
        true
    }

    fn wants(&self, _: Kind) -> bool {
        true
    }

    fn seen(&mut self, what: Observable<'_>, _: Where, _: Range<usize>) {
        black_box(what);
    }
}

/// A TCP segment in IPv4.
fn segment(port: u16, is_client: bool, seq: u32, data: &[u8]) -> Vec<u8> {
    let (src, dst, from, to) = if is_client { (4000, port, 1, 2) } else { (port, 4000, 2, 1) };
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0];
    packet.extend([192, 0, 2, from, 192, 0, 2, to]);
    packet.extend([src.to_be_bytes(), dst.to_be_bytes()].concat());
    packet.extend(seq.to_be_bytes());
    packet.extend([0, 0, 0, 0, 0x50, 24, 0, 0, 0, 0, 0, 0]);
    packet.extend(data);
    packet
}

/// Decodes the data of both ends, in segments of this many bytes.
fn stream(port: u16, client: &[u8], server: &[u8], unit: usize) {
    let config = packet::Config { unknown_text: true, ..packet::Config::default() };
    let mut decoder = Decoder::new(config);
    let mut number = 0;
    for (is_client, said) in [(true, client), (false, server)] {
        for (at, data) in said.chunks(unit).enumerate() {
            number += 1;
            let data = segment(port, is_client, (at * unit) as u32, data);
            let length = data.len() as u32;
            let frame = Frame {
                is_timed: true,
                number,
                time: Timestamp(0),
                linktype: 101,
                length,
                data: &data,
            };
            decoder.frame(&frame, &mut Sink);
        }
    }
    decoder.finish(&mut Sink);
}

/// Repeated parts of mails, in headers and bodies.
const OF_MAILS: [&str; 45] = [
    "a: b\r\n",
    " x\r\n",
    "\tz\n",
    " \r\n",
    "\r\n",
    "x\r\n",
    "x",
    " ",
    ";a=b",
    ";name*1=a",
    "\"",
    "(",
    "[",
    "\\\"",
    ",<a@b.c>",
    "a(b)@c.d,",
    "() @",
    "+AEA",
    " \r\n>",
    "@",
    "a@b.c ",
    "=?",
    "=?utf-8?q?a?= ",
    "=?utf-8?q?a",
    "=?utf-8?b?YQ==?=\r\n ",
    "--b\r\n",
    "--b",
    "-",
    "--\r\n ",
    "--b--\r\n",
    "=\r\n",
    "=41",
    "YQ==\r\n",
    "begin 644 a\r\n",
    "begin ",
    "M86%A\r\n",
    "&amp;",
    "&",
    "&#",
    "<a href=\"http://a.b/\">",
    "Content-Type: message/rfc822\r\n\r\n",
    "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
    ".\r\n",
    "\n",
    "\r",
];

/// What precedes them.
const MAILS: [(&str, &str); 11] = [
    ("header", "From: a@b.example\r\nSubject: "),
    ("people", "To: "),
    ("hosts", "Received: from "),
    ("type", "Content-Type: text/plain; name="),
    ("odd line", "From: a@b.example\r\n--"),
    ("text", "From: a@b.example\r\n\r\n"),
    ("parts", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"),
    ("page", "Content-Transfer-Encoding: quoted-printable\r\nContent-Type: text/html\r\n\r\n"),
    ("flowed", "Content-Type: text/plain; charset=utf-7; format=flowed; delsp=yes\r\n\r\n"),
    ("folded", "Content-Type: text/calendar\r\n\r\n"),
    ("base64", "Content-Transfer-Encoding: base64\r\n\r\n"),
];

#[test]
fn work_on_mails_is_linear() {
    let mut all = Vec::new();
    for (name, start) in MAILS {
        let head = format!("EHLO a.example\r\nDATA\r\n{start}");
        for unit in OF_MAILS {
            let shape = Shape { head: head.as_bytes(), unit: unit.as_bytes(), tail: b"\r\n.\r\n" };
            all.extend(steep(name, &shape, |data| stream(2525, data, b"", 1400)));
        }
    }
    assert_none(all);
}

type Stream = (&'static str, u16, bool, &'static [u8], &'static [&'static [u8]]);

/// Ports, direction, the beginning, and the repeated part.
const STREAMS: &[Stream] = &[
    ("smtp", 2525, true, b"EHLO a.example\r\n", &[b"RCPT TO:<a@b.example>\r\n", b"BDAT 1\r\na", b"DATA\r\n.\r\n", b"a"]),
    ("pop3", 1100, false, b"+OK r\r\n", &[b"+OK\r\n.\r\n", b"+OK\r\nX: y\r\n.\r\n", b".", b"a"]),
    ("pop3 client", 1100, true, b"CAPA\r\n", &[b"RETR 1\r\n", b"a\r\n", b"a"]),
    ("imap", 1430, false, b"* OK r\r\n", &[b"* 1 FETCH (BODY[] {1}\r\na)\r\n", b"* 1 FETCH (BODY[]<0> {1}\r\na)\r\n", b"(a ", b"{1}\r\na", b"["]),
    ("imap client", 1431, true, b"a CAPABILITY\r\n", &[b"a APPEND x {1}\r\na\r\n", b"a LOGIN {1}\r\n", b"(a "]),
    ("imap words", 1431, true, b"a LOGIN {1}\r\n", &[b"a {1}\r\n", b" {0}\r\n"]),
    ("http request", 8080, true, b"GET / HTTP/1.1\r\nHost: a.example\r\n", &[b"a: b\r\n", b" a\r\n", b"X-Forwarded-For: 192.0.2.1, b\r\n", b"a", b"\n"]),
    ("http requests", 8080, true, b"GET / HTTP/1.1\r\n\r\n", &[b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n", b"\r\n", b"\n"]),
    ("http asked", 8080, true, b"GET /a HTTP/1.1\r\nX-Forwarded-Host: ", &[b"a,", b"a.example,", b"a\r\nX-Original-URL: /b"]),
    ("sip", 8080, true, b"SIP/2.0 200 OK\r\n", &[b"a", b"\n", b"Via: a\r\n"]),
    ("irc", 8080, true, b":a", &[b"a", b" ", b"\n"]),
    ("http forwarded", 8080, true, b"GET / HTTP/1.1\r\nX-Forwarded-For: ", &[b"a,", b",", b"192.0.2.1, "]),
    ("http answer", 8080, false, b"HTTP/1.1 200 OK\r\nX: ", &[b"a", b"\r\na: b", b"; a=b"]),
    ("http chunks", 8080, false, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", &[b"1\r\na\r\n", b"1;a\r\na\r\n", b"1;", b"0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"]),
    ("http trailer", 8080, false, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", &[b"a: b\r\n", b"a"]),
    ("http form", 8080, true, b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9999999\r\n\r\n--b\r\n",
        &[b"a: b\r\n", b"--b\r\n\r\n", b"\r\n--b\r\n\r\na", b"\r\n", b"\r", b"-", b"\r\n--", b"Content-Disposition: form-data; name=a; filename=b\r\n\r\na\r\n--b\r\n"]),
    ("http form in chunks", 8080, true, b"POST / HTTP/1.1\r\nContent-Type: multipart/form-data; boundary=b\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n--b\r\n\r\n",
        &[b"1\r\na\r\n", b"1\r\n\n\r\n", b"1\r\n\r\r\n", b"1\r\n-\r\n"]),
    ("http fields", 8080, true, b"POST / HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9999999\r\n\r\n", &[b"a=b&", b"&", b"%41", b"="]),
    ("http ranges", 8080, false, b"HTTP/1.1 206 P\r\nContent-Type: multipart/byteranges; boundary=b\r\nContent-Length: 9999999\r\n\r\n--b\r\n",
        &[b"\r\n--b\r\nContent-Range: bytes 0-0/9\r\n\r\na", b"a: b\r\n"]),
    ("http2", 8080, true, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
        &[b"\0\0\0\x04\0\0\0\0\0", b"\0\0\x01\x01\x04\0\0\0\x01\x82", b"\0\0\x01\x09\0\0\0\0\x01\x82", b"\0\0\0\0\x08\0\0\0\x01", b"\0\0\x04\x03\0\0\0\0\x01\0\0\0\0", b"\0", b"\xff"]),
    ("http2 block", 8080, true, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0\xff\xff\xff\x01\0\0\0\0\x01", &[b"\x82", b"\x40\x01a\x01b", b"\x20", b"\x3f\xe1\x1f", b"\x10\x81\xff\x81\xff"]),
    ("dns", 53, false, b"", &[b"\0\x0c\0\0\x80\0\0\0\0\0\0\0\0\0", b"\0\x1d\0\0\x01\0\0\x01\0\0\0\0\0\0\x01a\xc0\x0c\0\x01\0\x01\xc0\x0c", b"\0"]),
    ("tls", 443, true, b"", &[b"\x16\x03\x01\0\x05\x02\0\0\x01\0", b"\x16\x03\x01\0\x01\x01", b"\x15\x03\x01\0\x02\x01\0", b"\x16\x03\x01\0\0"]),
    ("tls certificates", 443, false, b"\x16\x03\x03\x40\0\x0b\0\xff\xf0\0\xff\xed", &[b"\0\0\x01\0", b"\0\0\0", b"\x30"]),
    ("smb", 445, true, b"\0\0\0\x40\xfeSMB", &[b"\0\0\0\x20\xffSMB", b"\0\0\0\0", b"\x85\0\0\0", b"\0\0\0\x04\xfeSMB", b"\0\0\0\x40\xfeSMB\x40\0"]),
    ("ftp", 2121, false, b"220 r\r\n", &[b"230-a\r\n", b"227 (192,0,2,1,4,1)\r\n", b"a", b"213 1\r\n"]),
    ("ftp client", 21, true, b"USER a\r\n", &[b"PORT 192,0,2,1,4,1\r\n", b"RETR a\r\n", b"\xff\xf4", b"a"]),
    ("ssh", 2222, true, b"SSH-2.0-a\r\n", &[b"\0\0\0\x0c\x0a\x14\0\0\0\0\0\0\0\0\0\0", b"a\r\n", b"a"]),
    ("socks", 1080, true, b"\x05\x01\0", &[b"\x05\x01\0\x01\xc0\0\x02\x01\0\x50", b"\x05"]),
    ("syslog", 6514, true, b"<13>a\n", &[b"<13>a\n", b"9 <13>a b c", b"1", b"a"]),
    ("unknown", 7777, true, b"~", &[b"a", b"\n", b"GET ", b"\x16\x03\x01", b"EHLO ", b"\0"]),
];

#[test]
fn work_on_streams_is_linear() {
    let mut all = Vec::new();
    for &(name, port, is_client, head, units) in STREAMS {
        for unit in units {
            let shape = Shape { head, unit, tail: b"\r\n\r\n" };
            let read = |data: &[u8]| match is_client {
                true => stream(port, data, b"", 1400),
                false => stream(port, b"", data, 1400),
            };
            all.extend(steep(name, &shape, read));
        }
    }
    assert_none(all);
}

/// Repeated parts of logs: runs, openings, escapes.
const OF_LOGS: [&str; 53] = [
    "a",
    "a.",
    ".",
    "a.b ",
    "192.0.2.1 ",
    "1.",
    "192.0.2.1",
    ":",
    "a:",
    "::",
    "2001:db8::1 ",
    "@",
    "a@",
    "a@b.example ",
    "http://",
    "://a",
    "http://a.example/ ",
    "http://a.example/",
    "http://a,",
    ",",
    ";",
    "(",
    ")",
    "http://a.b/)",
    "[",
    "]",
    "{",
    "/",
    "=/",
    ",/a",
    "%",
    "%2e",
    "%3a%2f%2f",
    "%40",
    "\\",
    "\\u002e",
    "\\n",
    "\\/",
    "http:\\/\\/",
    "http:\\\\",
    "http:\\\\a",
    "http://a\\",
    "http://a.b\\c",
    "http://a.b/c\\n",
    ",http://a.b/c,d;e^",
    "\"a\"@b.example",
    "%C3%BC.",
    "\u{2764}.a",
    "\"",
    "=",
    "0123456789abcdef",
    "é",
    "。",
];

#[test]
fn work_on_logs_is_linear() {
    let mut all = Vec::new();
    let read = |data: &[u8]| Extractor::new().extract(data, 0..data.len(), &mut Sink);
    for head in ["", "http://a.example/"] {
        for unit in OF_LOGS {
            let shape =
                Shape { head: head.as_bytes(), unit: unit.as_bytes(), tail: b" a.example\n" };
            all.extend(steep(head, &shape, read));
        }
    }
    assert_none(all);
}

/// Repeated parts of a line that is a record.
const OF_RECORDS: [&str; 43] = [
    "dst=192.0.2.1 dpt=443 ",
    "dpt=443 dst=192.0.2.1 ",
    "dst=192.0.2.1 ",
    "dpt=443 ",
    "DstIP: 192.0.2.1, DstPort: 443, ",
    "host=a.example uri=/a ",
    "host=a.example ",
    "<dst_ip>192.0.2.1</dst_ip><dst_port>443</dst_port>",
    "<Event><Data Name='dst'>192.0.2.1</Data></Event>",
    "<a>",
    "<a ",
    "<a b='",
    "</a>",
    "<!--",
    "<![CDATA[",
    "<a/>",
    "{\"host\":\"a.example\",\"uri\":\"/a\"},",
    "\"192.0.2.1\",",
    "[\"192.0.2.1\",443],",
    "{\"a\":",
    "\\\"host\\\":\\\"a.example\\\",",
    "{\\\"a\\\":",
    "\\\"",
    "\\",
    "\"",
    "192.0.2.1,443,",
    "192.0.2.1 443 ",
    ": ",
    "a a a: ",
    "=",
    "'",
    "time=2026-06-24 04:15:41 ",
    "{\"time\":\"2026-06-24T04:15:41Z\"},",
    "{\"name\":\"Host\",\"value\":\"a.example\"},",
    "#011",
    "dst: #0111#012",
    "\\u003ca\\u003e",
    "&lt;a&gt;",
    "\\=",
    "a = ",
    "a= ",
    "=[a",
    "\u{1b}[m",
];

/// Parses a line as a record, and queries everything at many positions in it.
fn ask(line: &[u8], table: &Arc<fields::Format>) {
    let clock = fields::Clock { zone: None, now: Timestamp(1_795_867_200_000_000) };
    let mut record = fields::Record::default();
    record.read(line, table);
    for at in (0..line.len()).step_by(61) {
        let place = line[at..].iter().take(80).position(|b| b.is_ascii_alphanumeric()).unwrap_or(0);
        let len = line[at + place..].iter().take(20).take_while(|b| **b > b',').count();
        let span = at + place..at + place + len;
        black_box(record.field(line, span.start));
        black_box(record.time(line, span.start, &clock));
        black_box(record.port_in_other_field(line, span.clone()));
        let host = fields::HostSeen { text: "a.example", is_address: true };
        black_box(record.url_in_other_field(line, span, &host));
    }
}

#[test]
fn work_on_records_is_linear() {
    let mut all = Vec::new();
    let table = Arc::new(fields::Format::default());
    for head in ["", "{\"headers\":[", "{\"m\":\"", "<a>", "Jun 24 04:15:41 h a: "] {
        for unit in OF_RECORDS {
            let shape = Shape { head: head.as_bytes(), unit: unit.as_bytes(), tail: b"</" };
            all.extend(steep_from(4 << 10, head, &shape, |data| ask(data, &table)));
        }
    }
    assert_none(all);
}

#[test]
fn work_on_records_of_several_lines_is_linear() {
    let mut all = Vec::new();
    for head in ["", "[\n", "{\n", "x\n", "<a>\n", "{\n  {\n"] {
        for unit in [
            "  {\n    \"h\": 1\n  },\n",
            "    \"h\": 1,\n",
            "  {\n",
            "{\n  \"h\": 1\n",
            "x\n  \"h\": 1\n",
            "  <a>\n    <b/>\n  </a>\n",
        ] {
            let shape = Shape { head: head.as_bytes(), unit: unit.as_bytes(), tail: b"" };
            let format = fields::Format::default();
            all.extend(steep(head, &shape, |data| {
                let mut blocks = fields::Blocks::default();
                let mut start = 0;
                let mut known = 0;
                for line in data.split_inclusive(|&b| b == b'\n') {
                    let range = start..start + line.len() - 1;
                    start += line.len();
                    if range.start >= known
                        && let Some(block) = black_box(blocks.around(data, &range, &format))
                    {
                        known = block.end;
                    }
                }
            }));
        }
    }
    assert_none(all);
}

#[test]
fn work_on_records_in_long_lines_is_linear() {
    let mut all = Vec::new();
    for unit in [
        "__CURSOR=a\nA=b\n\n",
        "Event[0]:\n  Date: x\n",
        "Time : a\nB : c\n\n",
        "time,host\n\"a\nb\",c\n",
    ] {
        let shape = Shape { head: b"", unit: unit.as_bytes(), tail: b"" };
        let format = fields::Format::of_head(unit.as_bytes());
        all.extend(steep(unit, &shape, |data| {
            let mut blocks = fields::Blocks::default();
            for at in (0..data.len()).step_by(7) {
                black_box(blocks.around(data, &(at..at), &format));
            }
        }));
    }
    for unit in ["{\"a\":1},", "{\"a\":", "{\"", "\"{\\\"", "}{", "{\"a\":\"}\"", "x"] {
        let shape = Shape { head: b"[{\"a\":1},", unit: unit.as_bytes(), tail: b"" };
        all.extend(steep(unit, &shape, |data| {
            let mut elements = fields::Elements::default();
            for at in (0..data.len()).step_by(7) {
                black_box(elements.around(data, 0..data.len(), at));
            }
        }));
    }
    for unit in ["\"{\"\"a\"\":1}\",", "\"{\"\"", "\"\"", "{\"a\":1};", "},{", "{\"\""] {
        let shape = Shape { head: b"x,\"{\"\"", unit: unit.as_bytes(), tail: b"" };
        let table = Arc::new(fields::Format::default());
        all.extend(steep_from(4 << 10, unit, &shape, |data| ask(data, &table)));
    }
    assert_none(all);
}

/// Reads all contents of an input: members of archives, compressed data, packets.
fn input(data: &[u8]) {
    if let Ok(capture) = Capture::new(data) {
        black_box(capture.count());
    }
    let Ok(input) = Input::of("x", Cursor::new(data.to_vec())) else { return };
    if !matches!(input.contents(), Contents::Zip | Contents::Tar) {
        if let Opened::Stream(mut stream) = input.into_opened() {
            let _ = black_box(std::io::copy(&mut stream, &mut std::io::sink()));
        }
        return;
    }
    let Ok(Some(mut archive)) = Archive::open(input) else { return };
    while let Ok(Some(member)) = archive.next_member() {
        black_box(matches!(member, Member::File(_)));
    }
}

/// An empty member of a tar archive.
fn of_tar() -> Vec<u8> {
    let mut header = tar::Header::new_ustar();
    header.set_path("a").unwrap();
    header.set_size(0);
    header.set_cksum();
    header.as_bytes().to_vec()
}

/// The header of an lz4 frame with blocks of 4 MiB, each of which may refer to earlier ones.
fn of_lz4() -> Vec<u8> {
    let descriptor = [0x40, 0x70];
    let check = (xxhash_rust::xxh32::xxh32(&descriptor, 0) >> 8) as u8;
    [&b"\x04\x22\x4d\x18"[..], &descriptor, &[check]].concat()
}

/// Compressed data, archives and captures with as many parts as fit.
#[test]
fn work_on_inputs_is_linear() {
    const PCAP: &[u8] = b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\x04\0\x01\0\0\0";
    const PCAPNG: &[u8] =
        b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a\x01\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\x1c\0\0\0";
    const SNOOP: &[u8] = b"snoop\0\0\0\0\0\0\x02\0\0\0\x04";
    let gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let gzip = gzip.finish().unwrap();
    let (lz4, tar) = (of_lz4(), of_tar());
    let plain = [&lz4[..], b"\x02\0\0\0\x10a\0\0\0\0"].concat();
    let zip = [&b"PK\x03\x04\x0a"[..], &[0; 21], b"\x01\0\0\0a"].concat();
    let rows: &[(&str, &[u8], &[u8])] = &[
        ("gzip, members", b"", &gzip),
        ("bzip2, streams", b"", b"BZh9\x17\x72\x45\x38\x50\x90\0\0\0\0"),
        ("zstd, frames", b"", b"\x28\xb5\x2f\xfd\x20\0\x01\0\0"),
        ("zstd, wide frames", b"", b"\x28\xb5\x2f\xfd\0\x68\x01\0\0"),
        ("zstd, skipped", b"\x28\xb5\x2f\xfd\x20\0\x01\0\0", b"\x50\x2a\x4d\x18\0\0\0\0"),
        ("lz4, blocks", &lz4, b"\x02\0\0\0\x10a"),
        ("lz4, plain blocks", &lz4, b"\x01\0\0\x80a"),
        ("lz4, either", &lz4, b"\x01\0\0\x80a\x02\0\0\0\x10a"),
        ("lz4, frames", b"", &plain),
        ("lz4, old blocks", b"\x02\x21\x4c\x18", b"\x02\0\0\0\x10a"),
        ("lz4, skipped", &plain, b"\x50\x2a\x4d\x18\0\0\0\0"),
        ("tar", b"", &tar),
        ("zip", b"", &zip),
        ("pcap", PCAP, &[0; 16]),
        ("pcapng, blocks", PCAPNG, b"\x09\0\0\0\x0c\0\0\0\x0c\0\0\0"),
        ("pcapng, sections", b"", PCAPNG),
        ("pcapng, interfaces", PCAPNG, b"\x01\0\0\0\x14\0\0\0\x01\0\0\0\0\0\0\0\x14\0\0\0"),
        ("snoop", SNOOP, &[&[0; 11][..], b"\x18", &[0; 12]].concat()),
        ("UTF-16", b"\xff\xfe", b"a\0"),
        ("UTF-16, half", b"\xff\xfe", b"\0\xd8"),
    ];
    let of =
        |&(name, head, unit): &(&str, _, _)| steep(name, &Shape { head, unit, tail: b"" }, input);
    assert_none(rows.iter().filter_map(of).collect());
}

/// Repeated parts of feeds in any format.
const OF_FEEDS: [&str; 30] = [
    "a.example\n",
    "\n",
    "#\n",
    "a",
    ",",
    ";",
    "\t",
    "\"",
    "\"\n",
    "\"\",",
    "{",
    "[",
    "{\"a\":",
    "[{\"a\":1},",
    "\"a.example\",",
    "{\"value\":\"a.example\"}\n",
    "{\"value\":\"a.example\"},",
    "a,b,c\n",
    "192.0.2.1 a.example\n",
    "||a.example^\n",
    "address=/a.example/\n",
    "[domain-name:value = 'a.example'] OR ",
    "(",
    "' OR ",
    "a.example CNAME .\n",
    "alert http any any -> any any (content:\"a.example\"; sid:1;)\n",
    "a[.]example\n",
    "[.]",
    "hxxp://",
    "\\",
];

/// The length of the shortest feed. The readers have few bounds, and there are many of them.
const OF_A_FEED: usize = 1 << 10;

#[test]
fn work_on_feeds_is_linear() {
    let mut all = Vec::new();
    for &format in Format::ALL {
        let options = Options { format: Some(format), ..Options::of_feed("growth") };
        let read = |data: &[u8]| {
            let mut found = Collected::default();
            let _ = black_box(read(data, &options, &mut found));
        };
        for head in ["", "["] {
            for unit in OF_FEEDS {
                let shape = Shape { head: head.as_bytes(), unit: unit.as_bytes(), tail: b"\n" };
                let name = format!("{format:?} {head:?}");
                all.extend(steep_from(OF_A_FEED, &name, &shape, read));
            }
        }
    }
    assert_none(all);
}

#[test]
fn work_on_lists_configurations_and_databases_is_linear() {
    let mut all = Vec::new();
    for unit in ["\"a.example\",", "\"192.0.2.0/24\",", "\"/a/\",", "\"", "[", "{\"list\":["] {
        let head = b"{\"name\":\"a\",\"type\":\"hostname\",\"matching_attributes\":[\"domain\"],\"list\":[";
        let shape = Shape { head, unit: unit.as_bytes(), tail: b"\"b.example\"]}" };
        all.extend(steep("list", &shape, |data| {
            let _ = black_box(read_warninglist(data, "growth"));
        }));
    }
    for unit in ["#\n", "[", "[[", "a.", "\"", "'''", "[a]\n", "\n", "a = [\n", "x = {"] {
        let shape = Shape { head: b"", unit: unit.as_bytes(), tail: b"\n" };
        all.extend(steep("configuration", &shape, |data| {
            let text = String::from_utf8_lossy(data);
            let _ = black_box(Config::parse(&text, Path::new("wiresift.toml")));
        }));
    }
    for unit in [&b"\0"[..], b"\xff", b"WIRESIFT", b"\x01\0\0\0\0\0\0\0"] {
        for head in [&b""[..], b"wiresift", b"WSDB"] {
            let shape = Shape { head, unit, tail: b"" };
            all.extend(steep("database", &shape, |data| {
                let _ = black_box(Database::from_known_bytes(data.to_vec()));
                let _ = black_box(wiresift::intel::store::Normal::parse(data, false));
                let _ = black_box(wiresift::intel::store::Index::parse(data));
            }));
        }
    }
    assert_none(all);
}

/// The rows of the shortest segment, of several blocks.
const OF_A_SEGMENT: u32 = 2_000;

/// Makes the row with a number, in the order of keys.
type MakeRow = fn(u32) -> (Vec<u8>, Row);

/// Rows that make some part of a segment as large as it can be.
const OF_SEGMENTS: [(&str, MakeRow); 6] = [
    ("short keys", |number| ([&[1], &number.to_be_bytes()[..]].concat(), Row::at(0))),
    ("long keys", |number| ([&[b'x'; 1000], &number.to_be_bytes()[..]].concat(), Row::at(0))),
    ("one key", |number| (vec![1], Row::at(number.into()))),
    ("marks", |number| {
        let row = Row { marks: u64::from(number), ..Row::at(0) };
        ([&[1], &number.to_be_bytes()[..]].concat(), row)
    }),
    ("wide columns", |number| {
        let last = if number % 2 == 0 { 0 } else { i64::MAX };
        let row = Row { last, count: u64::MAX, days: number, ended: Some(last), ..Row::at(0) };
        ([&[1], &number.to_be_bytes()[..]].concat(), row)
    }),
    ("keys of every kind", |number| {
        ([&[(number & 0x7f) as u8], &number.to_be_bytes()[..]].concat(), Row::at(0))
    }),
];

/// Reads a segment completely: each row, one after the other, by its key, and merged.
fn segment_of(data: &[u8]) {
    let Ok(segment) = Segment::from_bytes(data.to_vec()) else { return };
    let _ = black_box(segment.check());
    let mut last = Vec::new();
    if let Ok(mut merge) = Merge::new([&segment, &segment]) {
        while let Ok(Some((key, rows))) = merge.next_key() {
            black_box((key::parse(key), rows.len()));
            last = key.to_vec();
        }
    }
    for key in [&last[..], b"\x01\0\0", &[0xff; 40]] {
        let _ = black_box(segment.find(key, &mut Vec::new()));
    }
}

/// Segments with correct checksums, since nothing else is read, and bytes that begin like one.
#[test]
fn work_on_segments_is_linear() {
    let mut all = Vec::new();
    for (name, make) in OF_SEGMENTS {
        let inputs = [1, 2, 4].map(|times| {
            let count = OF_A_SEGMENT * times;
            let mut rows: Vec<_> = (0..count).map(make).collect();
            rows.sort();
            let mut writer = SegmentWriter::new(Vec::new(), count.into()).unwrap();
            rows.iter().for_each(|(key, row)| writer.push(key, row).unwrap());
            let bytes = writer.finish().unwrap().0;
            assert_eq!(Segment::from_bytes(bytes.clone()).unwrap().rows(), u64::from(count));
            bytes
        });
        all.extend(steep_of(&format!("segment, {name}"), &inputs, segment_of));
    }
    for unit in [&b"\0"[..], b"\xff", b"\x01\0\0\0\0\0\0\0"] {
        for head in [&b""[..], b"\x89wsseg\r\n\x01\0\0\0\0\0\0\0"] {
            all.extend(steep("segment", &Shape { head, unit, tail: b"" }, segment_of));
        }
    }
    assert_none(all);
}
