//! wiresift holds indicators of compromise against packets and logs.
//!
//! | room | does | may import, beside `error` |
//! | --- | --- | --- |
//! | [`error`] | the one error type | nothing |
//! | [`feed`] | files to indicators | indicator |
//! | [`indicator`] | kinds, values, contexts, normalisation | nothing |
//! | [`input`] | bytes and where they came from | nothing |
//! | [`input`] | bytes and where they came from: files, streams, compression | nothing |
//! | [`packet`] | frames to flows to protocol fields to observables | indicator |
//! | [`scan`] | observables against the database | indicator, text, packet, database |
//! | [`alert`] | severity, the record, its formats | indicator, scan |
//! | [`sink`] | where alerts go | alert |

pub mod alert;
pub mod compile;
pub mod database;
pub mod error;
pub mod feed;
pub mod indicator;
pub mod input;
pub mod packet;
pub mod scan;
pub mod sink;
pub mod text;

pub use error::{Error, ErrorKind, Result};
