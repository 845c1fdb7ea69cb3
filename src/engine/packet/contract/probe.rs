//! How a protocol is recognised.

use crate::engine::packet::view::Ports;

/// What is known about a direction, besides its first bytes.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine::packet) struct Opening {
    /// The ports of the packet. They are a hint where several protocols begin alike, but not
    /// evidence.
    pub(in crate::engine::packet) ports: Ports,
    /// Whether the bytes are the first ones of the direction.
    pub(in crate::engine::packet) is_synced: bool,
}

/// The result of looking at the first bytes.
pub(in crate::engine::packet) enum Probe<P> {
    /// The protocol begins, in this state.
    Is(P),
    /// This many bytes are needed to decide.
    Maybe(usize),
    No,
}

impl<P> Probe<P> {
    /// Whether data begins, in either case, with one of these words, which identify the protocol.
    pub(in crate::engine::packet) fn by_opening<'o>(
        data: &[u8],
        openings: impl IntoIterator<Item = &'o [u8]>,
        parser: impl FnOnce() -> P,
    ) -> Probe<P> {
        let mut is_short = false;
        for opening in openings {
            let length = opening.len().min(data.len());
            let (start, begun) = (data.get(..length), opening.get(..length));
            if start.zip(begun).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b)) {
                if length == opening.len() {
                    return Probe::Is(parser());
                }
                is_short = true;
            }
        }
        if is_short { Probe::Maybe(data.len() + 1) } else { Probe::No }
    }

    /// The same result for another state.
    pub(in crate::engine::packet) fn map<Q>(self, wrap: impl FnOnce(P) -> Q) -> Probe<Q> {
        match self {
            Probe::Is(parser) => Probe::Is(wrap(parser)),
            Probe::Maybe(wants) => Probe::Maybe(wants),
            Probe::No => Probe::No,
        }
    }

    /// Tries another protocol unless the result is certain.
    pub(in crate::engine::packet) fn or_else(self, other: impl FnOnce() -> Probe<P>) -> Probe<P> {
        match self {
            Probe::Is(parser) => Probe::Is(parser),
            Probe::No => other(),
            Probe::Maybe(wants) => match other() {
                Probe::Is(parser) => Probe::Is(parser),
                Probe::Maybe(others) => Probe::Maybe(wants.min(others)),
                Probe::No => Probe::Maybe(wants),
            },
        }
    }
}
