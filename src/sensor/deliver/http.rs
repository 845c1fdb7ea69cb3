//! An HTTP POST and its response.
//!
//! Redirects are not followed: an alert goes to the configured URL, or nowhere. Error messages
//! never contain the URL, which is a secret for some receivers.

use super::connection::Connection;
use super::contract::{Class, DeliveryError, Outcome};
use super::pace::Pace;
use super::tls::{self, TlsSettings};
use crate::engine::indicator::Timestamp;
use crate::{Error, Result};
use flate2::Compression;
use flate2::write::GzEncoder;
use rustls::ClientConfig;
use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;
use ureq::Timeout;
use ureq::http::header;
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport,
};

/// How much of a response is read. A response about a thousand documents is some 300 KiB.
const MAX_ANSWER: u64 = 16 << 20;

/// The longest pause that a receiver can request.
const MAX_PAUSE: Duration = Duration::from_secs(600);

/// The receiver's URL, and how to connect.
#[derive(Clone, Debug, Default)]
pub struct Endpoint {
    /// `http://` or `https://`, with the receiver's path.
    pub url: String,
    /// Which certificates to trust.
    pub tls: TlsSettings,
    /// Whether bodies are compressed.
    pub gzip: bool,
}

/// A client for one receiver.
pub(super) struct Http {
    agent: ureq::Agent,
    base: String,
    gzip: bool,
    pace: Pace,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("gzip", &self.gzip).finish_non_exhaustive()
    }
}

/// A response.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) after: Option<Duration>,
    pub(super) body: Vec<u8>,
}

impl Http {
    /// Reads the certificates.
    ///
    /// # Errors
    ///
    /// If the URL is not an HTTP URL, and errors of the TLS settings.
    pub(super) fn new(endpoint: &Endpoint, pace: &Pace) -> Result<Http> {
        let base = endpoint.url.trim().trim_end_matches('/').to_string();
        let uri = base.parse::<ureq::http::Uri>().ok();
        let scheme =
            uri.as_ref().filter(|uri| uri.host().is_some()).and_then(|uri| uri.scheme_str());
        let is_https = match scheme {
            Some("https") => true,
            Some("http") => false,
            _ => {
                return Err(Error::usage("the URL of the sink is neither http nor https")
                    .remedy("write https://host/path"));
            }
        };
        let tls = is_https.then(|| endpoint.tls.client()).transpose()?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .proxy(None)
            .user_agent(concat!("wiresift/", env!("CARGO_PKG_VERSION")))
            .timeout_connect(Some(pace.timeouts().connect))
            .timeout_global(Some(pace.timeouts().request))
            .build();
        let dial = Dial { tls, pace: pace.clone() };
        let agent = ureq::Agent::with_parts(config, dial, DefaultResolver::default());
        Ok(Http { agent, base, gzip: endpoint.gzip, pace: pace.clone() })
    }

    /// Sends a body to a path below the URL, and waits for the response.
    ///
    /// # Errors
    ///
    /// If there is no response.
    pub(super) fn post(
        &self,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Answer, DeliveryError> {
        let packed = if self.gzip { Some(gzip(body)) } else { None };
        let mut request = self.agent.post(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let sent = match &packed {
            Some(packed) => {
                request.header(header::CONTENT_ENCODING, "gzip").send(packed.as_slice())
            }
            None => request.send(body),
        };
        let response = sent.map_err(|error| self.delivery_error(&error))?;
        let status = response.status().as_u16();
        let after = response.headers().get(header::RETRY_AFTER).and_then(|text| text.to_str().ok());
        let after = after.and_then(|text| retry_after(text, self.pace.clock().now()));
        let mut body = Vec::new();
        let mut reader = response.into_body().into_reader().take(MAX_ANSWER);
        match reader.read_to_end(&mut body) {
            Ok(_) => Ok(Answer { status, after, body }),
            // The status is still valid, except that it doesn't mean success.
            Err(_) if !(200..300).contains(&status) => Ok(Answer { status, after, body }),
            Err(error) => Err(DeliveryError { after: None, ..tls::delivery_error(&error) }),
        }
    }

    /// What went wrong, without any part of the URL.
    fn delivery_error(&self, error: &ureq::Error) -> DeliveryError {
        match error {
            ureq::Error::Timeout(_) => {
                DeliveryError::new(Class::TimedOut, "the receiver did not respond in time")
            }
            ureq::Error::Io(error) => tls::delivery_error(error),
            ureq::Error::Rustls(error) => DeliveryError::new(Class::Tls, tls::message(error)),
            ureq::Error::HostNotFound => {
                DeliveryError::new(Class::Connection, "the host name cannot be resolved")
            }
            ureq::Error::ConnectionFailed => {
                DeliveryError::new(Class::Connection, "the connection failed")
            }
            ureq::Error::Protocol(_) | ureq::Error::LargeResponseHeader(..) => {
                DeliveryError::new(Class::Protocol, "the response is not HTTP")
            }
            ureq::Error::Http(_) | ureq::Error::BadUri(_) => DeliveryError::new(
                Class::Denied,
                "the URL or the credential contains a forbidden character",
            ),
            _ => DeliveryError::new(Class::Connection, "no response"),
        }
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::with_capacity(body.len() / 4), Compression::fast());
    // Writing to a Vec can't fail.
    let _ = packer.write_all(body);
    packer.finish().unwrap_or_default()
}

/// The value of `Retry-After`: seconds, or a date; ten minutes at most.
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let pause = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let time = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            let micros = time.as_microsecond().saturating_sub(now.0);
            Duration::from_micros(u64::try_from(micros).unwrap_or(0))
        }
    };
    Some(pause.min(MAX_PAUSE))
}

impl Answer {
    /// Whether it means success.
    pub(super) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// What an unsuccessful response means, for all records of a batch.
    pub(super) fn failure(&self, count: usize) -> Outcome {
        let class = match self.status {
            // Whether to follow a redirect is for people to decide, and to configure.
            300..=399 | 401 | 403 | 407 => Class::Denied,
            408 | 504 => Class::TimedOut,
            425 | 429 => Class::Busy,
            500.. => Class::Server,
            _ => return Outcome::refused(count, self.status, &self.reason()),
        };
        let reason = self.reason();
        Outcome::again(count, DeliveryError { class, reason, after: self.after })
    }

    /// The status, and the beginning of the response.
    pub(super) fn reason(&self) -> String {
        let text = String::from_utf8_lossy(&self.body[..self.body.len().min(512)]);
        let is_page = text.trim_start().starts_with('<');
        let message: String = text.chars().filter(|c| !c.is_control()).take(200).collect();
        match message.trim() {
            message if message.is_empty() || is_page => format!("HTTP {}", self.status),
            message => format!("HTTP {}: {message}", self.status),
        }
    }
}

/// Opens connections that a halt ends.
#[derive(Debug)]
struct Dial {
    tls: Option<Arc<ClientConfig>>,
    pace: Pace,
}

impl Connector for Dial {
    type Out = Wire;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        _: Option<()>,
    ) -> Result<Option<Wire>, ureq::Error> {
        let addresses: Vec<_> = details.addrs.iter().copied().collect();
        let time = *details.timeout.after;
        let mut connection = Connection::to(&addresses, time, &self.pace)?;
        if let Some(tls) = self.tls.as_ref().filter(|_| details.needs_tls()) {
            connection.within(time);
            connection = connection.into_tls(tls, details.uri.host().unwrap_or_default())?;
        }
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        Ok(Some(Wire { connection, buffers }))
    }
}

/// A connection, as the HTTP client needs it.
struct Wire {
    connection: Connection,
    buffers: LazyBuffers,
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").finish_non_exhaustive()
    }
}

impl Transport for Wire {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        self.connection.within(*timeout.after);
        let output = &self.buffers.output()[..amount];
        let sent = self.connection.write_all(output).and_then(|()| self.connection.flush());
        sent.map_err(timed_out)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.connection.within(*timeout.after);
        let room = self.buffers.input_append_buf();
        let amount = self.connection.read(room).map_err(timed_out)?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        !self.connection.is_closed()
    }

    fn is_tls(&self) -> bool {
        self.connection.is_tls()
    }
}

fn timed_out(error: io::Error) -> ureq::Error {
    match error.kind() {
        ErrorKind::TimedOut => ureq::Error::Timeout(Timeout::Global),
        _ => ureq::Error::Io(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_seconds_or_dates_and_never_longer_than_ten_minutes() {
        let now = Timestamp::parse("2026-11-29T12:00:00Z").unwrap();
        for (text, want) in [
            ("0", Some(0)),
            (" 7 ", Some(7)),
            ("100000", Some(600)),
            ("18446744073709551616", None),
            ("Sun, 29 Nov 2026 12:00:30 GMT", Some(30)),
            ("Sun, 29 Nov 2026 11:00:00 GMT", Some(0)),
            ("Mon, 29 Nov 2027 12:00:00 GMT", Some(600)),
            ("soon", None),
            ("-1", None),
            ("", None),
        ] {
            assert_eq!(retry_after(text, now), want.map(Duration::from_secs), "{text}");
        }
    }

    #[test]
    fn urls_have_to_be_of_http() {
        for url in ["", "ftp://h/", "h:9200", "https://", "http:///x", "https://h h/"] {
            let endpoint = Endpoint { url: url.into(), ..Endpoint::default() };
            let error = Http::new(&endpoint, &Pace::default()).unwrap_err().to_string();
            assert!(error.contains("https://host/path"), "{error}");
        }
    }
}
