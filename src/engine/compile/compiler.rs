//! The compiler: takes indicators and writes a database.

mod finish;
mod joiner;
#[cfg(feature = "sensor")]
mod part;
mod refused;

pub use finish::Together;

use super::arena::Arena;
use super::guard;
use super::options::Options;
use super::screen::Screen;
use crate::engine::database::Claim;
use crate::engine::indicator::url::{self, Scheme};
use crate::engine::indicator::{Context, Indicator, Kind, Reason, Role, Scope, Value, digest};
use hashbrown::HashMap;
use ipnet::IpNet;
use refused::RefusedValues;
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// Collects indicators and compiles them into a database.
#[derive(Debug, Default)]
pub struct Compiler {
    options: Options,
    screen: Screen,
    /// By the address of a context: a pointer would keep the compiler on one thread.
    annotated: HashMap<(usize, Vec<u16>), [Arc<Context<'static>>; 2]>,
    refused: RefusedValues,
    contexts: HashMap<Arc<Context<'static>>, u32>,
    last_context: Option<(usize, u32)>,
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

/// The maximum number of tagged contexts to cache.
const MAX_ANNOTATED: usize = 1 << 16;

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
    pub fn with_screen(options: Options, screen: Screen) -> Self {
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

    /// Stores what another compilation withheld, with the reason that it had.
    #[cfg(feature = "sensor")]
    pub(crate) fn keep_out(
        &mut self,
        (kind, scope, reason): (Kind, Scope, Reason),
        value: &str,
        context: Arc<Context<'static>>,
    ) {
        let context = self.number_of(context);
        self.withhold((kind, scope, reason), value, context);
    }

    /// Stores a rejected value of a feed, so that `lookup` can explain it. The
    /// number and the length of such values are limited.
    pub fn refuse(&mut self, value: &str, reason: Reason, feed: &str) {
        self.refused.add(value, reason, feed);
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
        let key = (Arc::as_ptr(&context).addr(), lists.to_vec());
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
        let address = Arc::as_ptr(&context).addr();
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
        let held = Arc::as_ptr(&self.feed_of_context[number as usize].0).addr() == address;
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
}
