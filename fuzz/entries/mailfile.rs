//! Any bytes as a mail in a file: no panic, and the same however it is cut.

use std::collections::BTreeMap;
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{MailFile, Packet, Said, Visitor};

/// Everything that is told.
#[derive(Default, PartialEq)]
struct Told {
    seen: Vec<(Where, String)>,
    texts: BTreeMap<Where, Vec<u8>>,
}

impl Visitor for Told {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        panic!("a file has no flows")
    }

    fn seen(&mut self, what: Observable<'_>, at: Where, _: &Packet<'_>, _: Said<'_>) {
        self.seen.push((at, format!("{what:?}")));
    }

    fn text(&mut self, text: &[u8], at: Where, _: &Packet<'_>, _: Said<'_>) {
        self.texts.entry(at).or_default().extend_from_slice(text);
    }
}

fn told<'m>(pieces: impl Iterator<Item = &'m [u8]>) -> Told {
    let (mut mail, mut told) = (MailFile::new(Timestamp(0)), Told::default());
    pieces.for_each(|piece| mail.push(piece, &mut told));
    mail.finish(Timestamp(0), &mut told);
    told.seen.sort();
    told
}

/// At once, in lines, and in pieces whose size the first byte says.
pub fn run(bytes: &[u8]) {
    let Some((&first, mail)) = bytes.split_first() else { return };
    let whole = told(std::iter::once(mail));
    assert!(whole == told(mail.split_inclusive(|&b| b == b'\n')));
    assert!(whole == told(mail.chunks(usize::from(first) + 1)));
}
