//! The one integration binary: everything that is tested from outside the crate.

#![allow(unreachable_pub, reason = "modules of a binary: `pub` says what the others use")]

mod cases;
mod dependencies;
mod documents;
mod fuzz_corpus;
mod harness;
mod layering;
mod order;
mod records;
mod spec_cases;
