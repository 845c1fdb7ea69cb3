//! `wiresift exchange import`, `backup`, `restore` and `check`.

use super::place::place;
use super::serve::warnings;
use crate::cli::flags::{ExchangeBackup, ExchangeData, ExchangeImport, ExchangeRestore};
use crate::cli::messages::{plural, print, say};
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
    let (storage, _) = Storage::open(place(&flags.data)?)?;
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
    Storage::backup(place(&flags.data)?, &flags.file)?;
    Ok(Outcome::Yes)
}

/// Restores a backup.
pub(super) fn restore(flags: &ExchangeRestore) -> Result<Outcome> {
    Storage::restore(&flags.file, place(&flags.data)?)?;
    Ok(Outcome::Yes)
}

/// Checks the database. Damage is the answer, not a failure.
pub(super) fn check(flags: &ExchangeData) -> Result<Outcome> {
    let place = place(flags)?;
    let problems = Storage::check(&place)?;
    let name = place.name();
    let name = escape_text(&name);
    for problem in &problems {
        say(&format!("wiresift: {name}: {problem}"));
    }
    if problems.is_empty() {
        print(format!("{name}: sound\n"))?;
        return Ok(Outcome::Yes);
    }
    Ok(Outcome::No)
}
