//! The formats of feeds: one reader for each, and a list of them.
//!
//! A reader knows the structure of its format and nothing else. It passes each
//! value to the `Intake`, which turns it into an indicator or a reject.

pub(super) mod abusech;
pub(super) mod adblock;
pub(super) mod dnsmasq;
pub(super) mod drop;
pub(super) mod hosts;
pub(super) mod ipsum;
pub(super) mod list;
pub(super) mod loki;
pub(super) mod maltrail;
pub(super) mod misp;
mod names;
pub(super) mod native;
pub(super) mod netset;
pub(super) mod otx;
mod read;
pub(super) mod records;
pub(super) mod resolver;
pub(super) mod rpz;
pub(super) mod standing;
mod stix;
pub(super) mod suricata;
pub(super) mod table;
pub(super) mod warninglist;
pub(super) mod zeek;

pub use names::Format;
pub use native::write_jsonl;
pub use read::read;
pub use warninglist::read_warninglist;
