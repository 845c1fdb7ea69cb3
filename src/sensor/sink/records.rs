//! Encoded records, and where each of them ends.

use std::collections::VecDeque;

/// Encoded records, one after the other, with their ends: any destination (a pipe, a full disk, a
/// batch) can stop between two of them, and knows how many it took.
///
/// What a format writes around its records (a header, a footer) is stored along with them, but ends
/// no record and is never counted.
///
/// ```
/// use wiresift::sensor::sink::Records;
///
/// let mut records = Records::default();
/// records.frame(|bytes| bytes.extend(b"#fields\n"));
/// records.record(|bytes| bytes.extend(b"one\n"));
/// records.record(|bytes| bytes.extend(b"two\n  more of two\n"));
/// assert_eq!((records.count(), records.bytes().len()), (2, 30));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    bytes: Vec<u8>,
    /// Where each record ends in `bytes`.
    ends: Vec<usize>,
}

impl Records {
    /// Appends a record that `write` encodes; if it writes nothing, there is no record.
    /// Returns what `write` does.
    pub fn record<R>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> R) -> R {
        let before = self.bytes.len();
        let result = write(&mut self.bytes);
        if self.bytes.len() > before {
            self.ends.push(self.bytes.len());
        }
        result
    }

    /// Appends bytes that are not a record, and are not counted.
    pub fn frame(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
    }

    /// All bytes, in order.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of records.
    pub fn count(&self) -> u64 {
        self.ends.len() as u64
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// The length up to now, for [`split_off`](Self::split_off).
    pub fn mark(&self) -> usize {
        self.bytes.len()
    }

    /// Removes what was added after a mark, and returns it.
    pub fn split_off(&mut self, mark: usize) -> Records {
        let mark = mark.min(self.bytes.len());
        let whole = self.ends.partition_point(|end| *end <= mark);
        let ends = self.ends.split_off(whole).into_iter().map(|end| end - mark).collect();
        Records { bytes: self.bytes.split_off(mark), ends }
    }

    /// Moves everything of `more` to the end.
    pub fn append(&mut self, more: &mut Records) {
        let base = self.bytes.len();
        self.bytes.append(&mut more.bytes);
        self.ends.extend(more.ends.drain(..).map(|end| base + end));
    }

    /// Drops everything, but keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Records that wait to be written, first in, first out.
#[derive(Debug, Default)]
pub(super) struct Pending {
    bytes: Vec<u8>,
    /// Where records end; the last one may be followed by other bytes.
    ends: VecDeque<usize>,
}

impl Pending {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        Pending { bytes: Vec::with_capacity(bytes), ends: VecDeque::new() }
    }

    pub(super) fn push(&mut self, records: &Records) {
        let base = self.bytes.len();
        self.bytes.extend_from_slice(&records.bytes);
        self.ends.extend(records.ends.iter().map(|end| base + end));
    }

    /// Puts bytes that are not a record before everything else.
    pub(super) fn begin_with(&mut self, frame: &[u8]) {
        self.bytes.splice(..0, frame.iter().copied());
        self.ends.iter_mut().for_each(|end| *end += frame.len());
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of records of which some bytes are left.
    pub(super) fn count(&self) -> u64 {
        self.ends.len() as u64
    }

    /// How many bytes, up to the offset `max`, are complete records that begin at `start`: 0 if
    /// the first one is longer.
    pub(super) fn whole(&self, start: usize, max: usize) -> usize {
        if max >= self.bytes.len() {
            return self.bytes.len() - start;
        }
        let before = self.ends.partition_point(|&end| end <= max);
        let last = before.checked_sub(1).and_then(|at| self.ends.get(at));
        last.map_or(0, |end| end.saturating_sub(start))
    }

    /// Removes the first bytes.
    pub(super) fn drain(&mut self, bytes: usize) {
        self.bytes.drain(..bytes);
        let gone = self.ends.partition_point(|&end| end <= bytes);
        self.ends.drain(..gone);
        self.ends.iter_mut().for_each(|end| *end -= bytes);
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

#[cfg(test)]
pub(super) fn lines(text: &[u8]) -> Records {
    let mut records = Records::default();
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        records.record(|bytes| bytes.extend_from_slice(line));
    }
    records
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_added_after_a_mark_is_taken_back() {
        let mut records = Records::default();
        records.frame(|bytes| bytes.extend(b"#head\n"));
        records.append(&mut lines(b"one\n"));
        let mark = records.mark();
        records.append(&mut lines(b"two\nthree\n"));
        let mut later = records.split_off(mark);
        assert_eq!((records.bytes(), records.count()), (&b"#head\none\n"[..], 1));
        assert_eq!((later.bytes(), later.count()), (&b"two\nthree\n"[..], 2));
        records.append(&mut later);
        assert_eq!((records.count(), records.split_off(100).count()), (3, 0));
    }

    #[test]
    fn what_is_whole_ends_where_a_record_does() {
        let mut records = Records::default();
        records.frame(|bytes| bytes.extend(b"#head\n"));
        records.append(&mut lines(b"one\n"));
        records.record(|bytes| bytes.extend(b"two\n  of two\n"));
        records.record(|_| {});
        records.frame(|bytes| bytes.extend(b"#end\n"));
        assert_eq!(records.count(), 2);
        let mut pending = Pending::default();
        pending.push(&records);
        for max in 0..=28 {
            let want = [0, 10, 23, 28].into_iter().rfind(|end| *end <= max).unwrap();
            assert_eq!(pending.whole(0, max), want, "{max}");
            assert_eq!(pending.whole(10, max), want.saturating_sub(10), "{max}");
        }
        pending.drain(11);
        assert_eq!((pending.count(), pending.whole(0, 12), pending.bytes().len()), (1, 12, 17));
        pending.begin_with(b"##\n");
        assert_eq!((pending.whole(0, 15), pending.whole(0, 14)), (15, 0));
        pending.drain(20);
        assert_eq!((pending.count(), pending.bytes().len()), (0, 0));
    }
}
