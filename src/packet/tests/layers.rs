//! Tunnels and fragments, through the whole decoder.

use super::{CLIENT, SERVER, decode, ipv4, udp};
use crate::indicator::{Timestamp, Where};
use crate::packet::tests::Recorder;
use crate::packet::{Config, Decoder, Fault, Frame};

/// A DNS answer in a packet between two inner hosts.
fn inner() -> Vec<u8> {
    let mut packet = udp(53, 40000, &crate::packet::dns::tests::sample());
    packet[12..20].copy_from_slice(&[10, 0, 0, 1, 10, 0, 0, 2]);
    packet
}

fn ethernet(packet: &[u8]) -> Vec<u8> {
    [&b"dstdstsrcsrc\x81\x00\x00\x09\x08\x00"[..], packet].concat()
}

fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = vec![0x60, 0, 0, 0];
    packet.extend((payload.len() as u16).to_be_bytes());
    packet.extend([next, 64]);
    packet.extend([0x20, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
    packet.extend([0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    packet.extend(payload);
    packet
}

#[test]
fn every_tunnel_shows_its_inside_and_its_outside() {
    let plain = inner();
    let framed = ethernet(&plain);
    let gre = |head: &[u8], rest: &[u8]| ipv4(CLIENT, SERVER, 47, &[head, rest].concat());
    let mpls_udp = |port, head: &[u8], rest: &[u8]| udp(4000, port, &[head, rest].concat());
    let gtp = [&b"\x30\xff"[..], &(plain.len() as u16).to_be_bytes(), &[0; 4]].concat();
    for (packet, kinds) in [
        (gre(b"\0\0\x08\0", &plain), vec!["gre"]),
        (gre(b"\0\0\x65\x58", &framed), vec!["gre"]),
        (gre(b"\x20\x01\x88\x0b\0\0\0\0", &[b"\xff\x03\0\x21", &plain[..]].concat()), vec!["gre"]),
        (gre(b"\0\0\x88\xbe", &framed), vec!["erspan"]),
        (ipv4(CLIENT, SERVER, 4, &plain), vec!["ipip"]),
        (ipv4(CLIENT, SERVER, 41, &v6(4, &plain)), vec!["6in4", "4in6"]),
        (v6(41, &v6(4, &plain)), vec!["6in6", "4in6"]),
        (mpls_udp(4789, b"\x08\0\0\0\0\0\x07\0", &framed), vec!["vxlan"]),
        (mpls_udp(6081, b"\0\0\x65\x58\0\0\x07\0", &framed), vec!["geneve"]),
        (mpls_udp(2152, &gtp, &plain), vec!["gtp"]),
        (mpls_udp(3544, b"", &v6(4, &plain)), vec!["teredo", "4in6"]),
        (mpls_udp(4000, b"", &v6(4, &plain)), vec!["teredo", "4in6"]),
        (ipv4(CLIENT, SERVER, 137, &[b"\0\0\x11\x40", &plain[..]].concat()), vec!["mpls"]),
    ] {
        let (recorder, counters) = decode(&[packet]);
        assert_eq!(recorder.at(Where::DnsAnswer), ["cdn.example", "192.0.2.7"], "{kinds:?}");
        assert_eq!(counters.faults().count(), 0, "{kinds:?}");
        assert_eq!(recorder.opened.len(), kinds.len() + 1, "{kinds:?}");
        let place = &recorder.places[0];
        assert_eq!(place.src, Some("10.0.0.1".parse().unwrap()));
        let told: Vec<_> = place.tunnel.iter().map(|tunnel| tunnel.kind).collect();
        assert_eq!(told, kinds);
        assert_eq!(place.tunnel[0].src, recorder.opened[0].0);
        assert_eq!(place.tunnel[0].dst, recorder.opened[0].1);
    }
}

#[test]
fn tunnels_nest_up_to_a_bound() {
    let nest = |depth| (0..depth).fold(inner(), |packet, _| ipv4(CLIENT, SERVER, 4, &packet));
    let (recorder, counters) = decode(&[nest(8)]);
    assert_eq!(recorder.at(Where::DnsQuery), ["a.example"]);
    assert_eq!((counters.packets, counters.fault(Fault::TooManyTunnels)), (9, 0));
    let (recorder, counters) = decode(&[nest(9)]);
    assert!(recorder.seen.is_empty());
    assert_eq!((counters.packets, counters.fault(Fault::TooManyTunnels)), (9, 1));
}

#[test]
fn a_tunnel_is_part_of_the_flow_by_choice() {
    let vxlan = |network: u8| {
        udp(4000, 4789, &[&[8, 0, 0, 0, 0, 0, network, 0][..], &ethernet(&inner())].concat())
    };
    for (flow_by_tunnel, flows) in [(false, 2), (true, 3)] {
        let mut decoder = Decoder::new(Config { flow_by_tunnel, ..Config::default() });
        let mut recorder = Recorder::default();
        for network in [1, 2, 1] {
            let data = vxlan(network);
            let length = data.len() as u32;
            let frame = Frame { number: 1, time: Timestamp(0), linktype: 101, length, data: &data };
            decoder.frame(&frame, &mut recorder);
        }
        assert_eq!(decoder.open_flows(), flows);
    }
}

/// Cuts the payload of an IPv4 packet.
fn fragments(packet: &[u8], unit: usize) -> Vec<Vec<u8>> {
    let payload = &packet[20..];
    let count = payload.len().div_ceil(unit);
    let cut = |(at, bytes): (usize, &[u8])| {
        let mut part = ipv4(CLIENT, SERVER, packet[9], bytes);
        part[12..20].copy_from_slice(&packet[12..20]);
        let place = (at * unit / 8) as u16 | if at + 1 == count { 0 } else { 0x2000 };
        part[4..6].copy_from_slice(&[1, 2]);
        part[6..8].copy_from_slice(&place.to_be_bytes());
        part
    };
    payload.chunks(unit).enumerate().map(cut).collect()
}

#[test]
fn fragments_are_read_once_they_are_whole() {
    let parts = fragments(&inner(), 16);
    let (recorder, counters) = decode(&parts);
    assert_eq!(recorder.at(Where::DnsAnswer), ["cdn.example", "192.0.2.7"]);
    assert_eq!(recorder.places[0].number, parts.len() as u64, "the packet that completed it");
    assert_eq!(recorder.places[0].src_port, Some(53));
    assert_eq!(counters.faults().count(), 0);

    let backwards: Vec<_> = parts.iter().rev().cloned().collect();
    let (recorder, _) = decode(&backwards);
    assert_eq!(recorder.at(Where::DnsQuery), ["a.example"]);
    let (recorder, counters) = decode(&parts[1..]);
    assert!(recorder.seen.is_empty());
    assert_eq!(counters.fault(Fault::FragmentsMissing), 1);
}

#[test]
fn fragments_around_and_inside_of_a_tunnel() {
    let inside: Vec<_> =
        fragments(&inner(), 24).iter().map(|part| ipv4(CLIENT, SERVER, 4, part)).collect();
    let around = fragments(&ipv4(CLIENT, SERVER, 4, &inner()), 24);
    for parts in [inside, around] {
        let (recorder, _) = decode(&parts);
        assert_eq!(recorder.at(Where::DnsQuery), ["a.example"]);
        assert_eq!(recorder.places[0].tunnel[0].kind, "ipip");
    }
}

#[test]
fn fragments_of_v6_with_more_headers_behind() {
    let transport = inner()[20..].to_vec();
    let options = [&[17, 0, 0, 0, 0, 0, 0, 0][..], &transport].concat();
    let parts: Vec<_> = options
        .chunks(32)
        .enumerate()
        .map(|(at, bytes)| {
            let more = u16::from((at + 1) * 32 < options.len());
            let place = ((at as u16 * 32) | more).to_be_bytes();
            v6(44, &[&[60, 0, place[0], place[1], 0, 0, 0, 7], bytes].concat())
        })
        .collect();
    let (recorder, counters) = decode(&parts);
    assert_eq!(recorder.at(Where::DnsQuery), ["a.example"]);
    assert_eq!(counters.faults().count(), 0);
}
