//! Databases: sessions with them, and what each does in its own way.
//!
//! [`Session`] is all that the statements of the storage know of a database. What SQLite and
//! another write differently has a name there, and a body in the one file of each.

#[cfg(feature = "postgres")]
mod postgres;
mod session;
mod sqlite;
mod value;

#[cfg(feature = "postgres")]
pub(super) use postgres::Server;
pub(super) use session::{Access, Database, Fault, Param, Place, Row, Session, Words, WordsQuery};
pub(super) use sqlite::File;
pub(super) use value::{FromSql, ToSql};
