//! Sockets with timeouts, with or without TLS.

use super::pace::Pace;
use crate::clock::Stopwatch;
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How long to wait for a socket before checking the halt.
const ROUND: Duration = Duration::from_millis(100);

/// A socket with a deadline.
#[derive(Debug)]
pub(super) struct PacedSocket {
    socket: Socket,
    pace: Pace,
    since: Stopwatch,
    time: Duration,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl PacedSocket {
    fn new(socket: Socket, pace: &Pace) -> Self {
        let time = pace.timeouts().request;
        PacedSocket { socket, pace: pace.clone(), since: Stopwatch::start(), time }
    }

    /// How long to wait for the socket now.
    fn round(&self) -> io::Result<Duration> {
        let left = self.pace.left(&self.since, self.time).min(ROUND);
        // The system rejects a time of zero, and anything below a microsecond counts as zero.
        if left < Duration::from_micros(1) { Err(ErrorKind::TimedOut.into()) } else { Ok(left) }
    }

    fn again<T>(
        &mut self,
        mut act: impl FnMut(&mut Socket, Duration) -> io::Result<T>,
    ) -> io::Result<T> {
        loop {
            let round = self.round()?;
            match act(&mut self.socket, round) {
                Err(error) if is_wait(&error) => {}
                other => return other,
            }
        }
    }
}

fn is_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted)
}

impl Read for PacedSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.again(|socket, round| match socket {
            Socket::Tcp(socket) => {
                socket.set_read_timeout(Some(round)).and_then(|()| socket.read(buffer))
            }
            Socket::Unix(socket) => {
                socket.set_read_timeout(Some(round)).and_then(|()| socket.read(buffer))
            }
        })
    }
}

impl Write for PacedSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.again(|socket, round| match socket {
            Socket::Tcp(socket) => {
                socket.set_write_timeout(Some(round)).and_then(|()| socket.write(bytes))
            }
            Socket::Unix(socket) => {
                socket.set_write_timeout(Some(round)).and_then(|()| socket.write(bytes))
            }
        })
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A connection to a receiver.
#[derive(Debug)]
pub(super) enum Connection {
    /// Plain.
    Plain(PacedSocket),
    /// With TLS.
    Tls(Box<StreamOwned<ClientConnection, PacedSocket>>),
}

impl Connection {
    /// Connects to the first address of a host that responds.
    pub(super) fn tcp(host: &str, port: u16, pace: &Pace) -> io::Result<Connection> {
        let host = host.trim_matches(['[', ']']);
        let addresses: Vec<SocketAddr> = (host, port).to_socket_addrs()?.collect();
        Connection::to(&addresses, pace.timeouts().connect, pace)
    }

    /// Connects to the first address that responds, with a time limit for all of them.
    pub(super) fn to(
        addresses: &[SocketAddr],
        time: Duration,
        pace: &Pace,
    ) -> io::Result<Connection> {
        let since = Stopwatch::start();
        let mut failed = io::Error::new(ErrorKind::NotFound, "the host has no address");
        for (at, address) in addresses.iter().enumerate() {
            // Use half of the remaining time for each but the last, so that a silent one leaves
            // time.
            let left = pace.left(&since, time);
            let share = if at + 1 == addresses.len() { left } else { left / 2 };
            if share < Duration::from_micros(1) {
                return Err(ErrorKind::TimedOut.into());
            }
            match TcpStream::connect_timeout(address, share) {
                Ok(stream) => {
                    let _ = stream.set_nodelay(true);
                    return Ok(Connection::Plain(PacedSocket::new(Socket::Tcp(stream), pace)));
                }
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Connects to a socket in the file system.
    pub(super) fn unix(path: &Path, pace: &Pace) -> io::Result<Connection> {
        let (family, kind) = (AddressFamily::UNIX, SocketType::STREAM);
        // Otherwise it would wait for ever for a program that listens and accepts nothing.
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, kind, flags, None)?;
        rustix::net::connect(&socket, &SocketAddrUnix::new(path)?).map_err(
            |error| match error {
                Errno::WOULDBLOCK => io::Error::from(ErrorKind::TimedOut),
                error => error.into(),
            },
        )?;
        let stream = UnixStream::from(socket);
        stream.set_nonblocking(false)?;
        Ok(Connection::Plain(PacedSocket::new(Socket::Unix(stream), pace)))
    }

    /// Switches to TLS.
    pub(super) fn into_tls(self, config: &Arc<ClientConfig>, host: &str) -> io::Result<Connection> {
        let Connection::Plain(mut paced) = self else { return Ok(self) };
        let name = ServerName::try_from(host.trim_matches(['[', ']']).to_string());
        let name = name.map_err(|_| {
            io::Error::new(ErrorKind::InvalidInput, "the host name is not valid in a certificate")
        })?;
        let mut tls = ClientConnection::new(Arc::clone(config), name).map_err(io::Error::other)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut paced)?;
        }
        Ok(Connection::Tls(Box::new(StreamOwned::new(tls, paced))))
    }

    fn paced(&mut self) -> &mut PacedSocket {
        match self {
            Connection::Plain(paced) => paced,
            Connection::Tls(tls) => &mut tls.sock,
        }
    }

    /// Sets the total time for what comes next.
    pub(super) fn within(&mut self, time: Duration) {
        let paced = self.paced();
        (paced.since, paced.time) = (Stopwatch::start(), time);
    }

    /// Whether it uses TLS.
    pub(super) fn is_tls(&self) -> bool {
        matches!(self, Connection::Tls(_))
    }

    /// Whether the receiver has closed it, as far as is known now.
    pub(super) fn is_closed(&mut self) -> bool {
        if let Connection::Tls(tls) = self {
            return is_tls_closed(tls);
        }
        let look = |fd: BorrowedFd<'_>| {
            use rustix::net::{RecvFlags, recv};
            let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
            match recv(fd, &mut [0u8; 1][..], flags) {
                Ok((_, count)) => count == 0,
                Err(error) => error != rustix::io::Errno::WOULDBLOCK,
            }
        };
        look(self.paced().fd())
    }

    /// Bytes that the other system has not acknowledged; `None` if that is unknown.
    ///
    /// The system calls this SIOCOUTQ. It is read from the table of sockets, because the ioctl
    /// itself would be `unsafe`. The rest of that table, which may be long, is ignored.
    pub(super) fn unacknowledged(&mut self) -> Option<u64> {
        let inode = rustix::fs::fstat(self.paced().fd()).ok()?.st_ino;
        ["tcp", "tcp6"].iter().find_map(|table| {
            let table = std::fs::read_to_string(format!("/proc/thread-self/net/{table}")).ok()?;
            table.lines().find_map(|line| queued(line, inode))
        })
    }
}

/// The same for TLS, where messages of the receiver's TLS (tickets, keys) come before the end.
fn is_tls_closed(tls: &mut StreamOwned<ClientConnection, PacedSocket>) -> bool {
    (tls.sock.since, tls.sock.time) = (Stopwatch::start(), Duration::from_millis(1));
    loop {
        match tls.read(&mut [0; 256]) {
            Ok(0) => return true,
            // The deadline ends it, even if the receiver never stops sending.
            Ok(_) if tls.sock.round().is_ok() => {}
            Ok(_) => return false,
            Err(error) => return !is_wait(&error),
        }
    }
}

/// The number of unacknowledged bytes in a line of the table of sockets, if it is the line of the
/// socket.
fn queued(line: &str, inode: u64) -> Option<u64> {
    let mut words = line.split_ascii_whitespace();
    let (sent, _) = words.nth(4)?.split_once(':')?;
    let is_it = words.nth(4)?.parse() == Ok(inode);
    is_it.then(|| u64::from_str_radix(sent, 16).ok()).flatten()
}

impl PacedSocket {
    fn fd(&self) -> BorrowedFd<'_> {
        match &self.socket {
            Socket::Tcp(socket) => socket.as_fd(),
            Socket::Unix(socket) => socket.as_fd(),
        }
    }
}

impl Read for Connection {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Connection::Plain(paced) => paced.read(buffer),
            Connection::Tls(tls) => tls.read(buffer),
        }
    }
}

impl Write for Connection {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Connection::Plain(paced) => paced.write(bytes),
            Connection::Tls(tls) => tls.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Connection::Plain(paced) => paced.flush(),
            Connection::Tls(tls) => tls.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::pace::{SystemClock, Timeouts};
    use super::*;
    use crate::sensor::halt::Halt;
    use std::net::TcpListener;

    #[test]
    fn lines_of_the_table_of_sockets() {
        let line = "   1: 0100007F:A2B4 0100007F:1F90 01 00000AF0:00000000 01:00000014 00000000     \
                    0        0 48123 2 0000000000000000 20 4 30 10 -1";
        assert_eq!(queued(line, 48123), Some(0xaf0));
        assert_eq!(queued(line, 48124), None);
        for line in ["", "  sl  local_address rem_address   st tx_queue rx_queue", "a b c d e f"] {
            assert_eq!(queued(line, 0), None);
        }
    }

    #[test]
    fn what_is_not_acknowledged_is_known() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut connection = Connection::tcp("127.0.0.1", port, &Pace::default()).unwrap();
        connection.write_all(&[b'x'; 100]).unwrap();
        let zero = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            connection.unacknowledged() == Some(0)
        });
        assert!(zero, "the other system acknowledges unread data");
        // More than the buffers of both sides hold: the rest stays in ours.
        let many = vec![b'x'; 64 << 20];
        connection.within(Duration::from_millis(500));
        assert_eq!(connection.write_all(&many).unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(connection.unacknowledged().is_some_and(|bytes| bytes > 0));
        assert!(!connection.is_closed());
        drop(listener);
        let closed = (0..1000).any(|_| {
            std::thread::sleep(Duration::from_millis(5));
            connection.is_closed()
        });
        assert!(closed);
    }

    #[test]
    fn a_program_that_accepts_nothing_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sock");
        let kind = SocketType::STREAM;
        let listener = rustix::net::socket(AddressFamily::UNIX, kind, None).unwrap();
        rustix::net::bind(&listener, &SocketAddrUnix::new(&path).unwrap()).unwrap();
        rustix::net::listen(&listener, 0).unwrap();
        let mut open = Vec::new();
        let error = loop {
            match Connection::unix(&path, &Pace::default()) {
                Ok(connection) => open.push(connection),
                Err(error) => break error,
            }
            assert!(open.len() < 100, "the queue has an end");
        };
        assert_eq!(error.kind(), ErrorKind::TimedOut);
        let missing = folder.path().join("missing");
        let error = Connection::unix(&missing, &Pace::default()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
    }

    #[test]
    fn a_halt_leaves_the_drain_time_in_all() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (halt, stopper) = Halt::new().unwrap();
        let timeouts = Timeouts { drain: Duration::from_millis(200), ..Timeouts::default() };
        let pace = Pace::new(Arc::new(SystemClock::default()), halt, timeouts);
        let mut connection = Connection::tcp("127.0.0.1", port, &pace).unwrap();
        stopper.stop();
        let waiting = Stopwatch::start();
        for _ in 0..3 {
            connection.within(Duration::from_secs(30));
            let error = connection.read(&mut [0]).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::TimedOut);
        }
        assert!(waiting.elapsed() < Duration::from_secs(5));
        assert!(pace.is_over());
    }
}
