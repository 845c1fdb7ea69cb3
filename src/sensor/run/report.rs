//! What a job read, found and dropped.

use super::{Swaps, Totals};
use crate::Error;
use crate::engine::{packet, scan};
use crate::sensor::sink::{Records, Sink};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The counts of a job, final or so far: a scan, a tap or any other job that matches inputs. What
/// does not apply to a job (a scan has no interfaces) stays empty.
#[derive(Debug, Default)]
pub struct Report {
    /// How long it has been running.
    pub elapsed: Duration,
    /// What the packets were, and which of them could not be decoded.
    pub packets: packet::Counters,
    /// What was looked up, matched and suppressed.
    pub counters: scan::Counters,
    /// Records written.
    pub records: u64,
    /// The state of the output.
    pub output: OutputReport,
    /// How many times the database was replaced in the meantime.
    pub swaps: Swaps,
    /// What was left out of the output, and what was found; known at the end.
    pub result: Totals,
    /// Inputs that were opened.
    pub inputs: u64,
    /// Bytes read, after decompression: of text and of captures.
    pub bytes: u64,
    /// Lines of text; a last one without a line break counts.
    pub lines: u64,
    /// Captures among the inputs.
    pub captures: u64,
    /// The number of failures.
    pub errors: u64,
    /// Inputs that were skipped, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Inputs, and members of archives, that could not be searched inside, by type.
    pub closed: BTreeMap<&'static str, u64>,
    /// Programs, images and the like: searched as raw bytes.
    pub binary: u64,
    /// Members of archives that were searched.
    pub members: u64,
    /// Why the output could not be written, if that ended the job.
    pub stopped: Option<Error>,
    /// Interfaces, in the order of the command line.
    pub interfaces: Vec<InterfaceReport>,
    /// Workers of a tap.
    pub workers: Vec<WorkerReport>,
}

/// The state of an output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OutputReport {
    /// Records that wait to be written.
    pub waiting: u64,
    /// Records that could not be written, and were given up.
    pub lost: u64,
    /// How long nothing could be written, because the reader is slow or the disk full.
    pub blocked: Duration,
}

/// One interface, over all workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceReport {
    /// Its name.
    pub name: Arc<str>,
    /// Packets that passed the filter, as counted by the kernel: including those that were dropped
    /// afterwards.
    pub received: u64,
    /// Packets for which there was no room in the ring.
    pub dropped: u64,
    /// Packets that the interface or its driver dropped (`rx_missed_errors` and
    /// `rx_fifo_errors`); libpcap reports them for promiscuous interfaces only.
    pub dropped_by_interface: u64,
    /// Packets from before the workers shared the interface, when several of them received the same
    /// ones, or from after the end.
    pub outside: u64,
    /// How many times it disappeared.
    pub gone: u64,
    /// Whether it exists now.
    pub is_there: bool,
    /// How many times its link went down.
    pub down: u64,
    /// Whether its link is down now.
    pub is_down: bool,
}

/// One worker.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WorkerReport {
    /// Packets that it decoded.
    pub packets: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// Records that it wrote.
    pub records: u64,
    /// The longest time that a packet waited in the ring, since the last report.
    pub waited: Duration,
    /// The largest part of a ring that was in use, since the last report, in percent.
    pub ring_percent: u8,
}

impl Report {
    /// Writes what comes last, or gives up what could not be written; `is_whole` if records are
    /// written, and not something shorter.
    pub(super) fn end(&mut self, sink: &mut dyn Sink, last: &Records, is_whole: bool) {
        if self.stopped.is_none() {
            self.stopped = sink.write(last).and_then(|()| sink.flush()).err();
        }
        if self.stopped.is_none() {
            return;
        }
        let lost = sink.give_up();
        if is_whole {
            self.output.lost += lost;
            self.records = self.records.saturating_sub(self.output.lost);
        } else {
            self.output.lost = 0;
        }
    }
}
