//! What a compilation does beyond the rules.

/// What a compilation does beyond the rules of the specification.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Take networks wider than /8 and /16, which otherwise are refused.
    pub allow_wide: bool,
    /// Take whole public suffixes, which otherwise are refused or cut down.
    pub allow_suffix: bool,
}

impl Options {
    /// Whether to take networks wider than /8 and /16.
    #[must_use]
    pub fn wide(self, allow_wide: bool) -> Self {
        Options { allow_wide, ..self }
    }

    /// Whether to take whole public suffixes.
    #[must_use]
    pub fn suffixes(self, allow_suffix: bool) -> Self {
        Options { allow_suffix, ..self }
    }
}
