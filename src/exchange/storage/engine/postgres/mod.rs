//! PostgreSQL: a server, several processes that write, one after the other.

mod named;
mod schema;
mod server;
mod session;
mod tls;
mod words;

pub(crate) use server::Server;
