//! From command line arguments to files.
//!
//! The rules are grep's: an argument that names something that exists means just that; otherwise it
//! is a pattern, if it can be one. Directories are walked recursively, including hidden files.
//! Their files are sorted by the bytes of their paths, so that two runs over the same tree read it
//! in the same order.
//!
//! Links to files are followed; links to directories that are found in a walk are not, so that it
//! neither loops nor leaves the tree (through a link to `/` it would end in `/proc/kmsg`). They are
//! counted instead, as is everything else in a directory that is not a file: opening a pipe or a
//! device that was not asked for can block forever.

use crate::engine::error::{Error, Result};
use std::ffi::OsStr;
use std::fs::{self, FileType};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// An input to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Standard input, written as `-`.
    Stdin,
    /// A file, or another path that was named explicitly: a pipe, a device.
    Path(PathBuf),
}

impl Target {
    /// Its name in errors and alerts: the path as it was given, `-` for standard input.
    pub fn name(&self) -> std::sync::Arc<str> {
        match self {
            Target::Stdin => "-".into(),
            Target::Path(path) => super::path::display(path),
        }
    }
}

/// What a walk skipped, by reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Skipped {
    /// Pipes, sockets and devices inside directories.
    pub special: u64,
    /// Links to directories inside directories.
    pub directory_links: u64,
    /// Broken or circular links.
    pub broken_links: u64,
}

/// The meaning of a command line.
#[derive(Debug, Default)]
pub struct Expansion {
    /// What to open: arguments in their order, the files of each sorted by their bytes.
    pub targets: Vec<Target>,
    /// One error for each argument or directory that could not be read.
    pub errors: Vec<Error>,
    /// What was skipped.
    pub skipped: Skipped,
    /// Folders among the arguments that contain no files.
    pub empty: Vec<PathBuf>,
}

/// Finds the files that the arguments mean. An error concerns one argument or one directory;
/// everything else is still found.
pub fn expand<W: AsRef<OsStr>>(words: impl IntoIterator<Item = W>) -> Expansion {
    let mut expansion = Expansion::default();
    for word in words {
        expansion.add_word(word.as_ref());
    }
    expansion
}

impl Expansion {
    fn add_word(&mut self, word: &OsStr) {
        if word == "-" {
            self.targets.push(Target::Stdin);
            return;
        }
        let path = Path::new(word);
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => {
                let (mut files, failed) = (Vec::new(), self.errors.len());
                self.walk(path, &mut files);
                // What could not be listed may contain some.
                if files.is_empty() && self.errors.len() == failed {
                    self.empty.push(path.to_path_buf());
                }
                self.add_sorted(files);
            }
            Ok(_) => self.targets.push(Target::Path(path.to_path_buf())),
            Err(refused) => match pattern_of(word) {
                Some(pattern) if refused.kind() == io::ErrorKind::NotFound => {
                    if let Err(error) = self.add_pattern(pattern) {
                        self.errors.push(error.at_path(path));
                    }
                }
                _ => self.errors.push(Error::io("open", refused).at_path(path)),
            },
        }
    }

    /// Sorted, without duplicates: `dir/**` finds a directory and its parent.
    fn add_sorted(&mut self, mut files: Vec<PathBuf>) {
        files.sort_unstable_by(|a, b| a.as_os_str().as_bytes().cmp(b.as_os_str().as_bytes()));
        files.dedup();
        self.targets.extend(files.into_iter().map(Target::Path));
    }

    fn add_pattern(&mut self, pattern: &str) -> Result<()> {
        let options = glob::MatchOptions {
            case_sensitive: true,
            require_literal_separator: true,
            require_literal_leading_dot: true,
        };
        // In the glob crate, a final `**` only matches directories.
        let pattern = match pattern.strip_suffix("**") {
            Some("") => "*",
            Some(parent) => parent.strip_suffix('/').unwrap_or(pattern),
            None => pattern,
        };
        let found = glob::glob_with(pattern, options).map_err(|error| {
            Error::usage(format!("neither an existing file nor a valid pattern: {}", error.msg))
                .remedy("write a literal `*`, `?` or `[` as `[*]`, `[?]`, `[[]`")
        })?;
        let mut files = Vec::new();
        let mut any = false;
        for entry in found {
            any = true;
            match entry {
                Ok(path) if path.is_dir() => self.walk(&path, &mut files),
                Ok(path) => files.push(path),
                Err(error) => {
                    let path = error.path().to_path_buf();
                    self.errors.push(Error::io("list", io::Error::from(error)).at_path(path));
                }
            }
        }
        self.add_sorted(files);
        if any {
            return Ok(());
        }
        Err(Error::usage("no such file, and as a pattern it matches no file")
            .remedy("write a literal `*`, `?` or `[` as `[*]`, `[?]`, `[[]`"))
    }

    fn walk(&mut self, directory: &Path, files: &mut Vec<PathBuf>) {
        // `dir` itself may be a link: it was named explicitly, so it is followed.
        for entry in walkdir::WalkDir::new(directory).follow_root_links(true).min_depth(1) {
            match entry {
                Ok(entry) => self.add_entry(entry.file_type(), entry.into_path(), files),
                Err(error) => {
                    let path = error.path().unwrap_or(directory).to_path_buf();
                    let error = error.into_io_error().unwrap_or(io::ErrorKind::Other.into());
                    self.errors.push(Error::io("list", error).at_path(path));
                }
            }
        }
    }

    fn add_entry(&mut self, kind: FileType, path: PathBuf, files: &mut Vec<PathBuf>) {
        if kind.is_file() {
            files.push(path);
        } else if kind.is_symlink() {
            match fs::metadata(&path) {
                Ok(end) if end.is_file() => files.push(path),
                Ok(end) if end.is_dir() => self.skipped.directory_links += 1,
                Ok(_) => self.skipped.special += 1,
                Err(_) => self.skipped.broken_links += 1,
            }
        } else if !kind.is_dir() {
            self.skipped.special += 1;
        }
    }
}

/// The argument as a pattern, if it contains wildcards.
fn pattern_of(word: &OsStr) -> Option<&str> {
    word.to_str().filter(|word| word.contains(['*', '?', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn tree() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for file in ["b.log", "a/x.log", "a.log", "a/.hidden", "a/deep/er/y.log", "odd[1].log"] {
            let path = dir.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, file).unwrap();
        }
        dir
    }

    /// The targets, relative to the tree.
    fn names(dir: &Path, expansion: &Expansion) -> Vec<String> {
        let name = |target: &Target| match target {
            Target::Stdin => "-".to_string(),
            Target::Path(path) => path.strip_prefix(dir).unwrap().display().to_string(),
        };
        expansion.targets.iter().map(name).collect()
    }

    #[test]
    fn a_directory_is_walked_in_the_order_of_bytes() {
        let dir = tree();
        let got = expand([dir.path()]);
        assert_eq!(
            names(dir.path(), &got),
            ["a.log", "a/.hidden", "a/deep/er/y.log", "a/x.log", "b.log", "odd[1].log"]
        );
        assert!(got.errors.is_empty());
    }

    #[test]
    fn folders_without_files_are_named() {
        let dir = tree();
        for empty in ["none", "none/deeper"] {
            fs::create_dir(dir.path().join(empty)).unwrap();
        }
        let got = expand([dir.path().join("none"), dir.path().join("a")]);
        assert_eq!(got.empty, [dir.path().join("none")]);
        assert!(got.errors.is_empty() && got.targets.len() == 3);
    }

    #[test]
    fn patterns_and_the_literal_path_that_wins() {
        let dir = tree();
        for (pattern, want) in [
            ("*.log", &["a.log", "b.log", "odd[1].log"][..]),
            ("**/*.log", &["a.log", "a/deep/er/y.log", "a/x.log", "b.log", "odd[1].log"]),
            ("a/*", &["a/deep/er/y.log", "a/x.log"]),
            ("a/**", &["a/.hidden", "a/deep/er/y.log", "a/x.log"]),
            ("odd[1].log", &["odd[1].log"]),
            ("[ab].log", &["a.log", "b.log"]),
        ] {
            let got = expand([dir.path().join(pattern)]);
            assert_eq!(names(dir.path(), &got), want, "{pattern}");
            assert!(got.errors.is_empty(), "{pattern}: {:?}", got.errors);
        }
    }

    #[test]
    fn one_error_for_one_word_and_the_others_go_on() {
        let dir = tree();
        let word = |name: &str| dir.path().join(name).into_os_string();
        let words = [word("b.log"), word("nowhere"), "-".into(), word("*.txt"), word("a.log[")];
        let got = expand(words);
        assert_eq!(names(dir.path(), &got), ["b.log", "-"]);
        let errors: Vec<String> = got.errors.iter().map(ToString::to_string).collect();
        assert_eq!(errors.len(), 3, "{errors:?}");
        assert!(errors[0].contains("nowhere: cannot open: no such file"), "{errors:?}");
        assert!(
            errors[1].contains("*.txt: no such file, and as a pattern it matches no file"),
            "{errors:?}"
        );
        assert!(errors[2].contains("neither an existing file nor a valid pattern"), "{errors:?}");
    }

    #[test]
    fn links_and_specials_inside_a_directory() {
        let dir = tree();
        let at = |name: &str| dir.path().join(name);
        symlink(at("b.log"), at("a/link.log")).unwrap();
        symlink(dir.path(), at("a/up")).unwrap();
        symlink(at("gone"), at("a/broken")).unwrap();
        symlink(at("a/circle"), at("a/circle")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("a/socket")).unwrap();
        let got = expand([at("a")]);
        assert_eq!(
            names(dir.path(), &got),
            ["a/.hidden", "a/deep/er/y.log", "a/link.log", "a/x.log"]
        );
        assert!(got.errors.is_empty(), "{:?}", got.errors);
        assert_eq!(got.skipped, Skipped { special: 1, directory_links: 1, broken_links: 2 });
        // The same link is followed if it is named explicitly.
        assert!(expand([at("a/up")]).targets.len() > 6);
    }
}
