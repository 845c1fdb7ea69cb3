//! Frames to IP packets and their payloads: links, IP, fragments, tunnels, transport.
//!
//! Nothing here depends on flows or on protocols above TCP and UDP.

pub(super) mod fragment;
pub(super) mod ip;
pub(super) mod layers;
pub(super) mod link;
pub(super) mod quote;
pub(super) mod transport;
pub(super) mod tunnel;
