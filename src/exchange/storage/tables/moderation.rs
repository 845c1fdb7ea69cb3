//! Reports, holds, and the record of what was done.

use super::rows::kind_of;
use super::statements::{Param, all, failed, first, number};
use super::view::View;
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::UserId;
use crate::exchange::pulses::{IndicatorDraft, Type};
use crate::exchange::storage::{Denied, Outcome};

/// A report: of a pulse, or that a value is a false positive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its number.
    pub id: i64,
    /// Who.
    pub by: String,
    /// When.
    pub created: Timestamp,
    /// The identifier of the pulse.
    pub pulse: Option<String>,
    /// The value.
    pub value: Option<(Type, String)>,
    /// Why.
    pub reason: String,
    /// 0 pending, 1 accepted, 2 rejected.
    pub state: i64,
}

/// Something that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audit {
    /// When.
    pub created: Timestamp,
    /// Who; nobody for the operator.
    pub by: Option<String>,
    /// What, such as `pulse.delete`.
    pub action: String,
    /// To what.
    pub object: String,
    /// More of it.
    pub detail: String,
}

impl View<'_> {
    /// Reports of a state, the oldest first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn reports(&self, state: i64, (limit, offset): (usize, usize)) -> Result<Vec<Report>> {
        let sql = "SELECT r.id, a.name, r.created, p.name_id, v.kind, v.norm, r.reason, r.state \
                   FROM report r JOIN account a ON a.id = r.account \
                   LEFT JOIN pulse p ON p.id = r.pulse LEFT JOIN value v ON v.id = r.value \
                   WHERE r.state = :state ORDER BY r.id LIMIT :limit OFFSET :offset";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let params: [Param<'_>; 3] = [(":state", &state), (":limit", &limit), (":offset", &offset)];
        all(self.connection, sql, &params, |row| {
            let kind: Option<u8> = row.get(4)?;
            let norm: Option<String> = row.get(5)?;
            Ok(Report {
                id: row.get(0)?,
                by: row.get(1)?,
                created: Timestamp(row.get(2)?),
                pulse: row.get(3)?,
                value: kind.map(kind_of).zip(norm),
                reason: row.get(6)?,
                state: row.get(7)?,
            })
        })
        .map_err(failed)
    }

    /// What was done, the newest first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn audits(&self, (limit, offset): (usize, usize)) -> Result<Vec<Audit>> {
        let sql = "SELECT t.created, a.name, t.action, t.object, t.detail FROM audit t \
                   LEFT JOIN account a ON a.id = t.account \
                   ORDER BY t.id DESC LIMIT :limit OFFSET :offset";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        all(self.connection, sql, &[(":limit", &limit), (":offset", &offset)], |row| {
            Ok(Audit {
                created: Timestamp(row.get(0)?),
                by: row.get(1)?,
                action: row.get(2)?,
                object: row.get(3)?,
                detail: row.get(4)?,
            })
        })
        .map_err(failed)
    }
}

impl Writes<'_> {
    /// Notes what was done.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn audit(
        &self,
        user: Option<UserId>,
        action: &str,
        object: &str,
        detail: &str,
    ) -> Outcome<()> {
        let user = user.map(|user| user.0);
        self.run(
            "INSERT INTO audit (created, account, action, object, detail) \
             VALUES (:now, :me, :action, :object, :detail)",
            &[
                (":now", &self.now.0),
                (":me", &user),
                (":action", &action),
                (":object", &object),
                (":detail", &detail),
            ],
        )?;
        Ok(())
    }

    /// Hides a pulse from all but its author, until a moderator decides.
    pub(super) fn hold(&self, pulse: i64, user: UserId, why: &str) -> Outcome<()> {
        self.run("UPDATE pulse SET held = held | 1 WHERE id = :pulse", &[(":pulse", &pulse)])?;
        self.eject("p.id = :object", pulse, 0)?;
        self.report_of(user, (Some(pulse), None), why)?;
        self.audit(Some(user), "pulse.hold", &pulse.to_string(), why)
    }

    /// Reports a pulse, by its key, to the moderators.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn report_pulse(&self, user: UserId, pulse: i64, reason: &str) -> Outcome<i64> {
        self.report_of(user, (Some(pulse), None), reason)
    }

    /// Reports a value as a false positive.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn report_value(&self, user: UserId, draft: &IndicatorDraft, reason: &str) -> Outcome<i64> {
        let value = self.value_row(draft)?;
        let known = "SELECT id FROM report WHERE value = :value AND account = :me AND state = 0";
        let params: [Param<'_>; 2] = [(":value", &value), (":me", &user.0)];
        match number(self.connection, known, &params)? {
            0 => self.report_of(user, (None, Some(value)), reason),
            id => Ok(id),
        }
    }

    fn report_of(
        &self,
        user: UserId,
        (pulse, value): (Option<i64>, Option<i64>),
        reason: &str,
    ) -> Outcome<i64> {
        let id = self.insert(
            "INSERT INTO report (account, pulse, value, created, reason, state) \
             VALUES (:me, :pulse, :value, :now, :reason, 0)",
            &[
                (":me", &user.0),
                (":pulse", &pulse),
                (":value", &value),
                (":now", &self.now.0),
                (":reason", &reason),
            ],
        )?;
        Ok(id)
    }

    /// Decides a report. An accepted false positive is suppressed everywhere; an accepted report
    /// of a pulse holds it, a rejected one releases it.
    ///
    /// # Errors
    ///
    /// If there is no such report, or it is decided; if the storage fails.
    pub fn decide(&self, moderator: UserId, id: i64, is_accepted: bool) -> Outcome<()> {
        let state = if is_accepted { 1 } else { 2 };
        let params: [Param<'_>; 3] = [(":id", &id), (":state", &state), (":now", &self.now.0)];
        let sql = "SELECT pulse, value FROM report WHERE id = :id AND state = 0";
        let found = first(self.connection, sql, &params, |row| {
            Ok((row.get::<Option<i64>>(0)?, row.get::<Option<i64>>(1)?))
        })?;
        let (pulse, value) = found.ok_or(Denied::NotFound)?;
        self.run("UPDATE report SET state = :state, decided = :now WHERE id = :id", &params)?;
        if let Some(value) = value
            && is_accepted
        {
            self.set_suppressed(value, 2)?;
            self.notify_authors(value)?;
        }
        if let Some(pulse) = pulse {
            let params: [Param<'_>; 2] = [(":pulse", &pulse), (":held", &is_accepted)];
            self.run("UPDATE pulse SET held = (held & 2) | :held WHERE id = :pulse", &params)?;
            if is_accepted {
                self.eject("p.id = :object", pulse, 0)?;
            } else {
                // Whoever asks for what is new has to get it.
                self.stamp_entries(pulse)?;
                let stamp = self.pulse_stamp();
                let params: [Param<'_>; 2] = [(":pulse", &pulse), (":stamp", &stamp)];
                self.run(
                    "UPDATE pulse SET modified = :stamp WHERE id = :pulse AND deleted = 0",
                    &params,
                )?;
            }
        }
        let action = if is_accepted { "report.accept" } else { "report.reject" };
        self.audit(Some(moderator), action, &id.to_string(), "")
    }

    /// Tells the authors of pulses with a value that it was accepted as a false positive.
    fn notify_authors(&self, value: i64) -> Outcome<()> {
        self.run(
            "INSERT INTO notice (account, created, kind, pulse, text) \
             SELECT p.author, :now, 'false_positive', p.id, v.norm FROM entry e \
             JOIN pulse p ON p.id = e.pulse JOIN value v ON v.id = e.value \
             WHERE e.value = :value AND e.state <> 2 AND p.deleted = 0 LIMIT 10000",
            &[(":value", &value), (":now", &self.now.0)],
        )?;
        Ok(())
    }
}
