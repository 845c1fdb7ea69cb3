//! The state as bytes: changes since the last commit, or all of it. `restore.rs` reads them.
//!
//! A piece of state consists of a version, the members of the key, the number of windows that
//! were ended early, and records: a window (its key, numbers, lists), or the key of a removed
//! window. Later records take precedence. A piece is opaque to the caller, who protects it with a
//! checksum; damaged ones are nevertheless an error, and never a panic.

use super::Suppressor;
use super::bytes::{put_bytes, put_number, put_signed};
use super::window::{HeldBackAlerts, Window};

/// The version of the format.
pub(super) const VERSION: u8 = 1;

/// Types of records.
pub(super) const WINDOW: u8 = 1;
pub(super) const GONE: u8 = 2;

impl Suppressor {
    /// Appends the changes since the last call; nothing if there are none.
    ///
    /// Always empty unless changes are [`recorded`](Suppressor::recorded).
    pub fn take_changes(&mut self, out: &mut Vec<u8>) {
        let before = out.len();
        write_head(self, out);
        let head = out.len();
        for key in self.table.take_gone() {
            out.push(GONE);
            put_bytes(out, &key);
        }
        self.table.take_changed(|window| write_window(window, out));
        if out.len() == head {
            out.truncate(before);
        }
    }

    /// The same as entries by key, for a caller that keeps a map. `put` receives a key and its new
    /// value, or `None` if it was removed. [`Restoring`](super::Restoring) takes them back.
    pub fn take_entries(&mut self, mut put: impl FnMut(&[u8], Option<Vec<u8>>)) {
        let mut head = Vec::new();
        write_head(self, &mut head);
        self.table.take_gone().into_iter().for_each(|key| put(&key, None));
        self.table.take_changed(|window| {
            let mut value = head.clone();
            write_window(window, &mut value);
            put(&window.key, Some(value));
        });
    }

    /// Appends the whole state: the sum of all changes so far.
    pub fn snapshot(&self, out: &mut Vec<u8>) {
        write_head(self, out);
        for slot in self.table.by_use() {
            self.table.visit(slot, |window| write_window(window, out));
        }
    }
}

fn write_head(of: &Suppressor, out: &mut Vec<u8>) {
    let config = &of.config;
    out.push(VERSION);
    // Each member occurs once, so it is a small number.
    out.push(config.key.len() as u8);
    out.extend(config.key.iter().map(|&member| member as u8));
    put_number(out, of.evicted);
}

fn write_window(window: &Window, out: &mut Vec<u8>) {
    out.push(WINDOW);
    put_bytes(out, &window.key);
    put_signed(out, window.start);
    put_signed(out, window.end);
    put_number(out, u64::from(window.passed));
    put_number(out, u64::from(window.parts));
    put_number(out, window.evicted);
    out.push(window.severity as u8);
    put_number(out, window.seen.len() as u64);
    window.seen.iter().for_each(|digest| out.extend_from_slice(&digest.to_le_bytes()));
    out.push(u8::from(window.held.is_some()));
    if let Some(held) = &window.held {
        write_held(held, out);
    }
}

fn write_held(held: &HeldBackAlerts, out: &mut Vec<u8>) {
    put_number(out, held.count);
    put_signed(out, held.first);
    put_signed(out, held.last);
    out.push(held.severity as u8);
    for texts in [&held.values, &held.places] {
        put_number(out, texts.len() as u64);
        texts.iter().for_each(|text| put_bytes(out, text.as_bytes()));
    }
    put_number(out, held.more);
    put_bytes(out, &held.content);
}
