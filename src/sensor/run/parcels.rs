//! Files that mails carry, between the decoder that finds them and the pipeline that searches them.

use crate::Result;
use crate::engine::packet::{Attachment, Parcel};
use crate::sensor::input::{Carrier, Input, Spool};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest name that is kept, in bytes.
const MAX_NAME: usize = 1 << 10;

/// A file that a mail carries.
#[derive(Debug)]
pub(super) struct Carried {
    pub(super) name: Vec<u8>,
    /// How many mails it is nested in.
    pub(super) depth: u8,
    pub(super) spool: Spool,
}

/// The complete files of an input, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Parcels(Arc<Mutex<Vec<Carried>>>);

impl Parcels {
    /// Receives the bytes of a file.
    pub(super) fn begin(&self, file: &Attachment<'_>) -> Box<dyn Parcel> {
        let name = file.name.get(..MAX_NAME).unwrap_or(file.name).to_vec();
        let carried = Carried { name, depth: file.depth, spool: Spool::new(file.is_reported) };
        Box::new(Open { carried, whole: self.clone() })
    }

    /// The files that are complete by now.
    pub(super) fn take(&self) -> Vec<Carried> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A file whose bytes are still arriving.
#[derive(Debug)]
struct Open {
    carried: Carried,
    whole: Parcels,
}

impl Parcel for Open {
    fn take(&mut self, bytes: &[u8]) {
        self.carried.spool.push(bytes);
    }

    fn end(self: Box<Self>, _: bool) {
        let Open { mut carried, whole } = *self;
        if carried.spool.end() {
            whole.0.lock().unwrap_or_else(PoisonError::into_inner).push(carried);
        }
    }

    fn weight(&self) -> usize {
        self.carried.spool.weight()
    }
}

impl Carried {
    /// Opens it as a member of the input that carried it.
    pub(super) fn open(self, carrier: &mut Carrier) -> Result<Option<Input>> {
        carrier.open(&self.name, self.depth, self.spool)
    }
}
