//! Text that is sent as it is.

use crate::engine::indicator::Where;
use crate::engine::packet::view::{Packet, ProtocolFacts, Visitor};
use crate::engine::progress::bound;

/// The longest line that is assembled.
const MAX_LINE: usize = bound(16 << 10, 64);

/// Reports bytes as text.
pub(in crate::engine::packet) fn show<V: Visitor>(
    text: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
) {
    if !text.is_empty() {
        visitor.text(text, Where::LogText, packet, ProtocolFacts::None);
    }
}

/// Reports whole lines; returns their length, or `None` if more bytes are needed.
pub(in crate::engine::packet) fn show_lines<V: Visitor>(
    data: &[u8],
    packet: &Packet<'_>,
    visitor: &mut V,
) -> Option<usize> {
    let end = match memchr::memrchr(b'\n', data) {
        Some(end) => end + 1,
        None if data.len() >= MAX_LINE => data.len(),
        None => return None,
    };
    show(data.get(..end).unwrap_or(data), packet, visitor);
    Some(end)
}
