//! Files.

use super::Sink;
use super::buffered::Buffered;
use crate::{Error, Result};
use std::fs::{File, OpenOptions};
use std::path::Path;

/// Writes alerts to a file.
pub struct FileSink(Buffered<File>);

impl FileSink {
    /// Goes on at the end of the file, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// When the file can't be opened for writing.
    pub fn append(path: impl AsRef<Path>) -> Result<Self> {
        Self::open(path.as_ref(), OpenOptions::new().append(true).create(true))
    }

    /// Begins anew: what the file held is lost.
    ///
    /// # Errors
    ///
    /// When the file can't be opened for writing.
    pub fn create(path: impl AsRef<Path>) -> Result<Self> {
        Self::open(path.as_ref(), OpenOptions::new().write(true).create(true).truncate(true))
    }

    fn open(path: &Path, options: &OpenOptions) -> Result<Self> {
        let file = options.open(path).map_err(|e| Error::io("open for alerts", e).at_path(path))?;
        Ok(FileSink(Buffered::new(file, path.to_path_buf())))
    }
}

impl Sink for FileSink {
    fn write(&mut self, records: &[u8]) -> Result<()> {
        self.0.write(records)
    }

    fn flush(&mut self) -> Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn appends_and_creates() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("alerts");
        for record in [b"one\n", b"two\n"] {
            let mut sink = FileSink::append(&path).unwrap();
            sink.write(record).unwrap();
            sink.flush().unwrap();
        }
        assert_eq!(std::fs::read(&path).unwrap(), b"one\ntwo\n");
        FileSink::create(&path).unwrap().write(b"three\n").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"three\n", "dropping flushes");
    }

    #[test]
    fn a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let Err(error) = FileSink::append(folder.path()) else { panic!("opened a folder") };
        assert!(error.to_string().contains(&*folder.path().to_string_lossy()), "{error}");
    }
}
