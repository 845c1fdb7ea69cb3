//! Extracts observables from the bytes of a log.
//!
//! ```
//! use std::ops::Range;
//! use wiresift::engine::indicator::{Kind, Observable, Where};
//! use wiresift::engine::text::{Extractor, Visitor};
//!
//! #[derive(Default)]
//! struct Names(Vec<Range<usize>>);
//!
//! impl Visitor for Names {
//!     fn may_end_in(&self, _: &[u8]) -> bool {
//!         true
//!     }
//!     fn may_hold_v4(&self, _: u32) -> bool {
//!         false
//!     }
//!     fn wants(&self, _: Kind) -> bool {
//!         false
//!     }
//!     fn seen(&mut self, what: Observable<'_>, _: Where, span: Range<usize>) {
//!         if matches!(what, Observable::Name(_)) {
//!             self.0.push(span);
//!         }
//!     }
//! }
//!
//! let text = b"10.0.0.7 asked for www.evil.example";
//! let mut names = Names::default();
//! Extractor::default().extract(text, 0..text.len(), &mut names);
//! assert_eq!(names.0, [19..35]);
//! ```
//!
//! Extraction has two phases, over tiles that fit into the first-level cache.
//! [`classify`] turns each block of 64 bytes into bit masks: name characters, dots,
//! hex digits, colons, and so on, with vector instructions if available
//! ([`vector`]). The [`Extractor`] then only visits places where the masks show a
//! possible candidate: a run of name characters with a dot inside (addresses and
//! names), an at sign, a colon among hex digits, a long run of hex digits, a `//`.
//! Runs are found, and most of them dropped, by bit arithmetic alone
//! (`candidates`); the rest of the text is never touched. What remains, and
//! anything with an escape or a byte beyond ASCII next to it, takes the slow path.
//!
//! A candidate is judged by the text around it, at most a few kilobytes to either
//! side, never by its line. So the result does not depend on how the input is split
//! into chunks: a chunk names the range in which candidates begin, and includes the
//! bytes around it as context ([`MAX_LOOKBEHIND`], [`MAX_LOOKAHEAD`]).
//!
//! To receive observables, implement [`Visitor`]. Its cheap methods (`tails`,
//! `may_hold_name`, `may_hold_v4`) are called first, so most candidates are dropped
//! after one load and one bit test. This room does no I/O and, in steady state,
//! does not allocate.

mod candidates;
pub mod classify;
mod cuts;
mod digests;
mod emails;
mod escapes;
mod extractor;
pub mod fields;
mod literals;
mod marks;
mod names;
mod percent;
mod pieces;
mod ports;
mod transcripts;
mod unicode;
mod urls;
mod v6;
pub mod vector;
mod words;

pub use extractor::{EVERY_TAIL, Extractor, MAX_LOOKAHEAD, MAX_LOOKBEHIND, Visitor};

#[cfg(test)]
mod nests;
