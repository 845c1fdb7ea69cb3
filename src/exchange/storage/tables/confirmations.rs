//! Indicators on warning lists: kept out of exports until their author says that they are meant,
//! and somebody trusted agrees.

use super::rows::{INDICATOR, indicator_of};
use super::statements::{Fetched, Param, Row, all, failed, first, number};
use super::view::View;
use super::visible::{parameters, visible};
use super::writer::Writes;
use crate::engine::error::Result;
use crate::exchange::accounts::{Role, UserId, Viewer};
use crate::exchange::pulses::{Indicator, PulseId};
use crate::exchange::storage::{Denied, Outcome};

/// An indicator that stays out of exports, and who has spoken for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Flagged {
    /// The identifier of its pulse.
    pub pulse: String,
    /// The name of the pulse.
    pub name: String,
    /// The author.
    pub author: String,
    /// The indicator.
    pub indicator: Indicator,
    /// Why the author means it, if the author has confirmed it.
    pub reason: Option<String>,
    /// Whether somebody trusted has agreed.
    pub is_agreed: bool,
}

/// The columns of a flagged indicator, after those of the indicator.
fn columns() -> String {
    format!(
        "{INDICATOR}, p.name_id, p.name, a.name, (SELECT c.reason FROM confirmation c \
         WHERE c.entry = e.id AND c.account = p.author), {}",
        agreed()
    )
}

/// Whether somebody trusted, who is not the author of the pulse `p`, agrees about the entry `e`.
fn agreed() -> String {
    format!(
        "EXISTS (SELECT 1 FROM confirmation c JOIN account t ON t.id = c.account \
         WHERE c.entry = e.id AND c.account <> p.author AND t.suspended = 0 AND t.role >= {})",
        Role::Trusted as i64
    )
}

impl View<'_> {
    fn flagged_of(&self, row: &Row<'_>) -> Fetched<Flagged> {
        Ok(Flagged {
            indicator: indicator_of(row, self.now())?,
            pulse: row.get(13)?,
            name: row.get(14)?,
            author: row.get(15)?,
            reason: row.get(16)?,
            is_agreed: row.get(17)?,
        })
    }

    /// The flagged indicators of a pulse that was found for a viewer, in the order they were
    /// added.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn flagged(&self, pulse: i64, (limit, offset): (usize, usize)) -> Result<Vec<Flagged>> {
        let sql = format!(
            "SELECT {} FROM entry e JOIN value v ON v.id = e.value JOIN pulse p ON p.id = e.pulse \
             JOIN account a ON a.id = p.author WHERE e.pulse = :pulse AND e.suppressed = 1 \
             AND e.state <> 2 ORDER BY e.id LIMIT :limit OFFSET :offset",
            columns()
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let params: [Param<'_>; 3] = [(":pulse", &pulse), (":limit", &limit), (":offset", &offset)];
        all(self.connection, &sql, &params, |row| self.flagged_of(row)).map_err(failed)
    }

    /// Flagged indicators that their authors have confirmed and that wait for somebody trusted,
    /// in pulses of others that the viewer sees, in the order they were added.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn awaiting(
        &self,
        viewer: Viewer,
        (limit, offset): (usize, usize),
    ) -> Result<Vec<Flagged>> {
        let (me, open) = parameters(viewer);
        let sql = format!(
            "SELECT {} FROM entry e JOIN value v ON v.id = e.value JOIN pulse p ON p.id = e.pulse \
             JOIN account a ON a.id = p.author WHERE e.id IN (SELECT o.entry FROM confirmation o) \
             AND e.suppressed = 1 AND e.state <> 2 AND EXISTS (SELECT 1 FROM confirmation o \
             WHERE o.entry = e.id AND o.account = p.author) AND p.author <> :me AND {} \
             ORDER BY e.id LIMIT :limit OFFSET :offset",
            columns(),
            visible("p")
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let params: [Param<'_>; 4] =
            [(":me", &me), (":open", &open), (":limit", &limit), (":offset", &offset)];
        all(self.connection, &sql, &params, |row| self.flagged_of(row)).map_err(failed)
    }
}

impl Writes<'_> {
    /// Says that a flagged indicator is meant: as its author, or as somebody trusted. When both
    /// have, it is exported. Answers whether it is.
    ///
    /// # Errors
    ///
    /// If the pulse or the indicator does not exist for the user, or it was accepted as a false
    /// positive; if the user is neither its author nor trusted; if the storage fails.
    pub fn confirm(
        &self,
        (user, role): (UserId, Role),
        (id, entry): (&PulseId, i64),
        reason: &str,
    ) -> Outcome<bool> {
        let pulse = self.view().pulse(Viewer::User(user), id)?.ok_or(Denied::NotFound)?;
        let params: [Param<'_>; 5] = [
            (":entry", &entry),
            (":pulse", &pulse.key),
            (":me", &user.0),
            (":now", &self.now.0),
            (":reason", &reason),
        ];
        let sql = "SELECT suppressed FROM entry WHERE id = :entry AND pulse = :pulse \
                   AND state <> 2";
        let found = first(self.connection, sql, &params, |row| row.get::<i64>(0))?;
        match found.ok_or(Denied::NotFound)? {
            0 => return Ok(true),
            1 => {}
            _ => {
                let why = "this value was accepted as a false positive";
                return Err(Denied::Forbidden(why.into()));
            }
        }
        if pulse.author.id != user && role < Role::Trusted {
            let why = "only the author and trusted members may confirm an indicator";
            return Err(Denied::Forbidden(why.into()));
        }
        self.run(
            "INSERT INTO confirmation (entry, account, created, reason) \
             VALUES (:entry, :me, :now, :reason) ON CONFLICT (entry, account) \
             DO UPDATE SET created = excluded.created, reason = excluded.reason",
            &params,
        )?;
        self.audit(Some(user), "indicator.confirm", &entry.to_string(), reason)?;
        let both = format!(
            "SELECT 1 FROM entry e JOIN pulse p ON p.id = e.pulse WHERE e.id = :entry \
             AND EXISTS (SELECT 1 FROM confirmation o WHERE o.entry = e.id \
             AND o.account = p.author) AND {}",
            agreed()
        );
        if number(self.connection, &both, &params)? == 0 {
            return Ok(false);
        }
        let (stamp, last) = (self.stamp(), self.pulse_stamp());
        let params: [Param<'_>; 4] =
            [(":entry", &entry), (":pulse", &pulse.key), (":stamp", &stamp), (":last", &last)];
        self.run("UPDATE entry SET suppressed = 0, changed = :stamp WHERE id = :entry", &params)?;
        self.run("UPDATE pulse SET modified = :last WHERE id = :pulse", &params)?;
        if pulse.author.id != user {
            self.notify(pulse.author.id, ("confirmed", Some(pulse.key)), reason)?;
        }
        Ok(true)
    }

    /// Keeps those indicators of a pulse out of exports whose values were accepted as false
    /// positives before.
    pub(super) fn suppress_accepted(&self, pulse: i64) -> Outcome<()> {
        // The plus keeps the index by state out of it: there are many reports of a state, and few
        // of a value.
        self.run(
            "UPDATE entry SET suppressed = 2 WHERE pulse = :pulse AND suppressed <> 2 \
             AND state <> 2 AND EXISTS (SELECT 1 FROM report r WHERE r.value = entry.value \
             AND +r.state = 1)",
            &[(":pulse", &pulse)],
        )?;
        Ok(())
    }
}
