//! What a new exchange needs: the author of the house, and somebody who may do everything.

use crate::engine::error::Result;
use crate::exchange::accounts::{Role, Secret};
use crate::exchange::storage::{NewAccount, Opened, Place, Storage};

/// How long the link of the first account is good for.
const DAY: i64 = 86_400;

/// An opened storage, ready to serve.
#[derive(Debug)]
pub struct Started {
    /// The storage.
    pub storage: Storage,
    /// What was found.
    pub opened: Opened,
    /// The path of the one-time link by which the first account is taken, if nobody has one.
    pub link: Option<String>,
}

/// Opens the storage in a place. A new one gets the author of the house, `house`, and an
/// account `admin`, which belongs to whoever opens the link first.
///
/// # Errors
///
/// If the storage cannot be opened or written.
pub fn start(place: impl Into<Place>, house: &str) -> Result<Started> {
    let (storage, opened) = Storage::open(place)?;
    let house = house.to_string();
    storage.write(move |writes| {
        if writes.account(&house).is_err() {
            let new = NewAccount {
                name: house,
                email: String::new(),
                role: Role::Trusted,
                password: None,
            };
            let user = writes.create_account(&new)?;
            writes.set_house(user)?;
        }
        Ok(())
    })?;
    let people = storage.read(|view| view.count_people())?;
    let link = match people {
        0 => Some(first_link(&storage)?),
        _ => None,
    };
    Ok(Started { storage, opened, link })
}

fn first_link(storage: &Storage) -> Result<String> {
    let secret = Secret::new()?;
    let digest = secret.digest();
    storage.write(move |writes| {
        let user = match writes.account("admin") {
            Ok(user) => user,
            Err(_) => writes.create_account(&NewAccount {
                name: "admin".into(),
                email: String::new(),
                role: Role::Admin,
                password: None,
            })?,
        };
        writes.add_link(user, &digest, DAY)
    })?;
    Ok(format!("/welcome/{}", secret.text()))
}
