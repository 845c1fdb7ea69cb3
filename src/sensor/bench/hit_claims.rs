//! What all claims say of the entries that alerted.
//!
//! An alert only has the claims that were valid at its time. When a feed published an entry, an
//! earlier claim may say that has expired since; how old the entry is, a later one. So the entries
//! with alerts are met again when the set is gone through.

use super::groups::{Standing, earliest};
use super::table::Row;
use super::tally::EntryTally;
use crate::engine::database::Listed;
use crate::engine::indicator::{Kind, Scope, Timestamp, address, digest};
use hashbrown::HashMap;
use ipnet::IpNet;
use std::net::IpAddr;
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// What the claims of a group say of an entry that alerted.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HitClaim {
    /// When the entry was first seen, according to any claim.
    pub(super) published: Option<Timestamp>,
    /// Of the claims that are live at the reference time, the one that was confirmed last.
    pub(super) newest: Option<Standing>,
}

/// The entries that alerted, and what is said of them.
#[derive(Debug, Default)]
pub(super) struct HitClaims<'t> {
    entries: &'t [EntryTally],
    /// The numbers of entries by a hash of their values, as structures have these.
    numbers: HashMap<u64, Vec<u32>>,
    /// Whether such a value may be a text in this slot: most of a set is told apart by it, in a
    /// fifth of the time that a hash takes.
    slots: Vec<bool>,
    /// By entry and group.
    found: HashMap<(u32, u32), HitClaim>,
}

impl<'t> HitClaims<'t> {
    /// Begins with what alerted.
    pub(super) fn of(entries: &'t [EntryTally]) -> Self {
        let mut hits = HitClaims { entries, slots: vec![false; SLOTS], ..HitClaims::default() };
        for (entry, number) in entries.iter().zip(0..) {
            each_key(entry, |key| {
                if let Some(slot) = key.slot() {
                    hits.slots[slot] = true;
                }
                hits.numbers.entry(key.hash()).or_default().push(number);
            });
        }
        hits
    }

    /// What was found.
    pub(super) fn into_found(self) -> FoundClaims {
        FoundClaims(self.found)
    }

    /// Takes what claims say of a listed value, if it alerted. `rows` are all of them.
    pub(super) fn meet(&mut self, listed: &Listed<'_>, rows: &[Row], standings: &[Standing]) {
        if self.numbers.is_empty() {
            return;
        }
        let key = Key::of(listed);
        if key.slot().is_some_and(|slot| !self.slots[slot]) {
            return;
        }
        let Some(numbers) = self.numbers.get(&key.hash()) else { return };
        for number in numbers {
            let entry = &self.entries[*number as usize];
            let is_same = |row: &&Row| {
                (row.kind, row.scope) == (entry.kind, entry.scope)
                    && listed.value(row.scheme).to_string() == *entry.value
            };
            for row in rows.iter().filter(is_same) {
                let Some(standing) = standings.get(row.context as usize) else { continue };
                let found = self.found.entry((*number, row.group)).or_default();
                found.published = earliest([found.published, standing.published]);
                let known = found.newest.map(|newest| newest.dated);
                if row.is_live() && known.is_none_or(|known| known < standing.dated) {
                    found.newest = Some(*standing);
                }
            }
        }
    }
}

/// What groups claim of entries that alerted.
#[derive(Debug, Default)]
pub(super) struct FoundClaims(HashMap<(u32, u32), HitClaim>);

impl FoundClaims {
    /// What a group claims of the entry with this number.
    pub(super) fn get(&self, entry: u32, group: u32) -> HitClaim {
        self.0.get(&(entry, group)).copied().unwrap_or_default()
    }
}

/// Slots for texts; a power of two.
const SLOTS: usize = 1 << 12;

/// What a listed value is found by.
#[derive(Clone, Copy)]
enum Key<'a> {
    Bytes(&'a [u8]),
    Net(IpNet),
    Endpoint(IpAddr, u16),
}

impl<'a> Key<'a> {
    fn of(listed: &Listed<'a>) -> Key<'a> {
        match *listed {
            Listed::Net(net) => Key::Net(net),
            Listed::Endpoint(address, port) => Key::Endpoint(address, port),
            Listed::Digest(bytes) => Key::Bytes(bytes),
            Listed::Name(text)
            | Listed::Url(text)
            | Listed::Path(text)
            | Listed::Email(text)
            | Listed::Word(_, text)
            | Listed::Pattern(text) => Key::Bytes(text.as_bytes()),
        }
    }

    /// The slot of a text, by its length and its first bytes.
    fn slot(self) -> Option<usize> {
        let Key::Bytes(bytes) = self else { return None };
        let head = match bytes.first_chunk::<4>() {
            Some(head) => u32::from_le_bytes(*head),
            None => bytes.iter().fold(0, |head, byte| head << 8 | u32::from(*byte)),
        };
        let mixed = (head ^ bytes.len() as u32).wrapping_mul(0x9e37_79b9);
        Some((mixed >> 20) as usize % SLOTS)
    }

    fn hash(self) -> u64 {
        match self {
            Key::Bytes(bytes) => xxh3_64(bytes),
            Key::Net(net) => {
                let seed = u64::from(net.prefix_len()) + 1;
                match net.addr() {
                    IpAddr::V4(v4) => xxh3_64_with_seed(&v4.octets(), seed),
                    IpAddr::V6(v6) => xxh3_64_with_seed(&v6.octets(), seed),
                }
            }
            Key::Endpoint(address, port) => {
                xxh3_64_with_seed(&port.to_le_bytes(), Key::Net(address.into()).hash())
            }
        }
    }
}

/// Passes on what the value of an entry may be found by, from the form that alerts show.
fn each_key(entry: &EntryTally, mut found: impl FnMut(Key<'_>)) {
    let text = &*entry.value;
    found(Key::Bytes(text.as_bytes()));
    if matches!(entry.scope, Scope::Wildcard | Scope::Regex) {
        return;
    }
    match entry.kind {
        Kind::Ip | Kind::Net => {
            address::parse_net(text).into_iter().for_each(|net| found(Key::Net(net)))
        }
        Kind::Endpoint => {
            if let Some((address, port)) = address::parse_endpoint(text) {
                found(Key::Endpoint(address, port));
            }
        }
        Kind::Url => {
            // Structures of URLs have them without their schemes.
            let bare =
                ["http://", "https://", "ftp://"].iter().find_map(|it| text.strip_prefix(it));
            bare.into_iter().for_each(|bare| found(Key::Bytes(bare.as_bytes())));
        }
        _ => {
            if let Some((bytes, len)) = digest::decode(text.as_bytes()) {
                found(Key::Bytes(&bytes[..len]));
            }
        }
    }
}
