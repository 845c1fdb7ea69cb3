//! Text against the database.

use super::lines::{Around, Lines, excerpt};
use super::query::Query;
use super::reports::Refanged;
use super::{Hit, Match, Scanner, Seen, doubles, literals};
use crate::engine::database::{Database, Section};
use crate::engine::indicator::gram::{self, GramFilter};
use crate::engine::indicator::{
    Kind, LogPlace, Observable, Place, Quality, Timestamp, Where, address, address::UrlHost, domain,
};
use crate::engine::text::fields::{
    Clock, HostSeen, Layout, Record, Sections, SplitUrl, before_separator, digest_kinds,
    may_name_host, url_before_request,
};
use crate::engine::text::{EVERY_TAIL, Visitor};
use hashbrown::HashSet;
use std::cell::OnceCell;
use std::net::IpAddr;
use std::ops::Range;
use std::sync::Arc;

/// Where a text came from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The path as it was given.
    pub path: Arc<str>,
    /// What header lines say of the fields of the lines behind them.
    pub layout: Layout,
    /// Offset of the first byte of the text in the decompressed stream.
    pub offset: u64,
    /// When it was read: the time of lines that carry none.
    pub read_at: Timestamp,
}

impl Origin {
    /// A text that begins at offset 0 and has no known format.
    pub fn new(path: &str) -> Self {
        Origin { path: path.into(), layout: Layout::default(), offset: 0, read_at: Timestamp(0) }
    }
}

/// A candidate that met entries.
pub(super) struct Candidate {
    pub(super) span: Range<usize>,
    at: Where,
    pub(super) kind: Kind,
}

impl Scanner {
    /// Holds the observables that begin in `core` against the database, and hands
    /// every hit over in the order of the text. The bytes around `core` are context
    /// (see [`crate::engine::text`]).
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
        let mut lines = Lines::new(text, core.start);
        let input = Input { text, core, origin, carried: None };
        if self.options.refang {
            return self.scan_report(database, &input, found);
        }
        let hits = self.hits(database, input);
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

    /// The same for a report: its values are looked up without their defanging, and told
    /// to stand where, and as, they stood.
    fn scan_report<'d>(
        &mut self,
        database: &'d Database,
        input: &Input<'_>,
        mut found: impl FnMut(Hit<'d>),
    ) {
        let Input { text, core, origin, .. } = input;
        let refanged = Refanged::new(&text[core.clone()]);
        let hits = self.hits(database, Input::whole(refanged.text.as_bytes(), origin, None));
        let mut lines = Lines::new(text, core.start);
        for (candidate, mut hit) in hits {
            let source = refanged.source(&candidate.span);
            let source = core.start + source.start..core.start + source.end;
            let verbatim = String::from_utf8_lossy(&text[source.clone()]);
            hit.seen.raw = (verbatim != hit.seen.value.as_str()).then(|| verbatim.into_owned());
            if let Place::Log(place) = &mut hit.place {
                (place.line, place.column) = lines.place(source.start);
                place.offset = origin.offset + source.start as u64;
                place.text = excerpt(text, source.start);
            }
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
            refanged = Refanged::new(text);
            refanged.text.as_bytes()
        } else {
            text
        };
        let origin = self.carried.get_or_insert_with(|| Arc::new(Origin::new(""))).clone();
        let carried = Carried { at, time };
        let hits = self.hits(database, Input::whole(text, &origin, Some(carried)));
        for (_, Hit { seen, matches, .. }) in hits {
            found(seen, matches);
        }
    }

    /// The same for a text that was decoded from lines of a file: the hits say what stood
    /// around them; where that was in the file is not known here.
    pub fn scan_decoded<'d>(
        &mut self,
        database: &'d Database,
        text: &[u8],
        at: Where,
        origin: &Origin,
        mut found: impl FnMut(Hit<'d>),
    ) {
        let refanged;
        let text = if self.options.refang {
            refanged = Refanged::new(text);
            refanged.text.as_bytes()
        } else {
            text
        };
        let carried = Carried { at, time: origin.read_at };
        let hits = self.hits(database, Input::whole(text, origin, Some(carried)));
        hits.into_iter().for_each(|(_, hit)| found(hit));
    }

    /// All hits that begin in `core`, in the order of the text.
    fn hits<'d>(&mut self, database: &'d Database, input: Input<'_>) -> Vec<(Candidate, Hit<'d>)> {
        let mut extractor = self.extractor.take().unwrap_or_default();
        let (text, core) = (input.text, input.core.clone());
        let mut scan = TextScan::new(self, database, input);
        extractor.extract(text, core, &mut scan);
        let mut hits = scan.hits;
        self.extractor = Some(extractor);
        // A span can be read as two strings: `\/` is that, or a slash in JSON.
        hits.sort_by(|(a, one), (b, other)| {
            let place = |c: &Candidate| (c.span.start, c.span.end, c.kind);
            place(a).cmp(&place(b)).then_with(|| one.seen.value.cmp(&other.seen.value))
        });
        doubles::drop_all(text, &mut hits);
        hits
    }
}

/// A text that is scanned.
struct Input<'t> {
    text: &'t [u8],
    /// Where observables begin that are looked up; the bytes around it are context.
    core: Range<usize>,
    origin: &'t Origin,
    /// None for a log.
    carried: Option<Carried>,
}

impl<'t> Input<'t> {
    fn whole(text: &'t [u8], origin: &'t Origin, carried: Option<Carried>) -> Self {
        Input { text, core: 0..text.len(), origin, carried }
    }
}

/// What is known of a text that a protocol carried.
#[derive(Clone, Copy)]
struct Carried {
    /// Where its observables are told to be.
    at: Where,
    /// When it was carried; the times in it say nothing about that.
    time: Timestamp,
}

/// What is known of the field of a hit before its line was read.
enum Told {
    Anywhere,
    /// The hit counts only in a field for values of this kind.
    OnlyIn(Kind),
    /// It stands in two fields, which are named here.
    In(String),
}

/// The visitor that looks everything up.
struct TextScan<'s, 'd, 't> {
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
    /// Whether a URL can match whose host and path stand in two fields.
    split_urls: bool,
    /// The line that the last hit lay in.
    around: Around,
    record: Record,
    /// The formats of the lines, once somebody asks.
    sections: OnceCell<Sections>,
}

impl Visitor for TextScan<'_, '_, '_> {
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
    fn may_hold_host(&self, span: Range<usize>, is_address: bool) -> bool {
        self.split_urls
            && self.may_stand_in_host(&span, is_address)
            && self.may_be_listed_host(&self.text[span])
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

/// What stands before the backslashes of a quote in a string of JSON.
#[inline]
fn without_slashes(head: &[u8]) -> &[u8] {
    let mut head = head;
    for _ in 0..8 {
        let [rest @ .., b'\\'] = head else { break };
        head = rest;
    }
    head
}

impl<'s, 'd, 't> TextScan<'s, 'd, 't> {
    fn new(scanner: &'s mut Scanner, database: &'d Database, input: Input<'t>) -> Self {
        let Input { text, core, origin, carried } = input;
        TextScan {
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
            split_urls: carried.is_none()
                && (database.has(Section::Urls) || database.has_patterns(Kind::Url)),
            around: Around::default(),
            record: Record::default(),
            sections: OnceCell::new(),
        }
    }

    /// Whether what stands before a run lets it be the value of a field for hosts. Asked
    /// before a hit: it looks at a few bytes.
    #[inline]
    fn may_stand_in_host(&self, span: &Range<usize>, is_address: bool) -> bool {
        let head = &self.text[..span.start];
        let Some((&before, head)) = head.split_last() else { return true };
        // An IPv6 address may have its brackets, and any host may have some.
        let (before, head) = match before {
            b'[' | b'(' => match head.split_last() {
                Some((&before, head)) => (before, head),
                None => return false,
            },
            _ => (before, head),
        };
        let key = match before {
            // The host of a request may stand at the head of the line, or in braces.
            b'\n' | b'{' | b'|' => return true,
            b'=' | b'>' => head,
            // `vhost:evil.example` between tabs.
            b':' => return may_name_host(head, is_address),
            b'"' | b'\'' => {
                let head = without_slashes(head);
                // In the cell of a table quotes are doubled.
                let head = head.strip_suffix(b"\"").map_or(head, without_slashes);
                let head = head.strip_suffix(b"[").unwrap_or(head);
                let name = head.strip_suffix(b" ");
                let head = name.unwrap_or(head);
                match head.split_last() {
                    Some((b':' | b'=', head)) => head.strip_suffix(b" ").unwrap_or(head),
                    // `[hostname "evil.example"]`, and what stands behind other quotes.
                    Some((b'"' | b'-' | b']' | b'0'..=b'9', _)) if name.is_some() => return true,
                    Some(_) if name.is_some() && may_name_host(head, is_address) => return true,
                    _ => return self.has_paths_at(span.start),
                }
            }
            b'\t' | b' ' => match head.last() {
                Some(b':' | b'=' | b' ' | b'\t') => {
                    return self.may_stand_behind(head, span.start, is_address);
                }
                _ => return self.has_paths_at(span.start),
            },
            b',' | b';' => return self.has_paths_at(span.start),
            // The end of a separator that is spelt: `#011`, `\t`.
            _ if before.is_ascii_alphanumeric() => {
                let head = before_separator(&self.text[..span.start]);
                return head
                    .is_some_and(|head| self.may_stand_behind(head, span.start, is_address));
            }
            _ => return false,
        };
        // `host = `, `host\u003d`
        let key = match key.split_last() {
            Some((b'"' | b'\'', key)) => {
                let key = without_slashes(key);
                key.strip_suffix(b"\"").map_or(key, without_slashes)
            }
            Some((b' ' | b'\t', key)) => key,
            _ => key,
        };
        may_name_host(key, is_address)
    }

    /// The same for what stands at a place behind a blank.
    fn may_stand_behind(&self, head: &[u8], place: usize, is_address: bool) -> bool {
        let blanks = head.iter().rev().take(8).take_while(|b| b" \t".contains(b)).count();
        let head = &head[..head.len() - blanks];
        match head.split_last() {
            Some((b':', key)) if may_name_host(key, is_address) => true,
            Some((b'=', key)) => {
                may_name_host(key.strip_suffix(b" ").unwrap_or(key), is_address)
                    || self.has_paths_at(place)
            }
            _ => self.has_paths_at(place),
        }
    }

    /// Whether a URL can be listed at a host.
    #[inline]
    fn may_be_listed_host(&self, host: &[u8]) -> bool {
        self.database.has_patterns(Kind::Url) || self.database.may_hold_url_host(host)
    }

    /// Whether paths of URLs stand in a column of the line at a place.
    #[inline]
    fn has_paths_at(&self, place: usize) -> bool {
        self.sections().has_paths_at(place)
    }

    /// How the lines name their fields.
    fn sections(&self) -> &Sections {
        self.sections.get_or_init(|| self.origin.layout.sections(self.text, &self.core))
    }

    /// The line around a place, if it may be a record, after it was read.
    fn read_line(&mut self, at: usize) -> Option<Range<usize>> {
        if let Some(known) = self.around.known(at) {
            return known;
        }
        let format = Arc::clone(self.sections().at(at));
        let line = self.around.line(self.text, &self.core, at, &format)?;
        self.record.read(&self.text[line.clone()], &format);
        Some(line)
    }

    /// `only_in`: it counts only in a field for values of this kind.
    fn seen_one(
        &mut self,
        observable: Observable<'_>,
        at: Where,
        span: Range<usize>,
        only_in: Option<Kind>,
    ) {
        self.scanner.counters.saw(observable);
        let mut met = self.scanner.scratch.collect(self.database, observable);
        let is_plain = at == Where::LogText && self.carried.is_none();
        if met && is_plain && matches!(observable, Observable::Url(_)) && self.is_over_cell(&span) {
            // As far as its cell it is looked up by itself; longer it may be listed so.
            let entries = &mut self.scanner.scratch.entries;
            let ignored = |quality: Quality| quality.with(Quality::QUERY_IGNORED) == quality;
            entries.retain(|entry| !ignored(entry.quality));
            met = !entries.is_empty();
        }
        if is_plain
            && let Observable::Address(address, None) = observable
            && let Some((port, field)) = self.endpoint_beside(address, &span)
        {
            let observable = Observable::Address(address, Some(port));
            if self.scanner.scratch.collect(self.database, observable) {
                self.met(observable, at, span.clone(), Told::In(field));
            }
        } else if met {
            self.met(observable, at, span.clone(), only_in.map_or(Told::Anywhere, Told::OnlyIn));
        }
        if is_plain && let Some(SplitUrl { url, field }) = self.url_beside(observable, &span) {
            let observable = Observable::Url(url.as_bytes());
            self.scanner.scratch.collect(self.database, observable);
            // Paths at any host are found where they stand.
            let entries = &mut self.scanner.scratch.entries;
            entries.retain(|entry| !entry.value.starts_with('/'));
            if !entries.is_empty() {
                self.scanner.counters.saw(observable);
                self.met(observable, at, span, Told::In(field));
            }
        }
    }

    /// Whether a span goes on over the end of its cell in a table.
    fn is_over_cell(&mut self, span: &Range<usize>) -> bool {
        let Some(line) = self.read_line(span.start) else { return false };
        let end = self.record.cell_end(span.start - line.start);
        end.is_some_and(|end| line.start + end < span.end)
    }

    /// The port in another field with which the address is listed, and both names.
    fn endpoint_beside(&mut self, address: IpAddr, span: &Range<usize>) -> Option<(u16, String)> {
        if !self.database.has_endpoint(address) {
            return None;
        }
        let line = self.read_line(span.start).filter(|line| line.end >= span.end)?;
        let place = span.start - line.start..span.end - line.start;
        let found = self.record.port_beside(self.text.get(line)?, place)?;
        self.database.endpoint(address, found.0).map(|_| found)
    }

    /// The URL whose host was seen, and whose path stands in another field.
    fn url_beside(&mut self, observable: Observable<'_>, span: &Range<usize>) -> Option<SplitUrl> {
        if !self.split_urls {
            return None;
        }
        let address;
        let (text, is_address) = match observable {
            Observable::Name(name) => (std::str::from_utf8(name).ok()?, false),
            Observable::Address(ip, _) if self.may_stand_in_host(span, true) => {
                address = UrlHost::of(ip);
                (address.as_str(), true)
            }
            Observable::Url(server) if self.text[span.end..].starts_with(b" \"") => {
                let server = std::str::from_utf8(server).ok()?;
                let url = url_before_request(server, &self.text[span.end..])?;
                return Some(SplitUrl { url, field: "url+request".into() });
            }
            _ => return None,
        };
        if !self.may_be_listed_host(text.as_bytes())
            || !is_address && !self.may_stand_in_host(span, false)
        {
            return None;
        }
        let line = self.read_line(span.start).filter(|line| line.end >= span.end)?;
        let place = span.start - line.start..span.end - line.start;
        self.record.url_beside(self.text.get(line)?, place, &HostSeen { text, is_address })
    }

    /// What was seen has entries in the scratch.
    fn met(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>, told: Told) {
        let line = self.read_line(span.start);
        let bytes = line.clone().map(|line| (&self.text[line.clone()], span.start - line.start));
        let own_time = match self.carried {
            Some(carried) => Some(carried.time),
            None => {
                let zone = self.scanner.options.zone.clone();
                let clock = Clock { zone, now: self.origin.read_at };
                bytes.and_then(|(line, place)| self.record.time(line, place, &clock))
            }
        };
        let is_split = matches!(told, Told::In(_));
        let field = match &told {
            Told::In(field) => Some(field.clone()),
            _ => bytes.and_then(|(line, place)| self.record.field(line, place)),
        };
        if let Told::OnlyIn(kind) = told
            && !field.as_deref().is_some_and(|field| literals::is_field_of(kind, field))
        {
            return;
        }
        let kinds = match observable {
            Observable::Digest(..) => field.as_deref().and_then(digest_kinds),
            _ => None,
        };
        let scanner = &mut *self.scanner;
        let time = scanner.options.at.or(own_time).unwrap_or(self.origin.read_at);
        let query = Query { observable, at, kinds, time };
        let Some((mut seen, matches)) = scanner.resolve(self.database, &query) else { return };
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
        // A URL of two fields stands nowhere as a whole.
        if !(is_split && matches!(observable, Observable::Url(_))) {
            let verbatim = String::from_utf8_lossy(&self.text[span.clone()]);
            seen.raw = (verbatim != seen.value.as_str()).then(|| verbatim.into_owned());
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
