//! Sets of groups, each stored once.
//!
//! A rule set has millions of entries but few different sets of groups that hold or cover them.
//! So everything that is asked of pairs of groups is answered by a small table of sets with
//! counts.

use hashbrown::HashMap;

/// The number of a set. Equal sets have equal numbers.
pub(super) type MaskId = u32;

/// The empty set.
pub(super) const EMPTY: MaskId = 0;

/// Sets of groups.
#[derive(Clone, Debug)]
pub(super) struct Masks {
    sets: Vec<Box<[u32]>>,
    known: HashMap<Box<[u32]>, MaskId>,
    unions: HashMap<(MaskId, MaskId), MaskId>,
}

impl Default for Masks {
    fn default() -> Self {
        let empty: Box<[u32]> = Box::default();
        let known = HashMap::from([(empty.clone(), EMPTY)]);
        Masks { sets: vec![empty], known, unions: HashMap::new() }
    }
}

impl Masks {
    /// The number of the set of these groups, which are sorted and made unique.
    pub(super) fn of(&mut self, groups: &mut Vec<u32>) -> MaskId {
        if groups.is_empty() {
            return EMPTY;
        }
        groups.sort_unstable();
        groups.dedup();
        if let Some(id) = self.known.get(&groups[..]) {
            return *id;
        }
        let id = self.sets.len() as MaskId;
        self.sets.push(groups[..].into());
        self.known.insert(groups[..].into(), id);
        id
    }

    /// The groups of a set, in ascending order.
    pub(super) fn groups(&self, id: MaskId) -> &[u32] {
        self.sets.get(id as usize).map_or(&[], |set| set)
    }

    /// Whether a set has a group.
    pub(super) fn has(&self, id: MaskId, group: u32) -> bool {
        self.groups(id).binary_search(&group).is_ok()
    }

    /// The set of the groups of either set.
    pub(super) fn union(&mut self, a: MaskId, b: MaskId) -> MaskId {
        if a == b || b == EMPTY {
            return a;
        }
        if a == EMPTY {
            return b;
        }
        let key = (a.min(b), a.max(b));
        if let Some(id) = self.unions.get(&key) {
            return *id;
        }
        let mut groups = [self.groups(a), self.groups(b)].concat();
        let id = self.of(&mut groups);
        self.unions.insert(key, id);
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_sets_have_equal_numbers() {
        let mut masks = Masks::default();
        let one = masks.of(&mut vec![2, 1, 2]);
        assert_eq!(masks.groups(one), [1, 2]);
        assert_eq!(masks.of(&mut vec![1, 2]), one);
        assert_eq!(masks.of(&mut Vec::new()), EMPTY);
        let other = masks.of(&mut vec![7]);
        let both = masks.union(one, other);
        assert_eq!(masks.groups(both), [1, 2, 7]);
        assert_eq!(masks.union(other, one), both);
        assert_eq!((masks.union(EMPTY, one), masks.union(one, EMPTY)), (one, one));
        assert!(masks.has(both, 7) && !masks.has(one, 7));
    }
}
