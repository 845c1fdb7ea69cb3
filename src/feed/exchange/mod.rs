//! Exchanges: servers that are walked, page by page, and that tell what changed.
//!
//! A walk hands what it finds to a [`Keeper`], as the exchange sent it, and notes in
//! the cursor how far it came, so that a crash in its middle costs a page and not the
//! walk.

use crate::error::Result;

/// What an exchange's walk hands over. Whatever was put before
/// [`set_cursor`](Keeper::set_cursor) returns is durable after it.
pub trait Keeper {
    /// Replaces the document of that name (a pulse, an event, a page of objects), as
    /// the exchange sent it.
    ///
    /// # Errors
    ///
    /// When it cannot be kept.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Forgets a document; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// When the removal cannot be noted.
    fn remove(&mut self, name: &str) -> Result<()>;

    /// The names of all documents.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    fn names(&self) -> Result<Vec<String>>;

    /// A document, if it is there.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Where the walk is: text of the exchange's own, kept across crashes.
    fn cursor(&self) -> Option<&str>;

    /// Notes where the walk is, after everything that was put.
    ///
    /// # Errors
    ///
    /// When it cannot be made durable.
    fn set_cursor(&mut self, cursor: &str) -> Result<()>;
}
