//! Bodies with several parts: the files of a form, and the ranges of a file.

use super::content::{ContentFacts, file_name};
use super::names;
use super::parts::{Event, Parts};
use crate::engine::indicator::Kind;
use crate::engine::packet::payload::coding::Coding;
use crate::engine::packet::payload::file::File;
use crate::engine::packet::payload::ranges::{self, Key};
use crate::engine::packet::protocol::http::context::HttpContext;
use crate::engine::packet::{Fault, Visitor};

/// A multipart body; each part that is a file is reported separately.
#[derive(Debug)]
pub(super) struct Form {
    parts: Parts,
    url: Box<[u8]>,
    /// Parts without a file name are fields.
    is_form: bool,
    file: Option<File>,
}

/// Several ranges of a file in one body.
#[derive(Debug)]
pub(super) struct RangeParts {
    parts: Parts,
    url: Box<[u8]>,
    tag: Box<[u8]>,
    name: Box<[u8]>,
    codings: Vec<Coding>,
    /// The range that is being read, and the offset of its next byte.
    range: Option<(Key, u64)>,
}

/// What a range is of.
pub(super) struct Resource<'a> {
    pub(super) url: &'a [u8],
    /// The entity tag: ranges of other versions are of another file.
    pub(super) tag: &'a [u8],
    /// The file's name.
    pub(super) name: &'a [u8],
}

/// A range of a file begins: the first of it, or one more. Returns `None` if the file is not
/// needed, otherwise its key, and the offset of the range's next byte.
pub(super) fn begin_range<V: Visitor>(
    (first, _, total): (u64, u64, u64),
    Resource { url, tag, name }: Resource<'_>,
    mut codings: Vec<Coding>,
    context: &mut HttpContext<'_, '_, V>,
) -> Option<(Key, u64)> {
    let HttpContext { packet, visitor, counters, ranges, .. } = context;
    let key = ranges::key(packet, url, total, tag)?;
    if !ranges.is_known(key) {
        let file = File::begin_at("http", name, url, packet, *visitor);
        if !file.is_hashed() {
            return None;
        }
        codings.reverse();
        ranges.begin(key, total, codings, file, counters);
    }
    Some((key, first))
}

impl Form {
    pub(super) fn begin(facts: &ContentFacts<'_>) -> Option<Form> {
        Some(Form {
            parts: Parts::new(facts.content_type)?,
            url: facts.url.into(),
            is_form: facts.media_type().eq_ignore_ascii_case(b"multipart/form-data"),
            file: None,
        })
    }

    pub(super) fn weight(&self) -> usize {
        let file = self.file.as_ref().map_or(0, File::weight);
        self.parts.weight() + self.url.len() + file
    }

    pub(super) fn is_over(&self) -> bool {
        self.parts.is_over()
    }

    pub(super) fn push<V: Visitor>(
        &mut self,
        bytes: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) -> Result<(), Fault> {
        let Form { parts, url, is_form, file } = self;
        parts.push(bytes, &mut |event| match event {
            Event::Head(head) => {
                let mut name = Vec::new();
                let disposition = names::header(head, b"Content-Disposition").unwrap_or_default();
                names::disposition(disposition, &mut name);
                *file = (!*is_form || !name.is_empty())
                    .then(|| File::begin_at("http", &name, url, context.packet, context.visitor));
            }
            Event::Data(data) => {
                if let Some(file) = file {
                    file.update(data);
                }
            }
            Event::End => {
                if let Some(file) = file.take() {
                    file.finish(true, context.packet, context.visitor);
                }
            }
        })
    }

    /// The body is cut off.
    pub(super) fn finish<V: Visitor>(self, context: &mut HttpContext<'_, '_, V>) {
        if let Some(file) = self.file {
            file.finish(false, context.packet, context.visitor);
        }
    }
}

impl RangeParts {
    pub(super) fn begin<V: Visitor>(
        facts: &mut ContentFacts<'_>,
        context: &mut HttpContext<'_, '_, V>,
    ) -> Option<RangeParts> {
        let is_hashed =
            [Kind::Md5, Kind::Sha1, Kind::Sha256].iter().any(|&kind| context.visitor.wants(kind));
        if !is_hashed {
            return None;
        }
        let mut name = Vec::new();
        file_name(facts, &mut name);
        Some(RangeParts {
            parts: Parts::new(facts.content_type)?,
            url: facts.url.into(),
            tag: facts.tag.into(),
            name: name.into(),
            codings: std::mem::take(&mut facts.content),
            range: None,
        })
    }

    pub(super) fn weight(&self) -> usize {
        let own = self.url.len() + self.tag.len() + self.name.len();
        let codings: usize = self.codings.iter().map(Coding::weight).sum();
        size_of::<RangeParts>() + self.parts.weight() + own + codings
    }

    pub(super) fn is_over(&self) -> bool {
        self.parts.is_over()
    }

    pub(super) fn push<V: Visitor>(
        &mut self,
        bytes: &[u8],
        context: &mut HttpContext<'_, '_, V>,
    ) -> Result<(), Fault> {
        let RangeParts { parts, url, tag, name, codings, range } = self;
        parts.push(bytes, &mut |event| match event {
            Event::Head(head) => {
                let value = names::header(head, b"Content-Range").unwrap_or_default();
                *range = ranges::parse(value).and_then(|range| {
                    let codings = std::mem::take(codings);
                    begin_range(range, Resource { url, tag, name }, codings, context)
                });
            }
            Event::Data(data) => {
                if let Some((key, at)) = range {
                    write_range(*key, at, data, context);
                }
            }
            Event::End => *range = None,
        })
    }
}

/// Takes bytes of a range. Returns whether more of its file is wanted.
pub(super) fn write_range<V: Visitor>(
    key: Key,
    at: &mut u64,
    data: &[u8],
    context: &mut HttpContext<'_, '_, V>,
) -> bool {
    let HttpContext { packet, visitor, counters, ranges, budget, .. } = context;
    let is_wanted = ranges.write(key, *at, data, budget, (packet, *visitor, counters));
    *at = at.saturating_add(data.len() as u64);
    is_wanted
}
