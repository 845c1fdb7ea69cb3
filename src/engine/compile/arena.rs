//! Many short byte strings, each with a number, to be sorted.

use std::sync::Arc;

/// The position of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StringSpan {
    start: u32,
    len: u16,
}

/// A row, with eight bytes of its string: those after the part that is already sorted.
#[derive(Clone, Copy, Debug)]
struct Row {
    head: u64,
    start: u32,
    len: u16,
    claim: u32,
}

/// The number of bytes in a [`Row::head`].
const HEAD: usize = 8;

/// Below this number of rows, comparing whole strings is as fast as sorting by
/// heads.
const FEW: usize = 6;

/// Strings stored one after the other, and rows that point at them.
#[derive(Debug, Default)]
pub(super) struct Arena {
    bytes: Vec<u8>,
    /// The strings instead of `bytes`, once they are sorted and parts share them.
    shared: Option<Arc<Vec<u8>>>,
    rows: Vec<Row>,
    /// Strings that did not fit: an arena holds 4 GiB.
    lost: u64,
}

impl Arena {
    pub(super) fn push(&mut self, key: &[u8], claim: u32) {
        self.push_bytes(key.iter().copied(), key.len(), claim);
    }

    pub(super) fn push_reversed(&mut self, key: &[u8], claim: u32) {
        self.push_bytes(key.iter().rev().copied(), key.len(), claim);
    }

    fn push_bytes(&mut self, key: impl Iterator<Item = u8>, len: usize, claim: u32) {
        let (Ok(start), Ok(len)) = (u32::try_from(self.bytes.len()), u16::try_from(len)) else {
            self.lost += 1;
            return;
        };
        self.bytes.extend(key);
        let head = head(&self.bytes[start as usize..]);
        self.rows.push(Row { head, start, len, claim });
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The number of strings that did not fit.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) fn claim(&self, row: usize) -> u32 {
        self.rows[row].claim
    }

    pub(super) fn place(&self, row: usize) -> StringSpan {
        StringSpan { start: self.rows[row].start, len: self.rows[row].len }
    }

    pub(super) fn key(&self, place: StringSpan) -> &[u8] {
        let bytes = self.shared.as_deref().unwrap_or(&self.bytes);
        &bytes[place.start as usize..][..usize::from(place.len)]
    }

    /// Sorts the rows by string, and equal strings by claim. Afterwards the rows'
    /// heads are meaningless.
    ///
    /// Domains are stored in reverse, so many share a beginning, and comparing
    /// whole strings spent a fifth of a compilation in cache misses. Therefore rows
    /// are sorted by eight bytes at a time, which are in the rows, and only rows
    /// that agree in them load the next eight.
    pub(super) fn sort(&mut self) {
        if self.shared.is_some() {
            return;
        }
        let bytes = &self.bytes;
        let key = |row: &Row| &bytes[row.start as usize..][..usize::from(row.len)];
        // The number of bytes of the string after `depth`; nine if there are more.
        let rest = |row: &Row, depth: usize| usize::from(row.len).min(depth + HEAD + 1) - depth;
        let mut open = vec![(0, self.rows.len(), 0)];
        while let Some((from, to, depth)) = open.pop() {
            let rows = &mut self.rows[from..to];
            if rows.len() <= FEW {
                rows.sort_unstable_by(|a, b| {
                    key(a)[depth..].cmp(&key(b)[depth..]).then(a.claim.cmp(&b.claim))
                });
                continue;
            }
            if depth > 0 {
                for row in &mut *rows {
                    row.head = head(&key(row)[depth..]);
                }
            }
            // A string that has ended is padded with zeros, and sorts first.
            let order = |row: &Row| (row.head, rest(row, depth));
            rows.sort_unstable_by(|a, b| order(a).cmp(&order(b)).then(a.claim.cmp(&b.claim)));
            let mut start = from;
            for run in rows.chunk_by(|a, b| order(a) == order(b)) {
                let end = start + run.len();
                if run.len() > 1 && rest(&run[0], depth) > HEAD {
                    open.push((start, end, depth + HEAD));
                }
                start = end;
            }
        }
    }

    /// Sorts the rows, and makes the strings such that parts can share them. Nothing can be added
    /// afterwards.
    #[cfg(feature = "sensor")]
    pub(super) fn sort_and_share(&mut self) {
        self.sort();
        self.shared = Some(Arc::new(std::mem::take(&mut self.bytes)));
    }

    /// The rows to whose claims `number` gives numbers in the part, in the order that they have.
    /// That is sorted if larger claims get larger numbers.
    #[cfg(feature = "sensor")]
    pub(super) fn part(&self, number: &mut dyn FnMut(u32) -> Option<u32>) -> Arena {
        let rows = self.rows.iter();
        let rows = rows.filter_map(|row| Some(Row { claim: number(row.claim)?, ..*row })).collect();
        Arena { bytes: Vec::new(), shared: self.shared.clone(), rows, lost: self.lost }
    }

    /// Frees the rows but keeps the strings.
    pub(super) fn forget_rows(&mut self) {
        self.rows = Vec::new();
    }
}

/// The first bytes of a string, as a number that compares like the bytes.
fn head(key: &[u8]) -> u64 {
    let mut head = [0; HEAD];
    let some = key.len().min(HEAD);
    head[..some].copy_from_slice(&key[..some]);
    u64::from_be_bytes(head)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Long common prefixes, zeros, and strings that end within them.
        #[test]
        fn as_strings_are_sorted(
            keys in prop::collection::vec(
                (0..30_usize, prop::collection::vec(0..3_u8, 0..12), 0..3_u32),
                0..120,
            ),
        ) {
            let mut arena = Arena::default();
            let mut want = Vec::new();
            for (common, rest, claim) in keys {
                let key = [&[b'a'; 30][..common], &rest].concat();
                arena.push(&key, claim);
                want.push((key, claim));
            }
            arena.sort();
            want.sort();
            let rows = 0..arena.len();
            let got: Vec<_> =
                rows.map(|row| (arena.key(arena.place(row)).to_vec(), arena.claim(row))).collect();
            prop_assert_eq!(got, want);
        }
    }
}
