//! Times: written in UTC, which the script of the page replaces by the reader's own zone.

use crate::engine::indicator::Timestamp;
use crate::exchange::page::visit::Visit;
use maud::{Markup, html};

/// A day in microseconds.
const DAY: i64 = 86_400_000_000;

/// A time in UTC, to the minute.
fn exactly(at: Timestamp) -> String {
    let text = at.to_string();
    format!("{} {} UTC", text.get(..10).unwrap_or(&text), text.get(11..16).unwrap_or_default())
}

/// The day of a time, with the time on hover.
pub(in crate::exchange::page) fn time(visit: &Visit<'_>, at: Timestamp) -> Markup {
    html! { time datetime=(at.to_string()) title=(exactly(at)) { (visit.texts.day(at)) } }
}

/// A time to the minute.
pub(in crate::exchange::page) fn moment(at: Timestamp) -> Markup {
    let text = exactly(at);
    html! { time datetime=(at.to_string()) title=(text) data-exact { (text) } }
}

/// How long ago something was, in days.
pub(in crate::exchange::page) fn ago(visit: &Visit<'_>, at: Timestamp, now: Timestamp) -> String {
    match (now.0 - at.0).div_euclid(DAY) {
        ..=0 => visit.say("ago-today"),
        days => visit.fill("ago-days", &[("count", (days as u64).into())]),
    }
}
