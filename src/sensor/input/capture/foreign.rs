//! Unsupported captures: recognised by their first bytes, so that they are refused and not searched
//! as text.

/// The name of an unsupported capture format, if these are its first bytes.
pub(super) fn name(head: &[u8]) -> Option<&'static str> {
    let known = KINDS.iter().find(|(magic, _)| head.starts_with(magic));
    let known = known.map(|(_, name)| *name);
    known
        .or_else(|| is_pcap(head).then_some("a pcap of an unknown kind"))
        .or_else(|| is_netscaler(head).then_some("Citrix NetScaler nstrace"))
        .or_else(|| is_k12_text(head).then_some("Tektronix K12 text"))
        .or_else(|| is_commview(head).then_some("TamoSoft CommView"))
}

/// First bytes and names.
const KINDS: &[(&[u8], &str)] = &[
    (b"RTSS\0\x01", "Network Monitor 1"),
    (b"RTSS\x01\x01", "Network Monitor 1"),
    (b"GMBU\0\x02", "Network Monitor 2"),
    (b"GMBU\x01\x02", "Network Monitor 2"),
    (b"GMBU\x02\x02", "Network Monitor 2"),
    (b"GMBU\x03\x02", "Network Monitor 2"),
    (b"VL\0\0", "NetXRay"),
    (b"XCP\0", "NetXRay or Sniffer for Windows"),
    (b"TRSNIFF data    \x1a", "Sniffer for DOS"),
    (b"iptrace 1.0\0", "AIX iptrace"),
    (b"iptrace 2.0\0", "AIX iptrace"),
    (b"TR\0d", "HP-UX nettl"),
    (b"\x05VNF", "Visual Networks"),
    (b"ObserverPktBufferVersion=", "Network Instruments Observer"),
    (b"LOGG\x90\0\0\0", "Vector BLF"),
    (b"btsnoop\0", "Bluetooth btsnoop"),
    (b"EyeSDN", "EyeSDN"),
    (b"\xaa\xaa\xaa\xaa", "Accellent 5Views"),
    (b"\x7fver\0\0\0\0", "WildPackets EtherPeek"),
    (b"\x7fver", "Savvius Omnipeek"),
    (b"\0\0\x02\0\x12\x05\0\x10", "Tektronix K12"),
    (b"\0\0\x02\0\x12\x05\0\x11", "Tektronix K18"),
    (b"\x42\xd2\0\x34\x12\x66\x22\x88", "RADCOM"),
    (b"\x01\x10\x4c\0", "Novell LANalyzer"),
    (b"\x07\x10\x4c\0", "Novell LANalyzer"),
    (b"\x0c\xa5\x01\0", "nfdump"),
    (b"\x0c\xa5\x02\0", "nfdump"),
    (b"ETHERWATCH  X", "DBS Etherwatch"),
    // The first records of Snort's event files: kind and length.
    (b"\0\0\0\x07\0\0\0\x34", "unified2"),
    (b"\0\0\0\x48\0\0\0\x4c", "unified2"),
    (b"\0\0\0\x68\0\0\0\x3c", "unified2"),
    (b"\0\0\0\x69\0\0\0\x54", "unified2"),
    (b"cpse\0", "Colasoft Capsa"),
    (b"cpse\x1f", "Colasoft Capsa"),
    (b"V0208\0", "Aethra"),
    (b"#!rtpplay1.0 ", "rtpdump"),
    (b"PML_", "Process Monitor"),
    (b"\xa1\xb2\x34\xcd", "pcap as modified by F. Mesquita"),
    (b"\xcd\x34\xb2\xa1", "pcap as modified by F. Mesquita"),
    (b"\xa1\x2b\x3c\x4d", "Navtel's pcap"),
    (b"\x4d\x3c\x2b\xa1", "Navtel's pcap"),
    (b"\xa1\xb2\xc3\xcb", "a BPF program of libpcap"),
    (b"\xcb\xc3\xb2\xa1", "a BPF program of libpcap"),
];

/// The first record of a NetScaler trace identifies it, after a header of a few bytes.
fn is_netscaler(head: &[u8]) -> bool {
    let start = head.get(..64).unwrap_or(head);
    memchr::memmem::find(start, b"NetScaler").is_some()
        && memchr::memmem::find(start, b"Performance Data").is_some()
        && start.contains(&0)
}

/// A border, as in tables of many programs, followed by the time and kind of a frame.
fn is_k12_text(head: &[u8]) -> bool {
    let Some(rest) = head.strip_prefix(b"+---------+---------------+----------+") else {
        return false;
    };
    let rest = rest.strip_prefix(b"\r").unwrap_or(rest);
    let Some(time) = rest.strip_prefix(b"\n").and_then(|rest| rest.first_chunk::<16>()) else {
        return false;
    };
    time.iter().zip(b"00:00:00,000,000").all(|(byte, shape)| match shape {
        b'0' => byte.is_ascii_digit(),
        _ => byte == shape,
    })
}

/// CommView has no magic: a frame's length (twice in the older form, followed by a version), its
/// date and time, and what it was captured from.
fn is_commview(head: &[u8]) -> bool {
    let is_dated = |at: usize, medium: usize| {
        let Some(&[y0, y1, month, day, hour, minute, second, m0, m1, m2, m3]) =
            head.get(at..).and_then(|rest| rest.first_chunk())
        else {
            return false;
        };
        matches!(u16::from_le_bytes([y0, y1]), 1970..=2038)
            && matches!((month, day), (1..=12, 1..=31))
            && matches!((hour, minute, second), (0..=23, 0..=59, 0..=60))
            && u32::from_le_bytes([m0, m1, m2, m3]) < 1_000_000
            && head.get(medium).is_some_and(|medium| medium & 0x0f <= 2)
    };
    match head {
        [a0, a1, b0, b1, 0, ..] if a0 == b0 && a1 == b1 => [*a0, *a1] != [0; 2] && is_dated(5, 16),
        [a0, a1, _, 0, ..] => [*a0, *a1] != [0; 2] && is_dated(4, 15),
        _ => false,
    }
}

/// The contents of a pcap file header after its magic, in the byte order of the magic: the version
/// is 2 with a few minor numbers, and times are in UTC. Half of the magic is known.
fn is_pcap(head: &[u8]) -> bool {
    let Some(head) = head.first_chunk::<16>() else { return false };
    let (major, minor) = match head {
        [0xa1, 0xb2, ..] => ([head[5], head[4]], [head[7], head[6]]),
        [_, _, 0xb2, 0xa1, ..] => ([head[4], head[5]], [head[6], head[7]]),
        _ => return false,
    };
    major == [2, 0] && minor[0] <= 4 && minor[1] == 0 && head[8..12] == [0; 4]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_other_files() {
        for (magic, want) in KINDS {
            let head = [magic, &[0; 48][..]].concat();
            assert!(name(&head).is_some(), "{want}");
            assert_eq!(name(&magic[..3]), None, "{want}");
        }
        let text: &[&[u8]] = &[
            b"",
            b"2026-11-28 GET /",
            b"LOGGED IN: alice",
            b"LOGGER started",
            b"RTS frames were seen",
            b"iptrace stopped",
            b"{\"a\": 1}",
            b"snooping",
            b"TRSNIFF data",
            &[0; 64],
            &[0xff; 64],
        ];
        for head in text {
            assert_eq!(name(head), None, "{head:?}");
        }
    }

    #[test]
    fn commview_and_k12_text() {
        let old = b"\x48\0\x48\0\0\xea\x07\x0b\x18\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0eth";
        let new = b"\x48\0\0\0\xea\x07\x0b\x18\x06\0\0\0\0\0\0\0\0\0\0\0eth";
        for (head, year) in [(&old[..], 5), (&new[..], 4)] {
            assert_eq!(name(head), Some("TamoSoft CommView"));
            // Each of these changes makes it invalid: year, month, day, hour, minute, second.
            for (at, wrong) in [(1, 9), (2, 13), (3, 32), (4, 24), (5, 60), (6, 61)] {
                let mut other = head.to_vec();
                other[year + at] = wrong;
                assert_eq!(name(&other), None, "{at}");
            }
            assert_eq!(name(&head[..14]), None);
        }
        let border = "+---------+---------------+----------+";
        for end in ["\n", "\r\n"] {
            let text = |line: &str| name(format!("{border}{end}{line}").as_bytes());
            assert_eq!(text("06:00:00,000,000   ETHER"), Some("Tektronix K12 text"));
            assert_eq!(text("| a       | b             | c        |"), None);
            assert_eq!(text("06:00:00.000 up"), None);
        }
    }

    #[test]
    fn pcaps_of_unknown_kinds() {
        let head = |magic: u32, minor: u16| {
            let little = [&magic.to_le_bytes()[..], &2_u16.to_le_bytes(), &minor.to_le_bytes()];
            let big = [&magic.to_be_bytes()[..], &2_u16.to_be_bytes(), &minor.to_be_bytes()];
            [little, big].map(|parts| [&parts.concat()[..], &[0; 40]].concat())
        };
        for magic in [0xa1b2_cd35, 0xa1b2_c3d5, 0xa1b2_0000] {
            for head in head(magic, 4) {
                assert_eq!(name(&head), Some("a pcap of an unknown kind"), "{magic:x}");
            }
            assert!(head(magic, 99).iter().all(|head| name(head).is_none()));
        }
    }
}
