//! Any bytes as a feed whose format is found from its content, and undone from
//! compression first.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wiresift::feed::{self, Collected, Options};

fuzz_target!(|bytes: &[u8]| {
    let Ok(bytes) = feed::inflate(bytes, 1 << 22) else { return };
    let mut found = Collected::default();
    if let Ok(summary) = feed::read(&bytes, &Options::of_feed("fuzz"), &mut found) {
        assert_eq!(summary.indicators, found.indicators.len() as u64);
        assert_eq!(summary.rejected(), found.rejects.len() as u64);
    }
});
