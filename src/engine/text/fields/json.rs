//! The members of a JSON text. It accepts what is there: a single value, several in
//! a row, a truncated line. Text before the first value is skipped.
//!
//! A JSON text may be inside a string of another one. Its quotes then have
//! backslashes before them: one at the first level, three at the second, seven at
//! the third. It is read in place, without decoding.

use super::member::{Members, Name, Opened};
use std::ops::Range;

/// The maximum depth to read.
const MAX_DEPTH: usize = 128;

/// A level: an object with the last key, or an array.
struct Level {
    /// The object's scope; an array has that of the surrounding object.
    scope: u32,
    key: Name,
    is_object: bool,
    wants_key: bool,
}

/// The number of backslashes before the quotes of a text that is nested in `nest`
/// strings.
pub(super) fn slashes(nest: u8) -> usize {
    (1 << nest) - 1
}

/// Where the quote of a string that begins at `at` ends, in a text nested in `nest`
/// strings.
pub(super) fn quote_at(line: &[u8], at: usize, nest: u8) -> Option<usize> {
    let quote = at + slashes(nest);
    let begins = line.get(at..quote)?.iter().all(|&b| b == b'\\');
    (begins && line.get(quote) == Some(&b'"')).then_some(quote + 1)
}

/// Where the first object or array of the text begins, if any: at its start, or an
/// object after what a collector put before it.
pub(super) fn begins(line: &[u8], text: &Range<usize>, nest: u8) -> Option<usize> {
    let text = text.start..text.end.min(line.len());
    let blank = |at: &usize| line[*at].is_ascii_whitespace();
    let next = |at: usize| (at..text.end).find(|at| !blank(at));
    let start = next(text.start)?;
    match line[start] {
        // `{dst=192.0.2.1, dpt=443}` is not JSON, and neither is `{'dst':
        // '192.0.2.1'}`.
        b'{' if next(start + 1).is_none_or(|at| {
            line[at] == b'}' || line[at] == b'\\' || quote_at(line, at, nest).is_some()
        }) =>
        {
            Some(start)
        }
        // Times are written in brackets, too.
        b'[' => {
            let after = next(start + 1)?;
            let is_array = b"{[".contains(&line[after]) || quote_at(line, after, nest).is_some();
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
        // Doubled quotes belong to a cell of a table.
        0 => memchr::memmem::find_iter(&line[text], b"{\"")
            .find(|at| !matches!(&line[start + at + 2..], [b'"', next, ..] if *next != b':')),
        _ => memchr::memmem::find_iter(&line[text.clone()], mark)
            .find(|at| quote_at(line, start + at + 1, nest).is_some_and(|end| end <= text.end)),
    };
    found.map(|at| start + at)
}

/// Reads the members of a text nested in `nest` strings. Returns where the JSON
/// ends.
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
                // Another record may follow: `{…},{…}`.
                None if line[at + 1..].trim_ascii_start().first() == Some(&b'{') => {}
                None => return at,
            },
            b'"' | b'\\' => {
                let Some(start) = quote_at(line, at, nest) else {
                    match break_at(line, at, nest) {
                        Some(after) => at = after,
                        None => return at,
                    }
                    continue;
                };
                let Some(level) = levels.last_mut() else { return at };
                let (end, after) = string_end(line, start, nest);
                string(level, start..end, record);
                at = after;
                continue;
            }
            // Ruby writes `=>` instead of a colon.
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

/// Handles a string: a key, or the value of the key before it.
fn string(level: &mut Level, text: Range<usize>, record: &mut Members) {
    if level.wants_key {
        level.key = Name::Key(text.start as u32, text.end as u32);
        level.wants_key = false;
        // A hit in a key belongs to the object's field.
        record.push(Name::None, text, level.scope);
    } else {
        record.push(level.key, text, level.scope);
    }
}

/// Where an escaped line break or tab between values ends.
fn break_at(line: &[u8], at: usize, nest: u8) -> Option<usize> {
    let slashes = line[at..].iter().take(slashes(nest)).take_while(|&&b| b == b'\\').count();
    let is_break = slashes > 0 && line.get(at + slashes).is_some_and(|b| b"nrt".contains(b));
    is_break.then_some(at + slashes + 1)
}

/// Opens the level of a bracket inside `outer`.
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

/// Where the string whose text begins at `start` ends, and where the text after its
/// quote begins. Both are the end if it was truncated.
pub(super) fn string_end(line: &[u8], start: usize, nest: u8) -> (usize, usize) {
    let own = slashes(nest);
    let mut at = start;
    while let Some(found) = line.get(at..).and_then(|rest| memchr::memchr(b'"', rest)) {
        let quote = at + found;
        let run = line[at..quote].iter().rev().take_while(|&&b| b == b'\\').count();
        // Backslashes of the text itself come doubled.
        if run % (2 * own + 2) == own {
            return (quote - own, quote + 1);
        }
        at = quote + 1;
    }
    (line.len(), line.len())
}
