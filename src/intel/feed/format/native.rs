//! wiresift's own JSON lines: one indicator per line with all its context, so that
//! reading a written file gives the same indicators.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{
    Context, Direction, Indicator, Kind, Reason, Role, Scope, Severity, Timestamp, Tlp,
};
use crate::intel::feed::intake::Intake;
use crate::intel::feed::lines::Lines;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::io::Write;
use std::sync::Arc;

/// The version of the format, in the member that identifies it.
const VERSION: u8 = 1;

/// One line. Empty members are omitted.
#[derive(Serialize, Deserialize, Default)]
#[serde(default)]
struct Record<'a> {
    wiresift: u8,
    kind: Cow<'a, str>,
    value: Cow<'a, str>,
    scope: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<Cow<'a, str>>,
    feed: Cow<'a, str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collection: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    collection_id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tlp: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_from: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    first_seen: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_seen: Option<String>,
    #[serde(skip_serializing_if = "is_false")]
    inactive: bool,
    #[serde(skip_serializing_if = "is_false")]
    allow: bool,
    #[serde(skip_serializing_if = "is_false")]
    internal: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    proto: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tags: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    malware: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    adversary: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attack: Vec<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<Cow<'a, str>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(truth: &bool) -> bool {
    !truth
}

/// Writes indicators as JSON lines that [`read`](super::read()) turns back into the
/// same indicators.
///
/// # Errors
///
/// `out` cannot be written to.
pub fn write_jsonl<'i>(
    out: &mut dyn Write,
    indicators: impl IntoIterator<Item = &'i Indicator>,
) -> Result<()> {
    for indicator in indicators {
        serde_json::to_writer(&mut *out, &record_of(indicator))
            .map_err(|error| Error::io("write", error.into()))?;
        out.write_all(b"\n").map_err(|error| Error::io("write", error))?;
    }
    Ok(())
}

/// The record of an indicator.
fn record_of(indicator: &Indicator) -> Record<'_> {
    let context = &*indicator.context;
    let lend = |text: &'_ Option<Cow<'static, str>>| text.clone();
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string());
    Record {
        wiresift: VERSION,
        kind: indicator.kind.name().into(),
        value: indicator.value.to_string().into(),
        scope: indicator.scope.name().into(),
        raw: indicator.raw.as_deref().map(Cow::Borrowed),
        feed: Cow::Borrowed(&context.feed),
        collection: lend(&context.collection),
        collection_id: lend(&context.collection_id),
        id: lend(&context.id),
        name: lend(&context.name),
        description: lend(&context.description),
        confidence: context.confidence,
        severity: context.severity.map(|severity| severity as u8),
        tlp: context.tlp.map(|tlp| tlp.name().into()),
        valid_from: time(context.valid_from),
        valid_until: time(context.valid_until),
        first_seen: time(context.first_seen),
        last_seen: time(context.last_seen),
        inactive: context.inactive,
        allow: context.role == Role::Allow,
        internal: context.internal,
        direction: context.direction.map(|direction| match direction {
            Direction::Source => "src".into(),
            Direction::Destination => "dst".into(),
        }),
        proto: lend(&context.proto),
        tags: context.tags.clone(),
        malware: context.malware.clone(),
        adversary: context.adversary.clone(),
        attack: context.attack.clone(),
        references: context.references.clone(),
    }
}

/// Reads JSON lines. Consecutive equal contexts are shared.
pub(in crate::intel::feed) fn read(text: &str, intake: &mut Intake<'_>) {
    let mut last: Arc<Context<'static>> = Arc::default();
    for (number, line) in Lines::new(text) {
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        intake.at_line(number);
        let record: Record<'_> = match serde_json::from_str(line) {
            Ok(record) => record,
            Err(error) => {
                intake.reject(line, Reason::Malformed, Some(error.to_string()));
                continue;
            }
        };
        if record.wiresift != VERSION {
            let detail = format!("unknown version {}", record.wiresift);
            intake.reject(line, Reason::Malformed, Some(detail));
            continue;
        }
        let (Some(kind), Some(scope)) =
            (Kind::from_name(&record.kind), Scope::from_name(&record.scope))
        else {
            intake.reject(line, Reason::Malformed, Some("unknown kind or scope".into()));
            continue;
        };
        let context = context_of(&record, intake);
        if *last != context {
            last = Arc::new(context);
        }
        match Indicator::new(kind, &record.value, scope, Arc::clone(&last)) {
            Ok(mut indicator) => {
                indicator.raw = record.raw.as_deref().map(Into::into).or(indicator.raw);
                intake.put(indicator);
            }
            Err(reason) => intake.reject(&record.value, reason, None),
        }
    }
}

/// The context of a record. What it lacks comes from the options.
fn context_of(record: &Record<'_>, intake: &Intake<'_>) -> Context<'static> {
    fn own(text: Option<&Cow<'_, str>>) -> Option<Cow<'static, str>> {
        text.map(|text| Cow::Owned(text.to_string()))
    }
    fn all(texts: &[Cow<'_, str>]) -> Vec<Cow<'static, str>> {
        texts.iter().map(|text| Cow::Owned(text.to_string())).collect()
    }
    let base = intake.base();
    let time = |text: &Option<String>| text.as_deref().and_then(read_time);
    Context {
        feed: if record.feed.is_empty() { base.feed } else { record.feed.to_string().into() },
        collection: own(record.collection.as_ref()),
        collection_id: own(record.collection_id.as_ref()),
        id: own(record.id.as_ref()),
        name: own(record.name.as_ref()),
        description: own(record.description.as_ref()),
        confidence: record.confidence.filter(|c| *c <= 100).or(base.confidence),
        severity: record.severity.and_then(Severity::from_number).or(base.severity),
        tlp: record.tlp.as_deref().and_then(Tlp::from_name).or(base.tlp),
        valid_from: time(&record.valid_from),
        valid_until: time(&record.valid_until),
        first_seen: time(&record.first_seen),
        last_seen: time(&record.last_seen),
        inactive: record.inactive,
        role: if record.allow { Role::Allow } else { base.role },
        internal: record.internal || base.internal,
        direction: match record.direction.as_deref() {
            Some("src") => Some(Direction::Source),
            Some("dst") => Some(Direction::Destination),
            _ => None,
        },
        proto: own(record.proto.as_ref()),
        tags: base.tags.into_iter().chain(all(&record.tags)).collect(),
        malware: all(&record.malware),
        adversary: all(&record.adversary),
        attack: all(&record.attack),
        references: all(&record.references),
    }
}

/// Parses a time, including the form in which a time beyond the calendar is
/// written.
fn read_time(text: &str) -> Option<Timestamp> {
    Timestamp::parse(text).or_else(|| text.strip_suffix("us")?.parse().ok().map(Timestamp))
}
