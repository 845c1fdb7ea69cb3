//! What was decoded, and what was not, by reason.

macro_rules! faults {
    ($($(#[$doc:meta])* $variant:ident, $name:literal;)*) => {
        /// Why a packet, or a part of one, could not be looked into.
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
    /// A block of a pcapng file that is of no known kind, or a text that is too long.
    BlockNotRead, "pcapng_block_not_read";
    /// The frame ends inside of its link header.
    LinkCut, "link_truncated";
    /// Not IP: ARP, LLDP, spanning tree, a protocol that is not decoded yet.
    NotIp, "not_ip";
    /// More VLAN tags than are kept of a packet. It is looked into all the same.
    TooManyTags, "too_many_vlan_tags";
    /// The frame ends inside of its IP header.
    IpCut, "ip_truncated";
    /// The IP version is not the one that the link announced.
    IpVersion, "ip_bad_version";
    /// The lengths in the IP header contradict each other.
    IpLength, "ip_bad_length";
    /// More IPv6 extension headers than are followed.
    TooManyExtensions, "ipv6_too_many_extensions";
    /// More headers below IP, or in front of it, than are taken off.
    TooManyLayers, "too_many_layers";
    /// More tunnels in each other than are followed.
    TooManyTunnels, "too_many_tunnels";
    /// An 802.11 frame that is encrypted.
    Encrypted, "wlan_encrypted";
    /// A frame of MACsec that is encrypted, or changed otherwise than by a known cipher.
    MacsecEncrypted, "macsec_encrypted";
    /// A fragment that contradicts its packet, or that makes it too long or too
    /// much in pieces.
    BadFragment, "ip_fragment_malformed";
    /// A packet whose fragments did not all arrive in time.
    FragmentsMissing, "ip_fragments_missing";
    /// A packet whose fragments had to give way to younger ones.
    FragmentsEvicted, "ip_fragments_evicted";
    /// A fragment that covers a part of another one.
    FragmentOverlap, "ip_fragment_overlap";
    /// An overlap in which the bytes differ: somebody tries to be seen differently
    /// here and at the receiver's.
    FragmentConflict, "ip_fragment_conflict";
    /// The packet ends inside of its transport header.
    TransportCut, "transport_truncated";
    /// The lengths in the transport header contradict each other.
    TransportLength, "transport_bad_length";
    /// What an error of ICMP quotes of a packet behind its ports, where that is of TCP or not all
    /// of it.
    QuoteNotRead, "icmp_quote_not_read";
    /// A DNS message on a DNS port that breaks off or contradicts itself.
    BadDns, "dns_malformed";
    /// Bytes of a TCP stream that were not captured, in front of others that were.
    StreamGap, "tcp_gap";
    /// A TCP segment that repeats a part of another one that waits.
    StreamOverlap, "tcp_overlap";
    /// The same, with other bytes: somebody tries to be seen differently here and
    /// at the receiver's.
    StreamConflict, "tcp_conflict";
    /// A TCP stream of which half a message was forgotten to keep the bound on memory.
    StreamEvicted, "tcp_stream_evicted";
    /// A DNS message over TCP whose end did not come.
    SplitDns, "dns_split";
    /// A name with a dot or a control character inside of a label, or a
    /// host with one: as text it would pass for another name.
    OddName, "name_not_printable";
    /// A TLS handshake message whose end did not come, or that is too long.
    SplitTls, "tls_split";
    /// A certificate or a chain of them that can't be read.
    BadTls, "tls_malformed";
    /// A QUIC Initial packet that the keys of its connection don't open, or a hello
    /// in it that does not hold together.
    BadQuic, "quic_not_opened";
    /// Half a hello of QUIC that was forgotten to keep the bound on memory.
    QuicEvicted, "quic_hello_evicted";
    /// An SSH negotiation that contradicts itself.
    BadSsh, "ssh_malformed";
    /// A header of a mail whose end did not come, or that is too long.
    SplitMail, "mail_split";
    /// More multiparts or mails in each other than are followed: read as text.
    DeepMail, "mail_too_deep";
    /// A body that contradicts its content coding.
    BadCoding, "coding_malformed";
    /// A body that unpacks to far more than was sent: a bomb.
    CodingBomb, "coding_bomb";
    /// A body that unpacks to more than there was a credit for, which others had used up.
    CodingSpent, "coding_credit_spent";
    /// A multipart body whose parts are too many, or have heads that are too long.
    BadMultipart, "multipart_malformed";
    /// Ranges of a file that had to give way to others, or that are too much in pieces.
    RangesEvicted, "http_ranges_evicted";
    /// A file of which not all ranges came.
    RangesMissing, "http_ranges_missing";
    /// A file that was moved in ranges too far out of order, or written anew in parts.
    RangesLost, "file_ranges_lost";
    /// A transfer of TFTP that did not come to its end.
    TransferLost, "tftp_incomplete";
    /// An SMB message that contradicts itself.
    BadSmb, "smb_malformed";
    /// An SMB frame that is encrypted or compressed.
    DarkSmb, "smb_encrypted";
    /// A DHCP message that breaks off or contradicts itself.
    BadDhcp, "dhcp_malformed";
    /// An HTTP head whose end did not come, or that is too long.
    SplitHttp, "http_split";
    /// Frames or a header block of HTTP/2 that contradict themselves.
    BadHttp2, "http2_malformed";
    /// A header block of HTTP/2, or a frame's header, whose end did not come.
    SplitHttp2, "http2_split";
    /// Headers of HTTP/2 that refer to others which were not seen.
    UnknownHeader, "http2_header_unknown";
    /// More headers in a block of HTTP/2 than are kept.
    TooManyHeaders, "http2_headers_too_long";
    /// A body in HTTP/2 that is not looked into, for others of its connection are.
    Http2Bodies, "http2_too_many_bodies";
    /// A stream of HTTP/2 through which something else goes.
    Http2Tunnel, "http2_tunnel";
    /// A parser of ours took nothing and changed nothing: what it was at was given up.
    Stuck, "parser_stuck";
}

/// Counts of one decoder, from its beginning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters {
    /// Frames given to the decoder.
    pub frames: u64,
    /// Their bytes on the wire.
    pub bytes: u64,
    /// IP packets among them.
    pub packets: u64,
    /// Flows opened.
    pub flows: u64,
    /// Flows closed before their time because the table was full.
    pub evicted: u64,
    faults: [u64; Fault::ALL.len()],
}

// By hand: arrays of more than 32 have no default.
impl Default for Counters {
    fn default() -> Self {
        let faults = [0; Fault::ALL.len()];
        Counters { frames: 0, bytes: 0, packets: 0, flows: 0, evicted: 0, faults }
    }
}

impl Counters {
    /// How often a fault was met.
    pub fn fault(&self, fault: Fault) -> u64 {
        self.faults[fault as usize]
    }

    /// Every fault that was met, with its count.
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

    /// Counts a fault so many times.
    pub fn count(&mut self, fault: Fault, times: u64) {
        self.faults[fault as usize] += times;
    }

    pub(super) fn note(&mut self, fault: Fault) {
        self.faults[fault as usize] += 1;
    }
}
