//! Any bytes as segments of one TCP connection: no panic, and memory is bounded.
//!
//! The first byte chooses the server's port. Then segments: direction and flags, where it begins,
//! its length in units of four bytes, data. The whole input is also played as the plain stream of
//! a client, and of a server.
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};

const PORTS: [u16; 4] = [53, 80, 443, 5300];

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
        if let Observable::Name(name) = what {
            assert!(!name.is_empty());
        }
        assert!(packet.number > 0);
        let _ = protocol_facts.protocol();
    }
}

/// A segment in IPv4.
pub fn packet(to_server: bool, port: u16, flags: u8, seq: u32, data: &[u8]) -> Vec<u8> {
    let (src, dst) = if to_server { (4000, port) } else { (port, 4000) };
    let (from, to) = if to_server { (1, 2) } else { (2, 1) };
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0];
    packet.extend([192, 0, 2, from, 192, 0, 2, to]);
    packet.extend([src.to_be_bytes(), dst.to_be_bytes()].concat());
    packet.extend(seq.to_be_bytes());
    packet.extend(seq.to_be_bytes());
    packet.extend([0x50, flags, 0, 0, 0, 0, 0, 0]);
    packet.extend(data);
    packet
}

fn feed(decoder: &mut Decoder, number: u64, data: &[u8]) {
    let length = data.len() as u32;
    let frame = Frame { is_timed: true, number, time: Timestamp(0), linktype: 101, length, data };
    decoder.frame(&frame, &mut Nothing);
}

/// Segments as in the input, then the input as a plain stream.
pub fn run(bytes: &[u8]) {
    let Some((&first, stream)) = bytes.split_first() else { return };
    let port = PORTS[usize::from(first) % PORTS.len()];
    let config = || Config { max_stream_bytes: 64 << 10, ..Config::default() };
    let mut decoder = Decoder::new(config());
    let mut rest = stream;
    let mut number = 0;
    while let [control, low, high, length, after @ ..] = rest {
        let (data, after) = after.split_at(after.len().min(usize::from(*length) * 4));
        rest = after;
        number += 1;
        let seq = u32::from(u16::from_le_bytes([*low, *high]));
        let seq = if control & 0x40 != 0 { seq.wrapping_mul(70_000) } else { seq };
        feed(&mut decoder, number, &packet(control & 0x80 != 0, port, control & 0x1f, seq, data));
    }
    decoder.finish(&mut Nothing);
    assert_eq!(decoder.open_flows(), 0);
    for to_server in [true, false] {
        for unit in [1, 7, 1400] {
            let mut decoder = Decoder::new(config());
            feed(&mut decoder, 1, &packet(to_server, port, 2, 0, &[]));
            for (at, part) in stream.chunks(unit).take(4096).enumerate() {
                let seq = (1 + at * unit) as u32;
                feed(&mut decoder, at as u64 + 2, &packet(to_server, port, 24, seq, part));
            }
            decoder.finish(&mut Nothing);
            assert_eq!(decoder.open_flows(), 0);
        }
    }
}
