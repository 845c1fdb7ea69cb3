//! Names of a message in text form, compression undone.
//!
//! A pointer must lead to a place before the labels that it ends, so a chain of
//! them ends too; a bound on the hops keeps long chains cheap. Bytes are kept as
//! they are, but a label with a dot or a control character in it would read as
//! another name: such a name is marked odd and not told.

use super::Broken;

/// The longest name, in octets on the wire (RFC 1035); its text is shorter.
const LONGEST: usize = 255;

/// Pointers that are followed for one name.
const MOST_HOPS: usize = 64;

/// A name's text, in place.
#[derive(Clone, Debug)]
pub(in crate::packet) struct Name {
    text: [u8; LONGEST],
    length: u8,
    /// Length of the first label.
    first: u8,
    is_odd: bool,
}

impl Default for Name {
    fn default() -> Self {
        Name { text: [0; LONGEST], length: 0, first: 0, is_odd: false }
    }
}

impl Name {
    /// The labels with dots between them; empty for the root.
    pub(in crate::packet) fn text(&self) -> &[u8] {
        self.text.get(..usize::from(self.length)).unwrap_or_default()
    }

    pub(in crate::packet) fn is_odd(&self) -> bool {
        self.is_odd
    }

    pub(super) fn clear(&mut self) {
        (self.length, self.first, self.is_odd) = (0, 0, false);
    }

    /// Whether it is of the characters that host and service names have.
    pub(super) fn is_host_like(&self) -> bool {
        let is_usual = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'*');
        !self.is_odd && self.length > 0 && self.text().iter().all(is_usual)
    }

    /// The name as a mailbox: the first label, an at sign, the rest (RFC 1035, 3.3.13).
    /// Dots in the first label are what they seem there.
    pub(super) fn as_mailbox(&mut self) -> Option<&[u8]> {
        let first = usize::from(self.first);
        let (local, domain) = self.text().split_at_checked(first)?;
        if local.is_empty() || domain.len() < 2 || local.iter().any(|&b| b <= b' ' || b == 0x7f) {
            return None;
        }
        *self.text.get_mut(first)? = b'@';
        Some(self.text())
    }

    /// Reads the name at `at`; returns where its own bytes end.
    pub(in crate::packet) fn read(&mut self, message: &[u8], at: usize) -> Result<usize, Broken> {
        self.clear();
        let mut here = at;
        // Where the labels began that a pointer may end.
        let mut start = at;
        let mut end = None;
        let mut hops = 0;
        let mut filled = 0;
        loop {
            let &length = message.get(here).ok_or(Broken)?;
            match length {
                0 => break,
                1..=63 => {
                    let label = here + 1;
                    here = label + usize::from(length);
                    filled = self.push(message.get(label..here).ok_or(Broken)?, filled)?;
                }
                0xc0.. => {
                    let &low = message.get(here + 1).ok_or(Broken)?;
                    let target = usize::from(length & 0x3f) << 8 | usize::from(low);
                    end.get_or_insert(here + 2);
                    hops += 1;
                    if target >= start || hops > MOST_HOPS {
                        return Err(Broken);
                    }
                    (here, start) = (target, target);
                }
                // Extended and bit-string labels: withdrawn (RFC 6891, RFC 6672).
                64..=0xbf => return Err(Broken),
            }
        }
        self.length = filled as u8;
        Ok(end.unwrap_or(here + 1))
    }

    /// Appends a label behind `filled` bytes; returns how many there are then.
    fn push(&mut self, label: &[u8], filled: usize) -> Result<usize, Broken> {
        let start = if filled == 0 { 0 } else { filled + 1 };
        let end = start + label.len();
        // With a length octet in front and the root's behind it must fit the bound.
        if end + 2 > LONGEST {
            return Err(Broken);
        }
        if filled == 0 {
            self.first = label.len() as u8;
        } else if let Some(dot) = self.text.get_mut(filled) {
            *dot = b'.';
        }
        self.text.get_mut(start..end).ok_or(Broken)?.copy_from_slice(label);
        self.is_odd |= label.iter().any(|&b| b < b' ' || b == b'.' || b == 0x7f);
        Ok(end)
    }
}
