//! Reads local files and folders as feeds.

use super::settle::{keep_one, read};
use crate::engine::indicator::Timestamp;
use crate::intel::config::Subscription;
use crate::intel::store::{Document, FeedDir};
use crate::{Error, Result};
use std::fs::{self, File, Metadata};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use walkdir::WalkDir;
use xxhash_rust::xxh3::Xxh3Default;

/// Takes a file, or all files below a folder, as documents.
pub(super) fn fetch(
    feed: &Subscription,
    path: &Path,
    feed_dir: &FeedDir,
    now: Timestamp,
) -> Result<Vec<Error>> {
    let metadata = fs::metadata(path).map_err(|e| Error::io("open", e).at_path(path))?;
    if metadata.is_dir() {
        return fetch_folder(feed, path, feed_dir, now);
    }
    let cursor = format!("file {}", identity(&metadata));
    if feed_dir.index()?.cursor.as_deref() == Some(&cursor) {
        return Ok(Vec::new());
    }
    let bytes = read_file(path, feed.max_size)?;
    let kept = keep_one(feed, feed_dir, now, &bytes, Some(&cursor));
    kept.map(|()| Vec::new()).map_err(|e| e.at_path(path))
}

/// What changes when a file is modified or replaced: inode, length and times.
fn identity(metadata: &Metadata) -> String {
    let (seconds, rest) = (metadata.mtime(), metadata.mtime_nsec());
    let changed = (metadata.ctime(), metadata.ctime_nsec());
    format!(
        "{} {} {seconds}.{rest:09} {}.{:09}",
        metadata.ino(),
        metadata.len(),
        changed.0,
        changed.1
    )
}

/// When the file was last modified, according to the cursor of a single one.
pub(super) fn published(cursor: &str) -> Option<Timestamp> {
    let modified = cursor.strip_prefix("file ")?.split(' ').nth(2)?;
    let seconds = modified.split('.').next()?.parse().ok()?;
    Some(Timestamp::from_seconds(seconds))
}

/// Reads a file up to a size limit.
fn read_file(path: &Path, max_size: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|e| Error::io("open", e).at_path(path))?;
    let read = file.take(max_size.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|e| Error::io("read", e).at_path(path))?;
    if bytes.len() as u64 > max_size {
        return Err(Error::format(format!("it is longer than {max_size} bytes"))
            .at_path(path)
            .remedy("raise the feed's max_size if it is meant to be that large"));
    }
    Ok(bytes)
}

/// Takes each file as a document, named by its path in the folder. If one cannot be
/// read, its previous version stays.
fn fetch_folder(
    feed: &Subscription,
    path: &Path,
    feed_dir: &FeedDir,
    now: Timestamp,
) -> Result<Vec<Error>> {
    let mut files = Vec::new();
    let mut names = Xxh3Default::new();
    let visible = |entry: &walkdir::DirEntry| {
        entry.depth() == 0 || !entry.file_name().as_encoded_bytes().starts_with(b".")
    };
    for entry in WalkDir::new(path).sort_by_file_name().into_iter().filter_entry(visible) {
        let fail = |e: walkdir::Error| Error::io("read the folder", e.into()).at_path(path);
        let entry = entry.map_err(fail)?;
        let is_feed = entry.depth() == 0 || !crate::intel::feed::is_no_feed(entry.file_name());
        if entry.file_type().is_file() && is_feed {
            let name = entry.path().strip_prefix(path).unwrap_or(entry.path());
            let name = name.to_string_lossy().into_owned();
            let metadata = entry.metadata().map_err(fail)?;
            names.update(format!("{name}\n{}\n", identity(&metadata)).as_bytes());
            files.push((name, entry.into_path()));
        }
    }
    if files.is_empty() {
        return Err(Error::format("the folder contains no files")
            .at_path(path)
            .remedy("hidden files are skipped; disable or remove the feed if it has ended"));
    }
    let cursor = format!("folder {:032x}", names.digest128());
    let mut writer = feed_dir.writer(now)?;
    if writer.index().cursor.as_deref() == Some(&cursor) {
        return Ok(Vec::new());
    }
    let mut failed = Vec::new();
    for (name, file) in &files {
        let bytes = read_file(file, feed.max_size)?;
        let document = Document::new(name, &bytes, now);
        if writer.documents().get(name).is_some_and(|known| known.hash == document.hash) {
            continue;
        }
        match read(feed, name, &document, &bytes) {
            Ok(_) => writer.put(name, &bytes)?,
            Err(error) => failed.push(error.at_path(file)),
        }
    }
    let gone: Vec<String> = writer.documents().keys().cloned().collect();
    for name in gone.iter().filter(|name| !files.iter().any(|(file, _)| file == *name)) {
        writer.remove(name);
    }
    // Without the cursor, the files that could not be read are tried again.
    writer.set_cursor(Some(&*cursor).filter(|_| failed.is_empty()))?;
    if writer.documents().is_empty()
        && let Some(error) = failed.pop()
    {
        return Err(error);
    }
    Ok(failed)
}
