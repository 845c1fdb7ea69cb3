//! The lists that people hand to a benchmark: popular names, and verdicts on what was seen.
//!
//! Both are read line by line; a line that cannot be read is counted, and the first is reported.

use crate::engine::indicator::guess::{Guess, guess};
use crate::engine::indicator::{Scope, domain, refang};
use crate::{Error, Result};
use std::collections::BTreeMap;

/// Names that many people use, by rank.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Popular {
    names: Vec<(u64, Box<str>)>,
    /// Lines that could not be read.
    pub unreadable: u64,
}

impl Popular {
    /// Reads `rank,name` lines, as Tranco, Umbrella and Cloudflare Radar publish them. Further
    /// columns and a heading are ignored. Of a name that occurs twice the first rank counts.
    ///
    /// # Errors
    ///
    /// No line has a rank and a name.
    pub fn parse(text: &[u8]) -> Result<Popular> {
        let mut popular = Popular::default();
        let mut ranks: BTreeMap<Box<str>, u64> = BTreeMap::new();
        for (line, number) in lines(text).zip(1u64..) {
            let line = String::from_utf8_lossy(line);
            match ranked(&line) {
                Some((rank, name)) => {
                    ranks.entry(name).and_modify(|best| *best = rank.min(*best)).or_insert(rank);
                }
                None if number == 1 && is_heading(&line) || line.trim().is_empty() => {}
                None => popular.unreadable += 1,
            }
        }
        if ranks.is_empty() {
            return Err(Error::format("no line has a rank and a name")
                .remedy("expected one RANK,NAME per line: 1,example.com"));
        }
        popular.names = ranks.into_iter().map(|(name, rank)| (rank, name)).collect();
        popular.names.sort_unstable();
        Ok(popular)
    }

    /// The names with their ranks, the most popular first.
    pub fn names(&self) -> impl Iterator<Item = (u64, &str)> {
        self.names.iter().map(|(rank, name)| (*rank, &**name))
    }
}

/// Whether a first line names columns: no rank and no value is without a digit.
fn is_heading(line: &str) -> bool {
    let first = line.split(',').next().unwrap_or_default();
    !first.bytes().any(|byte| byte.is_ascii_digit())
}

/// A rank and a normalised name.
fn ranked(line: &str) -> Option<(u64, Box<str>)> {
    let (rank, rest) = line.split_once(',')?;
    let name = rest.split(',').next()?.trim().trim_matches('"');
    let rank = rank.trim().trim_matches('"').parse().ok()?;
    Some((rank, domain::normalise(name).ok()?.into()))
}

/// What people say of values that alerted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judged {
    values: BTreeMap<Box<str>, bool>,
    /// Lines that could not be read.
    pub unreadable: u64,
}

impl Judged {
    /// Reads lines `value,tp` or `value,fp`, each optionally followed by a remark; `#` begins a
    /// comment. Values may be defanged, and quoted if they contain commas. Of several verdicts
    /// about a value the last counts.
    ///
    /// # Errors
    ///
    /// No line has a verdict.
    pub fn parse(text: &[u8]) -> Result<Judged> {
        let mut judged = Judged::default();
        for (line, number) in lines(text).zip(1u64..) {
            let line = String::from_utf8_lossy(line);
            if line.trim().is_empty() || line.starts_with('#') {
                continue;
            }
            match verdict(&line) {
                Some((value, is_true)) => {
                    judged.values.insert(normal(&value), is_true);
                }
                None if number == 1 => {}
                None => judged.unreadable += 1,
            }
        }
        if judged.values.is_empty() {
            return Err(Error::format("no line has a verdict")
                .remedy("expected one VALUE,tp or VALUE,fp per line"));
        }
        Ok(judged)
    }

    /// The values and whether each is a true positive.
    pub fn values(&self) -> impl Iterator<Item = (&str, bool)> {
        self.values.iter().map(|(value, is_true)| (&**value, *is_true))
    }

    /// Whether a value is a true positive, if people said.
    pub fn of(&self, value: &str) -> Option<bool> {
        self.values.get(value).copied()
    }
}

/// A value and its verdict: the first cell after the value that is one.
fn verdict(line: &str) -> Option<(String, bool)> {
    let (value, rest) = match line.trim_start().strip_prefix('"') {
        Some(quoted) => {
            let (value, rest) = quoted.split_once("\",")?;
            (value.replace("\"\"", "\""), rest)
        }
        None => {
            // A URL may contain commas, so the value ends where a verdict follows.
            let end = line.match_indices(',').map(|(at, _)| at);
            let end = end.into_iter().find(|at| said(&line[at + 1..]).is_some())?;
            (line[..end].to_string(), &line[end + 1..])
        }
    };
    Some((value, said(rest)?))
}

/// The verdict in the first cell of a text.
fn said(text: &str) -> Option<bool> {
    // Only as much is looked at as a verdict may have, so that a line full of commas is linear.
    let head = text.as_bytes().get(..text.len().min(16))?;
    let head = head.split(|byte| *byte == b',').next()?.trim_ascii();
    match head {
        head if head.eq_ignore_ascii_case(b"tp") => Some(true),
        head if head.eq_ignore_ascii_case(b"fp") => Some(false),
        _ => None,
    }
}

/// A value in the form that alerts show.
fn normal(value: &str) -> Box<str> {
    let value = refang::refang(value.trim());
    match guess(&value, Scope::Exact) {
        Ok(Guess::One(_, value, _)) => value.to_string().into(),
        _ => (&*value).into(),
    }
}

/// The lines of a text, without their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    // Spreadsheets begin a file with a byte order mark.
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    text.split(|byte| *byte == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn popular_names_are_read_as_published() {
        let text = b"rank,domain,categories\r\n1,Google.COM,Search\n\"2\",\"a.example\"\nx,b\n1,\n";
        let popular = Popular::parse(text).unwrap();
        let names: Vec<_> = popular.names().collect();
        assert_eq!(names, [(1, "google.com"), (2, "a.example")]);
        assert_eq!(popular.unreadable, 2);
        assert!(Popular::parse(b"a.example\nb.example\n").is_err());
        let marked = Popular::parse(b"\xef\xbb\xbf1,a.example\n2,b.example\n").unwrap();
        assert_eq!((marked.names().count(), marked.unreadable), (2, 0));
        let damaged = Popular::parse(b"1;a.example\n2,b.example\n").unwrap();
        assert_eq!((damaged.names().count(), damaged.unreadable), (1, 1));
        assert!(Popular::parse(b"").is_err());
    }

    #[test]
    fn verdicts_are_read_with_remarks_and_commas() {
        let text =
            b"value,verdict\n# mine\nEvil[.]example,tp\nhttp://a.example/x,y?z=1,FP, was, ours\n\
            \"b.example\",fp\n203.0.113.7 , tp\nnothing\nb.example,tp\n";
        let judged = Judged::parse(text).unwrap();
        assert_eq!(judged.of("evil.example"), Some(true));
        assert_eq!(judged.of("http://a.example/x,y?z=1"), Some(false));
        assert_eq!(judged.of("203.0.113.7"), Some(true));
        assert_eq!(judged.of("b.example"), Some(true));
        assert_eq!(judged.of("c.example"), None);
        assert_eq!(judged.unreadable, 1);
        assert!(Judged::parse(b"a.example\n").is_err());
    }
}
