//! Finds the record of a batch that the receiver refused.

use super::contract::{Outcome, Verdict};
use crate::sensor::spool::RecordRef;

/// The result of an attempt with some records.
pub(super) enum Tried {
    /// There is a verdict for each.
    Done(Outcome),
    /// One of them is to blame, or they are too large together: halves may be accepted.
    Halve {
        /// The status of the response.
        status: u16,
        /// The receiver's explanation.
        reason: String,
    },
}

/// Sends a batch, in halves if necessary; a record that is refused alone is permanently refused.
/// After a temporary error nothing more is sent, to keep the order.
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
                let unsent = Outcome { verdicts: vec![Verdict::Again; second.len()], error: None };
                return before.and(unsent);
            }
            before.and(send(second, attempt))
        }
    }
}
