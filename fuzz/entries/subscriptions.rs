//! Any bytes as the configuration, and as files of the store.

use std::path::Path;
use wiresift::intel::config::{Config, edit};
use wiresift::intel::store::{Index, LedgerIndex, Normal};
use xxhash_rust::xxh3::xxh3_64;

/// A valid configuration stays valid through every edit.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let path = Path::new("wiresift.toml");
    let Ok(config) = Config::parse(&text, path) else { return };
    let mut text = text.into_owned();
    for feed in &config.feeds {
        let name = &feed.name;
        text = edit::enable(&text, path, name, false).expect("it can be disabled");
        assert!(!Config::parse(&text, path).unwrap().feed(name).unwrap().enabled);
        text = edit::enable(&text, path, name, true).expect("it can be enabled");
        assert!(!feed.reading().is_empty() && !feed.origin.shown().is_empty());
    }
    for feed in &config.feeds {
        text = edit::remove(&text, path, &feed.name).expect("it can be removed");
    }
    assert!(Config::parse(&text, path).unwrap().feeds.is_empty());
}

/// The bytes as a file, and as the payload of one with correct checksums.
pub fn store(data: &[u8]) {
    if let Ok(index) = Index::parse(data) {
        assert_eq!(Index::parse(&index.to_bytes()).unwrap(), index);
    }
    if let Ok(index) = LedgerIndex::parse(data) {
        let bytes = index.to_bytes().expect("it is JSON");
        // A time of the far future cannot be written.
        if let Ok(again) = LedgerIndex::parse(&bytes) {
            assert_eq!(again, index);
        }
    }
    let _ = Normal::parse(data, true);
    let _ = Normal::parse(data, false);
    let normal = Normal::parse(&around(data), true).expect("its checksums are right");
    let mut indicators = 0;
    if normal.each(|_| indicators += 1).is_ok() {
        assert!(normal.keys().len() <= indicators);
    }
}

/// A file with one segment.
fn around(payload: &[u8]) -> Vec<u8> {
    let mut table = 1u32.to_le_bytes().to_vec();
    table.extend_from_slice(&[1, b'x']);
    table.extend_from_slice(&[0; 16 + 8]);
    table.push(0);
    let mut length = payload.len();
    while length >= 0x80 {
        table.push(length as u8 | 0x80);
        length >>= 7;
    }
    table.push(length as u8);
    let mut file = b"wsnormal".to_vec();
    file.extend_from_slice(&2u32.to_le_bytes());
    file.extend_from_slice(&[0; 4]);
    let words = [0, table.len() as u64, xxh3_64(&table), payload.len() as u64, xxh3_64(payload)];
    words.iter().for_each(|word| file.extend_from_slice(&word.to_le_bytes()));
    let own = xxh3_64(&file);
    file.extend_from_slice(&own.to_le_bytes());
    file.extend_from_slice(&table);
    file.extend_from_slice(payload);
    file
}
