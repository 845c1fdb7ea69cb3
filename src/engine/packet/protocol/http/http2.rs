//! HTTP/2 in clear text (RFC 9113): the same observables as in HTTP/1, and bodies.
//!
//! A client is recognised by the preface that it begins with, a server by its first frame,
//! SETTINGS; also after `Upgrade: h2c`, where the request for the upgrade becomes stream 1. A
//! connection captured from the middle is recognised by whole frames with a valid header block
//! ([`midstream`]). Each direction is parsed separately; what both need is in [`Asked`]: the URLs
//! of requests without a response, and streams that were reset.
//!
//! Header blocks are decoded as they arrive ([`hpack`]), bodies of many concurrent streams are
//! assigned to their files ([`bodies`]). Priorities, flow control, pings and extension frames are
//! ignored. A CONNECT stream, also the extended form for WebSocket (RFC 8441), tunnels something
//! else: it is counted.
//!
//! Missing bytes inside a frame cost only that frame. Otherwise the next frame must be found by
//! the possible values of its header; the compression state is lost then, and only fields that do
//! not refer to it are decoded.

mod asked;
mod bodies;
mod frame;
mod head;
mod hpack;
mod midstream;
mod opening;
mod tables;

pub(in crate::engine::packet) use asked::Asked;
pub(in crate::engine::packet) use opening::{begins, probe};

use crate::engine::packet::contract::Step;
use crate::engine::packet::protocol::http::context::HttpContext;
use crate::engine::packet::protocol::http::report::{report_request, report_response};
use crate::engine::packet::{Fault, Visitor};
use bodies::Bodies;
use frame::{Frame, Start};
use head::Head;
use opening::PREFACE;
use tables::{Allowed, Tables};

/// What the next byte belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Preface,
    /// The capture began in the middle.
    Midstream,
    /// The header of a frame.
    Frame,
    /// A part of a header block, and the padding after it.
    Block {
        left: usize,
        padding: usize,
    },
    /// A part of a body, and the padding after it.
    Data {
        left: usize,
        padding: usize,
    },
    /// Settings, of which this many bytes are left.
    Settings {
        left: usize,
    },
    /// The next frame must be found.
    Search,
}

/// A header block that is being parsed.
#[derive(Clone, Copy, Debug)]
struct Block {
    stream: u32,
    /// The stream that a push announces.
    promised: Option<u32>,
    ends_stream: bool,
    /// The rest can't be decoded.
    is_broken: bool,
}

/// One direction of an HTTP/2 connection.
#[derive(Debug)]
pub(in crate::engine::packet) struct Direction {
    is_client: bool,
    state: State,
    start: Start,
    frame: Frame,
    block: Option<Block>,
    head: Head,
    hpack: hpack::Decoder,
    bodies: Bodies,
    /// The latest stream that was seen.
    last: u32,
    /// The table size in the settings that are being parsed.
    table: Option<usize>,
    /// It began with HTTP/1, which transfers settings in a header.
    is_upgraded: bool,
    /// SETTINGS were seen.
    has_begun: bool,
}

impl Direction {
    fn new(is_client: bool) -> Self {
        Direction {
            is_client,
            state: if is_client { State::Preface } else { State::Frame },
            start: Start::default(),
            frame: Frame::default(),
            block: None,
            head: Head::default(),
            hpack: hpack::Decoder::midstream(),
            bodies: Bodies::new(is_client),
            last: 0,
            table: None,
            is_upgraded: false,
            has_begun: false,
        }
    }

    /// A direction whose beginning was not captured.
    fn midstream(is_client: bool) -> Self {
        Direction { state: State::Midstream, has_begun: true, ..Direction::new(is_client) }
    }

    /// The connection was HTTP/1 before.
    pub(in crate::engine::packet) fn set_upgraded(&mut self) {
        self.is_upgraded = true;
    }

    /// Bytes that are held.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        size_of::<Direction>() + self.head.weight() + self.hpack.weight() + self.bodies.weight()
    }

    /// Parses what comes next.
    pub(in crate::engine::packet) fn step<V: Visitor>(
        &mut self,
        data: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) -> Step {
        match self.state {
            State::Preface => {
                self.state = State::Frame;
                self.hpack = hpack::Decoder::fresh(tables::INITIAL);
                tables(context).is_begun = !self.is_upgraded;
                Step::Took(PREFACE.len())
            }
            State::Midstream => {
                // What it acknowledged before is unknown.
                tables(context).lose(self.is_client);
                self.state = State::Frame;
                Step::Again
            }
            State::Frame => self.frame(data, context),
            State::Block { left, padding } => {
                let part = data.get(..left).unwrap_or(data);
                self.fields(part, context);
                self.state = State::Block { left: left - part.len(), padding };
                self.end_part(part.len(), left - part.len(), padding, context)
            }
            State::Data { left, padding } => {
                let part = data.get(..left).unwrap_or(data);
                if self.bodies.push(self.frame.stream, part, context) {
                    self.state = State::Data { left: left - part.len(), padding };
                    return self.end_part(part.len(), left - part.len(), padding, context);
                }
                // It is not needed: the rest need not be passed.
                self.end_part(left, 0, padding, context)
            }
            State::Settings { left } => {
                self.settings(data.get(..left).unwrap_or(data), left, context)
            }
            State::Search => self.search(data),
        }
    }

    /// Parses settings.
    fn settings<V: Visitor>(
        &mut self,
        part: &[u8],
        left: usize,
        context: &mut HttpContext<'_, '_, V>,
    ) -> Step {
        let mut rest = part;
        while let Some(setting) = self.start.fill(&mut rest, 0, tables::SETTING) {
            self.table = tables::parse(setting).or(self.table);
            self.start = Start::default();
        }
        self.state = State::Settings { left: left - part.len() };
        if left == part.len() {
            self.state = State::Frame;
            tables(context).offer(self.is_client, self.table);
        }
        Step::Took(part.len())
    }

    /// SETTINGS begin, or acknowledge those of the other side.
    fn begin_settings<V: Visitor>(&mut self, context: &mut HttpContext<'_, '_, V>) {
        let tables = tables(context);
        if self.frame.is_acknowledgement() {
            match tables.acknowledge(self.is_client) {
                Allowed::Same => {}
                Allowed::Most(size) => self.hpack.allow(Some(size)),
                Allowed::Unknown => self.hpack.allow(None),
            }
        } else if self.frame.length == 0 {
            tables.offer(self.is_client, None);
        } else {
            self.table = None;
            self.state = State::Settings { left: self.frame.length };
        }
    }

    /// Bytes are missing. Returns true if parsing continues after them.
    pub(in crate::engine::packet) fn gap<V: Visitor>(
        &mut self,
        length: u64,
        context: &mut HttpContext<'_, '_, V>,
    ) -> bool {
        let lost = usize::try_from(length).unwrap_or(usize::MAX);
        let is_data = matches!(self.state, State::Data { .. });
        match &mut self.state {
            State::Data { left, padding } | State::Block { left, padding }
                if lost <= *left + *padding =>
            {
                let contents = lost.min(*left);
                *left -= contents;
                *padding -= lost - contents;
                let is_end = *left + *padding == 0;
                match contents {
                    0 => {}
                    contents if is_data => self.bodies.gap(self.frame.stream, contents as u64),
                    _ => self.break_block(),
                }
                if is_end {
                    self.end_part(0, 0, 0, context);
                }
            }
            State::Preface | State::Midstream => {}
            // A frame header cannot span a gap.
            State::Search => self.start = Start::default(),
            State::Frame | State::Block { .. } | State::Data { .. } | State::Settings { .. } => {
                self.lose(context);
            }
        }
        true
    }

    /// Parses what there is of an incomplete header block.
    pub(in crate::engine::packet) fn finish<V: Visitor>(
        &mut self,
        context: &mut HttpContext<'_, '_, V>,
    ) {
        if self.block.is_some() || !(self.start.is_empty() || self.state == State::Search) {
            context.counters.note(Fault::SplitHttp2);
        }
        self.break_block();
        self.end_block(context);
    }

    /// The beginning of the next frame is unknown, and so is the encoder's table.
    fn lose<V: Visitor>(&mut self, context: &mut HttpContext<'_, '_, V>) {
        self.break_block();
        self.end_block(context);
        self.bodies.clear();
        tables(context).lose(self.is_client);
        (self.state, self.start) = (State::Search, Start::default());
    }

    /// Searches for a byte that may begin a frame.
    fn search(&mut self, data: &[u8]) -> Step {
        let found = data.iter().position(|&byte| self.start.slide(byte, self.last));
        if found.is_some() {
            self.state = State::Frame;
        }
        Step::Took(found.map_or(data.len(), |at| at + 1))
    }

    /// Parses the header of a frame, and the prefix of its contents.
    fn frame<V: Visitor>(&mut self, data: &[u8], context: &mut HttpContext<'_, '_, V>) -> Step {
        let mut rest = data;
        let header = self.start.fill(&mut rest, 0, frame::HEADER);
        let Some(frame) = header.and_then(Frame::parse) else { return Step::Took(data.len()) };
        let is_expected = match self.block {
            Some(block) => frame.kind == frame::CONTINUATION && frame.stream == block.stream,
            None => frame.kind != frame::CONTINUATION,
        };
        if !frame.is_sound() || !is_expected {
            return self.refuse(data.len() - rest.len(), context);
        }
        let max = frame::HEADER + frame.prefix();
        let Some(prefix) = self.start.fill(&mut rest, frame::HEADER, max) else {
            return Step::Took(data.len());
        };
        let (parts, promised) = (frame.split(prefix), frame.promised(prefix));
        self.start = Start::default();
        let taken = data.len() - rest.len();
        // More padding than frame (RFC 9113, 6.1).
        let Some((left, padding)) = parts else { return self.refuse(taken, context) };
        self.frame = frame;
        self.begin_part(promised);
        let step = match frame.kind {
            frame::HEADERS | frame::PUSH_PROMISE | frame::CONTINUATION => {
                self.state = State::Block { left, padding };
                self.end_part(0, left, padding, context)
            }
            frame::DATA if self.bodies.has(frame.stream) => {
                self.state = State::Data { left, padding };
                self.end_part(0, left, padding, context)
            }
            frame::SETTINGS => {
                let is_first = !std::mem::replace(&mut self.has_begun, true);
                if is_first && !self.is_client && tables(context).is_begun {
                    self.hpack = hpack::Decoder::fresh(tables::INITIAL);
                }
                self.begin_settings(context);
                Step::Again
            }
            frame::RST_STREAM => {
                self.bodies.reset(frame.stream, context);
                Step::Skip(left as u64)
            }
            _ => Step::Skip((left + padding) as u64),
        };
        after_taken(taken, step)
    }

    /// An invalid frame: the receiver closes the connection (RFC 9113, 5.4.1), or it is not a
    /// frame.
    fn refuse<V: Visitor>(&mut self, taken: usize, context: &mut HttpContext<'_, '_, V>) -> Step {
        context.counters.note(Fault::BadHttp2);
        self.lose(context);
        after_taken(taken, Step::Again)
    }

    /// A frame with headers begins.
    fn begin_part(&mut self, promised: u32) {
        let frame = self.frame;
        self.last = self.last.max(frame.stream);
        if matches!(frame.kind, frame::HEADERS | frame::PUSH_PROMISE) {
            self.head.clear();
            self.block = Some(Block {
                stream: frame.stream,
                promised: (frame.kind == frame::PUSH_PROMISE).then_some(promised),
                ends_stream: frame.ends_stream(),
                is_broken: false,
            });
        }
    }

    /// Bytes of a frame were consumed, and `left` are left of it: it may end.
    fn end_part<V: Visitor>(
        &mut self,
        taken: usize,
        left: usize,
        padding: usize,
        context: &mut HttpContext<'_, '_, V>,
    ) -> Step {
        if left > 0 {
            return Step::Took(taken);
        }
        self.state = State::Frame;
        if self.frame.kind == frame::DATA {
            if self.frame.ends_stream() {
                self.bodies.finish(self.frame.stream, context);
            }
        } else if self.frame.ends_headers() {
            self.end_block(context);
        }
        Step::Skip((taken + padding) as u64)
    }

    /// The next bytes of a header block.
    fn fields<V: Visitor>(&mut self, part: &[u8], context: &mut HttpContext<'_, '_, V>) {
        let Direction { hpack, head, block, .. } = self;
        if block.is_some_and(|block| !block.is_broken)
            && hpack.push(part, &mut |field| head.take(field)).is_err()
        {
            context.counters.note(Fault::BadHttp2);
            self.break_block();
        }
    }

    /// The rest of a block can't be decoded, and the table is unknown from now on.
    fn break_block(&mut self) {
        self.hpack.forget();
        if let Some(block) = &mut self.block {
            block.is_broken = true;
            self.head.set_unknown();
        }
    }

    /// Reports the contents of a block.
    fn end_block<V: Visitor>(&mut self, context: &mut HttpContext<'_, '_, V>) {
        let Some(block) = self.block.take() else { return };
        if !self.hpack.end() && !block.is_broken {
            context.counters.note(Fault::BadHttp2);
            self.hpack.forget();
        }
        // If the block is broken, its fault was counted when it occurred.
        for fault in self.head.faults().filter(|_| !block.is_broken) {
            context.counters.note(fault);
        }
        if self.head.is_head() {
            if !self.is_client && block.promised.is_none() && self.head.is_request() {
                self.become_client(context);
            }
            if self.is_client || block.promised.is_some() {
                self.request(block, context);
            } else {
                self.response(block, context);
            }
        }
        if block.ends_stream {
            self.bodies.finish(block.stream, context);
        }
        self.head.clear();
    }

    /// The side that began with SETTINGS is not the server: the preface was not captured.
    fn become_client<V: Visitor>(&mut self, context: &mut HttpContext<'_, '_, V>) {
        self.is_client = true;
        self.bodies = Bodies::new(true);
        tables(context).lose(true);
    }

    fn request<V: Visitor>(&mut self, block: Block, context: &mut HttpContext<'_, '_, V>) {
        let request = self.head.request();
        // Replaced by the URL, if there is one.
        context.url.clear();
        report_request(&request, context);
        self.bodies.asked(block.promised.unwrap_or(block.stream), &self.head, context);
        if self.head.is_tunnel() {
            context.counters.note(Fault::Http2Tunnel);
        } else if block.promised.is_none() && !block.ends_stream {
            let is_named = request.method == b"PUT";
            self.bodies.begin(block.stream, &self.head, is_named, context);
        }
    }

    fn response<V: Visitor>(&mut self, block: Block, context: &mut HttpContext<'_, '_, V>) {
        let response = self.head.response();
        report_response(&response, context);
        // The final response is still to come.
        if (100..200).contains(&self.head.status()) {
            return;
        }
        let is_message = self.bodies.answered(block.stream, context);
        if is_message && !block.ends_stream {
            // The body of an error is an error page and not what the URL names.
            let is_named = (200..300).contains(&self.head.status());
            self.bodies.begin(block.stream, &self.head, is_named, context);
        }
    }
}

/// What both sides announced about their tables.
fn tables<'c, V: Visitor>(context: &'c mut HttpContext<'_, '_, V>) -> &'c mut Tables {
    &mut context.requests.asked.get_or_insert_default().tables
}

/// The same step, after bytes that were consumed before.
fn after_taken(taken: usize, step: Step) -> Step {
    match step {
        Step::Skip(length) if taken as u64 + length > 0 => Step::Skip(taken as u64 + length),
        Step::Took(length) if taken + length > 0 => Step::Took(taken + length),
        _ if taken > 0 => Step::Took(taken),
        _ => Step::Again,
    }
}

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
