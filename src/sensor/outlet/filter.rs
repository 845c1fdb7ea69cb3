//! What a sink wants.

use crate::engine::indicator::Kind;
use crate::sensor::deliver::{Indicator, Reading};
use crate::sensor::spool::RecordRef;
use glob::{MatchOptions, Pattern};

/// Which records a sink wants: those that meet every condition, and are not excluded. The default
/// wants everything that was not held back. Patterns are names with wildcards, ignoring case, as on
/// the command line.
///
/// ```
/// use wiresift::engine::indicator::Timestamp;
/// use wiresift::sensor::outlet::Filter;
/// use wiresift::sensor::spool::{Record, RecordRef};
///
/// let inputs = vec![glob::Pattern::new("web-*").unwrap()];
/// let filter = Filter { severity: 3, inputs, ..Filter::default() };
/// let json = br#"{"severity":3,"input":"web-1","seen":{"kind":"domain"}}"#;
/// let record = Record::new([0; 16], 3, Timestamp(0), json);
/// assert!(filter.wants(&RecordRef::of(&record, Timestamp(0))));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// The lowest severity, from 1 to 4; 0 for any.
    pub severity: u8,
    /// The minimum for the highest confidence of a source, 0 to 100. Sources without a confidence
    /// don't reach it.
    pub confidence: Option<u8>,
    /// Kinds of the observable, or of an indicator that it matched; empty for all.
    pub kinds: Vec<Kind>,
    /// Feeds, one of which has to list it; empty for all.
    pub feeds: Vec<Pattern>,
    /// Tags, one of which a source has to have; empty for no condition.
    pub tags: Vec<Pattern>,
    /// Names of inputs; empty for all.
    pub inputs: Vec<Pattern>,
    /// Excluded kinds, of the observable or of an indicator that it matched.
    pub exclude_kinds: Vec<Kind>,
    /// Excluded feeds: records that only these feeds list.
    pub exclude_feeds: Vec<Pattern>,
    /// Excluded tags: records of which a source has one of these.
    pub exclude_tags: Vec<Pattern>,
    /// Excluded inputs.
    pub exclude_inputs: Vec<Pattern>,
    /// Whether suppressed records are wanted as well, as for an archive.
    pub suppressed: bool,
}

impl Filter {
    /// Whether a record is wanted. If its JSON can't be read, only the severity decides: it is
    /// better to send such a record than to lose it.
    pub fn wants(&self, record: &RecordRef<'_>) -> bool {
        if record.severity < self.severity {
            return false;
        }
        // Most filters have no lists, and most records are not suppressed: then nothing is parsed.
        let may_be_held =
            !self.suppressed && memchr::memmem::find(record.json, b"\"suppressed\"").is_some();
        if !self.reads() && !may_be_held {
            return true;
        }
        Reading::of(record.json).is_none_or(|alert| self.wants_reading(record.severity, &alert))
    }

    /// Whether an alert with this severity, held back or not, is wanted. Its fields are only read
    /// if the filter needs them.
    pub fn wants_alert<'r, 'j: 'r>(
        &self,
        severity: u8,
        is_held: bool,
        read: impl FnOnce() -> &'r Reading<'j>,
    ) -> bool {
        match self.reads() {
            true => self.wants_reading(severity, read()),
            false => severity >= self.severity && (self.suppressed || !is_held),
        }
    }

    /// Whether an alert with this severity and these fields is wanted.
    pub fn wants_reading(&self, severity: u8, alert: &Reading<'_>) -> bool {
        severity >= self.severity
            && (self.suppressed || !alert.suppressed)
            && self.takes(alert)
            && !self.excludes(alert)
    }

    /// Whether an indicator of a wanted alert is of one of the feeds that the filter names.
    pub fn wants_indicator(&self, indicator: &Indicator<'_>) -> bool {
        let mut feeds = indicator.sources.iter().map(|source| &source.feed).peekable();
        let is_excluded =
            feeds.peek().is_some() && feeds.all(|feed| fits(&self.exclude_feeds, feed));
        let is_named = indicator.sources.iter().any(|source| fits(&self.feeds, &source.feed));
        !is_excluded && (self.feeds.is_empty() || is_named)
    }

    /// Whether it needs more than the severity.
    fn reads(&self) -> bool {
        let kinds = [&self.kinds, &self.exclude_kinds];
        let names = [
            &self.feeds,
            &self.tags,
            &self.inputs,
            &self.exclude_feeds,
            &self.exclude_tags,
            &self.exclude_inputs,
        ];
        self.confidence.is_some()
            || kinds.iter().any(|kinds| !kinds.is_empty())
            || names.iter().any(|names| !names.is_empty())
    }

    fn takes(&self, alert: &Reading<'_>) -> bool {
        let is_sure = |least| alert.sources().any(|it| it.confidence.is_some_and(|is| is >= least));
        self.confidence.is_none_or(is_sure)
            && (self.kinds.is_empty() || has_kind(&self.kinds, alert))
            && (self.inputs.is_empty() || fits(&self.inputs, &alert.input))
            && (self.feeds.is_empty() || alert.sources().any(|it| fits(&self.feeds, &it.feed)))
            && (self.tags.is_empty() || has_tag(&self.tags, alert))
    }

    fn excludes(&self, alert: &Reading<'_>) -> bool {
        let mut feeds = alert.sources().map(|source| &source.feed).peekable();
        has_kind(&self.exclude_kinds, alert)
            || fits(&self.exclude_inputs, &alert.input)
            || has_tag(&self.exclude_tags, alert)
            || feeds.peek().is_some() && feeds.all(|feed| fits(&self.exclude_feeds, feed))
    }
}

/// Whether the observable, or an indicator that it matched, is of one of these kinds.
fn has_kind(kinds: &[Kind], alert: &Reading<'_>) -> bool {
    let is_one = |name: &str| kinds.iter().any(|kind| kind.name() == name);
    is_one(&alert.seen.kind) || alert.indicators.iter().any(|it| is_one(&it.kind))
}

/// Whether a source has a matching tag.
fn has_tag(patterns: &[Pattern], alert: &Reading<'_>) -> bool {
    alert.sources().any(|source| source.tags.iter().any(|tag| fits(patterns, tag)))
}

fn fits(patterns: &[Pattern], name: &str) -> bool {
    let options = MatchOptions { case_sensitive: false, ..MatchOptions::new() };
    patterns.iter().any(|pattern| pattern.matches_with(name, options))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::indicator::Timestamp;
    use crate::sensor::spool::Record;

    /// Seen as a URL; matched a URL of two feeds and a domain of one.
    const JSON: &str = r#"{"input":"web-1","seen":{"kind":"url","where":"http.url"},"indicators":[
        {"kind":"url","sources":[{"feed":"otx","tags":["C2","x"],"confidence":40},{"feed":"b"}]},
        {"kind":"domain","sources":[{"feed":"abuse.ch/b","tags":["phishing"],"confidence":75}]}]}"#;

    fn wants(filter: &Filter, json: &str) -> bool {
        let record = Record::new([0; 16], 2, Timestamp(0), json.as_bytes());
        let is_wanted = filter.wants(&RecordRef::of(&record, Timestamp(0)));
        if let Some(alert) = Reading::of(json.as_bytes()) {
            assert_eq!(filter.wants_reading(2, &alert), is_wanted, "{filter:?} {json}");
        }
        is_wanted
    }

    fn patterns(texts: &[&str]) -> Vec<Pattern> {
        texts.iter().map(|text| Pattern::new(text).unwrap()).collect()
    }

    #[test]
    fn every_condition_counts() {
        let all = Filter::default;
        let p = patterns;
        for (filter, is_wanted) in [
            (all(), true),
            (Filter { severity: 2, ..all() }, true),
            (Filter { severity: 3, ..all() }, false),
            (Filter { confidence: Some(75), ..all() }, true),
            (Filter { confidence: Some(76), ..all() }, false),
            (Filter { kinds: vec![Kind::Ip, Kind::Url], ..all() }, true),
            (Filter { kinds: vec![Kind::Domain], ..all() }, true),
            (Filter { kinds: vec![Kind::Ip], ..all() }, false),
            (Filter { feeds: p(&["b"]), ..all() }, true),
            (Filter { feeds: p(&["OTX"]), ..all() }, true),
            (Filter { feeds: p(&["abuse*"]), ..all() }, true),
            (Filter { feeds: p(&["c2", "?"]), ..all() }, true),
            (Filter { feeds: p(&["c2", "abuse"]), ..all() }, false),
            (Filter { tags: p(&["phish*"]), ..all() }, true),
            (Filter { tags: p(&["c[12]"]), ..all() }, true),
            (Filter { tags: p(&["otx"]), ..all() }, false),
            (Filter { inputs: p(&["mail", "web-*"]), ..all() }, true),
            (Filter { inputs: p(&["web"]), ..all() }, false),
            (Filter { exclude_kinds: vec![Kind::Domain], ..all() }, false),
            (Filter { exclude_kinds: vec![Kind::Url], ..all() }, false),
            (Filter { exclude_kinds: vec![Kind::Ip], ..all() }, true),
            (Filter { exclude_feeds: p(&["otx", "b"]), ..all() }, true),
            (Filter { exclude_feeds: p(&["otx", "b", "abuse.ch/*"]), ..all() }, false),
            (Filter { exclude_feeds: p(&["*"]), ..all() }, false),
            (Filter { exclude_tags: p(&["c2"]), ..all() }, false),
            (Filter { exclude_tags: p(&["otx"]), ..all() }, true),
            (Filter { exclude_inputs: p(&["web-?"]), ..all() }, false),
            (Filter { exclude_inputs: p(&["mail"]), ..all() }, true),
            (Filter { feeds: p(&["b"]), exclude_tags: p(&["x"]), ..all() }, false),
            (Filter { feeds: p(&["b"]), tags: p(&["y"]), ..all() }, false),
        ] {
            assert_eq!(wants(&filter, JSON), is_wanted, "{filter:?}");
        }
    }

    #[test]
    fn what_an_alert_does_not_say_reaches_nothing_and_excludes_nothing() {
        let bare =
            r#"{"seen":{"kind":"ip"},"indicators":[{"kind":"ip","sources":[{"feed":"a"}]}]}"#;
        let all = Filter::default;
        for (filter, is_wanted) in [
            (Filter { confidence: Some(0), ..all() }, false),
            (Filter { tags: patterns(&["*"]), ..all() }, false),
            (Filter { exclude_tags: patterns(&["*"]), ..all() }, true),
            (Filter { inputs: patterns(&["?*"]), ..all() }, false),
            (Filter { exclude_inputs: patterns(&["?*"]), ..all() }, true),
        ] {
            assert_eq!(wants(&filter, bare), is_wanted, "{filter:?}");
        }
        // A record without feeds has no excluded feed.
        let filter = Filter { exclude_feeds: patterns(&["*"]), ..all() };
        assert!(wants(&filter, r#"{"seen":{"kind":"ip"}}"#));
        // What can't be read is better sent than lost.
        assert!(wants(&filter, "?"));
        assert!(!wants(&Filter { severity: 3, ..filter }, "?"));
    }

    #[test]
    fn what_is_held_back_is_for_archives() {
        let held = r#"{"suppressed":true,"seen":{}}"#;
        assert!(!wants(&Filter::default(), held));
        assert!(wants(&Filter { suppressed: true, ..Filter::default() }, held));
        assert!(wants(&Filter::default(), r#"{"seen":{"value":"\"suppressed\":true"}}"#));
    }
}
