//! FTP (RFC 959, 2428): commands, names of files, and the files on their own connections.
//!
//! A server is found by its greeting, a client by its commands behind one, or on port
//! 21; in the midst of a connection, or without a greeting, both by what only FTP says. A
//! client's PORT and EPRT and a server's answers to PASV and EPSV announce where a connection
//! for data will be taken: the first connection to that end is read as the file that the
//! next command names. Behind AUTH anything may follow, which mostly is TLS.
//!
//! A file is what its connection carried. In ASCII mode, which is the one unless the client
//! chooses another, lines travel with CR LF: there it is told as it travelled, and with
//! LF alone. It is whole if the connection ended with a FIN, no byte was lost, and the size
//! that the server announced agrees; where it announced none, if who gets the file did not
//! hang up first. Listings and parts of files are none.

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
