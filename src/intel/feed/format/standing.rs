//! Whether the values of a row or a record hold.

use crate::engine::indicator::{Reason, Scope};
use crate::intel::feed::contexts::Shared;
use crate::intel::feed::intake::Intake;

/// Why a list, a row or a record is no longer valid, and the words that say so.
pub(super) type Gone = (Reason, String);

/// What all values of a row or a record have in common: their context, and why they do not hold,
/// if so.
pub(super) struct Standing<'r> {
    pub(super) gone: Option<&'r Gone>,
    pub(super) context: &'r Shared,
}

impl Standing<'_> {
    /// Rejects a value that does not hold. False if it does.
    pub(super) fn rejects(&self, value: &str, intake: &mut Intake<'_>) -> bool {
        let Some((reason, detail)) = self.gone else { return false };
        intake.reject(value, *reason, Some(detail.clone()));
        true
    }

    /// Takes what several columns or members say together, if it holds.
    pub(super) fn take(&self, text: &str, intake: &mut Intake<'_>) {
        if !self.rejects(text, intake) {
            intake.guessed(text, Scope::Exact, self.context);
        }
    }
}
