//! What protocols carry: files, mails, texts, names, and how they are packed and cut up.

pub(super) mod coding;
pub(super) mod dns;
pub(super) mod file;
pub(super) mod handshake;
pub(super) mod mail;
pub(super) mod names;
pub(super) mod ranges;
pub(super) mod reorder;
pub(super) mod text;
