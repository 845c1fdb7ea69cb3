//! One connection: requests in, answers out.

use super::body::Sent;
use super::patient::Patient;
use crate::exchange::http::{Failure, Method, Reply, Request};
use crate::exchange::site::{METRICS, Site};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{Semaphore, SemaphorePermit, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// How long a head may take, and a connection may be idle.
const HEAD: Duration = Duration::from_secs(30);

/// How long a body may take.
const BODY: Duration = Duration::from_secs(120);

/// Bodies that are read although nobody wants them.
const SMALL: usize = 64 << 10;

/// How long that may take.
const DRAIN: Duration = Duration::from_secs(2);

/// The unit of the room for bodies, in bytes.
const PART: usize = 64 << 10;

/// Room for all bodies together: 512 MiB.
pub(super) const BODIES: usize = (512 << 20) / PART;

/// How long a write may wait for its reader.
const WRITE: Duration = Duration::from_secs(60);

/// By which socket a connection came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// That of the exchange.
    Public,
    /// That of metrics, where nothing else is.
    Metrics,
}

/// What connections share.
pub(super) struct Shared {
    pub(super) site: Arc<Site>,
    /// Requests that may be answered at a time; others are told that the server is busy.
    pub(super) turns: Semaphore,
    /// Room for bodies, in parts: many that come at the same time do not fill the memory.
    pub(super) bodies: Semaphore,
}

impl Shared {
    /// Counts that the server is busy, and says so.
    fn busy(&self) -> Failure {
        self.site.metrics().busy.count();
        Failure { retry_after: Some(5), ..Failure::new(503, "the server is busy") }
    }
}

/// Serves a connection until it ends, or the server does.
pub(super) async fn serve<S>(
    stream: S,
    (peer, door): (IpAddr, Door),
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(request, (peer, door), &shared).await) }
    });
    let stream = TokioIo::new(Patient::new(stream, WRITE));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_headers(64)
        .max_buf_size(64 << 10)
        .half_close(true)
        .serve_connection(stream, service);
    let mut connection = std::pin::pin!(connection);
    loop {
        tokio::select! {
            // A client that goes away is no error of ours.
            _ = &mut connection => return,
            changed = stop.changed() => {
                if changed.is_err() || *stop.borrow() {
                    connection.as_mut().graceful_shutdown();
                    // What was begun is answered.
                    let _ = connection.await;
                    return;
                }
            }
        }
    }
}

/// Answers a request.
async fn answer(
    request: hyper::Request<Incoming>,
    (peer, door): (IpAddr, Door),
    shared: &Shared,
) -> Response<Sent> {
    let is_head = request.method() == hyper::Method::HEAD;
    let reply = match door {
        Door::Public => outcome(request, peer, shared).await,
        Door::Metrics => metrics(request.uri().path(), shared).await,
    };
    let reply = reply.unwrap_or_else(|failure| {
        let body = serde_json::json!({"status": "error", "detail": failure.detail});
        let reply = Reply::json(&body).status(failure.status);
        match failure.retry_after {
            Some(seconds) => reply.header("retry-after", seconds.to_string()),
            None => reply,
        }
    });
    response(reply, is_head)
}

/// The page of metrics.
async fn metrics(path: &str, shared: &Shared) -> Result<Reply, Failure> {
    if path != "/metrics" {
        return Err(Failure::not_found());
    }
    let site = Arc::clone(&shared.site);
    let page = spawn_blocking(move || site.metrics_page()).await;
    let page = page.map_err(|_| Failure::new(500, "the server failed"))??;
    Ok(Reply::new(200, METRICS, page))
}

async fn outcome(
    request: hyper::Request<Incoming>,
    peer: IpAddr,
    shared: &Shared,
) -> Result<Reply, Failure> {
    let (parts, body) = request.into_parts();
    let method = Method::from_name(parts.method.as_str());
    let method = method.ok_or_else(|| Failure::new(405, "method not allowed"))?;
    let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_string();
    let mut request = Request { method, target, headers: parts.headers, body: Vec::new(), peer };
    if !hyper::body::Body::is_end_stream(&body) {
        // Who may not send a body is told so before it is read, and a body that comes slowly
        // takes nobody's turn.
        let (head, limit) = turn(shared, request, |site, head| site.body_limit(head)).await?;
        request = head;
        let most = match limit {
            Ok(most) => most,
            Err(refusal) => {
                // A small body is taken all the same: a connection that is closed while bytes
                // wait is reset, and the client would not see why.
                let _ = timeout(DRAIN, read(body, SMALL, shared)).await;
                return Ok(*refusal);
            }
        };
        let (bytes, _room) = match timeout(BODY, read(body, most, shared)).await {
            Ok(body) => body?,
            Err(_) => return Err(Failure::new(408, "the body took too long")),
        };
        request.body = bytes;
        return Ok(turn(shared, request, Site::answer).await?.1);
    }
    Ok(turn(shared, request, Site::answer).await?.1)
}

/// Asks the site on a thread that may block. Answers the request, too.
async fn turn<T: Send + 'static>(
    shared: &Shared,
    request: Request,
    ask: impl FnOnce(&Site, &Request) -> T + Send + 'static,
) -> Result<(Request, T), Failure> {
    let busy = |_| shared.busy();
    let _turn = shared.turns.try_acquire().map_err(busy)?;
    let site = Arc::clone(&shared.site);
    let asked = spawn_blocking(move || {
        let answer = ask(&site, &request);
        (request, answer)
    });
    asked.await.map_err(|_| Failure::new(500, "the server failed"))
}

/// Reads a body of at most `most` bytes to its end. It is kept for as long as its room is.
async fn read(
    mut body: Incoming,
    most: usize,
    shared: &Shared,
) -> Result<(Vec<u8>, SemaphorePermit<'_>), Failure> {
    let too_long =
        || Failure::new(413, format!("the body is too long: at most {most} bytes are allowed"));
    if hyper::body::Body::size_hint(&body).lower() > most as u64 {
        return Err(too_long());
    }
    let busy = |_| shared.busy();
    let mut room = shared.bodies.try_acquire().map_err(busy)?;
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::bad_request("the body ends early"))?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > most {
                return Err(too_long());
            }
            bytes.extend_from_slice(data);
            while room.num_permits() * PART < bytes.len() {
                room.merge(shared.bodies.try_acquire().map_err(busy)?);
            }
        }
    }
    Ok((bytes, room))
}

/// An answer as the runtime sends it. Of one to HEAD, only the head.
fn response(reply: Reply, is_head: bool) -> Response<Sent> {
    let body = Sent::from(reply.body);
    let length = match &body {
        Sent::Whole(Some(bytes)) if is_head => Some(bytes.len()),
        _ => None,
    };
    let mut response = Response::new(if is_head { Sent::Whole(None) } else { body });
    *response.status_mut() =
        StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert("x-content-type-options", HeaderValue::from_static("nosniff"));
    headers.insert("cache-control", HeaderValue::from_static("private, no-cache"));
    if let Some(length) = length {
        headers.insert(CONTENT_LENGTH, length.into());
    }
    for (name, value) in reply.headers {
        // A value that is none would end the head; it is left out.
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}
