//! One capture from its first packet to its last.

use super::told::Told;
use crate::Result;
use crate::alert::Origin;
use crate::database::{Database, Section};
use crate::indicator::{Kind, Observable, PacketPlace, Place, Timestamp, Where};
use crate::input::capture::{self, CaptureStream};
use crate::input::{Input, Opened};
use crate::packet::{self, Config, Decoder, FlowEnd, Frame, Packet, Said, Visitor};
use crate::scan::{Hit, Match, Scanner, Seen};
use std::collections::VecDeque;
use std::sync::Arc;

/// A capture that is read once, plain files too. Mapping them was tried: faulting the map
/// in cost up to a third more user time than reading through a small window (then `wiresift
/// scan -j 1 FILE` against `wiresift scan -j 1 - <FILE`, with the files of `make packets`),
/// and a file that got shorter under way raised a signal where it now just ends.
pub(super) fn opened(input: Input) -> CaptureStream {
    CaptureStream::new(match input.into_opened() {
        Opened::Stream(stream) => stream,
        Opened::Seekable(file) => file.into_stream(),
    })
}

/// Shows every packet to `visitor`, while it goes on. The error, if any, is about
/// what could not be read; everything before it was shown.
pub(super) fn walk<V: Follower>(
    capture: &mut CaptureStream,
    config: &Config,
    visitor: &mut V,
) -> (packet::Counters, Result<()>) {
    let mut decoder = Decoder::new(config.clone());
    let outcome = loop {
        match capture.next() {
            Some(Ok(packet)) => decoder.frame(&frame(&packet), visitor),
            Some(Err(error)) => break Err(error),
            None => break Ok(()),
        }
        if !visitor.goes_on() {
            break Ok(());
        }
    };
    decoder.finish(visitor);
    (decoder.counters().clone(), outcome)
}

/// A visitor that may have seen enough.
pub(super) trait Follower: Visitor {
    /// Whether anybody still takes what it finds.
    fn goes_on(&self) -> bool;
}

/// A packet as the decoder takes it.
pub(super) fn frame<'a>(packet: &capture::Packet<'a>) -> Frame<'a> {
    Frame {
        number: packet.number,
        time: Timestamp(packet.time),
        linktype: packet.linktype,
        length: packet.length,
        data: packet.data,
    }
}

/// Alerts that wait for the totals of their flow.
const MOST_WAITING: usize = 16 << 10;

/// Looks up what the decoder finds.
///
/// An address is reported once for a flow, in the place of the flow's first packet
/// and with the flow's totals. So hits wait until the flows of all hits before them
/// are closed, or until too many wait; then the first ones go on with the totals
/// that are known by then. On a live interface nobody waits: an alert about an
/// address has the totals of its first packet.
pub(super) struct Hunter<'s, 'd, 'h> {
    scanner: &'s mut Scanner,
    database: &'d Database,
    path: &'s Arc<str>,
    /// Whether `path` names an interface.
    is_live: bool,
    waiting: VecDeque<Waiting<'d>>,
    told: Told,
    hand_on: &'h mut dyn FnMut(Vec<Caught<'d>>) -> bool,
    go_on: bool,
}

/// A hit, and the database that found it, where that is not in force any more.
pub(super) struct Caught<'d> {
    pub(super) hit: Hit<'d>,
    pub(super) found_by: Option<Arc<Origin>>,
}

/// What met indicators in a packet.
type Found<'d> = Vec<(Seen, Vec<Match<'d>>)>;

pub(super) struct Waiting<'d> {
    caught: Caught<'d>,
    /// The flow whose totals are still missing.
    flow: Option<u64>,
}

impl<'s, 'd, 'h> Hunter<'s, 'd, 'h> {
    pub(super) fn new(
        scanner: &'s mut Scanner,
        database: &'d Database,
        path: &'s Arc<str>,
        hand_on: &'h mut dyn FnMut(Vec<Caught<'d>>) -> bool,
    ) -> Self {
        let (waiting, told) = (VecDeque::new(), Told::default());
        let is_live = false;
        Hunter { scanner, database, path, is_live, waiting, told, hand_on, go_on: true }
    }

    /// One that hands on each hit at once, with `interface` for its place.
    pub(super) fn live(
        scanner: &'s mut Scanner,
        database: &'d Database,
        interface: &'s Arc<str>,
        hand_on: &'h mut dyn FnMut(Vec<Caught<'d>>) -> bool,
    ) -> Self {
        Hunter { is_live: true, ..Hunter::new(scanner, database, interface, hand_on) }
    }

    /// Takes what waited in the hunter before it, which worked with another database.
    pub(super) fn with_waiting(self, waiting: VecDeque<Waiting<'static>>) -> Self {
        Hunter { waiting, ..self }
    }

    /// Gives up what waits, for the hunter behind it. `origin` is of the database of
    /// this one.
    pub(super) fn into_waiting(self, origin: &Arc<Origin>) -> VecDeque<Waiting<'static>> {
        let own = |Waiting { caught: Caught { hit, found_by }, flow }| {
            let found_by = found_by.or_else(|| Some(Arc::clone(origin)));
            Waiting { caught: Caught { hit: Hit::into_owned(hit), found_by }, flow }
        };
        self.waiting.into_iter().map(own).collect()
    }

    /// Hands on everything that waits.
    pub(super) fn finish(&mut self) {
        self.release(0);
    }

    /// Hands on the hits in front that wait for nothing, and as many more as it takes
    /// to keep at most `most`.
    fn release(&mut self, most: usize) {
        let mut ready = Vec::new();
        while let Some(first) = self.waiting.front() {
            if first.flow.is_some() && self.waiting.len() <= most {
                break;
            }
            ready.extend(self.waiting.pop_front().map(|waiting| waiting.caught));
        }
        if !ready.is_empty() && self.go_on {
            self.go_on = (self.hand_on)(ready);
        }
    }

    fn look_up(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        packet: &Packet<'_>,
        said: Said<'_>,
        of_flow: bool,
    ) -> bool {
        let mut found: Found<'d> = Vec::new();
        self.scanner.observe(self.database, observable, at, packet.time, |seen, matches| {
            found.push((seen, matches));
        });
        self.take(found, packet, said, of_flow)
    }

    /// Makes hits of what was found in a packet. Returns whether there are any.
    fn take(
        &mut self,
        found: Found<'d>,
        packet: &Packet<'_>,
        said: Said<'_>,
        of_flow: bool,
    ) -> bool {
        let any = !found.is_empty();
        for (seen, matches) in found {
            let mut place: PacketPlace = packet.place(self.path, self.is_live, said);
            if !of_flow {
                place.flow = None;
            }
            let place = Place::Packet(Box::new(place));
            let flow = (of_flow && !self.is_live).then_some(packet.flow_id);
            let caught = Caught { hit: Hit { seen, matches, place }, found_by: None };
            self.waiting.push_back(Waiting { caught, flow });
        }
        any
    }
}

impl Follower for Hunter<'_, '_, '_> {
    fn goes_on(&self) -> bool {
        self.go_on
    }
}

impl Visitor for Hunter<'_, '_, '_> {
    fn flow_opened(&mut self, packet: &Packet<'_>) -> bool {
        let (src_port, dst_port) = match packet.ports {
            packet::Ports::Pair(src, dst) => (Some(src), Some(dst)),
            _ => (None, None),
        };
        let src = Observable::Address(packet.src, src_port);
        let dst = Observable::Address(packet.dst, dst_port);
        let a = self.look_up(src, Where::IpSrc, packet, Said::None, true);
        let b = self.look_up(dst, Where::IpDst, packet, Said::None, true);
        if a || b {
            self.release(MOST_WAITING);
        }
        a || b
    }

    fn flow_closed(&mut self, flow: &FlowEnd) {
        if !flow.is_wanted {
            return;
        }
        for waiting in &mut self.waiting {
            if waiting.flow == Some(flow.flow_id) {
                waiting.flow = None;
                if let Place::Packet(place) = &mut waiting.caught.hit.place {
                    place.flow = Some(flow.totals);
                }
            }
        }
        self.release(MOST_WAITING);
    }

    fn wants(&self, kind: Kind) -> bool {
        let database = self.database;
        match kind.digest_len() {
            Some(16) => database.has(Section::Digest16),
            Some(20) => database.has(Section::Digest20),
            Some(32) => database.has(Section::Digest32),
            Some(_) => true,
            None => database.has_words_of(kind) || database.has_patterns(kind),
        }
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, packet: &Packet<'_>, said: Said<'_>) {
        if self.look_up(observable, at, packet, said, false) {
            self.release(MOST_WAITING);
        }
    }

    fn text(&mut self, text: &[u8], at: Where, packet: &Packet<'_>, said: Said<'_>) {
        let mut found = Vec::new();
        let Hunter { scanner, database, told, .. } = self;
        scanner.scan_carried(database, text, at, packet.time, |seen, matches| {
            if told.is_new(packet, seen.kind, &seen.value, seen.at) {
                found.push((seen, matches));
            }
        });
        if self.take(found, packet, said, false) {
            self.release(MOST_WAITING);
        }
    }
}
