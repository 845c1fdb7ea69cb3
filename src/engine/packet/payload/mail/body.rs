//! Bodies and the delimiters between their parts (RFC 2046, 5.1).
//!
//! Without a multipart, a body goes to its leaf as it is. In one, the line break before a
//! delimiter belongs to the delimiter, so each line break is held back until the next line is
//! known; only lines that begin with a dash are buffered.

use super::entity::Entity;
use super::leaf::Leaf;
use super::{Mail, MailState};
use crate::engine::packet::Visitor;
use crate::engine::packet::view::Report;
use crate::engine::progress::bound;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// The longest line that can be a delimiter: blanks may follow the boundary, and a line has
/// up to 998 characters (RFC 5322, 2.1.1).
const MAX_DELIMITER: usize = bound(1 << 10, 48);

/// Finds lines that begin with a dash.
static DASH: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n-"));

impl Mail {
    /// Takes bytes of a body.
    pub(super) fn body<V: Visitor>(
        &mut self,
        first: u8,
        data: &[u8],
        to: &mut Report<'_, '_, V>,
    ) -> usize {
        if self.bounds.is_empty() {
            self.show(data, to);
            return data.len();
        }
        if self.pending == b"\r" {
            if first == b'\n' {
                (self.pending, self.is_line_start) = (b"\r\n", true);
                return 1;
            }
            self.show_pending(to);
        }
        if self.is_line_start {
            if !self.held.is_empty() || first == b'-' {
                return self.candidate(data, to);
            }
            self.show_pending(to);
            self.is_line_start = false;
        }
        // Everything up to the next line that begins with a dash.
        let end = DASH.find(data).map_or(data.len(), |at| at + 1);
        let text = data.get(..end).unwrap_or(data);
        let shown = self.hold_break(text);
        self.show(shown, to);
        text.len()
    }

    /// Holds the line break at the end of a text back; returns the text without it.
    fn hold_break<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        let (text, pending): (_, &[u8]) = match text {
            [text @ .., b'\r', b'\n'] => (text, b"\r\n"),
            [text @ .., b'\n'] => (text, b"\n"),
            [text @ .., b'\r'] => (text, b"\r"),
            _ => (text, b""),
        };
        self.pending = pending;
        self.is_line_start = pending.ends_with(b"\n");
        text
    }

    fn show<V: Visitor>(&mut self, data: &[u8], to: &mut Report<'_, '_, V>) {
        if let Some(leaf) = &mut self.leaf {
            leaf.push(data, to);
        }
    }

    pub(super) fn show_pending<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        let pending = std::mem::take(&mut self.pending);
        self.show(pending, to);
    }

    /// Takes bytes of a line that may be a delimiter.
    fn candidate<V: Visitor>(&mut self, data: &[u8], to: &mut Report<'_, '_, V>) -> usize {
        let end = memchr::memchr(b'\n', data).map_or(data.len(), |at| at + 1);
        let room = MAX_DELIMITER - self.held.len().min(MAX_DELIMITER);
        let line = data.get(..end.min(room)).unwrap_or(data);
        self.held.extend_from_slice(line);
        let is_whole = self.held.ends_with(b"\n");
        if is_whole && let Some((at, is_close)) = self.delimiter() {
            self.delimit(at, is_close, to);
        } else if is_whole
            || self.held.len() >= MAX_DELIMITER
            || self.held.get(1).is_some_and(|&second| second != b'-')
        {
            self.no_delimiter(to);
        }
        line.len()
    }

    /// The line that is held is text.
    pub(super) fn no_delimiter<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        self.show_pending(to);
        let mut held = std::mem::take(&mut self.held);
        let shown = self.hold_break(&held);
        self.show(shown, to);
        held.clear();
        self.held = held;
    }

    /// The multipart whose delimiter the line that is held is, and whether it is its end.
    pub(super) fn delimiter(&self) -> Option<(usize, bool)> {
        let rest = self.held.strip_prefix(b"--")?;
        // A delimiter is one line, not folded: only that is examined, however many lines follow.
        let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        let rest = rest.get(..end).filter(|line| line.len() == rest.len())?.trim_ascii_end();
        self.bounds.iter().enumerate().rev().find_map(|(at, bound)| {
            match rest.strip_prefix(&bound.text[..])? {
                b"" => Some((at, false)),
                b"--" => Some((at, true)),
                _ => None,
            }
        })
    }

    /// A part has ended.
    pub(super) fn delimit<V: Visitor>(
        &mut self,
        at: usize,
        is_close: bool,
        to: &mut Report<'_, '_, V>,
    ) {
        if let Some(leaf) = self.leaf.take() {
            leaf.finish(true, to);
        }
        self.held.clear();
        self.pending = b"";
        self.is_line_start = true;
        if is_close {
            self.bounds.truncate(at);
            self.state = MailState::Body;
            self.leaf = Some(Box::new(Leaf::around(self.protocol)));
        } else {
            self.bounds.truncate(at + 1);
            self.state = MailState::Headers;
            self.entity = Entity::of_part(self.bounds.last().is_some_and(|b| b.is_digest));
        }
    }
}
