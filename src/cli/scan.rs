//! `wiresift scan`

use super::Outcome;
use super::flags::{Colour, Following, Scan};
use super::messages::{grouped, plural, say, size};
use super::{progress::Progress, statistics};
use serde_json::{Value, json};
use std::ffi::OsStr;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use wiresift::alert::{Encoder, Format};
use wiresift::compile::Compiler;
use wiresift::database::Database;
use wiresift::indicator::Timestamp;
use wiresift::input::{self, Skipped, Target};
use wiresift::run::{self, Current, Follow, Notice, ObserveJob, ScanJob, ScanReport, Stopwatch};
use wiresift::scan::Options;
use wiresift::sink::{FileSink, Sink, StdoutSink};
use wiresift::{Error, Result};

pub(super) fn run(flags: Scan) -> Result<Outcome> {
    let started = Stopwatch::start();
    let (targets, errors, skipped) = targets(&flags)?;
    let to_terminal =
        flags.output.is_none() && !flags.alerts.quiet && std::io::stdout().is_terminal();
    let progress = Progress::new(to_terminal);
    let notify = |notice: Notice<'_>| progress.notice(notice);
    for error in &errors {
        notify(Notice::Failed(error));
    }
    let mut sink: Box<dyn Sink> = match &flags.output {
        _ if flags.alerts.quiet => Box::new(Nowhere),
        Some(path) => Box::new(FileSink::create(path)?),
        None => Box::new(StdoutSink::new()),
    };
    let report = if flags.observables {
        let (threads, chunk) = (flags.threads, flags.chunk_size);
        let job = ObserveJob { targets, packets: flags.packets.config(), threads, chunk };
        run::observe(job, &mut *sink, &notify)
    } else {
        hunt(&flags, targets, to_terminal, &mut *sink, &notify)
    };
    progress.finish();
    let mut report = match report {
        Err(error) if error.is_broken_pipe() => return Ok(Outcome::Yes),
        report => report?,
    };
    report.errors += errors.len() as u64;
    for (reason, count) in [
        ("special_file", skipped.special),
        ("directory_link", skipped.directory_links),
        ("broken_link", skipped.broken_links),
    ] {
        if count > 0 {
            report.skipped.insert(reason.into(), count);
        }
    }
    match flags.stats.as_deref() {
        Some("json") => say(&stats_json(&report, started.elapsed()).to_string()),
        Some(_) => stats_text(&report, started.elapsed()),
        None => {}
    }
    Ok(match report {
        _ if report.errors > 0 => Outcome::Failed,
        _ if report.records > 0 => Outcome::Yes,
        _ => Outcome::No,
    })
}

fn hunt(
    flags: &Scan,
    targets: Vec<Target>,
    to_terminal: bool,
    sink: &mut dyn Sink,
    notify: run::Notify<'_>,
) -> Result<ScanReport> {
    let Some(path) = &flags.db else {
        return Err(Error::usage("no database").remedy("name one with --db"));
    };
    let database = run::open_database(path)?;
    let at = time(&flags.at)?;
    let options = Options::default()
        .at(at)
        .refang(flags.refang)
        .allow(allow_lists(&flags.alerts.allow, notify)?);
    let follow = follow(&flags.following, &targets, path, to_terminal);
    let job = ScanJob {
        database: &Current::new(database, None),
        follow,
        targets,
        options,
        packets: flags.packets.config(),
        encoder: encoder(flags.alerts.format.as_deref(), flags.alerts.color, to_terminal)?,
        threads: flags.threads,
        chunk: flags.chunk_size,
    };
    run::scan(job, sink, notify)
}

/// Whoever reads a pipe may do so for months, and wants what is published meanwhile.
/// Of what is finite everything is to be held against the same.
fn follow(flags: &Following, targets: &[Target], path: &Path, to_terminal: bool) -> Option<Follow> {
    let is_endless = |target: &Target| {
        let path = match target {
            Target::Path(path) => path.as_path(),
            Target::Stdin => Path::new("/dev/stdin"),
        };
        std::fs::metadata(path).is_ok_and(|it| !it.is_file() && !it.is_dir())
    };
    if flags.watch.is_some() || targets.iter().any(is_endless) {
        return following(flags, path, to_terminal);
    }
    None
}

/// How a newer database is taken up, unless that is not wanted. Whoever closes a terminal
/// wants an end, and no newer database.
pub(super) fn following(flags: &Following, path: &Path, to_terminal: bool) -> Option<Follow> {
    let every = flags.watch.unwrap_or(Duration::from_secs(1));
    let (path, on_hangup) = (path.to_path_buf(), !to_terminal);
    (!flags.no_watch).then_some(Follow { path, every, on_hangup })
}

/// What is said about a newer database, if it is about one.
pub(super) fn database_words(notice: &Notice<'_>) -> Option<String> {
    Some(match notice {
        Notice::Swapped { id, values } => {
            format!("wiresift: database {id} is in force now, with {}", plural(*values, "value"))
        }
        Notice::NothingNewer => "wiresift: the database is still the same".to_string(),
        Notice::Kept(error) => format!("wiresift: {error}; the database before it stays in force"),
        _ => return None,
    })
}

/// How alerts are written.
pub(super) fn encoder(format: Option<&str>, colour: Colour, to_terminal: bool) -> Result<Encoder> {
    let format = match format {
        Some(name) => Format::from_name(name)
            .ok_or_else(|| Error::usage(format!("no format is called “{name}”")))?,
        None if to_terminal => Format::Text,
        None => Format::Json,
    };
    let colour = match colour {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => to_terminal && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty()),
    };
    Ok(Encoder::new(format).colour(colour))
}

/// Takes records and keeps none.
pub(super) struct Nowhere;

impl Sink for Nowhere {
    fn write(&mut self, _: &[u8]) -> Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The inputs, what could not be found, and what was passed over.
fn targets(flags: &Scan) -> Result<(Vec<Target>, Vec<Error>, Skipped)> {
    let inputs: Vec<PathBuf> = match &flags.inputs[..] {
        [] if std::io::stdin().is_terminal() => {
            return Err(Error::usage("nothing to scan")
                .remedy("name files, folders or patterns, or - for standard input"));
        }
        [] => vec!["-".into()],
        inputs => inputs.to_vec(),
    };
    let expansion = input::expand(inputs.iter().map(|path| -> &OsStr { path.as_os_str() }));
    Ok((expansion.targets, expansion.errors, expansion.skipped))
}

/// `event` is none, `now` is now, anything else is read as a time.
pub(super) fn time(text: &str) -> Result<Option<Timestamp>> {
    match text {
        "event" => Ok(None),
        "now" => Ok(Some(run::now())),
        text => Timestamp::parse(text).map(Some).ok_or_else(|| {
            Error::usage(format!("“{text}” is no time"))
                .remedy("write event, now, or a date such as 2026-11-24T12:00:00Z")
        }),
    }
}

/// Allow lists of the command line, as a database of their own.
pub(super) fn allow_lists(
    paths: &[PathBuf],
    notify: run::Notify<'_>,
) -> Result<Option<Arc<Database>>> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut compiler = Compiler::default();
    let mut taken = Taken(&mut compiler);
    for path in paths {
        let limits = wiresift::feed::Limits::default();
        let options = super::compile::allow_options();
        for file in wiresift::feed::open(path, &options, &limits, &mut taken) {
            let summary = file.outcome?;
            if summary.rejected() > 0 {
                notify(Notice::Skipped(&format!(
                    "{}: {} of the allow list could not be read",
                    file.path.display(),
                    plural(summary.rejected(), "value")
                )));
            }
        }
    }
    let bytes = compiler.into_bytes(run::now())?;
    Ok(Some(Arc::new(Database::from_bytes(bytes)?)))
}

struct Taken<'c>(&'c mut Compiler);

impl wiresift::feed::Sink for Taken<'_> {
    fn indicator(&mut self, indicator: wiresift::indicator::Indicator, _: Option<u64>) {
        self.0.add(indicator);
    }

    fn reject(&mut self, _: wiresift::feed::Reject) {}
}

fn stats_json(report: &ScanReport, took: Duration) -> Value {
    let mut stats = json!({
        "inputs": report.inputs,
        "bytes": report.bytes,
        "lines": report.lines,
        "captures": report.captures,
        "packets": statistics::packets(&report.packets),
        "records": report.records,
        "errors": report.errors,
        "skipped": report.skipped,
        "seconds": took.as_secs_f64(),
    });
    if let Value::Object(stats) = &mut stats {
        stats.extend(statistics::counters(&report.counters));
        stats.insert("database".into(), statistics::swaps(&report.swaps));
    }
    stats
}

fn stats_text(report: &ScanReport, took: Duration) {
    let seconds = took.as_secs_f64().max(1e-9);
    say(&format!(
        "read       {}, {} in {}, {seconds:.2} s ({}/s)",
        plural(report.inputs, "input"),
        plural(report.lines, "line"),
        size(report.bytes),
        size((report.bytes as f64 / seconds) as u64)
    ));
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
    for (reason, count) in &report.skipped {
        say(&format!("skipped    {count:>9} {reason}"));
    }
    statistics::say_swaps(&report.swaps);
    say(&format!("written    {:>9} records, {}", report.records, plural(report.errors, "error")));
}
