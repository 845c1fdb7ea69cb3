//! What differs between a report and a former one, for people.

use super::baseline::{names_of_set, of_set, same_groups};
use super::fields::OF_GROUP;
use super::report::{Group, Report};
use crate::Result;
use std::collections::HashMap;

/// A cost differs in every run.
const NOISY: &str = "ns_per_mib";

/// One line for each field that differs: of the set, then of each group.
///
/// # Errors
///
/// The groups of one report are feeds, and those of the other pulses.
pub fn changes(old: &Report, new: &Report) -> Result<Vec<String>> {
    same_groups(old, new.by)?;
    let mut lines = Vec::new();
    for field in names_of_set() {
        line(field, of_set(field, old, old), of_set(field, new, old), &mut lines);
    }
    let (before, after) = (by_name(old), by_name(new));
    for group in &old.groups {
        let Some(now) = after.get(&*group.name) else {
            lines.push(format!("group:{}: gone", group.name));
            continue;
        };
        for field in OF_GROUP {
            let name = format!("group:{}.{}", group.name, field.name);
            line(&name, (field.of)(group), (field.of)(now), &mut lines);
        }
    }
    let added = new.groups.iter().filter(|group| !before.contains_key(&*group.name));
    lines.extend(added.map(|group| format!("group:{}: new", group.name)));
    Ok(lines)
}

fn by_name(report: &Report) -> HashMap<&str, &Group> {
    report.groups.iter().map(|group| (&*group.name, group)).collect()
}

/// A line for a field that differs.
fn line(name: &str, before: Option<f64>, now: Option<f64>, lines: &mut Vec<String>) {
    if before == now || name.ends_with(NOISY) {
        return;
    }
    let number = |value: Option<f64>| value.map_or("unknown".into(), |value| format!("{value}"));
    lines.push(format!("{name}: {} before, {} now", number(before), number(now)));
}
