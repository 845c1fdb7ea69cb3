//! Names of files and hosts in commands, requests and options.

use crate::engine::indicator::{Kind, Observable, Where, address};
use crate::engine::packet::bytes::is_printable;
use crate::engine::packet::{Counters, Fault, Packet, ProtocolFacts, Visitor};
use crate::engine::progress::bound;

/// The longest name that is reported.
const MAX_NAME: usize = bound(4 << 10, 64);

/// The last element of a path, of Unix or Windows.
pub(in crate::engine::packet) fn last(path: &[u8]) -> &[u8] {
    let path = path.strip_suffix(b"/").or(path.strip_suffix(b"\\")).unwrap_or(path);
    let start = memchr::memrchr2(b'/', b'\\', path).map_or(0, |at| at + 1);
    path.get(start..).unwrap_or_default()
}

/// Reports a path: its last element, and the whole if it has more.
pub(in crate::engine::packet) fn report<V: Visitor>(
    path: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
    protocol_facts: ProtocolFacts<'_>,
) {
    let path = path.get(..MAX_NAME).unwrap_or(path);
    let name = last(path);
    if matches!(name, b"" | b"." | b"..") {
        return;
    }
    visitor.seen(Observable::Text(Kind::Filename, name), Where::FileName, packet, protocol_facts);
    if name.len() < path.len() {
        visitor.seen(
            Observable::Text(Kind::Filepath, path),
            Where::FileName,
            packet,
            protocol_facts,
        );
    }
}

/// Reports a host by name or address, in brackets or without.
pub(in crate::engine::packet) fn report_host<V: Visitor>(
    host: &[u8],
    at: Where,
    packet: &Packet<'_>,
    (visitor, counters): (&mut V, &mut Counters),
    protocol_facts: ProtocolFacts<'_>,
) {
    let bare = host.strip_prefix(b"[").and_then(|host| host.strip_suffix(b"]")).unwrap_or(host);
    if let Some(address) = address::ip_of(bare) {
        return visitor.seen(Observable::Address(address, None), at, packet, protocol_facts);
    }
    if !is_printable(host) {
        counters.note(Fault::OddName);
    } else if !host.is_empty() {
        visitor.seen(Observable::Name(host), at, packet, protocol_facts);
    }
}

#[cfg(test)]
mod tests {
    use super::last;

    #[test]
    fn the_last_element_of_a_path_is_its_name() {
        for (path, want) in [
            ("a.exe", "a.exe"),
            ("/pub/a.exe", "a.exe"),
            ("dir\\sub\\a.exe", "a.exe"),
            ("/pub/", "pub"),
            ("/", ""),
            ("", ""),
        ] {
            assert_eq!(last(path.as_bytes()), want.as_bytes(), "{path}");
        }
    }
}
