//! From the bytes of a log to observables.
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
//! Two phases, over tiles that fit in the first-level cache. [`classify`] turns each
//! block of 64 bytes into bit masks: name characters, dots, hex digits, colons, and
//! so on, with vector instructions where there are any ([`vector`]). The [`Extractor`]
//! then visits only the places where the masks say that a candidate can be: a run
//! of name characters with a dot inside (addresses and names), an at sign, a colon
//! among hex digits, a long run of hex digits, a `//`. Runs are found, and most are
//! dropped, by bit arithmetic alone (`candidates`); nothing else in the text is
//! touched. What is left, and whatever has an escape or a byte beyond ASCII beside
//! it, is read the careful way.
//!
//! A candidate is judged by what stands around it, at most a few kilobytes to
//! either side, never by its line. So the result does not depend on how the input
//! was cut into chunks: a chunk names the range in which candidates begin, and
//! brings the bytes around it as context ([`MAX_BEHIND`], [`MAX_AHEAD`]).
//!
//! Whoever wants the observables implements [`Visitor`], whose cheap questions
//! (`tails`, `may_hold_name`, `may_hold_v4`) come first, so that most candidates are dropped
//! after one load and one bit test. The room does no I/O and, in steady state, no
//! allocation.

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

pub use extractor::{EVERY_TAIL, Extractor, MAX_AHEAD, MAX_BEHIND, Visitor};

#[cfg(test)]
mod nests;
