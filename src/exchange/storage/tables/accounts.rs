//! Accounts, keys, one-time links and groups.

use super::statements::{Fetched, Param, Row, all, count, failed, first, number};
use super::view::View;
use super::visible::{parameters, visible};
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::{
    Group, GroupId, Key, Member, Rank, Role, Scopes, User, UserId, Viewer, check_group_name,
    check_user_name,
};
use crate::exchange::storage::{Denied, Outcome};

/// An account to be created.
#[derive(Clone, Debug)]
pub struct NewAccount {
    /// Its name.
    pub name: String,
    /// Where to write to it; empty if unknown.
    pub email: String,
    /// Its role.
    pub role: Role,
    /// The digest of its password. Without one, nobody can log in.
    pub password: Option<String>,
}

/// The owner of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Who.
    pub user: UserId,
    /// Its name.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Since when.
    pub created: Timestamp,
    /// The number of the key.
    pub key: i64,
    /// What the key is good for.
    pub scopes: Scopes,
    /// When the key was last used, to the hour.
    pub used: Option<Timestamp>,
}

/// The columns of a user, with `:me` and `:open`.
fn user_columns() -> String {
    format!(
        "a.id, a.name, a.role, a.created, a.suspended, \
         (SELECT COUNT(*) FROM pulse p WHERE p.author = a.id AND {seen}), \
         (SELECT COUNT(*) FROM pulse p JOIN entry e ON e.pulse = p.id WHERE p.author = a.id \
         AND e.state = 0 AND {seen}), \
         (SELECT COUNT(*) FROM author_link l WHERE l.author = a.id AND l.kind = 1), \
         (SELECT COUNT(*) FROM author_link l WHERE l.author = a.id AND l.kind = 2), \
         EXISTS (SELECT 1 FROM author_link l WHERE l.author = a.id AND l.account = :me \
         AND l.kind = 1), \
         EXISTS (SELECT 1 FROM author_link l WHERE l.author = a.id AND l.account = :me \
         AND l.kind = 2)",
        seen = visible("p")
    )
}

fn user_of(row: &Row<'_>) -> Fetched<User> {
    Ok(User {
        id: UserId(row.get(0)?),
        name: row.get(1)?,
        role: Role::from_number(row.get(2)?),
        created: Timestamp(row.get(3)?),
        is_suspended: row.get(4)?,
        pulses: count(row.get(5)?),
        indicators: count(row.get(6)?),
        subscribers: count(row.get(7)?),
        followers: count(row.get(8)?),
        is_subscribed: row.get(9)?,
        is_followed: row.get(10)?,
    })
}

/// What is stored of a name to find it in any case.
fn folded(name: &str) -> String {
    name.to_lowercase()
}

impl View<'_> {
    /// The owner of the key with this digest, unless it is suspended.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn owner(&self, digest: &[u8; 32]) -> Result<Option<Owner>> {
        let sql = "SELECT a.id, a.name, a.role, a.created, k.id, k.scopes, k.used FROM api_key k \
                   JOIN account a ON a.id = k.account \
                   WHERE k.digest = :digest AND a.suspended = 0";
        let digest = digest.as_slice();
        let owner = first(self.connection, sql, &[(":digest", &digest)], |row| {
            Ok(Owner {
                user: UserId(row.get(0)?),
                name: row.get(1)?,
                role: Role::from_number(row.get(2)?),
                created: Timestamp(row.get(3)?),
                key: row.get(4)?,
                scopes: Scopes(row.get(5)?),
                used: row.get::<Option<i64>>(6)?.map(Timestamp),
            })
        });
        owner.map_err(failed)
    }

    /// The user with this name, in any case, with what the viewer may know of it.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn user(&self, viewer: Viewer, name: &str) -> Result<Option<User>> {
        let (me, open) = parameters(viewer);
        let sql = format!("SELECT {} FROM account a WHERE a.folded = :name", user_columns());
        let name = folded(name);
        let params: [Param<'_>; 3] = [(":me", &me), (":open", &open), (":name", &name)];
        first(self.connection, &sql, &params, user_of).map_err(failed)
    }

    /// Users whose names contain a text, most pulses or the name first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn users(
        &self,
        viewer: Viewer,
        part: &str,
        (by_pulses, is_descending): (bool, bool),
        (limit, offset): (usize, usize),
    ) -> Result<(u64, Vec<User>)> {
        let (me, open) = parameters(viewer);
        let pattern = format!("%{}%", escaped(&folded(part)));
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let offset = i64::try_from(offset).unwrap_or(i64::MAX);
        let order = match (by_pulses, is_descending) {
            (true, true) => "6 DESC, a.folded",
            (true, false) => "6, a.folded",
            (false, true) => "a.folded DESC",
            (false, false) => "a.folded",
        };
        let found = "a.suspended = 0 AND a.folded LIKE :pattern ESCAPE '!'";
        let sql = format!(
            "SELECT {} FROM account a WHERE {found} ORDER BY {order} LIMIT :limit OFFSET :offset",
            user_columns()
        );
        let counting = format!("SELECT COUNT(*) FROM account a WHERE {found}");
        let params: [Param<'_>; 5] = [
            (":me", &me),
            (":open", &open),
            (":pattern", &pattern),
            (":limit", &limit),
            (":offset", &offset),
        ];
        let total = number(self.connection, &counting, &params).map_err(failed)?;
        Ok((count(total), all(self.connection, &sql, &params, user_of).map_err(failed)?))
    }

    /// The suspended users.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn suspended(&self) -> Result<Vec<User>> {
        let (me, open) = parameters(Viewer::Nobody);
        let columns = user_columns();
        let sql =
            format!("SELECT {columns} FROM account a WHERE a.suspended = 1 ORDER BY a.folded");
        all(self.connection, &sql, &[(":me", &me), (":open", &open)], user_of).map_err(failed)
    }

    /// The digest of a user's password.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn password(&self, name: &str) -> Result<Option<String>> {
        let name = folded(name);
        let sql = "SELECT password FROM account WHERE folded = :name AND suspended = 0";
        let found = first(self.connection, sql, &[(":name", &name)], |row| row.get(0));
        Ok(found.map_err(failed)?.flatten())
    }

    /// How many accounts people can log in to, or have keys.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn count_people(&self) -> Result<u64> {
        let sql = "SELECT COUNT(*) FROM account a WHERE a.password IS NOT NULL \
                   OR EXISTS (SELECT 1 FROM api_key k WHERE k.account = a.id)";
        Ok(count(number(self.connection, sql, &[]).map_err(failed)?))
    }

    /// The keys of a user.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn keys(&self, user: UserId) -> Result<Vec<Key>> {
        let sql = "SELECT id, name, prefix, scopes, created, used FROM api_key \
                   WHERE account = :me ORDER BY id";
        all(self.connection, sql, &[(":me", &user.0)], |row| {
            Ok(Key {
                id: row.get(0)?,
                name: row.get(1)?,
                prefix: row.get(2)?,
                scopes: Scopes(row.get(3)?),
                created: Timestamp(row.get(4)?),
                used: row.get::<Option<i64>>(5)?.map(Timestamp),
            })
        })
        .map_err(failed)
    }

    /// The group with this number, if the viewer may know of it.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn group(&self, viewer: Viewer, group: GroupId) -> Result<Option<Group>> {
        Ok(self.groups_where(viewer, "t.id = :id", group.0)?.into_iter().next())
    }

    /// The groups that the viewer is a member of, and public ones.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn groups(&self, viewer: Viewer) -> Result<Vec<Group>> {
        self.groups_where(viewer, ":id = 0", 0)
    }

    fn groups_where(&self, viewer: Viewer, which: &str, id: i64) -> Result<Vec<Group>> {
        let (me, _) = parameters(viewer);
        let sql = format!(
            "SELECT t.id, t.name, t.description, t.public, t.created, m.rank FROM team t \
             LEFT JOIN member m ON m.team = t.id AND m.account = :me \
             WHERE {which} AND (m.rank IS NOT NULL OR t.public = 1 AND :me > 0) ORDER BY t.id"
        );
        all(self.connection, &sql, &[(":me", &me), (":id", &id)], |row| {
            Ok(Group {
                id: GroupId(row.get(0)?),
                name: row.get(1)?,
                description: row.get(2)?,
                is_public: row.get(3)?,
                created: Timestamp(row.get(4)?),
                rank: row.get::<Option<i64>>(5)?.map(Rank::from_number),
            })
        })
        .map_err(failed)
    }

    /// The members of a group that the viewer is a member of.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn members(&self, group: GroupId) -> Result<Vec<Member>> {
        let sql = "SELECT a.id, a.name, m.rank FROM member m JOIN account a ON a.id = m.account \
                   WHERE m.team = :team ORDER BY m.rank DESC, a.folded";
        all(self.connection, sql, &[(":team", &group.0)], |row| {
            let rank = Rank::from_number(row.get(2)?);
            Ok(Member { user: UserId(row.get(0)?), name: row.get(1)?, rank })
        })
        .map_err(failed)
    }
}

/// A text for LIKE with `!` as escape.
fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

impl Writes<'_> {
    /// Creates an account, and subscribes it to the house's author.
    ///
    /// # Errors
    ///
    /// If the name is invalid or taken; if the storage fails.
    pub fn create_account(&self, new: &NewAccount) -> Outcome<UserId> {
        check_user_name(&new.name).map_err(|why| Denied::invalid("username", why))?;
        let name = folded(&new.name);
        let taken = "SELECT 1 FROM account WHERE folded = :name";
        if number(self.connection, taken, &[(":name", &name)])? != 0 {
            return Err(Denied::invalid("username", "this name is taken"));
        }
        let role = new.role as i64;
        let stamp = self.stamp();
        let sql = "INSERT INTO account (name, folded, email, password, role, created, marked) \
                   VALUES (:name, :folded, :email, :password, :role, :now, :stamp)";
        let id = self.insert(
            sql,
            &[
                (":name", &new.name),
                (":folded", &name),
                (":email", &new.email),
                (":password", &new.password),
                (":role", &role),
                (":now", &self.now.0),
                (":stamp", &stamp),
            ],
        )?;
        let house = "SELECT value FROM state WHERE name = 'house'";
        let house = number(self.connection, house, &[])?;
        if house != 0 {
            self.link_author(UserId(id), UserId(house), true)?;
        }
        self.audit(None, "account.create", &new.name, new.role.name())?;
        Ok(UserId(id))
    }

    /// Makes an account that of the house: whoever comes is subscribed to it.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn set_house(&self, user: UserId) -> Outcome<()> {
        let sql = "INSERT INTO state (name, value) VALUES ('house', :id) \
                   ON CONFLICT (name) DO UPDATE SET value = excluded.value";
        self.run(sql, &[(":id", &user.0)])?;
        Ok(())
    }

    /// The account with this name.
    ///
    /// # Errors
    ///
    /// If there is none, or the storage fails.
    pub fn account(&self, name: &str) -> Outcome<UserId> {
        let name = folded(name);
        let sql = "SELECT id FROM account WHERE folded = :name";
        match number(self.connection, sql, &[(":name", &name)])? {
            0 => Err(Denied::NotFound),
            id => Ok(UserId(id)),
        }
    }

    /// Changes a role.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn set_role(&self, user: UserId, role: Role) -> Outcome<()> {
        let number = role as i64;
        let params: [Param<'_>; 2] = [(":id", &user.0), (":role", &number)];
        self.run("UPDATE account SET role = :role WHERE id = :id", &params)?;
        self.audit(None, "account.role", &user.0.to_string(), role.name())
    }

    /// Sets the digest of a password.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn set_password(&self, user: UserId, digest: &str) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":id", &user.0), (":password", &digest)];
        self.run("UPDATE account SET password = :password WHERE id = :id", &params)?;
        self.audit(Some(user), "account.password", &user.0.to_string(), "")
    }

    /// Suspends an account and hides what it published, or undoes both.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn suspend(&self, user: UserId, is_suspended: bool) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":id", &user.0), (":is", &is_suspended)];
        self.run("UPDATE account SET suspended = :is WHERE id = :id", &params)?;
        // One bit of `held` is for suspensions, the other for moderators.
        self.run(
            "UPDATE pulse SET held = (held & 1) | (:is * 2) WHERE author = :id AND deleted = 0",
            &params,
        )?;
        if is_suspended {
            self.end_sessions(user, None)?;
            self.eject("p.author = :object AND p.deleted = 0", user.0, 0)?;
        } else {
            let ids = "SELECT id FROM pulse WHERE author = :id AND deleted = 0 ORDER BY modified";
            for pulse in all(self.connection, ids, &params, |row| row.get::<i64>(0))? {
                self.stamp_entries(pulse)?;
                let stamp = self.pulse_stamp();
                let params: [Param<'_>; 2] = [(":pulse", &pulse), (":stamp", &stamp)];
                self.run("UPDATE pulse SET modified = :stamp WHERE id = :pulse", &params)?;
            }
        }
        let action = if is_suspended { "account.suspend" } else { "account.resume" };
        self.audit(None, action, &user.0.to_string(), "")
    }

    /// Stores a new key, of which only the digest is given. Answers its number.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn add_key(
        &self,
        user: UserId,
        (name, scopes): (&str, Scopes),
        (prefix, digest): (&str, &[u8; 32]),
    ) -> Outcome<i64> {
        let digest = digest.as_slice();
        let sql = "INSERT INTO api_key (account, name, prefix, digest, scopes, created) \
                   VALUES (:me, :name, :prefix, :digest, :scopes, :now)";
        let params: [Param<'_>; 6] = [
            (":me", &user.0),
            (":name", &name),
            (":prefix", &prefix),
            (":digest", &digest),
            (":scopes", &scopes.0),
            (":now", &self.now.0),
        ];
        let id = self.insert(sql, &params)?;
        self.audit(Some(user), "key.create", prefix, &scopes.names().join(","))?;
        Ok(id)
    }

    /// Revokes a key of a user.
    ///
    /// # Errors
    ///
    /// If the user has no such key; if the storage fails.
    pub fn revoke_key(&self, user: UserId, key: i64) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":me", &user.0), (":id", &key)];
        match self.run("DELETE FROM api_key WHERE account = :me AND id = :id", &params)? {
            0 => Err(Denied::NotFound),
            _ => self.audit(Some(user), "key.revoke", &key.to_string(), ""),
        }
    }

    /// Notes that a key was used.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn use_key(&self, key: i64) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":id", &key), (":now", &self.now.0)];
        self.run("UPDATE api_key SET used = :now WHERE id = :id", &params)?;
        Ok(())
    }

    /// Stores the digest of a one-time link by which somebody takes over an account.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn add_link(&self, user: UserId, digest: &[u8; 32], seconds: i64) -> Outcome<()> {
        let digest = digest.as_slice();
        let expires = self.now.0 + seconds * 1_000_000;
        let params: [Param<'_>; 4] =
            [(":digest", &digest), (":me", &user.0), (":expires", &expires), (":now", &self.now.0)];
        self.run("DELETE FROM link WHERE expires < :now", &params)?;
        self.run(
            "INSERT INTO link (digest, account, expires) VALUES (:digest, :me, :expires)",
            &params,
        )?;
        Ok(())
    }

    /// Uses up a link. Answers whose it was, and its name.
    ///
    /// # Errors
    ///
    /// If it does not exist any more; if the storage fails.
    pub fn use_link(&self, digest: &[u8; 32]) -> Outcome<(UserId, String)> {
        let digest = digest.as_slice();
        let params: [Param<'_>; 2] = [(":digest", &digest), (":now", &self.now.0)];
        let sql = "SELECT a.id, a.name FROM link k JOIN account a ON a.id = k.account \
                   WHERE k.digest = :digest AND k.expires > :now AND a.suspended = 0";
        let found =
            first(self.connection, sql, &params, |row| Ok((UserId(row.get(0)?), row.get(1)?)))?;
        self.run("DELETE FROM link WHERE digest = :digest", &params)?;
        found.ok_or(Denied::NotFound)
    }

    /// Creates a group; its owner is its first member.
    ///
    /// # Errors
    ///
    /// If the name is invalid, or the storage fails.
    pub fn create_group(
        &self,
        owner: UserId,
        (name, description): (&str, &str),
        (is_public, id): (bool, Option<i64>),
    ) -> Outcome<GroupId> {
        check_group_name(name).map_err(|why| Denied::invalid("name", why))?;
        // Names need not be unique: that one is taken would tell of groups that are hidden.
        let params: [Param<'_>; 5] = [
            (":id", &id),
            (":name", &name),
            (":description", &description),
            (":public", &is_public),
            (":now", &self.now.0),
        ];
        let (column, value) = if id.is_some() { ("id, ", ":id, ") } else { ("", "") };
        let sql = format!(
            "INSERT INTO team ({column}name, description, public, created) \
             VALUES ({value}:name, :description, :public, :now)"
        );
        let team = self.insert(&sql, &params)?;
        if id.is_some() {
            self.connection.note_key("team")?;
        }
        self.audit(Some(owner), "group.create", name, "")?;
        self.set_member(GroupId(team), owner, Some(Rank::Owner))?;
        Ok(GroupId(team))
    }

    /// Sets the rank of a member of a group, or removes it.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn set_member(&self, group: GroupId, user: UserId, rank: Option<Rank>) -> Outcome<()> {
        let number = rank.map(|rank| rank as i64);
        let stamp = self.stamp();
        let params: [Param<'_>; 4] =
            [(":team", &group.0), (":me", &user.0), (":rank", &number), (":stamp", &stamp)];
        self.run("DELETE FROM member WHERE team = :team AND account = :me", &params)?;
        if rank.is_some() {
            let sql = "INSERT INTO member (team, account, rank) VALUES (:team, :me, :rank)";
            self.run(sql, &params)?;
        }
        self.run("UPDATE account SET marked = :stamp WHERE id = :me", &params)?;
        self.happens(user, (3, group.0), rank.is_some())?;
        if rank.is_none() {
            self.lose_group(group, user)?;
        }
        let name = rank.map_or("removed", Rank::name);
        self.audit(None, "group.member", &format!("{} {}", group.0, user.0), name)
    }

    /// Tells a former member that the pulses of a group are gone, but those that it still sees.
    fn lose_group(&self, group: GroupId, user: UserId) -> Outcome<()> {
        let stamp = self.stamp();
        let (me, open) = parameters(Viewer::User(user));
        let sql = format!(
            "INSERT INTO happening (account, kind, object, is_subscribe, created) \
             SELECT :me, 1, p.id, 0, :stamp FROM pulse p JOIN pulse_team x ON x.pulse = p.id \
             WHERE x.team = :team AND p.deleted = 0 AND NOT {} \
             ON CONFLICT (account, kind, object) DO UPDATE SET is_subscribe = 0, \
             created = excluded.created",
            visible("p")
        );
        let params: [Param<'_>; 4] =
            [(":me", &me), (":open", &open), (":team", &group.0), (":stamp", &stamp)];
        self.run(&sql, &params)?;
        Ok(())
    }
}
