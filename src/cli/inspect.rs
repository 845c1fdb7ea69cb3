//! `wiresift inspect` and `wiresift verify`: what a database contains, and whether it is
//! sound.
//!
//! Opening a database already checks every section, so `verify` only has to report it. Its
//! exit status 1 means damage, as `cmp` uses 1 for a difference, and 2 that the file
//! could not be read at all.

use super::flags::{Inspect, Verify};
use super::messages::{grouped, name, plural, print, size};
use super::outcome::Outcome;
use serde_json::{Map, Value, json};
use std::path::Path;
use wiresift::engine::database::Database;
use wiresift::engine::error::{escape_json, escape_text};
use wiresift::engine::indicator::Timestamp;
use wiresift::{ErrorKind, Result};

/// Prints the contents of a database.
pub(super) fn inspect(flags: Inspect) -> Result<Outcome> {
    let database = Database::open(&flags.db)?;
    let text = if flags.json {
        format!("{}\n", escape_json(&as_json(&database, flags.withheld).to_string()))
    } else {
        as_text(&database, &flags)
    };
    unless_damaged(&database, &flags.db)?;
    print(&text)?;
    Ok(Outcome::Yes)
}

/// Checks a database and prints a line about it.
pub(super) fn verify(flags: Verify) -> Result<Outcome> {
    match Database::open(&flags.db) {
        Ok(database) => {
            unless_damaged(&database, &flags.db)?;
            let sections = database.sections().count() as u64;
            print(format!(
                "{}: sound: {}, {}, {}\n",
                name(&flags.db),
                plural(sections, "section"),
                plural(database.summary().total(), "distinct value"),
                size(database.size() as u64)
            ))?;
            Ok(Outcome::Yes)
        }
        // Damage is the answer to the question, not a failure to answer it.
        Err(error) if error.kind() == ErrorKind::Database => {
            super::messages::error(&error);
            Ok(Outcome::No)
        }
        Err(error) => Err(error),
    }
}

/// A map shows writes by others: what was read may be a mixture of two files, so damage found
/// afterwards voids the output.
fn unless_damaged(database: &Database, path: &Path) -> Result<()> {
    database.damage().map_or(Ok(()), |error| Err(error.at_path(path)))
}

/// The contents as text.
fn as_text(database: &Database, flags: &Inspect) -> String {
    let summary = database.summary();
    let mut text = format!(
        "{}\n  build {}, {}, by {}\n  {} from {}, {}\n",
        name(&flags.db),
        database.build_id(),
        database.built(),
        escape_text(&summary.compiler),
        plural(summary.total(), "distinct value"),
        plural(summary.indicators, "indicator"),
        size(database.size() as u64)
    );
    text.push_str("values\n");
    for (kind, count) in &summary.values {
        text.push_str(&format!("  {:>12} {kind}\n", grouped(*count)));
    }
    if !summary.guarded.is_empty() {
        text.push_str("withheld or changed by guards\n");
        for (reason, count) in &summary.guarded {
            text.push_str(&format!("  {:>12} {reason}\n", grouped(*count)));
        }
    }
    text.push_str("feeds\n");
    for (name, feed) in &summary.feeds {
        text.push_str(&format!("  {:>12} {}", grouped(feed.indicators), escape_text(name)));
        if feed.inactive > 0 {
            text.push_str(&format!(", {} withdrawn", grouped(feed.inactive)));
        }
        if let (Some(first), Some(last)) = (feed.first_expiry, feed.last_expiry) {
            text.push_str(&format!(", expire {} to {}", Timestamp(first), Timestamp(last)));
        }
        text.push('\n');
    }
    text.push_str("sections\n");
    for (section, bytes) in database.sections() {
        let entries = match database.count(section) {
            0 => String::new(),
            count => format!(", {}", grouped(count)),
        };
        text.push_str(&format!("  {:>12} {}{entries}\n", size(bytes as u64), section.name()));
    }
    if flags.withheld {
        text.push_str("withheld\n");
        for (kind, value, reason) in database.kept_out() {
            text.push_str(&format!("  {reason} {kind} {}\n", escape_text(value)));
        }
    }
    text
}

/// The contents as JSON.
fn as_json(database: &Database, withheld: bool) -> Value {
    let sections: Map<String, Value> = database
        .sections()
        .map(|(section, bytes)| {
            let entry = json!({"bytes": bytes, "entries": database.count(section)});
            (section.name().to_string(), entry)
        })
        .collect();
    let mut object = json!({
        "id": database.build_id(),
        "built": database.built().to_string(),
        "format": database.format(),
        "bytes": database.size(),
        "contexts": database.contexts(),
        "summary": database.summary(),
        "sections": sections,
    });
    if withheld {
        object["withheld"] = database
            .kept_out()
            .map(|(kind, value, reason)| {
                json!({"kind": kind.name(), "value": value, "reason": reason.name()})
            })
            .collect();
    }
    object
}
