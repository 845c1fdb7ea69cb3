//! Protected Initial packets, and the versions that have them.

use crate::engine::packet::bytes::be32;

pub(super) const VERSION_1: u32 = 1;
pub(super) const VERSION_2: u32 = 0x6b33_43cf;
/// Draft 22 is the first with the headers of version 1.
pub(super) const FIRST_DRAFT: u32 = 0xff00_0016;
pub(super) const LAST_DRAFT: u32 = 0xff00_0022;
/// Facebook's versions: 0xfaceb001, b002, and experiments and aliases from then on.
pub(super) const FIRST_MVFST: u32 = 0xface_b000;
pub(super) const LAST_MVFST: u32 = 0xface_b0ff;
pub(super) const T050: u32 = u32::from_be_bytes(*b"T050");
pub(super) const T051: u32 = u32::from_be_bytes(*b"T051");

/// A protected Initial packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Initial<'a> {
    pub(super) version: u32,
    pub(super) destination: &'a [u8],
    /// From the first byte of the header to the last of the packet.
    pub(super) bytes: &'a [u8],
    /// Offset of the packet number.
    pub(super) number: usize,
}

/// Whether a UDP payload may be QUIC: a cheap test that rejects most others.
pub(super) fn is_likely(payload: &[u8]) -> bool {
    payload.first().is_some_and(|first| first & 0xc0 == 0xc0)
        && be32(payload, 1).is_some_and(is_known)
}

pub(super) fn is_known(version: u32) -> bool {
    matches!(
        version,
        VERSION_1
            | VERSION_2
            | FIRST_DRAFT..=LAST_DRAFT
            | FIRST_MVFST..=LAST_MVFST
            | T050
            | T051
    )
}

/// Splits off the first packet of a datagram, which may be of another type.
pub(super) fn split(datagram: &[u8]) -> Option<(Option<Initial<'_>>, &[u8])> {
    if !is_likely(datagram) {
        return None;
    }
    let (&first, version) = (datagram.first()?, be32(datagram, 1)?);
    let (destination, rest) = identifier(datagram.get(5..)?)?;
    let (_, mut rest) = identifier(rest)?;
    let kind = first >> 4 & 3;
    // Initial, 0-RTT, Handshake, Retry; in version 2 each is one higher.
    let kind = if version == VERSION_2 { kind.wrapping_sub(1) & 3 } else { kind };
    match kind {
        0 => {
            let (token, after) = varint(rest)?;
            rest = after.get(usize::try_from(token).ok()?..)?;
        }
        3 => return None,
        _ => {}
    }
    let (length, rest) = varint(rest)?;
    let number = datagram.len() - rest.len();
    let end = number + usize::try_from(length).ok().filter(|&length| length <= rest.len())?;
    let (bytes, after) = datagram.split_at_checked(end)?;
    let initial = Initial { version, destination, bytes, number };
    Some(((kind == 0).then_some(initial), after))
}

fn identifier(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    (length <= 20).then(|| rest.split_at_checked(usize::from(length))).flatten()
}

/// An integer in one to eight bytes, and what follows it.
pub(super) fn varint(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let &first = bytes.first()?;
    let length = 1 << (first >> 6);
    let (number, rest) = bytes.split_at_checked(length)?;
    let start = u64::from(first & 0x3f);
    Some((number[1..].iter().fold(start, |sum, &byte| sum << 8 | u64::from(byte)), rest))
}
