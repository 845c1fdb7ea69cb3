//! What any feed yields, written as JSON lines, reads back as the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wiresift::feed::{self, Collected, Options};

fuzz_target!(|bytes: &[u8]| {
    let mut first = Collected::default();
    let _ = feed::read(bytes, &Options::of_feed("fuzz"), &mut first);
    if first.indicators.is_empty() {
        return;
    }
    let mut lines = Vec::new();
    feed::write_jsonl(&mut lines, &first.indicators).expect("memory takes everything");
    let mut second = Collected::default();
    feed::read(&lines, &Options::default(), &mut second).expect("our own lines are read");
    assert_eq!(first.indicators, second.indicators);
});
