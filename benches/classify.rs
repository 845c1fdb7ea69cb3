//! Phase one alone: 64 bytes to bit masks.

mod corpus;

use corpus::{Log, corpus, corpus_bytes};
use criterion::{Criterion, Throughput};
use std::hint::black_box;
use std::time::Duration;
use wiresift::text::classify::classify;

/// Bits of every class in a text, so that none of the masks can be left out.
fn bits(text: &[u8]) -> [u64; 7] {
    let mut sums = [0; 7];
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
            *sum += u64::from(class.count_ones());
        }
    }
    sums
}

/// The same, byte by byte.
fn expected(text: &[u8]) -> [u64; 7] {
    let count = |is: fn(u8) -> bool| text.iter().filter(|&&byte| is(byte)).count() as u64;
    [
        count(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b >= 0x80),
        count(|b| b == b'.'),
        count(|b| b.is_ascii_alphanumeric()),
        count(|b| b.is_ascii_hexdigit()),
        count(|b| b == b':'),
        count(|b| b == b'@'),
        count(|b| b == b'/'),
    ]
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("classify");
    group.sample_size(20).measurement_time(Duration::from_secs(2));
    group.warm_up_time(Duration::from_millis(500));
    for log in Log::ALL {
        let mut text = corpus(log, corpus_bytes(), 1000).text;
        text.truncate(text.len() / 64 * 64);
        assert_eq!(bits(&text), expected(&text));
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(log.name(), |bencher| bencher.iter(|| bits(black_box(&text))));
    }
    group.finish();
    criterion.final_summary();
}
