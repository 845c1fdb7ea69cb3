//! What the corpus says of each group: from a tally to the report.

use super::chance::{share, tail, wilson};
use super::decay::{days_between, has_decayed};
use super::hit_claims::{FoundClaims, HitClaim};
use super::judge::{CorpusRead, Question, corpus};
use super::ledger::LedgerSummary;
use super::masks::{EMPTY, MaskId, Masks};
use super::names::Judged;
use super::report::{Group, IndicatorFacts, Report, Verdicts};
use super::risk::Risk;
use super::tally::{EntryTally, Tally};
use crate::engine::indicator::{Kind, Scope, Timestamp, Value, address};
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Hosts below which nothing is prevalent.
pub(super) const FEW_HOSTS: u64 = 3;

/// What is less likely than this is prevalent.
pub(super) const UNLIKELY: f64 = 0.001;

/// Verdicts below which precision says little.
const FEW_VERDICTS: u64 = 20;

/// What findings are judged by.
pub(super) struct Verdict<'v> {
    pub(super) at: Timestamp,
    pub(super) question: &'v Question<'v>,
    pub(super) risk: &'v Risk<'v>,
    pub(super) hits: &'v FoundClaims,
    pub(super) ledger_summary: Option<&'v LedgerSummary>,
}

/// The flags of an entry, and what they are based on.
#[derive(Clone, Debug, Default)]
struct Flags {
    rank: Option<u64>,
    lists: Vec<u16>,
    is_shared: bool,
    hosts: u64,
    chance: Option<Chance>,
    prevalent: Option<&'static str>,
    is_storm: bool,
}

/// The home addresses of a corpus, and those of them that began a contact.
#[derive(Clone, Copy, Debug)]
struct Hosts {
    all: u64,
    began: u64,
}

/// How likely it is that so many hosts of a population are compromised.
#[derive(Clone, Copy, Debug)]
struct Chance {
    hosts: u64,
    of: u64,
    p: f64,
}

impl Chance {
    fn is_unlikely(&self) -> bool {
        self.hosts >= FEW_HOSTS && self.p < UNLIKELY
    }
}

impl Flags {
    fn any(&self) -> bool {
        self.names().next().is_some()
    }

    fn names(&self) -> impl Iterator<Item = &'static str> {
        let storm = self.is_storm.then_some("storm");
        flags(self.rank, &self.lists, self.is_shared).chain(self.prevalent).chain(storm)
    }
}

/// The flags that follow from the value alone.
pub(super) fn flags(
    rank: Option<u64>,
    lists: &[u16],
    is_shared: bool,
) -> impl Iterator<Item = &'static str> + use<> {
    let popular = rank.map(|_| "popular");
    let listed = (!lists.is_empty()).then_some("listed");
    popular.into_iter().chain(listed).chain(is_shared.then_some("shared"))
}

/// What each group did in the corpus.
#[derive(Clone, Debug, Default)]
struct GroupFound {
    alerts: u64,
    risky: u64,
    events: u64,
    /// Events by the number of their groups.
    fair: BTreeMap<usize, u64>,
    observables: [u64; 2],
    hosts: [u64; 2],
    hit: u64,
    prevalent: u64,
    top: u64,
    tp: u64,
    fp: u64,
    late: u64,
    dated_hits: u64,
    /// Entries that decayed unless their own hits count.
    revived: u64,
}

/// What a corpus says, judged.
pub(super) struct Found {
    tally: Tally,
    flags: Vec<Flags>,
    groups: Vec<GroupFound>,
    events: Vec<(MaskId, u64)>,
    indicators: Vec<IndicatorFacts>,
    alerts: u64,
    risky: u64,
    by_chance: f64,
}

impl Found {
    /// Judges a tally.
    pub(super) fn of(mut tally: Tally, verdict: &Verdict<'_>) -> Found {
        let total: u64 = tally.alerts.values().sum();
        let hosts = Hosts { all: tally.met.len() as u64, began: tally.began.len() as u64 };
        let flags: Vec<Flags> =
            tally.entries.iter().map(|entry| flagged(entry, verdict, hosts, total)).collect();
        let events = tally.events.iter().map(|(mask, count)| (*mask, *count)).collect();
        let groups = vec![GroupFound::default(); tally.groups.len()];
        let by_chance = UNLIKELY * tally.entries.len() as f64;
        let indicators = indicators(&mut tally, &flags, verdict.risk);
        let (alerts, risky) = (total, 0);
        let mut found =
            Found { tally, flags, groups, events, indicators, alerts, risky, by_chance };
        found.count_alerts();
        found.count_events();
        found.count_observables(verdict);
        found.count_entries(verdict);
        found
    }

    /// The sets of groups of [`Self::events`].
    pub(super) fn masks(&self) -> &Masks {
        &self.tally.masks
    }

    /// Events, by the groups that alert in them.
    pub(super) fn events(&self) -> &[(MaskId, u64)] {
        &self.events
    }

    /// The indicators with alerts, those with most first.
    pub(super) fn indicators(&self) -> Vec<IndicatorFacts> {
        self.indicators.clone()
    }

    fn count_alerts(&mut self) {
        let mut is_risky: BTreeMap<u32, bool> = BTreeMap::new();
        for (met, count) in &self.tally.alerts {
            is_risky.clear();
            let mut all_flagged = true;
            for (entry, mask) in met {
                let any = self.flags[*entry as usize].any();
                all_flagged &= any;
                for group in self.tally.masks.groups(*mask) {
                    *is_risky.entry(*group).or_insert(true) &= any;
                }
            }
            self.risky += if all_flagged { *count } else { 0 };
            for (group, is_risky) in &is_risky {
                let group = &mut self.groups[*group as usize];
                group.alerts += count;
                group.risky += if *is_risky { *count } else { 0 };
            }
        }
    }

    fn count_events(&mut self) {
        for (mask, count) in &self.events {
            let alerting = self.tally.masks.groups(*mask);
            for group in alerting {
                let group = &mut self.groups[*group as usize];
                group.events += count;
                *group.fair.entry(alerting.len()).or_default() += count;
            }
        }
        for mask in &self.tally.host_masks {
            add_to(&mut self.groups, self.tally.masks.groups(*mask), |group| &mut group.hosts);
        }
    }

    fn count_observables(&mut self, verdict: &Verdict<'_>) {
        for ((_, value), mask) in &self.tally.observables {
            let groups = self.tally.masks.groups(*mask);
            add_to(&mut self.groups, groups, |group| &mut group.observables);
            let Some(is_true) = verdict.question.judged.and_then(|all| all.of(value)) else {
                continue;
            };
            for group in groups {
                let group = &mut self.groups[*group as usize];
                *(if is_true { &mut group.tp } else { &mut group.fp }) += 1;
            }
        }
    }

    fn count_entries(&mut self, verdict: &Verdict<'_>) {
        let mut of_group: BTreeMap<u32, u64> = BTreeMap::new();
        for ((entry, flags), number_of_entry) in self.tally.entries.iter().zip(&self.flags).zip(0..)
        {
            of_group.clear();
            for (mask, count) in &entry.alerts {
                for group in self.tally.masks.groups(*mask) {
                    *of_group.entry(*group).or_default() += count;
                }
            }
            for (number, alerts) in &of_group {
                let group = &mut self.groups[*number as usize];
                group.hit += 1;
                group.top = group.top.max(*alerts);
                group.prevalent += u64::from(flags.prevalent.is_some());
                let feed = &self.tally.groups.names()[*number as usize].feed;
                let claim = verdict.hits.get(number_of_entry, *number);
                count_times(group, entry, (feed, claim), verdict);
            }
        }
    }

    /// How many of the values that people judged were seen.
    fn judged_values(&self, judged: &Judged) -> u64 {
        let seen = self.tally.observables.keys().map(|(_, value)| &**value);
        seen.filter(|value| judged.of(value).is_some()).collect::<BTreeSet<&str>>().len() as u64
    }

    /// Fills the report in.
    pub(super) fn fill(&self, report: &mut Report, read: &CorpusRead, question: &Question<'_>) {
        let corpus = corpus(&self.tally, read);
        let per_day = |count: u64| corpus.days.map(|days| count as f64 / days);
        let events = self.events.iter().map(|(_, count)| count).sum::<u64>();
        let hosts = corpus.hosts.map(|_| self.tally.host_masks.len() as u64);
        let set = &mut report.set;
        set.events = Some(events);
        set.alerts = Some(self.alerts);
        set.observables = Some(self.tally.observables.len() as u64);
        set.hosts = hosts;
        set.alerts_risky = Some(self.risky);
        set.risky_share = share(self.risky, self.alerts);
        set.alerts_per_day = per_day(self.alerts);
        set.risky_per_day = per_day(self.risky);
        set.indicators_hit = Some(self.tally.entries.len() as u64);
        set.prevalence = corpus.hosts.map(|_| question.prevalence);
        set.verdicts = question.judged.map(|judged| judged.values().count() as u64);
        set.verdicts_seen = question.judged.map(|judged| self.judged_values(judged));
        set.prevalent_by_chance = corpus.hosts.map(|_| self.by_chance);
        let mut held_back: BTreeMap<u32, BTreeMap<String, u64>> = BTreeMap::new();
        for ((group, reason), count) in &self.tally.held_back {
            held_back.entry(*group).or_default().insert((*reason).to_string(), *count);
        }
        for ((number, found), group) in (0..).zip(&self.groups).zip(&mut report.groups) {
            group.held_back = Some(held_back.remove(&number).unwrap_or_default());
            found.fill(group, events, corpus.hosts.is_some());
            group.alerts_per_day = per_day(found.alerts);
            group.risky_per_day = per_day(found.risky);
            group.verdicts = question.judged.map(|_| verdicts(found.tp, found.fp));
        }
        report.corpus = Some(corpus);
        report.event_ids = self.tally.event_ids.text();
    }
}

impl GroupFound {
    fn fill(&self, group: &mut Group, events: u64, has_hosts: bool) {
        group.alerts = Some(self.alerts);
        group.events = Some(self.events);
        group.coverage = share(self.events, events);
        group.events_exclusive = Some(self.fair.get(&1).copied().unwrap_or(0));
        let fair = self.fair.iter().map(|(groups, count)| *count as f64 / *groups as f64);
        // The sum of nothing is -0.
        group.events_fair = Some(fair.sum::<f64>() + 0.0);
        group.observables = Some(self.observables[0]);
        group.observables_exclusive = Some(self.observables[1]);
        group.indicators_hit = Some(self.hit);
        group.yields = share(self.hit, group.live);
        group.hosts = has_hosts.then_some(self.hosts[0]);
        group.hosts_exclusive = has_hosts.then_some(self.hosts[1]);
        group.top_share = share(self.top, self.alerts);
        group.alerts_risky = Some(self.risky);
        group.risky_share = share(self.risky, self.alerts);
        group.prevalent_values = has_hosts.then_some(self.prevalent);
        group.late_share = share(self.late, self.dated_hits);
        // Hits keep a score up, as sightings do.
        group.decayed_entries = group.decayed_entries.saturating_sub(self.revived);
        group.decayed = share(group.decayed_entries, group.dated);
    }
}

/// Adds one to the first member for each group, and to the second if there is only one.
fn add_to(all: &mut [GroupFound], groups: &[u32], member: fn(&mut GroupFound) -> &mut [u64; 2]) {
    for group in groups {
        let counts = member(&mut all[*group as usize]);
        counts[0] += 1;
        counts[1] += u64::from(groups.len() == 1);
    }
}

/// Counts which hits of an entry are older than its publication, and whether they keep it alive.
fn count_times(
    group: &mut GroupFound,
    entry: &EntryTally,
    (feed, claim): (&str, HitClaim),
    verdict: &Verdict<'_>,
) {
    let of_ledger =
        verdict.ledger_summary.and_then(|all| all.published(feed, entry.kind, &entry.value));
    if let Some(published) = of_ledger.or(claim.published) {
        group.late += entry.times.before(published);
        group.dated_hits += entry.times.len();
    }
    if let (Some(newest), Some(hit)) = (claim.newest, entry.last_hit)
        && let Some(dated) = newest.dated
    {
        let has_decayed = |since: Timestamp| {
            has_decayed(newest.confidence, days_between(since, verdict.at), newest.is_phishing)
        };
        group.revived += u64::from(has_decayed(dated) && !has_decayed(dated.max(hit)));
    }
}

/// The flags of an entry with alerts.
fn flagged(entry: &EntryTally, verdict: &Verdict<'_>, hosts: Hosts, total: u64) -> Flags {
    let of_value = verdict.risk.of_match(entry.kind, entry.scope, &entry.value);
    let lists = match value_of(entry.kind, entry.scope, &entry.value) {
        Some(value) if verdict.risk.has_lists() => verdict.risk.lists(entry.kind, &value),
        _ => Vec::new(),
    };
    let began = entry.began.len() as u64;
    let reached = entry.began.union(&entry.unknown).count() as u64;
    let chance =
        |k: u64, of: u64| Chance { hosts: k, of, p: tail(of, k, verdict.question.prevalence) };
    // Who began a contact is one of those who began any; who took part, one of all.
    let (of_began, of_all) = (chance(began, hosts.began), chance(reached, hosts.all));
    let (prevalent, decides) = match () {
        () if of_began.is_unlikely() => (Some("prevalent"), of_began),
        () if entry.unknown.is_empty() => (None, of_began),
        () if of_all.is_unlikely() => (Some("prevalent?"), of_all),
        () => (None, of_all),
    };
    let alerts: u64 = entry.alerts.values().sum();
    Flags {
        rank: of_value.rank,
        lists,
        is_shared: of_value.is_shared,
        hosts: reached,
        chance: (hosts.all > 0).then_some(decides),
        prevalent,
        is_storm: alerts * 2 > total,
    }
}

/// A value as warning lists compare it; patterns are on none.
fn value_of(kind: Kind, scope: Scope, value: &str) -> Option<Value> {
    match (kind, scope) {
        (_, Scope::Wildcard | Scope::Regex) => Some(Value::Text(value.into())),
        (Kind::Ip | Kind::Net, _) => address::parse_net(value).ok().map(Value::Net),
        (Kind::Endpoint, _) => address::parse_endpoint(value).map(|(a, p)| Value::Endpoint(a, p)),
        _ => Some(Value::Text(value.into())),
    }
}

/// The entries with alerts, those with most first.
fn indicators(tally: &mut Tally, flags: &[Flags], risk: &Risk<'_>) -> Vec<IndicatorFacts> {
    let has_hosts = !tally.met.is_empty();
    let mut all: Vec<IndicatorFacts> = Vec::with_capacity(flags.len());
    for (entry, flags) in tally.entries.iter().zip(flags) {
        let masks = entry.alerts.keys();
        let mask = masks.fold(EMPTY, |all, mask| tally.masks.union(all, *mask));
        let groups = tally.masks.groups(mask).iter();
        all.push(IndicatorFacts {
            kind: entry.kind.name().to_string(),
            value: entry.value.to_string(),
            scope: entry.scope.name().to_string(),
            groups: groups.map(|group| tally.groups.name(*group).to_string()).collect(),
            alerts: Some(entry.alerts.values().sum()),
            hosts: has_hosts.then_some(flags.hosts),
            hosts_began: has_hosts.then_some(entry.began.len() as u64),
            p: flags.chance.map(|chance| chance.p),
            p_hosts: flags.chance.map(|chance| chance.hosts),
            p_of: flags.chance.map(|chance| chance.of),
            flags: flags.names().map(str::to_string).collect(),
            rank: flags.rank,
            lists: flags.lists.iter().map(|list| risk.list_name(*list).to_string()).collect(),
            last_hit: entry.last_hit.map(|time| time.to_string()),
        });
    }
    all.sort_by(|a, b| {
        let key = |it: &IndicatorFacts| Reverse(it.alerts);
        key(a)
            .cmp(&key(b))
            .then_with(|| (&a.kind, &a.value, &a.scope).cmp(&(&b.kind, &b.value, &b.scope)))
    });
    all
}

/// The precision of a group.
fn verdicts(tp: u64, fp: u64) -> Verdicts {
    let interval = wilson(tp, tp + fp);
    Verdicts {
        tp,
        fp,
        precision: share(tp, tp + fp),
        low: interval.map(|(low, _)| low),
        high: interval.map(|(_, high)| high),
        too_few: tp + fp < FEW_VERDICTS,
    }
}
