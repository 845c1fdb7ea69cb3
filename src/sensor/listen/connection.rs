//! An accepted connection, with or without TLS.

use super::tls::Tls;
use crate::clock::Stopwatch;
use crate::sensor::halt::{Halt, takes_within};
use rustix::event::Timespec;
use rustls::ServerConnection;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

/// How long a client may take for the TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// How long a client may leave written data unread.
const WRITE: Duration = Duration::from_secs(30);

/// A connection. It is only read when there is something to read, so that its [`Halt`] can end it.
#[derive(Debug)]
pub struct Connection {
    socket: Socket,
    tls: Option<Box<ServerConnection>>,
    peer: Arc<str>,
    halt: Halt,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Socket::Tcp(socket) => socket.as_fd(),
            Socket::Unix(socket) => socket.as_fd(),
        }
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(socket) => socket.read(buffer),
            Socket::Unix(socket) => socket.read(buffer),
        }
    }
}

/// Waits for a slow reader, but not forever.
impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let watch = Stopwatch::start();
        while watch.elapsed() < WRITE {
            // A signal may end a wait early.
            if !takes_within(&*self, timespec(WRITE.saturating_sub(watch.elapsed())))? {
                continue;
            }
            let written = match self {
                Socket::Tcp(socket) => socket.write(bytes),
                Socket::Unix(socket) => socket.write(bytes),
            };
            match written {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
        }
        Err(ErrorKind::TimedOut.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(super) fn timespec(time: Duration) -> Timespec {
    Timespec {
        tv_sec: time.as_secs().try_into().unwrap_or(i64::MAX),
        tv_nsec: time.subsec_nanos().into(),
    }
}

impl Connection {
    /// A TCP connection. The TLS handshake happens with the first read or write.
    ///
    /// # Errors
    ///
    /// If its options can't be set.
    pub(super) fn tcp(
        socket: TcpStream,
        peer: Arc<str>,
        tls: Option<&Tls>,
        halt: Halt,
    ) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        socket.set_nodelay(true)?;
        // A peer that vanished silently is noticed after some minutes.
        rustix::net::sockopt::set_socket_keepalive(&socket, true)?;
        rustix::net::sockopt::set_tcp_keepidle(&socket, Duration::from_secs(120))?;
        let connection = tls.map(|tls| ServerConnection::new(tls.config())).transpose();
        let tls = connection.map_err(io::Error::other)?.map(Box::new);
        Ok(Connection { socket: Socket::Tcp(socket), tls, peer, halt })
    }

    /// A connection from the same machine.
    ///
    /// # Errors
    ///
    /// If its options can't be set.
    pub fn unix(socket: UnixStream, peer: Arc<str>, halt: Halt) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Ok(Connection { socket: Socket::Unix(socket), tls: None, peer, halt })
    }

    /// The peer: an address, or the path of the socket.
    pub fn peer(&self) -> &Arc<str> {
        &self.peer
    }

    /// The halt that ends its reads.
    pub fn halt(&self) -> &Halt {
        &self.halt
    }

    /// Reads what is available, waiting at most for `max`, or forever without it. Returns 0 at the
    /// end, and when it is time to stop.
    ///
    /// # Errors
    ///
    /// `TimedOut` if nothing arrived; otherwise errors of the socket and of TLS.
    pub fn read(&mut self, buffer: &mut [u8], max: Option<Duration>) -> io::Result<usize> {
        let watch = Stopwatch::start();
        loop {
            if let Some(count) = self.plain(buffer)? {
                return Ok(count);
            }
            let is_shaking = self.tls.as_ref().is_some_and(|tls| tls.is_handshaking());
            let max =
                if is_shaking { Some(max.map_or(HANDSHAKE, |m| m.min(HANDSHAKE))) } else { max };
            if !self.wait(&watch, max)? {
                return Ok(0);
            }
        }
    }

    /// What can be read without waiting; `None` if that is nothing.
    fn plain(&mut self, buffer: &mut [u8]) -> io::Result<Option<usize>> {
        let Some(tls) = &mut self.tls else { return unless_empty(self.socket.read(buffer)) };
        if let Some(count) = unless_empty(tls.reader().read(buffer))? {
            return Ok(Some(count));
        }
        let outcome = match unless_empty(tls.read_tls(&mut self.socket))? {
            None => return Ok(None),
            Some(0) => return Ok(Some(0)),
            Some(_) => tls.process_new_packets(),
        };
        // Send pending TLS messages, even if this is the alert that ends the connection.
        while tls.wants_write() {
            tls.write_tls(&mut self.socket)?;
        }
        outcome.map_err(io::Error::other)?;
        unless_empty(tls.reader().read(buffer))
    }

    /// Waits for something to read. Returns `false` when it is time to stop.
    fn wait(&self, watch: &Stopwatch, max: Option<Duration>) -> io::Result<bool> {
        match max {
            None => drop(self.halt.wait_to_read(&self.socket)?),
            Some(max) => {
                let left = max.saturating_sub(watch.elapsed());
                if left.is_zero() {
                    return Err(ErrorKind::TimedOut.into());
                }
                self.halt.wait_to_read_within(&self.socket, &timespec(left))?;
            }
        }
        Ok(!self.halt.is_set())
    }

    /// Writes all of it.
    ///
    /// # Errors
    ///
    /// `TimedOut` if the peer doesn't read it; otherwise errors of the socket and of TLS.
    pub fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return Write::write_all(&mut self.socket, bytes) };
        let mut rest = bytes;
        while !rest.is_empty() {
            let taken = tls.writer().write(rest)?;
            rest = rest.get(taken..).unwrap_or_default();
            while tls.wants_write() {
                tls.write_tls(&mut self.socket)?;
            }
            if taken == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
        }
        Ok(())
    }

    /// Signals the end of the data.
    pub fn close(mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            while tls.wants_write() && tls.write_tls(&mut self.socket).is_ok() {}
        }
    }
}

/// `None` if nothing can be read now. TLS that was cut off without a `close_notify` has ended.
fn unless_empty(outcome: io::Result<usize>) -> io::Result<Option<usize>> {
    match outcome {
        Ok(count) => Ok(Some(count)),
        Err(error) => match error.kind() {
            ErrorKind::WouldBlock | ErrorKind::Interrupted => Ok(None),
            ErrorKind::UnexpectedEof => Ok(Some(0)),
            _ => Err(error),
        },
    }
}
