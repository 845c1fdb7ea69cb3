//! Inputs that others send to: syslog, Suricata's EVE, HEC.

use crate::sensor::config::address::Address;
use crate::sensor::config::field::{Flat, Optional, Or, Required, Secrets};
use crate::sensor::config::form::{
    FilePath, Listen, Number, Size, kib, line, mib, some, word, words,
};
use crate::sensor::config::problem::listed;
use crate::sensor::config::reader::Reader;
use crate::sensor::config::table::{Kind, table};
use crate::sensor::secret::Credential;
use std::path::PathBuf;

table! {
    /// TLS files, in PEM form, for clients that connect.
    pub struct ServerTls {
        /// The server certificate and its chain, in PEM form. A reload reads it again.
        tls_cert: Option<PathBuf> = Optional(FilePath);
        /// The certificate's key, in PEM form, without a passphrase.
        tls_key: Option<PathBuf> = Optional(FilePath);
        /// The authorities of client certificates; default: clients need no certificate.
        tls_client_ca: Option<PathBuf> = Optional(FilePath);
    }
}

impl ServerTls {
    /// Reports settings that don't fit the addresses.
    fn check(&self, listen: &[Address], reader: &mut Reader<'_, '_>) {
        let has_tls = listen.iter().any(Address::is_tls);
        let has_pair = self.tls_cert.is_some() && self.tls_key.is_some();
        if has_tls && !has_pair {
            let remedy = "set tls_cert and tls_key";
            reader.wrong("listen", "a tls:// address needs a certificate and its key", remedy);
        }
        let set: Vec<&str> = ["tls_cert", "tls_key", "tls_client_ca"]
            .into_iter()
            .filter(|key| reader.has(key))
            .collect();
        // Sockets from systemd may use TLS.
        let may_have = has_tls || listen.iter().any(|at| matches!(at, Address::Systemd(_)));
        if let (false, [first, ..]) = (may_have, &set[..]) {
            let remedy = "listen on tls://HOST:PORT, or remove it";
            reader.wrong(first, &format!("{first} is set, but no tls:// address"), remedy);
        }
    }
}

words! {
    /// How messages in a stream are delimited.
    pub enum SyslogFraming {
        /// Detected for each message: counted, or a line.
        Auto = "auto",
        /// Always a line, even if it begins with a number.
        Lines = "lines",
    }
}

table! {
    /// Receives syslog: RFC 5424, RFC 3164, and the variants of appliances.
    pub struct SyslogInput {
        /// Where to listen. `systemd:NAME` is a socket that systemd has opened.
        listen: Vec<Address> = Required(some(Listen(&[
            "udp", "tcp", "tls", "unix", "unix-datagram", "systemd",
        ])));
        /// How messages are delimited on TCP and TLS: `auto` detects for each message whether its
        /// length precedes it.
        framing: SyslogFraming = Or(word(), SyslogFraming::Auto);
        /// Certificates of `tls://` addresses.
        tls: ServerTls = Flat::by(());
        /// The maximum number of connections.
        max_connections: u32 = Or(Number::of(1..=100_000), 1024);
        /// The time zone of senders that send none: `local`, `UTC`, or a name such as
        /// `Europe/Berlin`.
        timezone: String = Or(line("a time zone", "Europe/Berlin"), "local".to_string());
        /// The kernel buffer of each UDP socket.
        receive_buffer: u64 = Or(Size(kib(64)..=mib(1024)), mib(8));
    }
}

impl Kind for SyslogInput {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        self.tls.check(&self.listen, reader);
    }

    fn describe(&self) -> String {
        format!(
            "receives syslog on {}, up to {} connections, times without a zone are {}",
            addresses(&self.listen),
            self.max_connections,
            self.timezone
        )
    }
}

fn addresses(addresses: &[Address]) -> String {
    listed(&addresses.iter().map(ToString::to_string).collect::<Vec<_>>())
}

table! {
    /// Receives the events of Suricata, which connects to a socket (`filetype: unix_stream`).
    pub struct EveInput {
        /// The socket to create.
        path: PathBuf = Required(FilePath);
        /// The maximum number of connections.
        max_connections: u32 = Or(Number::of(1..=1000), 16);
    }
}

impl Kind for EveInput {
    fn describe(&self) -> String {
        format!("receives Suricata's EVE on the socket {}", self.path.display())
    }
}

table! {
    /// Receives data for Splunk's HTTP Event Collector.
    pub struct HecInput {
        /// Where to listen; `tcp://` is without TLS.
        listen: Vec<Address> = Required(some(Listen(&["tcp", "tls", "systemd"])));
        /// A variable with a token that senders have to send; a list for several.
        token: Vec<Credential> = Secrets { max: 100, is_required: true };
        /// Certificates of `tls://` addresses.
        tls: ServerTls = Flat::by(());
        /// The maximum number of connections.
        max_connections: u32 = Or(Number::of(1..=100_000), 256);
        /// The maximum size of a request body, decompressed.
        max_body: u64 = Or(Size(kib(64)..=mib(1024)), mib(16));
    }
}

impl Kind for HecInput {
    fn check(&self, reader: &mut Reader<'_, '_>) {
        self.tls.check(&self.listen, reader);
    }

    fn describe(&self) -> String {
        format!(
            "receives HEC requests on {}, with a token from {}",
            addresses(&self.listen),
            listed(&self.token.iter().map(ToString::to_string).collect::<Vec<_>>())
        )
    }
}
