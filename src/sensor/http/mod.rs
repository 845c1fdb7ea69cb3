//! A small blocking server of HTTP/1.1, for what others send us and what they ask of us.
//!
//! ```
//! use wiresift::sensor::http::{Limits, Method, Parser, Step};
//!
//! let mut parser = Parser::new(Limits::default());
//! parser.push(b"POST /services/collector?channel=a%20b HTTP/1.1\r\nContent-Le");
//! assert!(matches!(parser.step(), Ok(Step::More)));
//! parser.push(b"ngth: 2\r\n\r\n{}");
//! let Ok(Step::Request(request)) = parser.step() else { panic!("it is whole") };
//! assert_eq!(request.method, Method::Post);
//! assert_eq!(request.path, "/services/collector");
//! assert_eq!(request.query("channel").as_deref(), Some("a b"));
//! assert_eq!(request.body, b"{}");
//! ```
//!
//! A [`Parser`] takes bytes and gives requests; it does no I/O and doesn't care where a piece
//! ends. A [`Server`] has a thread for each connection, and hands each request to one function.
//! There is keep-alive, `Expect: 100-continue`, and bodies with a length or in chunks. There is
//! no HTTP/2, no range, no file that is served, and nothing is compressed on the way out.
//!
//! Everything is bounded ([`Limits`]): heads, bodies, how long a client may take, how many there
//! are. What could be two requests to one reader and one to another is refused: two lengths, a
//! length beside chunks.

mod chunks;
mod parser;
mod request;
mod response;
mod server;
#[cfg(test)]
mod tests;

pub use parser::{Limits, Parser, Refusal, Step};
pub use request::{Method, Request};
pub use response::Response;
pub use server::{Handler, Server};
