//! See `entries`.
#![no_main]

#[path = "../entries/mod.rs"]
#[allow(dead_code)]
mod entries;

libfuzzer_sys::fuzz_target!(|data: &[u8]| (entries::named("pages").unwrap().run)(data));
