//! Any bytes as each format: the first byte picks it, the second the options.
#![no_main]

use libfuzzer_sys::fuzz_target;
use wiresift::feed::{self, Collected, Defanged, Format, Options};

fuzz_target!(|bytes: &[u8]| {
    let [format, flags, rest @ ..] = bytes else { return };
    let options = Options {
        feed: "fuzz".into(),
        format: Some(Format::ALL[usize::from(*format) % Format::ALL.len()]),
        defanged: if flags & 1 == 0 { Defanged::Auto } else { Defanged::Yes },
        misp_all: flags & 2 != 0,
        stix_domain_subtree: flags & 4 != 0,
        zero_padded_decimal: flags & 8 != 0,
        ..Options::default()
    };
    let _ = feed::read(rest, &options, &mut Collected::default());
});
