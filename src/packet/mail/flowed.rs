//! Lines that go on in the next one (RFC 3676, `format=flowed; delsp=yes`): a URL that is
//! longer than a line is cut by a blank and a line break, which are both taken out.
//!
//! Without `delsp` lines are cut at blanks of the text alone, and nothing needs to be joined.

/// Marks of quotation that are counted. Deeper lines are as deep.
const MOST_QUOTES: u8 = 100;

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// Among the marks at the beginning of a line.
    #[default]
    Quotes,
    /// Behind dashes at the beginning of a line's text.
    Dashes(u8),
    Text,
    /// Behind a blank, that of a signature's line if so.
    Blank(bool),
    /// The same, in front of the LF; what follows is part of a CR LF.
    Return(bool),
    /// Among the marks at the beginning of a line that may go on with the last one.
    Next(u8),
    /// Behind those marks and a blank, which is none of the text.
    Stuffed,
}

/// Text whose lines are joined, on its way.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flowed {
    state: State,
    /// How deep the line is quoted.
    quotes: u8,
    has_return: bool,
}

impl Flowed {
    /// Appends the next bytes with their lines joined.
    pub(super) fn join(&mut self, data: &[u8], out: &mut Vec<u8>) {
        out.reserve(data.len());
        for &byte in data {
            self.next(byte, out);
        }
    }

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
            (State::Next(quotes), b'>') => self.state = State::Next((quotes + 1).min(MOST_QUOTES)),
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
                self.quotes = (self.quotes + 1).min(MOST_QUOTES);
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

    /// Writes what was held back and stands for itself.
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

    /// Nothing more comes for now: a line that was to go on ends.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        self.put_back(out);
        self.state = State::Text;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines() {
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
            for cut in 0..=text.len() {
                let (mut flowed, mut out) = (Flowed::default(), Vec::new());
                flowed.join(&text.as_bytes()[..cut], &mut out);
                flowed.join(&text.as_bytes()[cut..], &mut out);
                flowed.finish(&mut out);
                assert_eq!(String::from_utf8_lossy(&out), want, "{text:?} cut at {cut}");
            }
        }
    }
}
