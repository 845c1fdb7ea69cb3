//! Settings of the decoder.

/// Settings of the decoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Whether equal addresses and ports in different VLANs are different flows.
    /// The innermost identifier counts.
    pub flow_by_vlan: bool,
    /// Whether equal addresses and ports in different tunnels are different flows. The outer
    /// addresses count, and the network identifier of VXLAN, GENEVE, ERSPAN or a GRE key.
    pub flow_by_tunnel: bool,
    /// The maximum number of open flows; about 140 bytes each.
    pub max_flows: usize,
    /// Seconds without a packet after which a flow is closed that only one side has sent in.
    pub opening_timeout: u32,
    /// The same for TCP once both sides have.
    pub connected_timeout: u32,
    /// The same for other protocols.
    pub answered_timeout: u32,
    /// The same for TCP that was closed or reset.
    pub ended_timeout: u32,
    /// The maximum number of bytes for TCP streams with state: segments out of order, incomplete
    /// messages, and the state of each stream. Files that arrive in ranges may use a quarter of
    /// it in addition.
    pub max_stream_bytes: usize,
    /// The maximum number of bytes of incomplete QUIC hellos.
    pub max_quic_bytes: usize,
    /// The maximum number of bytes of packets that wait for their other fragments.
    pub max_fragment_bytes: usize,
    /// Seconds that they wait.
    pub fragment_timeout: u32,
    /// Whether data of unknown protocols is reported as text.
    pub unknown_text: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            flow_by_vlan: false,
            flow_by_tunnel: false,
            max_flows: 1 << 20,
            opening_timeout: 60,
            connected_timeout: 600,
            answered_timeout: 120,
            ended_timeout: 10,
            max_stream_bytes: 64 << 20,
            max_quic_bytes: 32 << 20,
            max_fragment_bytes: 8 << 20,
            fragment_timeout: 30,
            unknown_text: false,
        }
    }
}
