//! An SMTP client (RFC 5321), with STARTTLS (RFC 3207) and AUTH (RFC 4954).

use super::connection::Connection;
use super::contract::{Class, DeliveryError};
use super::tls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::io::{Read as _, Write as _};

/// The longest line of a response; RFC 5321 allows 512 bytes.
const MAX_LINE: usize = 4 << 10;

/// The maximum number of lines in a response.
const MAX_LINES: usize = 100;

/// Why a mail was not accepted.
#[derive(Debug)]
pub(super) enum Failure {
    /// It can be sent later.
    Passing(DeliveryError),
    /// It will never be accepted.
    Refused(u16, String),
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Failure::Passing(tls::delivery_error(&error))
    }
}

/// A response.
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

    /// Requires a response that means success, or that the client should continue.
    fn demand(self) -> Result<Reply, Failure> {
        let (code, reason) = (self.code, self.reason());
        match code {
            200..=399 => Ok(self),
            // Our credentials are rejected or missing: someone has to fix that.
            530 | 534 | 535 | 538 => {
                Err(Failure::Passing(DeliveryError::new(Class::Denied, reason)))
            }
            421 | 450 | 451 | 452 => Err(Failure::Passing(DeliveryError::new(Class::Busy, reason))),
            400..=499 => Err(Failure::Passing(DeliveryError::new(Class::Server, reason))),
            500..=599 => Err(Failure::Refused(code, reason)),
            _ => Err(Failure::Passing(DeliveryError::new(Class::Protocol, reason))),
        }
    }
}

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    connection: Connection,
    buffer: Vec<u8>,
    /// The server's extensions, in upper case.
    extensions: Vec<String>,
}

impl Session {
    /// Reads the greeting and sends EHLO.
    pub(super) fn open(connection: Connection, name: &str) -> Result<Session, Failure> {
        let mut session = Session { connection, buffer: Vec::new(), extensions: Vec::new() };
        session.greeting()?;
        session.hello(name)?;
        Ok(session)
    }

    /// An overloaded server says so at once, and so does one that rejects us.
    fn greeting(&mut self) -> Result<(), Failure> {
        self.reply()?.demand().map(drop)
    }

    pub(super) fn hello(&mut self, name: &str) -> Result<(), Failure> {
        let reply = match self.command(&format!("EHLO {name}"))? {
            reply if (500..=599).contains(&reply.code) => self.command(&format!("HELO {name}"))?,
            reply => reply,
        };
        let reply = reply.demand()?;
        self.extensions = reply.lines.iter().skip(1).map(|line| line.to_uppercase()).collect();
        Ok(())
    }

    /// The parameters of a server extension; `None` if the server doesn't have it.
    pub(super) fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.iter().find_map(|line| {
            let rest = line.strip_prefix(name)?;
            (rest.is_empty() || rest.starts_with([' ', '='])).then_some(rest)
        })
    }

    /// Switches to TLS, and sends EHLO again.
    pub(super) fn start_tls(
        mut self,
        config: &std::sync::Arc<rustls::ClientConfig>,
        host: &str,
        name: &str,
    ) -> Result<Session, Failure> {
        if self.extension("STARTTLS").is_none() {
            let reason = "the server does not support STARTTLS, which is required";
            return Err(Failure::Passing(DeliveryError::new(Class::Denied, reason)));
        }
        self.command("STARTTLS")?.demand()?;
        // Data that came with the response was not encrypted, and may be forged (CVE-2011-0411).
        if !self.buffer.is_empty() {
            let reason = "the server sent unexpected data before TLS";
            return Err(Failure::Passing(DeliveryError::new(Class::Protocol, reason)));
        }
        let connection = self.connection.into_tls(config, host)?;
        let mut session = Session { connection, buffer: Vec::new(), extensions: Vec::new() };
        session.hello(name)?;
        Ok(session)
    }

    /// Authenticates.
    pub(super) fn authenticate(&mut self, user: &str, password: &str) -> Result<(), Failure> {
        let ways = self.extension("AUTH").unwrap_or_default();
        let has = |way: &str| ways.split([' ', '=']).any(|word| word == way);
        if has("PLAIN") {
            let pair = STANDARD.encode(format!("\0{user}\0{password}"));
            return self.secretly(&format!("AUTH PLAIN {pair}"));
        }
        if has("LOGIN") {
            self.command("AUTH LOGIN")?.demand()?;
            self.command(&STANDARD.encode(user))?.demand()?;
            return self.secretly(&STANDARD.encode(password));
        }
        let reason = "the server supports neither AUTH PLAIN nor AUTH LOGIN";
        Err(Failure::Passing(DeliveryError::new(Class::Denied, reason)))
    }

    /// Authentication failures can be fixed, so the mail is sent later.
    fn secretly(&mut self, line: &str) -> Result<(), Failure> {
        match self.command(line)?.demand() {
            Err(Failure::Refused(_, reason)) => {
                Err(Failure::Passing(DeliveryError::new(Class::Denied, reason)))
            }
            other => other.map(drop),
        }
    }

    /// Sends a mail. If some recipients are refused, the others still get it; the refused ones are
    /// returned with the reasons.
    pub(super) fn send(
        &mut self,
        from: &str,
        to: &[String],
        message: &[u8],
    ) -> Result<Vec<String>, Failure> {
        let size =
            self.extension("SIZE").map_or(String::new(), |_| format!(" SIZE={}", message.len()));
        self.command(&format!("MAIL FROM:<{from}>{size}"))?.demand()?;
        let mut refused = Vec::new();
        let mut last = None;
        for to in to {
            match self.command(&format!("RCPT TO:<{to}>"))?.demand() {
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
        self.command("DATA")?.demand()?;
        self.connection.write_all(message)?;
        self.command(".")?.demand()?;
        Ok(refused)
    }

    /// Sends QUIT, without waiting for the response.
    pub(super) fn quit(mut self) {
        let _ = self.connection.write_all(b"QUIT\r\n").and_then(|()| self.connection.flush());
    }

    fn command(&mut self, line: &str) -> Result<Reply, Failure> {
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
                let reason = "the response is not SMTP";
                return Err(Failure::Passing(DeliveryError::new(Class::Protocol, reason)));
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
