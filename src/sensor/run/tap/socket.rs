//! Opening an interface, and reading its ring.
//!
//! libpcap creates the socket, the memory-mapped ring (TPACKET_V3 on Linux) and the filter in the
//! kernel. Each worker has its own socket on each interface.

use super::{fanout, sandbox};
use crate::clock::now;
use crate::engine::indicator::Timestamp;
use crate::engine::packet;
use crate::{Error, Result};
use pcap::{Active, Capture, Packet};
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

/// How long the kernel waits for more packets before it delivers a block of the ring that is not
/// full. On a quiet line, alerts are late by that much.
pub(super) const PATIENCE: Duration = Duration::from_millis(20);

/// The interface that stands for all of them.
const ANY: &str = "any";

/// What the kernel puts before each packet in the ring: `tpacket3_hdr`, `sockaddr_ll`, the space
/// that VLAN tags may need, and alignment.
const RING_OVERHEAD: u64 = 96;

/// How to listen to interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listening {
    /// A capture filter in libpcap's syntax; empty for all packets.
    pub filter: String,
    /// Whether to capture packets that are addressed to others, too.
    pub is_promiscuous: bool,
    /// The number of bytes captured of each packet.
    pub snaplen: u32,
    /// Bytes of each ring; there is one for each worker and interface.
    pub ring: usize,
}

impl Default for Listening {
    fn default() -> Self {
        Listening {
            filter: String::new(),
            is_promiscuous: true,
            // libpcap's maximum, which its frames are sized for anyway.
            snaplen: 262_144,
            ring: 16 << 20,
        }
    }
}

impl Listening {
    /// Opens an interface and closes it again, to check whether it can be listened to.
    ///
    /// # Errors
    ///
    /// If it is missing or down, a permission is missing, or the filter is invalid.
    pub fn check(&self, interface: &str) -> Result<()> {
        if !sandbox::may_listen() {
            return Err(no_permission(interface));
        }
        open(interface, &Names::new()?, self, 1).map(drop)
    }
}

/// Asks the kernel for the numbers of interfaces.
pub(super) struct Names(UnixDatagram);

impl Names {
    pub(super) fn new() -> Result<Names> {
        UnixDatagram::unbound().map(Names).map_err(|e| Error::io("open a socket", e))
    }

    /// The number of an interface. It changes when an interface is recreated under the old name; 0
    /// stands for all interfaces, and `None` for a missing one.
    pub(super) fn index(&self, name: &str) -> Option<u32> {
        if name == ANY {
            return Some(0);
        }
        rustix::net::netdevice::name_to_index(&self.0, name).ok()
    }

    /// Whether nothing can be received: the interface is not up, or its link is down. Where the
    /// kernel doesn't report it, as for `any`, neither is the case.
    pub(super) fn is_down(name: &str) -> bool {
        let says = |file: &str| std::fs::read_to_string(format!("/sys/class/net/{name}/{file}"));
        // The carrier can't be read while the interface is not up.
        match says("carrier") {
            Ok(carrier) => carrier.trim() == "0",
            Err(_) => says("flags").is_ok_and(|flags| {
                let flags = u32::from_str_radix(flags.trim().trim_start_matches("0x"), 16);
                flags.is_ok_and(|flags| flags & libc::IFF_UP as u32 == 0)
            }),
        }
    }

    fn known(&self) -> Vec<String> {
        let devices = pcap::Device::list().unwrap_or_default();
        let names = devices.into_iter().map(|device| device.name);
        names.filter(|name| self.index(name).is_some()).collect()
    }
}

/// The kernel's counters for a socket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kernel {
    pub(super) received: u64,
    pub(super) dropped: u64,
    pub(super) dropped_by_interface: u64,
}

impl Kernel {
    pub(super) fn add(&mut self, more: Kernel) {
        self.received += more.received;
        self.dropped += more.dropped;
        self.dropped_by_interface += more.dropped_by_interface;
    }
}

/// One worker's socket on one interface.
pub(super) struct Socket {
    capture: Capture<Active>,
    pub(super) linktype: u32,
    /// Packets up to this time may have reached other workers, too.
    since: Timestamp,
    last: pcap::Stat,
    ring: Ring,
}

/// How much of a ring is used: what is in it at some moment is what is read afterwards and was
/// received before. libpcap does not report it.
#[derive(Clone, Copy, Debug, Default)]
struct Ring {
    /// That moment, while its packets are being read.
    moment: Option<Timestamp>,
    held: u64,
    max: u64,
}

impl Ring {
    fn read(&mut self, time: Timestamp, length: usize) {
        match self.moment {
            Some(moment) if time <= moment => self.held += length as u64 + RING_OVERHEAD,
            Some(_) => self.settle(),
            None => {}
        }
    }

    fn settle(&mut self) {
        self.max = self.max.max(self.held);
        (self.moment, self.held) = (None, 0);
    }
}

/// A batch that was read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Batch {
    /// Packets taken from the ring.
    pub(super) packets: usize,
    /// Those among them that may have reached other workers, too; they are left out.
    pub(super) early: usize,
    /// How long the first of them had waited.
    pub(super) waited: Duration,
}

impl Socket {
    /// Reads at most `max` packets that have already arrived.
    pub(super) fn read(
        &mut self,
        max: usize,
        mut take: impl FnMut(Timestamp, &Packet<'_>),
    ) -> Result<Batch> {
        let begun = now();
        self.ring.moment.get_or_insert(begun);
        let (ring, since) = (&mut self.ring, self.since);
        let (mut first, mut early) = (None, 0);
        let outcome = self.capture.dispatch(Some(max), |packet| {
            let ts = packet.header.ts;
            let time = Timestamp(ts.tv_sec.saturating_mul(1_000_000).saturating_add(ts.tv_usec));
            first.get_or_insert(time);
            ring.read(time, packet.data.len());
            if time > since {
                take(time, &packet);
            } else {
                early += 1;
            }
        });
        let packets = match outcome {
            Ok(packets) => packets,
            Err(pcap::Error::TimeoutExpired) => 0,
            Err(error) => return Err(Error::io("read", io::Error::other(text(&error)))),
        };
        if packets == 0 {
            self.ring.settle();
        }
        let waited = first.map_or(0, |first| begun.0.saturating_sub(first.0).max(0));
        Ok(Batch { packets, early, waited: Duration::from_micros(waited.unsigned_abs()) })
    }

    /// What the kernel counted since the last call.
    pub(super) fn kernel(&mut self) -> Kernel {
        // Once its interface is gone, the kernel reports nothing more.
        let Ok(stat) = self.capture.stats() else { return Kernel::default() };
        let last = std::mem::replace(&mut self.last, stat);
        let more = |new: u32, old: u32| u64::from(new.wrapping_sub(old));
        Kernel {
            received: more(stat.received, last.received),
            dropped: more(stat.dropped, last.dropped),
            dropped_by_interface: more(stat.if_dropped, last.if_dropped),
        }
    }

    /// The most bytes found in the ring since the last call.
    pub(super) fn ring_use(&mut self) -> u64 {
        std::mem::take(&mut self.ring.max)
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.capture.as_fd()
    }
}

/// Opens an interface for each worker, in their order: the same hash then leads to the same worker
/// on every interface, and so do the two directions of a flow that arrive on two interfaces.
pub(super) fn open(
    name: &str,
    names: &Names,
    listening: &Listening,
    workers: usize,
) -> Result<Vec<Socket>> {
    if names.index(name).is_none() {
        let known = names.known().join(", ");
        let error = Error::usage(format!("no such interface “{name}”"));
        return Err(error.remedy(format!("available: {known}")));
    }
    let mut sockets: Vec<Socket> = Vec::with_capacity(workers);
    let mut group = 0;
    for worker in 0..workers {
        let socket = open_one(name, listening)?;
        let shared = match worker {
            _ if workers == 1 => Ok(()),
            0 => fanout::found(socket.descriptor()).map(|number| group = number),
            _ => fanout::join(socket.descriptor(), group),
        };
        shared.map_err(|e| {
            Error::io("share the packets among the workers (PACKET_FANOUT)", e)
                .at_path(name)
                .remedy("use -j 1, which needs no sharing")
        })?;
        sockets.push(socket);
    }
    if workers > 1 {
        // Until the last socket joined, several of them received the same packets.
        let since = now();
        sockets.iter_mut().for_each(|socket| socket.since = since);
    }
    Ok(sockets)
}

fn open_one(name: &str, listening: &Listening) -> Result<Socket> {
    let snaplen = i32::try_from(listening.snaplen).unwrap_or(i32::MAX);
    let ring = i32::try_from(listening.ring).unwrap_or(i32::MAX);
    let patience = i32::try_from(PATIENCE.as_millis()).unwrap_or(i32::MAX);
    let capture = Capture::from_device(name).map_err(|e| refused(name, &e))?;
    let capture = capture
        .promisc(listening.is_promiscuous)
        .snaplen(snaplen)
        .buffer_size(ring)
        .timeout(patience)
        .open()
        .and_then(Capture::setnonblock);
    let mut capture = capture.map_err(|e| refused(name, &e))?;
    if !listening.filter.is_empty() {
        capture.filter(&listening.filter, true).map_err(|e| {
            let filter = &listening.filter;
            Error::usage(format!("invalid filter “{filter}”: {}", text(&e)))
                .remedy("see pcap-filter(7) for the syntax")
        })?;
    }
    let linktype = u32::try_from(capture.get_datalink().0).unwrap_or(u32::MAX);
    if packet::unknown_link(linktype, &[]).is_some() {
        let kind = packet::link_name(linktype).map(|kind| format!(" ({kind})"));
        let what = format!("link type {linktype}{} is not decoded", kind.unwrap_or_default());
        return Err(Error::usage(what).at_path(name).remedy("listen to another interface"));
    }
    let last = pcap::Stat { received: 0, dropped: 0, if_dropped: 0 };
    let (since, ring) = (Timestamp(i64::MIN), Ring::default());
    Ok(Socket { capture, linktype, since, last, ring })
}

/// Why libpcap could not open an interface.
fn refused(name: &str, error: &pcap::Error) -> Error {
    let text = text(error);
    let has = |part: &str| text.contains(part);
    if has("permission") || has("not permitted") {
        return no_permission(name);
    }
    let error = Error::io("listen", io::Error::other(text.clone())).at_path(name);
    match () {
        () if has("not up") => error.remedy(format!("bring it up: ip link set dev {name} up")),
        () if has("allocate memory") => error.remedy("use a smaller --ring or a smaller -j"),
        () => error,
    }
}

/// Which permission is missing, and how to get it.
pub(super) fn no_permission(name: &str) -> Error {
    let program = std::env::current_exe().ok();
    let program = program.as_deref().unwrap_or("wiresift".as_ref()).display();
    let denied = io::Error::from(io::ErrorKind::PermissionDenied);
    Error::io("listen: the capability CAP_NET_RAW is missing", denied)
        .at_path(name)
        .remedy(format!("run it as root, or run this once: sudo setcap cap_net_raw=ep {program}"))
}

/// libpcap's own message.
fn text(error: &pcap::Error) -> String {
    match error {
        pcap::Error::PcapError(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_received_before_a_moment_was_in_the_ring_then() {
        let mut ring = Ring { moment: Some(Timestamp(10)), ..Ring::default() };
        for (time, length) in [(8, 100), (10, 200), (11, 400), (12, 800)] {
            ring.read(Timestamp(time), length);
        }
        assert_eq!((ring.max, ring.moment), (300 + 2 * RING_OVERHEAD, None));
        ring.moment = Some(Timestamp(20));
        ring.read(Timestamp(15), 50);
        ring.settle();
        assert_eq!(ring.max, 300 + 2 * RING_OVERHEAD);
    }

    #[test]
    fn only_interfaces_that_exist_have_a_number() {
        let names = Names::new().unwrap();
        assert!(names.index("lo").is_some());
        assert_eq!(names.index(ANY), Some(0));
        assert_eq!(names.index("no-such-name"), None);
        let Err(error) = open("no-such-name", &names, &Listening::default(), 1) else {
            panic!("opened a missing interface")
        };
        assert!(error.to_string().contains("available:"), "{error}");
    }
}
