//! Any bytes as an export of the journal: the same however they are split.

use wiresift::sensor::input::net::journal::{ExportReader, JournalEntry, MAX_FIELD};

fn reported<'p>(pieces: impl Iterator<Item = &'p [u8]>) -> (Vec<JournalEntry>, bool) {
    let mut reader = ExportReader::new(&["_EXE".to_string()]);
    let mut entries = Vec::new();
    let mut each = |entry: &JournalEntry| {
        assert!(entry.texts.iter().all(|text| text.len() <= MAX_FIELD));
        entries.push(entry.clone());
    };
    let is_whole = pieces.into_iter().all(|piece| reader.push(piece, &mut each).is_ok());
    (entries, is_whole)
}

/// At once, byte by byte, and in pieces of the size in the first byte.
pub fn run(bytes: &[u8]) {
    let Some((&first, stream)) = bytes.split_first() else { return };
    let whole = reported(std::iter::once(stream));
    assert!(whole == reported(stream.chunks(1)));
    assert!(whole == reported(stream.chunks(usize::from(first) + 2)));
}
