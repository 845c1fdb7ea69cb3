use super::*;
use crate::engine::indicator::Where;
use crate::engine::packet::tests::{CLIENT, Recorder, SERVER, decode_all, ipv4};

const PORT: u16 = 40_000;

fn datagram(to_server: bool, server_port: u16, payload: &[u8]) -> Vec<u8> {
    let (src, dst) = if to_server { (PORT, server_port) } else { (server_port, PORT) };
    let mut bytes = [src.to_be_bytes(), dst.to_be_bytes()].concat();
    bytes.extend((8 + payload.len() as u16).to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(payload);
    let (from, to) = if to_server { (CLIENT, SERVER) } else { (SERVER, CLIENT) };
    ipv4(from, to, 17, &bytes)
}

fn data(to_server: bool, number: u16, data: &[u8]) -> Vec<u8> {
    let payload = [&[0, 3][..], &number.to_be_bytes(), data].concat();
    datagram(to_server, 50_000, &payload)
}

fn hashes(recorder: &Recorder) -> usize {
    recorder.at(Where::FileHash).len()
}

#[test]
fn a_file_is_fetched_or_sent() {
    for to_server in [false, true] {
        let request = [&[0, if to_server { 2 } else { 1 }][..], b"dir/a.bin\0Octet\0"].concat();
        let again = data(to_server, 1, &[b'a'; 512]);
        let packets = [
            datagram(true, 69, &request),
            again.clone(),
            again,
            datagram(!to_server, 50_000, &[0, 4, 0, 1]),
            // From another host.
            datagram(to_server, 50_001, &[0, 3, 0, 2, 9]),
            data(to_server, 2, b"end"),
        ];
        let (recorder, counters) = decode_all(&packets);
        assert_eq!(recorder.at(Where::FileName), ["a.bin", "dir/a.bin"]);
        assert_eq!(hashes(&recorder), 3);
        let Some(crate::engine::indicator::Protocol::File(file)) =
            &recorder.places.last().unwrap().protocol
        else {
            panic!()
        };
        assert_eq!(
            (file.protocol, file.size, file.name.as_deref()),
            ("tftp", Some(515), Some("a.bin"))
        );
        assert_eq!(counters.faults().count(), 0);
    }
}

#[test]
fn text_is_reported_in_both_forms() {
    let packets = [
        datagram(true, 69, b"\0\x01a\0NetASCII\0tsize\x000\0"),
        // The size on disk.
        datagram(false, 50_000, b"\0\x06tsize\x007\0"),
        data(false, 1, b"one\r\ntwo\r\0"),
    ];
    let (recorder, counters) = decode_all(&packets);
    assert_eq!((hashes(&recorder), counters.faults().count()), (6, 0));
    let size = |place: &crate::engine::indicator::PacketPlace| match &place.protocol {
        Some(crate::engine::indicator::Protocol::File(file)) => file.size,
        _ => None,
    };
    let sizes: Vec<u64> = recorder.places.iter().filter_map(size).collect();
    assert_eq!(sizes, [10, 10, 10, 8, 8, 8]);
}

#[test]
fn blocks_may_be_of_another_size_and_their_numbers_wrap() {
    for first in [0, 1] {
        let mut packets = vec![datagram(true, 69, b"\0\x01a\0octet\0blksize\08\0tsize\x000\0")];
        packets.push(datagram(false, 50_000, b"\0\x06blksize\08\0tsize\x00524299\0"));
        let mut number = 1_u16;
        for _ in 0..65_537 {
            packets.push(data(false, number, b"12345678"));
            number = number.wrapping_add(1);
            if number == 0 {
                number = first;
            }
        }
        packets.push(data(false, number, b"123"));
        let (recorder, counters) = decode_all(&packets);
        assert_eq!((hashes(&recorder), counters.faults().count()), (3, 0), "{first}");
    }
}

/// A later user of the client's port is unrelated.
#[test]
fn a_transfer_does_not_wait_for_ever() {
    let request = datagram(true, 69, b"\0\x01a\0octet\0");
    for (wait, files) in [(119, 3), (122, 0)] {
        // One per second.
        let mut packets = vec![request.clone()];
        packets.resize(wait, ipv4(SERVER, CLIENT, 1, &[8, 0]));
        packets.push(data(false, 1, b"end"));
        let (recorder, counters) = decode_all(&packets);
        let lost = u64::from(files == 0);
        assert_eq!((hashes(&recorder), counters.fault(Fault::TransferLost)), (files, lost));
    }
}

#[test]
fn what_is_lost_is_no_file() {
    let request = datagram(true, 69, b"\0\x01a\0netascii\0");
    let (recorder, counters) = decode_all(&[request.clone(), data(false, 2, b"end")]);
    assert_eq!((hashes(&recorder), counters.fault(Fault::TransferLost)), (0, 1));
    let error = datagram(false, 50_000, b"\0\x05\0\x01no\0");
    // Refused; broken off.
    for (number, lost) in [(9, 0), (1, 1)] {
        let packets = [request.clone(), data(false, number, &[0; 512]), error.clone()];
        let (recorder, counters) = decode_all(&[&packets[..], &[data(false, 2, b"end")]].concat());
        assert_eq!((hashes(&recorder), counters.fault(Fault::TransferLost)), (0, lost));
    }
    for bad in
        [&b"\0\x01\0octet\0"[..], b"\0\x01a\0other\0", b"\0\x01a\0octet", b"\0\x03a\0octet\0"]
    {
        assert_eq!(parse_request(bad), None);
    }
}
