//! Exchanges, and the trait that stores what a walk finds.

use super::{misp, otx, taxii};
use crate::engine::error::Result;
use crate::intel::feed::fetch::{Client, Clock};
use crate::intel::feed::{Options, Sink, Summary};

/// Stores what a walk finds. Everything put before
/// [`set_cursor`](DocumentStore::set_cursor) returns is durable afterwards.
pub trait DocumentStore {
    /// Stores a document (a pulse, an event, a page of objects) as sent, replacing
    /// the one with this name.
    ///
    /// # Errors
    ///
    /// It cannot be stored.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Removes a document, if it exists.
    ///
    /// # Errors
    ///
    /// The removal cannot be stored.
    fn remove(&mut self, name: &str) -> Result<()>;

    /// The names of all documents.
    ///
    /// # Errors
    ///
    /// They cannot be read.
    fn names(&self) -> Result<Vec<String>>;

    /// Reads a document, if it exists.
    ///
    /// # Errors
    ///
    /// It exists but cannot be read.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// The position of the walk, in the exchange's own format. It survives crashes.
    fn cursor(&self) -> Option<&str>;

    /// Stores the position of the walk, after everything that was put.
    ///
    /// # Errors
    ///
    /// It cannot be made durable.
    fn set_cursor(&mut self, cursor: &str) -> Result<()>;
}

/// Parses the cursor. If it is not understood, the walk starts from the beginning.
pub(super) fn resumed<T: serde::de::DeserializeOwned + Default>(store: &dyn DocumentStore) -> T {
    store.cursor().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// A server, with what is subscribed to.
#[derive(Clone, Debug)]
pub enum Exchange {
    /// Pulses of an OTX account.
    Otx(otx::Otx),
    /// Collections of a TAXII server.
    Taxii(taxii::Taxii),
    /// Events of a MISP feed or server.
    Misp(misp::Misp),
}

impl Exchange {
    /// Fetches what changed since the last walk, or continues one that was
    /// interrupted.
    ///
    /// # Errors
    ///
    /// The exchange refuses access, fails too often, or sends something invalid.
    /// Everything received before that is stored, and the next walk continues after
    /// it.
    pub fn walk(
        &self,
        client: &Client,
        store: &mut dyn DocumentStore,
        clock: &dyn Clock,
    ) -> Result<WalkSummary> {
        match self {
            Exchange::Otx(otx) => otx.walk(client, store, clock),
            Exchange::Taxii(taxii) => taxii.walk(client, store, clock),
            Exchange::Misp(misp) => misp.walk(client, store, clock),
        }
    }

    /// Whether each document is complete in itself. If not, documents must be read
    /// together, because one may say something about the objects of another.
    pub fn are_documents_independent(&self) -> bool {
        !matches!(self, Exchange::Taxii(_))
    }

    /// Reads all stored documents.
    ///
    /// # Errors
    ///
    /// A document cannot be read. None is skipped.
    pub fn read(
        &self,
        store: &dyn DocumentStore,
        options: &Options,
        sink: &mut dyn Sink,
    ) -> Result<Summary> {
        let format = match self {
            Exchange::Otx(_) => crate::intel::feed::Format::Otx,
            Exchange::Taxii(_) => crate::intel::feed::Format::Stix,
            Exchange::Misp(_) => crate::intel::feed::Format::Misp,
        };
        let options = Options { format: Some(format), ..options.clone() };
        let mut names = store.names()?;
        names.sort_unstable();
        let mut summary = Summary::new(format);
        let mut together = Vec::new();
        for name in names {
            let Some(document) = store.get(&name)? else { continue };
            if self.are_documents_independent() {
                let read = crate::intel::feed::read(&document, &options, sink);
                summary.add(&read.map_err(|error| error.at_path(&name))?);
            } else {
                together.extend_from_slice(&document);
                together.push(b'\n');
            }
        }
        if !together.is_empty() {
            summary.add(&crate::intel::feed::read(&together, &options, sink)?);
        }
        Ok(summary)
    }
}

/// The result of a walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct WalkSummary {
    /// Documents added or replaced.
    pub put: u64,
    /// Documents removed.
    pub removed: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// Requests that had to be repeated.
    pub retries: u64,
    /// The total length of the bodies in bytes, decompressed.
    pub bytes: u64,
    /// Documents that the exchange lists but does not deliver.
    pub missing: u64,
}
