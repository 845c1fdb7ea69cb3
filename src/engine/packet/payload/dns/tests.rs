use super::*;
use crate::engine::indicator::Protocol;
use crate::engine::packet::tests::{Recorder, decode, tcp, udp};
use crate::engine::packet::{Counters, Fault};

/// A name in wire form, without compression.
fn wire(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    for label in name.split('.').filter(|label| !label.is_empty()) {
        bytes.push(label.len() as u8);
        bytes.extend(label.as_bytes());
    }
    bytes.push(0);
    bytes
}

fn header(flags: u16, counts: [u16; 4]) -> Vec<u8> {
    let numbers = [&[0x1234, flags][..], &counts].concat();
    numbers.into_iter().flat_map(u16::to_be_bytes).collect()
}

fn question(name: &str, kind: u16) -> Vec<u8> {
    [wire(name), kind.to_be_bytes().to_vec(), vec![0, 1]].concat()
}

/// A record whose owner is in wire form.
fn record(owner: &[u8], kind: u16, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u16).to_be_bytes();
    [owner, &kind.to_be_bytes(), &[0, 1, 0, 0, 0, 60], &length, data].concat()
}

pub(in crate::engine::packet) fn sample() -> Vec<u8> {
    answer(&[record(b"\xc0\x0c", 5, b"\x03cdn\xc0\x0e"), record(b"\xc0\x0c", 1, &[192, 0, 2, 7])])
}

/// An answer about `a.example`, whose name is at 12 and its parent at 14.
fn answer(records: &[Vec<u8>]) -> Vec<u8> {
    let mut message = header(0x8180, [1, records.len() as u16, 0, 0]);
    message.extend(question("a.example", 1));
    message.extend(records.concat());
    message
}

/// What is reported of a message on port 53.
fn seen(message: &[u8]) -> (Recorder, Counters) {
    decode(&[udp(53, 40000, message)])
}

#[track_caller]
fn assert_answers(records: &[Vec<u8>], want: &[&str]) {
    let (recorder, counters) = seen(&answer(records));
    assert_eq!(recorder.at(Where::DnsQuery), ["a.example"]);
    assert_eq!(recorder.at(Where::DnsAnswer), want);
    assert_eq!(counters.faults().count(), 0);
}

#[test]
fn questions_and_answers() {
    let mut query = header(0x0100, [1, 0, 0, 1]);
    query.extend(question("Evil.Example", 28));
    // OPT with a client subnet: not an observable.
    query.extend(record(b"\0", 41, &[0, 8, 0, 8, 0, 1, 32, 0, 192, 0, 2, 99]));
    let (recorder, _) = seen(&query);
    assert_eq!(recorder.seen, [(Where::DnsQuery, "Evil.Example".to_owned())]);
    let Some(Protocol::Dns(dns)) = &recorder.places[0].protocol else { panic!() };
    let want = indicator::Dns {
        is_answer: false,
        id: 0x1234,
        rrname: "Evil.Example".into(),
        rrtype: "AAAA".into(),
        rcode: None,
    };
    assert_eq!(*dns, want);

    let (recorder, _) = seen(&sample());
    assert_eq!(recorder.at(Where::DnsQuery), ["a.example"]);
    assert_eq!(recorder.at(Where::DnsAnswer), ["cdn.example", "192.0.2.7"]);
    let Some(Protocol::Dns(dns)) = &recorder.places[0].protocol else { panic!() };
    assert_eq!((dns.is_answer, dns.rcode.as_deref()), (true, Some("NOERROR")));
}

#[test]
fn names_in_every_record_type() {
    let owner = b"\xc0\x0c";
    let name = wire("n.example");
    for kind in [2, 5, 12, 39, 47] {
        assert_answers(&[record(owner, kind, &name)], &["n.example"]);
    }
    for (kind, before) in [(15, 2), (18, 2), (36, 2), (33, 6), (46, 18)] {
        let data = [vec![0; before], name.clone()].concat();
        assert_answers(&[record(owner, kind, &data)], &["n.example"]);
    }
    let two = [wire("m.example"), name.clone()].concat();
    assert_answers(&[record(owner, 17, &two)], &["m.example", "n.example"]);
    let soa = [name.clone(), wire("host.master.example"), vec![0; 20]].concat();
    assert_answers(&[record(owner, 6, &soa)], &["n.example", "host@master.example"]);
    let naptr = [b"\0\x01\0\x01\x01s\x07SIP+D2U\x00".to_vec(), name.clone()].concat();
    assert_answers(&[record(owner, 35, &naptr)], &["n.example"]);
    let https = [
        b"\0\x01".to_vec(),
        name,
        b"\0\x01\0\x03\x02h2".to_vec(),
        b"\0\x04\0\x08\xc0\0\x02\x01\xc0\0\x02\x02".to_vec(),
        [b"\0\x06\0\x10\x20\x01\x0d\xb8".to_vec(), vec![0; 11], vec![1]].concat(),
    ]
    .concat();
    let want = ["n.example", "192.0.2.1", "192.0.2.2", "2001:db8::1"];
    assert_answers(&[record(owner, 65, &https)], &want);
    let aaaa = record(&wire("other.example"), 28, &[0x20; 16]);
    assert_answers(&[aaaa], &["other.example", "2020:2020:2020:2020:2020:2020:2020:2020"]);
    assert_answers(&[record(owner, 16, b"\x04text"), record(b"\0", 250, &wire("tsig"))], &[]);
}

#[test]
fn compression_is_bounded() {
    // A pointer to itself, a forward one, and two to each other.
    for data in [&b"\xc0\x27"[..], b"\xc0\x40", b"\x01a\xc0\x27"] {
        let (recorder, counters) = seen(&answer(&[record(b"\xc0\x0c", 5, data)]));
        assert_eq!(recorder.at(Where::DnsAnswer), [""; 0]);
        assert_eq!(counters.fault(Fault::BadDns), 1);
    }
    // A name that becomes too long by one label repeated through pointers.
    let mut message = header(0x8180, [0, 1, 0, 0]);
    message.extend(wire(&vec!["x".repeat(63); 4].join(".")));
    let (recorder, counters) = seen(&message);
    assert!(recorder.seen.is_empty());
    assert_eq!(counters.fault(Fault::BadDns), 1);
    // The longest allowed name: 253 characters.
    let long = ["x".repeat(63), "x".repeat(63), "x".repeat(63), "x".repeat(61)].join(".");
    let mut message = header(0x0100, [1, 0, 0, 0]);
    message.extend(question(&long, 1));
    assert_eq!(seen(&message).0.at(Where::DnsQuery), [long]);
}

#[test]
fn labels_with_dots_or_controls_forge_no_name() {
    for label in [&b"evil.example"[..], b"a\0b", b"a\x7f"] {
        let mut message = header(0x0100, [1, 0, 0, 0]);
        message.push(label.len() as u8);
        message.extend(label);
        message.extend(b"\0\0\x01\0\x01");
        let (recorder, counters) = seen(&message);
        assert!(recorder.seen.is_empty());
        assert_eq!(counters.fault(Fault::OddName), 1);
    }
}

#[test]
fn found_by_content_or_not() {
    let message = sample();
    let count = |packet| decode(&[packet]).0.seen.len();
    assert_eq!(count(udp(1000, 2000, &message)), 3);
    assert_eq!(count(udp(1000, 137, &message)), 0);
    assert_eq!(count(udp(1000, 2000, &[&message[..], b"x"].concat())), 0);
    assert_eq!(count(udp(1000, 2000, &message[..message.len() - 1])), 0);
    let framed = [&(message.len() as u16).to_be_bytes()[..], &message].concat();
    assert_eq!(count(tcp(1000, 2000, 24, &framed)), 3);
    assert_eq!(count(tcp(1000, 2000, 24, &framed.repeat(2))), 6);
    assert_eq!(count(tcp(1000, 53, 24, &framed.repeat(2))), 6);
    let (recorder, counters) = decode(&[tcp(1000, 53, 24, &[&framed, &framed[..9]].concat())]);
    assert_eq!((recorder.seen.len(), counters.fault(Fault::SplitDns)), (3, 1));
}

#[test]
fn a_message_that_breaks_off_reports_what_it_can() {
    let message = sample();
    let (recorder, counters) = seen(&message[..message.len() - 1]);
    assert_eq!(recorder.at(Where::DnsAnswer), ["cdn.example"]);
    assert_eq!(counters.fault(Fault::BadDns), 1);
}

#[test]
fn types_without_a_name_have_a_number() {
    assert_eq!(words::record_type(65280), "TYPE65280");
    assert_eq!(words::response_code(15), "RCODE15");
}

/// A message between the ports of multicast DNS, or to those of LLMNR.
fn multicast(port: u16, message: &[u8]) -> (Recorder, Counters) {
    decode(&[udp(port, port, message)])
}

/// RFC 6762: the upper bit of a class requests a unicast answer, or says that a record is the
/// only one (10.2, 5.4); answers have no question (6), probes have records (8.2).
#[test]
fn bits_of_multicast_dns_are_no_class() {
    let mut query = header(0, [2, 0, 1, 0]);
    query.extend([&wire("_ipp._tcp.local")[..], &[0, 12, 0x80, 1]].concat());
    query.extend([&wire("printer.local")[..], &[0, 255, 0x80, 1]].concat());
    query.extend(record(&wire("printer.local"), 1, &[192, 0, 2, 9]));
    let (recorder, counters) = multicast(5353, &query);
    assert_eq!(recorder.at(Where::DnsQuery), ["_ipp._tcp.local", "printer.local"]);
    assert_eq!(recorder.at(Where::DnsAnswer), ["192.0.2.9"]);
    assert_eq!(counters.faults().count(), 0);

    let only = |owner: &[u8], kind: u16, data: &[u8]| {
        let mut record = record(owner, kind, data);
        record[owner.len() + 2] |= 0x80;
        record
    };
    let service = wire("_ipp._tcp.local");
    let instance = [&[11][..], b"My. Printer", &service].concat();
    let plain = [&[10][..], b"My Printer", &service].concat();
    let mut answer = header(0x8400, [0, 3, 0, 4]);
    answer.extend(record(&service, 12, &plain));
    // A dot in a label would look like another name: counted.
    answer.extend(record(&service, 12, &instance));
    answer.extend(only(&plain, 33, &[&[0; 6][..], &wire("printer.local")].concat()));
    answer.extend(only(&plain, 16, b"\x07a=b.com"));
    answer.extend(only(&wire("printer.local"), 1, &[192, 0, 2, 7]));
    let v6 = [&[0x20, 1, 0x0d, 0xb8][..], &[0; 11], &[7]].concat();
    answer.extend(only(&wire("printer.local"), 28, &v6));
    answer.extend(only(&wire("printer.local"), 47, b"\x07printer\x05local\0\0\x04\x40\0\0\x08"));
    let (recorder, counters) = multicast(5353, &answer);
    let want = [
        "_ipp._tcp.local",
        "My Printer._ipp._tcp.local",
        "printer.local",
        "192.0.2.7",
        "2001:db8::7",
    ];
    assert_eq!(recorder.at(Where::DnsAnswer), want);
    assert!(recorder.at(Where::DnsQuery).is_empty());
    assert_eq!(counters.faults().collect::<Vec<_>>(), [(Fault::OddName, 1)]);
}

/// RFC 4795, 2.1.1: its own flags in the places of others; names of one label.
#[test]
fn flags_of_llmnr_are_accepted() {
    let conflict_and_tentative = 0x0500;
    let mut query = header(conflict_and_tentative, [1, 0, 0, 0]);
    query.extend(question("wpad", 28));
    let mut answer = header(0x8000 | conflict_and_tentative, [1, 1, 0, 0]);
    answer.extend(question("wpad", 1));
    answer.extend(record(b"\xc0\x0c", 1, &[192, 0, 2, 66]));
    assert_eq!(multicast(5355, &query).0.at(Where::DnsQuery), ["wpad"]);
    let framed = [&(answer.len() as u16).to_be_bytes()[..], &answer].concat();
    for packet in [udp(5355, 50_000, &answer), tcp(5355, 50_000, 24, &framed)] {
        let (recorder, counters) = decode(&[packet]);
        assert_eq!(recorder.at(Where::DnsAnswer), ["192.0.2.66"]);
        assert_eq!(counters.faults().count(), 0);
    }
}

/// The slow reference: every name is read separately, label by label, and remembered as text.
mod twin {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    /// The labels separated by dots, whether they are odd, and the end.
    fn name(message: &[u8], at: usize) -> Option<(Vec<u8>, bool, usize)> {
        let (mut here, mut start, mut end, mut hops) = (at, at, None, 0);
        let mut labels: Vec<&[u8]> = Vec::new();
        loop {
            let length = usize::from(*message.get(here)?);
            match length {
                0 => break,
                1..=63 => {
                    labels.push(message.get(here + 1..here + 1 + length)?);
                    here += 1 + length;
                }
                64..0xc0 => return None,
                _ => {
                    let target = (length & 0x3f) << 8 | usize::from(*message.get(here + 1)?);
                    end.get_or_insert(here + 2);
                    hops += 1;
                    if target >= start || hops > 64 {
                        return None;
                    }
                    (here, start) = (target, target);
                }
            }
        }
        let text = labels.join(&b'.');
        let is_odd = labels.concat().iter().any(|&b| b < b' ' || b == b'.' || b == 0x7f);
        (text.len() <= 253).then_some((text, is_odd, end.unwrap_or(here + 1)))
    }

    /// What is reported of messages with questions and with records of CNAME, MX, TXT and OPT.
    fn walked(message: &[u8], seen: &mut Vec<String>) -> Option<usize> {
        let mut reported = HashSet::new();
        let mut report = |text: &[u8], is_odd: bool| {
            let text = text.to_ascii_lowercase();
            let is_first = !reported.contains(&text) && !text.is_empty();
            if reported.len() < 64 && !text.is_empty() {
                reported.insert(text.clone());
            }
            if is_first {
                let text = if is_odd { "(odd)".into() } else { String::from_utf8_lossy(&text) };
                seen.push(text.into_owned());
            }
        };
        let count = |at| be16(message, at).map(usize::from);
        let (questions, records) = (count(4)?, count(6)? + count(8)? + count(10)?);
        let mut at = HEADER;
        for _ in 0..questions {
            let (text, is_odd, end) = name(message, at)?;
            at = end + 4;
            message.get(..at)?;
            report(&text, is_odd);
        }
        for _ in 0..records {
            let (text, is_odd, start) = name(message, at)?;
            message.get(..start + 10)?;
            let (kind, length) = (count(start)?, count(start + 8)?);
            at = start + 10 + length;
            if kind != 41 {
                report(&text, is_odd);
            }
            message.get(..at)?;
            let before = match kind {
                5 => 0,
                15 => 2,
                _ => continue,
            };
            if length > 0 {
                let (text, is_odd, end) = name(message, start + 10 + before)?;
                (end <= at).then_some(())?;
                report(&text, is_odd);
            }
        }
        Some(at)
    }

    /// A name of a few labels that ends with the root, or with a pointer to anywhere.
    fn any_name() -> impl Strategy<Value = Vec<u8>> {
        let label = prop_oneof![
            4 => "[abAB]{1,2}".prop_map(String::into_bytes),
            1 => Just(b"a.".to_vec()),
            1 => Just(b"x\x1f".to_vec()),
            1 => "[a-z]{14,20}".prop_map(String::into_bytes),
            1 => Just(vec![b'y'; 63]),
        ];
        let labels = proptest::collection::vec(label, 0..4);
        let end = prop_oneof![
            1 => Just(vec![0]),
            2 => Just(vec![0xc0, 12]),
            2 => (0..160_u8).prop_map(|low| vec![0xc0, low]),
        ];
        (labels, end).prop_map(|(labels, end)| {
            let labels = labels.into_iter().flat_map(|l| [vec![l.len() as u8], l].concat());
            labels.chain(end).collect()
        })
    }

    proptest! {
        #[test]
        fn any_message_is_parsed_like_by_the_slow_twin(
            questions in proptest::collection::vec(any_name(), 0..3),
            records in proptest::collection::vec(
                (any_name(), prop::sample::select(vec![5_u16, 5, 15, 16, 41]), any_name()), 0..9),
            repeats in 1..12_usize,
            cut in 0..40_usize,
        ) {
            let counts = [questions.len() as u16, (records.len() * repeats) as u16, 0, 0];
            let mut message = header(0x8180, counts);
            for name in questions {
                message.extend([&name[..], &[0, 1, 0, 1]].concat());
            }
            for _ in 0..repeats {
                for (owner, kind, name) in &records {
                    let before = if *kind == 15 { 2 } else { 0 };
                    message.extend(record(owner, *kind, &[&vec![0; before], &name[..]].concat()));
                }
            }
            message.truncate(message.len() - cut.saturating_sub(20).min(message.len() - HEADER));
            let (mut want, mut got) = (Vec::new(), Vec::new());
            let end = walked(&message, &mut want);
            let ended = walk(&message, &mut |found| match found {
                Found::Seen(Observable::Name(name), _) => {
                    got.push(String::from_utf8_lossy(&name.to_ascii_lowercase()).into_owned());
                }
                Found::Seen(..) => {}
                Found::Text(_) | Found::Strings(_) => {}
                Found::Odd => got.push("(odd)".to_owned()),
            });
            prop_assert_eq!(got, want);
            prop_assert_eq!(ended.ok(), end);
        }
    }
}

#[test]
fn texts_of_records() {
    let record = |kind, data: &[u8]| record(b"\xc0\x0c", kind, data);
    let (recorder, counters) = seen(&answer(&[
        record(16, b"\x13http://b.example/x "),
        record(16, b"\x06ip4:19\x0a2.0.2.7/32"),
        record(16, b"\x03key"),
        record(256, b"\0\x01\0\x01http://c.example/"),
        record(257, b"\0\x05issued.example"),
        record(35, b"\0\x01\0\x01\x01u\x03E2U\x13!^.*$!sip:a@e.test!\0"),
        record(16, b"\x09cut.b.exa"),
    ]));
    let want =
        "http://b.example/x ip4:192.0.2.7/32http://c.example/d.example!^.*$!sip:a@e.test!cut.b.exa";
    assert_eq!(recorder.text_at(Where::DnsAnswer), want);
    assert_eq!(counters.faults().count(), 0);
    assert_eq!(joined(b"\x01a\x09b"), b"ab");
}
