//! Undoes the ways in which reports defang values (feed specification, section
//! 4.1).
//!
//! Only for feeds and reports. Raw logs are never refanged: there a `[.]` is what
//! some program wrote.

use super::domain;
use std::borrow::Cow;
use std::ops::Range;

/// Refangs a text, idempotently: `refang(refang(x)) == refang(x)`.
///
/// The order is zero-width characters, schemes, `[://]` and its parts, dots, at
/// signs, and lone brackets next to a dot. Text without any sign of defanging is
/// borrowed.
pub fn refang(text: &str) -> Cow<'_, str> {
    if !is_suspect(text) {
        return Cow::Borrowed(text);
    }
    let mut current = text.to_string();
    // A step can produce what an earlier one looks for (`h[tt]p[:]//`), so the steps repeat until
    // nothing changes. What has not settled after eight rounds (a thousand brackets after a dot
    // would take a thousand) was not defanged by a person.
    for _ in 0..8 {
        let next = step(&current);
        if next == current {
            return Cow::Owned(current);
        }
        current = next;
    }
    Cow::Borrowed(text)
}

/// A cheap check for any sign of defanging.
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

/// Spellings of schemes, the longest first.
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

/// Replaces odd schemes that are followed by some form of `://`. Someone who writes
/// `http:\\` writes all slashes like that.
fn schemes(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut leans_back = false;
    while let Some(first) = rest.chars().next() {
        let at_boundary = !out.chars().next_back().is_some_and(char::is_alphanumeric);
        if at_boundary && let Some((len, straight)) = scheme_at(rest) {
            out.push_str(straight);
            out.push_str("://");
            leans_back = rest[..len].ends_with("\\\\");
            rest = &rest[len..];
            continue;
        }
        leans_back &= !first.is_whitespace() && !"\"'<>".contains(first);
        // `\.` is a dot.
        let is_slash = leans_back && first == '\\' && !rest[1..].starts_with('.');
        out.push(if is_slash { '/' } else { first });
        rest = &rest[first.len_utf8()..];
    }
    out
}

/// The length of a (possibly odd) scheme and its separator at the start of `text`,
/// and the real scheme. `None` for a plain `http://`.
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
            // `[hxxp://]evil.example` closes after the separator.
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

/// Whether a comma can only mean a dot: there are four groups of digits and nothing
/// else.
fn is_octets(text: &str) -> bool {
    let head = text.split([':', '/', ' ']).next().unwrap_or("");
    let groups: Vec<&str> = head.split([',', '.']).collect();
    groups.len() == 4
        && groups
            .iter()
            .all(|g| (1..=3).contains(&g.len()) && g.bytes().all(|b| b.is_ascii_digit()))
}

/// Replaces ` dot `, ` at ` and `_at_`, but only if both neighbours look like parts
/// of a host and the result ends in a real top-level domain.
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
    if !out.contains(' ') && ends_in_host(&out) { out } else { text.to_string() }
}

/// Whether the text after the last `@` or slash is a name under a real top-level
/// domain.
fn ends_in_host(text: &str) -> bool {
    let host = text.rsplit(['@', '/']).next().unwrap_or(text);
    domain::normalise(host).is_ok_and(|name| {
        name.contains('.') && domain::is_known_tld(domain::last_label(name.as_bytes()))
    })
}

/// Splits a line into words, and phrases that stand for a single word: `evil [.]
/// example`, `u at evil dot example`, `hxxp :// evil[.]example` (report
/// specification, section 5, kind 2). Returns each with the text for [`refang`].
pub fn phrases(line: &str) -> Vec<(Range<usize>, Cow<'_, str>)> {
    let mut words = Vec::new();
    let mut at = 0;
    for word in line.split(|c: char| c.is_ascii_whitespace()) {
        if !word.is_empty() {
            words.push(at..at + word.len());
        }
        at += word.len() + 1;
    }
    let mut phrases = Vec::with_capacity(words.len());
    let mut first = 0;
    while first < words.len() {
        let near = &words[first..words.len().min(first + MAX_WORDS)];
        let before = first.checked_sub(1).map_or("", |last| &line[words[last].clone()]);
        match phrase(line, near, before) {
            Some((len, joined)) => {
                phrases.push((near[0].start..near[len - 1].end, joined.into()));
                first += len;
            }
            None => {
                phrases.push((near[0].clone(), line[near[0].clone()].into()));
                first += 1;
            }
        }
    }
    phrases
}

/// The maximum number of words in a phrase: a mailbox with six labels.
const MAX_WORDS: usize = 16;

/// Words that precede a mailbox.
const BEFORE_MAILBOXES: &[&str] =
    &["mail", "email", "e-mail", "contact", "address", "from", "to", "sender", "or", "and"];

/// The phrase at the start of the words: their number, and the word that it stands
/// for.
fn phrase(line: &str, words: &[Range<usize>], before: &str) -> Option<(usize, String)> {
    let word = |at: usize| words.get(at).map(|word| &line[word.clone()]);
    let mut joined = word(0)?.to_string();
    let (mut len, mut is_spoken, mut is_mailbox) = (1, false, false);
    while let Some(next) = word(len) {
        let after = word(len + 1).filter(|word| begins_part(word));
        if let (Some(straight), Some(after)) = (joiner(next), after)
            && ends_part(&joined)
        {
            // Treat words as words, unless something else indicates a mailbox.
            let is_word = next.bytes().all(|b| b.is_ascii_alphabetic());
            is_mailbox |= is_word && straight == '@' && !looks_like_mailbox(&joined, before);
            is_spoken |= is_word || next.len() == 1;
            joined.push(straight);
            joined.push_str(after);
            len += 2;
        } else if goes_on(&joined, next) {
            joined.push_str(next);
            len += 1;
        } else {
            break;
        }
    }
    let core = joined.trim_matches(|c: char| ",;:!?'\"()<>.".contains(c));
    let is_host =
        || ends_in_host(&refang(core)) || super::address::parse_v4(core.as_bytes()).is_some();
    let is_obscured = |joined: &str| {
        let host = joined.rsplit('@').next().unwrap_or(joined);
        len > 3 || is_suspect(host.trim_end_matches([',', ')']))
    };
    let is_good = len > 1 && (!is_spoken || is_host()) && (!is_mailbox || is_obscured(&joined));
    is_good.then_some((len, joined))
}

/// The character that a word between two parts of a value stands for.
fn joiner(word: &str) -> Option<char> {
    const DOTS: &[&str] = &["dot", "[.]", "(.)", "{.}", "<.>", "[dot]", "(dot)", "{dot}", "[d]"];
    const ATS: &[&str] = &["at", "@", "[at]", "(at)", "{at}", "[@]", "(@)", "{@}"];
    let is_in = |words: &[&str]| words.iter().any(|known| known.eq_ignore_ascii_case(word));
    match (is_in(DOTS), is_in(ATS)) {
        (true, _) => Some('.'),
        (_, true) => Some('@'),
        _ => None,
    }
}

/// Whether the next word continues a value that was written with a blank next to a
/// bracketed dot or around `://`.
fn goes_on(joined: &str, next: &str) -> bool {
    const MARKS: &[&str] =
        &["[.]", "(.)", "{.}", "[dot]", "(dot)", "{dot}", "[at]", "(at)", "{at}", "[@]"];
    let is_scheme = |word: &str| {
        let word = word.trim_start_matches(['(', '"', '\'', '<']);
        let odd = SCHEMES.iter().map(|(odd, _)| *odd);
        odd.chain(["http", "https", "ftp"]).any(|known| known.eq_ignore_ascii_case(word))
    };
    let ends = |end: &str| joined.ends_with(end);
    let after_mark =
        || begins_part(next) && MARKS.iter().any(|mark| ends(mark) && joined.len() > mark.len());
    let before_mark = || {
        let lower = next.to_ascii_lowercase();
        let is_head = |mark: &str| lower.strip_prefix(mark).is_some_and(begins_part);
        ends_part(joined) && MARKS.iter().any(|mark| is_head(mark))
    };
    let after_separator =
        || begins_part(next) && ["://", ":\\\\", "[://]", ":]//"].iter().any(|end| ends(end));
    let before_separator = || {
        let head = joined.strip_suffix(':').unwrap_or(joined);
        let separates = match head.len() == joined.len() {
            true => [":", "[:", "[://"].iter().any(|start| next.starts_with(start)),
            false => next.starts_with("//") || next.starts_with("\\\\"),
        };
        separates && is_scheme(head)
    };
    after_mark() || before_mark() || after_separator() || before_separator()
}

fn begins_part(word: &str) -> bool {
    word.chars().next().is_some_and(char::is_alphanumeric)
}

fn ends_part(word: &str) -> bool {
    word.chars().next_back().is_some_and(|c| c.is_alphanumeric() || "_+-".contains(c))
}

/// Whether a word before ` at ` is more likely a user name than part of a sentence.
fn looks_like_mailbox(word: &str, before: &str) -> bool {
    let before = before.to_ascii_lowercase();
    word.contains(|c: char| c.is_ascii_digit() || "._+-".contains(c))
        || before.ends_with(':')
        || BEFORE_MAILBOXES.contains(&before.as_str())
}

/// Removes single brackets next to a dot: `evil[.example` and `evil.]example`. The
/// brackets of an IPv6 literal contain colons and are not next to a dot.
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
    fn every_way_of_defanging_is_undone() {
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
