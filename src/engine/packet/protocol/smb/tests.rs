use super::*;
use crate::engine::indicator::Where;
use crate::engine::packet::contract::{Probe, Protocol as _};
use crate::engine::packet::tests::{Recorder, decode_all, probe, tcp};
use crate::engine::packet::{Fault, Ports};

const ID: [u8; 16] = [7; 16];
const OTHER_ID: [u8; 16] = [8; 16];
const RELATED: [u8; 16] = [0xff; 16];

pub(super) fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// An SMB2 message without its frame. `flags`: 1 for a response, 4 for a related one.
fn message(command: u16, flags: u32, number: u64, body: &[&[u8]]) -> Vec<u8> {
    let mut bytes = vec![0xfe, b'S', b'M', b'B', 64, 0, 0, 0, 0, 0, 0, 0];
    bytes.extend(command.to_le_bytes());
    bytes.extend([1, 0]);
    bytes.extend(flags.to_le_bytes());
    bytes.extend([0; 4]);
    bytes.extend(number.to_le_bytes());
    bytes.extend([0, 0, 0, 0, 9, 0, 0, 0]);
    bytes.extend([0; 24]);
    bytes.extend(body.concat());
    bytes
}

/// Messages in one frame.
pub(super) fn frame(messages: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (at, message) in messages.iter().enumerate() {
        let mut message = message.clone();
        if at + 1 < messages.len() {
            message.resize(message.len().next_multiple_of(8), 0);
            let next = message.len() as u32;
            message[20..24].copy_from_slice(&next.to_le_bytes());
        }
        bytes.extend(message);
    }
    let length = bytes.len() as u32;
    [&length.to_be_bytes()[..], &bytes].concat()
}

fn create(number: u64, name: &str) -> Vec<u8> {
    let name = utf16(name);
    let length = (name.len() as u16).to_le_bytes();
    message(5, 0, number, &[&[57, 0], &[0; 42], &[120, 0], &length, &[0; 8], &name])
}

fn created(number: u64, size: u64, id: [u8; 16]) -> Vec<u8> {
    message(5, 1, number, &[&[89, 0], &[0; 46], &size.to_le_bytes(), &[0; 8], &id, &[0; 8]])
}

fn read(number: u64, id: [u8; 16], at: u64, length: u32) -> Vec<u8> {
    let (at, length) = (at.to_le_bytes(), length.to_le_bytes());
    message(8, 0, number, &[&[49, 0, 0, 0], &length, &at, &id, &[0; 17]])
}

fn answer(number: u64, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u32).to_le_bytes();
    message(8, 1, number, &[&[17, 0, 80, 0], &length, &[0; 8], data])
}

fn write(number: u64, flags: u32, id: [u8; 16], at: u64, data: &[u8]) -> Vec<u8> {
    let (at, length) = (at.to_le_bytes(), (data.len() as u32).to_le_bytes());
    message(9, flags, number, &[&[49, 0, 112, 0], &length, &at, &id, &[0; 16], data])
}

fn close(number: u64, flags: u32, id: [u8; 16]) -> Vec<u8> {
    message(6, flags, number, &[&[24, 0, 0, 0, 0, 0, 0, 0], &id])
}

fn closed(number: u64) -> Vec<u8> {
    message(6, 1, number, &[&[60, 0], &[0; 58]])
}

/// The data of a client that reads a file out of order while it writes another one.
pub(in crate::engine::packet) fn client() -> Vec<u8> {
    let share = utf16("\\\\files.example\\pub");
    let length = (share.len() as u16).to_le_bytes();
    let tree = message(3, 0, 1, &[&[9, 0, 0, 0, 72, 0], &length, &share]);
    let compound =
        [create(6, "new.txt"), write(7, 4, RELATED, 0, b"hello world"), close(8, 4, RELATED)];
    [
        frame(&[tree]),
        frame(&[create(2, "dir\\evil.exe")]),
        b"\x85\0\0\0".to_vec(),
        frame(&[read(3, ID, 8, 8)]),
        frame(&[read(4, ID, 0, 8)]),
        frame(&[close(5, 0, ID)]),
        frame(&compound),
    ]
    .concat()
}

/// The data of its server.
pub(in crate::engine::packet) fn server() -> Vec<u8> {
    let tree = message(3, 1, 1, &[&[16, 0, 1, 0], &[0; 12]]);
    let written = message(9, 1, 7, &[&[17, 0], &[0; 14]]);
    [
        frame(&[tree]),
        frame(&[created(2, 16, ID)]),
        frame(&[answer(3, b"89abcdef")]),
        frame(&[answer(4, b"01234567")]),
        frame(&[closed(5)]),
        frame(&[created(6, 0, OTHER_ID), written, closed(8)]),
    ]
    .concat()
}

pub(super) fn exchange(client: &[u8], server: &[u8]) -> Recorder {
    let (recorder, counters) = both(client, server);
    assert_eq!(counters.faults().count(), 0);
    recorder
}

/// The client's data, then its server's.
pub(super) fn both(client: &[u8], server: &[u8]) -> (Recorder, crate::engine::packet::Counters) {
    turns(&[(true, client), (false, server)])
}

/// Both sides in turn.
pub(super) fn turns(conversation: &[(bool, &[u8])]) -> (Recorder, crate::engine::packet::Counters) {
    replay(conversation.iter().map(|&(to_server, data)| (to_server, 0, data)))
}

/// The same with missing bytes before some of the data.
pub(super) fn replay<'a>(
    conversation: impl Iterator<Item = (bool, u32, &'a [u8])>,
) -> (Recorder, crate::engine::packet::Counters) {
    let mut next = [0_u32; 2];
    let packets = conversation.map(|(to_server, missing, data)| {
        let mut packet = tcp(40_000, 9445, 24, data);
        if !to_server {
            // The same flow in the other direction.
            let (src, dst) = (packet[12..16].to_vec(), packet[16..20].to_vec());
            packet[12..16].copy_from_slice(&dst);
            packet[16..20].copy_from_slice(&src);
            packet[20..24].rotate_left(2);
        }
        let seq = &mut next[usize::from(to_server)];
        *seq += missing;
        packet[24..28].copy_from_slice(&seq.to_be_bytes());
        *seq += data.len() as u32;
        packet
    });
    decode_all(&packets.collect::<Vec<_>>())
}

pub(super) fn md5(data: &[u8]) -> String {
    use md5::Digest as _;
    format!("Md5 {:?}", <[u8; 16]>::from(md5::Md5::digest(data)))
}

pub(super) fn hashes(recorder: &Recorder) -> Vec<&str> {
    let all = recorder.at(Where::FileHash);
    all.into_iter().filter(|text| text.starts_with("Md5")).collect()
}

#[test]
fn files_read_and_written() {
    let recorder = exchange(&client(), &server());
    assert_eq!(recorder.at(Where::FileName), ["evil.exe", "dir\\evil.exe", "new.txt"]);
    assert_eq!(recorder.at(Where::SmbHost), ["files.example"]);
    assert_eq!(hashes(&recorder), [md5(b"0123456789abcdef"), md5(b"hello world")]);
}

#[test]
fn parts_are_no_files() {
    let open = [frame(&[create(1, "a")]), frame(&[created(1, 8, ID)])];
    for (asked, answered) in [
        // Not from its beginning; not to its end; written over existing data.
        (vec![read(2, ID, 1, 7)], vec![answer(2, b"1234567")]),
        (vec![read(2, ID, 0, 7)], vec![answer(2, b"0123456")]),
        (vec![write(2, 0, ID, 0, b"01234567"), write(3, 0, ID, 2, b"x"), close(4, 0, ID)], vec![]),
        // Of a file that is longer.
        (vec![write(2, 0, ID, 0, b"0123456"), close(4, 0, ID)], vec![]),
    ] {
        let client: Vec<u8> = asked.iter().flat_map(|m| frame(std::slice::from_ref(m))).collect();
        let server: Vec<u8> =
            answered.iter().flat_map(|m| frame(std::slice::from_ref(m))).collect();
        let (recorder, counters) =
            turns(&[(true, &open[0]), (false, &open[1]), (true, &client), (false, &server)]);
        assert_eq!(counters.faults().count() as u64, counters.fault(Fault::RangesLost));
        assert!(hashes(&recorder).is_empty(), "{:?}", recorder.seen);
    }
    let whole = exchange(
        &[&open[0][..], &frame(&[read(2, ID, 0, 9)])].concat(),
        &[&open[1][..], &frame(&[answer(2, b"01234567")])].concat(),
    );
    assert_eq!(hashes(&whole), [md5(b"01234567")]);
}

#[test]
fn names_of_a_logon() {
    let domain = utf16("corp.example");
    let mut token = b"NTLMSSP\0\x02\0\0\0".to_vec();
    token.extend([0; 28]);
    token.extend([20 + domain.len() as u8, 0, 0, 0, 48, 0, 0, 0]);
    for (kind, value) in [(2_u8, utf16("CORP")), (4, domain), (0, vec![])] {
        token.extend([kind, 0, value.len() as u8, 0]);
        token.extend(value);
    }
    let setup = message(1, 1, 1, &[&[9, 0, 0, 0, 72, 0, 0, 0], &token]);
    let recorder = exchange(&[], &frame(&[setup]));
    assert_eq!(recorder.at(Where::SmbHost), ["corp.example"]);
}

#[test]
fn what_is_encrypted_is_counted() {
    let data = [&b"\0\0\0\x08\xfdSMBxxxx"[..], &frame(&[create(1, "a.txt")])].concat();
    let (recorder, counters) = decode_all(&[tcp(40_000, 445, 24, &data)]);
    assert_eq!(counters.fault(Fault::DarkSmb), 1);
    assert_eq!(recorder.at(Where::FileName), ["a.txt"]);
}

#[test]
fn first_bytes_decide_whether_it_is_smb() {
    let data = frame(&[create(1, "a")]);
    for length in 1..8 {
        assert!(matches!(probe::<Side>(&data[..length]), Probe::Maybe(_)), "{length}");
    }
    assert!(matches!(probe::<Side>(&data[..8]), Probe::Is(_)));
    assert!(matches!(probe::<Side>(b"\0\0\0\x40\xfdSMX"), Probe::No));
    assert!(Side::begins(&data, Ports::None) && !Side::begins(&data[1..], Ports::None));
}

/// An SMB1 message with its frame: words, and the bytes after them.
fn first_version(command: u8, flags: u8, number: u8, words: &[u8], bytes: &[u8]) -> Vec<u8> {
    let mut message = vec![0xff, b'S', b'M', b'B', command, 0, 0, 0, 0, flags];
    message.resize(30, 0);
    message.extend([number, 0, (words.len() / 2) as u8]);
    message.extend(words);
    message.extend((bytes.len() as u16).to_le_bytes());
    message.extend(bytes);
    frame(&[message])
}

/// A file written with SMB1 at an offset whose upper half is `high`.
fn written_at(high: u32) -> Recorder {
    let mut opened = [0; 68];
    opened[5] = 3;
    let mut write = [0; 28];
    write[4] = 3;
    write[20] = 11;
    // After the header, count of words, words, count of bytes.
    write[22] = 63;
    write[24..].copy_from_slice(&high.to_le_bytes());
    let client = [
        first_version(0x2f, 0, 2, &write, b"hello world"),
        first_version(0x04, 0, 3, &[3, 0, 0, 0, 0, 0], b""),
    ];
    let (recorder, counters) = turns(&[
        (true, &first_version(0xa2, 0, 1, &[0; 48], b"new.txt\0")),
        (false, &first_version(0xa2, 0x80, 1, &opened, b"")),
        (true, &client.concat()),
    ]);
    assert_eq!(counters.faults().count(), 0);
    assert_eq!(recorder.at(Where::FileName).last(), Some(&"new.txt"));
    recorder
}

#[test]
fn bytes_beyond_four_gibibytes_are_not_the_first() {
    assert_eq!(hashes(&written_at(0)), [md5(b"hello world")]);
    assert_eq!(hashes(&written_at(1)), [""; 0]);
}
