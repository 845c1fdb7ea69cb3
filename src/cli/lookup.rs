//! `wiresift lookup`: explains for each value why it matches or not.
//!
//! A value goes through the same guess, refanging and normalisation as text in a log, so the
//! answer is that of a scan. `--explain` lists the filters and tables that were checked, in
//! order.

use super::flags::Lookup;
use super::ledgers::{InFeed, Ledgers};
use super::outcome::Outcome;
use super::{database, messages, validity};
use serde_json::{Value, json};
use std::io::{BufRead, Write};
use wiresift::engine::error::{escape_json, escape_text};
use wiresift::engine::indicator::{Context, Kind};
use wiresift::engine::scan::{Explanation, Options, Outcome as StepOutcome, Scanner};
use wiresift::sensor::run;
use wiresift::{Error, Result};

/// Looks up the values of the command line and of standard input. Standard output
/// stays locked for the whole run: a look-up from a pipe may print millions of
/// answers.
pub(super) fn run(flags: Lookup) -> Result<Outcome> {
    if flags.values.iter().any(|value| value.trim().is_empty()) {
        return Err(Error::usage("a value to look up is empty").remedy(
            "give an address, name, URL or digest, or - to read values from standard input",
        ));
    }
    // A pipe can keep this running for a long time, in which the file of the database may be replaced:
    // a copy in memory is safe from that.
    let is_long = flags.values.iter().any(|value| value == "-");
    let notify = |notice: run::Notice<'_>| {
        if let run::Notice::Skipped(what) = notice {
            messages::say(&format!("wiresift: {what}"));
        }
    };
    let named = database::named(flags.db.as_deref(), flags.config.as_deref())?;
    let database = database::open(named.as_deref(), is_long, &notify)?.database;
    let ledgers = Ledgers::of_database(named.as_deref(), flags.config.as_deref());
    let allow = database::allow_lists(&flags.allow, &notify)?;
    let at = validity::time(&flags.at)?;
    let mut scanner = Scanner::new(Options::default().at(at).allow(allow));
    let mut any = false;
    let mut out = std::io::stdout().lock();
    let mut answer = |value: &str| -> Result<()> {
        let explanation = scanner.explain(&database, value, wiresift::clock::now());
        any |= !explanation.matches.is_empty();
        let in_feeds = ledgers.find(&explanation);
        // `escape_json` escapes what JSON allows but a terminal may interpret.
        let text = if flags.json {
            format!("{}\n", escape_json(&as_json(&explanation, &in_feeds).to_string()))
        } else {
            as_text(&explanation, &in_feeds, flags.explain)
        };
        out.write_all(text.as_bytes()).map_err(|e| Error::io("write to standard output", e))
    };
    for value in &flags.values {
        if value != "-" {
            answer(value)?;
            continue;
        }
        for line in std::io::stdin().lock().lines() {
            let line = line.map_err(|e| Error::io("read standard input", e))?;
            if !line.trim().is_empty() {
                answer(&line)?;
            }
        }
    }
    out.flush().map_err(|e| Error::io("write to standard output", e))?;
    // Answers from a map are only valid if nothing wrote to its file meanwhile.
    if let Some(error) = database.damage() {
        return Err(match &flags.db {
            Some(path) => error.at_path(path),
            None => error,
        });
    }
    Ok(if any { Outcome::Yes } else { Outcome::No })
}

/// The explanation as text. Steps are only of interest if nothing matched, or on
/// request.
fn as_text(explanation: &Explanation<'_>, in_feeds: &[InFeed], steps_too: bool) -> String {
    let mut text = String::new();
    let mut line = |part: String| {
        // Values come from feeds and from the user: escape what would control the terminal.
        text.push_str(&escape_text(&part));
        text.push('\n');
    };
    let matched = !explanation.matches.is_empty();
    let verdict = if matched { "matches" } else { "does not match" };
    line(format!("{}: {verdict}", explanation.asked));
    match &explanation.read_as {
        Some((kind, value)) => {
            let how = if explanation.refanged { " (refanged)" } else { "" };
            // The normal form shows a mistake in the input, such as a missing dot, at a glance.
            // Any text can be the name of a mutex, which is the kind of last resort.
            let what = match kind {
                Kind::Mutex => {
                    "plain text (no address, domain, URL, e-mail address or digest)".into()
                }
                kind => kind.to_string(),
            };
            line(format!("  read as {what} {value}{how}"));
        }
        None => line("  not a value of any kind".into()),
    }
    for found in &explanation.matches {
        line(format!("  {} {} ({})", found.kind, found.value, found.scope.name()));
        for source in &found.sources {
            for part in context_lines(source) {
                line(format!("    {part}"));
            }
        }
    }
    for finding in &explanation.held {
        line(format!(
            "  not alerting: {} {} ({}): {}: {}",
            finding.kind,
            finding.value,
            finding.scope.name(),
            finding.reason,
            finding.reason.remedy()
        ));
        for list in &finding.lists {
            line(format!("    on the warning list {list}"));
        }
        if let Some(context) = &finding.context {
            for part in context_lines(context) {
                line(format!("    {part}"));
            }
        }
    }
    for in_feed in in_feeds {
        line(format!("  {}", in_feed.text()));
    }
    if !matched || steps_too {
        for (what, outcome) in &explanation.steps {
            line(format!("  checked the {what}: {}", outcome_text(*outcome)));
        }
        for note in &explanation.notes {
            line(format!("  note: {note}"));
        }
    }
    text
}

/// The answer of a filter or a structure in words, also used in JSON.
fn outcome_text(outcome: StepOutcome) -> String {
    match outcome {
        StepOutcome::Empty => "no values of this kind".into(),
        StepOutcome::No => "certainly not".into(),
        StepOutcome::Maybe => "maybe".into(),
        StepOutcome::Found(0) => "not found".into(),
        StepOutcome::Found(1) => "1 entry".into(),
        StepOutcome::Found(count) => format!("{count} entries"),
    }
}

/// Formats the context of one source, one line per fact.
fn context_lines(context: &Context<'_>) -> Vec<String> {
    let mut lines = vec![match &context.collection {
        Some(collection) => format!("from {}: {collection}", context.feed),
        None => format!("from {}", context.feed),
    }];
    let mut member = |name: &str, value: Option<String>| {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            lines.push(format!("  {name} {value}"));
        }
    };
    member("name", context.name.as_ref().map(|n| n.to_string()));
    member("description", context.description.as_ref().map(|d| d.to_string()));
    member("severity", context.severity.map(|s| format!("{s:?}").to_lowercase()));
    member("confidence", context.confidence.map(|c| c.to_string()));
    member("tlp", context.tlp.map(|t| t.name().to_string()));
    member("valid from", context.valid_from.map(|t| t.to_string()));
    member("valid until", context.valid_until.map(|t| t.to_string()));
    member("first seen", context.first_seen.map(|t| t.to_string()));
    member("last seen", context.last_seen.map(|t| t.to_string()));
    member("modified", context.modified.map(|t| t.to_string()));
    member("withdrawn", context.inactive.then(|| "by its source".to_string()));
    member("tags", Some(context.tags.join(", ")));
    member("malware", Some(context.malware.join(", ")));
    member("adversary", Some(context.adversary.join(", ")));
    member("att&ck", Some(context.attack.join(", ")));
    member("references", Some(context.references.join(" ")));
    lines
}

/// The explanation as JSON: everything that the text contains, and the steps in any
/// case.
fn as_json(explanation: &Explanation<'_>, in_feeds: &[InFeed]) -> Value {
    let context = |context: &Context<'_>| {
        json!({
            "feed": context.feed,
            "collection": context.collection,
            "name": context.name,
            "description": context.description,
            "confidence": context.confidence,
            "severity": context.severity.map(|s| s as u8),
            "tlp": context.tlp.map(|t| t.name()),
            "valid_from": context.valid_from.map(|t| t.to_string()),
            "valid_until": context.valid_until.map(|t| t.to_string()),
            "first_seen": context.first_seen.map(|t| t.to_string()),
            "last_seen": context.last_seen.map(|t| t.to_string()),
            "modified": context.modified.map(|t| t.to_string()),
            "inactive": context.inactive,
            "tags": context.tags,
            "malware": context.malware,
            "adversary": context.adversary,
            "attack": context.attack,
            "references": context.references,
        })
    };
    let matches: Vec<Value> = explanation
        .matches
        .iter()
        .map(|found| {
            json!({
                "kind": found.kind.name(),
                "value": found.value,
                "scope": found.scope.name(),
                "quality": found.quality.names().collect::<Vec<_>>(),
                "sources": found.sources.iter().map(context).collect::<Vec<_>>(),
            })
        })
        .collect();
    let held: Vec<Value> = explanation
        .held
        .iter()
        .map(|finding| {
            json!({
                "kind": finding.kind.name(),
                "value": finding.value,
                "scope": finding.scope.name(),
                "reason": finding.reason.name(),
                "lists": finding.lists,
                "source": finding.context.as_ref().map(context),
            })
        })
        .collect();
    let steps: Vec<Value> = explanation
        .steps
        .iter()
        .map(|(what, outcome)| json!({"asked": what, "said": outcome_text(*outcome)}))
        .collect();
    json!({
        "asked": explanation.asked,
        "read_as": explanation.read_as.as_ref().map(|(kind, value)| json!({"kind": kind.name(), "value": value})),
        "refanged": explanation.refanged,
        "matches": matches,
        "held": held,
        "ledger": in_feeds.iter().map(InFeed::json).collect::<Vec<_>>(),
        "steps": steps,
        "notes": explanation.notes,
    })
}
