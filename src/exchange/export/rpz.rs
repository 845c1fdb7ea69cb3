//! Response policy zones (draft-vixie-dnsop-dns-rpz): resolvers deny the names and addresses.

use super::list::{is_blockable, is_too_wide};
use super::sorted::Sorter;
use super::source::{About, Out, Renderer, machine_value};
use crate::engine::error::Result;
use crate::engine::indicator::domain::{Suffix, public_suffix};
use crate::exchange::pulses::{Indicator, Pulse, Type};
use ipnet::IpNet;
use std::fmt::Write as _;

/// The longest name: with its zone it must fit into 255 bytes on the wire.
const MAX_NAME: usize = 190;

/// Writes a zone.
pub(super) struct Rpz<'a> {
    about: &'a About,
    sorter: Option<Sorter>,
}

impl<'a> Rpz<'a> {
    pub(super) fn new(about: &'a About) -> Self {
        Rpz { about, sorter: Some(Sorter::new()) }
    }
}

impl Renderer for Rpz<'_> {
    fn begin(&mut self, out: &mut Out<'_>) -> Result<()> {
        // Serial numbers are compared modulo 2³² (RFC 1982).
        let serial = self.about.generation as u32;
        out.put("$TTL 300\n")?;
        out.put(&format!("@ SOA localhost. root.localhost. {serial} 1800 300 604800 300\n"))?;
        out.put("@ NS localhost.\n")
    }

    fn indicator(&mut self, _: &mut Out<'_>, _: &Pulse, indicator: &Indicator) -> Result<()> {
        let kind = indicator.kind;
        if !indicator.is_exported() || !self.about.takes(kind) {
            return Ok(());
        }
        let Some(sorter) = &mut self.sorter else { return Ok(()) };
        let value = machine_value(indicator);
        match kind {
            Type::Domain | Type::Hostname if is_deniable(value) => {
                sorter.push(value.as_bytes())?;
                if kind == Type::Domain && public_suffix(value) == Suffix::None {
                    sorter.push(format!("*.{value}").as_bytes())?;
                }
                Ok(())
            }
            Type::IPv4 | Type::IPv6 | Type::Cidr if !is_too_wide(kind, value) => {
                trigger(value).map_or(Ok(()), |owner| sorter.push(owner.as_bytes()))
            }
            _ => Ok(()),
        }
    }

    fn finish(&mut self, out: &mut Out<'_>) -> Result<()> {
        let Some(sorter) = self.sorter.take() else { return Ok(()) };
        sorter.finish(&mut |owner| {
            out.bytes(owner)?;
            out.put(" CNAME .\n")
        })
    }
}

/// Whether a name may be denied: not the zone itself, no top-level domain, no suffix below which
/// strangers have names, and none that looks like another trigger.
fn is_deniable(name: &str) -> bool {
    is_blockable(name)
        && name.len() <= MAX_NAME
        && !name.split('.').any(|label| label.starts_with("rpz-"))
}

/// The owner for an address or network: its length, then its parts from the right.
fn trigger(value: &str) -> Option<String> {
    let net: IpNet = value
        .parse()
        .ok()
        .or_else(|| Some(IpNet::from(value.parse::<std::net::IpAddr>().ok()?)))?;
    let mut owner = net.prefix_len().to_string();
    match net.trunc() {
        IpNet::V4(net) => {
            for octet in net.addr().octets().iter().rev() {
                let _ = write!(owner, ".{octet}");
            }
        }
        IpNet::V6(net) => {
            let text = groups(&net.addr().segments());
            let _ = write!(owner, ".{text}");
        }
    }
    owner.push_str(".rpz-ip");
    Some(owner)
}

/// The groups of an IPv6 address from the right, with `zz` for the longest run of zeros, the
/// leftmost of equal ones.
fn groups(segments: &[u16; 8]) -> String {
    let (mut best, mut at) = (0..0, 0);
    while at < 8 {
        let length = segments[at..].iter().take_while(|group| **group == 0).count();
        if length > best.len() {
            best = at..at + length;
        }
        at += length.max(1);
    }
    if best.len() < 2 {
        best = 0..0;
    }
    let mut parts = Vec::with_capacity(8);
    for (at, group) in segments.iter().enumerate() {
        if !best.contains(&at) {
            parts.push(format!("{group:x}"));
        } else if at == best.start {
            parts.push("zz".into());
        }
    }
    parts.reverse();
    parts.join(".")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn triggers() {
        for (value, want) in [
            ("203.0.113.5", "32.5.113.0.203.rpz-ip"),
            ("192.0.2.0/24", "24.0.2.0.192.rpz-ip"),
            ("2001:db8::1", "128.1.zz.db8.2001.rpz-ip"),
            ("2001:db8::/32", "32.zz.db8.2001.rpz-ip"),
            ("1:2:3:4:5:6:7:8", "128.8.7.6.5.4.3.2.1.rpz-ip"),
            ("1:0:3:4:5:6:7:8", "128.8.7.6.5.4.3.0.1.rpz-ip"),
            ("::1", "128.1.zz.rpz-ip"),
        ] {
            assert_eq!(trigger(value).as_deref(), Some(want));
        }
        assert_eq!(trigger("evil.example"), None);
    }

    #[test]
    fn nothing_that_denies_too_much() {
        for no in [
            "com",
            "co.uk",
            "",
            "evil.example.",
            "a b.example",
            "a;b.example",
            "24.1.2.3.4.rpz-ip",
            "@",
        ] {
            assert!(!is_deniable(no), "{no}");
        }
        assert!(is_deniable("evil.example") && is_deniable("a_b.evil.example"));
    }
}
