//! The result of a scan.

use crate::engine::indicator::{Context, Kind, Place, Quality, Scope, Where};

/// The observable, as it appears in an alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Its kind.
    pub kind: Kind,
    /// Its normalised value.
    pub value: String,
    /// The original text, if it differs from the normalised value.
    pub raw: Option<String>,
    /// Where it was seen.
    pub at: Where,
    /// The field of a structured line, as in `id.resp_h`; then `at` is [`Where::LogField`].
    pub field: Option<String>,
    /// Flags of the observation.
    pub quality: Quality,
}

/// One indicator that the observable meets, with all sources that claim it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'db> {
    /// The indicator's kind.
    pub kind: Kind,
    /// The indicator's canonical value.
    pub value: String,
    /// How far the indicator reaches beyond its own value.
    pub scope: Scope,
    /// How the hit differs from plain equality.
    pub quality: Quality,
    /// Every source that is valid at the time of the observation, in the order of
    /// the database.
    pub sources: Vec<Context<'db>>,
}

/// One observable in one place, with everything that it meets.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit<'db> {
    /// What was seen.
    pub seen: Seen,
    /// The indicators, the most specific first. Never empty.
    pub matches: Vec<Match<'db>>,
    /// Where it is in the input.
    pub place: Place,
}

impl Match<'_> {
    /// Converts all borrowed text to owned text.
    pub fn into_owned(self) -> Match<'static> {
        let Match { kind, value, scope, quality, sources } = self;
        let sources = sources.into_iter().map(Context::into_owned).collect();
        Match { kind, value, scope, quality, sources }
    }
}

impl Hit<'_> {
    /// Converts all borrowed text to owned text, so that the hit outlives its
    /// database.
    pub fn into_owned(self) -> Hit<'static> {
        let Hit { seen, matches, place } = self;
        Hit { seen, matches: matches.into_iter().map(Match::into_owned).collect(), place }
    }
}
