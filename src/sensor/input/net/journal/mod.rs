//! The systemd journal: `journalctl` as a child process, in its export format.
//!
//! ```
//! use wiresift::sensor::input::net::journal::ExportReader;
//!
//! let mut reader = ExportReader::new(&[]);
//! let mut texts = Vec::new();
//! // The second value has a line break, so it is preceded by its length.
//! for piece in [
//!     &b"__CURSOR=s=1\nMESSAGE=from 192.0.2.7\n\n__CURSOR=s=2\nMESS"[..],
//!     b"AGE\n\x03\0\0\0\0\0\0\0a\nb\n_HOSTNAME=web1\n\n",
//! ] {
//!     reader.push(piece, |entry| texts.push((entry.cursor.clone(), entry.texts.clone()))).unwrap();
//! }
//! assert_eq!(texts[0], ("s=1".into(), vec![b"from 192.0.2.7".to_vec()]));
//! assert_eq!(texts[1], ("s=2".into(), vec![b"a\nb".to_vec()]));
//! ```
//!
//! Static binaries can't link libsystemd, and the format is documented and stable. JSON would be
//! worse, because it represents invalid UTF-8 as a list of numbers.

mod export;
mod follow;
mod resume;

pub use export::{BrokenExport, ExportReader, JournalEntry, MAX_FIELD};
pub use follow::{Journal, Start};
