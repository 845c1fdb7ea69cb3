//! Tables and ages in what is printed for people.

use wiresift::engine::error::escape_text;
use wiresift::engine::indicator::Timestamp;

/// A table without borders; the first row is the heading.
#[derive(Default)]
pub(super) struct Table(Vec<Vec<String>>);

impl Table {
    /// Appends a row. All rows must have as many cells as the heading.
    pub(super) fn row<T: Into<String>>(&mut self, cells: impl IntoIterator<Item = T>) {
        // Statuses quote servers and feeds, so the text must not control the terminal.
        let cells = cells.into_iter().map(|cell| escape_text(&cell.into()).into_owned());
        self.0.push(cells.collect());
    }

    /// Aligns the columns; those in `right` are right-aligned, as numbers are.
    pub(super) fn laid_out(&self, right: &[usize]) -> String {
        let columns = self.0.first().map_or(0, Vec::len);
        let width = |at: usize| self.0.iter().map(|row| row[at].chars().count()).max();
        let widths: Vec<usize> = (0..columns).map(|at| width(at).unwrap_or(0)).collect();
        let mut lines = Vec::with_capacity(self.0.len());
        for row in &self.0 {
            let cells = row.iter().zip(&widths).enumerate().map(|(at, (cell, &width))| {
                if right.contains(&at) {
                    format!("{cell:>width$}")
                } else {
                    format!("{cell:<width$}")
                }
            });
            lines.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_string());
        }
        lines.join("\n")
    }
}

/// Formats an age in the largest unit of which it has at least two, so 90 s is not “1 min”.
pub(super) fn age(now: Timestamp, then: Timestamp) -> String {
    let seconds = now.0.saturating_sub(then.0).max(0) / 1_000_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}
