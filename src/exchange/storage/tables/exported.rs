//! The values of many pulses, each once, for lists of values.
//!
//! To look up the value of each indicator is what takes the longest in a large export. Where a
//! selection has a good part of all pulses, it is faster to read both tables from the beginning
//! to the end: a bit for each value that an exported indicator has, then the values that have
//! their bit. Ten million values need a megabyte for it.

use super::rows::{ACTIVE, kind_of};
use super::statements::{Param, all, each, failed, number};
use super::view::View;
use super::visible::{parameters, selected, selected_number, visible};
use crate::engine::error::Result;
use crate::engine::indicator::Timestamp;
use crate::exchange::accounts::Viewer;
use crate::exchange::pulses::Type;
use crate::exchange::storage::Selection;

/// A selection with less than one of so many pulses is read pulse by pulse.
const SHARE: i64 = 8;

/// A set of numbers of rows.
#[derive(Default)]
struct Bits(Vec<u64>);

impl Bits {
    fn place(number: i64) -> (usize, u64) {
        let number = usize::try_from(number).unwrap_or(0);
        (number / 64, 1 << (number % 64))
    }

    fn set(&mut self, number: i64) {
        let (at, bit) = Bits::place(number);
        if at >= self.0.len() {
            self.0.resize(at + 1, 0);
        }
        self.0[at] |= bit;
    }

    fn has(&self, number: i64) -> bool {
        let (at, bit) = Bits::place(number);
        self.0.get(at).is_some_and(|word| word & bit != 0)
    }
}

impl View<'_> {
    /// Passes on the normalised values of the indicators of a selection that machines should
    /// get, each once, in no order. Answers when the first of the indicators expires, or the end
    /// of time; `None`, and nothing is passed on, if the selection is a small part of all pulses.
    ///
    /// # Errors
    ///
    /// That of `take`, or the storage cannot be read.
    pub fn exported_values(
        &self,
        (viewer, selection): (Viewer, Selection),
        kinds: &[Type],
        take: &mut dyn FnMut(Type, &str) -> Result<()>,
    ) -> Result<Option<Timestamp>> {
        let pulses = self.pulse_keys(viewer, selection)?;
        let whole = number(self.connection, "SELECT COUNT(*) FROM pulse", &[]).map_err(failed)?;
        if (pulses.len() as i64).saturating_mul(SHARE) < whole {
            return Ok(None);
        }
        let mut known = Bits::default();
        pulses.into_iter().for_each(|pulse| known.set(pulse));
        let (values, until) = self.exported(&known)?;
        let mut outcome = Ok(());
        let sql = "SELECT v.id, v.kind, v.norm FROM value v ORDER BY v.id";
        each(self.connection, sql, &[], |row| {
            if !values.has(row.get(0)?) {
                return Ok(true);
            }
            let kind = kind_of(row.get(1)?);
            if kinds.is_empty() || kinds.contains(&kind) {
                outcome = take(kind, &row.get::<String>(2)?);
            }
            Ok(outcome.is_ok())
        })
        .map_err(failed)?;
        outcome.map(|()| Some(Timestamp(until)))
    }

    /// The keys of the pulses of a selection.
    fn pulse_keys(&self, viewer: Viewer, selection: Selection) -> Result<Vec<i64>> {
        let (me, open) = parameters(viewer);
        let of = selected_number(selection);
        let sql =
            format!("SELECT p.id FROM pulse p WHERE {} AND {}", visible("p"), selected(selection));
        let params: [Param<'_>; 3] = [(":me", &me), (":open", &open), (":selected", &of)];
        all(self.connection, &sql, &params, |row| row.get(0)).map_err(failed)
    }

    /// The values of exported indicators of some pulses, and when the first expires.
    fn exported(&self, pulses: &Bits) -> Result<(Bits, i64)> {
        let (mut values, mut until) = (Bits::default(), i64::MAX);
        let sql = format!(
            "SELECT e.pulse, e.value, e.expiration FROM entry e \
             WHERE {ACTIVE} AND e.suppressed = 0"
        );
        let now = self.now();
        let params: [Param<'_>; 1] = [(":now", &now.0)];
        each(self.connection, &sql, &params, |row| {
            if pulses.has(row.get(0)?) {
                values.set(row.get(1)?);
                until = until.min(row.get::<Option<i64>>(2)?.unwrap_or(i64::MAX));
            }
            Ok(true)
        })
        .map_err(failed)?;
        Ok((values, until))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn bits_are_a_set(numbers in prop::collection::btree_set(1..400i64, 0..60)) {
            let mut bits = Bits::default();
            numbers.iter().for_each(|number| bits.set(*number));
            let found: BTreeSet<i64> = (1..500).filter(|number| bits.has(*number)).collect();
            prop_assert_eq!(found, numbers);
        }
    }
}
