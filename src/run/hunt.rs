//! Logs and captures to alerts.

use super::capture::{Hunter, Net};
use super::crew::{Lane, Packets};
use super::current::{Known, Lease, Look, while_watched};
use super::findings::{Findings, Waiting};
use super::mails::{Finder, Mails, Pieces};
use super::outlet::{Form, Outlet, Output};
use super::parcels::Parcels;
use super::pipeline::{self, Plan, Work};
use super::report::ScanReport;
use super::rotation::while_rotated;
use super::{Current, Follow, Notice, Notify, now};
use crate::Result;
use crate::alert::{Alert, Encoder, Origin as AlertOrigin};
use crate::database::Database;
use crate::indicator::{Kind, Observable, Place, Timestamp, Where};
use crate::input::{Chunk, Halt, Target};
use crate::packet::{self, Attachment, FileFacts, FlowEnd, Order, Packet, Parcel, Said, Visitor};
use crate::scan::{Counters, Hit, Options, Origin, Scanner};
use crate::sink::Sink;
use self_cell::self_cell;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What to scan, and how.
#[derive(Debug)]
pub struct ScanJob<'d> {
    /// What to hold the inputs against.
    pub database: &'d Current,
    /// Where a newer one comes from while the scan is under way, if it is to be taken.
    /// What is found then depends on when that happens.
    pub follow: Option<Follow>,
    /// The inputs, in order.
    pub targets: Vec<Target>,
    /// What the scanners do beyond the rules.
    pub options: Options,
    /// How packets are decoded.
    pub packets: packet::Config,
    /// What is written of alerts, and how.
    pub output: Output,
    /// Threads; 0 for one a core.
    pub threads: usize,
    /// Bytes of a chunk; 0 for the default. The result does not depend on it.
    pub chunk: usize,
    /// Ends the scan in order: what was read by then is looked into.
    pub halt: Halt,
    /// Whether SIGHUP has the output opened again.
    pub rotated: bool,
}

struct Hunting<'d> {
    current: &'d Current,
    options: Options,
    packets: packet::Config,
    encoder: Encoder,
    /// What needs the order of the inputs; `None` where nothing does.
    outlet: Option<Mutex<Outlet>>,
    read_at: Timestamp,
}

type Hits<'k> = Vec<Hit<'k>>;

self_cell!(
    /// The hits of a chunk, and the database that they borrow from: it stays until they
    /// are written, also when another one has taken its place.
    pub(super) struct Held {
        owner: Arc<Known>,
        #[covariant]
        dependent: Hits,
    }
);

/// What one thread works with.
pub(super) struct Bench {
    scanner: Scanner,
    lease: Lease,
}

/// Holds every input against the database and writes the alerts in the order of
/// the inputs.
///
/// # Errors
///
/// When the work cannot begin. What ends it under way, which is an output that cannot be
/// written, is in the report; what concerns one input alone is told through a notice and counted.
pub fn scan(job: ScanJob<'_>, sink: &mut dyn Sink, notify: Notify<'_>) -> Result<ScanReport> {
    let read_at = now();
    let (current, options, packets) = (job.database, job.options, job.packets);
    let encoder = job.output.encoder;
    let is_whole = job.output.form == Form::Alerts;
    let outlet = job.output.needs_order().then(|| Mutex::new(Outlet::new(job.output)));
    let hunting = Hunting { current, options, packets, encoder, outlet, read_at };
    let ScanJob { targets, threads, chunk, halt, .. } = job;
    let plan = Plan { targets, threads, chunk, read_at, halt };
    let mut frame = Vec::new();
    if is_whole {
        hunting.encoder.begin(read_at, &mut frame);
    }
    sink.write(&frame)?;
    let tell = |look: Look| notify(look.notice());
    let mut report = while_rotated(sink, job.rotated, &hunting.encoder, notify, |sink| {
        let work = || pipeline::run(&hunting, plan, sink, notify);
        while_watched(current, job.follow, tell, work)
    })??;
    report.swaps = current.swaps();
    if let Some(error) = current.damage() {
        report.errors += 1;
        notify(Notice::Failed(&error));
    }
    frame.clear();
    if is_whole {
        hunting.encoder.end(now(), &mut frame);
    }
    if let Some(outlet) = hunting.outlet {
        report.result = outlet.into_inner().unwrap_or_else(PoisonError::into_inner).into_yield();
    }
    report.end(sink, &frame, is_whole);
    Ok(report)
}

/// Takes what is found in packets: it is encoded at once, but for what has to wait.
struct Catch<'c, 'f> {
    hunting: &'c Hunting<'c>,
    origin: &'c Arc<AlertOrigin>,
    findings: &'f mut Findings,
}

impl<'d> Net<'d> for Catch<'_, '_> {
    fn begins(&mut self, order: Order) {
        self.findings.begins(order);
    }

    fn catch(&mut self, hit: Hit<'d>, flow: Option<u64>) {
        let Catch { hunting, origin, findings } = self;
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
}

impl Hunting<'_> {
    /// Writes an alert; answers whether it is wanted.
    fn write(&self, hit: &Hit<'_>, origin: &AlertOrigin, out: &mut Vec<u8>) -> bool {
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

impl Work for Hunting<'_> {
    type Scratch = Bench;
    type Found = Held;
    /// Taken anew for each piece: flows outlive the database that they began with.
    type Against = Lease;

    fn scratch(&self) -> Bench {
        Bench { scanner: Scanner::new(self.options.clone()), lease: Lease::new(self.current) }
    }

    fn counters(&self, bench: &mut Bench) -> Counters {
        bench.scanner.take_counters()
    }

    fn chunk(&self, bench: &mut Bench, chunk: &Chunk, origin: &Origin) -> Held {
        let Bench { scanner, lease } = bench;
        lease.renew(self.current);
        let core = chunk.start..chunk.end;
        Held::new(Arc::clone(&lease.known), |known| {
            let mut found = Vec::new();
            scanner.scan_text(&known.database, &chunk.buffer, core, origin, |hit| found.push(hit));
            found
        })
    }

    fn mails(
        &self,
        bench: &mut Bench,
        mails: &mut Mails,
        chunk: &Chunk,
        origin: &Origin,
        is_last: bool,
    ) -> Held {
        let Bench { scanner, lease } = bench;
        lease.renew(self.current);
        let text = &chunk.buffer[..];
        Held::new(Arc::clone(&lease.known), |known| {
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
                    parcels: mails.parcels(),
                };
                mails.begin(text, segment, &mut reader);
                let first = reader.found.len();
                (reader.origin.read_at, reader.time) = (mails.time_or_read(), mails.time());
                mails.decode(text, segment, &mut reader);
                if is_last || at + 1 < segments.len() {
                    mails.end(&mut reader);
                }
                found = reader.found;
                found[first..].iter().for_each(|hit| mails.tell(hit.seen.kind, &hit.seen.value));
                let core = segment.span.clone();
                scanner.scan_text(database, text, core, &origin, |mut hit| {
                    if mails.was_told(hit.seen.kind, &hit.seen.value) {
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

    fn against(&self) -> Lease {
        Lease::new(self.current)
    }

    fn packets(&self) -> &packet::Config {
        &self.packets
    }

    fn decode(
        &self,
        bench: &mut Bench,
        lease: &Lease,
        path: &Arc<str>,
        packets: &Packets,
        lane: &mut Lane,
        findings: &mut Findings,
    ) {
        let Lane { share, told, turn } = lane;
        if turn.replace(lease.turn()).is_some_and(|before| before != lease.turn()) {
            share.show_flows_again();
        }
        let Known { database, origin } = &*lease.known;
        let net = Catch { hunting: self, origin, findings };
        let scanner = &mut bench.scanner;
        let mut hunter = Hunter { scanner, database, path, is_live: false, told, net };
        packets.show(share, &mut hunter);
    }

    fn notes(
        &self,
        bench: &mut Bench,
        lease: &Lease,
        path: &Arc<str>,
        packets: &Packets,
        findings: &mut Findings,
    ) {
        let Known { database, origin } = &*lease.known;
        let mut catch = Catch { hunting: self, origin, findings };
        let mut text = String::new();
        for note in packets.notes() {
            text.clear();
            note.append(&mut text);
            catch.begins(Order::behind(note.number));
            let time = note.time.map(Timestamp);
            let from = Origin {
                path: Arc::clone(path),
                read_at: time.unwrap_or(self.read_at),
                ..Origin::new("")
            };
            let whole = 0..text.len();
            bench.scanner.scan_text(database, text.as_bytes(), whole, &from, |mut hit| {
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

    fn alert(&self, alert: &Waiting, out: &mut Vec<u8>) -> bool {
        self.write(&alert.hit, &alert.origin, out)
    }

    fn ends(&self, input: &str, out: &mut Vec<u8>) {
        if let Some(mut outlet) = self.outlet() {
            outlet.ends(input, out);
        }
    }

    fn is_full(&self) -> bool {
        self.outlet().is_some_and(|outlet| outlet.is_full())
    }

    fn encode(&self, mut held: Held, lines: u64, columns: u64, out: &mut Vec<u8>) -> u64 {
        held.with_dependent_mut(|known, hits| {
            let mut records = 0;
            for hit in &mut *hits {
                if let Place::Log(place) = &mut hit.place {
                    if place.line == 1 {
                        place.column += columns;
                    }
                    place.line += lines;
                }
                records += u64::from(self.write(hit, &known.origin, out));
            }
            records
        })
    }

    fn weight(&self, found: &Held) -> usize {
        found.borrow_dependent().iter().map(weight).sum()
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
    /// Where it is, and when it is said to have happened.
    origin: &'s mut Origin,
    /// The mail's own time.
    time: Option<Timestamp>,
    finder: Finder<'t>,
    found: Hits<'d>,
    /// Where the files in it go.
    parcels: Parcels,
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

    fn attached(&mut self, file: &Attachment<'_>) -> Option<Box<dyn Parcel>> {
        Some(self.parcels.begin(file))
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, packet: &Packet<'_>, said: Said<'_>) {
        let MailReader { scanner, database, origin, time, finder, found, .. } = self;
        let text = match said {
            Said::File(FileFacts { name: Some(name), .. }) => {
                Some(String::from_utf8_lossy(name).into_owned())
            }
            _ => None,
        };
        scanner.observe(database, observable, at, packet.time, |seen, matches| {
            let raw = seen.raw.as_deref().unwrap_or(&seen.value);
            let place = finder.log_place(&origin.path, raw, text.clone(), *time);
            found.push(Hit { seen, matches, place: Place::Log(place) });
        });
        finder.told();
    }

    fn text(&mut self, text: &[u8], at: Where, _: &Packet<'_>, _: Said<'_>) {
        let MailReader { scanner, database, origin, time, finder, found, .. } = self;
        scanner.scan_decoded(database, text, at, origin, |mut hit| {
            let raw = hit.seen.raw.as_deref().unwrap_or(&hit.seen.value);
            if let Place::Log(place) = &mut hit.place {
                let text = std::mem::take(&mut place.text);
                *place = finder.log_place(&origin.path, raw, Some(text), *time);
            }
            found.push(hit);
        });
        finder.told();
    }
}

fn weight(hit: &Hit<'_>) -> usize {
    let text = match &hit.place {
        Place::Log(place) => place.text.len(),
        Place::Packet(_) => 256,
    };
    512 + text + 512 * hit.matches.iter().map(|m| m.sources.len()).sum::<usize>()
}
