//! What is safe, on disk: how far inputs are processed, and what outputs hold of it.
//!
//! ```
//! use wiresift::sensor::checkpoint::{AlertFile, Commit, StateDir};
//!
//! let folder = tempfile::tempdir()?;
//! let (mut state, saved) = StateDir::open(&folder.path().join("state"))?;
//! assert!(saved.is_new);
//! let path = folder.path().join("alerts.ndjson");
//! let (mut alerts, _) = AlertFile::open(&path, &saved.state)?;
//! alerts.append(b"{\"alert\":1}\n")?;
//! // Alerts first, then the commit that knows of them and of what they came from.
//! let outputs = vec![alerts.sync()?];
//! let cursors = vec![("spool/webhook".to_string(), Some(1))];
//! state.commit(&Commit { outputs, cursors, ..Commit::default() })?;
//!
//! // Killed here, and started again: what was not committed never was.
//! alerts.append(b"{\"alert\":2}\n")?;
//! drop((state, alerts));
//! let (_state, saved) = StateDir::open(&folder.path().join("state"))?;
//! let (_alerts, resumed) = AlertFile::open(&path, &saved.state)?;
//! assert!(resumed.is_exact());
//! assert_eq!(std::fs::read(&path)?, b"{\"alert\":1}\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`StateDir`] is a folder that one process holds: a log of [`Commit`]s, each with its length and
//! checksum (`log.rs` has the format), and the [`State`] that they add up to. Entries of suppression, of
//! which there may be millions, are in the log alone ([`Entries`]). A commit is one append
//! and one `fdatasync`; when the log outgrows the state, it is written anew beside, synced, and
//! renamed. A torn end is cut. A state that is damaged, foreign, empty or gone is an error: starting
//! from scratch would read everything again, and only an operator may decide that.
//!
//! An [`AlertFile`] is a file whose records are there exactly once, whatever happens in between: at
//! the start it is cut to what was committed, if it is still what it was.

mod alert_file;
mod bytes;
mod dir;
mod entries;
mod log;
mod state;
#[cfg(test)]
mod tests;

pub use alert_file::{AlertFile, Resumed, Unsynced};
pub use dir::{Opened, StateDir};
pub use entries::Entries;
pub use state::{Commit, Output, State};
