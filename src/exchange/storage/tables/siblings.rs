//! Digests of the same file: who knows one finds the others.
//!
//! That two digests belong together is the claim of a pulse, and is seen by those who see the
//! pulse; or it was computed of a file that somebody submitted, and is seen by that account.

use super::rows::kind_of;
use super::statements::{Param, all, failed};
use super::view::View;
use super::visible::{parameters, visible};
use super::writer::Writes;
use crate::engine::error::Result;
use crate::exchange::accounts::{UserId, Viewer};
use crate::exchange::pulses::{IndicatorDraft, Type};
use crate::exchange::storage::Outcome;

/// Claims about one digest that are looked at.
const CLAIMS: i64 = 50;

impl View<'_> {
    /// A digest, and after it the other digests of the file, as the viewer may know: one of each
    /// type, for a file has no two. Of a value of another type, the value alone.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn siblings(&self, viewer: Viewer, of: (Type, &str)) -> Result<Vec<(Type, String)>> {
        let mut found = vec![(of.0, of.1.to_string())];
        let (me, open) = parameters(viewer);
        let sql = format!(
            "SELECT w.kind, w.norm FROM value v JOIN sibling s ON s.value = v.id \
             JOIN value w ON w.id = s.other WHERE v.norm = :norm AND v.kind = :kind \
             AND (s.pulse = 0 AND s.account = :me OR EXISTS (SELECT 1 FROM pulse p \
             WHERE p.id = s.pulse AND {})) ORDER BY s.other LIMIT {CLAIMS}",
            visible("p")
        );
        let mut at = 0;
        while let Some((kind, norm)) = found.get(at).cloned().filter(|of| of.0.is_file_digest()) {
            at += 1;
            let kind = kind as u8;
            let params: [Param<'_>; 4] =
                [(":norm", &norm), (":kind", &kind), (":me", &me), (":open", &open)];
            let others = all(self.connection, &sql, &params, |row| {
                Ok((kind_of(row.get(0)?), row.get::<String>(1)?))
            });
            for other in others.map_err(failed)? {
                // Of two claims that contradict each other, the first one found counts.
                if !found.iter().any(|of| of.0 == other.0) {
                    found.push(other);
                }
            }
        }
        Ok(found)
    }
}

impl Writes<'_> {
    /// Notes which digests belong together, as the indicators of a pulse say.
    pub(super) fn link_siblings(
        &self,
        user: UserId,
        pulse: i64,
        drafts: &[IndicatorDraft],
    ) -> Outcome<()> {
        for draft in drafts.iter().filter(|draft| !draft.siblings.is_empty()) {
            let own = (draft.kind, draft.norm.as_str());
            let others = draft.siblings.iter().map(|(kind, norm)| (*kind, norm.as_str()));
            let all: Vec<(Type, &str)> = std::iter::once(own).chain(others).collect();
            self.link(user, pulse, &all)?;
        }
        Ok(())
    }

    /// Notes the digests of a file that a user submitted.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn link_file(&self, user: UserId, digests: &[(Type, &str)]) -> Outcome<()> {
        self.link(user, 0, digests)
    }

    fn link(&self, user: UserId, pulse: i64, digests: &[(Type, &str)]) -> Outcome<()> {
        let mut values = Vec::new();
        for (kind, norm) in digests {
            if let Ok(draft) = IndicatorDraft::new(*kind, norm) {
                values.push(self.value_row(&draft)?);
            }
        }
        for value in &values {
            for other in values.iter().filter(|other| *other != value) {
                let params: [Param<'_>; 4] =
                    [(":value", value), (":other", other), (":pulse", &pulse), (":me", &user.0)];
                self.run(
                    "INSERT INTO sibling (value, other, pulse, account) \
                     VALUES (:value, :other, :pulse, :me) \
                     ON CONFLICT (value, other, pulse, account) DO NOTHING",
                    &params,
                )?;
            }
        }
        Ok(())
    }
}
