//! Pulses are created, changed, deleted and copied.

use super::entries::Changes;
use super::rows::lists_of;
use super::statements::{Param, first, number};
use super::visible::visible_to;
use super::writer::Writes;
use crate::engine::indicator::Tlp;
use crate::exchange::accounts::{GroupId, Rank, UserId, Viewer, random_bytes};
use crate::exchange::pulses::{Draft, Indicator, Lists, Patch, Pulse, PulseId};
use crate::exchange::storage::engine::Words;
use crate::exchange::storage::{Denied, IndicatorQuery, LabelKind, Outcome, Which};
use serde_json::{Map, Value, json};

/// A pulse as it is stored, for changes.
struct Row {
    key: i64,
    author: i64,
    name: String,
    description: String,
    is_public: bool,
    tlp: Tlp,
    adversary: String,
    lists: Lists,
    revision: i64,
    groups: Vec<GroupId>,
}

impl Writes<'_> {
    /// Creates a pulse. Answers it as its author sees it.
    ///
    /// # Errors
    ///
    /// If a group is not one that the author may post to, or the storage fails.
    pub fn create_pulse(
        &self,
        author: UserId,
        draft: &Draft,
        origin: (bool, Option<PulseId>),
    ) -> Outcome<Pulse> {
        let id = PulseId::new(self.now, random_bytes::<8>()?);
        self.create_pulse_as(id, author, draft, origin)
    }

    /// Creates a pulse with an identifier that no other has.
    ///
    /// # Errors
    ///
    /// As [`Writes::create_pulse`].
    pub fn create_pulse_as(
        &self,
        id: PulseId,
        author: UserId,
        draft: &Draft,
        origin: (bool, Option<PulseId>),
    ) -> Outcome<Pulse> {
        Ok(self.create(id, author, draft, origin)?.0)
    }

    /// Creates a pulse. Answers its indicators, too, which need not be read again.
    ///
    /// # Errors
    ///
    /// As [`Writes::create_pulse`].
    pub fn create_pulse_with(
        &self,
        author: UserId,
        draft: Draft,
        origin: (bool, Option<PulseId>),
    ) -> Outcome<(Pulse, Vec<Indicator>)> {
        let id = PulseId::new(self.now, random_bytes::<8>()?);
        let (pulse, added) = self.create(id, author, &draft, origin)?;
        let drafts = draft.indicators.into_iter().zip(added);
        Ok((pulse, drafts.map(|(draft, added)| draft.stored(added, self.now)).collect()))
    }

    fn create(
        &self,
        id: PulseId,
        author: UserId,
        draft: &Draft,
        (is_from_api, cloned_from): (bool, Option<PulseId>),
    ) -> Outcome<(Pulse, Vec<(i64, i64)>)> {
        for group in &draft.groups {
            self.may_post(author, *group)?;
        }
        let text = id.to_string();
        let stamp = self.stamp();
        let lists = lists_text(&draft.lists);
        let cloned_from = cloned_from.map(|id| id.to_string());
        let tlp = draft.tlp as i64;
        let sql = "INSERT INTO pulse (name_id, author, name, description, created, modified, \
                   revision, public, tlp, adversary, lists, cloned_from, from_api) VALUES (:id, \
                   :author, :name, :description, :stamp, :stamp, 1, :public, :tlp, :adversary, \
                   :lists, :cloned, :api)";
        let key = self.insert(
            sql,
            &[
                (":id", &text),
                (":author", &author.0),
                (":name", &draft.name),
                (":description", &draft.description),
                (":stamp", &stamp),
                (":public", &draft.is_public),
                (":tlp", &tlp),
                (":adversary", &draft.adversary),
                (":lists", &lists),
                (":cloned", &cloned_from),
                (":api", &is_from_api),
            ],
        )?;
        self.set_groups(key, &draft.groups)?;
        let added = self.add_entries(key, &draft.indicators, &mut Changes::default())?;
        self.suppress_accepted(key)?;
        self.link_siblings(author, key, &draft.indicators)?;
        self.index(key, (&draft.name, &draft.description, &draft.adversary), &draft.lists)?;
        let patch = json!({"added": draft.indicators.len()}).to_string();
        self.revise(key, (author, 1), &patch, "")?;
        self.touch(key, 1)?;
        Ok((self.shown(author, &id)?, added))
    }

    /// Changes a pulse. Answers it as the user sees it.
    ///
    /// # Errors
    ///
    /// If it does not exist for the user, or is somebody else's; if the change is invalid; if
    /// the storage fails.
    pub fn patch_pulse(&self, user: UserId, id: &PulseId, patch: &Patch) -> Outcome<Pulse> {
        let row = self.own(user, id)?;
        let tlp = patch.tlp.unwrap_or(row.tlp);
        let is_public = patch.is_public.unwrap_or(row.is_public && tlp <= Tlp::Green);
        if is_public && tlp > Tlp::Green {
            let message = format!("a public pulse cannot be {}", tlp.name());
            return Err(Denied::invalid("TLP", message));
        }
        let groups = self.changed_groups(&row, patch, tlp)?;
        let mut lists = row.lists.clone();
        patch.apply_lists(&mut lists);
        let new = Row {
            name: patch.name.clone().unwrap_or_else(|| row.name.clone()),
            description: patch.description.clone().unwrap_or_else(|| row.description.clone()),
            adversary: patch.adversary.clone().unwrap_or_else(|| row.adversary.clone()),
            is_public,
            tlp,
            lists,
            groups,
            author: row.author,
            key: row.key,
            revision: row.revision,
        };
        let before = self.count_active(row.key)?;
        let mut changes = Changes::default();
        self.add_entries(row.key, &patch.add, &mut changes)?;
        if !patch.add.is_empty() {
            self.suppress_accepted(row.key)?;
            self.link_siblings(user, row.key, &patch.add)?;
        }
        self.edit_entries(row.key, &patch.edit, &mut changes)?;
        self.remove_entries(row.key, &patch.remove, &mut changes)?;
        let mut record = differences(&row, &new);
        changes.record(&mut record);
        if record.is_empty() {
            return self.shown(user, id);
        }
        self.store(&new)?;
        if concerns_indicators(&row, &new) {
            self.stamp_entries(row.key)?;
        }
        let revision = row.revision + 1;
        self.revise(row.key, (user, revision), &Value::Object(record).to_string(), &patch.reason)?;
        self.touch(row.key, revision)?;
        if changes.is_suspicious(before) && !patch.is_imported {
            self.hold(row.key, user, "most of its indicators were changed at once")?;
        }
        self.eject_those_who_lost(&row, &new)?;
        self.shown(user, id)
    }

    /// Tells those who do not see a pulse any more after a change of it.
    fn eject_those_who_lost(&self, row: &Row, new: &Row) -> Outcome<()> {
        let lost = row.groups.iter().copied().filter(|group| !new.groups.contains(group));
        let lost: Vec<GroupId> = lost.collect();
        if new.tlp > row.tlp || row.is_public && !new.is_public || !lost.is_empty() {
            self.eject("p.id = :object", row.key, 0)?;
            for group in lost {
                self.eject("p.id = :object", row.key, group.0)?;
            }
        }
        Ok(())
    }

    /// The groups of a pulse after a change, if its author may share it with them, and if a copy
    /// does not become more public than it may.
    fn changed_groups(&self, row: &Row, patch: &Patch, tlp: Tlp) -> Outcome<Vec<GroupId>> {
        let bound = self.bound_of(row.key)?;
        if (tlp as i64) < bound {
            let message = "a copy of somebody else's pulse keeps its TLP, or gets a higher one";
            return Err(Denied::invalid("TLP", message));
        }
        let mut groups = row.groups.clone();
        if let Some(change) = &patch.groups {
            change.apply(&mut groups);
        }
        if bound > 0 && groups.iter().any(|group| !row.groups.contains(group)) {
            self.may_share(row.key)?;
        }
        for group in groups.iter().filter(|group| !row.groups.contains(group)) {
            self.may_post(UserId(row.author), *group)?;
        }
        Ok(groups)
    }

    /// Deletes a pulse. What remains is its identifier, for those that still have it.
    ///
    /// # Errors
    ///
    /// If it does not exist for the user, or is somebody else's; if the storage fails.
    pub fn delete_pulse(&self, user: UserId, id: &PulseId) -> Outcome<()> {
        let row = self.own(user, id)?;
        // Clients that have its objects are told that they are gone, so those must be known for a
        // while: by their values, and by what else identifies them.
        self.remove_all_entries(row.key)?;
        let stamp = self.pulse_stamp();
        let kept = lists_text(&Lists {
            malware_families: row.lists.malware_families,
            attack_ids: row.lists.attack_ids,
            ..Lists::default()
        });
        let key: [Param<'_>; 3] = [(":pulse", &row.key), (":stamp", &stamp), (":lists", &kept)];
        for table in ["revision", "label", "comment", "vote", "suggestion", "sibling"] {
            self.run(&format!("DELETE FROM {table} WHERE pulse = :pulse"), &key)?;
        }
        self.connection.drop_words(row.key)?;
        self.forget_likeness(row.key)?;
        self.run(
            "UPDATE pulse SET deleted = 1, modified = :stamp, name = '', description = '', \
             lists = :lists, cloned_from = NULL WHERE id = :pulse",
            &key,
        )?;
        self.audit(Some(user), "pulse.delete", &id.to_string(), "")
    }

    /// Copies a pulse with its active indicators. The copy keeps the TLP and is never seen by
    /// more than the original: it is public if that is.
    ///
    /// # Errors
    ///
    /// If it does not exist for the user, or its TLP forbids copies; if the storage fails.
    pub fn clone_pulse(&self, user: UserId, id: &PulseId, name: Option<String>) -> Outcome<Pulse> {
        let view = self.view();
        let viewer = Viewer::User(user);
        let pulse = view.pulse(viewer, id)?.ok_or(Denied::NotFound)?;
        if pulse.tlp == Tlp::Red && pulse.author.id != user {
            return Err(Denied::Forbidden("a pulse of TLP red cannot be copied".into()));
        }
        let query = IndicatorQuery { which: Which::Active, ..IndicatorQuery::default() };
        let indicators = view.indicators(pulse.key, &query)?;
        let is_suppressed = indicators.iter().map(|of| of.is_suppressed).collect::<Vec<_>>();
        let mut draft = Draft {
            name: name.unwrap_or_else(|| pulse.name.clone()),
            description: pulse.description,
            is_public: pulse.is_public,
            tlp: pulse.tlp,
            adversary: pulse.adversary,
            lists: pulse.lists,
            groups: pulse.groups.iter().map(|group| group.id).collect(),
            indicators: indicators.into_iter().map(Into::into).collect(),
        };
        for (draft, is_suppressed) in draft.indicators.iter_mut().zip(is_suppressed) {
            draft.is_flagged = is_suppressed;
        }
        draft.groups.retain(|group| self.may_post(user, *group).is_ok());
        let bound = match pulse.author.id == user {
            true => self.bound_of(pulse.key)?,
            false => pulse.tlp as i64,
        };
        let copy = self.create_pulse(user, &draft, (true, Some(*id)))?;
        if bound > 0 {
            self.bind(copy.key, bound)?;
        }
        Ok(copy)
    }

    /// Shares a pulse with a group, or stops to. Whoever may post to the group may share what is
    /// public; anything else only its author.
    ///
    /// # Errors
    ///
    /// If the user may not post to the group or share the pulse; if the storage fails.
    pub fn share(
        &self,
        user: UserId,
        id: &PulseId,
        (group, is_added): (GroupId, bool),
    ) -> Outcome<()> {
        self.may_post(user, group)
            .map_err(|_| Denied::Forbidden("you may not post to this group".into()))?;
        let pulse = self.shown(user, id)?;
        if is_added {
            self.may_share(pulse.key)?;
        }
        if is_added && pulse.author.id != user && !pulse.is_public {
            return Err(Denied::Forbidden("only its author may share this pulse".into()));
        }
        let params: [Param<'_>; 2] = [(":pulse", &pulse.key), (":team", &group.0)];
        let sql = match is_added {
            true => {
                "INSERT INTO pulse_team (pulse, team, place) SELECT :pulse, :team, \
                 1 + COALESCE((SELECT MAX(place) FROM pulse_team WHERE pulse = :pulse), 0) \
                 WHERE TRUE ON CONFLICT (pulse, team) DO NOTHING"
            }
            false => "DELETE FROM pulse_team WHERE pulse = :pulse AND team = :team",
        };
        if self.run(sql, &params)? == 0 {
            return Ok(());
        }
        let revision = i64::from(pulse.revision) + 1;
        let change = if is_added { "shared" } else { "unshared" };
        let patch = json!({change: group.0}).to_string();
        self.revise(pulse.key, (user, revision), &patch, "")?;
        self.touch(pulse.key, revision)?;
        match is_added {
            true => Ok(()),
            false => self.eject("p.id = :object", pulse.key, group.0),
        }
    }

    /// The pulse as the user sees it.
    fn shown(&self, user: UserId, id: &PulseId) -> Outcome<Pulse> {
        self.view().pulse(Viewer::User(user), id)?.ok_or(Denied::NotFound)
    }

    /// A pulse that the user may change.
    fn own(&self, user: UserId, id: &PulseId) -> Outcome<Row> {
        let pulse = self.shown(user, id)?;
        if pulse.author.id != user {
            return Err(Denied::Forbidden("only its author may change a pulse".into()));
        }
        let sql = "SELECT id, author, name, description, public, tlp, adversary, lists, revision \
                   FROM pulse WHERE id = :pulse";
        let row = first(self.connection, sql, &[(":pulse", &pulse.key)], |row| {
            let lists: String = row.get(7)?;
            Ok(Row {
                key: row.get(0)?,
                author: row.get(1)?,
                name: row.get(2)?,
                description: row.get(3)?,
                is_public: row.get(4)?,
                tlp: Tlp::from_number(row.get(5)?).unwrap_or(Tlp::Red),
                adversary: row.get(6)?,
                lists: lists_of(&lists),
                revision: row.get(8)?,
                groups: Vec::new(),
            })
        })?;
        let row = row.ok_or(Denied::NotFound)?;
        Ok(Row { groups: pulse.groups.iter().map(|group| group.id).collect(), ..row })
    }

    /// Stores the new content of a pulse.
    fn store(&self, row: &Row) -> Outcome<()> {
        let lists = lists_text(&row.lists);
        let tlp = row.tlp as i64;
        self.run(
            "UPDATE pulse SET name = :name, description = :description, public = :public, \
             tlp = :tlp, adversary = :adversary, lists = :lists WHERE id = :pulse",
            &[
                (":pulse", &row.key),
                (":name", &row.name),
                (":description", &row.description),
                (":public", &row.is_public),
                (":tlp", &tlp),
                (":adversary", &row.adversary),
                (":lists", &lists),
            ],
        )?;
        self.set_groups(row.key, &row.groups)?;
        self.index(row.key, (&row.name, &row.description, &row.adversary), &row.lists)
    }

    /// The last step of every change: the stamp is higher than those of the indicators.
    pub(super) fn touch(&self, key: i64, revision: i64) -> Outcome<()> {
        let stamp = self.pulse_stamp();
        self.run(
            "UPDATE pulse SET modified = :stamp, revision = :revision WHERE id = :pulse",
            &[(":stamp", &stamp), (":revision", &revision), (":pulse", &key)],
        )?;
        if revision == 1 {
            self.run(
                "UPDATE pulse SET created = :stamp WHERE id = :pulse",
                &[(":stamp", &stamp), (":pulse", &key)],
            )?;
        }
        Ok(())
    }

    pub(super) fn revise(
        &self,
        key: i64,
        (user, number): (UserId, i64),
        patch: &str,
        reason: &str,
    ) -> Outcome<()> {
        self.run(
            "INSERT INTO revision (pulse, number, account, created, patch, reason) \
             VALUES (:pulse, :number, :account, :now, :patch, :reason)",
            &[
                (":pulse", &key),
                (":number", &number),
                (":account", &user.0),
                (":now", &self.now.0),
                (":patch", &patch),
                (":reason", &reason),
            ],
        )?;
        Ok(())
    }

    fn set_groups(&self, key: i64, groups: &[GroupId]) -> Outcome<()> {
        self.run("DELETE FROM pulse_team WHERE pulse = :pulse", &[(":pulse", &key)])?;
        for (place, group) in groups.iter().enumerate() {
            let place = place as i64;
            self.run(
                "INSERT INTO pulse_team (pulse, team, place) VALUES (:pulse, :team, :place)",
                &[(":pulse", &key), (":team", &group.0), (":place", &place)],
            )?;
        }
        Ok(())
    }

    /// Whether a user may share pulses with a group.
    fn may_post(&self, user: UserId, group: GroupId) -> Outcome<()> {
        let sql = "SELECT 1 FROM member WHERE team = :team AND account = :me AND rank >= :rank";
        let rank = Rank::Post as i64;
        let params: [Param<'_>; 3] = [(":team", &group.0), (":me", &user.0), (":rank", &rank)];
        match number(self.connection, sql, &params)? {
            0 => Err(Denied::invalid("group_ids", "you may not post to this group")),
            _ => Ok(()),
        }
    }

    /// Replaces what searches find of a pulse.
    fn index(
        &self,
        key: i64,
        (name, description, adversary): (&str, &str, &str),
        lists: &Lists,
    ) -> Outcome<()> {
        self.run("DELETE FROM label WHERE pulse = :pulse", &[(":pulse", &key)])?;
        let labels = [
            (LabelKind::Tag, lists.tags.as_slice()),
            (LabelKind::Family, &lists.malware_families),
            (LabelKind::Industry, &lists.industries),
            (LabelKind::Country, &lists.targeted_countries),
            (LabelKind::Attack, &lists.attack_ids),
        ];
        let mut text = adversary.to_string();
        let one = [adversary.to_string()];
        let actor = (LabelKind::Adversary, if adversary.is_empty() { &[] } else { &one[..] });
        for (kind, names) in labels.into_iter().chain([actor]) {
            for name in names {
                text.push('\n');
                text.push_str(name);
                let (kind, name) = (kind as u8, name.to_lowercase());
                self.run(
                    "INSERT INTO label (kind, folded, pulse) VALUES (:kind, :name, :pulse) \
                     ON CONFLICT (kind, folded, pulse) DO NOTHING",
                    &[(":kind", &kind), (":name", &name), (":pulse", &key)],
                )?;
            }
        }
        let words = Words { name, labels: &text, text: description };
        Ok(self.connection.put_words(key, words)?)
    }

    /// Tells everybody who had pulses in the feed and does not see them any more that they are
    /// gone. `pulses` is a condition on `p` with `:object`; `team` a group that has lost them.
    pub(super) fn eject(&self, pulses: &str, object: i64, team: i64) -> Outcome<()> {
        let stamp = self.stamp();
        let params: [Param<'_>; 3] = [(":object", &object), (":stamp", &stamp), (":team", &team)];
        let lost = format!(
            "SELECT c.account AS account, c.pulse AS pulse FROM (\
             SELECT s.account AS account, p.id AS pulse FROM pulse p \
             JOIN subscription s ON s.pulse = p.id AND s.state = 1 WHERE {pulses} \
             UNION SELECT l.account, p.id FROM pulse p \
             JOIN author_link l ON l.author = p.author AND l.kind = 1 WHERE {pulses} \
             UNION SELECT m.account, p.id FROM pulse p JOIN member m ON m.team = :team \
             WHERE {pulses}) c JOIN pulse p ON p.id = c.pulse WHERE NOT {}",
            visible_to("p", "c.account", "2")
        );
        self.run(
            &format!(
                "INSERT INTO happening (account, kind, object, is_subscribe, created) \
                 SELECT DISTINCT account, 1, pulse, 0, :stamp FROM ({lost}) l WHERE TRUE \
                 ON CONFLICT (account, kind, object) DO UPDATE SET is_subscribe = 0, \
                 created = excluded.created"
            ),
            &params,
        )?;
        self.run(
            &format!("DELETE FROM subscription WHERE state = 1 AND (account, pulse) IN ({lost})"),
            &params,
        )?;
        self.run(
            &format!(
                "UPDATE pulse AS p SET subscribers = (SELECT COUNT(*) FROM subscription s \
                 WHERE s.pulse = p.id AND s.state = 1) WHERE {pulses}"
            ),
            &params,
        )?;
        Ok(())
    }
}

/// Whether a change of a pulse is one of its indicators: each says these things, too, where it
/// travels alone; and who sees it now asks for what is newer than what it has.
fn concerns_indicators(old: &Row, new: &Row) -> bool {
    let is_wider = new.is_public && !old.is_public
        || new.groups.iter().any(|group| !old.groups.contains(group));
    is_wider
        || new.tlp != old.tlp
        || new.adversary != old.adversary
        || new.lists.malware_families != old.lists.malware_families
        || new.lists.attack_ids != old.lists.attack_ids
}

/// The lists as they are stored.
fn lists_text(lists: &Lists) -> String {
    serde_json::to_string(lists).unwrap_or_default()
}

/// What a change does to everything but indicators: old and new values by name.
fn differences(old: &Row, new: &Row) -> Map<String, Value> {
    let mut record = Map::new();
    let ids = |groups: &[GroupId]| groups.iter().map(|group| group.0).collect::<Vec<_>>();
    let mut note = |name: &str, old: Value, new: Value| {
        if old != new {
            record.insert(name.to_string(), json!([old, new]));
        }
    };
    note("name", json!(old.name), json!(new.name));
    note("description", json!(old.description), json!(new.description));
    note("public", json!(old.is_public), json!(new.is_public));
    note("TLP", json!(old.tlp.name()), json!(new.tlp.name()));
    note("adversary", json!(old.adversary), json!(new.adversary));
    note("group_ids", json!(ids(&old.groups)), json!(ids(&new.groups)));
    let (Ok(Value::Object(before)), Ok(Value::Object(after))) =
        (serde_json::to_value(&old.lists), serde_json::to_value(&new.lists))
    else {
        return record;
    };
    for ((name, old), (_, new)) in before.into_iter().zip(after) {
        note(&name, old, new);
    }
    record
}
