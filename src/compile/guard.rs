//! The guards: what would match too much does not come in (section 6 of the
//! matching specification).

use super::Options;
use crate::indicator::domain::{Suffix, public_suffix};
use crate::indicator::{Kind, Reason, Scope, Value};
use ipnet::IpNet;

/// Names below which anybody can have one and that the public-suffix list lacks
/// (section 6.2, rule 6).
const SHARED: &[&str] = &[
    "amazonaws.com",
    "cloudfront.net",
    "googleapis.com",
    "googleusercontent.com",
    "nip.io",
    "sslip.io",
    "xip.io",
    "traefik.me",
    "localtest.me",
    "sharepoint.com",
    "windows.net",
    "trycloudflare.com",
];

/// Refuses, cuts down, or takes an indicator.
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
    fn suffixes() {
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
