//! How far candidates get through the filters of a database.
//!
//! Time varies from run to run; these counts do not. They come from a scan of its own, with a
//! visitor that counts what the extractor asks, so that ordinary scans pay nothing for it.

use super::Scanner;
use super::log::{Input, Origin, TextScan};
use crate::engine::database::Database;
use crate::engine::indicator::gram::GramFilter;
use crate::engine::indicator::{Kind, Observable, Where};
use crate::engine::text::Visitor;
use std::cell::Cell;
use std::ops::Range;

/// Counts of what became of the candidates of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FilterCounts {
    /// Candidates that a filter was asked about.
    pub asked: u64,
    /// Those that the filter let through.
    pub passed: u64,
    /// Observables that were looked up in a structure.
    pub walked: u64,
    /// Observables that met an entry.
    pub met: u64,
}

impl FilterCounts {
    /// Adds other counts.
    pub fn add(&mut self, other: FilterCounts) {
        self.asked += other.asked;
        self.passed += other.passed;
        self.walked += other.walked;
        self.met += other.met;
    }
}

/// Counts what another visitor is asked.
struct Counted<V> {
    inner: V,
    asked: Cell<u64>,
    passed: Cell<u64>,
}

impl<V> Counted<V> {
    fn answer(&self, is_let_through: bool) -> bool {
        self.asked.set(self.asked.get() + 1);
        self.passed.set(self.passed.get() + u64::from(is_let_through));
        is_let_through
    }
}

impl<V: Visitor> Visitor for Counted<V> {
    fn tails(&self) -> &[u8] {
        self.inner.tails()
    }

    fn may_hold_name(&self, run: &[u8], pair: usize) -> bool {
        self.answer(self.inner.may_hold_name(run, pair))
    }

    fn may_hold_url(&self, host: &[u8]) -> bool {
        self.answer(self.inner.may_hold_url(host))
    }

    fn may_end_in(&self, label: &[u8]) -> bool {
        self.answer(self.inner.may_end_in(label))
    }

    fn may_hold_v4(&self, address: u32) -> bool {
        self.answer(self.inner.may_hold_v4(address))
    }

    fn may_hold_host(&self, span: Range<usize>, is_address: bool) -> bool {
        self.answer(self.inner.may_hold_host(span, is_address))
    }

    fn wants(&self, kind: Kind) -> bool {
        self.inner.wants(kind)
    }

    fn seen(&mut self, observable: Observable<'_>, at: Where, span: Range<usize>) {
        self.inner.seen(observable, at, span);
    }

    fn gram_filter(&self) -> Option<GramFilter<'_>> {
        self.inner.gram_filter()
    }

    // The extractor asks the filter for windows itself; only those that pass come here.
    fn literal(&mut self, at: usize) {
        self.answer(true);
        self.inner.literal(at);
    }
}

impl Scanner {
    /// Scans the observables that begin in `core`, like [`Self::scan_text`], and counts how far
    /// candidates get instead of passing on hits.
    pub fn count_filters(
        &mut self,
        database: &Database,
        text: &[u8],
        core: Range<usize>,
        origin: &Origin,
    ) -> FilterCounts {
        let mut extractor = self.extractor.take().unwrap_or_default();
        let before = self.take_counters();
        let input = Input { text, core: core.clone(), origin, carried: None };
        let inner = TextScan::new(self, database, input);
        let mut counted = Counted { inner, asked: Cell::new(0), passed: Cell::new(0) };
        extractor.extract(text, core, &mut counted);
        let (asked, passed) = (counted.asked.get(), counted.passed.get());
        self.extractor = Some(extractor);
        let counters = std::mem::replace(&mut self.counters, before);
        let walked = counters.seen().map(|(_, count)| count).sum();
        let held: u64 = counters.suppressed().map(|(_, _, count)| count).sum();
        FilterCounts { asked, passed, walked, met: counters.total_matched() + held }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::compile::Compiler;
    use crate::engine::indicator::{Context, Indicator, Scope, Timestamp};
    use std::sync::Arc;

    fn database(names: &[&str]) -> Database {
        let mut compiler = Compiler::default();
        let context = Arc::new(Context::of_feed("a"));
        for name in names {
            let kind = if name.starts_with(|c: char| c.is_ascii_digit()) {
                Kind::Ip
            } else {
                Kind::Domain
            };
            compiler.add(Indicator::new(kind, name, Scope::Subtree, context.clone()).unwrap());
        }
        Database::from_bytes(compiler.into_bytes(Timestamp(0)).unwrap()).unwrap()
    }

    #[test]
    fn candidates_are_counted_stage_by_stage() {
        let text = b"www.evil.example 8.8.8.8 192.0.2.1 a.other.example 192.0.2.1\n";
        let origin = Origin::new("x");
        let mut scanner = Scanner::default();
        let database = database(&["evil.example", "192.0.2.1"]);
        let counts = scanner.count_filters(&database, text, 0..text.len(), &origin);
        assert_eq!(counts.met, 3, "{counts:?}");
        assert!(counts.asked >= counts.passed && counts.passed >= 3, "{counts:?}");
        assert!(counts.walked >= counts.met && counts.asked >= 5, "{counts:?}");
        // Counting leaves no trace, and is the same each time.
        assert_eq!(scanner.counters().total_matched(), 0);
        assert_eq!(scanner.count_filters(&database, text, 0..text.len(), &origin), counts);
        let nothing = self::database(&[]);
        let none = scanner.count_filters(&nothing, text, 0..text.len(), &origin);
        assert_eq!((none.passed, none.walked, none.met), (0, 0, 0), "{none:?}");
    }
}
