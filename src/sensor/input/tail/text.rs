//! The text of pieces, and the buffers that files are read into.
//!
//! A buffer that was read into becomes the text of a piece, so nothing is copied. When the piece is
//! dropped, the buffer returns to the thread that dropped it. That thread usually is the one that
//! reads the next piece and matches it: then the bytes of both are in its processor's caches. A
//! buffer that all threads shared would move between the caches with each piece.

use std::cell::RefCell;
use std::ops::{Deref, Range};

thread_local! {
    /// The buffer that the thread reads into next.
    static SPARE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// The largest buffer that a thread keeps: those for very long lines are larger.
const MAX_SPARE: usize = 512 << 10;

/// A text that is smaller than this part of its buffer is copied: few small pieces must not hold
/// many large buffers.
const MIN_PART: usize = 4;

/// A buffer with at least this many bytes, of any value.
pub(super) fn take_buffer(len: usize) -> Vec<u8> {
    let mut buffer = SPARE.try_with(RefCell::take).unwrap_or_default();
    if buffer.len() < len {
        // Not resized, which would copy the old bytes.
        buffer = vec![0; len];
    }
    buffer
}

/// Takes a buffer back.
pub(super) fn put_buffer(buffer: Vec<u8>) {
    // The thread may be ending.
    let _ = SPARE.try_with(|spare| {
        let mut spare = spare.borrow_mut();
        if buffer.len() <= MAX_SPARE && buffer.len() > spare.len() {
            *spare = buffer;
        }
    });
}

/// The text of a piece: a part of a buffer.
#[derive(Clone, Default)]
pub struct Text {
    buffer: Vec<u8>,
    range: Range<usize>,
}

impl Text {
    /// A part of a buffer that was read into. The buffer is kept, unless the part is small.
    ///
    /// # Panics
    ///
    /// If the range is not in the buffer.
    pub(super) fn of(buffer: Vec<u8>, range: Range<usize>) -> Text {
        if range.len() < buffer.len() / MIN_PART {
            let text = Text::from(buffer[range].to_vec());
            put_buffer(buffer);
            return text;
        }
        assert!(range.end <= buffer.len(), "the range is in the buffer");
        Text { buffer, range }
    }
}

impl From<Vec<u8>> for Text {
    fn from(buffer: Vec<u8>) -> Text {
        Text { range: 0..buffer.len(), buffer }
    }
}

impl Deref for Text {
    type Target = [u8];

    #[inline]
    fn deref(&self) -> &[u8] {
        &self.buffer[self.range.clone()]
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        put_buffer(std::mem::take(&mut self.buffer));
    }
}

impl std::fmt::Debug for Text {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        (**self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_returns_when_its_text_is_dropped() {
        let buffer = take_buffer(1000);
        let place = buffer.as_ptr();
        let text = Text::of(buffer, 10..900);
        assert_eq!((text.len(), text.as_ptr()), (890, place.wrapping_add(10)));
        drop(text);
        let again = take_buffer(500);
        assert_eq!((again.as_ptr(), again.len()), (place, 1000));
        // A small part doesn't keep it.
        let small = Text::of(again, 0..10);
        let buffer = take_buffer(1);
        assert_eq!(buffer.as_ptr(), place);
        assert_eq!(&*small, &[0; 10]);
        // What is larger than usual is not kept.
        drop(Text::from(vec![1; MAX_SPARE + 1]));
        assert_eq!(take_buffer(1).len(), 1);
    }
}
