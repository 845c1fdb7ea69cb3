//! The storage: everything that the exchange keeps, and who may see it.
//!
//! [`Storage::read`] gives a [`View`] of one moment, [`Storage::write`] a turn on the one writer;
//! what it answered is on the disk. Every query about pulses takes a
//! [`Viewer`](crate::exchange::accounts::Viewer), and all of them use the same predicate of
//! visibility. No other room knows SQL.

mod denied;
mod engine;
mod question;
mod tables;

pub use denied::{Denied, Outcome};
pub use question::{
    Among, IndicatorQuery, LabelKind, Mark, PulseQuery, Search, Selection, Sort, ValueHit, Which,
};
pub use tables::{
    Alert, Alike, Allowed, Appeal, Audit, Comment, Credentials, Download, ENTRY_ROOM, Entry,
    EntryQuery, Facets, Flagged, Found, Happening, Invitation, KnownValue, Login, NewAccount,
    Notice, ObjectHead, Opened, Owner, PULSE_ROOM, Place, Report, SecondFactor, SessionOwner,
    Shelf, Sighting, Statistics, Storage, Submission, Suggestion, View, Votes, Writes,
};
