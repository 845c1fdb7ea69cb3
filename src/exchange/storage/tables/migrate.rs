//! Versions of the schema, in order. A version that was released is never edited.

use super::statements::{Connection, failed};
use crate::engine::error::{Error, Result};
use crate::exchange::storage::engine::Access;

/// What leads from each version to the next.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_first.sql"),
    include_str!("migrations/0002_objects.sql"),
    include_str!("migrations/0003_circle.sql"),
    include_str!("migrations/0004_people.sql"),
];

/// Brings the schema up to date, each step within a transaction. Returns the version it had.
///
/// # Errors
///
/// If the database is newer than this program, or cannot be written.
pub(super) fn migrate(connection: &Connection) -> Result<usize> {
    let version = connection.version().map_err(failed)?;
    if version == MIGRATIONS.len() as i64 {
        return Ok(MIGRATIONS.len());
    }
    let mut first = None;
    loop {
        // Another process that starts now waits here, and finds the step done.
        connection.begin(Access::Migrate).map_err(failed)?;
        let version = connection.version().map_err(failed)?;
        let version = usize::try_from(version).unwrap_or(usize::MAX);
        let before = *first.get_or_insert(version);
        if version > MIGRATIONS.len() {
            connection.reset();
            return Err(Error::database(format!(
                "the storage has version {version}, and this program knows versions up to {}",
                MIGRATIONS.len()
            ))
            .remedy("use the newer program that wrote it"));
        }
        let Some(sql) = MIGRATIONS.get(version) else {
            connection.reset();
            return Ok(before);
        };
        let step = connection.migrate(sql, version as i64 + 1).and_then(|()| connection.commit());
        if let Err(fault) = step {
            connection.reset();
            return Err(failed(fault));
        }
    }
}

/// Whether a version is the newest.
pub(super) fn is_current(version: usize) -> bool {
    version == MIGRATIONS.len()
}
