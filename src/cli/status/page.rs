//! Fetches and parses the status page of the service.

use serde::Deserialize;
use serde_json::{Map, Value};
use std::io::{ErrorKind, Read as _};
use std::time::Duration;
use wiresift::engine::error::io_text;
use wiresift::{Error, Result};

/// The time limit for an answer of the service.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The size limit of a page. Each followed file takes about 150 bytes.
const MAX_PAGE: u64 = 64 << 20;

/// The address of the status page.
#[derive(Debug)]
pub(super) struct StatusClient {
    url: String,
    agent: ureq::Agent,
}

impl StatusClient {
    /// The page at a URL. The scheme and the path may be omitted.
    ///
    /// # Errors
    ///
    /// It is not an HTTP URL.
    pub(super) fn new(url: &str) -> Result<StatusClient> {
        let wrong = || {
            Error::usage(format!("invalid address “{url}”"))
                .remedy("write http://HOST:PORT, as in metrics")
        };
        let full = if url.contains("://") { url.to_string() } else { format!("http://{url}") };
        let full = full.trim_end_matches('/');
        let uri = full.parse::<ureq::http::Uri>().map_err(|_| wrong())?;
        // A word alone is a slip, and not a host that listens on the port of web servers.
        let is_word = !url.contains("://") && uri.port().is_none();
        if uri.scheme_str() != Some("http") || uri.host().is_none_or(str::is_empty) || is_word {
            return Err(wrong());
        }
        let path = if full.ends_with("/status") { "" } else { "/status" };
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            // The service listens on this machine or in its network; a proxy from the environment
            // must not interfere.
            .proxy(None)
            .user_agent(concat!("wiresift/", env!("CARGO_PKG_VERSION")))
            .timeout_global(Some(TIMEOUT))
            .build();
        Ok(StatusClient { url: format!("{full}{path}"), agent: config.into() })
    }

    /// Fetches the page as text.
    ///
    /// # Errors
    ///
    /// There is no answer, or it is not that of a wiresift service.
    pub(super) fn fetch(&self) -> Result<String> {
        let response =
            self.agent.get(&self.url).call().map_err(|error| self.unreachable(&error))?;
        let status = response.status().as_u16();
        if status != 200 {
            return Err(self.foreign(&format!("it responded with status {status}")));
        }
        let mut body = Vec::new();
        // One byte more than the limit shows that the page exceeds it.
        let mut reader = response.into_body().into_reader().take(MAX_PAGE + 1);
        reader.read_to_end(&mut body).map_err(|error| {
            Error::network(format!("{}: the page ended early: {error}", self.url))
        })?;
        if body.len() as u64 > MAX_PAGE {
            return Err(self.foreign("its page is too long"));
        }
        String::from_utf8(body).map_err(|_| self.foreign("its page is not text"))
    }

    /// Fetches and parses the page.
    ///
    /// # Errors
    ///
    /// Like [`StatusClient::fetch`].
    pub(super) fn page(&self) -> Result<Page> {
        Page::parse(&self.fetch()?, self)
    }

    fn foreign(&self, why: &str) -> Error {
        Error::network(format!("{} is not a status page of wiresift: {why}", self.url))
            .remedy("metrics in the configuration sets its address")
    }

    fn unreachable(&self, error: &ureq::Error) -> Error {
        let url = &self.url;
        match error {
            ureq::Error::Timeout(_) => {
                Error::timed_out(format!("{url} did not respond within {} s", TIMEOUT.as_secs()))
                    .remedy("the service may be stopped or stuck: see its log")
            }
            ureq::Error::HostNotFound => Error::network(format!("{url}: host not found")),
            ureq::Error::Io(error) if error.kind() != ErrorKind::ConnectionRefused => {
                Error::network(format!("cannot reach {url}: {}", io_text(error)))
            }
            ureq::Error::ConnectionFailed | ureq::Error::Io(_) => {
                Error::network(format!("cannot reach {url}: nothing is listening there")).remedy(
                    "start the service with `wiresift run`; if it is running, metrics in its \
                     configuration sets the address of its page",
                )
            }
            error => Error::network(format!("{url}: {error}")),
        }
    }
}

/// The contents of the page. Fields that another version omits are empty.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Page {
    #[serde(default)]
    pub(super) version: String,
    pub(super) state: String,
    #[serde(default)]
    pub(super) obstacles: Vec<String>,
    #[serde(default)]
    pub(super) started: String,
    #[serde(default)]
    pub(super) failed_reload: Option<FailedReload>,
    #[serde(default)]
    pub(super) database: Option<Database>,
    #[serde(default)]
    pub(super) inputs: Vec<Input>,
    #[serde(default)]
    pub(super) sinks: Vec<Sink>,
    #[serde(default)]
    pub(super) spool_bytes: u64,
    #[serde(default)]
    pub(super) suppression_keys: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct FailedReload {
    pub(super) time: String,
    pub(super) message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Database {
    pub(super) path: String,
    pub(super) id: String,
    pub(super) built: String,
    pub(super) loaded: String,
    pub(super) indicators: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Input {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) trouble: Option<String>,
    pub(super) addresses: Vec<String>,
    pub(super) lines: u64,
    pub(super) bytes: u64,
    pub(super) counts: Map<String, Value>,
    pub(super) files: Vec<File>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) trouble: Option<String>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Sink {
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) state: String,
    pub(super) trouble: Option<String>,
    pub(super) records: u64,
    pub(super) pending_bytes: u64,
    pub(super) spool: Option<String>,
    pub(super) dropped: u64,
    pub(super) dead_letters: u64,
}

impl Page {
    /// Parses the page.
    ///
    /// # Errors
    ///
    /// It is not a status page.
    pub(super) fn parse(text: &str, place: &StatusClient) -> Result<Page> {
        serde_json::from_str(text).map_err(|error| place.foreign(&error.to_string()))
    }

    /// Whether the service runs without problems.
    pub(super) fn is_well(&self) -> bool {
        self.state == "running" && self.obstacles.is_empty() && self.failed_reload.is_none()
    }
}
