//! Changes of a pulse, as clients ask for them: scalars replace, lists take additions and
//! removals, indicators also edits.

use super::draft::{
    Expiry, entries_of, expiry_of, flag_of, groups_of, indicators_of, line_of, lists_mut, name_of,
    prose_of, take, tlp_of,
};
use super::{IndicatorDraft, Invalid, Lists, MAX_INDICATORS};
use crate::engine::indicator::{Timestamp, Tlp};
use crate::exchange::accounts::GroupId;
use serde_json::{Map, Value};

/// A change of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListPatch<T> {
    /// The new entries.
    Replace(Vec<T>),
    /// Entries to add, and to remove.
    Change {
        /// To add.
        add: Vec<T>,
        /// To remove.
        remove: Vec<T>,
    },
}

impl<T: PartialEq + Clone> ListPatch<T> {
    /// Applies it. Returns whether anything changed.
    pub fn apply(&self, list: &mut Vec<T>) -> bool {
        let before = list.clone();
        match self {
            ListPatch::Replace(new) => list.clone_from(new),
            ListPatch::Change { add, remove } => {
                list.retain(|entry| !remove.contains(entry));
                for entry in add {
                    if !list.contains(entry) {
                        list.push(entry.clone());
                    }
                }
            }
        }
        *list != before
    }
}

/// A change of an indicator; what is absent stays.
#[derive(Clone, Debug, PartialEq)]
pub struct Edit {
    /// Its number in the pulse.
    pub id: i64,
    /// The new title.
    pub title: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// The new content.
    pub content: Option<String>,
    /// The new role.
    pub role: Option<String>,
    /// When it ends.
    pub(in crate::exchange) expiry: Option<Expiry>,
    /// Whether it is to be matched.
    pub is_active: Option<bool>,
}

/// A change of a pulse; what is absent stays.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Patch {
    /// The new name.
    pub name: Option<String>,
    /// The new description.
    pub description: Option<String>,
    /// Whether it is public.
    pub is_public: Option<bool>,
    /// The new TLP.
    pub tlp: Option<Tlp>,
    /// The new actor.
    pub adversary: Option<String>,
    /// Changes of the lists, by name.
    pub lists: Vec<(&'static str, ListPatch<String>)>,
    /// Changes of the groups.
    pub groups: Option<ListPatch<GroupId>>,
    /// Indicators to add.
    pub add: Vec<IndicatorDraft>,
    /// Indicators to change.
    pub edit: Vec<Edit>,
    /// Indicators to remove, by their numbers.
    pub remove: Vec<i64>,
    /// Why, for the history.
    pub reason: String,
    /// Whether it follows a source of the operator, whose changes are reviewed before.
    pub(in crate::exchange) is_imported: bool,
}

impl Patch {
    /// Reads the body of a PATCH.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn from_json(body: &Value, now: Timestamp) -> Result<Patch, Invalid> {
        let Value::Object(members) = body else {
            return Err(Invalid::of("body", "expected a JSON object"));
        };
        let mut invalid = Invalid::default();
        let mut patch = Patch {
            name: take(&mut invalid, "name", name_of(members)).flatten(),
            description: take(&mut invalid, "description", prose_of(members, "description"))
                .flatten(),
            is_public: take(&mut invalid, "public", flag_of(members, "public")).flatten(),
            tlp: take(&mut invalid, "TLP", tlp_of(members)).flatten(),
            adversary: take(&mut invalid, "adversary", line_of(members, "adversary")).flatten(),
            reason: take(&mut invalid, "reason", line_of(members, "reason"))
                .flatten()
                .unwrap_or_default(),
            ..Patch::default()
        };
        for (name, _) in lists_mut(&mut Lists::default()) {
            let read = |value: Option<&Value>| entries_of(name, value);
            if let Some(change) = change_of(members.get(name), name, read, &mut invalid) {
                patch.lists.push((name, change));
            }
        }
        patch.groups = change_of(members.get("group_ids"), "group_ids", groups_of, &mut invalid);
        patch.indicators_of(members.get("indicators"), now, &mut invalid);
        invalid.unless_empty(patch)
    }

    /// Applies the changes of lists. Returns whether anything changed.
    pub fn apply_lists(&self, lists: &mut Lists) -> bool {
        let mut changed = false;
        for (name, list) in lists_mut(lists) {
            for (of, change) in &self.lists {
                changed |= *of == name && change.apply(list);
            }
        }
        changed
    }

    /// Reads `indicators`: `{"add": [], "edit": [], "remove": []}`.
    fn indicators_of(&mut self, value: Option<&Value>, now: Timestamp, invalid: &mut Invalid) {
        let members = match value {
            None | Some(Value::Null) => return,
            Some(Value::Object(members)) => members,
            Some(_) => {
                invalid.add("indicators", "expected an object with “add”, “edit”, “remove”");
                return;
            }
        };
        self.add = indicators_of(members.get("add"), now, invalid);
        for (at, entry) in items(members, "edit", invalid).iter().enumerate() {
            match Edit::from_json(entry, now) {
                Ok(edit) => self.edit.push(edit),
                Err(message) => invalid.add(&format!("indicators.edit[{at}]"), message),
            }
        }
        for (at, entry) in items(members, "remove", invalid).iter().enumerate() {
            match id_of(entry) {
                Some(id) => self.remove.push(id),
                None => invalid.add(&format!("indicators.remove[{at}]"), "expected an id"),
            }
        }
    }
}

/// The entries of a list of objects. A list that is too long is an error, and has none.
fn items<'m>(members: &'m Map<String, Value>, name: &str, invalid: &mut Invalid) -> &'m [Value] {
    match members.get(name) {
        Some(Value::Array(list)) if list.len() <= MAX_INDICATORS => list,
        None | Some(Value::Null) => &[],
        Some(Value::Array(_)) => {
            invalid.add(name, format!("at most {MAX_INDICATORS} indicators are allowed"));
            &[]
        }
        Some(_) => {
            invalid.add(name, "expected a list");
            &[]
        }
    }
}

/// The number of an indicator: `{"id": 5}`, or 5, or the same as text.
fn id_of(value: &Value) -> Option<i64> {
    let value = value.get("id").unwrap_or(value);
    value.as_i64().or_else(|| value.as_str()?.parse().ok())
}

impl Edit {
    fn from_json(value: &Value, now: Timestamp) -> Result<Edit, String> {
        let id = id_of(value).ok_or("expected an object with “id”")?;
        let Value::Object(members) = value else {
            return Err("expected an object with “id”".into());
        };
        Ok(Edit {
            id,
            title: line_of(members, "title")?,
            description: prose_of(members, "description")?,
            content: prose_of(members, "content")?,
            role: line_of(members, "role")?,
            expiry: expiry_of(members, now)?,
            is_active: flag_of(members, "is_active")?,
        })
    }
}

/// A change of a list: a list, which replaces, or an object with additions and removals.
fn change_of<T>(
    value: Option<&Value>,
    name: &str,
    read: impl Fn(Option<&Value>) -> Result<Vec<T>, String>,
    invalid: &mut Invalid,
) -> Option<ListPatch<T>> {
    match value {
        None | Some(Value::Null) => None,
        Some(Value::Object(members)) => Some(ListPatch::Change {
            add: take(invalid, name, read(members.get("add")))?,
            remove: take(invalid, name, read(members.get("remove")))?,
        }),
        Some(list) => take(invalid, name, read(Some(list))).map(ListPatch::Replace),
    }
}

#[cfg(test)]
mod tests;
