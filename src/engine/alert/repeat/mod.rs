//! Repeat records: what comes of alerts that were held back.
//!
//! When a window of [`suppress`](crate::engine::suppress) ends, its alerts are gone; what
//! is left is a [`Repeat`](crate::engine::suppress::Repeat) with the bytes of the last one,
//! perhaps from before a restart. So [`write_repeat`] works on the text of an alert, and does not
//! encode one anew: it puts the identifier of the repeat into it, raises the severity, and adds
//! the counts where the format has a place for them.
//!
//! The bytes come from our own state, but nothing here relies on them: what is not read as
//! expected is passed on as it is.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `write` | [`write_repeat`] |
//! | `members` | an object of JSON that can be changed |
//! | `objects` | `json`, `eve`, `ecs` and `ocsf` |
//! | `lines` | `cef`, `syslog` and `text` |
//! | `bare` | the record without an alert, if all were too long to keep |

mod bare;
mod lines;
mod members;
mod objects;
mod write;

pub use write::write_repeat;
