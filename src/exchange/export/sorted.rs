//! Sorts more lines than fit into memory, and drops those that are there twice.
//!
//! Lines are collected in one block of memory. A full block is sorted and written to an unnamed
//! temporary file as a run; at the end the runs are merged.

use crate::engine::error::{Error, Result};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, Write};

/// The size of a block, in bytes of text.
const BLOCK: usize = 48 << 20;

/// The number of runs that are merged at once; more are merged into one first.
const MAX_RUNS: usize = 64;

/// Collects lines, which must not contain a newline.
pub(super) struct Sorter {
    text: Vec<u8>,
    ends: Vec<u32>,
    runs: Vec<File>,
    block: usize,
}

impl Sorter {
    /// Creates a sorter without lines.
    pub(super) fn new() -> Self {
        Sorter::with_block(BLOCK)
    }

    fn with_block(block: usize) -> Self {
        Sorter { text: Vec::new(), ends: Vec::new(), runs: Vec::new(), block }
    }

    /// Adds a line.
    pub(super) fn push(&mut self, line: &[u8]) -> Result<()> {
        if self.text.len() + line.len() > self.block && !self.ends.is_empty() {
            self.spill()?;
        }
        self.text.extend_from_slice(line);
        self.ends.push(self.text.len() as u32);
        Ok(())
    }

    /// Calls `put` with each different line, in the order of their bytes.
    pub(super) fn finish(mut self, put: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        if self.runs.is_empty() {
            return self.each_sorted(put);
        }
        self.spill()?;
        merge(std::mem::take(&mut self.runs), put)
    }

    /// The lines of the block, sorted and without duplicates.
    fn each_sorted(&mut self, put: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let mut lines = Vec::with_capacity(self.ends.len());
        let mut start = 0;
        let line = |start: u32, end: u32| &self.text[start as usize..end as usize];
        for &end in &self.ends {
            // The first bytes decide most comparisons, and to read the lines takes longer.
            lines.push((head(line(start, end)), start, end));
            start = end;
        }
        lines.sort_unstable_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| line(a.1, a.2).cmp(line(b.1, b.2)))
        });
        lines.dedup_by(|a, b| a.0 == b.0 && line(a.1, a.2) == line(b.1, b.2));
        lines.into_iter().try_for_each(|(_, start, end)| put(line(start, end)))
    }

    /// Writes the block as a run.
    fn spill(&mut self) -> Result<()> {
        let mut run = BufWriter::new(temporary()?);
        self.each_sorted(&mut |line| write_line(&mut run, line))?;
        self.runs.push(rewound(run)?);
        self.text.clear();
        self.ends.clear();
        if self.runs.len() >= MAX_RUNS {
            let mut all = BufWriter::new(temporary()?);
            merge(std::mem::take(&mut self.runs), &mut |line| write_line(&mut all, line))?;
            self.runs.push(rewound(all)?);
        }
        Ok(())
    }
}

/// The first eight bytes of a line as a number, in the order of lines.
fn head(line: &[u8]) -> u64 {
    let mut bytes = [0; 8];
    let length = line.len().min(8);
    bytes[..length].copy_from_slice(&line[..length]);
    u64::from_be_bytes(bytes)
}

fn temporary() -> Result<File> {
    tempfile::tempfile().map_err(|error| Error::io("create a temporary file", error))
}

fn write_line(out: &mut impl Write, line: &[u8]) -> Result<()> {
    out.write_all(line)
        .and_then(|()| out.write_all(b"\n"))
        .map_err(|error| Error::io("write a temporary file", error))
}

fn rewound(run: BufWriter<File>) -> Result<File> {
    let failed = |error| Error::io("write a temporary file", error);
    let mut file = run.into_inner().map_err(|error| failed(error.into_error()))?;
    file.rewind().map_err(failed)?;
    Ok(file)
}

/// Merges sorted runs.
fn merge(runs: Vec<File>, put: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let mut readers: Vec<_> = runs.into_iter().map(|run| Lines::new(BufReader::new(run))).collect();
    let mut heap = BinaryHeap::new();
    for (number, reader) in readers.iter_mut().enumerate() {
        if let Some(line) = reader.next()? {
            heap.push(Reverse((line, number)));
        }
    }
    let mut last: Option<Vec<u8>> = None;
    while let Some(Reverse((line, number))) = heap.pop() {
        if let Some(next) = readers[number].next()? {
            heap.push(Reverse((next, number)));
        }
        if last.as_ref() != Some(&line) {
            put(&line)?;
            last = Some(line);
        }
    }
    Ok(())
}

/// The lines of a file, without their newlines.
pub(super) struct Lines<R>(R);

impl<R: BufRead> Lines<R> {
    /// Reads from the current position.
    pub(super) fn new(from: R) -> Self {
        Lines(from)
    }

    /// The next line; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        let failed = |error| Error::io("read a temporary file", error);
        // A line is a value of an indicator; nothing else writes these files.
        let read = self.0.by_ref().take(1 << 20).read_until(b'\n', &mut line).map_err(failed)?;
        if line.last() == Some(&b'\n') {
            line.pop();
        }
        Ok((read > 0).then_some(line))
    }
}

/// The differences between two sorted files: calls `put` with `false` for a line that only the
/// old one has, and with `true` for one that only the new one has.
pub(super) fn differences(
    old: impl BufRead,
    new: impl BufRead,
    put: &mut dyn FnMut(bool, &[u8]) -> Result<()>,
) -> Result<()> {
    let (mut old, mut new) = (Lines::new(old), Lines::new(new));
    let (mut left, mut right) = (old.next()?, new.next()?);
    while left.is_some() || right.is_some() {
        match (left.take(), right.take()) {
            (Some(a), Some(b)) if a == b => {
                left = old.next()?;
                right = new.next()?;
            }
            (Some(a), b) if b.as_ref().is_none_or(|b| a < *b) => {
                put(false, &a)?;
                (left, right) = (old.next()?, b);
            }
            (a, Some(b)) => {
                put(true, &b)?;
                (left, right) = (a, new.next()?);
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn sorted(lines: &[Vec<u8>], block: usize) -> Vec<Vec<u8>> {
        let mut sorter = Sorter::with_block(block);
        for line in lines {
            sorter.push(line).unwrap();
        }
        let mut found = Vec::new();
        sorter
            .finish(&mut |line| {
                found.push(line.to_vec());
                Ok(())
            })
            .unwrap();
        found
    }

    proptest! {
        #[test]
        fn like_a_set(lines in prop::collection::vec("[a-c]{0,3}", 0..200), block in 1..40usize) {
            let lines: Vec<Vec<u8>> = lines.into_iter().map(String::into_bytes).collect();
            let want: Vec<Vec<u8>> = lines.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
            prop_assert_eq!(sorted(&lines, block), want);
        }

        #[test]
        fn differences_lead_from_old_to_new(
            old in prop::collection::btree_set("[a-c]{1,3}", 0..30),
            new in prop::collection::btree_set("[a-c]{1,3}", 0..30),
        ) {
            let text = |set: &BTreeSet<String>| set.iter().map(|l| format!("{l}\n")).collect::<String>();
            let mut have = old.clone();
            differences(text(&old).as_bytes(), text(&new).as_bytes(), &mut |is_new, line| {
                let line = String::from_utf8(line.to_vec()).unwrap();
                assert!(if is_new { have.insert(line) } else { have.remove(&line) });
                Ok(())
            }).unwrap();
            prop_assert_eq!(have, new);
        }
    }
}
