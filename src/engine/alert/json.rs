//! `json`: the record itself, one object per line.
//!
//! Members are written in the order of `docs/alert.schema.json`, so records read alike to
//! people, too. Other formats reuse the parts inside their own envelopes.

use super::Alert;
use super::object::{Object, write_object};
use super::record::{proto_name, tame};
use crate::engine::indicator::{
    Context, Direction, Flow, LogPlace, PacketPlace, Place, Protocol, Severity, Tls,
};

/// The record's name and version. Adding a member keeps the version; changing or removing one
/// raises it.
pub const SCHEMA: &str = "wiresift.alert/1";

/// Appends the record and a newline.
pub(super) fn encode(alert: &Alert<'_>, out: &mut Vec<u8>) {
    write_object(out, |record| {
        record.text("schema", SCHEMA);
        record.text("id", &alert.uid());
        record.shown("time", alert.time());
        record.text("time_source", alert.time_source().name());
        record.number("severity", number(alert.severity()));
        seen(record, alert);
        indicators(record, alert);
        match &alert.hit().place {
            Place::Log(place) => log(record, place),
            Place::Packet(place) => {
                packet(record, place);
                if let Some(said) = &place.protocol {
                    protocol(record, said);
                }
            }
        }
        database(record, alert);
        record.maybe("host", alert.origin().host.as_deref());
        // Added after version 1 was published, so it is at the end.
        handling(record, alert);
    });
    out.push(b'\n');
}

/// 1 (low) to 4 (critical): higher is worse, unlike in EVE and syslog.
pub(super) const fn number(severity: Severity) -> u8 {
    severity as u8
}

/// Writes `seen`: what was observed, where, and how it was read.
pub(super) fn seen(record: &mut Object<'_>, alert: &Alert<'_>) {
    let seen = alert.seen();
    record.object("seen", |o| {
        o.text("kind", seen.kind.name());
        o.text("value", &seen.value);
        o.maybe("raw", seen.raw.as_deref());
        o.text("where", seen.at.name());
        o.maybe("field", seen.field.as_deref());
        o.texts("quality", alert.quality().names());
    });
}

/// Writes `indicators`: each match with all its sources.
pub(super) fn indicators(record: &mut Object<'_>, alert: &Alert<'_>) {
    record.objects("indicators", alert.matches(), |o, met| {
        o.text("kind", met.kind.name());
        o.text("value", &met.value);
        o.text("scope", met.scope.name());
        o.texts("quality", met.quality.names());
        o.objects("sources", &met.sources, source);
    });
}

// Times are clamped and confidences capped: a consumer should not have to check a feed's
// numbers.
fn source(o: &mut Object<'_>, source: &Context<'_>) {
    o.text("feed", &source.feed);
    o.maybe("collection", source.collection.as_deref());
    o.maybe("name", source.name.as_deref());
    if let Some(tlp) = source.tlp {
        o.text("tlp", tlp.name());
    }
    if let Some(confidence) = source.confidence {
        o.number("confidence", confidence.min(100));
    }
    if let Some(severity) = source.severity {
        o.number("severity", number(severity));
    }
    for (name, time) in [("valid_from", source.valid_from), ("valid_until", source.valid_until)] {
        if let Some(time) = time {
            o.shown(name, tame(time));
        }
    }
    o.texts("tags", &source.tags);
    o.texts("malware", &source.malware);
    match &*source.adversary {
        // The contract has one text here, and most feeds name one adversary.
        [] => (),
        [one] => o.maybe("adversary", Some(one)),
        several => o.maybe("adversary", Some(&several.join(", "))),
    }
    o.texts("attack", &source.attack);
    o.texts("references", &source.references);
    o.maybe("description", source.description.as_deref());
    // Added after version 1 was published, so it is at the end.
    o.maybe("id", source.id.as_deref());
    o.maybe("collection_id", source.collection_id.as_deref());
    for (name, time) in [("first_seen", source.first_seen), ("last_seen", source.last_seen)] {
        if let Some(time) = time {
            o.shown(name, tame(time));
        }
    }
    o.maybe("direction", source.direction.map(direction_name));
    o.maybe("proto", source.proto.as_deref());
    if let Some(time) = source.modified {
        o.shown("modified", tame(time));
    }
}

/// The side of a connection that an indicator is limited to.
const fn direction_name(direction: Direction) -> &'static str {
    match direction {
        Direction::Source => "source",
        Direction::Destination => "destination",
    }
}

/// Writes `log`: the place in a text input. `line` and `column` count from 1, `column` and
/// `offset` in bytes.
pub(super) fn log(record: &mut Object<'_>, log: &LogPlace) {
    record.object("log", |o| {
        o.text("path", &log.path);
        if log.line > 0 {
            o.number("line", log.line);
        }
        o.number("column", log.column);
        o.number("offset", log.offset);
        o.text("text", &log.text);
        if let Some(sender) = log.sender.as_deref() {
            o.maybe("host", sender.host.as_deref());
            o.maybe("app", sender.app.as_deref());
            o.maybe("peer", sender.peer.as_deref());
        }
    });
}

/// Writes `packet`: the place in a capture or on an interface. `number` counts from 1, as in
/// Wireshark.
pub(super) fn packet(record: &mut Object<'_>, packet: &PacketPlace) {
    record.object("packet", |o| {
        o.text(if packet.is_live { "interface" } else { "path" }, &packet.path);
        o.number("number", packet.number);
        o.number("length", packet.length);
        ends(o, packet);
        if packet.src.is_some() || packet.proto != 0 {
            // A frame without IP has neither addresses nor a protocol; 0 alone would read as
            // HOPOPT.
            o.text("proto", &proto_name(packet.proto));
        }
        o.maybe("direction", packet.to_server.map(direction));
        o.number("flow_id", packet.flow_id);
        o.maybe("community_id", packet.community_id.as_deref());
        o.numbers("vlan", packet.vlan.iter().copied());
        tunnels(o, packet);
        if let Some(totals) = &packet.flow {
            flow(o, totals);
        }
    });
}

// In the packet's direction. Formats that want the initiator first use `record::ends`.
fn ends(o: &mut Object<'_>, packet: &PacketPlace) {
    let ends = [
        ("src_ip", packet.src, "src_port", packet.src_port),
        ("dst_ip", packet.dst, "dst_port", packet.dst_port),
    ];
    for (ip_name, ip, port_name, port) in ends {
        if let Some(ip) = ip {
            o.shown(ip_name, ip);
        }
        if let Some(port) = port {
            o.number(port_name, port);
        }
    }
}

/// The direction in EVE's words.
pub(super) const fn direction(to_server: bool) -> &'static str {
    if to_server { "to_server" } else { "to_client" }
}

/// Writes `tunnel`: the encapsulations around the packet, the outermost first.
pub(super) fn tunnels(o: &mut Object<'_>, packet: &PacketPlace) {
    o.objects("tunnel", &packet.tunnel, |o, tunnel| {
        o.text("kind", tunnel.kind);
        o.shown("src_ip", tunnel.src);
        o.shown("dst_ip", tunnel.dst);
    });
}

/// Writes `flow`: totals of the flow, for alerts about a flow as a whole.
pub(super) fn flow(o: &mut Object<'_>, flow: &Flow) {
    o.object("flow", |o| {
        o.number("packets", flow.packets);
        o.number("bytes", flow.bytes);
        o.number("first", flow.first);
        o.number("last", flow.last);
        o.shown("start", tame(flow.first_time));
        o.shown("end", tame(flow.last_time));
    });
}

/// Writes what the protocol at hand said, under its name.
fn protocol(record: &mut Object<'_>, protocol: &Protocol) {
    match protocol {
        Protocol::Dns(dns) => record.object("dns", |o| {
            o.text("type", if dns.is_answer { "answer" } else { "query" });
            o.number("id", dns.id);
            o.maybe("rrname", Some(&dns.rrname));
            o.maybe("rrtype", Some(&dns.rrtype));
            o.maybe("rcode", dns.rcode.as_deref());
        }),
        Protocol::Tls(said) => record.object("tls", |o| tls(o, said)),
        Protocol::Quic(said) => record.object("quic", |o| tls(o, said)),
        Protocol::Http(http) => record.object("http", |o| {
            o.maybe("method", http.method.as_deref());
            o.maybe("hostname", http.hostname.as_deref());
            o.maybe("url", http.url.as_deref());
            o.maybe("user_agent", http.user_agent.as_deref());
            if let Some(status) = http.status {
                o.number("status", status);
            }
        }),
        Protocol::File(file) => record.object("file", |o| {
            o.text("protocol", file.protocol);
            o.maybe("name", file.name.as_deref());
            o.maybe("url", file.url.as_deref());
            if let Some(size) = file.size {
                o.number("size", size);
            }
            if let Some(is_whole) = file.is_whole {
                o.text("state", if is_whole { "whole" } else { "truncated" });
            }
        }),
        Protocol::Ftp(ftp) => record.object("ftp", |o| {
            o.maybe("command", ftp.command.as_deref());
            o.maybe("argument", ftp.argument.as_deref());
        }),
        Protocol::Smb(smb) => record.object("smb", |o| {
            o.text("command", smb.command);
            o.maybe("name", smb.name.as_deref());
        }),
        Protocol::Smtp(smtp) => record.object("smtp", |o| {
            o.maybe("helo", smtp.helo.as_deref());
            o.maybe("mail_from", smtp.from.as_deref());
            o.texts("rcpt_to", &smtp.to);
        }),
        Protocol::Ssh(ssh) => record.object("ssh", |o| {
            o.text("side", if ssh.is_client { "client" } else { "server" });
            o.maybe("version", ssh.version.as_deref());
            o.maybe("software", ssh.software.as_deref());
            o.maybe("hassh", ssh.hassh.as_deref());
        }),
    }
}

/// Writes the members that TLS and QUIC share.
fn tls(o: &mut Object<'_>, tls: &Tls) {
    o.maybe("sni", tls.sni.as_deref());
    o.maybe("version", tls.version.as_deref());
    o.texts("alpn", &tls.alpn);
    o.maybe("subject", tls.subject.as_deref());
    o.maybe("issuer", tls.issuer.as_deref());
}

/// Writes `database`: an alert is only reproducible with the database that made it.
pub(super) fn database(record: &mut Object<'_>, alert: &Alert<'_>) {
    record.object("database", |o| {
        o.text("id", &alert.origin().database);
        o.shown("built", tame(alert.origin().built));
    });
}

/// Writes `input`, `local` and `suppressed`, which only the daemon knows. Repeat records add
/// `repeat` after them.
pub(super) fn handling(record: &mut Object<'_>, alert: &Alert<'_>) {
    let Some(handling) = alert.handling() else { return };
    record.maybe("input", Some(handling.input));
    record.maybe("local", Some(handling.local));
    if handling.is_suppressed {
        record.flag("suppressed", true);
    }
}
