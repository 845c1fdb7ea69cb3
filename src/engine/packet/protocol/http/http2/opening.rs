//! How a direction of HTTP/2 begins.

use super::Direction;
use super::frame::{self, Frame};
use super::midstream::{self, Joined};
use crate::engine::packet::contract::Probe;

/// What a client begins with (RFC 9113, 3.4).
pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Detects whether a direction begins with HTTP/2, or continues it if its beginning was not
/// captured.
pub(in crate::engine::packet) fn probe(data: &[u8], is_synced: bool) -> Probe<Box<Direction>> {
    match begin(data) {
        Probe::No if !is_synced => {}
        guess => return guess,
    }
    match midstream::join(data) {
        Joined::Side(is_client) => Probe::Is(Box::new(Direction::midstream(is_client))),
        Joined::Wants(wants) => Probe::Maybe(wants),
        Joined::No => Probe::No,
    }
}

fn begin(data: &[u8]) -> Probe<Box<Direction>> {
    let is = |is_client| Probe::Is(Box::new(Direction::new(is_client)));
    if data.starts_with(PREFACE) {
        return is(true);
    }
    if PREFACE.starts_with(data) {
        return Probe::Maybe(data.len() + 1);
    }
    match Frame::parse(data) {
        Some(frame) if frame.is_opening() => is(false),
        Some(_) => Probe::No,
        None => {
            // The first byte of the length, the kind, the flags and the stream.
            let opening =
                [Some(0), None, None, Some(4), Some(0), Some(0), Some(0), Some(0), Some(0)];
            let is_likely =
                data.iter().zip(opening).all(|(&byte, want)| want.is_none_or(|want| want == byte));
            if is_likely { Probe::Maybe(frame::HEADER) } else { Probe::No }
        }
    }
}

/// Whether a segment begins with HTTP/2, or with its frames, in the middle of an unidentified
/// stream.
pub(in crate::engine::packet) fn begins(data: &[u8]) -> bool {
    data.starts_with(PREFACE)
        || Frame::parse(data).is_some_and(|frame| {
            let settings = data.get(frame::HEADER..frame::HEADER + frame.length);
            // Nine bytes that are mostly zeros are not enough: the settings must be known ones,
            // too.
            frame.is_opening()
                && frame.length > 0
                && settings
                    .is_some_and(|all| all.chunks(6).all(|one| matches!(one, [0, 1..=16, ..])))
        })
        || matches!(midstream::join(data), Joined::Side(_))
}
