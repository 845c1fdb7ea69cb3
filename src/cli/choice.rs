//! Selects which alerts `scan`, `tail` and `tap` write. All three flatten [`Choice`] into their
//! flags, so a filter works and is documented the same way in each.
//!
//! A filter drops whole alerts, never indicators inside one: an alert always carries the
//! context of every feed that lists its indicator. What a filter drops is counted by reason,
//! because an empty output must not look like a clean log.

use super::complete;
use super::flags::Alerts;
use super::kinds::{Kinds, kinds};
use super::messages::{grouped, plural, say};
use clap::Args;
use glob::{MatchOptions, Pattern};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::time::Duration;
use wiresift::clock::now;
use wiresift::engine::alert::{OmitReason, Selection};
use wiresift::engine::database::Database;
use wiresift::engine::indicator::{Severity, Timestamp};
use wiresift::intel::config::duration;
use wiresift::sensor::run::Output;
use wiresift::{Error, Result};

/// The filters on alerts, and the summary of them.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// Leave out alerts below a severity: low, medium, high or critical.
    #[arg(long, value_name = "LEVEL", value_parser = severity,
          add = complete::severities())]
    pub(super) min_severity: Option<Severity>,
    /// Leave out alerts without a source of at least this confidence, 0 to 100. A source
    /// without a confidence does not count.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(super) min_confidence: Option<u8>,
    /// Only alerts of this feed; repeatable, with wildcards: 'abuse*'.
    #[arg(long = "feed", value_name = "NAME", value_parser = pattern,
          add = complete::subscribed_feeds())]
    pub(super) feeds: Vec<Pattern>,
    /// Only alerts of these kinds: ip, domain, url, email, hash, sha256, cve…
    #[arg(long = "kind", value_name = "KIND,…", value_delimiter = ',', value_parser = kinds,
          add = complete::kinds())]
    pub(super) kinds: Vec<Kinds>,
    /// Only alerts since a time: 2026-11-24, today, or an age such as 24h or 7d.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(super) since: Option<Since>,
    /// Report an observable once for each input.
    #[arg(long)]
    pub(super) first: bool,
    /// Print the indicators, feeds, inputs and hosts with the most alerts at the end: to
    /// standard error, or to standard output if no alerts go there. On a terminal this is the
    /// default when the alerts do not fit on the screen.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", value_parser = ["text", "json"])]
    pub(super) summary: Option<String>,
}

impl Choice {
    /// Builds the settings for output that `scan`, `tail` and `tap` share; `scan` adds its own
    /// forms, such as counts.
    ///
    /// `to_terminal` says that alerts go to a terminal: then they are text, and a summary is
    /// collected in case they run off the screen.
    ///
    /// # Errors
    ///
    /// An unknown format.
    pub(super) fn output(&self, alerts: &Alerts, to_terminal: bool) -> Result<Output> {
        let mut output = Output::new(alerts.encoder(to_terminal)?);
        let mut selection = Selection::default();
        selection.min_severity = self.min_severity;
        selection.min_confidence = self.min_confidence;
        selection.feeds.clone_from(&self.feeds);
        selection.kinds = self.kinds.iter().flat_map(|kinds| &kinds.0).copied().collect();
        selection.since = self.since.map(Since::time);
        output.selection = selection;
        output.first = self.first;
        output.summary = self.summary.is_some() || to_terminal;
        Ok(output)
    }
}

/// Rejects a feed name that the database does not contain: a typo would filter out every alert
/// and look like a clean result.
///
/// # Errors
///
/// A usage error with up to 20 of the database's feeds if a name matches none of them.
pub(super) fn check_feeds(choice: &Choice, database: &Database) -> Result<()> {
    let names = || database.summary().feeds.keys();
    let options = MatchOptions { case_sensitive: false, ..MatchOptions::new() };
    // Names of feeds are typed by hand, so their case is ignored, as `Selection` does.
    let is_there = |feed: &Pattern| names().any(|name| feed.matches_with(name, options));
    match choice.feeds.iter().find(|feed| !is_there(feed)) {
        None => Ok(()),
        Some(feed) => {
            // Enough to recognise a typo; a database can have hundreds of feeds.
            let known: Vec<&str> = names().take(20).map(String::as_str).collect();
            let what = format!("the database has no feed “{feed}”");
            Err(Error::usage(what).remedy(format!("it has {}", known.join(", "))))
        }
    }
}

/// Parses `--min-severity`.
fn severity(name: &str) -> Result<Severity, String> {
    Severity::from_name(name).ok_or_else(|| "expected low, medium, high or critical".to_string())
}

/// Parses a wildcard pattern for names.
pub(super) fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::new(text).map_err(|error| format!("invalid pattern: {error}"))
}

/// The start of `--since`: a moment, or an age counted back from now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    At(Timestamp),
    Ago(Duration),
    /// The last midnight (UTC), or one this number of days earlier.
    Midnight(i64),
}

impl Since {
    /// The time that this means now. Resolved once, so that a long run keeps a
    /// fixed limit.
    fn time(self) -> Timestamp {
        match self {
            Since::At(time) => time,
            Since::Ago(ago) => {
                let ago = i64::try_from(ago.as_micros()).unwrap_or(i64::MAX);
                Timestamp(now().0.saturating_sub(ago))
            }
            Since::Midnight(days) => midnight(now(), days),
        }
    }
}

/// The midnight `days` days before the last one, in UTC, as log times without a zone are.
fn midnight(now: Timestamp, days: i64) -> Timestamp {
    const DAY: i64 = 86_400_000_000;
    Timestamp((now.0.div_euclid(DAY) - days) * DAY)
}

/// Parses the N of `--max-count`.
pub(super) fn at_least_one(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("nothing would be read; use -q to test for alerts by exit status, or -c to \
                      count them"
            .into()),
        Ok(number) => Ok(number),
        Err(_) => Err("expected a number of at least 1".into()),
    }
}

/// Parses `--since`. An age is tried before a date, because a date never ends in a
/// letter other than `Z`.
fn since(text: &str) -> Result<Since, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "today" => return Ok(Since::Midnight(0)),
        "yesterday" => return Ok(Since::Midnight(1)),
        "now" => return Ok(Since::Ago(Duration::ZERO)),
        _ => {}
    }
    // A bare number could be a year or an age, so an age needs its unit. `Z` ends a date, not
    // an age.
    let is_ago = text.ends_with(|c: char| c.is_ascii_alphabetic() && c != 'Z');
    let ago = is_ago.then(|| duration(text).ok()).flatten().map(Since::Ago);
    ago.or_else(|| Timestamp::parse(text).map(Since::At)).ok_or_else(|| {
        "expected a date such as 2026-11-24 or 2026-11-24T12:00:00Z, today, yesterday, or an age \
         such as 2h or 7d"
            .into()
    })
}

/// Counts of left-out alerts by reason, for `--stats=json`.
pub(super) fn left_out_json(left_out: &BTreeMap<OmitReason, u64>) -> Value {
    let map: Map<String, Value> =
        left_out.iter().map(|(reason, count)| (reason.name().into(), json!(count))).collect();
    Value::Object(map)
}

/// Prints the counts of left-out alerts by reason, for `--stats`.
pub(super) fn say_left_out(left_out: &BTreeMap<OmitReason, u64>) {
    for (reason, count) in left_out {
        say(&format!("left out   {count:>9} by {}", reason.name()));
    }
}

/// Prints one line if alerts matched and filters left all of them out. Without it an empty
/// output would read as “nothing found”.
pub(super) fn say_if_all_left_out(left_out: &BTreeMap<OmitReason, u64>, records: u64) {
    let all: u64 = left_out.values().sum();
    if records == 0 && all > 0 {
        let reasons: Vec<String> = left_out
            .iter()
            .map(|(reason, n)| format!("{} by {}", grouped(*n), reason.name()))
            .collect();
        say(&format!("wiresift: {} left out: {}", plural(all, "alert"), reasons.join(", ")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_alerts() {
        assert_eq!(at_least_one("3"), Ok(3));
        assert!(at_least_one("0").unwrap_err().contains("nothing would be read"));
        for wrong in ["", "-1", "x", "1.5"] {
            assert!(at_least_one(wrong).unwrap_err().contains("at least 1"), "{wrong}");
        }
    }

    #[test]
    fn since_takes_a_time_or_an_age() {
        assert_eq!(since("7d"), Ok(Since::Ago(Duration::from_secs(7 * 86400))));
        assert_eq!(since("2026-11-24T00:00:00Z"), Ok(Since::At(Timestamp(1_795_478_400_000_000))));
        assert!(since("2026-11-24").is_ok());
        assert_eq!(since("2h"), Ok(Since::Ago(Duration::from_secs(7200))));
        assert_eq!(
            (since("today"), since("Yesterday")),
            (Ok(Since::Midnight(0)), Ok(Since::Midnight(1)))
        );
        let (noon, day) =
            (Timestamp::parse("2026-11-24T12:34:56Z").unwrap(), Timestamp::parse("2026-11-24"));
        assert_eq!(Some(midnight(noon, 0)), day);
        assert_eq!(Some(midnight(noon, 1)), Timestamp::parse("2026-11-23"));
        assert_eq!(Some(midnight(day.unwrap(), 0)), day);
        for wrong in ["", "7", "tomorrow", "7w", "-1d", "todays"] {
            assert!(since(wrong).is_err(), "{wrong}");
        }
    }
}
