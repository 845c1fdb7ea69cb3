//! The positions of tables and keys in a configuration, for problems that are found later.

use super::reader::Reader;
use std::collections::BTreeMap;

/// Offsets of tables and their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    tables: BTreeMap<(&'static str, String), Table>,
}

#[derive(Clone, Debug)]
struct Table {
    at: usize,
    keys: BTreeMap<String, usize>,
}

impl Places {
    /// Remembers the position of a table. The first one with a name counts.
    pub(super) fn remember(
        &mut self,
        of: &'static str,
        name: &str,
        at: usize,
        reader: &Reader<'_, '_>,
    ) {
        let keys = reader.places().map(|(key, at)| (key.to_string(), at)).collect();
        self.tables.entry((of, name.to_string())).or_insert(Table { at, keys });
    }

    /// The position of a key, or of its table.
    pub(super) fn find(&self, of: &'static str, name: &str, key: &str) -> Option<usize> {
        let table = self.tables.get(&(of, name.to_string()))?;
        Some(table.keys.get(key).copied().unwrap_or(table.at))
    }
}
