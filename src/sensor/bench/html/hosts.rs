//! How many hosts each indicator reached, and where that is more than compromise explains.

use super::figure::{Figure, LEFT, RIGHT, Table, mark, x_axis};
use super::markup::Markup;
use super::scale::{Scale, px};
use super::words::{count, percent_of};
use crate::sensor::bench::chance::tail;
use crate::sensor::bench::findings::{FEW_HOSTS, UNLIKELY};
use crate::sensor::bench::report::{IndicatorFacts, Report};
use crate::sensor::bench::text::percent;

const HEIGHT: f64 = 170.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = HEIGHT - 36.0;

/// Rows of the table.
const MAX_ROWS: usize = 40;

pub(super) fn write(report: &Report, page: &mut Markup) {
    let all = report.corpus.as_ref().and_then(|corpus| corpus.hosts);
    let Some(all) = all.filter(|all| *all > 0) else { return };
    let reached = |it: &IndicatorFacts| {
        let (hosts, of) = (it.p_hosts.or(it.hosts)?, it.p_of.unwrap_or(all));
        (hosts > 0 && of > 0).then_some((hosts, of))
    };
    let mut indicators: Vec<(&IndicatorFacts, (u64, u64))> =
        report.indicators.iter().filter_map(|it| Some((it, reached(it)?))).collect();
    indicators.sort_by(|(_, a), (_, b)| (b.0 * a.1).cmp(&(a.0 * b.1)));
    let Some((most, (most_hosts, of))) = indicators.first().copied() else { return };
    let mut table =
        Table::new(&["indicator", "hosts", "share", "chance", "flags", "feeds"], &[4, 5]);
    for (it, (hosts, all)) in indicators.iter().take(MAX_ROWS) {
        table.rows.push(vec![
            it.value.clone(),
            format!("{hosts} of {all}"),
            percent_of(*hosts, *all),
            it.p.map_or("–".into(), |p| format!("{p:.2e}")),
            it.flags.join(", "),
            it.groups.join(", "),
        ]);
    }
    let line = report.set.prevalence.and_then(|rate| flag_line(of, rate));
    let limit = line.map_or("No number of hosts is out of the ordinary here.".into(), |line| {
        format!("From the line on ({line} hosts) compromise alone is an unlikely reason.")
    });
    let caption = format!(
        "Each mark is an indicator that alerted, by the share of hosts that it reached, of those that began a \
         contact if the logs say who did. {limit} Diamonds are flagged: likely a service that everybody uses."
    );
    let description = format!("{} reached most hosts: {most_hosts} of {of}.", most.value);
    let figure = Figure {
        id: "hosts",
        title: "How many hosts an indicator reached",
        caption: &caption,
        description: &description,
        height: HEIGHT,
    };
    figure.write(page, &table, |page| draw(&indicators, (of, line), page));
}

/// The smallest number of hosts that is flagged.
fn flag_line(all: u64, rate: f64) -> Option<u64> {
    // The chance falls with the number, so the first one is searched by halves.
    let is_flagged = |hosts: u64| tail(all, hosts, rate) < UNLIKELY;
    if all < FEW_HOSTS || !is_flagged(all) {
        return None;
    }
    let (mut low, mut high) = (FEW_HOSTS, all);
    while low < high {
        let middle = low + (high - low) / 2;
        if is_flagged(middle) { high = middle } else { low = middle + 1 }
    }
    Some(low)
}

fn draw(
    indicators: &[(&IndicatorFacts, (u64, u64))],
    (all, line): (u64, Option<u64>),
    page: &mut Markup,
) {
    let x = Scale::linear((0.0, 1.0), (LEFT - 30.0, RIGHT - 6.0));
    x_axis(page, &x, (TOP, BOTTOM), "share of hosts", |tick| percent(Some(tick)) + "%");
    if let Some(line) = line {
        let at = px(x.place(line as f64 / all as f64));
        page.empty(
            "line",
            &[
                ("x1", &at),
                ("x2", &at),
                ("y1", &px(TOP - 6.0)),
                ("y2", &px(BOTTOM)),
                ("class", "limit"),
            ],
        );
        let is_right = line * 2 > all;
        let anchor = if is_right { "end" } else { "start" };
        let place = [("x", &*at), ("y", "12"), ("class", "axis"), ("text-anchor", anchor)];
        page.text_in("text", &place, &format!("flagged from {} hosts", count(line)));
    }
    // Those with equal shares are spread over rows, in a fixed order.
    let rows = 6.0;
    for (number, (it, (hosts, of))) in indicators.iter().enumerate() {
        let share = *hosts as f64 / *of as f64;
        let row = (number % rows as usize) as f64;
        let y = TOP + 8.0 + row * (BOTTOM - TOP - 16.0) / (rows - 1.0);
        let is_flagged = it.flags.iter().any(|flag| flag.starts_with("prevalent"));
        mark(page, if is_flagged { 3 } else { 0 }, (x.place(share), y), "mark");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_where_flags_begin() {
        for (all, rate) in [(12, 0.05), (146, 0.05), (1000, 0.2)] {
            let line = flag_line(all, rate).unwrap();
            assert!(tail(all, line, rate) < UNLIKELY);
            assert!(line == FEW_HOSTS || tail(all, line - 1, rate) >= UNLIKELY);
        }
        assert_eq!(flag_line(2, 0.05), None);
        assert_eq!(flag_line(3, 0.9), None);
    }
}
