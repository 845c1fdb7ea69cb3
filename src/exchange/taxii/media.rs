//! Media types (TAXII 2.1, sections 1.6.6 and 3.6).

/// The media type of every answer.
pub(super) const TAXII: &str = "application/taxii+json;version=2.1";

/// The media type of the objects in collections.
pub(super) const STIX_21: &str = "application/stix+json;version=2.1";

/// The media type of older objects, which somebody may have added.
pub(super) const STIX_20: &str = "application/stix+json;version=2.0";

/// Whether a header `Accept` allows our answers. Like any HTTP client, one without it takes
/// everything; a list may contain spaces, and the version may be missing.
pub(super) fn is_acceptable(accept: Option<&str>) -> bool {
    let Some(accept) = accept.filter(|accept| !accept.trim().is_empty()) else { return true };
    accept.split(',').any(|range| {
        let (name, mut parameters) = parts(range);
        let is_refused = |(name, value): (&str, &str)| match name {
            "version" => value != "2.1",
            "q" => value.parse::<f32>().is_ok_and(|weight| weight <= 0.0),
            _ => false,
        };
        let is_ours = ["application/taxii+json", "application/*", "*/*"]
            .iter()
            .any(|ours| name.eq_ignore_ascii_case(ours));
        is_ours && !parameters.any(is_refused)
    })
}

/// Whether a header `Content-Type` is ours.
pub(super) fn is_taxii(content_type: Option<&str>) -> bool {
    let Some(content_type) = content_type else { return false };
    let (name, mut parameters) = parts(content_type);
    name.eq_ignore_ascii_case("application/taxii+json")
        && parameters.all(|(name, value)| name != "version" || value == "2.1")
}

/// A media type, and its parameters with names in lower case.
fn parts(text: &str) -> (&str, impl Iterator<Item = (&'static str, &str)>) {
    let mut parts = text.split(';');
    let name = parts.next().unwrap_or("").trim();
    let parameters = parts.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let known = ["version", "q"].into_iter().find(|it| it.eq_ignore_ascii_case(name.trim()))?;
        Some((known, value.trim().trim_matches('"')))
    });
    (name, parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept() {
        for yes in [
            "application/taxii+json;version=2.1",
            "application/taxii+json; version=2.1",
            "application/taxii+json",
            "Application/TAXII+JSON; Version=\"2.1\"",
            "text/html, application/taxii+json ; version=2.1; q=0.5",
            "*/*",
            "application/*;q=0.1",
            "",
        ] {
            assert!(is_acceptable(Some(yes)), "{yes}");
        }
        for no in [
            "application/json",
            "application/taxii+json;version=2.0",
            "application/vnd.oasis.taxii+json; version=2.0",
            "application/taxii+json;version=2.1;q=0",
            "text/html",
        ] {
            assert!(!is_acceptable(Some(no)), "{no}");
        }
        assert!(is_acceptable(None));
    }

    #[test]
    fn content_type() {
        assert!(is_taxii(Some(TAXII)) && is_taxii(Some("application/taxii+json")));
        assert!(!is_taxii(None) && !is_taxii(Some("application/json")));
        assert!(!is_taxii(Some("application/taxii+json;version=2.0")));
    }
}
