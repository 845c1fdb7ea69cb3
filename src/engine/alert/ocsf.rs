//! `ocsf`: OCSF Detection Findings (class 2004), one object per line.
//!
//! Every source of every indicator is an entry of `osint`. The place of the observation is the
//! only entry of `evidences`. Parts of our record that OCSF has no attribute for go into
//! `unmapped`, as the standard provides.

use super::object::{Object, write_object};
use super::record::{proto_name, tame};
use super::{Alert, json};
use crate::engine::indicator::{
    Context, Kind, PacketPlace, Protocol, Sender, Severity, Timestamp, Tlp,
};
use crate::engine::scan::Match;
use std::net::IpAddr;

// The version of the schema whose constants and required attributes this file follows.
pub(super) const VERSION: &str = "1.6.0";

/// Appends the finding and a newline.
pub(super) fn encode(alert: &Alert<'_>, out: &mut Vec<u8>) {
    write_object(out, |o| {
        // Category “Findings”, class “Detection Finding”, activity “Create”. A type is 100 ×
        // class + activity.
        o.number("category_uid", 2);
        o.number("class_uid", 2004);
        o.number("activity_id", 1);
        o.number("type_uid", 200_401);
        o.number("time", millis(alert.time()));
        let (severity, severity_id) = severity(alert.severity());
        o.number("severity_id", severity_id);
        o.text("severity", severity);
        // 1 is “New”: not reviewed yet. 3 is “Suppressed”.
        o.number("status_id", if alert.is_suppressed() { 3 } else { 1 });
        o.flag("is_alert", true);
        o.number("confidence_id", confidence_id(alert.confidence()));
        if let Some(confidence) = alert.confidence() {
            o.number("confidence_score", confidence);
        }
        o.text("message", &alert.headline());
        o.maybe("raw_data", alert.log().map(|log| &*log.text));
        o.object("metadata", |o| metadata(o, alert));
        o.object("finding_info", |o| finding(o, alert));
        o.objects("evidences", [alert], evidence);
        o.objects("observables", [alert.seen()], |o, seen| {
            o.text("name", seen.field.as_deref().unwrap_or(seen.at.name()));
            o.number("type_id", observable_type(seen.kind));
            o.text("value", &seen.value);
        });
        let all = alert.matches().iter().flat_map(|m| m.sources.iter().map(move |s| (m, s)));
        o.objects("osint", all, |o, (met, source)| osint(o, met, source));
        o.object("unmapped", |o| {
            o.text("time_source", alert.time_source().name());
            json::seen(o, alert);
            if let Some(log) = alert.log() {
                json::log(o, log);
            }
            if let Some(packet) = alert.packet() {
                json::packet(o, packet);
            }
            json::database(o, alert);
            json::handling(o, alert);
        });
    });
    out.push(b'\n');
}

// `timestamp_t` is in milliseconds.
pub(super) fn millis(time: Timestamp) -> i64 {
    tame(time).0.div_euclid(1000)
}

// 1 is “Informational”, which no indicator is.
pub(super) const fn severity(severity: Severity) -> (&'static str, u8) {
    match severity {
        Severity::Low => ("Low", 2),
        Severity::Medium => ("Medium", 3),
        Severity::High => ("High", 4),
        Severity::Critical => ("Critical", 5),
    }
}

/// 0 unknown, 1 low, 2 medium, 3 high.
const fn confidence_id(percent: Option<u8>) -> u8 {
    match percent {
        None => 0,
        Some(..=29) => 1,
        Some(..=69) => 2,
        Some(_) => 3,
    }
}

/// Writes `metadata`. The `osint` profile is what allows the attribute of that
/// name.
fn metadata(o: &mut Object<'_>, alert: &Alert<'_>) {
    o.text("version", VERSION);
    o.texts("profiles", ["osint"]);
    o.text("uid", &alert.uid());
    o.object("product", |o| {
        o.text("name", "wiresift");
        o.text("vendor_name", "wiresift");
        o.text("version", env!("CARGO_PKG_VERSION"));
    });
    o.maybe("log_name", alert.log().map(|log| &*log.path));
}

/// Writes `finding_info`: the indicator is the title, the kind is the analytic
/// (type 1, “Rule”).
fn finding(o: &mut Object<'_>, alert: &Alert<'_>) {
    let (kind, value) = alert.best();
    o.text("uid", &alert.uid());
    o.text("title", &format!("IOC {kind} {value}"));
    o.texts("types", ["ioc-match"]);
    o.object("analytic", |o| {
        o.text("uid", &format!("ioc-{kind}"));
        o.text("name", &super::cef::title(kind));
        o.number("type_id", 1);
    });
    if let Some(flow) = alert.packet().and_then(|packet| packet.flow) {
        o.number("first_seen_time", millis(flow.first_time));
        o.number("last_seen_time", millis(flow.last_time));
    }
    attacks(o, &alert.gather(|source| &source.attack));
}

/// Writes `attacks`: techniques of MITRE ATT&CK.
fn attacks(o: &mut Object<'_>, techniques: &[&str]) {
    o.objects("attacks", techniques, |o, technique| {
        o.object("technique", |o| o.text("uid", technique));
    });
}

/// Writes the entry of `evidences`: the place, the connection, what the protocol
/// said, and the file.
fn evidence(o: &mut Object<'_>, alert: &Alert<'_>) {
    if let Some(log) = alert.log() {
        o.object("data", |o| json::log(o, log));
        if let Some(sender) = log.sender.as_deref() {
            writer(o, sender);
        }
    }
    if let Some(packet) = alert.packet() {
        endpoints(o, packet);
    }
    protocol_fields(o, alert.protocol());
    let seen = alert.seen();
    let carried = match alert.protocol() {
        Some(Protocol::File(file)) => Some(file),
        _ => None,
    };
    match (seen.kind, algorithm(seen.kind)) {
        (Kind::Url, _) if carried.is_none() => {
            o.object("url", |o| o.text("url_string", &seen.value));
        }
        (_, None) if carried.is_none() => (),
        (kind, algorithm) => o.object("file", |o| {
            // The schema requires both; if only a digest was seen, the name is unknown.
            let name = if kind == Kind::Filename { Some(&seen.value) } else { None };
            let name = name.or_else(|| carried?.name.as_ref());
            o.text("name", name.map_or("", |name| name));
            o.number("type_id", 0);
            if let Some(size) = carried.and_then(|file| file.size) {
                o.number("size", size);
            }
            // `algorithm` is an `Option`: a file name has no digest.
            o.objects("hashes", algorithm, |o, algorithm| {
                o.number("algorithm_id", algorithm);
                o.text("value", &seen.value);
            });
        }),
    }
}

/// Writes what the protocol said.
fn protocol_fields(o: &mut Object<'_>, protocol: Option<&Protocol>) {
    match protocol {
        Some(Protocol::Dns(dns)) => o.object("query", |o| {
            o.text("hostname", &dns.rrname);
            o.maybe("type", Some(&dns.rrtype));
            // The identifier in the header of DNS, which query and answer share.
            o.number("packet_uid", dns.id);
        }),
        Some(Protocol::Tls(tls) | Protocol::Quic(tls)) => {
            // The schema requires both.
            if let (Some(sni), Some(version)) = (&tls.sni, &tls.version) {
                o.object("tls", |o| {
                    o.text("sni", sni);
                    o.text("version", version);
                });
            }
        }
        Some(Protocol::Http(http)) => {
            o.object("http_request", |o| {
                o.maybe("http_method", http.method.as_deref());
                o.maybe("user_agent", http.user_agent.as_deref());
                o.object("url", |o| {
                    o.maybe("hostname", http.hostname.as_deref());
                    o.maybe("path", http.url.as_deref());
                });
            });
            if let Some(status) = http.status {
                o.object("http_response", |o| o.number("code", status));
            }
        }
        Some(Protocol::File(file)) => {
            if let Some(url) = file.url.as_deref().filter(|url| !url.is_empty()) {
                o.object("url", |o| o.text("url_string", url));
            }
        }
        Some(Protocol::Ftp(_) | Protocol::Smb(_) | Protocol::Smtp(_) | Protocol::Ssh(_)) | None => {
        }
    }
}

/// Writes the host and the program that wrote the line. The peer may be a relay, so it only appears
/// in `data`.
fn writer(o: &mut Object<'_>, sender: &Sender) {
    if let Some(host) = sender.host.as_deref().filter(|host| !host.is_empty()) {
        o.object("device", |o| {
            o.text("hostname", host);
            // 0 is “Unknown”.
            o.number("type_id", 0);
        });
    }
    o.object("process", |o| o.maybe("name", sender.app.as_deref()));
}

/// Writes the endpoints and the connection, in the direction of the packet.
fn endpoints(o: &mut Object<'_>, packet: &PacketPlace) {
    let sides = [
        ("src_endpoint", packet.src, packet.src_port),
        ("dst_endpoint", packet.dst, packet.dst_port),
    ];
    for (name, ip, port) in sides {
        o.object(name, |o| {
            if let Some(ip) = ip {
                o.shown("ip", ip);
            }
            if let Some(port) = port {
                o.number("port", port);
            }
        });
    }
    o.object("connection_info", |o| {
        // 0 is “Unknown”: which side is inside depends on a network we know nothing of.
        o.number("direction_id", 0);
        o.text("uid", &packet.flow_id.to_string());
        o.maybe("community_uid", packet.community_id.as_deref());
        if let Some(ip) = packet.src.or(packet.dst) {
            // IANA numbers protocols of IP; 4 and 6 are the versions in
            // `protocol_ver_id`.
            o.text("protocol_name", &proto_name(packet.proto));
            o.number("protocol_num", packet.proto);
            o.number("protocol_ver_id", if matches!(ip, IpAddr::V4(_)) { 4 } else { 6 });
        }
    });
}

/// Writes an entry of `osint`: one indicator as one source describes it.
fn osint(o: &mut Object<'_>, met: &Match<'_>, source: &Context<'_>) {
    o.number("type_id", indicator_type(met.kind));
    o.text("type", met.kind.name());
    o.text("value", &met.value);
    o.maybe("vendor_name", Some(&source.feed));
    o.maybe("uid", source.id.as_deref());
    o.number("confidence_id", confidence_id(source.confidence));
    if let Some(level) = source.severity {
        o.number("severity_id", severity(level).1);
    }
    o.maybe("tlp", source.tlp.map(tlp_name));
    o.maybe("desc", source.description.as_deref());
    let said = [&source.collection, &source.name].into_iter().flatten();
    let comment = said.map(|text| &**text).collect::<Vec<_>>().join(": ");
    o.maybe("comment", Some(&comment));
    o.texts("labels", &source.tags);
    o.maybe("src_url", source.references.first().map(|text| &**text));
    o.texts("references", &source.references);
    o.objects("malware", &source.malware, |o, name| {
        o.text("name", name);
        // Required by the schema. 0 is “Unknown”: feeds name the family and not its
        // class.
        o.numbers("classification_ids", [0]);
    });
    if !source.adversary.is_empty() {
        o.object("threat_actor", |o| {
            o.text("name", &source.adversary.join(", "));
            o.number("type_id", 0);
        });
    }
    // The techniques of this source only; `finding_info` has those of all.
    let techniques: Vec<&str> = source.attack.iter().map(|text| &**text).collect();
    attacks(o, &techniques);
    for (name, time) in [
        ("created_time", source.valid_from),
        ("expiration_time", source.valid_until),
        ("modified_time", source.modified.or(source.last_seen)),
    ] {
        if let Some(time) = time {
            o.number(name, millis(time));
        }
    }
}

/// The name of a TLP marking. OCSF spells `AMBER STRICT` with a space.
const fn tlp_name(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "CLEAR",
        Tlp::Green => "GREEN",
        Tlp::Amber => "AMBER",
        Tlp::AmberStrict => "AMBER STRICT",
        Tlp::Red => "RED",
    }
}

/// The value of `osint.type_id`: 1 IP address, 2 domain, 4 hash, 5 URL, 6 user agent,
/// 7 certificate, 9 email address, 10 vulnerability, 11 file, 12 registry key, 99 other.
const fn indicator_type(kind: Kind) -> u8 {
    match kind {
        Kind::Ip | Kind::Net | Kind::Endpoint => 1,
        Kind::Domain => 2,
        Kind::Url | Kind::UrlPath => 5,
        Kind::UserAgent => 6,
        Kind::CertMd5 | Kind::CertSha1 | Kind::CertSha256 => 7,
        Kind::Email => 9,
        Kind::Cve => 10,
        Kind::Filename | Kind::Filepath => 11,
        Kind::Regkey => 12,
        Kind::Mutex | Kind::Asn | Kind::Btc | Kind::Wallet => 99,
        Kind::Pipe | Kind::User | Kind::Opaque => 99,
        // Every digest and fingerprint.
        _ => 4,
    }
}

/// The value of `observables[].type_id`.
const fn observable_type(kind: Kind) -> u8 {
    match kind {
        Kind::Domain => 1,
        Kind::Ip | Kind::Endpoint => 2,
        Kind::User => 4,
        Kind::Email => 5,
        Kind::Url | Kind::UrlPath => 6,
        Kind::Filename => 7,
        Kind::Net => 12,
        Kind::UserAgent => 16,
        Kind::Cve => 18,
        _ => match indicator_type(kind) {
            4 | 7 => 8,
            _ => 99,
        },
    }
}

/// The value of `hashes[].algorithm_id`, for digests of files. SHA-384 has none in this
/// version.
const fn algorithm(kind: Kind) -> Option<u8> {
    match kind {
        Kind::Md5 => Some(1),
        Kind::Sha1 => Some(2),
        Kind::Sha256 => Some(3),
        Kind::Sha512 => Some(4),
        Kind::Imphash => Some(18),
        _ => None,
    }
}
