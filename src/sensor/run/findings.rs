//! The findings of the shards of a capture, put in the order of its packets.

use crate::engine::alert::Provenance;
use crate::engine::indicator::{Flow, Place};
use crate::engine::packet::{Order, SHARDS};
use crate::engine::scan::Hit;
use crate::sensor::sink::Records;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// What one shard found in a piece of a capture, in the order of its packets.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<(Order, Finding)>,
    /// Encoded records, one after the other.
    records: Vec<u8>,
    order: Order,
}

#[derive(Debug)]
enum Finding {
    /// A record, and where it is.
    Record(Range<usize>),
    /// An alert that is written when its turn comes.
    Alert(Box<Waiting>),
    /// An alert that waits for the totals of its flow.
    Waits(Box<Waiting>),
    /// A flow that an alert may wait for was closed.
    Closed(u64, Flow),
}

/// An alert about an address that lacks the totals of its flow.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) hit: Hit<'static>,
    /// The facts of the database that found it.
    pub(super) origin: Arc<Provenance>,
    pub(super) flow: u64,
}

impl Findings {
    /// What follows was found by the packet of this order.
    pub(super) fn begins(&mut self, order: Order) {
        self.order = order;
    }

    /// Adds a record that `write` writes.
    pub(super) fn record(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.records.len();
        write(&mut self.records);
        self.list.push((self.order, Finding::Record(start..self.records.len())));
    }

    /// Adds an alert that is to be written in the order of the inputs.
    pub(super) fn alert(&mut self, waiting: Waiting) {
        self.list.push((self.order, Finding::Alert(Box::new(waiting))));
    }

    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.list.push((self.order, Finding::Waits(Box::new(waiting))));
    }

    pub(super) fn closed(&mut self, flow: u64, totals: Flow) {
        self.list.push((self.order, Finding::Closed(flow, totals)));
    }
}

/// Alerts that wait for the totals of their flow, and for the alerts before them.
const MAX_WAITING: usize = 16 << 10;

/// What is ready to be passed on.
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub(super) records: Records,
    /// Alerts that are written when their turn comes; if there are any, there are no records.
    pub(super) alerts: Vec<Waiting>,
}

impl Ready {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.alerts.is_empty()
    }

    /// Its approximate size in bytes.
    pub(super) fn weight(&self) -> usize {
        self.records.bytes().len() + 1024 * self.alerts.len()
    }

    /// Appends what comes after it.
    pub(super) fn extend(&mut self, mut more: Ready) {
        self.records.append(&mut more.records);
        self.alerts.extend(more.alerts);
    }
}

#[derive(Debug)]
enum Entry {
    Ready(Vec<u8>),
    Alert(Box<Waiting>),
    Waits(Box<Waiting>),
}

/// Combines the findings of the shards.
///
/// An address is reported once for a flow, at the position of the flow's first packet and with the
/// flow's totals. So alerts wait until the flows of all alerts before them are closed, or until too
/// many wait; then the first ones are released with the totals known by then.
#[derive(Debug, Default)]
pub(super) struct Merger {
    waiting: VecDeque<Entry>,
    /// The number of alerts that were released.
    gone: u64,
    /// Which alerts wait for a flow, counted from the first of all.
    flows: HashMap<u64, Vec<u64>>,
}

impl Merger {
    /// Takes the findings of all shards in the next piece, and returns what is ready. `late` writes
    /// the record of an alert that had to wait, unless its turn is still to come.
    pub(super) fn add(
        &mut self,
        shards: [Findings; SHARDS],
        late: &dyn Fn(&Waiting, &mut Vec<u8>) -> bool,
    ) -> Ready {
        let mut all = Vec::with_capacity(shards.iter().map(|shard| shard.list.len()).sum());
        let mut records = Vec::with_capacity(SHARDS);
        for (number, shard) in shards.into_iter().enumerate() {
            all.extend(shard.list.into_iter().map(|(order, found)| (order, number, found)));
            records.push(shard.records);
        }
        // Each shard's findings are in order, and a packet belongs to one shard: a stable sort is
        // enough.
        all.sort_by_key(|&(order, ..)| order);
        let mut out = Ready::default();
        for (_, shard, found) in all {
            match found {
                Finding::Record(range) => {
                    let record = records.get(shard).and_then(|records| records.get(range));
                    let record = record.unwrap_or_default();
                    if self.waiting.is_empty() {
                        self.give(&mut out, record);
                    } else {
                        self.waiting.push_back(Entry::Ready(record.to_vec()));
                    }
                }
                Finding::Alert(alert) => {
                    if self.waiting.is_empty() {
                        self.gone += 1;
                        out.alerts.push(*alert);
                    } else {
                        self.waiting.push_back(Entry::Alert(alert));
                    }
                }
                Finding::Waits(waiting) => {
                    let serial = self.gone + self.waiting.len() as u64;
                    self.flows.entry(waiting.flow).or_default().push(serial);
                    self.waiting.push_back(Entry::Waits(waiting));
                }
                Finding::Closed(flow, totals) => self.close(flow, totals, late),
            }
            self.release(MAX_WAITING, late, &mut out);
        }
        out
    }

    /// Releases everything that still waits.
    pub(super) fn finish(&mut self, late: &dyn Fn(&Waiting, &mut Vec<u8>) -> bool) -> Ready {
        let mut out = Ready::default();
        self.release(0, late, &mut out);
        out
    }

    fn close(&mut self, flow: u64, totals: Flow, late: &dyn Fn(&Waiting, &mut Vec<u8>) -> bool) {
        for serial in self.flows.remove(&flow).unwrap_or_default() {
            // Alerts that were released earlier did without the totals.
            let place = serial.checked_sub(self.gone).map(|place| place as usize);
            let Some(entry) = place.and_then(|place| self.waiting.get_mut(place)) else { continue };
            if let Entry::Waits(waiting) = entry {
                if let Place::Packet(place) = &mut waiting.hit.place {
                    place.flow = Some(totals);
                }
                let mut record = Vec::new();
                if late(waiting, &mut record) {
                    *entry = Entry::Ready(record);
                } else if let Entry::Waits(waiting) = std::mem::replace(entry, Entry::Ready(record))
                {
                    *entry = Entry::Alert(waiting);
                }
            }
        }
    }

    /// Releases the first alerts that wait for nothing, and as many more as it takes to keep at
    /// most `max`.
    fn release(
        &mut self,
        max: usize,
        late: &dyn Fn(&Waiting, &mut Vec<u8>) -> bool,
        out: &mut Ready,
    ) {
        while let Some(first) = self.waiting.front() {
            if matches!(first, Entry::Waits(_)) && self.waiting.len() <= max {
                break;
            }
            match self.waiting.pop_front() {
                Some(Entry::Ready(record)) => self.give(out, &record),
                Some(Entry::Alert(alert)) => {
                    self.gone += 1;
                    out.alerts.push(*alert);
                }
                Some(Entry::Waits(waiting)) => {
                    let mut record = Vec::new();
                    if late(&waiting, &mut record) {
                        self.give(out, &record);
                    } else {
                        self.gone += 1;
                        out.alerts.push(*waiting);
                    }
                }
                None => {}
            }
        }
    }

    fn give(&mut self, out: &mut Ready, record: &[u8]) {
        out.records.record(|bytes| bytes.extend_from_slice(record));
        self.gone += 1;
    }
}
