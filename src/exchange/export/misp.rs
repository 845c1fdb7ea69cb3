//! MISP's feeds: a manifest, hashes of all values, and one event for each pulse.
//!
//! PyMISP's `feed_meta_generator` over the events makes the same manifest and the same hashes.

use super::sorted::Sorter;
use super::source::{About, Out, Renderer, machine_value, was_never_shown};
use super::stix::DELETED;
use super::uuid::Uuid;
use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Timestamp, Tlp};
use crate::exchange::pulses::{Indicator, Pulse, State, Type};
use md5::{Digest as _, Md5};
use serde_json::{Value, json};

/// The age after which pulses are left out: hashes of years have exhausted readers.
const WINDOW: i64 = 90 * 86_400 * 1_000_000;

/// The UUID of the event of a pulse.
pub fn event_uuid(pulse: &Pulse) -> Uuid {
    Uuid::of(&["event", &pulse.id.to_string()])
}

/// The type and category of an attribute, and whether it is for detection.
fn attribute_type(kind: Type) -> (&'static str, &'static str, bool) {
    match kind {
        Type::IPv4 | Type::IPv6 | Type::Cidr => ("ip-dst", "Network activity", true),
        Type::Domain => ("domain", "Network activity", true),
        Type::Hostname => ("hostname", "Network activity", true),
        Type::Url => ("url", "Network activity", true),
        Type::Uri => ("uri", "Network activity", true),
        Type::Email => ("email", "Payload delivery", true),
        Type::Md5 => ("md5", "Payload delivery", true),
        Type::Sha1 => ("sha1", "Payload delivery", true),
        Type::Sha256 => ("sha256", "Payload delivery", true),
        Type::Pehash => ("pehash", "Payload delivery", true),
        Type::Imphash => ("imphash", "Payload delivery", true),
        Type::FilePath => ("filename", "Payload delivery", true),
        Type::Mutex => ("mutex", "Artifacts dropped", true),
        Type::Cve => ("vulnerability", "External analysis", false),
        Type::Yara => ("yara", "Payload installation", true),
        Type::Ja3 => ("ja3-fingerprint-md5", "Network activity", true),
        Type::Certificate => ("x509-fingerprint-sha1", "Network activity", true),
        Type::Bitcoin => ("btc", "Financial fraud", true),
        Type::Nids => ("snort", "Network activity", true),
        Type::Osquery | Type::Correlation => ("other", "External analysis", false),
    }
}

/// The value of an attribute.
fn value(indicator: &Indicator) -> &str {
    if indicator.kind.is_rule() { &indicator.content } else { machine_value(indicator) }
}

/// Whether an indicator is an attribute: those that were removed are, as deleted.
fn is_attribute(about: &About, indicator: &Indicator) -> bool {
    about.takes(indicator.kind)
        && !value(indicator).trim().is_empty()
        && !was_never_shown(indicator)
}

/// Seconds since 1970.
fn seconds(time: Timestamp) -> i64 {
    time.0.div_euclid(1_000_000)
}

/// The time of an event. MISP knows whole seconds only, and fetches an event again if its time is
/// higher; so each revision adds one.
fn timestamp(pulse: &Pulse) -> i64 {
    seconds(pulse.modified) + i64::from(pulse.revision)
}

/// Whether a pulse is in the feed.
fn is_recent(about: &About, pulse: &Pulse) -> bool {
    about.built.0.saturating_sub(pulse.modified.0) <= WINDOW
}

/// The tags of an event.
fn tags(pulse: &Pulse) -> Vec<Value> {
    let colour = match pulse.tlp {
        Tlp::Clear => "#ffffff",
        Tlp::Green => "#33ff00",
        Tlp::Amber | Tlp::AmberStrict => "#ffc000",
        Tlp::Red => "#ff2b2b",
    };
    let tag = |colour: &str, name: String| json!({"colour": colour, "local": false, "name": name, "relationship_type": ""});
    let mut tags = vec![tag(colour, format!("tlp:{}", pulse.tlp.name()))];
    let lists = &pulse.lists;
    let quoted = |name: &str| name.replace('"', "'");
    let galaxies = lists
        .malware_families
        .iter()
        .map(|name| format!("misp-galaxy:malpedia=\"{}\"", quoted(name)));
    let actor = Some(&pulse.adversary).filter(|name| !name.is_empty());
    let actor = actor.map(|name| format!("misp-galaxy:threat-actor=\"{}\"", quoted(name)));
    let attack = lists
        .attack_ids
        .iter()
        .map(|id| format!("misp-galaxy:mitre-attack-pattern=\"{0} - {0}\"", quoted(id)));
    let names = galaxies.chain(actor).chain(attack).chain(lists.tags.iter().cloned());
    tags.extend(names.map(|name| tag("#3b7fb6", name)));
    tags
}

/// The organisation that publishes the feed.
fn organisation(about: &About) -> Value {
    json!({"name": about.exchange, "uuid": Uuid::of(&["organisation", &about.home]).to_string()})
}

/// What manifest and event have in common.
fn head(about: &About, pulse: &Pulse) -> Value {
    json!({
        "Orgc": organisation(about),
        "Tag": tags(pulse),
        "info": if pulse.is_deleted() { DELETED } else { &pulse.name },
        "date": pulse.created.to_string().get(..10).unwrap_or("1970-01-01"),
        "analysis": 2,
        "threat_level_id": 4,
        "timestamp": timestamp(pulse),
    })
}

/// JSON on one line.
fn text(value: &Value) -> Result<String> {
    serde_json::to_string(value).map_err(|error| Error::io("write the export", error.into()))
}

/// Writes `manifest.json`.
pub(super) struct Manifest<'a> {
    about: &'a About,
    is_first: bool,
}

impl<'a> Manifest<'a> {
    pub(super) fn new(about: &'a About) -> Self {
        Manifest { about, is_first: true }
    }
}

impl Renderer for Manifest<'_> {
    fn begin(&mut self, out: &mut Out<'_>) -> Result<()> {
        out.put("{")
    }

    fn pulse(&mut self, out: &mut Out<'_>, pulse: &Pulse) -> Result<()> {
        if !is_recent(self.about, pulse) {
            return Ok(());
        }
        let comma = if std::mem::take(&mut self.is_first) { "" } else { "," };
        let entry = text(&head(self.about, pulse))?;
        out.put(&format!("{comma}\n\"{}\":{entry}", event_uuid(pulse)))
    }

    fn indicator(&mut self, _: &mut Out<'_>, _: &Pulse, _: &Indicator) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<()> {
        out.put("}\n")
    }
}

/// Writes which event is which pulse: lines of one length, sorted.
pub(super) struct Index<'a> {
    about: &'a About,
    sorter: Option<Sorter>,
}

impl<'a> Index<'a> {
    pub(super) fn new(about: &'a About) -> Self {
        Index { about, sorter: Some(Sorter::new()) }
    }
}

impl Renderer for Index<'_> {
    fn pulse(&mut self, _: &mut Out<'_>, pulse: &Pulse) -> Result<()> {
        match &mut self.sorter {
            Some(sorter) if is_recent(self.about, pulse) => {
                sorter.push(format!("{},{}", event_uuid(pulse), pulse.id).as_bytes())
            }
            _ => Ok(()),
        }
    }

    fn indicator(&mut self, _: &mut Out<'_>, _: &Pulse, _: &Indicator) -> Result<()> {
        Ok(())
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<()> {
        let Some(sorter) = self.sorter.take() else { return Ok(()) };
        sorter.finish(&mut |line| {
            out.bytes(line)?;
            out.put("\n")
        })
    }
}

/// Writes `hashes.csv`.
pub(super) struct Hashes<'a> {
    about: &'a About,
    line: String,
}

impl<'a> Hashes<'a> {
    pub(super) fn new(about: &'a About) -> Self {
        Hashes { about, line: String::new() }
    }
}

impl Renderer for Hashes<'_> {
    fn pulse(&mut self, _: &mut Out<'_>, pulse: &Pulse) -> Result<()> {
        self.line.clear();
        if is_recent(self.about, pulse) {
            self.line = format!(",{}\n", event_uuid(pulse));
        }
        Ok(())
    }

    fn indicator(&mut self, out: &mut Out<'_>, _: &Pulse, indicator: &Indicator) -> Result<()> {
        if self.line.is_empty() || !is_attribute(self.about, indicator) {
            return Ok(());
        }
        for byte in Md5::digest(value(indicator)) {
            out.put(&format!("{byte:02x}"))?;
        }
        out.put(&self.line)
    }
}

/// Writes the event of a pulse.
pub(super) struct Event<'a> {
    about: &'a About,
    is_first: bool,
}

impl<'a> Event<'a> {
    pub(super) fn new(about: &'a About) -> Self {
        Event { about, is_first: true }
    }
}

impl Renderer for Event<'_> {
    fn pulse(&mut self, out: &mut Out<'_>, pulse: &Pulse) -> Result<()> {
        let mut event = head(self.about, pulse);
        event["uuid"] = json!(event_uuid(pulse).to_string());
        event["published"] = json!(true);
        event["publish_timestamp"] = json!(timestamp(pulse));
        event["extends_uuid"] = json!("");
        let mut head = text(&json!({ "Event": event }))?;
        // The attributes follow, one by one.
        head.truncate(head.len() - 2);
        out.put(&head)?;
        out.put(",\"Attribute\":[")
    }

    fn indicator(&mut self, out: &mut Out<'_>, pulse: &Pulse, indicator: &Indicator) -> Result<()> {
        if !is_attribute(self.about, indicator) {
            return Ok(());
        }
        let (kind, category, is_detected) = attribute_type(indicator.kind);
        let comment = [&indicator.title, &indicator.description].map(|text| text.trim());
        let comment: Vec<&str> = comment.into_iter().filter(|text| !text.is_empty()).collect();
        let id = pulse.id.to_string();
        let attribute = json!({
            "uuid": Uuid::of(&["attribute", &id, indicator.kind.name(), &indicator.norm]).to_string(),
            "type": kind,
            "category": category,
            "value": value(indicator),
            "comment": comment.join(": "),
            "to_ids": is_detected && indicator.is_exported(),
            "deleted": indicator.state == State::Removed,
            "timestamp": seconds(indicator.changed),
            "disable_correlation": false,
            "first_seen": indicator.created.to_string(),
        });
        let comma = if std::mem::take(&mut self.is_first) { "" } else { "," };
        out.put(&format!("{comma}\n{}", text(&attribute)?))
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<()> {
        out.put("]}}\n")
    }
}
