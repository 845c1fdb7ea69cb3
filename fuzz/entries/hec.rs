//! Any bytes as the request of a collector's client: complete lines, and no invented objects.

use wiresift::sensor::input::net::hec::read_objects;

/// Reads all objects, and again without those that are invalid.
pub fn run(bytes: &[u8]) {
    let mut count = 0;
    let outcome = read_objects(bytes, &"peer".into(), |batch| {
        count += 1;
        let batch = std::mem::take(batch);
        assert!(batch.bytes.is_empty() || batch.bytes.ends_with(b"\n"));
        let breaks = batch.bytes.iter().filter(|&&byte| byte == b'\n').count();
        assert_eq!(breaks, batch.lines.len());
        assert!(batch.lines.first().is_none_or(|line| line.start == 0 && !line.is_continuation));
        true
    });
    match outcome {
        Ok(objects) => assert_eq!(objects, count),
        Err(invalid) => assert_eq!(invalid.number, count),
    }
}
