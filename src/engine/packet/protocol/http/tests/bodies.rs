//! Bodies of messages: what was sent compared with what is reported.

use crate::engine::indicator::{self, Kind, Observable, Where};
use crate::engine::packet::contract::{ParseContext, Step};
use crate::engine::packet::decoder::hosts::Hosts;
use crate::engine::packet::payload::coding::InflateBudget;
use crate::engine::packet::protocol::http::Requests;
use crate::engine::packet::protocol::http::context::HttpContext;
use crate::engine::packet::protocol::http::framing::Framing;
use crate::engine::packet::stream::tests::{Part, decode};
use crate::engine::packet::tests::{Recorder, text};
use crate::engine::packet::{Config, Counters, Decoder, Fault, Frame};
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};
use std::io::Write as _;

/// The reported digest of a content.
fn digest_of(content: &[u8]) -> String {
    text(Observable::Digest(Kind::Sha256, &Sha256::digest(content)))
}

/// A content in a coding, encoded by other crates.
fn pack(name: &str, content: &[u8]) -> Vec<u8> {
    let level = flate2::Compression::default();
    match name {
        "gzip" => {
            let mut to = flate2::write::GzEncoder::new(Vec::new(), level);
            to.write_all(content).unwrap();
            to.finish().unwrap()
        }
        "deflate" => {
            let mut to = flate2::write::ZlibEncoder::new(Vec::new(), level);
            to.write_all(content).unwrap();
            to.finish().unwrap()
        }
        "zstd" => zstd::encode_all(content, 1).unwrap(),
        _ => content.to_vec(),
    }
}

/// A body in chunks of `unit` bytes, with extensions and a trailer.
fn chunked(body: &[u8], unit: usize) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in body.chunks(unit.max(1)) {
        out.extend(format!("{:X};a=\"b\"\r\n", chunk.len()).bytes());
        out.extend(chunk);
        out.extend(b"\r\n");
    }
    out.extend(b"0\r\nX-Sum: 1\r\n\r\n");
    out
}

fn with_length(head: &str, body: &[u8]) -> Vec<u8> {
    let mut out = format!("{head}\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes();
    out.extend(body);
    out
}

const FORM: &[u8] = b"--xyz\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nno file\r\n\
    --xyz\r\nContent-Disposition: form-data; name=\"a\"; filename=\"C:\\tmp\\one.exe\"\r\n\
    Content-Type: application/octet-stream\r\n\r\nMZ\r\n-\r\n--xy\r\n\
    --xyz\r\nContent-Disposition: form-data; name=\"b\"; filename*=UTF-8''tw%C3%B6.bin\r\n\r\n\
    second\r\n--xyz--\r\n";

/// A client that sends bodies, and requests what [`answers`] contains.
pub(in crate::engine::packet) fn uploads() -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(with_length("PUT /up/put%20me.exe?x=/y HTTP/1.1\r\nHost: a.example", b"put me"));
    let form =
        "POST /form HTTP/1.1\r\nHost: a.example\r\nContent-Type: multipart/form-data; boundary=xyz";
    out.extend(with_length(form, FORM));
    let head = "POST /p HTTP/1.1\r\nHost: a.example\r\nExpect: 100-continue\r\n\
        Content-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
    out.extend(head.bytes());
    out.extend(chunked(&pack("gzip", b"posted content"), 5));
    for target in ["/one.bin", "/dir/", "/part.bin", "/part.bin", "/none", "/stacked", "/last.bin"]
    {
        let method = if target == "/none" { "HEAD" } else { "GET" };
        out.extend(format!("{method} {target} HTTP/1.1\r\nHost: a.example\r\n\r\n").bytes());
    }
    out
}

/// The contents sent over that connection, in both directions.
fn contents() -> Vec<Vec<u8>> {
    [
        &b"put me"[..],
        b"MZ\r\n-\r\n--xy",
        b"second",
        b"posted content",
        b"thanks",
        b"the first file",
        b"named by its head",
        b"0123456789abcdef",
        b"stacked codings",
        b"up to the end",
    ]
    .map(<[u8]>::to_vec)
    .into()
}

pub(in crate::engine::packet) fn answers() -> Vec<u8> {
    let mut out = Vec::new();
    out.extend(b"HTTP/1.1 204 No Content\r\nContent-Length: 7\r\n\r\n");
    out.extend(with_length("HTTP/1.1 404 Not Found\r\nContent-Type: text/html", b"thanks"));
    out.extend(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    out.extend(with_length(
        "HTTP/1.1 200 OK\r\nContent-Encoding: deflate",
        &pack("deflate", b"the first file"),
    ));
    out.extend(
        b"HTTP/1.1 200 OK\r\nContent-Disposition: attachment; filename=\"r.pdf\"\r\n\
          Transfer-Encoding: gzip, chunked\r\n\r\n",
    );
    out.extend(chunked(&pack("gzip", b"named by its head"), 3));
    let range = |range: &str| {
        format!("HTTP/1.1 206 Partial\r\nETag: \"e\"\r\nContent-Range: bytes {range}/16")
    };
    out.extend(with_length(&range("8-15"), b"89abcdef"));
    out.extend(with_length(&range("0-9"), b"0123456789"));
    out.extend(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
    out.extend(with_length(
        "HTTP/1.1 200 OK\r\nContent-Encoding: zstd, gzip",
        &pack("gzip", &pack("zstd", b"stacked codings")),
    ));
    out.extend(b"HTTP/1.0 200 OK\r\n\r\nup to the end");
    out
}

/// Both directions, each in one segment and ended.
fn carried(client: &[u8], server: &[u8]) -> (Recorder, Counters) {
    let mut parts = Part::handshake();
    parts.push(Part::data(true, 0, client));
    parts.push(Part::data(false, 0, server));
    parts.push(Part::end(false, server.len()));
    decode(8081, &parts)
}

/// The reported digests of contents, sorted.
fn digests(recorder: &Recorder) -> Vec<&str> {
    let mut all = recorder.at(Where::FileHash);
    all.retain(|text| text.starts_with("Sha256"));
    all.sort_unstable();
    all
}

fn sorted(contents: &[Vec<u8>]) -> Vec<String> {
    let mut all: Vec<String> = contents.iter().map(|content| digest_of(content)).collect();
    all.sort_unstable();
    all
}

#[test]
fn everything_on_one_connection() {
    let (recorder, counters) = carried(&uploads(), &answers());
    assert_eq!(digests(&recorder), sorted(&contents()));
    assert_eq!(
        recorder.at(Where::FileName),
        ["put me.exe", "one.exe", "twö.bin", "one.bin", "r.pdf", "part.bin", "stacked", "last.bin"]
    );
    assert_eq!(counters.faults().count(), 0, "{counters:?}");
    let file = |content: &[u8]| {
        let at = recorder.seen.iter().position(|(_, text)| *text == digest_of(content)).unwrap();
        match &recorder.places[at].protocol {
            Some(indicator::Protocol::File(file)) => file.clone(),
            other => panic!("{other:?}"),
        }
    };
    let first = file(b"the first file");
    assert_eq!(
        (first.name.as_deref(), first.size, first.is_whole),
        (Some("one.bin"), Some(14), Some(true))
    );
    assert_eq!(first.url.as_deref(), Some("http://a.example/one.bin"));
    assert_eq!(file(b"thanks").name, None);
    assert_eq!(file(b"second").url.as_deref(), Some("http://a.example/form"));
}

#[test]
fn what_has_no_end_is_no_file() {
    let head = b"HTTP/1.1 200 OK\r\n\r\nup to the end";
    let mut parts = Part::handshake();
    parts.push(Part::data(false, 0, head));
    assert!(digests(&decode(8081, &parts).0).is_empty());
    // The end may arrive before the bytes.
    let end = Part::end(false, head.len());
    parts.insert(2, end);
    let (recorder, _) = decode(8081, &parts);
    assert_eq!(digests(&recorder), [digest_of(b"up to the end")]);
    let (recorder, _) = carried(b"", b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nshort");
    assert!(digests(&recorder).is_empty());
    let (recorder, _) =
        carried(b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nshort\r\n");
    assert!(digests(&recorder).is_empty());
    let (recorder, _) =
        carried(b"", b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
    assert!(recorder.at(Where::FileHash).is_empty());
}

#[test]
fn a_gap_costs_one_file() {
    let body = vec![b'x'; 3000];
    let one = with_length("HTTP/1.1 200 OK", &body);
    let head = one.len() - body.len();
    let chunks = [
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7D0\r\n",
        &vec![b'y'; 2000][..],
        b"\r\n0\r\n\r\n",
    ]
    .concat();
    let last = with_length("HTTP/1.1 200 OK", b"whole");
    let all = [&one[..], &chunks, &last].concat();
    let chunk = one.len() + chunks.len() - 7 - 2000;
    for (from, to) in [
        (head + 10, head + 900),
        (head + 1000, one.len()),
        (chunk + 100, chunk + 700),
        (chunk + 100, chunk + 2000),
    ] {
        let mut parts = Part::handshake();
        parts.push(Part::data(false, 0, &all[..from]));
        parts.push(Part::data(false, to, &all[to..]));
        let (recorder, counters) = decode(8081, &parts);
        let digests = digests(&recorder);
        assert_eq!(digests.len(), 2);
        assert!(digests.contains(&&*digest_of(b"whole")));
        assert_eq!(counters.faults().collect::<Vec<_>>(), [(Fault::StreamGap, 1)]);
    }
}

#[test]
fn honest_content_may_be_a_thousandth_of_itself() {
    let zeros = vec![0; 64 << 20];
    for coding in ["gzip", "zstd"] {
        let packed = pack(coding, &zeros);
        assert!(packed.len() < 70_000, "{}", packed.len());
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}");
        let (recorder, counters) = carried(b"", &with_length(&head, &packed));
        assert_eq!(digests(&recorder), [digest_of(&zeros)], "{coding}");
        assert_eq!(counters.faults().count(), 0);
    }
}

#[test]
fn bombs_and_damage_cost_one_file() {
    let bomb = pack("gzip", &vec![0; 40 << 20]);
    let inner = pack("zstd", &vec![0; 200 << 20]);
    let last = with_length("HTTP/1.1 200 OK", b"whole");
    for (coding, body, fault) in [
        ("gzip", &bomb[..], Fault::CodingBomb),
        ("zstd, gzip", &pack("gzip", &inner)[..], Fault::CodingBomb),
        ("gzip", b"no gzip", Fault::BadCoding),
        ("gzip, gzip, gzip, gzip, gzip", b"x", Fault::BadCoding),
    ] {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Encoding: {coding}");
        let server = [with_length(&head, body), last.clone()].concat();
        let (recorder, counters) = with_budget(16 << 20, &[server]);
        assert_eq!(digests(&recorder), [digest_of(b"whole")], "{coding}");
        assert_eq!(counters.faults().collect::<Vec<_>>(), [(fault, 1)], "{coding}");
    }
    // A name that is not a content coding changes nothing.
    let odd = with_length("HTTP/1.1 200 OK\r\nContent-Encoding: utf-8, identity", b"plain");
    assert_eq!(digests(&carried(b"", &odd).0), [digest_of(b"plain")]);
}

/// Servers that send an archive with its own compression as the content coding: curl saves what
/// was sent, and so do browsers.
#[test]
fn an_archive_in_a_coding_is_reported_in_both_forms() {
    let packed = pack("gzip", b"an archive");
    let answer = |head: &str| with_length(&format!("HTTP/1.1 200 OK\r\n{head}"), &packed);
    let gzip = "Content-Encoding: x-gzip";
    let both = sorted(&[b"an archive".to_vec(), packed.clone()]);
    for (path, head) in [
        ("a.tar.GZ", gzip.to_owned()),
        ("a", format!("{gzip}\r\nContent-Disposition: attachment; filename=\"b.tgz\"")),
        ("a", format!("Content-Type: application/x-gzip; q=1\r\n{gzip}")),
    ] {
        let client = format!("GET /{path} HTTP/1.1\r\nHost: a.example\r\n\r\n");
        let (recorder, counters) = carried(client.as_bytes(), &answer(&head));
        assert_eq!(digests(&recorder), both, "{head}");
        assert_eq!(counters.faults().count(), 0);
    }
    // Not an archive, but sent like one: what was sent is a file nevertheless.
    let client = b"GET /a.gz HTTP/1.1\r\nHost: a.example\r\n\r\n";
    let plain = with_length(&format!("HTTP/1.1 200 OK\r\n{gzip}"), b"plain");
    assert_eq!(digests(&carried(client, &plain).0), [digest_of(b"plain")]);
    let client = b"GET /a.html HTTP/1.1\r\nHost: a.example\r\n\r\n";
    assert_eq!(digests(&carried(client, &answer(gzip)).0), [digest_of(b"an archive")]);
}

/// A thousand bombs are decompressed until the budget is used up, and content among them that is
/// not much larger than its body is not lost.
#[test]
fn a_flood_of_bombs_has_an_end() {
    let (size, budget) = (4 << 20, 256 << 20);
    let head = "HTTP/1.1 200 OK\r\nContent-Encoding: gzip";
    let bomb = with_length(head, &pack("gzip", &vec![0; size]));
    let text: Vec<u8> = (0..20_000_u32).flat_map(|n| (n % 700).to_le_bytes()).collect();
    let usual = with_length(head, &pack("gzip", &text));
    let answers: Vec<Vec<u8>> =
        (0..1100).map(|at| if at % 11 == 10 { usual.clone() } else { bomb.clone() }).collect();
    let (recorder, counters) = with_budget(budget, &answers);
    let digests = digests(&recorder);
    let usual = digests.iter().filter(|&&digest| digest == digest_of(&text)).count();
    let whole = digests.len() - usual;
    assert_eq!(usual, 100);
    // Each costs its size minus what its own bytes allow.
    let bytes: usize = answers.iter().map(Vec::len).sum();
    assert!((30..(budget + 52 * bytes) / size).contains(&whole), "{whole}");
    let given_up = counters.fault(Fault::CodingBomb) + counters.fault(Fault::CodingSpent);
    assert_eq!(given_up as usize, 1000 - whole);
}

/// Responses on separate connections, with this initial budget.
fn with_budget(budget: usize, answers: &[Vec<u8>]) -> (Recorder, Counters) {
    let mut decoder = Decoder::new(Config::default());
    decoder.hosts.shared.budget = InflateBudget::of(budget as u64);
    play(decoder, answers)
}

/// Responses, each on a separate connection.
fn on_connections(config: Config, answers: &[Vec<u8>]) -> (Recorder, Counters) {
    play(Decoder::new(config), answers)
}

fn play(mut decoder: Decoder, answers: &[Vec<u8>]) -> (Recorder, Counters) {
    let mut recorder = Recorder { fingerprints: true, ..Recorder::default() };
    for (at, answer) in answers.iter().enumerate() {
        let mut parts = Part::handshake();
        parts.push(Part::data(true, 0, b"GET /f.bin HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        for (at, piece) in answer.chunks(30_000).enumerate() {
            parts.push(Part::data(false, at * 30_000, piece));
        }
        for part in parts {
            let data = part.packet((1000 + at as u16, 8081));
            let time = crate::engine::indicator::Timestamp(0);
            let frame =
                Frame { is_timed: true, number: 1, time, linktype: 101, length: 0, data: &data };
            decoder.frame(&frame, &mut recorder);
        }
    }
    decoder.finish(&mut recorder);
    (recorder, decoder.counters())
}

fn range(first: usize, content: &[u8], end: usize, total: usize) -> Vec<u8> {
    let last = end - 1;
    let head = format!("HTTP/1.1 206 Partial\r\nContent-Range: bytes {first}-{last}/{total}");
    with_length(&head, &content[first..end])
}

#[test]
fn ranges_of_one_file() {
    let content: Vec<u8> = (0..9000_u32).map(|n| (n * 7 / 3) as u8).collect();
    let pieces = |list: &[(usize, usize)]| -> Vec<Vec<u8>> {
        list.iter().map(|&(from, to)| range(from, &content, to, content.len())).collect()
    };
    let config = Config::default;
    for list in [
        &[(0, 9000)][..],
        &[(0, 4000), (4000, 9000)],
        &[(4000, 9000), (0, 4000)],
        &[(6000, 9000), (3000, 6000), (0, 3000)],
        &[(5000, 9000), (0, 6000), (0, 100)],
        &[(8000, 9000), (2000, 2500), (2400, 8100), (0, 2100)],
    ] {
        let (recorder, counters) = on_connections(config(), &pieces(list));
        assert_eq!(digests(&recorder)[0], digest_of(&content), "{list:?}");
        assert_eq!(counters.fault(Fault::RangesEvicted), 0);
    }
    let (recorder, counters) = on_connections(config(), &pieces(&[(0, 4000), (4001, 9000)]));
    assert!(digests(&recorder).is_empty());
    assert_eq!(counters.fault(Fault::RangesMissing), 1);
    // Names are reported once, and the bound is kept.
    assert_eq!(recorder.at(Where::FileName), ["f.bin"]);
    let small = Config { max_stream_bytes: 12_000, ..Config::default() };
    let (recorder, counters) = on_connections(small, &pieces(&[(4000, 9000), (0, 4000)]));
    assert!(digests(&recorder).is_empty());
    assert!(counters.fault(Fault::RangesEvicted) > 0);
}

#[test]
fn several_ranges_in_one_body() {
    let body = b"--q\r\nContent-Range: bytes 0-3/12\r\n\r\nabcd\r\n\
        --q\r\nContent-Range: bytes 8-11/12\r\n\r\nijkl\r\n--q--\r\n";
    let head = "HTTP/1.1 206 Partial\r\nContent-Type: multipart/byteranges; boundary=q";
    let rest = range(4, b"abcdefghijkl", 8, 12);
    let answers = [with_length(head, body), rest];
    let (recorder, counters) = on_connections(Config::default(), &answers);
    assert_eq!(digests(&recorder), [digest_of(b"abcdefghijkl")]);
    assert_eq!(counters.faults().count(), 0);
    // Encoded as a whole, and then split into ranges.
    let coded = pack("gzip", b"abcdefghijkl");
    let answers: Vec<Vec<u8>> = [(0, 9), (9, coded.len())]
        .map(|(from, to)| {
            let plain = range(from, &coded, to, coded.len());
            let at = plain.iter().position(|&b| b == b'\n').unwrap() + 1;
            [&plain[..at], b"Content-Encoding: gzip\r\n", &plain[at..]].concat()
        })
        .into();
    let (recorder, _) = on_connections(Config::default(), &answers);
    assert_eq!(digests(&recorder), [digest_of(b"abcdefghijkl")]);
}

#[test]
fn dns_in_bodies() {
    let message = crate::engine::packet::payload::dns::tests::sample();
    let kind = "Content-Type: application/dns-message";
    let post =
        with_length(&format!("POST /dns-query HTTP/1.1\r\nHost: d.example\r\n{kind}"), &message);
    let mut answer =
        format!("HTTP/1.1 200 OK\r\n{kind}\r\nTransfer-Encoding: chunked\r\n\r\n").into_bytes();
    answer.extend(chunked(&message, 7));
    let (recorder, counters) = carried(&post, &answer);
    let plain = crate::engine::packet::tests::decode(&[crate::engine::packet::tests::udp(
        40002, 53, &message,
    )])
    .0;
    for place in [Where::DnsQuery, Where::DnsAnswer] {
        assert_eq!(recorder.at(place), plain.at(place).repeat(2));
    }
    assert_eq!(counters.faults().count(), 0);
    assert!(recorder.at(Where::FileHash).is_empty());
}

#[test]
fn without_digests_bodies_are_skipped() {
    let mut framing = Framing::default();
    let mut recorder = Recorder::default();
    let mut hosts = Hosts::new(&Config::default());
    let packet = crate::engine::packet::tests::some_packet();
    let Hosts { counters, shared, .. } = &mut hosts;
    let mut requests = Requests::default();
    let mut context = ParseContext::new(&packet, &mut recorder, counters, shared);
    let mut context = HttpContext::new(&mut requests, &mut context);
    for head in ["HTTP/1.1 200 OK", "HTTP/1.1 206 Partial\r\nContent-Range: bytes 0-9/10"] {
        let answer = with_length(head, b"0123456789");
        let step = framing.step(&answer, &mut context);
        assert!(matches!(step, Step::Skip(n) if n == answer.len() as u64));
        assert_eq!(framing.weight(), 0);
    }
    let step = framing.step(b"HTTP/1.1 200 OK\r\n\r\n", &mut context);
    assert!(matches!(step, Step::Over));
    assert!(recorder.seen.is_empty());
}

/// A random message, and its content.
fn message() -> impl Strategy<Value = (bool, Vec<u8>, Vec<&'static str>, Option<usize>)> {
    (
        any::<bool>(),
        prop::collection::vec(prop::sample::select(b"ab\r\n-0".to_vec()), 1..900),
        prop::collection::vec(prop::sample::select(vec!["gzip", "deflate", "zstd"]), 0..3),
        prop::option::of(1..300_usize),
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// The contents are known: for any codings, chunks and segments, their digests are reported.
    #[test]
    fn any_messages_in_any_segments(
        messages in prop::collection::vec(message(), 1..6),
        unit in 1..1500_usize,
    ) {
        let (mut client, mut server, mut want) = (Vec::new(), Vec::new(), Vec::new());
        for (is_upload, content, codings, chunk) in messages {
            let packed = codings.iter().fold(content.clone(), |body, coding| pack(coding, &body));
            let mut head = if is_upload { "POST /x HTTP/1.1" } else { "HTTP/1.1 200 OK" }.to_owned();
            if !codings.is_empty() {
                head += &format!("\r\nContent-Encoding: {}", codings.join(", "));
            }
            let message = match chunk {
                Some(unit) => {
                    let head = format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n");
                    [head.as_bytes(), &chunked(&packed, unit)].concat()
                }
                None => with_length(&head, &packed),
            };
            if is_upload { &mut client } else { &mut server }.extend(message);
            want.push(content);
        }
        let mut parts = Part::handshake();
        for (to_server, stream) in [(true, &client), (false, &server)] {
            for (at, piece) in stream.chunks(unit).enumerate() {
                parts.push(Part::data(to_server, at * unit, piece));
            }
        }
        let (recorder, counters) = decode(8081, &parts);
        prop_assert_eq!(digests(&recorder), sorted(&want));
        prop_assert_eq!(counters.faults().count(), 0);
    }
}
