//! A folder, a tail, and a clock that only advances when a test says so.

use super::super::follow::Tail;
use super::super::options::{Start, TailOptions, Watch};
use super::super::position::{Ending, Piece};
use super::super::record::FileRecord;
use super::super::{Counters, Notice};
use crate::clock::Stopwatch;
use flate2::Compression;
use flate2::write::GzEncoder;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// A line that was returned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ReadLine {
    pub(crate) stream: u64,
    pub(crate) path: String,
    pub(crate) offset: u64,
    pub(crate) line: Option<u64>,
    pub(crate) text: String,
    pub(crate) ending: Ending,
    pub(crate) is_rest: bool,
}

pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) options: TailOptions,
    pub(crate) tail: Option<Tail>,
    pub(crate) now: Duration,
    /// Microseconds since 1970.
    pub(crate) wall: i64,
    pub(crate) committed: BTreeMap<u64, FileRecord>,
    /// What was returned since the last commit, and since the last check.
    given: Vec<ReadLine>,
    looked_at: usize,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) notices: Vec<Notice>,
}

impl Stage {
    /// Runs a scenario by inotify and by polling, on disk and in memory.
    pub(crate) fn everywhere(play: fn(&mut Stage)) {
        for folder in ["/tmp", "/dev/shm"] {
            if Path::new(folder).is_dir() {
                Stage::in_folder(Path::new(folder), play);
            }
        }
    }

    pub(crate) fn in_folder(folder: &Path, play: fn(&mut Stage)) {
        for watch in [Watch::Notify, Watch::Poll] {
            let mut stage = Stage::new(folder, watch);
            play(&mut stage);
            stage.check();
        }
    }

    pub(crate) fn new(folder: &Path, watch: Watch) -> Stage {
        let folder = tempfile::tempdir_in(folder).unwrap();
        let options = TailOptions {
            patterns: vec![folder.path().join("x.log*").into()],
            watch,
            ..TailOptions::default()
        };
        Stage {
            folder,
            options,
            tail: None,
            now: Duration::ZERO,
            wall: crate::clock::now().0,
            committed: BTreeMap::new(),
            given: Vec::new(),
            looked_at: 0,
            pieces: Vec::new(),
            notices: Vec::new(),
        }
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn follow(&mut self, patterns: &[&str]) {
        self.options.patterns = patterns.iter().map(|it| self.at(it).into()).collect();
    }

    pub(crate) fn begin_at_end(&mut self) {
        self.options.from = Start::End;
    }

    /// Opens the tail with what was committed.
    pub(crate) fn open(&mut self) {
        self.now = Duration::ZERO;
        let saved = self.committed.values().cloned().collect();
        let tail = Tail::open_at(self.options.clone(), saved, Stopwatch::start(), self.wall);
        self.tail = Some(tail.unwrap());
        self.drain();
    }

    /// Ends it like SIGKILL: what was returned since the last commit is undone.
    pub(crate) fn kill(&mut self) {
        self.tail = None;
        let uncommitted = self.pieces.iter().map(|piece| lines_of(piece).len()).sum::<usize>();
        let kept = self.given.len() - uncommitted;
        self.given.truncate(kept);
        self.looked_at = self.looked_at.min(kept);
        self.pieces.clear();
    }

    pub(crate) fn restart(&mut self) {
        self.commit();
        self.kill();
        self.open();
    }

    /// Takes everything that is available now.
    pub(crate) fn drain(&mut self) {
        let tail = self.tail.as_mut().unwrap();
        let mut idle = 0;
        // A step without a piece may have compared compressed files, for which others wait.
        while idle < 3 {
            match tail.step(self.now, self.wall) {
                Some(piece) => {
                    self.given.extend(lines_of(&piece));
                    self.pieces.push(piece);
                    idle = 0;
                }
                None => idle += 1,
            }
        }
        self.notices.extend(tail.notices());
    }

    /// Runs the next round, or the first one.
    pub(crate) fn look_or_open(&mut self) {
        match self.tail {
            Some(_) => self.look(),
            None => self.open(),
        }
    }

    /// The texts of the lines that arrived since the last call.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        self.new_lines().into_iter().map(|given| given.text).collect()
    }

    /// A round later.
    pub(crate) fn look(&mut self) {
        self.advance(1);
    }

    /// Runs this many seconds, with one round each.
    pub(crate) fn advance(&mut self, seconds: u64) {
        // Hours pass in longer steps.
        let stride = if seconds > 100 { 30 } else { 1 };
        for _ in 0..seconds.div_ceil(stride) {
            self.now += Duration::from_secs(stride);
            self.wall += 1_000_000 * stride as i64;
            self.drain();
        }
    }

    /// Commits everything that was returned.
    pub(crate) fn commit(&mut self) {
        self.commit_first(usize::MAX);
    }

    /// Commits the first pieces that were returned. The records are encoded and decoded.
    pub(crate) fn commit_first(&mut self, pieces: usize) {
        let tail = self.tail.as_mut().unwrap();
        let pieces = self.pieces.drain(..pieces.min(self.pieces.len()));
        let positions: Vec<_> = pieces.map(|piece| piece.end).collect();
        tail.safe(&positions);
        let changes = tail.changed();
        for record in changes.files {
            let mut bytes = Vec::new();
            record.encode(&mut bytes);
            assert_eq!(FileRecord::decode(&bytes).as_ref(), Some(&record));
            self.committed.insert(record.position.stream, record);
        }
        changes.forgotten.iter().for_each(|stream| drop(self.committed.remove(stream)));
    }

    /// What was returned since the last check.
    #[track_caller]
    pub(crate) fn expect(&mut self, lines: &[&str]) {
        let new = self.new_lines();
        let got: Vec<&str> = new.iter().map(|given| &*given.text).collect();
        assert_eq!(got, lines, "{:?}: {new:?}\n{:?}", self.options.watch, self.notices);
    }

    /// The same in any order.
    #[track_caller]
    pub(crate) fn expect_any(&mut self, lines: &[&str]) {
        let new = self.new_lines();
        let mut got: Vec<&str> = new.iter().map(|given| &*given.text).collect();
        let mut want = lines.to_vec();
        got.sort_unstable();
        want.sort_unstable();
        assert_eq!(got, want, "{:?}: {new:?}\n{:?}", self.options.watch, self.notices);
    }

    pub(crate) fn new_lines(&mut self) -> Vec<ReadLine> {
        let new = self.given[self.looked_at..].to_vec();
        self.looked_at = self.given.len();
        new
    }

    pub(crate) fn all_lines(&self) -> &[ReadLine] {
        &self.given
    }

    pub(crate) fn counters(&self) -> Counters {
        self.tail.as_ref().unwrap().counters()
    }

    /// No two lines have the same position.
    pub(crate) fn check(&self) {
        let mut places: Vec<(u64, u64)> =
            self.given.iter().map(|given| (given.stream, given.offset)).collect();
        let all = places.len();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), all, "{:?}", self.given);
    }

    // Operations on files.

    pub(crate) fn write(&self, name: &str, text: &str) {
        fs::write(self.at(name), text).unwrap();
    }

    pub(crate) fn append(&self, name: &str, text: impl AsRef<[u8]>) {
        let mut file = OpenOptions::new().append(true).create(true).open(self.at(name)).unwrap();
        file.write_all(text.as_ref()).unwrap();
    }

    pub(crate) fn write_at(&self, name: &str, offset: u64, text: &str) {
        let file = OpenOptions::new().write(true).open(self.at(name)).unwrap();
        file.write_all_at(text.as_bytes(), offset).unwrap();
    }

    #[expect(clippy::disallowed_methods, reason = "as log rotation does")]
    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.at(from), self.at(to)).unwrap();
    }

    pub(crate) fn copy(&self, from: &str, to: &str) {
        fs::copy(self.at(from), self.at(to)).unwrap();
    }

    pub(crate) fn truncate(&self, name: &str, len: u64) {
        OpenOptions::new().write(true).open(self.at(name)).unwrap().set_len(len).unwrap();
    }

    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.at(name)).unwrap();
    }

    /// Compresses a file like gzip: the compressed file exists before the other one is removed.
    pub(crate) fn gzip(&self, from: &str, to: &str) {
        let packed = gzipped(&fs::read(self.at(from)).unwrap());
        let mut file = File::create(self.at(to)).unwrap();
        file.write_all(&packed).unwrap();
        drop(file);
        self.remove(from);
    }
}

pub(crate) fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(text).unwrap();
    packer.finish().unwrap()
}

/// The lines of a piece, each with its position.
fn lines_of(piece: &Piece) -> Vec<ReadLine> {
    let lines: Vec<&[u8]> = piece.bytes.split_inclusive(|&byte| byte == b'\n').collect();
    let (mut at, mut line) = (0, piece.line);
    let mut given = Vec::new();
    for (number, text) in lines.iter().enumerate() {
        let is_last = number + 1 == lines.len();
        given.push(ReadLine {
            stream: piece.stream,
            path: piece.path.to_string(),
            offset: piece.offset_of(at),
            line,
            text: String::from_utf8_lossy(text.strip_suffix(b"\n").unwrap_or(text)).into_owned(),
            ending: if is_last { piece.ending } else { Ending::Line },
            is_rest: number == 0 && piece.is_rest,
        });
        at += text.len();
        line = line.map(|line| line + 1);
    }
    given
}

/// A text that is longer than the part of it that is hashed.
pub(crate) fn long(what: &str) -> String {
    (0..600).map(|n| format!("{what} {n}\n")).collect()
}
