//! An answer.

use serde_json::Value;
use std::fmt;
use std::io;

/// A body that is made while it is sent. It may end with an error, which closes the connection.
pub type Pieces = Box<dyn Iterator<Item = io::Result<Vec<u8>>> + Send>;

/// The body of an answer.
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// Piece by piece.
    Pieces(Pieces),
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Body::Whole(bytes) => write!(f, "Whole({} bytes)", bytes.len()),
            Body::Pieces(_) => f.write_str("Pieces"),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: u16,
    /// The header fields.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

impl Reply {
    /// An answer of some type.
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status,
            headers: vec![("content-type", content_type.to_string())],
            body: Body::Whole(body.into()),
        }
    }

    /// JSON.
    pub fn json(value: &Value) -> Reply {
        Reply::new(200, "application/json", value.to_string())
    }

    /// An answer that is made while it is sent.
    pub fn pieces(content_type: &str, pieces: Pieces) -> Reply {
        Reply { body: Body::Pieces(pieces), ..Reply::new(200, content_type, "") }
    }

    /// With another status.
    #[must_use]
    pub fn status(mut self, status: u16) -> Reply {
        self.status = status;
        self
    }

    /// With one more header field.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Reply {
        self.headers.push((name, value.into()));
        self
    }

    /// The body, read to its end.
    ///
    /// # Errors
    ///
    /// If a piece could not be made.
    pub fn into_bytes(self) -> io::Result<Vec<u8>> {
        match self.body {
            Body::Whole(bytes) => Ok(bytes),
            Body::Pieces(pieces) => pieces.collect::<io::Result<Vec<_>>>().map(|all| all.concat()),
        }
    }
}
