//! Lists of others become pulses of an author, and follow them.
//!
//! A list is one pulse, or several when it is long: a value is always in the same one, by a digest
//! of itself, so that a change of the list touches few of them. Importing it again adds what is
//! new and removes what is gone.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Indicator, Kind, Scope, Tlp, Value};
use crate::exchange::accounts::{UserId, Viewer};
use crate::exchange::pulses::{
    Draft, IndicatorDraft, Lists, MAX_NAME, Patch, Pulse, Type, value_id,
};
use crate::exchange::site::Warnings;
use crate::exchange::storage::{IndicatorQuery, PulseQuery, Selection, Storage, Which};
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

/// Values of a pulse on average, so that none has more than it may.
const PER_PULSE: usize = 5000;

/// The most pulses of a list.
const MAX_PULSES: usize = 4096;

/// A list to import.
#[derive(Clone, Debug)]
pub struct List {
    /// The name of its pulse.
    pub name: String,
    /// Whose pulse it is.
    pub author: UserId,
    /// Its TLP.
    pub tlp: Tlp,
    /// Tags of its pulses.
    pub tags: Vec<String>,
}

/// What an import did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Imported {
    /// Pulses created.
    pub created: u64,
    /// Pulses changed.
    pub changed: u64,
    /// Values added.
    pub added: u64,
    /// Values removed.
    pub removed: u64,
    /// Values of kinds that pulses do not have, or that are no values for people.
    pub skipped: u64,
}

/// The type of an indicator of a feed in pulses. `None` if they have none, or none that reaches
/// as far: a pattern is not a value.
pub fn type_of(indicator: &Indicator) -> Option<Type> {
    let is_usual = matches!(
        (indicator.kind, indicator.scope),
        (_, Scope::Exact) | (Kind::Domain, Scope::Subtree) | (Kind::UrlPath, Scope::PathAnyHost)
    );
    if !is_usual {
        return None;
    }
    Some(match indicator.kind {
        Kind::Ip => match &indicator.value {
            Value::Net(net) if matches!(net.addr(), IpAddr::V4(_)) => Type::IPv4,
            _ => Type::IPv6,
        },
        Kind::Net => Type::Cidr,
        Kind::Domain if indicator.scope == Scope::Subtree => Type::Domain,
        Kind::Domain => Type::Hostname,
        Kind::Url => Type::Url,
        Kind::UrlPath => Type::Uri,
        Kind::Email => Type::Email,
        Kind::Md5 => Type::Md5,
        Kind::Sha1 => Type::Sha1,
        Kind::Sha256 => Type::Sha256,
        Kind::Imphash => Type::Imphash,
        Kind::Pehash => Type::Pehash,
        Kind::Filepath | Kind::Filename => Type::FilePath,
        Kind::Mutex => Type::Mutex,
        Kind::Cve => Type::Cve,
        Kind::Ja3 => Type::Ja3,
        Kind::CertSha1 => Type::Certificate,
        Kind::Btc => Type::Bitcoin,
        _ => return None,
    })
}

/// Brings the pulses of a list up to date with what is in it now.
///
/// # Errors
///
/// If the list is too long, its name is no name of a pulse, or the storage fails.
pub fn import(
    storage: &Storage,
    list: &List,
    indicators: &[Indicator],
    warnings: &Warnings,
) -> Result<Imported> {
    let mut done = Imported::default();
    let mut drafts: Vec<IndicatorDraft> = Vec::new();
    let mut seen = HashSet::new();
    for indicator in indicators {
        let text = indicator.value.to_string();
        let draft = type_of(indicator).and_then(|of| IndicatorDraft::new(of, &text).ok());
        match draft {
            Some(mut draft) if seen.insert((draft.kind, draft.norm.clone())) => {
                // What is on the list is meant for as long as it is there.
                draft.expiry = indicator.context.valid_until.into();
                draft.is_flagged = !warnings.of(&draft).is_empty();
                drafts.push(draft);
            }
            Some(_) => {}
            None => done.skipped += 1,
        }
    }
    let parts = parts_of(drafts.len());
    if parts > MAX_PULSES {
        let most = MAX_PULSES * PER_PULSE;
        return Err(Error::usage(format!("the list has more than {most} values")));
    }
    let mut known = existing(storage, list)?;
    for (at, shard) in shards(drafts, parts).into_iter().enumerate() {
        let name = name_of(&list.name, at, parts);
        match known.remove(&name) {
            Some(pulse) => update(storage, list, (&pulse, shard), &mut done)?,
            None => create(storage, list, (name, shard), &mut done)?,
        }
    }
    // What is left belongs to a longer version of the list.
    for pulse in known.into_values() {
        let (author, id) = (list.author, pulse.id);
        storage.write(move |writes| writes.delete_pulse(author, &id))?;
        done.changed += 1;
    }
    Ok(done)
}

/// How many pulses so many values become.
pub(super) fn parts_of(values: usize) -> usize {
    values.div_ceil(PER_PULSE).max(1).next_power_of_two()
}

/// Values by the pulse that they are in: always the same one, as long as there are as many.
pub(super) fn shards(drafts: Vec<IndicatorDraft>, parts: usize) -> Vec<Vec<IndicatorDraft>> {
    let mut shards: Vec<Vec<IndicatorDraft>> = vec![Vec::new(); parts];
    for draft in drafts {
        let id = value_id(draft.kind, &draft.norm);
        shards[usize::from(u16::from_be_bytes([id[0], id[1]])) % parts].push(draft);
    }
    shards
}

/// The name of a part of a list.
fn name_of(name: &str, at: usize, parts: usize) -> String {
    if parts == 1 {
        return name.to_string();
    }
    let end = format!(" {:04}/{parts:04}", at + 1);
    let short: String = name.chars().take(MAX_NAME - end.len()).collect();
    format!("{short}{end}")
}

/// The pulses of the list that are there already, by name.
fn existing(storage: &Storage, list: &List) -> Result<HashMap<String, Pulse>> {
    let viewer = Viewer::User(list.author);
    let pulses = storage.read(|view| view.pulses(viewer, &PulseQuery::of(Selection::Own)))?;
    let is_part = |name: &str| {
        name == list.name
            || name.rsplit_once(' ').is_some_and(|(head, end)| {
                let is_end = end.len() == 9
                    && end.bytes().enumerate().all(|(at, byte)| match at {
                        4 => byte == b'/',
                        _ => byte.is_ascii_digit(),
                    });
                is_end && list.name.starts_with(head)
            })
    };
    let parts = pulses.into_iter().filter(|pulse| is_part(&pulse.name));
    Ok(parts.map(|pulse| (pulse.name.clone(), pulse)).collect())
}

fn create(
    storage: &Storage,
    list: &List,
    (name, indicators): (String, Vec<IndicatorDraft>),
    done: &mut Imported,
) -> Result<()> {
    let count = indicators.len() as u64;
    // The same rules as for people.
    let now = crate::clock::now();
    let mut draft = Draft::from_json(&serde_json::json!({"name": name}), now)
        .map_err(|invalid| Error::usage(invalid.detail()))?;
    draft.tlp = list.tlp;
    draft.is_public = list.tlp <= Tlp::Green;
    draft.lists = Lists { tags: list.tags.clone(), ..Lists::default() };
    draft.indicators = indicators;
    let author = list.author;
    storage.write(move |writes| writes.create_pulse(author, &draft, (true, None)))?;
    done.created += 1;
    done.added += count;
    Ok(())
}

fn update(
    storage: &Storage,
    list: &List,
    (pulse, indicators): (&Pulse, Vec<IndicatorDraft>),
    done: &mut Imported,
) -> Result<()> {
    let query = IndicatorQuery { which: Which::Inactive, ..IndicatorQuery::default() };
    let had = storage.read(|view| view.indicators(pulse.key, &query))?;
    let mut old: HashMap<(Type, String), i64> =
        had.into_iter().map(|of| ((of.kind, of.norm), of.id)).collect();
    let mut patch = Patch { reason: "imported".into(), ..Patch::default() };
    for draft in indicators {
        if old.remove(&(draft.kind, draft.norm.clone())).is_none() {
            patch.add.push(draft);
        }
    }
    patch.remove = old.into_values().collect();
    patch.remove.sort_unstable();
    if patch.add.is_empty() && patch.remove.is_empty() {
        return Ok(());
    }
    done.changed += 1;
    done.added += patch.add.len() as u64;
    done.removed += patch.remove.len() as u64;
    let (author, id) = (list.author, pulse.id);
    storage.write(move |writes| writes.patch_pulse(author, &id, &patch))?;
    Ok(())
}
