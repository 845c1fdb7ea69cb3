//! Which record of a batch it was that the receiver refused.

use super::contract::{Outcome, Verdict};
use crate::sensor::spool::RecordRef;

/// What a try with some records came to.
pub(super) enum Tried {
    /// There is an outcome for each.
    Done(Outcome),
    /// One of them is to blame, or all are too much together: in halves they may be taken.
    Halve {
        /// The status of the answer.
        status: u16,
        /// What the receiver says about it.
        reason: String,
    },
}

/// Sends a batch, in halves where it has to be; what is refused alone is refused for good. After
/// trouble that passes nothing more is sent: order counts.
pub(super) fn send(
    batch: &[RecordRef<'_>],
    attempt: &mut dyn FnMut(&[RecordRef<'_>]) -> Tried,
) -> Outcome {
    match attempt(batch) {
        Tried::Done(outcome) => outcome,
        Tried::Halve { status, reason } if batch.len() <= 1 => {
            Outcome::refused(batch.len(), status, &reason)
        }
        Tried::Halve { .. } => {
            let (first, second) = batch.split_at(batch.len() / 2);
            let before = send(first, attempt);
            if before.has_again() {
                let unsent =
                    Outcome { verdicts: vec![Verdict::Again; second.len()], trouble: None };
                return before.and(unsent);
            }
            before.and(send(second, attempt))
        }
    }
}
