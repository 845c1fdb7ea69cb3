//! MISP events: a single one, an array, or the answer to a search (feed
//! specification, sections 3.1 and 3.2).

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Context, Direction, Kind, Reason, Scope, Severity, Timestamp};
use crate::intel::feed::contexts::{Shared, owned, push_once};
use crate::intel::feed::format::stix;
use crate::intel::feed::intake::Intake;
use crate::intel::feed::json::{self, Object};
use crate::intel::feed::types;
use serde_json::Value;
use std::sync::Arc;

/// Reads events.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) -> Result<()> {
    for document in json::parse_all(text)? {
        let mut found = false;
        read_document(&document, &mut found, intake);
        if !found {
            return Err(Error::format("no MISP event found")
                .remedy("expected an object with the member Event or Attribute"));
        }
    }
    Ok(())
}

/// Walks through the answers of all of MISP's searches: for events, attributes and
/// objects, in lists or alone, with or without a wrapper of that name.
fn read_document(document: &Value, found: &mut bool, intake: &mut Intake<'_>) {
    for entry in json::each(document) {
        let entry = match entry {
            Value::Object(entry) => entry,
            Value::Array(_) => {
                read_document(entry, found, intake);
                continue;
            }
            _ => continue,
        };
        let holds =
            |entry: &Object| entry.contains_key("Attribute") || entry.contains_key("Object");
        if let Some(response) = entry.get("response") {
            // An empty response is a valid answer to a search that found nothing.
            *found = true;
            read_document(response, found, intake);
        }
        // Only objects have a template; an event also has attributes.
        if entry.contains_key("Attribute") && entry.contains_key("template_uuid") {
            *found = true;
            let base = intake.base();
            read_object(entry, &base, intake);
        } else if holds(entry) {
            *found = true;
            read_event(entry, intake);
        }
        for event in json::array(entry, "Event").iter().filter_map(Value::as_object) {
            // A single attribute comes with its event next to it, for the event's
            // name.
            if holds(event) || !holds(entry) {
                *found = true;
                read_event(event, intake);
            }
        }
    }
}

/// Reads an event: its own attributes and those of its objects.
fn read_event(event: &Object, intake: &mut Intake<'_>) {
    let mut base = intake.base();
    base.collection = json::own(event, "info");
    base.collection_id = json::own(event, "uuid");
    base.modified = changed(event);
    base.severity =
        severity(&json::text(event, "threat_level_id").unwrap_or_default()).or(base.severity);
    tags(event, &mut base);
    for attribute in json::array(event, "Attribute") {
        read_attribute(attribute, &base, None, intake);
    }
    for object in json::array(event, "Object") {
        if let Value::Object(object) = object {
            read_object(object, &base, intake);
        }
    }
}

/// Reads the attributes of an object. If it is deleted, so are they, although their
/// own mark may not say so.
fn read_object(object: &Object, base: &Context<'static>, intake: &mut Intake<'_>) {
    let gone = json::truth(object, "deleted") == Some(true);
    let port = object_port(object);
    for attribute in json::array(object, "Attribute") {
        if gone {
            let value = attribute.get("value").and_then(Value::as_str).unwrap_or("");
            intake.reject(value, Reason::Withdrawn, Some("its object is deleted".into()));
        } else {
            read_attribute(attribute, base, port.as_deref(), intake);
        }
    }
}

/// The only port of an `ip-port` object, which belongs to its address.
fn object_port(object: &Object) -> Option<String> {
    if json::text(object, "name")? != "ip-port" {
        return None;
    }
    let mut ports = json::array(object, "Attribute").iter().filter_map(|attribute| {
        let attribute = attribute.as_object()?;
        let is_port = json::text(attribute, "type")? == "port"
            && json::text(attribute, "object_relation").is_none_or(|r| r == "dst-port");
        is_port.then(|| json::text(attribute, "value").map(|port| port.into_owned())).flatten()
    });
    let port = ports.next()?;
    // With several ports it is not clear which one belongs to the address.
    ports.next().is_none().then_some(port)
}

/// MISP counts down: 1 is high, 4 is undefined.
fn severity(threat_level: &str) -> Option<Severity> {
    match threat_level {
        "1" => Some(Severity::High),
        "2" => Some(Severity::Medium),
        "3" => Some(Severity::Low),
        _ => None,
    }
}

/// Reads the tags of an event or attribute: TLP, galaxies, and plain labels.
fn tags(holder: &Object, context: &mut Context<'static>) {
    let mut tlp = None;
    for tag in json::array(holder, "Tag") {
        let Some(name) = tag.as_object().and_then(|tag| json::text(tag, "name")) else { continue };
        if let Some(level) = name
            .get(..4)
            .filter(|head| head.eq_ignore_ascii_case("tlp:"))
            .and_then(|_| crate::engine::indicator::Tlp::from_name(&name))
        {
            // Of several markings, the most restrictive applies.
            tlp = tlp.max(Some(level));
        }
        galaxy(&name, context);
    }
    // The attribute's own marking overrides the event's.
    context.tlp = tlp.or(context.tlp);
}

/// Reads `misp-galaxy:threat-actor="X"` and the like. Other tags are labels.
fn galaxy(tag: &str, context: &mut Context<'static>) {
    let parts = tag
        .strip_prefix("misp-galaxy:")
        .and_then(|rest| rest.split_once('='))
        .map(|(name, value)| (name, value.trim_matches('"')));
    match parts {
        Some((name, value)) if name.ends_with("attack-pattern") => {
            // Names end in the identifier: `Phishing - T1566`.
            let id = value.rsplit(" - ").next().unwrap_or(value);
            push_once(&mut context.attack, id);
        }
        Some((name, value))
            if name.ends_with("threat-actor") || name.ends_with("intrusion-set") =>
        {
            // ATT&CK appends its own identifier: `APT28 - G0007`.
            push_once(&mut context.adversary, value.split(" - G").next().unwrap_or(value));
        }
        Some((
            "malpedia" | "ransomware" | "rat" | "tool" | "banker" | "botnet" | "stealer"
            | "backdoor" | "android" | "mitre-malware" | "mitre-tool",
            value,
        )) => {
            // ATT&CK appends its own identifier: `Emotet - S0367`.
            push_once(&mut context.malware, value.split(" - S").next().unwrap_or(value));
        }
        _ => push_once(&mut context.tags, tag),
    }
}

/// Reads an attribute, unless it is deleted, of a type without values, or not
/// marked for detection.
fn read_attribute(
    attribute: &Value,
    base: &Context<'static>,
    port: Option<&str>,
    intake: &mut Intake<'_>,
) {
    let Value::Object(attribute) = attribute else { return };
    let kind = json::text(attribute, "type").unwrap_or_default();
    let Some(value) = json::text(attribute, "value") else {
        intake.reject("", Reason::Empty, Some(format!("attribute of type {kind}")));
        return;
    };
    if json::truth(attribute, "deleted") == Some(true) {
        intake.reject(&value, Reason::Withdrawn, None);
        return;
    }
    let meaning = meaning(&kind);
    if meaning == Meaning::Ignored {
        intake.reject(&value, Reason::Ignored, Some(kind.into_owned()));
        return;
    }
    if json::truth(attribute, "to_ids") == Some(false) && !intake.options.misp_all {
        intake.reject(&value, Reason::NotForDetection, Some(kind.into_owned()));
        return;
    }
    let context = context_of(attribute, &kind, base);
    let attribute = Attribute { kind: &kind, value: &value, port };
    attribute.put(&meaning, context, intake);
}

/// The context of an attribute: the event's, with what the attribute adds.
fn context_of(attribute: &Object, kind: &str, base: &Context<'static>) -> Context<'static> {
    let mut context = base.clone();
    context.id = json::own(attribute, "uuid");
    context.description = json::own(attribute, "comment");
    context.first_seen = json::time(attribute, "first_seen");
    context.last_seen = json::time(attribute, "last_seen");
    context.modified = changed(attribute).or(context.modified);
    tags(attribute, &mut context);
    context.direction = match kind {
        "ip-src" | "ip-src|port" => Some(Direction::Source),
        "ip-dst" | "ip-dst|port" => Some(Direction::Destination),
        _ => None,
    };
    context
}

/// When an event or an attribute last changed. 0 stands for never saved.
fn changed(object: &Object) -> Option<Timestamp> {
    json::time(object, "timestamp").filter(|time| time.0 > 0)
}

/// The meaning of a MISP type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// One value.
    One(Kind, Scope),
    /// A file name, then its digest.
    NameAnd(Kind),
    /// A name, then an address: two indicators.
    DomainIp,
    /// A name, then a port, which goes into the context.
    HostPort,
    /// A registry key, then its value.
    RegkeyValue,
    /// A STIX pattern.
    Pattern,
    /// Not for matching.
    Ignored,
}

/// What a value of this type is. Types that MISP names differently, or that combine
/// two values, are listed here; the others have the usual names.
fn meaning(kind: &str) -> Meaning {
    let digest = |name: &str| {
        Kind::from_name(name).filter(|kind| (Kind::Md5..=Kind::Impfuzzy).contains(kind))
    };
    if let Some(kind) = digest(kind) {
        return Meaning::One(kind, Scope::Exact);
    }
    if let Some(name) = kind.strip_prefix("filename|") {
        return digest(name).map_or(Meaning::Ignored, Meaning::NameAnd);
    }
    match kind {
        "ip-src" | "ip-dst" => Meaning::One(Kind::Net, Scope::Exact),
        "ip-src|port" | "ip-dst|port" => Meaning::One(Kind::Endpoint, Scope::Exact),
        "domain" => Meaning::One(Kind::Domain, Scope::Subtree),
        "hostname" | "onion-address" => Meaning::One(Kind::Domain, Scope::Exact),
        "domain|ip" => Meaning::DomainIp,
        "hostname|port" => Meaning::HostPort,
        "url" | "uri" => Meaning::One(Kind::Url, Scope::Exact),
        "malware-sample" => Meaning::NameAnd(Kind::Md5),
        "filename" | "email-attachment" | "pdb" => Meaning::One(Kind::Filename, Scope::Exact),
        "regkey|value" => Meaning::RegkeyValue,
        "stix2-pattern" => Meaning::Pattern,
        "yara" | "snort" | "suricata" | "sigma" | "zeek" | "bro" | "kusto-query"
        | "favicon-mmh3" | "filename-pattern" => Meaning::One(Kind::Opaque, Scope::Exact),
        "link" | "port" | "text" | "comment" | "other" | "attachment" => Meaning::Ignored,
        name if name.starts_with("pattern-in-") => Meaning::One(Kind::Opaque, Scope::Exact),
        name => match types::by_name(name) {
            Some(types::Type::Of(kind, scope)) => Meaning::One(kind, scope),
            _ => Meaning::Ignored,
        },
    }
}

/// An attribute that is for detection.
struct Attribute<'v> {
    kind: &'v str,
    value: &'v str,
    /// From an attribute of the same object.
    port: Option<&'v str>,
}

impl Attribute<'_> {
    /// Passes on the attribute's value according to its meaning.
    fn put(&self, meaning: &Meaning, mut context: Context<'static>, intake: &mut Intake<'_>) {
        let Attribute { kind, value, port } = *self;
        let subtree = intake.domain_scope(Scope::Subtree);
        let exact = intake.domain_scope(Scope::Exact);
        match *meaning {
            Meaning::One(Kind::Net, scope) => match port {
                Some(port) => {
                    let text = format!("{value}|{port}");
                    intake.typed(Kind::Endpoint, &text, scope, &context.into());
                }
                None => {
                    intake.typed(Kind::Net, value, scope, &context.into());
                }
            },
            Meaning::One(Kind::Domain, scope) => {
                let scope = if scope == Scope::Exact { exact } else { subtree };
                intake.typed(Kind::Domain, value, scope, &context.into());
            }
            Meaning::One(Kind::Url, scope) if kind == "uri" && value.starts_with('/') => {
                intake.typed(Kind::UrlPath, value, scope, &context.into());
            }
            Meaning::One(kind, scope) => {
                intake.typed(kind, value, scope, &context.into());
            }
            Meaning::NameAnd(kind) => {
                let (name, digest) = value.split_once('|').unwrap_or(("", value));
                context.name = owned(name);
                intake.typed(kind, digest, Scope::Exact, &context.into());
            }
            Meaning::DomainIp => {
                let (name, address) = value.split_once('|').unwrap_or((value, ""));
                let context: Shared = Arc::new(context);
                intake.typed(Kind::Domain, name, subtree, &context);
                if !address.is_empty() {
                    // Some feeds write address|port after the name.
                    let address = address.split('|').next().unwrap_or(address);
                    intake.typed(Kind::Ip, address, Scope::Exact, &context);
                }
            }
            Meaning::HostPort => {
                let (name, port) = value.split_once(['|', ':']).unwrap_or((value, ""));
                push_once(&mut context.tags, &format!("port:{port}"));
                intake.typed(Kind::Domain, name, exact, &context.into());
            }
            Meaning::RegkeyValue => {
                let (key, data) = value.split_once('|').unwrap_or((value, ""));
                context.name = owned(data);
                intake.typed(Kind::Regkey, key, Scope::Exact, &context.into());
            }
            Meaning::Pattern => stix::put_pattern(value, &context, intake),
            Meaning::Ignored => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::{Kind, Reason, Scope, Severity, Tlp};
    use crate::intel::feed::{Collected, Format, Options};

    const EVENT: &str = r#"{"Event":{"uuid":"u-1","info":"Case","threat_level_id":"1",
      "Tag":[{"name":"tlp:amber"},{"name":"misp-galaxy:threat-actor=\"Bear\""},{"name":"x"},
             {"name":"misp-galaxy:mitre-attack-pattern=\"PowerShell - T1059.001\""}],
      "Attribute":[
        {"uuid":"a","type":"ip-dst","value":"203.0.113.0/24","to_ids":true,"comment":"c2"},
        {"type":"ip-dst|port","value":"203.0.113.9|8443","to_ids":true},
        {"type":"domain|ip","value":"evil.example|203.0.113.7","to_ids":true},
        {"type":"hostname","value":"www.evil.example","to_ids":true,"Tag":[{"name":"tlp:green"}]},
        {"type":"filename|sha1","to_ids":true,
         "value":"x.exe|0123456789abcdef0123456789abcdef01234567"},
        {"type":"stix2-pattern","to_ids":true,"value":"[domain-name:value = 'stix.example']"},
        {"type":"domain","value":"info.example","to_ids":false},
        {"type":"domain","value":"gone.example","to_ids":true,"deleted":true},
        {"type":"link","value":"http://ref.example","to_ids":false}],
      "Object":[{"name":"file","Attribute":[
        {"type":"md5","object_relation":"md5","value":"0123456789ABCDEF0123456789abcdef","to_ids":true}]}]}}"#;

    #[test]
    fn an_address_and_its_port_in_one_object() {
        let event = br#"{"Event":{"info":"x","Object":[{"name":"ip-port","Attribute":[
            {"type":"ip-dst","object_relation":"ip","value":"203.0.113.5","to_ids":true},
            {"type":"port","object_relation":"dst-port","value":"8443","to_ids":false}]}]}}"#;
        let got = Collected::read(event, &Options::default()).unwrap();
        assert_eq!(got.values(), ["203.0.113.5:8443"]);
        let none = Collected::read(br#"{"response":[]}"#, &Options::default()).unwrap();
        assert!(none.indicators.is_empty());
    }

    #[test]
    fn attributes_and_objects() {
        let answer = format!(r#"{{"response":[{EVENT}]}}"#);
        let array = format!("[{EVENT}]");
        for form in [EVENT, &answer, &array] {
            let got = Collected::read(form.as_bytes(), &Options::default()).unwrap();
            assert_eq!(got.summary.format, Format::Misp);
            let found: Vec<_> =
                got.indicators.iter().map(|i| (i.kind, i.value.to_string(), i.scope)).collect();
            let e = Scope::Exact;
            assert_eq!(
                found,
                [
                    (Kind::Net, "203.0.113.0/24".into(), e),
                    (Kind::Endpoint, "203.0.113.9:8443".into(), e),
                    (Kind::Domain, "evil.example".into(), Scope::Subtree),
                    (Kind::Ip, "203.0.113.7".into(), e),
                    (Kind::Domain, "www.evil.example".into(), e),
                    (Kind::Sha1, "0123456789abcdef0123456789abcdef01234567".into(), e),
                    (Kind::Domain, "stix.example".into(), e),
                    (Kind::Md5, "0123456789abcdef0123456789abcdef".into(), e),
                ]
            );
            let context = &got.indicators[0].context;
            assert_eq!(context.severity, Some(Severity::High));
            assert_eq!(context.tlp, Some(Tlp::Amber));
            assert_eq!(context.adversary, ["Bear"]);
            assert_eq!(context.attack, ["T1059.001"]);
            assert_eq!(context.description.as_deref(), Some("c2"));
            assert_eq!(got.indicators[4].context.tlp, Some(Tlp::Green));
            assert_eq!(got.indicators[5].context.name.as_deref(), Some("x.exe"));
            let reasons: Vec<_> = got.rejects.iter().map(|r| r.reason).collect();
            assert_eq!(reasons, [Reason::NotForDetection, Reason::Withdrawn, Reason::Ignored]);
        }
        let all = Options { misp_all: true, ..Options::default() };
        let got = Collected::read(EVENT.as_bytes(), &all).unwrap();
        assert_eq!(got.indicators.len(), 9);
    }
}
