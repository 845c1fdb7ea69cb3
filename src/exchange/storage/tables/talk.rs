//! What people say about pulses, what sensors report, and what was submitted.

use super::statements::{Param, all, count, failed, first, number};
use super::view::View;
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::{Timestamp, Tlp};
use crate::exchange::accounts::{Role, UserId, Viewer};
use crate::exchange::pulses::{IndicatorDraft, Patch, Pulse, PulseId, Type};
use crate::exchange::storage::{Denied, Outcome};

/// A comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// Its number.
    pub id: i64,
    /// Who.
    pub author: String,
    /// The role of its author.
    pub role: Role,
    /// Since when its author has an account.
    pub since: Timestamp,
    /// When.
    pub created: Timestamp,
    /// What.
    pub text: String,
}

/// A change that somebody suggests to the author of a pulse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// Its number.
    pub id: i64,
    /// Who.
    pub author: String,
    /// When.
    pub created: Timestamp,
    /// The body of the PATCH.
    pub patch: String,
    /// Why.
    pub reason: String,
    /// 0 pending, 1 accepted, 2 rejected.
    pub state: i64,
}

/// Something that a user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number.
    pub id: i64,
    /// When.
    pub created: Timestamp,
    /// `comment`, `mention`, `suggestion`, `suggestion_decided`, `false_positive`, `confirmed`,
    /// `reader`, `group_invitation`.
    pub kind: String,
    /// The pulse that it is about.
    pub pulse: Option<String>,
    /// A sentence or a value.
    pub text: String,
    /// Whether it was seen.
    pub is_seen: bool,
}

/// A URL or a file that somebody submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// The URL, or the name of the file.
    pub name: String,
    /// The SHA-256 of the file.
    pub digest: String,
    /// Its TLP.
    pub tlp: Tlp,
    /// When.
    pub created: Timestamp,
    /// Who.
    pub by: UserId,
}

/// An alert that a sensor of the user reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// When it was received.
    pub created: Timestamp,
    /// The record, as the sensor sent it.
    pub body: String,
}

/// How often a value was seen on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting {
    /// The day, in days since 1970.
    pub day: i64,
    /// How often.
    pub count: u64,
}

impl View<'_> {
    /// Comments of a pulse that was found for a viewer, the oldest first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn comments(&self, pulse: i64, (limit, offset): (usize, usize)) -> Result<Vec<Comment>> {
        let sql = "SELECT c.id, a.name, c.created, c.text, a.role, a.created FROM comment c \
                   JOIN account a ON a.id = c.account WHERE c.pulse = :pulse \
                   ORDER BY c.id LIMIT :limit OFFSET :offset";
        let (limit, offset) = (bounded(limit), bounded(offset));
        let params: [Param<'_>; 3] = [(":pulse", &pulse), (":limit", &limit), (":offset", &offset)];
        all(self.connection, sql, &params, |row| {
            Ok(Comment {
                id: row.get(0)?,
                author: row.get(1)?,
                role: Role::from_number(row.get(4)?),
                since: Timestamp(row.get(5)?),
                created: Timestamp(row.get(2)?),
                text: row.get(3)?,
            })
        })
        .map_err(failed)
    }

    /// Suggestions for a pulse: all of them for its author, otherwise the viewer's own.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn suggestions(
        &self,
        user: UserId,
        pulse: &Pulse,
        (limit, offset): (usize, usize),
    ) -> Result<Vec<Suggestion>> {
        let sql = "SELECT s.id, a.name, s.created, s.patch, s.reason, s.state FROM suggestion s \
                   JOIN account a ON a.id = s.account WHERE s.pulse = :pulse \
                   AND (:all = 1 OR s.account = :me) ORDER BY s.id DESC LIMIT :limit OFFSET :offset";
        let is_author = pulse.author.id == user;
        let (limit, offset) = (bounded(limit), bounded(offset));
        let params: [Param<'_>; 5] = [
            (":pulse", &pulse.key),
            (":all", &is_author),
            (":me", &user.0),
            (":limit", &limit),
            (":offset", &offset),
        ];
        all(self.connection, sql, &params, |row| {
            Ok(Suggestion {
                id: row.get(0)?,
                author: row.get(1)?,
                created: Timestamp(row.get(2)?),
                patch: row.get(3)?,
                reason: row.get(4)?,
                state: row.get(5)?,
            })
        })
        .map_err(failed)
    }

    /// What a user should know, the newest first, without pulses that it does not see any more.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn notices(&self, user: UserId, (limit, offset): (usize, usize)) -> Result<Vec<Notice>> {
        let (me, open) = super::visible::parameters(Viewer::User(user));
        let sql = format!(
            "SELECT n.id, n.created, n.kind, p.name_id, n.text, n.seen FROM notice n \
             LEFT JOIN pulse p ON p.id = n.pulse WHERE n.account = :me \
             AND (n.pulse IS NULL OR {}) ORDER BY n.id DESC LIMIT :limit OFFSET :offset",
            super::visible::visible("p")
        );
        let (limit, offset) = (bounded(limit), bounded(offset));
        let params: [Param<'_>; 4] =
            [(":me", &me), (":open", &open), (":limit", &limit), (":offset", &offset)];
        all(self.connection, &sql, &params, |row| {
            Ok(Notice {
                id: row.get(0)?,
                created: Timestamp(row.get(1)?),
                kind: row.get(2)?,
                pulse: row.get(3)?,
                text: row.get(4)?,
                is_seen: row.get(5)?,
            })
        })
        .map_err(failed)
    }

    /// What a user submitted: URLs (1) or files (2), the newest first, and how many there are.
    /// Of files, only those with some digests, if there are any.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn submissions(
        &self,
        user: UserId,
        (kind, digests): (i64, &[String]),
        (limit, offset): (usize, usize),
    ) -> Result<(u64, Vec<Submission>)> {
        let digests = serde_json::to_string(digests).unwrap_or_default();
        let (limit, offset) = (bounded(limit), bounded(offset));
        let params: [Param<'_>; 5] = [
            (":me", &user.0),
            (":kind", &kind),
            (":digests", &digests),
            (":limit", &limit),
            (":offset", &offset),
        ];
        let which = format!(
            "account = :me AND kind = :kind AND (:digests = '[]' OR digest IN {})",
            self.connection.texts_of(":digests")
        );
        let counting = format!("SELECT COUNT(*) FROM submission WHERE {which}");
        let page = format!(
            "SELECT name, digest, tlp, created FROM submission WHERE {which} \
             ORDER BY id DESC LIMIT :limit OFFSET :offset"
        );
        let total = number(self.connection, &counting, &params).map_err(failed)?;
        let found = all(self.connection, &page, &params, |row| {
            Ok(Submission {
                name: row.get(0)?,
                digest: row.get(1)?,
                tlp: Tlp::from_number(row.get(2)?).unwrap_or(Tlp::Red),
                created: Timestamp(row.get(3)?),
                by: user,
            })
        });
        Ok((count(total), found.map_err(failed)?))
    }

    /// The alerts that the user's sensors reported, the newest first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn alerts(&self, user: UserId, (limit, offset): (usize, usize)) -> Result<Vec<Alert>> {
        let sql = "SELECT created, body FROM alert WHERE account = :me \
                   ORDER BY created DESC, name_id LIMIT :limit OFFSET :offset";
        let (limit, offset) = (bounded(limit), bounded(offset));
        let params: [Param<'_>; 3] = [(":me", &user.0), (":limit", &limit), (":offset", &offset)];
        all(self.connection, sql, &params, |row| {
            Ok(Alert { created: Timestamp(row.get(0)?), body: row.get(1)? })
        })
        .map_err(failed)
    }

    /// How often a value was seen, by day, the newest first.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn sightings_by_day(&self, (kind, norm): (Type, &str)) -> Result<Vec<Sighting>> {
        let kind = kind as u8;
        let sql = "SELECT s.day, SUM(s.count) FROM sighting s JOIN value v ON v.id = s.value \
                   WHERE v.norm = :norm AND v.kind = :kind GROUP BY s.day ORDER BY s.day DESC \
                   LIMIT 90";
        all(self.connection, sql, &[(":norm", &norm), (":kind", &kind)], |row| {
            Ok(Sighting { day: row.get(0)?, count: count(row.get(1)?) })
        })
        .map_err(failed)
    }
}

/// A limit or offset for SQL.
fn bounded(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl Writes<'_> {
    /// A pulse that the user sees.
    fn seen(&self, user: UserId, id: &PulseId) -> Outcome<Pulse> {
        self.view().pulse(Viewer::User(user), id)?.ok_or(Denied::NotFound)
    }

    /// Comments a pulse. Its author, and those that are mentioned as `@name` and see it, are
    /// notified. Answers the number of the comment.
    ///
    /// # Errors
    ///
    /// If the pulse does not exist for the user; if the storage fails.
    pub fn comment(&self, user: UserId, id: &PulseId, text: &str) -> Outcome<i64> {
        let pulse = self.seen(user, id)?;
        let params: [Param<'_>; 4] =
            [(":pulse", &pulse.key), (":me", &user.0), (":now", &self.now.0), (":text", &text)];
        let comment = self.insert(
            "INSERT INTO comment (pulse, account, created, text) VALUES (:pulse, :me, :now, :text)",
            &params,
        )?;
        self.run("UPDATE pulse SET comments = comments + 1 WHERE id = :pulse", &params)?;
        if pulse.author.id != user {
            self.notify(pulse.author.id, ("comment", Some(pulse.key)), text)?;
        }
        for name in mentions(text) {
            if let Ok(mentioned) = self.account(name)
                && mentioned != user
                && self.view().pulse(Viewer::User(mentioned), id)?.is_some()
            {
                self.notify(mentioned, ("mention", Some(pulse.key)), text)?;
            }
        }
        Ok(comment)
    }

    /// Deletes a comment: its author or that of the pulse may.
    ///
    /// # Errors
    ///
    /// If it does not exist, or is somebody else's; if the storage fails.
    pub fn delete_comment(&self, user: UserId, id: &PulseId, comment: i64) -> Outcome<()> {
        let pulse = self.seen(user, id)?;
        let is_author = pulse.author.id == user;
        let params: [Param<'_>; 4] =
            [(":pulse", &pulse.key), (":id", &comment), (":me", &user.0), (":all", &is_author)];
        let sql = "DELETE FROM comment WHERE id = :id AND pulse = :pulse \
                   AND (:all = 1 OR account = :me)";
        if self.run(sql, &params)? == 0 {
            return Err(Denied::NotFound);
        }
        self.run("UPDATE pulse SET comments = comments - 1 WHERE id = :pulse", &params)?;
        self.audit(Some(user), "comment.delete", &comment.to_string(), "")
    }

    /// Votes on a pulse of somebody else: 1, -1, or 0 to take a vote back.
    ///
    /// # Errors
    ///
    /// If the pulse does not exist for the user, or is its own; if the storage fails.
    pub fn vote(&self, user: UserId, id: &PulseId, vote: i8) -> Outcome<Pulse> {
        let pulse = self.seen(user, id)?;
        if pulse.author.id == user {
            return Err(Denied::Forbidden("you cannot vote on your own pulse".into()));
        }
        let params: [Param<'_>; 4] =
            [(":pulse", &pulse.key), (":me", &user.0), (":vote", &vote), (":now", &self.now.0)];
        self.run("DELETE FROM vote WHERE pulse = :pulse AND account = :me", &params)?;
        if vote != 0 {
            let weight = self.weight_of(user)?;
            let mut params = params.to_vec();
            params.push((":weight", &weight));
            self.run(
                "INSERT INTO vote (pulse, account, vote, weight, created) \
                 VALUES (:pulse, :me, :vote, :weight, :now)",
                &params,
            )?;
        }
        self.run(
            "UPDATE pulse SET upvotes = (SELECT COUNT(*) FROM vote v WHERE v.pulse = :pulse \
             AND v.vote > 0), downvotes = (SELECT COUNT(*) FROM vote v WHERE v.pulse = :pulse \
             AND v.vote < 0), score = (SELECT COALESCE(SUM(v.vote * v.weight), 0) FROM vote v \
             WHERE v.pulse = :pulse) WHERE id = :pulse",
            &params,
        )?;
        self.seen(user, id)
    }

    /// Suggests a change of a pulse to its author.
    ///
    /// # Errors
    ///
    /// If the pulse does not exist for the user; if the storage fails.
    pub fn suggest(
        &self,
        user: UserId,
        id: &PulseId,
        (patch, reason): (&str, &str),
    ) -> Outcome<i64> {
        let pulse = self.seen(user, id)?;
        let suggestion = self.insert(
            "INSERT INTO suggestion (pulse, account, created, patch, reason, state) \
             VALUES (:pulse, :me, :now, :patch, :reason, 0)",
            &[
                (":pulse", &pulse.key),
                (":me", &user.0),
                (":now", &self.now.0),
                (":patch", &patch),
                (":reason", &reason),
            ],
        )?;
        self.notify(pulse.author.id, ("suggestion", Some(pulse.key)), reason)?;
        Ok(suggestion)
    }

    /// The body of a pending suggestion, for the author of the pulse.
    ///
    /// # Errors
    ///
    /// If it does not exist for the user, or is decided; if the storage fails.
    pub fn suggested(&self, user: UserId, id: &PulseId, suggestion: i64) -> Outcome<String> {
        let pulse = self.seen(user, id)?;
        if pulse.author.id != user {
            return Err(Denied::Forbidden("only the author of the pulse may decide".into()));
        }
        let sql = "SELECT patch FROM suggestion WHERE id = :id AND pulse = :pulse AND state = 0";
        let params: [Param<'_>; 2] = [(":id", &suggestion), (":pulse", &pulse.key)];
        first(self.connection, sql, &params, |row| row.get(0))?.ok_or(Denied::NotFound)
    }

    /// Decides a suggestion: applies it, or not.
    ///
    /// # Errors
    ///
    /// As for [`Writes::suggested`] and [`Writes::patch_pulse`].
    pub fn decide_suggestion(
        &self,
        user: UserId,
        id: &PulseId,
        (suggestion, patch): (i64, Option<&Patch>),
    ) -> Outcome<()> {
        self.suggested(user, id, suggestion)?;
        if let Some(patch) = patch {
            self.patch_pulse(user, id, patch)?;
        }
        let is_accepted = patch.is_some();
        let state = if is_accepted { 1 } else { 2 };
        let params: [Param<'_>; 3] =
            [(":id", &suggestion), (":state", &state), (":now", &self.now.0)];
        self.run("UPDATE suggestion SET state = :state, decided = :now WHERE id = :id", &params)?;
        let sql = "SELECT account, pulse FROM suggestion WHERE id = :id";
        let found = first(self.connection, sql, &params, |row| {
            Ok((UserId(row.get(0)?), row.get::<i64>(1)?))
        })?;
        if let Some((by, pulse)) = found {
            if is_accepted {
                self.run(
                    "UPDATE account SET accepted_edits = accepted_edits + 1 WHERE id = :me",
                    &[(":me", &by.0)],
                )?;
            }
            let text = if is_accepted { "accepted" } else { "rejected" };
            self.notify(by, ("suggestion_decided", Some(pulse)), text)?;
        }
        Ok(())
    }

    /// Tells a user something.
    pub(super) fn notify(
        &self,
        user: UserId,
        (kind, pulse): (&str, Option<i64>),
        text: &str,
    ) -> Outcome<()> {
        let text: String = text.chars().take(200).collect();
        self.run(
            "INSERT INTO notice (account, created, kind, pulse, text) \
             VALUES (:me, :now, :kind, :pulse, :text)",
            &[
                (":me", &user.0),
                (":now", &self.now.0),
                (":kind", &kind),
                (":pulse", &pulse),
                (":text", &text),
            ],
        )?;
        Ok(())
    }

    /// Marks notices up to a number as seen.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn see_notices(&self, user: UserId, last: i64) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":me", &user.0), (":last", &last)];
        self.run("UPDATE notice SET seen = 1 WHERE account = :me AND id <= :last", &params)?;
        Ok(())
    }

    /// Records a submission of a URL (1) or a file (2). Answers whether it is new.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn submit(
        &self,
        user: UserId,
        kind: i64,
        (name, digest, tlp): (&str, &str, Tlp),
    ) -> Outcome<bool> {
        let tlp = tlp as i64;
        let rows = self.run(
            "INSERT INTO submission (account, kind, name, digest, tlp, created) \
             VALUES (:me, :kind, :name, :digest, :tlp, :now) \
             ON CONFLICT DO NOTHING",
            &[
                (":me", &user.0),
                (":kind", &kind),
                (":name", &name),
                (":digest", &digest),
                (":tlp", &tlp),
                (":now", &self.now.0),
            ],
        )?;
        Ok(rows > 0)
    }

    /// Sets the TLP of submissions: of URLs by name, of files by digest. Answers how many.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn set_submission_tlp(
        &self,
        user: UserId,
        (kind, name): (i64, &str),
        tlp: Tlp,
    ) -> Outcome<usize> {
        let tlp = tlp as i64;
        let sql = "UPDATE submission SET tlp = :tlp WHERE account = :me AND kind = :kind \
                   AND (:kind = 1 AND name = :name OR :kind = 2 AND digest = :name)";
        let params: [Param<'_>; 4] =
            [(":tlp", &tlp), (":me", &user.0), (":kind", &kind), (":name", &name)];
        Ok(self.run(sql, &params)?)
    }

    /// Stores an alert of a sensor, each id once. Answers whether it is new.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn add_alert(&self, user: UserId, id: &str, body: &str) -> Outcome<bool> {
        let sql = "INSERT INTO alert (account, name_id, created, body) \
                   VALUES (:me, :id, :now, :body) ON CONFLICT (account, name_id) DO NOTHING";
        let params: [Param<'_>; 4] =
            [(":me", &user.0), (":id", &id), (":now", &self.now.0), (":body", &body)];
        Ok(self.run(sql, &params)? > 0)
    }

    /// Sets how often a user's sensors saw a value on a day: the higher of two numbers counts,
    /// so that a report that is sent twice is no harm.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn add_sighting(
        &self,
        user: UserId,
        draft: &IndicatorDraft,
        (day, times): (i64, u32),
    ) -> Outcome<()> {
        let value = self.value_row(draft)?;
        self.run(
            "INSERT INTO sighting (value, account, day, count) \
             VALUES (:value, :me, :day, :count) ON CONFLICT (value, account, day) \
             DO UPDATE SET count = excluded.count \
             WHERE sighting.count < excluded.count",
            &[(":value", &value), (":me", &user.0), (":day", &day), (":count", &times)],
        )?;
        Ok(())
    }
}

/// The names after `@` in a text, ten at most.
fn mentions(text: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut names: Vec<&str> = Vec::new();
    for part in text.split('@').skip(1) {
        let end = part.find(|c| !is_name(c)).unwrap_or(part.len());
        let name = part[..end].trim_end_matches('.');
        if !name.is_empty() && !names.contains(&name) && names.len() < 10 {
            names.push(name);
        }
    }
    names
}
