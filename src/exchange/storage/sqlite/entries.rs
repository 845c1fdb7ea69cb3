//! The indicators of pulses are added, changed and removed.

use super::statements::{Param, number, run};
use super::writer::Writes;
use crate::exchange::pulses::{Edit, Indicator, IndicatorDraft, MAX_INDICATORS, reversed_host};
use crate::exchange::storage::{Denied, Outcome};
use serde_json::{Map, Value, json};

/// What a change did to indicators, by their numbers.
#[derive(Default)]
pub(super) struct Changes {
    added: Vec<i64>,
    edited: Vec<i64>,
    removed: Vec<i64>,
}

impl Changes {
    /// Notes it in the record of a revision.
    pub(super) fn record(&self, record: &mut Map<String, Value>) {
        for (name, ids) in
            [("added", &self.added), ("edited", &self.edited), ("removed", &self.removed)]
        {
            if !ids.is_empty() {
                record.insert(name.to_string(), json!(ids));
            }
        }
    }

    /// Whether somebody else should look at it: a large pulse loses more than half of its
    /// indicators, or becomes eleven times as large.
    pub(super) fn is_suspicious(&self, before: i64) -> bool {
        let (added, removed) = (self.added.len() as i64, self.removed.len() as i64);
        before >= 100 && (added > before * 10 || removed * 2 > before)
    }
}

impl From<Indicator> for IndicatorDraft {
    /// The indicator as one to be added elsewhere.
    fn from(indicator: Indicator) -> IndicatorDraft {
        IndicatorDraft {
            kind: indicator.kind,
            value: indicator.value,
            norm: indicator.norm,
            title: indicator.title,
            description: indicator.description,
            content: indicator.content,
            role: indicator.role,
            expiry: indicator.expiration.into(),
            is_active: true,
            is_flagged: indicator.is_suppressed,
            siblings: Vec::new(),
        }
    }
}

impl Writes<'_> {
    /// Adds indicators. One that is there already is active again, and takes what is new.
    pub(super) fn add_entries(
        &self,
        pulse: i64,
        drafts: &[IndicatorDraft],
        changes: &mut Changes,
    ) -> Outcome<()> {
        for draft in drafts {
            let value = self.value_of(draft)?;
            let expiration = draft.expiry.at(draft.kind, self.now).map(|time| time.0);
            let stamp = self.stamp();
            let display = (draft.value != draft.norm).then_some(&draft.value);
            let state = i64::from(!draft.is_active);
            let sql = "INSERT INTO entry (pulse, value, display, created, changed, expiration, \
                       state, suppressed, role, title, description, content) VALUES (:pulse, \
                       :value, :display, :now, :stamp, :expiration, :state, :suppressed, :role, \
                       :title, :description, :content) ON CONFLICT (pulse, value) DO UPDATE SET \
                       changed = excluded.changed, expiration = excluded.expiration, \
                       state = excluded.state, title = excluded.title, role = excluded.role, \
                       description = excluded.description, content = excluded.content RETURNING id";
            let params: [Param<'_>; 12] = [
                (":pulse", &pulse),
                (":value", &value),
                (":display", &display),
                (":now", &self.now.0),
                (":stamp", &stamp),
                (":expiration", &expiration),
                (":state", &state),
                (":suppressed", &draft.is_flagged),
                (":role", &draft.role),
                (":title", &draft.title),
                (":description", &draft.description),
                (":content", &draft.content),
            ];
            changes.added.push(number(self.connection, sql, &params)?);
        }
        if !drafts.is_empty() && self.count_kept(pulse)? > MAX_INDICATORS as i64 {
            let message = format!("a pulse has at most {MAX_INDICATORS} indicators");
            return Err(Denied::invalid("indicators", message));
        }
        Ok(())
    }

    /// Changes indicators of the pulse.
    pub(super) fn edit_entries(
        &self,
        pulse: i64,
        edits: &[Edit],
        changes: &mut Changes,
    ) -> Outcome<()> {
        for edit in edits {
            let stamp = self.stamp();
            let expiration = edit.expiry.map(|expiry| match expiry.at_all() {
                Some(time) => time.0,
                None => -1,
            });
            // A time to come revives, unless the same edit says otherwise.
            let revives = expiration.is_some_and(|end| end < 0 || end > self.now.0);
            let state = match (edit.is_active, revives) {
                (Some(is_active), _) => Some(i64::from(!is_active)),
                (None, true) => Some(0),
                (None, false) => None,
            };
            let sql = "UPDATE entry SET changed = :stamp, title = COALESCE(:title, title), \
                       description = COALESCE(:description, description), \
                       content = COALESCE(:content, content), role = COALESCE(:role, role), \
                       state = COALESCE(:state, state), expiration = CASE WHEN :end IS NULL \
                       THEN expiration WHEN :end < 0 THEN NULL ELSE :end END \
                       WHERE id = :id AND pulse = :pulse AND state <> 2";
            let params: [Param<'_>; 9] = [
                (":stamp", &stamp),
                (":title", &edit.title),
                (":description", &edit.description),
                (":content", &edit.content),
                (":role", &edit.role),
                (":state", &state),
                (":end", &expiration),
                (":id", &edit.id),
                (":pulse", &pulse),
            ];
            if self.run(sql, &params)? == 0 {
                return Err(foreign(edit.id));
            }
            changes.edited.push(edit.id);
        }
        Ok(())
    }

    /// Removes indicators from the pulse. Their rows stay, so that subscribers notice.
    pub(super) fn remove_entries(
        &self,
        pulse: i64,
        ids: &[i64],
        changes: &mut Changes,
    ) -> Outcome<()> {
        for id in ids {
            let stamp = self.stamp();
            let sql = "UPDATE entry SET state = 2, changed = :stamp \
                       WHERE id = :id AND pulse = :pulse AND state <> 2";
            let params: [Param<'_>; 3] = [(":stamp", &stamp), (":id", id), (":pulse", &pulse)];
            if self.run(sql, &params)? == 0 {
                return Err(foreign(*id));
            }
            changes.removed.push(*id);
        }
        Ok(())
    }

    /// Removes all indicators of a pulse that is deleted. What remains is that they were there.
    pub(super) fn remove_all_entries(&self, pulse: i64) -> Outcome<()> {
        self.stamp_entries(pulse)?;
        let sql = "UPDATE entry SET state = 2, title = '', description = '', role = NULL \
                   WHERE pulse = :pulse";
        self.run(sql, &[(":pulse", &pulse)])?;
        Ok(())
    }

    /// Notes that all indicators of a pulse have changed, because the pulse has.
    pub(super) fn stamp_entries(&self, pulse: i64) -> Outcome<()> {
        let sql = "SELECT id FROM entry WHERE pulse = :pulse AND state <> 2 ORDER BY changed";
        let ids = super::statements::all(self.connection, sql, &[(":pulse", &pulse)], |row| {
            row.get::<i64>(0)
        })?;
        for id in ids {
            let stamp = self.stamp();
            let params: [Param<'_>; 2] = [(":id", &id), (":stamp", &stamp)];
            self.run("UPDATE entry SET changed = :stamp WHERE id = :id", &params)?;
        }
        Ok(())
    }

    /// The row of a value; a new one if it has none.
    fn value_of(&self, draft: &IndicatorDraft) -> Outcome<i64> {
        let kind = draft.kind as u8;
        let params: [Param<'_>; 2] = [(":kind", &kind), (":norm", &draft.norm)];
        let find = "SELECT id FROM value WHERE norm = :norm AND kind = :kind";
        let known = number(self.connection, find, &params)?;
        if known != 0 {
            return Ok(known);
        }
        let host = reversed_host(draft.kind, &draft.norm);
        let sql = "INSERT INTO value (kind, norm, host) VALUES (:kind, :norm, :host)";
        let params: [Param<'_>; 3] = [(":kind", &kind), (":norm", &draft.norm), (":host", &host)];
        Ok(self.insert(sql, &params)?)
    }

    /// The number of active indicators of a pulse.
    pub(super) fn count_active(&self, pulse: i64) -> Outcome<i64> {
        let sql = "SELECT COUNT(*) FROM entry WHERE pulse = :pulse AND state = 0";
        Ok(number(self.connection, sql, &[(":pulse", &pulse)])?)
    }

    fn count_kept(&self, pulse: i64) -> Outcome<i64> {
        let sql = "SELECT COUNT(*) FROM entry WHERE pulse = :pulse AND state <> 2";
        Ok(number(self.connection, sql, &[(":pulse", &pulse)])?)
    }

    /// The row of a value that is known, or made so.
    pub(super) fn value_row(&self, draft: &IndicatorDraft) -> Outcome<i64> {
        self.value_of(draft)
    }

    /// Suppresses a value everywhere: 2 as a false positive, 1 as on a warning list, 0 not.
    pub(super) fn set_suppressed(&self, value: i64, state: i64) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":value", &value), (":state", &state)];
        let sql = "SELECT id, pulse FROM entry WHERE value = :value AND suppressed <> :state";
        let rows = super::statements::all(self.connection, sql, &params, |row| {
            Ok((row.get::<i64>(0)?, row.get::<i64>(1)?))
        })?;
        for (entry, pulse) in rows {
            let (stamp, last) = (self.stamp(), self.pulse_stamp());
            let params: [Param<'_>; 5] = [
                (":entry", &entry),
                (":pulse", &pulse),
                (":stamp", &stamp),
                (":last", &last),
                (":state", &state),
            ];
            let sql = "UPDATE entry SET suppressed = :state, changed = :stamp WHERE id = :entry";
            run(self.connection, sql, &params)?;
            run(self.connection, "UPDATE pulse SET modified = :last WHERE id = :pulse", &params)?;
        }
        Ok(())
    }
}

fn foreign(id: i64) -> Denied {
    Denied::invalid("indicators", format!("the pulse has no indicator {id}"))
}
