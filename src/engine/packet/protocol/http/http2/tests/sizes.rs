//! Header tables whose sizes change during the connection.

use super::*;

/// The conversation of h2 and its HPACK: see `testdata/record/h2_tables.py`.
const RECORDED: &str = include_str!("tables.tsv");

fn recorded() -> Vec<(bool, Vec<u8>)> {
    let unhex = |text: &str| -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    };
    let rows = RECORDED.lines().map(|row| row.split_once('\t').unwrap());
    rows.map(|(who, hex)| (who == "client", unhex(hex))).collect()
}

/// Plays a conversation, each side with its own sequence numbers.
fn turns(conversation: &[(bool, Vec<u8>)]) -> (Seen, Counters) {
    let mut next = [1, 1];
    let mut pieces: Vec<(bool, usize, &[u8])> = Vec::new();
    for (to_server, data) in conversation {
        let seq = &mut next[usize::from(*to_server)];
        pieces.push((*to_server, *seq, data));
        *seq += data.len();
    }
    let mut seen = Seen::default();
    let counters = play(&pieces, &mut seen);
    (seen, counters)
}

fn want_urls() -> Vec<String> {
    let one = |n: usize| {
        [
            format!("http://host{}.example/{n}", n % 3),
            format!("http://l{}.example/{}", n % 4, n % 7),
        ]
    };
    (0..56).flat_map(one).collect()
}

#[test]
fn a_real_encoder_changes_its_table() {
    let (seen, counters) = turns(&recorded());
    assert_eq!(counters.faults().count(), 0);
    assert_eq!(seen.at(Where::HttpUrl), want_urls());
    let agents: Vec<String> =
        (0..56).map(|n| format!("agent {} {}", n % 5, "x".repeat(n % 5 * 150))).collect();
    let agents: Vec<&str> = agents.iter().map(|agent| agent.trim_end()).collect();
    assert_eq!(seen.at(Where::HttpUserAgent), agents);
    assert_eq!(seen.at(Where::HttpReferer).len(), 56);
}

/// Without the beginning of one side, or a part of it: nothing is reported that was not sent.
#[test]
fn what_was_not_captured_makes_nothing_up() {
    let all = recorded();
    let true_urls = want_urls();
    for lost in 0..all.len() {
        let mut seen = Seen::default();
        let mut next = [1, 1];
        let mut pieces: Vec<(bool, usize, &[u8])> = Vec::new();
        for (at, (to_server, data)) in all.iter().enumerate() {
            let seq = &mut next[usize::from(*to_server)];
            if at != lost {
                pieces.push((*to_server, *seq, data));
            }
            *seq += data.len();
        }
        play(&pieces, &mut seen);
        let urls = seen.at(Where::HttpUrl);
        // The host may be unknown: then it is the server's address.
        for url in &urls {
            let is_true = true_urls.iter().any(|want| want == url);
            let path = url.rsplit('/').next().unwrap();
            assert!(is_true || path.parse::<usize>().is_ok_and(|n| n < 56), "{lost}: {url}");
        }
        assert!(urls.len() >= 56, "{lost}: {}", urls.len());
    }
}

const SIZE: u8 = 1;

fn offer(size: u32) -> Vec<u8> {
    frame(4, 0, 0, &[&[0, SIZE][..], &size.to_be_bytes()].concat())
}

fn acknowledge() -> Vec<u8> {
    frame(4, 1, 0, &[])
}

/// A request with some bytes before its block.
fn asking(stream: u32, front: &[u8]) -> Vec<u8> {
    let fields = block(&[(":path", "/"), ("host", "a.example")]);
    frame(1, END | WHOLE, stream, &[front, &fields].concat())
}

const HALF: &[u8] = b"\x3f\xe1\x0f";
const FULL: &[u8] = b"\x3f\xe1\x1f";
const DOUBLE: &[u8] = b"\x3f\xe1\x3f";

#[test]
fn sizes_that_are_not_allowed() {
    let empty = frame(4, 0, 0, &[]);
    let start = [preface(), vec![]].concat();
    for (conversation, faults) in [
        // Twice the allowed size; not at the beginning; before it is acknowledged.
        (vec![(true, asking(1, DOUBLE))], 1),
        (vec![(true, asking(1, &[&[0x82], FULL].concat()))], 1),
        (vec![(false, offer(8192)), (true, asking(1, DOUBLE))], 1),
        (vec![(false, offer(8192)), (true, acknowledge()), (true, asking(1, DOUBLE))], 0),
        // Each acknowledgement is for the oldest SETTINGS.
        (
            vec![
                (false, empty.clone()),
                (false, offer(8192)),
                (true, acknowledge()),
                (true, asking(1, DOUBLE)),
            ],
            1,
        ),
        (
            vec![
                (false, empty),
                (false, offer(8192)),
                (true, [acknowledge(), acknowledge()].concat()),
                (true, asking(1, DOUBLE)),
            ],
            0,
        ),
        // Less is allowed than the table contains: the encoder must announce it.
        (vec![(false, offer(2048)), (true, acknowledge()), (true, asking(1, &[]))], 1),
        (vec![(false, offer(2048)), (true, acknowledge()), (true, asking(1, FULL))], 1),
        (vec![(false, offer(2048)), (true, acknowledge()), (true, asking(1, HALF))], 0),
        (
            vec![
                (false, offer(2048)),
                (true, acknowledge()),
                (true, asking(1, b"\x20\x3f\xe1\x0f")),
            ],
            0,
        ),
        // The server's SETTINGS were not captured.
        (vec![(true, acknowledge()), (true, asking(1, DOUBLE))], 0),
    ] {
        let mut all = vec![(true, start.clone())];
        all.extend(conversation.clone());
        all.push((true, get(3, "b.example", "/next")));
        let (seen, counters) = turns(&all);
        assert_eq!(counters.fault(Fault::BadHttp2), faults, "{conversation:?}");
        assert!(seen.at(Where::HttpUrl).contains(&"http://b.example/next"), "{conversation:?}");
    }
}

#[test]
fn a_flood_of_settings() {
    let mut all = vec![(true, preface())];
    all.extend((0..2000).map(|at| (false, offer(at))));
    all.push((true, acknowledge().repeat(2000)));
    all.push((true, asking(1, DOUBLE)));
    let (seen, counters) = turns(&all);
    assert_eq!((seen.at(Where::HttpUrl).len(), counters.faults().count()), (1, 0));
}
