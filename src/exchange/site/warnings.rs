//! Values that make bad indicators: what is published about them stays out of exports until
//! somebody confirms it.

use crate::engine::indicator::domain::{self, Suffix};
use crate::engine::indicator::{Kind, WarningEntry, WarningList, address};
use crate::exchange::pulses::{IndicatorDraft, Type, Warning, is_too_wide};
use std::collections::{HashMap, HashSet};

/// The most popular names and the addresses of public resolvers: blocking them harms whoever
/// subscribes. Lists of operators come on top.
const POPULAR: &[&str] = &[
    "akamai.net",
    "akamaiedge.net",
    "amazon.com",
    "amazonaws.com",
    "apple.com",
    "azure.com",
    "bing.com",
    "cloudflare.com",
    "cloudfront.net",
    "facebook.com",
    "fastly.net",
    "github.com",
    "gmail.com",
    "google.com",
    "googleapis.com",
    "gstatic.com",
    "icloud.com",
    "instagram.com",
    "linkedin.com",
    "live.com",
    "microsoft.com",
    "microsoftonline.com",
    "mozilla.org",
    "netflix.com",
    "office.com",
    "office365.com",
    "outlook.com",
    "twitter.com",
    "ubuntu.com",
    "whatsapp.com",
    "wikipedia.org",
    "windows.com",
    "windows.net",
    "windowsupdate.com",
    "yahoo.com",
    "youtube.com",
    "debian.org",
    "python.org",
];

/// Public resolvers.
const RESOLVERS: &[&str] = &[
    "1.0.0.1",
    "1.1.1.1",
    "4.2.2.1",
    "4.2.2.2",
    "8.8.4.4",
    "8.8.8.8",
    "9.9.9.9",
    "64.6.64.6",
    "64.6.65.6",
    "94.140.14.14",
    "94.140.15.15",
    "149.112.112.112",
    "208.67.220.220",
    "208.67.222.222",
    "2001:4860:4860::8844",
    "2001:4860:4860::8888",
    "2606:4700:4700::1001",
    "2606:4700:4700::1111",
    "2620:fe::9",
    "2620:fe::fe",
];

/// Warning lists, ready for questions.
#[derive(Debug, Default)]
pub struct Warnings {
    lists: Vec<List>,
}

/// A list by how its entries are compared.
#[derive(Debug, Default)]
struct List {
    id: String,
    name: String,
    kinds: Option<Vec<Kind>>,
    whole: HashSet<String>,
    below: HashSet<Box<str>>,
    nets: HashMap<u8, HashSet<ipnet::IpNet>>,
    parts: Vec<String>,
}

impl Warnings {
    /// With the lists of an operator. Entries that are regular expressions are not used: there
    /// are few, and they are about texts of other kinds.
    pub fn new(lists: &[WarningList]) -> Warnings {
        Warnings { lists: lists.iter().map(List::new).collect() }
    }

    /// What is to be said about an indicator.
    pub fn of(&self, draft: &IndicatorDraft) -> Vec<Warning> {
        self.about(draft.kind, &draft.norm)
    }

    /// What is to be said about a value.
    pub fn about(&self, kind: Type, norm: &str) -> Vec<Warning> {
        let mut warnings = built_in(kind, norm);
        for list in self.lists.iter().filter(|list| list.has(kind, norm)) {
            warnings.push(Warning {
                source: list.id.clone(),
                name: list.name.clone(),
                message: format!("on the warning list “{}”", list.name),
            });
        }
        warnings
    }
}

impl List {
    fn new(of: &WarningList) -> List {
        let name = of.name.clone().unwrap_or_else(|| of.id.clone());
        let kinds = of.is_limited.then(|| of.kinds.clone());
        let mut list = List { id: of.id.clone(), name, kinds, ..List::default() };
        for entry in &of.entries {
            match entry {
                WarningEntry::Whole(value) => {
                    list.whole.insert(value.to_string());
                }
                WarningEntry::Below(name) => {
                    list.below.insert(name.clone());
                }
                WarningEntry::Net(net) => {
                    list.nets.entry(net.prefix_len()).or_default().insert(net.trunc());
                }
                WarningEntry::Part(part) => list.parts.push(part.to_lowercase()),
                WarningEntry::Regex(_) => {}
            }
        }
        list
    }

    fn has(&self, kind: Type, norm: &str) -> bool {
        if self.kinds.as_ref().is_some_and(|kinds| !kinds.contains(&kind.kind())) {
            return false;
        }
        self.whole.contains(norm)
            || matches!(kind, Type::Domain | Type::Hostname) && self.has_name(norm)
            || matches!(kind, Type::IPv4 | Type::IPv6 | Type::Cidr) && self.has_net(norm)
            || self.parts.iter().any(|part| norm.to_lowercase().contains(part))
    }

    fn has_name(&self, name: &str) -> bool {
        parents(name).any(|name| self.below.contains(name))
    }

    fn has_net(&self, norm: &str) -> bool {
        let Ok(net) = address::parse_net(norm) else { return false };
        self.nets.iter().any(|(length, nets)| {
            *length <= net.prefix_len()
                && ipnet::IpNet::new(net.addr(), *length)
                    .is_ok_and(|above| nets.contains(&above.trunc()))
        })
    }
}

/// A name and its parents: `a.b.c`, `b.c`, `c`.
fn parents(name: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(name), |name| name.split_once('.').map(|(_, parent)| parent))
}

/// What needs no list of an operator.
fn built_in(kind: Type, norm: &str) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |source: &str, name: &str, message: String| {
        warnings.push(Warning { source: source.into(), name: name.into(), message });
    };
    match kind {
        // A URL at a popular host may well be bad, and so may a name below a hoster's.
        Type::Domain | Type::Hostname => {
            let is_popular = POPULAR.contains(&norm)
                || norm.strip_prefix("www.").is_some_and(|name| POPULAR.contains(&name));
            if is_popular {
                warn("whitelist", "Popular domains", format!("{norm} is a popular domain"));
            }
            if domain::public_suffix(norm) != Suffix::None {
                let message =
                    format!("{norm} is a public suffix: everybody registers names below it");
                warn("public_suffix", "Public suffixes", message);
            }
        }
        Type::IPv4 | Type::IPv6 if RESOLVERS.contains(&norm) => {
            warn("whitelist", "Public resolvers", format!("{norm} is a public DNS resolver"));
        }
        Type::Cidr if is_too_wide(kind, norm) => {
            let message = format!("{norm} is wider than /16, or /32 of IPv6");
            warn("too_wide", "Wide networks", message);
        }
        _ => {}
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn popular_values_are_noticed() {
        let warnings = Warnings::new(&[WarningList {
            id: "own".into(),
            entries: vec![
                WarningEntry::Below("corp.example".into()),
                WarningEntry::Net("198.51.100.0/24".parse().unwrap()),
            ],
            ..WarningList::default()
        }]);
        let sources = |kind, norm| {
            let all: Vec<String> =
                warnings.about(kind, norm).into_iter().map(|of| of.source).collect();
            all.join(" ")
        };
        assert_eq!(sources(Type::IPv4, "8.8.8.8"), "whitelist");
        assert_eq!(sources(Type::Domain, "google.com"), "whitelist");
        assert_eq!(sources(Type::Domain, "evil-google.com"), "");
        assert_eq!(sources(Type::Domain, "co.uk"), "public_suffix");
        assert_eq!(sources(Type::Url, "http://google.com/evil"), "");
        assert_eq!(sources(Type::Cidr, "11.0.0.0/8"), "too_wide");
        assert_eq!(sources(Type::Hostname, "a.corp.example"), "own");
        assert_eq!(sources(Type::IPv4, "198.51.100.7"), "own");
        assert_eq!(sources(Type::IPv4, "198.51.101.7"), "");
    }
}
