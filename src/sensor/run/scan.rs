//! Logs and captures to alerts.

use super::attachments::Attachments;
use super::capture::{HitSink, PacketScan};
use super::capture_workers::ShardState;
use super::findings::{Findings, Waiting};
use super::mails::{Finder, Mails, Pieces};
use super::outlet::{Form, Outlet};
use super::pipeline::{self, CapturePiece, CaptureWork, Plan, Work};
use super::reload::{Known, Lease, Look, while_watched};
use super::rotation::while_rotated;
use super::{Current, Job, Notice, Notify, Report};
use crate::Result;
use crate::clock::now;
use crate::engine::alert::{Alert, Encoder, Provenance};
use crate::engine::database::Database;
use crate::engine::indicator::{Kind, Observable, Place, Timestamp, Where};
use crate::engine::packet::{
    self, Attachment, AttachmentSink, FileFacts, FlowEnd, Order, Packet, ProtocolFacts, Visitor,
};
use crate::engine::scan::{Counters, Hit, Options, Origin, Scanner};
use crate::sensor::input::{Chunk, Target};
use crate::sensor::sink::{Records, Sink};
use self_cell::self_cell;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// What a scan reads.
#[derive(Clone, Debug, Default)]
pub struct Files {
    /// The inputs, in order.
    pub targets: Vec<Target>,
    /// Bytes of a chunk; 0 for the default. The result does not depend on it.
    pub chunk: usize,
}

/// The longest time that a scan may take to end after a signal.
const PATIENCE: Duration = Duration::from_secs(10);

pub(super) struct ScanWork<'d> {
    current: &'d Current,
    options: Options,
    packets: packet::Config,
    encoder: Encoder,
    /// The outlet that needs the order of the inputs; `None` if none does.
    outlet: Option<Mutex<Outlet>>,
    read_at: Timestamp,
    /// The first and the last packet of all flows, if a survey asks for them.
    flow_times: Mutex<Option<(Timestamp, Timestamp)>>,
}

type Hits<'k> = Vec<Hit<'k>>;

self_cell!(
    /// The hits of a chunk, and the database that they borrow from: it stays until they are
    /// written, even if it was replaced.
    pub(super) struct ChunkHits {
        owner: Arc<Known>,
        #[covariant]
        dependent: Hits,
    }
);

/// What one thread works with.
pub(super) struct WorkerScratch {
    pub(super) scanner: Scanner,
    lease: Lease,
}

/// Matches every input against the database and writes the alerts in the order of the inputs. With
/// [`Job::follow`] the results depend on when a newer database arrives.
///
/// # Errors
///
/// If the work cannot begin. An output that can't be written ends it early, and is in the report;
/// what concerns only one input goes to `notify` and is counted.
pub fn scan(job: Job<'_>, files: Files, sink: &mut dyn Sink, notify: Notify<'_>) -> Result<Report> {
    let read_at = now();
    job.signals.watch(Some(PATIENCE))?;
    let halt = job.signals.halt();
    sink.until(&halt);
    let (current, follow) = (job.database, job.follow.clone());
    let is_whole = job.output.form == Form::Alerts;
    let Files { targets, chunk } = files;
    let plan = Plan { targets, threads: job.threads, chunk, read_at, halt };
    let is_rotated = job.rotated.is_some();
    let hunting = ScanWork::new(job, read_at);
    let mut frame = Records::default();
    if is_whole {
        frame.frame(|bytes| hunting.encoder.begin(read_at, bytes));
    }
    sink.write(&frame)?;
    let report = |look: Look| notify(look.notice());
    let mut report = while_rotated(sink, is_rotated, &hunting.encoder, notify, |sink| {
        let work = || pipeline::run(&hunting, plan, sink, notify);
        while_watched(current, follow, report, work)
    })??;
    report.swaps = current.swaps();
    if let Some(error) = current.damage() {
        report.errors += 1;
        notify(Notice::Failed(&error));
    }
    frame.clear();
    if is_whole {
        frame.frame(|bytes| hunting.encoder.end(now(), bytes));
    }
    if let Some(outlet) = hunting.outlet {
        report.result = outlet.into_inner().unwrap_or_else(PoisonError::into_inner).into_totals();
    }
    report.end(sink, &frame, is_whole);
    Ok(report)
}

/// Takes what is found in packets: it is encoded at once, unless it has to wait.
pub(super) struct CollectHits<'c, 'f> {
    pub(super) hunting: &'c ScanWork<'c>,
    pub(super) origin: &'c Arc<Provenance>,
    pub(super) findings: &'f mut Findings,
}

impl<'d> HitSink<'d> for CollectHits<'_, '_> {
    fn begins(&mut self, order: Order) {
        self.findings.begins(order);
    }

    fn catch(&mut self, hit: Hit<'d>, flow: Option<u64>) {
        let CollectHits { hunting, origin, findings } = self;
        if flow.is_none() && hunting.outlet.is_some() {
            let origin = Arc::clone(origin);
            return findings.alert(Waiting { hit: hit.into_owned(), origin, flow: 0 });
        }
        match flow {
            Some(flow) => {
                let origin = Arc::clone(origin);
                findings.wait(Waiting { hit: hit.into_owned(), origin, flow });
            }
            None => findings.record(|out| {
                hunting.write(&hit, origin, out);
            }),
        }
    }

    fn closed(&mut self, flow: &FlowEnd) {
        self.findings.closed(flow.flow_id, flow.totals);
    }

    fn ended(&mut self, flow: &FlowEnd) {
        if self.hunting.options.survey.is_some() {
            let mut times = self.hunting.flow_times.lock().unwrap_or_else(PoisonError::into_inner);
            let (first, last) = (flow.totals.first_time, flow.totals.last_time);
            *times = Some(times.map_or((first, last), |(a, b)| (a.min(first), b.max(last))));
        }
    }
}

impl<'d> ScanWork<'d> {
    /// What a job asks for.
    pub(super) fn new(job: Job<'d>, read_at: Timestamp) -> ScanWork<'d> {
        let encoder = job.output.encoder;
        let outlet = job.output.needs_order().then(|| Mutex::new(Outlet::new(job.output)));
        let (current, options, packets) = (job.database, job.options, job.packets);
        let flow_times = Mutex::default();
        ScanWork { current, options, packets, encoder, outlet, read_at, flow_times }
    }

    /// The zone of times without one.
    pub(super) fn zone(&self) -> Option<&jiff::tz::TimeZone> {
        self.options.zone.as_ref()
    }

    /// The times of the first and the last packet of all flows.
    pub(super) fn flow_times(&self) -> impl Iterator<Item = Timestamp> + use<> {
        let times = *self.flow_times.lock().unwrap_or_else(PoisonError::into_inner);
        times.into_iter().flat_map(|(first, last)| [first, last])
    }

    /// Writes an alert; returns whether it is wanted.
    fn write(&self, hit: &Hit<'_>, origin: &Provenance, out: &mut Vec<u8>) -> bool {
        let alert = Alert::new(hit, origin, self.read_at);
        match self.outlet() {
            Some(mut outlet) => outlet.take(&alert, out),
            None => {
                self.encoder.encode(&alert, out);
                true
            }
        }
    }

    fn outlet(&self) -> Option<MutexGuard<'_, Outlet>> {
        let outlet = self.outlet.as_ref()?;
        Some(outlet.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Work for ScanWork<'_> {
    type Scratch = WorkerScratch;
    type Found = ChunkHits;
    fn scratch(&self) -> WorkerScratch {
        WorkerScratch {
            scanner: Scanner::new(self.options.clone()),
            lease: Lease::new(self.current),
        }
    }

    fn counters(&self, scratch: &mut WorkerScratch) -> Counters {
        scratch.scanner.take_counters()
    }

    fn chunk(&self, scratch: &mut WorkerScratch, chunk: &Chunk, origin: &Origin) -> ChunkHits {
        let WorkerScratch { scanner, lease } = scratch;
        lease.renew(self.current);
        let core = chunk.start..chunk.end;
        ChunkHits::new(Arc::clone(&lease.known), |known| {
            let mut found = Vec::new();
            scanner.scan_text(&known.database, &chunk.buffer, core, origin, |hit| found.push(hit));
            found
        })
    }

    fn mails(
        &self,
        scratch: &mut WorkerScratch,
        mails: &mut Mails,
        chunk: &Chunk,
        origin: &Origin,
        is_last: bool,
    ) -> ChunkHits {
        let WorkerScratch { scanner, lease } = scratch;
        lease.renew(self.current);
        let text = &chunk.buffer[..];
        ChunkHits::new(Arc::clone(&lease.known), |known| {
            let database = &known.database;
            let mut found = Vec::new();
            let segments = mails.segments(text, chunk.start..chunk.end);
            for (at, segment) in segments.iter().enumerate() {
                let finder = Finder::new(text, origin.offset, segment);
                let mut origin = origin.clone();
                let mut reader = MailReader {
                    scanner,
                    database,
                    origin: &mut origin,
                    time: None,
                    finder,
                    found,
                    attachments: mails.attachments(),
                };
                mails.begin(text, segment, &mut reader);
                let first = reader.found.len();
                (reader.origin.read_at, reader.time) = (mails.time_or_read(), mails.time());
                mails.decode(text, segment, &mut reader);
                if is_last || at + 1 < segments.len() {
                    mails.end(&mut reader);
                }
                found = reader.found;
                found[first..]
                    .iter()
                    .for_each(|hit| mails.remember(hit.seen.kind, &hit.seen.value));
                let core = segment.span.clone();
                scanner.scan_text(database, text, core, &origin, |mut hit| {
                    if mails.has_found(hit.seen.kind, &hit.seen.value) {
                        return;
                    }
                    if let Place::Log(place) = &mut hit.place {
                        place.line += segment.lines;
                        place.time = place.time.or(mails.time());
                    }
                    found.push(hit);
                });
                found[first..].sort_by_key(offset);
            }
            found
        })
    }

    fn ends(&self, input: &str, out: &mut Records) {
        if let Some(mut outlet) = self.outlet() {
            out.record(|bytes| outlet.ends(input, bytes));
        }
    }

    fn is_full(&self) -> bool {
        self.outlet().is_some_and(|outlet| outlet.is_full())
    }

    fn encode(&self, mut held: ChunkHits, lines: u64, columns: u64, out: &mut Records) -> u64 {
        held.with_dependent_mut(|known, hits| {
            let mut records = 0;
            for hit in &mut *hits {
                if let Place::Log(place) = &mut hit.place {
                    if place.line == 1 {
                        place.column += columns;
                    }
                    place.line += lines;
                }
                let is_wanted = out.record(|bytes| self.write(hit, &known.origin, bytes));
                records += u64::from(is_wanted);
            }
            records
        })
    }

    fn weight(&self, found: &ChunkHits) -> usize {
        found.borrow_dependent().iter().map(weight).sum()
    }
}

impl CaptureWork for ScanWork<'_> {
    /// Taken again for each piece: flows outlive the database that they began with.
    type Against = Lease;

    fn against(&self) -> Lease {
        Lease::new(self.current)
    }

    fn packets(&self) -> &packet::Config {
        &self.packets
    }

    fn decode(
        &self,
        scratch: &mut WorkerScratch,
        piece: &CapturePiece<'_, Lease>,
        shard: &mut ShardState,
        findings: &mut Findings,
    ) {
        let CapturePiece { against: lease, path, packets } = piece;
        let ShardState { shard, reported, turn, .. } = shard;
        if turn.replace(lease.turn()).is_some_and(|before| before != lease.turn()) {
            shard.show_flows_again();
        }
        let Known { database, origin, .. } = &*lease.known;
        let hit_sink = CollectHits { hunting: self, origin, findings };
        let scanner = &mut scratch.scanner;
        let mut packet_scan =
            PacketScan { scanner, database, path, is_live: false, reported, hit_sink };
        packets.show(shard, &mut packet_scan);
    }

    fn notes(
        &self,
        scratch: &mut WorkerScratch,
        piece: &CapturePiece<'_, Lease>,
        findings: &mut Findings,
    ) {
        let CapturePiece { against: lease, path, packets } = piece;
        let Known { database, origin, .. } = &*lease.known;
        let mut catch = CollectHits { hunting: self, origin, findings };
        let mut text = String::new();
        for note in packets.notes() {
            text.clear();
            note.append(&mut text);
            catch.begins(Order::after(note.number));
            let time = note.time.map(Timestamp);
            let from = Origin {
                path: Arc::clone(path),
                read_at: time.unwrap_or(self.read_at),
                ..Origin::new("")
            };
            let whole = 0..text.len();
            scratch.scanner.scan_text(database, text.as_bytes(), whole, &from, |mut hit| {
                if let Place::Log(place) = &mut hit.place {
                    (place.line, place.column) = (note.number.max(1), place.offset + 1);
                    (place.offset, place.time) = (note.offset, place.time.or(time));
                }
                catch.catch(hit, None);
            });
        }
    }

    fn late(&self, waiting: &Waiting, out: &mut Vec<u8>) -> bool {
        self.outlet.is_none() && self.write(&waiting.hit, &waiting.origin, out)
    }

    fn alert(&self, alert: &Waiting, out: &mut Records) -> bool {
        out.record(|bytes| self.write(&alert.hit, &alert.origin, bytes))
    }
}

/// Where a hit in a text begins.
fn offset(hit: &Hit<'_>) -> u64 {
    match &hit.place {
        Place::Log(place) => place.offset,
        Place::Packet(_) => 0,
    }
}

/// Looks up what mails in a file carry.
struct MailReader<'s, 'd, 't> {
    scanner: &'s mut Scanner,
    database: &'d Database,
    /// Its path, and its time.
    origin: &'s mut Origin,
    /// The mail's own time.
    time: Option<Timestamp>,
    finder: Finder<'t>,
    found: Hits<'d>,
    /// Where the files in it go.
    attachments: Attachments,
}

impl Pieces for MailReader<'_, '_, '_> {
    fn piece(&mut self, span: Range<usize>) {
        self.finder.piece(span);
    }
}

impl Visitor for MailReader<'_, '_, '_> {
    fn flow_opened(&mut self, _: &Packet<'_>) -> bool {
        false
    }

    fn wants(&self, kind: Kind) -> bool {
        super::capture::wants(self.database, kind)
    }

    fn attached(&mut self, file: &Attachment<'_>) -> Option<Box<dyn AttachmentSink>> {
        Some(self.attachments.begin(file))
    }

    fn seen(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        let MailReader { scanner, database, origin, time, finder, found, .. } = self;
        let text = match protocol_facts {
            ProtocolFacts::File(FileFacts { name: Some(name), .. }) => {
                Some(String::from_utf8_lossy(name).into_owned())
            }
            _ => None,
        };
        scanner.observe(database, observable, at, packet.time, |seen, matches| {
            let raw = seen.raw.as_deref().unwrap_or(&seen.value);
            let place = finder.log_place(&origin.path, raw, text.clone(), *time);
            found.push(Hit { seen, matches, place: Place::Log(place) });
        });
        finder.mark_reported();
    }

    fn text(&mut self, text: &[u8], at: Where, _: &Packet<'_>, _: ProtocolFacts<'_>) {
        let MailReader { scanner, database, origin, time, finder, found, .. } = self;
        scanner.scan_decoded(database, text, at, origin, |mut hit| {
            let raw = hit.seen.raw.as_deref().unwrap_or(&hit.seen.value);
            if let Place::Log(place) = &mut hit.place {
                let text = std::mem::take(&mut place.text);
                *place = finder.log_place(&origin.path, raw, Some(text), *time);
            }
            found.push(hit);
        });
        finder.mark_reported();
    }
}

fn weight(hit: &Hit<'_>) -> usize {
    let text = match &hit.place {
        Place::Log(place) => place.text.len(),
        Place::Packet(_) => 256,
    };
    512 + text + 512 * hit.matches.iter().map(|m| m.sources.len()).sum::<usize>()
}
