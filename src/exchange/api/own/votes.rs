//! Votes by weight, and the profile of a user with the parts of its reputation.

use crate::exchange::accounts::{SAMPLE, UserId, weight};
use crate::exchange::api::pulses::found;
use crate::exchange::api::render::user as shown_user;
use crate::exchange::http::{Failure, Reply};
use crate::exchange::pulses::Invalid;
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::Votes;
use serde_json::{Value, json};

/// Counts of a reputation that are older than this are counted again: an hour, in microseconds.
const FRESH: i64 = 3_600_000_000;

/// The vote of a body: 1, 0 or -1.
///
/// # Errors
///
/// 400 if it is something else.
pub(super) fn vote_of(body: &Value) -> Result<i8, Failure> {
    match body.get("vote").and_then(Value::as_i64) {
        Some(vote @ -1..=1) => Ok(vote as i8),
        _ => Err(Invalid::of("vote", "expected 1, 0 or -1").into()),
    }
}

/// Votes as JSON; weights as fractions.
pub(super) fn shown(votes: Votes) -> Value {
    json!({
        "up": votes.up, "down": votes.down, "score": votes.score as f64 / 1000.0,
        "vote": votes.own,
    })
}

/// `GET /pulses/{id}/votes`.
pub(super) fn of_pulse(call: &Call<'_>) -> Answer {
    let pulse = found(call)?;
    let viewer = call.caller.viewer;
    let votes = call.read(|view| view.pulse_votes(viewer, pulse.key))?;
    Ok(Reply::json(&shown(votes)))
}

/// `GET /users/{name}`: the profile of a user.
pub(super) fn profile(call: &Call<'_>) -> Answer {
    let viewer = call.caller.viewer;
    let name = call.param("name");
    let (found, now) = call.read(|view| Ok((view.user(viewer, name)?, view.now())))?;
    let found = found.filter(|user| !user.is_suspended).ok_or_else(Failure::not_found)?;
    let mut reputation = call.read(|view| view.reputation(found.id))?;
    if now.0 - reputation.computed.0 > FRESH {
        let user: UserId = found.id;
        reputation = call.write(move |writes| writes.renew_reputation(user))?;
    }
    let mut body = shown_user(&found, viewer, true);
    let exported = reputation.indicators.max(1) as f64;
    let share = |part: u64| part as f64 / exported;
    body["role"] = json!(found.role.name());
    body["accepted_edits_count"] = json!(reputation.accepted_edits);
    body["is_new"] = json!(call.settings().quotas.is_new(found.role, found.created, now));
    body["reputation"] = json!({
        "weight": weight(found.created, now, &reputation) as f64 / 1000.0,
        "age_days": (now.0 - found.created.0) / 86_400_000_000,
        "indicators": reputation.indicators,
        "sample": SAMPLE,
        "corroborated": reputation.corroborated,
        "corroborated_share": share(reputation.corroborated),
        "false_positives": reputation.false_positives,
        "false_positive_share": share(reputation.false_positives),
        "accepted_edits": reputation.accepted_edits,
    });
    Ok(Reply::json(&body))
}
