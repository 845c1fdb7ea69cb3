//! What network sinks have in common: batches, the spool, TLS.

use crate::engine::settings::{duration_text, size_text};
use crate::sensor::config::field::{Optional, Or};
use crate::sensor::config::form::{FilePath, Flag, Number, Size, Time, days, kib, mib, ms};
use crate::sensor::config::reader::Reader;
use crate::sensor::config::table::table;
use std::path::PathBuf;
use std::time::Duration;

/// The default batches of a kind.
#[derive(Clone, Copy, Debug)]
pub(in crate::sensor::config) struct Batches {
    /// Records.
    pub(in crate::sensor::config) records: u32,
    /// Bytes.
    pub(in crate::sensor::config) size: u64,
    /// How long the first record waits.
    pub(in crate::sensor::config) age: Duration,
}

table! {
    /// Batches, and what waits in the spool while the receiver is unreachable.
    pub struct Delivery(defaults: Batches) {
        /// The maximum number of alerts in a batch.
        batch_records: u32 = Or(Number::of(1..=100_000), defaults.records);
        /// The maximum size of a batch in bytes, before compression.
        batch_size: u64 = Or(Size(kib(1)..=mib(64)), defaults.size);
        /// How long an alert waits for others.
        batch_age: Duration = Or(Time(ms(1)..=days(1)), defaults.age);
        /// How much may wait for this sink in the spool; beyond it the oldest alerts are dropped
        /// for this sink, and counted. Default: the size of the spool.
        spool_size: Option<u64> = Optional(Size(mib(1)..=mib(1 << 20)));
        /// How long connecting may take.
        connect_timeout: Duration = Or(Time(ms(100)..=ms(300_000)), ms(5000));
        /// How long the receiver may take to respond to a batch.
        timeout: Duration = Or(Time(ms(100)..=ms(3_600_000)), ms(30_000));
    }
}

impl Delivery {
    pub(in crate::sensor::config) fn describe(&self) -> String {
        let records = match self.batch_records {
            1 => "1 alert".to_string(),
            many => format!("{many} alerts"),
        };
        let mut text = format!(
            "batches of up to {records}, {} or {}",
            size_text(self.batch_size),
            duration_text(self.batch_age)
        );
        if let Some(size) = self.spool_size {
            text += &format!(", at most {} of the spool", size_text(size));
        }
        text
    }
}

table! {
    /// TLS settings for a receiver. The certificates that the system trusts are trusted.
    pub struct ClientTls {
        /// Certificates in PEM form to trust in addition to those of the system: an authority's, or
        /// the receiver's own.
        ca_file: Option<PathBuf> = Optional(FilePath);
        /// The client certificate, in PEM form.
        client_cert: Option<PathBuf> = Optional(FilePath);
        /// The certificate's key, in PEM form.
        client_key: Option<PathBuf> = Optional(FilePath);
        /// Whether to accept any certificate. Alerts can then be intercepted: each start warns
        /// about it.
        insecure: bool = Or(Flag, false);
    }
}

impl ClientTls {
    /// Reports contradictions, and settings that have no effect without TLS.
    pub(in crate::sensor::config) fn check(
        &self,
        has_tls: bool,
        remedy: &str,
        reader: &mut Reader<'_, '_>,
    ) {
        let keys = ["ca_file", "client_cert", "client_key", "insecure"];
        let set =
            keys.into_iter().find(|key| reader.has(key) && (*key != "insecure" || self.insecure));
        if let (false, Some(key)) = (has_tls, set) {
            let what = format!("{key} is set, but the connection is not encrypted");
            reader.wrong(key, &what, &format!("{remedy}, or remove it"));
        }
        if self.client_cert.is_some() != self.client_key.is_some() {
            let (has, lacks) = match self.client_cert {
                Some(_) => ("client_cert", "client_key"),
                None => ("client_key", "client_cert"),
            };
            reader.wrong(has, &format!("{has} is set, but no {lacks}"), &format!("set {lacks}"));
        }
        if self.insecure && self.ca_file.is_some() {
            let why = "insecure accepts any certificate: remove one of them";
            reader.conflict("ca_file", "insecure", why);
        }
    }
}

/// Whether a URL uses HTTPS.
pub(in crate::sensor::config) fn is_https(url: &str) -> bool {
    url.get(..8).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https://"))
}
