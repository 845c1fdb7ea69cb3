//! The server: connections, requests of each, answers.

use super::{Limits, Method, Parser, Request, Response, Step};
use crate::sensor::halt::Halt;
use crate::sensor::listen::{Connection, Crowd, CrowdCounts, Listener};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

/// What answers requests. It may wait, but not for ever: its connection is of no use meanwhile.
/// The second argument is the peer.
pub type Handler = Arc<dyn Fn(Request, &Arc<str>) -> Response + Send + Sync>;

/// A server of HTTP that runs until its halt.
#[derive(Debug)]
pub struct Server {
    crowd: Crowd,
    local_addr: Option<SocketAddr>,
    thread: JoinHandle<()>,
}

impl Server {
    /// Serves what listens.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn start(
        name: &'static str,
        listener: Listener,
        limits: Limits,
        halt: Halt,
        handler: Handler,
    ) -> io::Result<Server> {
        let crowd = Crowd::new(limits.connections);
        let local_addr = listener.local_addr();
        let serve = move |connection| serve(connection, limits, &handler);
        let thread = crowd.serve(name, listener, halt, Arc::new(serve))?;
        Ok(Server { crowd, local_addr, thread })
    }

    /// Where it listens, if that is an address with a port.
    pub fn local_addr(&self) -> Option<SocketAddr> {
        self.local_addr
    }

    /// What became of those who connected.
    pub fn counts(&self) -> CrowdCounts {
        self.crowd.counts()
    }

    /// Its connections.
    pub(crate) fn crowd(&self) -> Crowd {
        self.crowd.clone()
    }

    /// The thread that ends when it has.
    pub(crate) fn into_thread(self) -> JoinHandle<()> {
        self.thread
    }

    /// Waits until the last connection has ended, after its halt.
    pub fn join(self) {
        // A panic of the thread that accepts was reported where it happened.
        let _ = self.thread.join();
    }
}

/// Answers the requests of a connection until it ends.
fn serve(mut connection: Connection, limits: Limits, handler: &Handler) {
    // What goes wrong with a socket is over when it is closed.
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

/// Reads for a moment what a client still sends that was refused. If the connection was closed
/// with unread bytes, the client would see a reset in place of the answer.
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

/// The next request of a connection; `None` at its end. The error inside is a status to refuse
/// it with.
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
        // The time of a request runs from its first byte, however slowly the others come.
        let wait = match parser.is_amidst() {
            false => limits.idle,
            true => {
                let watch = watch.get_or_insert_with(crate::clock::Stopwatch::start);
                limits.request.saturating_sub(watch.elapsed())
            }
        };
        // What is there already is read without a wait, so the time is asked for here as well.
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
