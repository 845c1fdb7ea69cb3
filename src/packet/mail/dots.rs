//! Mails that end with a line of a lone dot, and whose lines have a dot more if they
//! begin with one (RFC 5321, 4.5.2; RFC 1939, section 3).
//!
//! Only CR LF ends a line here, so that a dot behind a bare LF, which some servers
//! take for the end and others do not, ends nothing: what follows is still read, as
//! text. Where the command itself ended with a bare LF, all lines do.

use super::Mail;
use crate::packet::Visitor;
use crate::packet::stream::Context;

/// What stands in front of the next byte.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Before {
    #[default]
    LineEnd,
    Cr,
    Other,
}

/// Where in the lines it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::packet) struct Dots {
    before: Before,
    is_bare: bool,
}

/// What became of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::packet) enum Taken {
    Part(usize),
    /// All up to the end.
    End(usize),
    /// So many bytes must be there.
    Wants(usize),
}

impl Dots {
    /// `is_bare`: the line in front ended with a bare LF.
    pub(in crate::packet) fn new(is_bare: bool) -> Dots {
        Dots { before: Before::LineEnd, is_bare }
    }

    /// Bytes never came.
    pub(in crate::packet) fn gap(&mut self) {
        self.before = Before::Other;
    }

    /// Takes the next bytes for a mail; `data` is not empty.
    pub(in crate::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        mail: Option<&mut Mail>,
        context: &mut Context<'_, '_, V>,
    ) -> Taken {
        if self.before == Before::LineEnd && data.first() == Some(&b'.') {
            match data {
                [_] | [_, b'\r'] => return Taken::Wants(data.len() + 1),
                [_, b'\r', b'\n', ..] => return Taken::End(3),
                [_, b'\n', ..] if self.is_bare => return Taken::End(2),
                _ => {}
            }
            self.before = Before::Other;
            return Taken::Part(1);
        }
        let end = memchr::memmem::find(data, b"\n.").map_or(data.len(), |at| at + 1);
        let text = data.get(..end).unwrap_or(data);
        self.before = match text {
            [.., b'\r', b'\n'] => Before::LineEnd,
            [b'\n'] if self.before == Before::Cr => Before::LineEnd,
            [.., b'\n'] if self.is_bare => Before::LineEnd,
            [.., b'\r'] => Before::Cr,
            _ => Before::Other,
        };
        if let Some(mail) = mail {
            mail.push(text, context);
        }
        Taken::Part(text.len())
    }
}
