//! Charts: drawings made by the server, with a table of the same numbers behind each.

use super::table::{Column, table};
use crate::exchange::page::visit::Visit;
use maud::{Markup, html};

/// A bar.
pub(in crate::exchange::page) struct Bar {
    /// What it is about.
    pub(in crate::exchange::page) name: String,
    /// How much.
    pub(in crate::exchange::page) count: u64,
}

/// The height of a drawing.
const HEIGHT: u64 = 60;

/// The width of a bar with its gap.
const STEP: usize = 12;

/// Bars side by side.
pub(in crate::exchange::page) fn bars(
    visit: &Visit<'_>,
    (title, heads): (&str, [String; 2]),
    all: &[Bar],
) -> Markup {
    let most = all.iter().map(|bar| bar.count).max().unwrap_or(0).max(1);
    let width = all.len() * STEP;
    let rows = all
        .iter()
        .map(|bar| vec![html! { (bar.name) }, html! { (visit.texts.count(bar.count)) }])
        .collect();
    let [first, second] = heads;
    html! {
        figure class="chart" {
            svg viewBox=(format!("0 0 {width} {HEIGHT}")) role="img" aria-label=(title)
                preserveAspectRatio="none" {
                @for (at, bar) in all.iter().enumerate() {
                    @let height = (bar.count * HEIGHT).div_ceil(most).max(u64::from(bar.count > 0) * 2);
                    rect x=(at * STEP + 1) y=(HEIGHT - height) width=(STEP - 2) height=(height) {
                        title { (bar.name) ": " (visit.texts.count(bar.count)) }
                    }
                }
            }
            figcaption { (title) }
            details {
                summary { (visit.say("chart-numbers")) }
                (table(title, &[Column::of(first), Column::number(second)], rows))
            }
        }
    }
}
