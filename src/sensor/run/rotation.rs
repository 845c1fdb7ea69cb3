//! Reopens outputs after their files were renamed.
//!
//! Programs that rotate logs rename a file, send SIGHUP to the process that writes it, and expect
//! it to create the file again. A file that is still in its place is left alone.

use super::reload::{ROUND, Stop, StopAtEnd};
use super::{Notice, Notify};
use crate::clock::now;
use crate::engine::alert::Encoder;
use crate::sensor::sink::{Records, Sink};
use crate::{Error, Result};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A flag that SIGHUP sets.
pub(super) fn hangup() -> Result<Arc<AtomicBool>> {
    let flag = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGHUP, Arc::clone(&flag))
        .map_err(|e| Error::io("wait for signals", e))?;
    Ok(flag)
}

/// Reopens an output, with what the format has at a file's end and beginning. Returns whether it is
/// another file.
pub(super) fn open_again(sink: &mut dyn Sink, encoder: &Encoder) -> Result<bool> {
    let (mut end, mut begin) = (Vec::new(), Vec::new());
    encoder.end(now(), &mut end);
    encoder.begin(now(), &mut begin);
    sink.reopen(&end, &begin)
}

/// A sink that is reopened by another thread than the one that writes.
struct SharedSink<'h, 's>(&'h Mutex<&'s mut dyn Sink>);

impl<'s> SharedSink<'_, 's> {
    fn lock(&self) -> MutexGuard<'_, &'s mut dyn Sink> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Sink for SharedSink<'_, '_> {
    fn write(&mut self, records: &Records) -> Result<()> {
        self.lock().write(records)
    }

    fn flush(&mut self) -> Result<()> {
        self.lock().flush()
    }
}

/// Runs `work` while SIGHUP reopens the sink, if it is to.
///
/// # Errors
///
/// If signals cannot be waited for, or the thread cannot be started.
pub(super) fn while_rotated<T>(
    sink: &mut dyn Sink,
    is_rotated: bool,
    encoder: &Encoder,
    notify: Notify<'_>,
    work: impl FnOnce(&mut dyn Sink) -> T,
) -> Result<T> {
    if !is_rotated {
        return Ok(work(sink));
    }
    let hangup = hangup()?;
    let sink = Mutex::new(sink);
    let stop = Stop::default();
    std::thread::scope(|scope| {
        let _guard = StopAtEnd(&stop);
        let watch = || {
            while !stop.wait(ROUND) {
                if hangup.swap(false, Ordering::Relaxed)
                    && let Err(error) = open_again(&mut **SharedSink(&sink).lock(), encoder)
                {
                    notify(Notice::Failed(&error));
                }
            }
        };
        let name = "rotate-output".to_string();
        std::thread::Builder::new()
            .name(name)
            .spawn_scoped(scope, watch)
            .map_err(|e| Error::io("start the thread that reopens the output", e))?;
        Ok(work(&mut SharedSink(&sink)))
    })
}
