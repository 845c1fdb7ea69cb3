//! A normalised value, and the indicator around it.

use super::{Context, Kind, Reason, Scope, address, digest, domain, email, url, words};
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A normalised value. Its text is canonical: two values are the same indicator if
/// and only if kind and text are equal.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Value {
    /// A network; an address is one of full length. Host bits are cleared.
    Net(IpNet),
    /// Address and port.
    Endpoint(IpAddr, u16),
    /// Everything else, normalised for its kind: domains as lower-case A-labels,
    /// digests as lower-case hex, URLs in canonical form.
    Text(Box<str>),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Net(net) if net.prefix_len() == net.max_prefix_len() => {
                write!(f, "{}", net.addr())
            }
            Value::Net(net) => write!(f, "{net}"),
            Value::Endpoint(IpAddr::V4(ip), port) => write!(f, "{ip}:{port}"),
            Value::Endpoint(IpAddr::V6(ip), port) => write!(f, "[{ip}]:{port}"),
            Value::Text(text) => f.write_str(text),
        }
    }
}

/// What a feed claims: a value of a kind, its scope, and its context.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indicator {
    /// What it is.
    pub kind: Kind,
    /// Normalised (section 6 of the matching specification).
    pub value: Value,
    /// How far it reaches.
    pub scope: Scope,
    /// The original text, if it differs from the canonical one.
    pub raw: Option<Box<str>>,
    /// Everything else, shared between the indicators of a list or pulse.
    pub context: Arc<Context<'static>>,
}

impl Indicator {
    /// Normalises `raw` as a value of `kind`. `Kind::Ip` and `Kind::Net` turn into
    /// each other depending on the prefix length.
    ///
    /// # Errors
    ///
    /// The [`Reason`] why `raw` is not a value of this kind.
    pub fn new(
        kind: Kind,
        raw: &str,
        scope: Scope,
        context: Arc<Context<'static>>,
    ) -> Result<Self, Reason> {
        let raw = raw.trim();
        if raw.is_empty() {
            return Err(Reason::Empty);
        }
        let (kind, value, scope) = normalise(kind, raw, scope)?;
        let keep = match &value {
            Value::Text(text) => **text != *raw,
            other => other.to_string() != raw,
        };
        Ok(Indicator { kind, value, scope, raw: keep.then(|| raw.into()), context })
    }
}

/// The only normaliser, for all kinds; used by [`Indicator::new`] and `lookup`.
pub(crate) fn normalise(
    kind: Kind,
    raw: &str,
    scope: Scope,
) -> Result<(Kind, Value, Scope), Reason> {
    if matches!(scope, Scope::Wildcard | Scope::Regex) {
        return Ok((kind, Value::Text(raw.into()), scope));
    }
    let text = |text: std::borrow::Cow<'_, str>| Value::Text(text.into());
    Ok(match kind {
        Kind::Ip | Kind::Net => {
            let net = address::parse_net(raw)?;
            let host = net.prefix_len() == net.max_prefix_len();
            (if host { Kind::Ip } else { Kind::Net }, Value::Net(net), Scope::Exact)
        }
        Kind::Endpoint => {
            let (ip, port) = address::parse_endpoint(raw).ok_or(Reason::BadEndpoint)?;
            (kind, Value::Endpoint(ip, port), Scope::Exact)
        }
        Kind::Domain => {
            let (name, scope) = domain::parse_scoped(raw, scope)?;
            (kind, text(name), scope)
        }
        Kind::Url => (kind, Value::Text(url::parse(raw)?.to_string().into()), scope),
        Kind::UrlPath => (kind, Value::Text(url::parse_path(raw)?.into()), Scope::PathAnyHost),
        Kind::Email => (kind, text(email::normalise(raw)?), Scope::Exact),
        _ if kind.digest_len().is_some() => {
            (kind, Value::Text(digest::normalise(kind, raw)?.into()), Scope::Exact)
        }
        _ => (kind, text(words::normalise(kind, raw)?), Scope::Exact),
    })
}
