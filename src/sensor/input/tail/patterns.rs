//! Decides which names are followed.
//!
//! A pattern is split at its slashes. Each folder on the way knows which parts of which patterns
//! its entries are matched against, so that a new folder only requires a look at its own entries
//! and not a full search.

use crate::engine::error::{Error, Result};
use glob::{MatchOptions, Pattern as Glob};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

/// Names are matched as in shells.
const OPTIONS: MatchOptions = MatchOptions {
    case_sensitive: true,
    require_literal_separator: true,
    require_literal_leading_dot: true,
};

/// The parts of patterns that the entries of a folder are matched against.
pub(super) type Parts = BTreeSet<(usize, usize)>;

#[derive(Debug)]
enum Part {
    Name(OsString),
    Glob(Glob),
    /// Any number of folders, including none; below a folder that was named, also hidden ones.
    Deep(bool),
    /// Any name.
    Any,
}

#[derive(Debug)]
struct Pattern {
    /// The folder before the first part with a wildcard.
    root: PathBuf,
    parts: Vec<Part>,
}

/// The patterns to follow.
#[derive(Debug)]
pub(super) struct Patterns {
    list: Vec<Pattern>,
    exclude: Vec<(Glob, bool)>,
}

impl Patterns {
    /// Parses them. A path that exists is taken literally.
    pub(super) fn new(patterns: &[OsString], exclude: &[OsString]) -> Result<Patterns> {
        let list = patterns.iter().map(|word| Pattern::new(word)).collect::<Result<_>>()?;
        let exclude = exclude
            .iter()
            .map(|word| Ok((glob(&word.to_string_lossy())?, word.as_bytes().contains(&b'/'))))
            .collect::<Result<_>>()?;
        Ok(Patterns { list, exclude })
    }

    /// The folders in which patterns begin, each with what its entries are matched against.
    pub(super) fn roots(&self) -> impl Iterator<Item = (&Path, Parts)> {
        self.list
            .iter()
            .enumerate()
            .map(|(number, pattern)| (&*pattern.root, Parts::from([(number, 0)])))
    }

    /// Whether an entry of a folder should be followed, if it is a file.
    pub(super) fn takes(&self, parts: &Parts, path: &Path) -> bool {
        let name = path.file_name().unwrap_or_default();
        self.each(parts).any(|(pattern, part)| {
            part + 1 == self.list[pattern].parts.len() && self.list[pattern].parts[part].is(name)
        }) && !self.excludes(path, name)
    }

    /// What the entries of a subfolder are matched against; empty if nothing in it can match. Links
    /// to folders are followed if a pattern names them, but never by `**`.
    pub(super) fn below(&self, parts: &Parts, name: &OsStr, is_link: bool) -> Parts {
        let mut below = Parts::new();
        for (pattern, part) in self.each(parts) {
            let parts = &self.list[pattern].parts;
            match parts[part] {
                Part::Deep(hidden) if !is_link && (hidden || !is_hidden(name)) => {
                    below.insert((pattern, part));
                }
                Part::Deep(_) => {}
                ref named if part + 1 < parts.len() && named.is(name) => {
                    below.insert((pattern, part + 1));
                }
                _ => {}
            }
        }
        below
    }

    /// The parts, and those after a `**`, which may stand for no folder.
    fn each<'a>(&'a self, parts: &'a Parts) -> impl Iterator<Item = (usize, usize)> + 'a {
        parts.iter().flat_map(|&(pattern, part)| {
            let rest = self.list.get(pattern).and_then(|it| it.parts.get(part..)).unwrap_or(&[]);
            let deep = rest.iter().take_while(|part| matches!(part, Part::Deep(_))).count();
            (part..=part + deep).take(rest.len()).map(move |part| (pattern, part))
        })
    }

    fn excludes(&self, path: &Path, name: &OsStr) -> bool {
        let (path, name) = (path.to_string_lossy(), name.to_string_lossy());
        let options = MatchOptions { require_literal_leading_dot: false, ..OPTIONS };
        self.exclude
            .iter()
            .any(|(glob, is_path)| glob.matches_with(if *is_path { &path } else { &name }, options))
    }
}

impl Pattern {
    fn new(word: &OsStr) -> Result<Pattern> {
        let path = Path::new(word);
        if path.is_dir() {
            let parts = vec![Part::Deep(true), Part::Any];
            return Ok(Pattern { root: path.to_path_buf(), parts });
        }
        let is_plain = path.exists() || !word.as_bytes().iter().any(|b| b"*?[".contains(b));
        let components: Vec<Component<'_>> = path.components().collect();
        let mut parts = Vec::new();
        let mut root = PathBuf::new();
        for (at, component) in components.iter().enumerate() {
            let text = component.as_os_str();
            let is_glob = !is_plain && text.as_bytes().iter().any(|b| b"*?[".contains(b));
            if parts.is_empty() && !is_glob && at + 1 < components.len() {
                root.push(text);
            } else if !is_glob {
                parts.push(Part::Name(text.to_os_string()));
            } else if text == "**" {
                parts.push(Part::Deep(false));
            } else {
                let text = text
                    .to_str()
                    .ok_or_else(|| Error::usage("a pattern must be UTF-8").at_path(path))?;
                parts.push(Part::Glob(glob(text)?));
            }
        }
        match parts.last() {
            None => Err(Error::usage("an empty pattern").at_path(path)),
            Some(Part::Deep(_)) => {
                parts.push(Part::Glob(glob("*")?));
                Ok(Pattern { root, parts })
            }
            Some(_) => Ok(Pattern { root, parts }),
        }
    }
}

impl Part {
    fn is(&self, name: &OsStr) -> bool {
        match self {
            Part::Name(own) => own == name,
            Part::Glob(glob) => glob.matches_with(&name.to_string_lossy(), OPTIONS),
            Part::Any => true,
            Part::Deep(_) => false,
        }
    }
}

fn is_hidden(name: &OsStr) -> bool {
    name.as_bytes().first() == Some(&b'.')
}

fn glob(text: &str) -> Result<Glob> {
    Glob::new(text).map_err(|error| {
        Error::usage(format!("invalid pattern “{text}”: {}", error.msg))
            .remedy("write a literal `*`, `?` or `[` as `[*]`, `[?]`, `[[]`")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Follows a path from its pattern's root, as `Folders` does.
    fn takes(pattern: &str, path: &str) -> bool {
        let patterns = Patterns::new(&[pattern.into()], &["*.skip".into(), "/v/no/*".into()]);
        let patterns = patterns.unwrap();
        let (root, mut parts) = patterns.roots().next().unwrap();
        let Ok(rest) = Path::new(path).strip_prefix(root) else { return false };
        let names: Vec<&OsStr> = rest.iter().collect();
        for name in &names[..names.len() - 1] {
            parts = patterns.below(&parts, name, false);
        }
        patterns.takes(&parts, Path::new(path))
    }

    #[test]
    fn paths_that_are_taken_are_those_of_glob() {
        let patterns = [
            "/v/*.log",
            "/v/**/*.log",
            "/v/*/x.log",
            "/v/**",
            "/v/x.log",
            "/v/[ab]?/**/c/*.log",
            "/v/**/a/**/*.log",
        ];
        let paths = [
            "/v/x.log",
            "/v/x.log.1",
            "/v/a/x.log",
            "/v/a/b/x.log",
            "/v/.x.log",
            "/v/.a/x.log",
            "/v/ab/c/x.log",
            "/v/ab/d/e/c/x.log",
            "/v/ab/c/d/x.log",
            "/w/x.log",
            "/v/x/a/y.log",
        ];
        let mut taken = 0;
        for pattern in patterns {
            let whole =
                if pattern.ends_with("**") { format!("{pattern}/*") } else { pattern.into() };
            let whole = Glob::new(&whole).unwrap();
            for path in paths {
                let want = whole.matches_with(path, OPTIONS);
                assert_eq!(takes(pattern, path), want, "{pattern} {path}");
                taken += usize::from(want);
            }
        }
        assert!(taken > 20);
        assert!(!takes("/v/*", "/v/x.skip") && !takes("/v/no/*", "/v/no/x.log"));
    }

    #[test]
    fn words_mean_what_exists() {
        let folder = tempfile::tempdir().unwrap();
        let odd = folder.path().join("x[1].log");
        std::fs::write(&odd, "").unwrap();
        assert!(takes(odd.to_str().unwrap(), odd.to_str().unwrap()));
        let whole = folder.path().to_str().unwrap();
        assert!(takes(whole, &format!("{whole}/.a/b/.c")));
        assert!(Patterns::new(&["/v/x[.log".into()], &[]).is_err());
        assert!(Patterns::new(&["".into()], &[]).is_err());
        assert!(takes("x.log", "x.log"));
    }
}
