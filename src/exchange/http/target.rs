//! Paths of requests, and patterns of routes.

use super::decode;

/// The segments of a path: slashes at both ends and repeated ones do not count.
pub fn split_path(path: &str) -> Vec<&str> {
    path.split('/').filter(|segment| !segment.is_empty()).collect()
}

/// The path of a route: `api/v1/pulses/{id}`. `{rest*}` at the end takes everything that
/// follows, slashes and query included, as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pattern(pub &'static str);

impl Pattern {
    /// The values of its names in a target, or `None` if it does not match. Fixed segments are
    /// compared as they are; values are decoded, but for `{rest*}`.
    pub fn matches(self, target: &str) -> Option<Vec<(&'static str, String)>> {
        let (path, _) = target.split_once('?').unwrap_or((target, ""));
        let mut values = Vec::new();
        let mut rest = path;
        for want in split_path(self.0) {
            rest = rest.trim_start_matches('/');
            if let Some(name) = want.strip_prefix('{').and_then(|name| name.strip_suffix("*}")) {
                let at = path.len() - rest.len();
                values.push((name, target[at..].to_string()));
                return (!rest.is_empty()).then_some(values);
            }
            let (segment, tail) =
                rest.split_once('/').map_or((rest, ""), |(head, _)| (head, &rest[head.len()..]));
            if segment.is_empty() {
                return None;
            }
            match want.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
                Some(name) => values.push((name, decode(segment, false))),
                None if want == segment => {}
                None => return None,
            }
            rest = tail;
        }
        rest.trim_start_matches('/').is_empty().then_some(values)
    }

    /// How many of its segments are fixed, from the left: of two patterns that match, the one
    /// with a fixed segment where the other has a name is meant.
    pub fn rank(self) -> Vec<u8> {
        let rank = |segment: &str| match segment.ends_with("*}") {
            true => 2,
            false => u8::from(segment.starts_with('{')),
        };
        split_path(self.0).into_iter().map(rank).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_with_slashes_too_many() {
        let pattern = Pattern("api/v1/pulses/{id}");
        let id = |target| pattern.matches(target).map(|values| values[0].1.clone());
        for target in [
            "/api/v1/pulses/5",
            "/api/v1/pulses/5/",
            "//api/v1/pulses//5/",
            "/api/v1/pulses/5?x=/y",
        ] {
            assert_eq!(id(target).as_deref(), Some("5"), "{target}");
        }
        for target in ["/api/v1/pulses", "/api/v1/pulses/", "/api/v1/pulses/5/x", "/", ""] {
            assert_eq!(id(target), None, "{target}");
        }
    }

    #[test]
    fn the_rest_is_as_it_came() {
        let pattern = Pattern("api/v1/indicators/{slug}/{value*}");
        let values = pattern.matches("/api/v1/indicators/url/http://a.example//x?y=%20/general");
        let values = values.unwrap();
        assert_eq!(values[0], ("slug", "url".to_string()));
        assert_eq!(values[1], ("value", "http://a.example//x?y=%20/general".to_string()));
        assert_eq!(pattern.matches("/api/v1/indicators/url/"), None);
        assert!(Pattern("a/b").rank() < Pattern("a/{b}").rank());
    }
}
