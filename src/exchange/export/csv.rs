//! Tables (RFC 4180): one row for each indicator of each pulse.

use super::source::{About, Out, Renderer};
use super::text::{push_csv, without_formula};
use crate::engine::error::Result;
use crate::exchange::pulses::{Indicator, Pulse, naive};

/// The names of the columns.
const COLUMNS: &str = "indicator,type,title,description,role,created,expiration,is_active,\
                       pulse_id,pulse_name,author,tlp,tags\r\n";

/// Writes a table.
pub(super) struct Csv<'a> {
    about: &'a About,
    /// Whether people open it with a spreadsheet, which computes what looks like a formula.
    is_spreadsheet: bool,
    row: String,
}

impl<'a> Csv<'a> {
    pub(super) fn new(about: &'a About, is_spreadsheet: bool) -> Self {
        Csv { about, is_spreadsheet, row: String::new() }
    }
}

impl Renderer for Csv<'_> {
    fn begin(&mut self, out: &mut Out<'_>) -> Result<()> {
        out.put(COLUMNS)
    }

    fn indicator(&mut self, out: &mut Out<'_>, pulse: &Pulse, indicator: &Indicator) -> Result<()> {
        if !indicator.is_exported() || !self.about.takes(indicator.kind) {
            return Ok(());
        }
        let fields = [
            if indicator.kind.is_rule() { &indicator.content } else { &indicator.value },
            indicator.kind.name(),
            &indicator.title,
            &indicator.description,
            indicator.role.as_deref().unwrap_or(""),
            &naive(indicator.created),
            &indicator.expiration.map(naive).unwrap_or_default(),
            "1",
            &pulse.id.to_string(),
            &pulse.name,
            &pulse.author.name,
            pulse.tlp.name(),
            &pulse.lists.tags.join(","),
        ];
        self.row.clear();
        for (at, field) in fields.into_iter().enumerate() {
            if at > 0 {
                self.row.push(',');
            }
            if self.is_spreadsheet {
                push_csv(&mut self.row, &without_formula(field));
            } else {
                push_csv(&mut self.row, field);
            }
        }
        self.row.push_str("\r\n");
        out.put(&self.row)
    }
}
