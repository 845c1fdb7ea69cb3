//! Logs and captures to a [`Tally`]: a scan that counts for `bench` and writes nothing.
//!
//! It is the scan of `scan`, with the same hits in the same order. What is added is who is in the
//! records that alert, and which hosts and times the inputs have.

use super::capture_workers::ShardState;
use super::cost::{Piece, Sample};
use super::findings::{Findings, Waiting};
use super::mails::Mails;
use super::parties::LineParties;
use super::pipeline::{self, CapturePiece, CaptureWork, Plan, Work};
use super::reload::{Known, Lease};
use super::scan::{ChunkHits, ScanWork, WorkerScratch};
use super::{Files, Form, Job, Notify, Output, Report};
use crate::Result;
use crate::clock::now;
use crate::engine::alert::{Encoder, Format};
use crate::engine::indicator::{Place, Timestamp};
use crate::engine::packet;
use crate::engine::scan::{Counters, HeldBack, Home, Origin};
use crate::sensor::bench::{Party, Tally, parties_of};
use crate::sensor::input::Chunk;
use crate::sensor::sink::{Null, Records};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The hits of a chunk, and who is in their lines.
pub(super) struct ChunkSurvey {
    hits: ChunkHits,
    /// The home addresses of each line with a hit.
    lines: Vec<Vec<Party>>,
    /// The line of each hit.
    line_of: Vec<usize>,
    /// The earliest and the latest time of the chunk's lines.
    times: Option<(Timestamp, Timestamp)>,
    /// A copy of the chunk, if more is wanted for the sample.
    piece: Option<Piece>,
    /// Lines that only describe others.
    headings: u64,
}

/// What one thread works with.
pub(super) struct SurveyScratch {
    scan: WorkerScratch,
    parties: LineParties,
}

/// What the threads met besides hits.
#[derive(Default)]
struct Met {
    hosts: BTreeSet<IpAddr>,
    openers: BTreeSet<IpAddr>,
    held: Vec<HeldBack>,
}

struct Survey<'d> {
    scan: ScanWork<'d>,
    home: Arc<Home>,
    counts: Mutex<Surveyed>,
    met: Mutex<Met>,
    /// Whether the sample takes more.
    samples: AtomicBool,
}

/// What a survey gathers.
#[derive(Debug)]
pub struct Surveyed {
    /// What was found.
    pub tally: Tally,
    /// The first bytes of the logs.
    pub sample: Sample,
}

/// Matches every input against the database and counts what is found; `counts` says for which
/// groups, and how much of the logs to keep. The addresses of `home` are hosts. The output of the job
/// is not used.
///
/// # Errors
///
/// When the work cannot begin. What concerns one input alone goes to `notify` and is counted.
pub fn survey(
    job: Job<'_>,
    files: Files,
    home: Home,
    counts: Surveyed,
    notify: Notify<'_>,
) -> Result<(Report, Surveyed)> {
    let read_at = now();
    job.signals.watch(None)?;
    let halt = job.signals.halt();
    let home = Arc::new(home);
    let output = Output { form: Form::Nothing, ..Output::new(Encoder::new(Format::Json)) };
    let Files { targets, chunk } = files;
    let plan = Plan { targets, threads: job.threads, chunk, read_at, halt };
    let options = job.options.clone().survey(Some(Arc::clone(&home)));
    let current = job.database;
    let scan = ScanWork::new(Job { options, output, ..job }, read_at);
    let samples = AtomicBool::new(!counts.sample.is_full());
    let work = Survey { scan, home, counts: Mutex::new(counts), met: Mutex::default(), samples };
    let mut report = pipeline::run(&work, plan, &mut Null, notify);
    let Survey { scan, counts, met, .. } = work;
    let mut counts = counts.into_inner().unwrap_or_else(PoisonError::into_inner);
    let tally = &mut counts.tally;
    let Met { hosts, openers, held } = met.into_inner().unwrap_or_else(PoisonError::into_inner);
    tally.ends();
    tally.met(hosts);
    tally.began(openers);
    let lease = Lease::new(current);
    held.iter().for_each(|held| tally.held_back(&lease.known.database, held));
    for time in scan.flow_times() {
        tally.saw_time(time);
    }
    if let Some(error) = current.damage() {
        report.errors += 1;
        notify(super::Notice::Failed(&error));
    }
    Ok((report, counts))
}

impl Survey<'_> {
    fn counts(&self) -> MutexGuard<'_, Surveyed> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what the lines of a chunk say to its hits.
    fn surveyed(
        &self,
        parties: &mut LineParties,
        (hits, places): (ChunkHits, Vec<usize>),
        chunk: &Chunk,
        origin: &Origin,
    ) -> ChunkSurvey {
        let text = &chunk.buffer[..];
        let core = chunk.start..chunk.end;
        let zone = self.scan.zone();
        let mut lines = parties.open(text, core, origin, &self.home);
        let times = lines.times(zone);
        let headings = lines.headings();
        lines.openers(&places);
        let line_of = hits.borrow_dependent().iter();
        let line_of = line_of.map(|hit| match &hit.place {
            Place::Log(place) => lines.around(place.offset.saturating_sub(origin.offset)),
            Place::Packet(_) => lines.nowhere(),
        });
        let line_of = line_of.collect();
        let lines = lines.into_found();
        ChunkSurvey { lines, line_of, times, headings, hits, piece: None }
    }
}

impl Work for Survey<'_> {
    type Scratch = SurveyScratch;
    type Found = ChunkSurvey;

    fn scratch(&self) -> SurveyScratch {
        SurveyScratch { scan: self.scan.scratch(), parties: LineParties::default() }
    }

    fn counters(&self, scratch: &mut SurveyScratch) -> Counters {
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.hosts.append(&mut scratch.scan.scanner.take_hosts());
        met.openers.append(&mut scratch.scan.scanner.take_openers());
        met.held.push(scratch.scan.scanner.take_held_back());
        self.scan.counters(&mut scratch.scan)
    }

    fn chunk(&self, scratch: &mut SurveyScratch, chunk: &Chunk, origin: &Origin) -> ChunkSurvey {
        let hits = self.scan.chunk(&mut scratch.scan, chunk, origin);
        let SurveyScratch { scan: WorkerScratch { scanner, .. }, parties } = scratch;
        let places = scanner.take_opener_places();
        let found = self.surveyed(parties, (hits, places), chunk, origin);
        parties.take_openers().for_each(|host| scanner.note_opener(host));
        let is_wanted = self.samples.load(Ordering::Relaxed);
        ChunkSurvey { piece: is_wanted.then(|| Piece::new(chunk, origin)), ..found }
    }

    fn mails(
        &self,
        scratch: &mut SurveyScratch,
        mails: &mut Mails,
        chunk: &Chunk,
        origin: &Origin,
        is_last: bool,
    ) -> ChunkSurvey {
        let hits = self.scan.mails(&mut scratch.scan, mails, chunk, origin, is_last);
        // They are in what was decoded, which no record of a log is.
        scratch.scan.scanner.take_opener_places();
        self.surveyed(&mut scratch.parties, (hits, Vec::new()), chunk, origin)
    }

    fn ends(&self, _: &str, _: &mut Records) {
        self.counts().tally.ends();
    }

    fn encode(&self, mut found: ChunkSurvey, lines: u64, _: u64, _: &mut Records) -> u64 {
        let ChunkSurvey { hits, lines: parties, line_of, times, headings, piece } = &mut found;
        let mut counts = self.counts();
        // Pieces come in the order of the inputs, whichever thread read them.
        if let Some(piece) = piece.take() {
            counts.sample.push(piece);
            self.samples.store(!counts.sample.is_full(), Ordering::Relaxed);
        }
        let tally = &mut counts.tally;
        tally.headings(*headings);
        for time in times.iter().flat_map(|(first, last)| [*first, *last]) {
            tally.saw_time(time);
        }
        hits.with_dependent_mut(|_: &Arc<Known>, hits| {
            for (hit, line) in hits.iter_mut().zip(line_of) {
                if let Place::Log(place) = &mut hit.place {
                    place.line += lines;
                }
                tally.add(hit, parties.get(*line).map_or(&[], |parties| parties));
            }
            hits.len() as u64
        })
    }

    fn weight(&self, found: &ChunkSurvey) -> usize {
        let parties = found.lines.iter().map(|line| line.len() * size_of::<Party>()).sum::<usize>();
        let piece = found.piece.as_ref().map_or(0, Piece::size);
        self.scan.weight(&found.hits) + parties + piece
    }
}

impl CaptureWork for Survey<'_> {
    type Against = Lease;

    fn against(&self) -> Lease {
        self.scan.against()
    }

    fn packets(&self) -> &packet::Config {
        self.scan.packets()
    }

    fn decode(
        &self,
        scratch: &mut SurveyScratch,
        piece: &CapturePiece<'_, Lease>,
        shard: &mut ShardState,
        findings: &mut Findings,
    ) {
        self.scan.decode(&mut scratch.scan, piece, shard, findings);
    }

    fn notes(
        &self,
        scratch: &mut SurveyScratch,
        piece: &CapturePiece<'_, Lease>,
        findings: &mut Findings,
    ) {
        self.scan.notes(&mut scratch.scan, piece, findings);
    }

    fn late(&self, _: &Waiting, _: &mut Vec<u8>) -> bool {
        false
    }

    fn alert(&self, alert: &Waiting, _: &mut Records) -> bool {
        let parties = match &alert.hit.place {
            Place::Packet(place) => parties_of(place, |address| self.home.contains(address)),
            Place::Log(_) => Vec::new(),
        };
        self.counts().tally.add(&alert.hit, &parties);
        true
    }
}
