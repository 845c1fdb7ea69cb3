//! DHCP: names of hosts, domains and boot servers.
//!
//! Version 4 (RFC 2131, 2132) is found by its magic on any port; of version 6 (RFC
//! 8415) the ports must say so. Told are the names that a client gives itself, domains,
//! addresses of name servers, and from where a host is to boot or to fetch its
//! settings: all of them ways to lead it elsewhere.

use super::bytes::{be16, be32};
use super::dns::Name;
use super::{Counters, Fault, Packet, Ports, Said, Visitor, names};
use crate::indicator::{Observable, Where};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

const MAGIC: u32 = 0x6382_5363;
const MAGIC_AT: usize = 236;

const MOST_OPTIONS: usize = 256;
const MOST_NAMES: usize = 64;
const MOST_RELAYS: usize = 8;

/// Longer search lists come in several options (RFC 3396).
const MOST_SEARCH: usize = 4 << 10;

/// Who is told, and of what.
struct Told<'t, 'p, V> {
    packet: &'t Packet<'p>,
    visitor: &'t mut V,
    counters: &'t mut Counters,
}

impl<V: Visitor> Told<'_, '_, V> {
    fn host(&mut self, host: &[u8], at: Where) {
        let host = host.split(|&b| b == 0).next().unwrap_or_default();
        let to = (&mut *self.visitor, &mut *self.counters);
        names::report_host(host, at, self.packet, to, Said::None);
    }

    fn address(&mut self, address: impl Into<IpAddr>) {
        let address = address.into();
        if !address.is_unspecified() {
            let seen = Observable::Address(address, None);
            self.visitor.seen(seen, Where::DhcpServer, self.packet, Said::None);
        }
    }

    fn file(&mut self, path: &[u8]) {
        let path = path.split(|&b| b == 0).next().unwrap_or_default();
        names::report(path, self.packet, self.visitor, Said::None);
    }

    fn url(&mut self, url: &[u8]) {
        let url = url.split(|&b| b == 0).next().unwrap_or_default();
        if memchr::memmem::find(url, b"://").is_some() {
            self.visitor.seen(Observable::Url(url), Where::DhcpServer, self.packet, Said::None);
        }
    }

    /// Names in the form of DNS, one behind the other.
    fn names(&mut self, bytes: &[u8]) {
        let mut at = 0;
        let mut name = Name::default();
        for _ in 0..MOST_NAMES {
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

/// Reads a datagram; answers whether it was one of DHCP.
pub(super) fn inspect<V: Visitor>(
    payload: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    counters: &mut Counters,
) -> bool {
    let is_v6 = matches!(packet.ports, Ports::Pair(546 | 547, 546 | 547));
    if !is_v6 && be32(payload, MAGIC_AT) != Some(MAGIC) {
        return false;
    }
    let mut told = Told { packet, visitor, counters };
    let is_good = if is_v6 {
        message6(payload, MOST_RELAYS, &mut told).is_some()
    } else {
        message4(payload, &mut told).is_some()
    };
    if !is_good {
        counters.note(Fault::BadDhcp);
    }
    true
}

/// What is remembered of a message of version 4 while its options are read.
struct Options<'o, 't, 'p, V> {
    told: &'o mut Told<'t, 'p, V>,
    search: Vec<u8>,
    overload: u8,
}

/// None if it breaks off.
fn message4<V: Visitor>(payload: &[u8], told: &mut Told<'_, '_, V>) -> Option<()> {
    let next: Option<&[u8; 4]> = payload.get(20..)?.first_chunk();
    told.address(next.map(|bytes| Ipv4Addr::from(*bytes))?);
    let mut options = Options { told, search: Vec::new(), overload: 0 };
    let mut is_good = options.read(payload.get(MAGIC_AT + 4..)?);
    let (server, file) = (payload.get(44..108)?, payload.get(108..MAGIC_AT)?);
    let overload = options.overload;
    if overload & 1 == 0 {
        options.told.file(file);
    } else {
        is_good &= options.read(file);
    }
    if overload & 2 == 0 {
        options.told.host(server, Where::DhcpServer);
    } else {
        is_good &= options.read(server);
    }
    let search = std::mem::take(&mut options.search);
    told.names(&search);
    is_good.then_some(())
}

impl<V: Visitor> Options<'_, '_, '_, V> {
    /// Reads options up to their end; false if one breaks off.
    fn read(&mut self, mut rest: &[u8]) -> bool {
        for _ in 0..MOST_OPTIONS {
            match *rest {
                [] | [255, ..] => return true,
                [0, ref behind @ ..] => rest = behind,
                [code, length, ref behind @ ..] => {
                    let Some((value, behind)) = behind.split_at_checked(usize::from(length)) else {
                        return false;
                    };
                    self.option(code, value);
                    rest = behind;
                }
                [_] => return false,
            }
        }
        // Padding may be longer than options are many.
        rest.iter().all(|&b| b == 0)
    }

    fn option(&mut self, code: u8, value: &[u8]) {
        match code {
            // Name servers.
            6 => {
                for bytes in value.chunks_exact(4).take(MOST_NAMES) {
                    if let Some(&bytes) = bytes.first_chunk::<4>() {
                        self.told.address(Ipv4Addr::from(bytes));
                    }
                }
            }
            // Host and domain.
            12 | 15 => self.told.host(value, Where::DhcpHost),
            52 => self.overload = value.first().copied().unwrap_or(0),
            // From where to boot, and what.
            66 => self.told.host(value, Where::DhcpServer),
            67 => self.told.file(value),
            // The client's full name (RFC 4702): flags, two codes, and the name in one of two forms.
            81 => match *value {
                [flags, _, _, ref name @ ..] if flags & 4 != 0 => self.told.names(name),
                [_, _, _, ref name @ ..] => self.told.host(name, Where::DhcpHost),
                _ => self.told.counters.note(Fault::BadDhcp),
            },
            // The portal of a captive network (RFC 8910), and the settings of proxies.
            114 | 252 => self.told.url(value),
            119 if self.search.len() + value.len() <= MOST_SEARCH => {
                self.search.extend_from_slice(value);
            }
            _ => {}
        }
    }
}

/// None if it breaks off. Relays put a message into another one.
fn message6<V: Visitor>(payload: &[u8], relays: usize, told: &mut Told<'_, '_, V>) -> Option<()> {
    const RELAYED: u16 = 9;
    let header = match payload.first()? {
        12 | 13 => 34,
        _ => 4,
    };
    let mut rest = payload.get(header..)?;
    for _ in 0..MOST_OPTIONS {
        if rest.is_empty() {
            return Some(());
        }
        let (code, length) = (be16(rest, 0)?, usize::from(be16(rest, 2)?));
        let (value, behind) = rest.get(4..)?.split_at_checked(length)?;
        match code {
            RELAYED if relays > 0 => message6(value, relays - 1, told)?,
            23 => {
                for bytes in value.chunks_exact(16).take(MOST_NAMES) {
                    if let Some(&bytes) = bytes.first_chunk::<16>() {
                        told.address(Ipv6Addr::from(bytes));
                    }
                }
            }
            24 => told.names(value),
            // The client's full name (RFC 4704), behind flags.
            39 => told.names(value.get(1..)?),
            // From where to boot (RFC 5970).
            59 => told.url(value),
            _ => {}
        }
        rest = behind;
    }
    Some(())
}

#[cfg(test)]
mod tests;
