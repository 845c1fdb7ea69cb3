//! Sessions, second factors, and what a log-in needs to know of an account.

use super::statements::{Param, all, failed, first, number};
use super::view::View;
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{Role, SESSION_IDLE, SESSION_LIFE, Session, TotpSecret, UserId};
use crate::exchange::storage::{Denied, Outcome};

/// Sessions of an account; the oldest goes when there is another.
const MAX_SESSIONS: i64 = 50;

/// The condition that the session `s` has not ended at `:now`.
fn is_alive() -> String {
    format!(
        "(s.used > :now - {} AND s.created > :now - {})",
        SESSION_IDLE * 1_000_000,
        SESSION_LIFE * 1_000_000
    )
}

/// Whose a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionOwner {
    /// Who.
    pub user: UserId,
    /// Its name.
    pub name: String,
    /// Its role now.
    pub role: Role,
    /// Since when the account exists.
    pub created: Timestamp,
    /// The number of the session.
    pub session: i64,
    /// When the session was last used.
    pub used: Timestamp,
}

/// What a log-in needs to know of an account.
#[derive(Clone, Debug)]
pub struct Credentials {
    /// Who.
    pub user: UserId,
    /// Its name.
    pub name: String,
    /// Where to write to it; empty if unknown.
    pub email: String,
    /// The digest of its password, if it has one.
    pub password: Option<String>,
    /// Whether a code is asked for besides.
    pub has_second_factor: bool,
}

/// A second factor.
#[derive(Clone, Debug)]
pub struct SecondFactor {
    /// The secret.
    pub secret: TotpSecret,
    /// Whether it is in use.
    pub is_confirmed: bool,
    /// The time step of the last code.
    pub step: i64,
}

/// A log-in, as the list of sessions shows it.
#[derive(Clone, Copy, Debug)]
pub struct Login<'a> {
    /// The digest of the secret of the session.
    pub digest: &'a [u8; 32],
    /// The address that logs in.
    pub address: &'a str,
    /// The browser, as it calls itself.
    pub agent: &'a str,
}

impl View<'_> {
    /// Whose the session with this digest is, unless it has ended or its owner is suspended.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn session_owner(&self, digest: &[u8; 32]) -> Result<Option<SessionOwner>> {
        let sql = format!(
            "SELECT a.id, a.name, a.role, a.created, s.id, s.used FROM session s \
             JOIN account a ON a.id = s.account \
             WHERE s.digest = :digest AND a.suspended = 0 AND {}",
            is_alive()
        );
        let (digest, now) = (digest.as_slice(), self.now().0);
        let params: [Param<'_>; 2] = [(":digest", &digest), (":now", &now)];
        first(self.connection, &sql, &params, |row| {
            Ok(SessionOwner {
                user: UserId(row.get(0)?),
                name: row.get(1)?,
                role: Role::from_number(row.get(2)?),
                created: Timestamp(row.get(3)?),
                session: row.get(4)?,
                used: Timestamp(row.get(5)?),
            })
        })
        .map_err(failed)
    }

    /// The sessions of a user that have not ended, the last used first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn sessions(&self, user: UserId) -> Result<Vec<Session>> {
        let sql = format!(
            "SELECT s.id, s.created, s.used, s.address, s.agent FROM session s \
             WHERE s.account = :me AND {} ORDER BY s.used DESC, s.id DESC",
            is_alive()
        );
        let now = self.now().0;
        all(self.connection, &sql, &[(":me", &user.0), (":now", &now)], |row| {
            Ok(Session {
                id: row.get(0)?,
                created: Timestamp(row.get(1)?),
                used: Timestamp(row.get(2)?),
                address: row.get(3)?,
                agent: row.get(4)?,
            })
        })
        .map_err(failed)
    }

    /// What a log-in needs to know of an account, unless it is suspended. The name in any case.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn credentials(&self, name: &str) -> Result<Option<Credentials>> {
        let name = name.to_lowercase();
        let sql = "SELECT a.id, a.name, a.email, a.password, EXISTS (SELECT 1 FROM second_factor f \
                   WHERE f.account = a.id AND f.confirmed = 1) FROM account a \
                   WHERE a.folded = :name AND a.suspended = 0";
        first(self.connection, sql, &[(":name", &name)], |row| {
            Ok(Credentials {
                user: UserId(row.get(0)?),
                name: row.get(1)?,
                email: row.get(2)?,
                password: row.get(3)?,
                has_second_factor: row.get(4)?,
            })
        })
        .map_err(failed)
    }

    /// The second factor of a user, confirmed or not.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn second_factor(&self, user: UserId) -> Result<Option<SecondFactor>> {
        let sql = "SELECT secret, confirmed, step FROM second_factor WHERE account = :me";
        let found = first(self.connection, sql, &[(":me", &user.0)], |row| {
            let secret: Vec<u8> = row.get(0)?;
            Ok((secret, row.get(1)?, row.get(2)?))
        })
        .map_err(failed)?;
        Ok(found.and_then(|(secret, is_confirmed, step)| {
            let secret = TotpSecret::from_bytes(&secret)?;
            Some(SecondFactor { secret, is_confirmed, step })
        }))
    }

    /// How many recovery codes a user has left.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn count_recovery_codes(&self, user: UserId) -> Result<i64> {
        let sql = "SELECT COUNT(*) FROM recovery_code WHERE account = :me";
        number(self.connection, sql, &[(":me", &user.0)]).map_err(failed)
    }
}

impl Writes<'_> {
    /// Begins a session. The one with the digest `old`, if there is one, ends: a log-in never goes
    /// on with a secret that somebody may have put into the browser before.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn log_in(&self, user: UserId, login: Login<'_>, old: Option<&[u8; 32]>) -> Outcome<i64> {
        if let Some(old) = old {
            let old = old.as_slice();
            self.run("DELETE FROM session WHERE digest = :old", &[(":old", &old)])?;
        }
        let digest = login.digest.as_slice();
        let params: [Param<'_>; 6] = [
            (":me", &user.0),
            (":digest", &digest),
            (":now", &self.now.0),
            (":address", &login.address),
            (":agent", &login.agent),
            (":most", &MAX_SESSIONS),
        ];
        let id = self.insert(
            "INSERT INTO session (account, digest, created, used, address, agent) \
             VALUES (:me, :digest, :now, :now, :address, :agent)",
            &params,
        )?;
        self.run(
            "DELETE FROM session WHERE account = :me AND id NOT IN (SELECT id FROM session \
             WHERE account = :me ORDER BY used DESC, id DESC LIMIT :most)",
            &params,
        )?;
        self.audit(Some(user), "session.begin", &id.to_string(), login.address)?;
        Ok(id)
    }

    /// Notes that a session was used.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn use_session(&self, session: i64) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":id", &session), (":now", &self.now.0)];
        self.run("UPDATE session SET used = :now WHERE id = :id AND used < :now", &params)?;
        Ok(())
    }

    /// Ends a session of a user.
    ///
    /// # Errors
    ///
    /// If the user has no such session; if the storage fails.
    pub fn end_session(&self, user: UserId, session: i64) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":me", &user.0), (":id", &session)];
        match self.run("DELETE FROM session WHERE account = :me AND id = :id", &params)? {
            0 => Err(Denied::NotFound),
            _ => self.audit(Some(user), "session.end", &session.to_string(), ""),
        }
    }

    /// Ends the sessions of a user, all but `kept`. Answers how many.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn end_sessions(&self, user: UserId, kept: Option<i64>) -> Outcome<usize> {
        let kept = kept.unwrap_or(0);
        let params: [Param<'_>; 2] = [(":me", &user.0), (":kept", &kept)];
        Ok(self.run("DELETE FROM session WHERE account = :me AND id <> :kept", &params)?)
    }

    /// Deletes sessions that have ended.
    pub(super) fn purge_sessions(&self) -> Outcome<()> {
        let sql = format!(
            "DELETE FROM session WHERE id IN (SELECT s.id FROM session s WHERE NOT {})",
            is_alive()
        );
        self.run(&sql, &[(":now", &self.now.0)])?;
        Ok(())
    }

    /// Stores the digest of a password again, with the costs of today; nothing else changes.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn renew_password(&self, user: UserId, (old, new): (&str, &str)) -> Outcome<()> {
        let params: [Param<'_>; 3] = [(":me", &user.0), (":old", &old), (":new", &new)];
        self.run("UPDATE account SET password = :new WHERE id = :me AND password = :old", &params)?;
        Ok(())
    }

    /// Stores a second factor that is not in use before a code of it was given.
    ///
    /// # Errors
    ///
    /// If one is in use; if the storage fails.
    pub fn start_second_factor(&self, user: UserId, secret: &TotpSecret) -> Outcome<()> {
        let secret = secret.bytes().as_slice();
        let params: [Param<'_>; 2] = [(":me", &user.0), (":secret", &secret)];
        let rows = self.run(
            "INSERT INTO second_factor (account, secret) VALUES (:me, :secret) \
             ON CONFLICT (account) DO UPDATE SET secret = excluded.secret, step = 0 \
             WHERE second_factor.confirmed = 0",
            &params,
        )?;
        match rows {
            0 => Err(Denied::Forbidden("a second factor is in use: remove it first".into())),
            _ => Ok(()),
        }
    }

    /// Takes a second factor into use, with the digests of its recovery codes.
    ///
    /// # Errors
    ///
    /// If there is none that was started; if the storage fails.
    pub fn confirm_second_factor(
        &self,
        user: UserId,
        step: i64,
        codes: &[[u8; 32]],
    ) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":me", &user.0), (":step", &step)];
        let sql = "UPDATE second_factor SET confirmed = 1, step = :step \
                   WHERE account = :me AND confirmed = 0";
        if self.run(sql, &params)? == 0 {
            return Err(Denied::NotFound);
        }
        self.run("DELETE FROM recovery_code WHERE account = :me", &params)?;
        for code in codes {
            let digest = code.as_slice();
            let sql = "INSERT INTO recovery_code (account, digest) VALUES (:me, :digest)";
            self.run(sql, &[(":me", &user.0), (":digest", &digest)])?;
        }
        self.audit(Some(user), "second_factor.begin", &user.0.to_string(), "")
    }

    /// Uses up the code of a time step. Answers whether it was still good: two requests with the
    /// same code are not both let in.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn use_step(&self, user: UserId, step: i64) -> Outcome<bool> {
        let params: [Param<'_>; 2] = [(":me", &user.0), (":step", &step)];
        let sql = "UPDATE second_factor SET step = :step WHERE account = :me AND step < :step";
        Ok(self.run(sql, &params)? > 0)
    }

    /// Uses up a recovery code. Answers whether there was one.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn use_recovery_code(&self, user: UserId, digest: &[u8; 32]) -> Outcome<bool> {
        let digest = digest.as_slice();
        let params: [Param<'_>; 2] = [(":me", &user.0), (":digest", &digest)];
        let sql = "DELETE FROM recovery_code WHERE account = :me AND digest = :digest";
        let is_used = self.run(sql, &params)? > 0;
        if is_used {
            self.audit(Some(user), "second_factor.recovery", &user.0.to_string(), "")?;
        }
        Ok(is_used)
    }

    /// Removes the second factor of a user.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn end_second_factor(&self, user: UserId) -> Outcome<()> {
        let params: [Param<'_>; 1] = [(":me", &user.0)];
        self.run("DELETE FROM recovery_code WHERE account = :me", &params)?;
        match self.run("DELETE FROM second_factor WHERE account = :me", &params)? {
            0 => Ok(()),
            _ => self.audit(Some(user), "second_factor.end", &user.0.to_string(), ""),
        }
    }
}
