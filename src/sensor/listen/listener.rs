//! Listening sockets.

use super::activation::{Activated, Socket};
use super::{Address, Connection, Tls};
use crate::sensor::halt::Halt;
use crate::{Error, Result};
use rustix::net::sockopt;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The receive buffer that datagram sockets request: 8 MiB.
pub const RECEIVE_BUFFER: usize = 8 << 20;

/// An address that is listened on.
#[derive(Debug)]
pub enum Bound {
    /// Connections are accepted.
    Streams(Listener),
    /// Datagrams are received.
    Datagrams(Datagrams),
}

/// Accepts connections.
#[derive(Debug)]
pub struct Listener {
    kind: Kind,
    tls: Option<Tls>,
    /// A socket file that we created, which is removed when this is dropped.
    path: Option<PathBuf>,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpListener),
    Unix(UnixListener, Arc<str>),
}

/// A socket that receives datagrams, without blocking.
#[derive(Debug)]
pub struct Datagrams {
    kind: DatagramKind,
    /// The size of the receive buffer that the system granted, in bytes.
    buffer: usize,
    path: Option<PathBuf>,
}

#[derive(Debug)]
enum DatagramKind {
    Udp(UdpSocket),
    Unix(UnixDatagram, Arc<str>),
}

impl Bound {
    /// Listens on an address. `tls` is for `tls://`, `activated` are the sockets that systemd
    /// passed.
    ///
    /// # Errors
    ///
    /// If the address is in use, requires privileges, or does not belong to this machine; or if
    /// there is no such socket from systemd.
    pub fn open(address: &Address, tls: Option<&Tls>, activated: &mut Activated) -> Result<Bound> {
        let failed = |error: io::Error| explain(address, error);
        match address {
            Address::Udp(place) => {
                let socket = UdpSocket::bind(place).map_err(failed)?;
                Datagrams::udp(socket).map(Bound::Datagrams).map_err(failed)
            }
            Address::Tcp(place) | Address::Tls(place) => {
                let tls = match address {
                    Address::Tls(_) => Some(tls.cloned().ok_or_else(|| no_tls(address))?),
                    _ => None,
                };
                let socket = TcpListener::bind(place).map_err(failed)?;
                Listener::tcp(socket, tls).map(Bound::Streams).map_err(failed)
            }
            Address::Unix(path) => {
                let socket = bind_path(path, |path| UnixListener::bind(path)).map_err(failed)?;
                let mut listener = Listener::unix(socket, path).map_err(failed)?;
                listener.path = Some(path.clone());
                Ok(Bound::Streams(listener))
            }
            Address::UnixDatagram(path) => {
                let socket = bind_path(path, |path| UnixDatagram::bind(path)).map_err(failed)?;
                let mut datagrams = Datagrams::unix(socket, path).map_err(failed)?;
                datagrams.path = Some(path.clone());
                Ok(Bound::Datagrams(datagrams))
            }
            Address::Activated(name) => {
                Bound::activated(activated.take(name)?, tls.cloned()).map_err(failed)
            }
        }
    }

    /// A stream socket from systemd uses TLS if a certificate is configured.
    fn activated(socket: Socket, tls: Option<Tls>) -> io::Result<Bound> {
        let path = Path::new("systemd");
        Ok(match socket {
            Socket::Tcp(socket) => Bound::Streams(Listener::tcp(socket, tls)?),
            Socket::Udp(socket) => Bound::Datagrams(Datagrams::udp(socket)?),
            Socket::Unix(socket) => Bound::Streams(Listener::unix(socket, path)?),
            Socket::UnixDatagram(socket) => Bound::Datagrams(Datagrams::unix(socket, path)?),
        })
    }
}

impl Listener {
    fn tcp(socket: TcpListener, tls: Option<Tls>) -> io::Result<Listener> {
        socket.set_nonblocking(true)?;
        Ok(Listener { kind: Kind::Tcp(socket), tls, path: None })
    }

    fn unix(socket: UnixListener, path: &Path) -> io::Result<Listener> {
        socket.set_nonblocking(true)?;
        let peer = path.to_string_lossy().into();
        Ok(Listener { kind: Kind::Unix(socket, peer), tls: None, path: None })
    }

    /// The address that it listens on, if it has a port.
    pub fn local_addr(&self) -> Option<std::net::SocketAddr> {
        match &self.kind {
            Kind::Tcp(socket) => socket.local_addr().ok(),
            Kind::Unix(..) => None,
        }
    }

    /// Waits for a connection. Returns `None` when it is time to stop, and if the connection is
    /// gone already.
    ///
    /// # Errors
    ///
    /// If the system has no more descriptors.
    pub fn accept(&self, halt: &Halt) -> io::Result<Option<Connection>> {
        let is_ready = match &self.kind {
            Kind::Tcp(socket) => halt.wait_to_read(socket)?,
            Kind::Unix(socket, _) => halt.wait_to_read(socket)?,
        };
        if !is_ready || halt.is_set() {
            return Ok(None);
        }
        let accepted = match &self.kind {
            Kind::Tcp(socket) => socket.accept().and_then(|(socket, from)| {
                let peer = from.ip().to_canonical().to_string().into();
                Connection::tcp(socket, peer, self.tls.as_ref(), halt.clone())
            }),
            Kind::Unix(socket, peer) => socket
                .accept()
                .and_then(|(socket, _)| Connection::unix(socket, Arc::clone(peer), halt.clone())),
        };
        match accepted {
            Ok(connection) => Ok(Some(connection)),
            Err(error) => match error.kind() {
                // The client disconnected while it waited.
                ErrorKind::WouldBlock
                | ErrorKind::Interrupted
                | ErrorKind::ConnectionAborted
                | ErrorKind::ConnectionReset
                | ErrorKind::NotConnected => Ok(None),
                _ => Err(error),
            },
        }
    }
}

impl Datagrams {
    fn udp(socket: UdpSocket) -> io::Result<Datagrams> {
        socket.set_nonblocking(true)?;
        let buffer = enlarge(&socket, RECEIVE_BUFFER)?;
        Ok(Datagrams { kind: DatagramKind::Udp(socket), buffer, path: None })
    }

    fn unix(socket: UnixDatagram, path: &Path) -> io::Result<Datagrams> {
        socket.set_nonblocking(true)?;
        let buffer = enlarge(&socket, RECEIVE_BUFFER)?;
        let peer = path.to_string_lossy().into();
        Ok(Datagrams { kind: DatagramKind::Unix(socket, peer), buffer, path: None })
    }

    /// Receives a datagram, without blocking: its length, and the sender. `intern` keeps recurring
    /// names.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if there is none.
    pub fn receive(
        &self,
        buffer: &mut [u8],
        intern: &mut dyn FnMut(&[u8]) -> Option<Arc<str>>,
    ) -> io::Result<(usize, Arc<str>)> {
        match &self.kind {
            DatagramKind::Udp(socket) => {
                let (length, from) = socket.recv_from(buffer)?;
                let name = from.ip().to_canonical().to_string();
                Ok((length, intern(name.as_bytes()).unwrap_or_else(|| name.into())))
            }
            DatagramKind::Unix(socket, peer) => Ok((socket.recv(buffer)?, Arc::clone(peer))),
        }
    }

    /// Requests another receive buffer than [`RECEIVE_BUFFER`].
    ///
    /// # Errors
    ///
    /// If the system refuses.
    pub fn enlarge(&mut self, bytes: usize) -> io::Result<()> {
        self.buffer = enlarge(&*self, bytes)?;
        Ok(())
    }

    /// The size of the receive buffer that the system granted, in bytes. If it is less than
    /// [`RECEIVE_BUFFER`], `net.core.rmem_max` is too small.
    pub fn buffer(&self) -> usize {
        self.buffer
    }

    /// The address that it receives on, if it has a port.
    pub fn local_addr(&self) -> Option<std::net::SocketAddr> {
        match &self.kind {
            DatagramKind::Udp(socket) => socket.local_addr().ok(),
            DatagramKind::Unix(..) => None,
        }
    }
}

impl AsFd for Datagrams {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.kind {
            DatagramKind::Udp(socket) => socket.as_fd(),
            DatagramKind::Unix(socket, _) => socket.as_fd(),
        }
    }
}

/// Requests the largest receive buffer, beyond the system's limit if permitted; returns its present
/// size. Linux doubles the requested size.
fn enlarge(socket: impl AsFd, bytes: usize) -> io::Result<usize> {
    if sockopt::set_socket_recv_buffer_size_force(&socket, bytes).is_err() {
        sockopt::set_socket_recv_buffer_size(&socket, bytes)?;
    }
    Ok(sockopt::socket_recv_buffer_size(&socket)? / 2)
}

/// The mode of sockets in the file system, whatever the umask. Connecting requires write
/// permission: the group has it, so that programs of other users can send.
const SOCKET_MODE: u32 = 0o660;

/// Binds to a path. A stale socket file is removed.
fn bind_path<T>(path: &Path, bind: impl Fn(&Path) -> io::Result<T>) -> io::Result<T> {
    let bound = match bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_left_over(path) => {
            std::fs::remove_file(path)?;
            bind(path)
        }
        outcome => outcome,
    }?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(SOCKET_MODE))?;
    Ok(bound)
}

/// Whether it is a socket that no process listens on.
fn is_left_over(path: &Path) -> bool {
    let is_socket = std::fs::symlink_metadata(path).is_ok_and(|of| of.file_type().is_socket());
    let is_refused = |outcome: io::Result<()>| {
        outcome.is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
    };
    let stream = std::os::unix::net::UnixStream::connect(path).map(drop);
    let datagram = UnixDatagram::unbound().and_then(|socket| socket.connect(path));
    is_socket && (is_refused(stream) || is_refused(datagram))
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.path.take().map(std::fs::remove_file);
    }
}

impl Drop for Datagrams {
    fn drop(&mut self) {
        self.path.take().map(std::fs::remove_file);
    }
}

fn no_tls(address: &Address) -> Error {
    Error::usage(format!("{address} needs a certificate"))
        .remedy("set tls_cert = \"FILE\" and tls_key = \"FILE\"")
}

fn explain(address: &Address, error: io::Error) -> Error {
    let remedy = match error.kind() {
        ErrorKind::AddrInUse => "another program is listening on it",
        ErrorKind::PermissionDenied => {
            "ports below 1024 require CAP_NET_BIND_SERVICE or a socket from systemd"
        }
        ErrorKind::AddrNotAvailable => "this machine has no such address",
        _ => "",
    };
    let failed = Error::io(format!("listen on {address}"), error);
    if remedy.is_empty() { failed } else { failed.remedy(remedy) }
}
