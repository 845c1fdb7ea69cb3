//! What the two directions of a connection need to know of each other.

use crate::engine::packet::protocol::{ftp, pop3, smb};

/// Shared by both directions.
#[derive(Debug, Default)]
pub(in crate::engine::packet) enum Talk {
    #[default]
    Nothing,
    /// A server said `220`, as those of FTP and SMTP do.
    Greeted,
    Ftp(Box<ftp::Control>),
    Pop3(Box<pop3::Asked>),
    Smb(Box<smb::Session>),
    /// A client asked for a way through SOCKS of this version.
    Socks(u8),
}

impl Talk {
    /// Bytes that are held.
    pub(in crate::engine::packet) fn weight(&self) -> usize {
        match self {
            Talk::Nothing | Talk::Greeted | Talk::Socks(_) => 0,
            Talk::Ftp(control) => control.weight(),
            Talk::Pop3(asked) => asked.weight(),
            Talk::Smb(session) => session.weight(),
        }
    }

    /// What is known of an FTP connection, from now on.
    pub(in crate::engine::packet) fn ftp(&mut self) -> &mut ftp::Control {
        if !matches!(self, Talk::Ftp(_)) {
            *self = Talk::Ftp(Box::default());
        }
        match self {
            Talk::Ftp(control) => control,
            _ => unreachable!("it was made just now"),
        }
    }

    /// Whether bytes without a header may follow from the client, or from the server.
    pub(in crate::engine::packet) fn is_raw(&self, is_client: bool) -> bool {
        matches!(self, Talk::Smb(session) if session.is_raw(is_client))
    }

    /// What is known of a POP3 connection, from now on; none while the directions know
    /// something else of each other.
    pub(in crate::engine::packet) fn pop3(&mut self) -> Option<&mut pop3::Asked> {
        if matches!(self, Talk::Nothing | Talk::Greeted) {
            *self = Talk::Pop3(Box::default());
        }
        match self {
            Talk::Pop3(asked) => Some(asked),
            _ => None,
        }
    }

    /// What is known of an SMB connection, from now on.
    pub(in crate::engine::packet) fn smb(&mut self) -> &mut smb::Session {
        if !matches!(self, Talk::Smb(_)) {
            *self = Talk::Smb(Box::default());
        }
        match self {
            Talk::Smb(session) => session,
            _ => unreachable!("it was made just now"),
        }
    }
}
