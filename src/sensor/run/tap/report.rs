//! The counts of a tap.

use super::socket::Kernel;
use crate::engine::{packet, scan};
use crate::sensor::run::{Report, WorkerReport};
use std::time::Duration;

/// What one worker counted; a report adds these up.
#[derive(Clone, Debug, Default)]
pub(super) struct WorkerCounts {
    pub(super) packets: packet::Counters,
    pub(super) counters: scan::Counters,
    pub(super) records: u64,
    pub(super) waited: Duration,
    pub(super) ring_use: u64,
    /// By interface.
    pub(super) interfaces: Vec<InterfaceCounts>,
}

/// What one worker counted on one interface.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct InterfaceCounts {
    pub(super) kernel: Kernel,
    pub(super) outside: u64,
}

impl Report {
    /// Adds what a worker counted.
    pub(super) fn add(&mut self, counts: &WorkerCounts, ring: usize) {
        self.packets.add(&counts.packets);
        self.counters.add(&counts.counters);
        self.records += counts.records;
        let percent = counts.ring_use.saturating_mul(100).div_ceil(ring.max(1) as u64);
        self.workers.push(WorkerReport {
            packets: counts.packets.frames,
            bytes: counts.packets.bytes,
            records: counts.records,
            waited: counts.waited,
            ring_percent: percent.min(100) as u8,
        });
        for (interface, counts) in self.interfaces.iter_mut().zip(&counts.interfaces) {
            interface.received += counts.kernel.received;
            interface.dropped += counts.kernel.dropped;
            interface.outside += counts.outside;
            // Every worker sees the same interfaces.
            let dropped = interface.dropped_by_interface.max(counts.kernel.dropped_by_interface);
            interface.dropped_by_interface = dropped;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::run::InterfaceReport;

    #[test]
    fn workers_add_up_but_for_what_all_of_them_see() {
        let kernel = Kernel { received: 10, dropped: 1, dropped_by_interface: 4 };
        let of_interface = InterfaceCounts { kernel, outside: 2 };
        let counts = WorkerCounts {
            records: 3,
            ring_use: 150,
            interfaces: vec![of_interface],
            ..WorkerCounts::default()
        };
        let interfaces = vec![InterfaceReport::default()];
        let mut report = Report { interfaces, ..Report::default() };
        report.add(&counts, 1000);
        report.add(&counts, 1000);
        let InterfaceReport { received, dropped, dropped_by_interface, outside, .. } =
            report.interfaces[0];
        assert_eq!((received, dropped, dropped_by_interface, outside), (20, 2, 4, 4));
        assert_eq!((report.records, report.workers[1].ring_percent), (6, 15));
    }
}
