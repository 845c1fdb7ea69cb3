//! `wiresift tap`: live traffic against a database.
//!
//! A tap runs for months: the database is a copy in memory that reloads, the output may be
//! rotated, and interfaces may go away and return. All of that is printed as it happens; rates
//! come from `--stats-every`.

use super::database::{self, Chosen, allow_lists};
use super::flags::Tap;
use super::messages::{error, grouped, plural, print, say, say_json, size};
use super::outputs;
use super::scan::{database_words, following, time};
use super::{Outcome, choice, statistics, summary};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;
use wiresift::engine::files::Inputs;
use wiresift::engine::scan::Options;
use wiresift::sensor::run::{
    self, Current, Listening, Notice, OutputReport, Signals, TapJob, TapNotice, TapReport,
};
use wiresift::sensor::sink::FileSink;
use wiresift::{Error, Result};

/// Runs a tap until it ends, and prints what there is to report about it.
pub(super) fn run(flags: Tap) -> Result<Outcome> {
    if flags.list {
        return list();
    }
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
    let options =
        Options::default().at(time(&flags.at)?).allow(allow_lists(&flags.alerts.allow, &notify)?);
    // SIGHUP reopens the output and reloads the database. It ends the tap only if there is
    // neither.
    let follow = path.and_then(|path| following(&flags.following, &path, to_terminal));
    let rotated = outputs::rotated(output).map(Path::to_path_buf);
    let is_called = rotated.is_some() || follow.as_ref().is_some_and(|it| it.on_hangup);
    let job = TapJob {
        database: &Current::new(database, None),
        follow,
        interfaces: distinct(&flags.interfaces)?,
        listening: Listening {
            filter: flags.filter.join(" "),
            is_promiscuous: !flags.no_promiscuous,
            snaplen: flags.snaplen,
            ring: flags.ring,
        },
        options,
        packets: flags.packets.config(),
        output: flags.choice.output(&flags.alerts, to_terminal)?,
        threads: flags.threads,
        duration: flags.duration,
        count: flags.count,
        every: flags.stats_every,
        sandboxed: !flags.no_sandbox,
        rotated,
        signals: Signals::new(!is_called)?,
    };
    let mut sink = outputs::open(output, flags.alerts.quiet, |path| FileSink::append(path))?;
    let in_json = flags.stats.as_deref() == Some("json");
    let mut before = TapReport::default();
    let mut tell = |notice: TapNotice<'_>| tell(notice, in_json, &mut before);
    let report = run::tap(job, &mut *sink, &mut tell);
    let report = match report {
        Err(error) if error.is_broken_pipe() => return Ok(Outcome::Yes),
        report => report?,
    };
    if flags.stats.is_some() {
        tell(TapNotice::Asked(&report));
    } else {
        choice::say_if_all_left_out(&report.result.left_out, report.records);
    }
    summary::print(report.result.summary.as_deref(), flags.choice.summary.as_deref(), is_free)?;
    if report.output.lost > 0 {
        say(&format!(
            "wiresift: {} could not be written and are lost",
            plural(report.output.lost, "alert")
        ));
        return Ok(Outcome::Failed);
    }
    Ok(if report.records > 0 { Outcome::Yes } else { Outcome::No })
}

/// Prints a notice. Rates are relative to the report `before`, which it replaces.
fn tell(notice: TapNotice<'_>, in_json: bool, before: &mut TapReport) {
    match notice {
        TapNotice::Report(report) => {
            let rates = Rates::between(before, report);
            if in_json {
                say_json(&rates.json(report));
            } else {
                say(&rates.text(report));
            }
            before.clone_from(report);
        }
        TapNotice::Asked(report) if in_json => say_json(&totals_json(report)),
        TapNotice::Asked(report) => totals_text(report),
        TapNotice::Database(notice) => {
            if let Some(words) = database_words(&notice) {
                say(&words);
            }
        }
        // Print each line by itself: a line break within an interface's name or an error is
        // escaped.
        notice => words(&notice).split('\n').for_each(say),
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

/// The names of the network interfaces, sorted. libpcap would list them, too, but opens each
/// one and needs privileges; Linux shows them to everyone in sysfs.
pub(super) fn interfaces() -> Vec<String> {
    let entries = std::fs::read_dir("/sys/class/net").into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Prints the interfaces, whether each is up, and its hardware address.
fn list() -> Result<Outcome> {
    let read = |name: &str, what: &str| {
        let text = std::fs::read_to_string(format!("/sys/class/net/{name}/{what}"));
        text.map(|text| text.trim().to_string()).unwrap_or_default()
    };
    for name in interfaces() {
        let (state, address) = (read(&name, "operstate"), read(&name, "address"));
        // Loopback and tunnels have no carrier and report “unknown” (RFC 2863 operational
        // states).
        let state = if state == "unknown" { "up" } else { &state };
        print(format!("{}  {state}  {address}\n", wiresift::engine::alert::spelt(&name)))?;
    }
    Ok(Outcome::Yes)
}

/// Rejects an interface given twice: its packets would be counted, and alert, twice.
fn distinct(names: &[String]) -> Result<Vec<String>> {
    for (at, name) in names.iter().enumerate() {
        if names.iter().take(at).any(|other| other == name) {
            return Err(Error::usage(format!("interface “{name}” is given twice")));
        }
        if name == "any" && names.len() > 1 {
            return Err(Error::usage("“any” already includes all interfaces")
                .remedy("give no other interface with it"));
        }
    }
    Ok(names.to_vec())
}

/// The message for a notice, with the prefix of all messages.
fn words(notice: &TapNotice<'_>) -> String {
    let words = match notice {
        TapNotice::Listening { interface, workers } => {
            format!("listening on {interface}, {}", plural(*workers as u64, "worker"))
        }
        TapNotice::Sandboxed(sandbox) => format!(
            "sandbox\n  capabilities: {}\n  landlock: {}\n  seccomp: {}",
            sandbox.capabilities, sandbox.landlock, sandbox.seccomp
        ),
        TapNotice::Gone { interface, why } => {
            format!("{interface} is gone, waiting for it to return: {why}")
        }
        TapNotice::Back { interface } => format!("{interface} is back, listening again"),
        TapNotice::Down { interface } => {
            format!("{interface} is down: no packets until it comes up")
        }
        TapNotice::Up { interface } => format!("{interface} is up again"),
        TapNotice::OutputFailed(error) => {
            format!("{error} (retrying every second; up to 64 MiB of alerts are kept)")
        }
        TapNotice::OutputBack { lost: 0 } => "writing alerts again, none lost".to_string(),
        TapNotice::OutputBack { lost } => {
            format!("writing alerts again, {} lost", plural(*lost, "alert"))
        }
        TapNotice::Reopened(None) => "reopened the output".to_string(),
        TapNotice::Reopened(Some(error)) => {
            format!("{error}; still writing to the previous file")
        }
        _ => String::new(),
    };
    format!("wiresift: {words}")
}

/// A write that takes longer than this is reported: the output blocks, and alerts queue.
const BLOCKED: Duration = Duration::from_secs(1);

/// The differences between two reports.
struct Rates {
    seconds: f64,
    packets: u64,
    bytes: u64,
    records: u64,
    /// Per interface: packets dropped by the kernel, and by the interface.
    drops: Vec<(u64, u64)>,
    /// Per worker: packets.
    workers: Vec<u64>,
}

impl Rates {
    /// The rates from `before` to `after`. Interfaces and workers only ever get
    /// added at the start, so the first report compares with nothing.
    fn between(before: &TapReport, after: &TapReport) -> Rates {
        let interfaces = after.interfaces.iter().enumerate().map(|(at, now)| {
            let (kernel, interface) = before
                .interfaces
                .get(at)
                .map_or((0, 0), |before| (before.dropped, before.dropped_by_interface));
            (now.dropped - kernel, now.dropped_by_interface - interface)
        });
        let workers = after.workers.iter().enumerate().map(|(at, now)| {
            now.packets - before.workers.get(at).map_or(0, |before| before.packets)
        });
        Rates {
            // Two reports can share a clock tick; never divide by zero.
            seconds: after.elapsed.saturating_sub(before.elapsed).as_secs_f64().max(1e-9),
            packets: after.packets.frames - before.packets.frames,
            bytes: after.packets.bytes - before.packets.bytes,
            records: after.records - before.records,
            drops: interfaces.collect(),
            workers: workers.collect(),
        }
    }

    fn per_second(&self, count: u64) -> u64 {
        (count as f64 / self.seconds) as u64
    }

    /// The rates as a line of text.
    fn text(&self, report: &TapReport) -> String {
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
    fn json(&self, report: &TapReport) -> Value {
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
fn totals_json(report: &TapReport) -> Value {
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
fn totals_text(report: &TapReport) {
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
