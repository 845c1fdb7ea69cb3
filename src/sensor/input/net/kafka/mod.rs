//! Kafka: topics as a member of a consumer group.
//!
//! Offsets are committed to the group only when the alerts of their records are safe:
//! [`NetInput::safe`] says so. Before a partition goes to another member, what was read from it is
//! finished and committed, as far as there is time. Whatever is read twice nevertheless has alerts
//! with the same ids, because these follow from topic, partition and offset.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `progress` | how far each partition is, without any client |
//! | `context` | what the client calls: rebalances, commits, statistics |
//! | `errors` | what is wrong at present |
//! | `consumer` | [`Topics`], and the thread that reads them |
//!
//! [`NetInput::safe`]: super::NetInput::safe

mod consumer;
mod context;
mod errors;
mod progress;

pub use consumer::Topics;
