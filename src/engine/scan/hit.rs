//! What comes out of a scan.

use crate::engine::indicator::{Context, Kind, Place, Quality, Scope, Where};

/// The observable, as an alert tells of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What it is.
    pub kind: Kind,
    /// Normalised.
    pub value: String,
    /// Verbatim, where that differs from the normalised form.
    pub raw: Option<String>,
    /// Where it was seen.
    pub at: Where,
    /// The field of a structured line, as in `id.resp_h`; then `at` is [`Where::LogField`].
    pub field: Option<String>,
    /// Flags of the observation.
    pub quality: Quality,
}

/// One indicator that the observable met, with all the sources that claim it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match<'db> {
    /// The indicator's kind.
    pub kind: Kind,
    /// The indicator's canonical value.
    pub value: String,
    /// How far it reaches.
    pub scope: Scope,
    /// How the hit differs from plain equality.
    pub quality: Quality,
    /// Every live source, in the order of the database.
    pub sources: Vec<Context<'db>>,
}

/// One observable in one place and everything that it met.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit<'db> {
    /// What was seen.
    pub seen: Seen,
    /// The indicators, most specific first. Never empty.
    pub matches: Vec<Match<'db>>,
    /// Where in the input.
    pub place: Place,
}

impl Match<'_> {
    /// The same, owning all its text.
    pub fn into_owned(self) -> Match<'static> {
        let Match { kind, value, scope, quality, sources } = self;
        let sources = sources.into_iter().map(Context::into_owned).collect();
        Match { kind, value, scope, quality, sources }
    }
}

impl Hit<'_> {
    /// The same, owning all its text: it no longer needs its database.
    pub fn into_owned(self) -> Hit<'static> {
        let Hit { seen, matches, place } = self;
        Hit { seen, matches: matches.into_iter().map(Match::into_owned).collect(), place }
    }
}
