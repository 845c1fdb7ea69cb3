//! Where secrets are: the configuration never holds one.

use std::fmt;
use std::path::PathBuf;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// In a variable of the environment.
    Env(String),
    /// In the first line of a file.
    File(PathBuf),
}

impl fmt::Display for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credential::Env(name) => write!(f, "the variable {name}"),
            Credential::File(path) => write!(f, "the file {}", path.display()),
        }
    }
}
