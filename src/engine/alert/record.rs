//! The alert, and the summaries of it that several formats share.

use super::object::show;
use crate::engine::indicator::{
    Context, Kind, LogPlace, PacketPlace, Place, Protocol, Quality, Sender, Severity, Timestamp,
    Tlp,
};
use crate::engine::scan::{Hit, Match, Seen};
use std::borrow::Cow;
use std::net::IpAddr;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// The severity of an alert whose sources give none. Most feeds only claim that a value is bad, not
/// how bad, which justifies neither an alarm nor silence.
pub const DEFAULT_SEVERITY: Severity = Severity::Medium;

/// What all alerts of a run have in common: the database and the machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// The database's build identifier.
    pub database: String,
    /// When the database was built.
    pub built: Timestamp,
    /// The name of the sensor, if alerts should carry it.
    pub host: Option<String>,
}

/// How the daemon received an alert, and how it handles it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handling<'a> {
    /// The name of the input in the configuration.
    pub input: &'a str,
    /// Our side: the internal address, otherwise the host that wrote a log, otherwise the log's
    /// stem.
    pub local: &'a str,
    /// Whether it repeats another alert and is held back; then only archives receive it.
    pub is_suppressed: bool,
}

/// Where the time of an alert comes from (matching specification, section 8.5).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeSource {
    /// The record of the log, or the packet.
    Event,
    /// The first packet of the flow, for an alert about the flow as a whole.
    Flow,
    /// The input has no time; this is the time of reading.
    Read,
}

impl TimeSource {
    /// The name in alerts.
    pub const fn name(self) -> &'static str {
        match self {
            TimeSource::Event => "event",
            TimeSource::Flow => "flow",
            TimeSource::Read => "read",
        }
    }
}

/// A hit with its time, severity and origin: what gets encoded.
///
/// It only borrows, so it costs nothing to make.
#[derive(Clone, Copy, Debug)]
pub struct Alert<'a> {
    hit: &'a Hit<'a>,
    origin: &'a Provenance,
    time: Timestamp,
    /// Whether the time is the time of reading.
    is_read: bool,
    severity: Severity,
    /// The identity of the followed log, whose path does not identify it.
    stream: Option<u64>,
    handling: Option<&'a Handling<'a>>,
}

impl<'a> Alert<'a> {
    /// Creates an alert for a hit. `read_at` is when the input was read, which stands in for
    /// log lines without a time. Packets without a time got one when they were read, and are
    /// marked.
    pub fn new(hit: &'a Hit<'a>, origin: &'a Provenance, read_at: Timestamp) -> Self {
        let time = match &hit.place {
            Place::Log(log) => log.time.unwrap_or(read_at),
            Place::Packet(packet) => packet.time,
        };
        let severity = sources(hit).filter_map(|source| source.severity).max();
        let is_read = match &hit.place {
            Place::Log(log) => log.time.is_none(),
            Place::Packet(packet) => !packet.is_timed,
        };
        let severity = severity.unwrap_or(DEFAULT_SEVERITY);
        Alert { hit, origin, time, is_read, severity, stream: None, handling: None }
    }

    /// Sets the identity of its stream. The path of a followed log does not identify it, because
    /// rotation renames the file and replaces it with another one.
    pub fn in_stream(self, stream: u64) -> Self {
        Alert { stream: Some(stream), ..self }
    }

    /// Adds how the daemon handles the alert.
    pub fn handled(self, handling: &'a Handling<'a>) -> Self {
        Alert { handling: Some(handling), ..self }
    }

    /// When it happened, clamped to the years 0 to 9999, the range of RFC 3339 and so of most
    /// formats.
    pub fn time(&self) -> Timestamp {
        tame(self.time)
    }

    /// Where that time comes from.
    pub fn time_source(&self) -> TimeSource {
        match &self.hit.place {
            _ if self.is_read => TimeSource::Read,
            Place::Packet(packet) if packet.flow.is_some() => TimeSource::Flow,
            _ => TimeSource::Event,
        }
    }

    /// The highest severity of the sources, or [`DEFAULT_SEVERITY`].
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// The hit.
    pub fn hit(&self) -> &'a Hit<'a> {
        self.hit
    }

    /// The database and machine that made the alert.
    pub fn origin(&self) -> &'a Provenance {
        self.origin
    }

    /// Identifies the observation: the same observable in the same place gets the same
    /// identifier in every run and from every database, so that a SIEM can drop duplicates.
    /// The time of reading does not contribute, because it differs between runs. In a
    /// stream ([`in_stream`](Self::in_stream)) neither do its path and the line's time.
    pub fn uid(&self) -> String {
        let seen = self.seen();
        let (path, at, time) = match &self.hit.place {
            Place::Log(log) => (&log.path, log.offset, log.time),
            Place::Packet(packet) => (&packet.path, packet.number, Some(packet.time)),
        };
        // Every record pays for it: no texts in between, and as little formatting as possible.
        let mut key = Vec::with_capacity(256);
        match self.stream {
            Some(stream) => show(&mut key, format_args!("{stream:016x}")),
            None => key.extend_from_slice(path.as_bytes()),
        }
        // NUL separates the parts, since it cannot occur in a path.
        key.push(0);
        show(&mut key, at);
        if self.stream.is_none() {
            key.push(0);
            if let Some(time) = time {
                show(&mut key, time.0);
            }
        }
        // The indicator does not contribute: another feed with the same value must
        // not make the same observation look new.
        let field = seen.field.as_deref().unwrap_or_default();
        for part in [seen.at.name(), field, seen.kind.name(), &seen.value] {
            key.push(0);
            key.extend_from_slice(part.as_bytes());
        }
        // The first one has the identifier that it would have alone.
        if let Place::Packet(packet) = &self.hit.place
            && packet.nth > 0
        {
            key.push(0);
            show(&mut key, packet.nth);
        }
        hex(xxh3_128(&key))
    }

    /// The name of the input: a path or an interface.
    pub fn input(&self) -> &'a Arc<str> {
        match &self.hit.place {
            Place::Log(log) => &log.path,
            Place::Packet(packet) => &packet.path,
        }
    }

    /// How the daemon handles the alert.
    pub(super) fn handling(&self) -> Option<&'a Handling<'a>> {
        self.handling
    }

    /// Whether the alert is held back.
    pub(super) fn is_suppressed(&self) -> bool {
        self.handling.is_some_and(|handling| handling.is_suppressed)
    }

    /// The sender of the line.
    pub(super) fn sender(&self) -> Option<&'a Sender> {
        self.log()?.sender.as_deref()
    }

    /// What was observed.
    pub(super) fn seen(&self) -> &'a Seen {
        &self.hit.seen
    }

    /// The indicators that it matches, the most specific first.
    pub(super) fn matches(&self) -> &'a [Match<'a>] {
        &self.hit.matches
    }

    /// The place, if it is in a log.
    pub(super) fn log(&self) -> Option<&'a LogPlace> {
        match &self.hit.place {
            Place::Log(log) => Some(log),
            Place::Packet(_) => None,
        }
    }

    /// The place, if it is in a packet.
    pub(super) fn packet(&self) -> Option<&'a PacketPlace> {
        match &self.hit.place {
            Place::Log(_) => None,
            Place::Packet(packet) => Some(packet),
        }
    }

    /// What the protocol of the packet said.
    pub(super) fn protocol(&self) -> Option<&'a Protocol> {
        self.packet()?.protocol.as_ref()
    }

    /// The most specific indicator. The scanner never makes a hit without one; such a hit is
    /// written as if the observable were the indicator, so no format needs a case for it.
    pub(super) fn best(&self) -> (Kind, &'a str) {
        let seen = self.seen();
        self.matches().first().map_or((seen.kind, &seen.value), |m| (m.kind, &m.value))
    }

    /// All sources of all indicators.
    pub(super) fn sources(&self) -> impl Iterator<Item = &'a Context<'a>> {
        sources(self.hit)
    }

    /// The names of the feeds, without duplicates, in the order of the sources.
    pub(super) fn feeds(&self) -> Vec<&'a str> {
        distinct(self.sources().map(|source| &*source.feed))
    }

    /// The texts that `pick` takes from each source, without duplicates, in order.
    pub(super) fn gather(&self, pick: fn(&'a Context<'a>) -> &'a [Cow<'a, str>]) -> Vec<&'a str> {
        distinct(self.sources().flat_map(pick).map(|text| &**text))
    }

    /// The most restrictive TLP of the sources: an alert may not be shared more widely than
    /// any part.
    pub(super) fn tlp(&self) -> Option<Tlp> {
        self.sources().filter_map(|source| source.tlp).max()
    }

    // Feeds are free to write 120%; every format that has a confidence allows 0 to 100.
    /// The highest confidence of the sources, at most 100.
    pub(super) fn confidence(&self) -> Option<u8> {
        self.sources().filter_map(|source| source.confidence).max().map(|c| c.min(100))
    }

    /// The flags of the observation, and those that all its indicators share. A flag of one
    /// indicator only would be wrong for the alert as a whole; the record lists it at the
    /// indicator.
    pub(super) fn quality(&self) -> Quality {
        let flags = [
            Quality::QUERY_IGNORED,
            Quality::SLASH_IGNORED,
            Quality::SCHEME_DIFFERS,
            Quality::DERIVED,
            Quality::CUT,
        ];
        let has = |quality: Quality, flag| quality.with(flag) == quality;
        let matches = self.matches();
        let all = |flag| !matches.is_empty() && matches.iter().all(|m| has(m.quality, flag));
        flags.into_iter().filter(|&flag| all(flag)).fold(self.seen().quality, Quality::with)
    }

    /// One line for people: `domain a.evil.example in dns.query`.
    pub(super) fn headline(&self) -> String {
        let seen = self.seen();
        match &seen.field {
            Some(field) => format!("{} {} in field {field}", seen.kind, seen.value),
            None => format!("{} {} in {}", seen.kind, seen.value, seen.at.name()),
        }
    }
}

/// The endpoints of a packet, the flow's initiator first. Without a known direction the sender
/// counts as the initiator.
pub(super) fn ends(packet: &PacketPlace) -> [(Option<IpAddr>, Option<u16>); 2] {
    let (src, dst) = ((packet.src, packet.src_port), (packet.dst, packet.dst_port));
    if packet.to_server == Some(false) { [dst, src] } else { [src, dst] }
}

/// The name of an IP protocol in alerts, or its number as text. The names are those of
/// Suricata and Zeek rather than of IANA's registry, which writes `IPv6-ICMP` and `IGMP`.
pub(super) fn proto_name(number: u8) -> Cow<'static, str> {
    Cow::Borrowed(match number {
        1 => "icmp",
        2 => "igmp",
        4 => "ipip",
        6 => "tcp",
        17 => "udp",
        41 => "ipv6",
        47 => "gre",
        50 => "esp",
        51 => "ah",
        58 => "icmpv6",
        89 => "ospf",
        103 => "pim",
        112 => "vrrp",
        132 => "sctp",
        136 => "udplite",
        _ => return Cow::Owned(number.to_string()),
    })
}

/// A number in 32 hexadecimal digits.
fn hex(number: u128) -> String {
    let digit = |half: u8| if half < 10 { b'0' + half } else { b'a' - 10 + half };
    let halves = number.to_be_bytes().map(|byte| [byte >> 4, byte & 15]);
    let digits = halves.as_flattened().iter().map(|&half| digit(half)).collect();
    // They are ASCII, so this cannot fail.
    String::from_utf8(digits).unwrap_or_default()
}

/// Clamps a time to years of four digits; a pcap or a feed can claim any 64-bit time.
pub(super) fn tame(time: Timestamp) -> Timestamp {
    // 0000-01-01T00:00:00Z and 9999-12-30T22:00:00Z, the limit of `jiff::Timestamp`, in
    // microseconds.
    const FIRST: i64 = -62_167_219_200_000_000;
    const LAST: i64 = 253_402_207_200_000_000;
    Timestamp(time.0.clamp(FIRST, LAST))
}

/// All sources of a hit. Free-standing, because `new` needs them before there is an
/// alert.
fn sources<'a>(hit: &'a Hit<'a>) -> impl Iterator<Item = &'a Context<'a>> {
    hit.matches.iter().flat_map(|m| &m.sources)
}

/// Drops empty texts and duplicates. Quadratic, but the sources of one hit have a dozen texts,
/// fewer than a hash set pays off for.
fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for text in texts {
        if !text.is_empty() && !kept.contains(&text) {
            kept.push(text);
        }
    }
    kept
}
