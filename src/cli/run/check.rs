//! `wiresift run --check`: what would run, and any problems.

use super::files::{self, Files, Parsed};
use super::probe::Probe;
use crate::cli::feed;
use crate::cli::messages::{name, plural, print, say};
use crate::cli::outcome::Outcome;
use std::path::Path;
use wiresift::Result;
use wiresift::engine::error::escape_text;
use wiresift::intel::config::Subscription;

/// Checks a configuration. Prints what it contains to standard output, and problems to standard
/// error.
pub(super) fn run(path: &Path, no_suppress: bool) -> Result<Outcome> {
    let parsed = Parsed::read(path)?;
    let of_feeds = parsed.of_feeds();
    let Parsed { sensor: Ok(sensor), intel, .. } = parsed else {
        let problems = parsed.whole().err().unwrap_or_default();
        problems.iter().for_each(|problem| say(problem));
        say(&format!("wiresift: {}: {}", name(path), plural(problems.len() as u64, "problem")));
        return Ok(Outcome::Failed);
    };
    // The feeds that are valid: there may be more problems than theirs.
    let mut files = Files { sensor, intel };
    // Check the configuration that would actually run, flags included.
    files.sensor.suppress.enabled &= !no_suppress;
    let problems = files.sensor.check(files::built());
    // A description of an invalid configuration would mislead.
    if problems.is_empty() && of_feeds.is_empty() {
        print_lines("", &files.sensor.describe())?;
        let feeds: Vec<String> = files.intel.feeds.iter().map(describe).collect();
        print_lines("", &feeds)?;
    }
    files.warnings().iter().for_each(|warning| say(&format!("wiresift: warning: {warning}")));
    files::say_problems(&problems);
    of_feeds.iter().for_each(|problem| say(problem));
    let found = Probe::of(&files);
    print_lines("ok: ", &found.good)?;
    found.notes.iter().for_each(|note| say(&format!("wiresift: note: {note}")));
    found.problems.iter().for_each(|problem| say(&format!("wiresift: {problem}")));
    let count = problems.iter().count() + problems.more() + of_feeds.len() + found.problems.len();
    if count > 0 {
        say(&format!("wiresift: {}: {}", name(path), plural(count as u64, "problem")));
        return Ok(Outcome::Failed);
    }
    print(format!("{}: no problems found\n", name(path)))?;
    Ok(Outcome::Yes)
}

fn print_lines(before: &str, lines: &[String]) -> Result<()> {
    let text: String =
        lines.iter().map(|line| format!("{before}{}\n", escape_text(line))).collect();
    print(text)
}

/// Describes a feed in one line.
fn describe(feed: &Subscription) -> String {
    if !feed.enabled {
        return format!("feed {}: disabled", feed.name);
    }
    let mut text = format!(
        "feed {} ({}): {}, every {}",
        feed.name,
        feed.kind.name(),
        feed.origin.shown(),
        feed::span(feed.interval)
    );
    if let Some(key) = &feed.access.key {
        text += &format!(", credential: {}", feed::place_of(key));
    }
    text
}
