//! Mails in files: recognises the first bytes of a mail (RFC 5322), alone or in a mailbox (mbox,
//! RFC 4155).
//!
//! File names say nothing: mails are stored in maildirs under numbers, and as `.eml`, `.mht` or
//! `.txt`. A log whose lines look like `Name: value` is still a log: a mail must have several
//! headers of mails, and repeat none that mails have once. Crafted mails repeat some of them to
//! evade a reader; they are recognised by headers that logs don't have.

/// Headers of mails: the name, whether other texts seldom have it, and whether a mail has it only
/// once.
const HEADERS: [(&[u8], bool, bool); 16] = [
    (b"From", true, true),
    (b"To", true, true),
    (b"Subject", true, true),
    (b"Date", false, true),
    (b"Received", true, false),
    (b"Message-ID", true, true),
    (b"MIME-Version", true, true),
    (b"Content-Type", false, true),
    (b"Content-Transfer-Encoding", true, true),
    (b"Return-Path", true, false),
    (b"Delivered-To", true, false),
    (b"Reply-To", true, true),
    (b"Cc", true, false),
    (b"DKIM-Signature", true, false),
    (b"X-Original-To", true, false),
    (b"ARC-Seal", true, false),
];

/// Headers that logs don't have, even if they are about mails, by index in [`HEADERS`].
const NEVER_IN_LOGS: u32 = 1 << 4 | 1 << 6 | 1 << 8 | 1 << 13;

/// Whether these are the first bytes of a mail or of a mailbox.
pub(super) fn is_mail(head: &[u8]) -> bool {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let (first, rest) = line(head);
    let (head, (first, rest)) =
        if is_count_line(first) { (rest, line(rest)) } else { (head, (first, rest)) };
    let (is_box, rest) = if is_from_line(first) { (true, rest) } else { (false, head) };
    let Some(known) = headers(rest) else { return false };
    let is_there = |at: usize| known & 1 << at != 0;
    let count = known.count_ones();
    let strong = (0..HEADERS.len()).any(|at| is_there(at) && HEADERS[at].1);
    strong && count >= if is_box { 1 } else { 2 }
}

/// Whether a line begins a mail in a mailbox: `From`, the sender, and the time (RFC 4155, appendix
/// A; programs write the time differently, but all of them have it).
pub fn is_from_line(line: &[u8]) -> bool {
    let Some(rest) = line.strip_prefix(b"From ") else { return false };
    if rest.len() > 512 {
        return false;
    }
    let mut words = rest.split(|&b| b == b' ').filter(|word| !word.is_empty());
    let Some(_) = words.next() else { return false };
    let is_time = |word: &[u8]| {
        word.len() >= 5 && word[2] == b':' && word.iter().all(|b| b.is_ascii_digit() || *b == b':')
    };
    words.take(8).any(|word| is_time(word.trim_ascii_end()))
}

/// Whether a line is the one before a mail of Apple Mail (`.emlx`): its length in bytes, padded
/// with spaces. A property list follows the mail.
pub fn is_count_line(line: &[u8]) -> bool {
    let digits = line.trim_ascii_end();
    matches!(digits.len(), 1..=10) && digits.iter().all(u8::is_ascii_digit)
}

/// A line without its end, and what follows.
fn line(text: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr::memchr(b'\n', text).unwrap_or(text.len());
    let line = &text[..end];
    (line.strip_suffix(b"\r").unwrap_or(line), text.get(end + 1..).unwrap_or_default())
}

/// Which of the headers occur before an empty line or the end; `None` if these are not headers of a
/// mail.
fn headers(text: &[u8]) -> Option<u32> {
    let (mut known, mut rest) = (0, text);
    let (mut is_first, mut is_doubled) = (true, false);
    while !rest.is_empty() {
        let is_cut = !rest.contains(&b'\n');
        let (header, after) = line(rest);
        rest = after;
        match header {
            [] => break,
            [b' ' | b'\t', ..] if !is_first => {}
            _ => match name(header) {
                Some(name) => is_doubled |= add(name, header, &mut known)?,
                // The head ends within a name.
                None if is_cut && !is_first => {}
                None => return None,
            },
        }
        is_first = false;
    }
    (!is_doubled || known & NEVER_IN_LOGS != 0).then_some(known)
}

/// The name of a header (RFC 5322, 2.2): printed characters up to a colon.
fn name(header: &[u8]) -> Option<&[u8]> {
    let name = &header[..memchr::memchr(b':', header)?];
    let name = name.trim_ascii_end();
    let is_name = !name.is_empty() && name.len() <= 76 && name.iter().all(u8::is_ascii_graphic);
    is_name.then_some(name)
}

/// Records a header, and whether it was repeated though it should occur only once; `None` if it
/// would not be in a mail.
fn add(name: &[u8], header: &[u8], known: &mut u32) -> Option<bool> {
    let at = HEADERS.iter().position(|(other, ..)| name.eq_ignore_ascii_case(other));
    let Some(at) = at else { return Some(false) };
    let (bit, is_single) = (1 << at, HEADERS[at].2);
    // A log repeats its names, and writes its dates for machines.
    let is_log = HEADERS[at].0 == b"Date" && is_iso_date(&header[name.len()..]);
    let is_doubled = is_single && *known & bit != 0;
    *known |= bit;
    (!is_log).then_some(is_doubled)
}

fn is_iso_date(value: &[u8]) -> bool {
    let value = value.trim_ascii_start();
    let value = value.strip_prefix(b":").unwrap_or(value).trim_ascii_start();
    value.len() > 4 && value[..4].iter().all(u8::is_ascii_digit) && !value[4].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mails_are_recognised() {
        for head in [
            "From: a@b.example\r\nTo: c@d.example\r\nSubject: x\r\n\r\nBody\r\n",
            "Received: from a.example\r\n\tby b.example; Tue, 24 Nov 2026 04:15:41 +0000\r\n\
             From: a@b.example\r\n\r\n",
            "\u{feff}Subject: x\nMIME-Version: 1.0\n\nBody: no header\nSubject: again\n",
            "From MAILER-DAEMON Fri Jul  8 12:08:34 2011\nFrom: a@b.example\n\nx\n",
            "From a@b.example Tue Nov 24 04:15 2026\nSubject: x\n\n",
            // Saved by a browser.
            "From: <Saved by Blink>\r\nSnapshot-Content-Location: https://x.example/\r\n\
             Subject: x\r\nDate: Tue, 24 Nov 2026 04:15:41 -0000\r\nMIME-Version: 1.0\r\n\
             Content-Type: multipart/related;\r\n\ttype=\"text/html\"\r\n\r\n",
            // The head ends before the headers do.
            "Return-Path: <a@b.example>\nX-Spam: no\nReceived: from a.example\nX-Very-L",
            "message-id: <x@y>\nfrom: a@b.example\n\n",
            "From: a@b.example\nFrom: c@d.example\nMIME-Version: 1.0\n\n",
            "Received: from a.example\nSubject: x\nSubject: y\n\n",
        ] {
            assert!(is_mail(head.as_bytes()), "{head}");
        }
    }

    #[test]
    fn logs_are_no_mails() {
        for head in [
            "",
            "\n",
            "From: a@b.example\n",
            "From here on everything is different\nSubject: x\n",
            "From 203.0.113.5 to 203.0.113.6\nFrom: x\n",
            "Date: 2026-11-24\nFrom: 203.0.113.5\nTo: 203.0.113.6\n\nDate: 2026-11-24\n",
            "From: a\nTo: b\nFrom: c\nTo: d\n",
            "Error: no route\nWarning: 203.0.113.5\n",
            "Host: a.example\nUser-Agent: x\nContent-Type: text/html\nDate: Tue, 24 Nov 2026\n",
            "HTTP/1.1 200 OK\nDate: Tue, 24 Nov 2026 04:15:41 GMT\nContent-Type: text/html\n\n",
            "INVITE sip:a@b.example SIP/2.0\nFrom: <sip:a@b.example>\nTo: <sip:c@d.example>\n",
            "From: a@b.example\nTo: c@d.example\nno header\n",
            " From: a@b.example\nTo: c@d.example\n\n",
        ] {
            assert!(!is_mail(head.as_bytes()), "{head}");
        }
    }
}
