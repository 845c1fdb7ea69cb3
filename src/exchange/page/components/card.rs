//! Cards of pulses, and lists of facts.

use super::badge::tlp;
use super::field::act;
use super::time::time;
use crate::exchange::page::links::Link;
use crate::exchange::page::prose::plain;
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::Pulse;
use maud::{Markup, html};

/// The characters of a description on a card.
const SHORT: usize = 220;

/// Tags on a card.
const TAGS: usize = 4;

/// A pulse in a list, with why it is there, if that is not clear.
pub(in crate::exchange::page) fn pulse_card(
    visit: &Visit<'_>,
    pulse: &Pulse,
    why: Option<Markup>,
) -> Markup {
    let path = format!("/pulse/{}", pulse.id);
    html! {
        article class="card" {
            header {
                h3 { a href=(path) { bdi { (pulse.name) } } }
                (tlp(pulse.tlp))
            }
            p class="meta" {
                (visit.say("by")) " "
                a href=(Link::to("/browse").with("author", &pulse.author.name).text()) {
                    bdi { (pulse.author.name) }
                }
                " · " (time(visit, pulse.modified))
                " · " (visit.fill("count-subscribers", &[("count", pulse.counts.subscribers.into())]))
                @if pulse.counts.comments > 0 {
                    " · "
                    a href=(format!("{path}/comments")) {
                        (visit.fill("count-comments", &[("count", pulse.counts.comments.into())]))
                    }
                }
            }
            @if let Some(why) = why { p class="why" { (why) } }
            @if !pulse.description.is_empty() {
                p dir="auto" { (shortened(&plain(&pulse.description))) }
            }
            footer {
                (tags("tag", &pulse.lists.tags, TAGS))
                @if visit.user().is_some() && visit.user() != Some(pulse.author.id) {
                    (subscription(visit, pulse))
                }
            }
        }
    }
}

/// The button by which a pulse is subscribed to, or not any more.
fn subscription(visit: &Visit<'_>, pulse: &Pulse) -> Markup {
    let path = format!("/pulse/{}/subscribe", pulse.id);
    let back = visit.call.request.target.as_str();
    match pulse.is_subscribing {
        true => html! { span class="done" { (visit.say("is-subscribed")) } },
        false => act(visit, &path, ("subscribe", "button"), &[("want", "1"), ("back", back)]),
    }
}

/// The beginning of a text, up to the end of a word.
fn shortened(text: &str) -> String {
    let line = text.split_whitespace();
    let mut short = String::new();
    for word in line {
        if short.chars().count() + word.chars().count() > SHORT {
            if short.is_empty() {
                short = word.chars().take(SHORT).collect();
            }
            short.push('…');
            break;
        }
        if !short.is_empty() {
            short.push(' ');
        }
        short.push_str(word);
    }
    short
}

/// Names that pulses share, as links to the pulses with them.
pub(in crate::exchange::page) fn tags(parameter: &str, names: &[String], most: usize) -> Markup {
    html! {
        @if !names.is_empty() {
            ul class="tags" {
                @for name in names.iter().take(most) {
                    li { a href=(Link::to("/browse").with(parameter, name).text()) { bdi { (name) } } }
                }
                @if names.len() > most { li { "+" (names.len() - most) } }
            }
        }
    }
}

/// Facts with their names; those without a value are left out.
pub(in crate::exchange::page) fn facts(all: Vec<(String, Option<Markup>)>) -> Markup {
    html! {
        dl class="facts" {
            @for (name, value) in all {
                @if let Some(value) = value { div { dt { (name) } dd { (value) } } }
            }
        }
    }
}
