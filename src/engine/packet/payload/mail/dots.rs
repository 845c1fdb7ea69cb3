//! Mails that end with a line of a single dot, and in which a dot is doubled at the beginning of
//! a line (RFC 5321, 4.5.2; RFC 1939, section 3).
//!
//! Only CR LF ends a line here, so that a dot after a bare LF, which some servers take for the
//! end and others do not, does not end the mail: what follows is still parsed, as text. If the
//! command itself ended with a bare LF, all lines do.

use super::Mail;
use crate::engine::packet::Visitor;
use crate::engine::packet::view::Report;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Finds lines that begin with a dot.
static DOT: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"\n."));

/// What precedes the next byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    LineEnd,
    Cr,
    Other,
}

/// The position within a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Dots {
    before: Before,
    is_bare: bool,
}

/// The result of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::engine::packet) enum Taken {
    Part(usize),
    /// All up to the end.
    End(usize),
    /// This many bytes are needed.
    Wants(usize),
}

impl Dots {
    /// `is_bare`: the line before ended with a bare LF.
    pub(in crate::engine::packet) fn new(is_bare: bool) -> Dots {
        Dots { before: Before::LineEnd, is_bare }
    }

    /// Bytes are missing.
    pub(in crate::engine::packet) fn gap(&mut self) {
        self.before = Before::Other;
    }

    /// Takes the next bytes of a mail; `data` is not empty.
    pub(in crate::engine::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        mail: Option<&mut Mail>,
        to: &mut Report<'_, '_, V>,
    ) -> Taken {
        let mut mail = mail;
        let mut at = 0;
        let taken = loop {
            let Some(rest) = data.get(at..).filter(|rest| !rest.is_empty()) else {
                break Taken::Part(at);
            };
            if self.before == Before::LineEnd && rest.first() == Some(&b'.') {
                match rest {
                    [_] | [_, b'\r'] if at > 0 => break Taken::Part(at),
                    [_] | [_, b'\r'] => break Taken::Wants(rest.len() + 1),
                    [_, b'\r', b'\n', ..] => break Taken::End(at + 3),
                    [_, b'\n', ..] if self.is_bare => break Taken::End(at + 2),
                    _ => {}
                }
                self.before = Before::Other;
                at += 1;
                continue;
            }
            let end = DOT.find(rest).map_or(rest.len(), |at| at + 1);
            let text = rest.get(..end).unwrap_or(rest);
            self.follow(text);
            if let Some(mail) = &mut mail {
                mail.take(text, to);
            }
            at += text.len();
        };
        // Once for all lines: a call for each would be expensive.
        if let Some(mail) = mail {
            mail.flush(to);
        }
        taken
    }

    fn follow(&mut self, text: &[u8]) {
        self.before = match text {
            [.., b'\r', b'\n'] => Before::LineEnd,
            [b'\n'] if self.before == Before::Cr => Before::LineEnd,
            [.., b'\n'] if self.is_bare => Before::LineEnd,
            [.., b'\r'] => Before::Cr,
            _ => Before::Other,
        };
    }
}
