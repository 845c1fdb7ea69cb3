//! What the views of a pulse share: its head, its tabs, what can be done with it.

use crate::engine::indicator::Tlp;
use crate::exchange::http::Failure;
use crate::exchange::page::components::{
    Mark, act, ago, badge, facts, tags, time, tlp, tlp_meaning, warning,
};
use crate::exchange::page::frame::{Page, Place};
use crate::exchange::page::links::Link;
use crate::exchange::page::prose::{prose, reference};
use crate::exchange::page::values::counts;
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::{Pulse, Revision};
use crate::exchange::storage::Selection;
use maud::{Markup, html};
use serde_json::Value;

/// The pulse of the path. Reads of pulses that few may see are recorded.
pub(super) fn opened(visit: &Visit<'_>) -> Result<Pulse, Failure> {
    let (viewer, id) = (visit.viewer(), visit.call.pulse_id()?);
    let pulse = visit.read(|view| view.pulse(viewer, &id))?.ok_or_else(Failure::not_found)?;
    if pulse.tlp > Tlp::Green && viewer.user() != Some(pulse.author.id) {
        visit.call.note_reads(viewer, Selection::Pulse(pulse.key))?;
    }
    Ok(pulse)
}

/// A view of a pulse, below its head and its tabs.
pub(super) fn around(visit: &Visit<'_>, pulse: &Pulse, tab: &str, content: Markup) -> Page {
    let path = format!("/pulse/{}", pulse.id);
    let comments = pulse.counts.comments;
    let tabs = [
        ("", visit.say("tab-overview"), None),
        ("comments", visit.say("tab-comments"), (comments > 0).then_some(comments)),
        ("history", visit.say("tab-history"), Some(u64::from(pulse.revision))),
        ("related", visit.say("tab-related"), None),
        ("export", visit.say("tab-export"), None),
    ];
    let content = html! {
        div class="head" {
            p class="meta" {
                (tlp(pulse.tlp)) " "
                (visit.say("by")) " "
                a href=(Link::to("/browse").with("author", &pulse.author.name).text()) {
                    bdi { (pulse.author.name) }
                }
                " · " (visit.say("changed")) " " (time(visit, pulse.modified))
                @if pulse.is_held { " " (badge(Mark::Warn, &visit.say("is-held"))) }
            }
            (buttons(visit, pulse))
        }
        nav class="tabs" aria-label=(visit.say("tabs-label")) {
            ul {
                @for (name, text, count) in tabs {
                    li {
                        a href=(if name.is_empty() { path.clone() } else { format!("{path}/{name}") })
                            aria-current=[(name == tab).then_some("page")] {
                            (text)
                            @if let Some(count) = count { span class="count" { (visit.texts.count(count)) } }
                        }
                    }
                }
            }
        }
        (content)
    };
    Page::new(pulse.name.clone(), Place::Browse, content)
}

/// What can be done with a pulse.
fn buttons(visit: &Visit<'_>, pulse: &Pulse) -> Markup {
    let path = format!("/pulse/{}", pulse.id);
    let Some(user) = visit.user() else {
        let next = Link::to("/sign-in").with("next", &path).text();
        return html! {
            div class="actions" { a class="button" href=(next) { (visit.say("sign-in-to-subscribe")) } }
        };
    };
    let is_own = user == pulse.author.id;
    let vote = |text, value: i8| {
        let (is_chosen, value) = (pulse.vote == value, value.to_string());
        let wanted = if is_chosen { "0" } else { value.as_str() };
        let class = if is_chosen { "quiet chosen" } else { "quiet" };
        act(visit, &format!("{path}/vote"), (text, class), &[("vote", wanted)])
    };
    let subscribe = |text, class, want| {
        act(visit, &format!("{path}/subscribe"), (text, class), &[("want", want)])
    };
    html! {
        div class="actions" {
            @if is_own && !pulse.is_public && pulse.tlp <= Tlp::Green {
                (act(visit, &format!("{path}/publish"), ("publish", "button"), &[]))
            }
            @if pulse.is_subscribing {
                (badge(Mark::Calm, &visit.say("is-subscribed")))
                (subscribe("unsubscribe", "quiet", "0"))
            } @else {
                (subscribe("subscribe", "button", "1"))
                p class="small" { (visit.say("subscribe-what")) }
            }
            @if !is_own {
                (vote("vote-up", 1))
                (vote("vote-down", -1))
                p class="small" {
                    (visit.fill("votes", &[
                        ("up", pulse.counts.upvotes.into()), ("down", pulse.counts.downvotes.into()),
                    ]))
                }
                a class="button quiet" href=(format!("{path}/suggest")) { (visit.say("suggest")) }
                a class="button quiet" href=(format!("{path}/report")) { (visit.say("report")) }
            }
            a class="button quiet" href=(format!("{path}/clone")) { (visit.say("clone")) }
        }
    }
}

/// What a pulse says, in sentences.
pub(super) fn summary(visit: &Visit<'_>, pulse: &Pulse) -> Markup {
    let listed = counts(visit, &pulse.counts.indicators);
    let family = visit
        .texts
        .list(&pulse.lists.malware_families[..pulse.lists.malware_families.len().min(3)]);
    let when = ago(visit, pulse.modified, crate::clock::now());
    html! {
        section class="summary" aria-label=(visit.say("summary")) {
            p {
                @if listed.is_empty() { (visit.say("summary-empty")) }
                @else { (visit.fill("summary-lists", &[("list", (&listed).into())])) }
                " "
                @if !pulse.adversary.is_empty() {
                    (visit.fill("summary-adversary", &[("name", (&pulse.adversary).into())])) " "
                }
                @if !family.is_empty() { (visit.fill("summary-family", &[("name", (&family).into())])) " " }
                (visit.fill("summary-when", &[("when", (&when).into())]))
            }
            p { (tlp(pulse.tlp)) " " (tlp_meaning(visit, pulse.tlp)) }
        }
        @if pulse.is_held { (warning(html! { p { (visit.say("held-what")) } })) }
    }
}

/// The description and the facts of a pulse.
pub(super) fn detail(visit: &Visit<'_>, pulse: &Pulse) -> Markup {
    let lists = &pulse.lists;
    let names =
        |parameter: &str, all: &[String]| (!all.is_empty()).then(|| tags(parameter, all, 100));
    let adversary: Vec<String> =
        Some(pulse.adversary.clone()).filter(|of| !of.is_empty()).into_iter().collect();
    let all = vec![
        (visit.say("fact-published"), Some(time(visit, pulse.created))),
        (
            visit.say("fact-revision"),
            Some(html! {
                a href=(format!("/pulse/{}/history", pulse.id)) { (pulse.revision) }
            }),
        ),
        (
            visit.say("fact-subscribers"),
            Some(html! { (visit.texts.count(pulse.counts.subscribers)) }),
        ),
        (visit.say("fact-adversary"), names("adversary", &adversary)),
        (visit.say("fact-family"), names("malware_family", &lists.malware_families)),
        (visit.say("fact-industry"), names("industry", &lists.industries)),
        (visit.say("fact-country"), names("country", &lists.targeted_countries)),
        (
            visit.say("fact-attack"),
            (!lists.attack_ids.is_empty()).then(|| attack(&lists.attack_ids)),
        ),
        (visit.say("fact-tags"), names("tag", &lists.tags)),
        (
            visit.say("fact-groups"),
            (!pulse.groups.is_empty()).then(|| {
                html! {
                    @for group in &pulse.groups { bdi { (group.name) } " " }
                }
            }),
        ),
        (
            visit.say("fact-copy"),
            pulse.cloned_from.as_ref().map(|id| {
                html! {
                    a href=(format!("/pulse/{id}")) { (id) }
                }
            }),
        ),
    ];
    html! {
        div class="detail" {
            div class="prose" dir="auto" {
                @if pulse.description.is_empty() { p class="meta" { (visit.say("no-description")) } }
                @else { (prose(&pulse.description, true)) }
                @if !lists.references.is_empty() {
                    h2 { (visit.say("references")) }
                    ul { @for of in &lists.references { li { (reference(of)) } } }
                }
            }
            aside aria-label=(visit.say("facts")) { (facts(all)) }
        }
    }
}

/// ATT&CK techniques, by technique with their parts below, each with a link to what it is.
fn attack(ids: &[String]) -> Markup {
    let mut sorted: Vec<&String> = ids.iter().collect();
    sorted.sort();
    sorted.dedup();
    html! {
        ul class="attack" {
            @for id in sorted {
                @let is_id = id.starts_with('T') && id[1..].bytes().all(|b| b.is_ascii_digit() || b == b'.');
                li class=[id.contains('.').then_some("part")] {
                    @if is_id {
                        a href=(format!("https://attack.mitre.org/techniques/{}/", id.replace('.', "/")))
                            rel="nofollow noopener noreferrer" { (id) }
                    } @else { bdi { (id) } }
                }
            }
        }
    }
}

/// What a revision changed: texts before and after, and how many indicators.
pub(super) fn changes(visit: &Visit<'_>, of: &Revision) -> Markup {
    let patch: Value = serde_json::from_str(&of.patch).unwrap_or_default();
    let Value::Object(members) = patch else { return html! {} };
    html! {
        ul class="changes" {
            @if of.number == 1 { li { (visit.say("change-created")) } }
            @for (name, value) in &members {
                @if let Some(key) = counted(name) {
                    @if let Some(all) = value.as_array() {
                        li { (visit.fill(key, &[("count", (all.len() as u64).into())])) }
                    }
                } @else if let Some([old, new]) = value.as_array().map(Vec::as_slice) {
                    li {
                        (visit.say(changed(name))) ": "
                        del dir="auto" { (text(old)) } " " ins dir="auto" { (text(new)) }
                    }
                }
            }
        }
    }
}

/// The text for a number of indicators.
fn counted(name: &str) -> Option<&'static str> {
    Some(match name {
        "added" => "change-added",
        "edited" => "change-edited",
        "removed" => "change-removed",
        _ => return None,
    })
}

/// The text for a part of a pulse.
fn changed(name: &str) -> &'static str {
    match name {
        "name" => "fact-name",
        "description" => "fact-description",
        "public" => "fact-public",
        "TLP" => "fact-tlp",
        "adversary" => "fact-adversary",
        "tags" => "fact-tags",
        "references" => "references",
        "targeted_countries" => "fact-country",
        "industries" => "fact-industry",
        "malware_families" => "fact-family",
        "attack_ids" => "fact-attack",
        _ => "fact-other",
    }
}

/// A value of a revision as text.
fn text(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(self::text).collect::<Vec<_>>().join(", "),
        other => other.to_string(),
    };
    if text.is_empty() {
        return "–".to_string();
    }
    match text.char_indices().nth(500) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
