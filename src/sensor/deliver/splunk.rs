//! Splunk: the HTTP Event Collector.
//!
//! The body consists of objects one after another, not an array. A receiver can't drop duplicates,
//! so the id is an indexed field, `alert_id`, which lets a search do it. With `acks` a batch is
//! done once the indexers have it on disk, which the receiver reports once and only if asked.

use super::cached_secret::CachedSecret;
use super::contract::{Class, Deliver, DeliveryError, Outcome};
use super::halving::{self, Tried};
use super::http::{Answer, Endpoint, Http};
use super::pace::Pace;
use super::reading::Reading;
use crate::sensor::secret::Credential;
use crate::sensor::spool::RecordRef;
use crate::{Error, Result};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_128;

/// The maximum size of the objects in a request, in bytes. `max_content_length` of a receiver is
/// some 800 MB, and that of load balancers in between is less; 1 MiB is what Splunk's own clients
/// send.
const MAX_BODY: usize = 1 << 20;

/// How often to ask whether a batch is on disk, at first and at most, and for how long.
const ASK: Duration = Duration::from_millis(250);
const MAX_ASK: Duration = Duration::from_secs(10);
const MAX_WAIT: Duration = Duration::from_secs(300);

/// A receiver.
#[derive(Clone, Debug)]
pub struct SplunkSettings {
    /// Its URL, without `/services/collector/event`.
    pub endpoint: Endpoint,
    /// The token.
    pub token: Credential,
    /// The index; if `None`, that of the token.
    pub index: Option<String>,
    /// The source type, such as `wiresift:alert`.
    pub sourcetype: String,
    /// Whether to wait until the indexers have a batch on disk.
    pub acks: bool,
}

/// A client for a receiver.
#[derive(Debug)]
pub struct Splunk {
    http: Http,
    settings: SplunkSettings,
    token: CachedSecret,
    channel: String,
    acks: bool,
    pace: Pace,
}

impl Splunk {
    /// Reads the certificates.
    ///
    /// # Errors
    ///
    /// If the URL or the certificates are invalid.
    pub fn new(settings: SplunkSettings, pace: Pace) -> Result<Self> {
        if settings.sourcetype.trim().is_empty() {
            return Err(Error::usage("the sourcetype is empty").remedy("use wiresift:alert"));
        }
        let http = Http::new(&settings.endpoint, &pace)?;
        let token = CachedSecret::new(settings.token.clone());
        let channel = channel(&settings.endpoint.url, pace.clock().now().0);
        let acks = settings.acks;
        Ok(Splunk { http, settings, token, channel, acks, pace })
    }

    /// What a response means for each of `count` objects; `None` if one of them is to blame, or
    /// they are too large together. For tests against responses of real receivers.
    pub fn outcome(status: u16, answer: &[u8], count: usize) -> Option<Outcome> {
        match judge(&Answer { status, after: None, body: answer.to_vec() }, count) {
            Judged::Taken(_) => Some(Outcome::delivered(count)),
            Judged::Tried(Tried::Done(outcome)) => Some(outcome),
            Judged::Tried(Tried::Halve { .. }) => None,
        }
    }

    fn post(&mut self, path: &str, body: &[u8]) -> Result<Answer, DeliveryError> {
        let token =
            self.token.get().map_err(|e| DeliveryError::new(Class::Denied, e.to_string()))?;
        let token = format!("Splunk {token}");
        let mut headers = vec![("content-type", "application/json"), ("authorization", &*token)];
        headers.push(("x-splunk-request-channel", &self.channel));
        self.http.post(path, &headers, body)
    }

    fn attempt(&mut self, batch: &[RecordRef<'_>]) -> Tried {
        let body = self.body(batch);
        if body.len() > MAX_BODY && batch.len() > 1 {
            return Tried::Halve { status: 0, reason: String::new() };
        }
        let answer = match self.post("/services/collector/event", &body) {
            Ok(answer) => answer,
            Err(error) => return Tried::Done(Outcome::again(batch.len(), error)),
        };
        match judge(&answer, batch.len()) {
            Judged::Taken(Some(ack)) if self.acks => Tried::Done(self.confirm(ack, batch.len())),
            Judged::Taken(_) => Tried::Done(Outcome::delivered(batch.len())),
            Judged::Tried(tried) => tried,
        }
    }

    fn body(&self, batch: &[RecordRef<'_>]) -> Vec<u8> {
        let mut body = Vec::new();
        for record in batch {
            object(record, &self.settings, &mut body);
        }
        body
    }

    /// Polls until the batch is on disk.
    fn confirm(&mut self, ack: u64, count: usize) -> Outcome {
        let path = format!("/services/collector/ack?channel={}", self.channel);
        let body = format!("{{\"acks\":[{ack}]}}");
        let (mut waited, mut ask) = (Duration::ZERO, ASK);
        while waited < MAX_WAIT && self.pace.wait(ask) {
            waited += ask;
            ask = (2 * ask).min(MAX_ASK);
            match self.post(&path, body.as_bytes()) {
                Ok(answer) if answer.is_success() && is_on_disk(&answer.body, ack) => {
                    return Outcome::delivered(count);
                }
                // It accepted the batch, and does not support acks.
                Ok(answer) if matches!(answer.status, 400 | 404 | 405) => {
                    self.acks = false;
                    return Outcome::delivered(count);
                }
                Ok(answer) if matches!(answer.status, 401 | 403) => return answer.failure(count),
                // The lost response may have been the confirmation, which is sent only once.
                Ok(_) | Err(_) => {}
            }
        }
        let reason = "the receiver did not confirm that the batch is on disk";
        Outcome::again(count, DeliveryError::new(Class::TimedOut, reason))
    }
}

impl Deliver for Splunk {
    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        let outcome = halving::send(batch, &mut |part| self.attempt(part));
        if outcome.error.as_ref().is_some_and(|error| error.class == Class::Denied) {
            self.renew();
        }
        outcome
    }

    fn renew(&mut self) {
        self.token.forget();
        self.acks = self.settings.acks;
        if let Ok(http) = Http::new(&self.settings.endpoint, &self.pace) {
            self.http = http;
        }
    }
}

/// A GUID of this client: two clients with the same one would receive each other's acks.
fn channel(url: &str, now: i64) -> String {
    let process = std::process::id();
    let host = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let hash = xxh3_128(format!("{host}\0{process}\0{now}\0{url}").as_bytes());
    let hex = format!("{hash:032X}");
    // Version 8 of RFC 9562, whose bits are free to choose.
    let (a, b, c, d, e) = (&hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..]);
    format!("{a}-{b}-8{c}-8{d}-{e}")
}

/// Appends the object of a record.
fn object(record: &RecordRef<'_>, settings: &SplunkSettings, body: &mut Vec<u8>) {
    // Times before 1970 are set to 1970, because Splunk accepts no negative time.
    let micros = record.time.0.max(0);
    let (seconds, rest) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let host = Reading::of(record.json).map(|alert| alert.host.into_owned());
    let host = host.filter(|host| !host.is_empty());
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    body.extend(format!("{{\"time\":{seconds}.{rest:06},\"source\":\"wiresift\"").into_bytes());
    body.extend(format!(",\"sourcetype\":{}", quoted(&settings.sourcetype)).into_bytes());
    for (name, value) in [("host", host), ("index", settings.index.clone())] {
        if let Some(value) = value {
            body.extend(format!(",\"{name}\":{}", quoted(&value)).into_bytes());
        }
    }
    body.extend(
        format!(",\"fields\":{{\"alert_id\":\"{}\"}},\"event\":", record.hex()).into_bytes(),
    );
    // Invalid JSON would spoil the body for all objects after it.
    let is_json = serde_json::from_slice::<&RawValue>(record.json).is_ok();
    if is_json {
        body.extend_from_slice(record.json);
    } else {
        body.extend(quoted(&String::from_utf8_lossy(record.json)).into_bytes());
    }
    body.push(b'}');
}

/// What a response means.
enum Judged {
    /// The receiver has it; with the ack number to poll for, if there is one.
    Taken(Option<u64>),
    Tried(Tried),
}

#[derive(Debug, Default, Deserialize)]
struct EventReply {
    code: Option<i64>,
    #[serde(rename = "ackId")]
    ack: Option<u64>,
}

fn judge(answer: &Answer, count: usize) -> Judged {
    let parsed: EventReply = serde_json::from_slice(&answer.body).unwrap_or_default();
    let code = parsed.code;
    let halve = || Tried::Halve { status: answer.status, reason: answer.reason() };
    Judged::Tried(match (answer.status, code) {
        // Some receivers return no code; others report a failure with status 200.
        (200..=299, None | Some(0)) => return Judged::Taken(parsed.ack),
        // No data, invalid format, event missing or blank: one object is to blame.
        (200..=299 | 400, Some(5 | 6 | 12 | 13 | 15)) | (413, _) => halve(),
        // Token missing, disabled or wrong, whatever the status.
        (_, Some(1..=4)) => denied(answer, count),
        (_, Some(8 | 9)) => busy(answer, count),
        (200..=299, Some(_)) => {
            Tried::Done(Outcome::again(count, DeliveryError::new(Class::Protocol, answer.reason())))
        }
        _ => Tried::Done(answer.failure(count)),
    })
}

fn denied(answer: &Answer, count: usize) -> Tried {
    Tried::Done(Outcome::again(count, DeliveryError::new(Class::Denied, answer.reason())))
}

fn busy(answer: &Answer, count: usize) -> Tried {
    let error = DeliveryError { class: Class::Busy, reason: answer.reason(), after: answer.after };
    Tried::Done(Outcome::again(count, error))
}

/// Whether a response confirms that a batch is on disk.
fn is_on_disk(body: &[u8], ack: u64) -> bool {
    #[derive(Deserialize)]
    struct Acks {
        acks: BTreeMap<String, bool>,
    }
    let acks = serde_json::from_slice::<Acks>(body).ok();
    acks.is_some_and(|parsed| parsed.acks.get(&ack.to_string()) == Some(&true))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::Timestamp;
    use crate::sensor::spool::Record;

    fn judged(status: u16, body: &str) -> String {
        match judge(&Answer { status, after: None, body: body.into() }, 2) {
            Judged::Taken(ack) => format!("taken {ack:?}"),
            Judged::Tried(Tried::Halve { .. }) => "halve".into(),
            Judged::Tried(Tried::Done(outcome)) if outcome.has_again() => {
                format!("again {}", outcome.error.unwrap().class.name())
            }
            Judged::Tried(Tried::Done(_)) => "refused".into(),
        }
    }

    #[test]
    fn every_code_has_an_outcome() {
        for (status, body, want) in [
            (200, r#"{"text":"Success","code":0}"#, "taken None"),
            (
                200,
                r#"{"text":"Success","code":0,"ackId":18446744073709551615}"#,
                "taken Some(18446744073709551615)",
            ),
            (200, "", "taken None"),
            (400, r#"{"text":"No data","code":5}"#, "halve"),
            (400, r#"{"text":"Invalid data format","code":6,"invalid-event-number":1}"#, "halve"),
            (400, r#"{"text":"Event field is required","code":12}"#, "halve"),
            (400, r#"{"text":"Incorrect index","code":7}"#, "refused"),
            (400, r#"{"text":"Data channel is missing","code":10}"#, "refused"),
            (401, r#"{"text":"Token is required","code":2}"#, "again denied"),
            (403, r#"{"text":"Invalid token","code":4}"#, "again denied"),
            (403, r#"{"text":"Token disabled","code":1}"#, "again denied"),
            (401, "", "again denied"),
            (503, r#"{"text":"Server is busy","code":9}"#, "again busy"),
            (500, r#"{"text":"Internal server error","code":8}"#, "again busy"),
            (429, "", "again busy"),
            (413, "", "halve"),
            (404, "", "refused"),
            (502, "<html>", "again server"),
            (200, r#"{"code":99}"#, "again protocol"),
        ] {
            assert_eq!(judged(status, body), want, "{status} {body}");
        }
        assert!(is_on_disk(br#"{"acks":{"7":true}}"#, 7));
        for body in [r#"{"acks":{"7":false}}"#, r#"{"acks":{"8":true}}"#, "{}", "", "[1]"] {
            assert!(!is_on_disk(body.as_bytes(), 7), "{body}");
        }
    }

    #[test]
    fn records_are_wrapped_in_objects() {
        let settings = SplunkSettings {
            endpoint: Endpoint::default(),
            token: Credential::Env("T".into()),
            index: Some("security".into()),
            sourcetype: "wiresift:alert".into(),
            acks: false,
        };
        let object = |time, json: &str| {
            let record = Record::new([1; 16], 1, Timestamp(time), json.as_bytes());
            let mut body = Vec::new();
            object(&RecordRef::of(&record, Timestamp(0)), &settings, &mut body);
            String::from_utf8(body).unwrap()
        };
        assert_eq!(
            object(1_795_487_077_251_547, r#"{"host":"s\"1"}"#),
            r#"{"time":1795487077.251547,"source":"wiresift","sourcetype":"wiresift:alert","host":"s\"1","index":"security","fields":{"alert_id":"01010101010101010101010101010101"},"event":{"host":"s\"1"}}"#
        );
        let odd = object(-1, "}{");
        assert!(
            odd.starts_with(r#"{"time":0.000000,"#) && odd.ends_with(r#""event":"}{"}"#),
            "{odd}"
        );
        assert!(serde_json::from_str::<serde_json::Value>(&odd).is_ok());
    }

    #[test]
    fn channels_are_guids_and_differ() {
        let one = channel("http://h", 1);
        assert_ne!(one, channel("http://h", 2));
        let lengths: Vec<usize> = one.split('-').map(str::len).collect();
        assert_eq!(lengths, [8, 4, 4, 4, 12], "{one}");
    }
}
