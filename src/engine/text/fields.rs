//! The fields of structured lines, and the times of their records.
//!
//! All of this runs only after a hit, and never looks beyond the record. A
//! [`Record`] parses a line once: JSON, XML, `key=value`, or the columns that a
//! [`Format`] names. It can also be several lines, if [`Blocks`] finds that a
//! record spans them, or a part of an overlong line that [`Elements`] cuts out. It
//! then gives the field of a hit, the time of the surrounding record, and what
//! belongs to the hit: the port of an address, the path of a host. A line that is
//! not what it seems has no fields.

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

/// Whether a field whose name ends like `key` may contain a host. Asked before a
/// hit, so it only looks at the end. `is_address` says that the value is an
/// address.
#[inline]
pub fn may_name_host(key: &[u8], is_address: bool) -> bool {
    names::may_name_host(key, is_address)
}

/// The text before an encoded separator at its end (`#011`, `\t`), if there is one.
pub fn before_separator(text: &[u8]) -> Option<&[u8]> {
    super::escapes::before_separator(text)
}
