//! The report as tables for spreadsheets.
//!
//! Names come from feeds. A cell that a spreadsheet would take for a formula begins with an
//! apostrophe, and what controls a terminal is escaped.

use super::report::Report;
use crate::engine::error::escape_text;
use serde::Serialize;
use serde_json::Value;

/// A table of a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Csv {
    /// A row for each group.
    #[default]
    Groups,
    /// A row for each pair of groups.
    Overlap,
    /// A row for each indicator that is flagged or has alerts.
    Indicators,
    /// A row for each kind of each group, if those were measured.
    Kinds,
}

/// The columns of groups; a dot leads into an object.
const GROUPS: &[&str] = &[
    "name",
    "feed",
    "collection",
    "values",
    "entries",
    "live",
    "expired",
    "withheld",
    "self_covered",
    "exclusive",
    "exclusive_share",
    "exclusive_exact",
    "alerts",
    "alerts_per_day",
    "events",
    "coverage",
    "events_exclusive",
    "events_fair",
    "observables",
    "observables_exclusive",
    "indicators_hit",
    "yield",
    "hosts",
    "hosts_exclusive",
    "top_share",
    "held_back",
    "alerts_risky",
    "risky_share",
    "risky_per_day",
    "popular_values",
    "popular_rank",
    "listed_values",
    "shared_values",
    "prevalent_values",
    "verdicts.tp",
    "verdicts.fp",
    "verdicts.precision",
    "verdicts.low",
    "verdicts.high",
    "verdicts.too_few",
    "age.p50",
    "age.p90",
    "age.undated",
    "dated",
    "decayed_entries",
    "decayed",
    "late_share",
    "history.novelty",
    "history.churn",
    "history.residence_days",
    "history.latency_p50",
    "history.latency_p90",
    "history.first_share",
    "history.unchanged_days",
    "cost.bytes_alone",
    "cost.bytes_marginal",
    "cost.passes_marginal",
    "cost.ns_per_mib.median",
    "cost.ns_per_mib.low",
    "cost.ns_per_mib.high",
    "cost.below_noise",
];

/// The columns of pairs.
const OVERLAP: &[&str] = &[
    "a",
    "b",
    "a_covered",
    "a_in_b",
    "b_covered",
    "b_in_a",
    "common",
    "union",
    "jaccard",
    "common_exact",
    "union_exact",
    "jaccard_exact",
    "events_common",
    "events_union",
    "events_jaccard",
];

/// The columns of indicators.
const INDICATORS: &[&str] = &[
    "kind",
    "value",
    "scope",
    "groups",
    "alerts",
    "hosts",
    "hosts_began",
    "p",
    "p_hosts",
    "p_of",
    "flags",
    "rank",
    "lists",
    "last_hit",
];

/// The columns of kinds.
const KINDS: &[&str] = &[
    "group",
    "kind",
    "values",
    "alerts",
    "ns_per_mib.median",
    "ns_per_mib.low",
    "ns_per_mib.high",
    "below_noise",
];

/// Formats a table of a report (RFC 4180), with a heading.
pub fn csv(report: &Report, table: Csv) -> String {
    match table {
        Csv::Groups => rows(GROUPS, &report.groups),
        Csv::Overlap => rows(OVERLAP, &report.overlap),
        Csv::Indicators => rows(INDICATORS, &report.indicators),
        Csv::Kinds => {
            let kinds = report.cost.as_ref().and_then(|cost| cost.kinds.as_deref());
            rows(KINDS, kinds.unwrap_or_default())
        }
    }
}

fn rows<T: Serialize>(columns: &[&str], rows: &[T]) -> String {
    let mut out = columns.join(",");
    out.push_str("\r\n");
    for row in rows {
        let object = serde_json::to_value(row).unwrap_or_default();
        let cells = columns.iter().map(|column| {
            let path = format!("/{}", column.replace('.', "/"));
            cell(object.pointer(&path).unwrap_or(&Value::Null))
        });
        out.push_str(&cells.collect::<Vec<_>>().join(","));
        out.push_str("\r\n");
    }
    out
}

/// A value as a cell: what is unknown is empty, what is several is separated by semicolons.
fn cell(value: &Value) -> String {
    let plain = |value: &Value| match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    match value {
        // Numbers are written as they are, negative ones too.
        Value::Number(_) | Value::Bool(_) | Value::Null => plain(value),
        Value::Array(all) => quoted(&all.iter().map(plain).collect::<Vec<_>>().join("; ")),
        Value::Object(all) => {
            let all = all.iter().map(|(name, value)| format!("{name}={}", plain(value)));
            quoted(&all.collect::<Vec<_>>().join("; "))
        }
        Value::String(text) => quoted(text),
    }
}

/// A text as a cell.
fn quoted(text: &str) -> String {
    let text = escape_text(text);
    let is_formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = if is_formula { format!("'{text}") } else { text.into_owned() };
    if text.contains([',', '"', '\n', '\r', ';']) {
        return format!("\"{}\"", text.replace('"', "\"\""));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sensor::bench::report::{Group, GroupCost, History, Interval, Verdicts};

    #[test]
    fn cells_are_no_formulas_and_columns_exist() {
        assert_eq!(quoted("=cmd|' /C calc'!A0"), "'=cmd|' /C calc'!A0");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
        assert_eq!(quoted("-1+1"), "'-1+1");
        assert!(!quoted("a\u{1b}[2Jb").contains('\u{1b}'));
        let cost = GroupCost { ns_per_mib: Some(Interval::default()), ..GroupCost::default() };
        let group = Group {
            verdicts: Some(Verdicts::default()),
            history: Some(History::default()),
            cost: Some(cost),
            ..Group::default()
        };
        let object = serde_json::to_value(&group).unwrap();
        for column in GROUPS {
            let path = format!("/{}", column.replace('.', "/"));
            assert!(object.pointer(&path).is_some(), "{column}");
        }
        let verdicts = object["verdicts"].as_object().unwrap().keys();
        let columns = verdicts.map(|name| format!("verdicts.{name}"));
        assert!(columns.into_iter().all(|column| GROUPS.contains(&&*column)));
        assert!(rows(GROUPS, &[group]).contains(",false,"));
    }
}
