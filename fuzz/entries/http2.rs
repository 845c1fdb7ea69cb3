//! Any bytes after the opening of an HTTP/2 connection: no panic, and the same reports however
//! they are split.
//!
//! The first two bytes choose where the client's part ends; the server's follows it.
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

/// Longer inputs are not played in small pieces.
const MAX_PIECES: usize = 4096;

#[derive(Default)]
struct Seen(Vec<(Where, String)>);

impl Visitor for Seen {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn seen(
        &mut self,
        what: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        if let Observable::Name(name) = what {
            assert!(!name.is_empty());
        }
        assert!(packet.number > 0);
        let _ = protocol_facts.protocol();
        // What exceeds the memory for all bodies together depends on timing.
        if at != Where::FileHash {
            self.0.push((at, format!("{what:?}")));
        }
    }
}

/// A segment in IPv4.
fn packet(to_server: bool, seq: usize, data: &[u8]) -> Vec<u8> {
    let (src, dst): (u16, u16) = if to_server { (4000, 8080) } else { (8080, 4000) };
    let (from, to) = if to_server { (1, 2) } else { (2, 1) };
    let mut packet = vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0];
    packet.extend([192, 0, 2, from, 192, 0, 2, to]);
    packet.extend([src.to_be_bytes(), dst.to_be_bytes()].concat());
    packet.extend((seq as u32).to_be_bytes());
    packet.extend([0, 0, 0, 0, 0x50, 24, 0, 0, 0, 0, 0, 0]);
    packet.extend(data);
    packet
}

/// Plays the client and then the server, in segments of this many bytes.
fn play(client: &[u8], server: &[u8], unit: usize, gap: usize) -> Vec<(Where, String)> {
    play_after([PREFACE, SETTINGS], client, server, unit, gap)
}

/// The same after other openings.
fn play_after(
    openings: [&[u8]; 2],
    client: &[u8],
    server: &[u8],
    unit: usize,
    gap: usize,
) -> Vec<(Where, String)> {
    let [preface, settings] = openings;
    let mut decoder = Decoder::new(Config::default());
    let mut seen = Seen::default();
    let mut number = 0;
    for (to_server, opening, text) in [(true, preface, client), (false, settings, server)] {
        let text = [opening, text].concat();
        for (at, part) in text.chunks(unit).enumerate() {
            number += 1;
            let seq = 1 + at * unit + if at > 0 { gap } else { 0 };
            let data = packet(to_server, seq, part);
            let length = data.len() as u32;
            let frame = Frame {
                is_timed: true,
                number,
                time: Timestamp(0),
                linktype: 101,
                length,
                data: &data,
            };
            decoder.frame(&frame, &mut seen);
        }
    }
    decoder.finish(&mut seen);
    assert_eq!(decoder.open_flows(), 0);
    seen.0
}

/// In one piece, in small ones, and with missing bytes.
pub fn run(bytes: &[u8]) {
    let Some((&at, text)) = bytes.split_first_chunk::<2>() else { return };
    let at = usize::from(u16::from_le_bytes(at)).min(text.len());
    let (client, server) = text.split_at(at);
    let whole = play(client, server, 30_000, 0);
    for unit in [1, 7, 100] {
        if text.len() / unit < MAX_PIECES {
            assert_eq!(play(client, server, unit, 0), whole, "{unit}");
        }
    }
    play(client, server, 50, 1 + at % 50);
    // Without the openings.
    play_after([b""; 2], client, server, 700, 0);
    play_after([b""; 2], client, server, 50, 1 + at % 50);
}
