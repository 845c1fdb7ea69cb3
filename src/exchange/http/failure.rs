//! What goes wrong with a request, as a status and a sentence.

use std::collections::BTreeMap;

/// Why a request is not answered as asked for. Each family of routes writes it in its own form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The HTTP status.
    pub status: u16,
    /// A sentence for the caller.
    pub detail: String,
    /// Messages by field.
    pub errors: BTreeMap<String, Vec<String>>,
    /// For 429 and 503: when to try again, in seconds.
    pub retry_after: Option<u64>,
}

impl Failure {
    /// A status and a sentence.
    pub fn new(status: u16, detail: impl Into<String>) -> Failure {
        Failure { status, detail: detail.into(), errors: BTreeMap::new(), retry_after: None }
    }

    /// 400: the request is wrong.
    pub fn bad_request(detail: impl Into<String>) -> Failure {
        Failure::new(400, detail)
    }

    /// 403: no key, a wrong one, or one that may not do this.
    pub fn forbidden(detail: impl Into<String>) -> Failure {
        Failure::new(403, detail)
    }

    /// 404: it does not exist, or the caller may not know that it does.
    pub fn not_found() -> Failure {
        Failure::new(404, "not found")
    }

    /// 429: too many requests.
    pub fn too_many(seconds: u64) -> Failure {
        let detail = format!("too many requests: try again in {seconds} seconds");
        Failure { retry_after: Some(seconds), ..Failure::new(429, detail) }
    }
}

impl From<crate::engine::error::Error> for Failure {
    /// Our own failure; what happened is for the log, not for the caller.
    fn from(error: crate::engine::error::Error) -> Failure {
        match error.kind() {
            crate::engine::error::ErrorKind::TimedOut => Failure {
                retry_after: Some(5),
                ..Failure::new(503, "the server is busy: try again in 5 seconds")
            },
            _ => Failure { detail: format!("{error}"), ..Failure::new(500, "") },
        }
    }
}
