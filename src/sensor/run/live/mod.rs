//! Sources that never end: logs that are followed, and whatever else keeps coming.
//!
//! ```text
//! source ──┐ pieces            ┌── worker: scan ──┐ hits          ┌── file, with its length
//!          ├─────── bounded ───┤                  ├── committer ──┤
//! source ──┘                   └── worker: scan ──┘               └── commit: offsets
//!    ▲                                                  │
//!    └────────── what is processed: keep it ────────────┘
//! ```
//!
//! A source has a thread of its own and cuts what comes into pieces. Workers match them, in any
//! order. The committer puts what they found back into each source's order, writes the alerts at
//! once, and makes commits: what is processed of each source, together with the length of the
//! output that holds its alerts. After a crash the output is cut to the length of the last
//! commit and the sources go on where it says, so every line's alerts are in the file exactly
//! once. Only alerts make a commit urgent (within 100 ms); progress over lines without a hit
//! can be made again and shows nothing.
//!
//! Where taking a piece is work by itself, as it is with files, the workers do that, too, by turns:
//! what a thread has read is in its own cache when it is matched. The source's thread finds that
//! there is something to read; then it only keeps up with its files and answers the committer, until
//! all was read.
//!
//! Everything between the threads is bounded. When an output can't be written, the committer
//! waits, then the workers do, then the sources stop reading: files keep what they hold.
//!
//! | file | what it holds |
//! | --- | --- |
//! | `task` | pieces on their way, and what threads tell each other |
//! | `member` | a source as the committer knows it, and what is said to it |
//! | `queue` | what waits for a worker |
//! | `turn` | sources that workers read by turns |
//! | `pool` | the workers |
//! | `source` | [`Source`](source::Source), and the thread that it lives on |
//! | `logs` | logs that are followed, as a source |
//! | `order` | each source's pieces put back in order |
//! | `output` | where alerts go, and what they need for a commit |
//! | `relay` | what becomes of the daemon's alerts |
//! | `sights` | streams that no commit knows |
//! | `writer` | commits on their way to disk |
//! | `committer` | alerts written, progress committed |
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
mod sights;
pub(super) mod source;
mod tail;
pub(super) mod task;
#[cfg(all(test, feature = "daemon"))]
mod tests;
mod turn;
mod writer;

pub use tail::{Logs, Place, tail};
