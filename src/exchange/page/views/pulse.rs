//! A pulse: what it says in words, its facts, its indicators, its history and its relations.

use super::pulse_parts::{around, changes, detail, opened, summary};
use crate::exchange::export::Format;
use crate::exchange::http::{Method, Query};
use crate::exchange::page::components::{
    Column, FacetRow, Field, Kind, Mark, badge, copied, empty, facet, field, pager, pulse_card,
    sources, table, time, value,
};
use crate::exchange::page::forms::{Form, SMALL, see, send};
use crate::exchange::page::links::{Link, own_path};
use crate::exchange::page::values;
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::{Pulse, State, Type};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::{Entry, EntryQuery, PulseQuery, Selection};
use maud::{Markup, html};
use serde_json::json;

/// Indicators of a page.
const ROWS: usize = 50;

/// Revisions of a page.
const REVISIONS: usize = 20;

/// Related pulses that are looked at.
const RELATED: usize = 20;

/// `GET /pulse/{id}`.
pub(in crate::exchange::page) fn show(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let pulse = opened(&visit)?;
    let query = call.query();
    let asked = asked(&query);
    let (pulse, entries) = visit.read(|view| {
        let pulse = view.completed(pulse)?;
        let paged = EntryQuery { limit: ROWS + 1, ..asked.clone() };
        let entries = view.entries(visit.viewer(), pulse.key, &paged)?;
        Ok((pulse, entries))
    })?;
    let content = html! {
        (summary(&visit, &pulse))
        (detail(&visit, &pulse))
        section id="indicators" aria-labelledby="indicators-title" {
            h2 id="indicators-title" { (visit.say("indicators")) }
            (filters(&visit, &pulse, &query))
            (rows(&visit, &pulse, &query, entries))
        }
    };
    Ok(around(&visit, &pulse, "", content).reply(&visit))
}

/// What of the indicators is asked for.
fn asked(query: &Query) -> EntryQuery {
    EntryQuery {
        kind: query.get("type").and_then(Type::from_name),
        text: query.get("find").unwrap_or_default().trim().chars().take(256).collect(),
        has_inactive: query.flag("inactive"),
        after: query.number("after").unwrap_or(0),
        limit: ROWS,
    }
}

/// The address of the list, with its filters.
fn here(pulse: &Pulse, query: &Query) -> Link {
    let names = ["type", "find", "inactive", "real", "after"];
    Link::of(format!("/pulse/{}", pulse.id), query, &names)
}

fn filters(visit: &Visit<'_>, pulse: &Pulse, query: &Query) -> Markup {
    let link = here(pulse, query).with("after", "");
    let kinds: Vec<FacetRow> = pulse
        .counts
        .indicators
        .iter()
        .map(|(kind, count)| FacetRow {
            value: kind.name().to_string(),
            name: values::name(visit, *kind),
            count: Some(*count),
        })
        .collect();
    let form = Form::begun(query.clone());
    html! {
        div class="filters" {
            form action=(link.text()) class="filter" {
                @for (name, value) in link.parameters().iter().filter(|(name, _)| name != "find") {
                    input type="hidden" name=(name) value=(value);
                }
                (field(&form, &Field {
                    name: "find", label: visit.say("find-label"), help: String::new(),
                    kind: Kind::Line, autocomplete: "off", is_required: false,
                }))
                button class="quiet" { (visit.say("find-button")) }
            }
            (facet(visit, &link, (visit.say("facet-type"), "type"), &kinds))
            ul class="switches" {
                li { a href=(link.clone().toggle("inactive", "1").text())
                    aria-current=[link.has("inactive", "1").then_some("true")] { (visit.say("switch-inactive")) } }
                li { a href=(link.clone().toggle("real", "1").text())
                    aria-current=[link.has("real", "1").then_some("true")] { (visit.say("switch-real")) } }
            }
        }
    }
}

fn rows(visit: &Visit<'_>, pulse: &Pulse, query: &Query, mut entries: Vec<Entry>) -> Markup {
    let link = here(pulse, query);
    let has_next = entries.len() > ROWS;
    entries.truncate(ROWS);
    let next = entries.last().filter(|_| has_next).map(|of| of.position.to_string());
    let is_real = query.flag("real");
    let columns = [
        Column::of(visit.say("column-value")),
        Column::of(visit.say("column-type")),
        Column::of(visit.say("column-role")),
        Column::of(visit.say("column-added")),
        Column::of(visit.say("column-expires")),
        Column::of(visit.say("column-state")),
        Column::number(visit.say("column-others")),
    ];
    let cells = entries.iter().map(|of| row(visit, of, is_real)).collect();
    let api = format!("/api/v1/pulses/{}/indicators", pulse.id);
    html! {
        @if entries.is_empty() {
            (empty(&visit.say("indicators-none"), None))
        } @else {
            (table(&visit.say("indicators"), &columns, cells))
        }
        (pager(visit, &link, ("after", query.get("after").is_none()), next))
        (sources(visit, &[
            ("API", api),
            ("CSV", format!("/feeds/pulse/{}/csv", pulse.id)),
            ("STIX", format!("/feeds/pulse/{}/stix", pulse.id)),
        ]))
    }
}

/// The cells of an indicator.
fn row(visit: &Visit<'_>, of: &Entry, is_real: bool) -> Vec<Markup> {
    let indicator = &of.indicator;
    let warnings = visit.call.site.warnings.about(indicator.kind, &indicator.norm);
    let state = match indicator.state {
        State::Active if indicator.is_suppressed => badge(Mark::Warn, &visit.say("state-flagged")),
        State::Active => badge(Mark::Calm, &visit.say("state-active")),
        State::Inactive | State::Removed => badge(Mark::Off, &visit.say("state-inactive")),
    };
    let others = match of.others {
        0 => html! { "0" },
        count => html! {
            a href=(crate::exchange::page::links::indicator(indicator.kind, &indicator.norm)) {
                (visit.texts.count(count)) @if count >= 100 { "+" }
            }
        },
    };
    vec![
        html! {
            @if is_real { code class="value" dir="ltr" { (indicator.value) } }
            @else { (value(indicator.kind, &indicator.norm, &indicator.value)) }
            @if !indicator.title.is_empty() { p class="small" dir="auto" { (indicator.title) } }
        },
        html! { (values::name(visit, indicator.kind)) },
        html! { bdi { (indicator.role.as_deref().unwrap_or("–").replace('_', " ")) } },
        time(visit, indicator.created),
        html! { @if let Some(end) = indicator.expiration { (time(visit, end)) } @else { "–" } },
        html! {
            (state)
            @for warning in warnings {
                p class="small" { (visit.say("on-list")) " " bdi { (warning.name) } }
            }
        },
        others,
    ]
}

/// `GET /pulse/{id}/history`.
pub(in crate::exchange::page) fn history(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let pulse = opened(&visit)?;
    let skipped = call.query().number("skip").and_then(|skip| usize::try_from(skip).ok());
    let skipped = skipped.unwrap_or(0).min(1 << 20);
    let mut found = visit.read(|view| view.revisions(pulse.key, REVISIONS + 1, skipped))?;
    let has_next = found.len() > REVISIONS;
    found.truncate(REVISIONS);
    let link = Link::to(format!("/pulse/{}/history", pulse.id));
    let link = link.with("skip", &if skipped > 0 { skipped.to_string() } else { String::new() });
    let content = html! {
        ol class="history" {
            @for of in &found {
                li {
                    p class="meta" {
                        strong { (visit.fill("revision", &[("count", u64::from(of.number).into())])) }
                        " · " bdi { (of.author) } " · " (time(&visit, of.created))
                    }
                    @if !of.reason.is_empty() { blockquote dir="auto" { (of.reason) } }
                    (changes(&visit, of))
                }
            }
        }
        (pager(&visit, &link, ("skip", skipped == 0), has_next.then(|| (skipped + REVISIONS).to_string())))
        (sources(&visit, &[("API", format!("/api/v2/pulses/{}/revisions", pulse.id))]))
    };
    Ok(around(&visit, &pulse, "history", content).reply(&visit))
}

/// `GET /pulse/{id}/related`: with what each has in common.
pub(in crate::exchange::page) fn related(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let pulse = opened(&visit)?;
    let found = visit.read(|view| {
        let mut found = Vec::new();
        for key in view.related(visit.viewer(), pulse.key, RELATED)? {
            let query = PulseQuery::of(Selection::Pulse(key));
            for other in view.pulses(visit.viewer(), &query)? {
                let shared = view.shared(pulse.key, key, 5)?;
                found.push((other, shared));
            }
        }
        Ok(found)
    })?;
    let content = html! {
        h2 { (visit.say("tab-related")) }
        @if found.is_empty() { (empty(&visit.say("related-none"), None)) }
        @for (other, shared) in &found {
            (pulse_card(&visit, other, Some(evidence(&visit, &pulse, other, shared))))
        }
        (sources(&visit, &[("API", format!("/api/v1/pulses/{}/related", pulse.id))]))
    };
    Ok(around(&visit, &pulse, "related", content).reply(&visit))
}

/// What two pulses have in common.
fn evidence(visit: &Visit<'_>, one: &Pulse, other: &Pulse, shared: &[(Type, String)]) -> Markup {
    let same =
        |one: &str, other: &str| !one.is_empty() && one.to_lowercase() == other.to_lowercase();
    let families: Vec<&String> = one
        .lists
        .malware_families
        .iter()
        .filter(|of| other.lists.malware_families.iter().any(|it| same(of, it)))
        .collect();
    html! {
        (visit.say("related-why")) " "
        @if same(&one.adversary, &other.adversary) {
            span class="evidence" { (visit.say("fact-adversary")) ": " bdi { (one.adversary) } }
        }
        @for family in families {
            span class="evidence" { (visit.say("fact-family")) ": " bdi { (family) } }
        }
        @for (kind, norm) in shared { span class="evidence" { (value(*kind, norm, norm)) } }
    }
}

/// `GET /pulse/{id}/export`: every format, with a line that fetches it.
pub(in crate::exchange::page) fn export(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let pulse = opened(&visit)?;
    let base = &call.settings().base;
    let content = html! {
        h2 { (visit.say("tab-export")) }
        p { (visit.say("export-why")) }
        p { (visit.say("export-key")) }
        @for of in Format::ALL {
            @let path = format!("/feeds/pulse/{}/{}", pulse.id, of.path());
            section class="format" {
                h3 { a href=(path) download { (of.path()) } }
                p class="small" { (visit.say(about(*of))) }
                (copied(&visit, &format!("curl -H \"X-OTX-API-KEY: $KEY\" -o {} {base}{path}", file(*of))))
            }
        }
    };
    Ok(around(&visit, &pulse, "export", content).reply(&visit))
}

/// The name under which a file is stored.
fn file(of: Format) -> String {
    of.path().replace('/', "-")
}

/// What a format is for.
fn about(of: Format) -> &'static str {
    match of {
        Format::List => "format-list",
        Format::Hosts => "format-hosts",
        Format::Squid => "format-squid",
        Format::Nftables => "format-nftables",
        Format::Csv => "format-csv",
        Format::Spreadsheet => "format-spreadsheet",
        Format::OpenIoc => "format-openioc",
        Format::Stix => "format-stix",
        Format::MispManifest | Format::MispHashes | Format::MispIndex => "format-misp",
        Format::Zeek => "format-zeek",
        Format::SuricataRules
        | Format::SuricataNames
        | Format::SuricataJa3
        | Format::SuricataMd5
        | Format::SuricataSha1
        | Format::SuricataSha256
        | Format::SuricataAddresses
        | Format::SuricataCategories => "format-suricata",
        Format::Rpz => "format-rpz",
        Format::Database => "format-database",
    }
}

/// Where a form of a pulse leads back to, with what was done.
fn done(visit: &Visit<'_>, form: &Form, what: &str) -> String {
    let back = match form.get("back") {
        "" => format!("/pulse/{}", visit.call.param("id")),
        back => own_path(back),
    };
    let (path, query) = back.split_once('?').unwrap_or((&back, ""));
    let query = Query::parse(query);
    let names: Vec<&str> = query.pairs().map(|(name, _)| name).filter(|of| *of != "done").collect();
    Link::of(path, &query, &names).with("done", what).text()
}

/// `POST /pulse/{id}/subscribe`.
pub(in crate::exchange::page) fn subscribe(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, SMALL)?;
    let (path, what) = match form.get("want") {
        "0" => ("api/v1/pulses/{id}/unsubscribe", "unsubscribed"),
        _ => ("api/v1/pulses/{id}/subscribe", "subscribed"),
    };
    send(&visit, (Method::Post, path), &json!({}))?;
    Ok(see(&done(&visit, &form, what)))
}

/// `POST /pulse/{id}/vote`.
pub(in crate::exchange::page) fn vote(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, SMALL)?;
    let body = json!({"vote": form.get("vote").parse::<i64>().ok()});
    send(&visit, (Method::Post, "api/v2/pulses/{id}/vote"), &body)?;
    Ok(see(&done(&visit, &form, "voted")))
}
