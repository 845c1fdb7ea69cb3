//! What met an observable and did not alert, claim by claim.
//!
//! Counters say how many observables a reason held back; whose claims these were is only kept if
//! somebody asks, since it takes a list for each observable.

use crate::engine::indicator::Reason;
use hashbrown::HashMap;

/// The claims that an observable met: the number of the context, and why the claim did not
/// alert, or `None` if it did.
pub type HeldClaims = Vec<(u32, Option<Reason>)>;

/// Observables that met claims which did not alert, by these claims.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldBack(HashMap<HeldClaims, u64>);

impl HeldBack {
    /// Counts an observable.
    pub(super) fn add(&mut self, mut claims: HeldClaims) {
        if claims.iter().any(|(_, reason)| reason.is_some()) {
            claims.sort_unstable();
            claims.dedup();
            *self.0.entry(claims).or_default() += 1;
        }
    }

    /// The lists of claims, and how many observables met each, in no particular order.
    pub fn iter(&self) -> impl Iterator<Item = (&HeldClaims, u64)> {
        self.0.iter().map(|(claims, count)| (claims, *count))
    }
}
