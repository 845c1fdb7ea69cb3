//! What the shares of a capture find, put in the order of its packets.

use crate::engine::alert::Origin;
use crate::engine::indicator::{Flow, Place};
use crate::engine::packet::{Order, SHARDS};
use crate::engine::scan::Hit;
use crate::sensor::sink::Records;
use hashbrown::HashMap;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

/// What one share found in a piece of a capture, in the order of its packets.
#[derive(Debug, Default)]
pub(super) struct Findings {
    list: Vec<(Order, Finding)>,
    /// Encoded records, one behind the other.
    records: Vec<u8>,
    order: Order,
}

#[derive(Debug)]
enum Finding {
    /// A record, and where it lies.
    Record(Range<usize>),
    /// An alert that is written when its turn comes.
    Alert(Box<Waiting>),
    /// An alert that waits for the totals of its flow.
    Waits(Box<Waiting>),
    /// A flow that somebody may wait for was closed.
    Closed(u64, Flow),
}

/// An alert about an address, of which the totals of the flow are missing.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) hit: Hit<'static>,
    /// What the database that found it says of itself.
    pub(super) origin: Arc<Origin>,
    pub(super) flow: u64,
}

impl Findings {
    /// What comes now was found by the packet of this place.
    pub(super) fn begins(&mut self, order: Order) {
        self.order = order;
    }

    /// Takes a record that is written by `write`.
    pub(super) fn record(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.records.len();
        write(&mut self.records);
        self.list.push((self.order, Finding::Record(start..self.records.len())));
    }

    /// Takes an alert that is to be written in the order of the inputs.
    pub(super) fn alert(&mut self, waiting: Waiting) {
        self.list.push((self.order, Finding::Alert(Box::new(waiting))));
    }

    /// Adds what a second reader of the same packets found. Records are only of the first.
    pub(super) fn append(&mut self, mut other: Findings) {
        self.list.append(&mut other.list);
    }

    pub(super) fn wait(&mut self, waiting: Waiting) {
        self.list.push((self.order, Finding::Waits(Box::new(waiting))));
    }

    pub(super) fn closed(&mut self, flow: u64, totals: Flow) {
        self.list.push((self.order, Finding::Closed(flow, totals)));
    }
}

/// Alerts that wait for the totals of their flow, and for those in front of them.
const MAX_WAITING: usize = 16 << 10;

/// What is ready to be passed on.
#[derive(Debug, Default)]
pub(super) struct Ready {
    pub(super) records: Records,
    /// Where alerts are written when their turn comes: those, and no records.
    pub(super) alerts: Vec<Waiting>,
}

impl Ready {
    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty() && self.alerts.is_empty()
    }

    /// About how many bytes it takes.
    pub(super) fn weight(&self) -> usize {
        self.records.bytes().len() + 1024 * self.alerts.len()
    }

    /// Adds what comes after it.
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

/// Puts together what the shares found.
///
/// An address is reported once for a flow, in the place of the flow's first packet and with
/// the flow's totals. So alerts wait until the flows of all alerts before them are closed, or
/// until too many wait; then the first ones go on with the totals that are known by then.
#[derive(Debug, Default)]
pub(super) struct Merger {
    waiting: VecDeque<Entry>,
    /// Alerts that went on.
    gone: u64,
    /// Which alerts wait for a flow, counted from the first of all.
    flows: HashMap<u64, Vec<u64>>,
}

impl Merger {
    /// Takes what all shares found in the next piece, and gives what is ready. `late` writes
    /// the record of an alert that had to wait, unless its turn is still to come.
    pub(super) fn add(
        &mut self,
        shares: [Findings; SHARDS],
        late: &dyn Fn(&Waiting, &mut Vec<u8>) -> bool,
    ) -> Ready {
        let mut all = Vec::with_capacity(shares.iter().map(|share| share.list.len()).sum());
        let mut records = Vec::with_capacity(SHARDS);
        for (number, share) in shares.into_iter().enumerate() {
            all.extend(share.list.into_iter().map(|(order, found)| (order, number, found)));
            records.push(share.records);
        }
        // Each share's are in order, and a packet is of one share: stable is enough.
        all.sort_by_key(|&(order, ..)| order);
        let mut out = Ready::default();
        for (_, share, found) in all {
            match found {
                Finding::Record(range) => {
                    let record = records.get(share).and_then(|records| records.get(range));
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

    /// Gives everything that still waits.
    pub(super) fn finish(&mut self, late: &dyn Fn(&Waiting, &mut Vec<u8>) -> bool) -> Ready {
        let mut out = Ready::default();
        self.release(0, late, &mut out);
        out
    }

    fn close(&mut self, flow: u64, totals: Flow, late: &dyn Fn(&Waiting, &mut Vec<u8>) -> bool) {
        for serial in self.flows.remove(&flow).unwrap_or_default() {
            // Those that went on had to do without.
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

    /// Gives the alerts in front that wait for nothing, and as many more as it takes to keep
    /// at most `most`.
    fn release(
        &mut self,
        most: usize,
        late: &dyn Fn(&Waiting, &mut Vec<u8>) -> bool,
        out: &mut Ready,
    ) {
        while let Some(first) = self.waiting.front() {
            if matches!(first, Entry::Waits(_)) && self.waiting.len() <= most {
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
