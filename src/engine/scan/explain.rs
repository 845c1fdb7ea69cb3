//! Explains why a value matches or does not, for `lookup`.
//!
//! It goes through the same code as a scan, so it cannot claim a match that a scan
//! would not find. On top of that it asks each filter by itself, and lists what the
//! database withholds.

use super::entries::Reach;
use super::query::Query;
use super::resolve::{Verdict, is_guarded, judge};
use super::{Match, Scanner};
use crate::engine::database::{Database, Withheld};
use crate::engine::indicator::guess::{Guess, guess};
use crate::engine::indicator::{
    Context, Kind, Observable, Reason, Role, Scope, Timestamp, Value, Where, address, digest,
    domain, refang, url, words,
};
use std::net::IpAddr;

/// The result of looking up one value.
#[derive(Clone, Debug)]
pub struct Explanation<'d> {
    /// The value as given.
    pub asked: String,
    /// How it was read: kind and normal form. `None` if it is not a value of any
    /// kind.
    pub read_as: Option<(Kind, String)>,
    /// Whether it had to be refanged.
    pub refanged: bool,
    /// The indicators that alert.
    pub matches: Vec<Match<'d>>,
    /// Indicators that are present but do not alert, with the reason.
    pub held: Vec<Finding<'d>>,
    /// The filters and structures that were checked, in order, and their answers.
    pub steps: Vec<(String, Outcome)>,
    /// Further facts about a value that does not match, one sentence each.
    pub notes: Vec<String>,
}

/// An indicator that is present but does not alert.
#[derive(Clone, Debug)]
pub struct Finding<'d> {
    /// Its kind.
    pub kind: Kind,
    /// Its value.
    pub value: String,
    /// How far it reaches beyond its value.
    pub scope: Scope,
    /// Why it does not alert.
    pub reason: Reason,
    /// The source that claims it.
    pub context: Option<Context<'d>>,
    /// The warning lists that exclude it.
    pub lists: Vec<String>,
}

/// The answer of a filter or a structure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The database has no values of this kind.
    Empty,
    /// The filter excludes the value.
    No,
    /// The filter does not exclude the value.
    Maybe,
    /// The number of entries found.
    Found(usize),
}

impl Scanner {
    /// Looks up one value and explains the result. `time` decides validity unless
    /// the options fix one.
    pub fn explain<'d>(
        &mut self,
        database: &'d Database,
        asked: &str,
        time: Timestamp,
    ) -> Explanation<'d> {
        let mut explanation = Explanation {
            asked: asked.to_string(),
            read_as: None,
            refanged: false,
            matches: Vec::new(),
            held: Vec::new(),
            steps: Vec::new(),
            notes: Vec::new(),
        };
        let time = self.options.at.unwrap_or(time);
        // People paste values from reports, so refang even though logs are never refanged.
        let straight = refang::refang(asked.trim());
        explanation.refanged = straight != asked.trim();
        for (kind, value) in readings(database, asked.trim(), &straight) {
            explanation.read_as.get_or_insert_with(|| (kind, value.to_string()));
            self.explain_one(database, (kind, &value), time, &mut explanation);
        }
        // A string is taken as typed, unless its form shows that it is something
        // else.
        let is_typed = explanation.read_as.as_ref().is_some_and(|(kind, _)| kind.is_string())
            && guess(&straight, Scope::Exact).is_err();
        explanation.refanged &= !is_typed;
        if matches!(explanation.read_as, Some((Kind::Asn, _))) {
            let note = "AS numbers are stored but never matched: packets and logs contain addresses; \
                        list the networks that the AS announces";
            explanation.notes.push(note.into());
        }
        // Two readings of a value can meet the same indicator.
        explanation.matches.dedup();
        explain_withheld(database, &mut explanation);
        explanation
    }

    /// Looks up one reading of the value.
    fn explain_one<'d>(
        &mut self,
        database: &'d Database,
        (kind, value): (Kind, &Value),
        time: Timestamp,
        explanation: &mut Explanation<'d>,
    ) {
        let text = value.to_string();
        let bytes = digest::decode(text.as_bytes());
        let observable = match value {
            Value::Net(net) => Observable::Address(net.addr(), None),
            Value::Endpoint(address, port) => Observable::Address(*address, Some(*port)),
            Value::Text(text) => match (kind, &bytes) {
                (Kind::Domain, _) => Observable::Name(text.as_bytes()),
                (Kind::Url, _) => Observable::Url(text.as_bytes()),
                (Kind::Email, _) => Observable::Email(text.as_bytes()),
                (kind, Some((bytes, len))) if kind.digest_len().is_some() => {
                    Observable::Digest(kind, &bytes[..*len])
                }
                (kind, _) => Observable::Text(kind, text.as_bytes()),
            },
        };
        push_steps(database, observable, explanation);
        self.scratch.collect(database, observable);
        let entries = self.scratch.entries.len();
        let outcome = match observable {
            Observable::Text(kind, _) if !database.has_words_of(kind) => Outcome::Empty,
            _ => Outcome::Found(entries),
        };
        // Any text could be a mutex; saying that this one is not would only be
        // noise.
        let is_first = explanation.read_as.as_ref().is_some_and(|(first, _)| *first == kind);
        if entries > 0 || is_first || !matches!(observable, Observable::Text(..)) {
            explanation.steps.push((format!("exact structure for {kind} {text}"), outcome));
        }
        let query = Query { observable, at: Where::LogText, kinds: None, time };
        self.explain_claims(database, &query, explanation);
        if let Some((_, matches)) = self.resolve(database, &query) {
            explanation.matches.extend(matches);
        } else if entries > 0
            && let Some(allowance) = self.allowed_by(database, &query)
        {
            explanation.notes.push(format!("it is on the allow list {allowance}"));
        }
        // Without this hint, an address that is only listed with a port looks absent.
        if let Observable::Address(address, None) = observable {
            for (port, _) in database.endpoint_ports(address) {
                let value = Value::Endpoint(address, port).to_string();
                explanation.notes.push(format!("it is listed with a port: {value}"));
            }
        }
    }

    /// Lists every claim that does not alert, with the reason.
    fn explain_claims<'d>(
        &self,
        database: &'d Database,
        query: &Query<'_>,
        explanation: &mut Explanation<'d>,
    ) {
        for entry in &self.scratch.entries {
            for claim in database.claims(entry.posting) {
                let (verdict, _) = judge(database, entry, claim, query);
                let context = database.context(claim.context);
                let reason = match verdict {
                    Verdict::Held(reason) => reason,
                    _ => continue,
                };
                // The database marks withdrawal as an end of validity; people
                // should see the difference.
                let withdrawn = context.as_ref().is_some_and(|c| c.inactive);
                let reason = match reason {
                    Reason::Expired if withdrawn => Reason::Withdrawn,
                    reason => reason,
                };
                explanation.held.push(Finding {
                    kind: claim.kind,
                    value: entry.value.clone(),
                    scope: claim.scope,
                    reason,
                    context,
                    lists: Vec::new(),
                });
            }
            let below = entry.reach == Reach::Below;
            // A parent that is listed without its subdomains is the most common surprise.
            let exact_only =
                below && database.claims(entry.posting).all(|claim| claim.scope == Scope::Exact);
            if exact_only {
                let value = &entry.value;
                explanation.notes.push(format!("{value} is listed, but only for its exact value"));
            }
        }
        if let Observable::Address(address, _) = query.observable
            && self.scratch.entries.is_empty()
            && is_guarded(address, Kind::Ip)
        {
            let note = "it is private or reserved; only internal feeds alert on it";
            explanation.notes.push(note.into());
        }
    }
}

/// The possible readings of a value, and the values derived from it. Any text can
/// be a string of any kind: it counts as one if the database lists it, or, if it is
/// nothing else, for each kind that the database has. Strings are taken as typed,
/// since what looks like defanging may belong to a path.
fn readings(database: &Database, asked: &str, text: &str) -> Vec<(Kind, Value)> {
    let mut readings = Vec::new();
    if let Some(asn) = as_number(text) {
        return vec![asn];
    }
    let guess = guess(text, Scope::Exact);
    let has_form = guess.is_ok();
    match guess {
        Ok(Guess::One(kind, value, _)) => readings.push((kind, value)),
        Ok(Guess::Nets(nets)) => {
            readings.extend(nets.into_iter().map(|n| (Kind::Net, Value::Net(n))))
        }
        Err(_) => {
            // A name under an unknown top-level domain may still be listed.
            if let Ok(name) = domain::normalise(text)
                && name.contains('.')
            {
                readings.push((Kind::Domain, Value::Text(name.into())));
            }
        }
    }
    let derived = derived(readings.first());
    readings.extend(derived);
    let (listed, others) = strings(database, asked);
    let others = others.into_iter().filter(|_| !has_form);
    for reading in listed.into_iter().chain(others) {
        if !readings.contains(&reading) {
            readings.push(reading);
        }
    }
    if readings.is_empty() {
        // The database has no strings at all. Name the likely kinds, so that there
        // is an answer.
        let kinds = [Kind::Filename, Kind::Mutex, Kind::UserAgent, Kind::Filepath];
        readings.extend(kinds.into_iter().filter_map(|kind| string(kind, asked)));
    }
    readings
}

/// Parses `AS64500`, a form that nothing else has.
fn as_number(text: &str) -> Option<(Kind, Value)> {
    let digits =
        text.get(..2).filter(|head| head.eq_ignore_ascii_case("as")).map(|_| &text[2..])?;
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| string(Kind::Asn, text)).flatten()
}

/// Reads the value as a string of a kind, if its normal form exists.
fn string(kind: Kind, asked: &str) -> Option<(Kind, Value)> {
    let word = words::normalise(kind, asked).ok()?;
    Some((kind, Value::Text(word.into())))
}

/// The kinds of strings that a value can be: first those that list it, then those
/// that list others.
#[expect(clippy::type_complexity, reason = "two parts of one answer")]
fn strings(database: &Database, asked: &str) -> (Vec<(Kind, Value)>, Vec<(Kind, Value)>) {
    let kinds = Kind::ALL.iter().copied().filter(|kind| {
        kind.is_string() && (database.has_words_of(*kind) || database.has_patterns(*kind))
    });
    kinds.filter_map(|kind| string(kind, asked)).partition(|(kind, value)| match value {
        Value::Text(word) => {
            database.word(*kind, word.as_bytes()).is_some()
                || database.patterns(*kind, word.as_bytes()).next().is_some()
        }
        _ => false,
    })
}

/// Derives the host of a URL, the domain of an e-mail address, or the address of a
/// reverse name.
fn derived(reading: Option<&(Kind, Value)>) -> Option<(Kind, Value)> {
    let (kind, Value::Text(text)) = reading? else { return None };
    match kind {
        Kind::Url => {
            let url = url::parse(text).ok()?;
            Some(match address::parse_ip(url.host()) {
                Ok(ip) => (Kind::Ip, Value::Net(ip.into())),
                Err(_) => (Kind::Domain, Value::Text(url.host().into())),
            })
        }
        Kind::Email => {
            let (_, name) = text.rsplit_once('@')?;
            Some((Kind::Domain, Value::Text(name.into())))
        }
        Kind::Domain => {
            let ip = address::from_reverse_name(text.as_bytes())?;
            Some((Kind::Ip, Value::Net(ip.into())))
        }
        _ => None,
    }
}

/// Asks the filters that a scan would ask, in its order.
fn push_steps(database: &Database, observable: Observable<'_>, explanation: &mut Explanation<'_>) {
    let mut step = |what: String, maybe: bool| {
        explanation.steps.push((what, if maybe { Outcome::Maybe } else { Outcome::No }));
    };
    match observable {
        Observable::Address(IpAddr::V4(v4), _) => {
            step(format!("bitmap of IPv4 networks for {v4}"), database.may_hold_v4(v4.to_bits()));
        }
        Observable::Name(name) => {
            let label = domain::last_label(name);
            let text = String::from_utf8_lossy(label).into_owned();
            step(format!("bitmap of last labels for {text}"), database.may_end_in(label));
            let text = String::from_utf8_lossy(name).into_owned();
            step(format!("filter of registered names for {text}"), database.may_hold_domain(name));
        }
        Observable::Url(raw) => {
            if let Ok(url) = url::parse(&String::from_utf8_lossy(raw)) {
                let host = url.host();
                step(
                    format!("filter of URL hosts for {host}"),
                    database.may_hold_url_host(host.as_bytes()),
                );
            }
        }
        Observable::Email(raw) => {
            let text = String::from_utf8_lossy(raw).into_owned();
            step(format!("filter of e-mail addresses for {text}"), database.may_hold_email(raw));
        }
        _ => {}
    }
}

/// Whether a value is worth refanging: there may be tens of thousands of rows to
/// compare.
fn is_defanged(value: &str) -> bool {
    value.contains(['[', '(', '{'])
        || value.as_bytes().get(..2).is_some_and(|head| head.eq_ignore_ascii_case(b"hx"))
}

/// Adds values that would have matched but are not in the database proper: withheld
/// by guards or warning lists, or unreadable as indicators.
fn explain_withheld<'d>(database: &'d Database, explanation: &mut Explanation<'d>) {
    let asked = explanation.asked.trim().to_string();
    let straight = refang::refang(&asked).into_owned();
    let read_as = explanation.read_as.clone();
    let address = read_as.as_ref().and_then(|(_, value)| address::parse_net(value).ok());
    let is_same = |one: &str| one.eq_ignore_ascii_case(&asked) || one == straight;
    let meets = |row: &Withheld<'_>| match (&read_as, row.kind, &address) {
        // Unreadable values are kept as the feed wrote them.
        (_, Kind::Opaque, _) => {
            is_same(row.value) || is_defanged(row.value) && refang::refang(row.value) == straight
        }
        (_, Kind::Ip | Kind::Net, Some(asked)) => {
            address::parse_net(row.value).is_ok_and(|net| net.contains(asked))
        }
        (Some((Kind::Domain, value)), Kind::Domain, _) => {
            value == row.value
                || value.strip_suffix(row.value).is_some_and(|head| head.ends_with('.'))
        }
        (Some((kind, value)), _, _) => row.kind == *kind && row.value == value,
        (None, ..) => false,
    };
    for row in database.withheld().filter(meets) {
        let contexts: Vec<_> = database
            .claims(row.posting)
            .filter_map(|claim| database.context(claim.context))
            .collect();
        // A row's contexts mix the feeds that claim the value with the lists that
        // exclude it.
        let (lists, feeds): (Vec<_>, Vec<_>) =
            contexts.into_iter().partition(|context| context.role == Role::Allow);
        let lists = lists.iter().map(|list| match &list.collection {
            Some(name) => format!("{} ({name})", list.feed),
            None => list.feed.to_string(),
        });
        let lists: Vec<String> = lists.collect();
        for context in feeds {
            explanation.held.push(Finding {
                kind: row.kind,
                value: row.value.to_string(),
                scope: row.scope,
                reason: row.reason,
                context: Some(context),
                lists: lists.clone(),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compile::Compiler;
    use crate::engine::indicator::Indicator;
    use std::sync::Arc;

    #[test]
    fn strings_are_read_as_every_kind_that_is_there() {
        let mut compiler = Compiler::default();
        let context = Arc::new(Context::of_feed("mine"));
        for (kind, raw) in [
            (Kind::Mutex, "evil.com"),
            (Kind::Pipe, "\\\\.\\pipe\\evilpipe"),
            (Kind::Mutex, "a[.]b mutex"),
            (Kind::Regkey, "HKLM\\Software\\Evil"),
        ] {
            let context = Arc::clone(&context);
            compiler.add(Indicator::new(kind, raw, Scope::Exact, context).unwrap());
        }
        let database = Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap();
        let mut scanner = Scanner::default();
        for (asked, read_as, found) in [
            ("evil.com", Kind::Domain, Some(Kind::Mutex)),
            ("\\EvilPipe", Kind::Pipe, Some(Kind::Pipe)),
            ("a[.]b mutex", Kind::Mutex, Some(Kind::Mutex)),
            ("HKLM:\\Software\\Evil", Kind::Regkey, Some(Kind::Regkey)),
            ("HKCU\\Software\\Evil", Kind::Regkey, None),
        ] {
            let explanation = scanner.explain(&database, asked, Timestamp(0));
            assert_eq!(explanation.read_as.map(|(kind, _)| kind), Some(read_as), "{asked}");
            assert_eq!(explanation.matches.first().map(|m| m.kind), found, "{asked}");
            assert!(!explanation.refanged, "{asked}");
        }
    }
}
