//! Repeats requests to an exchange, politely.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::Timestamp;
use crate::intel::feed::client::WalkSummary;
use crate::intel::feed::fetch::{Answer, Client, Clock, Request, is_passing};
use serde::Deserialize;
use std::time::Duration;

/// The number of attempts before a failure counts.
const TRIES: u32 = 6;

/// The wait before the second attempt. It doubles with each.
const FIRST_WAIT: Duration = Duration::from_secs(1);

/// The longest wait that a server may ask for. A longer one ends the walk, and a
/// later update continues it.
const MAX_WAIT: Duration = Duration::from_secs(900);

/// The answer to a request: a status that the caller can handle, and the body.
pub(super) struct Response {
    pub(super) status: u16,
    pub(super) body: Vec<u8>,
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    /// The headers `X-TAXII-Date-Added-First` and `-Last` (TAXII 2.1, section 5.4).
    pub(super) added: (Option<String>, Option<String>),
    /// The URL it came from, without secrets.
    pub(super) url: String,
}

/// Sends the requests of one walk, and counts them.
pub(super) struct Asker<'a> {
    client: &'a Client,
    pub(super) clock: &'a dyn Clock,
    pub(super) walked: WalkSummary,
    /// The time that the server asked to wait, in its last answer.
    leave_alone: Option<Duration>,
}

impl<'a> Asker<'a> {
    pub(super) fn new(client: &'a Client, clock: &'a dyn Clock) -> Self {
        Asker { client, clock, walked: WalkSummary::default(), leave_alone: None }
    }

    pub(super) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sends a request once. A status in `known` is an answer; any other status but
    /// success is an error.
    pub(super) fn once(&mut self, request: &Request<'_>, known: &[u16]) -> Result<Response> {
        let answer = self.client.send(request, self.clock)?;
        self.walked.requests += 1;
        self.leave_alone = answer.retry_after(self.now());
        let answer = if known.contains(&answer.status()) { answer } else { answer.success()? };
        let response = response(answer)?;
        self.walked.bytes += response.body.len() as u64;
        Ok(response)
    }

    /// Sends a request until it is answered.
    pub(super) fn ask(&mut self, request: &Request<'_>, known: &[u16]) -> Result<Response> {
        self.persist(|asker| asker.once(request, known))
    }

    /// Repeats `once` until it succeeds, fails permanently, or has failed too
    /// often.
    pub(super) fn persist<T>(&mut self, mut once: impl FnMut(&mut Self) -> Result<T>) -> Result<T> {
        let mut wait = FIRST_WAIT;
        let mut tries = 1;
        loop {
            self.leave_alone = None;
            let error = match once(self) {
                Ok(done) => return Ok(done),
                Err(error) => error,
            };
            if !is_passing(&error) || tries >= TRIES {
                return Err(error);
            }
            let asked = self.leave_alone.take().unwrap_or_default();
            if asked > MAX_WAIT {
                let seconds = asked.as_secs();
                return Err(error.remedy(format!("the server asks to wait {seconds} s")));
            }
            self.walked.retries += 1;
            self.clock.sleep(asked.max(wait))?;
            wait = wait.saturating_mul(2);
            tries += 1;
        }
    }
}

/// Reads the body of an answer and the headers that a walk uses. The
/// `x-taxii-date-added-*` headers are those of TAXII 2.1: when the
/// first and last object of a page were added.
fn response(answer: Answer) -> Result<Response> {
    let own = |name| answer.header(name).map(String::from);
    let (etag, last_modified) = (own("etag"), own("last-modified"));
    let added = (own("x-taxii-date-added-first"), own("x-taxii-date-added-last"));
    let (status, url) = (answer.status(), answer.url().to_string());
    Ok(Response { status, body: answer.bytes()?, etag, last_modified, added, url })
}

impl Response {
    /// Parses the body as JSON.
    ///
    /// # Errors
    ///
    /// It is not JSON of this structure. An HTML page is reported as such.
    pub(super) fn json<'t, T: Deserialize<'t>>(&'t self) -> Result<T> {
        parse(&self.body).map_err(|error| error.at_path(&self.url))
    }
}

/// Parses JSON.
pub(super) fn parse<'t, T: Deserialize<'t>>(bytes: &'t [u8]) -> Result<T> {
    serde_json::from_slice(bytes).map_err(|error| {
        if bytes.trim_ascii_start().starts_with(b"<") {
            return Error::format("the response is an HTML page, not JSON")
                .remedy("check the URL; a proxy or a login page may have answered");
        }
        // The parser's error may quote the answer, which may contain secrets.
        let what = if error.is_eof() { "is cut off" } else { "has an unexpected structure" };
        Error::format(format!("the JSON of the response {what}")).at_line(error.line() as u64)
    })
}

/// Formats a time as exchanges expect it: without a zone, meaning UTC.
pub(super) fn naive(time: Timestamp) -> String {
    time.to_string().trim_end_matches('Z').to_string()
}

/// Subtracts a duration from a time.
pub(super) fn before(time: Timestamp, by: Duration) -> Timestamp {
    Timestamp(time.0.saturating_sub(i64::try_from(by.as_micros()).unwrap_or(i64::MAX)))
}

/// Whether a name from outside is safe as the name of a document: letters, digits
/// and hyphens, at most 64.
pub(super) fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}
