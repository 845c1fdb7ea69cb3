//! The indicators of a pulse as text.
//!
//! There are millions of them, so they are written without a tree.

use crate::engine::indicator::Timestamp;
use crate::exchange::pulses::{Indicator, State, naive};
use crate::exchange::site::Listed;

/// The bytes of an indicator, about.
const EACH: usize = 224;

/// Indicators as an array of JSON.
pub(super) fn as_text(indicators: &[Indicator]) -> Listed {
    let mut listed = Listed::default();
    let mut text = Vec::with_capacity(indicators.len() * EACH + 2);
    let mut created = (Timestamp(i64::MIN), String::new());
    text.push(b'[');
    for (at, indicator) in indicators.iter().enumerate() {
        if at > 0 {
            text.push(b',');
        }
        // Most of a pulse were added at the same time.
        if created.0 != indicator.created {
            created = (indicator.created, naive(indicator.created));
        }
        put_indicator(&mut text, indicator, &created.1);
        if indicator.state == State::Active {
            count(&mut listed, indicator);
        }
    }
    text.push(b']');
    // Everything that was written is text.
    listed.text = String::from_utf8(text).unwrap_or_default();
    listed
}

/// Counts an active indicator.
fn count(listed: &mut Listed, indicator: &Indicator) {
    match listed.counts.iter_mut().find(|(kind, _)| *kind == indicator.kind) {
        Some((_, count)) => *count += 1,
        None => listed.counts.push((indicator.kind, 1)),
    }
    if let Some(end) = indicator.expiration {
        listed.until = Some(listed.until.map_or(end, |until| until.min(end)));
    }
}

/// Appends a text as JSON.
fn put_text(out: &mut Vec<u8>, text: &str) {
    if text.is_empty() {
        return out.extend_from_slice(b"\"\"");
    }
    // Serialising a text into memory cannot fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends an indicator as JSON.
fn put_indicator(out: &mut Vec<u8>, indicator: &Indicator, created: &str) {
    out.extend_from_slice(b"{\"id\":");
    out.extend_from_slice(indicator.id.to_string().as_bytes());
    out.extend_from_slice(b",\"indicator\":");
    put_text(out, &indicator.value);
    out.extend_from_slice(b",\"type\":\"");
    out.extend_from_slice(indicator.kind.name().as_bytes());
    out.extend_from_slice(b"\",\"created\":\"");
    out.extend_from_slice(created.as_bytes());
    out.extend_from_slice(b"\",\"content\":");
    put_text(out, &indicator.content);
    out.extend_from_slice(b",\"title\":");
    put_text(out, &indicator.title);
    out.extend_from_slice(b",\"description\":");
    put_text(out, &indicator.description);
    out.extend_from_slice(b",\"expiration\":");
    match indicator.expiration {
        Some(time) => put_text(out, &naive(time)),
        None => out.extend_from_slice(b"null"),
    }
    out.extend_from_slice(b",\"is_active\":");
    out.push(if indicator.state == State::Active { b'1' } else { b'0' });
    out.extend_from_slice(b",\"role\":");
    match &indicator.role {
        Some(role) => put_text(out, role),
        None => out.extend_from_slice(b"null"),
    }
    if indicator.is_suppressed {
        out.extend_from_slice(b",\"is_flagged\":true");
    }
    out.push(b'}');
}
