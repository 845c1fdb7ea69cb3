//! What was already reported of a packet.

use crate::engine::indicator::{Kind, Where};
use crate::engine::packet::Packet;
use crate::engine::scan::Seen;
use hashbrown::{HashMap, HashSet};

/// The observables of the texts of one message, or of a packet that contains no messages: each is
/// reported once, no matter in how many texts it occurs.
#[derive(Debug, Default)]
pub(super) struct SeenValues {
    /// Number and flow of the packet.
    packet: (u64, u64),
    values: HashSet<(Kind, String, Where)>,
    /// What was reported as the value of a field.
    fields: HashSet<(Kind, String)>,
    /// How many hits of each observable there were in the packet.
    hits: HashMap<(Kind, String, Where, String), u32>,
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

    /// What follows is in another message, though perhaps in the same packet.
    pub(super) fn begin_message(&mut self) {
        self.values.clear();
        self.fields.clear();
    }

    /// Counts a hit; returns how many of the same observable came before it in the packet.
    pub(super) fn count(&mut self, packet: &Packet<'_>, seen: &Seen) -> u32 {
        self.turn_to(packet);
        let field = seen.field.as_deref().unwrap_or_default().to_owned();
        let hits =
            self.hits.entry((seen.kind, seen.value.to_string(), seen.at, field)).or_default();
        std::mem::replace(hits, hits.saturating_add(1))
    }

    fn turn_to(&mut self, packet: &Packet<'_>) {
        let place = (packet.number, packet.flow_id);
        if self.packet != place {
            self.packet = place;
            self.values.clear();
            self.fields.clear();
            self.hits.clear();
        }
    }
}
