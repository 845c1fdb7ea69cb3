//! Any bytes as a capture file: no panic, at most one error, as the last item; and the same from
//! a pipe.
use std::io::Cursor;
use wiresift::sensor::input::Stream;
use wiresift::sensor::input::capture::{Batch, Capture, CaptureStream, is_capture};

/// Packets are numbered, contain at most as much as they declare, and nothing follows an error.
/// Texts among them are lines, and may have separate numbers.
pub fn run(bytes: &[u8]) {
    let Ok(capture) = Capture::new(bytes) else { return };
    assert!(is_capture(bytes));
    let mut packets = Vec::new();
    let mut is_over = false;
    let mut number = 0;
    for packet in capture {
        assert!(!is_over);
        match packet {
            Ok(packet) => {
                assert!(packet.number > number);
                number = packet.number;
                assert!(packet.length as usize >= packet.data.len());
                packets.push(packet);
            }
            Err(_) => is_over = true,
        }
    }
    let mut stream = CaptureStream::new(Stream::new("fuzz", Cursor::new(bytes.to_vec())));
    let (mut batch, mut taken, mut text) = (Batch::default(), 0, String::new());
    loop {
        match stream.read(&mut batch) {
            Ok(true) => {
                for packet in batch.packets() {
                    assert_eq!(Some(&packet), packets.get(taken));
                    taken += 1;
                }
                for note in batch.notes() {
                    text.clear();
                    note.append(&mut text);
                    assert!(text.is_empty() || text.ends_with('\n'));
                    assert!((note.offset as usize) < bytes.len());
                }
            }
            end => break assert_eq!(end.is_err(), is_over),
        }
    }
    assert_eq!(taken, packets.len());
}
