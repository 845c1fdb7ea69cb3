//! Times: written in UTC, which the script of the page replaces by the reader's own zone.

use crate::engine::indicator::Timestamp;
use crate::exchange::page::visit::Visit;
use maud::{Markup, html};

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// A time.
pub(in crate::exchange::page) fn time(visit: &Visit<'_>, at: Timestamp) -> Markup {
    let text = at.to_string();
    let exact = format!("{} {} UTC", &text[..10.min(text.len())], text.get(11..16).unwrap_or(""));
    html! { time datetime=(text) title=(exact) { (visit.texts.day(at)) } }
}

/// How long ago something was, in days.
pub(in crate::exchange::page) fn ago(visit: &Visit<'_>, at: Timestamp, now: Timestamp) -> String {
    match (now.0 - at.0).div_euclid(DAY) {
        ..=0 => visit.say("ago-today"),
        days => visit.fill("ago-days", &[("count", (days as u64).into())]),
    }
}
