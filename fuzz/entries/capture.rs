//! Any bytes as a capture file: no panic, at most one error, and that the last.
use wiresift::input::capture::{Capture, is_capture};

/// Packets are numbered, hold no more than they say, and nothing follows an error.
pub fn run(bytes: &[u8]) {
    let Ok(capture) = Capture::new(bytes) else { return };
    assert!(is_capture(bytes));
    let mut is_over = false;
    for (at, packet) in capture.enumerate() {
        assert!(!is_over);
        match packet {
            Ok(packet) => {
                assert_eq!(packet.number, at as u64 + 1);
                assert!(packet.length as usize >= packet.data.len());
            }
            Err(_) => is_over = true,
        }
    }
}
