//! Listens on the service's addresses for a moment, to check that they are available.

use super::files;
use super::probe::Probe;
use std::path::PathBuf;
use wiresift::Result;
use wiresift::sensor::config::{Address, Config, InputKind, ServerTls};
use wiresift::sensor::listen::{self, Activated, Bound, Tls, TlsFiles};

/// Listens on every address of a configuration, and closes it again.
pub(super) fn all(config: &Config, probe: &mut Probe) {
    let mut sockets = Sockets {
        activated: Activated::from_environment().unwrap_or_default(),
        is_started: std::env::var_os("LISTEN_FDS").is_some(),
        probe,
    };
    if let Some(place) = &config.daemon.metrics {
        sockets.open("metrics", &Address::Tcp(place.clone()), None);
    }
    for input in config.active_inputs() {
        let of = format!("input {}", input.name);
        match &input.kind {
            InputKind::Syslog(syslog) => sockets.open_all(&of, &syslog.listen, &syslog.tls),
            InputKind::Hec(hec) => sockets.open_all(&of, &hec.listen, &hec.tls),
            InputKind::Eve(eve) => sockets.open(&of, &Address::Unix(eve.path.clone()), None),
            _ => {}
        }
    }
}

struct Sockets<'p> {
    activated: Activated,
    /// Whether systemd passed sockets.
    is_started: bool,
    probe: &'p mut Probe,
}

impl Sockets<'_> {
    /// Checks the certificate of an input and listens on its addresses.
    fn open_all(&mut self, of: &str, addresses: &[Address], files: &ServerTls) {
        let tls = match tls(files) {
            Some(Ok(tls)) => {
                self.probe.take(of, Ok("its certificate can be used"));
                Some(tls)
            }
            Some(Err(error)) => {
                self.probe.take(of, Err::<&str, _>(error));
                None
            }
            None => None,
        };
        for address in addresses {
            // A TLS address needs its certificate; that it is missing has been reported.
            if !address.is_tls() || tls.is_some() {
                self.open(of, address, tls.as_ref());
            }
        }
    }

    /// Listens on one address. The socket is closed at once.
    fn open(&mut self, of: &str, address: &Address, tls: Option<&Tls>) {
        let place = match address {
            Address::Systemd(name) if !self.is_started => {
                let note =
                    format!("{of}: the socket {name} only exists when systemd starts the service");
                return self.probe.note(note);
            }
            // The missing folder has already been reported with its line in the configuration.
            Address::Unix(path) | Address::UnixDatagram(path) if !parent_is_there(path) => return,
            address => listening_address(address),
        };
        match Bound::open(&place, tls, &mut self.activated) {
            Ok(_) => self.probe.take(of, Ok(format!("{address} is free"))),
            // The running service itself uses the address.
            Err(error) if self.probe.holder.is_some() && is_in_use(&error) => {}
            Err(error) => self.probe.take(of, Err::<&str, _>(error)),
        }
    }
}

fn is_in_use(error: &wiresift::Error) -> bool {
    error.io_error().is_some_and(|it| it.kind() == std::io::ErrorKind::AddrInUse)
}

/// Whether the folder of a socket exists. A missing one is already reported.
fn parent_is_there(path: &std::path::Path) -> bool {
    files::folder_of(path).is_dir()
}

/// Opens the TLS files if all exist. A missing one is already reported.
fn tls(files: &ServerTls) -> Option<Result<Tls>> {
    let (certificate, key) = files.tls_cert.clone().zip(files.tls_key.clone())?;
    let client_ca = files.tls_client_ca.clone();
    let is_there = |path: &PathBuf| path.exists();
    let all = [&certificate, &key].into_iter().chain(&client_ca);
    let are_there = all.into_iter().all(is_there);
    are_there.then(|| Tls::open(TlsFiles { certificate, key, client_ca }))
}

fn listening_address(address: &Address) -> listen::Address {
    match address {
        Address::Udp(place) => listen::Address::Udp(place.to_string()),
        Address::Tcp(place) => listen::Address::Tcp(place.to_string()),
        Address::Tls(place) => listen::Address::Tls(place.to_string()),
        Address::Unix(path) => listen::Address::Unix(path.clone()),
        Address::UnixDatagram(path) => listen::Address::UnixDatagram(path.clone()),
        Address::Systemd(name) => listen::Address::Activated(name.clone()),
    }
}
