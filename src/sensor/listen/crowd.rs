//! Connections, each in a thread of its own, and no more of them than allowed.

use super::{Connection, Listener};
use crate::sensor::halt::Halt;
use rustix::event::Timespec;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread::{Builder, JoinHandle};

/// Stacks of connections: their buffers are on the heap.
const STACK: usize = 256 << 10;

/// How long an accept that failed is not tried again: 100 ms.
const AFTER_FAILURE: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };

/// How many connections there are.
#[derive(Clone, Debug)]
pub struct Crowd {
    most: usize,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    open: AtomicUsize,
    accepted: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
}

/// What became of those who connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct CrowdCounts {
    /// Connections that are open.
    pub open: usize,
    /// Connections that were taken.
    pub accepted: u64,
    /// Connections that were closed at once, because there were too many.
    pub refused: u64,
    /// Connections that could not be taken: no descriptors, no threads.
    pub failed: u64,
}

impl CrowdCounts {
    /// The counts of both.
    #[must_use]
    pub fn and(self, other: CrowdCounts) -> CrowdCounts {
        CrowdCounts {
            open: self.open + other.open,
            accepted: self.accepted + other.accepted,
            refused: self.refused + other.refused,
            failed: self.failed + other.failed,
        }
    }
}

/// One of them, while it is there.
struct Place(Arc<Shared>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Crowd {
    /// At most so many at a time.
    pub fn new(most: usize) -> Crowd {
        Crowd { most: most.max(1), shared: Arc::default() }
    }

    /// What became of those who connected.
    pub fn counts(&self) -> CrowdCounts {
        let Shared { open, accepted, refused, failed } = &*self.shared;
        CrowdCounts {
            open: open.load(Ordering::Relaxed),
            accepted: accepted.load(Ordering::Relaxed),
            refused: refused.load(Ordering::Relaxed),
            failed: failed.load(Ordering::Relaxed),
        }
    }

    /// Serves a listener until the halt, in a thread that is returned. It ends when all
    /// connections have: they read with the same halt.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn serve(
        &self,
        name: &'static str,
        listener: Listener,
        halt: Halt,
        serve: Arc<dyn Fn(Connection) + Send + Sync>,
    ) -> io::Result<JoinHandle<()>> {
        let crowd = self.clone();
        let accept = move || {
            while !halt.is_set() {
                match listener.accept(&halt) {
                    Ok(Some(connection)) => crowd.enter(name, connection, &serve),
                    Ok(None) => {}
                    Err(_) => {
                        crowd.shared.failed.fetch_add(1, Ordering::Relaxed);
                        let _ = halt.pause(AFTER_FAILURE);
                    }
                }
            }
            drop(listener);
            while crowd.shared.open.load(Ordering::Acquire) > 0 {
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
        };
        Builder::new().name(format!("{name}-accept")).spawn(accept)
    }

    fn enter(
        &self,
        name: &str,
        connection: Connection,
        serve: &Arc<dyn Fn(Connection) + Send + Sync>,
    ) {
        let shared = &self.shared;
        if shared.open.fetch_add(1, Ordering::Relaxed) >= self.most {
            shared.open.fetch_sub(1, Ordering::Relaxed);
            shared.refused.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let place = Place(Arc::clone(shared));
        let serve = Arc::clone(serve);
        let work = move || {
            let _place = place;
            serve(connection);
        };
        let counter = match Builder::new().name(name.to_string()).stack_size(STACK).spawn(work) {
            Ok(_) => &shared.accepted,
            Err(_) => &shared.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
