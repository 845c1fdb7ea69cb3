//! HTML character references, decoded as the text streams, so that
//! `http&#x3a;//a&period;example/?x&amp;y` is the URL that a browser would open. References to
//! invisible characters are removed. So are line breaks and tabs in attributes that are URLs,
//! which browsers remove (WHATWG URL, 4.4).

use crate::engine::progress::{Walk, bound};

/// The longest URL from which line breaks are removed: a longer one may be unterminated.
const MAX_URL: usize = bound(16 << 10, 256);

/// Attributes that contain a URL.
const URLS: [&[u8]; 9] = [
    b"href",
    b"src",
    b"action",
    b"formaction",
    b"data",
    b"poster",
    b"background",
    b"ping",
    b"xlink:href",
];

/// The longest of their names.
const MAX_NAME: usize = 10;

/// The longest reference that is recognised, without its ampersand.
const MAX_REFERENCE: usize = 20;

/// Named references that can occur in a URL, a name or an address. A named reference needs its
/// semicolon, a number does not (HTML, 13.2.5.72 ff.).
const NAMED: &[(&str, &str)] = &[
    ("amp", "&"),
    ("AMP", "&"),
    ("lt", "<"),
    ("gt", ">"),
    ("quot", "\""),
    ("apos", "'"),
    ("nbsp", " "),
    ("Tab", "\t"),
    ("NewLine", "\n"),
    ("period", "."),
    ("sol", "/"),
    ("colon", ":"),
    ("commat", "@"),
    ("num", "#"),
    ("quest", "?"),
    ("equals", "="),
    ("lowbar", "_"),
    ("percnt", "%"),
    ("plus", "+"),
    ("comma", ","),
    ("semi", ";"),
    ("excl", "!"),
    ("dollar", "$"),
    ("ast", "*"),
    ("midast", "*"),
    ("lpar", "("),
    ("rpar", ")"),
    ("lsqb", "["),
    ("rsqb", "]"),
    ("bsol", "\\"),
    ("shy", ""),
    ("zwj", ""),
    ("zwnj", ""),
    ("ZeroWidthSpace", ""),
    ("NoBreak", ""),
];

/// The position in HTML, as far as it matters here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Text,
    /// After an angle bracket.
    Open,
    /// In a tag, between attributes.
    Tag,
    /// In the name of an attribute, or after it.
    Name,
    Named,
    /// After its equals sign.
    Equals,
    /// In its value, with the quote that ends it, if there is one.
    Value(Option<u8>),
}

/// The tag that is being parsed.
#[derive(Debug, Default)]
struct Tag {
    place: Place,
    /// The name of an attribute in lower case, and its length, which may exceed what is kept.
    name: [u8; MAX_NAME],
    length: usize,
    /// Bytes of the value that may still come, if it is a URL.
    left: usize,
}

impl Tag {
    /// Whether line breaks are removed here.
    fn is_url(&self) -> bool {
        matches!(self.place, Place::Value(_)) && self.left > 0
    }

    /// Takes the next byte.
    fn next(&mut self, byte: u8) {
        let is_blank = byte.is_ascii_whitespace();
        self.place = match (self.place, byte) {
            (Place::Value(Some(quote)), _) if byte == quote => Place::Tag,
            (Place::Value(Some(_)), _) => {
                self.left = self.left.saturating_sub(1);
                return;
            }
            (Place::Text, b'<') => Place::Open,
            (Place::Text, _) => return,
            (Place::Open, b'a'..=b'z' | b'A'..=b'Z' | b'/') => Place::Tag,
            (Place::Open, _) | (_, b'>') => Place::Text,
            (Place::Equals, b'"' | b'\'') => self.value(Some(byte)),
            (Place::Equals, _) if is_blank => return,
            (Place::Equals, _) => self.value(None),
            (Place::Value(None), _) if is_blank => Place::Tag,
            (Place::Value(None), _) => return,
            (Place::Name | Place::Named, b'=') => Place::Equals,
            (Place::Name, _) if is_blank => Place::Named,
            (Place::Name, b'/') => Place::Tag,
            (Place::Tag | Place::Named, _) if is_blank || byte == b'/' => return,
            (Place::Tag | Place::Named, _) => {
                self.length = 0;
                self.letter(byte);
                Place::Name
            }
            (Place::Name, _) => return self.letter(byte),
        };
    }

    fn letter(&mut self, byte: u8) {
        if let Some(place) = self.name.get_mut(self.length) {
            *place = byte.to_ascii_lowercase();
        }
        self.length = self.length.saturating_add(1);
    }

    fn value(&mut self, quote: Option<u8>) -> Place {
        let name = self.name.get(..self.length).unwrap_or_default();
        self.left = if quote.is_some() && URLS.contains(&name) { MAX_URL } else { 0 };
        Place::Value(quote)
    }
}

fn is_break(byte: u8) -> bool {
    matches!(byte, b'\t' | b'\n' | b'\r')
}

/// HTML in transfer.
#[derive(Debug, Default)]
pub(super) struct References {
    /// An incomplete reference, with its ampersand.
    begun: Vec<u8>,
    tag: Tag,
}

impl References {
    /// Appends the next bytes.
    pub(super) fn decode(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let mut walk = Walk::over(data);
        while let Some((rest, &byte)) = walk.rest().and_then(|rest| Some((rest, rest.first()?))) {
            if self.begun.is_empty() {
                walk.take(self.plain(byte, rest, out));
                continue;
            }
            let is_of_it = match &self.begun[..] {
                [_] => byte.is_ascii_alphanumeric() || byte == b'#',
                [_, b'#'] => byte.is_ascii_digit() || matches!(byte, b'x' | b'X'),
                [_, b'#', b'x' | b'X', ..] => byte.is_ascii_hexdigit(),
                [_, b'#', ..] => byte.is_ascii_digit(),
                _ => byte.is_ascii_alphanumeric(),
            };
            if is_of_it && self.begun.len() <= MAX_REFERENCE {
                self.begun.push(byte);
                walk.take(1);
                continue;
            }
            let is_closed = byte == b';';
            walk.take(usize::from(self.resolve(is_closed, out) && is_closed));
        }
    }

    /// Takes text without references; returns its length.
    fn plain(&mut self, byte: u8, rest: &[u8], out: &mut Vec<u8>) -> usize {
        if byte == b'&' {
            self.begun.push(byte);
            return 1;
        }
        let is_url = self.tag.is_url();
        // As much as is copied unchanged.
        let end = match self.tag.place {
            Place::Text => memchr::memchr2(b'&', b'<', rest),
            Place::Value(Some(quote)) if is_url => {
                rest.iter().position(|&byte| byte == quote || byte == b'&' || is_break(byte))
            }
            Place::Value(Some(quote)) => memchr::memchr2(b'&', quote, rest),
            _ => Some(0),
        };
        let length = end.unwrap_or(rest.len());
        if length > 0 {
            out.extend_from_slice(rest.get(..length).unwrap_or(rest));
            self.tag.left = self.tag.left.saturating_sub(length);
            return length;
        }
        if !(is_break(byte) && is_url) {
            out.push(byte);
        }
        self.tag.next(byte);
        1
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.begun.is_empty() {
            self.resolve(false, out);
        }
    }

    /// Appends the character of the reference. If there is none, appends the reference itself and
    /// returns false.
    fn resolve(&mut self, is_closed: bool, out: &mut Vec<u8>) -> bool {
        let is_url = self.tag.is_url();
        let is_left_out = |char: char| is_url && matches!(char, '\t' | '\n' | '\r');
        let name = self.begun.get(1..).unwrap_or_default();
        let is_known = match name.strip_prefix(b"#") {
            Some(digits) => number(digits).is_some_and(|char| {
                let is_seen =
                    !matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}');
                if is_seen && !is_left_out(char) {
                    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                true
            }),
            None => {
                let found = NAMED.iter().find(|(other, _)| is_closed && other.as_bytes() == name);
                let text = found.map(|(_, text)| *text);
                let shown = text.filter(|text| !text.chars().any(is_left_out));
                out.extend_from_slice(shown.unwrap_or_default().as_bytes());
                text.is_some()
            }
        };
        if !is_known {
            out.extend_from_slice(&self.begun);
        }
        self.begun.clear();
        is_known
    }
}

fn number(digits: &[u8]) -> Option<char> {
    let text = std::str::from_utf8(digits).ok()?;
    let code = match text.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => text.parse().ok()?,
    };
    Some(match code {
        0 => char::REPLACEMENT_CHARACTER,
        _ => char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn character_references_are_decoded() {
        for (text, want) in [
            ("http&#58;//a&#x2e;b&period;example/?x=1&amp;y=2", "http://a.b.example/?x=1&y=2"),
            ("e&shy;vil&#8203&#46ex&#x200b;ample", "evil.example"),
            ("a&b &nope; &amp &#; &#x; &#46", "a&b &nope; &amp &#; &#x; ."),
            ("&#1114112;&#0;&&amp;&", "\u{fffd}\u{fffd}&&&"),
            ("&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;"),
            // Line breaks in URLs, and nowhere else.
            ("<A HREF = 'ht\ttp://a.exam\r\nple/'>\nx", "<A HREF = 'http://a.example/'>\nx"),
            ("<a\nhref=\"a&#10;b&Tab;&NewLine;c\" alt=\"d\ne\">", "<a\nhref=\"abc\" alt=\"d\ne\">"),
            (
                "<img/src=\"a\nb\"><p title='a\nb' hrefs='c\nd'>",
                "<img/src=\"ab\"><p title='a\nb' hrefs='c\nd'>",
            ),
            ("1 < 2 href=\"a\nb\"", "1 < 2 href=\"a\nb\""),
            ("<a href=a\nb href=&amp;c\nsrc='d\n>e'>", "<a href=a\nb href=&c\nsrc='d>e'>"),
        ] {
            for cut in 0..=text.len() {
                let mut references = References::default();
                let mut out = Vec::new();
                let (a, b) = text.as_bytes().split_at(cut);
                references.decode(a, &mut out);
                references.decode(b, &mut out);
                references.finish(&mut out);
                assert_eq!(String::from_utf8_lossy(&out), want, "{text} cut at {cut}");
            }
        }
    }
}
