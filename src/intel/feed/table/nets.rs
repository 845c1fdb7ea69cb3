//! Networks in several columns or members of a table or record: a first and a last
//! address, or an address with the length or mask of its prefix.

use crate::engine::indicator::guess::{Guess, guess};
use crate::engine::indicator::{Scope, address, refang::refang};
use crate::intel::feed::contexts::is_nothing;
use ipnet::IpNet;
use std::net::IpAddr;

/// The part of a network that a column contains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::intel::feed) enum Part {
    /// The first address.
    Start,
    /// The last address.
    End,
    /// The length of the prefix, or its mask.
    Length,
}

/// The position of a column that is not known yet.
pub(in crate::intel::feed) const NOWHERE: usize = usize::MAX;

/// The columns that form a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::intel::feed) struct Nets {
    pub(in crate::intel::feed) start: usize,
    pub(in crate::intel::feed) end: Option<usize>,
    pub(in crate::intel::feed) length: Option<usize>,
    /// Whether their names have other meanings, so that every row must make sense.
    pub(in crate::intel::feed) is_unsure: bool,
    /// Whether the length may be a number of addresses, by its name.
    pub(in crate::intel::feed) is_size: bool,
    /// Whether it is one, according to the rows.
    pub(in crate::intel::feed) is_count: bool,
}

impl Nets {
    /// A network that begins in this column, still without an end.
    pub(in crate::intel::feed) const fn from(start: usize) -> Nets {
        Nets { start, end: None, length: None, is_unsure: false, is_size: false, is_count: false }
    }

    /// The columns that are known.
    pub(in crate::intel::feed) fn columns(self) -> impl Iterator<Item = usize> {
        let columns = [Some(self.start), self.end, self.length];
        columns.into_iter().flatten().filter(|at| *at != NOWHERE)
    }

    /// The text of the network that these cells form, as in [`text`].
    pub(in crate::intel::feed) fn text(
        self,
        start: &str,
        end: &str,
        length: &str,
    ) -> Option<String> {
        if self.is_size && is_nothing(end.trim()) {
            let is_v6 = start.contains(':');
            let count: Option<u64> = length.trim().parse().ok();
            let longest = if is_v6 { 128 } else { 32 };
            if let Some(count) = count.filter(|count| self.is_count || *count > longest) {
                return counted(start, count);
            }
        }
        text(start, end, length)
    }
}

/// The network of `count` addresses, as registries write it.
fn counted(start: &str, count: u64) -> Option<String> {
    let start = refang(start.trim());
    let more = count.checked_sub(1)?;
    let end = match address::parse_ip(&start).ok()? {
        IpAddr::V4(v4) => IpAddr::V4(v4.to_bits().checked_add(u32::try_from(more).ok()?)?.into()),
        IpAddr::V6(v6) => IpAddr::V6(v6.to_bits().checked_add(more.into())?.into()),
    };
    Some(format!("{start}-{end}"))
}

/// The meaning of a name (squeezed) that has only one.
pub(in crate::intel::feed) fn by_name(name: &str) -> Option<Part> {
    Some(match name {
        "start" | "starting" | "startingip" | "startingaddress" | "lo" | "min" | "ip1"
        | "ip4start" | "route" | "startip" | "ipstart" | "startaddress" | "startipaddress"
        | "startaddr" | "first" | "firstip" | "firstaddress" | "firstaddr" | "ipfirst" | "from"
        | "fromip" | "ipfrom" | "begin" | "beginip" | "rangestart" | "startrange"
        | "iprangestart" | "rangebegin" | "rangefrom" | "netstart" | "networkstart" | "low"
        | "lowip" | "iplow" | "lower" | "networkaddress" | "netaddress" | "baseaddress"
        | "base" | "baseip" | "block" | "netblock" | "ipblock" | "basenet" | "basenetwork"
        | "networkbase" | "prefixbase" | "ipbase" => Part::Start,
        "end" | "ending" | "endingip" | "endingaddress" | "hi" | "max" | "ip2" | "ip4end"
        | "endip" | "ipend" | "endaddress" | "endipaddress" | "endaddr" | "last" | "lastip"
        | "lastaddress" | "lastaddr" | "iplast" | "to" | "toip" | "ipto" | "stop" | "rangeend"
        | "endrange" | "iprangeend" | "rangeto" | "netend" | "networkend" | "high" | "highip"
        | "iphigh" | "upper" | "broadcast" | "broadcastaddress" => Part::End,
        "netmask" | "mask" | "subnetmask" | "networkmask" | "ipmask" | "prefixlen"
        | "prefixlength" | "masklen" | "masklength" | "netbits" | "maskbits" | "netmaskbits"
        | "bits" | "slash" | "wildcard" | "wildcardmask" | "hostmask" | "inversemask" | "plen"
        | "cidrlen" | "netlen" | "netsize" | "blocksize" => Part::Length,
        _ => return None,
    })
}

/// The meaning of several words (lower case, singular) in any order: `start of
/// range`, `min ip`, `dotted netmask`.
pub(in crate::intel::feed) fn by_words(words: &[String]) -> Option<Part> {
    // Words that do not change the meaning.
    const IDLE: &[&str] = &[
        "ip", "ipv4", "ipv6", "address", "addr", "range", "net", "network", "subnet", "block",
        "of", "the", "cidr", "prefix", "in",
    ];
    const PARTS: &[(Part, &[&str])] = &[
        (
            Part::Start,
            &[
                "start",
                "starting",
                "lo",
                "begin",
                "beginning",
                "first",
                "from",
                "low",
                "lower",
                "lowest",
                "min",
                "minimum",
                "base",
            ],
        ),
        (
            Part::End,
            &[
                "end", "ending", "hi", "last", "to", "stop", "high", "higher", "upper", "highest",
                "max", "maximum",
            ],
        ),
        (
            Part::Length,
            &[
                "netmask",
                "mask",
                "length",
                "len",
                "bit",
                "suffix",
                "slash",
                "masklen",
                "prefixlen",
                "dotted",
                "dot",
                "wildcard",
                "inverse",
                "size",
            ],
        ),
    ];
    // Single words are up to `by_name`.
    if words.len() < 2 {
        return None;
    }
    PARTS.iter().find_map(|(part, names)| {
        let is_of = |word: &String| names.contains(&&**word);
        let is_all = words.iter().all(|word| is_of(word) || IDLE.contains(&&**word));
        (is_all && words.iter().any(is_of)).then_some(*part)
    })
}

/// Whether a name can also mean a whole network.
pub(in crate::intel::feed) fn may_be_length(name: &str) -> bool {
    by_name(name) == Some(Part::Length)
        || matches!(name, "prefix" | "cidr" | "length" | "len" | "subnet")
        || is_size(name)
}

/// Whether a name means the number of addresses or the length of the prefix.
pub(in crate::intel::feed) fn is_size(name: &str) -> bool {
    matches!(
        name,
        "size"
            | "count"
            | "addresses"
            | "ipcount"
            | "addresscount"
            | "numips"
            | "numaddresses"
            | "netsize"
            | "blocksize"
            | "networksize"
            | "prefixsize"
            | "hosts"
            | "numhosts"
    )
}

/// Whether flows and mails use this name, too.
pub(in crate::intel::feed) fn is_unsure(name: &str) -> bool {
    matches!(
        name,
        "lo" | "hi"
            | "min"
            | "max"
            | "ip1"
            | "ip2"
            | "from"
            | "fromip"
            | "ipfrom"
            | "to"
            | "toip"
            | "ipto"
            | "length"
            | "len"
            | "block"
    ) || is_size(name)
}

/// The text of the network, as a list would have it: `a-b`, `a/24`, or only `a`.
/// `None` if the first is not an address, or the others do not make it a network.
pub(in crate::intel::feed) fn text(start: &str, end: &str, length: &str) -> Option<String> {
    let (start, end) = (refang(start.trim()), refang(end.trim()));
    let length = length.trim().trim_start_matches('/');
    // The length may follow the address as well: `203.0.113.0/24`, `24`.
    let bare = match start.split_once('/') {
        Some((bare, own)) if own.trim() == length || address::parse_mask(length).is_some() => bare,
        _ => &start,
    };
    address::parse_ip(bare).ok()?;
    if !is_nothing(&end) {
        address::parse_ip(&end).ok()?;
        return Some(format!("{bare}-{end}"));
    }
    if is_nothing(length) {
        return Some(bare.to_string());
    }
    let is_length = length.len() <= 3 && length.bytes().all(|b| b.is_ascii_digit());
    (is_length || address::parse_mask(length).is_some()).then(|| format!("{bare}/{length}"))
}

/// Whether a row is certainly a network: aligned, or a short range. Other tables
/// contain two addresses or a small number, too.
pub(in crate::intel::feed) fn is_plausible(text: &str) -> bool {
    match guess(text, Scope::Exact) {
        Ok(Guess::Nets(nets)) => match nets[..] {
            [_] => true,
            _ => is_near(text),
        },
        Ok(Guess::One(..)) => text.split_once('/').is_none_or(|(address, length)| {
            let first = address::parse_ip(address).ok();
            let net = address::parse_net(text).ok();
            net.map(|net| net.network()) == first && length != "0"
        }),
        Err(_) => false,
    }
}

/// Whether a range ends before it begins.
pub(in crate::intel::feed) fn is_reversed(range: &str) -> bool {
    let Some((from, to)) = range.split_once('-') else { return false };
    match (address::parse_ip(from), address::parse_ip(to)) {
        (Ok(IpAddr::V4(a)), Ok(IpAddr::V4(b))) => a > b,
        (Ok(IpAddr::V6(a)), Ok(IpAddr::V6(b))) => a > b,
        _ => false,
    }
}

/// Whether a text is one network and starts at its first address.
pub(in crate::intel::feed) fn is_aligned(text: &str) -> bool {
    match guess(text, Scope::Exact) {
        Ok(Guess::Nets(nets)) => nets.len() == 1 && is_wide(nets[0]),
        _ => is_network(text) && is_plausible(text),
    }
}

/// Whether both ends share the first half of a network's usual length.
fn is_near(range: &str) -> bool {
    let Some((from, to)) = range.split_once('-') else { return false };
    match (address::parse_ip(from), address::parse_ip(to)) {
        (Ok(IpAddr::V4(a)), Ok(IpAddr::V4(b))) => a.to_bits() >> 16 == b.to_bits() >> 16,
        (Ok(IpAddr::V6(a)), Ok(IpAddr::V6(b))) => a.to_bits() >> 96 == b.to_bits() >> 96,
        _ => false,
    }
}

/// Whether a text is a network, or the networks of a range, and not a single
/// address.
pub(in crate::intel::feed) fn is_network(text: &str) -> bool {
    match guess(text, Scope::Exact) {
        Ok(Guess::Nets(_)) => true,
        Ok(Guess::One(_, crate::engine::indicator::Value::Net(net), _)) => {
            is_wide(net) || text.contains('/')
        }
        _ => false,
    }
}

/// Whether a network has more than one address.
fn is_wide(net: IpNet) -> bool {
    net.prefix_len() < net.max_prefix_len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn address_and_mask_are_joined() {
        for (start, end, length, want) in [
            ("203.0.113.0", "203.0.113.255", "24", Some("203.0.113.0-203.0.113.255")),
            ("203.0.113.0", "", "24", Some("203.0.113.0/24")),
            ("203.0.113.0", "-", "/24", Some("203.0.113.0/24")),
            ("203.0.113.0", "", "255.255.255.0", Some("203.0.113.0/255.255.255.0")),
            ("2001:db8::", "", "32", Some("2001:db8::/32")),
            ("203.0.113[.]0", "", "", Some("203.0.113.0")),
            ("203.0.113.0", "2026-11-01", "24", None),
            ("203.0.113.0", "", "4711", None),
            ("203.0.113.0", "", "255.0.255.0", None),
            ("evil.example", "203.0.113.5", "", None),
        ] {
            assert_eq!(text(start, end, length).as_deref(), want, "{start} {end} {length}");
        }
        assert!(is_plausible("203.0.113.0-203.0.113.255") && is_plausible("203.0.113.0/24"));
        assert!(is_plausible("203.0.113.5-203.0.113.70"));
        assert!(!is_plausible("203.0.113.5-198.51.100.7") && !is_plausible("203.0.113.5/24"));
        assert!(!is_plausible("198.51.100.7-203.0.113.5"));
    }
}
