//! The examples of RFC 7541, appendix C, and arbitrary cuts, gaps and lengths.

use super::*;
use proptest::prelude::*;

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

/// Lines of `name: value`; unknown parts are `?`.
fn decode(decoder: &mut Decoder, parts: &[&[u8]]) -> Result<Vec<String>, Broken> {
    let text = |part: Option<&[u8]>| {
        part.map_or("?".into(), |part| String::from_utf8_lossy(part).into_owned())
    };
    let mut lines = Vec::new();
    for part in parts {
        decoder.push(part, &mut |field: Field<'_>| {
            lines.push(format!("{}: {}", text(field.name), text(field.value)));
        })?;
    }
    if decoder.end() { Ok(lines) } else { Err(Broken) }
}

const DATE: &str = "date: Mon, 21 Oct 2013 20:13:21 GMT";
const LATER: &str = "date: Mon, 21 Oct 2013 20:13:22 GMT";
const COOKIE: &str = "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1";
const PLACE: &str = "location: https://www.example.com";
const GET: [&str; 4] = [":method: GET", ":scheme: http", ":path: /", ":authority: www.example.com"];

fn requests() -> [Vec<&'static str>; 3] {
    let custom = vec![
        ":method: GET",
        ":scheme: https",
        ":path: /index.html",
        ":authority: www.example.com",
        "custom-key: custom-value",
    ];
    [GET.to_vec(), [&GET[..], &["cache-control: no-cache"]].concat(), custom]
}

fn responses() -> [Vec<&'static str>; 3] {
    let cached = "cache-control: private";
    [
        vec![":status: 302", cached, DATE, PLACE],
        vec![":status: 307", cached, DATE, PLACE],
        vec![":status: 200", cached, LATER, PLACE, "content-encoding: gzip", COOKIE],
    ]
}

/// Blocks, their fields, and the table size after each.
fn check(max: usize, blocks: [&str; 3], want: [Vec<&str>; 3], sizes: [usize; 3]) {
    let mut decoder = Decoder::fresh(4096);
    decoder.table.resize(max);
    for ((block, want), size) in blocks.into_iter().zip(want).zip(sizes) {
        assert_eq!(decode(&mut decoder, &[&unhex(block)]).unwrap(), want);
        assert_eq!(decoder.table.size(), size);
    }
}

#[test]
fn single_fields_of_the_rfc_are_decoded() {
    for (block, want, size) in [
        ("400a637573746f6d2d6b65790d637573746f6d2d686561646572", "custom-key: custom-header", 55),
        ("040c2f73616d706c652f70617468", ":path: /sample/path", 0),
        ("100870617373776f726406736563726574", "password: secret", 0),
        ("82", ":method: GET", 0),
    ] {
        let mut decoder = Decoder::fresh(4096);
        assert_eq!(decode(&mut decoder, &[&unhex(block)]).unwrap(), [want]);
        assert_eq!((decoder.table.size(), decoder.table.len()), (size, usize::from(size > 0)));
    }
}

#[test]
fn requests_of_the_rfc() {
    let plain = [
        "828684410f7777772e6578616d706c652e636f6d",
        "828684be58086e6f2d6361636865",
        "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
    ];
    let coded = [
        "828684418cf1e3c2e5f23a6ba0ab90f4ff",
        "828684be5886a8eb10649cbf",
        "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
    ];
    check(4096, plain, requests(), [57, 110, 164]);
    check(4096, coded, requests(), [57, 110, 164]);
}

#[test]
fn responses_of_the_rfc() {
    let plain = [
        "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a32312047\
         4d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
        "4803333037c1c0bf",
        "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f\
         6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b\
         2076657273696f6e3d31",
    ];
    let coded = [
        "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c7\
         8f0b97c8e9ae82ae43d3",
        "4883640effc1c0bf",
        "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335\
         dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007",
    ];
    check(256, plain, responses(), [222, 222, 215]);
    check(256, coded, responses(), [222, 222, 215]);
}

#[test]
fn numbers_of_the_rfc_are_decoded() {
    // C.1: 10 and 1337 with a five-bit prefix, 42 with eight bits.
    let mut decoder = Decoder::fresh(4096);
    assert!(decoder.prefix(0x0a, 5) && decoder.number == 10);
    assert!(!decoder.prefix(0x1f, 5));
    assert_eq!((decoder.more(0x9a), decoder.more(0x0a)), (Ok(false), Ok(true)));
    assert_eq!(decoder.number, 1337);
    // An index of 0, and numbers without an end.
    for block in [&b"\x80"[..], b"\xff\xff\xff\xff\xff\xff\x01", b"\x3f\xff\xff\xff\xff\x7f"] {
        assert_eq!(decode(&mut Decoder::fresh(4096), &[block]), Err(Broken));
    }
    assert_eq!(decode(&mut Decoder::fresh(4096), &[b"\x82\x40\x01"]), Err(Broken));
}

#[test]
fn what_is_not_known_is_none_and_comes_back() {
    let mut decoder = Decoder::fresh(4096);
    let first = unhex("828684410f7777772e6578616d706c652e636f6d");
    decode(&mut decoder, &[&first]).unwrap();
    decoder.forget();
    // The authority by its index, its name with another value; a new entry.
    let block = b"\x82\xbe\x7e\x01x\xbe\x40\x01a\x01b\xbe\xbf";
    let want = [":method: GET", "?: ?", "?: x", "?: x", "a: b", "a: b", "?: x"];
    assert_eq!(decode(&mut decoder, &[block]).unwrap(), want);
}

#[test]
fn tables_and_strings_that_are_too_large() {
    let mut decoder = Decoder::fresh(4096);
    // A string of 100,000 bytes empties a table of 4 KiB.
    decode(&mut decoder, &[b"\x40\x01a\x01b"]).unwrap();
    let long = [&b"\x40\x01a\x7f\xa1\x8c\x06"[..], &[b'x'; 100_000], b"\xbe\x82"].concat();
    assert_eq!(decode(&mut decoder, &[&long]).unwrap(), ["a: ?", "?: ?", ":method: GET"]);
    assert_eq!(decoder.table.len(), 0);
    decoder.allow(Some(2 << 20));
    // In a table of one mebibyte it has an index, and so do the entries after it.
    let block = [b"\x3f\xe1\xff\x3f", &long[..long.len() - 2], b"\x40\x01a\x01b\xbe\xbf"].concat();
    assert_eq!(decode(&mut decoder, &[&block]).unwrap(), ["a: ?", "a: b", "a: b", "?: ?"]);
    assert_eq!(decoder.table.len(), 2);
    assert!(decoder.weight() < 2 * MAX_TABLE);
    // A table of size zero, and then one again.
    let block = b"\x20\x40\x01a\x01b\xbe";
    assert_eq!(decode(&mut decoder, &[block]).unwrap(), ["a: b", "?: ?"]);
    let block = b"\x3f\xe1\x1f\x40\x01a\x01c\xbe";
    assert_eq!(decode(&mut decoder, &[block]).unwrap(), ["a: c", "a: c"]);
}

#[test]
fn a_size_that_was_not_seen_shifts_nothing() {
    // The encoder has chosen a table of 100,000 bytes inside a gap, and uses 90,000 of them for
    // an entry: it occupies an index, though it is not stored here.
    let mut decoder = Decoder::fresh(4096);
    decoder.forget();
    let long = [&b"\x40\x01a\x7f\x91\xbe\x05"[..], &[b'x'; 90_000]].concat();
    decode(&mut decoder, &[b"\x40\x01a\x01b", &long, b"\x40\x01c\x01d"]).unwrap();
    assert_eq!(decode(&mut decoder, &[b"\xbe\xbf"]).unwrap(), ["c: d", "?: ?"]);
    // The index of one that is larger than the first table gives the same result.
    let long = [&b"\x40\x01a\x7f\x89\x26"[..], &[b'x'; 5000]].concat();
    decode(&mut decoder, &[&long]).unwrap();
    let line = &decode(&mut decoder, &[b"\xbe"]).unwrap()[0];
    assert_eq!(line.len(), 5003);
    assert!(decoder.weight() < 4 * MAX_TABLE);
}

/// Fields by the letter, kept in a list: the table of RFC 7541 without bounds or arena.
fn naive(block: &[u8], table: &mut Vec<(String, String)>, max: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut at = 0;
    let text = |at: &mut usize| {
        let length = usize::from(block[*at]);
        *at += 1 + length;
        String::from_utf8_lossy(&block[*at - length..*at]).into_owned()
    };
    while at < block.len() {
        let byte = block[at];
        at += 1;
        let fields: Vec<_> = table::STATIC
            .iter()
            .map(|(name, value)| {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                (text(name), text(value))
            })
            .chain(table.iter().rev().cloned())
            .collect();
        if byte & 0x80 != 0 {
            let (name, value) = &fields[usize::from(byte & 0x7f) - 1];
            lines.push(format!("{name}: {value}"));
            continue;
        }
        let index = usize::from(byte & if byte & 0x40 != 0 { 0x3f } else { 0x0f });
        let name = if index == 0 { text(&mut at) } else { fields[index - 1].0.clone() };
        let value = text(&mut at);
        lines.push(format!("{name}: {value}"));
        if byte & 0x40 != 0 {
            table.push((name, value));
            while table.iter().map(|(name, value)| name.len() + value.len() + 32).sum::<usize>()
                > max
            {
                table.remove(0);
            }
        }
    }
    lines
}

/// A block as an encoder makes it: literals, with or without a new entry, and existing indexes.
fn block(steps: &[(u8, u8, u8)], known: &mut usize, max: usize) -> Vec<u8> {
    let mut block = Vec::new();
    for &(what, length, seed) in steps {
        let value = vec![b'a' + seed % 26; usize::from(length % 100)];
        // The minimum number of entries.
        let sure = (*known).min(max / (32 + 10 + 100)).min(60);
        match what % 4 {
            0 => block.push(0x80 | (1 + seed % (61 + sure as u8))),
            1 => {
                block.extend([&[0x40, 2, b'n', seed % 128, value.len() as u8][..], &value].concat())
            }
            2 => block.extend([&[0x40 | (1 + seed % 61), value.len() as u8][..], &value].concat()),
            _ => block.extend([&[1 + seed % 14, value.len() as u8][..], &value].concat()),
        }
        *known += usize::from(what % 4 == 1 || what % 4 == 2);
    }
    block
}

proptest! {
    #[test]
    fn any_blocks_decode_like_the_plain_table(
        blocks in proptest::collection::vec(
            proptest::collection::vec((any::<u8>(), any::<u8>(), any::<u8>()), 0..40), 1..6),
        cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        max in 200..5000_usize,
    ) {
        let mut decoder = Decoder::fresh(4096);
        decoder.table.resize(max);
        let (mut table, mut known) = (Vec::new(), 0);
        for steps in blocks {
            let block = block(&steps, &mut known, max);
            let mut ends: Vec<usize> = cuts.iter().map(|cut| cut.index(block.len() + 1)).collect();
            ends.extend([0, block.len()]);
            ends.sort_unstable();
            let parts: Vec<&[u8]> = ends.windows(2).map(|w| &block[w[0]..w[1]]).collect();
            let lines = decode(&mut decoder, &parts).unwrap();
            prop_assert_eq!(lines, naive(&block, &mut table, max));
            prop_assert_eq!(decoder.table.len(), table.len());
        }
    }

    #[test]
    fn no_bytes_panic(blocks in proptest::collection::vec(
        proptest::collection::vec(any::<u8>(), 0..200), 0..6)) {
        let mut decoder = Decoder::fresh(4096);
        for block in blocks {
            if decode(&mut decoder, &[&block]).is_err() {
                decoder.forget();
            }
            prop_assert!(decoder.table.size() <= MAX_TABLE);
        }
    }
}
