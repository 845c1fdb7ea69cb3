//! What happens to alerts: which are written, in which form, and their totals.
//!
//! An outlet receives every alert in the order of the inputs. Output that does not depend on the
//! order, which is the usual case, is encoded by the threads that find the alerts, and bypasses it
//! ([`Output::needs_order`]).

#[cfg(feature = "daemon")]
use super::owned_hit::OwnedHit;
use crate::engine::alert::{Alert, Encoder, Format, OmitReason, Selection, Shown, Summary};
use hashbrown::HashSet;
use std::collections::BTreeMap;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3;

/// The number of observables of one input that are remembered for [`Output::first`]; beyond it, all
/// are forgotten, and may be reported once more.
const MAX_SEEN: usize = 1 << 20;

/// Which alerts are written, and how.
#[derive(Clone, Debug)]
pub struct Output {
    /// How alerts are encoded.
    pub encoder: Encoder,
    /// Which alerts are wanted.
    pub selection: Selection,
    /// Report each observable only once per input.
    pub first: bool,
    /// The maximum number of alerts per input; what follows the last of them is not read.
    pub max_alerts: Option<u64>,
    /// What is written: alerts, or something shorter.
    pub form: Form,
    /// Whether to count the findings for a summary.
    pub summary: bool,
    /// Receives every alert instead of an encoder.
    #[cfg(feature = "daemon")]
    pub(super) forward: Option<Forward>,
}

/// Receives alerts as they are: the daemon has several sinks, and its own rules.
#[cfg(feature = "daemon")]
#[derive(Clone)]
pub(super) struct Forward(pub(super) Arc<dyn Fn(OwnedHit) + Send + Sync>);

#[cfg(feature = "daemon")]
impl std::fmt::Debug for Forward {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Forward")
    }
}

/// What is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Alerts.
    #[default]
    Alerts,
    /// The number of alerts in each input, one per line: `path:count`.
    Counts,
    /// The same for a single input: only the count, as in grep.
    Count,
    /// The paths of inputs with alerts, one per line.
    Paths,
    /// Nothing: only the exit code matters. Everything is still read, so that failures are reported
    /// no matter what was found before them.
    Nothing,
}

impl Output {
    /// Every alert, as it comes.
    pub fn new(encoder: Encoder) -> Output {
        Output {
            encoder,
            selection: Selection::default(),
            first: false,
            max_alerts: None,
            form: Form::Alerts,
            summary: false,
            #[cfg(feature = "daemon")]
            forward: None,
        }
    }

    /// Whether alerts have to come one by one, in the order of the inputs.
    pub fn needs_order(&self) -> bool {
        #[cfg(feature = "daemon")]
        if self.forward.is_some() {
            return true;
        }
        self.encoder.format() == Format::Text
            || !self.selection.takes_all()
            || self.first
            || self.max_alerts.is_some()
            || self.form != Form::Alerts
            || self.summary
    }
}

/// What was left out, and what was found.
#[derive(Clone, Debug, Default)]
pub struct Totals {
    /// Unwanted alerts, by reason.
    pub left_out: BTreeMap<OmitReason, u64>,
    /// The findings, if requested.
    pub summary: Option<Box<Summary>>,
}

/// Receives alerts one by one.
#[derive(Debug)]
pub(super) struct Outlet {
    output: Output,
    shown: Shown,
    /// The observables of the input that were reported.
    seen: HashSet<u128>,
    /// Alerts of the input by path: each member of an archive has its own.
    counts: Vec<(Arc<str>, u64)>,
    taken: u64,
    result: Totals,
}

impl Outlet {
    pub(super) fn new(output: Output) -> Outlet {
        let summary = output.summary.then(Box::default);
        let result = Totals { summary, ..Totals::default() };
        let (shown, seen, counts) = (Shown::default(), HashSet::new(), Vec::new());
        Outlet { output, shown, seen, counts, taken: 0, result }
    }

    /// Writes the alert if it is wanted, and returns whether it is.
    pub(super) fn take(&mut self, alert: &Alert<'_>, out: &mut Vec<u8>) -> bool {
        #[cfg(feature = "daemon")]
        if let Some(Forward(forward)) = &self.output.forward {
            let (hit, origin) = (alert.hit().clone().into_owned(), alert.origin().clone());
            forward(OwnedHit { hit, origin, read_at: alert.time() });
            return true;
        }
        if let Some(reason) = self.omit_reason(alert) {
            *self.result.left_out.entry(reason).or_default() += 1;
            return false;
        }
        self.taken += 1;
        if let Some(summary) = &mut self.result.summary {
            summary.add(alert);
        }
        match self.output.form {
            Form::Alerts => self.output.encoder.encode_after(&mut self.shown, alert, out),
            Form::Counts | Form::Count | Form::Paths => self.count(alert.input(), out),
            Form::Nothing => {}
        }
        true
    }

    fn omit_reason(&mut self, alert: &Alert<'_>) -> Option<OmitReason> {
        if let Some(reason) = self.output.selection.omit_reason(alert) {
            return Some(reason);
        }
        if self.is_full() {
            return Some(OmitReason::Limit);
        }
        (self.output.first && !self.is_new(alert)).then_some(OmitReason::Repeated)
    }

    fn is_new(&mut self, alert: &Alert<'_>) -> bool {
        if self.seen.len() >= MAX_SEEN {
            self.seen.clear();
        }
        let seen = &alert.hit().seen;
        let mut key = Xxh3::new();
        for part in [alert.input(), seen.kind.name(), &seen.value] {
            key.update(part.as_bytes());
            key.update(b"\0");
        }
        self.seen.insert(key.digest128())
    }

    fn count(&mut self, path: &Arc<str>, out: &mut Vec<u8>) {
        match self.counts.last_mut() {
            Some((last, count)) if last == path => *count += 1,
            _ => {
                self.counts.push((Arc::clone(path), 1));
                if self.output.form == Form::Paths {
                    line(path, None, out);
                }
            }
        }
    }

    /// Whether nothing more is wanted of the input.
    pub(super) fn is_full(&self) -> bool {
        let limit = match self.output.form {
            Form::Paths if !self.output.summary => Some(1),
            _ => self.output.max_alerts,
        };
        limit.is_some_and(|limit| self.taken >= limit)
    }

    /// Ends the input; what follows belongs to the next one.
    pub(super) fn ends(&mut self, input: &str, out: &mut Vec<u8>) {
        match self.output.form {
            Form::Counts if self.counts.is_empty() => line(input, Some(0), out),
            Form::Counts => {
                self.counts.iter().for_each(|(path, count)| line(path, Some(*count), out));
            }
            Form::Count => out.extend_from_slice(format!("{}\n", self.taken).as_bytes()),
            _ => {}
        }
        self.counts.clear();
        self.seen.clear();
        self.taken = 0;
    }

    pub(super) fn into_totals(self) -> Totals {
        self.result
    }
}

/// A path, with its control characters escaped, and a count.
fn line(path: &str, count: Option<u64>, out: &mut Vec<u8>) {
    out.extend_from_slice(crate::engine::alert::escape_shortened(path).as_bytes());
    if let Some(count) = count {
        out.extend_from_slice(format!(":{count}").as_bytes());
    }
    out.push(b'\n');
}
