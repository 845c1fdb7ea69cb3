//! What systemd is told (`sd_notify(3)`): datagrams to the socket that it names.

use super::Hearts;
use crate::clock::{Stopwatch, monotonic_micros};
use crate::{Error, Result};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// The service that systemd started us as. Without it everything here does nothing.
#[derive(Debug, Default)]
pub struct Systemd(Option<UnixDatagram>);

impl Systemd {
    /// The one of `NOTIFY_SOCKET`.
    ///
    /// # Errors
    ///
    /// When there is one and it can't be reached.
    pub fn from_environment() -> Result<Systemd> {
        match std::env::var_os("NOTIFY_SOCKET") {
            Some(name) if !name.is_empty() => Systemd::at(name.as_encoded_bytes()),
            _ => Ok(Systemd::default()),
        }
    }

    /// The one at a path, or after `@` at a name that is in no file system.
    fn at(name: &[u8]) -> Result<Systemd> {
        let connect = || {
            let address = match name.strip_prefix(b"@") {
                Some(name) => SocketAddr::from_abstract_name(name)?,
                None => SocketAddr::from_pathname(std::path::Path::new(
                    &*String::from_utf8_lossy(name),
                ))?,
            };
            let socket = UnixDatagram::unbound()?;
            socket.connect_addr(&address)?;
            // Whoever does not read must not hold us up.
            socket.set_write_timeout(Some(Duration::from_secs(1)))?;
            Ok(socket)
        };
        let socket = connect().map_err(|error| Error::io("reach NOTIFY_SOCKET", error))?;
        Ok(Systemd(Some(socket)))
    }

    /// Whether systemd listens.
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// The sensor has started, or has reloaded.
    pub fn ready(&self) {
        self.say("READY=1");
    }

    /// The start takes longer: systemd waits for so long from now on.
    pub fn extend_start(&self, time: Duration) {
        self.say(&format!("EXTEND_TIMEOUT_USEC={}", time.as_micros()));
    }

    /// A reload begins; [`Systemd::ready`] ends it.
    pub fn reloading(&self) {
        self.say(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()));
    }

    /// The sensor ends.
    pub fn stopping(&self) {
        self.say("STOPPING=1");
    }

    /// One line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.say(&format!("STATUS={}", text.replace(['\n', '\r'], " ")));
    }

    fn say(&self, text: &str) {
        if let Some(socket) = &self.0 {
            // It is a courtesy: that systemd did not hear it is no reason to do anything else.
            let _ = socket.send(text.as_bytes());
        }
    }
}

/// The watchdog of systemd: it is told that we live only while every worker moves.
#[derive(Debug)]
pub struct Watchdog {
    interval: Duration,
    watch: Stopwatch,
}

impl Watchdog {
    /// The one that systemd asks for with `WATCHDOG_USEC`, if that is meant for this process.
    pub fn from_environment() -> Option<Watchdog> {
        let variable = |name: &str| std::env::var(name).ok();
        let is_ours = match variable("WATCHDOG_PID") {
            Some(pid) => pid.parse() == Ok(std::process::id()),
            None => true,
        };
        let micros = variable("WATCHDOG_USEC")?.parse().ok().filter(|&micros| micros > 0)?;
        is_ours.then(|| Watchdog::each(Duration::from_micros(micros)))
    }

    /// One that is told within this time, at each half of it.
    pub fn each(time: Duration) -> Watchdog {
        Watchdog { interval: time / 2, watch: Stopwatch::start() }
    }

    /// How long to wait before the next call of [`Watchdog::tick`], at most.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Tells systemd that we live, if it is time and every worker has moved since the last
    /// time. Returns whether it did.
    pub fn tick(&mut self, systemd: &Systemd, hearts: &Hearts) -> bool {
        let since = self.watch.elapsed();
        if since < self.interval {
            return false;
        }
        // Beats are known to a tenth of a second.
        let most = since + Duration::from_millis(100);
        if hearts.longest_silence().is_some_and(|silence| silence > most) {
            return false;
        }
        self.watch = Stopwatch::start();
        systemd.say("WATCHDOG=1");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is heard at a socket that `act` talks to.
    fn heard(act: impl FnOnce(&Systemd)) -> Vec<String> {
        let name = format!("wiresift-test-{}-{}", std::process::id(), monotonic_micros());
        let address = SocketAddr::from_abstract_name(&name).unwrap();
        let socket = UnixDatagram::bind_addr(&address).unwrap();
        act(&Systemd::at(format!("@{name}").as_bytes()).unwrap());
        socket.set_nonblocking(true).unwrap();
        let mut buffer = [0; 1000];
        std::iter::from_fn(|| {
            let length = socket.recv(&mut buffer).ok()?;
            Some(String::from_utf8(buffer[..length].to_vec()).unwrap())
        })
        .collect()
    }

    #[test]
    fn what_systemd_hears() {
        let before = monotonic_micros();
        let mut told = heard(|systemd| {
            systemd.ready();
            systemd.status("3 inputs\n2 sinks");
            systemd.stopping();
            systemd.extend_start(Duration::from_secs(60));
            systemd.reloading();
        });
        let reloading = told.pop().unwrap();
        assert_eq!(
            told,
            ["READY=1", "STATUS=3 inputs 2 sinks", "STOPPING=1", "EXTEND_TIMEOUT_USEC=60000000"]
        );
        let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!((before..=monotonic_micros()).contains(&micros.parse().unwrap()));
        // At a path, and where nobody listens.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        assert!(Systemd::at(path.to_str().unwrap().as_bytes()).is_err());
        let _socket = UnixDatagram::bind(&path).unwrap();
        assert!(Systemd::at(path.to_str().unwrap().as_bytes()).unwrap().is_there());
        Systemd::default().ready();
    }

    #[test]
    fn the_watchdog_is_told_only_while_every_worker_moves() {
        let hearts = Hearts::default();
        let (moves, stuck) = (hearts.heart("moves"), hearts.heart("stuck"));
        let mut watchdog = Watchdog::each(Duration::from_millis(400));
        let mut told = Vec::new();
        let said = heard(|systemd| {
            told.push(watchdog.tick(systemd, &hearts));
            std::thread::sleep(Duration::from_millis(220));
            moves.beat();
            stuck.beat();
            told.push(watchdog.tick(systemd, &hearts));
            std::thread::sleep(Duration::from_millis(700));
            moves.beat();
            // It has not moved since the last time, and a tenth of a second more.
            watchdog.watch = Stopwatch::start();
            std::thread::sleep(Duration::from_millis(220));
            moves.beat();
            told.push(watchdog.tick(systemd, &hearts));
            drop(stuck);
            told.push(watchdog.tick(systemd, &hearts));
        });
        assert_eq!(told, [false, true, false, true]);
        assert_eq!(said, ["WATCHDOG=1"; 2]);
    }
}
