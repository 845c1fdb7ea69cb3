//! Keys and passwords.
//!
//! A configuration says where a secret is, and never what it is, as with those of feeds. It is
//! read when it is needed, and once more after the receiver did not accept it: so a key that is
//! replaced in its file is in force without a restart.

use crate::{Error, Result};
use std::fmt;
use std::path::PathBuf;

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Keeps a text from being seen.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

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

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Credential {
    /// In a variable of the environment: `key_env`.
    Env(String),
    /// In the first line of a file: `key_file`.
    File(PathBuf),
    /// Here; for tests and for programs that have it from elsewhere.
    Here(Secret),
}

impl Credential {
    /// Fetches the secret.
    ///
    /// # Errors
    ///
    /// When the variable is not set or the file can't be read; the text names the place and never
    /// what is in it.
    pub fn read(&self) -> Result<Secret> {
        let text = match self {
            Credential::Env(name) => std::env::var(name).map_err(|_| {
                Error::usage(format!("the variable {name} is not set, or no text"))
                    .remedy("it holds the sink's credential; set it for this process")
            })?,
            Credential::File(path) => std::fs::read_to_string(path)
                .map_err(|e| Error::io("read the credential", e).at_path(path))?,
            Credential::Here(secret) => secret.0.clone(),
        };
        let secret = text.lines().next().unwrap_or_default().trim();
        if secret.is_empty() || secret.chars().any(char::is_control) {
            let error = Error::usage("the credential is empty, or has control characters in it");
            return Err(match self {
                Credential::Env(name) => error.remedy(format!("it is the variable {name}")),
                Credential::File(path) => error.at_path(path),
                Credential::Here(_) => error,
            });
        }
        Ok(Secret::new(secret))
    }
}

/// A secret that is read once, until it is forgotten.
#[derive(Debug)]
pub(super) struct Kept {
    from: Credential,
    secret: Option<Secret>,
}

impl Kept {
    pub(super) fn new(from: Credential) -> Self {
        Kept { from, secret: None }
    }

    /// The secret.
    ///
    /// # Errors
    ///
    /// As [`Credential::read`].
    pub(super) fn get(&mut self) -> Result<&str> {
        let secret = match self.secret.take() {
            Some(secret) => secret,
            None => self.from.read()?,
        };
        Ok(self.secret.insert(secret).reveal())
    }

    pub(super) fn forget(&mut self) {
        self.secret = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_read_again_when_forgotten_and_never_shown() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        std::fs::write(&path, " one \nnot this\n").unwrap();
        let mut kept = Kept::new(Credential::File(path.clone()));
        assert_eq!(kept.get().unwrap(), "one");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(kept.get().unwrap(), "one");
        kept.forget();
        assert_eq!(kept.get().unwrap(), "two");
        assert!(!format!("{kept:?}").contains("two"));
        std::fs::write(&path, "\n").unwrap();
        let error = Credential::File(path.clone()).read().unwrap_err().to_string();
        assert!(error.contains("empty") && error.contains("key"), "{error}");
        let unset = Credential::Env("WIRESIFT_UNSET_IN_TESTS".into()).read().unwrap_err();
        assert!(unset.to_string().contains("WIRESIFT_UNSET_IN_TESTS"), "{unset}");
        let odd = Credential::Here(Secret::new("a\u{7}b")).read().unwrap_err().to_string();
        assert!(odd.contains("control") && !odd.contains('b'.to_ascii_uppercase()), "{odd}");
    }
}
