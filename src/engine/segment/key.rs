//! Keys of indicators' values, in an order that keeps related ones together.
//!
//! | value | key, after the number of its kind |
//! | --- | --- |
//! | address | 4 or 16 bytes |
//! | network | the same, and the prefix length |
//! | endpoint | the same, and the port, big-endian |
//! | name | reversed by bytes, so that a domain is a prefix of what is below it |
//! | digest | its bytes |
//! | anything else | its text |
//!
//! A wildcard, a regular expression, and whatever does not fit its kind's form has the highest
//! bit of the first byte set and is stored as text. A value of over [`MAX_VALUE`] bytes is
//! stored as `{ 0xff, kind, XXH3-128 }`: it can be looked up, and not be read back.

use super::layout::MAX_KEY;
use crate::engine::indicator::{Kind, Value};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use xxhash_rust::xxh3::xxh3_128;

/// The longest value, in bytes of its text, that is stored as it is.
pub const MAX_VALUE: usize = 1024;

const _: () = assert!(MAX_VALUE < MAX_KEY);

/// Set in the first byte of a key whose value is stored as text, whatever its kind.
const AS_TEXT: u8 = 0x80;

/// The first byte of a key that only has a hash of the value. No kind has the number 127.
const HASHED: u8 = 0xff;

/// The longest digest in bytes.
const MAX_DIGEST: usize = 64;

/// What a key says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyParts {
    /// The kind.
    pub kind: Kind,
    /// The value; `None` if it was too long to be stored.
    pub value: Option<Value>,
    /// Whether it is a wildcard or a regular expression.
    pub is_pattern: bool,
}

/// Appends the key of a value.
pub fn put(kind: Kind, value: &Value, is_pattern: bool, out: &mut Vec<u8>) {
    match value {
        Value::Net(net) => {
            out.push(kind as u8);
            put_address(net.addr(), out);
            if kind != Kind::Ip {
                out.push(net.prefix_len());
            }
        }
        Value::Endpoint(address, port) => {
            out.push(kind as u8);
            put_address(*address, out);
            out.extend_from_slice(&port.to_be_bytes());
        }
        Value::Text(text) => put_text(kind, text, is_pattern, out),
    }
}

/// Appends the key of a value that is text.
pub fn put_text(kind: Kind, text: &str, is_pattern: bool, out: &mut Vec<u8>) {
    let number = kind as u8;
    if text.len() > MAX_VALUE {
        out.extend_from_slice(&[HASHED, number]);
        // A pattern and a value of the same text are two.
        let hash = xxh3_128(text.as_bytes()) ^ u128::from(is_pattern);
        return out.extend_from_slice(&hash.to_be_bytes());
    }
    if !is_pattern && has_text(kind) {
        out.push(number);
        match kind {
            Kind::Domain => out.extend(text.bytes().rev()),
            _ => out.extend_from_slice(text.as_bytes()),
        }
        return;
    }
    match kind.digest_len().filter(|_| !is_pattern).and_then(|length| unhex(text, length)) {
        Some((digest, length)) => {
            out.push(number);
            out.extend_from_slice(&digest[..length]);
        }
        None => {
            out.push(number | AS_TEXT);
            out.extend_from_slice(text.as_bytes());
        }
    }
}

/// Reads a key. `None` if it is not one of ours.
pub fn parse(key: &[u8]) -> Option<KeyParts> {
    let (&first, rest) = key.split_first()?;
    if first == HASHED {
        let (&number, hash) = rest.split_first()?;
        let kind = Kind::from_number(number).filter(|_| hash.len() == 16)?;
        return Some(KeyParts { kind, value: None, is_pattern: false });
    }
    let kind = Kind::from_number(first & !AS_TEXT)?;
    let is_pattern = first & AS_TEXT != 0;
    let text = |bytes: &[u8]| Some(Value::Text(std::str::from_utf8(bytes).ok()?.into()));
    let value = match kind {
        _ if is_pattern => text(rest)?,
        Kind::Ip => {
            let address = address(rest)?;
            Value::Net(IpNet::from(address))
        }
        Kind::Net => {
            let (&prefix, bytes) = rest.split_last()?;
            Value::Net(match address(bytes)? {
                IpAddr::V4(address) => Ipv4Net::new(address, prefix).ok()?.trunc().into(),
                IpAddr::V6(address) => Ipv6Net::new(address, prefix).ok()?.trunc().into(),
            })
        }
        Kind::Endpoint => {
            let (bytes, port) = rest.split_last_chunk()?;
            Value::Endpoint(address(bytes)?, u16::from_be_bytes(*port))
        }
        Kind::Domain => text(&rest.iter().rev().copied().collect::<Vec<u8>>())?,
        _ => match kind.digest_len() {
            Some(length) => Value::Text((rest.len() == length).then(|| hex(rest))?),
            None => text(rest)?,
        },
    };
    Some(KeyParts { kind, value: Some(value), is_pattern })
}

/// Whether values of this kind, patterns aside, are stored as text.
fn has_text(kind: Kind) -> bool {
    !matches!(kind, Kind::Ip | Kind::Net | Kind::Endpoint) && kind.digest_len().is_none()
}

fn put_address(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(address) => out.extend_from_slice(&address.octets()),
        IpAddr::V6(address) => out.extend_from_slice(&address.octets()),
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    match bytes.len() {
        4 => Some(Ipv4Addr::from(*bytes.first_chunk::<4>()?).into()),
        16 => Some(Ipv6Addr::from(*bytes.first_chunk::<16>()?).into()),
        _ => None,
    }
}

/// The bytes of a digest of this length, if writing them in hex gives the same text.
fn unhex(text: &str, length: usize) -> Option<([u8; MAX_DIGEST], usize)> {
    let text = text.as_bytes();
    if text.len() != 2 * length || length > MAX_DIGEST {
        return None;
    }
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; MAX_DIGEST];
    for (byte, pair) in bytes.iter_mut().zip(text.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some((bytes, length))
}

fn hex(bytes: &[u8]) -> Box<str> {
    let digit = |number: u8| char::from_digit(u32::from(number), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::{Context, Indicator, Scope};
    use std::sync::Arc;

    fn key(kind: Kind, text: &str, scope: Scope) -> (Vec<u8>, Value) {
        let indicator = Indicator::new(kind, text, scope, Arc::new(Context::of_feed("f"))).unwrap();
        let mut key = Vec::new();
        let is_pattern = matches!(scope, Scope::Wildcard | Scope::Regex);
        put(indicator.kind, &indicator.value, is_pattern, &mut key);
        (key, indicator.value)
    }

    #[test]
    fn keys_are_read_back() {
        for (kind, text, length) in [
            (Kind::Ip, "203.0.113.7", 5),
            (Kind::Ip, "2001:db8::1", 17),
            (Kind::Net, "203.0.113.0/24", 6),
            (Kind::Net, "2001:db8::/32", 18),
            (Kind::Endpoint, "203.0.113.7:80", 7),
            (Kind::Endpoint, "[2001:db8::1]:443", 19),
            (Kind::Domain, "evil.example", 13),
            (Kind::Url, "http://evil.example/a?b=c", 26),
            (Kind::Email, "a@evil.example", 15),
            (Kind::Md5, "d41d8cd98f00b204e9800998ecf8427f", 17),
            (Kind::Mutex, "Global\\x", 9),
        ] {
            let (key, value) = key(kind, text, Scope::Exact);
            assert_eq!(key.len(), length, "{text}");
            let parts = parse(&key).unwrap();
            assert_eq!((parts.kind, parts.value, parts.is_pattern), (kind, Some(value), false));
        }
    }

    #[test]
    fn patterns_and_values_are_two() {
        for (kind, text) in [(Kind::Domain, "*.evil*"), (Kind::Ip, "203.0.113.*")] {
            let (key, value) = key(kind, text, Scope::Wildcard);
            let parts = parse(&key).unwrap();
            assert_eq!((parts.kind, parts.value, parts.is_pattern), (kind, Some(value), true));
        }
        let keys =
            [Scope::Exact, Scope::Regex].map(|scope| key(Kind::Domain, "evil.example", scope));
        assert_ne!(keys[0].0, keys[1].0);
    }

    #[test]
    fn what_is_below_a_name_begins_like_it() {
        let (parent, _) = key(Kind::Domain, "evil.example", Scope::Exact);
        let (child, _) = key(Kind::Domain, "www.evil.example", Scope::Exact);
        assert!(child.starts_with(&parent));
    }

    #[test]
    fn long_values_are_hashed() {
        let text = "x".repeat(MAX_VALUE + 1);
        let mut keys = [Vec::new(), Vec::new()];
        put_text(Kind::Mutex, &text, false, &mut keys[0]);
        put_text(Kind::Mutex, &text[..MAX_VALUE], false, &mut keys[1]);
        assert_eq!((keys[0].len(), keys[1].len()), (18, MAX_VALUE + 1));
        let parts = parse(&keys[0]).unwrap();
        assert_eq!((parts.kind, parts.value), (Kind::Mutex, None));
    }

    #[test]
    fn other_bytes_are_no_keys() {
        for key in [
            &b""[..],
            b"\x01abc",
            b"\x02abcd",
            b"\x02abcd\x21",
            b"\x00",
            b"\xff\x04",
            b"\x04\xff",
            b"\x0aab",
        ] {
            assert_eq!(parse(key), None, "{key:?}");
        }
    }
}
