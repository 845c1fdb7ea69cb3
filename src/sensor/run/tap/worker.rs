//! One worker: it reads its rings, and processes each packet completely before the next one.

use super::outbox::Outbox;
use super::report::{InterfaceCounts, WorkerCounts};
use super::socket::{PATIENCE, Socket};
use crate::clock::{Stopwatch, now};
use crate::engine::alert::{Alert, Encoder, Provenance};
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

/// Packets taken from one socket in a row. After that, alerts are written, and the other sockets
/// get their turn.
const BATCH: usize = 512;

/// How long an idle worker sleeps before it checks whether it should end.
const NAP: Timespec = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };

/// How long an idle worker waits at its end for packets that the kernel has not delivered yet, and
/// the longest time that it goes on reading.
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
    /// The outlet that needs to see all alerts, one by one; `None` if none does.
    pub(super) outlet: Option<Mutex<Outlet>>,
    pub(super) interfaces: Vec<Arc<str>>,
    pub(super) workers: usize,
    /// The size of a ring in bytes.
    pub(super) ring: usize,
    /// Where alerts go.
    pub(super) outbox: &'s Outbox,
    /// Whether it is time to end.
    pub(super) stop: AtomicBool,
    /// How many packets may be taken in total, if there is a limit.
    pub(super) budget: Option<PacketBudget>,
    /// How often workers publish their counts.
    pub(super) publish_interval: Option<Duration>,
    /// The counts that they published last.
    pub(super) published: Vec<Mutex<WorkerCounts>>,
}

/// Packets that may be taken. Workers reserve them in batches: a single counter that all of them
/// update for each packet would make them wait for each other.
pub(super) struct PacketBudget {
    free: AtomicU64,
    /// Packets that are free, or reserved and may be returned.
    left: AtomicU64,
}

impl PacketBudget {
    pub(super) fn new(count: u64) -> PacketBudget {
        PacketBudget { free: AtomicU64::new(count), left: AtomicU64::new(count) }
    }

    /// Reserves up to `max` packets.
    fn reserve(&self, max: usize) -> usize {
        let less = |free: u64| Some(free.saturating_sub(max as u64));
        let free = self.free.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        free.unwrap_or(0).min(max as u64) as usize
    }

    /// Uses some of the reserved packets, and returns the others. Returns whether these were the
    /// last.
    fn settle(&self, reserved: usize, used: usize) -> bool {
        self.free.fetch_add(reserved.saturating_sub(used) as u64, Ordering::Relaxed);
        self.left.fetch_sub(used as u64, Ordering::Relaxed) == used as u64
    }

    fn are_spent(&self) -> bool {
        self.left.load(Ordering::Relaxed) == 0
    }
}

/// A command to a worker.
pub(super) enum Command {
    /// Listen to this interface, too.
    Open(usize, Box<Socket>),
    /// This interface is gone.
    Close(usize),
}

/// A message from a worker: an interface can't be read any more.
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
    counts: WorkerCounts,
    reported: SeenInPacket,
    /// Encoded alerts.
    out: Records,
    /// Later packets are not taken, once the time of the end is known.
    until: Timestamp,
}

impl<'t, 's, 'd> Worker<'t, 's, 'd> {
    pub(super) fn new(number: usize, shared: &'t Shared<'s, 'd>, sockets: Vec<Socket>) -> Self {
        let count = sockets.len();
        let all = shared.packets.clone();
        // The limits of the decoder are for all workers together.
        let config = Config {
            max_flows: (all.max_flows / shared.workers).max(1),
            max_stream_bytes: all.max_stream_bytes / shared.workers,
            max_quic_bytes: all.max_quic_bytes / shared.workers,
            max_fragment_bytes: all.max_fragment_bytes / shared.workers,
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
            counts: WorkerCounts {
                interfaces: vec![InterfaceCounts::default(); count],
                ..WorkerCounts::default()
            },
            reported: SeenInPacket::default(),
            out: Records::default(),
            until: Timestamp(i64::MAX),
        }
    }

    /// Listens until it is stopped.
    pub(super) fn run(mut self, commands: &Receiver<Command>, messages: &Sender<WorkerMessage>) {
        let _guard = StopAll(&self.shared.stop);
        self.listen(commands, messages);
        self.end(messages);
        self.publish_counts();
    }

    fn listen(&mut self, commands: &Receiver<Command>, messages: &Sender<WorkerMessage>) {
        let mut since_publish = Stopwatch::start();
        while !self.shared.stop.load(Ordering::Relaxed) {
            while let Ok(command) = commands.try_recv() {
                self.handle(command);
            }
            if self.round(messages) == 0 {
                self.conclude(|decoder, packet_scan| decoder.advance(now(), packet_scan));
                self.wait(NAP);
            }
            if self.shared.publish_interval.is_some_and(|often| since_publish.elapsed() >= often) {
                self.publish_counts();
                since_publish = Stopwatch::start();
            }
        }
    }

    /// Takes what was received before the end and has not been read yet, and reports what the
    /// streams still hold.
    fn end(&mut self, messages: &Sender<WorkerMessage>) {
        self.until = now();
        let is_spent = self.shared.budget.as_ref().is_some_and(PacketBudget::are_spent);
        let patience = if is_spent { Duration::ZERO } else { LAST_PATIENCE };
        let (begun, mut idle) = (Stopwatch::start(), Stopwatch::start());
        while begun.elapsed() < LAST_READING && idle.elapsed() < patience {
            if self.round(messages) > 0 {
                idle = Stopwatch::start();
            } else {
                self.wait(Timespec { tv_sec: 0, tv_nsec: 10_000_000 });
            }
        }
        self.conclude(|decoder, packet_scan| decoder.finish(packet_scan));
    }

    /// Ends flows, and writes what is only known then. No interface is at hand, so if there are
    /// several the first stands for all of them.
    fn conclude(&mut self, end: impl FnOnce(&mut Decoder, &mut PacketScan<'_, '_, Alerts<'_>>)) {
        let Some(path) = self.shared.interfaces.first() else { return };
        let Worker { shared, lease, decoder, scanner, out, counts, reported, .. } = self;
        let Known { database, origin, .. } = &*lease.known;
        let hit_sink = shared.alerts(origin, out, &mut counts.records);
        end(
            decoder,
            &mut PacketScan { scanner, database, path, is_live: true, reported, hit_sink },
        );
        self.write();
    }

    fn handle(&mut self, command: Command) {
        match command {
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

    /// Reads a batch of each socket and writes the alerts. Returns the number of packets.
    fn round(&mut self, messages: &Sender<WorkerMessage>) -> usize {
        let mut packets = 0;
        for interface in 0..self.sockets.len() {
            match self.batch(interface) {
                Ok(taken) => packets += taken,
                Err(error) => {
                    self.close(interface);
                    let _ = messages.send(WorkerMessage(interface, error));
                }
            }
        }
        self.write();
        packets
    }

    fn batch(&mut self, interface: usize) -> Result<usize> {
        // The lease is renewed between batches, which are short: a thousandth of a second on a busy
        // line.
        if self.lease.renew(self.shared.current) {
            self.decoder.show_flows_again();
        }
        let Worker { number, lease, shared, scanner, decoder, seen, counts, out, until, .. } = self;
        let reported = &mut self.reported;
        let (Some(Some(socket)), Some(path), Some(seen), Some(of_interface)) = (
            self.sockets.get_mut(interface),
            shared.interfaces.get(interface),
            seen.get_mut(interface),
            counts.interfaces.get_mut(interface),
        ) else {
            return Ok(0);
        };
        let (linktype, workers) = (socket.linktype, shared.workers as u64);
        let Known { database, origin, .. } = &*lease.known;
        let hit_sink = shared.alerts(origin, out, &mut counts.records);
        let mut packet_scan =
            PacketScan { scanner, database, path, is_live: true, reported, hit_sink };
        let max = shared.budget.as_ref().map_or(BATCH, |budget| budget.reserve(BATCH));
        let (mut used, mut late) = (0, 0);
        let outcome = socket.read(max, |time, packet| {
            if time > *until {
                late += 1;
                return;
            }
            let frame = Frame {
                // The numbers of different workers don't overlap.
                number: *seen * workers + *number as u64 + 1,
                time,
                is_timed: true,
                linktype,
                length: packet.header.len,
                data: packet.data,
            };
            *seen += 1;
            used += 1;
            decoder.frame(&frame, &mut packet_scan);
        });
        if let Some(budget) = &shared.budget
            && budget.settle(max, used)
        {
            shared.stop.store(true, Ordering::Relaxed);
        }
        let batch = outcome?;
        of_interface.outside += (batch.early + late) as u64;
        counts.waited = counts.waited.max(batch.waited);
        Ok(batch.packets)
    }

    /// Passes on the encoded alerts.
    fn write(&mut self) {
        if !self.out.is_empty() {
            self.shared.outbox.push(&mut self.out);
        }
    }

    /// Sleeps until there are packets, but not for long.
    fn wait(&self, max: Timespec) {
        let sockets = self.sockets.iter().flatten();
        let mut polled: Vec<PollFd<'_>> = sockets
            .map(|socket| PollFd::from_borrowed_fd(socket.descriptor(), PollFlags::IN))
            .collect();
        // After an interruption other work is checked, and errors of a socket show when it is read.
        let _ = poll(&mut polled, Some(&max));
    }

    fn ask_kernel(&mut self) {
        for (socket, counts) in self.sockets.iter_mut().zip(&mut self.counts.interfaces) {
            if let Some(socket) = socket {
                counts.kernel.add(socket.kernel());
                self.counts.ring_use = self.counts.ring_use.max(socket.ring_use());
            }
        }
    }

    /// Publishes the counts.
    fn publish_counts(&mut self) {
        self.ask_kernel();
        self.counts.packets = self.decoder.counters();
        self.counts.counters.clone_from(self.scanner.counters());
        if let Some(place) = self.shared.published.get(self.number) {
            let mut place = place.lock().unwrap_or_else(PoisonError::into_inner);
            // The thread that reads them resets these two.
            self.counts.waited = self.counts.waited.max(place.waited);
            self.counts.ring_use = self.counts.ring_use.max(place.ring_use);
            place.clone_from(&self.counts);
        }
        (self.counts.waited, self.counts.ring_use) = (Duration::ZERO, 0);
    }
}

/// Encodes alerts as they are found: none of them waits for the end of its flow.
struct Alerts<'a> {
    encoder: &'a Encoder,
    outlet: Option<&'a Mutex<Outlet>>,
    /// The facts of the database that finds them.
    origin: &'a Provenance,
    out: &'a mut Records,
    records: &'a mut u64,
}

impl<'d> HitSink<'d> for Alerts<'_> {
    fn catch(&mut self, hit: Hit<'d>, _: Option<u64>) {
        // The given time is for lines of logs.
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

/// Stops the other workers when a worker panics: they would continue without its packets.
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
        origin: &'a Provenance,
        out: &'a mut Records,
        records: &'a mut u64,
    ) -> Alerts<'a> {
        Alerts { encoder: &self.encoder, outlet: self.outlet.as_ref(), origin, out, records }
    }

    pub(super) fn published_counts(&self, worker: usize) -> Option<MutexGuard<'_, WorkerCounts>> {
        Some(self.published.get(worker)?.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tickets_come_back_until_all_are_used() {
        let budget = PacketBudget::new(10);
        assert_eq!((budget.reserve(8), budget.reserve(8), budget.reserve(8)), (8, 2, 0));
        assert!(!budget.settle(8, 3));
        assert!(!budget.settle(2, 2));
        assert!(!budget.are_spent());
        assert_eq!(budget.reserve(8), 5);
        assert!(budget.settle(5, 5) && budget.are_spent());
        assert_eq!(budget.reserve(8), 0);
    }
}
