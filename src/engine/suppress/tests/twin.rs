//! The slow reference: a list of windows, searched from its beginning.

use super::super::{AlertFacts, Config, Reason, Verdict};
use crate::engine::indicator::Severity;

/// A window exactly as the documentation describes it.
#[derive(Clone, Debug)]
struct Plain {
    key: (String, String, String),
    start: i64,
    severity: Severity,
    indicators: Vec<(crate::engine::indicator::Kind, String)>,
    feeds: Vec<String>,
    passed: u32,
    held: Vec<(i64, String)>,
}

/// A repeat record, as far as the reference implements it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PlainRepeat {
    pub(super) key: Vec<String>,
    pub(super) start: i64,
    pub(super) count: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) values: Vec<String>,
    pub(super) is_partial: bool,
}

/// Windows in order of use, the least recent first.
#[derive(Debug, Default)]
pub(super) struct Twin {
    windows: Vec<Plain>,
    floor: i64,
    pub(super) repeats: Vec<PlainRepeat>,
}

impl Twin {
    pub(super) fn new() -> Twin {
        Twin { floor: i64::MIN, ..Twin::default() }
    }

    pub(super) fn judge(&mut self, config: &Config, facts: &AlertFacts<'_>, at: i64) -> Verdict {
        if facts.severity == Severity::Critical && !config.critical {
            return Verdict::Pass(Reason::Critical);
        }
        let length = config.window.as_micros() as i64;
        let now = at.max(self.floor);
        let (kind, value) = facts.indicator;
        let key = (format!("{kind} {value}"), facts.place.to_string(), facts.local.to_string());
        let mut found = self.windows.iter().position(|window| window.key == key);
        if let Some(at) = found
            && self.windows[at].start + length <= now
        {
            let window = self.windows.remove(at);
            self.give(window, false);
            found = None;
        }
        let mut window = match found {
            Some(at) => self.windows.remove(at),
            None => Plain {
                key,
                start: now,
                severity: facts.severity,
                indicators: Vec::new(),
                feeds: Vec::new(),
                passed: 0,
                held: Vec::new(),
            },
        };
        let verdict = window.judge(config, facts, at);
        self.windows.push(window);
        while self.windows.len() > config.max_keys {
            let oldest = self.windows.remove(0);
            let is_early = oldest.start + length > self.floor;
            self.give(oldest, is_early);
        }
        verdict
    }

    pub(super) fn advance(&mut self, config: &Config, to: i64) {
        self.floor = self.floor.max(to);
        let length = config.window.as_micros() as i64;
        let (ended, open) =
            self.windows.drain(..).partition(|window| window.start + length <= self.floor);
        self.windows = open;
        let ended: Vec<Plain> = ended;
        ended.into_iter().for_each(|window| self.give(window, false));
    }

    pub(super) fn shut_down(&mut self) {
        for window in self.windows.clone() {
            self.give(window, true);
        }
        self.windows.iter_mut().for_each(|window| window.held.clear());
    }

    fn give(&mut self, window: Plain, is_partial: bool) {
        if window.held.is_empty() {
            return;
        }
        let mut values: Vec<String> = Vec::new();
        for (_, value) in &window.held {
            if !values.contains(value) && values.len() < 8 {
                values.push(value.clone());
            }
        }
        self.repeats.push(PlainRepeat {
            key: vec![window.key.0, window.key.1, window.key.2],
            start: window.start,
            count: window.held.len() as u64,
            first: window.held.iter().map(|(at, _)| *at).min().unwrap(),
            last: window.held.iter().map(|(at, _)| *at).max().unwrap(),
            values,
            is_partial,
        });
    }
}

impl Plain {
    fn judge(&mut self, config: &Config, facts: &AlertFacts<'_>, at: i64) -> Verdict {
        let is_first = self.passed == 0;
        let mut reason = None;
        for feed in &facts.feeds {
            if !self.feeds.iter().any(|known| known == feed) {
                self.feeds.push((*feed).to_string());
                reason = Some(Reason::Feed);
            }
        }
        for (kind, value) in std::iter::once(&facts.indicator).chain(&facts.others) {
            let indicator = (*kind, (*value).to_string());
            if !self.indicators.contains(&indicator) {
                self.indicators.push(indicator);
                reason = Some(Reason::Indicator);
            }
        }
        if facts.severity > self.severity {
            self.severity = facts.severity;
            reason = Some(Reason::Severity);
        }
        if is_first || reason.is_none() && self.passed < config.first {
            reason = Some(Reason::First);
        }
        match reason {
            Some(reason) => {
                self.passed += 1;
                Verdict::Pass(reason)
            }
            None => {
                self.held.push((at, facts.value.to_string()));
                Verdict::HeldBack
            }
        }
    }
}
