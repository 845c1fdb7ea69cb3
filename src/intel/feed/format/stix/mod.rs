//! STIX 2.0 and 2.1: bundles, TAXII envelopes, loose objects (feed specification,
//! section 2.1).
//!
//! Objects come in any order, so all are read before any is resolved. Of several
//! versions of an object the latest counts.

mod lexer;
mod parser;
mod pattern;
mod reader;
mod tlp;

pub(in crate::intel::feed) use reader::{put_pattern, read};

#[cfg(test)]
mod tests;
