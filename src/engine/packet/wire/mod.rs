//! Frames to IP packets, and to what they carry: links, IP, fragments, tunnels, transport.
//!
//! Nothing here knows a flow or a protocol above TCP and UDP.

pub(super) mod fragment;
pub(super) mod ip;
pub(super) mod layers;
pub(super) mod link;
pub(super) mod quote;
pub(super) mod transport;
pub(super) mod tunnel;
