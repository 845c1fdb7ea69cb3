//! SMTP as a client speaks it (RFC 5321), with STARTTLS (RFC 3207) and AUTH (RFC 4954).

use super::connection::Connection;
use super::contract::{Class, Trouble};
use super::tls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{Read as _, Write as _};

/// The longest line of an answer; RFC 5321 has 512 bytes.
const MAX_LINE: usize = 4 << 10;

/// The most lines of an answer.
const MAX_LINES: usize = 100;

/// What goes wrong with a mail.
#[derive(Debug)]
pub(super) enum Failure {
    /// It can go later.
    Passing(Trouble),
    /// It will never be taken.
    Refused(u16, String),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Passing(tls::trouble(&error))
    }
}

/// An answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: u16,
    /// The text of each line.
    pub(super) lines: Vec<String>,
}

impl Reply {
    fn reason(&self) -> String {
        format!("{} {}", self.code, self.lines.join(" ").chars().take(300).collect::<String>())
    }

    /// Demands one of success, or of going on.
    fn demand(self) -> Result<Reply, Failure> {
        let (code, reason) = (self.code, self.reason());
        match code {
            200..=399 => Ok(self),
            // Not who we say we are, or nobody yet: somebody has to mend that.
            530 | 534 | 535 | 538 => Err(Failure::Passing(Trouble::new(Class::Denied, reason))),
            421 | 450 | 451 | 452 => Err(Failure::Passing(Trouble::new(Class::Busy, reason))),
            400..=499 => Err(Failure::Passing(Trouble::new(Class::Server, reason))),
            500..=599 => Err(Failure::Refused(code, reason)),
            _ => Err(Failure::Passing(Trouble::new(Class::Protocol, reason))),
        }
    }
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    buffer: Vec<u8>,
    /// What the server can, in upper case.
    extensions: Vec<String>,
}

impl Session {
    /// Reads the greeting and introduces us.
    pub(super) fn open(connection: Connection, name: &str) -> Result<Session, Failure> {
        let mut session = Session { connection, buffer: Vec::new(), extensions: Vec::new() };
        session.greeting()?;
        session.hello(name)?;
        Ok(session)
    }

    /// A server that has no time says so at once; one that refuses us all does, too.
    fn greeting(&mut self) -> Result<(), Failure> {
        self.reply()?.demand().map(drop)
    }

    pub(super) fn hello(&mut self, name: &str) -> Result<(), Failure> {
        let reply = match self.say(&format!("EHLO {name}"))? {
            reply if (500..=599).contains(&reply.code) => self.say(&format!("HELO {name}"))?,
            reply => reply,
        };
        let reply = reply.demand()?;
        self.extensions = reply.lines.iter().skip(1).map(|line| line.to_uppercase()).collect();
        Ok(())
    }

    /// What the server says of an extension after its name; `None` where it has none.
    pub(super) fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find_map(|line| {
            let rest = line.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with([' ', '='])).then_some(rest)
        })
    }

    /// Goes on in TLS, and introduces us once more.
    pub(super) fn start_tls(
        mut self,
        config: &std::sync::Arc<rustls::ClientConfig>,
        host: &str,
        name: &str,
    ) -> Result<Session, Failure> {
        if self.extension("STARTTLS").is_none() {
            let reason = "the server has no STARTTLS, and nothing is sent without";
            return Err(Failure::Passing(Trouble::new(Class::Denied, reason)));
        }
        self.say("STARTTLS")?.demand()?;
        // What came with the answer was not in TLS, and may be anybody's (CVE-2011-0411).
        if !self.buffer.is_empty() {
            let reason = "the server sends more than an answer before TLS";
            return Err(Failure::Passing(Trouble::new(Class::Protocol, reason)));
        }
        let connection = self.connection.into_tls(config, host)?;
        let mut session = Session { connection, buffer: Vec::new(), extensions: Vec::new() };
        session.hello(name)?;
        Ok(session)
    }

    /// Says who we are.
    pub(super) fn authenticate(&mut self, user: &str, password: &str) -> Result<(), Failure> {
        let ways = self.extension("AUTH").unwrap_or_default();
        let has = |way: &str| ways.split([' ', '=']).any(|word| word == way);
        if has("PLAIN") {
            let pair = STANDARD.encode(format!("\0{user}\0{password}"));
            return self.secretly(&format!("AUTH PLAIN {pair}"));
        }
        if has("LOGIN") {
            self.say("AUTH LOGIN")?.demand()?;
            self.say(&STANDARD.encode(user))?.demand()?;
            return self.secretly(&STANDARD.encode(password));
        }
        let reason = "the server takes neither AUTH PLAIN nor AUTH LOGIN";
        Err(Failure::Passing(Trouble::new(Class::Denied, reason)))
    }

    /// Whatever is wrong with who we are, it may be mended, and the mail is sent then.
    fn secretly(&mut self, line: &str) -> Result<(), Failure> {
        match self.say(line)?.demand() {
            Err(Failure::Refused(_, reason)) => {
                Err(Failure::Passing(Trouble::new(Class::Denied, reason)))
            }
            other => other.map(drop),
        }
    }

    /// Sends a mail. A recipient who is refused costs the others nothing; they are returned with
    /// the reasons.
    pub(super) fn send(
        &mut self,
        from: &str,
        to: &[String],
        message: &[u8],
    ) -> Result<Vec<String>, Failure> {
        let size =
            self.extension("SIZE").map_or(String::new(), |_| format!(" SIZE={}", message.len()));
        self.say(&format!("MAIL FROM:<{from}>{size}"))?.demand()?;
        let mut refused = Vec::new();
        let mut last = None;
        for to in to {
            match self.say(&format!("RCPT TO:<{to}>"))?.demand() {
                Ok(_) => {}
                Err(Failure::Refused(code, reason)) => {
                    refused.push(format!("{to}: {reason}"));
                    last = Some(Failure::Refused(code, reason));
                }
                Err(passing) => return Err(passing),
            }
        }
        if let Some(last) = last.filter(|_| refused.len() == to.len()) {
            return Err(last);
        }
        self.say("DATA")?.demand()?;
        self.connection.write_all(message)?;
        self.say(".")?.demand()?;
        Ok(refused)
    }

    /// Says goodbye; nobody waits for the answer.
    pub(super) fn quit(mut self) {
        let _ = self.connection.write_all(b"QUIT\r\n").and_then(|()| self.connection.flush());
    }

    fn say(&mut self, line: &str) -> Result<Reply, Failure> {
        self.connection.write_all(format!("{line}\r\n").as_bytes())?;
        self.connection.flush()?;
        self.reply()
    }

    fn reply(&mut self) -> Result<Reply, Failure> {
        let mut lines = Vec::new();
        loop {
            let line = self.line()?;
            let Some((code, is_last, text)) = reply_line(&line).filter(|_| lines.len() < MAX_LINES)
            else {
                let reason = "the answer is no SMTP";
                return Err(Failure::Passing(Trouble::new(Class::Protocol, reason)));
            };
            lines.push(text);
            if is_last {
                return Ok(Reply { code, lines });
            }
        }
    }

    /// The next line, without its end.
    fn line(&mut self) -> Result<Vec<u8>, Failure> {
        loop {
            if let Some(end) = memchr::memchr(b'\n', &self.buffer) {
                let mut line: Vec<u8> = self.buffer.drain(..=end).collect();
                line.pop();
                return Ok(line);
            }
            let mut more = [0; 1024];
            let count = match self.buffer.len() {
                0..=MAX_LINE => self.connection.read(&mut more)?,
                _ => 0,
            };
            if count == 0 {
                return Err(std::io::Error::from(std::io::ErrorKind::UnexpectedEof).into());
            }
            self.buffer.extend_from_slice(&more[..count]);
        }
    }
}

/// `250-text` or `250 text`: the code, whether it is the last line, and the text.
pub(super) fn reply_line(line: &[u8]) -> Option<(u16, bool, String)> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let (code, rest) = line.split_first_chunk::<3>()?;
    let code =
        std::str::from_utf8(code).ok()?.parse().ok().filter(|code| (200..600).contains(code))?;
    let is_last = match rest.first() {
        None | Some(b' ') => true,
        Some(b'-') => false,
        Some(_) => return None,
    };
    let text = String::from_utf8_lossy(rest.get(1..).unwrap_or_default());
    let text = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some((code, is_last, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_answers() {
        for (line, want) in [
            (&b"250 ok\r"[..], Some((250, true, "ok"))),
            (b"250-SIZE 100", Some((250, false, "SIZE 100"))),
            (b"354", Some((354, true, ""))),
            (b"250\tok", None),
            (b"+50 ok", None),
            (b"100 ok", None),
            (b"25", None),
            (b"", None),
        ] {
            let want = want.map(|(code, last, text)| (code, last, text.to_string()));
            assert_eq!(reply_line(line), want, "{line:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_line_is_survived(line in proptest::collection::vec(proptest::num::u8::ANY, 0..20)) {
            if let Some((code, _, text)) = reply_line(&line) {
                proptest::prop_assert!((200..600).contains(&code));
                proptest::prop_assert!(!text.chars().any(char::is_control));
            }
        }
    }
}
