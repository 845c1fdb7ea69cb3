//! What is safe on disk: how far inputs are processed, and how much of the outputs belongs to it.
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
//! // Alerts first, then the commit that records them and their positions.
//! let outputs = vec![alerts.sync()?];
//! let cursors = vec![("spool/webhook".to_string(), Some(1))];
//! state.commit(&Commit { outputs, cursors, ..Commit::default() })?;
//!
//! // Killed here, and started again: what was not committed is undone.
//! alerts.append(b"{\"alert\":2}\n")?;
//! drop((state, alerts));
//! let (_state, saved) = StateDir::open(&folder.path().join("state"))?;
//! let (_alerts, resumed) = AlertFile::open(&path, &saved.state)?;
//! assert!(resumed.is_exact());
//! assert_eq!(std::fs::read(&path)?, b"{\"alert\":1}\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A [`StateDir`] is a folder that one process holds: a log of [`Commit`]s, each with its length
//! and checksum (the format is in `log.rs`), and the [`CheckpointState`] that they add up to.
//! Suppression entries, of which there may be millions, are only in the log ([`Entries`]). A commit
//! is one append and one `fdatasync`; when the log outgrows the state, it is rewritten to a new
//! file, synced, and renamed. A torn end is cut. A state that is damaged, foreign, empty or missing
//! is an error: starting from scratch would read everything again, and only an operator may decide
//! that.
//!
//! An [`AlertFile`] contains its records exactly once, whatever happens in between: at the start it
//! is cut to what was committed, if its contents are unchanged and what follows is its own.

mod alert_file;
mod bytes;
mod dir;
mod entries;
mod log;
mod state;
#[cfg(test)]
mod tests;
mod written;

pub use alert_file::{AlertFile, Resumed, Unsynced};
pub use dir::{Opened, StateDir};
pub use entries::Entries;
pub use state::{CheckpointState, Commit, Output, Rest};
