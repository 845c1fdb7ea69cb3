//! What a parser of a protocol gets, and what it answers.

pub(super) mod expectations;
