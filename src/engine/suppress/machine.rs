//! The state machine: judges alerts, ends windows, enforces the bounds.

use super::key::write_key;
use super::table::Table;
use super::window::Window;
use super::{AlertFacts, Config, Repeat};
use crate::engine::indicator::{Severity, Timestamp};

/// What happens to an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is delivered at once.
    Pass(Reason),
    /// It is counted, and reported in a [`Repeat`].
    HeldBack,
}

/// Why an alert passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It is among the first of its window.
    First,
    /// It has a higher severity than all others in the window.
    Severity,
    /// One of its indicators is new in the window.
    Indicator,
    /// One of its feeds is new in the window.
    Feed,
    /// It is critical.
    Critical,
}

impl Verdict {
    /// Whether the alert is delivered.
    pub fn is_pass(self) -> bool {
        self != Verdict::HeldBack
    }
}

/// Holds back alerts that repeat others. See the module's page.
#[derive(Clone, Debug)]
pub struct Suppressor {
    pub(super) config: Config,
    pub(super) table: Table,
    /// The latest time passed to [`Suppressor::advance`].
    pub(super) floor: i64,
    pub(super) repeats: Vec<Repeat>,
    /// How many windows were ended early.
    pub(super) evicted: u64,
    key: Vec<u8>,
}

impl Suppressor {
    /// A suppressor without open windows that records no changes: for work whose state is never
    /// committed.
    pub fn new(config: Config) -> Self {
        Suppressor {
            config: config.tidy(),
            table: Table::new(false),
            floor: i64::MIN,
            repeats: Vec::new(),
            evicted: 0,
            key: Vec::new(),
        }
    }

    /// Records changes from here on, for [`Suppressor::take_changes`], which must be called at
    /// every commit.
    #[must_use]
    pub fn recorded(mut self) -> Self {
        self.table.record();
        self
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Number of open windows.
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Whether no window is open.
    pub fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Estimated bytes of all windows.
    pub fn memory_usage(&self) -> usize {
        self.table.bytes()
    }

    /// Decides whether an alert passes. If not, `content` is called for the contents of its
    /// repeat record, in any encoding.
    ///
    /// The cost is a lookup and a step in a tree of all windows.
    pub fn judge(
        &mut self,
        facts: &AlertFacts<'_>,
        at: Timestamp,
        content: impl FnOnce() -> Vec<u8>,
    ) -> Verdict {
        if facts.severity == Severity::Critical && !self.config.critical {
            return Verdict::Pass(Reason::Critical);
        }
        let mut key = std::mem::take(&mut self.key);
        write_key(&self.config, facts, &mut key);
        let verdict = self.judge_key(&key, facts, at, content);
        self.key = key;
        self.evict();
        verdict
    }

    fn judge_key(
        &mut self,
        key: &[u8],
        facts: &AlertFacts<'_>,
        at: Timestamp,
        content: impl FnOnce() -> Vec<u8>,
    ) -> Verdict {
        // Late alerts count as if they came now.
        let now = at.0.max(self.floor);
        let mut slot = self.table.find(key);
        let has_ended = |slot: &u32| self.table.end_of(*slot).is_some_and(|end| end <= now);
        if let Some(ended) = slot.filter(has_ended) {
            self.close(ended, false);
            slot = None;
        }
        let Some(slot) = slot else {
            let mut window = Window::open(key.into(), facts, now, self.config.window_micros());
            window.evicted = self.evicted;
            self.table.add(window, false);
            return Verdict::Pass(Reason::First);
        };
        self.table.touch(slot);
        let first = self.config.first;
        let judged = self.table.change(slot, |window| {
            let reason = window.novelty(facts).or((window.passed < first).then_some(Reason::First));
            match reason {
                Some(_) => window.passed = window.passed.saturating_add(1),
                None => window.hold(facts, at.0, content()),
            }
            reason
        });
        judged.flatten().map_or(Verdict::HeldBack, Verdict::Pass)
    }

    /// Ends the windows that end by `to`. Time does not go back: a time before that of the last
    /// call has no effect.
    pub fn advance(&mut self, to: Timestamp) {
        self.floor = self.floor.max(to.0);
        while let Some(slot) = self.table.ended(self.floor) {
            self.close(slot, false);
        }
    }

    /// Reports what every window holds back, early and marked as partial; the windows stay open,
    /// so that a restart sends nothing twice. For the end of the process, or of the input.
    pub fn shut_down(&mut self) {
        let slots: Vec<u32> = self.table.by_use().collect();
        for slot in slots {
            if self.table.is_holding(slot) {
                let key = &self.config.key;
                let repeat = self.table.change(slot, |window| window.repeat(key, true));
                self.repeats.extend(repeat.flatten());
            }
        }
    }

    /// Ends every window early; what they hold back is reported as partial. For suppression that is
    /// switched off.
    pub fn end_all(&mut self) {
        while let Some(slot) = self.table.oldest() {
            self.close(slot, true);
        }
    }

    /// Switches to another configuration. Open windows keep their length; if the key has other
    /// members they end, and what they hold back is reported as partial.
    pub fn reconfigure(&mut self, config: Config) {
        let config = config.tidy();
        if config.key != self.config.key {
            self.end_all();
        }
        self.config = config;
        self.evict();
    }

    /// The repeat records since the last call. They belong into the same commit as the changes.
    pub fn take_repeats(&mut self) -> Vec<Repeat> {
        std::mem::take(&mut self.repeats)
    }

    /// Evicts the least recently used windows until both bounds hold. One window always remains.
    pub(super) fn evict(&mut self) {
        let (keys, bytes) = (self.config.max_keys.max(1), self.config.max_bytes);
        while self.table.len() > keys || (self.table.bytes() > bytes && self.table.len() > 1) {
            let Some(slot) = self.table.oldest() else { return };
            self.close(slot, true);
        }
    }

    /// Ends a window. `is_early`: before its end, unless that has passed.
    pub(super) fn close(&mut self, slot: u32, is_early: bool) {
        if let Some(mut window) = self.table.remove(slot) {
            let is_partial = is_early && window.end > self.floor;
            self.evicted = self.evicted.saturating_add(u64::from(is_early));
            self.repeats.extend(window.repeat(&self.config.key, is_partial));
        }
    }
}
