//! Reading finite-state transducers where they lie.
//!
//! They have the format of the `fst` crate (version 3), and are read by this module
//! and written by [`build`]. Reading is ours for two reasons. The crate trusts its bytes: damage that slips past its root
//! check panics in a look-up, and a full check of ten million keys takes longer
//! than opening may. Here every read is checked, an address that leads nowhere
//! ends the walk as "not there", and a walk takes at most as many steps as the
//! key has bytes, whatever the bytes say. And a suffix walk wants the final
//! states that it passes on the way, in one pass, from the end of the name.
//!
//! The crate is the oracle in the tests below.

mod build;
mod reader;

pub(super) use build::Builder;
pub(super) use reader::{State, Transducer};
