//! Intelligence: subscribes to feeds, fetches, reads and stores them, and compiles
//! a database.

#[cfg(feature = "fetch")]
pub mod config;
pub mod feed;
#[cfg(feature = "fetch")]
pub mod store;
#[cfg(feature = "fetch")]
pub mod subscribe;
