//! Lists of pulses: the feed of a user, its activity, those of users.

use super::listed::as_text;
use super::pages::{Envelope, Page};
use super::render::{Shape, pulse, pulse_with};
use crate::engine::indicator::Tlp;
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::{Pulse, naive_micros};
use crate::exchange::site::{Answer, Call, Kept, Listed};
use crate::exchange::storage::{Happening, IndicatorQuery, PulseQuery, Selection, Storage, Which};
use serde_json::{Value, json};
use std::io;
use std::sync::Arc;

/// `GET /pulses/subscribed`.
pub(super) fn subscribed(call: &Call<'_>) -> Answer {
    whole_pulses(call, PulseQuery { selection: Selection::Subscribed, ..base(call)? })
}

/// `GET /pulses/activity`.
pub(super) fn activity(call: &Call<'_>) -> Answer {
    whole_pulses(call, PulseQuery { selection: Selection::Activity, ..base(call)? })
}

/// `GET /pulses/my`.
pub(super) fn my(call: &Call<'_>) -> Answer {
    whole_pulses(call, searched(call, PulseQuery { selection: Selection::Own, ..base(call)? }))
}

/// `GET /pulses/user/{name}`.
pub(super) fn of_user(call: &Call<'_>) -> Answer {
    let author = author(call, call.param("name"))?;
    let selection = Selection::Author(author.ok_or_else(Failure::not_found)?);
    whole_pulses(call, searched(call, PulseQuery { selection, ..base(call)? }))
}

/// `GET /pulses/subscribed_pulse_ids`.
pub(super) fn subscribed_ids(call: &Call<'_>) -> Answer {
    let page = Page::of(call, 50, 1000);
    let query = PulseQuery { selection: Selection::Subscribed, ..base(call)? };
    let query = paged(query, page);
    let viewer = call.caller.viewer;
    let (count, pulses) = call.read(|view| {
        let all = PulseQuery { before: None, ..query.clone() };
        Ok((view.count(viewer, &all)?, view.pulses(viewer, &query)?))
    })?;
    let last = pulses.last().map(|pulse| pulse.modified);
    let envelope = Envelope::of(call, page, (count, pulses.len()), last);
    let ids = pulses.iter().map(|pulse| json!(pulse.id.to_string())).collect();
    Ok(Reply::json(&envelope.with(ids)))
}

/// `GET /pulses/events`.
pub(super) fn events(call: &Call<'_>) -> Answer {
    let user = call.user()?;
    let since = call.time(&["since", "modified_since"])?;
    let page = Page::of(call, 50, 1000);
    let (count, found) = call.read(|view| view.happenings(user, since, page.range()))?;
    let rows: Vec<Value> = found
        .iter()
        .map(|event| {
            json!({
                "id": number_of(event),
                "action": if event.is_subscribe { "subscribe" } else { "unsubscribe" },
                "object_type": event.object,
                "object_id": event.object_id,
                "created": naive_micros(event.created),
            })
        })
        .collect();
    let envelope = Envelope::of(call, page, (count, rows.len()), None);
    Ok(Reply::json(&envelope.with(rows)))
}

/// A number of an event, always the same. Clients have 31 bits for it.
fn number_of(event: &Happening) -> u32 {
    let name = format!("{} {} {}", event.object, event.object_id, event.created.0);
    let [.., a, b, c, d] = xxhash_rust::xxh3::xxh3_64(name.as_bytes()).to_be_bytes();
    u32::from_be_bytes([a, b, c, d]) >> 1
}

/// The filters that all lists have.
fn base(call: &Call<'_>) -> Result<PulseQuery, Failure> {
    let since = call.time(&["modified_since", "since"])?;
    let query = call.query();
    let name = query.get("author_name").filter(|name| !is_none(name));
    let author = match name {
        None => None,
        // Nobody has the number 0.
        Some(name) => author(call, name)?.or(Some(crate::exchange::accounts::UserId(0))),
    };
    Ok(PulseQuery { since, author, ..PulseQuery::default() })
}

/// The author with a name.
fn author(
    call: &Call<'_>,
    name: &str,
) -> Result<Option<crate::exchange::accounts::UserId>, Failure> {
    let viewer = call.caller.viewer;
    Ok(call.read(|view| view.user(viewer, name))?.map(|user| user.id))
}

/// What the SDK sends for no filter.
pub(super) fn is_none(text: &str) -> bool {
    text.is_empty() || text == "None"
}

/// With the words of `q`.
fn searched(call: &Call<'_>, query: PulseQuery) -> PulseQuery {
    let words = call.query().get("q").unwrap_or_default().to_string();
    match is_none(&words) {
        true => query,
        false => PulseQuery { search: Some(super::search::search_of(&words)), ..query },
    }
}

/// A page of a query.
pub(super) fn paged(query: PulseQuery, page: Page) -> PulseQuery {
    PulseQuery { before: page.before, limit: page.limit, offset: page.offset, ..query }
}

/// A page of pulses with their indicators, streamed pulse by pulse: clients never read further
/// than what is inline, so all of it is.
fn whole_pulses(call: &Call<'_>, query: PulseQuery) -> Answer {
    let page = Page::of(call, 20, 50);
    let viewer = call.caller.viewer;
    let paged = paged(query.clone(), page);
    let (count, pulses) = call.read(|view| view.page(viewer, &query, &paged))?;
    let last = pulses.last().map(|pulse| pulse.modified);
    let envelope = Envelope::of(call, page, (count, pulses.len()), last);
    let mut head = json!({
        "count": envelope.count, "next": envelope.next, "previous": envelope.previous,
        "prefetch_pulse_ids": false, "t": 0, "t2": 0, "t3": 0,
    })
    .to_string();
    head.pop();
    head.push_str(",\"results\":[");
    if pulses.is_empty() {
        // Most polls: nothing is newer. Pieces would each need a turn of a thread.
        head.push_str("]}");
        return Ok(Reply::new(200, "application/json", head));
    }
    let (storage, kept) = (Arc::clone(&call.site.storage), Arc::clone(&call.site.kept));
    note_sensitive_page(call, &pulses);
    let bodies = pulses.into_iter().enumerate().map(move |(at, pulse)| {
        let mut piece = if at > 0 { ",".to_string() } else { String::new() };
        let text = text_of(&storage, &kept, (&pulse, Which::Active)).map_err(io::Error::other)?;
        piece.push_str(&pulse_with(&pulse, &text, viewer, Shape::List));
        Ok(piece.into_bytes())
    });
    let all = std::iter::once(Ok(head.into_bytes()))
        .chain(bodies)
        .chain(std::iter::once(Ok(b"]}".to_vec())));
    Ok(Reply::pieces("application/json", Box::new(all)))
}

/// Records that pulses which few may see were read from a list: one record for a page of them.
fn note_sensitive_page(call: &Call<'_>, pulses: &[Pulse]) {
    let user = call.caller.viewer.user();
    let is_sensitive = |of: &&Pulse| of.tlp > Tlp::Green && user != Some(of.author.id);
    let ids: Vec<String> = pulses.iter().filter(is_sensitive).map(|of| of.id.to_string()).collect();
    if !ids.is_empty() {
        let list = call.request.path().trim_matches('/').to_string();
        call.site
            .storage
            .post(move |writes| writes.audit(user, "pulse.read", &ids.join(" "), &list));
    }
}

/// Some indicators of a pulse as text.
pub(super) fn text_of(
    storage: &Storage,
    kept: &Kept,
    (pulse, which): (&Pulse, Which),
) -> crate::engine::error::Result<Arc<Listed>> {
    kept.get((pulse.key, pulse.modified, which), crate::clock::now(), || {
        let query = IndicatorQuery { which, ..IndicatorQuery::default() };
        Ok(as_text(&storage.read(|view| view.indicators(pulse.key, &query))?))
    })
}

/// A page of pulses without their indicators.
pub(super) fn bare_pulses(call: &Call<'_>, pulses: Vec<Pulse>) -> Result<Vec<Value>, Failure> {
    let viewer = call.caller.viewer;
    let pulses = call.read(|view| {
        pulses.into_iter().map(|pulse| view.completed(pulse)).collect::<Result<Vec<_>, _>>()
    })?;
    Ok(pulses.iter().map(|of| pulse(of, viewer, Shape::List)).collect())
}
