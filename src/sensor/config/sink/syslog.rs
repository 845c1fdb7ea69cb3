//! Syslog receivers.

use super::delivery::{Batches, ClientTls, Delivery};
use crate::sensor::config::address::Address;
use crate::sensor::config::field::{Flat, Optional, Required};
use crate::sensor::config::form::{Target, mib, seconds, word, words};
use crate::sensor::config::reader::Reader;
use crate::sensor::config::table::{Kind, table};

words! {
    /// How messages of a stream are delimited.
    pub enum Framing {
        /// One line each, which every receiver accepts.
        Lines = "lines",
        /// With the length before each: `octet-counted`.
        Counted = "counted",
    }
}

table! {
    /// Sends RFC 5424 to a syslog receiver. Datagrams are cut to 1,400 bytes.
    pub struct SyslogSink {
        /// The receiver. The default port is 514, or 6514 for TLS.
        address: Address = Required(Target);
        /// How messages on TCP are delimited; default: `lines`. On TLS they are always counted.
        framing: Option<Framing> = Optional(word());
        /// TLS settings.
        tls: ClientTls = Flat::by(());
        /// Batches and the spool.
        delivery: Delivery = Flat::by(Batches { records: 1000, size: mib(1), age: seconds(1) });
    }
}

impl Kind for SyslogSink {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        if self.framing == Some(Framing::Lines) && self.address.is_tls() {
            let remedy = "remove framing, or set it to \"counted\"";
            reader.wrong("framing", "messages on TLS are always counted", remedy);
        }
        if self.framing.is_some() && matches!(self.address, Address::Udp(_)) {
            let remedy = "remove framing, or send to tcp://";
            reader.wrong("framing", "each datagram is one message, so there is no framing", remedy);
        }
        self.tls.check(self.address.is_tls(), "send to tls://", reader);
    }

    fn describe(&self) -> String {
        let framing = match (&self.address, self.framing()) {
            (Address::Tcp(_), framing) => format!(" ({})", framing.name()),
            _ => String::new(),
        };
        format!("sends syslog to {}{framing}", self.address)
    }
}

impl SyslogSink {
    /// How messages of a stream are delimited.
    pub fn framing(&self) -> Framing {
        let default = if self.address.is_tls() { Framing::Counted } else { Framing::Lines };
        self.framing.unwrap_or(default)
    }
}
