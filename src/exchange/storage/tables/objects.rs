//! Objects that clients of TAXII added to collections.

use super::statements::{Fetched, Param, Row, all, failed, first, number};
use super::view::View;
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{UserId, random_bytes};
use crate::exchange::storage::{Denied, Outcome};

/// The most objects of a collection that belongs to somebody.
const MAX_OBJECTS: i64 = 20_000;

/// How long it is remembered what became of an addition.
const DAY: i64 = 86_400_000_000;

/// A collection of objects as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// Its row in the storage.
    pub key: i64,
    /// The API root that it is in.
    pub root: String,
    /// Its UUID.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Its description.
    pub description: Option<String>,
    /// A short name.
    pub alias: Option<String>,
    /// Whose it is; nobody else sees it. `None`: everybody's.
    pub owner: Option<UserId>,
    /// Whether it can be read.
    pub is_readable: bool,
    /// Whether it can be written to.
    pub is_writable: bool,
    /// Media types, with spaces between.
    pub media: String,
}

/// What is said about a version of an object, without the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObjectHead {
    /// When it was added.
    pub added: Timestamp,
    /// Its identifier.
    pub id: String,
    /// Its version.
    pub version: String,
    /// Whether it is of STIX 2.0.
    pub is_old: bool,
}

const SHELF: &str =
    "id, root, name_id, title, description, alias, account, readable, writable, media";

fn shelf_of(row: &Row<'_>) -> Fetched<Shelf> {
    Ok(Shelf {
        key: row.get(0)?,
        root: row.get(1)?,
        id: row.get(2)?,
        title: row.get(3)?,
        description: row.get(4)?,
        alias: row.get(5)?,
        owner: row.get::<Option<i64>>(6)?.map(UserId),
        is_readable: row.get(7)?,
        is_writable: row.get(8)?,
        media: row.get(9)?,
    })
}

impl View<'_> {
    /// The collections of an API root that a user may know of.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn shelves(&self, root: &str, user: UserId) -> Result<Vec<Shelf>> {
        let sql = format!(
            "SELECT {SHELF} FROM shelf WHERE root = :root \
             AND (account IS NULL OR account = :me) ORDER BY id"
        );
        let params: [Param<'_>; 2] = [(":root", &root), (":me", &user.0)];
        all(self.connection, &sql, &params, shelf_of).map_err(failed)
    }

    /// The API roots besides that of pulses.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn shelf_roots(&self) -> Result<Vec<String>> {
        let sql = "SELECT name FROM api_root ORDER BY name";
        all(self.connection, sql, &[], |row| row.get(0)).map_err(failed)
    }

    /// The title of an API root.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn shelf_root_title(&self, root: &str) -> Result<Option<String>> {
        let sql = "SELECT title FROM api_root WHERE name = :root";
        first(self.connection, sql, &[(":root", &root)], |row| row.get(0)).map_err(failed)
    }

    /// The key of this server for signatures. `None`: it is not drawn yet.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn signing_key(&self) -> Result<Option<[u8; 32]>> {
        let sql = "SELECT key FROM signing_key WHERE id = 1";
        let key: Option<Vec<u8>> =
            first(self.connection, sql, &[], |row| row.get(0)).map_err(failed)?;
        Ok(key.and_then(|key| key.try_into().ok()))
    }

    /// What is said about the objects of a collection, in the order of adding; only those of one
    /// identifier, if there is one.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn object_heads(&self, shelf: i64, id: Option<&str>) -> Result<Vec<ObjectHead>> {
        let sql = "SELECT added, name_id, version, spec FROM object WHERE shelf = :shelf \
                   AND (:id IS NULL OR name_id = :id) ORDER BY added";
        let params: [Param<'_>; 2] = [(":shelf", &shelf), (":id", &id)];
        all(self.connection, sql, &params, |row| {
            Ok(ObjectHead {
                added: Timestamp(row.get(0)?),
                id: row.get(1)?,
                version: row.get(2)?,
                is_old: row.get::<i64>(3)? == 20,
            })
        })
        .map_err(failed)
    }

    /// The object that was added to a collection at that time, as JSON.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn object_body(&self, shelf: i64, added: Timestamp) -> Result<String> {
        let sql = "SELECT body FROM object WHERE shelf = :shelf AND added = :added";
        let params: [Param<'_>; 2] = [(":shelf", &shelf), (":added", &added.0)];
        let body = first(self.connection, sql, &params, |row| row.get(0)).map_err(failed)?;
        Ok(body.unwrap_or_default())
    }

    /// What became of an addition of the user.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn addition(&self, root: &str, user: UserId, id: &str) -> Result<Option<String>> {
        let sql = "SELECT body FROM addition WHERE name_id = :id AND root = :root \
                   AND (account IS NULL OR account = :me)";
        let params: [Param<'_>; 3] = [(":id", &id), (":root", &root), (":me", &user.0)];
        first(self.connection, sql, &params, |row| row.get(0)).map_err(failed)
    }
}

impl Writes<'_> {
    /// The key of this server for signatures; it is drawn if there is none.
    ///
    /// # Errors
    ///
    /// If the system has no random bytes, or the storage fails.
    pub fn signing_key(&self) -> Outcome<[u8; 32]> {
        let key = random_bytes::<32>()?;
        let bytes = key.as_slice();
        let sql = "INSERT INTO signing_key (id, key) VALUES (1, :key) ON CONFLICT (id) DO NOTHING";
        self.run(sql, &[(":key", &bytes)])?;
        Ok(self.view().signing_key()?.unwrap_or(key))
    }

    /// Makes an API root, or empties it.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn reset_shelf_root(&self, root: &str, title: &str) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":root", &root), (":title", &title)];
        self.run(
            "DELETE FROM object WHERE shelf IN (SELECT id FROM shelf WHERE root = :root)",
            &params,
        )?;
        self.run("DELETE FROM shelf WHERE root = :root", &params)?;
        self.run("DELETE FROM addition WHERE root = :root", &params)?;
        self.run(
            "INSERT INTO api_root (name, title) VALUES (:root, :title) \
             ON CONFLICT (name) DO UPDATE SET title = excluded.title",
            &params,
        )?;
        Ok(())
    }

    /// The collection with this identifier in its API root; it is made if it is not there. The
    /// key of `shelf` does not matter.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn shelf(&self, shelf: &Shelf) -> Outcome<Shelf> {
        let sql = "INSERT INTO shelf (root, name_id, title, description, alias, account, readable, \
                   writable, media) VALUES (:root, :id, :title, :description, :alias, :account, \
                   :readable, :writable, :media) ON CONFLICT (root, name_id) DO NOTHING";
        let owner = shelf.owner.map(|owner| owner.0);
        let params: [Param<'_>; 9] = [
            (":root", &shelf.root),
            (":id", &shelf.id),
            (":title", &shelf.title),
            (":description", &shelf.description),
            (":alias", &shelf.alias),
            (":account", &owner),
            (":readable", &shelf.is_readable),
            (":writable", &shelf.is_writable),
            (":media", &shelf.media),
        ];
        self.run(sql, &params)?;
        let sql = format!("SELECT {SHELF} FROM shelf WHERE root = :root AND name_id = :id");
        first(self.connection, &sql, &params, shelf_of)?.ok_or(Denied::NotFound)
    }

    /// A time for an object that is added now: later than that of any other.
    pub fn object_time(&self) -> Timestamp {
        Timestamp(self.stamp())
    }

    /// Adds an object.
    ///
    /// # Errors
    ///
    /// If there are too many in a collection that belongs to somebody, or the storage fails.
    pub fn add_object(&self, shelf: &Shelf, head: &ObjectHead, body: &str) -> Outcome<()> {
        let counting = "SELECT COUNT(*) FROM object WHERE shelf = :shelf";
        let count = number(self.connection, counting, &[(":shelf", &shelf.key)])?;
        if shelf.owner.is_some() && count >= MAX_OBJECTS {
            let why = format!("the collection has {MAX_OBJECTS} objects: delete some first");
            return Err(Denied::Quota(why, 3600));
        }
        let spec = if head.is_old { 20 } else { 21 };
        let params: [Param<'_>; 6] = [
            (":shelf", &shelf.key),
            (":added", &head.added.0),
            (":id", &head.id),
            (":version", &head.version),
            (":spec", &spec),
            (":body", &body),
        ];
        self.run(
            "INSERT INTO object (shelf, added, name_id, version, spec, body) \
             VALUES (:shelf, :added, :id, :version, :spec, :body)",
            &params,
        )?;
        Ok(())
    }

    /// Deletes the object that was added to a collection at that time.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn delete_object(&self, shelf: i64, added: Timestamp) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":shelf", &shelf), (":added", &added.0)];
        self.run("DELETE FROM object WHERE shelf = :shelf AND added = :added", &params)?;
        Ok(())
    }

    /// Remembers for a day what became of an addition; of everybody, if there is no user.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn keep_addition(
        &self,
        root: &str,
        user: Option<UserId>,
        (id, body): (&str, &str),
    ) -> Outcome<()> {
        let user = user.map(|user| user.0);
        let old = self.now.0 - DAY;
        let params: [Param<'_>; 6] = [
            (":id", &id),
            (":root", &root),
            (":account", &user),
            (":now", &self.now.0),
            (":body", &body),
            (":old", &old),
        ];
        self.run("DELETE FROM addition WHERE created < :old", &params)?;
        self.run(
            "INSERT INTO addition (name_id, root, account, created, body) \
             VALUES (:id, :root, :account, :now, :body) ON CONFLICT (name_id) DO NOTHING",
            &params,
        )?;
        Ok(())
    }
}
