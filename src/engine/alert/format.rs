//! Which formats there are, and the one door to all of them.

use super::text::{self, Shown};
use super::{Alert, cef, ecs, eve, json, ocsf, syslog, zeek};
use crate::engine::indicator::Timestamp;
use std::fmt;

macro_rules! formats {
    ($($(#[$doc:meta])* $variant:ident, $name:literal;)*) => {
        /// How alerts are written.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Format { $($(#[$doc])* $variant,)* }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Format] = &[$(Format::$variant,)*];

            /// The name on the command line.
            pub const fn name(self) -> &'static str {
                match self { $(Format::$variant => $name,)* }
            }
        }
    };
}

formats! {
    /// The record of `docs/alert.schema.json`, one object a line.
    Json, "json";
    /// For a person at a terminal, several lines an alert.
    Text, "text";
    /// Suricata's EVE JSON, event type `alert`, one object a line.
    Eve, "eve";
    /// Elastic Common Schema, one document a line.
    Ecs, "ecs";
    /// OCSF Detection Finding, one object a line.
    Ocsf, "ocsf";
    /// Zeek's `intel.log`, tab-separated.
    Zeek, "zeek";
    /// ArcSight Common Event Format, one line an alert.
    Cef, "cef";
    /// RFC 5424, one message a line.
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
/// It only holds choices, so that all threads can share one; what belongs to a
/// file and not to an alert is written by [`begin`](Encoder::begin) and
/// [`end`](Encoder::end), which whoever owns the output calls once. Everything
/// is appended, in whole lines, to a buffer that the caller reuses.
///
/// ```
/// # use wiresift::engine::alert::{Alert, Encoder, Format, Origin};
/// # use wiresift::engine::indicator::{Context, Kind, LogPlace, Place, Quality, Scope, Timestamp, Where};
/// # use wiresift::engine::scan::{Hit, Match, Seen};
/// # let hit = Hit {
/// #     seen: Seen { kind: Kind::Domain, value: "a.evil.example".into(), raw: None,
/// #         at: Where::LogText, field: None, quality: Quality::default() },
/// #     matches: vec![Match { kind: Kind::Domain, value: "evil.example".into(),
/// #         scope: Scope::Subtree, quality: Quality::default(),
/// #         sources: vec![Context::of_feed("otx")] }],
/// #     place: Place::Log(LogPlace { path: "dns.log".into(), line: 7, column: 12, offset: 700,
/// #         text: "query A for a.evil.example".into(), time: None }),
/// # };
/// # let now = Timestamp::from_seconds(1_700_000_000);
/// let origin = Origin { database: "5f0c".into(), ..Origin::default() };
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
    /// An encoder without colour.
    pub const fn new(format: Format) -> Self {
        Encoder { format, style: text::Style { has_colour: false, width: None } }
    }

    /// Whether [`Format::Text`] uses colour. The other formats never do.
    #[must_use]
    pub const fn colour(mut self, wanted: bool) -> Self {
        self.style.has_colour = wanted;
        self
    }

    /// The columns that [`Format::Text`] has; without it lines are as long as they are.
    #[must_use]
    pub const fn width(mut self, columns: Option<u16>) -> Self {
        self.style.width = columns;
        self
    }

    /// The format.
    pub const fn format(&self) -> Format {
        self.format
    }

    /// Appends what comes before the first alert of an output that is opened now.
    pub fn begin(&self, now: Timestamp, out: &mut Vec<u8>) {
        if self.format == Format::Zeek {
            zeek::begin(now, out);
        }
    }

    /// Appends one alert by itself.
    pub fn encode(&self, alert: &Alert<'_>, out: &mut Vec<u8>) {
        self.encode_after(&mut Shown::default(), alert, out);
    }

    /// Appends one alert for a reader of those before it: [`Format::Text`] does not
    /// repeat what it has said. Every other format is the same as ever.
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

    /// Appends what comes after the last alert of an output that is closed now.
    pub fn end(&self, now: Timestamp, out: &mut Vec<u8>) {
        if self.format == Format::Zeek {
            zeek::end(now, out);
        }
    }
}
