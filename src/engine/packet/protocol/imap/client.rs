//! The client side of IMAP: LOGIN, APPEND and REPLACE (RFC 8508), STARTTLS, COMPRESS.

use super::side::{PROTOCOL, Side, State, Target};
use crate::engine::packet::contract::ParseContext;
use crate::engine::packet::payload::mail::{self, Mail};
use crate::engine::packet::view::Visitor;

/// The longest tag that is recognised before a first command.
const MAX_TAG: usize = 32;

/// Commands that a client begins with, or by which a stream is recognised in the middle.
const COMMANDS: [&[u8]; 28] = [
    b"CAPABILITY",
    b"NOOP",
    b"LOGOUT",
    b"STARTTLS",
    b"AUTHENTICATE",
    b"LOGIN",
    b"SELECT",
    b"EXAMINE",
    b"CREATE",
    b"LIST",
    b"LSUB",
    b"STATUS",
    b"APPEND",
    b"FETCH",
    b"STORE",
    b"COPY",
    b"UID",
    b"ID",
    b"IDLE",
    b"NAMESPACE",
    b"ENABLE",
    b"SEARCH",
    b"REPLACE",
    b"DELETE",
    b"SUBSCRIBE",
    b"EXPUNGE",
    b"CLOSE",
    b"COMPRESS",
];

/// Whether data begins like a client's. `None` if there is too little to decide.
pub(super) fn is_command(data: &[u8]) -> Option<bool> {
    let is_of_tag = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let tag = data.iter().take(MAX_TAG + 1).take_while(|&b| is_of_tag(b)).count();
    if tag == 0 || tag > MAX_TAG {
        return Some(false);
    }
    let rest = data.get(tag..).filter(|rest| !rest.is_empty())?;
    let Some(rest) = rest.strip_prefix(b" ") else { return Some(false) };
    let word = rest.iter().take_while(|b| b.is_ascii_alphabetic()).count();
    let (word, after) = rest.split_at_checked(word)?;
    let is_begun = |command: &&[u8]| {
        command.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    };
    let is_whole = |command: &&[u8]| command.len() == word.len() && is_begun(command);
    match after.first() {
        None if COMMANDS.iter().any(is_begun) => None,
        None => Some(false),
        Some(b' ' | b'\r' | b'\n') => Some(COMMANDS.iter().any(is_whole)),
        Some(_) => Some(false),
    }
}

impl Side {
    /// Parses a command up to a literal, or up to its end.
    pub(super) fn command<V: Visitor>(
        &mut self,
        line: &[u8],
        has_literal: bool,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Target {
        let (_, rest) = split_word(line);
        let (verb, arguments) = split_word(rest);
        let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
        if self.brings_mail {
            // The first literal may be the name of the mailbox: then there are no flags or date
            // before it, and more of the line follows.
            if has_literal && !is_mailbox(verb, arguments) {
                self.mail_done(false, context);
                self.mail = Some(Box::new(Mail::new(PROTOCOL)));
                // It may be assembled from parts of other mails (RFC 4469).
                let upper = line.to_ascii_uppercase();
                let is_part =
                    memchr::memmem::find(&upper, b"CATENATE").is_some() || is_after_part(&upper);
                return Target::Mail(!is_part);
            }
            return Target::Nothing;
        }
        if is("LOGIN") {
            if has_literal {
                return Target::Word;
            }
            mail::report_mailbox(&first_string(arguments), &mut context.report());
        } else if is("STARTTLS") || is("COMPRESS") {
            self.state = State::Other;
        }
        Target::Nothing
    }
}

/// Whether a line uploads mails.
pub(super) fn is_append(line: &[u8]) -> bool {
    let (verb, rest) = split_word(split_word(line).1);
    let is = |word: &[u8], name: &str| word.trim_ascii().eq_ignore_ascii_case(name.as_bytes());
    let is_uid = is(verb, "UID") && is(split_word(rest).0, "REPLACE");
    is(verb, "APPEND") || is(verb, "REPLACE") || is_uid
}

/// Whether the literal after the words of a command is the name of a mailbox.
fn is_mailbox(verb: &[u8], arguments: &[u8]) -> bool {
    let is = |name: &str| verb.eq_ignore_ascii_case(name.as_bytes());
    let words = arguments.split(|&b| b == b' ').filter(|word| !word.is_empty()).count();
    let before = match () {
        () if is("APPEND") => 0,
        // The number of the replaced mail.
        () if is("REPLACE") => 1,
        () if is("UID") => 2,
        () => return false,
    };
    words == before
}

/// Whether the part of a line between two literals continues with a part of a mail, in upper
/// case.
fn is_after_part(between: &[u8]) -> bool {
    let text = between.trim_ascii();
    text == b"TEXT" || (text.starts_with(b"URL ") && text.ends_with(b" TEXT"))
}

/// The first word of a line, and what follows it.
fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    let at = memchr::memchr(b' ', line).unwrap_or(line.len());
    let (word, rest) = line.split_at(at);
    (word, rest.trim_ascii_start())
}

/// The first of several strings, quoted or not.
fn first_string(text: &[u8]) -> Vec<u8> {
    let Some(quoted) = text.strip_prefix(b"\"") else { return split_word(text).0.to_vec() };
    let mut out = Vec::new();
    let mut bytes = quoted.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => break,
            b'\\' => out.extend(bytes.next()),
            _ => out.push(byte),
        }
    }
    out
}
