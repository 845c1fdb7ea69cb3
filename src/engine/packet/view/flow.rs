//! The end of a flow.

use crate::engine::indicator;
use std::net::IpAddr;

/// Why a flow was closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Close {
    /// No packet for longer than its timeout; or both sides have ended it.
    Idle,
    /// A new connection took over its addresses and ports.
    Reused,
    /// The table was full.
    Evicted,
    /// The capture ended.
    Finished,
}

/// A flow that was closed.
#[derive(Clone, Copy, Debug)]
pub struct FlowEnd {
    /// Its identity.
    pub flow_id: u64,
    /// Who opened it.
    pub client: IpAddr,
    /// The other side.
    pub server: IpAddr,
    /// IP protocol number.
    pub proto: u8,
    /// Ports of client and server, or ICMP type and what answers it.
    pub ports: Option<(u16, u16)>,
    /// Its totals.
    pub totals: indicator::Flow,
    /// What [`Visitor::flow_opened`](super::Visitor::flow_opened) returned.
    pub is_wanted: bool,
    /// Why it was closed.
    pub close: Close,
}
