//! Events of each group: its own, and those in which others alert, too.

use super::figure::{Figure, Table, WIDTH, short_name};
use super::markup::Markup;
use super::scale::{Scale, px};
use super::words::count;
use crate::sensor::bench::report::{Group, Report};
use crate::sensor::bench::text::plural;
use std::cmp::Reverse;

/// The most bars.
const MAX_BARS: usize = 20;

/// The height of a bar with its name.
const STEP: f64 = 34.0;

pub(super) fn write(report: &Report, page: &mut Markup) {
    let Some(events) = report.set.events else { return };
    let mut groups: Vec<&Group> = report.groups.iter().collect();
    groups.sort_by_key(|group| (Reverse(group.events), Reverse(group.events_exclusive)));
    let mut table = Table::new(&["feed", "events", "its own", "shared", "fair share"], &[]);
    for group in &groups {
        let (all, own) = (group.events.unwrap_or(0), group.events_exclusive.unwrap_or(0));
        let fair = group.events_fair.map_or("–".into(), |fair| format!("{fair:.1}"));
        let row = vec![group.name.clone(), count(all), count(own), count(all - own.min(all)), fair];
        table.rows.push(row);
    }
    let silent = groups.iter().filter(|group| group.events.unwrap_or(0) == 0).count();
    groups.retain(|group| group.events.unwrap_or(0) > 0);
    let shown = groups.len().min(MAX_BARS);
    let (rest, shown) = (groups.len() - shown, &groups[..shown]);
    let hidden = match rest {
        0 => String::new(),
        1 => " 1 more has fewer.".into(),
        rest => format!(" {rest} more have fewer."),
    };
    let caption = format!(
        "Records with an alert, of {} in all. Solid: only this feed alerts, and without it the event is \
         lost. Striped: another feed alerts in the same record. The numbers are its own and all. {} found \
         nothing.{hidden}",
        count(events),
        plural(silent as u64, "feed")
    );
    let description = shown.first().map_or("No feed found anything.".into(), |first| {
        format!(
            "{} has most events: {}, of which {} are its own.",
            first.name,
            count(first.events.unwrap_or(0)),
            count(first.events_exclusive.unwrap_or(0))
        )
    });
    let figure = Figure {
        id: "events",
        title: "What each feed finds",
        caption: &caption,
        description: &description,
        height: 14.0 + STEP * shown.len().max(1) as f64,
    };
    figure.write(page, &table, |page| draw(shown, page));
}

fn draw(groups: &[&Group], page: &mut Markup) {
    page.element("defs", &[], |page| {
        let pattern = [
            ("id", "stripes"),
            ("width", "6"),
            ("height", "6"),
            ("patternUnits", "userSpaceOnUse"),
            ("patternTransform", "rotate(45)"),
        ];
        page.element("pattern", &pattern, |page| {
            page.empty("rect", &[("width", "6"), ("height", "6"), ("class", "stripe-gap")]);
            page.empty("rect", &[("width", "3"), ("height", "6"), ("class", "stripe")]);
        });
    });
    let most = groups.iter().filter_map(|group| group.events).max().unwrap_or(1);
    let scale = Scale::linear((0.0, most as f64), (0.0, WIDTH - 2.0));
    if groups.is_empty() {
        page.text_in("text", &[("x", "0"), ("y", "24"), ("class", "label")], "no event");
    }
    for (row, group) in groups.iter().enumerate() {
        let top = STEP * row as f64;
        let (all, own) = (group.events.unwrap_or(0), group.events_exclusive.unwrap_or(0));
        let name = short_name(&group.name, 34);
        let (y, below) = (px(top + 13.0), px(top + 18.0));
        page.text_in("text", &[("x", "0"), ("y", &y), ("class", "label")], &name);
        let figures = format!("{} / {}", count(own), count(all));
        let place = [("x", &*px(WIDTH)), ("y", &y), ("class", "value"), ("text-anchor", "end")];
        page.text_in("text", &place, &figures);
        let (split, end) = (scale.place(own as f64), scale.place(all as f64));
        let bar = |x: f64, width: f64, class: &'static str, page: &mut Markup| {
            if width > 0.0 {
                let (x, width) = (px(x), px(width.max(0.5)));
                let bar = [
                    ("x", &*x),
                    ("y", &below),
                    ("width", &width),
                    ("height", "10"),
                    ("class", class),
                ];
                page.empty("rect", &bar);
            }
        };
        bar(0.0, split, "own", page);
        bar(split, end - split, "shared", page);
    }
}
