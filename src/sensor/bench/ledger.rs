//! What a ledger of feeds says: how new they are, how long their values stay, who was first.
//!
//! The ledger is handed in: it belongs to the store of feeds, which this house does not know.

use super::chance::share;
use super::decay::days_between;
use super::report::History;
use crate::engine::indicator::{Kind, Timestamp};
use hashbrown::HashMap;
use std::collections::BTreeMap;
use xxhash_rust::xxh3::Xxh3;

/// A value in a feed, from when to when. A value that left and came back has several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// The kind.
    pub kind: Kind,
    /// The value, in the form that alerts show.
    pub value: String,
    /// When it was first seen in the feed.
    pub first_seen: Timestamp,
    /// When it was last seen in it.
    pub last_seen: Timestamp,
    /// When it was first missing, if it is.
    pub absent_since: Option<Timestamp>,
    /// Whether it stood in the feed when that was fetched for the first time, so that nobody
    /// knows since when.
    pub stood_at_first_fetch: bool,
}

/// Which values were in each feed, and when.
pub trait Ledger {
    /// The feeds.
    fn feeds(&self) -> Vec<String>;

    /// What was in a feed, in any order.
    fn spans<'l>(&'l self, feed: &str) -> Box<dyn Iterator<Item = Span> + 'l>;

    /// When the document of a feed last changed.
    fn changed(&self, feed: &str) -> Option<Timestamp>;
}

/// A ledger in memory.
#[derive(Clone, Debug, Default)]
pub struct LedgerTable(BTreeMap<String, (Option<Timestamp>, Vec<Span>)>);

impl LedgerTable {
    /// Adds a feed that last changed at `changed`.
    pub fn insert(&mut self, feed: &str, changed: Option<Timestamp>, spans: Vec<Span>) {
        self.0.insert(feed.to_string(), (changed, spans));
    }
}

impl Ledger for LedgerTable {
    fn feeds(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    fn spans<'l>(&'l self, feed: &str) -> Box<dyn Iterator<Item = Span> + 'l> {
        Box::new(self.0.get(feed).into_iter().flat_map(|(_, spans)| spans.iter().cloned()))
    }

    fn changed(&self, feed: &str) -> Option<Timestamp> {
        self.0.get(feed)?.0
    }
}

/// When a value was first seen in a feed, and whether it stood there before.
#[derive(Clone, Copy, Debug)]
struct First {
    seen: Timestamp,
    stood: bool,
}

/// The ledger of all feeds, ready to be asked.
#[derive(Debug, Default)]
pub(super) struct LedgerSummary {
    /// The reference time.
    at: Timestamp,
    /// By feed and value, whether it was there at that instant or came later.
    firsts: HashMap<String, HashMap<u64, First>>,
    /// The earliest of all feeds, and how many have the value at that instant.
    earliest: HashMap<u64, (First, u32)>,
    histories: BTreeMap<String, History>,
    /// When the document of each feed last changed.
    changed: BTreeMap<String, Timestamp>,
    /// The first time of all.
    pub(super) begins: Option<Timestamp>,
}

impl LedgerSummary {
    /// Reads a ledger at an instant.
    pub(super) fn read(ledger: &dyn Ledger, at: Timestamp) -> LedgerSummary {
        let mut ledger_summary = LedgerSummary { at, ..LedgerSummary::default() };
        for feed in ledger.feeds() {
            let mut firsts: HashMap<u64, First> = HashMap::new();
            let mut residence = Residence::default();
            for span in ledger.spans(&feed) {
                if span.first_seen <= at {
                    residence.add(&span, at);
                }
                let begins = ledger_summary.begins.unwrap_or(span.first_seen);
                ledger_summary.begins = Some(begins.min(span.first_seen));
                let first = First { seen: span.first_seen, stood: span.stood_at_first_fetch };
                let known = firsts.entry(key(span.kind, &span.value)).or_insert(first);
                if (first.seen, !first.stood) < (known.seen, !known.stood) {
                    *known = first;
                }
            }
            for (value, first) in firsts.iter().filter(|(_, first)| first.seen <= at) {
                let (earliest, feeds) =
                    ledger_summary.earliest.entry(*value).or_insert((*first, 0));
                if (first.seen, !first.stood) < (earliest.seen, !earliest.stood) {
                    *earliest = *first;
                }
                *feeds += 1;
            }
            let changed = ledger.changed(&feed).filter(|changed| *changed <= at);
            ledger_summary.changed.extend(changed.map(|changed| (feed.clone(), changed)));
            let unchanged_days = changed.map(|changed| days_between(changed, at));
            let history = History { unchanged_days, ..residence.history() };
            ledger_summary.histories.insert(feed.clone(), history);
            ledger_summary.firsts.insert(feed, firsts);
        }
        ledger_summary
    }

    /// When a feed published a value, be it after the reference time. Nobody knows that of
    /// what stood in the feed when it was first fetched.
    pub(super) fn published(&self, feed: &str, kind: Kind, value: &str) -> Option<Timestamp> {
        let first = self.firsts.get(feed)?.get(&key(kind, value))?;
        (!first.stood).then_some(first.seen)
    }

    /// When the document of a feed last changed.
    pub(super) fn changed(&self, feed: &str) -> Option<Timestamp> {
        self.changed.get(feed).copied()
    }

    /// What is known of a feed.
    pub(super) fn history(&self, feed: &str) -> Option<History> {
        let mut history = self.histories.get(feed)?.clone();
        let mut late: Vec<f64> = Vec::new();
        let mut first = 0;
        for (value, own) in self.firsts.get(feed)?.iter().filter(|(_, own)| own.seen <= self.at) {
            let Some((earliest, feeds)) = self.earliest.get(value) else { continue };
            // Nobody knows for how long something stood in a feed before its first fetch.
            if *feeds < 2 || own.stood || earliest.stood {
                continue;
            }
            first += u64::from(own.seen == earliest.seen);
            late.push(days_between(earliest.seen, own.seen));
        }
        late.sort_unstable_by(f64::total_cmp);
        history.shared = late.len() as u64;
        history.first_share = share(first, history.shared);
        history.latency_p50 = quantile(&late, 50);
        history.latency_p90 = quantile(&late, 90);
        Some(history)
    }
}

/// The value at a percentage of a sorted list: the smallest with at least so many below or equal.
pub(super) fn quantile<T: Copy>(sorted: &[T], percent: usize) -> Option<T> {
    let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(at).copied()
}

/// A value, in few bytes: feeds have millions.
fn key(kind: Kind, value: &str) -> u64 {
    let mut hash = Xxh3::new();
    hash.update(&[kind as u8]);
    hash.update(value.as_bytes());
    hash.digest()
}

/// How long the values of a feed stay.
#[derive(Debug, Default)]
struct Residence {
    /// What came and went on each day.
    days: BTreeMap<i64, (u64, u64)>,
    /// Days, and whether the value left.
    durations: Vec<(f64, bool)>,
    last_day: i64,
}

/// The number of the day of a time.
fn day(time: Timestamp) -> i64 {
    time.0.div_euclid(86_400_000_000)
}

impl Residence {
    fn add(&mut self, span: &Span, at: Timestamp) {
        self.days.entry(day(span.first_seen)).or_default().0 += 1;
        let left = span.absent_since.filter(|left| *left <= at);
        if let Some(left) = left {
            self.days.entry(day(left)).or_default().1 += 1;
        }
        self.last_day = self.last_day.max(day(left.unwrap_or(span.last_seen.min(at))));
        // Of what stood there before, nobody knows how long.
        if !span.stood_at_first_fetch {
            let end = left.unwrap_or(span.last_seen.min(at));
            self.durations.push((days_between(span.first_seen, end), left.is_some()));
        }
    }

    fn history(mut self) -> History {
        let (mut novelty, mut churn, mut count) = (Vec::new(), Vec::new(), 0u64);
        let first_day = self.days.keys().next().copied().unwrap_or(0);
        // Days on which nothing came or went have neither; only their number matters.
        let quiet = (self.last_day - first_day).max(0) as usize + 1;
        let quiet = quiet.saturating_sub(self.days.len());
        for (day, (came, left)) in &self.days {
            count = count + came - (*left).min(count + came);
            if *day > first_day && count > 0 {
                novelty.push(*came as f64 / count as f64);
                churn.push(*left as f64 / count as f64);
            }
        }
        let with_quiet = |mut shares: Vec<f64>| {
            let is_known = self.last_day > first_day;
            shares.extend(std::iter::repeat_n(0.0, quiet.min(1 << 16)));
            shares.sort_unstable_by(f64::total_cmp);
            quantile(&shares, 50).filter(|_| is_known)
        };
        History {
            novelty: with_quiet(novelty),
            churn: with_quiet(churn),
            residence_days: median_stay(&mut self.durations),
            ..History::default()
        }
    }
}

/// The median of Kaplan and Meier: the first time at which at most half are left. What is still
/// there counts as long as it was seen.
fn median_stay(durations: &mut [(f64, bool)]) -> Option<f64> {
    durations.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut left, mut at) = (1.0, 0);
    for same in durations.chunk_by(|a, b| a.0 == b.0) {
        let deaths = same.iter().filter(|(_, is_over)| *is_over).count();
        left *= 1.0 - deaths as f64 / (durations.len() - at) as f64;
        if deaths > 0 && left <= 0.5 {
            return Some(same[0].0);
        }
        at += same.len();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(days: i64) -> Timestamp {
        Timestamp::from_seconds(1_790_000_000 / 86_400 * 86_400 + days * 86_400)
    }

    fn span(value: &str, first: i64, absent: Option<i64>, stood: bool) -> Span {
        Span {
            kind: Kind::Domain,
            value: value.into(),
            first_seen: days(first),
            last_seen: days(absent.map_or(10, |absent| absent - 1)),
            absent_since: absent.map(days),
            stood_at_first_fetch: stood,
        }
    }

    #[test]
    fn who_was_first_and_how_late_the_others_were() {
        let mut ledger = LedgerTable::default();
        let a = vec![
            span("old", 0, None, true),
            span("x", 2, None, false),
            span("y", 5, None, false),
            span("alone", 3, None, false),
        ];
        let b = vec![span("old", 4, None, false), span("x", 5, None, false)];
        let c = vec![span("y", 4, None, false), span("x", 6, None, true)];
        ledger.insert("a", Some(days(5)), a);
        ledger.insert("b", None, b);
        ledger.insert("c", None, c);
        let ledger_summary = LedgerSummary::read(&ledger, days(10));
        let a = ledger_summary.history("a").unwrap();
        // `x` and `y`: 0 and 1 days late.
        assert_eq!((a.shared, a.first_share), (2, Some(0.5)));
        assert_eq!((a.latency_p50, a.latency_p90), (Some(0.0), Some(1.0)));
        assert_eq!(a.unchanged_days, Some(5.0));
        // `old` stood in the other feed.
        let b = ledger_summary.history("b").unwrap();
        assert_eq!((b.shared, b.latency_p50, b.first_share), (1, Some(3.0), Some(0.0)));
        // `x` stood here already.
        let c = ledger_summary.history("c").unwrap();
        assert_eq!((c.shared, c.first_share), (1, Some(1.0)));
        assert_eq!(ledger_summary.history("d"), None);
        assert_eq!(ledger_summary.published("b", Kind::Domain, "x"), Some(days(5)));
        assert_eq!(ledger_summary.published("b", Kind::Ip, "x"), None);
        // Nobody knows since when `old` stood there, and what comes later is published later.
        assert_eq!(ledger_summary.published("a", Kind::Domain, "old"), None);
        let before = LedgerSummary::read(&ledger, days(3));
        assert_eq!(before.published("b", Kind::Domain, "x"), Some(days(5)));
        assert_eq!(before.history("a").unwrap().unchanged_days, None);
        assert_eq!(before.begins, Some(days(0)));
        // Before anything was fetched.
        assert_eq!(LedgerSummary::read(&ledger, days(-1)).history("a").unwrap().novelty, None);
    }

    #[test]
    fn how_long_values_stay() {
        let mut durations = [(1.0, true), (2.0, true), (2.0, false), (5.0, true), (9.0, false)];
        // 4/5, then 4/5 · 3/4 = 0.6, then 0.6 · 1/2 = 0.3.
        assert_eq!(median_stay(&mut durations), Some(5.0));
        assert_eq!(median_stay(&mut [(1.0, false), (2.0, true), (3.0, false)]), Some(2.0));
        assert_eq!(median_stay(&mut [(1.0, false)]), None);
        assert_eq!(median_stay(&mut []), None);
    }

    #[test]
    fn what_is_new_and_what_goes_by_day() {
        let mut ledger = LedgerTable::default();
        let mut spans: Vec<_> = (0..4).map(|n| span(&n.to_string(), 0, Some(2), true)).collect();
        spans.push(span("a", 1, None, false));
        spans.push(span("b", 2, None, false));
        spans.iter_mut().for_each(|span| span.last_seen = span.last_seen.min(days(2)));
        ledger.insert("a", None, spans);
        let history = LedgerSummary::read(&ledger, days(2)).history("a").unwrap();
        // Day 1: 1 of 5 is new, none goes. Day 2: 1 of 2 is new, 4 go.
        assert_eq!(history.novelty, Some(0.2));
        assert_eq!(history.churn, Some(0.0));
    }
}
