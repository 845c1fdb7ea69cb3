//! The document around a view.

use super::assets::{SCRIPT, STYLE};
use super::components::{act, hidden, notice, token};
use super::language::Language;
use super::visit::{Colours, Visit};
use crate::exchange::http::Reply;
use maud::{DOCTYPE, Markup, html};

/// What pages may load and do: nothing inline, nothing from elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The picture of the page in lists of pages: a sieve.
const ICON: &str = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'%3E\
                    %3Crect width='32' height='32' rx='7' fill='%230b5c66'/%3E%3Cg fill='%23fff'%3E\
                    %3Ccircle cx='9' cy='10' r='2.5'/%3E%3Ccircle cx='16' cy='10' r='2.5'/%3E\
                    %3Ccircle cx='23' cy='10' r='2.5'/%3E%3Ccircle cx='12.5' cy='17' r='2.5'/%3E\
                    %3Ccircle cx='19.5' cy='17' r='2.5'/%3E%3Ccircle cx='16' cy='24' r='2.5'/%3E%3C/g%3E%3C/svg%3E";

/// Places that the navigation leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The beginning.
    Home,
    /// Lists of pulses.
    Browse,
    /// A new pulse.
    New,
    /// None of them.
    Elsewhere,
}

/// What was done, as the address after a form says.
const DONE: &[(&str, &str)] = &[
    ("subscribed", "done-subscribed"),
    ("unsubscribed", "done-unsubscribed"),
    ("commented", "done-commented"),
    ("deleted", "done-deleted"),
    ("voted", "done-voted"),
    ("reported", "done-reported"),
    ("suggested", "done-suggested"),
    ("cloned", "done-cloned"),
    ("published", "done-published"),
    ("drafted", "done-drafted"),
    ("signed-up", "done-signed-up"),
    ("signed-out", "done-signed-out"),
];

/// A page: its title, where it is in the navigation, and its content.
pub(super) struct Page {
    /// The title, which is also its first heading.
    pub(super) title: String,
    /// Where it is.
    pub(super) place: Place,
    /// What is below the first heading.
    pub(super) content: Markup,
}

impl Page {
    /// A page with a title.
    pub(super) fn new(title: impl Into<String>, place: Place, content: Markup) -> Page {
        Page { title: title.into(), place, content }
    }

    /// As an answer.
    pub(super) fn reply(self, visit: &Visit<'_>) -> Reply {
        let html = document(visit, &self).into_string();
        Reply::new(200, "text/html; charset=utf-8", html)
            .header("content-security-policy", POLICY)
            .header("referrer-policy", "same-origin")
            .header("cross-origin-opener-policy", "same-origin")
            .header("cache-control", "private, no-cache")
            .header("vary", "cookie, accept-language, x-otx-api-key, authorization")
    }
}

fn document(visit: &Visit<'_>, page: &Page) -> Markup {
    let query = visit.query();
    let done = query.get("done").and_then(|done| DONE.iter().find(|(name, _)| *name == done));
    html! {
        (DOCTYPE)
        html lang=(visit.texts.language().code()) data-colours=(visit.colours.name()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) " · wiresift exchange" }
                link rel="icon" href=(ICON);
                link rel="stylesheet" href=(STYLE.path());
                script src=(SCRIPT.path()) defer {}
            }
            body {
                a class="skip" href="#content" { (visit.say("skip")) }
                (header(visit, page.place))
                main id="content" tabindex="-1" {
                    h1 dir="auto" { (page.title) }
                    @if let Some((_, key)) = done { (notice(&visit.say(key))) }
                    (page.content)
                }
                (footer(visit))
            }
        }
    }
}

fn header(visit: &Visit<'_>, place: Place) -> Markup {
    let mut places = vec![(Place::Home, "/", "nav-home"), (Place::Browse, "/browse", "nav-browse")];
    if visit.user().is_some() {
        places.push((Place::New, "/new", "nav-new"));
    }
    html! {
        header class="top" {
            div class="bar" {
                a class="brand" href="/" { "wiresift " span { "exchange" } }
                nav aria-label=(visit.say("nav-label")) {
                    ul {
                        @for (of, path, key) in places {
                            li {
                                a href=(path) aria-current=[(of == place).then_some("page")] {
                                    (visit.say(key))
                                }
                            }
                        }
                    }
                }
                form class="search" role="search" action="/search" {
                    label class="unseen" for="q" { (visit.say("search-label")) }
                    input id="q" name="q" type="search" maxlength="4096" autocomplete="off" dir="auto"
                        value=(visit.query().get("q").unwrap_or_default())
                        placeholder=(visit.say("search-hint"));
                    button { (visit.say("search-button")) }
                }
                div class="account" { (account(visit)) }
            }
        }
    }
}

/// Who is signed in, or the ways in.
fn account(visit: &Visit<'_>) -> Markup {
    html! {
        @if visit.user().is_some() {
            span class="who" { bdi { (visit.call.caller.name) } }
            @if visit.call.caller.session.is_some() {
                (act(visit, "/sign-out", ("sign-out", "quiet"), &[]))
            }
        } @else {
            a class="button quiet" href="/sign-in" { (visit.say("sign-in")) }
        }
    }
}

fn footer(visit: &Visit<'_>) -> Markup {
    let back = visit.call.request.target.as_str();
    html! {
        footer class="bottom" {
            div class="bar" {
                form method="post" action="/look" class="look" {
                    (token(visit))
                    (hidden("back", back))
                    label for="language" { (visit.say("look-language")) }
                    select id="language" name="language" {
                        @for of in Language::ALL {
                            option value=(of.code()) lang=(of.code())
                                selected[*of == visit.texts.language()] { (of.name()) }
                        }
                    }
                    label for="colours" { (visit.say("look-colours")) }
                    select id="colours" name="colours" {
                        @for of in Colours::ALL {
                            option value=(of.name()) selected[of == visit.colours] {
                                (visit.say(match of {
                                    Colours::Auto => "colours-auto",
                                    Colours::Light => "colours-light",
                                    Colours::Dark => "colours-dark",
                                }))
                            }
                        }
                    }
                    button class="quiet" { (visit.say("look-button")) }
                }
                p { a href="/api/docs" { (visit.say("footer-api")) } }
            }
        }
    }
}
