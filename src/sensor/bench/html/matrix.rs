//! How much of each group the others cover: a grid of shares.

use super::markup::Markup;
use crate::sensor::bench::report::Report;
use crate::sensor::bench::text::{covered, percent};

/// Steps of the scale of shades.
const STEPS: f64 = 10.0;

/// The most groups of which a matrix can be read.
const MAX_GROUPS: usize = 40;

/// Writes the grid. It is a table: each cell has its number, and a shade of one hue.
pub(super) fn write(report: &Report, page: &mut Markup) {
    if report.groups.len() < 2 {
        return;
    }
    page.element("figure", &[("class", "card wide"), ("aria-labelledby", "overlap-name")], |page| {
        page.text_in("h3", &[("id", "overlap-name")], "What the feeds have in common");
        if report.groups.len() > MAX_GROUPS {
            let groups = report.groups.len();
            let text = format!("{groups} groups are too many for a grid: --csv overlap lists the pairs.");
            page.text_in("figcaption", &[], &text);
            return;
        }
        let label = "Percent of each row's entries that each column covers";
        let frame = [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", label)];
        page.element("div", &frame, |page| {
            page.element("table", &[("class", "matrix")], |page| grid(report, label, page));
        });
        page.text_in(
            "figcaption",
            &[],
            "Percent of the row’s live entries that the column covers, by the same entry or a wider one. A \
             strongly coloured cell: the column’s feed could replace that much of the row’s. A dash: nothing to compare.",
        );
    });
}

fn grid(report: &Report, label: &str, page: &mut Markup) {
    page.text_in("caption", &[("class", "unseen")], label);
    page.element("thead", &[], |page| {
        page.element("tr", &[], |page| {
            page.text_in("th", &[("scope", "col"), ("class", "name")], "covered ↓ by →");
            for (number, group) in (1..).zip(&report.groups) {
                page.element("th", &[("scope", "col")], |page| {
                    page.text_in("span", &[("aria-hidden", "true")], &number.to_string());
                    page.text_in("span", &[("class", "unseen")], &group.name);
                });
            }
        });
    });
    page.element("tbody", &[], |page| {
        for (number, group) in (1..).zip(&report.groups) {
            page.element("tr", &[], |page| {
                page.element("th", &[("scope", "row"), ("class", "name")], |page| {
                    page.text_in("b", &[], &number.to_string());
                    page.text(" ");
                    page.text(&group.name);
                });
                for other in &report.groups {
                    let is_self = group.name == other.name;
                    let share = covered(report, group, other);
                    cell(page, share.filter(|_| !is_self), is_self);
                }
            });
        }
    });
}

fn cell(page: &mut Markup, share: Option<f64>, is_self: bool) {
    if is_self {
        page.text_in("td", &[("class", "self")], "·");
        return;
    }
    // Only nothing at all has no shade.
    let step = share.map_or(0.0, |share| (share * STEPS).ceil());
    page.text_in("td", &[("class", &format!("h{step:.0}"))], &percent(share));
}
