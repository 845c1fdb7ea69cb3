//! The cost of a packet: run manually, with optimisation.
//!
//! `cargo test --release --lib packet::tests::speed -- --ignored --nocapture`

use super::expected::pcaps;
use crate::engine::indicator::{Kind, Observable, Timestamp, Where};
use crate::engine::packet::stream::tests::Part;
use crate::engine::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};
use crate::sensor::input::capture::Capture;
use sha2::Digest as _;

/// Ignores everything, and wants no digests.
struct Nothing(u64);

impl Visitor for Nothing {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn wants(&self, _: Kind) -> bool {
        false
    }

    fn seen(&mut self, _: Observable<'_>, _: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
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
                    // Each round is a day later, so that no flow continues.
                    time: Timestamp(packet.time + round * 86_400_000_000),
                    is_timed: true,
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

/// Wants digests of files.
#[derive(Default)]
struct Hashes(Vec<Vec<u8>>);

impl Visitor for Hashes {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn wants(&self, kind: Kind) -> bool {
        matches!(kind, Kind::Md5 | Kind::Sha1 | Kind::Sha256)
    }

    fn seen(&mut self, what: Observable<'_>, _: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        if let Observable::Digest(_, bytes) = what {
            self.0.push(bytes.to_vec());
        }
    }
}

/// Processor seconds of this thread, independent of other load.
fn worked() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}

/// What hashing adds to a file download, compared with the digests alone over the same bytes.
#[test]
#[ignore = "a measurement"]
fn cost_of_digests() {
    let content: Vec<u8> =
        (0..1_u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let plain = [
        format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", content.len()).as_bytes(),
        &content,
    ]
    .concat();
    let mut chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n".to_vec();
    for chunk in content.chunks(8 << 10) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).bytes());
        chunked.extend(chunk);
        chunked.extend(b"\r\n");
    }
    chunked.extend(b"0\r\n\r\n");
    for (name, answer) in [("length", plain), ("chunks", chunked)] {
        let stream = answer.repeat(16);
        let mut parts = Part::handshake();
        parts.extend(
            stream.chunks(1448).enumerate().map(|(at, part)| Part::data(false, at * 1448, part)),
        );
        let packets: Vec<_> = parts.iter().map(|part| part.packet((40_000, 80))).collect();
        let run = |visitor: &mut dyn FnMut(&mut Decoder, &Frame<'_>)| {
            let mut decoder = Decoder::new(Config::default());
            let start = worked();
            for (at, data) in packets.iter().enumerate() {
                let length = data.len() as u32;
                let frame = Frame {
                    number: at as u64 + 1,
                    time: Timestamp(0),
                    is_timed: true,
                    linktype: 101,
                    length,
                    data,
                };
                visitor(&mut decoder, &frame);
            }
            worked() - start
        };
        let mut best = [f64::MAX; 3];
        for _ in 0..25 {
            let (mut off, mut on) = (Nothing(0), Hashes::default());
            best[0] = best[0].min(run(&mut |decoder, frame| decoder.frame(frame, &mut off)));
            best[1] = best[1].min(run(&mut |decoder, frame| decoder.frame(frame, &mut on)));
            let start = worked();
            let mut own = Vec::new();
            for _ in 0..16 {
                own.push(md5::Md5::digest(&content).to_vec());
                own.push(sha1::Sha1::digest(&content).to_vec());
                own.push(sha2::Sha256::digest(&content).to_vec());
            }
            best[2] = best[2].min(worked() - start);
            assert_eq!(on.0, own);
        }
        let [off, on, own] = best.map(|seconds| seconds * 1e3);
        let ratio = (on - off) / own;
        eprintln!("{name}: off {off:.2} ms, on {on:.2} ms, digests {own:.2} ms: {ratio:.3}x");
    }
}
