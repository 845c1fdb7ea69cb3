//! Syslog: messages of RFC 5424 over UDP (RFC 5426), TCP (RFC 6587) or TLS (RFC 5425).
//!
//! Messages have no byte order mark before their text: rsyslog keeps it, and searches for the first
//! word then fail. A datagram has at most 1,400 bytes, so that it is not fragmented. A message that
//! is too long loses its text from the end, at a character boundary, and then parameters of its
//! structured data; the id stays.
//!
//! TCP has no receipts. What the other system has acknowledged counts as delivered, and after a
//! reset everything since then is sent again: a few messages may arrive twice, with the same id.

use super::connection::Connection;
use super::contract::{Class, Deliver, DeliveryError, Outcome, Verdict};
use super::pace::Pace;
use super::tls::{self, TlsSettings};
use crate::clock::Stopwatch;
use crate::engine::alert::Format;
use crate::sensor::spool::RecordRef;
use crate::{Error, Result};
use rustls::ClientConfig;
use std::borrow::Cow;
use std::io::{self, ErrorKind, Write as _};
use std::net::{ToSocketAddrs as _, UdpSocket};
use std::sync::Arc;
use std::time::Duration;

/// A size that passes every path without fragmentation (RFC 5426, section 3.2, and room for
/// tunnels).
const MAX_DATAGRAM: usize = 1400;

/// The byte order mark, which RFC 5424 requires before a text in UTF-8.
const BOM: &[u8] = "\u{feff}".as_bytes();

/// How often to check whether everything is acknowledged, at first and at most.
const ASK: Duration = Duration::from_millis(1);
const MAX_ASK: Duration = Duration::from_millis(50);

/// How messages are transported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Transport {
    /// One datagram each. Whether one arrives is not known.
    Udp,
    /// A TCP stream.
    Tcp(Framing),
    /// A TLS stream, with counted frames.
    Tls(TlsSettings),
}

/// How messages are delimited in a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Framing {
    /// One line each, which every receiver accepts.
    #[default]
    Lines,
    /// With the length before each: `octet-counted`.
    Counted,
}

/// A syslog receiver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyslogSettings {
    /// The host name or address.
    pub host: String,
    /// 514, or 6514 for TLS.
    pub port: u16,
    /// How messages are transported.
    pub transport: Transport,
}

/// A client for a syslog receiver.
#[derive(Debug)]
pub struct Syslog {
    settings: SyslogSettings,
    tls: Option<Arc<ClientConfig>>,
    pace: Pace,
    socket: Option<UdpSocket>,
    connection: Option<Connection>,
}

impl Syslog {
    /// Reads the certificates; the connection is opened with the first batch.
    ///
    /// # Errors
    ///
    /// If there is no host, and errors of the TLS settings.
    pub fn new(settings: SyslogSettings, pace: Pace) -> Result<Self> {
        if settings.host.trim().is_empty() || settings.port == 0 {
            return Err(Error::usage("a syslog receiver needs a host and a port"));
        }
        let tls = match &settings.transport {
            Transport::Tls(tls) => Some(tls.client()?),
            _ => None,
        };
        Ok(Syslog { settings, tls, pace, socket: None, connection: None })
    }

    fn datagrams(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        let mut outcome = Outcome::delivered(0);
        for (sent, record) in batch.iter().enumerate() {
            let sending = match message(record) {
                Ok(message) => self.datagram(&cut(&message, MAX_DATAGRAM)),
                Err(refused) => {
                    outcome = outcome.and(refused);
                    continue;
                }
            };
            if let Err(error) = sending {
                self.socket = None;
                return outcome
                    .and(Outcome::again(batch.len() - sent, tls::delivery_error(&error)));
            }
            outcome.verdicts.push(Verdict::Delivered);
        }
        outcome
    }

    fn datagram(&mut self, message: &[u8]) -> io::Result<()> {
        let socket = match &self.socket {
            Some(socket) => socket,
            None => {
                let socket = udp(&self.settings.host, self.settings.port)?;
                socket.set_write_timeout(Some(self.pace.timeouts().connect))?;
                self.socket.insert(socket)
            }
        };
        // If the receiver is missing, the error arrives with the next datagram.
        socket.send(message).map(drop)
    }

    fn stream(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        let mut frames = Vec::new();
        let mut outcome = Outcome::delivered(0);
        for record in batch {
            match message(record) {
                Ok(message) => {
                    self.frame(&message, &mut frames);
                    outcome.verdicts.push(Verdict::Delivered);
                }
                Err(refused) => outcome = outcome.and(refused),
            }
        }
        let Err(error) = self.transmit(&frames) else { return outcome };
        self.connection = None;
        for verdict in &mut outcome.verdicts {
            if *verdict == Verdict::Delivered {
                *verdict = Verdict::Again;
            }
        }
        outcome.error = Some(error);
        outcome
    }

    fn frame(&self, message: &[u8], frames: &mut Vec<u8>) {
        let is_counted = self.settings.transport != Transport::Tcp(Framing::Lines);
        if is_counted {
            frames.extend(message.len().to_string().into_bytes());
            frames.push(b' ');
        }
        frames.extend_from_slice(message);
        if !is_counted {
            frames.push(b'\n');
        }
    }

    /// Sends frames, and waits until the other system has all of them.
    fn transmit(&mut self, frames: &[u8]) -> Result<(), DeliveryError> {
        let failed = |error: io::Error| tls::delivery_error(&error);
        if self.connection.as_mut().is_some_and(Connection::is_closed) {
            self.connection = None;
        }
        let connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect().map_err(failed)?,
        };
        let connection = self.connection.insert(connection);
        let time = self.pace.timeouts().request;
        let since = Stopwatch::start();
        connection.within(time);
        connection.write_all(frames).and_then(|()| connection.flush()).map_err(failed)?;
        let mut ask = ASK;
        loop {
            if connection.is_closed() {
                return Err(failed(ErrorKind::UnexpectedEof.into()));
            }
            match connection.unacknowledged() {
                // If it can't be known, what our system accepted has to count.
                None | Some(0) => return Ok(()),
                Some(_) if self.pace.left(&since, time).is_zero() => {
                    let reason = "the receiver does not acknowledge the data";
                    return Err(DeliveryError::new(Class::TimedOut, reason));
                }
                Some(_) => std::thread::sleep(ask),
            }
            ask = (2 * ask).min(MAX_ASK);
        }
    }

    fn connect(&self) -> io::Result<Connection> {
        let SyslogSettings { host, port, .. } = &self.settings;
        let mut connection = Connection::tcp(host, *port, &self.pace)?;
        connection.within(self.pace.timeouts().connect);
        match &self.tls {
            Some(tls) => connection.into_tls(tls, host),
            None => Ok(connection),
        }
    }
}

impl Deliver for Syslog {
    fn format(&self) -> Format {
        Format::Syslog
    }

    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        match self.settings.transport {
            Transport::Udp => self.datagrams(batch),
            _ => self.stream(batch),
        }
    }

    fn renew(&mut self) {
        (self.socket, self.connection) = (None, None);
        // If certificates can't be read, the previous ones stay in use.
        if let Transport::Tls(tls) = &self.settings.transport
            && let Ok(tls) = tls.client()
        {
            self.tls = Some(tls);
        }
    }
}

fn udp(host: &str, port: u16) -> io::Result<UdpSocket> {
    let host = host.trim_matches(['[', ']']);
    let mut failed = io::Error::new(ErrorKind::NotFound, "the host has no address");
    for address in (host, port).to_socket_addrs()? {
        let any = if address.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        match UdpSocket::bind(any).and_then(|socket| socket.connect(address).map(|()| socket)) {
            Ok(socket) => return Ok(socket),
            Err(error) => failed = error,
        }
    }
    Err(failed)
}

/// The message of a record, without the byte order mark.
fn message<'a>(record: &RecordRef<'a>) -> Result<Cow<'a, [u8]>, Outcome> {
    let Some(message) = record.form(Format::Syslog) else {
        return Err(Outcome::refused(1, 0, "the record has no `syslog` format"));
    };
    let mark = memchr::memmem::find(message, &[b"] ", BOM].concat());
    Ok(match mark {
        Some(at) => Cow::Owned([&message[..at + 2], &message[at + 2 + BOM.len()..]].concat()),
        None => Cow::Borrowed(message),
    })
}

/// A message of at most `max` bytes: one that is too long loses its text from the end, and then
/// parameters of its structured data from the end; the id stays.
fn cut(message: &[u8], max: usize) -> Cow<'_, [u8]> {
    if message.len() <= max {
        return Cow::Borrowed(message);
    }
    let Some(data) = structured(message) else { return Cow::Borrowed(cut_text(message, max)) };
    let (start, end) = data;
    if end <= max {
        return Cow::Borrowed(cut_text(message, max));
    }
    let mut kept: Vec<&[u8]> = parameters(&message[start..end]);
    let mut length = start + kept.iter().map(|part| part.len()).sum::<usize>() + 1;
    let mut at = kept.len();
    while length > max && at > 1 {
        at -= 1;
        if !kept[at].starts_with(b" id=\"") {
            length -= kept.remove(at).len();
        }
    }
    let short = [&message[..start], &kept.concat(), b"]"].concat();
    Cow::Owned(cut_text(&short, max).to_vec())
}

/// As many whole characters as fit.
fn cut_text(text: &[u8], max: usize) -> &[u8] {
    let mut end = max.min(text.len());
    while end > 0 && text.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    &text[..end]
}

/// Where the structured data begins and ends, if it is one element.
fn structured(message: &[u8]) -> Option<(usize, usize)> {
    // PRI and version, time, host, program, process, kind of message.
    let start = memchr::memchr_iter(b' ', message).nth(5)? + 1;
    if message.get(start) != Some(&b'[') {
        return None;
    }
    let mut is_escaped = false;
    for (at, byte) in message.iter().enumerate().skip(start) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b']' => return Some((start, at + 1)),
            _ => {}
        }
    }
    None
}

/// The name of an element with its bracket, and each parameter with the space before it.
fn parameters(element: &[u8]) -> Vec<&[u8]> {
    let inner = element.strip_suffix(b"]").unwrap_or(element);
    let (mut parts, mut start) = (Vec::new(), 0);
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, byte) in inner.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            b' ' if !is_quoted => {
                parts.push(&inner[start..at]);
                start = at;
            }
            _ => {}
        }
    }
    parts.push(&inner[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::Timestamp;
    use crate::sensor::spool::Record;
    use proptest::prelude::*;

    const HEAD: &str = "<161>1 2026-11-24T02:24:37.251547Z sensor-1 wiresift - ioc-domain ";

    #[test]
    fn the_mark_of_byte_order_is_left_out() {
        let text = format!("{HEAD}[ioc@32473 value=\"a\\] \u{feff}\"] \u{feff}domain ü");
        let record =
            Record::new([0; 16], 1, Timestamp(0), b"{}").form(Format::Syslog, text.as_bytes());
        let folder = tempfile::tempdir().unwrap();
        let record = crate::sensor::deliver::tests::stored(&folder, &[record]);
        let batch = record.records().next().unwrap();
        let got = String::from_utf8(message(&batch).unwrap().into_owned()).unwrap();
        // Inside a value, the encoder of alerts has escaped it; otherwise it would be the first
        // match here.
        assert_eq!(got.matches('\u{feff}').count(), 1);
        let plain = Record::new([0; 16], 1, Timestamp(0), b"{}");
        assert!(message(&RecordRef::of(&plain, Timestamp(0))).is_err());
    }

    #[test]
    fn datagrams_lose_text_and_then_parameters_but_never_the_id() {
        let text = format!("{HEAD}[ioc@32473 a=\"x y\" b=\"{}\" id=\"77\"] dömäin", "z".repeat(50));
        let cut = |max| String::from_utf8(cut(text.as_bytes(), max).into_owned()).unwrap();
        assert_eq!(cut(text.len()), text);
        assert_eq!(cut(text.len() - 3), text.trim_end_matches("äin"));
        let end = text.find("] d").unwrap() + 1;
        assert_eq!(cut(end), text[..end]);
        assert_eq!(cut(end - 1), format!("{HEAD}[ioc@32473 a=\"x y\" id=\"77\"]"));
        assert_eq!(cut(HEAD.len() + 20), format!("{HEAD}[ioc@32473 id=\"77\"]"));
    }

    proptest! {
        #[test]
        fn what_is_cut_is_text_and_fits(text in "\\PC{0,80}", value in "[ -~ü]{0,60}", max in 0usize..200) {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace(']', "\\]");
            let whole = format!("{HEAD}[ioc@1 a=\"{value}\" id=\"1\"] {text}");
            for message in [&whole, &text] {
                let short = cut(message.as_bytes(), max);
                prop_assert!(short.len() <= max || short.len() == message.len());
                prop_assert!(short.len() <= max);
                prop_assert!(std::str::from_utf8(&short).is_ok());
            }
            let short = cut(whole.as_bytes(), max.max(HEAD.len() + 20));
            prop_assert!(String::from_utf8_lossy(&short).contains(" id=\"1\"]"));
        }
    }
}
