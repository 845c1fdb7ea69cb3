//! The flow table: who talks to whom, since when, and how much.
//!
//! Entries lie in one array; a hash table of their indices finds them, and each
//! hangs in one list for each [`Stage`], ordered by its last packet. A flow is
//! moved to its list's end once a second of packet time at most: the order is
//! exact to the second, and a busy flow doesn't touch its neighbours' memory for
//! every packet.
//!
//! The packet's own time is the only clock. It may jump: a flow is idle when its
//! last packet lies further from now than its timeout, on either side.

use super::community::conversation;
use super::stream::Tcp;
use super::transport::{ACK, FIN, RST, SYN, TCP};
use super::view::{Close, FlowEnd};
use super::{Config, Ports};
use crate::indicator::{self, Timestamp};
use hashbrown::{DefaultHashBuilder, HashTable};
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// No entry: the end of a list.
const NIL: u32 = u32::MAX;

const SECOND: i64 = 1_000_000;

/// Flow identifiers have 53 bits: a number in JSON keeps no more.
const ID_BITS: u32 = 53;

/// The two ends of a flow in an order of their own, so that both directions meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Key {
    low: [u64; 2],
    high: [u64; 2],
    /// Ports of both ends, VLAN, protocol, and what kind of addresses and ports these are.
    rest: u64,
    /// The tunnels, where they are part of the key; else 0.
    tunnel: u64,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let rest = self.rest ^ self.tunnel;
        for word in [self.low[0], self.low[1], self.high[0], self.high[1], rest] {
            state.write_u64(word);
        }
    }
}

/// Flags in [`Key::rest`].
const IS_V6: u64 = 1;
const HAS_PORTS: u64 = 2;

impl Key {
    /// The key, and whether the packet travels from the low end to the high one.
    fn new(facts: &Facts) -> (Key, bool) {
        let (src, is_v6) = words(facts.src);
        let (dst, _) = words(facts.dst);
        let ports = conversation(facts.proto, facts.ports);
        let (src_port, dst_port) = ports.unwrap_or_default();
        let is_forward = (src, src_port) <= (dst, dst_port);
        let (low, high) = if is_forward { (src, dst) } else { (dst, src) };
        let (low_port, high_port) =
            if is_forward { (src_port, dst_port) } else { (dst_port, src_port) };
        let flags = if is_v6 { IS_V6 } else { 0 } | if ports.is_some() { HAS_PORTS } else { 0 };
        let rest = u64::from(low_port) << 48
            | u64::from(high_port) << 32
            | u64::from(facts.vlan) << 16
            | u64::from(facts.proto) << 8
            | flags;
        (Key { low, high, rest, tunnel: facts.tunnel }, is_forward)
    }

    fn proto(&self) -> u8 {
        (self.rest >> 8) as u8
    }

    /// Ports of client and server.
    fn ports(&self, is_client_low: bool) -> Option<(u16, u16)> {
        let (low, high) = ((self.rest >> 48) as u16, (self.rest >> 32) as u16);
        let ports = if is_client_low { (low, high) } else { (high, low) };
        (self.rest & HAS_PORTS != 0).then_some(ports)
    }

    fn address(&self, words: [u64; 2]) -> IpAddr {
        if self.rest & IS_V6 == 0 {
            return IpAddr::V4(Ipv4Addr::from_bits(words[1] as u32));
        }
        IpAddr::V6(Ipv6Addr::from_bits(u128::from(words[0]) << 64 | u128::from(words[1])))
    }

    /// The flow's identity: the same for the same key and first packet, in any run.
    fn id(&self, first: u64) -> u64 {
        let rest = self.rest ^ self.tunnel;
        let words = [self.low[0], self.low[1], self.high[0], self.high[1], rest, first];
        let mixed = words.into_iter().fold(0x9e37_79b9_7f4a_7c15, |state: u64, word| {
            let wide = u128::from(state ^ word) * 0xd6e8_feb8_6659_fd93;
            (wide as u64 ^ (wide >> 64) as u64).wrapping_add(0x9e37_79b9_7f4a_7c15)
        });
        (mixed >> (u64::BITS - ID_BITS)).max(1)
    }
}

fn words(address: IpAddr) -> ([u64; 2], bool) {
    match address {
        IpAddr::V4(address) => ([0, u64::from(address.to_bits())], false),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            ([(bits >> 64) as u64, bits as u64], true)
        }
    }
}

/// What the table wants to know of a packet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Facts {
    pub(super) number: u64,
    pub(super) time: Timestamp,
    pub(super) length: u32,
    pub(super) src: IpAddr,
    pub(super) dst: IpAddr,
    pub(super) proto: u8,
    pub(super) ports: Ports,
    /// TCP flags.
    pub(super) flags: u8,
    /// The VLAN, where it is part of the key; else 0.
    pub(super) vlan: u16,
    /// The tunnels, where they are part of the key; else 0.
    pub(super) tunnel: u64,
}

/// How far a flow has come; each stage has its timeout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// One side has spoken.
    Opening = 0,
    /// TCP, and both have.
    Connected = 1,
    /// Both have, of another protocol.
    Answered = 2,
    /// TCP, and it was ended by both or reset by one.
    Ended = 3,
}

const STAGES: usize = 4;

#[derive(Clone, Debug)]
struct Entry {
    key: Key,
    totals: indicator::Flow,
    id: u64,
    older: u32,
    newer: u32,
    stage: Stage,
    /// Whether the low end opened it.
    is_client_low: bool,
    is_wanted: bool,
    /// Whether the entry is in use.
    is_open: bool,
    /// When it was shown last: [`Flows::turn`] counts.
    shown: u32,
    tcp: Tcp,
    /// Sides that spoke, bit 0 the low end; then sides that sent FIN.
    spoke: u8,
    ended: u8,
}

impl Entry {
    fn ended(&self, close: Close) -> Ended {
        let Entry { key, is_client_low, .. } = *self;
        let (client, server) =
            if is_client_low { (key.low, key.high) } else { (key.high, key.low) };
        let end = FlowEnd {
            flow_id: self.id,
            client: key.address(client),
            server: key.address(server),
            proto: key.proto(),
            ports: key.ports(is_client_low),
            totals: self.totals,
            is_wanted: self.is_wanted,
            close,
        };
        Ended { end, tcp: self.tcp, is_client_low }
    }
}

/// The ends of one list.
#[derive(Clone, Copy, Debug)]
struct List {
    oldest: u32,
    newest: u32,
    count: usize,
}

const NO_LISTS: [List; STAGES] = [List { oldest: NIL, newest: NIL, count: 0 }; STAGES];

/// A flow that was closed, with what is left of its streams.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ended {
    pub(super) end: FlowEnd,
    pub(super) tcp: Tcp,
    /// Whether side 0 of its streams is the client's.
    pub(super) is_client_low: bool,
}

/// Where a packet went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Touch {
    slot: u32,
    /// Which side of the flow sent it: 0 is the low end of the key.
    pub(super) side: usize,
    pub(super) is_new: bool,
    pub(super) is_wanted: bool,
    /// It is old, and was not shown since flows are shown again.
    pub(super) is_to_be_shown: bool,
    pub(super) flow_id: u64,
    pub(super) to_server: bool,
    pub(super) totals: indicator::Flow,
}

/// Where the hash table finds an entry. Half of the hash is kept, so that neither growing
/// nor looking for a flow reads entries of others. Linear probing in cells of eight bytes,
/// which reads one line less for each look-up, was tried, and was no faster.
#[derive(Clone, Copy, Debug)]
struct Found {
    slot: u32,
    half: u32,
}

impl Found {
    fn new(slot: u32, hash: u64) -> Found {
        Found { slot, half: hash as u32 }
    }

    /// The kept half, spread again over the bits that the hash table looks at.
    fn hash(&self) -> u64 {
        spread(u64::from(self.half))
    }
}

fn spread(half: u64) -> u64 {
    (half & 0xffff_ffff).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// The table.
#[derive(Debug)]
pub(super) struct Flows {
    table: HashTable<Found>,
    hasher: DefaultHashBuilder,
    entries: Vec<Entry>,
    /// Freed entries, chained by `newer`.
    free: u32,
    lists: [List; STAGES],
    timeouts: [i64; STAGES],
    most: usize,
    /// When idle flows were last looked for.
    swept: Timestamp,
    /// How often all flows were to be shown again.
    turn: u32,
}

impl Flows {
    pub(super) fn new(config: &Config) -> Self {
        let seconds = |seconds: u32| i64::from(seconds) * SECOND;
        Flows {
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
            entries: Vec::new(),
            free: NIL,
            lists: NO_LISTS,
            timeouts: [
                seconds(config.opening_timeout),
                seconds(config.connected_timeout),
                seconds(config.answered_timeout),
                seconds(config.ended_timeout),
            ],
            most: config.most_flows.clamp(1, NIL as usize - 1),
            swept: NEVER,
            turn: 0,
        }
    }

    /// Has all flows shown again, each with its next packet.
    pub(super) fn turn(&mut self) {
        self.turn = self.turn.wrapping_add(1);
    }

    /// Flows that are open.
    pub(super) fn len(&self) -> usize {
        self.table.len()
    }

    /// Accounts a packet to its flow, which it may open; flows that end for it
    /// are told to `closed` first.
    pub(super) fn touch(&mut self, facts: &Facts, closed: &mut impl FnMut(&Ended)) -> Touch {
        self.sweep(facts.time, closed);
        let (key, is_forward) = Key::new(facts);
        let hash = self.hasher.hash_one(key);
        if let Some(slot) = self.find(&key, hash) {
            match self.is_over(slot, facts) {
                None => return self.proceed(slot, facts, is_forward),
                Some(close) => self.close(slot, close, closed),
            }
        }
        if self.table.len() >= self.most {
            self.evict(facts.time, closed);
        }
        self.open(key, hash, facts, is_forward)
    }

    fn find(&self, key: &Key, hash: u64) -> Option<u32> {
        let is_it = |found: &Found| {
            found.half == hash as u32
                && self.entries.get(found.slot as usize).is_some_and(|entry| entry.key == *key)
        };
        self.table.find(spread(hash), is_it).map(|found| found.slot)
    }

    /// Notes whether later packets of a flow are to be reported.
    pub(super) fn set_wanted(&mut self, touch: &Touch, is_wanted: bool) {
        self.entries[touch.slot as usize].is_wanted = is_wanted;
    }

    /// What a flow remembers of its TCP connection.
    pub(super) fn tcp(&mut self, touch: &Touch) -> &mut Tcp {
        &mut self.entries[touch.slot as usize].tcp
    }

    /// Closes every flow, in the order of their first packets.
    pub(super) fn finish(&mut self, closed: &mut impl FnMut(&Ended)) {
        let open = self.entries.iter().enumerate().filter(|(_, entry)| entry.is_open);
        let mut slots: Vec<(u64, u32)> =
            open.map(|(slot, entry)| (entry.totals.first, slot as u32)).collect();
        slots.sort_unstable();
        for (_, slot) in slots {
            closed(&self.entries[slot as usize].ended(Close::Finished));
        }
        self.table.clear();
        self.entries.clear();
        self.free = NIL;
        self.lists = NO_LISTS;
    }

    fn open(&mut self, key: Key, hash: u64, facts: &Facts, is_forward: bool) -> Touch {
        // The answer to a SYN goes to whoever opened the flow; else the first to speak did.
        let is_answer = facts.proto == TCP && facts.flags & (SYN | ACK) == SYN | ACK;
        let entry = Entry {
            key,
            totals: indicator::Flow {
                first: facts.number,
                first_time: facts.time,
                last_time: facts.time,
                ..indicator::Flow::default()
            },
            id: key.id(facts.number),
            older: NIL,
            newer: NIL,
            stage: Stage::Opening,
            is_client_low: is_forward != is_answer,
            is_wanted: false,
            is_open: true,
            shown: self.turn,
            tcp: Tcp::default(),
            spoke: 0,
            ended: 0,
        };
        let slot = if self.free == NIL {
            self.entries.push(entry);
            self.entries.len() as u32 - 1
        } else {
            let slot = self.free;
            let place = &mut self.entries[slot as usize];
            self.free = place.newer;
            *place = entry;
            slot
        };
        self.table.insert_unique(spread(hash), Found::new(slot, hash), Found::hash);
        self.link(slot, Stage::Opening);
        Touch { is_new: true, ..self.proceed(slot, facts, is_forward) }
    }

    /// Adds a packet to a flow.
    fn proceed(&mut self, slot: u32, facts: &Facts, is_forward: bool) -> Touch {
        let entry = &mut self.entries[slot as usize];
        let is_other_second =
            entry.totals.last_time.0.div_euclid(SECOND) != facts.time.0.div_euclid(SECOND);
        entry.totals.packets += 1;
        entry.totals.bytes += u64::from(facts.length);
        entry.totals.last = facts.number;
        entry.totals.last_time = facts.time;
        let side = if is_forward { 1 } else { 2 };
        entry.spoke |= side;
        if facts.flags & FIN != 0 {
            entry.ended |= side;
        }
        if facts.flags & RST != 0 {
            entry.ended = 3;
        }
        let stage = match (entry.ended, entry.spoke) {
            (3, _) => Stage::Ended,
            (_, 3) if facts.proto == TCP => Stage::Connected,
            (_, 3) => Stage::Answered,
            _ => Stage::Opening,
        };
        let is_to_be_shown = std::mem::replace(&mut entry.shown, self.turn) != self.turn;
        let touch = Touch {
            slot,
            side: usize::from(!is_forward),
            is_new: false,
            is_wanted: entry.is_wanted,
            is_to_be_shown,
            flow_id: entry.id,
            to_server: is_forward == entry.is_client_low,
            totals: entry.totals,
        };
        if is_other_second || stage != entry.stage {
            self.unlink(slot);
            self.link(slot, stage);
        }
        touch
    }

    /// Whether the flow in this slot ended before this packet.
    fn is_over(&self, slot: u32, facts: &Facts) -> Option<Close> {
        let entry = &self.entries[slot as usize];
        if self.is_idle(entry, facts.time) {
            return Some(Close::Idle);
        }
        let is_syn = facts.flags & (SYN | ACK | RST) == SYN;
        (is_syn && entry.stage == Stage::Ended).then_some(Close::Reused)
    }

    fn is_idle(&self, entry: &Entry, now: Timestamp) -> bool {
        idle_for(entry, now) > self.timeouts[entry.stage as usize].unsigned_abs()
    }

    /// Once a second, closes what is idle, from the oldest on.
    pub(super) fn sweep(&mut self, now: Timestamp, closed: &mut impl FnMut(&Ended)) {
        if !is_due(&mut self.swept, now) {
            return;
        }
        for stage in 0..STAGES {
            loop {
                let oldest = self.lists[stage].oldest;
                if oldest == NIL || !self.is_idle(&self.entries[oldest as usize], now) {
                    break;
                }
                self.close(oldest, Close::Idle, closed);
            }
        }
    }

    /// Makes room. While more than half of the flows are unanswered, the oldest of
    /// them goes: a flood displaces itself and not those that talk. Else, of the
    /// stages' oldest flows, the one that has spent the most of its timeout.
    fn evict(&mut self, now: Timestamp, closed: &mut impl FnMut(&Ended)) {
        let opening = self.lists[Stage::Opening as usize];
        if opening.count * 2 > self.table.len() {
            return self.close(opening.oldest, Close::Evicted, closed);
        }
        let oldest = self.lists.map(|list| list.oldest).into_iter().filter(|&slot| slot != NIL);
        let worst = oldest.max_by_key(|&slot| {
            let entry = &self.entries[slot as usize];
            let timeout = self.timeouts[entry.stage as usize].unsigned_abs().max(1);
            u128::from(idle_for(entry, now)) * 1_000_000 / u128::from(timeout)
        });
        if let Some(slot) = worst {
            self.close(slot, Close::Evicted, closed);
        }
    }

    fn close(&mut self, slot: u32, close: Close, closed: &mut impl FnMut(&Ended)) {
        self.unlink(slot);
        let entry = &mut self.entries[slot as usize];
        (entry.newer, entry.is_open) = (self.free, false);
        self.free = slot;
        let hash = self.hasher.hash_one(entry.key);
        let ended = entry.ended(close);
        if let Ok(found) = self.table.find_entry(spread(hash), |other| other.slot == slot) {
            found.remove();
        }
        closed(&ended);
    }

    /// Hangs an entry at the newest end of a list.
    fn link(&mut self, slot: u32, stage: Stage) {
        let list = &mut self.lists[stage as usize];
        list.count += 1;
        let before = std::mem::replace(&mut list.newest, slot);
        if before == NIL {
            list.oldest = slot;
        } else {
            self.entries[before as usize].newer = slot;
        }
        let entry = &mut self.entries[slot as usize];
        (entry.older, entry.newer, entry.stage) = (before, NIL, stage);
    }

    fn unlink(&mut self, slot: u32) {
        let Entry { older, newer, stage, .. } = self.entries[slot as usize];
        let list = &mut self.lists[stage as usize];
        list.count -= 1;
        if older == NIL {
            list.oldest = newer;
        }
        if newer == NIL {
            list.newest = older;
        }
        if older != NIL {
            self.entries[older as usize].newer = newer;
        }
        if newer != NIL {
            self.entries[newer as usize].older = older;
        }
    }
}

/// Before any packet.
pub(super) const NEVER: Timestamp = Timestamp(i64::MIN);

/// Whether it is time to look for idle flows, and was not since `swept`.
pub(super) fn is_due(swept: &mut Timestamp, now: Timestamp) -> bool {
    let is_due = now.0.abs_diff(swept.0) >= SECOND.unsigned_abs();
    if is_due {
        *swept = now;
    }
    is_due
}

fn idle_for(entry: &Entry, now: Timestamp) -> u64 {
    now.0.abs_diff(entry.totals.last_time.0)
}

#[cfg(test)]
mod tests;
