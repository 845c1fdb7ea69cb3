//! The suppression entries, which are only on disk.
//!
//! There may be millions. The suppressor has them in memory, so the log is the only other copy: it
//! is read once at the start, and again when it is rewritten.

use super::bytes::{Member, members, put_member};
use super::log::{PART, Records, put_record};
use crate::engine::error::{Error, Result};
use hashbrown::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;

/// The suppression entries as they were committed, in every version.
#[derive(Debug)]
pub struct Entries {
    records: Records<BufReader<File>>,
    place: PathBuf,
    count: u64,
}

impl Entries {
    pub(super) fn new(records: Records<BufReader<File>>, place: PathBuf, count: u64) -> Self {
        Entries { records, place, count }
    }

    /// About the number of entries: every version of a key counts.
    pub fn max_len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// Visits them in the order in which they were committed: a key with its value, or `None`
    /// if it was removed. A later entry replaces an earlier one with the same key.
    ///
    /// # Errors
    ///
    /// What the visitor returns, and those of the system.
    pub fn each(mut self, mut visit: impl FnMut(&[u8], Option<&[u8]>) -> Result<()>) -> Result<()> {
        let mut read = || {
            while let Some(record) = self.records.next()? {
                for member in members(record) {
                    if let Some(Member::Suppress(key, value)) = member {
                        visit(key, value)?;
                    }
                }
            }
            Ok(())
        };
        read().map_err(|error: Error| error.at_path(&self.place))
    }
}

/// Copies the entries that are still in effect to another log, in order; returns their length
/// there.
///
/// The log is read twice: first to find the last version of each key.
///
/// # Errors
///
/// Those of the system.
pub(super) fn copy_last(open: impl Fn() -> Result<Entries>, to: &mut impl Write) -> Result<u64> {
    let mut last: HashMap<Box<[u8]>, u64> = HashMap::new();
    let mut number = 0;
    open()?.each(|key, value| {
        number += 1;
        match (last.get_mut(key), value) {
            (Some(last), Some(_)) => *last = number,
            (None, Some(_)) => drop(last.insert(key.into(), number)),
            (_, None) => drop(last.remove(key)),
        }
        Ok(())
    })?;
    let (mut number, mut part, mut length) = (0, Vec::new(), 0);
    let mut put = |part: &mut Vec<u8>, min: usize| {
        if part.len() > min {
            let mut record = Vec::with_capacity(part.len() + 8);
            put_record(&mut record, part)?;
            to.write_all(&record).map_err(failed)?;
            length += record.len() as u64;
            part.clear();
        }
        Ok(())
    };
    open()?.each(|key, value| {
        number += 1;
        if last.get(key) == Some(&number) {
            put_member(&mut part, Member::Suppress(key, value));
        }
        put(&mut part, PART)
    })?;
    put(&mut part, 0)?;
    Ok(length)
}

fn failed(error: io::Error) -> Error {
    Error::io("write", error)
}
