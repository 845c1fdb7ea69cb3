//! Which command of `wiresift exchange`.

use super::{accounts, data, export, serve, source};
use crate::cli::flags::{Exchange, ExchangeCommand};
use crate::cli::outcome::Outcome;
use wiresift::Result;

/// Runs a command of the exchange.
pub(in crate::cli) fn run(flags: Exchange) -> Result<Outcome> {
    match flags.command {
        ExchangeCommand::Serve(flags) => serve::serve(*flags),
        ExchangeCommand::User(flags) => accounts::user(flags),
        ExchangeCommand::Group(flags) => accounts::group(flags),
        ExchangeCommand::Key(flags) => accounts::key(flags),
        ExchangeCommand::Import(flags) => data::import(&flags),
        ExchangeCommand::Source(flags) => source::source(flags),
        ExchangeCommand::Export(flags) => export::export(&flags),
        ExchangeCommand::Backup(flags) => data::backup(&flags),
        ExchangeCommand::Restore(flags) => data::restore(&flags),
        ExchangeCommand::Check(flags) => data::check(&flags),
    }
}
