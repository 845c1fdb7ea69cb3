//! Frames in, observables out: flows, their streams, and the choice of parsers.

mod decode;
mod flow;
pub(super) mod hosts;
mod mailfile;
pub(super) mod split;

pub use decode::Decoder;
pub use flow::SharedFlows;
pub use mailfile::MailFile;
pub use split::{SHARDS, Shard, Split, Splitter};
