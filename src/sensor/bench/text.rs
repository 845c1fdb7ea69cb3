//! The report as text of at most 80 columns.

use super::advice::hosts_of;
use super::groups::GroupBy;
use super::report::{Cost, Group, IndicatorFacts, Interval, KindCost, Report};
use super::widths::{distinct, shortened, width};
use crate::engine::error::escape_text;
use crate::engine::indicator::Reason;
use std::fmt::Write as _;

/// Columns of the output.
const WIDTH: usize = 80;

/// Columns of a group's name.
const NAME: usize = 14;

/// The maximum number of groups in a matrix: more do not fit into 80 columns.
const MAX_MATRIX: usize = 12;

/// The most flagged indicators, and the most kinds with their cost, that are shown.
const MAX_SHOWN: usize = 10;

/// Percents that are not all.
const ALMOST_ALL: f64 = 100.0 - 1e-9;

/// The widest word of a sentence.
const MAX_WORD: usize = 60;

/// Columns of the table of groups, with their widths.
const COLUMNS: [(&str, usize); 10] = [
    ("values", 6),
    ("entries", 7),
    ("excl%", 5),
    ("events", 6),
    ("excl", 5),
    ("hosts", 5),
    ("risky%", 6),
    ("age d", 5),
    ("ns/MiB", 6),
    ("bytes", 5),
];

/// Formats a report for people.
pub fn text(report: &Report) -> String {
    let mut out = String::new();
    head(report, &mut out);
    groups(report, &mut out);
    withheld(report).iter().for_each(|line| wrap(&escape_text(line), &mut out));
    if (2..=MAX_MATRIX).contains(&report.groups.len()) {
        matrix(report, &mut out);
    }
    covers(report, &mut out);
    costs(report, &mut out);
    flagged(report, &mut out);
    precision(report, &mut out);
    let mut section = |title: &str, lines: &mut dyn Iterator<Item = &str>| {
        let mut lines = lines.peekable();
        if lines.peek().is_some() {
            let _ = writeln!(out, "\n{title}");
            lines.for_each(|line| wrap(&escape_text(line), &mut out));
        }
    };
    section("advice", &mut report.advice.iter().map(|advice| &*advice.text));
    section("not in this report", &mut report.notes.iter().map(|note| &**note));
    out
}

fn head(report: &Report, out: &mut String) {
    let set = &report.set;
    let _ = writeln!(
        out,
        "{}, {}, {} live at {}",
        plural(set.groups, "group"),
        plural(set.values, "value"),
        plural(set.live, "entry"),
        report.at
    );
    let Some(corpus) = &report.corpus else { return };
    let hosts = corpus.hosts.map_or("no hosts".into(), |hosts| plural(hosts, "host"));
    let _ = writeln!(
        out,
        "{}, {}, {hosts}: {} in {}",
        plural(corpus.inputs, "input"),
        plural(corpus.records, "record"),
        plural(set.alerts.unwrap_or(0), "alert"),
        plural(set.events.unwrap_or(0), "event")
    );
    if let (Some(alerts), Some(risky)) = (set.alerts_per_day, set.risky_per_day) {
        let _ = writeln!(out, "{alerts:.1} alerts a day, {risky:.1} of them risky");
    }
}

fn groups(report: &Report, out: &mut String) {
    let _ = write!(out, "\n{:<NAME$}", "group");
    for (name, width) in COLUMNS {
        let _ = write!(out, " {name:>width$}");
    }
    out.push('\n');
    let is_known = report.cost.as_ref().is_some_and(|cost| !cost.unreliable);
    let names: Vec<String> =
        report.groups.iter().map(|group| escape_text(&group.name).into_owned()).collect();
    for (group, name) in report.groups.iter().zip(distinct(&names, NAME)) {
        let _ = write!(out, "{}", padded(&name));
        for ((_, width), cell) in COLUMNS.iter().zip(cells(group, is_known)) {
            let _ = write!(out, " {cell:>width$}");
        }
        out.push('\n');
    }
}

fn cells(group: &Group, is_cost_known: bool) -> [String; 10] {
    let cost = group.cost.as_ref();
    let ns = cost.filter(|_| is_cost_known).and_then(|cost| {
        let ns = cost.ns_per_mib?;
        Some(if cost.below_noise == Some(true) { at_most(ns) } else { number(ns.median) })
    });
    let bytes = cost.and_then(|cost| cost.bytes_marginal).map(|bytes| number(bytes as f64));
    [
        short(group.values),
        short(group.live),
        percent(group.exclusive_share),
        or_dash(group.events.map(short)),
        or_dash(group.events_exclusive.map(short)),
        or_dash(group.hosts.map(short)),
        percent(group.risky_share),
        or_dash(group.age.p50.map(|days| short(days.round() as u64))),
        or_dash(ns),
        or_dash(bytes),
    ]
}

/// What guards and warning lists keep from alerting: one line for each group that has such
/// entries.
pub(super) fn withheld(report: &Report) -> Vec<String> {
    let of_group = |group: &Group| {
        let count: u64 = group.withheld.values().sum();
        let several = group.withheld.len() > 1;
        let reasons = group.withheld.iter().map(|(name, count)| {
            let why = why_withheld(name);
            if several { format!("{count}: {why}") } else { why }
        });
        let reasons = reasons.collect::<Vec<_>>().join("; ");
        format!("{}: {} withheld ({reasons})", group.name, plural(count, "entry"))
    };
    let any = report.groups.iter().filter(|group| !group.withheld.is_empty());
    any.map(of_group).collect()
}

/// A reason for which entries are withheld, and what can be done about it.
fn why_withheld(name: &str) -> String {
    match Reason::from_name(name) {
        Some(Reason::Private) => "private network; compile with --internal".into(),
        Some(reason) => {
            // What follows “no action needed” says why.
            let remedy = reason.remedy().trim_start_matches("no action needed: ");
            format!("{}; {remedy}", name.replace('_', " "))
        }
        None => name.replace('_', " "),
    }
}

/// How much of each row's group every column's covers.
fn matrix(report: &Report, out: &mut String) {
    let _ = write!(out, "\n{:<NAME$}", "% covered by");
    for number in 1..=report.groups.len() {
        let _ = write!(out, " {number:>4}");
    }
    out.push('\n');
    for (number, group) in (1..).zip(&report.groups) {
        let name = format!("{number} {}", group.name);
        let _ = write!(out, "{}", padded(&name));
        for other in &report.groups {
            let share = covered(report, group, other);
            let cell = if other.name == group.name { ".".into() } else { percent(share) };
            let _ = write!(out, " {cell:>4}");
        }
        out.push('\n');
    }
}

/// The share of `a` that `b` covers. Pulses with nothing in common are no pair.
pub(super) fn covered(report: &Report, a: &Group, b: &Group) -> Option<f64> {
    let pair = report.overlap.iter().find_map(|pair| match (&*pair.a, &*pair.b) {
        (first, second) if (first, second) == (&a.name, &b.name) => Some(pair.a_in_b),
        (first, second) if (second, first) == (&a.name, &b.name) => Some(pair.b_in_a),
        _ => None,
    });
    let is_complete = report.by == GroupBy::Pulse && report.overlap_left_out == 0;
    pair.unwrap_or((is_complete && a.live > 0).then_some(0.0))
}

fn covers(report: &Report, out: &mut String) {
    let steps = [("entries", Some(&report.cover_values)), ("events", report.cover_events.as_ref())];
    for (what, steps) in steps {
        let Some(steps) = steps.filter(|steps| steps.len() > 1) else { continue };
        let _ = writeln!(out, "\n{what} that each group adds to those before it");
        let shown = steps.iter().take(MAX_MATRIX);
        let shown: Vec<_> =
            shown.map(|step| format!("{} +{}", escape_text(&step.group), step.adds)).collect();
        let more = steps.len() - shown.len();
        let more = if more > 0 { format!(", {more} more") } else { String::new() };
        wrap(&format!("{}{more}", shown.join(", ")), out);
    }
}

/// How costs were measured, how far they can be trusted, and which kinds cost most.
fn costs(report: &Report, out: &mut String) {
    let Some(cost) = &report.cost else { return };
    if let (Some(set), Some(aa)) = (cost.ns_per_mib, cost.aa) {
        let _ = writeln!(out, "\ncost, by processor time");
        let share = |ns: f64| ns / set.median * 100.0;
        wrap(
            &format!(
                "the set takes {} ns/MiB ({} to {}); it differs from its own copy by {:.1}% ({:.1}% \
                 to {:.1}%); {} rounds of {:.1} MiB, {}",
                number(set.median),
                number(set.low),
                number(set.high),
                share(aa.median),
                share(aa.low),
                share(aa.high),
                cost.rounds,
                cost.bytes as f64 / 1_048_576.0,
                escape_text(&cost.machine)
            ),
            out,
        );
        if cost.unreliable {
            let line = "the cost of groups is not measurable here: the machine is too busy";
            wrap(&format!("{line} (the set and its copy differ by over 1%)"), out);
        } else {
            let least = share((aa.high - aa.low) / 2.0);
            let line = format!("≤ is below the noise, which hides costs under {least:.1}% here");
            wrap(&format!("{line}; groups share structure, so bytes do not add up"), out);
        }
    }
    if let (Some(kinds), false) = (&cost.kinds, cost.unreliable) {
        kind_costs(kinds, cost, out);
    }
}

/// The kinds that cost more than noise.
fn kind_costs(kinds: &[KindCost], cost: &Cost, out: &mut String) {
    let Some(set) = cost.ns_per_mib else { return };
    let is_above = |kind: &&KindCost| kind.below_noise == Some(false);
    let shown = kinds.iter().filter(is_above).filter_map(|kind| Some((kind, kind.ns_per_mib?)));
    let _ = writeln!(out, "\nwhat kinds of indicators cost");
    let mut count = 0;
    for (kind, ns) in shown.take(MAX_SHOWN) {
        count += 1;
        let line = format!(
            "{} {}: {}, {}, {} ns/MiB ({} to {}), {:.1}% of the time",
            kind.group,
            kind.kind,
            plural(kind.values, "value"),
            plural(kind.alerts, "alert"),
            number(ns.median),
            number(ns.low),
            number(ns.high),
            ns.median / set.median * 100.0
        );
        wrap(&escape_text(&line), out);
    }
    let rest = kinds.len() - count;
    if rest > 0 {
        let rest = if count == 0 { "all of them".into() } else { format!("the other {rest}") };
        wrap(&format!("{rest}: below the noise, or not among the first {MAX_SHOWN}"), out);
    }
}

fn flagged(report: &Report, out: &mut String) {
    let flagged: Vec<_> = report.indicators.iter().filter(|it| !it.flags.is_empty()).collect();
    if flagged.is_empty() {
        return;
    }
    out.push_str("\nflagged indicators (a flag is not a verdict)\n");
    flagged.iter().take(MAX_SHOWN).for_each(|it| wrap(&escape_text(&flags(it)), out));
    let more = report.set.flagged.saturating_sub(MAX_SHOWN as u64);
    if more > 0 && report.flagged_left_out == 0 {
        let _ = writeln!(out, "  {more} more: --format json has them");
    } else if more > 0 {
        let listed = flagged.len();
        let _ = writeln!(out, "  {more} more: --format json has the first {listed} of them all");
    }
    if let Some(by_chance) = report.set.prevalent_by_chance {
        wrap(&format!("by chance alone, {by_chance:.2} would be prevalent"), out);
    }
}

/// A flagged indicator, and why it is flagged.
fn flags(it: &IndicatorFacts) -> String {
    let alerts = it.alerts.map_or(String::new(), |alerts| format!(", {}", plural(alerts, "alert")));
    let rank = it.rank.map_or(String::new(), |rank| format!(", rank {rank}"));
    let began = if it.flags.iter().any(|flag| flag == "prevalent") { " that began" } else { "" };
    let hosts = match (hosts_of(it), it.p) {
        (Some(hosts), Some(p)) if it.p_hosts > Some(0) => format!(", {hosts}{began}, p {p:.1e}"),
        _ => String::new(),
    };
    let (flags, groups) = (it.flags.join(" "), it.groups.join(", "));
    format!("{} {}: {flags}{rank}{alerts}{hosts} ({groups})", it.kind, it.value)
}

/// How people judged what each group finds.
fn precision(report: &Report, out: &mut String) {
    let (Some(all), Some(seen)) = (report.set.verdicts, report.set.verdicts_seen) else { return };
    out.push_str("\nprecision\n");
    wrap(&format!("{seen} of {} are about values seen", plural(all, "verdict")), out);
    for group in &report.groups {
        let Some(of) = group.verdicts.as_ref().filter(|of| of.tp + of.fp > 0) else { continue };
        let interval = match (of.precision, of.low, of.high) {
            (Some(precision), Some(low), Some(high)) => format!(
                "{} of {} true, {}% ({} to {}%)",
                of.tp,
                of.tp + of.fp,
                percent(Some(precision)),
                percent(Some(low)),
                percent(Some(high))
            ),
            _ => continue,
        };
        let few = if of.too_few { "; too few verdicts" } else { "" };
        wrap(&escape_text(&format!("{}: {interval}{few}", group.name)), out);
    }
}

/// A name that fills its column. Names come from feeds: what controls a terminal is escaped.
fn padded(name: &str) -> String {
    let name = shortened(&escape_text(name), NAME);
    let spaces = NAME - width(&name);
    format!("{name}{:spaces$}", "")
}

/// Writes a paragraph in lines that fit, the first one less indented.
fn wrap(text: &str, out: &mut String) {
    let mut column = 0;
    for word in text.split(' ') {
        let word = shortened(word, MAX_WORD);
        let width = width(&word);
        if column > 0 && column + 1 + width > WIDTH {
            out.push_str("\n   ");
            column = 3;
        }
        out.push_str(if column == 0 { "  " } else { " " });
        out.push_str(&word);
        column += width + if column == 0 { 2 } else { 1 };
    }
    out.push('\n');
}

fn or_dash(text: Option<String>) -> String {
    text.unwrap_or_else(|| "-".into())
}

/// A count with its noun.
pub(super) fn plural(count: u64, word: &str) -> String {
    match (count, word.strip_suffix('y')) {
        (1, _) => format!("1 {word}"),
        (_, Some(head)) => format!("{count} {head}ies"),
        _ => format!("{count} {word}s"),
    }
}

/// A cost that cannot be distinguished from noise.
pub(super) fn at_most(ns: Interval) -> String {
    format!("≤{}", short(ns.high.max(0.0).round() as u64))
}

/// A share in percent, rounded, in at most four characters: small ones are not rounded to 0, and
/// what is not all is not 100.
pub(super) fn percent(share: Option<f64>) -> String {
    let Some(percent) = share.map(|share| share * 100.0) else { return "-".into() };
    match percent {
        ..=0.0 => "0".into(),
        ..0.1 => "<0.1".into(),
        ..9.95 => format!("{percent:.1}"),
        // A sum of floats may be all and fall short of it by their error.
        ..=ALMOST_ALL => format!("{:.0}", percent.round().min(99.0)),
        _ => "100".into(),
    }
}

/// A count in at most five characters.
pub(super) fn short(count: u64) -> String {
    let scaled = |unit: f64, name: char| {
        let value = count as f64 / unit;
        if value < 10.0 { format!("{value:.1}{name}") } else { format!("{value:.0}{name}") }
    };
    match count {
        0..100_000 => count.to_string(),
        100_000..1_000_000 => scaled(1e3, 'k'),
        1_000_000..1_000_000_000 => scaled(1e6, 'M'),
        _ => scaled(1e9, 'G'),
    }
}

/// The same for a number that may be negative.
pub(super) fn number(value: f64) -> String {
    let value = value.round();
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{}", short(value.abs() as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_fit_their_columns() {
        let all: Vec<_> =
            [7, 99_999, 100_000, 999_999, 1_305_244, 43_200_000, 5_000_000_000].map(short).to_vec();
        assert_eq!(all, ["7", "99999", "100k", "1000k", "1.3M", "43M", "5.0G"]);
        let shares = [None, Some(0.0), Some(0.0004), Some(0.05), Some(0.999), Some(1.0)];
        assert_eq!(shares.map(percent), ["-", "0", "<0.1", "5.0", "99", "100"]);
        let shares = [2.0 / 3.0, 1.0 / 3.0, 0.995, 0.0996, 0.094, 1e-9, 1.0 - 1e-9, 1.0 - 1e-15];
        let percents = ["67", "33", "99", "10", "9.4", "<0.1", "99", "100"];
        assert_eq!(shares.map(|share| percent(Some(share))), percents);
        assert_eq!([2.5, 2.4, -0.4, -7.5].map(number), ["3", "2", "0", "-8"]);
        let mut out = String::new();
        wrap(&"word ".repeat(40), &mut out);
        assert!(out.lines().all(|line| width(line) <= WIDTH), "{out}");
        assert_eq!([plural(1, "entry"), plural(0, "entry")], ["1 entry", "0 entries"]);
        for name in ["a very long name of a feed", "a", "フィードフィードフィード"] {
            assert_eq!(width(&padded(name)), NAME);
        }
        let mut out = String::new();
        wrap(&format!("suppress {} in a", "x".repeat(300)), &mut out);
        assert!(out.lines().all(|line| width(line) <= WIDTH), "{out}");
    }
}
