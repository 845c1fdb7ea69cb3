//! Reads a compressed file from a position in its decompressed contents.

use super::content::{Content, SAMPLE};
use crate::sensor::input::Packing;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

/// The length of the longest magic number of the compressions used for logs: bzip2's.
const MAGIC: usize = 10;
/// How much is decompressed at a time.
const BLOCK: usize = 64 << 10;

/// The first bytes of the compressions used for logs.
const MAGICS: [&[u8]; 6] = [
    &[0x1f, 0x8b, 8],
    &[0x28, 0xb5, 0x2f, 0xfd],
    b"BZh",
    &[0xfd, b'7', b'z', b'X', b'Z', 0],
    &[0x04, 0x22, 0x4d, 0x18],
    &[0x02, 0x21, 0x4c, 0x18],
];

/// Whether a file is compressed, by its first bytes; `None` if more of them are needed to decide.
/// Logs are never compressed with plain zlib, so what looks like it is text.
pub(super) fn packing_of(head: &[u8]) -> Option<Option<Packing>> {
    let found = Packing::of(head).filter(|it| !matches!(it, Packing::Zlib | Packing::Lzma));
    let may_be = |magic: &&[u8]| magic.starts_with(head) || head.starts_with(magic);
    if found.is_none() && head.len() < MAGIC && MAGICS.iter().any(may_be) {
        return None;
    }
    Some(found)
}

/// A compressed file that is read from its first byte on.
pub(super) struct Unpacking {
    reader: Box<dyn Read + Send>,
    /// Bytes that were decompressed.
    at: u64,
    /// The first of them.
    head: Vec<u8>,
    /// The last of them: up to [`SAMPLE`] bytes before the unconsumed ones, and those.
    window: Vec<u8>,
    /// Where in the window the unconsumed bytes begin.
    start: usize,
    is_over: bool,
}

/// A file that is read by position, because its descriptor is shared.
struct Positioned {
    file: Arc<File>,
    at: u64,
}

impl Read for Positioned {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl std::fmt::Debug for Unpacking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Unpacking").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Unpacking {
    pub(super) fn new(file: &Arc<File>, packing: Packing) -> io::Result<Unpacking> {
        let file = Positioned { file: Arc::clone(file), at: 0 };
        Ok(Unpacking {
            reader: packing.unpack(Box::new(file))?,
            at: 0,
            head: Vec::new(),
            window: Vec::new(),
            start: 0,
            is_over: false,
        })
    }

    /// The offset of the unconsumed bytes.
    pub(super) fn offset(&self) -> u64 {
        self.at - (self.window.len() - self.start) as u64
    }

    /// How many bytes were decompressed.
    pub(super) fn at(&self) -> u64 {
        self.at
    }

    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// The bytes before the unconsumed ones, and those.
    pub(super) fn window(&self) -> (&[u8], &[u8]) {
        self.window.split_at(self.start)
    }

    /// The content before the unconsumed bytes.
    pub(super) fn content(&self) -> Content {
        let len = usize::try_from(self.offset()).unwrap_or(SAMPLE).min(self.head.len());
        Content::of(&self.head[..len], &self.window[..self.start])
    }

    /// Consumes this many bytes.
    pub(super) fn take(&mut self, len: usize) {
        self.start = self.start.saturating_add(len).min(self.window.len());
        let surplus = self.start.saturating_sub(SAMPLE);
        if surplus >= BLOCK || surplus > self.window.len() - self.start {
            self.window.drain(..surplus);
            self.start -= surplus;
        }
    }

    /// Decompresses until this many unconsumed bytes are available, or to the end.
    pub(super) fn fill(&mut self, max: usize) -> io::Result<()> {
        while !self.is_over && self.window.len() - self.start < max {
            let filled = self.window.len();
            let want = (max - (filled - self.start)).min(BLOCK);
            self.window.resize(filled + want, 0);
            let result = self.reader.read(&mut self.window[filled..]);
            let read = *result.as_ref().unwrap_or(&0);
            self.window.truncate(filled + read);
            self.at += read as u64;
            let missing = SAMPLE - self.head.len();
            self.head.extend(self.window[filled..].iter().take(missing));
            match result {
                Ok(0) => self.is_over = true,
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }

    /// Consumes everything up to an offset, but decompresses at most `max` bytes; returns whether
    /// the offset, or the end, was reached.
    pub(super) fn skip_to(&mut self, offset: u64, max: usize) -> io::Result<bool> {
        let mut rest = max;
        loop {
            let missing = offset.saturating_sub(self.offset());
            let here = self.window.len() - self.start;
            self.take(here.min(usize::try_from(missing).unwrap_or(here)));
            if self.offset() >= offset || self.is_over {
                return Ok(true);
            }
            if rest == 0 {
                return Ok(false);
            }
            let step = rest.min(BLOCK);
            self.fill(step)?;
            rest -= step;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    #[test]
    fn magic_numbers_are_waited_for() {
        for (head, known) in [
            (&b"a"[..], Some(None)),
            (b"\x1f", None),
            (b"\x1f\x8b", None),
            (b"\x1f\x8b\x08", Some(Some(Packing::Gzip))),
            (b"B", None),
            (b"BZh", None),
            (b"BZ\n", Some(None)),
            (b"BZh9 is text", Some(None)),
            (b"(", None),
            (b"()\n", Some(None)),
            (b"x\x9cabc", Some(None)),
            (b"", None),
        ] {
            assert_eq!(packing_of(head), known, "{head:?}");
        }
    }

    #[test]
    fn places_have_the_content_of_the_plain_file() {
        let folder = tempfile::tempdir().unwrap();
        let text: Vec<u8> =
            (0..40_000u32).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let path = folder.path().join("x.gz");
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(&text).unwrap();
        std::fs::write(&path, packer.finish().unwrap()).unwrap();
        std::fs::write(folder.path().join("x"), &text).unwrap();
        let plain = File::open(folder.path().join("x")).unwrap();
        let packed = Arc::new(File::open(&path).unwrap());
        for offset in [0, 1, 4095, 4096, 4097, 70_000, text.len() as u64] {
            let mut unpacking = Unpacking::new(&packed, Packing::Gzip).unwrap();
            while !unpacking.skip_to(offset, 10_000).unwrap() {}
            assert_eq!(unpacking.offset(), offset);
            assert_eq!(Some(unpacking.content()), Content::of_file(&plain, offset).unwrap());
            unpacking.fill(100).unwrap();
            let at = offset as usize;
            let (_, rest) = unpacking.window();
            assert_eq!(&rest[..rest.len().min(100)], &text[at..(at + 100).min(text.len())]);
        }
        let mut unpacking = Unpacking::new(&packed, Packing::Gzip).unwrap();
        assert!(unpacking.skip_to(u64::MAX, usize::MAX).unwrap());
        assert_eq!(unpacking.at(), text.len() as u64);
    }
}
