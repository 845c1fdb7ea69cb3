//! DNS in the query of a URL (RFC 8484, 4.1): `?dns=` and a message in base64url.

use crate::engine::packet::Visitor;
use crate::engine::packet::payload::dns;
use crate::engine::packet::protocol::http::context::HttpContext;
use crate::engine::progress::bound;
use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};

/// The longest text of a message. Queries have a few hundred bytes, including padding.
const MAX_TEXT: usize = bound(8 << 10, 128);

/// Padding is not allowed, but some clients send it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::URL_SAFE,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Looks for a message in the target of a request. What is not certainly a message is something
/// else: `dns=8.8.8.8`.
pub(super) fn report<V: Visitor>(target: &[u8], context: &mut HttpContext<'_, '_, V>) {
    let Some(query) = memchr::memchr(b'?', target).and_then(|at| target.get(at + 1..)) else {
        return;
    };
    let text = query.split(|&b| b == b'&').find_map(|one| one.strip_prefix(b"dns="));
    let Some(text) = text.filter(|text| text.len() <= MAX_TEXT) else { return };
    if let Ok(message) = BASE64.decode(text)
        && dns::is_message(&message)
    {
        dns::report(&message, context.packet, context.visitor, context.counters);
    }
}
