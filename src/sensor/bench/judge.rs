//! From counts to the report.

use super::chance::share;
use super::covering::View;
use super::drops::drop_order;
use super::event_ids::MAX_EVENTS;
use super::findings::{Found, Verdict};
use super::greedy::cover;
use super::groups::{GroupBy, Groups};
use super::hit_claims::HitClaims;
use super::ledger::{Ledger, LedgerSummary, quantile};
use super::names::{Judged, Popular};
use super::overlap::overlaps;
use super::report::{
    Age, Corpus, DatabaseFacts, FirstSeen, Group, Report, SCHEMA, SetFacts, Survival,
};
use super::risk::{Lists, Risk};
use super::table::{Contained, SetTable, month_text};
use super::tally::Tally;
use super::{advice, flagged};
use crate::engine::database::Database;
use crate::engine::indicator::Timestamp;
use std::sync::Arc;

/// The lowest rank that is popular by default.
pub const POPULAR_RANK: u64 = 10_000;

/// The expected share of compromised hosts by default.
pub const PREVALENCE: f64 = 0.05;

/// The days of the survival curve.
const DAYS: [u64; 13] = [1, 2, 3, 7, 14, 30, 60, 90, 180, 365, 730, 1095, 1825];

/// What a set is judged by, besides itself and the corpus.
pub struct Question<'q> {
    /// The reference time; default: the latest time of the corpus, else `now`.
    pub at: Option<Timestamp>,
    /// The time of the clock.
    pub now: Timestamp,
    /// Popular names, and the worst rank that counts.
    pub popular: Option<(&'q Popular, u64)>,
    /// Warning lists.
    pub lists: Option<Lists<'q>>,
    /// What people say of observables.
    pub judged: Option<&'q Judged>,
    /// How large a share of hosts may be compromised.
    pub prevalence: f64,
    /// What the store knows of the feeds.
    pub ledger: Option<&'q dyn Ledger>,
}

impl Question<'_> {
    /// A question about the set alone, asked at `now`.
    pub fn new(now: Timestamp) -> Self {
        Question {
            at: None,
            now,
            popular: None,
            lists: None,
            judged: None,
            prevalence: PREVALENCE,
            ledger: None,
        }
    }
}

/// What a scan read, besides what it found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CorpusRead {
    /// Inputs.
    pub inputs: u64,
    /// Bytes, decompressed.
    pub bytes: u64,
    /// Lines of logs.
    pub lines: u64,
    /// Flows of captures.
    pub flows: u64,
    /// Observables that were looked up.
    pub observables: u64,
}

/// A database that is to be judged.
#[derive(Debug)]
pub struct Bench<'d> {
    pub(super) database: &'d Database,
    pub(super) groups: Arc<Groups>,
}

impl<'d> Bench<'d> {
    /// Finds the groups of a database.
    pub fn new(database: &'d Database, by: GroupBy) -> Bench<'d> {
        Bench { database, groups: Arc::new(Groups::of(database, by)) }
    }

    /// The names of the groups, in their order.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.names().iter().map(|group| &*group.name)
    }

    /// What a scan of a corpus counts with.
    pub fn tally(&self) -> Tally {
        Tally::new(Arc::clone(&self.groups))
    }

    /// Judges the set, and what it found.
    pub fn judge(&self, question: &Question<'_>, seen: Option<(Tally, CorpusRead)>) -> Report {
        let latest = seen.as_ref().and_then(|(tally, _)| tally.span).map(|(_, latest)| latest);
        let at = question.at.or(latest).unwrap_or(question.now);
        let risk = Risk::of(self.database, question.popular, question.lists);
        let ledger_summary = question.ledger.map(|ledger| LedgerSummary::read(ledger, at));
        let standings = self.groups.standings(self.database, at, ledger_summary.as_ref());
        let view = View { database: self.database, standings: &standings };
        let entries = seen.as_ref().map_or(&[][..], |(tally, _)| &tally.entries);
        let mut hits = HitClaims::of(entries);
        let mut table = SetTable::of(view, &self.groups, at, &risk, &mut hits);
        let hits = hits.into_found();
        let mut report = self.blank(at);
        self.fill_set(&mut report, &mut table, &risk, ledger_summary.as_ref());
        let mut found = seen.map(|(tally, read)| {
            let ledger_summary = ledger_summary.as_ref();
            let verdict = Verdict { at, question, risk: &risk, hits: &hits, ledger_summary };
            (Found::of(tally, &verdict), read)
        });
        if let Some((found, read)) = &mut found {
            found.fill(&mut report, read, question);
        }
        let events = found.as_ref().map(|(found, _)| (found.masks(), found.events()));
        (report.overlap, report.overlap_left_out) = overlaps(&self.groups, &mut table, events);
        report.cover_events = events.map(|(masks, events)| cover(&self.groups, masks, events));
        report.drop_order =
            events.map(|events| drop_order(&self.groups, &report.groups, &mut table, events));
        let hits = found.as_ref().map(|(found, _)| found.indicators()).unwrap_or_default();
        flagged::list(&mut report, hits, &self.groups, &table, &risk);
        report.notes = notes(question, &report, ledger_summary.as_ref(), at);
        advice::advise(&mut report);
        report
    }

    /// A report about nothing.
    fn blank(&self, at: Timestamp) -> Report {
        Report {
            schema: SCHEMA.to_string(),
            database: DatabaseFacts {
                id: self.database.build_id(),
                built: self.database.built().to_string(),
                bytes: self.database.size() as u64,
            },
            corpus: None,
            at: at.to_string(),
            by: self.groups.by(),
            set: SetFacts { groups: self.groups.len() as u64, ..SetFacts::default() },
            groups: Vec::new(),
            overlap: Vec::new(),
            overlap_left_out: 0,
            indicators: Vec::new(),
            indicators_left_out: 0,
            flagged_left_out: 0,
            cover_values: Vec::new(),
            cover_events: None,
            drop_order: None,
            event_ids: None,
            cost: None,
            advice: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Fills in what the set says by itself.
    fn fill_set(
        &self,
        report: &mut Report,
        table: &mut SetTable,
        risk: &Risk<'_>,
        ledger_summary: Option<&LedgerSummary>,
    ) {
        let names = self.groups.names().iter().zip(&table.groups);
        report.groups = names
            .map(|(name, contained)| {
                let history = ledger_summary.filter(|_| self.groups.by() == GroupBy::Feed);
                let mut group = contained_group(contained, risk);
                group.name.clone_from(&name.name);
                group.feed.clone_from(&name.feed);
                group.collection.clone_from(&name.collection);
                group.history =
                    history.and_then(|ledger_summary| ledger_summary.history(&name.feed));
                group
            })
            .collect();
        for ((holds, others), count) in &table.entries {
            let holders = table.masks.groups(*holds);
            let coverers = table.masks.groups(*others);
            for number in holders {
                let group = &mut report.groups[*number as usize];
                let covers_itself = coverers.binary_search(number).is_ok();
                let is_alone = holders.len() == 1 && coverers.iter().all(|other| other == number);
                group.self_covered += if covers_itself { *count } else { 0 };
                group.exclusive += if is_alone { *count } else { 0 };
            }
        }
        for (mask, count) in &table.values {
            if let [only] = table.masks.groups(*mask) {
                report.groups[*only as usize].exclusive_exact += count;
            }
        }
        for group in &mut report.groups {
            group.exclusive_share = share(group.exclusive, group.live);
        }
        (report.set.values, report.set.entries) = table.totals;
        report.set.live = table.entries.values().sum();
        let covers = table.covers();
        report.cover_values = cover(&self.groups, &table.masks, &covers);
    }
}

/// What a group contains, for the report.
fn contained_group(contained: &Contained, risk: &Risk<'_>) -> Group {
    let withheld = contained.withheld.iter().map(|(reason, count)| ((*reason).into(), *count));
    let withheld: std::collections::BTreeMap<String, u64> = withheld.collect();
    let dated = contained.ages.len() as u64;
    let listed = |(list, name): (u16, &String)| {
        let count = contained.listed.get(&list).copied().unwrap_or(0);
        (count > 0).then(|| (name.clone(), count))
    };
    Group {
        values: contained.values,
        entries: contained.live + contained.expired + withheld.values().sum::<u64>(),
        live: contained.live,
        expired: contained.expired,
        withheld,
        popular_values: risk.has_popular().then_some(contained.popular),
        popular_rank: contained.rank,
        listed_values: risk
            .has_lists()
            .then(|| (0..).zip(risk.list_names()).filter_map(listed).collect()),
        shared_values: contained.shared,
        age: age(contained),
        dated,
        decayed_entries: contained.decayed,
        decayed: share(contained.decayed, dated),
        ..Group::default()
    }
}

/// How old the entries of a group are.
fn age(contained: &Contained) -> Age {
    let in_days = |seconds: u32| f64::from(seconds) / 86_400.0;
    let survival = DAYS.map(|days| {
        let younger = contained.ages.partition_point(|age| u64::from(*age) < days * 86_400);
        Survival { days, entries: (contained.ages.len() - younger) as u64 }
    });
    let months = contained.months.iter();
    let months =
        months.map(|(month, entries)| FirstSeen { month: month_text(*month), entries: *entries });
    Age {
        p50: quantile(&contained.ages, 50).map(in_days),
        p90: quantile(&contained.ages, 90).map(in_days),
        undated: share(contained.undated, contained.live),
        survival: survival.to_vec(),
        first_seen: months.collect(),
    }
}

/// What is missing from a report.
fn notes(
    question: &Question<'_>,
    report: &Report,
    ledger_summary: Option<&LedgerSummary>,
    at: Timestamp,
) -> Vec<String> {
    let mut notes = Vec::new();
    let has_corpus = report.corpus.is_some();
    if !has_corpus {
        notes.push("no inputs: what the set finds is unknown".to_string());
    }
    let begins = ledger_summary.and_then(|ledger_summary| ledger_summary.begins);
    match (question.ledger, begins) {
        (None, _) => notes.push(
            "no ledger of the feeds: novelty, churn, residence and latency are unknown; --config \
             FILE names the configuration whose database this is"
                .into(),
        ),
        _ if report.by == GroupBy::Pulse => {
            notes.push("the ledger is per feed and not shown for pulses".into());
        }
        (_, Some(begins)) if begins > at => notes.push(format!(
            "the ledger begins at {begins}, after the reference time {at}: novelty, churn, \
             residence and latency are unknown; --at sets another time"
        )),
        _ => {}
    }
    if has_corpus && question.judged.is_none() {
        notes.push("no verdicts: precision is unknown".into());
    }
    if has_corpus && report.event_ids.is_none() {
        notes.push(format!("over {MAX_EVENTS} events: they are counted and not identified"));
    }
    notes
}

/// Days from the first to the last time of a corpus, at least 1.
pub(super) fn corpus_days((first, last): (Timestamp, Timestamp)) -> f64 {
    super::decay::days_between(first, last).max(1.0)
}

/// What was read of a corpus.
pub(super) fn corpus(tally: &Tally, read: &CorpusRead) -> Corpus {
    let hosts = tally.met.len() as u64;
    Corpus {
        inputs: read.inputs,
        bytes: read.bytes,
        records: read.lines.saturating_sub(tally.headings) + read.flows + tally.lone_packets,
        observables: read.observables,
        hosts: (hosts > 0).then_some(hosts),
        hosts_began: (hosts > 0).then_some(tally.began.len() as u64),
        events_without_host: tally.events_without_host,
        begin: tally.span.map(|(first, _)| first.to_string()),
        end: tally.span.map(|(_, last)| last.to_string()),
        days: tally.span.map(corpus_days),
    }
}
