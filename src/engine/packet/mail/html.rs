//! Character references of HTML, undone as the text streams, so that
//! `http&#x3a;//a&period;example/?x&amp;y` is the URL that a reader would visit.
//! References to characters that are not seen are left out.

use crate::engine::progress::Walk;

/// The longest reference that is looked at, without its ampersand.
const MOST_REFERENCE: usize = 20;

/// References by name that can be in a URL, a name or an address. A name needs its
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

/// HTML on its way.
#[derive(Debug, Default)]
pub(super) struct References {
    /// A reference whose end has not come, with its ampersand.
    begun: Vec<u8>,
}

impl References {
    /// Appends the next bytes.
    pub(super) fn decode(&mut self, data: &[u8], out: &mut Vec<u8>) {
        let mut walk = Walk::over(data);
        while let Some((rest, &byte)) = walk.rest().and_then(|rest| Some((rest, rest.first()?))) {
            if self.begun.is_empty() {
                let at = memchr::memchr(b'&', rest);
                out.extend_from_slice(rest.get(..at.unwrap_or(rest.len())).unwrap_or(rest));
                self.begun.extend(at.map(|_| b'&'));
                walk.take(at.map_or(rest.len(), |at| at + 1));
                continue;
            }
            let is_of_it = match &self.begun[..] {
                [_] => byte.is_ascii_alphanumeric() || byte == b'#',
                [_, b'#'] => byte.is_ascii_digit() || matches!(byte, b'x' | b'X'),
                [_, b'#', b'x' | b'X', ..] => byte.is_ascii_hexdigit(),
                [_, b'#', ..] => byte.is_ascii_digit(),
                _ => byte.is_ascii_alphanumeric(),
            };
            if is_of_it && self.begun.len() <= MOST_REFERENCE {
                self.begun.push(byte);
                walk.take(1);
                continue;
            }
            let is_closed = byte == b';';
            walk.take(usize::from(self.resolve(is_closed, out) && is_closed));
        }
    }

    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if !self.begun.is_empty() {
            self.resolve(false, out);
        }
    }

    /// Appends what the reference stands for. If that is nothing, the reference
    /// itself; then it answers false.
    fn resolve(&mut self, is_closed: bool, out: &mut Vec<u8>) -> bool {
        let name = self.begun.get(1..).unwrap_or_default();
        let is_known = match name.strip_prefix(b"#") {
            Some(digits) => number(digits).is_some_and(|char| {
                if !matches!(char, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}') {
                    out.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes());
                }
                true
            }),
            None => {
                let found = NAMED.iter().find(|(other, _)| is_closed && other.as_bytes() == name);
                found.inspect(|(_, text)| out.extend_from_slice(text.as_bytes())).is_some()
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
    fn references() {
        for (text, want) in [
            ("http&#58;//a&#x2e;b&period;example/?x=1&amp;y=2", "http://a.b.example/?x=1&y=2"),
            ("e&shy;vil&#8203&#46ex&#x200b;ample", "evil.example"),
            ("a&b &nope; &amp &#; &#x; &#46", "a&b &nope; &amp &#; &#x; ."),
            ("&#1114112;&#0;&&amp;&", "\u{fffd}\u{fffd}&&&"),
            ("&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;", "&aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;"),
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
