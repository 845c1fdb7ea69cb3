//! Which pulse of ours is which pulse of a source.
//!
//! A pulse keeps its identifier if that has our form. So what comes back to the exchange where it
//! was written, through others that import from it, is recognised there and not imported again:
//! exchanges may import from each other in any circle. Otherwise the identifier follows from the
//! account and the identifier at the source.

use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::UserId;
use crate::exchange::pulses::{Pulse, PulseId};
use crate::exchange::storage::View;
use std::collections::HashMap;
use xxhash_rust::xxh3::xxh3_128;

/// How often a pulse may be gone and come back while its tombstones are kept.
const LIVES: u8 = 16;

/// Where a pulse of a source goes.
pub(super) enum Target {
    /// To this pulse of ours.
    Known(Box<Pulse>),
    /// To a new one with this identifier.
    New(PulseId),
    /// Nowhere: somebody else published it here.
    Elsewhere,
}

/// The pulses of a source's account.
pub(super) struct Targets {
    account: UserId,
    name: String,
    own: HashMap<PulseId, Pulse>,
}

impl Targets {
    pub(super) fn new(account: UserId, name: &str, own: Vec<Pulse>) -> Targets {
        let own = own.into_iter().map(|pulse| (pulse.id, pulse)).collect();
        Targets { account, name: name.to_string(), own }
    }

    /// Where a part of a pulse goes. Each pulse is given away once.
    ///
    /// # Errors
    ///
    /// The storage fails.
    pub(super) fn of(&mut self, view: &View<'_>, origin: &str, part: usize) -> Result<Target> {
        let original = (part == 0).then(|| PulseId::parse(origin)).flatten();
        let derived = (0..LIVES).map(|life| derived(&self.name, origin, part, life));
        let ids: Vec<PulseId> = original.into_iter().chain(derived).collect();
        if let Some(pulse) = ids.iter().find_map(|id| self.own.remove(id)) {
            return Ok(Target::Known(Box::new(pulse)));
        }
        for id in ids {
            match view.owner_of(&id)? {
                None => return Ok(Target::New(id)),
                Some(owner) if owner != self.account => return Ok(Target::Elsewhere),
                // A tombstone of ours: the source has it again.
                Some(_) => {}
            }
        }
        Ok(Target::Elsewhere)
    }

    /// The pulses that the source does not have any more.
    pub(super) fn rest(self) -> Vec<PulseId> {
        let mut rest: Vec<PulseId> = self.own.into_keys().collect();
        rest.sort_unstable();
        rest
    }
}

/// The identifier that a pulse gets which has none of our form.
fn derived(name: &str, origin: &str, part: usize, life: u8) -> PulseId {
    let hash = xxh3_128(format!("{name}\0{origin}\0{part}\0{life}").as_bytes());
    let [a, b, c, d, rest @ ..] = hash.to_be_bytes();
    let seconds = i64::from(u32::from_be_bytes([a, b, c, d]));
    let mut tail = [0; 8];
    tail.copy_from_slice(&rest[..8]);
    PulseId::new(Timestamp(seconds * 1_000_000), tail)
}
