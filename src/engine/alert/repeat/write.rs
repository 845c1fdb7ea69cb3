//! Turns an alert's bytes into the repeat record, in every format.

use super::super::Format;
use super::{bare, lines, objects};
use crate::engine::suppress::Repeat;
use std::borrow::Cow;

/// Appends the repeat record for an alert that [`Encoder::encode`] wrote in `format`: the same
/// content with the repeat's identifier and counts, and with its severity if that is higher. The
/// mark of an alert that is held back (`suppressed`) is removed.
///
/// If `alert` is empty, because all alerts were too long to keep, the record only contains what the
/// repeat knows. Anything that is not an alert of that format is passed on unchanged. In any case,
/// whole lines are appended.
///
/// ```
/// use wiresift::engine::alert::{Format, write_repeat};
/// use wiresift::engine::indicator::{Severity, Timestamp};
/// use wiresift::engine::suppress::Repeat;
///
/// let repeat = Repeat {
///     id: 7,
///     key: Vec::new(),
///     start: Timestamp::from_seconds(0),
///     count: 59,
///     first: Timestamp::from_seconds(60),
///     last: Timestamp::from_seconds(3540),
///     values: vec!["evil.example".into()],
///     places: Vec::new(),
///     more: 0,
///     severity: Severity::High,
///     is_partial: false,
///     content: br#"{"id":"00000000000000000000000000000001","severity":2}"#.to_vec(),
/// };
/// let mut out = Vec::new();
/// write_repeat(Format::Json, &repeat.content, &repeat, &mut out);
/// let record: serde_json::Value = serde_json::from_slice(&out).unwrap();
/// assert_eq!(record["id"], "00000000000000000000000000000007");
/// assert_eq!((&record["severity"], &record["repeat"]["count"]), (&3.into(), &59.into()));
/// ```
///
/// [`Encoder::encode`]: super::super::Encoder::encode
pub fn write_repeat(format: Format, alert: &[u8], repeat: &Repeat, out: &mut Vec<u8>) {
    let record = alert.strip_suffix(b"\n").unwrap_or(alert);
    let record = match record {
        [] => Cow::Owned(bare::record(format, repeat)),
        _ => Cow::Borrowed(record),
    };
    let changed = match format {
        Format::Json => objects::json(&record, repeat),
        Format::Eve => objects::eve(&record, repeat),
        Format::Ecs => objects::ecs(&record, repeat),
        Format::Ocsf => objects::ocsf(&record, repeat),
        Format::Cef => lines::cef(&record, repeat),
        Format::Syslog => lines::syslog(&record, repeat),
        Format::Text => Some(lines::text(&record, repeat)),
        // `intel.log` has no columns for the counts.
        Format::Zeek => None,
    };
    out.extend_from_slice(changed.as_deref().unwrap_or(&record));
    out.push(b'\n');
}
