//! What was accepted as a false positive, as a list of what must not alert.
//!
//! A sensor subscribes to it as a feed of kind `allow`. An entry is there as long as the report
//! that it came from is accepted, for everybody who sees a pulse with its value: the list must not
//! say more than the pulses do.

use crate::exchange::http::{Failure, Reply};
use crate::exchange::site::{Answer, Call};
use crate::exchange::storage::Allowed;
use serde_json::json;

/// The whole list if there is nothing on it.
const EMPTY: &str = "# nothing is accepted as a false positive\n";

/// `GET /allow?format=`: `text`, one value a line with its reason as `--allow` reads it, or
/// `jsonl`, one indicator a line in the form of the program's own feeds, which keeps the kind.
pub(super) fn allow(call: &Call<'_>) -> Answer {
    let viewer = call.caller.viewer;
    let entries = call.read(|view| view.allowed(viewer))?;
    let (media, body) = match call.query().get("format") {
        None | Some("text") => ("text/plain; charset=utf-8", text(&entries)),
        Some("jsonl") => ("application/x-ndjson", lines(&entries)),
        Some(_) => return Err(Failure::bad_request("format: expected text or jsonl")),
    };
    let tag = format!("\"{:016x}\"", xxhash_rust::xxh3::xxh3_64(body.as_bytes()));
    let known = call.request.header("if-none-match").unwrap_or("");
    if known.split(',').any(|known| known.trim().trim_start_matches("W/") == tag) {
        return Ok(Reply::new(304, media, "").header("etag", tag));
    }
    Ok(Reply::new(200, media, body)
        .header("etag", tag)
        .header("cache-control", "private, no-cache"))
}

/// Values with what they are, since when they are allowed, and why, as comments.
fn text(entries: &[Allowed]) -> String {
    if entries.is_empty() {
        return EMPTY.to_string();
    }
    let mut text = String::from("# accepted as false positives\n");
    let mut left_out = 0;
    for entry in entries {
        // A list of values has no rules, and a value ends at the first space.
        if entry.kind.is_rule() || entry.norm.contains(|c: char| c.is_whitespace() || c == '#') {
            left_out += 1;
            continue;
        }
        let since = entry.since.to_string();
        let why: Vec<&str> = entry.why.split_whitespace().collect();
        text.push_str(&format!(
            "{} # {} since {}: {}\n",
            entry.norm,
            entry.kind.name(),
            since.get(..10).unwrap_or(&since),
            why.join(" ")
        ));
    }
    if left_out > 0 {
        text.push_str(&format!("# {left_out} more need the form ?format=jsonl\n"));
    }
    text
}

/// One JSON object a line.
fn lines(entries: &[Allowed]) -> String {
    if entries.is_empty() {
        return EMPTY.to_string();
    }
    let mut text = String::new();
    for entry in entries {
        let line = json!({
            "wiresift": 1,
            "kind": entry.kind.kind().name(),
            "value": entry.norm,
            "scope": entry.kind.scope().name(),
            "description": entry.why,
            "first_seen": entry.since.to_string(),
            "allow": true,
        });
        text.push_str(&format!("{line}\n"));
    }
    text
}
