//! The table of all metrics.

/// The type of a family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations, counted by size.
    Histogram,
}

/// A label and the origin of its values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    /// A name of [`Sets::inputs`].
    Input,
    /// A name of [`Sets::sinks`].
    Sink,
    /// A name of [`Sets::feeds`].
    Feed,
    /// A name of [`Sets::topics`].
    Topic,
    /// A fixed set of values.
    Fixed(&'static str, &'static [&'static str]),
}

/// The values of labels that come from the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Sets {
    /// Names of inputs.
    pub inputs: Vec<String>,
    /// Names of sinks.
    pub sinks: Vec<String>,
    /// Names of feeds.
    pub feeds: Vec<String>,
    /// Topics of Kafka.
    pub topics: Vec<String>,
}

impl Sets {
    /// Why records or connections of an input are cut, refused or unreadable: the label `reason` of
    /// [`Family::InputErrors`].
    pub const INPUT_ERRORS: [&'static str; 9] = [
        "cut",
        "oversize",
        "bad_length",
        "broken_connection",
        "unauthorized",
        "bad_request",
        "busy",
        "unreadable",
        "expired",
    ];
}

/// How files are watched.
const MODES: Label = Label::Fixed("mode", &["notified", "polled"]);
const ROTATIONS: Label =
    Label::Fixed("kind", &["renamed", "truncated", "replaced", "packed", "removed"]);
const LOST: Label = Label::Fixed("reason", &["truncated", "removed", "damaged", "holes"]);
const DROPPED_AT: Label = Label::Fixed("where", &["kernel", "interface", "queue"]);
/// Kinds of indicators; those of files are combined.
const KINDS: Label = Label::Fixed(
    "kind",
    &["ip", "net", "endpoint", "domain", "url", "email", "digest", "certificate", "other"],
);
const SEVERITIES: Label = Label::Fixed("severity", &["low", "medium", "high", "critical"]);
const SUPPRESSED: Label = Label::Fixed("reason", &["repeated", "allowed"]);
const ERRORS: Label = Label::Fixed(
    "class",
    &["connection", "tls", "timeout", "busy", "server", "denied", "refused", "protocol"],
);
const DROPPED: Label = Label::Fixed("reason", &["full", "backlog", "too_large"]);
const INPUT_ERRORS: Label = Label::Fixed("reason", &Sets::INPUT_ERRORS);
const RESULTS: Label = Label::Fixed("result", &["loaded", "failed"]);

macro_rules! families {
    ($($variant:ident, $name:literal, $kind:ident, [$($label:expr),*], $help:literal;)*) => {
        /// A metric, or a family of metrics that differ in their labels.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(usize)]
        pub enum Family { $(#[doc = $help] $variant,)* }

        impl Family {
            /// Every family.
            pub const ALL: &'static [Family] = &[$(Family::$variant,)*];

            /// The name, with unit and `_total`.
            pub const fn name(self) -> &'static str {
                match self { $(Family::$variant => concat!("wiresift_", $name),)* }
            }

            pub(super) const fn kind(self) -> Kind {
                match self { $(Family::$variant => Kind::$kind,)* }
            }

            pub(super) const fn labels(self) -> &'static [Label] {
                match self { $(Family::$variant => &[$($label),*],)* }
            }

            pub(super) const fn help(self) -> &'static str {
                match self { $(Family::$variant => $help,)* }
            }
        }
    };
}

families! {
    Lines, "lines_total", Counter, [Label::Input], "Lines that were matched.";
    Bytes, "bytes_total", Counter, [Label::Input], "Bytes that were matched, after decompression.";
    InputLagBytes, "input_lag_bytes", Gauge, [Label::Input],
        "Bytes of an input that were not read yet.";
    InputLagSeconds, "input_lag_seconds", Gauge, [Label::Input],
        "Age of the oldest record that was not processed yet.";
    InputUp, "input_up", Gauge, [Label::Input], "1 while an input works, 0 while it fails.";
    KafkaLag, "kafka_lag", Gauge, [Label::Topic], "Messages of a topic that are not committed yet.";
    FilesOpen, "files_open", Gauge, [], "Files that are open for reading.";
    FilesUnreadable, "files_unreadable", Gauge, [], "Files that cannot be read.";
    FilesWatched, "files_watched", Gauge, [MODES], "Folders of followed files, by how they are watched.";
    Rotations, "rotations_total", Counter, [ROTATIONS], "Rotations of followed files.";
    LostBytes, "lost_bytes_total", Counter, [LOST], "Bytes that were lost before they were read.";
    LinesCut, "lines_cut_total", Counter, [], "Lines that were cut because they exceeded the limit.";
    DatagramsDropped, "datagrams_dropped_total", Counter, [],
        "Datagrams that the kernel dropped at the sensor's sockets.";
    ConnectionsOpen, "connections_open", Gauge, [Label::Input], "Open connections of an input.";
    ConnectionsRefused, "connections_refused_total", Counter, [Label::Input],
        "Connections that were closed at once, because there were too many.";
    InputErrors, "input_errors_total", Counter, [Label::Input, INPUT_ERRORS],
        "Records and connections of an input that were cut, refused or unreadable, by reason.";
    InputRestarts, "input_restarts_total", Counter, [Label::Input],
        "Restarts of the program or the client that an input reads from.";
    SocketsRestored, "sockets_restored_total", Counter, [Label::Input],
        "Socket files that others removed, and that were created again.";
    Packets, "packets_total", Counter, [], "Packets that were decoded.";
    PacketsDropped, "packets_dropped_total", Counter, [DROPPED_AT],
        "Packets that were dropped, by location.";
    Hits, "hits_total", Counter, [KINDS], "Observables that matched an indicator, by its kind.";
    Alerts, "alerts_total", Counter, [SEVERITIES], "Alerts that were passed to the sinks.";
    Suppressed, "suppressed_total", Counter, [SUPPRESSED], "Hits that produced no alert, by reason.";
    SuppressionKeys, "suppression_keys", Gauge, [], "Open suppression windows.";
    SinkRecords, "sink_records_total", Counter, [Label::Sink], "Records that were delivered to a sink.";
    SinkRetries, "sink_retries_total", Counter, [Label::Sink], "Delivery attempts after the first.";
    SinkErrors, "sink_errors_total", Counter, [Label::Sink, ERRORS], "Failed delivery attempts, by reason.";
    Dropped, "dropped_total", Counter, [Label::Sink, DROPPED], "Records that never reached a sink, by reason.";
    DeadLetters, "dead_letters_total", Counter, [Label::Sink],
        "Records that a sink permanently refused, and that were kept in a file.";
    SinkLatency, "sink_latency_seconds", Histogram, [Label::Sink],
        "Time from an alert to its delivery.";
    SpoolBytes, "spool_bytes", Gauge, [], "Bytes of the spool on disk.";
    SpoolOldest, "spool_oldest_seconds", Gauge, [Label::Sink],
        "Age of the oldest record that was not delivered to a sink.";
    DatabaseBuilt, "database_built_timestamp_seconds", Gauge, [], "When the database was built.";
    DatabaseIndicators, "database_indicators", Gauge, [], "Indicators in the database.";
    DatabaseReloads, "database_reloads_total", Counter, [RESULTS], "Reloads of the database.";
    FeedAge, "feed_age_seconds", Gauge, [Label::Feed], "Time since a feed was fetched.";
    ConfigReloads, "config_reloads_total", Counter, [RESULTS], "Reloads of the configuration.";
}

impl Label {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Label::Input => "input",
            Label::Sink => "sink",
            Label::Feed => "feed",
            Label::Topic => "topic",
            Label::Fixed(name, _) => name,
        }
    }

    /// The values, each once, in order.
    pub(super) fn values(self, sets: &Sets) -> Vec<String> {
        let configured = match self {
            Label::Input => &sets.inputs,
            Label::Sink => &sets.sinks,
            Label::Feed => &sets.feeds,
            Label::Topic => &sets.topics,
            Label::Fixed(_, values) => {
                return values.iter().map(|value| (*value).to_string()).collect();
            }
        };
        let mut values = Vec::new();
        for value in configured {
            if !values.contains(value) {
                values.push(value.clone());
            }
        }
        values
    }
}
