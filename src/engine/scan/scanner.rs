//! The scanner: looks up observables in the database.

use super::counters::Counters;
use super::entries;
use super::entries::Entry;
use super::held::HeldBack;
use super::hit::Match;
use super::hit::Seen;
use super::hosts::{Home, SeenHosts};
use super::log::Origin;
use super::query::Query;
use crate::engine::database::Database;
use crate::engine::indicator::{Observable, Timestamp, Where, address, url::Url};
use crate::engine::text::Extractor;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

/// Settings that go beyond the rules of the specification.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Judge validity at this time instead of the time of each packet or line.
    pub at: Option<Timestamp>,
    /// Refang the text first; for reports, never for logs.
    pub refang: bool,
    /// Observables in this database are counted and do not alert.
    pub allow: Option<Arc<Database>>,
    /// The time zone of log times without one; UTC by default.
    pub zone: Option<jiff::tz::TimeZone>,
    /// Notes which addresses of these networks are met ([`Scanner::take_hosts`]), and whose
    /// claims are held back ([`Scanner::take_held_back`]).
    pub survey: Option<Arc<Home>>,
}

impl Options {
    /// Judges validity at this time, or at each event's own time for `None`.
    #[must_use]
    pub fn at(self, at: Option<Timestamp>) -> Self {
        Options { at, ..self }
    }

    /// Sets whether to refang the text first.
    #[must_use]
    pub fn refang(self, refang: bool) -> Self {
        Options { refang, ..self }
    }

    /// Sets the time zone of log times without one.
    #[must_use]
    pub fn zone(self, zone: Option<jiff::tz::TimeZone>) -> Self {
        Options { zone, ..self }
    }

    /// Keeps observables in this database from alerting.
    #[must_use]
    pub fn allow(self, allow: Option<Arc<Database>>) -> Self {
        Options { allow, ..self }
    }

    /// Sets the networks whose addresses are noted, and whether claims that are held back are.
    #[must_use]
    pub fn survey(self, survey: Option<Arc<Home>>) -> Self {
        Options { survey, ..self }
    }
}

/// The scratch space and the counts of one thread.
#[derive(Debug, Default)]
pub struct Scanner {
    pub(super) options: Options,
    pub(super) extractor: Option<Box<Extractor>>,
    pub(super) scratch: Scratch,
    pub(super) counters: Counters,
    /// A stand-in origin for texts that have none.
    pub(super) carried: Option<Arc<Origin>>,
    /// What only a survey needs.
    pub(super) hosts: Option<SeenHosts>,
    pub(super) held_back: HeldBack,
}

/// Buffers that live as long as the scanner, so that a look-up does not allocate.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    /// What the last observable met.
    pub(super) entries: Vec<Entry>,
    pub(super) name: Vec<u8>,
    pub(super) url: Url,
    /// Whether the last URL could be parsed and is in `url`.
    pub(super) has_url: bool,
    /// Whether only its head fitted.
    pub(super) is_cut: bool,
    pub(super) key: String,
}

impl Scanner {
    /// Creates a scanner with options.
    pub fn new(options: Options) -> Self {
        let hosts = options.survey.clone().map(SeenHosts::new);
        Scanner { options, hosts, ..Scanner::default() }
    }

    /// Creates a scanner that only takes the slow path through text. Tests compare
    /// the fast path with it.
    pub fn reference(options: Options) -> Self {
        let extractor = Some(Box::new(Extractor::reference()));
        Scanner { options, extractor, ..Scanner::default() }
    }

    /// The counts so far.
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Returns the counts so far, and starts again from zero.
    pub fn take_counters(&mut self) -> Counters {
        std::mem::take(&mut self.counters)
    }

    /// Takes the hosts that were met, if the options ask for a survey.
    pub fn take_hosts(&mut self) -> BTreeSet<IpAddr> {
        self.hosts.as_ref().map(SeenHosts::take).unwrap_or_default()
    }

    /// Takes the hosts that began a contact, if the options ask for a survey.
    pub fn take_openers(&mut self) -> BTreeSet<IpAddr> {
        self.hosts.as_ref().map(SeenHosts::take_openers).unwrap_or_default()
    }

    /// Takes the claims that were held back, if the options ask for a survey.
    pub fn take_held_back(&mut self) -> HeldBack {
        std::mem::take(&mut self.held_back)
    }

    /// Notes the address of a host, for those that are not in a text.
    #[inline]
    pub(crate) fn note_host(&self, address: IpAddr) {
        if let Some(hosts) = &self.hosts {
            hosts.note(address);
        }
    }

    /// Takes the places of hosts in the text of the last scan that may have begun a contact, by the
    /// field before them, and are not noted as openers.
    #[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only surveys ask"))]
    pub(crate) fn take_opener_places(&self) -> Vec<usize> {
        self.hosts.as_ref().map(SeenHosts::take_places).unwrap_or_default()
    }

    /// Notes which address opened a flow, or began a contact according to a log.
    #[cfg_attr(not(feature = "sensor"), allow(dead_code, reason = "only surveys ask"))]
    pub(crate) fn note_opener(&self, address: IpAddr) {
        if let Some(hosts) = &self.hosts {
            hosts.note_opener(address);
        }
    }

    /// Looks up one observable of a protocol, together with what derives from it:
    /// the host of a URL, the domain of an e-mail address, the address of a reverse
    /// name or inside a NAT64 address. As in text, an IPv4-mapped address counts as
    /// the IPv4 address inside it.
    #[inline]
    pub fn observe<'d>(
        &mut self,
        database: &'d Database,
        observable: Observable<'_>,
        at: Where,
        time: Timestamp,
        found: impl FnMut(Seen, Vec<Match<'d>>),
    ) {
        let observable = folded(observable);
        // Nearly every observable ends here, after a single probe of a filter.
        if entries::may_meet(database, observable) {
            // A fixed time makes the result of a scan independent of the times in its input.
            let time = self.options.at.unwrap_or(time);
            self.observe_all(database, &Query { observable, at, kinds: None, time }, found);
        } else {
            self.counters.saw(observable);
        }
    }

    /// The rest of [`Self::observe`], for observables that a filter lets through.
    /// Kept apart so that the common case is small enough to inline.
    fn observe_all<'d>(
        &mut self,
        database: &'d Database,
        query: &Query<'_>,
        mut found: impl FnMut(Seen, Vec<Match<'d>>),
    ) {
        self.observe_one(database, query, &mut found);
        match query.observable {
            Observable::Address(IpAddr::V6(v6), _) => {
                if let Some(v4) = address::nat64(v6) {
                    let derived = Observable::Address(IpAddr::V4(v4), None);
                    self.observe_one(database, &query.about(derived, Where::Nat64), &mut found);
                }
            }
            Observable::Name(name) => {
                if let Some(address) = address::from_reverse_name(name) {
                    let derived = Observable::Address(address, None);
                    self.observe_one(database, &query.about(derived, Where::Ptr), &mut found);
                }
            }
            Observable::Email(email) => {
                // The last one: a quoted local part may contain others.
                if let Some(at_sign) = memchr::memrchr(b'@', email) {
                    let domain = &email[at_sign + 1..];
                    let derived = match literal(domain) {
                        Some(address) => Observable::Address(address, None),
                        None => Observable::Name(domain),
                    };
                    let query = query.about(derived, Where::EmailDomain);
                    self.observe_one(database, &query, &mut found);
                }
            }
            Observable::Url(_) => self.observe_host(database, query, &mut found),
            _ => {}
        }
    }

    /// Looks up the host of a URL, except that of a request, which is an observable
    /// by itself.
    fn observe_host<'d>(
        &mut self,
        database: &'d Database,
        query: &Query<'_>,
        found: &mut impl FnMut(Seen, Vec<Match<'d>>),
    ) {
        if query.at == Where::HttpUrl || !self.scratch.has_url {
            return;
        }
        // The look-up has left the parsed URL in the scratch space.
        let url = std::mem::take(&mut self.scratch.url);
        let host = url.host();
        let derived = match address::parse_ip(host) {
            Ok(address) => Observable::Address(address, url.port()),
            Err(_) => Observable::Name(host.as_bytes()),
        };
        self.observe_one(database, &query.about(derived, Where::UrlHost), found);
        self.scratch.url = url;
    }

    /// Looks up one observable, without derived ones.
    fn observe_one<'d>(
        &mut self,
        database: &'d Database,
        query: &Query<'_>,
        found: &mut impl FnMut(Seen, Vec<Match<'d>>),
    ) {
        self.counters.saw(query.observable);
        if !self.scratch.collect(database, query.observable) {
            return;
        }
        if let Some((seen, matches)) = self.resolve(database, query) {
            self.counters.matched(seen.kind);
            found(seen, matches);
        }
    }
}

/// Parses an address literal in place of a mail's domain (RFC 5321, section 4.1.3).
fn literal(domain: &[u8]) -> Option<IpAddr> {
    let inner = domain.strip_prefix(b"[")?.strip_suffix(b"]")?;
    let inner = match inner.split_at_checked(5) {
        Some((label, rest)) if label.eq_ignore_ascii_case(b"IPv6:") => rest,
        _ => inner,
    };
    address::ip_of(inner)
}

/// Folds IPv4-mapped addresses of all protocols here, in one place.
#[inline]
fn folded(observable: Observable<'_>) -> Observable<'_> {
    match observable {
        Observable::Address(IpAddr::V6(v6), port) => Observable::Address(address::fold(v6), port),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compile::Compiler;
    use crate::engine::indicator::{Context, Indicator, Kind, Scope};
    use std::collections::BTreeMap;

    fn kind_of(name: &str) -> (Kind, Scope) {
        match name {
            "domain" => (Kind::Domain, Scope::Subtree),
            "hostname" => (Kind::Domain, Scope::Exact),
            "ip" | "net" => (Kind::Ip, Scope::Exact),
            "ep" => (Kind::Endpoint, Scope::Exact),
            "md5" => (Kind::Md5, Scope::Exact),
            "cert" => (Kind::CertSha1, Scope::Exact),
            "url" => (Kind::Url, Scope::Exact),
            "email" => (Kind::Email, Scope::Exact),
            other => panic!("{other}"),
        }
    }

    /// Many hits in one line cost no more than the same number in separate lines: eight times as
    /// many take about eight times as long; with quadratic time it would be 64 times.
    #[test]
    #[expect(clippy::disallowed_methods, reason = "a measurement needs a clock")]
    fn many_hits_in_a_line() {
        let mut compiler = Compiler::default();
        let context = Arc::new(Context { internal: true, ..Context::of_feed("mine") });
        let indicator = Indicator::new(Kind::Ip, "192.0.2.1", Scope::Exact, context);
        compiler.add(indicator.unwrap());
        let database = Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap();
        let took = |hits: usize, head: &str, one: &str| {
            let text = format!("{head}{}x\n", one.repeat(hits));
            let mut found = 0;
            let start = std::time::Instant::now();
            Scanner::default().scan_text(
                &database,
                text.as_bytes(),
                0..text.len(),
                &Origin::new("x"),
                |_| found += 1,
            );
            assert_eq!(found, hits);
            start.elapsed()
        };
        for (head, one) in [("[", "\"192.0.2.1\","), ("x ", "a=192.0.2.1 "), ("", "192.0.2.1 ")] {
            let times = [10_000, 20_000, 40_000, 80_000].map(|hits| took(hits, head, one));
            assert!(times[3] < times[0] * 32, "{head}{one}: {times:?}");
        }
    }

    /// Texts that a protocol carried, at the time of the packet.
    #[test]
    fn texts_carried_by_a_protocol_are_scanned() {
        let mut compiler = Compiler::default();
        for (raw, until) in [("evil.example", None), ("old.example", Some(100))] {
            let valid_until = until.map(Timestamp::from_seconds);
            let context = Arc::new(Context { valid_until, ..Context::of_feed("mine") });
            let indicator = Indicator::new(Kind::Domain, raw, Scope::Subtree, context);
            compiler.add(indicator.unwrap());
        }
        let database = Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap();
        // A time inside the text is not the time at which it was carried.
        let text = b"2026-01-01T00:00:00Z x=evil.example http://c.evil.example/ old.example\n\
            a@b.evil.example.";
        for (time, want) in [(0, 4), (200, 3)] {
            let mut found = Vec::new();
            let time = Timestamp::from_seconds(time);
            let mut scanner = Scanner::default();
            scanner.scan_carried(&database, text, Where::MailBody, time, |seen, matches| {
                assert_eq!((seen.field, matches.len()), (None, 1));
                found.push((seen.at.name(), seen.value));
            });
            assert_eq!(found.len(), want, "{found:?}");
            assert_eq!(found[0], ("mail.body", "evil.example".to_owned()));
            assert!(found.contains(&("email.domain", "b.evil.example".to_owned())));
        }
    }

    /// The machine-readable cases of the matching specification, if they are available.
    #[test]
    fn the_cases_of_the_specification() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/spec/cases.jsonl");
        let Ok(cases) = std::fs::read_to_string(path) else {
            eprintln!("SKIPPED: {path} is not there");
            return;
        };
        for case in cases.lines() {
            let case: serde_json::Value = serde_json::from_str(case).unwrap();
            let id = case["id"].as_str().unwrap();
            let internal = case["private_guard"] == false;
            let context = Context { internal, ..Context::of_feed("case") };
            let context = std::sync::Arc::new(context);
            let mut compiler = Compiler::default();
            let mut names = BTreeMap::new();
            for indicator in case["indicators"].as_array().unwrap() {
                let (kind, scope) = kind_of(indicator["kind"].as_str().unwrap());
                let raw = indicator["value"].as_str().unwrap();
                let indicator = Indicator::new(kind, raw, scope, context.clone()).unwrap();
                names.insert(indicator.value.to_string(), raw.to_string());
                compiler.add(indicator);
            }
            let database =
                Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap();
            let options = Options { refang: case["mode"] == "report", ..Options::default() };
            let text = case["input"].as_str().unwrap().as_bytes();
            for cut in 0..=text.len() {
                let mut scanner = Scanner::new(options.clone());
                let mut got: BTreeMap<String, u64> = BTreeMap::new();
                let pieces = if options.refang {
                    vec![(0, text.len())]
                } else {
                    vec![(0, cut), (cut, text.len())]
                };
                for (start, end) in pieces {
                    let core = start..end;
                    let origin = Origin::new("case");
                    scanner.scan_text(&database, text, core, &origin, |hit| {
                        for m in &hit.matches {
                            *got.entry(names[&m.value].clone()).or_default() += 1;
                        }
                    });
                }
                let want: BTreeMap<String, u64> =
                    serde_json::from_value(case["expect"].clone()).unwrap();
                assert_eq!(got, want, "{id} cut at {cut}: {}", String::from_utf8_lossy(text));
            }
        }
    }
}
