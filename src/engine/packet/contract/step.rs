//! What a parser returns.

/// What a parser did with the bytes that it got.
#[derive(Debug)]
pub(in crate::engine::packet) enum Step {
    /// Consumed this many bytes; if none, its state has changed.
    Took(usize),
    /// This many bytes, counted from the first one passed, are to be skipped without parsing.
    Skip(u64),
    /// This many bytes must be buffered before it is called again.
    Wait(usize),
    /// Consumed none: it will parse them differently now. Only a few of these in a row are
    /// allowed.
    Again,
    /// The bytes that follow may be of any protocol.
    Restart,
    /// It is not, or no longer, the protocol.
    Lost,
    /// Nothing more can be parsed in this direction.
    Over,
}
