//! ERF, Endace's format: records one after the other, without a file header.
//!
//! A record has a time of 64 bits (seconds and their fractions, little-endian), its kind, and in
//! network byte order its length, a loss counter and the length on the wire; then extension headers
//! of eight bytes while the first bit indicates more, for Ethernet two bytes of padding, and the
//! frame (Endace's "Extensible Record Format Types", and Wireshark's reader).

use super::endian::Endian;
use super::item::{Found, Item, Stop};

const HEADER: usize = 16;

/// Kinds of records that are not packets.
const PROVENANCE: u8 = 27;
const PADDING: u8 = 48;

/// 1990 and 2100, in seconds.
const YEARS: std::ops::Range<u32> = 631_152_000..4_102_444_800;

/// The maximum distance between two consecutive records, in seconds.
const APART: u32 = 86_400;

/// The tcpdump group's number for such records.
const ERF: u32 = 197;

/// The header of a record.
struct Header {
    fraction: u32,
    seconds: u32,
    kind: u8,
    has_extension: bool,
    record: u16,
    wire: u16,
}

impl Header {
    fn of(bytes: &[u8]) -> Option<Header> {
        let kind = *bytes.get(8)?;
        Some(Header {
            fraction: Endian::Little.u32(bytes, 0)?,
            seconds: Endian::Little.u32(bytes, 4)?,
            kind: kind & 0x7f,
            has_extension: kind & 0x80 != 0,
            record: Endian::Big.u16(bytes, 10)?,
            wire: Endian::Big.u16(bytes, 14)?,
        })
    }

    /// Whether there is such a record.
    fn is_sound(&self) -> bool {
        let is_packet = !matches!(self.kind, PROVENANCE | PADDING);
        YEARS.contains(&self.seconds)
            && matches!(self.kind, 1..=29 | PADDING)
            && usize::from(self.record) >= HEADER
            && (self.wire > 0 || !is_packet)
    }
}

/// Whether these bytes begin such a file, which has no magic: two records in a row are plausible,
/// or the first one is an Ethernet frame with its type in the right place.
pub(super) fn is_erf(head: &[u8]) -> bool {
    let Some(first) = Header::of(head).filter(Header::is_sound) else { return false };
    let record = usize::from(first.record);
    if let Some(next) = head.get(record..).and_then(Header::of) {
        return next.is_sound() && next.seconds.abs_diff(first.seconds) <= APART;
    }
    let is_ethernet = matches!(first.kind, 2 | 11 | 16 | 20) && !first.has_extension;
    is_ethernet
        && (32..=9_600).contains(&record)
        && (14..=9_600).contains(&first.wire)
        && first.record <= first.wire.saturating_add(32)
        && matches!(
            head.get(30..32),
            Some([8, 0 | 6] | [0x86, 0xdd] | [0x81, 0] | [0x88, 0xa8 | 0xcc | 0x47])
        )
}

/// Reads the record at the beginning of the rest. The packet is the record with its header: what it
/// carries depends on its link type, which captures in other formats have as well.
pub(super) fn step(rest: &[u8]) -> Result<Item, Stop> {
    let what = "the header of a packet";
    let Some(header) = Header::of(rest) else { return Err(Stop::Short { what, needs: HEADER }) };
    let length = usize::from(header.record);
    if length < HEADER {
        return Err(Stop::Damaged(format!("a record of {length} bytes")));
    }
    if rest.len() < length {
        return Err(Stop::Short { what: "a packet", needs: length });
    }
    // Provenance and padding records carry no packet.
    if matches!(header.kind, PROVENANCE | PADDING) {
        return Ok(Item::new(length, None));
    }
    let micros = (u64::from(header.fraction) * 1_000_000) >> 32;
    let found = Found {
        written: None,
        time: i64::from(header.seconds) * 1_000_000 + micros as i64,
        is_timed: header.seconds | header.fraction != 0,
        linktype: ERF,
        data: 0..length,
        length: u32::from(header.wire).max(u32::from(header.record)),
        interface: 0,
    };
    Ok(Item::new(length, Some(found)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(kind: u8, extensions: &[u8], body: &[u8], wire: u16) -> Vec<u8> {
        let mut bytes = vec![0, 0, 0, 0x80];
        bytes.extend(1_764_000_000_u32.to_le_bytes());
        let length = 16 + extensions.len() + body.len();
        bytes.extend([kind, 4]);
        bytes.extend((length as u16).to_be_bytes());
        bytes.extend([0, 0]);
        bytes.extend(wire.to_be_bytes());
        [&bytes, extensions, body].concat()
    }

    #[test]
    fn records_and_what_they_carry() {
        let mut frame = vec![0; 2 + 14 + 20 + 6];
        (frame[14], frame[15]) = (8, 0);
        let more = [[0x83, 0, 0, 0, 0, 0, 0, 1], [5, 0, 0, 0, 0, 0, 0, 2]].concat();
        for (kind, extensions, body, wire, is_packet) in [
            (2, &[][..], &frame[..], 34, true),
            (0x8b, &more, &frame, 34, true),
            (22, &[], &[0x45, 0, 0, 20], 4, true),
            (3, &[], &[0; 56], 52, true),
            (0x9b, &more, &[0; 8], 0, false),
            (48, &[], &[0; 8], 0, false),
        ] {
            let bytes = record(kind, extensions, body, wire);
            let item = step(&bytes).unwrap();
            assert_eq!(item.length, bytes.len());
            let found = item.found.map(|found| (found.time, found.linktype, found.data));
            let want = is_packet.then_some((1_764_000_000_500_000, 197, 0..bytes.len()));
            assert_eq!(found, want, "{kind}");
            // Any two records in a row are recognised.
            assert!(is_erf(&[&bytes[..], &record(2, &[], &frame, 34)].concat()), "{kind}");
            for cut in 0..bytes.len() {
                assert!(matches!(step(&bytes[..cut]), Err(Stop::Short { .. })), "{cut}");
            }
        }
        assert!(matches!(step(&[0; 16]), Err(Stop::Damaged(_))));
        let first = record(2, &[], &frame, 34);
        assert!(is_erf(&first));
        assert!(!is_erf(&[&first[..], &[0; 64]].concat()), "nothing sound follows");
        for (at, byte) in [(7, 0), (8, 0), (11, 15), (15, 3), (30, 9)] {
            let mut other = first.clone();
            other[at] = byte;
            assert!(!is_erf(&other), "{at}");
        }
    }
}
