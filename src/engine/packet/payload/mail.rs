//! Mails as they stream: headers, nested parts, text and files (RFC 5322, RFC 2045, RFC 2046).
//!
//! A [`Mail`] gets the bytes of a mail, split anywhere, from any protocol. It passes addresses,
//! hosts and text of the headers, the text of bodies and the digests of files to the visitor.
//! Every kind of part is decoded: text of any kind, HTML with its character references, attached
//! mails, files by name and digest, and uuencoded files within text. What is around the parts of
//! a multipart is text.
//!
//! It is as lenient as mail programs: an invalid line among the headers is text, a part ends with
//! the boundary of any multipart around it, unknown encodings change nothing. Nothing is kept but
//! a header, a line of text, the boundaries and the state of the digests, all of bounded size;
//! multiparts and mails are nested to a bounded depth, and what is deeper is text.

mod body;
mod charset;
mod dots;
mod entity;
mod flowed;
mod header;
mod html;
mod leaf;
mod params;
mod text;
mod transfer;
mod uu;
mod words;

pub(in crate::engine::packet) use dots::{Dots, Taken};
pub(in crate::engine::packet) use header::{path, split_header};
pub(in crate::engine::packet) use text::Text;

use crate::engine::indicator::{Observable, Where};
use crate::engine::packet::view::Report;
use crate::engine::packet::{Fault, ProtocolFacts, Visitor};
use crate::engine::progress::{Walk, bound};
use entity::{Entity, Kind};
use leaf::Leaf;

/// The longest header, including all its folded lines.
const MAX_HEADER: usize = bound(64 << 10, 64);

/// Text of headers that is collected before it is passed on.
const MAX_TEXT: usize = bound(4 << 10, 32);

/// Nested multiparts in one mail.
const MAX_MULTIPARTS: usize = bound(16, 3);

/// Nested mails.
const MAX_MAILS: u8 = bound(4, 2) as u8;

/// What comes next in a mail.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum MailState {
    #[default]
    Headers,
    /// The rest of a header that is too long; whether a line begins.
    TooLong(bool),
    Body,
}

/// A multipart that is open.
#[derive(Debug)]
struct Bound {
    text: Box<[u8]>,
    is_digest: bool,
}

/// A mail in transfer.
#[derive(Debug)]
pub(in crate::engine::packet) struct Mail {
    protocol: &'static str,
    /// Number of mails around it.
    depth: u8,
    /// Only its headers will come.
    is_head: bool,
    state: MailState,
    /// A header, or a body line that may be a delimiter.
    held: Vec<u8>,
    /// The line break before what comes next, if that is not a delimiter.
    pending: &'static [u8],
    is_line_start: bool,
    entity: Entity,
    bounds: Vec<Bound>,
    leaf: Option<Box<Leaf>>,
    /// Text of headers, and of invalid lines among them, to be passed on.
    texts: [Vec<u8>; 2],
}

impl Mail {
    /// A mail that `protocol` carries.
    pub(in crate::engine::packet) fn new(protocol: &'static str) -> Mail {
        Mail {
            protocol,
            depth: 0,
            is_head: false,
            state: MailState::Headers,
            held: Vec::new(),
            pending: b"",
            is_line_start: true,
            entity: Entity::default(),
            bounds: Vec::new(),
            leaf: None,
            texts: [Vec::new(), Vec::new()],
        }
    }

    /// The headers of a mail, without its body.
    pub(in crate::engine::packet) fn head(protocol: &'static str) -> Mail {
        Mail { is_head: true, ..Mail::new(protocol) }
    }

    /// A mail in a mail, if that is not nested too deeply.
    fn inside(protocol: &'static str, depth: u8) -> Option<Mail> {
        (depth + 1 < MAX_MAILS).then(|| Mail { depth: depth + 1, ..Mail::new(protocol) })
    }

    pub(in crate::engine::packet) fn weight(&self) -> usize {
        let bounds: usize = self.bounds.iter().map(|b| size_of::<Bound>() + b.text.len()).sum();
        let leaf = self.leaf.as_ref().map_or(0, |leaf| size_of::<Leaf>() + leaf.weight());
        let texts: usize = self.texts.iter().map(Vec::capacity).sum();
        self.held.capacity() + self.entity.weight() + bounds + leaf + texts
    }

    /// Takes the next bytes, and reports what is complete by now.
    pub(in crate::engine::packet) fn push<V: Visitor>(
        &mut self,
        data: &[u8],
        to: &mut Report<'_, '_, V>,
    ) {
        self.take(data, to);
        self.flush(to);
    }

    fn flush<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        self.flush_headers(to);
        if let Some(leaf) = &mut self.leaf {
            leaf.flush(to);
        }
    }

    fn flush_headers<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        for (text, at) in self.texts.iter_mut().zip([Where::SmtpHeader, Where::MailBody]) {
            if !text.is_empty() {
                to.visitor.text(text, at, to.packet, ProtocolFacts::None);
                text.clear();
            }
        }
    }

    fn take<V: Visitor>(&mut self, data: &[u8], to: &mut Report<'_, '_, V>) {
        let mut walk = Walk::over(data);
        while let Some((rest, &first)) = walk.rest().and_then(|rest| Some((rest, rest.first()?))) {
            walk.take(match self.state {
                MailState::Headers => match self.whole_header(first, rest) {
                    Some(length) => {
                        self.header(rest.get(..length).unwrap_or(rest), to);
                        length
                    }
                    None => self.header_line(first, rest, to),
                },
                MailState::TooLong(is_line_start) => self.too_long(is_line_start, rest),
                MailState::Body => self.body(first, rest, to),
            });
        }
        if walk.is_stuck() {
            to.counters.note(Fault::Stuck);
        }
    }

    /// The length of the header that data begins with, if it is complete and nothing of it is
    /// held: then it need not be copied. A line that begins with a dash may be a delimiter, and
    /// an empty one ends the headers.
    fn whole_header(&self, first: u8, data: &[u8]) -> Option<usize> {
        if !self.held.is_empty() || matches!(first, b'-' | b'\r' | b'\n') {
            return None;
        }
        let mut end = 0;
        while end < MAX_HEADER {
            end += memchr::memchr(b'\n', data.get(end..)?)? + 1;
            if !matches!(data.get(end)?, b' ' | b'\t') {
                return (end < MAX_HEADER).then_some(end);
            }
        }
        None
    }

    /// Takes bytes of a line among the headers. The header before ends when a line begins that
    /// does not continue it.
    fn header_line<V: Visitor>(
        &mut self,
        first: u8,
        data: &[u8],
        to: &mut Report<'_, '_, V>,
    ) -> usize {
        if self.held.ends_with(b"\n") {
            if !matches!(first, b' ' | b'\t') {
                self.held_header(to);
                // The next one may be complete.
                return 0;
            }
            if self.held.len() >= MAX_HEADER {
                // It ended with the last line that there was room for, but continues.
                to.counters.note(Fault::SplitMail);
                self.incomplete_header(to);
                self.state = MailState::TooLong(true);
                return 0;
            }
        }
        let end = memchr::memchr(b'\n', data).map_or(data.len(), |at| at + 1);
        let room = MAX_HEADER - self.held.len().min(MAX_HEADER);
        let line = data.get(..end.min(room)).unwrap_or(data);
        self.held.extend_from_slice(line);
        if self.held.len() >= MAX_HEADER && !self.held.ends_with(b"\n") {
            to.counters.note(Fault::SplitMail);
            self.incomplete_header(to);
            self.state = MailState::TooLong(false);
        } else if matches!(&self.held[..], b"\r\n" | b"\n") {
            self.headers_done(to);
        } else if self.held.ends_with(b"\n")
            && let Some((at, is_close)) = self.delimiter()
        {
            self.begin_body(to);
            self.delimit(at, is_close, to);
        }
        line.len()
    }

    /// Skips the rest of a header.
    fn too_long(&mut self, is_line_start: bool, data: &[u8]) -> usize {
        if is_line_start && !matches!(data, [b' ' | b'\t', ..]) {
            self.state = MailState::Headers;
            return 0;
        }
        let end = memchr::memchr(b'\n', data).map_or(data.len(), |at| at + 1);
        self.state = MailState::TooLong(data.get(..end).is_some_and(|line| line.ends_with(b"\n")));
        end
    }

    /// Parses an incomplete header, without its last word: a part of a word would be another one.
    fn incomplete_header<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        if !self.held.ends_with(b"\n") {
            let is_cut = |b: &u8| *b <= b' ' || b",;<>()\"".contains(b);
            let colon = memchr::memchr(b':', &self.held);
            let end = self.held.iter().rposition(is_cut).max(colon);
            self.held.truncate(end.map_or(0, |at| at + 1));
        }
        self.held_header(to);
    }

    /// Parses the header that is held.
    fn held_header<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        let mut held = std::mem::take(&mut self.held);
        self.header(&held, to);
        held.clear();
        self.held = held;
    }

    /// Parses a header, or an invalid line.
    fn header<V: Visitor>(&mut self, field: &[u8], to: &mut Report<'_, '_, V>) {
        let [text, odd] = &mut self.texts;
        if let Some((name, value)) = split_header(field) {
            self.entity.header(name, value);
            header::report(name, value, text, to);
        } else {
            odd.extend_from_slice(field);
        }
        if text.len() + odd.len() >= MAX_TEXT {
            self.flush_headers(to);
        }
    }

    fn headers_done<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        self.held.clear();
        self.begin_body(to);
    }

    /// Begins the body that the headers described.
    fn begin_body<V: Visitor>(&mut self, to: &mut Report<'_, '_, V>) {
        self.flush_headers(to);
        (self.state, self.is_line_start, self.pending) = (MailState::Body, true, b"");
        let mut entity = std::mem::take(&mut self.entity);
        if self.is_head {
            return leaf::report_names(&entity, self.protocol, false, to);
        }
        if entity.kind == Kind::Multipart
            && let Some(text) = entity.boundary.take()
        {
            if self.bounds.len() < MAX_MULTIPARTS {
                self.bounds.push(Bound { text, is_digest: entity.is_digest });
                self.leaf = Some(Box::new(Leaf::around(self.protocol)));
                return;
            }
            to.counters.note(Fault::DeepMail);
        }
        let leaf = Leaf::begin(entity, self.protocol, self.depth, to);
        self.leaf = Some(Box::new(leaf));
    }

    /// Bytes are missing.
    pub(in crate::engine::packet) fn gap<V: Visitor>(
        &mut self,
        length: u64,
        to: &mut Report<'_, '_, V>,
    ) {
        match self.state {
            MailState::Headers => {
                if !self.held.is_empty() {
                    self.incomplete_header(to);
                }
                self.state = MailState::TooLong(false);
            }
            MailState::TooLong(_) => self.state = MailState::TooLong(false),
            MailState::Body => {
                self.no_delimiter(to);
                (self.pending, self.is_line_start) = (b"", false);
                if let Some(leaf) = &mut self.leaf {
                    leaf.gap(length, to);
                }
            }
        }
    }

    /// The mail ends; `is_whole` unless it was cut off.
    pub(in crate::engine::packet) fn finish<V: Visitor>(
        mut self,
        is_whole: bool,
        to: &mut Report<'_, '_, V>,
    ) {
        if self.state == MailState::Headers && !self.held.is_empty() {
            if !is_whole && !self.held.ends_with(b"\n") {
                to.counters.note(Fault::SplitMail);
            }
            match self.delimiter() {
                Some((at, is_close)) => self.delimit(at, is_close, to),
                None if is_whole => self.held_header(to),
                None => self.incomplete_header(to),
            }
        }
        if self.state == MailState::Body && !self.bounds.is_empty() {
            match self.delimiter().filter(|_| self.is_line_start) {
                Some((at, is_close)) => self.delimit(at, is_close, to),
                None => {
                    self.no_delimiter(to);
                    self.show_pending(to);
                }
            }
        }
        self.flush_headers(to);
        if let Some(leaf) = self.leaf {
            leaf.finish(is_whole, to);
        }
    }
}

/// Reports a mailbox, if its name is an e-mail address.
pub(in crate::engine::packet) fn report_mailbox<V: Visitor>(
    name: &[u8],
    to: &mut Report<'_, '_, V>,
) {
    let is_email = memchr::memchr(b'@', name).is_some_and(|at| at > 0 && at + 1 < name.len());
    if is_email {
        let email = Observable::Email(name);
        to.visitor.seen(email, Where::MailTo, to.packet, ProtocolFacts::None);
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
