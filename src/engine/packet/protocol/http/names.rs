//! Names of the files in a message.

use super::lines::split_line;
use crate::engine::progress::bound;

/// The longest name that is reported.
const MAX_NAME: usize = bound(1 << 10, 32);

/// Parameters of one header that are examined.
const MAX_PARAMETERS: usize = bound(32, 4);

/// The file name of a Content-Disposition, without folders before it (RFC 6266, 4.3): `filename*`
/// takes precedence over `filename`, for which more is accepted than the grammar allows. `name`
/// is empty if there is none.
pub(in crate::engine::packet) fn disposition(value: &[u8], name: &mut Vec<u8>) {
    name.clear();
    for (key, quoted) in parameters(value) {
        if key.eq_ignore_ascii_case(b"filename*") {
            if extended(quoted, name) {
                break;
            }
        } else if key.eq_ignore_ascii_case(b"filename") && name.is_empty() {
            unquote(quoted, name);
        }
    }
    let folders = name.iter().rposition(|b| matches!(b, b'/' | b'\\')).map_or(0, |at| at + 1);
    name.drain(..folders);
    name.truncate(MAX_NAME);
}

/// The last segment of a URL's path, percent-decoded. `name` is empty if the URL ends in a slash,
/// or has no path.
pub(in crate::engine::packet) fn url(url: &[u8], name: &mut Vec<u8>) {
    name.clear();
    let end = url.iter().position(|b| matches!(b, b'?' | b'#')).unwrap_or(url.len());
    let path = url.get(..end).unwrap_or_default();
    let from = memchr::memmem::find(path, b"://").map_or(0, |at| at + 3);
    let path = path.get(from..).unwrap_or_default();
    if let Some(slash) = memchr::memrchr(b'/', path) {
        decode_percent(path.get(slash + 1..).unwrap_or_default(), name);
    }
    name.truncate(MAX_NAME);
}

/// A parameter of a header's value, without its quotes.
pub(in crate::engine::packet) fn parameter<'v>(value: &'v [u8], name: &[u8]) -> Option<&'v [u8]> {
    let (_, value) = parameters(value).find(|(key, _)| key.eq_ignore_ascii_case(name))?;
    Some(
        value.strip_prefix(b"\"").map_or(value, |value| value.strip_suffix(b"\"").unwrap_or(value)),
    )
}

/// The parameters after the first semicolon, including their quotes.
fn parameters(value: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut rest = memchr::memchr(b';', value).and_then(|at| value.get(at + 1..));
    std::iter::from_fn(move || {
        let (one, after) = split_parameter(rest?);
        rest = after;
        Some(one)
    })
    .take(MAX_PARAMETERS)
    .filter_map(|one| {
        let (key, value) = one.split_at_checked(memchr::memchr(b'=', one)?)?;
        Some((key.trim_ascii(), value.get(1..)?.trim_ascii()))
    })
}

/// Splits at the next semicolon outside quotes.
fn split_parameter(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let end = text.iter().position(|&byte| {
        let was_escaped = std::mem::take(&mut is_escaped);
        match byte {
            b'"' if !was_escaped => is_quoted = !is_quoted,
            b'\\' if is_quoted => is_escaped = !was_escaped,
            b';' if !is_quoted => return true,
            _ => {}
        }
        false
    });
    match end {
        Some(end) => (&text[..end], text.get(end + 1..)),
        None => (text, None),
    }
}

/// A quoted string or a token. A backslash is literal unless a quote or another backslash
/// follows: Windows paths are sent without escapes.
fn unquote(value: &[u8], out: &mut Vec<u8>) {
    let Some(inner) = value.strip_prefix(b"\"") else { return out.extend_from_slice(value) };
    let mut rest = inner.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        match byte {
            b'"' => return,
            b'\\' => out.push(rest.next_if(|b| matches!(b, b'"' | b'\\')).unwrap_or(b'\\')),
            _ => out.push(byte),
        }
    }
}

/// `UTF-8'en'a%20b` (RFC 8187, 3.2). Returns whether it has this form.
fn extended(value: &[u8], out: &mut Vec<u8>) -> bool {
    let value = value.trim_ascii();
    let value = value.strip_prefix(b"\"").map_or(value, |v| v.strip_suffix(b"\"").unwrap_or(v));
    let mut parts = value.splitn(3, |&b| b == b'\'');
    let (Some(charset), Some(_), Some(text)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let mut decoded = Vec::new();
    decode_percent(text, &mut decoded);
    out.clear();
    if charset.eq_ignore_ascii_case(b"ISO-8859-1") {
        let mut utf8 = [0; 4];
        for &byte in &decoded {
            out.extend_from_slice(char::from(byte).encode_utf8(&mut utf8).as_bytes());
        }
    } else {
        out.extend_from_slice(&decoded);
    }
    true
}

fn decode_percent(text: &[u8], out: &mut Vec<u8>) {
    let mut rest = text;
    while let [first, after @ ..] = rest {
        rest = after;
        let digits = after.first_chunk::<2>().filter(|_| *first == b'%');
        match digits.and_then(|digits| hex(digits[0]).zip(hex(digits[1]))) {
            Some((high, low)) => {
                out.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => out.push(*first),
        }
    }
}

fn hex(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).map(|digit| digit as u8)
}

/// The value of a header in a separate head, as of a part.
pub(super) fn header<'h>(head: &'h [u8], name: &[u8]) -> Option<&'h [u8]> {
    let mut rest = head;
    while let Some((line, after)) = split_line(rest) {
        rest = after;
        if let Some(colon) = memchr::memchr(b':', line)
            && let Some((key, value)) = line.split_at_checked(colon)
            && key.trim_ascii().eq_ignore_ascii_case(name)
        {
            return value.get(1..).map(<[u8]>::trim_ascii);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn file_names_of_dispositions_are_read() {
        for (value, want) in [
            ("attachment; filename=\"a b.exe\"", "a b.exe"),
            ("Attachment; FileName = plain.doc ; size=3", "plain.doc"),
            // RFC 6266, 5: the extended form takes precedence in any order.
            ("attachment; filename=\"EURO.txt\"; filename*=utf-8''%e2%82%ac%20rates", "€ rates"),
            ("attachment; filename*=UTF-8''a.exe; filename=b.exe", "a.exe"),
            ("inline; filename*=iso-8859-1'en'%A3", "£"),
            ("inline; filename*=broken; filename=b", "b"),
            ("form-data; name=\"a;b\"; filename=\"x;\\\"y\\\".zip\"", "x;\"y\".zip"),
            (r#"form-data; name="f"; filename="C:\Users\me\evil.exe""#, "evil.exe"),
            ("attachment; filename=\"../../etc/passwd\"", "passwd"),
            ("attachment; filename=\"open", "open"),
            ("attachment; filename=\"\"", ""),
            ("attachment", ""),
            ("", ""),
        ] {
            let mut name = b"before".to_vec();
            disposition(value.as_bytes(), &mut name);
            assert_eq!(String::from_utf8_lossy(&name), want, "{value}");
        }
    }

    #[test]
    fn names_in_urls() {
        for (text, want) in [
            ("http://a.example/b/c%20d.exe?e=/f#g", "c d.exe"),
            ("http://a.example/b/", ""),
            ("http://a.example", ""),
            ("http://a.example?x=/y", ""),
            ("/b/c%zz%4", "c%zz%4"),
            ("", ""),
        ] {
            let mut name = Vec::new();
            url(text.as_bytes(), &mut name);
            assert_eq!(String::from_utf8_lossy(&name), want, "{text}");
        }
    }

    #[test]
    fn parameters_are_found_in_any_case() {
        let value = b"multipart/form-data; charset=x; Boundary=\"a;b\"";
        assert_eq!(parameter(value, b"boundary"), Some(&b"a;b"[..]));
        assert_eq!(parameter(b"multipart/mixed; boundary=-x", b"boundary"), Some(&b"-x"[..]));
        assert_eq!(parameter(b"boundary=-x", b"boundary"), None);
        assert_eq!(
            header(b"A: b\r\ncontent-range : c \r\n\r\n", b"Content-Range"),
            Some(&b"c"[..])
        );
    }
}
