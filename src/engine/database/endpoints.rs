//! Addresses with a port: sorted rows with binary search. The bitmap of IPv4
//! networks includes their addresses, too, so few look-ups get here.

use super::layout::{u32_at, u64_at, u128_at};
use super::posting::Posting;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// `{ address << 16 | port u64, posting u32, zero u32 }`
pub(super) const ROW4: usize = 16;
/// `{ address u128, port u32, posting u32 }`
pub(super) const ROW6: usize = 24;

/// The rows of both families.
#[derive(Clone, Copy, Debug)]
pub(super) struct Endpoints<'a> {
    pub(super) v4: &'a [u8],
    pub(super) v6: &'a [u8],
}

fn key4(bytes: &[u8], row: usize) -> Option<(u128, u32)> {
    let key = u64_at(bytes, row * ROW4)?;
    Some((u128::from(key >> 16), (key & 0xffff) as u32))
}

fn key6(bytes: &[u8], row: usize) -> Option<(u128, u32)> {
    Some((u128_at(bytes, row * ROW6)?, u32_at(bytes, row * ROW6 + 16)?))
}

impl Endpoints<'_> {
    /// Looks up `address` with `port`.
    pub(super) fn get(self, address: IpAddr, port: u16) -> Option<Posting> {
        let port = u32::from(port);
        match address {
            IpAddr::V4(v4) => {
                let wanted = (u128::from(v4.to_bits()), port);
                let row = find(self.v4.len() / ROW4, wanted, |row| key4(self.v4, row))?;
                u32_at(self.v4, row * ROW4 + 8).map(Posting)
            }
            IpAddr::V6(v6) => {
                let wanted = (v6.to_bits(), port);
                let row = find(self.v6.len() / ROW6, wanted, |row| key6(self.v6, row))?;
                u32_at(self.v6, row * ROW6 + 20).map(Posting)
            }
        }
    }

    /// Whether any port is listed for `address`.
    pub(super) fn has(self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => {
                let key = |row| key4(self.v4, row);
                has(self.v4.len() / ROW4, u128::from(v4.to_bits()), key)
            }
            IpAddr::V6(v6) => has(self.v6.len() / ROW6, v6.to_bits(), |row| key6(self.v6, row)),
        }
    }

    /// Every port listed for `address`, for `lookup`.
    pub(super) fn ports(self, address: IpAddr) -> impl Iterator<Item = (u16, Posting)> {
        let (bits, v4) = match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()), true),
            IpAddr::V6(v6) => (v6.to_bits(), false),
        };
        let rows = if v4 { self.v4.len() / ROW4 } else { self.v6.len() / ROW6 };
        (0..rows).filter_map(move |row| {
            let (key, posting) = if v4 {
                (key4(self.v4, row)?, u32_at(self.v4, row * ROW4 + 8)?)
            } else {
                (key6(self.v6, row)?, u32_at(self.v6, row * ROW6 + 20)?)
            };
            (key.0 == bits).then_some((key.1 as u16, Posting(posting)))
        })
    }

    /// Every endpoint.
    #[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only benchmarks list values"))]
    pub(super) fn rows(self) -> impl Iterator<Item = (IpAddr, u16, Posting)> {
        let v4 = (0..self.v4.len() / ROW4).map_while(move |row| {
            let (address, port) = key4(self.v4, row)?;
            let posting = Posting(u32_at(self.v4, row * ROW4 + 8)?);
            Some((Ipv4Addr::from_bits(address as u32).into(), port as u16, posting))
        });
        let v6 = (0..self.v6.len() / ROW6).map_while(move |row| {
            let (address, port) = key6(self.v6, row)?;
            let posting = Posting(u32_at(self.v6, row * ROW6 + 20)?);
            Some((Ipv6Addr::from_bits(address).into(), port as u16, posting))
        });
        v4.chain(v6)
    }

    /// The number of rows.
    pub(super) fn count(self) -> usize {
        self.v4.len() / ROW4 + self.v6.len() / ROW6
    }

    /// Checks the order and the postings.
    pub(super) fn check(self, is_posting: impl Fn(Posting) -> bool) -> Option<()> {
        (self.v4.len().is_multiple_of(ROW4) && self.v6.len().is_multiple_of(ROW6)).then_some(())?;
        let mut before = None;
        for row in 0..self.v4.len() / ROW4 {
            let key = key4(self.v4, row)?;
            let posting = Posting(u32_at(self.v4, row * ROW4 + 8)?);
            (before < Some(key) && is_posting(posting)).then_some(())?;
            before = Some(key);
        }
        let mut before = None;
        for row in 0..self.v6.len() / ROW6 {
            let key = key6(self.v6, row)?;
            let posting = Posting(u32_at(self.v6, row * ROW6 + 20)?);
            (before < Some(key) && is_posting(posting)).then_some(())?;
            before = Some(key);
        }
        Some(())
    }
}

/// Whether any of the rows has this address.
fn has(rows: usize, address: u128, key: impl Fn(usize) -> Option<(u128, u32)>) -> bool {
    let (mut low, mut high) = (0, rows);
    while low < high {
        let middle = low + (high - low) / 2;
        if key(middle).is_some_and(|key| key < (address, 0)) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low < rows && key(low).is_some_and(|key| key.0 == address)
}

fn find(
    rows: usize,
    wanted: (u128, u32),
    key: impl Fn(usize) -> Option<(u128, u32)>,
) -> Option<usize> {
    let (mut low, mut high) = (0, rows);
    while low < high {
        let middle = low + (high - low) / 2;
        match key(middle)?.cmp(&wanted) {
            std::cmp::Ordering::Less => low = middle + 1,
            std::cmp::Ordering::Greater => high = middle,
            std::cmp::Ordering::Equal => return Some(middle),
        }
    }
    None
}
