//! Sources that never end: followed logs, and everything else that keeps coming.
//!
//! ```text
//! source ──┐ pieces            ┌── worker: scan ──┐ hits          ┌── file, with its length
//!          ├─────── bounded ───┤                  ├── committer ──┤
//! source ──┘                   └── worker: scan ──┘               └── commit: offsets
//!    ▲                                                  │
//!    └────────── what is processed: keep it ────────────┘
//! ```
//!
//! A source has its own thread and cuts its input into pieces. Workers match them, in any order.
//! The committer restores each source's order, writes the alerts at once, and makes commits: how
//! much of each source is processed, together with the length of the output that holds its alerts.
//! After a crash the output is cut to the length of the last commit and the sources resume where it
//! says, so every line's alerts are in the file exactly once. Only alerts make a commit urgent
//! (within 100 ms); progress over lines without a hit can be repeated without any visible effect.
//!
//! Where taking a piece is work in itself, as with files, the workers do that too, taking turns:
//! what a thread has read is in its own cache when it matches it. The source's thread waits until
//! there is something to read; from then on it only keeps up with its files and answers the
//! committer, until everything has been read.
//!
//! Everything between the threads is bounded. When an output can't be written, the committer waits,
//! then the workers, and then the sources stop reading: the data stays in the files.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `task` | pieces to be matched, and messages between threads |
//! | `member` | a source as the committer knows it, and the commands sent to it |
//! | `queue` | what is waiting for a worker |
//! | `turn` | sources that workers take turns reading |
//! | `pool` | the workers |
//! | `source` | [`Source`](source::Source), and the thread that runs it |
//! | `logs` | followed logs, as a source |
//! | `order` | restores the order of each source's pieces |
//! | `output` | where alerts go, and what a commit needs to know about it |
//! | `relay` | the path of the daemon's alerts to its sinks |
//! | `uncommitted` | streams that are not in any commit yet |
//! | `writer` | writes commits to disk on its own thread |
//! | `committer` | writes alerts and commits progress |
//! | `tail` | [`tail()`]: the job |

pub(super) mod committer;
pub(super) mod logs;
pub(super) mod member;
mod order;
pub(super) mod output;
pub(super) mod pool;
pub(super) mod queue;
#[cfg(feature = "daemon")]
pub(super) mod relay;
pub(super) mod source;
mod tail;
pub(super) mod task;
#[cfg(all(test, feature = "daemon"))]
mod tests;
mod turn;
mod uncommitted;
mod writer;

pub use tail::{Logs, TailOutput, tail};
