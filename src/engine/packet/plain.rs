//! Text in what is of no protocol that is known here, for whoever asks for it.
//!
//! It is shown a line at a time where there are lines, so that what stands in two segments
//! is one. What else there may be in the bytes is not known: that is why it is not done
//! unless somebody asks.

use super::stream::{Context, Step};
use super::{Packet, Said, Visitor};
use crate::engine::indicator::Where;
use crate::engine::progress::bound;

/// The longest line that is put together.
const MOST_LINE: usize = bound(16 << 10, 64);

/// Shows bytes as text.
pub(super) fn show<V: Visitor>(text: &[u8], packet: &Packet<'_>, visitor: &mut V) {
    if !text.is_empty() {
        visitor.text(text, Where::LogText, packet, Said::None);
    }
}

/// Shows the lines that are whole.
pub(super) fn step<V: Visitor>(data: &[u8], context: &mut Context<'_, '_, V>) -> Step {
    let end = match memchr::memrchr(b'\n', data) {
        Some(end) => end + 1,
        None if data.len() >= MOST_LINE => data.len(),
        None => return Step::Wait(data.len() + 1),
    };
    show(data.get(..end).unwrap_or(data), context.packet, context.visitor);
    Step::Took(end)
}

#[cfg(test)]
mod tests {
    use crate::engine::indicator::Where;
    use crate::engine::packet::tests::{Recorder, decode_as, tcp_at, udp};
    use crate::engine::packet::{Config, Decoder};

    /// Nothing knows this protocol: lines in two segments are one, and the end counts.
    const LINES: &[u8] = b"~go a.example\n~stay b.exam";
    const MORE: &[u8] = b"ple\n~ends c.example";

    fn texts(config: Config, packets: &[Vec<u8>]) -> String {
        decode_as(Decoder::new(config), Recorder::default(), packets).0.text_at(Where::LogText)
    }

    #[test]
    fn unknown_protocols_are_text_on_request() {
        let packets = [
            tcp_at(40_000, 7777, 0, LINES),
            tcp_at(40_000, 7777, LINES.len() as u32, MORE),
            udp(40_000, 7777, b"~d.example"),
        ];
        let asked = Config { unknown_text: true, ..Config::default() };
        let want = "~go a.example\n~d.example~stay b.example\n~ends c.example";
        let mut got = texts(asked.clone(), &packets);
        // The datagram stands wherever the stream is by then.
        got = got.replace("~d.example", "");
        assert_eq!(got, want.replace("~d.example", ""));
        assert!(texts(asked.clone(), &packets).contains("~d.example"));
        assert_eq!(texts(Config::default(), &packets), "");
        // What is known is read as what it is.
        let request = b"GET / HTTP/1.1\r\nHost: a.example\r\n\r\n";
        assert_eq!(texts(asked, &[tcp_at(40_000, 7778, 0, request)]), "");
    }

    /// A WebSocket is text from its beginning to its end, though a request seems to begin in it.
    #[test]
    fn websockets_are_text_on_request() {
        let ask = b"GET / HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\n\r\n";
        let switch = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n";
        let frames = [&b"\x81\x05\0\0\0\0hello"[..], b"GET / HTTP/1.1\r\nHost: b.example\r\n\r\n"];
        let mut answer = tcp_at(8080, 40_000, 0, switch);
        let ends = [answer[12..16].to_vec(), answer[16..20].to_vec()];
        (answer[12..16]).copy_from_slice(&ends[1]);
        (answer[16..20]).copy_from_slice(&ends[0]);
        let behind = ask.len() as u32;
        let packets = [
            tcp_at(40_000, 8080, 0, ask),
            answer,
            tcp_at(40_000, 8080, behind, frames[0]),
            tcp_at(40_000, 8080, behind + frames[0].len() as u32, frames[1]),
        ];
        let asked = Config { unknown_text: true, ..Config::default() };
        assert_eq!(texts(asked, &packets), String::from_utf8_lossy(&frames.concat()));
        assert_eq!(texts(Config::default(), &packets), "");
    }
}
