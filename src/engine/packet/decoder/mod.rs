//! Frames in, observables out: the flows, their streams, and who reads what.

mod decode;
mod flow;
pub(super) mod hosts;
mod mailfile;
pub(super) mod split;

pub use decode::Decoder;
pub use mailfile::MailFile;
pub use split::{SHARDS, Shard, Split, Splitter};
