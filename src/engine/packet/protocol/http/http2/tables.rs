//! The allowed table size for each side's encoder (RFC 9113, 4.3.1 and 6.5).
//!
//! A side announces its limit in SETTINGS, and the other side may use it from its acknowledgement
//! on. Each direction is parsed separately, so the announced limit waits here for the
//! acknowledgement in the other direction.

use crate::engine::progress::bound;
use std::collections::VecDeque;

/// SETTINGS without an acknowledgement. No implementation sends as many.
const MAX_WAITING: usize = bound(32, 3);

/// SETTINGS_HEADER_TABLE_SIZE, and its default.
const TABLE_SIZE: u16 = 1;
pub(super) const INITIAL: usize = 4096;

/// A setting: its name in two bytes, its value in four.
pub(super) const SETTING: usize = 6;

/// What both directions announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Tables {
    /// The client's preface was captured, and there was no HTTP/1 before it.
    pub(super) is_begun: bool,
    client: Waiting,
    server: Waiting,
}

/// Sizes in the SETTINGS of one side that were not acknowledged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Waiting {
    sizes: VecDeque<Option<usize>>,
    /// It is unknown which one will be acknowledged next.
    is_lost: bool,
}

/// The effect of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// No change.
    Same,
    Most(usize),
    Unknown,
}

impl Tables {
    fn of(&mut self, is_client: bool) -> &mut Waiting {
        if is_client { &mut self.client } else { &mut self.server }
    }

    /// A side has sent SETTINGS, possibly with a size for its peer's table.
    pub(super) fn offer(&mut self, is_client: bool, size: Option<usize>) {
        let waiting = self.of(is_client);
        if waiting.sizes.len() < MAX_WAITING {
            waiting.sizes.push_back(size);
        } else {
            self.lose(is_client);
        }
    }

    /// A side acknowledges the oldest SETTINGS of its peer.
    pub(super) fn acknowledge(&mut self, is_client: bool) -> Allowed {
        let waiting = self.of(!is_client);
        match waiting.sizes.pop_front() {
            _ if waiting.is_lost => Allowed::Unknown,
            None => Allowed::Unknown,
            Some(None) => Allowed::Same,
            Some(Some(size)) => Allowed::Most(size),
        }
    }

    /// Frames of a side are missing.
    pub(super) fn lose(&mut self, is_client: bool) {
        *self.of(is_client) = Waiting { sizes: VecDeque::new(), is_lost: true };
        // These may include acknowledgements.
        self.of(!is_client).is_lost = true;
    }

    pub(super) fn weight(&self) -> usize {
        let rows = self.client.sizes.capacity() + self.server.sizes.capacity();
        rows * size_of::<Option<usize>>()
    }
}

/// The table size, if a setting sets it.
pub(super) fn parse(setting: &[u8]) -> Option<usize> {
    let &[high, low, ref value @ ..] = setting else { return None };
    let value = u32::from_be_bytes(*value.first_chunk()?);
    (u16::from_be_bytes([high, low]) == TABLE_SIZE)
        .then(|| usize::try_from(value).unwrap_or(usize::MAX))
}
