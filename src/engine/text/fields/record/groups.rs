//! Members that repeat in a record, and which of them belong together.

use hashbrown::HashMap;

/// The numbers of members by their role, in the order of the line.
#[derive(Debug, Default)]
pub(super) struct Groups {
    members: HashMap<(u32, u64), Vec<u32>>,
}

impl Groups {
    pub(super) fn clear(&mut self) {
        self.members.clear();
    }

    /// Adds a member of a scope.
    pub(super) fn note(&mut self, scope: u32, what: u64, number: u32) {
        self.members.entry((scope, what)).or_default().push(number);
    }

    /// All members of a scope with this role.
    pub(super) fn of(&self, scope: u32, what: u64) -> &[u32] {
        self.members.get(&(scope, what)).map_or(&[], Vec::as_slice)
    }
}

/// The mate of one anchor among several: `dst=A dpt=1 dst=B dpt=2`, where A has 1
/// and B has 2, or `dpt=1 dst=A dpt=2 dst=B`. The first one in the line shows the
/// order. A mate that belongs to another anchor is not used. Both lists are in the
/// order of the line.
pub(super) fn mate_of(anchors: &[u32], mates: &[u32], anchor: u32) -> Option<u32> {
    let own = anchors.partition_point(|at| *at <= anchor).checked_sub(1);
    let at = own.map_or(anchor, |own| anchors[own]);
    let next = own.map_or(0, |own| own + 1);
    let next = anchors.get(next).copied().unwrap_or(u32::MAX);
    let before = own.and_then(|own| own.checked_sub(1)).map(|before| anchors[before]);
    // The mates from `first` to `own` follow the previous anchor, and those from
    // `own` to `last` precede the next one.
    let place = |anchor: u32| mates.partition_point(|mate| *mate < anchor);
    let (own, last) = (place(at), place(next));
    let first = before.map_or(0, place);
    let following = (own < last).then_some(own);
    let preceding = (first < own).then(|| own - 1);
    let is_first = *mates.first()? < anchors.first().copied().unwrap_or(at);
    let found = if is_first {
        let is_taken = next != u32::MAX && own + 1 == last;
        preceding.or(following.filter(|_| !is_taken))
    } else {
        let is_taken = before.is_some() && first + 1 == own;
        following.or(preceding.filter(|_| !is_taken))
    };
    found.map(|at| mates[at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_and_mates_are_paired() {
        for (anchors, mates, want) in [
            (&[0][..], &[1][..], &[Some(1)][..]),
            (&[1], &[0], &[Some(0)]),
            (&[0, 2], &[1, 3], &[Some(1), Some(3)]),
            (&[1, 3], &[0, 2], &[Some(0), Some(2)]),
            // Both of one kind first: the nearer one counts.
            (&[0, 1], &[2], &[None, Some(2)]),
            (&[1, 2], &[0], &[Some(0), None]),
            (&[0, 2], &[1], &[Some(1), None]),
            (&[0], &[1, 2], &[Some(1)]),
            (&[0, 3], &[1, 2], &[Some(1), Some(2)]),
            (&[0], &[], &[None]),
        ] {
            let found: Vec<_> = anchors.iter().map(|at| mate_of(anchors, mates, *at)).collect();
            assert_eq!(found, want, "{anchors:?} {mates:?}");
        }
    }
}
