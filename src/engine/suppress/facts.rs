//! The parts of a hit that decide whether its alert repeats another.

use crate::engine::indicator::{Kind, PacketPlace, Place, Severity, Where};
use crate::engine::scan::Hit;
use ipnet::IpNet;
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

/// The parts of an alert that decide whether it repeats another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertFacts<'a> {
    /// The most specific indicator.
    pub indicator: (Kind, &'a str),
    /// The other matching indicators.
    pub others: Vec<(Kind, &'a str)>,
    /// The feeds of all of them. Duplicates are ignored.
    pub feeds: Vec<&'a str>,
    /// The severity of the alert.
    pub severity: Severity,
    /// The class of the place: `dns`, `ip`, `tls`, `http`, `log.FIELD`…
    pub place: Cow<'a, str>,
    /// Our side: the internal address, otherwise the host that wrote a log, otherwise the log's
    /// stem.
    pub local: Cow<'a, str>,
    /// The other side's address.
    pub remote: Option<IpAddr>,
    /// The source port.
    pub src_port: Option<u16>,
    /// The destination port.
    pub dst_port: Option<u16>,
    /// What was seen, normalised.
    pub value: &'a str,
    /// The path or the interface.
    pub input: &'a str,
    /// Where in the input, in readable form: `PATH:LINE`, or both ends of a packet.
    pub spot: String,
}

impl<'a> AlertFacts<'a> {
    /// An indicator that matches itself, for tests and examples.
    pub fn of_indicator(kind: Kind, value: &'a str) -> AlertFacts<'a> {
        AlertFacts {
            indicator: (kind, value),
            others: Vec::new(),
            feeds: Vec::new(),
            severity: Severity::Medium,
            place: Cow::Borrowed(""),
            local: Cow::Borrowed(""),
            remote: None,
            src_port: None,
            dst_port: None,
            value,
            input: "",
            spot: String::new(),
        }
    }

    /// The facts of a hit. `severity` is that of its alert, `host` the one that wrote the line,
    /// if syslog or the journal names it.
    pub fn of(
        hit: &'a Hit<'_>,
        severity: Severity,
        host: Option<&'a str>,
        home: &HomeNetworks,
    ) -> AlertFacts<'a> {
        let seen = &hit.seen;
        let mut met = hit.matches.iter().map(|m| (m.kind, &*m.value));
        let (kind, value) = met.next().unwrap_or((seen.kind, &seen.value));
        let mut facts = AlertFacts::of_indicator(kind, value);
        facts.others = met.collect();
        let sources = hit.matches.iter().flat_map(|m| &m.sources);
        facts.feeds = sources.map(|source| &*source.feed).collect();
        facts.severity = severity;
        facts.value = &seen.value;
        facts.place = class(seen.at, seen.field.as_deref());
        match &hit.place {
            Place::Log(log) => {
                facts.input = &log.path;
                facts.local = Cow::Borrowed(host.unwrap_or_else(|| log_stem(&log.path)));
                facts.spot = format!("{}:{}", log.path, log.line);
            }
            Place::Packet(packet) => facts.of_packet(packet, home),
        }
        facts
    }

    fn of_packet(&mut self, packet: &'a PacketPlace, home: &HomeNetworks) {
        self.input = &packet.path;
        (self.src_port, self.dst_port) = (packet.src_port, packet.dst_port);
        let (local, remote) = home.sides(packet);
        self.remote = remote;
        self.local = local.map_or(Cow::Borrowed(&*packet.path), |ip| Cow::Owned(ip.to_string()));
        let end = |ip: Option<IpAddr>, port: Option<u16>| match (ip, port) {
            (Some(IpAddr::V6(ip)), Some(port)) => format!("[{ip}]:{port}"),
            (Some(ip), Some(port)) => format!("{ip}:{port}"),
            (Some(ip), None) => ip.to_string(),
            (None, _) => String::new(),
        };
        let (src, dst) = (end(packet.src, packet.src_port), end(packet.dst, packet.dst_port));
        self.spot = format!("{src} > {dst}");
    }
}

/// The class of a place: its name up to the dot, or the field of a log.
fn class(at: Where, field: Option<&str>) -> Cow<'static, str> {
    match field {
        Some(field) => Cow::Owned(format!("log.{field}")),
        None => {
            let name = at.name();
            Cow::Borrowed(name.split_once('.').map_or(name, |(class, _)| class))
        }
    }
}

/// The internal networks, which determine our side of a packet.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct HomeNetworks(Vec<IpNet>);

impl HomeNetworks {
    /// These networks, and always the private ones of RFC 1918, 4193, 6598 and the link-local
    /// ones.
    pub fn new(networks: Vec<IpNet>) -> Self {
        HomeNetworks(networks)
    }

    /// Whether an address is internal.
    pub fn has(&self, ip: IpAddr) -> bool {
        let is_private = match ip.to_canonical() {
            IpAddr::V4(ip) => {
                let is_shared = ip.octets()[0] == 100 && ip.octets()[1] & 0xc0 == 64;
                ip.is_private() || ip.is_loopback() || ip.is_link_local() || is_shared
            }
            IpAddr::V6(ip) => {
                ip.is_loopback() || ip.is_unique_local() || ip.is_unicast_link_local()
            }
        };
        is_private || self.0.iter().any(|network| network.contains(&ip))
    }

    /// Our side and the other one. If both or neither are internal, ours is the side that opened
    /// the flow.
    fn sides(&self, packet: &PacketPlace) -> (Option<IpAddr>, Option<IpAddr>) {
        let is_home = |ip: Option<IpAddr>| ip.is_some_and(|ip| self.has(ip));
        let is_reply = packet.to_server == Some(false);
        let is_dst = match (is_home(packet.src), is_home(packet.dst)) {
            (true, false) => false,
            (false, true) => !belongs_to_no_host(packet.dst),
            _ => is_reply,
        };
        let sides = (packet.src, packet.dst);
        if is_dst { (sides.1, sides.0) } else { sides }
    }
}

/// Whether an address is not that of a single host: broadcast.
fn belongs_to_no_host(ip: Option<IpAddr>) -> bool {
    ip == Some(IpAddr::V4(Ipv4Addr::BROADCAST))
}

/// A log's path without what rotation appended: `.1`, `-20261128`, `.2.gz`, `.old`.
///
/// ```
/// use wiresift::engine::suppress::log_stem;
///
/// for path in ["a/x.log", "a/x.log.1", "a/x.log.2.gz", "a/x.log-20261128.zst", "a/x.log.old"] {
///     assert_eq!(log_stem(path), "a/x.log");
/// }
/// ```
pub fn log_stem(path: &str) -> &str {
    const PACKED: [&str; 7] = [".gz", ".zst", ".bz2", ".xz", ".lz4", ".br", ".zip"];
    let name = path.rfind('/').map_or(0, |slash| slash + 1);
    let mut stem = path;
    // At most a compression suffix, a number and a date. `10.0.0.7` is a name, not the seventh
    // file of its kind.
    for _ in 0..3 {
        let cut = PACKED
            .iter()
            .find_map(|packing| stem.strip_suffix(packing))
            .or_else(|| stem.strip_suffix(".old"))
            .or_else(|| without_number(stem));
        let is_name = |cut: &&str| cut.bytes().skip(name).any(|byte| byte.is_ascii_alphabetic());
        match cut.filter(is_name) {
            Some(cut) => stem = cut,
            None => break,
        }
    }
    stem
}

/// Without a generation (up to four digits after a dot) or a date (eight digits or more after a
/// dot, a dash or an underscore).
fn without_number(text: &str) -> Option<&str> {
    let is_of_number = |c: char| c.is_ascii_digit() || c == '-' || c == '_';
    let head = text.trim_end_matches(is_of_number);
    // `x.log-2026-11-28`: cut at the dash, or dot, before the first digit.
    let tail = &text[head.len()..];
    let digits = tail.bytes().filter(u8::is_ascii_digit).count();
    if let Some(stem) = head.strip_suffix('.') {
        let is_number = (1..=4).contains(&digits) && digits == tail.len();
        return (is_number || digits >= 8).then_some(stem);
    }
    let is_dated = digits >= 8 && tail.starts_with(['-', '_']);
    is_dated.then_some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_logs_have_one_stem() {
        for (path, stem) in [
            ("/var/log/syslog.1", "/var/log/syslog"),
            ("/var/log/syslog.12.gz", "/var/log/syslog"),
            ("/var/log/messages-20261128", "/var/log/messages"),
            ("/var/log/messages-2026-11-28.xz", "/var/log/messages"),
            ("x.log.20261128-04", "x.log"),
            ("x.log_2026112804.1.gz", "x.log"),
            ("dns.14:00:00-15:00:00.log.gz", "dns.14:00:00-15:00:00.log"),
            ("host-12", "host-12"),
            ("10.0.0.7", "10.0.0.7"),
            ("logs/10.0.0.7.log.1", "logs/10.0.0.7.log"),
            ("a/.1", "a/.1"),
            ("a/1", "a/1"),
            (".gz", ".gz"),
            ("", ""),
        ] {
            assert_eq!(log_stem(path), stem, "{path}");
        }
    }

    #[test]
    fn places_have_classes() {
        assert_eq!(class(Where::DnsQuery, None), "dns");
        assert_eq!(class(Where::Ptr, None), "ptr");
        assert_eq!(class(Where::LogField, Some("id.resp_h")), "log.id.resp_h");
    }

    #[test]
    fn home_networks_include_the_private_ones() {
        let home = HomeNetworks::new(vec!["203.0.113.0/24".parse().unwrap()]);
        for (ip, is_ours) in [
            ("10.1.2.3", true),
            ("::ffff:10.1.2.3", true),
            ("100.64.0.1", true),
            ("100.128.0.1", false),
            ("203.0.113.9", true),
            ("198.51.100.1", false),
            ("fd00::1", true),
            ("fe80::1", true),
            ("2001:db8::1", false),
        ] {
            assert_eq!(home.has(ip.parse().unwrap()), is_ours, "{ip}");
        }
    }
}
