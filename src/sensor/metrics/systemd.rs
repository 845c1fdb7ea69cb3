//! Notifications to systemd (`sd_notify(3)`): datagrams to the socket that it names.

use super::Heartbeats;
use crate::clock::{Stopwatch, monotonic_micros};
use crate::{Error, Result};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::Duration;

/// A connection to the systemd that started the service. Without one, everything here does nothing.
#[derive(Debug, Default)]
pub struct Systemd(Option<UnixDatagram>);

impl Systemd {
    /// The socket named by `NOTIFY_SOCKET`.
    ///
    /// # Errors
    ///
    /// If it is set and the socket can't be reached.
    pub fn from_environment() -> Result<Systemd> {
        match std::env::var_os("NOTIFY_SOCKET") {
            Some(name) if !name.is_empty() => Systemd::at(name.as_encoded_bytes()),
            _ => Ok(Systemd::default()),
        }
    }

    /// The socket at a path, or with an abstract name after `@`.
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
            // A reader that stops reading must not block the sensor.
            socket.set_write_timeout(Some(Duration::from_secs(1)))?;
            Ok(socket)
        };
        let socket = connect().map_err(|error| Error::io("reach NOTIFY_SOCKET", error))?;
        Ok(Systemd(Some(socket)))
    }

    /// Whether there is a systemd to notify.
    pub fn is_there(&self) -> bool {
        self.0.is_some()
    }

    /// Reports that the sensor has started, or has reloaded.
    pub fn ready(&self) {
        self.send("READY=1");
    }

    /// Reports that starting takes longer: systemd then waits for this long.
    pub fn extend_start(&self, time: Duration) {
        self.send(&format!("EXTEND_TIMEOUT_USEC={}", time.as_micros()));
    }

    /// Reports that a reload begins; [`Systemd::ready`] ends it.
    pub fn reloading(&self) {
        self.send(&format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic_micros()));
    }

    /// Reports that the sensor is stopping.
    pub fn stopping(&self) {
        self.send("STOPPING=1");
    }

    /// One line for `systemctl status`.
    pub fn status(&self, text: &str) {
        self.send(&format!("STATUS={}", text.replace(['\n', '\r'], " ")));
    }

    fn send(&self, text: &str) {
        if let Some(socket) = &self.0 {
            // Notifications are optional, so a failure has no consequences.
            let _ = socket.send(text.as_bytes());
        }
    }
}

/// The watchdog of systemd, which is only notified while every worker makes progress.
#[derive(Debug)]
pub struct Watchdog {
    interval: Duration,
    watch: Stopwatch,
}

impl Watchdog {
    /// The watchdog requested by `WATCHDOG_USEC`, if that is meant for this process.
    pub fn from_environment() -> Option<Watchdog> {
        let variable = |name: &str| std::env::var(name).ok();
        let is_ours = match variable("WATCHDOG_PID") {
            Some(pid) => pid.parse() == Ok(std::process::id()),
            None => true,
        };
        let micros = variable("WATCHDOG_USEC")?.parse().ok().filter(|&micros| micros > 0)?;
        is_ours.then(|| Watchdog::each(Duration::from_micros(micros)))
    }

    /// A watchdog with this timeout, notified after each half of it.
    pub fn each(time: Duration) -> Watchdog {
        Watchdog { interval: time / 2, watch: Stopwatch::start() }
    }

    /// The longest time to wait before the next call of [`Watchdog::tick`].
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Notifies systemd that the process is alive, if it is time and every worker has made progress
    /// since the last notification. Returns whether it did.
    pub fn tick(&mut self, systemd: &Systemd, heartbeats: &Heartbeats) -> bool {
        let since = self.watch.elapsed();
        if since < self.interval {
            return false;
        }
        // The resolution of heartbeats is a tenth of a second.
        let max = since + Duration::from_millis(100);
        if heartbeats.longest_silence().is_some_and(|silence| silence > max) {
            return false;
        }
        self.watch = Stopwatch::start();
        systemd.send("WATCHDOG=1");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is received at a socket that `act` sends to.
    fn received(act: impl FnOnce(&Systemd)) -> Vec<String> {
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
    fn what_systemd_receives() {
        let before = monotonic_micros();
        let mut messages = received(|systemd| {
            systemd.ready();
            systemd.status("3 inputs\n2 sinks");
            systemd.stopping();
            systemd.extend_start(Duration::from_secs(60));
            systemd.reloading();
        });
        let reloading = messages.pop().unwrap();
        assert_eq!(
            messages,
            ["READY=1", "STATUS=3 inputs 2 sinks", "STOPPING=1", "EXTEND_TIMEOUT_USEC=60000000"]
        );
        let micros = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!((before..=monotonic_micros()).contains(&micros.parse().unwrap()));
        // At a path, with and without a receiver.
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        assert!(Systemd::at(path.to_str().unwrap().as_bytes()).is_err());
        let _socket = UnixDatagram::bind(&path).unwrap();
        assert!(Systemd::at(path.to_str().unwrap().as_bytes()).unwrap().is_there());
        Systemd::default().ready();
    }

    #[test]
    fn the_watchdog_is_notified_only_while_every_worker_makes_progress() {
        let heartbeats = Heartbeats::default();
        let (moves, stuck) = (heartbeats.heartbeat("moves"), heartbeats.heartbeat("stuck"));
        let mut watchdog = Watchdog::each(Duration::from_millis(400));
        let mut ticks = Vec::new();
        let messages = received(|systemd| {
            ticks.push(watchdog.tick(systemd, &heartbeats));
            std::thread::sleep(Duration::from_millis(220));
            moves.beat();
            stuck.beat();
            ticks.push(watchdog.tick(systemd, &heartbeats));
            std::thread::sleep(Duration::from_millis(700));
            moves.beat();
            // It has been silent since the last time, plus a tenth of a second.
            watchdog.watch = Stopwatch::start();
            std::thread::sleep(Duration::from_millis(220));
            moves.beat();
            ticks.push(watchdog.tick(systemd, &heartbeats));
            drop(stuck);
            ticks.push(watchdog.tick(systemd, &heartbeats));
        });
        assert_eq!(ticks, [false, true, false, true]);
        assert_eq!(messages, ["WATCHDOG=1"; 2]);
    }
}
