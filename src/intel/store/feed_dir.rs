//! The folder of one feed.

use super::disk::{self, Durable, PART};
use super::index::{Document, Index};
use super::ledger::{Ledger, LedgerDir};
use super::normal::{HEADER, Normal, Segment};
use super::state::FeedState;
use crate::engine::indicator::Timestamp;
use crate::intel::feed::client;
use crate::{Error, Result};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write as _};
use std::path::{Path, PathBuf};

/// Up to this number, documents are synced one by one. Above it a single `syncfs`
/// for the whole file system is faster.
const FEW: usize = 16;

/// The size limit for reading an index or a state.
const MAX_SMALL: u64 = 256 << 20;

/// The stored data of one feed.
#[derive(Clone, Debug)]
pub struct FeedDir {
    folder: PathBuf,
    /// Where to find documents that are not in this folder, if it is the shadow of
    /// another.
    original: Option<PathBuf>,
}

impl FeedDir {
    pub(super) fn at(folder: PathBuf) -> FeedDir {
        FeedDir { folder, original: None }
    }

    /// Makes a shadow: a copy with the same contents whose changes go to another
    /// folder.
    ///
    /// # Errors
    ///
    /// That folder cannot be written.
    pub fn shadow(&self, folder: &Path) -> Result<FeedDir> {
        disk::make_folder(folder)?;
        for name in ["index.json", "accepted.normal", "held.normal", "state.json"] {
            if let Some(bytes) = disk::read(&self.folder.join(name))? {
                disk::replace(&folder.join(name), &bytes, Durable::NotYet)?;
            }
        }
        Ok(FeedDir { folder: folder.to_path_buf(), original: Some(self.folder.clone()) })
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The state of the feed. An unreadable file counts as empty: nothing depends
    /// on it.
    pub fn state(&self) -> FeedState {
        let bytes = disk::read(&self.folder.join("state.json")).ok().flatten();
        bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Writes the state of the feed.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn set_state(&self, state: &FeedState) -> Result<()> {
        disk::make_folder(&self.folder)?;
        let mut bytes = serde_json::to_vec_pretty(state)
            .map_err(|e| Error::io("write the state", e.into()).at_path(&self.folder))?;
        bytes.push(b'\n');
        disk::replace(&self.folder.join("state.json"), &bytes, Durable::NotYet)
    }

    /// The documents of the feed.
    ///
    /// # Errors
    ///
    /// The index is damaged.
    pub fn index(&self) -> Result<Index> {
        let path = self.folder.join("index.json");
        if fs::metadata(&path).is_ok_and(|m| m.len() > MAX_SMALL) {
            return Err(
                Error::format("the index is too large: wiresift did not write it").at_path(path)
            );
        }
        match disk::read(&path)? {
            Some(bytes) => Index::parse(&bytes).map_err(|e| e.at_path(path)),
            None => Ok(Index::default()),
        }
    }

    /// Reads a document as sent.
    ///
    /// # Errors
    ///
    /// It cannot be read, or does not match the index.
    pub fn document(&self, document: &Document) -> Result<Vec<u8>> {
        let path = self.folder.join("documents").join(&document.file);
        let other = self.original.as_ref().map(|o| o.join("documents").join(&document.file));
        let bytes = match (disk::read(&path)?, other) {
            (Some(bytes), _) => Some(bytes),
            (None, Some(other)) => disk::read(&other)?,
            (None, None) => None,
        };
        let bytes = bytes.filter(|b| Document::new("", b, Timestamp(0)).hash == document.hash);
        bytes.ok_or_else(|| {
            Error::format("the document is missing, or was modified by something else")
                .at_path(path)
                .remedy("remove index.json next to it, and the feed is fetched again")
        })
    }

    /// Starts changing the documents.
    ///
    /// # Errors
    ///
    /// The index is damaged or the folder cannot be written.
    pub fn writer(&self, now: Timestamp) -> Result<DocumentWriter> {
        let documents = self.folder.join("documents");
        disk::make_folder(&documents)?;
        let index = self.index()?;
        Ok(DocumentWriter {
            feed_dir: self.clone(),
            documents,
            index,
            now,
            unsynced: Vec::new(),
            kept: 0,
        })
    }

    fn normal(&self, name: &str, whole: bool) -> Option<Normal> {
        let mut file = File::open(self.folder.join(name)).ok()?;
        let mut bytes = vec![0; HEADER];
        file.read_exact(&mut bytes).ok()?;
        let length = file.metadata().ok()?.len();
        let end = Normal::table_end(&bytes)?;
        let rest = if whole { length } else { end as u64 }.checked_sub(HEADER as u64)?;
        if end as u64 > length {
            return None;
        }
        bytes.reserve_exact(usize::try_from(rest).ok()?);
        file.take(rest).read_to_end(&mut bytes).ok()?;
        Normal::parse(&bytes, whole).ok()
    }

    /// The accepted indicators, without payloads. `None` if there are none or the
    /// file is damaged; then it must be rebuilt.
    pub fn accepted_table(&self) -> Option<Normal> {
        self.normal("accepted.normal", false)
    }

    /// The accepted indicators.
    pub fn accepted(&self) -> Option<Normal> {
        self.normal("accepted.normal", true)
    }

    /// The held indicators, without payloads.
    pub fn held_table(&self) -> Option<Normal> {
        self.normal("held.normal", false)
    }

    /// The held indicators.
    pub fn held(&self) -> Option<Normal> {
        self.normal("held.normal", true)
    }

    /// Writes the accepted indicators.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn accept(&self, reading: u64, segments: &[Piece<'_>]) -> Result<()> {
        self.write("accepted.normal", reading, segments)?;
        self.drop_held()
    }

    /// Writes the held indicators.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn hold(&self, reading: u64, segments: &[Piece<'_>]) -> Result<()> {
        self.write("held.normal", reading, segments)
    }

    /// Accepts the held indicators.
    ///
    /// # Errors
    ///
    /// There are none, or the folder cannot be written.
    pub fn accept_held(&self) -> Result<()> {
        disk::put_over(&self.folder.join("held.normal"), &self.folder.join("accepted.normal"))
    }

    /// Deletes the held indicators.
    ///
    /// # Errors
    ///
    /// The folder cannot be written.
    pub fn drop_held(&self) -> Result<()> {
        let path = self.folder.join("held.normal");
        match fs::remove_file(&path) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", e).at_path(path))
            }
            _ => Ok(()),
        }
    }

    fn write(&self, name: &str, reading: u64, segments: &[Piece<'_>]) -> Result<()> {
        disk::make_folder(&self.folder)?;
        let segments: Vec<_> = segments.iter().map(|piece| (piece.0, piece.1)).collect();
        let (head, payloads) = Normal::lay_out(reading, &segments);
        let path = self.folder.join(name);
        let write = || {
            let part = tempfile::Builder::new().prefix(PART).tempfile_in(&self.folder)?;
            disk::hand_over(part.as_file(), part.path())?;
            let mut out = BufWriter::with_capacity(1 << 20, part.as_file());
            out.write_all(&head)?;
            payloads.iter().try_for_each(|payload| out.write_all(payload))?;
            out.flush()?;
            drop(out);
            // Not synced: it can be rebuilt from the documents, and its checksums
            // reveal when it must be.
            part.persist(&path).map(drop).map_err(|e| e.error)
        };
        write().map_err(|e: std::io::Error| Error::io("write", e).at_path(&path))
    }

    /// The folder of the feed's ledger.
    pub fn ledger(&self) -> LedgerDir {
        LedgerDir::of_feed(&self.folder)
    }

    /// Opens the feed's ledger for reading; `None` if there is none yet.
    ///
    /// # Errors
    ///
    /// It cannot be read, or is damaged.
    pub fn open_ledger(&self) -> Result<Option<Ledger>> {
        let state = self.state();
        // What waits to be confirmed is not in the ledger, and is what the feed had last.
        self.ledger().open(state.last_success.filter(|_| state.held.is_none()))
    }

    /// Deletes files that the index does not mention, and unfinished ones.
    pub fn tidy(&self, index: &Index) {
        let mut wanted: HashSet<String> =
            index.documents.values().map(|document| document.file.clone()).collect();
        for normal in [self.accepted_table(), self.held_table()].into_iter().flatten() {
            wanted.extend(normal.segments().map(|s| super::index::file_name(&s.name, s.hash)));
        }
        for (folder, is_of_documents) in
            [(self.folder.clone(), false), (self.folder.join("documents"), true)]
        {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for entry in entries.flatten() {
                let name = entry.file_name();
                let name = name.to_string_lossy();
                if name.starts_with(PART) || is_of_documents && !wanted.contains(&*name) {
                    // What cannot be deleted now is deleted next time.
                    let _ = fs::remove_file(entry.path());
                }
            }
        }
    }

    /// Deletes everything.
    ///
    /// # Errors
    ///
    /// Something cannot be deleted.
    pub fn remove(&self) -> Result<()> {
        match fs::remove_dir_all(&self.folder) {
            Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("remove", e).at_path(&self.folder))
            }
            _ => Ok(()),
        }
    }
}

/// A segment to write, new or from another file, with its payload.
#[derive(Clone, Copy, Debug)]
pub struct Piece<'s>(&'s Segment, &'s [u8]);

impl<'s> Piece<'s> {
    /// Wraps a segment that was just built.
    pub fn new(segment: &'s Segment) -> Piece<'s> {
        Piece(segment, segment.payload())
    }

    /// Finds the segment of a document with these contents in another file.
    pub fn of(normal: &'s Normal, name: &str, hash: u128) -> Option<Piece<'s>> {
        normal.find(name, hash).map(|(segment, payload)| Piece(segment, payload))
    }

    /// Finds the segment of a document in another file, whatever its contents.
    pub fn former(normal: &'s Normal, name: &str) -> Option<Piece<'s>> {
        normal.find_name(name).map(|(segment, payload)| Piece(segment, payload))
    }

    /// The segment.
    pub fn segment(&self) -> &'s Segment {
        self.0
    }
}

impl client::DocumentStore for DocumentWriter {
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        DocumentWriter::put(self, name, bytes)
    }

    fn remove(&mut self, name: &str) -> Result<()> {
        DocumentWriter::remove(self, name);
        Ok(())
    }

    fn names(&self) -> Result<Vec<String>> {
        Ok(self.index.documents.keys().cloned().collect())
    }

    fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        DocumentWriter::get(self, name)
    }

    fn cursor(&self) -> Option<&str> {
        self.index.cursor.as_deref()
    }

    fn set_cursor(&mut self, cursor: &str) -> Result<()> {
        DocumentWriter::set_cursor(self, Some(cursor))
    }
}

/// Changes to the documents of a feed. They take effect with
/// [`DocumentWriter::set_cursor`].
#[derive(Debug)]
pub struct DocumentWriter {
    feed_dir: FeedDir,
    documents: PathBuf,
    index: Index,
    now: Timestamp,
    unsynced: Vec<PathBuf>,
    kept: u64,
}

impl DocumentWriter {
    /// The documents, including the changes so far.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// The number of documents added, replaced or removed.
    pub fn changes(&self) -> u64 {
        self.kept
    }

    /// Writes a document, replacing the one with the same name.
    ///
    /// # Errors
    ///
    /// It cannot be written.
    pub fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()> {
        let document = Document::new(name, bytes, self.now);
        if self.index.documents.get(name).is_some_and(|old| old.hash == document.hash) {
            return Ok(());
        }
        let path = self.documents.join(&document.file);
        disk::replace(&path, bytes, Durable::NotYet)?;
        self.unsynced.push(path);
        self.index.documents.insert(name.to_string(), document);
        self.kept += 1;
        Ok(())
    }

    /// Removes a document from the index.
    pub fn remove(&mut self, name: &str) {
        self.kept += u64::from(self.index.documents.remove(name).is_some());
    }

    /// Reads a document by name.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub fn get(&self, name: &str) -> Result<Option<Vec<u8>>> {
        self.index.documents.get(name).map(|document| self.feed_dir.document(document)).transpose()
    }

    /// Stores the position of the walk, and makes all changes so far durable.
    ///
    /// # Errors
    ///
    /// The disk is full or failing.
    pub fn set_cursor(&mut self, cursor: Option<&str>) -> Result<()> {
        self.index.cursor = cursor.map(str::to_string);
        self.sync()?;
        disk::replace(
            &self.feed_dir.folder.join("index.json"),
            &self.index.to_bytes(),
            Durable::Yes,
        )
    }

    fn sync(&mut self) -> Result<()> {
        let fail = |e: std::io::Error| Error::io("sync", e).at_path(&self.documents);
        if self.unsynced.len() <= FEW {
            for path in &self.unsynced {
                File::open(path).and_then(|file| file.sync_all()).map_err(fail)?;
            }
            disk::sync_folder(&self.documents);
        } else {
            let folder = File::open(&self.documents).map_err(fail)?;
            rustix::fs::syncfs(&folder).map_err(|e| fail(e.into()))?;
        }
        self.unsynced.clear();
        Ok(())
    }

    /// The documents by name.
    pub fn documents(&self) -> &BTreeMap<String, Document> {
        &self.index.documents
    }
}
