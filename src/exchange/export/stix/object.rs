//! The objects.
//!
//! The identifier of an object follows from what it stands for, and begins with the end of its
//! pulse's identifier, or with the number of its author: so a server finds the one object that
//! somebody asks for without computing the identifiers of all others.

use super::pattern;
use crate::engine::indicator::{Timestamp, Tlp};
use crate::exchange::export::uuid::Uuid;
use crate::exchange::pulses::{Indicator, Pulse, State, Type};
use serde_json::{Map, Value, json};

/// The time of identities, which never change.
const EPOCH: &str = "2026-01-01T00:00:00.000000Z";

/// The name of what is left of a deleted pulse.
pub(in crate::exchange::export) const DELETED: &str = "Deleted pulse";

/// The author of a pulse on an exchange: two exchanges may have authors of one name.
#[derive(Clone, Copy, Debug)]
pub struct Author<'a> {
    /// The public address of the exchange.
    pub home: &'a str,
    /// The name of the account.
    pub name: &'a str,
    /// Its number.
    pub number: i64,
}

impl<'a> Author<'a> {
    /// The author of a pulse on the exchange at `home`.
    pub fn of(home: &'a str, pulse: &'a Pulse) -> Author<'a> {
        Author { home, name: &pulse.author.name, number: pulse.author.id.0 }
    }

    fn id(&self) -> String {
        let [_, _, first @ ..] = self.number.to_be_bytes();
        format!("identity--{}", Uuid::within(first, &["identity", self.home, self.name]))
    }
}

/// The identifier of an object of a pulse.
fn id_of(kind: &str, pulse: &Pulse, parts: &[&str]) -> String {
    let mut end = [0; 6];
    end.copy_from_slice(&pulse.id.as_bytes()[6..]);
    format!("{kind}--{}", Uuid::within(end, parts))
}

/// What leads to an object by its identifier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lead {
    /// The number of an author.
    Author(i64),
    /// The second half of a pulse's identifier.
    Pulse(String),
}

impl Lead {
    /// What an identifier says. `None` if it is none of ours.
    pub fn of(id: &str) -> Option<Lead> {
        let (kind, uuid) = id.split_once("--")?;
        let first = Uuid::parse(uuid)?.first();
        Some(match kind {
            "identity" => {
                let [a, b, c, d, e, f] = first;
                Lead::Author(i64::from_be_bytes([0, 0, a, b, c, d, e, f]))
            }
            _ => Lead::Pulse(first.iter().map(|byte| format!("{byte:02x}")).collect()),
        })
    }
}

/// Something that a pulse says about all its indicators.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Topic {
    kind: &'static str,
    name: String,
    id: String,
}

/// An object, and what readers ask for it by.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Its identifier.
    pub id: String,
    /// The object.
    pub object: Value,
}

/// The object of an author.
pub fn author(of: Author<'_>) -> Value {
    json!({
        "type": "identity", "spec_version": "2.1", "id": of.id(), "created": EPOCH,
        "modified": EPOCH, "name": of.name,
    })
}

/// The families, the actor and the techniques of a pulse, each once.
pub fn topics(pulse: &Pulse) -> Vec<Topic> {
    let families = pulse.lists.malware_families.iter().map(|name| ("malware", name));
    let actor = Some(&pulse.adversary).into_iter().map(|name| ("intrusion-set", name));
    let techniques = pulse.lists.attack_ids.iter().map(|name| ("attack-pattern", name));
    let mut topics: Vec<Topic> = Vec::new();
    for (kind, name) in families.chain(actor).chain(techniques) {
        let name = name.trim();
        let id = id_of(kind, pulse, &[kind, &pulse.id.to_string(), name]);
        if !name.is_empty() && !topics.iter().any(|topic| topic.id == id) {
            topics.push(Topic { kind, name: name.to_string(), id });
        }
    }
    topics
}

impl Topic {
    /// Its identifier.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Its type.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Its object.
    pub fn object(&self, pulse: &Pulse, by: Author<'_>) -> Value {
        let mut object = head(pulse, by, self.kind, self.id.clone());
        if pulse.is_deleted() {
            object.insert("revoked".into(), json!(true));
        } else {
            // It says nothing that a later revision of the pulse could change.
            object.insert("modified".into(), json!(pulse.created.to_string()));
        }
        object.insert("name".into(), json!(self.name));
        if self.kind == "malware" {
            object.insert("is_family".into(), json!(true));
        }
        if self.kind == "attack-pattern" {
            let reference = json!({"source_name": "mitre-attack", "external_id": self.name});
            object.insert("external_references".into(), json!([reference]));
        }
        Value::Object(object)
    }
}

/// What all objects of a pulse have.
fn head(pulse: &Pulse, by: Author<'_>, kind: &str, id: String) -> Map<String, Value> {
    let mut object = Map::new();
    object.insert("type".into(), json!(kind));
    object.insert("spec_version".into(), json!("2.1"));
    object.insert("id".into(), json!(id));
    object.insert("created_by_ref".into(), json!(by.id()));
    object.insert("created".into(), json!(pulse.created.to_string()));
    object.insert("modified".into(), json!(pulse.modified.to_string()));
    object.insert("object_marking_refs".into(), json!([marking(pulse.tlp)]));
    object
}

/// The marking of a TLP (TLP 2.0).
fn marking(tlp: Tlp) -> &'static str {
    match tlp {
        Tlp::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
        Tlp::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
        Tlp::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
        Tlp::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
        Tlp::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
    }
}

/// The identifier of a pulse's report.
pub fn report_id(pulse: &Pulse) -> String {
    id_of("report", pulse, &["report", &pulse.id.to_string()])
}

/// The identifier of an indicator's object.
pub fn indicator_id(pulse: &Pulse, of: &Indicator) -> String {
    let kind = if of.kind == Type::Cve { "vulnerability" } else { "indicator" };
    id_of(kind, pulse, &[kind, &pulse.id.to_string(), of.kind.name(), &of.norm])
}

/// The report of a pulse, which refers to the objects `refs` of it.
pub fn report(pulse: &Pulse, by: Author<'_>, refs: &[String]) -> Value {
    let mut object = head(pulse, by, "report", report_id(pulse));
    object.insert("name".into(), json!(if pulse.is_deleted() { DELETED } else { &pulse.name }));
    if pulse.is_deleted() {
        object.insert("revoked".into(), json!(true));
    }
    if !pulse.description.is_empty() {
        object.insert("description".into(), json!(pulse.description));
    }
    object.insert("report_types".into(), json!(["threat-report"]));
    object.insert("published".into(), json!(pulse.created.to_string()));
    // A report without objects is invalid, so an empty one refers to its author.
    let by_id = [by.id()];
    let refs = if refs.is_empty() { &by_id } else { refs };
    object.insert("object_refs".into(), json!(refs));
    let mut labels = pulse.lists.tags.clone();
    labels.extend(pulse.lists.industries.iter().map(|name| format!("industry:{name}")));
    labels.extend(pulse.lists.targeted_countries.iter().map(|name| format!("country:{name}")));
    if !labels.is_empty() {
        object.insert("labels".into(), json!(labels));
    }
    let mut references = vec![json!({
        "source_name": "wiresift exchange",
        "url": format!("{}/pulse/{}", by.home, pulse.id),
        "external_id": pulse.id.to_string(),
    })];
    let links = pulse.lists.references.iter().filter(|link| link.starts_with("http"));
    references.extend(links.map(|url| json!({"source_name": "reference", "url": url})));
    object.insert("external_references".into(), json!(references));
    Value::Object(object)
}

/// The object of an indicator; `None` if STIX has none for it.
pub fn indicator(pulse: &Pulse, by: Author<'_>, of: &Indicator) -> Option<Value> {
    let id = indicator_id(pulse, of);
    let mut object = if of.kind == Type::Cve {
        let mut object = head(pulse, by, "vulnerability", id);
        object.insert("name".into(), json!(of.norm));
        let reference = json!({"source_name": "cve", "external_id": of.norm});
        object.insert("external_references".into(), json!([reference]));
        object
    } else {
        let pattern = pattern::of(of)?;
        let mut object = head(pulse, by, "indicator", id);
        let name = if of.title.is_empty() { &of.value } else { &of.title };
        object.insert("name".into(), json!(name));
        object.insert("indicator_types".into(), json!(["malicious-activity"]));
        object.insert("pattern".into(), json!(pattern.text));
        object.insert("pattern_type".into(), json!(pattern.language));
        object.insert("valid_from".into(), json!(of.created.to_string()));
        if let Some(end) = of.expiration.filter(|end| *end > of.created) {
            object.insert("valid_until".into(), json!(end.to_string()));
        }
        object
    };
    if !of.description.is_empty() {
        object.insert("description".into(), json!(of.description));
    }
    let mut labels = pulse.lists.tags.clone();
    labels.extend(of.role.iter().map(|role| format!("role:{role}")));
    if !labels.is_empty() {
        object.insert("labels".into(), json!(labels));
    }
    stamp(&mut object, of);
    Some(Value::Object(object))
}

/// Sets the times of an object that stands for an indicator, and revokes it with the indicator.
fn stamp(object: &mut Map<String, Value>, of: &Indicator) {
    object.insert("created".into(), json!(of.created.to_string()));
    object.insert("modified".into(), json!(version(of).to_string()));
    // What expired says so in `valid_until`.
    let has_expired =
        of.state == State::Inactive && of.expiration.is_some_and(|end| end > of.created);
    if !of.is_exported() && !has_expired {
        object.insert("revoked".into(), json!(true));
    }
}

/// The version of an indicator's object.
fn version(of: &Indicator) -> Timestamp {
    of.changed.max(of.created)
}

/// The relationship from an indicator to what it indicates. `None` for a vulnerability.
pub fn relation(pulse: &Pulse, by: Author<'_>, of: &Indicator, topic: &Topic) -> Option<Relation> {
    if of.kind == Type::Cve {
        return None;
    }
    let source = indicator_id(pulse, of);
    let id = id_of("relationship", pulse, &["indicates", &source, &topic.id]);
    let mut object = head(pulse, by, "relationship", id.clone());
    object.insert("relationship_type".into(), json!("indicates"));
    object.insert("source_ref".into(), json!(source));
    object.insert("target_ref".into(), json!(topic.id));
    stamp(&mut object, of);
    Some(Relation { id, object: Value::Object(object) })
}
