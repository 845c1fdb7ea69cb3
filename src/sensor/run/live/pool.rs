//! The workers: each matches a piece at a time.

use super::task::{Done, Message, Task};
use crate::engine::indicator::Place;
use crate::engine::scan::{Counters, Options, Origin, Scanner};
use crate::sensor::run::Current;
use crate::sensor::run::reload::Lease;
use crate::sensor::run::scan::ChunkHits;
use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};

/// Matches pieces until no source has any more; returns what was counted.
pub(super) fn work(
    current: &Current,
    options: Options,
    tasks: &Mutex<Receiver<Task>>,
    done: &SyncSender<Message>,
) -> Counters {
    let mut scanner = Scanner::new(options);
    let mut lease = Lease::new(current);
    loop {
        // The lock is held while waiting: one worker waits for a piece, the others for the lock.
        let next = tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(task) = next else { break };
        lease.renew(current);
        let hits = matched(&mut scanner, &lease, &task);
        if done.send(Message::Done(Box::new(Done { task, hits }))).is_err() {
            break;
        }
    }
    scanner.take_counters()
}

/// The hits of a piece, with their places in the stream.
fn matched(scanner: &mut Scanner, lease: &Lease, task: &Task) -> ChunkHits {
    let piece = &task.piece;
    let origin = Origin {
        path: Arc::clone(&piece.path),
        layout: task.layout.clone(),
        offset: piece.offset,
        read_at: task.read_at,
    };
    let lines = piece.line.map(|line| line.saturating_sub(1));
    ChunkHits::new(Arc::clone(&lease.known), |known| {
        let mut hits = Vec::new();
        let text = &piece.bytes[..];
        scanner.scan_text(&known.database, text, 0..text.len(), &origin, |mut hit| {
            if let Place::Log(place) = &mut hit.place {
                // Unknown for all where that of the first one is.
                place.line = lines.map_or(0, |lines| place.line + lines);
                // Wide characters take more bytes in the file than in the text.
                let at = usize::try_from(place.offset - piece.offset).unwrap_or(usize::MAX);
                place.offset = piece.offset_of(at);
            }
            hits.push(hit);
        });
        hits
    })
}
