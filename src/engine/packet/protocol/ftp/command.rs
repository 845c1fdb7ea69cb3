//! Commands and their arguments: files, addresses, ports, sizes.

use crate::engine::indicator::{self, Protocol};
use crate::engine::packet::view;
use std::net::{IpAddr, Ipv4Addr};

/// A command, as an alert describes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Command<'a> {
    /// `RETR`, as it was sent.
    pub name: &'a [u8],
    /// What follows it.
    pub argument: &'a [u8],
    pub(super) verb: Verb,
}

impl view::MessageFacts for Command<'_> {
    fn owned(&self) -> Protocol {
        Protocol::Ftp(Command::owned(self))
    }
}

/// The meaning of a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    User,
    /// A command after which a security protocol starts.
    Secure,
    Passive,
    Port,
    Type,
    Mode,
    /// The next transfer will begin in the middle of its file.
    Rest,
    /// A file is uploaded or downloaded.
    Move,
    /// An upload is appended to an existing file.
    Append,
    List,
    /// A file is named without being transferred.
    Name,
    /// Requests the size of a file.
    Size,
    /// Aborts the transfer.
    Abort,
    Other,
}

/// The bit that makes an upper-case letter lower case, four times. Only the two cases of a letter
/// become a lower-case letter by it.
const SMALL: u32 = 0x2020_2020;

const VERBS: [(&[u8; 4], Verb); 28] = [
    (b"USER", Verb::User),
    (b"AUTH", Verb::Secure),
    (b"PASV", Verb::Passive),
    (b"EPSV", Verb::Passive),
    (b"PORT", Verb::Port),
    (b"EPRT", Verb::Port),
    (b"TYPE", Verb::Type),
    (b"MODE", Verb::Mode),
    (b"REST", Verb::Rest),
    (b"RETR", Verb::Move),
    (b"STOR", Verb::Move),
    (b"STOU", Verb::Move),
    (b"APPE", Verb::Append),
    (b"LIST", Verb::List),
    (b"NLST", Verb::List),
    (b"MLSD", Verb::List),
    (b"MLST", Verb::Name),
    (b"DELE", Verb::Name),
    (b"RNFR", Verb::Name),
    (b"RNTO", Verb::Name),
    (b"ABOR", Verb::Abort),
    // They come before the transfer that names the file.
    (b"SIZE", Verb::Size),
    (b"MDTM", Verb::Other),
    (b"FEAT", Verb::Other),
    (b"OPTS", Verb::Other),
    (b"HOST", Verb::Other),
    (b"SYST", Verb::Other),
    (b"CLNT", Verb::Other),
];

impl Verb {
    /// The verb of a name, in either case.
    fn of(name: &[u8; 4]) -> Option<Verb> {
        let name = u32::from_le_bytes(*name) | SMALL;
        let found = VERBS.iter().find(|(verb, _)| u32::from_le_bytes(**verb) | SMALL == name);
        found.map(|&(_, verb)| verb)
    }
}

impl<'a> Command<'a> {
    /// The owned form, for an alert.
    pub fn owned(&self) -> indicator::Ftp {
        let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
        indicator::Ftp {
            command: Some(text(self.name)),
            argument: Some(self.argument).filter(|argument| !argument.is_empty()).map(text),
        }
    }

    /// Parses a line. `None` if it is not a command.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let line = untelnet(line).trim_ascii_start();
        let end = memchr::memchr(b' ', line).unwrap_or(line.len());
        let (name, rest) = line.split_at_checked(end)?;
        if !(3..=4).contains(&name.len()) || !name.iter().all(u8::is_ascii_alphabetic) {
            return None;
        }
        let verb = name.first_chunk().filter(|_| name.len() == 4).and_then(Verb::of);
        let verb = verb.unwrap_or(Verb::Other);
        Some(Command { name, argument: rest.trim_ascii(), verb })
    }
}

/// A line without Telnet commands before it: clients that abort a transfer send "interrupt
/// process" and "data mark" before ABOR (RFC 959, 4.1.3), or the second alone if the urgent byte
/// was removed from the stream.
fn untelnet(mut line: &[u8]) -> &[u8] {
    const COMMAND: u8 = 0xff;
    const INTERRUPT: u8 = 0xf4;
    const MARK: u8 = 0xf2;
    while let [COMMAND | INTERRUPT | MARK, rest @ ..] = line {
        line = rest;
    }
    line
}

/// How certain it is that the first bytes are a client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Opening {
    /// No other protocol begins like this.
    Sure,
    /// A command that other protocols have, too.
    Likely,
    /// Too short to decide.
    Short,
    No,
}

/// Classifies the beginning of a stream.
pub(super) fn opening(data: &[u8]) -> Opening {
    let Some(start) = data.first_chunk() else {
        let fits = |verb: &[u8]| {
            verb.get(..data.len()).is_some_and(|verb| data.eq_ignore_ascii_case(verb))
        };
        let is_begun = VERBS.iter().any(|(verb, _)| fits(&verb[..]));
        return if is_begun { Opening::Short } else { Opening::No };
    };
    if Verb::of(start).is_none() {
        return Opening::No;
    }
    let secure = data.get(..8).unwrap_or(data);
    match data.get(4) {
        None => Opening::Short,
        Some(_) if secure.eq_ignore_ascii_case(b"AUTH TLS") => Opening::Sure,
        Some(_) if begins(data) => Opening::Sure,
        Some(b' ' | b'\r' | b'\n') => Opening::Likely,
        Some(_) => Opening::No,
    }
}

/// An address and a port.
type Socket = (IpAddr, u16);

/// The address and port of PORT, or of a response to PASV: six numbers.
pub(super) fn port(text: &[u8]) -> Option<Socket> {
    let start = text.iter().position(u8::is_ascii_digit)?;
    let mut numbers = [0_u8; 6];
    let mut words = text.get(start..)?.split(|&b| b == b',');
    for number in &mut numbers {
        let word = words.next()?.trim_ascii();
        let digits = word.iter().take_while(|b| b.is_ascii_digit()).count();
        *number = std::str::from_utf8(word.get(..digits)?).ok()?.parse().ok()?;
    }
    let [a, b, c, d, high, low] = numbers;
    let port = u16::from_be_bytes([high, low]);
    (port > 0).then_some((IpAddr::V4(Ipv4Addr::new(a, b, c, d)), port))
}

/// The address and port of EPRT, `|2|2001:db8::1|5282|`.
pub(super) fn long_port(text: &[u8]) -> Option<Socket> {
    let mut words = text.split(|&b| b == b'|').skip(2);
    let address = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    let port = std::str::from_utf8(words.next()?).ok()?.parse().ok()?;
    (port > 0).then_some((address, port))
}

/// The port of a response to EPSV, `(|||5282|)`.
pub(super) fn extended(text: &[u8]) -> Option<u16> {
    let at = memchr::memmem::find(text, b"|||")?;
    let word = text.get(at + 3..)?.split(|&b| b == b'|').next()?;
    std::str::from_utf8(word).ok()?.parse().ok().filter(|&port| port > 0)
}

/// The size in a response to RETR, `… (77 bytes).`
pub(super) fn size(text: &[u8]) -> Option<u64> {
    let start = memchr::memrchr(b'(', text)? + 1;
    let word = text.get(start..)?;
    let digits = word.iter().take_while(|b| b.is_ascii_digit()).count();
    let (number, unit) = word.split_at_checked(digits)?;
    let is_size = unit.trim_ascii_start().get(..4).is_some_and(|unit| unit == b"byte");
    is_size.then(|| std::str::from_utf8(number).ok()?.parse().ok()).flatten()
}

/// Whether a segment is FTP, in the middle of an unidentified stream: it announces a connection,
/// or contains what only FTP clients send. Some of them do not wait for the greeting.
pub(super) fn begins(data: &[u8]) -> bool {
    match data {
        [b'2', b'2', b'7' | b'9', b' ', b'E', b'n', b't', ..] => true,
        [b'P', b'A', b'S', b'V', b'\r', ..] | [b'E', b'P', b'S', b'V', b'\r', ..] => true,
        [b'P', b'O', b'R', b'T', b' ', digit, ..] => digit.is_ascii_digit(),
        [b'E', b'P', b'R', b'T', b' ', b'|', ..] => true,
        [b'F', b'E', b'A', b'T', b'\r', ..] => true,
        [b'T', b'Y', b'P', b'E', b' ', b'A' | b'I', b'\r', ..] => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn announced_addresses_and_ports_are_read() {
        let v4 = |text: &str, port| Some((text.parse().unwrap(), port));
        assert_eq!(port(b"192,0,2,1,4,1"), v4("192.0.2.1", 1025));
        assert_eq!(port(b"Entering Passive Mode (192,0,2,1,4,1)."), v4("192.0.2.1", 1025));
        assert_eq!(port(b"Entering Passive Mode 192,0,2,1,4,1"), v4("192.0.2.1", 1025));
        for bad in ["192,0,2,1,4", "192,0,2,256,4,1", "192,0,2,1,0,0", "", "a", "1,2,3,4,5,"] {
            assert_eq!(port(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(long_port(b"|2|2001:db8::1|5282|"), v4("2001:db8::1", 5282));
        assert_eq!(long_port(b"|1|192.0.2.1|5282|"), v4("192.0.2.1", 5282));
        assert_eq!(long_port(b"|1|192.0.2.1|"), None);
        assert_eq!(extended(b"Entering Extended Passive Mode (|||5282|)"), Some(5282));
        assert_eq!(extended(b"Entering (|||0|)"), None);
    }

    #[test]
    fn announced_sizes_are_read() {
        assert_eq!(size(b"Opening BINARY mode data connection for x (77 bytes)."), Some(77));
        assert_eq!(size(b"Opening for 'a(1).txt' (8 byte)"), Some(8));
        assert_eq!(size(b"Opening for a(1).txt"), None);
        assert_eq!(size(b"Opening (99999999999999999999 bytes)"), None);
    }

    #[test]
    fn first_bytes_decide_whether_it_is_ftp() {
        for (data, want) in [
            ("USER a\r\n", Opening::Likely),
            ("US", Opening::Short),
            ("auth tls\r\n", Opening::Sure),
            ("PASV\r\n", Opening::Sure),
            ("GET / HTTP/1.1", Opening::No),
            ("USERS", Opening::No),
        ] {
            assert_eq!(opening(data.as_bytes()), want, "{data}");
        }
        let command = Command::parse(b"retr  /pub/a b.txt ").unwrap();
        assert_eq!((command.verb, command.argument), (Verb::Move, &b"/pub/a b.txt"[..]));
        assert_eq!(Command::parse(b"no command"), None);
        for line in [&b"\xff\xf4\xff\xf2ABOR"[..], b"\xf2ABOR", b"\xff\xf4\xffABOR"] {
            assert_eq!(Command::parse(line).unwrap().verb, Verb::Abort);
        }
    }
}
