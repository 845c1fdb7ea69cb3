//! The entries of a database that an observable meets, before any policy.
//!
//! Each kind of observable is brought into its normal form in the scanner's
//! scratch and looked up: filter first, then the exact structure.

use super::Scratch;
use crate::database::{Database, Posting, Section, bare_path};
use crate::indicator::url::{Scheme, push_observed_path};
use crate::indicator::{Kind, Observable, Quality, Scope, domain, email, words};
use std::net::IpAddr;

/// How the observable stands to the value of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// They are equal, or the address lies in the network.
    Equal,
    /// The observable lies below the entry's name, or begins with the entry's URL.
    Below,
    /// The entry's pattern accepts the observable.
    Pattern,
}

impl Reach {
    /// Whether a claim of this scope reaches the observable.
    pub(super) fn admits(self, scope: Scope) -> bool {
        match self {
            Reach::Equal => !matches!(scope, Scope::SubtreeNoApex),
            Reach::Below => {
                matches!(scope, Scope::Subtree | Scope::SubtreeNoApex | Scope::Prefix)
            }
            Reach::Pattern => true,
        }
    }
}

/// An entry: the value's text, its claims, and how the observable stands to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: String,
    pub(super) posting: Posting,
    pub(super) reach: Reach,
    pub(super) quality: Quality,
    /// Scheme of an observed URL.
    pub(super) scheme: Scheme,
}

impl Entry {
    fn equal(value: String, posting: Posting) -> Self {
        let (reach, quality) = (Reach::Equal, Quality::default());
        Entry { value, posting, reach, quality, scheme: Scheme::Any }
    }
}

impl Scratch {
    /// Fills `entries` with everything that the observable meets, most specific
    /// first. False if there is nothing.
    pub(super) fn collect(&mut self, database: &Database, observable: Observable<'_>) -> bool {
        self.entries.clear();
        match observable {
            Observable::Address(address, port) => self.address(database, address, port),
            Observable::Name(name) => self.name(database, name),
            Observable::Url(raw) => self.url(database, raw),
            Observable::Email(raw) => self.email(database, raw),
            Observable::Digest(_, digest) => self.digest(database, digest),
            Observable::Text(kind, raw) => self.text(database, kind, raw),
        }
        !self.entries.is_empty()
    }

    fn address(&mut self, database: &Database, address: IpAddr, port: Option<u16>) {
        if let IpAddr::V4(v4) = address
            && !database.may_hold_v4(v4.to_bits())
        {
            return;
        }
        if let Some(port) = port
            && let Some(posting) = database.endpoint(address, port)
        {
            let value = std::net::SocketAddr::new(address, port).to_string();
            self.entries.push(Entry::equal(value, posting));
        }
        let entries = &mut self.entries;
        match address {
            IpAddr::V4(v4) => {
                for (net, length, posting) in database.covering_v4(v4.to_bits()) {
                    let value =
                        if length == 32 { net.to_string() } else { format!("{net}/{length}") };
                    entries.push(Entry::equal(value, posting));
                }
            }
            IpAddr::V6(v6) => {
                for (net, length, posting) in database.covering_v6(v6.to_bits()) {
                    let value =
                        if length == 128 { net.to_string() } else { format!("{net}/{length}") };
                    entries.push(Entry::equal(value, posting));
                }
            }
        }
    }

    /// Brings a name without trailing dot into its normal form in `self.name`. False if it is no name.
    fn normal_name(&mut self, raw: &[u8]) -> bool {
        self.name.clear();
        if raw.is_ascii() {
            if raw.len() > domain::MAX_NAME {
                return false;
            }
            self.name.extend(raw.iter().map(u8::to_ascii_lowercase));
            return !self.name.is_empty();
        }
        let text = String::from_utf8_lossy(raw);
        match domain::normalise(&text) {
            Ok(name) => {
                self.name.extend_from_slice(name.as_bytes());
                true
            }
            Err(_) => false,
        }
    }

    fn name(&mut self, database: &Database, raw: &[u8]) {
        let patterns = database.has_patterns(Kind::Domain);
        let raw = raw.strip_suffix(b".").unwrap_or(raw);
        // The filter folds case by itself: hardly any name comes further.
        if raw.is_ascii() && !patterns && !database.may_hold_domain(raw) {
            return;
        }
        if !self.normal_name(raw) || !patterns && !database.may_hold_domain(&self.name) {
            return;
        }
        let buffer = std::mem::take(&mut self.name);
        if let Some(name) = std::str::from_utf8(&buffer).ok().filter(|n| domain::is_name(n)) {
            self.listed_name(database, name);
        }
        self.name = buffer;
    }

    /// A name in its normal form.
    fn listed_name(&mut self, database: &Database, name: &str) {
        let entries = &mut self.entries;
        database.suffixes(name.as_bytes(), |at, posting| {
            let reach = if at == 0 { Reach::Equal } else { Reach::Below };
            entries.push(Entry { reach, ..Entry::equal(name[at..].to_string(), posting) });
        });
        entries.reverse();
        self.matching_patterns(database, Kind::Domain, name.as_bytes());
    }

    fn matching_patterns(&mut self, database: &Database, kind: Kind, text: &[u8]) {
        if database.has_patterns(kind) {
            self.entries.extend(database.patterns(kind, text).map(|(pattern, posting)| Entry {
                reach: Reach::Pattern,
                ..Entry::equal(pattern.to_string(), posting)
            }));
        }
    }

    fn url(&mut self, database: &Database, raw: &[u8]) {
        let Ok(raw) = std::str::from_utf8(raw) else { return };
        let mut url = std::mem::take(&mut self.url);
        if url.read(raw).is_ok() {
            if database.may_hold_url_host(url.host().as_bytes()) {
                let (key, path_end) = (url.key(), url.path_end());
                let root = url.path_start() + 1 == path_end;
                self.url_key(database, key, path_end, root, url.scheme());
            }
            if database.has_patterns(Kind::Url) {
                let text = url.to_string();
                self.matching_patterns(database, Kind::Url, text.as_bytes());
            }
            self.path(database, url.path_and_query(), url.path_end() - url.path_start());
        }
        self.url = url;
    }

    /// A URL's key, and its relaxed forms: without its query, with one trailing
    /// slash more or less (section 6.3).
    fn url_key(
        &mut self,
        database: &Database,
        key: &str,
        path_end: usize,
        root: bool,
        scheme: Scheme,
    ) {
        let first = self.entries.len();
        let entries = &mut self.entries;
        database.url_prefixes(key.as_bytes(), |end, posting| {
            let reach = if end == key.len() { Reach::Equal } else { Reach::Below };
            entries.push(Entry { reach, scheme, ..Entry::equal(key[..end].to_string(), posting) });
        });
        entries[first..].reverse();
        let has_query = path_end < key.len();
        let mut relaxed = |form: &str, quality: Quality| {
            database.url_prefixes(form.as_bytes(), |end, posting| {
                if end == form.len() {
                    let entry = Entry::equal(form.to_string(), posting);
                    entries.push(Entry { quality, scheme, ..entry });
                }
            });
        };
        if has_query {
            relaxed(&key[..path_end], Quality::QUERY_IGNORED);
        }
        if root {
            return;
        }
        let mut other = std::mem::take(&mut self.key);
        other.clear();
        other.push_str(&key[..path_end]);
        if other.pop() != Some('/') {
            other.clear();
            other.push_str(&key[..path_end]);
            other.push('/');
        }
        let bare = other.len();
        if has_query {
            other.push_str(&key[path_end..]);
            relaxed(&other, Quality::SLASH_IGNORED);
            relaxed(&other[..bare], Quality::SLASH_IGNORED.with(Quality::QUERY_IGNORED));
        } else {
            relaxed(&other, Quality::SLASH_IGNORED);
        }
        self.key = other;
    }

    /// A canonical path with its query; the path itself ends at `path_end`.
    fn path(&mut self, database: &Database, path: &str, path_end: usize) {
        let bare = bare_path(path.as_bytes());
        if !database.may_hold_path(bare) {
            return;
        }
        let slash = Quality::SLASH_IGNORED;
        let query = Quality::QUERY_IGNORED;
        let bare = &path[..bare.len()];
        let slashed = format!("{bare}/");
        let has_query = path_end < path.len();
        let as_it_is = if path[..path_end].ends_with('/') { slash } else { Quality::default() };
        let toggled = if path[..path_end].ends_with('/') { Quality::default() } else { slash };
        let mut forms: Vec<(String, Quality)> = vec![(path.to_string(), Quality::default())];
        let dropped = if has_query { query } else { Quality::default() };
        forms.push((bare.to_string(), as_it_is.with(dropped)));
        forms.push((slashed, toggled.with(dropped)));
        for at in 0..forms.len() {
            if forms[..at].iter().any(|(form, _)| *form == forms[at].0) {
                continue;
            }
            let (form, quality) = &forms[at];
            if let Some(posting) = database.path(form.as_bytes()) {
                let entry = Entry::equal(form.clone(), posting);
                self.entries.push(Entry { quality: *quality, ..entry });
            }
        }
    }

    fn email(&mut self, database: &Database, raw: &[u8]) {
        if !database.has(Section::Emails) && !database.has_patterns(Kind::Email) {
            return;
        }
        let Ok(raw) = std::str::from_utf8(raw) else { return };
        let Ok(address) = email::normalise(raw) else { return };
        if database.may_hold_email(address.as_bytes())
            && let Some(posting) = database.email(address.as_bytes())
        {
            self.entries.push(Entry::equal(address.to_string(), posting));
        }
        self.matching_patterns(database, Kind::Email, address.as_bytes());
    }

    fn digest(&mut self, database: &Database, digest: &[u8]) {
        if let Some(posting) = database.digest(digest) {
            let value = crate::indicator::digest::encode(digest);
            self.entries.push(Entry::equal(value, posting));
        }
    }

    fn text(&mut self, database: &Database, kind: Kind, raw: &[u8]) {
        let raw = String::from_utf8_lossy(raw);
        if kind == Kind::UrlPath {
            let mut key = std::mem::take(&mut self.key);
            key.clear();
            let end = push_observed_path(&mut key, &raw);
            self.path(database, &key, end);
            self.key = key;
            return;
        }
        let Ok(word) = words::normalise(kind, raw.trim()) else { return };
        if let Some(posting) = database.word(kind, word.as_bytes()) {
            self.entries.push(Entry::equal(word.to_string(), posting));
        }
        self.matching_patterns(database, kind, word.as_bytes());
    }
}
