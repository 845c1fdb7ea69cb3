//! Connections without their beginning, and data that only looks like one.

use super::super::tests::{Seen, block as fields, client, frame, play, server};
use super::*;
use crate::engine::indicator::Where;
#[cfg(feature = "sensor")]
use crate::engine::packet::{Config, Decoder, Frame as Captured};
use crate::engine::packet::{Counters, Fault};
use proptest::prelude::*;

/// Where the frames of a direction begin, after the preface.
fn borders(text: &[u8]) -> Vec<usize> {
    let mut at = if text.starts_with(b"PRI") { 24 } else { 0 };
    let mut borders = Vec::new();
    while let Some(frame) = text.get(at..).and_then(Frame::parse) {
        borders.push(at);
        at += frame::HEADER + frame.length;
    }
    borders
}

fn reported(pieces: &[(bool, usize, &[u8])]) -> (Vec<(Where, String)>, Counters) {
    let mut seen = Seen::default();
    let counters = play(pieces, &mut seen);
    (seen.lines, counters)
}

/// A segment for each frame from the first captured one on.
fn frames(is_client: bool, text: &[u8], from: usize) -> Vec<(bool, usize, &[u8])> {
    let mut ends = borders(text);
    ends.push(text.len());
    let ends = ends.windows(2).filter(|ends| ends[0] >= from);
    ends.map(|ends| (is_client, ends[0], &text[ends[0]..ends[1]])).collect()
}

#[test]
fn what_follows_is_reported_and_nothing_else() {
    for (is_client, text) in [(true, client()), (false, server())] {
        let whole = reported(&[(is_client, 0, &text)]).0;
        for from in borders(&text) {
            for pieces in [vec![(is_client, from, &text[from..])], frames(is_client, &text, from)] {
                let (tail, _) = reported(&pieces);
                // Without its beginning a body has another digest, or none.
                let is_known = |line: &(Where, String)| whole.contains(line);
                assert!(tail.iter().all(is_known), "{is_client} {from}: {tail:?}");
            }
        }
    }
    // The last request.
    let text = client();
    let from = memchr::memmem::find(&text, b"c.example").unwrap();
    let from = borders(&text).into_iter().filter(|&border| border < from).max().unwrap();
    let (tail, _) = reported(&[(true, from, &text[from..])]);
    assert!(tail.contains(&(Where::HttpUrl, "http://c.example/pushed?".to_owned())), "{tail:?}");
}

#[test]
fn what_refers_to_the_table_is_counted_and_not_made_up() {
    // The authority and a header of an entry that was not captured; the path is a literal.
    let mut unknown = vec![0x82, 0x86, 0x80 | 63, 0x80 | 62];
    unknown.extend(fields(&[(":path", "/x"), ("referer", "http://r.example/")]));
    // An added entry, and a reference to it.
    let mut added = vec![0x82, 0x86, 0x84, 0x41, 9];
    added.extend(b"b.example");
    let known = vec![0x82, 0x86, 0x84, 0x80 | 62, 0x80 | 70];
    let text = [frame(1, 5, 4001, &unknown), frame(1, 5, 4003, &added), frame(1, 5, 4005, &known)];
    let (seen, counters) = reported(&[(true, 100, &text.concat())]);
    let count = |at| seen.iter().filter(|(place, _)| *place == at).count();
    assert_eq!((count(Where::HttpHost), count(Where::HttpReferer)), (2, 1));
    assert!(seen.iter().all(|(at, text)| *at != Where::HttpUrl || text == "http://b.example/"));
    assert_eq!(count(Where::HttpUrl), 2);
    assert_eq!(counters.fault(Fault::UnknownHeader), 2);
    assert_eq!(counters.fault(Fault::BadHttp2), 0);
    // A response, and its file.
    let mut answer = vec![0x88, 0x80 | 65];
    answer.extend(fields(&[("location", "http://l.example/")]));
    let text = [frame(1, 4, 4001, &answer), frame(0, 1, 4001, b"content")].concat();
    let (seen, _) = reported(&[(false, 100, &text)]);
    assert_eq!(seen[0], (Where::HttpUrl, "http://l.example/".to_owned()));
    assert_eq!(seen[1], (Where::UrlHost, "l.example".to_owned()));
    assert_eq!(seen[2].0, Where::FileHash);
}

#[test]
fn a_client_whose_preface_was_not_seen() {
    let text = client();
    let whole = reported(&[(true, 0, &text)]).0;
    let (tail, _) = reported(&[(true, 24, &text[24..33]), (true, 33, &text[33..])]);
    assert_eq!(tail, whole);
}

#[test]
fn what_is_none() {
    let get = fields(&[(":method", "GET"), (":scheme", "http"), (":path", "/")]);
    let good = frame(1, 5, 1, &get);
    assert_eq!(join(&good), Joined::Side(true));
    assert_eq!(join(&frame(1, 4, 1, &[0x88])), Joined::Side(false));
    for end in 0..good.len() {
        assert!(matches!(join(&good[..end]), Joined::Wants(_)), "{end}");
    }
    for bad in [
        // An even stream, or none; not the end of the headers; followed by something else.
        frame(1, 5, 2, &get),
        frame(1, 5, 0, &get),
        frame(1, 1, 1, &get),
        frame(1, 5, MAX_STREAM << 2 | 1, &get),
        [&good[..], b"GET / HTTP/1.1\r\n"].concat(),
        // A block that is truncated, or not a valid head.
        frame(1, 5, 1, &[&get[..], &[0x40, 9]].concat()),
        frame(1, 5, 1, &fields(&[(":method", "get"), (":path", "/")])),
        frame(1, 5, 1, &fields(&[(":method", "GET"), (":path", "x")])),
        frame(1, 5, 1, &fields(&[("a", "b"), (":method", "GET"), (":path", "/")])),
        frame(1, 5, 1, &fields(&[(":method", "GET"), (":path", "/"), ("A", "b")])),
        frame(1, 5, 1, &fields(&[(":method", "GET"), (":path", "/"), (":path", "/")])),
        frame(1, 5, 1, &fields(&[(":method", "GET"), (":path", "/"), ("a", "\0")])),
        frame(1, 4, 1, &fields(&[("a", "b"), (":status", "200")])),
        frame(1, 4, 1, &fields(&[(":status", "20")])),
        frame(1, 4, 1, &fields(&[(":odd", "200")])),
    ] {
        assert_eq!(join(&bad), Joined::No, "{bad:x?}");
    }
    // They decide nothing on their own.
    for poor in [frame(0, 0, 1, b"x"), frame(6, 0, 0, &[0; 8]), frame(1, 5, 1, &[0x80 | 62])] {
        assert!(matches!(join(&poor), Joined::Wants(_)));
        assert!(!super::super::begins(&poor));
    }
}

/// Whether a capture has HTTP/2.
#[cfg(feature = "sensor")]
fn has_http2(name: &str) -> bool {
    name.starts_with("http2") || matches!(name, "files.pcap" | "doh_clear.pcap")
}

/// The recorded captures, and the real ones if they are available.
#[cfg(feature = "sensor")]
fn captures() -> Vec<(String, Vec<u8>)> {
    let project = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = ["testdata/captures", "../shared/data/pcaps"].map(|folder| project.join(folder));
    let files = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten();
    let mut all: Vec<_> = files.map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.extension().is_some_and(|name| name == "pcap" || name == "pcapng"));
    all.sort();
    let name = |path: &std::path::Path| path.file_name().unwrap().to_string_lossy().into_owned();
    all.into_iter().map(|path| (name(&path), std::fs::read(path).unwrap())).collect()
}

/// At no position in any packet of another protocol.
#[cfg(feature = "sensor")]
#[test]
fn no_other_protocol_looks_like_it() {
    let (mut places, mut found) = (0, std::collections::BTreeMap::<String, usize>::new());
    for (name, bytes) in captures() {
        let Ok(capture) = crate::sensor::input::capture::Capture::new(&bytes) else { continue };
        for packet in capture.map_while(Result::ok) {
            places += packet.data.len();
            let at = 0..packet.data.len();
            let is_found = |&at: &usize| matches!(join(&packet.data[at..]), Joined::Side(_));
            let count = at.filter(is_found).count();
            if count > 0 && !has_http2(&name) {
                *found.entry(name.clone()).or_default() += count;
            }
        }
    }
    assert!(places > 100_000, "{places}");
    assert!(found.is_empty(), "{found:?}");
}

/// Real programs, with increasingly more missing.
#[cfg(feature = "sensor")]
#[test]
fn captures_that_begin_late() {
    let (_, bytes) = captures().into_iter().find(|(name, _)| name == "http2.pcap").unwrap();
    let packets: Vec<_> = crate::sensor::input::capture::Capture::new(&bytes)
        .unwrap()
        .map_while(Result::ok)
        .collect();
    let reported = |from: usize| {
        let (mut decoder, mut seen) = (Decoder::new(Config::default()), Seen::default());
        for packet in &packets[from..] {
            let crate::sensor::input::capture::Packet { number, linktype, length, data, .. } =
                *packet;
            let time = crate::engine::indicator::Timestamp(packet.time);
            decoder.frame(
                &Captured { is_timed: true, number, time, linktype, length, data },
                &mut seen,
            );
        }
        decoder.finish(&mut seen);
        seen.lines
    };
    let whole = reported(0);
    let mut max = 0;
    for from in 1..packets.len() {
        let tail = reported(from);
        assert!(tail.iter().all(|line| whole.contains(line)), "{from}");
        max = max.max(tail.len());
    }
    assert!(max > whole.len() / 2);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// From the same frame on, however the data is split.
    #[test]
    fn any_cuts_read_like_the_whole(
        is_client in any::<bool>(),
        from in any::<prop::sample::Index>(),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..12),
    ) {
        let text = if is_client { client() } else { server() };
        // Positions where it is recognised at once: otherwise it is at the border of a later
        // segment.
        let is_found = |from: &usize| matches!(join(&text[*from..]), Joined::Side(_));
        let borders: Vec<usize> = borders(&text).into_iter().filter(is_found).collect();
        let from = borders[from.index(borders.len())];
        let mut ends: Vec<usize> = cuts.iter().map(|cut| from + cut.index(text.len() - from)).collect();
        ends.extend([from, text.len()]);
        ends.sort_unstable();
        ends.dedup();
        let pieces: Vec<_> =
            ends.windows(2).map(|ends| (is_client, ends[0], &text[ends[0]..ends[1]])).collect();
        let (seen, counters) = reported(&pieces);
        let (whole, of_whole) = reported(&[(is_client, from, &text[from..])]);
        prop_assert_eq!(seen, whole);
        prop_assert!(counters.faults().eq(of_whole.faults()));
    }
}
