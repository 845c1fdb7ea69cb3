//! What was told of a packet already.

use crate::indicator::{Kind, Where};
use crate::packet::Packet;
use hashbrown::HashSet;

/// The observables of the texts that one packet carried: each is told once, in
/// however many texts it stands.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Number and flow of the packet.
    packet: (u64, u64),
    values: HashSet<(Kind, String, Where)>,
}

impl Told {
    /// Notes an observable; answers whether it was not told yet.
    pub(super) fn is_new(
        &mut self,
        packet: &Packet<'_>,
        kind: Kind,
        value: &str,
        at: Where,
    ) -> bool {
        let place = (packet.number, packet.flow_id);
        if self.packet != place {
            self.packet = place;
            self.values.clear();
        }
        self.values.insert((kind, value.to_owned(), at))
    }
}
