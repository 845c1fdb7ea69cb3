//! Answers, and failures as TAXII writes them (TAXII 2.1, sections 3.6 and 3.7).

use super::library::{Added, Collection, Page};
use super::media::{STIX_20, STIX_21, TAXII};
use crate::engine::indicator::Timestamp;
use crate::exchange::http::{Failure, Reply};
use serde_json::{Map, Value, json};

/// An answer of our media type.
pub(super) fn json(status: u16, value: &Value) -> Reply {
    Reply::new(status, TAXII, value.to_string())
}

/// A failure as a client of TAXII expects it. The status is text, as the specification says.
pub fn failure(failure: &Failure) -> Reply {
    let mut body = json!({
        "title": "ProcessingError",
        "http_status": failure.status.to_string(),
    });
    if failure.status < 500 && !failure.detail.is_empty() {
        body["description"] = json!(failure.detail);
    }
    let mut reply = json(failure.status, &body);
    if failure.status == 401 {
        reply = reply.header("www-authenticate", "Basic realm=\"TAXII\", charset=\"UTF-8\"");
    }
    if let Some(seconds) = failure.retry_after {
        reply = reply.header("retry-after", seconds.to_string());
    }
    reply
}

/// A collection (section 5.2.1).
pub(super) fn of_collection(of: &Collection) -> Value {
    let mut value = json!({
        "id": of.id, "title": of.title, "can_read": of.can_read, "can_write": of.can_write,
        "media_types": of.media_types,
    });
    if let Some(description) = &of.description {
        value["description"] = json!(description);
    }
    if let Some(alias) = &of.alias {
        value["alias"] = json!(alias);
    }
    value
}

/// Adds the times of the first and the last entry. If more follow that were added at the same time
/// as the last one, its time is not passed yet.
fn dated(reply: Reply, page: &Page) -> Reply {
    let (Some(first), Some(last)) = (page.entries.first(), page.entries.last()) else {
        return reply;
    };
    let is_within = page.has_more && page.resume.is_some_and(|resume| resume.inner.is_some());
    let last = if is_within { Timestamp(last.added.0 - 1) } else { last.added };
    reply
        .header("x-taxii-date-added-first", first.added.min(last).to_string())
        .header("x-taxii-date-added-last", last.to_string())
}

/// A resource with a list. Without entries it is empty, but for `more`.
fn listed(name: &str, page: &Page, next: Option<String>, items: Vec<Value>) -> Reply {
    let mut body = Map::new();
    if page.has_more || !items.is_empty() {
        body.insert("more".into(), json!(page.has_more));
    }
    if let Some(next) = next {
        body.insert("next".into(), json!(next));
    }
    if !items.is_empty() {
        body.insert(name.into(), Value::Array(items));
    }
    dated(json(200, &Value::Object(body)), page)
}

/// A manifest (section 5.3.1).
pub(super) fn manifest(page: &Page, next: Option<String>) -> Reply {
    let item = |entry: &super::library::Entry| {
        json!({
            "id": entry.id,
            "date_added": entry.added.to_string(),
            "version": entry.version,
            "media_type": if entry.spec == "2.0" { STIX_20 } else { STIX_21 },
        })
    };
    let items = page.entries.iter().map(item).collect();
    listed("objects", page, next, items)
}

/// The versions of an object (section 5.8.1).
pub(super) fn versions(page: &Page, next: Option<String>) -> Reply {
    let items = page.entries.iter().map(|entry| json!(entry.version)).collect();
    listed("versions", page, next, items)
}

/// An envelope (section 3.7). Objects are JSON already, so they are only put together.
pub(super) fn envelope(page: Page, next: Option<String>) -> Reply {
    if page.entries.is_empty() {
        return listed("objects", &page, next, Vec::new());
    }
    let length: usize = page.entries.iter().map(|entry| entry.body.len() + 1).sum();
    let mut body = String::with_capacity(length + 128);
    body.push_str(if page.has_more { "{\"more\":true," } else { "{\"more\":false," });
    if let Some(next) = next {
        body.push_str(&format!("\"next\":{},", json!(next)));
    }
    body.push_str("\"objects\":[");
    for (at, entry) in page.entries.iter().enumerate() {
        if at > 0 {
            body.push(',');
        }
        body.push_str(&entry.body);
    }
    body.push_str("]}");
    dated(Reply::new(200, TAXII, body), &page)
}

/// The status of an addition (section 4.3.1). Everything is done when it is written.
pub(super) fn status(id: &str, now: Timestamp, added: &[Added]) -> Value {
    let detail = |added: &Added| {
        let mut detail = json!({"id": added.id, "version": added.version});
        if let Some(message) = &added.message {
            detail["message"] = json!(message);
        }
        detail
    };
    let of = |is_failure: bool| -> Vec<Value> {
        added.iter().filter(|added| added.is_failure == is_failure).map(detail).collect()
    };
    let (successes, failures) = (of(false), of(true));
    let mut status = json!({
        "id": id,
        "status": "complete",
        "request_timestamp": now.to_string(),
        "total_count": added.len(),
        "success_count": successes.len(),
        "failure_count": failures.len(),
        "pending_count": 0,
    });
    if !successes.is_empty() {
        status["successes"] = Value::Array(successes);
    }
    if !failures.is_empty() {
        status["failures"] = Value::Array(failures);
    }
    status
}
