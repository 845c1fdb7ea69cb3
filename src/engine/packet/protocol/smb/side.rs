//! One direction of a connection: frames, messages, and the bytes of files.

use super::key::{Raw, Sink};
use super::message::Plan;
use super::session::Session;
use super::v1::MessageKind;
use super::{v1, v2};
use crate::engine::packet::bytes::be24;
use crate::engine::packet::contract::{Opening, ParseContext, Probe, Protocol, Slot, Step};
use crate::engine::packet::counters::Fault;
use crate::engine::packet::view::{Ports, Visitor};

const ENCRYPTED: &[u8] = b"\xfdSMB";
const COMPRESSED: &[u8] = b"\xfcSMB";

/// Messages of a NetBIOS session.
const MESSAGE: u8 = 0;
const REQUEST: u8 = 0x81;
const RETARGET: u8 = 0x84;
const KEEP_ALIVE: u8 = 0x85;

/// What follows in a direction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    /// The length of a frame.
    #[default]
    Frame,
    /// Messages, with this many bytes of the frame left.
    Message(u64),
    /// Commands of an SMB1 message, with this many bytes of the frame left.
    Chain { kind: MessageKind, left: u64 },
    /// Bytes of a file, followed by the rest of its message or command, then the rest of the
    /// frame.
    Data { sink: Sink, bytes: u64, after: u64, left: u64, chain: Option<MessageKind> },
}

impl State {
    /// What follows if this many bytes of the frame are left.
    fn next(left: u64) -> State {
        if left > 0 { State::Message(left) } else { State::Frame }
    }
}

/// One direction of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::engine::packet) struct Side {
    state: State,
    /// Whether it has requested raw bytes, which only clients do.
    is_client: bool,
}

fn is() -> Probe<Side> {
    Probe::Is(Side::default())
}

impl Protocol for Side {
    type Session = Box<Session>;

    fn probe(data: &[u8], _: &Opening, _: &impl Slot<Self::Session>) -> Probe<Self> {
        match *data {
            [] => Probe::Maybe(1),
            [REQUEST, 0, 0, 60..=80] | [REQUEST, 0, 0, 60..=80, b' ', ..] => is(),
            [REQUEST] | [REQUEST, 0] | [REQUEST, 0, 0] => Probe::Maybe(4),
            [MESSAGE] | [MESSAGE, _] | [MESSAGE, _, _] | [MESSAGE, _, _, _] => Probe::Maybe(8),
            [MESSAGE, _, _, _, 0xfc..=0xff, ref rest @ ..] => match rest {
                [b'S', b'M', b'B', ..] => is(),
                [] | [b'S'] | [b'S', b'M'] => Probe::Maybe(8),
                _ => Probe::No,
            },
            _ => Probe::No,
        }
    }

    fn begins(data: &[u8], _: Ports) -> bool {
        matches!(data, [MESSAGE, _, _, _, 0xfc..=0xff, b'S', b'M', b'B', ..])
    }

    fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Self::Session>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        match self.state {
            State::Frame => match self.frame(data, session, context) {
                // Usually what follows has arrived, too.
                Step::Took(4) if data.len() > 4 && matches!(self.state, State::Message(_)) => {
                    match self.step(data.get(4..).unwrap_or_default(), session, context) {
                        Step::Took(length) => Step::Took(4 + length),
                        Step::Skip(length) => Step::Skip(length.saturating_add(4)),
                        _ => Step::Took(4),
                    }
                }
                step => step,
            },
            State::Message(left) => self.message(data, left, session.begin(), context),
            State::Chain { kind, left } => {
                let session = session.begin();
                let plan = v1::block(shown(data, left), left, kind, session, context);
                self.is_client |= std::mem::take(&mut session.has_asked_for_raw);
                self.follow(plan, left, 0)
            }
            State::Data { sink, bytes, after, left, chain } => {
                let known = bytes.min(data.len() as u64);
                let part = data.get(..known as usize).unwrap_or(data);
                session.begin().data(sink, part, context);
                let sink = Sink { at: sink.at.saturating_add(known), ..sink };
                if known < bytes {
                    self.state = State::Data { sink, bytes: bytes - known, after, left, chain };
                    return Step::Took(known as usize);
                }
                self.state = match chain {
                    Some(kind) => State::Chain { kind, left },
                    None => State::next(left),
                };
                Step::Skip(known.saturating_add(after))
            }
        }
    }

    fn gap<V: Visitor>(
        &mut self,
        length: u64,
        session: &mut impl Slot<Self::Session>,
        _: &mut ParseContext<'_, '_, V>,
    ) -> bool {
        match self.state {
            State::Data { sink, bytes, after, left, chain } if length <= bytes => {
                session.begin().lose(sink);
                let sink = Sink { at: sink.at.saturating_add(length), ..sink };
                self.state = State::Data { sink, bytes: bytes - length, after, left, chain };
                true
            }
            State::Data { sink, .. } => {
                session.begin().lose(sink);
                false
            }
            _ => {
                // They may have included expected raw bytes.
                if let Some(session) = session.get_mut() {
                    (session.raw_read, session.raw_write) = (None, None);
                }
                false
            }
        }
    }
}

impl Side {
    /// Carries out the plan for a message, or for the rest of one, of `length` bytes; `rest`
    /// bytes of the frame follow it.
    fn follow(&mut self, plan: Plan, length: u64, rest: u64) -> Step {
        match plan {
            Plan::Wait(wants) => {
                let max = usize::try_from(length + rest).unwrap_or(wants);
                Step::Wait(wants.min(max))
            }
            Plan::Pass => {
                self.state = State::next(rest);
                Step::Skip(length)
            }
            Plan::Next { skip, kind } => {
                self.state = State::Chain { kind, left: length.saturating_sub(skip) };
                Step::Skip(skip)
            }
            Plan::Data { from, bytes, sink, length: own, chain } => {
                let after = own.saturating_sub((from as u64).saturating_add(bytes));
                let left = length.saturating_sub(own).saturating_add(rest);
                self.state = State::Data { sink, bytes, after, left, chain };
                Step::Skip(from as u64)
            }
        }
    }

    fn frame<V: Visitor>(
        &mut self,
        data: &[u8],
        session: &mut impl Slot<Box<Session>>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let Some(length) = be24(data, 1) else { return Step::Wait(4) };
        match data.first() {
            Some(&MESSAGE)
                if session.get().is_some_and(|session| session.is_raw(self.is_client)) =>
            {
                self.raw(data, u64::from(length), session, context)
            }
            Some(&MESSAGE) => {
                self.state = State::next(u64::from(length));
                Step::Took(4)
            }
            // 17 bits of length.
            Some(&(REQUEST..=RETARGET)) => Step::Skip(4 + u64::from(length & 0x1_ffff)),
            Some(&KEEP_ALIVE) => Step::Took(4),
            _ => Step::Lost,
        }
    }

    /// A frame of `length` bytes when one without a header is expected.
    fn raw<V: Visitor>(
        &mut self,
        data: &[u8],
        length: u64,
        session: &mut impl Slot<Box<Session>>,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let known = data.get(4..).unwrap_or_default();
        if v1::may_interrupt(length) && known.len() < v1::HEADER {
            return Step::Wait(4 + v1::HEADER);
        }
        let session = session.begin();
        let raw = if self.is_client { &mut session.raw_write } else { &mut session.raw_read };
        if v1::may_interrupt(length) && v1::interrupts(known) {
            self.state = State::next(length);
        } else if let Some(raw) = raw.take().filter(|raw| raw.fits(length)) {
            let Raw { sink, max } = raw;
            let is_wanted = length > 0 && session.is_wanted(sink, context);
            if sink.is_read && (1..max).contains(&length) {
                session.ends_at(sink.key, sink.at.saturating_add(length));
            }
            if !is_wanted {
                return Step::Skip(4 + length);
            }
            self.state = State::Data { sink, bytes: length, after: 0, left: 0, chain: None };
        } else {
            self.state = State::next(length);
        }
        Step::Took(4)
    }

    /// The next message of a frame, of which `left` bytes are to come.
    fn message<V: Visitor>(
        &mut self,
        data: &[u8],
        left: u64,
        session: &mut Session,
        context: &mut ParseContext<'_, '_, V>,
    ) -> Step {
        let shown = shown(data, left);
        let whole = |wants: usize| Step::Wait(wants.min(usize::try_from(left).unwrap_or(wants)));
        if left < 4 {
            self.state = State::Frame;
            return Step::Skip(left);
        }
        let Some(magic) = shown.get(..4) else { return whole(4) };
        let (length, plan) = if magic == v2::MAGIC {
            match v2::length(shown, left) {
                Some(length) => (length, v2::message(shown, length, session, context)),
                None if left < 64 => (left, Plan::Pass),
                None => return whole(64),
            }
        } else if magic == v1::MAGIC {
            let header = v1::HEADER as u64;
            match v1::begin(shown, session) {
                Some(kind) if left > header => (left, Plan::Next { skip: header, kind }),
                None if left > header => return whole(v1::HEADER),
                _ => (left, Plan::Pass),
            }
        } else if magic == ENCRYPTED || magic == COMPRESSED {
            context.counters.note(Fault::DarkSmb);
            (left, Plan::Pass)
        } else {
            return Step::Lost;
        };
        self.follow(plan, length, left - length)
    }
}

/// What has arrived of `left` bytes.
fn shown(data: &[u8], left: u64) -> &[u8] {
    usize::try_from(left).ok().and_then(|left| data.get(..left)).unwrap_or(data)
}
