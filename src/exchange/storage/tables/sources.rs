//! Accounts whose pulses come from a source of the operator.

use super::accounts::NewAccount;
use super::statements::{Param, failed, first, run};
use super::view::View;
use super::writer::Writes;
use crate::engine::error::Result;
use crate::exchange::accounts::{Role, UserId};
use crate::exchange::pulses::PulseId;
use crate::exchange::storage::Outcome;

impl View<'_> {
    /// The account of a source, and what of the source became pulses.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn source(&self, name: &str) -> Result<Option<(UserId, String)>> {
        let sql = "SELECT account, imported FROM source WHERE name = :name";
        first(self.connection, sql, &[(":name", &name)], |row| {
            Ok((UserId(row.get(0)?), row.get(1)?))
        })
        .map_err(failed)
    }

    /// Whose pulse has this identifier, deleted or not: for writers that choose identifiers, and
    /// nobody else, since it does not ask who may know of it.
    ///
    /// # Errors
    ///
    /// If the storage cannot be read.
    pub fn owner_of(&self, id: &PulseId) -> Result<Option<UserId>> {
        let id = id.to_string();
        let sql = "SELECT author FROM pulse WHERE name_id = :id";
        first(self.connection, sql, &[(":id", &id)], |row| Ok(UserId(row.get(0)?))).map_err(failed)
    }
}

impl Writes<'_> {
    /// Makes an account for a source, which nobody can log in to.
    ///
    /// # Errors
    ///
    /// If the name is taken, or is no name of an account; if the storage fails.
    pub fn add_source(&self, name: &str, role: Role) -> Outcome<UserId> {
        let new = NewAccount { name: name.into(), email: String::new(), role, password: None };
        let account = self.create_account(&new)?;
        let params: [Param<'_>; 2] = [(":name", &name), (":account", &account.0)];
        let sql = "INSERT INTO source (name, account) VALUES (:name, :account)";
        run(self.connection, sql, &params)?;
        Ok(account)
    }

    /// Notes what of a source became pulses.
    ///
    /// # Errors
    ///
    /// If the storage fails.
    pub fn set_imported(&self, name: &str, identity: &str) -> Outcome<()> {
        let params: [Param<'_>; 2] = [(":name", &name), (":identity", &identity)];
        let sql = "UPDATE source SET imported = :identity WHERE name = :name";
        run(self.connection, sql, &params)?;
        Ok(())
    }
}
