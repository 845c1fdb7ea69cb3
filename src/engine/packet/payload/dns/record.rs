//! The data of each record type.

use super::{Broken, Found, Name, Walk};
use crate::engine::indicator::{Observable, Where};
use crate::engine::packet::bytes::be16;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::ops::Range;

const A: u16 = 1;
const SOA: u16 = 6;
const TXT: u16 = 16;
const AAAA: u16 = 28;
const NAPTR: u16 = 35;
const OPT: u16 = 41;
const SVCB: u16 = 64;
const HTTPS: u16 = 65;
const SPF: u16 = 99;
const TKEY: u16 = 249;
const TSIG: u16 = 250;
const URI: u16 = 256;
const CAA: u16 = 257;

/// Parameters of SVCB and HTTPS that hold addresses.
const IPV4_HINT: u16 = 4;
const IPV6_HINT: u16 = 6;

/// Records about the message instead of a host.
pub(super) fn is_meta(kind: u16) -> bool {
    matches!(kind, OPT | TKEY | TSIG)
}

/// Where the names are in the data of a plain type: octets before the first, and how many there
/// are.
fn names(kind: u16) -> Option<(usize, usize)> {
    Some(match kind {
        // NS, MD, MF, CNAME, MB, MG, MR, PTR, NXT, DNAME, NSEC.
        2..=5 | 7..=9 | 12 | 30 | 39 | 47 => (0, 1),
        // MINFO, RP, TALINK.
        14 | 17 | 58 => (0, 2),
        // MX, AFSDB, RT, KX, LP.
        15 | 18 | 21 | 36 | 107 => (2, 1),
        // PX.
        26 => (2, 2),
        // SRV.
        33 => (6, 1),
        // SIG, RRSIG.
        24 | 46 => (18, 1),
        _ => return None,
    })
}

impl Walk<'_> {
    /// Reports the names and addresses in a record's data.
    pub(super) fn data(
        &mut self,
        kind: u16,
        class: u16,
        range: Range<usize>,
        found: &mut impl FnMut(Found<'_>),
    ) -> Result<(), Broken> {
        let data = self.message.get(range.clone()).ok_or(Broken)?;
        // The upper bit of the class is mDNS's cache flush.
        let is_internet = class & 0x7fff == 1;
        match kind {
            A if is_internet && data.len() == 4 => report_v4(data, found),
            AAAA if is_internet && data.len() == 16 => report_v6(data, found),
            // An update (RFC 2136) has such records without data.
            _ if data.is_empty() => {}
            SOA => {
                let mailbox = self.name_in(range.start, range.end, found)?;
                self.read(mailbox)?;
                if let Some(mailbox) = self.name.as_mut().and_then(Name::as_mailbox) {
                    found(Found::Seen(Observable::Email(mailbox), Where::DnsAnswer));
                }
            }
            NAPTR => {
                // Order and preference, then flags, services and an expression.
                let mut at = range.start + 4;
                let mut last = &b""[..];
                for _ in 0..3 {
                    let length = usize::from(*self.message.get(at).ok_or(Broken)?);
                    last = self.message.get(at + 1..at + 1 + length).ok_or(Broken)?;
                    at += 1 + length;
                }
                found(Found::Text(last));
                self.name_in(at, range.end, found)?;
            }
            // RFC 7208, 3.3: the strings of a record are concatenated.
            TXT | SPF => found(Found::Strings(data)),
            // RFC 7553: after priority and weight.
            URI => found(Found::Text(data.get(4..).unwrap_or_default())),
            // RFC 8659: after flags and a property.
            CAA => {
                let length = data.get(1).copied().map_or(0, usize::from);
                found(Found::Text(data.get(2 + length..).unwrap_or_default()));
            }
            SVCB | HTTPS => {
                let at = self.name_in(range.start + 2, range.end, found)?;
                self.hints(at, range.end, found);
            }
            _ => {
                let Some((before, count)) = names(kind) else { return Ok(()) };
                let mut at = range.start + before;
                for _ in 0..count {
                    at = self.name_in(at, range.end, found)?;
                }
            }
        }
        Ok(())
    }

    /// Reports the name at `at`, which must end by `end`; returns its end.
    fn name_in(
        &mut self,
        at: usize,
        end: usize,
        found: &mut impl FnMut(Found<'_>),
    ) -> Result<usize, Broken> {
        let after = self.read(at)?;
        if after > end {
            return Err(Broken);
        }
        self.report(at, Where::DnsAnswer, found);
        Ok(after)
    }

    /// Reports the address hints among the parameters of a service binding.
    fn hints(&self, at: usize, end: usize, found: &mut impl FnMut(Found<'_>)) {
        let mut rest = self.message.get(at..end).unwrap_or_default();
        while let (Some(key), Some(length)) = (be16(rest, 0), be16(rest, 2)) {
            let Some((value, after)) =
                rest.get(4..).and_then(|rest| rest.split_at_checked(usize::from(length)))
            else {
                return;
            };
            match key {
                IPV4_HINT => value.chunks_exact(4).for_each(|hint| report_v4(hint, found)),
                IPV6_HINT => value.chunks_exact(16).for_each(|hint| report_v6(hint, found)),
                _ => {}
            }
            rest = after;
        }
    }
}

fn report_v4(octets: &[u8], found: &mut impl FnMut(Found<'_>)) {
    if let Ok(octets) = <[u8; 4]>::try_from(octets) {
        let address = IpAddr::V4(Ipv4Addr::from(octets));
        found(Found::Seen(Observable::Address(address, None), Where::DnsAnswer));
    }
}

fn report_v6(octets: &[u8], found: &mut impl FnMut(Found<'_>)) {
    if let Ok(octets) = <[u8; 16]>::try_from(octets) {
        let address = IpAddr::V6(Ipv6Addr::from(octets));
        found(Found::Seen(Observable::Address(address, None), Where::DnsAnswer));
    }
}
