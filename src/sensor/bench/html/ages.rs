//! How old the entries of groups are, and when they came.

use super::figure::{Figure, LEFT, RIGHT, SERIES, Table, mark, short_name, x_axis, y_axis};
use super::markup::Markup;
use super::scale::{Scale, px};
use super::words::count;
use crate::sensor::bench::report::{Group, Report};
use crate::sensor::bench::text::percent;
use std::cmp::Reverse;
use std::collections::BTreeMap;

const HEIGHT: f64 = 240.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = HEIGHT - 36.0;

/// Months of the timeline; what is older is in one bar.
const MONTHS: usize = 24;

/// The share of dated live entries that are at least so old, for each number of days.
fn shares(group: &Group) -> Option<Vec<(f64, f64)>> {
    let dated = group.live as f64 * (1.0 - group.age.undated?);
    if dated < 0.5 {
        return None;
    }
    let of =
        |it: &crate::sensor::bench::report::Survival| (it.days as f64, it.entries as f64 / dated);
    Some(group.age.survival.iter().map(of).map(|(days, share)| (days, share.min(1.0))).collect())
}

/// The survival curve of ages.
pub(super) fn survival(report: &Report, page: &mut Markup) {
    let mut groups: Vec<(&Group, Vec<(f64, f64)>)> =
        report.groups.iter().filter_map(|group| Some((group, shares(group)?))).collect();
    if groups.is_empty() {
        let text = "No entry has a date: nothing is known of how old they are.";
        page.text_in("p", &[("class", "card note")], text);
        return;
    }
    groups.sort_by_key(|(group, _)| Reverse(group.live));
    let days = |days: Option<f64>| days.map_or("–".into(), |days| count(days.round() as u64));
    let share = |share: Option<f64>| share.map_or("–".into(), |it| percent(Some(it)) + "%");
    let mut table = Table::new(
        &["feed", "median days", "90% under", "without a date", "decayed", "over 1 year"],
        &[],
    );
    for (group, shares) in &groups {
        let old = shares.iter().find(|(days, _)| *days == 365.0).map(|(_, share)| *share);
        let (p50, p90) = (days(group.age.p50), days(group.age.p90));
        let row = vec![
            group.name.clone(),
            p50,
            p90,
            share(group.age.undated),
            share(group.decayed),
            share(old),
        ];
        table.rows.push(row);
    }
    let more = groups.len().saturating_sub(SERIES);
    let more = if more > 0 {
        format!(" The {more} smaller ones are in the table.")
    } else {
        String::new()
    };
    let caption = format!(
        "The share of dated live entries that is at least so many days old. A line that stays high is a feed \
         of old entries; one that falls early is fresh.{more}"
    );
    let description = groups.iter().take(SERIES).map(|(group, _)| {
        format!("{}: half are older than {} days", group.name, days(group.age.p50))
    });
    let description = description.collect::<Vec<_>>().join("; ");
    let shown = groups.len().min(SERIES);
    let figure = Figure {
        id: "ages",
        title: "How old the entries are",
        caption: &caption,
        description: &description,
        height: HEIGHT + 18.0 * shown as f64,
    };
    figure.write(page, &table, |page| curves(&groups[..shown], page));
}

fn curves(groups: &[(&Group, Vec<(f64, f64)>)], page: &mut Markup) {
    let x = Scale::log((1.0, 2000.0), (LEFT, RIGHT));
    let y = Scale::linear((0.0, 1.0), (BOTTOM, TOP));
    x_axis(page, &x, (TOP, BOTTOM), "days", |tick| format!("{tick:.0}"));
    y_axis(page, &y, "still so old", |tick| format!("{:.0}%", tick * 100.0));
    for (series, (group, shares)) in groups.iter().enumerate() {
        let points = shares.iter().map(|(days, share)| (x.place(*days), y.place(*share)));
        let path: Vec<String> =
            points.clone().map(|(x, y)| format!("{},{}", px(x), px(y))).collect();
        let class = format!("curve l{series}");
        page.empty("polyline", &[("points", &path.join(" ")), ("class", &class)]);
        // Marks of different series are at different days, so that they do not hide each other.
        for at in points.skip(series % 3).step_by(3) {
            mark(page, series, at, "mark");
        }
        let key = HEIGHT + 10.0 + 18.0 * series as f64;
        mark(page, series, (LEFT, key - 4.0), "mark");
        let place = [("x", &*px(LEFT + 12.0)), ("y", &px(key)), ("class", "label")];
        page.text_in("text", &place, &short_name(&group.name, 40));
    }
}

/// When entries were first seen.
pub(super) fn timeline(report: &Report, page: &mut Markup) {
    let mut months: BTreeMap<&str, u64> = BTreeMap::new();
    for seen in report.groups.iter().flat_map(|group| &group.age.first_seen) {
        *months.entry(&seen.month).or_default() += seen.entries;
    }
    let Some((last, _)) = months.last_key_value() else { return };
    let Some(last) = number(last) else { return };
    let first = last - (MONTHS as i32 - 1);
    let mut bars = vec![0u64; MONTHS];
    let mut earlier = 0;
    let mut table = Table::new(&["month", "entries"], &[]);
    for (month, entries) in months.iter().rev() {
        table.rows.push(vec![(*month).to_string(), count(*entries)]);
        let place = number(month).and_then(|month| usize::try_from(month - first).ok());
        match place.and_then(|place| bars.get_mut(place)) {
            Some(bar) => *bar += entries,
            None => earlier += entries,
        }
    }
    let caption = format!(
        "Entries by the month in which their feed first saw them, the last {MONTHS} months; {} are older. An \
         entry in two feeds counts twice.",
        count(earlier)
    );
    let most = bars.iter().zip(first..).max_by_key(|(entries, _)| **entries);
    let description = most.map_or(String::new(), |(entries, month)| {
        format!("Most came in {}: {}.", name(month), count(*entries))
    });
    let figure = Figure {
        id: "seen",
        title: "When the entries came",
        caption: &caption,
        description: &description,
        height: HEIGHT,
    };
    figure.write(page, &table, |page| months_drawn(&bars, first, page));
}

fn months_drawn(bars: &[u64], first: i32, page: &mut Markup) {
    let most = bars.iter().copied().max().unwrap_or(1).max(1);
    let y = Scale::linear((0.0, most as f64), (BOTTOM, TOP));
    y_axis(page, &y, "entries", |tick| crate::sensor::bench::text::short(tick as u64));
    let step = (RIGHT - LEFT) / bars.len() as f64;
    for (number, (entries, month)) in bars.iter().zip(first..).enumerate() {
        let (x, top) = (LEFT + step * number as f64, y.place(*entries as f64));
        let (left, width) = (px(x + 1.0), px(step - 2.0));
        let bar = [
            ("x", &*left),
            ("y", &px(top)),
            ("width", &width),
            ("height", &px(BOTTOM - top)),
            ("class", "own"),
        ];
        page.empty("rect", &bar);
        if number % 6 == 0 {
            let place = [("x", &*px(x)), ("y", &px(BOTTOM + 13.0)), ("class", "tick")];
            page.text_in("text", &place, &name(month));
        }
    }
}

/// A month as year × 12 + month − 1.
fn number(month: &str) -> Option<i32> {
    let (year, month) = month.rsplit_once('-')?;
    Some(year.parse::<i32>().ok()?.checked_mul(12)? + month.parse::<i32>().ok()? - 1)
}

fn name(month: i32) -> String {
    crate::sensor::bench::table::month_text(month)
}
