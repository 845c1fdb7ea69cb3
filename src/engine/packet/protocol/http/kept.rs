//! The part of a URL that is kept until the response.

use crate::engine::progress::bound;

/// Bytes of a URL that are kept.
pub(in crate::engine::packet) const MAX_URL: usize = bound(2 << 10, 48);

/// The part of a URL that is kept. A truncated URL would be another one, but without its query it
/// still names the file.
pub(in crate::engine::packet) fn kept_url(url: &[u8]) -> &[u8] {
    let path = url.iter().position(|&b| b == b'?').unwrap_or(url.len());
    let url = if url.len() <= MAX_URL { url } else { url.get(..path).unwrap_or_default() };
    if url.len() <= MAX_URL { url } else { &[] }
}
