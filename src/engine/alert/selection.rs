//! Selects the alerts that the user wants.
//!
//! A [`Selection`] filters after matching. What it leaves out did match, and is counted by
//! reason, so a filter on the command line is never mistaken for a clean log.

use super::{Alert, DEFAULT_SEVERITY};
use crate::engine::indicator::{Context, Kind, Severity, Timestamp};
use glob::{MatchOptions, Pattern};

/// The conditions that an alert must meet to be written. The default accepts every alert.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Selection {
    /// The lowest severity to write.
    pub min_severity: Option<Severity>,
    /// The lowest confidence to write, 0 to 100. A source without a confidence never reaches
    /// it.
    pub min_confidence: Option<u8>,
    /// Names of feeds, with wildcards, ignoring case; empty for all.
    pub feeds: Vec<Pattern>,
    /// Kinds of the observable or of one of its indicators; empty for all.
    pub kinds: Vec<Kind>,
    /// The earliest time to write.
    pub since: Option<Timestamp>,
}

/// Why an alert was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum OmitReason {
    /// Its severity is too low.
    Severity,
    /// No source is confident enough.
    Confidence,
    /// None of its sources is a selected feed.
    Feed,
    /// Neither the observable nor an indicator has a selected kind.
    Kind,
    /// It happened too early.
    Time,
    /// The same observable was already reported for this input.
    Repeated,
    /// The input has reached its maximum number of alerts.
    Limit,
}

impl OmitReason {
    /// The name in counters.
    pub const fn name(self) -> &'static str {
        match self {
            OmitReason::Severity => "severity",
            OmitReason::Confidence => "confidence",
            OmitReason::Feed => "feed",
            OmitReason::Kind => "kind",
            OmitReason::Time => "time",
            OmitReason::Repeated => "repeated",
            OmitReason::Limit => "limit",
        }
    }
}

impl Selection {
    /// Whether this accepts every alert, so that callers can skip it.
    pub fn takes_all(&self) -> bool {
        *self == Selection::default()
    }

    /// Returns why an alert is left out, or `None` if it is wanted.
    ///
    /// Feed, confidence and severity must hold for one and the same source: a weak claim by
    /// the selected feed does not become strong through another feed's.
    // The cheap questions come first; the order also decides which reason is counted.
    pub fn omit_reason(&self, alert: &Alert<'_>) -> Option<OmitReason> {
        if self.since.is_some_and(|since| alert.time() < since) {
            return Some(OmitReason::Time);
        }
        if !self.kinds.is_empty() && !self.has_kind(alert) {
            return Some(OmitReason::Kind);
        }
        let of_feed = |source: &&Context<'_>| self.has_feed(&source.feed);
        if !alert.sources().any(|source| of_feed(&source)) {
            return (!self.feeds.is_empty()).then_some(OmitReason::Feed);
        }
        let sure = |source: &&Context<'_>| {
            self.min_confidence.is_none_or(|least| source.confidence.is_some_and(|c| c >= least))
        };
        if !alert.sources().filter(of_feed).any(|source| sure(&source)) {
            return Some(OmitReason::Confidence);
        }
        let least = self.min_severity?;
        let severities = alert.sources().filter(of_feed).filter(sure).filter_map(|s| s.severity);
        (severities.max().unwrap_or(DEFAULT_SEVERITY) < least).then_some(OmitReason::Severity)
    }

    /// Whether the observable or an indicator has a selected kind: a user who asks for `net` also
    /// wants addresses inside networks.
    fn has_kind(&self, alert: &Alert<'_>) -> bool {
        let is_wanted = |kind: Kind| self.kinds.contains(&kind);
        is_wanted(alert.seen().kind) || alert.matches().iter().any(|met| is_wanted(met.kind))
    }

    /// Whether a feed is selected.
    fn has_feed(&self, name: &str) -> bool {
        let options = MatchOptions { case_sensitive: false, ..MatchOptions::new() };
        self.feeds.is_empty() || self.feeds.iter().any(|feed| feed.matches_with(name, options))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::alert::Provenance;
    use crate::engine::indicator::{LogPlace, Place, Quality, Scope, Where};
    use crate::engine::scan::{Hit, Match, Seen};

    fn hit(sources: &[(&str, Option<u8>, Option<Severity>)]) -> Hit<'static> {
        let sources = sources.iter().map(|&(feed, confidence, severity)| Context {
            confidence,
            severity,
            ..Context::of_feed(feed)
        });
        let seen = Seen {
            kind: Kind::Ip,
            value: "192.0.2.7".into(),
            raw: None,
            at: Where::LogText,
            field: None,
            quality: Quality::default(),
        };
        let met = Match {
            kind: Kind::Net,
            value: "192.0.2.0/24".into(),
            scope: Scope::Exact,
            quality: Quality::default(),
            sources: sources.collect(),
        };
        let place = LogPlace {
            path: "a.log".into(),
            line: 1,
            column: 1,
            offset: 0,
            text: String::new(),
            time: Some(Timestamp::from_seconds(100)),
            sender: None,
        };
        Hit { seen, matches: vec![met], place: Place::Log(place) }
    }

    fn omit_reason(selection: &Selection, hit: &Hit<'_>) -> Option<OmitReason> {
        selection.omit_reason(&Alert::new(hit, &Provenance::default(), Timestamp(0)))
    }

    #[test]
    fn each_criterion_alone_omits_an_alert() {
        let hit = hit(&[("otx", Some(40), Some(Severity::Low)), ("ours", None, None)]);
        let wants = |change: &dyn Fn(&mut Selection)| {
            let mut selection = Selection::default();
            change(&mut selection);
            omit_reason(&selection, &hit)
        };
        assert_eq!(wants(&|_| ()), None);
        assert_eq!(wants(&|s| s.kinds = vec![Kind::Net]), None);
        assert_eq!(wants(&|s| s.kinds = vec![Kind::Ip, Kind::Url]), None);
        assert_eq!(wants(&|s| s.kinds = vec![Kind::Url]), Some(OmitReason::Kind));
        assert_eq!(wants(&|s| s.since = Some(Timestamp::from_seconds(100))), None);
        assert_eq!(wants(&|s| s.since = Some(Timestamp(100_000_001))), Some(OmitReason::Time));
        assert_eq!(wants(&|s| s.min_confidence = Some(40)), None);
        assert_eq!(wants(&|s| s.min_confidence = Some(41)), Some(OmitReason::Confidence));
        assert_eq!(wants(&|s| s.min_severity = Some(Severity::Low)), None);
        assert_eq!(wants(&|s| s.min_severity = Some(Severity::Medium)), Some(OmitReason::Severity));
        let feeds = |names: &[&str]| names.iter().map(|n| Pattern::new(n).unwrap()).collect();
        assert_eq!(wants(&|s| s.feeds = feeds(&["OTX"])), None);
        assert_eq!(wants(&|s| s.feeds = feeds(&["x", "ou*"])), None);
        assert_eq!(wants(&|s| s.feeds = feeds(&["urlhaus"])), Some(OmitReason::Feed));
        assert!(Selection::default().takes_all());
    }

    #[test]
    fn one_source_has_to_fit_in_all() {
        let hit = hit(&[("a", Some(90), Some(Severity::Low)), ("b", Some(10), None)]);
        let mut selection = Selection {
            feeds: vec![Pattern::new("b").unwrap()],
            min_confidence: Some(50),
            ..Selection::default()
        };
        assert_eq!(omit_reason(&selection, &hit), Some(OmitReason::Confidence));
        selection.min_confidence = Some(10);
        // None of the remaining sources gives a severity: medium.
        selection.min_severity = Some(Severity::Medium);
        assert_eq!(omit_reason(&selection, &hit), None);
        selection.min_severity = Some(Severity::High);
        assert_eq!(omit_reason(&selection, &hit), Some(OmitReason::Severity));
    }
}
