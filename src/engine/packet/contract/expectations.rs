//! Connections that another connection announces, as FTP does for its data.
//!
//! An announcement names an address and port at which a connection will be accepted, and the host
//! it was made to. It only applies to a connection with that host: nobody can announce what
//! others send to each other. It expires after a while, by the packets' time; the number of
//! announcements is bounded, and the oldest is dropped.

use crate::engine::indicator::Timestamp;
use crate::engine::packet::{Packet, Ports};
use crate::engine::progress::bound;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::net::IpAddr;

/// Announcements that are kept.
const MAX_EXPECTATIONS: usize = bound(4096, 8);

/// Microseconds from an announcement to the first bytes of its connection.
pub(in crate::engine::packet) const TIMEOUT: i64 = 120 * 1_000_000;

/// Where a connection will be accepted, and by which host it will be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(in crate::engine::packet) struct End {
    pub(in crate::engine::packet) address: IpAddr,
    pub(in crate::engine::packet) port: u16,
    pub(in crate::engine::packet) peer: IpAddr,
}

/// What is known about the contents of a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Transfer {
    /// The name of the file, if it has one.
    pub(in crate::engine::packet) name: Option<Box<[u8]>>,
    /// The announced number of bytes.
    pub(in crate::engine::packet) size: Option<u64>,
    /// A listing, a part of a file, or a compressed one: not a complete file.
    pub(in crate::engine::packet) is_other: bool,
    /// Text with the line ends of the wire.
    pub(in crate::engine::packet) is_text: bool,
}

#[derive(Debug)]
struct Entry {
    transfer: Transfer,
    time: Timestamp,
    serial: u64,
}

/// All announcements.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct Expectations {
    entries: HashMap<End, Entry>,
    order: VecDeque<(End, u64)>,
    serial: u64,
}

impl Expectations {
    /// Announces a connection, or adds details to an announcement.
    pub(in crate::engine::packet) fn put(&mut self, end: End, transfer: Transfer, time: Timestamp) {
        self.serial += 1;
        let serial = self.serial;
        self.entries.insert(end, Entry { transfer, time, serial });
        self.order.push_back((end, serial));
        while self.order.len() > MAX_EXPECTATIONS
            && let Some((end, serial)) = self.order.pop_front()
        {
            if self.entries.get(&end).is_some_and(|entry| entry.serial == serial) {
                self.entries.remove(&end);
            }
        }
    }

    /// The announcement for an end.
    pub(in crate::engine::packet) fn get_mut(&mut self, end: End) -> Option<&mut Transfer> {
        self.entries.get_mut(&end).map(|entry| &mut entry.transfer)
    }

    /// The announced end of a packet, if there is one.
    pub(in crate::engine::packet) fn find(&self, packet: &Packet<'_>) -> Option<End> {
        if self.entries.is_empty() {
            return None;
        }
        let Ports::Pair(src, dst) = packet.ports else { return None };
        let ends = [
            End { address: packet.dst, port: dst, peer: packet.src },
            End { address: packet.src, port: src, peer: packet.dst },
        ];
        ends.into_iter().find(|end| {
            self.entries
                .get(end)
                .is_some_and(|entry| packet.time.0.abs_diff(entry.time.0) <= TIMEOUT.unsigned_abs())
        })
    }

    /// Removes an announcement.
    pub(in crate::engine::packet) fn remove(&mut self, end: End) -> Option<Transfer> {
        self.entries.remove(&end).map(|entry| entry.transfer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    #[test]
    fn the_oldest_goes() {
        let mut announced = Expectations::default();
        let address = |at: u32| IpAddr::V4(Ipv4Addr::from_bits(at));
        let end =
            |at: usize| End { address: address(at as u32 / 2), port: at as u16, peer: address(1) };
        for at in 0..3 * MAX_EXPECTATIONS {
            announced.put(end(at), Transfer::default(), Timestamp(0));
            announced.put(end(0), Transfer::default(), Timestamp(0));
        }
        assert!(announced.entries.len() <= MAX_EXPECTATIONS);
        assert_eq!(announced.order.len(), MAX_EXPECTATIONS);
        assert!(announced.get_mut(end(3 * MAX_EXPECTATIONS - 1)).is_some());
        assert!(announced.get_mut(end(1)).is_none());
        assert!(announced.remove(end(0)).is_some());
        assert!(announced.remove(end(0)).is_none());
    }
}
