//! Restores a suppressor from its state, as `state.rs` writes it.

use super::bytes::Reader;
use super::key::{MAX_KEY, MAX_MEMBERS};
use super::packed::Parts;
use super::state::{GONE, VERSION, WINDOW};
use super::window::Window;
use super::{Config, Member, Suppressor};
use crate::engine::error::{Error, Result};
use crate::engine::indicator::Timestamp;
use std::collections::BTreeMap;

/// A suppressor that is being restored, piece by piece, in the order in which the pieces were
/// committed: a window replaces an earlier one with the same key, and the last one counts as the most
/// recently used.
///
/// Neither the bounds nor the key of the configuration end a window before all pieces are read,
/// because a later piece may contain another version of it. So it takes as much memory as the
/// pieces.
#[derive(Clone, Debug)]
pub struct Restoring {
    restored: Suppressor,
    /// The first bytes of a piece whose key has the members of the configuration.
    head: Vec<u8>,
    /// The latest time at which a window may end.
    latest: i64,
    /// Windows whose key has other members.
    others: BTreeMap<Box<[u8]>, (Window, Vec<Member>)>,
}

impl Restoring {
    /// Begins without windows. `windows` is the approximate number to expect, which only affects the
    /// cost.
    ///
    /// Windows that would end later than a whole window from `now`, because the clock was set
    /// back, are shortened to that.
    pub fn new(config: Config, windows: usize, now: Timestamp) -> Restoring {
        let mut restored = Suppressor::new(config).recorded();
        // Bounded, whatever number the caller claims.
        let members = restored.config.key.len();
        restored.table.begin(windows.min(restored.config.max_keys), members);
        let mut head = vec![VERSION, restored.config.key.len() as u8];
        head.extend(restored.config.key.iter().map(|&member| member as u8));
        let latest = now.0.saturating_add(restored.config.window_micros());
        Restoring { restored, head, latest, others: BTreeMap::new() }
    }

    /// Adds the next piece: a snapshot, changes, or a value of [`Suppressor::take_entries`].
    ///
    /// # Errors
    ///
    /// If it is damaged, or of a later version.
    pub fn put(&mut self, piece: &[u8]) -> Result<()> {
        let mut reader = Reader::new(piece);
        let damaged = |reader: &Reader<'_>| {
            Error::format("the state of suppression is damaged")
                .at_offset((piece.len() - reader.left()) as u64)
        };
        // Nearly all of a million windows have the configured key.
        let members = match piece.strip_prefix(&*self.head) {
            Some(rest) => {
                reader = Reader::new(rest);
                None
            }
            None => Some(match reader.byte() {
                Some(VERSION) => read_members(&mut reader).ok_or_else(|| damaged(&reader))?,
                Some(version) => {
                    let text = format!("the state of suppression has version {version}");
                    return Err(Error::format(text).remedy("it was written by a newer wiresift"));
                }
                None => return Err(damaged(&reader)),
            }),
        };
        let evicted = reader.number().ok_or_else(|| damaged(&reader))?;
        self.restored.evicted = self.restored.evicted.max(evicted);
        let count = members.as_ref().map_or(self.restored.config.key.len(), Vec::len);
        while let Some(tag) = reader.byte() {
            match tag {
                WINDOW => {
                    let from = piece.len() - reader.left();
                    let parts = Parts::read(&mut reader, count).ok_or_else(|| damaged(&reader))?;
                    let bytes = &piece[from..piece.len() - reader.left()];
                    self.window(&parts, bytes, members.as_deref());
                }
                GONE => {
                    let key = reader.bytes(MAX_KEY).ok_or_else(|| damaged(&reader))?;
                    self.forget(key);
                }
                _ => return Err(damaged(&reader)),
            }
        }
        Ok(())
    }

    /// Removes the window with this key, as given by [`Suppressor::take_entries`].
    pub fn forget(&mut self, key: &[u8]) {
        self.others.remove(key);
        if let Some(slot) = self.restored.table.find(key) {
            self.restored.table.forget(slot);
        }
    }

    /// Returns the suppressor, which records changes from here on.
    ///
    /// Windows with another key than that of the configuration end now, and what they hold back is
    /// reported as partial; the same applies to windows beyond the bounds. The next changes record
    /// their removal.
    pub fn finish(self) -> Suppressor {
        let Restoring { mut restored, others, .. } = self;
        for (key, (mut window, members)) in others {
            restored.repeats.extend(window.repeat(&members, true));
            restored.table.note_gone(key);
        }
        restored.table.put_in_order();
        restored.evict();
        restored
    }

    fn window(&mut self, parts: &Parts<'_>, bytes: &[u8], members: Option<&[Member]>) {
        self.forget(parts.key);
        match members {
            Some(members) if members != self.restored.config.key => {
                self.others.insert(parts.key.into(), (parts.build(), members.to_vec()));
            }
            _ => self.restored.table.add_packed(parts, bytes, parts.end.min(self.latest)),
        }
    }
}

impl Suppressor {
    /// Continues from the last commit: `pieces` are a snapshot and the changes since, or all
    /// changes from the first, in order. Changes are recorded from here on. See [`Restoring`].
    ///
    /// The caller should then write a snapshot to replace the pieces.
    ///
    /// # Errors
    ///
    /// If a piece is damaged, or of a later version.
    pub fn restore<'p>(
        config: Config,
        pieces: impl IntoIterator<Item = &'p [u8]>,
        now: Timestamp,
    ) -> Result<Suppressor> {
        let mut restoring = Restoring::new(config, 0, now);
        pieces.into_iter().try_for_each(|piece| restoring.put(piece))?;
        Ok(restoring.finish())
    }
}

fn read_members(reader: &mut Reader<'_>) -> Option<Vec<Member>> {
    let count = reader.count(MAX_MEMBERS)?;
    (0..count).map(|_| Member::from_number(reader.byte()?)).collect()
}
