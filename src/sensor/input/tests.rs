//! Cutting, against its contract, and opening, against real archives.

use super::*;
use proptest::prelude::*;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// A reader that returns as much at a time as it is asked to, and fails now and then.
struct Stumbling {
    bytes: Vec<u8>,
    at: usize,
    sizes: Vec<usize>,
    turn: usize,
    fails: bool,
}

impl Read for Stumbling {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let size = self.sizes[self.turn % self.sizes.len()];
        self.turn += 1;
        if size == 0 {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.at == self.bytes.len() && self.fails {
            return Err(io::Error::other("the disk is on fire"));
        }
        let given = size.min(buffer.len()).min(self.bytes.len() - self.at);
        buffer[..given].copy_from_slice(&self.bytes[self.at..self.at + given]);
        self.at += given;
        Ok(given)
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let line = (0usize..60, any::<bool>(), any::<u8>());
    proptest::collection::vec(line, 0..30).prop_map(|lines| {
        let mut text = Vec::new();
        for (len, newline, seed) in lines {
            text.extend((0..len).map(|at| b'a' + (seed.wrapping_add(at as u8) % 26)));
            if newline {
                text.push(b'\n');
            }
        }
        text
    })
}

fn bounds() -> impl Strategy<Value = Bounds> {
    (1usize..90, 2usize..70, 0usize..9, 0usize..30)
        .prop_map(|(chunk, line, before, after)| Bounds::new(chunk).with_lines(line, before, after))
}

/// Checks chunks against everything that is promised about them.
fn check(text: &[u8], bounds: Bounds, chunks: &[Chunk]) -> Result<(), TestCaseError> {
    let mut at = 0u64;
    for chunk in chunks {
        let span = chunk.span();
        prop_assert_eq!(span.start, at, "a gap or an overlap");
        prop_assert!(span.end > span.start, "an empty chunk");
        at = span.end;
        let from = chunk.offset as usize;
        prop_assert_eq!(&chunk.buffer[..], &text[from..from + chunk.buffer.len()]);
        prop_assert!(chunk.buffer.len() <= bounds.max_buffer());

        let is_line_start = |at: u64| at == 0 || text[at as usize - 1] == b'\n';
        let soft_start = is_line_start(span.start);
        let soft_end = span.end as usize == text.len() || is_line_start(span.end);
        prop_assert_eq!(chunk.whole_lines, soft_start && soft_end);
        let line =
            text[..span.start as usize].iter().rposition(|&b| b == b'\n').map_or(0, |n| n + 1);
        // An empty line may be part of a record.
        let is_inner = |at: u64| is_line_start(at) && text.get(at as usize) == Some(&b'\n');
        if is_inner(span.start) {
            prop_assert!(chunk.start <= bounds.look_behind() && is_line_start(chunk.offset));
        } else {
            let want = (span.start as usize - line).min(bounds.look_behind());
            prop_assert_eq!(chunk.start, want);
        }
        let rest = text.len() - span.end as usize;
        let ahead = chunk.buffer.len() - chunk.end;
        if is_inner(span.end) {
            let end = span.end + ahead as u64;
            prop_assert!(ahead <= bounds.look_ahead());
            prop_assert!(end as usize == text.len() || is_line_start(end));
        } else {
            prop_assert_eq!(ahead, if soft_end { 0 } else { bounds.look_ahead().min(rest) });
        }
    }
    prop_assert_eq!(at as usize, text.len(), "bytes are missing");
    Ok(())
}

fn drain(chunker: &mut Chunker) -> (Vec<Chunk>, Option<crate::Error>) {
    let mut chunks = Vec::new();
    loop {
        match chunker.next_chunk() {
            Ok(Some(chunk)) => chunks.push(chunk),
            Ok(None) => return (chunks, None),
            Err(error) => return (chunks, Some(error)),
        }
    }
}

fn plain(bytes: &[u8]) -> PlainFile {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    PlainFile::new("test".into(), file, bytes.len() as u64)
}

fn file_chunks(bytes: &[u8], bounds: Bounds) -> Vec<Chunk> {
    let chunks = FileChunks::new(plain(bytes), bounds);
    // Backwards: chunks must not depend on others having been read.
    let mut read: Vec<Chunk> = (0..chunks.count() + 2)
        .rev()
        .filter_map(|k| chunks.read(k, vec![b'#'; 7]).unwrap())
        .collect();
    chunks.finish().unwrap();
    read.reverse();
    read
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn streams_and_files_are_cut_alike_and_without_gaps(
        text in text(),
        bounds in bounds(),
        mut sizes in proptest::collection::vec(0usize..50, 1..8),
        fails in any::<bool>(),
    ) {
        sizes.push(1);
        let reader = Stumbling { bytes: text.clone(), at: 0, sizes, turn: 0, fails };
        let mut chunker = Chunker::new(Stream::new("test", reader), bounds, Pool::new(2));
        let (chunks, error) = drain(&mut chunker);
        check(&text, bounds, &chunks)?;
        prop_assert_eq!(error.is_some(), fails);
        if let Some(error) = error {
            let want = format!("test: cannot continue reading at byte {}: the disk is on fire", text.len());
            prop_assert_eq!(error.to_string(), want);
            prop_assert!(chunker.next_chunk().unwrap().is_none());
        }
        // A stream has less context if no record can begin before the chunk.
        let own = |chunks: &[Chunk]| -> Vec<_> {
            chunks.iter().map(|chunk| (chunk.span(), chunk.whole_lines)).collect()
        };
        let file = file_chunks(&text, bounds);
        check(&text, bounds, &file)?;
        prop_assert_eq!(own(&file), own(&chunks));
    }

    #[test]
    fn live_streams_are_cut_without_gaps(
        text in text(),
        bounds in bounds(),
        mut sizes in proptest::collection::vec(0usize..50, 1..8),
    ) {
        sizes.push(1);
        let reader = Stumbling { bytes: text.clone(), at: 0, sizes, turn: 0, fails: false };
        let stream = Stream::new("test", reader).live();
        let (chunks, error) = drain(&mut Chunker::new(stream, bounds, Pool::new(2)));
        check(&text, bounds, &chunks)?;
        prop_assert!(error.is_none());
    }
}

/// Where a line may continue a record, both chunks have whole lines of the other side.
#[test]
fn cuts_in_the_midst_of_records() {
    let record = "{\n  \"a\": 1,\n  \"b\": 2\n}\n";
    let text = format!("first\n{}last\n", record.repeat(20)).into_bytes();
    for chunk in [1, 7, 30, 64, 100] {
        let bounds = Bounds::new(chunk);
        let stream = Stream::new("test", io::Cursor::new(text.clone()));
        let (chunks, _) = drain(&mut Chunker::new(stream, bounds, Pool::new(2)));
        for chunks in [&chunks, &file_chunks(&text, bounds)] {
            let mut at = 0;
            for chunk in chunks {
                let (own, context) = (chunk.span(), chunk.offset as usize);
                assert_eq!(own.start, at, "a gap or an overlap");
                at = own.end;
                assert!(chunk.whole_lines && chunk.buffer.ends_with(b"\n"));
                assert_eq!(chunk.buffer[..], text[context..context + chunk.buffer.len()]);
                // Every record that it has a part of is there completely.
                let all = String::from_utf8_lossy(&chunk.buffer);
                let core = &all[chunk.start..chunk.end];
                let begins =
                    core.starts_with('{') || core.starts_with("first") || core.starts_with("last");
                assert!(begins || all[..chunk.start].contains('{'), "{chunk:?}");
                let ends = core.ends_with("}\n") || core.ends_with("t\n");
                assert!(ends || all[chunk.end..].contains('}'), "{chunk:?}");
            }
            assert_eq!(at as usize, text.len());
        }
    }
    let bounds = Bounds::new(10).with_records();
    let plain = b"Event[0]:\nA: b\nEvent[1]:\nA: b\n";
    let chunks = file_chunks(plain, bounds);
    assert!(chunks.len() > 1 && chunks.iter().all(|chunk| chunk.buffer == plain));
}

/// A record that arrives in parts in a live stream is passed on as a whole.
#[test]
fn a_live_stream_waits_for_what_goes_on() {
    let (reader, mut writer) = io::pipe().unwrap();
    let stream = Stream::new("-", reader).live();
    let held = |lines: &[u8]| match lines.ends_with(b"}\n") {
        true => lines.len(),
        false => memchr::memchr(b'{', lines).unwrap_or(lines.len()),
    };
    let mut chunker = Chunker::new(stream, Bounds::default(), Pool::new(2)).held_by(held);
    writer.write_all(b"one\n{\n  two\n").unwrap();
    assert_eq!(chunker.next_chunk().unwrap().unwrap().buffer, b"one\n");
    writer.write_all(b"}\n").unwrap();
    assert_eq!(chunker.next_chunk().unwrap().unwrap().buffer, b"{\n  two\n}\n");
    writer.write_all(b"{\n").unwrap();
    drop(writer);
    assert_eq!(chunker.next_chunk().unwrap().unwrap().buffer, b"{\n");
    assert!(chunker.next_chunk().unwrap().is_none());
}

#[test]
fn a_live_stream_hands_on_the_lines_that_have_come() {
    let (reader, mut writer) = io::pipe().unwrap();
    let stream = Stream::new("-", reader).live();
    let mut chunker = Chunker::new(stream, Bounds::default(), Pool::new(2));
    writer.write_all(b"one\ntwo\nthr").unwrap();
    let chunk = chunker.next_chunk().unwrap().unwrap();
    assert_eq!(chunk.buffer, b"one\ntwo\n");
    writer.write_all(b"ee\n").unwrap();
    assert_eq!(chunker.next_chunk().unwrap().unwrap().buffer, b"three\n");
    drop(writer);
    assert!(chunker.next_chunk().unwrap().is_none());
}

#[test]
fn buffers_are_used_again() {
    let text = b"0123456789abcde\n".repeat(4096);
    let pool = Pool::new(4);
    let bounds = Bounds::new(4096);
    let mut chunker = Chunker::new(Stream::new("t", io::Cursor::new(text)), bounds, pool.clone());
    let mut addresses = std::collections::HashSet::new();
    while let Some(chunk) = chunker.next_chunk().unwrap() {
        addresses.insert(chunk.buffer.as_ptr());
        pool.put(chunk.buffer);
    }
    assert!(addresses.len() <= 4, "{} buffers", addresses.len());
}

#[test]
fn a_file_that_shrinks_is_read_as_far_as_it_goes() {
    let text = b"0123456789abcde\n".repeat(100);
    let file = plain(&text);
    file.file().set_len(1000).unwrap();
    let chunks = FileChunks::new(file, Bounds::new(256));
    let read: u64 = (0..chunks.count())
        .filter_map(|k| chunks.read(k, Vec::new()).unwrap())
        .map(|chunk| chunk.span().end - chunk.span().start)
        .sum();
    assert_eq!(read, 1000);
    let error = chunks.finish().unwrap_err().to_string();
    assert!(error.contains("600 bytes are missing at byte 1000"), "{error}");
}

fn packed(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match packing {
        Packing::Gzip => {
            flate2::bufread::GzEncoder::new(bytes, flate2::Compression::fast())
                .read_to_end(&mut out)
                .unwrap();
        }
        Packing::Zlib => {
            flate2::bufread::ZlibEncoder::new(bytes, flate2::Compression::fast())
                .read_to_end(&mut out)
                .unwrap();
        }
        Packing::Zstd => out = zstd::stream::encode_all(bytes, 1).unwrap(),
        Packing::Bzip2 => {
            bzip2::bufread::BzEncoder::new(bytes, bzip2::Compression::fast())
                .read_to_end(&mut out)
                .unwrap();
        }
        Packing::Xz => {
            liblzma::bufread::XzEncoder::new(bytes, 0).read_to_end(&mut out).unwrap();
        }
        Packing::Lzma => {
            let options = liblzma::stream::LzmaOptions::new_preset(0).unwrap();
            let stream = liblzma::stream::Stream::new_lzma_encoder(&options).unwrap();
            liblzma::bufread::XzEncoder::new_stream(bytes, stream).read_to_end(&mut out).unwrap();
        }
        Packing::Lz4 => out = framed(bytes, true),
    }
    out
}

/// A frame of lz4, its blocks linked or not, with all checksums.
fn framed(bytes: &[u8], is_linked: bool) -> Vec<u8> {
    use xxhash_rust::xxh32::xxh32;
    let descriptor = [if is_linked { 0x54 } else { 0x74 }, 0x40];
    let mut out = b"\x04\x22\x4d\x18".to_vec();
    out.extend(descriptor);
    out.push((xxh32(&descriptor, 0) >> 8) as u8);
    for at in (0..bytes.len()).step_by(64 << 10) {
        let block = &bytes[at..bytes.len().min(at + (64 << 10))];
        let window = if is_linked { &bytes[at.saturating_sub(64 << 10)..at] } else { b"" };
        let packed = lz4_flex::block::compress_with_dict(block, window);
        let (size, data) = match packed.len() < block.len() {
            true => (packed.len() as u32, &packed[..]),
            false => (block.len() as u32 | 1 << 31, block),
        };
        out.extend(size.to_le_bytes());
        out.extend(data);
        out.extend(xxh32(data, 0).to_le_bytes());
    }
    out.extend([0; 4]);
    out.extend(xxh32(bytes, 0).to_le_bytes());
    out
}

const PACKINGS: [Packing; 7] = [
    Packing::Gzip,
    Packing::Zlib,
    Packing::Zstd,
    Packing::Bzip2,
    Packing::Xz,
    Packing::Lzma,
    Packing::Lz4,
];

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Files {
        Files(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    }
}

fn open(path: &Path) -> Input {
    Input::open(&Target::Path(path.to_path_buf())).unwrap()
}

/// All bytes in chunks, and the error after them.
fn read(input: Input) -> (Vec<u8>, Option<String>) {
    let Opened::Stream(stream) = input.into_opened() else { panic!("not a stream") };
    let mut chunker = Chunker::new(stream, Bounds::default(), Pool::new(2));
    let (chunks, error) = drain(&mut chunker);
    let own = chunks.iter().flat_map(|c| c.buffer[c.start..c.end].iter().copied());
    (own.collect(), error.map(|error| error.to_string()))
}

#[test]
fn archives_of_several_members() {
    let files = Files::new();
    for packing in PACKINGS {
        let mut bytes = packed(packing, b"first\n");
        if matches!(packing, Packing::Zstd | Packing::Lz4) {
            bytes.extend(b"\x51\x2a\x4d\x18\x05\0\0\0skip!");
        }
        bytes.extend(packed(packing, b"second, which is no line"));
        let input = open(&files.write("x", &bytes));
        assert_eq!(input.packings(), [packing]);
        assert_eq!(input.head(), b"first\nsecond, which is no line");
        assert_eq!(read(input), (b"first\nsecond, which is no line".to_vec(), None));
    }
    let mut skip_first = b"\x50\x2a\x4d\x18\x02\0\0\0hi".to_vec();
    skip_first.extend(packed(Packing::Zstd, b"text"));
    assert_eq!(open(&files.write("y", &skip_first)).head(), b"text");
}

#[test]
fn two_layers_of_compression_are_read_and_no_third() {
    let files = Files::new();
    let twice = packed(Packing::Xz, &packed(Packing::Gzip, b"\xd4\xc3\xb2\xa1 a capture"));
    let input = open(&files.write("x", &twice));
    assert_eq!(input.packings(), [Packing::Xz, Packing::Gzip]);
    assert_eq!(&input.head()[..4], b"\xd4\xc3\xb2\xa1");
    assert_eq!(input.read_all(1 << 20).unwrap(), b"\xd4\xc3\xb2\xa1 a capture");
    let thrice = open(&files.write("y", &packed(Packing::Gzip, &twice)));
    assert_eq!(thrice.packings(), [Packing::Gzip, Packing::Xz]);
    assert_eq!(Packing::of(thrice.head()), Some(Packing::Gzip));
    assert_eq!(thrice.contents(), Contents::Closed("data compressed too many times"));
}

#[test]
fn garbage_after_the_end_loses_nothing() {
    let files = Files::new();
    let text = noise(600_000);
    for packing in PACKINGS {
        for garbage in [&b"x\n"[..], b"garbage, and enough of it to be looked at as a header"] {
            let bytes = [&packed(packing, &text), garbage].concat();
            let (got, error) = read(open(&files.write("x", &bytes)));
            assert_eq!(got.len(), text.len(), "{packing}");
            assert!(error.is_some_and(|error| error.contains(packing.name())), "{packing}");
        }
    }
}

#[test]
fn frames_of_lz4() {
    let files = Files::new();
    let text = noise(300_000);
    let open = |bytes: &[u8]| read(open(&files.write("x", bytes)));
    assert_eq!(open(&framed(&text, false)), (text.clone(), None));
    assert_eq!(open(&framed(b"", true)), (Vec::new(), None));
    // The legacy format has neither checksums nor an end; another frame may follow.
    let mut old = b"\x02\x21\x4c\x18".to_vec();
    for _ in 0..2 {
        let block = lz4_flex::block::compress(&text);
        old.extend((block.len() as u32).to_le_bytes());
        old.extend(block);
    }
    let both = [&old[..], &old, &framed(&text, true)].concat();
    assert_eq!(open(&both), (text.repeat(5), None));
    // A file that is cut off between two blocks is incomplete.
    let mut cut = framed(&text, true);
    let first = u32::from_le_bytes(*cut[7..].first_chunk().unwrap()) as usize & 0x7fff_ffff;
    cut.truncate(7 + 4 + first + 4);
    let (got, error) = open(&cut);
    assert_eq!(got, text[..64 << 10]);
    assert!(error.unwrap().contains("lz4 data is incomplete"));
    for at in [6, 30, 40_000] {
        let mut bytes = framed(&text, true);
        bytes[at] ^= 1;
        assert!(open(&bytes).1.unwrap().contains("damaged lz4 data"), "{at}");
    }
}

#[test]
fn holes_are_not_read() {
    use std::os::unix::fs::FileExt;
    let len = 1 << 30;
    let file = tempfile::tempfile().unwrap();
    file.set_len(len).unwrap();
    for (at, line) in [(0, &b"first\n"[..]), (600_000_000, b"\nsecond\n"), (700_000_000, b"third")]
    {
        file.write_all_at(line, at).unwrap();
    }
    let file = PlainFile::new("test".into(), file, len).sparse(true);
    let chunks = FileChunks::new(file, Bounds::default());
    let (mut k, mut reads, mut found) = (0, 0, Vec::new());
    while k < chunks.count() {
        k = chunks.after_hole(k);
        if let Some(chunk) = chunks.read(k, Vec::new()).unwrap() {
            let own = &chunk.buffer[chunk.start..chunk.end];
            let at = own.iter().position(u8::is_ascii_alphabetic);
            found.extend(at.map(|at| chunk.offset + (chunk.start + at) as u64));
        }
        (k, reads) = (k + 1, reads + 1);
    }
    assert_eq!(found, [0, 600_000_001, 700_000_000]);
    assert!(reads < 64, "{reads} chunks of {} were read", chunks.count());
}

/// Opens a pipe with a writer.
fn piped(bytes: &[u8]) -> (Input, io::PipeWriter) {
    let (reader, mut writer) = io::pipe().unwrap();
    writer.write_all(bytes).unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&reader));
    (open(Path::new(&path)), writer)
}

#[test]
fn a_pipe_is_asked_for_a_line_and_no_more() {
    // Each of these would hang if it waited for more input.
    for (head, contents) in [
        (&b"x\n"[..], Contents::Text),
        (b"From: a@b.example\nTo: c@d.example\n\n", Contents::Mail),
        (b"\n\n", Contents::Text),
        (b"7z\xbc\xaf\x27\x1c\n", Contents::Closed("7z")),
    ] {
        let (input, writer) = piped(head);
        assert_eq!((input.head(), input.contents()), (head, contents));
        assert!(input.is_live());
        drop(writer);
    }
    let (input, _writer) = piped(b"\xff\xfea\0b\0\n\0");
    assert_eq!((input.head(), input.is_live()), (&b"ab\n"[..], true));
    assert_eq!(input.wide(), Some(Wide::Utf16Le));
    let (input, _writer) =
        piped(b"\xd4\xc3\xb2\xa1\x02\0\x04\0\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0");
    assert!(capture::is_capture(input.head()));
}

/// Text that doesn't compress to almost nothing.
fn noise(len: usize) -> Vec<u8> {
    let mut state = 1u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        b"0123456789abcdef\n"[(state >> 24) as usize % 17]
    };
    (0..len).map(|_| next()).collect()
}

#[test]
fn a_cut_archive_gives_what_it_has_and_then_the_error() {
    let files = Files::new();
    let text = noise(600_000);
    for packing in PACKINGS {
        let mut bytes = packed(packing, &text);
        bytes.truncate(bytes.len() * 9 / 10);
        let path = files.write("cut", &bytes);
        let (got, error) = read(open(&path));
        let error = error.unwrap_or_else(|| panic!("{packing}: no error"));
        let want = format!(
            "{}: cannot continue reading at byte {}: {packing} data is incomplete",
            path.display(),
            got.len()
        );
        assert_eq!(error, want);
        assert!(text.starts_with(&got), "{packing}: wrong bytes");
        assert!(got.len() > 200_000, "{packing}: only {} bytes", got.len());
        let whole = open(&path).read_all(1 << 30).unwrap_err().to_string();
        assert!(whole.contains("is incomplete"), "{whole}");
    }
}

#[test]
fn a_damaged_checksum_is_an_error_after_the_data() {
    let files = Files::new();
    let text = noise(100_000);
    let mut bytes = packed(Packing::Gzip, &text);
    let crc = bytes.len() - 8;
    bytes[crc] ^= 1;
    let (got, error) = read(open(&files.write("crc", &bytes)));
    assert_eq!(got, text);
    assert!(error.unwrap().contains("at byte 100000: damaged gzip data"));

    let mut trailing = packed(Packing::Gzip, b"text\n");
    trailing.extend(b"garbage after it");
    let (got, error) = read(open(&files.write("trailing", &trailing)));
    assert_eq!(got, b"text\n");
    assert!(error.unwrap().contains("damaged gzip data"));
}

#[test]
fn plain_files_are_seekable_and_what_is_empty_is_empty() {
    let files = Files::new();
    let input = open(&files.write("plain", &noise(1000)));
    assert_eq!(input.head(), noise(1000));
    assert_eq!(open(&files.write("long", &noise(9000))).head(), &noise(9000)[..HEAD]);
    assert!(input.packings().is_empty());
    let Opened::Seekable(file) = input.into_opened() else { panic!("not seekable") };
    assert_eq!(file.len(), 1000);
    let mut tail = [0; 20];
    assert_eq!(file.read_at(&mut tail, 990).unwrap(), 10);
    assert_eq!(tail[..10], noise(1000)[990..]);

    assert_eq!(read(open(&files.write("empty", b""))), (Vec::new(), None));
    let text = open(Path::new("/proc/self/status")).read_all(1 << 20).unwrap();
    assert!(text.starts_with(b"Name:"), "/proc says that its files are empty");
    let huge = open(&files.write("huge", &noise(1000))).read_all(999).unwrap_err();
    assert!(huge.to_string().ends_with("huge: more than 999 bytes"), "{huge}");
}

#[test]
fn what_cannot_be_opened_says_why() {
    let files = Files::new();
    let target = Target::Path(files.0.path().to_path_buf());
    let error = Input::open(&target).unwrap_err().to_string();
    assert!(error.contains("cannot read") && error.contains("directory"), "{error}");
    let gone = Target::Path(files.0.path().join("gone"));
    let error = Input::open(&gone).unwrap_err().to_string();
    assert!(error.contains("gone: cannot open: no such file"), "{error}");
}
