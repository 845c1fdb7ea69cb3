//! Lists what can be seen in the inputs, without a database: one JSON object per line.

use super::attachments::Attachments;
use super::capture_workers::ShardState;
use super::dedup::SeenValues;
use super::findings::Findings;
use super::mails::{Finder, Mails, Pieces};
use super::pipeline::{self, CapturePiece, CaptureWork, Plan, Work};
use super::{Notify, Report};
use crate::Result;
use crate::clock::now;
use crate::engine::indicator::{Kind, Observable, Where, digest, domain, email, url, words};
use crate::engine::packet::{
    self, Attachment, AttachmentSink, Order, Packet, ProtocolFacts, Visitor,
};
use crate::engine::scan::{Counters, Origin};
use crate::engine::text::{self, Extractor};
use crate::sensor::halt::Halt;
use crate::sensor::input::{Chunk, Target};
use crate::sensor::sink::{Records, Sink};
use serde_json::{Map, Value, json};
use std::ops::Range;
use std::sync::Arc;

/// What to look at.
#[derive(Debug)]
pub struct ObserveJob {
    /// The inputs, in order.
    pub targets: Vec<Target>,
    /// How packets are decoded.
    pub packets: packet::Config,
    /// Threads; 0 for one per core.
    pub threads: usize,
    /// Bytes of a chunk; 0 for the default.
    pub chunk: usize,
    /// Ends it in an orderly way.
    pub halt: Halt,
}

/// Writes every observable of the inputs.
///
/// # Errors
///
/// None at present: an output that cannot be written is in the report.
pub fn observe(job: ObserveJob, sink: &mut dyn Sink, notify: Notify<'_>) -> Result<Report> {
    let ObserveJob { targets, threads, chunk, halt, .. } = job;
    let plan = Plan { targets, threads, chunk, read_at: now(), halt };
    let mut report = pipeline::run(&Observing { packets: job.packets }, plan, sink, notify);
    report.end(sink, &Records::default(), true);
    Ok(report)
}

struct Observing {
    packets: packet::Config,
}

/// An observable of a text with its place.
pub(super) struct Sighting {
    record: Map<String, Value>,
    /// Line and column within the chunk.
    line: u64,
    column: u64,
}

impl Work for Observing {
    type Scratch = Extractor;
    type Found = Vec<Sighting>;

    fn scratch(&self) -> Extractor {
        Extractor::new()
    }

    fn counters(&self, _: &mut Extractor) -> Counters {
        Counters::default()
    }

    fn chunk(&self, extractor: &mut Extractor, chunk: &Chunk, origin: &Origin) -> Vec<Sighting> {
        sightings(extractor, &chunk.buffer, chunk.start..chunk.end, origin, |_, _| true)
    }

    fn mails(
        &self,
        extractor: &mut Extractor,
        mails: &mut Mails,
        chunk: &Chunk,
        origin: &Origin,
        is_last: bool,
    ) -> Vec<Sighting> {
        let text = &chunk.buffer[..];
        let mut found = Vec::new();
        let segments = mails.segments(text, chunk.start..chunk.end);
        for (at, segment) in segments.iter().enumerate() {
            let finder = Finder::new(text, origin.offset, segment);
            let attachments = mails.attachments();
            let (path, found_here) = (&origin.path, Vec::new());
            let mut watch = MailWatch { extractor, path, finder, found: found_here, attachments };
            mails.begin(text, segment, &mut watch);
            mails.decode(text, segment, &mut watch);
            if is_last || at + 1 < segments.len() {
                mails.end(&mut watch);
            }
            let decoded = watch.found;
            decoded.iter().for_each(|(kind, value, _)| mails.remember(*kind, value));
            let mut all: Vec<_> = decoded.into_iter().map(|(_, _, sighting)| sighting).collect();
            let core = segment.span.clone();
            let raw = sightings(extractor, text, core, origin, |kind, value| {
                !mails.has_found(kind, value)
            });
            all.extend(raw.into_iter().map(|it| Sighting { line: it.line + segment.lines, ..it }));
            all.sort_by_key(|sighting| (sighting.line, sighting.column));
            found.append(&mut all);
        }
        found
    }

    fn encode(&self, found: Vec<Sighting>, lines: u64, columns: u64, out: &mut Records) -> u64 {
        let records = found.len() as u64;
        for Sighting { mut record, line, column } in found {
            if let Some(Value::Object(log)) = record.get_mut("log") {
                let column = if line == 1 { column + columns } else { column };
                log.insert("line".into(), json!(line + lines));
                log.insert("column".into(), json!(column));
            }
            out.record(|bytes| write(&record, bytes));
        }
        records
    }

    fn weight(&self, found: &Vec<Sighting>) -> usize {
        512 * found.len()
    }
}

impl CaptureWork for Observing {
    type Against = ();

    fn against(&self) {}

    fn packets(&self) -> &packet::Config {
        &self.packets
    }

    fn decode(
        &self,
        extractor: &mut Extractor,
        piece: &CapturePiece<'_, ()>,
        shard: &mut ShardState,
        findings: &mut Findings,
    ) {
        let CapturePiece { path, packets, .. } = piece;
        let ShardState { shard, reported, .. } = shard;
        packets.show(shard, &mut Watch { path, extractor, reported, findings });
    }

    fn notes(
        &self,
        extractor: &mut Extractor,
        piece: &CapturePiece<'_, ()>,
        findings: &mut Findings,
    ) {
        let CapturePiece { path, packets, .. } = piece;
        let mut text = String::new();
        for note in packets.notes() {
            text.clear();
            note.append(&mut text);
            findings.begins(Order::after(note.number));
            let origin = Origin { path: Arc::clone(path), ..Origin::new("") };
            let whole = 0..text.len();
            for found in sightings(extractor, text.as_bytes(), whole, &origin, |_, _| true) {
                let mut record = found.record;
                if let Some(Value::Object(log)) = record.get_mut("log") {
                    let column = log.insert("offset".into(), json!(note.offset));
                    let column = column.and_then(|at| at.as_u64()).unwrap_or(0) + 1;
                    log.extend([
                        ("line".into(), json!(note.number.max(1))),
                        ("column".into(), json!(column)),
                    ]);
                }
                findings.record(|out| write(&record, out));
            }
        }
    }
}

/// The observables of a text that are kept.
fn sightings(
    extractor: &mut Extractor,
    text: &[u8],
    core: Range<usize>,
    origin: &Origin,
    keep: impl Fn(Kind, &str) -> bool,
) -> Vec<Sighting> {
    let mut collector = ObservableCollector { found: Vec::new() };
    extractor.extract(text, core.clone(), &mut collector);
    let mut found = collector.found;
    found.sort_by_key(|(span, kind, ..)| (span.start, span.end, *kind));
    let (mut line, mut start, mut at) = (1, core.start, core.start);
    let mut sightings = Vec::with_capacity(found.len());
    for (span, kind, value, place) in found {
        for newline in memchr::memchr_iter(b'\n', &text[at..span.start]) {
            (line, start) = (line + 1, at + newline + 1);
        }
        at = span.start;
        if keep(kind, &value) {
            let offset = origin.offset + span.start as u64;
            let record = log_record(kind, value, place, &origin.path, offset);
            sightings.push(Sighting { record, line, column: (at - start) as u64 + 1 });
        }
    }
    sightings
}

fn log_record(
    kind: Kind,
    value: String,
    place: Where,
    path: &str,
    offset: u64,
) -> Map<String, Value> {
    let mut record = record(kind, value, place);
    record.insert("log".into(), json!({"path": path, "offset": offset}));
    record
}

/// Takes everything that mails in a file show.
struct MailWatch<'s, 't> {
    extractor: &'s mut Extractor,
    path: &'s Arc<str>,
    finder: Finder<'t>,
    found: Vec<(Kind, String, Sighting)>,
    attachments: Attachments,
}

impl MailWatch<'_, '_> {
    fn push(&mut self, kind: Kind, value: String, raw: &str, at: Where) {
        let (line, column, offset) = self.finder.place(raw);
        let record = log_record(kind, value.clone(), at, self.path, offset);
        self.found.push((kind, value, Sighting { record, line, column }));
    }
}

impl Pieces for MailWatch<'_, '_> {
    fn piece(&mut self, span: Range<usize>) {
        self.finder.piece(span);
    }
}

impl Visitor for MailWatch<'_, '_> {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn attached(&mut self, file: &Attachment<'_>) -> Option<Box<dyn AttachmentSink>> {
        Some(self.attachments.begin(file))
    }

    fn seen(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        _: &Packet<'_>,
        _: ProtocolFacts<'_>,
    ) {
        if let Some((kind, value)) = read(observable) {
            let raw = value.clone();
            self.push(kind, value, &raw, at);
        }
        self.finder.mark_reported();
    }

    fn text(&mut self, text: &[u8], at: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        let mut collector = ObservableCollector { found: Vec::new() };
        self.extractor.extract(text, 0..text.len(), &mut collector);
        let mut found = collector.found;
        found.sort_by_key(|(span, kind, ..)| (span.start, span.end, *kind));
        for (span, kind, value, place) in found {
            let at = if place == Where::LogText { at } else { place };
            self.push(kind, value, &String::from_utf8_lossy(&text[span]), at);
        }
        self.finder.mark_reported();
    }
}

fn write(record: &Map<String, Value>, out: &mut Vec<u8>) {
    // A map of strings and numbers cannot fail to be written.
    let _ = serde_json::to_writer(&mut *out, record);
    out.push(b'\n');
}

fn record(kind: Kind, value: String, place: Where) -> Map<String, Value> {
    let mut record = Map::new();
    record.insert("kind".into(), json!(kind.name()));
    record.insert("value".into(), json!(value));
    record.insert("where".into(), json!(place.name()));
    record
}

/// Kind and normal form of an observable. `None` if it is not what it looked like.
fn read(observable: Observable<'_>) -> Option<(Kind, String)> {
    // A mapped address is the IPv4 address inside it.
    Some(match observable {
        Observable::Address(address, None) => (Kind::Ip, address.to_canonical().to_string()),
        Observable::Address(address, Some(port)) => {
            (Kind::Endpoint, std::net::SocketAddr::new(address.to_canonical(), port).to_string())
        }
        Observable::Name(raw) => {
            let raw = String::from_utf8_lossy(raw);
            (Kind::Domain, domain::normalise(&raw).ok()?.into_owned())
        }
        Observable::Url(raw) => {
            (Kind::Url, url::parse(&String::from_utf8_lossy(raw)).ok()?.to_string())
        }
        Observable::Email(raw) => {
            let raw = String::from_utf8_lossy(raw);
            (Kind::Email, email::normalise(&raw).ok()?.into_owned())
        }
        Observable::Digest(kind, bytes) => (kind, digest::encode(bytes)),
        Observable::Text(kind, raw) => {
            let raw = String::from_utf8_lossy(raw);
            (kind, words::normalise(kind, &raw).ok()?.into_owned())
        }
    })
}

/// Takes everything that a text shows.
struct ObservableCollector {
    found: Vec<(Range<usize>, Kind, String, Where)>,
}

impl text::Visitor for ObservableCollector {
    fn may_end_in(&self, label: &[u8]) -> bool {
        let lower = label.to_ascii_lowercase();
        !lower.is_ascii() || domain::is_known_tld(&lower)
    }

    fn may_hold_v4(&self, _: u32) -> bool {
        true
    }

    fn wants(&self, _: Kind) -> bool {
        true
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>) {
        if let Some((kind, value)) = read(observable) {
            self.found.push((span, kind, value, at));
        }
    }
}

/// Takes everything that packets show.
struct Watch<'a> {
    path: &'a Arc<str>,
    /// For the texts that are carried.
    extractor: &'a mut Extractor,
    reported: &'a mut SeenValues,
    findings: &'a mut Findings,
}

impl Watch<'_> {
    fn push(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        if let Some((kind, value)) = read(observable) {
            self.push_value(kind, value, at, packet, protocol_facts);
        }
    }

    fn push_value(
        &mut self,
        kind: Kind,
        value: String,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        let mut record = record(kind, value, at);
        if let ProtocolFacts::File(file) = protocol_facts {
            let mut facts = Map::new();
            facts.insert("protocol".into(), json!(file.protocol));
            if let Some(name) = file.name {
                facts.insert("name".into(), json!(String::from_utf8_lossy(name)));
            }
            facts.extend(file.size.map(|size| ("size".into(), json!(size))));
            record.insert("file".into(), Value::Object(facts));
        }
        record.insert(
            "packet".into(),
            json!({
                "path": &**self.path,
                "number": packet.number,
                "time": packet.time.to_string(),
                "flow_id": packet.flow_id,
            }),
        );
        self.findings.record(|out| write(&record, out));
    }
}

impl Visitor for Watch<'_> {
    fn begins(&mut self, order: Order) {
        self.findings.begins(order);
    }

    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        self.push(Observable::Address(packet.src, None), Where::IpSrc, packet, ProtocolFacts::None);
        self.push(Observable::Address(packet.dst, None), Where::IpDst, packet, ProtocolFacts::None);
        false
    }

    fn message(&mut self) {
        self.reported.begin_message();
    }

    fn seen(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        self.push(observable, at, packet, protocol_facts);
    }

    fn text(
        &mut self,
        text: &[u8],
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        let mut collector = ObservableCollector { found: Vec::new() };
        self.extractor.extract(text, 0..text.len(), &mut collector);
        let mut found = collector.found;
        found.sort_by_key(|(span, kind, ..)| (span.start, span.end, *kind));
        for (_, kind, value, place) in found {
            let at = if place == Where::LogText { at } else { place };
            if self.reported.is_new(packet, kind, &value, at) {
                self.push_value(kind, value, at, packet, protocol_facts);
            }
        }
    }
}
