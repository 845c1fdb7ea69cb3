//! Repeat records: what is reported about alerts that were held back.
//!
//! When a window of [`suppress`](crate::engine::suppress) ends, its alerts are gone. What is left
//! is a [`Repeat`](crate::engine::suppress::Repeat) with the bytes of the last one, perhaps from
//! before a restart. So [`write_repeat`] edits the text of an alert instead of encoding one: it
//! replaces the identifier, raises the severity, and adds the counts where the format has a place
//! for them.
//!
//! The bytes come from our own state, but nothing here relies on that: anything unexpected is
//! passed on unchanged.
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
