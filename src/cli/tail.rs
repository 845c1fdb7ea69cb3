//! `wiresift tail`: follows logs as they grow and rotate.

use super::database::{self, Chosen};
use super::flags::{From, Tail};
use super::messages::{error, grouped, name, plural, say, say_json, size};
use super::notices::print_notice;
use super::outcome::Outcome;
use super::{choice, outputs, statistics, summary, validity};
use serde_json::{Value, json};
use std::ffi::OsString;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use wiresift::Result;
use wiresift::engine::files::Inputs;
use wiresift::engine::scan::Options;
use wiresift::sensor::input::tail::{Start, TailOptions, Watch};
use wiresift::sensor::run::{self, Current, Job, Logs, Report, Signals, TailOutput};
use wiresift::sensor::sink::FileSink;

pub(super) fn run(flags: Tail) -> Result<Outcome> {
    outputs::refuse(flags.output.as_deref(), &reads(&flags))?;
    let output = outputs::file(flags.output.as_deref());
    let is_free = output.is_some() || flags.alerts.quiet;
    // With alerts in a file, or none at all, standard output is free for the summary.
    let to_terminal = !is_free && std::io::stdout().is_terminal();
    let Chosen { database, path } = database::open(flags.db.as_deref(), true, &print_notice)?;
    choice::check_feeds(&flags.choice, &database)?;
    let allow = database::allow_lists(&flags.alerts.allow, &print_notice)?;
    let options = Options::default()
        .at(validity::time(&flags.at)?)
        .zone(flags.timezone.as_deref().map(run::time_zone).transpose()?)
        .allow(allow);
    // Only a database from a file can be reloaded; a list compiled in memory has no path.
    let follow = path.and_then(|path| flags.following.follow(&path, to_terminal));
    let rotated = outputs::rotated(output).map(Path::to_path_buf);
    // SIGHUP reopens the output and reloads the database. It ends the tail only if there is
    // neither.
    let is_called = rotated.is_some() || follow.as_ref().is_some_and(|it| it.on_hangup);
    let (current, signals) = (Current::new(database, None), Signals::new(!is_called)?);
    let written = flags.choice.output(&flags.alerts, to_terminal)?;
    if !flags.alerts.quiet {
        outputs::refuse_other_format(output, written.encoder.format())?;
    }
    let logs = logs(&flags, rotated.as_deref(), to_terminal);
    let job = Job {
        follow,
        options,
        threads: flags.threads,
        rotated: rotated.clone(),
        ..Job::new(&current, written, &signals)
    };
    // Only a regular file with a state allows exactly-once output; anything else is a stream.
    let report = match rotated.filter(|_| logs.state.is_some() && !flags.alerts.quiet) {
        Some(path) => run::tail(job, logs, TailOutput::File(&path), &print_notice),
        None => {
            let quiet = flags.alerts.quiet;
            let mut sink = outputs::open(output, quiet, |path| FileSink::append(path))?;
            run::tail(job, logs, TailOutput::Sink(&mut *sink), &print_notice)
        }
    }?;
    if flags.once && report.inputs == 0 {
        say(&format!("wiresift: {}: no file matches", patterns(&flags)));
    }
    match flags.stats.as_deref() {
        Some("json") => say_json(&stats_json(&report)),
        Some(_) => stats_text(&report),
        None => choice::say_if_all_left_out(&report.result.left_out, report.records),
    }
    summary::print(report.result.summary.as_deref(), flags.choice.summary.as_deref(), is_free)?;
    outcome(&report, &signals)
}

/// The outcome of the command. A closed pipe is not a failure: the reader has what it wanted.
fn outcome(report: &Report, signals: &Signals) -> Result<Outcome> {
    let stopped = report.stopped.as_ref().filter(|error| !error.is_broken_pipe());
    if let Some(failure) = stopped {
        error(failure);
        if report.output.lost > 0 {
            let lost = plural(report.output.lost, "alert");
            say(&format!(
                "wiresift: {lost} could not be written; the next run will find them again"
            ));
        }
        return Ok(Outcome::Failed);
    }
    Ok(match report.records {
        _ if report.errors > 0 => Outcome::Failed,
        // A tail that was stopped by a signal did its job, even if nothing matched.
        0 if signals.number().is_none() => Outcome::No,
        _ => Outcome::Yes,
    })
}

/// The patterns, as they were given.
fn patterns(flags: &Tail) -> String {
    let names: Vec<_> = flags.patterns.iter().map(|it| name(Path::new(it))).collect();
    names.join(" ")
}

/// What to follow, and how.
fn logs(flags: &Tail, file: Option<&Path>, to_terminal: bool) -> Logs {
    let from = match flags.from {
        Some(From::End) => Start::End,
        Some(From::Beginning) => Start::Beginning,
        // A person wants to see what happens from now on; a file should contain everything.
        None if to_terminal => Start::End,
        None => Start::Beginning,
    };
    let mut exclude = flags.exclude.clone();
    exclude.extend(own(flags.output.as_deref(), flags.state.as_deref()));
    let options = TailOptions {
        patterns: flags.patterns.clone(),
        exclude,
        from,
        watch: if flags.poll { Watch::Poll } else { Watch::Notify },
        rotate_wait: flags.rotate_wait,
        ignore_older: flags.ignore_older,
        idle_flush: flags.idle_flush,
        ..TailOptions::default()
    };
    let beside = file.filter(|_| !flags.no_state).map(beside);
    let state = flags.state.clone().or(beside);
    Logs { options, state, reset: flags.reset, once: flags.once }
}

/// Patterns for files that the command itself writes: the alerts, under any name that rotation
/// gives them, and the state. Reading them would feed alerts back into the input.
fn own(output: Option<&Path>, state: Option<&Path>) -> Vec<OsString> {
    let absolute = |path: &Path| std::path::absolute(path).ok();
    let escaped = |path: &Path| Some(glob::Pattern::escape(path.to_str()?));
    // The shell may have redirected standard output into a file that the patterns match.
    let stdout = std::fs::read_link("/proc/self/fd/1").ok();
    let files = [outputs::file(output).map(Path::to_path_buf), stdout];
    let mut own = Vec::new();
    for path in files.into_iter().flatten().filter(|path| path.is_file() || output.is_some()) {
        // Patterns may find the file by its absolute or its relative path.
        own.extend(absolute(&path).as_deref().and_then(escaped).map(|path| format!("{path}*")));
        own.extend(escaped(&path).map(|path| format!("{path}*")));
    }
    if let Some(state) = state {
        own.extend(absolute(state).as_deref().and_then(escaped).map(|path| format!("{path}/**")));
        own.extend(escaped(state).map(|path| format!("{path}/**")));
    }
    own.into_iter().map(OsString::from).collect()
}

/// The default state folder of an alert file: `alerts.json.state`.
fn beside(file: &Path) -> PathBuf {
    let mut name = OsString::from(file);
    name.push(".state");
    name.into()
}

/// The files that the command line names as inputs. Patterns are not expanded here: they are
/// matched while following, which excludes the alert file anyway.
fn reads(flags: &Tail) -> Inputs {
    let mut reads = Inputs::default();
    if let Some(path) = &flags.db {
        reads.add(path, "the database");
    }
    for path in &flags.alerts.allow {
        reads.add(path, "an allow list");
    }
    for path in flags.patterns.iter().map(Path::new).filter(|path| path.is_file()) {
        reads.add(path, "an input");
    }
    reads
}

/// The statistics as JSON.
fn stats_json(report: &Report) -> Value {
    let mut stats = json!({
        "files": report.inputs,
        "bytes": report.bytes,
        "lines": report.lines,
        "records": report.records,
        "lost": report.output.lost,
        "errors": report.errors,
        "seconds": report.elapsed.as_secs_f64(),
    });
    if let Value::Object(stats) = &mut stats {
        stats.extend(statistics::counters(&report.counters));
        stats.insert("left_out".into(), choice::left_out_json(&report.result.left_out));
        stats.insert("database".into(), statistics::swaps(&report.swaps));
    }
    stats
}

/// Prints the statistics as text, one subject per line with aligned counts.
pub(super) fn stats_text(report: &Report) {
    say(&format!(
        "read       {}, {} in {}, {:.2} s",
        plural(report.inputs, "file"),
        plural(report.lines, "line"),
        size(report.bytes),
        report.elapsed.as_secs_f64(),
    ));
    statistics::say_counters(&report.counters);
    choice::say_left_out(&report.result.left_out);
    statistics::say_swaps(&report.swaps);
    let lost = match report.output.lost {
        0 => String::new(),
        lost => format!(", {} lost", grouped(lost)),
    };
    say(&format!("written    {:>9} records{lost}", report.records));
}
