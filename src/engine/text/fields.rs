//! The fields of structured lines, and the times of the records in them.
//!
//! All of this is asked only after a hit, and never looks further than the record. A
//! [`Record`] reads a line once: JSON, XML, `key=value`, or the columns that a [`Format`]
//! names; or several lines, where [`Blocks`] finds that a record goes over them; or a part of a
//! line that is too long, which [`Elements`] cuts out. It then
//! tells the field of a hit, the time of the record around it, and what stands beside it:
//! the port of an address, the path of a host. A line that is not what it seems has no
//! fields.

mod blocks;
mod columns;
mod digests;
mod elements;
mod json;
mod lines;
mod member;
mod names;
mod pairs;
mod paragraphs;
mod positions;
mod record;
mod times;
mod xml;

pub use blocks::{Blocks, whole_paragraphs};
pub use columns::{Changes, Format, Heads, Layout, Sections};
pub use digests::digest_kinds;
pub use elements::Elements;
pub use paragraphs::Paragraphs;
pub use record::{HostSeen, Record, SplitUrl, url_before_request};
pub use times::Clock;

/// Whether a name that ends like `key` can be one of a host: asked before a hit, so it
/// looks at the end only. `is_address`: the value is one.
#[inline]
pub fn may_name_host(key: &[u8], is_address: bool) -> bool {
    names::may_name_host(key, is_address)
}

/// What stands before the separator that is spelt at the end of a text (`#011`, `\t`), if
/// one is.
pub fn before_separator(text: &[u8]) -> Option<&[u8]> {
    super::escapes::before_separator(text)
}
