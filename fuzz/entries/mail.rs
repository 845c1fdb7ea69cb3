//! Any bytes as a mail, over SMTP, POP3 or IMAP: no panic, and the same however it is split,
//! except for the order: the contents of a text are reported once it is complete.
//!
//! The first byte chooses the protocol and the size of the segments.
use super::streams::packet;
use std::collections::BTreeMap;
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{Config, Decoder, Frame, Packet, ProtocolFacts, Visitor};

/// Everything that is reported.
#[derive(Debug, Default, PartialEq)]
struct Reports {
    seen: Vec<(Where, String)>,
    texts: BTreeMap<Where, Vec<u8>>,
}

impl Visitor for Reports {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn seen(
        &mut self,
        what: Observable<'_>,
        at: Where,
        _: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        self.seen.push((at, format!("{what:?}")));
        let _ = protocol_facts.protocol();
    }

    fn text(&mut self, text: &[u8], at: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        self.texts.entry(at).or_default().extend_from_slice(text);
    }
}

/// What is reported of a stream in segments of this many bytes.
fn reported(to_server: bool, stream: &[u8], unit: usize) -> Reports {
    let mut decoder = Decoder::new(Config::default());
    let mut reported = Reports::default();
    let mut feed = |number, data: &[u8]| {
        let length = data.len() as u32;
        decoder.frame(
            &Frame { is_timed: true, number, time: Timestamp(0), linktype: 101, length, data },
            &mut reported,
        );
    };
    feed(1, &packet(to_server, 1024, 2, 0, &[]));
    for (at, part) in stream.chunks(unit).enumerate() {
        feed(at as u64 + 2, &packet(to_server, 1024, 24, (1 + at * unit) as u32, part));
    }
    decoder.finish(&mut reported);
    assert_eq!(decoder.open_flows(), 0);
    reported.seen.sort();
    reported
}

/// In large segments and in small ones.
pub fn run(bytes: &[u8]) {
    let Some((&first, mail)) = bytes.split_first() else { return };
    let unit = usize::from(first / 4) + 1;
    let (to_server, stream) = match first % 4 {
        0 => (true, [b"EHLO a.example\r\nDATA\r\n", mail].concat()),
        1 => (false, [b"+OK ready\r\n+OK\r\n", mail].concat()),
        2 => {
            let head = format!("* OK ready\r\n* 1 FETCH (BODY[] {{{}}}\r\n", mail.len());
            (false, [head.as_bytes(), mail, b")\r\n"].concat())
        }
        _ => (true, [b"a CAPABILITY\r\n", mail].concat()),
    };
    let (large, small) = (reported(to_server, &stream, 1400), reported(to_server, &stream, unit));
    // After a violation of the protocol, each segment is probed again for the beginning of one:
    // whether another one is found depends on the split.
    let is_mail =
        |at: Where| ["smtp.", "mail.", "file."].iter().any(|of| at.name().starts_with(of));
    if large.seen.iter().chain(&small.seen).all(|(at, _)| is_mail(*at)) {
        assert_eq!(large, small);
    }
}
