//! Any bytes as a mail, over SMTP, POP3 or IMAP: no panic, and the same however it is cut,
//! but for the order: what a text holds is told once it has come together.
//!
//! The first byte chooses the protocol and the size of the segments.
use super::streams::packet;
use std::collections::BTreeMap;
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{Config, Decoder, Frame, Packet, Said, Visitor};

/// Everything that is told.
#[derive(Debug, Default, PartialEq)]
struct Told {
    seen: Vec<(Where, String)>,
    texts: BTreeMap<Where, Vec<u8>>,
}

impl Visitor for Told {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn seen(&mut self, what: Observable<'_>, at: Where, _: &Packet<'_>, said: Said<'_>) {
        self.seen.push((at, format!("{what:?}")));
        let _ = said.protocol();
    }

    fn text(&mut self, text: &[u8], at: Where, _: &Packet<'_>, _: Said<'_>) {
        self.texts.entry(at).or_default().extend_from_slice(text);
    }
}

/// What is told of a stream in segments of so many bytes.
fn told(to_server: bool, stream: &[u8], unit: usize) -> Told {
    let mut decoder = Decoder::new(Config::default());
    let mut told = Told::default();
    let mut feed = |number, data: &[u8]| {
        let length = data.len() as u32;
        decoder.frame(
            &Frame { is_timed: true, number, time: Timestamp(0), linktype: 101, length, data },
            &mut told,
        );
    };
    feed(1, &packet(to_server, 1024, 2, 0, &[]));
    for (at, part) in stream.chunks(unit).enumerate() {
        feed(at as u64 + 2, &packet(to_server, 1024, 24, (1 + at * unit) as u32, part));
    }
    decoder.finish(&mut told);
    assert_eq!(decoder.open_flows(), 0);
    told.seen.sort();
    told
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
    let (large, small) = (told(to_server, &stream, 1400), told(to_server, &stream, unit));
    // Behind what breaks the protocol each segment is asked anew whether one begins: where
    // another one is found, the cut decides.
    let is_mail =
        |at: Where| ["smtp.", "mail.", "file."].iter().any(|of| at.name().starts_with(of));
    if large.seen.iter().chain(&small.seen).all(|(at, _)| is_mail(*at)) {
        assert_eq!(large, small);
    }
}
