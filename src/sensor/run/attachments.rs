//! Files that mails carry, between the decoder that finds them and the pipeline that searches them.

use crate::Result;
use crate::engine::packet::{Attachment, AttachmentSink};
use crate::sensor::input::{Carrier, Input, Spool};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest name that is kept, in bytes.
const MAX_NAME: usize = 1 << 10;

/// A file that a mail carries.
#[derive(Debug)]
pub(super) struct AttachedFile {
    pub(super) name: Vec<u8>,
    /// How many mails it is nested in.
    pub(super) depth: u8,
    pub(super) spool: Spool,
}

/// The complete files of an input, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct Attachments(Arc<Mutex<Vec<AttachedFile>>>);

impl Attachments {
    /// Receives the bytes of a file.
    pub(super) fn begin(&self, file: &Attachment<'_>) -> Box<dyn AttachmentSink> {
        let name = file.name.get(..MAX_NAME).unwrap_or(file.name).to_vec();
        let file = AttachedFile { name, depth: file.depth, spool: Spool::new(file.is_reported) };
        Box::new(Open { file, whole: self.clone() })
    }

    /// The files that are complete by now.
    pub(super) fn take(&self) -> Vec<AttachedFile> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A file whose bytes are still arriving.
#[derive(Debug)]
struct Open {
    file: AttachedFile,
    whole: Attachments,
}

impl AttachmentSink for Open {
    fn take(&mut self, bytes: &[u8]) {
        self.file.spool.push(bytes);
    }

    fn end(self: Box<Self>, _: bool) {
        let Open { mut file, whole } = *self;
        if file.spool.end() {
            whole.0.lock().unwrap_or_else(PoisonError::into_inner).push(file);
        }
    }

    fn weight(&self) -> usize {
        self.file.spool.weight()
    }
}

impl AttachedFile {
    /// Opens it as a member of the input that carried it.
    pub(super) fn open(self, carrier: &mut Carrier) -> Result<Option<Input>> {
        carrier.open(&self.name, self.depth, self.spool)
    }
}
