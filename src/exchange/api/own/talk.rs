//! What people say about pulses: comments, votes, suggestions, reports; and what was changed.

use crate::exchange::api::pages::{Envelope, Page};
use crate::exchange::api::privacy::check_patch;
use crate::exchange::api::pulses::{Quota, flag, found, note_sensitive, shown};
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::{Invalid, Patch, clean_text, naive_micros};
use crate::exchange::site::{Answer, Call};
use serde_json::{Value, json};

/// The most bytes of a comment.
const MAX_COMMENT: usize = 8 << 10;

/// The most bytes of a suggested change.
const MAX_PATCH: usize = 1 << 20;

/// A text of the body that must be there.
pub(super) fn text(body: &Value, name: &str, most: usize) -> Result<String, Failure> {
    let text = body.get(name).and_then(Value::as_str).map(clean_text).unwrap_or_default();
    let text = text.trim().to_string();
    if text.is_empty() {
        return Err(Invalid::of(name, "expected a text").into());
    }
    if text.len() > most {
        return Err(Invalid::of(name, format!("at most {most} bytes are allowed")).into());
    }
    Ok(text)
}

/// A number of the path.
pub(super) fn number(call: &Call<'_>, name: &str) -> Result<i64, Failure> {
    call.param(name).parse().map_err(|_| Failure::not_found())
}

/// `GET /pulses/{id}/comments`.
pub(super) fn comments(call: &Call<'_>) -> Answer {
    let pulse = found(call)?;
    let page = Page::of(call, 50, 200);
    note_sensitive(call, &pulse);
    let rows = call.read(|view| view.comments(pulse.key, page.range()))?;
    let (quotas, now) = (call.settings().quotas, crate::clock::now());
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            // What new accounts write is shown as text, addresses included.
            let is_new = quotas.is_new(of.role, of.since, now);
            json!({
                "id": of.id, "author": of.author, "created": naive_micros(of.created),
                "text": of.text, "has_links": !is_new,
            })
        })
        .collect();
    let count = pulse.counts.comments;
    let envelope = Envelope::of(call, page, (count, rows.len()), None);
    Ok(Reply::json(&envelope.with(rows)))
}

/// `POST /pulses/{id}/comments`.
pub(super) fn comment(call: &Call<'_>) -> Answer {
    let (user, id) = (call.user()?, call.pulse_id()?);
    let text = text(&call.json()?, "text", MAX_COMMENT)?;
    let comment = call.write(move |writes| writes.comment(user, &id, &text))?;
    Ok(Reply::json(&json!({"id": comment})).status(201))
}

/// `DELETE /pulses/{id}/comments/{number}`.
pub(super) fn delete_comment(call: &Call<'_>) -> Answer {
    let (user, id, comment) = (call.user()?, call.pulse_id()?, number(call, "number")?);
    call.write(move |writes| writes.delete_comment(user, &id, comment))?;
    Ok(Reply::json(&json!({"status": "deleted"})))
}

/// `POST /pulses/{id}/vote`: `{"vote": 1}`, -1, or 0.
pub(super) fn vote(call: &Call<'_>) -> Answer {
    let (user, id) = (call.user()?, call.pulse_id()?);
    let vote = super::votes::vote_of(&call.json()?)?;
    let pulse = call.write(move |writes| writes.vote(user, &id, vote))?;
    shown(call, pulse)
}

/// `GET /pulses/{id}/suggestions`.
pub(super) fn suggestions(call: &Call<'_>) -> Answer {
    let (user, pulse) = (call.user()?, found(call)?);
    let page = Page::of(call, 20, 100);
    let rows = call.read(|view| view.suggestions(user, &pulse, page.range()))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            let patch: Value = serde_json::from_str(&of.patch).unwrap_or_default();
            json!({
                "id": of.id, "author": of.author, "created": naive_micros(of.created),
                "patch": patch, "reason": of.reason, "state": state(of.state),
            })
        })
        .collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// The name of a state.
pub(super) fn state(state: i64) -> &'static str {
    match state {
        0 => "pending",
        1 => "accepted",
        _ => "rejected",
    }
}

/// `POST /pulses/{id}/suggestions`: `{"patch": {…}, "reason": "…"}`.
pub(super) fn suggest(call: &Call<'_>) -> Answer {
    let (user, id) = (call.user()?, call.pulse_id()?);
    let body = call.json()?;
    let reason = text(&body, "reason", 512)?;
    let patch = body.get("patch").cloned().unwrap_or_default();
    // What the author could not accept is not worth suggesting.
    Patch::from_json(&patch, crate::clock::now())?;
    let patch = patch.to_string();
    if patch.len() > MAX_PATCH {
        return Err(Invalid::of("patch", format!("at most {MAX_PATCH} bytes are allowed")).into());
    }
    let number = call.write(move |writes| writes.suggest(user, &id, (&patch, &reason)))?;
    Ok(Reply::json(&json!({"id": number})).status(201))
}

/// `POST /pulses/{id}/suggestions/{number}/accept`.
pub(super) fn accept(call: &Call<'_>) -> Answer {
    let (user, id, suggestion) = (call.user()?, call.pulse_id()?, number(call, "number")?);
    let stored = call.write(move |writes| writes.suggested(user, &id, suggestion))?;
    let stored: Value = serde_json::from_str(&stored).unwrap_or_default();
    let now = crate::clock::now();
    let mut patch = Patch::from_json(&stored, now)?;
    flag(call, &mut patch.add);
    check_patch(call, &stored, &id, &patch)?;
    let quota = Quota::of(call, now);
    call.write(move |writes| {
        if let Some(quota) = quota {
            quota.check(writes, user, (0, patch.add.len() as u64))?;
        }
        writes.decide_suggestion(user, &id, (suggestion, Some(&patch)))
    })?;
    Ok(Reply::json(&json!({"status": "accepted"})))
}

/// `POST /pulses/{id}/suggestions/{number}/reject`.
pub(super) fn reject(call: &Call<'_>) -> Answer {
    let (user, id, suggestion) = (call.user()?, call.pulse_id()?, number(call, "number")?);
    call.write(move |writes| writes.decide_suggestion(user, &id, (suggestion, None)))?;
    Ok(Reply::json(&json!({"status": "rejected"})))
}

/// `GET /pulses/{id}/revisions`.
pub(super) fn revisions(call: &Call<'_>) -> Answer {
    let pulse = found(call)?;
    let page = Page::of(call, 20, 100);
    note_sensitive(call, &pulse);
    let rows = call.read(|view| view.revisions(pulse.key, page.limit, page.offset))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            let patch: Value = serde_json::from_str(&of.patch).unwrap_or_default();
            json!({
                "revision": of.number, "author": of.author, "created": naive_micros(of.created),
                "changes": patch, "reason": of.reason,
            })
        })
        .collect();
    let envelope = Envelope::of(call, page, (u64::from(pulse.revision), rows.len()), None);
    Ok(Reply::json(&envelope.with(rows)))
}

/// `POST /pulses/{id}/report`: `{"reason": "…"}`.
pub(super) fn report(call: &Call<'_>) -> Answer {
    let (user, pulse) = (call.user()?, found(call)?);
    let reason = text(&call.json()?, "reason", 512)?;
    let number = call.write(move |writes| writes.report_pulse(user, pulse.key, &reason))?;
    Ok(Reply::json(&json!({"id": number})).status(201))
}
