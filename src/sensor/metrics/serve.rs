//! The pages, over HTTP.

use super::page::CONTENT_TYPE;
use super::{Heartbeats, MAX_SILENCE, Metrics, NotReadyReason, Readiness, Status};
use crate::sensor::halt::Halt;
use crate::sensor::http::{Limits, Method, Request, Response, Server};
use crate::sensor::listen::{Activated, Address, Bound, Tls};
use crate::{Error, Result};
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};

/// The maximum number of connections at a time.
const MAX_CONNECTIONS: usize = 16;

/// The pages, and the data that they show.
#[derive(Clone)]
pub struct Pages {
    /// The current metrics. A reload replaces them.
    pub metrics: Arc<Mutex<Metrics>>,
    /// Called before the page of metrics is written, to update counts that are kept elsewhere.
    pub before: Arc<dyn Fn() + Send + Sync>,
    /// What is running.
    pub status: Arc<dyn Fn() -> Status + Send + Sync>,
    /// Whether the workers make progress.
    pub heartbeats: Heartbeats,
    /// Whether alerts can be found and sent.
    pub readiness: Readiness,
}

/// The server of the pages.
#[derive(Debug)]
pub struct Operation(Server);

impl Pages {
    /// Serves the pages until the halt.
    ///
    /// # Errors
    ///
    /// If it can't listen on the address, or no thread can be started.
    pub fn serve(
        self,
        address: &Address,
        tls: Option<&Tls>,
        activated: &mut Activated,
        halt: Halt,
    ) -> Result<Operation> {
        let Bound::Streams(listener) = Bound::open(address, tls, activated)? else {
            return Err(Error::usage(format!("{address} does not accept connections")));
        };
        // Requests have no bodies here.
        let limits = Limits { body: 0, connections: MAX_CONNECTIONS, ..Limits::default() };
        let handler = move |request: Request, _: &Arc<str>| self.answer(&request);
        Server::start("operation", listener, limits, halt, Arc::new(handler))
            .map(Operation)
            .map_err(|error| Error::io("start a thread", error))
    }

    /// The response to a request.
    pub(super) fn answer(&self, request: &Request) -> Response {
        if !matches!(request.method, Method::Get | Method::Head) {
            return Response::text(405, "only GET is allowed\n").with("Allow", "GET, HEAD");
        }
        match &*request.path {
            "/metrics" => {
                (self.before)();
                let metrics = self.metrics.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Response::new(200, CONTENT_TYPE, metrics.page().into_bytes())
            }
            "/status" => {
                let mut status = (self.status)();
                status.obstacles = self.in_words();
                Response::json(200, status.to_json())
            }
            "/-/healthy" => self.healthy(),
            "/-/ready" => match self.readiness.reasons().is_empty() {
                true => Response::text(200, "ready\n"),
                false => Response::text(503, self.in_words().join("\n") + "\n"),
            },
            "/" => Response::text(200, "/metrics\n/status\n/-/healthy\n/-/ready\n"),
            _ => Response::text(404, "page not found\n"),
        }
    }

    fn in_words(&self) -> Vec<String> {
        self.readiness.reasons().into_iter().map(NotReadyReason::text).map(str::to_string).collect()
    }

    fn healthy(&self) -> Response {
        let silent = self.heartbeats.silent(MAX_SILENCE);
        if silent.is_empty() {
            return Response::text(200, "healthy\n");
        }
        let mut text = String::new();
        for (name, silence) in silent {
            let _ = writeln!(text, "{name} has made no progress for {} s", silence.as_secs());
        }
        Response::text(503, text)
    }
}

impl std::fmt::Debug for Pages {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("readiness", &self.readiness).finish_non_exhaustive()
    }
}

impl Operation {
    /// The address of the pages, if it has a port.
    pub fn local_addr(&self) -> Option<std::net::SocketAddr> {
        self.0.local_addr()
    }

    /// Waits until the last connection has ended, after the halt.
    pub fn join(self) {
        self.0.join();
    }
}
