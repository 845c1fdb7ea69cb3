//! A syslog message: RFC 5424, RFC 3164 and the variants of appliances.
//!
//! Everything borrows from the frame, and the work is linear in it. Every message can be read: what
//! is not where it should be is text.

use super::time::{Clock, header_time};
use crate::engine::indicator::Timestamp;
use memchr::{memchr, memchr2};
use std::borrow::Cow;

/// The facility of messages without a priority: user.
pub const DEFAULT_FACILITY: u8 = 1;

/// The severity of messages without a priority: notice.
pub const DEFAULT_SEVERITY: u8 = 5;

/// The longest tag of RFC 3164 that is recognised.
const MAX_TAG: usize = 128;

/// A message. What the sender left out is `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Message<'m> {
    /// 0 to 23.
    pub facility: u8,
    /// 0 (emergency) to 7 (debug).
    pub severity: u8,
    /// When it was written, according to the sender.
    pub time: Option<Timestamp>,
    /// HOSTNAME.
    pub host: Option<&'m [u8]>,
    /// APP-NAME, or the tag.
    pub app: Option<&'m [u8]>,
    /// PROCID.
    pub procid: Option<&'m [u8]>,
    /// MSGID.
    pub msgid: Option<&'m [u8]>,
    /// STRUCTURED-DATA unchanged: elements in brackets. Empty if there is none.
    pub data: &'m [u8],
    /// MSG, without a byte order mark.
    pub text: &'m [u8],
}

impl<'m> Message<'m> {
    /// Reads a frame. `clock` defines the current year, and the zone of times without one.
    pub fn parse(frame: &'m [u8], clock: &Clock) -> Message<'m> {
        let mut message = Message {
            facility: DEFAULT_FACILITY,
            severity: DEFAULT_SEVERITY,
            time: None,
            host: None,
            app: None,
            procid: None,
            msgid: None,
            data: b"",
            text: frame,
        };
        let Some((priority, rest)) = priority(frame) else {
            message.text = without_mark(frame);
            return message;
        };
        (message.facility, message.severity) = (priority / 8, priority % 8);
        if message.structured(rest, clock).is_none() {
            message.classic(rest, clock);
        }
        message.text = without_mark(message.text);
        message
    }

    /// RFC 5424, section 6: what follows the priority. `None` if it is something else.
    fn structured(&mut self, rest: &'m [u8], clock: &Clock) -> Option<()> {
        let digits = rest.iter().take(3).take_while(|byte| byte.is_ascii_digit()).count();
        let rest = rest.get(digits..)?.strip_prefix(b" ").filter(|_| digits > 0)?;
        let (time, rest) = field(rest);
        let time = match time {
            b"-" => None,
            stamp => Some(header_time(stamp, clock).filter(|found| found.length == stamp.len())?),
        };
        let ([host, app, procid, msgid], rest) = fields(rest);
        if rest.is_empty() {
            // STRUCTURED-DATA is mandatory: otherwise what was read may be words of a text.
            return None;
        }
        self.time = time.map(|found| found.time);
        (self.host, self.app) = (present(host), present(app));
        (self.procid, self.msgid) = (present(procid), present(msgid));
        let length = if rest.first() == Some(&b'-') { 1 } else { data_len(rest) };
        match rest.get(length) {
            // Invalid elements are text.
            Some(&next) if next != b' ' => self.text = rest,
            _ => {
                let (data, text) = rest.split_at_checked(length).unwrap_or((rest, b""));
                self.data = if data == b"-" { b"" } else { data };
                self.text = text.strip_prefix(b" ").unwrap_or(text);
            }
        }
        Some(())
    }

    /// RFC 3164, section 4.1: what follows the priority.
    fn classic(&mut self, rest: &'m [u8], clock: &Clock) {
        self.text = rest;
        let Some(found) = header_time(rest, clock) else {
            // No header at all: everything is text, including its tag.
            self.app = tag(rest).map(|tag| tag.name);
            return;
        };
        self.time = Some(found.time);
        let rest = rest.get(found.length..).unwrap_or_default();
        let rest = rest.strip_prefix(b":").unwrap_or(rest).trim_ascii_start();
        self.text = rest;
        if let Some(tag) = tag(rest) {
            // A sender that omits its name.
            self.tagged(&tag);
            return;
        }
        let (host, after) = field(rest);
        if !is_host(host) {
            return;
        }
        self.host = Some(host);
        // Without a tag after it, the name may be a word of the text, so it stays there.
        if let Some(tag) = tag(after.trim_ascii_start()) {
            self.tagged(&tag);
        }
    }

    fn tagged(&mut self, tag: &Tag<'m>) {
        (self.app, self.procid, self.text) = (Some(tag.name), tag.procid, tag.text);
    }

    /// The values of STRUCTURED-DATA: element, name and unescaped value.
    ///
    /// ```
    /// use wiresift::sensor::input::net::syslog::{Clock, Message};
    ///
    /// let frame = br#"<34>1 - h app - - [a@1 k="v" q="say \"x\""][b] text"#;
    /// let message = Message::parse(frame, &Clock::default());
    /// let values: Vec<_> = message.values().map(|value| value.2.into_owned()).collect();
    /// assert_eq!(values, [b"v".to_vec(), b"say \"x\"".to_vec()]);
    /// assert_eq!(message.text, b"text");
    /// ```
    pub fn values(&self) -> Values<'m> {
        Values { rest: self.data, element: b"" }
    }
}

/// The number of `<34>`, and what comes after it. Three digits at most, 191 at most.
fn priority(frame: &[u8]) -> Option<(u8, &[u8])> {
    let rest = frame.strip_prefix(b"<")?;
    let end = rest.iter().take(4).position(|&byte| byte == b'>').filter(|&end| end > 0)?;
    let (digits, rest) = rest.split_at_checked(end)?;
    let mut number: u16 = 0;
    for digit in digits {
        number = 10 * number + u16::from(digit.checked_sub(b'0').filter(|&digit| digit < 10)?);
    }
    Some((u8::try_from(number).ok().filter(|&number| number <= 191)?, rest.get(1..)?))
}

/// The text before the next space, and the text after it.
fn field(rest: &[u8]) -> (&[u8], &[u8]) {
    match memchr(b' ', rest) {
        Some(at) => (&rest[..at], &rest[at + 1..]),
        None => (rest, b""),
    }
}

fn fields<const N: usize>(mut rest: &[u8]) -> ([&[u8]; N], &[u8]) {
    let mut found = [&b""[..]; N];
    for place in &mut found {
        (*place, rest) = field(rest);
    }
    (found, rest)
}

/// A header field, or `None` for NILVALUE.
fn present(field: &[u8]) -> Option<&[u8]> {
    (!field.is_empty() && field != b"-").then_some(field)
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// Whether a word may be a host name or an address.
fn is_host(word: &[u8]) -> bool {
    let is_of_name = |&byte: &u8| byte.is_ascii_alphanumeric() || b".-_:/%".contains(&byte);
    !word.is_empty() && word.len() <= 255 && word.iter().all(is_of_name)
}

/// `name[procid]: text` or `name: text`.
struct Tag<'m> {
    name: &'m [u8],
    procid: Option<&'m [u8]>,
    text: &'m [u8],
}

fn tag(rest: &[u8]) -> Option<Tag<'_>> {
    let head = &rest[..rest.len().min(MAX_TAG)];
    let end = head.iter().position(|byte| b"[: ".contains(byte)).filter(|&end| end > 0)?;
    let (name, mut after) = rest.split_at_checked(end)?;
    let mut procid = None;
    if let Some(inside) = after.strip_prefix(b"[") {
        let close = inside[..inside.len().min(MAX_TAG)].iter().position(|&b| b == b']')?;
        let (number, rest) = inside.split_at_checked(close)?;
        (procid, after) = (present(number), rest.get(1..)?);
    }
    let text = after.strip_prefix(b":")?;
    // `10:20` and `::1` are not tags: the colon is not followed by a space.
    if !matches!(text.first(), None | Some(b' ' | b'\t')) {
        return None;
    }
    Some(Tag { name, procid, text: text.strip_prefix(b" ").unwrap_or(text) })
}

/// The length of the elements at the beginning of `rest`. 0 if there are none.
fn data_len(rest: &[u8]) -> usize {
    let mut at = 0;
    while rest.get(at) == Some(&b'[') {
        match element_len(&rest[at..]) {
            Some(length) => at += length,
            None => break,
        }
    }
    at
}

/// The length of an element, including both brackets; `None` if it has no end.
fn element_len(element: &[u8]) -> Option<usize> {
    let mut at = 1;
    let mut is_quoted = false;
    loop {
        let byte = *element.get(at)?;
        match byte {
            // In a value a backslash escapes three characters, and is literal before others.
            b'\\' if is_quoted => at += 1,
            b'"' => is_quoted = !is_quoted,
            b']' if !is_quoted => return Some(at + 1),
            _ => {}
        }
        at += 1;
    }
}

/// See [`Message::values`].
#[derive(Clone, Debug)]
pub struct Values<'m> {
    rest: &'m [u8],
    element: &'m [u8],
}

impl<'m> Iterator for Values<'m> {
    /// SD-ID, PARAM-NAME and PARAM-VALUE.
    type Item = (&'m [u8], &'m [u8], Cow<'m, [u8]>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.rest.first()? {
                b'[' => {
                    let end = self.rest.iter().position(|byte| b" ]".contains(byte))?;
                    self.element = &self.rest[1..end];
                    self.rest = &self.rest[end..];
                }
                b' ' | b']' => self.rest = &self.rest[1..],
                _ => {
                    let equals = memchr(b'=', self.rest)?;
                    let (name, value) = self.rest.split_at_checked(equals)?;
                    let value = value.strip_prefix(b"=\"")?;
                    let end = value_len(value)?;
                    self.rest = value.get(end + 1..)?;
                    return Some((self.element, name, unescape(&value[..end])));
                }
            }
        }
    }
}

/// The position of the quote that ends a value.
fn value_len(value: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', value.get(at..)?)?;
        if value.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

fn unescape(value: &[u8]) -> Cow<'_, [u8]> {
    if memchr(b'\\', value).is_none() {
        return Cow::Borrowed(value);
    }
    let mut plain = Vec::with_capacity(value.len());
    let mut bytes = value.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match bytes.peek() {
            Some(&escaped) if byte == b'\\' && b"\"\\]".contains(&escaped) => {
                plain.push(escaped);
                bytes.next();
            }
            _ => plain.push(byte),
        }
    }
    Cow::Owned(plain)
}

#[cfg(test)]
mod tests;
