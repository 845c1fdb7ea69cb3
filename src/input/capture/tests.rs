use super::*;
use proptest::prelude::*;

/// Writes numbers in the order asked for.
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

/// Gives as many bytes at a time as it is told, over and over.
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

/// What a capture tells, packets in an owned form and the error as text.
type Told = (Vec<(u64, i64, u32, Vec<u8>, u32, u32)>, Option<String>);

fn told(packet: &Packet<'_>) -> (u64, i64, u32, Vec<u8>, u32, u32) {
    let Packet { number, time, linktype, data, length, interface } = *packet;
    (number, time, linktype, data.to_vec(), length, interface)
}

/// The same bytes out of a pipe that gives so many at a time.
fn stream(bytes: &[u8], drip: usize) -> Told {
    let reader = Dripping { bytes: bytes.to_vec(), at: 0, drip };
    let mut capture = CaptureStream::new(crate::input::Stream::new("pipe", reader));
    let mut packets = Vec::new();
    let mut batch = Batch::default();
    let last = loop {
        match capture.read(&mut batch) {
            Ok(true) => packets.extend(batch.packets().map(|packet| told(&packet))),
            Ok(false) => break None,
            Err(error) => break Some(error.to_string()),
        }
    };
    assert!(matches!(capture.read(&mut batch), Ok(false)), "nothing may follow an error");
    (packets, last)
}

/// Reads a file in every way there is, which must agree.
fn read(bytes: &[u8]) -> (Vec<Packet<'_>>, Option<Error>) {
    let (packets, error) = read_mapped(bytes);
    let want: Told = (packets.iter().map(told).collect(), error.as_ref().map(Error::to_string));
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
            linktype: 1,
            data: b"abc",
            length: 60,
            interface: 0,
        };
        assert_eq!(packets[0], want);
        assert_eq!((packets[1].number, packets[1].data.len()), (2, 0));
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
}

#[test]
fn resolutions() {
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
    for whole in [classic(true, false), section(false), section(true)] {
        let (all, _) = read(&whole);
        for end in 0..whole.len() {
            let (packets, _) = read(&whole[..end]);
            assert_eq!(packets, all[..packets.len()]);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(magic in 0..6_usize, rest in proptest::collection::vec(any::<u8>(), 0..400)) {
        let heads: [&[u8]; 6] = [
            b"", b"\xd4\xc3\xb2\xa1", b"\xa1\xb2\xc3\xd4", b"\xa1\xb2\x3c\x4d",
            b"\x0a\x0d\x0d\x0a\x1c\0\0\0\x4d\x3c\x2b\x1a", b"\x0a\x0d\x0d\x0a\0\0\0\x1c\x1a\x2b\x3c\x4d",
        ];
        let mut bytes = heads[magic].to_vec();
        bytes.extend(rest);
        read(&bytes);
    }

    #[test]
    fn flipped_bytes_do_not_panic(at in any::<prop::sample::Index>(), value: u8, is_big: bool) {
        for mut bytes in [classic(is_big, true), section(is_big)] {
            let at = at.index(bytes.len());
            bytes[at] = value;
            read(&bytes);
        }
    }
}
