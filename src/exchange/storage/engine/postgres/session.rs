//! A connection to a server, and the runtime that it runs on.
//!
//! Whoever asks waits: the runtime is one of this thread, and the connection makes progress while
//! a question is asked.

use super::super::session::{
    Access, Columns, Each, Fault, Param, Place, Result, Row, Session, Words, WordsQuery,
};
use super::super::value::{Kind, ToSql as Parameter, Value};
use super::named::numbered;
use super::{schema, words};
use futures_util::TryStreamExt as _;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::error::Error as StdError;
use std::pin::pin;
use tokio::runtime::Runtime;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Client, Statement};

/// Prepared statements that are kept: some are composed for a question.
const STATEMENTS: usize = 256;

/// The number of the lock that migrations hold.
const LOCK: i64 = 0x7769_7265_7369_6674;

/// A session with a server.
pub(super) struct Connection {
    client: Client,
    /// `None` when it is being closed.
    runtime: Option<Runtime>,
    statements: RefCell<HashMap<String, Prepared>>,
    has_begun: Cell<bool>,
}

/// A statement that the server knows.
#[derive(Clone)]
struct Prepared {
    statement: Statement,
    names: std::sync::Arc<[String]>,
    kinds: Vec<Kind>,
}

/// A parameter as the client sends it.
enum Bound<'a> {
    Integer(Option<i64>),
    Text(Option<std::borrow::Cow<'a, str>>),
    Bytes(Option<&'a [u8]>),
}

impl<'a> Bound<'a> {
    fn new(kind: Kind, value: Value<'a>) -> Bound<'a> {
        match (kind, value) {
            (_, Value::Integer(number)) => Bound::Integer(Some(number)),
            // PostgreSQL has no U+0000 in texts. Nothing that is stored contains it; a question
            // may, and finds nothing.
            (_, Value::Text(text)) if text.contains('\0') => {
                Bound::Text(Some(text.replace('\0', "\u{fffd}").into()))
            }
            (_, Value::Text(text)) => Bound::Text(Some(text.into())),
            (_, Value::Bytes(bytes)) => Bound::Bytes(Some(bytes)),
            (Kind::Integer, Value::Null) => Bound::Integer(None),
            (Kind::Text, Value::Null) => Bound::Text(None),
            (Kind::Bytes, Value::Null) => Bound::Bytes(None),
        }
    }

    fn parameter(&self) -> &(dyn ToSql + Sync) {
        match self {
            Bound::Integer(number) => number,
            Bound::Text(text) => text,
            Bound::Bytes(bytes) => bytes,
        }
    }
}

impl<'a> FromSql<'a> for Value<'a> {
    fn from_sql(
        of: &Type,
        raw: &'a [u8],
    ) -> std::result::Result<Value<'a>, Box<dyn StdError + Sync + Send>> {
        Ok(match *of {
            Type::INT8 => Value::Integer(i64::from_sql(of, raw)?),
            Type::INT4 => Value::Integer(i32::from_sql(of, raw)?.into()),
            Type::INT2 => Value::Integer(i16::from_sql(of, raw)?.into()),
            Type::BOOL => Value::Integer(bool::from_sql(of, raw)?.into()),
            // Sums are of any size to the server.
            Type::NUMERIC => Value::Integer(whole(raw).ok_or("a number that is not whole")?),
            Type::BYTEA => Value::Bytes(raw),
            _ => Value::Text(<&str>::from_sql(of, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Value<'a>, Box<dyn StdError + Sync + Send>> {
        Ok(Value::Null)
    }

    fn accepts(of: &Type) -> bool {
        [Type::INT8, Type::INT4, Type::INT2, Type::BOOL, Type::NUMERIC, Type::BYTEA].contains(of)
            || <&str as FromSql<'_>>::accepts(of)
    }
}

/// A whole number of the type `numeric`: the number of its digits to the base of 10,000, the power
/// of the first, its sign, and the digits (`numeric_send` of PostgreSQL).
fn whole(raw: &[u8]) -> Option<i64> {
    let at = |at: usize| Some(i16::from_be_bytes(raw.get(at..at + 2)?.try_into().ok()?));
    let (count, power, sign) = (at(0)?, at(2)?, at(4)?);
    let mut number: i64 = 0;
    for place in 0..=power {
        let digit = if place < count { at(8 + 2 * usize::try_from(place).ok()?)? } else { 0 };
        number = number.checked_mul(10_000)?.checked_add(i64::from(digit))?;
    }
    match sign {
        0 if count <= power + 1 => Some(number),
        0x4000 if count <= power + 1 => Some(-number),
        _ => None,
    }
}

impl Columns for tokio_postgres::Row {
    fn value(&self, at: usize) -> Result<Value<'_>> {
        Ok(self.try_get(at)?)
    }
}

impl From<tokio_postgres::Error> for Fault {
    /// What the server says; not the values that it says it about.
    fn from(error: tokio_postgres::Error) -> Fault {
        let Some(answer) = error.as_db_error() else {
            let why = error.source().map(|why| format!(": {why}")).unwrap_or_default();
            return Fault::new(format!("PostgreSQL: {error}{why}"));
        };
        let fault = Fault::new(format!(
            "PostgreSQL: {} (SQLSTATE {})",
            answer.message(),
            answer.code().code()
        ));
        match *answer.code() {
            SqlState::DISK_FULL => fault.remedy("the disk of the server is full: make room"),
            SqlState::LOCK_NOT_AVAILABLE => fault.remedy("another process writes: try again"),
            SqlState::TOO_MANY_CONNECTIONS => {
                fault.remedy("raise max_connections: each process needs up to 18")
            }
            SqlState::DATA_CORRUPTED | SqlState::INDEX_CORRUPTED => {
                fault.remedy("check it with pg_amcheck, or restore a dump")
            }
            _ => fault,
        }
    }
}

impl Connection {
    pub(super) fn new(client: Client, runtime: Runtime) -> Connection {
        Connection {
            client,
            runtime: Some(runtime),
            statements: RefCell::default(),
            has_begun: Cell::new(false),
        }
    }

    fn wait<T>(&self, work: impl Future<Output = T>) -> Result<T> {
        let runtime = self.runtime.as_ref().ok_or_else(|| Fault::new("the session is closed"))?;
        Ok(runtime.block_on(work))
    }

    /// The statement, as the server knows it, for these parameters.
    fn prepared(&self, sql: &str, params: &[Param<'_>]) -> Result<Prepared> {
        self.prepared_for(sql, &|names| {
            names.iter().map(|name| Ok(found(params, name)?.kind())).collect()
        })
    }

    /// The statement, as the server knows it; `kinds` are those of its parameters by name.
    fn prepared_for(
        &self,
        sql: &str,
        kinds: &dyn Fn(&[String]) -> Result<Vec<Kind>>,
    ) -> Result<Prepared> {
        if let Some(known) = self.statements.borrow().get(sql)
            && known.kinds == kinds(&known.names)?
        {
            return Ok(known.clone());
        }
        let numbered = numbered(sql);
        let kinds = kinds(&numbered.names)?;
        let types: Vec<Type> = kinds
            .iter()
            .map(|kind| match kind {
                Kind::Integer => Type::INT8,
                Kind::Text => Type::TEXT,
                Kind::Bytes => Type::BYTEA,
            })
            .collect();
        let statement = self.wait(self.client.prepare_typed(&numbered.sql, &types))??;
        let prepared = Prepared { statement, names: numbered.names.into(), kinds };
        let mut statements = self.statements.borrow_mut();
        if statements.len() >= STATEMENTS {
            statements.clear();
        }
        statements.insert(sql.to_string(), prepared.clone());
        Ok(prepared)
    }

    /// Runs a query.
    fn ask(&self, prepared: &Prepared, bound: &[Bound<'_>], each: &mut Each<'_>) -> Result<()> {
        let params: Vec<_> = bound.iter().map(Bound::parameter).collect();
        self.wait(async {
            let mut rows = pin!(self.client.query_raw(&prepared.statement, params).await?);
            while let Some(row) = rows.try_next().await? {
                if !each(&Row(&row))? {
                    break;
                }
            }
            Ok(())
        })?
    }

    /// One number that a question without parameters answers.
    fn number(&self, sql: &str) -> Result<i64> {
        let mut number = 0;
        self.query(sql, &[], &mut |row| {
            number = row.get(0)?;
            Ok(false)
        })?;
        Ok(number)
    }
}

/// The parameter with a name.
fn found<'a>(params: &[Param<'a>], name: &str) -> Result<&'a dyn Parameter> {
    let found = params.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value).ok_or_else(|| Fault::new(format!("no parameter {name}")))
}

/// The parameters of a statement, in its order.
fn bound<'a>(prepared: &Prepared, params: &[Param<'a>]) -> Result<Vec<Bound<'a>>> {
    let bind = |name: &String| {
        let value = found(params, name)?;
        Ok(Bound::new(value.kind(), value.value()))
    };
    prepared.names.iter().map(bind).collect()
}

impl Session for Connection {
    fn query(&self, sql: &str, params: &[Param<'_>], each: &mut Each<'_>) -> Result<()> {
        let prepared = self.prepared(sql, params)?;
        self.ask(&prepared, &bound(&prepared, params)?, each)
    }

    fn query_rows(&self, sql: &str, values: &[&dyn Parameter], each: &mut Each<'_>) -> Result<()> {
        let kinds = || values.iter().map(|value| value.kind()).collect();
        let prepared = self.prepared_for(sql, &|_| Ok(kinds()))?;
        let bound: Vec<Bound<'_>> =
            values.iter().map(|value| Bound::new(value.kind(), value.value())).collect();
        self.ask(&prepared, &bound, each)
    }

    fn run(&self, sql: &str, params: &[Param<'_>]) -> Result<usize> {
        let prepared = self.prepared(sql, params)?;
        let bound = bound(&prepared, params)?;
        let params: Vec<_> = bound.iter().map(Bound::parameter).collect();
        let rows = self.wait(self.client.execute_raw(&prepared.statement, params))??;
        Ok(usize::try_from(rows).unwrap_or(usize::MAX))
    }

    fn batch(&self, sql: &str) -> Result<()> {
        Ok(self.wait(self.client.batch_execute(sql))??)
    }

    fn begin(&self, access: Access) -> Result<()> {
        self.has_begun.set(true);
        match access {
            Access::Read => self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"),
            // Whoever has this row is the one that writes, until its commit can be seen. So stamps
            // are committed in their order, whatever process gave them: a reader that has seen a
            // stamp has seen every lower one.
            Access::Write => self.batch(
                "BEGIN ISOLATION LEVEL READ COMMITTED; \
                 SELECT value FROM state WHERE name = 'stamp' FOR UPDATE",
            ),
            Access::Migrate => self.batch(&format!("BEGIN; SELECT pg_advisory_xact_lock({LOCK})")),
        }
    }

    fn commit(&self) -> Result<()> {
        // A transaction in which a statement failed is rolled back by this, without an error. But
        // then the writer's last statement has failed, too, and nobody commits.
        self.batch("COMMIT")?;
        self.has_begun.set(false);
        Ok(())
    }

    fn reset(&self) -> bool {
        if self.client.is_closed() {
            return false;
        }
        !self.has_begun.replace(false) || self.batch("ROLLBACK").is_ok()
    }

    fn version(&self) -> Result<i64> {
        match self.number("SELECT to_regclass('schema_version') IS NOT NULL")? {
            0 => Ok(0),
            _ => self.number("SELECT version FROM schema_version"),
        }
    }

    fn migrate(&self, sql: &str, version: i64) -> Result<()> {
        if version == 1 {
            self.batch("CREATE TABLE schema_version (version BIGINT NOT NULL)")?;
            self.batch("INSERT INTO schema_version VALUES (0)")?;
        }
        self.batch(&schema::translated(sql))?;
        if version == 1 {
            // Writers wait for each other at this row.
            self.batch("INSERT INTO state (name, value) VALUES ('stamp', 0)")?;
        }
        self.batch(&format!("UPDATE schema_version SET version = {version}"))
    }

    fn put_words(&self, pulse: i64, words: Words<'_>) -> Result<()> {
        let vector = words::vector(words);
        self.run(
            "INSERT INTO words (pulse, vector) VALUES (:pulse, CAST(:vector AS tsvector)) \
             ON CONFLICT (pulse) DO UPDATE SET vector = excluded.vector",
            &[(":pulse", &pulse), (":vector", &vector)],
        )?;
        Ok(())
    }

    fn drop_words(&self, pulse: i64) -> Result<()> {
        self.run("DELETE FROM words WHERE pulse = :pulse", &[(":pulse", &pulse)])?;
        Ok(())
    }

    fn search_words(&self, terms: &[String]) -> WordsQuery {
        WordsQuery {
            // Weights are of D, C, B and A.
            relation: "(SELECT pulse AS found, \
                       -ts_rank('{0.125, 0, 0.5, 1}', vector, CAST(:words AS tsquery), 1) AS score \
                       FROM words WHERE vector @@ CAST(:words AS tsquery))",
            words: words::query(terms, ""),
        }
    }

    fn search_words_in(&self, place: Place, terms: &[String]) -> Option<WordsQuery> {
        let weight = match place {
            Place::Name => "A",
            Place::Labels => "B",
            Place::Anywhere => "",
        };
        Some(WordsQuery {
            relation: "(SELECT pulse AS found FROM words WHERE vector @@ CAST(:words AS tsquery))",
            words: words::query(terms, weight),
        })
    }

    fn size(&self) -> Result<Option<i64>> {
        self.number("SELECT pg_database_size(current_database())").map(Some)
    }

    fn numbers_of(&self, param: &str) -> String {
        format!("(SELECT CAST(json_array_elements_text(CAST({param} AS json)) AS BIGINT))")
    }

    fn texts_of(&self, param: &str) -> String {
        format!("(SELECT json_array_elements_text(CAST({param} AS json)))")
    }

    fn note_key(&self, table: &str) -> Result<()> {
        let sql = format!(
            "SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
        );
        self.number(&sql).map(|_| ())
    }

    fn damage(&self) -> Result<Vec<String>> {
        // The server sees to its structures and references.
        Ok(Vec::new())
    }

    fn tidy(&self) {}
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // Waits for nothing: the last session may be closed within another runtime.
            runtime.shutdown_background();
        }
    }
}
