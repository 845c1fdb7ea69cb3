//! Listening sockets.

use super::activation::{Activated, Socket};
use super::socket_file::{SocketFile, refuse_others};
use super::{Address, Connection, Tls};
use crate::sensor::halt::Halt;
use crate::{Error, Result};
use rustix::net::sockopt;
use std::io::{self, ErrorKind};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

/// The receive buffer that datagram sockets request: 8 MiB.
pub const RECEIVE_BUFFER: usize = 8 << 20;

/// How often to check whether the file of a socket is still there.
pub(super) const LOOK: Duration = Duration::from_secs(1);

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
    /// The file of a socket that we created.
    file: Option<SocketFile>,
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
    /// The file of a socket that we created.
    file: Option<SocketFile>,
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
                refuse_others(path)?;
                Listener::at(path).map(Bound::Streams).map_err(failed)
            }
            Address::UnixDatagram(path) => {
                refuse_others(path)?;
                Datagrams::at(path).map(Bound::Datagrams).map_err(failed)
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
        Ok(Listener { kind: Kind::Tcp(socket), tls, file: None })
    }

    /// Listens at a path.
    fn at(path: &Path) -> io::Result<Listener> {
        let (socket, file) = SocketFile::bind(path, |path| UnixListener::bind(path))?;
        Ok(Listener { file: Some(file), ..Listener::unix(socket, path)? })
    }

    fn unix(socket: UnixListener, path: &Path) -> io::Result<Listener> {
        socket.set_nonblocking(true)?;
        let peer = path.to_string_lossy().into();
        Ok(Listener { kind: Kind::Unix(socket, peer), tls: None, file: None })
    }

    /// The path of the socket, if this process created it.
    pub(super) fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(SocketFile::path)
    }

    /// Listens again if the file of the socket was removed, because nobody can connect to it then.
    /// Returns whether it did.
    ///
    /// # Errors
    ///
    /// If something else is in its place, or its folder is gone. It can be tried again.
    pub(super) fn restore(&mut self) -> Result<bool> {
        let Some(path) = missing(self.file.as_ref()) else { return Ok(false) };
        refuse_others(&path)?;
        *self = Listener::at(&path).map_err(|error| explain(&Address::Unix(path), error))?;
        Ok(true)
    }

    /// The address that it listens on, if it has a port.
    pub fn local_addr(&self) -> Option<std::net::SocketAddr> {
        match &self.kind {
            Kind::Tcp(socket) => socket.local_addr().ok(),
            Kind::Unix(..) => None,
        }
    }

    /// Waits for a connection. Returns `None` when it is time to stop, if the connection is gone
    /// already, and once a second if the socket has a file, which has to be checked.
    ///
    /// # Errors
    ///
    /// If the system has no more descriptors.
    pub fn accept(&self, halt: &Halt) -> io::Result<Option<Connection>> {
        let is_ready = match (&self.kind, &self.file) {
            (Kind::Tcp(socket), _) => halt.wait_to_read(socket)?,
            (Kind::Unix(socket, _), None) => halt.wait_to_read(socket)?,
            (Kind::Unix(socket, _), Some(_)) => {
                halt.wait_to_read_within(socket, &super::connection::timespec(LOOK))?
            }
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
        Ok(Datagrams { kind: DatagramKind::Udp(socket), buffer, file: None })
    }

    /// Receives at a path.
    fn at(path: &Path) -> io::Result<Datagrams> {
        let (socket, file) = SocketFile::bind(path, |path| UnixDatagram::bind(path))?;
        Ok(Datagrams { file: Some(file), ..Datagrams::unix(socket, path)? })
    }

    fn unix(socket: UnixDatagram, path: &Path) -> io::Result<Datagrams> {
        socket.set_nonblocking(true)?;
        let buffer = enlarge(&socket, RECEIVE_BUFFER)?;
        let peer = path.to_string_lossy().into();
        Ok(Datagrams { kind: DatagramKind::Unix(socket, peer), buffer, file: None })
    }

    /// Binds the socket again if its file was removed, because nobody can send to it then. What it
    /// holds has to be received before. Returns whether it did.
    ///
    /// # Errors
    ///
    /// If something else is in its place, or its folder is gone. It can be tried again.
    pub fn restore(&mut self) -> Result<bool> {
        let Some(path) = missing(self.file.as_ref()) else { return Ok(false) };
        refuse_others(&path)?;
        let failed = |error| explain(&Address::UnixDatagram(path.clone()), error);
        let mut bound = Datagrams::at(&path).map_err(failed)?;
        bound.enlarge(self.buffer).map_err(failed)?;
        *self = bound;
        Ok(true)
    }

    /// The path of the socket, if this process created it.
    pub fn path(&self) -> Option<&Path> {
        self.file.as_ref().map(SocketFile::path)
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

/// The path of a socket whose file is gone.
fn missing(file: Option<&SocketFile>) -> Option<PathBuf> {
    file.filter(|file| !file.is_in_place()).map(|file| file.path().to_path_buf())
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
