//! What a TAXII server serves: API roots with collections of objects.

use super::query::Filter;
use crate::engine::indicator::Timestamp;
use crate::exchange::http::Failure;
use serde_json::Value;

/// A collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Collection {
    /// Its UUID.
    pub id: String,
    /// A name for people.
    pub title: String,
    /// What is in it.
    pub description: Option<String>,
    /// A short name, which is good in paths, too.
    pub alias: Option<String>,
    /// Whether the caller may read it.
    pub can_read: bool,
    /// Whether the caller may add to it.
    pub can_write: bool,
    /// The media types of its objects.
    pub media_types: Vec<String>,
}

/// Where to continue in a collection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// With what was added after this time.
    pub after: Timestamp,
    /// Of what was added right after it, only what follows this; the library knows what it means.
    pub inner: Option<i64>,
}

/// A question for objects of a collection.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Which objects.
    pub filter: &'a Filter,
    /// Only the versions of this object.
    pub object: Option<&'a str>,
    /// Only what follows this position.
    pub after: Option<Position>,
    /// How many at most, from 1.
    pub limit: usize,
    /// Whether the objects themselves are wanted, or only what is said about them.
    pub has_bodies: bool,
    /// The time up to which the client has everything, if it says so: it has to know what is
    /// revoked since.
    pub since: Option<Timestamp>,
}

/// A version of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// When it was added; no two entries of a collection share it.
    pub added: Timestamp,
    /// The identifier of the object.
    pub id: String,
    /// The version, as the object has it.
    pub version: String,
    /// The version of STIX.
    pub spec: &'static str,
    /// The object as JSON; empty if it was not wanted.
    pub body: String,
}

/// A part of a collection, in the order of adding.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether there are more.
    pub has_more: bool,
    /// Where to continue, if that is not after the last entry: much may have been looked at
    /// and filtered out.
    pub resume: Option<Position>,
    /// Whether there is any version of the object that was asked for, filtered out or not.
    pub is_known: bool,
}

/// What became of an object that somebody added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Added {
    /// The identifier of the object.
    pub id: String,
    /// Its version.
    pub version: String,
    /// What is to be said about it.
    pub message: Option<String>,
    /// Whether it was not accepted.
    pub is_failure: bool,
}

/// What is found where.
pub struct Discovery {
    /// The name of the server.
    pub title: String,
    /// What it is.
    pub description: String,
    /// How to reach its operator.
    pub contact: Option<String>,
    /// The names of its API roots.
    pub roots: Vec<String>,
    /// The one to be used unless another is asked for.
    pub default: Option<String>,
    /// Absolute addresses of the roots, if they are not those of this server.
    pub addresses: Option<Vec<String>>,
}

/// API roots and their collections, as one caller sees them.
pub trait Library {
    /// What is found where.
    fn discovery(&self) -> Discovery;

    /// The title of an API root. `None`: there is no such root.
    fn title(&self, root: &str) -> Option<String>;

    /// The collections of a root that are listed.
    ///
    /// # Errors
    ///
    /// The storage fails.
    fn collections(&self, root: &str) -> Result<Vec<Collection>, Failure>;

    /// A collection by its identifier or alias. `None`: there is none, or the caller may not know
    /// of it.
    ///
    /// # Errors
    ///
    /// The storage fails.
    fn collection(&self, root: &str, name: &str) -> Result<Option<Collection>, Failure>;

    /// Objects of a collection.
    ///
    /// # Errors
    ///
    /// The storage fails.
    fn objects(&self, root: &str, of: &Collection, wanted: &Wanted<'_>) -> Result<Page, Failure>;

    /// Adds objects, one after the other. A version that is there already is a success.
    ///
    /// # Errors
    ///
    /// The storage fails, or the caller has used up a quota; then nothing is added.
    fn add(&self, root: &str, to: &Collection, objects: Vec<Value>) -> Result<Vec<Added>, Failure>;

    /// Deletes versions of an object. Returns whether there were any.
    ///
    /// # Errors
    ///
    /// The storage fails.
    fn delete(
        &self,
        root: &str,
        of: &Collection,
        id: &str,
        filter: &Filter,
    ) -> Result<bool, Failure>;

    /// Keeps a status for a day.
    ///
    /// # Errors
    ///
    /// The storage fails.
    fn keep_status(&self, root: &str, id: &str, status: &Value) -> Result<(), Failure>;

    /// A status of the caller.
    ///
    /// # Errors
    ///
    /// The storage fails.
    fn status(&self, root: &str, id: &str) -> Result<Option<Value>, Failure>;
}
