//! From paths to bytes: files, folders, MISP feed folders, streams.

use crate::engine::error::{Error, Result, name_text};
use crate::intel::feed::{Format, Options, Sink, Summary, inflate, json, read};
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// The first bytes of a compiled database. It is not a feed, but is often next to
/// them.
pub(super) const DATABASE: &[u8; 8] = b"\x89wsdb\r\n\n";

/// Limits for reading a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a file after decompression.
    pub max_len: u64,
}

impl Default for Limits {
    /// Four gibibytes.
    fn default() -> Self {
        Limits { max_len: 4 << 30 }
    }
}

/// The result for one file.
#[derive(Debug)]
pub struct FileReport {
    /// The file.
    pub path: PathBuf,
    /// What it contained, or why it could not be read. The error names the path.
    pub outcome: Result<Summary>,
}

/// Reads a file, or every file below a folder. A bad file does not stop the others.
///
/// In a folder, hidden files and folders are skipped, and files are read in the
/// order of their names. A folder with a `manifest.json` is a MISP feed: only the
/// files in its manifest are read.
pub fn open(
    path: &Path,
    options: &Options,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Vec<FileReport> {
    if !path.is_dir() {
        return vec![file(path, options, limits, sink)];
    }
    let mut walk = Walk { options, limits, sink, reports: Vec::new() };
    walk.folder(path);
    let mut reports = walk.reports;
    if reports.is_empty() {
        let outcome = Err(Error::format("the folder contains no files")
            .at_path(path)
            .remedy("hidden files are skipped; to read one, name the file itself"));
        reports.push(FileReport { path: path.to_path_buf(), outcome });
    }
    reports
}

/// Reads a stream to its end, such as standard input or an HTTP answer.
///
/// # Errors
///
/// Like [`read()`]; also if the stream cannot be read or is too long.
pub fn read_stream(
    stream: &mut dyn Read,
    options: &Options,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<Summary> {
    let mut bytes = Vec::new();
    stream
        .take(limits.max_len.saturating_add(1))
        .read_to_end(&mut bytes)
        .map_err(|error| Error::io("read", error))?;
    if bytes.len() as u64 > limits.max_len {
        return Err(Error::format(format!("it is longer than {} bytes", limits.max_len)).remedy(
            "raise max_size in wiresift.toml if it is meant to be that large, or split it",
        ));
    }
    let bytes = inflate(&bytes, limits.max_len)?;
    read(&bytes, options, sink)
}

/// Reads a file. Its name becomes the feed's, unless the options name one.
fn file(path: &Path, options: &Options, limits: &Limits, sink: &mut dyn Sink) -> FileReport {
    let named;
    let options = if options.feed.is_empty() {
        named = Options { feed: name_of(path), ..options.clone() };
        &named
    } else {
        options
    };
    sink.file(path, &options.feed);
    let outcome = std::fs::File::open(path)
        .map_err(|error| Error::io("open", error))
        .and_then(|mut file| read_stream(&mut file, options, limits, sink))
        .map_err(|error| error.at_path(path));
    FileReport { path: path.to_path_buf(), outcome }
}

/// The default name of a feed: the name of its file without extensions of
/// compression and format.
pub fn name_of(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let mut name = &*name;
    for end in [
        ".gz", ".zst", ".bz2", ".xz", ".txt", ".csv", ".tsv", ".json", ".jsonl", ".ndjson",
        ".stix2", ".netset", ".ipset", ".list",
    ] {
        name = name.strip_suffix(end).filter(|rest| !rest.is_empty()).unwrap_or(name);
    }
    name.to_string()
}

/// Whether a file is hidden, as on Unix.
fn is_hidden(name: &OsStr) -> bool {
    name.as_encoded_bytes().first() == Some(&b'.')
}

/// A walk through a folder of feeds.
struct Walk<'w> {
    options: &'w Options,
    limits: &'w Limits,
    sink: &'w mut dyn Sink,
    reports: Vec<FileReport>,
}

impl Walk<'_> {
    /// Reads the files of a folder and its subfolders, in the order of their names, so
    /// that the outcome does not depend on the file system. Symbolic links are
    /// followed; a loop is an error of that entry.
    fn folder(&mut self, path: &Path) {
        let mut passed = Vec::new();
        let mut walk = WalkDir::new(path).follow_links(true).sort_by_file_name().into_iter();
        while let Some(entry) = walk.next() {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.failed(path, error);
                    continue;
                }
            };
            if entry.depth() > 0 && is_hidden(entry.file_name()) {
                if entry.file_type().is_dir() {
                    walk.skip_current_dir();
                }
            } else if entry.file_type().is_dir() {
                let manifest = entry.path().join("manifest.json");
                if manifest.is_file() {
                    walk.skip_current_dir();
                    self.misp_feed(entry.path(), &manifest);
                }
            } else if entry.file_type().is_file() {
                let below = entry.path().strip_prefix(path).unwrap_or(entry.path());
                if self.options.excludes(below) {
                    continue;
                }
                if is_no_feed(entry.file_name()) || is_database(entry.path()) {
                    passed.push(name_text(below.as_os_str().as_encoded_bytes()).into_owned());
                } else {
                    self.reports.push(file(entry.path(), self.options, self.limits, self.sink));
                }
            }
        }
        if !passed.is_empty() {
            self.sink.passed_over(path, &passed);
        }
    }

    fn failed(&mut self, path: &Path, error: walkdir::Error) {
        let path = error.path().unwrap_or(path).to_path_buf();
        let cause = error
            .into_io_error()
            .unwrap_or_else(|| std::io::Error::other("its symbolic links form a loop"));
        let outcome = Err(Error::io("read the folder", cause).at_path(&path));
        self.reports.push(FileReport { path, outcome });
    }

    /// Reads the events in the manifest of a MISP feed. Other files have left the feed,
    /// and `hashes.csv` only repeats values of the events.
    fn misp_feed(&mut self, path: &Path, manifest: &Path) {
        let mut options = self.options.clone();
        options.format = Some(options.format.unwrap_or(Format::Misp));
        if options.feed.is_empty() {
            options.feed = name_of(path);
        }
        let mut ids = match listed(manifest, self.limits) {
            Ok(ids) => ids,
            Err(error) => {
                let outcome = Err(error.at_path(manifest));
                self.reports.push(FileReport { path: manifest.to_path_buf(), outcome });
                return;
            }
        };
        ids.sort_unstable();
        for id in ids {
            let path = path.join(format!("{id}.json"));
            self.reports.push(file(&path, &options, self.limits, self.sink));
        }
    }
}

/// Whether a file in a folder is not a feed, by its name: every clone of a
/// collection contains descriptions, licences and build files next to the lists.
pub(crate) fn is_no_feed(name: &OsStr) -> bool {
    const STEMS: &[&str] = &[
        "license",
        "licence",
        "copying",
        "copyright",
        "readme",
        "changelog",
        "changes",
        "history",
        "news",
        "contributing",
        "contributors",
        "authors",
        "maintainers",
        "notice",
        "security",
        "code_of_conduct",
        "codeowners",
        "makefile",
        "dockerfile",
        "unlicense",
    ];
    const ENDS: &[&str] =
        &["md", "rst", "adoc", "markdown", "sh", "py", "yml", "yaml", "license", "wsdb"];
    let name = name.to_string_lossy().to_ascii_lowercase();
    let stem = name.split(['.', '-']).next().unwrap_or(&name);
    let end = name.rsplit_once('.').map_or("", |(_, end)| end);
    let is_text = matches!(end, "" | "txt" | "html" | "mit" | "apache" | "bsd" | "gpl");
    // `readme.csv` would be a list of that name.
    STEMS.contains(&stem) && (is_text || stem.len() == name.len() || ENDS.contains(&end))
        || ENDS.contains(&end)
        || STEMS.contains(&stem) && !name.contains('.')
}

/// Whether a file is a compiled database, whatever its name.
fn is_database(path: &Path) -> bool {
    let mut head = [0; DATABASE.len()];
    let read = std::fs::File::open(path).and_then(|mut file| file.read_exact(&mut head));
    read.is_ok() && head == *DATABASE
}

/// The events that a manifest lists.
fn listed(manifest: &Path, limits: &Limits) -> Result<Vec<String>> {
    let bytes = std::fs::read(manifest).map_err(|error| Error::io("read", error))?;
    let bytes = inflate(&bytes, limits.max_len)?;
    let serde_json::Value::Object(entries) = json::parse(&String::from_utf8_lossy(&bytes))? else {
        return Err(Error::format("the manifest is not an object keyed by event identifiers")
            .remedy("remove manifest.json to have the folder read file by file"));
    };
    // A slash in a name could lead out of the folder.
    let safe = |id: &String| id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    Ok(entries.into_iter().map(|(id, _)| id).filter(safe).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intel::feed::Collected;

    #[test]
    fn folders_and_manifests() {
        let dir = tempfile::tempdir().unwrap();
        let put = |name: &str, text: &str| {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        put("b/list.txt", "evil.example\nbad.example\n");
        put("b/.hidden", "hidden.example\n");
        put("a.html", "<html></html>");
        put("LICENSE", "It is free.\n");
        put("b/current.wsdb", "whatever");
        std::fs::write(dir.path().join("b/old"), [&DATABASE[..], b"\0\0"].concat()).unwrap();
        put("b/README.md", "# Lists\n");
        put("feed/manifest.json", r#"{"11-aa":{"info":"x"},"22-bb":{}}"#);
        put("feed/hashes.csv", "0123456789abcdef0123456789abcdef,11-aa\n");
        put("feed/left.json", "{}");
        put(
            "feed/11-aa.json",
            r#"{"Event":{"uuid":"11-aa","info":"x","Attribute":[
               {"type":"domain","value":"misp.example","to_ids":true}]}}"#,
        );
        let mut got = Collected::default();
        let reports = open(dir.path(), &Options::default(), &Limits::default(), &mut got);
        assert_eq!(got.values(), ["evil.example", "bad.example", "misp.example"]);
        let excluding = |pattern: &str| {
            let mut got = Collected::default();
            let exclude = vec![glob::Pattern::new(pattern).unwrap()];
            let options = Options { exclude, ..Options::default() };
            open(dir.path(), &options, &Limits::default(), &mut got).len()
        };
        assert_eq!(reports.len(), excluding("none"));
        for (pattern, fewer) in [("a.html", 1), ("*.html", 1), ("b/*", 1), ("list.txt", 1)] {
            assert_eq!(excluding(pattern), reports.len() - fewer, "{pattern}");
        }
        let feeds: Vec<_> = got.indicators.iter().map(|i| &*i.context.feed).collect();
        assert_eq!(feeds, ["list", "list", "feed"]);
        let failed: Vec<_> = reports
            .iter()
            .filter_map(|r| r.outcome.as_ref().err())
            .map(|e| e.to_string())
            .collect();
        assert_eq!(failed.len(), 2, "{failed:?}");
        assert!(failed[0].contains("a.html: this is an HTML page"), "{failed:?}");
        assert!(failed[1].contains("22-bb.json: cannot open: "), "{failed:?}");
    }

    #[test]
    fn descriptions_of_lists_are_not_indicators() {
        for name in [
            "LICENSE",
            "LICENSE.txt",
            "LICENSE-MIT",
            "README",
            "Readme.adoc",
            "COPYING",
            "x.md",
            "KADhosts.LICENSE",
            "CHANGELOG.md",
            "update.py",
            "CODE_OF_CONDUCT.md",
            "iocs.wsdb",
        ] {
            assert!(is_no_feed(name.as_ref()), "{name}");
        }
        for name in [
            "list.txt",
            "wsdb",
            "iocs.wsdb.txt",
            "readme.csv",
            "news.json",
            "x.sha256",
            "hosts",
            "security.csv",
            "md",
            "license-plates.csv",
            "notice.csv.gz",
        ] {
            assert!(!is_no_feed(name.as_ref()), "{name}");
        }
    }

    #[test]
    fn a_stream_is_capped() {
        let limits = Limits { max_len: 10 };
        let mut got = Collected::default();
        let error =
            read_stream(&mut &b"evil.example\n"[..], &Options::default(), &limits, &mut got);
        assert!(error.unwrap_err().to_string().contains("longer than 10 bytes"));
        let missing = open(Path::new("/nonexistent/x"), &Options::default(), &limits, &mut got);
        let error = missing[0].outcome.as_ref().unwrap_err().to_string();
        assert!(error.starts_with("/nonexistent/x: cannot open: "), "{error}");
    }
}
