//! A sink that discards everything.

use super::contract::Sink;
use super::records::Records;
use crate::Result;

/// A sink that discards everything, for runs where only the result matters.
#[derive(Clone, Copy, Debug, Default)]
pub struct Null;

impl Sink for Null {
    fn write(&mut self, _: &Records) -> Result<()> {
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}
