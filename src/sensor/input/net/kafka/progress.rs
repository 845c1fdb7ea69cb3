//! How far each partition was read, matched, and committed to the group.
//!
//! Two places remember it. Our own state is committed together with the alerts, so it is exact; the
//! group's offset follows it. After a crash the group's offset lies behind, and reading from there
//! would write the same alerts again: so a partition resumes at our own offset, unless the group's
//! shows that others went on from there, or that somebody reset it.

use crate::sensor::input::net::PartitionView;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Partition {
    pub(super) topic: Arc<str>,
    pub(super) number: i32,
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.topic, self.number)
    }
}

impl Partition {
    /// Reads `TOPIC/NUMBER`.
    pub(super) fn parse(text: &str) -> Option<Partition> {
        let (topic, number) = text.rsplit_once('/')?;
        let number = number.parse().ok().filter(|number| *number >= 0)?;
        (!topic.is_empty()).then(|| Partition { topic: topic.into(), number })
    }
}

/// What our state says about a partition: `NEXT GROUP`, the offset of the next record, and the
/// offset that the group had then, or `-`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Saved {
    pub(super) next: i64,
    pub(super) group: Option<i64>,
}

impl fmt::Display for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group {
            Some(group) => write!(f, "{} {group}", self.next),
            None => write!(f, "{} -", self.next),
        }
    }
}

impl Saved {
    pub(super) fn parse(text: &str) -> Option<Saved> {
        let (next, group) = text.split_once(' ')?;
        let offset = |text: &str| text.parse().ok().filter(|offset: &i64| *offset >= 0);
        let group = if group == "-" { None } else { Some(offset(group)?) };
        Some(Saved { next: offset(next)?, group })
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mark {
    is_assigned: bool,
    /// The record after the last one that was passed on.
    sent: Option<i64>,
    /// The record after the last one whose alerts are safe.
    safe: Option<i64>,
    /// What the group has, as far as we know.
    group: Option<i64>,
    /// The end of the partition, as of the last statistics.
    end: Option<i64>,
    /// Where a run that ends is done.
    until: Option<i64>,
    is_done: bool,
}

/// Batches in flight, and the marks of all partitions that this process knows.
#[derive(Debug, Default)]
pub(super) struct Progress {
    marks: BTreeMap<Partition, Mark>,
    in_flight: VecDeque<(Arc<AtomicU64>, Partition, i64)>,
    /// How often a partition of each number was read to its end: the client doesn't say of which
    /// topic.
    ends: BTreeMap<i32, usize>,
    /// Whether the group has assigned anything, be it nothing.
    pub(super) has_joined: bool,
}

impl Progress {
    /// With the offsets of our state.
    pub(super) fn new(saved: &BTreeMap<Partition, Saved>) -> Progress {
        let mark = |saved: &Saved| Mark {
            sent: Some(saved.next),
            safe: Some(saved.next),
            group: saved.group,
            ..Mark::default()
        };
        let marks = saved.iter().map(|(partition, saved)| (partition.clone(), mark(saved)));
        Progress { marks: marks.collect(), ..Progress::default() }
    }

    /// A partition was assigned, and the group has this offset. Returns where to begin; `None`
    /// leaves that to the setting.
    pub(super) fn assign(&mut self, partition: &Partition, group: Option<i64>) -> Option<i64> {
        let mark = self.marks.entry(partition.clone()).or_default();
        let is_ours = mark.sent.is_some_and(|sent| match group {
            Some(group) => mark.group.is_none_or(|old| old <= group) && group <= sent,
            None => mark.group.is_none(),
        });
        if !is_ours {
            (mark.sent, mark.safe) = (group, group);
        }
        (mark.is_assigned, mark.group, mark.end) = (true, group, None);
        (mark.until, mark.is_done) = (None, false);
        mark.sent
    }

    /// Sets where a run that ends is done with a partition.
    pub(super) fn set_until(&mut self, partition: &Partition, until: i64) {
        if let Some(mark) = self.marks.get_mut(partition) {
            mark.until = Some(until);
            mark.is_done = until == 0 || mark.sent.is_some_and(|sent| sent >= until);
        }
    }

    /// A partition of this number was read to its end. When each topic's was, all are done.
    pub(super) fn ended(&mut self, number: i32) {
        let ends = self.ends.entry(number).or_default();
        *ends += 1;
        let is_it = |it: &Partition, mark: &Mark| it.number == number && mark.is_assigned;
        if self.marks.iter().filter(|(it, mark)| is_it(it, mark)).count() <= *ends {
            let of_number = self.marks.iter_mut().filter(|(it, mark)| is_it(it, mark));
            of_number.for_each(|(_, mark)| mark.is_done = true);
        }
    }

    /// Whether a run that ends is done.
    pub(super) fn is_done(&self) -> bool {
        self.has_joined && self.assigned().all(|(_, mark)| mark.is_done)
    }

    fn assigned(&self) -> impl Iterator<Item = (&Partition, &Mark)> {
        self.marks.iter().filter(|(_, mark)| mark.is_assigned)
    }

    /// What our state has to say when the records before `next` are safe.
    pub(super) fn saved(&self, partition: &Partition, next: i64) -> Saved {
        Saved { next, group: self.marks.get(partition).and_then(|mark| mark.group) }
    }

    /// A batch of records before `next` was passed on.
    pub(super) fn sent(&mut self, partition: &Partition, next: i64, ticket: Arc<AtomicU64>) {
        let mark = self.marks.entry(partition.clone()).or_default();
        mark.sent = Some(next);
        mark.is_done |= mark.until.is_some_and(|until| next >= until);
        self.in_flight.push_back((ticket, partition.clone(), next));
    }

    /// Finds out which batches are safe now.
    pub(super) fn settle(&mut self, is_safe: impl Fn(&AtomicU64) -> bool) {
        while let Some((ticket, ..)) = self.in_flight.front()
            && is_safe(ticket)
            && let Some((_, partition, next)) = self.in_flight.pop_front()
        {
            self.marks.entry(partition).or_default().safe = Some(next);
        }
    }

    /// Whether batches of these partitions are in flight.
    pub(super) fn are_under_way(&self, partitions: &[Partition]) -> bool {
        self.in_flight.iter().any(|(_, partition, _)| partitions.contains(partition))
    }

    /// Whether any batch is in flight.
    pub(super) fn is_under_way(&self) -> bool {
        !self.in_flight.is_empty()
    }

    /// The offsets that the group should have, and doesn't.
    pub(super) fn to_commit(&self) -> Vec<(Partition, i64)> {
        let lagging = |mark: &Mark| mark.safe.filter(|safe| mark.group != Some(*safe));
        self.assigned().filter_map(|(it, mark)| Some((it.clone(), lagging(mark)?))).collect()
    }

    /// The group has an offset.
    pub(super) fn committed(&mut self, partition: &Partition, offset: i64) {
        if let Some(mark) = self.marks.get_mut(partition) {
            mark.group = Some(offset);
        }
    }

    /// Partitions belong to others from now on.
    pub(super) fn revoke(&mut self, partitions: &[Partition]) {
        for partition in partitions {
            if let Some(mark) = self.marks.get_mut(partition) {
                mark.is_assigned = false;
            }
        }
    }

    /// Nothing is assigned: the client is a new one.
    pub(super) fn revoke_all(&mut self) {
        self.marks.values_mut().for_each(|mark| mark.is_assigned = false);
    }

    /// The end of a partition, from statistics.
    pub(super) fn set_end(&mut self, partition: &Partition, end: i64) {
        if let Some(mark) = self.marks.get_mut(partition) {
            mark.end = Some(end).filter(|end| *end >= 0);
        }
    }

    /// What is assigned, for people.
    pub(super) fn view(&self) -> Vec<PartitionView> {
        let view = |(partition, mark): (&Partition, &Mark)| PartitionView {
            topic: partition.topic.to_string(),
            partition: partition.number,
            offset: mark.safe,
            lag: mark.end.zip(mark.safe).map(|(end, safe)| end.saturating_sub(safe).max(0) as u64),
        };
        self.assigned().map(view).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::Ordering;

    fn partition(number: i32) -> Partition {
        Partition { topic: "logs".into(), number }
    }

    fn of(next: i64, group: Option<i64>) -> Progress {
        Progress::new(&[(partition(0), Saved { next, group })].into())
    }

    #[test]
    fn texts_are_read_again() {
        for saved in [Saved { next: 0, group: None }, Saved { next: i64::MAX, group: Some(7) }] {
            assert_eq!(Saved::parse(&saved.to_string()), Some(saved));
        }
        for text in ["", "1", "1 x", "-1 -", "1 -1", "1  2"] {
            assert_eq!(Saved::parse(text), None, "{text}");
        }
        assert_eq!(Partition::parse("logs/3").unwrap().to_string(), "logs/3");
        for text in ["", "logs", "/3", "logs/-1", "logs/x"] {
            assert_eq!(Partition::parse(text), None, "{text}");
        }
    }

    #[test]
    fn our_own_offset_counts_unless_the_group_went_elsewhere() {
        for (saved, group, begin) in [
            // After a crash the group is behind.
            ((100, Some(40)), Some(40), Some(100)),
            ((100, Some(40)), Some(60), Some(100)),
            ((100, Some(40)), Some(100), Some(100)),
            ((100, None), Some(60), Some(100)),
            ((100, None), None, Some(100)),
            // Others went on.
            ((100, Some(40)), Some(120), Some(120)),
            // Somebody reset it, or the group has expired.
            ((100, Some(40)), Some(10), Some(10)),
            ((100, Some(40)), None, None),
        ] {
            let mut progress = of(saved.0, saved.1);
            assert_eq!(progress.assign(&partition(0), group), begin, "{saved:?} {group:?}");
        }
        assert_eq!(Progress::default().assign(&partition(0), Some(5)), Some(5));
        assert_eq!(Progress::default().assign(&partition(0), None), None);
    }

    #[test]
    fn offsets_are_committed_once_they_are_safe() {
        let mut progress = Progress::default();
        let (one, two) = (partition(1), partition(2));
        progress.assign(&one, Some(10));
        progress.assign(&two, None);
        let tickets: Vec<Arc<AtomicU64>> = (0..3).map(|_| Arc::default()).collect();
        progress.sent(&one, 20, Arc::clone(&tickets[0]));
        progress.sent(&two, 5, Arc::clone(&tickets[1]));
        progress.sent(&one, 30, Arc::clone(&tickets[2]));
        let is_safe = |ticket: &AtomicU64| ticket.load(Ordering::Relaxed) > 0;
        progress.settle(is_safe);
        assert_eq!(progress.to_commit(), []);
        tickets[..2].iter().for_each(|ticket| ticket.store(1, Ordering::Relaxed));
        progress.settle(is_safe);
        assert_eq!(progress.to_commit(), [(one.clone(), 20), (two.clone(), 5)]);
        progress.committed(&one, 20);
        assert_eq!(progress.to_commit(), [(two.clone(), 5)]);
        assert!(progress.are_under_way(std::slice::from_ref(&one)));
        assert!(!progress.are_under_way(std::slice::from_ref(&two)));
        progress.set_end(&one, 50);
        assert_eq!(progress.view()[0].lag, Some(30));
        progress.revoke(&[one.clone(), two]);
        assert!(progress.to_commit().is_empty() && progress.view().is_empty());
        // What is in flight is ours, if the partition comes back meanwhile.
        assert_eq!(progress.assign(&one, Some(20)), Some(30));
    }

    #[test]
    fn a_run_that_ends_is_done_at_the_ends() {
        let mut progress = Progress::default();
        assert!(!progress.is_done());
        progress.has_joined = true;
        for number in 0..3 {
            progress.assign(&partition(number), None);
            progress.set_until(&partition(number), 10 * i64::from(number));
        }
        assert!(!progress.is_done());
        progress.sent(&partition(1), 10, Arc::default());
        assert!(!progress.is_done());
        // The last record of the partition is a control record, which nobody sees.
        progress.sent(&partition(2), 19, Arc::default());
        assert!(!progress.is_done());
        progress.ended(2);
        assert!(progress.is_done());
    }
}
