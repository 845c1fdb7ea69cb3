//! What can be chosen.

/// What can be chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether equal addresses and ports in different VLANs are different flows.
    /// The innermost identifier counts.
    pub flow_by_vlan: bool,
    /// Whether equal addresses and ports in different tunnels are different flows.
    /// The outer addresses count, and the network that VXLAN, GENEVE, ERSPAN or a
    /// key of GRE names.
    pub flow_by_tunnel: bool,
    /// The most flows that are kept at a time; about 140 bytes each.
    pub most_flows: usize,
    /// Seconds after which a flow is idle that only one side has spoken in.
    pub opening_timeout: u32,
    /// The same for TCP once both have.
    pub connected_timeout: u32,
    /// The same for other protocols.
    pub answered_timeout: u32,
    /// The same for TCP that was closed or reset.
    pub ended_timeout: u32,
    /// The most bytes of TCP streams of which something must be remembered: segments
    /// out of order, messages that are not whole, and what goes with each stream. A
    /// quarter of it more may go to files that come in ranges.
    pub most_stream_bytes: usize,
    /// The most bytes of hellos of QUIC that are not whole.
    pub most_quic_bytes: usize,
    /// The most bytes of packets that wait for their other fragments.
    pub most_fragment_bytes: usize,
    /// Seconds that they wait.
    pub fragment_timeout: u32,
    /// Whether what is of no known protocol is shown as text.
    pub unknown_text: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            flow_by_vlan: false,
            flow_by_tunnel: false,
            most_flows: 1 << 20,
            opening_timeout: 60,
            connected_timeout: 600,
            answered_timeout: 120,
            ended_timeout: 10,
            most_stream_bytes: 64 << 20,
            most_quic_bytes: 32 << 20,
            most_fragment_bytes: 8 << 20,
            fragment_timeout: 30,
            unknown_text: false,
        }
    }
}
