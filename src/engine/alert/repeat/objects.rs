//! Repeat records in the formats that consist of JSON objects.

use super::super::object::{Object, quote, show, write_object};
use super::super::record::tame;
use super::super::{eve as suricata, json as own, ocsf as lake};
use super::members::Members;
use crate::engine::indicator::Timestamp;
use crate::engine::suppress::Repeat;

/// The record itself: see `docs/alert.schema.json`.
pub(super) fn json(record: &[u8], repeat: &Repeat) -> Option<Vec<u8>> {
    let mut members = Members::of(record)?;
    ours(&mut members, repeat);
    Some(members.to_bytes())
}

/// Suricata's schema has no members for the counts, so they go into `alert.context.ioc`.
pub(super) fn eve(record: &[u8], repeat: &Repeat) -> Option<Vec<u8>> {
    let mut members = Members::of(record)?;
    let level = own::number(repeat.severity);
    members.within("alert", |alert| {
        // Suricata counts down: 1 is the most severe.
        if alert.number("severity").is_none_or(|before| before > 5 - level) {
            alert.set("severity", text_of(5 - level));
            let name = format!("[\"{}\"]", suricata::severity_name(repeat.severity));
            alert.within("metadata", |metadata| metadata.set("signature_severity", name));
        }
        alert.within("context", |context| context.within("ioc", |ioc| ours(ioc, repeat)));
    });
    Some(members.to_bytes())
}

/// The counts are under `wiresift`. ECS has fields for the first and last time.
pub(super) fn ecs(record: &[u8], repeat: &Repeat) -> Option<Vec<u8>> {
    let mut members = Members::of(record)?;
    let level = own::number(repeat.severity);
    members.within("event", |event| {
        event.set("id", quoted(&repeat.uid()));
        raise(event, "severity", level);
        // The scale of `ecs`: four severities on 0 to 100.
        raise(event, "risk_score", 25 * level);
        event.set("start", time(repeat.first));
        event.set("end", time(repeat.last));
    });
    members.within("wiresift", |wiresift| counts(wiresift, repeat));
    Some(members.to_bytes())
}

/// OCSF's base class has the count and the times; the rest goes into `unmapped`.
pub(super) fn ocsf(record: &[u8], repeat: &Repeat) -> Option<Vec<u8>> {
    let mut members = Members::of(record)?;
    let (name, level) = lake::severity(repeat.severity);
    if members.number("severity_id").is_none_or(|before| before < level) {
        members.set("severity_id", text_of(level));
        members.set("severity", quoted(name));
    }
    // “New”, even if the alert was “Suppressed”.
    members.set("status_id", *b"1");
    for (name, number) in [
        ("count", i128::from(repeat.count)),
        ("start_time", lake::millis(repeat.first).into()),
        ("end_time", lake::millis(repeat.last).into()),
    ] {
        members.set(name, text_of(number));
    }
    members.within("metadata", |metadata| metadata.set("uid", quoted(&repeat.uid())));
    members.within("finding_info", |finding| finding.set("uid", quoted(&repeat.uid())));
    members.within("unmapped", |unmapped| counts(unmapped, repeat));
    Some(members.to_bytes())
}

/// Changes the members of our own record.
fn ours(members: &mut Members<'_>, repeat: &Repeat) {
    members.set("id", quoted(&repeat.uid()));
    raise(members, "severity", own::number(repeat.severity));
    counts(members, repeat);
}

/// Adds `repeat`, and removes the mark of an alert that is held back.
fn counts(members: &mut Members<'_>, repeat: &Repeat) {
    members.remove("suppressed");
    let mut object = Vec::new();
    write_object(&mut object, |o| fill(o, repeat));
    members.set("repeat", object);
}

/// Fills `repeat`.
fn fill(o: &mut Object<'_>, repeat: &Repeat) {
    o.number("count", repeat.count);
    o.shown("first", tame(repeat.first));
    o.shown("last", tame(repeat.last));
    o.object("key", |o| repeat.key.iter().for_each(|(member, text)| o.text(member.name(), text)));
    o.texts("values", &repeat.values);
    o.texts("places", &repeat.places);
    if repeat.more > 0 {
        o.number("more", repeat.more);
    }
    if repeat.is_partial {
        o.flag("partial", true);
    }
}

/// Raises a number to at least `least`.
fn raise<'t>(members: &mut Members<'t>, name: &'t str, least: u8) {
    if members.number(name).is_none_or(|before| before < least) {
        members.set(name, text_of(least));
    }
}

fn text_of(number: impl Into<i128>) -> Vec<u8> {
    let mut out = Vec::new();
    show(&mut out, number.into());
    out
}

fn quoted(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    quote(&mut out, text);
    out
}

fn time(time: Timestamp) -> Vec<u8> {
    quoted(&tame(time).to_string())
}
