//! Searches.

use super::feeds::{bare_pulses, is_none, paged};
use super::pages::{Envelope, Page};
use super::render::user;
use crate::exchange::http::{Failure, Reply, encode};
use crate::exchange::pulses::{Type, normalise, reversed_host};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::{LabelKind, PulseQuery, Search, Sort};
use serde_json::{Value, json};

/// The most characters of a search.
const MAX_QUERY: usize = 256;

/// The most words of a search.
const MAX_TERMS: usize = 8;

/// The types that a whole search may be a value of.
const SEARCHED: [Type; 12] = [
    Type::IPv4,
    Type::IPv6,
    Type::Cidr,
    Type::Domain,
    Type::Hostname,
    Type::Url,
    Type::Email,
    Type::Md5,
    Type::Sha1,
    Type::Sha256,
    Type::Cve,
    Type::Mutex,
];

/// What a text may mean: its words, and the values that it may be.
pub(in crate::exchange) fn search_of(text: &str) -> Search {
    // A null would end the text for SQLite.
    let text = text.chars().take(MAX_QUERY).map(|c| if c.is_control() { ' ' } else { c });
    let text: String = text.collect();
    let text = text.trim();
    let has_word = |term: &&str| term.chars().any(char::is_alphanumeric);
    let terms = text.split_whitespace().filter(has_word).take(MAX_TERMS);
    let values: Vec<(Type, String)> = match text.contains(char::is_whitespace) {
        true => Vec::new(),
        false => SEARCHED.iter().filter_map(|of| normalise(*of, text).ok()).collect(),
    };
    let host = values
        .iter()
        .find(|(of, _)| *of == Type::Domain)
        .and_then(|(of, norm)| reversed_host(*of, norm));
    Search { terms: terms.map(str::to_string).collect(), values, host }
}

/// The text of a search.
fn words(call: &Call<'_>) -> Result<String, Failure> {
    let words = call.query().get("q").unwrap_or_default().trim().to_string();
    if words.chars().count() > MAX_QUERY {
        return Err(Failure::bad_request(format!("q: at most {MAX_QUERY} characters are allowed")));
    }
    Ok(if is_none(&words) { String::new() } else { words })
}

/// The query of a search with its filters.
pub(super) fn query_of(call: &Call<'_>) -> Result<PulseQuery, Failure> {
    let words = words(call)?;
    let query = call.query();
    let sort = query.get("sort").unwrap_or_default();
    let (name, is_descending) = match sort.strip_prefix('-') {
        Some(name) => (name, true),
        None => (sort, false),
    };
    let sort = match name {
        "modified" => Sort::Modified,
        "created" => Sort::Created,
        "subscriber_count" => Sort::Subscribers,
        "votes" | "upvotes_count" => Sort::Votes,
        _ if words.is_empty() => Sort::Modified,
        _ => Sort::Relevance,
    };
    // A minus reverses; without any order the newest, or the best, come first.
    let is_ascending = !is_descending && !matches!(sort, Sort::Relevance) && !name.is_empty();
    let mut labels = Vec::new();
    for (kind, name) in LabelKind::ALL {
        let values = query.pairs().filter(|(of, _)| *of == name);
        labels.extend(values.take(4).map(|(_, value)| (kind, value.to_string())));
    }
    let kind = match query.get("type").filter(|name| !name.is_empty()) {
        None => None,
        Some(name) => {
            let unknown = || Failure::bad_request("type: unknown type of indicators");
            Some(Type::from_name(name).ok_or_else(unknown)?)
        }
    };
    Ok(PulseQuery {
        since: call.time(&["modified_since"])?,
        search: (!words.is_empty()).then(|| search_of(&words)),
        labels,
        kind,
        sort,
        is_ascending,
        ..PulseQuery::default()
    })
}

/// `GET /search/pulses`.
pub(super) fn pulses(call: &Call<'_>) -> Answer {
    let query = query_of(call)?;
    let page = Page::of(call, 20, 50);
    let viewer = call.caller.viewer;
    let paged = PulseQuery { before: None, ..paged(query.clone(), page) };
    let (count, found) = call.read(|view| view.page(viewer, &query, &paged))?;
    let rows = bare_pulses(call, found)?;
    let shown = rows.len();
    let mut body = Envelope::of(call, page, (count, shown), None).with(rows);
    body["exact_match"] = json!(exact_match(call, &query)?);
    body["users_count"] = json!(0);
    body["groups_count"] = json!(0);
    Ok(Reply::json(&body))
}

/// The path of the page of an indicator, if the search is one that the caller may see.
fn exact_match(call: &Call<'_>, query: &PulseQuery) -> Result<String, Failure> {
    let viewer = call.caller.viewer;
    let Some(search) = &query.search else { return Ok(String::new()) };
    let found = call.read(|view| {
        for (kind, norm) in &search.values {
            if view.count_hits(viewer, (*kind, norm))? > 0 {
                return Ok(Some((*kind, norm.clone())));
            }
        }
        Ok(None)
    })?;
    Ok(found.map_or_else(String::new, |(kind, norm)| {
        format!("/indicator/{}/{}", kind.slug(), encode(&norm))
    }))
}

/// `GET /search/users`.
pub(super) fn users(call: &Call<'_>) -> Answer {
    let words = words(call)?;
    let page = Page::of(call, 20, 100);
    let viewer = call.caller.viewer;
    let query = call.query();
    let sort = query.get("sort").unwrap_or("username");
    let order = (sort.trim_start_matches('-') == "pulse_count", sort.starts_with('-'));
    let (count, found) = call.read(|view| view.users(viewer, &words, order, page.range()))?;
    let rows: Vec<Value> = found.iter().map(|of| user(of, viewer, false)).collect();
    let envelope = Envelope::of(call, page, (count, rows.len()), None);
    Ok(Reply::json(&envelope.with(rows)))
}
