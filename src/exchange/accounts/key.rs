//! Keys of the API, links and sessions: random secrets, stored as digests.

use crate::engine::error::{Error, Result};
use crate::engine::indicator::{Timestamp, digest};
use sha2::Digest as _;

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Scope {
    /// Reading whatever its owner sees.
    Read = 1,
    /// Writing pulses, comments, votes and subscriptions.
    Write = 2,
    /// Reporting alerts and sightings, as a sensor does.
    Report = 4,
    /// Reading feeds for machines only: the secret may be a part of a path.
    Feed = 8,
    /// Changing the account: keys, groups.
    Account = 16,
}

impl Scope {
    /// Every scope.
    pub const ALL: [Scope; 5] =
        [Scope::Read, Scope::Write, Scope::Report, Scope::Feed, Scope::Account];

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Scope::Read => "read",
            Scope::Write => "write",
            Scope::Report => "report",
            Scope::Feed => "feed",
            Scope::Account => "account",
        }
    }
}

/// A set of scopes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Scopes(pub u8);

impl Scopes {
    /// Everything: what the key of a person has.
    pub const ALL: Scopes = Scopes(31);

    /// The set of some scopes.
    pub fn of(scopes: &[Scope]) -> Scopes {
        Scopes(scopes.iter().fold(0, |set, scope| set | *scope as u8))
    }

    /// Parses `read,write`.
    ///
    /// # Errors
    ///
    /// The name that is unknown, and those that are known.
    pub fn parse(text: &str) -> std::result::Result<Scopes, String> {
        let mut set = 0;
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let known = || Scope::ALL.map(Scope::name).join(", ");
            let scope = Scope::ALL.into_iter().find(|scope| scope.name() == name);
            let unknown = || format!("unknown scope “{name}”: expected one of {}", known());
            set |= scope.ok_or_else(unknown)? as u8;
        }
        if set == 0 { Err("no scope".into()) } else { Ok(Scopes(set)) }
    }

    /// Whether a scope is in it.
    pub fn has(self, scope: Scope) -> bool {
        self.0 & scope as u8 != 0
    }

    /// Its names.
    pub fn names(self) -> Vec<&'static str> {
        Scope::ALL.into_iter().filter(|scope| self.has(*scope)).map(Scope::name).collect()
    }
}

/// A key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its number.
    pub id: i64,
    /// The name that its owner gave it.
    pub name: String,
    /// The first eight digits of the secret, by which people tell keys apart.
    pub prefix: String,
    /// What it is good for.
    pub scopes: Scopes,
    /// Since when.
    pub created: Timestamp,
    /// When it was last used, to the hour.
    pub used: Option<Timestamp>,
}

/// A secret of 32 random bytes, as 64 hexadecimal digits. It is shown once and never printed by
/// `Debug`.
#[derive(Clone)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

impl Secret {
    /// A new secret.
    ///
    /// # Errors
    ///
    /// If the system has no random bytes.
    pub fn new() -> Result<Secret> {
        Ok(Secret(digest::encode(&random_bytes::<32>()?)))
    }

    /// The text, to be shown to its owner.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Its first eight digits.
    pub fn prefix(&self) -> &str {
        &self.0[..8]
    }

    /// What is stored of it.
    pub fn digest(&self) -> [u8; 32] {
        Secret::digest_of(&self.0)
    }

    /// What would be stored of a text that claims to be a secret.
    pub fn digest_of(text: &str) -> [u8; 32] {
        sha2::Sha256::digest(text.as_bytes()).into()
    }
}

/// Random bytes of the system.
///
/// # Errors
///
/// If it has none.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        Error::io("draw random bytes", std::io::Error::other(error.to_string()))
    })?;
    Ok(bytes)
}
