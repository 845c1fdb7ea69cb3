//! wiresift holds indicators of compromise against packets and logs.
//!
//! | room | does | may import, beside `error` |
//! | --- | --- | --- |
//! | [`error`] | the one error type | nothing |
//! | [`indicator`] | kinds, values, contexts, normalisation | nothing |
//! | [`scan`] | observables against the database | indicator, text, packet, database |

pub mod compile;
pub mod database;
pub mod error;
pub mod indicator;
pub mod scan;
pub mod text;

pub use error::{Error, ErrorKind, Result};
