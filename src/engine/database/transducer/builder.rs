//! Writes transducers in the format of the `fst` crate (version 3).
//!
//! The crate's own builder looks up every node in a table of nodes already written,
//! to share equal tails. For a million domains this look-up took 45% of the whole
//! compilation (`perf`, 1.78 million indicators), mostly in vain: once a tail is
//! new, everything before it is new, too. This builder only shares nodes with a
//! single transition, and stops looking where the chain became new. The crate reads
//! what it writes (see the tests of this room).

use super::reader::COMMON;
use super::reader::EMPTY;
use super::reader::INDEXED;

/// The number of slots in the table of nodes; a power of two.
const SLOTS: usize = 1 << 16;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Edge {
    input: u8,
    output: u64,
    target: usize,
}

/// A node whose last edge leads to a node that may still change.
#[derive(Clone, Debug, Default)]
struct Open {
    edges: Vec<Edge>,
    final_output: Option<u64>,
    /// The input and output of the last edge, as long as its target is unknown.
    last: Option<(u8, u64)>,
}

/// Builds a transducer from sorted keys.
#[derive(Debug)]
pub(in super::super) struct Builder {
    out: Vec<u8>,
    open: Vec<Open>,
    /// The number of `open` in use; the rest keep their allocations.
    depth: usize,
    last_key: Vec<u8>,
    last_address: usize,
    known: Vec<(Edge, usize)>,
    len: u64,
}

impl Builder {
    pub(in super::super) fn new() -> Self {
        let mut out = Vec::new();
        out.extend_from_slice(&3u64.to_le_bytes());
        out.extend_from_slice(&0u64.to_le_bytes());
        Builder {
            out,
            open: vec![Open::default()],
            depth: 1,
            last_key: Vec::new(),
            last_address: 1,
            known: vec![(Edge::default(), 0); SLOTS],
            len: 0,
        }
    }

    /// Adds a key, which must be greater than the previous one. Returns false and
    /// ignores it otherwise.
    pub(in super::super) fn insert(&mut self, key: &[u8], value: u64) -> bool {
        if self.len > 0 && key <= &self.last_key[..] {
            return false;
        }
        let mut value = value;
        let mut shared = 0;
        // Outputs are pushed down to where the keys diverge.
        while shared < key.len() {
            let Some((input, output)) = self.open[shared].last else { break };
            if input != key[shared] {
                break;
            }
            let common = output.min(value);
            self.open[shared].last = Some((input, common));
            if output > common {
                self.push_output(shared + 1, output - common);
            }
            value -= common;
            shared += 1;
        }
        self.freeze(shared);
        for &byte in &key[shared..] {
            self.open[self.depth - 1].last = Some((byte, value));
            value = 0;
            self.depth += 1;
            if self.open.len() < self.depth {
                self.open.push(Open::default());
            }
        }
        self.open[self.depth - 1].final_output = Some(value);
        self.last_key.clear();
        self.last_key.extend_from_slice(key);
        self.len += 1;
        true
    }

    /// Adds to the outputs of all edges of an open node.
    fn push_output(&mut self, at: usize, more: u64) {
        let node = &mut self.open[at];
        for edge in &mut node.edges {
            edge.output += more;
        }
        if let Some((_, output)) = &mut node.last {
            *output += more;
        }
        if let Some(output) = &mut node.final_output {
            *output += more;
        }
    }

    /// Writes the open nodes after the first `keep` edges.
    fn freeze(&mut self, keep: usize) {
        while self.depth > keep + 1 {
            self.depth -= 1;
            let mut node = std::mem::take(&mut self.open[self.depth]);
            let target = self.write(&node);
            node.edges.clear();
            node.final_output = None;
            node.last = None;
            self.open[self.depth] = node;
            let parent = &mut self.open[self.depth - 1];
            if let Some((input, output)) = parent.last.take() {
                parent.edges.push(Edge { input, output, target });
            }
        }
    }

    /// Returns the whole transducer.
    pub(in super::super) fn finish(mut self) -> Vec<u8> {
        self.freeze(0);
        let root = std::mem::take(&mut self.open[0]);
        let root = self.write(&root);
        self.out.extend_from_slice(&self.len.to_le_bytes());
        self.out.extend_from_slice(&(root as u64).to_le_bytes());
        // The crate's checksum, unused because the section has its own.
        self.out.extend_from_slice(&[0; 4]);
        self.out
    }

    /// Writes a node, or finds an equal one. Returns its address.
    fn write(&mut self, node: &Open) -> usize {
        if node.edges.is_empty() && node.final_output == Some(0) {
            return EMPTY;
        }
        let (&[edge], None) = (&node.edges[..], node.final_output) else {
            return self.write_any(node);
        };
        if edge.target == self.last_address && edge.output == 0 {
            let (index, input) = common(edge.input);
            self.out.extend(input);
            self.out.push(0b1100_0000 | index);
            return self.written();
        }
        let slot = slot_of(&edge);
        if self.known[slot].0 == edge && self.known[slot].1 != 0 {
            return self.known[slot].1;
        }
        let start = self.out.len();
        let output_size = if edge.output == 0 { 0 } else { size_of_uint(edge.output) };
        self.uint(edge.output, output_size);
        let delta = delta(start, edge.target);
        let target_size = size_of_uint(delta);
        self.uint(delta, target_size);
        self.out.push((target_size << 4 | output_size) as u8);
        let (index, input) = common(edge.input);
        self.out.extend(input);
        self.out.push(0b1000_0000 | index);
        let address = self.written();
        self.known[slot] = (edge, address);
        address
    }

    fn written(&mut self) -> usize {
        self.last_address = self.out.len() - 1;
        self.last_address
    }

    /// Writes a node that is final, or does not have exactly one edge.
    fn write_any(&mut self, node: &Open) -> usize {
        let start = self.out.len();
        let count = node.edges.len();
        let final_output = node.final_output.unwrap_or(0);
        let any_output = final_output != 0 || node.edges.iter().any(|edge| edge.output != 0);
        let output_size = if any_output {
            let widest = node.edges.iter().map(|edge| size_of_uint(edge.output)).max();
            widest.unwrap_or(0).max(size_of_uint(final_output))
        } else {
            0
        };
        let widest = node.edges.iter().map(|edge| size_of_uint(delta(start, edge.target))).max();
        let target_size = widest.unwrap_or(0);
        if any_output {
            if node.final_output.is_some() {
                self.uint(final_output, output_size);
            }
            for edge in node.edges.iter().rev() {
                self.uint(edge.output, output_size);
            }
        }
        for edge in node.edges.iter().rev() {
            self.uint(delta(start, edge.target), target_size);
        }
        self.out.extend(node.edges.iter().rev().map(|edge| edge.input));
        if count >= INDEXED {
            let mut index = [255; 256];
            for (at, edge) in node.edges.iter().enumerate() {
                index[usize::from(edge.input)] = at as u8;
            }
            self.out.extend_from_slice(&index);
        }
        self.out.push((target_size << 4 | output_size) as u8);
        let in_head = (1..64).contains(&count);
        if !in_head {
            // 1 stands for 256: a single edge is always stored in the head.
            self.out.push(if count == 256 { 1 } else { count as u8 });
        }
        let is_final = if node.final_output.is_some() { 0b0100_0000 } else { 0 };
        self.out.push(is_final | if in_head { count as u8 } else { 0 });
        self.written()
    }

    fn uint(&mut self, value: u64, size: usize) {
        self.out.extend_from_slice(&value.to_le_bytes()[..size]);
    }
}

/// The number of bytes that a number takes, at least one.
fn size_of_uint(value: u64) -> usize {
    (8 - value.leading_zeros() as usize / 8).max(1)
}

fn delta(start: usize, target: usize) -> u64 {
    if target == EMPTY { 0 } else { (start - target) as u64 }
}

/// The index of a byte among those that a head can contain, or the byte itself.
fn common(input: u8) -> (u8, Option<u8>) {
    match COMMON.iter().position(|&byte| byte == input) {
        Some(at) => (at as u8 + 1, None),
        None => (0, Some(input)),
    }
}

fn slot_of(edge: &Edge) -> usize {
    let mixed = (edge.target as u64)
        .wrapping_mul(0x9e37_79b9_7f4a_7c15)
        .wrapping_add(edge.output)
        .wrapping_mul(0xd6e8_feb8_6659_fd93)
        ^ u64::from(edge.input).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (mixed >> 40) as usize & (SLOTS - 1)
}
