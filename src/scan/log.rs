//! Text against the database.

use super::lines::{Lines, MAX_RECORD, excerpt, line_around};
use super::{Hit, Match, Scanner, Seen, literals};
use crate::database::{Database, Section};
use crate::indicator::gram::{self, GramFilter};
use crate::indicator::{
    Kind, LogPlace, Observable, Place, Timestamp, Where, address, domain, refang,
};
use crate::text::fields::{Format, digest_kinds};
use crate::text::{EVERY_TAIL, Visitor};
use hashbrown::HashSet;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

/// Where a text came from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The path as it was given.
    pub path: Arc<str>,
    /// What the head of the file says of its lines.
    pub format: Arc<Format>,
    /// Offset of the first byte of the text in the decompressed stream.
    pub offset: u64,
    /// When it was read: the time of lines that carry none.
    pub read_at: Timestamp,
}

impl Origin {
    /// A text that begins at offset 0 and has no known format.
    pub fn new(path: &str) -> Self {
        Origin {
            path: path.into(),
            format: Arc::new(Format::of_head(b"")),
            offset: 0,
            read_at: Timestamp(0),
        }
    }
}

/// A candidate that met entries.
struct Candidate {
    span: Range<usize>,
    at: Where,
    kind: Kind,
}

impl Scanner {
    /// Holds the observables that begin in `core` against the database, and hands
    /// every hit over in the order of the text. The bytes around `core` are context
    /// (see [`crate::text`]).
    ///
    /// Lines are counted from 1 at the beginning of `core`, and the column of the
    /// first of them from there; a caller that cuts a stream adds what came before.
    pub fn scan_text<'d>(
        &mut self,
        database: &'d Database,
        text: &[u8],
        core: Range<usize>,
        origin: &Origin,
        mut found: impl FnMut(Hit<'d>),
    ) {
        let refanged;
        let (text, core) = if self.options.refang {
            refanged = refang_lines(&text[core]);
            (refanged.as_bytes(), 0..refanged.len())
        } else {
            (text, core)
        };
        let hits = self.hunt(database, text, core.clone(), origin, None);
        let mut lines = Lines::new(text, core.start);
        for (candidate, hit) in hits {
            let (line, column) = lines.place(candidate.span.start);
            let mut hit = hit;
            if let Place::Log(place) = &mut hit.place {
                (place.line, place.column) = (line, column);
            }
            debug_assert!(candidate.at != Where::IpSrc);
            found(hit);
        }
    }

    /// Holds the observables of a text that a protocol carried, such as a mail's,
    /// against the database at `time`. They are told to stand at `at`, but for what
    /// was derived from others.
    pub fn scan_carried<'d>(
        &mut self,
        database: &'d Database,
        text: &[u8],
        at: Where,
        time: Timestamp,
        mut found: impl FnMut(Seen, Vec<Match<'d>>),
    ) {
        let refanged;
        let text = if self.options.refang {
            refanged = refang_lines(text);
            refanged.as_bytes()
        } else {
            text
        };
        let origin = self.carried.get_or_insert_with(|| Arc::new(Origin::new(""))).clone();
        let carried = Carried { at, time };
        let hits = self.hunt(database, text, 0..text.len(), &origin, Some(carried));
        for (_, Hit { seen, matches, .. }) in hits {
            found(seen, matches);
        }
    }

    /// All hits that begin in `core`, in the order of the text.
    fn hunt<'d>(
        &mut self,
        database: &'d Database,
        text: &[u8],
        core: Range<usize>,
        origin: &Origin,
        carried: Option<Carried>,
    ) -> Vec<(Candidate, Hit<'d>)> {
        let mut extractor = self.extractor.take().unwrap_or_default();
        let mut hunt = Hunt::new(self, database, text, core.clone(), origin, carried);
        extractor.extract(text, core, &mut hunt);
        let mut hits = hunt.hits;
        self.extractor = Some(extractor);
        // A span can be read as two strings: `\/` is that, or a slash in JSON.
        hits.sort_by(|(a, one), (b, other)| {
            let place = |c: &Candidate| (c.span.start, c.span.end, c.kind);
            place(a).cmp(&place(b)).then_with(|| one.seen.value.cmp(&other.seen.value))
        });
        hits
    }
}

/// Report mode: each word refanged, then the phrases that have blanks.
fn refang_lines(text: &[u8]) -> String {
    let lossy = String::from_utf8_lossy(text);
    let lines: Vec<_> = lossy.split('\n').map(refang_line).collect();
    lines.join("\n")
}

fn refang_line(line: &str) -> String {
    let words: Vec<_> = line.split(' ').map(refang::refang).collect();
    words.join(" ")
}

/// What is known of a text that a protocol carried.
#[derive(Clone, Copy)]
struct Carried {
    /// Where its observables are told to be.
    at: Where,
    /// When it was carried; the times in it say nothing about that.
    time: Timestamp,
}

/// The visitor that looks everything up.
struct Hunt<'s, 'd, 't> {
    scanner: &'s mut Scanner,
    database: &'d Database,
    text: &'t [u8],
    core: Range<usize>,
    origin: &'t Origin,
    /// None for a log.
    carried: Option<Carried>,
    /// Whether any name can match a pattern.
    patterns: bool,
    /// Whether a URL at any host can match.
    any_url: bool,
    hits: Vec<(Candidate, Hit<'d>)>,
    /// Literals that were found already, and where each begins.
    literals: HashSet<(usize, Kind, &'d str)>,
}

impl Visitor for Hunt<'_, '_, '_> {
    #[inline]
    fn tails(&self) -> &[u8] {
        if self.patterns { &EVERY_TAIL } else { self.database.tails() }
    }

    #[inline]
    fn may_hold_name(&self, run: &[u8], pair: usize) -> bool {
        self.patterns || self.database.may_hold_pair(run, pair)
    }

    #[inline]
    fn may_hold_url(&self, host: &[u8]) -> bool {
        self.any_url || self.database.may_hold_url_host(host)
    }

    fn may_end_in(&self, label: &[u8]) -> bool {
        if self.patterns {
            return is_known_tld(label);
        }
        !label.is_ascii() || self.database.may_end_in(label)
    }

    #[inline]
    fn may_hold_v4(&self, address: u32) -> bool {
        self.database.may_hold_v4(address)
    }

    #[inline]
    fn wants(&self, kind: Kind) -> bool {
        let database = self.database;
        match kind {
            Kind::Email => database.has(Section::Emails) || database.has_patterns(Kind::Email),
            // Every URL has a path.
            Kind::Url => {
                database.has(Section::Urls)
                    || database.has(Section::Paths)
                    || database.has_patterns(Kind::Url)
            }
            Kind::UrlPath => database.has(Section::Paths),
            Kind::Cve | Kind::Ja4 | Kind::Btc | Kind::Tlsh => database.has_words_of(kind),
            Kind::Md5 => database.has_digests(),
            _ => true,
        }
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>) {
        self.seen_one(observable, at, span.clone(), None);
        if let Observable::Address(IpAddr::V6(v6), _) = observable
            && let Some(v4) = address::nat64(v6)
        {
            self.seen_one(Observable::Address(IpAddr::V4(v4), None), Where::Nat64, span, None);
        }
    }

    #[inline]
    fn gram_filter(&self) -> Option<GramFilter<'_>> {
        self.database.gram_filter()
    }

    fn literal(&mut self, at: usize) {
        let Some(gram) = gram::at(self.text, at) else { return };
        let mut verbatim = String::new();
        for literal in self.database.literals_around(gram) {
            let Some(found) = literals::find(self.text, at, &literal, &mut verbatim) else {
                continue;
            };
            let kind = literal.kind;
            let start = found.span.start;
            if self.core.contains(&start) && self.literals.insert((start, kind, literal.text)) {
                let observable = Observable::Text(kind, verbatim.as_bytes());
                let only_in = found.needs_field.then_some(kind);
                self.seen_one(observable, Where::LogText, found.span, only_in);
            }
        }
    }
}

/// Whether a label in any case is a known top-level domain.
pub(super) fn is_known_tld(label: &[u8]) -> bool {
    let lower = label.to_ascii_lowercase();
    !lower.is_ascii() || domain::is_known_tld(&lower)
}

impl<'s, 'd, 't> Hunt<'s, 'd, 't> {
    fn new(
        scanner: &'s mut Scanner,
        database: &'d Database,
        text: &'t [u8],
        core: Range<usize>,
        origin: &'t Origin,
        carried: Option<Carried>,
    ) -> Self {
        Hunt {
            scanner,
            database,
            text,
            core,
            origin,
            carried,
            patterns: database.has_patterns(Kind::Domain),
            any_url: database.has(Section::Paths) || database.has_patterns(Kind::Url),
            hits: Vec::new(),
            literals: HashSet::new(),
        }
    }

    /// `only_in`: it counts only in a field for values of this kind.
    fn seen_one(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        span: Range<usize>,
        only_in: Option<Kind>,
    ) {
        let scanner = &mut *self.scanner;
        scanner.counters.saw(observable);
        if !scanner.scratch.collect(self.database, observable) {
            return;
        }
        let line = line_around(self.text, &self.core, span.start);
        let record = line
            .clone()
            .filter(|line| line.len() <= MAX_RECORD)
            .map(|line| (&self.text[line.clone()], span.start - line.start));
        let own_time = match self.carried {
            Some(carried) => Some(carried.time),
            None => record.and_then(|(line, _)| self.origin.format.time(line)),
        };
        let time = scanner.options.at.or(own_time).unwrap_or(self.origin.read_at);
        let field = record.and_then(|(line, place)| self.origin.format.field(line, place));
        if let Some(kind) = only_in
            && !field.as_deref().is_some_and(|field| literals::is_field_of(kind, field))
        {
            return;
        }
        let kinds = match observable {
            Observable::Digest(..) => field.as_deref().and_then(digest_kinds),
            _ => None,
        };
        let Some((mut seen, matches)) = scanner.resolve(self.database, observable, at, kinds, time)
        else {
            return;
        };
        scanner.counters.matched(seen.kind);
        if let (Observable::Digest(..), [only, ..]) = (observable, &matches[..]) {
            seen.kind = only.kind;
        }
        match self.carried {
            Some(carried) if seen.at == Where::LogText => seen.at = carried.at,
            Some(_) => {}
            None => {
                if field.is_some() && seen.at == Where::LogText {
                    seen.at = Where::LogField;
                }
                seen.field = field;
            }
        }
        self.push(seen, matches, span, own_time);
    }

    fn push(
        &mut self,
        seen: Seen,
        matches: Vec<Match<'d>>,
        span: Range<usize>,
        time: Option<Timestamp>,
    ) {
        let mut seen = seen;
        let verbatim = String::from_utf8_lossy(&self.text[span.clone()]);
        seen.raw = (verbatim != seen.value.as_str()).then(|| verbatim.into_owned());
        let candidate = Candidate { span: span.clone(), at: seen.at, kind: seen.kind };
        let place = LogPlace {
            path: Arc::clone(&self.origin.path),
            line: 0,
            column: 0,
            offset: self.origin.offset + span.start as u64,
            text: excerpt(self.text, span.start),
            time,
        };
        self.hits.push((candidate, Hit { seen, matches, place: Place::Log(place) }));
    }
}
