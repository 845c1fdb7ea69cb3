//! Addresses, networks and endpoints (matching specification, section 6.1).

use super::{Reason, digest};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Parses exactly four decimal octets without leading zeros.
#[inline]
pub fn parse_v4(text: &[u8]) -> Option<Ipv4Addr> {
    if !(7..=15).contains(&text.len()) {
        return None;
    }
    let mut address = 0u32;
    let mut octet = 0u32;
    let mut digits = 0;
    let mut dots = 0;
    for &byte in text {
        if byte == b'.' {
            if digits == 0 || dots == 3 {
                return None;
            }
            address = address << 8 | octet;
            (octet, digits, dots) = (0, 0, dots + 1);
        } else {
            let digit = u32::from(byte.wrapping_sub(b'0'));
            if digit > 9 || (digits > 0 && octet == 0) {
                return None;
            }
            octet = octet * 10 + digit;
            digits += 1;
            if octet > 255 {
                return None;
            }
        }
    }
    (dots == 3 && digits > 0).then(|| Ipv4Addr::from_bits(address << 8 | octet))
}

/// An address as the host of a URL: IPv6 in brackets (RFC 3986, section 3.2.2) and
/// in the form of RFC 5952. It lives on the stack, because a scan formats many
/// addresses that then match nothing, and the standard library's formatter takes
/// ten times as long.
#[derive(Clone, Copy, Debug)]
pub struct UrlHost {
    bytes: [u8; 41],
    len: usize,
}

impl UrlHost {
    /// Formats an address.
    pub fn of(address: IpAddr) -> UrlHost {
        let mut host = UrlHost { bytes: [0; 41], len: 0 };
        match address {
            IpAddr::V4(v4) => {
                for (at, octet) in v4.octets().into_iter().enumerate() {
                    if at > 0 {
                        host.push(b'.');
                    }
                    host.push_number(u16::from(octet), 10);
                }
            }
            IpAddr::V6(v6) => {
                host.push(b'[');
                host.push_v6(v6);
                host.push(b']');
            }
        }
        host
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        // Only digits, dots, colons and brackets were written.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }

    fn push(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// Writes a number in base 10 or 16, without leading zeros.
    fn push_number(&mut self, number: u16, base: u16) {
        let places: [u16; 3] = if base == 10 { [0, 100, 10] } else { [0x1000, 0x100, 0x10] };
        for place in places {
            if place > 0 && number >= place {
                self.push(b"0123456789abcdef"[usize::from(number / place % base)]);
            }
        }
        self.push(b"0123456789abcdef"[usize::from(number % base)]);
    }

    /// Writes the groups, with `::` for the first of the longest runs of two or
    /// more zeros.
    fn push_v6(&mut self, address: Ipv6Addr) {
        let groups = address.segments();
        if address.to_ipv4_mapped().is_some() {
            // Rare, since mapped addresses count as IPv4. Written as the standard
            // library does.
            for byte in address.to_string().bytes() {
                self.push(byte);
            }
            return;
        }
        let (mut start, mut length) = (8, 1);
        let mut at = 0;
        while at < 8 {
            let zeros = groups[at..].iter().take_while(|&&group| group == 0).count();
            if zeros > length {
                (start, length) = (at, zeros);
            }
            at += zeros + 1;
        }
        for (at, group) in groups.into_iter().enumerate() {
            if at == start {
                self.push(b':');
            }
            if (start..start + length).contains(&at) {
                if at + 1 == start + length && at == 7 {
                    self.push(b':');
                }
                continue;
            }
            if at > 0 {
                self.push(b':');
            }
            self.push_number(group, 16);
        }
    }
}

/// Parses RFC 4291 text without brackets and zone: exactly what the standard
/// library accepts, in a quarter of the instructions, as logs are full of
/// addresses.
pub fn parse_v6(text: &[u8]) -> Option<Ipv6Addr> {
    if !(2..=45).contains(&text.len()) {
        return None;
    }
    let mut groups = [0u16; 8];
    let mut count = 0;
    // The position of `::`, which stands for at least one group.
    let mut gap = None;
    let mut at = 0;
    if text.starts_with(b"::") {
        (gap, at) = (Some(0), 2);
    }
    while at < text.len() {
        let room = groups.len() - usize::from(gap.is_some()) - count;
        let start = at;
        let group = hex_group(text, &mut at)?;
        if text.get(at) == Some(&b'.') {
            let v4 = parse_v4(&text[start..]).filter(|_| room >= 2)?.to_bits();
            (groups[count], groups[count + 1]) = ((v4 >> 16) as u16, v4 as u16);
            count += 2;
            break;
        }
        if room == 0 {
            return None;
        }
        groups[count] = group;
        count += 1;
        match text[at..] {
            [] => break,
            [b':', b':', ..] if gap.is_none() && count < 8 => (gap, at) = (Some(count), at + 2),
            [b':', next, ..] if next != b':' => at += 1,
            _ => return None,
        }
    }
    match gap {
        Some(gap) => groups[gap..].rotate_right(8 - count),
        None if count < 8 => return None,
        None => {}
    }
    Some(groups.into())
}

/// Parses one to four hex digits at `at`, and advances it.
fn hex_group(text: &[u8], at: &mut usize) -> Option<u16> {
    let (start, mut group) = (*at, 0u16);
    while let Some(digit) = text.get(*at).and_then(|&byte| char::from(byte).to_digit(16)) {
        if *at - start == 4 {
            return None;
        }
        group = group << 4 | digit as u16;
        *at += 1;
    }
    (*at > start).then_some(group)
}

/// Folds `::ffff:a.b.c.d` to the IPv4 address inside it; all others stay.
#[inline]
pub fn fold(address: Ipv6Addr) -> IpAddr {
    match address.to_ipv4_mapped() {
        Some(v4) => IpAddr::V4(v4),
        None => IpAddr::V6(address),
    }
}

/// Parses an address of either family. Brackets and zone are removed, and mapped
/// addresses folded.
///
/// # Errors
///
/// [`Reason::LeadingZero`] for `010.1.1.1`, otherwise [`Reason::BadAddress`].
pub fn parse_ip(text: &str) -> Result<IpAddr, Reason> {
    if !may_be_ip(text.as_bytes()) {
        return Err(Reason::BadAddress);
    }
    if let Some(v4) = parse_v4(text.as_bytes()) {
        return Ok(IpAddr::V4(v4));
    }
    let inner = match text.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').ok_or(Reason::BadAddress)?,
        None => text,
    };
    let inner = inner.split_once('%').map_or(inner, |(address, _zone)| address);
    if let Some(v6) = parse_v6(inner.as_bytes()) {
        return Ok(fold(v6));
    }
    let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let zeros = is_decimal
        && text.split('.').count() == 4
        && text.split('.').all(|octet| !octet.is_empty())
        && text.split('.').any(|octet| octet.len() > 1 && octet.starts_with('0'));
    Err(if zeros { Reason::LeadingZero } else { Reason::BadAddress })
}

/// [`parse_ip`] for bytes that may not be text. Most of them are names, which are
/// rejected at their first byte.
#[inline]
pub fn ip_of(text: &[u8]) -> Option<IpAddr> {
    if !may_be_ip(text) {
        return None;
    }
    parse_ip(std::str::from_utf8(text).ok()?).ok()
}

/// Whether an address can begin like this. Only those of four decimal octets lack a
/// colon.
#[inline]
fn may_be_ip(text: &[u8]) -> bool {
    match text {
        [b'0'..=b'9', ..] => true,
        [b'a'..=b'f' | b'A'..=b'F' | b':' | b'[', ..] => text.contains(&b':'),
        _ => false,
    }
}

/// Parses an address or a network. Host bits are cleared; `/32` and `/128` are
/// addresses; a network of mapped addresses folds to IPv4.
///
/// # Errors
///
/// [`Reason::BadNetwork`], or the error of [`parse_ip`]. The width is checked by
/// the compiler, which knows whether to trust the source with it.
pub fn parse_net(text: &str) -> Result<IpNet, Reason> {
    let Some((address, length)) = text.split_once('/') else {
        return Ok(IpNet::from(parse_ip(text)?));
    };
    let address = address.trim_end();
    let length = length.trim_start();
    let is_number = (1..=3).contains(&length.len()) && length.bytes().all(|b| b.is_ascii_digit());
    let length: u8 = match is_number {
        true => length.parse().map_err(|_| Reason::BadNetwork)?,
        // Only IPv4 has masks.
        false if parse_v4(address.as_bytes()).is_none() => return Err(Reason::BadNetwork),
        false => parse_mask(length).ok_or(Reason::BadNetwork)?,
    };
    let mapped = address.contains(':');
    let net = match parse_ip(address)? {
        IpAddr::V4(v4) if mapped => {
            let length = length.checked_sub(96).ok_or(Reason::BadNetwork)?;
            IpNet::V4(Ipv4Net::new(v4, length).map_err(|_| Reason::BadNetwork)?)
        }
        IpAddr::V4(v4) => IpNet::V4(Ipv4Net::new(v4, length).map_err(|_| Reason::BadNetwork)?),
        IpAddr::V6(v6) => IpNet::V6(Ipv6Net::new(v6, length).map_err(|_| Reason::BadNetwork)?),
    };
    Ok(net.trunc())
}

/// The prefix length of a dotted mask: `255.255.255.0`, or `0.0.0.255` as wildcards
/// of access lists have it. `0.0.0.0` is ambiguous, and a mask with holes has no
/// length.
pub fn parse_mask(text: &str) -> Option<u8> {
    let bits = parse_v4(text.as_bytes())?.to_bits();
    let (ones, zeros) = (bits.leading_ones(), bits.leading_zeros());
    let length = match bits {
        0 => return None,
        _ if ones > 0 && ones + bits.trailing_zeros() >= 32 => ones,
        _ if ones == 0 && zeros + bits.trailing_ones() == 32 => zeros,
        _ => return None,
    };
    u8::try_from(length).ok()
}

/// Parses an address with a port, in the spellings of section 3.2: `v4:port`,
/// `v4|port`, `[v6]:port`, `v6|port`, `v6.port`, `v6 port N`, `v6pN`, `v6#N`.
/// `v6:port` is ambiguous and rejected.
pub fn parse_endpoint(text: &str) -> Option<(IpAddr, u16)> {
    fn port(text: &str) -> Option<u16> {
        let digits = text.bytes().all(|b| b.is_ascii_digit()) && (1..=5).contains(&text.len());
        if digits { text.parse().ok().filter(|&port| port != 0) } else { None }
    }
    if let Some(rest) = text.strip_prefix('[') {
        let (address, rest) = rest.split_once(']')?;
        let rest = rest.strip_prefix([':', '|', '#'])?;
        return Some((parse_ip(address).ok()?, port(rest)?));
    }
    if let Some((address, rest)) = text.split_once('|') {
        return Some((parse_ip(address.trim()).ok()?, port(rest.trim())?));
    }
    if let Some((address, rest)) = text.split_once(':')
        && !rest.contains(':')
    {
        return Some((IpAddr::V4(parse_v4(address.as_bytes())?), port(rest)?));
    }
    for separator in [" port ", "#", "p", "."] {
        if let Some((address, rest)) = text.rsplit_once(separator)
            && let Some(v6) = parse_v6(address.trim().as_bytes())
            && let Some(port) = port(rest.trim())
        {
            return Some((fold(v6), port));
        }
    }
    None
}

/// Whether the guard for private addresses applies: to private, loopback,
/// link-local, shared, multicast, reserved and documentation ranges.
#[inline]
pub fn is_reserved(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_reserved_v4(v4.to_bits()),
        IpAddr::V6(v6) => is_reserved_v6(v6),
    }
}

/// Whether `address` is in a range reserved for documentation (RFC 5737, RFC 3849,
/// RFC 9637).
pub fn is_documentation(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => matches!(v4.to_bits() >> 8, 0x00c0_0002 | 0x00c6_3364 | 0x00cb_0071),
        IpAddr::V6(v6) => {
            let [first, second, ..] = v6.segments();
            (first == 0x2001 && second == 0x0db8) || (first == 0x3fff && second & 0xf000 == 0)
        }
    }
}

/// [`is_reserved`] for IPv4 in host byte order.
#[inline]
pub fn is_reserved_v4(bits: u32) -> bool {
    match bits >> 24 {
        0 | 10 | 127 | 224.. => true,
        100 => bits >> 22 == 0x6440_0000 >> 22,
        169 => bits >> 16 == 0xa9fe,
        172 => bits >> 20 == 0xac1,
        192 => bits >> 16 == 0xc0a8 || bits >> 8 == 0x00c0_0002 || bits >> 8 == 0x00c0_0000,
        198 => bits >> 17 == 0xc612_0000 >> 17 || bits >> 8 == 0x00c6_3364,
        203 => bits >> 8 == 0x00cb_0071,
        _ => false,
    }
}

fn is_reserved_v6(address: Ipv6Addr) -> bool {
    let [first, second, ..] = address.segments();
    address.is_unspecified()
        || address.is_loopback()
        || first & 0xfe00 == 0xfc00
        || first & 0xffc0 == 0xfe80
        || first & 0xff00 == 0xff00
        || (first == 0x2001 && second == 0x0db8)
        || (first == 0x3fff && second & 0xf000 == 0)
}

/// The IPv4 address inside a `64:ff9b::/96` address (RFC 6052).
pub fn nat64(address: Ipv6Addr) -> Option<Ipv4Addr> {
    let bits = address.to_bits();
    (bits >> 32 == 0x0064_ff9b_0000_0000_0000_0000).then(|| Ipv4Addr::from_bits(bits as u32))
}

/// The address of a reverse name: `4.3.2.1.in-addr.arpa`, or 32 nibbles below
/// `ip6.arpa`. The name must be complete; a part of a zone has no address.
pub fn from_reverse_name(name: &[u8]) -> Option<IpAddr> {
    let name = name.strip_suffix(b".").unwrap_or(name);
    // This is asked of every observed name, and most do not end like `arpa`.
    if !matches!(name.last(), Some(b'a' | b'A')) {
        return None;
    }
    let head = |suffix: &[u8]| {
        let cut = name.len().checked_sub(suffix.len())?;
        name[cut..].eq_ignore_ascii_case(suffix).then(|| &name[..cut])
    };
    if let Some(labels) = head(b".in-addr.arpa") {
        let v4 = parse_v4(labels)?;
        return Some(IpAddr::V4(Ipv4Addr::from_bits(v4.to_bits().swap_bytes())));
    }
    let nibbles = head(b".ip6.arpa")?;
    if nibbles.len() != 63 {
        return None;
    }
    let mut bits = 0u128;
    for (at, &byte) in nibbles.iter().enumerate() {
        if at % 2 == 1 {
            (byte == b'.').then_some(())?;
        } else {
            // The lowest nibble comes first.
            bits = bits >> 4 | u128::from(digest::nibble(byte)?) << 124;
        }
    }
    Some(fold(Ipv6Addr::from_bits(bits)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dotted_quads_are_parsed_strictly() {
        assert_eq!(parse_v4(b"203.0.113.8"), Some(Ipv4Addr::new(203, 0, 113, 8)));
        assert_eq!(parse_v4(b"0.0.0.0"), Some(Ipv4Addr::UNSPECIFIED));
        for bad in [
            "203.000.113.008",
            "1.2.3",
            "1.2.3.4.5",
            "1.2.3.256",
            "1..2.3",
            ".1.2.3.4",
            "1.2.3.4.",
            "01.2.3.4",
        ] {
            assert_eq!(parse_v4(bad.as_bytes()), None, "{bad}");
        }
        assert_eq!(parse_ip("010.1.1.1"), Err(Reason::LeadingZero));
    }

    #[test]
    fn names_are_turned_away_early() {
        for text in ["", "example", "cafe.example", "[1.2.3.4]", "%eth0", "4.example", "[::1"] {
            assert_eq!(parse_ip(text), Err(Reason::BadAddress), "{text}");
            assert_eq!(ip_of(text.as_bytes()), None, "{text}");
        }
        for text in ["face::1", "::1", "[FACE::]", "192.0.2.1", "fe80::1%eth0"] {
            assert_eq!(ip_of(text.as_bytes()), parse_ip(text).ok(), "{text}");
            assert!(parse_ip(text).is_ok(), "{text}");
        }
        for text in ["01.2.3.4", "1.2.3.04"] {
            assert_eq!(parse_ip(text), Err(Reason::LeadingZero), "{text}");
        }
        for text in ["1.2.3", "1.2.3.4.05", "1..3.04", "1.2.3.999"] {
            assert_eq!(parse_ip(text), Err(Reason::BadAddress), "{text}");
        }
        assert_eq!(ip_of(b"::1\xff"), None);
    }

    #[test]
    fn v6_is_folded_and_loses_brackets_and_zone() {
        for text in ["2001:DB8:0:0:0:0:0:1", "[2001:db8::1]", "2001:0db8::0001", "2001:db8::1%eth0"]
        {
            assert_eq!(parse_ip(text).unwrap().to_string(), "2001:db8::1", "{text}");
        }
        assert_eq!(parse_ip("::ffff:c633:6407").unwrap().to_string(), "198.51.100.7");
        assert_eq!(parse_ip("::198.51.100.7").unwrap().to_string(), "::c633:6407");
    }

    #[test]
    fn networks_are_normalised() {
        assert_eq!(parse_net("198.51.100.77/24").unwrap().to_string(), "198.51.100.0/24");
        assert_eq!(parse_net("::ffff:198.51.100.0/120").unwrap().to_string(), "198.51.100.0/24");
        assert!(parse_net("1.2.3.4/33").is_err() && parse_net("1.2.3.4/").is_err());
        for (mask, length) in [
            ("255.255.255.0", Some(24)),
            ("255.255.255.255", Some(32)),
            ("128.0.0.0", Some(1)),
            ("255.255.254.0", Some(23)),
            ("0.0.0.255", Some(24)),
            ("0.0.1.255", Some(23)),
            ("0.0.0.0", None),
            ("255.0.255.0", None),
            ("0.0.255.0", None),
            ("24", None),
        ] {
            assert_eq!(parse_mask(mask), length, "{mask}");
        }
        assert_eq!(parse_net("198.51.100.77/0.0.0.255").unwrap().to_string(), "198.51.100.0/24");
        assert!(parse_net("2001:db8::/255.255.255.0").is_err());
    }

    #[test]
    fn endpoints_are_split_into_address_and_port() {
        let v6 = "2001:db8::1";
        for text in [
            "[2001:db8::1]:443",
            "2001:db8::1|443",
            "2001:db8::1.443",
            "2001:db8::1 port 443",
            "2001:db8::1p443",
            "2001:db8::1#443",
        ] {
            assert_eq!(parse_endpoint(text), Some((v6.parse().unwrap(), 443)), "{text}");
        }
        assert_eq!(
            parse_endpoint("203.0.113.9|8443"),
            Some(("203.0.113.9".parse().unwrap(), 8443))
        );
        for bad in [
            "203.0.113.9",
            "203.0.113.9:0",
            "203.0.113.9:70000",
            "161.35.41.9:53:53",
            "2001:db8::1:443",
        ] {
            assert_eq!(parse_endpoint(bad), None, "{bad}");
        }
    }

    #[test]
    fn reserved_ranges_are_recognised() {
        for text in [
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "169.254.1.1",
            "198.18.0.1",
            "203.0.113.5",
            "255.255.255.255",
            "fe80::1",
            "fd00::1",
            "2001:db8::1",
            "ff02::1",
            "::1",
        ] {
            assert!(is_reserved(text.parse().unwrap()), "{text}");
        }
        for text in [
            "172.32.0.1",
            "100.128.0.1",
            "8.8.8.8",
            "192.0.1.1",
            "198.20.0.1",
            "2606:4700::1",
            "64:ff9b::1",
        ] {
            assert!(!is_reserved(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn reverse_names_yield_their_address() {
        assert_eq!(
            from_reverse_name(b"7.100.51.198.in-addr.arpa."),
            Some("198.51.100.7".parse().unwrap())
        );
        assert_eq!(from_reverse_name(b"100.51.198.in-addr.arpa"), None);
        let name = b"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa";
        assert_eq!(from_reverse_name(name), Some("2001:db8::1".parse().unwrap()));
    }

    #[test]
    fn hosts_are_written_as_the_standard_library_writes_them() {
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            seed >> 16
        };
        let check = |address: IpAddr| {
            let want = match address {
                IpAddr::V4(v4) => v4.to_string(),
                IpAddr::V6(v6) => format!("[{v6}]"),
            };
            assert_eq!(UrlHost::of(address).as_str(), want);
        };
        // Every position of zeros, among groups of one to four digits.
        for mask in 0..=255u32 {
            let group = |at: u32| if mask >> at & 1 == 1 { 0 } else { 0xf_u16 << (at % 4 * 4) };
            let groups: [u16; 8] = std::array::from_fn(|at| group(at as u32));
            check(IpAddr::V6(groups.into()));
        }
        for _ in 0..2000 {
            let bits = u128::from(next()) << 64 | u128::from(next());
            check(IpAddr::V6(Ipv6Addr::from_bits(bits)));
            check(IpAddr::V4(Ipv4Addr::from_bits(next() as u32)));
        }
        for text in ["::", "::1", "1::", "::ffff:1.2.3.4", "::1.2.3.4", "64:ff9b::1.2.3.4"] {
            check(IpAddr::V6(text.parse().unwrap()));
        }
        for text in ["0.0.0.0", "255.255.255.255", "100.10.9.200", "1.0.100.101"] {
            check(IpAddr::V4(text.parse().unwrap()));
        }
    }

    #[test]
    fn ipv6_is_read_as_the_standard_library_reads_it() {
        let same = |text: &str| {
            let want = text.parse::<Ipv6Addr>().ok();
            assert_eq!(parse_v6(text.as_bytes()), want, "{text}");
        };
        for text in [
            "::",
            "::1",
            "1::",
            "1::8",
            "1:2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7::",
            "::2:3:4:5:6:7:8",
            "1:2:3:4:5:6:7:8::",
            "::1:2:3:4:5:6:7:8",
            "1::2::3",
            ":::",
            ":",
            "1:",
            ":1",
            "12345::",
            "1:2:3:4:5:6:1.2.3.4",
            "1:2:3:4:5:6:7:1.2.3.4",
            "::1.2.3.4",
            "1.2.3.4::",
            "::1.2.3",
            "::ffff:1.2.3.4",
            "1:2:3:4:5::1.2.3.4",
            "1:2:3:4:5:6::1.2.3.4",
            "::1.2.3.4:5",
            "::g",
            "::01.2.3.4",
            "::ffff:255.255.255.255",
            "0000:0000:0000:0000:0000:0000:255.255.255.255",
            "fe80::1%eth0",
            "",
            "1:::2",
            "ABCD::ef",
            "::1:",
            "1::2:",
            "::1 ",
        ] {
            same(text);
        }
        // Near misses, made from the letters of addresses.
        let mut seed = 0x9e37_79b9_7f4a_7c15u64;
        let mut next = |below: usize| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (seed >> 33) as usize % below
        };
        for _ in 0..20_000 {
            let letters = b"01:2:af:F.9::";
            let text: String =
                (0..next(24)).map(|_| char::from(letters[next(letters.len())])).collect();
            same(&text);
            let mut groups: Vec<String> =
                (0..next(10)).map(|_| format!("{:x}", next(70_000))).collect();
            if next(2) == 0 && !groups.is_empty() {
                let at = next(groups.len());
                groups[at] = String::new();
            }
            if next(4) == 0 {
                groups.push(format!("{}.{}.{}.{}", next(300), next(256), next(256), next(256)));
            }
            same(&groups.join(":"));
        }
    }
}
