//! `wiresift tap`

use super::flags::Tap;
use super::messages::{error, grouped, plural, say, size};
use super::scan::{Nowhere, allow_lists, database_words, encoder, following, time};
use super::{Outcome, statistics};
use serde_json::{Value, json};
use std::io::IsTerminal;
use std::time::Duration;
use wiresift::run::{self, Current, Listening, Notice, TapJob, TapNotice, TapReport};
use wiresift::scan::Options;
use wiresift::sink::{FileSink, Sink, StdoutSink};
use wiresift::{Error, Result};

pub(super) fn run(flags: Tap) -> Result<Outcome> {
    let database = run::open_database(&flags.db).map_err(|e| {
        let is_absent = e.io_error().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound);
        if is_absent { e.remedy("make one: wiresift compile -o DB FEEDS") } else { e }
    })?;
    let to_terminal =
        flags.output.is_none() && !flags.alerts.quiet && std::io::stdout().is_terminal();
    let notify = |notice: Notice<'_>| match notice {
        Notice::Failed(failure) => error(failure),
        Notice::Skipped(what) => say(&format!("wiresift: {what}")),
        _ => {}
    };
    let options =
        Options::default().at(time(&flags.at)?).allow(allow_lists(&flags.alerts.allow, &notify)?);
    let job = TapJob {
        database: &Current::new(database, None),
        follow: following(&flags.following, &flags.db, to_terminal),
        interfaces: distinct(&flags.interfaces)?,
        listening: Listening {
            filter: flags.filter.join(" "),
            is_promiscuous: !flags.no_promiscuous,
            snaplen: flags.snaplen,
            ring: flags.ring,
        },
        options,
        packets: flags.packets.config(),
        encoder: encoder(flags.alerts.format.as_deref(), flags.alerts.color, to_terminal)?,
        threads: flags.threads,
        duration: flags.duration,
        count: flags.count,
        every: flags.stats_every,
        sandboxed: !flags.no_sandbox,
    };
    let mut sink: Box<dyn Sink> = match &flags.output {
        _ if flags.alerts.quiet => Box::new(Nowhere),
        Some(path) => Box::new(FileSink::append(path)?),
        None => Box::new(StdoutSink::new()),
    };
    let in_json = flags.stats.as_deref() == Some("json");
    let mut before = TapReport::default();
    let report = run::tap(job, &mut *sink, &mut |notice| match notice {
        TapNotice::Report(report) => {
            let rates = Rates::between(&before, report);
            let line = if in_json { rates.json(report) } else { rates.text(report) };
            say(&line);
            before = report.clone();
        }
        TapNotice::Database(notice) => {
            if let Some(words) = database_words(&notice) {
                say(&words);
            }
        }
        notice => say(&format!("wiresift: {}", words(&notice))),
    });
    let report = match report {
        Err(error) if error.is_broken_pipe() => return Ok(Outcome::Yes),
        report => report?,
    };
    match flags.stats.as_deref() {
        Some("json") => say(&totals_json(&report).to_string()),
        Some(_) => totals_text(&report),
        None => {}
    }
    Ok(if report.records > 0 { Outcome::Yes } else { Outcome::No })
}

/// The interfaces, of which none may be named twice: its packets would count twice.
fn distinct(names: &[String]) -> Result<Vec<String>> {
    for (at, name) in names.iter().enumerate() {
        if names.iter().take(at).any(|other| other == name) {
            return Err(Error::usage(format!("the interface “{name}” is named twice")));
        }
        if name == "any" && names.len() > 1 {
            return Err(Error::usage("“any” is all interfaces").remedy("name no others with it"));
        }
    }
    Ok(names.to_vec())
}

fn words(notice: &TapNotice<'_>) -> String {
    match notice {
        TapNotice::Listening { interface, workers } => {
            format!("listening on {interface}, {}", plural(*workers as u64, "worker"))
        }
        TapNotice::Sandboxed(sandbox) => format!(
            "sandbox\n  capabilities: {}\n  landlock: {}\n  seccomp: {}",
            sandbox.capabilities, sandbox.landlock, sandbox.seccomp
        ),
        TapNotice::Gone { interface, why } => {
            format!("{interface} is gone and is looked for: {why}")
        }
        TapNotice::Back { interface } => format!("{interface} is back, listening"),
        _ => String::new(),
    }
}

/// What happened between two reports.
struct Rates {
    seconds: f64,
    packets: u64,
    bytes: u64,
    records: u64,
    /// By interface: dropped by the kernel, and by the interface.
    drops: Vec<(u64, u64)>,
    /// By worker: packets.
    workers: Vec<u64>,
}

impl Rates {
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
                "; {}{} dropped {} in the kernel, {} by itself",
                interface.name,
                if interface.is_there { "" } else { " (gone)" },
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
        line
    }

    fn json(&self, report: &TapReport) -> String {
        let interfaces: Vec<Value> = report
            .interfaces
            .iter()
            .zip(&self.drops)
            .map(|(interface, (kernel, hardware))| {
                json!({
                    "interface": &*interface.name,
                    "is_there": interface.is_there,
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
        })
        .to_string()
    }
}

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
        "seconds": report.elapsed.as_secs_f64(),
    });
    if let Value::Object(stats) = &mut stats {
        stats.extend(statistics::counters(&report.counters));
        stats.insert("database".into(), statistics::swaps(&report.swaps));
    }
    stats
}

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
             {} before or after, gone {}",
            interface.name,
            grouped(interface.received),
            grouped(interface.dropped),
            grouped(interface.dropped_by_interface),
            grouped(interface.outside),
            plural(interface.gone, "time"),
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
    say(&format!("written    {:>9} records", report.records));
}
