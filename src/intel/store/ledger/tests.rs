//! Ledgers against a map in memory, and what goes wrong with them.

use super::*;
use crate::engine::indicator::{Context, Indicator, Kind, Scope, Timestamp, Value};
use crate::intel::feed::{Filter, Sink as _};
use crate::intel::store::{Difference, FeedDir, Normal, Piece, SegmentBuilder, Store};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Arc;

/// A feed in a folder of its own.
struct Feed {
    feed_dir: FeedDir,
    old: Option<Normal>,
    time: i64,
    _dir: tempfile::TempDir,
}

impl Feed {
    fn new() -> Feed {
        let dir = tempfile::tempdir().unwrap();
        let feed_dir = Store::at(dir.path()).feed_dir("x");
        Feed { feed_dir, old: None, time: 1_800_000_000, _dir: dir }
    }

    /// Replaces the contents of the feed without recording it.
    fn accept(&mut self, values: &[&str]) -> (Difference, Normal) {
        let filter = Filter::default();
        let mut builder = SegmentBuilder::new("list", 7, &filter, None);
        for value in values {
            let kind = if value.ends_with("example") { Kind::Domain } else { Kind::Ip };
            let context = Arc::new(Context::of_feed("x"));
            builder.indicator(Indicator::new(kind, value, Scope::Exact, context).unwrap(), None);
        }
        self.feed_dir.accept(1, &[Piece::new(&builder.finish())]).unwrap();
        let new = self.feed_dir.accepted().unwrap();
        let change = Difference::between(self.old.as_ref(), Some(&new));
        self.old = Some(new.clone());
        (change, new)
    }

    /// An update an hour after the last one. Returns what was wrong with the ledger.
    fn update(&mut self, values: &[&str]) -> Option<crate::Error> {
        self.update_as(values, 1)
    }

    fn update_as(&mut self, values: &[&str], reading: u64) -> Option<crate::Error> {
        let before = Some(Timestamp::from_seconds(self.time));
        self.time += 3600;
        let (change, new) = self.accept(values);
        let at = Timestamp::from_seconds(self.time);
        let fetch = Fetch { at, before, reading, published: None };
        self.feed_dir.ledger().record(&fetch, Some(&change), &new).unwrap()
    }

    fn open(&self) -> Ledger {
        self.feed_dir.open_ledger().unwrap().unwrap()
    }

    /// The stays as hours after the first update: first, last, absent since, and whether it
    /// stood.
    fn stays(&self) -> BTreeMap<String, Vec<Hours>> {
        let mut all: BTreeMap<String, Vec<Hours>> = BTreeMap::new();
        for stay in self.open().stays().unwrap() {
            let stay = stay.unwrap();
            let value = stay.value.clone().unwrap();
            let found = self.open().find(stay.kind, &value, Scope::Exact).unwrap();
            assert!(found.contains(&stay), "{found:?} {stay:?}");
            all.entry(value.to_string()).or_default().push(hours(&stay));
        }
        all
    }
}

/// First, last, absent since, and whether it stood at the first fetch.
type Hours = (i64, i64, Option<i64>, bool);

fn hours(stay: &Stay) -> Hours {
    let hour = |time: Timestamp| (time.0 / 1_000_000 - 1_800_000_000) / 3600;
    let absent = stay.absent_since.map(hour);
    (hour(stay.first_seen), hour(stay.last_seen), absent, stay.stood_at_first_fetch)
}

/// The slow twin: what the stays are after updates at hours 1, 2, 3…
fn twin(updates: &[BTreeSet<&'static str>]) -> BTreeMap<String, Vec<Hours>> {
    let mut all: BTreeMap<String, Vec<Hours>> = BTreeMap::new();
    let last_change =
        (1..updates.len()).rev().find(|at| updates[*at] != updates[at - 1]).unwrap_or(0) as i64 + 1;
    for (hour, values) in (1..).zip(updates) {
        for value in values {
            let stays = all.entry(value.to_string()).or_default();
            if stays.last().is_none_or(|stay| stay.2.is_some()) {
                stays.push((hour, hour, None, hour == 1));
            }
        }
        for (value, stays) in &mut all {
            let stay = stays.last_mut().unwrap();
            if stay.2.is_none() && !values.contains(&**value) {
                (stay.1, stay.2) = (hour - 1, Some(hour));
            } else if stay.2.is_none() {
                stay.1 = last_change;
            }
        }
    }
    all
}

const VALUES: [&str; 9] = [
    "203.0.113.1",
    "203.0.113.2",
    "203.0.113.3",
    "198.51.100.1",
    "2001:db8::1",
    "evil.example",
    "www.evil.example",
    "bad.example",
    "worse.example",
];

fn any_updates() -> impl Strategy<Value = Vec<BTreeSet<&'static str>>> {
    let values = prop::sample::subsequence(VALUES.to_vec(), 0..VALUES.len());
    prop::collection::vec(values.prop_map(|values| values.into_iter().collect()), 1..14)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]
    #[test]
    fn stays_are_those_of_the_twin(updates in any_updates()) {
        let mut feed = Feed::new();
        for values in &updates {
            let values: Vec<&str> = values.iter().copied().collect();
            prop_assert!(feed.update(&values).is_none());
        }
        prop_assert_eq!(feed.stays(), twin(&updates));
        let index = feed.feed_dir.ledger().index().unwrap().unwrap();
        prop_assert_eq!(index.values, updates.last().unwrap().len() as u64);
        prop_assert!(index.segments.len() <= 4, "{} segments", index.segments.len());
        let files = fs::read_dir(feed.feed_dir.ledger().folder()).unwrap().count();
        prop_assert_eq!(files, 1 + index.segments.len());
    }

    /// Updates whose ledger was not written are caught up with by the next one.
    #[test]
    fn what_was_not_recorded_is_caught_up_with(
        updates in any_updates(), lost in prop::collection::vec(any::<bool>(), 14)) {
        let mut feed = Feed::new();
        let mut recorded = Vec::new();
        for (values, &is_lost) in updates.iter().zip(&lost) {
            let list: Vec<&str> = values.iter().copied().collect();
            if is_lost {
                feed.time += 3600;
                feed.accept(&list);
                continue;
            }
            prop_assert!(feed.update(&list).is_none());
            recorded.push(values.clone());
        }
        let got: BTreeMap<String, Vec<bool>> = match feed.feed_dir.open_ledger().unwrap() {
            None => BTreeMap::new(),
            Some(_) => feed.stays().into_iter().map(|(value, stays)| {
                (value, stays.iter().map(|stay| stay.2.is_some()).collect())
            }).collect(),
        };
        let want: BTreeMap<String, Vec<bool>> = twin(&recorded).into_iter().map(|(value, stays)| {
            (value, stays.iter().map(|stay| stay.2.is_some()).collect())
        }).collect();
        prop_assert_eq!(got, want);
    }
}

#[test]
fn a_change_of_settings_is_no_news() {
    let mut feed = Feed::new();
    feed.update(&["evil.example"]);
    feed.update_as(&["evil.example", "bad.example"], 2);
    feed.update_as(&["evil.example", "bad.example", "worse.example"], 2);
    let stood: Vec<bool> = feed.stays().values().map(|stays| stays[0].3).collect();
    // bad, evil, worse
    assert_eq!(stood, [true, true, false]);
    let index = feed.feed_dir.ledger().index().unwrap().unwrap();
    assert_eq!(
        index.changes.iter().map(|change| change.stood).collect::<Vec<_>>(),
        [true, true, false]
    );
}

#[test]
fn a_scope_is_no_other_value() {
    let mut feed = Feed::new();
    feed.update(&["evil.example"]);
    let filter = Filter::default();
    let mut builder = SegmentBuilder::new("list", 8, &filter, None);
    let context = Arc::new(Context::of_feed("x"));
    let subtree = Indicator::new(Kind::Domain, "evil.example", Scope::Subtree, context).unwrap();
    builder.indicator(subtree, None);
    feed.feed_dir.accept(1, &[Piece::new(&builder.finish())]).unwrap();
    let new = feed.feed_dir.accepted().unwrap();
    let change = Difference::between(feed.old.as_ref(), Some(&new));
    assert_eq!((change.added, change.removed), (1, 1));
    assert_eq!((change.changes.came.len(), change.changes.left.len()), (0, 0));
}

#[test]
fn damage_is_reported_and_a_new_ledger_begins() {
    for name in ["index.json", "segment"] {
        let mut feed = Feed::new();
        feed.update(&["evil.example", "bad.example"]);
        let folder = feed.feed_dir.ledger().folder().to_path_buf();
        let files = || fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
        let path = files().find(|path| path.to_str().unwrap().ends_with(name)).unwrap();
        let mut bytes = fs::read(&path).unwrap();
        bytes.truncate(bytes.len() / 2);
        fs::write(&path, bytes).unwrap();
        assert!(feed.feed_dir.open_ledger().is_err());
        let error = feed.update(&["evil.example", "worse.example"]).unwrap().to_string();
        assert!(error.contains("a new ledger begins"), "{error}");
        assert_eq!(
            feed.stays().into_iter().collect::<Vec<_>>(),
            [
                ("evil.example".to_string(), vec![(2, 2, None, true)]),
                ("worse.example".to_string(), vec![(2, 2, None, true)]),
            ]
        );
        assert!(folder.with_extension("damaged").join("index.json").exists());
        assert!(feed.update(&["evil.example"]).is_none());
    }
    // A segment that is missing is damage, too.
    let mut feed = Feed::new();
    feed.update(&["evil.example"]);
    let index = feed.feed_dir.ledger().index().unwrap().unwrap();
    fs::remove_file(feed.feed_dir.ledger().folder().join(&index.segments[0].file)).unwrap();
    assert!(feed.update(&["bad.example"]).unwrap().to_string().contains("missing"));
}

#[test]
fn a_clock_that_is_set_back_ends_nothing_before_it_began() {
    let mut feed = Feed::new();
    feed.update(&["evil.example"]);
    feed.time -= 100 * 3600;
    feed.update(&["bad.example"]);
    assert_eq!(
        feed.stays().into_iter().collect::<Vec<_>>(),
        [
            ("bad.example".to_string(), vec![(1, 1, None, false)]),
            ("evil.example".to_string(), vec![(1, 1, Some(1), true)]),
        ]
    );
}

#[test]
fn what_flaps_stays_bounded() {
    let mut feed = Feed::new();
    for round in 0..120 {
        match round % 2 {
            0 => feed.update(&["evil.example", "bad.example"]),
            _ => feed.update(&["bad.example"]),
        };
    }
    let ledger = feed.open();
    let value = Value::Text("evil.example".into());
    let stays = ledger.find(Kind::Domain, &value, Scope::Exact).unwrap();
    // Few of them are joined only when all segments are merged.
    assert!(stays.len() <= 32, "{} stays", stays.len());
    assert_eq!(stays.iter().map(|stay| stay.stays).sum::<u64>(), 60);
    assert_eq!(hours(&stays[0]).0, 1);
    assert!(stays[0].stood_at_first_fetch && !stays[1].stood_at_first_fetch);
    assert!(stays.windows(2).all(|pair| pair[0].absent_since.unwrap() <= pair[1].first_seen));
}

#[test]
fn an_index_leads_nowhere_else() {
    let mut feed = Feed::new();
    feed.update(&["evil.example"]);
    let index = feed.feed_dir.ledger().index().unwrap().unwrap();
    let text = String::from_utf8(index.to_bytes().unwrap()).unwrap();
    assert_eq!(LedgerIndex::parse(text.as_bytes()).unwrap(), index);
    for wrong in ["../x", "", "index.json"] {
        let changed = text.replace(&*index.segments[0].file, wrong);
        assert!(LedgerIndex::parse(changed.as_bytes()).is_err(), "{wrong}");
    }
    assert!(
        LedgerIndex::parse(text.replace("\"version\": 1", "\"version\": 2").as_bytes()).is_err()
    );
}
