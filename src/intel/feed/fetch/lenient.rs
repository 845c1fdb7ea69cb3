//! Repairs headers with bytes that headers must not contain.
//!
//! A control character in an `ETag`, or a letter of some legacy code page in a
//! header's name, makes the HTTP parser reject the whole answer, and the feed of
//! such a server could never be fetched. RFC 9110, section 5.5, allows a recipient
//! to replace invalid characters. So a control character in a value or reason
//! becomes a byte that makes the value opaque, so that it is not treated as text or
//! sent back; one in a name becomes `_`.

use std::fmt;
use std::io::{Read as _, Write as _};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

/// Replaces invalid bytes in a value. The result is not text.
const OPAQUE: u8 = 0xff;

/// The position within an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HeadPart {
    /// In the line of the status.
    Status,
    /// At the first byte of a line.
    Start,
    /// In the name of a header.
    Name,
    /// After its colon.
    Value,
    /// After the blank line.
    Body,
}

/// Repairs the headers of an answer, however they are split over reads.
#[derive(Debug)]
struct Head(HeadPart);

impl Head {
    /// Replaces the bytes that the HTTP parser rejects, in place, so that the
    /// length of the answer stays the same.
    fn repair(&mut self, bytes: &mut [u8]) {
        if self.0 == HeadPart::Body {
            return;
        }
        for byte in bytes {
            self.0 = match (self.0, *byte) {
                (HeadPart::Body, _) => return,
                (HeadPart::Start, b'\n') => HeadPart::Body,
                (_, b'\n') => HeadPart::Start,
                (place, b'\r') => place,
                (HeadPart::Name, b':') => HeadPart::Value,
                (HeadPart::Start | HeadPart::Name, of) => {
                    // A space folds the previous line, and is allowed before a
                    // colon.
                    if of.is_ascii_control() && of != b'\t' || !of.is_ascii() {
                        *byte = b'_';
                    }
                    HeadPart::Name
                }
                (place, of) => {
                    if of.is_ascii_control() && of != b'\t' {
                        *byte = OPAQUE;
                    }
                    place
                }
            };
        }
    }
}

/// Adds the repair to a connector.
#[derive(Debug)]
pub(super) struct RepairingConnector;

impl<In: Transport> Connector<In> for RepairingConnector {
    type Out = RepairingTransport;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<RepairingTransport>, ureq::Error> {
        let Some(transport) = chained else { return Ok(None) };
        let buffers = LazyBuffers::new(
            details.config.input_buffer_size(),
            details.config.output_buffer_size(),
        );
        let is_tls = transport.is_tls();
        let stream = TransportAdapter::new(transport.boxed(), details.current_time.clone());
        Ok(Some(RepairingTransport { buffers, stream, is_tls, head: Head(HeadPart::Status) }))
    }
}

/// A connection whose headers are repaired.
pub(super) struct RepairingTransport {
    buffers: LazyBuffers,
    stream: TransportAdapter,
    is_tls: bool,
    head: Head,
}

impl fmt::Debug for RepairingTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RepairingTransport").finish_non_exhaustive()
    }
}

impl Transport for RepairingTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), ureq::Error> {
        // What is received next answers this.
        self.head = Head(HeadPart::Status);
        self.stream.set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, ureq::Error> {
        self.stream.set_timeout(timeout);
        let room = self.buffers.input_append_buf();
        let amount = self.stream.read(room)?;
        self.head.repair(&mut room[..amount]);
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        self.is_tls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn repaired(text: &[u8], cut: usize) -> Vec<u8> {
        let mut head = Head(HeadPart::Status);
        let mut bytes = text.to_vec();
        let cut = cut.min(bytes.len());
        head.repair(&mut bytes[..cut]);
        head.repair(&mut bytes[cut..]);
        bytes
    }

    #[test]
    fn invalid_bytes_in_headers_are_replaced() {
        for (text, want) in [
            (
                &b"HTTP/1.1 200 O\x01K\r\nETag: \"a\x02\x7f\"\r\n\r\n\x01\x02"[..],
                &b"HTTP/1.1 200 O\xffK\r\nETag: \"a\xff\xff\"\r\n\r\n\x01\x02"[..],
            ),
            (b"HTTP/1.1 200\nX\x03\xe9: \xe9\tb\n\n\0", b"HTTP/1.1 200\nX__: \xe9\tb\n\n\0"),
            (
                b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\nx: \x01",
                b"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\nx: \x01",
            ),
        ] {
            for cut in 0..=text.len() {
                assert_eq!(repaired(text, cut), want, "{cut}");
            }
        }
    }

    proptest::proptest! {
        /// Valid headers and all bodies stay unchanged.
        #[test]
        fn nothing_else_changes(value in "[ -~]{0,20}", body in proptest::collection::vec(proptest::num::u8::ANY, 0..20), cut in 0usize..80) {
            let text = [format!("HTTP/1.1 200 OK\r\nX-Y: {value}\r\n\r\n").as_bytes(), &body].concat();
            proptest::prop_assert_eq!(repaired(&text, cut), text);
        }
    }
}
