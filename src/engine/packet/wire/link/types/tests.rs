//! Each link type with its shortest header.

use super::*;
use crate::engine::packet::wire::link::unknown_link;

const V4: Result<(Layer, &[u8]), Fault> = Ok((Layer::Ip(Net::V4), b"E"));
const EITHER: Result<(Layer, &[u8]), Fault> = Ok((Layer::Ip(Net::Either), b"E"));
const TYPED: Result<(Layer, &[u8]), Fault> = Ok((Layer::EtherType(0x0800), b"E"));
const FRAME: Result<(Layer, &[u8]), Fault> = Ok((Layer::Ethernet, b"eth"));
const LOGICAL: Result<(Layer, &[u8]), Fault> = Ok((Layer::Llc, b"llc"));
const LINE: Result<(Layer, &[u8]), Fault> = Ok((Layer::Ppp, b"ppp"));

/// This many arbitrary bytes, then these.
fn after_header(length: usize, rest: &[u8]) -> Vec<u8> {
    [&vec![0; length], rest].concat()
}

#[test]
fn headers_of_local_networks_are_removed() {
    assert_eq!(strip(TOKEN_RING, &after_header(14, b"llc")), LOGICAL);
    let mut routed = after_header(14, b"\x06\0rrrrllc");
    routed[8] = 0x80;
    assert_eq!(strip(TOKEN_RING, &routed), LOGICAL);
    assert_eq!(strip(FDDI, &after_header(13, b"llc")), LOGICAL);
    assert_eq!(strip(IP_OVER_FC, &after_header(16, b"llc")), LOGICAL);
    for linktype in [ATM, ATM_BSD, ATM_CLIP, ATM_CLIP_BSD] {
        assert_eq!(strip(linktype, b"llc"), LOGICAL);
    }
    assert_eq!(strip(SUNATM, b"\x02\0\0\x05llc"), LOGICAL);
    assert_eq!(strip(SUNATM, b"\x01\0\0\x05lleth"), FRAME);
    assert_eq!(strip(ARCNET, b"sd\xf0E"), V4);
    assert_eq!(strip(ARCNET, b"sd\xd4\0\0\0E"), V4);
    assert_eq!(strip(ARCNET, b"sd\xd4\xff\0\0\xd4\0\0\0E"), V4);
    assert_eq!(strip(ARCNET, b"sd\xd4\x01\0\0E"), Err(Fault::NotIp), "a fragment");
    assert_eq!(strip(ARCNET_LINUX, b"sdoo\xd4\0\0\0E"), V4);
    assert_eq!(strip(IP_OVER_1394, &after_header(16, b"\x08\0E")), TYPED);
    for at in [0, 20, 40] {
        assert_eq!(strip(IPOIB, &after_header(at, b"\x08\0\0\0E")), TYPED, "{at}");
    }
    assert_eq!(strip(IPOIB, &[7; 60]), Err(Fault::NotIp));
    let mut amateur = after_header(14, b"\x03\xccE");
    amateur[13] = 1;
    assert_eq!(strip(AX25, &amateur), V4);
    assert_eq!(strip(AX25_KISS, &[&[0], &amateur[..]].concat()), V4);
    assert_eq!(strip(AX25, &[0; 100]), Err(Fault::LinkCut), "addresses without an end");
}

#[test]
fn headers_of_serial_lines_are_removed() {
    assert_eq!(strip(SLIP, &after_header(16, b"E")), EITHER);
    assert_eq!(strip(PPP_PPPD, b"\x01\x03ppp"), LINE);
    assert_eq!(strip(PPP_PPPD, b"ppp"), LINE);
    assert_eq!(strip(C_HDLC_WITH_DIR, b"\x01\x0f\0\x08\0E"), TYPED);
    assert_eq!(strip(FRAME_RELAY, b"fr"), Ok((Layer::FrameRelay, &b"fr"[..])));
    assert_eq!(strip(FRAME_RELAY_WITH_DIR, b"\x01fr"), Ok((Layer::FrameRelay, &b"fr"[..])));
    assert_eq!(
        strip(SYMANTEC, &[&after_header(6, b"\x08\0"), &after_header(36, b"E")[..]].concat()),
        TYPED
    );
    assert_eq!(strip(DOCSIS, b"\0\0\0\0\0\0eth"), FRAME);
    assert_eq!(strip(DOCSIS, b"\x01\x02\0\0\0\0exeth"), FRAME);
    assert_eq!(strip(DOCSIS, b"\xc2\0\0\0\0\0management"), Err(Fault::NotIp));
}

#[test]
fn systems_and_cards() {
    assert_eq!(strip(ENC, b"\0\0\0\x02ssssffffE"), V4);
    assert_eq!(strip(ENC, b"\x02\0\0\0ssssffffE"), V4);
    assert_eq!(strip(OLD_PFLOG, &[&b"\0\0\0\x02"[..], &after_header(24, b"E")].concat()), V4);
    for length in [61, 64, 69, 100_u8] {
        let header = usize::from(length).next_multiple_of(4);
        let mut log = after_header(header, b"E");
        (log[0], log[1]) = (length, 2);
        assert_eq!(strip(PFLOG, &log), EITHER);
    }
    assert_eq!(strip(PFLOG, b"\x04\x02\0\0E"), Err(Fault::NotIp));
    assert_eq!(strip(IPNET, &[&b"\x01\x02"[..], &after_header(22, b"E")].concat()), V4);
    assert_eq!(strip(NETANALYZER, &after_header(4, b"eth")), FRAME);
    assert_eq!(strip(NETANALYZER_TRANSPARENT, &after_header(12, b"eth")), FRAME);
    for linktype in [EPON, ETHERNET_MPACKET] {
        assert_eq!(strip(linktype, &after_header(8, b"eth")), FRAME);
    }
    for linktype in [DSA, DSA_BROADCOM] {
        assert_eq!(strip(linktype, &after_header(16, b"\x08\0E")), TYPED);
    }
    assert_eq!(strip(EDSA, &after_header(20, b"\x08\0E")), TYPED);
    assert_eq!(strip(DSA_BROADCOM_IN_FRONT, &after_header(4, b"eth")), FRAME);
    let record =
        |kind: u8, rest: &[u8]| [&after_header(8, &[kind]), &after_header(7, rest)[..]].concat();
    assert_eq!(strip(ERF, &record(2, b"..eth")), FRAME);
    assert_eq!(strip(ERF, &record(0x82, b"\x80.......\0.........eth")), FRAME);
    assert_eq!(strip(ERF, &record(22, b"E")), V4);
    assert_eq!(strip(ERF, &record(1, b"\x0f\0\x08\0E")), TYPED);
    assert_eq!(strip(ERF, &record(21, b"infiniband")), Err(Fault::NotIp));
    let packet = crate::engine::packet::wire::tunnel::tests::packet();
    let found = Ok((Layer::Ip(Net::Either), &packet[..]));
    assert_eq!(strip(INFINIBAND, &after_header(32, &packet)), found);
}

#[test]
fn headers_that_name_another_type() {
    let ppi = b"\0\0\x0c\0\x01\0\0\0fldseth";
    assert_eq!(strip(PPI, ppi), Ok((Layer::Link(1), &b"eth"[..])));
    let mut tap = after_header(108, b"eth");
    (tap[0], tap[4], tap[8]) = (108, 1, 1);
    assert_eq!(strip(PKTAP, &tap), Ok((Layer::Link(1), &b"eth"[..])));
    assert_eq!(strip(USER2, &tap), Ok((Layer::Link(1), &b"eth"[..])));
    tap[4] = 0;
    assert_eq!(strip(PKTAP, &tap), Err(Fault::NotIp));
    assert_eq!(strip(USER2, &tap), Err(Fault::UnknownLink));
    assert_eq!(strip(PKTAP, &tap[..20]), Err(Fault::NotIp));
}

#[test]
fn the_number_that_is_unknown() {
    assert_eq!(unknown_link(9999, b""), Some(9999));
    assert_eq!(unknown_link(ETHERNET, b""), None);
    assert_eq!(unknown_link(PPI, b"\0\0\x08\0\xe3\0\0\0"), Some(227));
    assert_eq!(unknown_link(PPI, b"\0\0\x08\0\x01\0\0\0"), None);
    let circle = b"\0\0\0\0\xc0\0\0\0";
    assert_eq!(unknown_link(PPI, circle), None, "it names itself");
    assert_eq!(name(227), Some("CAN"));
    assert_eq!(name(9999), None);
    // A link type has a name exactly if it is not decoded.
    for linktype in (0..400).filter(|&linktype| linktype != USER2) {
        let is_unknown = strip(linktype, &[0; 200]) == Err(Fault::UnknownLink);
        assert!(is_unknown || name(linktype).is_none(), "{linktype}");
    }
}
