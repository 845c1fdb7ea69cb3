//! What the numbers of a report suggest. Nothing acts upon it.

use super::report::{Action, Advice, Group, IndicatorFacts, Report};
use std::cmp::Reverse;

/// The maximum number of suggestions.
const MOST: usize = 10;

/// A corpus with fewer records says nothing about what could be dropped.
const FEW_RECORDS: u64 = 1000;

/// Days for which a feed that is alive does not stay the same.
const LONG: f64 = 90.0;

/// Replaces the advice of a report by what its numbers suggest.
pub fn advise(report: &mut Report) {
    let is_small = report.corpus.as_ref().is_some_and(|corpus| {
        corpus.records < FEW_RECORDS || !spans_a_day(corpus.begin.as_deref(), corpus.end.as_deref())
    });
    let mut all: Vec<Advice> = Vec::new();
    if report.corpus.is_some() {
        all.extend(report.indicators.iter().filter_map(suppress));
    }
    if is_small {
        let text = "the corpus is too small to drop anything: it has under 1000 records, or less \
                    than a day";
        all.push(of_group(Action::None, None, 0, text.to_string()));
    } else {
        let of_kinds = |group: &Group| narrow(report, group);
        for group in &report.groups {
            let advice = drop_group(group).or_else(|| refresh(group)).or_else(|| of_kinds(group));
            all.extend(advice.or_else(|| keep(group)));
        }
    }
    let rank = |advice: &Advice| match advice.action {
        Action::Keep => 1,
        Action::None => 2,
        _ => 0,
    };
    all.sort_by_cached_key(|it| (rank(it), Reverse(it.gain), it.text.clone()));
    // That the corpus is too small is said, however much there is to suppress.
    let last = all.pop_if(|last| last.action == Action::None);
    all.truncate(MOST - usize::from(last.is_some()));
    all.extend(last);
    report.advice = all;
}

/// Whether there is a day between two times in RFC 3339.
fn spans_a_day(begin: Option<&str>, end: Option<&str>) -> bool {
    let time = |text: Option<&str>| text?.parse::<jiff::Timestamp>().ok();
    let (Some(begin), Some(end)) = (time(begin), time(end)) else { return false };
    end.as_second() - begin.as_second() >= 86_400
}

fn of_group(action: Action, group: Option<&Group>, gain: u64, text: String) -> Advice {
    let group = group.map(|group| group.name.clone());
    Advice { action, group, value: None, suppress: None, gain, text }
}

fn drop_group(group: &Group) -> Option<Advice> {
    let share = group.exclusive_share.unwrap_or(0.0);
    if group.events_exclusive? > 0 || share >= 0.01 {
        return None;
    }
    let text = format!(
        "drop {}: no event is lost without it, and other groups cover all but {} of its {} entries",
        group.name, group.exclusive, group.live
    );
    Some(of_group(Action::Drop, Some(group), group.live, text))
}

/// An indicator that is flagged for what it is, and alerts.
fn suppress(indicator: &IndicatorFacts) -> Option<Advice> {
    let alerts = indicator.alerts.filter(|alerts| *alerts > 0)?;
    let mut why = Vec::new();
    for flag in &indicator.flags {
        why.push(match (&**flag, indicator.rank, indicator.hosts) {
            ("popular", Some(rank), _) => format!("popular (rank {rank})"),
            ("listed", ..) => format!("on {}", indicator.lists.join(", ")),
            ("prevalent", _, Some(hosts)) => format!("prevalent ({hosts} hosts)"),
            _ => continue,
        });
    }
    if why.is_empty() {
        return None;
    }
    let (value, groups) = (&indicator.value, indicator.groups.join(", "));
    let text = format!("suppress {value} in {groups}: {}, {alerts} alerts", why.join(", "));
    Some(Advice {
        action: Action::Suppress,
        group: Some(groups).filter(|_| indicator.groups.len() == 1),
        value: Some(value.clone()),
        suppress: Some(value.clone()),
        gain: alerts,
        text,
    })
}

fn refresh(group: &Group) -> Option<Advice> {
    let unchanged = group.history.as_ref().and_then(|history| history.unchanged_days);
    let decayed = group.decayed.unwrap_or(0.0);
    let why = match unchanged {
        _ if group.expired * 2 > group.entries => {
            format!("{} of its {} entries have expired", group.expired, group.entries)
        }
        _ if decayed > 0.5 => format!("{:.0}% of its dated entries have decayed", decayed * 100.0),
        Some(days) if days >= LONG => format!("it has not changed for {days:.0} days"),
        _ => return None,
    };
    let gain = group.expired.max((decayed * group.live as f64) as u64);
    let text = format!("refresh or drop {}: {why}", group.name);
    Some(of_group(Action::Refresh, Some(group), gain, text))
}

/// A kind with most of a group's cost and without an alert.
fn narrow(report: &Report, group: &Group) -> Option<Advice> {
    let kinds = report.cost.as_ref()?.kinds.as_ref()?;
    let kinds: Vec<_> = kinds.iter().filter(|kind| kind.group == group.name).collect();
    let cost = |of: &super::report::KindCost| {
        let known = of.ns_per_mib.filter(|_| of.below_noise != Some(true));
        known.map_or(0.0, |cost| cost.median.max(0.0))
    };
    let total: f64 = kinds.iter().map(|kind| cost(kind)).sum();
    let worst = kinds.iter().find(|kind| kind.alerts == 0 && cost(kind) * 2.0 > total)?;
    let text = format!(
        "narrow {}: its {} {} values take {:.0}% of its time and never alert",
        group.name,
        worst.values,
        worst.kind,
        cost(worst) / total * 100.0
    );
    Some(of_group(Action::Narrow, Some(group), cost(worst) as u64, text))
}

fn keep(group: &Group) -> Option<Advice> {
    let exclusive = group.events_exclusive?;
    let first = group.history.as_ref().and_then(|history| history.first_share);
    let first = first.map_or(String::new(), |share| {
        format!(", first to list {:.0}% of the values it shares", share * 100.0)
    });
    let text =
        format!("keep {}: no other group finds {exclusive} of its events{first}", group.name);
    Some(of_group(Action::Keep, Some(group), exclusive, text))
}
