//! From the bytes of a log to observables.
//!
//! Two phases. [`mod@classify`] turns each block of 64 bytes into bit masks: name
//! characters, dots, hex digits, colons, and so on. The [`Extractor`] then visits
//! only the places where the masks say that a candidate can be: a dot between two
//! name characters (addresses and names), an at sign, a colon among hex digits, a
//! long run of hex digits, a `//`. Nothing else in the text is touched.
//!
//! A candidate is judged by what stands around it, at most a few kilobytes to
//! either side, never by its line. So the result does not depend on how the input
//! was cut into chunks: a chunk names the range in which candidates begin, and
//! brings the bytes around it as context ([`MAX_BEHIND`], [`MAX_AHEAD`]).
//!
//! Whoever wants the observables implements [`Visitor`], whose cheap questions
//! (`may_end_in`, `may_hold_v4`) come first, so that most candidates are dropped
//! after one load and one bit test. The room does no I/O and, in steady state, no
//! allocation.

pub mod classify;
mod digests;
mod emails;
mod escapes;
pub mod fields;
mod names;
mod urls;
mod v6;
mod words;

use crate::indicator::{Kind, Observable, Where, url::MAX_URL};
use classify::{Masks, classify};
use std::ops::Range;

/// How many bytes before a candidate can decide what it is.
pub const MAX_BEHIND: usize = 4096;
/// How many bytes behind the beginning of a candidate can belong to it.
pub const MAX_AHEAD: usize = 2 * MAX_URL;

/// Takes observables, and says early what it will not take.
pub trait Visitor {
    /// Whether a name whose last label is `label` (in its case in the text, ASCII)
    /// can be of interest.
    fn may_end_in(&self, label: &[u8]) -> bool;

    /// Whether this IPv4 address can be of interest.
    fn may_hold_v4(&self, address: u32) -> bool;

    /// Whether observables of this kind can be of interest at all.
    fn wants(&self, kind: Kind) -> bool;

    /// An observable, where it came from, and its bytes in the text.
    fn seen(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>);
}

/// Finds observables in text. One for each thread; it keeps its buffers.
#[derive(Debug, Default)]
pub struct Extractor {
    decoded: Vec<u8>,
}

/// What a visit needs: the text, where candidates may begin, and who takes them.
struct Visit<'t, 'v, V> {
    text: &'t [u8],
    core: Range<usize>,
    visitor: &'v mut V,
    decoded: &'v mut Vec<u8>,
    /// Whether escapes inside a name are decoded; not in what was decoded already.
    decodes: bool,
}

impl<V: Visitor> Visit<'_, '_, V> {
    #[inline]
    fn emit(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>) {
        if self.core.contains(&span.start) {
            self.visitor.seen(observable, at, span);
        }
    }

    /// The byte at `at`, or a newline beyond either end.
    #[inline]
    fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    /// The byte before `at`.
    #[inline]
    fn before(&self, at: usize) -> u8 {
        match at.checked_sub(1) {
            Some(at) => self.byte(at),
            None => b'\n',
        }
    }
}

impl Extractor {
    /// An extractor with empty buffers.
    pub fn new() -> Self {
        Extractor::default()
    }

    /// Hands every observable that begins in `core` to `visitor`, roughly in the
    /// order of the text. The bytes of `text` around `core` are context.
    pub fn extract<V: Visitor>(&mut self, text: &[u8], core: Range<usize>, visitor: &mut V) {
        let core = core.start.min(text.len())..core.end.min(text.len());
        let mut visit = Visit { text, core, visitor, decoded: &mut self.decoded, decodes: true };
        let wants_v6 = visit.visitor.wants(Kind::Ip);
        let wants_digests = visit.visitor.wants(Kind::Md5);
        let wants_paths = visit.visitor.wants(Kind::UrlPath);
        // Candidates begin a bounded way before the place that gives them away.
        let first = visit.core.start.saturating_sub(64) & !63;
        let last = (visit.core.end + MAX_BEHIND).min(text.len());
        let mut blocks = Blocks::new(text, first);
        let mut skip = Skip::default();
        while blocks.at < last {
            let (previous, masks, next) = blocks.advance();
            let at = blocks.at - 64;
            let mut places = masks.inner_dots(&previous, &next);
            while places != 0 {
                let place = at + places.trailing_zeros() as usize;
                places &= places - 1;
                if place >= skip.name {
                    skip.name = visit.name_at(place);
                }
            }
            let mut places = masks.at_signs;
            while places != 0 {
                visit.email_at(at + places.trailing_zeros() as usize);
                places &= places - 1;
            }
            if wants_v6 || wants_digests {
                let mut places = masks.inner_colons(&previous, &next);
                while places != 0 {
                    let place = at + places.trailing_zeros() as usize;
                    places &= places - 1;
                    if place >= skip.colon {
                        skip.colon = visit.colon_run_at(place);
                    }
                }
            }
            if wants_digests && at + 64 >= skip.digest {
                skip.digest = visit.digests_at(at, &masks, &next, skip.digest);
            }
            if wants_paths {
                let mut places = masks.slashes;
                while places != 0 {
                    visit.path_at(at + places.trailing_zeros() as usize);
                    places &= places - 1;
                }
            }
            let mut places = masks.double_slashes(&next);
            while places != 0 {
                visit.url_at(at + places.trailing_zeros() as usize);
                places &= places - 1;
            }
        }
        visit.escaped_urls();
        visit.words();
    }
}

/// Ends of runs that were visited already.
#[derive(Default)]
struct Skip {
    name: usize,
    colon: usize,
    digest: usize,
}

/// Masks of a block and of its neighbours, block by block.
struct Blocks<'t> {
    text: &'t [u8],
    at: usize,
    previous: Masks,
    current: Masks,
    next: Masks,
}

impl<'t> Blocks<'t> {
    /// Stands before the block at `first`, a multiple of 64.
    fn new(text: &'t [u8], first: usize) -> Self {
        let before = first.checked_sub(64).map(|at| block(text, at)).unwrap_or_default();
        Blocks {
            text,
            at: first,
            previous: Masks::default(),
            current: before,
            next: block(text, first),
        }
    }

    /// Goes on by one block; `at` is then behind it.
    #[inline]
    fn advance(&mut self) -> (Masks, Masks, Masks) {
        self.previous = self.current;
        self.current = self.next;
        self.at += 64;
        self.next = block(self.text, self.at);
        (self.previous, self.current, self.next)
    }
}

#[inline]
fn block(text: &[u8], at: usize) -> Masks {
    match text.get(at..at + 64).and_then(|bytes| bytes.first_chunk::<64>()) {
        Some(bytes) => classify(bytes),
        None => {
            let mut bytes = [b'\n'; 64];
            let rest = text.get(at..).unwrap_or(&[]);
            bytes[..rest.len()].copy_from_slice(rest);
            classify(&bytes)
        }
    }
}
