//! Databases of parts of a set: what it would be without a group, or without one kind of it.
//!
//! They are compiled from the entries of the database that is judged, since the feeds are not at
//! hand. What guards and warning lists decided then stays decided.

use super::Bench;
use crate::Result;
use crate::engine::compile::{Compiler, Options};
use crate::engine::database::{Claim, Database};
use crate::engine::indicator::url::Scheme;
use crate::engine::indicator::{Indicator, Kind, Scope};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A part of a set. Groups have the numbers of [`Bench::groups`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subset {
    /// All of it.
    Whole,
    /// All except a group.
    Without(u32),
    /// All except what a group has of one kind.
    WithoutKind(u32, Kind),
    /// A group, and allow lists.
    Alone(u32),
}

impl Subset {
    /// Whether a claim of this group and kind is in it; `None` is an allow list.
    fn has(self, group: Option<u32>, kind: Kind) -> bool {
        match (self, group) {
            (Subset::Whole, _) | (_, None) => true,
            (Subset::Without(left_out), Some(group)) => group != left_out,
            (Subset::WithoutKind(left_out, of), Some(group)) => group != left_out || kind != of,
            (Subset::Alone(only), Some(group)) => group == only,
        }
    }
}

/// A set, ready to be compiled in parts.
pub struct Parts<'b> {
    bench: &'b Bench<'b>,
    whole: Compiler,
}

impl std::fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts").field("values", &self.whole.len()).finish_non_exhaustive()
    }
}

impl Parts<'_> {
    /// Compiles a part of the set: the bytes of a database.
    ///
    /// # Errors
    ///
    /// There is more than the format can hold, which the whole set had not.
    pub fn compile(&self, subset: Subset) -> Result<Vec<u8>> {
        let groups = &self.bench.groups;
        let part = self.whole.part(&|context, kind| subset.has(groups.number(context), kind));
        part.into_bytes(self.bench.database.built())
    }
}

impl Bench<'_> {
    /// Compiles a part of the set: the bytes of a database. Of several parts, [`Self::parts`] is
    /// faster.
    ///
    /// # Errors
    ///
    /// There is more than the format can hold, which the whole set had not.
    pub fn compile(&self, subset: Subset) -> Result<Vec<u8>> {
        self.parts().compile(subset)
    }

    /// Makes parts of the set ready to be compiled: they share its strings, and their order.
    pub fn parts(&self) -> Parts<'_> {
        let database = self.database;
        let context = |number| Arc::new(database.context(number).unwrap_or_default().into_owned());
        let contexts: Vec<_> = (0..database.contexts() as u32).map(context).collect();
        // The guards have judged all of it before.
        let mut compiler = Compiler::new(Options::default().wide(true).suffixes(true));
        compiler.set_subscribed(database.summary().subscribed.clone());
        let of = |claim: &Claim| contexts.get(claim.context as usize).map(Arc::clone);
        database.each_value(&mut |listed, posting| {
            for claim in database.claims(posting) {
                let Some(context) = of(&claim) else { continue };
                let Claim { kind, scope, scheme, .. } = claim;
                let value = listed.value(scheme);
                compiler.add(Indicator { kind, value, scope, raw: None, context });
            }
        });
        for row in database.withheld() {
            for claim in database.claims(row.posting) {
                if let Some(context) = of(&claim) {
                    compiler.keep_out((row.kind, row.scope, row.reason), row.value, context);
                }
            }
        }
        compiler.sort();
        Parts { bench: self, whole: compiler }
    }

    /// The values that each group has of each kind.
    pub fn kinds(&self) -> BTreeMap<(u32, Kind), u64> {
        let database: &Database = self.database;
        let group_of = |number| self.groups.number(&database.context(number)?);
        let groups: Vec<_> = (0..database.contexts() as u32).map(group_of).collect();
        let mut kinds: BTreeMap<(u32, Kind), u64> = BTreeMap::new();
        let mut rows: Vec<(u32, Kind, Scheme, Option<Scope>)> = Vec::new();
        database.each_value(&mut |_, posting| {
            rows.clear();
            for claim in database.claims(posting) {
                let group = groups.get(claim.context as usize).copied().flatten();
                // Two patterns may have the same text.
                let is_pattern = matches!(claim.scope, Scope::Wildcard | Scope::Regex);
                let scope = is_pattern.then_some(claim.scope);
                rows.extend(group.map(|group| (group, claim.kind, claim.scheme, scope)));
            }
            rows.sort_unstable();
            rows.dedup();
            for (group, kind, ..) in &rows {
                *kinds.entry((*group, *kind)).or_default() += 1;
            }
        });
        kinds
    }
}
