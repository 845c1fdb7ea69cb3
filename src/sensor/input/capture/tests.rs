use super::*;
use proptest::prelude::*;

/// Writes numbers in the requested byte order.
struct Writer {
    bytes: Vec<u8>,
    is_big: bool,
}

impl Writer {
    fn new(is_big: bool) -> Self {
        Writer { bytes: Vec::new(), is_big }
    }

    fn u16(&mut self, value: u16) -> &mut Self {
        self.bytes.extend(if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend(if self.is_big { value.to_be_bytes() } else { value.to_le_bytes() });
        self
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    fn block(&mut self, kind: u32, body: &[u8]) -> &mut Self {
        let padding = body.len().next_multiple_of(4) - body.len();
        let length = 12 + (body.len() + padding) as u32;
        self.u32(kind).u32(length).raw(body).raw(&[0; 3][..padding]).u32(length)
    }

    fn section(&mut self) -> &mut Self {
        let mut body = Writer::new(self.is_big);
        body.u32(0x1a2b_3c4d).u16(1).u16(0).u32(u32::MAX).u32(u32::MAX);
        self.block(0x0a0d_0d0a, &body.bytes)
    }

    fn interface(&mut self, linktype: u16, snaplen: u32, options: &[u8]) -> &mut Self {
        let mut body = Writer::new(self.is_big);
        body.u16(linktype).u16(0).u32(snaplen).raw(options);
        self.block(1, &body.bytes)
    }

    fn enhanced(&mut self, interface: u32, ticks: u64, data: &[u8], length: u32) -> &mut Self {
        let mut body = Writer::new(self.is_big);
        body.u32(interface).u32((ticks >> 32) as u32).u32(ticks as u32);
        body.u32(data.len() as u32).u32(length).raw(data);
        self.block(6, &body.bytes)
    }
}

fn classic(is_big: bool, is_nano: bool) -> Vec<u8> {
    let mut out = Writer::new(is_big);
    out.u32(if is_nano { 0xa1b2_3c4d } else { 0xa1b2_c3d4 });
    out.u16(2).u16(4).u32(0).u32(0).u32(65_535).u32(0x1000_0001);
    let fraction = if is_nano { 123_456_789 } else { 123_456 };
    out.u32(1_700_000_000).u32(fraction).u32(3).u32(60).raw(b"abc");
    out.u32(1_700_000_001).u32(0).u32(0).u32(0);
    out.bytes
}

fn section(is_big: bool) -> Vec<u8> {
    let mut out = Writer::new(is_big);
    let mut options = Writer::new(is_big);
    options.u16(2).u16(3).raw(b"eth\0").u16(9).u16(1).raw(&[9, 0, 0, 0]);
    options.u16(14).u16(8);
    options.raw(&if is_big { 7_i64.to_be_bytes() } else { 7_i64.to_le_bytes() });
    options.u16(0).u16(0);
    out.section().interface(1, 4, &[]).interface(101, 0, &options.bytes);
    out.block(0x0bad, b"unknown");
    out.enhanced(0, 5_000_001, b"one", 3).enhanced(1, 2_000_003_999, b"two!!", 99);
    let mut body = Writer::new(is_big);
    body.u32(9).raw(b"four");
    out.block(3, &body.bytes);
    let mut body = Writer::new(is_big);
    body.u16(0).u16(0xffff).u32(0).u32(8).u32(2).u32(2).raw(b"pb");
    out.block(2, &body.bytes);
    out.bytes
}

/// Returns as many bytes at a time as requested, over and over.
struct Dripping {
    bytes: Vec<u8>,
    at: usize,
    drip: usize,
}

impl std::io::Read for Dripping {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.bytes[self.at..];
        let count = self.drip.min(rest.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}

/// The contents of a capture: packets in an owned form and the error as text.
type Contents = (Vec<(u64, i64, u32, Vec<u8>, u32, u32)>, Option<String>);

fn owned(packet: &Packet<'_>) -> (u64, i64, u32, Vec<u8>, u32, u32) {
    let Packet { number, time, linktype, data, length, interface, .. } = *packet;
    (number, time, linktype, data.to_vec(), length, interface)
}

/// The same bytes from a pipe that returns this many at a time.
fn stream(bytes: &[u8], drip: usize) -> Contents {
    let reader = Dripping { bytes: bytes.to_vec(), at: 0, drip };
    let mut capture = CaptureStream::new(crate::sensor::input::Stream::new("pipe", reader));
    let mut packets = Vec::new();
    let mut batch = Batch::default();
    let last = loop {
        match capture.read(&mut batch) {
            Ok(true) => packets.extend(batch.packets().map(|packet| owned(&packet))),
            Ok(false) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    assert!(matches!(capture.read(&mut batch), Ok(false)), "nothing may follow an error");
    (packets, last)
}

/// Reads a file in every possible way, all of which must agree.
fn read(bytes: &[u8]) -> (Vec<Packet<'_>>, Option<Error>) {
    let (packets, error) = read_mapped(bytes);
    let want: Contents =
        (packets.iter().map(owned).collect(), error.as_ref().map(Error::to_string));
    for drip in [1, 7, 24, usize::MAX] {
        assert_eq!(stream(bytes, drip), want, "{drip} bytes at a time");
    }
    (packets, error)
}

fn read_mapped(bytes: &[u8]) -> (Vec<Packet<'_>>, Option<Error>) {
    let mut packets = Vec::new();
    let capture = match Capture::new(bytes) {
        Ok(capture) => capture,
        Err(error) => return (packets, Some(error)),
    };
    let mut last = None;
    for packet in capture {
        assert!(last.is_none(), "nothing may follow an error");
        match packet {
            Ok(packet) => packets.push(packet),
            Err(error) => last = Some(error),
        }
    }
    (packets, last)
}

#[test]
fn classic_in_every_order_and_unit() {
    for (is_big, is_nano) in [(false, false), (false, true), (true, false), (true, true)] {
        let bytes = classic(is_big, is_nano);
        assert!(is_capture(&bytes[..12]));
        let (packets, error) = read(&bytes);
        assert!(error.is_none());
        assert_eq!(packets.len(), 2);
        let want = Packet {
            number: 1,
            time: 1_700_000_000_123_456,
            is_timed: true,
            linktype: 1,
            data: b"abc",
            length: 60,
            interface: 0,
        };
        assert_eq!(packets[0], want);
        assert_eq!((packets[1].number, packets[1].data.len()), (2, 0));
    }
}

/// Two packets, the second without a time.
fn snoop(version: u32, kind: u32) -> Vec<u8> {
    let mut out = Writer::new(true);
    out.raw(b"snoop\0\0\0").u32(version).u32(kind);
    out.u32(60).u32(3).u32(28).u32(0).u32(1_700_000_000).u32(123_456).raw(b"abc\0");
    out.u32(5).u32(5).u32(29).u32(0).u32(0).u32(0).raw(b"five!");
    out.bytes
}

#[test]
fn snoop_files_are_read() {
    for (version, kind, linktype) in [(2, 4, 1), (2, 0, 1), (3, 4, 1), (2, 8, 10), (2, 26, 242)] {
        let bytes = snoop(version, kind);
        assert!(is_capture(&bytes[..12]));
        let (packets, error) = read(&bytes);
        assert!(error.is_none(), "{error:?}");
        let got: Vec<_> = packets
            .iter()
            .map(|p| (p.number, p.time, p.is_timed, p.linktype, p.data, p.length))
            .collect();
        let want = [
            (1, 1_700_000_000_123_456, true, linktype, &b"abc"[..], 60),
            (2, 0, false, linktype, &b"five!"[..], 5),
        ];
        assert_eq!(got, want);
    }
    let said = |bytes: &[u8]| read(bytes).1.map(|error| error.to_string()).unwrap_or_default();
    assert!(said(&snoop(2, 7)).contains("link type 7 of snoop is not decoded"));
    assert!(said(&snoop(9, 4)).contains("snoop version 9"));
    let mut bytes = snoop(2, 4);
    bytes.truncate(bytes.len() - 1);
    assert!(said(&bytes).contains("cut short in a packet"));
    bytes[16 + 11] = 20;
    assert!(said(&bytes).contains("a record of 20 bytes"));
    // The padding of the last one may be missing.
    let bytes = snoop(2, 4);
    let (packets, error) = read(&bytes[..43]);
    assert_eq!((packets.len(), error.is_none()), (1, true));
}

#[test]
fn modified_forms_of_pcap() {
    for is_big in [false, true] {
        let file = |magic: u32, version: (u16, u16), linktype: u32, after: &[u8], more: &[u8]| {
            let mut out = Writer::new(is_big);
            out.u32(magic).u16(version.0).u16(version.1).u32(0).u32(0).u32(65_535).u32(linktype);
            out.raw(after);
            for (captured, length) in [(3, 60), (3, 3)] {
                out.u32(1_700_000_000).u32(123_456_000).u32(captured).u32(length).raw(more);
                out.raw(b"abc");
            }
            out.bytes
        };
        let (seconds, micros) = (1_700_000_000_000_000, 123_456_000);
        for (bytes, time, linktype) in [
            (file(0xa1b2_cd34, (2, 4), 113, b"", b"ifidprTp"), seconds + micros, 113),
            (file(0x1c00_01ab, (2, 4), 1, b"size", b""), seconds + micros, 1),
            (file(0x1c00_01ac, (2, 4), 1, b"size", b""), seconds + micros / 1000, 1),
            (file(0xa1b2_c3d4, (2, 2), 6, b"", b""), seconds + micros / 1000, 1),
            (file(0xa1b2_c3d4, (2, 3), 6, b"", b""), seconds + micros, 6),
        ] {
            assert!(is_capture(&bytes[..12]));
            let (packets, error) = read(&bytes);
            assert!(error.is_none(), "{error:?}");
            let got: Vec<_> =
                packets.iter().map(|p| (p.time, p.linktype, p.data, p.length)).collect();
            let want = |length| (time, linktype, &b"abc"[..], length);
            assert_eq!(got, [want(60), want(3)]);
        }
        // Old files may have swapped lengths.
        let mut out = Writer::new(is_big);
        out.u32(0xa1b2_c3d4).u16(2).u16(3).u32(0).u32(0).u32(65_535).u32(1);
        out.u32(0).u32(0).u32(60).u32(3).raw(b"abc");
        let (packets, error) = read(&out.bytes);
        assert!(error.is_none());
        assert_eq!((packets[0].data, packets[0].length), (&b"abc"[..], 60));
        assert!(!packets[0].is_timed);
    }
    // Bits of the link type that do not belong to a frame check sequence.
    let mut bytes = classic(false, false);
    bytes[22] = 1;
    assert_eq!(read(&bytes).0[0].linktype, 0x1_0001);
}

#[test]
fn kinds_that_are_not_read_are_named() {
    for (head, want) in [
        (&b"GMBU\0\x02\x01\0"[..], "Network Monitor 2"),
        (b"XCP\x00002.002", "NetXRay"),
        (b"\x05VNF\0\0\0\0", "Visual Networks"),
        (b"LOGG\x90\0\0\0", "Vector BLF"),
        (b"iptrace 2.0\0\0\0\x5a", "AIX iptrace"),
        (b"\xcd\x34\xb2\xa1\x02\0\x04\0", "Mesquita"),
    ] {
        let bytes = [head, &[0; 60]].concat();
        assert!(is_capture(&bytes));
        let error = read(&bytes).1.unwrap().to_string();
        assert!(error.contains(want) && error.contains("unsupported"), "{error}");
    }
}

#[test]
fn pcapng_sections_interfaces_and_blocks() {
    let mut bytes = section(false);
    bytes.extend(section(true));
    assert!(is_capture(&bytes[..12]));
    let (packets, error) = read(&bytes);
    assert!(error.is_none(), "{error:?}");
    let got: Vec<_> = packets
        .iter()
        .map(|p| (p.number, p.time, p.linktype, p.data, p.length, p.interface))
        .collect();
    let one = |n: u64| {
        vec![
            (n + 1, 5_000_001, 1, &b"one"[..], 3, 0),
            (n + 2, 9_000_003, 101, &b"two!!"[..], 99, 1),
            (n + 3, 9_000_003, 1, &b"four"[..], 9, 0),
            (n + 4, 8, 1, &b"pb"[..], 2, 0),
        ]
    };
    assert_eq!(got, [one(0), one(4)].concat());
    let timed: Vec<_> = packets.iter().map(|p| p.is_timed).collect();
    assert_eq!(timed, [true, true, false, true, true, true, false, true]);
}

#[test]
fn timestamps_have_the_resolution_of_their_interface() {
    for (resolution, ticks, want) in [
        (0, 3, 3_000_000),
        (3, 1_500, 1_500_000),
        (6, 7, 7),
        (9, 1_999, 1),
        (0x80, 2, 2_000_000),
        (0x8a, 1_536, 1_500_000),
        (0xff, u64::MAX, 0),
        (0x7f, u64::MAX, 0),
        (0, u64::MAX, i64::MAX),
    ] {
        let mut out = Writer::new(false);
        out.section().interface(1, 0, &[9, 0, 1, 0, resolution, 0, 0, 0]);
        out.enhanced(0, ticks, b"", 0);
        let (packets, error) = read(&out.bytes);
        assert!(error.is_none());
        assert_eq!(packets[0].time, want, "{resolution:#x}");
    }
}

#[test]
fn damage_is_one_error_at_its_place() {
    let mut bytes = classic(false, false);
    bytes.extend([0xff; 16]);
    let (packets, error) = read(&bytes);
    assert_eq!(packets.len(), 2);
    assert!(error.unwrap().to_string().contains("at byte 59"));

    let mut out = Writer::new(false);
    out.section().enhanced(0, 0, b"", 0);
    let (packets, error) = read(&out.bytes);
    assert!(packets.is_empty());
    assert!(error.unwrap().to_string().contains("at byte 28"));

    let mut bytes = section(false);
    bytes.extend(6_u32.to_le_bytes());
    bytes.extend(3_u32.to_le_bytes());
    let (packets, error) = read(&bytes);
    assert_eq!(packets.len(), 4);
    assert!(error.unwrap().to_string().contains("a block of 3 bytes"));
}

#[test]
fn not_a_capture() {
    for bytes in [&b""[..], b"\xa1\xb2", b"<html>", b"\x0a\x0d\x0d\x0a\0\0\0\x1cABCD"] {
        assert!(!is_capture(bytes));
        assert!(Capture::new(bytes).is_err());
    }
}

#[test]
fn truncation_anywhere_keeps_the_packets_before_it() {
    for whole in [classic(true, false), section(false), section(true), snoop(2, 4)] {
        let (all, _) = read(&whole);
        for end in 0..whole.len() {
            let (packets, _) = read(&whole[..end]);
            assert_eq!(packets, all[..packets.len()]);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(magic in 0..9_usize, rest in proptest::collection::vec(any::<u8>(), 0..400)) {
        let heads: [&[u8]; 9] = [
            b"snoop\0\0\0\0\0\0\x02\0\0\0\x04", b"\x34\xcd\xb2\xa1", b"\x1c\0\x01\xac",
            b"", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d",
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a", b"\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d",
        ];
        let mut bytes = heads[magic].to_vec();
        bytes.extend(rest);
        read(&bytes);
    }

    #[test]
    fn flipped_bytes_do_not_panic(at in any::<prop::sample::Index>(), value: u8, is_big: bool) {
        for mut bytes in [classic(is_big, true), section(is_big), snoop(2, 4)] {
            let at = at.index(bytes.len());
            bytes[at] = value;
            read(&bytes);
        }
    }
}
