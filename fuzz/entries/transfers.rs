//! Any bytes as the data of several connections and datagram exchanges, in turn: control and data
//! of FTP, SMB, SOCKS, TFTP, DHCP. No panic, and memory is bounded.
//!
//! Each record: direction and kind (two bytes), a length, and the data. The sequence numbers are
//! valid, so that code that needs both sides, or two connections, is reached.
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};

/// Ports of client and server. The seeds announce those of FTP's data.
const FLOWS: [(u16, u16, u8); 8] = [
    (4000, 21, 6),
    (4001, 1025, 6),
    (1026, 20, 6),
    (4002, 445, 6),
    (4003, 1080, 6),
    (4004, 69, 17),
    (4004, 5000, 17),
    (546, 547, 17),
];

struct Nothing;

impl Visitor for Nothing {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn seen(
        &mut self,
        what: Observable<'_>,
        _: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        match what {
            Observable::Name(name) => assert!(!name.is_empty()),
            Observable::Text(_, text) => assert!(!text.is_empty()),
            _ => {}
        }
        assert!(packet.number > 0);
        let _ = protocol_facts.protocol();
    }

    fn text(&mut self, text: &[u8], _: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        assert!(!text.is_empty());
    }
}

/// A packet of a flow in IPv4.
fn packet(flow: usize, to_server: bool, flags: u8, seq: u32, data: &[u8]) -> Vec<u8> {
    let (client, server, proto) = FLOWS[flow];
    let (src, dst) = if to_server { (client, server) } else { (server, client) };
    let (from, to) = if to_server { (1, 2) } else { (2, 1) };
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, proto, 0, 0];
    packet.extend([192, 0, 2, from, 192, 0, 2, to]);
    packet.extend([src.to_be_bytes(), dst.to_be_bytes()].concat());
    if proto == 17 {
        packet.extend([0; 4]);
    } else {
        packet.extend(seq.to_be_bytes());
        packet.extend([0, 0, 0, 0, 0x50, flags, 0, 0, 0, 0, 0, 0]);
    }
    packet.extend(data);
    packet
}

/// The records of an input, as far as they are complete.
pub fn run(bytes: &[u8]) {
    let config = Config { max_stream_bytes: 256 << 10, ..Config::default() };
    let mut decoder = Decoder::new(config);
    let mut next = [[1000_u32; 2]; FLOWS.len()];
    let mut rest = bytes;
    let mut number = 0;
    while let [who, how, length, after @ ..] = rest {
        let (data, after) = after.split_at(after.len().min(usize::from(*length)));
        rest = after;
        number += 1;
        let (flow, to_server) = (usize::from(who & 7), who & 0x80 == 0);
        let (flags, jump) = (how & 0x1f, u32::from(how >> 5));
        let seq = &mut next[flow][usize::from(to_server)];
        let data = packet(flow, to_server, flags, *seq, data);
        *seq = seq.wrapping_add(u32::from(*length) + u32::from(flags & 3 != 0) + jump);
        let length = data.len() as u32;
        let frame = Frame {
            is_timed: true,
            number,
            time: Timestamp(0),
            linktype: 101,
            length,
            data: &data,
        };
        decoder.frame(&frame, &mut Nothing);
    }
    decoder.finish(&mut Nothing);
    assert_eq!(decoder.open_flows(), 0);
}
