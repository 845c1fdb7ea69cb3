//! The windows: looked up by key, ended in the order of time, evicted in the order of use.

use super::key::hash;
use super::window::Window;
use hashbrown::HashTable;
use std::collections::BTreeSet;

/// Marks a missing slot.
const NONE: u32 = u32::MAX;

/// All windows, and the changes that no commit contains yet.
#[derive(Clone, Debug)]
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_key: HashTable<u32>,
    by_end: BTreeSet<(i64, u32)>,
    /// Whether `by_end` is maintained. While windows are restored, it is not.
    is_ordered: bool,
    newest: u32,
    oldest: u32,
    bytes: usize,
    /// Whether changes are recorded for commits.
    is_recorded: bool,
    changed: Vec<u32>,
    gone: Vec<Box<[u8]>>,
}

/// A window in two orders. Slots without a window are free.
#[derive(Clone, Debug)]
struct Slot {
    window: Option<Window>,
    cost: usize,
    newer: u32,
    older: u32,
    /// Whether it is in `changed`.
    is_changed: bool,
    /// Whether a commit contains it.
    is_stored: bool,
}

impl Table {
    pub(super) fn new(is_recorded: bool) -> Table {
        Table {
            slots: Vec::new(),
            free: Vec::new(),
            by_key: HashTable::new(),
            by_end: BTreeSet::new(),
            is_ordered: true,
            newest: NONE,
            oldest: NONE,
            bytes: 0,
            is_recorded,
            changed: Vec::new(),
            gone: Vec::new(),
        }
    }

    pub(super) fn record(&mut self) {
        self.is_recorded = true;
    }

    /// Reserves space for a number of windows that are added all at once. Their order of time is
    /// built at the end by [`Table::put_in_order`], which is several times faster than one by one.
    pub(super) fn begin(&mut self, windows: usize) {
        self.is_ordered = false;
        self.slots.reserve(windows);
        let slots = &self.slots;
        self.by_key.reserve(windows, |&slot| hash_at(slots, slot));
    }

    /// Builds the order of time after [`Table::begin`].
    pub(super) fn put_in_order(&mut self) {
        self.is_ordered = true;
        let slots = self.slots.iter().zip(0..);
        let ends = slots.filter_map(|(slot, at)| Some((slot.window.as_ref()?.end, at)));
        self.by_end = ends.collect();
    }

    /// Number of windows.
    pub(super) fn len(&self) -> usize {
        self.by_key.len()
    }

    /// Bytes of all windows.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The slot of a key.
    pub(super) fn find(&self, key: &[u8]) -> Option<u32> {
        self.by_key.find(hash(key), |&slot| self.key_of(slot) == key).copied()
    }

    fn key_of(&self, slot: u32) -> &[u8] {
        self.get(slot).map_or(&[], |window| &window.key)
    }

    pub(super) fn get(&self, slot: u32) -> Option<&Window> {
        self.slots.get(slot as usize)?.window.as_ref()
    }

    /// Makes a window the most recently used.
    pub(super) fn touch(&mut self, slot: u32) {
        self.unlink(slot);
        self.link(slot);
    }

    /// Modifies a window, except its key.
    pub(super) fn change<T>(
        &mut self,
        slot: u32,
        change: impl FnOnce(&mut Window) -> T,
    ) -> Option<T> {
        let place = self.slots.get_mut(slot as usize)?;
        let window = place.window.as_mut()?;
        let old_end = window.end;
        let outcome = change(window);
        let (end, cost) = (window.end, window.cost());
        self.bytes = self.bytes - place.cost + cost;
        place.cost = cost;
        if end != old_end {
            self.by_end.remove(&(old_end, slot));
            self.by_end.insert((end, slot));
        }
        self.note(slot);
        Some(outcome)
    }

    /// Adds a window, whose key must be new. `is_stored`: a commit contains it.
    pub(super) fn add(&mut self, window: Window, is_stored: bool) {
        let (hash, end, cost) = (hash(&window.key), window.end, window.cost());
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                window: None,
                cost: 0,
                newer: NONE,
                older: NONE,
                is_changed: false,
                is_stored: false,
            });
            // No larger than the number of windows, which is far below 2³².
            (self.slots.len() - 1) as u32
        });
        let Some(place) = self.slots.get_mut(slot as usize) else { return };
        (place.window, place.cost, place.is_stored) = (Some(window), cost, is_stored);
        self.bytes += cost;
        let slots = &self.slots;
        self.by_key.insert_unique(hash, slot, |&slot| hash_at(slots, slot));
        if self.is_ordered {
            self.by_end.insert((end, slot));
        }
        self.link(slot);
        if !is_stored {
            self.note(slot);
        }
    }

    /// Removes a window.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Window> {
        let key_hash = hash(self.key_of(slot));
        if let Ok(entry) = self.by_key.find_entry(key_hash, |&other| other == slot) {
            entry.remove();
        }
        self.unlink(slot);
        let place = self.slots.get_mut(slot as usize)?;
        let window = place.window.take()?;
        self.bytes -= place.cost;
        self.by_end.remove(&(window.end, slot));
        if self.is_recorded && place.is_stored {
            self.gone.push(window.key.clone());
        }
        (place.is_changed, place.is_stored) = (false, false);
        self.free.push(slot);
        Some(window)
    }

    /// Removes a window that commits no longer contain either.
    pub(super) fn forget(&mut self, slot: u32) {
        if let Some(place) = self.slots.get_mut(slot as usize) {
            place.is_stored = false;
        }
        self.remove(slot);
    }

    /// The window that ends first, if it ends by then.
    pub(super) fn ended(&self, by: i64) -> Option<u32> {
        self.by_end.first().filter(|(end, _)| *end <= by).map(|(_, slot)| *slot)
    }

    /// The window that was used least recently.
    pub(super) fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// All slots, the least recently used first.
    pub(super) fn by_use(&self) -> impl Iterator<Item = u32> {
        let newer = |&slot: &u32| self.slots.get(slot as usize).map_or(NONE, |slot| slot.newer);
        std::iter::successors(Some(self.oldest), move |slot| Some(newer(slot)))
            .take_while(|&slot| slot != NONE)
    }

    /// Keys removed since the last call, of those that a commit contains.
    pub(super) fn take_gone(&mut self) -> Vec<Box<[u8]>> {
        std::mem::take(&mut self.gone)
    }

    /// Visits the windows changed since the last call; from then on a commit contains them.
    pub(super) fn take_changed(&mut self, mut visit: impl FnMut(&Window)) {
        for slot in std::mem::take(&mut self.changed) {
            let Some(place) = self.slots.get_mut(slot as usize) else { continue };
            // A slot may occur here twice, or belong to another window by now.
            if let Some(window) = place.window.as_ref().filter(|_| place.is_changed) {
                visit(window);
                (place.is_changed, place.is_stored) = (false, true);
            }
        }
    }

    fn note(&mut self, slot: u32) {
        if let Some(place) = self.slots.get_mut(slot as usize).filter(|_| self.is_recorded)
            && !std::mem::replace(&mut place.is_changed, true)
        {
            self.changed.push(slot);
        }
    }

    fn link(&mut self, slot: u32) {
        let before = std::mem::replace(&mut self.newest, slot);
        if let Some(place) = self.slots.get_mut(slot as usize) {
            (place.older, place.newer) = (before, NONE);
        }
        match self.slots.get_mut(before as usize) {
            Some(place) => place.newer = slot,
            None => self.oldest = slot,
        }
    }

    fn unlink(&mut self, slot: u32) {
        let Some(place) = self.slots.get_mut(slot as usize) else { return };
        let (older, newer) = (place.older, place.newer);
        (place.older, place.newer) = (NONE, NONE);
        match self.slots.get_mut(older as usize) {
            Some(place) => place.newer = newer,
            None => self.oldest = newer,
        }
        match self.slots.get_mut(newer as usize) {
            Some(place) => place.older = older,
            None => self.newest = older,
        }
    }
}

fn hash_at(slots: &[Slot], slot: u32) -> u64 {
    let window = slots.get(slot as usize).and_then(|slot| slot.window.as_ref());
    window.map_or(0, |window| hash(&window.key))
}
