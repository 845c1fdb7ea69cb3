//! What was deleted goes for good when everybody had time to notice.

use super::statements::Param;
use super::writer::Writes;
use crate::exchange::storage::Outcome;

/// How long deleted pulses and removed indicators are remembered: 90 days.
const MEMORY: i64 = 90 * 86_400_000_000;

/// Rows of one turn on the writer, so that others do not wait for long.
const ROWS: i64 = 5000;

impl Writes<'_> {
    /// Deletes some of what was deleted or removed long ago, old links, sessions
    /// that have ended and seen notices. Answers
    /// whether there is more.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn purge(&self) -> Outcome<bool> {
        self.purge_once()?;
        let before = self.now.0 - MEMORY;
        let params: [Param<'_>; 3] =
            [(":before", &before), (":rows", &ROWS), (":now", &self.now.0)];
        // Their indicators, which were removed before them, go first.
        let old = "SELECT p.id FROM pulse p WHERE p.deleted = 1 AND p.modified < :before \
                   AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.pulse = p.id) \
                   ORDER BY p.modified LIMIT :rows";
        for table in ["pulse_team", "pulse_reader", "subscription", "report"] {
            self.run(&format!("DELETE FROM {table} WHERE pulse IN ({old})"), &params)?;
        }
        self.run(&format!("DELETE FROM happening WHERE kind = 1 AND object IN ({old})"), &params)?;
        let pulses = self.run(&format!("DELETE FROM pulse WHERE id IN ({old})"), &params)?;
        let entries = self.run(
            "DELETE FROM entry WHERE id IN (SELECT id FROM entry WHERE state = 2 \
             AND changed < :before LIMIT :rows)",
            &params,
        )?;
        self.run("DELETE FROM link WHERE expires < :now", &params)?;
        self.run("DELETE FROM invitation WHERE guest IS NULL AND expires < :now", &params)?;
        self.purge_sessions()?;
        self.purge_likeness()?;
        self.run("DELETE FROM notice WHERE seen = 1 AND created < :before", &params)?;
        let most = usize::try_from(ROWS).unwrap_or(usize::MAX);
        Ok(pulses >= most || entries >= most)
    }
}
