//! Any bytes as a mail in a file: no panic, and the same however it is split.

use std::collections::BTreeMap;
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{MailFile, Packet, ProtocolFacts, Visitor};

/// Everything that is reported.
#[derive(Default, PartialEq)]
struct Reports {
    seen: Vec<(Where, String)>,
    texts: BTreeMap<Where, Vec<u8>>,
}

impl Visitor for Reports {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        panic!("a file has no flows")
    }

    fn seen(&mut self, what: Observable<'_>, at: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        self.seen.push((at, format!("{what:?}")));
    }

    fn text(&mut self, text: &[u8], at: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        self.texts.entry(at).or_default().extend_from_slice(text);
    }
}

fn reported<'m>(pieces: impl Iterator<Item = &'m [u8]>) -> Reports {
    let (mut mail, mut reported) = (MailFile::new(Timestamp(0)), Reports::default());
    pieces.for_each(|piece| mail.push(piece, &mut reported));
    mail.finish(Timestamp(0), &mut reported);
    reported.seen.sort();
    reported
}

/// At once, in lines, and in pieces of the size in the first byte.
pub fn run(bytes: &[u8]) {
    let Some((&first, mail)) = bytes.split_first() else { return };
    let whole = reported(std::iter::once(mail));
    assert!(whole == reported(mail.split_inclusive(|&b| b == b'\n')));
    assert!(whole == reported(mail.chunks(usize::from(first) + 1)));
}
