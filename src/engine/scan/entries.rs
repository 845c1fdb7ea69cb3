//! Finds the entries of a database that an observable meets, before any policy.
//!
//! Each kind of observable is normalised in the scanner's scratch space and then
//! looked up: in the filter first, then in the exact structure.

use super::scanner::Scratch;
use crate::engine::database::{Database, Posting, Section, UrlWalk, bare_path};
use crate::engine::indicator::url::{Scheme, Url, push_observed_path};
use crate::engine::indicator::{Kind, Observable, Quality, Scope, address, domain, email, words};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// How the observable relates to the value of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reach {
    /// They are equal, or the address is in the network.
    Equal,
    /// The observable is below the entry's name, or starts with the entry's URL.
    Below,
    /// The entry's pattern accepts the observable.
    Pattern,
}

impl Reach {
    /// Whether a claim with this scope covers the observable.
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

/// An entry: the value, its claims, and how the observable relates to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) value: String,
    pub(super) posting: Posting,
    pub(super) reach: Reach,
    pub(super) quality: Quality,
    /// The scheme of an observed URL. Entries of URLs have none in their key, so
    /// that one look-up serves all schemes; claims carry it.
    pub(super) scheme: Scheme,
}

// Most kinds only know equality.
impl Entry {
    /// An entry that equals the observable.
    fn equal(value: String, posting: Posting) -> Self {
        let (reach, quality) = (Reach::Equal, Quality::default());
        Entry { value, posting, reach, quality, scheme: Scheme::Any }
    }
}

/// Formats an IPv4 network; an address without its length. Written by hand because
/// `Display` takes three times as long, which is a tenth of the time of a hit.
pub(super) fn v4_text(net: Ipv4Addr, length: u8) -> String {
    // `255.255.255.255/32` has 18 bytes.
    let mut text = [0; 18];
    let mut end = 0;
    let mut push = |byte: u8| {
        text[end] = byte;
        end += 1;
    };
    let mut number = |separator: Option<u8>, value: u8| {
        separator.into_iter().for_each(&mut push);
        if value >= 100 {
            push(b'0' + value / 100);
        }
        if value >= 10 {
            push(b'0' + value / 10 % 10);
        }
        push(b'0' + value % 10);
    };
    let [a, b, c, d] = net.octets();
    number(None, a);
    for octet in [b, c, d] {
        number(Some(b'.'), octet);
    }
    if length != 32 {
        number(Some(b'/'), length.min(99));
    }
    String::from_utf8_lossy(&text[..end]).into_owned()
}

/// Whether the database may contain anything for the observable. This only asks
/// what takes a single probe, before anything is prepared.
#[inline]
pub(super) fn may_meet(database: &Database, observable: Observable<'_>) -> bool {
    match observable {
        Observable::Address(IpAddr::V4(v4), _) => database.may_hold_v4(v4.to_bits()),
        Observable::Address(IpAddr::V6(v6), _) => may_meet_v6(database, v6),
        Observable::Name(name) => may_meet_name(database, name),
        Observable::Digest(_, digest) => database.digest(digest).is_some(),
        Observable::Text(kind, _) => {
            kind == Kind::UrlPath || database.has_words_of(kind) || database.has_patterns(kind)
        }
        // These need normalising before a filter can answer.
        Observable::Url(_) | Observable::Email(_) => true,
    }
}

/// [`may_meet`] for names: true unless the filter of registered names excludes it.
fn may_meet_name(database: &Database, name: &[u8]) -> bool {
    let name = name.strip_suffix(b".").unwrap_or(name);
    // Names that end like `arpa` may be reverse names, which stand for addresses.
    !name.is_ascii()
        || matches!(name.last(), Some(b'a' | b'A'))
        || database.may_hold_domain(name)
        || database.has_patterns(Kind::Domain)
}

/// [`may_meet`] for IPv6: a NAT64 address is listed as IPv4, which the filter of
/// IPv6 networks cannot know.
fn may_meet_v6(database: &Database, address: Ipv6Addr) -> bool {
    database.may_hold_v6(address.to_bits()) || address::nat64(address).is_some()
}

// Each method pushes entries in the order of the database, then reverses where the
// most specific must come first.
impl Scratch {
    /// Fills `entries` with everything that the observable meets, the most specific
    /// first. Returns false if there is nothing.
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

    /// An address, alone and with its port. A listed endpoint is more specific than
    /// any network.
    fn address(&mut self, database: &Database, address: IpAddr, port: Option<u16>) {
        if let IpAddr::V4(v4) = address
            && !database.may_hold_v4(v4.to_bits())
        {
            return;
        }
        if let Some(port) = port
            && let Some(posting) = database.endpoint(address, port)
        {
            // The notation of endpoints in the database: IPv6 in brackets.
            let value = std::net::SocketAddr::new(address, port).to_string();
            self.entries.push(Entry::equal(value, posting));
        }
        let entries = &mut self.entries;
        match address {
            IpAddr::V4(v4) => {
                for (net, length, posting) in database.covering_v4(v4.to_bits()) {
                    entries.push(Entry::equal(v4_text(net, length), posting));
                }
            }
            IpAddr::V6(v6) => {
                for (net, length, posting) in database.covering_v6(v6.to_bits()) {
                    let value =
                        // Single addresses are listed without a length.
                        if length == 128 { net.to_string() } else { format!("{net}/{length}") };
                    entries.push(Entry::equal(value, posting));
                }
            }
        }
    }

    /// Normalises a name without trailing dot into `self.name`. Returns false if it
    /// is not a name.
    fn normal_name(&mut self, raw: &[u8]) -> bool {
        self.name.clear();
        if raw.is_ascii() {
            if raw.len() > domain::MAX_NAME {
                return false;
            }
            self.name.extend_from_slice(raw);
            self.name.make_ascii_lowercase();
            return !self.name.is_empty();
        }
        // Beyond ASCII a name may need Unicode normalisation and Punycode, which
        // allocates.
        let text = String::from_utf8_lossy(raw);
        match domain::normalise(&text) {
            Ok(name) => {
                self.name.extend_from_slice(name.as_bytes());
                true
            }
            Err(_) => false,
        }
    }

    /// Looks up a domain name as a protocol or a log has it.
    fn name(&mut self, database: &Database, raw: &[u8]) {
        let patterns = database.has_patterns(Kind::Domain);
        let raw = raw.strip_suffix(b".").unwrap_or(raw);
        // The filter ignores case, so hardly any name gets further. Names beyond
        // ASCII are rare, and must be normalised first.
        let is_ascii = raw.is_ascii();
        if is_ascii && !patterns && !database.may_hold_domain(raw) {
            return;
        }
        if !self.normal_name(raw) {
            return;
        }
        if !is_ascii && !patterns && !database.may_hold_domain(&self.name) {
            return;
        }
        // Moved out while `self` is borrowed, and back afterwards, so that the
        // buffer is reused.
        let buffer = std::mem::take(&mut self.name);
        if let Some(name) = std::str::from_utf8(&buffer).ok().filter(|n| domain::is_name(n)) {
            self.listed_name(database, name);
        }
        self.name = buffer;
    }

    /// Looks up a normalised name and all its parent domains.
    fn listed_name(&mut self, database: &Database, name: &str) {
        let entries = &mut self.entries;
        database.suffixes(name.as_bytes(), |at, posting| {
            let reach = if at == 0 { Reach::Equal } else { Reach::Below };
            entries.push(Entry { reach, ..Entry::equal(name[at..].to_string(), posting) });
        });
        // A walk visits the top-level domain first, and the most specific must come
        // first.
        entries.reverse();
        self.matching_patterns(database, Kind::Domain, name.as_bytes());
    }

    /// Adds the wildcards and regexes that accept a text.
    fn matching_patterns(&mut self, database: &Database, kind: Kind, text: &[u8]) {
        if database.has_patterns(kind) {
            self.entries.extend(database.patterns(kind, text).map(|(pattern, posting)| Entry {
                reach: Reach::Pattern,
                ..Entry::equal(pattern.to_string(), posting)
            }));
        }
    }

    /// Looks up a URL: its key, patterns, and its path at any host.
    fn url(&mut self, database: &Database, raw: &[u8]) {
        self.has_url = false;
        // Moved out like the name's buffer, and back at the end.
        let mut url = std::mem::take(&mut self.url);
        if let Ok(is_cut) = url.read_seen(raw) {
            self.has_url = true;
            self.is_cut = is_cut;
            if database.may_hold_url_host(url.host().as_bytes()) {
                self.url_key(database, &url);
            }
            if database.has_patterns(Kind::Url) {
                let text = url.to_string();
                self.matching_patterns(database, Kind::Url, text.as_bytes());
            }
            // The path may be listed for any host, so the filter for hosts says nothing about it.
            self.path(database, url.path_and_query(), url.path_end() - url.path_start());
        }
        self.url = url;
    }

    /// Looks up a URL's key and its relaxed forms: without its query, and with one
    /// trailing slash more or less (matching specification, section 6.3).
    fn url_key(&mut self, database: &Database, url: &Url) {
        let (key, path_end, scheme) = (url.key(), url.path_end(), url.scheme());
        // Whether the path is only a slash.
        let is_root = url.path_start() + 1 == path_end;
        // `last` is the position of the path's last byte, where a form without a
        // slash would end.
        let Some(walk) = database.urls() else { return };
        let Some(last) = path_end.checked_sub(1) else { return };
        let (bare, query) = key.as_bytes().split_at(path_end);
        let first = self.entries.len();
        let entries = &mut self.entries;
        let mut push = |end: usize, posting| {
            let reach = if end == key.len() { Reach::Equal } else { Reach::Below };
            if let Some(value) = key.get(..end) {
                entries.push(Entry { reach, scheme, ..Entry::equal(value.to_string(), posting) });
            }
        };
        // A single walk serves all forms. It stops where they branch off.
        let before_last = walk.reporting(&bare[..last], &mut push);
        let after_path =
            before_last.and_then(|walk| walk.reporting(&bare[last..], |at, p| push(last + at, p)));
        if let Some(walk) = after_path {
            walk.reporting(query, |at, posting| push(path_end + at, posting));
        }
        entries[first..].reverse();
        let mut relaxed = |form: [&str; 3], walk: Option<UrlWalk<'_>>, quality: Quality| {
            if let Some(posting) = walk.and_then(UrlWalk::posting) {
                let entry = Entry::equal(form.concat(), posting);
                entries.push(Entry { quality, scheme, ..entry });
            }
        };
        let has_query = !query.is_empty();
        if has_query {
            relaxed([&key[..path_end], "", ""], after_path, Quality::QUERY_IGNORED);
        }
        // `/` cannot lose its slash: `http://host` and `http://host/` have the same key.
        if is_root {
            return;
        }
        let (head, slash, other) = match bare[last] {
            b'/' => (&key[..last], "", before_last),
            _ => (&key[..path_end], "/", after_path.and_then(|walk| walk.over(b"/"))),
        };
        let ignored = Quality::SLASH_IGNORED;
        if has_query {
            let after = other.and_then(|walk| walk.over(query));
            relaxed([head, slash, &key[path_end..]], after, ignored);
            relaxed([head, slash, ""], other, ignored.with(Quality::QUERY_IGNORED));
        } else {
            relaxed([head, slash, ""], other, ignored);
        }
    }

    /// Looks up a canonical path with its query, in the same relaxed forms. The
    /// path ends at `path_end`.
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
        // At most three forms, some equal; entries must not repeat.
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

    /// Looks up an e-mail address. Its domain is a separate observable.
    fn email(&mut self, database: &Database, raw: &[u8]) {
        let has_patterns = database.has_patterns(Kind::Email);
        if !database.has(Section::Emails) && !has_patterns {
            return;
        }
        // The filter ignores case, so hardly any address gets further.
        if !has_patterns
            && email::is_plain(raw)
            && !database.may_hold_email(raw.strip_suffix(b".").unwrap_or(raw))
        {
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

    /// Looks up a digest; the digests of all algorithms share a structure.
    fn digest(&mut self, database: &Database, digest: &[u8]) {
        if let Some(posting) = database.digest(digest) {
            let value = crate::engine::indicator::digest::encode(digest);
            self.entries.push(Entry::equal(value, posting));
        }
    }

    /// Looks up a string: a URL's path, or a value that is compared as a whole.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_written_as_they_are_formatted() {
        for bits in (0..=u32::MAX).step_by(7_654_321).chain([0, u32::MAX, 0x0a63_0964]) {
            let net = Ipv4Addr::from_bits(bits);
            assert_eq!(v4_text(net, 32), net.to_string());
            for length in [0, 9, 10, 31] {
                assert_eq!(v4_text(net, length), format!("{net}/{length}"));
            }
        }
    }
}
