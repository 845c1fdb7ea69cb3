//! The way to the next page, and the other forms in which a list is to be had.

use crate::exchange::page::links::Link;
use crate::exchange::page::visit::Visit;
use maud::{Markup, html};

/// Links to the first and the next page of a list. `next` is where the next one begins.
pub(in crate::exchange::page) fn pager(
    visit: &Visit<'_>,
    here: &Link,
    (parameter, is_first): (&str, bool),
    next: Option<String>,
) -> Markup {
    html! {
        @if !is_first || next.is_some() {
            nav class="pager" aria-label=(visit.say("pager-label")) {
                @if !is_first {
                    a class="button quiet" href=(here.clone().with(parameter, "").text()) {
                        (visit.say("pager-first"))
                    }
                }
                @if let Some(next) = next {
                    a class="button quiet" rel="next" href=(here.clone().with(parameter, &next).text()) {
                        (visit.say("pager-next"))
                    }
                }
            }
        }
    }
}

/// The same list for programs: addresses with their names.
pub(in crate::exchange::page) fn sources(visit: &Visit<'_>, all: &[(&str, String)]) -> Markup {
    html! {
        p class="sources" {
            (visit.say("also-as"))
            @for (name, path) in all { " " a href=(path) { (name) } }
        }
    }
}
