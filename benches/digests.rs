//! MD5, SHA-1 and SHA-256 of a file: block by block, and one after the other.

use criterion::{Criterion, Throughput};
use std::hint::black_box;
use wiresift::engine::packet::{Digested, Digests};

/// Bytes of a file, and of its segments.
const FILE: usize = 1 << 20;
const SEGMENT: usize = 1408;

/// Each separately, as provided by its library.
fn one_by_one(file: &[u8]) -> Digested {
    fn of<D: sha1::Digest>(file: &[u8]) -> sha1::digest::Output<D> {
        let mut digest = D::new();
        file.chunks(SEGMENT).for_each(|segment| digest.update(segment));
        digest.finalize()
    }
    Digested {
        md5: Some(of::<md5::Md5>(file).into()),
        sha1: Some(of::<sha1::Sha1>(file).into()),
        sha256: Some(of::<sha2::Sha256>(file).into()),
    }
}

fn together(file: &[u8]) -> Digested {
    let mut digests = Digests::new(true, true, true);
    file.chunks(SEGMENT).for_each(|segment| digests.update(segment));
    digests.finish()
}

fn main() {
    let file: Vec<u8> = (0..=250).cycle().take(FILE).collect();
    assert_eq!(together(&file), one_by_one(&file));
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("digests");
    group.throughput(Throughput::Bytes(FILE as u64));
    group.bench_function("block by block", |bench| bench.iter(|| together(black_box(&file))));
    group.bench_function("one by one", |bench| bench.iter(|| one_by_one(black_box(&file))));
    group.finish();
    criterion.final_summary();
}
