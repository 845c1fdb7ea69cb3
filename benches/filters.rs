//! Filters for names, compared with each other on any feed and log: `cargo bench --bench filters
//! -- FEED.csv LOG`.
//!
//! Keys are the last two labels of the feed's names. They are queried with those of the names in
//! the log, and with hashes that belong to no name. docs/internals.md has the figures, and the
//! filter that was chosen.

#![expect(clippy::disallowed_methods, clippy::disallowed_macros, reason = "it measures and prints")]

use std::collections::HashSet;
use std::hint::black_box;
use std::time::Instant;
use xorf::{BinaryFuse8, BinaryFuse16, Filter as _};
use xxhash_rust::xxh3::xxh3_64;

/// Queried names of the log, and random hashes.
const QUERIES: usize = 2_000_000;
/// Rounds, of which the fastest counts.
const ROUNDS: usize = 7;

/// Four probes in one word of 64 bits, as `src/engine/database/filter.rs` has it.
struct BlockedBloom(Vec<u64>);

impl BlockedBloom {
    fn new(keys: &[u64], bits: usize) -> Self {
        let mut filter = BlockedBloom(vec![0; (keys.len() * bits).div_ceil(64)]);
        for &key in keys {
            let word = filter.word(key);
            filter.0[word] |= Self::mask(key);
        }
        filter
    }

    fn word(&self, key: u64) -> usize {
        (((key >> 32) * self.0.len() as u64) >> 32) as usize
    }

    fn mask(key: u64) -> u64 {
        [0, 6, 12, 18].iter().fold(0, |mask, shift| mask | 1 << (key >> shift & 63))
    }

    fn may_hold(&self, key: u64) -> bool {
        let mask = Self::mask(key);
        self.0[self.word(key)] & mask == mask
    }
}

/// One bit for a hash.
struct Bitmap(Vec<u64>);

impl Bitmap {
    fn new(keys: &[u64], bits: usize) -> Self {
        let mut map = Bitmap(vec![0; (keys.len() * bits).next_power_of_two().div_ceil(64)]);
        for &key in keys {
            let slot = map.slot(key);
            map.0[slot >> 6] |= 1 << (slot & 63);
        }
        map
    }

    fn slot(&self, key: u64) -> usize {
        (key as usize) & (self.0.len() * 64 - 1)
    }

    fn may_hold(&self, key: u64) -> bool {
        let slot = self.slot(key);
        self.0[slot >> 6] >> (slot & 63) & 1 != 0
    }
}

/// The queries for every filter.
struct Lab {
    keys: Vec<u64>,
    /// Of the names in the log, and how many of them are keys.
    names: (Vec<u64>, usize),
    unknown: Vec<u64>,
}

impl Lab {
    fn row(&self, name: &str, bytes: usize, may_hold: impl Fn(u64) -> bool) {
        let (of_names, names) = time(&self.names.0, &may_hold);
        let (of_unknown, unknown) = time(&self.unknown, &may_hold);
        assert!(self.keys.iter().all(|key| may_hold(*key)), "{name} lost a key");
        let share = |passed: usize, of: usize| 100.0 * passed as f64 / of as f64;
        println!(
            "| {name} | {:.2} MiB | {:.1} | {of_names:.2} ns | {:.3}% | {of_unknown:.2} ns | {:.3}% |",
            bytes as f64 / f64::from(1 << 20),
            bytes as f64 * 8.0 / self.keys.len() as f64,
            share(names - self.names.1, self.names.0.len()),
            share(unknown, self.unknown.len()),
        );
    }
}

/// Nanoseconds per query, and how many pass.
fn time(queries: &[u64], may_hold: impl Fn(u64) -> bool) -> (f64, usize) {
    let mut best = f64::MAX;
    let mut passed = 0;
    for _ in 0..ROUNDS {
        let started = Instant::now();
        passed = queries.iter().filter(|key| black_box(may_hold(**key))).count();
        best = best.min(started.elapsed().as_secs_f64() * 1e9 / queries.len() as f64);
    }
    (best, passed)
}

/// Hashes of the last two labels of everything that looks like a name.
fn pairs(text: &[u8]) -> impl Iterator<Item = u64> {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let words = text.split(move |byte| !is_part(byte));
    words.filter(|word| word.last().is_some_and(u8::is_ascii_alphabetic)).filter_map(|name| {
        let last = memchr::memrchr(b'.', name)?;
        let start = memchr::memrchr(b'.', &name[..last]).map_or(0, |dot| dot + 1);
        Some(xxh3_64(&name[start..]))
    })
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|w| !w.starts_with('-')).collect();
    let [feed, log] = &words[..] else {
        eprintln!("usage: cargo bench --bench filters -- FEED.csv LOG");
        return;
    };
    let set: HashSet<u64> = pairs(&std::fs::read(feed).unwrap()).collect();
    let names: Vec<u64> = pairs(&std::fs::read(log).unwrap()).take(QUERIES).collect();
    let listed = names.iter().filter(|name| set.contains(name)).count();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let unknown = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    });
    let unknown = unknown.take(QUERIES).collect();
    let lab = Lab { keys: set.into_iter().collect(), names: (names, listed), unknown };
    println!("{} keys; {listed} of {} names are listed\n", lab.keys.len(), lab.names.0.len());
    println!("| filter | size | bits a key | name | passes | unknown | passes |");
    println!("| --- | --- | --- | --- | --- | --- | --- |");
    for bits in [8, 12, 16, 24] {
        let filter = BlockedBloom::new(&lab.keys, bits);
        lab.row(&format!("blocked Bloom, {bits}"), filter.0.len() * 8, |key| filter.may_hold(key));
    }
    let filter = BinaryFuse8::try_from(&lab.keys).unwrap();
    lab.row("binary fuse, 8", filter.fingerprints.len(), |key| filter.contains(&key));
    let filter = BinaryFuse16::try_from(&lab.keys).unwrap();
    lab.row("binary fuse, 16", filter.fingerprints.len() * 2, |key| filter.contains(&key));
    for bits in [8, 16, 64] {
        let map = Bitmap::new(&lab.keys, bits);
        lab.row(&format!("bitmap, {bits}"), map.0.len() * 8, |key| map.may_hold(key));
    }
}
