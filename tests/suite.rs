//! The one integration binary: everything that is tested from outside the crate.

#![allow(unreachable_pub, reason = "modules of a binary: `pub` says what the others use")]

mod alerts;
mod captures;
mod commands;
mod database;
#[cfg(feature = "exchange")]
mod exchange;
mod feeds;
mod harness;
mod house;
mod logs;
mod sensor;
