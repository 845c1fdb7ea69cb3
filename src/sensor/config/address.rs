//! Addresses, as plain data.

use std::fmt;
use std::path::PathBuf;

/// A host and a port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A name or an address, IPv6 without brackets.
    pub host: String,
    /// The port, not 0.
    pub port: u16,
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// An address to listen on, or to send to. Its text is the one in the configuration.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// `udp://HOST:PORT`
    Udp(HostPort),
    /// `tcp://HOST:PORT`
    Tcp(HostPort),
    /// `tls://HOST:PORT`
    Tls(HostPort),
    /// `unix:PATH`: a stream socket; `unix://PATH` means the same.
    Unix(PathBuf),
    /// `unix-datagram:PATH`
    UnixDatagram(PathBuf),
    /// `systemd:NAME`: a socket that systemd opened, by its `FileDescriptorName=` or its number.
    Systemd(String),
}

impl Address {
    /// The host and the port, if it has them.
    pub fn place(&self) -> Option<&HostPort> {
        match self {
            Address::Udp(place) | Address::Tcp(place) | Address::Tls(place) => Some(place),
            _ => None,
        }
    }

    /// Whether it uses TLS.
    pub fn is_tls(&self) -> bool {
        matches!(self, Address::Tls(_))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Udp(place) => write!(f, "udp://{place}"),
            Address::Tcp(place) => write!(f, "tcp://{place}"),
            Address::Tls(place) => write!(f, "tls://{place}"),
            Address::Unix(path) => write!(f, "unix:{}", path.display()),
            Address::UnixDatagram(path) => write!(f, "unix-datagram:{}", path.display()),
            Address::Systemd(name) => write!(f, "systemd:{name}"),
        }
    }
}
