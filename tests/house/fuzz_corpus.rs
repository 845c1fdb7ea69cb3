//! The seeds of `fuzz/corpus` as plain tests: bugs found by fuzzing stay fixed.

use std::path::{Path, PathBuf};
use wiresift::engine::indicator::{Observable, Timestamp, Where};
use wiresift::engine::packet::{self, Fault};

#[path = "../../fuzz/entries/mod.rs"]
mod entries;

/// The seeds of a target.
fn seeds(entry: &entries::Entry) -> impl Iterator<Item = PathBuf> {
    let project = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![project.join("fuzz/corpus").join(entry.name)];
    folders.extend(entry.testdata.map(|name| project.join("testdata").join(name)));
    folders.retain(|folder| folder.is_dir());
    let files = folders.into_iter().flat_map(|f| walkdir::WalkDir::new(f).sort_by_file_name());
    let files = files.map(Result::unwrap).filter(|seed| seed.file_type().is_file());
    files.map(walkdir::DirEntry::into_path)
}

#[test]
fn every_seed_of_every_target_passes() {
    for entry in entries::TABLE {
        let mut count = 0;
        for seed in seeds(entry) {
            let bytes = std::fs::read(&seed).unwrap();
            // The panic's own message does not name the seed.
            if std::panic::catch_unwind(|| (entry.run)(&bytes)).is_err() {
                panic!("{}: {}: see the panic above", entry.name, seed.display());
            }
            count += 1;
        }
        assert!(count > 0, "no seeds for {}", entry.name);
    }
}

/// `WIRESIFT_TARGET=NAME WIRESIFT_INPUT=FILE`: one additional input, for example one that a
/// fuzzer has written.
#[test]
fn the_input_that_is_named_passes() {
    let name = std::env::var("WIRESIFT_TARGET").unwrap_or_default();
    if let (Some(entry), Some(path)) = (entries::named(&name), std::env::var_os("WIRESIFT_INPUT")) {
        (entry.run)(&std::fs::read(path).unwrap());
    }
}

#[test]
fn every_target_takes_nothing_and_anything() {
    for entry in entries::TABLE {
        (entry.run)(b"");
        (entry.run)(&[0xff; 300]);
        (entry.run)(&(0..=255).collect::<Vec<u8>>());
    }
}

#[test]
fn every_entry_has_its_target_and_every_target_its_entry() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    let manifest = std::fs::read_to_string(fuzz.join("Cargo.toml")).unwrap();
    let listed: Vec<&str> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("path = \"targets/")?.strip_suffix(".rs\""))
        .collect();
    let entries: Vec<&str> = entries::TABLE.iter().map(|entry| entry.name).collect();
    assert_eq!(listed, entries, "fuzz/Cargo.toml");
    for name in entries {
        let target = std::fs::read_to_string(fuzz.join(format!("targets/{name}.rs"))).unwrap();
        assert!(target.contains(&format!("entries::named(\"{name}\")")), "targets/{name}.rs");
        assert!(entries::named(name).is_some());
    }
    for folder in std::fs::read_dir(fuzz.join("corpus")).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(entries::named(&name).is_some(), "fuzz/corpus/{name} belongs to no target");
    }
}

/// Receives everything, and keeps nothing.
struct Ignore;

impl packet::Visitor for Ignore {
    fn flow_opened(&mut self, _: &packet::Packet<'_>) -> bool {
        false
    }

    fn seen(
        &mut self,
        _: Observable<'_>,
        _: Where,
        _: &packet::Packet<'_>,
        _: packet::ProtocolFacts<'_>,
    ) {
    }
}

/// How often IP packets exceeded a bound.
fn faults(packets: &[Vec<u8>], fault: Fault) -> u64 {
    let mut decoder = packet::Decoder::new(packet::Config::default());
    for (data, number) in packets.iter().zip(1..) {
        let length = data.len() as u32;
        let frame = packet::Frame {
            is_timed: true,
            number,
            time: Timestamp(0),
            linktype: 101,
            length,
            data,
        };
        decoder.frame(&frame, &mut Ignore);
    }
    decoder.finish(&mut Ignore);
    decoder.counters().fault(fault)
}

/// The data of a client, one segment for each part.
fn said(port: u16, parts: &[&[u8]]) -> Vec<Vec<u8>> {
    let mut seq = 0;
    let segments = parts.iter().map(|part| {
        let segment = entries::streams::packet(true, port, 24, seq, part);
        seq += part.len() as u32;
        segment
    });
    segments.collect()
}

/// Bounds are those of the build, and are tested below, exactly and above: with the fuzzers'
/// bounds inputs of some hundred bytes are sufficient.
#[test]
fn bounds_are_those_of_the_build() {
    let of_build = |real, fuzzed| if cfg!(fuzzing) { fuzzed } else { real };
    let around = |bound: usize| [bound - 1, bound, bound + 1];
    let filled = |start: &str, length: usize, end: &str| {
        let filling = "a".repeat(length - start.len() - end.len());
        format!("{start}{filling}{end}").into_bytes()
    };
    let header = |length| {
        let mail = filled("Subject: ", length, "\r\n");
        faults(&said(2525, &[b"EHLO a\r\nDATA\r\n", &mail, b"\r\n.\r\n"]), Fault::SplitMail)
    };
    assert_eq!(around(of_build(64 << 10, 64)).map(header), [0, 0, 1]);
    let head = |length| {
        let head = filled("GET / HTTP/1.1\r\nX: ", length, "");
        faults(&said(8080, &[&head, b"\r\n\r\n"]), Fault::SplitHttp)
    };
    assert_eq!(around(of_build(64 << 10, 256)).map(head), [0, 0, 1]);
    let tunnels = |depth| {
        let inner = entries::streams::packet(true, 80, 2, 0, b"");
        let packet = (0..depth).fold(inner, |inner, _| {
            let length = (20 + inner.len()) as u16;
            let mut outer =
                vec![0x45, 0, 0, 0, 0, 0, 0, 0, 64, 4, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2];
            outer[2..4].copy_from_slice(&length.to_be_bytes());
            outer.extend(inner);
            outer
        });
        faults(&[packet], Fault::TooManyTunnels)
    };
    assert_eq!(around(of_build(8, 3)).map(tunnels), [0, 0, 1]);
}

/// Pieces that are inserted into seeds: openings, ends, and repeated parts.
const PIECES: [&[u8]; 34] = [
    b"\r\n",
    b"\n",
    b" x\r\n",
    b"\t",
    b"a: b\r\n",
    b"\"",
    b"(",
    b";a=b",
    b"=?utf-8?q?a?= ",
    b"--b\r\n",
    b"--b--\r\n",
    b"=\r\n",
    b"=41",
    b"YQ==",
    b"begin 644 a\r\n",
    b"M86%A\r\n",
    b"&amp;",
    b".\r\n",
    b"{1}\r\na",
    b"1\r\na\r\n",
    b"0\r\n\r\n",
    b"a@b.c ",
    b"http://a.b/",
    b"\x1f\x8b",
    b"\0\0\0\x04\0\0\0\0\0",
    b"\0\0\x01\x01\x04\0\0\0\x01\x82",
    b"\x16\x03\x01\0\x01\x01",
    b"\0\0\0\x04\xfeSMB",
    b"\xff",
    b"\0",
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n",
    b"Content-Type: message/rfc822\r\n\r\n",
    b"* 1 FETCH (BODY[] {9}\r\n",
    b"DATA\r\n",
];

/// Pseudo-random numbers, the same in each run (xorshift).
struct Chance(u64);

impl Chance {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % most.max(1) as u64) as usize
    }

    /// A seed with a few changes: pieces inserted once or repeatedly, parts repeated, removed,
    /// flipped.
    fn changed(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(4) {
            let at = self.below(bytes.len() + 1);
            let end = (at + self.below(40)).min(bytes.len());
            match self.below(5) {
                0 => drop(bytes.drain(at..end)),
                1 => {
                    let part = bytes[at..end].repeat(1 + self.below(20));
                    bytes.splice(at..at, part);
                }
                2 if at < end => bytes[at] = self.below(256) as u8,
                3 => {
                    let other = &seeds[self.below(seeds.len())];
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[self.below(other.len() + 1)..]);
                }
                _ => {
                    let piece = PIECES[self.below(PIECES.len())].repeat(1 << self.below(8));
                    bytes.splice(at..at, piece);
                }
            }
        }
        bytes.truncate(MAX_CHANGED);
        bytes
    }
}

/// The longest input made from seeds.
const MAX_CHANGED: usize = 4 << 10;

/// A few changes of each seed. `WIRESIFT_ROUNDS=n` makes more of them, `WIRESIFT_TARGET=NAME` for
/// one target: with the fuzzers' bounds (`make fuzz-replay`) this is fuzzing without libFuzzer.
#[test]
fn changed_seeds_pass() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let only = std::env::var("WIRESIFT_TARGET").ok();
    for entry in entries::TABLE.iter().filter(|e| only.as_deref().is_none_or(|o| o == e.name)) {
        let mut seeds: Vec<Vec<u8>> =
            seeds(entry).map(|path| std::fs::read(path).unwrap()).collect();
        seeds.retain(|seed| seed.len() <= MAX_CHANGED);
        seeds.push(Vec::new());
        let mut chance = Chance(number("WIRESIFT_SEED").unwrap_or(0x9e37_79b9_7f4a_7c15));
        for _ in 0..number("WIRESIFT_ROUNDS").unwrap_or(20) {
            let input = chance.changed(&seeds);
            if std::panic::catch_unwind(|| (entry.run)(&input)).is_err() {
                let kept =
                    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("found-{}", entry.name));
                std::fs::write(&kept, &input).unwrap();
                panic!("{}: {}: see the panic above", entry.name, kept.display());
            }
        }
    }
}
