//! Invitations, and links by which accounts are taken over.

use super::statements::{Param, all, failed, first, number};
use super::view::View;
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{GroupId, Rank, UserId};
use crate::exchange::storage::{Denied, Outcome};

/// Invitations of a user that nobody has taken yet.
const MAX_OPEN: i64 = 20;

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its number.
    pub id: i64,
    /// When it was made.
    pub created: Timestamp,
    /// Until when it is good.
    pub expires: Timestamp,
    /// Who took it.
    pub guest: Option<String>,
}

impl View<'_> {
    /// The invitations of a user, the newest first, 100 at most.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn invitations(&self, user: UserId) -> Result<Vec<Invitation>> {
        let sql = "SELECT i.id, i.created, i.expires, a.name FROM invitation i \
                   LEFT JOIN account a ON a.id = i.guest WHERE i.account = :me \
                   ORDER BY i.id DESC LIMIT 100";
        all(self.connection, sql, &[(":me", &user.0)], |row| {
            Ok(Invitation {
                id: row.get(0)?,
                created: Timestamp(row.get(1)?),
                expires: Timestamp(row.get(2)?),
                guest: row.get(3)?,
            })
        })
        .map_err(failed)
    }

    /// Whether the invitation with this digest is good: nobody has taken it, and whoever made it
    /// is not suspended.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn is_invitation(&self, digest: &[u8; 32]) -> Result<bool> {
        let (digest, now) = (digest.as_slice(), self.now().0);
        let params: [Param<'_>; 2] = [(":digest", &digest), (":now", &now)];
        Ok(number(self.connection, GOOD, &params).map_err(failed)? != 0)
    }

    /// The name and the address of the account that a link is for.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn link(&self, digest: &[u8; 32]) -> Result<Option<(String, String)>> {
        let sql = "SELECT a.name, a.email FROM link k JOIN account a ON a.id = k.account \
                   WHERE k.digest = :digest AND k.expires > :now AND a.suspended = 0";
        let (digest, now) = (digest.as_slice(), self.now().0);
        let params: [Param<'_>; 2] = [(":digest", &digest), (":now", &now)];
        first(self.connection, sql, &params, |row| Ok((row.get(0)?, row.get(1)?))).map_err(failed)
    }
}

/// The number of a good invitation.
const GOOD: &str = "SELECT i.id FROM invitation i JOIN account a ON a.id = i.account \
                    WHERE i.digest = :digest AND i.guest IS NULL AND i.expires > :now \
                    AND a.suspended = 0";

impl Writes<'_> {
    /// Stores the digest of an invitation. Answers its number.
    ///
    /// # Errors
    ///
    /// If the user has too many that nobody has taken; if the storage fails.
    pub fn invite(&self, user: UserId, digest: &[u8; 32], seconds: i64) -> Outcome<i64> {
        let digest = digest.as_slice();
        let expires = self.now.0 + seconds * 1_000_000;
        let params: [Param<'_>; 4] =
            [(":me", &user.0), (":digest", &digest), (":now", &self.now.0), (":end", &expires)];
        let open = "SELECT COUNT(*) FROM invitation WHERE account = :me AND guest IS NULL \
                    AND expires > :now";
        if number(self.connection, open, &params)? >= MAX_OPEN {
            let why = format!("{MAX_OPEN} invitations of yours are still open: revoke one first");
            return Err(Denied::Forbidden(why));
        }
        let id = self.insert(
            "INSERT INTO invitation (account, digest, created, expires) \
             VALUES (:me, :digest, :now, :end)",
            &params,
        )?;
        self.audit(Some(user), "invitation.create", &id.to_string(), "")?;
        Ok(id)
    }

    /// Revokes an invitation of a user that nobody has taken.
    ///
    /// # Errors
    ///
    /// If there is none; if the storage fails.
    pub fn revoke_invitation(&self, user: UserId, id: i64) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":me", &user.0), (":id", &id)];
        let sql = "DELETE FROM invitation WHERE account = :me AND id = :id AND guest IS NULL";
        match self.run(sql, &params)? {
            0 => Err(Denied::NotFound),
            _ => self.audit(Some(user), "invitation.revoke", &id.to_string(), ""),
        }
    }

    /// Uses up an invitation for a new account.
    ///
    /// # Errors
    ///
    /// If it is not good any more; if the storage fails.
    pub fn take_invitation(&self, digest: &[u8; 32], guest: UserId) -> Outcome<()> {
        let digest = digest.as_slice();
        let params: [Param<'_>; 3] =
            [(":digest", &digest), (":now", &self.now.0), (":guest", &guest.0)];
        let id = match number(self.connection, GOOD, &params)? {
            0 => return Err(Denied::NotFound),
            id => id,
        };
        let params: [Param<'_>; 2] = [(":id", &id), (":guest", &guest.0)];
        self.run("UPDATE invitation SET guest = :guest WHERE id = :id", &params)?;
        self.audit(Some(guest), "invitation.take", &id.to_string(), "")
    }

    /// Invites an account to a group, and tells it. Of somebody who is a member already, only the
    /// rank changes. Answers whether it is an invitation.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn invite_member(&self, group: GroupId, guest: UserId, rank: Rank) -> Outcome<bool> {
        let number = rank as i64;
        let params: [Param<'_>; 4] =
            [(":team", &group.0), (":guest", &guest.0), (":rank", &number), (":now", &self.now.0)];
        let is_member = "SELECT 1 FROM member WHERE team = :team AND account = :guest";
        if first(self.connection, is_member, &params, |_| Ok(()))?.is_some() {
            self.set_member(group, guest, Some(rank))?;
            return Ok(false);
        }
        self.run(
            "INSERT INTO member_invitation (team, account, rank, created) \
             VALUES (:team, :guest, :rank, :now) ON CONFLICT (team, account) \
             DO UPDATE SET rank = excluded.rank, created = excluded.created",
            &params,
        )?;
        let sql = "SELECT name FROM team WHERE id = :team";
        let name = first(self.connection, sql, &params, |row| row.get::<String>(0))?;
        let text = format!("{} {}", group.0, name.unwrap_or_default());
        self.notify(guest, ("group_invitation", None), &text)?;
        Ok(true)
    }

    /// Takes an invitation to a group.
    ///
    /// # Errors
    ///
    /// If there is none; if the storage fails.
    pub fn join_group(&self, group: GroupId, guest: UserId) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":team", &group.0), (":guest", &guest.0)];
        let sql = "SELECT rank FROM member_invitation WHERE team = :team AND account = :guest";
        let rank = first(self.connection, sql, &params, |row| row.get::<i64>(0))?;
        let rank = Rank::from_number(rank.ok_or(Denied::NotFound)?);
        self.decline_group(group, guest)?;
        self.set_member(group, guest, Some(rank))
    }

    /// Forgets an invitation to a group, if there is one.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn decline_group(&self, group: GroupId, guest: UserId) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":team", &group.0), (":guest", &guest.0)];
        let sql = "DELETE FROM member_invitation WHERE team = :team AND account = :guest";
        self.run(sql, &params)?;
        Ok(())
    }
}
