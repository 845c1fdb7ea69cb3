//! Votes, and what the indicators of their authors were worth.

use super::rows::ACTIVE;
use super::statements::{Fault, Param, all, count, failed, first, number};
use super::view::View;
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{Reputation, SAMPLE, UserId, Viewer, weight};
use crate::exchange::pulses::{IndicatorDraft, Type};
use crate::exchange::storage::{Denied, Outcome};

/// How long counts are good for, in microseconds: an hour.
const FRESH: i64 = 3_600_000_000;

/// Within this time others must publish an indicator, too, to corroborate it: 30 days.
const CORROBORATION: i64 = 30 * 86_400_000_000;

/// Pulses with the same value that are looked at for that.
const OTHERS: i64 = 20;

/// Votes on something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Votes {
    /// Accounts that voted for it.
    pub up: u64,
    /// Accounts that voted against it.
    pub down: u64,
    /// The sum of all votes by their weights, in thousandths.
    pub score: i64,
    /// The viewer's own: 1, -1, or 0 for none.
    pub own: i64,
}

/// What anybody may know of a pulse: it is public. What is only seen by few does not count, or
/// counts would tell of it.
fn public(p: &str) -> String {
    format!("{p}.public = 1 AND {p}.tlp <= 2 AND {p}.held = 0 AND {p}.deleted = 0")
}

impl View<'_> {
    /// The parts of the reputation of a user, as they were counted last.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn reputation(&self, user: UserId) -> Result<Reputation> {
        let sql = "SELECT COALESCE(r.indicators, 0), COALESCE(r.corroborated, 0), \
                   COALESCE(r.false_positives, 0), a.accepted_edits, COALESCE(r.computed, 0) \
                   FROM account a LEFT JOIN reputation r ON r.account = a.id WHERE a.id = :user";
        let found = first(self.connection, sql, &[(":user", &user.0)], |row| {
            Ok(Reputation {
                indicators: count(row.get(0)?),
                corroborated: count(row.get(1)?),
                false_positives: count(row.get(2)?),
                accepted_edits: count(row.get(3)?),
                computed: Timestamp(row.get(4)?),
            })
        });
        Ok(found.map_err(failed)?.unwrap_or_default())
    }

    /// Votes on a value.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn value_votes(&self, viewer: Viewer, (kind, norm): (Type, &str)) -> Result<Votes> {
        let kind = kind as u8;
        let me = viewer.user().map_or(-1, |user| user.0);
        let params: [Param<'_>; 3] = [(":kind", &kind), (":norm", &norm), (":me", &me)];
        let of = "value_vote w JOIN value v ON v.id = w.value \
                  WHERE v.norm = :norm AND v.kind = :kind";
        self.votes(of, &params)
    }

    /// Votes on a pulse that was found for a viewer.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn pulse_votes(&self, viewer: Viewer, pulse: i64) -> Result<Votes> {
        let me = viewer.user().map_or(-1, |user| user.0);
        let params: [Param<'_>; 2] = [(":pulse", &pulse), (":me", &me)];
        self.votes("vote w WHERE w.pulse = :pulse", &params)
    }

    fn votes(&self, of: &str, params: &[Param<'_>]) -> Result<Votes> {
        let sql = format!(
            "SELECT SUM(CASE WHEN w.vote > 0 THEN 1 ELSE 0 END), \
             SUM(CASE WHEN w.vote < 0 THEN 1 ELSE 0 END), SUM(w.vote * w.weight), \
             SUM(CASE WHEN w.account = :me THEN w.vote ELSE 0 END) FROM {of}"
        );
        let found = first(self.connection, &sql, params, |row| {
            let sum = |at| Ok::<i64, Fault>(row.get::<Option<i64>>(at)?.unwrap_or(0));
            Ok(Votes { up: count(sum(0)?), down: count(sum(1)?), score: sum(2)?, own: sum(3)? })
        });
        Ok(found.map_err(failed)?.unwrap_or_default())
    }

    /// Counts the parts of a reputation: over the last indicators of the user in public pulses,
    /// the last changed pulses first, and of each a bounded number of other pulses with the same
    /// value. Of an author of millions, some ten thousand rows are read.
    fn count_reputation(&self, user: UserId) -> Result<[i64; 3]> {
        let sql = format!(
            "SELECT p.id FROM pulse p WHERE p.author = :user AND {} \
             ORDER BY p.modified DESC LIMIT {SAMPLE}",
            public("p")
        );
        let pulses = all(self.connection, &sql, &[(":user", &user.0)], |row| row.get(0));
        let [mut count, mut corroborated, mut wrong] = [0; 3];
        for pulse in pulses.map_err(failed)? {
            let left = SAMPLE - count;
            if left == 0 {
                break;
            }
            for (value, created, is_wrong) in self.sample(pulse, left)? {
                count += 1;
                if is_wrong {
                    wrong += 1;
                } else {
                    corroborated += i64::from(self.is_corroborated(user, value, created)?);
                }
            }
        }
        Ok([count, corroborated, wrong])
    }

    /// The last indicators of a pulse but flagged ones: values, times, and whether they were
    /// accepted as false positives.
    fn sample(&self, pulse: i64, most: i64) -> Result<Vec<(i64, i64, bool)>> {
        let sql = "SELECT value, created, suppressed FROM entry WHERE pulse = :pulse \
                   AND suppressed <> 1 ORDER BY id DESC LIMIT :most";
        let params: [Param<'_>; 2] = [(":pulse", &pulse), (":most", &most)];
        let read = |row: &super::statements::Row<'_>| {
            Ok((row.get(0)?, row.get(1)?, row.get::<i64>(2)? == 2))
        };
        all(self.connection, sql, &params, read).map_err(failed)
    }

    /// Whether somebody else published a value, too, soon after.
    fn is_corroborated(&self, user: UserId, value: i64, created: i64) -> Result<bool> {
        let sql = format!(
            "SELECT 1 FROM (SELECT o.pulse AS pulse FROM entry o WHERE o.value = :value \
             AND o.state <> 2 AND o.created BETWEEN :created AND :created + {CORROBORATION} \
             LIMIT {OTHERS}) x JOIN pulse q ON q.id = x.pulse WHERE q.author <> :user AND {} \
             LIMIT 1",
            public("q")
        );
        let params: [Param<'_>; 3] =
            [(":value", &value), (":created", &created), (":user", &user.0)];
        Ok(number(self.connection, &sql, &params).map_err(failed)? != 0)
    }
}

impl Writes<'_> {
    /// The reputation of a user, counted again if that is long ago.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn renew_reputation(&self, user: UserId) -> Outcome<Reputation> {
        let known = self.view().reputation(user)?;
        if self.now.0 - known.computed.0 < FRESH {
            return Ok(known);
        }
        let [all, corroborated, wrong] = self.view().count_reputation(user)?;
        self.run(
            "INSERT INTO reputation (account, computed, indicators, corroborated, \
             false_positives) VALUES (:user, :now, :all, :corroborated, :wrong) \
             ON CONFLICT (account) DO UPDATE SET computed = excluded.computed, \
             indicators = excluded.indicators, corroborated = excluded.corroborated, \
             false_positives = excluded.false_positives",
            &[
                (":user", &user.0),
                (":now", &self.now.0),
                (":all", &all),
                (":corroborated", &corroborated),
                (":wrong", &wrong),
            ],
        )?;
        Ok(self.view().reputation(user)?)
    }

    /// What a vote of a user weighs now, in thousandths.
    pub(super) fn weight_of(&self, user: UserId) -> Outcome<i64> {
        let reputation = self.renew_reputation(user)?;
        let sql = "SELECT created FROM account WHERE id = :user";
        let created = number(self.connection, sql, &[(":user", &user.0)])?;
        Ok(weight(Timestamp(created), self.now, &reputation))
    }

    /// Votes on a value: 1, -1, or 0 to take a vote back. Answers the votes on it.
    ///
    /// # Errors
    ///
    /// If no pulse that the user sees has it, or one of its own has; if the storage fails.
    pub fn vote_value(&self, user: UserId, draft: &IndicatorDraft, vote: i8) -> Outcome<Votes> {
        let of = (draft.kind, draft.norm.as_str());
        if self.view().count_hits(Viewer::User(user), of)? == 0 {
            return Err(Denied::NotFound);
        }
        let value = self.value_row(draft)?;
        let params: [Param<'_>; 3] = [(":value", &value), (":me", &user.0), (":now", &self.now.0)];
        let own = format!(
            "SELECT 1 FROM entry e JOIN pulse p ON p.id = e.pulse WHERE e.value = :value \
             AND p.author = :me AND p.deleted = 0 AND {ACTIVE} LIMIT 1"
        );
        if vote != 0 && number(self.connection, &own, &params)? != 0 {
            let why = "you cannot vote on an indicator of your own pulse";
            return Err(Denied::Forbidden(why.into()));
        }
        self.run("DELETE FROM value_vote WHERE value = :value AND account = :me", &params)?;
        if vote != 0 {
            let weight = self.weight_of(user)?;
            let params: [Param<'_>; 5] = [
                (":value", &value),
                (":me", &user.0),
                (":vote", &vote),
                (":weight", &weight),
                (":now", &self.now.0),
            ];
            self.run(
                "INSERT INTO value_vote (value, account, vote, weight, created) \
                 VALUES (:value, :me, :vote, :weight, :now)",
                &params,
            )?;
        }
        Ok(self.view().value_votes(Viewer::User(user), of)?)
    }
}
