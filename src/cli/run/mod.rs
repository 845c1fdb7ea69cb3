//! `wiresift run`: the service.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `files` | the configuration: where it is, and both houses' parts of it |
//! | `check` | `--check`: what would run, and what is wrong |
//! | `probe`, `sockets` | opens what can be opened |
//! | `feeds` | fetches feeds and publishes the database, in the service and before it |
//! | `setup`, `questions` | `--setup`: a configuration from four answers |

mod check;
mod feeds;
mod files;
mod probe;
mod questions;
mod setup;
mod sockets;

use super::flags::Run;
use super::messages::{name, plural, say};
use super::notices::{of_feeds, print_notice};
use super::outcome::Outcome;
use super::{tail, tap};
use files::Files;
use wiresift::Result;
use wiresift::intel::subscribe;
use wiresift::sensor::checkpoint::StateDir;
use wiresift::sensor::run::daemon::{FeedTimes, Served, Service, Undelivered, serve};
use wiresift::sensor::run::{Notice, Signals};

pub(super) fn run(flags: Run) -> Result<Outcome> {
    if flags.setup {
        return setup::run(flags.config.as_deref(), flags.force);
    }
    let path = files::find(flags.config.as_deref())?;
    if flags.check {
        return check::run(&path, flags.no_suppress);
    }
    match Files::read(&path)? {
        Ok(files) => start(files, &flags),
        Err(problems) => {
            problems.iter().for_each(|problem| say(problem));
            Ok(Outcome::Misconfigured)
        }
    }
}

/// Starts the service, and runs it until it ends.
fn start(files: Files, flags: &Run) -> Result<Outcome> {
    let problems = files.sensor.check(files::built());
    if !problems.is_empty() {
        files::say_problems(&problems);
        return Ok(match problems.may_pass() {
            true => Outcome::Failed,
            false => Outcome::Misconfigured,
        });
    }
    files.warnings().iter().for_each(|warning| say(&format!("wiresift: warning: {warning}")));
    let files = feeds::before(files, flags.once)?;
    if flags.reset {
        StateDir::reset(&files.sensor.daemon_state())?;
    }
    let signals = Signals::new(false)?;
    let updater = feeds::Updater::new(files.intel.clone());
    let update = |halt: &_, fetched: &FeedTimes<'_>| updater.run(halt, fetched);
    let service = Service {
        config: files.sensor.clone(),
        once: flags.once,
        no_suppress: flags.no_suppress,
        allow: &|paths| subscribe::compile_allow_lists(paths, &of_feeds(&notice)),
        // Without feeds, too: some may be added while it runs.
        update: (files.sensor.daemon.update && !flags.once).then_some(&update),
        feeds: files.enabled().map(|feed| feed.name.clone()).collect(),
    };
    let served = serve(service, &signals, &notice)?;
    say_served(&served);
    // An alert that was held back is a match as well.
    Ok(match served.alerts + served.suppressed {
        // A service ends by a signal, which is its normal end.
        _ if !flags.once => Outcome::Yes,
        _ if served.errors > 0 || !served.undelivered.is_empty() => Outcome::Failed,
        0 if signals.number().is_none() => Outcome::No,
        _ => Outcome::Yes,
    })
}

/// Prints a notice. No times are added: the journal has its own.
fn notice(notice: Notice<'_>) {
    match &notice {
        Notice::Asked(report) | Notice::Report(report) => tail::stats_text(report),
        Notice::Listening { .. }
        | Notice::Sandboxed(_)
        | Notice::Gone { .. }
        | Notice::Back { .. }
        | Notice::Down { .. }
        | Notice::Up { .. } => tap::words(&notice).split('\n').for_each(say),
        _ => print_notice(notice),
    }
}

/// Prints a summary at the end.
fn say_served(served: &Served) {
    say(&format!(
        "wiresift: ended after {:.1} s: {}, {}, {} suppressed, {}",
        served.elapsed.as_secs_f64(),
        plural(served.lines, "line"),
        plural(served.alerts, "alert"),
        plural(served.suppressed, "repeat"),
        plural(served.errors, "error"),
    ));
    for (sink, Undelivered { bytes, trouble }) in &served.undelivered {
        let why = trouble.as_ref().map(|trouble| format!(" ({trouble})")).unwrap_or_default();
        say(&format!(
            "wiresift: sink “{sink}”: {} of alerts not delivered{why}: they are in {}, and the next \
             start sends them",
            plural(*bytes, "byte"),
            name(&served.spool)
        ));
    }
}
