//! The TAXII 2.1 server.
//!
//! [`Server`] turns requests into answers; what it serves is behind the trait [`Library`], whose
//! only question is for a part of a collection in the order of adding. Positions are times that
//! no two objects share, so a `next` is a time with a signature, and the server remembers nothing
//! about the clients that read page by page.

mod answer;
mod inbox;
mod library;
mod media;
mod memory;
mod pulses;
mod query;
mod routes;
mod server;
mod site;
mod stored;
mod token;

#[cfg(test)]
mod tests;

pub use answer::failure;
pub use library::{Added, Collection, Discovery, Entry, Library, Page, Position, Wanted};
pub use memory::{Memory, example};
pub use query::{Filter, MAX_PAGE, Query, Version};
pub use routes::{ROUTES, TEST_ROUTES};
pub use server::{MAX_BODY, Server};
pub use stored::{Head, is_there, select};
pub use token::Signer;
