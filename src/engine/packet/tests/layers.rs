//! Tunnels and fragments, through the whole decoder.

use super::{CLIENT, SERVER, decode, ipv4, udp};
use crate::engine::indicator::{Timestamp, Where};
use crate::engine::packet::tests::Recorder;
use crate::engine::packet::{Config, Decoder, Fault, Frame};
use std::net::Ipv4Addr;

/// A DNS answer in a packet between two inner hosts.
fn inner() -> Vec<u8> {
    let mut packet = udp(53, 40000, &crate::engine::packet::payload::dns::tests::sample());
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

/// A packet in unencrypted ESP, with a check value of twelve bytes.
fn null_esp(packet: &[u8]) -> Vec<u8> {
    [&b"\0\0\x01\0\0\0\0\x01"[..], packet, b"\x01\x02\x02\x04", &[0x5a; 12]].concat()
}

/// An 802.11 frame with one packet, and an aggregate.
fn radio(packet: &[u8]) -> Vec<u8> {
    [b"\x08\x01", &[0; 22][..], b"\xaa\xaa\x03\0\0\0\x08\0", packet].concat()
}

/// An 802.11 aggregate with these parts, by LLC type.
fn aggregate(parts: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut whole = [b"\x88\x01", &[0; 22][..], b"\x80\0"].concat();
    for (kind, packet) in parts {
        whole.resize(26 + (whole.len() - 26).next_multiple_of(4), 0);
        let length = 8 + packet.len() as u16;
        whole.extend([[0; 12].as_slice(), &length.to_be_bytes()].concat());
        whole.extend([&b"\xaa\xaa\x03\0\0\0"[..], &kind.to_be_bytes(), packet].concat());
    }
    whole
}

#[test]
fn every_frame_of_an_aggregate_is_read() {
    let from = |last: u8| {
        let mut packet = inner();
        packet[15] = last;
        packet
    };
    let inside = ipv4(Ipv4Addr::new(10, 1, 0, 1), Ipv4Addr::new(10, 1, 0, 2), 4, &from(9));
    let parts = [(0x0800, from(1)), (0x0806, vec![0; 28]), (0x0800, inside), (0x0800, from(3))];
    let packet = ipv4(CLIENT, SERVER, 47, &[&b"\0\0\x82\x10"[..], &aggregate(&parts)].concat());
    let (recorder, counters) = decode(&[packet]);
    assert_eq!(counters.packets, 5);
    assert_eq!(counters.fault(Fault::NotIp), 1, "ARP");
    assert_eq!(recorder.at(Where::DnsQuery).len(), 3);
    let tunnels: Vec<_> = recorder.places.iter().map(|place| place.tunnel.len()).collect();
    assert!(tunnels.contains(&1) && tunnels.contains(&2), "{tunnels:?}");
    let last = recorder.places.last().unwrap();
    assert_eq!((last.src, last.tunnel.len()), (Some("10.0.0.3".parse().unwrap()), 1));
}

/// Other protocols on the ports of tunnels are parsed as what they are.
#[test]
fn others_on_the_ports_of_tunnels() {
    let answer = crate::engine::packet::payload::dns::tests::sample();
    for port in [1701, 4341, 4500, 4754, 4790, 5072, 5247, 6080, 6635, 12222, 37008] {
        for packet in [udp(53, port, &answer), udp(port, 53, &answer)] {
            let (recorder, counters) = decode(&[packet]);
            assert_eq!(counters.packets, 1);
            assert_eq!(recorder.at(Where::DnsAnswer), ["cdn.example", "192.0.2.7"], "{port}");
        }
    }
}

#[test]
fn authentication_hides_nothing() {
    let answer = crate::engine::packet::payload::dns::tests::sample();
    let inner = udp(53, 4000, &answer);
    let header = |next: u8| [&[next, 4][..], &[0; 22]].concat();
    let one = ipv4(CLIENT, SERVER, 51, &[&header(17)[..], &inner[20..]].concat());
    let (recorder, counters) = decode(std::slice::from_ref(&one));
    assert_eq!(recorder.at(Where::DnsQuery), ["a.example"]);
    assert_eq!(counters.faults().count(), 0);
    let (recorder, _) = decode(&fragments(&one, 16));
    assert_eq!(recorder.at(Where::DnsQuery), ["a.example"]);
    // Unencrypted ESP between hosts: the checksum includes the addresses.
    let mut inner = udp(53, 4000, &answer)[20..].to_vec();
    inner[6..8].copy_from_slice(&[0, 0]);
    let sum: u32 = [
        &CLIENT.octets()[..],
        &SERVER.octets(),
        &[0, 17],
        &(inner.len() as u16).to_be_bytes(),
        &inner,
    ]
    .concat()
    .chunks(2)
    .map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)))
    .sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    inner[6..8].copy_from_slice(&sum.to_be_bytes());
    let whole = [&b"\0\0\x01\0\0\0\0\x01"[..], &inner, b"\x01\x02\x02\x11", &[0x5a; 12]].concat();
    let (recorder, _) = decode(&[ipv4(CLIENT, SERVER, 50, &whole)]);
    assert_eq!(recorder.at(Where::DnsQuery), ["a.example"]);
    let (recorder, _) = decode(&[ipv4(SERVER, SERVER, 50, &whole)]);
    assert!(recorder.seen.is_empty());
}

/// A packet, and the kinds of its tunnels from the outermost inwards.
type Tunnelled = (Vec<u8>, Vec<&'static str>);

/// UDP to a port: a tunnel's header, and its payload.
fn over_udp(port: u16, head: &[u8], rest: &[u8]) -> Vec<u8> {
    udp(4000, port, &[head, rest].concat())
}

/// GTP's header for this many bytes.
fn gtp(length: usize) -> Vec<u8> {
    [&b"\x30\xff"[..], &(length as u16).to_be_bytes(), &[0; 4]].concat()
}

/// Tunnels with IP protocol numbers.
fn tunnels_of_protocols() -> Vec<Tunnelled> {
    let plain = inner();
    let radio = radio(&plain);
    let framed = ethernet(&plain);
    let gre = |head: &[u8], rest: &[u8]| ipv4(CLIENT, SERVER, 47, &[head, rest].concat());
    vec![
        (gre(b"\0\0\x08\0", &plain), vec!["gre"]),
        (gre(b"\0\0\x65\x58", &framed), vec!["gre"]),
        (gre(b"\x20\x01\x88\x0b\0\0\0\0", &[b"\xff\x03\0\x21", &plain[..]].concat()), vec!["gre"]),
        (gre(b"\0\0\x88\xbe", &framed), vec!["erspan"]),
        (ipv4(CLIENT, SERVER, 4, &plain), vec!["ipip"]),
        (ipv4(CLIENT, SERVER, 41, &v6(4, &plain)), vec!["6in4", "4in6"]),
        (v6(41, &v6(4, &plain)), vec!["6in6", "4in6"]),
        (ipv4(CLIENT, SERVER, 137, &[b"\0\0\x11\x40", &plain[..]].concat()), vec!["mpls"]),
        (gre(b"\0\0\x88\x3e\0\x33\0\0", &plain), vec!["gre"]),
        (gre(b"\x20\x01\x64\0\0\0\x07\0", &framed), vec!["gre"]),
        (gre(b"\0\0\x82\0", &radio), vec!["gre"]),
        (gre(b"\0\0\x90\0", &framed), vec!["gre"]),
        (gre(b"\0\0\x89\x4f\0\x02\x02\x01\0\0\x01\xff", &plain), vec!["gre"]),
        (ipv4(CLIENT, SERVER, 94, &plain), vec!["ipip"]),
        (ipv4(CLIENT, SERVER, 97, &[b"\x30\0", &framed[..]].concat()), vec!["etherip"]),
        (ipv4(CLIENT, SERVER, 103, &[b"\x21\0sum\0\0\0", &plain[..]].concat()), vec!["pim"]),
        (v6(143, &framed), vec!["ethernet"]),
        (ipv4(CLIENT, SERVER, 145, &[b"\0\x02\x02\x01path", &plain[..]].concat()), vec!["nsh"]),
        (ipv4(CLIENT, SERVER, 115, &[b"\0\0\0\x07cook", &framed[..]].concat()), vec!["l2tp"]),
        (ipv4(CLIENT, SERVER, 50, &null_esp(&plain)), vec!["esp"]),
        (ipv4(CLIENT, SERVER, 51, &[b"\x04\x04", &[0; 22][..], &plain].concat()), vec!["ipip"]),
        (v6(60, &[b"\x29\0\x01\x04\0\0\0\0", &v6(4, &plain)[..]].concat()), vec!["6in6", "4in6"]),
    ]
}

/// Tunnels on their own ports.
fn tunnels_on_ports() -> Vec<Tunnelled> {
    let plain = inner();
    let radio = radio(&plain);
    let framed = ethernet(&plain);
    let gtp = gtp(plain.len());
    vec![
        (over_udp(4789, b"\x08\0\0\0\0\0\x07\0", &framed), vec!["vxlan"]),
        (over_udp(6081, b"\0\0\x65\x58\0\0\x07\0", &framed), vec!["geneve"]),
        (over_udp(2152, &gtp, &plain), vec!["gtp"]),
        (over_udp(3544, b"", &v6(4, &plain)), vec!["teredo", "4in6"]),
        (over_udp(4000, b"", &v6(4, &plain)), vec!["teredo", "4in6"]),
        (over_udp(1701, b"\0\x02\0\x01\0\x01\xff\x03\0\x21", &plain), vec!["l2tp"]),
        (over_udp(1701, b"\0\x03\0\0\0\0\0\x07", &framed), vec!["l2tp"]),
        (udp(1701, 4000, &[b"\0\x02\0\x01\0\x01\x21", &plain[..]].concat()), vec!["l2tp"]),
        (over_udp(4341, b"\x80\0\0\0\0\0\0\0", &plain), vec!["lisp"]),
        (over_udp(4500, b"", &null_esp(&plain)), vec!["esp"]),
        (over_udp(4754, b"\0\0\x08\0", &plain), vec!["gre"]),
        (over_udp(4790, b"\x0c\0\0\x01\0\0\x07\0", &plain), vec!["vxlan"]),
        (
            over_udp(
                5072,
                b"\x42\x50\x01\x04\0\0\0\x01sixteen bytes...twenty bytes of hash",
                &plain,
            ),
            vec!["ayiya"],
        ),
        (over_udp(5247, b"\0\x10\x42\0\0\0\0\0", &framed), vec!["capwap"]),
        (udp(5247, 4000, &[b"\0\x10\x43\0\0\0\0\0", &radio[..]].concat()), vec!["capwap"]),
        (over_udp(12222, b"\0\0\0\0\0\0", &radio), vec!["lwapp"]),
        (over_udp(6080, b"\0\x04\0\0", &plain), vec!["gue"]),
        (over_udp(6635, b"\0\0\x11\x40", &plain), vec!["mpls"]),
        (over_udp(37008, b"\x01\0\0\x01\x01", &framed), vec!["tzsp"]),
    ]
}

/// Tunnels on other ports, if they are certain.
fn tunnels_elsewhere() -> Vec<Tunnelled> {
    let plain = inner();
    let framed = ethernet(&plain);
    let gtp = gtp(plain.len());
    vec![
        (over_udp(4001, b"", &plain), vec!["fou"]),
        (over_udp(4001, b"\x08\0\0\0\0\0\x07\0", &framed), vec!["vxlan"]),
        (over_udp(4001, b"\x01\0\0\x01\x01", &framed), vec!["tzsp"]),
        (over_udp(4001, &gtp, &plain), vec!["gtp"]),
        (over_udp(4001, b"\0\x02\0\x01\0\x01\xff\x03\0\x21", &plain), vec!["l2tp"]),
        (over_udp(4001, b"\0\0\x65\x58\0\0\x07\0", &framed), vec!["geneve"]),
        (over_udp(4001, b"\0\0\x08\0", &plain), vec!["gre"]),
    ]
}

#[test]
fn every_tunnel_shows_its_inside_and_its_outside() {
    let all = [tunnels_of_protocols(), tunnels_on_ports(), tunnels_elsewhere()];
    for (packet, kinds) in all.into_iter().flatten() {
        let (recorder, counters) = decode(&[packet]);
        assert_eq!(recorder.at(Where::DnsAnswer), ["cdn.example", "192.0.2.7"], "{kinds:?}");
        assert_eq!(counters.faults().count(), 0, "{kinds:?}");
        assert_eq!(recorder.opened.len(), kinds.len() + 1, "{kinds:?}");
        let place = &recorder.places[0];
        assert_eq!(place.src, Some("10.0.0.1".parse().unwrap()));
        let reported: Vec<_> = place.tunnel.iter().map(|tunnel| tunnel.kind).collect();
        assert_eq!(reported, kinds);
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
            let frame = Frame {
                is_timed: true,
                number: 1,
                time: Timestamp(0),
                linktype: 101,
                length,
                data: &data,
            };
            decoder.frame(&frame, &mut recorder);
        }
        assert_eq!(decoder.open_flows(), flows);
    }
}

/// Splits the payload of an IPv4 packet.
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
fn fragments_of_v6_with_more_headers_after_them() {
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
