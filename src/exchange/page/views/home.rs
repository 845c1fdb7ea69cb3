//! The beginning: what one's own sensors saw, what is new, and what others subscribe to.

use super::browse::shelf;
use crate::engine::indicator::Timestamp;
use crate::exchange::page::components::{
    Bar, Column, Mark, badge, bars, empty, moment, table, value,
};
use crate::exchange::page::frame::{Page, Place};
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::{Type, normalise};
use crate::exchange::site::{Answer, Call, SignUp};
use crate::exchange::storage::{Alert, PulseQuery, Selection, Sort};
use maud::{Markup, html};
use serde_json::Value;
use std::collections::BTreeSet;

/// Alerts that are looked at.
const ALERTS: usize = 1000;

/// Alerts that are shown.
const SHOWN: usize = 5;

/// Pulses of a shelf.
const PULSES: usize = 6;

/// An hour in microseconds.
const HOUR: i64 = 3_600_000_000;

/// `GET /`.
pub(in crate::exchange::page) fn show(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let viewer = visit.viewer();
    let query =
        |selection, sort| PulseQuery { selection, sort, limit: PULSES, ..PulseQuery::default() };
    let (alerts, news, popular) = visit.read(|view| {
        let (alerts, news) = match visit.user() {
            None => (Vec::new(), Vec::new()),
            Some(user) => (
                view.alerts(user, (ALERTS, 0))?,
                view.pulses(viewer, &query(Selection::Activity, Sort::Modified))?,
            ),
        };
        let popular = view.pulses(viewer, &query(Selection::Everything, Sort::Subscribers))?;
        Ok((alerts, news, popular))
    })?;
    let content = html! {
        @if visit.user().is_some() { (sensors(&visit, &alerts)) } @else { (welcome(&visit)) }
        @if !news.is_empty() { (shelf(&visit, (&visit.say("home-news"), "/browse"), &news)) }
        @if !popular.is_empty() {
            (shelf(&visit, (&visit.say("home-popular"), "/browse?sort=popular"), &popular))
        } @else if visit.user().is_some() {
            (empty(&visit.say("home-nothing"), None))
        }
    };
    Ok(Page::new(visit.say("home"), Place::Home, content).reply(&visit))
}

/// What this is, for those who come by.
fn welcome(visit: &Visit<'_>) -> Markup {
    html! {
        section class="summary" {
            p { (visit.say("welcome")) }
            p class="actions" {
                a class="button" href="/sign-in" { (visit.say("sign-in")) }
                @if visit.call.settings().sign_up != SignUp::Closed {
                    a class="button quiet" href="/sign-up" { (visit.say("sign-up")) }
                }
                @if visit.call.settings().anonymous_read {
                    a class="button quiet" href="/browse" { (visit.say("nav-browse")) }
                }
            }
        }
    }
}

/// An alert in the words of the page.
struct Hit {
    at: Timestamp,
    kind: Option<Type>,
    value: String,
    sensor: String,
    /// Whose machine it was: its address, if the sensor says so.
    machine: String,
    severity: u64,
    said_by: Vec<String>,
}

impl Hit {
    fn of(alert: &Alert) -> Hit {
        let body: Value = serde_json::from_str(&alert.body).unwrap_or_default();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_string();
        let indicator = &body["indicators"][0];
        let value = match text(&indicator["value"]) {
            value if value.is_empty() => text(&body["seen"]["value"]),
            value => value,
        };
        let sources = indicator["sources"].as_array().into_iter().flatten();
        let said_by = sources.filter_map(|of| of["collection"].as_str().or(of["feed"].as_str()));
        Hit {
            at: alert.created,
            kind: crate::exchange::page::values::guess(&value),
            sensor: text(&body["host"]),
            machine: text(&body["packet"]["src_ip"]),
            severity: body["severity"].as_u64().unwrap_or(2),
            said_by: said_by.take(3).map(str::to_string).collect(),
            value,
        }
    }

    fn mark(&self, visit: &Visit<'_>) -> Markup {
        match self.severity {
            4.. => badge(Mark::Alarm, &visit.say("severity-4")),
            3 => badge(Mark::Warn, &visit.say("severity-3")),
            2 => badge(Mark::Note, &visit.say("severity-2")),
            _ => badge(Mark::Calm, &visit.say("severity-1")),
        }
    }
}

/// What the reader's own sensors saw within a day.
fn sensors(visit: &Visit<'_>, alerts: &[Alert]) -> Markup {
    let now = crate::clock::now();
    let all: Vec<Hit> =
        alerts.iter().filter(|of| now.0 - of.created.0 < 24 * HOUR).map(Hit::of).collect();
    let count = |name: fn(&Hit) -> &str| {
        let names: BTreeSet<&str> = all.iter().map(name).filter(|of| !of.is_empty()).collect();
        names.len() as u64
    };
    let (machines, values, from) =
        (count(|of| &of.machine), count(|of| &of.value), count(|of| &of.sensor));
    html! {
        section class="summary" aria-label=(visit.say("home-sensors")) {
            @match (alerts.first(), all.is_empty()) {
                (None, _) => {
                    p { (visit.say("sensors-none")) }
                    p { a class="button" href="/api/docs" { (visit.say("sensors-how")) } }
                },
                (Some(last), true) => p {
                    (badge(Mark::Calm, &visit.say("sensors-calm"))) " "
                    (visit.say("sensors-last")) " " (moment(last.created))
                },
                (Some(_), false) => p {
                    (visit.fill("sensors-hits", &[
                        ("hits", (all.len() as u64).into()), ("machines", machines.into()),
                        ("values", values.into()), ("sensors", from.into()),
                    ]))
                },
            }
        }
        @if !all.is_empty() {
            (bars(visit, (&visit.say("sensors-hours"), [visit.say("hour"), visit.say("hits")]), &hours(&all, now)))
            (worst(visit, all))
        }
    }
}

/// Hits by hour, the last one at the end.
fn hours(all: &[Hit], now: Timestamp) -> Vec<Bar> {
    let first = now.0.div_euclid(HOUR) - 23;
    (0..24)
        .map(|at| {
            let from = first + at;
            let text = Timestamp(from * HOUR).to_string();
            let count = all.iter().filter(|of| of.at.0.div_euclid(HOUR) == from).count() as u64;
            Bar { name: text.get(11..16).unwrap_or_default().to_string(), count }
        })
        .collect()
}

/// The worst hits: who, what, when, who says so.
fn worst(visit: &Visit<'_>, mut all: Vec<Hit>) -> Markup {
    all.sort_by_key(|of| (std::cmp::Reverse(of.severity), std::cmp::Reverse(of.at)));
    let columns = [
        Column::of(visit.say("column-severity")),
        Column::of(visit.say("column-value")),
        Column::of(visit.say("column-machine")),
        Column::of(visit.say("column-when")),
        Column::of(visit.say("column-by")),
    ];
    let rows = all.iter().take(SHOWN).map(|of| {
        let norm = of.kind.and_then(|kind| normalise(kind, &of.value).ok());
        vec![
            of.mark(visit),
            html! {
                @if let Some((kind, norm)) = norm { (value(kind, &norm, &of.value)) }
                @else { code class="value" { bdi { (of.value) } } }
            },
            html! { bdi { (if of.machine.is_empty() { &of.sensor } else { &of.machine }) } },
            moment(of.at),
            html! { bdi { (of.said_by.join(", ")) } },
        ]
    });
    let rows = rows.collect();
    html! {
        section {
            h2 { (visit.say("sensors-worst")) }
            p { (visit.say("sensors-next")) }
            (table(&visit.say("sensors-worst"), &columns, rows))
        }
    }
}
