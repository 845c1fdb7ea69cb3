//! One worker: it reads its rings, and does with each packet all that there is to do
//! before it takes the next.

use super::outbox::Outbox;
use super::report::{InterfaceCounts, WorkerCounts};
use super::socket::{PATIENCE, Socket};
use crate::clock::{Stopwatch, now};
use crate::engine::alert::{Alert, Encoder, Origin};
use crate::engine::indicator::Timestamp;
use crate::engine::packet::{Config, Decoder, Frame, SharedFlows};
use crate::engine::scan::{Hit, Options, Scanner};
use crate::sensor::run::Current;
use crate::sensor::run::capture::{HitSink, PacketScan};
use crate::sensor::run::dedup::SeenValues as SeenInPacket;
use crate::sensor::run::outlet::Outlet;
use crate::sensor::run::reload::{Known, Lease};
use crate::sensor::sink::Records;
use crate::{Error, Result};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Packets of one socket that are taken in a row. Then alerts are written, and the
/// other sockets have their turn.
const BATCH: usize = 512;

/// How long an idle worker sleeps before it looks whether it is to end.
const NAP: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// How long an idle worker waits at its end for what the kernel has not shown yet,
/// and the longest that it reads at all.
const LAST_PATIENCE: Duration = PATIENCE.saturating_mul(3);
const LAST_READING: Duration = Duration::from_secs(2);

/// What all workers share.
pub(super) struct Shared<'s, 'd> {
    pub(super) current: &'d Current,
    pub(super) options: Options,
    pub(super) packets: Config,
    /// What workers know of each other's flows; `None` for one alone.
    pub(super) flows: Option<Arc<SharedFlows>>,
    pub(super) encoder: Encoder,
    /// What needs to see all alerts, one by one; `None` where nothing does.
    pub(super) outlet: Option<Mutex<Outlet>>,
    pub(super) interfaces: Vec<Arc<str>>,
    pub(super) workers: usize,
    /// Bytes of a ring.
    pub(super) ring: usize,
    /// Where alerts go.
    pub(super) outbox: &'s Outbox,
    /// Whether it is time to end.
    pub(super) stop: AtomicBool,
    /// How many packets may be taken in all, if that is bounded.
    pub(super) tickets: Option<PacketBudget>,
    /// How often workers tell what they counted.
    pub(super) telling: Option<Duration>,
    /// What they told last.
    pub(super) told: Vec<Mutex<WorkerCounts>>,
}

/// Packets that may be taken. Workers reserve them by the batch, for one count that all
/// of them touch with each packet would make them wait for each other.
pub(super) struct PacketBudget {
    free: AtomicU64,
    /// Those that are free, and those that are reserved and may come back.
    left: AtomicU64,
}

impl PacketBudget {
    pub(super) fn new(count: u64) -> PacketBudget {
        PacketBudget { free: AtomicU64::new(count), left: AtomicU64::new(count) }
    }

    /// Takes as many of `most` as there are.
    fn reserve(&self, most: usize) -> usize {
        let less = |free: u64| Some(free.saturating_sub(most as u64));
        let free = self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        free.unwrap_or(0).min(most as u64) as usize
    }

    /// Uses some of those that were reserved, and gives the others back. Returns whether
    /// these were the last.
    fn settle(&self, reserved: usize, used: usize) -> bool {
        self.free.fetch_add(reserved.saturating_sub(used) as u64, Ordering::Relaxed);
        self.left.fetch_sub(used as u64, Ordering::Relaxed) == used as u64
    }

    fn are_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

/// What a worker is to do.
pub(super) enum Command {
    /// Listen here, too.
    Open(usize, Box<Socket>),
    /// This interface is gone.
    Close(usize),
}

/// What a worker has to say: an interface can't be read any more.
pub(super) struct WorkerMessage(pub(super) usize, pub(super) Error);

pub(super) struct Worker<'t, 's, 'd> {
    number: usize,
    shared: &'t Shared<'s, 'd>,
    sockets: Vec<Option<Socket>>,
    lease: Lease,
    scanner: Scanner,
    decoder: Decoder,
    /// Packets seen on each interface.
    seen: Vec<u64>,
    told: WorkerCounts,
    told_of_packet: SeenInPacket,
    /// Encoded alerts.
    out: Records,
    /// Nothing later is taken, once it is known when the end was.
    until: Timestamp,
}

impl<'t, 's, 'd> Worker<'t, 's, 'd> {
    pub(super) fn new(number: usize, shared: &'t Shared<'s, 'd>, sockets: Vec<Socket>) -> Self {
        let count = sockets.len();
        let all = shared.packets.clone();
        // What one decoder may hold is for all of them together.
        let config = Config {
            most_flows: (all.most_flows / shared.workers).max(1),
            most_stream_bytes: all.most_stream_bytes / shared.workers,
            most_quic_bytes: all.most_quic_bytes / shared.workers,
            most_fragment_bytes: all.most_fragment_bytes / shared.workers,
            ..all
        };
        let mut decoder = Decoder::new(config);
        if let Some(flows) = &shared.flows {
            decoder.share_flows(Arc::clone(flows));
        }
        Worker {
            number,
            shared,
            sockets: sockets.into_iter().map(Some).collect(),
            lease: Lease::new(shared.current),
            scanner: Scanner::new(shared.options.clone()),
            decoder,
            seen: vec![0; count],
            told: WorkerCounts {
                interfaces: vec![InterfaceCounts::default(); count],
                ..WorkerCounts::default()
            },
            told_of_packet: SeenInPacket::default(),
            out: Records::default(),
            until: Timestamp(i64::MAX),
        }
    }

    /// Listens until it is told to stop.
    pub(super) fn run(mut self, orders: &Receiver<Command>, words: &Sender<WorkerMessage>) {
        let _guard = StopAll(&self.shared.stop);
        self.listen(orders, words);
        self.end(words);
        self.publish_counts();
    }

    fn listen(&mut self, orders: &Receiver<Command>, words: &Sender<WorkerMessage>) {
        let mut telling = Stopwatch::start();
        while !self.shared.stop.load(Ordering::Relaxed) {
            while let Ok(order) = orders.try_recv() {
                self.handle(order);
            }
            if self.round(words) == 0 {
                self.conclude(|decoder, hunter| decoder.advance(now(), hunter));
                self.wait(NAP);
            }
            if self.shared.telling.is_some_and(|often| telling.elapsed() >= often) {
                self.publish_counts();
                telling = Stopwatch::start();
            }
        }
    }

    /// Takes what was received before the end and is not read yet, and tells what
    /// the streams still hold.
    fn end(&mut self, words: &Sender<WorkerMessage>) {
        self.until = now();
        let is_spent = self.shared.tickets.as_ref().is_some_and(PacketBudget::are_spent);
        let patience = if is_spent { Duration::ZERO } else { LAST_PATIENCE };
        let (begun, mut idle) = (Stopwatch::start(), Stopwatch::start());
        while begun.elapsed() < LAST_READING && idle.elapsed() < patience {
            if self.round(words) > 0 {
                idle = Stopwatch::start();
            } else {
                self.wait(Timespec { tv_sec: 0, tv_nsec: 10_000_000 });
            }
        }
        self.conclude(|decoder, hunter| decoder.finish(hunter));
    }

    /// Lets flows end, and writes what only shows then. No interface is at hand, so that
    /// the first stands for all where there are several.
    fn conclude(&mut self, end: impl FnOnce(&mut Decoder, &mut PacketScan<'_, '_, Alerts<'_>>)) {
        let Some(path) = self.shared.interfaces.first() else { return };
        let Worker { shared, lease, decoder, scanner, out, told, told_of_packet, .. } = self;
        let Known { database, origin, .. } = &*lease.known;
        let net = shared.alerts(origin, out, &mut told.records);
        let told = told_of_packet;
        end(decoder, &mut PacketScan { scanner, database, path, is_live: true, told, net });
        self.write();
    }

    fn handle(&mut self, order: Command) {
        match order {
            Command::Open(interface, socket) => {
                if let Some(place) = self.sockets.get_mut(interface) {
                    *place = Some(*socket);
                }
            }
            Command::Close(interface) => self.close(interface),
        }
    }

    fn close(&mut self, interface: usize) {
        self.ask_kernel();
        if let Some(place) = self.sockets.get_mut(interface) {
            *place = None;
        }
    }

    /// Reads a batch of each socket and writes the alerts. Returns how many packets
    /// there were.
    fn round(&mut self, words: &Sender<WorkerMessage>) -> usize {
        let mut packets = 0;
        for interface in 0..self.sockets.len() {
            match self.batch(interface) {
                Ok(taken) => packets += taken,
                Err(error) => {
                    self.close(interface);
                    let _ = words.send(WorkerMessage(interface, error));
                }
            }
        }
        self.write();
        packets
    }

    fn batch(&mut self, interface: usize) -> Result<usize> {
        // Between batches, which are short: a thousandth of a second on a busy line.
        if self.lease.renew(self.shared.current) {
            self.decoder.show_flows_again();
        }
        let Worker { number, lease, shared, scanner, decoder, seen, told, out, until, .. } = self;
        let told_of_packet = &mut self.told_of_packet;
        let (Some(Some(socket)), Some(path), Some(seen), Some(of_interface)) = (
            self.sockets.get_mut(interface),
            shared.interfaces.get(interface),
            seen.get_mut(interface),
            told.interfaces.get_mut(interface),
        ) else {
            return Ok(0);
        };
        let (linktype, workers) = (socket.linktype, shared.workers as u64);
        let Known { database, origin, .. } = &*lease.known;
        let net = shared.alerts(origin, out, &mut told.records);
        let mut hunter =
            PacketScan { scanner, database, path, is_live: true, told: told_of_packet, net };
        let most = shared.tickets.as_ref().map_or(BATCH, |tickets| tickets.reserve(BATCH));
        let (mut used, mut late) = (0, 0);
        let outcome = socket.read(most, |time, packet| {
            if time > *until {
                late += 1;
                return;
            }
            let frame = Frame {
                // Those of the workers don't meet.
                number: *seen * workers + *number as u64 + 1,
                time,
                is_timed: true,
                linktype,
                length: packet.header.len,
                data: packet.data,
            };
            *seen += 1;
            used += 1;
            decoder.frame(&frame, &mut hunter);
        });
        if let Some(tickets) = &shared.tickets
            && tickets.settle(most, used)
        {
            shared.stop.store(true, Ordering::Relaxed);
        }
        let batch = outcome?;
        of_interface.outside += (batch.early + late) as u64;
        told.waited = told.waited.max(batch.waited);
        Ok(batch.packets)
    }

    /// Passes on the alerts that there are.
    fn write(&mut self) {
        if !self.out.is_empty() {
            self.shared.outbox.push(&mut self.out);
        }
    }

    /// Sleeps until there are packets, but not long.
    fn wait(&self, most: Timespec) {
        let sockets = self.sockets.iter().flatten();
        let mut polled: Vec<PollFd<'_>> = sockets
            .map(|socket| PollFd::from_borrowed_fd(socket.descriptor(), PollFlags::IN))
            .collect();
        // An interruption is a reason to look around, and errors of a socket show when
        // it is read.
        let _ = poll(&mut polled, Some(&most));
    }

    fn ask_kernel(&mut self) {
        for (socket, told) in self.sockets.iter_mut().zip(&mut self.told.interfaces) {
            if let Some(socket) = socket {
                told.kernel.add(socket.kernel());
                self.told.ring_use = self.told.ring_use.max(socket.ring_use());
            }
        }
    }

    /// Tells what was counted.
    fn publish_counts(&mut self) {
        self.ask_kernel();
        self.told.packets = self.decoder.counters();
        self.told.counters.clone_from(self.scanner.counters());
        if let Some(place) = self.shared.told.get(self.number) {
            let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
            // Whoever reads them takes these two away.
            self.told.waited = self.told.waited.max(place.waited);
            self.told.ring_use = self.told.ring_use.max(place.ring_use);
            place.clone_from(&self.told);
        }
        (self.told.waited, self.told.ring_use) = (Duration::ZERO, 0);
    }
}

/// Encodes alerts as they are found: nobody waits for the end of a flow.
struct Alerts<'a> {
    encoder: &'a Encoder,
    outlet: Option<&'a Mutex<Outlet>>,
    /// Of the database that finds them.
    origin: &'a Origin,
    out: &'a mut Records,
    records: &'a mut u64,
}

impl<'d> HitSink<'d> for Alerts<'_> {
    fn catch(&mut self, hit: Hit<'d>, _: Option<u64>) {
        // The time that is given is for lines of logs.
        let alert = Alert::new(&hit, self.origin, Timestamp(0));
        let is_wanted = self.out.record(|bytes| match self.outlet {
            Some(outlet) => {
                outlet.lock().unwrap_or_else(PoisonError::into_inner).take(&alert, bytes)
            }
            None => {
                self.encoder.encode(&alert, bytes);
                true
            }
        });
        *self.records += u64::from(is_wanted);
    }
}

/// Stops the others when a worker panics: they would go on without its packets.
struct StopAll<'t>(&'t AtomicBool);

impl Drop for StopAll<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.store(true, Ordering::Relaxed);
        }
    }
}

impl Shared<'_, '_> {
    fn alerts<'a>(
        &'a self,
        origin: &'a Origin,
        out: &'a mut Records,
        records: &'a mut u64,
    ) -> Alerts<'a> {
        Alerts { encoder: &self.encoder, outlet: self.outlet.as_ref(), origin, out, records }
    }

    pub(super) fn told(&self, worker: usize) -> Option<MutexGuard<'_, WorkerCounts>> {
        Some(self.told.get(worker)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_come_back_until_all_are_used() {
        let tickets = PacketBudget::new(10);
        assert_eq!((tickets.reserve(8), tickets.reserve(8), tickets.reserve(8)), (8, 2, 0));
        assert!(!tickets.settle(8, 3));
        assert!(!tickets.settle(2, 2));
        assert!(!tickets.are_spent());
        assert_eq!(tickets.reserve(8), 5);
        assert!(tickets.settle(5, 5) && tickets.are_spent());
        assert_eq!(tickets.reserve(8), 0);
    }
}
