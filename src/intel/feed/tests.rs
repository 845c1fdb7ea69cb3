//! What the tests of all formats share, and tests that apply to all formats.

mod dates;
mod meanings;
mod props;
mod real;
mod tables;
mod variants;

use super::*;
use crate::Result;

/// What a reader produced, with its summary.
pub(in crate::intel::feed) struct Got {
    pub(in crate::intel::feed) summary: Summary,
    collected: Collected,
}

impl std::ops::Deref for Got {
    type Target = Collected;

    fn deref(&self) -> &Collected {
        &self.collected
    }
}

impl Collected {
    /// Reads bytes and checks that the summary counts what was received.
    pub(in crate::intel::feed) fn read(bytes: &[u8], options: &Options) -> Result<Got> {
        let mut collected = Collected::default();
        let summary = read(bytes, options, &mut collected)?;
        assert_eq!(summary.indicators, collected.indicators.len() as u64);
        assert_eq!(summary.rejected(), collected.rejects.len() as u64);
        Ok(Got { summary, collected })
    }

    /// The canonical texts of the accepted values.
    pub(in crate::intel::feed) fn values(&self) -> Vec<String> {
        self.indicators.iter().map(|indicator| indicator.value.to_string()).collect()
    }
}
