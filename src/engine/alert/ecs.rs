//! `ecs`: Elastic Common Schema, one document per line.
//!
//! In ECS an indicator is a document of one feed, so every source of every indicator becomes a
//! separate enrichment, and `threat.indicator` repeats the most specific one, where Kibana's
//! views expect it. What has no ECS field goes under `wiresift`, in the form of our own
//! record.

use super::object::{Object, write_object};
use super::record::{proto_name, tame};
use super::{Alert, json};
use crate::engine::indicator::{
    Context, Dns, Http, Kind, LogPlace, PacketPlace, Protocol, Tlp, Tls, Where,
};
use crate::engine::scan::{Match, Seen};
use std::net::IpAddr;

// The version whose fields this file uses.
pub(super) const VERSION: &str = "9.0.0";

/// Appends the document and a newline.
pub(super) fn encode(alert: &Alert<'_>, out: &mut Vec<u8>) {
    write_object(out, |o| {
        o.shown("@timestamp", alert.time());
        o.object("ecs", |o| o.text("version", VERSION));
        o.text("message", &alert.headline());
        o.object("event", |o| occurrence(o, alert));
        if let Some(log) = alert.log() {
            o.object("log", |o| {
                o.object("file", |o| o.text("path", &log.path));
                o.object("syslog", |o| syslog(o, log));
            });
            o.object("host", |o| o.maybe("hostname", host_of(log)));
        }
        if let Some(packet) = alert.packet() {
            traffic(o, packet);
        }
        match alert.protocol() {
            Some(Protocol::Dns(said)) => dns(o, said),
            Some(Protocol::Tls(said)) => tls(o, said),
            Some(Protocol::Http(said)) => http(o, said),
            Some(Protocol::File(said)) => {
                o.object("url", |o| o.maybe("original", said.url.as_deref()));
            }
            Some(Protocol::Quic(said)) => tls(o, said),
            Some(Protocol::Ftp(_) | Protocol::Smb(_) | Protocol::Smtp(_) | Protocol::Ssh(_))
            | None => (),
        }
        let seen = alert.seen();
        o.object("file", |o| file(o, alert.protocol(), seen));
        o.object("observer", |o| observer(o, alert));
        o.object("rule", |o| {
            let (kind, _) = alert.best();
            o.text("id", &format!("ioc-{kind}"));
            // There is no rule; Kibana's views show this name in place of one.
            o.text("name", &super::cef::title(kind));
            o.text("category", "ioc-match");
        });
        o.object("related", |o| related(o, alert));
        o.object("threat", |o| threat(o, alert));
        o.object("wiresift", |o| {
            o.text("time_source", alert.time_source().name());
            // The parts of our own record that have no ECS field, in the same form.
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

// `event.*`: categories and types are closed vocabularies of ECS.
fn occurrence(o: &mut Object<'_>, alert: &Alert<'_>) {
    let is_packet = alert.packet().is_some();
    o.text("kind", "alert");
    // A line of a log only gets `threat`: it need not be about the network.
    let categories: &[&str] =
        if is_packet { &["threat", "network", "intrusion_detection"] } else { &["threat"] };
    o.texts("category", categories);
    o.texts("type", if is_packet { &["indicator", "info"][..] } else { &["indicator"] });
    o.text("id", &alert.uid());
    o.text("action", "ioc-match");
    o.text("module", "wiresift");
    o.text("dataset", "wiresift.alert");
    o.number("severity", json::number(alert.severity()));
    // ECS leaves both scales open; 0 to 100 is what Elastic Security uses for risk.
    o.number("risk_score", 25 * json::number(alert.severity()));
    // A packet has no text that could be shown as the original event.
    o.maybe("original", alert.log().map(|log| &*log.text));
    o.maybe("reference", alert.gather(|source| &source.references).first().copied());
}

/// The host that wrote the line.
fn host_of(log: &LogPlace) -> Option<&str> {
    log.sender.as_ref()?.host.as_deref()
}

/// Writes `log.syslog`: what the envelope says about the sender. Beats also put the journal's
/// identifier into `appname`. The peer is not the `source` of the traffic that the line describes,
/// so it only appears in `wiresift.log` and `related.ip`.
fn syslog(o: &mut Object<'_>, log: &LogPlace) {
    o.maybe("hostname", host_of(log));
    o.maybe("appname", log.sender.as_ref().and_then(|sender| sender.app.as_deref()));
}

/// Writes `source`, `destination` and `network`, in the direction of the packet.
fn traffic(o: &mut Object<'_>, packet: &PacketPlace) {
    let sides =
        [("source", packet.src, packet.src_port), ("destination", packet.dst, packet.dst_port)];
    for (name, ip, port) in sides {
        o.object(name, |o| {
            if let Some(ip) = ip {
                o.shown("address", ip);
                o.shown("ip", ip);
            }
            if let Some(port) = port {
                o.number("port", port);
            }
        });
    }
    // `network.vlan` is the outer tag, `network.inner.vlan` the inner one (802.1ad).
    o.object("network", |o| {
        if let Some(ip) = packet.src.or(packet.dst) {
            o.text("type", if matches!(ip, IpAddr::V4(_)) { "ipv4" } else { "ipv6" });
            o.shown("iana_number", packet.proto);
            // ECS wants the keyword of IANA in lower case, which differs from ours
            // only for ICMPv6.
            o.text("transport", &proto_name(packet.proto).replace("icmpv6", "ipv6-icmp"));
        }
        o.maybe(
            "protocol",
            packet.protocol.as_ref().map(|protocol| match protocol {
                Protocol::Dns(_) => "dns",
                Protocol::Tls(_) => "tls",
                Protocol::Http(_) => "http",
                Protocol::File(file) => file.protocol,
                Protocol::Quic(_) => "quic",
                Protocol::Ftp(_) => "ftp",
                Protocol::Smb(_) => "smb",
                Protocol::Smtp(_) => "smtp",
                Protocol::Ssh(_) => "ssh",
            }),
        );
        o.maybe("community_id", packet.community_id.as_deref());
        if let Some(flow) = &packet.flow {
            o.number("packets", flow.packets);
            o.number("bytes", flow.bytes);
        }
        let mut tags = packet.vlan.iter();
        if let Some(outer) = tags.next() {
            o.object("vlan", |o| o.shown("id", outer));
        }
        if let Some(inner) = tags.next() {
            o.object("inner", |o| o.object("vlan", |o| o.shown("id", inner)));
        }
    });
}

/// Writes `dns`. ECS expects the identifier as a keyword, so it is text.
fn dns(o: &mut Object<'_>, dns: &Dns) {
    o.object("dns", |o| {
        o.text("type", if dns.is_answer { "answer" } else { "query" });
        o.shown("id", dns.id);
        o.object("question", |o| {
            o.maybe("name", Some(&dns.rrname));
            o.maybe("type", Some(&dns.rrtype));
        });
        o.maybe("response_code", dns.rcode.as_deref());
    });
}

// ECS splits “TLS 1.3” into a protocol and a bare version.
fn tls(o: &mut Object<'_>, tls: &Tls) {
    o.object("tls", |o| {
        if let Some(version) = &tls.version {
            o.maybe("version", Some(version.strip_prefix("TLS ").unwrap_or(version)));
            o.text("version_protocol", "tls");
        }
        o.object("client", |o| o.maybe("server_name", tls.sni.as_deref()));
        let name = |name: &Option<String>| name.as_ref().map(|name| format!("CN={name}"));
        o.object("server", |o| {
            o.maybe("subject", name(&tls.subject).as_deref());
            o.maybe("issuer", name(&tls.issuer).as_deref());
        });
    });
}

/// Writes `http`, `url` and `user_agent`, which ECS keeps apart.
fn http(o: &mut Object<'_>, http: &Http) {
    o.object("http", |o| {
        o.object("request", |o| o.maybe("method", http.method.as_deref()));
        if let Some(status) = http.status {
            o.object("response", |o| o.number("status_code", status));
        }
    });
    o.object("url", |o| {
        o.maybe("domain", http.hostname.as_deref());
        // Usually a path. `url.full` would need a scheme, which the request does
        // not contain.
        o.maybe("original", http.url.as_deref());
    });
    o.object("user_agent", |o| o.maybe("original", http.user_agent.as_deref()));
}

/// Writes the file that was transferred, or that a log mentions.
fn file(o: &mut Object<'_>, protocol: Option<&Protocol>, seen: &Seen) {
    let said = match protocol {
        Some(Protocol::File(file)) => Some(file),
        _ => None,
    };
    if seen.kind == Kind::Filename {
        o.text("name", &seen.value);
    } else {
        o.maybe("name", said.and_then(|file| file.name.as_deref()));
    }
    if let Some(size) = said.and_then(|file| file.size) {
        o.number("size", size);
    }
    if let Some(name) = hash_field(seen.kind) {
        o.object("hash", |o| o.text(name, &seen.value));
    }
}

/// Writes `observer`: the program and, for live traffic, the interface.
fn observer(o: &mut Object<'_>, alert: &Alert<'_>) {
    o.text("vendor", "wiresift");
    o.text("product", "wiresift");
    o.text("version", env!("CARGO_PKG_VERSION"));
    // One of the types that ECS suggests for this field.
    o.text("type", "ids");
    o.maybe("hostname", alert.origin().host.as_deref());
    if let Some(packet) = alert.packet().filter(|packet| packet.is_live) {
        o.object("ingress", |o| o.object("interface", |o| o.text("name", &packet.path)));
    }
}

// `related.*` collects values from all over the document, so one query finds them in any
// field.
fn related(o: &mut Object<'_>, alert: &Alert<'_>) {
    let seen = alert.seen();
    let mut ips: Vec<String> = Vec::new();
    if let Some(packet) = alert.packet() {
        ips.extend([packet.src, packet.dst].into_iter().flatten().map(|ip| ip.to_string()));
    }
    if seen.kind == Kind::Ip && seen.value.parse::<IpAddr>().is_ok() {
        ips.push(seen.value.clone());
    }
    let sender = alert.sender();
    let peer = sender.and_then(|sender| sender.peer.as_deref()?.parse::<IpAddr>().ok());
    ips.extend(peer.map(|ip| ip.to_string()));
    ips.sort_unstable();
    ips.dedup();
    o.texts("ip", ips);
    // `related.hosts` takes names of hosts, with or without a domain.
    let name = (seen.kind == Kind::Domain).then_some(&*seen.value);
    let host = sender.and_then(|sender| sender.host.as_deref());
    let host = host.filter(|host| !host.is_empty() && Some(*host) != name);
    o.texts("hosts", name.into_iter().chain(host));
    if seen.kind.digest_len().is_some() {
        o.texts("hash", [&seen.value]);
    }
}

/// Writes `threat`: one enrichment per indicator and source, the most specific
/// indicator again on its own, and the names of groups, software and techniques of
/// all sources.
fn threat(o: &mut Object<'_>, alert: &Alert<'_>) {
    let all = || alert.matches().iter().flat_map(|m| m.sources.iter().map(move |s| (m, s)));
    o.objects("enrichments", all(), |o, (met, source)| {
        o.object("indicator", |o| indicator(o, met, source));
        o.object("matched", |o| {
            o.text("atomic", &alert.seen().value);
            o.text("field", &matched_field(alert.seen()));
            // The value that ECS gives for matches of indicators by a rule.
            o.text("type", "indicator_match_rule");
            o.shown("occurred", alert.time());
            o.maybe("id", source.id.as_deref());
            // ECS expects the Elasticsearch index of the indicator. Ours come from
            // a database, so the feed stands in.
            o.maybe("index", Some(&source.feed));
        });
    });
    if let Some((met, source)) = all().next() {
        o.object("indicator", |o| {
            indicator(o, met, source);
            o.texts("id", &source.id);
        });
        o.object("feed", |o| {
            o.maybe("name", Some(&source.feed));
            o.maybe("reference", source.references.first().map(|text| &**text));
        });
    }
    o.object("group", |o| o.texts("name", alert.gather(|source| &source.adversary)));
    o.object("software", |o| o.texts("name", alert.gather(|source| &source.malware)));
    o.object("technique", |o| o.texts("id", alert.gather(|source| &source.attack)));
}

/// Writes an indicator as one source describes it.
fn indicator(o: &mut Object<'_>, met: &Match<'_>, source: &Context<'_>) {
    o.text("type", indicator_type(met.kind, &met.value));
    o.text("name", &met.value);
    value(o, met);
    o.text("confidence", confidence(source.confidence));
    o.maybe("provider", Some(&source.feed));
    o.maybe("reference", source.references.first().map(|text| &**text));
    // Many feeds describe nothing but name the list or pulse, which is better than
    // no text.
    let said = [&source.description, &source.name, &source.collection];
    o.maybe("description", said.into_iter().flatten().map(|text| &**text).next());
    for (name, time) in [
        ("first_seen", source.first_seen),
        ("last_seen", source.last_seen),
        ("modified_at", source.modified),
    ] {
        if let Some(time) = time {
            o.shown(name, tame(time));
        }
    }
    if let Some(tlp) = source.tlp {
        o.object("marking", |o| {
            o.text("tlp", tlp_name(tlp));
            o.text("tlp_version", "2.0");
        });
    }
}

/// Writes the indicator's value into the field for its type. ECS fields of type `ip` reject a
/// document that puts a network there, so networks only appear as `name`.
fn value(o: &mut Object<'_>, met: &Match<'_>) {
    let value = &*met.value;
    match met.kind {
        Kind::Ip => address(o, value),
        // The last colon separates the port; IPv6 has brackets around the others.
        Kind::Endpoint => {
            if let Some((ip, port)) = value.rsplit_once(':') {
                address(o, ip.trim_matches(['[', ']']));
                if let Ok(port) = port.parse::<u16>() {
                    o.number("port", port);
                }
            }
        }
        Kind::Domain => o.object("url", |o| o.text("domain", value)),
        Kind::Url => o.object("url", |o| o.text("full", value)),
        Kind::UrlPath => o.object("url", |o| o.text("path", value)),
        Kind::Email => o.object("email", |o| o.text("address", value)),
        Kind::Filename => o.object("file", |o| o.text("name", value)),
        Kind::Filepath => o.object("file", |o| o.text("path", value)),
        Kind::Imphash => o.object("file", |o| o.object("pe", |o| o.text("imphash", value))),
        Kind::Pehash => o.object("file", |o| o.object("pe", |o| o.text("pehash", value))),
        Kind::Regkey => o.object("registry", |o| o.text("key", value)),
        Kind::Asn => {
            if let Ok(number) = value.parse::<u32>() {
                o.object("as", |o| o.number("number", number));
            }
        }
        kind => {
            if let Some(name) = hash_field(kind) {
                o.object("file", |o| o.object("hash", |o| o.text(name, value)));
            }
        }
    }
}

/// Writes an address, unless the text is not one: a field of type `ip` would reject
/// it.
fn address(o: &mut Object<'_>, text: &str) {
    if let Ok(ip) = text.parse::<IpAddr>() {
        o.shown("ip", ip);
    }
}

/// The name below `file.hash`, for algorithms that ECS has.
const fn hash_field(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Md5
        | Kind::Sha1
        | Kind::Sha256
        | Kind::Sha384
        | Kind::Sha512
        | Kind::Cdhash
        | Kind::Ssdeep
        | Kind::Tlsh => Some(kind.name()),
        _ => None,
    }
}

/// The value of `threat.indicator.type`, which follows the cyber observables of STIX.
fn indicator_type(kind: Kind, value: &str) -> &'static str {
    match kind {
        Kind::Ip | Kind::Net | Kind::Endpoint => {
            // One colon separates the port of an IPv4 endpoint; IPv6 has at least
            // two.
            let is_v6 = value.matches(':').count() > 1;
            if is_v6 { "ipv6-addr" } else { "ipv4-addr" }
        }
        Kind::Domain => "domain-name",
        Kind::Url | Kind::UrlPath => "url",
        Kind::Email => "email-addr",
        Kind::CertMd5 | Kind::CertSha1 | Kind::CertSha256 => "x509-certificate",
        Kind::Mutex => "mutex",
        Kind::Regkey => "windows-registry-key",
        Kind::Asn => "autonomous-system",
        Kind::User => "user-account",
        Kind::UserAgent | Kind::Cve => "software",
        Kind::Filename | Kind::Filepath => "file",
        // STIX has no object for fingerprints, wallets and pipes.
        Kind::Ja3 | Kind::Ja3s | Kind::Ja4 | Kind::Jarm | Kind::Hassh | Kind::SshKey => "artifact",
        Kind::Btc | Kind::Wallet | Kind::Pipe | Kind::Opaque => "artifact",
        // Every digest of a file, with whatever algorithm.
        _ => "file",
    }
}

/// The confidence bands of STIX 2.1 (appendix A, “None / Low / Med / High”), in ECS's words.
const fn confidence(percent: Option<u8>) -> &'static str {
    match percent {
        None => "Not Specified",
        Some(0) => "None",
        Some(..=29) => "Low",
        Some(..=69) => "Medium",
        Some(_) => "High",
    }
}

/// The name of a TLP 2.0 marking, in the upper case that ECS requires.
const fn tlp_name(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "CLEAR",
        Tlp::Green => "GREEN",
        Tlp::Amber => "AMBER",
        Tlp::AmberStrict => "AMBER+STRICT",
        Tlp::Red => "RED",
    }
}

/// The ECS field that holds what was seen, or our own name if there is none.
fn matched_field(seen: &Seen) -> String {
    let name = match seen.at {
        Where::IpSrc => "source.ip",
        Where::IpDst | Where::Nat64 => "destination.ip",
        Where::DnsQuery => "dns.question.name",
        Where::DnsAnswer => "dns.answers.data",
        Where::TlsSni | Where::QuicSni => "tls.client.server_name",
        Where::TlsJa3 => "tls.client.ja3",
        Where::TlsJa3s => "tls.server.ja3s",
        Where::HttpHost | Where::UrlHost => "url.domain",
        Where::HttpUrl => "url.full",
        Where::HttpReferer => "http.request.referrer",
        Where::HttpUserAgent => "user_agent.original",
        Where::HttpXff | Where::ProxySrc => "network.forwarded_ip",
        Where::SmtpFrom | Where::MailFrom => "email.from.address",
        Where::SmtpTo | Where::MailTo => "email.to.address",
        Where::FileHash => match hash_field(seen.kind) {
            Some(name) => return format!("file.hash.{name}"),
            None => "file.hash",
        },
        Where::FileName => "file.name",
        Where::Ptr => "dns.resolved_ip",
        Where::LogText | Where::LogField => "event.original",
        other => other.name(),
    };
    name.to_owned()
}
