//! FTP (RFC 959, 2428): commands, names of files, and the files on their own connections.
//!
//! A server is recognised by its greeting, a client by its commands after one, or on port 21; in
//! the middle of a connection, or without a greeting, both are recognised by what only FTP
//! contains. A client's PORT and EPRT and a server's responses to PASV and EPSV announce where a
//! data connection will be accepted: the first connection to that end is read as the file that
//! the next command names. After AUTH anything may follow, usually TLS.
//!
//! A file is the data of its connection. In ASCII mode, which is the default, lines are sent with
//! CR LF: such a file is reported as it was sent, and with LF alone. It is complete if the
//! connection ended with a FIN, no byte was lost, and the size announced by the server agrees; if
//! none was announced, if the receiver did not close the connection first. Listings and parts of
//! files are not files.

mod command;
mod control;
mod data;
mod session;
mod side;

pub use command::Command;
pub(in crate::engine::packet) use session::Session;
pub(in crate::engine::packet) use side::Side;

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
