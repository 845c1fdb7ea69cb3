//! What the numbers of a report suggest. Nothing acts upon it.

use super::report::{Action, Advice, Corpus, DropStep, Group, IndicatorFacts, Report};
use super::text::percent;
use std::cmp::Reverse;
use std::collections::HashMap;

/// The most suggestions.
const MAX_ADVICE: usize = 10;

/// How the note ends that says that there are more.
const LEFT_OUT: &str = "more suggestions, with less to gain, are left out";

/// The most groups that a suggestion names.
const MAX_NAMED: usize = 3;

/// A corpus with fewer records says nothing about what could be dropped.
const FEW_RECORDS: u64 = 1000;

/// Days for which a feed that is alive does not stay the same.
const LONG: f64 = 90.0;

/// Replaces the advice of a report by what its numbers suggest, most gain first.
pub fn advise(report: &mut Report) {
    let mut all: Vec<Advice> = Vec::new();
    if report.corpus.is_some() {
        all.extend(report.indicators.iter().filter_map(suppress));
    }
    let too_small = report.corpus.as_ref().and_then(too_small).map(|why| {
        let text = format!("the corpus is too small to drop anything: {why}");
        of_group(Action::None, None, 0, text)
    });
    if too_small.is_none() {
        let steps = report.drop_order.iter().flatten();
        let steps: HashMap<&str, &DropStep> = steps.map(|step| (&*step.group, step)).collect();
        for group in &report.groups {
            let step = steps.get(&*group.name).copied();
            let drop = step.filter(|step| step.is_dropped).map(|step| drop_group(group, step));
            let advice = drop.or_else(|| refresh(group)).or_else(|| narrow(report, group));
            all.extend(advice.or_else(|| step.map(|step| keep(group, step))));
        }
    }
    let is_last = |advice: &Advice| advice.action == Action::Keep;
    all.sort_by_cached_key(|it| (is_last(it), Reverse(it.gain), it.text.clone()));
    let shown = MAX_ADVICE - usize::from(too_small.is_some());
    let left_out = all.len().saturating_sub(shown);
    all.truncate(shown);
    // Whatever else is left out: that nothing can be said of feeds is not.
    all.extend(too_small);
    report.advice = all;
    report.notes.retain(|note| !note.ends_with(LEFT_OUT));
    if left_out > 0 {
        report.notes.push(format!("{left_out} {LEFT_OUT}"));
    }
}

/// Why a corpus says nothing about what could be dropped.
fn too_small(corpus: &Corpus) -> Option<String> {
    let time = |text: &Option<String>| text.as_deref()?.parse::<jiff::Timestamp>().ok();
    let seconds = match (time(&corpus.begin), time(&corpus.end)) {
        (Some(begin), Some(end)) => Some(end.as_second() - begin.as_second()),
        _ => None,
    };
    let mut why = Vec::new();
    if corpus.records < FEW_RECORDS {
        why.push(format!("it has fewer than {FEW_RECORDS} records ({})", corpus.records));
    }
    match seconds {
        None => why.push("its records have no times".to_string()),
        Some(seconds @ ..86_400) => {
            why.push(format!("it spans {:.1} hours, less than a day", seconds as f64 / 3600.0));
        }
        Some(_) => {}
    }
    (!why.is_empty()).then(|| why.join(", and "))
}

fn of_group(action: Action, group: Option<&Group>, gain: u64, text: String) -> Advice {
    let group = group.map(|group| group.name.clone());
    Advice { action, group, value: None, suppress: None, gain, text }
}

fn drop_group(group: &Group, step: &DropStep) -> Advice {
    let text = format!(
        "drop {}: no event is lost without it{}, and other groups cover all but {} of its {} \
         entries",
        group.name,
        after(step),
        step.exclusive,
        group.live
    );
    of_group(Action::Drop, Some(group), group.live, text)
}

/// The groups that must be gone for the numbers of a step.
fn after(step: &DropStep) -> String {
    if step.after.is_empty() {
        return String::new();
    }
    let named = step.after.iter().take(MAX_NAMED).map(|name| &**name).collect::<Vec<_>>();
    let more = step.after.len() - named.len();
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!(" after dropping {}{more}", named.join(", "))
}

/// How many hosts an indicator reached, of those that its likelihood is about.
pub(super) fn hosts_of(indicator: &IndicatorFacts) -> Option<String> {
    Some(format!("{} of {} hosts", indicator.p_hosts?, indicator.p_of?))
}

/// An indicator that is flagged for what it is, and alerts.
fn suppress(indicator: &IndicatorFacts) -> Option<Advice> {
    let alerts = indicator.alerts.filter(|alerts| *alerts > 0)?;
    let mut why = Vec::new();
    for flag in &indicator.flags {
        why.push(match (&**flag, indicator.rank) {
            ("popular", Some(rank)) => format!("popular (rank {rank})"),
            ("listed", _) => format!("on {}", indicator.lists.join(", ")),
            ("prevalent", _) => format!("prevalent ({})", hosts_of(indicator)?),
            _ => continue,
        });
    }
    if why.is_empty() {
        return None;
    }
    let (value, groups) = (&indicator.value, indicator.groups.join(", "));
    let noun = if alerts == 1 { "alert" } else { "alerts" };
    let text = format!("suppress {value} in {groups}: {}, {alerts} {noun}", why.join(", "));
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
    // Only live entries decay, so none is counted twice.
    let (expired, decayed) = (group.expired, group.decayed_entries);
    let (stale, all) = (expired + decayed, expired + group.live);
    let (why, gain) = match unchanged {
        _ if stale * 2 > all => {
            let why = match (expired, decayed) {
                (_, 0) => format!("{expired} of its {all} entries have expired"),
                (0, _) => format!("{decayed} of its {all} live entries have decayed"),
                _ => format!(
                    "{stale} of its {all} entries have expired ({expired}) or decayed ({decayed})"
                ),
            };
            (why, stale)
        }
        Some(days) if days >= LONG => {
            (format!("it has not changed for {days:.0} days"), group.live)
        }
        _ => return None,
    };
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
        "narrow {}: its {} {} values take {}% of its time and never alert",
        group.name,
        worst.values,
        worst.kind,
        percent(Some(cost(worst) / total))
    );
    Some(of_group(Action::Narrow, Some(group), cost(worst) as u64, text))
}

fn keep(group: &Group, step: &DropStep) -> Advice {
    let first = group.history.as_ref().and_then(|history| history.first_share);
    let first = first.map_or(String::new(), |share| {
        format!(", first to list {}% of the values it shares", percent(Some(share)))
    });
    let exclusive = step.events_exclusive;
    let text = format!(
        "keep {}: no other group finds {exclusive} of its events{}{first}",
        group.name,
        after(step)
    );
    of_group(Action::Keep, Some(group), exclusive, text)
}
