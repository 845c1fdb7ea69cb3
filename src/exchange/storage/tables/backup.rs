//! Copies of the database while the server runs, and checks of it.

use super::place::Place;
use super::pool::Storage;
use super::statements::{Connection, Fetched, failed, number};
use crate::engine::error::{Error, Result};
use crate::exchange::storage::engine::{Access, File};
use std::path::Path;
use tempfile::NamedTempFile;

impl Storage {
    /// Copies the storage in a directory to a new file, also while a server uses it.
    ///
    /// # Errors
    ///
    /// If there is no storage, or it is not in a file; if the target exists, or cannot be written.
    pub fn backup(place: impl Into<Place>, target: &Path) -> Result<()> {
        let place = place.into();
        place.expect_file("copy it with pg_dump, also while servers use it")?;
        if target.exists() {
            return Err(Error::refused("the file exists").at_path(target).remedy("name another"));
        }
        let from = existing(place.directory())?;
        let beside = beside(target)?;
        from.copy(beside.path())?;
        publish(beside, target)
    }

    /// Puts a backup in the place of the storage of a directory in which there is none.
    ///
    /// # Errors
    ///
    /// If there is a storage already, or the backup is damaged; if the storage is not in a file.
    pub fn restore(source: &Path, place: impl Into<Place>) -> Result<()> {
        let place = place.into();
        place.expect_file("restore a dump of pg_dump with pg_restore or psql")?;
        let directory = place.directory();
        let problems = check_file(&File::at(source)).map_err(|error| error.at_path(source))?;
        if let Some(problem) = problems.first() {
            return Err(
                Error::database(format!("the backup is damaged: {problem}")).at_path(source)
            );
        }
        std::fs::create_dir_all(directory)
            .map_err(|error| Error::io("create the directory", error).at_path(directory))?;
        let target = Storage::file(directory);
        if target.exists() {
            return Err(Error::refused("the directory has a storage already")
                .at_path(&target)
                .remedy("move it away, or restore to another directory"));
        }
        let beside = beside(&target)?;
        std::fs::copy(source, beside.path())
            .map_err(|error| Error::io("copy the backup", error).at_path(source))?;
        publish(beside, &target)
    }

    /// What is wrong with the storage of a place; nothing, if all is well.
    ///
    /// # Errors
    ///
    /// If there is no storage, or it cannot be read.
    pub fn check(place: impl Into<Place>) -> Result<Vec<String>> {
        let place = place.into();
        Storage::expect(&place)?;
        if place.is_file() {
            return check_file(&existing(place.directory())?);
        }
        problems(&*place.database().connect(Access::Read)?)
            .map_err(|fault| failed(fault).at_path(place.name()))
    }

    /// Whether there is a storage in a place, whatever its version.
    ///
    /// # Errors
    ///
    /// If there is none, or its server cannot be asked.
    pub fn expect(place: &Place) -> Result<()> {
        if place.is_file() {
            return existing(place.directory()).map(|_| ());
        }
        let connection = place.database().connect(Access::Read)?;
        match connection.version().map_err(|fault| failed(fault).at_path(place.name()))? {
            0 => Err(Error::usage("there is no exchange in this database")
                .at_path(place.name())
                .remedy("`wiresift exchange serve` creates one")),
            _ => Ok(()),
        }
    }
}

/// A temporary file in the directory of the target.
fn beside(target: &Path) -> Result<NamedTempFile> {
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    NamedTempFile::new_in(parent.unwrap_or(Path::new(".")))
        .map_err(|error| Error::io("create a file", error).at_path(target))
}

/// Gives the finished file its name, unless that is taken.
fn publish(file: NamedTempFile, target: &Path) -> Result<()> {
    let failed = |error| Error::io("write", error).at_path(target);
    file.as_file().sync_all().map_err(failed)?;
    file.persist_noclobber(target).map_err(|error| failed(error.error))?;
    let parent = target.parent().filter(|parent| !parent.as_os_str().is_empty());
    let folder = std::fs::File::open(parent.unwrap_or(Path::new("."))).map_err(failed)?;
    folder.sync_all().map_err(failed)
}

/// The database of a directory, which must exist.
fn existing(directory: &Path) -> Result<File> {
    let path = Storage::file(directory);
    if !path.exists() {
        return Err(Error::usage("there is no exchange in this directory")
            .at_path(directory)
            .remedy("`wiresift exchange serve --data DIR` creates one"));
    }
    Ok(File::at(&path))
}

/// The problems of a database in a file.
fn check_file(file: &File) -> Result<Vec<String>> {
    problems(&*file.look()?).map_err(failed)
}

/// The problems of a database: its structure, its references, its counts.
fn problems(connection: &Connection) -> Fetched<Vec<String>> {
    let mut problems = connection.damage()?;
    for (sql, what) in [
        (
            "SELECT COUNT(*) FROM pulse p WHERE p.deleted = 0 AND p.subscribers <> \
             (SELECT COUNT(*) FROM subscription s WHERE s.pulse = p.id AND s.state = 1)",
            "pulses with a wrong number of subscribers",
        ),
        (
            "SELECT COUNT(*) FROM pulse WHERE modified > \
             (SELECT value FROM state WHERE name = 'stamp')",
            "pulses from the future",
        ),
        (
            "SELECT COUNT(*) FROM pulse p WHERE p.deleted = 0 AND p.revision <> \
             (SELECT MAX(r.number) FROM revision r WHERE r.pulse = p.id)",
            "pulses with a wrong revision",
        ),
    ] {
        let count = number(connection, sql, &[])?;
        if count > 0 {
            problems.push(format!("{count} {what}"));
        }
    }
    Ok(problems)
}
