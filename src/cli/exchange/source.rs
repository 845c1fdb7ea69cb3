//! `wiresift exchange source`.

use crate::cli::exchange::place::place;
use crate::cli::exchange::serve::warnings;
use crate::cli::feed;
use crate::cli::flags::{ExchangeSource, ExchangeSourceCommand, FeedAdd, FeedRemove};
use crate::cli::messages::{self, grouped, plural, print, say};
use crate::cli::outcome::Outcome;
use crate::cli::table::{Table, age};
use std::path::{Path, PathBuf};
use wiresift::clock::now;
use wiresift::engine::error::escape_json;
use wiresift::exchange::accounts::{Viewer, check_user_name};
use wiresift::exchange::sources::{self, Brought, Update};
use wiresift::exchange::storage::{Place, Storage};
use wiresift::intel::config::{Config, edit};
use wiresift::intel::store::Store;
use wiresift::intel::subscribe::{FeedOutcome, StopSignal, UpdateJob};
use wiresift::{Error, Result};

/// Manages sources.
pub(super) fn source(flags: ExchangeSource) -> Result<Outcome> {
    let place = place(&flags.data)?;
    let directory = place.directory();
    let config = sources::config_file(directory);
    match flags.command {
        ExchangeSourceCommand::Add(flags) => add(directory, *flags),
        ExchangeSourceCommand::List { json } => list(&place, json),
        ExchangeSourceCommand::Update { names, accept, due, warning_list } => {
            update(&place, (names, accept, due), &warning_list)
        }
        ExchangeSourceCommand::Remove { name, keep } => remove(&place, name, keep),
        ExchangeSourceCommand::Enable(flags) => {
            opened(directory)?;
            feed::enable(&config, &flags, true)
        }
        ExchangeSourceCommand::Disable(flags) => {
            opened(directory)?;
            feed::enable(&config, &flags, false)
        }
    }
}

/// The sources, which must be there.
fn opened(directory: &Path) -> Result<Config> {
    sources::open(directory)?.ok_or_else(|| {
        Error::usage("the exchange has no sources yet")
            .at_path(directory)
            .remedy("add one with `wiresift exchange source --data DIR add`")
    })
}

fn add(directory: &Path, mut flags: FeedAdd) -> Result<Outcome> {
    let name = flags.name.as_ref().unwrap_or(&flags.what);
    check_user_name(name).map_err(|why| {
        Error::usage(format!("the source has an account: {why}")).remedy("--name")
    })?;
    let kind = flags.kind.as_deref().unwrap_or(&flags.what);
    if kind == "allow" {
        return Err(Error::usage("a list of kind allow has no pulses"));
    }
    // The file is in another folder than the one that paths are relative to here.
    for path in [&mut flags.path, &mut flags.key_file].into_iter().flatten() {
        let whole = std::path::absolute(&*path)
            .map_err(|error| Error::io("resolve", error).at_path(PathBuf::from(&*path)))?;
        *path = whole.to_string_lossy().into_owned();
    }
    std::fs::create_dir_all(directory)
        .map_err(|error| Error::io("create the directory", error).at_path(directory))?;
    let config = sources::config_file(directory);
    if !config.exists() && !flags.dry_run {
        edit::save(&config, sources::new_config())?;
    }
    feed::add(&config, &flags, "wiresift exchange source update, or by the running server")
}

fn list(place: &Place, json: bool) -> Result<Outcome> {
    let config = opened(place.directory())?;
    let (storage, _) = Storage::open(place)?;
    let store = Store::at(&config.state);
    let now = now();
    let mut all_well = true;
    let mut table = Table::default();
    let mut lines = String::new();
    table.row(["source", "kind", "age", "values", "pulses", "failures", "status"]);
    for feed in &config.feeds {
        let state = store.feed_dir(&feed.name).state();
        let user = match storage.read(|view| view.source(&feed.name))? {
            Some(_) => storage.read(|view| {
                let account = view.user(Viewer::Nobody, &feed.name)?;
                let own = account.map(|account| Viewer::User(account.id));
                view.user(own.unwrap_or(Viewer::Nobody), &feed.name)
            })?,
            None => None,
        };
        let pulses = user.map_or(0, |user| user.pulses);
        let status = feed::status(feed, &state, now);
        let status = status.replace("`feed update", "`exchange source update");
        all_well &= feed::is_well(feed, &state);
        if json {
            let mut value = serde_json::to_value(&state).unwrap_or_default();
            value["source"] = feed.name.as_str().into();
            value["kind"] = feed.kind.name().into();
            value["enabled"] = feed.enabled.into();
            value["origin"] = feed.origin.shown().into();
            value["pulses"] = pulses.into();
            value["status"] = status.into();
            lines.push_str(&format!("{value}\n"));
            continue;
        }
        table.row([
            feed.name.clone(),
            feed.kind.name().to_string(),
            state.last_success.map_or("never".into(), |time| age(now, time)),
            grouped(state.indicators),
            grouped(pulses),
            grouped(u64::from(state.failures)),
            feed::short(&status),
        ]);
    }
    match json {
        true => print(&*escape_json(&lines))?,
        false => print(format!("{}\n", table.laid_out(&[2, 3, 4, 5])))?,
    }
    Ok(if all_well { Outcome::Yes } else { Outcome::No })
}

fn update(
    place: &Place,
    (only, accept, due): (Vec<String>, bool, bool),
    warning_list: &[PathBuf],
) -> Result<Outcome> {
    let config = opened(place.directory())?;
    let warnings = warnings(warning_list)?;
    let (storage, _) = Storage::open(place)?;
    let stop = StopSignal::new()?;
    let job = UpdateJob { config: &config, only, due, accept, dry_run: false, stop: Some(&stop) };
    let updates = sources::update((&storage, &warnings), &job, &|notice| {
        if let wiresift::intel::subscribe::Notice::Failed(error) = notice {
            messages::error(error);
        }
    })?;
    let mut is_failed = false;
    for update in &updates {
        is_failed |= report(update)?;
    }
    Ok(if is_failed { Outcome::Failed } else { Outcome::Yes })
}

/// Prints what became of a source. Returns whether it failed.
fn report(update: &Update) -> Result<bool> {
    let name = &update.feed.name;
    let mut is_failed = false;
    match &update.feed.outcome {
        FeedOutcome::Failed(error) => {
            say(&format!("wiresift: {name}: {error}"));
            is_failed = true;
        }
        FeedOutcome::PendingReview(held) => {
            say(&format!("wiresift: {name}: held: {} (accept it with --accept)", held.reason));
            is_failed = true;
        }
        FeedOutcome::Skipped(why) => print(format!("{name}: skipped: {why}\n"))?,
        _ => {}
    }
    match &update.brought {
        None if !is_failed => print(format!("{name}: unchanged\n"))?,
        None => {}
        Some(Err(error)) => {
            say(&format!("wiresift: {name}: {error}"));
            is_failed = true;
        }
        Some(Ok(done)) => {
            print(format!("{name}: {}\n", sentence(done)))?;
            if let Some((count, why)) = &done.failed {
                let pulses = plural(*count, "pulse");
                say(&format!("wiresift: {name}: {pulses} could not be stored: {why}"));
                is_failed = true;
            }
        }
    }
    Ok(is_failed)
}

fn sentence(done: &Brought) -> String {
    let mut parts = vec![
        format!("{} created", plural(done.created, "pulse")),
        format!("{} changed", grouped(done.changed)),
        format!("{} deleted", grouped(done.deleted)),
        format!("{} added", plural(done.added, "value")),
        format!("{} removed", grouped(done.removed)),
    ];
    for (count, what) in [
        (done.skipped, "not for pulses"),
        (done.restricted, "of TLP amber or red"),
        (done.elsewhere, "published here by others"),
    ] {
        if count > 0 {
            parts.push(format!("{} {what}", grouped(count)));
        }
    }
    parts.join(", ")
}

fn remove(place: &Place, name: String, keep: bool) -> Result<Outcome> {
    let directory = place.directory();
    let config = opened(directory)?;
    config.feed(&name)?;
    let path = sources::config_file(directory);
    let flags = FeedRemove { name: name.clone(), keep: false, dry_run: false };
    feed::remove(&path, &flags)?;
    if !keep {
        let (storage, _) = Storage::open(place)?;
        let count = sources::remove(&storage, &name)?;
        say(&format!("deleted its {}", plural(count, "pulse")));
    }
    Ok(Outcome::Yes)
}
