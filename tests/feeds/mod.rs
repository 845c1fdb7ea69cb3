//! Feeds: subscriptions, fetching over HTTP and TLS, exchanges, warning lists.

pub mod exchanges;
mod fetch;
mod ledger;
mod owners;
mod subscriptions;
mod tls;
mod warninglists;
