//! The compiler: takes indicators and writes a database.

use super::arena;
use super::arena::Arena;
use super::guard;
use super::screen::Screen;
use crate::engine::database::{
    Claim, Contents, FeedSummary, Keyed, Laid, Posting, Summary, lay_out,
};
use crate::engine::indicator::url::{self, Scheme};
use crate::engine::indicator::{
    Context, Indicator, Kind, Reason, Role, Scope, Timestamp, Value, digest,
};
use crate::{Error, Result};
use hashbrown::HashMap;
use ipnet::IpNet;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

/// Settings that go beyond the rules of the specification.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Options {
    /// Accept networks wider than /8 (IPv6: /16), which are otherwise refused.
    pub allow_wide: bool,
    /// Accept whole public suffixes, which are otherwise refused or limited to the
    /// exact name.
    pub allow_suffix: bool,
}

impl Options {
    /// Sets whether to accept networks wider than /8 (IPv6: /16).
    #[must_use]
    pub fn wide(self, allow_wide: bool) -> Self {
        Options { allow_wide, ..self }
    }

    /// Sets whether to accept whole public suffixes.
    #[must_use]
    pub fn suffixes(self, allow_suffix: bool) -> Self {
        Options { allow_suffix, ..self }
    }
}

/// Collects indicators and compiles them into a database.
#[derive(Debug, Default)]
pub struct Compiler {
    options: Options,
    screen: Screen,
    annotated: HashMap<(*const Context<'static>, Vec<u16>), [Arc<Context<'static>>; 2]>,
    refused: BTreeSet<Refused>,
    contexts: HashMap<Arc<Context<'static>>, u32>,
    last_context: Option<(*const Context<'static>, u32)>,
    claims: HashMap<Claim, u32>,
    last_claim: Option<(Claim, u32)>,
    nets4: Vec<(u32, u8, u32)>,
    nets6: Vec<(u128, u8, u32)>,
    endpoints: Vec<((IpAddr, u16), u32)>,
    digests: BTreeMap<usize, Arena>,
    domains: Arena,
    urls: Arena,
    paths: Arena,
    emails: Arena,
    words: Arena,
    patterns: Vec<(Kind, Scope, Box<str>, u32)>,
    checked_patterns: HashMap<(Kind, Scope, Box<str>), Result<(), Reason>>,
    withheld: Vec<(Kind, Scope, Reason, Box<str>, u32)>,
    guarded: BTreeMap<Reason, u64>,
    by_feed: BTreeMap<String, BTreeMap<Reason, u64>>,
    feed_of_context: Vec<(Arc<Context<'static>>, u64, u64)>,
    indicators: u64,
    allowed: u64,
    subscribed: String,
}

/// The maximum number of rejected values to store, so that `lookup` can explain
/// them. They are for people: a feed full of garbage is better served by the list
/// of rejects.
const MAX_REFUSED: usize = 1 << 15;

/// The length limit of a stored rejected value.
const MAX_REFUSED_LEN: usize = 256;

/// The maximum number of tagged contexts to cache.
const MAX_ANNOTATED: usize = 1 << 16;

/// A rejected value. They are ordered by hash, so the order of feeds does not
/// decide which ones are stored, and neither does the alphabet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Refused {
    hash: u64,
    value: Box<str>,
    reason: Reason,
    feed: Box<str>,
}

/// Runs two halves of some work, in parallel if possible. This room starts no
/// threads; the caller provides this.
pub type Together<'t> = &'t dyn Fn(&mut (dyn FnMut() + Send), &mut (dyn FnMut() + Send));

fn one_after_the_other(a: &mut (dyn FnMut() + Send), b: &mut (dyn FnMut() + Send)) {
    a();
    b();
}

impl Compiler {
    /// Creates a compiler with options.
    pub fn new(options: Options) -> Self {
        Compiler { options, ..Compiler::default() }
    }

    /// Names the subscribed set that is compiled, so that the caller can skip
    /// compiling the same set again.
    pub fn set_subscribed(&mut self, name: String) {
        self.subscribed = name;
    }

    /// Creates a compiler that checks indicators against warning lists.
    pub fn screened(options: Options, screen: Screen) -> Self {
        Compiler { options, screen, ..Compiler::default() }
    }

    /// The warning lists, with what they have matched so far.
    pub fn screen(&self) -> &Screen {
        &self.screen
    }

    /// The number of indicators added so far.
    pub fn len(&self) -> u64 {
        self.indicators
    }

    /// Whether no indicator was added yet.
    pub fn is_empty(&self) -> bool {
        self.indicators == 0
    }

    /// The number of indicators that the guards withheld or changed so far, by
    /// reason.
    pub fn guarded(&self) -> &BTreeMap<Reason, u64> {
        &self.guarded
    }

    /// The same by feed, including indicators that the private guard will keep from
    /// alerting.
    pub fn guarded_by_feed(&self) -> &BTreeMap<String, BTreeMap<Reason, u64>> {
        &self.by_feed
    }

    /// Adds an indicator. If a guard or a warning list withholds it, it is counted
    /// and stored for `lookup`, and the reason is returned; likewise if it was
    /// changed or will be kept from alerting.
    pub fn add(&mut self, indicator: Indicator) -> Option<Reason> {
        self.indicators += 1;
        let Indicator { kind, value, mut scope, mut context, raw: _ } = indicator;
        let allow = context.role == Role::Allow;
        self.allowed += u64::from(allow);
        let mut verdict = if allow { Ok(None) } else { self.judge(kind, &value, &mut scope) };
        let mut lists = Vec::new();
        if !allow && !self.screen.is_empty() && verdict.is_ok() {
            let screened = self.screen.judge(kind, &value, &context.feed);
            if screened.is_suppressed {
                verdict = Err(Reason::Listed);
            } else if !screened.lists.is_empty() {
                let is_wide = matches!(scope, Scope::Subtree) && kind == Kind::Domain;
                let cut = is_wide && screened.is_apex && !self.options.allow_suffix;
                if cut {
                    scope = Scope::Exact;
                }
                let reason = if cut { Reason::Downgraded } else { Reason::Annotated };
                verdict = verdict.map(|before| before.or(Some(reason)));
                context = self.annotated(context, &screened.lists);
            }
            lists = screened.lists;
        }
        if verdict == Ok(None) && !allow && !context.internal && guard::is_private(kind, &value) {
            verdict = Ok(Some(Reason::Private));
        }
        let reason = match verdict {
            Ok(reason) => reason,
            Err(reason) => Some(reason),
        };
        if let Some(reason) = reason {
            self.count(&context.feed, reason);
        }
        let context = self.context(context);
        if let Err(reason) = verdict {
            self.feed_of_context[context as usize].2 += 1;
            self.withhold((kind, scope, reason), &value.to_string(), context);
            for list in lists {
                // Stores the warning list next to the feed.
                if let Some(of_list) = self.screen.context(list).cloned() {
                    let of_list = self.number_of(of_list);
                    self.withhold((kind, scope, reason), &value.to_string(), of_list);
                }
            }
            return Some(reason);
        }
        self.place(kind, &value, scope, context);
        reason
    }

    /// Stores a rejected value of a feed, so that `lookup` can explain it. The
    /// number and the length of such values are limited.
    pub fn refuse(&mut self, value: &str, reason: Reason, feed: &str) {
        let value = value.trim();
        let value = &value[..value.floor_char_boundary(MAX_REFUSED_LEN)];
        if value.is_empty() {
            return;
        }
        let hash = xxhash_rust::xxh3::xxh3_64(value.as_bytes());
        let is_full = self.refused.len() >= MAX_REFUSED;
        if is_full && self.refused.last().is_some_and(|last| hash > last.hash) {
            return;
        }
        self.refused.insert(Refused { hash, value: value.into(), reason, feed: feed.into() });
        if self.refused.len() > MAX_REFUSED {
            self.refused.pop_last();
        }
    }

    fn count(&mut self, feed: &str, reason: Reason) {
        // Private addresses are in the database like any others.
        if reason != Reason::Private {
            *self.guarded.entry(reason).or_default() += 1;
        }
        // Copies the name once, not for each indicator.
        if !self.by_feed.contains_key(feed) {
            self.by_feed.insert(feed.to_string(), BTreeMap::new());
        }
        if let Some(reasons) = self.by_feed.get_mut(feed) {
            *reasons.entry(reason).or_default() += 1;
        }
    }

    fn withhold(&mut self, what: (Kind, Scope, Reason), value: &str, context: u32) {
        let (kind, scope, reason) = what;
        let claim = self.claim(Claim { context, kind, scope, scheme: Scheme::Any });
        self.withheld.push((kind, scope, reason, value.into(), claim));
    }

    /// The context with the names of warning lists added to its tags.
    fn annotated(
        &mut self,
        context: Arc<Context<'static>>,
        lists: &[u16],
    ) -> Arc<Context<'static>> {
        let key = (Arc::as_ptr(&context), lists.to_vec());
        if let Some([_, tagged]) = self.annotated.get(&key) {
            return Arc::clone(tagged);
        }
        let mut tagged = Context::clone(&context);
        for list in lists.iter().filter_map(|list| self.screen.context(*list)) {
            tagged.tags.push(format!("warninglist:{}", list.feed).into());
        }
        let tagged = Arc::new(tagged);
        if self.annotated.len() >= MAX_ANNOTATED {
            self.annotated.clear();
        }
        // Keeping the original context alive keeps its address unique.
        self.annotated.insert(key, [context, Arc::clone(&tagged)]);
        tagged
    }

    /// The number of a context without an indicator.
    fn number_of(&mut self, context: Arc<Context<'static>>) -> u32 {
        let number = self.context(context);
        self.feed_of_context[number as usize].1 -= 1;
        number
    }

    /// Applies the guards: refuses, changes or accepts.
    fn judge(
        &mut self,
        kind: Kind,
        value: &Value,
        scope: &mut Scope,
    ) -> Result<Option<Reason>, Reason> {
        if let (Scope::Wildcard | Scope::Regex, Value::Text(text)) = (*scope, value) {
            let key = (kind, *scope, text.clone());
            let checked =
                self.checked_patterns.entry(key).or_insert_with_key(|(_, scope, text)| {
                    crate::engine::database::check_pattern(kind, *scope, text)
                });
            return checked.map(|()| None);
        }
        guard::judge(&self.options, kind, value, scope)
    }

    fn context(&mut self, context: Arc<Context<'static>>) -> u32 {
        let address = Arc::as_ptr(&context);
        if let Some((last, number)) = self.last_context
            && last == address
        {
            self.feed_of_context[number as usize].1 += 1;
            return number;
        }
        let number = match self.contexts.get(&context) {
            Some(&number) => number,
            None => {
                let number = self.contexts.len() as u32;
                self.contexts.insert(Arc::clone(&context), number);
                self.feed_of_context.push((Arc::clone(&context), 0, 0));
                number
            }
        };
        self.feed_of_context[number as usize].1 += 1;
        // The table's entry is only valid if it holds this very context; another
        // equal context may be freed and its address reused.
        let held = Arc::as_ptr(&self.feed_of_context[number as usize].0) == address;
        self.last_context = held.then_some((address, number));
        number
    }

    fn claim(&mut self, claim: Claim) -> u32 {
        if let Some((last, number)) = self.last_claim
            && last == claim
        {
            return number;
        }
        let next = self.claims.len() as u32;
        let number = *self.claims.entry(claim).or_insert(next);
        self.last_claim = Some((claim, number));
        number
    }

    /// Adds a value to the table of its kind.
    fn place(&mut self, kind: Kind, value: &Value, scope: Scope, context: u32) {
        let mut claim = Claim { context, kind, scope, scheme: Scheme::Any };
        match value {
            Value::Net(IpNet::V4(net)) => {
                let claim = self.claim(claim);
                self.nets4.push((net.addr().to_bits(), net.prefix_len(), claim));
            }
            Value::Net(IpNet::V6(net)) => {
                let claim = self.claim(claim);
                self.nets6.push((net.addr().to_bits(), net.prefix_len(), claim));
            }
            Value::Endpoint(address, port) => {
                let claim = self.claim(claim);
                self.endpoints.push(((*address, *port), claim));
            }
            Value::Text(text) if matches!(scope, Scope::Wildcard | Scope::Regex) => {
                let claim = self.claim(claim);
                self.patterns.push((kind, scope, text.clone(), claim));
            }
            Value::Text(text) => match kind {
                Kind::Domain => {
                    let claim = self.claim(claim);
                    self.domains.push_reversed(text.as_bytes(), claim);
                }
                Kind::Url => {
                    let (scheme, key) = url::split_canonical(text);
                    claim.scheme = scheme;
                    let claim = self.claim(claim);
                    self.urls.push(key.as_bytes(), claim);
                }
                Kind::UrlPath => {
                    let claim = self.claim(claim);
                    self.paths.push(text.as_bytes(), claim);
                }
                Kind::Email => {
                    let claim = self.claim(claim);
                    self.emails.push(text.as_bytes(), claim);
                }
                Kind::Opaque => {
                    // Exporting uses the feed's own copy, and nothing can match
                    // this.
                    let claim = self.claim(claim);
                    let text = &text[..text.floor_char_boundary(256)];
                    self.withheld.push((kind, scope, Reason::Ignored, text.into(), claim));
                }
                _ => self.place_other(kind, text, claim),
            },
        }
    }

    fn place_other(&mut self, kind: Kind, text: &str, claim: Claim) {
        let claim = self.claim(claim);
        if kind.digest_len().is_some()
            && let Some((bytes, len)) = digest::decode(text.as_bytes())
        {
            self.digests.entry(len).or_default().push(&bytes[..len], claim);
            return;
        }
        let mut key = Vec::with_capacity(text.len() + 1);
        key.push(kind as u8);
        key.extend_from_slice(text.as_bytes());
        self.words.push(&key, claim);
    }

    /// Writes the database and moves it into place atomically. Returns its summary
    /// and its size in bytes.
    ///
    /// # Errors
    ///
    /// The directory cannot be written or the disk is full. The old database is
    /// then kept.
    pub fn publish(self, path: &Path, built: Timestamp) -> Result<(Summary, u64)> {
        self.publish_with(path, built, &one_after_the_other)
    }

    /// Like [`Self::publish`], with `together` running halves of the work, in
    /// parallel if possible. The resulting bytes are the same.
    ///
    /// # Errors
    ///
    /// Like [`Self::publish`].
    pub fn publish_with(
        self,
        path: &Path,
        built: Timestamp,
        together: Together<'_>,
    ) -> Result<(Summary, u64)> {
        let (contents, summary) = self.contents(together)?;
        let size = contents.publish(path, built, &summary)?;
        Ok((summary, size))
    }

    /// Returns the database as bytes, for tests and for lists on the command line.
    ///
    /// # Errors
    ///
    /// There is more than the format can hold.
    pub fn into_bytes(self, built: Timestamp) -> Result<Vec<u8>> {
        let (contents, summary) = self.contents(&one_after_the_other)?;
        contents.into_bytes(built, &summary)
    }

    fn contents(mut self, together: Together<'_>) -> Result<(Contents, Summary)> {
        let mut summary = self.summary();
        for Refused { value, reason, feed, .. } in std::mem::take(&mut self.refused) {
            let context = self.number_of(Arc::new(Context::of_feed(feed.into_string())));
            self.withhold((Kind::Opaque, Scope::Exact, reason), &value, context);
        }
        let (contexts, claims, renumber) = self.canonical_claims()?;
        let contents = Contents::new(contexts.iter().map(|c| &**c), claims);
        let mut joiner = Joiner { contents, renumber };
        let mut count = |name: &str, values: usize| {
            if values > 0 {
                *summary.values.entry(name.into()).or_default() += values as u64;
            }
        };

        self.finish_addresses(&mut joiner, &mut count);
        // Names are about half of the work.
        let mut names = std::mem::take(&mut self.domains);
        let mut others = [
            ("url", Keyed::Urls, std::mem::take(&mut self.urls)),
            ("url_path", Keyed::Paths, std::mem::take(&mut self.paths)),
            ("email", Keyed::Emails, std::mem::take(&mut self.emails)),
            ("word", Keyed::Words, std::mem::take(&mut self.words)),
        ];
        let digests = &mut self.digests;
        together(&mut || names.sort(), &mut || {
            digests.values_mut().for_each(Arena::sort);
            others.iter_mut().for_each(|(_, _, arena)| arena.sort());
        });
        for (len, arena) in std::mem::take(&mut self.digests) {
            let (arena, rows) = joiner.join_arena(arena)?;
            let rows: Vec<_> = rows.iter().map(|(at, p)| (arena.key(*at), *p)).collect();
            count(&format!("digest-{len}"), rows.len());
            joiner.contents.digests(len, &rows);
        }
        let names = Table::new(Keyed::Domains, joiner.join_arena(names)?);
        count("domain", names.rows.len());
        let mut tables = Vec::new();
        for (name, keyed, arena) in others {
            let table = Table::new(keyed, joiner.join_arena(arena)?);
            count(name, table.rows.len());
            tables.push(table);
        }
        let (mut first, mut rest) = (Ok(Laid::default()), Vec::new());
        together(&mut || first = names.lay_out(), &mut || {
            rest = tables.iter().map(Table::lay_out).collect();
        });
        joiner.contents.add(first?);
        for table in rest {
            joiner.contents.add(table?);
        }
        self.finish_patterns(&mut joiner, &mut count);
        Ok((joiner.contents, summary))
    }

    fn finish_addresses(&mut self, joiner: &mut Joiner, count: &mut impl FnMut(&str, usize)) {
        self.nets4.sort_unstable();
        let nets = joiner.join(std::mem::take(&mut self.nets4), |&(a, l, _)| (a, l), |n| n.2);
        let nets: Vec<_> = nets.into_iter().map(|((a, l), p)| (a, l, p)).collect();
        count("ip", nets.iter().filter(|n| n.1 == 32).count());
        count("net", nets.iter().filter(|n| n.1 < 32).count());
        joiner.contents.nets4(&nets);

        self.nets6.sort_unstable();
        let nets = joiner.join(std::mem::take(&mut self.nets6), |&(a, l, _)| (a, l), |n| n.2);
        let nets: Vec<_> = nets.into_iter().map(|((a, l), p)| (a, l, p)).collect();
        count("ip", nets.iter().filter(|n| n.1 == 128).count());
        count("net", nets.iter().filter(|n| n.1 < 128).count());
        joiner.contents.nets6(&nets);

        self.endpoints.sort_unstable();
        let rows = joiner.join(std::mem::take(&mut self.endpoints), |e| e.0, |e| e.1);
        count("endpoint", rows.len());
        joiner.contents.endpoints(&rows);
    }

    fn finish_patterns(&mut self, joiner: &mut Joiner, count: &mut impl FnMut(&str, usize)) {
        self.patterns.sort_unstable();
        let rows = joiner.join(
            std::mem::take(&mut self.patterns),
            |(kind, scope, text, _)| (*kind, *scope, text.clone()),
            |row| row.3,
        );
        count("pattern", rows.len());
        let rows: Vec<_> = rows.iter().map(|((k, s, text), p)| (*k, *s, &**text, *p)).collect();
        joiner.contents.patterns(&rows);
        self.withheld.sort_unstable();
        let rows = joiner.join(
            std::mem::take(&mut self.withheld),
            |(kind, scope, reason, text, _)| (*kind, *scope, *reason, text.clone()),
            |row| row.4,
        );
        for ((kind, scope, reason, text), posting) in rows {
            joiner.contents.withheld((kind, scope, reason), &text, posting);
        }
    }

    fn summary(&self) -> Summary {
        let mut feeds: BTreeMap<String, FeedSummary> = BTreeMap::new();
        for (context, indicators, guarded) in &self.feed_of_context {
            if *indicators == 0 {
                continue;
            }
            let feed = feeds.entry(context.feed.to_string()).or_default();
            feed.indicators += indicators;
            feed.guarded += guarded;
            feed.inactive += if context.inactive { *indicators } else { 0 };
            if let Some(Timestamp(until)) = context.valid_until {
                feed.first_expiry = Some(feed.first_expiry.map_or(until, |t| t.min(until)));
                feed.last_expiry = Some(feed.last_expiry.map_or(until, |t| t.max(until)));
            }
        }
        Summary {
            compiler: concat!("wiresift ", env!("CARGO_PKG_VERSION")).into(),
            indicators: self.indicators,
            allowed: self.allowed,
            guarded: self.guarded.iter().map(|(r, n)| (r.name().to_string(), *n)).collect(),
            subscribed: self.subscribed.clone(),
            feeds,
            values: BTreeMap::new(),
        }
    }

    /// Sorts contexts and claims, so that their order does not depend on that of
    /// the input. Returns the new number of each claim.
    #[expect(clippy::type_complexity, reason = "three parts of one answer")]
    fn canonical_claims(&mut self) -> Result<(Vec<Arc<Context<'static>>>, Vec<Claim>, Vec<u32>)> {
        let mut contexts: Vec<(Arc<Context<'static>>, u32)> =
            std::mem::take(&mut self.contexts).into_iter().collect();
        contexts.sort_unstable();
        let mut context_numbers = vec![0u32; contexts.len()];
        for (new, (_, old)) in contexts.iter().enumerate() {
            context_numbers[*old as usize] = new as u32;
        }
        let mut claims: Vec<(Claim, u32)> = std::mem::take(&mut self.claims)
            .into_iter()
            .map(|(claim, old)| {
                (Claim { context: context_numbers[claim.context as usize], ..claim }, old)
            })
            .collect();
        claims.sort_unstable();
        if claims.len() >= 1 << 31 {
            return Err(Error::usage("more than two billion different claims")
                .remedy("split the feeds over several databases"));
        }
        let mut renumber = vec![0u32; claims.len()];
        for (new, (_, old)) in claims.iter().enumerate() {
            renumber[*old as usize] = new as u32;
        }
        let contexts = contexts.into_iter().map(|(context, _)| context).collect();
        Ok((contexts, claims.into_iter().map(|(claim, _)| claim).collect(), renumber))
    }
}

/// Strings of one kind, sorted and without duplicates, with their postings.
struct Table {
    keyed: Keyed,
    arena: Arena,
    rows: Vec<(arena::Place, Posting)>,
}

impl Table {
    fn new(keyed: Keyed, (arena, rows): (Arena, Vec<(arena::Place, Posting)>)) -> Self {
        Table { keyed, arena, rows }
    }

    fn lay_out(&self) -> Result<Laid> {
        lay_out(self.keyed, self.rows.iter().map(|(at, p)| (self.arena.key(*at), *p)))
    }
}

/// Joins rows with equal keys into one with all their claims.
struct Joiner {
    contents: Contents,
    renumber: Vec<u32>,
}

impl Joiner {
    fn posting(&mut self, claims: &mut Vec<u32>) -> Posting {
        for claim in claims.iter_mut() {
            *claim = self.renumber[*claim as usize];
        }
        claims.sort_unstable();
        claims.dedup();
        let posting = self.contents.posting(claims);
        claims.clear();
        posting
    }

    /// Joins `rows`, which are sorted by `key`.
    fn join<R, K: PartialEq>(
        &mut self,
        rows: Vec<R>,
        key: impl Fn(&R) -> K,
        claim: impl Fn(&R) -> u32,
    ) -> Vec<(K, Posting)> {
        let mut joined = Vec::with_capacity(rows.len());
        let mut claims = Vec::new();
        let mut rows = rows.into_iter().peekable();
        while let Some(row) = rows.next() {
            claims.push(claim(&row));
            let key_of_row = key(&row);
            if rows.peek().is_none_or(|next| key(next) != key_of_row) {
                joined.push((key_of_row, self.posting(&mut claims)));
            }
        }
        joined
    }

    /// Joins the strings of a sorted arena.
    fn join_arena(&mut self, mut arena: Arena) -> Result<(Arena, Vec<(arena::Place, Posting)>)> {
        if arena.lost() > 0 {
            return Err(Error::usage(format!("{} values of one kind do not fit", arena.lost()))
                .remedy("a kind can hold 4 GiB of text; split the feeds over several databases"));
        }
        let mut joined = Vec::with_capacity(arena.len());
        let mut claims = Vec::new();
        for at in 0..arena.len() {
            claims.push(arena.claim(at));
            let place = arena.place(at);
            let last = at + 1 == arena.len() || arena.key(arena.place(at + 1)) != arena.key(place);
            if last {
                joined.push((place, self.posting(&mut claims)));
            }
        }
        arena.forget_rows();
        Ok((arena, joined))
    }
}
