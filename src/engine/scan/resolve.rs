//! Turns entries into matches: scopes, validity, the guard for private addresses,
//! allow lists.

use super::counters::kind_of;
use super::entries::{Entry, Reach};
use super::held::HeldClaims;
use super::query::Query;
use super::scanner::Scratch;
use super::{Match, Scanner, Seen};
use crate::engine::database::{Claim, Database};
use crate::engine::indicator::{
    Kind, Observable, Quality, Reason, Scope, Timestamp, Where, address, digest, email, url, words,
};
use std::net::IpAddr;

/// The verdict on a claim.
pub(super) enum Verdict {
    Alert,
    /// It does not cover the observable, as if it were not there.
    Other,
    Held(Reason),
}

/// Judges one claim.
///
/// The order matters: a claim that does not cover the observable must not be
/// counted as suppressed, and an expired one must not be counted as private.
pub(super) fn judge(
    database: &Database,
    entry: &Entry,
    claim: Claim,
    query: &Query<'_>,
) -> (Verdict, Quality) {
    let Query { observable, kinds, time, .. } = *query;
    let mut quality = entry.quality;
    if !entry.reach.admits(claim.scope) || kinds.is_some_and(|kinds| !kinds.contains(&claim.kind)) {
        return (Verdict::Other, quality);
    }
    if claim.kind == Kind::Url && claim.scope != Scope::Regex && claim.scope != Scope::Wildcard {
        match claim.scheme.meets(entry.scheme) {
            Some(flag) => quality = quality.with(flag),
            None => return (Verdict::Other, quality),
        }
    }
    let Some(policy) = database.policy(claim.context) else { return (Verdict::Other, quality) };
    if !policy.is_live(time) {
        // An expired entry of an allow list has no effect.
        let verdict = if policy.allow { Verdict::Other } else { Verdict::Held(Reason::Expired) };
        return (verdict, quality);
    }
    if policy.allow {
        return (Verdict::Held(Reason::Allowed), quality);
    }
    let verdict = match observable {
        Observable::Address(address, _) if !policy.internal && is_guarded(address, claim.kind) => {
            Verdict::Held(Reason::Private)
        }
        Observable::Digest(..) if digest::is_of_nothing(&entry.value) => {
            Verdict::Held(Reason::EmptyHash)
        }
        _ => Verdict::Alert,
    };
    (verdict, quality)
}

impl Scanner {
    /// Judges the entries in the scratch space. Returns `None` if nothing alerts,
    /// and then counts the reason.
    pub(super) fn resolve<'d>(
        &mut self,
        database: &'d Database,
        query: &Query<'_>,
    ) -> Option<(Seen, Vec<Match<'d>>)> {
        let Query { observable, at, kinds, .. } = *query;
        // A field that allows only some kinds is more specific than what the
        // protocol says.
        let typed = typed_kinds(observable, at);
        let kinds = kinds.or(typed.as_ref().map(std::slice::from_ref));
        let query = &Query { kinds, ..*query };
        let mut matches = Matches { database, all: Vec::new(), first: 0 };
        // Only counted if nothing alerts: each observable counts once.
        let mut held: Option<(Reason, String)> = None;
        let mut survey = self.options.survey.is_some().then(HeldClaims::new);
        for entry in &self.scratch.entries {
            matches.first = matches.all.len();
            for claim in database.claims(entry.posting) {
                match judge(database, entry, claim, query) {
                    (Verdict::Other, _) => {}
                    // A single allowance silences the observable, whatever else
                    // claims it.
                    (Verdict::Held(Reason::Allowed), _) => {
                        let list = feed_of(database, claim);
                        self.counters.suppress(Reason::Allowed, &list);
                        self.survey_allowed(database, query);
                        return None;
                    }
                    (Verdict::Held(reason), _) => {
                        survey.iter_mut().for_each(|all| all.push((claim.context, Some(reason))));
                        // The first reason is reported: entries are ordered by how
                        // specific they are.
                        held.get_or_insert((reason, String::new()));
                    }
                    (Verdict::Alert, quality) => {
                        survey.iter_mut().for_each(|all| all.push((claim.context, None)));
                        matches.push(entry, claim, quality);
                    }
                }
            }
        }
        let matches = matches.all;
        if matches.is_empty() {
            if let Some((reason, list)) = held {
                self.counters.suppress(reason, &list);
            }
            survey.into_iter().for_each(|all| self.held_back.add(all));
            return None;
        }
        if let Some(allowance) = self.allowed_by(database, query) {
            self.counters.suppress(Reason::Allowed, &allowance.list);
            self.survey_allowed(database, query);
            return None;
        }
        survey.into_iter().for_each(|all| self.held_back.add(all));
        // Only now build what an alert needs: nearly all calls end above.
        let seen = self.seen_as(observable, at, &matches);
        Some((seen, matches))
    }

    /// What was observed, as an alert with these matches shows it.
    fn seen_as(&self, observable: Observable<'_>, at: Where, matches: &[Match<'_>]) -> Seen {
        let mut seen = self.seen(observable, at);
        if matches!(observable, Observable::Url(_)) {
            let flags = [
                (self.scratch.url.has_odd_host(), Quality::DERIVED),
                (self.scratch.is_cut, Quality::CUT),
            ];
            let set = flags.into_iter().filter(|(is_so, _)| *is_so);
            seen.quality = set.fold(seen.quality, |quality, (_, flag)| quality.with(flag));
        }
        if let [only] = matches
            && only.kind == Kind::Endpoint
        {
            // If only the endpoint is listed, the port is part of what was observed.
            seen.kind = Kind::Endpoint;
            seen.value.clone_from(&only.value);
        }
        seen
    }

    /// Notes the claims that would alert if nothing allowed the observable.
    fn survey_allowed(&mut self, database: &Database, query: &Query<'_>) {
        if self.options.survey.is_none() {
            return;
        }
        let entries = self.scratch.entries.iter();
        let claims = entries.flat_map(|entry| {
            database.claims(entry.posting).filter_map(|claim| {
                let is_met = matches!(judge(database, entry, claim, query).0, Verdict::Alert);
                is_met.then_some((claim.context, Some(Reason::Allowed)))
            })
        });
        let claims: HeldClaims = claims.collect();
        self.held_back.add(claims);
    }

    /// Finds what allows the observable, its URL's host, or its e-mail address's
    /// domain: a list given to the scanner, or one in the database.
    pub(super) fn allowed_by(
        &mut self,
        database: &Database,
        query: &Query<'_>,
    ) -> Option<Allowance> {
        let Query { observable, at, .. } = *query;
        let given = self.options.allow.clone();
        // The scanner's own scratch space holds the entries being judged.
        let mut scratch = Scratch::default();
        let mut on_list = |database: &Database, observable| {
            let query = query.about(observable, at);
            scratch.collect(database, observable);
            scratch.entries.iter().find_map(|entry| {
                database.claims(entry.posting).find_map(|claim| {
                    let (verdict, _) = judge(database, entry, claim, &query);
                    matches!(verdict, Verdict::Held(Reason::Allowed))
                        .then(|| Allowance::of(database, claim))
                })
            })
        };
        // An allowance in the database for the observable itself was found while
        // judging its entries.
        if let Some(list) = given.as_deref().and_then(|given| on_list(given, observable)) {
            return Some(list);
        }
        let url;
        let host = match observable {
            Observable::Url(raw) => {
                let mut seen = url::Url::default();
                seen.read_seen(raw).ok()?;
                url = seen;
                match address::parse_ip(url.host()) {
                    Ok(address) => Observable::Address(address, None),
                    Err(_) => Observable::Name(url.host().as_bytes()),
                }
            }
            // `?`: an address without `@` has no domain to allow.
            Observable::Email(raw) => Observable::Name(&raw[memchr::memrchr(b'@', raw)? + 1..]),
            _ => return None,
        };
        // The database is only asked if it has an allow list at all, which most
        // have not.
        let given = given.as_deref().and_then(|given| on_list(given, host));
        given
            .or_else(|| (database.summary().allowed > 0).then(|| on_list(database, host)).flatten())
    }

    /// The observable, as it appears in an alert.
    fn seen(&self, observable: Observable<'_>, at: Where) -> Seen {
        // Looking it up has left its normal form in the scratch space or in an
        // entry.
        let scratch = &self.scratch;
        let (value, raw) = match observable {
            Observable::Address(address @ IpAddr::V4(_), _) => {
                let is_bare = |value: &str| value.bytes().all(|b| b == b'.' || b.is_ascii_digit());
                let mut values = scratch.entries.iter().map(|entry| &entry.value);
                let known = values.find(|value| is_bare(value));
                (known.cloned().unwrap_or_else(|| address.to_string()), None)
            }
            Observable::Address(address, _) => (address.to_string(), None),
            Observable::Name(raw) => {
                let name = String::from_utf8_lossy(&scratch.name).into_owned();
                (name, Some(String::from_utf8_lossy(raw)))
            }
            Observable::Url(raw) => (scratch.url.to_string(), Some(String::from_utf8_lossy(raw))),
            Observable::Email(raw) => {
                let raw = String::from_utf8_lossy(raw);
                let equal = scratch.entries.iter().find(|entry| entry.reach == Reach::Equal);
                let value = match equal {
                    Some(entry) => entry.value.clone(),
                    None => email::normalise(&raw).map_or(raw.to_string(), |e| e.into()),
                };
                (value, Some(raw))
            }
            Observable::Digest(_, bytes) => match scratch.entries.first() {
                Some(entry) => (entry.value.clone(), None),
                None => (digest::encode(bytes), None),
            },
            Observable::Text(kind, raw) => {
                let raw = String::from_utf8_lossy(raw);
                (words::normalise(kind, &raw).map_or(raw.to_string(), |w| w.into()), Some(raw))
            }
        };
        let raw = raw.filter(|raw| *raw != value).map(|raw| raw.into_owned());
        let quality = match at {
            Where::Ptr | Where::Nat64 => Quality::DERIVED,
            _ => Quality::default(),
        };
        Seen { kind: kind_of(observable), value, raw, at, field: None, quality }
    }
}

/// The list that allows an observable, with its reason and expiry.
pub(super) struct Allowance {
    pub(super) list: String,
    reason: Option<String>,
    until: Option<Timestamp>,
}

impl Allowance {
    /// Reads the allowance from the context of its claim: the comment after a value
    /// is its reason.
    fn of(database: &Database, claim: Claim) -> Allowance {
        let context = database.context(claim.context).unwrap_or_default();
        Allowance {
            list: context.feed.into_owned(),
            reason: context.description.map(|reason| reason.into_owned()),
            until: context.valid_until,
        }
    }
}

impl std::fmt::Display for Allowance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.list)?;
        if let Some(until) = self.until {
            write!(f, " until {until}")?;
        }
        match &self.reason {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

/// The kind that a protocol guarantees for a digest. In text it is only guessed
/// from the length.
fn typed_kinds(observable: Observable<'_>, at: Where) -> Option<Kind> {
    match observable {
        Observable::Digest(kind, _) if at != Where::LogText && at != Where::LogField => Some(kind),
        _ => None,
    }
}

/// The feed of a claim.
fn feed_of(database: &Database, claim: Claim) -> String {
    database.context(claim.context).map_or(String::new(), |context| context.feed.into_owned())
}

/// The matches of an observable.
struct Matches<'d> {
    database: &'d Database,
    all: Vec<Match<'d>>,
    /// Where those of the entry begin whose claims are judged.
    first: usize,
}

impl Matches<'_> {
    /// Adds a claim to the match with its kind, scope and quality, or starts a new
    /// match.
    fn push(&mut self, entry: &Entry, claim: Claim, quality: Quality) {
        let Some(context) = self.database.context(claim.context) else { return };
        let scheme = match claim.kind {
            Kind::Url if entry.reach != Reach::Pattern => claim.scheme.prefix(),
            _ => "",
        };
        // Only among the matches of this entry, which begin at `first`.
        let same = self.all[self.first..].iter_mut().find(|m| {
            (m.kind, m.scope, m.quality) == (claim.kind, claim.scope, quality)
                && m.value.strip_prefix(scheme) == Some(&entry.value)
        });
        match same {
            Some(found) => found.sources.push(context),
            None => self.all.push(Match {
                kind: claim.kind,
                value: [scheme, &entry.value].concat(),
                scope: claim.scope,
                quality,
                sources: vec![context],
            }),
        }
    }
}

/// The guard for private and reserved addresses (matching specification, section
/// 6.1, rule 5). In the documentation ranges it only holds back networks, which is
/// how bogon lists contain them. A single listed address there alerts (case T13):
/// only tests and demonstrations list one.
pub(crate) fn is_guarded(address: IpAddr, kind: Kind) -> bool {
    address::is_reserved(address) && (kind == Kind::Net || !address::is_documentation(address))
}
