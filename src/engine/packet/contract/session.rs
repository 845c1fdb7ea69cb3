//! What both directions of a connection share.

/// What both directions of a connection know, of one protocol.
pub(in crate::engine::packet) trait Session {
    /// Bytes that are held.
    fn weight(&self) -> usize {
        0
    }

    /// Whether it is a guess, which gives way to the session of another protocol.
    fn gives_way(&self) -> bool {
        false
    }
}

/// Most protocols are read in each direction by itself.
impl Session for () {}

impl<S: Session> Session for Box<S> {
    fn weight(&self) -> usize {
        S::weight(self)
    }

    fn gives_way(&self) -> bool {
        S::gives_way(self)
    }
}

/// The place of a session in its connection. There is one place: a session that is begun takes
/// it from that of another protocol.
pub(in crate::engine::packet) trait Slot<S> {
    /// The session, if one of this protocol has begun.
    fn get(&self) -> Option<&S>;

    /// The same, to be changed.
    fn get_mut(&mut self) -> Option<&mut S>;

    /// The session from now on, whatever was there.
    fn begin(&mut self) -> &mut S;

    /// The session from now on, unless there is one of another protocol.
    fn begin_if_free(&mut self) -> Option<&mut S>;

    /// The session is over.
    fn end(&mut self);
}
