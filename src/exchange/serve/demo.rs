//! Invented pulses, so that a new exchange has something to show.

use crate::engine::error::{Error, Result};
use crate::exchange::accounts::Role;
use crate::exchange::pulses::Draft;
use crate::exchange::storage::{Denied, NewAccount, Storage, Writes};
use serde_json::Value;

/// Who writes what. All names and addresses are those that are reserved for examples.
const PULSES: &str = include_str!("demo.json");

/// Fills an exchange that has no author of the invented pulses yet. Answers how many pulses it
/// has got.
///
/// # Errors
///
/// If the storage fails.
pub fn fill(storage: &Storage) -> Result<usize> {
    let pulses: Vec<Value> = serde_json::from_str(PULSES)
        .map_err(|error| Error::format(format!("the invented pulses: {error}")))?;
    let now = crate::clock::now();
    let mut drafts = Vec::new();
    for pulse in &pulses {
        let author = pulse["author"].as_str().unwrap_or("demo").to_string();
        let draft = Draft::from_json(pulse, now).map_err(Denied::Invalid)?;
        drafts.push((author, draft));
    }
    let is_filled = drafts.first().is_some_and(|(author, _)| {
        let author = author.clone();
        storage.write(move |writes| writes.account(&author)).is_ok()
    });
    if is_filled {
        return Ok(0);
    }
    let count = drafts.len();
    storage.write(move |writes| {
        for (author, draft) in &drafts {
            let author = author_of(writes, author)?;
            writes.create_pulse(author, draft, (false, None))?;
        }
        Ok(())
    })?;
    Ok(count)
}

/// The account of an author, which nobody can log in to.
fn author_of(
    writes: &Writes<'_>,
    name: &str,
) -> std::result::Result<crate::exchange::accounts::UserId, Denied> {
    match writes.account(name) {
        Ok(user) => Ok(user),
        Err(Denied::NotFound) => writes.create_account(&NewAccount {
            name: name.to_string(),
            email: String::new(),
            role: Role::Member,
            password: None,
        }),
        Err(other) => Err(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_invented_pulse_is_valid() {
        let directory = tempfile::tempdir().unwrap();
        let (storage, _) = Storage::open(directory.path()).unwrap();
        assert_eq!(fill(&storage).unwrap(), 5);
        assert_eq!(fill(&storage).unwrap(), 0);
    }
}
