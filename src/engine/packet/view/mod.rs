//! Input and output: frames, packets, and what a visitor gets.
//!
//! All of it is borrowed or small and lives on the stack.

mod community;
mod facts;
mod file;
mod flow;
mod frame;
mod packet;
pub(super) mod ports;
mod report;
mod visitor;

pub use community::community_id;
pub(super) use community::conversation;
pub use facts::{MessageFacts, ProtocolFacts};
pub use file::{Attachment, AttachmentSink, FileFacts};
pub use flow::{Close, FlowEnd};
pub use frame::{Frame, Order};
pub use packet::Packet;
pub use ports::Ports;
pub(super) use report::Report;
pub use visitor::Visitor;
