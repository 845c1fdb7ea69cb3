//! Names and addresses of hosts, with or without ports.

use crate::engine::indicator::address;
use std::net::IpAddr;

/// Splits `host:port`; brackets are kept. A colon without digits is an empty port.
pub(super) fn split_port(host: &[u8]) -> (&[u8], Option<u16>) {
    let Some(colon) = memchr::memrchr(b':', host) else { return (host, None) };
    let (name, digits) = (&host[..colon], &host[colon + 1..]);
    if !digits.iter().all(u8::is_ascii_digit) || (name.contains(&b':') && !name.ends_with(b"]")) {
        return (host, None);
    }
    let port = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    (name, port)
}

/// Parses `address` or `[address]`.
pub(super) fn parse_bare(name: &[u8]) -> Option<IpAddr> {
    let bare = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")).unwrap_or(name);
    // Most hosts are names, which end in a letter and contain no colon.
    let is_likely = bare.last().is_some_and(u8::is_ascii_digit) || bare.contains(&b':');
    if !is_likely {
        return None;
    }
    address::parse_ip(std::str::from_utf8(bare).ok()?).ok()
}
