//! The flow table: which hosts talk to each other, since when, and how much.
//!
//! The [`Entry`] of each flow is in memory that does not move; keys of IPv6 and of tunnels are
//! stored separately. A hash table of entry numbers finds them, and each entry is in one list per
//! [`Stage`], ordered by its last packet. A flow is moved to the end of its list at most once in
//! about a second of packet time: this limits the precision of the order, but a busy flow doesn't
//! touch its neighbours' memory for every packet.
//!
//! The packet's own time is the only clock. It may jump: a flow is idle when the time of its last
//! packet differs from now by more than its timeout, in either direction.

mod entry;
mod index;
mod key;
mod shared;
mod slab;

use crate::engine::indicator::{self, Timestamp};
use crate::engine::memory;
use crate::engine::packet::stream::Tcp;
use crate::engine::packet::view::{Close, FlowEnd};
use crate::engine::packet::wire::transport::{ACK, FIN, RST, SYN, TCP};
use crate::engine::packet::{Config, Ports};
use entry::{Entry, STAGES, Stage, bits};
use index::Index;
use key::{Key, Seeds, Short, Wide};
use slab::{Pool, Slab};
use std::net::IpAddr;
use std::sync::Arc;

pub use shared::SharedFlows;

/// No entry: the end of a list.
const NIL: u32 = u32::MAX;

const SECOND: i64 = 1_000_000;

/// A flow is moved in its list at most once in two to the power of this many microseconds.
const TICK: u32 = 20;

/// What the table needs to know about a packet.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::packet) struct PacketFacts {
    pub(in crate::engine::packet) number: u64,
    pub(in crate::engine::packet) time: Timestamp,
    pub(in crate::engine::packet) length: u32,
    pub(in crate::engine::packet) src: IpAddr,
    pub(in crate::engine::packet) dst: IpAddr,
    pub(in crate::engine::packet) proto: u8,
    pub(in crate::engine::packet) ports: Ports,
    /// TCP flags.
    pub(in crate::engine::packet) flags: u8,
    /// The VLAN, if it is part of the key; otherwise 0.
    pub(in crate::engine::packet) vlan: u16,
    /// The tunnels, if they are part of the key; otherwise 0.
    pub(in crate::engine::packet) tunnel: u64,
}

/// The ends of one list.
#[derive(Clone, Copy, Debug)]
struct List {
    oldest: u32,
    newest: u32,
    count: usize,
}

const NO_LISTS: [List; STAGES.len()] = [List { oldest: NIL, newest: NIL, count: 0 }; STAGES.len()];

/// A flow that was closed, with the remains of its streams.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::packet) struct Ended {
    pub(in crate::engine::packet) end: FlowEnd,
    pub(in crate::engine::packet) tcp: Tcp,
    /// Whether side 0 of its streams is the client.
    pub(in crate::engine::packet) is_client_low: bool,
}

/// The flow that a packet was counted in.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::packet) struct Touch {
    slot: u32,
    /// Which side of the flow sent it: 0 is the low end of the key.
    pub(in crate::engine::packet) side: usize,
    pub(in crate::engine::packet) is_new: bool,
    pub(in crate::engine::packet) is_wanted: bool,
    /// The flow is old, and was not reported since flows are to be reported again.
    pub(in crate::engine::packet) is_to_be_shown: bool,
}

/// What is known about a packet's flow.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::packet) struct Known {
    pub(in crate::engine::packet) flow_id: u64,
    pub(in crate::engine::packet) to_server: bool,
    pub(in crate::engine::packet) totals: indicator::Flow,
}

/// The table.
#[derive(Debug)]
pub(in crate::engine::packet) struct Flows {
    index: Index,
    seeds: Seeds,
    entries: Slab<Entry>,
    /// Keys that have no short form.
    wide: Pool<Wide>,
    /// Freed entries, chained by `newer`.
    free: u32,
    lists: [List; STAGES.len()],
    timeouts: [u64; STAGES.len()],
    max: usize,
    /// When idle flows were last searched.
    swept: Timestamp,
    /// How often all flows had to be reported again.
    turn: u32,
    /// Those of other decoders, too, if there are any.
    shared: Option<Arc<SharedFlows>>,
}

impl Flows {
    pub(in crate::engine::packet) fn new(config: &Config) -> Self {
        let seconds = |seconds: u32| u64::from(seconds) * SECOND.unsigned_abs();
        Flows {
            index: Index::new(),
            seeds: Seeds::new(),
            entries: Slab::new(),
            wide: Pool::new(),
            free: NIL,
            lists: NO_LISTS,
            timeouts: [
                seconds(config.opening_timeout),
                seconds(config.connected_timeout),
                seconds(config.answered_timeout),
                seconds(config.ended_timeout),
            ],
            max: config.max_flows.clamp(1, NIL as usize - 1),
            swept: NEVER,
            turn: 0,
            shared: None,
        }
    }

    /// Tells other decoders which flows are opened, and learns of theirs.
    pub(in crate::engine::packet) fn share(&mut self, shared: Arc<SharedFlows>) {
        self.shared = Some(shared);
    }

    /// Reports all flows again, each with its next packet.
    pub(in crate::engine::packet) fn turn(&mut self) {
        self.turn = self.turn.wrapping_add(1);
    }

    /// Flows that are open.
    pub(in crate::engine::packet) fn len(&self) -> usize {
        self.index.len()
    }

    /// Counts a packet in its flow, which it may open; flows that it ends are passed to `closed`
    /// first.
    #[inline(always)]
    pub(in crate::engine::packet) fn touch(
        &mut self,
        facts: &PacketFacts,
        closed: &mut impl FnMut(&Ended),
    ) -> Touch {
        self.sweep(facts.time, closed);
        let (key, is_forward) = Key::new(facts);
        let side = usize::from(!is_forward);
        let hash = key.hash(&self.seeds);
        if let Some(slot) = self.find(&key, hash) {
            match self.proceed(slot, facts, side) {
                Ok(touch) => return touch,
                Err(close) => self.close(slot, close, closed),
            }
        }
        if self.index.len() >= self.max {
            self.evict(facts.time, closed);
        }
        self.open(&key, hash, facts, side)
    }

    /// Whether a packet's flow is open, or another decoder has it.
    pub(in crate::engine::packet) fn knows(&self, facts: &PacketFacts) -> bool {
        let (key, _) = Key::new(facts);
        self.find(&key, key.hash(&self.seeds)).is_some()
            || self.shared.as_ref().is_some_and(|shared| shared.has(&key))
    }

    // Without the attribute, the compiler does not inline this and two other functions that run
    // for each packet, at a cost of 40 instructions together (`valgrind --tool=callgrind` on
    // 30,000 packets of `make packets`).
    #[inline(always)]
    fn find(&self, key: &Key, hash: u32) -> Option<u32> {
        match key {
            Key::Short(short) => self.index.find(hash, |slot| {
                self.entries.get(slot).is_some_and(|entry| entry.short() == *short)
            }),
            Key::Wide(wide) => self.index.find(hash, |slot| self.wide_key(slot) == Some(wide)),
        }
    }

    /// Whether there are so many open flows that prefetching them pays off.
    #[inline(always)]
    pub(in crate::engine::packet) fn is_large(&self) -> bool {
        self.index.is_large()
    }

    /// Prefetches the table cell of a packet's flow, whose transport header begins with `ports`.
    /// Returns the argument for [`Self::expect_entry`], to prefetch the flow itself once the cell
    /// is in the cache.
    #[inline(always)]
    pub(in crate::engine::packet) fn prefetch(
        &self,
        src: IpAddr,
        dst: IpAddr,
        vlan: u16,
        proto: u8,
        ports: [u8; 4],
    ) -> u32 {
        let hash = self.seeds.early(src, dst, vlan, proto, ports);
        self.index.prefetch(hash);
        hash
    }

    /// Prefetches a flow whose table cell was prefetched.
    #[inline(always)]
    pub(in crate::engine::packet) fn expect_entry(&self, hash: u32) {
        if let Some(entry) = self.index.likely(hash).and_then(|slot| self.entries.get(slot)) {
            memory::prefetch(&entry.ends);
            memory::prefetch(&entry.first);
        }
    }

    /// The key of a flow, if it has no short form.
    fn wide_key(&self, slot: u32) -> Option<&Wide> {
        let entry = self.entries.get(slot).filter(|entry| entry.rest == Short::NONE)?;
        self.wide.get(entry.wide)
    }

    fn key(&self, slot: u32) -> Key {
        match self.wide_key(slot) {
            Some(wide) => Key::Wide(*wide),
            None => Key::Short(self.entries[slot].short()),
        }
    }

    /// Sets whether later packets of a flow are reported.
    pub(in crate::engine::packet) fn set_wanted(&mut self, touch: &Touch, is_wanted: bool) {
        self.entries[touch.slot].set(bits::IS_WANTED, is_wanted);
    }

    /// The TCP state of a flow.
    pub(in crate::engine::packet) fn tcp(&mut self, touch: &Touch) -> &mut Tcp {
        &mut self.entries[touch.slot].tcp
    }

    /// Closes every flow, in the order of their first packets.
    pub(in crate::engine::packet) fn finish(&mut self, closed: &mut impl FnMut(&Ended)) {
        let open = self.entries.iter().filter(|(_, entry)| entry.has(bits::IS_OPEN));
        let mut slots: Vec<(u64, u32)> = open.map(|(slot, entry)| (entry.first, slot)).collect();
        slots.sort_unstable();
        for (_, slot) in slots {
            closed(&self.ended(slot, Close::Finished));
        }
        self.index = Index::new();
        self.entries.clear();
        self.wide.clear();
        self.free = NIL;
        self.lists = NO_LISTS;
    }

    fn ended(&self, slot: u32, close: Close) -> Ended {
        self.entries[slot].ended(&self.key(slot).wide(), close)
    }

    fn open(&mut self, key: &Key, hash: u32, facts: &PacketFacts, side: usize) -> Touch {
        // A SYN-ACK means that its receiver opened the flow; otherwise the first sender did.
        let is_answer = facts.proto == TCP && facts.flags & (SYN | ACK) == SYN | ACK;
        let (new_bits, stage) = step(0, side, facts);
        let (short, wide) = match key {
            Key::Short(short) => (*short, NIL),
            Key::Wide(wide) => (Short { ends: 0, rest: Short::NONE }, self.wide.put(*wide)),
        };
        let is_client_low = (side == 0) != is_answer;
        let entry = Entry {
            ends: short.ends,
            rest: short.rest,
            id: key.id(facts.number),
            packets: 1,
            bytes: u64::from(facts.length),
            last: facts.number,
            last_time: facts.time.0,
            shown: self.turn,
            stage: stage as u8,
            bits: bits::IS_OPEN | new_bits | if is_client_low { bits::IS_CLIENT_LOW } else { 0 },
            unused: [0; 2],
            tcp: Tcp::default(),
            wide,
            first: facts.number,
            first_time: facts.time.0,
            older: NIL,
            newer: NIL,
            rest_of_line: [0; 8],
        };
        let slot = if self.free == NIL {
            self.entries.push(entry)
        } else {
            let slot = self.free;
            let place = &mut self.entries[slot];
            let next = place.newer;
            *place = entry;
            self.free = next;
            slot
        };
        self.index.insert(hash, slot);
        self.link(slot, stage);
        if let Some(shared) = &self.shared {
            shared.note(key);
        }
        Touch { slot, side, is_new: true, is_wanted: false, is_to_be_shown: false }
    }

    /// What is known about the flow of a packet that was counted.
    pub(in crate::engine::packet) fn known(&self, touch: &Touch) -> Known {
        let entry = &self.entries[touch.slot];
        Known {
            flow_id: entry.id,
            to_server: (touch.side == 0) == entry.has(bits::IS_CLIENT_LOW),
            totals: entry.totals(),
        }
    }

    /// Adds a packet to a flow, unless the flow ended before.
    #[inline(always)]
    fn proceed(&mut self, slot: u32, facts: &PacketFacts, side: usize) -> Result<Touch, Close> {
        let entry = &mut self.entries[slot];
        let before = entry.stage();
        if facts.time.0.abs_diff(entry.last_time) > self.timeouts[before as usize] {
            return Err(Close::Idle);
        }
        let is_syn = facts.flags & (SYN | ACK | RST) == SYN;
        if is_syn && before == Stage::Ended {
            return Err(Close::Reused);
        }
        let is_other_tick = entry.last_time >> TICK != facts.time.0 >> TICK;
        entry.packets += 1;
        entry.bytes += u64::from(facts.length);
        entry.last = facts.number;
        entry.last_time = facts.time.0;
        let (new_bits, stage) = step(entry.bits, side, facts);
        entry.bits |= new_bits;
        let is_to_be_shown = std::mem::replace(&mut entry.shown, self.turn) != self.turn;
        let is_wanted = entry.has(bits::IS_WANTED);
        if is_other_tick || stage != before {
            self.unlink(slot);
            self.link(slot, stage);
        }
        Ok(Touch { slot, side, is_new: false, is_wanted, is_to_be_shown })
    }

    fn idle_for(&self, slot: u32, now: Timestamp) -> u64 {
        now.0.abs_diff(self.entries[slot].last_time)
    }

    /// Whether a flow is idle, by a clock as coarse as the order of its list: as long as time
    /// does not go back, which flows a sweep closes then does not depend on others in the list.
    fn is_idle(&self, slot: u32, now: Timestamp) -> bool {
        let entry = &self.entries[slot];
        let moved = entry.last_time >> TICK << TICK;
        now.0.abs_diff(moved) > self.timeouts[entry.stage() as usize] + (1 << TICK)
    }

    /// Once a second, closes idle flows, starting with the oldest.
    #[inline(always)]
    pub(in crate::engine::packet) fn sweep(
        &mut self,
        now: Timestamp,
        closed: &mut impl FnMut(&Ended),
    ) {
        if is_due(&mut self.swept, now) {
            self.close_idle(now, closed);
        }
    }

    fn close_idle(&mut self, now: Timestamp, closed: &mut impl FnMut(&Ended)) {
        for stage in STAGES {
            loop {
                let oldest = self.lists[stage as usize].oldest;
                if oldest == NIL || !self.is_idle(oldest, now) {
                    break;
                }
                self.close(oldest, Close::Idle, closed);
            }
        }
    }

    /// Makes room. If more than half of the flows are unanswered, the oldest of them is evicted:
    /// a flood displaces itself and not established flows. Otherwise, of the oldest flows of each
    /// stage, the one that has used up most of its timeout.
    fn evict(&mut self, now: Timestamp, closed: &mut impl FnMut(&Ended)) {
        let opening = self.lists[Stage::Opening as usize];
        if opening.count * 2 > self.index.len() {
            return self.close(opening.oldest, Close::Evicted, closed);
        }
        let oldest = self.lists.map(|list| list.oldest).into_iter().filter(|&slot| slot != NIL);
        let worst = oldest.max_by_key(|&slot| {
            let timeout = self.timeouts[self.entries[slot].stage() as usize].max(1);
            u128::from(self.idle_for(slot, now)) * 1_000_000 / u128::from(timeout)
        });
        if let Some(slot) = worst {
            self.close(slot, Close::Evicted, closed);
        }
    }

    fn close(&mut self, slot: u32, close: Close, closed: &mut impl FnMut(&Ended)) {
        self.unlink(slot);
        let ended = self.ended(slot, close);
        self.index.remove(self.key(slot).hash(&self.seeds), slot);
        if self.wide_key(slot).is_some() {
            self.wide.free(self.entries[slot].wide);
        }
        let free = self.free;
        let entry = &mut self.entries[slot];
        (entry.newer, entry.bits) = (free, 0);
        self.free = slot;
        closed(&ended);
    }

    /// Adds an entry at the newest end of a list.
    fn link(&mut self, slot: u32, stage: Stage) {
        let list = &mut self.lists[stage as usize];
        list.count += 1;
        let before = std::mem::replace(&mut list.newest, slot);
        if before == NIL {
            list.oldest = slot;
        } else {
            self.entries[before].newer = slot;
        }
        let entry = &mut self.entries[slot];
        (entry.older, entry.newer, entry.stage) = (before, NIL, stage as u8);
    }

    fn unlink(&mut self, slot: u32) {
        let Entry { older, newer, .. } = self.entries[slot];
        let stage = self.entries[slot].stage();
        let list = &mut self.lists[stage as usize];
        list.count -= 1;
        if older == NIL {
            list.oldest = newer;
        }
        if newer == NIL {
            list.newest = older;
        }
        if older != NIL {
            self.entries[older].newer = newer;
        }
        if newer != NIL {
            self.entries[newer].older = older;
        }
    }
}

/// The flow's bits after a packet, and its stage.
fn step(before: u8, side: usize, facts: &PacketFacts) -> (u8, Stage) {
    let mut new_bits = bits::SPOKE[side];
    if facts.flags & FIN != 0 {
        new_bits |= bits::ENDED[side];
    }
    // A reset ends both directions at once.
    if facts.flags & RST != 0 {
        new_bits |= bits::ENDED[0] | bits::ENDED[1];
    }
    let all = |both: [u8; 2]| (before | new_bits) & (both[0] | both[1]) == both[0] | both[1];
    let stage = if all(bits::ENDED) {
        Stage::Ended
    } else if !all(bits::SPOKE) {
        Stage::Opening
    } else if facts.proto == TCP {
        Stage::Connected
    } else {
        Stage::Answered
    };
    (new_bits, stage)
}

/// Before any packet.
pub(in crate::engine::packet) const NEVER: Timestamp = Timestamp(i64::MIN);

/// Whether idle flows are to be searched now, because they were not since `swept`.
pub(in crate::engine::packet) fn is_due(swept: &mut Timestamp, now: Timestamp) -> bool {
    // The distance in either direction: if the clock goes back, sweeps must not stop until it has
    // caught up.
    let is_due = now.0.abs_diff(swept.0) >= SECOND.unsigned_abs();
    if is_due {
        *swept = now;
    }
    is_due
}

#[cfg(test)]
mod tests;
