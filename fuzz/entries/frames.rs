//! Any bytes as frames of any link type: no panic, and every flow is closed.
//!
//! The input is a capture, so that real ones serve as seeds, or a list of frames:
//! link type, seconds, length in units of four bytes, data.
use std::collections::BTreeSet;
use std::sync::Arc;
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{
    Config, Counters, Decoder, FlowEnd, Frame, Packet, ProtocolFacts, Shard, Split, Splitter,
    Visitor,
};
use wiresift::sensor::input::capture::Capture;

/// Link types with a decoder, and one without.
const LINKS: [u32; 56] = [
    0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 127, 204, 219, 228, 229, 239, 276, 999, 3, 6,
    7, 8, 10, 11, 17, 99, 106, 107, 109, 117, 119, 122, 123, 129, 130, 135, 138, 143, 149, 163,
    166, 178, 180, 192, 197, 202, 206, 226, 242, 247, 258, 274, 284, 285,
];

struct Count {
    opened: u64,
    closed: u64,
    /// The reports of closed flows, in any order.
    ends: BTreeSet<String>,
    path: Arc<str>,
}

impl Count {
    fn new() -> Self {
        Count { opened: 0, closed: 0, ends: BTreeSet::new(), path: Arc::from("fuzz") }
    }
}

impl Visitor for Count {
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        self.opened += 1;
        packet.number.is_multiple_of(2)
    }

    fn flow_closed(&mut self, flow: &FlowEnd) {
        assert!(flow.totals.packets > 0);
        self.closed += 1;
        self.ends.insert(format!("{flow:?}"));
    }

    fn seen(
        &mut self,
        what: Observable<'_>,
        _: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        if let Observable::Name(name) = what {
            assert!(!name.is_empty());
        }
        assert_eq!(packet.place(&self.path, false, protocol_facts).number, packet.number);
    }
}

/// Flows are bounded, and each that was opened is closed. Shards report the same flows as one
/// decoder, for any batch borders, unless the clock goes back: then it depends on other flows
/// whether one is found to be idle.
pub fn run(bytes: &[u8]) {
    let frames = frames(bytes);
    let config =
        Config { max_flows: 8, flow_by_vlan: true, flow_by_tunnel: true, ..Config::default() };
    let mut decoder = Decoder::new(config.clone());
    let mut count = Count::new();
    for frame in &frames {
        decoder.frame(frame, &mut count);
        assert!(decoder.open_flows() <= 8);
    }
    decoder.finish(&mut count);
    assert_eq!(count.opened, count.closed);
    assert_eq!(decoder.counters().flows, count.opened);

    let config = Config { max_flows: 1 << 20, ..config };
    let mut decoder = Decoder::new(config.clone());
    let mut one = Count::new();
    frames.iter().for_each(|frame| decoder.frame(frame, &mut one));
    decoder.finish(&mut one);
    let mut shared = Count::new();
    let counters = shares(bytes, &frames, &config, &mut shared);
    let counts = |c: &Counters| (c.frames, c.bytes, c.packets);
    assert_eq!(counts(&counters), counts(&decoder.counters()));
    assert_eq!((shared.opened, shared.closed), (counters.flows, counters.flows));
    if frames.is_sorted_by_key(|frame| frame.time) {
        assert_eq!(counters.flows, decoder.counters().flows);
        assert_eq!(shared.ends, one.ends);
    }
}

/// Decodes the frames by shards, in batches.
fn shares(bytes: &[u8], frames: &[Frame<'_>], config: &Config, count: &mut Count) -> Counters {
    let mut splitter = Splitter::new(config);
    let mut split = Split::default();
    let mut shares = Shard::all(config);
    for piece in frames.chunks(1 + frames.len() / 3) {
        splitter.split(bytes, piece.iter().copied(), &mut split);
        shares.iter_mut().for_each(|share| share.take(bytes, &split, count));
    }
    splitter.finish();
    let mut counters = splitter.counters().clone();
    for share in &mut shares {
        share.finish(count);
        counters.add(share.counters());
    }
    counters
}

/// The frames in an input.
fn frames(bytes: &[u8]) -> Vec<Frame<'_>> {
    if let Ok(capture) = Capture::new(bytes) {
        let packets = capture.map_while(Result::ok);
        return packets
            .map(|packet| Frame {
                number: packet.number,
                time: Timestamp(packet.time),
                is_timed: true,
                linktype: packet.linktype,
                length: packet.data.len() as u32,
                data: packet.data,
            })
            .collect();
    }
    let mut frames = Vec::new();
    let mut rest = bytes;
    while let [link, step, length, after @ ..] = rest {
        let (data, after) = after.split_at(after.len().min(usize::from(*length) * 4));
        rest = after;
        let number = frames.len() as u64 + 1;
        let time = Timestamp::from_seconds(i64::from(*step) * number as i64);
        let linktype = LINKS[usize::from(*link) % LINKS.len()];
        frames.push(Frame {
            is_timed: true,
            number,
            time,
            linktype,
            length: data.len() as u32,
            data,
        });
    }
    frames
}
