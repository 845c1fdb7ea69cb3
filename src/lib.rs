//! wiresift holds indicators of compromise against packets and logs.
//!
//! | room | does | may import, beside `error` |
//! | --- | --- | --- |
//! | [`error`] | the one error type | nothing |
//! | [`feed`] | files to indicators | indicator |
//! | [`indicator`] | kinds, values, contexts, normalisation | nothing |
//! | [`scan`] | observables against the database | indicator, text, packet, database |

pub mod error;
pub mod feed;
pub mod indicator;
pub mod scan;

pub use error::{Error, ErrorKind, Result};
