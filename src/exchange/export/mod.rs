//! Pulses as files for other programs.
//!
//! A [`Source`] passes on the pulses of a scope; a [`Format`] makes a file of them while they
//! pass by. Whatever people wrote, each file has the grammar that its readers expect: a name is
//! escaped where the format has escapes, and what a format can't say is left out. Sensors load
//! these files, so the tests of this room read each of them back, with hostile names in it.

mod cache;
mod csv;
mod database;
mod dump;
mod feeds;
mod format;
mod list;
mod misp;
mod openioc;
mod rpz;
mod scope;
mod sorted;
mod source;
mod stix;
mod suricata;
mod text;
mod token;
mod uuid;
mod zeek;

#[cfg(test)]
mod tests;

pub use dump::{Dump, DumpScope};
pub use feeds::ROUTES;
pub use format::{Format, misp_event};
pub use misp::event_uuid;
pub use scope::{Scope, Stored};
pub use source::{About, Source, Visit, was_never_shown};
pub use stix::{
    Author, Lead, Relation, Topic, author, indicator, indicator_id, relation, report, report_id,
    topics,
};
pub use token::TOKEN_ROUTES;
pub use uuid::Uuid;
