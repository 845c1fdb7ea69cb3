//! What changed between two normalised forms.

use super::normal::Normal;
use super::payload::{Record, put_key};
use super::values::Values;
use crate::engine::indicator::Scope;
use hashbrown::HashSet;
use xxhash_rust::xxh3::xxh3_64;

/// What changed from one normalised form to the next.
#[derive(Clone, Debug, Default)]
pub struct Difference {
    /// The number of distinct indicators added.
    pub added: u64,
    /// The number of distinct indicators removed.
    pub removed: u64,
    /// Identifies the form before; `None` if there was none.
    pub(super) base: Option<(u64, u64)>,
    /// What came and left, by kind and value.
    pub(super) changes: ValueChanges,
}

/// The values that came and those that left.
#[derive(Clone, Debug, Default)]
pub(super) struct ValueChanges {
    pub(super) came: Values,
    pub(super) left: Values,
}

impl Difference {
    /// Compares two forms. One that does not exist is empty.
    pub fn between(old: Option<&Normal>, new: Option<&Normal>) -> Difference {
        let keys = |normal: Option<&Normal>| normal.map(Normal::keys).unwrap_or_default();
        let (old_keys, new_keys) = (keys(old), keys(new));
        let added = new_keys.iter().filter(|key| !old_keys.contains(*key)).count() as u64;
        let removed = old_keys.iter().filter(|key| !new_keys.contains(*key)).count() as u64;
        let came = if added > 0 { values(new, &old_keys) } else { Values::default() };
        let left = if removed > 0 { values(old, &new_keys) } else { Values::default() };
        let base = old.map(Normal::identity);
        Difference { added, removed, base, changes: ValueChanges { came, left } }
    }
}

/// The values of a form that are not in another one, in any scope.
fn values(normal: Option<&Normal>, other: &HashSet<u64>) -> Values {
    let mut values = Values::default();
    let Some(normal) = normal else { return values };
    let mut sibling = Vec::new();
    normal.each_record(|record| {
        let Record::Indicator(bytes, kind, scope, form, value) = record else { return };
        if other.contains(&xxh3_64(bytes)) {
            return;
        }
        let is_there = |scope: &Scope| {
            sibling.clear();
            sibling.extend_from_slice(bytes);
            // The scope is in the lower bits of the second byte.
            sibling[1] = sibling[1] & !7 | *scope as u8;
            other.contains(&xxh3_64(&sibling))
        };
        let is_pattern = scope.is_pattern();
        let mut scopes = Scope::ALL.iter().filter(|other| other.is_pattern() == is_pattern);
        if other.is_empty() || !scopes.any(is_there) {
            values.push_with(|key| put_key(kind, scope, (form, value), key));
        }
    });
    values.sort();
    values
}

/// All values of a form.
pub(super) fn values_of(normal: &Normal) -> Values {
    values(Some(normal), &HashSet::new())
}
