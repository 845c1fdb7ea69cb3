//! Many short byte strings with a number each, to be sorted.

/// Where a string lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    start: u32,
    len: u16,
}

/// A row: the head of the string decides most comparisons without a cache miss.
#[derive(Clone, Copy, Debug)]
struct Row {
    head: u64,
    start: u32,
    len: u16,
    claim: u32,
}

/// Strings back to back, and rows that point at them.
#[derive(Debug, Default)]
pub(super) struct Arena {
    bytes: Vec<u8>,
    rows: Vec<Row>,
    /// Strings that did not find room: an arena holds 4 GiB.
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
        let key = &self.bytes[start as usize..];
        let mut head = [0; 8];
        let some = key.len().min(8);
        head[..some].copy_from_slice(&key[..some]);
        self.rows.push(Row { head: u64::from_be_bytes(head), start, len, claim });
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How many strings found no room.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    pub(super) fn claim(&self, row: usize) -> u32 {
        self.rows[row].claim
    }

    pub(super) fn place(&self, row: usize) -> Place {
        Place { start: self.rows[row].start, len: self.rows[row].len }
    }

    pub(super) fn key(&self, place: Place) -> &[u8] {
        &self.bytes[place.start as usize..][..usize::from(place.len)]
    }

    /// Sorts the rows by their strings.
    pub(super) fn sort(&mut self) {
        let bytes = &self.bytes;
        let key = |row: &Row| &bytes[row.start as usize..][..usize::from(row.len)];
        self.rows.sort_unstable_by(|a, b| {
            a.head.cmp(&b.head).then_with(|| key(a).cmp(key(b))).then(a.claim.cmp(&b.claim))
        });
    }

    /// Frees the rows, and keeps the strings.
    pub(super) fn forget_rows(&mut self) {
        self.rows = Vec::new();
    }
}
