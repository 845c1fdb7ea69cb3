//! Pulses as STIX 2.1: the objects that they become, and bundles of them.
//!
//! Identifiers follow from what an object says, so that every export of a pulse has the same.
//! What a pulse says about its indicators (families, actor, techniques) are objects of its own:
//! nothing of a pulse is visible in another.

mod bundle;
mod object;
mod pattern;

pub(super) use bundle::Bundle;
pub(super) use object::DELETED;
pub use object::{
    Author, Lead, Relation, Topic, author, indicator, indicator_id, relation, report, report_id,
    topics,
};
