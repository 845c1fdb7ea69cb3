//! Writes the captures with which packets are measured (`benches/packets/`): `cargo test --bench
//! traffic -- FOLDER PCAPS [PACKETS]`. The same on every machine.
//!
//! `mixed` contains the packets of real captures, repeated, with many concurrent conversations;
//! in each round their addresses and ports differ, so that no cache is warm by accident. The
//! floods and the bulk transfer are synthetic.

#[allow(dead_code, reason = "the numbers alone are used here")]
mod corpus;

use corpus::Numbers;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};
use wiresift::sensor::input::capture::Capture;

/// Packets of each capture, and concurrent flows in `flows`, with three packets each, by default.
const PACKETS: u64 = 1_000_000;
/// Microseconds between packets.
const STEP: u64 = 5;
/// Microseconds between the packets of one conversation in `mixed`.
const PACE: u64 = 400;
const ETHERNET: u32 = 1;
const CLIENT_MAC: [u8; 12] = [2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1];
const SYN: u8 = 2;
const ACK: u8 = 16;

fn main() {
    let mut words = std::env::args().skip(1).filter(|word| !word.starts_with('-'));
    let (Some(folder), Some(pcaps)) = (words.next(), words.next()) else { return };
    let packets = words.next().map_or(PACKETS, |packets| packets.parse().unwrap());
    let folder = PathBuf::from(folder);
    std::fs::create_dir_all(&folder).unwrap();
    let file = |name: &str| Writer::new(&folder.join(name));
    mixed(file("mixed.pcap"), Path::new(&pcaps), packets);
    syn_flood(file("syn_flood.pcap"), packets);
    dns_flood(file("dns_flood.pcap"), packets);
    bulk_tls(file("bulk_tls.pcap"), packets);
    flows(file("flows.pcap"), packets);
}

/// A capture in preparation.
struct Writer {
    out: BufWriter<File>,
    count: u64,
}

impl Writer {
    fn new(path: &Path) -> Writer {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(path).unwrap());
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 262_144, ETHERNET] {
            out.write_all(&word.to_le_bytes()).unwrap();
        }
        Writer { out, count: 0 }
    }

    fn frame(&mut self, length: u32, data: &[u8]) {
        let time = 1_700_000_000_000_000 + self.count * STEP;
        self.count += 1;
        let words = [(time / 1_000_000) as u32, (time % 1_000_000) as u32];
        for word in [words[0], words[1], data.len() as u32, length] {
            self.out.write_all(&word.to_le_bytes()).unwrap();
        }
        self.out.write_all(data).unwrap();
    }

    fn packet(&mut self, data: &[u8]) {
        self.frame(data.len() as u32, data);
    }
}

/// A real capture: its packets, and every address in their headers.
struct Real {
    packets: Vec<(u32, Vec<u8>)>,
    addresses: BTreeSet<IpAddr>,
}

impl Visitor for Real {
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        self.addresses.extend([packet.src, packet.dst]);
        self.addresses.extend(packet.tunnel.iter().flat_map(|hop| [hop.src, hop.dst]));
        false
    }

    fn seen(&mut self, _: Observable<'_>, _: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {}
}

fn real_captures(pcaps: &Path) -> Vec<Real> {
    let mut paths: Vec<_> =
        std::fs::read_dir(pcaps).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut captures = Vec::new();
    for path in paths.iter().filter(|path| path.to_string_lossy().contains(".pcap")) {
        let Ok(bytes) = std::fs::read(path) else { continue };
        let Ok(capture) = Capture::new(&bytes) else { continue };
        let mut decoder = Decoder::new(Config::default());
        let mut real = Real { packets: Vec::new(), addresses: BTreeSet::new() };
        for packet in capture.map_while(Result::ok) {
            if packet.linktype != ETHERNET {
                continue;
            }
            let frame = Frame {
                number: packet.number,
                time: Timestamp(packet.time),
                is_timed: true,
                linktype: packet.linktype,
                length: packet.length,
                data: packet.data,
            };
            decoder.frame(&frame, &mut real);
            real.packets.push((packet.length, packet.data.to_vec()));
        }
        // Special addresses must be kept.
        real.addresses.retain(|address| match address {
            IpAddr::V4(ip) => {
                !ip.is_multicast() && !ip.is_broadcast() && !ip.is_loopback() && ip.octets()[0] != 0
            }
            IpAddr::V6(ip) => !ip.is_multicast() && !ip.is_loopback() && !ip.is_unspecified(),
        });
        if !real.packets.is_empty() {
            captures.push(real);
        }
    }
    captures
}

/// Other addresses and ports in a packet, the same for the same `seed`.
fn rename(data: &mut [u8], addresses: &BTreeSet<IpAddr>, seed: u64) {
    for address in addresses {
        let (old, new) = match address {
            IpAddr::V4(ip) => {
                let bits = u64::from(ip.to_bits());
                let low = Numbers::new(seed ^ bits).next() as u32 & 0x00ff_ffff;
                let new = u32::from_be_bytes([ip.octets()[0], 0, 0, 0]) | low;
                (ip.octets().to_vec(), new.to_be_bytes().to_vec())
            }
            IpAddr::V6(ip) => {
                let bits = ip.to_bits();
                let low = Numbers::new(seed ^ bits as u64).next() & 0xffff_ffff_ffff;
                let new = bits & !0xffff_ffff_ffff | u128::from(low);
                (ip.octets().to_vec(), new.to_be_bytes().to_vec())
            }
        };
        // After the Ethernet header, and only in headers.
        let end = data.len().min(160);
        let mut at = 14;
        while at + old.len() <= end {
            if data[at..at + old.len()] == old[..] {
                data[at..at + old.len()].copy_from_slice(&new);
                at += old.len();
            } else {
                at += 2;
            }
        }
    }
    if data.len() > 38 && data[12..14] == [8, 0] && data[14] == 0x45 && [6, 17].contains(&data[23])
    {
        for at in [34, 36] {
            let port = u16::from_be_bytes([data[at], data[at + 1]]);
            if port > 20_000 {
                let other = Numbers::new(seed ^ u64::from(port)).below(40_000) as u16 + 20_001;
                data[at..at + 2].copy_from_slice(&other.to_be_bytes());
            }
        }
    }
}

fn mixed(mut out: Writer, pcaps: &Path, packets: u64) {
    let captures = real_captures(pcaps);
    let in_a_round: u64 = captures.iter().map(|real| real.packets.len() as u64).sum();
    assert!(in_a_round > 0, "no captures in {}", pcaps.display());
    let rounds = packets.div_ceil(in_a_round);
    // Every conversation at its own time, with packets of many others in between.
    let mut order = Vec::new();
    let mut numbers = Numbers::new(7);
    for round in 0..rounds {
        for (which, real) in captures.iter().enumerate() {
            let start = round * in_a_round * STEP + numbers.below(in_a_round * STEP * 4);
            for at in 0..real.packets.len() {
                order.push((start + at as u64 * PACE, round, which, at));
            }
        }
    }
    order.sort_unstable();
    let mut data = Vec::new();
    for (_, round, which, at) in order {
        let real = &captures[which];
        let (length, bytes) = &real.packets[at];
        data.clear();
        data.extend_from_slice(bytes);
        rename(&mut data, &real.addresses, round << 20 | which as u64);
        out.frame(*length, &data);
    }
}

/// Ethernet and IPv4 around a transport payload.
fn ipv4(src: [u8; 4], dst: [u8; 4], proto: u8, payload: &[u8]) -> Vec<u8> {
    let mut data = CLIENT_MAC.to_vec();
    data.extend([8, 0, 0x45, 0]);
    data.extend((20 + payload.len() as u16).to_be_bytes());
    data.extend([0, 0, 0x40, 0, 64, proto, 0, 0]);
    data.extend(src);
    data.extend(dst);
    data.extend(payload);
    data
}

fn tcp(ports: [u16; 2], seq: u32, ack: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut data: Vec<u8> = ports.iter().flat_map(|port| port.to_be_bytes()).collect();
    data.extend(seq.to_be_bytes());
    data.extend(ack.to_be_bytes());
    data.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    data.extend(payload);
    data
}

/// A public address.
fn public(numbers: &mut Numbers) -> [u8; 4] {
    let mut octets = (numbers.next() as u32).to_be_bytes();
    octets[0] = octets[0] % 120 + 60;
    octets
}

fn syn_flood(mut out: Writer, packets: u64) {
    let mut numbers = Numbers::new(11);
    for _ in 0..packets {
        let source = public(&mut numbers);
        let ports = [numbers.next() as u16, 443];
        let segment = tcp(ports, numbers.next() as u32, 0, SYN, &[]);
        out.packet(&ipv4(source, [198, 51, 100, 7], 6, &segment));
    }
}

fn dns_flood(mut out: Writer, packets: u64) {
    let mut numbers = Numbers::new(13);
    for _ in 0..packets {
        let name = format!("{:012x}", numbers.next() & 0xffff_ffff_ffff);
        let mut payload: Vec<u8> = (1024 + numbers.below(64_000) as u16).to_be_bytes().to_vec();
        let mut dns = (numbers.next() as u16).to_be_bytes().to_vec();
        dns.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
        for label in [&*name, "cdn", "flood", "example"] {
            dns.push(label.len() as u8);
            dns.extend(label.bytes());
        }
        dns.extend([0, 0, 1, 0, 1]);
        payload.extend([0, 53]);
        payload.extend((8 + dns.len() as u16).to_be_bytes());
        payload.extend([0, 0]);
        payload.extend(&dns);
        let client = [10, 1, numbers.below(16) as u8, numbers.below(250) as u8];
        out.packet(&ipv4(client, [198, 51, 100, 53], 17, &payload));
    }
}

/// TLS records in segments that fill their frames, of a few concurrent connections.
fn bulk_tls(mut out: Writer, packets: u64) {
    const FLOWS: usize = 32;
    const SEGMENT: usize = 1460;
    let mut numbers = Numbers::new(17);
    let mut record = vec![0x17, 3, 3, 0x40, 0];
    record.extend((0..0x4000).map(|_| numbers.next() as u8));
    let (server, mut sent) = ([203, 0, 114, 9], [0_usize; FLOWS]);
    let client = |flow: usize| [10, 2, 0, flow as u8];
    let ports = |flow: usize| 40_000 + flow as u16;
    for flow in 0..FLOWS {
        let there = [ports(flow), 443];
        let back = [443, ports(flow)];
        out.packet(&ipv4(client(flow), server, 6, &tcp(there, 0, 0, SYN, &[])));
        out.packet(&ipv4(server, client(flow), 6, &tcp(back, 0, 1, SYN | ACK, &[])));
    }
    for at in 0..packets as usize {
        let flow = at % FLOWS;
        let mut payload = Vec::with_capacity(SEGMENT);
        let start = sent[flow];
        while payload.len() < SEGMENT {
            let from = (start + payload.len()) % record.len();
            let length = (record.len() - from).min(SEGMENT - payload.len());
            payload.extend_from_slice(&record[from..from + length]);
        }
        let segment = tcp([443, ports(flow)], 1 + start as u32, 1, ACK, &payload);
        out.packet(&ipv4(server, client(flow), 6, &segment));
        sent[flow] += SEGMENT;
    }
}

/// A million concurrent connections, each with an incomplete request.
fn flows(mut out: Writer, flows: u64) {
    let server = [203, 0, 114, 10];
    for step in 0..3 {
        for flow in 0..flows {
            let client = (0x0a80_0000 | (flow as u32 & 0x7f_ffff)).to_be_bytes();
            let ports = [20_000 + (flow % 40_000) as u16, 80];
            let back = [ports[1], ports[0]];
            out.packet(&match step {
                0 => ipv4(client, server, 6, &tcp(ports, 0, 0, SYN, &[])),
                1 => ipv4(server, client, 6, &tcp(back, 0, 1, SYN | ACK, &[])),
                _ => ipv4(
                    client,
                    server,
                    6,
                    &tcp(ports, 1, 1, ACK, b"GET /some/where HTTP/1.1\r\nHo"),
                ),
            });
        }
    }
}
