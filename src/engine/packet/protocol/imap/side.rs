//! One side of a connection: lines, with literals in them.

use super::{client, server};
use crate::engine::packet::Visitor;
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::payload::mail::{Mail, Text};
use crate::engine::progress::bound;

/// The longest line that is assembled; of a longer one the end counts.
pub(super) const MAX_LINE: usize = bound(16 << 10, 160);

/// How much of the end of a longer line is kept: a literal and its type.
const LINE_END: usize = bound(512, 96);

/// The longest literal that counts as a word of its line.
const MAX_WORD: u64 = bound(512, 32) as u64;

pub(super) const PROTOCOL: &str = "imap";

/// The type of a literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A mail; whether it ends with the literal.
    Mail(bool),
    /// Text; whether it is a complete part.
    Text(bool),
    /// A word of a line.
    Word,
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    Line,
    /// The server may refuse a literal of this many bytes; then a command comes instead.
    Offer(u64),
    /// This many bytes of a literal are to come.
    Literal(u64, Target),
    /// Possibly TLS.
    Other,
}

/// One side of a connection.
#[derive(Debug)]
pub(in crate::engine::packet) struct Side {
    pub(super) state: State,
    pub(super) is_server: bool,
    /// The line so far, including words that were sent as literals.
    pub(super) line: Vec<u8>,
    /// The line continues after a literal.
    pub(super) is_continued: bool,
    /// A client's line appends mails; a server's fetches them.
    pub(super) brings_mail: bool,
    /// The message of a server's line.
    pub(super) message: u32,
    /// The message whose mail is incomplete so far, and how far it was fetched.
    pub(super) partial: Option<(u32, u64)>,
    pub(super) mail: Option<Box<Mail>>,
    pub(super) text: Option<Box<Text>>,
}

impl Protocol for Side {
    type Session = ();

    fn probe(data: &[u8], _: &Opening, _: &impl Slot<Self::Session>) -> Probe<Self> {
        let of = |is_server| Probe::Is(Side::new(is_server));
        match (server::is_greeting(data), client::is_command(data)) {
            (Some(true), _) => of(true),
            (_, Some(true)) => of(false),
            (None, _) | (_, None) => Probe::Maybe(data.len() + 1),
            (Some(false), Some(false)) => Probe::No,
        }
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        match self.state {
            State::Other => Step::Restart,
            State::Line if self.line.is_empty() && data.first() == Some(&0x16) => Step::Restart,
            State::Line => {
                let end = memchr::memchr(b'\n', data).map_or(data.len(), |at| at + 1);
                let piece = data.get(..end).unwrap_or(data);
                self.line.extend_from_slice(piece);
                if self.line.len() > MAX_LINE {
                    self.begin_line();
                    let cut = self.line.len() - LINE_END;
                    self.line.drain(..cut);
                    self.is_continued = true;
                }
                if piece.ends_with(b"\n") {
                    self.line_done(context);
                }
                Step::Took(piece.len())
            }
            State::Offer(size) => {
                match client::is_command(data) {
                    // After a short literal, the end of the line is needed at the latest.
                    None => return Step::Wait(data.len() + 1),
                    Some(true) => {
                        self.mail = None;
                        (self.state, self.is_continued, self.brings_mail) =
                            (State::Line, false, false);
                        self.line.clear();
                    }
                    Some(false) => self.state = State::Literal(size, Target::Mail(true)),
                }
                Step::Again
            }
            State::Literal(left, target) => {
                let length = left.min(data.len() as u64);
                let piece = data.get(..length as usize).unwrap_or(data);
                self.literal(piece, target, context);
                self.state = State::Literal(left - length, target);
                if left == length {
                    self.literal_done(target, context);
                }
                Step::Took(piece.len())
            }
        }
    }

    fn gap<V: Visitor>(
        &mut self,
        length: u64,
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        let State::Literal(left, target) = self.state else { return false };
        let Some(left) = left.checked_sub(length) else { return false };
        self.state = State::Literal(left, target);
        match target {
            Target::Mail(_) => {
                if let Some(mail) = &mut self.mail {
                    mail.gap(length, &mut context.report());
                }
                if let Some((_, position)) = &mut self.partial {
                    *position = position.saturating_add(length);
                }
            }
            Target::Text(_) => {
                if let Some(text) = &mut self.text {
                    text.gap(length, &mut context.report());
                }
            }
            // A word with missing bytes is another word.
            Target::Word | Target::Nothing => self.line.clear(),
        }
        if left == 0 {
            self.literal_done(target, context);
        }
        true
    }

    fn finish<V: Visitor>(
        mut self,
        _: &[u8],
        _: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        self.mail_done(false, context);
        if let Some(text) = self.text.take() {
            text.finish(false, &mut context.report());
        }
    }

    fn weight(&self) -> usize {
        self.line.capacity()
            + self.mail.as_ref().map_or(0, |mail| size_of::<Mail>() + mail.weight())
            + self.text.as_ref().map_or(0, |text| size_of::<Text>() + text.weight())
    }
}

impl Side {
    pub(super) fn new(is_server: bool) -> Side {
        Side {
            state: State::Line,
            is_server,
            line: Vec::new(),
            is_continued: false,
            brings_mail: false,
            message: 0,
            partial: None,
            mail: None,
            text: None,
        }
    }

    pub(super) fn mail_done<V: Visitor>(
        &mut self,
        is_whole: bool,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        self.partial = None;
        if let Some(mail) = self.mail.take() {
            mail.finish(is_whole, &mut context.report());
        }
    }

    /// Notes the purpose of a line, unless it is the rest of one.
    pub(super) fn begin_line(&mut self) {
        if self.is_continued {
            return;
        }
        if self.is_server {
            let message = server::fetched(&self.line);
            self.brings_mail = message.is_some();
            self.message = message.unwrap_or(0);
        } else {
            self.brings_mail = client::is_append(&self.line);
        }
    }

    /// Parses a line, or the part before a literal.
    pub(super) fn line_done<V: Visitor>(&mut self, context: &mut ParseContext<'_, '_, V>) {
        self.begin_line();
        let mut line = std::mem::take(&mut self.line);
        let (text, size) = split_literal(line.trim_ascii_end());
        let target = if self.is_server {
            self.response(text, size.is_some(), context)
        } else {
            self.command(text, size.is_some(), context)
        };
        self.is_continued = size.is_some();
        match (size, self.state) {
            (_, State::Other) => {}
            (Some(size), _) => {
                // Names are in the first words; all words are parsed again with each literal, so
                // their length is limited.
                let is_long = size > MAX_WORD || text.len() as u64 > 4 * MAX_WORD;
                let target =
                    if target == Target::Word && is_long { Target::Nothing } else { target };
                // The words before it are needed again after it.
                let kept = if target == Target::Word { text.len() } else { 0 };
                let is_offered = !self.is_server && target == Target::Mail(true) && size > 0;
                self.state = if is_offered && !line.trim_ascii_end().ends_with(b"+}") {
                    State::Offer(size)
                } else {
                    State::Literal(size, target)
                };
                line.truncate(kept.min(MAX_LINE));
                self.line = line;
                if size == 0 {
                    self.literal_done(target, context);
                }
                return;
            }
            (None, _) => self.state = State::Line,
        }
        line.clear();
        self.line = line;
    }

    pub(super) fn literal<V: Visitor>(
        &mut self,
        piece: &[u8],
        target: Target,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        match target {
            Target::Nothing => {}
            // It may contain line breaks; the line must not.
            Target::Word => {
                self.line.extend(piece.iter().filter(|&&b| b != b'\r' && b != b'\n'));
            }
            Target::Mail(_) => {
                if let Some(mail) = &mut self.mail {
                    mail.push(piece, &mut context.report());
                }
                if let Some((_, position)) = &mut self.partial {
                    *position = position.saturating_add(piece.len() as u64);
                }
            }
            Target::Text(_) => {
                if let Some(text) = &mut self.text {
                    text.push(piece, &mut context.report());
                    text.flush(&mut context.report());
                }
            }
        }
    }

    pub(super) fn literal_done<V: Visitor>(
        &mut self,
        target: Target,
        context: &mut ParseContext<'_, '_, V>,
    ) {
        self.state = State::Line;
        match target {
            Target::Mail(true) => self.mail_done(true, context),
            // The client assembles a mail from parts of which some are not available here.
            Target::Mail(false) if !self.is_server => self.mail_done(false, context),
            Target::Text(is_whole) => {
                if let Some(text) = self.text.take() {
                    text.finish(is_whole, &mut context.report());
                }
            }
            Target::Mail(false) | Target::Word | Target::Nothing => {}
        }
    }
}

/// The part of a line before the literal that it ends with, and its size: `{12}`, `{12+}`,
/// `~{12}`.
pub(super) fn split_literal(line: &[u8]) -> (&[u8], Option<u64>) {
    let size = line.strip_suffix(b"}").and_then(|rest| {
        let at = memchr::memrchr(b'{', rest)?;
        let digits = rest.get(at + 1..)?;
        let digits = digits.strip_suffix(b"+").unwrap_or(digits);
        let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
        let size = std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()?;
        let text = rest.get(..at)?;
        Some((text.strip_suffix(b"~").unwrap_or(text), size))
    });
    size.map_or((line, None), |(text, size)| (text, Some(size)))
}
