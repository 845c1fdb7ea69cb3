//! The files of the storage, its writer, and its readers.

use super::migrate::{is_current, migrate};
use super::place::Place;
use super::statements::failed;
use super::view::View;
use super::writer::{Writer, Writes};
use crate::clock::Stopwatch;
use crate::engine::error::{Error, Result};
use crate::exchange::metrics::Metrics;
use crate::exchange::storage::Outcome;
use crate::exchange::storage::engine::{Access, Database, Session};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The name of the database in the directory of the exchange.
const FILE: &str = "exchange.sqlite";

/// Readers at a time. More would only wait for the same cores.
const READERS: usize = 16;

/// How long a reader waits for its turn before the server says that it is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was found when the storage was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opened {
    /// Nothing: it is new.
    Created,
    /// An older version, now brought up to date.
    Migrated,
    /// Itself.
    Found,
}

/// The storage of an exchange.
pub struct Storage {
    directory: PathBuf,
    database: Arc<dyn Database>,
    writer: Writer,
    idle: Mutex<Readers>,
    returned: Condvar,
    metrics: Arc<Metrics>,
}

struct Readers {
    connections: Vec<Box<dyn Session>>,
    /// Open connections, those in use included.
    open: usize,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage").field("directory", &self.directory).finish_non_exhaustive()
    }
}

impl Storage {
    /// Opens the storage in a place, and creates what is missing but the database of a server.
    ///
    /// # Errors
    ///
    /// If the directory cannot be made or the database is damaged, newer than this program, or
    /// cannot be used.
    pub fn open(place: impl Into<Place>) -> Result<(Storage, Opened)> {
        let place = place.into();
        let directory = place.directory();
        std::fs::create_dir_all(directory)
            .map_err(|error| Error::io("create the directory", error).at_path(directory))?;
        let database = place.database();
        let connection = database.connect(Access::Write)?;
        let before = migrate(&*connection).map_err(|error| error.at_path(database.name()))?;
        let opened = match before {
            0 => Opened::Created,
            before if is_current(before) => Opened::Found,
            _ => Opened::Migrated,
        };
        let metrics = Arc::new(Metrics::default());
        let writer = Writer::start((Arc::clone(&database), connection), &metrics)?;
        let idle = Mutex::new(Readers { connections: Vec::new(), open: 0 });
        let (directory, returned) = (directory.to_path_buf(), Condvar::new());
        Ok((Storage { directory, database, writer, idle, returned, metrics }, opened))
    }

    /// The file of the storage in a directory.
    pub fn file(directory: &Path) -> PathBuf {
        directory.join(FILE)
    }

    /// The directory of what is kept besides the database.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// What people call the database: the path of its file, or its URL without password.
    pub fn name(&self) -> String {
        self.database.name()
    }

    /// What is counted of the storage, and by all that have it.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Answers from one moment of the storage.
    ///
    /// # Errors
    ///
    /// That of `question`, or of the storage.
    pub fn read<T>(&self, question: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        let mut connection = self.borrow()?;
        if let Err(fault) = connection.begin(Access::Read) {
            // The server was started again, or closed what was idle.
            let fresh = match connection.reset() {
                true => Err(failed(fault)),
                false => self.database.connect(Access::Read),
            };
            connection = fresh.inspect_err(|_| self.give_back(None))?;
            if let Err(fault) = connection.begin(Access::Read) {
                self.give_back(None);
                return Err(failed(fault));
            }
        }
        let answer = (|| {
            let answer = question(&View::new(&*connection));
            connection.commit().map_err(failed)?;
            answer
        })();
        let is_sound = connection.reset();
        self.give_back(is_sound.then_some(connection));
        answer
    }

    /// Takes a turn on the writer. When this returns without an error, it is on the disk.
    ///
    /// # Errors
    ///
    /// What `change` answered, in which case nothing of it is stored; or that of the storage.
    pub fn write<T: Send + 'static>(
        &self,
        change: impl FnOnce(&Writes<'_>) -> Outcome<T> + Send + 'static,
    ) -> Outcome<T> {
        self.writer.run(change)
    }

    /// Makes a change some time later, or not at all if too many others wait: for what is only
    /// counted, such as when a key was last used.
    pub fn post(&self, change: impl FnOnce(&Writes<'_>) -> Outcome<()> + Send + 'static) {
        self.writer.post(change);
    }

    fn borrow(&self) -> Result<Box<dyn Session>> {
        let watch = Stopwatch::start();
        let lock = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let is_empty =
            |readers: &mut Readers| readers.connections.is_empty() && readers.open >= READERS;
        let (mut readers, waited) = self
            .returned
            .wait_timeout_while(lock, PATIENCE, is_empty)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            return Err(Error::timed_out("no reader of the storage became free"));
        }
        self.metrics.waits.time(watch.elapsed());
        self.metrics.readers.add(1);
        if let Some(connection) = readers.connections.pop() {
            return Ok(connection);
        }
        readers.open += 1;
        drop(readers);
        self.database.connect(Access::Read).inspect_err(|_| self.give_back(None))
    }

    /// Returns a connection, or notes that one is gone.
    fn give_back(&self, connection: Option<Box<dyn Session>>) {
        self.metrics.readers.add(-1);
        let mut readers = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match connection {
            Some(connection) => readers.connections.push(connection),
            None => readers.open -= 1,
        }
        self.returned.notify_one();
    }
}
