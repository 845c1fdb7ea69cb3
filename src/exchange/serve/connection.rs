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
use tokio::sync::{Semaphore, watch};
use tokio::task::spawn_blocking;
use tokio::time::timeout;

/// The most bytes of a body.
pub(super) const MAX_BODY: usize = 16 << 20;

/// How long a head may take, and a connection may be idle.
const HEAD: Duration = Duration::from_secs(30);

/// How long a body may take.
const BODY: Duration = Duration::from_secs(120);

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
    let reply = match shared.turns.try_acquire() {
        Ok(_) if door == Door::Metrics => metrics(request.uri().path(), shared).await,
        Ok(_turn) => outcome(request, peer, shared).await,
        Err(_) => {
            shared.site.metrics().busy.count();
            Err(Failure { retry_after: Some(5), ..Failure::new(503, "the server is busy") })
        }
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
    let body = match timeout(BODY, read(body)).await {
        Ok(body) => body?,
        Err(_) => return Err(Failure::new(408, "the body took too long")),
    };
    let request = Request { method, target, headers: parts.headers, body, peer };
    let site = Arc::clone(&shared.site);
    let answered = spawn_blocking(move || site.answer(&request)).await;
    answered.map_err(|_| Failure::new(500, "the server failed"))
}

/// Reads a body to its end.
async fn read(mut body: Incoming) -> Result<Vec<u8>, Failure> {
    let too_long =
        || Failure::new(413, format!("the body is too long: at most {MAX_BODY} bytes are allowed"));
    if hyper::body::Body::size_hint(&body).lower() > MAX_BODY as u64 {
        return Err(too_long());
    }
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Failure::bad_request("the body ends early"))?;
        if let Some(data) = frame.data_ref() {
            if bytes.len() + data.len() > MAX_BODY {
                return Err(too_long());
            }
            bytes.extend_from_slice(data);
        }
    }
    Ok(bytes)
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
