//! What is about the whole process: the top of the file, `[daemon]`, `[suppress]`.

use super::address::HostPort;
use super::field::{Optional, Or};
use super::form::{
    FilePath, Flag, Host, List, ListenTcp, Network, Number, Size, Time, days, list, mib, ms,
    seconds, word, words,
};
use super::problem::listed;
use super::reader::Reader;
use super::table::table;
use crate::engine::settings::{duration_text, size_text};
use ipnet::IpNet;
use std::path::PathBuf;
use std::time::Duration;

table! {
    /// The top of the file, for feeds and the daemon alike. These keys stand before the first
    /// table.
    pub(super) struct Top {
        /// The state folder: what feeds sent, and, in `daemon` below it, what the daemon
        /// remembers.
        state: PathBuf = Or(FilePath, PathBuf::from("wiresift-state"));
        /// The database. The daemon uses a new one as soon as it is published.
        database: PathBuf = Or(FilePath, PathBuf::from("wiresift.wsdb"));
        /// Allow lists: files of what is known to be good. Hits on it are counted and do not
        /// alert.
        allow: Vec<PathBuf> = Or(paths(), Vec::new());
    }
}

/// A list of paths, as `intel::config` takes it, too: always in brackets.
fn paths() -> List<FilePath> {
    List { of: FilePath, count: 0..=10_000, takes_one: false }
}

table! {
    /// The process of `wiresift run`.
    pub struct Daemon {
        /// What the sensor is called in alerts and mails; without it the name of the host.
        host: Option<String> = Optional(Host);
        /// The folder of positions, spool and dead letters; without it `daemon` in the state
        /// folder.
        state: Option<PathBuf> = Optional(FilePath);
        /// Workers that match logs; 0 is one for each core.
        threads: u32 = Or(Number::of(0..=1024), 0);
        /// Where metrics (`/metrics`), `/status` and the health checks are served, over HTTP
        /// without a password.
        metrics: Option<HostPort> = Or(ListenTcp, Some(HostPort { host: "127.0.0.1".into(), port: 9750 }));
        /// How much may wait on disk for sinks that are away. Then inputs that can wait do, and
        /// of the others the lowest severity is dropped first, and counted.
        spool_size: u64 = Or(Size(mib(16)..=mib(1 << 20)), mib(1024));
        /// The oldest that the database may be before the process counts as not ready.
        max_age: Option<Duration> = Optional(Time(seconds(60)..=days(3650)));
        /// Whether the process fetches feeds at their intervals and compiles them itself, if
        /// there are any.
        update: bool = Or(Flag, true);
        /// Whether the process gives up capabilities, files and system calls that it does not
        /// need.
        sandbox: bool = Or(Flag, true);
        /// How long sinks may take to send what waits, at the end.
        drain: Duration = Or(Time(ms(100)..=seconds(600)), seconds(5));
    }
}

impl Daemon {
    pub(super) fn describe(&self) -> Vec<String> {
        let threads = match self.threads {
            0 => "a worker for each core".to_string(),
            1 => "1 worker".to_string(),
            many => format!("{many} workers"),
        };
        let metrics = match &self.metrics {
            Some(place) => format!("metrics at http://{place}/metrics"),
            None => "no metrics".to_string(),
        };
        let sandbox = if self.sandbox { "in the sandbox" } else { "without the sandbox" };
        let mut lines = vec![format!("{threads}, {sandbox}, {metrics}")];
        lines.push(format!("up to {} wait on disk for sinks", size_text(self.spool_size)));
        if let Some(age) = self.max_age {
            let age = duration_text(age);
            lines.push(format!("not ready if the database is older than {age}"));
        }
        lines
    }
}

words! {
    /// What of an alert decides whether it repeats another.
    pub enum SuppressKey {
        /// Kind and value of the most specific indicator.
        Indicator = "indicator",
        /// The class of the place: `dns`, `ip`, `tls`, `http`, `log.FIELD`…
        Where = "where",
        /// Our side: an internal address, a host, or a log.
        Local = "local",
        /// The other side's address.
        Remote = "remote",
        /// The source port.
        SrcPort = "src_port",
        /// The destination port.
        DstPort = "dst_port",
        /// What was seen.
        Value = "value",
        /// The path or the interface.
        Input = "input",
    }
}

table! {
    /// Alerts that only repeat another one are held back, and come as one record at the end of a
    /// window.
    pub struct Suppress {
        /// `false` sends every alert.
        enabled: bool = Or(Flag, true);
        /// Alerts that are alike in these repeat each other.
        key: Vec<SuppressKey> = Or(list(word()), vec![
            SuppressKey::Indicator, SuppressKey::Where, SuppressKey::Local,
        ]);
        /// How long a window is, from its first alert; it does not slide.
        window: Duration = Or(Time(seconds(1)..=days(30)), seconds(3600));
        /// How many alerts of a window go out at once.
        first: u32 = Or(Number::of(1..=1_000_000), 1);
        /// Whether critical alerts are held back like any other.
        critical: bool = Or(Flag, false);
        /// Our networks beside the private ones: they decide which side of a packet is ours.
        home: Vec<IpNet> = Or(list(Network), Vec::new());
        /// The most windows that are open at once; beyond it the one that was used least
        /// recently ends early.
        max_keys: u32 = Or(Number::of(1..=100_000_000), 1_000_000);
        /// The most memory that windows take.
        max_memory: u64 = Or(Size(mib(1)..=mib(1 << 16)), mib(512));
    }
}

impl Suppress {
    /// Reports what has no effect, or not the one that it seems to have.
    pub(super) fn check(&self, reader: &mut Reader<'_, '_>) {
        let mut seen = Vec::new();
        for key in &self.key {
            if seen.contains(key) {
                let what = format!("“{}” stands twice in key", key.name());
                reader.wrong("key", &what, "remove one");
            }
            seen.push(*key);
        }
        if self.key.is_empty() {
            let remedy = "name what alerts have to have in common: indicator, where, local";
            reader.wrong("key", "key is empty: all alerts would repeat each other", remedy);
        }
    }

    pub(super) fn describe(&self) -> String {
        if !self.enabled {
            return "every alert goes out: suppression is off".into();
        }
        let keys: Vec<&str> = self.key.iter().map(|key| key.name()).collect();
        let first = match self.first {
            1 => "the first alert".to_string(),
            many => format!("the first {many} alerts"),
        };
        let critical = if self.critical { "" } else { "; critical ones always" };
        format!(
            "{first} of the same {} in {} at once, the rest as one record at its end{critical}",
            listed(&keys),
            duration_text(self.window)
        )
    }
}
