//! Whether the values of a row or record are still valid.

use crate::engine::indicator::{Reason, Scope};
use crate::intel::feed::contexts::Shared;
use crate::intel::feed::intake::Intake;

/// Why a list, a row or a record is no longer valid, and the words that say so.
pub(super) type Gone = (Reason, String);

/// What all values of a row or record have in common: their context, and why they are no longer
/// valid, if so.
pub(super) struct Standing<'r> {
    pub(super) gone: Option<&'r Gone>,
    pub(super) context: &'r Shared,
}

impl Standing<'_> {
    /// Rejects a value that is no longer valid. Returns false if it is valid.
    pub(super) fn rejects(&self, value: &str, intake: &mut Intake<'_>) -> bool {
        let Some((reason, detail)) = self.gone else { return false };
        intake.reject(value, *reason, Some(detail.clone()));
        true
    }

    /// Passes on what several columns or members form together, if it is valid.
    pub(super) fn take(&self, text: &str, intake: &mut Intake<'_>) {
        if !self.rejects(text, intake) {
            intake.guessed(text, Scope::Exact, self.context);
        }
    }
}
