//! What a packet costs: run by hand, with optimisation.
//!
//! `cargo test --release --lib packet::tests::speed -- --ignored --nocapture`

use super::expected::pcaps;
use crate::indicator::{Kind, Observable, Timestamp, Where};
use crate::input::capture::Capture;
use crate::packet::{Config, Decoder, Frame, Packet, Said, Visitor};

/// Looks at nothing, and wants no digests.
struct Nothing(u64);

impl Visitor for Nothing {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn wants(&self, _: Kind) -> bool {
        false
    }

    fn seen(&mut self, _: Observable<'_>, _: Where, _: &Packet<'_>, _: Said<'_>) {
        self.0 += 1;
    }
}

#[test]
#[ignore = "a measurement"]
#[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
fn nanoseconds_for_a_packet() {
    let Some(pcaps) = pcaps() else { return };
    let mut files: Vec<_> = std::fs::read_dir(pcaps).unwrap().map(|f| f.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|e| e == "pcap" || e == "pcapng"));
    files.sort();
    let loaded: Vec<_> = files.iter().map(|path| std::fs::read(path).unwrap()).collect();
    let mut decoder = Decoder::new(Config::default());
    let (mut packets, mut seen) = (0, Nothing(0));
    let mut rounds = Vec::new();
    for round in 0..50 {
        let start = std::time::Instant::now();
        let before = packets;
        for bytes in &loaded {
            for packet in Capture::new(bytes).unwrap().map_while(Result::ok) {
                packets += 1;
                let frame = Frame {
                    number: packets,
                    // Each round is another day, so that no flow goes on.
                    time: Timestamp(packet.time + round * 86_400_000_000),
                    linktype: packet.linktype,
                    length: packet.length,
                    data: packet.data,
                };
                decoder.frame(&frame, &mut seen);
            }
        }
        rounds.push(start.elapsed().as_nanos() as u64 / (packets - before));
    }
    rounds.sort_unstable();
    eprintln!("{packets} packets, {} observables, ns a packet: {rounds:?}", seen.0);
}
