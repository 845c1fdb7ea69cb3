//! `wiresift bench diff`: what differs between two databases, and between their alerts.

use super::database::{self, Chosen};
use super::flags::{BenchDiff as Flags, DiffFormat};
use super::messages::print;
use super::outcome::Outcome;
use super::outputs::{OwnFiles, Written};
use super::progress::Progress;
use super::validity;
use std::ffi::OsStr;
use wiresift::engine::alert::{Encoder, Format};
use wiresift::engine::error::escape_json;
use wiresift::engine::scan::Options;
use wiresift::sensor::bench::{self, AlertDifferences};
use wiresift::sensor::input;
use wiresift::sensor::run::{self, Current, Files, Job, Notice, Notify, Output, Signals};
use wiresift::{Error, Result};

/// What came of the inputs.
enum Scanned {
    /// How the alerts differ, and how many inputs failed.
    Alerts(Option<AlertDifferences>, u64),
    /// A signal ended it.
    Ended(u8),
}

/// Compares two databases, and prints what differs.
pub(super) fn run(flags: &Flags) -> Result<Outcome> {
    let progress = Progress::new(false);
    let notify = |notice: Notice<'_>| progress.notice(notice);
    let Chosen { database: old, .. } = database::open(Some(&flags.old), false, &notify)?;
    let Chosen { database: new, .. } = database::open(Some(&flags.new), false, &notify)?;
    let mut difference = bench::compare(&old, &new);
    for (database, path) in [(&old, &flags.old), (&new, &flags.new)] {
        if let Some(error) = database.damage() {
            return Err(error.at_path(path));
        }
    }
    let (old, new) = (Current::new(old, None), Current::new(new, None));
    let scanned = scan(flags, &old, &new, &notify);
    progress.finish();
    let errors = match scanned? {
        Scanned::Ended(signal) => return Ok(Outcome::Ended(signal)),
        Scanned::Alerts(alerts, errors) => {
            difference.alerts = alerts;
            errors
        }
    };
    if flags.json || flags.format == DiffFormat::Json {
        let json = serde_json::to_string(&difference)
            .map_err(|e| Error::format(format!("cannot write the difference: {e}")))?;
        print(format!("{}\n", escape_json(&json)))?;
    } else {
        print(difference.text())?;
    }
    Ok(match () {
        () if errors > 0 => Outcome::Failed,
        () if difference.is_any() => Outcome::No,
        () => Outcome::Yes,
    })
}

/// Holds both databases against the inputs, if there are any.
fn scan(flags: &Flags, old: &Current, new: &Current, notify: Notify<'_>) -> Result<Scanned> {
    if flags.inputs.is_empty() {
        return Ok(Scanned::Alerts(None, 0));
    }
    let expansion = input::expand(flags.inputs.iter().map(|path| -> &OsStr { path.as_os_str() }));
    expansion.errors.iter().for_each(|error| notify(Notice::Failed(error)));
    let at = flags.at.as_deref().map(validity::time).transpose()?.flatten();
    let signals = Signals::new(true)?;
    let output = Output::new(Encoder::new(Format::Json));
    let options = Options::default().at(at);
    let job = Job { options, threads: flags.threads, ..Job::new(old, output, &signals) };
    let (mut targets, mut own_errors) = (expansion.targets, 0);
    for database in [&flags.old, &flags.new] {
        let written = Written { output: None, is_listing: false };
        let own = OwnFiles::of(None, Some(database));
        own_errors += own.leave_out(&mut targets, &flags.inputs, &written, notify)?.1;
    }
    let files = Files { targets, chunk: 0 };
    let (report, alerts) = run::compare(job, new, files, notify)?;
    if let Some(signal) = signals.number() {
        return Ok(Scanned::Ended(signal));
    }
    let errors = report.errors + own_errors + expansion.errors.len() as u64;
    Ok(Scanned::Alerts(Some(alerts), errors))
}
