//! A chart with its caption, its description for those who do not see it, and its table.

use super::markup::Markup;
use super::scale::{Scale, px};

/// The width of charts in their own units. A telephone shows them at about this width, so that
/// their text is as large as it says.
pub(super) const WIDTH: f64 = 360.0;

/// The left edge of the area of charts with an axis there.
pub(super) const LEFT: f64 = 44.0;

/// The right edge of the area.
pub(super) const RIGHT: f64 = WIDTH - 10.0;

/// A figure.
pub(super) struct Figure<'f> {
    /// Distinguishes the identifiers of its parts from those of other figures.
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    /// What it shows and how to read it, in a sentence or two.
    pub(super) caption: &'f str,
    /// What can be seen in it.
    pub(super) description: &'f str,
    pub(super) height: f64,
}

/// A table: headings, then rows whose first cell is a heading, too.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) headings: Vec<String>,
    /// Columns with words, by number; the others have numbers, which stand on the right.
    words: &'static [usize],
    pub(super) rows: Vec<Vec<String>>,
}

impl Table {
    /// A table in which the first column and the columns of `words` have words.
    pub(super) fn new(headings: &[&str], words: &'static [usize]) -> Table {
        let headings = headings.iter().map(|it| (*it).to_string()).collect();
        Table { headings, words, rows: Vec::new() }
    }

    fn class(&self, column: usize) -> &'static str {
        if column == 0 || self.words.contains(&column) { "words" } else { "number" }
    }

    /// Writes it, in a frame that scrolls by itself if the screen is narrow.
    pub(super) fn write(&self, label: &str, page: &mut Markup) {
        let frame =
            [("class", "scroll"), ("tabindex", "0"), ("role", "region"), ("aria-label", label)];
        page.element("div", &frame, |page| {
            page.element("table", &[], |page| {
                page.text_in("caption", &[("class", "unseen")], label);
                page.element("thead", &[], |page| {
                    page.element("tr", &[], |page| {
                        for (column, heading) in self.headings.iter().enumerate() {
                            let class = self.class(column);
                            page.text_in("th", &[("scope", "col"), ("class", class)], heading);
                        }
                    });
                });
                page.element("tbody", &[], |page| {
                    for row in &self.rows {
                        page.element("tr", &[], |page| self.row(row, page));
                    }
                });
            });
        });
    }

    fn row(&self, row: &[String], page: &mut Markup) {
        for (number, cell) in row.iter().enumerate() {
            match number {
                0 => page.text_in("th", &[("scope", "row")], cell),
                _ => page.text_in("td", &[("class", self.class(number))], cell),
            }
        }
    }
}

impl Figure<'_> {
    /// Writes the figure: what `draw` draws, and the table with the same numbers.
    pub(super) fn write(&self, page: &mut Markup, table: &Table, draw: impl FnOnce(&mut Markup)) {
        let id = |part: &str| format!("{}-{part}", self.id);
        page.element("figure", &[("class", "card"), ("aria-labelledby", &id("name"))], |page| {
            page.text_in("h3", &[("id", &id("name"))], self.title);
            let view = format!("0 0 {} {}", px(WIDTH), px(self.height));
            let named = format!("{} {}", id("title"), id("desc"));
            let attributes = [
                ("viewBox", &*view),
                ("role", "img"),
                ("aria-labelledby", &named),
                ("class", "chart"),
            ];
            page.element("svg", &attributes, |page| {
                page.text_in("title", &[("id", &id("title"))], self.title);
                page.text_in("desc", &[("id", &id("desc"))], self.description);
                draw(page);
            });
            page.text_in("figcaption", &[], self.caption);
            page.element("details", &[], |page| {
                page.text_in("summary", &[], "The numbers");
                table.write(&format!("{}: the numbers", self.title), page);
            });
        });
    }
}

/// A horizontal axis below an area.
pub(super) fn x_axis(
    page: &mut Markup,
    scale: &Scale,
    (top, bottom): (f64, f64),
    label: &str,
    name: impl Fn(f64) -> String,
) {
    for tick in scale.ticks() {
        let x = px(scale.place(tick));
        page.empty(
            "line",
            &[("x1", &x), ("x2", &x), ("y1", &px(top)), ("y2", &px(bottom)), ("class", "grid")],
        );
        let place =
            [("x", &*x), ("y", &px(bottom + 13.0)), ("class", "tick"), ("text-anchor", "middle")];
        page.text_in("text", &place, &name(tick));
    }
    let (x, y) = (px(RIGHT), px(bottom + 28.0));
    page.text_in("text", &[("x", &x), ("y", &y), ("class", "axis"), ("text-anchor", "end")], label);
}

/// A vertical axis left of an area.
pub(super) fn y_axis(page: &mut Markup, scale: &Scale, label: &str, name: impl Fn(f64) -> String) {
    for tick in scale.ticks() {
        let y = scale.place(tick);
        let line = [
            ("x1", &*px(LEFT)),
            ("x2", &px(RIGHT)),
            ("y1", &px(y)),
            ("y2", &px(y)),
            ("class", "grid"),
        ];
        page.empty("line", &line);
        let place = [
            ("x", &*px(LEFT - 5.0)),
            ("y", &px(y + 4.0)),
            ("class", "tick"),
            ("text-anchor", "end"),
        ];
        page.text_in("text", &place, &name(tick));
    }
    page.text_in("text", &[("x", "2"), ("y", "11"), ("class", "axis")], label);
}

/// A mark of a series: its shape and its colour both tell it from others.
pub(super) fn mark(page: &mut Markup, series: usize, (x, y): (f64, f64), class: &str) {
    let class = format!("{class} s{}", series % SERIES);
    let point = |dx: f64, dy: f64| format!("{},{}", px(x + dx), px(y + dy));
    let polygon = |page: &mut Markup, points: &[String]| {
        page.empty("polygon", &[("points", &points.join(" ")), ("class", &class)]);
    };
    match series % SERIES {
        0 => page.empty("circle", &[("cx", &px(x)), ("cy", &px(y)), ("r", "4"), ("class", &class)]),
        1 => polygon(page, &[point(-4.0, 4.0), point(4.0, 4.0), point(0.0, -4.5)]),
        2 => {
            polygon(page, &[point(-3.5, -3.5), point(3.5, -3.5), point(3.5, 3.5), point(-3.5, 3.5)])
        }
        3 => polygon(page, &[point(0.0, -5.0), point(5.0, 0.0), point(0.0, 5.0), point(-5.0, 0.0)]),
        _ => polygon(page, &[point(-4.0, -4.0), point(4.0, -4.0), point(0.0, 4.5)]),
    }
}

/// How many series have a shape and a colour of their own.
pub(super) const SERIES: usize = 5;

/// A name in at most so many characters.
pub(super) fn short_name(name: &str, most: usize) -> String {
    let name = crate::engine::error::escape_text(name);
    if name.chars().count() <= most {
        return name.into_owned();
    }
    let head: String = name.chars().take(most.saturating_sub(1)).collect();
    format!("{head}…")
}
