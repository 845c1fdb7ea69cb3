//! Acknowledgements: request identifiers by channel, until they are asked for.

use super::super::net_input::Outgoing;
use crate::engine::progress::bound;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

/// The maximum number of channels. Beyond it the least recently used one is removed, and its client
/// sends unconfirmed requests again.
const MAX_CHANNELS: usize = bound(1 << 10, 3);

/// The maximum number of waiting requests of a channel.
const MAX_WAITING: usize = bound(64 << 10, 4);

/// The maximum length of a channel name: a GUID has 36 characters.
const MAX_NAME: usize = 128;

/// All channels.
#[derive(Debug, Default)]
pub(super) struct Acks {
    channels: HashMap<String, Channel>,
    /// Counts uses, for the order.
    uses: u64,
}

#[derive(Debug, Default)]
struct Channel {
    last_use: u64,
    next: u64,
    /// Requests that were not reported yet, and the positions of their last batches.
    waiting: BTreeMap<u64, Arc<AtomicU64>>,
}

impl Acks {
    /// Whether a channel may have this name.
    pub(super) fn is_channel(name: &str) -> bool {
        !name.is_empty() && name.len() <= MAX_NAME
    }

    /// An identifier for a request whose last batch has this ticket. `None` if too many are
    /// waiting.
    pub(super) fn enter(
        &mut self,
        channel: &str,
        ticket: Arc<AtomicU64>,
        outgoing: &Outgoing,
    ) -> Option<u64> {
        self.make_room(channel);
        self.uses += 1;
        let channel = self.channels.entry(channel.to_string()).or_default();
        channel.last_use = self.uses;
        if channel.waiting.len() >= MAX_WAITING {
            // A client that never asks: what is already safe needs no entry.
            channel.waiting.retain(|_, ticket| !outgoing.is_safe(ticket));
        }
        if channel.waiting.len() >= MAX_WAITING {
            return None;
        }
        let number = channel.next;
        channel.next += 1;
        channel.waiting.insert(number, ticket);
        Some(number)
    }

    /// Which of these requests are safe. Each is reported once.
    pub(super) fn ask(
        &mut self,
        channel: &str,
        numbers: &[u64],
        outgoing: &Outgoing,
    ) -> BTreeMap<u64, bool> {
        self.uses += 1;
        let uses = self.uses;
        let mut channel = self.channels.get_mut(channel);
        if let Some(channel) = &mut channel {
            channel.last_use = uses;
        }
        let mut is_safe = |number: &u64| {
            let Some(channel) = &mut channel else { return false };
            let is_safe = channel.waiting.get(number).is_some_and(|t| outgoing.is_safe(t));
            if is_safe {
                channel.waiting.remove(number);
            }
            is_safe
        };
        let mut states = BTreeMap::new();
        for number in numbers {
            if !states.contains_key(number) {
                states.insert(*number, is_safe(number));
            }
        }
        states
    }

    fn make_room(&mut self, name: &str) {
        if self.channels.len() < MAX_CHANNELS || self.channels.contains_key(name) {
            return;
        }
        let oldest = self.channels.iter().min_by_key(|(_, channel)| channel.last_use);
        if let Some(oldest) = oldest.map(|(name, _)| name.clone()) {
            self.channels.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::NetInput;
    use super::*;

    #[test]
    fn each_is_reported_once_and_only_when_it_is_safe() {
        let (net_input, outgoing) = NetInput::new().unwrap();
        let mut acks = Acks::default();
        let ticket = |position| Arc::new(AtomicU64::new(position));
        assert_eq!(acks.enter("a", ticket(2), &outgoing), Some(0));
        assert_eq!(acks.enter("a", ticket(5), &outgoing), Some(1));
        assert_eq!(acks.enter("b", ticket(1), &outgoing), Some(0));
        // Not passed on yet.
        assert_eq!(acks.enter("b", ticket(0), &outgoing), Some(1));
        let mut ask = |channel: &str| -> Vec<bool> {
            acks.ask(channel, &[0, 1, 1, 7], &outgoing).into_values().collect()
        };
        assert_eq!(ask("a"), [false, false, false]);
        net_input.safe(3);
        net_input.safe(2);
        assert_eq!(ask("a"), [true, false, false]);
        assert_eq!(ask("a"), [false, false, false]);
        net_input.safe(9);
        assert_eq!(
            [ask("a"), ask("b"), ask("c")],
            [vec![false, true, false], vec![true, false, false], vec![false; 3]]
        );
    }

    #[test]
    fn channels_and_what_waits_are_bounded() {
        let (net_input, outgoing) = NetInput::new().unwrap();
        let mut acks = Acks::default();
        for n in 0..MAX_CHANNELS + 5 {
            acks.enter(&format!("c{n}"), Arc::default(), &outgoing);
        }
        assert_eq!(acks.channels.len(), MAX_CHANNELS);
        assert!(!acks.channels.contains_key("c4") && acks.channels.contains_key("c5"));
        for n in 1..=MAX_WAITING as u64 {
            assert!(acks.enter("x", Arc::new(AtomicU64::new(n)), &outgoing).is_some());
        }
        assert_eq!(acks.enter("x", Arc::default(), &outgoing), None);
        net_input.safe(2);
        assert!(acks.enter("x", Arc::default(), &outgoing).is_some());
        assert!(Acks::is_channel("a") && !Acks::is_channel(""));
    }
}
