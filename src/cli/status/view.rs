//! The status page as text for people, with problems first.

use super::page::{FailedReload, File, Input, Page, Sink};
use crate::cli::messages::{grouped, plural, size};
use crate::cli::table::{Table, age};
use std::time::Duration;
use wiresift::clock::now;
use wiresift::engine::error::escape_text;
use wiresift::engine::indicator::Timestamp;

/// The maximum number of files to list per input: those with the largest lag.
const MAX_FILES: usize = 3;

/// A page, and the previous one.
pub(super) struct View<'p> {
    page: &'p Page,
    before: Option<(&'p Page, Duration)>,
}

impl<'p> View<'p> {
    /// A page without rates.
    pub(super) fn new(page: &'p Page) -> Self {
        View { page, before: None }
    }

    /// Adds rates, from a page fetched `time` earlier.
    pub(super) fn since(mut self, before: &'p Page, time: Duration) -> Self {
        // A restart resets the counts: those of two processes have no difference.
        let is_same = before.started == self.page.started;
        self.before = Some((before, time)).filter(|(_, time)| is_same && !time.is_zero());
        self
    }

    /// The lines, escaped.
    pub(super) fn lines(&self) -> Vec<String> {
        let mut lines = self.head();
        let inputs = self.inputs();
        let sinks = self.sinks();
        for table in [inputs, sinks].into_iter().flatten() {
            lines.push(String::new());
            lines.extend(table.lines().map(String::from));
        }
        let troubles = self.troubles();
        if !troubles.is_empty() {
            lines.push(String::new());
            lines.extend(troubles);
        }
        lines
    }

    /// The state of the service as a whole.
    fn head(&self) -> Vec<String> {
        let page = self.page;
        let up = since(&page.started).map(|age| format!(", for {age}")).unwrap_or_default();
        let mut lines = vec![format!("wiresift {}: {}{up}", page.version, page.state)];
        lines.extend(page.obstacles.iter().map(|reason| format!("problem     {reason}")));
        lines.extend(page.failed_reload.iter().map(|FailedReload { time, message }| {
            let ago = since(time).map(|age| format!(" {age} ago")).unwrap_or_default();
            format!("problem     the reload{ago} ({time}) failed: {message}")
        }));
        lines.push(match &page.database {
            None => "database    none".to_string(),
            Some(database) => {
                let loaded = since(&database.loaded).map(|age| format!(", loaded {age} ago"));
                format!(
                    "database    {}, {}, built {} ago{} ({})",
                    database.path,
                    plural(database.indicators, "indicator"),
                    since(&database.built).unwrap_or_else(|| "?".into()),
                    loaded.unwrap_or_default(),
                    database.id
                )
            }
        });
        lines.push(format!(
            "waiting     {} on disk for sinks; {} open",
            size(page.spool_bytes),
            plural(page.suppression_keys, "suppression window")
        ));
        lines.into_iter().map(|line| escape_text(&line).into_owned()).collect()
    }

    /// The table of inputs. Cells of rates are empty if there is no previous page.
    fn inputs(&self) -> Option<String> {
        let mut table = Table::default();
        table.row(["input", "kind", "state", "lag", "lines/s", "bytes/s", "lines", "bytes"]);
        for input in &self.page.inputs {
            let before = self.before.and_then(|(page, time)| {
                let is_it = |it: &&Input| it.name == input.name && it.kind == input.kind;
                page.inputs.iter().find(is_it).map(|input| (input, time))
            });
            let rate = |of: fn(&Input) -> u64| {
                before.and_then(|(before, time)| per_second(of(before), of(input), time))
            };
            table.row([
                input.name.clone(),
                input.kind.clone(),
                input.state.clone(),
                lag(input),
                rate(|it| it.lines).map(|rate| grouped(rate.round() as u64)).unwrap_or_default(),
                rate(|it| it.bytes).map(|rate| size(rate.round() as u64)).unwrap_or_default(),
                grouped(input.lines),
                size(input.bytes),
            ]);
        }
        (!self.page.inputs.is_empty()).then(|| table.laid_out(&[3, 4, 5, 6, 7]))
    }

    /// The table of sinks, in the same way.
    fn sinks(&self) -> Option<String> {
        let mut table = Table::default();
        table.row(["sink", "kind", "state", "waiting", "alerts/s", "alerts", "dropped", "refused"]);
        for sink in &self.page.sinks {
            let before = self.before.and_then(|(page, time)| {
                let is_it = |it: &&Sink| it.name == sink.name && it.kind == sink.kind;
                page.sinks.iter().find(is_it).map(|sink| (sink, time))
            });
            let rate =
                before.and_then(|(before, time)| per_second(before.records, sink.records, time));
            table.row([
                sink.name.clone(),
                sink.kind.clone(),
                sink.state.clone(),
                size(sink.pending_bytes),
                rate.map(|rate| format!("{rate:.1}")).unwrap_or_default(),
                grouped(sink.records),
                grouped(sink.dropped),
                grouped(sink.dead_letters),
            ]);
        }
        (!self.page.sinks.is_empty()).then(|| table.laid_out(&[3, 4, 5, 6, 7]))
    }

    /// Alerts that a sink has not accepted yet, and where they are.
    fn undelivered(&self, sink: &Sink) -> Option<String> {
        let spool = sink.spool.as_ref().filter(|_| sink.pending_bytes > 0)?;
        let then = match (&*self.page.state, &*sink.state) {
            ("stopping", _) => "whatever is not delivered by the end is kept for the next start",
            (_, "ok") => return None,
            _ => "waiting for the sink",
        };
        let size = size(sink.pending_bytes);
        Some(format!("{}: {size} not delivered, in {spool}: {then}", sink.name))
    }

    /// Current problems, and the files with the largest lag.
    fn troubles(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for input in &self.page.inputs {
            let name = &input.name;
            lines.extend(input.trouble.iter().map(|trouble| format!("{name}: {trouble}")));
            let troubled = input.files.iter().filter(|file| file.trouble.is_some());
            lines.extend(few(troubled.collect(), name, |file| {
                format!("{}: {}", file.path, file.trouble.as_deref().unwrap_or_default())
            }));
            let mut late: Vec<&File> =
                input.files.iter().filter(|it| it.trouble.is_none() && unread(it) > 0).collect();
            late.sort_by_key(|file| std::cmp::Reverse(unread(file)));
            lines.extend(few(late, name, |file| {
                format!("{}: {} not read yet", file.path, size(unread(file)))
            }));
            if input.state != "open" && !input.addresses.is_empty() {
                lines.push(format!("{name}: listens on {}", input.addresses.join(", ")));
            }
        }
        for sink in &self.page.sinks {
            lines.extend(sink.trouble.iter().map(|trouble| format!("{}: {trouble}", sink.name)));
            lines.extend(self.undelivered(sink));
        }
        lines.into_iter().map(|line| escape_text(&line).into_owned()).collect()
    }
}

/// Lines for the first few files, and the number of others.
fn few(files: Vec<&File>, name: &str, words: impl Fn(&File) -> String) -> Vec<String> {
    let more = files.len().saturating_sub(MAX_FILES);
    let mut lines: Vec<String> =
        files.iter().take(MAX_FILES).map(|file| format!("{name}: {}", words(file))).collect();
    if more > 0 {
        lines.push(format!("{name}: … and {}", plural(more as u64, "more file")));
    }
    lines
}

/// The number of unread bytes of a file. A file that was truncated has none.
fn unread(file: &File) -> u64 {
    file.size.saturating_sub(file.offset)
}

/// The lag of an input: the unread bytes of its files, or a count of its own.
fn lag(input: &Input) -> String {
    if !input.files.is_empty() {
        return size(input.files.iter().map(unread).fold(0, u64::saturating_add));
    }
    match input.counts.get("lag").and_then(serde_json::Value::as_u64) {
        Some(lag) => grouped(lag),
        None => "-".into(),
    }
}

/// A rate per second. `None` if the count was reset.
fn per_second(before: u64, after: u64, time: Duration) -> Option<f64> {
    after.checked_sub(before).map(|more| more as f64 / time.as_secs_f64())
}

/// Formats the age of a time.
fn since(time: &str) -> Option<String> {
    Timestamp::parse(time).map(|then| age(now(), then))
}
