//! `wiresift exchange import`, `backup`, `restore` and `check`.

use super::serve::warnings;
use crate::cli::flags::{ExchangeBackup, ExchangeData, ExchangeImport, ExchangeRestore};
use crate::cli::messages::{name, plural, print, say};
use crate::cli::outcome::Outcome;
use wiresift::engine::error::escape_text;
use wiresift::engine::indicator::Tlp;
use wiresift::exchange::import::{List, import as bring};
use wiresift::exchange::storage::Storage;
use wiresift::intel::feed::{Collected, Options};
use wiresift::{Error, Result};

/// Imports feed files.
pub(super) fn import(flags: &ExchangeImport) -> Result<Outcome> {
    let tlp = Tlp::from_name(&flags.tlp).ok_or_else(|| {
        let tlp = escape_text(&flags.tlp);
        Error::usage(format!(
            "unknown TLP “{tlp}”: expected clear, green, amber, amber+strict or red"
        ))
    })?;
    let mut found = Collected::default();
    for path in &flags.files {
        let bytes = std::fs::read(path).map_err(|error| Error::io("read", error).at_path(path))?;
        wiresift::intel::feed::read(&bytes, &Options::of_feed(&flags.name), &mut found)
            .map_err(|error| error.at_path(path))?;
    }
    let (storage, _) = Storage::open(&flags.data.directory)?;
    let author = flags.author.clone();
    let author = storage.write(move |writes| writes.account(&author))?;
    let list = List { name: flags.name.clone(), author, tlp, tags: flags.tag.clone() };
    let done = bring(&storage, &list, &found.indicators, &warnings(&[])?)?;
    print(format!(
        "{} created, {} changed, {} added, {} removed, {} skipped\n",
        plural(done.created, "pulse"),
        plural(done.changed, "pulse"),
        plural(done.added, "value"),
        plural(done.removed, "value"),
        plural(done.skipped + found.rejects.len() as u64, "value"),
    ))?;
    Ok(Outcome::Yes)
}

/// Copies the database.
pub(super) fn backup(flags: &ExchangeBackup) -> Result<Outcome> {
    Storage::backup(&flags.data.directory, &flags.file)?;
    Ok(Outcome::Yes)
}

/// Restores a backup.
pub(super) fn restore(flags: &ExchangeRestore) -> Result<Outcome> {
    Storage::restore(&flags.file, &flags.data.directory)?;
    Ok(Outcome::Yes)
}

/// Checks the database. Damage is the answer, not a failure.
pub(super) fn check(flags: &ExchangeData) -> Result<Outcome> {
    let problems = Storage::check(&flags.directory)?;
    for problem in &problems {
        say(&format!("wiresift: {}: {problem}", name(&flags.directory)));
    }
    if problems.is_empty() {
        print(format!("{}: sound\n", name(&flags.directory)))?;
        return Ok(Outcome::Yes);
    }
    Ok(Outcome::No)
}
