//! Logs and captures to alerts.

use super::capture::{Hunter, Source};
use super::pipeline::{self, Plan, ScanReport, Work};
use super::{Notify, now};
use crate::Result;
use crate::alert::{Alert, Encoder, Origin as AlertOrigin};
use crate::database::Database;
use crate::indicator::{Place, Timestamp};
use crate::input::{Chunk, Target};
use crate::packet;
use crate::scan::{Counters, Hit, Options, Origin, Scanner};
use crate::sink::Sink;
use std::sync::Arc;

/// What to scan, and how.
#[derive(Debug)]
pub struct ScanJob<'d> {
    /// What to hold the inputs against.
    pub database: &'d Database,
    /// The inputs, in order.
    pub targets: Vec<Target>,
    /// What the scanners do beyond the rules.
    pub options: Options,
    /// How alerts are written.
    pub encoder: Encoder,
    /// The name of this machine, for alerts.
    pub host: Option<String>,
    /// Threads; 0 for one a core.
    pub threads: usize,
    /// Bytes of a chunk; 0 for the default. The result does not depend on it.
    pub chunk: usize,
}

struct Hunting<'d> {
    database: &'d Database,
    options: Options,
    encoder: Encoder,
    origin: AlertOrigin,
    read_at: Timestamp,
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
    let hunting = Hunting {
        database: job.database,
        options: job.options,
        encoder: job.encoder,
        origin: AlertOrigin {
            database: job.database.build_id(),
            built: job.database.built(),
            host: job.host,
        },
        read_at,
    };
    let plan = Plan { targets: job.targets, threads: job.threads, chunk: job.chunk, read_at };
    let mut frame = Vec::new();
    hunting.encoder.begin(read_at, &mut frame);
    sink.write(&frame)?;
    let report = pipeline::run(&hunting, plan, sink, notify)?;
    frame.clear();
    hunting.encoder.end(now(), &mut frame);
    sink.write(&frame)?;
    sink.flush()?;
    Ok(report)
}

impl<'d> Work for Hunting<'d> {
    type Scratch = Scanner;
    type Found = Hit<'d>;

    fn scratch(&self) -> Scanner {
        Scanner::new(self.options.clone())
    }

    fn counters(&self, scanner: &mut Scanner) -> Counters {
        scanner.take_counters()
    }

    fn chunk(&self, scanner: &mut Scanner, chunk: &Chunk, origin: &Origin) -> Vec<Hit<'d>> {
        let mut found = Vec::new();
        let core = chunk.start..chunk.end;
        scanner.scan_text(self.database, &chunk.buffer, core, origin, |hit| found.push(hit));
        found
    }

    fn capture(
        &self,
        scanner: &mut Scanner,
        source: &mut Source,
        path: &Arc<str>,
        hand_on: &mut dyn FnMut(Vec<Hit<'d>>) -> bool,
    ) -> (packet::Counters, Result<()>) {
        let mut hunter = Hunter::new(scanner, self.database, path, hand_on);
        let outcome = source.walk(&mut hunter);
        hunter.finish();
        outcome
    }

    fn encode(&self, mut hit: Hit<'d>, lines: u64, columns: u64, out: &mut Vec<u8>) {
        if let Place::Log(place) = &mut hit.place {
            if place.line == 1 {
                place.column += columns;
            }
            place.line += lines;
        }
        self.encoder.encode(&Alert::new(&hit, &self.origin, self.read_at), out);
    }

    fn weight(&self, hit: &Hit<'d>) -> usize {
        let text = match &hit.place {
            Place::Log(place) => place.text.len(),
            Place::Packet(_) => 256,
        };
        512 + text + 512 * hit.matches.iter().map(|m| m.sources.len()).sum::<usize>()
    }
}
