//! Guesses the kind of a bare value, for lists with one value per line (feed
//! specification, section 4).

use super::{Kind, Reason, Scope, Value, address, digest, domain, words};
use ipnet::{IpNet, Ipv4Subnets, Ipv6Subnets};
use std::net::IpAddr;

/// What a bare value turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess {
    /// One value.
    One(Kind, Value, Scope),
    /// A range `a-b`, as the networks that cover exactly it.
    Nets(Vec<IpNet>),
}

/// Parses a value of unknown kind: address, network, range, endpoint, URL, e-mail
/// address, digest by its length, CVE, JA4, name, `*.name`, `.name`, `host/path`,
/// `/path`, Windows path, registry key. Names get `domain_scope` unless they are
/// explicit.
///
/// # Errors
///
/// Why no kind fits: the reason of the best fitting kind.
pub fn guess(raw: &str, domain_scope: Scope) -> Result<Guess, Reason> {
    let raw = raw.trim().trim_matches('"');
    let bytes = raw.as_bytes();
    let Some(&first) = bytes.first() else { return Err(Reason::Empty) };
    if bytes.iter().all(|b| b"*.?%".contains(b)) {
        return Err(Reason::MatchesEverything);
    }
    if raw.contains("://") {
        // Text after a blank is another value, or a remark.
        if raw.contains(char::is_whitespace) {
            return Err(Reason::BadUrl);
        }
        return one(Kind::Url, raw, Scope::Exact);
    }
    if first == b'/' {
        return one(Kind::UrlPath, raw, Scope::PathAnyHost);
    }
    if let Some(kind) = digest::kind_of_len(raw.len())
        && bytes.iter().all(u8::is_ascii_hexdigit)
    {
        return one(kind, raw, Scope::Exact);
    }
    if (first == b'[' || raw.contains(':') || first.is_ascii_digit())
        && let Some(found) = guess_address(raw)
    {
        return found;
    }
    if words::is_cve(bytes) {
        return one(Kind::Cve, raw, Scope::Exact);
    }
    if words::is_ja4(bytes) {
        return one(Kind::Ja4, raw, Scope::Exact);
    }
    if is_registry_key(raw) {
        return one(Kind::Regkey, raw, Scope::Exact);
    }
    if bytes.get(1) == Some(&b':') && bytes.get(2) == Some(&b'\\') {
        return one(Kind::Filepath, raw, Scope::Exact);
    }
    if raw.contains('@') && !raw.contains('/') {
        return one(Kind::Email, raw, Scope::Exact);
    }
    if raw.contains('/') || (raw.contains(':') && raw.contains('.')) {
        return guess_bare_url(raw);
    }
    guess_domain(raw, domain_scope)
}

fn one(kind: Kind, raw: &str, scope: Scope) -> Result<Guess, Reason> {
    let (kind, value, scope) = super::value::normalise(kind, raw, scope)?;
    Ok(Guess::One(kind, value, scope))
}

fn guess_address(raw: &str) -> Option<Result<Guess, Reason>> {
    if address::parse_ip(raw).is_ok() {
        return Some(one(Kind::Ip, raw, Scope::Exact));
    }
    if let Some((head, tail)) = raw.split_once('/')
        && address::parse_ip(head.trim()).is_ok()
        && (tail.bytes().all(|b| b.is_ascii_digit() || b == b' ')
            || address::parse_mask(tail.trim()).is_some())
    {
        return Some(one(Kind::Net, raw, Scope::Exact));
    }
    if is_bad_network(raw) {
        return Some(Err(Reason::BadNetwork));
    }
    if address::parse_endpoint(raw).is_some() {
        return Some(one(Kind::Endpoint, raw, Scope::Exact));
    }
    if let Some((from, to)) = raw.split_once(['-', '\u{2013}', '\u{2014}'])
        && let Ok(from) = address::parse_ip(from.trim())
        && let Some(to) = range_end(from, to.trim())
    {
        return Some(range(from, to));
    }
    if let Some(net) = starred(raw) {
        return Some(one(Kind::Net, &net, Scope::Exact));
    }
    // Four groups of digits can only be an invalid address.
    let head = raw.split([':', '/']).next().unwrap_or(raw);
    let octets =
        head.split('.').count() == 4 && head.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    octets
        .then(|| Err(address::parse_ip(head).err().unwrap_or(Reason::BadEndpoint)))
        .filter(|_| !raw.contains('/'))
}

/// Whether a text is an address with an invalid length or mask, or with a valid one
/// and more text: `/255.0.255.0`, `/24/5`, `/0xffffff00`, `/24 bad`. A path
/// contains letters.
fn is_bad_network(raw: &str) -> bool {
    let Some((head, tail)) = raw.split_once('/') else { return false };
    if address::parse_ip(head.trim()).is_err() {
        return false;
    }
    let tail = tail.trim();
    if let Some(hex) = tail.strip_prefix("0x").or_else(|| tail.strip_prefix("0X")) {
        return hex.len() <= 8 && hex.bytes().all(|b| b.is_ascii_hexdigit());
    }
    let is_part = |c: char| c.is_ascii_digit() || c == '.';
    let (length, rest) = tail.split_at(tail.find(|c| !is_part(c)).unwrap_or(tail.len()));
    let digits = length.find('.').unwrap_or(length.len());
    if !(1..=3).contains(&digits) {
        return false;
    }
    rest.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'/' | b'-' | b' '))
        || rest.starts_with([' ', '\t', ',', ';', '|', '&', '+', '(', ':'])
}

/// The last address of a range: complete, or only its last octet, as in
/// `203.0.113.5-20`.
fn range_end(from: IpAddr, text: &str) -> Option<IpAddr> {
    match (address::parse_ip(text), from) {
        (Ok(to), _) => Some(to),
        (Err(_), IpAddr::V4(v4)) if text.len() <= 3 => {
            let last: u8 = text.parse().ok()?;
            Some(IpAddr::V4((v4.to_bits() & !0xff | u32::from(last)).into()))
        }
        _ => None,
    }
}

/// Converts `203.0.113.*` and `203.0.*.*` to networks.
fn starred(raw: &str) -> Option<String> {
    let known = raw.trim_end_matches(".*");
    let stars = (raw.len() - known.len()) / 2;
    let is_octets = known.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if !(1..=3).contains(&stars) || !is_octets || known.split('.').count() + stars != 4 {
        return None;
    }
    Some(format!("{known}{}/{}", ".0".repeat(stars), 32 - 8 * stars))
}

fn range(from: IpAddr, to: IpAddr) -> Result<Guess, Reason> {
    let nets: Vec<IpNet> = match (from, to) {
        (IpAddr::V4(a), IpAddr::V4(b)) if a <= b => {
            Ipv4Subnets::new(a, b, 0).map(IpNet::V4).collect()
        }
        (IpAddr::V6(a), IpAddr::V6(b)) if a <= b => {
            Ipv6Subnets::new(a, b, 0).map(IpNet::V6).collect()
        }
        _ => return Err(Reason::BadNetwork),
    };
    Ok(Guess::Nets(nets))
}

fn is_registry_key(raw: &str) -> bool {
    let head = raw.split('\\').next().unwrap_or("");
    head.len() < raw.len()
        && ["hklm", "hkcu", "hkcr", "hku", "hkcc"].iter().any(|h| head.eq_ignore_ascii_case(h))
        || raw.get(..5).is_some_and(|head| head.eq_ignore_ascii_case("hkey_"))
}

/// Parses `host/path` and `host:port/path`, and `name:port`, which means the root
/// there.
fn guess_bare_url(raw: &str) -> Result<Guess, Reason> {
    if raw.contains(char::is_whitespace) {
        return Err(Reason::Unrecognised);
    }
    let host = raw.split(['/', ':', '?']).next().unwrap_or(raw);
    let is_host = address::parse_v4(host.as_bytes()).is_some()
        || domain::normalise(host).is_ok_and(|name| {
            name.contains('.') && domain::is_known_tld(domain::last_label(name.as_bytes()))
        });
    if is_host { one(Kind::Url, raw, Scope::Exact) } else { Err(Reason::Unrecognised) }
}

fn guess_domain(raw: &str, scope: Scope) -> Result<Guess, Reason> {
    let (name, scope) = domain::parse_scoped(raw, scope).map_err(|_| Reason::Unrecognised)?;
    if !name.contains('.') {
        // `.zip` would block a whole top-level domain, which is up to the guard of
        // section 6.2.
        return if raw.starts_with('.') && domain::is_known_tld(name.as_bytes()) {
            Ok(Guess::One(Kind::Domain, Value::Text(name.into()), scope))
        } else {
            Err(Reason::SingleLabel)
        };
    }
    if !domain::is_known_tld(domain::last_label(name.as_bytes())) {
        return Err(Reason::UnknownTld);
    }
    Ok(Guess::One(Kind::Domain, Value::Text(name.into()), scope))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_of_a_bare_value_is_guessed() {
        for (raw, kind, value) in [
            ("203.0.113.5", Kind::Ip, "203.0.113.5"),
            ("203.0.113.5/24", Kind::Net, "203.0.113.0/24"),
            ("203.0.113.5/32", Kind::Ip, "203.0.113.5"),
            ("203.0.113.5:443", Kind::Endpoint, "203.0.113.5:443"),
            ("[2001:db8::1]:443", Kind::Endpoint, "[2001:db8::1]:443"),
            ("2001:DB8::1", Kind::Ip, "2001:db8::1"),
            ("http://Evil.example/X", Kind::Url, "http://evil.example/X"),
            ("evil.example/X", Kind::Url, "evil.example/X"),
            ("203.0.113.5/x.php", Kind::Url, "203.0.113.5/x.php"),
            ("evil.example:8080", Kind::Url, "evil.example:8080/"),
            ("u@Evil.example", Kind::Email, "u@evil.example"),
            ("D41D8CD98F00B204E9800998ECF8427E", Kind::Md5, "d41d8cd98f00b204e9800998ecf8427e"),
            ("cve-2024-12345", Kind::Cve, "CVE-2024-12345"),
            ("*.evil.example", Kind::Domain, "evil.example"),
            ("Evil.Example.", Kind::Domain, "evil.example"),
            ("/a/b.php", Kind::UrlPath, "/a/b.php"),
            ("C:\\X.exe", Kind::Filepath, "c:\\x.exe"),
        ] {
            let Ok(Guess::One(got, text, _)) = guess(raw, Scope::Subtree) else { panic!("{raw}") };
            assert_eq!((got, text.to_string().as_str()), (kind, value), "{raw}");
        }
    }

    #[test]
    fn ranges_and_masks() {
        let nets = guess("203.0.113.0-203.0.113.130", Scope::Exact).unwrap();
        let Guess::Nets(nets) = nets else { panic!() };
        assert_eq!(nets.len(), 3);
        for (raw, count) in [
            ("203.0.113.0 \u{2013} 203.0.113.255", 1),
            ("203.0.113.0-127", 1),
            ("203.0.113.5-6", 2),
            ("2001:db8::-2001:db8::ff", 1),
        ] {
            let Ok(Guess::Nets(nets)) = guess(raw, Scope::Exact) else { panic!("{raw}") };
            assert_eq!(nets.len(), count, "{raw}");
        }
        for (raw, net) in [
            ("203.0.113.*", "203.0.113.0/24"),
            ("203.0.*.*", "203.0.0.0/16"),
            ("203.0.113.0/255.255.255.0", "203.0.113.0/24"),
            ("203.0.113.9/0.0.0.255", "203.0.113.0/24"),
        ] {
            let Ok(Guess::One(Kind::Net, value, _)) = guess(raw, Scope::Exact) else {
                panic!("{raw}")
            };
            assert_eq!(value.to_string(), net, "{raw}");
        }
    }

    #[test]
    fn masks_that_are_none() {
        for length in [
            "255.0.255.0",
            "256.255.255.0",
            "255.255.255",
            "0xffffff00",
            "24/5",
            "24-",
            "24 x",
            "24,x",
            "33",
            "255.255.255.0/24",
            "24/",
            "24.5",
        ] {
            for address in ["203.0.113.0", "2001:db8::"] {
                let raw = format!("{address}/{length}");
                assert_eq!(guess(&raw, Scope::Exact).is_ok(), raw == "2001:db8::/33", "{raw}");
            }
            let raw = format!("203.0.113.0/{length}");
            assert_eq!(guess(&raw, Scope::Exact), Err(Reason::BadNetwork), "{raw}");
        }
        for raw in [
            "203.0.113.0/path",
            "203.0.113.0/24.exe",
            "203.0.113.0/24/a",
            "203.0.113.0/1/x.php",
            "203.0.113.0/bins/",
            "203.0.113.0/0xab.sh",
            "203.0.113.0/24?a",
            "203.0.113.0/2024/11/",
        ] {
            let got = guess(raw, Scope::Exact);
            assert!(matches!(got, Ok(Guess::One(Kind::Url, ..))), "{raw} {got:?}");
        }
    }

    #[test]
    fn what_cannot_be_guessed_is_rejected_with_a_reason() {
        for (raw, reason) in [
            ("http://evil.example/a b", Reason::BadUrl),
            ("evil.example/a b", Reason::Unrecognised),
            ("203.0.113.9-5", Reason::BadNetwork),
            ("", Reason::Empty),
            ("invoice.exe", Reason::UnknownTld),
            ("161.35.41.9:53:53", Reason::BadEndpoint),
            ("203.000.113.008", Reason::LeadingZero),
            ("word", Reason::SingleLabel),
            ("two words", Reason::Unrecognised),
            ("1.2.3.400", Reason::BadAddress),
        ] {
            assert_eq!(guess(raw, Scope::Exact), Err(reason), "{raw}");
        }
    }
}
