//! The names of files in alerts.

use crate::engine::error::name_text;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Arc;

/// A path as text, escaped as in errors; see [`name_text`].
pub fn display(path: &Path) -> Arc<str> {
    spell(path.as_os_str().as_bytes())
}

/// The same for the name of a member of an archive.
pub(super) fn spell(name: &[u8]) -> Arc<str> {
    name_text(name).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_written_as_text() {
        for (name, text) in [
            (&b"a/b.log"[..], "a/b.log"),
            ("ä.log".as_bytes(), "ä.log"),
            (b"C:\\x\\new.log", "C:\\x\\new.log"),
            (b"\xff.log", "\\xff.log"),
            (b"\xfe.log", "\\xfe.log"),
            (b"a\\\xff", "a\\\\\\xff"),
            // Not a file name, but a file may have it.
            (b"\\xff.log", "\\\\xff.log"),
        ] {
            assert_eq!(&*spell(name), text);
        }
    }

    proptest! {
        #[test]
        fn different_names_have_different_texts(
            one in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'x'), Just(b'f'), Just(0xff)], 0..8),
            other in proptest::collection::vec(prop_oneof![Just(b'\\'), Just(b'x'), Just(b'f'), Just(0xff)], 0..8),
        ) {
            prop_assert_eq!(spell(&one) == spell(&other), one == other);
        }
    }
}
