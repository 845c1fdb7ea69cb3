//! A row of a segment.

/// What a segment knows about a key. Times are seconds since 1970-01-01T00:00:00Z.
///
/// A segment may contain several rows of one key; they are in the order of `first`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Row {
    /// When it was first seen.
    pub first: i64,
    /// When it was last seen; not before `first`.
    pub last: i64,
    /// How often it was seen; at least 1.
    pub count: u64,
    /// Flags whose meaning is the caller's. Few combinations should occur: they are stored in a
    /// dictionary.
    pub marks: u64,
    /// The days of a month on which it was seen, a bit each; 0 if nobody counts days.
    pub days: u32,
    /// When it was noticed that it had gone; not before `last`. `None` if it has not.
    pub ended: Option<i64>,
}

impl Row {
    /// Seen once, at this time.
    pub const fn at(seconds: i64) -> Row {
        Row { first: seconds, last: seconds, count: 1, marks: 0, days: 0, ended: None }
    }
}
