//! Elasticsearch and OpenSearch: `POST /_bulk`.
//!
//! The status 200 means nothing: each document has its own. `create` with the alert's id makes
//! retries harmless, because an existing document gets a 409, which counts as delivered; data
//! streams accept only `create` anyway. Documents are ECS, and have the `@timestamp` that data
//! streams require.

use super::cached_secret::CachedSecret;
use super::contract::{Class, Deliver, DeliveryError, Outcome, Verdict};
use super::halving::{self, Tried};
use super::http::{Answer, Endpoint, Http};
use super::pace::Pace;
use crate::engine::alert::Format;
use crate::sensor::secret::Credential;
use crate::sensor::spool::RecordRef;
use crate::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::time::Duration;

/// The maximum size of the documents in a request, in bytes; cloud receivers accept 10 MiB.
const MAX_BODY: usize = 5 << 20;

/// How long to leave an index alone that is closed to writing: someone has to make room.
const BLOCKED: Duration = Duration::from_secs(60);

/// Temporary errors of a document.
const PASSING: [&str; 4] = [
    "es_rejected_execution_exception",
    "circuit_breaking_exception",
    "unavailable_shards_exception",
    "cluster_block_exception",
];

/// The credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ElasticsearchAuth {
    /// An API key, as `POST /_security/api_key` returns it in `encoded`.
    ApiKey(Credential),
    /// A user and a password.
    Basic {
        /// The user's name.
        user: String,
        /// The location of the password.
        password: Credential,
    },
}

/// A cluster.
#[derive(Clone, Debug)]
pub struct ElasticsearchSettings {
    /// Its URL, without `/_bulk`.
    pub endpoint: Endpoint,
    /// The index or data stream, such as `wiresift-alerts`.
    pub index: String,
    /// The credentials, if the cluster requires any.
    pub auth: Option<ElasticsearchAuth>,
}

/// Sends to a cluster.
#[derive(Debug)]
pub struct Elasticsearch {
    http: Http,
    settings: ElasticsearchSettings,
    secret: Option<CachedSecret>,
    pace: Pace,
}

impl Elasticsearch {
    /// Reads the certificates.
    ///
    /// # Errors
    ///
    /// If the URL, the index or the certificates are invalid.
    pub fn new(settings: ElasticsearchSettings, pace: Pace) -> Result<Self> {
        check_index(&settings.index)?;
        let http = Http::new(&settings.endpoint, &pace)?;
        let secret = settings.auth.as_ref().map(|auth| match auth {
            ElasticsearchAuth::ApiKey(key) => CachedSecret::new(key.clone()),
            ElasticsearchAuth::Basic { password, .. } => CachedSecret::new(password.clone()),
        });
        Ok(Elasticsearch { http, settings, secret, pace })
    }

    /// What a response to `_bulk` means for each of `count` documents; `None` if the request was
    /// too large. For tests against responses of real clusters.
    pub fn outcome(status: u16, answer: &[u8], count: usize) -> Option<Outcome> {
        match judge(&Answer { status, after: None, body: answer.to_vec() }, count) {
            Tried::Done(outcome) => Some(outcome),
            Tried::Halve { .. } => None,
        }
    }

    fn authorization(&mut self) -> Result<Option<String>> {
        let Some(secret) = &mut self.secret else { return Ok(None) };
        let secret = secret.get()?;
        Ok(self.settings.auth.as_ref().map(|auth| match auth {
            ElasticsearchAuth::ApiKey(_) => format!("ApiKey {secret}"),
            ElasticsearchAuth::Basic { user, .. } => {
                format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")))
            }
        }))
    }

    fn attempt(&mut self, batch: &[RecordRef<'_>]) -> Tried {
        let body = body(batch, &self.settings.index);
        if body.len() > MAX_BODY && batch.len() > 1 {
            return Tried::Halve { status: 0, reason: String::new() };
        }
        let authorization = match self.authorization() {
            Ok(authorization) => authorization,
            Err(error) => {
                let error = DeliveryError::new(Class::Denied, error.to_string());
                return Tried::Done(Outcome::again(batch.len(), error));
            }
        };
        let mut headers = vec![("content-type", "application/x-ndjson")];
        headers.extend(authorization.as_deref().map(|value| ("authorization", value)));
        match self.http.post("/_bulk", &headers, &body) {
            Ok(answer) => judge(&answer, batch.len()),
            Err(error) => Tried::Done(Outcome::again(batch.len(), error)),
        }
    }
}

impl Deliver for Elasticsearch {
    fn format(&self) -> Format {
        Format::Ecs
    }

    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        // Check which records have the format before anything is sent.
        let has_form = |record: &&RecordRef<'_>| record.form(Format::Ecs).is_some();
        let sendable: Vec<RecordRef<'_>> = batch.iter().filter(has_form).copied().collect();
        let mut outcome = Outcome::delivered(0);
        if !sendable.is_empty() {
            outcome = halving::send(&sendable, &mut |part| self.attempt(part));
        }
        if outcome.error.as_ref().is_some_and(|error| error.class == Class::Denied) {
            self.renew();
        }
        let mut verdicts = std::mem::take(&mut outcome.verdicts).into_iter();
        for record in batch {
            let sent = if has_form(&record) { verdicts.next() } else { None };
            outcome.verdicts.push(sent.unwrap_or_else(|| Verdict::Refused {
                status: 0,
                reason: "the record has no `ecs` format".into(),
            }));
        }
        outcome
    }

    fn renew(&mut self) {
        if let Some(secret) = &mut self.secret {
            secret.forget();
        }
        if let Ok(http) = Http::new(&self.settings.endpoint, &self.pace) {
            self.http = http;
        }
    }
}

/// Names that a cluster accepts (Elasticsearch reference, "Create index"): with any other it would
/// refuse each document.
fn check_index(index: &str) -> Result<()> {
    let is_bad = |c: char| c.is_uppercase() || c.is_control() || "\\/*?\"<>| ,#:".contains(c);
    let is_odd = index.is_empty() || index.len() > 255 || index.starts_with(['-', '_', '+', '.']);
    if is_odd || index.chars().any(is_bad) {
        let what = format!("invalid index {index:?}: expected a lower-case name");
        return Err(Error::usage(what).remedy("use a name such as wiresift-alerts"));
    }
    Ok(())
}

/// An action line and a document line for each record.
fn body(batch: &[RecordRef<'_>], index: &str) -> Vec<u8> {
    let mut body = Vec::new();
    for record in batch {
        let document = record.form(Format::Ecs).unwrap_or_default();
        let action = serde_json::json!({ "create": { "_index": index, "_id": record.hex() } });
        body.extend_from_slice(action.to_string().as_bytes());
        body.push(b'\n');
        body.extend_from_slice(document);
        body.push(b'\n');
    }
    body
}

/// The response to a request.
#[derive(Debug, Deserialize)]
struct Bulk {
    errors: Option<bool>,
    #[serde(default)]
    items: Vec<BTreeMap<String, Item>>,
}

/// The result of a document.
#[derive(Debug, Deserialize)]
struct Item {
    #[serde(default)]
    status: u16,
    error: Option<Fault>,
}

/// The error: an object, or a text in old versions.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Fault {
    Object {
        #[serde(rename = "type", default)]
        kind: String,
        #[serde(default)]
        reason: String,
    },
    Text(String),
}

impl Fault {
    fn kind(&self) -> &str {
        match self {
            Fault::Object { kind, .. } => kind,
            Fault::Text(text) => text,
        }
    }

    fn reason(&self) -> String {
        let text = match self {
            Fault::Object { kind, reason } => format!("{kind}: {reason}"),
            Fault::Text(text) => text.clone(),
        };
        text.chars().filter(|c| !c.is_control()).take(300).collect()
    }
}

/// What a response means for each of `count` documents.
fn judge(answer: &Answer, count: usize) -> Tried {
    if answer.status == 413 {
        return Tried::Halve { status: 413, reason: answer.reason() };
    }
    if !answer.is_success() {
        return Tried::Done(failure(answer, count));
    }
    let again = |class, reason: &str| {
        Tried::Done(Outcome::again(
            count,
            DeliveryError { class, reason: reason.into(), after: answer.after },
        ))
    };
    let Ok(bulk) = serde_json::from_slice::<Bulk>(&answer.body) else {
        return again(Class::Protocol, "the response is not a _bulk response");
    };
    match bulk.errors {
        // Real receivers may list fewer items than there were documents.
        Some(false) => Tried::Done(Outcome::delivered(count)),
        Some(true) if bulk.items.len() == count => Tried::Done(items(&bulk.items, answer.after)),
        Some(true) => again(Class::Protocol, "the _bulk response has the wrong number of items"),
        None => again(Class::Protocol, "the response is not a _bulk response"),
    }
}

/// What an unsuccessful response means. A cluster that accepts nothing now says so with a 403,
/// which is unrelated to our credentials.
fn failure(answer: &Answer, count: usize) -> Outcome {
    #[derive(Deserialize)]
    struct Failure {
        error: Fault,
    }
    let fault = serde_json::from_slice::<Failure>(&answer.body).ok().map(|failure| failure.error);
    match fault.filter(|fault| PASSING.contains(&fault.kind())) {
        Some(fault) => Outcome::again(count, passing(&fault, answer.after)),
        None => answer.failure(count),
    }
}

fn passing(fault: &Fault, after: Option<Duration>) -> DeliveryError {
    let blocked = (fault.kind() == "cluster_block_exception").then_some(BLOCKED);
    DeliveryError { class: Class::Busy, reason: fault.reason(), after: after.max(blocked) }
}

fn items(items: &[BTreeMap<String, Item>], after: Option<Duration>) -> Outcome {
    let mut outcome = Outcome::delivered(0);
    for item in items {
        outcome = outcome.and(match item.values().next() {
            Some(item) => document(item, after),
            None => Outcome::again(1, DeliveryError::new(Class::Protocol, "an item has no status")),
        });
    }
    outcome
}

/// The result of a document.
fn document(item: &Item, after: Option<Duration>) -> Outcome {
    let reason = item.error.as_ref().map(Fault::reason).unwrap_or_default();
    if let Some(fault) = item.error.as_ref().filter(|fault| PASSING.contains(&fault.kind())) {
        return Outcome::again(1, passing(fault, after));
    }
    let class = match item.status {
        200..=299 | 409 => return Outcome::delivered(1),
        401 | 403 => Class::Denied,
        429 => Class::Busy,
        500.. => Class::Server,
        400..=499 => return Outcome::refused(1, item.status, &reason),
        _ => Class::Protocol,
    };
    Outcome::again(1, DeliveryError { class, reason, after })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str, count: usize) -> Tried {
        judge(&Answer { status, after: None, body: body.into() }, count)
    }

    fn done(status: u16, body: &str, count: usize) -> Outcome {
        match judged(status, body, count) {
            Tried::Done(outcome) => outcome,
            Tried::Halve { status, reason } => panic!("{status} {reason}"),
        }
    }

    #[test]
    fn each_document_has_an_outcome_of_its_own() {
        let item = |status, kind: &str| {
            format!(
                r#"{{"create":{{"status":{status},"error":{{"type":"{kind}","reason":"r"}}}}}}"#
            )
        };
        let items = [
            r#"{"create":{"_id":"1","status":201}}"#.to_string(),
            item(409, "version_conflict_engine_exception"),
            item(429, "es_rejected_execution_exception"),
            item(400, "document_parsing_exception"),
            item(503, "unavailable_shards_exception"),
            item(403, "cluster_block_exception"),
            item(404, "index_not_found_exception"),
            r#"{"index":{"status":400,"error":"MapperParsingException"}}"#.to_string(),
        ];
        let body = format!(r#"{{"took":1,"errors":true,"items":[{}]}}"#, items.join(","));
        let outcome = done(200, &body, items.len());
        let short: Vec<String> = outcome
            .verdicts
            .iter()
            .map(|verdict| match verdict {
                Verdict::Delivered => "ok".into(),
                Verdict::Again => "again".into(),
                Verdict::Refused { status, reason } => format!("{status} {reason}"),
            })
            .collect();
        assert_eq!(
            short,
            [
                "ok",
                "ok",
                "again",
                "400 document_parsing_exception: r",
                "again",
                "again",
                "404 index_not_found_exception: r",
                "400 MapperParsingException",
            ]
        );
        assert_eq!(outcome.error.unwrap().class, Class::Busy);
    }

    #[test]
    fn errors_of_a_whole_request_have_an_outcome() {
        assert_eq!(done(200, r#"{"errors":false,"items":[{}]}"#, 3), Outcome::delivered(3));
        for (status, body, class) in [
            (200, r#"{"errors":true,"items":[{"create":{"status":400}}]}"#, Class::Protocol),
            (200, r#"{"took":3}"#, Class::Protocol),
            (200, "<html>", Class::Protocol),
            (200, "", Class::Protocol),
            (401, "", Class::Denied),
            (403, r#"{"error":{"type":"security_exception","reason":"no"}}"#, Class::Denied),
            (429, r#"{"error":{"type":"circuit_breaking_exception"}}"#, Class::Busy),
            (503, "", Class::Server),
            (504, "", Class::TimedOut),
        ] {
            let outcome = done(status, body, 2);
            assert_eq!(outcome.verdicts, [Verdict::Again, Verdict::Again], "{status} {body}");
            assert_eq!(outcome.error.unwrap().class, class, "{status} {body}");
        }
        let blocked =
            r#"{"error":{"type":"cluster_block_exception","reason":"index [a] blocked"}}"#;
        let error = done(403, blocked, 1).error.unwrap();
        assert_eq!((error.class, error.after), (Class::Busy, Some(BLOCKED)));
        assert!(matches!(judged(413, "", 2), Tried::Halve { status: 413, .. }));
        let refused = done(400, r#"{"error":"x"}"#, 1);
        assert!(matches!(refused.verdicts[0], Verdict::Refused { status: 400, .. }));
    }

    #[test]
    fn names_of_indices() {
        for good in ["wiresift-alerts", "a", "logs-wiresift.alert-default"] {
            check_index(good).unwrap();
        }
        for bad in ["", "A", "-a", "a b", "a/b", "a,b", "_a", "a*"] {
            assert!(check_index(bad).unwrap_err().to_string().contains("wiresift-alerts"), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_answer_has_an_outcome_for_each_document(
            body in proptest::collection::vec(proptest::num::u8::ANY, 0..60),
            status in 100u16..700, count in 0usize..4,
        ) {
            if let Tried::Done(outcome) = judge(&Answer { status, after: None, body }, count) {
                proptest::prop_assert_eq!(outcome.verdicts.len(), count);
            }
        }
    }
}
