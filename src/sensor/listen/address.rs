//! Listening addresses, as written in the configuration.

use crate::{Error, Result};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// An address to listen on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Address {
    /// `udp://ADDRESS:PORT`
    Udp(String),
    /// `tcp://ADDRESS:PORT`
    Tcp(String),
    /// `tls://ADDRESS:PORT`
    Tls(String),
    /// `unix:PATH`: a stream socket
    Unix(PathBuf),
    /// `unix-datagram:PATH`: a datagram socket
    UnixDatagram(PathBuf),
    /// `systemd:NAME`: a socket with that `FileDescriptorName=`, or with that number, counted from
    /// 0
    Activated(String),
}

impl FromStr for Address {
    type Err = Error;

    fn from_str(text: &str) -> Result<Address> {
        let wrong = |why: &str| {
            Error::usage(format!("invalid address “{text}”: {why}")).remedy(
                "write udp://ADDRESS:PORT, tcp://…, tls://…, unix:PATH, unix-datagram:PATH \
                 or systemd:NAME",
            )
        };
        let (scheme, rest) = text.split_once(':').ok_or_else(|| wrong("it has no scheme"))?;
        if rest.is_empty() {
            return Err(wrong("nothing follows the scheme"));
        }
        if let "unix" | "unix-datagram" | "systemd" = scheme {
            return Ok(match scheme {
                "unix" => Address::Unix(PathBuf::from(rest)),
                "unix-datagram" => Address::UnixDatagram(PathBuf::from(rest)),
                _ => Address::Activated(rest.to_string()),
            });
        }
        let place = rest.strip_prefix("//").ok_or_else(|| wrong("“//” is missing"))?;
        let port = place.rsplit_once(':').map(|(host, port)| (host, port.parse::<u16>()));
        let Some((host, Ok(_))) = port else { return Err(wrong("it has no port")) };
        if host.is_empty() || (host.contains(':') && !host.starts_with('[')) {
            return Err(wrong("expected an address before the port, IPv6 in brackets"));
        }
        match scheme {
            "udp" => Ok(Address::Udp(place.to_string())),
            "tcp" => Ok(Address::Tcp(place.to_string())),
            "tls" => Ok(Address::Tls(place.to_string())),
            _ => Err(wrong("unknown scheme")),
        }
    }
}

impl Address {
    /// The path of a socket in the file system.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Address::Unix(path) | Address::UnixDatagram(path) => Some(path),
            _ => None,
        }
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
            Address::Activated(name) => write!(f, "systemd:{name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_come_back() {
        for text in [
            "udp://0.0.0.0:514",
            "tcp://[::1]:601",
            "tls://host.example:6514",
            "unix:/run/eve.sock",
            "unix-datagram:/dev/log",
            "systemd:syslog",
        ] {
            assert_eq!(text.parse::<Address>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_explained() {
        for (text, why) in [
            ("514", "it has no scheme"),
            ("udp:514", "“//” is missing"),
            ("udp://514", "it has no port"),
            ("udp://:514", "expected an address before the port"),
            ("tcp://::1:514", "IPv6 in brackets"),
            ("tcp://a:99999", "it has no port"),
            ("http://a:80", "unknown scheme"),
            ("unix:", "nothing follows the scheme"),
        ] {
            let error = text.parse::<Address>().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }
}
