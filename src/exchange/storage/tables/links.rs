//! Who is subscribed to what, and the events that tell clients.

use super::statements::{Param, all, count, failed, number};
use super::view::View;
use super::visible::{in_feed, parameters, visible, visible_when_alive};
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{UserId, Viewer};
use crate::exchange::pulses::PulseId;
use crate::exchange::storage::{Denied, Outcome};

/// An event: somebody subscribed to something, or lost it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Happening {
    /// When; no two of an account have the same time.
    pub created: Timestamp,
    /// Whether it is there now, or gone.
    pub is_subscribe: bool,
    /// `pulse`, `user` or `group`.
    pub object: &'static str,
    /// The identifier of the pulse, the name of the user, the number of the group.
    pub object_id: String,
}

/// The events of `:me`: of each object the latest one. Deleted pulses are not noted for each
/// account; their tombstones are found by what would have been in the feed.
fn events() -> String {
    format!(
        "SELECT h.created, h.is_subscribe, 1, p.name_id FROM happening h \
         JOIN pulse p ON p.id = h.object WHERE h.account = :me AND h.kind = 1 \
         AND h.created >= :since AND p.deleted = 0 AND (h.is_subscribe = 0 OR {}) \
         UNION ALL SELECT h.created, h.is_subscribe, 2, a.name FROM happening h \
         JOIN account a ON a.id = h.object WHERE h.account = :me AND h.kind = 2 \
         AND h.created >= :since \
         UNION ALL SELECT h.created, h.is_subscribe, 3, CAST(h.object AS TEXT) FROM happening h \
         WHERE h.account = :me AND h.kind = 3 AND h.created >= :since \
         UNION ALL SELECT p.modified, 0, 1, p.name_id FROM pulse p \
         WHERE p.deleted = 1 AND p.modified >= :since AND {} AND {}",
        visible("p"),
        in_feed("p", ":me"),
        visible_when_alive("p", ":me", ":open")
    )
}

impl View<'_> {
    /// Events of a user at a time or later, the oldest first, and how many there are.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn happenings(
        &self,
        user: UserId,
        since: Option<Timestamp>,
        (limit, offset): (usize, usize),
    ) -> Result<(u64, Vec<Happening>)> {
        let (me, open) = parameters(Viewer::User(user));
        let since = since.map_or(0, |time| time.0);
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let params: [Param<'_>; 5] = [
            (":me", &me),
            (":open", &open),
            (":since", &since),
            (":limit", &limit),
            (":offset", &offset),
        ];
        let total = format!("SELECT COUNT(*) FROM ({}) x", events());
        let page = format!("{} ORDER BY 1 LIMIT :limit OFFSET :offset", events());
        let total = number(self.connection, &total, &params).map_err(failed)?;
        let found = all(self.connection, &page, &params, |row| {
            let object = match row.get::<i64>(2)? {
                1 => "pulse",
                2 => "user",
                _ => "group",
            };
            Ok(Happening {
                created: Timestamp(row.get(0)?),
                is_subscribe: row.get(1)?,
                object,
                object_id: row.get(3)?,
            })
        });
        Ok((count(total), found.map_err(failed)?))
    }
}

impl Writes<'_> {
    /// Subscribes a user to a pulse, or unsubscribes it. Answers the number of subscribers.
    ///
    /// # Errors
    ///
    /// If the pulse does not exist for the user; if the storage fails.
    pub fn subscribe(&self, user: UserId, id: &PulseId, is_subscribe: bool) -> Outcome<u64> {
        let pulse = self.view().pulse(Viewer::User(user), id)?.ok_or(Denied::NotFound)?;
        let state = if is_subscribe { 1 } else { -1 };
        let params: [Param<'_>; 3] = [(":me", &user.0), (":pulse", &pulse.key), (":state", &state)];
        self.run(
            "INSERT INTO subscription (account, pulse, state) VALUES (:me, :pulse, :state) \
             ON CONFLICT (account, pulse) DO UPDATE SET state = excluded.state",
            &params,
        )?;
        self.run(
            "UPDATE pulse SET subscribers = (SELECT COUNT(*) FROM subscription s \
             WHERE s.pulse = :pulse AND s.state = 1) WHERE id = :pulse",
            &params,
        )?;
        self.mark(user)?;
        self.happens(user, (1, pulse.key), is_subscribe)?;
        let sql = "SELECT subscribers FROM pulse WHERE id = :pulse";
        Ok(count(number(self.connection, sql, &params)?))
    }

    /// Subscribes a user to an author, or unsubscribes it. Answers the number of subscribers.
    ///
    /// # Errors
    ///
    /// If it is the user itself; if the storage fails.
    pub fn link_author(&self, user: UserId, author: UserId, is_subscribe: bool) -> Outcome<u64> {
        self.set_author_link(user, author, (1, is_subscribe))?;
        self.mark(user)?;
        self.happens(user, (2, author.0), is_subscribe)?;
        let sql = "SELECT COUNT(*) FROM author_link WHERE author = :author AND kind = 1";
        Ok(count(number(self.connection, sql, &[(":author", &author.0)])?))
    }

    /// Makes a user follow an author, or stop to.
    ///
    /// # Errors
    ///
    /// If it is the user itself; if the storage fails.
    pub fn follow(&self, user: UserId, author: UserId, is_follow: bool) -> Outcome<()> {
        self.set_author_link(user, author, (2, is_follow))
    }

    fn set_author_link(
        &self,
        user: UserId,
        author: UserId,
        (kind, is_set): (i64, bool),
    ) -> Outcome<()> {
        if user == author {
            return Err(Denied::invalid("username", "this is yourself"));
        }
        let params: [Param<'_>; 3] = [(":me", &user.0), (":author", &author.0), (":kind", &kind)];
        let sql = match is_set {
            true => {
                "INSERT INTO author_link (account, author, kind) VALUES (:me, :author, :kind) \
                 ON CONFLICT (account, author, kind) DO NOTHING"
            }
            false => {
                "DELETE FROM author_link WHERE account = :me AND author = :author AND kind = :kind"
            }
        };
        self.run(sql, &params)?;
        Ok(())
    }

    /// Notes that the feed of a user has changed as a whole.
    fn mark(&self, user: UserId) -> Outcome<()> {
        let stamp = self.stamp();
        let params: [Param<'_>; 2] = [(":stamp", &stamp), (":me", &user.0)];
        self.run("UPDATE account SET marked = :stamp WHERE id = :me", &params)?;
        Ok(())
    }

    /// Notes the event between a user and an object: pulse (1), user (2) or group (3).
    pub(super) fn happens(
        &self,
        user: UserId,
        (kind, object): (i64, i64),
        is_subscribe: bool,
    ) -> Outcome<()> {
        let stamp = self.stamp();
        let sql = "INSERT INTO happening (account, kind, object, is_subscribe, created) \
                   VALUES (:me, :kind, :object, :is, :stamp) \
                   ON CONFLICT (account, kind, object) DO UPDATE SET \
                   is_subscribe = excluded.is_subscribe, created = excluded.created";
        let params: [Param<'_>; 5] = [
            (":me", &user.0),
            (":kind", &kind),
            (":object", &object),
            (":is", &is_subscribe),
            (":stamp", &stamp),
        ];
        self.run(sql, &params)?;
        Ok(())
    }
}
