//! Any bytes as frames of any link type: no panic, and every flow is closed.
//!
//! The input is a capture, so that real ones serve as seeds, or a list of frames:
//! link type, seconds, length in units of four bytes, data.
use std::sync::Arc;
use wiresift::indicator::{Observable, Timestamp, Where};
use wiresift::input::capture::Capture;
use wiresift::packet::{Config, Decoder, FlowEnd, Frame, Packet, Said, Visitor};

/// Link types with a decoder, and one without.
const LINKS: [u32; 20] =
    [0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 127, 204, 219, 228, 229, 239, 276, 999];

struct Count {
    opened: u64,
    closed: u64,
    path: Arc<str>,
}

impl Visitor for Count {
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        self.opened += 1;
        packet.number.is_multiple_of(2)
    }

    fn flow_closed(&mut self, flow: &FlowEnd) {
        assert!(flow.totals.packets > 0);
        self.closed += 1;
    }

    fn seen(&mut self, what: Observable<'_>, _: Where, packet: &Packet<'_>, said: Said<'_>) {
        if let Observable::Name(name) = what {
            assert!(!name.is_empty());
        }
        assert_eq!(packet.place(&self.path, false, said).number, packet.number);
    }
}

/// Flows are bounded, and each that was opened is closed.
pub fn run(bytes: &[u8]) {
    let config =
        Config { most_flows: 8, flow_by_vlan: true, flow_by_tunnel: true, ..Config::default() };
    let mut decoder = Decoder::new(config);
    let mut count = Count { opened: 0, closed: 0, path: Arc::from("fuzz") };
    let mut feed = |number, time, linktype, data: &[u8]| {
        let length = data.len() as u32;
        decoder.frame(&Frame { number, time, linktype, length, data }, &mut count);
        assert!(decoder.open_flows() <= 8);
    };
    if let Ok(capture) = Capture::new(bytes) {
        for packet in capture.map_while(Result::ok) {
            feed(packet.number, Timestamp(packet.time), packet.linktype, packet.data);
        }
    } else {
        let mut rest = bytes;
        let mut number = 0;
        while let [link, step, length, behind @ ..] = rest {
            let (data, behind) = behind.split_at(behind.len().min(usize::from(*length) * 4));
            rest = behind;
            number += 1;
            let time = Timestamp::from_seconds(i64::from(*step) * number as i64);
            feed(number, time, LINKS[usize::from(*link) % LINKS.len()], data);
        }
    }
    decoder.finish(&mut count);
    assert_eq!(count.opened, count.closed);
    assert_eq!(decoder.counters().flows, count.opened);
}
