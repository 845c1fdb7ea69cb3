//! The result of a benchmark, as its JSON has it.
//!
//! Every struct here is an object of `docs/bench.schema.json`, which is closed. What is not known
//! is `null` and never 0: a share of nothing, a time in a corpus without times, whatever needs a
//! corpus if none was given. Shares are accompanied by the counts that they were made of.

use super::groups::GroupBy;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The schema of the report.
pub const SCHEMA: &str = "wiresift.bench/1";

/// What a rule set contains, finds, risks and costs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: String,
    /// Which database was judged.
    pub database: DatabaseFacts,
    /// What it was matched against; `None` if there was no input.
    pub corpus: Option<Corpus>,
    /// The reference time, in RFC 3339.
    pub at: String,
    /// What the groups are.
    pub by: GroupBy,
    /// All groups together.
    pub set: SetFacts,
    /// Each group, by name.
    pub groups: Vec<Group>,
    /// Pairs of groups, by name; those with something in common if the groups are pulses.
    pub overlap: Vec<Overlap>,
    /// Pairs that were left out because too many have something in common.
    pub overlap_left_out: u64,
    /// Indicators that are flagged, then those that only have alerts; of each, those with most
    /// alerts first.
    pub indicators: Vec<IndicatorFacts>,
    /// Indicators that were left out because there are too many.
    pub indicators_left_out: u64,
    /// Those of them that are flagged.
    pub flagged_left_out: u64,
    /// The order in which groups add most to the covered entries.
    pub cover_values: Vec<CoverStep>,
    /// The same for events.
    pub cover_events: Option<Vec<CoverStep>>,
    /// Which groups could go, each judged by those that are left; `None` without a corpus.
    pub drop_order: Option<Vec<DropStep>>,
    /// What identifies each event: 12 hexadecimal digits of a hash of its place, sorted and
    /// without separators. `None` without a corpus, or if there are more than 65,536.
    pub event_ids: Option<String>,
    /// What the set costs; `None` if that was not measured. It is the only member, together with
    /// those of the groups with the same name, that differs between equal runs.
    pub cost: Option<Cost>,
    /// What the numbers suggest, most gain first.
    pub advice: Vec<Advice>,
    /// What is missing from the report, and why; one sentence each.
    pub notes: Vec<String>,
}

/// Which database was judged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DatabaseFacts {
    /// Its identity, as in alerts.
    pub id: String,
    /// When it was built, in RFC 3339.
    pub built: String,
    /// Its size.
    pub bytes: u64,
}

/// What the set was matched against.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Corpus {
    /// Inputs that were read.
    pub inputs: u64,
    /// Their bytes, decompressed.
    pub bytes: u64,
    /// Lines of logs, and flows of captures.
    pub records: u64,
    /// Observables that were looked up.
    pub observables: u64,
    /// Different addresses of the home networks; `None` if there is none.
    pub hosts: Option<u64>,
    /// Those that began a contact; `None` if there are no hosts.
    pub hosts_began: Option<u64>,
    /// Events without such an address.
    pub events_without_host: u64,
    /// The earliest time of a record that was read, in RFC 3339.
    pub begin: Option<String>,
    /// The latest time.
    pub end: Option<String>,
    /// Days between the two, for rates: at least 1.
    pub days: Option<f64>,
}

/// All groups together. Entries are (kind, value, scope), values (kind, value).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetFacts {
    /// Groups.
    pub groups: u64,
    /// Different values.
    pub values: u64,
    /// Different entries.
    pub entries: u64,
    /// Entries that some group claims and that are valid and not withheld.
    pub live: u64,
    /// Records with an alert.
    pub events: Option<u64>,
    /// Alerts.
    pub alerts: Option<u64>,
    /// Different observables in alerts.
    pub observables: Option<u64>,
    /// Home addresses in events.
    pub hosts: Option<u64>,
    /// Alerts in which every indicator is flagged.
    pub alerts_risky: Option<u64>,
    /// Their share.
    pub risky_share: Option<f64>,
    /// Alerts a day.
    pub alerts_per_day: Option<f64>,
    /// Risky alerts a day.
    pub risky_per_day: Option<f64>,
    /// Entries with an alert.
    pub indicators_hit: Option<u64>,
    /// The share of hosts that may be compromised before an indicator is `prevalent`.
    pub prevalence: Option<f64>,
    /// Entries that are flagged, whether they are listed or not.
    pub flagged: u64,
    /// Values that people judged; `None` without verdicts.
    pub verdicts: Option<u64>,
    /// Those of them that are observables in alerts.
    pub verdicts_seen: Option<u64>,
    /// How many `prevalent` flags chance alone would give.
    pub prevalent_by_chance: Option<f64>,
}

/// One group: a feed, or a collection of a feed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name, which no other group has.
    pub name: String,
    /// Its feed.
    pub feed: String,
    /// The name of its collection, if groups are pulses.
    pub collection: Option<String>,
    /// Different values, whether they are live or not.
    pub values: u64,
    /// Entries: `live`, `expired` and `withheld` together.
    pub entries: u64,
    /// Entries that are valid and not withheld.
    pub live: u64,
    /// Entries that are not valid at the reference time.
    pub expired: u64,
    /// Entries that guards and warning lists withhold, by reason.
    pub withheld: BTreeMap<String, u64>,
    /// Live entries that another live entry of the group covers.
    pub self_covered: u64,
    /// Live entries that no entry of another group covers.
    pub exclusive: u64,
    /// Their share of `live`.
    pub exclusive_share: Option<f64>,
    /// Live values that no other group has.
    pub exclusive_exact: u64,
    /// Alerts of which the group is a source.
    pub alerts: Option<u64>,
    /// These a day.
    pub alerts_per_day: Option<f64>,
    /// Records with such an alert.
    pub events: Option<u64>,
    /// Their share of all events.
    pub coverage: Option<f64>,
    /// Events in which no other group alerts: what would be lost without the group.
    pub events_exclusive: Option<u64>,
    /// Events, each divided by the number of its groups: the Shapley value of the coverage.
    pub events_fair: Option<f64>,
    /// Different observables in its alerts.
    pub observables: Option<u64>,
    /// Those that are in no alert of another group.
    pub observables_exclusive: Option<u64>,
    /// Its entries with an alert.
    pub indicators_hit: Option<u64>,
    /// Their share of `live`.
    #[serde(rename = "yield")]
    pub yields: Option<f64>,
    /// Home addresses in its events.
    pub hosts: Option<u64>,
    /// Those that are in no event of another group.
    pub hosts_exclusive: Option<u64>,
    /// The largest share of its alerts that a single entry makes.
    pub top_share: Option<f64>,
    /// Observables that met an entry of the group, which did not alert, by reason.
    pub held_back: Option<BTreeMap<String, u64>>,
    /// Alerts in which every entry of the group is flagged.
    pub alerts_risky: Option<u64>,
    /// Their share of `alerts`.
    pub risky_share: Option<f64>,
    /// These a day.
    pub risky_per_day: Option<f64>,
    /// Live entries that match a popular name; `None` without a list of those.
    pub popular_values: Option<u64>,
    /// The best rank of such a name.
    pub popular_rank: Option<u64>,
    /// Live values on each warning list; `None` without lists.
    pub listed_values: Option<BTreeMap<String, u64>>,
    /// Live entries on hosts that unrelated parties share.
    pub shared_values: u64,
    /// Its entries that reach more hosts than compromise explains.
    pub prevalent_values: Option<u64>,
    /// How people judged its observables; `None` without verdicts.
    pub verdicts: Option<Verdicts>,
    /// How old its live entries are.
    pub age: Age,
    /// Live entries with a date.
    pub dated: u64,
    /// Those of them whose score has decayed.
    pub decayed_entries: u64,
    /// Their share of `dated`.
    pub decayed: Option<f64>,
    /// The share of hits that are older than the entry's publication, of hits on entries whose
    /// publication is known.
    pub late_share: Option<f64>,
    /// What the ledger says; `None` without one.
    pub history: Option<History>,
    /// What the group costs; `None` if that was not measured.
    pub cost: Option<GroupCost>,
}

/// How people judged the observables of a group.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Verdicts {
    /// True positives.
    pub tp: u64,
    /// False positives.
    pub fp: u64,
    /// tp / (tp + fp); `None` if nothing was judged.
    pub precision: Option<f64>,
    /// The lower end of Wilson's 95% interval.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
    /// Whether there are too few verdicts (under 20) to rely on.
    pub too_few: bool,
}

/// How old the live entries of a group are, in days before the reference time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Age {
    /// The median.
    pub p50: Option<f64>,
    /// The 90th percentile.
    pub p90: Option<f64>,
    /// The share of live entries without a date.
    pub undated: Option<f64>,
    /// The number of dated entries that are at least that old.
    pub survival: Vec<Survival>,
    /// When entries were first seen.
    pub first_seen: Vec<FirstSeen>,
}

/// A point of the survival curve of ages.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Survival {
    /// Days.
    pub days: u64,
    /// Dated live entries that are at least that old.
    pub entries: u64,
}

/// How many entries were first seen in a month.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FirstSeen {
    /// The month: `2026-11`.
    pub month: String,
    /// Live entries that were first seen in it.
    pub entries: u64,
}

/// What the ledger of the store says about a feed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The median share of a day's values that the day before did not have.
    pub novelty: Option<f64>,
    /// The median of what was dropped from one day to the next, as a share of the later one.
    pub churn: Option<f64>,
    /// The median number of days that a value stays (Kaplan and Meier).
    pub residence_days: Option<f64>,
    /// Days by which the feed was later than the first with the same value: the median.
    pub latency_p50: Option<f64>,
    /// The same: the 90th percentile.
    pub latency_p90: Option<f64>,
    /// The share of values in several feeds that this one had first.
    pub first_share: Option<f64>,
    /// How many values that share and the latencies are of.
    pub shared: u64,
    /// Days since the feed last changed; `None` if it changed after the reference time.
    pub unchanged_days: Option<f64>,
}

/// Two groups.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Overlap {
    /// The first group, by name.
    pub a: String,
    /// The second.
    pub b: String,
    /// Live entries of `a` that an entry of `b` covers.
    pub a_covered: u64,
    /// Their share of the live entries of `a`.
    pub a_in_b: Option<f64>,
    /// Live entries of `b` that an entry of `a` covers.
    pub b_covered: u64,
    /// Their share of the live entries of `b`.
    pub b_in_a: Option<f64>,
    /// Live entries of either that both cover.
    pub common: u64,
    /// Live entries of either.
    pub union: u64,
    /// `common` / `union`.
    pub jaccard: Option<f64>,
    /// Live values that both have.
    pub common_exact: u64,
    /// Live values that either has.
    pub union_exact: u64,
    /// `common_exact` / `union_exact`.
    pub jaccard_exact: Option<f64>,
    /// Events in which both alert.
    pub events_common: Option<u64>,
    /// Events in which either alerts.
    pub events_union: Option<u64>,
    /// `events_common` / `events_union`.
    pub events_jaccard: Option<f64>,
}

/// A step of a greedy cover.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CoverStep {
    /// The group that is added.
    pub group: String,
    /// How much it adds to the groups before it.
    pub adds: u64,
    /// How much is covered then.
    pub covered: u64,
}

/// Whether a group could go once those before it have gone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DropStep {
    /// The group.
    pub group: String,
    /// Whether it could go.
    #[serde(rename = "dropped")]
    pub is_dropped: bool,
    /// Events in which no other group alerts of those that are left.
    pub events_exclusive: u64,
    /// Live entries that no other group covers of those that are left.
    pub exclusive: u64,
    /// Groups that are gone and would cover these.
    pub after: Vec<String>,
}

/// An indicator that is flagged or has alerts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IndicatorFacts {
    /// Its kind.
    pub kind: String,
    /// Its value.
    pub value: String,
    /// Its scope.
    pub scope: String,
    /// The groups that alert with it, or claim it if none does.
    pub groups: Vec<String>,
    /// Alerts with it.
    pub alerts: Option<u64>,
    /// Home addresses that it reached, counting only those that began the contact where the
    /// direction is known.
    pub hosts: Option<u64>,
    /// Those whose records say who began the contact.
    pub hosts_began: Option<u64>,
    /// How likely it is that so many hosts are compromised: `p_hosts` of `p_of`.
    pub p: Option<f64>,
    /// The hosts that began the contact, if they decide; else all that it reached.
    pub p_hosts: Option<u64>,
    /// The hosts of the corpus that began a contact, if they decide; else all.
    pub p_of: Option<u64>,
    /// Why it is risky: `popular`, `listed`, `shared`, `prevalent`, `prevalent?`, `storm`.
    pub flags: Vec<String>,
    /// The best rank of a popular name that it matches.
    pub rank: Option<u64>,
    /// The warning lists that it is on.
    pub lists: Vec<String>,
    /// The time of its last hit, in RFC 3339.
    pub last_hit: Option<String>,
}

/// An estimate with its 95% interval.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Interval {
    /// The estimate.
    pub median: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// What the whole set costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// The machine. Costs of different ones cannot be compared.
    pub machine: String,
    /// Threads of the measurement.
    pub threads: u64,
    /// Rounds.
    pub rounds: u64,
    /// Bytes of the corpus that were scanned in each.
    pub bytes: u64,
    /// Processor time of the set, in nanoseconds a MiB.
    pub ns_per_mib: Option<Interval>,
    /// The difference between the set and a copy of its file.
    pub aa: Option<Interval>,
    /// Whether that difference exceeds 1%, so that no other can be trusted.
    pub unreliable: bool,
    /// What the filters of the set did.
    pub passes: Option<Passes>,
    /// The cost of each kind of a feed, if that was asked for.
    pub kinds: Option<Vec<KindCost>>,
}

/// Exact counts of what filters did; they are free of noise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passes {
    /// Candidates that were asked about.
    pub asked: u64,
    /// Candidates that a filter let through.
    pub passed: u64,
    /// Observables that were looked up in a structure.
    pub walked: u64,
    /// Observables that met an entry.
    pub met: u64,
}

/// What a group costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupCost {
    /// The size of a database of this group alone.
    pub bytes_alone: Option<u64>,
    /// By how much the set's database is larger than one without the group. Groups share
    /// structure, so these do not add up.
    pub bytes_marginal: Option<i64>,
    /// How many candidates less would pass the filters without the group.
    pub passes_marginal: Option<i64>,
    /// Processor time that the group adds, in nanoseconds a MiB.
    pub ns_per_mib: Option<Interval>,
    /// Whether that is below the noise.
    pub below_noise: Option<bool>,
}

/// What one kind of indicators of a feed costs.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindCost {
    /// The group.
    pub group: String,
    /// The kind.
    pub kind: String,
    /// Its values.
    pub values: u64,
    /// Its alerts.
    pub alerts: u64,
    /// Processor time that it adds, in nanoseconds a MiB.
    pub ns_per_mib: Option<Interval>,
    /// Whether that is below the noise.
    pub below_noise: Option<bool>,
}

/// What to do with a group or an indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// The group adds nothing.
    Drop,
    /// The indicator belongs on a warning list.
    Suppress,
    /// The group is stale.
    Refresh,
    /// One kind of the group costs most and finds nothing.
    Narrow,
    /// The group is of use.
    Keep,
    /// The corpus is too small to say.
    None,
}

/// A suggestion. Nothing acts upon it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advice {
    /// What to do.
    pub action: Action,
    /// With which group.
    pub group: Option<String>,
    /// With which value.
    pub value: Option<String>,
    /// The line for a list of `compile --suppress`.
    pub suppress: Option<String>,
    /// Alerts or entries that it is about.
    pub gain: u64,
    /// The suggestion in words, with its numbers.
    pub text: String,
}
