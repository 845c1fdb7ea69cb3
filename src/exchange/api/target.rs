//! The value and the section in the path of an indicator.
//!
//! Clients put values there raw, with their slashes, question marks and all: so what follows the
//! slug is cut from its end. What is left is decoded once if it was encoded at all.

use crate::exchange::http::decode;

/// The sections of indicators.
pub(super) const SECTIONS: [&str; 9] = [
    "general",
    "geo",
    "reputation",
    "malware",
    "passive_dns",
    "url_list",
    "analysis",
    "http_scans",
    "whois",
];

/// What is asked about an indicator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// The value, decoded.
    pub(super) value: String,
    /// The section.
    pub(super) section: &'static str,
    /// The page, if it is given.
    pub(super) page: Option<usize>,
    /// The rows of a page, if they are given.
    pub(super) limit: Option<usize>,
}

/// Reads what follows the slug: value, section, and the parameters of pages.
pub(super) fn asked(raw: &str) -> Asked {
    let (raw, page, limit) = without_pages(raw);
    let trimmed = raw.trim_end_matches('/');
    let last = trimmed.rsplit_once('/').and_then(|(value, last)| {
        let section = SECTIONS.iter().find(|section| **section == last)?;
        (!value.is_empty()).then_some((value, *section))
    });
    let (value, section) = last.unwrap_or((raw, "general"));
    Asked { value: decoded(value), section, page, limit }
}

/// The same for paths where the section is before the value.
pub(super) fn asked_after(section: &str, raw: &str) -> Option<Asked> {
    let section = SECTIONS.iter().find(|of| **of == section)?;
    let (raw, page, limit) = without_pages(raw);
    Some(Asked { value: decoded(raw), section, page, limit })
}

/// Decodes a value that was encoded.
fn decoded(value: &str) -> String {
    match value.contains("://") {
        true => value.to_string(),
        false => {
            let is_url = value.to_ascii_lowercase().contains("%3a%2f%2f");
            let value = decode(value, is_url);
            let is_name = !value.contains("://") && value.ends_with('/');
            if is_name { value.trim_end_matches('/').to_string() } else { value }
        }
    }
}

/// Cuts `page=` and `limit=` off the end.
fn without_pages(raw: &str) -> (&str, Option<usize>, Option<usize>) {
    let (mut rest, mut page, mut limit) = (raw, None, None);
    while let Some(at) = rest.rfind(['?', '&']) {
        let Some((name, value)) = rest[at + 1..].split_once('=') else { break };
        let Ok(number) = value.parse::<usize>() else { break };
        match name {
            "page" => page = Some(number),
            "limit" => limit = Some(number),
            _ => break,
        }
        rest = &rest[..at];
    }
    (rest, page, limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_as_clients_write_them() {
        for (raw, value, section) in [
            ("8.8.8.8/general", "8.8.8.8", "general"),
            ("8.8.8.8", "8.8.8.8", "general"),
            ("8.8.8.8/", "8.8.8.8", "general"),
            ("a.example/url_list?limit=500&page=2", "a.example", "url_list"),
            ("http://a.example/x/general", "http://a.example/x", "general"),
            ("http://a.example/general/general", "http://a.example/general", "general"),
            ("http://a.example/?q=1/general", "http://a.example/?q=1", "general"),
            ("http://a.example/?page=2/general", "http://a.example/?page=2", "general"),
            ("http%3A%2F%2Fa.example%2Fx%20y/url_list", "http://a.example/x y", "url_list"),
            ("http%3A%2F%2Fa.example%2Fx+y/general", "http://a.example/x y", "general"),
            ("http://a.example/%20/general", "http://a.example/%20", "general"),
            ("2001:db8::1/geo", "2001:db8::1", "geo"),
            ("geo", "geo", "general"),
        ] {
            let asked = asked(raw);
            assert_eq!((asked.value.as_str(), asked.section), (value, section), "{raw}");
        }
        let asked = asked("a.example/url_list?limit=500&page=2");
        assert_eq!((asked.page, asked.limit), (Some(2), Some(500)));
    }
}
