//! “Which list blocked me?”: whoever finds a value of theirs on this exchange can say why it
//! should not be.

use super::talk::{number, state, text};
use crate::exchange::api::pages::Page;
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::{IndicatorDraft, Invalid, Type, naive_micros};
use crate::exchange::site::{Answer, Call, check_origin};
use serde_json::{Value, json};

/// `POST /appeals`: `{"type": "domain", "indicator": "…", "contact": "…", "reason": "…"}`, or a
/// form. The answer is the same whether the value is known or not.
pub(super) fn appeal(call: &Call<'_>) -> Answer {
    check_origin(call.request, call.settings(), false)?;
    let body = call.fields()?;
    let contact = text(&body, "contact", 254)?;
    let reason = text(&body, "reason", 2048)?;
    let drafts = values_of(&body)?;
    if call.caller.viewer.user().is_none() {
        let value = drafts.first().map_or("", |draft| &draft.norm);
        call.site.limit_login(call.request, value)?;
    }
    let viewer = call.caller.viewer;
    call.write(move |writes| writes.appeal(viewer, &drafts, (&contact, &reason)))?;
    let body = json!({
        "status": "received",
        "detail": "if the value is in a pulse of this exchange, a moderator looks at it",
    });
    Ok(Reply::json(&body).status(202))
}

/// The values that a body may mean: a text without a type is all that it can be.
fn values_of(body: &Value) -> Result<Vec<IndicatorDraft>, Failure> {
    let raw = body.get("indicator").and_then(Value::as_str).unwrap_or_default();
    let kinds: Vec<Type> = match body.get("type").and_then(Value::as_str).unwrap_or_default() {
        "" => super::known::GUESSED.to_vec(),
        name => {
            let unknown = || Failure::from(Invalid::of("type", "unknown type of indicators"));
            vec![Type::from_name(name).ok_or_else(unknown)?]
        }
    };
    let mut why = String::from("expected a value");
    let mut drafts = Vec::new();
    for kind in kinds {
        match IndicatorDraft::new(kind, raw) {
            Ok(draft) => drafts.push(draft),
            Err(message) => why = message,
        }
    }
    match drafts.is_empty() {
        true => Err(Invalid::of("indicator", why).into()),
        false => Ok(drafts),
    }
}

/// `GET /appeals?state=pending`.
pub(super) fn appeals(call: &Call<'_>) -> Answer {
    let wanted = match call.query().get("state") {
        Some("accepted") => 1,
        Some("rejected") => 2,
        _ => 0,
    };
    let page = Page::of(call, 50, 200);
    let rows = call.read(|view| view.appeals(wanted, page.range()))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            json!({
                "id": of.id, "indicator": of.value.1, "type": of.value.0.name(), "by": of.by,
                "contact": of.contact, "reason": of.reason, "created": naive_micros(of.created),
                "state": state(of.state),
            })
        })
        .collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `POST /appeals/{number}/accept`.
pub(super) fn accept(call: &Call<'_>) -> Answer {
    decide(call, true)
}

/// `POST /appeals/{number}/reject`.
pub(super) fn reject(call: &Call<'_>) -> Answer {
    decide(call, false)
}

fn decide(call: &Call<'_>, is_accepted: bool) -> Answer {
    let (user, appeal) = (call.user()?, number(call, "number")?);
    call.write(move |writes| writes.decide_appeal(user, appeal, is_accepted))?;
    Ok(Reply::json(&json!({"status": if is_accepted { "accepted" } else { "rejected" }})))
}
