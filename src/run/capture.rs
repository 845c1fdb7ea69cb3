//! One capture from its first packet to its last.

use crate::Result;
use crate::database::{Database, MappedFile, Section};
use crate::indicator::{Kind, Observable, PacketPlace, Place, Timestamp, Where};
use crate::input::capture::{self, Capture, CaptureStream};
use crate::input::{Input, Opened, Target};
use crate::packet::{self, Config, Decoder, FlowEnd, Frame, Packet, Said, Visitor};
use crate::scan::{Hit, Match, Scanner, Seen};
use std::collections::VecDeque;
use std::sync::Arc;

/// A capture that was opened: mapped where it is a plain file, else read once.
pub(super) enum Source {
    Mapped(MappedFile),
    Stream(CaptureStream),
}

impl Source {
    pub(super) fn of(input: Input, target: &Target) -> Result<Source> {
        Ok(match (input.into_opened(), target) {
            (Opened::Stream(stream), _) => Source::Stream(CaptureStream::new(stream)),
            (Opened::Seekable(_), Target::Path(path)) => Source::Mapped(MappedFile::open(path)?),
            (Opened::Seekable(file), Target::Stdin) => {
                Source::Stream(CaptureStream::new(file.into_stream()))
            }
        })
    }

    /// Bytes that were read so far.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Source::Mapped(map) => map.len() as u64,
            Source::Stream(stream) => stream.bytes(),
        }
    }

    /// Shows every packet to `visitor`, while it goes on. The error, if any, is about
    /// what could not be read; everything before it was shown.
    pub(super) fn walk<V: Follower>(&mut self, visitor: &mut V) -> (packet::Counters, Result<()>) {
        let mut decoder = Decoder::new(Config::default());
        let outcome = match self {
            Source::Mapped(map) => Capture::new(map).and_then(|capture| {
                for packet in capture {
                    decoder.frame(&frame(&packet?), visitor);
                    if !visitor.goes_on() {
                        break;
                    }
                }
                Ok(())
            }),
            Source::Stream(stream) => loop {
                match stream.next() {
                    Some(Ok(packet)) => decoder.frame(&frame(&packet), visitor),
                    Some(Err(error)) => break Err(error),
                    None => break Ok(()),
                }
                if !visitor.goes_on() {
                    break Ok(());
                }
            },
        };
        decoder.finish(visitor);
        (decoder.counters().clone(), outcome)
    }
}

/// A visitor that may have seen enough.
pub(super) trait Follower: Visitor {
    /// Whether anybody still takes what it finds.
    fn goes_on(&self) -> bool;
}

fn frame<'a>(packet: &capture::Packet<'a>) -> Frame<'a> {
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
/// that are known by then.
pub(super) struct Hunter<'s, 'd, 'h> {
    scanner: &'s mut Scanner,
    database: &'d Database,
    path: &'s Arc<str>,
    waiting: VecDeque<Waiting<'d>>,
    hand_on: &'h mut dyn FnMut(Vec<Hit<'d>>) -> bool,
    go_on: bool,
}

struct Waiting<'d> {
    hit: Hit<'d>,
    /// The flow whose totals are still missing.
    flow: Option<u64>,
}

impl<'s, 'd, 'h> Hunter<'s, 'd, 'h> {
    pub(super) fn new(
        scanner: &'s mut Scanner,
        database: &'d Database,
        path: &'s Arc<str>,
        hand_on: &'h mut dyn FnMut(Vec<Hit<'d>>) -> bool,
    ) -> Self {
        Hunter { scanner, database, path, waiting: VecDeque::new(), hand_on, go_on: true }
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
            ready.extend(self.waiting.pop_front().map(|waiting| waiting.hit));
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
        let mut found: Vec<(Seen, Vec<Match<'d>>)> = Vec::new();
        self.scanner.observe(self.database, observable, at, packet.time, |seen, matches| {
            found.push((seen, matches));
        });
        let any = !found.is_empty();
        for (seen, matches) in found {
            let mut place: PacketPlace = packet.place(self.path, false, said);
            if !of_flow {
                place.flow = None;
            }
            let place = Place::Packet(Box::new(place));
            let flow = of_flow.then_some(packet.flow_id);
            self.waiting.push_back(Waiting { hit: Hit { seen, matches, place }, flow });
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
                if let Place::Packet(place) = &mut waiting.hit.place {
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
}
