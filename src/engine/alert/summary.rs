//! What a run found, counted: the indicators, feeds, inputs and hosts with the most
//! alerts.

use super::Alert;
use super::record::ends;
use crate::engine::indicator::{Kind, PacketPlace, Severity, Timestamp};
use hashbrown::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

/// Different keys that a table counts; some 40 MiB of them.
const MAX_KEYS: usize = 1 << 18;

/// Counts by key, of a bounded number of keys.
#[derive(Clone, Debug)]
pub struct Tally<K> {
    counts: HashMap<K, u64>,
    /// What came when there was no room for another key.
    others: u64,
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Tally { counts: HashMap::new(), others: 0 }
    }
}

impl<K: Eq + Hash + Ord> Tally<K> {
    fn add(&mut self, key: K) {
        if let Some(count) = self.counts.get_mut(&key) {
            *count += 1;
        } else if self.counts.len() < MAX_KEYS {
            self.counts.insert(key, 1);
        } else {
            self.others += 1;
        }
    }

    /// The keys with the most alerts, those first; equal ones in their own order.
    pub fn top(&self, most: usize) -> Vec<(&K, u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(key, &count)| (key, count)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(most);
        all
    }

    /// How many different keys were counted.
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// Alerts whose keys were not counted, because 262,144 others were already.
    pub fn others(&self) -> u64 {
        self.others
    }
}

/// What a run found.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// Alerts in all.
    pub alerts: u64,
    /// By the most specific indicator of each.
    pub indicators: Tally<(Kind, String)>,
    /// By feed; an alert counts for each feed that claims it.
    pub feeds: Tally<String>,
    /// By path or interface.
    pub inputs: Tally<Arc<str>>,
    /// By the host that spoke with what is listed, or that asked for it: the other end
    /// where an address met, else the one that opened the flow. Alerts of logs have none.
    pub hosts: Tally<IpAddr>,
    by_severity: [u64; 5],
    /// The time of the earliest and of the latest alert.
    pub span: Option<(Timestamp, Timestamp)>,
}

impl Summary {
    /// Counts an alert.
    pub fn add(&mut self, alert: &Alert<'_>) {
        self.alerts += 1;
        let (kind, value) = alert.best();
        self.indicators.add((kind, value.to_owned()));
        for feed in alert.feeds() {
            self.feeds.add(feed.to_owned());
        }
        if let Some(log) = alert.log() {
            self.inputs.add(Arc::clone(&log.path));
        }
        if let Some(packet) = alert.packet() {
            self.inputs.add(Arc::clone(&packet.path));
            if let Some(host) = host(packet, &alert.seen().value) {
                self.hosts.add(host);
            }
        }
        if let Some(count) = self.by_severity.get_mut(alert.severity() as usize) {
            *count += 1;
        }
        let time = alert.time();
        let (first, last) = self.span.unwrap_or((time, time));
        self.span = Some((first.min(time), last.max(time)));
    }

    /// Alerts by severity, the worst first, those that there were.
    pub fn severities(&self) -> impl Iterator<Item = (Severity, u64)> {
        let all = (1..=4).rev().filter_map(Severity::from_number);
        all.map(|severity| (severity, self.by_severity[severity as usize]))
            .filter(|(_, count)| *count > 0)
    }
}

/// Whose alert it is: an end of the packet that is not the one that is listed.
fn host(packet: &PacketPlace, seen: &str) -> Option<IpAddr> {
    let [(opener, _), (other, _)] = ends(packet);
    let is_listed = |ip: IpAddr| seen.parse() == Ok(ip);
    opener.filter(|&ip| !is_listed(ip)).or(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_come_first_and_tables_are_bounded() {
        let mut tally = Tally::default();
        for (key, count) in [(3, 2), (1, 5), (2, 2)] {
            (0..count).for_each(|_| tally.add(key));
        }
        assert_eq!(tally.top(2), [(&1, 5), (&2, 2)]);
        assert_eq!((tally.distinct(), tally.others()), (3, 0));
        (10..10 + MAX_KEYS).for_each(|key| tally.add(key));
        assert_eq!((tally.distinct(), tally.others()), (MAX_KEYS, 3));
        tally.add(1);
        assert_eq!(tally.top(1), [(&1, 6)]);
    }
}
