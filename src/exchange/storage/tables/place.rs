//! Where an exchange keeps its data.

use super::pool::Storage;
use crate::engine::error::{Error, Result};
#[cfg(feature = "postgres")]
use crate::exchange::storage::engine::Server;
use crate::exchange::storage::engine::{Database, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Where an exchange keeps its data: a directory, and in it or elsewhere a database.
#[derive(Clone)]
pub struct Place {
    directory: PathBuf,
    #[cfg(feature = "postgres")]
    server: Option<Server>,
}

impl Place {
    /// A directory, with an SQLite database in it.
    pub fn new(directory: &Path) -> Place {
        Place {
            directory: directory.to_path_buf(),
            #[cfg(feature = "postgres")]
            server: None,
        }
    }

    /// A directory for what can be made again, and a database of a PostgreSQL server by its URL:
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE`. Other machines are spoken to
    /// over TLS, and their certificates verified, unless the option `sslmode` is `disable`;
    /// `sslrootcert` names a file with certificates to trust. `password` is that of a URL without
    /// one.
    ///
    /// # Errors
    ///
    /// If it is no such URL, the certificates cannot be read, or this program was built without
    /// PostgreSQL.
    #[cfg(feature = "postgres")]
    pub fn with_database(directory: &Path, url: &str, password: Option<&str>) -> Result<Place> {
        let server = Some(Server::new(url, password)?);
        Ok(Place { server, ..Place::new(directory) })
    }

    /// The same without the feature `postgres`.
    ///
    /// # Errors
    ///
    /// Always.
    #[cfg(not(feature = "postgres"))]
    pub fn with_database(_: &Path, _: &str, _: Option<&str>) -> Result<Place> {
        Err(Error::usage("this program was built without PostgreSQL")
            .remedy("build it with `--features postgres`"))
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What people call it: the directory, or the URL of the database without password.
    pub fn name(&self) -> String {
        match self.is_file() {
            true => self.directory.to_string_lossy().into_owned(),
            false => self.database().name(),
        }
    }

    /// Whether the database is a file in the directory.
    pub fn is_file(&self) -> bool {
        #[cfg(feature = "postgres")]
        if self.server.is_some() {
            return false;
        }
        true
    }

    /// Refuses what can only be done with a file.
    pub(super) fn expect_file(&self, remedy: &'static str) -> Result<()> {
        match self.is_file() {
            true => Ok(()),
            false => Err(Error::usage("the database is one of a PostgreSQL server").remedy(remedy)),
        }
    }

    pub(super) fn database(&self) -> Arc<dyn Database> {
        #[cfg(feature = "postgres")]
        if let Some(server) = &self.server {
            return Arc::new(server.clone());
        }
        Arc::new(File::at(&Storage::file(&self.directory)))
    }
}

impl std::fmt::Debug for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Place").field(&self.name()).finish()
    }
}

impl From<&Path> for Place {
    fn from(directory: &Path) -> Place {
        Place::new(directory)
    }
}

impl From<&Place> for Place {
    fn from(place: &Place) -> Place {
        place.clone()
    }
}
