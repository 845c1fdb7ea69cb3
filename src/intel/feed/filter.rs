//! Filters on the indicators of a feed: allow and deny terms.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Indicator, Kind, Value, domain, url};
use ipnet::IpNet;
use std::net::IpAddr;

/// The indicators of a feed to keep.
///
/// An indicator is kept if no deny term matches, and an allow term matches or there
/// is none. A term is one of
///
/// - `kind:domain`, `tag:phish*`, `malware:emotet`, `adversary:apt*`,
///   `collection:*spam*`: context from the feed, with `*` as a wildcard, ignoring
///   case;
/// - an address or a network: itself and everything in it;
/// - a name: itself and everything below it, in domains, URLs and e-mail addresses;
/// - `value:*.php`, or anything else: the value itself, with `*` as a wildcard.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    allow: Vec<Term>,
    deny: Vec<Term>,
    min_confidence: Option<u8>,
}

/// A term of a filter: what an indicator must have.
#[derive(Clone, Debug)]
enum Term {
    Kind(Kind),
    Digest,
    Net(IpNet),
    Name(String),
    Value(String),
    Tag(String),
    Malware(String),
    Adversary(String),
    Collection(String),
}

impl Filter {
    /// Parses the terms.
    ///
    /// # Errors
    ///
    /// A term is empty or names an unknown kind.
    pub fn new(allow: &[String], deny: &[String], min_confidence: Option<u8>) -> Result<Filter> {
        let read = |terms: &[String]| -> Result<Vec<Term>> {
            terms.iter().map(|term| Term::parse(term)).collect()
        };
        Ok(Filter { allow: read(allow)?, deny: read(deny)?, min_confidence })
    }

    /// Whether everything is kept.
    pub fn is_empty(&self) -> bool {
        self.allow.is_empty() && self.deny.is_empty() && self.min_confidence.is_none()
    }

    /// Whether an indicator is kept. One without a confidence passes any minimum.
    pub fn takes(&self, indicator: &Indicator) -> bool {
        let unsure = self
            .min_confidence
            .zip(indicator.context.confidence)
            .is_some_and(|(least, confidence)| confidence < least);
        !unsure
            && !self.deny.iter().any(|term| term.fits(indicator))
            && (self.allow.is_empty() || self.allow.iter().any(|term| term.fits(indicator)))
    }
}

impl Term {
    /// Parses a term. Without a prefix, it is a network, a name with its
    /// subdomains, or a pattern for the value, in this order.
    fn parse(text: &str) -> Result<Term> {
        let text = text.trim();
        if text.is_empty() {
            return Err(Error::format("a filter is empty").remedy("remove it"));
        }
        let lower = text.to_lowercase();
        if let Some((what, rest)) = lower.split_once(':') {
            let rest = rest.trim().to_string();
            match what {
                "kind" if rest == "hash" => return Ok(Term::Digest),
                "kind" => {
                    return Kind::from_name(&rest).map(Term::Kind).ok_or_else(|| {
                        Error::format(format!("unknown kind of indicator “{rest}”")).remedy(
                            "expected ip, net, endpoint, domain, url, email, md5, sha256, hash, …",
                        )
                    });
                }
                "tag" => return Ok(Term::Tag(rest)),
                "malware" => return Ok(Term::Malware(rest)),
                "adversary" => return Ok(Term::Adversary(rest)),
                "collection" => return Ok(Term::Collection(rest)),
                "value" => return Ok(Term::Value(rest)),
                _ => {}
            }
        }
        if let Ok(net) = text.parse::<IpNet>() {
            return Ok(Term::Net(net));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Term::Net(IpNet::from(address)));
        }
        let name = lower.trim_start_matches("*.").trim_start_matches('.');
        if !name.contains('*')
            && name.contains('.')
            && let Ok(name) = domain::normalise(name)
        {
            return Ok(Term::Name(name.into_owned()));
        }
        Ok(Term::Value(lower))
    }

    /// Whether an indicator has what the term asks for.
    fn fits(&self, indicator: &Indicator) -> bool {
        let context = &*indicator.context;
        match self {
            Term::Kind(kind) => indicator.kind == *kind,
            Term::Digest => indicator.kind.digest_len().is_some(),
            Term::Net(net) => match &indicator.value {
                Value::Net(other) => net.contains(other),
                Value::Endpoint(address, _) => net.contains(address),
                Value::Text(_) => host(indicator)
                    .and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok())
                    .is_some_and(|address| net.contains(&address)),
            },
            Term::Name(name) => host(indicator).is_some_and(|host| {
                host.strip_suffix(&**name)
                    .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }),
            Term::Value(pattern) => glob(pattern, &indicator.value.to_string().to_lowercase()),
            Term::Tag(pattern) => any(pattern, &context.tags),
            Term::Malware(pattern) => any(pattern, &context.malware),
            Term::Adversary(pattern) => any(pattern, &context.adversary),
            Term::Collection(pattern) => any(pattern, context.collection.as_slice()),
        }
    }
}

/// The host of a value that has one.
fn host(indicator: &Indicator) -> Option<String> {
    let Value::Text(text) = &indicator.value else { return None };
    match indicator.kind {
        Kind::Domain => Some(text.to_string()),
        Kind::Email => text.rsplit_once('@').map(|(_, host)| host.to_string()),
        Kind::Url => url::parse(text).ok().map(|url| url.host().to_string()),
        _ => None,
    }
}

/// Whether any of the texts matches a pattern in lower case.
fn any<T: AsRef<str>>(pattern: &str, texts: &[T]) -> bool {
    texts.iter().any(|text| glob(pattern, &text.as_ref().to_lowercase()))
}

/// Whether a pattern with `*` matches the whole text. Linear except for the stars,
/// of which only the last one is retried.
fn glob(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        if pattern.get(p) == Some(&b'*') {
            star = Some((p + 1, t));
            p += 1;
        } else if pattern.get(p) == Some(&text[t]) {
            p += 1;
            t += 1;
        } else if let Some((after, from)) = star {
            p = after;
            t = from + 1;
            star = Some((after, t));
        } else {
            return false;
        }
    }
    pattern[p..].iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::{Context, Scope};
    use std::sync::Arc;

    fn one(kind: Kind, value: &str) -> Indicator {
        let context = Context {
            tags: vec!["Phishing".into()],
            confidence: Some(40),
            ..Context::of_feed("test")
        };
        Indicator::new(kind, value, Scope::Exact, Arc::new(context)).unwrap()
    }

    fn takes(allow: &[&str], deny: &[&str], indicator: &Indicator) -> bool {
        let own = |terms: &[&str]| terms.iter().map(|t| t.to_string()).collect::<Vec<_>>();
        Filter::new(&own(allow), &own(deny), None).unwrap().takes(indicator)
    }

    #[test]
    fn terms_select_indicators() {
        let name = one(Kind::Domain, "www.evil.example");
        for fits in ["evil.example", "*.evil.example", "kind:domain", "tag:phish*", "*evil*"] {
            assert!(!takes(&[], &[fits], &name), "{fits}");
            assert!(takes(&[fits], &[], &name), "{fits}");
        }
        for not in ["vil.example", "other.example", "kind:ip", "tag:phish", "203.0.113.0/24"] {
            assert!(takes(&[], &[not], &name), "{not}");
            assert!(!takes(&[not], &[], &name), "{not}");
        }
        let address = one(Kind::Endpoint, "203.0.113.7:80");
        assert!(!takes(&[], &["203.0.113.0/24"], &address));
        let url = one(Kind::Url, "http://203.0.113.7/gate.php");
        assert!(!takes(&[], &["203.0.113.7"], &url));
        assert!(!takes(&[], &["value:*.php"], &url));
        assert!(takes(&[], &["value:*.php5"], &url));
        let mail = one(Kind::Email, "a@sub.evil.example");
        assert!(!takes(&["kind:email"], &["evil.example"], &mail));
    }

    #[test]
    fn a_lowest_confidence_selects_indicators() {
        let of = |least| Filter::new(&[], &[], Some(least)).unwrap();
        assert!(of(40).takes(&one(Kind::Ip, "203.0.113.7")));
        assert!(!of(41).takes(&one(Kind::Ip, "203.0.113.7")));
        assert!(Filter::new(&["kind:nonsense".into()], &[], None).is_err());
    }
}
