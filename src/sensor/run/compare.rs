//! Logs and captures against two databases in one pass: which alerts differ.
//!
//! Inputs are read, cut and decoded once; both databases are asked about each piece.

use super::capture::PacketScan;
use super::capture_workers::ShardState;
use super::findings::{Findings, Waiting};
use super::mails::Mails;
use super::pipeline::{self, CapturePiece, CaptureWork, Plan, Work};
use super::reload::{Known, Lease};
use super::scan::{ChunkHits, CollectHits, ScanWork, WorkerScratch};
use super::{Current, Files, Form, Job, Notify, Output, Report};
use crate::Result;
use crate::clock::now;
use crate::engine::alert::{Encoder, Format};
use crate::engine::indicator::{Kind, Observable, Place, Where};
use crate::engine::packet::{self, FlowEnd, Order, Packet, ProtocolFacts, Visitor};
use crate::engine::scan::{Counters, Origin};
use crate::sensor::bench::{AlertComparison, AlertDifferences};
use crate::sensor::input::Chunk;
use crate::sensor::sink::{Null, Records};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

struct Both<'d> {
    old: ScanWork<'d>,
    new: ScanWork<'d>,
    /// The new database, which tells its alerts from the others.
    known: Arc<Known>,
    comparison: Mutex<AlertComparison>,
}

/// Matches every input against the database of the job and against `new`, and compares the
/// alerts. The output of the job is not used.
///
/// # Errors
///
/// When the work cannot begin. What concerns one input alone goes to `notify` and is counted.
pub fn compare(
    job: Job<'_>,
    new: &Current,
    files: Files,
    notify: Notify<'_>,
) -> Result<(Report, AlertDifferences)> {
    let read_at = now();
    job.signals.watch(None)?;
    let halt = job.signals.halt();
    let output = || Output { form: Form::Nothing, ..Output::new(Encoder::new(Format::Json)) };
    let Files { targets, chunk } = files;
    let plan = Plan { targets, threads: job.threads, chunk, read_at, halt };
    let of_new = Job {
        options: job.options.clone(),
        packets: job.packets.clone(),
        ..Job::new(new, output(), job.signals)
    };
    let damaged = [job.database, new];
    let work = Both {
        old: ScanWork::new(Job { output: output(), ..job }, read_at),
        new: ScanWork::new(of_new, read_at),
        known: Lease::new(new).known,
        comparison: Mutex::default(),
    };
    let mut report = pipeline::run(&work, plan, &mut Null, notify);
    for error in damaged.into_iter().filter_map(Current::damage) {
        report.errors += 1;
        notify(super::Notice::Failed(&error));
    }
    let comparison = work.comparison.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok((report, comparison.finish()))
}

impl Both<'_> {
    fn comparison(&self) -> MutexGuard<'_, AlertComparison> {
        self.comparison.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Work for Both<'_> {
    type Scratch = [WorkerScratch; 2];
    type Found = [ChunkHits; 2];

    fn scratch(&self) -> [WorkerScratch; 2] {
        [self.old.scratch(), self.new.scratch()]
    }

    fn counters(&self, [old, new]: &mut [WorkerScratch; 2]) -> Counters {
        let _ = self.new.counters(new);
        self.old.counters(old)
    }

    fn chunk(
        &self,
        [old, new]: &mut [WorkerScratch; 2],
        chunk: &Chunk,
        origin: &Origin,
    ) -> [ChunkHits; 2] {
        [self.old.chunk(old, chunk, origin), self.new.chunk(new, chunk, origin)]
    }

    fn mails(
        &self,
        [old, new]: &mut [WorkerScratch; 2],
        mails: &mut Mails,
        chunk: &Chunk,
        origin: &Origin,
        is_last: bool,
    ) -> [ChunkHits; 2] {
        let of_new = self.new.mails(new, mails.twin(), chunk, origin, is_last);
        [self.old.mails(old, mails, chunk, origin, is_last), of_new]
    }

    fn ends(&self, _: &str, _: &mut Records) {
        self.comparison().ends();
    }

    fn encode(&self, found: [ChunkHits; 2], lines: u64, columns: u64, _: &mut Records) -> u64 {
        let mut comparison = self.comparison();
        let mut count = 0;
        for (mut side, is_new) in found.into_iter().zip([false, true]) {
            side.with_dependent_mut(|_, hits| {
                for hit in &mut *hits {
                    if let Place::Log(place) = &mut hit.place {
                        if place.line == 1 {
                            place.column += columns;
                        }
                        place.line += lines;
                    }
                    comparison.add(hit, is_new);
                }
                count += hits.len() as u64;
            });
        }
        count
    }

    fn weight(&self, found: &[ChunkHits; 2]) -> usize {
        self.old.weight(&found[0]) + self.new.weight(&found[1])
    }
}

impl CaptureWork for Both<'_> {
    type Against = [Lease; 2];

    fn against(&self) -> [Lease; 2] {
        [self.old.against(), self.new.against()]
    }

    fn packets(&self) -> &packet::Config {
        self.old.packets()
    }

    fn decode(
        &self,
        [old, new]: &mut [WorkerScratch; 2],
        piece: &CapturePiece<'_, [Lease; 2]>,
        shard: &mut ShardState,
        findings: &mut Findings,
    ) {
        let CapturePiece { against, path, packets } = piece;
        let ShardState { shard, reported, reported_by_other, .. } = shard;
        let [of_old, of_new] = [&against[0].known, &against[1].known];
        let mut others = Findings::default();
        let old = PacketScan {
            scanner: &mut old.scanner,
            database: &of_old.database,
            path,
            is_live: false,
            reported,
            hit_sink: CollectHits { hunting: &self.old, origin: &of_old.origin, findings },
        };
        let new = PacketScan {
            scanner: &mut new.scanner,
            database: &of_new.database,
            path,
            is_live: false,
            reported: reported_by_other,
            hit_sink: CollectHits {
                hunting: &self.new,
                origin: &of_new.origin,
                findings: &mut others,
            },
        };
        packets.show(shard, &mut Pair(old, new));
        findings.append(others);
    }

    fn notes(
        &self,
        [old, new]: &mut [WorkerScratch; 2],
        piece: &CapturePiece<'_, [Lease; 2]>,
        findings: &mut Findings,
    ) {
        let CapturePiece { against, path, packets } = piece;
        let [of_old, of_new] =
            against.each_ref().map(|against| CapturePiece { against, path, packets });
        self.old.notes(old, &of_old, findings);
        self.new.notes(new, &of_new, findings);
    }

    fn late(&self, _: &Waiting, _: &mut Vec<u8>) -> bool {
        false
    }

    fn alert(&self, alert: &Waiting, _: &mut Records) -> bool {
        let is_new = Arc::ptr_eq(&alert.origin, &self.known.origin);
        self.comparison().add(&alert.hit, is_new);
        true
    }
}

/// Shows packets to two visitors.
struct Pair<A, B>(A, B);

impl<A: Visitor, B: Visitor> Visitor for Pair<A, B> {
    fn begins(&mut self, order: Order) {
        self.0.begins(order);
        self.1.begins(order);
    }

    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        let (old, new) = (self.0.flow_opened(packet), self.1.flow_opened(packet));
        old || new
    }

    fn flow_continued(&mut self, packet: &Packet<'_>) {
        self.0.flow_continued(packet);
        self.1.flow_continued(packet);
    }

    fn flow_closed(&mut self, flow: &FlowEnd) {
        self.0.flow_closed(flow);
        self.1.flow_closed(flow);
    }

    fn wants(&self, kind: Kind) -> bool {
        self.0.wants(kind) || self.1.wants(kind)
    }

    fn message(&mut self) {
        self.0.message();
        self.1.message();
    }

    fn seen(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        self.0.seen(observable, at, packet, protocol_facts);
        self.1.seen(observable, at, packet, protocol_facts);
    }

    fn text(
        &mut self,
        text: &[u8],
        at: Where,
        packet: &Packet<'_>,
        protocol_facts: ProtocolFacts<'_>,
    ) {
        self.0.text(text, at, packet, protocol_facts);
        self.1.text(text, at, packet, protocol_facts);
    }
}
