//! One capture, decoded by many threads.

use crate::harness::records::{text, without_ids};
use crate::harness::{Dir, project};
use std::collections::BTreeSet;
use std::fs;

/// The packets of the recorded Ethernet captures, repeated: long enough to be split into many
/// batches, and with each repetition so late that all its flows are new.
fn long_capture(rounds: u32) -> Vec<u8> {
    let mut out = Vec::new();
    for round in 0..rounds {
        for name in
            ["dns_http_tls", "files", "http2", "http_scan", "mail", "quic", "ssh", "vlan", "vxlan"]
        {
            let path = project().join(format!("testdata/captures/{name}.pcap"));
            let bytes = fs::read(&path).unwrap();
            let (head, mut rest) = bytes.split_at(24);
            assert_eq!((&head[..4], head[20]), (&[0xd4, 0xc3, 0xb2, 0xa1][..], 1), "{name}");
            if out.is_empty() {
                out.extend_from_slice(head);
            }
            while let Some((record, _)) = rest.split_first_chunk::<16>() {
                let word = |at: usize| u32::from_le_bytes(*record[at..].first_chunk().unwrap());
                let length = 16 + word(8) as usize;
                // All within one hour, whenever they were recorded.
                let seconds = 1_700_000_000 + round * 7200 + word(0) % 3600;
                out.extend(seconds.to_le_bytes());
                out.extend_from_slice(&rest[4..length]);
                rest = &rest[length..];
            }
        }
    }
    out
}

/// Every third value that occurs in a capture, as a feed.
fn feed(dir: &Dir, capture: &str) -> String {
    let mut command = dir.command();
    let seen = command.args(["scan", "--observables", "-j", "1", capture]).run().expect(0);
    let values: BTreeSet<String> = seen
        .json_lines()
        .iter()
        .filter(|record| {
            ["ip", "domain", "url", "sha256", "email"].contains(&text(record, "/kind"))
        })
        .map(|record| text(record, "/value").to_string())
        .collect();
    assert!(values.len() > 60, "{}", values.len());
    values.into_iter().step_by(3).map(|value| value + "\n").collect()
}

/// The findings, and their order, depend neither on the number of threads nor on the batch
/// borders.
#[test]
fn any_number_of_threads_reports_the_same() {
    let dir = Dir::new("captures");
    let capture = long_capture(12);
    dir.create("short.pcap", long_capture(1));
    dir.create("long.pcap", &capture);
    dir.create("feed.txt", feed(&dir, "short.pcap"));
    dir.command().args(["compile", "-q", "-o", "db", "feed.txt"]).run().expect(0);
    let scan = |threads: &str, what: &[&str], inputs: &[&str]| {
        let mut command = dir.command();
        command.args(["scan", "-j", threads]).args(what).args(inputs);
        command.stdin(if inputs == ["-"] { capture.clone() } else { Vec::new() });
        command.run().expect(0)
    };
    for what in [&["--db", "db", "--format", "json"][..], &["--observables"]] {
        let one = scan("1", what, &["long.pcap"]);
        let numbers: Vec<u64> = one
            .json_lines()
            .iter()
            .filter_map(|record| record["packet"]["number"].as_u64())
            .collect();
        assert!(numbers.len() > 2000, "{}", numbers.len());
        if what[0] == "--db" {
            assert!(numbers.is_sorted(), "alerts come in the order of the packets");
            assert!(one.text().contains(r#""packets":"#), "flows have their totals");
        }
        for threads in ["2", "3", "8"] {
            assert!(scan(threads, what, &["long.pcap"]).text() == one.text(), "{threads}");
        }
        // Identifiers depend on the name.
        let piped = scan("2", what, &["-"]).text();
        let piped = without_ids(&piped.replace(r#""path":"-""#, r#""path":"long.pcap""#));
        assert!(piped == without_ids(&one.text()));
        // Other captures read at the same time change nothing.
        let both = scan("2", what, &["short.pcap", "long.pcap", "short.pcap"]).text();
        let short = scan("8", what, &["short.pcap"]).text();
        assert!(both == short.clone() + &one.text() + &short);
    }
}

/// If the reader goes away, all threads end.
#[test]
fn workers_end_when_the_reader_is_gone() {
    let dir = Dir::new("captures-gone");
    dir.create("long.pcap", long_capture(12));
    let line = "wiresift scan --observables -j 4 long.pcap | head -n 3";
    assert_eq!(dir.shell(line).run().text().lines().count(), 3);
}
