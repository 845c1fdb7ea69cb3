//! A secret that is cached between batches.

use crate::Result;
use crate::sensor::secret::{Credential, Secret};

/// A secret that is read once, until it is forgotten.
#[derive(Debug)]
pub(super) struct CachedSecret {
    from: Credential,
    secret: Option<Secret>,
}

impl CachedSecret {
    pub(super) fn new(from: Credential) -> Self {
        CachedSecret { from, secret: None }
    }

    /// The secret.
    ///
    /// # Errors
    ///
    /// Those of [`Credential::read`].
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
        let mut kept = CachedSecret::new(Credential::File(path.clone()));
        assert_eq!(kept.get().unwrap(), "one");
        std::fs::write(&path, "two").unwrap();
        assert_eq!(kept.get().unwrap(), "one");
        kept.forget();
        assert_eq!(kept.get().unwrap(), "two");
        assert!(!format!("{kept:?}").contains("two"));
    }
}
