//! What is known of a value, in words: a verdict, its reasons and its doubts.

use crate::engine::indicator::Timestamp;
use crate::exchange::page::components::{Mark, ago, badge};
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::{Pulse, State, Type, Warning};
use crate::exchange::storage::{KnownValue, ValueHit, Votes};
use maud::{Markup, html};
use std::collections::{BTreeMap, BTreeSet};

/// All that the viewer may know of a value.
pub(super) struct Known {
    /// Its indicators in pulses, the newest pulses first.
    pub(super) hits: Vec<ValueHit>,
    /// These pulses.
    pub(super) pulses: Vec<Pulse>,
    /// In how many pulses it is.
    pub(super) count: u64,
    /// Other digests of the file.
    pub(super) siblings: Vec<(Type, String)>,
    /// Networks and names around it that are known.
    pub(super) around: Vec<KnownValue>,
    /// URLs at the host.
    pub(super) urls: Vec<ValueHit>,
    /// Reports of false alarms: when, and whether they were accepted.
    pub(super) reports: Vec<(Timestamp, Option<Timestamp>, bool)>,
    /// Votes.
    pub(super) votes: Option<Votes>,
    /// How often sensors saw it, and on which day last.
    pub(super) seen: (u64, Option<i64>),
    /// What warning lists say.
    pub(super) warnings: Vec<Warning>,
}

impl Known {
    /// The indicators that are matched now.
    fn active(&self) -> impl Iterator<Item = &ValueHit> {
        self.hits.iter().filter(|hit| hit.indicator.state == State::Active)
    }

    /// How many authors have it as active.
    fn authors(&self) -> usize {
        let active: BTreeSet<i64> = self.active().map(|hit| hit.pulse).collect();
        let authors: BTreeSet<i64> = self
            .pulses
            .iter()
            .filter(|pulse| active.contains(&pulse.key))
            .map(|pulse| pulse.author.id.0)
            .collect();
        authors.len()
    }

    /// What authors say that it does, the most frequent first.
    fn roles(&self) -> Vec<String> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for role in self.active().filter_map(|hit| hit.indicator.role.as_ref()) {
            *counts.entry(role.replace('_', " ")).or_default() += 1;
        }
        let mut roles: Vec<(String, usize)> = counts.into_iter().collect();
        roles.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        roles.into_iter().take(3).map(|(role, _)| role).collect()
    }

    fn was_refuted(&self) -> bool {
        self.reports.iter().any(|(_, _, is_accepted)| *is_accepted)
    }
}

/// The verdict.
pub(super) fn verdict(visit: &Visit<'_>, known: &Known) -> Markup {
    let authors = known.authors() as u64;
    let (mark, class, word) = match authors {
        0 if known.hits.is_empty() && known.around.is_empty() => {
            (Mark::Note, "note", "verdict-unknown")
        }
        0 if known.hits.is_empty() => (Mark::Warn, "warn", "verdict-around"),
        0 if known.was_refuted() => (Mark::Calm, "calm", "verdict-refuted"),
        0 => (Mark::Off, "note", "verdict-past"),
        _ if !known.warnings.is_empty() => (Mark::Warn, "warn", "verdict-doubtful"),
        1 => (Mark::Warn, "warn", "verdict-one"),
        _ => (Mark::Alarm, "alarm", "verdict-bad"),
    };
    html! {
        section class=(format!("panel verdict {class}")) aria-label=(visit.say("verdict")) {
            p { (badge(mark, &visit.say(word))) }
            ul { @for reason in reasons(visit, known, authors) { li { (reason) } } }
            @let doubts = doubts(visit, known, authors);
            @if !doubts.is_empty() {
                h2 { (visit.say("doubts")) }
                ul { @for doubt in doubts { li { (doubt) } } }
            }
            @if authors > 0 { p { strong { (visit.say("verdict-next")) } " " (visit.say("verdict-do")) } }
        }
    }
}

fn reasons(visit: &Visit<'_>, known: &Known, authors: u64) -> Vec<String> {
    let now = crate::clock::now();
    let mut all = Vec::new();
    if known.hits.is_empty() {
        all.push(visit.say("checked-pulses"));
        all.push(visit.say("checked-around"));
        all.push(visit.say("checked-lists"));
        if known.around.is_empty() {
            all.push(visit.say("unknown-means"));
        }
        return all;
    }
    if authors > 0 {
        all.push(
            visit.fill(
                "reason-authors",
                &[("count", authors.into()), ("pulses", known.count.into())],
            ),
        );
    } else {
        all.push(visit.fill("reason-past", &[("pulses", known.count.into())]));
    }
    let roles = visit.texts.list(&known.roles());
    if !roles.is_empty() {
        all.push(visit.fill("reason-roles", &[("roles", (&roles).into())]));
    }
    let newest = known.hits.iter().map(|hit| hit.indicator.created).max();
    let oldest = known.hits.iter().map(|hit| hit.indicator.created).min();
    if let (Some(newest), Some(oldest)) = (newest, oldest) {
        let (first, last) = (ago(visit, oldest, now), ago(visit, newest, now));
        all.push(
            visit.fill("reason-when", &[("first", (&first).into()), ("last", (&last).into())]),
        );
    }
    if known.seen.0 > 0 {
        all.push(visit.fill("reason-seen", &[("count", known.seen.0.into())]));
    }
    all
}

fn doubts(visit: &Visit<'_>, known: &Known, authors: u64) -> Vec<String> {
    let mut all = Vec::new();
    if !known.hits.is_empty() {
        for warning in &known.warnings {
            all.push(visit.fill("doubt-list", &[("name", (&warning.name).into())]));
        }
    }
    if authors == 1 {
        all.push(visit.say("doubt-one"));
    }
    if known.was_refuted() {
        all.push(visit.say("doubt-refuted"));
    }
    if let Some(votes) = known.votes.filter(|votes| votes.down > 0) {
        all.push(
            visit.fill("doubt-votes", &[("up", votes.up.into()), ("down", votes.down.into())]),
        );
    }
    all
}
