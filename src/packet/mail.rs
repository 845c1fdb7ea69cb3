//! Headers of mails: addresses of people and of the hosts that a mail came by.

use super::stream::Context;
use super::{Said, Visitor};
use crate::indicator::{Observable, Where, address};

/// E-mail addresses of one header that are told.
const MOST_ADDRESSES: usize = 1024;

/// The address of a path, `FROM:<a@b> SIZE=1` without its verb. None for the empty one.
pub(super) fn path(rest: &[u8]) -> Option<&[u8]> {
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

/// Where the first header ends: in front of a line that does not go on with it.
/// `is_all`: nothing follows.
pub(super) fn header_end(data: &[u8], is_all: bool) -> Option<usize> {
    let is_empty_line = matches!(data, [b'\n', ..] | [b'\r', b'\n', ..]);
    for at in memchr::memchr_iter(b'\n', data) {
        match data.get(at + 1) {
            _ if is_empty_line => return Some(at + 1),
            Some(b' ' | b'\t') => {}
            Some(_) => return Some(at + 1),
            // The line of a lone dot is the last: nothing may follow it for long.
            None if is_all || data == b".\r\n" => return Some(at + 1),
            None => return None,
        }
    }
    is_all.then_some(data.len())
}

/// Name and value of a header.
pub(super) fn split_header(field: &[u8]) -> Option<(&[u8], &[u8])> {
    let (name, value) = field.split_at_checked(memchr::memchr(b':', field)?)?;
    let name = name.trim_ascii_end();
    let is_name = !name.is_empty() && name.iter().all(|&b| b.is_ascii_graphic());
    is_name.then(|| (name, value.get(1..).unwrap_or_default().trim_ascii()))
}

/// Tells of the addresses in a header.
pub(super) fn report_header<V: Visitor>(
    name: &[u8],
    value: &[u8],
    context: &mut Context<'_, '_, V>,
) {
    let is = |names: &[&str]| names.iter().any(|n| name.eq_ignore_ascii_case(n.as_bytes()));
    let at = if is(&["From", "Sender", "Reply-To", "Return-Path", "Resent-From"]) {
        Where::MailFrom
    } else if is(&["To", "Cc", "Bcc", "Resent-To", "Resent-Cc", "Delivered-To", "X-Original-To"]) {
        Where::MailTo
    } else if is(&[
        "Received",
        "X-Originating-IP",
        "X-Received",
        "Errors-To",
        "Disposition-Notification-To",
    ]) {
        Where::SmtpHeader
    } else {
        return;
    };
    let mut seen = |observable| context.visitor.seen(observable, at, context.packet, Said::None);
    for email in emails(value).take(MOST_ADDRESSES) {
        seen(Observable::Email(email));
    }
    if at == Where::SmtpHeader {
        for ip in literals(value) {
            seen(Observable::Address(ip, None));
        }
    }
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
    fn headers_and_their_ends() {
        let text = b"To: a,\r\n b\r\nFrom: c\r\n\r\n";
        assert_eq!(header_end(text, false), Some(12));
        assert_eq!(header_end(&text[..12], false), None, "it may go on");
        assert_eq!(header_end(&text[..12], true), Some(12));
        assert_eq!(header_end(&text[21..], false), Some(2));
        assert_eq!(header_end(b"To: a", true), Some(5));
        assert_eq!(split_header(b"To : a\r\n"), Some((&b"To"[..], &b"a"[..])));
        assert_eq!(split_header(b"RCPT TO:<a@b>"), None);
        assert_eq!(split_header(b"QUIT"), None);
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
