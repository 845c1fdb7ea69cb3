//! What both directions of a connection share.

/// The state of one protocol that both directions of a connection share.
pub(in crate::engine::packet) trait Session {
    /// Bytes that it holds.
    fn weight(&self) -> usize {
        0
    }

    /// Whether it is only a guess, and may be replaced by the session of another protocol.
    fn gives_way(&self) -> bool {
        false
    }
}

/// Most protocols parse each direction separately.
impl Session for () {}

impl<S: Session> Session for Box<S> {
    fn weight(&self) -> usize {
        S::weight(self)
    }

    fn gives_way(&self) -> bool {
        S::gives_way(self)
    }
}

/// The session of a connection. There is one: a session that begins replaces that of another
/// protocol.
pub(in crate::engine::packet) trait Slot<S> {
    /// The session, if one of this protocol has begun.
    fn get(&self) -> Option<&S>;

    /// The same, mutable.
    fn get_mut(&mut self) -> Option<&mut S>;

    /// Begins a session, and replaces one of another protocol.
    fn begin(&mut self) -> &mut S;

    /// Begins a session, unless there is one of another protocol.
    fn begin_if_free(&mut self) -> Option<&mut S>;

    /// Ends the session.
    fn end(&mut self);
}
