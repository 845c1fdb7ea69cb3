//! What receivers share: the queue to the matching thread, counters, and the way back.

use super::Batch;
use crate::clock::Stopwatch;
use crate::sensor::halt::{Halt, Stopper};
use crate::sensor::listen::{ConnectionCounts, ConnectionLimiter};
use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// The maximum number of waiting batches. When the queue is full, connections are not read, HEC
/// clients are asked to retry, and datagrams are dropped by the kernel and counted.
pub const QUEUE: usize = 32;

/// How long nothing more is reported about a kind of event, after a report: a sender that is broken
/// repeats itself. All events are counted.
const QUIET: Duration = Duration::from_secs(60);

macro_rules! counts {
    ($($(#[$doc:meta])* $variant:ident, $name:literal;)*) => {
        /// The counters of a network input.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[repr(usize)]
        pub enum Count { $($(#[$doc])* $variant,)* }

        impl Count {
            /// All counters.
            pub const ALL: &'static [Count] = &[$(Count::$variant,)*];

            /// The name in reports.
            pub const fn name(self) -> &'static str {
                match self { $(Count::$variant => $name,)* }
            }
        }
    };
}

counts! {
    /// Messages, entries, events: the sender's units.
    Records, "records";
    /// Lines that were passed on. A record may have several.
    Lines, "lines";
    /// Their bytes.
    Bytes, "bytes";
    /// Datagrams that were received.
    Datagrams, "datagrams";
    /// Datagrams that the kernel dropped, because the sensor was too slow.
    DroppedDatagrams, "dropped_datagrams";
    /// Records without an end, because the sender disconnected.
    Cut, "cut";
    /// Records that were cut because they were too long.
    Oversize, "oversize";
    /// Connections that ended because of an implausible length.
    InvalidCounts, "absurd_counts";
    /// Connections that ended with an error, in TLS or below.
    BrokenConnections, "broken_connections";
    /// Requests with a wrong token, or without one.
    Unauthorized, "unauthorized";
    /// Requests that were refused: of no known form.
    BadRequests, "bad_requests";
    /// Requests that were rejected temporarily, because the queue was full.
    Busy, "busy";
    /// Starts of a program, or of a client, after the first.
    Restarts, "restarts";
    /// Records without a value: tombstones.
    Empty, "empty_records";
    /// Records, or batches of them, that could not be decoded.
    Unreadable, "unreadable_records";
    /// Records that the broker deleted before they were read.
    Expired, "expired_records";
    /// Assignments and revocations of partitions.
    Rebalances, "rebalances";
    /// Sockets for datagrams that others removed, and that were bound again.
    RestoredSockets, "restored_sockets";
}

/// What a network input returns.
#[derive(Debug)]
pub enum Next {
    /// Lines.
    Batch(Batch),
    /// None arrived in time.
    Nothing,
    /// None will come.
    Ended,
}

/// A running network input: threads that receive, and a queue.
#[derive(Debug)]
pub struct NetInput {
    batches: Receiver<Batch>,
    last: u64,
    shared: Arc<Shared>,
    stopper: Option<Stopper>,
    threads: Vec<JoinHandle<()>>,
    pub(super) limiters: Vec<ConnectionLimiter>,
    pub(super) addresses: Vec<std::net::SocketAddr>,
}

/// The observable state of a network input. It needs no lock that is held while
/// waiting for a batch.
#[derive(Clone, Debug)]
pub struct NetInputView {
    shared: Arc<Shared>,
    limiters: Vec<ConnectionLimiter>,
    addresses: Vec<std::net::SocketAddr>,
}

impl NetInputView {
    /// See [`NetInput::count`].
    pub fn count(&self, of: Count) -> u64 {
        self.shared.get(of)
    }

    /// See [`NetInput::connections`].
    pub fn connections(&self) -> ConnectionCounts {
        connections(&self.limiters)
    }

    /// See [`NetInput::addresses`].
    pub fn addresses(&self) -> &[std::net::SocketAddr] {
        &self.addresses
    }

    /// See [`NetInput::trouble`].
    pub fn trouble(&self) -> Option<String> {
        self.shared.trouble().or_else(|| self.limiters.iter().find_map(ConnectionLimiter::trouble))
    }

    /// Socket files that others removed, and that were created again.
    pub fn sockets_restored(&self) -> u64 {
        self.connections().restored + self.shared.get(Count::RestoredSockets)
    }

    /// The partitions of Kafka's topics that are assigned to this process.
    pub fn partitions(&self) -> Vec<PartitionView> {
        self.shared.partitions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn connections(limiters: &[ConnectionLimiter]) -> ConnectionCounts {
    limiters
        .iter()
        .map(ConnectionLimiter::counts)
        .fold(ConnectionCounts::default(), ConnectionCounts::and)
}

#[derive(Debug)]
pub(super) struct Shared {
    counts: [AtomicU64; Count::ALL.len()],
    /// All batches up to this one are safe.
    safe: AtomicU64,
    /// Whether the network input was dropped: nothing more becomes safe.
    is_gone: AtomicBool,
    trouble: Mutex<Option<String>>,
    notices: Mutex<Notices>,
    partitions: Mutex<Vec<PartitionView>>,
}

/// Messages for operators that were not taken yet.
#[derive(Debug, Default)]
struct Notices {
    waiting: Vec<String>,
    /// When the last one of each kind was added.
    last: Vec<(&'static str, Stopwatch)>,
}

impl Notices {
    /// Adds a message about a kind of event, unless there was one lately.
    fn add(&mut self, of: &'static str, text: impl FnOnce() -> String) {
        match self.last.iter_mut().find(|(kind, _)| *kind == of) {
            Some((_, since)) if since.elapsed() < QUIET => return,
            Some((_, since)) => *since = Stopwatch::start(),
            None => self.last.push((of, Stopwatch::start())),
        }
        self.waiting.push(text());
    }
}

/// A partition of a Kafka topic that is assigned to this process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PartitionView {
    /// The topic.
    pub topic: String,
    /// The number of the partition.
    pub partition: i32,
    /// The offset of the next record that is not committed; `None` before the first.
    pub offset: Option<i64>,
    /// Records that are not committed; `None` if unknown.
    pub lag: Option<u64>,
}

/// The sending end, for the threads of a network input.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    batches: SyncSender<Batch>,
    shared: Arc<Shared>,
    pub(super) halt: Halt,
}

impl NetInput {
    /// A network input without threads, and its sending end.
    pub(super) fn new() -> Result<(NetInput, Outgoing)> {
        let (sender, batches) = sync_channel(QUEUE);
        let (halt, stopper) = Halt::new().map_err(|e| Error::io("open a pair of sockets", e))?;
        let shared = Arc::new(Shared {
            counts: std::array::from_fn(|_| AtomicU64::new(0)),
            safe: AtomicU64::new(0),
            is_gone: AtomicBool::new(false),
            trouble: Mutex::new(None),
            notices: Mutex::default(),
            partitions: Mutex::default(),
        });
        let outgoing = Outgoing { batches: sender, shared: Arc::clone(&shared), halt };
        let net_input = NetInput {
            batches,
            last: 0,
            shared,
            stopper: Some(stopper),
            threads: Vec::new(),
            limiters: Vec::new(),
            addresses: Vec::new(),
        };
        Ok((net_input, outgoing))
    }

    /// Starts a receiving thread.
    pub(super) fn start(&mut self, name: &str, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = Builder::new().name(name.to_string()).spawn(work);
        self.threads.push(thread.map_err(|e| Error::io("start a thread", e))?);
        Ok(())
    }

    pub(super) fn adopt(&mut self, thread: JoinHandle<()>) {
        self.threads.push(thread);
    }

    /// The next batch; waits at most `max`.
    pub fn next(&mut self, max: Duration) -> Next {
        match self.batches.recv_timeout(max) {
            Ok(mut batch) => {
                self.last += 1;
                batch.position = self.last;
                batch.publish_position();
                Next::Batch(batch)
            }
            Err(RecvTimeoutError::Timeout) => Next::Nothing,
            Err(RecvTimeoutError::Disconnected) => Next::Ended,
        }
    }

    /// Marks all batches up to this position as safe: their results can no longer be lost. Clients
    /// that ask for acknowledgements get them now.
    pub fn safe(&self, position: u64) {
        self.shared.safe.fetch_max(position, Ordering::Release);
    }

    /// How often something happened.
    pub fn count(&self, of: Count) -> u64 {
        self.shared.get(of)
    }

    /// The connections, if there are any.
    pub fn connections(&self) -> ConnectionCounts {
        connections(&self.limiters)
    }

    /// The addresses that it listens on, if they have a port.
    pub fn addresses(&self) -> &[std::net::SocketAddr] {
        &self.addresses
    }

    /// What is wrong at present, as text; `None` if nothing is.
    pub fn trouble(&self) -> Option<String> {
        self.view().trouble()
    }

    /// Messages for operators since the last call.
    pub fn take_notices(&self) -> Vec<String> {
        let mut notices = self.shared.notices().waiting.split_off(0);
        notices.extend(self.limiters.iter().flat_map(ConnectionLimiter::take_notices));
        notices
    }

    /// Its observable state, while one thread takes its batches.
    pub fn view(&self) -> NetInputView {
        let (shared, limiters) = (Arc::clone(&self.shared), self.limiters.clone());
        NetInputView { shared, limiters, addresses: self.addresses.clone() }
    }

    /// Stops receiving. What was received is still available: call [`NetInput::next`] until it
    /// returns the end.
    pub fn stop(&mut self) {
        if let Some(stopper) = self.stopper.take() {
            stopper.stop();
        }
    }
}

impl Drop for NetInput {
    fn drop(&mut self) {
        self.shared.is_gone.store(true, Ordering::Release);
        self.stop();
        // Threads that wait for room in the queue get an error instead.
        let (_, disconnected) = sync_channel(0);
        self.batches = disconnected;
        for thread in self.threads.drain(..) {
            // A panic was reported where it happened.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn trouble(&self) -> Option<String> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_trouble(&self, what: Option<String>) {
        *self.trouble.lock().unwrap_or_else(PoisonError::into_inner) = what;
    }

    fn notices(&self) -> MutexGuard<'_, Notices> {
        self.notices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_safe(&self, ticket: &AtomicU64) -> bool {
        let position = ticket.load(Ordering::Acquire);
        position > 0 && position <= self.safe.load(Ordering::Acquire)
    }

    pub(super) fn get(&self, of: Count) -> u64 {
        self.counts.get(of as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    pub(super) fn add(&self, of: Count, more: u64) {
        if let Some(count) = self.counts.get(of as usize) {
            count.fetch_add(more, Ordering::Relaxed);
        }
    }
}

/// What a thread still needs after it has sent its last batch.
#[cfg(feature = "kafka")]
#[derive(Clone, Debug)]
pub(super) struct InputHandle(Arc<Shared>);

#[cfg(feature = "kafka")]
impl InputHandle {
    pub(super) fn count(&self, of: Count, more: u64) {
        self.0.add(of, more);
    }

    pub(super) fn trouble(&self, what: Option<String>) {
        self.0.set_trouble(what);
    }

    /// Whether the batch with this ticket is safe.
    pub(super) fn is_safe(&self, ticket: &AtomicU64) -> bool {
        self.0.is_safe(ticket)
    }

    /// Whether nothing more becomes safe.
    pub(super) fn is_gone(&self) -> bool {
        self.0.is_gone.load(Ordering::Acquire)
    }

    pub(super) fn show(&self, partitions: Vec<PartitionView>) {
        *self.0.partitions.lock().unwrap_or_else(PoisonError::into_inner) = partitions;
    }
}

impl Outgoing {
    #[cfg(feature = "kafka")]
    pub(super) fn handle(&self) -> InputHandle {
        InputHandle(Arc::clone(&self.shared))
    }

    pub(super) fn count(&self, of: Count, more: u64) {
        self.shared.add(of, more);
    }

    /// Counts something that operators should know about, and has it reported: at most once a minute
    /// for each kind.
    pub(super) fn report(&self, of: Count, text: impl FnOnce() -> String) {
        self.count(of, 1);
        self.shared.notices().add(of.name(), text);
    }

    /// Sets what is wrong, and has it reported.
    pub(super) fn report_trouble(&self, what: String) {
        self.shared.notices().add("trouble", || what.clone());
        self.shared.set_trouble(Some(what));
    }

    /// Sets or clears what is wrong.
    pub(super) fn trouble(&self, what: Option<String>) {
        self.shared.set_trouble(what);
    }

    /// Passes a batch on, waiting for room. Returns whether it was taken.
    pub(super) fn send(&self, batch: Batch) -> bool {
        if batch.is_empty() && batch.cursor.is_none() {
            return true;
        }
        self.note(&batch);
        self.batches.send(batch).is_ok()
    }

    /// Passes a batch on if there is room within `max`; otherwise returns it.
    pub(super) fn send_within(&self, mut batch: Batch, max: Duration) -> Option<Batch> {
        /// How long to wait before checking again.
        const ROUND: Duration = Duration::from_millis(10);
        let (lines, bytes) = (batch.lines.len() as u64, batch.bytes.len() as u64);
        let watch = Stopwatch::start();
        loop {
            match self.batches.try_send(batch) {
                Ok(()) => {
                    self.count(Count::Lines, lines);
                    self.count(Count::Bytes, bytes);
                    return None;
                }
                Err(TrySendError::Full(back)) if watch.elapsed() < max && !self.halt.is_set() => {
                    batch = back;
                    std::thread::sleep(ROUND);
                }
                Err(TrySendError::Full(back) | TrySendError::Disconnected(back)) => {
                    return Some(back);
                }
            }
        }
    }

    fn note(&self, batch: &Batch) {
        self.count(Count::Lines, batch.lines.len() as u64);
        self.count(Count::Bytes, batch.bytes.len() as u64);
    }

    /// Whether the batch with this ticket is safe.
    pub(super) fn is_safe(&self, ticket: &AtomicU64) -> bool {
        self.shared.is_safe(ticket)
    }
}
