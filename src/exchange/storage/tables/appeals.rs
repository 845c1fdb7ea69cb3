//! What people say who are blocked by a value: a queue for moderators.

use super::rows::kind_of;
use super::statements::{Param, all, failed, first, number};
use super::view::View;
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{UserId, Viewer};
use crate::exchange::pulses::{IndicatorDraft, Type};
use crate::exchange::storage::{Denied, Outcome};

/// Appeals that wait at most. When there are more, new ones are refused: moderators could not
/// read them anyway.
const MAX_WAITING: i64 = 10_000;

/// Appeals about one value that wait at most.
const MAX_OF_VALUE: i64 = 10;

/// An appeal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appeal {
    /// Its number.
    pub id: i64,
    /// The value.
    pub value: (Type, String),
    /// Who, if it has an account.
    pub by: Option<String>,
    /// How to answer.
    pub contact: String,
    /// Why.
    pub reason: String,
    /// When.
    pub created: Timestamp,
    /// 0 pending, 1 accepted, 2 rejected.
    pub state: i64,
}

impl View<'_> {
    /// Appeals of a state, the oldest first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn appeals(&self, state: i64, (limit, offset): (usize, usize)) -> Result<Vec<Appeal>> {
        let sql = "SELECT l.id, v.kind, v.norm, a.name, l.contact, l.reason, l.created, l.state \
                   FROM appeal l JOIN value v ON v.id = l.value \
                   LEFT JOIN account a ON a.id = l.account WHERE l.state = :state \
                   ORDER BY l.id LIMIT :limit OFFSET :offset";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let params: [Param<'_>; 3] = [(":state", &state), (":limit", &limit), (":offset", &offset)];
        all(self.connection, sql, &params, |row| {
            Ok(Appeal {
                id: row.get(0)?,
                value: (kind_of(row.get(1)?), row.get(2)?),
                by: row.get(3)?,
                contact: row.get(4)?,
                reason: row.get(5)?,
                created: Timestamp(row.get(6)?),
                state: row.get(7)?,
            })
        })
        .map_err(failed)
    }
}

impl Writes<'_> {
    /// Stores an appeal about the first of some values that a pulse has. About any other, nothing
    /// happens, and nobody is told the difference: who appeals may not learn what hidden pulses
    /// have.
    ///
    /// # Errors
    ///
    /// If too many wait; if the storage fails.
    pub fn appeal(
        &self,
        viewer: Viewer,
        drafts: &[IndicatorDraft],
        (contact, reason): (&str, &str),
    ) -> Outcome<()> {
        let waiting = "SELECT COUNT(*) FROM appeal WHERE state = 0";
        if number(self.connection, waiting, &[])? >= MAX_WAITING {
            let why = "too many appeals wait for the moderators: try again another day";
            return Err(Denied::Quota(why.into(), 86_400));
        }
        let known = "SELECT v.id FROM value v WHERE v.norm = :norm AND v.kind = :kind \
                     AND EXISTS (SELECT 1 FROM entry e WHERE e.value = v.id AND e.state <> 2)";
        let mut value = 0;
        for draft in drafts {
            let kind = draft.kind as u8;
            let of: [Param<'_>; 2] = [(":kind", &kind), (":norm", &draft.norm)];
            value = number(self.connection, known, &of)?;
            if value != 0 {
                break;
            }
        }
        if value == 0 {
            return Ok(());
        }
        let of: [Param<'_>; 2] = [(":value", &value), (":contact", &contact)];
        let waiting = "SELECT COUNT(*) FROM appeal WHERE value = :value AND state = 0";
        let same = format!("{waiting} AND contact = :contact");
        if number(self.connection, waiting, &of)? >= MAX_OF_VALUE
            || number(self.connection, &same, &of)? > 0
        {
            return Ok(());
        }
        let user = viewer.user().map(|user| user.0);
        let params: [Param<'_>; 5] = [
            (":value", &value),
            (":me", &user),
            (":contact", &contact),
            (":reason", &reason),
            (":now", &self.now.0),
        ];
        self.insert(
            "INSERT INTO appeal (value, account, contact, reason, created) \
             VALUES (:value, :me, :contact, :reason, :now)",
            &params,
        )?;
        Ok(())
    }

    /// Decides an appeal. An accepted one makes the value a false positive, as an accepted report
    /// does.
    ///
    /// # Errors
    ///
    /// If there is no such appeal, or it is decided; if the storage fails.
    pub fn decide_appeal(&self, moderator: UserId, id: i64, is_accepted: bool) -> Outcome<()> {
        let state = if is_accepted { 1 } else { 2 };
        let params: [Param<'_>; 3] = [(":id", &id), (":state", &state), (":now", &self.now.0)];
        let sql = "SELECT l.reason, v.kind, v.norm FROM appeal l JOIN value v ON v.id = l.value \
                   WHERE l.id = :id AND l.state = 0";
        let found = first(self.connection, sql, &params, |row| {
            Ok((row.get::<String>(0)?, kind_of(row.get(1)?), row.get::<String>(2)?))
        })?;
        let (reason, kind, norm) = found.ok_or(Denied::NotFound)?;
        self.run("UPDATE appeal SET state = :state, decided = :now WHERE id = :id", &params)?;
        let action = if is_accepted { "appeal.accept" } else { "appeal.reject" };
        self.audit(Some(moderator), action, &id.to_string(), "")?;
        if is_accepted {
            let draft =
                IndicatorDraft::new(kind, &norm).map_err(|why| Denied::invalid("value", why))?;
            let report = self.report_value(moderator, &draft, &reason)?;
            self.decide(moderator, report, true)?;
        }
        Ok(())
    }
}
