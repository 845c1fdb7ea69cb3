//! Shards compared with one decoder that gets everything, without fast paths.

use super::{ipv4, text};
use crate::engine::indicator::{Observable, Timestamp, Where};
use crate::engine::packet::decoder::split::shard_of;
use crate::engine::packet::{
    Config, Counters, Decoder, FlowEnd, Frame, Order, Packet, ProtocolFacts, Shard, Split,
    Splitter, Visitor,
};
use crate::sensor::input::capture::Capture;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};

/// Everything that is reported, in any order.
#[derive(Default)]
struct Everything {
    reported: Vec<String>,
    order: Order,
}

impl Everything {
    fn sorted(mut self) -> Vec<String> {
        self.reported.sort_unstable();
        self.reported
    }
}

impl Visitor for Everything {
    fn begins(&mut self, order: Order) {
        self.order = order;
    }

    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        assert_eq!(self.order, Order::new(packet.number, packet.tunnel.len()));
        self.reported.push(format!("opened {packet:?}"));
        true
    }

    fn flow_continued(&mut self, packet: &Packet<'_>) {
        self.reported.push(format!("continued {packet:?}"));
    }

    fn flow_closed(&mut self, flow: &FlowEnd) {
        self.reported.push(format!("closed {:?} {:?}", flow.flow_id, flow.totals));
    }

    fn seen(&mut self, what: Observable<'_>, at: Where, packet: &Packet<'_>, _: ProtocolFacts<'_>) {
        self.reported.push(format!("seen {} {} {packet:?}", text(what), at.name()));
    }

    fn text(&mut self, text: &[u8], at: Where, packet: &Packet<'_>, _: ProtocolFacts<'_>) {
        self.reported.push(format!("text {} {} {packet:?}", text.escape_ascii(), at.name()));
    }
}

type Raw = (Timestamp, u32, u32, Vec<u8>);

fn frame<'a>(number: usize, (time, linktype, length, data): &'a Raw) -> Frame<'a> {
    let number = number as u64 + 1;
    Frame { is_timed: true, number, time: *time, linktype: *linktype, length: *length, data }
}

fn whole(frames: &[Raw], config: &Config) -> (Vec<String>, Counters) {
    let mut decoder = Decoder::reference(config.clone());
    let mut everything = Everything::default();
    for (number, raw) in frames.iter().enumerate() {
        decoder.frame(&frame(number, raw), &mut everything);
    }
    decoder.finish(&mut everything);
    (everything.sorted(), decoder.counters())
}

/// The same in batches of this many frames, by shards.
fn shared(frames: &[Raw], config: &Config, piece: usize) -> (Vec<String>, Counters) {
    let mut splitter = Splitter::new(config);
    let mut shards = Shard::all(config);
    let mut split = Split::default();
    let mut everything = Everything::default();
    for (at, frames) in frames.chunks(piece).enumerate() {
        // As in a capture: one buffer, with something between the frames.
        let mut bytes = Vec::new();
        let places: Vec<_> = frames
            .iter()
            .map(|(.., data)| {
                bytes.push(0);
                bytes.extend_from_slice(data);
                bytes.len() - data.len()..bytes.len()
            })
            .collect();
        let given = frames
            .iter()
            .zip(places)
            .enumerate()
            .map(|(k, (raw, place))| Frame { data: &bytes[place], ..frame(at * piece + k, raw) });
        splitter.split(&bytes, given, &mut split);
        for shard in &mut shards {
            shard.take(&bytes, &split, &mut everything);
        }
    }
    splitter.finish();
    let mut counters = splitter.counters().clone();
    for shard in &mut shards {
        shard.finish(&mut everything);
        counters.add(shard.counters());
    }
    (everything.sorted(), counters)
}

/// Recorded captures, and the real ones if they are available.
pub(in crate::engine::packet) fn captures() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folders = [root.join("testdata/captures"), root.join("../shared/data/pcaps")];
    let mut paths: Vec<_> = folders
        .iter()
        .filter_map(|folder| std::fs::read_dir(folder).ok())
        .flatten()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
}

/// For any capture, the shards find what one decoder finds.
#[test]
fn shares_find_the_same() {
    let mut checked = 0;
    for path in captures() {
        let bytes = std::fs::read(&path).unwrap_or_default();
        // Tables and compressed captures are in the same folder.
        let Ok(capture) = Capture::new(&bytes) else { continue };
        let frames: Vec<Raw> = capture
            .map_while(Result::ok)
            .map(|p| (Timestamp(p.time), p.linktype, p.length, p.data.to_vec()))
            .collect();
        let mut jumping = frames.clone();
        for (number, (time, ..)) in jumping.iter_mut().enumerate() {
            // Forwards and back, by more than the lifetime of flows.
            time.0 += (number as i64 * 7919 / 31 % 13 - 6) * 90_000_000;
        }
        let tunnels = Config { flow_by_tunnel: true, flow_by_vlan: true, ..Config::default() };
        let texts = Config { unknown_text: true, ..Config::default() };
        for (frames, config) in [(&frames, &texts), (&frames, &tunnels), (&jumping, &texts)] {
            let (want, counters) = whole(frames, config);
            for piece in [1, 7, 1000] {
                let (got, counted) = shared(frames, config, piece);
                assert_eq!(counted, counters, "{}", path.display());
                let differs = got.iter().zip(&want).find(|(got, want)| got != want);
                assert_eq!(differs, None, "{}", path.display());
                assert_eq!(got.len(), want.len(), "{}", path.display());
            }
        }
        checked += 1;
    }
    assert!(checked > 15, "{checked}");
}

/// A TCP segment in a raw IP packet.
fn segment(src: (Ipv4Addr, u16), dst: (Ipv4Addr, u16), seq: u32, flags: u8, data: &[u8]) -> Raw {
    let mut bytes = [src.1.to_be_bytes(), dst.1.to_be_bytes()].concat();
    bytes.extend([seq, 0].map(u32::to_be_bytes).concat());
    bytes.extend([0x50, flags, 0, 0, 0, 0, 0, 0]);
    bytes.extend(data);
    let packet = ipv4(src.0, dst.0, 6, &bytes);
    (Timestamp(0), 101, packet.len() as u32, packet)
}

/// A file that one server sends to another one, as their client has instructed both (RFC 959,
/// 5.2).
#[test]
fn a_file_between_two_servers_is_named() {
    const FIN: u8 = 1;
    const SYN: u8 = 2;
    const PUSH: u8 = 8;
    let (client, from) = (Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(198, 51, 100, 1));
    let shard = |a: Ipv4Addr, b: Ipv4Addr| shard_of(a.into(), b.into());
    let mut apart = 0;
    for last in 1..40 {
        let to = Ipv4Addr::new(203, 0, 113, last);
        apart += usize::from(shard(client, from) != shard(to, from));
        let port = format!("PORT 203,0,113,{last},16,1\r\n");
        let lines = [&b"TYPE I\r\n"[..], port.as_bytes(), b"RETR secret.bin\r\n"];
        let (end, other) = ((to, 0x1001), (from, 999));
        let (control, data) = (((client, 40_000), (from, 21)), ((from, 20), end));
        let request = b"GET /x HTTP/1.1\r\nHost: a.example\r\n\r\n";
        let again = 1 + request.len() as u32;
        // Another connection to that end is open before it is announced.
        let mut frames = vec![
            segment(control.0, control.1, 0, SYN, b""),
            segment(other, end, 0, SYN, b""),
            segment(other, end, 1, PUSH, request),
        ];
        let mut seq = 1;
        for line in lines {
            frames.push(segment(control.0, control.1, seq, PUSH, line));
            seq += line.len() as u32;
        }
        frames.extend([
            segment(data.0, end, 0, SYN, b""),
            segment(other, end, again, PUSH, request),
            segment(data.0, end, 1, PUSH, b"what it holds"),
            segment(end, data.0, 0, PUSH, b""),
            segment(data.0, end, 14, FIN, b""),
        ]);
        let (want, counters) = whole(&frames, &Config::default());
        assert!(want.iter().any(|reported| reported.contains("secret.bin")));
        assert!(want.iter().any(|reported| reported.starts_with("seen Sha256")), "{want:#?}");
        for piece in [1, 3, 100] {
            assert_eq!(
                shared(&frames, &Config::default(), piece),
                (want.clone(), counters.clone())
            );
        }
    }
    assert!(apart > 20, "{apart}");
}

/// Both directions belong to one shard, and shards are about equal.
#[test]
fn hosts_are_spread() {
    let mut counts = [0; crate::engine::packet::SHARDS];
    for number in 0..8000_u32 {
        let client = IpAddr::from(0x0a00_0001_u32.wrapping_add(number).to_be_bytes());
        let server = IpAddr::from((0xc000_0200_u32 + number % 3).to_be_bytes());
        let shard = shard_of(client, server);
        assert_eq!(shard, shard_of(server, client));
        counts[shard] += 1;
    }
    assert!(counts.iter().all(|&count| (800..1200).contains(&count)), "{counts:?}");
}
