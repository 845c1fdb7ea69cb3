//! The extractor: finds observables in the bytes of a text.

use super::candidates::Candidates;
use super::classify::{Tile, class, is};
use super::percent::{continues_name, percent_at};
use super::pieces::{MAX_BEFORE, Odds, Reading, Undone};
use crate::engine::indicator::gram::GramFilter;
use crate::engine::indicator::{Kind, Observable, Where, fold::TAILS, url::MAX_URL};
use std::ops::Range;

/// How many bytes before a candidate can affect what it is.
pub const MAX_LOOKBEHIND: usize = 4096;

/// How many bytes after the beginning of a candidate can belong to it.
pub const MAX_LOOKAHEAD: usize = 2 * MAX_URL;

/// A bitmap that contains every last label.
pub static EVERY_TAIL: [u8; TAILS] = [0xff; TAILS];

/// Receives observables, and declines early what it does not want.
pub trait Visitor {
    /// A bitmap over the [slots of last
    /// labels](crate::engine::indicator::fold::tail_slot). Names are only passed on
    /// if the bit of their last label is set. If addresses are wanted, `arpa` must
    /// be included for reverse names. By default all are.
    fn tails(&self) -> &[u8] {
        &EVERY_TAIL
    }

    /// Whether a name that ends in these bytes (ASCII, in original case) can be of
    /// interest. Its last two labels are the last `pair` bytes.
    fn may_hold_name(&self, run: &[u8], pair: usize) -> bool {
        let _ = (run, pair);
        true
    }

    /// Whether a URL with this host (ASCII, in original case) can be of interest.
    fn may_hold_url(&self, host: &[u8]) -> bool {
        let _ = host;
        true
    }

    /// Whether a name with the last label `label` (in original case) can be of
    /// interest. Asked on the slow path, which does not use `tails`.
    fn may_end_in(&self, label: &[u8]) -> bool;

    /// Whether this IPv4 address can be of interest.
    fn may_hold_v4(&self, address: u32) -> bool;

    /// The same, for an address that stands at `start` in the text.
    #[inline]
    fn may_hold_v4_at(&self, address: u32, start: usize) -> bool {
        let _ = start;
        self.may_hold_v4(address)
    }

    /// Whether the run at `span`, which is of no other interest, can be the host of
    /// a URL whose path is in another field. `is_address` says that it is an
    /// address.
    fn may_hold_host(&self, span: Range<usize>, is_address: bool) -> bool {
        let _ = (span, is_address);
        false
    }

    /// Whether observables of this kind can be of interest at all.
    fn wants(&self, kind: Kind) -> bool;

    /// Receives an observable, with its origin and its position in the text.
    fn seen(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>);

    /// The filter for windows of the text that may belong to a listed string.
    /// `None` if there are no such strings.
    fn gram_filter(&self) -> Option<GramFilter<'_>> {
        None
    }

    /// Receives the position of a window that passed that filter.
    fn literal(&mut self, _at: usize) {}
}

/// Finds observables in text. Each thread needs its own; it reuses its buffers.
#[derive(Debug, Default)]
pub struct Extractor {
    decoded: Vec<u8>,
    /// Buffers for pieces with escapes; allocated for the first one.
    undone: Option<Box<Undone>>,
    tile: Tile,
    candidates: Candidates,
    /// Only take the slow path: the twin of the fast one, for tests.
    reference: bool,
}

/// The state of a visit: the text, where candidates may begin, and the receiver.
pub(super) struct Visit<'t, 'v, V> {
    pub(super) text: &'t [u8],
    pub(super) core: Range<usize>,
    pub(super) visitor: &'v mut V,
    pub(super) decoded: &'v mut Vec<u8>,
    pub(super) undone: &'v mut Option<Box<Undone>>,
    /// Bytes that are known not to end a URL: many can begin in one word.
    pub(super) urlish: Range<usize>,
    /// Which observables to pass on.
    pub(super) reading: Reading<'v>,
    /// Whether to decode percent escapes in names; not in text that was decoded
    /// already.
    pub(super) decodes: bool,
    /// Known positions of bytes that may begin an escape.
    pub(super) odds: Odds,
    pub(super) wants: Wants,
}

/// What the visitor wants, asked once.
#[derive(Clone, Copy)]
pub(super) struct Wants {
    digests: bool,
    pub(super) paths: bool,
    pub(super) emails: bool,
    pub(super) urls: bool,
    /// CVE numbers, JA4 fingerprints or wallets.
    pub(super) words: bool,
}

impl<V: Visitor> Visit<'_, '_, V> {
    #[inline]
    pub(super) fn emit(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>) {
        if !self.core.contains(&span.start) {
            return;
        }
        if self.is_far_from_escapes(observable, &span) {
            return self.visitor.seen(observable, at, span);
        }
        let reach = self.reach(observable, at, &span);
        self.emit_within(observable, at, span, reach);
    }

    /// Like `emit`, if `reach` decides on it.
    #[inline]
    pub(super) fn emit_within(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        span: Range<usize>,
        reach: Range<usize>,
    ) {
        if self.core.contains(&span.start) && self.is_ours(span.start, reach) {
            self.visitor.seen(observable, at, span);
        }
    }

    /// The byte at `at`, or a newline beyond either end.
    #[inline]
    pub(super) fn byte(&self, at: usize) -> u8 {
        self.text.get(at).copied().unwrap_or(b'\n')
    }

    /// The byte before `at`.
    #[inline]
    pub(super) fn before(&self, at: usize) -> u8 {
        match at.checked_sub(1) {
            Some(at) => self.byte(at),
            None => b'\n',
        }
    }
}

impl Extractor {
    /// Creates an extractor with empty buffers.
    pub fn new() -> Self {
        Extractor::default()
    }

    /// Creates an extractor that only takes the slow path. Tests compare the fast
    /// one with it.
    pub fn reference() -> Self {
        Extractor { reference: true, ..Extractor::default() }
    }

    /// Passes every observable that begins in `core` to `visitor`, roughly in the
    /// order of the text. The bytes of `text` around `core` are context.
    pub fn extract<V: Visitor>(&mut self, text: &[u8], core: Range<usize>, visitor: &mut V) {
        let core = core.start.min(text.len())..core.end.min(text.len());
        let wants = Wants {
            digests: visitor.wants(Kind::Md5),
            paths: visitor.wants(Kind::UrlPath),
            emails: visitor.wants(Kind::Email),
            urls: visitor.wants(Kind::Url),
            words: [Kind::Cve, Kind::Ja4, Kind::Btc].into_iter().any(|kind| visitor.wants(kind)),
        };
        let (decoded, undone) = (&mut self.decoded, &mut self.undone);
        let reading = Reading::AsItStands;
        let mut visit = Visit {
            text,
            core,
            visitor,
            decoded,
            undone,
            urlish: 0..0,
            reading,
            decodes: true,
            odds: Odds::default(),
            wants,
        };
        // Candidates begin a bounded distance before the byte that reveals them,
        // and an escape that affects one is a bounded distance before that.
        let mut at = visit.core.start.saturating_sub(MAX_BEFORE) & !63;
        // A label at the end of the text ends at the byte after it.
        let last = match visit.core.end {
            end if end < text.len() => (end + MAX_LOOKBEHIND).min(text.len() + 1),
            end => end + 1,
        };
        let mut skip = Skip::default();
        self.candidates.begin();
        while at < last {
            self.tile.fill(text, at, last);
            visit.odds.note(&self.tile, at, self.reference);
            if self.reference {
                visit.every_name(&self.tile, at, &mut skip.name);
            } else {
                self.candidates.collect(&self.tile, text, at, visit.visitor.tails());
                visit.sift(&self.candidates, &mut skip.name);
            }
            visit.others(&self.tile, at, &mut skip);
            at += self.tile.len() * 64;
        }
        visit.escapes_beyond(last, &mut skip.escape);
        visit.words();
        visit.literals();
    }
}

/// The ends of runs that were already visited.
#[derive(Default)]
pub(super) struct Skip {
    pub(super) name: usize,
    colon: usize,
    digest: usize,
    colon_piece: usize,
    name_piece: usize,
    full_stop: usize,
    escape: usize,
}

impl<V: Visitor> Visit<'_, '_, V> {
    /// Visits every run with an inner dot, on the slow path.
    pub(super) fn every_name(&mut self, tile: &Tile, first: usize, skip: &mut usize) {
        for block in 0..tile.len() {
            let (previous, masks, next) = tile.around(block);
            let mut places = masks.inner_dots(previous, next);
            while places != 0 {
                let place = first + block * 64 + places.trailing_zeros() as usize;
                places &= places - 1;
                if place >= *skip {
                    *skip = self.name_at(place).end;
                }
            }
        }
    }

    /// Visits everything but names and IPv4 addresses.
    pub(super) fn others(&mut self, tile: &Tile, first: usize, skip: &mut Skip) {
        for block in 0..tile.len() {
            let (previous, masks, next) = tile.around(block);
            let at = first + block * 64;
            if self.wants.emails {
                self.each(masks.at_signs, at, |visit, place| visit.email_at(place));
            }
            let mut places = masks.inner_colons(previous, next);
            while places != 0 {
                let place = at + places.trailing_zeros() as usize;
                places &= places - 1;
                if place >= skip.colon {
                    skip.colon = self.colon_run_at(place);
                }
            }
            if self.wants.digests && at + 64 >= skip.digest {
                skip.digest = self.digests_at(at, masks, next, skip.digest);
            }
            if self.wants.paths {
                self.each(masks.slashes, at, |visit, place| visit.path_at(place));
            }
            let slashes = masks.double_slashes(next);
            if slashes != 0 {
                self.each(slashes, at, |visit, place| visit.url_at(place));
            }
            let mut places = masks.odds | masks.escapes;
            while places != 0 {
                self.odd_at(at + places.trailing_zeros() as usize, skip);
                places &= places - 1;
            }
            let opens = masks.opens_of_digits(previous, next);
            if opens != 0 {
                self.each(opens, at, |visit, place| visit.open_at(place));
            }
        }
    }

    /// Visits what begins with an escape or a byte beyond ASCII, unless it was
    /// visited already.
    #[inline]
    fn odd_at(&mut self, place: usize, skip: &mut Skip) {
        match self.text.get(place) {
            Some(b'%') => self.percent_visit(place, skip),
            Some(0xe3 | 0xef) if place >= skip.full_stop => {
                skip.full_stop = self.full_stop_at(place);
            }
            Some(&byte) if byte < 0x80 || byte == 0xc2 => {
                if byte == b'\\'
                    && self.before(place) == b':'
                    && self.byte(place + 1) == b'\\'
                    && self.wants.urls
                {
                    self.backslashed_scheme(place);
                }
                self.escape_visit(place, &mut skip.escape);
            }
            _ => {}
        }
    }

    /// Visits what the percent sign at `place` reveals.
    fn percent_visit(&mut self, place: usize, skip: &mut Skip) {
        let Some(byte) = percent_at(self.text, place) else { return };
        if byte == b':' && self.wants.urls {
            self.percent_url_at(place);
        }
        if byte == b'@' && self.wants.emails && is(self.byte(place + 3), class::NAME) {
            self.email_between(place, place + 3);
        }
        if place >= skip.colon_piece {
            skip.colon_piece = self.escaped_colons_at(place);
        }
        if self.decodes && continues_name(byte) && place >= skip.name_piece {
            skip.name_piece = self.decoded_piece(place);
        }
    }

    #[inline]
    fn each(&mut self, mut places: u64, at: usize, mut visit: impl FnMut(&mut Self, usize)) {
        while places != 0 {
            visit(self, at + places.trailing_zeros() as usize);
            places &= places - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::fold::tail_slot;
    use proptest::prelude::*;

    /// Accepts everything that ends in one of a few labels.
    #[derive(Default)]
    struct Everything {
        tails: Vec<u8>,
        found: Vec<(Range<usize>, Where, String)>,
    }

    const LABELS: &[&[u8]] = &[b"example", b"com", b"xn--p1ai", b"arpa", b"b", b"ab"];

    impl Visitor for Everything {
        fn tails(&self) -> &[u8] {
            &self.tails
        }

        fn may_hold_name(&self, run: &[u8], pair: usize) -> bool {
            let dots = memchr::memchr_iter(b'.', &run[run.len() - pair..]).count();
            assert_eq!(dots, 1, "{:?} {pair}", String::from_utf8_lossy(run));
            assert!(pair == run.len() || run[run.len() - pair - 1] == b'.');
            true
        }

        fn may_hold_url(&self, _: &[u8]) -> bool {
            true
        }

        fn may_end_in(&self, label: &[u8]) -> bool {
            !label.is_ascii() || LABELS.iter().any(|l| tail_slot(l) == tail_slot(label))
        }

        fn may_hold_v4(&self, _: u32) -> bool {
            true
        }

        fn wants(&self, _: Kind) -> bool {
            true
        }

        fn seen(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>) {
            self.found.push((span, at, format!("{observable:?}")));
        }
    }

    fn all(
        mut extractor: Extractor,
        text: &[u8],
        cut: usize,
    ) -> Vec<(Range<usize>, Where, String)> {
        let mut visitor = Everything { tails: vec![0; TAILS], found: Vec::new() };
        for label in LABELS {
            let slot = tail_slot(label);
            visitor.tails[slot >> 3] |= 1 << (slot & 7);
        }
        extractor.extract(text, 0..cut, &mut visitor);
        extractor.extract(text, cut..text.len(), &mut visitor);
        visitor.found.sort_by_key(|(span, at, what)| (span.start, span.end, *at, what.clone()));
        visitor.found
    }

    fn both_ways(text: &[u8], cut: usize) {
        let fast = all(Extractor::new(), text, cut);
        let reference = all(Extractor::reference(), text, cut);
        let missing: Vec<_> = reference.iter().filter(|found| !fast.contains(found)).collect();
        let surplus: Vec<_> = fast.iter().filter(|found| !reference.contains(found)).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "missing {missing:?}, surplus {surplus:?}"
        );
        assert_eq!(fast.len(), reference.len());
        let whole = all(Extractor::reference(), text, 0);
        let missing: Vec<_> = whole.iter().filter(|found| !reference.contains(found)).collect();
        let surplus: Vec<_> = reference.iter().filter(|found| !whole.contains(found)).collect();
        assert!(
            missing.is_empty() && surplus.is_empty(),
            "cut at {cut}: missing {missing:?}, surplus {surplus:?}"
        );
        assert_eq!(reference.len(), whole.len(), "cut at {cut}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn fast_path_and_reference_agree(
            pieces in prop::collection::vec(prop_oneof![
                4 => "[a-c0-9_.-]{1,12}",
                3 => "[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}\\.[0-9]{1,3}",
                3 => "[a-c0-9]{1,9}\\.(example|com|EXAMPLE|xn--p1ai|arpa|ab|b)",
                1 => "[0-9a-f]{31,34}",
                1 => "[0-9a-f:.]{2,30}",
                1 => Just("%2F".to_string()),
                1 => Just("%2e".to_string()),
                1 => Just("\\n".to_string()),
                1 => Just("\\u0041".to_string()),
                1 => Just("&#46;".to_string()),
                1 => Just("\u{1b}[1m".to_string()),
                1 => Just("#011".to_string()),
                1 => Just("(2)ab(7)example(0)".to_string()),
                1 => Just("\":[97,46,98]".to_string()),
                1 => Just("http://".to_string()),
                1 => Just("é“。".to_string()),
                1 => Just("❤".to_string()),
                1 => Just("%C3%BC".to_string()),
                1 => Just("http:\\\\".to_string()),
                1 => Just("\\".to_string()),
                1 => "[0-9]{1,2}\\.[0-9]{1,2}[ /:]",
                3 => "[ \\n\\t\"'/:@=,;<>()|]{1,2}",
                1 => "[ab.]{60,70}",
            ], 1..60),
            cut in any::<prop::sample::Index>()) {
            let text = pieces.concat();
            // Percent escapes and JSON escapes are not combined in one name in practice. If they
            // nest, the pieces around both overlap, and a cut between them shows a name twice.
            let text = if text.contains('%') { text.replace("\\u0041", "A") } else { text };
            both_ways(text.as_bytes(), cut.index(text.len() + 1));
        }

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in any::<prop::sample::Index>()) {
            both_ways(&bytes, cut.index(bytes.len() + 1));
        }
    }

    /// Pieces with escapes that exceed what is decoded at once, split everywhere.
    #[test]
    fn long_pieces_wherever_they_are_cut() {
        let name = format!("{}-{}", "a.".repeat(20), "b".repeat(30));
        for escape in ["%2F", "%2e", "\\u002e", "\\u0041"] {
            let long = format!("{name}.example{escape}c.com{escape}").repeat(12);
            for text in [format!(" {long} "), format!("d.ab“{long}“。b.ab"), long.clone()] {
                for cut in 0..=text.len() {
                    if text.is_char_boundary(cut) {
                        both_ways(text.as_bytes(), cut);
                    }
                }
            }
        }
    }

    /// An address that extends over 256 bytes to either side, with an escape in it.
    #[test]
    fn long_mailboxes_wherever_they_are_cut() {
        let text = [
            "(2)ab(7)example(0)",
            "é“。",
            "&#46;",
            "a0000aaa0aa0000a0a0a00000aa0aa0",
            "0",
            "--a-a-a0_",
            "a000a00aaa0a0a0aa0aaaaa000000a0aa0",
            "0.0.0.0",
            "00.000.0.000",
            "00.00.00.00",
            "aa0000a00a0a0a0aaa0aaa0a0000000",
            "0.0.0.0",
            "0.0.00.000",
            "_0_",
            "0.000.0.00",
            "@",
            "_-a-00",
            "....a.aaaa.aa..aaa.a.....a.a..a.aaaaaaaaa.aa.aa.aa.....a...aa...aa.a",
            "-_-_0-",
            "é“。",
            "_",
            "a",
        ]
        .concat();
        for cut in (0..=text.len()).filter(|&cut| text.is_char_boundary(cut)) {
            both_ways(text.as_bytes(), cut);
        }
    }

    /// The dots of a version and of the address after it are as far apart as those of one address
    /// with a port.
    #[test]
    fn addresses_after_versions() {
        for before in ["GET / HTTP/1.0 ", "version=1.0.12:", "0.0\\", "1.2.3 ", "1.10 ", "1.2.3.4 "]
        {
            for after in [" ", "\t", ":80 ", ", ", ".80 ", ".80: ", ""] {
                let text = format!("a line that begins far before it {before}192.0.2.1{after}");
                both_ways(text.as_bytes(), 0);
                let text = format!("{before}8.8.8.8{after}");
                both_ways(text.as_bytes(), 0);
            }
        }
    }

    /// Numbers that are not quads, and the text next to them.
    #[test]
    fn numbers_that_are_no_quads() {
        for number in ["0.0", "1.2.3", "1521911721.255387", "1.2.3.4", "1.2.3.4567", "1.2.3.4.5"] {
            let far = format!("{}.", "a".repeat(130));
            let escaped = format!("%2e{far}");
            let beyond = format!("a.b.example“{far}");
            let long = [far.as_str(), &escaped, &beyond];
            for before in
                ["", ".", "..", "a.", "a..", "%2e", "é", "\\n", ":", "//"].iter().chain(&long)
            {
                for after in ["", ".", "..", "..b", ".b", "%2eb", "é", "\\u002eb", ":80", "@b"] {
                    let text = format!("{}{before}{number}{after} x", " ".repeat(60));
                    for skip in 0..text.find('x').unwrap().min(60) {
                        both_ways(&text.as_bytes()[skip..], 0);
                    }
                }
            }
        }
    }

    #[test]
    fn across_tiles() {
        let mut text = Vec::new();
        while text.len() < 40_000 {
            text.extend_from_slice(b"203.0.113.77 www.evil.example a.b.c.d 1521911721.255387 ");
            text.extend_from_slice(&b"x".repeat(text.len() % 61));
        }
        both_ways(&text, 20_000);
    }
}
