//! `wiresift scan`: logs and captures against a database.
//!
//! The order of `run` matters. Everything that can fail from its arguments is checked before
//! the output is opened, because opening truncates it. Statistics and the summary come last,
//! also after a signal or a full disk, and the exit status then follows from what was found,
//! unless anything failed.

use super::database::{self, Chosen};
use super::flags::Scan;
use super::messages::{self, grouped, plural, say, say_json, size};
use super::outcome::Outcome;
use super::outputs::{self, OwnFiles, Written};
use super::progress::Progress;
use super::{choice, statistics, summary, validity};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wiresift::clock::Stopwatch;
use wiresift::engine::files::Inputs;
use wiresift::engine::scan::Options;
use wiresift::sensor::halt::Halt;
use wiresift::sensor::input::{self, Expansion, Target};
use wiresift::sensor::run::{
    self, Current, Files, Form, Job, Notice, ObserveJob, Output, Report, Signals,
};
use wiresift::sensor::sink::FileSink;
use wiresift::{Error, Result};

/// Time that a signalled scan gets to write what it has found. Then it exits regardless: a
/// stuck output (a full pipe, a dead NFS server) must not make it unkillable.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs a scan, and prints messages and statistics about it.
pub(super) fn run(flags: Scan) -> Result<Outcome> {
    let started = Stopwatch::start();
    let Expansion { mut targets, errors, skipped, empty } = targets(&flags)?;
    let is_free = outputs::file(flags.output.as_deref()).is_some() || flags.alerts.quiet;
    let to_terminal = !is_free && std::io::stdout().is_terminal();
    let progress = Progress::new(to_terminal);
    let notify = |notice: Notice<'_>| progress.notice(notice);
    for error in &errors {
        notify(Notice::Failed(error));
    }
    outputs::say_empty(&empty, &notify);
    outputs::refuse(flags.output.as_deref(), &reads(&flags))?;
    let own = OwnFiles::of(flags.output.as_deref(), flags.db.as_deref());
    let is_listing = flags.count || flags.paths;
    let written = Written { output: flags.output.as_deref(), is_listing };
    let (own, own_errors) = own.leave_out(&mut targets, &flags.inputs, &written, &notify)?;
    let mut signals = None;
    let report = if flags.observables {
        observe(&flags, targets, &mut signals, &notify)
    } else {
        hunt(&flags, targets, to_terminal, &mut signals, &notify)
    };
    progress.finish();
    let mut report = report?;
    report.errors += errors.len() as u64 + own_errors;
    for (reason, count) in [
        ("special_file", skipped.special),
        ("directory_link", skipped.directory_links),
        ("broken_link", skipped.broken_links),
        ("own_file", own),
    ] {
        if count > 0 {
            report.skipped.insert(reason.into(), count);
        }
    }
    let stopped = report.stopped.take();
    // A closed pipe is not a failure: the reader, such as `head`, has what it wanted.
    let is_gone = stopped.as_ref().is_some_and(Error::is_broken_pipe);
    if let Some(error) = stopped.as_ref().filter(|_| !is_gone) {
        say_stopped(error, report.output.lost);
        report.errors += 1;
    }
    match flags.stats.as_deref() {
        Some("json") => say_json(&stats_json(&report, started.elapsed())),
        Some(_) => stats_text(&report, started.elapsed()),
        None => choice::say_if_all_left_out(&report.result.left_out, report.records),
    }
    if is_gone {
        return Ok(Outcome::Yes);
    }
    summary::print(report.result.summary.as_deref(), flags.choice.summary.as_deref(), is_free)?;
    say_closed(&report);
    if let Some(number) = signals.as_ref().and_then(Signals::number) {
        return Ok(Outcome::Ended(number));
    }
    Ok(match report {
        _ if report.errors > 0 || !report.closed.is_empty() => Outcome::Failed,
        _ if report.records > 0 => Outcome::Yes,
        _ => Outcome::No,
    })
}

/// The files that the command line names as inputs of any kind. The output must not be one of
/// them.
fn reads(flags: &Scan) -> Inputs {
    let mut reads = Inputs::default();
    if let Some(path) = &flags.db {
        reads.add(path, "the database");
    }
    for path in &flags.alerts.allow {
        reads.add(path, "an allow list");
    }
    for path in &flags.inputs {
        reads.add(path, "an input");
    }
    if flags.inputs.is_empty() {
        reads.add(Path::new("-"), "the input");
    }
    reads
}

/// Prints observables. That needs no database, so none is opened.
fn observe(
    flags: &Scan,
    targets: Vec<Target>,
    signals: &mut Option<Signals>,
    notify: run::Notify<'_>,
) -> Result<Report> {
    let mut sink =
        outputs::open(flags.output.as_deref(), flags.alerts.quiet, |path| FileSink::create(path))?;
    let halt = start(signals, true)?;
    sink.until(&halt);
    let (threads, chunk) = (flags.threads, flags.chunk_size);
    let job = ObserveJob { targets, packets: flags.packets.config(), threads, chunk, halt };
    run::observe(job, &mut *sink, notify)
}

/// Matches targets against the database.
fn hunt(
    flags: &Scan,
    targets: Vec<Target>,
    to_terminal: bool,
    signals: &mut Option<Signals>,
    notify: run::Notify<'_>,
) -> Result<Report> {
    // A long scan must not depend on the file; see `database::open`.
    let is_endless = flags.following.watch.is_some() || targets.iter().any(is_endless);
    let Chosen { database, path } = database::open(flags.db.as_deref(), is_endless, notify)?;
    let follow = path.filter(|_| is_endless);
    let follow = follow.and_then(|path| flags.following.follow(&path, to_terminal));
    choice::check_feeds(&flags.choice, &database)?;
    let at = validity::time(&flags.at)?;
    let options = Options::default()
        .at(at)
        .zone(flags.timezone.as_deref().map(run::time_zone).transpose()?)
        .refang(flags.refang)
        .allow(database::allow_lists(&flags.alerts.allow, notify)?);
    let written = written(flags, is_one_file(flags), to_terminal)?;
    let output = flags.output.as_deref();
    // SIGHUP means “reopen and reload” if there is anything to reopen or reload. Otherwise it
    // keeps its default meaning, the end of the terminal.
    let rotated = outputs::rotated(output).filter(|_| is_endless).map(Path::to_path_buf);
    let is_called = rotated.is_some() || follow.as_ref().is_some_and(|follow| follow.on_hangup);
    let mut sink = outputs::open(output, flags.alerts.quiet, |path| FileSink::create(path))?;
    let current = Current::new(database, None);
    let signals = signals.insert(Signals::new(!is_called)?);
    let job = Job {
        follow,
        options,
        packets: flags.packets.config(),
        threads: flags.threads,
        rotated,
        ..Job::new(&current, written, signals)
    };
    run::scan(job, Files { targets, chunk: flags.chunk_size }, &mut *sink, notify)
}

/// Installs the signal handlers that end a scan.
fn start(signals: &mut Option<Signals>, on_hangup: bool) -> Result<Halt> {
    let signals = signals.insert(Signals::new(on_hangup)?);
    signals.watch(Some(PATIENCE))?;
    Ok(signals.halt())
}

/// Whether the input is a single file or standard input. Then `-c` prints no path, as in grep.
fn is_one_file(flags: &Scan) -> bool {
    match &flags.inputs[..] {
        [] => true,
        [path] => path.as_os_str() == "-" || path.is_file(),
        _ => false,
    }
}

/// The output of alerts, in the form that `-l`, `-c` and `-q` select.
fn written(flags: &Scan, is_one: bool, to_terminal: bool) -> Result<Output> {
    let mut output = flags.choice.output(&flags.alerts, to_terminal)?;
    output.max_alerts = flags.max_count;
    output.form = match () {
        // In grep, `-l` wins over `-c`.
        () if flags.paths => Form::Paths,
        () if flags.count && is_one => Form::Count,
        () if flags.count => Form::Counts,
        () if flags.alerts.quiet => Form::Nothing,
        () => Form::Alerts,
    };
    Ok(output)
}

/// Whether an input is neither file nor folder. Reading a pipe can take months, and should
/// pick up new databases. A finite scan uses one database from start to end, so its result
/// does not depend on when the database changed.
fn is_endless(target: &Target) -> bool {
    let path = match target {
        Target::Path(path) => path.as_path(),
        Target::Stdin => Path::new("/dev/stdin"),
    };
    std::fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir())
}

/// Expands the inputs, without those that `--exclude` leaves out.
fn targets(flags: &Scan) -> Result<Expansion> {
    let inputs: Vec<PathBuf> = match &flags.inputs[..] {
        // Waiting for a terminal looks like a hang to someone who forgot the file name.
        [] if std::io::stdin().is_terminal() => {
            return Err(Error::usage("nothing to scan")
                .remedy("name files, folders or patterns, or - for standard input"));
        }
        [] => vec!["-".into()],
        inputs => inputs.to_vec(),
    };
    let mut expansion = input::expand(inputs.iter().map(|path| -> &OsStr { path.as_os_str() }));
    let is_wanted = |target: &Target| match target {
        Target::Stdin => true,
        Target::Path(path) => !is_excluded(path, &flags.exclude),
    };
    expansion.targets.retain(is_wanted);
    Ok(expansion)
}

/// Whether a pattern matches the path, its name, or the name of any folder on the way, as in
/// `rsync --exclude`.
fn is_excluded(path: &Path, patterns: &[glob::Pattern]) -> bool {
    patterns.iter().any(|pattern| {
        let mut parts = path.components().map(|part| part.as_os_str().to_string_lossy());
        pattern.matches_path(path) || parts.any(|part| pattern.matches(&part))
    })
}

/// Reports why the output failed, and the number of records lost.
fn say_stopped(error: &Error, lost: u64) {
    messages::error(error);
    if lost > 0 {
        say(&format!("wiresift: lost {} that could not be written", plural(lost, "record")));
    }
}

/// Reports what could not be searched (encrypted, unsupported), and binary files.
fn say_closed(report: &Report) {
    if !report.closed.is_empty() {
        let counts: Vec<_> = report
            .closed
            .iter()
            .map(|(what, count)| format!("{} {what}", grouped(*count)))
            .collect();
        say(&format!("wiresift: not searched: {}", counts.join(", ")));
    }
    if report.binary > 0 {
        let files = plural(report.binary, "binary file");
        say(&format!("wiresift: {files} searched as raw bytes"));
    }
}

/// The statistics as JSON.
fn stats_json(report: &Report, took: Duration) -> Value {
    let mut stats = json!({
        "inputs": report.inputs,
        "bytes": report.bytes,
        "lines": report.lines,
        "members": report.members,
        "captures": report.captures,
        "packets": statistics::packets(&report.packets),
        "records": report.records,
        "errors": report.errors,
        "skipped": report.skipped,
        "not_searched": report.closed,
        "binary": report.binary,
        "seconds": took.as_secs_f64(),
    });
    if let Value::Object(stats) = &mut stats {
        stats.extend(statistics::counters(&report.counters));
        stats.insert("left_out".into(), choice::left_out_json(&report.result.left_out));
        stats.insert("database".into(), statistics::swaps(&report.swaps));
    }
    stats
}

/// The statistics as text, one subject per line with aligned counts.
fn stats_text(report: &Report, took: Duration) {
    let seconds = took.as_secs_f64().max(1e-9);
    say(&format!(
        "read       {}, {} in {}, {seconds:.2} s ({}/s)",
        plural(report.inputs, "input"),
        plural(report.lines, "line"),
        size(report.bytes),
        size((report.bytes as f64 / seconds) as u64)
    ));
    if report.members > 0 {
        say(&format!("unpacked   {}", plural(report.members, "member")));
    }
    if report.captures > 0 {
        let packets = &report.packets;
        say(&format!(
            "packets    {} in {}, {} ({} evicted)",
            grouped(packets.frames),
            plural(report.captures, "capture"),
            plural(packets.flows, "flow"),
            packets.evicted
        ));
        statistics::say_faults(packets);
    }
    statistics::say_counters(&report.counters);
    choice::say_left_out(&report.result.left_out);
    for (reason, count) in &report.skipped {
        say(&format!("skipped    {count:>9} {reason}"));
    }
    statistics::say_swaps(&report.swaps);
    say(&format!("written    {:>9} records, {}", report.records, plural(report.errors, "error")));
}
