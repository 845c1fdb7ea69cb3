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
    /// By entry and group.
    found: HashMap<(u32, u32), HitClaim>,
}

impl<'t> HitClaims<'t> {
    /// Begins with what alerted.
    pub(super) fn of(entries: &'t [EntryTally]) -> Self {
        let mut numbers: HashMap<u64, Vec<u32>> = HashMap::new();
        for (entry, number) in entries.iter().zip(0..) {
            for key in keys_of(entry) {
                numbers.entry(key).or_default().push(number);
            }
        }
        HitClaims { entries, numbers, found: HashMap::new() }
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
        let Some(numbers) = self.numbers.get(&key_of(listed)) else { return };
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

/// The hash of a listed value.
fn key_of(listed: &Listed<'_>) -> u64 {
    match *listed {
        Listed::Net(net) => key_of_net(net),
        Listed::Endpoint(address, port) => key_of_endpoint(address, port),
        Listed::Digest(bytes) => xxh3_64(bytes),
        Listed::Name(text)
        | Listed::Url(text)
        | Listed::Path(text)
        | Listed::Email(text)
        | Listed::Word(_, text)
        | Listed::Pattern(text) => xxh3_64(text.as_bytes()),
    }
}

fn key_of_net(net: IpNet) -> u64 {
    let seed = u64::from(net.prefix_len()) + 1;
    match net.addr() {
        IpAddr::V4(v4) => xxh3_64_with_seed(&v4.octets(), seed),
        IpAddr::V6(v6) => xxh3_64_with_seed(&v6.octets(), seed),
    }
}

fn key_of_endpoint(address: IpAddr, port: u16) -> u64 {
    let net = key_of_net(address.into());
    xxh3_64_with_seed(&port.to_le_bytes(), net)
}

/// The hashes that the value of an entry may have in the structures, from the form that alerts
/// show.
fn keys_of(entry: &EntryTally) -> impl Iterator<Item = u64> {
    let text = &*entry.value;
    let is_pattern = matches!(entry.scope, Scope::Wildcard | Scope::Regex);
    let net = match entry.kind {
        Kind::Ip | Kind::Net if !is_pattern => address::parse_net(text).ok().map(key_of_net),
        Kind::Endpoint => address::parse_endpoint(text).map(|(a, port)| key_of_endpoint(a, port)),
        _ => None,
    };
    // Structures of URLs have them without their schemes.
    let bare = ["http://", "https://", "ftp://"].iter().find_map(|it| text.strip_prefix(it));
    let bare = bare.filter(|_| entry.kind == Kind::Url && !is_pattern);
    let bytes = digest::decode(text.as_bytes()).map(|(bytes, len)| xxh3_64(&bytes[..len]));
    let whole = Some(xxh3_64(text.as_bytes()));
    [net, bare.map(|it| xxh3_64(it.as_bytes())), bytes, whole].into_iter().flatten()
}
