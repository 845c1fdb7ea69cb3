//! What groups cost against what only they find.

use super::figure::{Figure, LEFT, RIGHT, Table, mark, short_name, x_axis, y_axis};
use super::markup::Markup;
use super::scale::{Scale, px};
use super::words::{count, interval};
use crate::sensor::bench::report::{Group, Report};
use crate::sensor::bench::text::short;

const HEIGHT: f64 = 300.0;
const TOP: f64 = 20.0;
const BOTTOM: f64 = HEIGHT - 36.0;

/// The width of a character of a label, roughly.
const CHARACTER: f64 = 5.6;

/// A group with a cost and events.
struct Point<'r> {
    group: &'r Group,
    cost: f64,
    events: f64,
    is_below: bool,
}

pub(super) fn write(report: &Report, page: &mut Markup) {
    let Some(cost) = report.cost.as_ref().filter(|cost| !cost.unreliable) else { return };
    let points: Vec<Point<'_>> = report.groups.iter().filter_map(point).collect();
    if points.is_empty() {
        return;
    }
    let mut table = Table::new(
        &["feed", "ns per MiB", "share of time", "own events", "size without it", "alone"],
        &[],
    );
    for group in &report.groups {
        let Some(of_group) = &group.cost else { continue };
        let share = of_group.ns_per_mib.zip(cost.ns_per_mib);
        let share =
            share.map_or("–".into(), |(a, b)| format!("{:.1}%", a.median / b.median * 100.0));
        let bytes = |bytes: Option<i64>| bytes.map_or("–".into(), |bytes| format!("{bytes} B"));
        table.rows.push(vec![
            group.name.clone(),
            interval(of_group.ns_per_mib, of_group.below_noise),
            share,
            group.events_exclusive.map_or("–".into(), count),
            bytes(of_group.bytes_marginal.map(|bytes| -bytes)),
            bytes(of_group.bytes_alone.and_then(|bytes| i64::try_from(bytes).ok())),
        ]);
    }
    let below = points.iter().filter(|point| point.is_below).count();
    let caption = format!(
        "To the right: more processor time. Up: more events that only this feed finds. Top left earns its \
         place, bottom right costs and finds nothing. Circles are measured; {below} triangles are below the \
         noise and cost at most as much as shown. Both axes are logarithmic."
    );
    let dearest = points.iter().filter(|point| !point.is_below);
    let dearest = dearest.max_by(|a, b| a.cost.total_cmp(&b.cost));
    let description = dearest.map_or("No feed costs more than noise.".into(), |dearest| {
        format!(
            "{} costs most: {} nanoseconds per MiB, with {} events of its own.",
            dearest.group.name,
            count(dearest.cost as u64),
            count(dearest.events as u64)
        )
    });
    let figure = Figure {
        id: "cost",
        title: "Cost against value",
        caption: &caption,
        description: &description,
        height: HEIGHT,
    };
    figure.write(page, &table, |page| draw(&points, page));
}

/// A group as a point; what is below the noise is where its interval ends.
fn point(group: &Group) -> Option<Point<'_>> {
    let cost = group.cost.as_ref()?;
    let (ns, is_below) = (cost.ns_per_mib?, cost.below_noise? || cost.ns_per_mib?.median <= 0.0);
    let events = group.events_exclusive? as f64;
    Some(Point { group, cost: if is_below { ns.high } else { ns.median }, events, is_below })
}

fn draw(points: &[Point<'_>], page: &mut Markup) {
    let costs = points.iter().map(|point| point.cost.max(1.0));
    let least = costs.clone().fold(f64::INFINITY, f64::min);
    let x = Scale::log((least, costs.fold(1.0, f64::max)), (LEFT + 8.0, RIGHT - 4.0));
    let most = points.iter().map(|point| point.events).fold(1.0, f64::max);
    // A logarithm has no zero: a line of its own at the bottom stands for it.
    let y = Scale::log((1.0, most), (BOTTOM - 26.0, TOP + 6.0));
    x_axis(page, &x, (TOP, BOTTOM), "nanoseconds per MiB", |tick| short(tick as u64));
    y_axis(page, &y, "own events", |tick| short(tick as u64));
    let none =
        [("x", &*px(LEFT - 5.0)), ("y", &px(BOTTOM)), ("class", "tick"), ("text-anchor", "end")];
    page.text_in("text", &none, "0");
    let zero = [
        ("x1", &*px(LEFT)),
        ("x2", &px(RIGHT)),
        ("y1", &px(BOTTOM - 4.0)),
        ("y2", &px(BOTTOM - 4.0)),
    ];
    page.empty("line", &[&zero[..], &[("class", "grid")]].concat());
    let place = |point: &Point<'_>| {
        let up = if point.events > 0.0 { y.place(point.events) } else { BOTTOM - 4.0 };
        (x.place(point.cost.max(1.0)), up)
    };
    for point in points {
        let (at, series) = (place(point), usize::from(point.is_below));
        mark(page, series, at, if point.is_below { "hollow" } else { "mark" });
    }
    labels(points, place, page);
}

/// Writes names next to their points where nothing else is; the table has all of them.
fn labels<'p>(
    points: &'p [Point<'p>],
    place: impl Fn(&Point<'p>) -> (f64, f64),
    page: &mut Markup,
) {
    let mut taken: Vec<[f64; 4]> =
        points.iter().map(&place).map(|(x, y)| [x - 5.0, y - 5.0, x + 5.0, y + 5.0]).collect();
    for point in points {
        let (x, y) = place(point);
        let name = short_name(&point.group.name, 18);
        let width = name.chars().count() as f64 * CHARACTER;
        let boxes = [(7.0, 0.0), (-7.0 - width, 0.0), (-width / 2.0, -12.0), (-width / 2.0, 12.0)]
            .map(|(dx, dy)| [x + dx, y + dy - 5.0, x + dx + width, y + dy + 5.0]);
        let is_free = |at: &&[f64; 4]| {
            let is_inside = at[0] >= LEFT
                && at[2] <= RIGHT + 8.0
                && at[1] >= TOP - 8.0
                && at[3] <= BOTTOM + 4.0;
            is_inside
                && !taken
                    .iter()
                    .any(|it| it[0] < at[2] && at[0] < it[2] && it[1] < at[3] && at[1] < it[3])
        };
        if let Some(at) = boxes.iter().find(is_free).copied() {
            let attributes = [("x", &*px(at[0])), ("y", &px(at[3] - 1.5)), ("class", "name")];
            page.text_in("text", &attributes, &name);
            taken.push(at);
        }
    }
}
