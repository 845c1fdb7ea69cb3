//! The time at which validity is checked: `--at`.

use wiresift::engine::indicator::Timestamp;
use wiresift::{Error, Result};

/// Parses `--at`. `event` gives `None`: the time of each line or packet. `now` is resolved once.
pub(super) fn time(text: &str) -> Result<Option<Timestamp>> {
    match text {
        "event" => Ok(None),
        "now" => Ok(Some(wiresift::clock::now())),
        text => Timestamp::parse(text).map(Some).ok_or_else(|| {
            Error::usage(format!("invalid time “{text}”")).remedy(
                "write event, now, or a date such as 2026-11-24T12:00:00Z, before 9999-12-30",
            )
        }),
    }
}
