//! Keys and passwords, and where they are kept.
//!
//! ```
//! use wiresift::sensor::secret::Credential;
//!
//! let folder = tempfile::tempdir().unwrap();
//! let path = folder.path().join("token");
//! std::fs::write(&path, "s3cret\n").unwrap();
//! let credential = Credential::File(path);
//! let secret = credential.read()?;
//! assert_eq!(secret.reveal(), "s3cret");
//! assert_eq!(format!("{secret:?}"), "***");
//! # Ok::<(), wiresift::Error>(())
//! ```
//!
//! A configuration says where a secret is, and never what it is. It is read when it is needed, and
//! again after the other side rejected it: so a key that is replaced in its file takes effect
//! without a restart.

use crate::{Error, Result};
use std::fmt;
use std::path::PathBuf;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// The location of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// In an environment variable: `key_env`.
    Env(String),
    /// In the first line of a file: `key_file`.
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

impl Credential {
    /// Reads the secret.
    ///
    /// # Errors
    ///
    /// If the variable is not set, the file can't be read, or the text is empty or contains control
    /// characters; the error names the location and never the contents.
    pub fn read(&self) -> Result<Secret> {
        let text = match self {
            Credential::Env(name) => std::env::var(name).map_err(|_| {
                Error::usage(format!("the variable {name} is not set, or is not valid text"))
                    .remedy("set it for this process: it holds the secret")
            })?,
            Credential::File(path) => std::fs::read_to_string(path)
                .map_err(|e| Error::io("read the secret", e).at_path(path))?,
        };
        let secret = text.lines().next().unwrap_or_default().trim();
        if secret.is_empty() || secret.chars().any(char::is_control) {
            let error = Error::usage("the secret is empty, or contains control characters");
            return Err(match self {
                Credential::Env(name) => error.remedy(format!("check the variable {name}")),
                Credential::File(path) => error.at_path(path),
            });
        }
        Ok(Secret(secret.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_wrong_names_the_place_and_never_the_secret() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let file = Credential::File(path.clone());
        let error = |credential: &Credential| credential.read().unwrap_err().to_string();
        assert!(error(&file).contains("key"), "{}", error(&file));
        std::fs::write(&path, "\n").unwrap();
        assert!(error(&file).contains("empty") && error(&file).contains("key"), "{}", error(&file));
        std::fs::write(&path, "q\u{7}z").unwrap();
        assert!(error(&file).contains("control"), "{}", error(&file));
        assert!(!error(&file).contains('q') && !error(&file).contains("\u{7}"));
        let unset = Credential::Env("WIRESIFT_UNSET_IN_TESTS".into());
        assert!(error(&unset).contains("WIRESIFT_UNSET_IN_TESTS"), "{}", error(&unset));
    }
}
