//! Greedy covers: which groups add most, one after the other.

use super::groups::Groups;
use super::masks::Masks;
use super::report::CoverStep;
use std::cmp::Reverse;
use std::collections::BTreeSet;

/// Orders groups by how much each adds to those before it; ties go by name. `sets` says how many
/// things each set of groups has.
pub(super) fn cover(groups: &Groups, masks: &Masks, sets: &[(u32, u64)]) -> Vec<CoverStep> {
    let mut gains = vec![0u64; groups.len()];
    let mut sets_of: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
    for (at, (mask, count)) in sets.iter().enumerate() {
        for group in masks.groups(*mask) {
            gains[*group as usize] += count;
            sets_of[*group as usize].push(at);
        }
    }
    // Numbers follow names, so the smallest of equals is the first by name.
    let mut order: BTreeSet<(Reverse<u64>, u32)> =
        (0..).zip(&gains).map(|(group, gain)| (Reverse(*gain), group)).collect();
    let mut is_covered = vec![false; sets.len()];
    let (mut steps, mut covered) = (Vec::with_capacity(groups.len()), 0);
    while let Some((Reverse(adds), group)) = order.pop_first() {
        covered += adds;
        steps.push(CoverStep { group: groups.name(group).to_string(), adds, covered });
        for set in std::mem::take(&mut sets_of[group as usize]) {
            if std::mem::replace(&mut is_covered[set], true) {
                continue;
            }
            let (mask, count) = sets[set];
            for other in masks.groups(mask) {
                let gain = &mut gains[*other as usize];
                if order.remove(&(Reverse(*gain), *other)) {
                    *gain -= count;
                    order.insert((Reverse(*gain), *other));
                }
            }
        }
    }
    steps
}
