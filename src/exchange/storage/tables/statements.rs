//! What is asked of a session, and its failures as ours.

use crate::engine::error::Error;
use crate::exchange::storage::Denied;
pub(super) use crate::exchange::storage::engine::{Fault, Param, Row, ToSql};
use crate::exchange::storage::engine::{FromSql, Session};

/// A session with the database.
pub(super) type Connection = dyn Session;

/// The outcome of a statement.
pub(super) type Fetched<T> = std::result::Result<T, Fault>;

/// A failure of the database as an error.
pub(super) fn failed(fault: Fault) -> Error {
    fault.into()
}

impl From<Fault> for Denied {
    fn from(fault: Fault) -> Denied {
        Denied::Failed(fault.into())
    }
}

/// Reads the rows of a query one by one, until `read` answers `false`.
pub(super) fn each(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    mut read: impl FnMut(&Row<'_>) -> Fetched<bool>,
) -> Fetched<()> {
    connection.query(sql, params, &mut read)
}

/// Every row of a query.
pub(super) fn all<T>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    mut read: impl FnMut(&Row<'_>) -> Fetched<T>,
) -> Fetched<Vec<T>> {
    let mut found = Vec::new();
    connection.query(sql, params, &mut |row| {
        found.push(read(row)?);
        Ok(true)
    })?;
    Ok(found)
}

/// The first row of a query.
pub(super) fn first<T>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
    read: impl FnOnce(&Row<'_>) -> Fetched<T>,
) -> Fetched<Option<T>> {
    let (mut read, mut found) = (Some(read), None);
    connection.query(sql, params, &mut |row| {
        if let Some(read) = read.take() {
            found = Some(read(row)?);
        }
        Ok(false)
    })?;
    Ok(found)
}

/// The value of the first column of the first row.
pub(super) fn value<T: FromSql>(
    connection: &Connection,
    sql: &str,
    params: &[Param<'_>],
) -> Fetched<Option<T>> {
    first(connection, sql, params, |row| row.get(0))
}

/// The number that a query answers; 0 if it answers none.
pub(super) fn number(connection: &Connection, sql: &str, params: &[Param<'_>]) -> Fetched<i64> {
    Ok(value::<Option<i64>>(connection, sql, params)?.flatten().unwrap_or(0))
}

/// Runs a statement. Returns how many rows it changed.
pub(super) fn run(connection: &Connection, sql: &str, params: &[Param<'_>]) -> Fetched<usize> {
    connection.run(sql, params)
}

/// A count of rows.
pub(super) fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
