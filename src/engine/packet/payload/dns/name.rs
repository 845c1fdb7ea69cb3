//! Names of a message in text form, decompressed.
//!
//! A pointer must lead to a place before the labels that it ends, so a chain of them ends too; a
//! bound on the hops keeps long chains cheap. Bytes are kept as they are, but a label with a dot
//! or a control character in it would look like another name: such a name is marked odd and not
//! reported.

use super::Broken;
use crate::engine::progress::bound;

/// The longest name, in octets on the wire (RFC 1035); its text is shorter.
const LONGEST: usize = 255;

/// Pointers that are followed for one name.
const MAX_HOPS: usize = bound(64, 4);

/// Bytes that are processed at once.
const WORD: usize = 8;

/// Room for the longest name, and for the rest of its last word.
const ROOM: usize = 256 + WORD;

/// The text of a name, in place.
#[derive(Clone, Debug)]
pub(in crate::engine::packet) struct Name {
    /// Each label after a dot, so that the text begins at 1. On the wire, its length is in the
    /// place of the dot.
    bytes: [u8; ROOM],
    length: u8,
    /// Length of the first label.
    first: u8,
    is_odd: bool,
    /// Pointers that were followed.
    hops: u8,
}

impl Default for Name {
    fn default() -> Self {
        Name { bytes: [0; ROOM], length: 0, first: 0, is_odd: false, hops: 0 }
    }
}

impl Name {
    /// The labels with dots between them; empty for the root.
    pub(in crate::engine::packet) fn text(&self) -> &[u8] {
        self.bytes.get(1..1 + usize::from(self.length)).unwrap_or_default()
    }

    pub(in crate::engine::packet) fn is_odd(&self) -> bool {
        self.is_odd
    }

    pub(super) fn clear(&mut self) {
        (self.length, self.first, self.is_odd) = (0, 0, false);
    }

    /// Whether one more pointer may be followed.
    pub(super) fn can_be_led_to(&self) -> bool {
        usize::from(self.hops) < MAX_HOPS
    }

    /// Whether it consists of characters of host and service names.
    pub(super) fn is_host_like(&self) -> bool {
        let is_usual = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*');
        !self.is_odd && self.length > 0 && self.text().iter().all(is_usual)
    }

    /// The name as a mailbox: the first label, an at sign, the rest (RFC 1035, 3.3.13). Dots in
    /// the first label are part of the local part.
    pub(super) fn as_mailbox(&mut self) -> Option<&[u8]> {
        let first = usize::from(self.first);
        let (local, domain) = self.text().split_at_checked(first)?;
        if local.is_empty() || domain.len() < 2 || local.iter().any(|&b| b <= b' ' || b == 0x7f) {
            return None;
        }
        *self.bytes.get_mut(1 + first)? = b'@';
        Some(self.text())
    }

    /// Reads the name at `at`; returns where its own bytes end.
    pub(in crate::engine::packet) fn read(
        &mut self,
        message: &[u8],
        at: usize,
    ) -> Result<usize, Broken> {
        self.clear();
        let mut here = at;
        // Where the labels began that end with the current pointer.
        let mut start = at;
        let mut end = None;
        let mut hops = 0;
        let mut filled = 0;
        let mut labels = 0;
        loop {
            // Copied at once, with what follows; then dots replace the lengths.
            let rest = message.get(here..).ok_or(Broken)?;
            let copied = filled + rest.len().min(LONGEST - filled);
            if let (Some(room), Some(rest)) =
                (self.bytes.get_mut(filled..copied), rest.get(..copied - filled))
            {
                room.copy_from_slice(rest);
            }
            let run = filled;
            let last = loop {
                let octet = self.bytes.get_mut(..copied).and_then(|bytes| bytes.get_mut(filled));
                let octet = octet.ok_or(Broken)?;
                let length = *octet;
                if !(1..=63).contains(&length) {
                    break length;
                }
                if labels == 0 {
                    self.first = length;
                }
                *octet = b'.';
                labels += 1;
                filled += 1 + usize::from(length);
            };
            here += filled - run;
            match last {
                0 => break,
                0xc0.. => {
                    let &low = message.get(here + 1).ok_or(Broken)?;
                    let target = usize::from(last & 0x3f) << 8 | usize::from(low);
                    end.get_or_insert(here + 2);
                    hops += 1;
                    if target >= start || hops > MAX_HOPS {
                        return Err(Broken);
                    }
                    (here, start) = (target, target);
                }
                // Extended and bit-string labels: withdrawn (RFC 6891, RFC 6672).
                _ => return Err(Broken),
            }
        }
        self.length = filled.saturating_sub(1) as u8;
        self.is_odd = self.has_odd(filled, labels);
        self.hops = hops as u8;
        Ok(end.unwrap_or(here + 1))
    }

    /// Whether there are control characters, or more dots than labels, among the first bytes:
    /// eight at a time.
    fn has_odd(&mut self, filled: usize, labels: usize) -> bool {
        const ONES: u64 = 0x0101_0101_0101_0101;
        // Bytes after them must not influence the result.
        if let Some(after) = self.bytes.get_mut(filled..filled + WORD) {
            after.fill(b'x');
        }
        let words = filled.div_ceil(WORD);
        let (mut either, mut all, mut others) = (0, u64::MAX, 0);
        let bytes = self.bytes.get(..words * WORD).unwrap_or_default();
        for &word in bytes.as_chunks::<WORD>().0 {
            let word = u64::from_le_bytes(word);
            // The top bit is set in non-ASCII bytes, and after adding one also in DEL.
            either |= word | word.wrapping_add(ONES);
            // One of two bits is set in every printable ASCII character.
            all &= word | word << 1;
            let differs = (word ^ (ONES * u64::from(b'.'))).wrapping_add(ONES * 0x7f);
            others += (differs >> 7) & ONES;
        }
        if either & (ONES * 0x80) != 0 || all & (ONES * 0x40) != ONES * 0x40 {
            return self.has_odd_beyond_ascii(filled, labels);
        }
        let others = others.wrapping_mul(ONES) >> 56;
        words * WORD - others as usize > labels
    }

    /// The same for bytes that are not all plain.
    #[cold]
    fn has_odd_beyond_ascii(&self, filled: usize, labels: usize) -> bool {
        let bytes = self.bytes.get(..filled).unwrap_or_default();
        let dots = bytes.iter().filter(|&&b| b == b'.').count();
        dots > labels || bytes.iter().any(|&b| b < b' ' || b == 0x7f)
    }
}
