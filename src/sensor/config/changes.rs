//! What a reload changes.

use super::field::Pairs;
use super::table::Table as _;
use super::{Config, Input, Sink};
use std::collections::BTreeMap;

/// A table that is in both configurations, but differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// Whether its kind changed: then nothing that is remembered of it applies.
    pub is_other_kind: bool,
    /// The keys that differ.
    pub keys: Vec<String>,
}

/// Tables by how they changed. A disabled table counts as missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tables {
    /// The same in both: they keep running.
    pub unchanged: Vec<String>,
    /// In both, and different.
    pub changed: Vec<Changed>,
    /// New.
    pub added: Vec<String>,
    /// Removed.
    pub removed: Vec<String>,
}

/// What differs between two configurations.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Inputs, by name.
    pub inputs: Tables,
    /// Sinks, by name.
    pub sinks: Tables,
    /// Keys at the top of the file that differ: `state`, `database`, `allow`.
    pub top: Vec<String>,
    /// Keys of `[daemon]` that differ.
    pub daemon: Vec<String>,
    /// Keys of `[suppress]` that differ.
    pub suppress: Vec<String>,
}

impl Changes {
    /// Whether nothing differs. Feeds are not compared.
    pub fn is_empty(&self) -> bool {
        let is_same = |tables: &Tables| {
            tables.changed.is_empty() && tables.added.is_empty() && tables.removed.is_empty()
        };
        let lists = [&self.top, &self.daemon, &self.suppress];
        is_same(&self.inputs) && is_same(&self.sinks) && lists.iter().all(|list| list.is_empty())
    }
}

impl Config {
    /// The differences in a new configuration. The order of tables, comments, the order of keys and
    /// explicit defaults make no difference.
    pub fn changes(&self, new: &Config) -> Changes {
        let inputs = |config: &Config| -> Vec<(String, &'static str, Pairs)> {
            let row = |it: &Input| (it.name.clone(), it.kind.name(), it.pairs());
            config.active_inputs().map(row).collect()
        };
        let sinks = |config: &Config| -> Vec<(String, &'static str, Pairs)> {
            let row = |it: &Sink| (it.name.clone(), it.kind.name(), it.pairs());
            config.active_sinks().map(row).collect()
        };
        Changes {
            inputs: compare(inputs(self), inputs(new)),
            sinks: compare(sinks(self), sinks(new)),
            top: differences(&self.top().pairs(&()), &new.top().pairs(&())),
            daemon: differences(&self.daemon.pairs(&()), &new.daemon.pairs(&())),
            suppress: differences(&self.suppress.pairs(&()), &new.suppress.pairs(&())),
        }
    }
}

/// A table: its name, its kind, its keys.
type Row = (String, &'static str, Pairs);

fn compare(old: Vec<Row>, new: Vec<Row>) -> Tables {
    let mut old: BTreeMap<String, (&str, Pairs)> =
        old.into_iter().map(|(name, kind, pairs)| (name, (kind, pairs))).collect();
    let mut tables = Tables::default();
    for (name, kind, pairs) in new {
        match old.remove(&name) {
            None => tables.added.push(name),
            Some((old_kind, old_pairs)) => {
                let keys = differences(&old_pairs, &pairs);
                if keys.is_empty() {
                    tables.unchanged.push(name);
                } else {
                    let is_other_kind = old_kind != kind;
                    tables.changed.push(Changed { name, is_other_kind, keys });
                }
            }
        }
    }
    tables.removed = old.into_keys().collect();
    tables
}

/// The keys with different values, or that are only in one of the tables, in the order of the old
/// table, followed by the new one.
fn differences(old: &Pairs, new: &Pairs) -> Vec<String> {
    let of = |pairs: &Pairs, key: &str| -> Option<String> {
        pairs.iter().find(|(other, _)| other == key).map(|(_, value)| value.clone())
    };
    let mut keys = Vec::new();
    for (key, _) in old.iter().chain(new) {
        if of(old, key) != of(new, key) && !keys.contains(key) {
            keys.push(key.clone());
        }
    }
    keys
}
