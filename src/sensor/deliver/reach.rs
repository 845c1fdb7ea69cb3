//! Whether a receiver answers, for a check of the configuration: connects, and sends nothing.

use super::connection::Connection;
use super::pace::{Pace, SystemClock, Timeouts};
use super::tls::{self, TlsSettings};
use crate::sensor::halt::Halt;
use crate::{Error, Result};
use std::io;
use std::net::ToSocketAddrs as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// Where a receiver is expected.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// A host and a port, with TLS from the first byte if there are settings for it.
    Tcp(String, u16, Option<TlsSettings>),
    /// A host and a port that take datagrams, and never answer.
    Udp(String, u16),
    /// A socket in the file system.
    Unix(PathBuf),
    /// The server of a URL.
    Url(String, TlsSettings),
}

impl Receiver {
    /// Connects to it, within this time for each step; resolving its name may take longer. Returns
    /// what was found.
    ///
    /// # Errors
    ///
    /// If it doesn't answer, or its certificate is not accepted. No part of a URL is in the text.
    pub fn reach(&self, max: Duration) -> Result<&'static str> {
        let timeouts = Timeouts { connect: max, request: max, drain: max };
        let pace = Pace::new(Arc::new(SystemClock::default()), Halt::default(), timeouts);
        match self {
            Receiver::Tcp(host, port, tls) => connect(host, *port, tls.as_ref(), &pace),
            Receiver::Udp(host, port) => {
                let address = (host.trim_matches(['[', ']']), *port).to_socket_addrs();
                let found = address.and_then(|mut all| all.next().ok_or_else(no_address));
                found.map_err(|error| failed(&error))?;
                Ok("its name resolves; datagrams are not answered")
            }
            Receiver::Unix(path) => {
                Connection::unix(path, &pace).map_err(|error| failed(&error))?;
                Ok("a program listens on its socket")
            }
            Receiver::Url(url, tls) => {
                let uri: Option<ureq::http::Uri> = url.trim().parse().ok();
                let place = uri.as_ref().and_then(|uri| Some((uri.host()?, uri.scheme_str()?)));
                let Some((host, scheme)) = place else {
                    return Err(
                        Error::usage("its URL is invalid").remedy("write https://host/path")
                    );
                };
                let is_https = scheme == "https";
                let port = uri.as_ref().and_then(|uri| uri.port_u16());
                let port = port.unwrap_or(if is_https { 443 } else { 80 });
                connect(host, port, Some(tls).filter(|_| is_https), &pace)
            }
        }
    }
}

fn connect(host: &str, port: u16, tls: Option<&TlsSettings>, pace: &Pace) -> Result<&'static str> {
    let config = tls.map(TlsSettings::client).transpose()?;
    let connected = Connection::tcp(host, port, pace).and_then(|mut connection| {
        connection.within(pace.timeouts().connect);
        match &config {
            Some(config) => connection.into_tls(config, host).map(drop),
            None => Ok(()),
        }
    });
    connected.map_err(|error| failed(&error))?;
    Ok(if config.is_some() { "it answers, and its certificate is accepted" } else { "it answers" })
}

fn failed(error: &io::Error) -> Error {
    Error::network(tls::delivery_error(error).reason)
}

fn no_address() -> io::Error {
    io::Error::new(io::ErrorKind::NotFound, "the host has no address")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Stopwatch;
    use std::net::TcpListener;
    use std::os::unix::net::UnixListener;

    const MAX: Duration = Duration::from_secs(3);

    #[test]
    fn what_listens_answers_and_what_does_not_is_away() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let plain = TlsSettings::default();
        let tcp = Receiver::Tcp("127.0.0.1".into(), port, None);
        let url = Receiver::Url(format!("http://127.0.0.1:{port}/hook"), plain.clone());
        assert_eq!(tcp.reach(MAX).unwrap(), "it answers");
        assert_eq!(url.reach(MAX).unwrap(), "it answers");
        drop(listener);
        for receiver in [tcp, url] {
            let error = receiver.reach(MAX).unwrap_err().to_string();
            assert!(error.contains("refused") && !error.contains("hook"), "{error}");
        }
        assert!(Receiver::Url("nowhere".into(), plain).reach(MAX).is_err());
        let udp = Receiver::Udp("127.0.0.1".into(), 9);
        assert!(udp.reach(MAX).unwrap().contains("not answered"));
    }

    #[test]
    fn sockets_answer_while_a_program_listens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sock");
        let receiver = Receiver::Unix(path.clone());
        assert!(receiver.reach(MAX).is_err());
        let listener = UnixListener::bind(&path).unwrap();
        receiver.reach(MAX).unwrap();
        drop(listener);
        assert!(receiver.reach(MAX).is_err());
    }

    #[test]
    fn a_server_that_accepts_and_is_silent_is_given_up() {
        // It accepts by its backlog, and never sends its part of the handshake.
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let tls = TlsSettings { insecure: true, ..TlsSettings::default() };
        let receiver = Receiver::Tcp("localhost".into(), port, Some(tls));
        let since = Stopwatch::start();
        assert!(receiver.reach(Duration::from_millis(300)).is_err());
        assert!(since.elapsed() < Duration::from_secs(20));
    }
}
