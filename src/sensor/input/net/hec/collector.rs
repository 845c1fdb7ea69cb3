//! The collector: converts requests to lines, and responds with Splunk's codes.

use super::super::batch::Names;
use super::super::net_input::Outgoing;
use super::super::{Batch, Count, NetInput};
use super::acks::Acks;
use super::objects::{Defaults, Invalid, lines, objects};
use crate::sensor::http::{Limits, Method, Request, Response, Server};
use crate::sensor::listen::{Activated, Address, Bound, Tls};
use crate::{Error, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::io::Read as _;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The default maximum size of a request in bytes, compressed or not.
const MAX_BODY: usize = 16 << 20;

/// How long a request waits for room in the queue.
const PATIENCE: Duration = Duration::from_secs(5);

/// An HTTP event collector.
#[derive(Clone, Debug)]
pub struct Collector {
    /// Where to listen: `tcp:`, `tls:`, `unix:` or `systemd:`.
    pub addresses: Vec<Address>,
    /// The certificate of `tls://`.
    pub tls: Option<Tls>,
    /// The tokens of clients.
    pub tokens: Vec<String>,
    /// Whether clients that name a channel get acknowledgements.
    pub acks: bool,
    /// The maximum number of connections at a time. Each may hold a request in memory.
    pub max_connections: usize,
    /// The maximum size of a request in bytes, compressed or not.
    pub max_body: usize,
}

impl Collector {
    /// With acknowledgements, without TLS, for 32 connections.
    pub fn new(address: Address, tokens: Vec<String>) -> Collector {
        Collector {
            addresses: vec![address],
            tls: None,
            tokens,
            acks: true,
            max_connections: 32,
            max_body: MAX_BODY,
        }
    }

    /// Listens, and starts receiving.
    ///
    /// # Errors
    ///
    /// If there is no token, it can't listen on the address, or no thread can be started.
    pub fn start(self, activated: &mut Activated) -> Result<NetInput> {
        if self.tokens.iter().all(String::is_empty) {
            return Err(Error::usage("the collector has no token")
                .remedy("set token_env or token_file, or anyone could write to it"));
        }
        let mut listeners = Vec::new();
        for address in &self.addresses {
            match Bound::open(address, self.tls.as_ref(), activated)? {
                Bound::Streams(listener) => listeners.push(listener),
                Bound::Datagrams(_) => {
                    return Err(Error::usage(format!("{address} does not accept connections")));
                }
            }
        }
        let (mut net_input, outgoing) = NetInput::new()?;
        let (connections, max_body) = (self.max_connections, self.max_body);
        let halt = outgoing.halt.clone();
        let request_handler = Arc::new(RequestHandler {
            tokens: self.tokens.iter().filter(|token| !token.is_empty()).map(digest).collect(),
            acks: self.acks.then(Mutex::default),
            is_busy: AtomicBool::new(false),
            max_body,
            outgoing,
        });
        for listener in listeners {
            let limits = Limits { body: max_body, connections, ..Limits::default() };
            let request_handler = Arc::clone(&request_handler);
            let handler = move |request, peer: &Arc<str>| request_handler.answer(&request, peer);
            let server = Server::start("hec", listener, limits, halt.clone(), Arc::new(handler))
                .map_err(|error| Error::io("start a thread", error))?;
            net_input.addresses.extend(server.local_addr());
            net_input.limiters.push(server.limiter());
            net_input.adopt(server.into_thread());
        }
        Ok(net_input)
    }
}

/// A response: status, Splunk's code, and its text.
type Code = (u16, u8, &'static str);

const SUCCESS: Code = (200, 0, "Success");
const TOKEN_REQUIRED: Code = (401, 2, "Token is required");
const INVALID_AUTHORIZATION: Code = (401, 3, "Invalid authorization");
const INVALID_TOKEN: Code = (403, 4, "Invalid token");
const NO_DATA: Code = (400, 5, "No data");
const INVALID_FORMAT: Code = (400, 6, "Invalid data format");
const BUSY: Code = (503, 9, "Server is busy");
const NO_CHANNEL: Code = (400, 10, "Data channel is missing");
const NO_EVENT: Code = (400, 12, "Event field is required");
const EMPTY_EVENT: Code = (400, 13, "Event field cannot be blank");
const NO_ACKS: Code = (400, 14, "ACK is disabled");
const HEALTHY: Code = (200, 17, "HEC is healthy");
const UNHEALTHY: Code = (503, 18, "HEC is unhealthy, queues are full");

fn coded((status, code, text): Code) -> Response {
    Response::json(status, format!("{{\"text\":\"{text}\",\"code\":{code}}}"))
}

fn digest(token: impl AsRef<[u8]>) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// The request handler.
struct RequestHandler {
    /// Digests of the tokens, so that the time of a comparison reveals nothing about them.
    tokens: Vec<[u8; 32]>,
    acks: Option<Mutex<Acks>>,
    is_busy: AtomicBool,
    max_body: usize,
    outgoing: Outgoing,
}

impl RequestHandler {
    fn answer(&self, request: &Request, peer: &Arc<str>) -> Response {
        let path = request.path.strip_prefix("/services/collector");
        let path = path.map(|path| path.trim_end_matches('/'));
        let is_post = request.method == Method::Post;
        match path {
            Some("/health" | "/health/1.0") => {
                let is_busy = self.is_busy.load(Ordering::Relaxed);
                return coded(if is_busy { UNHEALTHY } else { HEALTHY });
            }
            Some("" | "/event" | "/event/1.0" | "/raw" | "/raw/1.0" | "/ack") if is_post => {}
            Some("" | "/event" | "/event/1.0" | "/raw" | "/raw/1.0" | "/ack") => {
                return Response::text(405, "only POST is allowed\n").with("Allow", "POST");
            }
            _ => return Response::text(404, "path not found\n"),
        }
        if let Err(code) = self.authorize(request) {
            self.outgoing.count(Count::Unauthorized, 1);
            return coded(code);
        }
        let answer = match path {
            Some("/ack") => self.report_acks(request),
            Some("/raw" | "/raw/1.0") => self.take(request, peer, true),
            _ => self.take(request, peer, false),
        };
        self.outgoing.count(Count::BadRequests, u64::from((400..500).contains(&answer.status)));
        answer
    }

    fn authorize(&self, request: &Request) -> std::result::Result<(), Code> {
        let header = request.header("authorization").ok_or(TOKEN_REQUIRED)?;
        let (scheme, rest) = header.split_once(' ').ok_or(INVALID_AUTHORIZATION)?;
        let token = match scheme.to_ascii_lowercase().as_str() {
            "splunk" | "bearer" => Cow::Borrowed(rest.trim().as_bytes()),
            "basic" => {
                let pair = STANDARD.decode(rest.trim()).map_err(|_| INVALID_AUTHORIZATION)?;
                let colon = pair.iter().position(|&byte| byte == b':');
                let colon = colon.ok_or(INVALID_AUTHORIZATION)?;
                Cow::Owned(pair.get(colon + 1..).unwrap_or_default().to_vec())
            }
            _ => return Err(INVALID_AUTHORIZATION),
        };
        let digest = digest(token);
        if self.tokens.contains(&digest) { Ok(()) } else { Err(INVALID_TOKEN) }
    }

    /// Takes the data of a request.
    fn take(&self, request: &Request, peer: &Arc<str>, is_raw: bool) -> Response {
        let body = match body(request, self.max_body) {
            Ok(body) if body.trim_ascii().is_empty() => return coded(NO_DATA),
            Ok(body) => body,
            Err(response) => return response,
        };
        let defaults = Defaults {
            host: request.query("host"),
            source: request.query("source").or_else(|| request.query("sourcetype")),
            peer: Arc::clone(peer),
        };
        let mut queue = Queue { outgoing: &self.outgoing, last: None, is_full: false };
        let (mut batch, mut names) = (Batch::default(), Names::default());
        let mut each = |batch: &mut Batch| !batch.is_full() || queue.put(std::mem::take(batch));
        let outcome = match is_raw {
            true => Ok(lines(&body, &defaults, &mut names, &mut batch, &mut each)),
            false => objects(&body, &defaults, &mut names, &mut batch, &mut each),
        };
        let is_queued = !queue.is_full && queue.put(batch);
        self.is_busy.store(!is_queued, Ordering::Relaxed);
        if !is_queued {
            self.outgoing.count(Count::Busy, 1);
            return coded(BUSY);
        }
        let count = outcome.as_ref().map_or_else(|invalid| invalid.number, |count| *count);
        self.outgoing.count(Count::Records, count as u64);
        match outcome {
            Ok(_) => self.taken(request, queue.last),
            Err(invalid) => refused(invalid),
        }
    }

    /// The response to a request whose lines are in the queue.
    fn taken(&self, request: &Request, ticket: Option<Arc<AtomicU64>>) -> Response {
        let (Some(acks), Some(channel), Some(ticket)) = (&self.acks, channel(request), ticket)
        else {
            return coded(SUCCESS);
        };
        let mut acks = acks.lock().unwrap_or_else(PoisonError::into_inner);
        match acks.enter(&channel, ticket, &self.outgoing) {
            Some(number) => Response::json(
                200,
                format!("{{\"text\":\"Success\",\"code\":0,\"ackId\":{number}}}"),
            ),
            None => coded(BUSY),
        }
    }

    /// Reports which requests are safe.
    fn report_acks(&self, request: &Request) -> Response {
        #[derive(serde::Deserialize)]
        struct Question {
            acks: Vec<u64>,
        }
        let Some(acks) = &self.acks else { return coded(NO_ACKS) };
        let Some(channel) = channel(request) else { return coded(NO_CHANNEL) };
        let body = match body(request, self.max_body) {
            Ok(body) => body,
            Err(response) => return response,
        };
        let Ok(question) = serde_json::from_slice::<Question>(&body) else {
            return coded(INVALID_FORMAT);
        };
        let mut acks = acks.lock().unwrap_or_else(PoisonError::into_inner);
        let states = acks.ask(&channel, &question.acks, &self.outgoing);
        let states: Vec<String> =
            states.iter().map(|(number, is_safe)| format!("\"{number}\":{is_safe}")).collect();
        Response::json(200, format!("{{\"acks\":{{{}}}}}", states.join(",")))
    }
}

/// The response to objects of which one is invalid.
fn refused(invalid: Invalid) -> Response {
    let (status, code, text) = match invalid.code {
        12 => NO_EVENT,
        13 => EMPTY_EVENT,
        _ => INVALID_FORMAT,
    };
    let number = invalid.number;
    let body = format!("{{\"text\":\"{text}\",\"code\":{code},\"invalid-event-number\":{number}}}");
    Response::json(status, body)
}

/// The batches of one request.
struct Queue<'q> {
    outgoing: &'q Outgoing,
    /// The ticket of the last one. When that is safe, all before it are, too.
    last: Option<Arc<AtomicU64>>,
    is_full: bool,
}

impl Queue<'_> {
    /// Returns whether there was room.
    fn put(&mut self, mut batch: Batch) -> bool {
        if batch.is_empty() {
            return true;
        }
        let ticket = Arc::new(AtomicU64::new(0));
        batch.ticket = Some(Arc::clone(&ticket));
        self.is_full = self.outgoing.send_within(batch, PATIENCE).is_some();
        self.last = Some(ticket);
        !self.is_full
    }
}

/// The channel that a request names.
fn channel(request: &Request) -> Option<String> {
    let header = request.header("x-splunk-request-channel").map(str::to_string);
    header.or_else(|| request.query("channel")).filter(|name| Acks::is_channel(name))
}

/// The body, decompressed.
fn body(request: &Request, max: usize) -> std::result::Result<Cow<'_, [u8]>, Response> {
    match request.header("content-encoding").unwrap_or_default() {
        "" | "identity" => Ok(Cow::Borrowed(&request.body)),
        "gzip" | "x-gzip" => {
            let mut inflated = Vec::new();
            let mut decoder = MultiGzDecoder::new(&*request.body).take(max as u64 + 1);
            match decoder.read_to_end(&mut inflated) {
                Ok(_) if inflated.len() <= max => Ok(Cow::Owned(inflated)),
                Ok(_) => Err(Response::text(413, "the decompressed body is too large\n")),
                Err(_) => Err(coded(INVALID_FORMAT)),
            }
        }
        _ => Err(Response::text(415, "only gzip is supported\n")),
    }
}
