//! `wiresift exchange user`, `group` and `key`.

use super::place::place;
use crate::cli::flags::{
    ExchangeGroup, ExchangeGroupCommand, ExchangeKey, ExchangeKeyCommand, ExchangeUser,
    ExchangeUserCommand,
};
use crate::cli::messages::print;
use crate::cli::outcome::Outcome;
use wiresift::engine::error::escape_text;
use wiresift::exchange::accounts::{GroupId, Rank, Role, Scopes, Secret, Viewer};
use wiresift::exchange::storage::{NewAccount, Storage};
use wiresift::{Error, Result};

/// How long links of invitations are good for, in seconds.
const WEEK: i64 = 7 * 86_400;

/// The role with a name.
fn role_of(name: &str) -> Result<Role> {
    let known = || Role::ALL.map(Role::name).join(", ");
    Role::from_name(name).ok_or_else(|| {
        Error::usage(format!("unknown role “{}”: expected one of {}", escape_text(name), known()))
    })
}

/// Prints the path of a new link for an account.
fn invite(storage: &Storage, name: String) -> Result<Outcome> {
    let secret = Secret::new()?;
    let digest = secret.digest();
    storage.write(move |writes| {
        let user = writes.account(&name)?;
        writes.add_link(user, &digest, WEEK)
    })?;
    print(format!("one-time link, below the URL of the server: /welcome/{}\n", secret.text()))?;
    Ok(Outcome::Yes)
}

/// Manages accounts.
pub(super) fn user(flags: ExchangeUser) -> Result<Outcome> {
    let (storage, _) = Storage::open(place(&flags.data)?)?;
    match flags.command {
        ExchangeUserCommand::Add { name, role, email } => {
            let new =
                NewAccount { name: name.clone(), email, role: role_of(&role)?, password: None };
            storage.write(move |writes| writes.create_account(&new))?;
            return invite(&storage, name);
        }
        ExchangeUserCommand::Invite { name } => return invite(&storage, name),
        ExchangeUserCommand::List => {
            let all = storage
                .read(|view| view.users(Viewer::Nobody, "", (false, false), (usize::MAX, 0)))?;
            let suspended = storage.read(|view| view.suspended())?;
            for user in all.1.iter().chain(&suspended) {
                let state = if user.is_suspended { " suspended" } else { "" };
                print(format!("{} {}{state}\n", user.name, user.role.name()))?;
            }
        }
        ExchangeUserCommand::Role { name, role } => {
            let role = role_of(&role)?;
            storage.write(move |writes| {
                let user = writes.account(&name)?;
                writes.set_role(user, role)
            })?;
        }
        ExchangeUserCommand::Reset { name } => {
            let of = name.clone();
            storage.write(move |writes| {
                let user = writes.account(&of)?;
                writes.end_second_factor(user)?;
                writes.end_sessions(user, None)
            })?;
            return invite(&storage, name);
        }
        ExchangeUserCommand::Suspend { name } => set_suspended(&storage, name, true)?,
        ExchangeUserCommand::Resume { name } => set_suspended(&storage, name, false)?,
    }
    Ok(Outcome::Yes)
}

fn set_suspended(storage: &Storage, name: String, is_suspended: bool) -> Result<()> {
    storage.write(move |writes| {
        let user = writes.account(&name)?;
        writes.suspend(user, is_suspended)
    })?;
    Ok(())
}

/// Manages groups.
pub(super) fn group(flags: ExchangeGroup) -> Result<Outcome> {
    let (storage, _) = Storage::open(place(&flags.data)?)?;
    match flags.command {
        ExchangeGroupCommand::Add { name, owner, public, description, id } => {
            let group = storage.write(move |writes| {
                let owner = writes.account(&owner)?;
                writes.create_group(owner, (&name, &description), (public, id))
            })?;
            print(format!("{}\n", group.0))?;
        }
        ExchangeGroupCommand::Member { group, name, rank } => {
            let known = || Rank::ALL.map(Rank::name).join(", ");
            let rank = match rank.as_str() {
                "none" => None,
                rank => Some(Rank::from_name(rank).ok_or_else(|| {
                    let rank = escape_text(rank);
                    Error::usage(format!("unknown rank “{rank}”: expected {}, none", known()))
                })?),
            };
            storage.write(move |writes| {
                let user = writes.account(&name)?;
                writes.set_member(GroupId(group), user, rank)
            })?;
        }
    }
    Ok(Outcome::Yes)
}

/// Manages keys.
pub(super) fn key(flags: ExchangeKey) -> Result<Outcome> {
    let (storage, _) = Storage::open(place(&flags.data)?)?;
    match flags.command {
        ExchangeKeyCommand::Add { user, name, scopes } => {
            let scopes = Scopes::parse(&scopes).map_err(Error::usage)?;
            let secret = Secret::new()?;
            let (prefix, digest) = (secret.prefix().to_string(), secret.digest());
            storage.write(move |writes| {
                let user = writes.account(&user)?;
                writes.add_key(user, (&name, scopes), (&prefix, &digest))
            })?;
            print(format!("{}\n", secret.text()))?;
        }
        ExchangeKeyCommand::List { user } => {
            let user = storage.write(move |writes| writes.account(&user))?;
            for key in storage.read(|view| view.keys(user))? {
                let used = key.used.map_or_else(|| "never".to_string(), |time| time.to_string());
                print(format!(
                    "{} {}… {} {} last used {used}\n",
                    key.id,
                    key.prefix,
                    escape_text(&key.name),
                    key.scopes.names().join(",")
                ))?;
            }
        }
        ExchangeKeyCommand::Revoke { user, key } => {
            storage.write(move |writes| {
                let user = writes.account(&user)?;
                writes.revoke_key(user, key)
            })?;
        }
    }
    Ok(Outcome::Yes)
}
