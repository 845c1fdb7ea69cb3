//! Which indicators are risky, by what is known of their values.
//!
//! A flag is not a verdict: popular names are bought and sinkholed, warning lists are about whole
//! services, and attackers use shared hosts.

use super::covering::Entry;
use super::names::Popular;
use crate::engine::compile::{self, Options};
use crate::engine::database::{Database, Listed, url_host};
use crate::engine::indicator::{Context, Indicator, Kind, Reason, Scope, Value, url};
use hashbrown::{HashMap, HashSet};
use std::sync::Arc;

/// Tells on which warning lists a value is, by their numbers.
pub type OnLists<'r> = &'r (dyn Fn(Kind, &Value) -> Vec<u16> + Sync);

/// Warning lists: their names, and what is on them.
#[derive(Clone, Copy)]
pub struct Lists<'r> {
    /// The names, by number.
    pub names: &'r [String],
    /// On which of them a value is.
    pub on: OnLists<'r>,
}

impl std::fmt::Debug for Lists<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lists").field("names", &self.names).finish_non_exhaustive()
    }
}

/// What makes an entry risky, besides warning lists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct EntryRisk {
    /// The best rank of a popular name that it matches.
    pub(super) rank: Option<u64>,
    /// Whether unrelated parties share its host.
    pub(super) is_shared: bool,
}

/// What is known of values that make bad indicators.
#[derive(Debug, Default)]
pub(super) struct Risk<'r> {
    lists: Option<Lists<'r>>,
    /// Whether a list of popular names was given.
    has_popular: bool,
    /// The entries that match a popular name, by value, with the best rank.
    matched: HashMap<String, Vec<(Scope, u64)>>,
    /// The popular names.
    hosts: HashSet<Box<str>>,
    /// For questions to the guard.
    context: Arc<Context<'static>>,
}

impl<'r> Risk<'r> {
    /// Looks up the popular names of rank `worst` or better in a database.
    pub(super) fn of(
        database: &Database,
        popular: Option<(&Popular, u64)>,
        lists: Option<Lists<'r>>,
    ) -> Risk<'r> {
        let mut risk = Risk { lists, has_popular: popular.is_some(), ..Risk::default() };
        let Some((popular, worst)) = popular else { return risk };
        for (rank, name) in popular.names().filter(|(rank, _)| *rank <= worst) {
            risk.hosts.insert(name.into());
            let matched = &mut risk.matched;
            let mut take = |value: &str, scope: Scope| {
                let known = matched.entry_ref(value).or_default();
                match known.iter_mut().find(|(of, _)| *of == scope) {
                    Some((_, best)) => *best = rank.min(*best),
                    None => known.push((scope, rank)),
                }
            };
            database.suffixes(name.as_bytes(), |at, posting| {
                for claim in database.claims(posting) {
                    let reaches = match claim.scope {
                        Scope::Exact => at == 0,
                        Scope::Subtree => true,
                        Scope::SubtreeNoApex => at > 0,
                        _ => false,
                    };
                    if reaches {
                        take(&name[at..], claim.scope);
                    }
                }
            });
            for (pattern, posting) in database.patterns(Kind::Domain, name.as_bytes()) {
                database.claims(posting).for_each(|claim| take(pattern, claim.scope));
            }
        }
        risk
    }

    /// Whether there are warning lists.
    pub(super) fn has_lists(&self) -> bool {
        self.lists.is_some()
    }

    /// Whether popular names are known.
    pub(super) fn has_popular(&self) -> bool {
        self.has_popular
    }

    /// The warning lists that a value is on.
    pub(super) fn lists(&self, kind: Kind, value: &Value) -> Vec<u16> {
        self.lists.map_or(Vec::new(), |lists| (lists.on)(kind, value))
    }

    /// The name of a warning list.
    pub(super) fn list_name(&self, number: u16) -> &str {
        let names = self.lists.map_or(&[][..], |lists| lists.names);
        names.get(usize::from(number)).map_or("", |name| name)
    }

    /// The names of all warning lists.
    pub(super) fn list_names(&self) -> &[String] {
        self.lists.map_or(&[], |lists| lists.names)
    }

    /// What makes an entry risky.
    pub(super) fn of_entry(&self, entry: &Entry<'_>) -> EntryRisk {
        match entry.listed {
            Listed::Name(name) => self.of_name(name, entry.scope),
            Listed::Pattern(text) if entry.kind == Kind::Domain => {
                EntryRisk { rank: self.rank(text, entry.scope), is_shared: false }
            }
            Listed::Url(key) => {
                let host = std::str::from_utf8(url_host(key.as_bytes())).unwrap_or_default();
                EntryRisk { rank: None, is_shared: self.hosts.contains(host) }
            }
            _ => EntryRisk::default(),
        }
    }

    /// The same for an entry as alerts show it.
    pub(super) fn of_match(&self, kind: Kind, scope: Scope, value: &str) -> EntryRisk {
        match (kind, scope) {
            (Kind::Domain, Scope::Wildcard | Scope::Regex) => {
                EntryRisk { rank: self.rank(value, scope), is_shared: false }
            }
            (Kind::Domain, _) => self.of_name(value, scope),
            (Kind::Url, Scope::Exact | Scope::Prefix) => {
                let is_shared = url::parse(value).is_ok_and(|url| self.hosts.contains(url.host()));
                EntryRisk { rank: None, is_shared }
            }
            _ => EntryRisk::default(),
        }
    }

    fn of_name(&self, name: &str, scope: Scope) -> EntryRisk {
        let is_shared = scope == Scope::Exact && self.is_cut_down(name);
        EntryRisk { rank: self.rank(name, scope), is_shared }
    }

    fn rank(&self, value: &str, scope: Scope) -> Option<u64> {
        let known = self.matched.get(value)?;
        known.iter().find(|(of, _)| *of == scope).map(|(_, rank)| *rank)
    }

    /// Whether the guard limits a name to its exact value, because unrelated parties have names
    /// below it.
    fn is_cut_down(&self, name: &str) -> bool {
        let indicator = Indicator {
            kind: Kind::Domain,
            value: Value::Text(name.into()),
            scope: Scope::Subtree,
            raw: None,
            context: Arc::clone(&self.context),
        };
        compile::verdict(&Options::default(), &indicator) == Some(Reason::Downgraded)
    }
}
