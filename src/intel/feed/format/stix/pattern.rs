//! Compiles patterns to claims (feed specification, section 2.2). What a pattern
//! says as a whole is never claimed of a part of it: each side of an OR stands for
//! itself, but of an AND only combinations that a single observable can show are
//! accepted.

use super::parser::{Expr, Observation, Op, Qualifier, Test, parse};
use crate::engine::indicator::{Direction, Kind, Scope, Timestamp, address, digest};
use crate::engine::progress::bound;
use crate::intel::feed::format::loki;

/// The maximum number of conjunctions that an expression may expand to.
const MAX_TERMS: usize = bound(4096, 8);
/// The maximum number of comparisons that one of them may join.
const MAX_JOINED: usize = bound(64, 4);

/// Something that a single observable can show.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Claim {
    pub(super) kind: Kind,
    pub(super) value: String,
    pub(super) scope: Scope,
    pub(super) direction: Option<Direction>,
    pub(super) proto: Option<String>,
    /// The name of the file with this digest.
    pub(super) name: Option<String>,
    pub(super) start: Option<Timestamp>,
    pub(super) stop: Option<Timestamp>,
}

impl Claim {
    /// A claim without conditions.
    fn new(kind: Kind, value: impl Into<String>, scope: Scope) -> Self {
        Claim {
            kind,
            value: value.into(),
            scope,
            direction: None,
            proto: None,
            name: None,
            start: None,
            stop: None,
        }
    }
}

/// The result of compiling a pattern.
#[derive(Debug, Default)]
pub(super) struct Compiled {
    pub(super) claims: Vec<Claim>,
    /// Why parts of it could not be claimed.
    pub(super) unsupported: Vec<String>,
}

/// Compiles a pattern.
pub(super) fn compile(pattern: &str) -> Compiled {
    let mut compiled = Compiled::default();
    match parse(pattern) {
        Ok(observation) => compiled.observation(&observation),
        Err(detail) => compiled.unsupported.push(format!("syntax: {detail}")),
    }
    compiled
}

impl Compiled {
    /// Compiles an observation expression. `OR` is the union of its parts. `AND`
    /// and `FOLLOWEDBY` need several observations together, which one alert cannot
    /// show.
    fn observation(&mut self, observation: &Observation) {
        match observation {
            Observation::One(expr) => self.expr(expr),
            Observation::Or(parts) => parts.iter().for_each(|part| self.observation(part)),
            Observation::And(_) => self.unsupported.push("AND of observations".into()),
            Observation::FollowedBy(_) => self.unsupported.push("FOLLOWEDBY".into()),
            Observation::Qualified(inner, qualifier) => self.qualified(inner, qualifier),
        }
    }

    /// Compiles a qualified observation. A time range narrows the validity;
    /// `REPEATS 1` changes nothing.
    fn qualified(&mut self, inner: &Observation, qualifier: &Qualifier) {
        match qualifier {
            Qualifier::Between(start, stop) => {
                let (Some(start), Some(stop)) = (Timestamp::parse(start), Timestamp::parse(stop))
                else {
                    self.unsupported.push("START or STOP is not a time".into());
                    return;
                };
                let first = self.claims.len();
                self.observation(inner);
                for claim in &mut self.claims[first..] {
                    claim.start = claim.start.max(Some(start));
                    claim.stop = Some(claim.stop.map_or(stop, |before| before.min(stop)));
                }
            }
            Qualifier::Repeats(times) if times == "1" => self.observation(inner),
            Qualifier::Repeats(_) => self.unsupported.push("REPEATS".into()),
            Qualifier::Within => self.unsupported.push("WITHIN".into()),
        }
    }

    /// Compiles a comparison expression, after it was brought into disjunctive
    /// normal form.
    fn expr(&mut self, expr: &Expr) {
        let Some(terms) = terms(expr) else {
            self.unsupported.push("it is too complex".into());
            return;
        };
        for term in terms {
            let result = match term[..] {
                [test] => single(test),
                _ => conjunction(&term),
            };
            match result {
                Ok(claims) => self.claims.extend(claims),
                Err(detail) if !self.unsupported.contains(&detail) => self.unsupported.push(detail),
                Err(_) => {}
            }
        }
    }
}

/// Expands the expression to alternatives of conjunctions.
fn terms(expr: &Expr) -> Option<Vec<Vec<&Test>>> {
    match expr {
        Expr::Test(test) => Some(vec![vec![test]]),
        Expr::Or(parts) => {
            let mut all = Vec::new();
            for part in parts {
                all.extend(terms(part)?);
                if all.len() > MAX_TERMS {
                    return None;
                }
            }
            Some(all)
        }
        Expr::And(parts) => {
            if parts.len() > MAX_JOINED {
                return None;
            }
            let mut all: Vec<Vec<&Test>> = vec![Vec::new()];
            for part in parts {
                let right = terms(part)?;
                if all.len() * right.len() > MAX_TERMS {
                    return None;
                }
                all = all
                    .iter()
                    .flat_map(|left| right.iter().map(|right| [&left[..], &right[..]].concat()))
                    .collect();
            }
            Some(all)
        }
    }
}

/// What a path refers to.
enum Field {
    /// An address or network, at one end of a flow or at any.
    Address(Option<Direction>),
    /// A value of a kind.
    Of(Kind),
}

/// The field that a path of an object type means (STIX 2.1, section 6), or why it
/// cannot be observed.
fn field(test: &Test) -> Result<Field, String> {
    let (object, path) = (test.object.as_str(), test.path.as_str());
    Ok(match (object, path) {
        ("ipv4-addr" | "ipv6-addr", "value") | ("domain-name", "resolves_to_refs.value") => {
            Field::Address(None)
        }
        ("network-traffic", "dst_ref.value") => Field::Address(Some(Direction::Destination)),
        ("network-traffic", "src_ref.value") => Field::Address(Some(Direction::Source)),
        ("domain-name", "value") => Field::Of(Kind::Domain),
        ("url", "value") => Field::Of(Kind::Url),
        ("email-addr", "value")
        | (
            "email-message",
            "from_ref.value" | "sender_ref.value" | "to_refs.value" | "cc_refs.value",
        ) => Field::Of(Kind::Email),
        ("file", "name") => Field::Of(Kind::Filename),
        ("file", "parent_directory_ref.path" | "path") | ("directory", "path") => {
            Field::Of(Kind::Filepath)
        }
        ("mutex", "name") => Field::Of(Kind::Mutex),
        ("windows-registry-key", "key") => Field::Of(Kind::Regkey),
        ("autonomous-system", "number") => Field::Of(Kind::Asn),
        ("user-account", "user_id" | "account_login") => Field::Of(Kind::User),
        ("network-traffic", path)
            if path
                .eq_ignore_ascii_case("extensions.http-request-ext.request_header.user-agent") =>
        {
            Field::Of(Kind::UserAgent)
        }
        ("network-traffic", "extensions.http-request-ext.request_value") => {
            Field::Of(Kind::UrlPath)
        }
        // STIX has no property for these; our own exchange and OpenCTI write them so.
        ("network-traffic", "x_ja3_hash") => Field::Of(Kind::Ja3),
        ("cryptocurrency-wallet", "value") => Field::Of(Kind::Btc),
        ("file", "extensions.windows-pebinary-ext.imphash") => Field::Of(Kind::Imphash),
        ("file" | "artifact" | "x509-certificate", path) => {
            hash_field(object, path).ok_or_else(|| format!("{object}:{path} cannot be observed"))?
        }
        _ => return Err(format!("{object}:{path} cannot be observed")),
    })
}

/// The field that a `hashes` path means. The specification writes `SHA-256` and
/// `SHA3-256`, feeds also `sha256` and `SHA_256`.
fn hash_field(object: &str, path: &str) -> Option<Field> {
    let name = path.strip_prefix("hashes.").or_else(|| path.strip_prefix("content_ref.hashes."))?;
    let name = name.to_ascii_uppercase().replace(['-', '_'], "");
    // `SHA3-256` becomes `SHA3256`, which no spelling of SHA-2 does.
    let kind = match (object, name.as_str()) {
        ("x509-certificate", "MD5") => Kind::CertMd5,
        ("x509-certificate", "SHA1") => Kind::CertSha1,
        ("x509-certificate", "SHA256") => Kind::CertSha256,
        ("x509-certificate", _) => return None,
        (_, "MD5") => Kind::Md5,
        (_, "SHA1") => Kind::Sha1,
        (_, "SHA224") => Kind::Sha224,
        (_, "SHA256") => Kind::Sha256,
        (_, "SHA384") => Kind::Sha384,
        (_, "SHA512") => Kind::Sha512,
        (_, "SHA3224") => Kind::Sha3_224,
        (_, "SHA3256") => Kind::Sha3_256,
        (_, "SHA3384") => Kind::Sha3_384,
        (_, "SHA3512") => Kind::Sha3_512,
        (_, "SSDEEP") => Kind::Ssdeep,
        (_, "TLSH") => Kind::Tlsh,
        (_, "IMPHASH") => Kind::Imphash,
        (_, "PEHASH") => Kind::Pehash,
        (_, "AUTHENTIHASH") => Kind::Authentihash,
        _ => return None,
    };
    Some(Field::Of(kind))
}

/// Compiles a comparison that stands alone.
fn single(test: &Test) -> Result<Vec<Claim>, String> {
    // NOT is true of nearly all traffic: an alert for everything but one value would be noise.
    if test.negated {
        return Err("NOT".into());
    }
    let values = test.values.iter();
    match (field(test)?, test.op) {
        (_, Op::Other(op)) => Err(op.to_string()),
        // The `value` of an address object may be in CIDR notation, also after `=`, and all of the
        // network is meant.
        (Field::Address(direction), Op::Equal | Op::In | Op::IsSubset) => Ok(values
            .map(|value| Claim { direction, ..Claim::new(Kind::Net, value, Scope::Exact) })
            .collect()),
        (Field::Of(kind), Op::Equal | Op::In) => Ok(values
            .map(|value| Claim::new(kind_by_len(kind, value), value, Scope::Exact))
            .collect()),
        (Field::Of(kind), Op::Like) if is_pattern_kind(kind) => {
            values.map(|value| like(kind, value)).collect()
        }
        (Field::Of(kind), Op::Matches) if is_pattern_kind(kind) => values
            .map(|value| match loki::check_regex(value) {
                Ok(()) => Ok(Claim::new(kind, value, Scope::Regex)),
                Err(reason) => Err(format!("MATCHES: {reason}")),
            })
            .collect(),
        (_, op) => Err(format!("{op:?} on {}:{}", test.object, test.path)),
    }
}

/// Feeds put digests of one algorithm under the name of another, so trust the
/// length.
fn kind_by_len(kind: Kind, value: &str) -> Kind {
    match digest::kind_of_len(value.trim().len()) {
        Some(real) if matches!(kind, Kind::Md5 | Kind::Sha1 | Kind::Sha256 | Kind::Sha512) => real,
        _ => kind,
    }
}

/// Whether patterns can be matched against values of this kind.
fn is_pattern_kind(kind: Kind) -> bool {
    matches!(kind, Kind::Domain | Kind::Url | Kind::Email | Kind::Filename | Kind::Filepath)
}

/// Compiles `LIKE`: `%` is any text, `_` one character, both ends are anchored.
fn like(kind: Kind, value: &str) -> Result<Claim, String> {
    // STIX defines no escape for `%` and `_`, so each of them is a wildcard.
    let is_wild = |text: &str| text.contains(['%', '_']);
    if value.chars().all(|c| matches!(c, '%' | '_' | '.')) {
        return Err("LIKE that matches everything".into());
    }
    if !is_wild(value) {
        return Ok(Claim::new(kind, value, Scope::Exact));
    }
    // The two common forms have a scope, so that they are rows of a table; every wildcard makes the
    // automaton larger.
    if kind == Kind::Domain
        && let Some(name) = value.strip_prefix("%.")
        && !is_wild(name)
    {
        return Ok(Claim::new(kind, name, Scope::SubtreeNoApex));
    }
    if kind == Kind::Url
        && let Some(head) = value.strip_suffix('%')
        && !is_wild(head)
        // Without a slash the text may end within the host: `http://evil.ex%`.
        && head.split_once("://").is_some_and(|(_, rest)| rest.contains('/'))
    {
        return Ok(Claim::new(kind, head, Scope::Prefix));
    }
    let value = if kind == Kind::Domain { value.to_lowercase() } else { value.to_string() };
    if value.contains(['*', '?']) {
        // Our wildcards would interpret these characters.
        let mut regex = String::from("^");
        for char in value.chars() {
            match char {
                '%' => regex.push_str(".*"),
                '_' => regex.push('.'),
                other if other.is_ascii_punctuation() => regex.extend(['\\', other]),
                other => regex.push(other),
            }
        }
        regex.push('$');
        return Ok(Claim::new(kind, regex, Scope::Regex));
    }
    Ok(Claim::new(kind, value.replace('%', "*").replace('_', "?"), Scope::Wildcard))
}

/// Compiles comparisons joined by AND.
fn conjunction(tests: &[&Test]) -> Result<Vec<Claim>, String> {
    if tests.iter().any(|test| test.negated) {
        return Err("NOT".into());
    }
    // An address AND a digest need two observables: alerting for either would claim more than the
    // author did.
    if tests.iter().any(|test| test.object != tests[0].object) {
        return Err("AND of different objects".into());
    }
    match tests[0].object.as_str() {
        "network-traffic" => flow(tests),
        "file" => named_file(tests),
        object => Err(format!("AND of properties of {object}")),
    }
}

/// The name of a file and its folder: the path of the file.
fn path_of_file(tests: &[&Test]) -> Option<Claim> {
    let one = |path: &str| {
        let mut found = tests.iter().filter(|test| test.path == path);
        let test = found.next().filter(|test| test.op == Op::Equal)?;
        (found.next().is_none() && test.values.len() == 1).then(|| test.values[0].as_str())
    };
    let (folder, name) = (one("parent_directory_ref.path")?, one("name")?);
    let is_windows = folder.contains('\\') || folder.as_bytes().get(1) == Some(&b':');
    let separator = if is_windows { '\\' } else { '/' };
    let folder = folder.strip_suffix(separator).unwrap_or(folder);
    let path = format!("{folder}{separator}{name}");
    (tests.len() == 2).then(|| Claim::new(Kind::Filepath, path, Scope::Exact))
}

/// A digest joined with the file's name: the digest, with the name as context. A name joined with
/// its folder is a path.
fn named_file(tests: &[&Test]) -> Result<Vec<Claim>, String> {
    if let Some(path) = path_of_file(tests) {
        return Ok(vec![path]);
    }
    let is_name = |test: &&&Test| test.path == "name";
    let mut names = tests.iter().filter(is_name);
    let mut digests = tests.iter().filter(|test| !is_name(test));
    let (Some(name), None, Some(digest), None) =
        (names.next(), names.next(), digests.next(), digests.next())
    else {
        return Err("AND of properties of file".into());
    };
    let is_hash = matches!(hash_field("file", &digest.path), Some(Field::Of(_)));
    let equal = |test: &Test| matches!(test.op, Op::Equal | Op::In);
    if !is_hash || !equal(digest) || !equal(name) {
        return Err("AND of properties of file".into());
    }
    let mut claims = single(digest)?;
    for claim in &mut claims {
        claim.name = name.values.first().cloned();
    }
    Ok(claims)
}

/// An address with a port, a protocol and the like, all of one end of a flow.
fn flow(tests: &[&Test]) -> Result<Vec<Claim>, String> {
    let mut address: Option<&Test> = None;
    let (mut port, mut proto, mut wanted): (Option<&str>, Option<String>, Option<&str>) =
        (None, None, None);
    let mut ends = Vec::new();
    for test in tests {
        // `src_ref.value` and `src_port` belong to an end, `protocols[*]` to the flow.
        let (end, property) = match test.path.split_once(['_', '.']) {
            Some((end @ ("src" | "dst"), property)) => (Some(end), property),
            _ => (None, test.path.as_str()),
        };
        ends.extend(end);
        let value = test.values.first().map_or("", String::as_str);
        let twice = match property {
            "ref.value" => address.replace(test).is_some(),
            "port" if test.op == Op::Equal => port.replace(value).is_some(),
            "ref.type" if test.op == Op::Equal => wanted.replace(value).is_some(),
            "protocols" if test.op == Op::Equal => match value {
                // The network protocol adds nothing to the address.
                "ipv4" | "ipv6" => false,
                _ => proto.replace(value.to_ascii_lowercase()).is_some(),
            },
            _ => return Err(format!("AND with network-traffic:{}", test.path)),
        };
        if twice {
            return Err(format!("AND of two network-traffic:{}", test.path));
        }
    }
    let Some(address) = address else { return Err("AND without an address".into()) };
    if ends.iter().any(|end| *end != ends[0]) {
        return Err("AND of both ends of a flow".into());
    }
    let mut claims = single(address)?;
    for claim in &mut claims {
        at_end(claim, port, wanted)?;
        claim.proto.clone_from(&proto);
    }
    Ok(claims)
}

/// Adds a port, and checks the type that the reference is stated to have.
fn at_end(claim: &mut Claim, port: Option<&str>, wanted: Option<&str>) -> Result<(), String> {
    let net = address::parse_net(claim.value.trim()).ok();
    match (wanted, net) {
        (Some("domain-name"), None) if port.is_none() => claim.kind = Kind::Domain,
        (Some("ipv4-addr" | "ipv6-addr") | None, Some(_)) => {}
        (Some(wanted), _) => return Err(format!("a value that is not of type {wanted}")),
        (None, None) => {}
    }
    let Some(port) = port else { return Ok(()) };
    match net {
        Some(net) if net.prefix_len() == net.max_prefix_len() => {
            claim.kind = Kind::Endpoint;
            claim.value = format!("{}|{port}", net.addr());
            Ok(())
        }
        // The database has endpoints of addresses only.
        _ => Err("AND of a network and a port".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims(pattern: &str) -> Vec<(Kind, String, Scope)> {
        let compiled = compile(pattern);
        assert_eq!(compiled.unsupported, [""; 0], "{pattern}");
        compiled.claims.into_iter().map(|c| (c.kind, c.value, c.scope)).collect()
    }

    #[test]
    fn supported_patterns_yield_indicators() {
        let e = Scope::Exact;
        for (pattern, want) in [
            ("[ipv4-addr:value = '203.0.113.5']", vec![(Kind::Net, "203.0.113.5", e)]),
            (
                "[domain-name:value = 'a.example' OR ipv4-addr:value IN ('1.2.3.4','1.2.3.5')]",
                vec![
                    (Kind::Domain, "a.example", e),
                    (Kind::Net, "1.2.3.4", e),
                    (Kind::Net, "1.2.3.5", e),
                ],
            ),
            (
                "[network-traffic:dst_ref.type = 'ipv4-addr' AND network-traffic:dst_ref.value = \
                 '1.2.3.4' AND network-traffic:dst_port = 443 AND \
                 network-traffic:protocols[*] = 'tcp']",
                vec![(Kind::Endpoint, "1.2.3.4|443", e)],
            ),
            (
                "[domain-name:value LIKE '%.x.example']",
                vec![(Kind::Domain, "x.example", Scope::SubtreeNoApex)],
            ),
            (
                "[domain-name:value LIKE '%x.example']",
                vec![(Kind::Domain, "*x.example", Scope::Wildcard)],
            ),
            (
                "[url:value LIKE 'http://h.example/p%']",
                vec![(Kind::Url, "http://h.example/p", Scope::Prefix)],
            ),
            (
                "[url:value MATCHES 'gate[0-9]+\\\\.php']",
                vec![(Kind::Url, "gate[0-9]+\\.php", Scope::Regex)],
            ),
            (
                "[file:hashes.md5 = '0123456789abcdef0123456789abcdef']",
                vec![(Kind::Md5, "0123456789abcdef0123456789abcdef", e)],
            ),
            ("[file:hashes.'SHA-1' = 'x' AND file:name = 'y']", vec![(Kind::Sha1, "x", e)]),
            (
                r"[file:parent_directory_ref.path = 'C:\\x' AND file:name = 'y.exe']",
                vec![(Kind::Filepath, r"C:\x\y.exe", e)],
            ),
            (
                "[file:name = 'y' AND file:parent_directory_ref.path = '/tmp/']",
                vec![(Kind::Filepath, "/tmp/y", e)],
            ),
            (
                "[network-traffic:extensions.'http-request-ext'.request_value = '/a/b.php']",
                vec![(Kind::UrlPath, "/a/b.php", e)],
            ),
            (
                "[url:value = 'a'] OR [email-addr:value = 'b']",
                vec![(Kind::Url, "a", e), (Kind::Email, "b", e)],
            ),
        ] {
            let want: Vec<_> = want.into_iter().map(|(k, v, s)| (k, v.to_string(), s)).collect();
            assert_eq!(claims(pattern), want, "{pattern}");
        }
        let between =
            compile("[url:value = 'a'] START t'2020-01-01T00:00:00Z' STOP t'2021-01-01T00:00:00Z'");
        assert_eq!(between.claims[0].stop, Timestamp::parse("2021-01-01"));
    }

    #[test]
    fn never_half_of_an_and() {
        for pattern in [
            "[domain-name:value = 'a' AND ipv4-addr:value = '1.2.3.4']",
            "[ipv4-addr:value = '1.2.3.4'] AND [domain-name:value = 'a']",
            "[ipv4-addr:value = '1.2.3.4'] FOLLOWEDBY [domain-name:value = 'a']",
            "[ipv4-addr:value = '1.2.3.4'] REPEATS 5 TIMES",
            "[domain-name:value = 'a'] WITHIN 5 SECONDS",
            "[domain-name:value != 'a']",
            "[domain-name:value NOT = 'a']",
            "[x509-certificate:issuer = 'a' AND x509-certificate:serial_number = 'b']",
            "[file:hashes.MD5 = 'a' AND file:hashes.'SHA-1' = 'b']",
            "[file:hashes.MD5 = 'a' AND file:size = 5]",
            "[file:name = 'a' AND file:name = 'b']",
            "[file:name IN ('a', 'b') AND file:parent_directory_ref.path = '/c']",
            "[network-traffic:dst_ref.value = '10.0.0.0/8' AND network-traffic:dst_port = 1]",
            "[network-traffic:dst_ref.value = '1.2.3.4' AND network-traffic:src_port = 1]",
            "[network-traffic:src_ref.value = '1.2.3.4' AND network-traffic:dst_ref.value = '1.2.3.5']",
            "[process:name = 'x']",
            "[domain-name:value LIKE '%']",
            "[domain-name:value MATCHES '(?=a)b']",
            "[domain-name:value like 'a']",
        ] {
            let compiled = compile(pattern);
            assert_eq!(compiled.claims, [], "{pattern}");
            assert_eq!(compiled.unsupported.len(), 1, "{pattern}");
        }
        // The other side of an OR stands for itself.
        let half = compile("[process:name = 'x' OR domain-name:value = 'a.example']");
        assert_eq!((half.claims.len(), half.unsupported.len()), (1, 1));
    }
}
