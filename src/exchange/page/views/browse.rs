//! Lists of pulses: all that a list shows is in its address.

use crate::engine::indicator::{Timestamp, Tlp, refang};
use crate::exchange::accounts::UserId;
use crate::exchange::api::search_of;
use crate::exchange::http::{Failure, Query};
use crate::exchange::page::components::{
    FacetRow, choice, empty, facet, pager, pulse_card, sources,
};
use crate::exchange::page::forms::see;
use crate::exchange::page::frame::{Page, Place};
use crate::exchange::page::links::{Link, indicator};
use crate::exchange::page::values::{guess, name};
use crate::exchange::page::visit::Visit;
use crate::exchange::pulses::{Pulse, Type, normalise};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::{Facets, LabelKind, PulseQuery, Sort};
use maud::{Markup, html};

/// Pulses of a page.
const ROWS: usize = 20;

/// How far lists go that have no position to begin after.
const FURTHEST: usize = 10_000;

/// The most characters of a search for words.
const MAX_WORDS: usize = 256;

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// What an address of a list may say.
const NAMES: [&str; 12] = [
    "q",
    "sort",
    "type",
    "tlp",
    "author",
    "age",
    "tag",
    "malware_family",
    "adversary",
    "industry",
    "country",
    "attack_id",
];

/// `GET /search`: a value goes to its page, words to the pulses that have them.
pub(in crate::exchange::page) fn search(call: &Call<'_>) -> Answer {
    let query = call.query();
    let text = query.get("q").unwrap_or_default().trim().to_string();
    let value = refang::refang(&text).trim().to_string();
    let found = guess(&value).and_then(|kind| normalise(kind, &value).ok());
    Ok(see(&match found {
        Some((kind, norm)) => indicator(kind, &norm),
        None => {
            let words: String = text.chars().take(MAX_WORDS).collect();
            Link::to("/browse").with("q", &words).text()
        }
    }))
}

/// `GET /browse`.
pub(in crate::exchange::page) fn show(call: &Call<'_>) -> Answer {
    let visit = Visit::new(call);
    let query = call.query();
    let asked = asked(&visit, &query)?;
    let (facets, mut pulses) = visit.read(|view| {
        let paged = PulseQuery { limit: ROWS + 1, ..asked.clone() };
        let all = PulseQuery { before: None, offset: 0, ..asked.clone() };
        Ok((view.facets(visit.viewer(), &all)?, view.pulses(visit.viewer(), &paged)?))
    })?;
    let has_next = pulses.len() > ROWS;
    pulses.truncate(ROWS);
    let link = Link::of("/browse", &query, &NAMES);
    let next = pulses.last().filter(|_| has_next).map(|last| match is_keyed(&asked) {
        true => last.modified.0.to_string(),
        false => (asked.offset + ROWS).to_string(),
    });
    let content = html! {
        (bar(&visit, &link, &query))
        div class="columns" {
            section aria-label=(visit.say("results")) {
                h2 { (counted(&visit, &facets)) }
                @if pulses.is_empty() {
                    (empty(&visit.say("browse-none"), Some(("/browse", &visit.say("browse-all")))))
                }
                div class="cards" {
                    @for of in &pulses { (pulse_card(&visit, of, why(&visit, of, &query))) }
                }
                (pager(&visit, &link, ("from", query.get("from").is_none()), next))
                (sources(&visit, &[("API", api(&query))]))
            }
            aside aria-label=(visit.say("narrow")) { (narrow(&visit, &link, &facets)) }
        }
    };
    Ok(Page::new(visit.say("browse"), Place::Browse, content).reply(&visit))
}

/// The same list for programs.
fn api(query: &Query) -> String {
    let link = Link::of(
        "/api/v1/search/pulses",
        query,
        &["q", "type", "tag", "malware_family", "adversary", "industry", "country", "attack_id"],
    );
    link.text()
}

/// Whether the next page begins after a time. Others are counted from the beginning.
fn is_keyed(query: &PulseQuery) -> bool {
    query.search.is_none() && query.sort == Sort::Modified
}

/// What the address asks for.
fn asked(visit: &Visit<'_>, query: &Query) -> Result<PulseQuery, Failure> {
    let words: String = query.get("q").unwrap_or_default().trim().chars().take(MAX_WORDS).collect();
    let search = (!words.is_empty()).then(|| search_of(&words));
    let sort = match query.get("sort") {
        Some("created") => Sort::Created,
        Some("popular") => Sort::Subscribers,
        Some("votes") => Sort::Votes,
        Some("modified") => Sort::Modified,
        _ if search.is_some() => Sort::Relevance,
        _ => Sort::Modified,
    };
    let mut labels = Vec::new();
    for (kind, name) in LabelKind::ALL {
        let values = query.pairs().filter(|(of, value)| *of == name && !value.is_empty());
        labels.extend(values.take(4).map(|(_, value)| (kind, value.to_string())));
    }
    let author = match query.get("author").filter(|name| !name.is_empty()) {
        None => None,
        // Nobody has the number 0.
        Some(name) => visit
            .read(|view| view.user(visit.viewer(), name))?
            .map(|user| user.id)
            .or(Some(UserId(0))),
    };
    let days = match query.get("age") {
        Some("day") => Some(1),
        Some("week") => Some(7),
        Some("month") => Some(30),
        Some("year") => Some(365),
        _ => None,
    };
    let asked = PulseQuery {
        search,
        sort,
        labels,
        author,
        since: days.map(|days| Timestamp(crate::clock::now().0 - days * DAY)),
        kind: query.get("type").and_then(Type::from_name),
        tlp: query.get("tlp").and_then(Tlp::from_name),
        ..PulseQuery::default()
    };
    let from = query.number("from").filter(|from| *from > 0);
    Ok(match from {
        None => asked,
        Some(from) if is_keyed(&asked) => PulseQuery { before: Some(Timestamp(from)), ..asked },
        Some(from) => {
            PulseQuery { offset: usize::try_from(from).unwrap_or(0).min(FURTHEST), ..asked }
        }
    })
}

/// How many there are.
fn counted(visit: &Visit<'_>, facets: &Facets) -> String {
    let count = (facets.pulses as u64).into();
    visit.fill(if facets.has_more { "browse-many" } else { "browse-count" }, &[("count", count)])
}

/// The words, the order and the age, as a form.
fn bar(visit: &Visit<'_>, link: &Link, query: &Query) -> Markup {
    let named = |all: &[(&str, &str)]| -> Vec<(String, String)> {
        all.iter().map(|(value, key)| ((*value).to_string(), visit.say(key))).collect()
    };
    let orders = named(&[
        ("", "sort-best"),
        ("modified", "sort-modified"),
        ("created", "sort-created"),
        ("popular", "sort-popular"),
        ("votes", "sort-votes"),
    ]);
    let ages = named(&[
        ("", "age-any"),
        ("day", "age-day"),
        ("week", "age-week"),
        ("month", "age-month"),
        ("year", "age-year"),
    ]);
    let kinds: Vec<(String, String)> = std::iter::once((String::new(), visit.say("type-any")))
        .chain(Type::ALL.iter().map(|of| (of.name().to_string(), name(visit, *of))))
        .collect();
    let kept = ["q", "sort", "age", "type"];
    html! {
        form action="/browse" class="filter panel" {
            @for (name, value) in link.parameters().iter().filter(|(of, _)| !kept.contains(&of.as_str())) {
                input type="hidden" name=(name) value=(value);
            }
            div class="field" {
                label for="words" { (visit.say("browse-words")) }
                input id="words" name="q" value=(query.get("q").unwrap_or_default()) dir="auto"
                    autocomplete="off" maxlength=(MAX_WORDS);
            }
            (choice(("sort", visit.say("sort")), &orders, query.get("sort").unwrap_or_default()))
            (choice(("age", visit.say("age")), &ages, query.get("age").unwrap_or_default()))
            (choice(("type", visit.say("facet-type")), &kinds, query.get("type").unwrap_or_default()))
            button { (visit.say("browse-apply")) }
        }
        @if link.parameters().iter().any(|(name, _)| !kept.contains(&name.as_str())) {
            ul class="switches" aria-label=(visit.say("chosen")) {
                @for (name, value) in link.parameters().iter().filter(|(of, _)| !kept.contains(&of.as_str())) {
                    li { a href=(link.clone().toggle(name, value).text()) aria-current="true" {
                        bdi { (value) } " ×" span class="unseen" { (visit.say("take-away")) }
                    } }
                }
            }
        }
    }
}

/// The facets.
fn narrow(visit: &Visit<'_>, link: &Link, facets: &Facets) -> Markup {
    let row = |value: &str, name: String, count: u64| FacetRow {
        value: value.to_string(),
        name,
        count: Some(count),
    };
    let tlps: Vec<FacetRow> = facets
        .tlps
        .iter()
        .map(|(of, count)| {
            row(of.name(), format!("TLP:{}", of.name().to_ascii_uppercase()), *count)
        })
        .collect();
    let authors: Vec<FacetRow> =
        facets.authors.iter().map(|(name, count)| row(name, name.clone(), *count)).collect();
    let of_kind = |kind: LabelKind| -> Vec<FacetRow> {
        let all = facets.labels.iter().filter(|(of, ..)| *of == kind);
        // Labels are kept in lower case; what everybody writes in upper case is shown so.
        let shown = |name: &str| match kind {
            LabelKind::Attack => name.to_uppercase(),
            _ => name.to_string(),
        };
        all.map(|(_, name, count)| row(name, shown(name), *count)).collect()
    };
    let kinds = [
        (LabelKind::Family, "fact-family", "malware_family"),
        (LabelKind::Adversary, "fact-adversary", "adversary"),
        (LabelKind::Tag, "fact-tags", "tag"),
        (LabelKind::Industry, "fact-industry", "industry"),
        (LabelKind::Country, "fact-country", "country"),
        (LabelKind::Attack, "fact-attack", "attack_id"),
    ];
    html! {
        h2 { (visit.say("narrow")) }
        (facet(visit, link, (visit.say("fact-tlp"), "tlp"), &tlps))
        @for (kind, title, parameter) in kinds {
            (facet(visit, link, (visit.say(title), parameter), &of_kind(kind)))
        }
        (facet(visit, link, (visit.say("author"), "author"), &authors))
    }
}

/// Why a search found a pulse.
fn why(visit: &Visit<'_>, pulse: &Pulse, query: &Query) -> Option<Markup> {
    let words = query.get("q").filter(|words| !words.trim().is_empty())?.to_lowercase();
    let terms: Vec<&str> = words.split_whitespace().collect();
    let has = |text: &str| {
        let text = text.to_lowercase();
        terms.iter().any(|term| text.contains(term))
    };
    let lists = &pulse.lists;
    let mut places = Vec::new();
    let mut note = |is_there: bool, key: &str| {
        if is_there {
            places.push(visit.say(key));
        }
    };
    note(has(&pulse.name), "fact-name");
    note(has(&pulse.adversary), "fact-adversary");
    note(lists.malware_families.iter().any(|of| has(of)), "fact-family");
    note(lists.tags.iter().any(|of| has(of)), "fact-tags");
    note(has(&pulse.description), "fact-description");
    if places.is_empty() {
        places.push(visit.say("why-value"));
    }
    let list = visit.texts.list(&places);
    Some(html! { (visit.say("why-found")) " " (list) })
}

/// Cards of some pulses, below a heading, with where there are more of them.
pub(super) fn shelf(visit: &Visit<'_>, (title, more): (&str, &str), pulses: &[Pulse]) -> Markup {
    html! {
        section {
            h2 { (title) }
            div class="cards" { @for of in pulses { (pulse_card(visit, of, None)) } }
            p { a href=(more) { (visit.say("more")) } }
        }
    }
}
