//! What a tap counted.

use super::outbox::OutputReport;
use super::socket::Kernel;
use crate::engine::{packet, scan};
use crate::sensor::run::{Swaps, Yield};
use std::sync::Arc;
use std::time::Duration;

/// Counts of a tap, from its beginning; those that say so, since the last report.
#[derive(Clone, Debug, Default)]
pub struct TapReport {
    /// How long it has been listening.
    pub elapsed: Duration,
    /// By interface, in the order of the command line.
    pub interfaces: Vec<InterfaceReport>,
    /// By worker.
    pub workers: Vec<WorkerReport>,
    /// What the packets were, and which of them could not be looked into.
    pub packets: packet::Counters,
    /// What was looked up, matched and held back.
    pub counters: scan::Counters,
    /// Records that were written.
    pub records: u64,
    /// How often the database was replaced under way.
    pub swaps: Swaps,
    /// How the output is doing.
    pub output: OutputReport,
    /// What was left out of the output, and what was found; known at the end.
    pub result: Yield,
}

/// One interface, over all workers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InterfaceReport {
    /// Its name.
    pub name: Arc<str>,
    /// Packets that passed the filter, as the kernel counted them: those that were
    /// dropped afterwards, too.
    pub received: u64,
    /// Packets for which there was no room in the ring.
    pub dropped: u64,
    /// Packets that the interface or its driver dropped (`rx_missed_errors` and
    /// `rx_fifo_errors`); libpcap tells them for promiscuous interfaces only.
    pub dropped_by_interface: u64,
    /// Packets that came before the workers shared the interface out, when some of
    /// them came several times, or after the end.
    pub outside: u64,
    /// Times it went away.
    pub gone: u64,
    /// Whether it is there now.
    pub is_there: bool,
    /// Times its link went down.
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
    /// The longest that a packet waited in the ring, since the last report.
    pub waited: Duration,
    /// The most of a ring that was in use, since the last report, in percent.
    pub ring_percent: u8,
}

/// What one worker tells; the rest is put together of these.
#[derive(Clone, Debug, Default)]
pub(super) struct Told {
    pub(super) packets: packet::Counters,
    pub(super) counters: scan::Counters,
    pub(super) records: u64,
    pub(super) waited: Duration,
    pub(super) ring_use: u64,
    /// By interface.
    pub(super) interfaces: Vec<ToldOfInterface>,
}

/// What one worker counted on one interface.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ToldOfInterface {
    pub(super) kernel: Kernel,
    pub(super) outside: u64,
}

impl TapReport {
    /// Adds what a worker told.
    pub(super) fn add(&mut self, told: &Told, ring: usize) {
        self.packets.add(&told.packets);
        self.counters.add(&told.counters);
        self.records += told.records;
        let percent = told.ring_use.saturating_mul(100).div_ceil(ring.max(1) as u64);
        self.workers.push(WorkerReport {
            packets: told.packets.frames,
            bytes: told.packets.bytes,
            records: told.records,
            waited: told.waited,
            ring_percent: percent.min(100) as u8,
        });
        for (interface, told) in self.interfaces.iter_mut().zip(&told.interfaces) {
            interface.received += told.kernel.received;
            interface.dropped += told.kernel.dropped;
            interface.outside += told.outside;
            // Every worker is told the same ones.
            let dropped = interface.dropped_by_interface.max(told.kernel.dropped_by_interface);
            interface.dropped_by_interface = dropped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn workers_add_up_but_for_what_all_of_them_are_told() {
        let kernel = Kernel { received: 10, dropped: 1, dropped_by_interface: 4 };
        let of_interface = ToldOfInterface { kernel, outside: 2 };
        let told =
            Told { records: 3, ring_use: 150, interfaces: vec![of_interface], ..Told::default() };
        let interfaces = vec![InterfaceReport::default()];
        let mut report = TapReport { interfaces, ..TapReport::default() };
        report.add(&told, 1000);
        report.add(&told, 1000);
        let InterfaceReport { received, dropped, dropped_by_interface, outside, .. } =
            report.interfaces[0];
        assert_eq!((received, dropped, dropped_by_interface, outside), (20, 2, 4, 4));
        assert_eq!((report.records, report.workers[1].ring_percent), (6, 15));
    }
}
