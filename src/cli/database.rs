//! Which database a command works with: the one that was named, a list that is compiled
//! on the spot, or that of `wiresift.toml`.

use super::messages::{name, plural};
use super::notices::of_feeds;
use std::io::Read;
use std::path::{Path, PathBuf};
use wiresift::clock::Stopwatch;
use wiresift::engine::database::{self, Database};
use wiresift::intel::config::Config;
use wiresift::intel::feed;
use wiresift::intel::subscribe::{self, FeedInput};
use wiresift::sensor::run::{self, Notice, Notify};
use wiresift::{Error, Result};

/// The configuration that is looked for in the current folder.
pub(super) const CONFIG: &str = "wiresift.toml";

/// A database, and the file that newer ones will have, if it is one.
pub(super) struct Chosen {
    pub(super) database: Database,
    pub(super) path: Option<PathBuf>,
}

/// Opens the database that `--db` names, or else that of the configuration in the
/// current folder. A list, a feed or a folder of them is compiled in memory.
///
/// Whoever works with it for long (`is_long`) gets a copy, and does not depend on what
/// becomes of the file.
///
/// # Errors
///
/// When nothing is named and there is no configuration, or it cannot be opened.
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
        return Err(Error::format("neither a database nor a list: no indicator is in it")
            .at_path(named)
            .remedy("`wiresift compile --rejects FILE` lists what is wrong with its values"));
    }
    notify(Notice::Skipped(&format!(
        "{} is no database: compiled {} of it in memory, in {:.1} s; to keep them: \
         wiresift compile -o FILE.wsdb {}",
        name(named),
        plural(database.summary().total(), "value"),
        started.elapsed().as_secs_f64(),
        name(named)
    )));
    Ok(Chosen { database, path: None })
}

/// Whether a file is a database, whole or not. What cannot be read is taken for one, so
/// that the error says what was wanted.
fn is_database(path: &Path) -> bool {
    let Ok(file) = std::fs::File::open(path) else { return true };
    // A folder holds lists, and a pipe can only be one: a database is mapped.
    if !file.metadata().is_ok_and(|it| it.is_file()) {
        return false;
    }
    let mut head = Vec::new();
    let read = file.take(database::MAGIC.len() as u64).read_to_end(&mut head);
    read.is_err() || head.is_empty() || head == database::MAGIC
}

fn file(path: &Path, is_long: bool) -> Result<Database> {
    if is_long { run::load_database(path) } else { run::open_database(path) }
}

fn configured(is_long: bool) -> Result<Chosen> {
    let path = Path::new(CONFIG);
    if !path.exists() {
        return Err(Error::usage(format!("no database is named, and no {CONFIG} is here"))
            .remedy("--db names a database, or a list of indicators"));
    }
    let database = Config::open(path)?.database;
    if !database.exists() {
        let what = format!("the database of {CONFIG} is not there yet");
        let remedy = "`wiresift feed update --compile` makes it";
        return Err(Error::usage(what).at_path(&database).remedy(remedy));
    }
    let opened = file(&database, is_long)?;
    Ok(Chosen { database: opened, path: Some(database) })
}
