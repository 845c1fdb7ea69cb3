//! One request and its answer, under caps.

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

/// The time, and waiting. `run` has the only ones.
pub trait Clock {
    /// What time it is.
    fn now(&self) -> Timestamp;

    /// Waits.
    ///
    /// # Errors
    ///
    /// When waiting is over because the program shall end: the caller ends, too.
    fn sleep(&self, time: Duration) -> Result<()>;
}

/// What an answer may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// The most bytes of a body, on the wire and decompressed.
    pub max_len: u64,
    /// The longest time for a request, with its redirects and the whole body.
    pub total: Duration,
    /// The longest time in which nothing comes.
    pub idle: Duration,
    /// How many redirects are followed.
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

/// A text that nobody gets to see.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being seen.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(url::HIDDEN)
    }
}

/// Who we say we are, and whom we believe.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Headers with credentials.
    pub headers: Vec<(String, Secret)>,
    /// What else must not be shown: a key in the path of a URL.
    pub secrets: Vec<Secret>,
    /// Files in PEM form: our certificate with what it hangs on, and its key. They
    /// may be one file.
    pub certificate: Option<(PathBuf, PathBuf)>,
    /// A file of certificates in PEM form, which replace the built-in roots: those that issue
    /// the server's, or its own.
    pub roots: Option<PathBuf>,
}

impl Access {
    /// Adds a header with a credential.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_string(), Secret::new(value)));
        self
    }

    /// Adds a user's name and password.
    #[must_use]
    pub fn basic(mut self, user: &str, password: &str) -> Self {
        self.secrets.push(Secret::new(password));
        let pair = STANDARD.encode(format!("{user}:{password}"));
        self.header("Authorization", &format!("Basic {pair}"))
    }

    /// Adds a token.
    #[must_use]
    pub fn bearer(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Every text that must not be shown; the longest first, since one may be a part
    /// of another.
    fn hidden(&self) -> Vec<Secret> {
        let values = self.headers.iter().map(|(_, value)| value);
        let bare = values.clone().filter_map(|v| v.0.split_once(' ')).map(|(_, v)| Secret::new(v));
        let mut hidden: Vec<_> = values.chain(&self.secrets).cloned().chain(bare).collect();
        // Shorter ones would tear ordinary words apart, and are no secrets either.
        hidden.retain(|secret| secret.0.len() >= 4);
        hidden.sort_by_key(|secret| std::cmp::Reverse(secret.0.len()));
        hidden
    }
}

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// Where.
    pub url: &'a Url,
    /// What is sent: with it the request is a POST of JSON.
    pub body: Option<&'a [u8]>,
    /// The `Accept` header.
    pub accept: &'a str,
    /// The `ETag` of what we have.
    pub etag: Option<&'a str>,
    /// The `Last-Modified` of what we have.
    pub last_modified: Option<&'a str>,
}

impl<'a> Request<'a> {
    /// A plain GET.
    pub fn get(url: &'a Url) -> Self {
        Request { url, body: None, accept: "*/*", etag: None, last_modified: None }
    }

    /// Asks for this type of content.
    #[must_use]
    pub fn accept(mut self, accept: &'a str) -> Self {
        self.accept = accept;
        self
    }
}

/// Fetches for one feed.
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
    /// Reads the certificates. The credentials are for the server of `home` and no
    /// other.
    ///
    /// # Errors
    ///
    /// When one of the files cannot be read, or holds no certificate or key.
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
                let connector = ().chain(DefaultConnector::default()).chain(lenient::Lenient);
                ureq::Agent::with_parts(config, connector, DefaultResolver::default())
            }
        };
        Ok(Client { agent, home: home.clone(), access, hidden, caps })
    }

    /// Sends a request and follows its redirects. A status that says failure is an
    /// answer like others; see [`Answer::success`].
    ///
    /// # Errors
    ///
    /// When there is no answer, or it leads where we don't follow: too many times, or
    /// to another scheme, unless from `http` to `https`.
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
                self.at(Error::network("a redirect without a readable location"), &url)
            })?;
            let next = url.join(&location).map_err(|_| {
                let what = "it redirects to what is no http or https URL";
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
            let what = format!("the answer declares {len} bytes");
            return Err(self.at(too_long(what, self.caps.max_len), url));
        }
        let encoding = head.headers.get(header::CONTENT_ENCODING).map(|value| value.as_bytes());
        let wire = Capped { reader: body.into_reader(), left: self.caps.max_len };
        match encoding.map(|encoding| encoding.to_ascii_lowercase()).as_deref() {
            None | Some(b"" | b"identity") => Ok(answer(Box::new(wire))),
            Some(b"gzip" | b"x-gzip") => Ok(answer(Box::new(MultiGzDecoder::new(wire)))),
            Some(_) => Err(self
                .at(Error::format("the answer is packed in a way that we did not ask for"), url)),
        }
    }

    /// Says what is wrong without a word that came from the URL.
    fn failure(&self, error: ureq::Error) -> Error {
        match error {
            ureq::Error::Timeout(ureq::Timeout::Global) => self.too_slow(),
            ureq::Error::Timeout(_) => self.idle(),
            ureq::Error::Io(error) if is_timeout(&error) => self.idle(),
            ureq::Error::Io(error) => match tls::explained(&error) {
                Some(told) => told,
                None if error.kind() == io::ErrorKind::UnexpectedEof => {
                    Error::network("the server ended the connection without an answer")
                }
                None => Error::network(format!("no answer: {error}")),
            },
            ureq::Error::HostNotFound => Error::network("there is no host of that name"),
            ureq::Error::ConnectionFailed => Error::network("no connection"),
            ureq::Error::Rustls(error) => tls::words(&error),
            ureq::Error::Tls(what) => Error::network(format!("TLS: {what}")),
            ureq::Error::Protocol(error) => Error::network(format!("this is no HTTP: {error}")),
            ureq::Error::LargeResponseHeader(..) => Error::network("the answer's head is too long"),
            ureq::Error::InvalidProxyUrl => Error::usage("the proxy of the environment is no URL"),
            ureq::Error::BadUri(_) => Error::usage("the URL cannot be asked for"),
            ureq::Error::Http(_) => Error::usage("a header or the URL has a forbidden character")
                .remedy("look for a line end in the credentials"),
            _ => Error::network("no answer"),
        }
    }

    fn too_slow(&self) -> Error {
        Error::timed_out(format!("it took longer than {:?}", self.caps.total))
    }

    fn idle(&self) -> Error {
        Error::timed_out(format!("nothing came for {:?}", self.caps.idle))
    }

    fn at(&self, error: Error, url: &Url) -> Error {
        error.at_path(self.mask(&url.to_string()))
    }

    /// A text without our secrets.
    pub fn mask(&self, text: &str) -> String {
        mask(&self.hidden, text)
    }
}

fn mask(hidden: &[Secret], text: &str) -> String {
    hidden.iter().fold(text.to_string(), |text, secret| {
        let encoded = encode(secret.reveal());
        text.replace(secret.reveal(), url::HIDDEN).replace(&encoded, url::HIDDEN)
    })
}

/// Whether the answer leads on: then where, if it says so in ASCII.
fn redirect(response: &Response<ureq::Body>) -> Option<Option<String>> {
    let moved = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = || response.headers().get(header::LOCATION)?.to_str().ok().map(String::from);
    moved.then(location)
}

fn too_long(what: String, max_len: u64) -> Error {
    Error::format(format!("{what}, and {max_len} are allowed"))
        .remedy("raise the feed's max_size if it is meant to be that large")
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock)
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>> {
    let pem = read_pem(path)?;
    let mut found = Vec::new();
    for item in ureq::tls::parse_pem(&pem) {
        match item {
            Ok(PemItem::Certificate(certificate)) => found.push(certificate),
            Ok(_) => {}
            Err(_) => return Err(Error::format("this is no PEM file").at_path(path)),
        }
    }
    if found.is_empty() {
        return Err(Error::format("there is no certificate in it").at_path(path));
    }
    Ok(found)
}

fn private_key(path: &Path) -> Result<PrivateKey<'static>> {
    PrivateKey::from_pem(&read_pem(path)?).map_err(|_| {
        Error::format("there is no private key in it")
            .at_path(path)
            .remedy("write it in PEM form, without a passphrase")
    })
}

fn read_pem(path: &Path) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| Error::io("read", error).at_path(path))
}

/// An answer: its head has come, its body is read from it.
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
    /// The status.
    pub fn status(&self) -> u16 {
        self.status.as_u16()
    }

    /// Whether what we have is still what there is.
    pub fn is_unchanged(&self) -> bool {
        self.status == StatusCode::NOT_MODIFIED
    }

    /// A header, when it is text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// Where it came from in the end, without secrets.
    pub fn url(&self) -> &str {
        &self.shown
    }

    /// How long the server wants to be left alone.
    pub fn retry_after(&self, now: Timestamp) -> Option<Duration> {
        let text = self.header("retry-after")?.trim();
        if let Ok(seconds) = text.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let time = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
        Some(Duration::from_micros(u64::try_from(time.as_microsecond() - now.0).unwrap_or(0)))
    }

    /// Demands a status of success.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](ErrorKind::TimedOut) for 408 and 504,
    /// [`Network`](ErrorKind::Network) for what may pass, and else
    /// [`Refused`](ErrorKind::Refused), with what the server says about it.
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

    /// The first words of a failure's body, when they are JSON or plain text.
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
    /// When it breaks a cap or its declared length, or cannot be unpacked or written.
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

    /// The whole body.
    ///
    /// # Errors
    ///
    /// As [`Answer::copy_to`].
    pub fn bytes(mut self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.copy_to(&mut bytes)?;
        Ok(bytes)
    }

    /// What an error of reading the body means.
    pub fn failure(&self, error: io::Error) -> Error {
        let inner = error.get_ref();
        if inner.is_some_and(|e| e.is::<TooLong>()) {
            let what = format!("the answer is longer than {} bytes", self.max_len);
            return too_long(what, self.max_len).at_path(&self.shown);
        }
        let timed_out = matches!(
            inner.and_then(|e| e.downcast_ref::<ureq::Error>()),
            Some(ureq::Error::Timeout(_))
        );
        if let Some(told) = tls::explained(&error) {
            return told.at_path(&self.shown);
        }
        let error = if timed_out || is_timeout(&error) {
            Error::timed_out(format!("the answer stopped after {} bytes", self.len))
        } else if matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput) {
            Error::format("the answer cannot be unpacked").remedy("it is damaged on the server")
        } else {
            Error::network(format!("the answer was cut off after {} bytes: {error}", self.len))
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

/// Bytes on the wire, of which not more than `left` may come.
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

/// The mark of a body that breaks its cap.
#[derive(Debug)]
struct TooLong;

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("longer than allowed")
    }
}

impl std::error::Error for TooLong {}

/// Whether it may help to ask again.
pub fn is_passing(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Network | ErrorKind::TimedOut)
}
