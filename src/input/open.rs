//! Opening an input, and finding out what it is.

use super::decode::Packing;
use super::expand::Target;
use super::file::PlainFile;
use crate::error::{Error, Result};
use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::fd::AsFd;
use std::path::Path;
use std::sync::Arc;

/// How many decompressed bytes [`Input::head`] shows at most.
pub const HEAD: usize = 64;

/// Enough to know every kind of input by. Whoever types into a terminal or pipes
/// a slow log in is not kept waiting for more.
const MAGIC: usize = 16;

/// Compression inside compression is seen through this often.
const MAX_PACKINGS: usize = 2;

/// An opened input whose first bytes are known.
#[derive(Debug)]
pub struct Input {
    path: Arc<str>,
    head: Vec<u8>,
    packings: Vec<Packing>,
    opened: Opened,
}

/// The bytes of an input.
#[derive(Debug)]
pub enum Opened {
    /// A plain file: many threads may read it, each where it likes.
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
    /// A stream from any reader; `path` is what errors and alerts call it.
    pub fn new(path: impl Into<Arc<str>>, reader: impl Read + Send + 'static) -> Stream {
        Stream { path: path.into(), is_live: false, reader: Box::new(reader) }
    }

    /// Says that somebody may be waiting for what is in the pipe now: whole lines
    /// are handed on as they come, and not when a block is full.
    #[must_use]
    pub fn live(mut self) -> Stream {
        self.is_live = true;
        self
    }

    /// What errors and alerts call it.
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
    /// Opens a target, looks through its compression and reads its first bytes.
    ///
    /// Compressed data that is damaged so early that there is no first byte is an
    /// input without bytes here; the error comes when it is read.
    ///
    /// # Errors
    ///
    /// With the path, when it cannot be opened or not be read at all.
    pub fn open(target: &Target) -> Result<Input> {
        match target {
            Target::Stdin => Self::open_stdin().map_err(|error| error.at_path("-")),
            Target::Path(path) => {
                let named = |what, error| Error::io(what, error).at_path(path);
                let file = File::open(path).map_err(|error| named("cannot open", error))?;
                Self::of_file(display(path), file).map_err(|error| named("cannot read", error))
            }
        }
    }

    fn open_stdin() -> Result<Input> {
        let refused = |error| Error::io("cannot read standard input", error);
        let owned = io::stdin().as_fd().try_clone_to_owned().map_err(refused)?;
        Self::of_file("-".into(), File::from(owned)).map_err(refused)
    }

    fn of_file(path: Arc<str>, mut file: File) -> io::Result<Input> {
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        // Files of /proc and /sys say that they are empty and are not. Standard
        // input may be a file that somebody has already read from.
        if metadata.is_file() && metadata.len() > 0 && file.stream_position()? == 0 {
            let file = PlainFile::new(Arc::clone(&path), file, metadata.len());
            let mut head = vec![0; HEAD];
            let filled = file.read_at(&mut head, 0)?;
            head.truncate(filled);
            return match Packing::of(&head) {
                None => {
                    Ok(Input { path, head, packings: Vec::new(), opened: Opened::Seekable(file) })
                }
                Some(_) => Self::of_stream(path, Box::new(file.into_file()), false),
            };
        }
        let is_live = !metadata.is_file();
        Self::of_stream(path, Box::new(file), is_live)
    }

    fn of_stream(
        path: Arc<str>,
        mut reader: Box<dyn Read + Send>,
        mut is_live: bool,
    ) -> io::Result<Input> {
        let mut packings = Vec::new();
        let head = loop {
            let (head, failed) = read_head(&mut reader, if is_live { MAGIC } else { HEAD });
            if failed.is_some() && packings.is_empty() && head.is_empty() {
                return Err(failed.unwrap_or(io::ErrorKind::Other.into()));
            }
            let then: Box<dyn Read + Send> = match failed {
                Some(error) => Box::new(Failing(Some(error))),
                None => reader,
            };
            reader = Box::new(io::Cursor::new(head.clone()).chain(then));
            match Packing::of(&head) {
                Some(packing) if packings.len() < MAX_PACKINGS => {
                    packings.push(packing);
                    is_live = false;
                    reader = packing.unpack(reader)?;
                }
                _ => break head,
            }
        };
        let stream = Stream { path: Arc::clone(&path), is_live, reader };
        Ok(Input { path, head, packings, opened: Opened::Stream(stream) })
    }

    /// What errors and alerts call it: the path as it was given, `-` for standard input.
    pub fn path(&self) -> &Arc<str> {
        &self.path
    }

    /// The first bytes, decompressed: [`HEAD`], or all that there are. From a live
    /// pipe it may be fewer, but always enough to know a magic number by.
    pub fn head(&self) -> &[u8] {
        &self.head
    }

    /// The compressions that were seen through, outermost first.
    pub fn packings(&self) -> &[Packing] {
        &self.packings
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
    /// When it has more than `limit` bytes, or cannot be read to its end.
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
            return Err(Error::io("cannot read", error)
                .at_path(&*path)
                .at_offset(bytes.len() as u64));
        }
        if bytes.len() as u64 > limit {
            return Err(Error::format(format!("more than {limit} bytes")).at_path(&*path));
        }
        Ok(bytes)
    }
}

/// What alerts call a path. Bytes that are no UTF-8 are replaced.
fn display(path: &Path) -> Arc<str> {
    path.to_string_lossy().into()
}

/// The first bytes, at least `enough` unless they end before, and the error that
/// came after them.
fn read_head(reader: &mut dyn Read, enough: usize) -> (Vec<u8>, Option<io::Error>) {
    let mut head = vec![0; HEAD];
    let mut filled = 0;
    let mut failed = None;
    while filled < enough {
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

/// An error that is due when the bytes before it have been read.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
