//! The server side of IMAP: mails in the responses to FETCH.

use super::side::{PROTOCOL, Side, Target};
use crate::engine::packet::contract::ParseContext;
use crate::engine::packet::payload::mail::{Mail, Text};
use crate::engine::packet::view::Visitor;

/// Greetings of servers (RFC 3501, 7.1).
const GREETINGS: [&[u8]; 3] = [b"* OK", b"* PREAUTH", b"* BYE"];

/// Whether data begins like a server's. `None` if there is too little to decide.
pub(super) fn is_greeting(data: &[u8]) -> Option<bool> {
    let mut answer = Some(false);
    if data.first().is_some_and(|&first| first != b'*') {
        return answer;
    }
    for greeting in GREETINGS {
        let length = greeting.len().min(data.len());
        if data.get(..length) != greeting.get(..length) {
            continue;
        }
        match data.get(greeting.len()) {
            Some(b' ') => return Some(true),
            Some(_) => {}
            None => answer = None,
        }
    }
    answer
}

/// The type of a literal, according to the words before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    Mail,
    Head,
    Text,
    None,
}

impl Side {
    /// Parses what comes before a literal, or before the end of a line.
    pub(super) fn response<V: Visitor>(
        &mut self,
        line: &[u8],
        has_literal: bool,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Target {
        if !has_literal || !self.brings_mail {
            return Target::Nothing;
        }
        let (section, origin) = section(line);
        match section {
            Section::None => Target::Nothing,
            Section::Text => self.begin_text(origin),
            Section::Head => {
                self.mail_done(false, context);
                self.mail = Some(Box::new(Mail::head(PROTOCOL)));
                Target::Mail(origin.is_none())
            }
            Section::Mail => self.begin_mail(origin, context),
        }
    }

    /// Text begins. That of a partial fetch may begin and end within a word.
    fn begin_text(&mut self, origin: Option<u64>) -> Target {
        let mut text = Text::plain(PROTOCOL);
        if origin.is_some_and(|origin| origin > 0) {
            text.set_starts_in_word();
        }
        self.text = Some(Box::new(text));
        Target::Text(origin.is_none())
    }

    /// A mail begins, or continues where it ended before.
    fn begin_mail<V: Visitor>(
        &mut self,
        origin: Option<u64>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Target {
        let Some(origin) = origin else {
            self.mail_done(false, context);
            self.mail = Some(Box::new(Mail::new(PROTOCOL)));
            return Target::Mail(true);
        };
        if self.partial == Some((self.message, origin)) && self.mail.is_some() {
            return Target::Mail(false);
        }
        self.mail_done(false, context);
        if origin > 0 {
            // A part whose beginning was not seen.
            return self.begin_text(Some(origin));
        }
        self.mail = Some(Box::new(Mail::new(PROTOCOL)));
        self.partial = Some((self.message, 0));
        Target::Mail(false)
    }
}

/// The number of the message that a line contains: `* 12 FETCH (`.
pub(super) fn fetched(line: &[u8]) -> Option<u32> {
    let rest = line.strip_prefix(b"* ")?;
    let (number, rest) = rest.split_at_checked(memchr::memchr(b' ', rest)?)?;
    let is_fetch = rest.get(..7).is_some_and(|word| word.eq_ignore_ascii_case(b" FETCH "));
    std::str::from_utf8(number).ok().filter(|_| is_fetch)?.parse().ok()
}

/// The type of the last item of a line, and its offset if it is partial: `BODY[]<0> `.
fn section(line: &[u8]) -> (Section, Option<u64>) {
    let mut item = line.trim_ascii_end();
    let mut origin = None;
    if let Some(rest) = item.strip_suffix(b">")
        && let Some(at) = memchr::memrchr(b'<', rest)
    {
        let digits = rest.get(at + 1..).and_then(|digits| std::str::from_utf8(digits).ok());
        origin = digits.and_then(|digits| digits.parse().ok());
        item = rest.get(..at).unwrap_or_default();
    }
    let ends = |item: &[u8], end: &str| {
        item.len()
            .checked_sub(end.len())
            .and_then(|at| item.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end.as_bytes()))
    };
    if ends(item, "RFC822") {
        return (Section::Mail, origin);
    } else if ends(item, "RFC822.HEADER") {
        return (Section::Head, origin);
    } else if ends(item, "RFC822.TEXT") {
        return (Section::Text, origin);
    }
    let inner = item.strip_suffix(b"]").and_then(|rest| {
        let at = memchr::memrchr(b'[', rest)?;
        let name = rest.get(..at)?;
        (ends(name, "BODY") || ends(name, "BINARY")).then(|| rest.get(at + 1..)).flatten()
    });
    let Some(inner) = inner else { return (Section::None, None) };
    let has = |word: &[u8]| inner.windows(word.len()).any(|part| part.eq_ignore_ascii_case(word));
    let section = match inner {
        b"" => Section::Mail,
        _ if has(b"HEADER") || has(b"MIME") => Section::Head,
        _ => Section::Text,
    };
    // The rest of partially fetched headers is text, too.
    match (section, origin) {
        (Section::Head, Some(1..)) => (Section::Text, origin),
        _ => (section, origin),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_of_a_fetch_are_recognised() {
        for (line, want) in [
            ("* 1 FETCH (UID 5 BODY[] ", (Section::Mail, None)),
            ("* 1 FETCH (body[]<0>", (Section::Mail, Some(0))),
            (" RFC822 ", (Section::Mail, None)),
            ("(RFC822.SIZE 5 RFC822.HEADER ", (Section::Head, None)),
            (" BODY[HEADER.FIELDS (DATE \"TO\")] ", (Section::Head, None)),
            (" BODY[1.2.MIME] ", (Section::Head, None)),
            (" BODY[HEADER]<10> ", (Section::Text, Some(10))),
            (" BODY[TEXT] ", (Section::Text, None)),
            (" BINARY[1.2]<7> ", (Section::Text, Some(7))),
            (" ENVELOPE (NIL ", (Section::None, None)),
            (" X[1] ", (Section::None, None)),
        ] {
            assert_eq!(section(line.as_bytes()), want, "{line}");
        }
        assert_eq!(fetched(b"* 12 FETCH (X"), Some(12));
        assert_eq!(fetched(b"* 12 EXISTS"), None);
        assert_eq!(fetched(b"a FETCH (X"), None);
    }
}
