//! wiresift holds indicators of compromise against packets and logs.
//!
//! | room | does | may import, beside `error` |
//! | --- | --- | --- |
//! | [`error`] | the one error type | nothing |
//! | [`indicator`] | kinds, values, contexts, normalisation | nothing |
//! | [`input`] | bytes and where they came from | nothing |
//! | [`packet`] | frames to flows to protocol fields to observables | indicator |
//! | [`scan`] | observables against the database | indicator, text, packet, database |

pub mod error;
pub mod indicator;
pub mod input;
pub mod packet;
pub mod scan;

pub use error::{Error, ErrorKind, Result};
