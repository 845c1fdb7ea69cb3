//! The field of a structured line that a hit lies in, and the line's own time.
//!
//! This is asked only after a hit, so it may take its time; it never looks
//! further than the line. A line that is not what it seems has no fields.

use crate::indicator::{Kind, Timestamp};
use std::ops::Range;

/// What is known of a file's lines from its head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    /// The names in the `#fields` line of a Zeek log.
    zeek: Vec<String>,
    /// The separator that its `#separator` line names.
    separator: u8,
}

impl Format {
    /// Reads the head of a file.
    pub fn of_head(head: &[u8]) -> Format {
        let mut format = Format { zeek: Vec::new(), separator: b'\t' };
        for line in head.split(|&b| b == b'\n').take(32) {
            if !line.starts_with(b"#") {
                break;
            }
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if let Some(rest) = line.strip_prefix(b"#separator ") {
                let code = rest
                    .strip_prefix(b"\\x")
                    .and_then(|hex| u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok());
                format.separator = code.or(rest.first().copied()).unwrap_or(b'\t');
            } else if let Some(rest) = line.strip_prefix(b"#fields") {
                format.zeek = rest
                    .split(|&b| b == format.separator)
                    .skip(1)
                    .map(|name| String::from_utf8_lossy(name).into_owned())
                    .collect();
            }
        }
        format
    }

    /// The name of the field that the byte at `at` of `line` lies in: a path of keys
    /// in JSON (`dns.rrname`), a column of a Zeek log (`id.resp_h`), a key of
    /// `key=value`.
    pub fn field(&self, line: &[u8], at: usize) -> Option<String> {
        if at >= line.len() {
            return None;
        }
        if let Some(start) = line.iter().position(|b| !b.is_ascii_whitespace())
            && matches!(line[start], b'{' | b'[')
            && let Some(path) = json_path(line, at)
        {
            return (!path.is_empty()).then_some(path);
        }
        if !self.zeek.is_empty() && !line.starts_with(b"#") {
            let column = line[..at].iter().filter(|&&b| b == self.separator).count();
            return self.zeek.get(column).cloned();
        }
        key_before(line, at)
    }

    /// The time that the line itself carries.
    pub fn time(&self, line: &[u8]) -> Option<Timestamp> {
        let text = String::from_utf8_lossy(&line[..line.len().min(4096)]);
        if !self.zeek.is_empty()
            && let Some(column) = self.zeek.iter().position(|name| name == "ts")
        {
            let value = text.split(char::from(self.separator)).nth(column)?;
            return Timestamp::parse(value);
        }
        if text.trim_start().starts_with('{') {
            return json_time(&text);
        }
        let text = text.trim_start();
        let text = text.strip_prefix('<').and_then(|t| t.split_once('>')).map_or(text, |(_, t)| t);
        let text = text.strip_prefix("1 ").unwrap_or(text);
        let head = text.split([' ', '\t', '|', ';']).next().unwrap_or("");
        let head = head.trim_matches(['[', ']', '"', ',']);
        // `2024-05-01 12:00:00,123` has a blank inside and, from Java, a comma.
        let two = text.get(..19).filter(|t| t.as_bytes()[10] == b' ').and_then(Timestamp::parse);
        two.or_else(|| Timestamp::parse(head)).or_else(|| bracketed_time(text))
    }
}

/// Months as access logs write them.
const MONTHS: &[&str] =
    &["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// `[10/Oct/2000:13:55:36 -0700]`
fn bracketed_time(line: &str) -> Option<Timestamp> {
    let (_, rest) = line.split_once('[')?;
    let (inside, _) = rest.split_once(']')?;
    let (date, zone) = inside.split_once(' ').unwrap_or((inside, "+0000"));
    let mut parts = date.splitn(2, ':');
    let (day, clock) = (parts.next()?, parts.next()?);
    let mut day = day.split('/');
    let (day, month, year) = (day.next()?, day.next()?, day.next()?);
    let month = MONTHS.iter().position(|m| *m == month)? + 1;
    let (sign, digits) = zone.split_at_checked(1)?;
    let (hours, minutes) = digits.split_at_checked(2)?;
    Timestamp::parse(&format!("{year}-{month:02}-{day}T{clock}{sign}{hours}:{minutes}"))
}

/// The value of the first member that names a time, at any depth, as text.
fn json_time(line: &str) -> Option<Timestamp> {
    for key in [
        "\"timestamp\"",
        "\"@timestamp\"",
        "\"ts\"",
        "\"time\"",
        "\"event_time\"",
        "\"TimeCreated\"",
    ] {
        let Some(at) = line.find(key) else { continue };
        let rest = line[at + key.len()..].trim_start().strip_prefix(':')?.trim_start();
        let value = match rest.strip_prefix('"') {
            Some(text) => text.split('"').next()?,
            None => rest.split([',', '}', ' ']).next()?,
        };
        let value = value.strip_suffix("+0000").map_or(value.into(), |v| format!("{v}Z"));
        if let Some(time) = Timestamp::parse(&value) {
            return Some(time);
        }
        // Milliseconds since the epoch.
        if value.len() == 13 && value.bytes().all(|b| b.is_ascii_digit()) {
            return value.parse::<i64>().ok().map(|ms| Timestamp(ms * 1000));
        }
    }
    None
}

/// The keys that lead to the byte at `at` of a JSON text, joined by dots. `None`
/// where the text is no JSON up to there.
fn json_path(line: &[u8], at: usize) -> Option<String> {
    /// A level: an object with the key that was read last, or an array.
    struct Level {
        key: Option<Range<usize>>,
        is_object: bool,
        wants_key: bool,
    }
    let mut levels: Vec<Level> = Vec::new();
    let mut place = 0;
    while place < line.len() && place <= at {
        match line[place] {
            b'{' | b'[' => {
                let is_object = line[place] == b'{';
                levels.push(Level { key: None, is_object, wants_key: is_object });
                if levels.len() > 128 {
                    return None;
                }
            }
            b'}' | b']' => {
                levels.pop()?;
            }
            b',' => {
                let level = levels.last_mut()?;
                level.wants_key = level.is_object;
            }
            b'"' => {
                let end = string_end(line, place)?;
                let level = levels.last_mut()?;
                if level.wants_key {
                    level.key = Some(place + 1..end);
                    level.wants_key = false;
                    if at <= end {
                        // The hit lies in a key; the object is its field.
                        level.key = None;
                        break;
                    }
                } else if at <= end {
                    break;
                }
                place = end;
            }
            _ => {}
        }
        place += 1;
    }
    let mut path = String::new();
    for key in levels.iter().filter_map(|level| level.key.clone()) {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(&String::from_utf8_lossy(&line[key]));
    }
    Some(path)
}

/// Where the string that begins at `start` ends: its closing quote, or the end of a
/// line that was cut.
fn string_end(line: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    while at < line.len() {
        match line[at] {
            b'\\' => at += 2,
            b'"' => return Some(at),
            _ => at += 1,
        }
    }
    Some(line.len())
}

/// The key of `key=value` or `key="a value"` around the byte at `at`.
fn key_before(line: &[u8], at: usize) -> Option<String> {
    let is_key = |b: u8| b.is_ascii_alphanumeric() || b"_-.@".contains(&b);
    // Inside quotes if an odd number of them stands before; then the value begins
    // behind the last.
    let quotes = line[..at].iter().filter(|&&b| b == b'"').count();
    let value = if quotes % 2 == 1 {
        memchr::memrchr(b'"', &line[..at])?
    } else {
        let mut start = at;
        while start > 0 && !b" \t=,;\"'()<>[]{}|".contains(&line[start - 1]) {
            start -= 1;
        }
        start
    };
    let equals = value.checked_sub(1).filter(|&e| line[e] == b'=')?;
    let mut start = equals;
    while start > 0 && is_key(line[start - 1]) {
        start -= 1;
    }
    let before = start.checked_sub(1).map_or(b' ', |b| line[b]);
    // `?a=b&c=d` is a query, not a record.
    if start == equals || b"?&/".contains(&before) {
        return None;
    }
    Some(String::from_utf8_lossy(&line[start..equals]).into_owned())
}

/// The kinds that a digest in a field of this name can have. `None`: the name
/// says nothing, and every kind counts.
pub fn digest_kinds(field: &str) -> Option<&'static [Kind]> {
    let field = field.to_ascii_lowercase();
    let last = field.rsplit(['.', '_', '-', ' ']).next().unwrap_or(&field);
    let is_cert =
        ["cert", "fingerprint", "x509", "issuer", "tls", "ssl"].iter().any(|w| field.contains(w));
    Some(match last {
        _ if field.contains("imphash") => &[Kind::Imphash],
        _ if field.contains("ja3s") => &[Kind::Ja3s],
        _ if field.contains("ja3") => &[Kind::Ja3],
        _ if field.contains("hassh") => &[Kind::Hassh],
        _ if field.contains("jarm") => &[Kind::Jarm],
        "md5" if !is_cert => &[Kind::Md5],
        "sha1" if !is_cert => &[Kind::Sha1],
        "sha256" if !is_cert => &[Kind::Sha256],
        "sha512" if !is_cert => &[Kind::Sha512, Kind::Sha3_512],
        "md5" | "sha1" | "sha256" | "fingerprint" | "fp" => {
            &[Kind::CertMd5, Kind::CertSha1, Kind::CertSha256, Kind::SshKey]
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(format: &Format, line: &str, hit: &str) -> Option<String> {
        format.field(line.as_bytes(), line.find(hit).unwrap())
    }

    #[test]
    fn json() {
        let format = Format::of_head(b"");
        let line = r#"{"a":1,"dns":{"rrname":"evil.example","answers":[{"rdata":"192.0.2.1"}]},"id.resp_h":"192.0.2.2"}"#;
        assert_eq!(field(&format, line, "evil").as_deref(), Some("dns.rrname"));
        assert_eq!(field(&format, line, "192.0.2.1").as_deref(), Some("dns.answers.rdata"));
        assert_eq!(field(&format, line, "192.0.2.2").as_deref(), Some("id.resp_h"));
        assert_eq!(field(&format, "{\"a\": \"x\\\"y evil", "evil").as_deref(), Some("a"));
        assert_eq!(field(&format, "{evil}", "evil"), None);
    }

    #[test]
    fn zeek_and_pairs() {
        let head = b"#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\n#types\ttime\n1.0\tC\t192.0.2.1\n";
        let format = Format::of_head(head);
        let line = "1692697398.855000\tCx\t192.0.2.1";
        assert_eq!(field(&format, line, "192.0.2.1").as_deref(), Some("id.orig_h"));
        assert_eq!(format.time(line.as_bytes()), Some(Timestamp(1_692_697_398_855_000)));
        let none = Format::of_head(b"");
        assert_eq!(field(&none, "a=1 src=192.0.2.1 b=2", "192").as_deref(), Some("src"));
        assert_eq!(field(&none, "msg=\"to evil.example now\"", "evil").as_deref(), Some("msg"));
        assert_eq!(field(&none, "GET /x?host=evil.example", "evil"), None);
        assert_eq!(field(&none, "to evil.example", "evil"), None);
    }

    #[test]
    fn times() {
        let format = Format::of_head(b"");
        let want = Some(Timestamp(1_692_697_398_000_000));
        for line in [
            "2023-08-22T09:43:18Z host x",
            "2023-08-22 09:43:18,123 INFO x",
            "<34>1 2023-08-22T09:43:18Z host x",
            "192.0.2.1 - - [22/Aug/2023:11:43:18 +0200] \"GET /\"",
            r#"{"x":1,"timestamp":"2023-08-22T09:43:18.000000+0000"}"#,
            r#"{"ts":1692697398.0,"x":1}"#,
            r#"{"ts":1692697398000}"#,
        ] {
            assert_eq!(format.time(line.as_bytes()), want, "{line}");
        }
        assert_eq!(format.time(b"Aug 22 09:43:18 host sshd: x"), None);
    }
}
