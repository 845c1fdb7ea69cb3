//! Brings the pulses of a source up to date with what it sends now.

use super::collect::{Collected, Collection};
use super::target::{Target, Targets};
use crate::engine::error::Result;
use crate::exchange::accounts::{UserId, Viewer};
use crate::exchange::import::{parts_of, shards};
use crate::exchange::pulses::{
    Draft, Edit, Indicator, IndicatorDraft, ListPatch, Lists, MAX_NAME, Patch, Pulse, PulseId,
    State, Type,
};
use crate::exchange::site::Warnings;
use crate::exchange::storage::{IndicatorQuery, PulseQuery, Selection, Storage, Which};
use std::collections::HashMap;

/// What became of the pulses of a source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Brought {
    /// Pulses created.
    pub created: u64,
    /// Pulses changed.
    pub changed: u64,
    /// Pulses deleted, because the source has them no more.
    pub deleted: u64,
    /// Pulses that somebody else published here.
    pub elsewhere: u64,
    /// Pulses that could not be stored; the first reason.
    pub failed: Option<(u64, String)>,
    /// Values added.
    pub added: u64,
    /// Values removed.
    pub removed: u64,
    /// Values that pulses cannot have.
    pub skipped: u64,
    /// Values of TLP amber or red, which are not for everybody.
    pub restricted: u64,
}

/// Brings the pulses of an account up to date.
///
/// # Errors
///
/// The storage fails. What a single pulse fails for is counted.
pub(super) fn bring(
    storage: &Storage,
    (account, name): (UserId, &str),
    collection: Collection,
    warnings: &Warnings,
) -> Result<Brought> {
    let Collection { pulses, skipped, restricted } = collection;
    let mut done = Brought { skipped, restricted, ..Brought::default() };
    let viewer = Viewer::User(account);
    let own = storage.read(|view| view.pulses(viewer, &PulseQuery::of(Selection::Own)))?;
    let mut targets = Targets::new(account, name, own);
    for (origin, mut pulse) in pulses {
        for draft in &mut pulse.indicators {
            draft.is_flagged = !warnings.of(draft).is_empty();
        }
        let drafts = std::mem::take(&mut pulse.indicators);
        let parts = parts_of(drafts.len());
        for (part, shard) in shards(drafts, parts).into_iter().enumerate() {
            let target = storage.read(|view| targets.of(view, &origin, part))?;
            let content = Content { name: part_name(&pulse.name, part, parts), pulse: &pulse };
            let outcome = match target {
                Target::Known(known) => {
                    update(storage, account, (&content, &known, shard), &mut done)
                }
                Target::New(id) => create(storage, account, (&content, id, shard), &mut done),
                Target::Elsewhere => {
                    done.elsewhere += 1;
                    Ok(())
                }
            };
            if let Err(error) = outcome {
                let failed = done.failed.get_or_insert_with(|| (0, error.to_string()));
                failed.0 += 1;
            }
        }
    }
    for id in targets.rest() {
        storage.write(move |writes| writes.delete_pulse(account, &id))?;
        done.deleted += 1;
    }
    Ok(done)
}

/// A pulse to be stored, without its indicators.
struct Content<'a> {
    name: String,
    pulse: &'a Collected,
}

/// The name of a part.
fn part_name(name: &str, part: usize, parts: usize) -> String {
    if parts == 1 {
        return name.to_string();
    }
    let end = format!(" {}/{parts}", part + 1);
    let short: String = name.chars().take(MAX_NAME - end.len()).collect();
    format!("{}{end}", short.trim_end())
}

fn create(
    storage: &Storage,
    account: UserId,
    (content, id, indicators): (&Content<'_>, PulseId, Vec<IndicatorDraft>),
    done: &mut Brought,
) -> Result<()> {
    let count = indicators.len() as u64;
    let draft = Draft {
        name: content.name.clone(),
        description: content.pulse.description.clone(),
        is_public: true,
        tlp: content.pulse.tlp,
        adversary: content.pulse.adversary.clone(),
        lists: content.pulse.lists.clone(),
        groups: Vec::new(),
        indicators,
    };
    storage.write(move |writes| writes.create_pulse_as(id, account, &draft, (true, None)))?;
    done.created += 1;
    done.added += count;
    Ok(())
}

fn update(
    storage: &Storage,
    account: UserId,
    (content, known, indicators): (&Content<'_>, &Pulse, Vec<IndicatorDraft>),
    done: &mut Brought,
) -> Result<()> {
    let mut patch = patch_of(content, known);
    let query = IndicatorQuery { which: Which::Inactive, ..IndicatorQuery::default() };
    let had = storage.read(|view| view.indicators(known.key, &query))?;
    let mut old: HashMap<(Type, String), Indicator> =
        had.into_iter().map(|of| ((of.kind, of.norm.clone()), of)).collect();
    for draft in indicators {
        match old.remove(&(draft.kind, draft.norm.clone())) {
            None => patch.add.push(draft),
            Some(is) => patch.edit.extend(edit_of(&is, &draft)),
        }
    }
    patch.remove = old.into_values().map(|of| of.id).collect();
    patch.remove.sort_unstable();
    if patch == (Patch { is_imported: true, ..Patch::default() }) {
        return Ok(());
    }
    patch.reason = "imported".into();
    done.changed += 1;
    done.added += patch.add.len() as u64;
    done.removed += patch.remove.len() as u64;
    let id = known.id;
    storage.write(move |writes| writes.patch_pulse(account, &id, &patch).map(drop))?;
    Ok(())
}

/// What is to be changed about a pulse.
fn patch_of(content: &Content<'_>, known: &Pulse) -> Patch {
    let new = content.pulse;
    let text = |is: &String, new: &String| (is != new).then(|| new.clone());
    let mut patch = Patch {
        name: text(&known.name, &content.name),
        description: text(&known.description, &new.description),
        adversary: text(&known.adversary, &new.adversary),
        tlp: (known.tlp != new.tlp).then_some(new.tlp),
        is_imported: true,
        ..Patch::default()
    };
    let lists = |of: &Lists| {
        [
            ("tags", of.tags.clone()),
            ("references", of.references.clone()),
            ("malware_families", of.malware_families.clone()),
            ("attack_ids", of.attack_ids.clone()),
        ]
    };
    for ((name, is), (_, new)) in lists(&known.lists).into_iter().zip(lists(&new.lists)) {
        if is != new {
            patch.lists.push((name, ListPatch::Replace(new)));
        }
    }
    patch
}

/// What is to be changed about an indicator that is there.
fn edit_of(is: &Indicator, new: &IndicatorDraft) -> Option<Edit> {
    let text = |is: &String, new: &String| (is != new).then(|| new.clone());
    let ends = new.expiry.at_all();
    let now = crate::clock::now();
    let should_be_active = ends.is_none_or(|end| end > now);
    let edit = Edit {
        id: is.id,
        title: text(&is.title, &new.title),
        description: text(&is.description, &new.description),
        content: None,
        role: None,
        expiry: (is.expiration != ends).then_some(new.expiry),
        is_active: (should_be_active && is.state != State::Active).then_some(true),
    };
    let is_same = edit.title.is_none()
        && edit.description.is_none()
        && edit.expiry.is_none()
        && edit.is_active.is_none();
    (!is_same).then_some(edit)
}
