//! Decoding one capture with several threads: its packets, sorted by their hosts.
//!
//! A [`Splitter`] dissects the frames, in order, and assigns each IP packet to one of [`SHARDS`]
//! shards, by its two addresses. A [`Shard`] decodes its own packets: all its state belongs to
//! pairs of hosts, so that shards are independent of each other. Packets inside tunnels are
//! assigned by their own addresses, not by those of the tunnel. Connections announced by a third
//! host are assigned by the announcement: see [`reroute`].
//!
//! There are as many shards for one thread as for many: the result depends on nothing but the
//! frames. The limits of one decoder are divided among all shards, for files in ranges, streams,
//! and flows, so that hosts that flood each other evict no flows but those of their shard.

mod reroute;

use super::flow::{NEVER, is_due};
use super::hosts::Hosts;
use crate::engine::indicator::{Timestamp, Tunnel};
use crate::engine::packet::wire::layers::{IpPacket, Layers, Part};
use crate::engine::packet::wire::link::Tags;
use crate::engine::packet::{Config, Counters, Fault, Frame, Order, Visitor};
use reroute::Reroutes;
use std::net::IpAddr;
use std::ops::Range;

/// Shards of a capture: more than most machines have cores, so that threads that are done with
/// one find another.
pub const SHARDS: usize = 8;

/// Dissects frames for all shards.
#[derive(Debug)]
pub struct Splitter {
    layers: Layers,
    routing: Routing,
}

/// Routing state with its own timeouts.
#[derive(Debug)]
struct Routing {
    /// When idle flows were last searched.
    swept: Timestamp,
    reroutes: Reroutes,
}

/// IP packets of one batch of a capture, by shard.
#[derive(Debug, Default)]
pub struct Split {
    frames: Vec<Head>,
    units: [Vec<Stored>; SHARDS],
    /// The encapsulations of packets that have one.
    encapsulations: Vec<Encapsulation>,
    /// Reassembled packets.
    wholes: Vec<u8>,
    ticks: Vec<Tick>,
}

/// A time at which all shards search for idle flows, as one decoder would: it does not matter
/// which shard's packet shows the time. If the clock goes back, a flow may come in its list after
/// one with an earlier last packet, and be found idle the earlier the fewer flows are in the
/// list.
#[derive(Clone, Copy, Debug)]
struct Tick {
    order: Order,
    time: Timestamp,
    /// Number of packets of each shard before it.
    before: [u32; SHARDS],
}

/// What is known about a frame.
#[derive(Clone, Copy, Debug)]
struct Head {
    number: u64,
    time: Timestamp,
    length: u32,
    is_timed: bool,
}

/// An [`IpPacket`] without its borrows.
#[derive(Clone, Copy, Debug)]
struct Stored {
    /// Index of its frame.
    frame: u32,
    /// Where its payload starts, and how much of it was not captured.
    start: u32,
    length: u32,
    missing: u32,
    /// Index into the encapsulations; [`NOTHING`] for most packets.
    encapsulation: u32,
    src: IpAddr,
    dst: IpAddr,
    proto: u8,
    part: Part,
    is_tunnel: bool,
    /// Whether the payload is among the reassembled packets.
    is_whole: bool,
    /// Why there is no payload.
    fault: Option<Fault>,
}

#[derive(Debug)]
struct Encapsulation {
    tags: Tags,
    tunnels: Vec<Tunnel>,
    vlan_key: u16,
    tunnel_key: u64,
}

const NOTHING: u32 = u32::MAX;

/// How many packets ahead flows are prefetched, if there are many flows; half of them in the
/// second step.
const AHEAD: usize = 8;

/// Bytes of a cache line, and of the beginning of a packet that most protocols read.
const LINE: usize = 64;
const WARM: usize = 512;

impl Splitter {
    /// A new splitter.
    pub fn new(config: &Config) -> Self {
        let routing = Routing { swept: NEVER, reroutes: Reroutes::default() };
        Splitter { layers: Layers::new(config), routing }
    }

    /// Counts so far, without those of the shards.
    pub fn counters(&self) -> &Counters {
        &self.layers.counters
    }

    /// Splits the next frames. Their data is in `bytes`, which must also be passed to the shards.
    /// Previous results are discarded.
    pub fn split<'a>(
        &mut self,
        bytes: &'a [u8],
        frames: impl Iterator<Item = Frame<'a>>,
        split: &mut Split,
    ) {
        split.clear();
        for frame in frames {
            let Frame { number, time, length, is_timed, .. } = frame;
            split.frames.push(Head { number, time, length, is_timed });
            let Splitter { layers, routing } = self;
            match layers.fast_path(&frame) {
                Some(unit) => split.take(&unit, bytes, routing),
                None => layers.slow_path(&frame, &mut |unit| split.take(unit, bytes, routing)),
            }
        }
    }

    /// Ends the capture.
    pub fn finish(&mut self) {
        self.layers.finish();
    }
}

impl Split {
    fn clear(&mut self) {
        self.frames.clear();
        self.units.iter_mut().for_each(Vec::clear);
        self.encapsulations.clear();
        self.wholes.clear();
        self.ticks.clear();
    }

    #[inline(always)]
    fn take(&mut self, unit: &IpPacket<'_>, bytes: &[u8], routing: &mut Routing) {
        if is_due(&mut routing.swept, unit.time) {
            self.tick(unit.order(), unit.time);
        }
        let shard = routing.reroutes.shard(unit, shard_of(unit.src, unit.dst));
        self.put(unit, bytes, shard);
    }

    fn tick(&mut self, order: Order, time: Timestamp) {
        let before = self.units.each_ref().map(|units| units.len() as u32);
        self.ticks.push(Tick { order, time, before });
    }

    /// Bytes that it holds.
    pub fn weight(&self) -> usize {
        let units: usize = self.units.iter().map(Vec::capacity).sum();
        units * size_of::<Stored>()
            + self.frames.capacity() * size_of::<Head>()
            + self.ticks.capacity() * size_of::<Tick>()
            + self.wholes.capacity()
    }

    /// Whether a shard has no packets.
    pub fn is_empty(&self, shard: usize) -> bool {
        self.ticks.is_empty() && self.units.get(shard).is_none_or(Vec::is_empty)
    }

    #[inline(always)]
    fn put(&mut self, unit: &IpPacket<'_>, bytes: &[u8], shard: usize) {
        let (payload, fault) = match unit.payload {
            Ok(payload) => (payload, None),
            Err(fault) => (&[][..], Some(fault)),
        };
        // Payload outside the frames was reassembled.
        let place = payload.as_ptr().addr().wrapping_sub(bytes.as_ptr().addr());
        let is_whole = bytes.get(place..).is_none_or(|rest| rest.len() < payload.len());
        let start = if is_whole { self.wholes.len() } else { place };
        if is_whole {
            self.wholes.extend_from_slice(payload);
        }
        let stored = Stored {
            frame: (self.frames.len() as u32).wrapping_sub(1),
            start: start as u32,
            length: payload.len() as u32,
            missing: unit.missing as u32,
            encapsulation: self.encapsulation(unit),
            src: unit.src,
            dst: unit.dst,
            proto: unit.proto,
            part: unit.part,
            is_tunnel: unit.is_tunnel,
            is_whole,
            fault,
        };
        if let Some(units) = self.units.get_mut(shard) {
            units.push(stored);
        }
    }

    /// Stores the encapsulation of a packet.
    fn encapsulation(&mut self, unit: &IpPacket<'_>) -> u32 {
        if unit.vlan.is_empty() && unit.tunnel.is_empty() {
            return NOTHING;
        }
        let is_same = self.encapsulations.last().is_some_and(|last| {
            last.tags.ids() == unit.vlan
                && last.tunnels == unit.tunnel
                && last.vlan_key == unit.vlan_key
                && last.tunnel_key == unit.tunnel_key
        });
        if !is_same {
            self.encapsulations.push(Encapsulation {
                tags: Tags::of(unit.vlan),
                tunnels: unit.tunnel.to_vec(),
                vlan_key: unit.vlan_key,
                tunnel_key: unit.tunnel_key,
            });
        }
        (self.encapsulations.len() - 1) as u32
    }

    /// Prefetches the beginnings of a shard's packets, for a thread that did not split them. If
    /// two cores are far from each other, loading a line from the other's cache takes as long as
    /// a hundred instructions; here many of these loads overlap.
    fn prefetch_bytes(&self, bytes: &[u8], shard: usize) {
        let stored = self.units.get(shard).map(Vec::as_slice).unwrap_or_default();
        let mut sum = 0;
        for unit in stored {
            let start = unit.start as usize;
            let end = start + (unit.length as usize).min(WARM);
            let lines = bytes.get(start..end).unwrap_or_default().iter().step_by(LINE);
            sum = lines.fold(sum, |sum, byte| sum ^ byte);
        }
        std::hint::black_box(sum);
    }

    #[inline(always)]
    fn unit<'a>(&'a self, bytes: &'a [u8], stored: &Stored) -> Option<IpPacket<'a>> {
        let Head { number, time, length, is_timed } = *self.frames.get(stored.frame as usize)?;
        let source = if stored.is_whole { &self.wholes[..] } else { bytes };
        let payload = match stored.fault {
            Some(fault) => Err(fault),
            None => {
                let start = stored.start as usize;
                Ok(source.get(start..start + stored.length as usize)?)
            }
        };
        let encapsulation = self.encapsulations.get(stored.encapsulation as usize);
        Some(IpPacket {
            number,
            time,
            is_timed,
            length,
            src: stored.src,
            dst: stored.dst,
            proto: stored.proto,
            payload,
            missing: stored.missing as usize,
            part: stored.part,
            is_tunnel: stored.is_tunnel,
            vlan: encapsulation.map_or(&[], |encapsulation| encapsulation.tags.ids()),
            tunnel: encapsulation.map_or(&[], |encapsulation| &encapsulation.tunnels),
            vlan_key: encapsulation.map_or(0, |encapsulation| encapsulation.vlan_key),
            tunnel_key: encapsulation.map_or(0, |encapsulation| encapsulation.tunnel_key),
        })
    }
}

/// The shard of two hosts, the same in both directions. The function has no random seed, so that
/// it is the same in every run.
pub(in crate::engine::packet) fn shard_of(src: IpAddr, dst: IpAddr) -> usize {
    let bits = |address| match address {
        IpAddr::V4(address) => u64::from(address.to_bits()),
        IpAddr::V6(address) => {
            let bits = address.to_bits();
            bits as u64 ^ ((bits >> 64) as u64).rotate_left(29)
        }
    };
    let mixed = |bits: u64| (bits ^ bits >> 32).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let both = mixed(bits(src)) ^ mixed(bits(dst));
    (both.wrapping_mul(0xd6e8_feb8_6659_fd93) >> 32) as usize % SHARDS
}

/// Decodes the packets of one shard.
#[derive(Debug)]
pub struct Shard {
    number: usize,
    hosts: Hosts,
}

impl Shard {
    /// All shards of a capture; `config` is for all of them together.
    pub fn all(config: &Config) -> [Shard; SHARDS] {
        let config = Config {
            max_flows: (config.max_flows / SHARDS).max(1),
            max_stream_bytes: config.max_stream_bytes / SHARDS,
            max_quic_bytes: config.max_quic_bytes / SHARDS,
            ..config.clone()
        };
        std::array::from_fn(|number| Shard { number, hosts: Hosts::new(&config) })
    }

    /// Counts so far, without those of the splitter.
    pub fn counters(&self) -> &Counters {
        &self.hosts.counters
    }

    /// Prepares [`Self::take`] on another core than the one that split the batch.
    pub fn prefetch_bytes(&self, bytes: &[u8], split: &Split) {
        split.prefetch_bytes(bytes, self.number);
    }

    /// Decodes its packets of a batch, whose data is in `bytes`.
    pub fn take<V: Visitor>(&mut self, bytes: &[u8], split: &Split, visitor: &mut V) {
        // Looking up the flows of sixteen packets together, so that their memory accesses
        // overlap, was tried: holding them cost more than it saved, with thousands of open flows
        // and with a million.
        let mut taken = 0;
        for tick in &split.ticks {
            let before = tick.before.get(self.number).map_or(0, |&before| before as usize);
            self.take_some(bytes, split, taken..before, visitor);
            taken = before;
            visitor.begins(tick.order);
            self.hosts.sweep(tick.time, visitor);
        }
        self.take_some(bytes, split, taken..usize::MAX, visitor);
    }

    /// Decodes those of its packets that have these numbers.
    fn take_some<V: Visitor>(
        &mut self,
        bytes: &[u8],
        split: &Split,
        numbers: Range<usize>,
        visitor: &mut V,
    ) {
        let all = split.units.get(self.number).map(Vec::as_slice).unwrap_or_default();
        let end = numbers.end.min(all.len());
        let some = all.get(numbers.start..end).unwrap_or_default();
        let mut expected = self.hosts.is_large().then_some([0; AHEAD]);
        for (number, stored) in some.iter().enumerate() {
            if let Some(expected) = &mut expected {
                self.prefetch(bytes, split, expected, number, some.get(number + AHEAD));
            }
            if let Some(unit) = split.unit(bytes, stored) {
                self.hosts.take(&unit, visitor);
            }
        }
    }

    /// Prefetches the flow of a packet `AHEAD` of this one, in two steps.
    #[inline(never)]
    fn prefetch(
        &self,
        bytes: &[u8],
        split: &Split,
        expected: &mut [u32; AHEAD],
        number: usize,
        next: Option<&Stored>,
    ) {
        self.hosts.expect_flow(expected[(number + AHEAD / 2) % AHEAD]);
        if let Some(unit) = next.and_then(|next| split.unit(bytes, next)) {
            expected[number % AHEAD] = self.hosts.prefetch(&unit);
        }
    }

    /// As [`Decoder::show_flows_again`](crate::engine::packet::Decoder::show_flows_again).
    pub fn show_flows_again(&mut self) {
        self.hosts.show_flows_again();
    }

    /// Closes every flow.
    pub fn finish<V: Visitor>(&mut self, visitor: &mut V) {
        self.hosts.finish(visitor);
    }
}
