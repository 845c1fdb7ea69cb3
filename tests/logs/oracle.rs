//! A naive oracle: section 6 of the matching specification implemented again, slowly, with
//! regular expressions and hash sets over whole lines. It shares the normalisers of `indicator`
//! with the engine and nothing else. The engine must find exactly what the oracle finds, for any
//! chunk borders: in texts that a property test assembles from indicators, near misses,
//! separators, escapes and random bytes, and in the real logs of `../shared`.
//!
//! A line is read in two forms: unchanged, for URLs, and with its percent and JSON escapes
//! decoded once, for everything else; each byte of the decoded form has its source position.

#![expect(clippy::collapsible_match, reason = "each arm says what it looks for")]

use crate::alerts::expected::read;
use crate::harness::{shared, skip};
use proptest::prelude::*;
use regex::bytes::Regex;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use wiresift::engine::compile::Compiler;
use wiresift::engine::database::Database;
use wiresift::engine::indicator::{
    Context, Indicator, Kind, Place, Reason, Scope, Timestamp, Value, address, digest, domain,
    email, url,
};
use wiresift::engine::scan::{Origin, Scanner};
use wiresift::intel::feed::{self, Collected};

/// Where it begins, what was seen, which indicator.
pub type Hit = (usize, String, String);

/// The indicators, in sets.
#[derive(Default)]
pub struct Oracle {
    nets: HashSet<(IpAddr, u8)>,
    endpoints: HashSet<(IpAddr, u16)>,
    names: HashMap<String, HashSet<Scope>>,
    urls: HashMap<String, HashSet<String>>,
    emails: HashSet<String>,
    digests: HashSet<String>,
    cves: HashSet<String>,
}

/// A line with its escapes decoded.
#[derive(Default)]
struct Decoded {
    bytes: Vec<u8>,
    /// The start of the source of each byte, and one more, the end.
    from: Vec<usize>,
}

impl Decoded {
    fn new(line: &[u8], base: usize) -> Decoded {
        let mut decoded = Decoded::default();
        let mut at = 0;
        while at < line.len() {
            let (bytes, len) = unescape(&line[at..]);
            for byte in bytes {
                decoded.bytes.push(byte);
                decoded.from.push(base + at);
            }
            at += len;
        }
        decoded.from.push(base + line.len());
        decoded
    }
}

/// The bytes that the beginning of `text` decodes to, and its length.
fn unescape(text: &[u8]) -> (Vec<u8>, usize) {
    let hex = |range: std::ops::Range<usize>| {
        let digits = std::str::from_utf8(text.get(range)?).ok()?;
        let all = digits.bytes().all(|b| b.is_ascii_hexdigit());
        all.then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    };
    match text {
        [b'%', ..] => {
            if let Some(code) = hex(1..3) {
                return (vec![code as u8], 3);
            }
        }
        [b'\\', b'\\', ..] => return (b"\\".to_vec(), 2),
        [b'\\', b'n' | b'r' | b't' | b'b' | b'f', ..] => return (b"\n".to_vec(), 2),
        [b'\\', byte @ (b'/' | b'"'), ..] => return (vec![*byte], 2),
        [b'\\', b'u', ..] => {
            if let Some(code) = hex(2..6) {
                let char = char::from_u32(code).unwrap_or('\u{fffd}');
                return (char.to_string().into_bytes(), 6);
            }
        }
        [b'\\', b'x', ..] => {
            // Not a form of the specification: a separator.
            if hex(2..4).is_some() {
                return (b" ".to_vec(), 4);
            }
        }
        _ => {}
    }
    (text[..1].to_vec(), 1)
}

/// How much of a run of hex digits and colons is the end of a label before an address, including
/// its colon (section 8.4). `is_tail`: the label began before the run.
fn after_label(run: &[u8], is_tail: bool) -> Option<usize> {
    let first = run.iter().position(|&b| b == b':').filter(|&first| first > 0)?;
    let rest = &run[first + 1..];
    let digits = run[..first].iter().filter(|b| !b.is_ascii_alphabetic()).count();
    let group = rest.iter().take_while(|b| b.is_ascii_hexdigit()).count();
    let is_label = match digits {
        0 => true,
        1 => is_tail,
        _ => is_tail && group == 4 && rest[0] != b'0',
    };
    let is_address = rest.len() >= 2 && (rest[0] != b':' || rest[1] == b':');
    (is_label && is_address).then_some(first + 1)
}

/// A regular expression, compiled once.
macro_rules! regex {
    ($text:literal) => {{
        static REGEX: LazyLock<Regex> = LazyLock::new(|| Regex::new($text).unwrap());
        &*REGEX
    }};
}

fn is_word(byte: Option<&u8>) -> bool {
    byte.is_some_and(|b| b.is_ascii_alphanumeric() || b"_-".contains(b))
}

impl Oracle {
    fn add(&mut self, indicator: &Indicator) {
        let Indicator { kind, value, scope, .. } = indicator;
        match (kind, value) {
            (_, Value::Net(net)) => {
                self.nets.insert((net.network(), net.prefix_len()));
            }
            (_, Value::Endpoint(address, port)) => {
                self.endpoints.insert((*address, *port));
            }
            (Kind::Domain, Value::Text(name)) => {
                self.names.entry(name.to_string()).or_default().insert(*scope);
            }
            (Kind::Url, Value::Text(text)) => {
                let (_, key) = url::split_canonical(text);
                self.urls.entry(key.to_string()).or_default().insert(text.to_string());
            }
            (Kind::Email, Value::Text(text)) => {
                self.emails.insert(text.to_string());
            }
            (Kind::Cve, Value::Text(text)) => {
                self.cves.insert(text.to_string());
            }
            (kind, Value::Text(text)) if kind.digest_len().is_some() => {
                self.digests.insert(text.to_string());
            }
            other => panic!("the oracle does not know {other:?}"),
        }
    }

    /// Every hit in a text.
    pub fn hits(&self, text: &[u8]) -> BTreeSet<Hit> {
        let mut hits = BTreeSet::new();
        let mut base = 0;
        for line in text.split(|&b| b == b'\n') {
            let decoded = Decoded::new(line, base);
            let owned = self.colon_runs(&decoded, &mut hits);
            let urls = self.urls(line, base, &decoded, &owned, &mut hits);
            self.v4(&decoded, &owned, &urls, &mut hits);
            self.names(line, base, &decoded, &urls, &mut hits);
            self.emails(line, base, &decoded, &urls, &mut hits);
            self.digests(&decoded, &mut hits);
            self.cves(&decoded, &mut hits);
            base += line.len() + 1;
        }
        hits
    }

    fn address(&self, address: IpAddr, port: Option<u16>, at: usize, hits: &mut BTreeSet<Hit>) {
        let endpoint = port.map(|port| (address, port)).filter(|e| self.endpoints.contains(e));
        let (bits, most) = match address {
            IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, 32),
            IpAddr::V6(v6) => (v6.to_bits(), 128),
        };
        let mut met: Vec<String> = Vec::new();
        for len in 0..=most {
            let masked = if len == 0 { 0 } else { bits >> (128 - len) << (128 - len) };
            let net = match address {
                IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::from_bits((masked >> 96) as u32)),
                IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::from_bits(masked)),
            };
            if self.nets.contains(&(net, len as u8)) {
                met.push(if len == most { net.to_string() } else { format!("{net}/{len}") });
            }
        }
        // The endpoint is reported only if nothing else matched.
        let alone = met.is_empty();
        if let Some((address, port)) = endpoint {
            met.push(std::net::SocketAddr::new(address, port).to_string());
        }
        let seen = if alone { met.first().cloned() } else { None };
        let seen = seen.unwrap_or(address.to_string());
        hits.extend(met.into_iter().map(|indicator| (at, seen.clone(), indicator)));
        if let IpAddr::V6(v6) = address
            && let Some(v4) = address::nat64(v6)
        {
            self.address(v4.into(), None, at, hits);
        }
    }

    /// Section 6.1, rule 7: IPv4. `owned` are the bytes of IPv6 addresses.
    fn v4(&self, decoded: &Decoded, owned: &HashSet<usize>, urls: &Urls, hits: &mut BTreeSet<Hit>) {
        let text = &decoded.bytes;
        let quad = regex!(r"(?-u)^[0-9]{1,3}(?:\.[0-9]{1,3}){3}");
        for start in 0..text.len() {
            let before = start.checked_sub(1).and_then(|at| text.get(at));
            if !text[start].is_ascii_digit() || is_word(before) || before == Some(&b'.') {
                continue;
            }
            let Some(found) = quad.find(&text[start..]) else { continue };
            let end = start + found.end();
            let after = text.get(end);
            let printed = tcpdump_port(text, start, end);
            let goes_on = after == Some(&b'.') && is_word(text.get(end + 1));
            if is_word(after) || goes_on && printed.is_none() {
                continue;
            }
            if owned.contains(&start) || urls.is_user(decoded.from[start]) {
                continue;
            }
            if let Some(v4) = address::parse_v4(found.as_bytes()) {
                let port = printed.or(port(&text[end..]));
                self.address(v4.into(), port, decoded.from[start], hits);
            }
        }
    }

    /// Section 6.1, rule 7: IPv6; 6.5: fingerprints with colons. Returns the positions of the
    /// bytes that belong to them.
    fn colon_runs(&self, decoded: &Decoded, hits: &mut BTreeSet<Hit>) -> HashSet<usize> {
        let text = &decoded.bytes;
        let mut owned = HashSet::new();
        for found in regex!(r"(?-u)[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*").find_iter(text) {
            let (mut start, mut end) = (found.start(), found.end());
            if end - start > 128 {
                continue;
            }
            let is_key = |run: &[u8]| !run.starts_with(b"::") || run.starts_with(b":::");
            if text[start] == b':' && is_key(&text[start..end]) {
                // A key and its colon.
                start += 1;
            }
            while end > start && text[end - 1] == b'.' {
                end -= 1;
            }
            if text[start..end].ends_with(b":") && !text[start..end].ends_with(b"::") {
                end -= 1;
            }
            if end - start < 2 || is_word(text.get(end)) {
                continue;
            }
            let run = &text[start..end];
            let is_alone = !is_word(start.checked_sub(1).and_then(|at| text.get(at)));
            if is_alone
                && regex!(r"(?-u)^[0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2})*$").is_match(run)
                && [16, 20, 32].contains(&run.len().div_ceil(3))
            {
                let hex = String::from_utf8_lossy(run).replace(':', "").to_lowercase();
                self.digest(&hex, decoded.from[start], hits);
                continue;
            }
            if is_alone {
                self.v6(decoded, start, end, &mut owned, hits);
            }
            if let Some(after) = after_label(run, !is_alone) {
                self.v6(decoded, start + after, end, &mut owned, hits);
            }
        }
        owned
    }

    /// The address in `start..end`, except for digits that can only be a port.
    fn v6(
        &self,
        decoded: &Decoded,
        start: usize,
        end: usize,
        owned: &mut HashSet<usize>,
        hits: &mut BTreeSet<Hit>,
    ) {
        let text = &decoded.bytes;
        let run = &text[start..end];
        let mapped =
            regex!(r"(?-u)^(.*\.[0-9]+|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){7}):([0-9]{1,5})$")
                .captures(run);
        let dotted = run.iter().rposition(|b| *b == b'.').and_then(|dot| {
            let port = tcpdump_port(text, start, start + dot)?;
            Some((address::parse_v6(&run[..dot])?, Some(port)))
        });
        let (v6, mut port_of) = match (address::parse_v6(run), mapped) {
            (Some(v6), _) => (v6, None),
            _ if dotted.is_some() => dotted.unwrap(),
            (None, Some(parts)) => {
                let Some(v6) = address::parse_v6(&parts[1]) else { return };
                let Some(port) = port(&text[start + parts[1].len()..]) else { return };
                (v6, Some(port))
            }
            _ => return,
        };
        owned.extend(start..end);
        let colons = run.iter().filter(|b| **b == b':').count();
        if !run.iter().any(u8::is_ascii_digit) && colons < 4 {
            return;
        }
        if start > 0 && text[start - 1] == b'[' && text.get(end) == Some(&b']') {
            port_of = port(&text[end + 1..]);
        }
        self.address(address::fold(v6), port_of, decoded.from[start], hits);
    }

    /// Section 6.2, rules 4, 7 and 8; 6.1, rule 8.
    fn names(
        &self,
        line: &[u8],
        base: usize,
        decoded: &Decoded,
        urls: &Urls,
        hits: &mut BTreeSet<Hit>,
    ) {
        let text = &decoded.bytes;
        for (start, end) in
            name_runs(text).into_iter().chain(names_in_prose(text, line, base, decoded))
        {
            let at = decoded.from[start];
            let after = regex!("^[.\u{3002}\u{ff0e}\u{ff61}]*@");
            if after.is_match(&text[end..]) || urls.is_user(at) {
                continue;
            }
            let run = String::from_utf8_lossy(&text[start..end]);
            let Ok(name) = domain::normalise(&run) else { continue };
            if !name.contains('.') {
                continue;
            }
            let before = before_dots(text, start);
            let head = &line[..at - base];
            let is_host = regex!(r"(?i-u)(?://|\\/\\/|%2f%2f)$").is_match(head);
            let in_path = matches!(before, Some(b'/' | b'\\')) && !is_host;
            let last = name.rsplit('.').next().unwrap();
            if in_path && run.is_ascii() && domain::is_file_extension(last.as_bytes()) {
                continue;
            }
            if let Some(address) = address::from_reverse_name(name.as_bytes()) {
                self.address(address, None, at, hits);
            }
            for (place, suffix) in suffixes(&name) {
                let reaches = |scope: &Scope| match place {
                    0 => *scope != Scope::SubtreeNoApex,
                    _ => *scope != Scope::Exact,
                };
                if self.names.get(suffix).is_some_and(|scopes| scopes.iter().any(reaches)) {
                    hits.insert((at, name.to_string(), suffix.to_string()));
                }
            }
        }
    }

    /// Section 6.4.
    fn emails(
        &self,
        line: &[u8],
        base: usize,
        decoded: &Decoded,
        urls: &Urls,
        hits: &mut BTreeSet<Hit>,
    ) {
        let text = &decoded.bytes;
        let local = regex!(r"(?s-u)[0-9A-Za-z_.+%@\x80-\xff-]+$");
        for sign in (0..text.len()).filter(|at| text[*at] == b'@') {
            let (from, to) = (decoded.from[sign], decoded.from[sign + 1]);
            let is_escaped = to - from > 1;
            if !is_escaped && urls.has_user(from) {
                continue;
            }
            let Some((start, end)) = name_runs(text).into_iter().find(|run| run.0 == sign + 1)
            else {
                continue;
            };
            let Some(found) = local.find(&text[..sign]) else { continue };
            // An unescaped `@` ends a local part; an escaped one belongs to it, if the address
            // has an unescaped `@`.
            let ends = |at: &usize| {
                text[*at] == b'@' && (is_escaped || decoded.from[*at + 1] - decoded.from[*at] == 1)
            };
            let mut first =
                (found.start()..sign).rev().find(ends).map_or(found.start(), |at| at + 1);
            // Quotes and brackets of other scripts do not belong to it.
            let signs = regex!(
                r"(?:[^\x00-\x7f\p{Alphabetic}\p{N}\p{M}\u{b7}\u{200c}\u{200d}]|(?-u:[\x80-\xff]))"
            );
            first = after_last(signs, text, first, sign);
            while first < sign && b".-+%".contains(&text[first]) {
                first += 1;
            }
            if first == sign {
                continue;
            }
            // `#bad.guy` belongs to another name.
            if (decoded.from[first] - base).checked_sub(1).is_some_and(|at| line[at] == b'#') {
                continue;
            }
            // Letters next to it in a script without blanks do not belong to it either.
            let mut firsts = vec![first];
            let tail = text[..sign].iter().rposition(|b| *b >= 0x80).map_or(0, |at| at + 1);
            let is_prose = ends_in_prose(&text[..tail]);
            if tail > first && tail < sign && is_prose && !b".-+%".contains(&text[tail]) {
                firsts.push(tail);
            }
            let mut ends = vec![end];
            let ascii = text[start..end].iter().take_while(|b| b.is_ascii()).count();
            let stop = &text[start + ascii..];
            let is_stop =
                begins_in_prose(stop) || regex!("^[\u{3002}\u{ff0e}\u{ff61}]").is_match(stop);
            if ascii > 0 && start + ascii < end && is_stop && text[start + ascii - 1] != b'.' {
                ends.push(start + ascii);
            }
            for (first, end) in
                firsts.iter().flat_map(|first| ends.iter().map(|end| (*first, *end)))
            {
                let raw = &line[decoded.from[first] - base..from - base];
                let name = String::from_utf8_lossy(&text[start..end]);
                for local in [raw, &text[first..sign]] {
                    let local = String::from_utf8_lossy(local);
                    if let Ok(address) = email::normalise(&format!("{local}@{name}"))
                        && self.emails.contains(&*address)
                    {
                        let at = decoded.from[first];
                        hits.insert((at, address.to_string(), address.to_string()));
                    }
                }
            }
        }
    }

    /// Section 6.5.
    fn digests(&self, decoded: &Decoded, hits: &mut BTreeSet<Hit>) {
        let text = &decoded.bytes;
        for found in regex!(r"(?-u)[0-9A-Za-z]+").find_iter(text) {
            let word = String::from_utf8_lossy(found.as_bytes()).to_lowercase();
            let hex = word.strip_prefix("0x").unwrap_or(&word);
            let first = found.start() + word.len() - hex.len();
            let at = decoded.from[first];
            // Hex digits are never escaped.
            if decoded.from[found.end()] - at != hex.len() {
                continue;
            }
            self.digest(hex, at, hits);
        }
    }

    fn digest(&self, hex: &str, at: usize, hits: &mut BTreeSet<Hit>) {
        if self.digests.contains(hex) && !digest::is_of_nothing(hex) {
            hits.insert((at, hex.to_string(), hex.to_string()));
        }
    }

    /// Section 6.6.
    fn cves(&self, decoded: &Decoded, hits: &mut BTreeSet<Hit>) {
        let text = &decoded.bytes;
        let cve = regex!("(?i)cve[-\u{2010}-\u{2015}]([0-9]{4})[-\u{2010}-\u{2015}]([0-9]{4,})");
        for parts in cve.captures_iter(text) {
            let found = parts.get(0).unwrap();
            let alnum = |at: Option<&u8>| at.is_some_and(u8::is_ascii_alphanumeric);
            let before = found.start().checked_sub(1).and_then(|at| text.get(at));
            if alnum(before) || alnum(text.get(found.end())) {
                continue;
            }
            let part = |at: usize| String::from_utf8_lossy(&parts[at]).into_owned();
            let cve = format!("CVE-{}-{}", part(1), part(2));
            if self.cves.contains(&cve) {
                hits.insert((decoded.from[found.start()], cve.clone(), cve));
            }
        }
    }

    /// Section 6.3. Returns what is known about the authorities.
    fn urls(
        &self,
        line: &[u8],
        base: usize,
        decoded: &Decoded,
        owned: &HashSet<usize>,
        hits: &mut BTreeSet<Hit>,
    ) -> Urls {
        let mut urls = Urls::default();
        let with_scheme = regex!(r"(?-u)[A-Za-z][0-9A-Za-z+.\-]{0,31}://");
        for found in with_scheme.find_iter(line) {
            let start = found.start() + scheme_tail(line, found.start());
            let start = web_scheme(line, start, found.end() - 3);
            // Nothing of the scheme may be left: `\\n://`.
            if start > found.end() || line.get(start) == Some(&b':') {
                continue;
            }
            let stop = url_stop(line, found.end(), start.checked_sub(1).map(|at| line[at]));
            for end in url_ends(line, start, found.end(), stop) {
                self.url(&line[start..end], base + start, hits);
            }
            urls.authority(line, found.end(), base);
            self.odd_host(line, found.end(), base, hits);
        }
        for found in regex!(r"(?-u)[A-Za-z][0-9A-Za-z+.\-]{0,31}:\\/\\/").find_iter(line) {
            let start = found.start() + scheme_tail(line, found.start());
            let start = web_scheme(line, start, found.end() - 5);
            let rest = &line[found.end()..];
            let body = regex!(r#"(?-u)^(?:\\/|\\u[0-9A-Fa-f]{4}|[^\x00-\x20\x7f"<>\\`|])*"#);
            let stop = found.end() + body.find(rest).map_or(0, |body| body.end());
            if start > stop || line.get(start) == Some(&b':') {
                continue;
            }
            for end in url_ends(line, start, found.end(), stop) {
                self.url(&unescape_json(&line[start..end]), base + start, hits);
            }
            urls.authority(line, found.end(), base);
        }
        let encoded = regex!(r"(?i-u)[a-z][0-9a-z+.\-]{0,31}%3a%2f%2f");
        for found in encoded.find_iter(line) {
            let start = found.start() + scheme_tail(line, found.start());
            let start = web_scheme(line, start, found.end() - 9);
            let rest = &line[found.end()..];
            let body = regex!(r#"(?-u)^[^\x00-\x20\x7f"<>\\`|&;,'()]*"#);
            let stop = found.end() + body.find(rest).map_or(0, |body| body.end());
            if start > found.end() {
                continue;
            }
            let mut ends = url_ends(line, start, found.end(), stop);
            ends.insert(trim(line, start, stop));
            for end in ends {
                self.url(&percent_decode(&line[start..end]), base + start, hits);
            }
        }
        // Relative to the scheme of the page that contains them.
        let relative = regex!(r#"(?-u)(?:^|[\x00-\x20"'=(,|])//([0-9A-Za-z_\[\x80-\xff-])"#);
        for parts in relative.captures_iter(line) {
            let start = parts.get(1).unwrap().start();
            let quote = start.checked_sub(3).map(|at| line[at]);
            let stop = url_stop(line, start, quote);
            for end in url_ends(line, start, start, stop) {
                self.url(&line[start..end], base + start, hits);
            }
        }
        self.bare_urls(line, base, decoded, owned, hits);
        urls
    }

    /// `host/path` and `host:port/path`.
    fn bare_urls(
        &self,
        line: &[u8],
        base: usize,
        decoded: &Decoded,
        owned: &HashSet<usize>,
        hits: &mut BTreeSet<Hit>,
    ) {
        let text = &decoded.bytes;
        let others = names_in_prose(text, line, base, decoded);
        let others = others.into_iter().chain(quads_among_letters(text));
        for (start, end) in name_runs(text).into_iter().chain(others) {
            let raw = decoded.from[start] - base..decoded.from[end] - base;
            let before = before_dots(text, start);
            let is_plain = raw.len() == end - start
                && text[start..end].is_ascii()
                && text[start..end].contains(&b'.')
                && url::odd_v4(&String::from_utf8_lossy(&text[start..end]))
                    .is_none_or(|_| address::parse_v4(&text[start..end]).is_some());
            let is_dotted_quad = start > 0
                && text[start - 1] == b'.'
                && address::parse_v4(&text[start..end]).is_some();
            // The end of an IPv6 address is not a host.
            if owned.contains(&start)
                || !is_plain
                || is_dotted_quad
                || matches!(before, Some(b'/' | b'\\' | b'@'))
            {
                continue;
            }
            let rest = &line[raw.end..];
            let Some(port) = regex!(r"(?-u)^(?::[0-9]{0,6})?/").find(rest) else { continue };
            if rest.get(port.end()) == Some(&b'/') {
                continue;
            }
            let from = raw.end + port.end() - 1;
            let stop = url_stop(line, from, raw.start.checked_sub(1).map(|at| line[at]));
            for end in url_ends(line, raw.start, from, stop) {
                self.url(&line[raw.start..end], base + raw.start, hits);
            }
        }
    }

    fn odd_host(&self, line: &[u8], at: usize, base: usize, hits: &mut BTreeSet<Hit>) {
        let odd = regex!(r#"(?-u)^([0-9][0-9A-Za-z.]{0,47})(?:[/?\#:"'<>\x20]|$)"#);
        let Some(parts) = odd.captures(&line[at..]) else { return };
        let host = std::str::from_utf8(parts.get(1).unwrap().as_bytes()).unwrap();
        if address::parse_v4(host.as_bytes()).is_none()
            && let Some(v4) = url::odd_v4(host)
        {
            self.address(v4.into(), None, base + at, hits);
        }
    }

    fn url(&self, raw: &[u8], at: usize, hits: &mut BTreeSet<Hit>) {
        let Ok(raw) = std::str::from_utf8(raw) else { return };
        let Ok(seen) = url::parse(raw) else { return };
        let (key, path_end) = (seen.key(), seen.path_end());
        let (bare, query) = key.split_at(path_end);
        let mut forms: BTreeSet<String> = [key.to_string(), bare.to_string()].into();
        if path_end > seen.path_start() + 1 {
            let toggled = match bare.strip_suffix('/') {
                Some(bare) => bare.to_string(),
                None => format!("{bare}/"),
            };
            forms.insert(format!("{toggled}{query}"));
            forms.insert(toggled);
        }
        for indicator in forms.iter().filter_map(|form| self.urls.get(form)).flatten() {
            let (scheme, _) = url::split_canonical(indicator);
            if scheme.meets(seen.scheme()).is_some() {
                hits.insert((at, seen.to_string(), indicator.clone()));
            }
        }
    }
}

/// What is known about the authorities of a line: the positions of user names.
#[derive(Default)]
struct Urls {
    /// Each from its first byte to its last `@`.
    users: Vec<std::ops::Range<usize>>,
}

impl Urls {
    /// Characters escaped in JSON are decoded.
    fn authority(&mut self, line: &[u8], at: usize, base: usize) {
        let end = regex!(r#"(?-u)^[/?\#\x00-\x20"'<>\\,;|\[\]]"#);
        let (mut here, mut sign) = (at, None);
        while here < line.len() {
            let is_escaped = line[here..].starts_with(b"\\u");
            let (bytes, len) =
                if is_escaped { unescape(&line[here..]) } else { (vec![line[here]], 1) };
            if end.is_match(&bytes) {
                break;
            }
            if line[here] == b'@' {
                sign = Some(here);
            }
            here += len;
        }
        if let Some(sign) = sign {
            self.users.push(base + at..base + sign);
        }
    }

    fn is_user(&self, at: usize) -> bool {
        self.users.iter().any(|user| user.contains(&at))
    }

    /// Whether an `@` ends a user name, or is in one.
    fn has_user(&self, sign: usize) -> bool {
        self.users.iter().any(|user| user.start <= sign && sign <= user.end)
    }
}

/// How many bytes at the beginning of what the regular expression took for a scheme do not belong
/// to it: those of an escape, and any non-letters after it.
fn scheme_tail(line: &[u8], start: usize) -> usize {
    let mut in_escape = HashSet::new();
    let mut at = 0;
    while at < line.len() {
        let (_, len) = unescape(&line[at..]);
        if len > 1 {
            in_escape.extend(at..at + len);
        }
        at += len;
    }
    let is_none =
        |at: &usize| in_escape.contains(at) || !line.get(*at).is_some_and(u8::is_ascii_alphabetic);
    (start..line.len()).take_while(is_none).count()
}

/// The byte before which the URL stops whose authority or path begins at `from`.
fn url_stop(line: &[u8], from: usize, quote: Option<u8>) -> usize {
    let body = match quote {
        Some(b'\'') => regex!(r#"(?-u)^[^\x00-\x20\x7f"<>\\`|']*"#),
        Some(b'(') => regex!(r#"(?-u)^[^\x00-\x20\x7f"<>\\`|)]*"#),
        _ => regex!(r#"(?-u)^[^\x00-\x20\x7f"<>\\`|]*"#),
    };
    let mut len = body.find(&line[from..]).unwrap().end();
    if let Some(next) = regex!("(?-u)[,;]http").find(&line[from..from + len]) {
        len = next.start();
    }
    from + len
}

/// The possible ends of the URL that begins at `start` and stops at `stop`: a sentence may
/// continue after it, and in a table without quotes a comma ends it, unless the text on both
/// sides shows that it is all part of the URL.
fn url_ends(line: &[u8], start: usize, from: usize, stop: usize) -> BTreeSet<usize> {
    const MAX_CUTS: usize = 8;
    let mut ends = BTreeSet::from([trim(line, from, stop)]);
    let sides = (start.checked_sub(1).map_or(b'\n', |at| line[at]), line.get(stop));
    let is_bounded = matches!(
        sides,
        (b'"', Some(b'"' | b'\\'))
            | (b'\'', Some(b'\''))
            | (b'<', Some(b'>'))
            | (b'>', Some(b'<'))
            | (b'(', Some(b')'))
    );
    let cuts = (from..stop).filter(|at| match line[*at] {
        0x80.. => is_end_of_prose(line, *at),
        _ => !is_bounded && may_end_before(&line[from..], at - from),
    });
    ends.extend(cuts.take(MAX_CUTS).map(|at| trim(line, from, at)).filter(|end| *end > from));
    ends
}

/// Whether a URL may end before the text at `at`: in a table, a command, a query, or Markdown.
fn may_end_before(url: &[u8], at: usize) -> bool {
    let always = regex!(
        r#"(?i-u)^(?:[,;^+*]|~~|&&|\$\{|\$IFS|%(?:[01][0-9a-f]|2[0279ac]|3[bce]|5[ce]|60|7[bcdf]|24))"#
    );
    let emphasis = regex!(r"(?-u)^_(?:[^0-9A-Za-z/=%&-]|$)");
    let has_query = regex!(r"(?i-u)\?|%3f").is_match(&url[..at]);
    let field = regex!(r"(?-u)^(?:&|%26)");
    always.is_match(&url[at..])
        || emphasis.is_match(&url[at..])
        || !has_query && field.is_match(&url[at..])
}

/// Whether there is a symbol or, beyond ASCII, the first letter of a script without blanks at
/// `at`.
fn is_end_of_prose(line: &[u8], at: usize) -> bool {
    let word =
        regex!(r"^[\p{Alphabetic}\p{N}\p{M}\u{b7}\u{200c}\u{200d}--[\u{3002}\u{ff0e}\u{ff61}]]");
    let rest = &line[at..];
    let is_inside = (1..4).any(|back| {
        let Some(start) = at.checked_sub(back) else { return false };
        let char = regex!(r"^[^\x00-\x7f]").find(&line[start..]);
        char.is_some_and(|char| char.end() > back)
    });
    let is_first = at == 0 || line[at - 1] < 0x80;
    !is_inside && (!word.is_match(rest) || is_first && begins_in_prose(rest))
}

/// Letters of Thai, Lao, Burmese, Khmer, Chinese, Japanese and Korean text.
macro_rules! prose {
    () => {
        r"[\u{e00}-\u{eff}\u{1000}-\u{109f}\u{1100}-\u{11ff}\u{1780}-\u{17ff}\u{2e80}-\u{3001}\u{3003}-\u{d7ff}\u{f900}-\u{faff}\u{ff66}-\u{ffdc}\u{20000}-\u{3ffff}]"
    };
}

fn begins_in_prose(text: &[u8]) -> bool {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| Regex::new(concat!("^", prose!())).unwrap());
    REGEX.is_match(text)
}

fn ends_in_prose(text: &[u8]) -> bool {
    static REGEX: LazyLock<Regex> = LazyLock::new(|| Regex::new(concat!(prose!(), "$")).unwrap());
    REGEX.is_match(text)
}

/// The end of the last match of `signs` in `text[first..end]`, or `first`.
fn after_last(signs: &Regex, text: &[u8], first: usize, end: usize) -> usize {
    signs.find_iter(&text[first..end]).last().map_or(first, |found| first + found.end())
}

/// ASCII names between letters of scripts without blanks, or between these and the ends of what
/// IDNA takes for one name.
fn names_in_prose(text: &[u8], line: &[u8], base: usize, decoded: &Decoded) -> Vec<(usize, usize)> {
    let mut names = Vec::new();
    for (start, end) in name_runs(text) {
        let after = regex!("^[.\u{3002}\u{ff0e}\u{ff61}]*@");
        if text[start..end].is_ascii() || after.is_match(&text[end..]) {
            continue;
        }
        let head = &line[..decoded.from[start] - base];
        let is_host = before_dots(text, start) == Some(b'@')
            || regex!(r"(?i-u)(?://|\\/\\/|%2f%2f)$").is_match(head);
        for part in regex!(r"(?-u)[\x00-\x7f]+").find_iter(&text[start..end]) {
            let (from, to) = (start + part.start(), start + part.end());
            let stop = regex!("^[\u{3002}\u{ff0e}\u{ff61}]");
            let may_begin = from == start || !is_host && ends_in_prose(&text[..from]);
            let may_end = to == end || begins_in_prose(&text[to..]) || stop.is_match(&text[to..]);
            let is_joined = from > start && text[from] == b'.' || to < end && text[to - 1] == b'.';
            if may_begin && may_end && !is_joined && !text[to - 1].is_ascii_digit() {
                names.push((from, to));
            }
        }
    }
    names
}

/// A web scheme with a prefix: `wget+http`.
fn web_scheme(line: &[u8], start: usize, colon: usize) -> usize {
    let joined = regex!(r"(?i-u)^.*[+.-](?:https?|hxxps?|ftp)$");
    match line.get(start..colon) {
        Some(scheme) if joined.is_match(scheme) => {
            start + scheme.iter().rposition(|b| b"+.-".contains(b)).unwrap() + 1
        }
        _ => start,
    }
}

/// Without the punctuation of the surrounding sentence.
fn trim(line: &[u8], from: usize, mut end: usize) -> usize {
    while end > from {
        let text = &line[from..end];
        let count = |byte: u8| text.iter().filter(|b| **b == byte).count();
        let is_open = |open, close| count(open) >= count(close);
        match text[text.len() - 1] {
            b'.' | b',' | b';' | b':' | b'!' | b'?' | b'\'' => {}
            b')' if !is_open(b'(', b')') => {}
            b']' if !is_open(b'[', b']') => {}
            b'}' if !is_open(b'{', b'}') => {}
            _ => break,
        }
        end -= 1;
    }
    end
}

/// JSON's escapes decoded, percent escapes kept.
fn unescape_json(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (bytes, len) = if text[at] == b'%' { (vec![b'%'], 1) } else { unescape(&text[at..]) };
        out.extend(bytes);
        at += len;
    }
    out
}

fn percent_decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let (bytes, len) =
            if text[at] == b'%' { unescape(&text[at..]) } else { (vec![text[at]], 1) };
        out.extend(bytes);
        at += len;
    }
    out
}

/// The port after an address and a dot, if the line is tcpdump's.
fn tcpdump_port(text: &[u8], start: usize, end: usize) -> Option<u16> {
    let parts = regex!(r"(?-u)^\.([0-9]{1,5})(?:[\x00-\x20:,]|$)").captures(&text[end..])?;
    let before = regex!(r"(?-u)(?: >| &gt;|IP|IP6) $").is_match(&text[..start]);
    let after = regex!(r"(?-u)^\.[0-9]+(?: >| &gt;)").is_match(&text[end..]);
    let port = std::str::from_utf8(&parts[1]).ok()?.parse().ok()?;
    ((before || after) && port != 0).then_some(port)
}

/// `:8080` at the beginning of `text`.
fn port(text: &[u8]) -> Option<u16> {
    let port = regex!(
        r"(?-u)^:([0-9]{1,5})(?:[^0-9A-Za-z_:.-]|\.(?:[^0-9A-Za-z_-]|$)|:(?:[^0-9]|$)|-[>\[ 0-9]|$)"
    );
    // Two digits and a colon are a clock time.
    let before = regex!(r"(?-u)^:([0-9]{3,5}):");
    let parts = port.captures(text).or_else(|| before.captures(text))?;
    std::str::from_utf8(&parts[1]).ok()?.parse().ok().filter(|port| *port != 0)
}

/// Maximal runs of label characters and dots, without dots at their ends.
fn name_runs(text: &[u8]) -> Vec<(usize, usize)> {
    let runs =
        regex!(r"[\p{Alphabetic}\p{N}\p{M}_\-.\u{3002}\u{ff0e}\u{ff61}\u{b7}\u{200c}\u{200d}]+");
    let dots = ['.', '\u{3002}', '\u{ff0e}', '\u{ff61}'];
    let trimmed = |found: regex::bytes::Match<'_>| {
        let run = std::str::from_utf8(found.as_bytes()).unwrap();
        let start = found.start() + run.len() - run.trim_start_matches(dots).len();
        (start, start + run.trim_matches(dots).len())
    };
    runs.find_iter(text).map(trimmed).filter(|(start, end)| start < end).collect()
}

/// Dotted quads directly after a non-ASCII byte.
fn quads_among_letters(text: &[u8]) -> Vec<(usize, usize)> {
    let quad = regex!(r"(?-u)^[0-9]{1,3}(?:\.[0-9]{1,3}){3}");
    let mut quads = Vec::new();
    for start in (1..text.len()).filter(|at| text[at - 1] >= 0x80) {
        let Some(found) = quad.find(&text[start..]) else { continue };
        let end = start + found.end();
        let goes_on = text.get(end) == Some(&b'.') && is_word(text.get(end + 1));
        if !is_word(text.get(end)) && !goes_on && address::parse_v4(found.as_bytes()).is_some() {
            quads.push((start, end));
        }
    }
    quads
}

/// The byte before the dots that precede a name.
fn before_dots(text: &[u8], start: usize) -> Option<u8> {
    let dots = regex!("(?:[.]|\u{3002}|\u{ff0e}|\u{ff61})*$").find(&text[..start]).unwrap();
    dots.start().checked_sub(1).map(|at| text[at])
}

fn suffixes(name: &str) -> impl Iterator<Item = (usize, &str)> {
    let dots = name.match_indices('.').map(|(at, _)| at + 1);
    std::iter::once(0).chain(dots).map(|at| (at, &name[at..]))
}

/// The engine's hits; `cuts` are the ends of the chunks that it gets, in the order of `turn`.
fn engine(database: &Database, text: &[u8], cuts: &[usize], turn: bool) -> BTreeSet<Hit> {
    let mut scanner = Scanner::default();
    let mut hits = BTreeSet::new();
    let ends = cuts.iter().copied().chain([text.len()]);
    let mut start = 0;
    let mut cores = Vec::new();
    for end in ends {
        cores.push(start..end);
        start = end;
    }
    if turn {
        cores.reverse();
    }
    for core in cores {
        scanner.scan_text(database, text, core.clone(), &Origin::new("oracle"), |hit| {
            let Place::Log(place) = &hit.place else { panic!("no place in a log") };
            let at = place.offset as usize;
            assert!(core.contains(&at), "{at} is not in {core:?}");
            // The oracle does not join fields, as the engine does.
            if hit.seen.field.as_ref().is_some_and(|field| field.contains('+')) {
                return;
            }
            for met in &hit.matches {
                hits.insert((at, hit.seen.value.clone(), met.value.clone()));
            }
        });
    }
    hits
}

/// The indicators that the compiler accepts, in both forms.
fn both(indicators: impl IntoIterator<Item = Indicator>) -> (Database, Oracle) {
    let (bytes, oracle) = compiled(indicators);
    (Database::from_bytes(bytes).unwrap(), oracle)
}

/// The same, with the database as bytes.
pub fn compiled(indicators: impl IntoIterator<Item = Indicator>) -> (Vec<u8>, Oracle) {
    let (mut compiler, mut oracle) = (Compiler::default(), Oracle::default());
    for mut indicator in indicators {
        match compiler.add(indicator.clone()) {
            None => {}
            Some(Reason::Downgraded) => indicator.scope = Scope::Exact,
            Some(_) => continue,
        }
        oracle.add(&indicator);
    }
    (compiler.into_bytes(Timestamp(0)).unwrap(), oracle)
}

/// In a piece with escapes, the engine reports the beginning of the piece.
fn placed(text: &[u8], hits: BTreeSet<Hit>) -> BTreeSet<Hit> {
    let inside =
        |byte: u8| byte.is_ascii_alphanumeric() || b"_-.%:\\".contains(&byte) || byte >= 0x80;
    let place = |(at, seen, indicator): Hit| {
        let start = text[..at].iter().rposition(|b| !inside(*b)).map_or(0, |place| place + 1);
        let end = text[at..].iter().position(|b| !inside(*b)).map_or(text.len(), |len| at + len);
        let piece = &text[start..end];
        let is_escaped = piece.contains(&b'%') || piece.windows(2).any(|two| two == b"\\u");
        let start = if is_escaped { start } else { at };
        (start, seen, indicator)
    };
    hits.into_iter().map(place).collect()
}

/// What only one of the two found, if anything.
pub fn difference(text: &[u8], engine: BTreeSet<Hit>, oracle: BTreeSet<Hit>) -> Option<String> {
    let (mut engine, mut oracle) = (placed(text, engine), placed(text, oracle));
    // Nested escapes have a separate decoder, against which the extractor is tested.
    let is_nested = |at: usize| {
        let end = |b: &u8| b.is_ascii_whitespace() || *b == b'"';
        let word = &text[at..(at + 4096).min(text.len())];
        let word = &word[..word.iter().position(end).unwrap_or(word.len())];
        memchr::memmem::find(word, b"\\\\").is_some()
    };
    engine.retain(|hit| !is_nested(hit.0));
    oracle.retain(|hit| !is_nested(hit.0));
    let tell = |hits: Vec<&Hit>| -> String {
        let around = |at: usize| {
            let from = text[..at].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
            let from = from.max(at.saturating_sub(60));
            let to = text[at..].iter().position(|b| *b == b'\n').map_or(text.len(), |len| at + len);
            text[from..to.min(at + 100)].escape_ascii().to_string()
        };
        let line = |hit: &&Hit| format!("  {hit:?} in {}\n", around(hit.0));
        hits.iter().take(12).map(line).collect()
    };
    let missing: Vec<&Hit> = oracle.difference(&engine).collect();
    let many: Vec<&Hit> = engine.difference(&oracle).collect();
    (!missing.is_empty() || !many.is_empty()).then(|| {
        format!(
            "{} missing:\n{}{} too many:\n{}",
            missing.len(),
            tell(missing),
            many.len(),
            tell(many)
        )
    })
}

/// Indicators of every kind that the oracle supports.
const VALUES: &[(Kind, Scope, &str)] = &[
    (Kind::Ip, Scope::Exact, "192.0.2.1"),
    (Kind::Ip, Scope::Exact, "198.51.100.7"),
    (Kind::Net, Scope::Exact, "198.51.100.0/24"),
    (Kind::Net, Scope::Exact, "198.51.96.0/20"),
    (Kind::Endpoint, Scope::Exact, "203.0.113.9:8443"),
    (Kind::Ip, Scope::Exact, "2001:db8::1"),
    (Kind::Net, Scope::Exact, "2001:db8:77::/48"),
    (Kind::Endpoint, Scope::Exact, "[2001:db8::9]:443"),
    (Kind::Domain, Scope::Subtree, "evil.example"),
    (Kind::Domain, Scope::Exact, "www.bad.example"),
    (Kind::Domain, Scope::SubtreeNoApex, "wild.example"),
    (Kind::Domain, Scope::Subtree, "invoice.zip"),
    (Kind::Domain, Scope::Subtree, "münchen.example"),
    (Kind::Domain, Scope::Subtree, "deep.sub.evil.example"),
    (Kind::Url, Scope::Exact, "http://evil.example/Gate.php"),
    (Kind::Url, Scope::Exact, "https://evil.example/a/b?x=1"),
    (Kind::Url, Scope::Exact, "http://192.0.2.1/"),
    (Kind::Url, Scope::Exact, "www.bad.example:8080/x/"),
    (Kind::Email, Scope::Exact, "bad.guy@evil.example"),
    (Kind::Email, Scope::Exact, "u+x@mail.example"),
    (Kind::Md5, Scope::Exact, "0123456789abcdef0123456789abcdef"),
    (Kind::Sha1, Scope::Exact, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (Kind::CertSha1, Scope::Exact, "8f511206a0cc4ecde8a38b38f88759e5af95cacd"),
    (Kind::Cve, Scope::Exact, "CVE-2024-12345"),
];

/// Text between values: separators, escapes, and parts of near misses.
const BETWEEN: &[&str] = &[
    " ",
    " ",
    " ",
    "\n",
    "\t",
    ",",
    ";",
    ":",
    "=",
    "/",
    "//",
    "://",
    "\\",
    "\\\\",
    "\\n",
    "\\t",
    "\\/",
    "\\/\\/",
    "@",
    ".",
    "..",
    "...",
    "-",
    "_",
    "%2F",
    "2001%3Adb8%3A%3A1",
    "%3a%2f%2f",
    "%40",
    "%20",
    "%2E",
    "%3D",
    "%25",
    "%",
    "\"",
    "'",
    "*",
    "_",
    "$",
    "%22",
    "，",
    " > ",
    "IP ",
    "(",
    ")",
    "[",
    "]",
    "<",
    ">",
    "{",
    "}",
    "|",
    "#",
    "?",
    "&",
    "+",
    "é",
    "。",
    "中",
    "“",
    "\0",
    "http://",
    "https://",
    "ftp://",
    "http:\\/\\/",
    "http%3A%2F%2F",
    "mailto:",
    "u@",
    "x.",
    "sub.",
    "0x",
    ":443",
    ":8443",
    ":8080",
    ":80",
    "::",
    "::ffff:",
    "1",
    "a",
    "f",
    "n",
    "\\u002f",
    "\\u003d",
    "\\u00e9",
    "\\x3d",
    "/Gate.php",
    "/a/b?x=1",
    "/x",
    "?x=1",
    ".in-addr.arpa",
    ".com",
    ".example",
    "/..",
    "/.",
    "X",
    "7.100.51.198.in-addr.arpa",
    "8F:51:12:06:A0:CC:4E:CD:E8:A3:8B:38:F8:87:59:E5:AF:95:CA:CD",
    "64:ff9b::c000:201",
    "0xc0000201",
    "3221225985",
    "bad.guy%40evil.example",
    "MÜNCHEN.example",
    "xn--mnchen-3ya.example",
    "2001:0DB8:0:0::1",
    "EVIL.Example",
    "c:\\dir\\",
    "/var/",
    "www.bad.example:8080",
    "192.0.2.",
    "00:1a:2b:3c:4d:5e",
    "12:34:56",
];

fn listed(mask: u32) -> Vec<Indicator> {
    let context = Arc::new(Context { internal: true, ..Context::of_feed("oracle") });
    VALUES
        .iter()
        .enumerate()
        .filter(|(at, _)| mask >> at & 1 == 1)
        .map(|(_, (kind, scope, raw))| Indicator::new(*kind, raw, *scope, context.clone()).unwrap())
        .collect()
}

fn piece() -> impl Strategy<Value = Vec<u8>> {
    let value = proptest::sample::select(VALUES);
    let value = (value, 0..4u8).prop_map(|((_, _, value), change)| match change {
        0 => value.to_uppercase().into_bytes(),
        1 => {
            // A near miss: one byte less.
            let mut bytes = value.as_bytes().to_vec();
            bytes.pop();
            bytes
        }
        _ => value.as_bytes().to_vec(),
    });
    let between = proptest::sample::select(BETWEEN).prop_map(|text| text.as_bytes().to_vec());
    prop_oneof![
        5 => value,
        8 => between,
        1 => proptest::collection::vec(any::<u8>(), 1..4),
        1 => "[a-z0-9.:/@%\\\\-]{1,4}".prop_map(String::into_bytes),
    ]
}

fn spliced() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(piece(), 1..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_finds_what_the_oracle_finds(
        text in spliced(),
        mask in prop_oneof![Just(u32::MAX), any::<u32>()],
        cuts in proptest::collection::vec(any::<proptest::sample::Index>(), 0..9),
        turn in any::<bool>(),
    ) {
        let mask = if mask.trailing_zeros() >= VALUES.len() as u32 { 1 } else { mask };
        let (database, oracle) = both(listed(mask));
        // Nested escapes are tested with a separate decoder, next to the extractor.
        let text: Vec<u8> = text.into_iter().filter(|byte| *byte != b'\\').collect();
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(text.len() + 1)).collect();
        cuts.sort_unstable();
        let whole = engine(&database, &text, &[], false);
        prop_assert_eq!(&whole, &engine(&database, &text, &cuts, turn), "cut at {:?}", cuts);
        // Percent and JSON escapes do not occur in one name; how they would nest is undefined.
        let has_json = text.windows(2).any(|two| two == b"\\u");
        prop_assume!(!(has_json && text.contains(&b'%')));
        let naive = oracle.hits(&text);
        if let Some(difference) = difference(&text, whole, naive) {
            return Err(TestCaseError::fail(format!("{}\n{difference}", text.escape_ascii())));
        }
    }
}

/// How much of each log is scanned.
const SAMPLE: usize = 192 << 10;

/// The indicators expected in the real logs.
pub fn expected_indicators(logs: &Path) -> Vec<Indicator> {
    let mut options = feed::Options::of_feed("expected");
    options.internal = true;
    let mut found = Collected::default();
    let list = std::fs::read(logs.join("expected/indicators.csv")).unwrap();
    feed::read(&list, &options, &mut found).unwrap();
    found.indicators
}

/// At most `most` bytes from the middle of each real log, because its beginning is not typical.
pub fn samples(logs: &Path, most: usize) -> impl Iterator<Item = (PathBuf, Vec<u8>)> {
    let entries = walkdir::WalkDir::new(logs).min_depth(2).sort_by_file_name().into_iter();
    let paths = entries.map(|entry| entry.unwrap().into_path());
    let logs = paths.filter(|path| !path.parent().is_some_and(|dir| dir.ends_with("expected")));
    logs.map(move |path| {
        let plain = read(&path);
        let from = (plain.len() / 2).saturating_sub(most / 2);
        let from = plain[..from].iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let text = plain[from..(from + most).min(plain.len())].to_vec();
        (path, text)
    })
}

#[test]
fn the_oracle_agrees_over_the_real_logs() {
    let name = "the_oracle_agrees_over_the_real_logs";
    let Some(logs) = shared(name, "data/logs") else { return };
    let (database, oracle) = both(expected_indicators(&logs));
    let mut failures = BTreeMap::new();
    let (mut files, mut total) = (0, 0);
    for (path, text) in samples(&logs, SAMPLE) {
        let text = &text[..];
        let whole = engine(&database, text, &[], false);
        let cuts: Vec<usize> = (1..8).map(|part| text.len() * part / 8).collect();
        assert_eq!(whole, engine(&database, text, &cuts, true), "{}", path.display());
        total += whole.len();
        files += 1;
        if let Some(difference) = difference(text, whole, oracle.hits(text)) {
            failures.insert(path.display().to_string(), difference);
        }
    }
    if files == 0 {
        skip(name, "there are no logs");
        return;
    }
    assert!(total > 1000, "only {total} hits in {files} files");
    let text: Vec<String> =
        failures.iter().map(|(path, difference)| format!("{path}: {difference}")).collect();
    assert!(failures.is_empty(), "{} of {files} files differ\n{}", failures.len(), text.join("\n"));
}
