//! The contents of archives.

use std::io::Read;

/// The source of a member's bytes.
pub(in crate::sensor::input) type Source = Box<dyn Read + Send>;

/// The next item of an archive.
pub(in crate::sensor::input) enum Found {
    /// A file.
    File(Vec<u8>, Source),
    /// A file that cannot be searched inside, and the reason.
    Closed(Vec<u8>, &'static str),
}
