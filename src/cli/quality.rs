//! `wiresift feed list --quality`: which subscriptions earn their place.
//!
//! It joins the state of the feeds with a report of `wiresift bench`. The report stays the
//! judge: nothing is computed here, and what it does not know is left empty.

use super::feed::{is_well, short, status};
use super::messages::{grouped, print, say};
use super::outcome::Outcome;
use super::table::Table;
use serde_json::{Value, json};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use wiresift::clock::now;
use wiresift::engine::error::escape_json;
use wiresift::engine::indicator::Timestamp;
use wiresift::intel::config::Config;
use wiresift::intel::store::{FeedState, Store};
use wiresift::{Error, Result};

/// The schema of the reports that are understood.
const SCHEMA: &str = "wiresift.bench/1";

/// The size limit of a report: it is a file from anywhere, and parsed in memory.
const MAX_REPORT: u64 = 256 << 20;

/// The columns of numbers.
const NUMBERS: &[(&str, Column)] = &[
    ("live", Column::Count(&["live"])),
    ("excl%", Column::Share(&["exclusive_share"])),
    ("events", Column::Count(&["events"])),
    ("only here", Column::Count(&["events_exclusive"])),
    ("first%", Column::Share(&["history", "first_share"])),
    ("late%", Column::Share(&["late_share"])),
    ("risky%", Column::Share(&["risky_share"])),
    ("age d", Column::Days(&["age", "p50"])),
    ("ns/MiB", Column::Cost),
];

/// Where a number is in a group of the report, and how it is shown.
#[derive(Clone, Copy)]
enum Column {
    Count(&'static [&'static str]),
    Share(&'static [&'static str]),
    Days(&'static [&'static str]),
    Cost,
}

impl Column {
    /// The cell for a group; empty if the report does not know.
    fn cell(self, group: &Value) -> String {
        let at = |path: &[&str]| path.iter().fold(group, |value, name| &value[*name]).as_f64();
        let cell = match self {
            Column::Count(path) => at(path).map(|count| grouped(count as u64)),
            Column::Share(path) => at(path).map(|share| format!("{:.1}", 100.0 * share)),
            Column::Days(path) => at(path).map(|days| format!("{days:.0}")),
            Column::Cost => {
                let sign = if group["cost"]["below_noise"] == true { "≤ " } else { "" };
                // Below the noise the median means nothing; the upper end of the interval is a bound.
                let path = if sign.is_empty() { "median" } else { "high" };
                let cost = at(&["cost", "ns_per_mib", path]);
                cost.map(|cost| format!("{sign}{}", grouped(cost.max(0.0) as u64)))
            }
        };
        cell.unwrap_or_default()
    }
}

/// A feed that is subscribed to, or in the report, or both.
struct Row<'r> {
    name: String,
    kind: String,
    state: Option<FeedState>,
    enabled: bool,
    status: String,
    group: Option<&'r Value>,
    advice: Vec<&'r Value>,
}

/// Prints a line for each feed, those with the most events that no other feed has first.
pub(super) fn list(config: &Config, path: &Path, json: bool) -> Result<Outcome> {
    let report = read(path)?;
    let now = now();
    let rows = rows(config, &report, now);
    let is_well = config.feeds.iter().all(|feed| {
        let state = rows.iter().find(|row| row.name == feed.name).and_then(|it| it.state.as_ref());
        state.is_none_or(|state| is_well(feed, state))
    });
    if json {
        let lines: String = rows.iter().map(|row| format!("{}\n", row.json(config))).collect();
        print(&*escape_json(&lines))?;
    } else {
        let at = report["at"].as_str().unwrap_or("an unknown time");
        say(&format!("wiresift: judged by a bench at {at}"));
        let mut table = Table::default();
        let heads = NUMBERS.iter().map(|(head, _)| *head);
        table.row(["feed"].into_iter().chain(heads).chain(["advice", "status"]));
        for row in &rows {
            let cells = NUMBERS.iter().map(|(_, column)| row.group.map(|group| column.cell(group)));
            let cells = cells.map(Option::unwrap_or_default);
            let ends = [row.advised(), short(&row.status)];
            table.row([row.name.clone()].into_iter().chain(cells).chain(ends));
        }
        let right: Vec<usize> = (1..=NUMBERS.len()).collect();
        print(format!("{}\n", table.laid_out(&right)))?;
    }
    Ok(if is_well { Outcome::Yes } else { Outcome::No })
}

/// Reads a report.
fn read(path: &Path) -> Result<Value> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| Error::io("open the report", e).at_path(path))?;
    let read = file.take(MAX_REPORT + 1).read_to_end(&mut bytes);
    read.map_err(|e| Error::io("read the report", e).at_path(path))?;
    let remedy = "make it with `wiresift bench --db DB --format json -o FILE`";
    let wrong = |what: String| Err(Error::format(what).at_path(path).remedy(remedy));
    if bytes.len() as u64 > MAX_REPORT {
        return wrong(format!("it is longer than {MAX_REPORT} bytes"));
    }
    let report: Value = match serde_json::from_slice(&bytes) {
        Ok(report) => report,
        Err(error) => return wrong(format!("this is not a report of `wiresift bench`: {error}")),
    };
    match report["schema"].as_str() {
        Some(SCHEMA) => {}
        Some(other) => {
            return wrong(format!("the report has the schema {other:?}, not {SCHEMA:?}"));
        }
        None => return wrong("this is not a report of `wiresift bench`".into()),
    }
    if !report["groups"].is_array() {
        return wrong("the report has no groups".into());
    }
    if report["by"].as_str().is_some_and(|by| by != "feed") {
        return wrong("the report compares collections, not feeds".into());
    }
    Ok(report)
}

/// All feeds, of the configuration and of the report.
fn rows<'r>(config: &Config, report: &'r Value, now: Timestamp) -> Vec<Row<'r>> {
    let members = |name: &str| report[name].as_array().into_iter().flatten();
    let mut groups: BTreeMap<&str, &Value> = members("groups")
        .filter_map(|group| group["name"].as_str().map(|name| (name, group)))
        .collect();
    let advice = |name: &str| -> Vec<&'r Value> {
        members("advice").filter(|it| it["group"] == name).collect()
    };
    let store = Store::at(&config.state);
    let mut rows: Vec<Row<'r>> = Vec::new();
    for feed in &config.feeds {
        let state = store.feed_dir(&feed.name).state();
        rows.push(Row {
            name: feed.name.clone(),
            kind: feed.kind.name().to_string(),
            status: status(feed, &state, now),
            state: Some(state),
            enabled: feed.enabled,
            group: groups.remove(&*feed.name),
            advice: advice(&feed.name),
        });
    }
    rows.extend(groups.into_iter().map(|(name, group)| Row {
        name: name.to_string(),
        kind: String::new(),
        state: None,
        enabled: false,
        status: "not subscribed".into(),
        group: Some(group),
        advice: advice(name),
    }));
    let number = |row: &Row<'_>, name: &str| {
        // Floats have no total order. What is unknown sorts after 0.
        let number = row.group.and_then(|group| group[name].as_f64()).unwrap_or(-1.0);
        Reverse((number * 1e6) as i64)
    };
    rows.sort_by_cached_key(|row| {
        (number(row, "events_exclusive"), number(row, "exclusive_share"), row.name.clone())
    });
    rows
}

impl Row<'_> {
    /// What the report advises, in a few words.
    fn advised(&self) -> String {
        if self.group.is_none() {
            return "not in the bench".into();
        }
        let actions = self.advice.iter().filter_map(|advice| advice["action"].as_str());
        // A feed may have hundreds of values to suppress: they are counted and not listed.
        let suppressed = actions.clone().filter(|action| *action == "suppress").count();
        let mut words: Vec<String> =
            actions.filter(|action| *action != "suppress").map(str::to_string).collect();
        words.extend((suppressed > 0).then(|| format!("suppress {suppressed}")));
        words.join(", ")
    }

    fn json(&self, config: &Config) -> Value {
        let ledger = Store::at(&config.state).feed_dir(&self.name).ledger().index().ok().flatten();
        json!({
            "feed": self.name,
            "subscribed": self.state.is_some(),
            "kind": Some(&self.kind).filter(|kind| !kind.is_empty()),
            "enabled": self.enabled,
            "status": self.status,
            "state": self.state,
            "ledger": ledger.map(|ledger| json!({
                "began": ledger.began.map(|time| time.to_string()),
                "changed": ledger.at.map(|time| time.to_string()),
                "values": ledger.values,
            })),
            "quality": self.group,
            "advice": self.advice,
        })
    }
}
