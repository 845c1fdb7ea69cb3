//! Connections, each on its own thread, with a limit on their number.

use super::listener::LOOK;
use super::{Connection, Listener};
use crate::clock::Stopwatch;
use crate::sensor::halt::Halt;
use rustix::event::Timespec;
use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};

/// The stack size of connection threads: their buffers are on the heap.
const STACK: usize = 256 << 10;

/// How long to wait after a failed accept: 100 ms.
const AFTER_FAILURE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// Bounds the number of connections, and counts them.
#[derive(Clone, Debug)]
pub struct ConnectionLimiter {
    max: usize,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    open: AtomicUsize,
    accepted: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
    restored: AtomicU64,
    sockets: Mutex<Sockets>,
}

/// What became of socket files that others removed.
#[derive(Debug, Default)]
struct Sockets {
    /// Why a socket can't be created again, by its path.
    troubles: BTreeMap<PathBuf, String>,
    /// What was not reported yet.
    notices: Vec<String>,
}

impl Shared {
    fn sockets(&self) -> MutexGuard<'_, Sockets> {
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts of connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct ConnectionCounts {
    /// Connections that are open.
    pub open: usize,
    /// Connections that were accepted.
    pub accepted: u64,
    /// Connections that were closed at once, because there were too many.
    pub refused: u64,
    /// Connections that could not be accepted: no descriptors, no threads.
    pub failed: u64,
    /// Socket files that others removed, and that were created again.
    pub restored: u64,
}

impl ConnectionCounts {
    /// The sum of both.
    #[must_use]
    pub fn and(self, other: ConnectionCounts) -> ConnectionCounts {
        ConnectionCounts {
            open: self.open + other.open,
            accepted: self.accepted + other.accepted,
            refused: self.refused + other.refused,
            failed: self.failed + other.failed,
            restored: self.restored + other.restored,
        }
    }
}

/// A connection, while it is open.
struct ConnectionGuard(Arc<Shared>);

impl Drop for ConnectionGuard {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ConnectionLimiter {
    /// Allows at most this many at a time.
    pub fn new(max: usize) -> ConnectionLimiter {
        ConnectionLimiter { max: max.max(1), shared: Arc::default() }
    }

    /// The current counts.
    pub fn counts(&self) -> ConnectionCounts {
        let Shared { open, accepted, refused, failed, restored, sockets: _ } = &*self.shared;
        ConnectionCounts {
            open: open.load(Ordering::Relaxed),
            accepted: accepted.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
            failed: failed.load(Ordering::Relaxed),
            restored: restored.load(Ordering::Relaxed),
        }
    }

    /// Why nobody can connect at present, if a socket file is gone and can't be created again.
    pub fn trouble(&self) -> Option<String> {
        self.shared.sockets().troubles.values().next().cloned()
    }

    /// Messages for operators since the last call.
    pub fn take_notices(&self) -> Vec<String> {
        std::mem::take(&mut self.shared.sockets().notices)
    }

    /// Serves a listener until the halt, on a thread that is returned. It ends when all connections
    /// have ended: they read with the same halt.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub fn serve(
        &self,
        name: &'static str,
        mut listener: Listener,
        halt: Halt,
        serve: Arc<dyn Fn(Connection) + Send + Sync>,
    ) -> io::Result<JoinHandle<()>> {
        let limiter = self.clone();
        let accept = move || {
            let mut looked = Stopwatch::start();
            while !halt.is_set() {
                if looked.elapsed() >= LOOK {
                    looked = Stopwatch::start();
                    limiter.restore(&mut listener);
                }
                match listener.accept(&halt) {
                    Ok(Some(connection)) => limiter.enter(name, connection, &serve),
                    Ok(None) => {}
                    Err(_) => {
                        limiter.shared.failed.fetch_add(1, Ordering::Relaxed);
                        let _ = halt.pause(AFTER_FAILURE);
                    }
                }
            }
            drop(listener);
            while limiter.shared.open.load(Ordering::Acquire) > 0 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        };
        Builder::new().name(format!("{name}-accept")).spawn(accept)
    }

    /// Creates the file of a socket again if others removed it, and reports that once.
    fn restore(&self, listener: &mut Listener) {
        let Some(path) = listener.path().map(PathBuf::from) else { return };
        let outcome = listener.restore();
        let mut sockets = self.shared.sockets();
        let Sockets { troubles, notices } = &mut *sockets;
        match outcome {
            Ok(is_restored) => {
                troubles.remove(&path);
                if is_restored {
                    let path = path.display();
                    notices.push(format!("{path}: the socket was removed; it is there again"));
                    self.shared.restored.fetch_add(1, Ordering::Relaxed);
                }
            }
            Err(error) if !troubles.contains_key(&path) => {
                let why = format!("the socket was removed, and nobody can connect: {error}");
                notices.push(why.clone());
                troubles.insert(path, why);
            }
            Err(_) => {}
        }
    }

    fn enter(
        &self,
        name: &str,
        connection: Connection,
        serve: &Arc<dyn Fn(Connection) + Send + Sync>,
    ) {
        let shared = &self.shared;
        if shared.open.fetch_add(1, Ordering::Relaxed) >= self.max {
            shared.open.fetch_sub(1, Ordering::Relaxed);
            shared.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let guard = ConnectionGuard(Arc::clone(shared));
        let serve = Arc::clone(serve);
        let work = move || {
            let _guard = guard;
            serve(connection);
        };
        let counter = match Builder::new().name(name.to_string()).stack_size(STACK).spawn(work) {
            Ok(_) => &shared.accepted,
            Err(_) => &shared.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
