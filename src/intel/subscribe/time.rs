//! The clock of exchanges.

use super::StopSignal;
use crate::clock::now;
use crate::engine::indicator::Timestamp;
use crate::intel::feed::fetch;
use crate::{Error, Result};
use std::time::Duration;

/// The time, and waiting that a signal interrupts.
#[derive(Debug)]
pub(super) struct Time<'p>(pub(super) Option<&'p StopSignal>);

impl fetch::Clock for Time<'_> {
    fn now(&self) -> Timestamp {
        now()
    }

    fn sleep(&self, time: Duration) -> Result<()> {
        match self.0 {
            Some(stop) if !stop.wait(time) => Err(Error::usage("interrupted")),
            Some(_) => Ok(()),
            None => {
                std::thread::sleep(time);
                Ok(())
            }
        }
    }
}
