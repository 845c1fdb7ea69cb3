//! How sure an export is of an indicator.
//!
//! Pulses have no such number, as in the API of OTX. What the exchange knows is who says it, and
//! whether somebody else does: 50 for a member, 70 for a trusted author, and 20 more if another
//! author has the value in a pulse that every account may see.

use crate::exchange::accounts::Role;

/// The confidence of the entry `e`, from 50 to 90.
pub(super) fn confidence() -> String {
    format!(
        "(CASE WHEN (SELECT ca.role FROM pulse cp JOIN account ca ON ca.id = cp.author \
         WHERE cp.id = e.pulse) >= {} THEN 70 ELSE 50 END + CASE WHEN EXISTS (SELECT 1 \
         FROM entry ce JOIN pulse cq ON cq.id = ce.pulse WHERE ce.value = e.value \
         AND ce.state = 0 AND ce.suppressed = 0 AND cq.deleted = 0 AND cq.held = 0 \
         AND cq.public = 1 AND cq.tlp <= 2 AND cq.author <> (SELECT cp.author FROM pulse cp \
         WHERE cp.id = e.pulse)) THEN 20 ELSE 0 END)",
        Role::Trusted as i64
    )
}
