//! `wiresift tap`: live traffic against a database.
//!
//! A tap runs for months: the database is a copy in memory that reloads, the output may be
//! rotated, and interfaces may go away and return. All of that is printed as it happens; rates
//! come from `--stats-every`.

use super::database::{self, Chosen};
use super::flags::Tap;
use super::messages::{error, grouped, plural, say, say_json, size};
use super::notices::database_words;
use super::outcome::Outcome;
use super::{choice, interfaces, outputs, statistics, summary, validity};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use wiresift::Result;
use wiresift::engine::files::Inputs;
use wiresift::engine::scan::Options;
use wiresift::sensor::run::{
    self, Current, InterfaceReport, Job, Listen, Listening, Notice, OutputReport, Report, Signals,
};
use wiresift::sensor::sink::FileSink;

/// Runs a tap until it ends, and prints messages and statistics about it.
pub(super) fn run(flags: Tap) -> Result<Outcome> {
    if flags.list {
        return interfaces::list();
    }
    // Before the database is opened, which can take seconds, and before anything is truncated.
    outputs::refuse(flags.output.as_deref(), &reads(&flags))?;
    let output = outputs::file(flags.output.as_deref());
    let is_free = output.is_some() || flags.alerts.quiet;
    let to_terminal = !is_free && std::io::stdout().is_terminal();
    let notify = |notice: Notice<'_>| match notice {
        Notice::Failed(failure) => error(failure),
        Notice::Skipped(what) => say(&format!("wiresift: {what}")),
        _ => {}
    };
    let Chosen { database, path } = database::open(flags.db.as_deref(), true, &notify)?;
    choice::check_feeds(&flags.choice, &database)?;
    let allow = database::allow_lists(&flags.alerts.allow, &notify)?;
    let options = Options::default().at(validity::time(&flags.at)?).allow(allow);
    // Only a database from a file can be reloaded; a list compiled in memory has no path.
    let follow = path.and_then(|path| flags.following.follow(&path, to_terminal));
    let rotated = outputs::rotated(output).map(Path::to_path_buf);
    // SIGHUP reopens the output and reloads the database. It ends the tap only if there is
    // neither.
    let is_called = rotated.is_some() || follow.as_ref().is_some_and(|it| it.on_hangup);
    let listen = listen(&flags)?;
    let (current, signals) = (Current::new(database, None), Signals::new(!is_called)?);
    let written = flags.choice.output(&flags.alerts, to_terminal)?;
    if !flags.alerts.quiet {
        outputs::refuse_other_format(output, written.encoder.format())?;
    }
    let job = Job {
        follow,
        options,
        packets: flags.packets.config(),
        threads: flags.threads,
        rotated,
        ..Job::new(&current, written, &signals)
    };
    let mut sink = outputs::open(output, flags.alerts.quiet, |path| FileSink::append(path))?;
    let in_json = flags.stats.as_deref() == Some("json");
    // Notices arrive from several threads.
    let before = Mutex::default();
    let print = |notice: Notice<'_>| print_notice(&notice, in_json, &before);
    let report = run::tap(job, listen, &mut *sink, &print);
    let report = match report {
        // The reader, such as `head`, has what it wanted.
        Err(error) if error.is_broken_pipe() => return Ok(Outcome::Yes),
        report => report?,
    };
    if flags.stats.is_some() {
        print(Notice::Asked(&report));
    } else {
        choice::say_if_all_left_out(&report.result.left_out, report.records);
    }
    summary::print(report.result.summary.as_deref(), flags.choice.summary.as_deref(), is_free)?;
    // Lost alerts make the result incomplete, so it is a failure even if others were written.
    if report.output.lost > 0 {
        say(&format!(
            "wiresift: {} could not be written and are lost",
            plural(report.output.lost, "alert")
        ));
        return Ok(Outcome::Failed);
    }
    Ok(if report.records > 0 { Outcome::Yes } else { Outcome::No })
}

/// What to listen to, and how.
fn listen(flags: &Tap) -> Result<Listen> {
    Ok(Listen {
        interfaces: interfaces::distinct(&flags.interfaces)?,
        listening: Listening {
            filter: flags.filter.join(" "),
            is_promiscuous: !flags.no_promiscuous,
            snaplen: flags.snaplen,
            ring: flags.ring,
        },
        duration: flags.duration,
        count: flags.count,
        every: flags.stats_every,
        sandboxed: !flags.no_sandbox,
    })
}

/// Prints what a tap reports. Rates are those since the counts `before`.
fn print_notice(notice: &Notice<'_>, in_json: bool, before: &Mutex<Before>) {
    match notice {
        Notice::Report(report) => {
            let mut before = before.lock().unwrap_or_else(PoisonError::into_inner);
            let rates = Rates::between(&before, report);
            if in_json {
                say_json(&rates.json(report));
            } else {
                say(&rates.text(report));
            }
            *before = Before::of(report);
        }
        Notice::Asked(report) if in_json => say_json(&totals_json(report)),
        Notice::Asked(report) => totals_text(report),
        // Print line by line: a line break inside a name is escaped.
        notice => match database_words(notice) {
            Some(words) => say(&words),
            None => words(notice).split('\n').for_each(say),
        },
    }
}

/// The files that the command line names as inputs. The output must not be one of them.
fn reads(flags: &Tap) -> Inputs {
    let mut reads = Inputs::default();
    if let Some(path) = &flags.db {
        reads.add(path, "the database");
    }
    for path in &flags.alerts.allow {
        reads.add(path, "an allow list");
    }
    reads
}

/// The message for a notice, with the prefix of all messages.
pub(super) fn words(notice: &Notice<'_>) -> String {
    let words = match notice {
        Notice::Listening { interface, workers } => {
            format!("listening on {interface}, {}", plural(*workers as u64, "worker"))
        }
        Notice::Sandboxed(sandbox) => format!(
            "sandbox\n  capabilities: {}\n  landlock: {}\n  seccomp: {}",
            sandbox.capabilities, sandbox.landlock, sandbox.seccomp
        ),
        Notice::Gone { interface, why } => {
            format!("{interface} is gone, waiting for it to return: {why}")
        }
        Notice::Back { interface } => format!("{interface} is back, listening again"),
        Notice::Down { interface } => {
            format!("{interface} is down: no packets until it comes up")
        }
        Notice::Up { interface } => format!("{interface} is up again"),
        Notice::OutputFailed(error) => {
            format!("{error} (retrying every second; up to 64 MiB of alerts are kept)")
        }
        Notice::OutputBack { lost: 0 } => "writing alerts again, none lost".to_string(),
        Notice::OutputBack { lost } => {
            format!("writing alerts again, {} lost", plural(*lost, "alert"))
        }
        Notice::Reopened(None) => "reopened the output".to_string(),
        Notice::Reopened(Some(error)) => {
            format!("{error}; still writing to the previous file")
        }
        _ => String::new(),
    };
    format!("wiresift: {words}")
}

/// A write that takes longer than this is reported: the output blocks, and alerts queue. A sync of a
/// busy disk takes some hundred milliseconds and is none.
const BLOCKED: Duration = Duration::from_secs(1);

/// Counts of the report before.
#[derive(Default)]
struct Before {
    elapsed: Duration,
    packets: u64,
    bytes: u64,
    records: u64,
    /// By interface: dropped by the kernel, and by the interface.
    drops: Vec<(u64, u64)>,
    /// Per worker: packets.
    workers: Vec<u64>,
}

impl Before {
    fn of(report: &Report) -> Before {
        let drops = |it: &InterfaceReport| (it.dropped, it.dropped_by_interface);
        Before {
            elapsed: report.elapsed,
            packets: report.packets.frames,
            bytes: report.packets.bytes,
            records: report.records,
            drops: report.interfaces.iter().map(drops).collect(),
            workers: report.workers.iter().map(|worker| worker.packets).collect(),
        }
    }
}

/// The differences between two reports.
struct Rates {
    seconds: f64,
    packets: u64,
    bytes: u64,
    records: u64,
    /// Per interface: packets dropped by the kernel, and by the interface.
    drops: Vec<(u64, u64)>,
    /// By worker: packets.
    workers: Vec<u64>,
}

impl Rates {
    /// The rates from `before` to `after`. Interfaces and workers only ever get
    /// added at the start, so the first report compares with nothing.
    fn between(before: &Before, after: &Report) -> Rates {
        let after = Before::of(after);
        let interfaces = after.drops.iter().enumerate().map(|(at, (kernel, interface))| {
            let (kernel_before, interface_before) =
                before.drops.get(at).copied().unwrap_or_default();
            (kernel - kernel_before, interface - interface_before)
        });
        let workers = after
            .workers
            .iter()
            .enumerate()
            .map(|(at, packets)| packets - before.workers.get(at).copied().unwrap_or_default());
        Rates {
            // Two reports can share a clock tick; never divide by zero.
            seconds: after.elapsed.saturating_sub(before.elapsed).as_secs_f64().max(1e-9),
            packets: after.packets - before.packets,
            bytes: after.bytes - before.bytes,
            records: after.records - before.records,
            drops: interfaces.collect(),
            workers: workers.collect(),
        }
    }

    fn per_second(&self, count: u64) -> u64 {
        (count as f64 / self.seconds) as u64
    }

    /// The rates as a line of text.
    fn text(&self, report: &Report) -> String {
        let mut line = format!(
            "{:.1} s: {} packets/s, {}/s, {}",
            report.elapsed.as_secs_f64(),
            grouped(self.per_second(self.packets)),
            size(self.per_second(self.bytes)),
            plural(self.records, "alert"),
        );
        for (interface, (kernel, hardware)) in report.interfaces.iter().zip(&self.drops) {
            line += &format!(
                "; {}{} dropped {} in the kernel, {} in the interface",
                interface.name,
                match (interface.is_there, interface.is_down) {
                    (false, _) => " (gone)",
                    (true, true) => " (down)",
                    _ => "",
                },
                grouped(*kernel),
                grouped(*hardware),
            );
        }
        for (at, (worker, packets)) in report.workers.iter().zip(&self.workers).enumerate() {
            line += &format!(
                "; worker {at} {}/s, ring {}%, {} ms",
                grouped(self.per_second(*packets)),
                worker.ring_percent,
                worker.waited.as_millis(),
            );
        }
        // A healthy output is not worth a part of every line.
        let output = &report.output;
        if output.blocked >= BLOCKED || output.lost > 0 {
            line += &format!(
                "; output blocked {:.1} s, {} waiting, {} lost",
                output.blocked.as_secs_f64(),
                plural(output.waiting, "alert"),
                grouped(output.lost)
            );
        }
        line
    }

    /// The rates as JSON.
    fn json(&self, report: &Report) -> Value {
        let interfaces: Vec<Value> = report
            .interfaces
            .iter()
            .zip(&self.drops)
            .map(|(interface, (kernel, hardware))| {
                json!({
                    "interface": &*interface.name,
                    "is_there": interface.is_there,
                    "is_down": interface.is_down,
                    "dropped_by_kernel": kernel,
                    "dropped_by_interface": hardware,
                })
            })
            .collect();
        let workers: Vec<Value> = report
            .workers
            .iter()
            .zip(&self.workers)
            .map(|(worker, packets)| {
                json!({
                    "packets_per_second": self.per_second(*packets),
                    "ring_percent": worker.ring_percent,
                    "waited_ms": worker.waited.as_millis() as u64,
                })
            })
            .collect();
        json!({
            "elapsed": report.elapsed.as_secs_f64(),
            "seconds": self.seconds,
            "packets_per_second": self.per_second(self.packets),
            "bytes_per_second": self.per_second(self.bytes),
            "records": self.records,
            "interfaces": interfaces,
            "workers": workers,
            "output": output_json(&report.output),
        })
    }
}

/// The state of the output as JSON.
fn output_json(output: &OutputReport) -> Value {
    json!({
        "waiting": output.waiting,
        "lost": output.lost,
        "blocked": output.blocked.as_secs_f64(),
    })
}

/// The totals as JSON.
fn totals_json(report: &Report) -> Value {
    let interfaces: Vec<Value> = report
        .interfaces
        .iter()
        .map(|interface| {
            json!({
                "interface": &*interface.name,
                "received": interface.received,
                "dropped_by_kernel": interface.dropped,
                "dropped_by_interface": interface.dropped_by_interface,
                "outside": interface.outside,
                "gone": interface.gone,
                "down": interface.down,
            })
        })
        .collect();
    let workers: Vec<Value> = report
        .workers
        .iter()
        .map(|worker| {
            json!({
                "packets": worker.packets,
                "bytes": worker.bytes,
                "records": worker.records,
            })
        })
        .collect();
    let mut stats = json!({
        "interfaces": interfaces,
        "workers": workers,
        "packets": statistics::packets(&report.packets),
        "records": report.records,
        "output": output_json(&report.output),
        "seconds": report.elapsed.as_secs_f64(),
    });
    if let Value::Object(stats) = &mut stats {
        stats.extend(statistics::counters(&report.counters));
        stats.insert("database".into(), statistics::swaps(&report.swaps));
    }
    stats
}

/// The totals as text.
fn totals_text(report: &Report) {
    let seconds = report.elapsed.max(Duration::from_millis(1)).as_secs_f64();
    let packets = &report.packets;
    say(&format!(
        "packets    {} in {seconds:.2} s ({}/s, {}/s), {} ({} evicted)",
        grouped(packets.frames),
        grouped((packets.frames as f64 / seconds) as u64),
        size((packets.bytes as f64 / seconds) as u64),
        plural(packets.flows, "flow"),
        packets.evicted
    ));
    for interface in &report.interfaces {
        say(&format!(
            "interface  {}: {} received, {} dropped in the kernel, {} by the interface, \
             {} before the start or after the end, gone {}, down {}",
            interface.name,
            grouped(interface.received),
            grouped(interface.dropped),
            grouped(interface.dropped_by_interface),
            grouped(interface.outside),
            plural(interface.gone, "time"),
            plural(interface.down, "time"),
        ));
    }
    for (at, worker) in report.workers.iter().enumerate() {
        say(&format!(
            "worker {at}   {}, {}, {}",
            plural(worker.packets, "packet"),
            size(worker.bytes),
            plural(worker.records, "alert")
        ));
    }
    statistics::say_faults(packets);
    statistics::say_counters(&report.counters);
    statistics::say_swaps(&report.swaps);
    let lost = match report.output.lost {
        0 => String::new(),
        lost => format!(", {} lost", grouped(lost)),
    };
    say(&format!("written    {:>9} records{lost}", report.records));
}
