//! The parameters of requests for objects (TAXII 2.1, sections 3.4 and 3.5).

use crate::engine::indicator::Timestamp;
use crate::exchange::http::{self, Failure};

/// The most objects of a page, whatever is asked for.
pub const MAX_PAGE: usize = 1000;

/// The most values of one filter.
const MAX_VALUES: usize = 200;

/// What a client asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Which objects.
    pub filter: Filter,
    /// Only what was added after this time.
    pub added_after: Option<Timestamp>,
    /// At most so many; from 1 to [`MAX_PAGE`].
    pub limit: Option<usize>,
    /// The continuation of an earlier answer.
    pub next: Option<String>,
}

/// The parameters `match[…]`. A page and its continuations must have the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Only objects with these identifiers.
    pub ids: Vec<String>,
    /// Only objects of these types.
    pub types: Vec<String>,
    /// Which versions of an object; by default the last one.
    pub versions: Vec<Version>,
    /// Which versions of STIX; by default the newest that an object is there in.
    pub spec_versions: Vec<String>,
}

/// A choice of versions of an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// The oldest.
    First,
    /// The newest.
    Last,
    /// All of them.
    All,
    /// The one with this time.
    At(Timestamp),
}

impl Query {
    /// Parses the part of a request target after `?`.
    ///
    /// # Errors
    ///
    /// A value is malformed, a filter occurs twice, or there is no such filter.
    pub fn parse(query: &str) -> Result<Query, Failure> {
        let mut parsed = Query::default();
        let mut seen = Vec::new();
        let pairs = http::Query::parse(query);
        for (name, value) in pairs.pairs() {
            if value.is_empty() || !parsed.set(name, value)? {
                continue;
            }
            if seen.contains(&name) {
                return Err(Failure::bad_request(format!("{name} is there twice")));
            }
            seen.push(name);
        }
        Ok(parsed)
    }

    /// Sets a parameter. Returns whether it is known; unknown ones that are not filters are
    /// somebody else's, and ignored.
    fn set(&mut self, name: &str, value: &str) -> Result<bool, Failure> {
        match name {
            "added_after" => self.added_after = Some(time(name, value)?),
            "limit" => self.limit = Some(limit(value)?),
            "next" => self.next = Some(value.to_string()),
            "match[id]" => self.filter.ids = list(name, value)?,
            "match[type]" => self.filter.types = list(name, value)?,
            "match[spec_version]" => self.filter.spec_versions = list(name, value)?,
            "match[version]" => {
                let words = list(name, value)?;
                let versions: Result<Vec<Version>, Failure> =
                    words.iter().map(|word| Version::parse(word)).collect();
                self.filter.versions = versions?;
                self.filter.versions.sort_unstable();
                self.filter.versions.dedup();
            }
            // Ignoring a filter would return more than was asked for.
            name if name.starts_with("match[") => {
                return Err(Failure::bad_request(format!("there is no filter {name}")));
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}

impl Filter {
    /// Whether objects of a type are wanted.
    pub fn takes_type(&self, kind: &str) -> bool {
        self.types.is_empty() || self.types.iter().any(|wanted| wanted == kind)
    }

    /// Whether objects with an identifier are wanted.
    pub fn takes_id(&self, id: &str) -> bool {
        self.ids.is_empty() || self.ids.iter().any(|wanted| wanted == id)
    }

    /// Whether a version is wanted that is the only one of its object.
    pub fn takes_only_version(&self, version: Timestamp) -> bool {
        self.versions.is_empty()
            || self.versions.iter().any(|wanted| match wanted {
                Version::At(time) => *time == version,
                Version::First | Version::Last | Version::All => true,
            })
    }

    /// Whether objects of a version of STIX are wanted that have no other.
    pub fn takes_only_spec(&self, spec: &str) -> bool {
        self.spec_versions.is_empty() || self.spec_versions.iter().any(|wanted| wanted == spec)
    }

    /// A text that is the same for equal filters, and for no others.
    pub(super) fn canonical(&self) -> String {
        format!("{:?}{:?}{:?}{:?}", self.ids, self.types, self.versions, self.spec_versions)
    }
}

impl Version {
    fn parse(word: &str) -> Result<Version, Failure> {
        Ok(match word {
            "first" => Version::First,
            "last" => Version::Last,
            "all" => Version::All,
            time_text => Version::At(time("match[version]", time_text)?),
        })
    }
}

/// A list with commas, sorted.
fn list(name: &str, value: &str) -> Result<Vec<String>, Failure> {
    let words = value.split(',').map(str::trim).filter(|word| !word.is_empty());
    let mut words: Vec<String> = words.take(MAX_VALUES + 1).map(str::to_string).collect();
    if words.len() > MAX_VALUES {
        return Err(Failure::bad_request(format!("{name} has more than {MAX_VALUES} values")));
    }
    words.sort_unstable();
    words.dedup();
    Ok(words)
}

/// A time. Some clients send an offset, and forget to encode its plus.
fn time(name: &str, value: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse(&value.trim().replace(' ', "+"))
        .or_else(|| Timestamp::parse(value))
        .ok_or_else(|| {
            Failure::bad_request(format!("{name} is not a time such as 2026-01-31T12:00:00.000Z"))
        })
}

/// The limit, which may be larger than ours.
fn limit(value: &str) -> Result<usize, Failure> {
    let is_number = value.bytes().all(|byte| byte.is_ascii_digit());
    match value.trim_start_matches('0') {
        "" => Err(Failure::bad_request("limit must be at least 1")),
        _ if !is_number => Err(Failure::bad_request("limit is not a positive number")),
        digits => Ok(digits.parse().unwrap_or(MAX_PAGE).min(MAX_PAGE)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn filters() {
        let query = Query::parse(
            "match[type]=malware,indicator&match%5Bversion%5D=first,2016-12-25T12%3A30%3A59.444Z\
             &added_after=2016-11-03T12:30:59Z&limit=5000&next=abc&other=1&match[id]=",
        )
        .unwrap();
        assert_eq!(query.filter.types, ["indicator", "malware"]);
        let time = Timestamp::parse("2016-12-25T12:30:59.444Z").unwrap();
        assert_eq!(query.filter.versions, [Version::First, Version::At(time)]);
        assert_eq!(query.added_after, Timestamp::parse("2016-11-03T12:30:59Z"));
        assert_eq!((query.limit, query.next.as_deref()), (Some(MAX_PAGE), Some("abc")));
        assert!(query.filter.takes_id("anything") && !query.filter.takes_type("report"));
        assert!(query.filter.takes_only_version(time) && query.filter.takes_only_spec("2.1"));
        assert_eq!(Query::parse("").unwrap(), Query::default());
    }

    #[test]
    fn times() {
        let want = Timestamp::parse("2026-01-31T12:00:00Z");
        for text in
            ["2026-01-31T12:00:00Z", "2026-01-31T12:00:00%2B00:00", "2026-01-31T12:00:00+00:00"]
        {
            assert_eq!(
                Query::parse(&format!("added_after={text}")).unwrap().added_after,
                want,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_malformed() {
        for bad in [
            "limit=0",
            "limit=-20",
            "limit=ten",
            "limit=1.5",
            "added_after=yesterday",
            "match[version]=newest",
            "match[confidence]=3",
            "limit=1&limit=2",
            "match[type]=a&match[type]=b",
        ] {
            assert!(Query::parse(bad).is_err(), "{bad}");
        }
        assert_eq!(Query::parse("limit=99999999999999999999999").unwrap().limit, Some(MAX_PAGE));
        let many = "x,".repeat(MAX_VALUES + 1);
        assert!(Query::parse(&format!("match[id]={many}")).is_err());
    }
}
