//! DNS names (matching specification, section 6.2).

use super::{Reason, Scope};
use std::borrow::Cow;

/// The length limit of a name in text form, without the root dot (RFC 1035, section
/// 2.3.4).
pub const MAX_NAME: usize = 253;
/// The length limit of a label.
pub const MAX_LABEL: usize = 63;

/// Names that are not delegated top-level domains but still occur in indicators and
/// logs: RFC 6761, RFC 7686, RFC 8375, and what real networks use.
const SPECIAL_USE: &[&str] = &[
    "onion",
    "example",
    "test",
    "local",
    "localhost",
    "invalid",
    "arpa",
    "i2p",
    "bit",
    "lan",
    "home",
    "corp",
    "internal",
    "localdomain",
    "intranet",
    "private",
];

/// Delegated top-level domains without a rule of their own in the public-suffix
/// list: South Africa only registers below `co.za` and the like, and the others are
/// newer than the list that we build with.
const WITHOUT_RULE: &[&[u8]] = &[b"za", b"helsinki", b"juniper"];

/// Top-level domains that are also file extensions (section 6.2, rule 8).
const FILE_EXTENSIONS: &[&str] = &[
    "zip", "mov", "sh", "py", "rs", "md", "pl", "so", "ps", "java", "cpp", "app", "bin", "cab",
    "cfg", "com", "dat", "doc", "exe", "js", "ml", "cc", "mm", "tf", "pm", "st", "ai", "bz", "gz",
    "la", "lk", "mk", "my", "ms", "sc", "sy", "vi", "ax", "win", "box", "pub", "one", "map",
];

/// Whether `label` (lower case) is a delegated or special-use top-level domain.
pub fn is_known_tld(label: &[u8]) -> bool {
    if SPECIAL_USE.iter().any(|tld| tld.as_bytes() == label) || WITHOUT_RULE.contains(&label) {
        return true;
    }
    // The public-suffix list has a rule for every delegated top-level domain; the
    // default rule `*` matches anything and has no type.
    let is_known = |name: &[u8]| psl::suffix(name).is_some_and(|suffix| suffix.is_known());
    if is_known(label) {
        return true;
    }
    // Some countries only have a wildcard rule (`*.bd`), which matches names below
    // them but not the domain itself.
    match label {
        [first, second] => is_known(&[b'x', b'.', *first, *second]),
        _ => false,
    }
}

/// Whether a name that ends in `label` directly after a path separator is more
/// likely a file than a host. `com`, `app` and the like are included because
/// COMMAND.COM is older than the web; in a path that is what they are.
pub fn is_file_extension(label: &[u8]) -> bool {
    FILE_EXTENSIONS.iter().any(|extension| extension.as_bytes() == label)
}

/// What the public-suffix list says about a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Suffix {
    /// A registered name, or below one.
    None,
    /// A suffix of the ICANN part, or a single label, which has no owner.
    Icann,
    /// A suffix of the private part, which belongs to a hoster.
    Private,
}

/// Classifies a normalised name.
pub fn public_suffix(name: &str) -> Suffix {
    if !name.contains('.') {
        return Suffix::Icann;
    }
    match psl::suffix(name.as_bytes()) {
        Some(suffix) if suffix.as_bytes().len() == name.len() && suffix.is_known() => {
            match suffix.typ() {
                Some(psl::Type::Private) => Suffix::Private,
                _ => Suffix::Icann,
            }
        }
        _ => Suffix::None,
    }
}

/// Converts to lower case and A-labels, and strips one trailing dot.
///
/// ASCII labels pass unchanged, including underscores: IDNA would reject `_dmarc`,
/// which DNS allows. Other labels are converted by UTS 46, non-transitional, one by
/// one; what cannot be converted stays lower-case UTF-8.
///
/// # Errors
///
/// [`Reason::BadDomain`] for empty or overlong labels, names longer than
/// [`MAX_NAME`], names of only digits, and bytes that no name contains.
pub fn normalise(raw: &str) -> Result<Cow<'_, str>, Reason> {
    let name: Cow<'_, str> = if raw.is_ascii() {
        if raw.bytes().any(|b| b.is_ascii_uppercase()) {
            Cow::Owned(raw.to_ascii_lowercase())
        } else {
            Cow::Borrowed(raw)
        }
    } else {
        Cow::Owned(to_ascii(raw))
    };
    let name = match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.strip_suffix('.').unwrap_or(name)),
        Cow::Owned(mut name) => {
            if name.ends_with('.') {
                name.pop();
            }
            Cow::Owned(name)
        }
    };
    check(&name)?;
    Ok(name)
}

fn to_ascii(raw: &str) -> String {
    let mut name = String::with_capacity(raw.len() + 8);
    for label in raw.split(['.', '\u{3002}', '\u{ff0e}', '\u{ff61}']) {
        if label.is_ascii() {
            name.push_str(&label.to_ascii_lowercase());
        } else {
            match idna::domain_to_ascii_cow(label.as_bytes(), idna::AsciiDenyList::EMPTY) {
                Ok(ascii) => name.push_str(&ascii),
                Err(_) => name.extend(label.chars().flat_map(char::to_lowercase)),
            }
        }
        name.push('.');
    }
    name.pop();
    name
}

/// Whether it is a normalised name.
pub fn is_name(name: &str) -> bool {
    check(name).is_ok()
}

fn check(name: &str) -> Result<(), Reason> {
    if name.is_empty() || name.len() > MAX_NAME {
        return Err(Reason::BadDomain);
    }
    let is_label = |length: usize| (1..=MAX_LABEL).contains(&length);
    let mut start = 0;
    let mut seen = 0;
    for (at, &byte) in name.as_bytes().iter().enumerate() {
        let class = CLASSES[usize::from(byte)];
        seen |= class;
        if class & (DOT | OTHER) != 0 {
            if class == OTHER || !is_label(at - start) {
                return Err(Reason::BadDomain);
            }
            start = at + 1;
        }
    }
    if is_label(name.len() - start) && seen & LETTER != 0 { Ok(()) } else { Err(Reason::BadDomain) }
}

const DIGIT: u8 = 1;
/// A letter, a hyphen, an underscore, a byte beyond ASCII.
const LETTER: u8 = 2;
const DOT: u8 = 4;
/// A byte that no name contains.
const OTHER: u8 = 8;

static CLASSES: [u8; 256] = {
    let mut classes = [OTHER; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'0'..=b'9' => DIGIT,
            b'a'..=b'z' | b'A'..=b'Z' | b'-' | b'_' | 0x80.. => LETTER,
            b'.' => DOT,
            _ => OTHER,
        };
        byte += 1;
    }
    classes
};

/// Parses a feed's spelling of a name: `*.x.y` only covers what is below `x.y`,
/// `.x.y` covers `x.y` and everything below, and anything else has the given
/// `scope`.
///
/// # Errors
///
/// Like [`normalise`].
pub fn parse_scoped(raw: &str, scope: Scope) -> Result<(Cow<'_, str>, Scope), Reason> {
    if let Some(rest) = raw.strip_prefix("*.") {
        return Ok((normalise(rest)?, Scope::SubtreeNoApex));
    }
    if let Some(rest) = raw.strip_prefix('.') {
        return Ok((normalise(rest)?, Scope::Subtree));
    }
    Ok((normalise(raw)?, scope))
}

/// The last label of a name.
pub fn last_label(name: &[u8]) -> &[u8] {
    match memchr::memrchr(b'.', name) {
        Some(dot) => &name[dot + 1..],
        None => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_normalised() {
        for (raw, want) in [
            ("eViL.ExAmPlE.", "evil.example"),
            ("münchen.example", "xn--mnchen-3ya.example"),
            ("www.MÜNCHEN。example", "www.xn--mnchen-3ya.example"),
            ("faß.de", "xn--fa-hia.de"),
            ("_dmarc.x.example", "_dmarc.x.example"),
            ("pаypal.com", "xn--pypal-4ve.com"),
        ] {
            assert_eq!(normalise(raw).as_deref(), Ok(want), "{raw}");
        }
        for bad in ["", ".", "a..b", "1.2.3.4", "a b.example", "ev*il.example", &"a".repeat(64)] {
            assert_eq!(normalise(bad), Err(Reason::BadDomain), "{bad}");
        }
    }

    #[test]
    fn the_notation_decides_the_scope() {
        let of = |raw| parse_scoped(raw, Scope::Exact).unwrap();
        assert_eq!(of("*.x.example"), ("x.example".into(), Scope::SubtreeNoApex));
        assert_eq!(of(".x.example"), ("x.example".into(), Scope::Subtree));
        assert_eq!(of("x.example"), ("x.example".into(), Scope::Exact));
    }

    #[test]
    fn public_suffixes_are_recognised() {
        for (name, want) in [
            ("com", Suffix::Icann),
            ("co.uk", Suffix::Icann),
            ("onion", Suffix::Icann),
            ("foo.ck", Suffix::Icann),
            ("www.ck", Suffix::None),
            ("github.io", Suffix::Private),
            ("evil.example", Suffix::None),
            ("shop.co.uk", Suffix::None),
        ] {
            assert_eq!(public_suffix(name), want, "{name}");
        }
        assert!(is_known_tld(b"com") && is_known_tld(b"onion") && is_known_tld(b"xn--p1ai"));
        assert!(
            is_known_tld(b"za")
                && is_known_tld(b"bd")
                && is_known_tld(b"ck")
                && is_known_tld(b"np")
        );
        assert!(!is_known_tld(b"orig_h") && !is_known_tld(b"exe") && !is_known_tld(b"h2"));
    }
}
