//! A new pulse, typed or pasted: what would be published is shown before it is.

use crate::engine::error::Result;
use crate::engine::indicator::{Tlp, refang};
use crate::exchange::accounts::Viewer;
use crate::exchange::api::private_data;
use crate::exchange::http::Method;
use crate::exchange::page::components::{
    Column, Field, Kind, Mark, badge, checkbox, choice, errors, field, table, tlp_meaning, token,
    value, warning,
};
use crate::exchange::page::forms::{Form, see, send};
use crate::exchange::page::frame::{Page, Place};
use crate::exchange::page::prose::prose;
use crate::exchange::page::values::{counts, guess, name};
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::{MAX_NAME, MIN_NAME, Type, clean_text, normalise};
use crate::exchange::site::{Answer, Call, MAX_BODY};
use crate::exchange::storage::{PulseQuery, Selection, View};
use maud::{Markup, html};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Values that are compared with other pulses.
const COMPARED: usize = 50;

/// Values that the preview lists.
const LISTED: usize = 100;

/// Lines without a value that are named.
const UNREAD: usize = 5;

/// What was pasted, as values.
#[derive(Debug, Default, PartialEq, Eq)]
struct Pasted {
    /// Each once, in order.
    values: Vec<(Type, String)>,
    /// Lines in which none was found.
    unread: Vec<String>,
}

impl Pasted {
    fn of(text: &str) -> Pasted {
        let (mut pasted, mut seen) = (Pasted::default(), BTreeSet::new());
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
            let mut found: Vec<(Type, String)> = one(line).into_iter().collect();
            if found.is_empty() {
                let edges = |c: char| "\"'`<>(){},;".contains(c);
                // A sentence may end within brackets, or after them.
                let ends = |c: char| edges(c) || ".:!?".contains(c);
                let words = line.split_whitespace();
                let words = words.map(|word| word.trim_start_matches(edges).trim_end_matches(ends));
                found = words.filter_map(one).filter(is_meant).collect();
            }
            if found.is_empty() {
                pasted.unread.push(line.to_string());
            }
            for of in found {
                if seen.insert(of.clone()) {
                    pasted.values.push(of);
                }
            }
        }
        pasted
    }

    /// How many of each type.
    fn counts(&self) -> Vec<(Type, u64)> {
        let mut counts: BTreeMap<Type, u64> = BTreeMap::new();
        for (kind, _) in &self.values {
            *counts.entry(*kind).or_default() += 1;
        }
        counts.into_iter().collect()
    }
}

/// A text that is one value, defanged or not.
fn one(text: &str) -> Option<(Type, String)> {
    let text = refang::refang(text);
    let kind = guess(text.trim())?;
    normalise(kind, text.trim()).ok()
}

/// Whether a word of a sentence is a value: of names, those that can exist on the internet.
fn is_meant((kind, norm): &(Type, String)) -> bool {
    !matches!(kind, Type::Domain | Type::Hostname)
        || psl::suffix(norm.as_bytes()).is_some_and(|suffix| suffix.is_known())
}

/// `GET /new`.
pub(in crate::exchange::page) fn show(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    Ok(page(&visit, &Form::begun(call.query()), None))
}

/// `POST /new`: shows what would be published, or publishes it, or keeps it as a draft.
pub(in crate::exchange::page) fn send_new(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let form = Form::of(&visit, MAX_BODY)?;
    let pasted = Pasted::of(form.get("values"));
    let (is_public, done) = match form.get("do") {
        "publish" => (true, "published"),
        "draft" => (false, "drafted"),
        _ => return Ok(page(&visit, &form, Some(&pasted))),
    };
    match send(&visit, (Method::Post, "api/v1/pulses/create"), &body(&form, &pasted, is_public)) {
        Ok((_, made)) => {
            let id = made["id"].as_str().unwrap_or_default();
            Ok(see(&format!("/pulse/{id}?done={done}")))
        }
        Err(failure) => {
            let status = failure.status;
            Ok(page(&visit, &form.refused(failure), Some(&pasted)).status(status))
        }
    }
}

/// `POST /pulse/{id}/publish`: a draft becomes what everybody sees.
pub(in crate::exchange::page) fn publish(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    send(&visit, (Method::Patch, "api/v1/pulses/{id}"), &json!({"public": true}))?;
    Ok(see(&format!("/pulse/{}?done=published", call.param("id"))))
}

/// The body for the API.
fn body(form: &Form, pasted: &Pasted, is_public: bool) -> Value {
    let list = |name: &str| -> Vec<String> {
        let parts = form.get(name).split([',', '\n']).map(str::trim);
        parts.filter(|part| !part.is_empty()).map(str::to_string).collect()
    };
    let lines = |name: &str| -> Vec<String> {
        let lines = form.get(name).lines().map(str::trim);
        lines.filter(|line| !line.is_empty()).map(str::to_string).collect()
    };
    let tlp = Tlp::from_name(form.get("tlp")).unwrap_or(Tlp::Green);
    let indicators: Vec<Value> = pasted
        .values
        .iter()
        .map(|(kind, norm)| json!({"type": kind.name(), "indicator": norm}))
        .collect();
    json!({
        "name": form.get("name"), "description": form.get("description"), "TLP": tlp.name(),
        "public": is_public && tlp <= Tlp::Green,
        "adversary": form.get("adversary"), "malware_families": list("families"),
        "tags": list("tags"), "industries": list("industries"),
        "targeted_countries": list("countries"), "attack_ids": list("attack"),
        "references": lines("references"), "indicators": indicators,
        "confirm": form.all("confirm").collect::<Vec<_>>(),
    })
}

/// The form, and what would be published, if that was asked for.
fn page(visit: &Visit<'_>, form: &Form, pasted: Option<&Pasted>) -> crate::exchange::http::Reply {
    let count = |count: usize| (count as u64).into();
    let line = |name, label: &str, help: String, kind, is_required| {
        let label = visit.say(label);
        field(form, &Field { name, label, help, kind, autocomplete: "off", is_required })
    };
    let name_help =
        visit.fill("new-name-help", &[("least", count(MIN_NAME)), ("most", count(MAX_NAME))]);
    let tlps: Vec<(String, String)> =
        [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red]
            .into_iter()
            .map(|of| {
                let text =
                    format!("TLP:{} – {}", of.name().to_ascii_uppercase(), tlp_meaning(visit, of));
                (of.name().to_string(), text)
            })
            .collect();
    let chosen = if form.get("tlp").is_empty() { Tlp::Green.name() } else { form.get("tlp") };
    let commas = || visit.say("suggest-tags-help");
    let content = html! {
        p { (visit.say("new-why")) }
        (errors(visit, form))
        form method="post" action="/new" class="form" {
            (token(visit))
            @if let Some(pasted) = pasted { (preview(visit, form, pasted)) }
            (line("name", "fact-name", name_help, Kind::Line, true))
            (line("description", "fact-description", visit.say("new-description-help"), Kind::Text(6), false))
            (line("values", "indicators", visit.say("new-values-help"), Kind::Text(8), false))
            (choice(("tlp", visit.say("new-tlp")), &tlps, chosen))
            details open[pasted.is_some()] {
                summary { (visit.say("new-more")) }
                (line("adversary", "fact-adversary", visit.say("suggest-adversary-help"), Kind::Line, false))
                (line("families", "fact-family", commas(), Kind::Line, false))
                (line("tags", "fact-tags", commas(), Kind::Line, false))
                (line("industries", "fact-industry", commas(), Kind::Line, false))
                (line("countries", "fact-country", commas(), Kind::Line, false))
                (line("attack", "fact-attack", commas(), Kind::Line, false))
                (line("references", "references", visit.say("new-references-help"), Kind::Text(2), false))
            }
            p class="actions" {
                @if pasted.is_some() {
                    button name="do" value="publish" { (visit.say("new-publish")) }
                    button class="quiet" name="do" value="check" { (visit.say("new-check-again")) }
                } @else {
                    button name="do" value="check" { (visit.say("new-check")) }
                }
                button class="quiet" name="do" value="draft" { (visit.say("new-draft")) }
            }
        }
    };
    Page::new(visit.say("nav-new"), Place::New, content).reply(visit)
}

/// What would be published, for whom, and what speaks against it.
fn preview(visit: &Visit<'_>, form: &Form, pasted: &Pasted) -> Markup {
    let tlp = Tlp::from_name(form.get("tlp")).unwrap_or(Tlp::Green);
    let listed = counts(visit, &pasted.counts());
    let alike = visit.read(|view| alike(view, visit.viewer(), pasted)).unwrap_or_default();
    let texts = [form.get("name"), form.get("description")];
    let private: BTreeSet<&str> = texts.into_iter().flat_map(private_data).collect();
    let confirmed: Vec<&str> = form.all("confirm").collect();
    let flagged = |kind: Type, norm: &str| visit.call.site.warnings.about(kind, norm);
    let is_flagged = pasted.values.iter().any(|(kind, norm)| !flagged(*kind, norm).is_empty());
    let columns = [
        Column::of(visit.say("column-value")),
        Column::of(visit.say("column-type")),
        Column::of(visit.say("column-state")),
    ];
    let rows = pasted.values.iter().take(LISTED).map(|(kind, norm)| {
        let lists = flagged(*kind, norm);
        vec![
            value(*kind, norm, norm),
            html! { (name(visit, *kind)) },
            html! {
                @if lists.is_empty() { (badge(Mark::Calm, &visit.say("state-active"))) }
                @for of in lists { p { (badge(Mark::Warn, &visit.say("on-list"))) " " bdi { (of.name) } } }
            },
        ]
    });
    let rows: Vec<Vec<Markup>> = rows.collect();
    html! {
        section class="summary" aria-label=(visit.say("new-preview")) {
            h2 { (visit.say("new-preview")) }
            p {
                @if listed.is_empty() { (visit.say("summary-empty")) }
                @else { (visit.fill("summary-lists", &[("list", (&listed).into())])) }
            }
            p {
                (visit.say(if tlp <= Tlp::Green { "new-audience-all" } else { "new-audience-me" }))
                " " (tlp_meaning(visit, tlp))
            }
            div class="prose" dir="auto" { (prose(&clean_text(form.get("description")), true)) }
        }
        @if !pasted.unread.is_empty() {
            (warning(html! {
                p { (visit.fill("new-unread", &[("count", (pasted.unread.len() as u64).into())])) }
                ul { @for of in pasted.unread.iter().take(UNREAD) { li dir="auto" { (of.chars().take(200).collect::<String>()) } } }
            }))
        }
        @if is_flagged { (warning(html! { p { (visit.say("new-flagged")) } })) }
        @for (share, id, other) in alike {
            (warning(html! {
                p {
                    (visit.fill("new-alike", &[("count", share.into())])) " "
                    a href=(format!("/pulse/{id}")) { bdi { (other) } }
                }
            }))
        }
        @if !private.is_empty() {
            (warning(html! {
                p { (visit.say("new-private")) }
                @for of in private { (checkbox("confirm", of, &visit.fill("new-confirm", &[("what", of.into())]), confirmed.contains(&of))) }
            }))
        }
        @if !rows.is_empty() { (table(&visit.say("new-preview"), &columns, rows)) }
    }
}

/// Pulses that have most of the values: the share in percent, the identifier and the name.
fn alike(view: &View<'_>, viewer: Viewer, pasted: &Pasted) -> Result<Vec<(u64, String, String)>> {
    let compared = pasted.values.len().min(COMPARED) as u64;
    let mut counts: BTreeMap<i64, u64> = BTreeMap::new();
    for (kind, norm) in pasted.values.iter().take(COMPARED) {
        for hit in view.hits(viewer, (*kind, norm), 20)? {
            *counts.entry(hit.pulse).or_default() += 1;
        }
    }
    let mut best: Vec<(u64, i64)> =
        counts.into_iter().map(|(pulse, count)| (count * 100 / compared.max(1), pulse)).collect();
    best.retain(|(share, _)| *share >= 50);
    best.sort_unstable_by(|one, other| other.cmp(one));
    let mut found = Vec::new();
    for (share, key) in best.into_iter().take(3) {
        for pulse in view.pulses(viewer, &PulseQuery::of(Selection::Pulse(key)))? {
            found.push((share, pulse.id.to_string(), pulse.name));
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_lines_and_in_sentences() {
        let text = "192[.]0[.]2[.]7\nevil.com\n\nThe loader asks www[.]evil[.]com (see hxxp://evil[.]com/a?b).\n\
                    Nothing here, e.g. no value.\nevil.com";
        let pasted = Pasted::of(text);
        let values: Vec<&str> = pasted.values.iter().map(|(_, norm)| norm.as_str()).collect();
        assert_eq!(values, ["192.0.2.7", "evil.com", "www.evil.com", "http://evil.com/a?b"]);
        assert_eq!(pasted.unread, ["Nothing here, e.g. no value."]);
        assert_eq!(pasted.counts().iter().map(|(_, count)| count).sum::<u64>(), 4);
    }
}
