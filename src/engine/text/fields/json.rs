//! The members of a text of JSON. It takes what is there: one value, several behind
//! each other, a line that was cut. What stands before the first is passed over.
//!
//! A text of JSON may stand in a string of another one: its quotes have backslashes before
//! them then, one at the first level, three at the second, seven at the third. It is read
//! where it stands, without being undone.

use super::member::{Members, Name, Opened};
use std::ops::Range;

/// Deeper than this nothing is read.
const MAX_DEPTH: usize = 128;

/// A level: an object with the key that was read last, or an array.
struct Level {
    /// The object's scope; an array has that of the object around it.
    scope: u32,
    key: Name,
    is_object: bool,
    wants_key: bool,
}

/// How many backslashes stand before the quotes of a text that lies in so many strings.
pub(super) fn slashes(nest: u8) -> usize {
    (1 << nest) - 1
}

/// Where the quote of a string ends that begins at `at`, in a text that lies in so many.
pub(super) fn quote_at(line: &[u8], at: usize, nest: u8) -> Option<usize> {
    let quote = at + slashes(nest);
    let begins = line.get(at..quote)?.iter().all(|&b| b == b'\\');
    (begins && line.get(quote) == Some(&b'"')).then_some(quote + 1)
}

/// Where the first object or array of the text begins, if it has one: at its head, or
/// an object behind what a collector put before it.
pub(super) fn begins(line: &[u8], text: &Range<usize>, nest: u8) -> Option<usize> {
    let text = text.start..text.end.min(line.len());
    let blank = |at: &usize| line[*at].is_ascii_whitespace();
    let next = |at: usize| (at..text.end).find(|at| !blank(at));
    let start = next(text.start)?;
    match line[start] {
        // `{dst=192.0.2.1, dpt=443}` is none, and neither is `{'dst': '192.0.2.1'}`.
        b'{' if next(start + 1).is_none_or(|at| {
            line[at] == b'}' || line[at] == b'\\' || quote_at(line, at, nest).is_some()
        }) =>
        {
            Some(start)
        }
        // Brackets stand around times, too.
        b'[' => {
            let behind = next(start + 1)?;
            let is_array = b"{[".contains(&line[behind]) || quote_at(line, behind, nest).is_some();
            if is_array { Some(start) } else { object(line, text, nest) }
        }
        _ => object(line, text, nest),
    }
}

/// Where the next object of a text begins.
pub(super) fn object(line: &[u8], text: Range<usize>, nest: u8) -> Option<usize> {
    let start = text.start;
    let mark = &b"{\\\\\\\\\\\\\\"[..1 + slashes(nest).min(7)];
    let found = match nest {
        // Doubled quotes are those of a cell in a table.
        0 => memchr::memmem::find_iter(&line[text], b"{\"")
            .find(|at| !matches!(&line[start + at + 2..], [b'"', next, ..] if *next != b':')),
        _ => memchr::memmem::find_iter(&line[text.clone()], mark)
            .find(|at| quote_at(line, start + at + 1, nest).is_some_and(|end| end <= text.end)),
    };
    found.map(|at| start + at)
}

/// Reads the members of a text that lies in so many strings; returns where what is JSON ends.
pub(super) fn read(line: &[u8], text: Range<usize>, nest: u8, record: &mut Members) -> usize {
    let line = &line[..text.end.min(line.len())];
    let mut levels: Vec<Level> = Vec::new();
    let mut at = text.start;
    while at < line.len() {
        match line[at] {
            b'{' | b'[' => {
                if levels.len() == MAX_DEPTH {
                    return at;
                }
                let level = open(line[at] == b'{', levels.last(), nest, record);
                levels.push(level);
            }
            b'}' | b']' => {
                if levels.pop().is_none() {
                    return at;
                }
            }
            b',' => match levels.last_mut() {
                Some(level) => level.wants_key = level.is_object,
                // Another record may follow: `{…},{…}`
                None if line[at + 1..].trim_ascii_start().first() == Some(&b'{') => {}
                None => return at,
            },
            b'"' | b'\\' => {
                let Some(start) = quote_at(line, at, nest) else {
                    match break_at(line, at, nest) {
                        Some(behind) => at = behind,
                        None => return at,
                    }
                    continue;
                };
                let Some(level) = levels.last_mut() else { return at };
                let (end, behind) = string_end(line, start, nest);
                string(level, start..end, record);
                at = behind;
                continue;
            }
            // Ruby writes `=>` in place of a colon.
            b' ' | b'\t' | b':' | b'\r' | b'\n' | b'=' | b'>' => {}
            _ => {
                let Some(level) = levels.last() else { return at };
                let from = at;
                while at < line.len() && !b",]} \t\r\n\"\\".contains(&line[at]) {
                    at += 1;
                }
                let name = if level.wants_key { Name::None } else { level.key };
                record.push(name, from..at, level.scope);
                continue;
            }
        }
        at += 1;
    }
    at.min(line.len())
}

/// A string is a key, or a value of the key before it.
fn string(level: &mut Level, text: Range<usize>, record: &mut Members) {
    if level.wants_key {
        level.key = Name::Key(text.start as u32, text.end as u32);
        level.wants_key = false;
        // A hit in a key has the object for its field.
        record.push(Name::None, text, level.scope);
    } else {
        record.push(level.key, text, level.scope);
    }
}

/// Where an escaped line break or tab ends that stands between values.
fn break_at(line: &[u8], at: usize, nest: u8) -> Option<usize> {
    let slashes = line[at..].iter().take(slashes(nest)).take_while(|&&b| b == b'\\').count();
    let is_break = slashes > 0 && line.get(at + slashes).is_some_and(|b| b"nrt".contains(b));
    is_break.then_some(at + slashes + 1)
}

/// The level that a bracket opens inside of `outer`.
fn open(is_object: bool, outer: Option<&Level>, nest: u8, record: &mut Members) -> Level {
    let key = outer.map_or(Name::None, |outer| outer.key);
    let parent = outer.map(|outer| outer.scope);
    if !is_object {
        let scope = parent.unwrap_or(0);
        return Level { scope, key, is_object, wants_key: false };
    }
    let is_element = outer.is_none_or(|outer| !outer.is_object);
    let opened = Opened { key, is_element, undone: nest + 1, is_tag: false };
    let scope = record.push_scope(parent, opened);
    Level { scope, key: Name::None, is_object, wants_key: true }
}

/// Where the string ends whose text begins at `start`, and where what is behind its quote
/// begins; both are the end of a text that was cut.
pub(super) fn string_end(line: &[u8], start: usize, nest: u8) -> (usize, usize) {
    let own = slashes(nest);
    let mut at = start;
    while let Some(found) = line.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        let quote = at + found;
        let run = line[at..quote].iter().rev().take_while(|&&b| b == b'\\').count();
        // Backslashes of the text itself come in twice as many.
        if run % (2 * own + 2) == own {
            return (quote - own, quote + 1);
        }
        at = quote + 1;
    }
    (line.len(), line.len())
}
