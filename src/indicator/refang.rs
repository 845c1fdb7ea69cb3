//! Undoing the ways in which reports defang values (section 4.1).
//!
//! For feeds and reports only. Raw logs are never refanged: there a `[.]` is
//! what somebody's program wrote.

use super::domain;
use std::borrow::Cow;

/// Undoes defanging, once and for all: `refang(refang(x)) == refang(x)`.
///
/// The order is zero-width characters, scheme, `[://]` and its parts, dots, at,
/// lone brackets beside a dot. Text without a mark of defanging is borrowed.
pub fn refang(text: &str) -> Cow<'_, str> {
    if !is_suspect(text) {
        return Cow::Borrowed(text);
    }
    let mut current = text.to_string();
    // A step can bring forth what an earlier one looks for (`h[tt]p[:]//`), so the
    // steps run until nothing changes. What has not settled by then (a thousand
    // brackets behind a dot would take a thousand steps) nobody has defanged.
    for _ in 0..8 {
        let next = step(&current);
        if next == current {
            return Cow::Owned(current);
        }
        current = next;
    }
    Cow::Borrowed(text)
}

/// Cheap: whether any mark of defanging can be there.
fn is_suspect(text: &str) -> bool {
    let bytes = text.as_bytes();
    !text.is_ascii()
        || bytes.iter().any(|b| b"[](){}<>\\ *,".contains(b))
        || text.contains("_at_")
        || text.contains("__")
        || text.contains("ttp//")
        || text.contains("ttps//")
        || has_odd_scheme(bytes)
}

fn has_odd_scheme(bytes: &[u8]) -> bool {
    SCHEMES.iter().any(|(odd, _)| {
        bytes.len() > odd.len() && bytes[..odd.len()].eq_ignore_ascii_case(odd.as_bytes())
    }) || memchr::memmem::find(bytes, b"xxp").is_some()
        || memchr::memmem::find(bytes, b"XXP").is_some()
        || memchr::memmem::find(bytes, b"XXp").is_some()
}

/// Spellings of schemes, longest first.
const SCHEMES: &[(&str, &str)] = &[
    ("h[tt]ps", "https"),
    ("h[tt]p", "http"),
    ("[https]", "https"),
    ("[http]", "http"),
    ("hxxps", "https"),
    ("hxtps", "https"),
    ("htxps", "https"),
    ("h**ps", "https"),
    ("hxxp", "http"),
    ("hxtp", "http"),
    ("htxp", "http"),
    ("h**p", "http"),
    ("meows", "https"),
    ("meow", "http"),
    ("fxps", "ftps"),
    ("fxp", "ftp"),
];

fn step(text: &str) -> String {
    let text: String = text
        .chars()
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{ad}' | '\u{feff}'))
        .collect();
    let text = schemes(&text);
    let text = separators(&text);
    let text = dots(&text);
    let text = word_forms(&text);
    lone_brackets(&text)
}

/// Replaces odd schemes where they are followed by some form of `://`.
fn schemes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let at_boundary = !out.chars().next_back().is_some_and(char::is_alphanumeric);
        if at_boundary && let Some((len, straight)) = scheme_at(rest) {
            out.push_str(straight);
            out.push_str("://");
            rest = &rest[len..];
            continue;
        }
        out.push(first);
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// The length of a (possibly odd) scheme with its separator at the head of
/// `text`, and the straight scheme. A plain `http://` gives none.
fn scheme_at(text: &str) -> Option<(usize, &'static str)> {
    let plain = [("https", "https"), ("http", "http"), ("ftp", "ftp")];
    let bracketed =
        text.starts_with('[') && !text.starts_with("[http]") && !text.starts_with("[https]");
    let body = if bracketed { &text[1..] } else { text };
    for (odd, straight) in SCHEMES.iter().chain(&plain) {
        let Some(head) = body.get(..odd.len()) else { continue };
        if !head.eq_ignore_ascii_case(odd) {
            continue;
        }
        let after = &body[odd.len()..];
        let Some(mut separator) = separator_len(after) else { continue };
        if bracketed {
            // `[hxxp://]evil.example` closes behind the separator.
            if !after[separator..].starts_with(']') {
                continue;
            }
            separator += 1;
        }
        let len = usize::from(bracketed) + odd.len() + separator;
        let straight_already = !bracketed && &after[..separator] == "://" && head == *straight;
        return (!straight_already).then_some((len, *straight));
    }
    None
}

/// The length of `://` in one of its disguises.
fn separator_len(text: &str) -> Option<usize> {
    const FORMS: &[&str] = &[
        "[:]//",
        "[://]",
        "[:]\\\\",
        "(:)//",
        "{:}//",
        ":[//]",
        ":[/][/]",
        "[:][/][/]",
        ":[/]/",
        ":\\\\",
        "://",
        "__",
        "[.]//",
        ": //",
        ":// ",
        " ://",
        " : //",
        "//",
    ];
    FORMS.iter().find(|form| text.starts_with(**form)).map(|form| {
        let mut len = form.len();
        while text[len..].starts_with(' ') && form.contains(':') {
            len += 1;
        }
        len
    })
}

fn separators(text: &str) -> String {
    let mut text = text.to_string();
    for (odd, straight) in
        [("[://]", "://"), ("[:]", ":"), ("[/]", "/"), ("[@]", "@"), ("(@)", "@"), ("{@}", "@")]
    {
        if text.contains(odd) {
            text = text.replace(odd, straight);
        }
    }
    for odd in ["[at]", "(at)", "{at}", "[AT]", "(AT)", "{AT}"] {
        if text.contains(odd) {
            let spaced = text.replace(&format!(" {odd} "), "@");
            text = spaced.replace(odd, "@");
        }
    }
    text
}

fn dots(text: &str) -> String {
    let mut text = text.to_string();
    for odd in [
        "[.]", "(.)", "{.}", "<.>", "[dot]", "(dot)", "{dot}", "[DOT]", "(DOT)", "{DOT}", "[d]",
        "\\.", "[,]",
    ] {
        if text.contains(odd) {
            text = text.replace(&format!(" {odd} "), ".").replace(odd, ".");
        }
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let before = out.chars().next_back();
        let digits = before.is_some_and(|c| c.is_ascii_digit())
            && chars.peek().is_some_and(char::is_ascii_digit);
        match char {
            '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => out.push('.'),
            '\u{30fb}' if before.is_some_and(|c| c.is_ascii_alphanumeric()) => out.push('.'),
            ',' if digits && is_octets(&text) => out.push('.'),
            other => out.push(other),
        }
    }
    out
}

/// Whether a comma can only be a dot: nothing but four groups of digits there.
fn is_octets(text: &str) -> bool {
    let head = text.split([':', '/', ' ']).next().unwrap_or("");
    let groups: Vec<&str> = head.split([',', '.']).collect();
    groups.len() == 4
        && groups
            .iter()
            .all(|g| (1..=3).contains(&g.len()) && g.bytes().all(|b| b.is_ascii_digit()))
}

/// ` dot `, ` at ` and `_at_`, only where both neighbours look like parts of a
/// host and the result ends in a real top-level domain.
fn word_forms(text: &str) -> String {
    const WORDS: &[(&str, &str)] =
        &[(" dot ", "."), (" DOT ", "."), (" at ", "@"), (" AT ", "@"), ("_at_", "@")];
    if !WORDS.iter().any(|(word, _)| text.contains(word)) {
        return text.to_string();
    }
    let mut out = text.to_string();
    for (word, straight) in WORDS {
        out = out.replace(word, straight);
    }
    let host = out.rsplit(['@', '/']).next().unwrap_or(&out);
    let good = !out.contains(' ')
        && domain::normalise(host).is_ok_and(|name| {
            name.contains('.') && domain::is_known_tld(domain::last_label(name.as_bytes()))
        });
    if good { out } else { text.to_string() }
}

/// `evil[.example` and `evil.]example`: a bracket beside a dot, without its twin.
/// The brackets of an IPv6 literal have colons between them and no dot beside.
fn lone_brackets(text: &str) -> String {
    if !text.contains("[.") && !text.contains(".]") {
        return text.to_string();
    }
    let text = if text.matches('[').count() > text.matches(']').count() {
        text.replace("[.", ".")
    } else {
        text.to_string()
    };
    if text.matches(']').count() > text.matches('[').count() {
        text.replace(".]", ".")
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variants() {
        for (odd, straight) in [
            ("hxxps://evil[.]example/a", "https://evil.example/a"),
            ("hXXp://evil.example", "http://evil.example"),
            ("htxp://evil(.)example", "http://evil.example"),
            ("meow://evil{.}example", "http://evil.example"),
            ("h[tt]p://evil<.>example", "http://evil.example"),
            ("h**p://evil[dot]example", "http://evil.example"),
            ("fxp://evil(dot)example", "ftp://evil.example"),
            ("[http]://evil.example", "http://evil.example"),
            ("http[:]//evil.example", "http://evil.example"),
            ("http[://]evil.example", "http://evil.example"),
            ("[hxxp://]evil.example", "http://evil.example"),
            ("http:\\\\evil.example", "http://evil.example"),
            ("http__evil.example", "http://evil.example"),
            ("http//evil.example", "http://evil.example"),
            ("http:// evil.example", "http://evil.example"),
            ("198[.]51[.]100[.]7", "198.51.100.7"),
            ("198,51,100,7", "198.51.100.7"),
            ("u[at]evil(dot)example", "u@evil.example"),
            ("u (at) evil (dot) example", "u@evil.example"),
            ("u at evil dot example", "u@evil.example"),
            ("evil\\.example", "evil.example"),
            ("evil[.example", "evil.example"),
            ("evil.]example", "evil.example"),
            ("ev\u{200b}il\u{3002}example", "evil.example"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
            ("http://[2001:db8::1]/x", "http://[2001:db8::1]/x"),
            ("https://a.example/x__y", "https://a.example/x__y"),
            ("look at this", "look at this"),
            ("evil.]]]]]]]]]]]]]]example", "evil.]]]]]]]]]]]]]]example"),
        ] {
            assert_eq!(refang(odd), straight, "{odd}");
            assert_eq!(refang(straight), straight, "idempotent: {odd}");
        }
    }
}
