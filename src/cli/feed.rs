//! `wiresift feed`: edits the subscriptions in `wiresift.toml`, fetches them and shows their
//! state.
//!
//! Commands that change the configuration edit its text, so comments and order survive.
//! `--dry-run` stops before the first write. The state directory is locked while anything in
//! it changes; a second `feed update` waits instead of interleaving.

use super::flags::{
    Feed, FeedAdd, FeedCommand, FeedList, FeedName, FeedRemove, FeedShow, FeedUpdate,
};
use super::messages::{self, grouped, plural, print, say, size};
use super::outcome::Outcome;
use super::progress::Progress;
use super::quality;
use super::table::{Table, age};
use std::path::Path;
use std::time::Duration;
use wiresift::clock::now;
use wiresift::engine::error::{escape_json, escape_text};
use wiresift::engine::indicator::Timestamp;
use wiresift::engine::settings::{did_you_mean, similar};
use wiresift::intel::config::{self, Config, Subscription, catalogue, edit};
use wiresift::intel::store::{FeedState, Ledger, Store};
use wiresift::intel::subscribe::{
    self, FeedOutcome, Published, StopSignal, UpdateJob, UpdateReport,
};
use wiresift::{Error, Result};

/// Microseconds in a day; `Timestamp` counts microseconds.
const DAY: i64 = 86_400_000_000;

/// Runs a subcommand of `feed`.
pub(super) fn run(flags: Feed) -> Result<Outcome> {
    let config = &flags.config;
    match flags.command {
        FeedCommand::Add(flags) => add(config, &flags, "wiresift feed update"),
        FeedCommand::List(flags) => list(config, &flags),
        FeedCommand::Update(flags) => update(config, &flags),
        FeedCommand::Remove(flags) => remove(config, &flags),
        FeedCommand::Enable(flags) => enable(config, &flags, true),
        FeedCommand::Disable(flags) => enable(config, &flags, false),
        FeedCommand::Show(flags) => show(config, &flags),
    }
}

/// Subscribes to a feed. Flags override the catalogue, and the result is validated as a whole
/// before the file is written: a command must never leave behind an invalid configuration.
pub(super) fn add(config: &Path, flags: &FeedAdd, next: &str) -> Result<Outcome> {
    let known = catalogue::find(&flags.what);
    let is_own = flags.url.is_some() || flags.path.is_some() || !flags.command.is_empty();
    if known.is_none() && !is_own {
        return Err(unknown_feed(&flags.what));
    }
    let (mut members, comment) = match known {
        Some(entry) => (entry.members(), entry.comment()),
        None => (Vec::new(), Vec::new()),
    };
    let name = flags.name.clone().unwrap_or_else(|| flags.what.clone());
    let argument = if flags.name.is_some() { "--name" } else { "FEED" };
    config::check_name(&name).map_err(|error| Error::usage(format!("{argument}: {error}")))?;
    let mut set = |member: &str, value: toml_edit::Value| {
        members.retain(|(name, _)| name != member);
        members.push((member.to_string(), value));
    };
    let given = flags.members();
    let is_given = |name: &str| given.iter().any(|(member, _)| &**member == name);
    let (env, file) = (is_given("key_env"), is_given("key_file"));
    for (member, value) in given {
        if ["url", "path", "command"].contains(&&*member) {
            members_without_origin(&mut set);
        }
        // Where the credential is replaces where the catalogue expects it.
        match &*member {
            "key_file" if !env => set("key_env", "".into()),
            "key_env" if !file => set("key_file", "".into()),
            _ => {}
        }
        set(&member, value);
    }
    let mut members: Vec<_> = members.into_iter().filter(|(_, v)| !is_nothing(v)).collect();
    members.retain(|(member, _)| member != "name");
    let is_kind = config::Kind::from_name(&flags.what).is_some();
    if known.is_none() && is_kind && members.iter().all(|(member, _)| member != "kind") {
        // `feed add allow --url …` needs no `--kind allow`.
        members.push(("kind".to_string(), flags.what.as_str().into()));
    }
    // First, so that the table begins with the feed's name.
    members.insert(0, ("name".to_string(), name.as_str().into()));
    // Report a broken configuration as it is now, before the new feed can be blamed for it.
    let old = edit::read(config)?;
    if Config::parse(&old, config)?.feed(&name).is_ok() {
        return Err(already_subscribed(&old, config, &name));
    }
    let text = edit::add(&old, config, &members, &comment).map_err(|e| of_argument(e, flags))?;
    if flags.dry_run {
        say(&format!("new contents of {}:", messages::name(config)));
        print(&text)?;
        return Ok(Outcome::Yes);
    }
    edit::save(config, &text)?;
    // Reopened, so that the messages describe what was actually written.
    let feed = Config::open(config)?.feed(&name)?.clone();
    say(&format!("subscribed to {name}: {}", feed.origin.shown()));
    if let Some(entry) = known {
        say(&format!("  licence: {}", entry.licence));
    }
    if let Some(key) = &feed.access.key {
        say(&format!("  credential: {}", place_of(key)));
    }
    for warning in feed.warnings() {
        say(&format!("wiresift: warning: {warning}"));
    }
    say(&format!("  fetch it with `{next}`"));
    Ok(Outcome::Yes)
}

/// The error of a name that no public feed has.
fn unknown_feed(name: &str) -> Error {
    let all = catalogue::all().iter().map(|entry| &*entry.name);
    let what = format!("no public feed is named “{name}”{}", did_you_mean(name, all));
    Error::usage(what).remedy(
        "`wiresift feed list --catalogue` lists them; to add any other feed give --url, --path or \
         --command",
    )
}

/// The error of a name that a subscription has, with its line.
fn already_subscribed(text: &str, config: &Path, name: &str) -> Error {
    let line = edit::line_of(text, name).map_or(String::new(), |line| format!(":{line}"));
    Error::usage(format!(
        "already subscribed to “{name}” ({}{line}); to add it again under another name: --name NAME",
        messages::name(config)
    ))
}

/// Replaces the place in the configuration by the argument that caused the error: the user
/// typed `--interval`, not line 14 of a file that does not exist yet.
fn of_argument(error: Error, flags: &FeedAdd) -> Error {
    let message = error.to_string();
    // `config` begins an error about a value with the key, and quotes an unknown key.
    let is_of = |member: &str| {
        message.strip_prefix(member).is_some_and(|rest| rest.starts_with([':', ' ', '=']))
            || message.contains(&format!("unknown field `{member}`"))
    };
    let bare = |member: &str| {
        let rest = message.strip_prefix(member).and_then(|rest| rest.strip_prefix(": "));
        rest.unwrap_or(&message).to_string()
    };
    let set = flags.set.iter().map(|pair| pair.split_once('=').map_or(&**pair, |(name, _)| name));
    if let Some(member) = set.map(str::trim).find(|member| is_of(member)) {
        return Error::usage(format!("--set {member}: {}", bare(member)));
    }
    match flags.members().iter().find(|(member, _)| is_of(member)) {
        Some((member, _)) => {
            Error::usage(format!("--{}: {}", member.replace('_', "-"), bare(member)))
        }
        None => error,
    }
}

/// Whether a value is empty, which removes its key.
fn is_nothing(value: &toml_edit::Value) -> bool {
    value.as_str() == Some("")
}

/// A feed has exactly one origin: a new one replaces the catalogue's.
fn members_without_origin(set: &mut impl FnMut(&str, toml_edit::Value)) {
    for member in ["url", "path", "command"] {
        set(member, "".into());
    }
}

/// Names the place of a credential. The credential itself is never read for this.
pub(super) fn place_of(key: &wiresift::intel::config::Credential) -> String {
    match key {
        wiresift::intel::config::Credential::Env(name) => format!("environment variable {name}"),
        wiresift::intel::config::Credential::File(path) => format!("file {}", messages::name(path)),
    }
}

/// Removes a subscription and, unless `--keep`, its data. The database keeps the
/// indicators until it is compiled again.
pub(super) fn remove(path: &Path, flags: &FeedRemove) -> Result<Outcome> {
    let config = Config::open(path)?;
    let feed = config.feed(&flags.name)?;
    let feed_dir = Store::at(&config.state).feed_dir(&feed.name);
    let text = edit::remove(&edit::read(path)?, path, &feed.name)?;
    let had = feed_dir.state().indicators;
    if flags.dry_run {
        say(&format!("would remove {} and its {}", feed.name, plural(had, "indicator")));
        return Ok(Outcome::Yes);
    }
    let _lock = subscribe::write_lock(&config)?;
    // Configuration first. With the data gone and the feed still subscribed, an interrupted
    // remove would look like a feed that lost everything.
    edit::save(path, &text)?;
    if !flags.keep {
        feed_dir.remove()?;
    }
    say(&format!("removed {}; its indicators disappear at the next compile", feed.name));
    Ok(Outcome::Yes)
}

/// Enables or disables a feed.
pub(super) fn enable(path: &Path, flags: &FeedName, enabled: bool) -> Result<Outcome> {
    let config = Config::open(path)?;
    let feed = config.feed(&flags.name)?;
    let text = edit::enable(&edit::read(path)?, path, &feed.name, enabled)?;
    let word = if enabled { "enabled" } else { "disabled" };
    if flags.dry_run {
        say(&format!("{} would be {word}", feed.name));
        return Ok(Outcome::Yes);
    }
    let _lock = subscribe::write_lock(&config)?;
    edit::save(path, &text)?;
    let feed_dir = Store::at(&config.state).feed_dir(&feed.name);
    let mut state = feed_dir.state();
    // Enabling a feed again is the user's answer to why it stopped.
    if enabled && state.stopped.take().is_some() {
        feed_dir.set_state(&state)?;
    }
    say(&format!("{} is {word}", feed.name));
    Ok(Outcome::Yes)
}

/// Prints the state of all feeds. Exit status 1 means that an enabled feed failed
/// or is held, so that monitoring can use this command.
fn list(path: &Path, flags: &FeedList) -> Result<Outcome> {
    if flags.catalogue {
        return list_catalogue(flags.json);
    }
    let config = Config::open(path)?;
    if let Some(report) = &flags.quality {
        return quality::list(&config, report, flags.json);
    }
    let store = Store::at(&config.state);
    let now = now();
    let mut all_well = true;
    let mut table = Table::default();
    table.row(["feed", "kind", "age", "indicators", "day", "week", "rejected", "status"]);
    let mut lines = String::new();
    for feed in &config.feeds {
        let state = store.feed_dir(&feed.name).state();
        let status = match flags.json {
            true => status(feed, &state, now),
            false => short(&status(feed, &state, now)),
        };
        all_well &= is_well(feed, &state);
        if flags.json {
            let mut value = serde_json::to_value(&state).unwrap_or_default();
            value["feed"] = feed.name.as_str().into();
            value["kind"] = feed.kind.name().into();
            value["enabled"] = feed.enabled.into();
            value["origin"] = feed.origin.shown().into();
            value["status"] = status.into();
            lines.push_str(&format!("{value}\n"));
            continue;
        }
        // To the reader of the table it does not matter whether the reader or the compiler rejected
        // a value.
        let rejected = state.rejected.values().chain(state.guarded.values()).sum();
        let growth = |span| state.growth(now, span).map_or(String::new(), signed);
        table.row([
            feed.name.clone(),
            feed.kind.name().to_string(),
            state.last_success.map_or("never".into(), |time| age(now, time)),
            grouped(state.indicators),
            growth(DAY),
            growth(7 * DAY),
            grouped(rejected),
            status,
        ]);
    }
    if flags.json {
        print(&*escape_json(&lines))?;
    } else {
        print(format!("{}\n", table.laid_out(&[2, 3, 4, 5, 6])))?;
    }
    Ok(if all_well { Outcome::Yes } else { Outcome::No })
}

/// Whether nothing is wrong with a feed: it did not fail, and is not held.
pub(super) fn is_well(feed: &Subscription, state: &FeedState) -> bool {
    !feed.enabled || state.last_error.is_none() && state.held.is_none()
}

/// Shortens a status to the width of its table column; `feed show` prints it in full.
// Fits the table into 160 columns with the longest catalogue name.
pub(super) fn short(status: &str) -> String {
    const ROOM: usize = 48;
    // A message begins with its place, a path or an address, which the row's feed implies.
    let status = match status.split_once(": ") {
        Some((word, rest)) if word.starts_with("failed") => {
            let what = rest.split(" (").next().unwrap_or(rest);
            let what = match what.split_once(": ") {
                Some((place, what)) if place.contains('/') => what,
                _ => what,
            };
            format!("{word}: {what}")
        }
        _ => status.split(" (").next().unwrap_or(status).to_string(),
    };
    if status.chars().count() <= ROOM {
        return status;
    }
    let cut: String = status.chars().take(ROOM - 1).collect();
    format!("{}…", cut.trim_end())
}

/// Prints the catalogue: per feed its name, description, URL, facts and licence.
fn list_catalogue(json: bool) -> Result<Outcome> {
    let mut lines = String::new();
    let width = terminal_width();
    for entry in catalogue::all() {
        if json {
            lines.push_str(&format!("{}\n", serde_json::to_value(entry).unwrap_or_default()));
            continue;
        }
        lines.push_str(&format!("{}\n", entry.name));
        let more = |member: &str| entry.more.get(member).and_then(|value| value.as_str());
        let format = entry.format.iter().map(|format| format!(", {format}"));
        let mut facts = vec![format!("{}{}", entry.kind, format.collect::<String>())];
        facts.push(entry.expected.clone());
        facts.extend(more("interval").map(|time| format!("fetched every {time}")));
        facts.extend(more("lifetime").map(|time| format!("valid for {time}")));
        facts.extend(entry.needs_key().then(|| "needs a key".to_string()));
        for text in [
            entry.about.clone(),
            entry.url.clone(),
            facts.join("; "),
            format!("licence: {}", entry.licence),
        ] {
            fold(&text, width, &mut lines);
        }
    }
    print(&lines)?;
    Ok(Outcome::Yes)
}

/// The width of the terminal, clamped to 40–160 columns, or 0 (unlimited) without one, so that
/// `grep` and `cut` get whole lines.
fn terminal_width() -> usize {
    match rustix::termios::tcgetwinsize(std::io::stdout()) {
        Ok(size) if size.ws_col > 0 => usize::from(size.ws_col).clamp(40, 160),
        _ => 0,
    }
}

/// Wraps text at `width` with a margin. Words longer than a line, such as URLs, stay whole. A
/// width of 0 does not wrap.
fn fold(text: &str, width: usize, out: &mut String) {
    const MARGIN: &str = "    ";
    let mut line = String::new();
    for word in text.split(' ') {
        let length = MARGIN.len() + line.chars().count() + 1 + word.chars().count();
        if width > 0 && !line.is_empty() && length > width {
            out.push_str(&format!("{MARGIN}{line}\n"));
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    out.push_str(&format!("{MARGIN}{line}\n"));
}

/// Formats a duration in the units of the configuration: `30m`, `1h 30m`.
pub(super) fn span(time: Duration) -> String {
    let mut left = time.as_secs();
    if left == 0 {
        return format!("{} ms", time.as_millis());
    }
    let mut parts = Vec::new();
    for (unit, seconds) in [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)] {
        if left >= seconds {
            parts.push(format!("{}{unit}", left / seconds));
            left %= seconds;
        }
    }
    parts.join(" ")
}

/// Formats a change with its sign.
fn signed(number: i64) -> String {
    match number {
        0 => "0".into(),
        1.. => format!("+{}", grouped(number.unsigned_abs())),
        _ => format!("-{}", grouped(number.unsigned_abs())),
    }
}

/// The state of a feed in a few words; the most important problem wins.
pub(super) fn status(feed: &Subscription, state: &FeedState, now: Timestamp) -> String {
    if !feed.enabled {
        return "disabled".into();
    }
    if let Some(why) = &state.stopped {
        return format!("stopped: {why}");
    }
    if let Some(held) = &state.held {
        return format!(
            "held back: {} (`feed update {} --accept` accepts it)",
            held.reason, feed.name
        );
    }
    match &state.last_error {
        Some(error) if state.failures > 1 => {
            format!("failed {} times: {error}", state.failures)
        }
        Some(error) => format!("failed: {error}"),
        None if state.last_success.is_none() => "new".into(),
        None => match state.not_before.filter(|time| *time > now) {
            Some(time) => format!("waits until {time}"),
            None => "good".into(),
        },
    }
}

/// Prints the details of a feed, subscribed or only in the catalogue.
fn show(path: &Path, flags: &FeedShow) -> Result<Outcome> {
    let config = Config::open(path);
    let name = &flags.name;
    let mine = config.as_ref().ok().and_then(|config| config.feed(name).ok().map(|f| (config, f)));
    let known = catalogue::find(name);
    if mine.is_none() && known.is_none() {
        return Err(unknown_anywhere(path, name));
    }
    if flags.rejects {
        let config = Config::open(path)?;
        let feed = config.feed(name)?;
        let feed_dir = Store::at(&config.state).feed_dir(&feed.name);
        let mut out = std::io::BufWriter::new(std::io::stdout().lock());
        subscribe::list_rejects(&config, feed, &feed_dir, &mut out)?;
        return Ok(Outcome::Yes);
    }
    let mut rows: Vec<(&str, String)> = Vec::new();
    if let Some((config, feed)) = mine {
        show_subscribed(config, feed, &mut rows);
    } else if let Some(entry) = known {
        rows.push(("feed", entry.name.clone()));
        rows.push(("status", "not subscribed (subscribe with `wiresift feed add`)".into()));
        rows.extend(entry.members().into_iter().filter_map(|(member, value)| {
            (member == "url").then(|| ("origin", value.as_str().unwrap_or("").to_string()))
        }));
    }
    if let Some(entry) = known {
        rows.push(("about", entry.about.clone()));
        rows.push(("licence", entry.licence.clone()));
        rows.push(("expected", entry.expected.clone()));
    }
    let text: String =
        rows.iter().map(|(name, value)| format!("{name:<14}{}\n", escape_text(value))).collect();
    print(&text)?;
    Ok(Outcome::Yes)
}

/// The error of a name that neither a subscription nor a public feed has. A public feed may be meant
/// if no subscription is.
fn unknown_anywhere(path: &Path, name: &str) -> Error {
    let config = match Config::open(path) {
        Ok(config) => config,
        Err(error) => return error,
    };
    let mine: Vec<&str> = config.feeds.iter().map(|feed| &*feed.name).collect();
    let all = catalogue::all().iter().map(|entry| &*entry.name);
    match (config.feed(name), did_you_mean(name, all)) {
        (Err(error), public) if public.is_empty() || !similar(name, mine).is_empty() => error,
        (_, public) => Error::usage(format!("unknown feed “{name}”{public}"))
            .remedy("`wiresift feed list --catalogue` lists all public feeds"),
    }
}

/// Collects the details of a subscribed feed from the configuration and the store.
fn show_subscribed(config: &Config, feed: &Subscription, rows: &mut Vec<(&str, String)>) {
    let feed_dir = Store::at(&config.state).feed_dir(&feed.name);
    let state = feed_dir.state();
    let now = now();
    let time = |time: Option<Timestamp>| {
        time.map_or("never".into(), |time| format!("{time} ({} ago)", age(now, time)))
    };
    rows.push(("feed", feed.name.clone()));
    rows.push(("status", status(feed, &state, now)));
    rows.push(("kind", feed.kind.name().into()));
    rows.push(("origin", feed.origin.shown()));
    if let Some(format) = feed.options.format {
        rows.push(("format", format.name().into()));
    }
    if let Some(key) = &feed.access.key {
        rows.push(("credential", place_of(key)));
    }
    rows.push(("interval", span(feed.interval)));
    if let Some(lifetime) = feed.lifetime {
        rows.push(("lifetime", span(lifetime)));
    }
    rows.push(("last attempt", time(state.last_attempt)));
    rows.push(("last success", time(state.last_success)));
    rows.push(("last change", time(state.last_change)));
    if let Some(error) = &state.last_error {
        rows.push(("last error", error.clone()));
    }
    let distinct = match state.distinct {
        0 => String::new(),
        n if n == state.indicators => String::new(),
        n => format!(" ({} distinct)", grouped(n)),
    };
    rows.push(("indicators", format!("{}{distinct}", grouped(state.indicators))));
    rows.push(("difference", format!("+{} -{}", grouped(state.added), grouped(state.removed))));
    rows.push(("documents", format!("{} ({})", grouped(state.documents), size(state.bytes))));
    match feed_dir.open_ledger() {
        Ok(Some(ledger)) => rows.push(("ledger", describe(&ledger))),
        Ok(None) => {}
        Err(error) => rows.push(("ledger", error.to_string())),
    }
    for (reason, count) in state.rejected.iter().chain(&state.guarded) {
        rows.push(("rejected", format!("{} {reason}", grouped(*count))));
    }
    if !(state.rejected.is_empty() && state.guarded.is_empty()) {
        rows.push(("", format!("(`wiresift feed show {} --rejects` lists them)", feed.name)));
    }
    if let Some(held) = &state.held {
        rows.push(("held back", format!("{} since {}", held.reason, time(held.since))));
    }
    rows.push(("folder", feed_dir.folder().display().to_string()));
}

/// What a ledger covers, in words.
fn describe(ledger: &Ledger) -> String {
    let index = ledger.index();
    let began = index.began.map_or(String::new(), |time| format!(" since {time}"));
    let forgotten = match index.forgotten {
        0 => String::new(),
        count => format!(", {} forgotten", grouped(count)),
    };
    let length = size(ledger.length());
    format!("{}{began}, {length}{forgotten}", plural(index.values, "value"))
}

/// Updates feeds once, or repeatedly with `--every`.
fn update(path: &Path, flags: &FeedUpdate) -> Result<Outcome> {
    let mut config = Config::open(path)?;
    for warning in config.warnings() {
        say(&format!("wiresift: warning: {warning}"));
    }
    let Some(every) = flags.every else {
        return update_once(&config, flags, flags.due, None);
    };
    let stop = StopSignal::new()?;
    // The first round fetches every feed, due or not: starting the service asks for an update
    // now. Later rounds honour the intervals.
    let mut outcome = update_once(&config, flags, false, Some(&stop));
    loop {
        if let Err(error) = &outcome {
            messages::error(error);
        }
        if !stop.wait(every) {
            return Ok(Outcome::Yes);
        }
        // The configuration may be invalid while it is being edited. That must not end the service:
        // it continues with the last valid one.
        match Config::open(path) {
            Ok(new) => config = new,
            Err(error) => messages::error(&error),
        }
        outcome = update_once(&config, flags, true, Some(&stop));
    }
}

/// One round: fetches the feeds, reports on them, and compiles with `--compile`.
/// The lock is held for both, so that the database is made from what this round
/// accepted.
fn update_once(
    config: &Config,
    flags: &FeedUpdate,
    due: bool,
    stop: Option<&StopSignal>,
) -> Result<Outcome> {
    let lock = subscribe::write_lock(config)?;
    let job = UpdateJob {
        config,
        only: flags.names.clone(),
        due,
        accept: flags.accept,
        dry_run: flags.dry_run,
        stop,
    };
    let progress = Progress::new(flags.quiet);
    let report = subscribe::update(&job, &lock, &|notice| progress.of_feeds(notice));
    progress.finish();
    let report = report?;
    let style = ReportStyle {
        is_dry: flags.dry_run,
        is_repeated: flags.every.is_some(),
        is_quiet: flags.quiet,
    };
    print_report(&report, style);
    let mut is_failed = report.failed() + report.held() > 0;
    if flags.compile && !flags.dry_run {
        let failed = |text: &str| {
            let of = |feed: &subscribe::FeedUpdate| {
                matches!(feed.outcome, FeedOutcome::Failed(_))
                    && text.starts_with(&format!("{}: ", feed.name))
            };
            report.feeds.iter().any(of)
        };
        let published =
            subscribe::publish_subscribed(config, &lock, None, &|notice| match notice {
                // The update has already reported this feed, with the reason.
                subscribe::Notice::Skipped(text) if failed(text) => {}
                notice => progress.of_feeds(notice),
            });
        progress.finish();
        match published? {
            Published::New(report) => {
                is_failed |= report.failed > 0;
                if !flags.quiet {
                    let how = "`wiresift feed show FEED --rejects` lists them";
                    super::compile::summarise(&report, &config.database, Some(how));
                }
            }
            _ if !flags.quiet && flags.every.is_none() => {
                say(&format!("{} is up to date", messages::name(&config.database)));
            }
            _ => {}
        }
    }
    Ok(if is_failed { Outcome::Failed } else { Outcome::Yes })
}

/// How to report an update.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReportStyle {
    /// With `--dry-run`: nothing was changed.
    pub(super) is_dry: bool,
    /// Whether it is one of many rounds.
    pub(super) is_repeated: bool,
    /// Whether to print problems only.
    pub(super) is_quiet: bool,
}

/// Reports each feed: failures and held updates always, the rest unless `is_quiet` is set. In
/// repeated rounds, unchanged and skipped feeds are left out; otherwise a log would gain a line per
/// feed and round.
pub(super) fn print_report(report: &UpdateReport, style: ReportStyle) {
    let would = if style.is_dry { "would be " } else { "" };
    let mut unchanged = 0;
    for feed in &report.feeds {
        let name = &feed.name;
        let line = match &feed.outcome {
            FeedOutcome::Failed(error) => {
                let kept = match feed.before {
                    0 => String::new(),
                    n => format!("; keeping the {}", plural(n, "previous indicator")),
                };
                say(&format!("wiresift: {name}: {error}{kept}"));
                continue;
            }
            FeedOutcome::PendingReview(held) => {
                say(&format!(
                    "wiresift: {name}: {would}held back: {}; keeping the {} \
                     (`wiresift feed update {name} --accept` accepts it)",
                    held.reason,
                    plural(feed.before, "previous indicator"),
                ));
                continue;
            }
            FeedOutcome::Unchanged => {
                unchanged += 1;
                continue;
            }
            FeedOutcome::Changed { added, removed } => format!(
                "{name}: {would}{}{} (+{} -{})",
                plural(feed.indicators, "indicator"),
                match feed.distinct {
                    0 => String::new(),
                    n if n == feed.indicators => String::new(),
                    n => format!(", {} distinct", grouped(n)),
                },
                grouped(*added),
                grouped(*removed)
            ),
            FeedOutcome::Skipped(_) if style.is_repeated => continue,
            FeedOutcome::Skipped(why) => format!("{name}: skipped: {why}"),
            _ => continue,
        };
        if !style.is_quiet {
            say(&line);
        }
    }
    if unchanged > 0 && !style.is_quiet && !style.is_repeated {
        say(&format!("{} unchanged", plural(unchanged, "feed")));
    }
}
