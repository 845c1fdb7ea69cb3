//! The storage on SQLite: one writer with group commit, readers beside it (WAL).

mod accounts;
mod backup;
mod batch;
mod entries;
mod exported;
mod links;
mod migrate;
mod moderation;
mod objects;
mod pool;
mod pulses;
mod purge;
mod rows;
mod search;
mod statements;
mod talk;
mod values;
mod view;
mod visible;
mod words;
mod writer;

pub use accounts::{NewAccount, Owner};
pub use links::Happening;
pub use moderation::{Audit, Report};
pub use objects::{ObjectHead, Shelf};
pub use pool::{Opened, Storage};
pub use search::Found;
pub use talk::{Alert, Comment, Notice, Sighting, Submission, Suggestion};
pub use values::Statistics;
pub use view::View;
pub use writer::{ENTRY_ROOM, PULSE_ROOM, Writes};
