//! Text of a mail on its way to the visitor.
//!
//! It is passed on in pieces that end with a line, at the latest when the packet has been parsed;
//! a line that is longer than the window is cut at a blank or a bracket. So no observable that is
//! shorter than the window is cut.

use super::charset::{Charset, Decoder};
use super::flowed::{Joined, Lines};
use super::html::References;
use super::uu::{self, Uu};
use crate::engine::indicator::Where;
use crate::engine::packet::payload::file::File;
use crate::engine::packet::view::Attachment;
use crate::engine::packet::view::Report;
use crate::engine::packet::{ProtocolFacts, Visitor};
use crate::engine::progress::{Walk, bound};
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// The maximum part of a line that is held back.
const WINDOW: usize = bound(16 << 10, 256);

/// Bytes that are taken at a time.
const PIECE: usize = bound(4 << 10, 64);

/// Text in transfer.
#[derive(Debug)]
pub(in crate::engine::packet) struct Text {
    protocol: &'static str,
    wide: Option<Box<Decoder>>,
    joined: Option<Joined>,
    html: Option<References>,
    held: Vec<u8>,
    /// A file within it.
    inside: Option<Box<(Uu, File)>>,
    /// The last piece ended with a line.
    is_line_start: bool,
    /// Bytes were lost: what comes before the next blank is the end of an unknown word.
    starts_in_word: bool,
    /// Its first bytes have arrived.
    is_begun: bool,
}

impl Text {
    pub(super) fn new(protocol: &'static str, charset: Charset, is_html: bool) -> Text {
        Text {
            protocol,
            wide: Decoder::new(charset).map(Box::new),
            joined: None,
            html: is_html.then(References::default),
            held: Vec::new(),
            inside: None,
            is_line_start: true,
            starts_in_word: false,
            is_begun: false,
        }
    }

    /// The same, with lines that continue in the given way.
    pub(super) fn with_lines(self, lines: Lines) -> Text {
        Text { joined: Joined::new(lines), ..self }
    }

    /// Text without known properties.
    pub(in crate::engine::packet) fn plain(protocol: &'static str) -> Text {
        Text::new(protocol, Charset::Narrow, false)
    }

    pub(in crate::engine::packet) fn weight(&self) -> usize {
        let inside = self
            .inside
            .as_ref()
            .map_or(0, |inside| size_of::<(Uu, File)>() + inside.0.weight() + inside.1.weight());
        self.held.capacity() + inside
    }

    pub(in crate::engine::packet) fn push<V: Visitor>(
        &mut self,
        data: &[u8],
        to: &mut Report<'_, '_, V>,
    ) {
        for piece in data.chunks(PIECE) {
            let Text { wide, joined, html, held, is_begun, .. } = self;
            if !*is_begun {
                // A byte order mark takes precedence over a declared character set.
                let marked = || Decoder::marked(piece).map(Box::new);
                (*wide, *is_begun) = (wide.take().or_else(marked), true);
            }
            match (wide, joined, html) {
                (None, None, None) => held.extend_from_slice(piece),
                (None, None, Some(html)) => html.decode(piece, held),
                (None, Some(joined), _) => joined.join(piece, held),
                (Some(wide), None, None) => wide.decode(piece, held),
                (Some(wide), Some(joined), _) => joined.join(&wide.decoded(piece), held),
                (Some(wide), None, Some(html)) => html.decode(&wide.decoded(piece), held),
            }
            if self.starts_in_word {
                let end = self.held.iter().position(is_cut);
                self.starts_in_word = end.is_none();
                self.held.drain(..end.unwrap_or(self.held.len()));
            }
            if self.held.len() >= WINDOW {
                self.flush(to);
            }
        }
    }

    /// Passes on the available lines.
    pub(in crate::engine::packet) fn flush<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        let end = match memchr::memrchr(b'\n', &self.held) {
            Some(at) => at + 1,
            None if self.held.len() < WINDOW => return,
            // A longer word is cut at the same places, however its bytes arrive.
            None => self.held.iter().rposition(is_cut).map_or(WINDOW, |at| at + 1),
        };
        self.hand_on(end, to);
    }

    /// Bytes are missing: a line ends before them, after the last complete word.
    pub(in crate::engine::packet) fn gap<V: Visitor>(
        &mut self,
        length: u64,
        to: &mut Report<'_, '_, V>,
    ) {
        if let Some(html) = &mut self.html {
            html.finish(&mut self.held);
        }
        if let Some(joined) = &mut self.joined {
            joined.finish(&mut self.held);
        }
        self.cut_word();
        self.hand_on(self.held.len(), to);
        if let Some((uu, file)) = self.inside.as_deref_mut() {
            uu.gap();
            file.gap(length);
        }
        (self.is_line_start, self.starts_in_word) = (false, true);
    }

    /// The text begins in the middle of a word.
    pub(in crate::engine::packet) fn set_starts_in_word(&mut self) {
        self.starts_in_word = true;
    }

    /// Removes the last word, whose end is missing: a part of it would be another word.
    fn cut_word(&mut self) {
        let end = self.held.iter().rposition(is_cut).map_or(0, |at| at + 1);
        self.held.truncate(end);
    }

    /// It has ended; `is_whole` unless it was cut off.
    pub(in crate::engine::packet) fn finish<V: Visitor>(
        mut self,
        is_whole: bool,
        to: &mut Report<'_, '_, V>,
    ) {
        if let Some(html) = &mut self.html {
            html.finish(&mut self.held);
        }
        if let Some(joined) = &mut self.joined {
            joined.finish(&mut self.held);
        }
        if !is_whole {
            self.cut_word();
        }
        self.hand_on(self.held.len(), to);
    }

    fn hand_on<V: Visitor>(&mut self, end: usize, to: &mut Report<'_, '_, V>) {
        let mut held = std::mem::take(&mut self.held);
        let mut walk = Walk::over(held.get(..end).unwrap_or_default());
        while let Some(rest) = walk.rest() {
            let taken = match &mut self.inside {
                Some(inside) => {
                    let (uu, file) = &mut **inside;
                    let end = memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
                    let line = rest.get(..end).unwrap_or(rest);
                    // What only began like data continues as text.
                    let is_data = uu.fits(line);
                    if is_data {
                        uu.decode(line, &mut |bytes| file.update(bytes));
                    }
                    if (uu.is_over() || !is_data)
                        && let Some(inside) = self.inside.take()
                    {
                        inside.1.finish(is_data, to.packet, to.visitor);
                        self.is_line_start = true;
                    }
                    if is_data { line.len() } else { 0 }
                }
                None => self.plain_text(rest, to),
            };
            walk.take(taken);
        }
        held.drain(..end.min(held.len()));
        self.held = held;
    }

    /// Passes on text up to a file within it; returns how much was processed.
    fn plain_text<V: Visitor>(&mut self, text: &[u8], to: &mut Report<'_, '_, V>) -> usize {
        let file = self.find_file(text);
        let (end, taken) = file.map_or((text.len(), text.len()), |(at, end, _)| (at, end));
        if let Some(shown) = text.get(..end).filter(|shown| !shown.is_empty()) {
            to.visitor.text(shown, Where::MailBody, to.packet, ProtocolFacts::None);
        }
        self.is_line_start = text.get(..taken).is_some_and(|text| text.ends_with(b"\n"));
        if let Some((_, _, begin)) = file {
            let name = begin.name;
            let file = File::begin(self.protocol, Some(name), to.packet, to.visitor);
            let attachment = Attachment { name, depth: 0, is_reported: false };
            let file = file.shown(&attachment, to.visitor);
            self.inside = Some(Box::new((Uu::begun(begin.is_base64), file)));
        }
        taken
    }

    /// Where uuencoded data begins: start and end of its first line, and its contents.
    fn find_file<'t>(&self, text: &'t [u8]) -> Option<(usize, usize, uu::Begin<'t>)> {
        if self.html.is_some() {
            return None;
        }
        static BEGIN: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"begin"));
        BEGIN.find_iter(text).find_map(|at| {
            let is_start = match at.checked_sub(1) {
                None => self.is_line_start,
                Some(before) => text.get(before) == Some(&b'\n'),
            };
            // Longer ones may be cut, and so the line is not searched for each word in it.
            let rest = text.get(at..).filter(|_| is_start)?;
            let end = memchr::memchr(b'\n', rest.get(..uu::MAX_HEAD).unwrap_or(rest))?;
            Some((at, at + end + 1, uu::begin(rest.get(..end)?)?))
        })
    }
}

/// Whether a word ends with a byte.
fn is_cut(byte: &u8) -> bool {
    *byte <= b' ' || matches!(byte, b'<' | b'>' | b'"')
}
