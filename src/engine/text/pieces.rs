//! Decodes pieces of a text with escapes, and reads them again.
//!
//! The text itself is read as if there were no escapes. Everything that an escape
//! touches is then left out ([`Reading::AsItStands`]), and each escape leads to the
//! piece around it: up to a blank, quote or angle bracket. The piece is decoded as
//! a whole and read like any other text, except that only what an escape touches is
//! passed on ([`Reading::Undone`]), at its position in the text. So a value is
//! reported once, whichever of its characters are escaped. Which escape leads to it
//! depends only on the text (the first one that touches it), and not on where the
//! text was cut.
//!
//! Pieces only cost something if there are escapes, and a long one is decoded in
//! parts, so the work stays linear.

use super::classify::{Tile, class, is};
use super::escapes::{MAX_ESCAPE, Meaning, begins_escape, escape_at, parts};
use super::extractor::Skip;
use super::extractor::Visit;
use super::extractor::Wants;
use super::names::MAY_END_USERINFO;
use super::{MAX_LOOKAHEAD, MAX_LOOKBEHIND, Visitor};
use crate::engine::indicator::url::MAX_URL;
use crate::engine::indicator::{Observable, Where};
use std::ops::Range;

/// The maximum number of bytes to decode at once, besides their surroundings.
const PART: usize = 1 << 16;

/// An escape in a decoded piece, and where it came from.
#[derive(Clone, Debug)]
pub(super) struct Spot {
    /// Its meaning, in the decoded piece.
    pub(super) undone: Range<usize>,
    /// Its own bytes in the text.
    pub(super) source: Range<usize>,
    /// Whether it separates even without being decoded.
    pub(super) parts: bool,
}

/// A piece with its escapes decoded.
#[derive(Debug, Default)]
pub(super) struct Undone {
    pub(super) text: Vec<u8>,
    pub(super) spots: Vec<Spot>,
    tile: Tile,
}

impl Undone {
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.spots.clear();
    }

    /// Decodes the escapes in `range` of `text`.
    fn undo(&mut self, text: &[u8], range: Range<usize>) {
        self.clear();
        let mut at = range.start;
        while at < range.end {
            let rest = &text[at..range.end];
            let plain = rest.iter().position(|&byte| begins_escape(byte)).unwrap_or(rest.len());
            self.text.extend_from_slice(&rest[..plain]);
            at += plain;
            if at == range.end {
                break;
            }
            let byte = text[at];
            let Some(escape) = escape_at(text, at) else {
                self.text.push(byte);
                at += 1;
                continue;
            };
            let from = self.text.len();
            match escape.meaning {
                Meaning::Char(char) => {
                    self.text.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Meaning::Byte(byte) => self.text.push(byte),
                Meaning::Separator => self.text.push(b'\n'),
            }
            self.spots.push(Spot {
                undone: from..self.text.len(),
                source: at..at + escape.len,
                parts: parts(byte, escape.meaning),
            });
            at += escape.len.max(1);
        }
    }

    /// Whether it can contain anything of interest. Most pieces are like
    /// `Mozilla\/5.0`.
    fn may_hold(&self, wants: Wants) -> bool {
        let text = &self.text[..];
        if wants.words || !text.is_ascii() {
            return true;
        }
        let (mut dots, mut colons) = (0, 0);
        for (at, &byte) in text.iter().enumerate() {
            let next = text.get(at + 1).copied().unwrap_or(b'\n');
            match byte {
                // The last label of a name begins with a letter, and a quad has
                // three dots.
                b'.' if next.is_ascii_alphabetic() => return true,
                b'.' => dots += 1,
                b':' if next == b'/' => return true,
                b':' => colons += 1,
                b'/' if wants.paths => return true,
                b'@' | b'%' => return true,
                _ => {}
            }
        }
        dots >= 3 || colons >= 2 || has_long_hex(text)
    }
}

/// Whether there are 32 hex digits in a row: one of them is then at a multiple of
/// 32.
fn has_long_hex(text: &[u8]) -> bool {
    let is_hex = |byte: &&u8| is(**byte, class::HEX);
    (31..text.len()).step_by(32).any(|at| {
        let (head, tail) = text.split_at(at);
        let after = tail.iter().take(32).take_while(is_hex).count();
        after > 0 && after + head.iter().rev().take(32).take_while(is_hex).count() >= 32
    })
}

/// How far before an observable an escape that affects it can be: the length of a
/// user name.
pub(super) const MAX_BEFORE: usize = MAX_USERINFO + 2 * MAX_ESCAPE + 8;

/// The maximum length of a user name before a host to inspect.
const MAX_USERINFO: usize = 256;

/// The bytes of a tile, of the block before it and the one after, that may begin an
/// escape, and those beyond ASCII.
#[derive(Default)]
pub(super) struct Odds {
    /// Where the first block begins in the text.
    first: usize,
    /// Empty if nothing is known.
    blocks: Vec<u64>,
}

impl Odds {
    /// Takes those of the tile at `first`; none on the slow path, which inspects
    /// the bytes.
    #[inline]
    pub(super) fn note(&mut self, tile: &Tile, first: usize, reference: bool) {
        if reference {
            return;
        }
        // There is no block before the text.
        let masks = &tile.masks()[usize::from(first == 0)..];
        self.first = first.saturating_sub(64);
        self.blocks.resize(masks.len(), 0);
        for (block, masks) in self.blocks.iter_mut().zip(masks) {
            *block = masks.odds | masks.escapes;
        }
    }

    /// The first of them in `range`, if any; an error if that is not known.
    #[inline]
    fn next(&self, range: Range<usize>) -> Result<Option<usize>, Unknown> {
        let from = range.start.checked_sub(self.first).ok_or(Unknown)?;
        let to = range.end - self.first;
        let blocks = self.blocks.get(from / 64..to.div_ceil(64)).ok_or(Unknown)?;
        let mut hidden = u64::MAX << (from % 64);
        for (at, block) in blocks.iter().enumerate() {
            let shown = block & hidden;
            if shown != 0 {
                let place = (from / 64 + at) * 64 + shown.trailing_zeros() as usize;
                return Ok((place < to).then_some(self.first + place));
            }
            hidden = u64::MAX;
        }
        Ok(None)
    }
}

/// The masks of the tile do not reach this far.
struct Unknown;

/// Which observables a visit passes on.
#[derive(Clone)]
pub(super) enum Reading<'r> {
    /// Those of the original text that no escape touches.
    AsItStands,
    /// Those of a decoded piece that an escape touches, if the first such escape is
    /// in this range of the text.
    Undone(&'r [Spot], Range<usize>),
    /// All those of a piece that is judged as a whole.
    Whole,
}

/// Passes on observables of a decoded piece, at their original positions.
pub(super) struct Undoing<'v> {
    pub(super) visitor: &'v mut dyn Visitor,
    pub(super) spots: &'v [Spot],
    /// Where the piece begins in the text.
    pub(super) first: usize,
    /// Where an observable must begin in the text.
    pub(super) core: Range<usize>,
}

impl Undoing<'_> {
    /// Where the byte at `at` was, and where what it encodes ends.
    fn source(&self, at: usize) -> Range<usize> {
        let after = self.spots.partition_point(|spot| spot.undone.start <= at);
        match after.checked_sub(1).map(|last| &self.spots[last]) {
            None => self.first + at..self.first + at + 1,
            Some(spot) if at < spot.undone.end => spot.source.clone(),
            Some(spot) => {
                let place = spot.source.end + at - spot.undone.end;
                place..place + 1
            }
        }
    }
}

impl Visitor for Undoing<'_> {
    fn tails(&self) -> &[u8] {
        self.visitor.tails()
    }

    fn may_hold_name(&self, run: &[u8], pair: usize) -> bool {
        self.visitor.may_hold_name(run, pair)
    }

    fn may_hold_url(&self, host: &[u8]) -> bool {
        self.visitor.may_hold_url(host)
    }

    fn may_end_in(&self, label: &[u8]) -> bool {
        self.visitor.may_end_in(label)
    }

    fn may_hold_v4(&self, address: u32) -> bool {
        self.visitor.may_hold_v4(address)
    }

    fn may_hold_v4_at(&self, address: u32, start: usize) -> bool {
        self.visitor.may_hold_v4_at(address, self.source(start).start)
    }

    fn may_hold_host(&self, span: Range<usize>, is_address: bool) -> bool {
        let source = self.source(span.start).start..self.source(span.end - 1).end;
        // What contains escapes is checked when it is seen.
        source.len() != span.len() || self.visitor.may_hold_host(source, is_address)
    }

    fn wants(&self, kind: crate::engine::indicator::Kind) -> bool {
        self.visitor.wants(kind)
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>) {
        let start = self.source(span.start).start;
        let end = self.source(span.end - 1).end;
        if self.core.contains(&start) {
            self.visitor.seen(observable, at, start..end);
        }
    }
}

/// Where an observable in a decoded piece of this length can begin if its first
/// escape is in `owned`: after the last escape before those, and not far after the
/// last of them. Long URLs elsewhere need not be read to find that they belong to
/// another part.
fn beginnings(spots: &[Spot], owned: &Range<usize>, len: usize) -> Range<usize> {
    let end_before = |place: usize| {
        let count = spots.partition_point(|spot| spot.source.start < place);
        count.checked_sub(1).map(|last| spots[last].undone.end)
    };
    let end = end_before(owned.end).map_or(len, |end| end.saturating_add(MAX_LOOKBEHIND).min(len));
    end_before(owned.start).unwrap_or(0).min(end)..end
}

/// Whether no value continues across a byte, in any case.
fn is_hard(byte: u8) -> bool {
    HARD[usize::from(byte)]
}

static HARD: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = matches!(byte as u8, 0..=b' ' | b'"' | b'<' | b'>' | b'`' | 0x7f);
        byte += 1;
    }
    table
};

/// Whether something may begin with this byte.
fn may_begin(byte: u8, wants: Wants) -> bool {
    is(byte, class::NAME | class::DOT | class::COLON) || byte == b'/' && wants.paths
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Whether an observable at `start`, affected by the text in `reach`, belongs to this reading.
    pub(super) fn is_ours(&self, start: usize, reach: Range<usize>) -> bool {
        match &self.reading {
            Reading::AsItStands => !self.is_touched(reach),
            Reading::Undone(spots, owned) => {
                let from = |at: usize| spots.partition_point(|spot| spot.undone.end < at);
                let touches = |spot: &&Spot| match spot.parts {
                    true => spot.undone.start < reach.end,
                    false => spot.undone.start <= reach.end,
                };
                // Of the escapes that touch it, the first one inside counts, or
                // else the last one before it: that one is also near it in the
                // text, however long escapes are.
                let (first, inside) = (from(reach.start), from(start));
                let owner = spots.get(inside).filter(touches);
                let owner = owner.or_else(|| spots.get(first..inside)?.last());
                owner.is_some_and(|spot| owned.contains(&spot.source.start))
            }
            Reading::Whole => true,
        }
    }

    /// Whether no escape can be close enough to `span` to affect it, as far as the
    /// tile's masks show.
    #[inline]
    pub(super) fn is_far_from_escapes(
        &self,
        observable: Observable<'_>,
        span: &Range<usize>,
    ) -> bool {
        let is_mailbox = matches!(observable, Observable::Email(_));
        let may_be_host = self.before(span.start) == b'@' || self.byte(span.end) == b'@';
        let before = if is_mailbox || may_be_host { MAX_BEFORE } else { 2 * MAX_ESCAPE + 8 };
        let after = (span.end + MAX_ESCAPE + 8).min(self.text.len());
        matches!(self.reading, Reading::AsItStands)
            && matches!(self.odds.next(span.start.saturating_sub(before)..after), Ok(None))
    }

    /// Whether an escape is in or next to `reach`. A separator after it does not
    /// touch it, since it separates without being decoded.
    fn is_touched(&self, reach: Range<usize>) -> bool {
        let from = reach.start.saturating_sub(MAX_ESCAPE);
        let to = (reach.end + 1).min(self.text.len());
        let mut at = from;
        while let Some(place) = self.next_odd(at..to) {
            if begins_escape(self.text[place])
                && let Some(escape) = escape_at(self.text, place)
            {
                let as_it_stands =
                    escape.doubtful.is_some_and(|slashes| place + slashes == reach.start);
                let is_before = place + escape.len < reach.start;
                let parts = parts(self.text[place], escape.meaning);
                if !is_before && !as_it_stands && (place < reach.end || !parts) {
                    return true;
                }
            }
            at = place + 1;
        }
        false
    }

    /// The first byte in `range` that may begin an escape.
    #[inline]
    fn next_odd(&self, range: Range<usize>) -> Option<usize> {
        if range.is_empty() {
            return None;
        }
        self.odds.next(range.clone()).unwrap_or_else(|Unknown| {
            let found = self.text[range.clone()].iter().position(|&byte| begins_escape(byte))?;
            Some(range.start + found)
        })
    }

    /// The text that affects an observable at `span`: for a host or a mailbox
    /// everything before it in an authority, for an address also its port.
    pub(super) fn reach(
        &self,
        observable: Observable<'_>,
        at: Where,
        span: &Range<usize>,
    ) -> Range<usize> {
        let mut reach = span.clone();
        let is_mailbox = matches!(observable, Observable::Email(_)) || at == Where::EmailDomain;
        if is_mailbox || self.before(span.start) == b'@' || self.byte(span.end) == b'@' {
            let floor = span.start.saturating_sub(MAX_USERINFO);
            let ends = |&&byte: &&u8| !MAY_END_USERINFO[usize::from(byte)];
            let before = self.text[floor..span.start].iter().rev();
            reach.start -= before.take_while(ends).count();
        }
        if let Observable::Address(..) = observable {
            // The text before the bracket shows whether it is the host of a URL.
            reach.start -= usize::from(self.before(reach.start) == b'[');
            reach.end += usize::from(self.byte(reach.end) == b']');
            if self.byte(reach.end) == b':' {
                let digits = self.text[reach.end + 1..].iter().take(6);
                reach.end += 1 + digits.take_while(|b| b.is_ascii_digit()).count();
            }
        }
        // The slashes before an authority show that it is one.
        let slashes = self.text[..reach.start].iter().rev().take(2);
        reach.start -= slashes.take_while(|&&byte| byte == b'/').count();
        // After the end of a sentence it may continue, as after a label.
        let ends = |byte: &&u8| matches!(byte, b'.' | b':');
        let before = &self.text[reach.start.saturating_sub(MAX_ESCAPE)..reach.start];
        reach.start -= before.iter().rev().take_while(ends).count();
        let after = &self.text[reach.end.min(self.text.len())..];
        reach.end += after.iter().take(MAX_ESCAPE).take_while(ends).count();
        reach
    }

    /// Visits what the byte at `place` may begin: an escape. `skip` is how far
    /// escapes were already visited.
    #[inline]
    pub(super) fn escape_visit(&mut self, place: usize, skip: &mut usize) {
        if place < *skip || !matches!(self.reading, Reading::AsItStands) {
            return;
        }
        if let Some(escape) = escape_at(self.text, place) {
            let after = place + escape.len;
            let parts = parts(self.text[place], escape.meaning);
            let goes_on = may_begin(self.byte(after), self.wants)
                || escape_at(self.text, after).is_some_and(|next| !next.separates());
            if parts && !goes_on {
                return;
            }
            let first = if parts { place } else { self.piece_start(place) };
            *skip = self.piece(first, place, after);
        }
    }

    /// Where the piece with an escape at `place` begins, including the byte before
    /// it, which may affect it. Nothing of interest begins far before the core.
    fn piece_start(&self, place: usize) -> usize {
        let floor = place.saturating_sub(MAX_URL);
        let floor = floor.max(self.core.start.saturating_sub(MAX_LOOKBEHIND)).min(place);
        let hard = self.text[floor..place].iter().rposition(|&byte| is_hard(byte));
        hard.map_or(floor, |at| floor + at)
    }

    /// Where the piece that continues at `from` ends, at most at `limit`.
    fn piece_end(&self, from: usize, limit: usize) -> usize {
        let from = from.min(self.text.len());
        let limit = limit.clamp(from, self.text.len());
        let hard = self.text[from..limit].iter().position(|&byte| is_hard(byte));
        hard.map_or(limit, |at| from + at)
    }

    /// Reads the piece that begins at `first` and continues at `after`, for its
    /// escapes from `place`. Returns how far they are finished.
    fn piece(&mut self, first: usize, place: usize, after: usize) -> usize {
        let part = after.max(place + PART);
        let end = self.piece_end(after, part + MAX_LOOKAHEAD);
        let done = end.min(part);
        let mut undone = self.undone.take().unwrap_or_default();
        undone.undo(self.text, first..(end + 1).min(self.text.len()));
        if undone.may_hold(self.wants) {
            let Undone { text, spots, tile } = &mut *undone;
            let (text, spots): (&[u8], &[Spot]) = (text, spots);
            let core = self.core.clone();
            let mut visitor = Undoing { visitor: &mut *self.visitor, spots, first, core };
            let (mut decoded, mut inner) = (std::mem::take(self.decoded), None);
            let mut visit = Visit {
                text,
                core: beginnings(spots, &(place..done), text.len()),
                visitor: &mut visitor,
                decoded: &mut decoded,
                undone: &mut inner,
                urlish: 0..0,
                reading: Reading::Undone(spots, place..done),
                decodes: true,
                odds: Odds::default(),
                wants: self.wants,
            };
            visit.read(tile);
            *self.decoded = decoded;
        }
        *self.undone = Some(undone);
        done
    }

    /// Reads everything in the text, on the slow path.
    pub(super) fn read(&mut self, tile: &mut Tile) {
        let mut skip = Skip::default();
        let mut at = 0;
        while at < self.text.len() {
            tile.fill(self.text, at, self.text.len() + 1);
            self.every_name(tile, at, &mut skip.name);
            self.others(tile, at, &mut skip);
            at += tile.len() * 64;
        }
        if self.wants.words {
            self.words();
        }
    }

    /// Visits the escapes after `last` in the piece that extends beyond the core: a
    /// long URL may begin in the core and have its first escape there.
    pub(super) fn escapes_beyond(&mut self, last: usize, skip: &mut usize) {
        let end = self.piece_end(self.core.end, self.core.end + MAX_LOOKAHEAD);
        for place in last..end {
            if begins_escape(self.text[place]) {
                self.escape_visit(place, skip);
            }
        }
    }

    /// Reads a text that had another form in `source`, as if it were there; `spots`
    /// map its parts.
    pub(super) fn transcribed(&mut self, undone: &mut Undone, source: &Range<usize>) {
        let Undone { text, spots, tile } = undone;
        let (text, spots): (&[u8], &[Spot]) = (text, spots);
        let mut visitor = Undoing {
            visitor: &mut *self.visitor,
            spots,
            first: source.start,
            core: 0..usize::MAX,
        };
        let (mut decoded, mut inner) = (Vec::new(), None);
        let mut visit = Visit {
            text,
            core: 0..text.len(),
            visitor: &mut visitor,
            decoded: &mut decoded,
            undone: &mut inner,
            urlish: 0..0,
            reading: Reading::AsItStands,
            decodes: true,
            odds: Odds::default(),
            wants: self.wants,
        };
        visit.read(tile);
    }
}
