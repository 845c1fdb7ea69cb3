//! Named readers: accounts that the author of a pulse lets see it, whatever its TLP.

use super::statements::{Param, all, failed, number};
use super::view::View;
use super::visible::{parameters, selected, selected_number, visible};
use super::writer::Writes;
use crate::engine::error::Result;
use crate::engine::indicator::Tlp;
use crate::exchange::accounts::{UserId, Viewer};
use crate::exchange::pulses::PulseId;
use crate::exchange::storage::{Denied, Outcome, Selection};
use serde_json::json;

/// Named readers of a pulse.
const MAX_READERS: i64 = 100;

impl View<'_> {
    /// The names of the readers of a pulse; for its author alone.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn readers(&self, pulse: i64) -> Result<Vec<String>> {
        let sql = "SELECT a.name FROM pulse_reader r JOIN account a ON a.id = r.account \
                   WHERE r.pulse = :pulse ORDER BY a.folded";
        all(self.connection, sql, &[(":pulse", &pulse)], |row| row.get(0)).map_err(failed)
    }

    /// The identifiers of pulses of a selection that few may see and that are not the viewer's
    /// own, 50 at most: that they were read is recorded.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn sensitive(&self, viewer: Viewer, selection: Selection) -> Result<Vec<String>> {
        let (me, open) = parameters(viewer);
        let of = selected_number(selection);
        let sql = format!(
            "SELECT p.name_id FROM pulse p WHERE p.tlp > 2 AND p.author <> :me AND {} AND {} \
             ORDER BY p.modified DESC LIMIT 50",
            visible("p"),
            selected(selection)
        );
        let params: [Param<'_>; 3] = [(":me", &me), (":open", &open), (":selected", &of)];
        all(self.connection, &sql, &params, |row| row.get(0)).map_err(failed)
    }
}

impl Writes<'_> {
    /// Names a reader of a pulse, or takes the name back. Answers whether that changed anything.
    ///
    /// # Errors
    ///
    /// If the pulse does not exist for the user, is somebody else's, or a copy that may not be
    /// shared further; if there is no such account; if the storage fails.
    pub fn set_reader(
        &self,
        user: UserId,
        id: &PulseId,
        (name, is_added): (&str, bool),
    ) -> Outcome<bool> {
        let pulse = self.view().pulse(Viewer::User(user), id)?.ok_or(Denied::NotFound)?;
        if pulse.author.id != user {
            return Err(Denied::Forbidden("only its author may name readers of a pulse".into()));
        }
        let reader = self.account(name)?;
        if reader == user {
            return Err(Denied::invalid("name", "this is yourself"));
        }
        let params: [Param<'_>; 2] = [(":pulse", &pulse.key), (":reader", &reader.0)];
        let count = "SELECT COUNT(*) FROM pulse_reader WHERE pulse = :pulse";
        let before = number(self.connection, count, &params)?;
        let sql = match is_added {
            true => {
                self.may_share(pulse.key)?;
                if before >= MAX_READERS {
                    let why = format!("a pulse has at most {MAX_READERS} named readers");
                    return Err(Denied::invalid("name", why));
                }
                "INSERT INTO pulse_reader (pulse, account) VALUES (:pulse, :reader) \
                 ON CONFLICT (pulse, account) DO NOTHING"
            }
            false => "DELETE FROM pulse_reader WHERE pulse = :pulse AND account = :reader",
        };
        if self.run(sql, &params)? == 0 {
            return Ok(false);
        }
        // Whoever sees the pulse sees its revisions: they count readers and do not name them.
        let after = number(self.connection, count, &params)?;
        let revision = i64::from(pulse.revision) + 1;
        let change = json!({"readers": [before, after]}).to_string();
        self.revise(pulse.key, (user, revision), &change, "")?;
        if is_added {
            // Whoever sees it now asks for what is newer than what it has.
            self.stamp_entries(pulse.key)?;
            self.notify(reader, ("reader", Some(pulse.key)), &pulse.name)?;
        }
        self.touch(pulse.key, revision)?;
        if !is_added {
            self.eject("p.id = :object", pulse.key, 0)?;
        }
        let action = if is_added { "pulse.reader" } else { "pulse.reader.remove" };
        self.audit(Some(user), action, &id.to_string(), name)?;
        Ok(true)
    }

    /// Whether a pulse may be shown to more people: not a copy of somebody else's that was for
    /// few.
    pub(super) fn may_share(&self, pulse: i64) -> Outcome<()> {
        match self.bound_of(pulse)? > Tlp::Green as i64 {
            true => Err(Denied::Forbidden(
                "this is a copy of a pulse that was shared with few: it may not be shared further"
                    .into(),
            )),
            false => Ok(()),
        }
    }

    /// The lowest TLP that a pulse may have, as a number.
    pub(super) fn bound_of(&self, pulse: i64) -> Outcome<i64> {
        let sql = "SELECT bound FROM pulse WHERE id = :pulse";
        Ok(number(self.connection, sql, &[(":pulse", &pulse)])?)
    }

    /// Notes that a pulse is a copy of somebody else's, which may not become more public.
    pub(super) fn bind(&self, pulse: i64, tlp: i64) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":pulse", &pulse), (":tlp", &tlp)];
        self.run("UPDATE pulse SET bound = :tlp WHERE id = :pulse", &params)?;
        Ok(())
    }
}
