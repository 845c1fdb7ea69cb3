//! What a parser answers.

/// What a parser did with the bytes that it was shown.
#[derive(Debug)]
pub(in crate::engine::packet) enum Step {
    /// So many are done with; with none, its state is another one.
    Took(usize),
    /// So many, from the first that was shown, need no look.
    Skip(u64),
    /// So many must be there before it makes sense to ask again.
    Wait(usize),
    /// None yet: it sees them with other eyes now. Few such answers in a row are allowed.
    Again,
    /// What follows may be of any protocol.
    Restart,
    /// It is not the protocol, or not any more.
    Lost,
    /// Nothing more can be read in this direction.
    Over,
}
