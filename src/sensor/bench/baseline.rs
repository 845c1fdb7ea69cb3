//! Compares a report with an earlier one: what got worse than the thresholds allow.

use super::check::{Check, MISSING, Outcome};
use super::event_ids;
use super::fields::{self, Absence, OF_CORPUS, OF_GROUP, OF_SET};
use super::groups::GroupBy;
use super::report::{Group, Interval, Report, SCHEMA};
use crate::engine::error::escape_json;
use crate::engine::settings::{did_you_mean, nearest};
use crate::{Error, Result};
use std::collections::BTreeSet;

/// Fields of the set that are about two reports.
const OF_BOTH: &[&str] = &["events_lost", "flagged_new"];

/// The most groups that an error lists.
const MAX_NAMED: usize = 20;

const OF_NOTHING: &str = "it is a share of nothing";
const NO_CORPUS: &str = "one of the reports was made without inputs";
const FEWER_INPUTS: &str = "there are fewer inputs or records than before";
const UNIDENTIFIED: &str =
    "events beyond 65536 are counted and not identified; compare their counts with events<-0";
const CUT: &str = "a report does not list all of its flagged indicators; compare flagged>+0";

/// What a number is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Bound {
    /// The number itself.
    Value(f64),
    /// Its difference to the earlier one.
    Difference(f64),
    /// The same as a share of the earlier one.
    Percent(f64),
}

/// A threshold: `events_lost>0`, `risky_per_day>+20%`, `group:otx.live<-50%`.
///
/// A number with a sign is compared with the difference to the baseline, one with `%` against that
/// difference as a share of the baseline's value, and any other against the value itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    text: String,
    group: Option<String>,
    field: String,
    is_above: bool,
    bound: Bound,
}

impl Threshold {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// The expression has no comparison, no such field, or no number.
    pub fn parse(text: &str) -> Result<Threshold> {
        let fail = |what: String| {
            let example = "write FIELD>NUMBER, such as events_lost>0, risky_per_day>+20% or \
                           group:NAME.live<-50%";
            Error::usage(format!("invalid threshold “{text}”: {what}")).remedy(example)
        };
        let at = text.rfind(['<', '>']).ok_or_else(|| fail("expected < or >".into()))?;
        let (left, right) = (text[..at].trim(), text[at + 1..].trim());
        let (group, field) = match left.strip_prefix("group:") {
            Some(rest) => {
                let (name, field) = rest
                    .rsplit_once('.')
                    .ok_or_else(|| fail("expected group:NAME.FIELD".into()))?;
                (Some(name.trim().to_string()), field)
            }
            None => (None, left),
        };
        let names: Vec<&str> = match group {
            Some(_) => OF_GROUP.iter().map(|field| field.name).collect(),
            None => names_of_set().collect(),
        };
        if !names.contains(&field) {
            let near = nearest(field, names);
            let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
            return Err(fail(format!("unknown field {field}{near}")));
        }
        let bound = bound(right).ok_or_else(|| fail(format!("invalid number “{right}”")))?;
        let is_above = text.as_bytes()[at] == b'>';
        Ok(Threshold { text: text.to_string(), group, field: field.to_string(), is_above, bound })
    }

    /// The expression, as it was read.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it says nothing about a report alone.
    pub fn needs_baseline(&self) -> bool {
        !matches!(self.bound, Bound::Value(_)) || OF_BOTH.contains(&&*self.field)
    }

    /// Whether it is about costs, which have to be measured for it.
    pub fn needs_cost(&self) -> bool {
        ["ns_per_mib", "bytes_marginal"].contains(&&*self.field)
    }

    /// Refuses a threshold on a group that neither the set nor a former report has, before
    /// anything is scanned for it.
    ///
    /// # Errors
    ///
    /// It is on one; the error lists some of `groups`.
    pub fn check_group(&self, groups: &[&str], old: Option<&Report>) -> Result<()> {
        let Some(name) = &self.group else { return Ok(()) };
        let is_former = old.is_some_and(|old| group(old, name).is_some());
        if is_former || groups.contains(&&**name) {
            return Ok(());
        }
        let nobody = match old {
            Some(_) => "neither the database nor the baseline has a",
            None => "the database has no",
        };
        let meant = did_you_mean(name, groups.iter().copied());
        let what = format!("--fail {}: {nobody} group “{name}”{meant}", self.text);
        // Enough to recognise a slip; there can be thousands of pulses.
        let known = groups.iter().take(MAX_NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if groups.len() > MAX_NAMED { ", …" } else { "" };
        Err(Error::usage(what).remedy(format!("the database has {known}{more}")))
    }

    /// Holds a report against a former one, which only thresholds on values can do without.
    ///
    /// # Errors
    ///
    /// Neither report has the group, the two compare different things, or there is no former
    /// report and the threshold needs one.
    pub fn check(&self, old: Option<&Report>, new: &Report) -> Result<Check> {
        let Some(old) = old else {
            if self.needs_baseline() {
                let what = format!("{} needs a former report", self.text);
                return Err(Error::usage(what).remedy("name one with --baseline"));
            }
            let now = self.value(new, new)?;
            let outcome = match now {
                Some(now) => self.outcome(now, now),
                None => self.unknown(new, new),
            };
            return Ok(Check { new: now, outcome, ..self.open(false) });
        };
        same_groups(old, new.by)?;
        let (before, now) = (self.value(old, old)?, self.value(new, old)?);
        let mut check = Check { old: before, new: now, ..self.open(true) };
        check.outcome = match (&*self.field, before, now) {
            ("ns_per_mib", ..) => self.costs(old, new, &check),
            ("events_lost", ..) => self.count(events_lost(old, new), &mut check),
            ("flagged_new", ..) => self.count(flagged_new(old, new), &mut check),
            (_, Some(before), Some(now)) => self.outcome(before, now),
            // A value by itself needs no former one.
            (_, None, Some(now)) if matches!(self.bound, Bound::Value(_)) => self.outcome(now, now),
            _ => self.unknown(old, new),
        };
        Ok(check)
    }

    /// A check of which nothing is known yet.
    fn open(&self, has_baseline: bool) -> Check {
        let (expression, field) = (self.text.clone(), self.field.clone());
        Check { expression, field, has_baseline, old: None, new: None, outcome: Outcome::Fine }
    }

    /// What comes of a count that may not be known exactly.
    fn count(&self, count: Count, check: &mut Check) -> Outcome {
        match count {
            Count::Exact(count) => {
                check.new = Some(count as f64);
                self.outcome(0.0, count as f64)
            }
            Count::AtLeast(count, why) => {
                check.new = Some(count as f64).filter(|_| count > 0);
                match self.outcome(0.0, count as f64) {
                    Outcome::Met if self.is_above => Outcome::Met,
                    _ => Outcome::Unknown(why),
                }
            }
        }
    }

    /// What comes of a field that a report does not have.
    fn unknown(&self, old: &Report, new: &Report) -> Outcome {
        let have_corpora = old.corpus.is_some() && new.corpus.is_some();
        let name = &*self.field;
        let absence = match self.group {
            Some(_) => fields::named(OF_GROUP, name).map(|field| field.absence),
            None => fields::named(OF_SET, name).map(|field| field.absence),
        };
        match absence {
            Some(Absence::Unmeasured) => Outcome::NotComparable(MISSING),
            Some(Absence::OfNothing) if have_corpora || !OF_CORPUS.contains(&name) => {
                Outcome::NotComparable(OF_NOTHING)
            }
            // Without the object that contains it, nobody knows whether it is of nothing.
            _ if self.is_of_nothing(old) && self.is_of_nothing(new) => {
                Outcome::NotComparable(OF_NOTHING)
            }
            _ if !have_corpora => Outcome::Unknown(NO_CORPUS),
            _ => Outcome::Unknown(MISSING),
        }
    }

    /// Whether a report has all that the field of the group is computed from.
    fn is_of_nothing(&self, report: &Report) -> bool {
        let Some(group) = self.group.as_ref().and_then(|name| group(report, name)) else {
            return false;
        };
        match &*self.field {
            "precision" | "precision_low" | "precision_high" => group.verdicts.is_some(),
            "popular_rank" => group.popular_values.is_some(),
            "latency_p50" | "latency_p90" | "first_share" => {
                group.history.as_ref().is_some_and(|history| history.shared == 0)
            }
            _ => false,
        }
    }

    /// Whether a change of this size meets the threshold.
    fn outcome(&self, before: f64, now: f64) -> Outcome {
        let (value, bound) = match self.bound {
            Bound::Value(bound) => (now, bound),
            Bound::Difference(bound) => (now - before, bound),
            // From nothing, any change is beyond all bounds.
            Bound::Percent(bound) if before == 0.0 && now != before => {
                (f64::INFINITY.copysign(now), bound)
            }
            Bound::Percent(bound) if before == 0.0 => (0.0, bound),
            Bound::Percent(bound) => ((now - before) / before.abs() * 100.0, bound),
        };
        let is_met = if self.is_above { value > bound } else { value < bound };
        if is_met { Outcome::Met } else { Outcome::Fine }
    }

    /// Times are only compared on one machine, and if their intervals do not overlap.
    fn costs(&self, old: &Report, new: &Report, check: &Check) -> Outcome {
        let machine = |report: &Report| report.cost.as_ref().map(|cost| cost.machine.clone());
        let intervals = (self.interval(old), self.interval(new));
        let (Some(before), Some(now), (Some(a), Some(b))) = (check.old, check.new, intervals)
        else {
            return Outcome::NotComparable(MISSING);
        };
        if machine(old) != machine(new) {
            return Outcome::NotComparable("the machines differ");
        }
        if a.low <= b.high && b.low <= a.high {
            return Outcome::NotComparable("the intervals overlap");
        }
        self.outcome(before, now)
    }

    fn interval(&self, report: &Report) -> Option<Interval> {
        match &self.group {
            None => report.cost.as_ref()?.ns_per_mib,
            Some(name) => group(report, name)?.cost.as_ref()?.ns_per_mib,
        }
    }

    /// The value of the field in a report.
    fn value(&self, report: &Report, old: &Report) -> Result<Option<f64>> {
        let Some(name) = &self.group else { return Ok(of_set(&self.field, report, old)) };
        match (group(report, name), group(old, name)) {
            (Some(group), _) => Ok(of_group(&self.field, group)),
            // A group that is gone has nothing left.
            (None, Some(_)) => Ok(Some(0.0)),
            (None, None) if std::ptr::eq(report, old) => Ok(None),
            (None, None) => {
                let names = report.groups.iter().map(|group| &*group.name);
                let near = nearest(name, names);
                let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
                Err(Error::usage(format!("{}: neither report has a group {name}{near}", self.text)))
            }
        }
    }
}

fn group<'r>(report: &'r Report, name: &str) -> Option<&'r Group> {
    report.groups.iter().find(|group| group.name == name)
}

/// A number with an optional sign and an optional percent sign.
fn bound(text: &str) -> Option<Bound> {
    let number = text.strip_suffix('%').map(str::trim_end).unwrap_or(text);
    let is_plain = number.bytes().all(|byte| byte.is_ascii_digit() || b"+-.".contains(&byte));
    let value: f64 = number.parse().ok().filter(|_| is_plain)?;
    Some(match number.as_bytes().first() {
        _ if number.len() < text.len() => Bound::Percent(value),
        Some(b'+' | b'-') => Bound::Difference(value),
        _ => Bound::Value(value),
    })
}

/// A field of the set.
pub(super) fn of_set(field: &str, report: &Report, old: &Report) -> Option<f64> {
    let count = |count: Count| count.exact().map(|count| count as f64);
    match field {
        "events_lost" => count(events_lost(old, report)),
        "flagged_new" => count(flagged_new(old, report)),
        field => (fields::named(OF_SET, field)?.of)(report),
    }
}

/// The names of the fields of the set.
pub(super) fn names_of_set() -> impl Iterator<Item = &'static str> {
    OF_SET.iter().map(|field| field.name).chain(OF_BOTH.iter().copied())
}

/// A field of a group.
pub(super) fn of_group(field: &str, group: &Group) -> Option<f64> {
    (fields::named(OF_GROUP, field)?.of)(group)
}

/// A count that two reports give, perhaps only a lower bound and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Exact(u64),
    AtLeast(u64, &'static str),
}

impl Count {
    fn exact(self) -> Option<u64> {
        match self {
            Count::Exact(count) => Some(count),
            Count::AtLeast(..) => None,
        }
    }
}

/// Events of `old` that `new` does not have. The inputs may have grown meanwhile.
fn events_lost(old: &Report, new: &Report) -> Count {
    let (Some(before), Some(now)) = (&old.corpus, &new.corpus) else {
        return Count::AtLeast(0, NO_CORPUS);
    };
    if now.inputs < before.inputs || now.records < before.records {
        return Count::AtLeast(0, FEWER_INPUTS);
    }
    match (&old.event_ids, &new.event_ids) {
        (Some(before), Some(now)) => Count::Exact(event_ids::lost(before, now)),
        _ => {
            let fewer = old.set.events.unwrap_or(0).saturating_sub(new.set.events.unwrap_or(0));
            Count::AtLeast(fewer, UNIDENTIFIED)
        }
    }
}

/// Flagged indicators of `new` that `old` does not have.
fn flagged_new(old: &Report, new: &Report) -> Count {
    let listed = flagged(new).difference(&flagged(old)).count() as u64;
    let more = new.set.flagged.saturating_sub(old.set.flagged);
    match (old.flagged_left_out, new.flagged_left_out) {
        (0, 0) => Count::Exact(listed),
        (0, _) => Count::AtLeast(more.max(listed), CUT),
        _ => Count::AtLeast(more, CUT),
    }
}

/// Refuses a former report whose groups are of another kind than those of a new one.
///
/// # Errors
///
/// They are.
pub fn same_groups(old: &Report, by: GroupBy) -> Result<()> {
    if old.by == by {
        return Ok(());
    }
    let name = |by| if by == GroupBy::Feed { "feed" } else { "pulse" };
    let (before, now) = (name(old.by), name(by));
    let what = format!("the baseline was made with --by {before}, and this report with --by {now}");
    Err(Error::usage(what).remedy(format!("compare with --by {before}, or make a new baseline")))
}

/// The flagged indicators of a report, as far as it lists them.
fn flagged(report: &Report) -> BTreeSet<(&str, &str, &str)> {
    let flagged = report.indicators.iter().filter(|it| !it.flags.is_empty());
    flagged.map(|it| (&*it.kind, &*it.value, &*it.scope)).collect()
}

/// Writes a report as JSON, in one line without its end.
///
/// # Errors
///
/// Never for a report that was made here.
pub fn json(report: &Report) -> Result<String> {
    let json = serde_json::to_string(report)
        .map_err(|e| Error::format(format!("cannot write the report: {e}")))?;
    Ok(escape_json(&json).into_owned())
}

/// Reads a report that was written before.
///
/// # Errors
///
/// The text is no report, or one of another schema.
pub fn read_report(text: &[u8]) -> Result<Report> {
    #[derive(serde::Deserialize)]
    struct Head {
        schema: String,
    }
    let remedy = "write one with `wiresift bench --format json -o FILE`";
    let head: Head = serde_json::from_slice(text).map_err(|e| {
        Error::format(format!("not a report of `wiresift bench`: {e}")).remedy(remedy)
    })?;
    if head.schema != SCHEMA {
        let what = format!("its schema is {}, expected {SCHEMA}", head.schema);
        return Err(Error::format(what).remedy(remedy));
    }
    serde_json::from_slice(text)
        .map_err(|e| Error::format(format!("damaged benchmark report: {e}")).remedy(remedy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_read_or_refused() {
        for text in ["events_lost>0", " risky_per_day > +20% ", "group:a.b.live<-50%", "bytes>+10"]
        {
            Threshold::parse(text).unwrap();
        }
        for (text, why) in [
            ("events", "expected < or >"),
            ("evnts>0", "did you mean events?"),
            ("events>x", "invalid number “x”"),
            ("events>1e3", "invalid number “1e3”"),
            ("events>", "invalid number “”"),
            ("group:live>3", "expected group:NAME.FIELD"),
            ("group:a.bytes>3", "unknown field bytes"),
        ] {
            let error = Threshold::parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }

    #[test]
    fn changes_are_measured_against_the_baseline() {
        let met = |text: &str, before: f64, now: f64| {
            Threshold::parse(text).unwrap().outcome(before, now) == Outcome::Met
        };
        assert!(met("live>+20%", 100.0, 121.0) && !met("live>+20%", 100.0, 120.0));
        assert!(met("live<-50%", 100.0, 49.0) && !met("live<-50%", 100.0, 50.0));
        assert!(met("live>+20%", 0.0, 1.0) && !met("live>+20%", 0.0, 0.0));
        assert!(met("live>+5", 1.0, 7.0) && !met("live>5", 7.0, 5.0) && met("live>5", 7.0, 6.0));
    }

    /// A report with events and flagged indicators, of which some are not listed.
    fn counted(ids: Option<&str>, flagged: &[&str], left_out: u64) -> Report {
        use crate::sensor::bench::report::{Corpus, IndicatorFacts, SetFacts};
        let facts = |value: &&str| IndicatorFacts {
            value: value.to_string(),
            flags: vec!["listed".into()],
            ..IndicatorFacts::default()
        };
        let database = crate::Compiler::default()
            .into_bytes(crate::engine::indicator::Timestamp(0))
            .and_then(crate::Database::from_bytes)
            .unwrap();
        let question = crate::sensor::bench::Question::new(crate::engine::indicator::Timestamp(0));
        let blank =
            crate::sensor::bench::Bench::new(&database, GroupBy::Feed).judge(&question, None);
        let events = ids.map_or(100_000, |ids| ids.len() as u64 / 12);
        Report {
            corpus: Some(Corpus::default()),
            set: SetFacts {
                events: Some(events),
                flagged: flagged.len() as u64 + left_out,
                ..SetFacts::default()
            },
            indicators: flagged.iter().map(facts).collect(),
            flagged_left_out: left_out,
            event_ids: ids.map(str::to_string),
            ..blank
        }
    }

    fn held(text: &str, old: &Report, new: &Report) -> Outcome {
        Threshold::parse(text).unwrap().check(Some(old), new).unwrap().outcome
    }

    #[test]
    fn as_many_events_as_before_may_be_others() {
        let (one, two) = ("000000000001", "000000000002");
        let [old, same, other, many] =
            [Some(one), Some(one), Some(two), None].map(|ids| counted(ids, &[], 0));
        assert_eq!(held("events_lost>0", &old, &same), Outcome::Fine);
        assert_eq!(held("events_lost>0", &old, &other), Outcome::Met);
        assert_eq!(held("events_lost>0", &old, &many), Outcome::Unknown(UNIDENTIFIED));
        assert_eq!(held("events_lost>0", &many, &old), Outcome::Met);
        let alone = Report { corpus: None, ..counted(None, &[], 0) };
        assert_eq!(held("events_lost>0", &old, &alone), Outcome::Unknown(NO_CORPUS));
        let mut more = old.clone();
        more.corpus.iter_mut().for_each(|corpus| corpus.records += 1);
        assert_eq!(held("events_lost>0", &more, &old), Outcome::Unknown(FEWER_INPUTS));
        assert_eq!(held("events_lost>0", &old, &more), Outcome::Fine);
    }

    #[test]
    fn flags_that_are_not_listed_are_no_excuse() {
        let of = |flagged: &[&str], left_out| counted(None, flagged, left_out);
        let old = of(&["a", "b"], 0);
        assert_eq!(held("flagged_new>0", &old, &of(&["b"], 0)), Outcome::Fine);
        assert_eq!(held("flagged_new>0", &old, &of(&["c"], 0)), Outcome::Met);
        assert_eq!(held("flagged_new>0", &old, &of(&["a"], 1)), Outcome::Unknown(CUT));
        assert_eq!(held("flagged_new>0", &old, &of(&["c"], 1)), Outcome::Met);
        assert_eq!(held("flagged_new>0", &of(&["a"], 5), &of(&["b"], 5)), Outcome::Unknown(CUT));
        assert_eq!(held("flagged_new>0", &of(&["a"], 5), &of(&["a"], 9)), Outcome::Met);
        assert_eq!(held("flagged>+2", &of(&["a"], 5), &of(&["a"], 7)), Outcome::Fine);
        assert_eq!(held("flagged>+2", &of(&["a"], 5), &of(&["a"], 8)), Outcome::Met);
    }

    #[test]
    fn thresholds_on_values_need_no_baseline_and_groups_must_be_alike() {
        let new = counted(None, &["a"], 0);
        let alone = |text: &str| Threshold::parse(text).unwrap().check(None, &new);
        assert_eq!(alone("flagged>0").unwrap().outcome, Outcome::Met);
        assert_eq!(alone("flagged>1").unwrap().outcome, Outcome::Fine);
        for text in ["flagged>+0", "flagged>5%", "events_lost>0", "flagged_new>0"] {
            assert!(alone(text).unwrap_err().to_string().contains("needs a former report"));
        }
        let pulses = Report { by: GroupBy::Pulse, ..new.clone() };
        let error = Threshold::parse("live>0").unwrap().check(Some(&pulses), &new).unwrap_err();
        assert!(error.to_string().contains("made with --by pulse"), "{error}");
    }

    #[test]
    fn what_is_not_there_is_of_nothing_or_not_given() {
        use crate::sensor::bench::report::Verdicts;
        let with = |verdicts: Option<Verdicts>, late_share: Option<f64>| {
            let group = Group { name: "a".into(), verdicts, late_share, ..Group::default() };
            Report { groups: vec![group], ..counted(None, &[], 0) }
        };
        let (none, judged) = (with(None, None), with(Some(Verdicts::default()), Some(0.4)));
        let of_nothing = Outcome::NotComparable(OF_NOTHING);
        assert_eq!(held("group:a.late_share>0.3", &none, &judged), Outcome::Met);
        assert_eq!(held("group:a.late_share>0.5", &none, &judged), Outcome::Fine);
        assert_eq!(held("group:a.late_share>0.3", &judged, &none), of_nothing);
        assert_eq!(held("group:a.precision<0.9", &judged, &judged), of_nothing);
        assert_eq!(held("group:a.precision<0.9", &none, &judged), Outcome::Unknown(MISSING));
        assert_eq!(held("group:a.bytes_alone>1", &none, &none), Outcome::NotComparable(MISSING));
        assert_eq!(held("group:a.novelty>0.5", &none, &none), Outcome::Unknown(MISSING));
        let alone = Report { corpus: None, ..none.clone() };
        assert_eq!(held("group:a.yield<0.1", &alone, &alone), Outcome::Unknown(NO_CORPUS));
        assert_eq!(held("group:a.exclusive_exact<1", &none, &none), Outcome::Met);
    }

    #[test]
    fn other_schemas_are_refused() {
        let error = |text: &str| read_report(text.as_bytes()).unwrap_err().to_string();
        assert!(error("{\"schema\":\"wiresift.bench/2\"}").contains("expected wiresift.bench/1"));
        assert!(error("{\"schema\":\"wiresift.bench/1\"}").contains("damaged benchmark report"));
        assert!(error("nothing").contains("not a report of `wiresift bench`"));
    }
}
