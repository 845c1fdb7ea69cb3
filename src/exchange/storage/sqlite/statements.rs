//! Statements with named parameters, and errors of SQLite as ours.

use crate::engine::error::Error;
use crate::exchange::storage::Denied;
use rusqlite::{CachedStatement, Connection, Row, ToSql};

/// A named parameter and its value.
pub(super) type Param<'a> = (&'a str, &'a dyn ToSql);

/// An error of SQLite. A locked or full database is for the operator to solve.
pub(super) fn failed(error: rusqlite::Error) -> Error {
    let kind = error.sqlite_error_code();
    let error =
        Error::io("use the storage of the exchange", std::io::Error::other(error.to_string()));
    match kind {
        Some(rusqlite::ErrorCode::DiskFull) => error.remedy("the disk is full: make room"),
        Some(rusqlite::ErrorCode::DatabaseCorrupt | rusqlite::ErrorCode::NotADatabase) => {
            error.remedy("check it with `wiresift exchange check`, or restore a backup")
        }
        _ => error,
    }
}

impl From<rusqlite::Error> for Denied {
    fn from(error: rusqlite::Error) -> Denied {
        Denied::Failed(failed(error))
    }
}

/// A statement with those of the parameters that it has.
pub(super) fn bound<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[Param<'_>],
) -> rusqlite::Result<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(sql)?;
    for (name, value) in params {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value)?;
        }
    }
    Ok(statement)
}

/// Reads the rows of a query one by one, until `read` answers `false`.
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<bool>,
) -> rusqlite::Result<()> {
    let mut statement = bound(connection, sql, params)?;
    let mut rows = statement.raw_query();
    while let Some(row) = rows.next()? {
        if !read(row)? {
            break;
        }
    }
    Ok(())
}

/// Every row of a query.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Vec<T>> {
    let mut statement = bound(connection, sql, params)?;
    let mut rows = statement.raw_query();
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

/// The first row of a query.
pub(super) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Option<T>> {
    let mut statement = bound(connection, sql, params)?;
    let mut rows = statement.raw_query();
    rows.next()?.map(read).transpose()
}

/// The number that a query answers; 0 if it answers none.
pub(super) fn number(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
) -> rusqlite::Result<i64> {
    let found = first(connection, sql, params, |row| row.get::<_, Option<i64>>(0))?;
    Ok(found.flatten().unwrap_or(0))
}

/// Runs a statement. Returns how many rows it changed.
pub(super) fn run(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
) -> rusqlite::Result<usize> {
    bound(connection, sql, params)?.raw_execute()
}

/// A count of rows.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
