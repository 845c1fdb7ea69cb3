//! Intelligence: what is subscribed, fetched, read and kept, and made into a database.

pub mod config;
pub mod feed;
pub mod store;
pub mod subscribe;
