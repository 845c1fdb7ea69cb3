//! The networks of one address family: finds all that contain an address, the
//! narrowest first.
//!
//! The trie of the networks is stored flattened. Its leaves divide the address
//! space into pieces. Each piece refers to the narrowest network that contains it,
//! and each network to its parent, so finding the networks of an address takes one
//! search and a walk up the parents. An index by the top bits narrows the search to
//! a few pieces. A trie with pointers would take a cache miss per level, where this
//! takes two or three, and four times the space for single hosts, which most feeds
//! consist of.
//!
//! The code works for `u32` and `u128` alike.

use super::layout::{u32_at, u128_at};
use super::posting::Posting;

/// No network, or no parent.
const NONE: u32 = u32::MAX;

/// An address as a number.
pub(super) trait Bits: Copy + Ord + std::fmt::Debug {
    /// The size of a row of the table of networks, in bytes.
    const NET_ROW: usize;
    fn at(bytes: &[u8], at: usize) -> Option<Self>;
    fn put(self, out: &mut Vec<u8>);
    fn top(self, bits: u32) -> usize;
    /// The last address of the network of `length` bits at `self`.
    fn last(self, length: u32) -> Self;
    fn next(self) -> Option<Self>;
    /// Whether the bits beyond `length` are zero.
    fn is_network(self, length: u32) -> bool;
}

impl Bits for u32 {
    const NET_ROW: usize = 16;

    #[inline]
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        u32_at(bytes, at)
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }

    #[inline]
    fn top(self, bits: u32) -> usize {
        self.checked_shr(32 - bits).unwrap_or(0) as usize
    }

    fn last(self, length: u32) -> Self {
        self | u32::MAX.checked_shr(length).unwrap_or(0)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn is_network(self, length: u32) -> bool {
        length <= 32 && self & u32::MAX.checked_shr(length).unwrap_or(0) == 0
    }
}

impl Bits for u128 {
    const NET_ROW: usize = 32;

    #[inline]
    fn at(bytes: &[u8], at: usize) -> Option<Self> {
        u128_at(bytes, at)
    }

    fn put(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_le_bytes());
    }

    #[inline]
    fn top(self, bits: u32) -> usize {
        self.checked_shr(128 - bits).unwrap_or(0) as usize
    }

    fn last(self, length: u32) -> Self {
        self | u128::MAX.checked_shr(length).unwrap_or(0)
    }

    fn next(self) -> Option<Self> {
        self.checked_add(1)
    }

    fn is_network(self, length: u32) -> bool {
        length <= 128 && self & u128::MAX.checked_shr(length).unwrap_or(0) == 0
    }
}

/// The four sections of a family, as bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Prefixes<'a> {
    pub(super) starts: &'a [u8],
    pub(super) owners: &'a [u8],
    pub(super) nets: &'a [u8],
    pub(super) index: &'a [u8],
}

/// The sections of a family, being built.
#[derive(Debug, Default, PartialEq)]
pub(super) struct PrefixSections {
    pub(super) starts: Vec<u8>,
    pub(super) owners: Vec<u8>,
    pub(super) nets: Vec<u8>,
    pub(super) index: Vec<u8>,
}

/// A network that contains the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Covering<T> {
    pub(super) address: T,
    pub(super) length: u8,
    pub(super) posting: Posting,
}

impl<'a> Prefixes<'a> {
    /// Every network that contains `address`, the narrowest first.
    #[inline]
    pub(super) fn covering<T: Bits>(self, address: T) -> impl Iterator<Item = Covering<T>> {
        let mut net = self.owner(address);
        std::iter::from_fn(move || {
            let row = usize::try_from(net).ok()?.checked_mul(T::NET_ROW)?;
            let size = size_of::<T>();
            let found = Covering {
                address: T::at(self.nets, row)?,
                length: u32_at(self.nets, row + size + 8)? as u8,
                posting: Posting(u32_at(self.nets, row + size + 4)?),
            };
            let parent = u32_at(self.nets, row + size)?;
            // Parents precede their children in the table. `check` rejects other
            // files, and this keeps the walk finite even without it.
            net = if parent < net { parent } else { NONE };
            Some(found)
        })
    }

    /// Whether a network contains `address`.
    #[inline]
    pub(super) fn covers<T: Bits>(self, address: T) -> bool {
        self.owner(address) != NONE
    }

    /// The narrowest network that contains `address`.
    #[inline]
    fn owner<T: Bits>(self, address: T) -> u32 {
        let pieces = self.starts.len() / size_of::<T>();
        let (mut low, mut high) = (0, pieces);
        if self.index.len() >= 8 {
            let cells = self.index.len() / 4 - 1;
            let at = address.top(cells.ilog2()) * 4;
            // The piece with the cell's first address may begin before it.
            low = (u32_at(self.index, at).unwrap_or(0) as usize).saturating_sub(1);
            high = (u32_at(self.index, at + 4).unwrap_or(0) as usize).min(pieces);
        }
        while low < high {
            let middle = low + (high - low) / 2;
            match T::at(self.starts, middle * size_of::<T>()) {
                Some(start) if start <= address => low = middle + 1,
                _ => high = middle,
            }
        }
        match low.checked_sub(1) {
            Some(piece) => u32_at(self.owners, piece * 4).unwrap_or(NONE),
            None => NONE,
        }
    }

    /// Every network, in the order of the table.
    #[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only benchmarks list values"))]
    pub(super) fn rows<T: Bits>(self) -> impl Iterator<Item = Covering<T>> {
        let size = size_of::<T>();
        (0..self.len::<T>()).map_while(move |net| {
            let row = net * T::NET_ROW;
            Some(Covering {
                address: T::at(self.nets, row)?,
                length: u32_at(self.nets, row + size + 8)? as u8,
                posting: Posting(u32_at(self.nets, row + size + 4)?),
            })
        })
    }

    /// The number of networks.
    pub(super) fn len<T: Bits>(self) -> usize {
        self.nets.len() / T::NET_ROW
    }

    /// Checks everything that look-ups rely on, in one pass.
    pub(super) fn check<T: Bits>(self, is_posting: impl Fn(Posting) -> bool) -> Option<()> {
        let pieces = self.starts.len() / size_of::<T>();
        let nets = self.nets.len() / T::NET_ROW;
        let whole = self.starts.len() == pieces * size_of::<T>()
            && self.owners.len() == pieces * 4
            && self.nets.len() == nets * T::NET_ROW
            && self.index.len().is_multiple_of(4);
        whole.then_some(())?;
        let mut before = None;
        for piece in 0..pieces {
            let start = T::at(self.starts, piece * size_of::<T>())?;
            let owner = u32_at(self.owners, piece * 4)?;
            let sound = before < Some(start) && (owner == NONE || (owner as usize) < nets);
            sound.then_some(())?;
            before = Some(start);
        }
        for net in 0..nets {
            let row = net * T::NET_ROW;
            let size = size_of::<T>();
            let address = T::at(self.nets, row)?;
            let parent = u32_at(self.nets, row + size)?;
            let length = u32_at(self.nets, row + size + 8)?;
            let sound = address.is_network(length)
                && (parent == NONE || (parent as usize) < net)
                && is_posting(Posting(u32_at(self.nets, row + size + 4)?));
            sound.then_some(())?;
        }
        if self.index.is_empty() {
            return Some(());
        }
        let cells = self.index.len() / 4 - 1;
        cells.is_power_of_two().then_some(())?;
        let mut before = 0;
        for cell in 0..=cells {
            let piece = u32_at(self.index, cell * 4)?;
            (piece >= before && piece as usize <= pieces).then_some(())?;
            before = piece;
        }
        Some(())
    }
}

/// Builds the sections. `nets` must be sorted by address, wider ones first, without
/// duplicates and host bits.
pub(super) fn build<T: Bits>(nets: &[(T, u8, Posting)]) -> PrefixSections {
    let mut sections = PrefixSections::default();
    let mut open: Vec<(T, u32)> = Vec::new();
    let mut pieces: Vec<(T, u32)> = Vec::with_capacity(nets.len() * 2);
    let mut begin = |start: T, owner: u32| match pieces.last_mut() {
        // A network that begins at the same address as the last piece replaces it.
        Some(last) if last.0 == start => last.1 = owner,
        Some(last) if last.1 == owner => {}
        _ => pieces.push((start, owner)),
    };
    let close = |open: &mut Vec<(T, u32)>, before: Option<T>, begin: &mut dyn FnMut(T, u32)| {
        while let Some(&(last, _)) = open.last() {
            if before.is_some_and(|address| last >= address) {
                break;
            }
            open.pop();
            if let Some(next) = last.next() {
                begin(next, open.last().map_or(NONE, |&(_, owner)| owner));
            }
        }
    };
    for (number, &(address, length, posting)) in nets.iter().enumerate() {
        let number = number as u32;
        close(&mut open, Some(address), &mut begin);
        let parent = open.last().map_or(NONE, |&(_, owner)| owner);
        begin(address, number);
        open.push((address.last(u32::from(length)), number));
        address.put(&mut sections.nets);
        for word in [parent, posting.0, u32::from(length)] {
            sections.nets.extend_from_slice(&word.to_le_bytes());
        }
        sections.nets.resize((number as usize + 1) * T::NET_ROW, 0);
    }
    close(&mut open, None, &mut begin);
    for &(start, owner) in &pieces {
        start.put(&mut sections.starts);
        sections.owners.extend_from_slice(&owner.to_le_bytes());
    }
    push_index(&pieces, &mut sections.index);
    sections
}

/// About two pieces per cell; no index for sets that fit into a cache line.
fn push_index<T: Bits>(pieces: &[(T, u32)], index: &mut Vec<u8>) {
    if pieces.len() < 32 {
        return;
    }
    let bits = (pieces.len() / 2).ilog2().clamp(4, 20);
    let mut piece = 0u32;
    for cell in 0..1usize << bits {
        while (piece as usize) < pieces.len() && pieces[piece as usize].0.top(bits) < cell {
            piece += 1;
        }
        index.extend_from_slice(&piece.to_le_bytes());
    }
    index.extend_from_slice(&(pieces.len() as u32).to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn view(sections: &PrefixSections) -> Prefixes<'_> {
        Prefixes {
            starts: &sections.starts,
            owners: &sections.owners,
            nets: &sections.nets,
            index: &sections.index,
        }
    }

    /// The slow twin: checks every network, one by one.
    fn naive<T: Bits>(nets: &[(T, u8, Posting)], address: T) -> Vec<Covering<T>> {
        let mut found: Vec<_> = nets
            .iter()
            .filter(|(a, length, _)| *a <= address && address <= a.last(u32::from(*length)))
            .map(|&(address, length, posting)| Covering { address, length, posting })
            .collect();
        found.reverse();
        found.sort_by_key(|net| std::cmp::Reverse(net.length));
        found
    }

    fn agrees<T: Bits>(set: BTreeSet<(T, u8)>, mut addresses: Vec<T>) {
        let nets: Vec<(T, u8, Posting)> =
            set.into_iter().enumerate().map(|(at, (a, l))| (a, l, Posting(at as u32))).collect();
        for &(address, length, _) in &nets {
            addresses.push(address);
            addresses.push(address.last(u32::from(length)));
            addresses.extend(address.last(u32::from(length)).next());
        }
        let sections = build(&nets);
        let view = view(&sections);
        view.check::<T>(|posting| (posting.0 as usize) < nets.len()).unwrap();
        for address in addresses {
            let got: Vec<_> = view.covering(address).collect();
            assert_eq!(got, naive(&nets, address), "{address:?} in {nets:?}");
            assert_eq!(view.covers(address), !got.is_empty());
        }
    }

    proptest! {
        #[test]
        fn v4_like_naive(
            raw in prop::collection::vec((any::<u32>(), 0..=32u8), 0..80),
            near in prop::collection::vec((0..4096u32, 18..=32u8), 0..60),
            ask in prop::collection::vec(any::<u32>(), 0..20)) {
            let near = near.into_iter().map(|(a, l)| (0xcb00_7000 + a, l));
            let set = raw.into_iter().chain(near)
                .map(|(a, l)| (a & !u32::MAX.checked_shr(u32::from(l)).unwrap_or(0), l)).collect();
            agrees::<u32>(set, ask);
        }

        #[test]
        fn v6_like_naive(
            raw in prop::collection::vec((any::<u128>(), 0..=128u8), 0..80),
            ask in prop::collection::vec(any::<u128>(), 0..20)) {
            let set = raw.into_iter()
                .map(|(a, l)| (a & !u128::MAX.checked_shr(u32::from(l)).unwrap_or(0), l)).collect();
            agrees::<u128>(set, ask);
        }
    }

    #[test]
    fn the_ends_of_the_space() {
        agrees::<u32>(BTreeSet::from([(0, 0), (0, 8), (u32::MAX, 32), (0xff00_0000, 8)]), vec![1]);
        agrees::<u32>(BTreeSet::new(), vec![0, u32::MAX]);
    }
}
