//! A unix stream socket: a record a line, JSON.

use super::connection::Connection;
use super::contract::{Deliver, Outcome, Verdict};
use super::pace::Pace;
use super::tls;
use crate::sensor::spool::RecordRef;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Connects to a socket in the file system, and once more when the reader went away. There is no
/// receipt: what the reader's system has taken counts as delivered.
#[derive(Debug)]
pub struct UnixSocket {
    path: PathBuf,
    pace: Pace,
    connection: Option<Connection>,
    line: Vec<u8>,
}

impl UnixSocket {
    /// To the socket at a path; it is opened with the first batch.
    pub fn new(path: impl Into<PathBuf>, pace: Pace) -> Self {
        UnixSocket { path: path.into(), pace, connection: None, line: Vec::new() }
    }

    fn write(&mut self, record: &RecordRef<'_>) -> io::Result<()> {
        if self.connection.as_mut().is_some_and(Connection::is_closed) {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::unix(&self.path, &self.pace)?),
        };
        self.line.clear();
        self.line.extend_from_slice(record.json);
        self.line.push(b'\n');
        connection.within(self.pace.timeouts().request);
        connection.write_all(&self.line)
    }
}

impl Deliver for UnixSocket {
    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        for (sent, record) in batch.iter().enumerate() {
            if let Err(error) = self.write(record) {
                // Half a line may be there: the whole one goes to the next connection.
                self.connection = None;
                let mut outcome = Outcome::again(batch.len(), tls::trouble(&error));
                outcome.verdicts[..sent].fill(Verdict::Delivered);
                return outcome;
            }
        }
        Outcome::delivered(batch.len())
    }

    fn renew(&mut self) {
        self.connection = None;
    }
}
