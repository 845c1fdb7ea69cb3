//! What authors decide about their pulses: who reads one by name, and which indicators on warning
//! lists are meant.

use super::talk::{number, text};
use crate::exchange::api::pages::Page;
use crate::exchange::api::pulses::found;
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::Pulse;
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::Flagged;
use serde_json::{Value, json};

/// The pulse of the path, which must be the caller's own.
fn own(call: &Call<'_>) -> Result<Pulse, Failure> {
    let pulse = found(call)?;
    match call.caller.viewer.user() == Some(pulse.author.id) {
        true => Ok(pulse),
        false => Err(Failure::forbidden("only its author knows the readers of a pulse")),
    }
}

/// `GET /pulses/{id}/readers`: for the author.
pub(super) fn readers(call: &Call<'_>) -> Answer {
    let pulse = own(call)?;
    let names = call.read(|view| view.readers(pulse.key))?;
    Ok(Reply::json(&json!({"results": names})))
}

/// `PUT /pulses/{id}/readers/{name}`.
pub(super) fn add_reader(call: &Call<'_>) -> Answer {
    set_reader(call, true)
}

/// `DELETE /pulses/{id}/readers/{name}`.
pub(super) fn remove_reader(call: &Call<'_>) -> Answer {
    set_reader(call, false)
}

fn set_reader(call: &Call<'_>, is_added: bool) -> Answer {
    let (user, id, name) = (call.user()?, call.pulse_id()?, call.param("name").to_string());
    let is_changed = call.write(move |writes| writes.set_reader(user, &id, (&name, is_added)))?;
    Ok(Reply::json(&json!({"status": if is_changed { "changed" } else { "unchanged" }})))
}

fn shown(call: &Call<'_>, of: &Flagged) -> Value {
    let about = call.site.warnings.about(of.indicator.kind, &of.indicator.norm);
    let warnings: Vec<Value> = about
        .into_iter()
        .map(|of| json!({"source": of.source, "name": of.name, "message": of.message}))
        .collect();
    json!({
        "pulse": of.pulse, "pulse_name": of.name, "author": of.author, "id": of.indicator.id,
        "indicator": of.indicator.value, "type": of.indicator.kind.name(),
        "is_confirmed": of.reason.is_some(), "reason": of.reason, "is_agreed": of.is_agreed,
        "validation": warnings,
    })
}

/// `GET /pulses/{id}/flagged`: indicators that stay out of exports.
pub(super) fn flagged(call: &Call<'_>) -> Answer {
    let pulse = found(call)?;
    let page = Page::of(call, 100, 1000);
    let rows = call.read(|view| view.flagged(pulse.key, page.range()))?;
    let rows: Vec<Value> = rows.iter().map(|of| shown(call, of)).collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `GET /flagged`: what authors have confirmed and waits for somebody trusted.
pub(super) fn awaiting(call: &Call<'_>) -> Answer {
    let page = Page::of(call, 50, 200);
    let viewer = call.caller.viewer;
    let rows = call.read(|view| view.awaiting(viewer, page.range()))?;
    let rows: Vec<Value> = rows.iter().map(|of| shown(call, of)).collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `POST /pulses/{id}/flagged/{number}/confirm`: `{"reason": "…"}`, by the author, and by
/// somebody trusted.
pub(super) fn confirm(call: &Call<'_>) -> Answer {
    let (user, id, entry) = (call.user()?, call.pulse_id()?, number(call, "number")?);
    let reason = text(&call.json()?, "reason", 512)?;
    let who = (user, call.caller.role);
    let is_exported = call.write(move |writes| writes.confirm(who, (&id, entry), &reason))?;
    let status = if is_exported { "exported" } else { "pending" };
    Ok(Reply::json(&json!({"status": status})))
}
