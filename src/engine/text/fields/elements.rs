//! Records in a line that is too long to be one: JSON documents whose array
//! contains thousands of objects in a single line.
//!
//! Only a window of such a line is available, which may begin within a string.
//! Therefore reading starts at an object whose first key is complete: inside a
//! string its quotes would have backslashes. A record is the outermost object that
//! is not longer than [`MAX_BLOCK`]. The result depends on that many bytes around
//! it, and not on how the line was cut. A window is read once, when the first hit
//! in it asks.

use super::blocks::record_at;
use super::json::string_end;
use super::lines::MAX_BLOCK;
use std::collections::VecDeque;
use std::ops::Range;

/// The maximum length in bytes of the first key of the object at which reading
/// starts.
const MAX_KEY: usize = 256;

/// The maximum depth of objects to distinguish.
const MAX_DEPTH: usize = 512;

/// The objects in a window of a line.
#[derive(Debug, Default)]
pub struct Elements {
    window: Range<usize>,
    found: Vec<Range<usize>>,
}

impl Elements {
    /// The window that was read last.
    pub fn window(&self) -> Range<usize> {
        self.window.clone()
    }

    /// The object around a place in the available window of a line, if there is
    /// one. The second range is free of objects, or that of the object.
    pub fn around(
        &mut self,
        text: &[u8],
        window: Range<usize>,
        at: usize,
    ) -> (Option<Range<usize>>, Range<usize>) {
        if self.window != window {
            self.found = objects(text, &window);
            self.window = window.clone();
        }
        let found = record_at(&self.found, at);
        let known = match &found {
            Some(found) => found.clone(),
            None => {
                let next = self.found.partition_point(|object| object.start <= at);
                let start = next.checked_sub(1).map_or(window.start, |last| self.found[last].end);
                start..self.found.get(next).map_or(window.end, |next| next.start)
            }
        };
        (found, known)
    }
}

/// Where the first object with a complete first key begins.
fn first_object(text: &[u8]) -> Option<usize> {
    memchr::memmem::find_iter(text, b"{\"").find(|at| {
        let key = &text[at + 2..text.len().min(at + 2 + MAX_KEY)];
        let end = key.iter().position(|b| b"\"\\".contains(b));
        end.is_some_and(|end| {
            key[end] == b'"' && key[end + 1..].trim_ascii_start().first() == Some(&b':')
        })
    })
}

/// The outermost objects of a window that are short enough, in order.
fn objects(text: &[u8], window: &Range<usize>) -> Vec<Range<usize>> {
    let line = &text[..window.end];
    let mut found: Vec<Range<usize>> = Vec::new();
    let mut open = VecDeque::new();
    let Some(first) = first_object(&line[window.start..]) else { return found };
    let mut at = window.start + first;
    while let Some(next) = line.get(at..).and_then(|rest| memchr::memchr3(b'"', b'{', b'}', rest)) {
        at += next;
        match line[at] {
            b'"' => at = string_end(line, at + 1, 0).1.max(at + 1),
            b'{' => {
                if open.len() == MAX_DEPTH {
                    open.pop_front();
                }
                open.push_back(at);
                at += 1;
            }
            _ => {
                at += 1;
                let object = open.pop_back().map(|start| start..at);
                if let Some(object) = object.filter(|object| object.len() <= MAX_BLOCK) {
                    while found.last().is_some_and(|inner| inner.start >= object.start) {
                        found.pop();
                    }
                    found.push(object);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(at: usize) -> String {
        format!("{{\"n\":{at},\"s\":\"}}{{\\\"x\\\":1,{{\",\"d\":{{\"h\":\"evil{at}.\"}}}}")
    }

    /// The object is the same, wherever the window begins and ends.
    #[test]
    fn objects_in_windows() {
        let elements: Vec<String> = (0..4000).map(element).collect();
        let text = format!("{{\"Records\": [{}]}}", elements.join(","));
        assert!(text.len() > 2 * MAX_BLOCK);
        let place = text.find("evil2000.").unwrap();
        let start = text.find(&elements[2000]).unwrap();
        let want = start..start + elements[2000].len();
        let mut windows = Vec::from([Range { start: 0, end: text.len() }]);
        for cut in 0..200 {
            windows.push(start - MAX_BLOCK - cut..want.end);
            windows.push(start - cut..want.end + cut);
            windows.push(start - 300 * cut.min(1)..want.end + cut);
        }
        for window in windows {
            let (found, known) = Elements::default().around(text.as_bytes(), window.clone(), place);
            assert_eq!(found, Some(want.clone()), "{window:?}");
            assert_eq!(known, want);
        }
        let mut elements = Elements::default();
        let (none, known) = elements.around(text.as_bytes(), 0..text.len(), 3);
        assert!(none.is_none() && known.contains(&3) && known.end <= 13);
    }

    #[test]
    fn what_is_none() {
        for text in ["evil", "{evil", "{\"a\":\"evil", "[\"a{\",\"evil\"]", "\"{\",\"evil\"}"] {
            let at = text.find("evil").unwrap();
            let (found, known) = Elements::default().around(text.as_bytes(), 0..text.len(), at);
            assert!(found.is_none() && known.contains(&at), "{text}");
        }
    }
}
