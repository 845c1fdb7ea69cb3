//! Logs and captures to alerts.

use super::capture::{Caught, Follower, Hunter, frame};
use super::current::{Known, Lease, Look, while_watched};
use super::pipeline::{self, Plan, ScanReport, Work};
use super::{Current, Follow, Notify, now};
use crate::Result;
use crate::alert::{Alert, Encoder, Origin as AlertOrigin};
use crate::indicator::{Place, Timestamp};
use crate::input::capture::CaptureStream;
use crate::input::{Chunk, Target};
use crate::packet::{self, Decoder};
use crate::scan::{Counters, Hit, Options, Origin, Scanner};
use crate::sink::Sink;
use self_cell::self_cell;
use std::collections::VecDeque;
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

/// What was found in a piece of the input.
pub(super) enum Found {
    /// In a chunk of a log, whose first line is not known yet.
    Log(Held),
    /// In a capture: encoded records, and how many.
    Records(Vec<u8>, u64),
}

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

impl Hunting<'_> {
    /// Encodes what was found in packets.
    fn records(&self, caught: &[Caught<'_>], origin: &AlertOrigin) -> Found {
        let mut records = Vec::new();
        for Caught { hit, found_by } in caught {
            let origin = found_by.as_deref().unwrap_or(origin);
            self.encoder.encode(&Alert::new(hit, origin, self.read_at), &mut records);
        }
        Found::Records(records, caught.len() as u64)
    }
}

impl Work for Hunting<'_> {
    type Scratch = Bench;
    type Found = Found;

    fn scratch(&self) -> Bench {
        Bench { scanner: Scanner::new(self.options.clone()), lease: Lease::new(self.current) }
    }

    fn counters(&self, bench: &mut Bench) -> Counters {
        bench.scanner.take_counters()
    }

    fn chunk(&self, bench: &mut Bench, chunk: &Chunk, origin: &Origin) -> Found {
        let Bench { scanner, lease } = bench;
        lease.renew(self.current);
        let core = chunk.start..chunk.end;
        Found::Log(Held::new(Arc::clone(&lease.known), |known| {
            let mut found = Vec::new();
            scanner.scan_text(&known.database, &chunk.buffer, core, origin, |hit| found.push(hit));
            found
        }))
    }

    /// Flows outlive the database that they began with: the decoder stays, and so do
    /// the hits that wait for their flow's end. What looks things up is made again.
    fn capture(
        &self,
        bench: &mut Bench,
        capture: &mut CaptureStream,
        path: &Arc<str>,
        hand_on: &mut dyn FnMut(Found) -> bool,
    ) -> (packet::Counters, Result<()>) {
        let Bench { scanner, lease } = bench;
        let mut decoder = Decoder::new(self.packets.clone());
        let mut waiting = VecDeque::new();
        let mut next = capture.next();
        let outcome = loop {
            if lease.renew(self.current) {
                decoder.show_flows_again();
            }
            let Known { database, origin } = &*lease.known;
            let mut hand_on = |caught: Vec<Caught<'_>>| hand_on(self.records(&caught, origin));
            let mut hunter =
                Hunter::new(scanner, database, path, &mut hand_on).with_waiting(waiting);
            let is_over = loop {
                let Some(Ok(packet)) = &next else { break true };
                if lease.is_over(self.current) {
                    break false;
                }
                decoder.frame(&frame(packet), &mut hunter);
                if !hunter.goes_on() {
                    next = None;
                    break true;
                }
                next = capture.next();
            };
            if is_over {
                decoder.finish(&mut hunter);
                hunter.finish();
                break next.map_or(Ok(()), |last| last.map(drop));
            }
            waiting = hunter.into_waiting(origin);
        };
        (decoder.counters().clone(), outcome)
    }

    fn encode(&self, found: Found, lines: u64, columns: u64, out: &mut Vec<u8>) -> u64 {
        let mut held = match found {
            Found::Log(held) => held,
            Found::Records(records, count) => {
                out.extend_from_slice(&records);
                return count;
            }
        };
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

    fn weight(&self, found: &Found) -> usize {
        match found {
            Found::Log(held) => held.borrow_dependent().iter().map(weight).sum(),
            Found::Records(records, _) => records.len(),
        }
    }
}

fn weight(hit: &Hit<'_>) -> usize {
    let text = match &hit.place {
        Place::Log(place) => place.text.len(),
        Place::Packet(_) => 256,
    };
    512 + text + 512 * hit.matches.iter().map(|m| m.sources.len()).sum::<usize>()
}
