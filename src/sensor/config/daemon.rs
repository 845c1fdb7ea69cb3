//! Settings of the whole process: the top of the file, `[daemon]`, `[suppress]`.

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
    /// The top of the file, for feeds and the daemon alike. These keys come before the first table.
    pub(super) struct Top {
        /// The state folder: what feeds sent, and, in its subfolder `daemon`, the state of the
        /// daemon.
        state: PathBuf = Or(FilePath, PathBuf::from("wiresift-state"));
        /// The database. The daemon uses a new one as soon as it is published.
        database: PathBuf = Or(FilePath, PathBuf::from("wiresift.wsdb"));
        /// Allow lists: files of values that are known to be good. Hits on them are counted, but
        /// don't alert.
        allow: Vec<PathBuf> = Or(paths(), Vec::new());
    }
}

/// A list of paths, in the syntax of `intel::config`: always in brackets.
fn paths() -> List<FilePath> {
    List { of: FilePath, count: 0..=10_000, takes_one: false }
}

table! {
    /// The process of `wiresift run`.
    pub struct Daemon {
        /// The name of the sensor in alerts and emails; default: the host name.
        host: Option<String> = Optional(Host);
        /// The folder of positions, spool and dead letters; default: `daemon` in the state folder.
        state: Option<PathBuf> = Optional(FilePath);
        /// Workers that match logs; 0 for one per core.
        threads: u32 = Or(Number::of(0..=1024), 0);
        /// Where metrics (`/metrics`), `/status` and the health checks are served, over HTTP
        /// without a password.
        metrics: Option<HostPort> = Or(ListenTcp, Some(HostPort { host: "127.0.0.1".into(), port: 9750 }));
        /// How much may be stored on disk for unreachable sinks. Beyond it, inputs that can wait do
        /// so; for the others, alerts of the lowest severity are dropped first, and counted.
        spool_size: u64 = Or(Size(mib(16)..=mib(1 << 20)), mib(1024));
        /// The maximum age of the database; if it is older, the process counts as not ready.
        max_age: Option<Duration> = Optional(Time(seconds(60)..=days(3650)));
        /// Whether the process itself fetches feeds at their intervals and compiles them, if there
        /// are any.
        update: bool = Or(Flag, true);
        /// Whether the process drops capabilities, file access and system calls that it does not
        /// need.
        sandbox: bool = Or(Flag, true);
        /// How long sinks may take at shutdown to send what is waiting.
        drain: Duration = Or(Time(ms(100)..=seconds(600)), seconds(5));
    }
}

impl Daemon {
    pub(super) fn describe(&self) -> Vec<String> {
        let threads = match self.threads {
            0 => "one worker per core".to_string(),
            1 => "1 worker".to_string(),
            many => format!("{many} workers"),
        };
        let metrics = match &self.metrics {
            Some(place) => format!("metrics at http://{place}/metrics"),
            None => "no metrics".to_string(),
        };
        let sandbox = if self.sandbox { "in the sandbox" } else { "without the sandbox" };
        let mut lines = vec![format!("{threads}, {sandbox}, {metrics}")];
        lines.push(format!("up to {} on disk for sinks", size_text(self.spool_size)));
        if let Some(age) = self.max_age {
            let age = duration_text(age);
            lines.push(format!("not ready if the database is older than {age}"));
        }
        lines
    }
}

words! {
    /// The properties of an alert that decide whether it repeats another.
    pub enum SuppressKey {
        /// Kind and value of the most specific indicator.
        Indicator = "indicator",
        /// The class of the place: `dns`, `ip`, `tls`, `http`, `log.FIELD`…
        Where = "where",
        /// The local side: an internal address, a host, or a log.
        Local = "local",
        /// The address of the remote side.
        Remote = "remote",
        /// The source port.
        SrcPort = "src_port",
        /// The destination port.
        DstPort = "dst_port",
        /// The observed value.
        Value = "value",
        /// The path or the interface.
        Input = "input",
    }
}

table! {
    /// Alerts that only repeat another one are suppressed, and sent as one record at the end of a
    /// window.
    pub struct Suppress {
        /// Whether repeats are suppressed; `false` sends every alert.
        enabled: bool = Or(Flag, true);
        /// Alerts with the same values of these properties repeat each other.
        key: Vec<SuppressKey> = Or(list(word()), vec![
            SuppressKey::Indicator, SuppressKey::Where, SuppressKey::Local,
        ]);
        /// The length of a window, from its first alert; it does not slide.
        window: Duration = Or(Time(seconds(1)..=days(30)), seconds(3600));
        /// How many alerts of a window are sent at once.
        first: u32 = Or(Number::of(1..=1_000_000), 1);
        /// Whether critical alerts are suppressed like any other.
        critical: bool = Or(Flag, false);
        /// Your own networks, in addition to the private ones: they decide which side of a packet
        /// is local.
        home: Vec<IpNet> = Or(list(Network), Vec::new());
        /// The maximum number of open windows; beyond it the least recently used one ends early.
        max_keys: u32 = Or(Number::of(1..=100_000_000), 1_000_000);
        /// The maximum memory for windows.
        max_memory: u64 = Or(Size(mib(1)..=mib(1 << 16)), mib(512));
    }
}

impl Suppress {
    /// Reports settings without effect, or with another effect than it seems.
    pub(super) fn check(&self, reader: &mut Reader<'_, '_>) {
        let mut seen = Vec::new();
        for key in &self.key {
            if seen.contains(key) {
                let what = format!("“{}” appears twice in key", key.name());
                reader.wrong("key", &what, "remove one");
            }
            seen.push(*key);
        }
        if self.key.is_empty() {
            let remedy =
                "list what repeated alerts have in common, such as indicator, where, local";
            reader.wrong("key", "key is empty: all alerts would repeat each other", remedy);
        }
    }

    pub(super) fn describe(&self) -> String {
        if !self.enabled {
            return "every alert is sent: suppression is off".into();
        }
        let keys: Vec<&str> = self.key.iter().map(|key| key.name()).collect();
        let first = match self.first {
            1 => "the first alert".to_string(),
            many => format!("the first {many} alerts"),
        };
        let critical = if self.critical { "" } else { "; critical ones always" };
        format!(
            "{first} with the same {} in {} at once, the rest as one record at the end{critical}",
            listed(&keys),
            duration_text(self.window)
        )
    }
}
