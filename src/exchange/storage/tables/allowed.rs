//! Values that were accepted as false positives, and how they stop to be that.

use super::rows::kind_of;
use super::statements::{Param, all, failed, first, run};
use super::view::View;
use super::visible::{parameters, visible};
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{UserId, Viewer};
use crate::exchange::pulses::Type;
use crate::exchange::storage::{Denied, Outcome};
use std::collections::HashSet;

/// A value that must not alert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    /// Its type.
    pub kind: Type,
    /// Its normalised form.
    pub norm: String,
    /// What the first accepted report says.
    pub why: String,
    /// When that was accepted.
    pub since: Timestamp,
}

impl View<'_> {
    /// Values that were accepted as false positives, each once, in the order of their acceptance:
    /// those that are in a pulse that the viewer sees, or were until lately.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn allowed(&self, viewer: Viewer) -> Result<Vec<Allowed>> {
        let (me, open) = parameters(viewer);
        let sql = format!(
            "SELECT v.id, v.kind, v.norm, r.reason, r.decided FROM report r \
             JOIN value v ON v.id = r.value WHERE r.state = 1 AND EXISTS (SELECT 1 FROM entry e \
             JOIN pulse p ON p.id = e.pulse WHERE e.value = v.id AND {}) \
             ORDER BY r.decided, r.id",
            visible("p")
        );
        let params: [Param<'_>; 2] = [(":me", &me), (":open", &open)];
        let mut seen = HashSet::new();
        let rows = all(self.connection, &sql, &params, |row| {
            let allowed = Allowed {
                kind: kind_of(row.get(1)?),
                norm: row.get(2)?,
                why: row.get(3)?,
                since: Timestamp(row.get::<Option<i64>>(4)?.unwrap_or(0)),
            };
            Ok((row.get::<i64>(0)?, allowed))
        });
        let rows = rows.map_err(failed)?.into_iter();
        Ok(rows.filter(|(value, _)| seen.insert(*value)).map(|(_, allowed)| allowed).collect())
    }

    /// The value of an accepted report of a false positive.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn allowed_by(&self, report: i64) -> Result<Option<(Type, String)>> {
        let sql = "SELECT v.kind, v.norm FROM report r JOIN value v ON v.id = r.value \
                   WHERE r.id = :report AND r.state = 1";
        first(self.connection, sql, &[(":report", &report)], |row| {
            Ok((kind_of(row.get(0)?), row.get(1)?))
        })
        .map_err(failed)
    }
}

impl Writes<'_> {
    /// Takes back that a value is a false positive: all accepted reports of it are rejected, and
    /// it is exported again, unless `is_flagged`: then it is as on a warning list.
    ///
    /// # Errors
    ///
    /// If there is no such report, or it is not accepted; if the storage fails.
    pub fn withdraw(&self, moderator: UserId, report: i64, is_flagged: bool) -> Outcome<()> {
        let sql = "SELECT value FROM report WHERE id = :report AND state = 1";
        let value =
            first(self.connection, sql, &[(":report", &report)], |row| row.get::<Option<i64>>(0))?;
        let value = value.flatten().ok_or(Denied::NotFound)?;
        let params: [Param<'_>; 2] = [(":value", &value), (":now", &self.now.0)];
        run(
            self.connection,
            "UPDATE report SET state = 2, decided = :now WHERE value = :value AND state = 1",
            &params,
        )?;
        self.set_suppressed(value, i64::from(is_flagged))?;
        self.audit(Some(moderator), "report.withdraw", &report.to_string(), "")
    }
}
