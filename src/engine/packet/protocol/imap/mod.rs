//! IMAP (RFC 3501, RFC 9051): the mails that a server sends and a client appends, and the names
//! of mailboxes.
//!
//! Both sides are recognised by content: the server by its greeting, the client by the command
//! after its first tag. Mails are sent as literals, `{2059}` followed by that number of bytes.
//! `BODY[]`, `RFC822` and the literal of APPEND are parsed as a mail, even if it is fetched in
//! parts; headers alone as headers; a part alone, whose encoding is unknown, as text. Lists and
//! structures (ENVELOPE, BODYSTRUCTURE) are skipped, because the mails contain the same. A login
//! that is an e-mail address is reported as `mail.to`. After STARTTLS and COMPRESS anything may
//! follow. A literal that a client offers may be refused: then its next command follows.

mod client;
mod server;
mod side;

pub(in crate::engine::packet) use side::Side;

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
