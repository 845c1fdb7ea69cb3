//! SQLite: one file, one process that writes, readers beside it (WAL).

use super::session::{
    Access, Columns, Database, Each, Fault, Param, Place, Result, Row, Session, Words, WordsQuery,
};
use super::value::{ToSql, Value};
use crate::engine::error::{Error, Result as Outcome};
use rusqlite::backup::Backup;
use rusqlite::config::DbConfig;
use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{CachedStatement, Connection, ErrorCode, OpenFlags};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Pages of one step of a backup. The writer waits no longer than a step takes.
const STEP: i32 = 1024;

/// Pages of SQLite's cache for each connection, in KiB: what a server of 256 MiB can spare.
const CACHE: i64 = 4 << 10;

/// A database in a file.
#[derive(Clone, Debug)]
pub(crate) struct File {
    path: PathBuf,
}

impl File {
    /// The database in this file.
    pub(crate) fn at(path: &Path) -> File {
        File { path: path.to_path_buf() }
    }

    /// Opens the file to look at it: nothing in it or beside it changes.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub(crate) fn look(&self) -> Outcome<Box<dyn Session>> {
        let session = Connection::open_with_flags(&self.path, OpenFlags::SQLITE_OPEN_READ_ONLY);
        Ok(Box::new(session.map_err(|error| self.failed(error))?))
    }

    /// Copies the database to a new file, also while a server uses it.
    ///
    /// # Errors
    ///
    /// If either cannot be used.
    pub(crate) fn copy(&self, target: &Path) -> Outcome<()> {
        let copy = || -> rusqlite::Result<()> {
            let from = self.open(Access::Read)?;
            let mut to = Connection::open(target)?;
            let backup = Backup::new(&from, &mut to)?;
            backup.run_to_completion(STEP, Duration::from_millis(1), None)?;
            drop(backup);
            // One file, without a journal beside it.
            to.pragma_update(None, "journal_mode", "DELETE")
        };
        copy().map_err(|error| self.failed(error))
    }

    fn open(&self, access: Access) -> rusqlite::Result<Connection> {
        let writes = access != Access::Read;
        let flags = match writes {
            true => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
            false => OpenFlags::SQLITE_OPEN_READ_WRITE,
        };
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(128);
        // Plans do not depend on the values of parameters. When they did, SQLite compiled most statements
        // again for each request, which took nine tenths of the time of a poll.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // NORMAL loses acknowledged commits with the power.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // A commit of a thousand indicators is larger than the usual 4 MB, and pages that are
        // copied into the database are written twice.
        connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
        connection.pragma_update(None, "cache_size", -CACHE * if writes { 8 } else { 1 })?;
        connection.pragma_update(None, "query_only", if writes { "OFF" } else { "ON" })?;
        Ok(connection)
    }

    fn failed(&self, error: rusqlite::Error) -> Error {
        Error::from(Fault::from(error)).at_path(&self.path)
    }
}

impl Database for File {
    fn connect(&self, access: Access) -> Outcome<Box<dyn Session>> {
        Ok(Box::new(self.open(access).map_err(|error| self.failed(error))?))
    }

    fn name(&self) -> String {
        self.path.to_string_lossy().into_owned()
    }
}

impl From<rusqlite::Error> for Fault {
    /// A full or damaged database is for the operator to solve.
    fn from(error: rusqlite::Error) -> Fault {
        let fault = Fault::new(error.to_string());
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => fault.remedy("the disk is full: make room"),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                fault.remedy("check it with `wiresift exchange check`, or restore a backup")
            }
            _ => fault,
        }
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Value::Null => ValueRef::Null,
            Value::Integer(number) => ValueRef::Integer(*number),
            Value::Text(text) => ValueRef::Text(text.as_bytes()),
            Value::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}

impl Columns for rusqlite::Row<'_> {
    fn value(&self, at: usize) -> Result<Value<'_>> {
        Ok(match self.get_ref(at)? {
            ValueRef::Null => Value::Null,
            ValueRef::Integer(number) => Value::Integer(number),
            ValueRef::Text(text) => Value::Text(
                std::str::from_utf8(text)
                    .map_err(|_| Fault::new(format!("column {at} is not UTF-8")))?,
            ),
            ValueRef::Blob(bytes) => Value::Bytes(bytes),
            ValueRef::Real(_) => return Err(Fault::new(format!("column {at} is a fraction"))),
        })
    }
}

/// A statement with those of the parameters that it has.
fn bound<'c>(
    connection: &'c Connection,
    sql: &str,
    params: &[Param<'_>],
) -> Result<CachedStatement<'c>> {
    let mut statement = connection.prepare_cached(sql)?;
    for (name, value) in params {
        if let Some(index) = statement.parameter_index(name)? {
            statement.raw_bind_parameter(index, value.value())?;
        }
    }
    Ok(statement)
}

impl Session for Connection {
    fn query(&self, sql: &str, params: &[Param<'_>], each: &mut Each<'_>) -> Result<()> {
        let mut statement = bound(self, sql, params)?;
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if !each(&Row(row))? {
                break;
            }
        }
        Ok(())
    }

    fn query_rows(&self, sql: &str, values: &[&dyn ToSql], each: &mut Each<'_>) -> Result<()> {
        let mut statement = self.prepare_cached(sql)?;
        for (value, number) in values.iter().zip(1..) {
            // Parameters are numbered in the order in which they appear.
            statement.raw_bind_parameter(number, value.value())?;
        }
        let mut rows = statement.raw_query();
        while let Some(row) = rows.next()? {
            if !each(&Row(row))? {
                break;
            }
        }
        Ok(())
    }

    fn run(&self, sql: &str, params: &[Param<'_>]) -> Result<usize> {
        Ok(bound(self, sql, params)?.raw_execute()?)
    }

    fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.execute_batch(sql)?)
    }

    fn begin(&self, access: Access) -> Result<()> {
        let sql = match access {
            Access::Read => "BEGIN",
            // Waits for another process that writes: an operator's command.
            Access::Write | Access::Migrate => "BEGIN IMMEDIATE",
        };
        self.run(sql, &[]).map(drop)
    }

    fn commit(&self) -> Result<()> {
        // Prepared once: a request begins and ends several transactions.
        self.run("COMMIT", &[]).map(drop)
    }

    fn reset(&self) -> bool {
        // A statement that failed may have ended the transaction, or not.
        self.is_autocommit() || self.batch("ROLLBACK").is_ok()
    }

    fn version(&self) -> Result<i64> {
        Ok(self.query_row("PRAGMA user_version", [], |row| row.get(0))?)
    }

    fn migrate(&self, sql: &str, version: i64) -> Result<()> {
        self.batch(sql)?;
        Ok(self.pragma_update(None, "user_version", version)?)
    }

    fn put_words(&self, pulse: i64, words: Words<'_>) -> Result<()> {
        self.drop_words(pulse)?;
        self.run(
            "INSERT INTO words (rowid, name, labels, text) VALUES (:pulse, :name, :labels, :text)",
            &[
                (":pulse", &pulse),
                (":name", &words.name),
                (":labels", &words.labels),
                (":text", &words.text),
            ],
        )?;
        Ok(())
    }

    fn drop_words(&self, pulse: i64) -> Result<()> {
        self.run("DELETE FROM words WHERE rowid = :pulse", &[(":pulse", &pulse)])?;
        Ok(())
    }

    fn search_words(&self, terms: &[String]) -> WordsQuery {
        // Quoted, so that no character of a term is an operator.
        let quoted: Vec<String> =
            terms.iter().map(|term| format!("\"{}\"", term.replace('"', "\"\""))).collect();
        WordsQuery {
            relation: "(SELECT rowid AS found, bm25(words, 8.0, 4.0, 1.0) AS score \
                       FROM words WHERE words MATCH :words)",
            words: quoted.join(" "),
        }
    }

    fn search_words_in(&self, place: Place, terms: &[String]) -> Option<WordsQuery> {
        let words = self.search_words(terms).words.replace("\" \"", "\" AND \"");
        Some(WordsQuery {
            // Without a score: to compute it takes longer than to find them.
            relation: "(SELECT rowid AS found FROM words WHERE words MATCH :words)",
            words: match place {
                Place::Name => format!("name : ({words})"),
                Place::Labels => format!("labels : ({words})"),
                Place::Anywhere => words,
            },
        })
    }

    fn size(&self) -> Result<Option<i64>> {
        let sql =
            "SELECT c.page_count * s.page_size FROM pragma_page_count() c, pragma_page_size() s";
        Ok(Some(self.query_row(sql, [], |row| row.get(0))?))
    }

    fn texts_of(&self, param: &str) -> String {
        format!("(SELECT value FROM json_each({param}))")
    }

    fn numbers_of(&self, param: &str) -> String {
        format!("(SELECT value FROM json_each({param}))")
    }

    fn note_key(&self, _: &str) -> Result<()> {
        // The next key is one more than the highest.
        Ok(())
    }

    fn damage(&self) -> Result<Vec<String>> {
        let mut problems = Vec::new();
        self.query("PRAGMA integrity_check(20)", &[], &mut |row| {
            let line: String = row.get(0)?;
            if line != "ok" {
                problems.push(line);
            }
            Ok(true)
        })?;
        let sql = "SELECT COUNT(*) FROM pragma_foreign_key_check";
        let count: i64 = self.query_row(sql, [], |row| row.get(0))?;
        if count > 0 {
            problems.push(format!("{count} references to rows that are gone"));
        }
        Ok(problems)
    }

    fn tidy(&self) {
        // Nothing is lost if it fails.
        let _ = self.batch("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)");
    }
}
