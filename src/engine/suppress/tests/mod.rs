//! Compared with a slow reference, across restarts, and at the bounds.

mod bounds;
mod cases;
mod properties;
mod twin;

use super::{AlertFacts, Config, Suppressor};
use crate::engine::indicator::{Kind, Timestamp};
use std::time::Duration;

/// An alert for a domain requested by a host.
fn asked<'a>(domain: &'a str, local: &'a str) -> AlertFacts<'a> {
    AlertFacts {
        local: local.into(),
        place: "dns".into(),
        feeds: vec!["mine"],
        spot: format!("{local} > 192.0.2.53:53"),
        ..AlertFacts::of_indicator(Kind::Domain, domain)
    }
}

fn seconds(n: i64) -> Timestamp {
    Timestamp::from_seconds(n)
}

fn window_of(length: u64) -> Config {
    Config { window: Duration::from_secs(length), ..Config::default() }
}

/// A snapshot of its state.
fn snapshot(suppressor: &Suppressor) -> Vec<u8> {
    let mut bytes = Vec::new();
    suppressor.snapshot(&mut bytes);
    bytes
}
