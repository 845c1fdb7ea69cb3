//! Which groups could go together.
//!
//! Each group may look superfluous because another has the same, and that one because of the
//! first. So they are tried one after the other, and what is tried later is judged by what is left.

use super::groups::Groups;
use super::masks::{MaskId, Masks};
use super::report::{DropStep, Group};
use super::table::SetTable;

/// The share of exclusive entries from which on a group is worth keeping.
pub(super) const FEW_EXCLUSIVE: f64 = 0.01;

/// Something that is lost if all of its groups go: the groups, those for which it counts, and how
/// often there is such a thing.
struct Row {
    groups: MaskId,
    counts_for: MaskId,
    count: u64,
    /// How many of the groups are left.
    left: usize,
}

/// Rows, and those of each group.
struct Rows<'m> {
    masks: &'m Masks,
    rows: Vec<Row>,
    of_group: Vec<Vec<u32>>,
}

impl<'m> Rows<'m> {
    fn new(masks: &'m Masks, count: usize, all: &[(MaskId, MaskId, u64)]) -> Rows<'m> {
        let mut rows = Rows { masks, rows: Vec::new(), of_group: vec![Vec::new(); count] };
        for &(groups, counts_for, count) in all {
            let left = masks.groups(groups).len();
            for group in masks.groups(groups) {
                rows.of_group[*group as usize].push(rows.rows.len() as u32);
            }
            rows.rows.push(Row { groups, counts_for, count, left });
        }
        rows
    }

    /// What only this group has of those that are left. Groups that had it, too, are added to
    /// `after`.
    fn alone(&self, group: u32, after: &mut Vec<u32>) -> u64 {
        let rows = self.of_group[group as usize].iter().map(|row| &self.rows[*row as usize]);
        let alone = rows.filter(|row| row.left == 1 && self.masks.has(row.counts_for, group));
        let mut count = 0;
        for row in alone {
            count += row.count;
            after.extend(self.masks.groups(row.groups).iter().filter(|other| **other != group));
        }
        after.sort_unstable();
        after.dedup();
        count
    }

    /// Takes a group away.
    fn drop(&mut self, group: u32) {
        for row in &self.of_group[group as usize] {
            self.rows[*row as usize].left -= 1;
        }
    }
}

/// Tries each group, those that do least first. `events` are those of the corpus by the groups
/// that alert in them.
pub(super) fn drop_order(
    groups: &Groups,
    facts: &[Group],
    table: &mut SetTable,
    (masks, events): (&Masks, &[(MaskId, u64)]),
) -> Vec<DropStep> {
    let entries: Vec<_> = table.entries.iter().map(|(pair, count)| (*pair, *count)).collect();
    let entries = entries.into_iter().map(|((holds, others), count)| {
        // What others cover counts for those that hold it.
        (table.masks.union(holds, others), holds, count)
    });
    let entries: Vec<_> = entries.collect();
    let mut entries = Rows::new(&table.masks, groups.len(), &entries);
    let events: Vec<_> = events.iter().map(|(mask, count)| (*mask, *mask, *count)).collect();
    let mut events = Rows::new(masks, groups.len(), &events);
    let mut order: Vec<u32> = (0..groups.len() as u32).collect();
    order.sort_by_key(|group| {
        let of = &facts[*group as usize];
        (of.events, of.exclusive, of.live, *group)
    });
    let try_one = |group: u32| {
        let mut after = Vec::new();
        let exclusive = entries.alone(group, &mut after);
        let events_exclusive = events.alone(group, &mut after);
        let live = facts[group as usize].live;
        let is_little = (exclusive as f64) < live as f64 * FEW_EXCLUSIVE;
        let is_dropped = live > 0 && events_exclusive == 0 && is_little;
        if is_dropped {
            entries.drop(group);
            events.drop(group);
        }
        DropStep {
            group: groups.name(group).to_string(),
            is_dropped,
            events_exclusive,
            exclusive,
            after: after.into_iter().map(|other| groups.name(other).to_string()).collect(),
        }
    };
    order.into_iter().map(try_one).collect()
}
