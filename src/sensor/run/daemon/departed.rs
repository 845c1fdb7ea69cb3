//! What inputs and sinks counted that are gone, or were replaced by a reload: the counters of a
//! process never go down, and don't stand still until others have caught up.

use super::board::SinkPart;
use super::watch::{ReceivedTotals, Watch};
use crate::sensor::outlet::{Counters, Snapshot};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Sums over inputs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct InputTotals {
    pub(super) datagrams: u64,
    pub(super) packets: u64,
    /// By the kernel, by the interface, and alerts on their way.
    pub(super) dropped: [u64; 3],
    /// Renamed, truncated, copied, packed, removed.
    pub(super) rotations: [u64; 5],
    /// Truncated, removed, damaged, NULs.
    pub(super) lost: [u64; 4],
    pub(super) cut: u64,
    /// What inputs counted that receive something, by their names.
    pub(super) received: BTreeMap<String, ReceivedTotals>,
}

impl InputTotals {
    /// Adds what an input counted.
    pub(super) fn count(&mut self, watch: &Watch) {
        self.datagrams += watch.datagrams_dropped();
        let tap = watch.tap();
        self.packets += tap.packets.packets;
        let alerts = watch.dropped().load(Ordering::Relaxed);
        add(&mut self.dropped, [tap.by_kernel, tap.by_interface, alerts]);
        let tail = watch.tail().counters;
        let of = tail.rotations;
        add(&mut self.rotations, [of.renamed, of.truncated, of.copied, of.packed, of.removed]);
        let lost = [tail.lost_truncated, tail.lost_removed, tail.damaged, tail.nuls_skipped];
        add(&mut self.lost, lost);
        self.cut += tail.lines_cut;
        if let Some(more) = watch.received() {
            let own = self.received.entry(watch.name().to_string()).or_default();
            own.refused += more.refused;
            add(&mut own.errors, more.errors);
            own.restarts += more.restarts;
            own.restored += more.restored;
        }
    }
}

fn add<const N: usize>(to: &mut [u64; N], more: [u64; N]) {
    to.iter_mut().zip(more).for_each(|(to, more)| *to += more);
}

/// Inputs and sinks that are gone.
#[derive(Default)]
pub(super) struct Departed {
    /// Those of which a thread may still count something.
    watches: Vec<Watch>,
    parts: Vec<(String, Arc<Counters>)>,
    /// All others.
    inputs: InputTotals,
    sinks: BTreeMap<String, Snapshot>,
}

impl Departed {
    /// Keeps what is in the first list and not in the second.
    pub(super) fn replace_watches(&mut self, old: Vec<Watch>, new: &[Watch]) {
        self.watches.extend(old.into_iter().filter(|it| !new.iter().any(|one| one.is(it))));
    }

    /// The same for sinks.
    pub(super) fn replace_sinks(&mut self, old: Vec<SinkPart>, new: &[SinkPart]) {
        let is_kept = |counters: &Arc<Counters>| {
            new.iter().filter_map(|it| it.counters.as_ref()).any(|it| Arc::ptr_eq(it, counters))
        };
        for SinkPart { name, counters, .. } in old {
            self.parts.extend(counters.filter(|it| !is_kept(it)).map(|it| (name, it)));
        }
    }

    /// Adds up those that nobody counts any more.
    pub(super) fn settle(&mut self) {
        for watch in std::mem::take(&mut self.watches) {
            match watch.is_alone() {
                true => self.inputs.count(&watch),
                false => self.watches.push(watch),
            }
        }
        for (name, counters) in std::mem::take(&mut self.parts) {
            match Arc::strong_count(&counters) {
                1 => self.sinks.entry(name).or_default().add(&counters.snapshot()),
                _ => self.parts.push((name, counters)),
            }
        }
    }

    /// What inputs counted that are gone.
    pub(super) fn inputs(&self) -> InputTotals {
        let mut totals = self.inputs.clone();
        self.watches.iter().for_each(|watch| totals.count(watch));
        totals
    }

    /// What sinks of this name counted that are gone.
    pub(super) fn sink(&self, name: &str) -> Snapshot {
        let mut sum = self.sinks.get(name).cloned().unwrap_or_default();
        let own = self.parts.iter().filter(|(it, _)| it == name);
        own.for_each(|(_, counters)| sum.add(&counters.snapshot()));
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::super::watch::TailFacts;
    use super::*;
    use crate::sensor::input::tail;

    fn counted(watch: &Watch, cut: u64) {
        let counters = tail::Counters { lines_cut: cut, ..tail::Counters::default() };
        watch.set_tail(TailFacts { counters, files: Vec::new() });
    }

    #[test]
    fn what_is_gone_counts_on() {
        let mut departed = Departed::default();
        let (old, new) = (Watch::new("a", "files", None), Watch::new("a", "files", None));
        counted(&old, 3);
        let thread = old.clone();
        departed.replace_watches(vec![old], std::slice::from_ref(&new));
        departed.settle();
        assert_eq!(departed.inputs().cut, 3);
        // Its thread says something last.
        counted(&thread, 5);
        assert_eq!(departed.inputs().cut, 5);
        drop(thread);
        departed.settle();
        assert!(departed.watches.is_empty());
        assert_eq!(departed.inputs().cut, 5);
        // One that stays is not counted twice.
        departed.replace_watches(vec![new.clone()], std::slice::from_ref(&new));
        departed.settle();
        assert_eq!(departed.inputs().cut, 5);
    }

    #[test]
    fn sinks_that_are_replaced_count_on() {
        let part = |counters: &Arc<Counters>| SinkPart {
            name: "siem".to_string(),
            kind: "syslog",
            counters: Some(Arc::clone(counters)),
        };
        let (old, new) = (Arc::new(Counters::default()), Arc::new(Counters::default()));
        let mut departed = Departed::default();
        departed.replace_sinks(vec![part(&old)], &[part(&old)]);
        assert_eq!(departed.sink("siem"), Snapshot::default());
        departed.replace_sinks(vec![part(&old)], &[part(&new)]);
        assert_eq!(departed.sink("siem"), old.snapshot());
        drop(old);
        departed.settle();
        assert!(departed.parts.is_empty() && departed.sinks.contains_key("siem"));
    }
}
