//! The record as a tree of values, written from the contract instead of the encoder, and as simple
//! as possible.

use super::super::{Alert, Handling, Provenance};
use crate::engine::indicator::{
    Context, Direction, LogPlace, PacketPlace, Place, Protocol, Timestamp,
};
use crate::engine::scan::Hit;
use crate::engine::suppress::Repeat;
use serde_json::{Map, Value, json};

/// The expected value of the `json` format for `hit`.
pub(super) fn record(hit: &Hit<'_>, origin: &Provenance, read_at: Timestamp) -> Value {
    let alert = Alert::new(hit, origin, read_at);
    let severity = hit.matches.iter().flat_map(|m| &m.sources).filter_map(|s| s.severity).max();
    let flags = |quality: crate::engine::indicator::Quality| quality.names().collect::<Vec<_>>();
    let mut quality = flags(hit.seen.quality);
    for flag in ["query_ignored", "slash_ignored", "scheme_differs", "derived", "cut"] {
        let everywhere = hit.matches.iter().all(|m| flags(m.quality).contains(&flag));
        if everywhere && !quality.contains(&flag) {
            quality.push(flag);
        }
    }
    quality
        .sort_by_key(|flag| ["q", "sl", "sc", "d", "c"].iter().position(|p| flag.starts_with(p)));
    let seen = &hit.seen;
    let indicators: Vec<Value> = hit
        .matches
        .iter()
        .map(|m| {
            let sources: Vec<Value> = m.sources.iter().map(source).collect();
            json!({"kind": m.kind.name(), "value": m.value, "scope": m.scope.name(),
                "quality": flags(m.quality), "sources": sources})
        })
        .collect();
    let mut record = json!({
        "schema": "wiresift.alert/1",
        "id": alert.uid(),
        "time": alert.time().to_string(),
        "time_source": alert.time_source().name(),
        "severity": severity.map_or(2, |s| s as u8),
        "seen": {"kind": seen.kind.name(), "raw": text(&seen.raw), "where": seen.at.name(),
            "field": text(&seen.field), "quality": quality},
        "database": {"id": "", "built": time(Some(origin.built))},
        "host": text(&origin.host),
    });
    if let Place::Packet(place) = &hit.place {
        record["packet"] = packet(place);
        protocol_fields(&mut record, place);
    }
    let mut record = without_empty(record);
    // Members that are present even if they are empty.
    record["seen"]["value"] = json!(seen.value);
    record["database"]["id"] = json!(origin.database);
    record["indicators"] = json!(indicators.into_iter().map(indicator).collect::<Vec<_>>());
    match &hit.place {
        Place::Log(log) => {
            record["log"] = json!({"path": *log.path, "line": log.line, "column": log.column,
                "offset": log.offset, "text": log.text});
            sender(&mut record, log);
        }
        Place::Packet(packet) => {
            let name = if packet.is_live { "interface" } else { "path" };
            record["packet"][name] = json!(*packet.path);
            if let Some(Protocol::Tls(tls)) = &packet.protocol
                && !tls.alpn.is_empty()
            {
                record["tls"]["alpn"] = json!(tls.alpn);
            }
            if let Some(Protocol::Smtp(smtp)) = &packet.protocol
                && !smtp.to.is_empty()
            {
                record["smtp"]["rcpt_to"] = json!(smtp.to);
            }
        }
    }
    record
}

/// Who wrote a line.
fn sender(record: &mut Value, log: &LogPlace) {
    let sender = log.sender.as_deref().cloned().unwrap_or_default();
    for (name, said) in [("host", sender.host), ("app", sender.app), ("peer", sender.peer)] {
        if let Some(said) = said.filter(|said| !said.is_empty()) {
            record["log"][name] = json!(*said);
        }
    }
}

/// The record of `handling`.
pub(super) fn handled(mut record: Value, handling: &Handling<'_>) -> Value {
    let Handling { input, local, is_suppressed } = handling;
    for (name, text) in [("input", input), ("local", local)] {
        if !text.is_empty() {
            record[name] = json!(text);
        }
    }
    if *is_suppressed {
        record["suppressed"] = json!(true);
    }
    record
}

/// The repeat record for alerts that were held back, made from the last one.
pub(super) fn repeated(mut record: Value, repeat: &Repeat) -> Value {
    record.as_object_mut().unwrap().remove("suppressed");
    record["id"] = json!(repeat.uid());
    let severity = record["severity"].as_u64().unwrap().max(repeat.severity as u64);
    record["severity"] = json!(severity);
    let key: Map<_, _> =
        repeat.key.iter().map(|(member, text)| (member.name().into(), json!(text))).collect();
    let mut counts = json!({"count": repeat.count, "first": time(Some(repeat.first)),
        "last": time(Some(repeat.last))});
    if !key.is_empty() {
        counts["key"] = Value::Object(key);
    }
    for (name, texts) in [("values", &repeat.values), ("places", &repeat.places)] {
        if !texts.is_empty() {
            counts[name] = json!(texts);
        }
    }
    if repeat.more > 0 {
        counts["more"] = json!(repeat.more);
    }
    if repeat.is_partial {
        counts["partial"] = json!(true);
    }
    record["repeat"] = counts;
    record
}

/// What the protocol said at that place.
fn protocol_fields(record: &mut Value, place: &PacketPlace) {
    match &place.protocol {
        Some(Protocol::Dns(dns)) => {
            record["dns"] = json!({"type": if dns.is_answer { "answer" } else { "query" },
                "id": dns.id, "rrname": dns.rrname, "rrtype": dns.rrtype,
                "rcode": text(&dns.rcode)});
        }
        Some(Protocol::Tls(tls)) => {
            record["tls"] = json!({"sni": text(&tls.sni), "version": text(&tls.version),
                "subject": text(&tls.subject), "issuer": text(&tls.issuer)});
        }
        Some(Protocol::Http(http)) => {
            record["http"] = json!({"method": text(&http.method), "url": text(&http.url),
                "hostname": text(&http.hostname), "user_agent": text(&http.user_agent),
                "status": http.status});
        }
        Some(Protocol::File(file)) => {
            let state = |is| if is { "whole" } else { "truncated" };
            record["file"] = json!({"protocol": file.protocol, "name": text(&file.name),
                "url": text(&file.url),
                "size": file.size, "state": file.is_whole.map(state)});
        }
        Some(Protocol::Quic(tls)) => {
            record["quic"] = json!({"sni": text(&tls.sni), "version": text(&tls.version)});
        }
        Some(Protocol::Ftp(ftp)) => {
            record["ftp"] = json!({"command": text(&ftp.command), "argument": text(&ftp.argument)});
        }
        Some(Protocol::Smb(smb)) => {
            record["smb"] = json!({"command": smb.command, "name": text(&smb.name)});
        }
        Some(Protocol::Smtp(smtp)) => {
            record["smtp"] = json!({"helo": text(&smtp.helo), "mail_from": text(&smtp.from)});
        }
        Some(Protocol::Ssh(ssh)) => {
            let side = if ssh.is_client { "client" } else { "server" };
            record["ssh"] = json!({"side": side, "version": text(&ssh.version),
                "software": text(&ssh.software), "hassh": text(&ssh.hassh)});
        }
        None => (),
    }
}

/// `value` is present even if it is empty, and so are texts inside arrays.
fn indicator(indicator: Value) -> Value {
    let (value, sources) = (indicator["value"].clone(), indicator["sources"].clone());
    let mut indicator = without_empty(indicator);
    indicator["value"] = value;
    indicator["sources"] = sources;
    indicator
}

fn source(source: &Context<'_>) -> Value {
    let lists = [
        ("tags", &source.tags),
        ("malware", &source.malware),
        ("attack", &source.attack),
        ("references", &source.references),
    ];
    let mut o = without_empty(json!({
        "collection": text(&source.collection), "name": text(&source.name),
        "tlp": source.tlp.map(|tlp| tlp.name()), "confidence": source.confidence.map(|c| c.min(100)),
        "severity": source.severity.map(|s| s as u8),
        "valid_from": time(source.valid_from), "valid_until": time(source.valid_until),
        "adversary": source.adversary.join(", "), "description": text(&source.description),
        "id": text(&source.id), "collection_id": text(&source.collection_id),
        "first_seen": time(source.first_seen), "last_seen": time(source.last_seen),
        "direction": source.direction.map(|d| match d {
            Direction::Source => "source",
            Direction::Destination => "destination",
        }),
        "proto": text(&source.proto), "modified": time(source.modified),
    }));
    o["feed"] = json!(source.feed);
    for (name, list) in lists {
        if !list.is_empty() {
            o[name] = json!(list);
        }
    }
    o
}

fn packet(packet: &PacketPlace) -> Value {
    let proto = match packet.proto {
        0 if packet.src.is_none() => None,
        6 => Some("tcp".to_owned()),
        17 => Some("udp".to_owned()),
        other => Some(super::super::record::proto_name(other).into_owned()),
    };
    json!({
        "number": packet.number, "length": packet.length,
        "src_ip": packet.src, "dst_ip": packet.dst,
        "src_port": packet.src_port, "dst_port": packet.dst_port, "proto": proto,
        "direction": packet.to_server.map(|to| if to { "to_server" } else { "to_client" }),
        "flow_id": packet.flow_id, "community_id": text(&packet.community_id),
        "vlan": packet.vlan,
        "tunnel": packet.tunnel.iter().map(|tunnel| json!({"kind": tunnel.kind,
            "src_ip": tunnel.src, "dst_ip": tunnel.dst})).collect::<Vec<_>>(),
        "flow": packet.flow.map(|flow| json!({"packets": flow.packets, "bytes": flow.bytes,
            "first": flow.first, "last": flow.last,
            "start": time(Some(flow.first_time)), "end": time(Some(flow.last_time))})),
    })
}

fn text(text: &Option<impl AsRef<str>>) -> Value {
    text.as_ref().map_or(Value::Null, |text| json!(text.as_ref()))
}

fn time(time: Option<Timestamp>) -> Value {
    const YEAR_0: i64 = -62_167_219_200_000_000;
    const YEAR_9999: i64 = 253_402_207_200_000_000;
    time.map_or(Value::Null, |t| json!(Timestamp(t.0.clamp(YEAR_0, YEAR_9999)).to_string()))
}

/// Null, `""`, `[]` and `{}` are omitted.
fn without_empty(value: Value) -> Value {
    let Value::Object(members) = value else { return value };
    let full = |value: &Value| match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        _ => true,
    };
    let members = members.into_iter().map(|(name, value)| (name, without_empty(value)));
    Value::Object(members.filter(|(_, value)| full(value)).collect::<Map<_, _>>())
}
