//! Which indicators a report lists: those that are flagged first, and how many there are in all.

use super::findings::flags;
use super::groups::Groups;
use super::report::{IndicatorFacts, Report};
use super::risk::Risk;
use super::table::{Flagged, MAX_FLAGGED, SetTable, key};
use hashbrown::HashSet;

/// Lists the indicators that are flagged or have alerts. `hits` are those with alerts, those with
/// most first.
pub(super) fn list(
    report: &mut Report,
    hits: Vec<IndicatorFacts>,
    groups: &Groups,
    table: &SetTable,
    risk: &Risk<'_>,
) {
    let keys = hits.iter().map(|it| key(&it.kind, &it.scope, &it.value));
    let known: HashSet<u64> = keys.collect();
    let quiet = table.flagged_keys.iter().filter(|key| !known.contains(*key)).count();
    let (mut all, others): (Vec<_>, Vec<_>) = hits.into_iter().partition(|it| !it.flags.is_empty());
    let flagged = all.len() + quiet;
    let total = flagged + others.len();
    let alerts = report.corpus.as_ref().map(|_| 0);
    let without_alerts = table.flagged.iter().filter(|it| !known.contains(&it.key()));
    all.extend(without_alerts.map(|it| facts(it, groups, risk, alerts)));
    all.truncate(MAX_FLAGGED);
    report.set.flagged = flagged as u64;
    report.flagged_left_out = (flagged - all.len()) as u64;
    all.extend(others);
    all.truncate(MAX_FLAGGED);
    report.indicators_left_out = (total - all.len()) as u64;
    report.indicators = all;
}

/// An indicator that is flagged and has no alerts.
fn facts(
    flagged: &Flagged,
    groups: &Groups,
    risk: &Risk<'_>,
    alerts: Option<u64>,
) -> IndicatorFacts {
    let rank = (flagged.rank != u64::MAX).then_some(flagged.rank);
    let flags = flags(rank, &flagged.lists, flagged.is_shared);
    IndicatorFacts {
        kind: flagged.kind.name().to_string(),
        value: flagged.value.clone(),
        scope: flagged.scope.name().to_string(),
        groups: flagged.groups.iter().map(|group| groups.name(*group).to_string()).collect(),
        alerts,
        flags: flags.map(str::to_string).collect(),
        rank,
        lists: flagged.lists.iter().map(|list| risk.list_name(*list).to_string()).collect(),
        ..IndicatorFacts::default()
    }
}
