//! Settings of the compiler.

/// Settings that go beyond the rules of the specification.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Accept networks wider than /8 (IPv6: /16), which are otherwise refused.
    pub allow_wide: bool,
    /// Accept whole public suffixes, which are otherwise refused or limited to the
    /// exact name.
    pub allow_suffix: bool,
}

impl Options {
    /// Sets whether to accept networks wider than /8 (IPv6: /16).
    #[must_use]
    pub fn wide(self, allow_wide: bool) -> Self {
        Options { allow_wide, ..self }
    }

    /// Sets whether to accept whole public suffixes.
    #[must_use]
    pub fn suffixes(self, allow_suffix: bool) -> Self {
        Options { allow_suffix, ..self }
    }
}
