//! Counts over all alerts of a run: the indicators, feeds, inputs and hosts with the most
//! alerts.

use super::Alert;
use super::record::ends;
use crate::engine::indicator::{Kind, PacketPlace, Severity, Timestamp};
use hashbrown::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::Arc;

/// The maximum number of keys per table, some 40 MiB. An attacker who controls a log could
/// otherwise fill memory with distinct values.
const MAX_KEYS: usize = 1 << 18;

/// Counts by key, for a bounded number of keys.
#[derive(Clone, Debug)]
pub struct Tally<K> {
    counts: HashMap<K, u64>,
    /// Alerts whose key came when the table was full.
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

    /// The `max` keys with the most alerts, in descending order; ties in the order of the keys.
    pub fn top(&self, max: usize) -> Vec<(&K, u64)> {
        let mut all: Vec<_> = self.counts.iter().map(|(key, &count)| (key, count)).collect();
        all.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
        all.truncate(max);
        all
    }

    /// The number of keys counted.
    pub fn distinct(&self) -> usize {
        self.counts.len()
    }

    /// Alerts that were not counted by key, because the table already had 262,144 keys.
    pub fn others(&self) -> u64 {
        self.others
    }
}

/// The counts of a run.
#[derive(Clone, Debug, Default)]
pub struct Summary {
    /// The number of alerts.
    pub alerts: u64,
    /// By the most specific indicator of each alert.
    pub indicators: Tally<(Kind, String)>,
    /// By feed. An alert counts once for each feed that lists its indicators, so the sum can
    /// exceed `alerts`.
    pub feeds: Tally<String>,
    /// By path or interface.
    pub inputs: Tally<Arc<str>>,
    /// By host: the one that talked to what is listed, or that asked for it. That is the other
    /// end if an address matched, else the initiator of the flow. Alerts of logs have none.
    pub hosts: Tally<IpAddr>,
    by_severity: [u64; 5],
    /// The times of the earliest and the latest alert.
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

    /// Alerts by severity, the worst first, without zeros.
    pub fn severities(&self) -> impl Iterator<Item = (Severity, u64)> {
        let all = (1..=4).rev().filter_map(Severity::from_number);
        all.map(|severity| (severity, self.by_severity[severity as usize]))
            .filter(|(_, count)| *count > 0)
    }
}

/// The host to blame: the end of the connection that is not listed.
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
