//! Values as people read them: so that nobody follows one by accident, and what they are in plain
//! words.

use super::visit::Visit;
use crate::exchange::pulses::{Type, normalise};

/// A value that no program takes for a link: `hxxp://evil[.]example`.
pub(super) fn defanged(kind: Type, value: &str) -> String {
    match kind {
        Type::IPv4 | Type::Cidr | Type::Domain | Type::Hostname => value.replace('.', "[.]"),
        Type::Email => value.replace('@', "[at]").replace('.', "[.]"),
        Type::Url => {
            let (scheme, rest) = value.split_once("://").unwrap_or(("", value));
            let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
            let scheme = scheme.replace("tt", "xx").replace("TT", "XX");
            let (host, path) = rest.split_at(end);
            match scheme.is_empty() {
                true => format!("{}{path}", host.replace('.', "[.]")),
                false => format!("{scheme}://{}{path}", host.replace('.', "[.]")),
            }
        }
        _ => value.to_string(),
    }
}

macro_rules! kinds {
    ($($kind:ident = $one:literal, $many:literal;)*) => {
        /// The plain name of a type.
        pub(super) fn name(visit: &Visit<'_>, kind: Type) -> String {
            visit.say(match kind { $(Type::$kind => $one,)* })
        }

        /// So many values of a type.
        pub(super) fn count(visit: &Visit<'_>, kind: Type, count: u64) -> String {
            visit.fill(match kind { $(Type::$kind => $many,)* }, &[("count", count.into())])
        }
    };
}

kinds! {
    IPv4 = "kind-ipv4", "kinds-address";
    IPv6 = "kind-ipv6", "kinds-address";
    Cidr = "kind-cidr", "kinds-cidr";
    Domain = "kind-domain", "kinds-domain";
    Hostname = "kind-hostname", "kinds-hostname";
    Url = "kind-url", "kinds-url";
    Uri = "kind-uri", "kinds-uri";
    Email = "kind-email", "kinds-email";
    Md5 = "kind-md5", "kinds-file";
    Sha1 = "kind-sha1", "kinds-file";
    Sha256 = "kind-sha256", "kinds-file";
    Pehash = "kind-pehash", "kinds-file";
    Imphash = "kind-imphash", "kinds-file";
    FilePath = "kind-filepath", "kinds-other";
    Mutex = "kind-mutex", "kinds-other";
    Cve = "kind-cve", "kinds-cve";
    Yara = "kind-yara", "kinds-rule";
    Ja3 = "kind-ja3", "kinds-other";
    Certificate = "kind-certificate", "kinds-other";
    Bitcoin = "kind-bitcoin", "kinds-other";
    Nids = "kind-nids", "kinds-rule";
    Osquery = "kind-osquery", "kinds-rule";
    Correlation = "kind-correlation", "kinds-rule";
}

/// What some values are, as a list in a sentence: kinds that have the same plain name are counted
/// together.
pub(super) fn counts(visit: &Visit<'_>, all: &[(Type, u64)]) -> String {
    let mut groups: Vec<(Type, u64)> = Vec::new();
    for (kind, number) in all {
        let same = |of: &&mut (Type, u64)| count(visit, of.0, 1) == count(visit, *kind, 1);
        match groups.iter_mut().find(same) {
            Some(group) => group.1 += number,
            None => groups.push((*kind, *number)),
        }
    }
    let words: Vec<String> =
        groups.iter().map(|(kind, number)| count(visit, *kind, *number)).collect();
    visit.texts.list(&words)
}

/// The types that a bare value may be, in the order of trial.
const GUESSED: [Type; 9] = [
    Type::IPv4,
    Type::IPv6,
    Type::Cidr,
    Type::Url,
    Type::Email,
    Type::Md5,
    Type::Sha1,
    Type::Sha256,
    Type::Cve,
];

/// What a bare value is. Of a name, everything below is only meant if somebody could register it.
pub(super) fn guess(value: &str) -> Option<Type> {
    // A bare name would do as a URL, too.
    let may_be = |kind: &Type| *kind != Type::Url || value.contains('/');
    let guessed = GUESSED.into_iter().find(|kind| may_be(kind) && normalise(*kind, value).is_ok());
    guessed.or_else(|| {
        let (_, name) = normalise(Type::Hostname, value).ok()?;
        let is_registered = psl::domain_str(&name) == Some(name.as_str());
        Some(if is_registered { Type::Domain } else { Type::Hostname })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bare_values_say_what_they_are() {
        for (value, want) in [
            ("192.0.2.1", Some(Type::IPv4)),
            ("2001:db8::1", Some(Type::IPv6)),
            ("198.51.100.0/24", Some(Type::Cidr)),
            ("http://a.example/", Some(Type::Url)),
            ("me@a.example", Some(Type::Email)),
            ("evil.com", Some(Type::Domain)),
            ("www.evil.com", Some(Type::Hostname)),
            ("cve-2024-0001", Some(Type::Cve)),
            ("two words", None),
            ("label", None),
        ] {
            assert_eq!(guess(value), want, "{value}");
        }
    }

    #[test]
    fn values_lead_nowhere() {
        for (kind, value, want) in [
            (Type::IPv4, "192.0.2.1", "192[.]0[.]2[.]1"),
            (Type::Domain, "a.example", "a[.]example"),
            (Type::Url, "http://a.example/b.c?d.e", "hxxp://a[.]example/b.c?d.e"),
            (Type::Url, "https://a.example", "hxxps://a[.]example"),
            (Type::Email, "me@a.example", "me[at]a[.]example"),
            (Type::IPv6, "2001:db8::1", "2001:db8::1"),
            (Type::Sha1, "da39a3ee", "da39a3ee"),
        ] {
            assert_eq!(defanged(kind, value), want);
        }
    }
}
