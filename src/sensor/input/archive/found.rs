//! What archives have in them.

use std::io::Read;

/// What a member's bytes come out of.
pub(in crate::sensor::input) type Source = Box<dyn Read + Send>;

/// What an archive has next.
pub(in crate::sensor::input) enum Found {
    /// A file.
    File(Vec<u8>, Source),
    /// A file that cannot be looked into, and why.
    Closed(Vec<u8>, &'static str),
}
