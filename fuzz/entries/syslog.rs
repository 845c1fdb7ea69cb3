//! Any bytes as syslog: a stream is the same however it is split, and a message loses nothing.

use wiresift::sensor::input::net::syslog::{Clock, Frame, Framer, MAX_FRAME, Message};

/// Everything that is reported of a stream.
fn reported<'p>(pieces: impl Iterator<Item = &'p [u8]>, of_lines: bool) -> (Vec<Vec<u8>>, bool) {
    let mut framer = if of_lines { Framer::of_lines() } else { Framer::default() };
    let mut frames = Vec::new();
    let mut each = |frame: Frame<'_>| {
        assert!(!frame.bytes.is_empty() && frame.bytes.len() <= MAX_FRAME);
        frames.push(frame.bytes.to_vec());
    };
    let is_whole = pieces.into_iter().all(|piece| framer.push(piece, &mut each).is_ok());
    if is_whole {
        framer.finish(&mut each);
    }
    (frames, is_whole)
}

/// At once, byte by byte, and in pieces of the size in the first byte.
pub fn frames(bytes: &[u8]) {
    let Some((&first, stream)) = bytes.split_first() else { return };
    for of_lines in [false, true] {
        let whole = reported(std::iter::once(stream), of_lines);
        assert!(whole == reported(stream.chunks(1), of_lines));
        assert!(whole == reported(stream.chunks(usize::from(first) + 2), of_lines));
        assert!(!of_lines || whole.1);
    }
}

/// Its parts are parts of the frame, and no longer than it.
pub fn message(bytes: &[u8]) {
    let message = Message::parse(bytes, &Clock::default());
    assert!(message.facility < 24 && message.severity < 8);
    let values: usize = message.values().map(|(_, _, value)| value.len()).sum();
    assert!(values <= message.data.len());
    assert!(message.data.len() + message.text.len() <= bytes.len());
    // Without any header, all of it is text.
    if !bytes.starts_with(b"<") && !bytes.starts_with(b"\xef") {
        assert_eq!(message.text, bytes);
    }
    assert!(bytes.ends_with(message.text));
}
