//! Frames to IP packets: links, fragments and tunnels, without flows.
//!
//! A frame gives one [`IpPacket`] for each IP packet in it, the outer ones first. Fragments are
//! the only state here; all other state belongs to pairs of hosts, and so packets can be assigned
//! to different shards: see [`split`](crate::engine::packet::decoder::split).

mod fast_path;

use super::fragment::{self, Fragment, Fragments};
use super::ip::{self, Datagram};
use super::link::{self, Layer, Net, Tags};
use super::quote;
use super::transport::{self, Segment, UDP};
use super::tunnel::{self, Tunnels};
use crate::engine::indicator::{Timestamp, Tunnel};
use crate::engine::packet::{Config, Counters, Fault, Frame, Order};
use std::net::IpAddr;

/// Whether a packet is a fragment, and which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Part {
    Whole,
    /// The first fragment: it has the ports.
    First,
    Later,
    /// It was never sent here: an ICMP error quotes it.
    Quoted,
}

/// An IP packet, with information from its headers and its frame.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::packet) struct IpPacket<'a> {
    /// Number of the frame.
    pub(in crate::engine::packet) number: u64,
    pub(in crate::engine::packet) time: Timestamp,
    pub(in crate::engine::packet) is_timed: bool,
    pub(in crate::engine::packet) length: u32,
    pub(in crate::engine::packet) src: IpAddr,
    pub(in crate::engine::packet) dst: IpAddr,
    pub(in crate::engine::packet) proto: u8,
    /// What follows the IP header, or why it is unavailable.
    pub(in crate::engine::packet) payload: Result<&'a [u8], Fault>,
    /// Bytes of the payload that were not captured.
    pub(in crate::engine::packet) missing: usize,
    pub(in crate::engine::packet) part: Part,
    /// Whether it is a tunnel: its contents follow as the next packet.
    pub(in crate::engine::packet) is_tunnel: bool,
    pub(in crate::engine::packet) vlan: &'a [u16],
    pub(in crate::engine::packet) tunnel: &'a [Tunnel],
    /// What distinguishes flows with equal addresses, if enabled; otherwise 0.
    pub(in crate::engine::packet) vlan_key: u16,
    pub(in crate::engine::packet) tunnel_key: u64,
}

impl<'a> IpPacket<'a> {
    /// Its place in the capture.
    pub(in crate::engine::packet) fn order(&self) -> Order {
        Order::new(self.number, self.tunnel.len())
    }

    /// Parses its transport header. Of a fragment only the addresses and ports count: its packet
    /// is parsed once it is complete.
    #[inline(always)]
    pub(in crate::engine::packet) fn segment(&self) -> Segment<'a> {
        let mut segment = match self.part {
            Part::Later => Segment::bare(None),
            Part::Whole | Part::First => transport::parse(self.proto, self.payload),
            Part::Quoted => {
                let segment = transport::parse(self.proto, self.payload);
                return Segment { flags: 0, fault: None, ..segment };
            }
        };
        if self.part != Part::Whole {
            (segment.payload, segment.fault) = (&[], None);
        }
        segment
    }
}

/// Dissects frames.
#[derive(Debug)]
pub(in crate::engine::packet) struct Layers {
    flow_by_vlan: bool,
    flow_by_tunnel: bool,
    fragments: Fragments,
    pub(in crate::engine::packet) counters: Counters,
    /// Scratch space for the tunnels of a frame.
    tunnels: Tunnels,
    /// Disables the fast path.
    #[cfg(test)]
    pub(in crate::engine::packet) is_careful: bool,
}

/// The encapsulation of an IP packet: its frame, and the headers that were removed.
struct Encapsulation<'f> {
    frame: &'f Frame<'f>,
    tags: Tags,
    tunnels: Tunnels,
}

impl Layers {
    pub(in crate::engine::packet) fn new(config: &Config) -> Self {
        Layers {
            flow_by_vlan: config.flow_by_vlan,
            flow_by_tunnel: config.flow_by_tunnel,
            fragments: Fragments::new(config),
            counters: Counters::default(),
            tunnels: Tunnels::default(),
            #[cfg(test)]
            is_careful: false,
        }
    }

    /// Takes the next frame if the fast path supports it, and returns the one packet in it. All
    /// others are for [`Self::slow_path`].
    #[inline(always)]
    pub(in crate::engine::packet) fn fast_path<'a>(
        &mut self,
        frame: &Frame<'a>,
    ) -> Option<IpPacket<'a>> {
        #[cfg(test)]
        if self.is_careful {
            return None;
        }
        let unit = fast_path::read(frame)?;
        self.counters.frames += 1;
        self.counters.bytes += u64::from(frame.length);
        self.counters.packets += 1;
        Some(unit)
    }

    /// Dissects the next frame, whatever it is, and passes its packets to `take`.
    pub(in crate::engine::packet) fn slow_path(
        &mut self,
        frame: &Frame<'_>,
        take: &mut impl FnMut(&IpPacket<'_>),
    ) {
        self.counters.frames += 1;
        self.counters.bytes += u64::from(frame.length);
        // The list of tunnels is reused: most frames have none.
        let tunnels = std::mem::take(&mut self.tunnels);
        let mut encapsulation = Encapsulation { frame, tags: Tags::default(), tunnels };
        self.inside(Layer::Link(frame.linktype), frame.data, &mut encapsulation, take);
        self.tunnels = encapsulation.tunnels;
        self.tunnels.clear();
    }

    /// Dissects the contents of a frame or a tunnel: one packet, or several in an aggregate.
    fn inside(
        &mut self,
        layer: Layer,
        data: &[u8],
        encapsulation: &mut Encapsulation<'_>,
        take: &mut impl FnMut(&IpPacket<'_>),
    ) {
        let (tags, depth) = (encapsulation.tags, encapsulation.tunnels.depth());
        let mut next = Some((layer, data));
        while let Some((layer, data)) = next {
            let mut rest = None;
            match link::descend(layer, data, &mut encapsulation.tags, &mut rest) {
                Ok((net, data)) => self.packet(net, data, encapsulation, take),
                Err(fault) => self.counters.note(fault),
            }
            if encapsulation.tags.is_cut() {
                self.counters.note(Fault::TooManyTags);
            }
            // Each of them consumes bytes.
            next = rest.map(|rest| (Layer::Aggregate, rest));
            if next.is_some() {
                encapsulation.tags = tags;
                encapsulation.tunnels.leave(depth);
            }
        }
    }

    /// Drops what waits for fragments.
    pub(in crate::engine::packet) fn finish(&mut self) {
        self.fragments.finish(&mut self.counters);
    }

    /// Takes an IP packet from a frame or a tunnel.
    fn packet(
        &mut self,
        net: Net,
        data: &[u8],
        encapsulation: &mut Encapsulation<'_>,
        take: &mut impl FnMut(&IpPacket<'_>),
    ) {
        let datagram = match ip::parse(net, data) {
            Ok(datagram) => datagram,
            Err(fault) => return self.counters.note(fault),
        };
        self.counters.packets += 1;
        if let Some(piece) = datagram.piece
            && let Some(whole) = self.collect(&datagram, piece, encapsulation)
        {
            let mut proto = whole.proto;
            // In IPv6 more extension headers may follow, in IPv4 that of AH.
            let payload = match datagram.src {
                IpAddr::V4(_) => ip::skip_authentication(&mut proto, &whole.payload),
                IpAddr::V6(_) => ip::skip_extensions(&mut proto, &whole.payload, &mut None),
            };
            let datagram = Datagram { proto, payload, missing: 0, piece: None, ..datagram };
            self.datagram(&datagram, encapsulation, take);
            return self.fragments.recycle(whole.payload);
        }
        self.datagram(&datagram, encapsulation, take);
    }

    /// Adds a fragment to its packet.
    fn collect(
        &mut self,
        datagram: &Datagram<'_>,
        piece: ip::Piece,
        encapsulation: &Encapsulation<'_>,
    ) -> Option<fragment::Whole> {
        let payload = datagram.payload.ok()?;
        if datagram.missing > 0 {
            self.counters.note(Fault::IpCut);
            return None;
        }
        let key = fragment::Key {
            src: datagram.src,
            dst: datagram.dst,
            proto: if datagram.src.is_ipv4() { datagram.proto } else { 0 },
            id: piece.id,
            realm: u64::from(self.vlan_key(encapsulation)) << 48 ^ self.tunnel_key(encapsulation),
        };
        let (time, counters) = (encapsulation.frame.time, &mut self.counters);
        let fragment = Fragment { piece, proto: datagram.proto, payload };
        self.fragments.add(key, fragment, time, counters)
    }

    fn vlan_key(&self, encapsulation: &Encapsulation<'_>) -> u16 {
        encapsulation.tags.ids().last().copied().filter(|_| self.flow_by_vlan).unwrap_or(0)
    }

    fn tunnel_key(&self, encapsulation: &Encapsulation<'_>) -> u64 {
        if self.flow_by_tunnel { encapsulation.tunnels.key() } else { 0 }
    }

    fn datagram(
        &mut self,
        datagram: &Datagram<'_>,
        encapsulation: &mut Encapsulation<'_>,
        take: &mut impl FnMut(&IpPacket<'_>),
    ) {
        let Datagram { src, dst, mut proto, mut payload, missing, piece } = *datagram;
        if let (tunnel::ESP, None, Ok(data)) = (proto, piece, payload)
            && let Some((next, data)) = tunnel::esp_transport(src, dst, data)
        {
            (proto, payload) = (next, Ok(data));
        }
        let inside = match (piece, payload) {
            (None, Ok(payload)) => {
                // Of the others, nothing but the protocol number is needed.
                let segment = match proto {
                    UDP if tunnel::is_likely(payload) => transport::parse(proto, Ok(payload)),
                    _ => Segment::bare(None),
                };
                tunnel::open(src, proto, payload, &segment)
            }
            _ => None,
        };
        let minimal = match (proto, piece, payload) {
            (tunnel::MINIMAL, None, Ok(payload)) => tunnel::open_minimal(src, payload),
            _ => None,
        };
        let Frame { number, time, is_timed, length, .. } = *encapsulation.frame;
        let part = match piece {
            None => Part::Whole,
            Some(piece) if piece.offset == 0 => Part::First,
            Some(_) => Part::Later,
        };
        take(&IpPacket {
            number,
            time,
            is_timed,
            length,
            src,
            dst,
            proto,
            payload,
            missing,
            part,
            is_tunnel: inside.is_some() || minimal.is_some(),
            vlan: encapsulation.tags.ids(),
            tunnel: encapsulation.tunnels.hops(),
            vlan_key: self.vlan_key(encapsulation),
            tunnel_key: self.tunnel_key(encapsulation),
        });
        if let Some(inside) = inside {
            self.enter(datagram, &inside, encapsulation, take);
        } else if let Some(minimal) = minimal {
            self.enter_minimal(datagram, &minimal, encapsulation, take);
        }
        if let (None, Ok(payload)) = (piece, payload)
            && let Some((net, data)) = quote::of(proto, payload)
        {
            self.quoted(datagram, net, data, encapsulation, take);
        }
    }

    /// Takes the packet that an ICMP error quotes. It is counted in the flow that it would have
    /// belonged to, had it been captured.
    fn quoted(
        &mut self,
        outer: &Datagram<'_>,
        net: Net,
        data: &[u8],
        encapsulation: &mut Encapsulation<'_>,
        take: &mut impl FnMut(&IpPacket<'_>),
    ) {
        let Datagram { src, dst, proto, payload, missing, piece } = match ip::parse(net, data) {
            Ok(datagram) => datagram,
            Err(fault) => return self.counters.note(fault),
        };
        let tunnel_key = self.tunnel_key(encapsulation);
        let inside = tunnel::Inside { kind: "icmp", network: 0, layer: Layer::Ip(net), data };
        if !encapsulation.tunnels.enter(outer.src, outer.dst, &inside) {
            return self.counters.note(Fault::TooManyTunnels);
        }
        let Frame { number, time, is_timed, length, .. } = *encapsulation.frame;
        let is_later = piece.is_some_and(|piece| piece.offset > 0);
        take(&IpPacket {
            number,
            time,
            is_timed,
            length,
            src,
            dst,
            proto,
            // Without its beginning there are no ports.
            payload: if is_later { Ok(&[]) } else { payload },
            missing: if piece.is_some() { missing.max(1) } else { missing },
            part: Part::Quoted,
            is_tunnel: false,
            vlan: encapsulation.tags.ids(),
            tunnel: encapsulation.tunnels.hops(),
            vlan_key: self.vlan_key(encapsulation),
            tunnel_key,
        });
    }

    /// Takes the payload of a minimal encapsulation, which has no header of its own.
    fn enter_minimal(
        &mut self,
        outer: &Datagram<'_>,
        minimal: &tunnel::Minimal<'_>,
        encapsulation: &mut Encapsulation<'_>,
        take: &mut impl FnMut(&IpPacket<'_>),
    ) {
        if !encapsulation.tunnels.enter(outer.src, outer.dst, &minimal.inside) {
            return self.counters.note(Fault::TooManyTunnels);
        }
        self.counters.packets += 1;
        let tunnel::Minimal { src, dst, proto, payload, .. } = *minimal;
        let inner = Datagram { src, dst, proto, payload: Ok(payload), ..*outer };
        self.datagram(&inner, encapsulation, take);
    }

    /// Takes the payload of a tunnel.
    fn enter(
        &mut self,
        outer: &Datagram<'_>,
        inside: &tunnel::Inside<'_>,
        encapsulation: &mut Encapsulation<'_>,
        take: &mut impl FnMut(&IpPacket<'_>),
    ) {
        if !encapsulation.tunnels.enter(outer.src, outer.dst, inside) {
            return self.counters.note(Fault::TooManyTunnels);
        }
        self.inside(inside.layer, inside.data, encapsulation, take);
    }
}
