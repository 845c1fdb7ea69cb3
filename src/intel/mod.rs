//! Intelligence: what is subscribed, fetched, read and kept, and made into a database.

#[cfg(feature = "fetch")]
pub mod config;
pub mod feed;
#[cfg(feature = "fetch")]
pub mod store;
#[cfg(feature = "fetch")]
pub mod subscribe;
