//! Opens an input, and detects its type.

use super::allowance::Allowance;
use super::contents::{Contents, ISO};
use super::decode::Packing;
use super::expand::Target;
use super::file::PlainFile;
use super::halt::Halting;
use super::path::display;
use super::wide::Wide;
use crate::engine::error::{Error, Result};
use crate::sensor::halt::Halt;
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;
use std::sync::Arc;

/// The maximum number of decompressed bytes that [`Input::head`] shows: mails are recognised by the
/// headers at their beginning.
pub const HEAD: usize = 4 << 10;

/// The maximum depth of nested archives. A zip that contains itself ends here.
pub const MAX_DEPTH: u8 = 4;

/// How many bytes of non-text to wait for at a live pipe.
const BINARY_HEAD: usize = 512;

/// The maximum number of nested compressions.
const MAX_PACKINGS: usize = 2;

/// The source of bytes.
type Source = Box<dyn Read + Send>;

/// An opened input whose first bytes are known.
#[derive(Debug)]
pub struct Input {
    pub(super) path: Arc<str>,
    head: Vec<u8>,
    packings: Vec<Packing>,
    wide: Option<Wide>,
    pub(super) contents: Contents,
    pub(super) opened: Opened,
    /// How many archives it is nested in.
    pub(super) depth: u8,
    pub(super) allowance: Allowance,
}

/// The bytes of an input.
#[derive(Debug)]
pub enum Opened {
    /// A plain file: many threads may read it, each at its own position.
    Seekable(PlainFile),
    /// A pipe, or compressed data: one reader from the first byte to the last.
    Stream(Stream),
}

/// Bytes that come one after the other, decompressed.
pub struct Stream {
    path: Arc<str>,
    is_live: bool,
    reader: Box<dyn Read + Send>,
}

impl Stream {
    /// A stream from any reader; `path` is its name in errors and alerts.
    pub fn new(path: impl Into<Arc<str>>, reader: impl Read + Send + 'static) -> Stream {
        Stream { path: path.into(), is_live: false, reader: Box::new(reader) }
    }

    /// Marks it as live: someone may be waiting for what is in the pipe now, so whole lines are
    /// passed on as they arrive, and not when a block is full.
    #[must_use]
    pub fn live(mut self) -> Stream {
        self.is_live = true;
        self
    }

    /// Its name in errors and alerts.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// Whether it is a pipe, a terminal or a device, uncompressed.
    pub fn is_live(&self) -> bool {
        self.is_live
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stream { path, is_live, reader: _ } = self;
        f.debug_struct("Stream").field("path", path).field("is_live", is_live).finish()
    }
}

impl Input {
    /// Opens a target, decompresses it and reads its first bytes.
    ///
    /// Compressed data that is damaged before its first byte is opened as an empty input; the error
    /// comes when it is read.
    ///
    /// # Errors
    ///
    /// With the path, if it cannot be opened or not be read at all.
    pub fn open(target: &Target) -> Result<Input> {
        Self::open_until(target, &Halt::default())
    }

    /// The same, for an input that ends when the halt is set, wherever a pipe is then.
    ///
    /// # Errors
    ///
    /// Those of [`Input::open`].
    pub fn open_until(target: &Target, halt: &Halt) -> Result<Input> {
        match target {
            Target::Stdin => Self::open_stdin(halt).map_err(|error| error.at_path("-")),
            Target::Path(path) => {
                let named = |what, error| Error::io(what, error).at_path(path);
                let file = open_file(path, halt).map_err(|error| named("open", error))?;
                Self::of_file(display(path), file, halt).map_err(|error| named("read", error))
            }
        }
    }

    /// Detects what a reader returns; `path` is its name in errors and alerts.
    ///
    /// # Errors
    ///
    /// If nothing at all can be read.
    pub fn of(path: &str, reader: impl Read + Send + 'static) -> Result<Input> {
        Self::of_stream(path.into(), Box::new(reader), false)
            .map_err(|error| Error::io("read", error).at_path(path))
    }

    fn open_stdin(halt: &Halt) -> Result<Input> {
        let refused = |error| Error::io("read standard input", error);
        let owned = io::stdin().as_fd().try_clone_to_owned().map_err(refused)?;
        Self::of_file("-".into(), File::from(owned), halt).map_err(refused)
    }

    fn of_file(path: Arc<str>, mut file: File, halt: &Halt) -> io::Result<Input> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // Files of /proc and /sys claim to be empty. Standard input may be a file that was already
        // read in part.
        if metadata.is_file() && metadata.len() > 0 && file.stream_position()? == 0 {
            let is_sparse = metadata.blocks() < metadata.len().div_ceil(512);
            let file = PlainFile::new(Arc::clone(&path), file, metadata.len()).sparse(is_sparse);
            let mut head = vec![0; HEAD];
            let filled = file.read_at(&mut head, 0)?;
            head.truncate(filled);
            let is_plain = Packing::of(&head).is_none() && Wide::of(&head).is_none();
            if !is_plain {
                return Self::of_stream(path, Box::new(file.into_file()), false);
            }
            let mut contents = Contents::of(&head);
            if is_program(&head) && super::archive::is_zip_at_end(&file)? {
                contents = Contents::Zip;
            }
            if contents == Contents::Binary && is_image(&file) {
                contents = Contents::Closed("iso");
            }
            let allowance = Allowance::default();
            allowance.earn(metadata.len());
            let opened = Opened::Seekable(file);
            let (packings, wide) = (Vec::new(), None);
            return Ok(Input { path, head, packings, wide, contents, opened, depth: 0, allowance });
        }
        if metadata.is_file() {
            return Self::of_stream(path, Box::new(file), false);
        }
        Self::of_stream(path, Box::new(Halting { file, halt: halt.clone() }), true)
    }

    /// The type of a stream.
    fn of_stream(path: Arc<str>, reader: Source, is_live: bool) -> io::Result<Input> {
        let allowance = Allowance::default();
        let reader = Box::new(allowance.credited(reader));
        Self::of_reader(path, reader, is_live, (0, allowance))
    }

    /// A member of an archive, at this nesting depth.
    pub(super) fn nested(
        path: Arc<str>,
        reader: Source,
        depth: u8,
        allowance: Allowance,
    ) -> io::Result<Input> {
        let reader = Box::new(allowance.charge(reader));
        Self::of_reader(path, reader, false, (depth, allowance))
    }

    fn of_reader(
        path: Arc<str>,
        mut reader: Source,
        mut is_live: bool,
        (depth, allowance): (u8, Allowance),
    ) -> io::Result<Input> {
        let (mut packings, mut wide) = (Vec::new(), None);
        let head = loop {
            let (head, failed) = read_head(&mut reader, is_live);
            if failed.is_some() && packings.is_empty() && head.is_empty() {
                return Err(failed.unwrap_or(io::ErrorKind::Other.into()));
            }
            let then: Source = match failed {
                Some(error) => Box::new(Failing(Some(error))),
                None => reader,
            };
            reader = Box::new(io::Cursor::new(head.clone()).chain(then));
            match (Packing::of(&head), Wide::of(&head)) {
                (Some(packing), _) if packings.len() < MAX_PACKINGS && wide.is_none() => {
                    packings.push(packing);
                    is_live = false;
                    reader = packing.unpack(reader)?;
                    if depth > 0 {
                        reader = Box::new(allowance.charge(reader));
                    }
                }
                (None, Some((found, mark))) if wide.is_none() => {
                    wide = Some(found);
                    reader.read_exact(&mut vec![0; mark])?;
                    reader = Box::new(found.decode(reader));
                }
                _ => break head,
            }
        };
        let contents = match Contents::of(&head) {
            Contents::Zip | Contents::Tar if depth >= MAX_DEPTH => {
                Contents::Closed("too deeply nested archive")
            }
            // Its attachments would be one level deeper, and not be searched.
            Contents::Mail if depth > MAX_DEPTH => Contents::Closed("too deeply nested mail"),
            _ if Packing::of(&head).is_some() => Contents::Closed("data compressed too many times"),
            contents => contents,
        };
        let opened = Opened::Stream(Stream { path: Arc::clone(&path), is_live, reader });
        Ok(Input { path, head, packings, wide, contents, opened, depth, allowance })
    }

    /// Its name in errors and alerts: the path as it was given, `-` for standard input.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// The first bytes, decompressed: [`HEAD`], or all if there are fewer. From a live pipe it may
    /// be fewer, but always enough to recognise a magic number.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The compressions that were decoded, outermost first.
    pub fn packings(&self) -> &[Packing] {
        &self.packings
    }

    /// The wide encoding that it is decoded from, if any.
    pub fn wide(&self) -> Option<Wide> {
        self.wide
    }

    /// Its type.
    pub fn contents(&self) -> Contents {
        self.contents
    }

    /// Whether it is a pipe, a terminal or a device, uncompressed.
    pub fn is_live(&self) -> bool {
        matches!(&self.opened, Opened::Stream(stream) if stream.is_live())
    }

    /// The bytes, from the first one.
    pub fn into_opened(self) -> Opened {
        self.opened
    }

    /// The whole input in memory, decompressed.
    ///
    /// # Errors
    ///
    /// If it has more than `limit` bytes, or cannot be read to its end.
    pub fn read_all(self, limit: u64) -> Result<Vec<u8>> {
        let path = Arc::clone(&self.path);
        let mut bytes = Vec::new();
        let read = match self.opened {
            Opened::Seekable(file) => {
                bytes.reserve_exact(usize::try_from(file.len().min(limit)).unwrap_or(0));
                file.into_file().take(limit.saturating_add(1)).read_to_end(&mut bytes)
            }
            Opened::Stream(stream) => stream.take(limit.saturating_add(1)).read_to_end(&mut bytes),
        };
        if let Err(error) = read {
            return Err(Error::io("read", error).at_path(&*path).at_offset(bytes.len() as u64));
        }
        if bytes.len() as u64 > limit {
            return Err(Error::format(format!("more than {limit} bytes")).at_path(&*path));
        }
        Ok(bytes)
    }
}

/// Opens a file. Opening a named pipe waits for a writer; if there may be a halt it is opened at
/// once, and reading waits.
fn open_file(path: &Path, halt: &Halt) -> io::Result<File> {
    let is_pipe = || std::fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo());
    if halt.is_possible() && is_pipe() {
        let mut options = File::options();
        return options.read(true).custom_flags(libc::O_NONBLOCK).open(path);
    }
    File::open(path)
}

/// Whether these are the first bytes of a program, which a self-extracting archive may follow: of
/// Windows, Linux, macOS, or a script.
fn is_program(head: &[u8]) -> bool {
    let magics: [&[u8]; 5] = [b"MZ", b"\x7fELF", b"#!", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe"];
    magics.iter().any(|magic| head.starts_with(magic))
}

/// Whether a file is a disc image, whose identifier is far from its beginning.
fn is_image(file: &PlainFile) -> bool {
    let (at, magic) = ISO;
    let mut there = [0; 5];
    file.read_at(&mut there, at).is_ok_and(|read| &there[..read] == magic)
}

/// The first bytes, and the error after them. On a terminal or a slow pipe, a whole line is enough,
/// so that nobody has to wait.
fn read_head(reader: &mut dyn Read, is_live: bool) -> (Vec<u8>, Option<io::Error>) {
    let mut head = vec![0; HEAD];
    let mut filled = 0;
    let mut failed = None;
    while filled < HEAD && !(is_live && is_enough(&head[..filled])) {
        match reader.read(&mut head[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => {
                failed = Some(error);
                break;
            }
        }
    }
    head.truncate(filled);
    (head, failed)
}

/// Whether these first bytes are enough: they contain a line, their type is known, or more of them
/// would not help.
fn is_enough(head: &[u8]) -> bool {
    // The one magic number that begins like an empty line, pcapng's.
    if head.len() < 4 && b"\n\r\r\n".starts_with(head) {
        return false;
    }
    if Packing::of(head).is_some() || super::capture::is_capture(head) {
        return true;
    }
    let has_line = memchr::memchr(b'\n', head).is_some();
    if memchr::memchr(0, head).is_none() || Wide::of(head).is_some() {
        return has_line;
    }
    head.len() >= BINARY_HEAD
}

/// An error that is returned when the bytes before it have been read.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
