//! A file that is transferred in ranges: joined if they are nearly in order.

use crate::engine::packet::payload::file::File;
use crate::engine::progress::bound;
use std::collections::BTreeMap;

/// Bytes and ranges that wait for earlier ones, before the file is given up.
const MAX_HELD: usize = bound(1 << 20, 64);
const MAX_RANGES: usize = bound(1024, 3);

/// The memory of a range besides its bytes.
const OVERHEAD: usize = 64;

/// A file of which every byte up to `at` was hashed.
#[derive(Debug)]
pub(super) struct Ranges {
    file: File,
    at: u64,
    waiting: BTreeMap<u64, Vec<u8>>,
    held: usize,
    is_lost: bool,
}

impl Ranges {
    pub(super) fn new(file: File) -> Self {
        let is_lost = !file.is_hashed();
        Ranges { file, at: 0, waiting: BTreeMap::new(), held: 0, is_lost }
    }

    /// Whether the file can still become complete.
    pub(super) fn is_wanted(&self) -> bool {
        !self.is_lost
    }

    /// Its length so far, if nothing waits after it.
    pub(super) fn whole(&self) -> Option<u64> {
        (!self.is_lost && self.waiting.is_empty()).then_some(self.at)
    }

    /// Bytes that are held.
    pub(super) fn weight(&self) -> usize {
        size_of::<Self>() + self.file.weight() + self.held + self.waiting.len() * OVERHEAD
    }

    /// It will never be complete.
    pub(super) fn lose(&mut self) {
        (self.is_lost, self.held) = (true, 0);
        self.waiting.clear();
    }

    /// Takes the bytes at an offset. Bytes may be repeated if `is_repeated`; otherwise they
    /// modify what was hashed already. Returns whether the file is given up for that.
    pub(super) fn put(&mut self, at: u64, data: &[u8], is_repeated: bool) -> bool {
        if self.is_lost || data.is_empty() {
            return false;
        }
        let (at, data) = match self.at.checked_sub(at) {
            None | Some(0) => (at, data),
            Some(_) if !is_repeated => {
                self.lose();
                return true;
            }
            Some(old) => match usize::try_from(old).ok().and_then(|old| data.get(old..)) {
                Some(rest) => (self.at, rest),
                None => return false,
            },
        };
        if at == self.at {
            self.file.update(data);
            self.at += data.len() as u64;
            return self.drain(is_repeated);
        }
        self.hold(at, data)
    }

    fn hold(&mut self, at: u64, data: &[u8]) -> bool {
        let before = self.waiting.range_mut(..=at).next_back();
        match before {
            // A range arrives in the pieces of its segments.
            Some((&start, bytes)) if start.checked_add(bytes.len() as u64) == Some(at) => {
                bytes.extend_from_slice(data);
                self.held += data.len();
            }
            Some((&start, bytes)) if start == at && bytes.len() >= data.len() => {}
            _ => {
                let old = self.waiting.insert(at, data.to_vec());
                self.held = self.held + data.len() - old.map_or(0, |old| old.len());
            }
        }
        let is_over = self.held > MAX_HELD || self.waiting.len() > MAX_RANGES;
        if is_over {
            self.lose();
        }
        is_over
    }

    /// Takes the ranges that waited for these bytes.
    fn drain(&mut self, is_repeated: bool) -> bool {
        while let Some(entry) = self.waiting.first_entry()
            && *entry.key() <= self.at
        {
            let (at, data) = entry.remove_entry();
            self.held -= data.len();
            let known = self.at - at;
            if known > 0 && !is_repeated {
                self.lose();
                return true;
            }
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            if let Some(rest) = data.get(known..) {
                self.file.update(rest);
                self.at += rest.len() as u64;
            }
        }
        false
    }

    /// The file in its current state.
    pub(super) fn into_file(self) -> File {
        self.file
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::packet::tests::Recorder;
    use crate::engine::packet::tests::some_packet;
    use proptest::prelude::*;

    fn hashing() -> Recorder {
        Recorder { fingerprints: true, ..Recorder::default() }
    }

    fn reported(puts: &[(u64, &[u8])]) -> (Vec<String>, Option<u64>) {
        let (mut reported, packet) = (hashing(), some_packet());
        let mut ranges = Ranges::new(File::begin("smb", None, &packet, &mut reported));
        for &(at, data) in puts {
            ranges.put(at, data, true);
        }
        let whole = ranges.whole();
        ranges.into_file().finish(whole.is_some(), &packet, &mut reported);
        (reported.seen.into_iter().map(|(_, text)| text).collect(), whole)
    }

    proptest! {
        #[test]
        fn any_order_is_the_file(
            order in Just((0..16_usize).collect::<Vec<_>>()).prop_shuffle(),
            again in proptest::collection::vec(0..16_usize, 0..8),
            more in 0..9_usize,
        ) {
            let text: Vec<u8> = (0..16 * 7).collect();
            let mut puts: Vec<(u64, &[u8])> = Vec::new();
            for at in order.into_iter().chain(again) {
                let end = (7 * at + 7 + more).min(text.len());
                puts.push((7 * at as u64, &text[7 * at..end]));
            }
            prop_assert_eq!(reported(&puts), reported(&[(0, &text)]));
        }
    }

    #[test]
    fn too_much_is_given_up_and_rewriting_is_no_file() {
        let (mut got, packet) = (hashing(), some_packet());
        let mut ranges = Ranges::new(File::begin("smb", None, &packet, &mut got));
        assert!(!ranges.put(10, &vec![0; MAX_HELD], true));
        assert!(ranges.put(9, b"x", true));
        assert!(!ranges.is_wanted());
        assert!(ranges.weight() < 1024);
        let mut ranges = Ranges::new(File::begin("smb", None, &packet, &mut got));
        assert!(!ranges.put(0, b"abc", false));
        assert!(ranges.put(2, b"x", false));
        assert_eq!(reported(&[(u64::MAX, b"ab"), (0, b"c")]).1, None);
    }
}
