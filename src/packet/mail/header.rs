//! Headers of mails: addresses of people, the hosts that a mail came by, and text.

use super::words;
use crate::indicator::{Observable, Where, address};
use crate::packet::stream::Context;
use crate::packet::{Said, Visitor};

/// E-mail addresses of one header that are told.
const MOST_ADDRESSES: usize = 1024;

/// The address of a path, `FROM:<a@b> SIZE=1` without its verb. None for the empty one.
pub(in crate::packet) fn path(rest: &[u8]) -> Option<&[u8]> {
    let colon = memchr::memchr(b':', rest)?;
    let value = rest.get(colon + 1..)?.trim_ascii_start();
    let path = match value.strip_prefix(b"<") {
        Some(inner) => inner.get(..memchr::memchr(b'>', inner)?)?,
        None => value.split(|&b| b == b' ').next()?,
    };
    // A route in front of the address (RFC 5321, appendix C).
    let path = match path.first() {
        Some(b'@') => path.get(memchr::memchr(b':', path)? + 1..)?,
        _ => path,
    };
    path.contains(&b'@').then_some(path)
}

/// Name and value of a header.
pub(in crate::packet) fn split_header(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = field.split_at_checked(memchr::memchr(b':', field)?)?;
    let name = name.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|&b| b.is_ascii_graphic());
    is_name.then(|| (name, value.get(1..).unwrap_or_default().trim_ascii()))
}

/// What is in a header.
enum Contents {
    /// Addresses of people.
    People(Where),
    /// Hosts, and addresses of hosts.
    Hosts,
    /// What people or programs wrote.
    Text,
    /// Nothing that could be an indicator.
    Nothing,
}

impl Contents {
    fn of(name: &[u8]) -> Contents {
        let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()));
        if is(&["From", "Sender", "Reply-To", "Return-Path", "Resent-From"]) {
            return Contents::People(Where::MailFrom);
        }
        let to = ["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Delivered-To", "X-Original-To"];
        if is(&to) {
            return Contents::People(Where::MailTo);
        }
        if is(&["Received", "X-Received", "X-Originating-IP"]) {
            return Contents::Hosts;
        }
        if is(&["Errors-To", "Disposition-Notification-To"]) {
            return Contents::People(Where::SmtpHeader);
        }
        let of_part = name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case(b"Content-"));
        if is(&["Date", "MIME-Version"])
            || (of_part && !is(&["Content-Location", "Content-Base", "Content-Description"]))
        {
            return Contents::Nothing;
        }
        Contents::Text
    }
}

/// Tells of the addresses and the hosts in a header; its text, if it is one, goes to `text`.
pub(super) fn report<V: Visitor>(
    name: &[u8],
    value: &[u8],
    text: &mut Vec<u8>,
    context: &mut Context<'_, '_, V>,
) {
    let (packet, said) = (context.packet, Said::None);
    match Contents::of(name) {
        Contents::Nothing => {}
        Contents::Text if value.is_empty() => {}
        Contents::Text => {
            text.extend_from_slice(&words::decode(value));
            text.push(b'\n');
        }
        Contents::People(at) => {
            for email in emails(&words::decode(value)).take(MOST_ADDRESSES) {
                context.visitor.seen(Observable::Email(email), at, packet, said);
            }
        }
        Contents::Hosts => {
            let mut seen = |what| context.visitor.seen(what, Where::SmtpHeader, packet, said);
            emails(value).take(MOST_ADDRESSES).for_each(|email| seen(Observable::Email(email)));
            literals(value).for_each(|ip| seen(Observable::Address(ip, None)));
            hosts(value).take(MOST_ADDRESSES).for_each(|host| seen(Observable::Name(host)));
        }
    }
}

/// The names that hosts give themselves and each other in Received (RFC 5321, 4.4):
/// `from a.example (b.example [192.0.2.1]) by c.example`.
fn hosts(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let words = || {
        value
            .split(|&b| b <= b' ' || matches!(b, b';' | b',' | b')'))
            .filter(|word| !word.is_empty())
    };
    let is_host = |word: &&[u8]| {
        let is_of_name = |&b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        word.iter().all(is_of_name)
            && memchr::memchr(b'.', word).is_some_and(|at| at > 0 && at + 1 < word.len())
            && word.last().is_some_and(u8::is_ascii_alphabetic)
    };
    words()
        .skip(1)
        .zip(words())
        .filter_map(|(word, before)| {
            let is_after = |name: &str| before.eq_ignore_ascii_case(name.as_bytes());
            let inner = word.strip_prefix(b"(").map(|word| {
                let helo = word.get(..5).filter(|start| start.eq_ignore_ascii_case(b"helo="));
                word.get(helo.map_or(0, <[u8]>::len)..).unwrap_or(word)
            });
            inner.or_else(|| (is_after("from") || is_after("by")).then_some(word))
        })
        .filter(is_host)
}

/// What looks like an e-mail address: runs without spaces and brackets around an at.
fn emails(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value
        .split(|&b| b <= b' ' || matches!(b, b'<' | b'>' | b'(' | b')' | b',' | b';' | b'"' | b':'))
        .filter(|word| memchr::memchr(b'@', word).is_some_and(|at| at > 0 && at + 1 < word.len()))
}

/// The addresses in brackets by which hosts note where a mail came from.
fn literals(value: &[u8]) -> impl Iterator<Item = std::net::IpAddr> {
    value.split(|&b| b == b'[').skip(1).take(MOST_ADDRESSES).filter_map(|rest| {
        let inner = rest.get(..memchr::memchr(b']', rest)?)?;
        let inner = inner.strip_prefix(b"IPv6:").unwrap_or(inner);
        address::parse_ip(std::str::from_utf8(inner).ok()?).ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
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

    #[test]
    fn names_of_hosts() {
        let value = b"from a.example (b.example [192.0.2.1]) (helo=c.example)\r\n\
            by d.example (Postfix 1.2) with ESMTPS id 1A.2B for x; Mon, 1.May";
        let found: Vec<_> = hosts(value).map(String::from_utf8_lossy).collect();
        assert_eq!(found, ["a.example", "b.example", "c.example", "d.example"]);
    }

    #[test]
    fn addresses() {
        let value = b"\"A, B\" <a@b.example>, c@d.example (x@y), @no, no@, group:e@f.example;";
        let found: Vec<_> = emails(value).map(String::from_utf8_lossy).collect();
        assert_eq!(found, ["a@b.example", "c@d.example", "x@y", "e@f.example"]);
        let value = b"from x (y [192.0.2.1]) by z ([IPv6:2001:db8::1]) [no] [192.0.2.2";
        let found: Vec<_> = literals(value).map(|ip| ip.to_string()).collect();
        assert_eq!(found, ["192.0.2.1", "2001:db8::1"]);
    }
}
