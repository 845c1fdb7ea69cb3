//! What is stored of a flow, in two cache lines.

use super::Ended;
use super::key::{Short, Wide};
use crate::engine::indicator::{self, Timestamp};
use crate::engine::packet::stream::Tcp;
use crate::engine::packet::view::{Close, FlowEnd};
use zerocopy::{FromBytes, Immutable, IntoBytes};

/// The stage of a flow; each stage has its own timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// One side has sent packets.
    Opening = 0,
    /// TCP, and both have.
    Connected = 1,
    /// Both have, of another protocol.
    Answered = 2,
    /// TCP, and it was ended by both or reset by one.
    Ended = 3,
}

pub(super) const STAGES: [Stage; 4] =
    [Stage::Opening, Stage::Connected, Stage::Answered, Stage::Ended];

/// A flow. The fields that each packet needs come first.
#[derive(Clone, Copy, Debug, FromBytes, IntoBytes, Immutable)]
#[repr(C, align(64))]
pub(super) struct Entry {
    /// The short form of its key; if it has none, the `rest` is [`Short::NONE`].
    pub(super) ends: u64,
    pub(super) rest: u64,
    pub(super) id: u64,
    pub(super) packets: u64,
    pub(super) bytes: u64,
    /// Number and time of the last packet.
    pub(super) last: u64,
    pub(super) last_time: i64,
    /// When it was last reported, in turns counted by [`Flows::turn`](super::Flows::turn).
    pub(super) shown: u32,
    /// A [`Stage`].
    pub(super) stage: u8,
    /// A combination of [`bits`].
    pub(super) bits: u8,
    pub(super) unused: [u8; 2],
    pub(super) tcp: Tcp,
    /// The number of its wide key, if it has no short form.
    pub(super) wide: u32,
    /// Number and time of the first packet.
    pub(super) first: u64,
    pub(super) first_time: i64,
    /// Neighbours in the list of its stage.
    pub(super) older: u32,
    pub(super) newer: u32,
    pub(super) rest_of_line: [u8; 8],
}

/// Flags of a flow.
pub(super) mod bits {
    /// Sides that sent packets: the low end, and the high one.
    pub(in super::super) const SPOKE: [u8; 2] = [1, 2];
    /// Sides that sent FIN, or both after RST.
    pub(in super::super) const ENDED: [u8; 2] = [4, 8];
    /// Whether the low end opened it.
    pub(in super::super) const IS_CLIENT_LOW: u8 = 16;
    pub(in super::super) const IS_WANTED: u8 = 32;
    /// Whether the entry is in use.
    pub(in super::super) const IS_OPEN: u8 = 64;
}

impl Entry {
    pub(super) fn has(&self, bits: u8) -> bool {
        self.bits & bits == bits
    }

    pub(super) fn set(&mut self, bits: u8, is_so: bool) {
        self.bits = if is_so { self.bits | bits } else { self.bits & !bits };
    }

    pub(super) fn stage(&self) -> Stage {
        STAGES[usize::from(self.stage) % STAGES.len()]
    }

    pub(super) fn short(&self) -> Short {
        Short { ends: self.ends, rest: self.rest }
    }

    pub(super) fn totals(&self) -> indicator::Flow {
        indicator::Flow {
            packets: self.packets,
            bytes: self.bytes,
            first: self.first,
            last: self.last,
            first_time: Timestamp(self.first_time),
            last_time: Timestamp(self.last_time),
        }
    }

    /// The flow as it is reported when it is closed.
    pub(super) fn ended(&self, key: &Wide, close: Close) -> Ended {
        let is_client_low = self.has(bits::IS_CLIENT_LOW);
        let (client, server) = key.addresses(is_client_low);
        let end = FlowEnd {
            flow_id: self.id,
            client,
            server,
            proto: key.proto(),
            ports: key.ports(is_client_low),
            totals: self.totals(),
            is_wanted: self.has(bits::IS_WANTED),
            close,
        };
        Ended { end, tcp: self.tcp, is_client_low }
    }
}
