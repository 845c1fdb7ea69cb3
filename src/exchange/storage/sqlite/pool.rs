//! The files of the storage, its writer, and its readers.

use super::migrate::migrate;
use super::statements::{failed, run};
use super::view::View;
use super::writer::{Writer, Writes};
use crate::clock::Stopwatch;
use crate::engine::error::{Error, Result};
use crate::exchange::metrics::Metrics;
use crate::exchange::storage::Outcome;
use rusqlite::{Connection, OpenFlags};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// The name of the database in the directory of the exchange.
const FILE: &str = "exchange.sqlite";

/// Readers at a time. More would only wait for the same cores.
const READERS: usize = 16;

/// How long a reader waits for its turn before the server says that it is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Pages of SQLite's cache for each connection, in KiB: what a server of 256 MiB can spare.
const CACHE: i64 = 4 << 10;

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
    path: PathBuf,
    writer: Writer,
    idle: Mutex<Readers>,
    returned: Condvar,
    metrics: Arc<Metrics>,
}

struct Readers {
    connections: Vec<Connection>,
    /// Open connections, those in use included.
    open: usize,
}

impl std::fmt::Debug for Storage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Storage").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Storage {
    /// Opens the storage in a directory, and creates both if they are missing.
    ///
    /// # Errors
    ///
    /// If the directory cannot be made or the database is damaged, newer than this program, or in
    /// use by another server.
    pub fn open(directory: &Path) -> Result<(Storage, Opened)> {
        std::fs::create_dir_all(directory)
            .map_err(|error| Error::io("create the directory", error).at_path(directory))?;
        let path = Storage::file(directory);
        let existed = path.exists();
        let mut connection = connect(&path, true)?;
        let before = migrate(&mut connection).map_err(|error| error.at_path(&path))?;
        let opened = match (existed && before > 0, before) {
            (false, _) => Opened::Created,
            (true, before) if before < version(&connection)? => Opened::Migrated,
            (true, _) => Opened::Found,
        };
        let metrics = Arc::new(Metrics::default());
        let writer = Writer::start(connection, &metrics)?;
        let idle = Mutex::new(Readers { connections: Vec::new(), open: 0 });
        Ok((Storage { path, writer, idle, returned: Condvar::new(), metrics }, opened))
    }

    /// The file of the storage in a directory.
    pub fn file(directory: &Path) -> PathBuf {
        directory.join(FILE)
    }

    /// The file of the database.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is counted of the storage, and by all that have it.
    pub fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// The size of the database, in bytes.
    pub fn size(&self) -> u64 {
        let mut log = self.path.clone().into_os_string();
        log.push("-wal");
        let size = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
        size(&self.path) + size(Path::new(&log))
    }

    /// Answers from one moment of the storage.
    ///
    /// # Errors
    ///
    /// That of `question`, or of the storage.
    pub fn read<T>(&self, question: impl FnOnce(&View<'_>) -> Result<T>) -> Result<T> {
        let connection = self.borrow()?;
        let answer = (|| {
            run(&connection, "BEGIN", &[]).map_err(failed)?;
            let answer = question(&View::new(&connection));
            run(&connection, "COMMIT", &[]).map_err(failed)?;
            answer
        })();
        // A statement that failed may have ended the transaction, or not.
        let is_sound = connection.is_autocommit() || connection.execute_batch("ROLLBACK").is_ok();
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

    fn borrow(&self) -> Result<Connection> {
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
        connect(&self.path, false).inspect_err(|_| self.give_back(None))
    }

    /// Returns a connection, or notes that one is gone.
    fn give_back(&self, connection: Option<Connection>) {
        self.metrics.readers.add(-1);
        let mut readers = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        match connection {
            Some(connection) => readers.connections.push(connection),
            None => readers.open -= 1,
        }
        self.returned.notify_one();
    }
}

/// The version of the schema.
fn version(connection: &Connection) -> Result<usize> {
    let version: i64 =
        connection.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
    Ok(usize::try_from(version).unwrap_or(0))
}

/// Opens the database.
pub(super) fn connect(path: &Path, writes: bool) -> Result<Connection> {
    let access = match writes {
        true => OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE,
        false => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let open = || -> rusqlite::Result<Connection> {
        let connection =
            Connection::open_with_flags(path, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(128);
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // NORMAL loses acknowledged commits with the power.
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", "ON")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.pragma_update(None, "cache_size", -CACHE * if writes { 8 } else { 1 })?;
        connection.pragma_update(None, "query_only", if writes { "OFF" } else { "ON" })?;
        Ok(connection)
    };
    open().map_err(|error| failed(error).at_path(path))
}
