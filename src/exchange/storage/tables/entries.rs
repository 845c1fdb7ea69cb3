//! The indicators of pulses are added, changed and removed.

use super::statements::{Param, number, run};
use super::writer::Writes;
use crate::engine::indicator::Timestamp;
use crate::exchange::pulses::{Edit, Indicator, IndicatorDraft, MAX_INDICATORS, State};
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

impl IndicatorDraft {
    /// What it became: an indicator with a number and a stamp.
    pub(super) fn stored(self, (id, stamp): (i64, i64), now: Timestamp) -> Indicator {
        let expiration = self.expiry.at(self.kind, now);
        let is_active = self.is_active && expiration.is_none_or(|end| end > now);
        Indicator {
            id,
            kind: self.kind,
            value: self.value,
            norm: self.norm,
            created: now,
            changed: Timestamp(stamp),
            expiration,
            state: if is_active { State::Active } else { State::Inactive },
            is_suppressed: self.is_flagged,
            role: self.role,
            title: self.title,
            description: self.description,
            content: self.content,
        }
    }
}

impl Writes<'_> {
    /// Adds indicators. One that is there already is active again, and takes what is new. Answers
    /// number and stamp of each, in the order of the drafts.
    pub(super) fn add_entries(
        &self,
        pulse: i64,
        drafts: &[IndicatorDraft],
        changes: &mut Changes,
    ) -> Outcome<Vec<(i64, i64)>> {
        let values = self.values_of(drafts)?;
        let added = self.put_entries(pulse, drafts, &values)?;
        changes.added.extend(added.iter().map(|(id, _)| *id));
        if !drafts.is_empty() && self.count_kept(pulse)? > MAX_INDICATORS as i64 {
            let message = format!("a pulse has at most {MAX_INDICATORS} indicators");
            return Err(Denied::invalid("indicators", message));
        }
        Ok(added)
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
        let values = self.values_of(std::slice::from_ref(draft))?;
        values.first().copied().ok_or(Denied::NotFound)
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
