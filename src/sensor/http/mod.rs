//! A small blocking HTTP/1.1 server, for inputs that others send and for the status pages.
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
//! A [`Parser`] takes bytes and returns requests; it does no I/O and doesn't care how the bytes are
//! split. A [`Server`] has a thread for each connection, and passes each request to one function.
//! There is keep-alive, `Expect: 100-continue`, and bodies with a length or in chunks. There is no
//! HTTP/2, no ranges, no file serving, and no compression of responses.
//!
//! Everything is bounded ([`Limits`]): heads, bodies, how long a client may take, how many clients
//! there are. What one reader could take for two requests and another for one is refused: two
//! lengths, or a length together with chunks.

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
