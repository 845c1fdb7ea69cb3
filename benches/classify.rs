//! Phase one alone, with every vector instruction set of this processor: 64 bytes to bit masks.

mod corpus;

use corpus::{Log, corpus, corpus_bytes};
use criterion::{Criterion, Throughput};
use std::hint::black_box;
use std::time::Duration;
use wiresift::engine::text::classify::{Masks, TILE};
use wiresift::engine::text::vector::Implementation;

/// Classifies a text a tile at a time, as the extractor does.
fn classify(
    implementation: Implementation,
    text: &[u8],
    masks: &mut [Masks],
    mut see: impl FnMut(&[Masks]),
) {
    for tile in text.chunks(TILE * 64) {
        let blocks = tile.len() / 64;
        implementation.classify(&tile[..blocks * 64], &mut masks[..blocks]);
        see(&masks[..blocks]);
    }
}

/// Bits of every class in a text.
fn bits(implementation: Implementation, text: &[u8], masks: &mut [Masks]) -> [u64; 10] {
    let mut sums = [0; 10];
    classify(implementation, text, masks, |tile| {
        for masks in tile {
            let classes = [
                masks.names,
                masks.dots,
                masks.digits,
                masks.hexes,
                masks.colons,
                masks.at_signs,
                masks.slashes,
                masks.odds,
                masks.escapes,
                masks.opens,
            ];
            for (sum, class) in sums.iter_mut().zip(classes) {
                *sum += u64::from(class.count_ones());
            }
        }
    });
    sums
}

/// The same, byte by byte.
fn expected(text: &[u8]) -> [u64; 10] {
    let count = |is: fn(u8) -> bool| text.iter().filter(|&&byte| is(byte)).count() as u64;
    [
        count(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-' || b >= 0x80),
        count(|b| b == b'.'),
        count(|b| b.is_ascii_digit()),
        count(|b| b.is_ascii_hexdigit()),
        count(|b| b == b':'),
        count(|b| b == b'@'),
        count(|b| b == b'/'),
        count(|b| b >= 0x80 || b == b'%'),
        count(|b| b"\\&#^\x1b".contains(&b)),
        count(|b| b == b'(' || b == b'['),
    ]
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("classify");
    group.sample_size(20).measurement_time(Duration::from_secs(1));
    group.warm_up_time(Duration::from_millis(300));
    let mut masks = vec![Masks::default(); TILE];
    let mut text = corpus(Log::ALL[0], corpus_bytes(), 1000).text;
    text.truncate(text.len() / 64 * 64);
    for implementation in
        Implementation::ALL.iter().copied().filter(|implementation| implementation.is_available())
    {
        assert_eq!(
            bits(implementation, &text, &mut masks),
            expected(&text),
            "{}",
            implementation.name()
        );
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(implementation.name(), |bencher| {
            bencher.iter(|| {
                classify(implementation, black_box(&text), &mut masks, |tile| {
                    black_box(tile);
                });
            });
        });
    }
    group.finish();
    criterion.final_summary();
}
