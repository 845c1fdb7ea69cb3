//! What was already reported of a packet.

use crate::engine::indicator::{Kind, Where};
use crate::engine::packet::Packet;
use hashbrown::HashSet;

/// The observables of the texts that one packet carried: each is reported once, no matter in how
/// many texts it occurs.
#[derive(Debug, Default)]
pub(super) struct SeenValues {
    /// Number and flow of the packet.
    packet: (u64, u64),
    values: HashSet<(Kind, String, Where)>,
    /// What was reported as the value of a field.
    fields: HashSet<(Kind, String)>,
}

impl SeenValues {
    /// Records an observable; returns whether it is new.
    pub(super) fn is_new(
        &mut self,
        packet: &Packet<'_>,
        kind: Kind,
        value: &str,
        at: Where,
    ) -> bool {
        self.turn_to(packet);
        self.values.insert((kind, value.to_owned(), at))
    }

    /// Records what was reported as the value of a field.
    pub(super) fn note(&mut self, packet: &Packet<'_>, kind: Kind, value: &str) {
        self.turn_to(packet);
        self.fields.insert((kind, value.to_owned()));
    }

    /// Whether it was reported as the value of a field.
    pub(super) fn is_field(&mut self, packet: &Packet<'_>, kind: Kind, value: &str) -> bool {
        self.turn_to(packet);
        !self.fields.is_empty() && self.fields.contains(&(kind, value.to_owned()))
    }

    fn turn_to(&mut self, packet: &Packet<'_>) {
        let place = (packet.number, packet.flow_id);
        if self.packet != place {
            self.packet = place;
            self.values.clear();
            self.fields.clear();
        }
    }
}
