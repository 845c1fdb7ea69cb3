//! The sink for an exchange.

use super::collectors::check_clear;
use super::delivery::{Batches, ClientTls, Delivery, is_https};
use crate::sensor::config::field::{Flat, Or, Required, Secret};
use crate::sensor::config::form::{Flag, Url, mib, seconds};
use crate::sensor::config::reader::Reader;
use crate::sensor::config::table::{Kind, table};
use crate::sensor::secret::Credential;

table! {
    /// Reports to an exchange (`wiresift exchange serve`): alerts, which only the account of the
    /// key can read there, and how often indicators were seen, which others see as a sum.
    pub struct ExchangeSink {
        /// The exchange, without `/api`.
        url: String = Required(Url);
        /// The variable that holds the key; it needs the scope `report`.
        key: Option<Credential> = Secret { is_required: true };
        /// Whether to post alerts: whole records, with what the log or the packet contained.
        alerts: bool = Or(Flag, true);
        /// Whether to post sightings: per indicator and day how often it was seen, and nothing
        /// else. With `feeds`, only indicators of these feeds are counted.
        sightings: bool = Or(Flag, false);
        /// TLS settings.
        tls: ClientTls = Flat::by(());
        /// Batches and the spool.
        delivery: Delivery = Flat::by(Batches { records: 1000, size: mib(4), age: seconds(10) });
    }
}

impl Kind for ExchangeSink {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        if !self.alerts && !self.sightings {
            let what = "neither alerts nor sightings are posted";
            reader.wrong("alerts", what, "set alerts or sightings to true, or remove the sink");
        }
        check_clear(&self.url, true, reader);
        self.tls.check(is_https(&self.url), "use https://", reader);
    }

    fn describe(&self) -> String {
        let what = match (self.alerts, self.sightings) {
            (true, true) => "posts alerts and counts of sightings",
            (true, false) => "posts alerts",
            _ => "posts counts of sightings",
        };
        format!("{what} to the exchange at {}", self.url)
    }
}
