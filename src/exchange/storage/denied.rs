//! Why a write did not happen.

use crate::engine::error::Error;
use crate::exchange::pulses::Invalid;

/// The outcome of a write.
pub type Outcome<T> = Result<T, Denied>;

/// Why a write did not happen. Nothing of it was stored.
#[derive(Debug)]
pub enum Denied {
    /// It does not exist, or the caller may not know that it does.
    NotFound,
    /// The caller may not do this.
    Forbidden(String),
    /// What is to be stored is wrong.
    Invalid(Invalid),
    /// A quota is used up; when it is not any more, in seconds.
    Quota(String, u64),
    /// The storage failed.
    Failed(Error),
}

impl Denied {
    /// One message about one field.
    pub fn invalid(field: &str, message: impl Into<String>) -> Denied {
        Denied::Invalid(Invalid::of(field, message))
    }
}

impl From<Error> for Denied {
    fn from(error: Error) -> Denied {
        Denied::Failed(error)
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Error {
        match denied {
            Denied::NotFound => Error::usage("it does not exist"),
            Denied::Forbidden(why) | Denied::Quota(why, _) => Error::refused(why),
            Denied::Invalid(invalid) => Error::usage(invalid.detail()),
            Denied::Failed(error) => error,
        }
    }
}
