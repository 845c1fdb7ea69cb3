//! Phase one alone: 64 bytes to bit masks.

mod corpus;

use corpus::{Log, corpus, corpus_bytes};
use criterion::{Criterion, Throughput};
use std::hint::black_box;
use std::time::Duration;
use wiresift::text::classify::{Masks, classify};

/// A sum over the masks of every class, cheap, so that none can be left out.
fn sums(text: &[u8], classify: impl Fn(&[u8; 64]) -> Masks) -> [u64; 7] {
    let mut sums = [0u64; 7];
    for block in text.as_chunks::<64>().0 {
        let masks = classify(block);
        let classes = [
            masks.names,
            masks.dots,
            masks.alnums,
            masks.hexes,
            masks.colons,
            masks.at_signs,
            masks.slashes,
        ];
        for (sum, class) in sums.iter_mut().zip(classes) {
            *sum = sum.wrapping_add(class);
        }
    }
    sums
}

/// What the masks should be, byte by byte.
fn expected(block: &[u8; 64]) -> Masks {
    let mask = |is: fn(u8) -> bool| {
        block.iter().enumerate().fold(0, |mask, (at, &byte)| mask | u64::from(is(byte)) << at)
    };
    Masks {
        names: mask(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b >= 0x80),
        dots: mask(|b| b == b'.'),
        alnums: mask(|b| b.is_ascii_alphanumeric()),
        hexes: mask(|b| b.is_ascii_hexdigit()),
        colons: mask(|b| b == b':'),
        at_signs: mask(|b| b == b'@'),
        slashes: mask(|b| b == b'/'),
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("classify");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    group.warm_up_time(Duration::from_millis(500));
    for log in Log::ALL {
        let mut text = corpus(log, corpus_bytes(), 1000).text;
        text.truncate(text.len() / 64 * 64);
        assert_eq!(sums(&text, classify), sums(&text, expected));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(log.name(), |bencher| {
            bencher.iter(|| sums(black_box(&text), classify))
        });
    }
    group.finish();
    criterion.final_summary();
}
