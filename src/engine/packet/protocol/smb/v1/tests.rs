//! Chains of commands, and the commands of old clients.

use crate::engine::indicator::Where;
use crate::engine::packet::protocol::smb::tests::{
    both, exchange, frame, hashes, md5, replay, turns, utf16,
};
use proptest::prelude::*;

const CREATE: u8 = 0xa2;
const OPEN: u8 = 0x2d;
const READ: u8 = 0x2e;
const WRITE: u8 = 0x2f;
const CLOSE: u8 = 0x04;
const SETUP: u8 = 0x73;
const TREE: u8 = 0x75;

/// A command with its words and its bytes.
type Block = (u8, Vec<u8>, Vec<u8>);

/// Commands that contain the next one in their words, where the position of data may be given by
/// that of the bytes.
fn is_andx(command: u8) -> bool {
    matches!(command, CREATE | OPEN | READ | WRITE | SETUP | TREE)
}

/// A message without its frame. `flags`: 0x80 for a response. 0xeeee in words is replaced by the
/// position of the block's bytes.
fn message(flags: u8, number: u8, status: u32, is_unicode: bool, blocks: &[Block]) -> Vec<u8> {
    let mut message = vec![0xff, b'S', b'M', b'B', blocks[0].0];
    message.extend(status.to_le_bytes());
    message.extend([flags, 0, if is_unicode { 0x80 } else { 0 }]);
    message.resize(30, 0);
    message.extend([number, 0]);
    for (at, (command, words, bytes)) in blocks.iter().enumerate() {
        let mut words = words.clone();
        let bytes_at = message.len() + 1 + words.len() + 2;
        if let Some(at) = words.windows(2).position(|pair| pair == [0xee, 0xee]) {
            words[at..at + 2].copy_from_slice(&(bytes_at as u16).to_le_bytes());
        }
        if is_andx(*command) && !words.is_empty() {
            words[0] = blocks.get(at + 1).map_or(0xff, |next| next.0);
            let next = (bytes_at + bytes.len()) as u16;
            words[2..4].copy_from_slice(&next.to_le_bytes());
        }
        message.push((words.len() / 2) as u8);
        message.extend(words);
        message.extend((bytes.len() as u16).to_le_bytes());
        message.extend(bytes);
    }
    message
}

fn request(number: u8, blocks: &[Block]) -> Vec<u8> {
    frame(&[message(0, number, 0, false, blocks)])
}

fn answer(number: u8, blocks: &[Block]) -> Vec<u8> {
    frame(&[message(0x80, number, 0, false, blocks)])
}

/// Words with values at their offsets.
fn words(count: usize, values: &[(usize, &[u8])]) -> Vec<u8> {
    let mut words = vec![0; 2 * count];
    for (at, value) in values {
        words[*at..at + value.len()].copy_from_slice(value);
    }
    words
}

fn create(name: &str) -> Block {
    (CREATE, words(24, &[]), [name.as_bytes(), &[0]].concat())
}

fn created(fid: u8, size: u64) -> Block {
    (CREATE, words(34, &[(5, &[fid]), (55, &size.to_le_bytes())]), vec![])
}

fn open(name: &str) -> Block {
    (OPEN, words(15, &[]), [name.as_bytes(), &[0]].concat())
}

fn opened(fid: u8, size: u32) -> Block {
    (OPEN, words(15, &[(4, &[fid]), (12, &size.to_le_bytes())]), vec![])
}

fn read(fid: u16, at: u32, length: u16) -> Block {
    let (fid, at, length) = (fid.to_le_bytes(), at.to_le_bytes(), length.to_le_bytes());
    (READ, words(12, &[(4, &fid), (6, &at), (10, &length)]), vec![])
}

fn was_read(data: &[u8]) -> Block {
    let length = (data.len() as u32).to_le_bytes();
    let high = &length[2..];
    (READ, words(12, &[(10, &length[..2]), (12, &[0xee, 0xee]), (14, high)]), data.to_vec())
}

fn write(fid: u16, at: u32, data: &[u8]) -> Block {
    let length = (data.len() as u32).to_le_bytes();
    let (fid, at) = (fid.to_le_bytes(), at.to_le_bytes());
    let high = &length[2..];
    let values: [(usize, &[u8]); 5] =
        [(4, &fid), (6, &at), (18, high), (20, &length[..2]), (22, &[0xee, 0xee])];
    (WRITE, words(14, &values), data.to_vec())
}

fn written() -> Block {
    (WRITE, words(6, &[]), vec![])
}

fn close(fid: u16) -> Block {
    (CLOSE, words(3, &[(0, &fid.to_le_bytes())]), vec![])
}

fn closed() -> Block {
    (CLOSE, vec![], vec![])
}

/// The data of a client with chains: it logs on and connects, opens and reads, opens, writes and
/// closes at once, and writes and closes what it opened before.
pub(in crate::engine::packet) fn client() -> Vec<u8> {
    [
        request(
            1,
            &[
                (SETUP, words(12, &[]), b"x".to_vec()),
                (TREE, words(4, &[(6, &[1])]), b"\0\\\\files.example\\pub\0A:\0".to_vec()),
            ],
        ),
        request(2, &[open("dir\\evil.exe"), read(0xffff, 0, 100)]),
        request(3, &[create("new.txt"), write(0, 0, b"hello world"), close(0)]),
        request(4, &[create("more.bin")]),
        request(5, &[write(9, 0, b"one "), write(9, 4, b"two"), close(9)]),
    ]
    .concat()
}

/// The data of its server.
pub(in crate::engine::packet) fn server() -> Vec<u8> {
    let connected = (TREE, words(3, &[]), b"A:\0NTFS\0".to_vec());
    [
        answer(1, &[(SETUP, words(4, &[]), b"x".to_vec()), connected]),
        answer(2, &[opened(7, 10), was_read(b"0123456789")]),
        answer(3, &[created(8, 0), written(), closed()]),
        answer(4, &[created(9, 0)]),
        answer(5, &[written(), written(), closed()]),
    ]
    .concat()
}

#[test]
fn every_command_of_a_chain() {
    let recorder = exchange(&client(), &server());
    assert_eq!(recorder.at(Where::SmbHost), ["files.example"]);
    let names = ["evil.exe", "dir\\evil.exe", "new.txt", "more.bin"];
    assert_eq!(recorder.at(Where::FileName), names);
    let mut want = [&b"one two"[..], b"0123456789", b"hello world"].map(md5);
    want.sort_unstable();
    let sorted = |recorder| {
        let mut hashes: Vec<String> = hashes(recorder).into_iter().map(Into::into).collect();
        hashes.sort_unstable();
        hashes
    };
    assert_eq!(sorted(&recorder), want);
    let (client, server) = (client(), server());
    let split = |bytes: &[u8]| -> Vec<Vec<u8>> {
        let (mut frames, mut rest) = (Vec::new(), bytes);
        while let Some(length) = rest.get(..4) {
            let end = 4 + u32::from_be_bytes(length.try_into().unwrap()) as usize;
            frames.push(rest[..end].to_vec());
            rest = &rest[end..];
        }
        frames
    };
    let (asked, answered) = (split(&client), split(&server));
    let conversation: Vec<(bool, &[u8])> = asked
        .iter()
        .zip(&answered)
        .flat_map(|(asked, answered)| [(true, &asked[..]), (false, &answered[..])])
        .collect();
    let (recorder, counters) = turns(&conversation);
    assert_eq!(counters.faults().count(), 0);
    assert_eq!(sorted(&recorder), want);
}

#[test]
fn any_cuts_read_like_the_whole() {
    let whole = exchange(&client(), &server());
    for size in [1, 7, 50] {
        let (client, server) = (client(), server());
        let conversation: Vec<(bool, &[u8])> = client
            .chunks(size)
            .map(|part| (true, part))
            .chain(server.chunks(size).map(|part| (false, part)))
            .collect();
        let (recorder, counters) = turns(&conversation);
        assert_eq!(counters.faults().count(), 0, "{size}");
        assert_eq!(recorder.seen, whole.seen, "{size}");
    }
}

#[test]
fn a_chain_that_fails_on_its_way() {
    // Opened, but not read: the file no longer existed, and its number is reused.
    let failed =
        frame(&[message(0x80, 2, 0xc000_0011, false, &[opened(7, 10), (READ, vec![], vec![])])]);
    let (recorder, counters) = turns(&[
        (true, &request(2, &[open("a.txt"), read(0, 0, 100)])),
        (false, &failed),
        (true, &request(2, &[read(7, 0, 10)])),
        (false, &answer(2, &[was_read(b"0123456789")])),
    ]);
    assert_eq!(counters.faults().count(), 0);
    assert_eq!(hashes(&recorder), [md5(b"0123456789")]);
    // Not even opened: the data sent with it belongs to no file.
    let refused = frame(&[message(0x80, 3, 0xc000_0022, false, &[(CREATE, vec![], vec![])])]);
    let (recorder, _) = turns(&[
        (true, &request(3, &[create("b.txt"), write(0, 0, b"text"), close(0)])),
        (false, &refused),
    ]);
    assert!(hashes(&recorder).is_empty());
}

#[test]
fn offsets_that_go_back_or_nowhere() {
    for (at, is_bad) in [(32_u16, true), (60, true), (4000, true), (0, false)] {
        let mut bytes = message(0, 1, 0, false, &[open("a.txt"), close(1)]);
        bytes[35..37].copy_from_slice(&at.to_le_bytes());
        let (recorder, counters) = both(&frame(&[bytes]), &[]);
        assert_eq!(recorder.at(Where::FileName), ["a.txt"]);
        assert_eq!(counters.fault(crate::engine::packet::Fault::BadSmb), u64::from(is_bad), "{at}");
    }
    // More commands than are useful.
    let many: Vec<Block> = (0..40).map(|at| open(&format!("{at}.txt"))).collect();
    let (recorder, counters) = both(&request(1, &many), &[]);
    assert_eq!(recorder.at(Where::FileName).len(), 17);
    assert_eq!(counters.fault(crate::engine::packet::Fault::BadSmb), 1);
}

#[test]
fn a_long_read_after_an_open() {
    // 100,000 bytes: the upper half of the length matters, and so does that of a write.
    let text: Vec<u8> = (0..100_000_u32).map(|n| (n % 251) as u8).collect();
    let long = (READ, words(12, &[(10, &[0xff, 0xff, 0, 0, 1])]), vec![]);
    let conversation = [
        (true, request(2, &[open("a.bin"), long])),
        (false, answer(2, &[opened(7, 100_000), was_read(&text)])),
        (true, request(3, &[create("b.bin"), write(0, 0, &text)])),
        (false, answer(3, &[created(8, 0), written()])),
        (true, request(4, &[close(8)])),
    ];
    let conversation: Vec<(bool, &[u8])> = conversation
        .iter()
        .flat_map(|(to_server, text)| text.chunks(30_000).map(move |part| (*to_server, part)))
        .collect();
    let (recorder, counters) = turns(&conversation);
    assert_eq!(counters.faults().count(), 0);
    assert_eq!(hashes(&recorder), [md5(&text), md5(&text)]);
}

#[test]
fn less_than_asked_for_is_the_end_only_of_a_shorter_file() {
    let (recorder, _) = turns(&[
        (true, &request(1, &[open("a.bin")])),
        (false, &answer(1, &[opened(7, 10)])),
        (true, &request(2, &[read(7, 0, 100)])),
        (false, &answer(2, &[was_read(b"0123")])),
        (true, &request(3, &[read(7, 4, 100)])),
        (false, &answer(3, &[was_read(b"456789")])),
        (true, &request(4, &[close(7)])),
    ]);
    assert_eq!(hashes(&recorder), [md5(b"0123456789")]);
}

#[test]
fn commands_of_old_clients() {
    let named = |name: &str| [&[4][..], name.as_bytes(), &[0]].concat();
    let buffer = |data: &[u8]| [&[1, data.len() as u8, 0][..], data].concat();
    let (recorder, counters) = turns(&[
        (
            true,
            &request(
                1,
                &[(0x70, vec![], [named("\\\\old.example\\c"), named(""), named("A:")].concat())],
            ),
        ),
        (false, &answer(1, &[(0x70, words(2, &[]), vec![])])),
        (true, &request(2, &[(0x02, words(2, &[]), named("\\read.exe"))])),
        (false, &answer(2, &[(0x02, words(7, &[(0, &[5]), (8, &[6])]), vec![])])),
        (true, &request(3, &[(0x0a, words(5, &[(0, &[5]), (2, &[6])]), vec![])])),
        (false, &answer(3, &[(0x0a, words(5, &[(0, &[6])]), buffer(b"abcdef"))])),
        (true, &request(4, &[(0x03, words(3, &[]), named("\\new.exe"))])),
        (false, &answer(4, &[(0x03, words(1, &[(0, &[6])]), vec![])])),
        (true, &request(5, &[(0x0b, words(5, &[(0, &[6]), (2, &[3])]), buffer(b"new"))])),
        (false, &answer(5, &[(0x0b, words(1, &[(0, &[3])]), vec![])])),
        (
            true,
            &request(6, &[(0x2c, words(6, &[(0, &[6]), (2, &[3]), (4, &[3])]), b"\0est".to_vec())]),
        ),
        (false, &answer(6, &[(0x2c, words(1, &[(0, &[3])]), vec![])])),
        (true, &request(7, &[(0x06, words(1, &[]), named("\\gone.exe"))])),
        (
            true,
            &request(8, &[(0x07, words(1, &[]), [named("\\a.exe"), named("\\b.exe")].concat())]),
        ),
        (true, &request(9, &[(0x06, words(1, &[]), named("\\*.tmp"))])),
    ]);
    assert_eq!(counters.faults().count(), 0);
    assert_eq!(recorder.at(Where::SmbHost), ["old.example"]);
    let names: Vec<&str> = recorder.at(Where::FileName);
    let names: Vec<&str> = names.into_iter().filter(|name| !name.starts_with('\\')).collect();
    assert_eq!(names, ["read.exe", "new.exe", "gone.exe", "a.exe", "b.exe"]);
    assert_eq!(hashes(&recorder), [md5(b"abcdef"), md5(b"newest")]);
}

/// A transaction request: its kind, its parameters and its data.
fn transaction(what: u8, parameters: &[u8], data: &[u8]) -> Block {
    // After header, words and count of bytes: an even offset, as clients choose.
    let at = 32 + 1 + 30 + 2 + 3;
    let (from, after) = ([at as u8, 0], ((at + parameters.len()) as u16).to_le_bytes());
    let lengths = [[parameters.len() as u8, 0], [data.len() as u8, 0]];
    let values: [(usize, &[u8]); 6] = [
        (18, &lengths[0]),
        (20, &from),
        (22, &lengths[1]),
        (24, &after),
        (26, &[1]),
        (28, &[what]),
    ];
    (0x32, words(15, &values), [&[0; 3][..], parameters, data].concat())
}

#[test]
fn names_in_transactions() {
    let zero_ended = |text: &str| utf16(&format!("{text}\0"));
    let ask = |number, block| frame(&[message(0, number, 0, true, &[block])]);
    let query = [&[1, 1, 0, 0, 0, 0][..], &zero_ended("\\dir\\query.exe")].concat();
    let find = |name| [&[0; 12][..], &zero_ended(name)].concat();
    let rename = utf16("renamed.exe");
    let rename = [&[0; 8][..], &[rename.len() as u8, 0, 0, 0], &rename].concat();
    let (recorder, counters) = turns(&[
        (true, &ask(1, transaction(5, &query, b""))),
        (true, &ask(2, transaction(1, &find("\\found.exe"), b""))),
        (true, &ask(3, transaction(1, &find("\\*"), b""))),
        (true, &ask(4, transaction(8, &[7, 0, 0xf2, 3, 0, 0], &rename))),
        (true, &request(5, &[create("a.bin")])),
        (false, &answer(5, &[created(7, 0)])),
        // Written, then truncated to five bytes, and extended to seven: the last length counts.
        (true, &request(6, &[write(7, 0, b"0123456")])),
        (true, &ask(7, transaction(8, &[7, 0, 4, 1, 0, 0], &9_u64.to_le_bytes()))),
        (true, &ask(8, transaction(8, &[7, 0, 0xfc, 3, 0, 0], &7_u64.to_le_bytes()))),
        (true, &request(9, &[close(7)])),
    ]);
    assert_eq!(counters.faults().count(), 0);
    let names = recorder.at(Where::FileName);
    for name in ["query.exe", "found.exe", "renamed.exe", "a.bin"] {
        assert!(names.contains(&name), "{names:?}");
    }
    assert!(!names.iter().any(|name| name.contains('*')));
    assert_eq!(hashes(&recorder), [md5(b"0123456")]);
}

#[test]
fn created_by_a_transaction() {
    let name = utf16("new.exe");
    // After the header, 19 words, the count of bytes, and three bytes of padding.
    let at = 32 + 1 + 2 * 19 + 2 + 3;
    let parameters = [&[0; 44][..], &[name.len() as u8, 0, 0, 0], &[0; 6], &name].concat();
    let values: [(usize, &[u8]); 3] =
        [(19, &[parameters.len() as u8]), (23, &[at as u8]), (36, &[1, 0])];
    let ask = (0xa0, words(19, &values), [&[0; 3][..], &parameters].concat());
    let at = 32 + 1 + 2 * 18 + 2 + 3;
    let values: [(usize, &[u8]); 2] = [(11, &[69]), (15, &[at as u8])];
    let mut parameters = [0; 69];
    parameters[2] = 7;
    let opened = (0xa0, words(18, &values), [&[0; 3][..], &parameters].concat());
    let (recorder, counters) = turns(&[
        (true, &frame(&[message(0, 1, 0, true, &[ask])])),
        (false, &answer(1, &[opened])),
        (true, &request(2, &[write(7, 0, b"text"), close(7)])),
    ]);
    assert_eq!(counters.faults().count(), 0);
    assert_eq!(recorder.at(Where::FileName), ["new.exe"]);
    assert_eq!(hashes(&recorder), [md5(b"text")]);
}

/// A frame without a header.
fn raw(data: &[u8]) -> Vec<u8> {
    frame(&[data.to_vec()])
}

fn read_raw(fid: u8, at: u32, length: u16) -> Block {
    let (at, length) = (at.to_le_bytes(), length.to_le_bytes());
    (0x1a, words(8, &[(0, &[fid]), (2, &at), (6, &length)]), vec![])
}

/// A request to write `all` bytes, some of which are included.
fn write_raw(fid: u8, at: u32, all: u16, data: &[u8]) -> Block {
    let (at, all) = (at.to_le_bytes(), all.to_le_bytes());
    // After header, words and count of bytes.
    let values: [(usize, &[u8]); 5] =
        [(0, &[fid]), (2, &all), (6, &at), (20, &[data.len() as u8]), (22, &[59])];
    (0x1d, words(12, &values), data.to_vec())
}

/// Samba's response to a raw write request: it lacks the response flag.
fn go_on() -> Vec<u8> {
    request(0, &[(0x1d, words(1, &[(0, &[0xff, 0xff])]), vec![])])
}

/// Bytes of a file that look like a message.
fn misleading() -> Vec<u8> {
    message(0x80, 9, 0, false, &[closed()])
}

/// Two files transferred by raw reads and writes, in the order of the conversation.
fn raw_talk() -> Vec<(bool, Vec<u8>)> {
    let text = misleading();
    let broken = request(9, &[(0x24, words(8, &[(0, &[0xff])]), vec![])]);
    vec![
        (true, request(1, &[open("a.bin")])),
        (false, answer(1, &[opened(7, 4 + text.len() as u32)])),
        (true, request(2, &[read_raw(7, 0, 4)])),
        (false, raw(b"head")),
        (true, request(3, &[read_raw(7, 4, 1000)])),
        // The server requests the release of a lock.
        (false, broken),
        (false, raw(&text)),
        // Nothing follows after the end.
        (true, request(4, &[read_raw(7, 1000, 1000)])),
        (false, raw(b"")),
        (true, request(5, &[create("b.bin")])),
        (false, answer(5, &[created(8, 0)])),
        (true, request(6, &[write_raw(8, 0, 2 + text.len() as u16, b"ab")])),
        (false, go_on()),
        (true, raw(&text)),
        (false, answer(6, &[(0x20, words(1, &[]), vec![])])),
        (true, request(7, &[write_raw(8, 2 + text.len() as u32, 5, b"")])),
        (false, go_on()),
        (true, raw(b"\0tail")),
        (true, request(8, &[close(8)])),
    ]
}

#[test]
fn raw_bytes_have_a_frame_without_a_header() {
    let (text, conversation) = (misleading(), raw_talk());
    let want = [[&b"head"[..], &text].concat(), [&b"ab"[..], &text, b"\0tail"].concat()];
    let want = want.each_ref().map(|text| md5(text));
    for size in [1, 5, 4000] {
        let conversation: Vec<(bool, &[u8])> = conversation
            .iter()
            .flat_map(|(to_server, text)| text.chunks(size).map(|t| (*to_server, t)))
            .collect();
        let (recorder, counters) = turns(&conversation);
        assert_eq!(counters.faults().count(), 0, "{size}");
        assert_eq!(hashes(&recorder), want, "{size}");
    }
}

proptest! {
    #[test]
    fn changed_raw_bytes_do_not_panic(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>()), 0..9),
        without in any::<prop::sample::Index>(),
    ) {
        let mut conversation = raw_talk();
        for (which, place, value) in changes {
            let text = &mut conversation[which.index(19)].1;
            let place = place.index(text.len());
            text[place] = value;
        }
        conversation.remove(without.index(19));
        let conversation = conversation.iter().map(|(to_server, text)| (*to_server, &text[..]));
        turns(&conversation.collect::<Vec<_>>());
    }
}

#[test]
fn raw_bytes_that_are_not_wanted() {
    let refused = frame(&[message(0x80, 2, 0xc000_0022, false, &[(0x1d, vec![], vec![])])]);
    let whole = answer(2, &[(0x20, words(1, &[]), vec![])]);
    for answered in [refused, whole, vec![]] {
        let (recorder, counters) = turns(&[
            (true, &request(1, &[open("a.bin")])),
            (false, &answer(1, &[opened(7, 0)])),
            (true, &request(2, &[write_raw(7, 0, 900, b"")])),
            (false, &answered),
            // Not as long as announced: it has a header, whatever the server announced.
            (true, &request(3, &[write(7, 0, b"text"), close(7)])),
            (true, &request(4, &[open("b.bin")])),
        ]);
        assert_eq!(counters.faults().count(), 0);
        assert_eq!(hashes(&recorder), [md5(b"text")]);
        assert_eq!(recorder.at(Where::FileName), ["a.bin", "b.bin"]);
    }
}

/// What follows a gap is a message again.
#[test]
fn raw_bytes_that_were_lost() {
    let conversation = [
        (true, 0, request(1, &[open("a.bin")])),
        (false, 0, answer(1, &[opened(7, 100)])),
        (true, 0, request(2, &[read_raw(7, 0, 100)])),
        (true, 0, request(3, &[open("b.bin")])),
        (false, 104, answer(3, &[opened(8, 4)])),
        (true, 0, request(4, &[read(8, 0, 100)])),
        (false, 0, answer(4, &[was_read(b"text")])),
    ];
    let (recorder, counters) =
        replay(conversation.iter().map(|(to_server, gap, text)| (*to_server, *gap, &text[..])));
    assert_eq!(counters.fault(crate::engine::packet::Fault::StreamGap), 1);
    assert_eq!(hashes(&recorder), [md5(b"text")]);
}
