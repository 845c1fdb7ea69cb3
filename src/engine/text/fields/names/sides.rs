//! Which address of a record belongs to which port, according to the words in their
//! names (matching specification, section 8, rule 3).

use super::{MAX_READ, Plain};

/// The side of an address or port in a record. Those of the same side belong
/// together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(in crate::engine::text::fields) struct Side {
    /// A hash of the words in the name, except those for addresses and ports.
    pub(in crate::engine::text::fields) words: u64,
    /// Whether the name is that of a port.
    pub(in crate::engine::text::fields) is_port: bool,
    /// Whether the name is that of an address, or of a side.
    pub(in crate::engine::text::fields) is_known: bool,
}

/// The hash for no side.
pub(in crate::engine::text::fields) const NO_SIDE: u64 = 0xcbf2_9ce4_8422_2325;

/// The side that traffic goes to.
pub(in crate::engine::text::fields) fn destination() -> u64 {
    hash(NO_SIDE, b"dst")
}

/// Names whose words have a different meaning than in others: those of Check Point
/// (`s-port` of the W3C is a server's), those of proxies, and a pair of two kinds.
const ALIASES: &[(&[u8], &[u8])] = &[
    (b"s_port", b"src_port"),
    (b"service", b"dst_port"),
    (b"xlatesport", b"xlatesrc_port"),
    (b"xlatedport", b"xlatedst_port"),
    (b"s-supplier-ip", b"r-ip"),
    (b"s-supplier-name", b"r-ip"),
    (b"r-supplier-ip", b"r-ip"),
    (b"cs-uri-port", b"r-port"),
];

/// Words for a side.
const SIDES: &[&str] = &[
    "src",
    "dst",
    "client",
    "server",
    "local",
    "remote",
    "peer",
    "initiator",
    "responder",
    "foreign",
    "caller",
    "natsrc",
    "natdst",
    "xlatesrc",
    "xlatedst",
];

impl Side {
    /// The side of no words.
    pub(in crate::engine::text::fields) fn none() -> Side {
        Side { words: NO_SIDE, is_port: false, is_known: false }
    }

    /// The side with `name` appended to what preceded it in the path.
    pub(in crate::engine::text::fields) fn with(mut self, name: &[u8]) -> Side {
        let name = ALIASES
            .iter()
            .find_map(|(other, meaning)| name.eq_ignore_ascii_case(other).then_some(*meaning))
            .unwrap_or(name);
        let mut rest = name.get(..name.len().min(MAX_READ)).unwrap_or_default();
        while !rest.is_empty() {
            let len = word_len(rest);
            let word = &rest[..len];
            let is_last = rest[len..].iter().all(|b| !b.is_ascii_alphanumeric());
            self.word(word, is_last);
            rest = &rest[len..];
            while rest.first().is_some_and(|b| !b.is_ascii_alphanumeric()) {
                rest = &rest[1..];
            }
        }
        self
    }

    fn word(&mut self, word: &[u8], is_last: bool) {
        let plain = Plain::of(word);
        let mut word = plain.text();
        match word {
            "sa" => word = "src",
            "da" => word = "dst",
            "sp" | "dp" | "spt" | "dpt" if is_last => {
                self.is_port = true;
                self.is_known = true;
                word = if word.starts_with('s') { "src" } else { "dst" };
            }
            "p" if is_last => {
                self.is_port = true;
                return;
            }
            // `sourceTransportPort`, and `transport` for a translated one.
            "tcp" | "udp" | "transport" if !is_last => return,
            "str" | "num" | "number" | "network" | "layers" | "h" | "l4" | "l3" | "v4" | "v6" => {
                return;
            }
            _ => {}
        }
        loop {
            let ends = ["address", "addr", "ipv4", "ipv6", "ip4", "ip6", "ip", "hostname", "host"];
            if let Some(stem) = ends.iter().find_map(|end| word.strip_suffix(end)) {
                self.is_known = true;
                word = stem;
            } else if let Some(stem) = word.strip_suffix("port") {
                self.is_port = true;
                self.is_known = true;
                word = stem;
            } else {
                break;
            }
        }
        let word = match word {
            "" => return,
            "d" | "dest" | "destination" | "target" => "dst",
            "s" if plain.text().len() > 1 => "src",
            "source" => "src",
            word => word,
        };
        self.is_known |= SIDES.contains(&word);
        self.words = hash(self.words, word.as_bytes());
    }
}

/// The length of the first word: up to a sign, or a capital after a small letter or
/// digit.
fn word_len(name: &[u8]) -> usize {
    let len = name.iter().take_while(|b| b.is_ascii_alphanumeric()).count();
    let word = &name[..len];
    let capital =
        word.windows(2).position(|w| !w[0].is_ascii_uppercase() && w[1].is_ascii_uppercase());
    capital.map_or(len, |at| at + 1)
}

/// A hash of a name, as far as names are read.
pub(in crate::engine::text::fields) fn hash_of(name: &[u8]) -> u64 {
    hash(NO_SIDE, &name[..name.len().min(MAX_READ)])
}

/// FNV-1a over a word and its end.
fn hash(before: u64, word: &[u8]) -> u64 {
    let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    step(word.iter().fold(before, |hash, &byte| step(hash, byte)), 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn side(name: &str) -> Side {
        Side::none().with(name.as_bytes())
    }

    #[test]
    fn addresses_and_their_ports() {
        for (address, port) in [
            ("dest_ip", "dest_port"),
            ("dstip", "dstport"),
            ("dst", "dpt"),
            ("src", "spt"),
            ("SRC", "SPT"),
            ("id.resp_h", "id.resp_p"),
            ("c-ip", "c-port"),
            ("s-ip", "s-port"),
            ("da", "dp"),
            ("sourceIPv4Address", "sourceTransportPort"),
            ("IPV4_DST_ADDR", "L4_DST_PORT"),
            ("RemoteIP", "RemotePort"),
            ("DestinationIp", "DestinationPort"),
            ("transip", "transport"),
            ("ip.dst", "tcp.dstport"),
            ("ip", "port"),
            ("host", "port"),
            ("remote_addr", "remote_port"),
            ("daddr", "dport"),
            ("destinationAddress", "destinationPort"),
            ("source.ip", "source.port"),
            ("RemoteAddressIP4", "RemotePort"),
            ("LocalAddressIP6", "LocalPort"),
            ("src", "s_port"),
            ("dst", "service"),
            ("s-supplier-ip", "r-port"),
            ("r-ip", "r-port"),
            ("xlatedst", "xlatedport"),
            ("Destination Address", "Destination Port"),
            ("Source Network Address", "Source Port"),
            ("Client Address", "Client Port"),
            ("ResponderIP", "ResponderPort"),
        ] {
            let (address, port) = (side(address), side(port));
            assert!(!address.is_port && port.is_port, "{address:?} {port:?}");
            assert_eq!(address.words, port.words, "{address:?} {port:?}");
        }
        assert_eq!(side("dest_ip").words, destination());
        for (one, other) in [
            ("src_ip", "dst_port"),
            ("id.orig_h", "id.resp_p"),
            ("c-ip", "s-port"),
            ("src", "s-port"),
        ] {
            assert_ne!(side(one).words, side(other).words);
        }
        assert!(!side("proto").is_port && !side("dp_ratio").is_port);
    }
}
