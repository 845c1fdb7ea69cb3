//! Any bytes as a log: no panic, and the same observables however it is split.

use std::ops::Range;
use std::sync::{Arc, OnceLock};
use wiresift::engine::database::Database;
use wiresift::engine::indicator::{Kind, Observable, Place, Timestamp, Where};
use wiresift::engine::scan::{Origin, Scanner};
use wiresift::engine::text::fields::{
    Blocks, Clock, Elements, Format, HostSeen, Paragraphs, Record, whole_paragraphs,
};
use wiresift::engine::text::{Extractor, Visitor};

/// Records everything.
#[derive(Default)]
struct All {
    seen: Vec<(usize, usize, Where, String)>,
}

impl Visitor for All {
    fn may_hold_name(&self, run: &[u8], pair: usize) -> bool {
        assert!(pair <= run.len());
        true
    }

    fn may_end_in(&self, _: &[u8]) -> bool {
        true
    }

    fn may_hold_v4(&self, _: u32) -> bool {
        true
    }

    fn wants(&self, _: Kind) -> bool {
        true
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>) {
        self.seen.push((span.start, span.end, at, format!("{observable:?}")));
    }
}

/// The first byte says where the text after it is split.
pub fn run(bytes: &[u8]) {
    let [cut, text @ ..] = bytes else { return };
    let cut = text.len() * usize::from(*cut) / 255;
    let mut extractor = Extractor::new();
    let mut whole = All::default();
    extractor.extract(text, 0..text.len(), &mut whole);
    let mut halves = All::default();
    extractor.extract(text, 0..cut, &mut halves);
    extractor.extract(text, cut..text.len(), &mut halves);
    whole.seen.sort();
    halves.seen.sort();
    assert_eq!(whole.seen, halves.seen, "cut at {cut}");
    let mut reference = All::default();
    Extractor::reference().extract(text, 0..text.len(), &mut reference);
    reference.seen.sort();
    assert_eq!(whole.seen, reference.seen, "the fast way and the careful way");
    for (start, end, ..) in &whole.seen {
        assert!(start < end && *end <= text.len(), "{start}..{end}");
    }
    scan(text);
    let forms = [Paragraphs::None, Paragraphs::Export, Paragraphs::Events, Paragraphs::List];
    let heads =
        ["", "__CURSOR=a\n", "Event[0]:\n  Date: x\n", "Time : a\nB : c\n\n", "time,host\n"];
    let mut blocks = heads.map(|head| (Format::of_head(head.as_bytes()), Blocks::default()));
    let mut elements = Elements::default();
    let mut start = 0;
    for line in text.split(|&b| b == b'\n') {
        record(line);
        let place = start..start + line.len();
        for (format, blocks) in &mut blocks {
            if let Some(block) = blocks.around(text, &place, format) {
                assert!(
                    block.start <= place.start && block.end >= place.end,
                    "{block:?} {place:?}"
                );
                record(&text[block]);
            }
        }
        let (element, known) = elements.around(text, place.clone(), start);
        assert!(known.start >= place.start && known.end <= place.end);
        assert!(element.is_none_or(|element| element == known));
        start = place.end + 1;
    }
    for form in forms {
        assert!(whole_paragraphs(form)(text) <= text.len());
    }
}

/// Any line as a record: its positions are within bounds, and the same on each call.
fn record(line: &[u8]) {
    let clock = Clock { zone: None, now: Timestamp(1_795_867_200_000_000) };
    for head in [&b""[..], b"#fields\tts\thost\turi\n", b"#Fields: date time cs-host\n", line] {
        let format = Arc::new(Format::of_head(head));
        let mut record = Record::default();
        record.read(line, &format);
        for at in (0..line.len()).step_by(line.len() / 16 + 1) {
            let span = at..(at + 7).min(line.len());
            let field = record.field(line, at);
            let time = record.time(line, at, &clock);
            let port = record.port_in_other_field(line, span.clone());
            let host = HostSeen { text: "a.example", is_address: at % 2 == 0 };
            let url = record.url_in_other_field(line, span.clone(), &host);
            assert_eq!(field, record.field(line, at));
            assert_eq!(time, record.time(line, at, &clock));
            assert_eq!(port, record.port_in_other_field(line, span.clone()));
            assert_eq!(url, record.url_in_other_field(line, span, &host));
        }
    }
}

/// Line, column and offset of every hit agree with each other.
fn scan(text: &[u8]) {
    static DATABASE: OnceLock<Database> = OnceLock::new();
    let database = DATABASE
        .get_or_init(|| Database::from_bytes(super::open_database::good().to_vec()).unwrap());
    let mut last = 0;
    let mut scanner = Scanner::default();
    scanner.scan_text(database, text, 0..text.len(), &Origin::new("fuzz"), |hit| {
        let Place::Log(place) = &hit.place else { panic!("a packet in a log") };
        let before = &text[..place.offset as usize];
        let line = before.iter().filter(|&&b| b == b'\n').count() as u64 + 1;
        let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |newline| newline + 1);
        assert_eq!((place.line, place.column), (line, place.offset - start as u64 + 1));
        assert!(place.offset >= last, "hits out of order");
        last = place.offset;
    });
}
