//! Counts of what a scan saw, matched and suppressed.

use crate::engine::indicator::{Kind, Observable, Reason};
use std::collections::BTreeMap;

/// Counts by kind and by reason. Counts of threads and files can be added up.
///
/// Kinds index arrays instead of keys of a map: `saw` runs once per observable,
/// tens of millions of times a second over all threads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    seen: [u64; KINDS],
    matched: [u64; KINDS],
    suppressed: BTreeMap<(Reason, String), u64>,
}

// More than the highest number of a kind in the database format, which is 90.
const KINDS: usize = 128;

impl Default for Counters {
    fn default() -> Self {
        Counters { seen: [0; KINDS], matched: [0; KINDS], suppressed: BTreeMap::new() }
    }
}

impl Counters {
    /// Counts an observable that is about to be looked up.
    #[inline]
    pub(super) fn saw(&mut self, observable: Observable<'_>) {
        self.seen[kind_of(observable) as usize] += 1;
    }

    /// Counts an observable that alerts.
    pub(super) fn matched(&mut self, kind: Kind) {
        self.matched[kind as usize] += 1;
    }

    /// Counts an observable that meets indicators but does not alert. `list` is the
    /// allow list for [`Reason::Allowed`], else empty.
    pub(super) fn suppress(&mut self, reason: Reason, list: &str) {
        *self.suppressed.entry((reason, list.to_string())).or_default() += 1;
    }

    /// Adds the counts of another scanner.
    pub fn add(&mut self, other: &Counters) {
        for (mine, theirs) in self.seen.iter_mut().zip(&other.seen) {
            *mine += theirs;
        }
        for (mine, theirs) in self.matched.iter_mut().zip(&other.matched) {
            *mine += theirs;
        }
        for (key, count) in &other.suppressed {
            *self.suppressed.entry(key.clone()).or_default() += count;
        }
    }

    /// Observables that were looked up, by kind.
    pub fn seen(&self) -> impl Iterator<Item = (Kind, u64)> {
        by_kind(&self.seen)
    }

    /// Observables that alerted, by kind.
    pub fn matches(&self) -> impl Iterator<Item = (Kind, u64)> {
        by_kind(&self.matched)
    }

    /// Observables that met indicators but did not alert, by reason and, for
    /// [`Reason::Allowed`], by allow list.
    pub fn suppressed(&self) -> impl Iterator<Item = (Reason, &str, u64)> {
        self.suppressed.iter().map(|((reason, list), count)| (*reason, &**list, *count))
    }

    /// The number of observables that alerted.
    pub fn total_matched(&self) -> u64 {
        self.matched.iter().sum()
    }
}

/// The kinds with a count, in the order of [`Kind::ALL`].
fn by_kind(counts: &[u64; KINDS]) -> impl Iterator<Item = (Kind, u64)> {
    Kind::ALL.iter().map(|&kind| (kind, counts[kind as usize])).filter(|(_, count)| *count > 0)
}

/// The kind under which an observable is counted.
#[inline]
pub(super) fn kind_of(observable: Observable<'_>) -> Kind {
    match observable {
        Observable::Address(..) => Kind::Ip,
        Observable::Name(_) => Kind::Domain,
        Observable::Url(_) => Kind::Url,
        Observable::Email(_) => Kind::Email,
        Observable::Digest(kind, _) | Observable::Text(kind, _) => kind,
    }
}
