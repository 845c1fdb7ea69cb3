//! What differs between two databases: values, and the alerts that they give.

use super::masks::{EMPTY, MaskId, Masks};
use super::report::DatabaseFacts;
use crate::engine::database::{Database, Listed, Posting};
use crate::engine::error::escape_text;
use crate::engine::indicator::{Kind, Place, Scope};
use crate::engine::scan::Hit;
use hashbrown::HashMap;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The schema of the difference.
pub const DIFF_SCHEMA: &str = "wiresift.bench.diff/1";

/// The maximum number of values, and of alerts, that are listed.
const MAX_LISTED: usize = 1000;

/// The maximum number of each that is listed for people.
const MAX_SHOWN: usize = 20;

/// What differs between two databases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// [`DIFF_SCHEMA`].
    pub schema: &'static str,
    /// The old database.
    pub old: DatabaseFacts,
    /// The new one, compared with it.
    pub new: DatabaseFacts,
    /// How many values differ.
    pub values: ValueCounts,
    /// The same for each feed with a difference.
    pub groups: Vec<GroupDifference>,
    /// The values that differ, by kind and value.
    pub listed: Vec<ValueDifference>,
    /// Values that are not listed because there are too many.
    pub left_out: u64,
    /// The alerts that differ; `None` if there was no input.
    pub alerts: Option<AlertDifferences>,
}

/// How many values differ.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ValueCounts {
    /// Values that only the new one has.
    pub added: u64,
    /// Values that only the old one has.
    pub removed: u64,
    /// Values of both that differ.
    pub changed: u64,
    /// Those whose scope differs.
    pub scope: u64,
    /// Those whose validity differs.
    pub validity: u64,
    /// Those whose severity differs.
    pub severity: u64,
    /// Those whose feeds differ.
    pub sources: u64,
}

/// How many values of a feed differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct GroupDifference {
    /// The feed.
    pub name: String,
    /// Values that the feed has in the new database only.
    pub added: u64,
    /// Values that it has in the old one only.
    pub removed: u64,
    /// Values that it has in both, of which something else differs.
    pub changed: u64,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ValueDifference {
    /// The kind.
    pub kind: String,
    /// The value.
    pub value: String,
    /// `added`, `removed` or `changed`.
    pub change: &'static str,
    /// What changed: `scope`, `validity`, `severity`, `sources`.
    pub what: Vec<&'static str>,
    /// The feeds that have it in the old database.
    pub old: Vec<String>,
    /// Those that have it in the new one.
    pub new: Vec<String>,
}

/// How many alerts differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct AlertDifferences {
    /// Alerts of the old database.
    pub old: u64,
    /// Alerts of the new one.
    pub new: u64,
    /// Alerts that only the new one gives.
    pub appear: u64,
    /// Alerts that only the old one gives.
    pub disappear: u64,
    /// Alerts of both, with different feeds.
    pub changed: u64,
    /// The alerts that differ, in the order of the inputs.
    pub listed: Vec<AlertDifference>,
    /// Alerts that are not listed because there are too many.
    pub left_out: u64,
}

/// An alert that differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct AlertDifference {
    /// The input.
    pub input: String,
    /// The line, or the number of the packet.
    pub record: u64,
    /// The column, or 0 for a packet.
    pub column: u64,
    /// The kind of the observable.
    pub kind: String,
    /// The observable.
    pub value: String,
    /// `appears`, `disappears` or `changed`.
    pub change: &'static str,
    /// The feeds of the alert of the old database.
    pub old: Vec<String>,
    /// Those of the new one.
    pub new: Vec<String>,
}

/// What there is to say of a value, in a few numbers that are equal if it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Aspects {
    scope: u32,
    validity: u32,
    severity: u32,
    sources: MaskId,
}

impl Aspects {
    fn differences(&self, other: &Aspects) -> Vec<&'static str> {
        let pairs = [
            ("scope", self.scope, other.scope),
            ("validity", self.validity, other.validity),
            ("severity", self.severity, other.severity),
            ("sources", self.sources, other.sources),
        ];
        pairs.into_iter().filter(|(_, a, b)| a != b).map(|(name, ..)| name).collect()
    }
}

/// What a context contributes to the aspects of its values.
struct ContextAspects {
    feed: u32,
    validity: u64,
    severity: u64,
}

/// Compares databases value by value.
struct Comparison {
    feeds: Vec<String>,
    masks: Masks,
    counts: ValueCounts,
    groups: BTreeMap<u32, GroupDifference>,
    listed: BTreeSet<ValueDifference>,
    left_out: u64,
}

/// Identifies what a database is.
pub(super) fn facts(database: &Database) -> DatabaseFacts {
    DatabaseFacts {
        id: database.build_id(),
        built: database.built().to_string(),
        bytes: database.size() as u64,
    }
}

/// Finds what differs between two databases. Indicators that only allow count, too.
pub fn compare(old: &Database, new: &Database) -> Difference {
    let feeds: BTreeSet<String> = feeds_of(old).chain(feeds_of(new)).collect();
    let mut comparison = Comparison {
        feeds: feeds.into_iter().collect(),
        masks: Masks::default(),
        counts: ValueCounts::default(),
        groups: BTreeMap::new(),
        listed: BTreeSet::new(),
        left_out: 0,
    };
    let mut known: HashMap<u128, Aspects> = HashMap::new();
    comparison.each(old, &mut |_, key, aspects, _| {
        known.insert(key, aspects);
    });
    comparison.each(new, &mut |comparison, key, aspects, value| {
        match known.remove(&key) {
            None => comparison.differs(("added", Vec::new()), EMPTY, aspects.sources, value),
            Some(before) if before == aspects => {}
            Some(before) => {
                let what = aspects.differences(&before);
                comparison.differs(("changed", what), before.sources, aspects.sources, value);
            }
        };
    });
    if !known.is_empty() {
        comparison.each(old, &mut |comparison, key, aspects, value| {
            if known.contains_key(&key) {
                comparison.differs(("removed", Vec::new()), aspects.sources, EMPTY, value);
            }
        });
    }
    let Comparison { counts, groups, listed, left_out, .. } = comparison;
    Difference {
        schema: DIFF_SCHEMA,
        old: facts(old),
        new: facts(new),
        values: counts,
        groups: groups.into_values().collect(),
        listed: listed.into_iter().collect(),
        left_out,
        alerts: None,
    }
}

/// The feeds of a database.
fn feeds_of(database: &Database) -> impl Iterator<Item = String> {
    let contexts = (0..database.contexts() as u32).filter_map(|it| database.context(it));
    contexts.map(|context| context.feed.into_owned())
}

/// Passes on a value with its key, and what makes its text.
type Each<'e> = &'e mut dyn FnMut(&mut Comparison, u128, Aspects, (Listed<'_>, Kind, &str));

impl Comparison {
    /// Passes on the values of a database.
    fn each(&mut self, database: &Database, found: Each<'_>) {
        let contexts: Vec<ContextAspects> = (0..database.contexts() as u32)
            .map(|number| {
                let context = database.context(number).unwrap_or_default();
                let feed = self.feeds.binary_search_by(|feed| feed.as_str().cmp(&context.feed));
                let validity = (context.valid_from, context.valid_until, context.inactive);
                ContextAspects {
                    feed: feed.unwrap_or_default() as u32,
                    validity: xxh3_64(format!("{validity:?}").as_bytes()),
                    severity: context.severity.map_or(0, |severity| severity as u64),
                }
            })
            .collect();
        let mut rows: Vec<(Kind, &'static str, Scope, usize)> = Vec::new();
        database.each_value(&mut |listed: Listed<'_>, posting: Posting| {
            rows.clear();
            rows.extend(database.claims(posting).map(|claim| {
                (claim.kind, claim.scheme.prefix(), claim.scope, claim.context as usize)
            }));
            rows.sort_unstable();
            for of_value in rows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1)) {
                let aspects = self.aspects(of_value, &contexts);
                let (kind, prefix, ..) = of_value[0];
                let mut hash = Xxh3::new();
                hash.update(&[kind as u8]);
                hash.update(prefix.as_bytes());
                hash.update(format!("{listed:?}").as_bytes());
                found(self, hash.digest128(), aspects, (listed, kind, prefix));
            }
        });
    }

    fn aspects(
        &mut self,
        rows: &[(Kind, &str, Scope, usize)],
        contexts: &[ContextAspects],
    ) -> Aspects {
        let of = |number: usize| contexts.get(number);
        let mut sources: Vec<u32> = rows.iter().filter_map(|row| Some(of(row.3)?.feed)).collect();
        let scopes = rows.iter().map(|row| row.2 as u64);
        let validity = rows.iter().filter_map(|row| Some(of(row.3)?.validity));
        let severity = rows.iter().filter_map(|row| Some(of(row.3)?.severity));
        Aspects {
            scope: hash_of(scopes),
            validity: hash_of(validity),
            severity: hash_of(severity),
            sources: self.masks.of(&mut sources),
        }
    }

    /// Counts and lists a value that differs.
    fn differs(
        &mut self,
        (change, what): (&'static str, Vec<&'static str>),
        old: MaskId,
        new: MaskId,
        (listed, kind, prefix): (Listed<'_>, Kind, &str),
    ) {
        let counts = &mut self.counts;
        *match change {
            "added" => &mut counts.added,
            "removed" => &mut counts.removed,
            _ => &mut counts.changed,
        } += 1;
        for aspect in &what {
            *match *aspect {
                "scope" => &mut counts.scope,
                "validity" => &mut counts.validity,
                "severity" => &mut counts.severity,
                _ => &mut counts.sources,
            } += 1;
        }
        let is_about_more = what.iter().any(|aspect| *aspect != "sources");
        let both = self.masks.union(old, new);
        for &feed in self.masks.groups(both) {
            let sides = (self.masks.has(old, feed), self.masks.has(new, feed));
            if sides == (true, true) && !is_about_more {
                continue;
            }
            let group = self.groups.entry(feed).or_insert_with(|| {
                let name = self.feeds.get(feed as usize).cloned().unwrap_or_default();
                GroupDifference { name, ..GroupDifference::default() }
            });
            match sides {
                (false, _) => group.added += 1,
                (_, false) => group.removed += 1,
                _ => group.changed += 1,
            }
        }
        let names = |mask: MaskId| {
            let feeds = self.masks.groups(mask).iter();
            feeds.filter_map(|feed| self.feeds.get(*feed as usize).cloned()).collect()
        };
        let value = match listed {
            Listed::Url(key) => [prefix, key].concat(),
            listed => listed.value(crate::engine::indicator::url::Scheme::Any).to_string(),
        };
        let kind = kind.name().to_string();
        let difference =
            ValueDifference { kind, value, change, what, old: names(old), new: names(new) };
        self.listed.insert(difference);
        if self.listed.len() > MAX_LISTED {
            self.listed.pop_last();
            self.left_out += 1;
        }
    }
}

/// A number for a set of numbers.
fn hash_of(numbers: impl Iterator<Item = u64>) -> u32 {
    let mut numbers: Vec<u64> = numbers.collect();
    numbers.sort_unstable();
    numbers.dedup();
    let mut hash = Xxh3::new();
    numbers.iter().for_each(|number| hash.update(&number.to_le_bytes()));
    hash.digest() as u32
}

/// Alerts of two databases over the same inputs.
///
/// Those of a record come from both before those of the next, so only what has no counterpart yet
/// is kept.
#[derive(Debug, Default)]
pub struct AlertComparison {
    counts: AlertDifferences,
    /// By input, record and observable: how many more the old database gave, with their feeds.
    open: BTreeMap<AlertKey, [Vec<Vec<String>>; 2]>,
    listed: BTreeSet<(u64, AlertDifference)>,
    inputs: u64,
}

/// Input, record, column, kind and value.
type AlertKey = (String, u64, u64, &'static str, String);

impl AlertComparison {
    /// Takes a hit of the old or the new database.
    pub fn add(&mut self, hit: &Hit<'_>, is_new: bool) {
        let (input, record, column) = match &hit.place {
            Place::Log(place) => (&place.path, place.line, place.column),
            Place::Packet(place) => (&place.path, place.number, 0),
        };
        let key = (input.to_string(), record, column, hit.seen.kind.name(), hit.seen.value.clone());
        let sources = hit.matches.iter().flat_map(|found| &found.sources);
        let feeds: BTreeSet<String> = sources.map(|source| source.feed.to_string()).collect();
        let sides = self.open.entry(key).or_default();
        sides[usize::from(is_new)].push(feeds.into_iter().collect());
        *(if is_new { &mut self.counts.new } else { &mut self.counts.old }) += 1;
    }

    /// An input ends.
    pub fn ends(&mut self) {
        for ((input, record, column, kind, value), [old, new]) in std::mem::take(&mut self.open) {
            for at in 0..old.len().max(new.len()) {
                let (before, now) = (old.get(at), new.get(at));
                let change = match (before, now) {
                    (None, _) => ("appears", &mut self.counts.appear),
                    (_, None) => ("disappears", &mut self.counts.disappear),
                    (Some(before), Some(now)) if before == now => continue,
                    _ => ("changed", &mut self.counts.changed),
                };
                *change.1 += 1;
                let difference = AlertDifference {
                    input: input.clone(),
                    record,
                    column,
                    kind: kind.to_string(),
                    value: value.clone(),
                    change: change.0,
                    old: before.cloned().unwrap_or_default(),
                    new: now.cloned().unwrap_or_default(),
                };
                self.listed.insert((self.inputs, difference));
                if self.listed.len() > MAX_LISTED {
                    self.listed.pop_last();
                    self.counts.left_out += 1;
                }
            }
        }
        self.inputs += 1;
    }

    /// What differs.
    pub fn finish(mut self) -> AlertDifferences {
        self.ends();
        self.counts.listed = self.listed.into_iter().map(|(_, difference)| difference).collect();
        self.counts
    }
}

impl Difference {
    /// Whether anything differs.
    pub fn is_any(&self) -> bool {
        let ValueCounts { added, removed, changed, .. } = self.values;
        let of_alerts = self.alerts.as_ref().map_or(0, |it| it.appear + it.disappear + it.changed);
        added + removed + changed + of_alerts > 0
    }

    /// The difference for people.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let values = &self.values;
        let _ = writeln!(
            out,
            "values: {} added, {} removed, {} changed (scope {}, validity {}, severity {}, \
             sources {})",
            values.added,
            values.removed,
            values.changed,
            values.scope,
            values.validity,
            values.severity,
            values.sources
        );
        for group in &self.groups {
            let GroupDifference { name, added, removed, changed } = group;
            let _ = writeln!(out, "  {}: +{added} -{removed} ~{changed}", escape_text(name));
        }
        for it in self.listed.iter().take(MAX_SHOWN) {
            let line =
                format!("{} {} {}{}", it.kind, it.value, sides(&it.old, &it.new), about(&it.what));
            let _ = writeln!(out, "  {} {}", sign(it.change), escape_text(&line));
        }
        more(self.listed.len(), self.left_out, &mut out);
        let Some(alerts) = &self.alerts else { return out };
        let _ = writeln!(
            out,
            "alerts: {} before, {} now: {} appear, {} disappear, {} change",
            alerts.old, alerts.new, alerts.appear, alerts.disappear, alerts.changed
        );
        for it in alerts.listed.iter().take(MAX_SHOWN) {
            let AlertDifference { input, record, kind, value, old, new, .. } = it;
            let line = format!("{input}:{record}: {kind} {value} {}", sides(old, new));
            let _ = writeln!(out, "  {} {}", sign(it.change), escape_text(&line));
        }
        more(alerts.listed.len(), alerts.left_out, &mut out);
        out
    }
}

fn sign(change: &str) -> char {
    match change {
        "added" | "appears" => '+',
        "removed" | "disappears" => '-',
        _ => '~',
    }
}

/// The feeds before and now.
fn sides(old: &[String], new: &[String]) -> String {
    match (old, new) {
        ([], feeds) | (feeds, []) => format!("({})", feeds.join(", ")),
        (old, new) if old == new => format!("({})", old.join(", ")),
        (old, new) => format!("({} → {})", old.join(", "), new.join(", ")),
    }
}

fn about(what: &[&str]) -> String {
    if what.is_empty() { String::new() } else { format!(": {}", what.join(", ")) }
}

fn more(listed: usize, left_out: u64, out: &mut String) {
    let more = listed.saturating_sub(MAX_SHOWN) as u64 + left_out;
    if more > 0 {
        let _ = writeln!(out, "  {more} more: --json has the first {MAX_LISTED}");
    }
}
