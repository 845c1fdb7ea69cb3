//! IMAP (RFC 3501, RFC 9051): the mails that a server hands out and a client appends,
//! and the names of mailboxes.
//!
//! Both sides are found by content: the server by its greeting, the client by the
//! command behind its first tag. Mails travel in literals, `{2059}` and so many
//! bytes. `BODY[]`, `RFC822` and what APPEND brings is read as a mail, also when it is
//! fetched piece by piece; headers alone as such; a part alone, whose encoding nobody
//! tells, as text. Lists and structures (ENVELOPE, BODYSTRUCTURE) are gone over: what
//! they tell is in the mails. A login that is an e-mail address is told at
//! `mail.to`. Behind STARTTLS and COMPRESS anything may follow. A literal that a client offers
//! may be refused: then its next command follows.

mod client;
mod server;
mod side;

pub(in crate::engine::packet) use side::Side;

#[cfg(test)]
pub(in crate::engine::packet) mod tests;
