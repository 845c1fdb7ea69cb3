//! Finds names and IPv4 addresses by bit arithmetic: the fast path of phase two.
//!
//! A candidate is the last label of a run of name characters and dots with a dot
//! inside. Its end is found by an addition: a bit after each inner dot, added to
//! the mask of name characters, ripples through the label and comes out after it.
//! The run before that end is within a window of 64 bits, in which its length, its
//! dots and its neighbours are counted without touching a byte.
//!
//! Candidates are appended to lists without branches, because a processor cannot
//! predict which ones are of interest. The lists are then processed so that the
//! cache misses of the filters overlap. A run that is longer than the window, or
//! has a percent escape, a byte beyond ASCII or a stray dot in or next to it, takes
//! the slow path.
//!
//! Tried and dropped: visiting the inner dots one by one (three visits per
//! address), and finding the ends of a run byte by byte (a mispredicted branch at
//! each end, 10 ns together). Telling quads from other numbers by the dots of a
//! whole block costs 40 instructions and saves visiting times and durations: 5% of
//! the instructions of a scan of Zeek's tables or mixed logs, 3% for JSON.

use super::Visitor;
use super::classify::{TILE, Tile, window};
use super::extractor::Visit;
use crate::engine::indicator::fold::{has_bit, tail_slot_of};

/// The maximum number of candidates in a tile: one for every four bytes, as in `a.b
/// `, with room for entries that are written but not kept.
const MAX_CANDIDATES: usize = TILE * 16 + 64;

/// A run that ends in a digit and has three dots.
#[derive(Clone, Copy, Debug, Default)]
struct Number {
    end: usize,
    len: u32,
    /// The dots of the run, with its last byte on top.
    dots: u64,
}

/// A run that ends in a label of interest.
#[derive(Clone, Copy, Debug, Default)]
struct Name {
    end: usize,
    len: u32,
    /// The length of the last label.
    label: u32,
    /// The dots of the run, with its last byte on top.
    dots: u64,
}

/// What one block passes to the next.
#[derive(Clone, Copy, Debug, Default)]
struct Carry {
    /// Whether the block ended in an inner dot.
    dot: u64,
    /// Whether a label continues after it.
    label: bool,
    /// Its inner dots, and which of them are the second and third of a quad.
    dots: [u64; 3],
}

/// The candidates of a tile.
#[derive(Debug)]
pub(super) struct Candidates {
    numbers: Box<[Number]>,
    names: Box<[Name]>,
    reference: Box<[usize]>,
    counts: [usize; 3],
    /// What the previous tile passed on.
    carry: Carry,
}

impl Default for Candidates {
    fn default() -> Self {
        Candidates {
            numbers: vec![Number::default(); MAX_CANDIDATES].into(),
            names: vec![Name::default(); MAX_CANDIDATES].into(),
            reference: vec![0; MAX_CANDIDATES].into(),
            counts: [0; 3],
            carry: Carry::default(),
        }
    }
}

impl Candidates {
    /// Forgets what the last text passed on.
    pub(super) fn begin(&mut self) {
        self.carry = Carry::default();
    }

    /// Collects the candidates of the tile at `first` in the text.
    pub(super) fn collect(&mut self, tile: &Tile, text: &[u8], first: usize, tails: &[u8]) {
        self.counts = [0; 3];
        let Carry { dot: mut dot_carry, label: mut label_carry, mut dots } = self.carry;
        for block in 0..tile.len() {
            let (previous, masks, next) = tile.around(block);
            let inner = masks.inner_dots(previous, next);
            if inner | dot_carry == 0 && !label_carry {
                dots = [0; 3];
                continue;
            }
            let second = inner & after_octet(inner, dots[0]);
            let third = inner & after_octet(second, dots[1]);
            let after_third = after_octet(third, dots[2]);
            let mut fourth = inner & after_third;
            dots = [inner, second, third];
            while fourth != 0 {
                let dot = first + block * 64 + fourth.trailing_zeros() as usize;
                fourth &= fourth - 1;
                if has_port(text, dot) {
                    self.reference[self.counts[2]] = dot;
                    self.counts[2] += 1;
                }
            }
            let after_dots = inner << 1 | dot_carry;
            dot_carry = inner >> 63;
            let (sum, over) = masks.names.overflowing_add(after_dots);
            let (sum, over_too) = sum.overflowing_add(u64::from(label_carry));
            label_carry = over | over_too;
            // A label after an inner dot that is not followed by another one.
            let ends = sum & !masks.names & !inner;
            let after_digits = masks.digits << 1 | previous.digits >> 63;
            let at = first + block * 64;
            let run_masks =
                Runs { before: previous.names | previous.dots, here: masks.names | masks.dots };
            // A run that ends in a digit and is not a quad by its dots is dropped, unless it
            // continues after a stray dot, or there may be an escape or a character
            // beyond ASCII next to it. If the previous block is all run, such a
            // byte could be out of sight.
            let is_plain = previous.odds | masks.odds == 0 && run_masks.before != u64::MAX;
            let mut places =
                ends & after_digits & if is_plain { after_third | masks.dots } else { u64::MAX };
            while places != 0 {
                let bit = places.trailing_zeros();
                places &= places - 1;
                let run = run_masks.before(previous, masks, bit);
                let is_number = run.dots.count_ones() == 3 && run.len <= 15 && !run.is_odd;
                self.push_number(at + bit as usize, run, is_number);
            }
            let mut places = ends & !after_digits;
            while places != 0 {
                let bit = places.trailing_zeros();
                places &= places - 1;
                let mut run = run_masks.before(previous, masks, bit);
                let label = window(previous.names, masks.names, bit).leading_ones();
                let end = at + bit as usize;
                let word = end.checked_sub(8).and_then(|from| text.get(from..)?.first_chunk());
                run.is_odd |= word.is_none();
                let word = word.map_or(0, |bytes| u64::from_le_bytes(*bytes));
                let is_name = has_bit(tails, tail_slot_of(word, label)) && !run.is_odd;
                self.push_name(end, run, label, is_name);
            }
        }
        self.carry = Carry { dot: dot_carry, label: label_carry, dots };
        // In each block those that end in digits came first.
        self.reference[..self.counts[2]].sort_unstable();
    }

    #[inline]
    fn push_number(&mut self, end: usize, run: Run, is_number: bool) {
        let [numbers, _, reference] = &mut self.counts;
        self.numbers[*numbers] = Number { end, len: run.len, dots: run.dots };
        *numbers += usize::from(is_number);
        self.reference[*reference] = end - 1;
        *reference += usize::from(run.is_odd);
    }

    #[inline]
    fn push_name(&mut self, end: usize, run: Run, label: u32, is_name: bool) {
        let [_, names, reference] = &mut self.counts;
        self.names[*names] = Name { end, len: run.len, label, dots: run.dots };
        *names += usize::from(is_name);
        self.reference[*reference] = end - 1;
        *reference += usize::from(run.is_odd);
    }
}

/// Whether the dot at `dot` is between an address and its port, as tcpdump prints them. The masks
/// only show dots at the right distances: those of `1.0 192.0.2.1` are of two runs.
fn has_port(text: &[u8], dot: usize) -> bool {
    let digits = text[dot + 1..].iter().take(6).take_while(|b| b.is_ascii_digit()).count();
    let after = text.get(dot + 1 + digits).copied().unwrap_or(b'\n');
    let is_port = (1..=5).contains(&digits) && (after <= b' ' || matches!(after, b':' | b','));
    let before = text[dot.saturating_sub(15)..dot].iter().rev();
    let of_run = before.take_while(|&&byte| byte.is_ascii_digit() || byte == b'.');
    is_port && of_run.filter(|&&byte| byte == b'.').count() >= 3
}

/// The bits two to four bytes after a dot, where the next dot or the end after an
/// octet is.
#[inline]
fn after_octet(dots: u64, previous: u64) -> u64 {
    let [two, three, four] = [2, 3, 4].map(|len| dots << len | previous >> (64 - len));
    two | three | four
}

/// Masks of runs: name characters and dots.
struct Runs {
    before: u64,
    here: u64,
}

/// What a window shows of the run that ends in it.
#[derive(Clone, Copy)]
struct Run {
    len: u32,
    /// The run's dots, with its last byte on top.
    dots: u64,
    /// Whether it takes the slow path.
    is_odd: bool,
}

impl Runs {
    /// The run that ends before bit `bit`.
    #[inline]
    fn before(
        &self,
        previous: &super::classify::Masks,
        masks: &super::classify::Masks,
        bit: u32,
    ) -> Run {
        let len = window(self.before, self.here, bit).leading_ones();
        let dots = window(previous.dots, masks.dots, bit);
        let odds = window(previous.odds, masks.odds, bit);
        // The run and the byte before it. A run that fills the window has no such
        // byte, but takes the slow path anyway.
        let out = 64 - len;
        let of_run = u64::MAX.checked_shl(out).unwrap_or(0);
        let dots = dots & of_run;
        let adjacent = odds & (of_run | of_run >> 1);
        let first = 1u64.checked_shl(out).unwrap_or(0);
        let stray = dots & (dots << 1 | first);
        let after = (masks.odds | masks.dots) >> bit & 1;
        Run { len, dots, is_odd: len == 64 || adjacent | stray | after != 0 }
    }
}

/// Parses the dotted quad of `len` bytes that ends at `end`, given its dots.
#[inline(always)]
fn quad(text: &[u8], number: &Number) -> Option<u32> {
    let mut address = 0u32;
    let mut wrong = 0u32;
    let mut end = number.end;
    let mut dots = number.dots;
    let mut left = number.len;
    for octet in 0..4 {
        // The digits of this octet are above the next dot.
        let digits = if octet == 3 { left } else { dots.leading_zeros() };
        let word = u32::from_le_bytes(*text.get(end.checked_sub(4)?..end)?.first_chunk()?);
        let kept = u32::MAX.checked_shl(32 - 8 * digits.min(4)).unwrap_or(0);
        let values = (word & kept).wrapping_sub(0x3030_3030 & kept);
        let (ones, tens, hundreds) = (values >> 24, values >> 16 & 0xff, values >> 8 & 0xff);
        let value = ones + 10 * tens + 100 * hundreds;
        let highest = values >> (32 - 8 * digits.clamp(1, 4)) & 0xff;
        wrong |= u32::from(digits == 0 || digits > 3)
            | u32::from(value > 255)
            | u32::from(digits > 1 && highest == 0)
            | u32::from(ones > 9 || tens > 9 || hundreds > 9);
        address |= value.min(255) << (8 * octet);
        end = end.saturating_sub(digits as usize + 1);
        left = left.saturating_sub(digits + 1);
        dots = dots.checked_shl(digits + 1).unwrap_or(0);
    }
    (wrong == 0).then_some(address)
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Processes the candidates of a tile.
    pub(super) fn sift(&mut self, candidates: &Candidates, skip: &mut usize) {
        let [numbers, names, reference] = candidates.counts;
        for number in &candidates.numbers[..numbers] {
            let address = if number.end < 16 + 4 {
                // This close to the start, four bytes cannot be read before each
                // octet.
                self.visitor.may_hold_v4(0);
                None
            } else {
                match quad(self.text, number) {
                    Some(address) => Some(address),
                    None => continue,
                }
            };
            let span = number.end - number.len as usize..number.end;
            let may_match =
                address.is_none_or(|address| self.visitor.may_hold_v4_at(address, span.start));
            if may_match
                || self.begins_url(number.end, number.len)
                || self.visitor.may_hold_host(span, true)
            {
                self.name_at(number.end - 1);
            }
        }
        for name in &candidates.names[..names] {
            let run = &self.text[name.end - name.len as usize..name.end];
            // The dot before the last label is at `label`; the dot before that ends
            // the pair.
            let above = name.dots.checked_shl(name.label + 1).unwrap_or(0);
            let pair = match above {
                0 => name.len,
                above => name.label + 1 + above.leading_zeros(),
            };
            if self.visitor.may_hold_name(run, pair as usize)
                || self.begins_url(name.end, name.len)
                || (name.label == 4 && run[run.len() - 4..].eq_ignore_ascii_case(b"arpa"))
                || self.visitor.may_hold_host(name.end - name.len as usize..name.end, false)
            {
                self.name_at(name.end - 1);
            }
        }
        // A run can have several ends, as in `a.b..c.d`.
        for &place in &candidates.reference[..reference] {
            if place >= *skip {
                *skip = self.name_at(place).end;
            }
        }
    }

    /// Whether the run may be the host of a URL without a scheme.
    #[inline]
    fn begins_url(&self, end: usize, len: u32) -> bool {
        self.wants.urls
            && matches!(self.byte(end), b'/' | b':')
            && self.before(end - len as usize) != b'/'
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::address::parse_v4;
    use proptest::prelude::*;

    fn number(text: &str) -> Number {
        let mut dots = 0u64;
        for (at, byte) in text.bytes().rev().enumerate() {
            dots |= u64::from(byte == b'.') << (63 - at);
        }
        Number { end: text.len() + 4, len: text.len() as u32, dots }
    }

    proptest! {
        #[test]
        fn quads_are_read_like_addresses(text in "[0-9a]{1,4}(\\.[0-9]{1,4}){2}\\.[0-9]{1,3}") {
            let bytes = format!("    {text}");
            let want = if text.len() <= 15 { parse_v4(text.as_bytes()) } else { None };
            if text.len() <= 15 {
                let got = quad(bytes.as_bytes(), &number(&text));
                prop_assert_eq!(got, want.map(|v4| v4.to_bits()), "{}", text);
            }
        }
    }
}
