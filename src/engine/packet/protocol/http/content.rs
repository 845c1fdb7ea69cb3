//! The content of a message: its body without codings, and the file that it belongs to.
//!
//! Codings are removed in the reverse order of their listing, transfer codings first. The content
//! is a file, several files (`multipart/form-data`), a range of one, or a DNS message (RFC 8484).
//! Digests are of the content, not of what was sent, because programs that save it, and scanners
//! after them, get the content. Servers also send `a.tar.gz` with `Content-Encoding: gzip`, and
//! then programs usually save what was sent: in that case both digests are reported.
//!
//! What can no longer be decoded is abandoned and counted; the stream continues.

use super::lines::{Headers, MAX_HEADERS};
use super::names;
use super::pieces::{Form, RangeParts, Resource, begin_range, write_range};
use crate::engine::indicator::Kind;
use crate::engine::packet::payload::coding::undo;
use crate::engine::packet::payload::coding::{Coding, Spent};
use crate::engine::packet::payload::dns;
use crate::engine::packet::payload::file::File;
use crate::engine::packet::payload::ranges::{self, Key};
use crate::engine::packet::protocol::http::context::HttpContext;
use crate::engine::packet::{Fault, Visitor};
use crate::engine::progress::bound;
use memchr::memmem::Finder;
use std::sync::LazyLock;

/// Nested codings.
const MAX_CODINGS: usize = bound(4, 2);

/// The longest DNS message, and the media type of one.
const MAX_DNS: usize = u16::MAX as usize;
const DNS_TYPE: &[u8] = b"application/dns-message";
static DNS_MESSAGE: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"dns-message"));

/// What the head of a message says about its content.
#[derive(Debug, Default)]
pub(in crate::engine::packet) struct ContentFacts<'a> {
    /// The requested URL; empty if it is unknown.
    pub(super) url: &'a [u8],
    /// Whether the URL names the content.
    is_named: bool,
    /// Whether the client sends it.
    is_upload: bool,
    pub(super) content_type: &'a [u8],
    disposition: &'a [u8],
    range: &'a [u8],
    pub(super) tag: &'a [u8],
    /// In order of application.
    transfer: Vec<Coding>,
    pub(super) content: Vec<Coding>,
    has_too_many: bool,
}

impl<'a> ContentFacts<'a> {
    /// The origin only.
    pub(in crate::engine::packet) fn of(url: &'a [u8], is_named: bool, is_upload: bool) -> Self {
        ContentFacts { url, is_named, is_upload, ..ContentFacts::default() }
    }

    /// An upload. PUT names it by the URL, POST names the program that receives it.
    pub(in crate::engine::packet) fn upload(url: &'a [u8], method: &[u8]) -> Self {
        ContentFacts { url, is_named: method == b"PUT", is_upload: true, ..ContentFacts::default() }
    }

    /// A response. An error comes with an error page, which is not what the URL names.
    pub(in crate::engine::packet) fn answer(url: &'a [u8], status: u16) -> Self {
        ContentFacts { url, is_named: (200..300).contains(&status), ..ContentFacts::default() }
    }

    /// Processes a header.
    pub(in crate::engine::packet) fn header(&mut self, name: &[u8], value: &'a [u8]) {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        match name.len() {
            4 if is("ETag") => self.tag = value,
            12 if is("Content-Type") => self.content_type = value,
            13 if is("Content-Range") => self.range = value,
            16 if is("Content-Encoding") => {
                self.has_too_many |= !add_codings(value, &mut self.content);
            }
            17 if is("Transfer-Encoding") => {
                self.has_too_many |= !add_codings(value, &mut self.transfer);
            }
            19 if is("Content-Disposition") => self.disposition = value,
            _ => {}
        }
    }

    /// Processes all headers of an HTTP/1 head.
    pub(in crate::engine::packet) fn headers(mut self, headers: &'a [u8]) -> Self {
        for (name, value) in (Headers { rest: headers, left: MAX_HEADERS }) {
            self.header(name, value);
        }
        self
    }

    pub(super) fn media_type(&self) -> &'a [u8] {
        self.content_type.split(|&b| b == b';').next().unwrap_or_default().trim_ascii()
    }
}

/// Adds the codings of a list; names that are not content codings (`chunked`, `identity`,
/// `utf-8`) are skipped. Returns whether there was room.
fn add_codings(list: &[u8], codings: &mut Vec<Coding>) -> bool {
    for name in list.split(|&b| b == b',') {
        if let Some(coding) = Coding::named(name.trim_ascii()) {
            if codings.len() >= MAX_CODINGS {
                return false;
            }
            codings.push(coding);
        }
    }
    true
}

/// Whether the contents of bodies are needed. This includes headers that indicate DNS.
pub(in crate::engine::packet) fn is_wanted(headers: &[u8], visitor: &impl Visitor) -> bool {
    [Kind::Md5, Kind::Sha1, Kind::Sha256, Kind::Filename].iter().any(|&kind| visitor.wants(kind))
        || DNS_MESSAGE.find(headers).is_some()
}

/// A body in transfer.
#[derive(Debug)]
pub(in crate::engine::packet) struct Content {
    codings: Vec<Coding>,
    spent: Spent,
    sink: Sink,
    /// The same file as it was sent, if that may be what is saved.
    packed: Option<Box<File>>,
}

/// What the bytes belong to.
#[derive(Debug)]
enum Sink {
    /// To nothing: the body was abandoned.
    Nothing,
    /// A file, and whether any of its bytes have arrived.
    File(File, bool),
    Form(Form),
    Dns(Vec<u8>),
    /// A range of a file, and the offset of its next byte.
    Range(Key, u64),
    RangeParts(Box<RangeParts>),
}

impl Content {
    /// A body begins. `None` if its contents are not needed; then its bytes need not be passed.
    pub(in crate::engine::packet) fn begin<V: Visitor>(
        mut facts: ContentFacts<'_>,
        context: &mut HttpContext<'_, '_, V>,
    ) -> Option<Content> {
        if facts.has_too_many {
            context.counters.note(Fault::BadCoding);
            return None;
        }
        let media_type = facts.media_type();
        let is = |media: &[u8]| media_type.eq_ignore_ascii_case(media);
        let is_multipart =
            media_type.get(..10).is_some_and(|m| m.eq_ignore_ascii_case(b"multipart/"));
        let mut codings = std::mem::take(&mut facts.transfer);
        codings.reverse();
        let sink = if is(DNS_TYPE) {
            Sink::Dns(Vec::new())
        } else if is(b"multipart/byteranges") {
            Sink::RangeParts(Box::new(RangeParts::begin(&mut facts, context)?))
        } else if let Some(range) = ranges::parse(facts.range) {
            let encodings = std::mem::take(&mut facts.content);
            let mut name = Vec::new();
            file_name(&facts, &mut name);
            let resource = Resource { url: facts.url, tag: facts.tag, name: &name };
            let (key, at) = begin_range(range, resource, encodings, context)?;
            Sink::Range(key, at)
        } else if is_multipart
            && facts.is_upload
            && let Some(form) = Form::begin(&facts)
        {
            Sink::Form(form)
        } else {
            let mut name = Vec::new();
            file_name(&facts, &mut name);
            let file = File::begin_at("http", &name, facts.url, context.packet, context.visitor);
            if !file.is_hashed() {
                return None;
            }
            Sink::File(file, false)
        };
        // Transfer codings are removed by all programs.
        let is_saved = codings.is_empty() && !facts.content.is_empty() && is_packed(&facts);
        let packed = match &sink {
            Sink::File(file, _) if is_saved => {
                let packed = File::begin("http", None, context.packet, context.visitor);
                Some(Box::new(packed.known_like(file)))
            }
            _ => None,
        };
        // The codings of a range are those of the whole file.
        codings.extend(facts.content.drain(..).rev());
        Some(Content { codings, spent: Spent::default(), sink, packed })
    }

    /// Bytes that are held.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        let codings: usize = self.codings.iter().map(Coding::weight).sum();
        let sink = match &self.sink {
            Sink::Nothing | Sink::Range(..) => 0,
            Sink::File(file, _) => file.weight(),
            Sink::Form(form) => form.weight(),
            Sink::Dns(message) => message.capacity(),
            Sink::RangeParts(ranges) => ranges.weight(),
        };
        let packed = self.packed.as_ref().map_or(0, |file| size_of::<File>() + file.weight());
        size_of::<Content>() + codings + sink + packed
    }

    /// Whether nothing more is needed: the rest of the body need not be passed.
    pub(in crate::engine::packet) fn is_over(&self) -> bool {
        match &self.sink {
            Sink::Nothing => self.packed.is_none(),
            Sink::File(file, _) => !file.is_hashed(),
            Sink::Form(form) => form.is_over(),
            Sink::RangeParts(ranges) => ranges.is_over(),
            Sink::Dns(_) | Sink::Range(..) => false,
        }
    }

    /// The next bytes of the body.
    pub(in crate::engine::packet) fn push<V: Visitor>(
        &mut self,
        data: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) {
        let Content { codings, spent, sink, packed } = self;
        if let Some(packed) = packed {
            packed.update(data);
        }
        let budget = context.budget;
        let outcome = undo(codings, spent, budget, data, &mut |bytes| sink.push(bytes, context));
        if let Err(fault) = outcome {
            context.counters.note(fault);
            self.sink = Sink::Nothing;
        }
    }

    /// Bytes of the body are missing.
    pub(in crate::engine::packet) fn gap(&mut self, length: u64) {
        match &mut self.sink {
            Sink::Range(_, at) if self.codings.is_empty() => *at = at.saturating_add(length),
            _ if length > 0 => (self.sink, self.packed) = (Sink::Nothing, None),
            _ => {}
        }
    }

    /// The body has ended; `is_whole` unless it was cut off.
    pub(in crate::engine::packet) fn finish<V: Visitor>(
        self,
        is_whole: bool,
        context: &mut HttpContext<'_, '_, V>,
    ) {
        if let Some(packed) = self.packed {
            packed.finish(is_whole, context.packet, context.visitor);
        }
        match self.sink {
            Sink::File(file, has_bytes) => {
                file.finish(is_whole && has_bytes, context.packet, context.visitor);
            }
            Sink::Dns(message) if is_whole && !message.is_empty() => {
                dns::report(&message, context.packet, context.visitor, context.counters);
            }
            Sink::Form(form) => form.finish(context),
            _ => {}
        }
    }
}

/// Whether a name or a media type says that a file is a compressed format.
fn is_packed(facts: &ContentFacts<'_>) -> bool {
    const ENDS: [&[u8]; 6] = [b".gz", b".tgz", b".svgz", b".br", b".zst", b".tzst"];
    const TYPES: [&[u8]; 6] = [
        b"application/gzip",
        b"application/x-gzip",
        b"application/x-gtar",
        b"application/x-tgz",
        b"application/x-compressed",
        b"application/zstd",
    ];
    let mut name = Vec::new();
    file_name(facts, &mut name);
    let media_type = facts.media_type();
    let has_end = |end: &[u8]| {
        let tail = name.len().checked_sub(end.len()).and_then(|at| name.get(at..));
        tail.is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    ENDS.into_iter().any(has_end) || TYPES.iter().any(|of| media_type.eq_ignore_ascii_case(of))
}

/// The name that the head gives the content; empty if it gives none.
pub(super) fn file_name(facts: &ContentFacts<'_>, name: &mut Vec<u8>) {
    names::disposition(facts.disposition, name);
    if name.is_empty() && facts.is_named {
        names::url(facts.url, name);
    }
}

impl Sink {
    fn push<V: Visitor>(
        &mut self,
        bytes: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) -> Result<(), Fault> {
        match self {
            Sink::Nothing => {}
            Sink::File(file, has_bytes) => {
                *has_bytes |= !bytes.is_empty();
                file.update(bytes);
            }
            Sink::Form(form) => form.push(bytes, context)?,
            Sink::Dns(message) => {
                if message.len() + bytes.len() > MAX_DNS {
                    return Err(Fault::BadDns);
                }
                message.extend_from_slice(bytes);
            }
            Sink::Range(key, at) => {
                if !write_range(*key, at, bytes, context) {
                    *self = Sink::Nothing;
                }
            }
            Sink::RangeParts(ranges) => ranges.push(bytes, context)?,
        }
        Ok(())
    }
}
