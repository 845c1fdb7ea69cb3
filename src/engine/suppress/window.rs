//! A window: one key, from its first alert on.

use super::key::{members, repeat_id};
use super::machine::Reason;
use super::{AlertFacts, MAX_LISTED, Member, Repeat};
use crate::engine::indicator::{Severity, Timestamp};
use crate::engine::progress::bound;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Number of indicators and feeds that a window remembers. Beyond it the oldest are forgotten, so
/// that news is never taken for a repetition; keys with more of them get more alerts.
pub(super) const MAX_SEEN: usize = bound(128, 4);

/// The longest content that is kept.
pub(super) const MAX_CONTENT: usize = 256 << 10;

/// The longest value and the longest place that is listed. Longer ones are cut.
pub(super) const MAX_TEXT: usize = 256;

/// The alerts of one key for the length of a window. Times are in microseconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) key: Box<[u8]>,
    pub(super) start: i64,
    /// The end of the window, exclusive.
    pub(super) end: i64,
    /// Alerts that passed.
    pub(super) passed: u32,
    /// Number of repeat records so far.
    pub(super) parts: u32,
    /// Number of windows ended early before this one was opened. One of them may have had its key
    /// and its start.
    pub(super) evicted: u64,
    /// The highest severity of all alerts, passed or held back.
    pub(super) severity: Severity,
    /// Digests of indicators and feeds, the oldest first.
    pub(super) seen: Vec<u64>,
    pub(super) held: Option<Box<HeldBackAlerts>>,
}

/// What a window holds back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HeldBackAlerts {
    pub(super) count: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) severity: Severity,
    pub(super) values: Vec<Box<str>>,
    pub(super) places: Vec<Box<str>>,
    pub(super) more: u64,
    pub(super) content: Box<[u8]>,
}

impl Window {
    /// A window that its first alert opens.
    pub(super) fn open(key: Box<[u8]>, facts: &AlertFacts<'_>, start: i64, length: i64) -> Window {
        // Every window must end, even one that begins at the largest time.
        let start = start.min(i64::MAX - 1);
        let mut window = Window {
            key,
            start,
            end: start.saturating_add(length),
            passed: 1,
            parts: 0,
            evicted: 0,
            severity: facts.severity,
            seen: Vec::new(),
            held: None,
        };
        window.novelty(facts);
        window.seen.shrink_to_fit();
        window
    }

    /// What is new in an alert; the window remembers it from then on.
    pub(super) fn novelty(&mut self, facts: &AlertFacts<'_>) -> Option<Reason> {
        let mut reason = None;
        for feed in &facts.feeds {
            if self.is_unseen(xxh3_64_with_seed(feed.as_bytes(), 1)) {
                reason = Some(Reason::Feed);
            }
        }
        for (kind, value) in std::iter::once(&facts.indicator).chain(&facts.others) {
            if self.is_unseen(xxh3_64_with_seed(value.as_bytes(), 2 + *kind as u64)) {
                reason = Some(Reason::Indicator);
            }
        }
        if facts.severity > self.severity {
            self.severity = facts.severity;
            reason = Some(Reason::Severity);
        }
        reason
    }

    fn is_unseen(&mut self, digest: u64) -> bool {
        if self.seen.contains(&digest) {
            return false;
        }
        if self.seen.len() >= MAX_SEEN {
            self.seen.remove(0);
        }
        self.seen.push(digest);
        true
    }

    /// Holds an alert back.
    pub(super) fn hold(&mut self, facts: &AlertFacts<'_>, at: i64, content: Vec<u8>) {
        let held =
            self.held.get_or_insert_with(|| Box::new(HeldBackAlerts::new(facts.severity, at)));
        held.count = held.count.saturating_add(1);
        (held.first, held.last) = (held.first.min(at), held.last.max(at));
        held.severity = held.severity.max(facts.severity);
        let is_listed = list(&mut held.values, facts.value);
        let is_listed = list(&mut held.places, &facts.spot) && is_listed;
        held.more = held.more.saturating_add(u64::from(!is_listed));
        if content.len() <= MAX_CONTENT {
            held.content = content.into_boxed_slice();
        }
    }

    /// The repeat record of what was held back since the last one.
    pub(super) fn repeat(&mut self, of: &[Member], is_partial: bool) -> Option<Repeat> {
        let held = *self.held.take()?;
        let id = repeat_id(&self.key, self.start, self.evicted, self.parts);
        self.parts = self.parts.saturating_add(1);
        Some(Repeat {
            id,
            key: members(of, &self.key),
            start: Timestamp(self.start),
            count: held.count,
            first: Timestamp(held.first),
            last: Timestamp(held.last),
            values: held.values.into_iter().map(String::from).collect(),
            places: held.places.into_iter().map(String::from).collect(),
            more: held.more,
            severity: held.severity,
            is_partial,
            content: held.content.into_vec(),
        })
    }

    /// Its size, including its share of the table.
    pub(super) fn cost(&self) -> usize {
        let held = self.held.as_ref().map_or(0, |held| held.cost());
        cost(self.key.len(), self.seen.capacity(), held)
    }
}

/// The size of a window, including its share of the table, by the length of its key, the number of
/// digests that it has room for, and the size of what it holds back.
pub(super) fn cost(key: usize, seen: usize, held: usize) -> usize {
    /// Overhead of the allocator and of the table's three indices per window.
    const AROUND: usize = 176;
    size_of::<Window>() + AROUND + key + 8 * seen + held
}

impl HeldBackAlerts {
    pub(super) fn new(severity: Severity, at: i64) -> HeldBackAlerts {
        HeldBackAlerts {
            count: 0,
            first: at,
            last: at,
            severity,
            values: Vec::new(),
            places: Vec::new(),
            more: 0,
            content: Box::default(),
        }
    }

    fn cost(&self) -> usize {
        let texts = |texts: &Vec<Box<str>>| -> usize {
            16 * texts.capacity() + texts.iter().map(|text| text.len() + 16).sum::<usize>()
        };
        size_of::<HeldBackAlerts>() + texts(&self.values) + texts(&self.places) + self.content.len()
    }
}

/// Lists a text, unless it is listed or there is no room; returns whether it is listed now.
fn list(texts: &mut Vec<Box<str>>, text: &str) -> bool {
    let text = &text[..text.floor_char_boundary(MAX_TEXT)];
    if texts.iter().any(|listed| **listed == *text) {
        return true;
    }
    if texts.len() < MAX_LISTED {
        texts.push(text.into());
    }
    texts.last().is_some_and(|last| **last == *text)
}
