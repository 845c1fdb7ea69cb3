//! The windows: looked up by key, ended in the order of time, evicted in the order of use.

use super::key::hash;
use super::packed::{Arena, Packed, Parts};
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
    /// The bytes of packed windows.
    arena: Arena,
    /// Whether changes are recorded for commits.
    is_recorded: bool,
    changed: Vec<u32>,
    gone: Vec<Box<[u8]>>,
}

/// What a slot contains.
#[derive(Clone, Debug)]
enum Content {
    Free,
    /// As a commit contains it; it is built when it is needed.
    Packed(Packed),
    Built(Window),
}

impl Content {
    fn end(&self) -> Option<i64> {
        match self {
            Content::Free => None,
            Content::Packed(packed) => Some(packed.end),
            Content::Built(window) => Some(window.end),
        }
    }
}

/// A window in two orders.
#[derive(Clone, Debug)]
struct Slot {
    content: Content,
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
            arena: Arena::default(),
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
    /// Their keys have this number of members.
    pub(super) fn begin(&mut self, windows: usize, members: usize) {
        self.is_ordered = false;
        self.arena = Arena::new(members);
        self.slots.reserve(windows);
        let (slots, arena) = (&self.slots, &self.arena);
        self.by_key.reserve(windows, |&slot| hash(key_at(slots, arena, slot)));
    }

    /// Builds the order of time after [`Table::begin`].
    pub(super) fn put_in_order(&mut self) {
        self.is_ordered = true;
        let slots = self.slots.iter().zip(0..);
        let ends = slots.filter_map(|(slot, at)| Some((slot.content.end()?, at)));
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
        key_at(&self.slots, &self.arena, slot)
    }

    /// When a window ends.
    pub(super) fn end_of(&self, slot: u32) -> Option<i64> {
        self.slots.get(slot as usize)?.content.end()
    }

    /// Whether a window holds something back.
    pub(super) fn is_holding(&self, slot: u32) -> bool {
        match self.slots.get(slot as usize).map(|slot| &slot.content) {
            Some(Content::Packed(packed)) => packed.is_holding,
            Some(Content::Built(window)) => window.held.is_some(),
            Some(Content::Free) | None => false,
        }
    }

    /// Visits a window.
    pub(super) fn visit(&self, slot: u32, visit: impl FnOnce(&Window)) {
        match self.slots.get(slot as usize).map(|slot| &slot.content) {
            Some(Content::Packed(packed)) => drop(self.arena.build(packed).as_ref().map(visit)),
            Some(Content::Built(window)) => visit(window),
            Some(Content::Free) | None => {}
        }
    }

    /// Builds a window that is packed.
    fn unpack(&mut self, slot: u32) {
        let Some(place) = self.slots.get_mut(slot as usize) else { return };
        let Content::Packed(packed) = &place.content else { return };
        let packed = packed.clone();
        if let Some(window) = self.arena.build(&packed) {
            place.content = Content::Built(window);
            self.release(&packed);
        }
    }

    /// The bytes of a packed window are no longer needed.
    fn release(&mut self, packed: &Packed) {
        if self.arena.release(packed) {
            let all = self.slots.iter_mut().filter_map(|slot| match &mut slot.content {
                Content::Packed(packed) => Some(packed),
                _ => None,
            });
            self.arena.rewrite(all);
        }
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
        self.unpack(slot);
        let place = self.slots.get_mut(slot as usize)?;
        let Content::Built(window) = &mut place.content else { return None };
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
        let (hash, cost) = (hash(&window.key), window.cost());
        self.put(Content::Built(window), (hash, cost), is_stored);
    }

    /// Adds a window that a commit contains, whose key must be new, without building it: its parts,
    /// the bytes that they were read from, and when it ends.
    pub(super) fn add_packed(&mut self, parts: &Parts<'_>, bytes: &[u8], end: i64) {
        let hash = hash(parts.key);
        let packed = self.arena.pack(parts, bytes, end);
        let cost = packed.cost;
        self.put(Content::Packed(packed), (hash, cost), true);
    }

    fn put(&mut self, content: Content, (key_hash, cost): (u64, usize), is_stored: bool) {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.slots.push(Slot {
                content: Content::Free,
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
        let end = content.end();
        (place.content, place.cost, place.is_stored) = (content, cost, is_stored);
        self.bytes += cost;
        let (slots, arena) = (&self.slots, &self.arena);
        self.by_key.insert_unique(key_hash, slot, |&slot| hash(key_at(slots, arena, slot)));
        if self.is_ordered {
            self.by_end.extend(end.map(|end| (end, slot)));
        }
        self.link(slot);
        if !is_stored {
            self.note(slot);
        }
    }

    /// Removes a window.
    pub(super) fn remove(&mut self, slot: u32) -> Option<Window> {
        self.unpack(slot);
        match self.take(slot)? {
            Content::Built(window) => Some(window),
            Content::Free | Content::Packed(_) => None,
        }
    }

    /// Empties a slot; returns what it contained.
    fn take(&mut self, slot: u32) -> Option<Content> {
        let key = self.key_of(slot);
        let gone: Option<Box<[u8]>> = self
            .slots
            .get(slot as usize)
            .filter(|place| self.is_recorded && place.is_stored)
            .map(|_| key.into());
        let key_hash = hash(key);
        if let Ok(entry) = self.by_key.find_entry(key_hash, |&other| other == slot) {
            entry.remove();
        }
        self.unlink(slot);
        let place = self.slots.get_mut(slot as usize)?;
        let content = std::mem::replace(&mut place.content, Content::Free);
        let end = content.end()?;
        self.bytes -= place.cost;
        if self.is_ordered {
            self.by_end.remove(&(end, slot));
        }
        (place.is_changed, place.is_stored) = (false, false);
        self.gone.extend(gone);
        self.free.push(slot);
        if let Content::Packed(packed) = &content {
            self.release(packed);
        }
        Some(content)
    }

    /// Removes a window that commits no longer contain either.
    pub(super) fn forget(&mut self, slot: u32) {
        if let Some(place) = self.slots.get_mut(slot as usize) {
            place.is_stored = false;
        }
        self.take(slot);
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

    /// Records that a commit contains a window with this key that is not open.
    pub(super) fn note_gone(&mut self, key: Box<[u8]>) {
        if self.is_recorded {
            self.gone.push(key);
        }
    }

    /// Visits the windows changed since the last call; from then on a commit contains them.
    pub(super) fn take_changed(&mut self, mut visit: impl FnMut(&Window)) {
        for slot in std::mem::take(&mut self.changed) {
            let Some(place) = self.slots.get_mut(slot as usize) else { continue };
            // A slot may occur here twice, or belong to another window by now. A window that has
            // changed is built.
            if let (Content::Built(window), true) = (&place.content, place.is_changed) {
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

/// The key of the window in a slot.
fn key_at<'t>(slots: &'t [Slot], arena: &'t Arena, slot: u32) -> &'t [u8] {
    match slots.get(slot as usize).map(|slot| &slot.content) {
        Some(Content::Packed(packed)) => arena.key(packed),
        Some(Content::Built(window)) => &window.key,
        Some(Content::Free) | None => &[],
    }
}
