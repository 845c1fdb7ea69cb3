//! What protocols carry: files, mails, text, names, and their encodings and fragments.

pub(super) mod coding;
pub(super) mod dns;
pub(super) mod file;
pub(super) mod handshake;
pub(super) mod mail;
pub(super) mod names;
pub(super) mod ranges;
pub(super) mod reorder;
pub(super) mod text;
