//! Which alerts are written, and in which form: the flags that `scan` and `tap` share.

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
use wiresift::engine::alert::{LeftOut, Selection};
use wiresift::engine::database::Database;
use wiresift::engine::indicator::{Severity, Timestamp};
use wiresift::intel::config::duration;
use wiresift::sensor::run::Output;
use wiresift::{Error, Result};

/// Which alerts are written.
#[derive(Debug, Args)]
pub(super) struct Choice {
    /// Leave out alerts below a severity: low, medium, high or critical.
    #[arg(long, value_name = "LEVEL", value_parser = severity,
          add = complete::severities())]
    pub(super) min_severity: Option<Severity>,
    /// Leave out alerts none of whose sources is that confident, 0 to 100; sources that give no
    /// confidence are not.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(super) min_confidence: Option<u8>,
    /// Only alerts of this feed; may be repeated, and may have wildcards: 'abuse*'.
    #[arg(long = "feed", value_name = "NAME", value_parser = pattern,
          add = complete::subscribed_feeds())]
    pub(super) feeds: Vec<Pattern>,
    /// Only alerts of these kinds: ip, domain, url, email, hash, sha256, cve…
    #[arg(long = "kind", value_name = "KIND,…", value_delimiter = ',', value_parser = kinds,
          add = complete::kinds())]
    pub(super) kinds: Vec<Kinds>,
    /// Only what happened since: a date, a day, or so long ago: 2026-11-24, today, 24h, 7d.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(super) since: Option<Since>,
    /// Report an observable once for each input.
    #[arg(long)]
    pub(super) first: bool,
    /// Print at the end the indicators, feeds, inputs and hosts with the most alerts: to standard
    /// error, or to standard output where no alerts go there. On a terminal that is done after
    /// more alerts than it shows.
    #[arg(long, value_name = "FORM", num_args = 0..=1, require_equals = true,
          default_missing_value = "text", value_parser = ["text", "json"])]
    pub(super) summary: Option<String>,
}

impl Choice {
    /// What is written of alerts, without what only `scan` has.
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

/// Refuses the name of a feed that the database has not: what it leaves out would look like
/// nothing found.
///
/// # Errors
///
/// When no feed of the database fits.
pub(super) fn check_feeds(choice: &Choice, database: &Database) -> Result<()> {
    let names = || database.summary().feeds.keys();
    let options = MatchOptions { case_sensitive: false, ..MatchOptions::new() };
    let is_there = |feed: &Pattern| names().any(|name| feed.matches_with(name, options));
    match choice.feeds.iter().find(|feed| !is_there(feed)) {
        None => Ok(()),
        Some(feed) => {
            let known: Vec<&str> = names().take(20).map(String::as_str).collect();
            let what = format!("the database has no feed “{feed}”");
            Err(Error::usage(what).remedy(format!("it has {}", known.join(", "))))
        }
    }
}

fn severity(name: &str) -> Result<Severity, String> {
    Severity::from_name(name).ok_or_else(|| "expected low, medium, high or critical".to_string())
}

/// A pattern of names.
pub(super) fn pattern(text: &str) -> Result<Pattern, String> {
    Pattern::new(text).map_err(|error| format!("not a pattern: {error}"))
}

/// A moment, or so long before now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Since {
    At(Timestamp),
    Ago(Duration),
    /// The midnight (UTC) before now, or so many days before that one.
    Midnight(i64),
}

impl Since {
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

/// The midnight so many days before the last one.
fn midnight(now: Timestamp, days: i64) -> Timestamp {
    const DAY: i64 = 86_400_000_000;
    Timestamp((now.0.div_euclid(DAY) - days) * DAY)
}

/// A number of alerts to stop after.
pub(super) fn at_least_one(text: &str) -> Result<u64, String> {
    match text.parse() {
        Ok(0) => Err("nothing would be read; -q tells by its exit status whether there is an \
                      alert, -c counts them"
            .into()),
        Ok(number) => Ok(number),
        Err(_) => Err("expected a number from 1 on".into()),
    }
}

fn since(text: &str) -> Result<Since, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "today" => return Ok(Since::Midnight(0)),
        "yesterday" => return Ok(Since::Midnight(1)),
        "now" => return Ok(Since::Ago(Duration::ZERO)),
        _ => {}
    }
    // A number alone could be either.
    let is_ago = text.ends_with(|c: char| c.is_ascii_alphabetic() && c != 'Z');
    let ago = is_ago.then(|| duration(text).ok()).flatten().map(Since::Ago);
    ago.or_else(|| Timestamp::parse(text).map(Since::At)).ok_or_else(|| {
        "expected a date such as 2026-11-24 or 2026-11-24T12:00:00Z, today, yesterday, or so long \
         ago: 2h, 7d"
            .into()
    })
}

/// What was left out, by the reason, for `--stats=json`.
pub(super) fn left_out_json(left_out: &BTreeMap<LeftOut, u64>) -> Value {
    let map: Map<String, Value> =
        left_out.iter().map(|(reason, count)| (reason.name().into(), json!(count))).collect();
    Value::Object(map)
}

/// What was left out, by the reason.
pub(super) fn say_left_out(left_out: &BTreeMap<LeftOut, u64>) {
    for (reason, count) in left_out {
        say(&format!("left out   {count:>9} by {}", reason.name()));
    }
}

/// One line where alerts matched and not one was wanted, so that nobody takes it for
/// nothing.
pub(super) fn say_if_all_left_out(left_out: &BTreeMap<LeftOut, u64>, records: u64) {
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
            assert!(at_least_one(wrong).unwrap_err().contains("from 1 on"), "{wrong}");
        }
    }

    #[test]
    fn moments() {
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
