//! Logs and captures to alerts.

use super::capture::{Hunter, Net};
use super::crew::{Lane, Packets};
use super::current::{Known, Lease, Look, while_watched};
use super::findings::{Findings, Waiting};
use super::pipeline::{self, Plan, ScanReport, Work};
use super::{Current, Follow, Notify, now};
use crate::Result;
use crate::alert::{Alert, Encoder, Origin as AlertOrigin};
use crate::indicator::{Place, Timestamp};
use crate::input::{Chunk, Target};
use crate::packet::{self, FlowEnd, Order};
use crate::scan::{Counters, Hit, Options, Origin, Scanner};
use crate::sink::Sink;
use self_cell::self_cell;
use std::sync::Arc;

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
    /// How alerts are written.
    pub encoder: Encoder,
    /// Threads; 0 for one a core.
    pub threads: usize,
    /// Bytes of a chunk; 0 for the default. The result does not depend on it.
    pub chunk: usize,
}

struct Hunting<'d> {
    current: &'d Current,
    options: Options,
    packets: packet::Config,
    encoder: Encoder,
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
/// When the output cannot be written. What concerns one input alone is told
/// through a notice and counted.
pub fn scan(job: ScanJob<'_>, sink: &mut dyn Sink, notify: Notify<'_>) -> Result<ScanReport> {
    let read_at = now();
    let (current, options, packets) = (job.database, job.options, job.packets);
    let encoder = job.encoder;
    let hunting = Hunting { current, options, packets, encoder, read_at };
    let plan = Plan { targets: job.targets, threads: job.threads, chunk: job.chunk, read_at };
    let mut frame = Vec::new();
    hunting.encoder.begin(read_at, &mut frame);
    sink.write(&frame)?;
    let tell = |look: Look| notify(look.notice());
    let work = || pipeline::run(&hunting, plan, sink, notify);
    let mut report = while_watched(current, job.follow, tell, work)??;
    report.swaps = current.swaps();
    frame.clear();
    hunting.encoder.end(now(), &mut frame);
    sink.write(&frame)?;
    sink.flush()?;
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
        match flow {
            Some(flow) => {
                let origin = Arc::clone(origin);
                findings.wait(Waiting { hit: hit.into_owned(), origin, flow });
            }
            None => findings.record(|out| hunting.write(&hit, origin, out)),
        }
    }

    fn closed(&mut self, flow: &FlowEnd) {
        self.findings.closed(flow.flow_id, flow.totals);
    }
}

impl Hunting<'_> {
    fn write(&self, hit: &Hit<'_>, origin: &AlertOrigin, out: &mut Vec<u8>) {
        self.encoder.encode(&Alert::new(hit, origin, self.read_at), out);
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

    fn late(&self, waiting: &Waiting, out: &mut Vec<u8>) {
        self.write(&waiting.hit, &waiting.origin, out);
    }

    fn encode(&self, mut held: Held, lines: u64, columns: u64, out: &mut Vec<u8>) -> u64 {
        held.with_dependent_mut(|known, hits| {
            for hit in &mut *hits {
                if let Place::Log(place) = &mut hit.place {
                    if place.line == 1 {
                        place.column += columns;
                    }
                    place.line += lines;
                }
                self.encoder.encode(&Alert::new(hit, &known.origin, self.read_at), out);
            }
            hits.len() as u64
        })
    }

    fn weight(&self, found: &Held) -> usize {
        found.borrow_dependent().iter().map(weight).sum()
    }
}

fn weight(hit: &Hit<'_>) -> usize {
    let text = match &hit.place {
        Place::Log(place) => place.text.len(),
        Place::Packet(_) => 256,
    };
    512 + text + 512 * hit.matches.iter().map(|m| m.sources.len()).sum::<usize>()
}
