//! What was decoded, and what was not, by reason.

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident, $name:literal;)*) => {
        /// Why a packet, or a part of one, could not be decoded.
        ///
        /// A fault never hides what was found before it: a packet with a broken
        /// TCP header still counts for its addresses.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum Fault { $($(#[$doc])* $variant,)* }

        impl Fault {
            /// Every fault.
            pub const ALL: &'static [Fault] = &[$(Fault::$variant,)*];

            /// The name in statistics.
            pub const fn name(self) -> &'static str {
                match self { $(Fault::$variant => $name,)* }
            }
        }
    };
}

faults! {
    /// No decoder for the link type of the interface.
    UnknownLink, "unknown_link_type";
    /// A block of a pcapng file that is of an unknown kind, or a text that is too long.
    BlockNotRead, "pcapng_block_not_read";
    /// The frame ends inside its link header.
    LinkCut, "link_truncated";
    /// Not IP: ARP, LLDP, spanning tree, a protocol that is not decoded yet.
    NotIp, "not_ip";
    /// More VLAN tags than are kept for a packet. It is decoded all the same.
    TooManyTags, "too_many_vlan_tags";
    /// The frame ends inside its IP header.
    IpCut, "ip_truncated";
    /// The IP version is not the one that the link announced.
    IpVersion, "ip_bad_version";
    /// The lengths in the IP header contradict each other.
    IpLength, "ip_bad_length";
    /// More IPv6 extension headers than are followed.
    TooManyExtensions, "ipv6_too_many_extensions";
    /// More headers below or before IP than are removed.
    TooManyLayers, "too_many_layers";
    /// More nested tunnels than are followed.
    TooManyTunnels, "too_many_tunnels";
    /// An 802.11 frame that is encrypted.
    Encrypted, "wlan_encrypted";
    /// A MACsec frame that is encrypted, or changed by an unknown cipher.
    MacsecEncrypted, "macsec_encrypted";
    /// A fragment that contradicts its packet, or that makes it too long or splits it into too
    /// many pieces.
    BadFragment, "ip_fragment_malformed";
    /// A packet whose fragments did not all arrive in time.
    FragmentsMissing, "ip_fragments_missing";
    /// A packet whose fragments were evicted by younger ones.
    FragmentsEvicted, "ip_fragments_evicted";
    /// A fragment that overlaps another one.
    FragmentOverlap, "ip_fragment_overlap";
    /// An overlap with different bytes: an attempt to show this decoder something else than the
    /// receiver.
    FragmentConflict, "ip_fragment_conflict";
    /// The packet ends inside its transport header.
    TransportCut, "transport_truncated";
    /// The lengths in the transport header contradict each other.
    TransportLength, "transport_bad_length";
    /// Bytes after the ports of a packet that an ICMP error quotes: not decoded if they are of
    /// TCP, or incomplete.
    QuoteNotRead, "icmp_quote_not_read";
    /// A DNS message on a DNS port that is truncated or contradicts itself.
    BadDns, "dns_malformed";
    /// Bytes of a TCP stream that were not captured, although later ones were.
    StreamGap, "tcp_gap";
    /// A TCP segment that overlaps one that waits.
    StreamOverlap, "tcp_overlap";
    /// The same with different bytes: an attempt to show this decoder something else than the
    /// receiver.
    StreamConflict, "tcp_conflict";
    /// A TCP stream whose incomplete message was dropped to keep the bound on memory.
    StreamEvicted, "tcp_stream_evicted";
    /// A DNS message over TCP whose end is missing.
    SplitDns, "dns_split";
    /// A name with a dot or a control character inside a label, or a host with one: as text it
    /// would look like another name.
    OddName, "name_not_printable";
    /// A TLS handshake message whose end is missing, or that is too long.
    SplitTls, "tls_split";
    /// A certificate or a chain of certificates that can't be parsed.
    BadTls, "tls_malformed";
    /// A QUIC Initial packet that the keys of its connection don't decrypt, or a malformed hello
    /// in it.
    BadQuic, "quic_not_opened";
    /// An incomplete QUIC hello that was dropped to keep the bound on memory.
    QuicEvicted, "quic_hello_evicted";
    /// An SSH negotiation that contradicts itself.
    BadSsh, "ssh_malformed";
    /// A mail header whose end is missing, or that is too long.
    SplitMail, "mail_split";
    /// Multiparts or mails that are nested deeper than is followed: read as text.
    DeepMail, "mail_too_deep";
    /// A body that contradicts its content coding.
    BadCoding, "coding_malformed";
    /// A body that decompresses to far more than was sent: a bomb.
    CodingBomb, "coding_bomb";
    /// A body that decompresses to more than was left in the budget, which others had used.
    CodingSpent, "coding_credit_spent";
    /// A multipart body with too many parts, or with part headers that are too long.
    BadMultipart, "multipart_malformed";
    /// Ranges of a file that were evicted by others, or that are in too many pieces.
    RangesEvicted, "http_ranges_evicted";
    /// A file whose ranges are incomplete.
    RangesMissing, "http_ranges_missing";
    /// A file that was transferred in ranges too far out of order, or partly overwritten.
    RangesLost, "file_ranges_lost";
    /// A TFTP transfer that did not complete.
    TransferLost, "tftp_incomplete";
    /// An SMB message that contradicts itself.
    BadSmb, "smb_malformed";
    /// An SMB frame that is encrypted or compressed.
    DarkSmb, "smb_encrypted";
    /// A DHCP message that is truncated or contradicts itself.
    BadDhcp, "dhcp_malformed";
    /// An HTTP head whose end is missing, or that is too long.
    SplitHttp, "http_split";
    /// HTTP/2 frames, or a header block, that contradict themselves.
    BadHttp2, "http2_malformed";
    /// An HTTP/2 header block, or a frame header, whose end is missing.
    SplitHttp2, "http2_split";
    /// HTTP/2 headers that refer to others which were not captured.
    UnknownHeader, "http2_header_unknown";
    /// More headers in an HTTP/2 block than are kept.
    TooManyHeaders, "http2_headers_too_long";
    /// An HTTP/2 body that is not decoded, because too many others of its connection are.
    Http2Bodies, "http2_too_many_bodies";
    /// An HTTP/2 stream that tunnels something else.
    Http2Tunnel, "http2_tunnel";
    /// A parser consumed nothing and changed nothing: its current work was abandoned.
    Stuck, "parser_stuck";
}

/// Counts of one decoder since it was created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Frames passed to the decoder.
    pub frames: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// IP packets among them.
    pub packets: u64,
    /// Flows opened.
    pub flows: u64,
    /// Flows closed early because the table was full.
    pub evicted: u64,
    faults: [u64; Fault::ALL.len()],
}

// Written by hand because `Default` is not implemented for arrays of more than 32 elements.
impl Default for Counters {
    fn default() -> Self {
        let faults = [0; Fault::ALL.len()];
        Counters { frames: 0, bytes: 0, packets: 0, flows: 0, evicted: 0, faults }
    }
}

impl Counters {
    /// How often a fault occurred.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }

    /// Every fault that occurred, with its count.
    pub fn faults(&self) -> impl Iterator<Item = (Fault, u64)> {
        Fault::ALL.iter().map(|&fault| (fault, self.fault(fault))).filter(|&(_, count)| count > 0)
    }

    /// Adds the counts of another decoder.
    pub fn add(&mut self, other: &Counters) {
        self.frames += other.frames;
        self.bytes += other.bytes;
        self.packets += other.packets;
        self.flows += other.flows;
        self.evicted += other.evicted;
        for (mine, theirs) in self.faults.iter_mut().zip(other.faults) {
            *mine += theirs;
        }
    }

    /// Counts a fault a number of times.
    pub fn count(&mut self, fault: Fault, times: u64) {
        self.faults[fault as usize] += times;
    }

    pub(super) fn note(&mut self, fault: Fault) {
        self.faults[fault as usize] += 1;
    }
}
