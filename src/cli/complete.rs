//! What values an argument can have, for the completions of shells.
//!
//! Completions come from the program itself while somebody types, so that they know what
//! is subscribed and which interfaces are up.

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use std::path::Path;
use wiresift::engine::indicator::Kind;
use wiresift::intel::config::{Config, catalogue};
use wiresift::intel::feed::Format;

/// The variable of the environment by which a shell asks.
pub(super) const VARIABLE: &str = "COMPLETE";

fn candidates<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Vec<CompletionCandidate> {
    values.into_iter().map(|value| CompletionCandidate::new(value.into())).collect()
}

/// Formats of feeds.
pub(super) fn formats() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(Format::ALL.iter().map(|format| format.name()).chain(["auto"]))
    })
}

/// Public feeds, by their names in the catalogue.
pub(super) fn known_feeds() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(catalogue::all().iter().map(|entry| &*entry.name)))
}

/// Feeds of the configuration in the current folder.
pub(super) fn subscribed_feeds() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let config = Config::open(Path::new(super::database::CONFIG));
        let feeds = config.map(|config| config.feeds).unwrap_or_default();
        candidates(feeds.into_iter().map(|feed| feed.name))
    })
}

/// Network interfaces.
pub(super) fn interfaces() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(super::interfaces::interfaces().into_iter().chain(["any".into()]))
    })
}

/// Kinds of observables and indicators.
pub(super) fn kinds() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names = Kind::ALL.iter().map(|kind| kind.name());
        candidates(super::kinds::GROUPS.into_iter().chain(names))
    })
}

/// Severities.
pub(super) fn severities() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(["low", "medium", "high", "critical"]))
}
