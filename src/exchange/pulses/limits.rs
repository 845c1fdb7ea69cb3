//! The limits of what people write (exchange specification, sections 3 and 6).

/// The fewest characters of a pulse's name.
pub const MIN_NAME: usize = 5;

/// The most characters of a pulse's name.
pub const MAX_NAME: usize = 64;

/// The most indicators of a pulse.
pub const MAX_INDICATORS: usize = 10_000;

/// The most bytes of a value.
pub const MAX_VALUE: usize = 4096;

/// The most bytes of a description, and of the content of a rule.
pub const MAX_DESCRIPTION: usize = 64 << 10;

/// The most entries of each list: tags, references, families and so on.
pub const MAX_LIST: usize = 100;

/// The most characters of a tag, and of any entry that is a name.
pub const MAX_TAG: usize = 64;

/// The most bytes of a reference.
pub const MAX_REFERENCE: usize = 2048;
