//! The entries of suppression, which are on disk alone.
//!
//! There may be millions. Whoever uses them has them in memory, so the log is their only other
//! copy: it is read once at the start, and once more when it is written anew.

use super::bytes::{Member, members, put_member};
use super::log::{PART, Records, put_record};
use crate::engine::error::{Error, Result};
use hashbrown::HashMap;
use std::fs::File;
use std::io::{self, BufReader, Write};
use std::path::PathBuf;

/// The entries of suppression as they were committed, every version of them.
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

    /// How many there are at most: of each key, every version counts.
    pub fn max_len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(usize::MAX)
    }

    /// Visits them in the order in which they were committed: a key with its value, or none if it
    /// was removed. A later one takes the place of an earlier one.
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

/// Copies those entries of a log that are the case to another one, in their order.
///
/// The log is read twice: first to find which version of each key came last.
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
    let mut put = |part: &mut Vec<u8>, least: usize| {
        if part.len() > least {
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
    Error::io("cannot write", error)
}
