//! Headings as people write them: in the plural, with several words, with the kind
//! in brackets, or with several kinds at once. `IP addresses`, `C2 domain(s)`, `MD5
//! hash`, `IOC (IP)`, `Domains/IPs`.
//!
//! A heading is split into words, and words that do not affect the kind are removed
//! until the rest is a known name. Words that do affect it (whose address? the
//! reporter's) are never removed, so such a heading has no meaning here.

use crate::engine::indicator::{Kind, Scope};
use crate::intel::feed::table::columns::Column;
use crate::intel::feed::table::nets;
use crate::intel::feed::types;

/// The meaning of a heading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::intel::feed) enum Heading {
    /// The role of its column.
    Role(Column),
    /// It means something hostile without a kind: `C2`, `Dropper`. Values below it
    /// are indicators.
    Hostile,
    /// It means someone or something other than what is listed: `Reporter`,
    /// `Registrar`. Nothing below it is ever an indicator.
    Other,
    /// Unknown.
    Unknown,
}

/// Words that do not affect the kind.
const IDLE: &[&str] = &[
    "ioc",
    "indicator",
    "observable",
    "artifact",
    "artefact",
    "value",
    "list",
    "string",
    "full",
    "raw",
    "defanged",
    "fanged",
    "refanged",
    "of",
    "the",
    "for",
    "address",
    "name",
    "hash",
    "checksum",
    "digest",
    "fingerprint",
    "sum",
    "known",
    "observed",
    "detected",
    "related",
    "associated",
    "all",
    "file",
    "sample",
    "network",
    "v4",
    "v6",
    // What brackets leave over: `address(es)`, `domain(s)`.
    "es",
    "s",
];

/// Words for something hostile, which give no kind.
const HOSTILE: &[&str] = &[
    "c2",
    "cnc",
    "c2s",
    "cc",
    "command",
    "control",
    "malicious",
    "bad",
    "evil",
    "attacker",
    "attacking",
    "attack",
    "malware",
    "threat",
    "hostile",
    "suspicious",
    "phishing",
    "phish",
    "scam",
    "spam",
    "botnet",
    "bot",
    "rat",
    "ransomware",
    "trojan",
    "stealer",
    // The ends of connections, as in exports of firewalls: the list says which end is hostile.
    "remote",
    "dst",
    "dest",
    "destination",
    "src",
    "source",
    "payload",
    "dropper",
    "loader",
    "downloader",
    "download",
    "distribution",
    "delivery",
    "hosting",
    "landing",
    "exfil",
    "exfiltration",
    "contacted",
    "callback",
    "beacon",
    "server",
    "infrastructure",
    // What a firewall or fail2ban did with them.
    "blocked",
    "banned",
    "offending",
    "abusive",
];

/// People and offices, whose data is never an indicator.
const PEOPLE: &[&str] = &[
    "abuse",
    "contact",
    "reporter",
    "reported",
    "submitter",
    "submitted",
    "analyst",
    "author",
    "creator",
    "registrar",
    "registrant",
    "registry",
    "owner",
    "isp",
    "provider",
    "hoster",
    "org",
    "organisation",
    "organization",
    "company",
    "admin",
    "tech",
    "support",
    "whois",
    "victim",
    "reference",
    "researcher",
    "orgc",
];

/// Other words of headings without indicators below: portals, keys, versions.
const OTHER: &[&str] = &[
    "created",
    "ref",
    "link",
    "report",
    "screenshot",
    "sandbox",
    "portal",
    "permalink",
    "virustotal",
    "vt",
    "bgp",
    "announced",
    "advisory",
    "article",
    "blog",
    "target",
    "sinkhole",
    "sinkholed",
    "nameserver",
    "dnsserver",
    "mailserver",
    "whoisserver",
    "ns",
    "mx",
    "soa",
    "resolver",
    "gateway",
    "rdns",
    "ptr",
    "reverse",
    "etag",
    "key",
    "id",
    "uuid",
    "guid",
    "cookie",
    "token",
    "session",
    "commit",
    "parent",
    "referrer",
    "referer",
    "version",
    "firmware",
    "build",
    "release",
    "date",
    "time",
    "seen",
    "count",
    "number",
    "score",
    "rule",
    "signature",
    "description",
    "comment",
    "note",
    "remark",
    "notes",
    "title",
    "tag",
    "license",
    "licence",
    "vendor",
    "product",
    "internal",
    "our",
    "sensor",
    "honeypot",
    "proxy",
    "mac",
    "serial",
    "thumbprint",
    "subject",
    "issuer",
    "peer",
    "legitimate",
    "benign",
    "allow",
    "whitelist",
    "original",
    "cert",
    "certificate",
    "x509",
    "ssl",
    "tls",
    "ja3",
    "ja3s",
    "ja4",
    "jarm",
    "hassh",
    "imphash",
    "ssdeep",
    "tlsh",
    "pehash",
    "vhash",
    "path",
    "icon",
    "favicon",
    "dhash",
    "phash",
    "body",
    "header",
];

/// The meaning of a heading.
pub(in crate::intel::feed) fn of(name: &str) -> Heading {
    let name = name.trim().trim_matches('"').trim();
    if let Some(role) = Column::from_name(name) {
        return Heading::Role(role);
    }
    // No heading is that long.
    if name.len() > 64 {
        return Heading::Unknown;
    }
    if let Some((head, last)) = name.rsplit_once('.') {
        // `reporter.email` is the reporter's, but `attributes.value` is the value.
        let is_other = words(head).iter().any(|word| is_of_another(word));
        return if is_other { Heading::Other } else { of(last) };
    }
    let (outer, inner) = brackets(name);
    let parts = of_parts(&outer);
    match inner.map_or(Heading::Unknown, |inner| of_parts(&inner)) {
        Heading::Role(Column::Value(kind)) => match parts {
            Heading::Role(Column::Value(None)) | Heading::Hostile => {
                Heading::Role(Column::Value(kind))
            }
            // `MD5 (file)` is not more general than `MD5`.
            Heading::Role(Column::Value(of)) if of != kind && kind.is_some() => {
                Heading::Role(Column::Value(None))
            }
            other => other,
        },
        Heading::Other if matches!(parts, Heading::Hostile | Heading::Unknown) => Heading::Other,
        _ => parts,
    }
}

/// Splits a heading into the text outside and inside its brackets; `(s)` is an
/// ending.
fn brackets(name: &str) -> (String, Option<String>) {
    let opening = |c: char| matches!(c, '(' | '[' | '{');
    let closing = |c: char| matches!(c, ')' | ']' | '}');
    let (Some(from), Some(to)) = (name.find(opening), name.rfind(closing)) else {
        return (name.to_string(), None);
    };
    if to < from {
        return (name.to_string(), None);
    }
    let inner = name[from + 1..to].trim();
    let outer = format!("{} {}", &name[..from], &name[to + 1..]);
    let is_ending = matches!(inner.to_ascii_lowercase().as_str(), "s" | "es");
    (outer.trim().to_string(), (!is_ending && !inner.is_empty()).then(|| inner.to_string()))
}

/// Whether a word means a thing other than an indicator, so that a value in its
/// column belongs to that.
fn is_of_another(word: &str) -> bool {
    let word = singular(word);
    PEOPLE.contains(&word) || OTHER.contains(&word)
}

/// Whether a name means people or offices. What such an object contains is theirs.
pub(in crate::intel::feed) fn is_people(name: &str) -> bool {
    words(name).iter().any(|word| PEOPLE.contains(&singular(word)))
}

/// The meaning of a heading that may name several kinds.
fn of_parts(name: &str) -> Heading {
    let lower = name.to_lowercase().replace("c&c", "c2").replace("c & c", "c2");
    // `camelCase` is only visible in the original heading.
    let name = if lower.len() == name.len() { name } else { &lower };
    let mut parts = name.split(['/', '|', ',', '&', '+', ';']).flat_map(|part| {
        let words = part.split(' ').collect::<Vec<_>>();
        let is_joint = |word: &&str| ["and", "or", "oder", "und"].contains(&&*word.to_lowercase());
        words.split(is_joint).map(|words| words.join(" ")).collect::<Vec<_>>()
    });
    let mut all: Option<Heading> = None;
    for part in parts.by_ref().filter(|part| !part.trim().is_empty()) {
        let part = of_words(&part);
        all = Some(all.map_or(part, |all| joined(all, part)));
    }
    all.unwrap_or(Heading::Unknown)
}

/// The combined meaning of two headings in one.
fn joined(a: Heading, b: Heading) -> Heading {
    use Heading::{Hostile, Role};
    match (a, b) {
        _ if a == b => a,
        (Role(Column::Value(_)), Role(Column::Value(_))) => Role(Column::Value(None)),
        (value @ Role(Column::Value(_)), Hostile) | (Hostile, value @ Role(Column::Value(_))) => {
            value
        }
        (Heading::Other, _) | (_, Heading::Other) => Heading::Other,
        _ => Heading::Unknown,
    }
}

/// The meaning of a heading with one kind.
fn of_words(name: &str) -> Heading {
    let words = words(name);
    let singular: Vec<String> = words.iter().map(|word| singular(word).to_string()).collect();
    if let Some(kind) = certificate(&singular) {
        return Heading::Role(Column::Value(Some((kind, Scope::Exact))));
    }
    // A name server is not a name.
    if is_of_another(&singular.concat()) {
        return Heading::Other;
    }
    if let Some(part) = nets::by_words(&singular) {
        return Heading::Role(Column::Net(part));
    }
    for words in [&words, &singular] {
        if let Some(role) = without_idle(words) {
            return Heading::Role(role);
        }
    }
    let is_in = |list: &[&str]| singular.iter().any(|word| list.contains(&word.as_str()));
    let is_of = |list: &[&str]| {
        singular.iter().all(|word| list.contains(&word.as_str()) || IDLE.contains(&word.as_str()))
    };
    if is_in(OTHER) || is_in(PEOPLE) {
        Heading::Other
    } else if !singular.is_empty() && is_of(IDLE) && is_in(&IDLE[..6]) {
        Heading::Role(Column::Value(None))
    } else if is_of(HOSTILE) && is_in(HOSTILE) {
        Heading::Hostile
    } else {
        Heading::Unknown
    }
}

/// The role of the words that remain after removing those without effect: from the
/// start, from the end, and then anywhere.
fn without_idle(words: &[String]) -> Option<Column> {
    let is_spare = |word: &String| IDLE.contains(&&**word) || HOSTILE.contains(&&**word);
    let role = |words: &[String]| Column::from_name(&words.concat());
    // The longest first: `file name` is a kind, although `name` has no effect.
    for length in (1..=words.len()).rev() {
        for from in 0..=words.len() - length {
            let (before, rest) = words.split_at(from);
            let (kept, after) = rest.split_at(length);
            let is_rest_spare = before.iter().chain(after).all(&is_spare);
            let found = is_rest_spare.then(|| role(kept)).flatten();
            // `Malware` and `Source` alone are roles, but not values.
            let is_meant = |role: &Column| {
                length == words.len() || matches!(role, Column::Value(_) | Column::Type)
            };
            if let Some(role) = found.filter(is_meant) {
                return Some(role);
            }
        }
    }
    let kept: Vec<String> = words.iter().filter(|word| !is_spare(word)).cloned().collect();
    if kept.is_empty() || kept.len() == words.len() {
        return None;
    }
    role(&kept).filter(|role| matches!(role, Column::Value(_)))
}

/// A certificate's digest: `SSL certificate SHA1 fingerprint`.
fn certificate(words: &[String]) -> Option<Kind> {
    let has = |list: &[&str]| words.iter().any(|word| list.contains(&&**word));
    if !has(&["cert", "certificate", "x509"]) {
        return None;
    }
    let of = |kind, names: &[&str]| has(names).then_some(kind);
    of(Kind::CertMd5, &["md5"])
        .or_else(|| of(Kind::CertSha256, &["sha256", "256"]))
        .or_else(|| of(Kind::CertSha1, &["sha1", "thumbprint", "fingerprint", "hash"]))
}

/// The words of a name in lower case: split at anything but letters and digits, and
/// within `camelCase`.
pub(in crate::intel::feed) fn words(name: &str) -> Vec<String> {
    let chars: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (at, &char) in chars.iter().enumerate() {
        if !char.is_alphanumeric() {
            words.push(String::new());
            continue;
        }
        let before = at.checked_sub(1).map(|at| chars[at]);
        let after = chars.get(at + 1);
        let begins = char.is_uppercase()
            && (before.is_some_and(|c| c.is_lowercase() || c.is_ascii_digit())
                || before.is_some_and(char::is_uppercase)
                    && after.is_some_and(|c| c.is_lowercase())
                    && !is_ending(&chars[at + 1..]));
        if begins {
            words.push(String::new());
        }
        let last = words.len() - 1;
        words[last].extend(char.to_lowercase());
    }
    words.retain(|word| !word.is_empty());
    words
}

/// Whether the next letters belong to the capitals before: `IPs`, `IPv4`.
fn is_ending(rest: &[char]) -> bool {
    match rest {
        ['s', next, ..] => !next.is_alphanumeric(),
        ['s'] => true,
        ['v', digit, ..] => digit.is_ascii_digit(),
        _ => false,
    }
}

/// The singular of a word.
fn singular(word: &str) -> &str {
    // Words that end in `s` in the singular.
    const ALIKE: &[&str] = &["dns", "tls", "https", "sms", "cvss", "os", "as", "ns", "ja3s", "us"];
    if ALIKE.contains(&word) || word.ends_with("ss") || word.ends_with("us") || word.len() < 3 {
        return word;
    }
    word.strip_suffix("shes")
        .or_else(|| word.strip_suffix("sses"))
        .map_or_else(|| word.strip_suffix('s').unwrap_or(word), |stem| &word[..stem.len() + 2])
}

/// Whether a dotted name means a member of a member rather than a domain:
/// `contact.email`.
pub(in crate::intel::feed) fn is_member(name: &str) -> bool {
    const HEADS: &[&str] = &[
        "contact",
        "event",
        "malware",
        "threat",
        "file",
        "meta",
        "data",
        "source",
        "attributes",
        "attribute",
        "network",
        "indicator",
        "ioc",
        "observable",
        "host",
        "url",
        "ip",
        "domain",
        "reporter",
        "abuse",
        "whois",
        "registrant",
        "geo",
        "asn",
        "sample",
        "owner",
        "reference",
        "actor",
        "campaign",
        "feed",
        "details",
        "info",
        "context",
        "record",
        "item",
        "object",
    ];
    let name = name.trim().trim_matches('"');
    let Some((head, _)) = name.split_once('.') else { return false };
    let Some((_, last)) = name.rsplit_once('.') else { return false };
    HEADS.contains(&&*types::squeeze(head)) && !matches!(of(last), Heading::Unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::engine::indicator::Kind::{
        CertSha1, Domain, Email, Ip, Md5, Net, Sha1, Sha256, Url,
    };

    /// Names of values of one kind.
    const KINDS: &[(Kind, &[&str])] = &[
        (
            Ip,
            &[
                "IP addresses",
                "IPs",
                "C2 IPs",
                "IOC (IP)",
                "ipAddresses",
                "IPv4 addresses",
                "Malicious IP(s)",
                "Source IP",
                "IP (dst)",
                "IPv4/IPv6",
                "C&C IP",
                "Attacker IP",
            ],
        ),
        (
            Domain,
            &[
                "Domains",
                "C2 domain(s)",
                "Domain names",
                "Malicious domains",
                "Host name",
                "Hostnames",
                "C2Domain",
                "C&C domains",
                "Domain (defanged)",
                "phishing_domains",
            ],
        ),
        (Url, &["URLs", "Malicious URLs", "Payload URL", "URL(s)", "Download URLs"]),
        (Md5, &["MD5 hash", "MD5s", "MD5 hashes", "MD5 (file)", "Hash (MD5)", "File MD5"]),
        (Sha1, &["SHA-1 checksum", "SHA1 hash values"]),
        (
            Sha256,
            &[
                "SHA-256 hash value",
                "SHA256Hash",
                "SHA256 hashes",
                "Payload SHA256",
                "sha256sum",
                "File hash (SHA-256)",
            ],
        ),
        (Email, &["Emails", "Email addresses", "E-mail address", "Sender email", "Phishing email"]),
        (Net, &["CIDRs", "Networks", "IP ranges", "Malicious subnets"]),
        (CertSha1, &["SSL certificate SHA1 fingerprint", "Certificate thumbprint"]),
    ];

    /// Names of values of any kind.
    const VALUES: &[&str] = &[
        "Domains/IPs",
        "Host name/IP",
        "Indicator value",
        "Indicators",
        "Observable",
        "Observables",
        "IOC(s)",
        "IOCs",
        "Hashes",
        "Hash value",
        "File hashes",
        "IP or domain",
        "IP, domain and URL",
        "Hash (MD5, SHA1)",
        "IOC value (defanged)",
        "Network indicators",
        "Indicator of",
        "IP/Domain/Hash",
        "MD5/SHA1",
    ];

    /// Names of something hostile.
    const HOSTILES: &[&str] =
        &["C2", "C2s", "C2 server", "Dropper", "Payload", "Command and control", "Attackers"];

    /// Names of values about something else.
    const OTHERS: &[&str] = &[
        "Reporter",
        "Reporter email",
        "contact.email",
        "abuse_contact",
        "Abuse email",
        "Registrar URL",
        "Name server",
        "Victim IP",
        "Reverse DNS name",
        "Report URLs",
        "Number of IPs",
        "rdns",
        "Contact (email)",
        "TLS version",
        "Sandbox URL",
        "Parent hash",
        "etag",
        "_id",
        "Resolver IP",
        "DNS server",
    ];

    /// Names of context.
    const CONTEXTS: &[(&str, Column)] = &[
        ("Malware family", Column::Malware),
        ("First seen (UTC)", Column::FirstSeen),
        ("Tag(s)", Column::Tags),
        ("Malware", Column::Malware),
        ("Source", Column::Collection),
        ("Indicator types", Column::Type),
        ("IOC type", Column::Type),
        ("Reference URL", Column::Reference),
        ("Valid until", Column::ValidUntil),
    ];

    /// Names without meaning.
    const NOTHINGS: &[&str] = &["Land", "Farbe", "x", "", "()", ")(", "Date/Time", "é (ü)"];

    #[test]
    fn headings_have_meanings() {
        let mut wrong = Vec::new();
        let mut check = |is_right: bool, name: &str| {
            if !is_right {
                wrong.push(format!("{name}: {:?}", of(name)));
            }
        };
        for (kind, names) in KINDS {
            for name in *names {
                let role = of(name);
                let is_kind = |it: Kind| it == *kind;
                check(
                    matches!(role, Heading::Role(Column::Value(Some((it, _)))) if is_kind(it)),
                    name,
                );
            }
        }
        for name in VALUES {
            check(of(name) == Heading::Role(Column::Value(None)), name);
        }
        for name in HOSTILES {
            check(of(name) == Heading::Hostile, name);
        }
        for name in OTHERS.iter().chain(NOTHINGS) {
            let heading = of(name);
            let is_value = matches!(heading, Heading::Role(Column::Value(_)) | Heading::Hostile);
            check(!is_value, name);
        }
        for (name, want) in CONTEXTS {
            check(of(name) == Heading::Role(*want), name);
        }
        assert!(wrong.is_empty(), "{wrong:#?}");
        assert!(is_member("contact.email") && is_member("event.info") && !is_member("evil.info"));
        assert!(!is_member("host.com") && !is_member("evil.host"));
    }

    proptest::proptest! {
        /// No name makes this panic.
        #[test]
        fn no_heading_panics(name in "[a-zA-Z0-9é()/&_. -]{0,80}") {
            let _ = (of(&name), is_member(&name));
        }
    }
}
