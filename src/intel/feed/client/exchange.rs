//! What an exchange is, and who keeps what its walk finds.

use super::{misp, otx, taxii};
use crate::engine::error::Result;
use crate::intel::feed::fetch::{Client, Clock};
use crate::intel::feed::{Options, Sink, Summary};

/// What an exchange's walk hands over. Whatever was put before
/// [`set_cursor`](Keeper::set_cursor) returns is durable after it.
pub trait Keeper {
    /// Replaces the document of that name (a pulse, an event, a page of objects), as
    /// the exchange sent it.
    ///
    /// # Errors
    ///
    /// When it cannot be kept.
    fn put(&mut self, name: &str, bytes: &[u8]) -> Result<()>;

    /// Forgets a document; one that is not there is no error.
    ///
    /// # Errors
    ///
    /// When the removal cannot be noted.
    fn remove(&mut self, name: &str) -> Result<()>;

    /// The names of all documents.
    ///
    /// # Errors
    ///
    /// When they cannot be read.
    fn names(&self) -> Result<Vec<String>>;

    /// A document, if it is there.
    ///
    /// # Errors
    ///
    /// When it is there and cannot be read.
    fn get(&self, name: &str) -> Result<Option<Vec<u8>>>;

    /// Where the walk is: text of the exchange's own, kept across crashes.
    fn cursor(&self) -> Option<&str>;

    /// Notes where the walk is, after everything that was put.
    ///
    /// # Errors
    ///
    /// When it cannot be made durable.
    fn set_cursor(&mut self, cursor: &str) -> Result<()>;
}

/// Where a walk goes on: at its beginning, if what is kept is not understood.
pub(super) fn resumed<T: serde::de::DeserializeOwned + Default>(keeper: &dyn Keeper) -> T {
    keeper.cursor().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
}

/// A server, and what of it is subscribed to.
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
    /// Fetches what changed since the last walk, or goes on with one that was cut off.
    ///
    /// # Errors
    ///
    /// When the exchange refuses, fails too often or sends what it must not. What came
    /// before is kept, and the next walk goes on behind it.
    pub fn walk(
        &self,
        client: &Client,
        keeper: &mut dyn Keeper,
        clock: &dyn Clock,
    ) -> Result<Walked> {
        match self {
            Exchange::Otx(otx) => otx.walk(client, keeper, clock),
            Exchange::Taxii(taxii) => taxii.walk(client, keeper, clock),
            Exchange::Misp(misp) => misp.walk(client, keeper, clock),
        }
    }

    /// Whether each document says all that there is to say about its indicators. Else
    /// they are read together: what one says about another's objects counts.
    pub fn documents_stand_alone(&self) -> bool {
        !matches!(self, Exchange::Taxii(_))
    }

    /// Reads everything that is kept.
    ///
    /// # Errors
    ///
    /// When a document cannot be read; none is skipped.
    pub fn read(
        &self,
        keeper: &dyn Keeper,
        options: &Options,
        sink: &mut dyn Sink,
    ) -> Result<Summary> {
        let format = match self {
            Exchange::Otx(_) => crate::intel::feed::Format::Otx,
            Exchange::Taxii(_) => crate::intel::feed::Format::Stix,
            Exchange::Misp(_) => crate::intel::feed::Format::Misp,
        };
        let options = Options { format: Some(format), ..options.clone() };
        let mut names = keeper.names()?;
        names.sort_unstable();
        let mut summary = Summary::new(format);
        let mut together = Vec::new();
        for name in names {
            let Some(document) = keeper.get(&name)? else { continue };
            if self.documents_stand_alone() {
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

/// What a walk did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Walked {
    /// Documents that came, new or changed.
    pub put: u64,
    /// Documents that went.
    pub removed: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// Requests that had to be asked again.
    pub retries: u64,
    /// Bytes of the answers' bodies, unpacked.
    pub bytes: u64,
    /// What the exchange lists and does not give out.
    pub missing: u64,
}
