//! What happens once: reports whose counts are added, and tokens of downloads.

use super::statements::{Param, first, number, run};
use super::writer::Writes;
use crate::exchange::accounts::UserId;
use crate::exchange::pulses::{IndicatorDraft, PulseId};
use crate::exchange::storage::{Denied, Outcome};

/// How long a token is good for: 60 seconds.
const MINUTE: i64 = 60_000_000;

/// How long reports are remembered: a week, longer than a sensor keeps trying with one batch.
const WEEK: i64 = 7 * 86_400_000_000;

/// The most tokens of an account at a time.
const MAX_TOKENS: i64 = 100;

/// What a token is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Whose it is.
    pub user: UserId,
    /// The pulse.
    pub pulse: PulseId,
    /// The format that it was made for.
    pub format: String,
}

impl Writes<'_> {
    /// Notes a report of a user by its name. Answers whether it is new.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn receive(&self, user: UserId, name: &str) -> Outcome<bool> {
        let sql = "INSERT INTO received (account, name, created) VALUES (:me, :name, :now) \
                   ON CONFLICT (account, name) DO NOTHING";
        let params: [Param<'_>; 3] = [(":me", &user.0), (":name", &name), (":now", &self.now.0)];
        Ok(run(self.connection, sql, &params)? > 0)
    }

    /// Adds to how often a user's sensors saw a value on a day.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn count_sighting(
        &self,
        user: UserId,
        draft: &IndicatorDraft,
        (day, times): (i64, u32),
    ) -> Outcome<()> {
        let value = self.value_row(draft)?;
        let sql = "INSERT INTO sighting (value, account, day, count) \
                   VALUES (:value, :me, :day, :count) ON CONFLICT (value, account, day) \
                   DO UPDATE SET count = sighting.count + excluded.count";
        let times = i64::from(times);
        let params: [Param<'_>; 4] =
            [(":value", &value), (":me", &user.0), (":day", &day), (":count", &times)];
        run(self.connection, sql, &params)?;
        Ok(())
    }

    /// Keeps the digest of a token by which a pulse can be downloaded once, within a minute.
    ///
    /// # Errors
    ///
    /// If the user has asked for too many of them; if the storage fails.
    pub fn add_token(
        &self,
        user: UserId,
        (pulse, format): (i64, &str),
        digest: &[u8; 32],
    ) -> Outcome<()> {
        let digest = digest.as_slice();
        let expires = self.now.0 + MINUTE;
        let params: [Param<'_>; 6] = [
            (":me", &user.0),
            (":pulse", &pulse),
            (":format", &format),
            (":digest", &digest),
            (":expires", &expires),
            (":now", &self.now.0),
        ];
        run(self.connection, "DELETE FROM export_token WHERE expires < :now", &params)?;
        let count = "SELECT COUNT(*) FROM export_token WHERE account = :me";
        if number(self.connection, count, &params)? >= MAX_TOKENS {
            let why = format!("at most {MAX_TOKENS} tokens are kept at a time");
            return Err(Denied::Quota(why, 60));
        }
        let sql = "INSERT INTO export_token (digest, account, pulse, format, expires) \
                   VALUES (:digest, :me, :pulse, :format, :expires)";
        run(self.connection, sql, &params)?;
        Ok(())
    }

    /// Uses up a token.
    ///
    /// # Errors
    ///
    /// If there is no such token, or its time is over; if the storage fails.
    pub fn take_token(&self, digest: &[u8; 32]) -> Outcome<Download> {
        let digest = digest.as_slice();
        let params: [Param<'_>; 2] = [(":digest", &digest), (":now", &self.now.0)];
        let sql = "SELECT t.account, p.name_id, t.format FROM export_token t \
                   JOIN pulse p ON p.id = t.pulse JOIN account a ON a.id = t.account \
                   WHERE t.digest = :digest AND t.expires >= :now AND a.suspended = 0";
        let found = first(self.connection, sql, &params, |row| {
            Ok((row.get::<i64>(0)?, row.get::<String>(1)?, row.get::<String>(2)?))
        })?;
        let (user, pulse, format) = found.ok_or(Denied::NotFound)?;
        run(self.connection, "DELETE FROM export_token WHERE digest = :digest", &params)?;
        let pulse = PulseId::parse(&pulse).ok_or(Denied::NotFound)?;
        Ok(Download { user: UserId(user), pulse, format })
    }

    /// Notes that a pulse was downloaded.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn count_export(&self, pulse: &PulseId) -> Outcome<()> {
        let id = pulse.to_string();
        let sql = "UPDATE pulse SET exports = exports + 1 WHERE name_id = :id AND deleted = 0";
        run(self.connection, sql, &[(":id", &id)])?;
        Ok(())
    }

    /// Forgets what is over.
    pub(super) fn purge_once(&self) -> Outcome<()> {
        let before = self.now.0 - WEEK;
        let params: [Param<'_>; 2] = [(":now", &self.now.0), (":before", &before)];
        run(self.connection, "DELETE FROM export_token WHERE expires < :now", &params)?;
        run(self.connection, "DELETE FROM received WHERE created < :before", &params)?;
        Ok(())
    }
}
