//! An exchange (`wiresift exchange serve`): alerts for the account of the key, and sightings.
//!
//! Alerts are posted as they are, and the exchange stores each id once, so a batch can be sent
//! again. Sightings are counts by indicator and day, and nothing else: no time of day, no place,
//! nothing of what was seen. The exchange adds them up; the key of a request, made from the ids of
//! the batch, keeps it from adding a request twice whose answer was lost.

use super::cached_secret::CachedSecret;
use super::contract::{Class, Deliver, DeliveryError, Outcome};
use super::halving::{self, Tried};
use super::http::{Answer, Endpoint, Http};
use super::pace::Pace;
use super::reading::{Indicator, Reading};
use super::webhook::{array, message_id};
use crate::Result;
use crate::engine::indicator::Timestamp;
use crate::sensor::secret::Credential;
use crate::sensor::spool::RecordRef;
use std::collections::BTreeMap;
use std::fmt;

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// How many days an exchange looks back; older alerts are not counted.
const MAX_AGE: i64 = 89;

/// Counts of one request.
const MAX_ROWS: usize = 5000;

/// Which indicators are counted.
pub type Counted = Box<dyn Fn(&Indicator<'_>) -> bool + Send>;

/// What is posted to an exchange.
pub struct ExchangeSettings {
    /// The exchange, without `/api`.
    pub endpoint: Endpoint,
    /// The key.
    pub key: Credential,
    /// Whether alerts are posted.
    pub alerts: bool,
    /// Whether indicators are counted, and which.
    pub sightings: Option<Counted>,
    /// Whether alerts that suppression holds back are among the records: a record that sums them
    /// up is then counted once only.
    pub has_suppressed: bool,
}

impl fmt::Debug for ExchangeSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExchangeSettings")
            .field("alerts", &self.alerts)
            .field("sightings", &self.sightings.is_some())
            .finish_non_exhaustive()
    }
}

/// A client for an exchange.
#[derive(Debug)]
pub struct Exchange {
    http: Http,
    settings: ExchangeSettings,
    key: CachedSecret,
    pace: Pace,
}

impl Exchange {
    /// Reads the certificates.
    ///
    /// # Errors
    ///
    /// If the URL or the certificates are invalid.
    pub fn new(settings: ExchangeSettings, pace: Pace) -> Result<Self> {
        let http = Http::new(&settings.endpoint, &pace)?;
        let key = CachedSecret::new(settings.key.clone());
        Ok(Exchange { http, settings, key, pace })
    }

    fn attempt(&mut self, batch: &[RecordRef<'_>]) -> Tried {
        if self.settings.alerts
            && let Err(tried) = self.post("/api/v2/alerts", None, &array(batch), batch.len())
        {
            return tried;
        }
        let rows = self.sightings(batch);
        for (at, rows) in rows.chunks(MAX_ROWS).enumerate() {
            let key = format!("{}_{at}", message_id(batch));
            let body = serde_json::Value::from(rows).to_string();
            let posted = self.post("/api/v2/sightings", Some(&key), body.as_bytes(), batch.len());
            if let Err(tried) = posted {
                return tried;
            }
        }
        Tried::Done(Outcome::delivered(batch.len()))
    }

    /// Posts a body. `Err` is what the answer means for the records.
    fn post(
        &mut self,
        path: &str,
        once: Option<&str>,
        body: &[u8],
        count: usize,
    ) -> Result<(), Tried> {
        let again = |error| Tried::Done(Outcome::again(count, error));
        let key = self.key.get().map_err(|e| DeliveryError::new(Class::Denied, e.to_string()));
        let key = key.map_err(again)?;
        let mut headers = vec![("content-type", "application/json"), ("x-otx-api-key", key)];
        headers.extend(once.map(|key| ("idempotency-key", key)));
        let answer: Answer = self.http.post(path, &headers, body).map_err(again)?;
        match answer.status {
            // It takes all of a request or nothing: one record may be to blame.
            400 | 413 => Err(Tried::Halve { status: answer.status, reason: answer.reason() }),
            _ if answer.is_success() => Ok(()),
            _ => Err(Tried::Done(answer.failure(count))),
        }
    }

    /// How often which indicators were seen, by day.
    fn sightings(&self, batch: &[RecordRef<'_>]) -> Vec<serde_json::Value> {
        let Some(is_counted) = &self.settings.sightings else { return Vec::new() };
        let today = self.pace.clock().now().0.div_euclid(DAY);
        let mut counts: BTreeMap<(&str, String, i64), u64> = BTreeMap::new();
        for record in batch {
            let day = record.time.0.div_euclid(DAY);
            let Some(alert) = Reading::of(record.json) else { continue };
            let times = match alert.repeats() {
                0 => 1,
                _ if self.settings.has_suppressed => 0,
                repeats => repeats,
            };
            if times == 0 || !(today - MAX_AGE..=today).contains(&day) {
                continue;
            }
            for indicator in alert.indicators.iter().filter(|of| is_counted(of)) {
                if let Some(kind) = type_of(indicator) {
                    *counts.entry((kind, indicator.value.to_string(), day)).or_default() += times;
                }
            }
        }
        let rows = counts.into_iter().map(|((kind, value, day), count)| {
            let day = Timestamp(day * DAY).to_string();
            serde_json::json!({
                "type": kind, "indicator": value, "count": count,
                "day": day.get(..10).unwrap_or(&day),
            })
        });
        rows.collect()
    }
}

/// The name that an exchange has for the type of an indicator, if it has one.
fn type_of(indicator: &Indicator<'_>) -> Option<&'static str> {
    Some(match &*indicator.kind {
        "ip" if indicator.value.contains(':') => "IPv6",
        "ip" => "IPv4",
        "net" => "CIDR",
        "domain" if indicator.scope == "exact" => "hostname",
        "domain" => "domain",
        "url" => "URL",
        "url_path" => "URI",
        "email" => "email",
        "md5" => "FileHash-MD5",
        "sha1" => "FileHash-SHA1",
        "sha256" => "FileHash-SHA256",
        "imphash" => "FileHash-IMPHASH",
        "pehash" => "FileHash-PEHASH",
        "filepath" | "filename" => "FilePath",
        "mutex" => "Mutex",
        "cve" => "CVE",
        "ja3" => "JA3",
        "cert-sha1" => "SSLCertFingerprint",
        "btc" => "BitcoinAddress",
        _ => return None,
    })
}

impl Deliver for Exchange {
    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        let outcome = halving::send(batch, &mut |part| self.attempt(part));
        if outcome.error.as_ref().is_some_and(|error| error.class == Class::Denied) {
            self.renew();
        }
        outcome
    }

    fn renew(&mut self) {
        self.key.forget();
        if let Ok(http) = Http::new(&self.settings.endpoint, &self.pace) {
            self.http = http;
        }
    }
}
