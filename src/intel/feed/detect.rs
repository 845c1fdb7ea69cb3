//! Detects the format of a file from its content, never from its name, and rejects
//! what is not a feed at all.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::guess::guess;
use crate::engine::indicator::{Scope, address};
use crate::intel::feed::format::{
    abusech, adblock, dnsmasq, drop, hosts, ipsum, loki, maltrail, netset, resolver, rpz, suricata,
    table,
};
use crate::intel::feed::lines::{self, Line, Lines};
use crate::intel::feed::{Format, json, several};

/// The number of lines with values to inspect.
const SAMPLE: usize = 200;
/// The number of bytes of a text to inspect; of JSON, only the first record counts.
const HEAD: usize = 1 << 18;

/// The first bytes of files that are not text, and what they are.
const MAGIC: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF document"),
    (b"\x7fELF", "a program"),
    (b"MZ\x90", "a program"),
    (b"\xd4\xc3\xb2\xa1", "a packet capture"),
    (b"\xa1\xb2\xc3\xd4", "a packet capture"),
    (b"\x0a\x0d\x0d\x0a", "a packet capture"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x89PNG", "a picture"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (super::open::DATABASE, "a compiled database"),
];

impl Format {
    /// Detects the format from a file's content, or from its beginning: a quarter
    /// of a megabyte is enough for text, the first record for JSON.
    ///
    /// # Errors
    ///
    /// It is empty, HTML, binary, STIX 1.x, or of an unknown format.
    pub fn detect(head: &[u8]) -> Result<Format> {
        refuse(head)?;
        of_text(&lines::text(head))
    }
}

/// Rejects what is not a feed of any format.
pub(super) fn refuse(bytes: &[u8]) -> Result<()> {
    let blank = |b: &u8| b.is_ascii_whitespace();
    if bytes.iter().all(blank) || bytes == [0xef, 0xbb, 0xbf] {
        return Err(Error::format("the file is empty")
            .remedy("fetch it again; an empty response usually is a failed download"));
    }
    if let Some((_, what)) = MAGIC.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        let remedy = match bytes.starts_with(super::open::DATABASE) {
            true => "pass it as --db, or give the feeds that it was compiled from",
            false => "unpack it, or give the file of indicators itself",
        };
        return Err(
            Error::format(format!("this is {what}, not a list of indicators")).remedy(remedy)
        );
    }
    let head = &bytes[..bytes.len().min(8192)];
    let wide = matches!(head, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]);
    if !wide && memchr::memchr(0, head).is_some() {
        return Err(Error::format("this is a binary file, not a list of indicators")
            .remedy("give the text, JSON or CSV form of the feed"));
    }
    let text = String::from_utf8_lossy(&bytes[..bytes.len().min(1024)]);
    let text = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    if ["<!doctype html", "<html", "<head", "<body", "<script"].iter().any(|t| text.starts_with(t))
    {
        return Err(Error::format("this is an HTML page, not a list of indicators").remedy(
            "open its address in a browser: it is usually a login, an error or a moved page",
        ));
    }
    if text.starts_with("<?xml") || text.starts_with("<stix:") {
        return Err(if text.contains("stix") {
            stix1()
        } else {
            Error::format("XML is not a supported feed format")
                .remedy("ask the provider for JSON, CSV or a plain list")
        });
    }
    Ok(())
}

/// The error for STIX 1.x, in either of its syntaxes.
fn stix1() -> Error {
    Error::format("this is STIX 1.x, which is not supported")
        .remedy("ask for STIX 2.1, or convert it with the stix2-elevator of OASIS")
}

/// The format of an allow list: a plain list if one of its values has an expiry.
pub(super) fn of_allow_list(text: &str) -> Result<Format> {
    let has_end = |line: &str| match lines::parse(line) {
        Line::Value(value, _) => {
            value.split_whitespace().nth(1).is_some_and(|t| t.starts_with("until="))
        }
        _ => false,
    };
    let is_list = !json::starts(text) && Lines::new(text).any(|(_, line)| has_end(line));
    if is_list { Ok(Format::Lines) } else { of_text(text) }
}

/// Detects the format of a text that was not rejected.
pub(super) fn of_text(text: &str) -> Result<Format> {
    let text = text.trim_start_matches('\u{feff}');
    if json::starts(text) {
        return of_json(text);
    }
    let text = lines::cut(text, HEAD);
    if let Some(format) = by_comments(text) {
        return Ok(format);
    }
    let sample: Vec<&str> = Lines::new(text)
        .filter_map(|(_, line)| match lines::parse(line) {
            Line::Value(..) => Some(line.trim()),
            _ => None,
        })
        .take(SAMPLE)
        .collect();
    if sample.is_empty() {
        // Only comments: a list with no entries today.
        return Ok(Format::Lines);
    }
    // `sep=` only occurs before a table.
    if table::separator_line(text).is_some() {
        return Ok(Format::Table);
    }
    if sample.iter().all(|line| is_misp_hash(line)) {
        return Err(Error::format(
            "this is the hashes.csv of a MISP feed: hashes of its values, not of files",
        )
        .remedy("give the folder that contains it"));
    }
    if table::delimiter(text).is_some_and(|delimiter| table::is_header(sample[0], delimiter)) {
        return Ok(Format::Table);
    }
    if table::delimiter(text).is_some_and(|delimiter| table::has_ports(text, delimiter)) {
        return Ok(Format::Table);
    }
    // Formats with a strict form come first; nearly every text with separators could be a table.
    by_lines(&sample).or_else(|| by_table(text, &sample)).map_or_else(|| unknown(&sample), Ok)
}

/// Detects formats by the comments at the top.
fn by_comments(text: &str) -> Option<Format> {
    let head = || Lines::new(text).take(40).map(|(_, line)| line.trim());
    if head().any(|line| line.starts_with("#fields") && line.contains("indicator_type")) {
        return Some(Format::Zeek);
    }
    if head().any(|line| line.starts_with("[Adblock")) {
        return Some(Format::Adblock);
    }
    if head().any(|line| line.starts_with('#') && line.contains("IPsum"))
        && Lines::new(text).any(|(_, line)| ipsum::is_entry(line))
    {
        return Some(Format::Ipsum);
    }
    // Before the general test below, which this header also passes.
    if head().any(|line| line.contains("LOKI File Name")) {
        return Some(Format::LokiNames);
    }
    if head().any(|line| line.starts_with('#') && line.contains("LOKI")) {
        return Some(Format::Loki);
    }
    if maltrail::is_trails(text) {
        return Some(Format::Maltrail);
    }
    if abusech::is_export(text) {
        return Some(Format::AbuseCh);
    }
    netset::is_netset(text).then_some(Format::Netset)
}

/// Detects formats whose form nine out of ten lines have.
fn by_lines(sample: &[&str]) -> Option<Format> {
    // Each form with the number of lines out of ten that must have it. Formats that
    // allow other lines between their entries need fewer. The first that fits is taken.
    type IsEntry = fn(&str) -> bool;
    const FORMS: &[(Format, IsEntry, usize)] = &[
        (Format::Hosts, hosts::is_entry, 9),
        (Format::Ipsum, ipsum::is_entry, 9),
        (Format::Drop, drop::is_entry, 9),
        (Format::Iprep, suricata::is_iprep_entry, 9),
        (Format::Dataset, suricata::is_string_entry, 6),
        (Format::Adblock, adblock::is_entry, 5),
        (Format::Dnsmasq, dnsmasq::is_entry, 5),
        (Format::Resolver, resolver::is_entry, 6),
        (Format::Rpz, rpz::is_entry, 5),
        (Format::Loki, is_loki, 8),
        (Format::LokiNames, loki::is_name_entry, 8),
        (Format::Squid, is_dotted, 5),
    ];
    // Lists for DNS filters mix filters with plain names and lines of hosts files.
    if sample.iter().any(|line| adblock::is_entry(line))
        && sample.iter().filter(|line| adblock::may_be_between_entries(line)).count() * 10
            >= sample.len() * 9
    {
        return Some(Format::Adblock);
    }
    let tenths =
        |test: IsEntry| sample.iter().filter(|line| test(line)).count() * 10 / sample.len();
    FORMS.iter().find(|(_, test, need)| tenths(*test) >= *need).map(|(format, ..)| *format)
}

/// Whether a line is `md5,uuid`.
fn is_misp_hash(line: &str) -> bool {
    line.split_once(',').is_some_and(|(digest, uuid)| {
        digest.len() == 32
            && uuid.len() == 36
            && digest.bytes().all(|b| b.is_ascii_hexdigit())
            && uuid.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-')
            && uuid.bytes().filter(|b| *b == b'-').count() == 4
    })
}

/// Whether a line is a digest or other value with a description, and not followed
/// by more values.
fn is_loki(line: &str) -> bool {
    // `203.0.113.0;24` is a network in a table, not an address with a remark.
    let is_length = |remark: &str| {
        let length = remark.trim().trim_start_matches('/');
        length.len() <= 2 && length.parse::<u8>().is_ok_and(|length| length <= 32)
            || address::parse_mask(length).is_some()
    };
    let is_net = line.split_once(';').is_some_and(|(value, remark)| {
        is_length(remark) && address::parse_ip(value.trim()).is_ok()
    });
    loki::is_entry(line) && !is_net && !several::is_values(line)
}

/// Whether a line is a name with a dot before it, as squid writes domains with
/// their subdomains.
fn is_dotted(line: &str) -> bool {
    line.strip_prefix('.').is_some_and(|rest| guess(rest, Scope::Exact).is_ok())
}

/// Detects tables and lists with one value per line.
fn by_table(text: &str, sample: &[&str]) -> Option<Format> {
    if table::delimiter(text).is_some_and(|delimiter| table::has_nets(text, delimiter)) {
        return Some(Format::Table);
    }
    let values = sample
        .iter()
        .filter(|line| match lines::parse(line) {
            Line::Value(value, _) => several::is_values(value) || several::is_bad_network(value),
            _ => false,
        })
        .count();
    // Real lists contain a few malformed lines, which must be reported and not change the format.
    if values * 10 >= sample.len() * 8 {
        return Some(Format::Lines);
    }
    if let Some(delimiter) = table::delimiter(text) {
        let named = table::is_header(sample[0], delimiter)
            || Lines::new(text).take(40).any(|(_, line)| {
                matches!(lines::parse(line), Line::Comment(c) if table::is_header(c, delimiter))
            });
        if named || table::is_guessable(text, delimiter) {
            return Some(Format::Table);
        }
    }
    (values * 2 >= sample.len()).then_some(Format::Lines)
}

/// The error for an unknown format, quoting the first line so that a login page or
/// an error message is recognised.
fn unknown(sample: &[&str]) -> Result<Format> {
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    Err(Error::format(format!(
        "unknown format; the first line is “{}”",
        lines::cut(sample.first().copied().unwrap_or(""), 60)
    ))
    .remedy(format!(
        "if it holds indicators, name its format (--as with compile, format in \
         wiresift.toml): {}",
        names.join(", ")
    )))
}

/// Detects the format of JSON from the names of its first record's members.
fn of_json(text: &str) -> Result<Format> {
    let shape = json::Shape::of(json::past_comments(text));
    let has = |name: &str| shape.has(name);
    let inner = |name: &str| shape.has_inner(name);
    if has("stix_header") || shape.says("STIXPackage") {
        return Err(stix1());
    }
    if has("wiresift") {
        return Ok(Format::Wiresift);
    }
    if has("sblid") && has("cidr") {
        return Ok(Format::Drop);
    }
    if has("Event") || has("response") || has("Attribute") || has("Object") {
        return Ok(Format::Misp);
    }
    if has("list") && has("type") && has("name") {
        return Ok(Format::Warninglist);
    }
    if shape.says("bundle") && has("objects")
        || has("objects")
        || has("pattern") && has("type")
        || has("spec_version")
        || shape.is_empty_object()
    {
        return Ok(Format::Stix);
    }
    let pulse = has("indicators") && (has("name") || has("id") || has("tlp") || has("TLP"));
    let page = has("results") && (has("next") || inner("indicators"));
    if pulse || page {
        return Ok(Format::Otx);
    }
    if (has("$schema") || inner("$schema") || has("id")) && has("properties") {
        return Err(Error::format("this is a JSON Schema, not a list of indicators")
            .remedy("give the data that it describes"));
    }
    if inner("Orgc") && !has("indicator") {
        return Err(Error::format(
            "this is the manifest of a MISP feed, which lists no indicators",
        )
        .remedy("give the folder that contains it"));
    }
    Ok(Format::Json)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ErrorKind;

    #[test]
    fn refusals_say_what_and_how() {
        for (bytes, what) in [
            (&b""[..], "empty"),
            (b" \r\n", "empty"),
            (b"<!DOCTYPE html><html>", "HTML"),
            (b"\xef\xbb\xbf  <html lang=en>", "HTML"),
            (b"PK\x03\x04rest", "zip"),
            (b"\x89wsdb\r\n\n\0", "compiled database"),
            (b"abc\0def", "binary"),
            (b"<?xml version='1.0'?><stix:STIX_Package", "STIX 1.x"),
            (b"<?xml version='1.0'?><rss>", "XML"),
            (b"{\"id\":\"x:STIXPackage-1\",\"version\":\"1.1.1\"}", "STIX 1.x"),
            (b"It was a dark night.\nIt rained.\nNothing else.\n", "unknown"),
            (
                b"0123456789abcdef0123456789abcdef,38b98187-556b-49dd-be04-632807ed25f3\n",
                "hashes.csv",
            ),
            (b"{\"5f-uuid\":{\"Orgc\":{\"name\":\"x\"},\"info\":\"y\"}}", "manifest"),
        ] {
            let error = Format::detect(bytes).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Format);
            let text = error.to_string();
            assert!(text.contains(what), "{text}");
            assert!(text.ends_with(')'), "has a remedy: {text}");
        }
    }

    #[test]
    fn formats_are_detected_by_content() {
        for (text, want) in [
            ("evil.example\nbad.example\n", Format::Lines),
            ("# nothing today\n", Format::Lines),
            ("indicator,type\nevil.example,domain\n", Format::Table),
            ("0.0.0.0 evil.example\n", Format::Hosts),
            ("||evil.example^\n", Format::Adblock),
            ("203.0.113.5\t3\n", Format::Ipsum),
            ("203.0.113.0/24 ; SBL1\n", Format::Drop),
            ("203.0.113.5,1,90\n", Format::Iprep),
            ("0123456789abcdef0123456789abcdef;why\n", Format::Loki),
            ("{\"indicator\":\"evil.example\"}\n{\"indicator\":\"b.example\"}\n", Format::Json),
            ("{\"Event\":{}}", Format::Misp),
            ("{}", Format::Stix),
            ("{\"type\":\"bundle\",\"objects\":[]}", Format::Stix),
            ("[{\"id\":\"1\",\"name\":\"p\",\"indicators\":[]}]", Format::Otx),
            ("{\"name\":\"x\",\"type\":\"cidr\",\"list\":[]}", Format::Warninglist),
            ("[2001:db8::1]:443\n", Format::Lines),
        ] {
            assert_eq!(Format::detect(text.as_bytes()).unwrap(), want, "{text}");
        }
    }
}
