//! Several values in a line or cell, separated by commas, semicolons, bars, tabs,
//! blanks or line breaks, with or without quotes.

use crate::engine::indicator::guess::guess;
use crate::engine::indicator::refang::refang;
use crate::engine::indicator::{Kind, Reason, Scope, address};
use std::borrow::Cow;

/// The length limit of a text that is tried as one value.
const MAX_WHOLE: usize = super::lines::MAX_VALUE;

/// Whether a text could be more than one value. A cheap check.
pub(super) fn may_be(text: &str) -> bool {
    text.bytes().any(|b| matches!(b, b',' | b';' | b'|' | b'\t' | b'\n' | b'\r' | b' '))
}

/// Whether a text contains a separator that never occurs in sentences.
fn has_separator(text: &str) -> bool {
    text.bytes().any(|b| matches!(b, b',' | b';' | b'|' | b'\t' | b'\n' | b'\r'))
}

/// The parts between separators, including blanks, without their quotes.
pub(super) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split([',', ';', '|', '\t', '\n', '\r', ' ']).map(bare).filter(|word| !word.is_empty())
}

/// A text without blanks and quotes around it.
fn bare(text: &str) -> &str {
    text.trim().trim_matches(['"', '\'']).trim()
}

/// Whether a text is one value of any kind.
fn is_value(text: &str) -> bool {
    text.len() <= MAX_WHOLE && guess(&refang(text), Scope::Exact).is_ok()
}

/// Whether a line contains only values, or one with a remark; for detection.
pub(super) fn is_values(line: &str) -> bool {
    if !may_be(line) {
        return is_value(line);
    }
    match reading(line, is_value) {
        Reading::One(text) => is_value(&text),
        Reading::Several(values) => {
            !values.is_empty() && values.iter().all(|value| is_value(value))
        }
        Reading::Noted(..) => true,
    }
}

/// Whether a line is a network with an invalid length or mask, which must be
/// reported.
pub(super) fn is_bad_network(line: &str) -> bool {
    line.len() <= MAX_WHOLE && guess(&refang(line), Scope::Exact) == Err(Reason::BadNetwork)
}

/// How to read a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reading<'t> {
    /// As one value.
    One(Cow<'t, str>),
    /// As several values, each accepted or rejected.
    Several(Vec<Cow<'t, str>>),
    /// As one value and a remark on it.
    Noted(Cow<'t, str>, &'t str),
}

/// Determines how to read a text. `is_one` decides whether something is a value as
/// it stands.
///
/// Blanks only separate if every word is a value, which is not the case in a sentence. URLs and
/// networks contain no blanks, so whatever follows one is a remark.
pub(super) fn reading<'t>(text: &'t str, is_one: impl Fn(&str) -> bool) -> Reading<'t> {
    if !may_be(text) {
        return Reading::One(Cow::Borrowed(text));
    }
    let is_one = |text: &str| text.len() <= MAX_WHOLE && is_one(text);
    // A URL may contain separators, with values after them.
    let is_certain = || !text.contains('/') || text.contains(char::is_whitespace);
    if is_one(text) && is_certain() {
        return Reading::One(Cow::Borrowed(text));
    }
    if let Some(net) = with_mask(text) {
        return Reading::One(Cow::Owned(net));
    }
    let tokens = tokens(text, &is_one);
    if let [only] = tokens[..] {
        return Reading::One(Cow::Borrowed(if is_one(only.text) { only.text } else { text }));
    }
    let values: Vec<bool> = tokens.iter().map(|token| is_one(token.text)).collect();
    let are_values =
        tokens.iter().zip(&values).all(|(token, is_value)| *is_value || is_joint(token.text));
    if are_values {
        let values = tokens.iter().zip(&values).filter(|(_, is_value)| **is_value);
        return Reading::Several(with_masks(values.map(|(token, _)| token.text)));
    }
    let others = values.iter().skip(1).any(|is_value| *is_value);
    if !has_separator(text) || !others {
        return match noted(text, &tokens, values.first() == Some(&true)) {
            Some(noted) => noted,
            None if has_separator(text) => parts(text, &tokens, &values),
            None => Reading::One(Cow::Borrowed(text)),
        };
    }
    parts(text, &tokens, &values)
}

/// Words between values in a sentence that merely lists them.
fn is_joint(word: &str) -> bool {
    const JOINTS: &[&str] =
        &["and", "or", "und", "oder", "&", "&&", "/", "+", "->", "=>", "\u{2192}"];
    JOINTS.iter().any(|joint| word.eq_ignore_ascii_case(joint))
}

/// A part of a text between separators.
#[derive(Clone, Copy, Debug)]
struct Token<'t> {
    text: &'t str,
    start: usize,
    end: usize,
    /// Whether there is more than a blank before it.
    is_apart: bool,
}

/// Whether a byte separates values and does not occur in them.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b',' | b';' | b'|')
}

/// Whether a byte separates words.
fn is_separator(byte: u8) -> bool {
    is_mark(byte) || matches!(byte, b'\t' | b'\n' | b'\r' | b' ')
}

/// Splits a text at its separators, except those inside URLs.
fn tokens<'t>(text: &'t str, is_one: &impl Fn(&str) -> bool) -> Vec<Token<'t>> {
    let bytes = text.as_bytes();
    let mut tokens = Vec::new();
    let (mut at, mut is_apart) = (0, false);
    while at < bytes.len() {
        if is_separator(bytes[at]) {
            is_apart |= bytes[at] != b' ';
            at += 1;
            continue;
        }
        let mut end = word_end(bytes, at);
        if end < bytes.len() && is_mark(bytes[end]) && is_url(bare(&text[at..end]), is_one) {
            end = url_end(text, at, end, is_one);
        }
        let token = bare(&text[at..end]);
        if !token.is_empty() {
            tokens.push(Token { text: token, start: at, end, is_apart });
            is_apart = false;
        }
        at = end;
    }
    tokens
}

/// The end of the word that begins here.
fn word_end(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().position(|&byte| is_separator(byte)).map_or(bytes.len(), |more| at + more)
}

/// Whether a word is a URL, which may continue after a comma, semicolon or bar.
fn is_url(word: &str, is_one: &impl Fn(&str) -> bool) -> bool {
    word.contains('/')
        && !word.starts_with('/')
        && is_one(word)
        && address::parse_net(&refang(word)).is_err()
}

/// The end of a URL whose first word ends at `end`: before the first comma,
/// semicolon or bar that is directly followed by a value. A list of values in a
/// parameter belongs to the URL: `?ids=a.example,b.example`.
fn url_end(text: &str, start: usize, mut end: usize, is_one: &impl Fn(&str) -> bool) -> usize {
    let bytes = text.as_bytes();
    let is_quoted = bytes[start] == b'"';
    let is_value = |word: &str| {
        !word.starts_with('/') && (word.contains("://") || !word.contains(['=', '?'])) && {
            let (_, ending) = word.rsplit_once('.').unwrap_or_default();
            !FILES.iter().any(|file| file.eq_ignore_ascii_case(ending)) && is_one(word)
        }
    };
    let parameter = text[start..end].rsplit(['/', '?', '&']).next().and_then(|last| {
        let (_, value) = last.rsplit_once('=')?;
        Some(value)
    });
    let mut is_list = parameter.is_some_and(is_value);
    while end < bytes.len() && is_mark(bytes[end]) && !(is_quoted && bytes[end - 1] == b'"') {
        let next = word_end(bytes, end + 1);
        let word = &text[end + 1..next];
        if word.is_empty() {
            match bytes.get(next) {
                Some(&byte) if is_mark(byte) => end = next,
                // A trailing comma belongs to the list.
                None if bytes[end] != b',' => return next,
                _ => return end,
            }
            continue;
        }
        let bare = bare(word);
        let is_next = is_value(bare);
        if word.starts_with('"') || bare.contains("://") && is_next || is_next && !is_list {
            return end;
        }
        is_list &= is_next;
        end = next;
    }
    end
}

/// File extensions that are also top-level domains.
const FILES: &[&str] = &["zip", "mov", "py", "sh", "ps"];

/// A URL or network with a remark after it.
fn noted<'t>(text: &'t str, tokens: &[Token<'t>], is_value: bool) -> Option<Reading<'t>> {
    let remark = |end: usize| {
        let is_idle =
            |c: char| c.is_whitespace() || matches!(c, ',' | ';' | '|' | '-' | '#' | '/' | ':');
        bare(text[end..].trim_start_matches(is_idle))
    };
    let [first, second, ..] = tokens else { return None };
    if is_value && first.text.contains('/') && !first.text.starts_with('/') {
        return Some(Reading::Noted(Cow::Borrowed(first.text), remark(first.end)));
    }
    let net = with_mask(text.get(first.start..second.end)?)?;
    Some(Reading::Noted(Cow::Owned(net), remark(second.end)))
}

/// The parts between separators, each a value or to be rejected.
fn parts<'t>(text: &'t str, tokens: &[Token<'t>], values: &[bool]) -> Reading<'t> {
    let mut found = Vec::new();
    let mut from = 0;
    while from < tokens.len() {
        let more = tokens[from + 1..].iter().position(|token| token.is_apart);
        let to = more.map_or(tokens.len(), |more| from + 1 + more);
        if values[from..to].iter().all(|is_value| *is_value) {
            found.extend(tokens[from..to].iter().map(|token| Cow::Borrowed(token.text)));
        } else {
            let is_url = values[from] && tokens[from].text.contains('/');
            if is_url {
                found.push(Cow::Borrowed(tokens[from].text));
            }
            let rest = from + usize::from(is_url);
            found.push(Cow::Borrowed(bare(&text[tokens[rest].start..tokens[to - 1].end])));
        }
        from = to;
    }
    Reading::Several(found)
}

/// Joins networks with the masks that follow them.
fn with_masks<'t>(values: impl Iterator<Item = &'t str>) -> Vec<Cow<'t, str>> {
    let mut found: Vec<Cow<'t, str>> = Vec::new();
    for value in values {
        let is_mask = value.starts_with("255.") && address::parse_mask(value).is_some();
        match found.last_mut() {
            Some(last) if is_mask && address::parse_v4(last.as_bytes()).is_some() => {
                *last = Cow::Owned(format!("{last}/{value}"));
            }
            _ => found.push(Cow::Borrowed(value)),
        }
    }
    found
}

/// Parses `203.0.113.0 255.255.255.0`, as routers write it.
fn with_mask(text: &str) -> Option<String> {
    if text.len() > 64 {
        return None;
    }
    let mut words = words(text);
    let (network, mask) = (words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    address::parse_v4(network.as_bytes())?;
    // `203.0.113.5 0.0.0.0` is at most two addresses, and `… 255.255.255.255` one.
    address::parse_mask(mask)?;
    Some(format!("{network}/{mask}"))
}

/// Whether values of a kind never contain separators.
pub(super) fn is_separable(kind: Kind) -> bool {
    matches!(kind, Kind::Ip | Kind::Net | Kind::Endpoint | Kind::Domain | Kind::Url | Kind::Email)
        || !kind.is_string() && !matches!(kind, Kind::UrlPath | Kind::Opaque)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(text: &str) -> Vec<String> {
        match reading(text, is_value) {
            Reading::One(one) => vec![one.to_string()],
            Reading::Several(several) => several.iter().map(|value| value.to_string()).collect(),
            Reading::Noted(value, note) => vec![value.to_string(), format!("({note})")],
        }
    }

    #[test]
    fn several_values_in_a_line_are_split() {
        for (text, want) in [
            ("evil.example", &["evil.example"][..]),
            ("a.example; b.example; 203.0.113.5", &["a.example", "b.example", "203.0.113.5"]),
            ("\"a.example\",\"b.example\"", &["a.example", "b.example"]),
            ("a.example b.example\t203.0.113.5", &["a.example", "b.example", "203.0.113.5"]),
            ("a.example|b.example", &["a.example", "b.example"]),
            ("203.0.113.5|8443", &["203.0.113.5|8443"]),
            ("a.example, seen in 2024, x", &["a.example", "seen in 2024", "x"]),
            ("a.example seen at b.example", &["a.example seen at b.example"]),
            ("http://a.example/x,y", &["http://a.example/x,y"]),
            (
                "http://a.example/x,y,http://b.example/z",
                &["http://a.example/x,y", "http://b.example/z"],
            ),
            ("http://a.example/x http://b.example/", &["http://a.example/x", "http://b.example/"]),
            ("http://a.example/?u=http://b.example/", &["http://a.example/?u=http://b.example/"]),
            (
                "hxxp://a.example/x; hxxp://b[.]example/",
                &["hxxp://a.example/x", "hxxp://b[.]example/"],
            ),
            ("203.0.113.0 - 203.0.113.255", &["203.0.113.0 - 203.0.113.255"]),
            ("203.0.113.0 255.255.255.0", &["203.0.113.0/255.255.255.0"]),
            ("203.0.113.0,0.0.0.255", &["203.0.113.0/0.0.0.255"]),
            ("203.0.113.5 203.0.113.6", &["203.0.113.5", "203.0.113.6"]),
            ("a@a.example, b@b.example", &["a@a.example", "b@b.example"]),
            (",a.example,,", &["a.example"]),
        ] {
            assert_eq!(split(text), want, "{text}");
        }
        for line in ["http://a.example/x malware", "203.0.113.0/24 SBL1", "http://a.example/x,y"] {
            assert!(is_values(line), "{line}");
        }
        assert!(is_values("a.example,203.0.113.5") && !is_values("a.example,x") && !is_values(","));
    }

    #[test]
    fn urls_end_where_values_begin() {
        let url = "http://evil2.example/b";
        for between in [
            ", ", ",", "; ", ";", " ; ", "|", " | ", "\t", " ", "  ", " and ", " / ", " & ", ",\t",
            " or ",
        ] {
            let text = format!("{url}{between}evil.example{between}203.0.113.77");
            assert_eq!(split(&text), [url, "evil.example", "203.0.113.77"], "{text}");
            let text = format!("203.0.113.0/24{between}198.51.100.0/25");
            assert_eq!(split(&text), ["203.0.113.0/24", "198.51.100.0/25"], "{text}");
            let text = format!("evil.example{between}{url}?a=1{between}{url}");
            assert_eq!(split(&text), ["evil.example", "http://evil2.example/b?a=1", url], "{text}");
            let text = format!("evil2.example/b{between}evil.example");
            assert_eq!(split(&text), ["evil2.example/b", "evil.example"], "{text}");
        }
        for (text, want) in [
            ("\"http://a.example/x,y\",\"malware\"", &["http://a.example/x,y", "(malware)"][..]),
            ("\"http://a.example/x\",\"b.example\"", &["http://a.example/x", "b.example"]),
            (
                "http://a.example/x, b.example, seen in 2024",
                &["http://a.example/x", "b.example", "seen in 2024"],
            ),
            ("hxxp://a[.]example/x,b[.]example", &["hxxp://a[.]example/x", "b[.]example"]),
            ("http://a.example/x,", &["http://a.example/x"]),
            ("http://a.example/x,MD,203.0.113.7", &["http://a.example/x,MD", "203.0.113.7"]),
            ("http://a.example/x?y=1,203.0.113.7", &["http://a.example/x?y=1", "203.0.113.7"]),
            ("http://a.example,203.0.113.7", &["http://a.example", "203.0.113.7"]),
            (
                "203.0.113.0 255.255.255.0 198.51.100.0 255.255.255.128",
                &["203.0.113.0/255.255.255.0", "198.51.100.0/255.255.255.128"],
            ),
            (
                "203.0.113.0/255.255.255.0, 198.51.100.9",
                &["203.0.113.0/255.255.255.0", "198.51.100.9"],
            ),
        ] {
            assert_eq!(split(text), want, "{text}");
        }
        // Values that contain separators.
        for text in [
            "http://a.example/x;jsessionid=1",
            "http://a.example/x|y",
            "http://a.example/a,b;c|d",
            "http://a.example/?q=b.example,c.example;d.example",
            "http://a.example/?ip=203.0.113.5,203.0.113.6",
            "http://a.example/x,/y/z",
            "http://a.example/x,setup.zip",
            "http://a.example/x?a=1&b.example",
            "http://a.example/x/203.0.113.5",
            "http://a.example/x,b=c.example",
            "http://a.example/x;",
        ] {
            assert_eq!(split(text), [text], "{text}");
        }
    }

    #[test]
    fn remarks_after_urls_and_networks() {
        for (text, value, note) in [
            ("203.0.113.0/24 REJECT", "203.0.113.0/24", "(REJECT)"),
            ("203.0.113.0/24 SBL123", "203.0.113.0/24", "(SBL123)"),
            ("203.0.113.0/24 AS64500", "203.0.113.0/24", "(AS64500)"),
            ("203.0.113.0/24 - c", "203.0.113.0/24", "(c)"),
            ("203.0.113.0/24 // c", "203.0.113.0/24", "(c)"),
            ("203.0.113.0/24|c", "203.0.113.0/24", "(c)"),
            ("203.0.113.0/24, some words", "203.0.113.0/24", "(some words)"),
            ("2001:db8::/32 REJECT", "2001:db8::/32", "(REJECT)"),
            ("203.0.113.0/255.255.255.0 bad", "203.0.113.0/255.255.255.0", "(bad)"),
            ("203.0.113.0 255.255.255.0 bad", "203.0.113.0/255.255.255.0", "(bad)"),
            ("http://evil.example/a malware", "http://evil.example/a", "(malware)"),
            ("http://evil.example/a\tphishing", "http://evil.example/a", "(phishing)"),
            ("http://evil.example/a, malware", "http://evil.example/a", "(malware)"),
            ("http://evil.example/a (seen in 2024)", "http://evil.example/a", "((seen in 2024))"),
            ("evil.example/a malware", "evil.example/a", "(malware)"),
        ] {
            assert_eq!(split(text), [value, note], "{text}");
        }
    }

    proptest::proptest! {
        /// The slow twin: every separator separately, one character at a time.
        #[test]
        fn nothing_is_lost(values in proptest::collection::vec(0usize..4, 1..12), seps in proptest::collection::vec(0usize..5, 12)) {
            const VALUES: [&str; 4] = ["evil.example", "203.0.113.5", "x@evil.example", "2001:db8::1"];
            const SEPARATORS: [&str; 5] = [",", "; ", "\t", " ", ", "];
            let mut text = String::new();
            for (at, value) in values.iter().enumerate() {
                if at > 0 {
                    text.push_str(SEPARATORS[seps[at]]);
                }
                text.push_str(VALUES[*value]);
            }
            let want: Vec<&str> = values.iter().map(|value| VALUES[*value]).collect();
            proptest::prop_assert_eq!(split(&text), want);
        }
    }
}
