//! What a sink wants.

use crate::sensor::deliver::Reading;
use crate::sensor::spool::RecordRef;

/// Which records a sink wants: those that every list with something in it lets through.
///
/// ```
/// use wiresift::engine::indicator::Timestamp;
/// use wiresift::sensor::outlet::Filter;
/// use wiresift::sensor::spool::{Record, RecordRef};
///
/// let filter = Filter { severity: 3, places: vec!["dns".into()], ..Filter::default() };
/// let json = br#"{"severity":3,"seen":{"kind":"domain","where":"dns.query"}}"#;
/// let record = Record::new([0; 16], 3, Timestamp(0), json);
/// assert!(filter.wants(&RecordRef::of(&record, Timestamp(0))));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The lowest severity.
    pub severity: u8,
    /// Kinds of what was seen: `domain`.
    pub kinds: Vec<String>,
    /// Where it was seen: `dns.query`, or all of `dns`.
    pub places: Vec<String>,
    /// Feeds, of which one has to claim it.
    pub feeds: Vec<String>,
    /// Labels, of which one source has to have one.
    pub tags: Vec<String>,
    /// Our side: internal addresses or hosts.
    pub local: Vec<String>,
    /// Whether also what was held back is wanted, as for an archive.
    pub suppressed: bool,
}

impl Filter {
    /// Whether a record is wanted. One whose JSON can't be read is, if its severity is: it is
    /// better seen than lost.
    pub fn wants(&self, record: &RecordRef<'_>) -> bool {
        if record.severity < self.severity {
            return false;
        }
        let lists = [&self.kinds, &self.places, &self.feeds, &self.tags, &self.local];
        // Most have no lists, and most records are not held back: then nothing is parsed.
        let has_lists = lists.iter().any(|list| !list.is_empty());
        let may_be_held =
            !self.suppressed && memchr::memmem::find(record.json, b"\"suppressed\"").is_some();
        if !has_lists && !may_be_held {
            return true;
        }
        Reading::of(record.json).is_none_or(|alert| self.wants_alert(&alert))
    }

    fn wants_alert(&self, alert: &Reading<'_>) -> bool {
        let place = &*alert.seen.at;
        let class = place.split_once('.').map_or(place, |(class, _)| class);
        (self.suppressed || !alert.suppressed)
            && any(&self.kinds, |kind| *alert.seen.kind == **kind)
            && any(&self.places, |wanted| wanted == place || wanted == class)
            && any(&self.feeds, |feed| alert.sources().any(|source| *source.feed == **feed))
            && any(&self.tags, |tag| {
                alert.sources().any(|source| source.tags.iter().any(|own| **own == **tag))
            })
            && any(&self.local, |local| *alert.local == **local)
    }
}

fn any(list: &[String], is_met: impl FnMut(&String) -> bool) -> bool {
    list.is_empty() || list.iter().any(is_met)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::Timestamp;
    use crate::sensor::spool::Record;

    const JSON: &str = r#"{"seen":{"kind":"domain","where":"dns.query"},"local":"10.0.0.5",
        "indicators":[{"sources":[{"feed":"otx","tags":["c2","x"]}]},{"sources":[{"feed":"b"}]}]}"#;

    fn wants(filter: &Filter, json: &str) -> bool {
        let record = Record::new([0; 16], 2, Timestamp(0), json.as_bytes());
        filter.wants(&RecordRef::of(&record, Timestamp(0)))
    }

    #[test]
    fn every_list_counts() {
        let list = |words: &[&str]| words.iter().map(|word| (*word).to_string()).collect();
        let all = Filter::default();
        assert!(wants(&all, JSON) && wants(&all, "?"));
        for (filter, is_wanted) in [
            (Filter { severity: 2, ..all.clone() }, true),
            (Filter { severity: 3, ..all.clone() }, false),
            (Filter { kinds: list(&["ip", "domain"]), ..all.clone() }, true),
            (Filter { kinds: list(&["ip"]), ..all.clone() }, false),
            (Filter { places: list(&["dns"]), ..all.clone() }, true),
            (Filter { places: list(&["dns.query"]), ..all.clone() }, true),
            (Filter { places: list(&["dns.answer", "tls"]), ..all.clone() }, false),
            (Filter { feeds: list(&["b"]), ..all.clone() }, true),
            (Filter { feeds: list(&["c2"]), ..all.clone() }, false),
            (Filter { tags: list(&["c2"]), ..all.clone() }, true),
            (Filter { tags: list(&["y"]), ..all.clone() }, false),
            (Filter { local: list(&["10.0.0.5"]), ..all.clone() }, true),
            (Filter { local: list(&["10.0.0.6"]), tags: list(&["c2"]), ..all.clone() }, false),
        ] {
            assert_eq!(wants(&filter, JSON), is_wanted, "{filter:?}");
        }
    }

    #[test]
    fn what_is_held_back_is_for_archives() {
        let held = r#"{"suppressed":true,"seen":{}}"#;
        assert!(!wants(&Filter::default(), held));
        assert!(wants(&Filter { suppressed: true, ..Filter::default() }, held));
        assert!(wants(&Filter::default(), r#"{"seen":{"value":"\"suppressed\":true"}}"#));
    }
}
