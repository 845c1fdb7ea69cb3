//! The members of a record: which hold lists, parts, or something about it, by their names.

use crate::engine::indicator::Reason;
use crate::intel::feed::format::standing::Gone;
use crate::intel::feed::json::{self, Object};
use crate::intel::feed::live::{self, Live};
use crate::intel::feed::table::headings;
use crate::intel::feed::types;
use serde_json::Value;
use std::borrow::Cow;

/// A member: its name and what it says.
pub(super) type Member<'v> = (&'v str, &'v Value);

/// The members that may contain the records of a document.
const LISTS: &[&str] = &[
    "indicators",
    "data",
    "results",
    "iocs",
    "objects",
    "items",
    "records",
    "entries",
    "list",
    // What was added since the last answer.
    "new",
    "added",
    "created",
    "updated",
    "modified",
    "active",
    "decisions",
    "blocklist",
];

/// Objects that contain values, in addition to those named like values.
pub(super) const PARTS: &[&str] =
    &["samples", "sample", "attachments", "binaries", "payloads", "network"];
/// Objects about the answer, not about what it lists.
const ENVELOPES: &[&str] =
    &["request", "query", "client", "requester", "links", "pagination", "paging", "user", "geo"];

/// Objects that contain what other feeds put into the record itself.
const INNER: &[&str] =
    &["attributes", "properties", "indicator", "ioc", "observable", "source", "fields", "data"];

/// Objects that describe a record.
pub(super) const ABOUT: &[&str] =
    &["meta", "metadata", "details", "flags", "lifecycle", "extensions", "state", "review"];

/// The members of a record that say something, including those of an inner object:
/// `{"id": 1, "attributes": {"value": "evil.example", "revoked": false}}`.
pub(super) fn members_of(record: &Object) -> Vec<Member<'_>> {
    let mut members: Vec<Member<'_>> =
        record.iter().filter(|(_, value)| !is_blank(value)).map(|(n, v)| (n.as_str(), v)).collect();
    // An object without anything next to it is a record of its own.
    if members.len() < 2 {
        return members;
    }
    for at in 0..members.len() {
        let (name, value) = members[at];
        let Some(inner) = value.as_object() else { continue };
        if is_inner(name) {
            let new = inner.iter().filter(|(n, v)| !is_blank(v) && !record.contains_key(*n));
            members.extend(new.map(|(name, value)| (name.as_str(), value)));
        }
    }
    members
}

/// Whether a member says nothing.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// Whether a member with this name may hold a list of records.
pub(super) fn is_list_name(name: &str) -> bool {
    LISTS.iter().any(|list| list.eq_ignore_ascii_case(name)) || list_gone(name).is_some()
}

/// Whether a member is a list of records.
pub(super) fn is_list((name, value): &Member<'_>) -> bool {
    is_list_name(name) && value.is_array()
}

/// Whether a member with this name holds part of the record.
pub(super) fn is_inner(name: &str) -> bool {
    INNER.contains(&&*types::squeeze(name))
}

/// Whether a list contains objects.
pub(super) fn has_objects(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().any(Value::is_object))
}

/// Why the records of a list with this name are no longer valid: `deleted`,
/// `removed_domains`.
pub(super) fn list_gone(name: &str) -> Option<Gone> {
    let is_word = |word: &str| {
        matches!(live::by_name(word), Some(Live::Gone | Live::Over))
            || matches!(
                word,
                "falsepositives"
                    | "deletions"
                    | "removals"
                    | "allow"
                    | "allowed"
                    | "exceptions"
                    | "exclusions"
                    | "whitelists"
                    | "allowlists"
            )
    };
    let is_gone = is_word(&types::squeeze(name))
        || name.len() <= 64 && headings::words(name).iter().any(|word| is_word(word));
    is_gone.then(|| (Reason::Withdrawn, format!("it is listed under “{name}”")))
}

/// The word of a member: its value, or the name of an object.
pub(super) fn word_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        Value::Object(object) => {
            ["name", "value", "label", "title", "display_name", "status", "state", "verdict"]
                .iter()
                .find_map(|member| json::text(object, member))
        }
        other => json::as_text(other),
    }
}

/// Whether a member has parts of its own that may be records.
pub(super) fn is_part(name: &str, value: &Value) -> bool {
    let squeezed = types::squeeze(name);
    (value.is_object() || has_objects(value))
        && !headings::is_people(name)
        && ![INNER, ABOUT, ENVELOPES].iter().any(|names| names.contains(&&*squeezed))
}
