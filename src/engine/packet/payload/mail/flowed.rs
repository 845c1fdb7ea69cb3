//! Lines that continue in the next one. In flowed text (RFC 3676, `format=flowed; delsp=yes`) a
//! URL that is longer than a line is cut by a blank and a line break, which are both removed;
//! without `delsp`, lines are only cut at blanks of the text, and nothing needs to be joined. In
//! calendars and cards (RFC 5545, 3.1; RFC 6350, 3.2) a line that begins with a blank continues
//! the line before, which may be cut anywhere.

/// How the lines of a text continue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Lines {
    #[default]
    Whole,
    Flowed,
    Folded,
}

/// Text whose lines are joined, in transfer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Joined {
    Flowed(Flowed),
    Folded(Folded),
}

impl Joined {
    /// A joiner, if lines must be joined.
    pub(super) fn new(lines: Lines) -> Option<Joined> {
        match lines {
            Lines::Whole => None,
            Lines::Flowed => Some(Joined::Flowed(Flowed::default())),
            Lines::Folded => Some(Joined::Folded(Folded::default())),
        }
    }

    /// Appends the next bytes with their lines joined.
    pub(super) fn join(&mut self, data: &[u8], out: &mut Vec<u8>) {
        out.reserve(data.len());
        match self {
            Joined::Flowed(flowed) => data.iter().for_each(|&byte| flowed.next(byte, out)),
            Joined::Folded(folded) => data.iter().for_each(|&byte| folded.next(byte, out)),
        }
    }

    /// Nothing more comes for now: a line that would continue ends.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        match self {
            Joined::Flowed(flowed) => flowed.finish(out),
            Joined::Folded(folded) => folded.put_back(out),
        }
    }
}

/// Text from which a line break with a blank after it is removed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Folded {
    /// Whether a CR, and an LF, were held back.
    has_return: bool,
    has_break: bool,
}

impl Folded {
    fn next(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b' ' | b'\t' if self.has_break => *self = Folded::default(),
            b'\n' if !self.has_break => self.has_break = true,
            b'\r' if !self.has_return && !self.has_break => self.has_return = true,
            _ => {
                self.put_back(out);
                match byte {
                    b'\n' => self.has_break = true,
                    b'\r' => self.has_return = true,
                    _ => out.push(byte),
                }
            }
        }
    }

    fn put_back(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(match (self.has_return, self.has_break) {
            (true, true) => b"\r\n",
            (true, false) => b"\r",
            (false, true) => b"\n",
            (false, false) => b"",
        });
        *self = Folded::default();
    }
}

/// Quotation marks that are counted. Deeper lines count as this deep.
const MAX_QUOTES: u8 = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Among the quotation marks at the beginning of a line.
    #[default]
    Quotes,
    /// After dashes at the beginning of a line's text.
    Dashes(u8),
    Text,
    /// After a blank; whether it may be that of a signature separator.
    Blank(bool),
    /// The same, before the LF; a CR LF.
    Return(bool),
    /// Among the quotation marks at the beginning of a line that may continue the last one.
    Next(u8),
    /// After those marks and a blank, which is not part of the text.
    Stuffed,
}

/// Text whose lines are joined, in transfer.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flowed {
    state: State,
    /// The quotation depth of the line.
    quotes: u8,
    has_return: bool,
}

impl Flowed {
    fn next(&mut self, byte: u8, out: &mut Vec<u8>) {
        match (self.state, byte) {
            (State::Blank(is_signature), b'\r') => self.state = State::Return(is_signature),
            (State::Blank(false) | State::Return(false), b'\n') => {
                self.has_return = self.state == State::Return(false);
                self.state = State::Next(0);
            }
            (State::Blank(_) | State::Return(_), _) => {
                self.put_back(out);
                self.state = State::Text;
                self.text(byte, out);
            }
            (State::Next(quotes), b'>') => self.state = State::Next((quotes + 1).min(MAX_QUOTES)),
            (State::Next(quotes), _) if quotes != self.quotes => {
                self.put_back(out);
                self.text(byte, out);
            }
            (State::Next(_), b' ') => self.state = State::Stuffed,
            (State::Next(_) | State::Stuffed, _) => {
                self.state = State::Text;
                self.text(byte, out);
            }
            (State::Quotes, b'>') => {
                self.quotes = (self.quotes + 1).min(MAX_QUOTES);
                out.push(byte);
            }
            _ => self.text(byte, out),
        }
    }

    /// Takes a byte of a line's text.
    fn text(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.state = match (self.state, byte) {
            (_, b'\n') => {
                self.quotes = 0;
                State::Quotes
            }
            (State::Dashes(2), b' ') => return self.state = State::Blank(true),
            (State::Quotes, b' ') => State::Quotes,
            (_, b' ') => return self.state = State::Blank(false),
            (State::Quotes, b'-') => State::Dashes(1),
            (State::Dashes(count @ ..2), b'-') => State::Dashes(count + 1),
            _ => State::Text,
        };
        out.push(byte);
    }

    /// Writes what was held back and turned out to be text.
    fn put_back(&mut self, out: &mut Vec<u8>) {
        match self.state {
            State::Blank(_) => out.push(b' '),
            State::Return(_) => out.extend_from_slice(b" \r"),
            State::Next(quotes) => {
                out.extend_from_slice(if self.has_return { b" \r\n" } else { b" \n" });
                out.extend((0..quotes).map(|_| b'>'));
                (self.state, self.quotes) = (State::Quotes, quotes);
            }
            _ => {}
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) {
        self.put_back(out);
        self.state = State::Text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_cut(lines: Lines, text: &str, want: &str) {
        for cut in 0..=text.len() {
            let (mut joined, mut out) = (Joined::new(lines).unwrap(), Vec::new());
            joined.join(&text.as_bytes()[..cut], &mut out);
            joined.join(&text.as_bytes()[cut..], &mut out);
            joined.finish(&mut out);
            assert_eq!(String::from_utf8_lossy(&out), want, "{text:?} cut at {cut}");
        }
    }

    #[test]
    fn folded_lines_are_joined() {
        for (text, want) in [
            ("URL:http://a.exam\r\n ple/\r\nX:y\r\n", "URL:http://a.example/\r\nX:y\r\n"),
            ("a\n\tb\nc\n\n d", "ab\nc\nd"),
            ("a\r\r\n b\r", "a\rb\r"),
            ("a\rb\n", "a\rb\n"),
        ] {
            every_cut(Lines::Folded, text, want);
        }
    }

    #[test]
    fn flowed_lines_are_joined() {
        for (text, want) in [
            ("see http://a.exam \r\nple/x\r\n", "see http://a.example/x\r\n"),
            ("a \nb \n c\n", "abc\n"),
            ("> a \r\n> b\r\n", "> ab\r\n"),
            (">> a \r\n> b\r\n", ">> a \r\n> b\r\n"),
            ("a  \nb", "a b"),
            ("a \r\n\r\nb", "a\r\nb"),
            ("-- \r\nme", "-- \r\nme"),
            ("> -- \nme", "> -- \nme"),
            ("--- \nme", "---me"),
            ("x -- \nme", "x --me"),
            (" a \n b", " ab"),
            ("a \rb", "a \rb"),
            ("a b\n", "a b\n"),
            ("a \n", "a \n"),
            ("a ", "a "),
        ] {
            every_cut(Lines::Flowed, text, want);
        }
    }
}
