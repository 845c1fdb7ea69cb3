//! Strings that text is searched for, by the windows of their anchors.
//!
//! ```text
//!  0  anchors   u32, how many
//!  4  strings   u32, how many
//!  8  bits      u32, of the filter
//! 12  cells     u32, bits of the index
//! 16  filter    2^bits bits: the hash of each window
//!     index     2^cells + 1 times u32: the first anchor of each cell
//!     anchors   { window u32, string u32, place u16, escaped u8, zero u8 }, in the
//!               order of the windows' hashes, whose top bits are the cell
//!     strings   { start u32, length u16, kind u8, zero u8 }
//!     texts     UTF-8, back to back
//! ```
//!
//! Nearly every window of a text is rejected by the filter, which fits into a cache
//! near the core: 8 KiB for the first thousand strings. The index is read for one
//! window in several dozen, and the strings themselves only for near matches.

use super::anchors::Chooser;
use super::layout::{take, u32_at};
use crate::engine::indicator::Kind;
use crate::engine::indicator::gram::{GramFilter, build_filter, hash, is_sought};

const HEAD: usize = 16;
const ANCHOR_ROW: usize = 12;
const STRING_ROW: usize = 8;
/// The bits of the smallest and of the largest filter: 8 KiB and 1 MiB.
const FILTER_BITS: std::ops::RangeInclusive<u32> = 16..=23;
/// The bits of the filter per anchor.
const BITS_PER_ANCHOR: usize = 32;

/// A string that may surround a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Literal<'d> {
    /// Its kind.
    pub(crate) kind: Kind,
    /// The normalised string.
    pub(crate) text: &'d str,
    /// The position of the window in it, after the hive of a registry key.
    pub(crate) place: usize,
    /// Whether `place` refers to the JSON-escaped form of the string.
    pub(crate) escaped: bool,
}

/// The parsed section.
#[derive(Clone, Copy, Debug)]
pub(super) struct Literals<'a> {
    filter: GramFilter<'a>,
    index: &'a [u8],
    anchors: &'a [u8],
    strings: &'a [u8],
    texts: &'a [u8],
    cells: u32,
}

impl<'a> Literals<'a> {
    /// Opens a section. `None` if its parts do not fit together.
    pub(super) fn open(section: &'a [u8]) -> Option<Self> {
        let field = |at| u32_at(section, at);
        let (anchors, strings) = (field(0)? as usize, field(4)? as usize);
        let (bits, cells) = (field(8)?, field(12)?);
        if !FILTER_BITS.contains(&bits) || !(1..=24).contains(&cells) {
            return None;
        }
        let rest = section.get(HEAD..)?;
        let (filter, rest) = rest.split_at_checked(1 << (bits - 3))?;
        let (index, rest) = rest.split_at_checked(((1 << cells) + 1) * 4)?;
        let (anchors, rest) = rest.split_at_checked(anchors.checked_mul(ANCHOR_ROW)?)?;
        let (strings, texts) = rest.split_at_checked(strings.checked_mul(STRING_ROW)?)?;
        let filter = GramFilter::new(filter, bits)?;
        Some(Literals { filter, index, anchors, strings, texts, cells })
    }

    /// The number of strings.
    pub(super) fn count(self) -> usize {
        self.strings.len() / STRING_ROW
    }

    /// The filter that excludes windows that are in no anchor.
    pub(super) fn filter(self) -> GramFilter<'a> {
        self.filter
    }

    /// The strings that may surround this window.
    pub(super) fn around(self, gram: u32) -> impl Iterator<Item = Literal<'a>> {
        let cell = (hash(gram) >> (32 - self.cells)) as usize * 4;
        let first = u32_at(self.index, cell).unwrap_or(0) as usize;
        let last = u32_at(self.index, cell + 4).unwrap_or(0) as usize;
        let rows = self.anchors.get(first * ANCHOR_ROW..last * ANCHOR_ROW).unwrap_or(&[]);
        rows.chunks_exact(ANCHOR_ROW)
            .filter(move |row| u32_at(row, 0) == Some(gram))
            .filter_map(move |row| self.literal(row))
    }

    fn literal(self, row: &[u8]) -> Option<Literal<'a>> {
        let (kind, text) = self.string(u32_at(row, 4)? as usize)?;
        let place = usize::from(u16::from_le_bytes(take(row, 8)?));
        Some(Literal { kind, text, place, escaped: *row.get(10)? != 0 })
    }

    fn string(self, number: usize) -> Option<(Kind, &'a str)> {
        let at = number.checked_mul(STRING_ROW)?;
        let row = self.strings.get(at..at.checked_add(STRING_ROW)?)?;
        let start = u32_at(row, 0)? as usize;
        let length = usize::from(u16::from_le_bytes(take(row, 4)?));
        let text = self.texts.get(start..start.checked_add(length)?)?;
        Some((Kind::from_number(row[6])?, std::str::from_utf8(text).ok()?))
    }

    /// Checks the index, the anchors and the strings.
    pub(super) fn check(self) -> Option<()> {
        let anchors = self.anchors.len() / ANCHOR_ROW;
        let mut last = 0;
        for cell in 0..=1usize << self.cells {
            let first = u32_at(self.index, cell * 4)?;
            (first >= last && first as usize <= anchors).then_some(())?;
            last = first;
        }
        (last as usize == anchors).then_some(())?;
        for number in 0..self.count() {
            is_sought(self.string(number)?.0).then_some(())?;
        }
        let mut before = None;
        for row in self.anchors.chunks_exact(ANCHOR_ROW) {
            let gram = u32_at(row, 0)?;
            (before <= Some(hash(gram))).then_some(())?;
            before = Some(hash(gram));
            let literal = self.literal(row)?;
            let fits = literal.escaped || literal.place < literal.text.len();
            (fits && self.filter.may_hold(gram)).then_some(())?;
        }
        Some(())
    }
}

/// Builds the section from the keys of the words: a byte for the kind, then the
/// string, sorted. Empty if text is searched for none of them.
pub(super) fn build<'k>(words: impl Iterator<Item = &'k [u8]>) -> Vec<u8> {
    let mut chooser = Chooser::default();
    let (mut anchors, mut strings, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    let mut count = 0u32;
    for word in words {
        let Some((kind, text)) = sought(word) else { continue };
        let chosen = chooser.choose(kind, text);
        let (Ok(start), Ok(length)) = (u32::try_from(texts.len()), u16::try_from(text.len()))
        else {
            continue;
        };
        if chosen.is_empty() {
            continue;
        }
        anchors.extend(chosen.iter().map(|a| (hash(a.gram), a.gram, count, a.place, a.escaped)));
        strings.extend_from_slice(&start.to_le_bytes());
        strings.extend_from_slice(&length.to_le_bytes());
        strings.extend_from_slice(&[kind as u8, 0]);
        texts.extend_from_slice(text.as_bytes());
        count += 1;
    }
    if anchors.is_empty() {
        return Vec::new();
    }
    anchors.sort_unstable();
    let bits = (anchors.len() * BITS_PER_ANCHOR).next_power_of_two().ilog2();
    let bits = bits.clamp(*FILTER_BITS.start(), *FILTER_BITS.end());
    let cells = anchors.len().ilog2().clamp(1, 24);
    let mut section = Vec::new();
    for field in [anchors.len() as u32, count, bits, cells] {
        section.extend_from_slice(&field.to_le_bytes());
    }
    section.extend(build_filter(anchors.iter().map(|anchor| anchor.1), bits));
    let mut row = 0;
    for cell in 0..=1u64 << cells {
        while row < anchors.len() && u64::from(anchors[row].0 >> (32 - cells)) < cell {
            row += 1;
        }
        section.extend_from_slice(&(row as u32).to_le_bytes());
    }
    for (_, gram, string, place, escaped) in anchors {
        section.extend_from_slice(&gram.to_le_bytes());
        section.extend_from_slice(&string.to_le_bytes());
        section.extend_from_slice(&place.to_le_bytes());
        section.extend_from_slice(&[u8::from(escaped), 0]);
    }
    section.extend(strings);
    section.extend(texts);
    section
}

/// The kind and the string of a word that text is searched for.
fn sought(word: &[u8]) -> Option<(Kind, &str)> {
    let (&number, text) = word.split_first()?;
    let kind = Kind::from_number(number).filter(|kind| is_sought(*kind))?;
    Some((kind, std::str::from_utf8(text).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::gram;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn word(kind: Kind, text: &str) -> Vec<u8> {
        [&[kind as u8], text.as_bytes()].concat()
    }

    #[test]
    fn nothing_to_look_for() {
        assert!(build(std::iter::empty()).is_empty());
        let words = [word(Kind::Cve, "CVE-2024-1234"), word(Kind::User, "evil-user")];
        assert!(build(words.iter().map(|w| &w[..])).is_empty());
        // Too short for an anchor.
        assert!(build([&word(Kind::Mutex, "abcd")[..]].into_iter()).is_empty());
    }

    proptest! {
        /// The string is found whichever of the STRIDE windows a scan hits first.
        #[test]
        fn found_at_every_stride(texts in prop::collection::btree_set("[a-c\\\\/x7. ü]{6,24}", 1..40)) {
            let words: BTreeSet<Vec<u8>> = texts.iter().map(|t| word(Kind::Mutex, t)).collect();
            let section = build(words.iter().map(|w| &w[..]));
            let literals = Literals::open(&section).unwrap();
            literals.check().unwrap();
            for text in &texts {
                for first in 0..gram::STRIDE {
                    let met = (first..text.len()).step_by(gram::STRIDE).any(|at| {
                        gram::at(text.as_bytes(), at).is_some_and(|gram| {
                            literals.filter().may_hold(gram) && literals.around(gram)
                                .any(|l| l.text == text && l.place == at && !l.escaped)
                        })
                    });
                    prop_assert!(met, "{text} from {first}");
                }
            }
        }

        #[test]
        fn damage_is_harmless(
            texts in prop::collection::btree_set("[a-z\\\\]{6,12}", 1..10),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
            let words: BTreeSet<Vec<u8>> = texts.iter().map(|t| word(Kind::Mutex, t)).collect();
            let mut section = build(words.iter().map(|w| &w[..]));
            let filter = 16..16 + 8192;
            for (index, value) in flips {
                // Most of it is the filter, where only single bits can be wrong.
                let at = index.index(section.len() - filter.len());
                let at = if at < filter.start { at } else { at + filter.len() };
                section[at] = value;
            }
            if let Some(literals) = Literals::open(&section) {
                let _ = literals.check();
                for text in &texts {
                    for at in 0..text.len() {
                        if let Some(gram) = gram::at(text.as_bytes(), at) {
                            let _ = literals.around(gram).count();
                        }
                    }
                }
            }
        }
    }
}
