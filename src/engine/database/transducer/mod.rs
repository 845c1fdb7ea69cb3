//! Reads finite-state transducers in place.
//!
//! They are in the format of the `fst` crate (version 3), read by this module and
//! written by [`Builder`]. We read them ourselves for two reasons. The crate trusts
//! its bytes: damage that passes its check of the root panics in a look-up, and a
//! full check of ten million keys takes longer than opening may. Here every read is
//! checked, an invalid address ends the walk as “not found”, and a walk takes at
//! most as many steps as the key has bytes, whatever the bytes contain. And a
//! suffix walk needs the final states along its way, in one pass from the end of
//! the name.
//!
//! The crate serves as the oracle in the tests below.

mod builder;
mod reader;

pub(super) use builder::Builder;
pub(super) use reader::{Transducer, WalkState};
