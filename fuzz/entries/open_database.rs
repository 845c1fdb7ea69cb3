//! Any bytes as a database: it is refused, or every lookup returns.
//!
//! Hardly any bytes have correct checksums, so these are corrected first: the target is the code
//! after that check.

use std::hint::black_box;
use std::sync::OnceLock;
use wiresift::engine::compile::Compiler;
use wiresift::engine::database::Database;
use wiresift::engine::indicator::Timestamp;
use wiresift::engine::scan::{Origin, Scanner};
use wiresift::intel::feed::{Collected, Options, read};
use wiresift::sensor::bench::{Bench, GroupBy, Question, compare};
use xxhash_rust::xxh3::xxh3_64;

/// One indicator of most kinds, and two contexts.
const FEED: &[u8] = b"evil.example\n*.wild.example\n203.0.113.0/24\n203.0.113.128/25\n\
    2001:db8::/32\n203.0.113.9:8443\n[2001:db8::9]:8443\n\
    0123456789abcdef0123456789abcdef\na9993e364706816aba3e25717850c26c9cd0d89d\n\
    http://evil.example/gate.php\n/gate/panel.php\nu@evil.example\nCVE-2024-12345\n\
    HKLM\\Software\\EvilRat\\cfg\nC:\\Users\\Public\\evil.exe\nD:\\a\\b\\c\\d\\e\n";

/// Text and values that match all of them.
const TEXT: &str = "x.evil.example a.wild.example 203.0.113.200 2001:db8::1 203.0.113.9:8443 \
    [2001:db8::9]:8443 0123456789abcdef0123456789abcdef a9993e364706816aba3e25717850c26c9cd0d89d \
    http://evil.example/gate.php?x http://good.example/gate/panel.php u@evil.example CVE-2024-12345 \
    hkey_local_machine\\software\\evilrat\\cfg c:\\\\users\\\\public\\\\evil.exe D:\\a\\b\\c\\d\\e";

/// The bytes, with corrected checksums, and as changes to a valid file.
pub fn run(bytes: &[u8]) {
    super::each_corrected(bytes, good(), correct_checksums, look_up);
}

/// Corrects length and checksums, as far as header and table are readable.
fn correct_checksums(bytes: &mut [u8]) -> Option<()> {
    let u64_at = |bytes: &[u8], at: usize| -> Option<usize> {
        let field = bytes.get(at..at + 8)?.try_into().ok()?;
        usize::try_from(u64::from_le_bytes(field)).ok()
    };
    let count = u64_at(bytes, 48)?.min(256);
    let table = 64..64 + count * 32;
    bytes.get(table.clone())?;
    for row in table.clone().step_by(32) {
        let (from, len) = (u64_at(bytes, row + 8)?, u64_at(bytes, row + 16)?);
        let Some(section) = bytes.get(from..from.saturating_add(len)) else { continue };
        let checksum = xxh3_64(section);
        bytes[row + 24..row + 32].copy_from_slice(&checksum.to_le_bytes());
    }
    let len = bytes.len() as u64;
    bytes[16..24].copy_from_slice(&len.to_le_bytes());
    let head = xxh3_64(&[&bytes[..56], &bytes[table]].concat());
    bytes[56..64].copy_from_slice(&head.to_le_bytes());
    Some(())
}

/// A small database with everything in it.
pub fn good() -> &'static [u8] {
    static GOOD: OnceLock<Vec<u8>> = OnceLock::new();
    GOOD.get_or_init(|| {
        let mut options = Options::of_feed("fuzz");
        options.internal = true;
        let mut found = Collected::default();
        read(FEED, &options, &mut found).unwrap();
        let mut compiler = Compiler::default();
        for indicator in found.indicators {
            compiler.add(indicator);
        }
        compiler.into_bytes(Timestamp(0)).unwrap()
    })
}

fn look_up(bytes: Vec<u8>) {
    if let Ok(database) = Database::from_bytes(bytes.clone()) {
        look_up_in(&database);
    }
    // Safety must not depend on the check alone: a file that passed once is not checked again.
    if let Ok(database) = Database::from_known_bytes(bytes) {
        look_up_in(&database);
    }
}

fn look_up_in(database: &Database) {
    black_box(database.summary());
    for (section, size) in database.sections() {
        black_box((section.name(), size, database.count(section)));
    }
    let mut scanner = Scanner::default();
    let origin = Origin::new("fuzz");
    scanner.scan_text(database, TEXT.as_bytes(), 0..TEXT.len(), &origin, |hit| {
        black_box(hit);
    });
    for value in TEXT.split(' ') {
        black_box(scanner.explain(database, value, Timestamp(0)));
    }
    let report = Bench::new(database, GroupBy::Feed).judge(&Question::new(Timestamp(0)), None);
    for pair in &report.overlap {
        assert!(pair.common_exact <= pair.union_exact && pair.common <= pair.union);
    }
    black_box(compare(database, database));
}
