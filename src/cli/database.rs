//! Opens the database of a command: the one that `--db` names, a list compiled in memory, or
//! the database of `wiresift.toml`.

use super::messages::{name, plural};
use super::notices::of_feeds;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use wiresift::clock::Stopwatch;
use wiresift::engine::database::{self, Database};
use wiresift::intel::config::Config;
use wiresift::intel::feed;
use wiresift::intel::subscribe::{self, FeedInput};
use wiresift::sensor::run::{self, Notice, Notify};
use wiresift::{Error, Result};

/// The configuration looked for in the current folder.
pub(super) const CONFIG: &str = "wiresift.toml";

/// An open database, and its path if it came from a file that can be reloaded.
pub(super) struct Chosen {
    pub(super) database: Database,
    pub(super) path: Option<PathBuf>,
}

/// The database that `--db` names, or that of the configuration that `--config` names.
///
/// # Errors
///
/// The configuration cannot be read, or its database does not exist.
pub(super) fn named(db: Option<&Path>, config: Option<&Path>) -> Result<Option<PathBuf>> {
    match (db, config) {
        (Some(db), _) => Ok(Some(db.to_path_buf())),
        (None, Some(config)) => of_config(config).map(Some),
        (None, None) => Ok(None),
    }
}

/// Opens the database that `--db` names, or the one of the configuration in the current
/// folder. A list, a feed or a folder of them is compiled in memory.
///
/// With `is_long`, the database is a copy in memory instead of a map of the file: a long run
/// must survive a file that is truncated or overwritten in place, where a map would raise
/// SIGBUS or change its contents.
///
/// # Errors
///
/// No database is named and there is no configuration; the database does not exist, cannot be
/// read or is damaged; a list contains no indicator.
pub(super) fn open(named: Option<&Path>, is_long: bool, notify: Notify<'_>) -> Result<Chosen> {
    let Some(named) = named else { return configured(is_long) };
    if is_database(named) {
        let database = file(named, is_long)?;
        return Ok(Chosen { database, path: Some(named.to_path_buf()) });
    }
    let started = Stopwatch::start();
    let input = FeedInput { path: named.to_path_buf(), options: feed::Options::default() };
    let database = subscribe::compile_in_memory(&[input], &of_feeds(notify))?;
    if database.summary().total() == 0 {
        return Err(Error::format("neither a database nor a list of indicators")
            .at_path(named)
            .remedy("`wiresift compile --rejects FILE` lists what is wrong with its values"));
    }
    let total = database.summary().total();
    notify(Notice::Skipped(&format!(
        "{} is not a database: compiled {} in memory in {:.1} s; to keep {}: \
         wiresift compile -o FILE.wsdb {}",
        name(named),
        plural(total, "value"),
        started.elapsed().as_secs_f64(),
        if total == 1 { "it" } else { "them" },
        name(named)
    )));
    Ok(Chosen { database, path: None })
}

/// Compiles the allow lists of `--allow`.
///
/// # Errors
///
/// One cannot be read.
pub(super) fn allow_lists(paths: &[PathBuf], notify: Notify<'_>) -> Result<Option<Arc<Database>>> {
    subscribe::compile_allow_lists(paths, &of_feeds(notify))
        .map_err(|error| error.remedy("correct the path, or leave out --allow"))
}

/// Whether a path is meant as a database, even a damaged one. A path that cannot be opened
/// counts as one, so that the error is about the missing database and not about a list.
fn is_database(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else { return true };
    // A folder holds lists. A pipe can only be a list: a database is mapped, or read at its
    // full length, and needs a file.
    if !file.metadata().is_ok_and(|it| it.is_file()) {
        return false;
    }
    let mut head = Vec::new();
    // An empty file counts as a damaged database: as a list it would have no indicators, which
    // hides what is wrong.
    let read = file.take(database::MAGIC.len() as u64).read_to_end(&mut head);
    read.is_err() || head.is_empty() || head == database::MAGIC
}

/// Opens a database as a copy or as a map.
fn file(path: &Path, is_long: bool) -> Result<Database> {
    if is_long { run::load_database(path) } else { run::open_database(path) }
}

/// Opens the database of the configuration in the current folder.
fn configured(is_long: bool) -> Result<Chosen> {
    let path = Path::new(CONFIG);
    if !path.exists() {
        let what =
            format!("no database: --db is not given, and there is no {CONFIG} in this folder");
        return Err(Error::usage(what).remedy("--db takes a database or a list of indicators"));
    }
    let database = of_config(path)?;
    let opened = file(&database, is_long)?;
    Ok(Chosen { database: opened, path: Some(database) })
}

/// The database of a configuration.
fn of_config(path: &Path) -> Result<PathBuf> {
    let database = Config::open(path)?.database;
    if !database.exists() {
        let what = format!("the database of {} does not exist yet", name(path));
        let remedy = "create it with `wiresift feed update --compile`";
        return Err(Error::usage(what).at_path(&database).remedy(remedy));
    }
    Ok(database)
}
