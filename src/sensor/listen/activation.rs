//! Sockets that systemd opened before the process started (`sd_listen_fds(3)`).

use crate::{Error, Result};
use rustix::net::{AddressFamily, SocketType, sockopt};
use rustix::process::{PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::net::{TcpListener, UdpSocket};
use std::os::fd::{OwnedFd, RawFd};
use std::os::unix::net::{UnixDatagram, UnixListener};

/// The first descriptor that systemd passes.
const FIRST: RawFd = 3;

/// The maximum number of descriptors that are requested.
const MAX_SOCKETS: usize = 1024;

/// A socket that systemd passed, by type.
#[derive(Debug)]
pub enum Socket {
    /// Accepts TCP.
    Tcp(TcpListener),
    /// Receives UDP.
    Udp(UdpSocket),
    /// Accepts unix stream connections.
    Unix(UnixListener),
    /// Receives unix datagrams.
    UnixDatagram(UnixDatagram),
}

/// The sockets that were passed and not taken yet: number, name, descriptor.
#[derive(Debug, Default)]
pub struct Activated(Vec<(usize, String, OwnedFd)>);

impl Activated {
    /// The sockets of this process, from `LISTEN_PID`, `LISTEN_FDS` and `LISTEN_FDNAMES`. There are
    /// none if the variables are missing or meant for another process.
    ///
    /// # Errors
    ///
    /// If a descriptor can't be duplicated.
    pub fn from_environment() -> Result<Activated> {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let is_ours = variable("LISTEN_PID").parse() == Ok(std::process::id());
        let count = variable("LISTEN_FDS").parse().unwrap_or(0usize);
        if !is_ours || count == 0 {
            return Ok(Activated::default());
        }
        Activated::of(FIRST, count.min(MAX_SOCKETS), &variable("LISTEN_FDNAMES"))
    }

    /// Duplicates `count` descriptors of this process, from `first` on.
    fn of(first: RawFd, count: usize, names: &str) -> Result<Activated> {
        let failed = |error: rustix::io::Errno| {
            Error::io("take over the sockets of systemd", error.into())
                .remedy("add pidfd_open and pidfd_getfd to SystemCallFilter")
        };
        let this = pidfd_open(getpid(), PidfdFlags::empty()).map_err(failed)?;
        let mut names = names.split(':');
        let sockets = (0..count).map(|at| {
            let number = first.saturating_add(at as RawFd);
            let socket = pidfd_getfd(&this, number, PidfdGetfdFlags::empty()).map_err(failed)?;
            Ok((at, names.next().unwrap_or_default().to_string(), socket))
        });
        sockets.collect::<Result<Vec<_>>>().map(Activated)
    }

    /// Takes the first socket with that name, or with that number, counted from 0.
    ///
    /// # Errors
    ///
    /// If there is none, or it has a type that can't be used.
    pub fn take(&mut self, name: &str) -> Result<Socket> {
        // Taking one does not change the numbers of the others.
        let is_it = |(number, own, _): &(usize, String, OwnedFd)| {
            own == name || name.parse() == Ok(*number)
        };
        let Some(at) = self.0.iter().position(is_it) else {
            let names: Vec<&str> = self.0.iter().map(|(_, name, _)| &**name).collect();
            let remedy = match &*names {
                [] => "systemd passed no sockets: is there a .socket unit for this service?".into(),
                names => {
                    format!("FileDescriptorName= of the available sockets: {}", names.join(", "))
                }
            };
            return Err(Error::usage(format!("no such socket “{name}”")).remedy(remedy));
        };
        let (_, _, socket) = self.0.remove(at);
        let unfit = || {
            Error::usage(format!("the socket “{name}” has an unsupported type"))
                .remedy("use ListenStream= or ListenDatagram=, with Accept=no")
        };
        let family = sockopt::socket_domain(&socket).map_err(|_| unfit())?;
        let kind = sockopt::socket_type(&socket).map_err(|_| unfit())?;
        let accepts = sockopt::socket_acceptconn(&socket).unwrap_or(false);
        let is_internet = family == AddressFamily::INET || family == AddressFamily::INET6;
        match (family == AddressFamily::UNIX, kind) {
            (false, SocketType::STREAM) if is_internet && accepts => Ok(Socket::Tcp(socket.into())),
            (false, SocketType::DGRAM) if is_internet => Ok(Socket::Udp(socket.into())),
            (true, SocketType::STREAM) if accepts => Ok(Socket::Unix(socket.into())),
            (true, SocketType::DGRAM) => Ok(Socket::UnixDatagram(socket.into())),
            _ => Err(unfit()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd as _;

    #[test]
    fn sockets_are_taken_by_name_and_number() {
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let number = tcp.as_raw_fd();
        let mut activated = Activated::of(number, 1, "syslog").unwrap();
        let missing = activated.take("other").unwrap_err().to_string();
        assert!(missing.contains("syslog"), "{missing}");
        let Ok(Socket::Tcp(taken)) = activated.take("syslog") else { panic!("it is TCP") };
        assert_eq!(taken.local_addr().unwrap(), tcp.local_addr().unwrap());
        assert!(activated.take("0").unwrap_err().to_string().contains(".socket unit"));
        let mut activated = Activated::of(number, 1, "").unwrap();
        assert!(matches!(activated.take("0"), Ok(Socket::Tcp(_))));
        // Numbers stay the same when the first socket has been taken.
        let duplicate = |name: &str| {
            let socket = tcp.try_clone().unwrap();
            (name.to_string(), OwnedFd::from(socket))
        };
        let two = [duplicate("a"), duplicate("b")].into_iter().enumerate();
        let mut activated = Activated(two.map(|(at, (name, fd))| (at, name, fd)).collect());
        assert!(activated.take("0").is_ok());
        assert!(activated.take("0").is_err());
        assert!(activated.take("1").is_ok());
        let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
        let mut activated = Activated::of(udp.as_raw_fd(), 1, "u").unwrap();
        assert!(matches!(activated.take("u"), Ok(Socket::Udp(_))));
        let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let mut activated = Activated::of(one.as_raw_fd(), 1, "p").unwrap();
        assert!(activated.take("p").unwrap_err().to_string().contains("unsupported type"));
        assert!(Activated::of(100_000, 1, "").is_err());
    }

    #[test]
    fn without_the_variables_there_are_none() {
        assert_eq!(Activated::from_environment().unwrap().0.len(), 0);
    }
}
