//! PPP over Ethernet, in its session stage (RFC 2516).

use super::{Fault, Layer};
use crate::engine::packet::bytes::be16;

/// Removes the session header. Its length also removes Ethernet's padding.
pub(super) fn strip(data: &[u8]) -> Result<(Layer, &[u8]), Fault> {
    let length = be16(data, 4).ok_or(Fault::LinkCut)?;
    let rest = data.get(6..).ok_or(Fault::LinkCut)?;
    if data.first_chunk() != Some(&[0x11, 0]) {
        return Err(Fault::NotIp);
    }
    Ok((Layer::Ppp, rest.get(..usize::from(length)).unwrap_or(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_and_nothing_else() {
        let frame = b"\x11\x00\x00\x09\x00\x03\x00\x21Epad";
        assert_eq!(strip(frame), Ok((Layer::Ppp, &b"\x00\x21E"[..])));
        assert_eq!(strip(b"\x11\x00\x00\x09\x00\x09\x21E"), Ok((Layer::Ppp, &b"\x21E"[..])));
        assert_eq!(strip(b"\x11\x09\x00\x00\x00\x00"), Err(Fault::NotIp), "discovery");
        assert_eq!(strip(b"\x11\x00\x00\x00\x00"), Err(Fault::LinkCut));
    }
}
