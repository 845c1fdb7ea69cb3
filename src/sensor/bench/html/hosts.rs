//! How many hosts each indicator reached, and where that is more than compromise explains.

use super::figure::{Figure, LEFT, RIGHT, Table, mark, x_axis};
use super::markup::Markup;
use super::scale::{Scale, px};
use super::words::{count, percent_of};
use crate::sensor::bench::chance::tail;
use crate::sensor::bench::findings::{FEW_HOSTS, UNLIKELY};
use crate::sensor::bench::report::{IndicatorFacts, Report};
use crate::sensor::bench::text::percent;

const HEIGHT: f64 = 182.0;
const TOP: f64 = 36.0;
const BOTTOM: f64 = HEIGHT - 36.0;

/// Rows of the table.
const MAX_ROWS: usize = 40;

pub(super) fn write(report: &Report, page: &mut Markup) {
    let Some(corpus) = report.corpus.as_ref().filter(|corpus| corpus.hosts > Some(0)) else {
        return;
    };
    let all = corpus.hosts.unwrap_or(0);
    let reached = |it: &IndicatorFacts| {
        let (hosts, of) = (it.p_hosts.or(it.hosts)?, it.p_of.unwrap_or(all));
        (hosts > 0 && of > 0).then_some((hosts, of))
    };
    let mut indicators: Vec<Reached<'_>> =
        report.indicators.iter().filter_map(|it| Some((it, reached(it)?))).collect();
    indicators.sort_by(|(_, a), (_, b)| (b.0 * a.1).cmp(&(a.0 * b.1)));
    let Some((most, (most_hosts, of))) = indicators.first().copied() else { return };
    // Where the logs say who began a contact, those that began any are the hosts that count.
    let which = |of: u64| match corpus.hosts_began {
        Some(began) if began == of && began != all => " that began a contact",
        _ => "",
    };
    let mut table = Table::new(
        &["indicator", "reached", "of the hosts", "share", "chance", "flags", "feeds"],
        &[5, 6],
    );
    for (it, (hosts, of)) in indicators.iter().take(MAX_ROWS) {
        table.rows.push(vec![
            it.value.clone(),
            hosts.to_string(),
            format!("{of}{}", which(*of)),
            percent_of(*hosts, *of),
            it.p.map_or("–".into(), |p| format!("{p:.2e}")),
            it.flags.join(", "),
            it.groups.join(", "),
        ]);
    }
    let limits = limits(&indicators, report.set.prevalence);
    let lines =
        limits.iter().map(|Limit { line, of }| format!("{line} of {of} hosts{}", which(*of)));
    let limit = match lines.collect::<Vec<_>>() {
        lines if lines.is_empty() => "No number of hosts is out of the ordinary here.".to_string(),
        lines => format!(
            "From the line on ({}) compromise alone is an unlikely reason.",
            lines.join("; ")
        ),
    };
    let caption = format!(
        "Each mark is an indicator that alerted, by the share of hosts that it reached: of all hosts, or of those \
         that began a contact if its records say who did. {limit} Diamonds are flagged: likely a service that \
         everybody uses."
    );
    let description =
        format!("{} reached most hosts: {most_hosts} of {of}{}.", most.value, which(of));
    let figure = Figure {
        id: "hosts",
        title: "How many hosts an indicator reached",
        caption: &caption,
        description: &description,
        height: HEIGHT,
    };
    figure.write(page, &table, |page| draw(&indicators, &limits, page));
}

/// An indicator, how many hosts it reached, and of how many.
type Reached<'r> = (&'r IndicatorFacts, (u64, u64));

/// Where flags begin for indicators that are judged by so many hosts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Limit {
    line: u64,
    of: u64,
}

/// A limit for each number of hosts by which indicators are judged: there are at most two.
fn limits(indicators: &[Reached<'_>], rate: Option<f64>) -> Vec<Limit> {
    let mut of: Vec<u64> = indicators.iter().map(|(_, (_, of))| *of).collect();
    of.sort_unstable();
    of.dedup();
    let limit = |of: u64| Some(Limit { line: flag_line(of, rate?)?, of });
    of.into_iter().filter_map(limit).collect()
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

fn draw(indicators: &[Reached<'_>], limits: &[Limit], page: &mut Markup) {
    let x = Scale::linear((0.0, 1.0), (LEFT - 30.0, RIGHT - 6.0));
    x_axis(page, &x, (TOP, BOTTOM), "share of hosts", |tick| percent(Some(tick)) + "%");
    for (number, Limit { line, of }) in limits.iter().enumerate() {
        let share = *line as f64 / *of as f64;
        let at = px(x.place(share));
        let lines = [
            ("x1", &*at),
            ("x2", &at),
            ("y1", &px(TOP - 6.0)),
            ("y2", &px(BOTTOM)),
            ("class", "limit"),
        ];
        page.empty("line", &lines);
        let anchor = if share > 0.5 { "end" } else { "start" };
        // The texts of two lines that are close are one below the other.
        let y = px(12.0 + 12.0 * number as f64);
        let place = [("x", &*at), ("y", &y), ("class", "axis"), ("text-anchor", anchor)];
        page.text_in("text", &place, &format!("flagged from {} of {of} hosts", count(*line)));
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

    #[test]
    fn each_number_of_hosts_has_its_own_line() {
        let it = IndicatorFacts::default();
        let reached = [(&it, (5, 146)), (&it, (7, 215)), (&it, (1, 146))];
        let of = |of| Limit { line: flag_line(of, 0.05).unwrap(), of };
        assert_eq!(limits(&reached, Some(0.05)), [of(146), of(215)]);
        assert!(of(146).line < of(215).line);
        assert_eq!(limits(&reached, None), []);
    }
}
