//! The server: connections, their requests, and responses.

use super::{Limits, Method, Parser, Request, Response, Step};
use crate::sensor::halt::Halt;
use crate::sensor::listen::{Connection, ConnectionCounts, ConnectionLimiter, Listener};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// A function that responds to requests. It may block, but not forever, because its connection is
/// blocked meanwhile. The second argument is the peer.
pub type Handler = Arc<dyn Fn(Request, &Arc<str>) -> Response + Send + Sync>;

/// An HTTP server that runs until its halt.
#[derive(Debug)]
pub struct Server {
    limiter: ConnectionLimiter,
    local_addr: Option<SocketAddr>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Serves a listener.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn start(
        name: &'static str,
        listener: Listener,
        limits: Limits,
        halt: Halt,
        handler: Handler,
    ) -> io::Result<Server> {
        let limiter = ConnectionLimiter::new(limits.connections);
        let local_addr = listener.local_addr();
        let serve = move |connection| serve(connection, limits, &handler);
        let thread = limiter.serve(name, listener, halt, Arc::new(serve))?;
        Ok(Server { limiter, local_addr, thread })
    }

    /// The address that it listens on, if it has a port.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local_addr
    }

    /// The counts of its connections.
    pub fn counts(&self) -> ConnectionCounts {
        self.limiter.counts()
    }

    /// Its connections.
    pub(crate) fn limiter(&self) -> ConnectionLimiter {
        self.limiter.clone()
    }

    /// The thread that ends when it has.
    pub(crate) fn into_thread(self) -> JoinHandle<()> {
        self.thread
    }

    /// Waits until the last connection has ended, after its halt.
    pub fn join(self) {
        // A panic of the accepting thread was reported where it happened.
        let _ = self.thread.join();
    }
}

/// Responds to the requests of a connection until it ends.
fn serve(mut connection: Connection, limits: Limits, handler: &Handler) {
    // Errors of a socket need no handling: the connection is closed.
    let _ = answer_all(&mut connection, limits, handler);
    connection.close();
}

fn answer_all(connection: &mut Connection, limits: Limits, handler: &Handler) -> io::Result<()> {
    let mut parser = Parser::new(limits);
    loop {
        let request = match next_request(connection, &mut parser, limits)? {
            Ok(Some(request)) => request,
            Ok(None) => return Ok(()),
            Err(status) => {
                let answer = Response::text(status, "refused\n");
                connection.write_all(&answer.encode(false, false))?;
                return linger(connection);
            }
        };
        let is_last = !request.keep_alive || connection.halt().is_set();
        let is_head = request.method == Method::Head;
        let answer = handler(request, connection.peer());
        connection.write_all(&answer.encode(!is_last, is_head))?;
        if is_last {
            return Ok(());
        }
    }
}

/// Reads for a moment what a refused client still sends. If the connection were closed with unread
/// bytes, the client would see a reset instead of the response.
fn linger(connection: &mut Connection) -> io::Result<()> {
    /// Reads of 16 KiB each.
    const MAX_READS: usize = 64;
    let mut buffer = vec![0; 16 << 10];
    for _ in 0..MAX_READS {
        if connection.read(&mut buffer, Some(Duration::from_millis(500)))? == 0 {
            break;
        }
    }
    Ok(())
}

/// The next request of a connection; `None` at its end. The inner error is the status to refuse it
/// with.
fn next_request(
    connection: &mut Connection,
    parser: &mut Parser,
    limits: Limits,
) -> io::Result<Result<Option<Request>, u16>> {
    let mut buffer = vec![0; 16 << 10];
    let mut watch = None;
    loop {
        match parser.step() {
            Ok(Step::Request(request)) => return Ok(Ok(Some(request))),
            Ok(Step::Continue) => {
                connection.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
                continue;
            }
            Ok(Step::More) => {}
            Err(refusal) => return Ok(Err(refusal.status())),
        }
        // The time of a request starts with its first byte, no matter how slowly the rest arrives.
        let wait = match parser.is_amidst() {
            false => limits.idle,
            true => {
                let watch = watch.get_or_insert_with(crate::clock::Stopwatch::start);
                limits.request.saturating_sub(watch.elapsed())
            }
        };
        // Data that has already arrived is read without a wait, so the time is checked here as
        // well.
        if wait.is_zero() && parser.is_amidst() {
            return Ok(Err(408));
        }
        let count = match connection.read(&mut buffer, Some(wait)) {
            Ok(0) => return Ok(Ok(None)),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::TimedOut && parser.is_amidst() => {
                return Ok(Err(408));
            }
            Err(error) => return Err(error),
        };
        parser.push(buffer.get(..count).unwrap_or_default());
    }
}
