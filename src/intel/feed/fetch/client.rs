//! Sends one request and receives its answer, within limits.

use super::{Url, encode, lenient, tls, url};
use crate::engine::error::{Error, ErrorKind, Result};
use crate::engine::indicator::Timestamp;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::{Response, StatusCode, header};
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{Connector as _, DefaultConnector};

/// The time, and waiting. Tests provide their own.
pub trait Clock {
    /// The current time.
    fn now(&self) -> Timestamp;

    /// Waits.
    ///
    /// # Errors
    ///
    /// Waiting was interrupted because the program is ending. The caller must return.
    fn sleep(&self, time: Duration) -> Result<()>;
}

/// Limits for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Bytes of a body, as sent and decompressed.
    pub max_len: u64,
    /// Duration of a request, including redirects and the whole body.
    pub total: Duration,
    /// Time without receiving anything.
    pub idle: Duration,
    /// Number of redirects to follow.
    pub redirects: u8,
}

impl Default for Caps {
    /// 256 MiB, ten minutes, thirty seconds without a byte, five redirects.
    fn default() -> Self {
        Caps {
            max_len: 256 << 20,
            total: Duration::from_secs(600),
            idle: Duration::from_secs(30),
            redirects: 5,
        }
    }
}

/// A text that must never be displayed.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text, so that `Debug` does not show it.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// Returns the text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(url::HIDDEN)
    }
}

/// How to authenticate, and which certificates to trust.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Headers with credentials.
    pub headers: Vec<(String, Secret)>,
    /// Other texts that must not be displayed, such as a key in the path of a URL.
    pub secrets: Vec<Secret>,
    /// PEM files with the client certificate, including its chain, and with its
    /// private key. They may be the same file.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// A PEM file with certificates that replace the built-in roots: issuers of the
    /// server's certificate, or that certificate itself.
    pub roots: Option<PathBuf>,
}

impl Access {
    /// Adds a header with a credential.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_string(), Secret::new(value)));
        self
    }

    /// Adds a user name and password (RFC 7617).
    #[must_use]
    pub fn basic(mut self, user: &str, password: &str) -> Self {
        self.secrets.push(Secret::new(password));
        let pair = STANDARD.encode(format!("{user}:{password}"));
        self.header("Authorization", &format!("Basic {pair}"))
    }

    /// Adds a bearer token (RFC 6750).
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// All texts that must not be displayed, the longest first, since one may be
    /// part of another.
    fn hidden(&self) -> Vec<Secret> {
        let values = self.headers.iter().map(|(_, value)| value);
        let bare = values.clone().filter_map(|v| v.0.split_once(' ')).map(|(_, v)| Secret::new(v));
        let mut hidden: Vec<_> = values.chain(&self.secrets).cloned().chain(bare).collect();
        // Masking a shorter text would garble ordinary words, and it is not much of
        // a secret.
        hidden.retain(|secret| secret.0.len() >= 4);
        hidden.sort_by_key(|secret| std::cmp::Reverse(secret.0.len()));
        hidden
    }
}

/// A request.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The URL.
    pub url: &'a Url,
    /// The body. With it, the request is a POST of JSON.
    pub body: Option<&'a [u8]>,
    /// The `Accept` header.
    pub accept: &'a str,
    /// The `ETag` of the stored copy.
    pub etag: Option<&'a str>,
    /// The `Last-Modified` of the stored copy.
    pub last_modified: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// Creates a plain GET.
    pub fn get(url: &'a Url) -> Self {
        Request { url, body: None, accept: "*/*", etag: None, last_modified: None }
    }

    /// Sets the type of content to accept.
    #[must_use]
    pub fn accept(mut self, accept: &'a str) -> Self {
        self.accept = accept;
        self
    }
}

/// Fetches documents for one feed.
pub struct Client {
    agent: ureq::Agent,
    home: Url,
    access: Access,
    hidden: Vec<Secret>,
    caps: Caps,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("access", &self.access).field("caps", &self.caps).finish()
    }
}

impl Client {
    /// Reads the certificates. Credentials are only sent to the server of `home`.
    ///
    /// # Errors
    ///
    /// A file cannot be read, or contains no certificate or key.
    pub fn new(home: &Url, access: Access, caps: Caps) -> Result<Client> {
        let mut tls = TlsConfig::builder();
        if let Some((chain, key)) = &access.certificate
            && access.roots.is_none()
        {
            let chain = certificates(chain)?;
            tls = tls.client_cert(Some(ClientCert::new_with_certs(&chain, private_key(key)?)));
        }
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("wiresift/", env!("CARGO_PKG_VERSION")))
            .accept_encoding("gzip")
            .timeout_connect(Some(caps.idle))
            .timeout_per_read(Some(caps.idle))
            .timeout_per_write(Some(caps.idle))
            .tls_config(tls.build())
            .build();
        let hidden = access.hidden();
        let own = access.certificate.as_ref().map(|(chain, key)| (chain.as_path(), key.as_path()));
        let agent = match &access.roots {
            Some(roots) => tls::agent(config, roots, own)?,
            None => {
                let connector =
                    ().chain(DefaultConnector::default()).chain(lenient::RepairingConnector);
                ureq::Agent::with_parts(config, connector, DefaultResolver::default())
            }
        };
        Ok(Client { agent, home: home.clone(), access, hidden, caps })
    }

    /// Sends a request and follows redirects. A status of failure is an answer,
    /// too; see [`Answer::success`].
    ///
    /// # Errors
    ///
    /// There is no answer, there are too many redirects, or one leads to another
    /// scheme, unless from `http` to `https`.
    pub fn send(&self, request: &Request<'_>, clock: &dyn Clock) -> Result<Answer> {
        let start = clock.now();
        let mut url = request.url.clone();
        for _ in 0..=self.caps.redirects {
            let spent = Duration::from_micros(
                u64::try_from(clock.now().0.saturating_sub(start.0)).unwrap_or(0),
            );
            let left = self.caps.total.saturating_sub(spent);
            let response = self.once(request, &url, left)?;
            let Some(location) = redirect(&response) else {
                return self.answer(response, &url);
            };
            let location = location.ok_or_else(|| {
                self.at(Error::network("redirect without a valid Location header"), &url)
            })?;
            let next = url.join(&location).map_err(|_| {
                let what = "it redirects to something other than an http or https URL";
                self.at(Error::network(what), &url)
            })?;
            if url.is_https() && !next.is_https() {
                let what = format!("it redirects from https to {}", self.mask(&next.to_string()));
                return Err(self.at(Error::network(what), &url).remedy("only https is followed"));
            }
            if request.body.is_some() {
                let what = format!("it redirects to {}", self.mask(&next.to_string()));
                return Err(self.at(Error::network(what), &url).remedy("name that URL instead"));
            }
            url = next;
        }
        let what = format!("more than {} redirects", self.caps.redirects);
        Err(self.at(Error::network(what), request.url))
    }

    /// Sends a request to one URL without following redirects. Credentials are only
    /// sent to servers that the configured URL trusts, so a redirect cannot collect
    /// them.
    fn once(
        &self,
        request: &Request<'_>,
        url: &Url,
        left: Duration,
    ) -> Result<Response<ureq::Body>> {
        if left.is_zero() {
            return Err(self.at(self.too_slow(), url));
        }
        let whole = url.whole();
        let mut headers = vec![(header::ACCEPT.as_str(), request.accept)];
        headers.extend(request.etag.map(|etag| (header::IF_NONE_MATCH.as_str(), etag)));
        headers
            .extend(request.last_modified.map(|time| (header::IF_MODIFIED_SINCE.as_str(), time)));
        if self.home.trusts(url) {
            let own = self.access.headers.iter();
            headers.extend(own.map(|(name, value)| (name.as_str(), value.reveal())));
        }
        let outcome = match request.body {
            None => {
                let get = headers.iter().fold(self.agent.get(&whole), |r, (n, v)| r.header(*n, *v));
                get.config().timeout_global(Some(left)).build().call()
            }
            Some(body) => {
                headers.push((header::CONTENT_TYPE.as_str(), "application/json"));
                let post =
                    headers.iter().fold(self.agent.post(&whole), |r, (n, v)| r.header(*n, *v));
                post.config().timeout_global(Some(left)).build().send(body)
            }
        };
        outcome.map_err(|error| self.at(self.failure(error), url))
    }

    /// Turns a response into an answer with bounded, decompressed content. The
    /// limit applies to the compressed bytes and again to what they unpack to,
    /// because a few kilobytes of gzip can unpack to gigabytes.
    fn answer(&self, response: Response<ureq::Body>, url: &Url) -> Result<Answer> {
        let (head, body) = response.into_parts();
        let declared = body.content_length();
        let answer = |body| Answer {
            status: head.status,
            headers: head.headers.clone(),
            shown: self.mask(&url.to_string()),
            hidden: self.hidden.clone(),
            body,
            max_len: self.caps.max_len,
            len: 0,
        };
        if let Some(len) = declared.filter(|len| *len > self.caps.max_len) {
            let what = format!("the response declares {len} bytes");
            return Err(self.at(too_long(what, self.caps.max_len), url));
        }
        let encoding = head.headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes());
        let wire = Capped { reader: body.into_reader(), left: self.caps.max_len };
        match encoding.map(|encoding| encoding.to_ascii_lowercase()).as_deref() {
            None | Some(b"" | b"identity") => Ok(answer(Box::new(wire))),
            Some(b"gzip" | b"x-gzip") => Ok(answer(Box::new(MultiGzDecoder::new(wire)))),
            Some(_) => Err(self.at(
                Error::format("the response has a content encoding that was not requested"),
                url,
            )),
        }
    }

    /// Describes a failure without quoting the URL.
    fn failure(&self, error: ureq::Error) -> Error {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Global) => self.too_slow(),
            ureq::Error::Timeout(_) => self.idle(),
            ureq::Error::Io(error) if is_timeout(&error) => self.idle(),
            ureq::Error::Io(error) => match tls::explained(&error) {
                Some(explained) => explained,
                None if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Error::network("the server closed the connection without a response")
                }
                None => Error::network(format!("no response: {error}")),
            },
            ureq::Error::HostNotFound => Error::network("the host does not exist"),
            ureq::Error::ConnectionFailed => Error::network("no connection"),
            ureq::Error::Rustls(error) => tls::words(&error),
            ureq::Error::Tls(what) => Error::network(format!("TLS: {what}")),
            ureq::Error::Protocol(error) => Error::network(format!("invalid HTTP: {error}")),
            ureq::Error::LargeResponseHeader(..) => {
                Error::network("the response headers are too long")
            }
            ureq::Error::InvalidProxyUrl => {
                Error::usage("the proxy in the environment is not a valid URL")
            }
            ureq::Error::BadUri(_) => Error::usage("the URL is invalid"),
            ureq::Error::Http(_) => Error::usage("a header or the URL has a forbidden character")
                .remedy("check the credentials for line breaks"),
            _ => Error::network("no response"),
        }
    }

    /// The error for an exceeded total time.
    fn too_slow(&self) -> Error {
        Error::timed_out(format!("it took longer than {:?}", self.caps.total))
    }

    /// The error for a server that stopped sending.
    fn idle(&self) -> Error {
        Error::timed_out(format!("nothing received for {:?}", self.caps.idle))
    }

    /// Adds the URL to an error, without secrets.
    fn at(&self, error: Error, url: &Url) -> Error {
        error.at_path(self.mask(&url.to_string()))
    }

    /// Replaces secrets in a text.
    pub fn mask(&self, text: &str) -> String {
        mask(&self.hidden, text)
    }
}

/// Replaces secrets in a text, both as they are and percent-encoded, since a URL
/// may contain either.
fn mask(hidden: &[Secret], text: &str) -> String {
    hidden.iter().fold(text.to_string(), |text, secret| {
        let encoded = encode(secret.reveal());
        text.replace(secret.reveal(), url::HIDDEN).replace(&encoded, url::HIDDEN)
    })
}

/// Whether the answer is a redirect, and where to, if the location is ASCII.
fn redirect(response: &Response<ureq::Body>) -> Option<Option<String>> {
    let moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = || response.headers().get(header::LOCATION)?.to_str().ok().map(String::from);
    moved.then(location)
}

/// The error for an answer over the limit.
fn too_long(what: String, max_len: u64) -> Error {
    Error::format(format!("{what}, but the limit is {max_len}"))
        .remedy("raise the feed's max_size if it is meant to be that large")
}

/// Whether an I/O error is a timeout. A socket with a timeout returns `WouldBlock`
/// on Unix and `TimedOut` on Windows.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

/// Reads the certificates in a PEM file. It may hold a key, too, which is skipped.
fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let pem = read_pem(path)?;
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(Error::format("not a PEM file").at_path(path)),
        }
    }
    if found.is_empty() {
        return Err(Error::format("it contains no certificate").at_path(path));
    }
    Ok(found)
}

/// Reads the private key in a PEM file. The TLS library cannot decrypt keys with a
/// passphrase.
fn private_key(path: &Path) -> Result<PrivateKey<'static>> {
    PrivateKey::from_pem(&read_pem(path)?).map_err(|_| {
        Error::format("it contains no private key")
            .at_path(path)
            .remedy("write it in PEM form, without a passphrase")
    })
}

fn read_pem(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io("read", error).at_path(path))
}

/// An answer. Its headers were received; its body is still to be read.
pub struct Answer {
    status: StatusCode,
    headers: ureq::http::HeaderMap,
    shown: String,
    hidden: Vec<Secret>,
    body: Box<dyn Read + Send>,
    max_len: u64,
    len: u64,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer").field("status", &self.status).field("url", &self.shown).finish()
    }
}

impl Answer {
    /// The status code.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Whether the stored copy is still current (status 304).
    pub fn is_unchanged(&self) -> bool {
        self.status == StatusCode::NOT_MODIFIED
    }

    /// A header, if it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The URL that finally answered, without secrets.
    pub fn url(&self) -> &str {
        &self.shown
    }

    /// How long the server asks to wait, from `Retry-After` (RFC 9110, section
    /// 10.2.3).
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let time = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(Duration::from_micros(u64::try_from(time.as_microsecond() - now.0).unwrap_or(0)))
    }

    /// Requires a successful status.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](ErrorKind::TimedOut) for 408 and 504,
    /// [`Network`](ErrorKind::Network) for what may be temporary, and otherwise
    /// [`Refused`](ErrorKind::Refused), quoting the server's explanation.
    pub fn success(mut self) -> Result<Answer> {
        if self.status.is_success() {
            return Ok(self);
        }
        let said = self.complaint();
        let reason = self.status.canonical_reason().unwrap_or("");
        let what = format!("the server answered {} {reason}{said}", self.status.as_u16());
        let error = match self.status.as_u16() {
            401 | 403 => Error::refused(what)
                .remedy("check the key or password, and that it was not revoked"),
            408 | 504 => Error::timed_out(what),
            429 | 500.. => Error::network(what),
            404 | 410 => Error::refused(what).remedy("check the URL"),
            _ => Error::refused(what),
        };
        Err(error.at_path(&self.shown))
    }

    /// The first words of a failure's body, if it is JSON or plain text.
    fn complaint(&mut self) -> String {
        let mut head = Vec::new();
        let _ = Read::take(&mut *self, 4096).read_to_end(&mut head);
        let text = String::from_utf8_lossy(&head);
        let said = match serde_json::from_str::<serde_json::Value>(&text) {
            Ok(serde_json::Value::Object(object)) => ["title", "detail", "message", "description"]
                .iter()
                .find_map(|name| Some(object.get(*name)?.as_str()?.to_string()))
                .unwrap_or_default(),
            _ if text.trim_start().starts_with('<') => String::new(),
            _ => text.lines().next().unwrap_or("").to_string(),
        };
        let said: String = said.chars().filter(|c| !c.is_control()).take(200).collect();
        if said.trim().is_empty() { said } else { format!(": {}", mask(&self.hidden, said.trim())) }
    }

    /// Copies the body.
    ///
    /// # Errors
    ///
    /// It exceeds a limit, ends before its declared length, cannot be decompressed,
    /// or cannot be written.
    pub fn copy_to(&mut self, out: &mut dyn Write) -> Result<u64> {
        let mut buffer = vec![0; 1 << 16];
        let mut copied = 0;
        loop {
            let len = match self.read(&mut buffer) {
                Ok(0) => return Ok(copied),
                Ok(len) => len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.failure(error)),
            };
            out.write_all(&buffer[..len]).map_err(|error| Error::io("write", error))?;
            copied += len as u64;
        }
    }

    /// Reads the whole body.
    ///
    /// # Errors
    ///
    /// Like [`Answer::copy_to`].
    pub fn bytes(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.copy_to(&mut bytes)?;
        Ok(bytes)
    }

    /// Converts an error of reading the body.
    pub fn failure(&self, error: io::Error) -> Error {
        let inner = error.get_ref();
        if inner.is_some_and(|e| e.is::<TooLong>()) {
            let what = format!("the response is longer than {} bytes", self.max_len);
            return too_long(what, self.max_len).at_path(&self.shown);
        }
        let timed_out = matches!(
            inner.and_then(|e| e.downcast_ref::<ureq::Error>()),
            Some(ureq::Error::Timeout(_))
        );
        if let Some(explained) = tls::explained(&error) {
            return explained.at_path(&self.shown);
        }
        let error = if timed_out || is_timeout(&error) {
            Error::timed_out(format!("the response timed out after {} bytes", self.len))
        } else if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) {
            Error::format("the response cannot be decompressed")
                .remedy("it is damaged on the server")
        } else {
            Error::network(format!("the response was cut off after {} bytes: {error}", self.len))
        };
        error.at_path(&self.shown)
    }
}

impl Read for Answer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.body.read(buffer)?;
        self.len += len as u64;
        if self.len > self.max_len {
            return Err(io::Error::other(TooLong));
        }
        Ok(len)
    }
}

/// Limits the bytes read from the connection to `left`.
struct Capped<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(len as u64).ok_or_else(|| io::Error::other(TooLong))?;
        Ok(len)
    }
}

/// Marks a body that exceeds its limit.
#[derive(Debug)]
struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("longer than allowed")
    }
}

impl std::error::Error for TooLong {}

/// Whether the cause may be temporary, so that a retry makes sense.
pub fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Network | ErrorKind::TimedOut)
}
