//! The numbers of a report by their names, for thresholds and for what differs.

use super::report::{Group, Report};
use std::collections::BTreeMap;

/// Why a report may lack a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Absence {
    /// It is not measured in every run.
    Unmeasured,
    /// It is a share or a quantile, and there may be nothing that it is of.
    OfNothing,
    /// It needs something that was not given: inputs, verdicts, lists, a ledger.
    Ungiven,
}

use Absence::{OfNothing, Ungiven, Unmeasured};

/// A number of the set, or of a group.
pub(super) struct Field<T> {
    /// Its name in expressions: that of the JSON. Of a member of an object it is that member's
    /// name, and `age_p50` that of `age.p50`. An object that counts by name is the sum of its
    /// counts.
    pub(super) name: &'static str,
    /// Why there may be none.
    pub(super) absence: Absence,
    /// The number.
    pub(super) of: fn(&T) -> Option<f64>,
}

const fn field<T>(name: &'static str, absence: Absence, of: fn(&T) -> Option<f64>) -> Field<T> {
    Field { name, absence, of }
}

/// The fields of the set.
pub(super) const OF_SET: &[Field<Report>] = &[
    field("alerts", Ungiven, |it| count(it.set.alerts)),
    field("alerts_per_day", Ungiven, |it| it.set.alerts_per_day),
    field("alerts_risky", Ungiven, |it| count(it.set.alerts_risky)),
    field("bytes", Ungiven, |it| all(it.database.bytes)),
    field("entries", Ungiven, |it| all(it.set.entries)),
    field("events", Ungiven, |it| count(it.set.events)),
    field("flagged", Ungiven, |it| all(it.set.flagged)),
    field("groups", Ungiven, |it| all(it.set.groups)),
    field("hosts", Ungiven, |it| count(it.set.hosts)),
    field("indicators_hit", Ungiven, |it| count(it.set.indicators_hit)),
    field("live", Ungiven, |it| all(it.set.live)),
    field("ns_per_mib", Unmeasured, |it| it.cost.as_ref()?.ns_per_mib.map(|cost| cost.median)),
    field("observables", Ungiven, |it| count(it.set.observables)),
    field("prevalence", Ungiven, |it| it.set.prevalence),
    field("prevalent_by_chance", Ungiven, |it| it.set.prevalent_by_chance),
    field("risky_per_day", Ungiven, |it| it.set.risky_per_day),
    field("risky_share", OfNothing, |it| it.set.risky_share),
    field("values", Ungiven, |it| all(it.set.values)),
    field("verdicts", Ungiven, |it| count(it.set.verdicts)),
    field("verdicts_seen", Ungiven, |it| count(it.set.verdicts_seen)),
];

/// The fields of a group.
pub(super) const OF_GROUP: &[Field<Group>] = &[
    field("age_p50", OfNothing, |it| it.age.p50),
    field("age_p90", OfNothing, |it| it.age.p90),
    field("age_undated", OfNothing, |it| it.age.undated),
    field("alerts", Ungiven, |it| count(it.alerts)),
    field("alerts_per_day", Ungiven, |it| it.alerts_per_day),
    field("alerts_risky", Ungiven, |it| count(it.alerts_risky)),
    field("bytes_alone", Unmeasured, |it| count(it.cost.as_ref()?.bytes_alone)),
    field("bytes_marginal", Unmeasured, |it| it.cost.as_ref()?.bytes_marginal.map(|it| it as f64)),
    field("churn", Ungiven, |it| it.history.as_ref()?.churn),
    field("coverage", OfNothing, |it| it.coverage),
    field("dated", Ungiven, |it| all(it.dated)),
    field("decayed", OfNothing, |it| it.decayed),
    field("decayed_entries", Ungiven, |it| all(it.decayed_entries)),
    field("entries", Ungiven, |it| all(it.entries)),
    field("events", Ungiven, |it| count(it.events)),
    field("events_exclusive", Ungiven, |it| count(it.events_exclusive)),
    field("events_fair", Ungiven, |it| it.events_fair),
    field("exclusive", Ungiven, |it| all(it.exclusive)),
    field("exclusive_exact", Ungiven, |it| all(it.exclusive_exact)),
    field("exclusive_share", OfNothing, |it| it.exclusive_share),
    field("expired", Ungiven, |it| all(it.expired)),
    field("first_share", Ungiven, |it| it.history.as_ref()?.first_share),
    field("fp", Ungiven, |it| all(it.verdicts.as_ref()?.fp)),
    field("held_back", Ungiven, |it| sum(it.held_back.as_ref()?)),
    field("hosts", Ungiven, |it| count(it.hosts)),
    field("hosts_exclusive", Ungiven, |it| count(it.hosts_exclusive)),
    field("indicators_hit", Ungiven, |it| count(it.indicators_hit)),
    field("late_share", OfNothing, |it| it.late_share),
    field("latency_p50", Ungiven, |it| it.history.as_ref()?.latency_p50),
    field("latency_p90", Ungiven, |it| it.history.as_ref()?.latency_p90),
    field("listed_values", Ungiven, |it| sum(it.listed_values.as_ref()?)),
    field("live", Ungiven, |it| all(it.live)),
    field("novelty", Ungiven, |it| it.history.as_ref()?.novelty),
    field("ns_per_mib", Unmeasured, |it| it.cost.as_ref()?.ns_per_mib.map(|cost| cost.median)),
    field("observables", Ungiven, |it| count(it.observables)),
    field("observables_exclusive", Ungiven, |it| count(it.observables_exclusive)),
    field("passes_marginal", Unmeasured, |it| {
        it.cost.as_ref()?.passes_marginal.map(|it| it as f64)
    }),
    field("popular_rank", Ungiven, |it| count(it.popular_rank)),
    field("popular_values", Ungiven, |it| count(it.popular_values)),
    field("precision", Ungiven, |it| it.verdicts.as_ref()?.precision),
    field("precision_high", Ungiven, |it| it.verdicts.as_ref()?.high),
    field("precision_low", Ungiven, |it| it.verdicts.as_ref()?.low),
    field("prevalent_values", Ungiven, |it| count(it.prevalent_values)),
    field("residence_days", Ungiven, |it| it.history.as_ref()?.residence_days),
    field("risky_per_day", Ungiven, |it| it.risky_per_day),
    field("risky_share", OfNothing, |it| it.risky_share),
    field("self_covered", Ungiven, |it| all(it.self_covered)),
    field("shared", Ungiven, |it| all(it.history.as_ref()?.shared)),
    field("shared_values", Ungiven, |it| all(it.shared_values)),
    field("top_share", OfNothing, |it| it.top_share),
    field("tp", Ungiven, |it| all(it.verdicts.as_ref()?.tp)),
    field("unchanged_days", Ungiven, |it| it.history.as_ref()?.unchanged_days),
    field("values", Ungiven, |it| all(it.values)),
    field("withheld", Ungiven, |it| sum(&it.withheld)),
    field("yield", OfNothing, |it| it.yields),
];

/// The fields that are shares of what only a corpus has.
pub(super) const OF_CORPUS: &[&str] =
    &["coverage", "late_share", "risky_share", "top_share", "yield"];

/// What a field needs to be known, besides a database and inputs.
pub(super) fn need(name: &str) -> Option<&'static str> {
    match name {
        "fp" | "tp" | "precision" | "precision_high" | "precision_low" | "verdicts"
        | "verdicts_seen" => Some("--verdicts"),
        "popular_rank" | "popular_values" => Some("--popular"),
        "listed_values" => Some("--warninglists"),
        "churn" | "first_share" | "latency_p50" | "latency_p90" | "novelty" | "residence_days"
        | "shared" | "unchanged_days" => Some("the ledger of the feeds (--config)"),
        "bytes_alone" | "bytes_marginal" | "passes_marginal" => Some("--cost=feeds"),
        "ns_per_mib" => Some("--cost=feeds and logs"),
        "hosts" | "hosts_exclusive" | "prevalence" | "prevalent_by_chance" | "prevalent_values" => {
            Some("addresses of home networks in the inputs (--home)")
        }
        "alerts_per_day" | "risky_per_day" => Some("inputs whose records have times"),
        _ => None,
    }
}

/// The field with a name.
pub(super) fn named<T>(fields: &'static [Field<T>], name: &str) -> Option<&'static Field<T>> {
    fields.iter().find(|field| field.name == name)
}

fn all(number: u64) -> Option<f64> {
    Some(number as f64)
}

fn count(number: Option<u64>) -> Option<f64> {
    number.map(|number| number as f64)
}

fn sum(counts: &BTreeMap<String, u64>) -> Option<f64> {
    all(counts.values().sum())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::bench::report::{Age, History, SetFacts, Verdicts};
    use serde::Serialize;

    /// The names of an object's members that are no texts, lists or objects of their own.
    fn members(object: impl Serialize, but: &[&str]) -> Vec<String> {
        let object = serde_json::to_value(object).unwrap();
        let names = object.as_object().unwrap().keys().cloned();
        names.filter(|name| !but.contains(&&**name)).collect()
    }

    #[test]
    fn every_number_of_the_set_and_of_groups_has_a_name() {
        for name in members(SetFacts::default(), &[]) {
            assert!(named(OF_SET, &name).is_some(), "{name}");
        }
        let others = ["name", "feed", "collection", "verdicts", "age", "history", "cost"];
        let mut names = members(Group::default(), &others);
        names.extend(members(History::default(), &[]));
        let of_verdicts = members(Verdicts::default(), &["too_few", "low", "high"]);
        names.extend(of_verdicts);
        let of_age = members(Age::default(), &["survival", "first_seen"]);
        names.extend(of_age.iter().map(|name| format!("age_{name}")));
        for name in names {
            assert!(named(OF_GROUP, &name).is_some(), "{name}");
        }
        assert!(OF_CORPUS.iter().all(|name| named(OF_GROUP, name).is_some()));
        // What is only known in some runs says of which.
        let unknown = OF_GROUP.iter().filter(|it| it.absence == Unmeasured);
        assert!(unknown.clone().count() > 3 && unknown.clone().all(|it| need(it.name).is_some()));
        for names in [
            OF_SET.iter().map(|field| field.name).collect::<Vec<_>>(),
            OF_GROUP.iter().map(|field| field.name).collect(),
        ] {
            assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
        }
    }

    #[test]
    fn objects_that_count_by_name_are_sums() {
        let group = Group {
            withheld: [("private".to_string(), 2), ("listed".to_string(), 3)].into(),
            late_share: Some(0.25),
            verdicts: Some(Verdicts { tp: 7, precision: Some(0.5), ..Verdicts::default() }),
            ..Group::default()
        };
        let of = |name: &str| (named(OF_GROUP, name).unwrap().of)(&group);
        assert_eq!([of("withheld"), of("late_share")], [Some(5.0), Some(0.25)]);
        assert_eq!([of("tp"), of("precision"), of("novelty")], [Some(7.0), Some(0.5), None]);
    }
}
