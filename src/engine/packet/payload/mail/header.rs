//! Mail headers: addresses of people, hosts on the way of a mail, and text.

use super::words;
use crate::engine::indicator::{Observable, Where, address};
use crate::engine::packet::view::Report;
use crate::engine::packet::{ProtocolFacts, Visitor};
use crate::engine::progress::bound;
use std::collections::HashSet;

/// Bytes that end an e-mail address, those that end a host, and those of a host name.
const ENDS_EMAIL: u8 = 1;
const ENDS_HOST: u8 = 2;
const OF_HOST: u8 = 4;

/// The classes of each byte.
static CLASSES: [u8; 256] = {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        let byte = at as u8;
        table[at] = match byte {
            0..=b' ' | b'(' | b')' | b',' | b';' => ENDS_EMAIL | ENDS_HOST,
            b'<' | b'>' | b'"' | b':' => ENDS_EMAIL,
            b'-' | b'_' | b'.' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => OF_HOST,
            _ => 0,
        };
        at += 1;
    }
    table
};

fn is(byte: u8, class: u8) -> bool {
    CLASSES[usize::from(byte)] & class != 0
}

/// E-mail addresses of one header that are reported.
const MAX_ADDRESSES: usize = bound(1024, 4);

/// Those of them that are reported after comments were removed, in addition to the raw ones.
const MAX_HIDDEN: usize = bound(64, 4);

/// The address of a path, `FROM:<a@b> SIZE=1` without its verb. `None` for the empty one.
pub(in crate::engine::packet) fn path(rest: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', rest)?;
    let value = rest.get(colon + 1..)?.trim_ascii_start();
    let path = match value.strip_prefix(b"<") {
        Some(inner) => inner.get(..memchr::memchr(b'>', inner)?)?,
        None => value.split(|&b| b == b' ').next()?,
    };
    // A route before the address (RFC 5321, appendix C).
    let path = match path.first() {
        Some(b'@') => path.get(memchr::memchr(b':', path)? + 1..)?,
        _ => path,
    };
    path.contains(&b'@').then_some(path)
}

/// Name and value of a header.
pub(in crate::engine::packet) fn split_header(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = field.split_at_checked(memchr::memchr(b':', field)?)?;
    let name = name.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|&b| b.is_ascii_graphic());
    is_name.then(|| (name, value.get(1..).unwrap_or_default().trim_ascii()))
}

/// Initial capacity for the text of headers.
const FIRST_TEXT: usize = 512;

/// The contents of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Contents {
    /// Addresses of people.
    People(Where),
    /// Hosts, and addresses of hosts.
    Hosts,
    /// Text by people or programs.
    Text,
    /// Nothing that could be an indicator.
    Nothing,
}

impl Contents {
    fn of(name: &[u8]) -> Contents {
        const FROM: Contents = Contents::People(Where::MailFrom);
        const TO: Contents = Contents::People(Where::MailTo);
        let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()));
        // By length, so that few comparisons are needed.
        match name.len() {
            2 if is(&["To", "Cc"]) => TO,
            3 if is(&["Bcc"]) => TO,
            4 if is(&["From"]) => FROM,
            4 if is(&["Date"]) => Contents::Nothing,
            6 if is(&["Sender"]) => FROM,
            8 if is(&["Received"]) => Contents::Hosts,
            8 if is(&["Reply-To"]) => FROM,
            9 if is(&["Resent-To", "Resent-Cc"]) => TO,
            9 if is(&["Errors-To"]) => Contents::People(Where::SmtpHeader),
            10 if is(&["X-Received"]) => Contents::Hosts,
            10 if is(&["Resent-Bcc"]) => TO,
            11 if is(&["Return-Path", "Resent-From"]) => FROM,
            11 if is(&["Envelope-To"]) => TO,
            12 if is(&["MIME-Version"]) => Contents::Nothing,
            12 if is(&["Delivered-To"]) => TO,
            13 if is(&["Resent-Sender"]) => FROM,
            13 if is(&["X-Original-To"]) => TO,
            15 if is(&["Resent-Reply-To"]) => FROM,
            16 if is(&["X-Originating-IP"]) => Contents::Hosts,
            27 if is(&["Disposition-Notification-To"]) => Contents::People(Where::SmtpHeader),
            _ if !name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"Content-")) => {
                Contents::Text
            }
            _ if is(&["Content-Location", "Content-Base", "Content-Description"]) => Contents::Text,
            _ => Contents::Nothing,
        }
    }
}

/// Reports the addresses and hosts in a header; if it is text, it is appended to `text`.
pub(super) fn report<V: Visitor>(
    name: &[u8],
    value: &[u8],
    text: &mut Vec<u8>,
    to: &mut Report<'_, '_, V>,
) {
    let (packet, protocol_facts) = (to.packet, ProtocolFacts::None);
    match Contents::of(name) {
        // Where an external body can be fetched (RFC 2046, 5.2.3; RFC 2017).
        Contents::Nothing if has_external(name, value) => {
            text.extend(words::decode(value).iter().filter(|&&b| b != b'\t'));
            text.push(b'\n');
        }
        Contents::Nothing => {}
        Contents::Text if value.is_empty() => {}
        Contents::Text => {
            let value = words::decode(value);
            // Reserved once, because a buffer that grows with the first lines would be moved with
            // each of them.
            text.reserve(if text.capacity() == 0 { FIRST_TEXT } else { 0 }.max(value.len() + 1));
            text.extend_from_slice(&value);
            text.push(b'\n');
        }
        Contents::People(at) => {
            let value = words::decode(value);
            let mut seen =
                |email| to.visitor.seen(Observable::Email(email), at, packet, protocol_facts);
            emails(&value).take(MAX_ADDRESSES).for_each(&mut seen);
            if let Some(bare) = without_comments(&value) {
                let known: HashSet<_> = emails(&value).take(MAX_ADDRESSES).collect();
                let new = |email: &&[u8]| !known.contains(email);
                emails(&bare).take(MAX_ADDRESSES).filter(new).take(MAX_HIDDEN).for_each(seen);
            }
        }
        Contents::Hosts => {
            let mut seen = |what| to.visitor.seen(what, Where::SmtpHeader, packet, protocol_facts);
            emails(value).take(MAX_ADDRESSES).for_each(|email| seen(Observable::Email(email)));
            literals(value).for_each(|ip| seen(Observable::Address(ip, None)));
            hosts(value).take(MAX_ADDRESSES).for_each(seen);
        }
    }
}

/// Whether a header says that the body is elsewhere.
fn has_external(name: &[u8], value: &[u8]) -> bool {
    const KIND: &[u8] = b"message/external-body";
    name.eq_ignore_ascii_case(b"Content-Type")
        && value.get(..KIND.len()).is_some_and(|kind| kind.eq_ignore_ascii_case(KIND))
}

/// The names and addresses of hosts in Received (RFC 5321, 4.4): `from a.example (b.example
/// [192.0.2.1]) by c.example`, also without the brackets, and as other programs write it: `(HELO
/// a.example)`, `([192.0.2.1] helo=a.example)`. Also an address that is a whole header, as in
/// X-Originating-IP.
fn hosts(value: &[u8]) -> impl Iterator<Item = Observable<'_>> {
    let is_break = |b: u8| is(b, ENDS_HOST);
    let (mut at, mut before) = (0, &b""[..]);
    let words = std::iter::from_fn(move || {
        let start = at + value.get(at..)?.iter().position(|&b| !is_break(b))?;
        let rest = value.get(start..)?;
        let word = rest.split(|&b| is_break(b)).next()?;
        at = start + word.len();
        let is_all = word.len() == value.len();
        let is_first = start.checked_sub(1).and_then(|at| value.get(at)) == Some(&b'(');
        Some((std::mem::replace(&mut before, word), word, is_first || is_all))
    });
    words.filter_map(|(before, word, is_first)| {
        let is_after = |name: &str| before.eq_ignore_ascii_case(name.as_bytes());
        let helo = word.get(..5).filter(|start| {
            start.eq_ignore_ascii_case(b"helo=") || start.eq_ignore_ascii_case(b"ehlo=")
        });
        let is_host = is_first
            || helo.is_some()
            || ["from", "by", "helo", "ehlo"].iter().any(|b| is_after(b));
        let word = word.get(helo.map_or(0, <[u8]>::len)..).filter(|_| is_host)?;
        host(word)
    })
}

/// A host name with or without the last dot, or an address without brackets.
fn host(word: &[u8]) -> Option<Observable<'_>> {
    // Most are names, which end in a letter and contain no colon.
    let may_be_address = word.last().is_some_and(u8::is_ascii_digit) || word.contains(&b':');
    if may_be_address
        && let Ok(text) = std::str::from_utf8(word)
        && let Ok(address) = address::parse_ip(text)
    {
        return Some(Observable::Address(address, None));
    }
    let word = word.strip_suffix(b".").unwrap_or(word);
    let is_host = word.iter().all(|&b| is(b, OF_HOST))
        && memchr::memchr(b'.', word).is_some_and(|at| at > 0 && at + 1 < word.len())
        && word.last().is_some_and(u8::is_ascii_alphabetic);
    is_host.then_some(Observable::Name(word))
}

/// What looks like an e-mail address: runs without spaces and brackets around an at sign. The
/// local part may be a quoted string (RFC 5322, 3.4.1).
fn emails(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let is_break = |&b: &u8| is(b, ENDS_EMAIL);
    // The end of the last word that was examined.
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let sign = at + memchr::memchr(b'@', value.get(at..)?)?;
            let before = value.get(at..sign)?.iter().rposition(is_break);
            let start = before.map_or(at, |before| at + before + 1);
            // The sign itself does not end the word, so that each round makes progress.
            let length = value.get(sign + 1..)?.iter().position(is_break);
            at = length.map_or(value.len(), |length| sign + 1 + length);
            if start == sign {
                let quoted = value.get(..start)?.strip_suffix(b"\"").unwrap_or_default();
                let open = memchr::memrchr(b'"', quoted).filter(|_| sign + 1 < at);
                if let Some(open) = open {
                    return value.get(open..at);
                }
            } else if sign + 1 < at {
                return value.get(start..at);
            }
        }
    })
}

/// The value without comments and blanks at the signs of its addresses, if there are any: `a (b)
/// @ c.(d)example` (RFC 5322, 3.2.2 and 4.4). Comments elsewhere separate words.
fn without_comments(value: &[u8]) -> Option<Vec<u8>> {
    let is_blank = |byte: u8| matches!(byte, b' ' | b'\t');
    let mut signs = memchr::memchr_iter(b'@', value).peekable();
    signs.peek()?;
    if memchr::memchr(b'(', value).is_none()
        && !signs.any(|at| {
            let after = value.get(at + 1).is_some_and(|&byte| is_blank(byte));
            after || at.checked_sub(1).is_some_and(|at| is_blank(value[at]))
        })
    {
        return None;
    }
    let mut out = Vec::with_capacity(value.len());
    // An unterminated comment is not one, nor is any that follows: otherwise each would be
    // scanned to the end.
    let (mut rest, mut is_quoted, mut has_open) = (value, false, false);
    while let Some((&byte, after)) = rest.split_first() {
        match byte {
            b'\\' if is_quoted => {
                let length = rest.len().min(2);
                out.extend_from_slice(&rest[..length]);
                rest = &rest[length..];
                continue;
            }
            b'"' => is_quoted = !is_quoted,
            b'(' | b' ' | b'\t' if !is_quoted && !has_open => {
                let Some((after, has_comment)) = skip_comments(rest) else {
                    has_open = true;
                    continue;
                };
                rest = after;
                let is_sign = |byte: Option<&u8>| match byte {
                    Some(b'@') => true,
                    Some(b'.') => has_comment,
                    _ => false,
                };
                if !is_sign(out.last()) && !is_sign(rest.first()) {
                    out.push(b' ');
                }
                continue;
            }
            _ => {}
        }
        out.push(byte);
        rest = after;
    }
    Some(out)
}

/// What follows comments and blanks, and whether there were comments; `None` if one is
/// unterminated.
fn skip_comments(text: &[u8]) -> Option<(&[u8], bool)> {
    let (mut rest, mut depth, mut has_comment) = (text, 0_usize, false);
    while let Some((&byte, after)) = rest.split_first() {
        rest = match byte {
            b'(' => {
                (depth, has_comment) = (depth + 1, true);
                after
            }
            b')' if depth > 0 => {
                depth -= 1;
                after
            }
            b'\\' if depth > 0 => after.get(1..).unwrap_or_default(),
            b' ' | b'\t' => after,
            _ if depth > 0 => after,
            _ => break,
        };
    }
    (depth == 0).then_some((rest, has_comment))
}

/// The addresses in brackets by which hosts note the origin of a mail.
fn literals(value: &[u8]) -> impl Iterator<Item = std::net::IpAddr> {
    memchr::memchr_iter(b'[', value).take(MAX_ADDRESSES).filter_map(|at| {
        let inner = value.get(at + 1..)?.split(|&b| matches!(b, b'[' | b']')).next()?;
        value.get(at + 1 + inner.len()).filter(|&&end| end == b']')?;
        let inner = inner.strip_prefix(b"IPv6:").unwrap_or(inner);
        address::parse_ip(std::str::from_utf8(inner).ok()?).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn paths_of_commands_are_read() {
        for (rest, want) in [
            (" FROM:<a@b.example> SIZE=12", Some("a@b.example")),
            (" TO: <a@b.example>", Some("a@b.example")),
            (" TO:a@b.example ORCPT=x", Some("a@b.example")),
            (" TO:<@x.example,@y.example:a@b.example>", Some("a@b.example")),
            (" FROM:<>", None),
            (" FROM:<a", None),
            (" FROM", None),
        ] {
            assert_eq!(path(rest.as_bytes()), want.map(str::as_bytes), "{rest}");
        }
    }

    #[test]
    fn names_and_values() {
        assert_eq!(split_header(b"To : a\r\n"), Some((&b"To"[..], &b"a"[..])));
        assert_eq!(split_header(b"RCPT TO:<a@b>"), None);
        assert_eq!(split_header(b"QUIT"), None);
    }

    /// All known names, in any case.
    #[test]
    fn names_of_headers() {
        let (from, to) = (Contents::People(Where::MailFrom), Contents::People(Where::MailTo));
        let other = Contents::People(Where::SmtpHeader);
        for (names, want) in [
            ("From Sender Reply-To Return-Path Resent-From Resent-Sender Resent-Reply-To", from),
            ("To Cc Bcc Resent-To Resent-Cc Resent-Bcc Delivered-To", to),
            ("X-Original-To Envelope-To", to),
            ("Received X-Received X-Originating-IP", Contents::Hosts),
            ("Errors-To Disposition-Notification-To", other),
            ("Date MIME-Version Content-Type Content-X", Contents::Nothing),
            ("Content-Location Content-Base Content-Description Content Subject", Contents::Text),
        ] {
            for name in names.split(' ') {
                assert_eq!(Contents::of(name.as_bytes()), want, "{name}");
                assert_eq!(Contents::of(name.to_uppercase().as_bytes()), want, "{name}");
            }
        }
    }

    #[test]
    fn names_of_hosts() {
        let value = b"from a.example (b.example [192.0.2.1]) (helo=c.example)\r\n\
            by d.example (Postfix 1.2) with ESMTPS id 1A.2B for x; Mon, 1.May";
        assert_eq!(hosts_in(value), ["a.example", "b.example", "c.example", "d.example"]);
        for (value, want) in [
            (
                "from unknown (HELO a.example) (192.0.2.7) by 0 with SMTP",
                &["a.example", "192.0.2.7"][..],
            ),
            ("from [192.0.2.7] (port=9 helo=a.example) by b.example", &["a.example", "b.example"]),
            (
                "from a (b.example. [192.0.2.7]) by c.example. with ESMTP",
                &["b.example", "c.example"],
            ),
            (
                "from A.example (2001:db8::7) by b.example (2001:db8::8) id 1.2.3.4",
                &["A.example", "2001:db8::7", "b.example", "2001:db8::8"],
            ),
            ("by 2001:db8::9 with SMTP id x.y", &["2001:db8::9"]),
            ("192.0.2.8", &["192.0.2.8"]),
            ("from a (8.13.8/8.13.8) by b (Exim 4.92) with x.example", &[]),
        ] {
            assert_eq!(hosts_in(value.as_bytes()), want, "{value}");
        }
    }

    fn hosts_in(value: &[u8]) -> Vec<String> {
        hosts(value).map(crate::engine::packet::tests::text).collect()
    }

    #[test]
    fn comments_in_addresses() {
        for (value, want) in [
            ("evil(comment)@example.com", "evil@example.com"),
            ("Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>", "pete@silly.test"),
            (
                "a @ (x(y)z) b.(c) example , \"(d)@ e\"@f.example",
                "a@b.example|\"(d)@ e\"@f.example",
            ),
            ("see this. a (b) c@d.example", "c@d.example"),
        ] {
            let bare = without_comments(value.as_bytes()).unwrap();
            let found: Vec<_> = emails(&bare).map(String::from_utf8_lossy).collect();
            assert_eq!(found.join("|"), want, "{}", String::from_utf8_lossy(&bare));
        }
        for value in ["a <b@c.example>", "a (b)", "", "a b"] {
            assert_eq!(without_comments(value.as_bytes()), None, "{value}");
        }
        let open = without_comments(b"a@b.example (c(d (e").unwrap();
        assert_eq!(open, b"a@b.example (c(d (e".to_vec());
    }

    /// Word by word: the slow reference for [`emails`].
    fn slow_emails(value: &[u8]) -> Vec<&[u8]> {
        let is_break = |b: u8| b <= b' ' || b"<>(),;\":".contains(&b);
        let (mut found, mut at) = (Vec::new(), 0);
        while let Some(length) = value[at..].iter().position(|&b| !is_break(b)) {
            let start = at + length;
            let word = value[start..].split(|&b| is_break(b)).next().unwrap();
            at = start + word.len();
            match word.iter().position(|&b| b == b'@') {
                Some(0) => {
                    let quoted = value[..start].strip_suffix(b"\"").unwrap_or_default();
                    let open = quoted.iter().rposition(|&b| b == b'"');
                    found.extend(open.filter(|_| word.len() > 1).map(|open| &value[open..at]));
                }
                Some(place) if place + 1 < word.len() => found.push(word),
                _ => {}
            }
        }
        found
    }

    /// Piece by piece: the slow reference for [`literals`].
    fn slow_literals(value: &[u8]) -> Vec<std::net::IpAddr> {
        let pieces = value.split(|&b| b == b'[').skip(1);
        let inner = pieces.filter_map(|piece| {
            let inner = &piece[..piece.iter().position(|&b| b == b']')?];
            let inner = inner.strip_prefix(b"IPv6:").unwrap_or(inner);
            address::parse_ip(std::str::from_utf8(inner).ok()?).ok()
        });
        inner.collect()
    }

    proptest! {
        #[test]
        fn values_like_the_slow_twins(value in "([ab@\"<>,: .]{0,4}|\\[?192\\.0\\.2\\.1\\]?|\\[IPv6:2001:db8::1\\]){0,9}") {
            let value = value.as_bytes();
            prop_assert_eq!(emails(value).collect::<Vec<_>>(), slow_emails(value));
            prop_assert_eq!(literals(value).collect::<Vec<_>>(), slow_literals(value));
        }
    }

    #[test]
    fn addresses_of_a_header_are_read() {
        let value = b"\"A, B\" <a@b.example>, c@d.example (x@y), @no, no@, group:e@f.example;";
        let found: Vec<_> = emails(value).map(String::from_utf8_lossy).collect();
        assert_eq!(found, ["a@b.example", "c@d.example", "x@y", "e@f.example"]);
        let value = b"\"x\" <\"a b\"@c.example>, \"d\"@e.example, @no, \"no\" @no, \"@\"";
        let found: Vec<_> = emails(value).map(String::from_utf8_lossy).collect();
        assert_eq!(found, ["\"a b\"@c.example", "\"d\"@e.example"]);
        let value = b"from x (y [192.0.2.1]) by z ([IPv6:2001:db8::1]) [no] [192.0.2.2";
        let found: Vec<_> = literals(value).map(|ip| ip.to_string()).collect();
        assert_eq!(found, ["192.0.2.1", "2001:db8::1"]);
    }
}
