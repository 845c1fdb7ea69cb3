//! What was told of a packet already.

use crate::engine::indicator::{Kind, Where};
use crate::engine::packet::Packet;
use hashbrown::HashSet;

/// The observables of the texts that one packet carried: each is told once, in
/// however many texts it stands.
#[derive(Debug, Default)]
pub(super) struct SeenValues {
    /// Number and flow of the packet.
    packet: (u64, u64),
    values: HashSet<(Kind, String, Where)>,
    /// What was told of it as the value of a field.
    fields: HashSet<(Kind, String)>,
}

impl SeenValues {
    /// Notes an observable; answers whether it was not told yet.
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

    /// Notes what was told as the value of a field.
    pub(super) fn note(&mut self, packet: &Packet<'_>, kind: Kind, value: &str) {
        self.turn_to(packet);
        self.fields.insert((kind, value.to_owned()));
    }

    /// Whether it was told as the value of a field.
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
