//! Webhooks, signed according to Standard Webhooks (<https://www.standardwebhooks.com>), and Slack.
//!
//! The body is an array of the records of a batch. `webhook-id` is derived from their ids: a batch
//! that is sent again has the same one, so that a receiver can drop it. The signature covers id,
//! time and body, once with each key, so that a key can be replaced without a gap.

use super::cached_secret::CachedSecret;
use super::contract::{Class, Deliver, DeliveryError, Outcome};
use super::halving::{self, Tried};
use super::http::{Endpoint, Http};
use super::pace::Pace;
use super::slack;
use crate::sensor::secret::Credential;
use crate::sensor::spool::RecordRef;
use crate::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use xxhash_rust::xxh3::Xxh3;

/// The prefix of a key in base64.
const PREFIX: &str = "whsec_";

/// The form of the body.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookForm {
    /// An array of records.
    #[default]
    Json,
    /// A message for people: `{"text": …}`, as Slack, Mattermost and Rocket.Chat accept it.
    Slack,
}

/// A webhook.
#[derive(Clone, Debug, Default)]
pub struct WebhookSettings {
    /// How to connect; the URL is replaced by [`Self::url`] if that is set.
    pub endpoint: Endpoint,
    /// A URL that is itself a secret, as with Slack.
    pub url: Option<Credential>,
    /// Signing keys: one, or two while one replaces the other. `whsec_` and base64, or any text.
    pub keys: Vec<Credential>,
    /// The form of the body.
    pub form: WebhookForm,
}

/// A client for a webhook.
#[derive(Debug)]
pub struct Webhook {
    http: Http,
    settings: WebhookSettings,
    keys: Vec<CachedSecret>,
    pace: Pace,
}

impl Webhook {
    /// Reads the certificates, and the URL if it is a secret.
    ///
    /// # Errors
    ///
    /// If a secret can't be read, or if the URL or the certificates are invalid.
    pub fn new(settings: WebhookSettings, pace: Pace) -> Result<Self> {
        if settings.keys.len() > 2 {
            return Err(Error::usage("a webhook can be signed with two keys at most"));
        }
        let http = client(&settings, &pace)?;
        let keys = settings.keys.iter().cloned().map(CachedSecret::new).collect();
        Ok(Webhook { http, settings, keys, pace })
    }

    fn attempt(&mut self, batch: &[RecordRef<'_>]) -> Tried {
        let body = match self.settings.form {
            WebhookForm::Json => array(batch),
            WebhookForm::Slack => slack::body(batch),
        };
        let id = message_id(batch);
        let time = self.pace.clock().now().0.div_euclid(1_000_000).to_string();
        let signature = match self.signatures(&id, &time, &body) {
            Ok(signature) => signature,
            Err(error) => {
                let error = DeliveryError::new(Class::Denied, error.to_string());
                return Tried::Done(Outcome::again(batch.len(), error));
            }
        };
        let mut headers = vec![
            ("content-type", "application/json"),
            ("webhook-id", &id),
            ("webhook-timestamp", &time),
        ];
        if !signature.is_empty() {
            headers.push(("webhook-signature", &signature));
        }
        let answer = match self.http.post("", &headers, &body) {
            Ok(answer) => answer,
            Err(error) => return Tried::Done(Outcome::again(batch.len(), error)),
        };
        match answer.status {
            413 => Tried::Halve { status: 413, reason: answer.reason() },
            _ if answer.is_success() => Tried::Done(Outcome::delivered(batch.len())),
            _ => Tried::Done(answer.failure(batch.len())),
        }
    }

    /// `v1,…` for each key, separated by spaces.
    fn signatures(&mut self, id: &str, time: &str, body: &[u8]) -> Result<String> {
        let mut signatures = Vec::new();
        for key in &mut self.keys {
            signatures.push(signature(key.get()?, id, time, body));
        }
        Ok(signatures.join(" "))
    }
}

impl Deliver for Webhook {
    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        let outcome = halving::send(batch, &mut |part| self.attempt(part));
        if outcome.error.as_ref().is_some_and(|error| error.class == Class::Denied) {
            self.renew();
        }
        outcome
    }

    fn renew(&mut self) {
        self.keys.iter_mut().for_each(CachedSecret::forget);
        if let Ok(http) = client(&self.settings, &self.pace) {
            self.http = http;
        }
    }
}

fn client(settings: &WebhookSettings, pace: &Pace) -> Result<Http> {
    let mut endpoint = settings.endpoint.clone();
    if let Some(url) = &settings.url {
        endpoint.url = url.read()?.reveal().to_string();
    }
    Http::new(&endpoint, pace)
}

/// The records unchanged, separated by commas.
pub(super) fn array(batch: &[RecordRef<'_>]) -> Vec<u8> {
    let mut body = Vec::with_capacity(batch.iter().map(|record| record.json.len() + 1).sum());
    body.push(b'[');
    for (at, record) in batch.iter().enumerate() {
        if at > 0 {
            body.push(b',');
        }
        body.extend_from_slice(record.json);
    }
    body.push(b']');
    body
}

/// The same id for the same records, in every attempt.
pub(super) fn message_id(batch: &[RecordRef<'_>]) -> String {
    if let [one] = batch {
        return format!("msg_{}", one.hex());
    }
    let mut hash = Xxh3::new();
    batch.iter().for_each(|record| hash.update(&record.id));
    format!("msg_{:032x}", hash.digest128())
}

/// `v1,` and the signature in base64.
fn signature(key: &str, id: &str, time: &str, body: &[u8]) -> String {
    let packed = key.strip_prefix(PREFIX).and_then(|key| STANDARD.decode(key).ok());
    let key = packed.unwrap_or_else(|| key.as_bytes().to_vec());
    // HMAC accepts keys of any length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&key) else { return String::new() };
    for part in [id.as_bytes(), b".", time.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example from the Standard Webhooks specification, as its reference libraries test it.
    #[test]
    fn signatures_are_those_of_standard_webhooks() {
        let got = signature(
            "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            "1614265330",
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(got, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    /// RFC 4231, test case 2, using an empty id and time.
    #[test]
    fn keys_may_be_any_text() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        let hex: String = mac.finalize().into_bytes().iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_ne!(signature("whsec_!", "a", "1", b""), signature("!", "a", "1", b""));
    }
}
