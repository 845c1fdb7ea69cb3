//! What a scan came to.

use super::{Swaps, Yield};
use crate::Error;
use crate::engine::{packet, scan};
use crate::sensor::sink::Sink;
use std::collections::BTreeMap;

/// What a scan read, found and dropped.
#[derive(Debug, Default)]
pub struct ScanReport {
    /// Inputs that were opened.
    pub inputs: u64,
    /// Bytes that were read, after decompression: of text and of captures.
    pub bytes: u64,
    /// Lines of text; a last one without a line break counts.
    pub lines: u64,
    /// Captures among the inputs.
    pub captures: u64,
    /// What the packets were.
    pub packets: packet::Counters,
    /// Records that were written.
    pub records: u64,
    /// What was looked up, matched and held back.
    pub counters: scan::Counters,
    /// Things that could not be done.
    pub errors: u64,
    /// Inputs that were passed over, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Inputs, and members of archives, that could not be looked into, by what they are.
    pub closed: BTreeMap<&'static str, u64>,
    /// Programs, images and the like: searched as the bytes that they are.
    pub binary: u64,
    /// Members of archives that were looked into.
    pub members: u64,
    /// How often the database was replaced under way.
    pub swaps: Swaps,
    /// What was left out of the output, and what was found.
    pub result: Yield,
    /// Why the output could not be written, if it could not: that ended the scan.
    pub stopped: Option<Error>,
    /// Records that were found and could not be written.
    pub lost: u64,
}

impl ScanReport {
    /// Writes what comes last, or gives up what could not be written; `is_whole`: records are
    /// written, and not something shorter.
    pub(super) fn end(&mut self, sink: &mut dyn Sink, last: &[u8], is_whole: bool) {
        if self.stopped.is_none() {
            self.stopped = sink.write(last).and_then(|()| sink.flush()).err();
        }
        if self.stopped.is_none() {
            return;
        }
        let lost = sink.give_up();
        if is_whole {
            self.lost += lost;
            self.records = self.records.saturating_sub(self.lost);
        } else {
            self.lost = 0;
        }
    }
}
