//! A value: a verdict in words, who says so, and what is around it.

use super::verdict::{Known, verdict};
use crate::engine::error::Result;
use crate::engine::indicator::address;
use crate::engine::indicator::url;
use crate::exchange::accounts::Viewer;
use crate::exchange::http::{Failure, Method, decode};
use crate::exchange::page::components::{
    Column, Field, Kind, Mark, act as button, badge, copied, errors, field, sources, table, time,
    tlp, token, value,
};
use crate::exchange::page::forms::{Form, SMALL, see, send};
use crate::exchange::page::frame::{Page, Place};
use crate::exchange::page::links::{Link, indicator};
use crate::exchange::page::values::{defanged, name};
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::{Pulse, State, Type, normalise, reversed_host};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::{PulseQuery, Selection, ValueHit, View};
use ipnet::IpNet;
use maud::{Markup, html};
use serde_json::json;

/// Pulses that are looked at.
const PULSES: usize = 50;

/// URLs at a host that are shown.
const URLS: usize = 20;

/// What can be done with a value, at the end of a path.
const ACTS: [&str; 2] = ["false_positive", "vote"];

/// The value of the path: its type, normalised, and whether an action follows.
///
/// # Errors
///
/// 404 for a type that there is not, 400 for a value that is none.
fn asked(visit: &Visit<'_>) -> std::result::Result<(Type, String), Failure> {
    let raw = visit.call.param("value");
    // A value that was not encoded has its query in it; one that was has ours after it.
    let raw = if raw.contains("://") { raw } else { raw.split('?').next().unwrap_or(raw) };
    let raw = raw.trim_end_matches('/');
    let end = raw.rsplit_once('/').filter(|(_, end)| ACTS.contains(end)).map(|(value, _)| value);
    let raw = if visit.call.request.method == Method::Post { end.unwrap_or(raw) } else { raw };
    let text = if raw.contains("://") { raw.to_string() } else { decode(raw, false) };
    let kinds = Type::of_slug(visit.call.param("slug"));
    let mut why = None;
    for kind in kinds {
        match normalise(kind, &text) {
            Ok(found) => return Ok(found),
            Err(message) => why = why.or(Some(message)),
        }
    }
    Err(why.map_or_else(Failure::not_found, Failure::bad_request))
}

/// `GET /indicator/{slug}/{value*}`.
pub(in crate::exchange::page) fn show(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    page(&visit, &Form::default())
}

fn page(visit: &Visit<'_>, form: &Form) -> Answer {
    let (kind, norm) = asked(visit)?;
    let viewer = visit.viewer();
    let mut known = visit.read(|view| known(view, viewer, (kind, &norm)))?;
    known.warnings = visit.call.site.warnings.about(kind, &norm);
    let shown = defanged(kind, &norm);
    let api = format!(
        "/api/v1/indicators/{}/{}/general",
        kind.slug(),
        crate::exchange::http::encode(&norm)
    );
    let words = Link::to("/browse").with("q", &norm).text();
    let content = html! {
        p class="meta" { (name(visit, kind)) " · " (visit.say("real-value")) }
        (copied(visit, &norm))
        (verdict(visit, &known))
        @if !known.hits.is_empty() { (said(visit, &known)) }
        (around(visit, &known))
        @if visit.user().is_some() && !known.hits.is_empty() { (acts(visit, form, (kind, &norm), &known)) }
        p { a href=(words) { (visit.say("search-words")) } }
        (sources(visit, &[("API", api)]))
    };
    Ok(Page::new(shown, Place::Browse, content).reply(visit))
}

/// All that a viewer may know of a value, in one moment.
fn known(view: &View<'_>, viewer: Viewer, (kind, norm): (Type, &str)) -> Result<Known> {
    let siblings = view.siblings(viewer, (kind, norm))?;
    let mut same = siblings.clone();
    // A name may be meant with what is below it, or alone.
    let twin = match kind {
        Type::Domain => Some(Type::Hostname),
        Type::Hostname => Some(Type::Domain),
        _ => None,
    };
    same.extend(twin.map(|twin| (twin, norm.to_string())));
    let (mut hits, mut count) = (Vec::new(), 0);
    for (kind, norm) in &same {
        let found = view.hits(viewer, (*kind, norm), PULSES)?;
        count += match found.len() < PULSES {
            true => found.len() as u64,
            false => view.count_hits(viewer, (*kind, norm))?,
        };
        hits.extend(found);
    }
    let mut pulses: Vec<Pulse> = Vec::new();
    for hit in hits.iter().take(PULSES) {
        if pulses.iter().all(|pulse| pulse.key != hit.pulse) {
            pulses.extend(view.pulses(viewer, &PulseQuery::of(Selection::Pulse(hit.pulse)))?);
        }
    }
    let urls = match reversed_host(kind, norm).filter(|_| kind != Type::Url) {
        Some(host) => view.urls_below(viewer, &host, (URLS, 0))?,
        None => Vec::new(),
    };
    let around = view.known_values(viewer, &neighbours(kind, norm))?;
    // That somebody voted, decided or saw something tells of a pulse: only to those who see one.
    let is_known = !hits.is_empty();
    Ok(Known {
        count,
        siblings: siblings.into_iter().skip(1).collect(),
        around,
        urls,
        reports: if is_known { view.false_positives((kind, norm))? } else { Vec::new() },
        votes: if is_known { Some(view.value_votes(viewer, (kind, norm))?) } else { None },
        seen: if is_known { view.sightings((kind, norm))? } else { (0, None) },
        warnings: Vec::new(),
        hits,
        pulses,
    })
}

/// Values that include one: networks around an address, parents of a name, the host of a URL.
fn neighbours(kind: Type, norm: &str) -> Vec<(Type, String)> {
    let mut all = Vec::new();
    match kind {
        Type::IPv4 | Type::IPv6 | Type::Cidr => {
            let Ok(net) = address::parse_net(norm) else { return all };
            let least = if matches!(net, IpNet::V4(_)) { 8 } else { 16 };
            for length in (least..net.prefix_len()).rev() {
                let around = IpNet::new(net.addr(), length).map(|net| net.trunc().to_string());
                all.extend(around.ok().map(|norm| (Type::Cidr, norm)));
            }
        }
        Type::Domain | Type::Hostname => all.extend(parents(norm)),
        Type::Email => {
            if let Some((_, host)) = norm.rsplit_once('@') {
                all.push((Type::Domain, host.to_string()));
                all.extend(parents(host));
            }
        }
        Type::Url => {
            let Ok(url) = url::parse(norm) else { return all };
            let host = url.host().to_string();
            match address::ip_of(host.as_bytes()) {
                Some(_) => all.extend([Type::IPv4, Type::IPv6].map(|kind| (kind, host.clone()))),
                None => {
                    all.extend([Type::Hostname, Type::Domain].map(|kind| (kind, host.clone())));
                    all.extend(parents(&host));
                }
            }
        }
        _ => {}
    }
    all
}

/// The names above a name that have a dot.
fn parents(name: &str) -> impl Iterator<Item = (Type, String)> {
    let above = std::iter::successors(name.split_once('.'), |(_, rest)| rest.split_once('.'));
    above
        .map(|(_, rest)| rest)
        .filter(|rest| rest.contains('.'))
        .map(|rest| (Type::Domain, rest.to_string()))
}

/// Who says so.
fn said(visit: &Visit<'_>, known: &Known) -> Markup {
    let columns = [
        Column::of(visit.say("column-pulse")),
        Column::of(visit.say("author")),
        Column::of(visit.say("column-role")),
        Column::of(visit.say("column-added")),
        Column::of(visit.say("column-state")),
    ];
    let pulse = |key: i64| known.pulses.iter().find(|of| of.key == key);
    let pairs = known.hits.iter().filter_map(|hit| Some((hit, pulse(hit.pulse)?)));
    let rows = pairs.map(|(hit, pulse)| said_row(visit, hit, pulse)).collect();
    html! {
        section {
            h2 { (visit.fill("said-in", &[("count", known.count.into())])) }
            (table(&visit.say("verdict"), &columns, rows))
        }
    }
}

fn said_row(visit: &Visit<'_>, hit: &ValueHit, pulse: &Pulse) -> Vec<Markup> {
    let of = &hit.indicator;
    let state = match of.state {
        State::Active if of.is_suppressed => badge(Mark::Warn, &visit.say("state-flagged")),
        State::Active => badge(Mark::Calm, &visit.say("state-active")),
        State::Inactive | State::Removed => badge(Mark::Off, &visit.say("state-inactive")),
    };
    vec![
        html! {
            a href=(format!("/pulse/{}", pulse.id)) { bdi { (pulse.name) } } " " (tlp(pulse.tlp))
            @if !of.title.is_empty() { p class="small" dir="auto" { (of.title) } }
        },
        html! {
            a href=(Link::to("/browse").with("author", &pulse.author.name).text()) {
                bdi { (pulse.author.name) }
            }
        },
        html! { bdi { (of.role.as_deref().unwrap_or("–").replace('_', " ")) } },
        time(visit, of.created),
        state,
    ]
}

/// What is around it: networks, names, other digests, URLs.
fn around(visit: &Visit<'_>, known: &Known) -> Markup {
    html! {
        @if !known.around.is_empty() {
            section {
                h2 { (visit.say("around")) }
                ul {
                    @for of in &known.around {
                        li {
                            (value(of.kind, &of.norm, &of.norm)) " " (name(visit, of.kind)) " · "
                            (visit.fill("in-pulses", &[("count", of.pulses.into())]))
                        }
                    }
                }
            }
        }
        @if !known.siblings.is_empty() {
            section {
                h2 { (visit.say("siblings")) }
                ul { @for (kind, norm) in &known.siblings {
                    li { (name(visit, *kind)) " " (value(*kind, norm, norm)) }
                } }
            }
        }
        @if !known.urls.is_empty() {
            section {
                h2 { (visit.say("urls")) }
                ul { @for of in &known.urls {
                    li { (value(of.indicator.kind, &of.indicator.norm, &of.indicator.value)) }
                } }
            }
        }
    }
}

/// What somebody can do about it.
fn acts(visit: &Visit<'_>, form: &Form, (kind, norm): (Type, &str), known: &Known) -> Markup {
    let path = indicator(kind, norm);
    let own = known.votes.map_or(0, |votes| votes.own);
    let vote = |text, value: i64| {
        let class = if own == value { "quiet chosen" } else { "quiet" };
        let wanted = if own == value { "0".to_string() } else { value.to_string() };
        button(visit, &format!("{path}/vote"), (text, class), &[("vote", &wanted)])
    };
    html! {
        section {
            h2 { (visit.say("act")) }
            div class="actions" { (vote("vote-bad", 1)) (vote("vote-fine", -1)) }
            (errors(visit, form))
            form method="post" action=(format!("{path}/false_positive")) class="form" {
                (token(visit))
                (field(form, &Field {
                    name: "reason", label: visit.say("false-alarm"), help: visit.say("false-alarm-help"),
                    kind: Kind::Text(2), autocomplete: "off", is_required: true,
                }))
                p { button class="quiet" { (visit.say("false-alarm-send")) } }
            }
        }
    }
}

/// `POST /indicator/{slug}/{value}/vote` and `…/false_positive`.
pub(in crate::exchange::page) fn act(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, SMALL)?;
    let (kind, norm) = asked(&visit)?;
    let is_vote = call.request.path().trim_end_matches('/').ends_with("/vote");
    let (body, what) = match is_vote {
        true => (json!({"vote": form.get("vote").parse::<i64>().ok()}), "voted"),
        false => (json!({"reason": form.get("reason")}), "reported"),
    };
    match send(&visit, (Method::Post, "api/v2/indicators/{slug}/{value*}"), &body) {
        Ok(_) => Ok(see(&format!("{}?done={what}", indicator(kind, &norm)))),
        Err(failure) if failure.status == 400 => {
            let status = failure.status;
            Ok(page(&visit, &form.refused(failure))?.status(status))
        }
        Err(failure) => Err(failure),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_around_a_value() {
        let of = |kind, norm| -> Vec<String> {
            neighbours(kind, norm).into_iter().map(|(_, norm)| norm).collect()
        };
        assert_eq!(of(Type::Hostname, "a.b.example.com"), ["b.example.com", "example.com"]);
        assert_eq!(of(Type::Url, "http://a.example/x"), ["a.example", "a.example"]);
        let nets = of(Type::IPv4, "192.0.2.7");
        assert_eq!(
            (nets.len(), nets[0].as_str(), nets[23].as_str()),
            (24, "192.0.2.6/31", "192.0.0.0/8")
        );
        assert_eq!(
            of(Type::Cidr, "198.51.100.0/24").first().map(String::as_str),
            Some("198.51.100.0/23")
        );
        assert!(of(Type::Md5, "x").is_empty());
    }
}
