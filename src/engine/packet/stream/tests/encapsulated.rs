//! Encapsulated streams: in overlapping fragments, in tunnels, in fragments of tunnels.

use super::*;
use crate::engine::packet::Frame;

/// The encapsulation of a packet.
#[derive(Clone, Copy, Debug)]
enum Tunnel {
    /// IP in IP: of the same version or of the other one.
    Ip,
    /// With no optional words, or with all of them.
    Gre(bool),
    /// MPLS in IP, with this many labels.
    Mpls(usize),
    /// Ethernet in VXLAN, with this many tags.
    Vxlan(usize),
    /// With options and Ethernet, or with neither.
    Geneve(bool),
    /// With an extension header or without.
    Gtp(bool),
    /// IPv6 only; IPv4 uses IP in IP instead.
    Teredo,
}

/// What precedes the outermost packet.
#[derive(Clone, Copy, Debug)]
enum Link {
    Raw,
    Ethernet,
    /// A service tag and a customer tag.
    QinQ,
    /// Ethernet with this many labels.
    Mpls(usize),
}

/// What one IP layer does to its payload.
#[derive(Clone, Debug)]
struct Hop {
    is_v6: bool,
    cuts: Vec<prop::sample::Index>,
    extra: Extra,
}

/// Fragments in addition to the necessary ones.
#[derive(Clone, Debug)]
enum Extra {
    None,
    /// The same bytes again, in other pieces. In IPv6 a receiver accepts only complete
    /// repetitions (RFC 8200, 4.5).
    Again(Vec<[prop::sample::Index; 2]>),
    /// Other bytes for each fragment that has already arrived: the first one wins.
    Lies,
}

/// All encapsulations of a packet, from the innermost to the outermost.
#[derive(Clone, Debug)]
struct Encapsulations {
    innermost: Hop,
    tunnels: Vec<(Tunnel, Hop)>,
    link: Link,
    swaps: Vec<[prop::sample::Index; 2]>,
}

fn index() -> impl Strategy<Value = prop::sample::Index> {
    any::<prop::sample::Index>()
}

fn hop() -> impl Strategy<Value = Hop> {
    let cuts = prop_oneof![
        2 => Just(vec![]),
        3 => proptest::collection::vec(index(), 1..6),
    ];
    let again = proptest::collection::vec(any::<[prop::sample::Index; 2]>(), 1..5);
    let extra = prop_oneof![Just(Extra::None), again.prop_map(Extra::Again), Just(Extra::Lies)];
    (any::<bool>(), cuts, extra).prop_map(|(is_v6, cuts, extra)| Hop { is_v6, cuts, extra })
}

fn tunnel() -> impl Strategy<Value = Tunnel> {
    prop_oneof![
        2 => Just(Tunnel::Ip),
        1 => any::<bool>().prop_map(Tunnel::Gre),
        1 => (1..4_usize).prop_map(Tunnel::Mpls),
        1 => (0..3_usize).prop_map(Tunnel::Vxlan),
        1 => any::<bool>().prop_map(Tunnel::Geneve),
        1 => any::<bool>().prop_map(Tunnel::Gtp),
        1 => Just(Tunnel::Teredo),
    ]
}

fn encapsulations() -> impl Strategy<Value = Encapsulations> {
    let tunnels = proptest::collection::vec((tunnel(), hop()), 0..4);
    let link = prop_oneof![
        Just(Link::Raw),
        Just(Link::Ethernet),
        Just(Link::QinQ),
        (1..5_usize).prop_map(Link::Mpls),
    ];
    let swaps = proptest::collection::vec(any::<[prop::sample::Index; 2]>(), 0..16);
    (hop(), tunnels, link, swaps).prop_map(|(innermost, tunnels, link, swaps)| Encapsulations {
        innermost,
        tunnels,
        link,
        swaps,
    })
}

/// Packets that are never reordered.
type IpPacket = Vec<Vec<u8>>;

/// An IP packet before serialisation.
struct Ip<'b> {
    /// The ends; for IPv6 their last bytes.
    src: [u8; 4],
    dst: [u8; 4],
    proto: u8,
    body: &'b [u8],
}

impl Hop {
    /// The fragments of packet number `id`.
    fn send(&self, ip: &Ip<'_>, id: u32) -> Vec<IpPacket> {
        let length = ip.body.len();
        let units = length.div_ceil(8).max(1);
        let mut cuts: Vec<usize> = self.cuts.iter().map(|cut| 8 * cut.index(units)).collect();
        cuts.extend([0, length]);
        cuts.sort_unstable();
        cuts.dedup();
        let ranges: Vec<(usize, usize)> = cuts.windows(2).map(|w| (w[0], w[1])).collect();
        if ranges.len() < 2 {
            return vec![vec![self.whole(ip)]];
        }
        let piece = |(from, to), body: &[u8]| self.piece(ip, id, (from, to), body);
        let mut all: Vec<IpPacket> = Vec::new();
        for &(from, to) in &ranges {
            let mut unit = vec![piece((from, to), &ip.body[from..to])];
            if let Extra::Lies = self.extra {
                unit.push(piece((from, to), &vec![b'!'; to - from]));
            }
            all.push(unit);
        }
        if let Extra::Again(again) = &self.extra {
            for [one, other] in again {
                let (from, to) = if self.is_v6 {
                    ranges[one.index(ranges.len())]
                } else {
                    let (one, other) = (one.index(units), other.index(units));
                    (8 * one.min(other), length.min(8 * (one.max(other) + 1)))
                };
                let at = other.index(all.len() + 1);
                all.insert(at, vec![piece((from, to), &ip.body[from..to])]);
            }
        }
        all
    }

    fn whole(&self, ip: &Ip<'_>) -> Vec<u8> {
        if self.is_v6 { v6(ip, ip.proto, &[], ip.body) } else { v4(ip, [0; 4], ip.body) }
    }

    fn piece(&self, ip: &Ip<'_>, id: u32, (from, to): (usize, usize), body: &[u8]) -> Vec<u8> {
        let has_more = to < ip.body.len();
        if self.is_v6 {
            let place = (from as u16 | u16::from(has_more)).to_be_bytes();
            let header = [&[ip.proto, 0][..], &place, &id.to_be_bytes()].concat();
            return v6(ip, 44, &header, body);
        }
        let place = ((from as u16 / 8) | if has_more { 0x2000 } else { 0 }).to_be_bytes();
        let id = (id as u16).to_be_bytes();
        v4(ip, [id[0], id[1], place[0], place[1]], body)
    }
}

fn v4(ip: &Ip<'_>, place: [u8; 4], body: &[u8]) -> Vec<u8> {
    let mut packet = ipv4(ip.src.into(), ip.dst.into(), ip.proto, body);
    packet[4..8].copy_from_slice(&place);
    packet
}

fn v6(ip: &Ip<'_>, next: u8, header: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (header.len() + body.len()) as u16;
    let mut packet = [&[0x60, 0, 0, 0][..], &length.to_be_bytes(), &[next, 64]].concat();
    for end in [ip.src, ip.dst] {
        packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0]);
        packet.extend(end);
    }
    packet.extend(header);
    packet.extend(body);
    packet
}

fn is_v6(packet: &[u8]) -> bool {
    packet[0] >> 4 == 6
}

fn ethertype(packet: &[u8]) -> [u8; 2] {
    if is_v6(packet) { [0x86, 0xdd] } else { [8, 0] }
}

/// MPLS labels, the last of which is marked as such.
fn labels(count: usize) -> Vec<u8> {
    (1..=count).flat_map(|at| [0, 1, u8::from(at == count), 64]).collect()
}

/// An Ethernet frame with this many tags.
fn ethernet(tags: usize, kind: [u8; 2], contents: &[u8]) -> Vec<u8> {
    let mut frame = vec![2; 12];
    for at in (0..tags).rev() {
        frame.extend(if at > 0 { [0x88, 0xa8] } else { [0x81, 0] });
        frame.extend([0, 7 + at as u8]);
    }
    frame.extend(kind);
    frame.extend(contents);
    frame
}

fn over_udp(to_server: bool, port: u16, contents: &[&[u8]]) -> Vec<u8> {
    let contents = contents.concat();
    let src = if to_server { 50_000_u16 } else { 50_001 };
    let mut datagram = [src.to_be_bytes(), port.to_be_bytes()].concat();
    datagram.extend((8 + contents.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(contents);
    datagram
}

impl Tunnel {
    /// The encapsulated packet, and its protocol number.
    fn around(self, packet: &[u8], to_server: bool) -> (u8, Vec<u8>) {
        let kind = ethertype(packet);
        let udp =
            |port, header: &[u8], rest: &[u8]| (17, over_udp(to_server, port, &[header, rest]));
        match self {
            Tunnel::Gre(false) => (47, [&[0, 0][..], &kind, packet].concat()),
            Tunnel::Gre(true) => {
                (47, [&[0xb0, 0][..], &kind, b"sum\0\0\0\0\x07numb", packet].concat())
            }
            Tunnel::Mpls(count) => (137, [&labels(count)[..], packet].concat()),
            Tunnel::Vxlan(tags) => {
                udp(4789, &[8, 0, 0, 0, 0, 0, 7, 0], &ethernet(tags, kind, packet))
            }
            Tunnel::Geneve(false) => udp(6081, &[0, 0, kind[0], kind[1], 0, 0, 7, 0], packet),
            Tunnel::Geneve(true) => {
                udp(6081, b"\x01\0\x65\x58\0\0\x07\0opts", &ethernet(0, kind, packet))
            }
            Tunnel::Gtp(has_extension) => {
                let options: &[u8] = if has_extension { &[0, 0, 0, 0x85, 1, 0, 1, 0] } else { &[] };
                let length = ((options.len() + packet.len()) as u16).to_be_bytes();
                let flags = if has_extension { 0x34 } else { 0x30 };
                let header = [&[flags, 255][..], &length, &[0, 0, 0, 1], options].concat();
                udp(2152, &header, packet)
            }
            Tunnel::Teredo if is_v6(packet) => udp(3544, &[], packet),
            Tunnel::Ip | Tunnel::Teredo => (if is_v6(packet) { 41 } else { 4 }, packet.to_vec()),
        }
    }
}

impl Encapsulations {
    /// All packets of one direction of a stream, as frames. `id` counts IP packets.
    fn carry(&self, parts: &[Part], port: u16, id: &mut u32) -> Vec<Vec<u8>> {
        let mut units: Vec<IpPacket> = Vec::new();
        for part in parts {
            let packet = part.packet((40_000, port));
            let ends = |at: usize| -> [u8; 4] { packet[at..at + 4].try_into().unwrap() };
            let (src, dst) = (ends(12), ends(16));
            let ip = Ip { src, dst, proto: 6, body: &packet[20..] };
            *id += 1;
            let mut now = self.innermost.send(&ip, *id);
            for (depth, (tunnel, hop)) in self.tunnels.iter().enumerate() {
                // Each tunnel has its own ends.
                let ends = [[10, depth as u8, 0, 1], [10, depth as u8, 0, 2]];
                let [src, dst] = if part.to_server { ends } else { [ends[1], ends[0]] };
                let mut wrapped: Vec<IpPacket> = Vec::new();
                for unit in now {
                    // Packets that must follow it do so in all its fragments.
                    let mut of_unit: Vec<IpPacket> = Vec::new();
                    for packet in &unit {
                        let (proto, body) = tunnel.around(packet, part.to_server);
                        *id += 1;
                        of_unit.extend(hop.send(&Ip { src, dst, proto, body: &body }, *id));
                    }
                    if unit.len() == 1 {
                        wrapped.extend(of_unit);
                    } else {
                        wrapped.push(of_unit.concat());
                    }
                }
                now = wrapped;
            }
            units.extend(now);
        }
        for [one, other] in &self.swaps {
            let count = units.len();
            units.swap(one.index(count), other.index(count));
        }
        units.concat().iter().map(|packet| self.link.frame(packet)).collect()
    }
}

impl Link {
    fn number(self) -> u32 {
        if let Link::Raw = self { 101 } else { 1 }
    }

    fn frame(self, packet: &[u8]) -> Vec<u8> {
        match self {
            Link::Raw => packet.to_vec(),
            Link::Ethernet => ethernet(0, ethertype(packet), packet),
            Link::QinQ => ethernet(2, ethertype(packet), packet),
            Link::Mpls(count) => ethernet(0, [0x88, 0x47], &[&labels(count)[..], packet].concat()),
        }
    }
}

/// Decodes frames of a link.
fn decode_frames(link: Link, frames: &[Vec<u8>]) -> (Recorder, Counters) {
    let mut decoder = Decoder::new(Config::default());
    let mut recorder = Recorder { fingerprints: true, ..Recorder::default() };
    for (at, data) in frames.iter().enumerate() {
        let frame = Frame { linktype: link.number(), ..raw_frame(at as u64 + 1, data) };
        decoder.frame(&frame, &mut recorder);
    }
    decoder.finish(&mut recorder);
    (recorder, decoder.counters())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 300, ..ProptestConfig::default() })]

    /// For any cuts, repetitions, overlaps and swaps at any layer.
    #[test]
    fn any_encapsulation_reads_like_the_plain_stream(
        which in 0..18_usize,
        encapsulations in encapsulations(),
        client in treatment(),
        server in treatment(),
    ) {
        let (port, to_server, to_client) = conversations().swap_remove(which);
        // Forged segments come after the true ones.
        let swaps = if client.lies || server.lies { vec![] } else { encapsulations.swaps.clone() };
        let encapsulations = Encapsulations { swaps, ..encapsulations };
        let want = recorded(port, &to_server, &to_client);
        let (mut id, mut frames) = (0, Vec::new());
        let ends = [Part::end(true, to_server.len()), Part::end(false, to_client.len())];
        for parts in [
            Part::handshake()[..1].to_vec(),
            Part::handshake()[1..].to_vec(),
            client.apply(true, &to_server),
            server.apply(false, &to_client),
            ends[..1].to_vec(),
            ends[1..].to_vec(),
        ] {
            if !parts.is_empty() {
                frames.extend(encapsulations.carry(&parts, port, &mut id));
            }
        }
        // In IPv4 an identifier is reused after 65,536 packets; here no time passes until then.
        prop_assume!(id < 1 << 16);
        let (got, counters) = decode_frames(encapsulations.link, &frames);
        let sorted = |recorder: &Recorder| {
            let mut seen = recorder.seen.clone();
            seen.sort();
            seen
        };
        prop_assert!(!want.seen.is_empty() || !want.texts.is_empty());
        prop_assert_eq!(sorted(&got), sorted(&want));
        prop_assert!(got.texts == want.texts);
        prop_assert_eq!(counters.fault(Fault::StreamGap), 0);
        prop_assert_eq!(counters.fault(Fault::StreamEvicted), 0);
    }
}
