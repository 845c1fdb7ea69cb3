//! The list of formats, and the encoder that dispatches to them.

use super::text::{self, Shown};
use super::{Alert, cef, ecs, eve, json, ocsf, syslog, zeek};
use crate::engine::indicator::Timestamp;
use std::fmt;

// One row per format: the enum, its names and `ALL` cannot disagree. The dispatch in
// `encode_after` is a match, so the compiler asks for a new format there, too.
macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident, $name:literal;)*) => {
        /// A format of alerts.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format { $($(#[$doc])* $variant,)* }

        impl Format {
            /// Every format, in the order of the command line's help.
            pub const ALL: &'static [Format] = &[$(Format::$variant,)*];

            /// The name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Format::$variant => $name,)* }
            }
        }
    };
}

formats! {
    /// The record of `docs/alert.schema.json`, one object per line.
    Json, "json";
    /// For a person at a terminal, several lines per alert.
    Text, "text";
    /// Suricata's EVE JSON, event type `alert`, one object per line.
    Eve, "eve";
    /// Elastic Common Schema, one document per line.
    Ecs, "ecs";
    /// OCSF Detection Finding, one object per line.
    Ocsf, "ocsf";
    /// Zeek's `intel.log`, tab-separated.
    Zeek, "zeek";
    /// ArcSight Common Event Format, one line per alert.
    Cef, "cef";
    /// RFC 5424, one message per line.
    Syslog, "syslog";
}

impl Format {
    /// The format with this name.
    pub fn from_name(name: &str) -> Option<Format> {
        Format::ALL.iter().copied().find(|format| format.name() == name)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Writes alerts in one format.
///
/// An encoder only holds settings, so threads can share one. What belongs to a file instead of
/// an alert is written by [`begin`](Encoder::begin) and [`end`](Encoder::end), which the owner
/// of the output calls once each. Everything is appended in whole lines to a buffer that the
/// caller reuses.
///
/// ```
/// # use wiresift::engine::alert::{Alert, Encoder, Format, Provenance};
/// # use wiresift::engine::indicator::{Context, Kind, LogPlace, Place, Quality, Scope, Timestamp, Where};
/// # use wiresift::engine::scan::{Hit, Match, Seen};
/// # let hit = Hit {
/// #     seen: Seen { kind: Kind::Domain, value: "a.evil.example".into(), raw: None,
/// #         at: Where::LogText, field: None, quality: Quality::default() },
/// #     matches: vec![Match { kind: Kind::Domain, value: "evil.example".into(),
/// #         scope: Scope::Subtree, quality: Quality::default(),
/// #         sources: vec![Context::of_feed("otx")] }],
/// #     place: Place::Log(LogPlace { path: "dns.log".into(), line: 7, column: 12, offset: 700,
/// #         text: "query A for a.evil.example".into(), time: None, sender: None }),
/// # };
/// # let now = Timestamp::from_seconds(1_700_000_000);
/// let origin = Provenance { database: "5f0c".into(), ..Provenance::default() };
/// let encoder = Encoder::new(Format::Cef);
/// let mut out = Vec::new();
/// encoder.begin(now, &mut out);
/// encoder.encode(&Alert::new(&hit, &origin, now), &mut out);
/// encoder.end(now, &mut out);
/// assert!(out.starts_with(b"CEF:0|wiresift|"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Encoder {
    format: Format,
    style: text::Style,
}

impl Encoder {
    /// Creates an encoder without colour.
    pub const fn new(format: Format) -> Self {
        Encoder { format, style: text::Style { has_colour: false, width: None } }
    }

    /// Sets whether [`Format::Text`] uses colour. The other formats never do.
    #[must_use]
    pub const fn colour(mut self, wanted: bool) -> Self {
        self.style.has_colour = wanted;
        self
    }

    /// Sets the width at which [`Format::Text`] wraps; by default it does not.
    #[must_use]
    pub const fn width(mut self, columns: Option<u16>) -> Self {
        self.style.width = columns;
        self
    }

    /// The format.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Appends what precedes the first alert of an output opened at `now`.
    pub fn begin(&self, now: Timestamp, out: &mut Vec<u8>) {
        // Only Zeek's logs have a header and a footer.
        if self.format == Format::Zeek {
            zeek::begin(now, out);
        }
    }

    /// Appends one alert on its own.
    pub fn encode(&self, alert: &Alert<'_>, out: &mut Vec<u8>) {
        self.encode_after(&mut Shown::default(), alert, out);
    }

    /// Appends one alert for a reader of the alerts before it: [`Format::Text`] does not
    /// repeat the context that `shown` has recorded. The other formats ignore `shown`, because
    /// a program may see any record alone.
    pub fn encode_after(&self, shown: &mut Shown, alert: &Alert<'_>, out: &mut Vec<u8>) {
        match self.format {
            Format::Json => json::encode(alert, out),
            Format::Text => text::encode(alert, self.style, shown, out),
            Format::Eve => eve::encode(alert, out),
            Format::Ecs => ecs::encode(alert, out),
            Format::Ocsf => ocsf::encode(alert, out),
            Format::Zeek => zeek::encode(alert, out),
            Format::Cef => cef::encode(alert, out),
            Format::Syslog => syslog::encode(alert, out),
        }
    }

    /// Appends what follows the last alert of an output closed at `now`.
    pub fn end(&self, now: Timestamp, out: &mut Vec<u8>) {
        if self.format == Format::Zeek {
            zeek::end(now, out);
        }
    }
}
