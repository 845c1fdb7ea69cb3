//! The guards: reject what would match too much (matching specification, section
//! 6).

use super::options::Options;
use crate::engine::indicator::domain::{Suffix, public_suffix};
use crate::engine::indicator::{Kind, Reason, Scope, Value, address};
use ipnet::IpNet;

/// Names below which anyone can get a subdomain and which the public-suffix list
/// lacks (section 6.2, rule 6). Hosters whose own names matter more than their
/// customers' (googleapis.com) are not included.
const SHARED: &[&str] =
    &["amazonaws.com", "nip.io", "sslip.io", "xip.io", "traefik.me", "localtest.me"];

/// Why an indicator is refused or changed.
pub fn verdict(
    options: &Options,
    indicator: &crate::engine::indicator::Indicator,
) -> Option<Reason> {
    let mut scope = indicator.scope;
    judge(options, indicator.kind, &indicator.value, &mut scope).unwrap_or_else(Some)
}

/// Refuses, changes, or accepts an indicator.
pub(super) fn judge(
    options: &Options,
    kind: Kind,
    value: &Value,
    scope: &mut Scope,
) -> Result<Option<Reason>, Reason> {
    match value {
        Value::Net(net) if !options.allow_wide => {
            let widest = match net {
                IpNet::V4(_) => 8,
                IpNet::V6(_) => 16,
            };
            if net.prefix_len() < widest { Err(Reason::TooWide) } else { Ok(None) }
        }
        Value::Text(name) if kind == Kind::Domain && !options.allow_suffix => {
            judge_domain(name, scope)
        }
        _ => Ok(None),
    }
}

/// Whether everything that an indicator can match is private or reserved. Then it
/// is accepted, but the private guard will suppress its hits (section 6.1, rule 5),
/// which the feed's owner should know right away.
pub(super) fn is_private(kind: Kind, value: &Value) -> bool {
    let (first, last) = match value {
        Value::Net(net) => (net.network(), net.broadcast()),
        Value::Endpoint(address, _) => (*address, *address),
        Value::Text(_) => return false,
    };
    let is_documentation = kind != Kind::Net && address::is_documentation(first);
    address::is_reserved(first) && address::is_reserved(last) && !is_documentation
}

fn judge_domain(name: &str, scope: &mut Scope) -> Result<Option<Reason>, Reason> {
    if !matches!(scope, Scope::Subtree | Scope::SubtreeNoApex) {
        return Ok(None);
    }
    if !name.contains('.') {
        return Err(Reason::SingleLabel);
    }
    match public_suffix(name) {
        Suffix::Icann => Err(Reason::PublicSuffix),
        Suffix::None if !SHARED.contains(&name) => Ok(None),
        _ if *scope == Scope::SubtreeNoApex => Err(Reason::PublicSuffix),
        _ => {
            *scope = Scope::Exact;
            Ok(Some(Reason::Downgraded))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_reserved_addresses_are_recognised() {
        let net = |text: &str| is_private(Kind::Net, &Value::Net(text.parse().unwrap()));
        let ip = |text: &str| is_private(Kind::Ip, &Value::Net(text.parse().unwrap()));
        assert!(net("10.0.0.0/8") && net("203.0.113.0/24") && net("fc00::/7"));
        assert!(!net("192.0.0.0/8") && !net("198.51.0.0/16"));
        assert!(ip("10.1.2.3/32") && ip("::1/128") && !ip("203.0.113.7/32") && !ip("8.8.8.8/32"));
        assert!(is_private(Kind::Endpoint, &Value::Endpoint("127.0.0.1".parse().unwrap(), 80)));
    }

    #[test]
    fn public_suffixes_are_rejected_or_limited() {
        let of = |name: &str, mut scope: Scope| {
            let verdict = judge_domain(name, &mut scope);
            (verdict, scope)
        };
        assert_eq!(of("co.uk", Scope::Subtree).0, Err(Reason::PublicSuffix));
        assert_eq!(of("com", Scope::Subtree).0, Err(Reason::SingleLabel));
        assert_eq!(of("github.io", Scope::Subtree), (Ok(Some(Reason::Downgraded)), Scope::Exact));
        assert_eq!(of("nip.io", Scope::Subtree), (Ok(Some(Reason::Downgraded)), Scope::Exact));
        assert_eq!(of("evil.co.uk", Scope::Subtree), (Ok(None), Scope::Subtree));
        assert_eq!(of("co.uk", Scope::Exact), (Ok(None), Scope::Exact));
    }
}
