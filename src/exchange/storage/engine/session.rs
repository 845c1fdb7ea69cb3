//! What every database does for the storage.

use super::value::{FromSql, ToSql, Value};
use crate::engine::error::Error;

/// A named parameter, such as `:me`, and its value. A statement takes those that it has.
pub(crate) type Param<'a> = (&'a str, &'a dyn ToSql);

/// The outcome of a statement.
pub(crate) type Result<T> = std::result::Result<T, Fault>;

/// Why a statement failed.
#[derive(Debug)]
pub(crate) struct Fault {
    message: String,
    remedy: Option<&'static str>,
}

impl Fault {
    /// A failure as the database describes it.
    pub(crate) fn new(message: impl Into<String>) -> Fault {
        Fault { message: message.into(), remedy: None }
    }

    /// What the operator can do about it.
    pub(crate) fn remedy(mut self, remedy: &'static str) -> Fault {
        self.remedy = Some(remedy);
        self
    }
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Error {
        let error =
            Error::io("use the storage of the exchange", std::io::Error::other(fault.message));
        match fault.remedy {
            Some(remedy) => error.remedy(remedy),
            None => error,
        }
    }
}

/// The columns of a row, as an engine has them.
pub(super) trait Columns {
    /// The value of a column, from 0.
    fn value(&self, at: usize) -> Result<Value<'_>>;
}

/// A row of an answer.
pub(crate) struct Row<'a>(pub(super) &'a dyn Columns);

impl Row<'_> {
    /// The value of a column, from 0.
    ///
    /// # Errors
    ///
    /// If there is no such column, or it has something else.
    pub(crate) fn get<T: FromSql>(&self, at: usize) -> Result<T> {
        let value = self.0.value(at)?;
        T::of(value).ok_or_else(|| {
            let wanted = std::any::type_name::<T>();
            Fault::new(format!("column {at} is no {wanted}"))
        })
    }
}

/// What is read of an answer, row by row. `false`: no more is wanted.
pub(crate) type Each<'a> = dyn FnMut(&Row<'_>) -> Result<bool> + 'a;

/// What a transaction is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reading from one moment.
    Read,
    /// Changes, one process at a time.
    Write,
    /// Changes of the schema, one process at a time.
    Migrate,
}

/// What is found of a pulse by words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// Its labels, a line each.
    pub(crate) labels: &'a str,
    /// What it says.
    pub(crate) text: &'a str,
}

/// Where a search finds words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the name.
    Name,
    /// In the labels.
    Labels,
    /// Anywhere.
    Anywhere,
}

/// A search for words.
#[derive(Clone, Debug)]
pub(crate) struct WordsQuery {
    /// A relation with the columns `found`, the key of a pulse, and `score`, which is lower for
    /// better ones. `:words` is its parameter.
    pub(crate) relation: &'static str,
    /// The value of `:words`.
    pub(crate) words: String,
}

/// Where a database is.
pub(crate) trait Database: Send + Sync {
    /// Opens a session. One that writes creates the database if it is missing.
    fn connect(&self, access: Access) -> crate::engine::error::Result<Box<dyn Session>>;

    /// What people call it: a path, or a URL without a password.
    fn name(&self) -> String;
}

/// A connection to a database. All statements are written once, in the SQL that every engine
/// understands; what none of them shares is a method here.
pub(crate) trait Session: Send {
    /// Runs a query.
    fn query(&self, sql: &str, params: &[Param<'_>], each: &mut Each<'_>) -> Result<()>;

    /// Runs a query whose parameters are `:1`, `:2` and so on, each once and in that order: for
    /// statements of many rows, where finding parameters by name takes longer than the rows.
    fn query_rows(&self, sql: &str, values: &[&dyn ToSql], each: &mut Each<'_>) -> Result<()> {
        let names: Vec<String> = (1..=values.len()).map(|number| format!(":{number}")).collect();
        let params: Vec<Param<'_>> =
            names.iter().map(String::as_str).zip(values.iter().copied()).collect();
        self.query(sql, &params, each)
    }

    /// Runs a statement. Returns how many rows it changed.
    fn run(&self, sql: &str, params: &[Param<'_>]) -> Result<usize>;

    /// Runs statements without parameters, separated by semicolons.
    fn batch(&self, sql: &str) -> Result<()>;

    /// Begins a transaction.
    fn begin(&self, access: Access) -> Result<()>;

    /// Commits what was done since `begin`. When this returns without an error, it is on the disk.
    fn commit(&self) -> Result<()>;

    /// Undoes what was not committed. Whether the session is good for another transaction.
    fn reset(&self) -> bool;

    /// The version of the schema: how many migrations were applied.
    fn version(&self) -> Result<i64>;

    /// Applies a migration within a transaction, and sets the version.
    fn migrate(&self, sql: &str, version: i64) -> Result<()>;

    /// Replaces what searches find of a pulse.
    fn put_words(&self, pulse: i64, words: Words<'_>) -> Result<()>;

    /// Makes a pulse unfindable by words.
    fn drop_words(&self, pulse: i64) -> Result<()>;

    /// A search for pulses that have every one of some terms; each is one or more words in a row.
    fn search_words(&self, terms: &[String]) -> WordsQuery;

    /// The same for terms that must all be in one place; only `found` is asked for. `None` if
    /// places can't be told apart.
    fn search_words_in(&self, place: Place, terms: &[String]) -> Option<WordsQuery> {
        (place == Place::Anywhere).then(|| self.search_words(terms))
    }

    /// The size of the database in bytes, if it is known.
    fn size(&self) -> Result<Option<i64>> {
        Ok(None)
    }

    /// A subquery of the texts in the JSON list that a parameter is.
    fn texts_of(&self, param: &str) -> String;

    /// A subquery of the numbers in the JSON list that a parameter is.
    fn numbers_of(&self, param: &str) -> String;

    /// Notes that a row of a table was inserted with a key that was given: the next one gets a
    /// higher one.
    fn note_key(&self, table: &str) -> Result<()>;

    /// What is damaged: the structure of the database, and its references.
    fn damage(&self) -> Result<Vec<String>>;

    /// Tidies up, at the end.
    fn tidy(&self);
}
