//! Whether a value is one of its type, and what should be said about it.

use super::{MAX_VALUE, Type};
use crate::engine::indicator::{Indicator, Kind, Reason, Value, address, domain, url};
use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;

/// What is wrong with a body: messages by field. Nothing of it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invalid {
    /// The messages of each field, in order of the names.
    pub errors: BTreeMap<String, Vec<String>>,
}

impl Invalid {
    /// One message about one field.
    pub fn of(field: &str, message: impl Into<String>) -> Invalid {
        let mut invalid = Invalid::default();
        invalid.add(field, message);
        invalid
    }

    /// Adds a message about a field.
    pub fn add(&mut self, field: &str, message: impl Into<String>) {
        self.errors.entry(field.to_string()).or_default().push(message.into());
    }

    /// Everything in one line, for clients that show only that.
    pub fn detail(&self) -> String {
        let all = self.errors.iter();
        let lines: Vec<String> =
            all.map(|(field, messages)| format!("{field}: {}", messages.join(", "))).collect();
        lines.join("; ")
    }

    /// `value`, if nothing is wrong.
    ///
    /// # Errors
    ///
    /// Itself, if something is.
    pub fn unless_empty<T>(self, value: T) -> Result<T, Invalid> {
        if self.errors.is_empty() { Ok(value) } else { Err(self) }
    }
}

/// What a warning list says about a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The list: `whitelist`, `public_suffix`, or the short name of an imported list.
    pub source: String,
    /// Its title.
    pub name: String,
    /// A sentence.
    pub message: String,
}

/// Normalises a value, and refines its type: `IPv4` and `IPv6` are told apart by the value.
///
/// # Errors
///
/// Why it is not a value of this type.
pub fn normalise(of: Type, raw: &str) -> Result<(Type, String), String> {
    let raw = raw.trim_matches(|c: char| c == ' ' || !of.allows_controls() && c.is_whitespace());
    if raw.is_empty() {
        return Err("the value is empty".into());
    }
    if raw.len() > MAX_VALUE {
        return Err(format!("the value has {} bytes: at most {MAX_VALUE} are allowed", raw.len()));
    }
    // U+0000 ends texts elsewhere.
    let is_control = |c: char| c == '\0' || !of.allows_controls() && c.is_control();
    if raw.chars().any(is_control) {
        return Err("the value contains control characters".into());
    }
    if of.is_rule() || matches!(of, Type::Mutex | Type::FilePath | Type::Bitcoin) {
        return Ok((of, raw.to_string()));
    }
    let indicator = Indicator::new(of.kind(), raw, of.scope(), Arc::default())
        .map_err(|reason| format!("not a valid {}: {}", of.name(), words(reason)))?;
    check(of, &indicator)?;
    Ok((of, indicator.value.to_string()))
}

/// What the engine accepts of other feeds, and we do not of people.
fn check(of: Type, indicator: &Indicator) -> Result<(), String> {
    let is_of = match (of, &indicator.value) {
        (Type::IPv4, Value::Net(net)) => {
            indicator.kind == Kind::Ip && matches!(net.addr(), IpAddr::V4(_))
        }
        (Type::IPv6, Value::Net(net)) => {
            indicator.kind == Kind::Ip && matches!(net.addr(), IpAddr::V6(_))
        }
        (Type::Domain | Type::Hostname, Value::Text(name)) => {
            name.contains('.') && domain::is_name(name) && address::ip_of(name.as_bytes()).is_none()
        }
        _ => true,
    };
    if !is_of {
        return Err(format!("not a valid {}", of.name()));
    }
    match &indicator.value {
        Value::Net(net) if address::is_reserved(net.addr()) && is_private(net.addr()) => {
            Err(format!("{net} is a private or reserved address"))
        }
        _ => Ok(()),
    }
}

/// Reserved addresses that are not for documentation: examples may be written about.
fn is_private(address: IpAddr) -> bool {
    !address::is_documentation(address)
}

fn words(reason: Reason) -> String {
    reason.name().replace('_', " ")
}

/// Whether a network is too wide for a feed: wider than /16, or /32 for IPv6.
pub fn is_too_wide(of: Type, norm: &str) -> bool {
    if of != Type::Cidr {
        return false;
    }
    match address::parse_net(norm) {
        Ok(ipnet::IpNet::V4(net)) => net.prefix_len() < 16,
        Ok(ipnet::IpNet::V6(net)) => net.prefix_len() < 32,
        Err(_) => false,
    }
}

/// The host of a value, with its labels reversed (`com.example.www`), by which names below a
/// domain are found.
pub(in crate::exchange) fn reversed_host(of: Type, norm: &str) -> Option<String> {
    let host = match of {
        Type::Domain | Type::Hostname => norm.to_string(),
        Type::Email => norm.rsplit_once('@')?.1.to_string(),
        Type::Url => url::parse(norm).ok()?.host().to_string(),
        _ => return None,
    };
    if address::ip_of(host.as_bytes()).is_some() || !host.contains('.') {
        return None;
    }
    let mut labels: Vec<&str> = host.split('.').collect();
    labels.reverse();
    Some(labels.join("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_sdk_tests() {
        for (of, value, want) in [
            (Type::Domain, "Malware.ORG", "malware.org"),
            (Type::Hostname, "WWW.malware.org", "www.malware.org"),
            (Type::IPv4, "8.8.8.8", "8.8.8.8"),
            (Type::FilePath, "c:\\a\u{c}oo\u{4}", "c:\\a\u{c}oo\u{4}"),
            (Type::Cidr, "198.51.100.7/24", "198.51.100.0/24"),
            (Type::Cve, "cve-2014-0001", "CVE-2014-0001"),
            (Type::Url, "HTTP://Evil.Example/a", "http://evil.example/a"),
        ] {
            assert_eq!(normalise(of, value), Ok((of, want.to_string())), "{value}");
        }
        for (of, value) in [
            (Type::Domain, "label"),
            (Type::IPv4, "10.0.0.1"),
            (Type::IPv4, "2001:db8::1"),
            (Type::IPv4, "198.51.100.0/24"),
            (Type::Md5, "abc"),
            (Type::Domain, "198.51.100.7"),
            (Type::Email, "nobody"),
            (Type::Mutex, " "),
        ] {
            assert!(normalise(of, value).is_err(), "{value}");
        }
    }

    #[test]
    fn hosts_are_found_from_their_end() {
        let of = |kind, norm| reversed_host(kind, norm);
        assert_eq!(of(Type::Url, "http://www.a.example/x").as_deref(), Some("example.a.www"));
        assert_eq!(of(Type::Email, "x@a.example").as_deref(), Some("example.a"));
        assert_eq!(of(Type::Url, "http://198.51.100.7/x"), None);
        assert!(is_too_wide(Type::Cidr, "198.0.0.0/8"));
    }
}
