//! DHCP: names of hosts, domains and boot servers.
//!
//! Version 4 (RFC 2131, 2132) is recognised by its magic number on any port; version 6 (RFC 8415)
//! by its ports. Reported are the names that a client gives itself, domains, addresses of name
//! servers, and the place from which a host boots or fetches its settings: all of these can be
//! used to redirect it.

use crate::engine::indicator::{Observable, Where};
use crate::engine::packet::bytes::{be16, be32};
use crate::engine::packet::payload::dns::Name;
use crate::engine::packet::payload::names;
use crate::engine::packet::{Counters, Fault, Packet, Ports, ProtocolFacts, Visitor};
use crate::engine::progress::bound;
use std::net::{IpAddr, Ipv4Addr};

/// The magic cookie before the options (RFC 2131, 3), and its offset.
const MAGIC: u32 = 0x6382_5363;
const MAGIC_AT: usize = 236;

/// Options of a message, names in an option, and nested relay messages that are parsed.
const MAX_OPTIONS: usize = bound(256, 8);
const MAX_NAMES: usize = bound(64, 3);
const MAX_RELAYS: usize = bound(8, 2);

/// The longest option that is assembled from its parts (RFC 3396).
const MAX_OPTION: usize = bound(4 << 10, 64);

/// The receiver of what is found.
struct Reporter<'t, 'p, V> {
    packet: &'t Packet<'p>,
    visitor: &'t mut V,
    counters: &'t mut Counters,
}

impl<V: Visitor> Reporter<'_, '_, V> {
    fn host(&mut self, host: &[u8], at: Where) {
        let host = host.split(|&b| b == 0).next().unwrap_or_default();
        let to = (&mut *self.visitor, &mut *self.counters);
        names::report_host(host, at, self.packet, to, ProtocolFacts::None);
    }

    fn address(&mut self, address: impl Into<IpAddr>) {
        let address = address.into();
        if !address.is_unspecified() {
            let seen = Observable::Address(address, None);
            self.visitor.seen(seen, Where::DhcpServer, self.packet, ProtocolFacts::None);
        }
    }

    /// A boot file, which may be a URL.
    fn file(&mut self, path: &[u8]) {
        let path = path.split(|&b| b == 0).next().unwrap_or_default();
        self.url(path);
        names::report(path, self.packet, self.visitor, ProtocolFacts::None);
    }

    fn url(&mut self, url: &[u8]) {
        let url = url.split(|&b| b == 0).next().unwrap_or_default().trim_ascii();
        if memchr::memmem::find(url, b"://").is_some() {
            self.visitor.seen(
                Observable::Url(url),
                Where::DhcpServer,
                self.packet,
                ProtocolFacts::None,
            );
        }
    }

    /// A client's name in DNS format, of which the last labels may be missing (RFC 4702, 3.3.1;
    /// RFC 4704, 4.2).
    fn full_name(&mut self, bytes: &[u8]) {
        let bytes = [bytes, &[0]].concat();
        let mut name = Name::default();
        match name.read(&bytes, 0) {
            Err(_) => self.counters.note(Fault::BadDhcp),
            Ok(_) if name.is_odd() => self.counters.note(Fault::OddName),
            Ok(_) => self.host(name.text(), Where::DhcpHost),
        }
    }

    /// Consecutive addresses.
    fn addresses<const N: usize>(&mut self, bytes: &[u8])
    where
        IpAddr: From<[u8; N]>,
    {
        for &address in bytes.as_chunks::<N>().0.iter().take(MAX_NAMES) {
            self.address(IpAddr::from(address));
        }
    }

    /// Consecutive names in DNS format.
    fn names(&mut self, bytes: &[u8]) {
        let mut at = 0;
        let mut name = Name::default();
        for _ in 0..MAX_NAMES {
            if at >= bytes.len() {
                return;
            }
            let Ok(end) = name.read(bytes, at) else {
                return self.counters.note(Fault::BadDhcp);
            };
            if name.is_odd() {
                self.counters.note(Fault::OddName);
            } else if !name.text().is_empty() {
                self.host(name.text(), Where::DhcpHost);
            }
            at = end;
        }
    }
}

/// Parses a datagram; returns whether it was DHCP.
#[inline]
pub(in crate::engine::packet) fn inspect<V: Visitor>(
    payload: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) -> bool {
    let is_v6 = matches!(packet.ports, Ports::Pair(546 | 547, 546 | 547));
    let is_dhcp = is_v6 || be32(payload, MAGIC_AT) == Some(MAGIC);
    if is_dhcp {
        message(is_v6, payload, Reporter { packet, visitor, counters });
    }
    is_dhcp
}

#[inline(never)]
fn message<V: Visitor>(is_v6: bool, payload: &[u8], mut to: Reporter<'_, '_, V>) {
    let is_good = if is_v6 {
        message6(payload, MAX_RELAYS, &mut to).is_some()
    } else {
        message4(payload, &mut to).is_some()
    };
    if !is_good {
        to.counters.note(Fault::BadDhcp);
    }
}

/// The options of a version 4 message that are reported, in order. An option that occurs several
/// times is one in parts, even in different fields (RFC 2131, 4.1; RFC 3396, section 7).
#[derive(Default)]
struct Options {
    all: Vec<(u8, Vec<u8>)>,
    overload: u8,
}

/// `None` if it is truncated.
fn message4<V: Visitor>(payload: &[u8], to: &mut Reporter<'_, '_, V>) -> Option<()> {
    let next: Option<&[u8; 4]> = payload.get(20..)?.first_chunk();
    to.address(next.map(|bytes| Ipv4Addr::from(*bytes))?);
    let mut options = Options::default();
    let mut is_good = options.read(payload.get(MAGIC_AT + 4..)?);
    let (server, file) = (payload.get(44..108)?, payload.get(108..MAGIC_AT)?);
    let overload = options.overload;
    if overload & 1 != 0 {
        is_good &= options.read(file);
    }
    if overload & 2 != 0 {
        is_good &= options.read(server);
    }
    for (code, value) in &options.all {
        to.option(*code, value);
    }
    if overload & 1 == 0 {
        to.file(file);
    }
    if overload & 2 == 0 {
        to.host(server, Where::DhcpServer);
    }
    is_good.then_some(())
}

impl Options {
    /// Parses options up to their end; false if one is truncated.
    fn read(&mut self, mut rest: &[u8]) -> bool {
        for _ in 0..MAX_OPTIONS {
            match *rest {
                [] | [255, ..] => return true,
                [0, ref after @ ..] => rest = after,
                [code, length, ref after @ ..] => {
                    let Some((value, after)) = after.split_at_checked(usize::from(length)) else {
                        return false;
                    };
                    self.add(code, value);
                    rest = after;
                }
                [_] => return false,
            }
        }
        // There may be more bytes of padding than the number of options that are read.
        rest.iter().all(|&b| b == 0)
    }

    fn add(&mut self, code: u8, value: &[u8]) {
        match code {
            52 => self.overload = value.first().copied().unwrap_or(0),
            6 | 12 | 15 | 66 | 67 | 81 | 114 | 119 | 150 | 252 => {
                match self.all.iter_mut().find(|(other, _)| *other == code) {
                    Some((_, all)) if all.len() + value.len() <= MAX_OPTION => {
                        all.extend_from_slice(value);
                    }
                    Some(_) => {}
                    None => self.all.push((code, value.to_vec())),
                }
            }
            _ => {}
        }
    }
}

impl<V: Visitor> Reporter<'_, '_, V> {
    fn option(&mut self, code: u8, value: &[u8]) {
        match code {
            // Name servers, and TFTP servers (RFC 5859).
            6 | 150 => self.addresses::<4>(value),
            12 => self.host(value, Where::DhcpHost),
            // Some servers send several domains.
            15 => {
                let domains = value.split(|&b| b == b' ').filter(|domain| !domain.is_empty());
                domains.take(MAX_NAMES).for_each(|domain| self.host(domain, Where::DhcpHost));
            }
            // The boot server, and the boot file.
            66 => self.host(value, Where::DhcpServer),
            67 => self.file(value),
            // The client's full name (RFC 4702): flags, two codes, and the name in one of two forms.
            81 => match *value {
                [flags, _, _, ref name @ ..] if flags & 4 != 0 => self.full_name(name),
                [_, _, _, ref name @ ..] => self.host(name, Where::DhcpHost),
                _ => self.counters.note(Fault::BadDhcp),
            },
            // The portal of a captive network (RFC 8910), and proxy settings.
            114 | 252 => self.url(value),
            119 => self.names(value),
            _ => {}
        }
    }
}

/// `None` if it is truncated. Relays wrap a message into another one.
fn message6<V: Visitor>(payload: &[u8], relays: usize, to: &mut Reporter<'_, '_, V>) -> Option<()> {
    const RELAYED: u16 = 9;
    let header = match payload.first()? {
        12 | 13 => 34,
        _ => 4,
    };
    let mut rest = payload.get(header..)?;
    for _ in 0..MAX_OPTIONS {
        if rest.is_empty() {
            return Some(());
        }
        let (code, length) = (be16(rest, 0)?, usize::from(be16(rest, 2)?));
        let (value, after) = rest.get(4..)?.split_at_checked(length)?;
        match code {
            RELAYED if relays > 0 => message6(value, relays - 1, to)?,
            23 => to.addresses::<16>(value),
            24 => to.names(value),
            // The client's full name (RFC 4704), after flags.
            39 => to.full_name(value.get(1..)?),
            // The boot URL (RFC 5970), and the portal of a captive network (RFC 8910).
            59 | 103 => to.url(value),
            _ => {}
        }
        rest = after;
    }
    Some(())
}

#[cfg(test)]
mod tests;
