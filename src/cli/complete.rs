//! Candidates for shell completion.
//!
//! The completion script calls wiresift itself while the user types, so it can offer the feeds
//! of the configuration and the interfaces of this machine, which a static script could not.

use clap_complete::engine::{ArgValueCandidates, CompletionCandidate};
use std::path::Path;
use wiresift::engine::indicator::Kind;
use wiresift::intel::config::{Config, catalogue};
use wiresift::intel::feed::Format;

/// Environment variable in which the shell's script passes its name. clap_complete's default.
pub(super) const VARIABLE: &str = "COMPLETE";

fn candidates<T: Into<String>>(values: impl IntoIterator<Item = T>) -> Vec<CompletionCandidate> {
    values.into_iter().map(|value| CompletionCandidate::new(value.into())).collect()
}

/// Offers the feed formats and `auto`.
pub(super) fn formats() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(Format::ALL.iter().map(|format| format.name()).chain(["auto"]))
    })
}

/// Offers the names of the public feeds in the catalogue.
pub(super) fn known_feeds() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(catalogue::all().iter().map(|entry| &*entry.name)))
}

/// Offers the feeds of the configuration in the current folder. A missing or broken
/// configuration offers nothing: a completion has no place to print an error.
pub(super) fn subscribed_feeds() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let config = Config::open(Path::new(super::database::CONFIG));
        let feeds = config.map(|config| config.feeds).unwrap_or_default();
        candidates(feeds.into_iter().map(|feed| feed.name))
    })
}

/// Offers the network interfaces and `any`.
pub(super) fn interfaces() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        candidates(super::interfaces::interfaces().into_iter().chain(["any".into()]))
    })
}

/// Offers the kinds and the groups of kinds.
pub(super) fn kinds() -> ArgValueCandidates {
    ArgValueCandidates::new(|| {
        let names = Kind::ALL.iter().map(|kind| kind.name());
        candidates(super::kinds::GROUPS.into_iter().chain(names))
    })
}

/// Offers the severities.
pub(super) fn severities() -> ArgValueCandidates {
    ArgValueCandidates::new(|| candidates(["low", "medium", "high", "critical"]))
}
