//! Matches text against the database.
//!
//! The extractor finds candidates and asks this visitor's filters about each. Only
//! what passes them is looked up, and only what meets an entry causes a line to be
//! found and parsed, for its time and field.

use super::lines::{LineCache, Lines, excerpt};
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

/// Where a text comes from.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The path as given.
    pub path: Arc<str>,
    /// What header lines say about the fields of the lines after them.
    pub layout: Layout,
    /// Offset of the first byte of the text in the decompressed stream.
    pub offset: u64,
    /// When it was read; this stands in for lines without a time.
    pub read_at: Timestamp,
}

impl Origin {
    /// A text that starts at offset 0 and has no known format.
    pub fn new(path: &str) -> Self {
        Origin { path: path.into(), layout: Layout::default(), offset: 0, read_at: Timestamp(0) }
    }
}

/// A candidate that met entries, with what `doubles` compares.
pub(super) struct Candidate {
    pub(super) span: Range<usize>,
    at: Where,
    pub(super) kind: Kind,
}

impl Scanner {
    /// Matches the observables that begin in `core` against the database, and
    /// passes every hit to `found` in the order of the text. The bytes around
    /// `core` are context (see [`crate::engine::text`]).
    ///
    /// Lines are counted from 1 at the start of `core`, and so are the columns of
    /// the first line. A caller that cuts a stream into chunks must add what came
    /// before.
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

    /// Like [`Self::scan_text`], but for a report: defanged values are refanged,
    /// and hits are located at, and quote, the original text.
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
                // Readers must find the line in their report, so quote the original and not the
                // refanged text.
                place.text = excerpt(text, source.start);
            }
            found(hit);
        }
    }

    /// Matches the observables of a text that a protocol carried, such as a mail's,
    /// at `time`. Hits are reported at `at`, except those derived from others.
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
        // Cached, because a capture can carry millions of small texts.
        let origin = self.carried.get_or_insert_with(|| Arc::new(Origin::new(""))).clone();
        let carried = Carried { at, time };
        let hits = self.hits(database, Input::whole(text, &origin, Some(carried)));
        for (_, Hit { seen, matches, .. }) in hits {
            found(seen, matches);
        }
    }

    /// Like [`Self::scan_carried`], but for a text decoded from lines of a file.
    /// Hits quote the decoded text; where that is in the file is not known here.
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

    /// Collects all hits that begin in `core`, in the order of the text.
    fn hits<'d>(&mut self, database: &'d Database, input: Input<'_>) -> Vec<(Candidate, Hit<'d>)> {
        // Taken out, because the visitor borrows the scanner while the extractor runs.
        let mut extractor = self.extractor.take().unwrap_or_default();
        let (text, core) = (input.text, input.core.clone());
        let mut scan = TextScan::new(self, database, input);
        extractor.extract(text, core, &mut scan);
        let mut hits = scan.hits;
        self.extractor = Some(extractor);
        // One span can match as two strings: `\/` is a backslash and a slash, or an
        // escaped slash in JSON. The order must not depend on the order of
        // look-ups.
        hits.sort_by(|(a, one), (b, other)| {
            let place = |c: &Candidate| (c.span.start, c.span.end, c.kind);
            place(a).cmp(&place(b)).then_with(|| one.seen.value.cmp(&other.seen.value))
        });
        doubles::drop_all(text, &mut hits);
        hits
    }
}

/// A text that is scanned.
pub(super) struct Input<'t> {
    pub(super) text: &'t [u8],
    /// Where observables begin that are looked up; the bytes around it are context.
    pub(super) core: Range<usize>,
    pub(super) origin: &'t Origin,
    /// None for a log.
    pub(super) carried: Option<Carried>,
}

impl<'t> Input<'t> {
    fn whole(text: &'t [u8], origin: &'t Origin, carried: Option<Carried>) -> Self {
        Input { text, core: 0..text.len(), origin, carried }
    }
}

/// The circumstances of a text that a protocol carried.
#[derive(Clone, Copy)]
pub(super) struct Carried {
    /// The place to report for its observables.
    at: Where,
    /// When it was carried. Times inside the text say nothing about that.
    time: Timestamp,
}

/// What is known about the field of a hit before its line is parsed.
enum FieldHint {
    Anywhere,
    /// The hit only counts in a field for values of this kind.
    OnlyIn(Kind),
    /// The observable spans two fields, which this names.
    In(String),
}

/// The visitor that looks everything up.
pub(super) struct TextScan<'s, 'd, 't> {
    scanner: &'s mut Scanner,
    database: &'d Database,
    text: &'t [u8],
    core: Range<usize>,
    origin: &'t Origin,
    /// `None` for a log.
    carried: Option<Carried>,
    /// Whether some pattern could match any name, which disables the filters for
    /// names.
    patterns: bool,
    /// Whether a URL at any host could match.
    any_url: bool,
    hits: Vec<(Candidate, Hit<'d>)>,
    /// Literals already found, and where each begins: several windows of one
    /// literal can match.
    literals: HashSet<(usize, Kind, &'d str)>,
    /// Whether to join a host and a path from two fields to a URL.
    split_urls: bool,
    /// The line of the last hit.
    line_cache: LineCache,
    /// The fields of that line.
    record: Record,
    /// The formats of the lines, determined when first needed.
    sections: OnceCell<Sections>,
}

impl Visitor for TextScan<'_, '_, '_> {
    #[inline]
    fn tails(&self) -> &[u8] {
        if self.patterns { &EVERY_TAIL } else { self.database.tails() }
    }

    #[inline]
    // A pattern can match any name, so the filters for names only apply without
    // one.
    fn may_hold_name(&self, run: &[u8], pair: usize) -> bool {
        self.patterns || self.database.may_hold_pair(run, pair)
    }

    #[inline]
    // A path or pattern can match at any host.
    fn may_hold_url(&self, host: &[u8]) -> bool {
        self.any_url || self.database.may_hold_url_host(host)
    }

    fn may_end_in(&self, label: &[u8]) -> bool {
        if self.patterns {
            // Without this, every dotted word of a log would be tried against the
            // patterns: file names, versions, package names.
            return is_known_tld(label);
        }
        // The filter has Punycode, so it cannot answer for a label in Unicode.
        !label.is_ascii() || self.database.may_end_in(label)
    }

    #[inline]
    fn may_hold_v4(&self, address: u32) -> bool {
        if let Some(hosts) = &self.scanner.hosts {
            hosts.note_v4(address);
        }
        self.database.may_hold_v4(address)
    }

    #[inline]
    fn may_hold_v4_at(&self, address: u32, start: usize) -> bool {
        match &self.scanner.hosts {
            Some(hosts) if self.carried.is_none() => hosts.note_v4_at(address, self.text, start),
            Some(hosts) => hosts.note_v4(address),
            None => {}
        }
        self.database.may_hold_v4(address)
    }

    #[inline]
    // Only for URLs that are split over two fields. The cheap test comes first.
    fn may_hold_host(&self, span: Range<usize>, is_address: bool) -> bool {
        self.split_urls
            && self.may_be_in_host_field(&span, is_address)
            && self.may_be_listed_host(&self.text[span])
    }

    // Asked once per run of text, to skip whole classes of candidates that the
    // database cannot match.
    #[inline]
    fn wants(&self, kind: Kind) -> bool {
        let database = self.database;
        match kind {
            Kind::Email => database.has(Section::Emails) || database.has_patterns(Kind::Email),
            // Every URL contains a path.
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
        if let Observable::Address(address @ IpAddr::V6(_), _) = observable {
            self.scanner.note_host(address);
            if let Some(hosts) = self.scanner.hosts.as_ref().filter(|_| self.carried.is_none()) {
                hosts.note_place(address, self.text, span.start);
            }
        }
        self.seen_one(observable, at, span.clone(), None);
        // A NAT64 address also counts as the IPv4 address inside it (RFC 6052).
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

    // Several strings can share a window, and each is verified by itself.
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

/// Whether a label, in any case, is a known top-level domain.
pub(super) fn is_known_tld(label: &[u8]) -> bool {
    let lower = label.to_ascii_lowercase();
    !lower.is_ascii() || domain::is_known_tld(&lower)
}

/// Strips the backslashes that precede a quote in nested JSON. Eight is enough for
/// three levels.
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
    pub(super) fn new(scanner: &'s mut Scanner, database: &'d Database, input: Input<'t>) -> Self {
        let Input { text, core, origin, carried } = input;
        TextScan {
            scanner,
            database,
            text,
            core,
            origin,
            carried,
            // These are asked for every candidate, so they are determined once.
            patterns: database.has_patterns(Kind::Domain),
            any_url: database.has(Section::Paths) || database.has_patterns(Kind::Url),
            hits: Vec::new(),
            literals: HashSet::new(),
            // What a protocol carries is a message and not a record with fields.
            split_urls: carried.is_none()
                && (database.has(Section::Urls) || database.has_patterns(Kind::Url)),
            line_cache: LineCache::default(),
            record: Record::default(),
            sections: OnceCell::new(),
        }
    }

    /// Whether the text before a run allows it to be the value of a field for
    /// hosts. This is asked for every name and address, before any look-up, so it
    /// only inspects a few bytes.
    #[inline]
    fn may_be_in_host_field(&self, span: &Range<usize>, is_address: bool) -> bool {
        let head = &self.text[..span.start];
        let Some((&before, head)) = head.split_last() else { return true };
        // An IPv6 address may be in brackets, and any host may be in some.
        let (before, head) = match before {
            b'[' | b'(' => match head.split_last() {
                Some((&before, head)) => (before, head),
                None => return false,
            },
            _ => (before, head),
        };
        let key = match before {
            // The host of a request may begin the line, or follow a brace.
            b'\n' | b'{' | b'|' => return true,
            b'=' | b'>' => head,
            // `vhost:evil.example` between tabs.
            b':' => return may_name_host(head, is_address),
            b'"' | b'\'' => {
                let head = without_slashes(head);
                // In a quoted CSV cell quotes are doubled (RFC 4180).
                let head = head.strip_suffix(b"\"").map_or(head, without_slashes);
                let head = head.strip_suffix(b"[").unwrap_or(head);
                let name = head.strip_suffix(b" ");
                let head = name.unwrap_or(head);
                match head.split_last() {
                    Some((b':' | b'=', head)) => head.strip_suffix(b" ").unwrap_or(head),
                    // `[hostname "evil.example"]`, and values after other quotes.
                    Some((b'"' | b'-' | b']' | b'0'..=b'9', _)) if name.is_some() => return true,
                    Some(_) if name.is_some() && may_name_host(head, is_address) => return true,
                    _ => return self.has_paths_at(span.start),
                }
            }
            b'\t' | b' ' => match head.last() {
                Some(b':' | b'=' | b' ' | b'\t') => {
                    return self.may_be_in_host_field_after_blank(head, span.start, is_address);
                }
                _ => return self.has_paths_at(span.start),
            },
            b',' | b';' => return self.has_paths_at(span.start),
            // The end of an encoded separator: `#011` (rsyslog's tab), `\t`.
            _ if before.is_ascii_alphanumeric() => {
                let head = before_separator(&self.text[..span.start]);
                return head.is_some_and(|head| {
                    self.may_be_in_host_field_after_blank(head, span.start, is_address)
                });
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

    /// Like `may_be_in_host_field`, for text after a blank.
    fn may_be_in_host_field_after_blank(
        &self,
        head: &[u8],
        place: usize,
        is_address: bool,
    ) -> bool {
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

    /// Whether the database may list a URL at this host.
    #[inline]
    fn may_be_listed_host(&self, host: &[u8]) -> bool {
        self.database.has_patterns(Kind::Url) || self.database.may_hold_url_host(host)
    }

    /// Whether the line at this place has a column with URL paths.
    #[inline]
    fn has_paths_at(&self, place: usize) -> bool {
        self.sections().has_paths_at(place)
    }

    /// How the lines name their fields.
    fn sections(&self) -> &Sections {
        self.sections.get_or_init(|| self.origin.layout.sections(self.text, &self.core))
    }

    /// Finds and parses the line around a place, if it can be a record.
    fn read_line(&mut self, at: usize) -> Option<Range<usize>> {
        if let Some(known) = self.line_cache.known(at) {
            return known;
        }
        let format = Arc::clone(self.sections().at(at));
        let line = self.line_cache.line(self.text, &self.core, at, &format)?;
        self.record.read(&self.text[line.clone()], &format);
        Some(line)
    }

    /// Looks up an observable. With `only_in`, it only counts in a field for values
    /// of that kind.
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
            // The part inside the cell is looked up separately, so a match without
            // the query would be a duplicate. A listed URL may still contain the
            // separator.
            let entries = &mut self.scanner.scratch.entries;
            let ignored = |quality: Quality| quality.with(Quality::QUERY_IGNORED) == quality;
            entries.retain(|entry| !ignored(entry.quality));
            met = !entries.is_empty();
        }
        if is_plain
            && let Observable::Address(address, None) = observable
            && let Some((port, field)) = self.endpoint_in_other_field(address, &span)
        {
            let observable = Observable::Address(address, Some(port));
            if self.scanner.scratch.collect(self.database, observable) {
                self.met(observable, at, span.clone(), FieldHint::In(field));
            }
        } else if met {
            self.met(
                observable,
                at,
                span.clone(),
                only_in.map_or(FieldHint::Anywhere, FieldHint::OnlyIn),
            );
        }
        if is_plain
            && let Some(SplitUrl { url, field }) = self.url_in_other_field(observable, &span)
        {
            let observable = Observable::Url(url.as_bytes());
            self.scanner.scratch.collect(self.database, observable);
            // Paths at any host are found at the path itself.
            let entries = &mut self.scanner.scratch.entries;
            entries.retain(|entry| !entry.value.starts_with('/'));
            if !entries.is_empty() {
                self.scanner.counters.saw(observable);
                self.met(observable, at, span, FieldHint::In(field));
            }
        }
    }

    /// Whether a span extends beyond its cell in a table.
    fn is_over_cell(&mut self, span: &Range<usize>) -> bool {
        let Some(line) = self.read_line(span.start) else { return false };
        let end = self.record.cell_end(span.start - line.start);
        end.is_some_and(|end| line.start + end < span.end)
    }

    /// Finds the port in another field with which the address is listed, and the
    /// names of both fields.
    fn endpoint_in_other_field(
        &mut self,
        address: IpAddr,
        span: &Range<usize>,
    ) -> Option<(u16, String)> {
        if !self.database.has_endpoint(address) {
            return None;
        }
        let line = self.read_line(span.start).filter(|line| line.end >= span.end)?;
        let place = span.start - line.start..span.end - line.start;
        let found = self.record.port_in_other_field(self.text.get(line)?, place)?;
        self.database.endpoint(address, found.0).map(|_| found)
    }

    /// Finds the URL whose host was seen, and whose path is in another field.
    fn url_in_other_field(
        &mut self,
        observable: Observable<'_>,
        span: &Range<usize>,
    ) -> Option<SplitUrl> {
        if !self.split_urls {
            return None;
        }
        let address;
        let (text, is_address) = match observable {
            Observable::Name(name) => (std::str::from_utf8(name).ok()?, false),
            Observable::Address(ip, _) if self.may_be_in_host_field(span, true) => {
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
            || !is_address && !self.may_be_in_host_field(span, false)
        {
            return None;
        }
        let line = self.read_line(span.start).filter(|line| line.end >= span.end)?;
        let place = span.start - line.start..span.end - line.start;
        self.record.url_in_other_field(self.text.get(line)?, place, &HostSeen { text, is_address })
    }

    /// Reports an observable whose entries are in the scratch space.
    fn met(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>, hint: FieldHint) {
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
        let is_split = matches!(hint, FieldHint::In(_));
        let field = match &hint {
            FieldHint::In(field) => Some(field.clone()),
            _ => bytes.and_then(|(line, place)| self.record.field(line, place)),
        };
        if let FieldHint::OnlyIn(kind) = hint
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
        // In free text the length only hints at the algorithm; the indicator knows
        // it.
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
        // The whole URL does not appear anywhere in the text.
        if !(is_split && matches!(observable, Observable::Url(_))) {
            let verbatim = String::from_utf8_lossy(&self.text[span.clone()]);
            seen.raw = (verbatim != seen.value.as_str()).then(|| verbatim.into_owned());
        }
        self.push(seen, matches, span, own_time);
    }

    /// Adds a hit. Lines and columns are filled in later, in the order of the text.
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
            sender: None,
        };
        self.hits.push((candidate, Hit { seen, matches, place: Place::Log(place) }));
    }
}
