//! For any input, memory is bounded, and valid data is parsed.

use super::*;
use crate::engine::packet::contract::{ParseContext, Shared};
use crate::engine::packet::protocol::http::Requests;
use crate::engine::packet::tests::some_packet;

/// A single direction, and the maximum that it held.
struct Alone {
    direction: Direction,
    seen: Seen,
    counters: Counters,
    requests: Requests,
    skip: usize,
    max: usize,
}

impl Alone {
    fn new(is_client: bool) -> Self {
        let direction = Direction { state: State::Frame, ..Direction::new(is_client) };
        let (seen, counters, requests) = Default::default();
        Alone { direction, seen, counters, requests, skip: 0, max: 0 }
    }

    /// Passes bytes; returns the memory of requests without a response.
    fn show(&mut self, data: &[u8]) -> usize {
        let packet = some_packet();
        let mut shared = Shared::new(1 << 20, false);
        let Alone { direction, seen, counters, requests, skip, max } = self;
        let mut context = ParseContext::new(&packet, seen, counters, &mut shared);
        let mut context = HttpContext::new(requests, &mut context);
        let mut at = *skip;
        while let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) {
            match direction.step(rest, &mut context) {
                Step::Took(length) => at += length,
                Step::Skip(length) => at += length as usize,
                Step::Again => {}
                other => panic!("{other:?}"),
            }
            *max = (*max).max(direction.weight());
        }
        *skip = at - data.len().min(at);
        requests.asked.as_ref().map_or(0, |asked| asked.weight())
    }
}

#[test]
fn a_flood_of_continuations() {
    // Headers without end, in frames of all lengths: names, values, and empty ones.
    let mut alone = Alone::new(true);
    alone.show(&frame(1, END, 1, &block(&[(":path", "/"), ("host", "a.example")])));
    for at in 0..20_000_usize {
        let line = literal("user-agent", &"x".repeat(100), at % 2 == 0);
        alone.show(&frame(9, 0, 1, &line[..at % line.len()]));
        alone.show(&frame(9, 0, 1, &line[at % line.len()..]));
    }
    alone.show(&frame(9, WHOLE, 1, &[]));
    assert!(alone.max < 512 << 10, "{}", alone.max);
    assert_eq!(alone.seen.at(Where::HttpUrl), ["http://a.example/"]);
    assert_eq!(alone.counters.fault(Fault::TooManyHeaders), 1);
    // The table is still correct after all of it.
    alone.show(&frame(1, WHOLE, 3, &[0x82, 0x80 | 62]));
    assert_eq!(alone.seen.at(Where::HttpUserAgent).len(), 2);
}

#[test]
fn a_value_without_end() {
    let mut alone = Alone::new(true);
    // A value of one gibibyte is announced.
    alone.show(&frame(1, 0, 1, b"\x82\x00\x01a\x7f\x81\xff\xff\xff\x03"));
    for _ in 0..200 {
        alone.show(&frame(9, 0, 1, &[b'x'; 16_000]));
    }
    assert!(alone.max < 512 << 10, "{}", alone.max);
}

#[test]
fn a_bomb_of_references() {
    let mut alone = Alone::new(true);
    // An entry as large as the largest table, and a frame full of references to it.
    let long = vec![b'x'; 60_000];
    let entry = [b"\x3f\xe1\xff\x03\x40\x07referer\x7f\xe1\xd3\x03", &long[..]].concat();
    alone.show(&frame(1, 0, 1, &entry));
    let mut rest = 60_000;
    while rest > 0 {
        alone.show(&frame(9, if rest == 1 { WHOLE } else { 0 }, 1, &[0x80 | 62; 16_000]));
        rest = if rest > 16_000 { rest - 16_000 } else { rest - rest.min(16_000) };
    }
    assert!(alone.max < 1 << 20, "{}", alone.max);
}

#[test]
fn thousands_of_open_streams() {
    let mut alone = Alone::new(false);
    let gzip = block(&[(":status", "200"), ("content-encoding", "gzip")]);
    for at in 0..5000 {
        alone.show(&frame(1, WHOLE, 2 * at + 1, &gzip));
        alone.show(&frame(0, 0, 2 * at + 1, &super::gzip(b"abc")[..12]));
    }
    assert!(alone.max < 12 << 20, "{}", alone.max);
    assert_eq!(alone.counters.fault(Fault::Http2Bodies), 5000 - 128);
    // Large windows: what is too much is abandoned at once.
    let mut alone = Alone::new(false);
    let zstd = block(&[(":status", "200"), ("content-encoding", "zstd")]);
    for at in 0..50 {
        alone.show(&frame(1, WHOLE, 2 * at + 1, &zstd));
        alone.show(&frame(0, 0, 2 * at + 1, b"\x28\xb5\x2f\xfd\0\x68\x01\0\0"));
    }
    assert!(alone.max < 40 << 20, "{}", alone.max);
    assert!(alone.counters.fault(Fault::Http2Bodies) > 40);
    // Requests that never get a response.
    let mut alone = Alone::new(true);
    let many: Vec<u8> =
        (0..3000).flat_map(|at| get(2 * at + 1, "a.example", &"/x".repeat(60))).collect();
    let waiting = alone.show(&many);
    assert!(waiting < 80 << 10, "{waiting}");
}

#[test]
fn streams_that_are_reset_make_room() {
    let mut client = preface();
    let mut server = settings();
    let asked = [(":method", "GET"), (":path", "/"), (":authority", "a.example")];
    client.extend(frame(1, END | WHOLE, 1, &block(&asked)));
    for at in 0..128 {
        server.extend(frame(1, WHOLE, 2 * at + 1, &block(&[(":status", "200")])));
        server.extend(frame(0, 0, 2 * at + 1, b"half"));
    }
    let reset = frame(3, 0, 9, &[0, 0, 0, 8]);
    let mut last = frame(1, WHOLE, 301, &block(&[(":status", "200")]));
    last.extend(frame(0, END, 301, b"last"));
    let mut seen = Seen::default();
    let pieces = [
        (true, 1, &client[..]),
        (false, 1, &server),
        (true, 1 + client.len(), &reset),
        (false, 1 + server.len(), &last),
    ];
    let counters = play(&pieces, &mut seen);
    assert_eq!(seen.at(Where::FileHash), [sha256(b"last")]);
    assert_eq!(counters.faults().count(), 0);
}

/// Plays a client with missing bytes.
fn with_gap(text: &[u8], gap: std::ops::Range<usize>) -> (Seen, Counters) {
    let mut seen = Seen::default();
    let pieces = [(true, 1, &text[..gap.start]), (true, 1 + gap.end, &text[gap.end..])];
    let counters = play(&pieces, &mut seen);
    (seen, counters)
}

#[test]
fn a_gap_costs_what_it_hides() {
    let mut head = block(&[(":method", "POST"), (":path", "/up")]);
    head.extend(literal(":authority", "a.example", true));
    let mut text = [preface(), frame(1, WHOLE, 1, &head)].concat();
    let body = text.len() + 9;
    text.extend(frame(0, END, 1, &[b'x'; 5000]));
    let next = text.len();
    let again =
        [&[0x82, 0x86, 0x80 | 62][..], &block(&[(":path", "/2"), ("user-agent", "Mal/1.0")])];
    text.extend(frame(1, END | WHOLE, 3, &again.concat()));
    let after = text.len();
    text.extend(get(5, "c.example", "/3"));
    let all = ["http://a.example/up", "http://a.example/2", "http://c.example/3"];
    let (seen, counters) = with_gap(&text, 0..0);
    assert_eq!((seen.at(Where::HttpUrl), counters.faults().count()), (all.to_vec(), 0));
    assert_eq!(seen.at(Where::FileHash), [sha256(&[b'x'; 5000])]);
    // In a body: its digest is lost.
    for to in [body + 4000, next] {
        let (seen, _) = with_gap(&text, body + 10..to);
        assert_eq!((seen.at(Where::HttpUrl), seen.at(Where::FileHash)), (all.to_vec(), vec![]));
    }
    // Beyond its end: the table is lost, too. Fields that do not refer to it are still decoded.
    for (from, to) in [(body - 5, next), (body - 9, next - 10), (body - 1, body)] {
        let (seen, counters) = with_gap(&text, from..to);
        assert_eq!(seen.at(Where::HttpUrl), [all[0], all[2]], "{from} {to}");
        assert_eq!(seen.at(Where::HttpUserAgent), ["Mal/1.0"]);
        assert_eq!(counters.fault(Fault::UnknownHeader), 1);
    }
    // In a header block, and in the header of a frame.
    for (from, to) in [(next + 12, next + 15), (next + 2, next + 4), (next + 12, after)] {
        let (seen, _) = with_gap(&text, from..to);
        assert_eq!(seen.at(Where::HttpUrl), [all[0], all[2]], "{from} {to}");
    }
}

/// Bodies of several streams, split into frames and mixed.
fn mixed(
    bodies: &[Vec<u8>],
    cuts: &[prop::sample::Index],
    order: &[prop::sample::Index],
) -> Vec<u8> {
    let mut text = settings();
    let mut queues: Vec<Vec<Vec<u8>>> = Vec::new();
    for (at, body) in bodies.iter().enumerate() {
        let stream = 2 * at as u32 + 1;
        let coding = if at % 2 == 0 { "gzip" } else { "identity" };
        let sent = if at % 2 == 0 { super::gzip(body) } else { body.clone() };
        let head = block(&[(":status", "200"), ("content-encoding", coding)]);
        let mut frames = vec![frame(1, WHOLE, stream, &head)];
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(sent.len() + 1)).collect();
        ends.extend([0, sent.len()]);
        ends.sort_unstable();
        for pair in ends.windows(2) {
            let part = &sent[pair[0]..pair[1]];
            // Every other one padded.
            let is_padded = pair[0] % 2 == 1;
            let flags = if is_padded { 8 } else { 0 };
            let contents =
                if is_padded { [&[2][..], part, &[0; 2]].concat() } else { part.to_vec() };
            frames.push(frame(0, flags, stream, &contents));
        }
        frames.push(frame(0, END, stream, &[]));
        frames.reverse();
        queues.push(frames);
    }
    let mut order = order.iter().cycle();
    while !queues.is_empty() {
        let at = order.next().map_or(0, |index| index.index(queues.len()));
        text.extend(queues[at].pop().unwrap());
        queues.retain(|queue| !queue.is_empty());
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bodies_are_whole_however_they_are_mixed(
        bodies in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..300), 1..8),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        order in proptest::collection::vec(any::<prop::sample::Index>(), 1..20),
    ) {
        let text = mixed(&bodies, &cuts, &order);
        let (seen, counters) = super::seen(&[], &text);
        let mut got: Vec<String> = seen.at(Where::FileHash).into_iter().map(str::to_owned).collect();
        let mut want: Vec<String> = bodies.iter().map(|body| sha256(body)).collect();
        got.sort();
        want.sort();
        prop_assert_eq!(got, want);
        prop_assert_eq!(counters.faults().count(), 0);
    }

    #[test]
    fn any_cuts_read_like_the_whole(
        is_client: bool,
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..60),
    ) {
        let text = if is_client { client()[PREFACE.len()..].to_vec() } else { server() };
        let mut whole = Alone::new(is_client);
        whole.show(&text);
        let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        ends.extend([0, text.len()]);
        ends.sort_unstable();
        let mut parts = Alone::new(is_client);
        for pair in ends.windows(2) {
            parts.show(&text[pair[0]..pair[1]]);
        }
        prop_assert_eq!(parts.seen.lines, whole.seen.lines);
        prop_assert_eq!(parts.counters, whole.counters);
    }

    #[test]
    fn any_frames_and_gaps_are_survived(
        frames in proptest::collection::vec(
            (0..12_u8, any::<u8>(), 0..9_u32, proptest::collection::vec(any::<u8>(), 0..40)), 0..20),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        gap in any::<(prop::sample::Index, prop::sample::Index)>(),
        is_client: bool,
    ) {
        let mut text = if is_client { client() } else { server() };
        for (kind, flags, stream, contents) in frames {
            text.extend(frame(kind, flags, stream, &contents));
        }
        for (at, value) in changes {
            let at = at.index(text.len());
            text[at] = value;
        }
        let (from, to) = (gap.0.index(text.len()), gap.1.index(text.len()));
        let (from, to) = (from.min(to), from.max(to));
        let pieces = [(is_client, 1, &text[..from]), (is_client, 1 + to, &text[to..])];
        play(&pieces, &mut Seen::default());
        let mut alone = Alone::new(is_client);
        alone.show(&text);
        prop_assert!(alone.max < 4 << 20);
    }
}
