//! What moderators do: reports, and the record of what was done.

use super::talk::{number, state};
use crate::exchange::api::pages::Page;
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::naive_micros;
use crate::exchange::site::{Answer, Call};
use serde_json::{Value, json};

/// `GET /reports?state=pending`.
pub(super) fn reports(call: &Call<'_>) -> Answer {
    let wanted = match call.query().get("state") {
        Some("accepted") => 1,
        Some("rejected") => 2,
        _ => 0,
    };
    let page = Page::of(call, 50, 200);
    let rows = call.read(|view| view.reports(wanted, page.range()))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            let value = of.value.as_ref();
            json!({
                "id": of.id, "by": of.by, "created": naive_micros(of.created), "pulse": of.pulse,
                "indicator": value.map(|(_, norm)| norm), "type": value.map(|(of, _)| of.name()),
                "reason": of.reason, "state": state(of.state),
            })
        })
        .collect();
    Ok(Reply::json(&json!({"results": rows})))
}

/// `POST /reports/{number}/accept`.
pub(super) fn accept(call: &Call<'_>) -> Answer {
    decide(call, true)
}

/// `POST /reports/{number}/reject`.
pub(super) fn reject(call: &Call<'_>) -> Answer {
    decide(call, false)
}

fn decide(call: &Call<'_>, is_accepted: bool) -> Answer {
    let (user, report) = (call.user()?, number(call, "number")?);
    call.write(move |writes| writes.decide(user, report, is_accepted))?;
    Ok(Reply::json(&json!({"status": if is_accepted { "accepted" } else { "rejected" }})))
}

/// `POST /reports/{number}/withdraw`: what was accepted as a false positive is none. It leaves the
/// allow list, and is exported again unless it is on a warning list.
pub(super) fn withdraw(call: &Call<'_>) -> Answer {
    let (user, report) = (call.user()?, number(call, "number")?);
    let value = call.read(|view| view.allowed_by(report))?.ok_or_else(Failure::not_found)?;
    let is_flagged = !call.site.warnings.about(value.0, &value.1).is_empty();
    call.write(move |writes| writes.withdraw(user, report, is_flagged))?;
    Ok(Reply::json(&json!({"status": "withdrawn"})))
}

/// `POST /users/{name}/suspend`: locks an account, ends its sessions, and hides what it published
/// from everybody, exports included, with the next request.
pub(super) fn suspend(call: &Call<'_>) -> Answer {
    set_suspended(call, true)
}

/// `POST /users/{name}/resume`.
pub(super) fn resume(call: &Call<'_>) -> Answer {
    set_suspended(call, false)
}

fn set_suspended(call: &Call<'_>, is_suspended: bool) -> Answer {
    let (viewer, name) = (call.caller.viewer, call.param("name"));
    let user = call.read(|view| view.user(viewer, name))?.ok_or_else(Failure::not_found)?;
    if user.role >= call.caller.role {
        return Err(Failure::forbidden("only accounts with a lower role than yours"));
    }
    let by = call.user()?;
    call.write(move |writes| {
        writes.suspend(user.id, is_suspended)?;
        let action = if is_suspended { "moderator.suspend" } else { "moderator.resume" };
        writes.audit(Some(by), action, &user.name, "")
    })?;
    Ok(Reply::json(&json!({"status": if is_suspended { "suspended" } else { "resumed" }})))
}

/// `GET /audit`.
pub(super) fn audit(call: &Call<'_>) -> Answer {
    let page = Page::of(call, 50, 200);
    let rows = call.read(|view| view.audits(page.range()))?;
    let rows: Vec<Value> = rows
        .iter()
        .map(|of| {
            json!({
                "created": naive_micros(of.created), "by": of.by, "action": of.action,
                "object": of.object, "detail": of.detail,
            })
        })
        .collect();
    Ok(Reply::json(&json!({"results": rows})))
}
