//! Versions of the schema, in order. A version that was released is never edited.

use super::statements::failed;
use crate::engine::error::{Error, Result};
use rusqlite::Connection;

/// What leads from each version to the next. The version is SQLite's `user_version`.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_objects.sql"),
    include_str!("migrations/0003_circle.sql"),
    include_str!("migrations/0004_people.sql"),
];

/// Brings the schema up to date. Returns the version it had.
pub(super) fn migrate(connection: &mut Connection) -> Result<usize> {
    let version: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    let version = usize::try_from(version).unwrap_or(usize::MAX);
    if version > MIGRATIONS.len() {
        return Err(Error::database(format!(
            "the storage has version {version}, and this program knows versions up to {}",
            MIGRATIONS.len()
        ))
        .remedy("use the newer program that wrote it"));
    }
    for (at, sql) in MIGRATIONS.iter().enumerate().skip(version) {
        let step = connection.transaction().map_err(failed)?;
        step.execute_batch(sql).map_err(failed)?;
        step.pragma_update(None, "user_version", (at + 1) as i64).map_err(failed)?;
        step.commit().map_err(failed)?;
    }
    Ok(version)
}
