//! What pairs of groups have in common.

use super::chance::share;
use super::groups::{GroupBy, Groups};
use super::masks::{MaskId, Masks};
use super::report::Overlap;
use super::table::SetTable;
use hashbrown::HashMap;
use std::cmp::Reverse;

/// The maximum number of pairs of pulses in a report.
const MAX_PULSE_PAIRS: usize = 200;

/// The most feeds of which all pairs are in a report.
const MAX_FEEDS: usize = 100;

/// The most pairs of more feeds, as many as [`MAX_FEEDS`] have.
const MAX_PAIRS: usize = MAX_FEEDS * (MAX_FEEDS - 1) / 2;

/// What a pair has in common; the first group has the smaller number.
#[derive(Clone, Copy, Debug, Default)]
struct Pair {
    /// Entries of the first that the second covers, and the other way round.
    covered: [u64; 2],
    /// Entries that both hold.
    held: u64,
    /// Entries of either that both cover.
    common: u64,
    exact: u64,
    events: u64,
}

/// Pairs with anything in common.
#[derive(Debug, Default)]
struct Pairs(HashMap<(u32, u32), Pair>);

impl Pairs {
    /// The pair, and whether its first group is `a`.
    fn of(&mut self, a: u32, b: u32) -> (&mut Pair, bool) {
        (self.0.entry((a.min(b), a.max(b))).or_default(), a < b)
    }

    /// Counts entries that are held and covered by these groups.
    fn entries(&mut self, masks: &Masks, (holds, covers): (MaskId, MaskId), count: u64) {
        let (holders, coverers) = (masks.groups(holds), masks.groups(covers));
        for &a in holders {
            for &b in coverers.iter().filter(|b| **b != a) {
                let (pair, is_first) = self.of(a, b);
                pair.covered[usize::from(!is_first)] += count;
                let both_hold = masks.has(holds, b);
                // A pair of which both hold it comes twice.
                if !both_hold || is_first {
                    pair.common += count;
                    pair.held += if both_hold { count } else { 0 };
                }
            }
        }
    }

    /// Adds `count` to a member of every pair of a set.
    fn each(&mut self, groups: &[u32], count: u64, member: fn(&mut Pair) -> &mut u64) {
        for (at, &a) in groups.iter().enumerate() {
            for &b in &groups[at + 1..] {
                *member(self.of(a, b).0) += count;
            }
        }
    }
}

/// The pairs of a set, and how many were left out. `events` are those of a corpus by the groups
/// that alert in them.
pub(super) fn overlaps(
    groups: &Groups,
    table: &mut SetTable,
    events: Option<(&Masks, &[(MaskId, u64)])>,
) -> (Vec<Overlap>, u64) {
    let mut pairs = Pairs::default();
    let entries: Vec<_> = table.entries.iter().map(|(pair, count)| (*pair, *count)).collect();
    for ((holds, others), count) in entries {
        let covers = table.masks.union(holds, others);
        pairs.entries(&table.masks, (holds, covers), count);
    }
    let mut values = vec![0; groups.len()];
    for (mask, count) in &table.values {
        let holders = table.masks.groups(*mask);
        holders.iter().for_each(|group| values[*group as usize] += count);
        pairs.each(holders, *count, |pair| &mut pair.exact);
    }
    let mut with_events = vec![0; groups.len()];
    if let Some((masks, events)) = events {
        for (mask, count) in events {
            let alerting = masks.groups(*mask);
            alerting.iter().for_each(|group| with_events[*group as usize] += count);
            pairs.each(alerting, *count, |pair| &mut pair.events);
        }
    }
    let has_all = groups.by() == GroupBy::Feed && groups.len() <= MAX_FEEDS;
    if has_all {
        for a in 0..groups.len() as u32 {
            for b in a + 1..groups.len() as u32 {
                pairs.of(a, b);
            }
        }
    }
    let mut all: Vec<((u32, u32), Pair)> = pairs.0.into_iter().collect();
    let mut left_out = 0;
    let most = if groups.by() == GroupBy::Pulse { MAX_PULSE_PAIRS } else { MAX_PAIRS };
    if all.len() > most {
        all.sort_unstable_by_key(|(key, pair)| (Reverse((pair.common, pair.events)), *key));
        left_out = (all.len() - most) as u64;
        all.truncate(most);
    }
    all.sort_unstable_by_key(|(key, _)| *key);
    let overlaps = all.into_iter().map(|((a, b), pair)| {
        let live = |group: u32| table.groups[group as usize].live;
        let union = live(a) + live(b) - pair.held;
        let union_exact = values[a as usize] + values[b as usize] - pair.exact;
        let in_events = |group: u32| with_events[group as usize];
        let events_union = events.map(|_| in_events(a) + in_events(b) - pair.events);
        Overlap {
            a: groups.name(a).to_string(),
            b: groups.name(b).to_string(),
            a_covered: pair.covered[0],
            a_in_b: share(pair.covered[0], live(a)),
            b_covered: pair.covered[1],
            b_in_a: share(pair.covered[1], live(b)),
            common: pair.common,
            union,
            jaccard: share(pair.common, union),
            common_exact: pair.exact,
            union_exact,
            jaccard_exact: share(pair.exact, union_exact),
            events_common: events.map(|_| pair.events),
            events_union,
            events_jaccard: events_union.and_then(|union| share(pair.events, union)),
        }
    });
    (overlaps.collect(), left_out)
}
