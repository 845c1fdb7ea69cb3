//! A unix stream socket: one record per line.

use super::connection::Connection;
use super::contract::{Deliver, Outcome, Verdict};
use super::pace::Pace;
use super::tls;
use crate::engine::alert::Format;
use crate::sensor::spool::RecordRef;
use std::io::{self, Write as _};
use std::path::PathBuf;

/// Connects to a socket in the file system, and reconnects when the reader went away. There are no
/// receipts: what the reader's system has accepted counts as delivered.
#[derive(Debug)]
pub struct UnixSocket {
    path: PathBuf,
    format: Format,
    pace: Pace,
    connection: Option<Connection>,
    line: Vec<u8>,
}

impl UnixSocket {
    /// A client for the socket at a path, in JSON; it connects with the first batch.
    pub fn new(path: impl Into<PathBuf>, pace: Pace) -> Self {
        let path = path.into();
        UnixSocket { path, format: Format::Json, pace, connection: None, line: Vec::new() }
    }

    /// Uses another format, which the records have to contain. Only records are written, so the
    /// format must not need header lines.
    #[must_use]
    pub fn with_format(self, format: Format) -> Self {
        UnixSocket { format, ..self }
    }

    fn write(&mut self, form: &[u8]) -> io::Result<()> {
        if self.connection.as_mut().is_some_and(Connection::is_closed) {
            self.connection = None;
        }
        let connection = match &mut self.connection {
            Some(connection) => connection,
            none => none.insert(Connection::unix(&self.path, &self.pace)?),
        };
        self.line.clear();
        self.line.extend_from_slice(form);
        self.line.push(b'\n');
        connection.within(self.pace.timeouts().request);
        connection.write_all(&self.line)
    }
}

impl Deliver for UnixSocket {
    fn format(&self) -> Format {
        self.format
    }

    fn deliver(&mut self, batch: &[RecordRef<'_>]) -> Outcome {
        let mut outcome = Outcome::delivered(0);
        for (done, record) in batch.iter().enumerate() {
            let Some(form) = record.form(self.format) else {
                let reason = format!("the record has no `{}` format", self.format);
                outcome = outcome.and(Outcome::refused(1, 0, &reason));
                continue;
            };
            if let Err(error) = self.write(form) {
                // Half a line may have been sent: the complete one goes to the next connection.
                self.connection = None;
                return outcome
                    .and(Outcome::again(batch.len() - done, tls::delivery_error(&error)));
            }
            outcome.verdicts.push(Verdict::Delivered);
        }
        outcome
    }

    fn renew(&mut self) {
        self.connection = None;
    }
}
