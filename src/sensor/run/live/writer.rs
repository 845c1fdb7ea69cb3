//! Writes commits to disk on its own thread.
//!
//! A disk may take many milliseconds for each of the syncs that a commit needs. If the committer
//! waited for them, all workers would soon wait for the committer.

use super::output::Sealed;
use crate::sensor::checkpoint::{CheckpointState, StateDir};
use crate::{Error, Result};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{Builder, JoinHandle};

/// Writes commits, one at a time.
pub(super) struct Writer {
    jobs: Sender<Box<Sealed>>,
    written: Receiver<(Box<Sealed>, Result<()>)>,
    /// `None` if commits are not stored.
    state: Arc<Mutex<Option<StateDir>>>,
    thread: JoinHandle<()>,
    is_busy: bool,
}

impl Writer {
    /// Starts its thread.
    ///
    /// # Errors
    ///
    /// If the thread can't be started.
    pub(super) fn start(state: Option<StateDir>) -> Result<Writer> {
        let state = Arc::new(Mutex::new(state));
        let (jobs, todo) = channel::<Box<Sealed>>();
        let (done, written) = channel();
        let own = Arc::clone(&state);
        let write = move || {
            for mut sealed in todo {
                let mut state = own.lock().unwrap_or_else(PoisonError::into_inner);
                let outcome = sealed.sync().and_then(|()| match &mut *state {
                    Some(state) => state.commit(&sealed.commit),
                    None => Ok(()),
                });
                if done.send((sealed, outcome)).is_err() {
                    return;
                }
            }
        };
        let thread = Builder::new()
            .name("commit".into())
            .spawn(write)
            .map_err(|e| Error::io("start a thread", e))?;
        Ok(Writer { jobs, written, state, thread, is_busy: false })
    }

    /// Begins to write a commit. The one before must have been written.
    pub(super) fn write(&mut self, sealed: Box<Sealed>) {
        // If the thread is gone, `written` reports it.
        let _ = self.jobs.send(sealed);
        self.is_busy = true;
    }

    /// Whether a commit is being written.
    pub(super) fn is_busy(&self) -> bool {
        self.is_busy
    }

    /// The commit that was being written, once that is done, and the outcome.
    ///
    /// # Errors
    ///
    /// If the thread is gone.
    pub(super) fn written(&mut self) -> Result<Option<(Box<Sealed>, Result<()>)>> {
        match self.written.try_recv() {
            Ok(written) => {
                self.is_busy = false;
                Ok(Some(written))
            }
            Err(TryRecvError::Empty) => Ok(None),
            // Only a panic ends it.
            Err(TryRecvError::Disconnected) => {
                Err(Error::usage("commits stopped because of an internal error"))
            }
        }
    }

    /// The committed state, which is empty if commits are not stored. Waits for a commit that is being
    /// written.
    pub(super) fn state(&self) -> CheckpointState {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.as_ref().map(|dir| dir.state().clone()).unwrap_or_default()
    }

    /// Ends the thread after the commit that is being written.
    pub(super) fn end(self) -> Option<StateDir> {
        let Writer { jobs, written, state, thread, .. } = self;
        drop((jobs, written));
        // Pass on a panic of that thread.
        thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        state.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}
