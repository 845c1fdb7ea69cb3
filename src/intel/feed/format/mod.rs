//! The formats of feeds: one reader each, and the one list of them.
//!
//! A reader knows the shape of its format and nothing else; it hands each value to the
//! `Intake`, which makes an indicator or a reject of it.

mod abusech;
mod adblock;
mod dnsmasq;
mod drop;
pub(super) mod hosts;
mod ipsum;
mod list;
pub(super) mod loki;
mod maltrail;
pub(super) mod misp;
mod names;
mod native;
mod netset;
pub(super) mod otx;
mod read;
mod records;
mod resolver;
mod rpz;
pub(super) mod stix;
mod suricata;
pub(super) mod table;
mod warninglist;
mod zeek;

pub use names::Format;
pub use native::write_jsonl;
pub use read::read;
pub use warninglist::read_warninglist;
