//! A transducer: maps keys to postings, read from the map.

use super::super::layout::{u32_at, u64_at};

/// The address of the final state without transitions, which is not stored.
pub(super) const EMPTY: usize = 0;

/// From this number of transitions, a node has an index of 256 bytes.
pub(super) const INDEXED: usize = 33;

/// The bytes that a state byte can contain, in the order of the format.
pub(super) const COMMON: &[u8; 63] =
    b"te/oasripcnw.hlm-du012g=:bf3y5&_4v9678k%?xCDASFIBEjPTzRNM+LOqHG";

/// A transducer in borrowed bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::database) struct Transducer<'a> {
    data: &'a [u8],
    root: usize,
    len: u64,
}

/// The position of a walk.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::database) struct WalkState {
    address: usize,
    output: u64,
}

impl<'a> Transducer<'a> {
    /// Wraps bytes written by `fst::MapBuilder`. `None` if they cannot be.
    pub(in crate::engine::database) fn open(data: &'a [u8]) -> Option<Self> {
        let footer = data.len().checked_sub(20)?;
        let version = u64_at(data, 0)?;
        let len = u64_at(data, footer)?;
        let root = usize::try_from(u64_at(data, footer + 8)?).ok()?;
        u32_at(data, footer + 16)?;
        let sound = version == 3 && (root == EMPTY || (root >= 16 && root < footer));
        sound.then_some(Transducer { data: &data[..footer], root, len })
    }

    /// The number of keys.
    pub(in crate::engine::database) fn len(&self) -> u64 {
        self.len
    }

    /// The state before the first byte.
    #[inline]
    pub(in crate::engine::database) fn start(&self) -> WalkState {
        WalkState { address: self.root, output: 0 }
    }

    /// The state after `byte`, if any key continues like that.
    ///
    /// Called for each byte of a walk, so arguments and result fit into registers.
    #[inline(always)]
    pub(in crate::engine::database) fn step(
        &self,
        state: WalkState,
        byte: u8,
    ) -> Option<WalkState> {
        let address = state.address;
        if address == EMPTY {
            return None;
        }
        let head = *self.data.get(address)?;
        if head & 0x80 == 0 {
            return self.step_any(state, head, byte);
        }
        // A single transition. Its byte is in the head or right before it.
        let common = usize::from(head & 0x3f);
        let (input, before) = match common.checked_sub(1) {
            Some(index) => (COMMON[index], address),
            None => (*self.data.get(address.checked_sub(1)?)?, address - 1),
        };
        if input != byte {
            return None;
        }
        if head & 0x40 != 0 {
            // To the node that was written just before this one.
            return Some(WalkState { address: before.checked_sub(1)?, output: state.output });
        }
        let sizes = *self.data.get(before.checked_sub(1)?)?;
        let (to_size, out_size) = (usize::from(sizes >> 4), usize::from(sizes & 15));
        let to_at = (before - 1).checked_sub(to_size)?;
        let out_at = to_at.checked_sub(out_size)?;
        let address = target(self.uint(to_at, to_size)?, out_at)?;
        let output = state.output.wrapping_add(self.uint(out_at, out_size)?);
        Some(WalkState { address, output })
    }

    /// [`Self::step`] for a node with any number of transitions.
    #[inline]
    fn step_any(&self, state: WalkState, head: u8, byte: u8) -> Option<WalkState> {
        let node = self.any(state.address, head)?;
        let inputs = node.inputs_at;
        let index = if node.count >= INDEXED {
            let index = *self.data.get(node.table_at + usize::from(byte))?;
            Some(usize::from(index)).filter(|&i| i < node.count)?
        } else {
            let bytes = self.data.get(inputs..inputs + node.count)?;
            // Without transitions, there is nothing to subtract from.
            let place = bytes.iter().position(|&b| b == byte)?;
            node.count - 1 - place
        };
        let to_at = inputs.checked_sub((index + 1) * node.to_size)?;
        let outs_end = inputs.checked_sub(node.count * node.to_size)?;
        let out_at = outs_end.checked_sub((index + 1) * node.out_size)?;
        let address = target(self.uint(to_at, node.to_size)?, node.end)?;
        let output = state.output.wrapping_add(self.uint(out_at, node.out_size)?);
        Some(WalkState { address, output })
    }

    /// The value of the key that ends in `state`, if any.
    #[inline]
    pub(in crate::engine::database) fn value(&self, state: WalkState) -> Option<u64> {
        if state.address == EMPTY {
            return Some(state.output);
        }
        let head = *self.data.get(state.address)?;
        if head & 0xc0 != 0x40 {
            return None;
        }
        let node = self.any(state.address, head)?;
        let output = self.uint(node.end, node.out_size)?;
        Some(state.output.wrapping_add(output))
    }

    /// Parses a node that begins with `head` and does not have exactly one
    /// transition.
    #[inline]
    fn any(&self, address: usize, head: u8) -> Option<Node> {
        let (count, before) = match usize::from(head & 0x3f) {
            0 => match usize::from(*self.data.get(address.checked_sub(1)?)?) {
                1 => (256, address - 1),
                count => (count, address - 1),
            },
            count => (count, address),
        };
        let sizes = *self.data.get(before.checked_sub(1)?)?;
        let (to_size, out_size) = (usize::from(sizes >> 4), usize::from(sizes & 15));
        let table_at = (before - 1).checked_sub(if count >= INDEXED { 256 } else { 0 })?;
        let inputs_at = table_at.checked_sub(count)?;
        let finals = usize::from(head & 0x40 != 0);
        let end =
            inputs_at.checked_sub(count * to_size)?.checked_sub((count + finals) * out_size)?;
        Some(Node { count, to_size, out_size, table_at, inputs_at, end })
    }

    /// Reads a little-endian number of `size` bytes; 0 bytes mean 0.
    #[inline(always)]
    fn uint(&self, at: usize, size: usize) -> Option<u64> {
        const KEPT: [u64; 9] = [
            0,
            0xff,
            0xffff,
            0xff_ffff,
            0xffff_ffff,
            0xff_ffff_ffff,
            0xffff_ffff_ffff,
            0xff_ffff_ffff_ffff,
            u64::MAX,
        ];
        let kept = *KEPT.get(size)?;
        if let Some(wide) = u64_at(self.data, at) {
            return Some(wide & kept);
        }
        self.uint_at_end(at, size)
    }

    /// [`Self::uint`] where fewer than eight bytes follow.
    #[cold]
    fn uint_at_end(&self, at: usize, size: usize) -> Option<u64> {
        let mut value = 0;
        for (place, &byte) in self.data.get(at..at + size)?.iter().enumerate() {
            value |= u64::from(byte) << (8 * place);
        }
        Some(value)
    }

    /// Passes on every key with its value, in ascending order.
    ///
    /// Targets precede their node, so no path is longer than the data, and from every node a key
    /// can be completed. A forged file, in which tails are shared so that there are more paths
    /// than bytes or paths to nowhere, ends the walk early.
    #[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only benchmarks list values"))]
    pub(in crate::engine::database) fn each(&self, found: &mut dyn FnMut(&[u8], u64)) {
        let mut keys = self.len.min(self.data.len() as u64);
        let mut fuel = self.data.len();
        let mut key = Vec::new();
        let mut open = vec![(self.start(), 0)];
        let mut report = |state: WalkState, key: &[u8], fuel: &mut usize| {
            if let Some(value) = self.value(state).filter(|_| keys > 0) {
                found(key, value);
                (keys, *fuel) = (keys - 1, self.data.len());
            }
            keys > 0
        };
        let mut goes_on = report(self.start(), &key, &mut fuel);
        while let Some((state, next)) = open.last_mut() {
            let Some((input, target)) = self.edge(*state, *next) else {
                open.pop();
                key.pop();
                continue;
            };
            if !goes_on || fuel == 0 {
                return;
            }
            *next += 1;
            fuel -= 1;
            key.push(input);
            goes_on = report(target, &key, &mut fuel);
            open.push((target, 0));
        }
    }

    /// The transition of a state with this number, in ascending order of the input.
    #[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only benchmarks list values"))]
    fn edge(&self, state: WalkState, number: usize) -> Option<(u8, WalkState)> {
        if state.address == EMPTY {
            return None;
        }
        let head = *self.data.get(state.address)?;
        let input = if head & 0x80 != 0 {
            (number == 0).then_some(())?;
            match usize::from(head & 0x3f).checked_sub(1) {
                Some(index) => COMMON[index],
                None => *self.data.get(state.address.checked_sub(1)?)?,
            }
        } else {
            let node = self.any(state.address, head)?;
            // Stored in descending order.
            let place = node.count.checked_sub(number + 1)?;
            *self.data.get(node.inputs_at + place)?
        };
        Some((input, self.step(state, input)?))
    }

    /// The value of `key`.
    pub(in crate::engine::database) fn get(&self, key: &[u8]) -> Option<u64> {
        let mut state = self.start();
        for &byte in key {
            state = self.step(state, byte)?;
        }
        self.value(state)
    }
}

/// The parts of a node.
struct Node {
    count: usize,
    to_size: usize,
    out_size: usize,
    table_at: usize,
    inputs_at: usize,
    /// The lowest address of the node, from which targets are counted down.
    end: usize,
}

/// Targets are below their node; 0 stands for the empty final state.
#[inline]
fn target(delta: u64, end: usize) -> Option<usize> {
    if delta == 0 { Some(EMPTY) } else { end.checked_sub(usize::try_from(delta).ok()?) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::database::transducer::Builder;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn build(map: &BTreeMap<Vec<u8>, u64>) -> Vec<u8> {
        let mut builder = Builder::new();
        for (key, value) in map {
            assert!(builder.insert(key, *value));
        }
        builder.finish()
    }

    /// What the crate itself writes.
    fn build_with_crate(map: &BTreeMap<Vec<u8>, u64>) -> Vec<u8> {
        let mut builder = fst::MapBuilder::memory();
        for (key, value) in map {
            builder.insert(key, *value).unwrap();
        }
        builder.into_inner().unwrap()
    }

    /// Every key is found with its value, and every prefix and extension of a key
    /// gives the same result as in the crate.
    fn agrees(map: &BTreeMap<Vec<u8>, u64>) {
        agrees_in(map, build(map));
        agrees_in(map, build_with_crate(map));
    }

    fn agrees_in(map: &BTreeMap<Vec<u8>, u64>, bytes: Vec<u8>) {
        let ours = Transducer::open(&bytes).unwrap();
        let theirs = fst::Map::new(&bytes[..]).unwrap();
        assert_eq!(ours.len(), map.len() as u64);
        use fst::Streamer;
        let mut stream = theirs.stream();
        let mut expected = map.iter();
        while let Some((key, value)) = stream.next() {
            assert_eq!(expected.next(), Some((&key.to_vec(), &value)));
        }
        assert_eq!(expected.next(), None);
        let mut listed = Vec::new();
        ours.each(&mut |key, value| listed.push((key.to_vec(), value)));
        assert!(listed.iter().map(|(key, value)| (key, value)).eq(map.iter()));
        for key in map.keys() {
            for cut in 0..=key.len() {
                assert_eq!(ours.get(&key[..cut]), theirs.get(&key[..cut]));
            }
            let longer = [key.as_slice(), b"x"].concat();
            assert_eq!(ours.get(&longer), theirs.get(&longer));
        }
    }

    #[test]
    fn nodes_with_any_number_of_edges_are_read() {
        agrees(&BTreeMap::new());
        agrees(&BTreeMap::from([(vec![], 7)]));
        agrees(&BTreeMap::from([(b"a".to_vec(), 0), (b"ab".to_vec(), u64::MAX)]));
        let all = (0..=255u8).map(|b| (vec![b, b'x'], u64::from(b) * 77));
        agrees(&all.collect());
    }

    #[test]
    fn names_take_little_more_room_than_the_crate_needs() {
        let names = (0..20_000u32).map(|n| {
            let n = n.wrapping_mul(2_654_435_761);
            let name = format!("www.h{}.x{}.example", n >> 12, n & 0x3f);
            (name.bytes().rev().collect(), u64::from(n & 3))
        });
        let map: BTreeMap<Vec<u8>, u64> = names.collect();
        let (ours, theirs) = (build(&map).len(), build_with_crate(&map).len());
        assert!(ours < theirs + theirs / 5, "{ours} bytes against {theirs}");
        agrees(&map);
    }

    proptest! {
        #[test]
        fn agrees_with_the_fst_crate(map in prop::collection::btree_map(
            prop::collection::vec(prop_oneof![Just(b'a'), Just(b'.'), any::<u8>()], 0..12),
            prop_oneof![Just(5u64), 0..1000u64, any::<u64>()], 0..60)) {
            agrees(&map);
        }

        #[test]
        fn damage_is_harmless(
            keys in prop::collection::btree_map("[a-z.]{0,12}", 0..9u64, 1..40),
            flips in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)) {
            let map: BTreeMap<Vec<u8>, u64> =
                keys.into_iter().map(|(k, v)| (k.into_bytes(), v)).collect();
            let mut bytes = build(&map);
            for (index, value) in flips {
                let at = index.index(bytes.len());
                bytes[at] = value;
            }
            if let Some(ours) = Transducer::open(&bytes) {
                for key in map.keys() {
                    let _ = ours.get(key);
                }
                ours.each(&mut |_, _| {});
            }
        }
    }
}
