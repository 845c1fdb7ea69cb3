//! The page from top to bottom.

use super::figure::Table;
use super::markup::Markup;
use super::words::{caveats, count, decisions, interval, percent_of, size};
use super::{ages, bars, hosts, matrix, scatter};
use crate::sensor::bench::groups::GroupBy;
use crate::sensor::bench::report::{Group, IndicatorFacts, Report};
use crate::sensor::bench::text::{percent, withheld};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// The style sheet.
const STYLE: &str = include_str!("style.css");

/// Rows of the table of indicators.
const MAX_INDICATORS: usize = 50;

/// Formats a report as a page of its own: one file without scripts, which loads nothing.
pub fn html(report: &Report) -> String {
    let mut page = Markup::document();
    page.element("html", &[("lang", "en")], |page| {
        page.element("head", &[], head);
        page.element("body", &[], |page| {
            page.element("header", &[], |page| title(report, page));
            page.element("main", &[], |page| {
                verdict(report, page);
                figures(report, page);
                charts(report, page);
                groups(report, page);
                indicators(report, page);
            });
            page.element("footer", &[], |page| footer(report, page));
        });
    });
    page.into_string()
}

fn head(page: &mut Markup) {
    page.empty("meta", &[("charset", "utf-8")]);
    let digest = STANDARD.encode(Sha256::digest(STYLE));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    );
    page.empty("meta", &[("http-equiv", "Content-Security-Policy"), ("content", &policy)]);
    page.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    page.empty("meta", &[("name", "referrer"), ("content", "no-referrer")]);
    page.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    page.text_in("title", &[], "Rule set report · wiresift bench");
    page.style(STYLE);
}

fn title(report: &Report, page: &mut Markup) {
    page.text_in("p", &[("class", "over")], "wiresift bench");
    page.text_in("h1", &[], "What the rule set is worth");
    let set = &report.set;
    let groups = if report.by == GroupBy::Feed { "feeds" } else { "collections" };
    let live = format!("{} {groups}, {} live entries", count(set.groups), count(set.live));
    let day = |time: &str| time.get(..10).unwrap_or(time).to_string();
    let corpus = report.corpus.as_ref().map(|corpus| {
        let time = match (&corpus.begin, &corpus.end) {
            (Some(begin), Some(end)) => format!(", {} to {}", day(begin), day(end)),
            _ => String::new(),
        };
        format!(", matched against {} records{time}", count(corpus.records))
    });
    let text = format!("{live}{}. Judged as of {}.", corpus.unwrap_or_default(), day(&report.at));
    page.text_in("p", &[("class", "lead")], &text);
}

/// What to do, for people who read no further.
fn verdict(report: &Report, page: &mut Markup) {
    page.element("section", &[("aria-labelledby", "decision"), ("class", "decision")], |page| {
        page.text_in("h2", &[("id", "decision")], "What to do");
        let decisions = decisions(report);
        if decisions.is_empty() {
            let text = "Without logs or captures nothing can be recommended: the page shows what the feeds \
                        contain and have in common.";
            page.text_in("p", &[], text);
        }
        page.element("ul", &[("class", "decisions")], |page| {
            for decision in &decisions {
                page.element("li", &[("class", decision.class)], |page| {
                    page.text_in("h3", &[], &decision.title);
                    page.text_in("p", &[], &decision.text);
                });
            }
        });
        let caveats = caveats(report);
        if !caveats.is_empty() {
            page.element("details", &[("open", "")], |page| {
                page.text_in("summary", &[], "Before you act");
                page.element("ul", &[], |page| {
                    caveats.iter().for_each(|caveat| page.text_in("li", &[], caveat));
                });
            });
        }
    });
}

/// The numbers that everybody asks for.
fn figures(report: &Report, page: &mut Markup) {
    let set = &report.set;
    let rate = |rate: Option<f64>| rate.map(|rate| format!("{rate:.1}"));
    let time =
        report.cost.as_ref().filter(|cost| !cost.unreliable).and_then(|cost| cost.ns_per_mib);
    // A second has a billion nanoseconds.
    let speed = time.map(|cost| format!("{:.0} MiB/s", 1e9 / cost.median.max(1.0)));
    let tiles = [
        ("alerts a day", rate(set.alerts_per_day)),
        ("of them risky", rate(set.risky_per_day)),
        ("events", set.events.map(count)),
        ("hosts in them", set.hosts.map(count)),
        ("indicators that hit", set.indicators_hit.map(count)),
        ("one thread scans", speed),
        ("size of the database", Some(size(report.database.bytes))),
    ];
    page.element("section", &[("aria-label", "The set in numbers")], |page| {
        page.element("dl", &[("class", "tiles")], |page| {
            for (name, value) in tiles {
                let Some(value) = value else { continue };
                page.element("div", &[], |page| {
                    page.text_in("dt", &[], name);
                    page.text_in("dd", &[], &value);
                });
            }
        });
    });
}

fn charts(report: &Report, page: &mut Markup) {
    page.element("section", &[("aria-labelledby", "charts")], |page| {
        page.text_in("h2", &[("id", "charts")], "The feeds compared");
        page.element("div", &[("class", "cards")], |page| {
            bars::write(report, page);
            scatter::write(report, page);
            ages::survival(report, page);
            ages::timeline(report, page);
            hosts::write(report, page);
            matrix::write(report, page);
        });
    });
}

fn groups(report: &Report, page: &mut Markup) {
    let mut table = Table::new(
        &[
            "feed",
            "values",
            "live",
            "exclusive",
            "events",
            "own events",
            "hosts",
            "risky",
            "median age",
            "ns per MiB",
            "size",
        ],
        &[],
    );
    let is_known = report.cost.as_ref().is_some_and(|cost| !cost.unreliable);
    table.rows.extend(report.groups.iter().map(|group| row(group, is_known)));
    page.element("section", &[("aria-labelledby", "groups"), ("class", "card")], |page| {
        page.text_in("h2", &[("id", "groups")], "All feeds");
        table.write("Table of all feeds", page);
        let withheld = withheld(report);
        if !withheld.is_empty() {
            page.element("ul", &[("class", "withheld")], |page| {
                withheld.iter().for_each(|line| page.text_in("li", &[], line));
            });
        }
        let kinds = report.cost.as_ref().filter(|_| is_known).and_then(|cost| cost.kinds.as_ref());
        let Some(kinds) = kinds else { return };
        let mut table = Table::new(&["feed", "kind", "values", "alerts", "ns per MiB"], &[1]);
        for kind in kinds {
            table.rows.push(vec![
                kind.group.clone(),
                kind.kind.clone(),
                count(kind.values),
                count(kind.alerts),
                interval(kind.ns_per_mib, kind.below_noise),
            ]);
        }
        page.text_in("h2", &[], "What kinds of indicators cost");
        table.write("Table of the cost of kinds", page);
    });
}

fn row(group: &Group, is_cost_known: bool) -> Vec<String> {
    let some = |value: Option<u64>| value.map_or("–".into(), count);
    let share = |share: Option<f64>| share.map_or("–".into(), |it| percent(Some(it)) + "%");
    let cost = group.cost.as_ref();
    let ns = cost
        .filter(|_| is_cost_known)
        .map_or("–".into(), |it| interval(it.ns_per_mib, it.below_noise));
    let bytes = cost.and_then(|cost| cost.bytes_marginal).and_then(|it| u64::try_from(it).ok());
    vec![
        group.name.clone(),
        count(group.values),
        count(group.live),
        share(group.exclusive_share),
        some(group.events),
        some(group.events_exclusive),
        some(group.hosts),
        share(group.risky_share),
        group.age.p50.map_or("–".into(), |days| count(days.round() as u64) + " d"),
        ns,
        bytes.map_or("–".into(), size),
    ]
}

fn indicators(report: &Report, page: &mut Markup) {
    if report.indicators.is_empty() {
        return;
    }
    let is_flagged = |it: &&IndicatorFacts| !it.flags.is_empty();
    let flagged: Vec<_> = report.indicators.iter().filter(is_flagged).collect();
    let others = report.indicators.iter().filter(|it| !is_flagged(it));
    let shown: Vec<_> = flagged.iter().copied().chain(others).take(MAX_INDICATORS).collect();
    let all = report.corpus.as_ref().and_then(|corpus| corpus.hosts).unwrap_or(0);
    let mut table = Table::new(
        &["indicator", "kind", "scope", "why", "alerts", "hosts", "feeds"],
        &[1, 2, 3, 6],
    );
    for it in &shown {
        let rank = it.rank.map_or(String::new(), |rank| format!(" (rank {})", count(rank)));
        let lists =
            if it.lists.is_empty() { String::new() } else { format!(": {}", it.lists.join(", ")) };
        let why = if it.flags.is_empty() {
            "–".into()
        } else {
            format!("{}{rank}{lists}", it.flags.join(", "))
        };
        let hosts =
            it.hosts.map_or("–".into(), |hosts| format!("{hosts} ({})", percent_of(hosts, all)));
        let alerts = it.alerts.map_or("–".into(), count);
        table.rows.push(vec![
            it.value.clone(),
            it.kind.clone(),
            it.scope.clone(),
            why,
            alerts,
            hosts,
            it.groups.join(", "),
        ]);
    }
    page.element("section", &[("aria-labelledby", "indicators"), ("class", "card")], |page| {
        page.text_in("h2", &[("id", "indicators")], "Indicators to look at");
        let text = format!(
            "{} are flagged; a flag is not a verdict. {} of {} are shown: --format json has more.",
            count(flagged.len() as u64),
            shown.len(),
            count(report.indicators.len() as u64 + report.indicators_left_out)
        );
        page.text_in("p", &[], &text);
        table.write("Table of indicators", page);
    });
}

fn footer(report: &Report, page: &mut Markup) {
    let built = report.database.built.get(..10).unwrap_or(&report.database.built);
    let text = format!("Database {}, built {built}.", report.database.id);
    page.text_in("p", &[], &text);
    if let Some(cost) = &report.cost {
        let text = format!(
            "Costs: {} rounds over {} of logs, one thread, processor time, {}.",
            cost.rounds,
            size(cost.bytes),
            cost.machine
        );
        page.text_in("p", &[], &text);
    }
}
