//! `eve`: alerts in the form in which Suricata would write them.
//!
//! Suricata's schema is closed, both at the top level and inside `alert`. What it has no
//! member for goes into `alert.context.ioc`, in the form of our own record. So every reader of
//! EVE can read the alerts, and no context of an indicator is lost.

use super::object::{Object, write_object};
use super::record::{proto_name, tame};
use super::{Alert, json};
use crate::engine::indicator::{
    File, Http, Kind, PacketPlace, Protocol, Severity, Ssh, Timestamp, Tls,
};
use std::net::IpAddr;

/// The first of our signature identifiers. Adding the kind's number in the database format,
/// which never changes, gives each kind a permanent identifier.
const FIRST_SID: u32 = 9_000_000;

/// Appends the alert and a newline.
pub(super) fn encode(alert: &Alert<'_>, out: &mut Vec<u8>) {
    write_object(out, |o| {
        o.text("timestamp", &stamp(alert.time()));
        if let Some(packet) = alert.packet() {
            flow_identity(o, packet);
            addresses(o, packet);
        }
        o.text("event_type", "alert");
        o.maybe("host", alert.origin().host.as_deref());
        o.object("alert", |o| signature(o, alert));
        if let Some(protocol) = alert.protocol() {
            application(o, alert, protocol);
        }
        if let Some(packet) = alert.packet() {
            o.maybe("direction", packet.to_server.map(json::direction));
            tunnel(o, packet);
            if let Some(flow) = &packet.flow {
                o.object("flow", |o| {
                    o.text("start", &stamp(flow.first_time));
                    o.text("end", &stamp(flow.last_time));
                });
            }
        }
    });
    out.push(b'\n');
}

/// Formats a time as Suricata's schema requires: with `+0000`, without a colon, instead of
/// `Z`.
pub(super) fn stamp(time: Timestamp) -> String {
    let text = tame(time).to_string();
    text.strip_suffix('Z').unwrap_or(&text).to_owned() + "+0000"
}

// A sensor numbers nothing: `pcap_cnt` would suggest a file to look into.
fn flow_identity(o: &mut Object<'_>, packet: &PacketPlace) {
    o.number("flow_id", packet.flow_id);
    if packet.is_live {
        o.text("in_iface", &packet.path);
    } else {
        o.number("pcap_cnt", packet.number);
        o.text("pcap_filename", &packet.path);
    }
    o.numbers("vlan", packet.vlan.iter().copied());
}

// Suricata writes `dest_ip` where our record has `dst_ip`.
fn addresses(o: &mut Object<'_>, packet: &PacketPlace) {
    if let Some(src) = packet.src {
        o.shown("src_ip", src);
    }
    if let Some(port) = packet.src_port {
        o.number("src_port", port);
    }
    if let Some(dst) = packet.dst {
        o.shown("dest_ip", dst);
    }
    if let Some(port) = packet.dst_port {
        o.number("dest_port", port);
    }
    if let Some(ip) = packet.src.or(packet.dst) {
        let proto = match packet.proto {
            // As in Suricata's table of protocols.
            58 => "IPv6-ICMP".to_owned(),
            number => proto_name(number).to_uppercase(),
        };
        o.text("proto", &proto);
        o.number("ip_v", if matches!(ip, IpAddr::V4(_)) { 4u8 } else { 6 });
    }
    // The strings of Suricata's `PktSrcToString`.
    match packet.tunnel.last().map(|tunnel| tunnel.kind) {
        None => o.text("pkt_src", "wire/pcap"),
        Some(kind @ ("vxlan" | "geneve")) => o.text("pkt_src", &format!("{kind} encapsulation")),
        Some(kind) => o.text("pkt_src", &format!("{kind} tunnel")),
    }
    o.maybe("community_id", packet.community_id.as_deref());
}

/// Writes `alert`. There is no rule, so its parts follow from the most specific
/// indicator.
fn signature(o: &mut Object<'_>, alert: &Alert<'_>) {
    let (kind, value) = alert.best();
    // Suricata's word for a detection that blocked nothing.
    o.text("action", "allowed");
    // 1 is the generator of rules; decoders and preprocessors have others.
    o.number("gid", 1u8);
    o.number("signature_id", sid(kind));
    // The revision of a rule. Ours follow from the indicator and have none.
    o.number("rev", 1u8);
    o.text("signature", &format!("IOC {kind} {value}"));
    o.text("category", category(kind));
    // Suricata counts from 1, the worst; our record from 1, the mildest.
    o.number("severity", 5 - json::number(alert.severity()));
    o.texts("references", alert.gather(|source| &source.references));
    o.object("metadata", |o| metadata(o, alert));
    o.object("context", |o| o.object("ioc", |o| context(o, alert)));
}

/// Writes the lists that rules of Emerging Threats carry, under the same names.
fn metadata(o: &mut Object<'_>, alert: &Alert<'_>) {
    let (kind, value) = alert.best();
    o.texts("ioc_type", [kind.name()]);
    o.texts("ioc_value", [value]);
    o.texts("ioc_source", alert.feeds());
    o.texts("malware_family", alert.gather(|source| &source.malware));
    o.texts("mitre_technique_id", alert.gather(|source| &source.attack));
    o.texts("signature_severity", [severity_name(alert.severity())]);
    o.texts("tag", alert.gather(|source| &source.tags));
    o.texts("tlp", alert.tlp().map(|tlp| tlp.name()));
}

// The vocabulary of Emerging Threats' `signature_severity`.
pub(super) const fn severity_name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "Informational",
        Severity::Medium => "Minor",
        Severity::High => "Major",
        Severity::Critical => "Critical",
    }
}

/// Writes `alert.context.ioc`: what Suricata's schema has no member for.
fn context(o: &mut Object<'_>, alert: &Alert<'_>) {
    o.text("schema", super::SCHEMA);
    o.text("id", &alert.uid());
    o.text("time_source", alert.time_source().name());
    o.number("severity", json::number(alert.severity()));
    json::seen(o, alert);
    json::indicators(o, alert);
    if let Some(log) = alert.log() {
        json::log(o, log);
    }
    if let Some(packet) = alert.packet() {
        o.number("packet", packet.number);
        o.number("length", packet.length);
        json::tunnels(o, packet);
        if let Some(flow) = &packet.flow {
            json::flow(o, flow);
        }
    }
    json::database(o, alert);
    json::handling(o, alert);
}

/// The signature identifier of a kind.
pub(super) fn sid(kind: Kind) -> u32 {
    FIRST_SID + kind as u32
}

/// The best fit among the categories of Suricata's `classification.config`.
pub(super) const fn category(kind: Kind) -> &'static str {
    match kind {
        Kind::Domain => "Domain Observed Used for C2 Detected",
        Kind::Email => "Possible Social Engineering Attempted",
        Kind::Ip | Kind::Net | Kind::Endpoint => "Malware Command and Control Activity Detected",
        Kind::Ja3 | Kind::Ja3s | Kind::Ja4 | Kind::Jarm | Kind::Hassh | Kind::SshKey => {
            "Malware Command and Control Activity Detected"
        }
        Kind::Url | Kind::UrlPath | Kind::UserAgent | Kind::Filename | Kind::Filepath => {
            "A Network Trojan was detected"
        }
        _ if kind.is_cert() => "Malware Command and Control Activity Detected",
        _ if kind.digest_len().is_some() => "A Network Trojan was detected",
        _ => "Misc Attack",
    }
}

/// Writes the protocol's object and `app_proto`.
fn application(o: &mut Object<'_>, alert: &Alert<'_>, protocol: &Protocol) {
    match protocol {
        Protocol::Dns(dns) => {
            o.text("app_proto", "dns");
            o.object("dns", |o| {
                // The layout of Suricata 8: `request` and `response` with arrays, where
                // version 2 had `query` and `answer`.
                o.number("version", 3u8);
                o.text("type", if dns.is_answer { "response" } else { "request" });
                o.number("id", dns.id);
                o.maybe("rcode", dns.rcode.as_deref());
                o.objects("queries", [dns], |o, dns| {
                    o.text("rrname", &dns.rrname);
                    o.maybe("rrtype", Some(&dns.rrtype));
                });
            });
        }
        Protocol::Tls(said) => tls(o, said),
        Protocol::Http(said) => http(o, said),
        Protocol::File(said) => file(o, alert, said),
        Protocol::Quic(said) => {
            o.text("app_proto", "quic");
            o.object("quic", |o| o.maybe("sni", said.sni.as_deref()));
        }
        Protocol::Ftp(ftp) => {
            o.text("app_proto", "ftp");
            o.object("ftp", |o| {
                o.maybe("command", ftp.command.as_deref());
                o.maybe("command_data", ftp.argument.as_deref());
            });
        }
        Protocol::Smb(smb) => {
            o.text("app_proto", "smb");
            o.object("smb", |o| {
                o.text("command", smb.command);
                o.maybe("filename", smb.name.as_deref());
            });
        }
        Protocol::Smtp(smtp) => {
            o.text("app_proto", "smtp");
            o.object("smtp", |o| {
                o.maybe("helo", smtp.helo.as_deref());
                o.maybe("mail_from", smtp.from.as_deref());
                o.texts("rcpt_to", &smtp.to);
            });
        }
        Protocol::Ssh(said) => ssh(o, said),
    }
}

/// Writes `ssh`: Suricata has an object for each side, and an alert is about one of
/// them.
fn ssh(o: &mut Object<'_>, ssh: &Ssh) {
    o.text("app_proto", "ssh");
    o.object("ssh", |o| {
        o.object(if ssh.is_client { "client" } else { "server" }, |o| {
            o.maybe("proto_version", ssh.version.as_deref());
            o.maybe("software_version", ssh.software.as_deref());
            o.object("hassh", |o| o.maybe("hash", ssh.hassh.as_deref()));
        });
    });
}

/// Writes a file as Suricata's `fileinfo` does, with the one digest that matched.
fn file(o: &mut Object<'_>, alert: &Alert<'_>, file: &File) {
    // FTP transfers files over a connection of its own, which Suricata names
    // differently.
    o.text("app_proto", if file.protocol == "ftp" { "ftp-data" } else { file.protocol });
    if let Some(url) = file.url.as_deref() {
        o.object("http", |o| {
            let (host, path) = split_url(url);
            o.maybe("hostname", host);
            o.maybe("url", Some(path));
        });
    }
    o.object("fileinfo", |o| {
        o.maybe("filename", file.name.as_deref());
        if let Some(size) = file.size {
            // JSON libraries in C (jansson, which Suricata uses) hold integers as `i64`.
            o.number("size", size.min(i64::MAX as u64));
        }
        if let Some(is_whole) = file.is_whole {
            o.flag("gaps", !is_whole);
            o.text("state", if is_whole { "CLOSED" } else { "TRUNCATED" });
        }
        let seen = alert.seen();
        if matches!(seen.kind, Kind::Md5 | Kind::Sha1 | Kind::Sha256) {
            o.text(seen.kind.name(), &seen.value);
        }
        // Suricata always writes it. Files are hashed here and never stored.
        o.flag("stored", false);
    });
}

/// Splits a URL into the host without its port, and the rest. Anything else is all rest.
fn split_url(url: &str) -> (Option<&str>, &str) {
    let Some((_, rest)) = url.split_once("://") else { return (None, url) };
    let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let name = host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit()));
    (Some(name.map_or(host, |(name, _)| name)), path)
}

/// Writes `tls`. Suricata prints distinguished names; we only keep the common name.
fn tls(o: &mut Object<'_>, tls: &Tls) {
    o.text("app_proto", "tls");
    o.object("tls", |o| {
        o.maybe("sni", tls.sni.as_deref());
        o.maybe("version", tls.version.as_deref());
        o.texts("client_alpns", &tls.alpn);
        let name = |name: &Option<String>| name.as_ref().map(|name| format!("CN={name}"));
        o.maybe("subject", name(&tls.subject).as_deref());
        o.maybe("issuerdn", name(&tls.issuer).as_deref());
    });
}

/// Writes `http`.
fn http(o: &mut Object<'_>, http: &Http) {
    o.text("app_proto", "http");
    o.object("http", |o| {
        o.maybe("hostname", http.hostname.as_deref());
        o.maybe("url", http.url.as_deref());
        o.maybe("http_user_agent", http.user_agent.as_deref());
        o.maybe("http_method", http.method.as_deref());
        if let Some(status) = http.status {
            o.number("status", status);
        }
    });
}

/// Suricata has room for one tunnel, which is the outermost; the context has all of them.
fn tunnel(o: &mut Object<'_>, packet: &PacketPlace) {
    let Some(outer) = packet.tunnel.first() else { return };
    o.object("tunnel", |o| {
        o.shown("src_ip", outer.src);
        o.shown("dest_ip", outer.dst);
        o.text("proto", &outer.kind.to_uppercase());
        o.number("depth", u32::try_from(packet.tunnel.len()).unwrap_or(u32::MAX));
        if !packet.is_live {
            o.number("pcap_cnt", packet.number);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_are_distinct_and_stay() {
        let mut sids: Vec<u32> = Kind::ALL.iter().map(|&kind| sid(kind)).collect();
        sids.dedup();
        assert_eq!(sids.len(), Kind::ALL.len());
        assert_eq!(
            [Kind::Ip, Kind::Domain, Kind::Sha256, Kind::Cve].map(sid),
            [9_000_001, 9_000_004, 9_000_013, 9_000_060]
        );
    }

    #[test]
    fn the_worst_is_one() {
        for (severity, want) in [(Severity::Critical, 1), (Severity::Low, 4)] {
            assert_eq!(5 - json::number(severity), want);
        }
    }
}
