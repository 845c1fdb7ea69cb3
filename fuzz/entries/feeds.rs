//! Any bytes as a feed, in every format: no panic, and the results are valid.

use wiresift::engine::indicator::{Indicator, Scope};
use wiresift::intel::feed::{Collected, Format, Options, read, write_jsonl};

/// One value per line.
pub fn lines(bytes: &[u8]) {
    check(Format::Lines, bytes);
}

/// Tables.
pub fn csv(bytes: &[u8]) {
    check(Format::Table, bytes);
}

/// Generic records.
pub fn json(bytes: &[u8]) {
    check(Format::Json, bytes);
}

/// STIX bundles and their patterns.
pub fn stix(bytes: &[u8]) {
    check(Format::Stix, bytes);
}

/// MISP events.
pub fn misp(bytes: &[u8]) {
    check(Format::Misp, bytes);
}

/// OTX pulses.
pub fn otx(bytes: &[u8]) {
    check(Format::Otx, bytes);
}

/// The format is detected from the content; or, after a byte that is not text, it is the format
/// with that number.
pub fn other(bytes: &[u8]) {
    match bytes.split_first() {
        Some((number @ 128.., rest)) => {
            check(Format::ALL[usize::from(*number - 128) % Format::ALL.len()], rest);
        }
        _ => check_with(&Options::of_feed("fuzz"), bytes),
    }
}

fn check(format: Format, bytes: &[u8]) {
    check_with(&Options { format: Some(format), ..Options::of_feed("fuzz") }, bytes);
}

fn check_with(options: &Options, bytes: &[u8]) {
    let mut found = Collected::default();
    let Ok(summary) = read(bytes, options, &mut found) else { return };
    assert_eq!(summary.indicators, found.indicators.len() as u64);
    assert_eq!(summary.rejected(), found.rejects.len() as u64);
    for indicator in &found.indicators {
        assert_normal(indicator);
    }
    if summary.format != Format::Warninglist {
        assert_lossless(&found.indicators);
    }
}

/// A value from a feed is in the form in which it is looked up.
fn assert_normal(indicator: &Indicator) {
    let Indicator { kind, value, scope, context, .. } = indicator;
    if matches!(scope, Scope::Wildcard | Scope::Regex | Scope::Prefix) {
        return;
    }
    let again = Indicator::new(*kind, &value.to_string(), *scope, context.clone());
    let again = again.unwrap_or_else(|why| panic!("{kind} {value}: {why:?}"));
    assert_eq!(again.value, *value, "{kind}");
}

/// Our own format is lossless.
fn assert_lossless(indicators: &[Indicator]) {
    let mut lines = Vec::new();
    write_jsonl(&mut lines, indicators).unwrap();
    if indicators.is_empty() {
        return;
    }
    let options = Options { format: Some(Format::Wiresift), ..Options::of_feed("fuzz") };
    let mut again = Collected::default();
    read(&lines, &options, &mut again).unwrap();
    assert_eq!(again.rejects, []);
    assert_eq!(again.indicators, indicators, "{}", String::from_utf8_lossy(&lines));
}
