//! The segment of one document, made while it is read.

use super::bytes::put_number;
use super::contexts;
use super::normal::Segment;
use super::payload::{AGAIN, CONTEXT, encode_indicator};
use crate::engine::indicator::{Context, Indicator, Reason, Timestamp};
use crate::intel::feed::{Filter, Reject, Sink, Summary};
use hashbrown::HashMap;
use std::sync::Arc;

/// Builds the segment of one document: applies filters and lifetimes, and encodes
/// records.
#[derive(Debug)]
pub struct SegmentBuilder<'f> {
    filter: &'f Filter,
    /// The lifetime of an undated indicator in microseconds, and its start.
    lifetime: Option<(i64, Timestamp)>,
    segment: Segment,
    numbers: HashMap<Arc<Context<'static>>, u32>,
    /// The last context as received, as encoded, and its number.
    last: Option<(Arc<Context<'static>>, Arc<Context<'static>>, u32)>,
    current: Option<u32>,
}

impl<'f> SegmentBuilder<'f> {
    /// Starts a segment. `lifetime` is in microseconds. It counts from the
    /// indicator's own time, or else from the given one.
    pub fn new(
        name: &str,
        hash: u128,
        filter: &'f Filter,
        lifetime: Option<(i64, Timestamp)>,
    ) -> Self {
        let segment = Segment { name: name.to_string(), hash, ..Segment::default() };
        SegmentBuilder {
            filter,
            lifetime,
            segment,
            numbers: HashMap::new(),
            last: None,
            current: None,
        }
    }

    /// Finishes the segment.
    pub fn finish(self) -> Segment {
        self.segment
    }

    /// Like [`Self::finish`], with the counts of the reader checked against what
    /// was received.
    pub fn finish_as(self, summary: &Summary) -> Segment {
        debug_assert!(self.segment.indicators <= summary.indicators);
        self.segment
    }

    /// Encodes the context unless it was before, and returns its number.
    fn number(&mut self, context: &Arc<Context<'static>>) -> u32 {
        if let Some((seen, _, number)) = &self.last
            && Arc::ptr_eq(seen, context)
        {
            return *number;
        }
        let written = self.with_lifetime(context);
        let number = match self.numbers.get(&written) {
            Some(&number) => number,
            None => {
                let number = self.numbers.len() as u32;
                self.segment.payload.push(CONTEXT);
                let mut bytes = Vec::new();
                contexts::encode(&written, &mut bytes);
                put_number(&mut self.segment.payload, bytes.len() as u64);
                self.segment.payload.extend_from_slice(&bytes);
                self.numbers.insert(Arc::clone(&written), number);
                self.current = Some(number);
                number
            }
        };
        self.last = Some((Arc::clone(context), written, number));
        number
    }

    fn with_lifetime(&self, context: &Arc<Context<'static>>) -> Arc<Context<'static>> {
        let Some((span, base)) = self.lifetime else { return Arc::clone(context) };
        if context.valid_until.is_some() {
            return Arc::clone(context);
        }
        // A pulse is modified when any of its indicators is, so that comes last.
        let seen = context.last_seen.or(context.first_seen);
        let from = seen.or(context.valid_from).or(context.modified).unwrap_or(base);
        let until = Some(Timestamp(from.0.saturating_add(span)));
        Arc::new(Context { valid_until: until, ..Context::clone(context) })
    }
}

impl Sink for SegmentBuilder<'_> {
    fn indicator(&mut self, indicator: Indicator, _: Option<u64>) {
        if !self.filter.is_empty() && !self.filter.takes(&indicator) {
            *self.segment.rejects.entry(Reason::Filtered).or_default() += 1;
            return;
        }
        let number = self.number(&indicator.context);
        if self.current != Some(number) {
            self.segment.payload.push(AGAIN);
            put_number(&mut self.segment.payload, u64::from(number));
            self.current = Some(number);
        }
        encode_indicator(&indicator, &mut self.segment.payload);
        self.segment.indicators += 1;
    }

    fn reject(&mut self, reject: Reject) {
        *self.segment.rejects.entry(reject.reason).or_default() += 1;
    }
}
