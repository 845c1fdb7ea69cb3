//! The summary of a scan or tap, as text and as JSON: which indicators, feeds, inputs and
//! hosts had the most alerts.

use super::messages::{self, grouped, plural};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::io::{IsTerminal, Write as _};
use wiresift::Result;
use wiresift::engine::alert::{Summary, Tally, escape_shortened};
use wiresift::engine::error::escape_json;
use wiresift::engine::indicator::Severity;

/// Rows per table of the text form.
const ROWS: usize = 10;

/// The width of the terminal, if standard output is one.
pub(super) fn terminal_width() -> Option<u16> {
    size().map(|(columns, _)| columns)
}

/// The height of the terminal, or that of a VT100.
fn terminal_rows() -> u64 {
    size().map_or(24, |(_, rows)| u64::from(rows))
}

/// The size of the terminal. Some report a size of 0, which would suppress
/// everything.
fn size() -> Option<(u16, u16)> {
    let out = std::io::stdout();
    if !out.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(out).ok()?;
    (size.ws_col > 0 && size.ws_row > 0).then_some((size.ws_col, size.ws_row))
}

/// Prints the summary if it was requested, or if the alerts ran off the screen.
///
/// `form` is the argument of `--summary`. If `is_free`, no alerts go to standard output, and
/// the summary may.
///
/// # Errors
///
/// Standard output cannot be written.
pub(super) fn print(summary: Option<&Summary>, form: Option<&str>, is_free: bool) -> Result<()> {
    let Some(summary) = summary else { return Ok(()) };
    // The text format uses at least three lines per alert.
    let is_wanted = form.is_some() || summary.alerts.saturating_mul(3) > terminal_rows();
    if !is_wanted {
        return Ok(());
    }
    let text = match form {
        Some("json") => format!("{}\n", escape_json(&as_json(summary).to_string())),
        _ => as_text(summary),
    };
    if is_free || form.is_none() {
        return messages::print(text);
    }
    // Standard error may be closed; there is nowhere to report that.
    let _ = std::io::stderr().lock().write_all(text.as_bytes());
    Ok(())
}

/// The summary as text.
fn as_text(summary: &Summary) -> String {
    let mut text = format!("\nsummary    {}", plural(summary.alerts, "alert"));
    if let Some((first, last)) = summary.span {
        let _ = write!(text, ", {first} to {last}");
    }
    text.push('\n');
    let by_severity: Vec<String> = summary
        .severities()
        .map(|(severity, count)| format!("{} {}", grouped(count), name(severity)))
        .collect();
    if !by_severity.is_empty() {
        let _ = writeln!(text, "severity   {}", by_severity.join(", "));
    }
    table(&mut text, "indicator", &summary.indicators, |(kind, value)| format!("{kind} {value}"));
    table(&mut text, "feed", &summary.feeds, |feed| feed.clone());
    table(&mut text, "input", &summary.inputs, |path| match &**path {
        // Alerts call it `-`, which a table should explain.
        "-" => "- (standard input)".to_string(),
        path => path.to_string(),
    });
    table(&mut text, "host", &summary.hosts, |host| host.to_string());
    text
}

/// Prints a table: the number of keys, the top keys, and how many more there are.
fn table<K: Eq + std::hash::Hash + Ord>(
    text: &mut String,
    what: &str,
    tally: &Tally<K>,
    name: impl Fn(&K) -> String,
) {
    let distinct = tally.distinct();
    if distinct == 0 {
        return;
    }
    let _ = writeln!(text, "{}", plural(distinct as u64, what));
    for (key, count) in tally.top(ROWS) {
        let _ = writeln!(text, "  {:>10}  {}", grouped(count), escape_shortened(&name(key)));
    }
    if distinct > ROWS {
        let _ = writeln!(text, "  {:>10}  more", grouped((distinct - ROWS) as u64));
    }
    if tally.others() > 0 {
        let alerts = plural(tally.others(), "alert");
        let _ = writeln!(text, "  {alerts} of others (too many to count each)");
    }
}

/// The name of a severity, as in the flags.
fn name(severity: Severity) -> &'static str {
    match severity {
        Severity::Low => "low",
        Severity::Medium => "medium",
        Severity::High => "high",
        Severity::Critical => "critical",
    }
}

/// The summary as JSON.
fn as_json(summary: &Summary) -> Value {
    let severities: serde_json::Map<String, Value> = summary
        .severities()
        .map(|(severity, count)| (name(severity).to_string(), json!(count)))
        .collect();
    json!({
        "alerts": summary.alerts,
        "first": summary.span.map(|(first, _)| first.to_string()),
        "last": summary.span.map(|(_, last)| last.to_string()),
        "severities": severities,
        "indicators": rows(&summary.indicators, |(kind, value), row| {
            row["kind"] = json!(kind.name());
            row["value"] = json!(value);
        }),
        "feeds": rows(&summary.feeds, |feed, row| row["feed"] = json!(feed)),
        "inputs": rows(&summary.inputs, |path, row| row["path"] = json!(&**path)),
        "hosts": rows(&summary.hosts, |host, row| row["ip"] = json!(host.to_string())),
    })
}

/// The 100 rows with the most alerts, the number of distinct keys, and the alerts of keys that
/// were not counted one by one, because memory is bounded.
fn rows<K: Eq + std::hash::Hash + Ord>(tally: &Tally<K>, fill: impl Fn(&K, &mut Value)) -> Value {
    let rows: Vec<Value> = tally
        .top(100)
        .into_iter()
        .map(|(key, count)| {
            let mut row = json!({});
            fill(key, &mut row);
            row["alerts"] = json!(count);
            row
        })
        .collect();
    json!({ "distinct": tally.distinct(), "uncounted": tally.others(), "top": rows })
}
