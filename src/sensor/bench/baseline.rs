//! Compares a report with an earlier one: what got worse than the thresholds allow.

use super::report::{Group, Interval, Report, SCHEMA};
use crate::engine::error::spelt_json;
use crate::engine::settings::nearest;
use crate::{Error, Result};
use std::collections::BTreeSet;
use std::fmt;

/// What the fields of the set are called in expressions, besides those of a group.
const OF_SET: &[&str] = &[
    "alerts",
    "alerts_per_day",
    "alerts_risky",
    "bytes",
    "entries",
    "events",
    "events_lost",
    "flagged",
    "flagged_new",
    "groups",
    "hosts",
    "live",
    "ns_per_mib",
    "observables",
    "risky_per_day",
    "risky_share",
    "values",
];

/// What the fields of a group are called.
const OF_GROUP: &[&str] = &[
    "age_p50",
    "alerts",
    "alerts_per_day",
    "alerts_risky",
    "bytes_marginal",
    "decayed",
    "events",
    "events_exclusive",
    "exclusive",
    "exclusive_share",
    "expired",
    "hosts",
    "live",
    "ns_per_mib",
    "popular_values",
    "risky_per_day",
    "risky_share",
    "values",
];

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
        let fields = if group.is_some() { OF_GROUP } else { OF_SET };
        if !fields.contains(&field) {
            let near = nearest(field, fields.iter().copied());
            let near = near.map_or(String::new(), |near| format!("; did you mean {near}?"));
            return Err(fail(format!("unknown field {field}{near}")));
        }
        let bound = bound(right).ok_or_else(|| fail(format!("invalid number “{right}”")))?;
        let is_above = text.as_bytes()[at] == b'>';
        Ok(Threshold { text: text.to_string(), group, field: field.to_string(), is_above, bound })
    }

    /// Compares a report with an earlier one.
    ///
    /// # Errors
    ///
    /// Neither report has the group.
    pub fn check(&self, old: &Report, new: &Report) -> Result<Check> {
        let (before, now) = (self.value(old, old)?, self.value(new, old)?);
        let mut check =
            Check { expression: self.text.clone(), old: before, new: now, outcome: Outcome::Fine };
        check.outcome = match (before, now) {
            _ if self.field == "ns_per_mib" => self.costs(old, new, &check),
            (Some(before), Some(now)) => self.outcome(before, now),
            // A value by itself needs no earlier one.
            (None, Some(now)) if matches!(self.bound, Bound::Value(_)) => self.outcome(now, now),
            _ => Outcome::NotComparable("one of the reports does not have it"),
        };
        Ok(check)
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
            return Outcome::NotComparable("one of the reports does not have it");
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
fn of_set(field: &str, report: &Report, old: &Report) -> Option<f64> {
    let set = &report.set;
    let count = |count: u64| Some(count as f64);
    match field {
        "values" => count(set.values),
        "entries" => count(set.entries),
        "live" => count(set.live),
        "groups" => count(set.groups),
        "bytes" => count(report.database.bytes),
        "alerts" => count(set.alerts?),
        "events" => count(set.events?),
        "events_lost" => count(old.set.events?.saturating_sub(set.events?)),
        "observables" => count(set.observables?),
        "hosts" => count(set.hosts?),
        "alerts_risky" => count(set.alerts_risky?),
        "risky_share" => set.risky_share,
        "alerts_per_day" => set.alerts_per_day,
        "risky_per_day" => set.risky_per_day,
        "flagged" => count(flagged(report).len() as u64),
        "flagged_new" => count(flagged(report).difference(&flagged(old)).count() as u64),
        "ns_per_mib" => report.cost.as_ref()?.ns_per_mib.map(|cost| cost.median),
        _ => None,
    }
}

/// A field of a group.
fn of_group(field: &str, group: &Group) -> Option<f64> {
    let count = |count: u64| Some(count as f64);
    match field {
        "values" => count(group.values),
        "live" => count(group.live),
        "expired" => count(group.expired),
        "exclusive" => count(group.exclusive),
        "exclusive_share" => group.exclusive_share,
        "alerts" => count(group.alerts?),
        "alerts_per_day" => group.alerts_per_day,
        "events" => count(group.events?),
        "events_exclusive" => count(group.events_exclusive?),
        "hosts" => count(group.hosts?),
        "alerts_risky" => count(group.alerts_risky?),
        "risky_share" => group.risky_share,
        "risky_per_day" => group.risky_per_day,
        "popular_values" => count(group.popular_values?),
        "decayed" => group.decayed,
        "age_p50" => group.age.p50,
        "bytes_marginal" => group.cost.as_ref()?.bytes_marginal.map(|bytes| bytes as f64),
        "ns_per_mib" => group.cost.as_ref()?.ns_per_mib.map(|cost| cost.median),
        _ => None,
    }
}

/// The flagged indicators of a report.
fn flagged(report: &Report) -> BTreeSet<(&str, &str, &str)> {
    let flagged = report.indicators.iter().filter(|it| !it.flags.is_empty());
    flagged.map(|it| (&*it.kind, &*it.value, &*it.scope)).collect()
}

/// What became of a threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is not met.
    Fine,
    /// It is met: the report is worse than allowed.
    Met,
    /// It cannot be said, and why. That is no failure.
    NotComparable(&'static str),
}

/// A threshold and both numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// The expression.
    pub expression: String,
    /// The value in the baseline.
    pub old: Option<f64>,
    /// The value now.
    pub new: Option<f64>,
    /// What became of it.
    pub outcome: Outcome,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number =
            |value: Option<f64>| value.map_or("unknown".into(), |value| format!("{value}"));
        write!(f, "{}: {} before, {} now", self.expression, number(self.old), number(self.new))?;
        match self.outcome {
            Outcome::Fine => Ok(()),
            Outcome::Met => f.write_str(": the threshold is met"),
            Outcome::NotComparable(why) => write!(f, ": not comparable: {why}"),
        }
    }
}

/// Writes a report as JSON, in one line without its end.
///
/// # Errors
///
/// Never for a report that was made here.
pub fn json(report: &Report) -> Result<String> {
    let json = serde_json::to_string(report)
        .map_err(|e| Error::format(format!("cannot write the report: {e}")))?;
    Ok(spelt_json(&json).into_owned())
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

    #[test]
    fn other_schemas_are_refused() {
        let error = |text: &str| read_report(text.as_bytes()).unwrap_err().to_string();
        assert!(error("{\"schema\":\"wiresift.bench/2\"}").contains("expected wiresift.bench/1"));
        assert!(error("{\"schema\":\"wiresift.bench/1\"}").contains("damaged benchmark report"));
        assert!(error("nothing").contains("not a report of `wiresift bench`"));
    }
}
