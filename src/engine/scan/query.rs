//! What a database is asked.

use crate::engine::indicator::{Kind, Observable, Timestamp, Where};

/// One observable, and what decides which claims count for it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Query<'q> {
    /// What was seen.
    pub(super) observable: Observable<'q>,
    /// Where it was seen.
    pub(super) at: Where,
    /// The kinds that the place allows, if it says.
    pub(super) kinds: Option<&'q [Kind]>,
    /// The time that validity is judged at.
    pub(super) time: Timestamp,
}

impl<'q> Query<'q> {
    /// A question about something else at the same time, of any kind.
    #[inline]
    pub(super) fn about(&self, observable: Observable<'q>, at: Where) -> Query<'q> {
        Query { observable, at, kinds: None, time: self.time }
    }
}
